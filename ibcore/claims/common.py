"""What the functions of the papers share: tables of networks, and why a cell cannot answer."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from ibcore.claims import effects as fx
from ibcore.claims.intervals import medians

Planes = Mapping[str, xr.Dataset]
Settings = Mapping[str, Any]
"""The ``with`` of a test: every number that a function uses."""

__all__ = [
    "Planes", "Settings", "by_depth", "depth", "is_saturated", "last_epoch", "medians", "table",
    "why_hollow",
]  # fmt: skip


def table(columns: Sequence[xr.DataArray]) -> xr.DataArray:
    """(seed, column) array over all seeds that occur, NaN where a column lacks one."""
    seeds = sorted({int(seed) for column in columns for seed in column.seed.values})
    values = np.stack([column.reindex(seed=seeds).values for column in columns], axis=1)
    return xr.DataArray(values, dims=("seed", "column"), coords={"seed": seeds})


def why_hollow(plane: xr.Dataset, layer: int | None = None, ruler: str | None = None) -> str:
    """Why a plane, or a layer of it, cannot answer; "" if it can."""
    if why := fx.void(plane):
        return why
    full = layer is not None and is_saturated(plane, layer, ruler)
    return "at its ceiling" if full else ""


def is_saturated(plane: xr.Dataset, layer: int, ruler: str | None = None) -> bool:
    """Whether the layer is at its ceiling in at least half of the networks."""
    return bool(fx.saturated_layers(plane, estimator=ruler).sel(layer=layer))


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
