"""Bars that a reader moves: their rules are Python's, their numbers those of the stored planes.

The rules of a page, ``bar_rules.js``, run in a browser. What Python says at another level or
another line is what ``decide`` and ``word_of`` say of the same numbers, told, not bootstrapped.
"""

import json
import re

import bar
import numpy as np
import pytest
from bar_told import DATA, check_of, committed, made_up, made_up_numbers, python_says
from site_browser import BROWSER, view_of

from ibcore.claims import shown
from ibcore.papers import book_folder

STATIC = book_folder() / "_static"
ROWS = bar.verdicts()
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no browser on the PATH")

JAVASCRIPT = """asked => asked.map(([claim, bars]) => {
  const {shown, tests} = ibRules.judge(ibBar, claim, bars);
  return [shown, tests.map(one =>
    [one.marks, one.direction, one.size, one.met, one.refuted])];
})"""


@pytest.fixture(scope="module")
def rules(browser):
    """A blank page with the rules and the numbers."""
    with view_of(browser) as (view, problems):
        for name in ("bar_rules.js", "bar_data.js"):
            view.add_script_tag(path=STATIC / name)
        yield view
    assert not problems


@needs_browser
def test_the_rules_of_the_page_are_pythons(rules, monkeypatch):
    rng = np.random.default_rng(20)
    asked = [made_up(rng) for _ in range(2000)]
    expected = [python_says(monkeypatch, *one) for one in asked]
    found = rules.evaluate(JAVASCRIPT, asked)
    for one, said, wanted in zip(asked, found, expected, strict=True):
        assert said == wanted, one
    words = {re.sub(r" \(.*", "", word) for word, _ in expected}
    assert words >= {
        "reproduced", "direction only", "mixed", "open", "none found", "opposite", "seen",
        "not seen on a stand-in", "holds", "fails", "not testable here",
    }  # fmt: skip


# What is published ------------------------------------------------------------------------------


@needs_browser
def test_every_published_word_follows_from_the_numbers_of_the_page(rules):
    found = rules.evaluate(
        """() => Object.entries(ibBar.claims).map(([name, claim]) => {
             const bars = claim.tests.map(test => ibRules.committed(ibBar, test));
             const {shown, tests} = ibRules.judge(ibBar, claim, bars);
             return [name, shown, tests.map(test => test.marks)];
           })"""
    )
    assert {name for name, *_ in found} | set(DATA["same"]) == {
        name for name, row in ROWS.items() if row["tests"] or row["same_evidence_as"]
    }
    for name, word, marks in found:
        row = ROWS[name]
        k, _, m = row["scope"].partition(" of ")
        assert word == shown(row["verdict"], int(k), int(m)), name
        counting = [test for test in row["tests"] if test["counts"]]
        expected = [
            [] if test["expects"] == "identity" else [cell["mark"] for cell in test["cells"]]
            for test in counting
        ]
        assert marks == expected, name


@needs_browser
@pytest.mark.parametrize("times", [0.5, 1.0, 4.0])
def test_at_every_level_and_size_the_page_says_what_python_says(rules, monkeypatch, times):
    levels = range(len(DATA["levels"]))
    asked = []
    for claim in DATA["claims"].values():
        for level in levels:
            bars = [{**committed(test), "level": level} for test in claim["tests"]]
            for at, test in zip(bars, claim["tests"], strict=True):
                if at["margin"] is not None:
                    at["margin"] *= times
                if at["size"] and test["size"][2]:
                    at["size"] = [one * times for one in at["size"]]
            asked.append((claim, bars))
    found = rules.evaluate(JAVASCRIPT, asked)
    for (claim, bars), said in zip(asked, found, strict=True):
        assert said == python_says(monkeypatch, claim, bars), (claim["word"], bars)
    scaled = rules.evaluate(
        """times => Object.values(ibBar.claims).map(claim =>
             claim.tests.map(test => ibRules.scaled(ibBar, test, 3, times)))""",
        times,
    )
    third = [bars for _, bars in asked if bars[0]["level"] == 3]
    assert [[at["size"] for at in one] for one in scaled] == [
        [at["size"] for at in one] for one in third
    ]


