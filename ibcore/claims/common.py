"""What the evidence functions of a chapter share: parts of criteria, and tables of networks."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ibcore.claims import effects as fx
from ibcore.claims.decide import Part, median, share

Planes = Mapping[str, xr.Dataset]
Thresholds = Mapping[str, Any]


def phases(plane: xr.Dataset, t: Thresholds, layers: Iterable[int], **where: Any) -> list[Part]:
    """C > 0.5 in most networks, an early peak and a long rest; D says which way it went."""
    c, d = fx.compression(plane), fx.signed_change(plane)
    peak, last = fx.peak_epoch(plane), last_epoch(plane)
    parts = []
    for layer in layers:
        here = {"layer": layer, "saturated": is_saturated(plane, layer), **where}
        compresses = c.sel(layer=layer) > t["compression"]
        at = peak.sel(layer=layer) / last
        parts += [
            share(
                "compresses",
                f"networks with C > {t['compression']} bit",
                compresses,
                t["share"],
                signed=d.sel(layer=layer),
                **here,
            ),
            median("peak", "tpk / T", at, "<", t["peak"], **here),
            median("rest", "(T - tpk) / T", 1 - at, ">", t["rest"], **here),
        ]
    return parts


def transition(plane: xr.Dataset, t: Thresholds, prefix: str, **where: Any) -> list[Part]:
    """In most networks the ratio falls by a decade at its change point, in every layer."""
    _, drop = fx.change_point(fx.log_snr(plane, prefix))
    return [
        share(
            "falls",
            f"networks whose SNR falls by {t['decades']} decade or more",
            drop.sel(layer=layer) >= t["decades"],
            t["share"],
            signed=drop.sel(layer=layer),
            signed_side=">",
            layer=int(layer),
            **where,
        )
        for layer in drop.layer.values
    ]


def alignment(plane: xr.Dataset, t: Thresholds, prefix: str, **where: Any) -> list[Part]:
    """|log10(t_SNR / tpk)|, epoch 0 counted as 1."""
    when, _ = fx.change_point(fx.log_snr(plane, prefix))
    ratio = when / np.maximum(fx.peak_epoch(plane), 1)
    distance = abs(ratio.copy(data=np.log10(ratio.values)))
    return [
        median(
            "aligned",
            "|log10(t_SNR / tpk)|",
            distance.sel(layer=layer),
            "<",
            t["decades_apart"],
            unit="decades",
            layer=layer,
            saturated=is_saturated(plane, layer),
            **where,
        )
        for layer in t["aligned_layers"]
    ]


def is_saturated(plane: xr.Dataset, layer: int) -> bool:
    """Whether the layer is saturated in at least half of the networks."""
    return bool(fx.saturated_layers(plane).sel(layer=layer))


def last_epoch(plane: xr.Dataset) -> int:
    """Return T, the last measured epoch."""
    return int(plane.epoch[-1])


def depth(plane: xr.Dataset) -> int:
    """Hidden layers, which is also the number of the last of them."""
    return plane.sizes["layer"] - 1


def by_depth(planes: Planes) -> list[xr.Dataset]:
    """Return the planes called depth_1, depth_2, …, the shallowest first."""
    named = [plane for name, plane in planes.items() if name.startswith("depth_")]
    return sorted(named, key=depth)


def matched(noisy: xr.Dataset, full: xr.Dataset, clock: str) -> tuple[xr.Dataset, xr.Dataset]:
    """Cut the longer run at the last checkpoint within the shorter one, by epochs or updates."""
    end = min(int(noisy[clock][-1]), int(full[clock][-1]))
    return noisy.isel(epoch=noisy[clock].values <= end), full.isel(epoch=full[clock].values <= end)


def table(columns: Sequence[xr.DataArray]) -> NDArray[np.float64]:
    """(seed, column) array over all seeds that occur, NaN where a column lacks one."""
    seeds = sorted({int(seed) for column in columns for seed in column.seed.values})
    return np.stack([column.reindex(seed=seeds).values for column in columns], axis=1)


def medians(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    """Median over networks: (resample, seed, column) -> (resample, column)."""
    if not np.isnan(sample).any():
        return np.median(sample, axis=1)
    with warnings.catch_warnings():
        # A column without any network stays NaN.
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmedian(sample, axis=1)
