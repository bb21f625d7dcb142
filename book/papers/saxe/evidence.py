"""What the vocabulary of claims cannot say for Saxe et al. and the students: planes in, cells out.

A test in ``claims.toml`` names its function here, and every number that the function uses stands
there, under ``with``. ``named`` are the planes' names for the reader, in their order.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import product
from math import isclose

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtr

from ibcore import theory
from ibcore.claims import clocks, relations
from ibcore.claims import effects as fx
from ibcore.claims.cells import Cell, cell, correlation, fact, share
from ibcore.claims.common import Planes, Settings, last_epoch, medians, why_hollow
from ibcore.information import entropy

Array = NDArray[np.float64]


def _named(planes: Planes, t: Settings) -> Iterator[tuple[str, xr.Dataset]]:
    return zip(t.get("named", list(planes)), planes.values(), strict=True)


def _by_layer(
    planes: Planes, t: Settings, layers: Iterable[int] | None = None
) -> Iterator[tuple[str, xr.Dataset, int]]:
    """(label, plane, layer); the plane's name is part of the label where there are several."""
    for name, plane in _named(planes, t):
        every = [int(k) for k in plane.layer.values]
        for layer in every if layers is None else layers:
            place = "output" if layer == every[-1] else f"layer {layer}"
            yield f"{name}, {place}" if len(planes) > 1 else place, plane, layer


# Single networks.


def counterexamples(planes: Planes, t: Settings) -> list[Cell]:
    """F1B, C1: the share of networks that have everything that is asked of them.

    ``most`` and ``least``: C in every layer that is not at its ceiling; ``accuracy`` on test rows;
    ``gap``: train minus test accuracy.
    """
    return [
        share(name, _has_all(plane, t), hollow=why_hollow(plane))
        for name, plane in _named(planes, t)
    ]


def _has_all(plane: xr.Dataset, t: Settings) -> xr.DataArray:
    c = fx.compression(plane).sel(layer=list(t["layers"]))
    full = fx.saturated_layers(plane).sel(layer=list(t["layers"]))
    test = fx.final(fx.curve(plane, "test_accuracy"))
    has = xr.ones_like(test, dtype=bool)
    if "most" in t:
        has &= ((c <= t["most"]) | full).all("layer")
    if "least" in t:
        has &= ((c >= t["least"]) | full).all("layer")
    if "accuracy" in t:
        has &= test >= t["accuracy"]
    if "gap" in t:
        has &= fx.accuracy_gap(plane) >= t["gap"]
    return has


def dissociation(planes: Planes, t: Settings) -> list[Cell]:
    """STU-9: all four of (compresses or not) x (generalises or not) occur."""
    c = np.concatenate(
        [fx.compression(one).sel(layer=t["layer"]).values for one in planes.values()]
    )
    accuracy = np.concatenate([one.test_accuracy.isel(epoch=-1).values for one in planes.values()])
    kinds = {"compress": c >= t["compresses"], "do not compress": c < t["rests"]}
    ends = {"generalise": accuracy >= t["good"], "do not generalise": accuracy < t["bad"]}
    return [
        fact(f"{first} and {second}", (a & b).any(), note=f"{(a & b).sum()} of {len(c)} networks")
        for (first, a), (second, b) in product(kinds.items(), ends.items())
    ]


# Rulers.


def rulers_agree(planes: Planes, t: Settings) -> list[Cell]:
    """F9, F10: the share of networks for which all rulers answer alike, layer by layer."""
    found = []
    for label, plane, layer in _by_layer(planes, t):
        answers = [
            fx.compression(plane, estimator=ruler).sel(layer=layer).values > t["compression"]
            for ruler in t["rulers"]
        ]
        alike = np.all(answers, axis=0) | ~np.any(answers, axis=0)
        found.append(share(label, alike, hollow=why_hollow(plane, layer, t["rulers"][0])))
    return found


def entropy_change(planes: Planes, t: Settings) -> list[Cell]:
    """F12: h(T) at the end minus h(T) when learnt, from nearest neighbours."""
    found = []
    for label, plane, layer in _by_layer(planes, t, t["layers"]):
        values = fx.curve(plane, t["variable"])
        change = fx.final(values) - fx.when_learnt(plane, values)
        found.append(cell(label, change.sel(layer=layer), hollow=why_hollow(plane)))
    return found


