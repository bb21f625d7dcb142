"""Verdict boxes are short, numbers are written in one way: on small pages and the built site."""

import doctest
import re

import pytest
import site_boxes
import site_finish
import site_numbers
import site_search
import site_text
from bs4 import BeautifulSoup
from site_browser import SITE, launched, needs_both, served, view_of

WHOLE = "<html><body><main><article>{}</article></main></body></html>"
CHAPTERS = sorted(path.relative_to(SITE).as_posix() for path in SITE.glob("book/0[1-9]_*.html"))
MOST = 0.25  # of a chapter's height; 0.26 to 0.44 when everything stood in sight

BOX = """<div class="judged">
<p><strong>SAXE-F5</strong> Noise is not the cause. <span class="source">(<a href="x">Fig. 5</a>)
</span></p>
<p><em>What counts.</em> C with noise minus C without.</p>
<p><span class="verdict verdict-part">◐ mixed (1 of 2)</span> It falls by -0.5 bits.</p>
<p class="strip"><span class="cell cell-agrees" title="1 bit: agrees">● layer 5</span>
<span class="cell cell-open" title="0 bits: open">? layer 6</span></p>
<p class="remark">50 networks answer{}.</p>
<p class="remark">3 networks had not learnt the task; without: mixed.</p>
<p class="remark">Exploratory: the criterion was changed when these results were known.</p>
<details><summary>The tests in numbers</summary><table><tr><td>1</td></tr></table></details>
<p class="provenance">criterion of 2026-11-30</p>
<details class="origin"><summary>Where it comes from</summary><p>There.</p></details></div>"""
ROW = {
    "id": "SAXE-F5",
    "verdict": "mixed",
    "direction": "agrees",
    "size": "larger",
    "scope": "1 of 2",
    "exploratory": True,
}


def shortened(more="", **changes):
    """The box after the pass, and its fold."""
    rows = {"verdict-saxe-f5": ROW | changes}
    page = site_finish.Page(site=SITE, name="book/03_saxe.html", rows=rows)
    soup = BeautifulSoup(WHOLE.format(BOX.format(more)), "html.parser")
    for _ in range(2):  # the second time changes nothing
        site_boxes.short_boxes(soup, page)
    box = soup.select_one(".judged")
    (fold,) = box.find_all("details", class_=site_boxes.FOLD)
    return box, fold


def test_a_box_leads_to_its_figure_the_laboratory_and_the_ledger():
    places = {
        "figure": "book/03_saxe.html#fig-noise",
        "laboratory": "book/laboratory.html?net=tanh&ruler=exact&layer=5#lab-bench",
    }
    for given, wanted in (
        (places, ["#fig-noise", "laboratory.html?net=tanh&ruler=exact&layer=5#lab-bench"]),
        ({"figure": "book/01_shwartz_ziv.html#fig-a"}, ["01_shwartz_ziv.html#fig-a"]),
        ({}, []),
    ):
        rows = {"verdict-saxe-f5": ROW | given}
        page = site_finish.Page(site=SITE, name="book/03_saxe.html", rows=rows)
        soup = BeautifulSoup(WHOLE.format(BOX.format("")), "html.parser")
        for _ in range(2):
            site_boxes.ways_on(soup, page)
        links = [link["href"] for link in soup.select(".ways-on a")]
        assert links == [*wanted, "ledger.html#claim-saxe-f5"]


