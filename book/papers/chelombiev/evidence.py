"""Quantities of Chelombiev, Houghton & O'Donnell that the vocabulary of claims does not have.

One function per quantity: planes and the numbers of a test (``with``) in, cells out. Layers of the
12-10-7-5-4-3-2 networks are 1 to 6, 6 is the output.
"""

from collections.abc import Sequence
from functools import partial
from math import isclose

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ibcore import theory
from ibcore.claims import effects as fx
from ibcore.claims import intervals, relations
from ibcore.claims.cells import Cell, cell, correlation, fact, share
from ibcore.claims.common import Planes, Settings, last_epoch, medians, table, why_hollow
from ibcore.claims.intervals import Array

# What a fixed ruler sees


def noise_entropy(planes: Planes, t: Settings) -> list[Cell]:
    """S1: I = h(T) - h(Z), of Gaussian channels whose information is known."""
    cells = []
    for ratio in t["ratios"]:
        noise = 0.5 * np.log2(2 * np.pi * np.e)
        total = 0.5 * np.log2(2 * np.pi * np.e * (1 + ratio))
        known = theory.linear_gaussian_information([[1.0]], [[ratio]], noise_variance=1.0)
        right = isclose(known, total - noise, abs_tol=t["tolerance"])
        wrong = isclose(known, total + noise, abs_tol=t["tolerance"])
        cells.append(fact(f"signal-to-noise ratio {ratio:g}", right and not wrong))
    return cells


def maxima_apart(planes: Planes, t: Settings) -> list[Cell]:
    """F1: networks whose largest activations, over layers and epochs, differ by a factor."""
    plane = planes["relu"]
    top = plane.largest_activation.sel(layer=list(t["layers"]))
    later = top.sel(epoch=top.epoch >= t["from_epoch"])
    over = ("layer", "epoch")
    apart = later.max(over) > t["factor"] * later.min(over)
    return [share(f"a factor of {t['factor']:g}", apart, hollow=why_hollow(plane))]


def last_leads(planes: Planes, t: Settings) -> list[Cell]:
    """F1: networks in which the last hidden layer ends with the largest activation."""
    plane = planes["relu"]
    top = plane.largest_activation.sel(layer=list(t["layers"])).isel(epoch=-1)
    leads = top.argmax("layer") == len(t["layers"]) - 1
    return [share("the last hidden layer leads", leads, hollow=why_hollow(plane))]


def fullest_layer(planes: Planes, t: Settings) -> list[Cell]:
    """F2: share of the activations in the first fixed bin, in the layer that has most there."""
    plane = planes["relu"]
    first = plane.first_bin.isel(epoch=-1).sel(layer=list(t["layers"])).max("layer")
    return [cell("fullest layer", first, hollow=why_hollow(plane))]


def lowest_bin(planes: Planes, t: Settings) -> list[Cell]:
    """M2: networks with a layer that fixed bins take for one point, and adaptive ones do not."""
    plane = planes["relu"]
    fixed, adaptive = (
        fx.curve(plane, estimator=ruler).sel(layer=list(t["layers"])) for ruler in t["rulers"]
    )
    blind = ((fixed < t["nothing"]) & (adaptive > t["something"])).any(["layer", "epoch"])
    return [share("a layer in the lowest bin", blind, hollow=why_hollow(plane))]


def rank_correlations(planes: Planes, t: Settings) -> list[Cell]:
    """F4: how alike two rulers rank I(X;T) over layers and checkpoints; minus that of a pair."""
    plane = planes["relu"]

    def r(one: str, other: str) -> xr.DataArray:
        a, b = (
            fx.curve(plane, estimator=ruler).sel(layer=list(t["layers"])) for ruler in (one, other)
        )
        both = zip(a.values, b.values, strict=True)
        each = [relations.spearman(x.ravel(), y.ravel()[None])[0] for x, y in both]
        return xr.DataArray(each, dims="seed", coords={"seed": plane.seed})

    cells = []
    for label, (pair, *other) in t["pairs"].items():
        value = r(*pair) - r(*other[0]) if other else r(*pair)
        cells.append(cell(label, value, hollow=why_hollow(plane)))
    return cells


