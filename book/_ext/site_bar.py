"""Bars that a reader may move: in the box of each verdict, and over the whole ledger.

What is drawn here stands without a script: the cases of a test as marks with their intervals, and
the lines that the criterion draws. ``_static/bar.js`` makes the lines movable. The numbers are
those of ``_static/bar_data.js``, which book/_tools/bar.py writes.
"""

from __future__ import annotations

import json
import math
from html import escape

from bs4 import BeautifulSoup

DATA = "_static/bar_data.js"
MARKS = {
    "a": ("●", "agrees"), "x": ("✕", "opposite"), "n": ("○", "none"), "o": ("?", "open"),
    "h": ("◌", "hollow"),
}  # fmt: skip
"""Letter of a mark in the data -> its symbol and its class."""

MEANS = (
    "A bar that is moved when the results are known judges nothing. It shows how much of the word "
    "hangs on where the bar stands."
)
NONE = {
    "identity": "There is no bar to move here: an identity holds in every case tried, or it fails.",
    "facts": "There is no bar to move here: each case holds or does not.",
    "other": "There is no bar to move here: the effect is held against 0 and against the source’s "
    "own number, and neither is a choice of this book.",
}
LEDGER = (
    "Two choices stand behind every word of this table: intervals cover 95 %, and for each test a "
    "smallest effect of interest and a margin say what is worth having and what counts as nothing. "
    "Move them, and see which words would be others. This judges nothing: a bar that is moved when "
    "the results are known can give any word that one likes. It shows which words are fragile. "
    "Numbers that a source states stay where they are, and identities have no bar. The published "
    "words stay in sight; the column Fragile says at how many of all positions of the two sliders "
    "a word is another one."
)


def bars_in_boxes(soup, page):
    """A fold in every box whose tests have a bar, and a sentence in those that have none."""
    boxes = soup.select(".judged")
    data = read(page) if boxes else None
    if not data:
        return
    for box in boxes:
        name = box.find("strong").get_text()
        claim = data["claims"].get(name)  # a repeat sends to the box of the other claim
        if claim is None:
            continue
        none = f'<p class="remark no-bar">{why(claim)}</p>'
        made = fold(name, claim, data) if movable(claim) else none
        place = box.find("details") or box.find("p", class_="provenance")
        place.insert_before(BeautifulSoup(made, "html.parser"))
    _script(soup, page)


def bar_of_the_ledger(soup, page):
    """The one control over all claims; hidden until a script shows it."""
    form = soup.find(id="ledger-form")
    if form is None or not read(page):
        return
    for name in ("level", "size"):
        form.append(soup.new_tag("input", attrs={"type": "hidden", "name": name}))
    form.insert_after(BeautifulSoup(_ledger(), "html.parser"))
    _script(soup, page)


def read(page):
    """What the tool has written; nothing where it was not run."""
    file = page.site / DATA
    if not file.exists():
        return None
    text = file.read_text(encoding="utf-8")
    return json.loads(text[text.index("{") : text.rindex("}") + 1])


def movable(claim):
    """Whether any test of a claim has a bar."""
    return any(test.get("bars") for test in claim["tests"])


def why(claim):
    """Why it has none."""
    tests = claim["tests"]
    if tests[0]["expects"] == "identity":
        return NONE["identity"]
    return NONE["facts" if all(map(_only_facts, tests)) else "other"]


def _only_facts(test):
    return all(case.get("fact") or case.get("hollow") for case in test.get("cells", ()))


# A box ------------------------------------------------------------------------------------------


def fold(name, claim, data):
    """The tests of a claim, the primary one in sight when the fold is opened."""
    asked = [(i, test) for i, test in enumerate(claim["tests"]) if "cells" in test]
    first, *others = (plot(test, i, data) for i, test in asked)
    more = ""
    if others:
        said = "The other test" if len(others) == 1 else f"The {len(others)} other tests"
        more = f"<details><summary>{said} of this claim</summary>{''.join(others)}</details>"
    return (
        f'<details class="bar" data-claim="{_text(name)}"><summary>Move the bar</summary>'
        f'<p class="remark">{MEANS}</p><div class="bar-says"></div>{first}{more}</details>'
    )


