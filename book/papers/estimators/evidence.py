"""Evidence for the claims about rulers: planes in, parts of a criterion out.

One function per claim, named in ``claims.toml``, where the criterion is written
in words and every number stands. Layers of the 12-10-7-5-4-3-2 networks are 1 to 6.
"""

from functools import cache

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ibcore import tasks, theory
from ibcore.claims import effects as fx
from ibcore.claims.common import Planes, Thresholds, medians
from ibcore.claims.decide import Part, fact, median, share, statistic

OUTPUT = 6
HIDDEN = (1, 2, 3, 4, 5)


def sandwich(planes: Planes, t: Thresholds) -> list[Part]:
    """KT-1: the bounds enclose the exact information of random mixtures."""
    violations = _violations(t["mixtures"], t["tolerance"])
    together, apart = np.zeros((5, 2)), 1000.0 * np.arange(6)
    limits = [(theory.pairwise_bound(c), theory.pairwise_bound(c, 0.5)) for c in (together, apart)]
    return [
        fact("sandwich", f"{t['mixtures']} mixtures within their bounds", violations == 0,
             note=f"{violations} violations"),
        fact("sandwich", "exact where all points coincide", np.allclose(limits[0], 0)),
        fact("sandwich", "exact where all are far apart", np.allclose(limits[1], np.log2(6))),
    ]  # fmt: skip


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


def tightest(planes: Planes, t: Thresholds) -> list[Part]:
    """KT-2: the lower bound is largest at alpha = 1/2."""
    rng = np.random.default_rng(1)
    alphas = np.arange(1, 20) / 20
    best = True
    for _ in range(t["mixtures"]):
        centres = rng.normal(size=(rng.integers(2, 9), rng.integers(1, 5))) * 10 ** rng.uniform(
            -1, 1
        )
        bounds = [theory.pairwise_bound(centres, a) for a in alphas]
        best &= theory.pairwise_bound(centres, 0.5) >= max(bounds) - 1e-12
    return [fact("tightest", "alpha = 1/2 is always best", best)]


def deterministic_labels(planes: Planes, t: Thresholds) -> list[Part]:
    """KTV-1: a jump at beta = 1, and a line under the squared Lagrangian."""
    y = tasks.load_task("szt").y
    p_xy = np.eye(2)[y] / len(y)
    h_y = tasks.load_task("szt").label_entropy
    parts = []
    for betas, end in ((t["below"], 0.0), (t["above"], h_y)):
        curve = theory.ib_curve(p_xy, list(betas))
        there = np.stack([curve.complexity, curve.relevance])
        parts.append(
            fact("ends", f"({end:.4g}, {end:.4g}) at beta = {', '.join(map(str, betas))}",
                 np.abs(there - end).max() < t["tolerance"])
        )  # fmt: skip
    wanted = np.array(t["inside"]) * h_y
    curve = theory.squared_ib_curve(p_xy, 1 / (2 * wanted))
    gap = max(np.abs(curve.complexity - wanted).max(), np.abs(curve.relevance - wanted).max())
    parts.append(fact("line", "the squared Lagrangian stops inside", gap < t["inside_tolerance"]))
    return parts


def quantised_phases(planes: Planes, t: Thresholds) -> list[Part]:
    """LOR-1: fitting in every layer, compression in the output."""
    return [
        part for name, plane in planes.items() for part in _phases(plane, name, t, t["compression"])
    ]


def _phases(plane: xr.Dataset, name: str, t: Thresholds, compression: float) -> list[Part]:
    ruler = t["ruler"]
    f, c = (effect(plane, estimator=ruler) for effect in (fx.fitting, fx.compression))
    full = fx.saturated_layers(plane, estimator=ruler)
    fits = [
        median("fits", "F", f.sel(layer=layer), ">", t["fitting"], unit="bits", group=name,
               layer=layer, saturated=bool(full.sel(layer=layer)))
        for layer in (*HIDDEN, OUTPUT)
    ]  # fmt: skip
    output = c.sel(layer=OUTPUT) > compression
    what = f"networks with C > {compression} bit"
    return [*fits, share("output", what, output, t["share"], group=name, layer=OUTPUT)]


def quantised_hidden(planes: Planes, t: Thresholds) -> list[Part]:
    """LOR-2: tanh compresses in its last hidden layers, ReLU does not."""
    return _hidden(planes, t)


def _hidden(planes: Planes, t: Thresholds) -> list[Part]:
    parts = []
    for name, layers, side, threshold in (
        ("tanh", t["tanh_layers"], ">", t["compression"]),
        ("relu", t["relu_layers"], "<", t["rest"]),
    ):
        plane = planes[name]
        c = fx.compression(plane, estimator=t["ruler"])
        full = fx.saturated_layers(plane, estimator=t["ruler"])
        more: dict[str, xr.DataArray | float] = {}
        if name == "tanh":
            signed = fx.signed_change(plane, estimator=t["ruler"])
            more = {"null": 0.0}
        for layer in layers:
            if name == "tanh":
                more["signed"] = signed.sel(layer=layer)
            parts.append(
                median(name, "C", c.sel(layer=layer), side, threshold, unit="bits", group=name,
                       layer=layer, saturated=bool(full.sel(layer=layer)), **more)
            )  # fmt: skip
    return parts