# Fifty networks, one setting


def kinds(planes: Planes, t: Settings) -> list[Cell]:
    """F5: networks that compress, that only fit, that do neither; means over layers."""
    plane, deep, line = planes["relu"], list(t["layers"]), t["bits"]
    f, c = (effect(plane).sel(layer=deep).mean("layer") for effect in (fx.fitting, fx.compression))
    found = {
        "compresses": c > line,
        "only fits": (c <= line) & (f > line),
        "stays": (c <= line) & (f <= line),
    }
    return [share(name, flags, hollow=why_hollow(plane)) for name, flags in found.items()]


def compression_first(planes: Planes, t: Settings) -> list[Cell]:
    """F5t: networks with a layer that peaks early and loses information from then on."""
    plane = planes["relu"]
    return [share("ReLU", _starts_by_losing(plane, t), hollow=why_hollow(plane))]


def more_often_first(planes: Planes, t: Settings) -> list[Cell]:
    """F5t: the share of such networks among ReLU minus that among tanh."""
    relu, tanh = planes["relu"], planes["tanh"]
    first, second = (_starts_by_losing(plane, t).astype(float) for plane in (relu, tanh))
    why = why_hollow(relu) or why_hollow(tanh)
    return [cell("ReLU minus tanh", first - second, statistic=intervals.mean, hollow=why)]


def _starts_by_losing(plane: xr.Dataset, t: Settings) -> xr.DataArray:
    early = fx.peak_epoch(plane) < t["early"] * last_epoch(plane)
    lost = fx.loss_since_learnt(plane) > t["bits"]
    return (early & lost).sel(layer=list(t["layers"])).any("layer")


def output_varies(planes: Planes, t: Settings) -> list[Cell]:
    """F5o: spread over networks of the final I(X;T), output minus the least of some layers."""
    plane = planes["relu"]
    end = fx.final(fx.curve(plane))
    cells = []
    for label, layers in t["against"].items():
        why = why_hollow(plane) or next(
            filter(None, (why_hollow(plane, k) for k in (*layers, t["output"]))), ""
        )
        values = end.sel(layer=[*layers, t["output"]])
        cells.append(cell(label, values, statistic=_spread_apart, hollow=why))
    return cells


def _spread_apart(sample: Array) -> Array:
    sd = sample.std(axis=1)
    return sd[:, -1] - sd[:, :-1].min(axis=1)


