"""One neuron, and linear students of linear teachers: where everything is known exactly."""

from itertools import combinations
from math import isclose
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.special import ndtr

from ibcore import theory
from ibcore.claims import effects as fx
from ibcore.claims.common import (
    Planes,
    Thresholds,
)
from ibcore.claims.decide import Part, fact, median, reported
from ibcore.information import entropy

from .planes import rests

GAINS = ("0.1", "1", "3")


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


def _back(t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Net input at which tanh crosses an edge; the edges ±1 are never crossed."""
    wide = t.astype(np.float64)
    return np.arctanh(wide[np.abs(wide) < 1])


def _gaussian_entropy(edges: NDArray[np.float64]) -> float:
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


def _relative(plane: xr.Dataset, estimator: str | None = None) -> xr.DataArray:
    """C over the largest IX, (seed, layer)."""
    ix = fx.curve(plane, estimator=estimator)
    return (ix.max("epoch") - fx.final(ix)) / ix.max("epoch")


def _by_gain(planes: Planes, family: str) -> list[tuple[str, xr.Dataset]]:
    return [(f"gain {gain}", planes[f"{family}_{k}"]) for k, gain in enumerate(GAINS, 1)]


def _no_relative_compression(plane: xr.Dataset, most: float, **where: Any) -> list[Part]:
    c = _relative(plane)
    return [
        median("rests", "C / max IX", c.sel(layer=layer), "<", most, layer=int(layer), **where)
        for layer in c.layer.values
    ]


def linear_generalises(planes: Planes, t: Thresholds) -> list[Part]:
    """F3: linear students generalise without compression; with few data they do not."""
    parts: list[Part] = []
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
    return rests(plane, plane.layer.values, t["rest"])


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


def _in_time(plane: xr.Dataset, grid: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Median IX and IY over learning rate x updates, and the final error."""
    rate = grid[-1] / float(plane["update"][-1])
    time = np.log(np.maximum(plane["update"].values * rate, 1e-3))
    middle = [fx.curve(plane, name).median("seed").values for name in ("i_xt", "i_ty")]
    lines = np.concatenate(middle, axis=1).T
    found = np.stack([np.interp(np.log(grid), time, line) for line in lines])
    return found, float(plane.generalisation_error.isel(epoch=-1).median())
