"""Finish the pages that Sphinx wrote: each pass takes a page as a tree and changes it.

A pass is a function of ``(soup, page)``; ``PASSES`` is their order. A finished page says so and is
left alone the next time, so that a second build of one page works.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import site_access
import site_bar
import site_boxes
import site_cells
import site_claims
import site_figures
import site_head
import site_menu
import site_numbers
import site_search
import site_text
from bs4 import BeautifulSoup

DONE = "data-finished"


@dataclass(frozen=True)
class Page:
    """Where a page lies, and what it may ask about the others.

    Parameters
    ----------
    site : Path
        The folder of the built site.
    name : str
        The page's own path in it, "book/01_shwartz_ziv.html".
    book : str
        The title of the book.
    chapters : dict
        Number of a chapter -> its page.
    words : dict
        Anchor of a verdict -> its badge, as HTML.
    rows : dict
        Anchor of a verdict -> what the ledger says of the claim.
    """

    site: Path
    name: str
    book: str = ""
    chapters: dict[int, str] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    rows: dict[str, dict] = field(default_factory=dict)

    def to(self, name: str) -> str:
        """The relative address of another file of the site."""
        return Path(os.path.relpath(name, Path(self.name).parent)).as_posix()

    def file(self, address: str) -> Path:
        """The file that a relative address of this page names."""
        return (self.site / Path(self.name).parent / address.partition("?")[0]).resolve()


PASSES = (
    site_head.one_description,
    site_head.only_needed_scripts,
    site_cells.fold_the_code,
    site_boxes.short_boxes,
    site_claims.claims_first,
    site_bar.bars_in_boxes,
    site_bar.bar_of_the_ledger,
    site_boxes.ways_on,
    site_access.repair,
    site_menu.words_in_headings,
    site_figures.say_what_is_found,
    site_figures.numbers_start_anew,
    site_figures.drawings_in_the_page,
    site_text.chapters_are_links,
    site_numbers.numbers_alike,
    site_text.numbers_stay_whole,
    site_text.names_of_claims_stay_whole,
    site_figures.enlarge_and_download,
    site_figures.sizes_and_lazy_loading,
    site_search.use_our_search,
)


def pages_of(site: Path) -> list[Path]:
    """Every page that Sphinx wrote, not what themes keep beside their scripts."""
    hidden = ("_static", "_sources", "_images", "_downloads")
    found = (path.relative_to(site) for path in site.rglob("*.html"))
    return sorted(path for path in found if path.parts[0] not in hidden)


def chapters(names: list[str]) -> dict[int, str]:
    """Number of each chapter, the one in its file's name.

    >>> chapters(["book/01_shwartz_ziv.html", "book/ledger.html"])
    {1: 'book/01_shwartz_ziv.html'}
    """
    found = ((re.match(r"book/(\d\d)_", name), name) for name in names)
    return {int(match[1]): name for match, name in found if match}


def rows_of(ledger: Path) -> dict[str, dict]:
    """The rows of the ledger, by the anchor of their verdicts."""
    if not ledger.exists():
        return {}
    rows = json.loads(ledger.read_text(encoding="utf-8"))
    return {site_menu.anchor_of(row["id"]): row for row in rows}


def badges(ledger: Path) -> dict[str, str]:
    """The badge of every claim of the ledger, by the anchor of its verdict."""
    from ibcore.claims.verdict import badge

    return {anchor: badge(row["verdict"]) for anchor, row in rows_of(ledger).items()}


def finish(site: Path, ledger: Path, title: str) -> None:
    """Every pass over every new page, then what is made of all of them."""
    names = [path.as_posix() for path in pages_of(site)]
    numbered, words, rows, index = chapters(names), badges(ledger), rows_of(ledger), []
    for name in names:
        page = Page(site, name, title, numbered, words, rows)
        soup = BeautifulSoup((site / name).read_text(encoding="utf-8"), "html.parser")
        if soup.html is None or soup.find("meta", attrs={"http-equiv": "Refresh"}):
            continue
        if not soup.html.has_attr(DONE):
            for change in PASSES:
                change(soup, page)
            soup.html[DONE] = ""
            (site / name).write_text(str(soup), encoding="utf-8")
        index += site_search.sections(soup, page)
    site_search.write_index(site, index)