def net_input_bins(planes: Planes, t: Settings) -> list[Cell]:
    """F14: C under bins of the net input over C under even bins, where even bins see some."""
    found = []
    for ruler, (label, plane, layer) in product(t["rulers"], _by_layer(planes, t, t["layers"])):
        both = np.stack(
            [
                fx.compression(plane, estimator=one).sel(layer=layer).values
                for one in (t["rulers"][ruler], t["even"])
            ],
            axis=1,
        )
        none = np.median(both[:, 1]) <= t["compression"]
        hollow = why_hollow(plane, layer, t["even"]) or ("nothing under even bins" if none else "")
        place = f"{ruler}, {label}"
        found.append(cell(place, both, statistic=_ratio_of_medians, hollow=hollow))
    return found


def _ratio_of_medians(sample: Array) -> Array:
    above, below = medians(sample).T
    # Where even bins see nothing either, the bins make no difference.
    return np.divide(above, below, out=np.ones_like(above), where=below > 0)


def missing_bits(planes: Planes, t: Settings) -> list[Cell]:
    """F15: log2 N minus the smallest IX. A layer at its ceiling is what is claimed."""
    found = []
    for label, plane, layer in _by_layer(planes, t, t["layers"]):
        ix = fx.curve(plane, estimator=t["ruler"]).sel(layer=layer)
        missing = np.log2(plane.attrs["n_samples"]) - ix.min("epoch")
        found.append(cell(label, missing, hollow=why_hollow(plane)))
    return found


def early_loss(planes: Planes, t: Settings) -> list[Cell]:
    """F15: C within the first part of the training."""
    found = []
    for label, plane, layer in _by_layer(planes, t, t["layers"]):
        ix = fx.curve(plane, estimator=t["ruler"]).sel(layer=layer)
        early = ix.sel(epoch=ix.epoch <= t["until"] * last_epoch(plane))
        found.append(cell(label, early.max("epoch") - fx.final(early), hollow=why_hollow(plane)))
    return found


# One neuron, and other things without networks.


def one_neuron(planes: Planes, t: Settings) -> list[Cell]:
    """F2: one tanh unit knows most at a middle weight; ReLU and linear units ever more."""
    tanh = partial(theory.single_neuron_information, n_bins=t["n_bins"])
    low, high = t["tanh_weights"]
    curve = np.array([tanh(w) for w in np.geomspace(low, high, t["points"])])
    top, slack = curve.argmax(), t["rounding"]
    facts = [
        fact("tanh rises to one peak and falls",
             (np.diff(curve[: top + 1]) > -slack).all() and (np.diff(curve[top:]) < slack).all()),
        fact("tanh has the values listed", all(
            isclose(tanh(w), known, abs_tol=t["tolerance"])
            for w, known in zip(t["weights"], t["values"], strict=True)
        )),
    ]  # fmt: skip
    low, high = t["other_weights"]
    for name in ("ReLU", "linear"):
        values = [
            theory.single_neuron_information(w, activation=name.lower(), width=t["width"])
            for w in np.geomspace(low, high, t["points"])
        ]
        facts.append(fact(f"{name} rises at every step", (np.diff(values) > 0).all()))
    return facts


def net_input_neuron(planes: Planes, t: Settings) -> list[Cell]:
    """F13: with bins even in the net input the information of a tanh unit keeps rising."""
    z = np.linspace(-t["limit"], t["limit"], t["n_edges"])
    edges = {"of the net input": z} | {
        f"of tanh in {kind}": _back(np.unique(np.tanh(z.astype(kind))))
        for kind in ("float32", "float64")
    }
    low, high = t["weights"]
    weights = np.linspace(low, high, t["points"])
    found = []
    for name in t["edges"]:
        drop = max(0.0, *-np.diff([_gaussian_entropy(edges[name] / w) for w in weights]))
        note = f"largest drop {drop:.1e} bit"
        found.append(fact(f"edges {name}", drop <= t["drop"], note=note))
    return found


