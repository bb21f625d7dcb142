"""What a layer says about its input and about the labels, in bits.

An estimator is a frozen dataclass. Its fields are its settings, its ``repr`` is its name in every
result, its ``measures`` the label of an axis. Called with a layer ``t`` (sample, unit) and labels
``y`` it gives ``LayerInformation(i_xt, i_ty)``; ``prepare(trajectory)`` fixes beforehand what
depends on the whole training run and returns an estimator.
"""

from ibcore.estimators.binning import Binning, EdgeBinning, Exact
from ibcore.estimators.counting import LayerInformation, checked_layer, information_of_codes

__all__ = [
    "Binning",
    "EdgeBinning",
    "Exact",
    "LayerInformation",
    "checked_layer",
    "information_of_codes",
]
