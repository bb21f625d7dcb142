"""What figures read from a plane: arrays, names, labels; and how they refuse what is not there."""

import json
import re
from collections.abc import Iterable, Sequence

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

SEED_EPOCH = ("seed", "epoch")
SEED_EPOCH_LAYER = ("seed", "epoch", "layer")


def array(data: xr.Dataset, name: str, dims: Sequence[str]) -> np.ndarray:
    """Variable ``name`` as a float64 array with axes ``dims``; refuses what is not there."""
    if name not in data.data_vars:
        raise ValueError(
            f"expected a variable {name!r}, got {sorted(map(str, data.data_vars))}; "
            "measure it, or draw one of these."
        )
    found = data[name]
    if set(found.dims) != set(dims):
        raise ValueError(
            f"{name} must have dims {tuple(dims)}, got {found.dims}; "
            "select or expand the others first."
        )
    return found.transpose(*dims).values.astype(np.float64)


def select(plane: xr.Dataset, estimator: object = None) -> xr.Dataset:
    """Plane of one estimator, given by its name or itself; None where there is only one."""
    if "estimator" not in plane.dims:
        return plane
    names = [str(name) for name in plane.estimator.values]
    wanted = estimator if isinstance(estimator, str) else repr(estimator)
    if estimator is None and len(names) == 1:
        return plane.isel(estimator=0)
    if estimator is None:
        raise ValueError(f"the plane holds {len(names)} estimators, choose one of {names}.")
    if wanted not in names:
        raise ValueError(f"no estimator {wanted!r} in the plane, choose one of {names}.")
    return plane.isel(estimator=names.index(wanted))


def chosen_layers(plane: xr.Dataset, layers: Iterable[int] | None) -> list[int]:
    """Layer numbers to draw: all of the plane's, or those of ``layers``, which must exist."""
    there = [int(layer) for layer in plane.layer.values]
    wanted = there if layers is None else [int(layer) for layer in layers]
    if not wanted or not set(wanted) <= set(there):
        raise ValueError(f"layers must be some of {there}, got {wanted}.")
    return wanted


def one_of(name: str, value: object, allowed: Sequence[str]) -> None:
    """Refuse a word that is not one of ``allowed``."""
    if value not in allowed:
        raise ValueError(f"{name} must be one of {list(allowed)}, got {value!r}.")


def layer_names(plane: xr.Dataset) -> dict[int, str]:
    """Layer number -> "number (width)", or "name (width)", for legends.

    Widths and names are there as far as they are known.

    Examples
    --------
    >>> plane = xr.Dataset(coords={"layer": [1, 2], "width": ("layer", [10, 2])})
    >>> layer_names(plane)
    {1: '1 (10)', 2: '2 (2)'}
    """
    layers = [int(layer) for layer in plane.layer.values]
    given = json.loads(plane.attrs.get("layer_names", "[]"))  # of a module's layers
    names = {layer: given[layer - 1] if given else str(layer) for layer in layers}
    if "width" not in plane.coords:
        return names
    return {
        layer: f"{names[layer]} ({int(w)})"
        for layer, w in zip(layers, plane.width.values, strict=True)
    }


def legend_title(plane: xr.Dataset) -> str:
    """Say what the legend's entries are."""
    return "layer (width)" if "width" in plane.coords else "layer"


def information_label(plane: xr.Dataset, quantity: str) -> str:
    """Axis label of i_xt or i_ty, from what the plane's estimator measures.

    An estimator states what it makes of I(X;T). The same variable stands in I(T;Y), but the
    difference of two bounds is no bound: it is called an estimate.

    Examples
    --------
    >>> plane = xr.Dataset(coords={"measures": "upper bound on I(X; T+Z)"})
    >>> information_label(plane, "i_ty")
    'estimate of I(T+Z; Y) [bits]'
    """
    measures = str(plane.measures.values) if "measures" in plane.coords else "I(X; T)"
    if quantity == "i_xt":
        return f"{measures} [bits]"
    match = re.fullmatch(r"(.*)I\(X; ?(.+)\)", measures)
    if match is None:
        return "I(T; Y) [bits]"
    prefix = "estimate of " if match[1].strip() else ""
    return f"{prefix}I({match[2]}; Y) [bits]"


def quantiles(values: ArrayLike, axis: int = 0) -> np.ndarray:
    """Quantiles 5, 25, 50, 75 and 95 % along ``axis``, which becomes the first one."""
    return np.quantile(np.asarray(values, dtype=np.float64), [0.05, 0.25, 0.5, 0.75, 0.95], axis)


def times_of(plane: xr.Dataset, time: str) -> tuple[np.ndarray, str]:
    """Time axis of the plane and its label, in epochs or in optimiser updates."""
    one_of("time", time, ("epoch", "update"))
    if time not in plane.coords:
        held = sorted(map(str, plane.coords))
        raise ValueError(f"the plane has no coordinate {time!r}, got {held}.")
    return plane[time].values, {"epoch": "epoch", "update": "optimiser update"}[time]


def ceilings_of(plane: xr.Dataset) -> dict[str, tuple[float, str]]:
    """Quantity -> (bits, label) of the ceilings log2 N and H(Y), where the plane states them."""
    found = {}
    if "n_samples" in plane.attrs:
        n = int(plane.attrs["n_samples"])
        found["i_xt"] = (float(np.log2(n)), f"log₂ {n} = {np.log2(n):.4g} bits")
    if "label_entropy" in plane.attrs:
        h = float(plane.attrs["label_entropy"])
        found["i_ty"] = (h, f"H(Y) = {h:.3f} bits")
    return found