@pytest.mark.parametrize("module", [site_boxes, site_numbers], ids=lambda m: m.__name__)
def test_examples(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


def test_claim_word_finding_and_direction_stay_in_sight():
    box, fold = shortened()
    assert not fold.has_attr("open")
    said = fold.summary.get_text()
    assert "direction as claimed, larger than claimed, 1 of 2 agree, exploratory" in said
    assert [mark["title"] for mark in fold.select("summary .cell")] == [
        "layer 5: 1 bit: agrees",
        "layer 6: 0 bits: open",
    ]
    fold.extract()
    seen = box.get_text(" ", strip=True)
    assert seen.startswith("SAXE-F5 Noise is not the cause. ◐ mixed (1 of 2) It falls by")
    assert "3 networks had not learnt" in seen  # never hide a bad number
    assert "What counts" not in seen


def test_nothing_is_left_out():
    before = BeautifulSoup(BOX.format(""), "html.parser").get_text(" ")
    box, fold = shortened()
    fold.summary.extract()
    assert sorted(box.get_text(" ").split()) == sorted(before.split())
    assert len(fold.select("details")) == 2
    assert fold.select_one(".source a")["href"] == "x"


@pytest.mark.parametrize(("word", "seen"), [("open", True), ("none found", True), ("mixed", False)])
def test_what_would_have_been_seen_stands_beside_what_was_not(word, seen):
    box, fold = shortened(
        "; so many show an effect of 0.2 bits in four of five cases", verdict=word
    )
    fold.extract()
    assert ("so many show" in box.get_text()) is seen


def test_a_box_that_no_ledger_knows_keeps_its_finding():
    page = site_finish.Page(site=SITE, name="book/03_saxe.html")
    soup = BeautifulSoup(WHOLE.format(BOX.format("")), "html.parser")
    site_boxes.short_boxes(soup, page)
    assert "It falls by" in soup.select_one(".judged > p > .verdict").parent.text
    assert soup.select_one(".judged > details.behind summary").text.strip()


def test_numbers_alike_in_prose_tables_and_what_is_heard():
    html = """<p>By -0.5 of 4096 <code>-1</code> <span class="math">-2</span></p>
    <table><tr><td>-0.25</td></tr></table><img alt="It falls by -3 of 10 000" src="a.svg"/>"""
    soup = BeautifulSoup(WHOLE.format(html), "html.parser")
    site_numbers.numbers_alike(soup, None)
    site_text.numbers_stay_whole(soup, None)
    assert soup.p.get_text() == "By −0.5 of 4\u202f096 -1 -2"
    assert soup.td.text == "−0.25"
    assert soup.img["alt"] == "It falls by −3 of 10 000"


def test_a_number_is_found_as_it_is_typed():
    soup = BeautifulSoup(
        WHOLE.format("<section id='a'><h1>T</h1><p>All 4096 inputs, -0.5.</p></section>"),
        "html.parser",
    )
    page = site_finish.Page(site=SITE, name="book/a.html")
    site_numbers.numbers_alike(soup, page)
    ((_, _, _, _, text),) = site_search.sections(soup, page)
    assert text == "All 4096 inputs, -0.5."


# The built site -------------------------------------------------------------------------------


@pytest.mark.skipif(not SITE.exists(), reason="no built site; run make site first")
@pytest.mark.parametrize("name", CHAPTERS)
def test_no_number_is_written_as_python_writes_it(name):
    soup = BeautifulSoup((SITE / name).read_text(encoding="utf-8"), "html.parser")
    for text in site_text.prose(soup):
        assert not re.search(r"(?<![\w.)}=-])-\d|(?<![=.\w])\d[\d.]*e-\d|\[-\d", text), text


@pytest.fixture(scope="module")
def chapters_seen():
    """Height of each chapter and of its verdict boxes, in a browser."""
    with served() as address, launched() as browser, view_of(browser) as (view, _):
        found = {}
        for name in CHAPTERS:
            view.goto(f"{address}/{name}")
            found[name] = view.evaluate(
                """() => {
                    const high = (one) => one.getBoundingClientRect().height;
                    const boxes = [...document.querySelectorAll("article .judged")];
                    const sum = boxes.reduce((all, one) => all + high(one), 0);
                    return [sum, document.querySelector("article").scrollHeight];
                }"""
            )
        return found


class TestInABrowser:
    pytestmark = needs_both

    @pytest.mark.parametrize("name", CHAPTERS)
    def test_boxes_are_a_small_part_of_a_chapter(self, chapters_seen, name):
        boxes, whole = chapters_seen[name]
        assert 0 < boxes < MOST * whole