def _back(t: Array) -> Array:
    """Net input at which tanh crosses an edge; the edges ±1 are never crossed."""
    wide = t.astype(np.float64)
    return np.arctanh(wide[np.abs(wide) < 1])


def _gaussian_entropy(edges: Array) -> float:
    """Entropy, in bits, of a standard normal between edges."""
    p = np.diff(ndtr(np.concatenate([[-np.inf], edges, [np.inf]])))
    return entropy(p / p.sum())


def rescaling(planes: Planes, t: Settings) -> list[Cell]:
    """EQ21: w1/c, c w2 compute the same, and their information differs."""
    w1, w2, v = t["w1"], t["w2"], t["noise_variance"]
    exact, same, moved = True, True, set()
    for c in t["factors"]:
        found = theory.linear_gaussian_information([[w1 / c]], [[1.0]], noise_variance=v)
        exact &= isclose(found, 0.5 * np.log2((w1**2 / c**2 + v) / v), abs_tol=t["tolerance"])
        same &= isclose(w1 / c * (c * w2), w1 * w2, rel_tol=t["tolerance"])
        moved.add(round(found, t["digits"]))
    return [
        fact("I = ½ log2((w1²/c² + σ²)/σ²)", exact),
        fact("the product of the weights stays", same),
        fact("the information differs at every c", len(moved) == len(t["factors"])),
    ]


def entropy_formula(planes: Planes, t: Settings) -> list[Cell]:
    """STU-2: H = -Σ p log2 p of equal symbols."""
    return [
        fact(f"H of {n} equal symbols", isclose(entropy(np.full(n, 1 / n)), np.log2(n)))
        for n in t["symbols"]
    ]


# Linear students.


def loss_gap(planes: Planes, t: Settings) -> list[Cell]:
    """F3: |test loss - train loss| over test loss, at the end."""
    found = []
    for name, plane in _named(planes, t):
        end = plane.isel(epoch=-1)
        gap = abs(end.test_loss - end.loss) / end.test_loss
        found.append(cell(name, gap, hollow=why_hollow(plane)))
    return found


def error_growth(planes: Planes, t: Settings) -> list[Cell]:
    """F4AB: expected error at the end over its smallest value."""
    found = []
    for name, plane in _named(planes, t):
        error = fx.variable(plane, "generalisation_error")
        grown = error.isel(epoch=-1) / error.min("epoch")
        found.append(cell(name, grown, hollow=why_hollow(plane)))
    return found


def label_share_lost(planes: Planes, t: Settings) -> list[Cell]:
    """F4AB: what a layer has lost of the label, over the most it knew."""
    found = []
    for label, plane, layer in _by_layer(planes, t):
        most = fx.curve(plane, "i_ty").max("epoch")
        lost, signed = (
            (measure(plane) / most).sel(layer=layer)
            for measure in (fx.label_loss, fx.label_loss_since_learnt)
        )
        found.append(cell(label, lost, signed=signed, hollow=why_hollow(plane)))
    return found


# Noise and gradients.


def noise_difference(planes: Planes, t: Settings) -> list[Cell]:
    """F5: C with noise minus C without, over the larger of the two, same seed by same seed.

    ``pairs``: label, one plane, the other, and the clock at whose equal reading both are held; ""
    for whole runs.
    """
    found = []
    for (label, one, other, clock), layer in product(t["pairs"], t["layers"]):
        pair = [planes[one], planes[other]]
        if clock:
            pair = list(clocks.at_equal(*pair, clock=clock))
        hollow = [why_hollow(plane, layer) for plane in pair]
        c = xr.align(*(fx.compression(plane).sel(layer=layer) for plane in pair), join="inner")
        both = xr.concat(c, "run").transpose("seed", "run")
        place = "output" if layer == pair[0].layer[-1] else f"layer {layer}"
        why = next((one for one in hollow if one.startswith("void")), hollow[0] and hollow[1])
        found.append(cell(f"{label}, {place}", both, statistic=_relative_difference, hollow=why))
    return found


def _relative_difference(sample: Array) -> Array:
    first, second = medians(sample).T
    larger = np.maximum(first, second)
    return np.divide(first - second, larger, out=np.zeros_like(larger), where=larger > 0)


