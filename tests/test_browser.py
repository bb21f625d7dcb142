"""The built site in a browser: every page in light, in dark and on a phone.

Needs a Chromium on the PATH and a built site (`make site`; `make test` builds it first).
"""

import pytest
from site_browser import LOOKS, PAGES, SITE, needs_both, see, view_of

pytestmark = needs_both
CHAPTERS = [page for page in PAGES if page[5:7].isdigit()]
HEAVIEST = 1_500_000  # bytes that a page loads when it is opened, its scripts apart


def test_the_site_has_pages():
    """Without this, a site without pages would pass."""
    assert {"book/index.html", "book/ledger.html"} <= set(PAGES)
    assert len(CHAPTERS) > 6


@pytest.mark.parametrize("page", PAGES)
def test_page(browser, address, page):
    """No error, no other host, formulas drawn, figures there, code folded, light enough.

    And nothing is wider than the screen, whatever the colours and the width.
    """
    with view_of(browser) as (view, problems):
        sizes = []
        view.on(
            "request",
            lambda request: (
                request.url.startswith((address, "data:", "blob:"))
                or problems.append(f"other host: {request.url}")
            ),
        )
        view.on(
            "response",
            lambda response: (
                response.status < 400 or problems.append(f"{response.status}: {response.url}")
            ),
        )
        view.on("requestfinished", lambda request: sizes.append(request))
        view.goto(f"{address}/{page}", wait_until="load")
        loaded = sum(
            (SITE / request.url.removeprefix(f"{address}/").partition("?")[0]).stat().st_size
            for request in sizes
            if request.url.startswith(address) and request.resource_type != "script"
        )
        if loaded > HEAVIEST:
            problems.append(f"{loaded} bytes before its scripts")
        if view.locator(".math").count():
            view.wait_for_function("document.querySelectorAll('mjx-container').length > 0")
            view.evaluate("MathJax.startup.promise")
            if undrawn := view.locator(".math:not(:has(mjx-container))").count():
                problems.append(f"{undrawn} formulas not drawn")
            problems += view.locator("mjx-merror").all_text_contents()
        else:
            assert not view.evaluate("typeof MathJax !== 'undefined'")
        code = "[...document.querySelectorAll('.cell_input')].filter(e => e.checkVisibility())"
        if seen := view.evaluate(f"{code}.length"):
            problems.append(f"{seen} code cells in sight")
        for look in LOOKS:
            see(view, look)
            wide = view.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            if wide > 0:
                problems.append(f"{look}: {wide} px wider than the screen")
        problems += view.evaluate(
            """async () => {
              const found = [];
              for (const image of document.images) {
                image.loading = 'eager';
                await image.decode().catch(() => found.push('broken image: ' + image.src));
              }
              return found;
            }"""
        )
    assert not problems


@pytest.mark.parametrize("page", ["book/01_shwartz_ziv.html"])
def test_no_script_is_needed_to_read(browser, address, page):
    """Code opens, figures open as files: with scripts switched off."""
    with view_of(browser, java_script_enabled=False) as (view, _problems):
        view.goto(f"{address}/{page}")
        fold = view.locator("details.code:has(.cell_input)").first
        assert not fold.locator(".cell_input").first.is_visible()
        fold.locator("summary").click()
        assert fold.locator(".cell_input").first.is_visible()
        view.locator("a.enlarge").first.click()
        assert view.url.endswith(".svg")


def test_a_figure_at_full_size_by_keyboard(browser, address):
    with view_of(browser, "phone") as (view, problems):
        view.goto(f"{address}/{CHAPTERS[0]}")
        link = view.locator("a.enlarge").first
        small = link.locator("img, svg").first.bounding_box()["width"]
        link.focus()
        view.keyboard.press("Enter")
        large = view.locator("dialog.full-size :is(img, svg)").first
        assert large.bounding_box()["width"] > 1.5 * small
        assert large.get_attribute("alt") or large.get_attribute("aria-label")
        view.keyboard.press("Escape")
        assert not large.is_visible()
        assert not problems


