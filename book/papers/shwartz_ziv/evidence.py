"""Cells for the claims of Shwartz-Ziv & Tishby 2017: what the vocabulary of claims cannot say.

Each function is named by a test in ``claims.toml``, where the criterion is written in words and
every number stands (``with``, here ``t``). Layers of the 12-10-7-5-4-3-2 network are 1 to 6.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from ibcore import tasks, theory
from ibcore.claims import effects as fx
from ibcore.claims import relations
from ibcore.claims.cells import Cell, cell, fact, share
from ibcore.claims.common import (
    Planes,
    Settings,
    by_depth,
    depth,
    last_epoch,
    medians,
    table,
    why_hollow,
)

Array = NDArray[np.float64]

# The task, the chain, snapshots


def data_facts(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-S3.1: every stated fact about the 12-bit task, recomputed."""
    return [fact(known.name, known.holds, note=_found(known)) for known in tasks.szt_facts()]


def _found(known: tasks.Fact) -> str:
    within = f" ± {known.tolerance:g}" if known.tolerance else ""
    return f"{known.found:.10g}, stated {known.expected:.10g}{within}"


def markov_chain(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-F1: how often the estimate grows from a layer to the next."""
    found = fx.dpi_violation_share(planes["released"], slack=t["slack"])
    return [cell("all neighbouring layers", found, hollow=why_hollow(planes["released"]))]


def between(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-F2: a layer's value at one epoch, minus that at another where there is one."""
    plane, layer = planes["released"], t["layer"]
    values = fx.curve(plane, t["variable"]).sel(layer=layer, drop=True)
    found = fx.at_epoch(values, t["at"])
    if "minus" in t:
        found = found - fx.at_epoch(values, t["minus"])
    full = layer if t["variable"] == "i_xt" else None
    return [cell(f"layer {layer}", found, hollow=why_hollow(plane, full))]


def label_fall(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-F3b: max I(T;Y) - I(T;Y) at T; signed, from where the other networks have their peak."""
    found = []
    for plane, layer, label in _places(planes, t):
        iy = fx.curve(plane, "i_ty").sel(layer=layer, drop=True)
        lost = iy.max("epoch") - fx.final(iy)
        signed = _at_peak_of_others(iy.values) - iy.values[:, -1]
        found.append(cell(label, lost, signed=signed, hollow=why_hollow(plane, layer)))
    return found


def _at_peak_of_others(values: Array) -> Array:
    """Value of every network where the median of the others is largest; (seed, epoch) -> (seed,).

    The place does not know the network's own noise, so the value is not biased upward.
    """
    several = range(len(values))
    places = [np.median(np.delete(values, i, axis=0), axis=0).argmax() for i in several]
    return values[several, places]


def bound_distance(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-F6: how far the layers end from the bound of their task, in one of its coordinates."""
    found = []
    for name, plane in planes.items():
        ix, iy = (fx.final(fx.curve(plane, one)) for one in ("i_xt", "i_ty"))
        apart = from_bound(t["tasks"][name], ix.values, iy.values, t["coordinate"])
        found += _each_layer(plane, ix.copy(data=apart), t["labels"][name])
    return found


def input_distance(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-F6: the same of the raw input, which keeps all of X and all that it tells of Y."""
    found = []
    for name, task in t["tasks"].items():
        bits = np.log2(len(tasks.load_task(task).y))
        apart = from_bound(task, bits, bound(task).attrs["information"], t["coordinate"])
        values = np.array([float(apart)])
        found.append(Cell(label=t["labels"][name], kind="fact", values=values, seeds=()))
    return found


def from_bound(task: str, i_xt: ArrayLike, i_ty: ArrayLike, coordinate: str) -> Array:
    """Bits from a point of the plane to the bound of a task: its excess, or its shortfall."""
    return theory.distance_to_curve(bound(task), i_xt, i_ty, coordinate)


@cache
def bound(task: str) -> xr.Dataset:
    """The information-bottleneck curve of a task of two classes, from its own p(x, y)."""
    return theory.label_ib_curve(tasks.load_task(task).y)


def beta_falls(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-F6: whether β of the closest self-consistent encoder does not rise with depth."""
    found = []
    for name, plane in planes.items():
        beta = fx.final(fx.variable(plane, "ib_beta"))
        falls = (beta.diff("layer") <= 0).all("layer")
        found.append(share(t["labels"][name], falls, hollow=why_hollow(plane)))
    return found


def data_order(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-F7: rank correlation of the amount of data with converged label information."""
    by_size = sorted(planes.values(), key=fx.train_fraction)
    sizes = [fx.train_fraction(plane) for plane in by_size]
    converged = [fx.final(fx.curve(plane, "i_ty")) for plane in by_size]
    return [
        cell(
            _label(by_size[0], layer),
            table([values.sel(layer=layer) for values in converged]),
            statistic=lambda sample: relations.spearman(sizes, medians(sample)),
            hollow=_any_void(by_size),
        )
        for layer in t["layers"]
    ]


def generalisation(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-C1: partial correlation of mean C with test accuracy, given train accuracy."""
    by_size = sorted(planes.values(), key=fx.train_fraction)
    layers = list(t["layers"])
    able = [~fx.saturated_layers(plane).sel(layer=layers) for plane in by_size]
    compressed = [
        fx.compression(plane).sel(layer=layers).where(can).mean("layer")
        for plane, can in zip(by_size, able, strict=True)
    ]
    test, train = (
        [fx.final(fx.curve(plane, name)) for plane in by_size]
        for name in ("test_accuracy", "train_accuracy")
    )
    networks = xr.concat([table(one) for one in (compressed, test, train)], "number")
    # An amount of data whose layers are all at their ceiling has no C: it drops out.
    kept = [k for k, can in enumerate(able) if bool(can.any()) and not fx.void(by_size[k])]
    networks = networks.isel(column=kept).transpose("seed", "column", "number")
    return [
        cell(
            f"{len(kept)} amounts of data",
            networks,
            statistic=lambda sample: relations.partial_correlation(sample, within=t["within"]),
        )
    ]


# Gradients


def snr_drop(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-F4, SZT-F8: decades by which the signal-to-noise ratio falls at its change point."""
    found = []
    for name, plane in planes.items():
        _, drop = fx.change_point(fx.log_snr(plane, t["prefix"]))
        found += _each_layer(plane, drop, t["labels"][name])
    return found


def snr_alignment(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-F4, SZT-F8: |log10(epoch of the change / peak of I(X;T))|."""
    found = []
    for plane, layer, label in _places(planes, t):
        when, _ = fx.change_point(fx.log_snr(plane, t["prefix"]))
        ratio = (when / np.maximum(fx.peak_epoch(plane), t["earliest"])).sel(layer=layer, drop=True)
        apart = ratio.copy(data=np.abs(np.log10(ratio.values)))
        found.append(cell(label, apart, hollow=why_hollow(plane, layer)))
    return found


def snr_level(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-F4: the ratio itself at one checkpoint after the start, median over layers."""
    found = []
    for name, plane in planes.items():
        ratio = fx.log_snr(plane, t["prefix"])
        there = ratio.sel(epoch=ratio.epoch >= 1).isel(epoch=t["place"], drop=True)
        found.append(cell(t["labels"][name], there.median("layer"), hollow=why_hollow(plane)))
    return found


def depth_order(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-F5: rank correlation of depth with the median epochs until the output knows the label."""
    nets = by_depth(planes)
    return [_order(nets, [_epochs_to_know(plane, t["level"]) for plane in nets])]


def depth_steps(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-F5: what one more hidden layer changes in epochs, network by network."""
    nets = by_depth(planes)
    epochs = table([_epochs_to_know(plane, t["level"]) for plane in nets])
    return [
        cell(
            f"{depth(one)} to {depth(other)} hidden layers",
            epochs.isel(column=k + 1) - epochs.isel(column=k),
            hollow=_any_void((one, other)),
        )
        for k, (one, other) in enumerate(pairwise(nets))
    ]


def one_layer_never(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-F5: networks with one hidden layer whose output never knows so much of the label."""
    shallow, *_, deep = by_depth(planes)
    most, goal = _output(shallow).max("epoch"), fx.final(_output(deep))
    most, goal = xr.align(most, goal)
    why = _any_void((shallow, deep))
    return [
        share(f"{t['level']:g} bit", most < t["level"], hollow=why),
        share("what six layers end with", most < goal, hollow=why),
    ]


def depth_epochs(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-F5: the epochs themselves."""
    return [
        cell(f"{depth(plane)} hidden", _epochs_to_know(plane, t["level"]), hollow=fx.void(plane))
        for plane in by_depth(planes)
    ]


def time_per_bit(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-EQ11: slope of log10(duration of a step of the fall) on the bits fallen before it."""
    found = []
    for name, plane in planes.items():
        bits, durations = _durations(plane, t)
        slopes = relations.slope(bits, durations.values, least=t["least_points"])
        values = durations.isel(step=0, drop=True).copy(data=slopes)
        found.append(cell(t["labels"][name], values, hollow=why_hollow(plane, t["layer"])))
    return found


def exponential_against_others(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-EQ11: held-out error of the exponential law minus that of each other law, the larger."""
    found = []
    for name, plane in planes.items():
        errors = _held_out(plane, t)
        apart = (errors.isel(law=0, drop=True) - errors.isel(law=[1, 2])).transpose("seed", "law")
        found.append(
            cell(
                t["labels"][name],
                apart,
                statistic=lambda sample: medians(sample).max(axis=1),
                hollow=why_hollow(plane, t["layer"]),
            )
        )
    return found


def law_shares(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-EQ11: networks in which a law has the least held-out error of the three."""
    found = []
    for name, plane in planes.items():
        errors, why = _held_out(plane, t), why_hollow(plane, t["layer"])
        best = errors.fillna(np.inf).argmin("law").where(errors.notnull().all("law"))
        for k, law in enumerate(("exponential", "power law", "steady pace")):
            is_best = (best == k).where(best.notnull())
            found.append(share(f"{t['labels'][name]}, {law}", is_best, hollow=why))
    return found


def _held_out(plane: xr.Dataset, t: Settings) -> xr.DataArray:
    """Held-out error of the exponential law, the power law and the steady pace: (law, seed).

    If the time until d bits have fallen is exponential in d, the log of the time for one more step
    is a straight line in d; after a power law one in log d; at a steady pace a constant.
    """
    bits, durations = _durations(plane, t)
    laws = (bits, np.log10(bits), np.zeros_like(bits))
    errors = [theory.held_out_error(x, durations.values, t["least_points"]) for x in laws]
    return xr.DataArray(errors, dims=("law", "seed"), coords={"seed": durations.seed})


def _durations(plane: xr.Dataset, t: Settings) -> tuple[Array, xr.DataArray]:
    """(bits fallen at the middle of every step, log10 of the epochs it takes: (seed, step))."""
    ix = fx.curve(plane).sel(layer=t["layer"], drop=True)
    ends = t["start"] + t["bits"] * np.arange(t["n_steps"] + 1)
    times = xr.concat([epochs_to_fall(ix, end) for end in ends], "step").transpose("seed", "step")
    lasted = times.diff("step")
    return ends[:-1] + t["bits"] / 2, lasted.copy(data=np.log10(lasted.values))


def compression_order(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-EQ11: rank correlation of depth with the median epochs that the output compresses."""
    nets, epochs = by_depth(planes), []
    for plane in nets:
        ix = fx.curve(plane).isel(layer=-1, drop=True)
        peak = ix.epoch[ix.argmax("epoch")].drop_vars(["epoch", "update"], errors="ignore")
        epochs.append(epochs_to_fall(ix, t["amount"]).fillna(last_epoch(plane)) - peak)
    return [_order(nets, epochs)]


def time_compressing(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-C3: epochs from the peak until a part of the loss is over, as a share of all."""
    plane, found = planes["released"], []
    for layer in t["layers"]:
        ix = fx.curve(plane).sel(layer=layer, drop=True)
        peak = fx.peak_epoch(plane).sel(layer=layer, drop=True)
        lost = t["part"] * (ix.max("epoch") - fx.final(ix))
        during = (epochs_to_fall(ix, lost) - peak) / last_epoch(plane)
        found.append(cell(_label(plane, layer), during, hollow=why_hollow(plane, layer)))
    return found


def log_rest(planes: Planes, t: Settings) -> list[Cell]:
    """SZT-C3: share after the peak, in log epochs."""
    plane = planes["released"]
    peak = np.maximum(fx.peak_epoch(plane), t["earliest"])
    rest = (1 - np.log(peak) / np.log(last_epoch(plane))).sel(layer=list(t["layers"]))
    return _each_layer(plane, rest, may_be_full=True)


def epochs_to_fall(ix: xr.DataArray, amount: float | xr.DataArray) -> xr.DataArray:
    """Epoch after the peak at which IX first lies ``amount`` bits below it; NaN if never."""
    top = ix.max("epoch")
    step = xr.DataArray(np.arange(ix.sizes["epoch"]), dims="epoch")
    fallen = (top - ix).where(step > ix.argmax("epoch"), 0.0)
    return epochs_to_reach(fallen.transpose("seed", "epoch"), amount)


def epochs_to_reach(values: xr.DataArray, level: float | xr.DataArray) -> xr.DataArray:
    """Epoch at which a (seed, epoch) curve first reaches a level, interpolated; NaN if never."""
    levels = np.broadcast_to(np.asarray(level, dtype=float), values.shape[:1])
    pairs = zip(values.values, levels, strict=True)
    found = [theory.first_time(values.epoch.values, y, goal) for y, goal in pairs]
    return xr.DataArray(found, dims="seed", coords={"seed": values.seed.values})


def _epochs_to_know(plane: xr.Dataset, level: float) -> xr.DataArray:
    """Epochs until the output has so much label information, T where it never has."""
    return epochs_to_reach(_output(plane), level).fillna(last_epoch(plane))


def _output(plane: xr.Dataset) -> xr.DataArray:
    """Label information of the output: (seed, epoch)."""
    return fx.curve(plane, "i_ty").isel(layer=-1, drop=True).transpose("seed", "epoch")


def _order(nets: list[xr.Dataset], epochs: list[xr.DataArray]) -> Cell:
    """Rank correlation of depth with median epochs."""
    depths = [depth(plane) for plane in nets]
    return cell(
        f"{depths[0]} to {depths[-1]} hidden layers",
        table(epochs),
        statistic=lambda sample: relations.spearman(depths, medians(sample)),
        hollow=_any_void(nets),
    )


# Cells and their labels


def _each_layer(
    plane: xr.Dataset, values: xr.DataArray, said: str = "", *, may_be_full: bool = False
) -> list[Cell]:
    """A cell for each layer of the values; hollow where the layer is full, if that matters."""
    return [
        cell(
            _label(plane, n, said),
            values.sel(layer=n, drop=True),
            hollow=why_hollow(plane, n if may_be_full else None),
        )
        for n in map(int, values.layer.values)
    ]


def _places(planes: Planes, t: Settings) -> Iterator[tuple[xr.Dataset, int, str]]:
    """Every plane with every layer asked for, and the cell's label."""
    for name, plane in planes.items():
        for layer in t["layers"]:
            yield plane, layer, _label(plane, layer, t["labels"][name])


def _label(plane: xr.Dataset, layer: int, said: str = "") -> str:
    where = f"layer {layer}" if layer <= depth(plane) else "output"
    return ", ".join(filter(None, (said, where)))


def _any_void(planes: Iterable[xr.Dataset]) -> str:
    return next(filter(None, map(fx.void, planes)), "")
