"""What rulers see of ReLU networks, and how fifty networks of one setting differ."""

from math import isclose

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ibcore import theory
from ibcore.claims import effects as fx
from ibcore.claims.common import Planes, Thresholds, last_epoch
from ibcore.claims.decide import Part, fact, median, reported, share, statistic

HIDDEN = [1, 2, 3, 4, 5]
OUTPUT = 6


def noise_entropy(planes: Planes, t: Thresholds) -> list[Part]:
    """S1: I = h(T) - h(Z), of a Gaussian channel whose information is known."""
    parts = []
    for ratio in t["ratios"]:
        noise = 0.5 * np.log2(2 * np.pi * np.e)
        total = 0.5 * np.log2(2 * np.pi * np.e * (1 + ratio))
        known = theory.linear_gaussian_information([[1.0]], [[ratio]], noise_variance=1.0)
        right = isclose(known, total - noise, abs_tol=t["tolerance"])
        wrong = isclose(known, total + noise, abs_tol=t["tolerance"])
        parts.append(
            fact("minus", f"h(T) - h(Z) at a signal-to-noise ratio of {ratio}", right and not wrong)
        )
    return parts


def ranges(planes: Planes, t: Thresholds) -> list[Part]:
    """F1: the largest activations of layers and epochs lie far apart, the last layer leads."""
    top = planes["relu"].largest_activation.sel(layer=HIDDEN)
    later = top.sel(epoch=top.epoch >= 1)
    least = np.maximum(later.min(["layer", "epoch"]), 1e-6)
    ratio = later.max(["layer", "epoch"]) / least
    leads = top.isel(epoch=-1).argmax("layer") == len(HIDDEN) - 1
    return [
        share("apart", f"networks whose largest activations differ by more than {t['ratio']}",
              ratio > t["ratio"], t["share"]),
        share("leads", "networks in which layer 5 has the largest activation", leads, t["leads"]),
        reported(share("far", "networks with a ratio above 100", ratio > 100, 0.0)),
    ]  # fmt: skip


def first_bins(planes: Planes, t: Thresholds) -> list[Part]:
    """F2: fixed bins put most activations into the first one, adaptive bins share the levels."""
    end = planes["relu"].isel(epoch=-1)
    fullest = end.first_bin.sel(layer=HIDDEN).max("layer")
    return [
        median("first", "share of the first bin, fullest layer", fullest, ">", t["first"]),
        *(
            median("even", "largest share of levels in an adaptive bin",
                   end.fullest_bin.sel(layer=layer), "<=", t["even"], layer=layer)
            for layer in HIDDEN
        ),
        *(
            reported(median("first bin", "share of the first bin", end.first_bin.sel(layer=layer),
                            ">", 0.0, layer=layer))
            for layer in HIDDEN
        ),
    ]  # fmt: skip


def underestimated(planes: Planes, t: Thresholds) -> list[Part]:
    """F3: adaptive bins show more compression than fixed ones, network by network."""
    plane = planes["relu"]
    more = _under(plane, t, 0) - _under(plane, t, 1)
    return [
        median("more", "C under EBAB minus C under fixed bins", more.sel(layer=layer), ">",
               t["more"], unit="bits", layer=int(layer),
               signed=more.sel(layer=layer), signed_side=">")
        for layer in t["layers"]
    ]  # fmt: skip


def _under(plane: xr.Dataset, t: Thresholds, k: int) -> xr.DataArray:
    return fx.compression(plane, estimator=t["rulers"][k])


def rulers_agree(planes: Planes, t: Thresholds) -> list[Part]:
    """F4: adaptive noise goes with adaptive bins, fixed noise with fixed bins."""
    plane = planes["relu"]
    parts = []
    for cell, adaptive in t["scales"]:
        names = {"aKDE": adaptive, "EBAB": t["ebab"], "KDE": t["kde"], "fixed": t["fixed"]}
        curves = {
            key: fx.curve(plane, estimator=ruler).sel(layer=HIDDEN).values
            for key, ruler in names.items()
        }
        r = {
            (a, b): _rank_correlations(curves[a], curves[b])
            for a, b in (("aKDE", "EBAB"), ("KDE", "fixed"), ("aKDE", "fixed"), ("KDE", "EBAB"))
        }
        same = np.minimum(r["aKDE", "EBAB"], r["KDE", "fixed"])
        crossed = np.maximum(r["aKDE", "fixed"], r["KDE", "EBAB"])
        parts += [
            median("adaptive", "rank correlation of aKDE and EBAB", r["aKDE", "EBAB"], ">",
                   t["correlation"], cell=cell, group="adaptive"),
            median("fixed", "rank correlation of KDE and fixed bins", r["KDE", "fixed"], ">",
                   t["correlation"], cell=cell, group="fixed"),
            median("pairs", "smaller of the two minus the larger of the crossed ones",
                   same - crossed, ">", 0.0, cell=cell, group="pairs"),
        ]  # fmt: skip
    return parts


