"""Bins of each unit's own: equal numbers of samples, or equal widths of its own range.

Fixed bins ask in which units a layer is written; these do not. A unit is divided by its own order,
or by its own smallest and largest value, so that a unit that moves little is told apart as finely
as one that moves much. What is not seen then is how much a unit moves at all.
"""

from dataclasses import dataclass

import numpy as np

from ibcore.estimators.base import whole_number
from ibcore.estimators.binning import MOST_EDGES
from ibcore.estimators.counting import CountingRuler


@dataclass(frozen=True)
class QuantileBinning(CountingRuler):
    """Equal-sample bins: each unit's bins hold equally many samples.

    With c the number of samples whose unit is at most t, of N,

        code = ⌊(c K - 1) / N⌋,    K = n_bins,

    the number of edges s[⌊j N / K⌋], j = 1 … K - 1, at or below t, s the sorted values of the unit.
    Equal values share a bin, so that a unit with ties has fuller bins and fewer of them. Any
    increasing function of a unit leaves the result as it is. A single unit without ties has
    log2 K bits whatever it does: joint symbols of several units, and I(T;Y), are what this ruler is
    for.

    Parameters
    ----------
    n_bins : int

    References
    ----------
    Paninski (2003), *Estimation of entropy and mutual information*, on adaptive partitions; the
    marginal equiquantisation of Fraser & Swinney (1986).

    Examples
    --------
    >>> t, y = [[0.1], [0.2], [0.3], [50.0]], [0, 0, 1, 1]
    >>> QuantileBinning(n_bins=2)(t, y)
    LayerInformation(i_xt=1.0, i_ty=1.0)
    """

    n_bins: int = 4

    measures = "I(X; bin(T)), bins of equal samples"

    def __post_init__(self) -> None:
        """Make the type plain and refuse nonsense."""
        n_bins = whole_number("n_bins", self.n_bins, least=1, most=MOST_EDGES)
        object.__setattr__(self, "n_bins", n_bins)

    def codes(self, t: np.ndarray) -> np.ndarray:
        """Bin of each entry of t (sample, unit), 0 … n_bins - 1."""
        below = np.stack(
            [np.searchsorted(np.sort(unit), unit, side="right") for unit in np.transpose(t)],
            axis=1,
        )
        return (below * self.n_bins - 1) // len(t)


@dataclass(frozen=True)
class UnitRangeBinning(CountingRuler):
    """Equal bins between the smallest and the largest value of each unit by itself.

        code = ⌊K (t - min) / (max - min)⌋,    K = n_bins,

    the largest value in the last bin. Stretching or shifting a unit leaves the result as it is; a
    unit that never moves has one bin. One value far out leaves all others of its unit in few bins.

    Parameters
    ----------
    n_bins : int

    Examples
    --------
    Two units of very different size are divided alike:

    >>> t, y = [[0.0, 0.0], [0.1, 100.0], [0.9, 900.0], [1.0, 1000.0]], [0, 0, 1, 1]
    >>> UnitRangeBinning(n_bins=2)(t, y)
    LayerInformation(i_xt=1.0, i_ty=1.0)
    """

    n_bins: int = 30

    measures = "I(X; bin(T)), bins of each unit"

    def __post_init__(self) -> None:
        """Make the type plain and refuse nonsense."""
        n_bins = whole_number("n_bins", self.n_bins, least=1, most=MOST_EDGES)
        object.__setattr__(self, "n_bins", n_bins)

    def codes(self, t: np.ndarray) -> np.ndarray:
        """Bin of each entry of t (sample, unit), 0 … n_bins - 1."""
        # Halves, so that the width of a range from -1e308 to 1e308 is finite.
        half = np.asarray(t, np.float64) / 2
        low, high = half.min(axis=0), half.max(axis=0)
        span = np.where(high > low, high - low, 1.0)
        places = np.floor((half - low) / span * self.n_bins).astype(np.int64)
        return np.minimum(places, self.n_bins - 1)
