"""Dropout as the noise of a ruler: T ⊙ M, with a factor of its own for every unit and every pass.

Noise that is added needs a size, in the units of the layer. Noise that multiplies does not: a layer
that is scaled keeps its information, and the noise is that of a network trained with dropout
(Adilova, Geiger & Fischer 2023). With factors M ∈ {0, 1/(1-p)} a single unit that survives still
names the input, if all its values differ; with Gaussian factors information is finite.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibcore.estimators.base import LayerInformation, Ruler, choice, positive_number, whole_number
from ibcore.estimators.binning import Binning, EdgeBinning, Exact
from ibcore.estimators.counting import CountingRuler, dense, information_of_codes
from ibcore.estimators.inputs import checked_layer
from ibcore.information import binary_entropy
from ibcore.labels import label_distribution
from ibcore.randomness import generator

MOST_ROWS = 2**22  # masked rows that are counted at once
_PAIRS_AT_ONCE = 2**21
_FIXED = (Binning, EdgeBinning, Exact)
BOUNDS = ("upper", "lower")


@dataclass(frozen=True)
class BernoulliDropout(Ruler):
    """I(X; T') and I(T'; Y) of a layer with dropout, T' = T ⊙ M / (1 - p), counted by a ruler.

    Each unit is 0 with probability p. Given x, the symbol of T' has one bit of noise h₂(p) for each
    unit that the ruler can tell from 0,

        I(X; T') = H(T') - h₂(p) ⟨number of such units⟩,

    and H(T') is a sum over all 2^d masks: exact. For wide layers give ``n_masks``: the mask is then
    taken as known, which tells no less,

        I(X; T') <= I(X; T' | M) = ⟨H(T | units that survive)⟩,

    the mean over drawn masks, with equality where no unit is ever 0.

    Parameters
    ----------
    rate : float
        p, between 0 and 1, both excluded.
    ruler : Binning, EdgeBinning or Exact
        Which values of T' count as different.
    n_masks : int, optional
        Masks to draw, instead of all.
    seed : int
        Of the masks that are drawn.

    Raises
    ------
    ValueError
        If there are too many masks to count them all.

    References
    ----------
    Srivastava et al. (2014), *Dropout*, section 4; Adilova, Geiger & Fischer (2023), *Information
    plane analysis for dropout neural networks*.

    Examples
    --------
    A bit that is erased half the time, the erasure channel: 1 - p.

    >>> BernoulliDropout(rate=0.5)([[-1.0], [1.0]], [0, 1])
    LayerInformation(i_xt=0.5, i_ty=0.5)
    """

    rate: float = 0.5
    ruler: CountingRuler = field(default_factory=Exact)
    n_masks: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        """Make the types plain and refuse nonsense."""
        rate = positive_number("rate", self.rate, " and below 1")
        if not rate < 1:
            raise ValueError(f"rate must be positive and below 1, got {rate}.")
        if type(self.ruler) not in _FIXED:
            raise ValueError(
                f"ruler must be Binning, EdgeBinning or Exact, whose bins stand still when units "
                f"are dropped; got {self.ruler!r}."
            )
        object.__setattr__(self, "rate", rate)
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0, 2**63))
        if self.n_masks is not None:
            object.__setattr__(self, "n_masks", whole_number("n_masks", self.n_masks, 1, 10**6))

    @property
    def measures(self) -> str:
        """Label of an axis."""
        return f"{'upper bound on ' if self.n_masks else ''}I(X; dropout(T))"

    def parts(self) -> tuple[Ruler, ...]:
        """Itself and the ruler that counts."""
        return (self, *self.ruler.parts())

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """Bits, of t (sample, unit) and y (sample,)."""
        layer = checked_layer(t, dtype=self.ruler.precision)
        codes, dropped = self._codes(layer)
        if self.n_masks is None:
            return self._every_mask(codes, dropped, y)
        return self._drawn_masks(codes, dropped, y)

    def _codes(self, t: np.ndarray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Codes of the units that survive, (sample, unit), and the code of 0."""
        with np.errstate(over="ignore"):
            kept = checked_layer(t / t.dtype.type(1 - self.rate))
        zero = np.zeros((1, t.shape[1]), t.dtype)
        codes = self.ruler.codes(np.concatenate([kept, zero])).astype(np.int64)
        return codes[:-1], codes[-1]

    def _every_mask(
        self, codes: NDArray[np.int64], dropped: NDArray[np.int64], y: ArrayLike
    ) -> LayerInformation:
        n, d = codes.shape
        if n * 2.0**d > MOST_ROWS:
            raise ValueError(
                f"{d} units have 2**{d} masks, too many to count with {n} samples; give "
                "n_masks=100 for an upper bound from drawn masks."
            )
        symbols, weight = np.zeros(n, np.int64), np.ones(n) / n
        p_y = label_distribution(y)
        if len(p_y) != n:
            raise ValueError(f"need one label for each of the {n} samples, got {len(p_y)}.")
        for unit in range(d):
            # Twice the rows: first those that lose the unit, then those that keep it.
            own = dense(np.append(codes[:, unit], dropped[unit]))[0]
            repeats = len(symbols) // n
            two = np.concatenate([np.full(len(symbols), own[-1]), np.tile(own[:-1], repeats)])
            symbols = dense(np.tile(symbols, 2) * (n + 1) + two)[0]
            weight = np.concatenate([weight * self.rate, weight * (1 - self.rate)])
        of_y = np.tile(p_y, (len(symbols) // n, 1))
        joint = np.stack([np.bincount(symbols, weight * one) for one in of_y.T])
        h_t, h_ty, h_y = (_entropy(p) for p in (joint.sum(axis=0), joint, joint.sum(axis=1)))
        given_x = (codes != dropped).sum(axis=1)
        noise = float(binary_entropy(self.rate)) * given_x.mean()
        return LayerInformation(float(h_t - noise), float(h_t + h_y - h_ty))

    def _drawn_masks(
        self, codes: NDArray[np.int64], dropped: NDArray[np.int64], y: ArrayLike
    ) -> LayerInformation:
        rng = generator(self.seed, "dropout")
        found = [
            information_of_codes(
                np.where(rng.random(codes.shape[1]) < self.rate, dropped, codes), y
            )
            for _ in range(self.n_masks or 0)
        ]
        return LayerInformation(*map(float, np.mean(found, axis=0)))


def _entropy(p: NDArray[Any]) -> float:
    """H in bits; p need not be a table of one shape, and 0 log 0 = 0."""
    return float(-np.sum(p * np.log2(np.where(p > 0, p, 1.0))))


@dataclass(frozen=True)
class GaussianDropout(Ruler):
    """Bound on I(X; T') of a layer whose units are multiplied by Gaussian noise.

    T' = T ⊙ (1 + √α ε), ε ~ N(0, 1) for each unit and pass: given x each unit is N(t, α t²), and a
    unit at 0 stays there. A mixture over N inputs has the bounds of Kolchinsky & Tracey,

        I(X; T') <= -1/N Σ_i log2 [1/N Σ_j exp(-D(i‖j))],

    with D the Kullback-Leibler divergence, a sum over units of

        -ln|r| + (r² + (r - 1)²/α - 1) / 2,    r = a/b,    a = t_i, b = t_j,

    for the upper bound, and the Bhattacharyya distance,

        (a - b)² / 4α(a² + b²) + ½ ln[(a² + b²) / 2|ab|],

    for the lower one; a unit that is 0 for one input only tells the two apart for certain. For
    I(T';Y) it is the difference of two such bounds, as in ``KernelBound``, which is no bound.
    Stretching a unit changes nothing.

    Parameters
    ----------
    noise_variance : float
        α, of the factors; p/(1-p) for dropout with rate p.
    bound : str
        ``"upper"`` or ``"lower"``.

    References
    ----------
    Kolchinsky & Tracey (2017), *Estimating mixture entropy with pairwise distances*, eqs. 10, 13;
    Srivastava et al. (2014), *Dropout*, section 10.

    Examples
    --------
    Values of opposite sign, one standard deviation of the noise from 0, are told apart in part:

    >>> t, y = [[-1.0], [1.0]], [0, 1]
    >>> [round(GaussianDropout(1.0, bound)(t, y).i_xt, 4) for bound in ("lower", "upper")]
    [0.3161, 0.8169]
    """

    noise_variance: float = 1.0
    bound: str = "upper"

    def __post_init__(self) -> None:
        """Make the types plain and refuse nonsense."""
        variance = positive_number("noise_variance", self.noise_variance)
        object.__setattr__(self, "noise_variance", variance)
        object.__setattr__(self, "bound", choice("bound", self.bound, BOUNDS))

    @property
    def measures(self) -> str:
        """Label of an axis."""
        return f"{self.bound} bound on I(X; T·noise)"

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """Bits, of t (sample, unit) and y (sample,)."""
        layer = checked_layer(t).astype(np.float64)
        p_y = label_distribution(y)
        n = len(layer)
        if len(p_y) != n:
            raise ValueError(f"need one label for each of the {n} samples, got {len(p_y)}.")
        # One size for all: squares of a unit then neither overflow nor vanish.
        largest = np.abs(layer).max(axis=0)
        layer = layer / np.where(largest > 0, largest, 1.0)
        total_y = p_y.sum(axis=0)
        i_xt = i_ty = 0.0
        for rows in np.array_split(np.arange(n), -(-n * n // _PAIRS_AT_ONCE)):
            near = np.exp(-self.distances(layer[rows], layer))
            mixture = np.log2(near.mean(axis=1))
            own = p_y[rows]
            share = np.where(own > 0, near @ p_y / total_y, 1.0)
            i_xt -= mixture.sum()
            i_ty += np.sum(own * np.log2(share)) - mixture.sum()
        return LayerInformation(float(i_xt / n), float(i_ty / n))

    def distances(self, a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        """(row of a, row of b): D of the class, in nats, summed over units."""
        of = _divergences if self.bound == "upper" else _overlaps
        with np.errstate(over="ignore", invalid="ignore"):  # too far apart to be near at all
            found = of(a, b, self.noise_variance)
        active_a, active_b = (a != 0).astype(float), (b != 0).astype(float)
        differ = active_a @ (1 - active_b).T + (1 - active_a) @ active_b.T
        return np.where((differ > 0) | np.isnan(found), np.inf, found)


def _divergences(
    a: NDArray[np.float64], b: NDArray[np.float64], alpha: float
) -> NDArray[np.float64]:
    """Kullback-Leibler, for rows with zeros in the same places; sums over units as products.

    Σ [-ln|a| + ln|b| + ½ (1 + 1/α) a²/b² - a/(αb) + ½ (1/α - 1)]
    """
    inverse = np.divide(1.0, b, out=np.zeros_like(b), where=b != 0)
    active = (b != 0).sum(axis=1)
    found = (1 + 1 / alpha) / 2 * (a**2 @ (inverse**2).T) - a @ inverse.T / alpha
    logs = (np.log(np.abs(np.where(one != 0, one, 1.0))).sum(axis=1) for one in (a, b))
    of_a, of_b = logs
    found += (1 / alpha - 1) / 2 * active + of_b - of_a[:, None]
    return np.maximum(found, 0)  # of equal rows rounding leaves 1e-15


def _overlaps(a: NDArray[np.float64], b: NDArray[np.float64], alpha: float) -> NDArray[np.float64]:
    """Bhattacharyya, for rows with zeros in the same places, unit by unit."""
    found = np.zeros((len(a), len(b)))
    for of_a, of_b in zip(a.T, b.T, strict=True):
        first, second = of_a[:, None], of_b[None]
        squares = first**2 + second**2
        both = np.abs(first * second)
        one = (first - second) ** 2 / (4 * alpha * np.where(squares > 0, squares, 1.0))
        found += one + np.log(np.where(both > 0, squares / 2 / np.where(both > 0, both, 1), 1)) / 2
    return found
