"""Evidence for the claims of Dong & Hisham: planes in, parts of criteria out.

One function per claim, named in ``claims.toml``, where the criterion is written in
words and every number stands. Layers 1 to 3 of the 4-16-16-8-3 networks are hidden.
"""

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ibcore.claims import effects as fx
from ibcore.claims.common import Planes, Thresholds
from ibcore.claims.decide import Part, fact, median, reported, share, statistic

HIDDEN = [1, 2, 3]


def _mirror(planes: Planes, t: Thresholds, name: str) -> dict[str, xr.DataArray]:
    """Sum of both readings, plane by plane, at hidden layers."""
    return {
        key: sum(
            (fx.variable(plane, name).sel(estimator=ruler, layer=HIDDEN) for ruler in t["rulers"]),
            start=xr.DataArray(0.0),
        )
        for key, plane in planes.items()
    }


def mirrored_x(planes: Planes, t: Thresholds) -> list[Part]:
    """EQ2: both readings of I(T;X) add up to 2 log2 N, N the training samples."""
    known = 2 * np.log2(t["samples"])
    return [
        fact("mirror", f"I + mirrored I = 2 log2 {t['samples']}, {name}",
             bool((abs(both - known) <= t["rounding"]).all()))
        for name, both in _mirror(planes, t, "i_xt").items()
    ]  # fmt: skip


def mirrored_y(planes: Planes, t: Thresholds) -> list[Part]:
    """EQ3: both readings of I(T;Y) add up to 2 H(Y) of each network's training labels."""
    parts = []
    for name, both in _mirror(planes, t, "i_ty").items():
        steady = (both.max(["epoch", "layer"]) - both.min(["epoch", "layer"])) <= t["rounding"]
        near = abs(both - 2 * planes[name].attrs["label_entropy"]) <= t["split"]
        parts.append(fact("mirror", f"I + mirrored I = 2 H(Y), {name}",
                          bool(steady.all() and near.all())))  # fmt: skip
    return parts


def only_grows(planes: Planes, t: Thresholds) -> list[Part]:
    """F2, F3: hidden layers lose next to nothing and rise at almost every step."""
    ((_, plane),) = planes.items()
    plane = plane.sel(epoch=plane.epoch <= t["until"])
    ix, c = fx.curve(plane), fx.compression(plane)
    lost, rising = c / ix.max("epoch"), fx.monotonicity(plane)
    return [
        part
        for layer in HIDDEN
        for part in (
            median("loses", "C / max IX", lost.sel(layer=layer), "<", t["lost"], group="loses",
                   layer=layer),
            median("rises", "steps that do not fall", rising.sel(layer=layer), ">", t["rises"],
                   group="rises", layer=layer),
        )
    ]  # fmt: skip


def falls_with_penalty(planes: Planes, t: Thresholds) -> list[Part]:
    """F4, F5: with L2 I(T;Y) rises, then falls; I(T;X) falls very little."""
    ((_, plane),) = planes.items()
    iy = fx.curve(plane, "i_ty").sel(layer=HIDDEN)
    fall = (iy.max("epoch") - fx.final(iy)).max("layer")
    c = fx.compression(plane).sel(layer=HIDDEN).max("layer")
    return [
        median("label", "largest fall of I(T;Y) in a hidden layer", fall, ">", t["label"],
               unit="bits", group="label"),
        median("some", "largest C of a hidden layer", c, ">", t["some"], unit="bits",
               group="input"),
        median("little", "largest C of a hidden layer", c, "<", t["little"], unit="bits",
               group="input"),
    ]  # fmt: skip


def overtrained(planes: Planes, t: Thresholds) -> list[Part]:
    """C1: the test loss rises again, and 100 epochs are nearly as good as all."""
    parts = []
    for name, plane in planes.items():
        loss, accuracy = plane.test_loss, plane.test_accuracy
        rise = loss.isel(epoch=-1) / loss.min("epoch")
        short = fx.at_epoch(accuracy, t["short"]) - accuracy.max("epoch")
        parts += [
            median("rises", "test loss at the end over its minimum", rise, ">", t["rise"],
                   group=f"{name}, loss"),
            median("short", "accuracy after 100 epochs minus the best", short, ">=", t["less"],
                   group=f"{name}, accuracy"),
        ]  # fmt: skip
    return parts


def penalty_compresses(planes: Planes, t: Thresholds) -> list[Part]:
    """C2: a penalty adds compression; once under each ruler."""
    return [
        median("more", "C with L2 minus C without, mean over hidden layers",
               (_mean_c(planes[f"{name}_l2"], ruler) - _mean_c(planes[name], ruler)), ">", 0.0,
               unit="bits", cell=ruler, group=name, invertible=True)
        for ruler in t["rulers"]
        for name in ("relu", "tanh")
    ]  # fmt: skip


