"""A chapter opens with its claims: what each says, the word, and what is found.

Headline claims and controls stand in sight, the others in a fold. Titles are those of the chapter's
headings, words and findings those of the ledger.
"""

from __future__ import annotations

import re
from html import escape

from bs4 import BeautifulSoup

HEAD = (
    '<thead><tr><th scope="col">Claim</th><th scope="col">Verdict</th>'
    '<th scope="col">What is found</th></tr></thead>'
)


def claims_first(soup, page):
    """Put the table of claims before the chapter's first section."""
    entries = list(_entries(soup, page))
    first = soup.select_one("article section > section")
    if len(entries) < 2 or first is None:
        return
    first_ranks = {"headline": "headline claims", "control": "controls"}
    parts = []
    for rank, name in first_ranks.items():
        if lines := [line for row, line in entries if row["rank"] == rank]:
            parts.append(_table(f"The {name} of this chapter", lines))
    others = [line for row, line in entries if row["rank"] not in first_ranks]
    if others:
        count = "other claim" if len(others) == 1 else "other claims"
        parts.append(
            f'<details class="further"><summary>{len(others)} {count} that the chapter judges'
            f"</summary>{_table('Supporting claims and checks', others)}</details>"
        )
    made = f'<div class="claims-first">{"".join(parts)}</div>'
    place = _before(first)
    place.insert_before(BeautifulSoup(made, "html.parser"))


def _before(section):
    """The fold of setup and parameters, if it stands right before the first section."""
    other = section.find_previous_sibling(True)
    while other is not None and other.name == "span":
        other = other.find_previous_sibling(True)
    return other if other is not None and "cell" in other.get("class", []) else section


def _entries(soup, page):
    for section in soup.select("article section[id]"):
        marks = section.find_all("span", recursive=False, id=True)
        anchors = [section["id"], *(mark["id"] for mark in marks)]
        anchor = next((one for one in anchors if one in page.rows), None)
        heading = section.find(["h2", "h3", "h4"], recursive=False)
        if anchor is None or heading is None:
            continue
        row = page.rows[anchor]
        said = _title(heading)
        finding = escape(row["finding"] or "")
        line = (
            f'<tr><td><a href="#{escape(anchor, quote=True)}">{escape(said)}</a></td>'
            f"<td>{page.words[anchor]}</td><td>{finding}</td></tr>"
        )
        yield row, line


def _title(heading):
    """What a heading says, without its number, its mark and the word before the colon.

    >>> _title(BeautifulSoup("<h3>Verdict: it falls<a>#</a></h3>", "html.parser").h3)
    'It falls'
    """
    parts = [part for part in heading.children if part.name not in ("a", "span")]
    text = "".join(part if isinstance(part, str) else part.get_text() for part in parts)
    text = re.sub(r"^Verdict:\s*", "", " ".join(text.split()))
    return text[:1].upper() + text[1:]


def _table(caption, lines):
    body = f"{HEAD}<tbody>{''.join(lines)}</tbody>"
    return f'<table class="claims"><caption>{caption}</caption>{body}</table>'
