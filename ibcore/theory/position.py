"""Where a layer stands in the plane: its distances from the bottleneck curve of a task."""

from __future__ import annotations

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from ibcore.theory.bottleneck import ib_curve, relevance_at

COORDINATES = ("complexity", "relevance")
_BETAS = np.geomspace(1, 1e4, 120)


def label_ib_curve(p_one: ArrayLike) -> xr.Dataset:
    """The bottleneck curve of two classes, for equally likely inputs, at 120 β from 1 to 10 000.

    Parameters
    ----------
    p_one : (sample,) array
        P(y = 1 | x) of every input; 0 or 1 where labels are certain.

    Returns
    -------
    xarray.Dataset
        As from ``ib_curve``.

    Examples
    --------
    >>> label_ib_curve([0, 0, 1, 1]).attrs["information"]
    1.0
    """
    one = np.asarray(p_one, dtype=np.float64)
    if one.ndim != 1 or not len(one) or not ((one >= 0) & (one <= 1)).all():
        raise ValueError("p_one must be a list of probabilities, one for each input.")
    return ib_curve(np.stack([1 - one, one], axis=1) / len(one), _BETAS)


def distance_to_curve(
    curve: xr.Dataset, i_xt: ArrayLike, i_ty: ArrayLike, coordinate: str
) -> NDArray[np.float64]:
    """Bits from points of the plane to a bottleneck curve, along one of its coordinates.

    Parameters
    ----------
    curve : xarray.Dataset
        From ``ib_curve``.
    i_xt, i_ty : arrays of one shape
        Of the points, bits.
    coordinate : str
        "complexity": I(X;T) minus the least that its I(T;Y) needs, the *excess*. "relevance": the
        most I(T;Y) that its I(X;T) allows, minus its own, the *shortfall*.

    Returns
    -------
    array of the shape of the points

    Examples
    --------
    With certain labels one bit of the input is enough. Who keeps twelve has eleven too many:

    >>> curve = label_ib_curve([0, 0, 1, 1])
    >>> distance_to_curve(curve, 12.0, 1.0, "complexity").round(6).item()
    11.0
    >>> abs(distance_to_curve(curve, 12.0, 1.0, "relevance").round(6).item())
    0.0
    """
    if coordinate not in COORDINATES:
        raise ValueError(f"coordinate must be one of {', '.join(COORDINATES)}, got {coordinate!r}.")
    if coordinate == "relevance":
        return np.asarray(relevance_at(curve, i_xt) - np.asarray(i_ty))
    # The curve upside down, at its own knots; where it is flat, the least I(X;T) counts.
    ends = [0.0, curve.attrs["sufficient_complexity"]]
    knots = np.unique(np.concatenate([ends, curve.complexity.values]).clip(*ends))
    most = relevance_at(curve, knots)
    first = np.unique(np.round(most, 12), return_index=True)[1]
    return np.asarray(i_xt) - np.interp(np.asarray(i_ty), most[first], knots[first])
