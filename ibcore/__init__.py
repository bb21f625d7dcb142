"""ibcore: information planes of neural networks, the rulers they need, and claims about them."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Where each public name lives. Nothing is imported before somebody asks for it; every ruler that
# ``ibcore.estimators`` exports is a name here too.
_HOMES = {
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
    "ibcore.modules": ("Layer", "layer_outputs", "measure"),
    "ibcore.networks": ("Ensemble", "noisy_layers"),
    "ibcore.observables": ("Observable",),
    "ibcore.own": ("Experiment", "register"),
    "ibcore.parameters": ("check_parameters",),
    "ibcore.reliability": ("advise", "worth", "worth_of_pairs"),
    "ibcore.reports": ("report",),
    "ibcore.results.run": ("load_or_run", "run"),
    "ibcore.results.store": ("Store",),
    "ibcore.study": ("Study",),
    "ibcore.sweeps": ("sweep",),
    "ibcore.tasks": ("Task", "load_task", "register_task"),
    "ibcore.tasks.arrays": ("task_from_arrays",),
    "ibcore.tracker": ("Tracker",),
    "ibcore.training": ("Trajectory", "train"),
}
# What is needed for more than measuring a module: package -> the extra that brings it.
EXTRAS = {
    "matplotlib": "plots",
    "filelock": "store",
    "platformdirs": "store",
    "typer": "cli",
    "pooch": "data",
    "sklearn": "data",
    "distributed": "dask",
}
_MODULES = ("config", "estimators", "geometry", "information", "labels", "plane", "plots", "theory")
_HOME = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [*sorted(_HOME), *_MODULES]


def __getattr__(name: str) -> Any:
    """A public name, imported when it is first asked for."""
    if name in _MODULES:
        return _imported(f"ibcore.{name}")
    if name in _HOME:
        found = getattr(_imported(_HOME[name]), name)
    elif not name.startswith("_") and name in _imported("ibcore.estimators").__all__:
        found = getattr(_imported("ibcore.estimators"), name)
    else:
        raise AttributeError(f"ibcore has no {name!r}; it has {', '.join(__all__)}.")
    globals()[name] = found
    return found


def _imported(module: str) -> Any:
    """A module; where a package is missing that an extra brings, the error says which."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        raise ImportError(missing(error)) from error


def missing(error: ModuleNotFoundError) -> str:
    """What to install where a package is missing.

    >>> missing(ModuleNotFoundError("No module named 'typer'", name="typer"))
    "this needs the package typer, which is not installed: pip install 'ibcore[cli]'"
    """
    package = (error.name or "").partition(".")[0]
    if package not in EXTRAS:
        return str(error)
    return (
        f"this needs the package {package}, which is not installed: "
        f"pip install 'ibcore[{EXTRAS[package]}]'"
    )


def __dir__() -> list[str]:
    """The public names."""
    return [*__all__, "__version__"]
