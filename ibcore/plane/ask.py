"""Put planes together, take parts of them, summarise them over seeds."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from ibcore.plane.schema import CHECKSUM, COORDINATES, check, plain


def merge_seeds(planes: Sequence[xr.Dataset]) -> xr.Dataset:
    """One plane with the networks of all ``planes``, sorted by seed.

    Raises
    ------
    ValueError
        If a seed occurs twice, only some planes have a variable, or they are not of one experiment.
    """
    parts = _mergeable(planes, along="seed")
    names = [set(map(str, plane.data_vars)) for plane in parts]
    some, all_have = names[0].union(*names), names[0].intersection(*names)
    if some != all_have:
        odd = ", ".join(sorted(some - all_have))
        raise ValueError(f"only some planes have {odd}; drop or compute them first.")
    merged = _concat(parts, "seed").sortby("seed")
    merged.attrs = merged_attrs(parts)
    seeds = merged["seed"].values.tolist()
    experiment = json.loads(merged.attrs["experiment"])
    if isinstance(experiment, dict) and "n_seeds" in experiment:
        experiment |= {"n_seeds": len(seeds), "first_seed": seeds[0]}
        merged.attrs["experiment"] = json.dumps(experiment)
    check(merged)
    return merged


def merge_estimators(planes: Sequence[xr.Dataset]) -> xr.Dataset:
    """One plane with the estimators of all ``planes``, which must measure the same networks.

    Raises
    ------
    ValueError
        If an estimator occurs twice, the networks differ, or they are not of one experiment.
    """
    parts = _mergeable(planes, along="estimator")
    rulers = [[name for name in p.data_vars if "estimator" in p[name].dims] for p in parts]
    merged = _concat([p[names] for p, names in zip(parts, rulers, strict=True)], "estimator")
    for plane, names in zip(parts, rulers, strict=True):
        for name, variable in plane.drop_vars(names).data_vars.items():
            if name not in merged:
                merged[name] = variable
            elif not np.allclose(merged[name], variable, rtol=1e-5, atol=1e-7, equal_nan=True):
                raise ValueError(
                    f"{name} differs between the planes: these are not the same networks. "
                    "Measure all estimators on one training run."
                )
    merged.attrs = merged_attrs(parts)
    check(merged)
    return merged


def _concat(planes: list[xr.Dataset], dim: str) -> xr.Dataset:
    return xr.concat(
        planes,
        dim,
        data_vars="minimal",
        coords="minimal",
        compat="override",
        join="exact",
        combine_attrs="override",
    )


def _mergeable(planes: Iterable[xr.Dataset], along: str) -> list[xr.Dataset]:
    """The planes, if they agree in all but what lies along one dimension."""
    parts = list(planes)
    if not parts:
        raise ValueError("nothing to merge: give at least one plane.")
    for plane in parts:
        check(plane)
        _check_alike(plane, parts[0], along)
    values, counts = np.unique(np.concatenate([p[along].values for p in parts]), return_counts=True)
    if (counts > 1).any():
        twice = ", ".join(map(str, values[counts > 1]))
        raise ValueError(f"{along} {twice} occurs in more than one plane; drop one of them.")
    return parts


def _check_alike(plane: xr.Dataset, first: xr.Dataset, along: str) -> None:
    """Refuse two planes of different coordinates or origin."""
    for name, dims in COORDINATES.items():
        if along not in dims and not np.array_equal(plane[name], first[name]):
            raise ValueError(
                f"planes that differ in {name!r} cannot be merged along {along!r}: "
                f"{first[name].values.tolist()} and {plane[name].values.tolist()}."
            )
    for name in ("digest", "code_digest", "seed_rule", "profile", "n_samples"):
        if plane.attrs[name] != first.attrs[name]:
            raise ValueError(
                f"planes with different {name} cannot be merged: "
                f"{first.attrs[name]!r} and {plane.attrs[name]!r}. Compute them anew."
            )


def merged_attrs(planes: Sequence[xr.Dataset]) -> dict[str, Any]:
    """Attributes of the first plane, the whole duration, and in ``parts`` what differed."""
    attrs = {name: plain(value) for name, value in planes[0].attrs.items()}
    attrs.pop(CHECKSUM, None)
    every = [{name: plain(p.attrs.get(name)) for name in attrs} for p in planes]
    differing = [name for name in attrs if any(one[name] != attrs[name] for one in every)]
    if differing:
        attrs["parts"] = json.dumps([{name: one[name] for name in differing} for one in every])
    attrs["duration_s"] = float(sum(one["duration_s"] for one in every))
    attrs["started"] = min(one["started"] for one in every)
    return attrs


def select(
    plane: xr.Dataset,
    *,
    estimator: object = None,
    seed: object = None,
    epoch: object = None,
    layer: object = None,
) -> xr.Dataset:
    """Part of a plane by label; an error lists the labels there are.

    Parameters
    ----------
    estimator : estimator, its repr, or a list of them
    seed, epoch : int, list of int, or slice of labels (both ends included)
    layer : the same; negative numbers count from the output layer, −1

    Returns
    -------
    Dataset
        A single label drops its dimension, a list or slice keeps it.

    Raises
    ------
    ValueError
        For a label that the plane does not have.
    """
    asked: dict[str, Any] = {"estimator": estimator, "seed": seed, "epoch": epoch, "layer": layer}
    for dim, label in asked.items():
        if label is None:
            continue
        if not isinstance(label, slice):
            many = isinstance(label, list | tuple | np.ndarray | range)
            labels = [_label(plane, dim, one) for one in (label if many else [label])]
            label = labels if many else labels[0]
        plane = plane.sel({dim: label})
    return plane


def _label(plane: xr.Dataset, dim: str, label: Any) -> Any:
    """A label that the plane has; counted from the output layer where it is negative."""
    label = repr(label) if dim == "estimator" and not isinstance(label, str) else label
    there = plane[dim].values.tolist()
    if dim == "layer" and label < 0:
        label = plane.sizes["layer"] + 1 + label
    if label not in there:
        raise ValueError(f"no {dim} {label} in this plane; it has {', '.join(map(str, there))}.")
    return label


def summarise(
    plane: xr.Dataset, quantity: str = "i_xt", *, n_resamples: int = 2000, random_seed: int = 0
) -> xr.Dataset:
    """Median, percentiles and the 95 % bootstrap interval of the median, over seeds.

    Returns
    -------
    Dataset
        ``median``, ``p5``, ``p25``, ``p75``, ``p95``, ``ci_low``, ``ci_high`` with the dims of
        ``quantity`` without seed, in its units; attrs quantity, units and n_seeds. With a single
        seed the interval is NaN. A NaN in any seed makes the whole entry NaN: no network is left
        out silently.

    Raises
    ------
    ValueError
        If the plane has no such quantity, or it has no seeds.
    """
    if quantity not in plane.data_vars:
        there = ", ".join(map(str, plane.data_vars))
        raise ValueError(f"no {quantity!r} in this plane; it has {there}.")
    if "seed" not in plane[quantity].dims:
        raise ValueError(f"{quantity!r} has no seeds left to summarise; select fewer.")
    variable = plane[quantity].transpose("seed", ...)
    values = np.sort(variable.values, axis=0)  # NaN goes last
    values = np.where(np.isnan(values[-1]), np.nan, values)
    p5, p25, median, p75, p95 = np.percentile(values, [5, 25, 50, 75, 95], axis=0)
    low, high = _median_interval(values, n_resamples, random_seed)
    found = {
        "median": median, "p5": p5, "p25": p25, "p75": p75, "p95": p95,
        "ci_low": low, "ci_high": high,
    }  # fmt: skip
    units = variable.attrs.get("units", "")
    return xr.Dataset(
        {name: (variable.dims[1:], value, {"units": units}) for name, value in found.items()},
        {name: coord for name, coord in variable.coords.items() if "seed" not in coord.dims},
        {"quantity": quantity, "units": units, "n_seeds": len(values)},
    )


def _median_interval(
    ordered: np.ndarray, n_resamples: int, random_seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """95 % percentile bootstrap of the median along the first, ordered axis."""
    n = len(ordered)
    if n < 2:
        return np.full(ordered.shape[1:], np.nan), np.full(ordered.shape[1:], np.nan)
    # Resampling draws ranks, the same for every entry: sorted values are looked up, not sorted.
    generator = np.random.Generator(np.random.Philox(random_seed))
    ranks = np.sort(generator.integers(0, n, size=(n_resamples, n)), axis=1)
    pairs, weight = np.unique(ranks[:, [(n - 1) // 2, n // 2]], axis=0, return_counts=True)
    medians = (ordered[pairs[:, 0]] + ordered[pairs[:, 1]]) / 2
    medians = np.repeat(medians, weight, axis=0)
    low, high = np.percentile(medians, [2.5, 97.5], axis=0)
    return low, high