def quantised_both(planes: Planes, t: Thresholds) -> list[Part]:
    """LOR-4: the tests of LOR-1 and LOR-2 at another number of bits."""
    phases = [
        part for name, plane in planes.items() for part in _phases(plane, name, t, t["output"])
    ]
    return phases + _hidden(planes, t)


def flips(planes: Planes, t: Thresholds) -> list[Part]:
    """LOR-3: pairs of activation and layer whose verdict depends on the number of bins."""
    common = set.intersection(*(set(plane.seed.values.tolist()) for plane in planes.values()))
    c = [
        fx.compression(plane, estimator=ruler).sel(seed=sorted(common)).values
        for plane in planes.values()
        for ruler in t["rulers"]
    ]
    values = np.stack(c, axis=1)  # (seed, activation x ruler, layer)
    n_rulers = len(t["rulers"])

    def count(sample: NDArray[np.float64]) -> NDArray[np.float64]:
        says = np.median(sample, axis=1) > t["compression"]
        says = says.reshape(len(sample), -1, n_rulers, sample.shape[-1])
        return (says.any(axis=2) & ~says.all(axis=2)).sum(axis=(1, 2)).astype(float)

    what = "(activation, layer) pairs whose verdict flips"
    return [statistic("flips", what, count, values, ">=", t["pairs"])]


def no_growth(planes: Planes, t: Thresholds) -> list[Part]:
    """LOR-5: the data processing inequality, exactly."""
    return [
        fact("growth", f"{name}, {ruler}, {variable}: largest growth", largest <= t["tolerance"],
             note=f"{largest:.1e} bit")
        for name, plane in planes.items()
        for ruler in t["rulers"]
        for variable in ("i_xt", "i_ty")
        for largest in [_growth(plane, variable, ruler)]
    ]  # fmt: skip


def _growth(plane: xr.Dataset, variable: str, ruler: str) -> float:
    """Largest increase from a layer to the next, in bits, unsmoothed."""
    return float(plane[variable].sel(estimator=ruler).diff("layer").max())


def geometry(planes: Planes, t: Thresholds) -> list[Part]:
    """GEI-1: binned information follows the spread within classes."""
    parts = []
    for cell, variable in (("log det", "log_det_within"), ("trace", "scatter_within")):
        for name, plane in planes.items():
            r = _follows(plane, variable)
            what = f"networks with rank correlation > {t['correlation']}"
            flags = np.where(np.isnan(r), np.nan, r > t["correlation"])
            parts.append(share("follows", what, flags, t["share"], cell=cell, group=name))
    return parts


def _follows(plane: xr.Dataset, variable: str) -> NDArray[np.float64]:
    """(seed,): rank correlation over checkpoints, median over unsaturated hidden layers."""
    ix, spread = fx.curve(plane), fx.curve(plane, variable)
    layers = [k for k in HIDDEN if not bool(fx.saturated_layers(plane).sel(layer=k))]
    found = np.full((plane.sizes["seed"], max(len(layers), 1)), np.nan)
    for column, layer in enumerate(layers):
        a, b = (one.sel(layer=layer).values for one in (ix, spread))
        for s in range(len(found)):
            found[s, column] = fx.spearman(a[s], b[s][None])[0]
    return medians(found.T[None])[0]


def exhibits(planes: Planes, t: Thresholds) -> list[Part]:
    """GEI-2: one example of each."""
    growing, silent = set(), set()
    for name, plane in planes.items():
        accurate = plane.test_accuracy.isel(epoch=-1).values > t["accuracy"]
        for ruler in map(str, plane.estimator.values):
            if _growth(plane, "i_xt", ruler) > t["growth"]:
                growing.add(f"{name}: {ruler}")
            full = fx.saturated(plane, estimator=ruler).sel(layer=list(HIDDEN)).values
            still = fx.fitting(plane, estimator=ruler).sel(layer=list(HIDDEN)).values < t["fitting"]
            if (accurate & (still | full).all(axis=1) & ~full.all(axis=1)).any():
                silent.add(f"{name}: {ruler}")
    return [
        fact("growth", "a ruler under which IX grows from layer to layer", bool(growing),
             note=f"{len(growing)} rulers"),
        fact("silent", "an accurate network without a visible fitting phase", bool(silent),
             note=f"{len(silent)} rulers"),
    ]  # fmt: skip


def all_compress(planes: Planes, t: Thresholds) -> list[Part]:
    """EDGE-F5: every hidden layer of every network compresses, under each ruler."""
    return [
        median("compresses", "C", fx.compression(plane, estimator=ruler).sel(layer=layer), ">",
               t["compression"], unit="bits", cell=ruler, group=name, layer=int(layer),
               saturated=bool(fx.saturated_layers(plane, estimator=ruler).sel(layer=layer)))
        for ruler in t["rulers"]
        for name, plane in planes.items()
        for layer in plane.layer.values[:-1]
    ]  # fmt: skip
