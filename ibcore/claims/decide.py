"""From numbers to words: the rules by which a criterion is met or not.

A ``Part`` is one test. Its word, for an effect e with a 95 % interval over seeds:

- undecided: fewer than 10 networks answered, or a null value is declared and the interval is
  wider than the distance from the threshold to it. This comes first.
- inverted: the interval of the signed quantity lies wholly on the other side.
- reproduced: e and the whole interval are on the right side of the threshold.
- partly: e has the right sign, but the interval crosses the threshold.
- not reproduced: otherwise.

"The right sign" is the right side of the null value where one is declared, else of the threshold.
Facts hold or fail.
"""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import binomtest

MIN_SEEDS = 10
RESAMPLES = 10_000
SIDES = {">": operator.gt, ">=": operator.ge, "<": operator.lt, "<=": operator.le}
_OTHER = {">": "<", ">=": "<", "<": ">", "<=": ">"}

Statistic = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""(resample, seed, ...) array -> (resample,) array."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One test of a criterion, before it is decided.

    Made by ``median``, ``share``, ``statistic`` or ``fact``.

    Parameters
    ----------
    kind : str
        "median", "share", "statistic" or "fact".
    name : str
        Short name, the same for all layers; a claim's ``headline`` is one of them.
    what : str
        The quantity, for the reader.
    values : (seed, ...) array
        Numbers or booleans; NaN where a network gave no answer.
    statistic : callable
        From resampled networks to the effect.
    threshold : float or None
        None for a part that is only reported.
    side : str
        One of ">", ">=", "<", "<=".
    null : float, optional
        Value without any effect: switches on the width rule and says which sign is right.
    invertible : bool
        Whether the effect itself is the signed quantity.
    signed : (seed,) array, optional
        A signed quantity beside a biased effect, such as D beside C.
    signed_side : str
        Side of 0 on which the claim puts it.
    unit, cell, group : str
        Unit; choice that the source leaves open; subset of the claim, such as "5 %".
    layer : int, optional
        Layer 1, 2, ….
    decisive : bool
        False: reported, never counted.
    saturated : bool
        Whether the layer cannot answer.
    note : str
        For the reader.
    """

    kind: str
    name: str
    what: str
    values: NDArray[np.float64]
    statistic: Statistic
    threshold: float | None = None
    side: str = ">"
    null: float | None = None
    invertible: bool = False
    signed: NDArray[np.float64] | None = None
    signed_side: str = "<"
    unit: str = ""
    layer: int | None = None
    group: str = ""
    cell: str = ""
    decisive: bool = True
    saturated: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse a side that is none."""
        for side in (self.side, self.signed_side):
            if side not in SIDES:
                raise ValueError(f"side must be one of {', '.join(SIDES)}, got {side!r}.")

    @property
    def label(self) -> str:
        """Cell, group, name and layer: no two parts of a claim share it."""
        layer = "" if self.layer is None else f"layer {self.layer}"
        return ", ".join(filter(None, (self.cell, self.group, self.name, layer)))


def median(
    name: str, what: str, values: ArrayLike, side: str, threshold: float | None, **more: Any
) -> Part:
    """Part: the median over seeds lies on one side of the threshold; bootstrap interval."""
    return _part("median", name, what, values, _median, side, threshold, more)


def share(name: str, what: str, flags: ArrayLike, at_least: float | None, **more: Any) -> Part:
    """Part: at least this share of the networks has the property; Wilson interval."""
    return _part("share", name, what, flags, _mean, ">=", at_least, more)


def statistic(
    name: str,
    what: str,
    function: Statistic,
    values: ArrayLike,
    side: str,
    threshold: float | None,
    **more: Any,
) -> Part:
    """Part: a function of all networks, such as a rank correlation; bootstrap interval.

    ``values`` has the networks first, NaN for those that are absent.
    """
    return _part("statistic", name, what, values, function, side, threshold, more)


def fact(name: str, what: str, holds: bool | np.bool_, **more: Any) -> Part:
    """Part: a statement that holds or fails."""
    return _part("fact", name, what, [bool(holds)], _mean, ">=", 1.0, more)


def reported(part: Part) -> Part:
    """Return the same part, shown but not counted."""
    return replace(part, decisive=False)


@dataclass(frozen=True, kw_only=True)
class PartVerdict:
    """One test, decided. ``p`` is one-sided, against "not beyond the threshold".

    ``signed`` is (median, low, high) of the signed quantity; ``detectable`` the smallest
    distance from the threshold that this many networks would show with 80 % power.
    """

    name: str
    what: str
    word: str
    effect: float
    low: float
    high: float
    unit: str
    threshold: float | None
    side: str
    layer: int | None
    group: str
    cell: str
    decisive: bool
    saturated: bool
    n_seeds: int
    p: float | None = None
    p_holm: float | None = None
    detectable: float | None = None
    signed: tuple[float, float, float] | None = None
    note: str = ""

    @property
    def counts(self) -> bool:
        """Whether the word of the row depends on it."""
        return self.decisive and not self.saturated


