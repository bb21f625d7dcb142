"""How often an interval of 95 % holds the true value, by simulation: book/results/coverage.json.

python book/_tools/interval_coverage.py

Every kind of interval that ``ibcore.claims.intervals`` makes, for 10, 20 and 50 networks, on values
that are normal, skewed, tied or at a ceiling. The page on statistics shows the table.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from execute import BOOK

from ibcore.claims import intervals
from ibcore.claims.intervals import Array
from ibcore.files import write_whole

REPEATS = 1000
RESAMPLES = (
    1000  # of each bootstrap: the ends of an interval then lie within a hundredth of a width
)
SIZES = (10, 20, 50)
FILE = BOOK / "results" / "coverage.json"


def normal(rng: np.random.Generator, n: int) -> Array:
    return rng.normal(size=n)


def skewed(rng: np.random.Generator, n: int) -> Array:
    return rng.lognormal(size=n)


def tied(rng: np.random.Generator, n: int) -> Array:
    """As shares of few checkpoints are: whole numbers from 0 to 4, around 2."""
    return rng.binomial(4, 0.5, size=n).astype(float)


def ceiling(rng: np.random.Generator, n: int) -> Array:
    """As information near log2 N: a third of the values are the largest one."""
    return np.minimum(rng.normal(size=n), 0.43)


VALUES: dict[str, tuple[Callable[[np.random.Generator, int], Array], float, float]] = {
    # name: (how it is drawn, its median, its mean)
    "normal": (normal, 0.0, 0.0),
    "skewed": (skewed, 1.0, float(np.exp(0.5))),
    "tied": (tied, 2.0, 2.0),
    "at a ceiling": (ceiling, 0.0, -0.2203),
}


def coverage(found: list[tuple[float, float]], truth: float) -> float:
    """Share of intervals that hold a value."""
    return float(np.mean([low <= truth <= high for low, high in found]))


def of_statistics(rng: np.random.Generator) -> dict[str, dict[str, dict[int, float]]]:
    """Medians and means over networks: statistic -> values -> n -> coverage."""
    found: dict[str, dict[str, dict[int, float]]] = {"median": {}, "mean": {}}
    for name, (draw, median, mean) in VALUES.items():
        for kind, truth in (("median", median), ("mean", mean)):
            statistic = getattr(intervals, kind)
            found[kind][name] = {
                n: coverage(
                    [
                        intervals.bootstrapped(draw(rng, n), statistic, f"{k}").interval()
                        for k in range(REPEATS)
                    ],
                    truth,
                )
                for n in SIZES
            }
    return found


def of_shares(rng: np.random.Generator) -> dict[str, dict[int, float]]:
    """Wilson: true share -> n -> coverage."""
    return {
        f"{share}": {
            n: coverage(
                [
                    intervals.share_of((rng.random(n) < share).astype(float)).interval()
                    for _ in range(10 * REPEATS)
                ],
                share,
            )
            for n in SIZES
        }
        for share in (0.02, 0.1, 0.5, 0.9)
    }


def of_correlations(rng: np.random.Generator) -> dict[str, dict[int, float]]:
    """Fisher: true correlation -> n -> coverage; normal points, and skewed ones."""
    found = {}
    for rho in (0.0, 0.5):
        for name, stretch in (("normal", lambda x: x), ("skewed", np.exp)):
            found[f"{rho}, {name}"] = {
                n: coverage([_fisher(rng, n, rho, stretch) for _ in range(10 * REPEATS)], truth)
                for n, truth in ((n, _true(rho, name)) for n in SIZES)
            }
    return found


def _fisher(
    rng: np.random.Generator, n: int, rho: float, stretch: Callable[[Array], Array]
) -> tuple[float, float]:
    x, z = rng.normal(size=(2, n))
    y = rho * x + np.sqrt(1 - rho**2) * z
    r = float(np.corrcoef(stretch(x), stretch(y))[0, 1])
    return intervals.correlation_of(r, n).interval()


def _true(rho: float, name: str) -> float:
    """Of exp(x), exp(y): (e^ρ - 1) / (e - 1)."""
    return rho if name == "normal" else float((np.exp(rho) - 1) / (np.e - 1))


def main() -> int:
    rng = np.random.default_rng(2026)
    intervals.RESAMPLES = RESAMPLES
    found = {
        "bootstrap": of_statistics(rng),
        "wilson": of_shares(rng),
        "fisher": of_correlations(rng),
        "repeats": REPEATS,
    }
    write_whole(Path(FILE), (json.dumps(found, indent=1) + "\n").encode())
    print(f"{FILE.name}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
