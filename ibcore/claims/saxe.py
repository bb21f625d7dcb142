"""Evidence for the claims of Saxe et al. and their student replication: planes in, parts out.

One function per claim, named in ``chapters/saxe_claims.toml``, where the criterion is written in
words and every number stands. Layers of the 12-10-7-5-4-3-2 networks are 1 to 6.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import combinations
from math import isclose

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtr

from ibcore import theory
from ibcore.claims import effects as fx
from ibcore.claims.common import (
    Planes,
    Thresholds,
    is_saturated,
    last_epoch,
    matched,
    medians,
    table,
    transition,
)
from ibcore.claims.decide import Part, fact, median, reported, share, statistic
from ibcore.information import entropy

OUTPUT = 6
HIDDEN = (1, 2, 3, 4, 5)
GAINS = ("0.1", "1", "3")


# Planes ----------------------------------------------------------------------------------------


def tanh_compresses(planes: Planes, t: Thresholds) -> list[Part]:
    """F1A: the last layers of tanh."""
    return _compresses(planes["tanh"], {5: t["last"], OUTPUT: t["last"], 4: t["fourth"]})


def _compresses(plane: xr.Dataset, least: dict[int, float], **where) -> list[Part]:
    """Median C above a threshold of each layer; D says which way it went."""
    ruler = where.pop("estimator", None)
    c, d = (f(plane, estimator=ruler) for f in (fx.compression, fx.signed_change))
    full = fx.saturated_layers(plane, estimator=ruler)
    return [
        median("compresses", "C", c.sel(layer=layer), ">", threshold, unit="bits", layer=layer,
               signed=d.sel(layer=layer), saturated=bool(full.sel(layer=layer)), **where)
        for layer, threshold in least.items()
    ]  # fmt: skip


def _rests(plane: xr.Dataset, layers: Iterable[int], most: float, **where) -> list[Part]:
    """Median C below a threshold in each layer."""
    ruler = where.pop("estimator", None)
    c = fx.compression(plane, estimator=ruler)
    full = fx.saturated_layers(plane, estimator=ruler)
    return [
        median("rests", "C", c.sel(layer=layer), "<", most, unit="bits", layer=layer,
               saturated=bool(full.sel(layer=layer)), **where)
        for layer in map(int, layers)
    ]  # fmt: skip


def relu_grows(planes: Planes, t: Thresholds) -> list[Part]:
    """F1B, F17: no hidden ReLU layer compresses, the output does."""
    plane = planes["relu"]
    rising = fx.monotonicity(plane)
    some = (fx.compression(plane).sel(layer=list(HIDDEN)) > t["output"]).any("layer")
    return [
        *_rests(plane, HIDDEN, t["rest"]),
        *(
            median("rises", "share of rising steps", rising.sel(layer=layer), ">", t["rising"],
                   layer=layer, saturated=is_saturated(plane, layer))
            for layer in HIDDEN
        ),
        *_compresses(plane, {OUTPUT: t["output"]}),
        reported(share("single", f"networks with a hidden C > {t['output']} bit", some, 0.0)),
    ]  # fmt: skip


def mnist_tanh(planes: Planes, t: Thresholds) -> list[Part]:
    """F1C: the hidden layers of 20 units compress."""
    return _compresses(planes["mnist_tanh"], dict.fromkeys((2, 3, 4), t["hidden"]))


def mnist_relu(planes: Planes, t: Thresholds) -> list[Part]:
    """F1D: they do not with ReLU, the output does."""
    plane = planes["mnist_relu"]
    return [*_rests(plane, (1, 2, 3, 4), t["rest"]), *_compresses(plane, {5: t["output"]})]


def activations(planes: Planes, t: Thresholds) -> list[Part]:
    """F8: an order of activations, in the last hidden layer."""
    c = {
        name: fx.compression(planes[name], estimator=t["ruler"]).sel(layer=5)
        for name in ("tanh", "softsign", "relu", "softplus")
    }
    both = table([c["tanh"], c["softsign"]])
    return [
        statistic("order", "C(tanh) - C(softsign)", _first_minus_second, both, ">", 0.0,
                  unit="bits", group="tanh", invertible=True),
        median("modest", "C(softsign)", c["softsign"], ">", t["modest"], unit="bits",
               group="softsign"),
        *(
            median("none", f"C({name})", c[name], "<", t["modest"], unit="bits", group=name)
            for name in ("relu", "softplus")
        ),
    ]  # fmt: skip


def _first_minus_second(sample: NDArray) -> NDArray:
    middle = medians(sample)
    return middle[:, 0] - middle[:, 1]


def rulers_agree(planes: Planes, t: Thresholds) -> list[Part]:
    """F9, F10: upper bound, lower bound and bins say the same of each layer."""
    columns = [
        fx.compression(plane, estimator=ruler).values
        for plane in planes.values()
        for ruler in t["rulers"]
    ]
    n_seeds = min(map(len, columns))
    values = np.stack([one[:n_seeds] for one in columns], axis=1)
    n_rulers = len(t["rulers"])

    def agreeing(sample: NDArray) -> NDArray:
        says = medians(sample) > t["compression"]
        says = says.reshape(len(sample), -1, n_rulers, sample.shape[-1])
        return (says.all(axis=2) | ~says.any(axis=2)).mean(axis=(1, 2))

    what = "share of (activation, layer) pairs on which the rulers agree"
    return [statistic("agree", what, agreeing, values, ">=", 1.0)]


def neighbours(planes: Planes, t: Thresholds) -> list[Part]:
    """F12: nearest-neighbour entropy falls in tanh, not in ReLU, after the task is learnt."""
    parts = []
    for name, side in (("tanh", "<"), ("relu", ">=")):
        plane = planes[name]
        for variable, decisive in (
            ("neighbour_entropy", True),
            ("neighbour_entropy_scaled", False),
        ):
            change = _since_learnt(plane, variable)
            for layer in t["layers"]:
                part = median(
                    "changes" if decisive else "scaled", "h(T) at the end minus when learnt",
                    change.sel(layer=layer), side, 0.0, unit="bits", group=name, layer=layer,
                    invertible=True,
                )  # fmt: skip
                parts.append(part if decisive else reported(part))
    return parts


def _since_learnt(plane: xr.Dataset, variable: str) -> xr.DataArray:
    """Change of an observable since train accuracy reached 0.9 of its final value."""
    values = fx.curve(plane, variable)
    accuracy = fx.curve(plane, "train_accuracy").sel(epoch=values.epoch)
    reached = (accuracy >= 0.9 * fx.final(accuracy)).argmax("epoch")
    return fx.final(values) - values.isel(epoch=reached, drop=True)


def net_input_bins(planes: Planes, t: Thresholds) -> list[Part]:
    """F14: where even bins see compression, bins of the net input see little."""
    plane = planes["tanh"]
    even = fx.compression(plane, estimator=t["even"])
    parts = []
    for ruler in t["rulers"]:
        other = fx.compression(plane, estimator=ruler)
        for layer in HIDDEN:
            both = table([other.sel(layer=layer), even.sel(layer=layer)])
            asked = float(even.sel(layer=layer).median()) > t["compression"]
            part = statistic(
                "little", f"C minus {t['share']} x C under even bins",
                partial(_excess, factor=t["share"]), both, "<", 0.0, unit="bits", cell=ruler,
                layer=layer,
            )  # fmt: skip
            parts.append(part if asked else reported(part))
    return parts


def _excess(sample: NDArray, factor: float) -> NDArray:
    middle = medians(sample)
    return middle[:, 0] - factor * middle[:, 1]


def machine_precision(planes: Planes, t: Thresholds) -> list[Part]:
    """F15: float32 rows stay distinct, the smallest layers lose some at the very end."""
    plane = planes["tanh"]
    ix = fx.curve(plane, estimator=t["ruler"])
    early = ix.sel(epoch=ix.epoch <= last_epoch(plane) * t["early"])
    late_c = ix.max("epoch") - fx.final(ix)
    early_c = early.max("epoch") - fx.final(early)
    return [
        *(
            median("distinct", "smallest IX", ix.sel(layer=layer).min("epoch"), ">", t["distinct"],
                   unit="bits", layer=layer)
            for layer in (1, 2, 3, 4)
        ),
        *(
            median("late", "C at a tenth of training", early_c.sel(layer=layer), "<", t["little"],
                   unit="bits", layer=layer)
            for layer in (5, OUTPUT)
        ),
        *(
            median("drops", "C at the end", late_c.sel(layer=layer), ">", t["little"],
                   unit="bits", layer=layer)
            for layer in (5, OUTPUT)
        ),
    ]  # fmt: skip


def saturation(planes: Planes, t: Thresholds) -> list[Part]:
    """F16: units of the last hidden layer end up at the edges."""
    parts = []
    for name, plane in planes.items():
        edge = fx.variable(plane, "saturation")
        at_peak = fx.at_peak(edge, fx.curve(plane))
        for layer in (5, 4):
            end, before = fx.final(edge).sel(layer=layer), at_peak.sel(layer=layer)
            here = {"cell": name, "layer": layer}
            found = [
                median("edges", "share of |t| > 0.93 at the end", end, ">", t["end"], **here),
                median("growth", "share at the end over share at the peak",
                       end / np.maximum(before, 1e-4), ">", t["growth"], **here),
            ]  # fmt: skip
            parts += found if layer == 5 else map(reported, found)
    return parts


# One neuron --------------------------------------------------------------------------------------


def one_neuron(planes: Planes, t: Thresholds) -> list[Part]:
    """F2: one tanh unit knows most at a middle weight; ReLU and linear units ever more."""
    weights = np.geomspace(0.01, 1000, 200)
    tanh = np.array([theory.single_neuron_information(w, n_bins=30) for w in weights])
    found = [theory.single_neuron_information(w, n_bins=30) for w in t["weights"]]
    golden = all(
        isclose(a, b, abs_tol=t["tolerance"]) for a, b in zip(found, t["golden"], strict=True)
    )
    top = tanh.argmax()
    parts = [
        fact("golden", f"tanh with 30 bins at w = {', '.join(map(str, t['weights']))}", golden),
        fact("unimodal", "tanh rises to one peak and falls",
             (np.diff(tanh[: top + 1]) > -1e-12).all() and (np.diff(tanh[top:]) < 1e-12).all()),
    ]  # fmt: skip
    for name in ("relu", "linear"):
        values = [
            theory.single_neuron_information(w, activation=name, width=1 / 15)
            for w in np.geomspace(0.1, 100, 100)
        ]
        parts.append(fact("grows", f"{name} strictly increasing", (np.diff(values) > 0).all()))
    return parts


def net_input_neuron(planes: Planes, t: Thresholds) -> list[Part]:
    """F13: with bins even in the net input information keeps rising; three ways to code them."""
    z = np.linspace(-50, 50, 30)
    edges = {"of the net input": z} | {
        f"of tanh in {dtype.__name__}": _back(np.unique(np.tanh(z.astype(dtype))))
        for dtype in (np.float32, np.float64)
    }
    weights = np.linspace(0.1, 20, 200)
    parts = []
    for name, ends in edges.items():
        drop = max(0.0, *-np.diff([_gaussian_entropy(ends / w) for w in weights]))
        parts.append(
            fact("rises", f"edges {name}: largest drop", drop <= t["drop"], note=f"{drop:.1e} bit")
        )
    return parts


def _back(t: NDArray) -> NDArray:
    """Net input at which tanh crosses an edge; the edges ±1 are never crossed."""
    t = t.astype(np.float64)
    return np.arctanh(t[np.abs(t) < 1])


def _gaussian_entropy(edges: NDArray) -> float:
    """Entropy, in bits, of a standard normal between edges."""
    p = np.diff(ndtr(np.concatenate([[-np.inf], edges, [np.inf]])))
    return entropy(p / p.sum())


def rescaling(planes: Planes, t: Thresholds) -> list[Part]:
    """EQ21: w1/c, c w2 compute the same, and their information differs."""
    w1, w2, v = 1.7, 0.6, 0.5
    exact, same, moved = True, True, set()
    for c in t["factors"]:
        found = theory.linear_gaussian_information([[w1 / c]], [[1.0]], noise_variance=v)
        exact &= isclose(found, 0.5 * np.log2((w1**2 / c**2 + v) / v), abs_tol=t["tolerance"])
        same &= isclose(w1 / c * (c * w2), w1 * w2, rel_tol=1e-12)
        moved.add(round(found, 9))
    return [
        fact("formula", "I = ½ log2((w1²/c² + σ²)/σ²)", exact),
        fact("same", "the product of the weights does not change", same),
        fact("moves", "the information differs at every c", len(moved) == len(t["factors"])),
    ]


# Linear networks -----------------------------------------------------------------------------


def _relative(plane: xr.Dataset, estimator: str | None = None) -> xr.DataArray:
    """C over the largest IX, (seed, layer)."""
    ix = fx.curve(plane, estimator=estimator)
    return (ix.max("epoch") - fx.final(ix)) / ix.max("epoch")


def _by_gain(planes: Planes, family: str) -> list[tuple[str, xr.Dataset]]:
    return [(f"gain {gain}", planes[f"{family}_{k}"]) for k, gain in enumerate(GAINS, 1)]


def _no_relative_compression(plane, most, **where) -> list[Part]:
    c = _relative(plane)
    return [
        median("rests", "C / max IX", c.sel(layer=layer), "<", most, layer=int(layer), **where)
        for layer in c.layer.values
    ]


def linear_generalises(planes: Planes, t: Thresholds) -> list[Part]:
    """F3: linear students generalise without compression; with few data they do not."""
    parts = []
    for family, decisive in (("linear", True), ("linear_few", False)):
        for gain, plane in _by_gain(planes, family):
            where = {"cell": gain, "group": f"{'1 000' if decisive else '100'} rows"}
            end = plane.isel(epoch=-1)
            gap = abs(end.test_loss - end.loss) / end.test_loss
            found = [
                *_no_relative_compression(plane, t["rest"], **where),
                median("gap", "|test - train| / test loss", gap, "<", t["gap"], **where),
            ]
            parts += found if decisive else map(reported, found)
    return parts


def overtraining(planes: Planes, t: Thresholds) -> list[Part]:
    """F4AB: linear students overtrain, lose what they knew of the label, and do not compress."""
    parts = []
    for gain, plane in _by_gain(planes, "linear_sgd"):
        error = plane.generalisation_error
        iy = fx.curve(plane, "i_ty")
        lost = (iy.max("epoch") - fx.final(iy)) / iy.max("epoch")
        parts += [
            *_no_relative_compression(plane, t["rest"], cell=gain),
            median("overtrains", "E_g at the end over its minimum",
                   error.isel(epoch=-1) / error.min("epoch"), ">", t["error"], cell=gain),
            *(
                median("forgets", "fall of IY over its maximum", lost.sel(layer=layer), ">",
                       t["lost"], cell=gain, layer=int(layer))
                for layer in lost.layer.values
            ),
        ]  # fmt: skip
    return parts


def linear_deep(planes: Planes, t: Thresholds) -> list[Part]:
    """F18: five linear layers of 50 units."""
    plane = planes["linear_deep"]
    return _rests(plane, plane.layer.values, t["rest"])


def same_plane(planes: Planes, t: Thresholds) -> list[Part]:
    """F19: batches of five and gradient descent draw the same plane."""
    parts = []
    for (gain, noisy), (_, full) in zip(
        _by_gain(planes, "linear_sgd"), _by_gain(planes, "linear_few"), strict=True
    ):
        apart = abs(fx.curve(noisy) - fx.curve(full)).max("epoch")
        parts += [
            median("apart", "largest |difference of IX|", apart.sel(layer=layer), "<", t["apart"],
                   unit="bits", cell=gain, layer=int(layer))
            for layer in apart.layer.values
        ]  # fmt: skip
    return parts


def irrelevant_inputs(planes: Planes, t: Thresholds) -> list[Part]:
    """F6: what does not matter is forgotten while the rest is learnt."""
    parts = []
    for rows in (100, 300, 1000):
        for gain, plane in _by_gain(planes, f"relevant_{rows}"):
            where = {"cell": f"{rows} rows, {gain}", "layer": 1}
            total, relevant, other = (_relative(plane, ruler).sel(layer=1) for ruler in t["rulers"])
            loss = plane.loss
            fallen = loss.isel(epoch=0) - loss >= t["learnt"] * (
                loss.isel(epoch=0) - loss.isel(epoch=-1)
            )
            learnt = plane.epoch[fallen.argmax("epoch")].drop_vars(["epoch", "update"])
            peak = fx.peak_epoch(plane, estimator=t["rulers"][2]).sel(layer=1)
            parts += [
                median("forgets", "C / max, irrelevant inputs", other, ">", t["forgets"], **where),
                median("total", "C / max, all inputs", total, "<", t["rest"], **where),
                median("relevant", "C / max, relevant inputs", relevant, "<", t["rest"], **where),
                median("during", "peak minus the epoch of 90 % of the loss's fall", peak - learnt,
                       "<", 0.0, unit="epochs", **where),
            ]  # fmt: skip
    return parts


def twins(planes: Planes, t: Thresholds) -> list[Part]:
    """STU-7p: two linear students with nearly the same plane and different errors."""
    grid = np.geomspace(1, 500, 60)  # learning rate x updates
    curves = {name: _in_time(plane, grid) for name, plane in planes.items()}
    best = 0.0
    for a, b in combinations(curves.values(), 2):
        if np.abs(a[0] - b[0]).max() < t["apart"]:
            ratio = a[1] / b[1]
            best = max(best, ratio, 1 / ratio)
    return [
        fact("twins", f"planes within {t['apart']} bit, ratio of errors", best > t["ratio"],
             note=f"{best:.2f}")
    ]  # fmt: skip


def _in_time(plane: xr.Dataset, grid: NDArray) -> tuple[NDArray, float]:
    """Median IX and IY over learning rate x updates, and the final error."""
    rate = grid[-1] / float(plane["update"][-1])
    time = np.log(np.maximum(plane["update"].values * rate, 1e-3))
    middle = [fx.curve(plane, name).median("seed").values for name in ("i_xt", "i_ty")]
    lines = np.concatenate(middle, axis=1).T
    found = np.stack([np.interp(np.log(grid), time, line) for line in lines])
    return found, float(plane.generalisation_error.isel(epoch=-1).median())


# Noise, data, gradients -----------------------------------------------------------------------


def _gap(plane: xr.Dataset) -> xr.DataArray:
    end = plane.isel(epoch=-1)
    return end.train_accuracy - end.test_accuracy


def little_data(planes: Planes, t: Thresholds) -> list[Part]:
    """F4CD: with 30 % of the data tanh compresses and overfits."""
    few, many = planes["tanh_30"], planes["tanh"]
    gap = _gap(few)
    more = gap - _gap(many).reindex_like(gap)
    return [
        *_compresses(few, {5: t["compression"]}),
        median("gap", "train minus test accuracy", gap, ">", t["gap"]),
        median("wider", "gap at 30 % minus gap at 80 %", more, ">", 0.0, invertible=True),
    ]


PAIRS = (
    ("Adam, 256 against all, same epochs", "{}", "full_{}", "epoch"),
    ("Adam, 256 against all, same updates", "{}", "full_{}", "update"),
    ("SGD, 1 against all, same rate x updates", "sgd_1_{}", "gd_{}", None),
    ("SGD, 256 against all, same updates", "sgd_256_{}", "gd_{}", "update"),
)


def gradient_noise(planes: Planes, t: Thresholds) -> list[Part]:
    """F5: with and without noise in the gradient the same picture."""
    parts = []
    for cell, noisy_name, full_name, clock in PAIRS:
        for activation in ("tanh", "relu"):
            pair = planes[noisy_name.format(activation)], planes[full_name.format(activation)]
            pair = matched(*pair, clock) if clock else pair
            where = {"cell": cell, "group": activation}
            if activation == "relu":
                for name, plane in zip(("noisy", "full"), pair, strict=True):
                    for part in _rests(plane, HIDDEN, t["rest"], **where):
                        parts.append(_named(part, f"rests, {name}"))
                continue
            c = [fx.compression(plane) for plane in pair]
            for layer in t["layers"]:
                both = table([one.sel(layer=layer) for one in c])
                full = any(is_saturated(plane, layer) for plane in pair)
                here = where | {"layer": layer, "saturated": full, "unit": "bits"}
                parts += [
                    statistic("both", "smaller C of the two", _smaller, both, ">",
                              t["compression"], **here),
                    statistic("close", f"|difference of C| minus {t['share']} x the larger",
                              partial(_apart, factor=t["share"]), both, "<", 0.0, **here),
                ]  # fmt: skip
    return parts


def _named(part: Part, name: str) -> Part:
    return replace(part, name=name)


def _smaller(sample: NDArray) -> NDArray:
    return medians(sample).min(axis=1)


def _apart(sample: NDArray, factor: float) -> NDArray:
    middle = medians(sample)
    return np.abs(middle[:, 0] - middle[:, 1]) - factor * middle.max(axis=1)


def signal_to_noise(planes: Planes, t: Thresholds) -> list[Part]:
    """F20, F21: the ratio falls everywhere, also where nothing can compress."""
    parts = []
    for name, plane in planes.items():
        parts += transition(plane, t, "", group=name)
    for name in ("tanh", "relu"):
        _, drop = fx.change_point(fx.log_snr(planes[name]))
        c = fx.compression(planes[name])
        deep = list(t["layers"])
        both = np.stack([drop.sel(layer=deep).mean("layer"), c.sel(layer=deep).mean("layer")], 1)
        parts.append(
            statistic("unrelated", "|rank correlation of drop and C|", _rank_correlation, both,
                      "<", t["correlation"], group=name)
        )  # fmt: skip
    return parts


def _rank_correlation(sample: NDArray) -> NDArray:
    return np.array([abs(fx.spearman(one[:, 0], one[None, :, 1])[0]) for one in sample])


def norms_grow(planes: Planes, t: Thresholds) -> list[Part]:
    """A1: the weights of tanh grow all the time."""
    norm = fx.variable(planes["tanh"], "weight_norm")
    return [
        median("grows", "rank correlation of epoch and norm",
               fx.spearman(norm.epoch.values, norm.sel(layer=layer).values), ">",
               t["correlation"], layer=int(layer))
        for layer in norm.layer.values
    ]  # fmt: skip


# The students ---------------------------------------------------------------------------------


def dissociation(planes: Planes, t: Thresholds) -> list[Part]:
    """STU-9: all four of (compresses or not) x (generalises or not) occur."""
    c = np.concatenate([fx.compression(one).sel(layer=5).values for one in planes.values()])
    accuracy = np.concatenate([one.test_accuracy.isel(epoch=-1).values for one in planes.values()])
    kinds = {"compress": c > t["compresses"], "do not": c < t["rests"]}
    ends = {"generalise": accuracy >= t["good"], "do not": accuracy < t["bad"]}
    return [
        fact("cell", f"networks that {'' if first == 'compress' else 'do not '}compress and "
             f"{'' if second == 'generalise' else 'do not '}generalise", bool((a & b).any()),
             note=f"{(a & b).sum()} of {len(c)}")
        for first, a in kinds.items()
        for second, b in ends.items()
    ]  # fmt: skip


def simple_networks(planes: Planes, t: Thresholds) -> list[Part]:
    """STU-12: no compression in small networks on MNIST."""
    return [
        part
        for name, plane in planes.items()
        for part in _rests(plane, plane.layer.values[:-1], t["rest"], group=name)
    ]


def sigmoid(planes: Planes, t: Thresholds) -> list[Part]:
    """STU-13: sigmoid networks do not compress, whatever the ruler, the time and the task."""
    noise, wide, fitting = t["rulers"]
    asked = [
        ("noise 0.001", "sigmoid", noise),
        ("30 bins on [-1, 1]", "sigmoid", wide),
        ("30 bins on [0, 1]", "sigmoid", fitting),
        ("five times longer, noise 0.001", "sigmoid_long", noise),
        ("five times longer, 30 bins on [0, 1]", "sigmoid_long", fitting),
        ("MNIST, 20-10", "narrow_sigmoid_1", None),
        ("MNIST, 20-10-10", "narrow_sigmoid_2", None),
    ]
    return [
        part
        for cell, name, ruler in asked
        for part in _rests(
            planes[name], planes[name].layer.values[:-1], t["rest"], cell=cell, estimator=ruler
        )
    ]


def what_decides(planes: Planes, t: Thresholds) -> list[Part]:
    """STU-1v: shares of variance over activation, batch, gain, ruler and seed."""
    parts = []
    for name, what in (("compression", fx.compression), ("final", _final_information)):
        values = _factorial(planes, t, what)
        parts.append(
            statistic(name, "share of variance by activation minus the next largest",
                      _lead, values, ">", 0.0, invertible=True)
        )  # fmt: skip
        parts += [
            reported(
                statistic(f"{name}: {factor}", "share of variance",
                          partial(_explained, axis=axis), values, ">=", 0.0)
            )
            for axis, factor in enumerate(("activation", "batch", "gain", "ruler", "seed"))
        ]  # fmt: skip
    return parts


def _final_information(plane: xr.Dataset, *, estimator: str) -> xr.DataArray:
    return fx.final(fx.curve(plane, estimator=estimator))


def _factorial(planes: Planes, t: Thresholds, what) -> NDArray:
    """(seed, activation, batch, gain, ruler): mean over the unsaturated-in-principle layers."""
    return np.stack([
        np.stack([
            np.stack([
                np.stack([
                    what(planes[f"{gain}{batch}{activation}"], estimator=ruler)
                    .sel(layer=list(t["layers"])).mean("layer").values
                    for ruler in t["rulers"]
                ], -1)
                for gain in ("", "gain2_")
            ], -2)
            for batch in ("", "full_")
        ], -3)
        for activation in ("tanh", "relu")
    ], -4)  # fmt: skip


def _explained(sample: NDArray, axis: int) -> NDArray:
    """Share of the variance that the means over one factor explain; axis 4 is the seed."""
    places = (2, 3, 4, 5, 1)  # of the factors in (resample, seed, ...)
    others = tuple(k for k in range(1, 6) if k != places[axis])
    middle = sample.mean(axis=others)
    return middle.var(axis=1) / sample.reshape(len(sample), -1).var(axis=1)


def _lead(sample: NDArray) -> NDArray:
    first, *others = (_explained(sample, axis) for axis in range(5))
    return first - np.max(others, axis=0)


def coding(planes: Planes, t: Thresholds) -> list[Part]:
    """STU-2c: a network that predicts the labels compresses them."""
    return [
        median("length", "bits per label with the network's predictions over H(Y)",
               plane.test_loss.isel(epoch=-1) / np.log(2) / plane.attrs["label_entropy"], "<", 1.0,
               group=name)
        for name, plane in planes.items()
    ]  # fmt: skip


def entropy_formula(planes: Planes, t: Thresholds) -> list[Part]:
    """STU-2: H = -Σ p log2 p, of eight equal ones and of a fair coin."""
    return [
        fact("formula", f"H of {n} equal symbols", isclose(entropy(np.full(n, 1 / n)), np.log2(n)))
        for n in (2, 8)
    ]


# Rows that stand on others -----------------------------------------------------------------------


def relu_everywhere(planes: Planes, t: Thresholds) -> list[Part]:
    """STU-5: ReLU on both tasks."""
    mnist = mnist_relu(planes, {"rest": t["mnist_rest"], "output": t["mnist_output"]})
    return [*_grouped(relu_grows(planes, t), "12-bit"), *_grouped(mnist, "MNIST")]


def mnist_both(planes: Planes, t: Thresholds) -> list[Part]:
    """STU-6: tanh compresses on MNIST, ReLU does not."""
    return [
        *_grouped(mnist_tanh(planes, t), "tanh"),
        *_grouped(mnist_relu(planes, t), "relu"),
    ]


def linear_both(planes: Planes, t: Thresholds) -> list[Part]:
    """STU-7: neither the student that generalises nor the one that overtrains compresses."""
    return [*linear_generalises(planes, t), *overtraining(planes, t)]


def general_case(planes: Planes, t: Thresholds) -> list[Part]:
    """C1, STU-1: none of the three statements holds in general."""
    two_phases = [part for part in relu_grows(planes, t) if part.name == "rests"]
    accurate = planes["relu"].test_accuracy.isel(epoch=-1)
    noise = [
        part for part in gradient_noise(planes, t) if part.group == "tanh" and part.name == "both"
    ]
    return [
        *_grouped(two_phases, "phases: ReLU"),
        *_grouped(
            [median("learns", "test accuracy of ReLU", accurate, ">", t["accuracy"])],
            "generalisation without compression",
        ),
        *_grouped(
            [
                part
                for part in little_data(planes, {**t, "compression": t["overfitting"]})
                if part.name != "wider"
            ],
            "compression without generalisation: tanh, 30 %",
        ),
        *_grouped(_without_cells(noise), "compression without noise: tanh"),
    ]


def targets(planes: Planes, t: Thresholds) -> list[Part]:
    """STU-3: activation, generalisation, noise and irrelevant inputs, one group each."""
    return [
        *general_case(planes, t),
        *_grouped(tanh_compresses(planes, t), "activation: tanh"),
        *_grouped(
            _without_cells(irrelevant_inputs(planes, {**t, "rest": t["linear_rest"]})),
            "irrelevant inputs",
        ),
    ]


def _grouped(parts: Iterable[Part], group: str) -> list[Part]:
    return [
        replace(part, group=f"{group}, {part.group}" if part.group else group) for part in parts
    ]


def _without_cells(parts: Iterable[Part]) -> list[Part]:
    """Choices of the source become groups: a conjunction has no majority."""
    return [
        replace(part, cell="", group=f"{part.group}, {part.cell}" if part.group else part.cell)
        for part in parts
    ]
