"""Evidence for the claims of Goldfeld et al. (2018 to 2020) that the vocabulary cannot say.

Layers of the 12-10-7-5-4-3-2 networks are 1 to 6; the output, without noise, has no information.
"""

import json
from collections.abc import Iterator
from functools import cache, partial
from itertools import pairwise, product

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.stats import binom

from ibcore import theory
from ibcore.claims import effects as fx
from ibcore.claims import relations
from ibcore.claims.cells import Cell, cell, fact, share
from ibcore.claims.common import Planes, Settings, table, why_hollow
from ibcore.claims.intervals import Statistic
from ibcore.estimators import SamplePropagation
from ibcore.estimators.propagation import levels_apart, risk_bound, smoothed_entropy
from ibcore.papers import papers_folder
from ibcore.randomness import generator

LN2 = np.log(2)


def rows_stay_apart(planes: Planes, t: Settings) -> Iterator[Cell]:
    """S1: before training, float32 rows tell all inputs apart in the first layers."""
    plane = planes[t["plane"]]
    start = fx.variable(plane, "i_xt").sel(estimator=t["ruler"]).isel(epoch=0)
    for layer in t["layers"]:
        apart = start.sel(layer=layer) > np.log2(plane.attrs["n_samples"]) - t["slack"]
        found = float(apart.mean())
        yield fact(f"layer {layer}", found >= t["share"], f"{found:.0%} of {apart.size} networks")


def noise_is_measured(planes: Planes, t: Settings) -> Iterator[Cell]:
    """F4: networks train with the noise under which they are measured."""
    for name, plane in planes.items():
        trained = json.loads(plane.attrs["experiment"])["noise_std"]
        yield fact(name, f"noise_std={trained}" in str(plane.estimator.values[0]))


def rises_then_falls(planes: Planes, t: Settings) -> Iterator[Cell]:
    """F5: how far the peak of I(X;T) stands above the higher of its two ends.

    Its sign is that of the smaller of rise and fall, both read beside the peak.
    """
    for label, name in t["planes"].items():
        hollow = why_hollow(planes[name], t["layer"])
        f, c, rise, fall = (
            one(planes[name]).sel(layer=t["layer"])
            for one in (fx.fitting, fx.compression, fx.gain_until_peak, fx.fall_from_peak)
        )
        height, signed = f.where(f < c, c), rise.where(rise < fall, fall)
        yield cell(label, height, signed=signed, hollow=hollow)


def against_the_published(planes: Planes, t: Settings) -> Iterator[Cell]:
    """F5: share of networks whose start, peak or end is at most that of the published run."""
    for label, name in t["planes"].items():
        ix = fx.curve(planes[name]).sel(layer=t["layer"])
        own = {"start": fx.at_epoch(ix, t["first"]), "peak": ix.max("epoch"), "end": fx.final(ix)}
        for moment, known in t["published"].items():
            yield share(f"{label}, {moment}", own[moment] <= known, hollow=fx.void(planes[name]))


# How far apart points of a class are, by name; all grow with the distance.
_LENGTHS = {
    "20th neighbour": lambda v: v("neighbour_log_distance"),
    "pairs farther than a bin": lambda v: 1 - v("close_pairs"),
    "20th neighbour against classes": lambda v: (
        v("neighbour_log_distance") - 0.5 * np.log2(np.maximum(v("scatter_between"), 1e-12))
    ),
    "trace": lambda v: v("scatter_within"),
    "trace against classes": lambda v: (
        v("scatter_within") / np.maximum(v("scatter_between"), 1e-12)
    ),
    "determinant": lambda v: v("log_det_within"),
}


def _far(plane: xr.Dataset, length: str) -> xr.DataArray:
    """(seed, epoch, layer) of a length."""
    return _LENGTHS[length](partial(fx.curve, plane))


def goes_with_a_length(planes: Planes, t: Settings) -> Iterator[Cell]:
    """C1, F5: how I(X;T) and the distances of points of a class go together over checkpoints.

    ``of`` values, from the ``peak`` of I(X;T) on or all; of ``steps`` between checkpoints; of their
    ``signs``, as the share of steps that agree. ``against_others``: minus the mean of the same with
    the lengths of the other networks of the plane, which share nothing but the clock.
    """
    for label, where in t["cells"].items():
        plane = planes[where["plane"]]
        for layer in where["layers"]:
            ix, far = (
                one.sel(layer=layer).transpose("seed", "epoch")
                for one in (fx.curve(plane), _far(plane, where["length"]))
            )
            span = float((ix.max("epoch") - ix.min("epoch")).median())
            still = f"moves by {span:.2g} bits only" if span < t["least"] else ""
            found = _together(ix.values, far.values, t)
            values = ix.isel(epoch=0, drop=True).copy(data=found)
            yield cell(f"{label}, layer {layer}", values, hollow=why_hollow(plane, layer) or still)


