"""What a ruler cannot pass, whatever the layer: log2 N, its own bits, H(Y)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ibcore.estimators import (
    AdaptiveBinning,
    Binning,
    EdgeBinning,
    Exact,
    InfoNCE,
    NetInputBinning,
    QuantileBinning,
    Ruler,
    UnitRangeBinning,
)
from ibcore.information import entropy
from ibcore.labels import label_distribution


class Ceiling(NamedTuple):
    """The least of what bounds a number from above, in bits, and its name."""

    bits: float
    name: str


def ruler_bits(ruler: Ruler, t: np.ndarray) -> float:
    """Most bits that the symbols of a ruler hold for t (sample, unit): d log2 (bins); ∞ for others.

    Examples
    --------
    >>> ruler_bits(Binning(n_bins=32, low=-1, high=1), np.zeros((9, 3)))
    15.0
    """
    d = t.shape[1]
    if isinstance(ruler, Binning) and ruler.n_bins and ruler.low is not None:
        inside = ruler.low <= t.min() and t.max() <= (ruler.high or 0.0)
        return d * float(np.log2(ruler.n_bins)) if inside else np.inf
    if isinstance(ruler, AdaptiveBinning):
        return d * float(np.log2(ruler.n_bins + 2 * ruler.released))
    if isinstance(ruler, QuantileBinning | UnitRangeBinning):
        return d * float(np.log2(ruler.n_bins))
    if isinstance(ruler, EdgeBinning):
        return d * float(np.log2(ruler.n_edges))
    if isinstance(ruler, NetInputBinning):
        return d * float(np.log2(len(ruler.edges()) + 1))
    if isinstance(ruler, Exact):
        return 32.0 * d
    return ruler.most_bits(len(t)) if isinstance(ruler, InfoNCE) else np.inf


def label_entropy(y: ArrayLike) -> float:
    """H(Y) in bits, of labels of any kind."""
    return entropy(label_distribution(y).mean(axis=0))


def lowest(**bits: float) -> Ceiling:
    """The least of several ceilings; names are given with _ for a blank."""
    name = min(bits, key=bits.__getitem__)
    return Ceiling(bits[name], name.replace("_", " "))