def since_middle(planes: Planes, t: Settings) -> list[Cell]:
    """F6: change of the mean I(X;T) from the middle checkpoint to the end, layer by layer."""
    plane = planes["relu"]
    ix = fx.curve(plane)
    change = fx.final(ix) - ix.isel(epoch=ix.sizes["epoch"] // 2, drop=True)
    return [
        cell(f"layer {layer}", change.sel(layer=layer), statistic=intervals.mean,
             hollow=why_hollow(plane, layer))
        for layer in t["layers"]
    ]  # fmt: skip


def fall_of_mean(planes: Planes, t: Settings) -> list[Cell]:
    """F6: C of the mean curve of all networks."""
    plane, layer = planes[t["plane"]], t["layer"]
    return [
        cell(f"{t['plane']}, layer {layer}", fx.curve(plane).sel(layer=layer),
             statistic=_fall_of_mean, signed=fx.fall_from_peak(plane).sel(layer=layer),
             hollow=why_hollow(plane, layer))
    ]  # fmt: skip


def _fall_of_mean(sample: Array) -> Array:
    mean = sample.mean(axis=1)
    return mean.max(axis=1) - mean[:, -1]


# Other activations, and a penalty


def loss_of(planes: Planes, t: Settings) -> list[Cell]:
    """F7, C1: C of activations, mean over layers; the loss since a peak of its own has the sign."""
    cells = []
    for label, name in t["runs"].items():
        c, signed = (
            effect(planes[name]).sel(layer=list(t["layers"])).mean("layer")
            for effect in (fx.compression, fx.fall_from_peak)
        )
        cells.append(cell(label, c, signed=signed, hollow=why_hollow(planes[name])))
    return cells


def loss_apart(planes: Planes, t: Settings) -> list[Cell]:
    """F7: C of one run minus that of another, seed by seed; the same layers of both, on average.

    A layer at its ceiling counts with the nothing that it has lost, so that no run is given the
    mean over fewer layers than the other.
    """
    layers = list(t["layers"])
    cells = []
    for label, names in t["pairs"].items():
        one, other = (fx.compression(planes[k]).sel(layer=layers).mean("layer") for k in names)
        why = next(filter(None, (why_hollow(planes[name]) for name in names)), "")
        cells.append(cell(label, one - other, hollow=why))
    return cells


def layer_spread(planes: Planes, t: Settings) -> list[Cell]:
    """F8d-g: spread of the layers in the plane at the end, of one run over that of another."""
    layers, cells = list(t["layers"]), []
    for label, names in t["pairs"].items():
        both = table([_spread(planes[name], layers) for name in names])
        why = next(filter(None, (why_hollow(planes[name]) for name in names)), "")
        cells.append(cell(label, both, statistic=_ratio_of_medians, hollow=why))
    return cells


def _spread(plane: xr.Dataset, layers: list[int]) -> xr.DataArray:
    """Root of the variances of I(X;T) and I(T;Y) over layers."""
    x, y = (fx.final(fx.curve(plane, name)).sel(layer=layers) for name in ("i_xt", "i_ty"))
    square = x.var("layer") + y.var("layer")
    return square.copy(data=np.sqrt(square.values))


def _ratio_of_medians(sample: Array) -> Array:
    middle = medians(sample)
    return middle[:, 0] / np.maximum(middle[:, 1], np.finfo(float).tiny)


def nearer_the_data(planes: Planes, t: Settings) -> list[Cell]:
    """F8l: rank correlation of layer and the compression that the penalty adds to it."""
    with_l2, without = planes["l2_015"], planes["relu"]
    layers = list(t["layers"])
    more = (fx.compression(with_l2) - fx.compression(without)).sel(layer=layers)
    order = partial(_rank_of_medians, order=layers)
    why = why_hollow(with_l2) or why_hollow(without)
    return [cell("layer and added compression", more, statistic=order, hollow=why)]


def _rank_of_medians(sample: Array, order: Sequence[int]) -> Array:
    return relations.spearman(np.array(order, float), medians(sample))


def lost_after(planes: Planes, t: Settings) -> list[Cell]:
    """F8l: share of a penalised network's loss of I(X;T) that comes after a moment.

    The mean over layers that lose enough to speak of. The moments: "learnt", the train accuracy
    reaches a share of its final value; "overfits", the plain network of the same seed has its least
    test loss; "half", half of the training.
    """
    plane, plain = planes["l2_015"], planes["relu"]
    ix = fx.curve(plane).sel(layer=list(t["layers"])).drop_vars("update", errors="ignore")
    if t["after"] == "learnt":
        accuracy = fx.curve(plane, "train_accuracy")
        moment = fx.time_to_reach(accuracy, t["share"] * fx.final(accuracy))
    elif t["after"] == "overfits":
        moment = fx.curve(plain, "test_loss").idxmin("epoch")
    else:
        moment = xr.full_like(plane.seed, last_epoch(plane) // 2)
    ix, moment = xr.align(ix, moment, join="inner")
    then = ix.sel(epoch=moment, method="nearest").drop_vars("epoch")
    lost = ix.max("epoch") - fx.final(ix)
    later = ((then - fx.final(ix)) / lost.where(lost > t["least"])).mean("layer")
    return [cell(f"after: {t['after']}", later, hollow=why_hollow(plane) or why_hollow(plain))]


def rise_of_test_loss(planes: Planes, t: Settings) -> list[Cell]:
    """S3.1: how far the test loss rises again after its minimum, as a share of that."""
    cells = []
    for label, name in t["runs"].items():
        loss = planes[name].test_loss
        after = loss.where(loss.epoch >= loss.epoch[loss.argmin("epoch")])
        rise = after.max("epoch") / loss.min("epoch") - 1
        cells.append(cell(label, rise, hollow=why_hollow(planes[name])))
    return cells


# A score, and accuracy


def scores(planes: Planes, t: Settings) -> list[Cell]:
    """EQ6: the score lies in [0, 1], and is 0 where I(X;T) ends at its maximum."""
    cells = []
    for name, plane in planes.items():
        score = fx.compression_score(plane)
        at_top = (score == 0) == (fx.compression(plane) == 0)
        cells += [
            fact(f"{name}: between 0 and 1", bool(((score >= 0) & (score <= 1)).all())),
            fact(f"{name}: 0 exactly at the maximum", bool(at_top.all())),
        ]
    return cells


def score_and_accuracy(planes: Planes, t: Settings) -> list[Cell]:
    """F9a: correlation of the score, mean over layers, with test accuracy, over networks."""
    plane = planes["relu"]
    return [
        correlation(label, float(_r(_with_accuracy(plane, [layers])[None])[0]),
                    plane.sizes["seed"], hollow=why_hollow(plane))
        for label, layers in t["scores"].items()
    ]  # fmt: skip


def correlations_apart(planes: Planes, t: Settings) -> list[Cell]:
    """F9a: correlation of one score with test accuracy minus that of another."""
    plane = planes["relu"]
    both = _with_accuracy(plane, [t["of"], t["against"]])
    return [cell("difference", both, statistic=_r_apart, hollow=why_hollow(plane))]


def given_training(planes: Planes, t: Settings) -> list[Cell]:
    """F9a: correlation of the score with test accuracy at equal accuracy on the training rows."""
    plane = planes["relu"]
    train = fx.final(fx.curve(plane, "train_accuracy"))
    both = np.column_stack([_with_accuracy(plane, [t["of"]]), train])
    return [cell("at equal train accuracy", both, statistic=_partial_r, hollow=why_hollow(plane))]


def _with_accuracy(plane: xr.Dataset, groups: Sequence[Sequence[int]]) -> Array:
    """(seed, group + 1): mean scores of groups of layers, then test accuracy."""
    score = fx.compression_score(plane)
    means = [score.sel(layer=list(layers)).mean("layer").values for layers in groups]
    return np.stack([*means, fx.final(fx.curve(plane, "test_accuracy")).values], axis=1)


def _r(sample: Array, column: int = 0) -> Array:
    """Correlation of a column with the last one; 0 where one of them does not vary."""
    centred = sample - sample.mean(axis=1, keepdims=True)
    x, y = centred[..., column], centred[..., -1]
    norm = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    return np.divide((x * y).sum(axis=1), norm, out=np.zeros(len(x)), where=norm > 0)


def _r_apart(sample: Array) -> Array:
    return _r(sample, 0) - _r(sample, 1)


def _partial_r(sample: Array) -> Array:
    return relations.partial_correlation(sample[:, :, None, :])


def fewer_against_all(planes: Planes, t: Settings) -> list[Cell]:
    """M1: share of draws of a few networks whose average has the direction of the average of all.

    The average is that of the loss of I(X;T) since its peak, with its sign, mean over layers, of
    one run or of one run minus another.
    """
    cells = []
    for label, names in t["averages"].items():
        each = [
            fx.fall_from_peak(planes[k]).sel(layer=list(t["layers"])).mean("layer") for k in names
        ]
        value = each[0] - each[1] if len(each) > 1 else each[0]
        rng = np.random.default_rng(0)
        n, size = value.sizes["seed"], t["size"]
        chosen = np.array([rng.permutation(n)[:size] for _ in range(t["draws"])])
        why = next(filter(None, (why_hollow(planes[name]) for name in names)), "")
        cells.append(
            cell(label, value, statistic=partial(_agreeing, chosen=chosen), hollow=why)
        )  # fmt: skip
    return cells


def _agreeing(sample: Array, chosen: NDArray[np.int64]) -> Array:
    """Share of the draws, (draw, few) places, whose mean has the sign of the whole mean."""
    weights = np.zeros((sample.shape[1], len(chosen)))
    np.put_along_axis(weights, chosen.T, 1.0, axis=0)
    up = sample.mean(axis=1, keepdims=True) > 0
    return ((sample @ weights > 0) == up).mean(axis=1)
