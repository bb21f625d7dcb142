"""Fixed bins, and equality of float32 rows: a row of a layer becomes one symbol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibcore.estimators.base import LayerInformation, positive_number, real_number, whole_number
from ibcore.estimators.counting import (
    LARGEST_CODE,
    CountingRuler,
    dense,
    information_of_symbols,
)
from ibcore.estimators.inputs import LARGEST_FLOAT32, checked_layer
from ibcore.kinds import shown

MOST_EDGES = 10_000_000  # 80 MB of them
# Of a range, so that its product with the largest code is finite; of an interval, so that its
# inverse is.
_WIDEST, _NARROWEST = 1e290, 1e-300


@dataclass(frozen=True, repr=False)
class Binning(CountingRuler):
    """Joint symbol of fixed bins, the same for every unit.

    Either ``n_bins`` equal intervals on [low, high], with the edges

        e_k = low + k (high − low) / n_bins  in float64,  e_k <= t < e_{k+1} for code k,

    where ``high`` itself belongs to the last interval; or intervals of one ``width`` from 0,
    code = floor(t / width) in float32. Neither clips: the grid goes on outside, so that two
    different values far out remain different.

    Parameters
    ----------
    n_bins : int, optional
        Number of intervals on [low, high]; 30 if nothing is given at all. An even number has an
        edge at the middle, which splits a unit that hardly moves about 0.
    low, high : float, optional
        The range, in units of the activation; −1 and 1 (tanh) if only ``n_bins`` is given.
    width : float, optional
        Width of an interval, in units of the activation, rounded to float32.

    Examples
    --------
    Two units that take four values together tell two bits about x and, here, one about y:

    >>> t = [[-0.9, 0.1], [-0.9, 0.9], [0.5, 0.1], [0.5, 0.9]]
    >>> Binning(n_bins=30, low=-1, high=1)(t, [0, 0, 1, 1])
    LayerInformation(i_xt=2.0, i_ty=1.0)
    >>> Binning(width=0.07)
    Binning(width=0.07)
    """

    n_bins: int | None = None
    low: float | None = None
    high: float | None = None
    width: float | None = None

    measures = "I(X; bin(T))"

    def __post_init__(self) -> None:
        """Fill in the defaults, make the types plain and refuse nonsense."""
        settings = self._checked_range() if self.width is None else self._checked_width()
        for name, value in settings.items():
            object.__setattr__(self, name, value)

    def _checked_width(self) -> dict[str, Any]:
        others = {"n_bins": self.n_bins, "low": self.low, "high": self.high}
        if any(value is not None for value in others.values()):
            given = ", ".join(f"{name}={shown(value)}" for name, value in others.items())
            raise ValueError(
                "Binning takes either n_bins with low and high, or width alone; got width="
                f"{shown(self.width)} together with {given}. Drop one of the two."
            )
        width = positive_number("width", self.width)
        if width > LARGEST_FLOAT32:
            raise ValueError(f"width must be finite in float32, got {width}.")
        if np.float32(width) == 0:
            raise ValueError(f"width must be positive in float32, got {width}, which rounds to 0.")
        return {"width": width}

    def _checked_range(self) -> dict[str, Any]:
        n_bins, low, high = self.n_bins, self.low, self.high
        if n_bins is None and low is None and high is None:
            n_bins = 30
        if n_bins is None:
            raise ValueError(
                f"a range needs n_bins, got low={shown(low)}, high={shown(high)} without it."
            )
        if (low is None) != (high is None):
            raise ValueError(
                f"give both ends of the range, got low={shown(low)}, high={shown(high)}."
            )
        n_bins = whole_number("n_bins", n_bins, least=1, most=LARGEST_CODE)
        low, high = (
            (-1.0, 1.0) if low is None else (real_number("low", low), real_number("high", high))
        )
        self._check_resolution(n_bins, low, high)
        return {"n_bins": n_bins, "low": low, "high": high}

    def _check_resolution(self, n_bins: int, low: float, high: float) -> None:
        if not low < high:
            raise ValueError(f"need finite low < high, got low={low}, high={high}.")
        if not high - low <= _WIDEST:
            raise ValueError(
                f"the range from low={low} to high={high} must be no wider than {_WIDEST:g}."
            )
        # On both ends one interval must be wider than the spacing of float64.
        step = (high - low) / n_bins
        if low + step == low or high - step == high or step < _NARROWEST:
            raise ValueError(
                f"{n_bins} intervals between {low} and {high} are narrower than float64 resolves; "
                "use fewer bins."
            )

    def __repr__(self) -> str:
        """Name in every result."""
        if self.width is not None:
            return f"{type(self).__name__}(width={self.width})"
        return f"{type(self).__name__}(n_bins={self.n_bins}, low={self.low}, high={self.high})"

    def codes(self, t: np.ndarray) -> np.ndarray:
        """Interval of each entry of t (sample, unit), counted from low or from 0."""
        if self.n_bins is None or self.low is None or self.high is None:  # a width is given
            with np.errstate(over="ignore"):
                codes = np.floor(t.astype(np.float32, copy=False) / np.float32(self.width))
            inside = np.abs(codes).max() <= LARGEST_CODE
            codes = codes.astype(np.int64) if inside else None
        else:
            codes = np.empty(t.shape, dtype=np.int64)
            inside = _interval_codes(t, self.low, self.high, self.n_bins, codes)
        if not inside:
            raise ValueError(
                f"the largest activation is {np.abs(t).max():.3g}, more than 2**50 intervals of "
                f"{self!r} away; use wider bins or look for a network that diverged."
            )
        return codes


@dataclass(frozen=True)
class EdgeBinning(CountingRuler):
    """Bins of the code released with the first information-plane paper.

    ``np.digitize(t, np.linspace(-1, 1, n_edges).astype(np.float32)) - 1`` used as an index:
    n_edges − 1 intervals and one more symbol for t = +1 exactly. Values above 1 share that last
    symbol. Values below −1 get the index −1, which in Python is the last symbol too. Kept as it
    was, the rounding of the edges to float32 included, for comparison; ``Binning`` does neither.

    Parameters
    ----------
    n_edges : int
        Number of edges; the released code has 30, hence 29 intervals of width 2/29.

    Examples
    --------
    Below −1 and above +1 are one symbol:

    >>> EdgeBinning(n_edges=30)([[-1.5], [5.0], [0.0], [0.01]], [0, 0, 1, 1])
    LayerInformation(i_xt=1.0, i_ty=1.0)
    """

    n_edges: int = 30

    measures = "I(X; bin(T))"

    def __post_init__(self) -> None:
        """Make the type plain and refuse nonsense."""
        n_edges = whole_number("n_edges", self.n_edges, least=2, most=MOST_EDGES)
        object.__setattr__(self, "n_edges", n_edges)

    def codes(self, t: np.ndarray) -> np.ndarray:
        """Index of the bin of each entry of t (sample, unit), 0 … n_edges − 1."""
        codes = np.empty(t.shape, dtype=np.int64)
        _edge_codes(t, self.edges(), codes)
        return codes

    def edges(self) -> NDArray[np.float64]:
        """The edges, float32 numbers."""
        return np.linspace(-1, 1, self.n_edges).astype(np.float32).astype(np.float64)


@dataclass(frozen=True)
class Exact(CountingRuler):
    """No ruler but float32 itself: two rows are one symbol if they are equal in every unit.

    −0.0 equals 0.0. This is the limit of ever finer bins.

    Examples
    --------
    >>> Exact()([[0.0, 1.0], [-0.0, 1.0], [0.5, 1.0], [0.25, 1.0]], [0, 0, 1, 1])
    LayerInformation(i_xt=1.5, i_ty=1.0)
    """

    measures = "I(X; T) of float32 rows"
    precision = np.float32

    def codes(self, t: np.ndarray) -> np.ndarray:
        """The bits of each entry of t (sample, unit) as float32, read as an integer."""
        # Adding +0.0 turns -0.0 into 0.0: equal numbers then have equal bits.
        return (np.asarray(t, np.float32) + np.float32(0)).view(np.int32)

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """I(X;T) and I(T;Y) in bits, of t (sample, unit) as float32 and y (sample,)."""
        codes = self.codes(checked_layer(t, dtype=np.float32))
        symbols, n_symbols = np.zeros(len(codes), dtype=np.uint64), 1
        for column in codes.view(np.uint32).T:
            # The number of a row among the first units, above the bits of the next unit.
            symbols, n_symbols = dense(symbols << np.uint64(32) | column)
            if n_symbols == len(codes):
                break
        return information_of_symbols(symbols.astype(np.int64), n_symbols, y)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _interval_codes(
    t: np.ndarray, low: float, high: float, n_bins: int, codes: NDArray[np.int64]
) -> bool:
    """Fill codes (sample, unit) with the interval of each entry; False if one is too far."""
    span = high - low
    scale = n_bins / span
    shift = abs(low) * scale + 1
    for i in range(t.shape[0]):
        for j in range(t.shape[1]):
            value = np.float64(t[i, j])
            place = (value - low) * scale
            if not abs(place) < LARGEST_CODE:
                return False
            code = int(np.floor(place))
            # Within the rounding of `place` the edges themselves decide.
            margin = 1e-15 * (abs(place) + shift)
            if place - code <= margin or code + 1 - place <= margin:
                while value < low + code * span / n_bins:
                    code -= 1
                while value >= low + (code + 1) * span / n_bins:
                    code += 1
                # The edge number n_bins is `high`, as given, and closed.
                code = min(code, n_bins - 1) if value <= high else max(code, n_bins)
            codes[i, j] = code
    return True


@numba.njit(cache=True, nogil=True)
def _edge_codes(t: np.ndarray, edges: NDArray[np.float64], codes: NDArray[np.int64]) -> None:
    """Fill codes with np.digitize(t, edges) − 1, −1 wrapped to the last; intervals about equal."""
    last = len(edges) - 1
    scale = last / (edges[last] - edges[0])
    for i in range(t.shape[0]):
        for j in range(t.shape[1]):
            value = np.float64(t[i, j])
            if value >= edges[last] or value < edges[0]:
                codes[i, j] = last
                continue
            code = min(int((value - edges[0]) * scale), last - 1)
            while value < edges[code]:
                code -= 1
            while value >= edges[code + 1]:
                code += 1
            codes[i, j] = code
