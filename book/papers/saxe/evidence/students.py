"""The students' own claims, and the rows that stand on several others."""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from math import isclose
from typing import Protocol

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ibcore.claims import effects as fx
from ibcore.claims.common import (
    Planes,
    Thresholds,
)
from ibcore.claims.decide import Part, fact, median, reported, statistic
from ibcore.information import entropy

from .causes import gradient_noise, little_data
from .linear import irrelevant_inputs, linear_generalises, overtraining
from .planes import mnist_relu, mnist_tanh, relu_grows, rests, tanh_compresses


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
        for part in rests(plane, plane.layer.values[:-1], t["rest"], group=name)
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
        for part in rests(
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
                      _lead, values, ">", 0.0, group=name, invertible=True)
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


class _Effect(Protocol):
    """One number per network and layer, under one ruler."""

    def __call__(self, plane: xr.Dataset, *, estimator: str) -> xr.DataArray: ...


def _factorial(planes: Planes, t: Thresholds, what: _Effect) -> NDArray[np.float64]:
    """(seed, activation, batch, gain, ruler): mean over the layers of the criterion."""
    common = sorted(set.intersection(*(set(one.seed.values.tolist()) for one in planes.values())))
    return np.stack([
        np.stack([
            np.stack([
                np.stack([
                    what(planes[f"{gain}{batch}{activation}"], estimator=ruler)
                    .sel(seed=common, layer=list(t["layers"])).mean("layer").values
                    for ruler in t["rulers"]
                ], -1)
                for gain in ("", "gain2_")
            ], -2)
            for batch in ("", "full_")
        ], -3)
        for activation in ("tanh", "relu")
    ], -4)  # fmt: skip


def _explained(sample: NDArray[np.float64], axis: int) -> NDArray[np.float64]:
    """Share of the variance that the means over one factor explain; axis 4 is the seed."""
    places = (2, 3, 4, 5, 1)  # of the factors in (resample, seed, ...)
    others = tuple(k for k in range(1, 6) if k != places[axis])
    middle = sample.mean(axis=others)
    return middle.var(axis=1) / sample.reshape(len(sample), -1).var(axis=1)


def _lead(sample: NDArray[np.float64]) -> NDArray[np.float64]:
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
