"""Bars in a browser: a box of a verdict and the ledger, by mouse, keys and finger, at two widths.

The pages are small ones, made here as the site's are finished, and opened from disk.
"""

import re
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import bar
import pytest
import site_bar
from bar_told import DATA, committed, python_says
from bs4 import BeautifulSoup
from site_browser import BROWSER, view_of

from ibcore.papers import book_folder

STATIC = book_folder() / "_static"
ROWS = bar.verdicts()
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no browser on the PATH")
PAGE = """<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">
<title>A bar</title><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><style>:root {{ --pst-color-background: #fff;
--pst-color-primary: #0b5394; --pst-color-text-base: #222; --pst-color-text-muted: #4b5158;
--pst-color-border: #ccc; --pst-color-link: #0b5394; }}
body {{ font: 16px/1.6 sans-serif; margin: 1rem; }}</style>
<link rel="stylesheet" href="_static/custom.css"><link rel="stylesheet" href="_static/ledger.css">
</head><body><main class="bd-article"><h1>A bar</h1>{body}</main></body></html>"""
BOX = (
    '<div class="judged"><p><strong>{name}</strong> A claim.</p><details><summary>The tests in '
    'numbers</summary></details><p class="provenance">setting</p></div>'
)
SIZES = {"phone": {"width": 390, "height": 844}, "wide": {"width": 1280, "height": 900}}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with what a page of a bar needs."""
    folder = tmp_path_factory.mktemp("bars")
    (folder / "_static").mkdir()
    for name in ("bar.js", "bar_rules.js", "bar_data.js", "bar.css", "custom.css", "ledger.css",
                 "ledger.js"):  # fmt: skip
        (folder / "_static" / name).write_bytes((STATIC / name).read_bytes())
    return folder


def written(site, body, name="page.html"):
    """A finished page."""
    soup = BeautifulSoup(PAGE.format(body=body), "html.parser")
    page = SimpleNamespace(site=site, name=name, to=lambda other: other)
    site_bar.bars_in_boxes(soup, page)
    site_bar.bar_of_the_ledger(soup, page)
    (site / name).write_text(str(soup), encoding="utf-8")
    return site / name


def of_kind(bars, test=lambda _one: True):
    """A claim whose primary test has these bars, and no other claim's evidence."""
    return next(
        name
        for name, one in DATA["claims"].items()
        if one["tests"][0].get("bars") == bars and test(one)
    )


@pytest.fixture(params=SIZES)
def opened(request, browser, site):
    """Open the bar of a claim in a browser, at two widths and with fingers on the narrow one."""
    phone = request.param == "phone"
    with view_of(browser, "phone" if phone else "light", has_touch=phone) as (view, problems):

        def go(name):
            view.goto(written(site, BOX.format(name=name)).as_uri())
            view.click("details.bar > summary")
            view.wait_for_selector(".bar-slider input")
            return view

        yield go
    assert not problems


def status(view):
    return view.text_content("[role=status]")


@needs_browser
def test_a_closed_box_grows_by_a_line(browser, site):
    with view_of(browser, "phone") as (view, problems):
        name = of_kind(["size"])
        view.goto(written(site, BOX.format(name=name)).as_uri())
        assert view.locator("details.bar").bounding_box()["height"] < 60
        loaded = view.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
        assert not [one for one in loaded if "bar_data" in one or "bar_rules" in one]
    assert not problems


@needs_browser
@pytest.mark.parametrize("bars", [["size"], ["null"], ["size", "null"], ["margin"]])
def test_keys_move_every_bar_and_a_button_brings_it_back(opened, bars):
    view = opened(name := of_kind(bars))
    word = DATA["claims"][name]["word"]
    assert status(view).startswith("As published: ")
    assert word in status(view)
    button = view.locator(".bar-says button")
    assert button.is_disabled()
    for slider in view.locator(".bar-test").first.locator("input[type=range]").all():
        before = slider.input_value()
        slider.focus()
        view.keyboard.press("End" if int(before) < 100 else "Home")
        view.keyboard.press("ArrowLeft" if int(before) < 100 else "ArrowRight")
        assert slider.input_value() != before
        said = slider.get_attribute("aria-valuetext")
        value, found = said.split(": ")
        assert status(view).startswith(f"At {value}: ")
        assert found in status(view)
        button.click()
        assert slider.input_value() == before
        assert status(view).startswith("As published: ")
    assert button.is_disabled()


