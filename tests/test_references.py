"""The list of references against the text: nothing is judged without a citation."""

import re
from pathlib import Path

import pytest
from pybtex.database import parse_file

from ibcore import claims
from ibcore.papers import papers

BOOK = Path(__file__).parents[1] / "book"
BIB = parse_file(BOOK / "references.bib").entries
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in BOOK.glob("*.md")}
TOOLS = [path.read_text(encoding="utf-8") for path in (BOOK / "_tools").glob("*.py")]

# How the source of a claim begins -> its entries. A note of ours cites whom it is a note on.
SOURCES = {
    "Shwartz-Ziv & Tishby 2017": {"shwartz2017opening"},
    "Saxe et al., ICLR 2018 and J. Stat. Mech. 2019": {
        "saxe2018information", "saxe2019information",
    },
    "student replication of Saxe et al.": {"student_slides"},
    "Chelombiev, Houghton & O'Donnell": {"chelombiev2019adaptive"},
    "Goldfeld et al., ICML 2019, as described in the authors' report of June 2019": {
        "goldfeld2019estimating", "greenewald2019blog",
    },
    "Goldfeld, Greenewald & Polyanskiy": {"goldfeld2018estimating"},
    "Goldfeld, Greenewald, Niles-Weed & Polyanskiy": {"goldfeld2020convergence"},
    "a question of this book, asked of the networks of Goldfeld et al.": {"goldfeld2019estimating"},
    "an example ascribed to Goldfeld et al.": {"goldfeld2019estimating"},
    "Kolchinsky & Tracey 2017": {"kolchinsky2017estimating"},
    "Kolchinsky, Tracey & Van Kuyk 2019": {"kolchinsky2019caveats"},
    "Lorenzen, Igel & Nielsen 2022": {"lorenzen2022information"},
    "follows from the definition; Lorenzen, Igel & Nielsen 2022": {"lorenzen2022information"},
    "Geiger 2022": {"geiger2022information"},
    "Noshad, Zeng & Hero 2019": {"noshad2019scalable"},
    "Dong & Hisham": {"dong_using"},
    "a note of ours on Dong & Hisham": {"dong_using"},
    "Westphal, Hailes & Musolesi 2025": {"westphal2025generalized"},
    "this book": set(),
}  # fmt: skip


def cited(text):
    """Keys of all citations, of a page or of a tool that writes one."""
    found = re.findall(r"\{+cite(?::\w+)?\}+`([^`]+)`", text)
    keys = {key.strip() for keys in found for key in keys.split(",")}
    return {key for key in keys if "{" not in key}  # a tool fills in the others


def text_of(paper):
    """The chapter of a paper."""
    (found,) = (text for name, text in PAGES.items() if re.fullmatch(rf"\d\d_{paper}", name))
    return found


def test_every_entry_is_cited():
    assert set(BIB) - set().union(*map(cited, [*PAGES.values(), *TOOLS])) == set()


@pytest.mark.parametrize("page", sorted(PAGES))
def test_every_citation_has_its_entry(page):
    assert cited(PAGES[page]) - set(BIB) == set()


def test_every_tool_cites_what_there_is():
    assert set().union(*map(cited, TOOLS)) - set(BIB) == set()


@pytest.mark.parametrize("paper", papers())
def test_every_judged_source_is_cited_in_its_chapter(paper):
    """Each source of a claims file has entries, and the chapter cites them."""
    sources = {claim.source for claim in claims.load_registry(paper)}
    entries = set()
    for source in sources:
        (found,) = (keys for begin, keys in SOURCES.items() if _begins(source, begin))
        entries |= found
    assert entries - cited(text_of(paper)) == set()
    assert entries <= set(BIB)


def _begins(source, begin):
    return source == begin or source.startswith((f"{begin},", f"{begin} ("))


def test_sources_name_papers_that_are_judged():
    """A source that is no longer in any claims file leaves the table."""
    judged = {claim.source for paper in papers() for claim in claims.load_registry(paper)}
    assert [begin for begin in SOURCES if not any(_begins(one, begin) for one in judged)] == []


@pytest.mark.parametrize("key", sorted(BIB))
def test_an_entry_says_where_it_is_found(key):
    """Journals have a volume, proceedings of the series their pages; slides and reports a note."""
    entry = BIB[key]
    held = set(entry.fields)
    if entry.type == "article" and not entry.fields["journal"].startswith("arXiv"):
        assert {"volume", "pages", "year"} <= held
    if entry.type == "inproceedings" and "series" in held:
        assert {"volume", "pages", "year"} <= held
    if "year" not in held:
        assert "note" in held
    assert not re.search(r"[^-]-[^-]", entry.fields.get("pages", "")), "pages are joined by --"
