"""What the vocabulary cannot say of the claims about rulers: theorems, flips and exhibits.

Layers of the 12-10-7-5-4-3-2 networks are 1 to 6; every number that decides stands in
``claims.toml``.
"""

from collections.abc import Callable
from functools import cache

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ibcore import tasks, theory
from ibcore.claims import effects as fx
from ibcore.claims.cells import Cell, cell, fact
from ibcore.claims.common import Planes, Settings, is_saturated, why_hollow
from ibcore.claims.relations import spearman

# Theorems


def sandwich(planes: Planes, t: Settings) -> list[Cell]:
    """KT-1: the bounds enclose the exact information of random mixtures."""
    violations = _violations(t["mixtures"], t["tolerance"])
    together, apart = np.zeros((5, 2)), t["apart"] * np.arange(6)
    limits = [(theory.pairwise_bound(c), theory.pairwise_bound(c, 0.5)) for c in (together, apart)]
    exact = (0.0, np.log2(6))
    return [
        fact(f"{t['mixtures']} mixtures", violations == 0, note=f"{violations} violations"),
        *(
            fact(label, np.abs(np.subtract(both, known)).max() <= t["tolerance"])
            for label, both, known in zip(
                ("all together", "all far apart"), limits, exact, strict=True
            )
        ),
    ]


@cache
def _violations(n: int, tolerance: float) -> int:
    rng = np.random.default_rng(0)
    found = 0
    for k in range(n):
        d = 1 + k % 10 // 9  # every tenth in the plane, where quadrature costs more
        centres = rng.normal(size=(rng.integers(2, 9), d)) * 10 ** rng.uniform(-2, 2)
        exact = theory.mixture_information(centres)
        low, high = theory.pairwise_bound(centres, 0.5), theory.pairwise_bound(centres)
        found += not low - tolerance <= exact <= high + tolerance
    return found


def tightest(planes: Planes, t: Settings) -> list[Cell]:
    """KT-2: the lower bound is largest at alpha = 1/2."""
    rng = np.random.default_rng(1)
    beaten = 0
    for _ in range(t["mixtures"]):
        centres = rng.normal(size=(rng.integers(2, 9), rng.integers(1, 5)))
        centres = centres * 10 ** rng.uniform(-1, 1)
        bounds = [theory.pairwise_bound(centres, alpha) for alpha in t["alphas"]]
        beaten += theory.pairwise_bound(centres, 0.5) < max(bounds) - t["tolerance"]
    return [fact(f"{t['mixtures']} mixtures", beaten == 0, note=f"beaten {beaten} times")]


def deterministic_labels(planes: Planes, t: Settings) -> list[Cell]:
    """KTV-1: a jump at beta = 1, and a line under the squared Lagrangian."""
    task = tasks.load_task("szt")
    p_xy = np.eye(2)[task.y] / len(task.y)
    cells = []
    for betas, end in ((t["below"], 0.0), (t["above"], task.label_entropy)):
        curve = theory.ib_curve(p_xy, list(betas))
        there = np.stack([curve.complexity, curve.relevance])
        label = f"beta = {', '.join(map(str, betas))}"
        cells.append(fact(label, np.abs(there - end).max() < t["tolerance"]))
    wanted = np.array(t["inside"]) * task.label_entropy
    curve = theory.squared_ib_curve(p_xy, 1 / (2 * wanted))
    gap = max(np.abs(curve.complexity - wanted).max(), np.abs(curve.relevance - wanted).max())
    return [*cells, fact("the squared Lagrangian stops inside", gap < t["inside_tolerance"])]


# Networks


def fits(planes: Planes, t: Settings) -> list[Cell]:
    """LOR-1, LOR-4: F of every layer that has room to rise when training begins.

    The output has a ruler of its own, as it is not rounded in the network.
    """
    return [
        cell(
            _place(name, plane, layer),
            fx.fitting(plane, ruler).sel(layer=layer),
            signed=fx.gain_until_peak(plane, ruler).sel(layer=layer),
            hollow=why_hollow(plane) or _starts_full(plane, layer, ruler),
        )
        for name, plane in _named(planes, t)
        for layer in plane.layer.values
        for ruler in [t["ruler"] if layer < plane.layer[-1] else t["output"]]
    ]


def _place(name: str, plane: xr.Dataset, layer: int) -> str:
    return f"{name}, layer {layer}" if layer < plane.layer[-1] else f"{name}, output"


def _named(planes: Planes, t: Settings) -> list[tuple[str, xr.Dataset]]:
    """Planes under the names that a reader knows."""
    return [(label, planes[name]) for label, name in t["names"].items()]


