"""The word of a verdict stands in its heading and in the page menu."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup


def anchor_of(claim: str) -> str:
    """The anchor of a claim's verdict.

    >>> anchor_of("SZT-S3.1")
    'verdict-szt-s3-1'
    """
    return "verdict-" + re.sub(r"[^a-z0-9]+", "-", claim.lower()).strip("-")


def words_in_headings(soup, page):
    """Append each verdict's badge to its heading, and to the menus that lead there."""
    menu = soup.find_all("a", class_="nav-link", href=True)
    for section in soup.select("article section[id]"):
        heading = section.find(["h2", "h3", "h4"], recursive=False)
        marks = section.find_all("span", recursive=False, id=True)
        anchors = [section["id"], *(mark["id"] for mark in marks)]
        badge = next((page.words[anchor] for anchor in anchors if anchor in page.words), None)
        if heading is None or badge is None or heading.find(class_="verdict"):
            continue
        for place in [heading, *(link for link in menu if link["href"] == f"#{section['id']}")]:
            link = place.find("a", class_="headerlink")
            parts = [" ", BeautifulSoup(badge, "html.parser").span]
            if link:
                link.insert_before(*parts)
            else:
                place.extend(parts)
