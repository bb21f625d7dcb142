"""Follow a training of Hugging Face: ``Trainer(..., callbacks=[Follow(batches)])``."""

from importlib import import_module
from typing import Any

import xarray as xr

from ibcore.tracker import Tracker


def _base() -> type:
    """The class that a Trainer takes as a callback, if the package is installed."""
    try:
        return import_module("transformers").TrainerCallback
    except ImportError:
        return object


_Callback: Any = _base()


class Follow(_Callback):  # type: ignore[misc]
    """A callback of ``transformers.Trainer`` that measures before training and after epochs.

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

    def __init__(self, x: Any, y: Any = None, **settings: Any) -> None:
        """Keep what a tracker will need."""
        self.arguments = (x, y, settings)
        self.tracker: Tracker | None = None

    @property
    def plane(self) -> xr.Dataset:
        """The information plane so far."""
        if self.tracker is None:
            raise ValueError("nothing is measured yet: the training has not begun.")
        return self.tracker.plane

    def on_train_begin(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Measure the model as it is before training, or where training goes on."""
        if state.is_world_process_zero:
            x, y, settings = self.arguments
            self.tracker = Tracker(given["model"], x, y, **settings)
            self.tracker(round(state.epoch or 0), update=state.global_step)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **given: Any) -> None:
        """Measure after an epoch of training."""
        if self.tracker is not None:
            self.tracker(round(state.epoch), update=state.global_step)
