"""Every page before an accessibility engine: no serious fault, in light, in dark, on a phone.

axe-core comes with the package axe-playwright-python; nothing is fetched. Colours are looked at in
both themes, and layout at both widths: (light, wide) and (dark, phone). What is folded is opened.
Of what a page repeats a hundred times, marks and rows of tests, the first few are looked at.
"""

from importlib.util import find_spec
from pathlib import Path

import pytest
from site_browser import PAGES, needs_both, see, view_of

pytestmark = needs_both
HARM = {"serious", "critical"}
RUN = """async (rules) => {
  const repeats = [".strip > :nth-child(n+9)", "tbody > tr:nth-child(n+9)"];
  const exclude = repeats.filter(one => document.querySelector(one)).map(one => [one]);
  const {violations} = await axe.run({include: [["html"]], exclude}, {
    resultTypes: ["violations"], preload: false,
    ...(rules.length ? {runOnly: rules} : {}),
  });
  return violations.flatMap(({id, impact, nodes}) =>
    nodes.map(({target, html}) => [id, impact, target.join(" "), html.slice(0, 120)]));
}"""


@pytest.fixture(scope="module")
def axe():
    folder = Path(find_spec("axe_playwright_python").origin).parent
    return (folder / "axe.min.js").read_text(encoding="utf-8")


def faults(view, *rules):
    """Serious faults of the page as it is shown."""
    return [tuple(found) for found in view.evaluate(RUN, list(rules)) if found[1] in HARM]


def opened(view, address, page, axe):
    """Open a page without formulas drawn: they are many thousand elements without words."""
    view.route("**/mathjax/**", lambda route: route.abort())
    view.goto(f"{address}/{page}", wait_until="load")
    view.evaluate("document.querySelectorAll('details:not(.code)').forEach(d => d.open = true)")
    view.evaluate(axe)


@pytest.mark.parametrize("page", [*PAGES, "search.html?q=compression"])
def test_no_serious_fault(browser, address, axe, page):
    with view_of(browser) as (view, _problems):
        opened(view, address, page, axe)
        found = {"light": faults(view)}
        see(view, "dark")
        see_phone(view)
        found["dark phone"] = faults(view)
    assert not any(found.values()), found


def see_phone(view):
    """The width of a phone, colours as they are."""
    view.set_viewport_size({"width": 390, "height": 844})


def test_code_has_contrast_in_both_themes(browser, address, axe):
    """One chapter with its code open; all are coloured alike."""
    with view_of(browser) as (view, _problems):
        opened(view, address, next(page for page in PAGES if "06_" in page), axe)
        view.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        found = faults(view, "color-contrast")
        see(view, "dark")
        assert not found + faults(view, "color-contrast")


def test_a_fault_is_found(browser, axe):
    """The engine runs, and what it finds counts."""
    with view_of(browser) as (view, _problems):
        view.set_content("<html lang='en'><title>t</title><main><img src='data:,'></main></html>")
        view.evaluate(axe)
        assert "image-alt" in {found[0] for found in faults(view)}


def test_the_keyboard_is_seen_where_it_is(browser, address):
    """A link that has the focus has an outline."""
    with view_of(browser) as (view, _problems):
        view.goto(f"{address}/{PAGES[0]}")
        for _ in range(4):
            view.keyboard.press("Tab")
            style = view.evaluate(
                "(s => [s.outlineStyle, parseFloat(s.outlineWidth)])"
                "(getComputedStyle(document.activeElement))"
            )
            assert style[0] != "none"
            assert style[1] >= 2
