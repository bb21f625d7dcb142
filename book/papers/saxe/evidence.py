"""What the vocabulary of claims cannot say for Saxe et al. and the students: planes in, cells out.

A test in ``claims.toml`` names its function here, and every number that the function uses stands
there, under ``with``. ``named`` are the planes' names for the reader, in their order.
"""

from collections.abc import Callable, Iterator
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


def _by_layer(planes: Planes, t: Settings) -> Iterator[tuple[str, xr.Dataset, int]]:
    """(label, plane, layer); the plane's name is part of the label where there are several."""
    for name, plane in _named(planes, t):
        every = [int(k) for k in plane.layer.values]
        for layer in t.get("layers", every):
            place = "output" if layer == every[-1] else f"layer {layer}"
            yield f"{name}, {place}" if len(planes) > 1 else place, plane, layer


def _each(planes: Planes, t: Settings, measure: Callable[[xr.Dataset], xr.DataArray]) -> list[Cell]:
    """A cell for each plane, or for each of its layers where what is measured has layers."""
    found = {id(plane): measure(plane) for plane in planes.values()}
    where = [(name, plane, found[id(plane)]) for name, plane in _named(planes, t)]
    if any("layer" in values.dims for values in found.values()):
        each = _by_layer(planes, t)
        where = [(label, plane, found[id(plane)].sel(layer=k)) for label, plane, k in each]
    return [cell(label, values, hollow=why_hollow(plane)) for label, plane, values in where]


def counterexamples(planes: Planes, t: Settings) -> list[Cell]:
    """F1B, C1: the share of networks that have all that is asked of them: ``most`` and ``least`` C
    in every layer below its ceiling, ``accuracy`` on test rows, ``gap`` of train minus test."""
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
    h = partial(fx.curve, name=t["variable"])
    return _each(planes, t, lambda one: fx.final(h(one)) - fx.when_learnt(one, h(one)))


def net_input_bins(planes: Planes, t: Settings) -> list[Cell]:
    """F14: C under bins of the net input over C under even bins, where even bins see some."""
    found = []
    for ruler, (label, plane, layer) in product(t["rulers"], _by_layer(planes, t)):
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
    return np.divide(above, below, out=np.ones_like(above), where=below > 0)  # 1: neither sees any


def missing_bits(planes: Planes, t: Settings) -> list[Cell]:
    """F15: log2 N minus the smallest IX. A layer at its ceiling is what is claimed."""
    ix = partial(fx.curve, estimator=t["ruler"])
    return _each(planes, t, lambda one: np.log2(one.attrs["n_samples"]) - ix(one).min("epoch"))


def early_loss(planes: Planes, t: Settings) -> list[Cell]:
    """F15: C within the first part of the training."""

    def lost(plane: xr.Dataset) -> xr.DataArray:
        ix = fx.curve(plane, estimator=t["ruler"])
        early = ix.sel(epoch=ix.epoch <= t["until"] * last_epoch(plane))
        return early.max("epoch") - fx.final(early)

    return _each(planes, t, lost)


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


def loss_gap(planes: Planes, t: Settings) -> list[Cell]:
    """F3: |test loss - train loss| over test loss, at the end."""
    return _each(planes, t, lambda one: abs(1 - (one.loss / one.test_loss).isel(epoch=-1)))


def error_growth(planes: Planes, t: Settings) -> list[Cell]:
    """F4AB: expected error at the end over its smallest value."""
    error = partial(fx.variable, name="generalisation_error")
    return _each(planes, t, lambda one: error(one).isel(epoch=-1) / error(one).min("epoch"))


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


def irrelevant_inputs(planes: Planes, t: Settings) -> list[Cell]:
    """F6: what a layer knows of irrelevant inputs, from its peak on, as a share of the most.
    ``part``: "order", the least of three shares: what is taken up before the peak, what is given
    away after it, and what is learnt of the relevant inputs meanwhile; at most 0 where the whole
    falls by more than ``whole`` of its most. "fall": what is given away. "weights": the same
    of I(irrelevant X; T | relevant X), which no relevant weight can hide.
    """
    found = []
    settings = product(t["ratios"], t["rates"], t["rows"], t["gains"])
    for named, plane in zip(settings, planes.values(), strict=True):
        values = _from_peak(plane, t)
        for layer, place in ((1, "hidden"), (2, "output")):
            label = f"{' / '.join(named)} {place}"
            found.append(cell(label, values.sel(layer=layer), hollow=why_hollow(plane)))
    return found