def test_the_numbers_are_those_of_the_stored_verdicts():
    """A claim that was judged again, by other rules or from other runs, is noticed."""
    stale = [
        name for name, one in DATA["claims"].items() if one["inputs"] != bar.inputs(ROWS[name])
    ]
    assert not stale, "python book/_tools/bar.py"
    text = bar.FILE.read_text(encoding="utf-8")
    assert bar.written(DATA) == text
    assert len(text.encode()) < 520_000  # read when the first bar is opened; 124 claims


@pytest.mark.parametrize("name", ["CHE-F5t", "SAXE-F2", "SZT-S3.1"])
def test_some_claims_computed_again(name):
    study = bar.Study(ROWS[name]["chapter"], results=book_folder() / "results")
    again = json.loads(json.dumps(bar.claim_of(ROWS[name], study)))
    assert again == DATA["claims"][name]


def test_few_digits_lie_as_all_of_them_do():
    assert bar._short(0.050001, [0.05]) == 0.050001
    assert bar._short(0.0500001, [0.2]) == 0.05
    assert bar._short(-1.23456, []) == -1.235


def test_bars_are_what_is_ours_to_move():
    """Not what a source states, nor the 0 that a signed quantity is held against."""
    rng = np.random.default_rng(0)
    base = {"name": "it", "side": ">", "null": 0.0, "quantifier": "all", "primary": ""}
    one = {**made_up_numbers(rng, signed=False), "label": "a"}
    two = {**made_up_numbers(rng, signed=True), "label": "b"}

    def bars(cell, **more):
        test = {**base, "expects": "effect", "margin": 0.1, "cells": [cell], **more}
        made = check_of(test, committed(test))
        return bar.bars_of(made, made.cells)

    ours, theirs = [1.0, 1.0, True], [1.0, 2.0, False]
    assert bars(one, size=ours) == ["size", "null"]
    assert bars(one, size=theirs) == bars(one, size=None) == ["null"]
    assert bars(two, size=ours) == ["size"]
    assert bars(two, size=theirs) == bars(two, size=None) == ["margin"]
    assert bars(two, size=None, margin=None) == []
    assert bars(one, size=None, expects="absence") == ["margin"]
    assert bars({**one, "fact": True}, size=None) == []


@needs_browser
def test_a_slider_reaches_its_ends_and_keeps_the_committed_value(rules):
    """And stands where Python has computed p, where the line of a best of many is moved."""
    for claim in DATA["claims"].values():
        for test in claim["tests"]:
            for name in test.get("bars", ()):
                found = rules.evaluate(
                    """([test, bar]) => [ibRules.homeOf(test, bar), ...[...Array(test.steps + 1)]
                         .map((_, k) => ibRules.valueAt(test, bar, k))]""",
                    [test, name],
                )
                home, values = found[0], found[1:]
                committed_value = test["size"][0] if name == "size" else test[name]
                assert values[home] == committed_value
                assert 0 <= home <= test["steps"]
                assert values == sorted(values)
                if name == "null":
                    assert values == [bar.place(test, name, k) for k in range(test["steps"] + 1)]
                    for one in test["cells"]:
                        if "ps" in one:
                            p = next(value for value, last in one["ps"] if last >= home)
                            assert p == pytest.approx(one["p"], rel=1e-3)


@needs_browser
def test_where_the_word_turns_is_an_end_of_an_interval(rules):
    claim = next(
        one
        for one in DATA["claims"].values()
        if one["word"] == "reproduced" and one["tests"][0].get("bars") == ["size"]
    )
    runs = rules.evaluate(
        """claim => ibRules.turns(ibBar, claim,
             claim.tests.map(test => ibRules.committed(ibBar, test)), 0, "size")""",
        claim,
    )
    assert [one["word"] for one in runs] == ["reproduced", "direction only"]
    first, level = claim["tests"][0], DATA["levels"].index(DATA["level"])
    ends = first.get("middle") or first["cells"][0]
    assert runs[0]["to"] == pytest.approx(ends["l"][level], rel=1e-6)
    assert runs[1]["from"] == runs[0]["to"]
