"""What a reader needs to move a bar: every test with its intervals at many levels.

python book/_tools/bar.py [CLAIM ...]

writes book/_static/bar_data.js, a script so that a page can load it from disk. The intervals come
from the stored planes by the functions that decide, ``ibcore.claims``; the words do not: a page
follows them from these numbers by ``_static/bar_rules.js``, and tests hold it against
``ibcore.claims.decide`` and ``words``. A claim that has not changed since is not computed again.

    bars     what of a test a reader may move: its size of interest where it is ours; the line that
             an effect has to pass; the margin of an absence, or of an effect whose direction is
             that of a signed quantity. None where each case simply holds or fails.
    l, h     ends of the intervals at ``levels``; one number where all are the same or one is drawn
    cl, ch   the same where the best of m cases is looked for: at 1 - (1 - level) / m
    p        one-sided, of each of those; ``ps``: with the line at each place of the slider,
             as [p, the last place that has it]
    marks    of the cases as published, a letter each
    s        the signed quantity, where it decides the direction
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from execute import BOOK

from ibcore import claims
from ibcore.claims.cells import Cell
from ibcore.claims.checks import Check
from ibcore.claims.decide import MIN_SEEDS, _middle, decide
from ibcore.claims.hashes import content_hash
from ibcore.claims.intervals import LEVEL, Estimate
from ibcore.claims.judge import checks_of
from ibcore.files import write_whole
from ibcore.papers import papers
from ibcore.study import Study

FILE = BOOK / "_static" / "bar_data.js"
VERDICTS = BOOK / "results" / "verdicts"
BEFORE, AFTER = "window.ibBar = ", ";\n"
VERSION = 1  # of what this tool computes
LEVELS = (0.5, 0.7, 0.8, 0.9, LEVEL, 0.98, 0.99, 0.995, 0.999)
STEPS = 200  # of a slider
FEW_STEPS = 60  # where a p belongs to each
LETTERS = {"agrees": "a", "opposite": "x", "none": "n", "open": "o", "hollow": "h"}
ENOUGH = 4  # significant digits, or as many as the line asks for


def encoded(test: Check, seed: str) -> dict[str, Any]:
    """A test with its intervals, as the page has it.

    Parameters
    ----------
    test : Check
    seed : str
        Of the resamples, as ``decide`` takes it.
    """
    if test.expects == "identity":
        decided = decide(test, seed)
        return {"name": test.name, "expects": "identity", "k": decided.k, "m": decided.m}
    able = [cell for cell in test.cells if cell.answers]
    bars = bars_of(test, able)
    found: dict[str, Any] = {
        **{key: getattr(test, key) for key in ("name", "what", "unit", "expects", "side", "null")},
        "margin": test.margin,
        "size": [test.size.low, test.size.high, not test.size.source] if test.size else None,
        "quantifier": test.quantifier,
        "primary": test.primary,
        "bars": bars,
        "shown": "s" if bars == ["margin"] and test.expects == "effect" else "",
        "cells": [_cell(test, cell, seed, len(able)) for cell in test.cells],
    }
    alone = [cell.label for cell in able if cell.label == test.primary or len(able) == 1]
    if able and not alone and test.quantifier != "some":
        found["middle"] = _between(test, able, seed)
    for one in found["cells"]:  # of a signed effect, only what stands for the test has a size
        if "s" in one and one["label"] not in alone and test.quantifier != "some":
            one["l"], one["h"] = [seen(one["l"])], [seen(one["h"])]
    if bars:
        _add_sliders(found, test, able, seed)
    return found


def _add_sliders(found: dict[str, Any], test: Check, able: Sequence[Cell], seed: str) -> None:
    """Axis and steps; where the line of a best of many moves, p at each of its places."""
    found["axis"], found["steps"] = axis_of(found), STEPS
    if found["bars"] != ["margin"] and all(cell.kind == "share" for cell in able):
        found["axis"] = [max(found["axis"][0], 0.0), min(found["axis"][1], 1.0)]
    if "null" not in found["bars"] or test.quantifier != "some":
        return
    found["steps"] = FEW_STEPS
    lines = [place(found, "null", k) for k in range(FEW_STEPS + 1)]
    for cell, one in zip(test.cells, found["cells"], strict=True):
        if cell.answers:
            own = cell.estimate(seed)
            one["ps"] = _runs([_short(own.p(test.side, line), ()) for line in lines])


def _runs(values: Sequence[float]) -> list[list[float]]:
    """Equal neighbours as one: [value, the last place that has it].

    Examples
    --------
    >>> _runs([0.5, 0.5, 1.0])
    [[0.5, 1], [1.0, 2]]
    """
    last = [k for k in range(len(values)) if values[k : k + 1] != values[k + 1 : k + 2]]
    return [[values[k], k] for k in last]


def bars_of(test: Check, able: Sequence[Cell]) -> list[str]:
    """What of a test may be moved.

    A fact holds or fails; a number of the source is not ours to move; a signed quantity is held
    against 0, which is no choice.
    """
    if not able or all(cell.kind == "fact" for cell in able):
        return []
    if test.expects == "absence":
        return ["margin"]
    signed = {cell.signed is not None for cell in able}
    if len(signed) > 1:
        raise ValueError(f"{test.name}: only some of its cells have a signed quantity.")
    size = ["size"] if test.size is not None and not test.size.source else []
    if signed == {False}:
        return [*size, "null"]
    return size or (["margin"] if test.margin is not None else [])


def axis_of(test: Mapping[str, Any]) -> list[float]:
    """Both ends of the axis: all intervals and all lines, with room; round numbers.

    Around a margin it is symmetric: what counts is the distance from the line.
    """
    line = 0.0 if test["shown"] else test["null"]
    margin = test["margin"] or 0.0
    values = [line, line - margin, line + margin, *(test["size"] or [])[:2]]
    for cell in test["cells"]:
        one = cell.get("s") if test["shown"] else cell
        if one and "l" in one:
            values += [seen(one["l"]), seen(one["h"])]
    low, high = min(values), max(values)
    around = test["bars"] == ["margin"]
    if around:
        reach = max(high - line, line - low)
        low, high = line - reach, line + reach
    room = 0.08 * (high - low) or 1.0
    step = 10 ** np.floor(np.log10(high - low + 2 * room)) / 10
    last = np.ceil((high + room - around * line) / step) * step + around * line
    first = 2 * line - last if around else np.floor((low - room) / step) * step
    return [float(f"{end:.6g}") for end in (first, last)]


def seen(ends: Sequence[float]) -> float:
    """The end at the level that decides."""
    return ends[min(LEVELS.index(LEVEL), len(ends) - 1)]


def place(test: Mapping[str, Any], bar: str, k: int) -> float:
    """The value of a bar at the k-th place of its slider; the committed one keeps its own."""
    (low, high), steps = test["axis"], test["steps"]
    committed = test["size"][0] if bar == "size" else test["null"]
    if k == round((committed - low) / (high - low) * steps):
        return float(committed)
    return float(low + (high - low) * k / steps)


def _cell(test: Check, cell: Cell, seed: str, m: int) -> dict[str, Any]:
    if not cell.answers:
        return {"label": cell.label, "hollow": cell.hollow}
    own = cell.estimate(seed)
    found = {"label": cell.label, **_numbers(test, own)}
    if cell.kind == "fact":
        found["fact"] = True
    signed = None
    if test.expects == "effect" and cell.signed is not None:
        signed = cell.direction(seed)
        found["s"] = _numbers(test, signed, signed=True)
    if test.quantifier == "some":
        found["e"] = own.effect  # whole: the best is looked for
        if test.expects == "effect":
            decides, line = (own, test.null) if signed is None else (signed, 0.0)
            found["p"] = decides.p(test.side, line)
        for many, one in ((found, own), (found.get("s"), signed)):
            if many is not None and one is not None and m > 1:
                many["cl"], many["ch"] = _ends(test, one, m, signed=one is signed)
    return found


def _between(test: Check, able: Sequence[Cell], seed: str) -> dict[str, Any]:
    found = _numbers(test, _middle(test, able, seed, signed=False))
    if test.expects == "effect" and any(cell.signed is not None for cell in able):
        middle = _middle(test, able, seed, signed=True)
        found["s"] = _numbers(test, middle, signed=True)
    return found


def _numbers(test: Check, one: Estimate, *, signed: bool = False) -> dict[str, Any]:
    low, high = _ends(test, one, 1, signed=signed)
    return {"n": one.n, "e": _short(one.effect, ()), "l": low, "h": high}


def _ends(test: Check, one: Estimate, m: int, *, signed: bool) -> list[list[float]]:
    """Lower and upper ends at every level, with the digits that the lines of the test need."""
    margin = test.margin or 0.0
    line = 0.0 if signed else test.null
    lines = [line, line - margin, line + margin]
    if test.size is not None and not signed:
        lines += [test.size.low, test.size.high]
    ends = zip(*(one.interval(1 - (1 - level) / m) for level in LEVELS), strict=True)
    short = [[_short(end, lines) for end in many] for many in ends]
    return [many[:1] if len(set(many)) == 1 else many for many in short]


def _short(value: float, lines: Iterable[float]) -> float:
    """A number with few digits that lies as the whole one does: below, on or above every line."""
    lines = list(lines)
    for digits in range(ENOUGH, 17):
        found = float(f"{value:.{digits}g}")
        if all(np.sign(found - line) == np.sign(value - line) for line in lines):
            return found
    return float(value)


# The file -----------------------------------------------------------------------------------------


def load(path: Path = FILE) -> dict[str, Any]:
    """What is written; nothing where there is no file."""
    if not path.exists():
        return {"claims": {}}
    text = path.read_text(encoding="utf-8")
    return json.loads(text.removeprefix(BEFORE).removesuffix(AFTER))


def verdicts() -> dict[str, dict[str, Any]]:
    """The stored verdicts with their tests, in the order of the book."""
    files = [VERDICTS / f"{paper}.json" for paper in papers()]
    there = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.exists()]
    return {row["id"]: row for one in there for row in one["verdicts"]}


def inputs(row: Mapping[str, Any]) -> str:
    """Hash of what a claim's numbers follow from: its criterion, the rules, the decided tests."""
    said = [row[key] for key in ("criterion_hash", "setting", "verdict", "tests")]
    return content_hash([VERSION, LEVELS, *said])


