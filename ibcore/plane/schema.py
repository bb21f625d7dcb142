"""What makes a Dataset an information plane."""

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

SCHEMA_VERSION = 2
DIMS = ("estimator", "seed", "epoch", "layer")
INFORMATION_STEP = 2e-4
REQUIRED_VARIABLES: dict[str, tuple[str, ...]] = {
    "i_xt": DIMS,
    "i_ty": DIMS,
    "loss": ("seed", "epoch"),
    "train_accuracy": ("seed", "epoch"),
    "test_accuracy": ("seed", "epoch"),
}
COORDINATES: dict[str, tuple[str, ...]] = {
    **{dim: (dim,) for dim in DIMS},
    "update": ("epoch",),
    "width": ("layer",),
    "measures": ("estimator",),
}
REQUIRED_ATTRS: dict[str, type | str] = {
    "schema_version": int,
    "experiment": "json",
    "digest": str,
    "code_digest": str,
    "code": "json",
    "versions": "json",
    "seed_rule": str,
    "engine": str,
    "threads": int,
    "machine": str,
    "started": str,
    "duration_s": float,
    "n_samples": int,
    "label_entropy": float,
    "profile": str,
    "canary": "json",
}
# the first one where none is given; a squared error has no unit
_UNITS = {
    **{name: ("bits",) for name in ("i_xt", "i_ty", "i_xt_error", "i_ty_error")},
    "loss": ("nats", "1"),
    "test_loss": ("nats", "1"),
}
CHECKSUM = "content_sha256"


def new_plane(
    *,
    estimators: Mapping[str, str],
    seeds: ArrayLike,
    epochs: ArrayLike,
    updates: ArrayLike,
    widths: ArrayLike,
    variables: Mapping[str, ArrayLike],
    attrs: Mapping[str, object],
) -> xr.Dataset:
    """Plane from plain arrays, checked.

    Parameters
    ----------
    estimators : {name: measures}
        For each estimator its ``repr`` and its ``measures``.
    seeds, epochs, updates, widths : integer arrays
        One entry for each seed, measured epoch (twice: epoch and optimiser steps) and layer.
    variables : {name: array}
        i_xt, i_ty (estimator, seed, epoch, layer); those with two axes are (seed, epoch), all
        others (seed, epoch, layer).
    attrs : {name: value}
        Provenance; ``schema_version`` is added.

    Raises
    ------
    ValueError
        That names everything in which the arrays make no information plane.
    """
    axes: dict[int, tuple[str, ...]] = {2: DIMS[1:3], 3: DIMS[1:], 4: DIMS}
    data = {}
    for name, given in variables.items():
        values = np.asarray(given, dtype=np.float64)
        if values.ndim not in axes:
            raise ValueError(f"{name} must have 2, 3 or 4 axes, got shape {values.shape}.")
        about = {"units": _UNITS[name][0]} if name in _UNITS else {}
        data[name] = (axes[values.ndim], values, about)
    coords = {
        "estimator": np.array(list(estimators), dtype=np.str_),
        "seed": np.asarray(seeds, dtype=np.int64),
        "epoch": np.asarray(epochs, dtype=np.int64),
        "layer": np.arange(1, len(np.atleast_1d(widths)) + 1),
        "update": ("epoch", np.asarray(updates, dtype=np.int64)),
        "width": ("layer", np.asarray(widths, dtype=np.int64)),
        "measures": ("estimator", np.array(list(estimators.values()), dtype=np.str_)),
    }
    plane = xr.Dataset(data, coords, {"schema_version": SCHEMA_VERSION, **attrs})
    check(plane)
    return plane


def check(plane: xr.Dataset) -> None:
    """Raise ValueError that names everything in which ``plane`` leaves the schema."""
    faults = [*_shape_faults(plane), *_attr_faults(plane.attrs)]
    if not faults:
        faults = _value_faults(plane)
    if faults:
        raise ValueError("not an information plane: " + "; ".join(faults) + ".")


