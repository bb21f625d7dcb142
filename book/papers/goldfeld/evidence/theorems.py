"""What can be computed or simulated without a network: bounds, rates, codes, one neuron."""

from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from ibcore import theory
from ibcore.claims.common import Planes, Thresholds
from ibcore.claims.decide import Part, fact, reported
from ibcore.estimators import SamplePropagation
from ibcore.estimators.neighbours import differential_entropy
from ibcore.estimators.propagation import levels_apart, risk_bound, smoothed_entropy

LN2 = np.log(2)


def plateaus(planes: Planes, t: Thresholds) -> list[Part]:
    """EX: a learning neuron dwells where the logarithm of the number of clusters is."""
    parts = []
    for noise_std in t["noise_stds"]:
        path = theory.learning_neuron(noise_std=noise_std)
        nats = path.information[1:] * LN2
        for k in (2, 3, 4):
            near = np.abs(nats - np.log(k)) < t["near"]
            parts.append(
                fact("plateau", f"dwells at ln {k}, noise {noise_std}",
                     bool(near.mean() >= t["dwell"]), note=f"{near.mean():.0%} of the steps")
            )  # fmt: skip
        for text, sizes in (("2, 1, 1", (2, 1, 1)), ("3, 1", (3, 1))):
            p = np.array(sizes) / 4
            near = np.abs(nats + (p * np.log(p)).sum()) < t["near"]
            parts.append(
                reported(
                    fact("weighed", f"dwells at the entropy of {text} points, noise {noise_std}",
                         bool(near.mean() >= t["dwell"]), note=f"{near.mean():.0%} of the steps")
                )
            )  # fmt: skip
        parts.append(
            fact("falls", f"ends below its maximum, noise {noise_std}",
                 bool(nats[-1] < nats.max() - t["near"]))
        )  # fmt: skip
    return parts


def samples_needed(planes: Planes, t: Thresholds) -> list[Part]:
    """C3: samples for a small bias on the cube, exactly: they double with every dimension."""
    needed = [_enough(2**d, t["bias"]) for d in t["dimensions"]]
    return [
        fact("doubles", f"{d} dimensions against {d - 1}", bool(b >= t["factor"] * a),
             note=f"{a} and {b} samples")
        for d, (a, b) in zip(t["dimensions"][1:], pairwise(needed), strict=True)
    ]  # fmt: skip


@cache
def _enough(n_modes: int, bias: float) -> int:
    """Fewest samples with which the plug-in entropy of equal modes far apart lacks < bias bits."""
    low, high = 1, 2
    while _lack(n_modes, high) >= bias:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _lack(n_modes, middle) >= bias else (low, middle)
    return high


def _lack(n_modes: int, n: int) -> float:
    """log2 K - E Ĥ, exact: each count is binomial."""
    k = np.arange(1, n + 1)
    p = binom.pmf(k, n, 1 / n_modes)
    return float(np.log2(n_modes) + n_modes * (p * (k / n) * np.log2(k / n)).sum())


def rate(planes: Planes, t: Thresholds) -> list[Part]:
    """R1: the error of the smoothed plug-in entropy falls as n^-1/2."""
    parts = []
    for d in t["dimensions"]:
        errors = [np.abs(_errors(d, t["noise_std"], n, t["repeats"])).mean() for n in t["samples"]]
        slope = np.polyfit(np.log(t["samples"]), np.log(errors), 1)[0]
        parts.append(
            fact("rate", f"slope of the log error in {d} dimensions",
                 bool(abs(slope + 0.5) <= t["tolerance"]), note=f"{slope:.2f}")
        )  # fmt: skip
    return parts


@cache
def _errors(d: int, noise_std: float, n: int, repeats: int) -> NDArray[np.float64]:
    """ĥ - h in bits, S uniform on the corners of [-1, 1]^d, over independent samples."""
    exact = _cube_entropy(d, noise_std)
    rng = np.random.default_rng(d)
    return np.array(
        [
            smoothed_entropy(rng.choice([-1.0, 1.0], (n, d)), noise_std, seed=k) - exact
            for k in range(repeats)
        ]
    )


