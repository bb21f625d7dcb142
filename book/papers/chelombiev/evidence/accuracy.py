"""The score of equation 6, its relation to accuracy, and how many networks suffice."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from ibcore.claims import effects as fx
from ibcore.claims.common import Planes, Thresholds
from ibcore.claims.decide import Part, fact, reported, statistic

from .activations import many_activations, more_penalty
from .rulers import (
    HIDDEN,
    OUTPUT,
    averages,
    rulers_agree,
    underestimated,
)


def scores(planes: Planes, t: Thresholds) -> list[Part]:
    """EQ6: the score lies in [0, 1], and is 0 where every layer ends at its maximum."""
    found = {name: fx.compression_score(plane) for name, plane in planes.items()}
    inside = all(((s >= 0) & (s <= 1)).all() for s in found.values())
    zero = all(
        bool(((s == 0) == (fx.compression(planes[name]) == 0)).all()) for name, s in found.items()
    )
    return [
        fact("inside", "0 <= score <= 1 in every network and layer", bool(inside)),
        fact("zero", "score = 0 exactly where IX[T] is the maximum", zero),
    ]


def score_and_accuracy(planes: Planes, t: Thresholds) -> list[Part]:
    """F9a: the compression of the output goes with accuracy, that of all layers does not."""
    plane = planes["relu"]
    score = fx.compression_score(plane)
    accuracy = plane.test_accuracy.isel(epoch=-1)
    values = np.stack([score.sel(layer=OUTPUT), score.mean("layer"), accuracy], axis=1)
    power = _power(len(values))
    return [
        statistic("output", "r of the output's score and test accuracy", partial(_r, column=0),
                  values, ">", 0.0, invertible=True, note=power),
        statistic("difference", "r of the output minus r of all layers", _r_difference, values,
                  ">", 0.0, invertible=True),
        reported(
            statistic("all layers", "r of all layers' score and test accuracy",
                      partial(_r, column=1), values, ">", 0.0)
        ),
    ]  # fmt: skip


def _r(sample: NDArray[np.float64], column: int) -> NDArray[np.float64]:
    """Correlation of a column with the last one."""
    centred = sample - sample.mean(axis=1, keepdims=True)
    x, y = centred[..., column], centred[..., -1]
    norm = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    return np.divide((x * y).sum(axis=1), norm, out=np.zeros(len(x)), where=norm > 0)


def _power(n: int) -> str:
    """The smallest correlation that n points show with 80 % power, two-sided at 5 %.

    (1.96 + 0.84) standard errors of Fisher's artanh r, 1 / √(n - 3) each.

    >>> _power(50), _power(8)
    ('n = 50 can show |r| > 0.39', 'n = 8 can show |r| > 0.85')
    """
    return f"n = {n} can show |r| > {np.tanh(2.8 / np.sqrt(n - 3)):.2f}"


def _r_difference(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    return _r(sample, 0) - _r(sample, 1)


def activations_and_accuracy(planes: Planes, t: Thresholds) -> list[Part]:
    """F9b: over activations, compression without the output does not go with accuracy."""
    points = [
        (
            float(fx.compression_score(plane).sel(layer=HIDDEN).mean()),
            float(plane.test_accuracy.isel(epoch=-1).mean()),
        )
        for plane in planes.values()
    ]
    return [
        statistic("weak", "|r| over activations", _absolute_r, np.array(points), "<",
                  t["correlation"], note=_power(len(points)))
    ]  # fmt: skip


def _absolute_r(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.abs(_r(sample, 0))


ROWS = (
    (underestimated, "CHE-F3"),
    (rulers_agree, "CHE-F4"),
    (averages, "CHE-F6"),
    (many_activations, "CHE-F7"),
    (more_penalty, "CHE-F8a-c"),
)


def ten_are_enough(planes: Planes, t: Thresholds) -> list[Part]:
    """M1: ten networks, drawn from the fifty, fall on the same side of each threshold."""
    from ibcore.claims.registry import find_claim

    rng = np.random.default_rng(0)
    n = min(plane.sizes["seed"] for plane in planes.values())
    draws = np.stack([rng.permutation(n)[:10] for _ in range(t["draws"])])
    parts = []
    for evidence, row in ROWS:
        for part in evidence(planes, find_claim(row).thresholds):
            if not part.decisive or part.threshold is None:
                continue
            side, threshold = part.side, part.threshold
            whole = _beyond(part.statistic(part.values[None]), side, threshold)[0]
            drawn = _beyond(part.statistic(part.values[draws]), side, threshold)
            agree = float((drawn == whole).mean())
            parts.append(
                fact("agrees", f"{row}, {part.label}", agree > t["share"], note=f"{agree:.0%}")
            )
    return parts


def _beyond(numbers: NDArray[np.float64], side: str, threshold: float) -> NDArray[np.bool_]:
    return numbers > threshold if side[0] == ">" else numbers < threshold
