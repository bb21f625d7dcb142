"""Three estimators of a differential entropy that is known: their errors, for GEST-F2..4.

    python book/_tools/race.py        writes book/results/race.json; half an hour on one core

S has independent units, S = ±(1 - |r Z'|) with Z' ~ N(0, 1), cut at the other corner: 2^d clusters
of spread r at the corners of the cube, within it. T = S + σZ. So h(T) is d times that of one unit.
Of the same n draws the plug-in sees S and σ, its rivals see T.
"""

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, gammaln, log_ndtr, ndtri
from tqdm import tqdm

from ibcore.estimators.propagation import smoothed_entropy
from ibcore.files import write_whole

Array = NDArray[np.float64]

FILE = Path(__file__).parents[1] / "results" / "race.json"
SETTINGS: dict[str, Any] = {
    "spreads": [0.02, 0.1, 0.3],
    "dimensions": [5, 10, 15],
    "noise_stds": [0.1, 0.5],
    "samples": [100, 316, 1000, 3162, 10_000],
    "repeats": 20,
}
ESTIMATORS = ("plug-in", "kernels", "neighbours")
FIRST_SEED = 1000
NEIGHBOUR = 3


def draws(
    n: int, d: int, spread: float, noise_std: float, rng: np.random.Generator
) -> tuple[Array, Array]:
    """S and T, (sample, unit) each."""
    # |Z'| by its quantiles, so that it is cut at 2 / spread, where the other corner is
    tail = np.exp(log_ndtr(-2 / spread))
    reach = -ndtri(tail + (0.5 - tail) * rng.random((n, d)))
    s = rng.choice([-1.0, 1.0], (n, d)) * (1 - spread * reach)
    return s, s + noise_std * rng.standard_normal((n, d))


def known_entropy(d: int, spread: float, noise_std: float) -> float:
    """h(T) in bits: of each unit a mixture of two skew normal densities, by quadrature.

    p(t) = 1/2 Σ± 2/ω φ(u) Φ(α u), u = (1 ± t)/ω, ω² = r² + σ², α = r/σ; what the cut leaves out is
    below 1e-10.
    """
    omega, alpha = np.hypot(spread, noise_std), spread / noise_std
    t = np.linspace(-1 - 12 * omega, 1 + 12 * omega, 400_001)
    logs = []
    for u in ((1 + t) / omega, (1 - t) / omega):
        logs.append(-0.5 * u**2 - 0.5 * np.log(2 * np.pi) - np.log(omega) + log_ndtr(alpha * u))
    log_p = np.logaddexp(*logs)
    return float(-d * np.trapezoid(np.exp(log_p) * log_p, t) / np.log(2))


def rivals(t: Array, neighbour: int = NEIGHBOUR) -> tuple[float, float]:
    """h(T) in bits by Gaussian kernels of Silverman's width and by nearest neighbours.

    Kernels leave out the point itself; neighbours are Kozachenko's and Leonenko's,
    ψ(n) - ψ(k) + ln V_d + d E ln r_k.
    """
    n, d = t.shape
    width = (4 / (d + 2) / n) ** (1 / (d + 4)) * t.std(axis=0, ddof=1).mean()
    square, logs, radii = (t**2).sum(axis=1), np.empty(n), np.empty(n)
    for rows in np.array_split(np.arange(n), -(-n // 1000)):
        gap = square[rows, None] + square - 2 * t[rows] @ t.T
        gap[np.arange(len(rows)), rows] = np.inf
        nearest = np.partition(gap, neighbour - 1, axis=1)[:, :neighbour].max(axis=1)
        radii[rows] = nearest
        scaled = ((gap.min(axis=1)[:, None] - gap) / (2 * width**2)).astype(np.float32)
        logs[rows] = np.log(np.exp(scaled).sum(axis=1)) - gap.min(axis=1) / (2 * width**2)
    logs -= np.log(n - 1) + d / 2 * np.log(2 * np.pi * width**2)
    ball = d / 2 * np.log(np.pi) - gammaln(d / 2 + 1)
    near = digamma(n) - digamma(neighbour) + ball + d / 2 * np.log(radii).mean()
    return float(-logs.mean() / np.log(2)), float(near / np.log(2))


def errors(d: int, spread: float, noise_std: float, n: int, repeat: int) -> list[float]:
    """ĥ - h in bits of plug-in, kernels and neighbours, of one draw."""
    seed = FIRST_SEED + repeat
    place = [d, round(1000 * spread), round(1000 * noise_std), n]
    s, t = draws(n, d, spread, noise_std, np.random.default_rng([seed, *place]))
    found = (smoothed_entropy(s, noise_std, seed=seed), *rivals(t))
    return [round(one - known_entropy(d, spread, noise_std), 6) for one in found]


def main() -> None:
    """Compute what ``SETTINGS`` says, from where an earlier run has stopped, and write it."""
    axes = [SETTINGS[name] for name in ("spreads", "dimensions", "noise_stds", "samples")]
    part = FILE.with_name("race.part.json")
    found = json.loads(part.read_text(encoding="utf-8")) if part.exists() else []
    for spread, d, noise_std, n in tqdm(list(product(*axes))[len(found) :]):
        found.append([errors(d, spread, noise_std, n, k) for k in range(SETTINGS["repeats"])])
        write_whole(part, json.dumps(found).encode())
    text = json.dumps({**SETTINGS, "estimators": ESTIMATORS, "errors": found})
    write_whole(FILE, f"{text}\n".encode())
    part.unlink()


if __name__ == "__main__":
    main()
