"""What a layer says about its input and about the labels, in bits.

An estimator is a frozen dataclass. Its fields are its settings, its ``repr`` is its name in every
result, its ``measures`` the label of an axis. Called with a layer ``t`` (sample, unit) and labels
``y`` it gives ``LayerInformation(i_xt, i_ty)``; ``prepare(trajectory)`` fixes beforehand what
depends on the whole training run and returns an estimator.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ibcore.estimators.adaptive import (
    AdaptiveBinning,
    NetInputBinning,
    Quantised,
    RangeBinning,
)
from ibcore.estimators.binning import Binning, EdgeBinning, Exact
from ibcore.estimators.counting import LayerInformation, checked_layer, information_of_codes
from ibcore.estimators.kernel import (
    KernelBound,
    LabelBound,
    MirroredKernelBound,
    TwiceNoisedKernelBound,
)
from ibcore.estimators.linear import LinearGaussian
from ibcore.estimators.propagation import SamplePropagation
from ibcore.estimators.rows import OnTrainingRows

__all__ = [
    "AdaptiveBinning",
    "Binning",
    "EdgeBinning",
    "Exact",
    "KernelBound",
    "LabelBound",
    "LayerInformation",
    "LinearGaussian",
    "MirroredKernelBound",
    "NetInputBinning",
    "OnTrainingRows",
    "Quantised",
    "RangeBinning",
    "SamplePropagation",
    "TwiceNoisedKernelBound",
    "checked_layer",
    "from_name",
    "information_of_codes",
    "singles",
    "sweeps",
]

_NAMES = {
    one.__name__: one
    for one in (
        AdaptiveBinning, Binning, EdgeBinning, Exact, KernelBound, LabelBound,
        LinearGaussian, MirroredKernelBound, NetInputBinning, OnTrainingRows, Quantised,
        RangeBinning, SamplePropagation, TwiceNoisedKernelBound,
    )
}  # fmt: skip


def from_name(name: str):
    """The estimator that a result names, such as ``"Binning(width=0.07)"``."""
    try:
        return eval(name, {"__builtins__": {}}, _NAMES)
    except (NameError, SyntaxError, TypeError) as error:
        raise ValueError(
            f"{name!r} names no estimator ({error}); there are {', '.join(_NAMES)}."
        ) from error


def singles(estimators: Iterable) -> list:
    """Estimators of several noise levels spelt out, one for each level."""
    return [
        one
        for estimator in estimators
        for one in (estimator.each() if isinstance(estimator, KernelBound) else (estimator,))
    ]


def sweeps(estimators: Sequence) -> list[tuple[object, list[int]]]:
    """Single estimators put together where one pass serves several.

    Returns
    -------
    list of (estimator, places)
        Called, the estimator gives one result, or a list of them, for these places in the input.
    """
    groups: dict = {}
    for place, one in enumerate(estimators):
        key = (type(one), one.bound, one.scale) if isinstance(one, KernelBound) else place
        groups.setdefault(key, []).append(place)
    return [
        (
            estimators[places[0]]
            if len(places) == 1
            else replace(
                estimators[places[0]],
                noise_variance=tuple(estimators[place].noise_variance for place in places),
            ),
            places,
        )
        for places in groups.values()
    ]
