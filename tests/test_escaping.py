"""What a file says is shown as text: no sign of it becomes markup or script of a page."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from types import SimpleNamespace

import numpy as np
import pages
import pytest
from claim_planes import EPOCHS, make_plane
from hypothesis import given
from hypothesis import strategies as st
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

from ibcore import claims
from ibcore.papers import paper_module
from ibcore.plots.atlas import RulerSlider

CloudPlayer = paper_module("goldfeld", "figures").CloudPlayer
NeuronSlider = paper_module("saxe", "figures").NeuronSlider

HOSTILE = "</script><script>alert(1)</script>|*a* $x$ [b](c) `d` {e}`f` \\ &lt;"
HARMLESS = {"span", "p", "table", "thead", "tbody", "tr", "th", "td", "a", "em", "strong", "br"}
HARMLESS |= {"h1", "h2", "div", "details", "summary", "h3"}

# The parser of the book, without typographic quotes, which are no markup.
EXTENSIONS = ["amsmath", "dollarmath", "attrs_inline", "html_image", "substitution", "colon_fence"]
MARKDOWN = create_md_parser(MdParserConfig(enable_extensions=EXTENSIONS), RendererHTML)


class Page(HTMLParser):
    """The elements of a page, and the text of each table cell or paragraph."""

    def __init__(self, html):
        super().__init__()
        self.elements, self.cells, self.scripts = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.elements.append(tag)
        if tag in ("td", "p"):
            self.cells.append("")
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.elements and self.elements[-1] == "script" and self.scripts:
            self.scripts[-1] += data
        elif self.cells:
            self.cells[-1] += data


def rendered(markdown):
    page = Page(MARKDOWN.render(markdown))
    page.cells = [cell.strip("\n") for cell in page.cells]
    return page


@pytest.fixture
def chapter():
    claim = SimpleNamespace(
        id="A|[x](y)", title=HOSTILE, source=HOSTILE, statement=f"S {HOSTILE}", rank="headline",
        setting="A", same_evidence_as="", changes=(),
    )  # fmt: skip
    return pages.Chapter("saxe", "03_saxe", "Title", "", [claim])


@pytest.fixture
def stored(chapter):
    row = {"effect": 1.0, "low": None, "high": None, "unit": f"U {HOSTILE}", "n_seeds": 50}
    row |= {"verdict": "mixed", "n_not_learnt": 0, "scale": f"C {HOSTILE}", "scope": "1 of 2"}
    row |= {"finding": f"F {HOSTILE}", "exploratory": True}
    return {chapter.claims[0].id: row}


def test_the_readme_shows_titles_as_they_are(chapter, stored):
    text = pages.readme_with_verdicts("<!-- verdicts -->\n<!-- /verdicts -->\n", [chapter], stored)
    found = rendered(text)
    assert set(found.elements) <= HARMLESS
    assert found.cells == ["A|[x](y)", HOSTILE, "◐ mixed (1 of 2)", f"F {HOSTILE}"]


def test_the_heading_of_a_chapter_brings_no_element(tmp_path):
    heading = "A</summary><script>alert(1)</script>|b"
    (tmp_path / "03_saxe.md").write_text(f"# {heading}\n")
    chapters = pages.read_chapters(tmp_path)
    places = "<!-- verdicts -->\n<!-- /verdicts -->\n"
    for text in (
        pages.index_page(chapters, {}),
        pages.ledger_page(chapters, {}),
        pages.readme_with_verdicts(places, chapters, {}),
    ):
        assert "script" not in rendered(text).elements
        assert text.count("</summary>") == text.count("<summary>")
        assert "alert(1)" in text


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp"])))
def test_any_text_is_shown_as_it_is(text):
    """What the book's own parser makes of it has one element and this text."""
    found = rendered(f"x{pages.plain(text)}x")
    assert found.elements == ["p"]
    assert found.cells == [f"x{text}x"]


@pytest.mark.parametrize("text", ["I(X;T) & 2", "IX[T]", "3^d of n_MC", "T' + Z", "a/b - c"])
def test_ordinary_text_stays_as_it_is(text):
    assert pages.plain(text) == text


def test_the_card_of_a_verdict_shows_text():
    plane = make_plane(np.tile(np.linspace(11, 6, 6), (len(EPOCHS), 1)))
    claim = replace(
        claims.find_claim("SZT-F1"), statement=HOSTILE, source=HOSTILE, criterion=HOSTILE,
        link=f'" onclick="{HOSTILE}', note=HOSTILE,
        findings=dict.fromkeys(claims.WORDS, HOSTILE.replace("{", "").replace("}", "")),
    )  # fmt: skip
    verdict = claims.judge(claim, {"released": plane})
    found = Page(verdict._repr_html_())
    assert set(found.elements) <= HARMLESS
    assert HOSTILE in found.cells[0]
    assert HOSTILE in found.cells[1]


def slider():
    plane = make_plane(np.tile(np.linspace(11, 6, 6), (len(EPOCHS), 1)))
    ruler = plane.estimator.values[0]
    return RulerSlider({HOSTILE: plane}, {HOSTILE: ruler})


def player():
    t = np.random.default_rng(0).uniform(-1, 1, (8, 3))
    return CloudPlayer({HOSTILE: t}, np.zeros(8, int), notes={HOSTILE: HOSTILE})


@pytest.mark.parametrize(("widget", "times"), [(slider, 2), (player, 2), (NeuronSlider, 0)])
def test_a_script_holds_texts_and_is_ended_by_none(widget, times):
    """One script; the data in it, read as JSON, hold the text as it was given."""
    found = Page(widget()._repr_html_())
    assert len(found.scripts) == 1
    assert found.scripts[0].rstrip().endswith("})();")
    data = re.search(r"const data = (\{.*?\})(?:, colours|;\n)", found.scripts[0])[1]
    assert not set("<>&") & set(data)
    assert json.dumps(json.loads(data)).count(json.dumps(HOSTILE)) == times