@needs_browser
def test_a_moved_line_turns_marks_and_the_word(opened):
    """Beyond every interval no case agrees any more."""
    agree = {"word": "reproduced", "marks": {"a"}}
    name = of_kind(
        ["null"], lambda one: agree == {"word": one["word"], "marks": set(one["tests"][0]["marks"])}
    )
    view = opened(name)
    test = DATA["claims"][name]["tests"][0]
    slider = view.locator(".bar-test input[type=range]").first
    marks = view.locator(".bar-test").first.locator("li.cell")
    assert "cell-agrees" in marks.first.get_attribute("class")
    slider.focus()
    view.keyboard.press("End" if test["side"] == ">" else "Home")
    assert "cell-opposite turned" in marks.first.get_attribute("class")
    assert marks.first.locator("b").text_content() == "✕"
    assert "opposite, published: ✓ reproduced" in status(view)
    assert "turn" in status(view)
    turns = view.locator(".bar-slider .remark").first.text_content()
    assert "reproduced" in turns
    assert "opposite" in turns


def dragged(view, start, by):
    """Drag by mouse, or by a finger where there is one."""
    x, y = start
    if not view.evaluate("navigator.maxTouchPoints > 0"):
        view.mouse.move(x, y)
        view.mouse.down()
        view.mouse.move(x + by / 2, y)
        view.mouse.move(x + by, y)
        view.mouse.up()
        return
    device = view.context.new_cdp_session(view)
    for kind, at in (("Start", x), ("Move", x + by / 2), ("Move", x + by)):
        points = [{"x": at, "y": y}]
        device.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})
    device.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def middle_of(box):
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


@needs_browser
@pytest.mark.parametrize("what", ["line", "thumb"])
@pytest.mark.parametrize("bars", [["size"], ["margin"]])
def test_a_bar_is_dragged(opened, bars, what):
    """Its line in the plot, or the thumb below it: both follow, by mouse and by finger."""
    view = opened(of_kind(bars))
    place = view.locator(".bar-test").first
    slider, line = place.locator("input[type=range]"), place.locator(".bar-now").first
    slider.scroll_into_view_if_needed()
    before, width = int(slider.input_value()), place.locator(".bar-plot").bounding_box()["width"]
    start = middle_of(line.bounding_box())
    if what == "thumb":
        start = start[0], middle_of(slider.bounding_box())[1]
    share = 0.2 if before < 100 else -0.2
    dragged(view, start, share * width)
    steps = 200 * (2 * share if bars == ["margin"] else share)
    assert int(slider.input_value()) - before == pytest.approx(steps, abs=5)
    assert middle_of(line.bounding_box())[0] == pytest.approx(start[0] + share * width, abs=4)
    assert status(view).startswith("At ")


@needs_browser
def test_thumb_and_line_stand_over_each_other(opened):
    for bars in (["size"], ["null"], ["margin"]):
        view = opened(of_kind(bars))
        place = view.locator(".bar-test").first
        slider, line = place.locator("input[type=range]").first, place.locator(".bar-now").first
        for key in ("Home", "End"):
            slider.focus()
            view.keyboard.press(key)
            box = slider.bounding_box()
            share = 0 if key == "Home" else 1
            thumb = box["x"] + 12 + share * (box["width"] - 24)
            assert middle_of(line.bounding_box())[0] == pytest.approx(thumb, abs=1.5)
        assert view.evaluate("document.documentElement.scrollWidth <= innerWidth")


@needs_browser
def test_no_fault_for_the_accessibility_engine(opened):
    from test_access import RUN

    folder = Path(find_spec("axe_playwright_python").origin).parent
    view = opened(of_kind(["size", "null"], lambda one: len(one["tests"]) > 2))
    view.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    view.locator("input[type=range]").first.focus()
    view.keyboard.press("End")
    view.evaluate((folder / "axe.min.js").read_text(encoding="utf-8"))
    for theme in ("light", "dark"):
        view.evaluate("theme => document.documentElement.dataset.theme = theme", theme)
        if theme == "dark":
            view.add_style_tag(
                content=":root { --pst-color-background: #121212; --pst-color-text-base: #ddd; "
                "--pst-color-border: #444 } html, body { background: #121212; color: #ddd }"
            )
        assert view.evaluate(RUN, []) == []


def test_what_has_no_bar_says_why():
    movable = site_bar.movable
    said = {name: site_bar.why(one) for name, one in DATA["claims"].items() if not movable(one)}
    for name, why in said.items():
        if DATA["claims"][name]["word"] in ("holds", "fails"):
            assert "an identity" in why
        assert why.startswith("There is no bar to move here")
    assert sum(map(movable, DATA["claims"].values())) > 80
    identity = next(name for name, one in DATA["claims"].items() if one["word"] == "holds")
    soup = BeautifulSoup(BOX.format(name=identity) + "<head></head>", "html.parser")
    page = SimpleNamespace(site=book_folder(), to=lambda name: name)
    site_bar.bars_in_boxes(soup, page)
    assert "holds in every case tried" in soup.select_one(".judged .remark").get_text()
    assert not soup.select("details.bar")


