"""Noise, data and gradients: what compression comes from and what it comes with."""

from dataclasses import replace
from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ibcore.claims import effects as fx
from ibcore.claims.common import (
    Planes,
    Thresholds,
    is_saturated,
    matched,
    medians,
    table,
    transition,
)
from ibcore.claims.decide import Part, median, statistic

from .planes import HIDDEN, compresses, rests


def _gap(plane: xr.Dataset) -> xr.DataArray:
    end = plane.isel(epoch=-1)
    return end.train_accuracy - end.test_accuracy


def little_data(planes: Planes, t: Thresholds) -> list[Part]:
    """F4CD: with 30 % of the data tanh compresses and overfits."""
    few, many = planes["tanh_30"], planes["tanh"]
    gap = _gap(few)
    more = gap - _gap(many).reindex_like(gap)
    return [
        *compresses(few, {5: t["compression"]}),
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
                    for part in rests(plane, HIDDEN, t["rest"], **where):
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


def _smaller(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    return medians(sample).min(axis=1)


def _apart(sample: NDArray[np.float64], factor: float) -> NDArray[np.float64]:
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


def _rank_correlation(sample: NDArray[np.float64]) -> NDArray[np.float64]:
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
