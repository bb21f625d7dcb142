"""Evidence for the claims of Shwartz-Ziv & Tishby 2017: planes in, parts of a criterion out.

One function per claim, named in ``claims.toml``, where the criterion is
written in words and every number stands. Layers of the 12-10-7-5-4-3-2 network are 1 to 6.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ibcore import tasks, theory
from ibcore.claims import effects as fx
from ibcore.claims.common import (
    Planes,
    Thresholds,
    alignment,
    by_depth,
    depth,
    is_saturated,
    last_epoch,
    matched,
    medians,
    phases,
    table,
    transition,
)
from ibcore.claims.decide import Part, fact, median, reported, share, statistic


def data_facts(planes: Planes, t: Thresholds) -> list[Part]:
    """SZT-S3.1: every stated fact about the 12-bit task, recomputed."""
    return [
        fact("facts", known.name, known.holds, note=_found(known)) for known in tasks.szt_facts()
    ]


def markov_chain(planes: Planes, t: Thresholds) -> list[Part]:
    """SZT-F1: the data-processing inequality holds for the estimates."""
    violations = fx.dpi_violation_share(planes["released"], slack=t["slack"])
    what = "share of (checkpoint, layer) that violate the inequality"
    return [median("violations", what, violations, "<", t["violations"])]


def snapshots(planes: Planes, t: Thresholds) -> list[Part]:
    """SZT-F2: IY rises early, IX falls late."""
    plane, layer = planes["released"], t["layer"]
    ix, iy = (fx.curve(plane, name).sel(layer=layer) for name in ("i_xt", "i_ty"))
    early, late = t["early"], t["late"]
    rise = fx.at_epoch(iy, early) - fx.at_epoch(iy, 0)
    drop = fx.at_epoch(ix, early) - fx.at_epoch(ix, late)
    bits: dict[str, Any] = {"unit": "bits", "layer": layer}
    return [
        median("rise", f"IY[{early}] - IY[0]", rise, ">", t["rise"], null=0.0, **bits),
        median("level", f"IY[{late}]", fx.at_epoch(iy, late), ">", t["level"], **bits),
        median(
            "drop",
            f"IX[{early}] - IX[{late}]",
            drop,
            ">",
            t["drop"],
            null=0.0,
            invertible=True,
            saturated=is_saturated(plane, layer),
            **bits,
        ),
    ]


def two_phases(planes: Planes, t: Thresholds) -> list[Part]:
    """SZT-F3: layers fit fast and compress for long, with little and with much data."""
    groups = {"released_05": "5 % data", "released_45": "45 % data", "released": "85 % data"}
    return [
        part
        for name, group in groups.items()
        for layers, keep in ((t["layers"], _same), (t["reported_layers"], reported))
        for part in map(keep, phases(planes[name], t, layers, group=group))
    ]


def label_information(planes: Planes, t: Thresholds) -> list[Part]:
    """SZT-F3b: compression gains label information with 85 % data and loses it with 5 %."""
    sides = {"85 % data": ">", "5 % data": "<"}
    cells = {
        "random split": ("released", "released_05"),
        "unshuffled split": ("unshuffled_85", "unshuffled_05"),
    }
    return [
        median(
            "delta",
            "IY[T] - IY[tpk]",
            _label_change(planes[name]).sel(layer=layer),
            side,
            t["change"],
            invertible=True,
            unit="bits",
            cell=cell,
            group=group,
            layer=layer,
            saturated=is_saturated(planes[name], layer),
        )
        for cell, names in cells.items()
        for name, (group, side) in zip(names, sides.items(), strict=True)
        for layer in t["layers"]
    ]


def gradient_phases(planes: Planes, t: Thresholds) -> list[Part]:
    """SZT-F4: the gradient's signal-to-noise ratio breaks down where compression begins."""
    cells = {
        "paper_slow": ("SGD rate 0.01, minibatch gradients", "minibatch_"),
        "paper": ("SGD rate 0.03, minibatch gradients", "minibatch_"),
        "paper_fast": ("SGD rate 0.1, minibatch gradients", "minibatch_"),
        "released": ("Adam, sample gradients", ""),
    }
    return [
        part
        for name, (cell, prefix) in cells.items()
        for part in (
            *transition(planes[name], t, prefix, cell=cell),
            *alignment(planes[name], t, prefix, cell=cell),
        )
    ]


