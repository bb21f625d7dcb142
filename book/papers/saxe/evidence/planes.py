"""What the planes of Saxe et al. show: activations, rulers, saturation."""

from collections.abc import Iterable
from functools import partial
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ibcore.claims import effects as fx
from ibcore.claims.common import (
    Planes,
    Thresholds,
    is_saturated,
    last_epoch,
    medians,
    table,
)
from ibcore.claims.decide import Part, median, reported, share, statistic

OUTPUT = 6
HIDDEN = (1, 2, 3, 4, 5)


def tanh_compresses(planes: Planes, t: Thresholds) -> list[Part]:
    """F1A: the last layers of tanh."""
    return compresses(planes["tanh"], {5: t["last"], OUTPUT: t["last"], 4: t["fourth"]})


def compresses(plane: xr.Dataset, least: dict[int, float], **where: Any) -> list[Part]:
    """Median C above a threshold of each layer; D says which way it went."""
    ruler = where.pop("estimator", None)
    c, d = (f(plane, estimator=ruler) for f in (fx.compression, fx.signed_change))
    full = fx.saturated_layers(plane, estimator=ruler)
    return [
        median("compresses", "C", c.sel(layer=layer), ">", threshold, unit="bits", layer=layer,
               signed=d.sel(layer=layer), saturated=bool(full.sel(layer=layer)), **where)
        for layer, threshold in least.items()
    ]  # fmt: skip


def rests(plane: xr.Dataset, layers: Iterable[int], most: float, **where: Any) -> list[Part]:
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
        *rests(plane, HIDDEN, t["rest"]),
        *(
            median("rises", "share of rising steps", rising.sel(layer=layer), ">", t["rising"],
                   layer=layer, saturated=is_saturated(plane, layer))
            for layer in HIDDEN
        ),
        *compresses(plane, {OUTPUT: t["output"]}),
        reported(share("single", f"networks with a hidden C > {t['output']} bit", some, 0.0)),
    ]  # fmt: skip


def mnist_tanh(planes: Planes, t: Thresholds) -> list[Part]:
    """F1C: the hidden layers of 20 units compress."""
    least: float = t["hidden"]
    return compresses(planes["mnist_tanh"], dict.fromkeys((2, 3, 4), least))


def mnist_relu(planes: Planes, t: Thresholds) -> list[Part]:
    """F1D: they do not with ReLU, the output does."""
    plane = planes["mnist_relu"]
    return [*rests(plane, (1, 2, 3, 4), t["rest"]), *compresses(plane, {5: t["output"]})]


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


def _first_minus_second(sample: NDArray[np.float64]) -> NDArray[np.float64]:
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

    def agreeing(sample: NDArray[np.float64]) -> NDArray[np.float64]:
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


def _excess(sample: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
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
    parts: list[Part] = []
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