def _rank_correlations(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
    """Per network, over layers and checkpoints."""
    return np.array([fx.spearman(x.ravel(), y.ravel()[None])[0] for x, y in zip(a, b, strict=True)])


def _fitting_and_compression(
    plane: xr.Dataset, t: Thresholds
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    deep = list(t["layers"])
    f, c = (
        effect(plane).sel(layer=deep).mean("layer").values
        for effect in (fx.fitting, fx.compression)
    )
    return f, c


def behaviours(planes: Planes, t: Thresholds) -> list[Part]:
    """F5: networks that compress, networks that only fit, networks that stay."""
    f, c = _fitting_and_compression(planes["relu"], t)
    bits = t["bits"]
    kinds = {
        "compresses": c > bits,
        "only fits": (c <= bits) & (f > bits),
        "stays": (c <= bits) & (f <= bits),
    }
    return [
        share(name, f"networks of this kind ({name})", flags, t["share"])
        for name, flags in kinds.items()
    ]


def compression_first(planes: Planes, t: Thresholds) -> list[Part]:
    """F5t: some networks compress from the beginning."""
    plane = planes["relu"]
    d = fx.signed_change(plane)
    early = fx.peak_epoch(plane) < t["early"] * last_epoch(plane)
    flags = ((d < -t["bits"]) & early).sel(layer=HIDDEN).any("layer")
    return [share("first", "networks with D < -0.5 bit after an early peak", flags, t["share"])]


def output_varies_less(planes: Planes, t: Thresholds) -> list[Part]:
    """F5o: the output of different networks is more alike than their hidden layers."""
    end = fx.final(fx.curve(planes["relu"])).sel(layer=[*t["layers"], OUTPUT]).values
    return [
        statistic("spread", "sd of the output minus the smallest of the hidden layers", _spread,
                  end, "<", 0.0, unit="bits", invertible=True)
    ]  # fmt: skip


def _spread(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    sd = sample.std(axis=1)
    return sd[:, -1] - sd[:, :-1].min(axis=1)


def averages(planes: Planes, t: Thresholds) -> list[Part]:
    """F6: the mean ReLU plane stands still, the mean tanh plane compresses."""
    ix = fx.curve(planes["relu"])
    middle = ix.sizes["epoch"] // 2
    parts = []
    for layer in HIDDEN:
        both = np.stack(
            [fx.final(ix).sel(layer=layer), ix.isel(epoch=middle).sel(layer=layer)], axis=1
        )
        parts.append(
            statistic("still", "|mean IX at the end - mean IX half-way|", _mean_change, both, "<",
                      t["still"], unit="bits", group="relu", layer=layer)
        )  # fmt: skip
    curve = fx.curve(planes["tanh"]).sel(layer=5).values
    parts.append(
        statistic("falls", "fall of the mean curve", _fall_of_mean, curve, ">", t["falls"],
                  unit="bits", group="tanh", layer=5)
    )  # fmt: skip
    return parts


def _mean_change(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    mean = sample.mean(axis=1)
    return np.abs(mean[:, 0] - mean[:, 1])


def _fall_of_mean(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    mean = sample.mean(axis=1)
    return mean.max(axis=1) - mean[:, -1]


def lowest_bin(planes: Planes, t: Thresholds) -> list[Part]:
    """M2: with one range for all, some layers lie in the lowest bin altogether."""
    plane = planes["relu"]
    fixed, ebab = (fx.curve(plane, estimator=ruler).sel(layer=HIDDEN) for ruler in t["rulers"])
    blind = (fixed < t["nothing"]) & (ebab > t["something"])
    return [
        share("blind", "networks with a layer that fixed bins take for one point",
              blind.any(["layer", "epoch"]), t["share"])
    ]  # fmt: skip
