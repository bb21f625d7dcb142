"""Search that finds sections and works from disk: the texts lie in a script, nothing is fetched."""

from __future__ import annotations

import json
from pathlib import Path

from bs4 import NavigableString
from site_text import plain

INDEX = "_static/sections.js"
CLICKED = ".headerlink, .strip, .ticks, .figure-files, .term-note, .bar, .no-bar, details.code"
ORIGIN = ".judged .provenance, .judged .origin"  # settings and versions: the same in every box
LEFT_OUT = f"script, style, pre, svg, noscript, {CLICKED}, {ORIGIN}"
# A word ends where one of these begins.
BLOCKS = {"p", "li", "td", "th", "div", "summary", "figcaption", "dt", "dd"}


def use_our_search(soup, page):
    """On the page of the search, our own script in place of the stock one, which fetches pages."""
    stock = soup.find("script", src=lambda src: src and "searchtools.js" in src)
    if stock is None:
        return
    for name in (INDEX, "_static/search.js"):
        stock.insert_before(soup.new_tag("script", src=page.to(name), defer=""))
    for script in soup.find_all("script", src=True):
        if any(name in script["src"] for name in ("searchtools", "language_data", "searchindex")):
            script.decompose()


def sections(soup, page) -> list[list[str]]:
    """Page, anchor, title of the page, heading and text of each section."""
    article = soup.find("article")
    if article is None or article.h1 is None:
        return []
    title, found = _text(article.h1), []
    for section in article.find_all("section", id=True):
        heading = section.find(["h1", "h2", "h3", "h4", "h5"], recursive=False)
        own = " ".join(
            _text(part)
            for part in section.find_all(True, recursive=False)
            if part.name != "section" and part is not heading
        )
        anchor = "" if heading is not None and heading.name == "h1" else section["id"]
        found.append([page.name, anchor, title, _text(heading) if heading else title, plain(own)])
    return found


def _text(node) -> str:
    """What a node says, without what is there to be clicked."""
    hidden = {id(part) for part in node.select(LEFT_OUT)}
    if node.css.match(LEFT_OUT):
        return ""
    parts = (
        f" {text}" if text.parent.name in BLOCKS and text.previous_sibling is None else text
        for text in node.find_all(string=True)
        if type(text) is NavigableString and not hidden & {id(parent) for parent in text.parents}
    )
    return plain("".join(parts).replace("\\(", "").replace("\\)", ""))


def write_index(site: Path, found: list[list[str]]) -> None:
    """All sections, as a script that sets one variable."""
    path = site / INDEX
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    path.write_text(f"const SECTIONS = {text};\n", encoding="utf-8")
