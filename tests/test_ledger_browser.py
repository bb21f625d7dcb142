"""The ledger in a browser, read from disk: filters, search, order, counts and the address.

Needs a Chromium on the PATH and a built site, as tests/test_browser.py does.
"""

import json
import re

import pytest
from site_browser import SITE, needs_both, view_of

PAGE = SITE / "book" / "ledger.html"
SHOWN = "[...document.querySelectorAll('#ledger-table tbody tr')].filter(r => !r.hidden)"

pytestmark = needs_both


@pytest.fixture(scope="module")
def ledger():
    return json.loads((SITE.parents[1] / "book/results/ledger.json").read_text(encoding="utf-8"))


@pytest.fixture
def view(browser):
    """A page that must stay without an error."""
    with view_of(browser) as (found, problems):
        yield found
    assert not problems


def go(view, rest=""):
    view.goto(PAGE.as_uri() + rest, wait_until="domcontentloaded")
    view.wait_for_function("!document.getElementById('ledger-form').hidden")


def ids(view):
    return view.evaluate(f"{SHOWN}.map(row => row.cells[0].textContent)")


def count(view):
    return view.text_content("#ledger-count")


def test_filter_counts_and_address_go_together(view, ledger):
    go(view)
    assert len(ids(view)) == len(ledger)
    view.select_option("select[name=question]", "4")
    wanted = [one for one in ledger if one["question"] == 4]
    assert ids(view) == [one["id"] for one in wanted]
    assert count(view).startswith(f"{len(wanted)} of {len(ledger)} shown: ")
    for number, word in re.findall(r"(\d+) ([a-z -]+)[,.]", count(view).split(": ")[1]):
        assert int(number) == sum(one["verdict"] == word for one in wanted)
    assert view.url.endswith("ledger.html?question=4")
    view.click("#ledger-form button[type=reset]")
    assert len(ids(view)) == len(ledger)
    assert view.url.endswith("ledger.html")


@pytest.mark.parametrize("address", ["?question=4&rank=headline", "#question=4&rank=headline"])
def test_an_address_shows_its_lines_from_disk(view, ledger, address):
    go(view, address)
    wanted = [one["id"] for one in ledger if one["question"] == 4 and one["rank"] == "headline"]
    assert ids(view) == wanted
    assert view.input_value("select[name=question]") == "4"


def test_an_unknown_value_in_the_address_is_left_alone(view, ledger):
    go(view, "?question=99&word=nonsense&sort=Nothing&highlight=x")
    assert len(ids(view)) == len(ledger)


def test_search_takes_every_word(view):
    go(view, "?q=gradient+NOISE")
    texts = view.evaluate(f"{SHOWN}.map(row => row.textContent.toLowerCase())")
    assert texts
    assert all("gradient" in one and "noise" in one for one in texts)
    view.fill("#ledger-form input[name=q]", "no such word anywhere")
    view.wait_for_function("document.getElementById('ledger-count').textContent.startsWith('0 of')")


def test_sorting_goes_up_down_and_back(view, ledger):
    go(view)
    effects = {one["id"]: one["effect"] for one in ledger}
    head = view.locator("#ledger-table thead th", has_text="Effect")
    for direction, sign in (("ascending", 1), ("descending", -1)):
        head.locator("button").click()
        assert head.get_attribute("aria-sort") == direction
        found = [effects[one] for one in ids(view)]
        there = [one for one in found if one is not None]
        assert there == sorted(there, key=lambda one: sign * one)
        assert found[len(there) :] == [None] * (len(found) - len(there))
    head.locator("button").click()
    assert head.get_attribute("aria-sort") is None
    assert ids(view) == [one["id"] for one in ledger]


def test_the_keyboard_sorts_and_opens(view):
    go(view)
    view.focus("#ledger-table thead th:nth-child(2) button")
    view.keyboard.press("Enter")
    assert view.url.endswith("?sort=Verdict")
    view.focus("#claim-szt-f3 summary")
    view.keyboard.press("Enter")
    assert view.evaluate("document.querySelector('#claim-szt-f3 details').open")


def test_an_anchor_opens_its_claim_also_where_a_filter_hides_it(view, ledger):
    other = next(one for one in ledger if one["question"] != 4)
    anchor = "claim-" + re.sub(r"[^a-z0-9]+", "-", other["id"].lower()).strip("-")
    go(view, f"?question=4#{anchor}")
    assert view.evaluate(f"document.querySelector('#{anchor} details').open")
    assert view.locator(f"#{anchor}").is_visible()


def test_counts_are_announced(view):
    go(view)
    assert view.get_attribute("#ledger-count", "role") == "status"


def test_without_a_script_the_table_is_whole(browser, ledger):
    with view_of(browser, java_script_enabled=False) as (view, _):
        view.goto(PAGE.as_uri(), wait_until="domcontentloaded")
        assert view.locator("#ledger-table tbody tr").count() == len(ledger)
        assert view.locator("#claim-szt-f3").is_visible()
        assert not view.locator("#ledger-form").is_visible()


@pytest.mark.parametrize(("look", "shown"), [("phone", "flex"), ("dark", "table-row")])
def test_it_is_short_and_fits(browser, look, shown):
    """On a phone a line is a card; on a wide screen everything is below 9 000 pixels."""
    with view_of(browser, look) as (view, problems):
        go(view)
        line = "document.querySelector('#ledger-table tbody tr')"
        assert view.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert view.evaluate(f"getComputedStyle({line}).display") == shown
        if look != "phone":
            assert view.evaluate("document.documentElement.scrollHeight") < 9_000
        assert not problems