def bootstrap(
    values: NDArray[np.float64], function: Statistic, generator: np.random.Generator
) -> tuple[float, float, NDArray[np.float64]]:
    """95 % percentile interval of a statistic over 10 000 resamples of the networks.

    Returns
    -------
    low, high : float
        Percentiles 2.5 and 97.5.
    draws : (resample,) array
        All values of the statistic.
    """
    n = len(values)
    batch = max(1, min(RESAMPLES, 2_000_000 // values.size))
    draws = np.concatenate(
        [
            function(values[generator.integers(n, size=(min(batch, RESAMPLES - start), n))])
            for start in range(0, RESAMPLES, batch)
        ]
    )
    low, high = np.percentile(draws, [2.5, 97.5])
    return float(low), float(high), draws


def decide_part(part: Part, seed: str = "") -> PartVerdict:
    """Decide one test.

    Parameters
    ----------
    part : Part
        The test.
    seed : str
        With the part's label it fixes the resamples, so that a word can be had again.
    """
    values = part.values[~np.isnan(part.values)] if part.values.ndim == 1 else part.values
    n = _networks(values)
    if part.kind == "fact":
        held = bool(values.all())
        return _decided(part, "holds" if held else "fails", (float(held),) * 3, n)
    if n == 0:
        return _decided(part, "undecided", (float("nan"),) * 3, 0, note="no network answered")
    generator = np.random.Generator(np.random.Philox(key=_key(f"{seed}/{part.label}")))
    effect, low, high, p, signed = *_measure(part, values, generator), None
    if part.signed is not None:
        side_values = part.signed[~np.isnan(part.signed)]
        signed = (_one(_median, side_values), *bootstrap(side_values, _median, generator)[:2])
    if part.threshold is None:
        return _decided(part, "reported", (effect, low, high), n, signed=signed)
    word = _word(part, part.threshold, (effect, low, high), n, signed)
    # (1.96 + 0.84) standard errors, one of which is the interval's width over 2 x 1.96.
    detectable = None if word in ("reproduced", "undecided") else 2.8 / 3.92 * (high - low)
    more = {"p": p, "detectable": detectable, "signed": signed}
    return _decided(part, word, (effect, low, high), n, **more)


def _part(
    kind: str,
    name: str,
    what: str,
    values: ArrayLike,
    function: Statistic,
    side: str,
    threshold: float | None,
    more: dict[str, Any],
) -> Part:
    settings = {"decisive": threshold is not None} | more
    if settings.get("signed") is not None:
        settings["signed"] = np.asarray(settings["signed"], dtype=float)
    return Part(
        kind=kind,
        name=name,
        what=what,
        values=np.asarray(values, dtype=float),
        statistic=function,
        side=side,
        threshold=threshold,
        **settings,
    )


def _measure(
    part: Part, values: NDArray[np.float64], generator: np.random.Generator
) -> tuple[float, float, float, float | None]:
    """Effect, interval and one-sided p of a part."""
    effect = _one(part.statistic, values)
    if part.kind == "share":
        test = binomtest(int(values.sum()), len(values), part.threshold or 0.0, "greater")
        two_sided = binomtest(int(values.sum()), len(values))
        interval = two_sided.proportion_ci(method="wilson")
        return effect, float(interval.low), float(interval.high), float(test.pvalue)
    low, high, draws = bootstrap(values, part.statistic, generator)
    if part.threshold is None:
        return effect, low, high, None
    wrong = np.sum(~SIDES[part.side](draws, part.threshold))
    return effect, low, high, float((1 + wrong) / (1 + len(draws)))


def _word(
    part: Part,
    threshold: float,
    numbers: tuple[float, float, float],
    n: int,
    signed: tuple[float, float, float] | None,
) -> str:
    beyond, (effect, low, high) = SIDES[part.side], numbers
    reference = threshold if part.null is None else part.null
    wide = part.null is not None and high - low > abs(threshold - part.null)
    if n < MIN_SEEDS or wide:
        return "undecided"
    if signed is not None and _all_beyond(_OTHER[part.signed_side], 0.0, signed[1:]):
        return "inverted"
    if part.invertible and _all_beyond(_OTHER[part.side], reference, (low, high)):
        return "inverted"
    if _all_beyond(part.side, threshold, numbers):
        return "reproduced"
    crosses = beyond(low, threshold) != beyond(high, threshold)
    return "partly" if beyond(effect, reference) and crosses else "not reproduced"


def _decided(
    part: Part, word: str, numbers: tuple[float, float, float], n: int, **more: Any
) -> PartVerdict:
    note = ", ".join(
        filter(
            None,
            (part.note, more.pop("note", ""), "saturated, left out" if part.saturated else ""),
        )
    )
    shared = ("name", "what", "unit", "threshold", "side", "layer", "group", "cell")
    return PartVerdict(
        **{key: getattr(part, key) for key in shared},
        decisive=part.decisive,
        saturated=part.saturated,
        word=word,
        effect=numbers[0],
        low=numbers[1],
        high=numbers[2],
        n_seeds=n,
        note=note,
        **more,
    )


def _networks(values: NDArray[np.float64]) -> int:
    """Networks that answered; of several columns the one with fewest."""
    there = ~np.isnan(values)
    answered = there.all(axis=tuple(range(2, there.ndim))) if there.ndim > 2 else there
    return int(answered.sum(axis=0).min()) if values.size else 0


def _all_beyond(side: str, threshold: float, numbers: Iterable[float]) -> bool:
    return all(SIDES[side](number, threshold) for number in numbers)


def _one(function: Statistic, values: NDArray[np.float64]) -> float:
    return float(function(values[None])[0])


def _median(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.median(sample, axis=1)


def _mean(sample: NDArray[np.float64]) -> NDArray[np.float64]:
    return sample.mean(axis=1)


def _key(text: str) -> int:
    return int.from_bytes(sha256(text.encode()).digest()[:16], "big")
