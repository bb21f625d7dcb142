"""Effects with their 95 % intervals: one method for the interval, for p and for every line.

    median, mean, function of networks    percentile bootstrap over the networks that answered
    share of networks                     Wilson (score) interval
    correlation over points               Fisher's z

An interval of another level is asked for where the best of many cells is looked for. p is one-sided
and comes from the same distribution as the interval, so that p < 0.025 where and only where the
95 % interval excludes the line.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

RESAMPLES = 10_000
LEVEL = 0.95

Array = NDArray[np.float64]
Statistic = Callable[[Array], Array]
"""(resample, network, ...) array -> (resample,) array."""


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A number with its uncertainty over networks.

    Attributes
    ----------
    effect : float
        Of the networks as they are.
    n : int
        Networks, or points, that it stands on.
    draws : (resample,) array or None
        What resampled networks give; None for shares, correlations and facts.
    """

    effect: float
    n: int
    draws: Array | None = field(default=None, repr=False)
    kind: str = "bootstrap"

    def interval(self, level: float = LEVEL) -> tuple[float, float]:
        """Both ends of the interval of this level.

        Raises
        ------
        ValueError
            If an end is not finite: then some network gave no answer, and nothing is said of it.
        """
        low, high = self._ends(level)
        if not (np.isfinite(low) and np.isfinite(high)):
            raise ValueError(
                f"the interval of an effect of {self.effect:.4g} is [{low}, {high}]; a statistic "
                "must be finite for every resample of the networks that answered."
            )
        return low, high

    def p(self, side: str, line: float) -> float:
        """One-sided p against "not beyond the line on this side"."""
        if self.kind == "fact":
            return float(not beyond(side, self.effect, line))
        if self.draws is not None:
            wrong = np.sum(~_beyond(side, self.draws, line))
            return float((1 + wrong) / (1 + len(self.draws)))
        sign = 1.0 if side == ">" else -1.0
        return float(norm.sf(sign * self._z(line)))

    def drawn(self, generator: np.random.Generator) -> Array:
        """As many values as there are resamples, from what is known of the effect."""
        if self.draws is not None:
            return self.draws
        if self.kind != "correlation":
            return np.full(RESAMPLES, self.effect)
        middle, spread = np.arctanh(_inside(self.effect)), 1 / np.sqrt(max(self.n - 3, 1))
        return np.tanh(middle + spread * generator.standard_normal(RESAMPLES))

    def _ends(self, level: float) -> tuple[float, float]:
        if self.kind == "fact":
            return self.effect, self.effect
        if self.draws is not None:
            tail = 50 * (1 - level)
            low, high = np.percentile(self.draws, [tail, 100 - tail])
            return float(low), float(high)
        z = float(norm.isf((1 - level) / 2))
        if self.kind == "correlation":
            middle, half = np.arctanh(_inside(self.effect)), z / np.sqrt(max(self.n - 3, 1))
            return float(np.tanh(middle - half)), float(np.tanh(middle + half))
        p, n = self.effect, self.n
        middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
        # At 0 and at 1 both terms are equal, but for rounding.
        low = 0.0 if p == 0 else float(middle - half)
        return max(0.0, low), 1.0 if p == 1 else min(1.0, float(middle + half))

    def _z(self, line: float) -> float:
        if self.kind == "correlation":
            gap = np.arctanh(_inside(self.effect)) - np.arctanh(_inside(line))
            return float(gap * np.sqrt(max(self.n - 3, 1)))
        spread = np.sqrt(line * (1 - line) / self.n)
        gap = self.effect - line
        if gap == 0.0 or spread > 0:
            return float(gap / spread) if spread > 0 else 0.0
        return float(np.copysign(np.inf, gap))