def _mean_c(plane: xr.Dataset, ruler: str | None = None) -> xr.DataArray:
    return fx.compression(plane, estimator=ruler).sel(layer=HIDDEN).mean("layer")


def label_falls_more(planes: Planes, t: Thresholds) -> list[Part]:
    """F4r: with L2 I(T;Y) falls by more of its ceiling than I(T;X)."""
    parts = []
    for name, plane in planes.items():
        moved = {}
        for quantity, ceiling in (
            ("i_xt", np.log2(t["samples"])),
            ("i_ty", plane.attrs["label_entropy"]),
        ):
            values = fx.curve(plane, quantity).sel(layer=HIDDEN)
            moved[quantity] = (values.max("epoch") - fx.final(values)).median("layer") / ceiling
        parts.append(
            median("more", "fall of I(T;Y) / H(Y) minus fall of I(T;X) / log2 N",
                   moved["i_ty"] - moved["i_xt"], ">", 0.0, group=name, invertible=True)
        )  # fmt: skip
    return parts


def alike(planes: Planes, t: Thresholds) -> list[Part]:
    """F23: the mean planes of tanh and ReLU rank layers and epochs alike."""
    curves = np.stack(
        [fx.curve(planes[name]).sel(layer=HIDDEN).values for name in ("relu", "tanh")], axis=1
    )
    return [
        statistic("alike", "rank correlation of the mean IX of ReLU and tanh", _rank_of_means,
                  curves.reshape(*curves.shape[:2], -1), ">", t["correlation"])
    ]  # fmt: skip


def _rank_of_means(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    """(resample, seed, 2, point) -> (resample,)."""
    mean = sample.mean(axis=1)
    return np.array([fx.spearman(a, b[None])[0] for a, b in mean])


def no_difference(planes: Planes, t: Thresholds) -> list[Part]:
    """N, Z: another reading of the estimate moves no compression by much."""
    one, other = t["rulers"]
    parts = []
    for name, plane in planes.items():
        gap = fx.compression(plane, estimator=other) - fx.compression(plane, estimator=one)
        parts += [
            median("same", "|difference of C|", abs(gap).sel(layer=layer), "<", t["bits"],
                   unit="bits", group=name, layer=layer)
            for layer in HIDDEN
        ]  # fmt: skip
    return parts


def leaks(planes: Planes, t: Thresholds) -> list[Part]:
    """LEAK: sightings that share their place raise the accuracy of a random split."""
    return [
        median("higher", "test accuracy, random split minus split by place",
               planes[name].test_accuracy.max("epoch")
               - planes[f"{name}_grouped"].test_accuracy.max("epoch"), ">", 0.0, group=name,
               invertible=True)
        for name in ("relu", "relu_l2")
    ]  # fmt: skip


def open_choices(planes: Planes, t: Thresholds) -> list[Part]:
    """OPEN: in which share of 40 settings of what is open each claim holds for the median."""
    arms = {
        arm: [plane for name, plane in planes.items() if name.startswith(f"{arm}_")]
        for arm in ("open_relu", "open_tanh", "penalty_relu", "penalty_tanh")
    }
    found = {
        "ReLU only grows": [_grows(plane, t) for plane in arms["open_relu"]],
        "tanh only grows": [_grows(plane, t) for plane in arms["open_tanh"]],
        "ReLU with L2: I(T;Y) falls": [_label_falls(plane, t) for plane in arms["penalty_relu"]],
        "tanh with L2: I(T;Y) falls": [_label_falls(plane, t) for plane in arms["penalty_tanh"]],
        "L2 adds compression": [
            bool((_mean_c(b) - _mean_c(a)).median() > 0)
            for name in ("relu", "tanh")
            for a, b in zip(arms[f"open_{name}"], arms[f"penalty_{name}"], strict=True)
        ],
    }
    parts = [
        share("holds", f"settings in which it holds: {text}", flags, t["share"], group=text)
        for text, flags in found.items()
    ]
    learnt = [bool(p.test_accuracy.max("epoch").median() > t["accuracy"]) for p in planes.values()]
    return [*parts, reported(share("learnt", "settings that learn the task", learnt, 0.0))]


def _grows(plane: xr.Dataset, t: Thresholds) -> bool:
    ix = fx.curve(plane)
    lost = (fx.compression(plane) / ix.max("epoch")).sel(layer=HIDDEN).median("seed")
    return bool((lost < t["lost"]).all())


def _label_falls(plane: xr.Dataset, t: Thresholds) -> bool:
    iy = fx.curve(plane, "i_ty").sel(layer=HIDDEN)
    return bool((iy.max("epoch") - fx.final(iy)).max("layer").median() > t["label"])
