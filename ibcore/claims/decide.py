"""From numbers to marks: in which cells a claim is met, and what its primary test says.

A cell is marked

    agrees     the interval lies wholly on the claimed side of the null value
    opposite   wholly on the other side
    none       wholly inside the margin, on both sides: what there is, is too small to matter
    open       it covers the null value, or fewer than 10 networks answered
    hollow     the cell cannot answer: a layer at its ceiling, a plane that is void

An effect that cannot be negative (C) has a signed companion (D) that decides the direction. Where
an absence is claimed, "agrees" means inside the margin and "opposite" beyond it. "none" comes
first. An interval that covers a line is open, on both sides of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ibcore.claims import intervals
from ibcore.claims.cells import Cell, together
from ibcore.claims.checks import OTHER, Check, Size
from ibcore.claims.intervals import LEVEL, Array, Estimate

MIN_SEEDS = 10
MARKS = ("agrees", "opposite", "none", "open", "hollow")


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """An effect with its interval, and what they say."""

    effect: float
    low: float
    high: float
    n: int
    p: float | None = None
    signed: tuple[float, float, float] | None = None


@dataclass(frozen=True, kw_only=True)
class CellVerdict:
    """One cell, decided. ``p`` is one-sided against the null value; under "some" Holm's."""

    label: str
    mark: str
    effect: float
    low: float
    high: float
    n: int
    p: float | None
    signed: tuple[float, float, float] | None
    note: str


@dataclass(frozen=True, kw_only=True)
class CheckVerdict:
    """One test, decided.

    ``met`` says whether its quantifier is, ``refuted`` whether a cell speaks against "all"; ``k``
    of ``m`` cells agree, of those that can answer. ``of`` says what n counts.
    ``detectable`` is the smallest distance from the null value that so many networks would show
    with 80 % power.
    """

    name: str
    what: str
    unit: str
    expects: str
    side: str
    null: float
    margin: float | None
    size_line: Size | None
    quantifier: str
    counts: bool
    direction: str
    size: str
    met: bool
    refuted: bool
    of: str
    k: int
    m: int
    effect: float
    low: float
    high: float
    signed: tuple[float, float, float] | None
    n: int
    detectable: float | None
    primary: str
    cells: tuple[CellVerdict, ...]


def decide(test: Check, seed: str) -> CheckVerdict:
    """Decide one test.

    Parameters
    ----------
    test : Check
    seed : str
        With the labels of the cells it fixes the resamples, so that a word can be had again.
    """
    if test.expects == "identity":
        return _identity(test)
    decided = tuple(_cell(test, cell, seed) for cell in test.cells)
    if test.quantifier == "some" and test.expects == "effect":
        decided = _best_of_many(decided)
    able = [one for one in decided if one.mark != "hollow"]
    k = sum(one.mark == "agrees" for one in able)
    given: dict[str, Any] = {
        name: getattr(test, name)
        for name in ("name", "what", "unit", "expects", "side", "null", "margin", "quantifier")
    }
    shared = {**given, "size_line": test.size, "counts": test.counts, "cells": decided}
    if not able:
        nothing = float("nan")
        return CheckVerdict(
            **shared, direction="open", size="open", met=False, refuted=False, of=test.units, k=0,
            m=0, effect=nothing, low=nothing, high=nothing, signed=None, n=0, detectable=None,
            primary="",
        )  # fmt: skip
    numbers, who = _primary(test, decided, seed)
    low, high = numbers.signed[1:] if numbers.signed else (numbers.low, numbers.high)
    return CheckVerdict(
        **shared,
        direction=_direction(test, numbers),
        size=_size(test, numbers),
        met=_met(test, able, k),
        refuted=_refuted(test, able),
        of=test.units,
        k=k,
        m=len(able),
        effect=numbers.effect,
        low=numbers.low,
        high=numbers.high,
        signed=numbers.signed,
        n=numbers.n,
        # (1.96 + 0.84) standard errors, one of which is the interval's width over 2 x 1.96.
        detectable=2.8 / 3.92 * (high - low),
        primary=who,
    )