def _shape_faults(plane: xr.Dataset) -> list[str]:
    faults = [f"dim {dim!r} is missing" for dim in DIMS if dim not in plane.dims]
    faults += [f"dim {dim!r} is unknown" for dim in plane.dims if dim not in DIMS]
    for name, dims in COORDINATES.items():
        if name not in plane.coords:
            faults.append(f"coord {name!r} is missing")
        elif plane[name].dims != dims:
            faults.append(f"coord {name!r} must have dims {dims}, got {plane[name].dims}")
    for name, dims in REQUIRED_VARIABLES.items():
        if name not in plane.data_vars:
            faults.append(f"variable {name!r} is missing")
        elif plane[name].dims != dims:
            faults.append(f"{name} must have dims {dims}, got {plane[name].dims}")
    for held, variable in plane.data_vars.items():
        name = str(held)
        if variable.dims != tuple(dim for dim in DIMS if dim in variable.dims):
            faults.append(f"{name} must have its dims in the order {DIMS}, got {variable.dims}")
        if variable.dtype.kind not in "fiu":
            faults.append(f"{name} must be real numbers, got {variable.dtype}")
        expected, units = _UNITS.get(name), variable.attrs.get("units")
        if expected and units not in expected:
            faults.append(f"{name} must be in {' or '.join(expected)}, its units are {units!r}")
        if not all(isinstance(value, str) for value in variable.attrs.values()):
            faults.append(f"the attributes of {name} must be text")
    return faults


def _attr_faults(attrs: Mapping[str, Any]) -> list[str]:
    faults = []
    for name, kind in REQUIRED_ATTRS.items():
        if name not in attrs:
            faults.append(f"attr {name!r} is missing")
        elif isinstance(kind, str):
            if not _is_json(attrs[name]):
                faults.append(f"attr {name!r} must be JSON text, got {attrs[name]!r}")
        elif not isinstance(plain(attrs[name]), int | float if kind is float else kind):
            faults.append(f"attr {name!r} must be {kind.__name__}, got {attrs[name]!r}")
    for name, value in attrs.items():
        if not isinstance(plain(value), str | int | float) or isinstance(plain(value), bool):
            faults.append(f"attr {name!r} must be text or a number, got {value!r}")
    version = attrs.get("schema_version", SCHEMA_VERSION)
    if version != SCHEMA_VERSION:
        faults.append(f"schema version {version}, this ibcore reads version {SCHEMA_VERSION}")
    return faults


def _value_faults(plane: xr.Dataset) -> list[str]:
    faults = [f"dim {dim!r} is empty" for dim in DIMS if plane.sizes[dim] == 0]
    for name in ("estimator", "seed"):
        values, counts = np.unique(plane[name].values.astype(np.str_), return_counts=True)
        if (counts > 1).any():
            faults.append(f"{name} {', '.join(values[counts > 1])} occurs more than once")
    for name in ("seed", "epoch", "layer", "update", "width"):
        if plane[name].dtype.kind not in "iu":
            faults.append(f"coord {name!r} must be integers, got {plane[name].dtype}")
    if plane["layer"].values.tolist() != list(range(1, plane.sizes["layer"] + 1)):
        faults.append(f"layers must count 1, 2, …, got {plane['layer'].values.tolist()}")
    if (np.diff(plane["epoch"].values) <= 0).any() or (plane["epoch"].values < 0).any():
        faults.append(f"epochs must increase from 0 on, got {plane['epoch'].values.tolist()}")
    if (np.diff(plane["update"].values) < 0).any():
        faults.append("updates must not decrease with the epoch")
    for held, variable in plane.data_vars.items():
        n_infinite = np.count_nonzero(np.isinf(variable.values))
        if n_infinite:
            faults.append(f"{held} has {n_infinite} infinite values")
    for name in ("train_accuracy", "test_accuracy"):
        if ((plane[name].values < 0) | (plane[name].values > 1)).any():
            faults.append(f"{name} must lie between 0 and 1")
    return faults


def plain(value: Any) -> Any:
    """NumPy scalar as the Python number it stands for."""
    return value.item() if isinstance(value, np.generic) else value


def _is_json(text: Any) -> bool:
    try:
        json.loads(text)
    except (TypeError, ValueError):
        return False
    return True
