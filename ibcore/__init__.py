"""ibcore: information planes of neural networks, the rulers they need, and claims about them."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Where each public name lives. Nothing is imported before somebody asks for it; every ruler that
# ``ibcore.estimators`` exports is a name here too.
_HOMES = {
    "ibcore.config": ("Experiment",),
    "ibcore.decomposition": ("decompose",),
    "ibcore.estimators": (
        "AdaptiveBinning",
        "BernoulliDropout",
        "Binning",
        "EDGE",
        "EdgeBinning",
        "Exact",
        "GaussianDropout",
        "InfoNCE",
        "KernelBound",
        "LabelBound",
        "LayerInformation",
        "LinearGaussian",
        "MatrixRenyi",
        "NetInputBinning",
        "OnSomeRows",
        "OnTrainingRows",
        "QuantileBinning",
        "Quantised",
        "RangeBinning",
        "Ruler",
        "SamplePropagation",
        "SlicedInformation",
        "UnitRangeBinning",
        "UsableInformation",
    ),
    "ibcore.torch_module": ("measure",),
    "ibcore.networks": ("Ensemble", "noisy_layers"),
    "ibcore.parameters": ("check_parameters",),
    "ibcore.reliability": ("advise", "worth", "worth_of_pairs"),
    "ibcore.results.run": ("load_or_run", "run"),
    "ibcore.results.store": ("Store",),
    "ibcore.study": ("Study",),
    "ibcore.tasks": ("Task", "load_task", "register_task"),
    "ibcore.training": ("Trajectory", "train"),
}
_MODULES = ("config", "estimators", "geometry", "information", "labels", "plane", "plots", "theory")
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [*sorted(_HOME), *_MODULES]


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first asked for."""
    if name in _MODULES:
        return import_module(f"ibcore.{name}")
    if name in _HOME:
        found = getattr(import_module(_HOME[name]), name)
    elif not name.startswith("_") and name in import_module("ibcore.estimators").__all__:
        found = getattr(import_module("ibcore.estimators"), name)
    else:
        raise AttributeError(f"ibcore has no {name!r}; it has {', '.join(__all__)}.")
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """The public names."""
    return [*__all__, "__version__"]