def depth_speeds_up(planes: Planes, t: Thresholds) -> list[Part]:
    """SZT-F5: more hidden layers reach the same label information in fewer epochs."""
    nets = by_depth(planes)
    times = [fx.time_to_reach(_output_label_information(p), t["level"]) for p in nets]
    epochs = table([time.fillna(last_epoch(p)) for time, p in zip(times, nets, strict=True)])
    depths = [depth(plane) for plane in nets]
    ceiling = is_saturated(nets[0], 1)
    return [
        statistic(
            "order",
            "Spearman(depth, median epochs)",
            lambda sample: fx.spearman(depths, medians(sample)),
            epochs,
            "<=",
            t["spearman"],
            null=0.0,
            invertible=True,
        ),
        statistic(
            "steps",
            "largest step between the medians of neighbouring depths",
            lambda sample: np.diff(medians(sample), axis=-1).max(axis=-1),
            epochs,
            "<",
            t["step"],
            unit="epochs",
        ),
        share("censored", "1 hidden layer never gets there", times[0].isnull(), t["censored"]),
        share(
            "width 12",
            "first layer at the ceiling at every checkpoint",
            fx.saturated(nets[0]).sel(layer=1),
            None,
            layer=1,
            saturated=ceiling,
            note="no answer about compression possible" if ceiling else "",
        ),
        *(
            median(f"time {k}", f"epochs with {k} hidden layers", column, ">", None, unit="epochs")
            for k, column in zip(depths, epochs.T, strict=True)
        ),
    ]


def near_the_bound(planes: Planes, t: Thresholds) -> list[Part]:
    """SZT-F6: converged layers lie on the IB bound, at a β that falls with depth."""
    h_y = planes["released"].attrs["label_entropy"]
    curve = _soft_curve(t["beta_low"], t["beta_high"], t["n_betas"])
    gaps = {
        # With deterministic labels the curve is min(I(X;T), H(Y)).
        "hard labels": _gap(planes["released"], lambda ix: np.minimum(ix, h_y)),
        "soft labels": _gap(planes["soft"], lambda ix: theory.relevance_at(curve, ix)),
    }
    beta = fx.final(fx.variable(planes["soft"], "ib_beta"))
    falls = (beta.diff("layer") <= 0).all("layer")
    return [
        *(
            median(
                "gap",
                "distance below the IB curve",
                gap.sel(layer=layer),
                "<",
                t["gap"],
                unit="bits",
                cell=cell,
                layer=int(layer),
            )
            for cell, gap in gaps.items()
            for layer in gap.layer.values
        ),
        share("beta", "β* does not rise with depth", falls, t["share"], cell="soft labels"),
    ]


def more_data(planes: Planes, t: Thresholds) -> list[Part]:
    """SZT-F7: converged label information rises with the amount of data."""
    by_size = sorted(planes.values(), key=fx.train_fraction)
    sizes = [fx.train_fraction(plane) for plane in by_size]
    converged = [fx.final(fx.curve(plane, "i_ty")) for plane in by_size]
    return [
        statistic(
            "order",
            "Spearman(data, median IY[T])",
            lambda sample: fx.spearman(sizes, medians(sample)),
            table([values.sel(layer=layer) for values in converged]),
            ">",
            t["spearman"],
            null=0.0,
            invertible=True,
            layer=layer,
        )
        for layer in t["layers"]
    ]


def other_tasks(planes: Planes, t: Thresholds) -> list[Part]:
    """SZT-F8: the same phases for a committee machine, the gradient's for MNIST."""
    committee, mnist = planes["committee"], planes["mnist"]
    return [
        *phases(committee, t, t["layers"], group="committee"),
        *transition(committee, t, "", group="committee"),
        *alignment(committee, t, "", group="committee"),
        *transition(mnist, t, "minibatch_", group="MNIST"),
        *map(reported, transition(mnist, t, "", group="MNIST, sample gradients")),
    ]


def compression_time(planes: Planes, t: Thresholds) -> list[Part]:
    """SZT-EQ11: time grows exponentially with ΔI, and is shared out by more layers."""
    amounts = t["step"] * np.arange(1, round(t["largest"] / t["step"]) + 1)
    ix = fx.curve(planes["released"]).sel(layer=t["layer"])
    updates = np.stack([fx.time_to_compress(ix, d)[1].values for d in amounts], axis=-1)
    deep = [plane for plane in by_depth(planes) if depth(plane) >= t["least_depth"]]
    # A saturated last hidden layer cannot compress: its time says nothing, and is left out.
    able = [plane for plane in deep if not is_saturated(plane, depth(plane))]
    depths = [depth(plane) for plane in able]
    left_out = ", ".join(str(depth(p)) for p in deep if depth(p) not in depths)
    enough = len(able) >= t["least_points"]
    return [
        median(
            "slope",
            f"d log10(updates) / d ΔI, layer {t['layer']}",
            fx.slope(amounts, np.log10(updates), least=t["least_points"]),
            ">",
            t["slope"],
            invertible=True,
            unit="decades per bit",
        ),
        statistic(
            "order",
            f"Spearman(depth, median epochs to compress {t['amount']} bit)",
            lambda sample: fx.spearman(depths, medians(sample)),
            table([_epochs_to_compress(p, t["amount"]) for p in able]) if enough else [np.nan],
            "<",
            t["spearman"],
            invertible=True,
            note=f"saturated, left out: depth {left_out}" if left_out else "",
        ),
    ]


