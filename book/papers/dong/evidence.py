"""What the vocabulary cannot say of Dong & Hisham: forty settings as units, and mirror images.

The source leaves nearly everything open, so its sentences are asked of forty settings. The median
of the five networks of a setting counts as one number; a setting whose networks did not learn the
task gives none. Where an arm is one experiment, its networks are the units. ``groups`` names arms
by their experiments without the number, ``pairs`` an arm and the one it is compared with.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ibcore.claims import effects as fx
from ibcore.claims import relations
from ibcore.claims.cells import Cell, cell, fact, share
from ibcore.claims.common import Planes, Settings

Several = Sequence[xr.Dataset]


def falls(planes: Planes, t: Settings) -> list[Cell]:
    """F2 to F5: what the hidden layer that loses most loses of ``quantity``."""
    return [
        cell(
            label,
            _units(many, lambda plane: _largest_fall(plane, t), t),
            signed=_units(many, lambda plane: _largest_fall(plane, t, since_learnt=True), t),
        )
        for label, many in _groups(planes, t)
    ]


def how_often(planes: Planes, t: Settings) -> list[Cell]:
    """F2 to F5: share of the units that lose more than ``line``."""
    return [
        share(label, _flags(_units(many, lambda plane: _largest_fall(plane, t), t), t["line"]))
        for label, many in _groups(planes, t)
    ]


def label_falls_more(planes: Planes, t: Settings) -> list[Cell]:
    """F4r: fall of I(T;Y) in parts of H(Y) minus that of I(T;X) in parts of log2 N."""
    return [
        cell(label, _units(many, lambda plane: _label_minus_input(plane, t), t))
        for label, many in _groups(planes, t)
    ]


def adds(planes: Planes, t: Settings) -> list[Cell]:
    """C2: what the hidden layers lose with the penalty minus what they lose without, on average."""
    return [
        cell(label, _units(many, lambda one, other: _more(one, other, t), t))
        for label, many in _pairs(planes, t)
    ]


def alike(planes: Planes, t: Settings) -> list[Cell]:
    """F23: rank correlation of the mean curves of two arms, over layers and checkpoints."""
    cells = []
    for label, many in _pairs(planes, t):
        if len(many) == 1:
            points = xr.align(*(_points(plane, t) for plane in many[0]), join="inner")
            both = xr.concat(points, "arm").transpose("seed", "arm", "point")
            cells.append(cell(label, both, statistic=_rank_of_means))
            continue
        means = [[_points(plane, t).mean("seed") for plane in pair] for pair in many]
        found = [relations.spearman(a, b.values[None])[0] for a, b in means]
        learnt = [_learnt(pair, t) for pair in many]
        cells.append(cell(label, np.where(learnt, found, np.nan)))
    return cells


def overtrained(planes: Planes, t: Settings) -> list[Cell]:
    """C1: test loss at the end over its minimum; signed, over what it is early on, minus 1."""

    def rise(plane: xr.Dataset) -> xr.DataArray:
        return plane.test_loss.isel(epoch=-1) / plane.test_loss.min("epoch")

    def later(plane: xr.Dataset) -> xr.DataArray:
        return plane.test_loss.isel(epoch=-1) / fx.at_epoch(plane.test_loss, t["short"]) - 1

    return [
        cell(label, _units(many, rise, t), signed=_units(many, later, t))
        for label, many in _groups(planes, t)
    ]


def enough(planes: Planes, t: Settings) -> list[Cell]:
    """C1: test accuracy early on minus that at the epoch at which it is best on average."""

    def short(plane: xr.Dataset) -> xr.DataArray:
        best = int(plane.test_accuracy.mean("seed").argmax("epoch"))
        early = fx.at_epoch(plane.test_accuracy, t["short"])
        return early - plane.test_accuracy.isel(epoch=best, drop=True)

    return [cell(label, _units(many, short, t)) for label, many in _groups(planes, t)]


def open_choices(planes: Planes, t: Settings) -> list[Cell]:
    """OPEN: share of settings in which each finding holds for the median network."""
    lost, label = t["input"], t["label"]
    found = [
        share(f"{name}: nothing is lost", 1 - _flags(values, lost["line"]))
        for name, many in _groups(planes, {**t, "groups": t["without"]})
        for values in [_units(many, lambda plane: _largest_fall(plane, {**t, **lost}), t)]
    ]
    found += [
        share(f"{name} with L2: the label is lost", _flags(values, label["line"]))
        for name, many in _groups(planes, {**t, "groups": t["with_penalty"]})
        for values in [_units(many, lambda plane: _largest_fall(plane, {**t, **label}), t)]
    ]
    found += [
        share(f"{one.label}: L2 adds compression", _flags(one.values, t["more"]))
        for one in adds(planes, {**t, "quantity": "i_xt"})
    ]
    return found


def mirrored_x(planes: Planes, t: Settings) -> list[Cell]:
    """EQ2: both readings of I(T;X) add up to 2 log2 N, N the training samples."""
    known = 2 * np.log2(t["samples"])
    return [
        fact(name, bool((abs(both - known) <= t["rounding"]).all()))
        for name, both in _both_readings(planes, t, "i_xt").items()
    ]


def mirrored_y(planes: Planes, t: Settings) -> list[Cell]:
    """EQ3: both readings of I(T;Y) add up to 2 H(Y) of each network's training labels."""
    cells = []
    for name, both in _both_readings(planes, t, "i_ty").items():
        steady = (both.max(["epoch", "layer"]) - both.min(["epoch", "layer"])) <= t["rounding"]
        near = abs(both - 2 * planes[name].attrs["label_entropy"]) <= t["split"]
        cells.append(fact(name, bool(steady.all() and near.all())))
    return cells


