"""What callbacks of all trainers share: a tracker that is made when training begins."""

from importlib import import_module
from typing import Any

import torch
import xarray as xr

from ibcore.tracker import Tracker


def base_class(name: str, *modules: str) -> Any:
    """The class of this name in the first of these modules that is installed; else ``object``."""
    for module in modules:
        try:
            return getattr(import_module(module), name)
        except ImportError:
            continue
    return object


class Following:
    """The arguments of a tracker until there is a model, then the tracker.

    Parameters
    ----------
    x, y, **settings
        As for ``ib.Tracker``, without the model.

    Attributes
    ----------
    tracker : Tracker
        Once training has begun; on the process that writes only.
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

    def begin(self, model: torch.nn.Module, writes: bool) -> None:
        """Make the tracker, on the process that writes."""
        x, y, settings = self.arguments
        self.tracker = Tracker(model, x, y, **settings) if writes else None

    def measure(self, epoch: float, update: int) -> None:
        """Measure after so many epochs; weights inside an epoch are those of none."""
        if self.tracker is not None and epoch == round(epoch):
            self.tracker(round(epoch), update=update)