def plot(test, i, data):
    """One test: what is asked, a mark and an interval for each case, the lines, the axis."""
    named = not test["name"].startswith("test ")
    title = ": ".join(_text(part) for part in (test["name"] if named else "", test["what"]) if part)
    unit = f" ({_text(test['unit'])})" if test["unit"] else ""
    head = f'<p class="bar-asked">{title}{unit}</p>'
    if not test.get("bars"):
        said = NONE["facts"] if _only_facts(test) else NONE["other"]
        return f'<div class="bar-test" data-test="{i}">{head}<p class="remark">{said}</p></div>'
    scale = Scale(test["axis"])
    marked = zip(test["cells"], test["marks"], strict=True)
    cases = "".join(_case(test, case, mark, scale, data) for case, mark in marked)
    if "middle" in test:
        cases += _between(test, scale, data)
    ticks = "".join(f'<i style="--x:{scale(v)}">{_number(v)}</i>' for v in ticks_of(test["axis"]))
    return (
        f'<div class="bar-test" data-test="{i}">{head}{_plot_of(test)}{_lines(test, scale)}'
        f'<ul>{cases}</ul><div class="bar-axis" aria-hidden="true">{ticks}</div></div></div>'
    )


class Scale:
    """From a value to per cent of an axis."""

    def __init__(self, axis):
        self.low, self.high = axis

    def __call__(self, value):
        return round(100 * (value - self.low) / (self.high - self.low), 2)


def _plot_of(test):
    """The head of a plot; the names of its lines stand outside, whichever side is claimed."""
    return f'<div class="bar-plot{" bar-down" if test["side"] == "<" else ""}">'


def _case(test, case, letter, scale, data):
    symbol, kind = MARKS[letter]
    said = f"{case['label']} (decides)" if case["label"] == test["primary"] else case["label"]
    label = f"<span><b>{symbol}</b> {_text(said)}</span>"
    if case.get("hollow"):
        return f'<li class="cell cell-{kind}" title="{_text(case["hollow"])}">{label}</li>'
    where = _where(test, case, scale, data)
    return f'<li class="cell cell-{kind}" {where}><i>{symbol}</i>{label}</li>'


def _between(test, scale, data):
    """What stands for a test of several cases: their median, network by network."""
    where = _where(test, test["middle"], scale, data)
    count = sum("hollow" not in case for case in test["cells"])
    label = f"<span>median of the {count} cases (decides)</span>"
    return f'<li class="bar-middle" {where}><i>◆</i>{label}</li>'


def _where(test, case, scale, data):
    """Places of an effect and its interval, and the numbers on hover."""
    shown = case["s"] if test["shown"] else case
    level = data["levels"].index(data["level"])
    low, high = (shown[end][min(level, len(shown[end]) - 1)] for end in "lh")
    places = f"--l:{scale(low)};--h:{scale(high)};--e:{scale(shown['e'])}"
    return f'style="{places}" title="{_number(shown["e"])} [{_number(low)}, {_number(high)}]"'


def _lines(test, scale):
    """The lines of the criterion: what may be moved, and what stays."""
    line = 0 if test["shown"] else test["null"]
    found = []
    if (margin := test["margin"]) is not None:
        ends = f"--l:{scale(line - margin)};--h:{scale(line + margin)}"
        found.append(f'<i class="bar-band" style="{ends}"></i>')
    found.append(f'<i class="bar-line bar-null" style="--x:{scale(line)}"></i>')
    if test["size"] is not None:
        whose = "size" if test["size"][2] else "source"
        for value in sorted(set(test["size"][:2])):
            found.append(f'<i class="bar-line bar-{whose}" style="--x:{scale(value)}"></i>')
    return "".join(found)


def ticks_of(axis):
    """Four to nine round numbers on an axis.

    >>> ticks_of([-0.4, 3.1])
    [0.0, 1.0, 2.0, 3.0]
    """
    low, high = axis
    step = 10 ** math.floor(math.log10((high - low) / 3))
    step = next(step * k for k in (5, 2, 1) if (high - low) / (step * k) > 2.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 10) + 0.0 for k in range(first, last + 1)]


# The ledger -------------------------------------------------------------------------------------


def _ledger():
    return (
        '<details class="bar" id="ledger-bar" hidden><summary>Move the bar: which words are '
        f'fragile?</summary><p>{LEDGER}</p><div class="bar-says"></div></details>'
    )


def _script(soup, page):
    """The style and the script, on pages that have a bar."""
    style = {"rel": "stylesheet", "href": page.to("_static/bar.css")}
    soup.head.append(soup.new_tag("link", attrs=style))
    script = {"src": page.to("_static/bar.js"), "defer": ""}
    soup.head.append(soup.new_tag("script", attrs=script))


def _number(value):
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def _text(text):
    return escape(" ".join(str(text).split()), quote=True)
