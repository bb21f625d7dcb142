"""Follow a training of Lightning: ``Trainer(callbacks=[Follow(x, y, layers=[...])])``."""

from importlib import import_module
from typing import Any

import xarray as xr

from ibcore.tracker import Tracker


def _base() -> type:
    """The class that a Trainer takes as a callback, of whichever package is installed."""
    for name in ("lightning.pytorch", "pytorch_lightning"):
        try:
            return import_module(name).Callback
        except ImportError:
            continue
    return object


_Callback: Any = _base()


class Follow(_Callback):  # type: ignore[misc]
    """A Lightning callback that measures before the first update and after training epochs.

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

    def __init__(self, x: Any, y: Any = None, **settings: Any) -> None:
        """Keep what a tracker will need."""
        super().__init__()
        self.arguments = (x, y, settings)
        self.tracker: Tracker | None = None

    @property
    def plane(self) -> xr.Dataset:
        """The information plane so far."""
        if self.tracker is None:
            raise ValueError("nothing is measured yet: the training has not begun.")
        return self.tracker.plane

    def on_fit_start(self, trainer: Any, pl_module: Any) -> None:
        """Measure the model as it is before training, or where training goes on."""
        if trainer.is_global_zero:
            x, y, settings = self.arguments
            self.tracker = Tracker(pl_module, x, y, **settings)
            self.tracker(trainer.current_epoch, update=trainer.global_step)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Measure after an epoch of training."""
        if self.tracker is not None:
            self.tracker(trainer.current_epoch + 1, update=trainer.global_step)
