"""Noisy networks on the 12-bit task, and the deterministic twin under bins."""

import json

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ibcore.claims import effects as fx
from ibcore.claims.common import Planes, Thresholds, is_saturated, table
from ibcore.claims.decide import Part, fact, median, reported, share, statistic


def ruler_of(plane: xr.Dataset) -> dict[str, str]:
    """The first ruler of a plane, for functions that ask for one."""
    return {"estimator": str(plane.estimator.values[0])}


def rows_stay_apart(planes: Planes, t: Thresholds) -> list[Part]:
    """S1: before training, float32 rows tell all inputs apart in the first layers."""
    plane = planes["quiet"]
    start = fx.variable(plane, "i_xt").sel(estimator=t["ruler"], layer=list(t["layers"]))
    apart = start.isel(epoch=0) > np.log2(plane.attrs["n_samples"]) - t["slack"]
    found = float(apart.mean())
    return [fact("constant", "layers and networks at log2 N", found >= t["share"],
                 note=f"{found:.1%} of {apart.size}")]  # fmt: skip


def bin_size(planes: Planes, t: Thresholds) -> list[Part]:
    """F3: finer bins always show more, up to what float32 rows show, over many bits."""
    ix = fx.variable(planes["quiet"], "i_xt")
    finer = np.stack([ix.sel(estimator=_bins(n)).values for n in t["bins"]])
    exact = ix.sel(estimator=t["exact"])
    coarse, fine = (_bins(n) for n in t["spread_bins"])
    at_end = ix.isel(epoch=-1).sel(layer=5)
    gap = (exact - ix.sel(estimator=_bins(t["bins"][-1]))).isel(epoch=-1)
    return [
        share("monotone", "networks in which IX never falls as nested bins get finer",
              (np.diff(finer, axis=0) > -t["rounding"]).all(axis=(0, 2, 3)), t["share"]),
        *(
            median("reaches", "float32 rows minus the finest bins", gap.sel(layer=layer), "<",
                   t["gap"], unit="bits", layer=int(layer))
            for layer in gap.layer.values
        ),
        median("spread", "IX at width 1/8192 minus IX at width 1/8",
               at_end.sel(estimator=fine) - at_end.sel(estimator=coarse), ">", t["spread"],
               unit="bits", layer=5),
    ]  # fmt: skip


def _bins(n: int) -> str:
    return f"Binning(n_bins={n}, low=-1.0, high=1.0)"


def noise_is_measured(planes: Planes, t: Thresholds) -> list[Part]:
    """F4: networks train with the noise under which they are measured."""
    return [
        fact("same", f"noise in training and in the ruler, {name}",
             f"noise_std={json.loads(plane.attrs['experiment'])['noise_std']}"
             in str(plane.estimator.values[0]))
        for name, plane in planes.items()
    ]  # fmt: skip


def rises_and_falls(planes: Planes, t: Thresholds) -> list[Part]:
    """F5: the last hidden layer gains, then loses, as its classes contract; once per setting."""
    parts = []
    for cell, plane in planes.items():
        here = {"cell": cell, "layer": t["layer"]}
        plane = plane.sel(layer=[t["layer"]])  # the output, without noise, has no information
        ix, ratio, c, peak = (
            one.isel(layer=0)
            for one in (fx.curve(plane), _ratio(plane), fx.compression(plane), fx.peak_epoch(plane))
        )
        together = _after_peak(ix, ratio, peak)
        parts += [
            median("compresses", "C", c, ">",
                   t["compression"], unit="bits", group="compression", **here),
            median("not before", "tpk", peak, ">=", t["peak"][0], unit="epochs",
                   group="peak", **here),
            median("not after", "tpk", peak, "<=", t["peak"][1], unit="epochs",
                   group="peak", **here),
            median("learns", "test accuracy", plane.test_accuracy.isel(epoch=-1), ">=",
                   t["accuracy"], group="accuracy", **here),
            median("together", "rank correlation of IX and scatter after the peak", together, ">",
                   t["correlation"], group="scatter", **here),
        ]  # fmt: skip
    return parts


def _ratio(plane: xr.Dataset) -> xr.DataArray:
    """Scatter within classes over scatter between them, smoothed."""
    within, between = (fx.curve(plane, f"scatter_{name}") for name in ("within", "between"))
    return within / np.maximum(between, 1e-12)


def _after_peak(ix: xr.DataArray, other: xr.DataArray, peak: xr.DataArray) -> NDArray[np.float64]:
    """Rank correlation, network by network, over the checkpoints from the peak on."""
    found = []
    for seed in ix.seed.values:
        later = ix.epoch.values >= int(peak.sel(seed=seed))
        x, y = (one.sel(seed=seed).values[later] for one in (ix, other))
        found.append(fx.spearman(x, y[None])[0] if later.sum() >= 4 else np.nan)
    return np.array(found)


def corners(planes: Planes, t: Thresholds) -> list[Part]:
    """F5b: information moves with the scatter, and the classes end up in two corners."""
    plane = planes["noisy"]
    later = plane.epoch.values >= 1
    ix = fx.curve(plane).sel(layer=t["layer"]).isel(epoch=later)
    scatter = fx.curve(plane, "scatter_within").sel(layer=t["layer"]).isel(epoch=later)
    agree = (np.sign(ix.diff("epoch")) == np.sign(scatter.diff("epoch"))).mean("epoch")
    end = plane.isel(epoch=-1).sel(layer=t["layer"])
    return [
        median("signs", "steps in which IX and the scatter move the same way", agree, ">",
               t["agree"], layer=t["layer"], group="signs"),
        median("corners", "share of a class near its corner", end.corner_share, ">",
               t["near"], layer=t["layer"], group="corners"),
        share("apart", "networks whose classes sit in different corners", end.corners_apart > 0,
              t["apart"], layer=t["layer"], group="corners"),
    ]  # fmt: skip