def _together(
    ix: NDArray[np.float64], far: NDArray[np.float64], t: Settings
) -> NDArray[np.float64]:
    """(network,) rank correlations, or shares of steps."""
    if t["of"] == "peak":
        later = [(x[k:], y[None, k:]) for x, y, k in zip(ix, far, ix.argmax(axis=1), strict=True)]
        some = [relations.spearman(x, y)[0] if len(x) >= t["fewest"] else np.nan for x, y in later]
        return np.array(some)
    if t["of"] in ("steps", "signs"):
        ix, far = np.diff(ix, axis=1), np.diff(far, axis=1)
    if t["of"] == "signs":
        return (np.sign(ix) == np.sign(far)).mean(axis=1)
    every = np.stack([relations.spearman(one, far) for one in ix])  # (I(X;T) of, lengths of)
    own = np.diagonal(every)
    others = (every.sum(axis=1) - own) / max(1, len(every) - 1)
    return own - others if t.get("against_others") else own.copy()


def orthonormal(planes: Planes, t: Settings) -> Iterator[Cell]:
    """F6: C with orthonormal weights over C without, medians, the larger of the layers'.

    Or, where that is below ``removed``, test accuracy with minus without, of the same seeds.
    """
    for label, where in t["cells"].items():
        columns, why = _losses(planes, t, where)
        if "removed" not in t:
            yield cell(label, columns, statistic=_worst_ratio, hollow=why)
            continue
        if not why and (left := _worst_ratio(columns.values[None])[0]) >= t["removed"]:
            why = f"{left:.2g} of the loss is left"
        yield cell(label, _accuracy(planes[where["held"]]) - _accuracy(planes[where["plain"]]),
                   hollow=why)  # fmt: skip


def _losses(planes: Planes, t: Settings, where: Settings) -> tuple[xr.DataArray, str]:
    """(network, with and without for each layer): C where it is lost without, of common seeds."""
    held, plain = (planes[where[name]] for name in ("held", "plain"))
    ruler = t["rulers"][where["ruler"]]
    with_, without = xr.align(fx.compression(held, ruler), fx.compression(plain, ruler))
    lost = [k for k in t["layers"] if float(without.sel(layer=k).median()) >= t["least"]]
    if why := fx.void(held) or fx.void(plain) or ("" if lost else "nothing to remove"):
        return without.sel(layer=t["layers"][0]), why
    return table([one.sel(layer=k) for k in lost for one in (with_, without)]), ""