def bootstrapped(values: Array, statistic: Statistic, seed: str) -> Estimate:
    """A statistic of networks, with 10 000 resamples of those that answered.

    Parameters
    ----------
    values : (network, ...) array
        NaN where there is none. Columns may have different networks: those that have the same are
        resampled together, the others on their own, each as many as there are.
    statistic : callable
    seed : str
        Fixes the resamples.
    """
    groups = _groups(values)
    n = min((len(rows) for rows, _ in groups), default=0)
    if n == 0:
        return Estimate(effect=float("nan"), n=0)
    whole = _padded(values, [rows for rows, _ in groups], groups)
    generator = generator_of(seed)
    batch = max(1, min(RESAMPLES, 2_000_000 // max(1, whole.size)))
    draws = []
    for start in range(0, RESAMPLES, batch):
        size = min(batch, RESAMPLES - start)
        chosen = [rows[generator.integers(len(rows), size=(size, len(rows)))] for rows, _ in groups]
        draws.append(statistic(_padded(values, chosen, groups)))
    effect = float(statistic(whole[None])[0])
    return Estimate(effect=effect, n=n, draws=np.concatenate(draws))


def share_of(flags: Array) -> Estimate:
    """Share of the networks that answered."""
    there = flags[~np.isnan(flags)]
    if len(there) == 0:
        return Estimate(effect=float("nan"), n=0, kind="share")
    return Estimate(effect=float(there.mean()), n=len(there), kind="share")


def correlation_of(r: float, n_points: int) -> Estimate:
    """Of a correlation over points, such as activations; Fisher's z."""
    return Estimate(effect=float(r), n=n_points, kind="correlation")


def exactly(value: float, n: int = 0) -> Estimate:
    """A number without uncertainty."""
    return Estimate(effect=float(value), n=n, kind="fact")


def beyond(side: str, value: float, line: float) -> bool:
    """Whether a value lies beyond a line."""
    return bool(_beyond(side, np.asarray(value), line))


def generator_of(text: str) -> np.random.Generator:
    """A generator that a text fixes."""
    key = int.from_bytes(sha256(text.encode()).digest()[:16], "big")
    return np.random.Generator(np.random.Philox(key=key))


def median(sample: Array) -> Array:
    """Median over networks."""
    return np.median(sample, axis=1)


def mean(sample: Array) -> Array:
    """Mean over networks."""
    return sample.mean(axis=1)


def medians(sample: Array) -> Array:
    """Median over networks, column by column: (resample, network, column) -> (resample, column).

    Columns may be padded with NaN at their ends, as resamples of fewer networks are.
    """
    if not np.isnan(sample).any():
        return np.median(sample, axis=1)
    return np.nanmedian(sample, axis=1)


def _beyond(side: str, values: Array, line: float) -> NDArray[np.bool_]:
    return values > line if side == ">" else values < line


def _inside(r: float) -> float:
    return float(np.clip(r, -1 + 1e-12, 1 - 1e-12))


Groups = list[tuple[NDArray[np.int64], NDArray[np.int64]]]


def _groups(values: Array) -> Groups:
    """(rows that answered, columns): columns with the same networks belong together."""
    there = (~np.isnan(values)).reshape(*values.shape[:2], -1).all(axis=-1)
    there = there.reshape(len(values), -1)
    found: dict[bytes, list[int]] = {}
    for column in range(there.shape[1]):
        found.setdefault(there[:, column].tobytes(), []).append(column)
    return [(np.flatnonzero(there[:, columns[0]]), np.array(columns)) for columns in found.values()]


def _padded(values: Array, chosen: list[NDArray[np.int64]], groups: Groups) -> Array:
    """Rows of each group of columns; NaN below those of a group with fewer networks."""
    if len(groups) == 1:
        return values[chosen[0]]
    longest = max(rows.shape[-1] for rows in chosen)
    lead = chosen[0].shape[:-1]
    found = np.full((*lead, longest, *values.shape[1:]), np.nan)
    whole = found.reshape(-1, *found.shape[len(lead) :])  # a view: one axis of resamples
    for rows, (_, columns) in zip(chosen, groups, strict=True):
        several = rows.reshape(len(whole), -1)
        whole[:, : several.shape[1], columns] = values[several[..., None], columns]
    return found