def _from_peak(plane: xr.Dataset, t: Settings) -> xr.DataArray:
    every, relevant, irrelevant = (
        fx.curve(plane, estimator=t["rulers"][name]) for name in ("all", "relevant", "irrelevant")
    )
    ix = every - relevant if t["part"] == "weights" else irrelevant
    # The peak is looked for at every other checkpoint and read at the next: no noise counts twice.
    peak = 2 * ix.isel(epoch=slice(0, None, 2)).argmax("epoch") + 1
    peak = peak.clip(max=ix.sizes["epoch"] - 1)
    most = ix.max("epoch").clip(min=t["least"])
    top = ix.isel(epoch=peak, drop=True)
    fall = (top - fx.final(ix)) / most
    if t["part"] != "order":
        return fall
    rise = (top - ix.isel(epoch=0, drop=True)) / most
    learnt = fx.final(relevant) - relevant.isel(epoch=peak, drop=True)
    order = xr.concat([rise, fall, learnt / relevant.max("epoch")], "part").min("part")
    falls = fx.relative_compression(plane, t["rulers"]["all"]) > t["whole"]
    return order.where(~falls, order.clip(max=0.0))


def noise_difference(planes: Planes, t: Settings) -> list[Cell]:
    """F5: C with noise minus C without, over the larger, same seed by same seed; ``pairs`` are
    label, one plane, the other, and the clock at whose equal reading both are held."""
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
    return _each(planes, t, lambda one: fx.change_point(fx.log_snr(_alive(one)))[1])


def _alive(plane: xr.Dataset) -> xr.Dataset:
    """The networks with gradients; a dead one, all of whose gradients are zero, has no ratio."""
    ratio = fx.log_snr(plane)
    finite = np.isfinite(ratio.sel(epoch=ratio.epoch >= 1)).all(["epoch", "layer"])  # type: ignore[call-overload]
    return plane.isel(seed=finite.values) if finite.any() else plane


def drop_and_compression(planes: Planes, t: Settings) -> list[Cell]:
    """F20, F21: rank correlation, over networks, of that fall and C; means over layers."""
    found = []
    for name, plane in _named(planes, t):
        alive = _alive(plane)
        both = fx.change_point(fx.log_snr(alive))[1], fx.compression(alive)
        drop, c = (values.sel(layer=list(t["layers"])).mean("layer").values for values in both)
        r = float(relations.spearman(drop, c[None])[0])
        found.append(correlation(name, r, len(c), hollow=why_hollow(plane)))
    return found


def norm_growth(planes: Planes, t: Settings) -> list[Cell]:
    """A1: rank correlation of epoch and norm of the weights, network by network."""

    def growth(plane: xr.Dataset) -> xr.DataArray:
        norm = fx.variable(plane, "weight_norm").transpose(..., "epoch")
        return norm.isel(epoch=0).copy(data=relations.spearman(norm.epoch.values, norm.values))

    return _each(planes, t, growth)


def norm_dip(planes: Planes, t: Settings) -> list[Cell]:
    """A1: smallest norm of the weights over the initial one, minus 1: below 0 if it ever falls."""
    norm = partial(fx.variable, name="weight_norm")
    return _each(planes, t, lambda one: norm(one).min("epoch") / norm(one).isel(epoch=0) - 1)


def coding(planes: Planes, t: Settings) -> list[Cell]:
    """STU-2c: bits per label with the network's predictions, over H(Y)."""

    def length(plane: xr.Dataset) -> xr.DataArray:
        return plane.test_loss.isel(epoch=-1) / np.log(2) / plane.attrs["label_entropy"]

    return _each(planes, t, length)


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
