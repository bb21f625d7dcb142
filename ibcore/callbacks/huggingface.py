"""Follow a training of Hugging Face: ``Trainer(..., callbacks=[Follow(batches)])``."""

from typing import Any

from ibcore.callbacks.following import Following, base_class

_Callback: Any = base_class("TrainerCallback", "transformers")


class Follow(Following, _Callback):  # type: ignore[misc]
    """A callback of ``transformers.Trainer`` that measures before training and after epochs.

    Where a training goes on from a checkpoint inside an epoch, or stops inside one, the weights
    there are not measured.

    Parameters
    ----------
    x, y, **settings
        As for ``ib.Tracker``, without the model; a DataLoader or a list of the batches that the
        model takes, with their "labels", is usual.

    Attributes
    ----------
    tracker : Tracker
        Once training has begun; on the process that writes only.

    Examples
    --------
    >>> follow = Follow([[0.0], [1.0]], [0, 1], at="every")
    >>> # transformers.Trainer(model, arguments, callbacks=[follow], ...).train(); follow.plane
    """

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Measure the model as it is before training, or where training goes on."""
        self.begin(given["model"], state.is_world_process_zero)
        self.measure(state.epoch or 0, state.global_step)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Measure after an epoch of training."""
        # Called, too, where the last step lies inside an epoch. Elsewhere a fraction is what older
        # versions count where gradients are accumulated over a number that divides no epoch.
        stops_inside = control.should_training_stop and state.epoch != round(state.epoch)
        if not stops_inside:
            self.measure(round(state.epoch), state.global_step)