def test_without_a_script_a_box_shows_marks_intervals_and_lines():
    name = of_kind(["size"])
    test = DATA["claims"][name]["tests"][0]
    drawn = site_bar.plot(test, 0, DATA)
    soup = BeautifulSoup(drawn, "html.parser")
    assert [one.get_text() for one in soup.select("li.cell span b")] == [
        site_bar.MARKS[one][0] for one in test["marks"]
    ]
    for line, cell in zip(soup.select("li.cell"), test["cells"], strict=True):
        low, high, effect = (float(one) for one in re.findall(r":(-?[\d.]+)", line["style"]))
        assert 0 <= low <= effect <= high <= 100
        assert cell["label"] in line.get_text()
    assert len(soup.select(".bar-size")) == 1
    assert len(drawn) < 3000
    assert drawn == site_bar.plot(test, 0, DATA)


def test_a_site_without_the_numbers_has_no_bars(tmp_path):
    soup = BeautifulSoup(BOX.format(name="SZT-F3"), "html.parser")
    before = str(soup)
    site_bar.bars_in_boxes(soup, SimpleNamespace(site=tmp_path))
    assert str(soup) == before


# The ledger -------------------------------------------------------------------------------------


@pytest.fixture
def ledger(browser, site):
    """The table of the ledger on a page of its own."""
    text = (book_folder() / "ledger.md").read_text(encoding="utf-8")
    body = re.search(r"```\{raw\} html\n(.*?)\n```", text, re.DOTALL)[1]
    page = written(site, body.replace("../_static/", "_static/"), "ledger.html")
    with view_of(browser) as (view, problems):

        def go(rest=""):
            view.goto(page.as_uri() + rest)
            if not rest:
                view.click("#ledger-bar > summary")
            view.wait_for_selector("#ledger-form select[name=fragile]", state="attached")
            view.wait_for_selector("th button:text('Fragile')")
            return view

        yield go
    assert not problems


LINES = """[...document.querySelectorAll('#ledger-table tbody tr')].filter(one => !one.hidden)
  .map(one => [one.cells[0].textContent, one.cells[1].textContent, one.cells[6].dataset.key])"""


def words_at(monkeypatch, level, times=1.0):
    """Names of the claims whose word is another one, by Python."""
    found = set()
    for name, claim in DATA["claims"].items():
        bars = [
            {**committed(test), "level": DATA["levels"].index(level)} for test in claim["tests"]
        ]
        for at, test in zip(bars, claim["tests"], strict=True):
            at["margin"] = at["margin"] and at["margin"] * times
            if at["size"] and test["size"][2]:
                at["size"] = [one * times for one in at["size"]]
        word = python_says(monkeypatch, claim, bars)[0]
        if re.sub(r" \(.*", "", word) != claim["word"]:
            found.add(name)
    return found | {name for name, other in DATA["same"].items() if other in found}


@needs_browser
def test_the_ledger_says_which_words_would_change(ledger, monkeypatch):
    view = ledger()
    total = sum(1 for row in ROWS.values() if row["tests"])
    assert status_of(view).startswith(f"Of {total} judged claims 0 change their word")
    level = view.locator("#ledger-bar input").first
    level.focus()
    while level.get_attribute("aria-valuetext") != "99 %":
        view.keyboard.press("ArrowRight")
    changed = words_at(monkeypatch, 0.99)
    assert changed
    assert status_of(view).startswith(f"Of {total} judged claims {len(changed)} change")
    assert view.url.endswith("?level=99")
    view.select_option("select[name=fragile]", "now")
    lines = view.evaluate(LINES)
    assert {name for name, *_ in lines} == changed
    for name, words, _ in lines:
        assert ROWS[name]["verdict"] in words.split("→")[0]
        assert "→" in words
    view.click("#ledger-bar button")
    assert status_of(view).startswith(f"Of {total} judged claims 0 change")
    assert "level" not in view.url


def status_of(view):
    return view.text_content("#ledger-bar [role=status]")


@needs_browser
def test_the_ledger_is_sorted_by_what_is_fragile(ledger):
    view = ledger()
    view.click("th button:text('Fragile')")
    view.click("th button:text('Fragile')")
    shares = [float(key) for *_, key in view.evaluate(LINES) if key is not None]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0
    assert shares[-1] == 0
    assert view.url.endswith("?sort=-Fragile")


@needs_browser
def test_an_address_moves_the_bar_of_the_ledger(ledger, monkeypatch):
    view = ledger("?level=90&size=2&fragile=now")
    changed = words_at(monkeypatch, 0.9, 2.0)
    assert {name for name, *_ in view.evaluate(LINES)} == changed
    assert "intervals of 90 % and × 2 the smallest" in status_of(view)
    assert view.locator("#ledger-bar").get_attribute("open") is not None
