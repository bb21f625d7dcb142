"""Bins that follow the network: equal numbers of levels, the range of a run, the net input."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ibcore.estimators.base import (
    LayerInformation,
    Ruler,
    Run,
    View,
    positive_number,
    truth_value,
    whole_number,
)
from ibcore.estimators.binning import MOST_EDGES, Binning
from ibcore.estimators.counting import LARGEST_CODE, CountingRuler, information_of_codes
from ibcore.estimators.inputs import LARGEST_FLOAT32, real_array
from ibcore.kinds import shown


@dataclass(frozen=True, repr=False)
class AdaptiveBinning(CountingRuler):
    """Entropy-based adaptive binning (EBAB): each bin holds as many distinct levels of the layer.

    With u the n distinct float32 levels of the whole layer, all units together, in order,

        edges e_j = u[floor(j n / n_bins)], j = 1 … n_bins - 1,    code = number of edges <= t;

    with fewer levels than bins each level is a bin. Any increasing function applied to the whole
    layer leaves the result as it is. It is levels that are shared out evenly, not samples: if 60 %
    of a ReLU layer is zero, one bin holds 60 % of it.

    Parameters
    ----------
    n_bins : int
    released : bool
        As in the released code: the edges are low, u[0], u[n/n_bins], …, u[n-1] over the levels
        above ``low``, which is 0 for a layer without negative values and -1.000001 otherwise.
        Exact zeros of ReLU and the single largest level are then bins of their own.

    References
    ----------
    Chelombiev, Houghton & O'Donnell (2019), *Adaptive estimators show information compression in
    deep neural networks*, section 3.1.

    Examples
    --------
    >>> t, y = [[0.1], [0.2], [0.3], [50.0]], [0, 0, 1, 1]
    >>> AdaptiveBinning(n_bins=2)(t, y)
    LayerInformation(i_xt=1.0, i_ty=1.0)
    """

    n_bins: int = 30
    released: bool = False

    measures = "I(X; bin(T))"
    precision = np.float32

    def __post_init__(self) -> None:
        """Make the types plain and refuse nonsense."""
        n_bins = whole_number("n_bins", self.n_bins, least=1, most=MOST_EDGES)
        object.__setattr__(self, "n_bins", n_bins)
        truth_value("released", self.released)

    def __repr__(self) -> str:
        """Name in every result."""
        released = ", released=True" if self.released else ""
        return f"{type(self).__name__}(n_bins={self.n_bins}{released})"

    def edges(self, t: np.ndarray) -> np.ndarray:
        """Edges for a layer t (sample, unit), increasing."""
        levels = np.unique(np.asarray(t, np.float32) + np.float32(0))
        places = np.arange(1, self.n_bins)
        if not self.released:
            if len(levels) < self.n_bins:
                return levels[1:]
            return levels[places * len(levels) // self.n_bins]
        low = np.float32(0 if levels[0] >= 0 else -1.000001)
        above = levels[levels > low]
        if len(above) == 0:
            return np.array([low])
        inner = above[np.append(0, places) * len(above) // self.n_bins]
        return np.concatenate([[low], inner, above[-1:]])

    def codes(self, t: np.ndarray) -> np.ndarray:
        """Bin of each entry of t (sample, unit)."""
        t = np.asarray(t, np.float32) + np.float32(0)
        return np.searchsorted(self.edges(t), t, side="right")


@dataclass(frozen=True)
class RangeBinning(Ruler):
    """Equal bins between the smallest and the largest activation of a whole training run.

    The range is taken over all hidden layers and all measured epochs of one network, as Saxe et
    al. (2018) do for ReLU. It looks ahead: the bins at epoch 0 depend on the end of the run.
    ``prepare`` finds the range; ``ibcore.run`` calls it.

    Parameters
    ----------
    n_bins : int
    """

    n_bins: int = 100

    measures = "I(X; bin(T))"
    needs_run = True

    def __post_init__(self) -> None:
        """Make the type plain and refuse nonsense."""
        n_bins = whole_number("n_bins", self.n_bins, least=1, most=LARGEST_CODE)
        object.__setattr__(self, "n_bins", n_bins)

    def prepare(self, run: Run) -> Binning:
        """The bins of one run; ``run`` holds one network."""
        if len(run.seeds) != 1:
            raise ValueError(
                f"the range belongs to one network, but the trajectory has "
                f"{len(run.seeds)}; prepare with trajectory.only((seed,))."
            )
        low, high = np.inf, -np.inf
        for k in np.flatnonzero(~run.diverged()[:, 0]):
            for t in run.activations(int(k))[:-1]:
                low, high = min(low, float(t.min())), max(high, float(t.max()))
        if not low < high:
            raise ValueError("the hidden layers of this network never vary: no range to divide.")
        return Binning(n_bins=self.n_bins, low=low, high=high)

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """An error: the range is not known yet."""
        raise ValueError(
            "RangeBinning needs the range of a whole run: call prepare(trajectory) first, or give "
            "the range yourself with Binning(n_bins, low, high)."
        )


@dataclass(frozen=True)
class NetInputBinning(CountingRuler):
    """Equal bins of the net input z of tanh units, seen through t = tanh(z).

    In float32 tanh is 1 from |z| = 9.01 on, so that all bins farther out are one.

    Parameters
    ----------
    n_edges : int
        Edges, evenly spaced on [-limit, limit].
    limit : float
        Of the net input.
    collapsed : bool
        As in Saxe et al. (2018): compare t with float32 tanh of the edges. Of 30 edges on
        [-50, 50] eight are distinct.

    Examples
    --------
    >>> NetInputBinning(n_edges=30, collapsed=True).edges().size
    8
    """

    n_edges: int = 30
    limit: float = 50.0
    collapsed: bool = False

    measures = "I(X; bin(net input))"
    limits = (-1.0, 1.0)

    def __post_init__(self) -> None:
        """Make the types plain and refuse nonsense."""
        n_edges = whole_number("n_edges", self.n_edges, least=2, most=MOST_EDGES)
        limit = positive_number("limit", self.limit)
        if limit > LARGEST_FLOAT32:
            raise ValueError(f"limit must be finite in float32, got {limit}.")
        object.__setattr__(self, "n_edges", n_edges)
        object.__setattr__(self, "limit", limit)
        truth_value("collapsed", self.collapsed)

    def edges(self) -> np.ndarray:
        """Distinct edges: of t if collapsed, else of z."""
        z = np.linspace(-self.limit, self.limit, self.n_edges)
        return np.unique(np.tanh(z.astype(np.float32))) if self.collapsed else z

    def codes(self, t: np.ndarray) -> np.ndarray:
        """Number of edges at or below each entry of t (sample, unit)."""
        if not self.collapsed:
            with np.errstate(divide="ignore"):
                t = np.arctanh(np.asarray(t, np.float64))
        return np.searchsorted(self.edges(), t, side="right")


@dataclass(frozen=True)
class Quantised(Ruler):
    """A network whose layers are rounded to 2**n_bits levels; its information is exact.

    Every layer is rounded to equal steps between its smallest and largest value over the measured
    inputs, and the next layer sees the rounded values. The chain X → T1 → T2 … is then one of
    discrete variables without any ruler, and the data processing inequality holds exactly. Lorenzen
    et al. (2022) round during training, this does afterwards.

    Parameters
    ----------
    n_bits : int
        Bits per unit; 1 gives a binary network.
    """

    n_bits: int = 8

    measures = "I(X; T) of the quantised network"
    needs_run = True

    def __post_init__(self) -> None:
        """Make the type plain and refuse nonsense."""
        object.__setattr__(self, "n_bits", whole_number("n_bits", self.n_bits, least=1))
        if self.n_bits > 24:
            raise ValueError(f"float32 has 24 bits, got n_bits={shown(self.n_bits)}; use Exact().")

    def layers(self, view: View) -> list[np.ndarray]:
        """Integer levels of every layer of a network on its inputs, the output too."""
        network = view.network
        found, t = [], np.asarray(view.x, np.float64)[None]
        n_layers = len(network.weights)
        for layer in range(n_layers):
            z = t @ network.weights[layer].astype(np.float64)
            z += network.biases[layer][:, None].astype(np.float64)
            t = network.activate(layer, z) if layer < n_layers - 1 else network.finish(z)
            codes, t = self.rounded(t)
            found.append(codes[0])
        return found

    def rounded(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Levels 0 … 2**n_bits - 1, and their values."""
        low, high = t.min(), t.max()
        if low == high:
            return np.zeros(t.shape, np.int64), t
        step = (high - low) / (2**self.n_bits - 1)
        codes = np.rint((t - low) / step).astype(np.int64)
        return codes, low + codes * step

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """Bits; t (sample, unit) holds the integer levels that ``layers`` gives."""
        t = real_array("t", t)
        if t.ndim != 2 or t.dtype.kind not in "iu":
            raise ValueError(
                f"t must be (sample, unit) integers from Quantised.layers, got {t.dtype} of shape "
                f"{t.shape}; for the values of another network use Exact()."
            )
        return information_of_codes(t, y)