def generalisation(planes: Planes, t: Thresholds) -> list[Part]:
    """SZT-C1: networks that compress more generalise better, train accuracy held constant."""
    by_size = sorted(planes.values(), key=fx.train_fraction)
    layers = list(t["layers"])
    able = [~fx.saturated_layers(plane).sel(layer=layers) for plane in by_size]
    compressed = [
        fx.compression(plane).sel(layer=layers).where(can).mean("layer")
        for plane, can in zip(by_size, able, strict=True)
    ]
    test, train = (
        [fx.final(fx.variable(plane, name)) for plane in by_size]
        for name in ("test_accuracy", "train_accuracy")
    )
    networks = np.stack([table(compressed), table(test), table(train)], axis=-1)
    # A size whose layers are all saturated has no C: it drops out with all its networks.
    networks = networks[:, [bool(can.any()) for can in able]]
    what = "partial correlation of mean C with test accuracy given train accuracy"
    if networks.shape[1] == 0:
        return [median("correlation", what, [], ">", t["correlation"], saturated=True)]
    return [
        statistic(
            "correlation",
            what,
            fx.partial_correlation,
            networks,
            ">",
            t["correlation"],
            invertible=True,
        ),
        statistic(
            "within",
            f"{what}, within sizes",
            lambda sample: fx.partial_correlation(sample, within=True),
            networks,
            ">",
            None,
        ),
    ]


def gradient_noise(planes: Planes, t: Thresholds) -> list[Part]:
    """SZT-C2: small batches compress, the full batch does not."""
    pairs = {
        "SGD rate 0.01": ("paper_slow", "sgd_full_slow"),
        "SGD rate 0.03": ("paper", "sgd_full"),
        "SGD rate 0.1": ("paper_fast", "sgd_full_fast"),
        "Adam": ("adam_256", "released"),
    }
    clocks = {"matched epochs": "epoch", "matched updates": "update"}
    return [
        median(
            "difference",
            "C(batch 256) - C(full batch)",
            (fx.compression(noisy) - fx.compression(full)).sel(layer=layer),
            ">",
            t["difference"],
            null=0.0,
            invertible=True,
            unit="bits",
            cell=f"{optimizer}, {matching}",
            layer=layer,
            saturated=is_saturated(noisy, layer) and is_saturated(full, layer),
        )
        for optimizer, names in pairs.items()
        for matching, clock in clocks.items()
        for noisy, full in [matched(planes[names[0]], planes[names[1]], clock)]
        for layer in t["layers"]
    ]


def mostly_compressing(planes: Planes, t: Thresholds) -> list[Part]:
    """SZT-C3: most epochs come after the peak of IX."""
    plane = planes["released"]
    peak, last = fx.peak_epoch(plane), last_epoch(plane)
    rest = (last - peak) / last
    log_rest = 1 - np.log(np.maximum(peak, 1)) / np.log(last)
    where = [{"layer": n, "saturated": is_saturated(plane, n)} for n in t["layers"]]
    return [
        *(
            median("rest", "(T - tpk) / T", rest.sel(layer=w["layer"]), ">", t["rest"], **w)
            for w in where
        ),
        *(
            median(
                "log rest", "the same in log epochs", log_rest.sel(layer=w["layer"]), ">", None, **w
            )
            for w in where
        ),
    ]


def _same(part: Part) -> Part:
    return part


def _found(known: tasks.Fact) -> str:
    within = f" ± {known.tolerance:g}" if known.tolerance else ""
    return f"{known.found:.10g}, stated {known.expected:.10g}{within}"


def _output_label_information(plane: xr.Dataset) -> xr.DataArray:
    return fx.curve(plane, "i_ty").isel(layer=-1, drop=True)


def _epochs_to_compress(plane: xr.Dataset, amount: float) -> xr.DataArray:
    ix = fx.curve(plane).sel(layer=depth(plane))
    return fx.time_to_compress(ix, amount)[0].fillna(last_epoch(plane))


def _label_change(plane: xr.Dataset) -> xr.DataArray:
    iy = fx.curve(plane, "i_ty")
    return fx.final(iy) - fx.at_peak(iy, fx.curve(plane))


def _gap(
    plane: xr.Dataset, bound: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> xr.DataArray:
    """Bound at the layer's own IX, minus its IY: (seed, layer)."""
    ix, iy = (fx.final(fx.curve(plane, name)) for name in ("i_xt", "i_ty"))
    return iy.copy(data=bound(ix.values)) - iy


@cache
def _soft_curve(low: float, high: float, n: int) -> xr.Dataset:
    """Exact IB curve of the soft task, at n log-spaced β."""
    p = tasks.load_task("szt_soft").y
    p_xy = np.stack([1 - p, p], axis=1) / len(p)
    return theory.ib_curve(p_xy, np.geomspace(low, high, n))
