"""Other activations, and a penalty on the weights."""

from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ibcore.claims import effects as fx
from ibcore.claims.common import Planes, Thresholds, last_epoch, medians, table
from ibcore.claims.decide import Part, median, reported, statistic


def mean_compression(
    plane: xr.Dataset, t: Thresholds, *, estimator: str | None = None
) -> xr.DataArray:
    """C in bits, mean over the layers of the criterion, (seed,)."""
    return fx.compression(plane, estimator=estimator).sel(layer=list(t["layers"])).mean("layer")


RELEASED = {"tanh": 1, "abs": 1}  # initial gain; 2 for all others


def _at_gain(planes: Planes, activation: str, cell: str) -> xr.Dataset:
    own = RELEASED.get(activation, 2)
    if cell == "released" or own == 1:
        return planes[activation]
    return planes[f"{activation}_gain_1"]


def many_activations(planes: Planes, t: Thresholds) -> list[Part]:
    """F7: tanh compresses most; ELU, Swish and centred softplus do; the others less."""
    parts = []
    for cell in ("released", "gain 1 for all"):
        c = {
            name: mean_compression(_at_gain(planes, name, cell), t)
            for name in ("tanh", *t["compress"], *t["less"])
        }
        everyone = table(list(c.values()))
        parts.append(
            statistic("largest", "C(tanh) minus the largest of the others", _first_leads, everyone,
                      ">", 0.0, unit="bits", cell=cell, group="tanh", invertible=True)
        )  # fmt: skip
        parts += [
            median("compresses", "mean C", c[name], ">", t["bits"], unit="bits", cell=cell,
                   group=name)
            for name in t["compress"]
        ]  # fmt: skip
        both = table([c[name] for name in (*t["compress"], *t["less"])])
        parts.append(
            statistic("order", "smallest of these minus the largest of the others",
                      partial(_groups_apart, first=len(t["compress"])), both, ">", 0.0,
                      unit="bits", cell=cell, group="order", invertible=True)
        )  # fmt: skip
    return parts


def _first_leads(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = medians(sample)
    return middle[:, 0] - middle[:, 1:].max(axis=1)


def _groups_apart(sample: NDArray[np.float64], first: int) -> NDArray[np.float64]:
    middle = medians(sample)
    return middle[:, :first].min(axis=1) - middle[:, first:].max(axis=1)


def without_saturation(planes: Planes, t: Thresholds) -> list[Part]:
    """C1: some activation that does not saturate compresses."""
    c = table([mean_compression(plane, t) for plane in planes.values()])
    return [
        statistic("largest", "largest median C of the unsaturated activations", _largest, c, ">",
                  t["bits"], unit="bits"),
        *(
            reported(median("each", "mean C", c[:, k], ">", t["bits"], unit="bits", group=name))
            for k, name in enumerate(planes)
        ),
    ]  # fmt: skip


def _largest(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    return medians(sample).max(axis=1)


PENALTIES = ("relu", "l2_001", "l2_005", "l2_015")


def more_penalty(planes: Planes, t: Thresholds) -> list[Part]:
    """F8a-c: the larger the penalty, the more ReLU compresses; once under each ruler."""
    parts = []
    for ruler in t["rulers"]:
        c = table([mean_compression(planes[name], t, estimator=ruler) for name in PENALTIES])
        parts += [
            statistic("rising", "smallest step of the median C from penalty to penalty", _step, c,
                      ">", 0.0, unit="bits", cell=ruler, invertible=True),
            statistic("largest", "median C at 0.015 minus median C at 0", _last_minus_first, c, ">",
                      0.0, unit="bits", cell=ruler, invertible=True),
        ]  # fmt: skip
    return parts


def _step(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.diff(medians(sample), axis=1).min(axis=1)


def _last_minus_first(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = medians(sample)
    return middle[:, -1] - middle[:, 0]


def one_point(planes: Planes, t: Thresholds) -> list[Part]:
    """F8d-g: with L2 the layers come to lie close together."""
    both = table([_layer_spread(planes[name], t) for name in ("l2_015", "relu")])
    return [
        statistic("together", "spread of the layers at 0.015 over that at 0", _ratio, both, "<",
                  t["ratio"])
    ]  # fmt: skip


def _layer_spread(plane: xr.Dataset, t: Thresholds) -> xr.DataArray:
    x, y = (
        fx.final(fx.curve(plane, name)).sel(layer=list(t["layers"])) for name in ("i_xt", "i_ty")
    )
    square = x.var("layer") + y.var("layer")
    return square.copy(data=np.sqrt(square.values))


def _ratio(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    middle = medians(sample)
    return middle[:, 0] / np.maximum(middle[:, 1], 1e-9)


def penalty_by_layer(planes: Planes, t: Thresholds) -> list[Part]:
    """F8l: L2 takes most from the layers nearer the data, and late."""
    with_l2, without = planes["l2_015"], planes["relu"]
    layers = list(t["layers"])
    more = (fx.compression(with_l2) - fx.compression(without)).sel(layer=layers).values
    ix = fx.curve(with_l2).sel(layer=layers)
    half = ix.sel(epoch=last_epoch(with_l2) // 2, method="nearest")
    lost = ix.max("epoch") - fx.final(ix)
    late = ((half - fx.final(ix)) / lost.where(lost > t["least"])).mean("layer")
    return [
        statistic("nearer", "rank correlation of layer and C(L2) - C(0)",
                  partial(_by_layer, layers=layers), more, "<", 0.0, invertible=True),
        median("late", "share of the loss after half of the training", late, ">", t["late"]),
    ]  # fmt: skip


def _by_layer(sample: NDArray[np.float64], layers: list[int]) -> NDArray[np.float64]:
    return fx.spearman(np.array(layers, float), medians(sample))


def better_with_l2(planes: Planes, t: Thresholds) -> list[Part]:
    """S3.1: L2 raises test accuracy, and the test loss does not rise again."""
    without = planes["relu"].test_accuracy.isel(epoch=-1)
    parts = []
    for name in PENALTIES[1:]:
        plane = planes[name]
        gain = plane.test_accuracy.isel(epoch=-1) - without
        loss = plane.test_loss
        # the largest loss from the smallest one on
        after = loss.where(loss.epoch >= loss.epoch[loss.argmin("epoch")])
        rise = after.max("epoch") / loss.min("epoch") - 1
        parts += [
            median("better", "test accuracy with L2 minus without", gain, ">", 0.0, group=name,
                   invertible=True),
            median("no overfitting", "rise of the test loss after its minimum", rise, "<",
                   t["rise"], group=name),
        ]  # fmt: skip
    return parts