def claim_of(row: Mapping[str, Any], study: Study) -> dict[str, Any]:
    """A claim with its tests that count; its intervals must be those of the stored verdict."""
    claim = claims.find_claim(row["id"])
    planes = {name: study.stored(name) for name in claim.experiments}
    tests = []
    for test, was in zip(checks_of(claim, planes), row["tests"], strict=True):
        if test.counts:
            found = encoded(test, f"{claim.id}/{test.name}")
            _compare(claim.id, found, was)
            tests.append(
                {**found, "marks": "".join(LETTERS[cell["mark"]] for cell in was["cells"])}
            )
    return {"inputs": inputs(row), "setting": claim.setting, "word": row["verdict"], "tests": tests}


def _compare(name: str, found: Mapping[str, Any], was: Mapping[str, Any]) -> None:
    for one, old in zip(found.get("cells", ()), was["cells"], strict=False):
        if "l" in one and not np.isclose(seen(one["l"]), old["low"], rtol=1e-3, atol=1e-12):
            raise ValueError(
                f"{name}, {old['label']}: the stored planes do not give the stored verdict; judge "
                "again first: python -m ibcore run PAPER --publish"
            )


def written(found: Mapping[str, Any]) -> str:
    """The file: a line for each claim."""

    def line(content: Any) -> str:
        return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

    rows = ",\n".join(f"{line(name)}:{line(one)}" for name, one in found["claims"].items())
    head = f'"levels":{line(LEVELS)},"level":{LEVEL},"least":{MIN_SEEDS},'
    return f'{BEFORE}{{{head}"same":{line(found["same"])},"claims":{{\n{rows}\n}}}}{AFTER}'


def main(asked: Sequence[str]) -> int:
    old, found, same = load()["claims"], {}, {}
    studies: dict[str, Study] = {}
    for name, row in verdicts().items():
        if other := row["same_evidence_as"]:
            same[name] = other
        elif row["tests"]:
            found[name] = old.get(name, {})
            if name in asked or found[name].get("inputs") != inputs(row):
                chapter = row["chapter"]
                study = studies.setdefault(chapter, Study(chapter, results=BOOK / "results"))
                found[name] = claim_of(row, study)
                print(name, flush=True)
    text = written({"claims": found, "same": same})
    write_whole(FILE, text.encode())
    print(f"{FILE.name}: {len(found)} claims, {len(text.encode()) / 1000:.0f} kB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
