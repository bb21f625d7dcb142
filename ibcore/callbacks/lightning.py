"""Follow a training of Lightning: ``Trainer(callbacks=[Follow(x, y, layers=[...])])``."""

from typing import Any

from ibcore.callbacks.following import Following, base_class

_Callback: Any = base_class("Callback", "lightning.pytorch", "pytorch_lightning")


class Follow(Following, _Callback):  # type: ignore[misc]
    """A Lightning callback that measures before the first update and after training epochs.

    Where a training goes on from a checkpoint inside an epoch, or stops inside one, the weights
    there are not measured.

    Parameters
    ----------
    x, y, **settings
        As for ``ib.Tracker``, without the model.

    Attributes
    ----------
    tracker : Tracker
        Once training has begun; on the process that writes (rank 0) only.

    Examples
    --------
    >>> follow = Follow([[0.0], [1.0]], [0, 1], at="every")
    >>> # lightning.Trainer(max_epochs=10, callbacks=[follow]).fit(model, loader); follow.plane
    """

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:
        """Make the tracker: here weights, epoch and step of a checkpoint are back."""
        self.begin(pl_module, trainer.is_global_zero)
        self.at_start = True

    def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """Measure the model as it is before training, or where training goes on."""
        if self.at_start:
            self.measure(trainer.current_epoch, trainer.global_step)
        self.at_start = False

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Measure after an epoch of training."""
        self.at_start = False
        if trainer.is_last_batch:  # False where the last step lies inside an epoch
            self.measure(trainer.current_epoch + 1, trainer.global_step)