def _worst_ratio(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = np.median(sample, axis=1)
    return (middle[:, ::2] / middle[:, 1::2]).max(axis=1)


def without_compression(planes: Planes, t: Settings) -> Iterator[Cell]:
    """C2: networks that lose little in every layer and are as accurate as their twin is."""
    for label, name in t["planes"].items():
        twin = next(
            (one for start, one in t.get("twins", {}).items() if label.startswith(start)), ""
        )
        line = _accuracy(planes[twin]) if twin else t["accuracy"]
        c = fx.compression(planes[name]).sel(layer=list(t["layers"]))
        flags = (c < t["compression"]).all("layer") & (_accuracy(planes[name]) >= line)
        yield share(label, flags, hollow=fx.void(planes[name]))


def _accuracy(plane: xr.Dataset) -> xr.DataArray:
    return fx.final(fx.curve(plane, "test_accuracy"))


def noise_scan(planes: Planes, t: Settings) -> Iterator[Cell]:
    """NOISE: largest step up of the median max I(X;T) from one noise to the next larger one."""
    top = [fx.curve(planes[name]).max("epoch") for name in t["planes"]]
    for layer in t["layers"]:
        columns = table([one.sel(layer=layer) for one in top])
        yield cell(f"layer {layer}", columns, statistic=_largest_step)


def _largest_step(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.diff(np.median(sample, axis=1), axis=1).max(axis=1)


def angles_open(planes: Planes, t: Settings) -> Iterator[Cell]:
    """MN: rank correlation of the epoch and the mean cosine within minus between classes."""
    plane = planes[t["plane"]]
    gap = fx.curve(plane, "cosine_within") - fx.curve(plane, "cosine_between")
    for label, layer in t["layers"].items():
        values = gap.sel(layer=layer).transpose("seed", "epoch").values
        found = relations.spearman(gap.epoch.values, values)
        yield cell(label, found, hollow=fx.void(plane))


def samples_needed(planes: Planes, t: Settings) -> Iterator[Cell]:
    """C3: samples for a small bias on the cube, exactly: they double with every dimension."""
    needed = [_enough(2**d, t["bias"]) for d in t["dimensions"]]
    for d, (a, b) in zip(t["dimensions"][1:], pairwise(needed), strict=True):
        yield fact(f"d = {d} against {d - 1}", b >= t["factor"] * a, f"{a} and {b} samples")


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


def rate(planes: Planes, t: Settings) -> Iterator[Cell]:
    """R1: how fast the error of the smoothed plug-in entropy falls with the number of samples."""
    slope = partial(_slopes, np.log(t["samples"]))
    for d in t["dimensions"]:
        columns = [np.abs(_errors(d, t["noise_std"], n, t["repeats"])) for n in t["samples"]]
        yield cell(f"d = {d}", np.stack(columns, axis=1), statistic=slope)


def _slopes(log_n: NDArray[np.float64], sample: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slope of the log mean error over log n: (resample, repeat, size) -> (resample,)."""
    return relations.slope(log_n, np.log(sample.mean(axis=1)))


@cache
def _errors(d: int, noise_std: float, n: int, repeats: int) -> NDArray[np.float64]:
    """ĥ - h in bits, S uniform on the corners of [-1, 1]^d, over independent samples.

    Exactly, h(S + Z) is d times that of one unit.
    """
    bit = theory.mixture_information([-1 / noise_std, 1 / noise_std])
    exact = d * (bit + 0.5 * np.log2(2 * np.pi * np.e * noise_std**2))
    rng = np.random.default_rng([d, n])
    found = [
        _entropy_of_corners(rng.choice([-1.0, 1.0], (n, d)), noise_std, k) for k in range(repeats)
    ]
    return np.array(found) - exact


def _entropy_of_corners(samples: NDArray[np.float64], noise_std: float, seed: int) -> float:
    """``smoothed_entropy`` of samples of the corners: their Gaussians are counted, not repeated.

    h = d/2 log2(2πeσ²) - E log2 Σ_c p_c φ(t - c) / φ(t - s), where p_c is the share of corner c.
    """
    n, d = samples.shape
    share_of = np.bincount((samples < 0) @ (1 << np.arange(d)), minlength=2**d) / n
    s, corners = samples / noise_std, _words(d) / noise_std
    z = generator(seed, "measured_noise").standard_normal((n, d))
    total = 0.0
    for t in (s + z, s - z):
        gap = (t**2).sum(axis=1)[:, None] + (corners**2).sum(axis=1) - 2 * t @ corners.T
        ratio = np.exp(((z**2).sum(axis=1)[:, None] - gap) / 2) @ share_of
        total -= np.log2(ratio).mean() / 2
    return float(d / 2 * np.log2(2 * np.pi * np.e * noise_std**2) + total)


def _words(length: int) -> NDArray[np.float64]:
    """All corners of [-1, 1]^length; a bit of the number that is set is a -1."""
    bits = (np.arange(2**length)[:, None] >> np.arange(length)) & 1
    return 1 - 2 * bits.astype(np.float64)


def race(planes: Planes, t: Settings) -> Iterator[Cell]:
    """F2..4: slope, end or mean error of the plug-in, against the better of its rivals."""
    slope = partial(_slope_apart, np.log(t["samples"]))
    which: dict[str, Statistic] = {"slope": slope, "end": _log_ratio, "mean": _largest_mean}
    for label, errors in _race(t):
        yield cell(label, errors, statistic=which[t["statistic"]])


def _slope_apart(log_n: NDArray[np.float64], sample: NDArray[np.float64]) -> NDArray[np.float64]:
    own, *others = (relations.slope(log_n, _log_error(sample)[:, k]) for k in range(3))
    return own - np.minimum(*others)


def _log_ratio(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    last = _log_error(sample)[..., -1] / LN2
    return last[:, 0] - last[:, 1:].min(axis=1)


def _log_error(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    """ln of the root mean square error: (resample, repeat, estimator, n) -> without repeats."""
    return 0.5 * np.log(np.square(sample).mean(axis=1))


def _largest_mean(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    return sample[:, :, 0].mean(axis=1).max(axis=1)


def _race(t: Settings) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """(setting, errors (repeat, estimator, n)): what book/_tools/race.py has computed."""
    file = papers_folder().parent / "results" / "race.json"
    kept = json.loads(file.read_text(encoding="utf-8"))
    axes = ("spreads", "dimensions", "noise_stds", "samples")
    if differ := [name for name in (*axes, "repeats") if kept[name] != t[name]]:
        raise ValueError(f"race.json has other {', '.join(differ)} than asked; run race.py again.")
    shape = (*(len(t[name]) for name in axes), t["repeats"], len(kept["estimators"]))
    errors = np.array(kept["errors"]).reshape(shape)
    for (i, spread), (j, d), (k, noise_std) in product(*(enumerate(t[name]) for name in axes[:3])):
        label = f"spread {spread}, d = {d}, noise {noise_std}"
        yield label, errors[i, j, k].transpose(1, 2, 0)


def risk(planes: Planes, t: Settings) -> Iterator[Cell]:
    """T2: the mean absolute error lies below the bound, for several distributions."""
    rng = np.random.default_rng(0)
    settings = list(product(t["noise_stds"], t["dimensions"]))
    for k in range(t["distributions"]):
        noise_std, d = settings[k % len(settings)]
        points = rng.uniform(-1, 1, (t["points"], d))
        exact = theory.mixture_information(points / noise_std)
        exact += d / 2 * np.log2(2 * np.pi * np.e * noise_std**2)
        found = [
            smoothed_entropy(
                points[rng.integers(len(points), size=t["samples"])], noise_std, seed=s
            )
            for s in range(t["repeats"])
        ]
        error = np.abs(np.array(found) - exact).mean() * LN2
        bound = risk_bound(d, noise_std, t["samples"])
        where = f"distribution {k + 1}, d = {d}, noise {noise_std}"
        yield fact(where, error <= bound, f"{error:.3g} against {bound:.3g} nats")


def levels(planes: Planes, t: Settings) -> Iterator[Cell]:
    """T4: how many levels the noise keeps apart, up to the largest dimension and no further."""
    for d in range(1, t["largest"] + 2):
        found = levels_apart(d, t["noise_std"], t["epsilon"])
        holds = (found == t["levels"]) == (d <= t["largest"])
        yield fact(f"d = {d}", holds, f"{found} levels")


def integration(planes: Planes, t: Settings) -> Iterator[Cell]:
    """T5: the plain integration's squared error lies below its bound; or it falls as 1 / n_MC."""
    v, points = t["noise_std"] ** 2, np.array(t["points"])
    names = ("dimensions", "points", "noise_std", "modes", "repeats", "reference_pairs")
    given = (tuple(t[k]) if isinstance(t[k], list) else t[k] for k in names)
    for d, errors in _mean_squares(*given):
        if "slope" in t:
            slope = float(np.polyfit(np.log(points), 0.5 * np.log(errors), 1)[0])
            holds, note = abs(slope - t["slope"]) <= t["tolerance"], f"slope {slope:.2f}"
        else:
            most = (errors * v * t["modes"] * points / (2 * d * (2 + v))).max()
            holds, note = most <= 1, f"at most {most:.1%} of the bound"
        yield fact(f"d = {d}", holds, note)


@cache
def _mean_squares(
    dimensions: tuple[int, ...],
    points: tuple[int, ...],
    noise_std: float,
    modes: int,
    repeats: int,
    reference_pairs: int,
) -> list[tuple[int, NDArray[np.float64]]]:
    """(d, mean square error in nats² for each number of draws)."""
    rng, found = np.random.default_rng(0), []
    for d in dimensions:
        s = rng.uniform(-1, 1, (modes, d))
        exact = smoothed_entropy(s, noise_std, n_pairs=reference_pairs) * LN2
        each = [[_plain(s, noise_std, n, rng) for _ in range(repeats)] for n in points]
        found.append((d, np.square(np.array(each) - exact).mean(axis=1)))
    return found


def _plain(s: NDArray[np.float64], noise_std: float, n: int, rng: np.random.Generator) -> float:
    """-(1/nm) Σ ln g(s_i + z_ij) in nats, without any of our reductions of variance."""
    z = noise_std * rng.standard_normal((len(s), n, s.shape[1]))
    at = (s[:, None] + z).reshape(-1, s.shape[1])
    square = ((at[:, None] - s) ** 2).sum(-1) / (2 * noise_std**2)
    least = square.min(axis=1)
    log_g = np.log(np.exp(least[:, None] - square).mean(axis=1)) - least
    return float(s.shape[1] / 2 * np.log(2 * np.pi * noise_std**2) - log_g.mean())


def codes(planes: Planes, t: Settings) -> Iterator[Cell]:
    """GEST-F7: every word of a Reed-Muller code of full order, sent through noise."""
    for length, noise_std in product(t["lengths"], t["noise_stds"]):
        known = length * theory.mixture_information([-1 / noise_std, 1 / noise_std])
        words = _words(length)
        ruler = SamplePropagation(noise_std, n_pairs=t["pairs"], n_inputs=t["inputs"])
        found = ruler.with_errors(words[None], np.arange(len(words)) % 2)
        holds = abs(found.i_xt - known) <= t["errors"] * found.i_xt_error + t["rounding"]
        note = f"{found.i_xt:.3f} against {known:.3f} bits"
        yield fact(f"length {length}, noise {noise_std}", holds, note)