def _identity(test: Check) -> CheckVerdict:
    held = [bool(cell.values.all()) for cell in test.cells]
    cells = tuple(
        CellVerdict(
            label=cell.label, mark="agrees" if holds else "opposite", effect=float(holds),
            low=float(holds), high=float(holds), n=0, p=None, signed=None, note=cell.note,
        )
        for cell, holds in zip(test.cells, held, strict=True)
    )  # fmt: skip
    share = float(np.mean(held))
    return CheckVerdict(
        name=test.name, what=test.what, unit="share of cases", expects="identity", side=test.side,
        null=test.null, margin=None, size_line=None, quantifier="all", counts=test.counts,
        direction="agrees" if all(held) else "opposite", size="no number given", met=all(held),
        refuted=not all(held), of="cases",
        k=sum(held), m=len(held), effect=share, low=share, high=share, signed=None, n=0,
        detectable=None, primary="", cells=cells,
    )  # fmt: skip


def _cell(test: Check, cell: Cell, seed: str) -> CellVerdict:
    if not cell.answers:
        nothing = float("nan")
        return CellVerdict(
            label=cell.label, mark="hollow", effect=nothing, low=nothing, high=nothing, n=0,
            p=None, signed=None, note=cell.hollow,
        )  # fmt: skip
    found, signed = cell.estimate(seed), cell.direction(seed) if cell.signed is not None else None
    numbers = _numbers(test, found, signed)
    few = cell.kind != "fact" and numbers.n < MIN_SEEDS
    note = ", ".join(filter(None, (cell.note, f"only {numbers.n} answered" if few else "")))
    mark = "open" if few else _mark(test, numbers)
    return CellVerdict(
        label=cell.label, mark=mark, effect=numbers.effect, low=numbers.low, high=numbers.high,
        n=numbers.n, p=numbers.p, signed=numbers.signed, note=note,
    )  # fmt: skip


def _numbers(
    test: Check, found: Estimate, signed: Estimate | None, level: float = LEVEL
) -> Numbers:
    low, high = found.interval(level)
    if test.expects == "absence":
        return Numbers(effect=found.effect, low=low, high=high, n=found.n)
    decides, line = (found, test.null) if signed is None else (signed, 0.0)
    return Numbers(
        effect=found.effect,
        low=low,
        high=high,
        n=min(found.n, decides.n),
        p=decides.p(test.side, line),
        signed=None if signed is None else (signed.effect, *signed.interval(level)),
    )


def _inside(test: Check, numbers: Numbers) -> bool:
    """Whether what decides lies within the margin around the null value, on both sides."""
    if test.margin is None:
        return False
    (low, high), line = _deciding(test, numbers)
    return bool(line - test.margin < low and high < line + test.margin)


def _deciding(test: Check, numbers: Numbers) -> tuple[tuple[float, float], float]:
    """The interval that decides, and its null value: the signed quantity's if there is one."""
    if numbers.signed is None:
        return (numbers.low, numbers.high), test.null
    return numbers.signed[1:], 0.0


def _mark(test: Check, numbers: Numbers) -> str:
    if test.expects == "absence":
        if _inside(test, numbers):
            return "agrees"
        margin = test.margin or 0.0
        outside = numbers.low > test.null + margin or numbers.high < test.null - margin
        return "opposite" if outside else "open"
    if _inside(test, numbers):
        return "none"
    ends, line = _deciding(test, numbers)
    for mark, side in (("agrees", test.side), ("opposite", OTHER[test.side])):
        if all(intervals.beyond(side, end, line) for end in ends):
            return mark
    return "open"


def _best_of_many(cells: tuple[CellVerdict, ...]) -> tuple[CellVerdict, ...]:
    """Looking for the best of m cells: Holm's adjusted p decides which of them agree.

    With p₍₁₎ ≤ … ≤ p₍ₘ₎ the adjusted ones are max over i ≤ k of min(1, (m - i + 1) p₍ᵢ₎).
    """
    raw = {i: cell.p for i, cell in enumerate(cells) if cell.p is not None}
    found, adjusted = list(cells), 0.0
    for rank, i in enumerate(sorted(raw, key=lambda i: raw[i] or 0.0)):
        adjusted = max(adjusted, min(1.0, (len(raw) - rank) * (raw[i] or 0.0)))
        lost = cells[i].mark == "agrees" and adjusted >= (1 - LEVEL) / 2
        found[i] = replace(cells[i], p=adjusted, mark="open" if lost else cells[i].mark)
    return tuple(found)


