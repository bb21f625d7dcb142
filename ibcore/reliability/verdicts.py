"""From numbers to words: when a value tells something of the population its inputs came from.

The limits stand here and nowhere else. They were chosen before the table of known answers was made.
"""

from __future__ import annotations

import math
from typing import NamedTuple

NEAR_LOG_N = 0.5  # bits below log2 N: inputs then share their symbol with half a neighbour
DOUBLING = 0.75  # bits per doubling of N over the whole curve: log2 N has one
NEAR = 0.02  # of any other ceiling
MOVES = 0.05  # bits, and share of the value: what the last doubling, or chance, may give
CHANCE = 0.05  # p of the shuffles

AT_LOG_N = "at its ceiling: tells N, not the layer"
AT_RULER = "at its ceiling: tells the ruler, not the layer"
AT_LABELS = "at its ceiling: inputs are told apart, and labels with them"
BELOW_NULL = "below its null: shuffled samples give as much"
PARTLY_CHANCE = "partly chance: shuffled samples give much of it"
RISES = "still rising with N: a lower bound at best"
FALLS = "still falling with N: an upper bound at best"
GOOD = "worth reading"
TOO_FEW = "nothing can be told: too few inputs"

WORDS = (
    AT_LOG_N, AT_RULER, AT_LABELS, BELOW_NULL, PARTLY_CHANCE, RISES, FALLS, GOOD, TOO_FEW,
)  # fmt: skip
FEWEST = 80  # samples; a quarter of them is the least part


def tolerance(value: float) -> float:
    """What may be added by a doubling of N or by chance before it counts, in bits."""
    return MOVES * max(1.0, abs(value))


class Step(NamedTuple):
    """What the last doubling of N added, and the standard error of that, in bits."""

    bits: float
    noise: float = 0.0


def of_input(value: float, n: int, bits: float, step: Step, slope: float) -> str:
    """The word for I(X;T) of N inputs, under a ruler of so many bits."""
    if n < FEWEST:
        return TOO_FEW
    if value > tolerance(value) and (value > math.log2(n) - NEAR_LOG_N or slope > DOUBLING):
        return AT_LOG_N
    if value > (1 - NEAR) * bits:
        return AT_RULER
    return moving(value, step)


def of_pair(
    value: float, n: int, bits: float, step: Step, slope: float, null: tuple[float, float]
) -> str:
    """The word for I(X;T) of pairs, with the mean of the shuffles and their p."""
    word = of_input(value, n, bits, step, slope)
    return word if word in (TOO_FEW, AT_LOG_N, AT_RULER) else _chance(value, null) or word


def of_labels(value: float, n: int, h_y: float, step: Step, null: tuple[float, float]) -> str:
    """The word for I(T;Y), with H(Y), the mean of the shuffles and their p."""
    if n < FEWEST:
        return TOO_FEW
    word = _chance(value, null)
    if word == PARTLY_CHANCE and value > (1 - NEAR) * h_y:
        return AT_LABELS
    return word or moving(value, step)


def moving(value: float, step: Step) -> str:
    """Whether the last doubling of N still moved it, by more than scatter does."""
    if abs(step.bits) <= max(tolerance(value), 2 * step.noise):
        return GOOD
    return RISES if step.bits > 0 else FALLS


def _chance(value: float, null: tuple[float, float]) -> str | None:
    mean, p = null
    if p > CHANCE:
        return BELOW_NULL
    return PARTLY_CHANCE if mean > tolerance(value) else None