def _cube_entropy(d: int, noise_std: float) -> float:
    """h(S + Z) in bits: d times that of one unit."""
    bit = theory.mixture_information([-1 / noise_std, 1 / noise_std])
    return d * (bit + 0.5 * np.log2(2 * np.pi * np.e * noise_std**2))


def risk(planes: Planes, t: Thresholds) -> list[Part]:
    """T2: the mean absolute error lies below the bound, for ten distributions."""
    parts = []
    rng = np.random.default_rng(0)
    for k in range(t["distributions"]):
        d, noise_std = 1 + k % 2, (0.5, 1.0)[k // 2 % 2]
        points = rng.uniform(-1, 1, (8, d))
        exact = theory.mixture_information(points / noise_std)
        exact += d / 2 * np.log2(2 * np.pi * np.e * noise_std**2)
        found = [
            smoothed_entropy(points[rng.integers(8, size=t["samples"])], noise_std, seed=s)
            for s in range(t["repeats"])
        ]
        error = np.abs(np.array(found) - exact).mean() * LN2
        bound = risk_bound(d, noise_std, t["samples"])
        parts.append(
            fact("below", f"distribution {k + 1}: {d}-dimensional, noise {noise_std}",
                 bool(error <= bound), note=f"{error:.3g} below {bound:.3g} nats")
        )  # fmt: skip
    return parts


def levels(planes: Planes, t: Thresholds) -> list[Part]:
    """T4: how many levels the noise keeps apart, k* = 3 up to 11 dimensions and no further."""
    return [
        fact("levels", f"{d} dimensions",
             (levels_apart(d, t["noise_std"], t["epsilon"]) == t["levels"]) == (d <= t["largest"]))
        for d in range(1, t["largest"] + 2)
    ]  # fmt: skip


def integration(planes: Planes, t: Thresholds) -> list[Part]:
    """T5: the plain integration's squared error lies below its bound and falls as 1 / n_MC."""
    parts = []
    rng = np.random.default_rng(0)
    for d in t["dimensions"]:
        points = rng.uniform(-1, 1, (t["modes"], d))
        exact = smoothed_entropy(points, t["noise_std"], n_pairs=t["reference_pairs"]) * LN2
        errors = []
        for n in t["points"]:
            found = [_plain(points, t["noise_std"], n, rng) for _ in range(t["repeats"])]
            errors.append(np.square(np.array(found) - exact).mean())
        v = t["noise_std"] ** 2
        bounds = 2 * d * (2 + v) / (v * t["modes"] * np.array(t["points"]))
        slope = np.polyfit(np.log(t["points"]), 0.5 * np.log(errors), 1)[0]
        parts += [
            fact("below", f"squared errors in {d} dimensions", bool((errors <= bounds).all()),
                 note=f"at most {(errors / bounds).max():.1%} of the bound"),
            fact("rate", f"slope of the log error in {d} dimensions",
                 bool(abs(slope + 0.5) <= t["tolerance"]), note=f"{slope:.2f}"),
        ]  # fmt: skip
    return parts


def _plain(
    points: NDArray[np.float64], noise_std: float, n: int, rng: np.random.Generator
) -> float:
    """-(1/nm) Σ ln g(s_i + z_ij) in nats, without any of our reductions of variance."""
    z = noise_std * rng.standard_normal((len(points), n, points.shape[1]))
    at = (points[:, None] + z).reshape(-1, points.shape[1])
    square = ((at[:, None] - points) ** 2).sum(-1) / (2 * noise_std**2)
    least = square.min(axis=1)
    log_g = np.log(np.exp(least[:, None] - square).mean(axis=1)) - least
    return float(points.shape[1] / 2 * np.log(2 * np.pi * noise_std**2) - log_g.mean())


def rivals(planes: Planes, t: Thresholds) -> list[Part]:
    """GEST-F2..4: the smoothed plug-in is nearer than kernels and neighbours, and never above."""
    parts = []
    for d in t["dimensions"]:
        for noise_std in t["noise_stds"]:
            errors = _contest(d, noise_std, t["samples"], t["repeats"], t["spread"])
            rmse = np.sqrt((errors**2).mean(axis=0))
            mean, error = errors[:, 0].mean(), errors[:, 0].std(ddof=1) / np.sqrt(len(errors))
            named = ", ".join(
                f"{name} {value:.2g}"
                for name, value in zip(("plug-in", "kernels", "neighbours"), rmse, strict=True)
            )
            where = f"{d} dimensions, noise {noise_std}"
            parts += [
                fact("nearer", where, bool(rmse[0] < rmse[1:].min()), note=f"{named} bits"),
                fact("below", f"{where}: not too large on average", bool(mean <= 2 * error),
                     note=f"{mean:.2g} bits"),
            ]  # fmt: skip
    return parts


@cache
def _contest(d: int, noise_std: float, n: int, repeats: int, spread: float) -> NDArray[np.float64]:
    """(repeat, estimator) errors in bits of h(S + Z): plug-in, kernel density, neighbours.

    Units of S are independent, each near -1 or 1 with a normal spread, cut to [-1, 1].
    """
    rng = np.random.default_rng(d)
    exact = d * _unit_entropy(noise_std, spread)
    found = []
    for k in range(repeats):
        s = _truncated(rng, (n, d), spread)
        t = s + noise_std * rng.standard_normal((n, d))
        found.append(
            [smoothed_entropy(s, noise_std, seed=k), _kernel_entropy(t), differential_entropy(t)]
        )
    return np.array(found) - exact


def _truncated(
    rng: np.random.Generator, shape: tuple[int, int], spread: float
) -> NDArray[np.float64]:
    """±(1 - |N(0, spread²)|), redrawn beyond a distance of 2."""
    gap = np.abs(rng.standard_normal(shape)) * spread
    while (far := gap > 2).any():
        gap[far] = np.abs(rng.standard_normal(far.sum())) * spread
    return rng.choice([-1.0, 1.0], shape) * (1 - gap)


def _unit_entropy(noise_std: float, spread: float) -> float:
    """h of one unit in bits, on a fine grid."""
    s = np.linspace(-1, 1, 4001)
    weight = sum(np.exp(-0.5 * ((s - c) / spread) ** 2) for c in (-1, 1))
    grid = np.linspace(-1 - 8 * noise_std, 1 + 8 * noise_std, 6001)
    kernel = np.exp(-0.5 * ((grid[:, None] - s) / noise_std) ** 2)
    density = kernel @ weight
    density /= density.sum() * (grid[1] - grid[0])
    positive = density > 0
    terms = density[positive] * np.log2(density[positive])
    return float(-terms.sum() * (grid[1] - grid[0]))


def _kernel_entropy(t: NDArray[np.float64]) -> float:
    """Leave-one-out entropy in bits of Gaussian kernels of Silverman's width."""
    n, d = t.shape
    width = (4 / (d + 2) / n) ** (1 / (d + 4)) * t.std(axis=0)
    u = t / width
    square = np.maximum((u**2).sum(1)[:, None] + (u**2).sum(1) - 2 * u @ u.T, 0) / 2
    np.fill_diagonal(square, np.inf)
    least = square.min(axis=1)
    log_p = np.log(np.exp(least[:, None] - square).sum(axis=1) / (n - 1)) - least
    log_p -= d / 2 * np.log(2 * np.pi) + np.log(width).sum()
    return float(-log_p.mean() / LN2)


def codes(planes: Planes, t: Thresholds) -> list[Part]:
    """GEST-F7: every word of a Reed-Muller code of full order, sent through noise."""
    parts = []
    for length in t["lengths"]:
        for noise_std in t["noise_stds"]:
            known = length * theory.mixture_information([-1 / noise_std, 1 / noise_std])
            words = 1 - 2.0 * ((np.arange(2**length)[:, None] >> np.arange(length)) & 1)
            ruler = SamplePropagation(noise_std, n_pairs=t["pairs"], n_inputs=t["inputs"])
            found = ruler.with_errors(words[None], np.arange(len(words)) % 2)
            off = abs(found.i_xt - known)
            parts.append(
                fact("code", f"length {length}, noise {noise_std}",
                     bool(off <= t["errors"] * found.i_xt_error + t["rounding"]),
                     note=f"{found.i_xt:.3f} against {known:.3f} bits")
            )  # fmt: skip
    return parts