def _starts_full(plane: xr.Dataset, layer: int, ruler: str) -> str:
    """At the ceiling before training in at least half of the networks: nothing is left to fit."""
    first = fx.curve(plane, estimator=ruler).sel(layer=layer).isel(epoch=0)
    full = first >= np.log2(plane.attrs["n_samples"]) - fx.CEILING_SLACK
    return "begins at its ceiling" if bool(full.mean() >= 0.5) else ""


def flips(planes: Planes, t: Settings) -> list[Cell]:
    """LOR-3: how far the rulers lie on both sides of the line, activation by activation and layer.

    With C of each ruler, median over networks, the smaller of (largest C - line) and (line -
    smallest C): above 0 where one ruler says that the layer compresses and another that it does
    not.
    """
    cells = []
    for name, plane in _named(planes, t):
        c = [fx.compression(plane, estimator=ruler) for ruler in t["rulers"]]
        for layer in plane.layer.values:
            values = xr.concat([one.sel(layer=layer) for one in c], "ruler").transpose("seed", ...)
            why = [why_hollow(plane, layer, ruler) for ruler in t["rulers"]]
            hollow = why[0] if all(why) else ""
            place = _place(name, plane, layer)
            cells.append(cell(place, values, statistic=_gap(t["line"]), hollow=hollow))
    return cells


def _gap(line: float) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    def statistic(sample: NDArray[np.float64]) -> NDArray[np.float64]:
        """(resample, seed, ruler) -> (resample,)."""
        c = np.median(sample, axis=1)
        return np.minimum(c.max(axis=-1) - line, line - c.min(axis=-1))

    return statistic


def no_growth(planes: Planes, t: Settings) -> list[Cell]:
    """LOR-5: the data processing inequality, exactly."""
    return [
        fact(f"{name}, {said}, {text}", largest <= t["tolerance"], note=f"{largest:.1e} bit")
        for name, plane in _named(planes, t)
        for said, ruler in t["rulers"].items()
        for variable, text in (("i_xt", "I(X;T)"), ("i_ty", "I(T;Y)"))
        for largest in [_growth(plane, variable, ruler)]
    ]


def _growth(plane: xr.Dataset, variable: str, ruler: str) -> float:
    """Largest increase from a layer to the next, in bits, unsmoothed."""
    return float(plane[variable].sel(estimator=ruler).diff("layer").max())


def follows(planes: Planes, t: Settings) -> list[Cell]:
    """GEI-1: rank correlation over checkpoints of I(X;T) with a length, times a sign.

    Of each network the median over the layers that are not at their ceiling; the cell takes the
    median over networks.
    """
    cells = []
    for name, plane in _named(planes, t):
        free = [k for k in t["layers"] if not is_saturated(plane, k, t["ruler"])]
        ix, length = fx.curve(plane, estimator=t["ruler"]), fx.curve(plane, t["variable"])
        each = [
            [
                _rank(*pair)
                for pair in zip(ix.sel(layer=k).values, length.sel(layer=k).values, strict=True)
            ]
            for k in free
        ]
        values = t["sign"] * np.median(each, axis=0) if each else np.full(ix.sizes["seed"], np.nan)
        hollow = why_hollow(plane) or ("" if free else "at its ceiling")
        cells.append(cell(name, ix.seed.copy(data=values), hollow=hollow))
    return cells


def _rank(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Rank correlation over the checkpoints at which both are known."""
    known = np.isfinite(x) & np.isfinite(y)
    return float(spearman(x[known], y[None, known])[0])


def exhibits(planes: Planes, t: Settings) -> list[Cell]:
    """GEI-2: one example of each."""
    growing, silent, pairs = 0, 0, 0
    for plane in planes.values():
        accurate = plane.test_accuracy.isel(epoch=-1).values > t["accuracy"]
        for ruler in map(str, plane.estimator.values):
            pairs += 1
            growing += _growth(plane, "i_xt", ruler) > t["growth"]
            where = {"layer": t["layers"]}
            full = fx.saturated(plane, estimator=ruler).sel(where).values
            still = fx.fitting(plane, estimator=ruler).sel(where).values < t["fitting"]
            silent += bool((accurate & (still | full).all(axis=1) & ~full.all(axis=1)).any())
    return [
        fact("I(X;T) grows from a layer to the next", growing > 0, f"{growing} of {pairs}"),
        fact("an accurate network does not fit visibly", silent > 0, f"{silent} of {pairs}"),
    ]