def test_a_figure_that_scrolls_shows_that_there_is_more(browser, address):
    """A shadow at the edge: what ends moves with the picture and covers it, what is there stays."""
    with view_of(browser, "phone") as (view, _problems):
        view.goto(f"{address}/{CHAPTERS[0]}")
        link = view.locator("a.enlarge:has(svg.drawing)").first
        assert link.evaluate("e => e.scrollWidth > e.clientWidth")
        moves = link.evaluate("e => getComputedStyle(e).backgroundAttachment")
        assert moves == "local, local, scroll, scroll"


def test_code_opens_by_keyboard_and_is_not_cut(browser, address):
    with view_of(browser, "phone") as (view, _problems):
        view.goto(f"{address}/{CHAPTERS[0]}")
        summary = view.locator("details.code > summary").first
        summary.focus()
        view.keyboard.press("Enter")
        code = view.locator("details.code[open] pre").first
        assert code.is_visible()
        assert code.evaluate("e => e.scrollWidth <= e.clientWidth")


def test_search_from_disk_finds_sections(browser):
    """No server: the address of a file, as when the site is opened from a folder."""
    with view_of(browser) as (view, problems):
        view.goto(f"{(SITE / 'search.html').as_uri()}?q=compression")
        first = view.locator(".found li").first
        assert "ompression" in first.inner_text()
        assert "#" in first.locator("a").get_attribute("href")
        assert "ompression" in first.locator("p").inner_text()
        first.locator("a").click()
        view.wait_for_url("**/book/*.html#*")
        assert not problems


def test_verdicts_stand_in_the_menu_of_the_page(browser, address):
    with view_of(browser) as (view, _problems):
        view.goto(f"{address}/{CHAPTERS[1]}")
        entries = view.locator(".page-toc .toc-h3 a:has(.verdict)")
        assert entries.count() > 10
        assert entries.first.bounding_box()["height"] > 0
        assert view.locator("nav.bd-docs-nav a", has_text="1.").first.is_visible()


def test_on_paper_prose_and_figures_without_code(browser, address):
    with view_of(browser) as (view, _problems):
        view.goto(f"{address}/{CHAPTERS[0]}")
        view.emulate_media(media="print")
        assert not view.locator("details.code").first.is_visible()
        assert view.locator("article figure :is(img, svg)").first.is_visible()
        assert view.locator(".judged").first.is_visible()


WIDGETS = {"02_estimators": ".ruler-slider", "03_saxe": ".neuron-slider", "05_goldfeld": "canvas"}


@pytest.mark.parametrize("chapter", WIDGETS)
def test_widgets_in_the_dark(browser, address, chapter):
    """What a widget says is light on dark: no box of the theme behind it."""
    with view_of(browser, "dark") as (view, _problems):
        view.goto(f"{address}/book/{chapter}.html")
        box = view.locator(f".text_html:has({WIDGETS[chapter]})").first
        back, said = box.evaluate(
            "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
        )
        assert back == "rgba(0, 0, 0, 0)"
        assert min(map(float, said.strip("rgba()").split(",")[:3])) > 150


@pytest.mark.parametrize("chapter", WIDGETS)
def test_sliders_say_what_they_are_set_to(browser, address, chapter):
    """A screen reader hears the ruler, the weight or the epoch, not the number of the stop."""
    with view_of(browser, "light") as (view, _problems):
        view.goto(f"{address}/book/{chapter}.html")
        box = view.locator(f".text_html:has({WIDGETS[chapter]})").first
        ranges = "[...e.querySelectorAll('input[type=range]')]"
        said = f"e => {ranges}.map(i => i.getAttribute('aria-valuetext'))"
        shown = "e => [...e.querySelectorAll('output')].map(o => o.textContent)"
        box.locator("input[type=range]").first.press("ArrowRight")
        assert all(box.evaluate(said))
        assert box.evaluate(said) == box.evaluate(shown)