def _primary(test: Check, decided: Sequence[CellVerdict], seed: str) -> tuple[Numbers, str]:
    """The numbers that stand for the test, and whose they are."""
    able = [cell for cell in test.cells if cell.answers]
    named = next((cell for cell in able if cell.label == test.primary), None)
    if named is None and len(able) == 1:
        named = able[0]
    level = LEVEL
    if named is None and test.quantifier == "some":
        named, level = _best(test, able, decided), 1 - (1 - LEVEL) / len(able)
    if named is not None:
        signed = named.direction(seed) if named.signed is not None else None
        return _numbers(test, named.estimate(seed), signed, level), named.label
    found = _middle(test, able, seed, signed=False)
    has_signed = any(cell.signed is not None for cell in able)
    signed = _middle(test, able, seed, signed=True) if has_signed else None
    return _numbers(test, found, signed), f"median over {len(able)} cells"


def _best(test: Check, able: Sequence[Cell], decided: Sequence[CellVerdict]) -> Cell:
    """The cell that speaks most clearly for the claim."""
    by_label = {one.label: one for one in decided}
    sign = 1.0 if test.side == ">" else -1.0
    if test.expects == "absence":
        return min(able, key=lambda cell: abs(by_label[cell.label].effect - test.null))
    ranked = {"agrees": 0, "open": 1, "none": 2, "opposite": 3}

    def key(cell: Cell) -> tuple[float, float, float]:
        one = by_label[cell.label]
        return ranked[one.mark], one.p if one.p is not None else 1.0, -sign * one.effect

    return min(able, key=key)


def _middle(test: Check, cells: Sequence[Cell], seed: str, *, signed: bool) -> Estimate:
    """Median over cells, resample by resample.

    Where an absence is claimed, of how far they lie from the null value: differences of two signs
    would make none.
    """
    draws = together(cells, seed, signed=signed)
    each = [cell.direction(seed) if signed else cell.estimate(seed) for cell in cells]
    effects = np.array([one.effect for one in each])
    if test.expects == "absence":
        draws, effects = (test.null + np.abs(one - test.null) for one in (draws, effects))
    n = min(one.n for one in each)
    return Estimate(effect=float(np.median(effects)), n=n, draws=np.median(draws, axis=1))


def _direction(test: Check, numbers: Numbers) -> str:
    if numbers.n < MIN_SEEDS:
        return "open"
    return {"none": "none found"}.get(mark := _mark(test, numbers), mark)


def _size(test: Check, numbers: Numbers) -> str:
    """Where the interval of the effect lies against the source's number or ours."""
    if test.size is None or test.expects == "absence":
        return "no number given"
    sign = 1.0 if test.side == ">" else -1.0
    low, high = sorted((sign * numbers.low, sign * numbers.high))
    least, most = sorted((sign * test.size.low, sign * test.size.high))
    if not test.size.source:
        return "as claimed" if low > least else "smaller" if high < least else "open"
    if high < least:
        return "smaller"
    if low > most:
        return "larger"
    return "as claimed" if least <= low and high <= most else "open"


def _met(test: Check, able: Sequence[CellVerdict], k: int) -> bool:
    """Whether the quantifier is."""
    if test.quantifier == "some":
        return k > 0
    if test.quantifier == "typical":
        return 2 * k >= len(able)
    return 2 * k > len(able) and not _refuted(test, able)


def _refuted(test: Check, able: Sequence[CellVerdict]) -> bool:
    """Whether a cell lies clearly on the other side."""
    against = ("opposite",) if test.expects == "absence" else ("opposite", "none")
    return any(one.mark in against for one in able)


def spread(values: Array) -> Array:
    """Standard deviation over networks: a statistic for cells that compare how much they vary."""
    return values.std(axis=1)