def orthonormal(planes: Planes, t: Thresholds) -> list[Part]:
    """F6: orthonormal weights stop compression and do not cost accuracy; once per strength."""
    plain = planes["noisy"]
    c_plain, own = fx.compression(plain, estimator=t["ruler"]), plain.test_accuracy.isel(epoch=-1)
    parts = []
    for cell, plane in planes.items():
        if cell == "noisy":
            continue
        c = fx.compression(plane)
        for layer in t["layers"]:
            both = table([c.sel(layer=layer), c_plain.sel(layer=layer)])
            parts.append(
                statistic("less", "C with over C without", _ratio_of_medians, both, "<",
                          t["ratio"], cell=cell, group="compression", layer=layer)
            )  # fmt: skip
        gain = plane.test_accuracy.isel(epoch=-1) - own
        parts.append(
            median("accuracy", "test accuracy with minus without", gain, ">=", t["accuracy"],
                   cell=cell, group="accuracy")
        )  # fmt: skip
    return parts


def _ratio_of_medians(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = np.median(sample, axis=1)
    return middle[:, 0] / np.maximum(middle[:, 1], 1e-9)


def clustering(planes: Planes, t: Thresholds) -> list[Part]:
    """C1: information goes with the scatter, in noisy networks and, binned, in their twins."""
    parts = []
    for group, plane in planes.items():
        ix = fx.curve(plane)
        for cell, scatter in (
            ("within", fx.curve(plane, "scatter_within")),
            ("within over between", _ratio(plane)),
        ):
            for layer in t["layers"]:
                x, y = (one.sel(layer=layer).values for one in (ix, scatter))
                r = [fx.spearman(a, b[None])[0] for a, b in zip(x, y, strict=True)]
                parts.append(
                    median("together", "rank correlation of IX and scatter", r, ">",
                           t["correlation"], cell=cell, group=group, layer=layer,
                           saturated=is_saturated(plane, layer))
                )  # fmt: skip
    return parts


def not_needed(planes: Planes, t: Thresholds) -> list[Part]:
    """C2: a network that does not compress and generalises as well as its plain twin."""
    own = planes["noisy"].test_accuracy.isel(epoch=-1)
    flags = []
    for name, plane in planes.items():
        if name != "noisy":
            still = (fx.compression(plane).sel(layer=list(t["layers"])) < t["compression"]).all(
                "layer"
            )
            flags.append(still & (plane.test_accuracy.isel(epoch=-1) >= own))
    found = int(sum(int(one.sum()) for one in flags))
    return [
        fact("exists", "an orthonormal network with little compression and no less accuracy",
             found > 0, note=f"{found} of {sum(one.size for one in flags)} networks")
    ]  # fmt: skip


def noise_scan(planes: Planes, t: Thresholds) -> list[Part]:
    """NOISE: where noise is small all is saturated, where it is large little is left to lose."""
    top = {name: fx.curve(plane).max("epoch") for name, plane in planes.items()}
    drops = [
        statistic("falls", "largest step up of the median max IX as noise grows", _largest_step,
                  table([one.sel(layer=layer) for one in top.values()]), "<=", t["slack"],
                  unit="bits", layer=layer)
        for layer in t["layers"]
    ]  # fmt: skip
    return [
        *drops,
        *(
            reported(median("compresses", "C", fx.compression(plane).sel(layer=t["layers"][-1]),
                            ">", 0.0, unit="bits", group=name))
            for name, plane in planes.items()
        ),
    ]  # fmt: skip


def _largest_step(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.diff(np.median(sample, axis=1), axis=1).max(axis=1)


def spiral(planes: Planes, t: Thresholds) -> list[Part]:
    """GEST-F6: the noisy network learns the spiral."""
    accuracy = planes["spiral"].test_accuracy.isel(epoch=-1)
    return [median("learns", "test accuracy", accuracy, ">=", t["accuracy"])]


def convolutional(planes: Planes, t: Thresholds) -> list[Part]:
    """MN: angles between classes open during training; small noise does no harm, large does."""
    plain = planes["cnn"]
    gap = (fx.curve(plain, "cosine_within") - fx.curve(plain, "cosine_between")).sel(
        layer=list(t["layers"])
    )
    gap = gap.transpose("layer", "seed", "epoch")
    error = {name: 1 - plane.test_accuracy.isel(epoch=-1) for name, plane in planes.items()}
    parts = [
        median("cosines", "rank correlation of epoch and cosine gap",
               fx.spearman(gap.epoch.values, gap.sel(layer=layer).values),
               ">", t["correlation"], group="cosines", layer=layer)
        for layer in t["layers"]
    ]  # fmt: skip
    parts += [
        statistic("small", "change of the median error in standard deviations", _in_deviations,
                  table([error["cnn"], error[name]]), "<", 1.0, group=f"small noise, {name}")
        for name in t["small"]
    ]  # fmt: skip
    parts.append(
        statistic("large", "median error over that without noise", _ratio_of_medians,
                  table([error[t["large"]], error["cnn"]]), ">", t["times"], group="large noise")
    )  # fmt: skip
    return parts + [
        reported(median("error", "test error", error[name], "<", 0.0, group=name))
        for name in ("cnn", *t["small"], *t["shown"], t["large"])
    ]


def _in_deviations(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = np.median(sample, axis=1)
    return np.abs(middle[:, 1] - middle[:, 0]) / np.maximum(sample[..., 0].std(axis=1), 1e-9)