def _both_readings(planes: Planes, t: Settings, name: str) -> dict[str, xr.DataArray]:
    """Sum of both readings, plane by plane, at hidden layers."""
    where = {"layer": t["layers"]}
    return {
        key: sum(
            (fx.variable(plane, name).sel(estimator=ruler, **where) for ruler in t["rulers"]),
            start=xr.DataArray(0.0),
        )
        for key, plane in planes.items()
    }


# Units


def _arm(planes: Planes, stem: str) -> list[xr.Dataset]:
    """Every experiment of this name, alone or with a number behind it."""
    return [plane for name, plane in planes.items() if re.fullmatch(rf"{stem}(_\d+)?", name)]


def _groups(planes: Planes, t: Settings) -> list[tuple[str, list[Several]]]:
    return [(label, [(one,) for one in _arm(planes, stem)]) for label, stem in t["groups"].items()]


def _pairs(planes: Planes, t: Settings) -> list[tuple[str, list[Several]]]:
    return [
        (label, list(zip(*(_arm(planes, stem) for stem in pair), strict=True)))
        for label, pair in t["pairs"].items()
    ]


def _units(
    many: Sequence[Several], measure: Callable[..., xr.DataArray], t: Settings
) -> NDArray[np.float64] | xr.DataArray:
    """One number for each network of one setting, or the median of each of several settings."""
    if len(many) == 1:
        return measure(*many[0])
    learnt = [_learnt(several, t) for several in many]
    found = [float(measure(*several).median()) for several in many]
    return np.where(learnt, found, np.nan)


def _learnt(several: Several, t: Settings) -> bool:
    """Whether the median network is better than ``accuracy`` at some time, in each plane."""
    best = [float(plane.test_accuracy.max("epoch").median()) for plane in several]
    return min(best) > t["accuracy"]


def _flags(values: NDArray[np.float64] | xr.DataArray, line: float) -> NDArray[np.float64]:
    found = np.asarray(values)
    return np.where(np.isnan(found), np.nan, found > line)


# Falls


def _full(plane: xr.Dataset, t: Settings) -> xr.DataArray:
    """Hidden layers, (layer,), at the ceiling log2 N at every checkpoint in half of the networks.

    N are the rows that the networks were trained on, which are those that are measured.
    """
    ceiling = np.log2(_samples(plane)) - fx.CEILING_SLACK
    ix = fx.curve(plane).sel(layer=t["layers"])
    return (ix >= ceiling).all("epoch").mean("seed") >= 0.5


def _samples(plane: xr.Dataset) -> float:
    return float(plane.attrs["n_samples"]) * fx.train_fraction(plane)


def _curve(plane: xr.Dataset, quantity: str, full: xr.DataArray, t: Settings) -> xr.DataArray:
    """Curves of the hidden layers that are not full, up to ``until``."""
    values = fx.curve(plane, quantity).sel(layer=full.layer[~full])
    return values.sel(epoch=values.epoch <= t.get("until", int(values.epoch[-1])))


def _largest_fall(plane: xr.Dataset, t: Settings, *, since_learnt: bool = False) -> xr.DataArray:
    """(seed,): from the peak to the end, of the layer that falls most; NaN if all are full.

    From when the task was learnt it is that of the middle layer: the largest of several numbers of
    either sign is above 0 where there is nothing.
    """
    values = _curve(plane, t["quantity"], _full(plane, t), t)
    if values.sizes["layer"] == 0:
        return _nothing(plane)
    start = fx.when_learnt(plane, values) if since_learnt else values.max("epoch")
    lost = start - fx.final(values)
    if t["relative"]:
        largest = values.max("epoch")
        lost = lost / largest.where(largest > 0, 1.0)
    return lost.median("layer") if since_learnt else lost.max("layer")


def _more(one: xr.Dataset, other: xr.Dataset, t: Settings) -> xr.DataArray:
    """(seed,): mean fall of the one minus that of the other, without layers full in both."""
    full = _full(one, t) & _full(other, t)
    if bool(full.all()):
        return _nothing(one)
    a, b = (_fall(plane, t["quantity"], full, t).mean("layer") for plane in (one, other))
    return a - b


def _label_minus_input(plane: xr.Dataset, t: Settings) -> xr.DataArray:
    full = _full(plane, t)
    if bool(full.all()):
        return _nothing(plane)
    x, y = (_fall(plane, name, full, t).median("layer") for name in ("i_xt", "i_ty"))
    return y / plane.attrs["label_entropy"] - x / np.log2(_samples(plane))


def _fall(plane: xr.Dataset, quantity: str, full: xr.DataArray, t: Settings) -> xr.DataArray:
    """(seed, layer): from the peak to the end."""
    values = _curve(plane, quantity, full, t)
    return values.max("epoch") - fx.final(values)


def _nothing(plane: xr.Dataset) -> xr.DataArray:
    return xr.full_like(plane.seed, np.nan, dtype=float)


def _points(plane: xr.Dataset, t: Settings) -> xr.DataArray:
    """(seed, point) of I(X;T) of the hidden layers, checkpoint by checkpoint."""
    values = fx.curve(plane).sel(layer=t["layers"]).transpose("seed", "epoch", "layer").values
    rows = values.reshape(len(values), -1)
    return xr.DataArray(rows, dims=("seed", "point"), coords={"seed": plane.seed.values})


def _rank_of_means(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    """(resample, seed, 2, point) -> (resample,)."""
    mean = sample.mean(axis=1)
    return np.array([relations.spearman(a, b[None])[0] for a, b in mean])
