"""Two runs at the same epoch, update or loss, interpolated between checkpoints."""

import numpy as np
import xarray as xr
from numpy.typing import NDArray


def at_equal(one: xr.Dataset, other: xr.Dataset, *, clock: str) -> tuple[xr.Dataset, xr.Dataset]:
    """Two runs up to the same epoch, the same update or, network by network, the same loss.

    The run that goes further is held from there on at the value it has there, interpolated between
    checkpoints. Seeds that both have are kept.
    """
    seeds = np.intersect1d(one.seed, other.seed)
    pair = [plane.sel(seed=seeds) for plane in (one, other)]
    if clock in ("epoch", "update"):
        end = min(float(plane[clock][-1]) for plane in pair)
        places = [np.broadcast_to(_place(plane[clock].values, end), seeds.shape) for plane in pair]
    else:
        losses = [plane["loss"].transpose("seed", "epoch").values for plane in pair]
        least = np.maximum(losses[0].min(axis=1), losses[1].min(axis=1))
        places = [
            np.array([_first_down(curve, level) for curve, level in zip(many, least, strict=True)])
            for many in losses
        ]
    first, second = (_held(plane, at) for plane, at in zip(pair, places, strict=True))
    return first, second


def _place(times: NDArray[np.float64], end: float) -> float:
    """Fractional checkpoint of a time."""
    return float(np.interp(end, times, np.arange(len(times))))


def _first_down(loss: NDArray[np.float64], level: float) -> float:
    """Fractional checkpoint at which a loss first comes down to a level."""
    k = int((loss <= level).argmax())
    if k == 0:
        return 0.0
    return k - float((level - loss[k]) / (loss[k - 1] - loss[k]))


def _held(plane: xr.Dataset, places: NDArray[np.float64]) -> xr.Dataset:
    """The plane with every network held from its fractional checkpoint on."""
    steps = np.arange(plane.sizes["epoch"])
    at = xr.DataArray(np.asarray(places, dtype=float), dims="seed", coords={"seed": plane.seed})
    below = np.floor(at).astype(int)
    above = np.minimum(below + 1, steps[-1])
    later = xr.DataArray(steps, dims="epoch") > at
    found = {}
    for name, values in plane.data_vars.items():
        if "epoch" in values.dims:
            bare = values.drop_vars("epoch", errors="ignore")
            a, b = bare.isel(epoch=below), bare.isel(epoch=above)
            there = a + (at - below) * (b - a)
            found[name] = bare.where(~later, there).transpose(*values.dims)
    return plane.assign({k: (v.dims, v.values) for k, v in found.items()})