def snr_drop(planes: Planes, t: Settings) -> list[Cell]:
    """F20, F21: decades by which the gradient's signal-to-noise ratio falls at its break."""
    return [
        cell(
            label, fx.change_point(fx.log_snr(plane))[1].sel(layer=layer), hollow=why_hollow(plane)
        )
        for label, plane, layer in _by_layer(planes, t)
    ]


def drop_and_compression(planes: Planes, t: Settings) -> list[Cell]:
    """F20, F21: rank correlation, over networks, of that fall and C; means over layers."""
    found = []
    for name, plane in _named(planes, t):
        drop, c = (
            values.sel(layer=list(t["layers"])).mean("layer").values
            for values in (fx.change_point(fx.log_snr(plane))[1], fx.compression(plane))
        )
        r = float(relations.spearman(drop, c[None])[0])
        found.append(correlation(name, r, len(c), hollow=why_hollow(plane)))
    return found


def norm_growth(planes: Planes, t: Settings) -> list[Cell]:
    """A1: rank correlation of epoch and norm of the weights, network by network."""
    found = []
    for label, plane, layer in _by_layer(planes, t):
        norm = fx.variable(plane, "weight_norm").sel(layer=layer)
        r = norm.isel(epoch=0).copy(data=relations.spearman(norm.epoch.values, norm.values))
        found.append(cell(label, r, hollow=why_hollow(plane)))
    return found


def norm_dip(planes: Planes, t: Settings) -> list[Cell]:
    """A1: smallest norm of the weights over the initial one, minus 1: below 0 if it ever falls."""
    found = []
    for label, plane, layer in _by_layer(planes, t):
        norm = fx.variable(plane, "weight_norm").sel(layer=layer)
        dip = norm.min("epoch") / norm.isel(epoch=0) - 1
        found.append(cell(label, dip, hollow=why_hollow(plane)))
    return found


# The students.


def coding(planes: Planes, t: Settings) -> list[Cell]:
    """STU-2c: bits per label with the network's predictions, over H(Y)."""
    return [
        cell(name, plane.test_loss.isel(epoch=-1) / np.log(2) / plane.attrs["label_entropy"],
             hollow=why_hollow(plane))
        for name, plane in _named(planes, t)
    ]  # fmt: skip


FACTORS = ("activation", "batch", "gain", "ruler", "network")


def activation_leads(planes: Planes, t: Settings) -> list[Cell]:
    """STU-1v: share of the variance by activation minus the next largest share."""
    return [cell("activation minus the next", _factorial(planes, t), statistic=_lead)]


def variance_shares(planes: Planes, t: Settings) -> list[Cell]:
    """STU-1v: share of the variance that each factor explains."""
    values = _factorial(planes, t)
    return [
        cell(name, values, statistic=partial(_explained, axis=axis))
        for axis, name in enumerate(FACTORS)
    ]


def _factorial(planes: Planes, t: Settings) -> Array:
    """(network, activation, batch, gain, ruler): a mean over layers, of C or of the final IX."""
    common = sorted(set.intersection(*(set(one.seed.values.tolist()) for one in planes.values())))
    columns = []
    for activation, batch, gain in product(("tanh", "relu"), ("", "full_"), ("", "gain2_")):
        plane = planes[f"{gain}{batch}{activation}"].sel(seed=common)
        for ruler in t["rulers"]:
            if t["quantity"] == "compression":
                values = fx.compression(plane, ruler)
            else:
                values = fx.final(fx.curve(plane, estimator=ruler))
            columns.append(values.sel(layer=list(t["layers"])).mean("layer").values)
    return np.stack(columns, axis=1).reshape(len(common), 2, 2, 2, len(t["rulers"]))


def _explained(sample: Array, axis: int) -> Array:
    """Share of the variance that the means over one factor explain; the last is the network."""
    places = (2, 3, 4, 5, 1)  # of the factors in (resample, network, ...)
    others = tuple(k for k in range(1, 6) if k != places[axis])
    middle = sample.mean(axis=others)
    return np.asarray(middle.var(axis=1) / sample.reshape(len(sample), -1).var(axis=1))


def _lead(sample: Array) -> Array:
    first, *others = (_explained(sample, axis) for axis in range(len(FACTORS)))
    return np.asarray(first - np.max(others, axis=0))
