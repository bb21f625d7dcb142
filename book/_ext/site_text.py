"""Prose of the pages: cited chapters become links, numbers and names of claims do not break."""

from __future__ import annotations

import re

from bs4 import NavigableString

NOT_PROSE = {"code", "pre", "script", "style", "svg", "math", "textarea", "title", "option"}
THIN, HARD = "\u202f", "\u00a0"  # no line ends at either of these spaces

_CITED = re.compile(r"\b[Cc]hapters?\s+\d\b(?:(?:,\s+|,?\s+(?:and|or|to)\s+)\d\b)*(?!\s+of\b)")
_ONE = re.compile(r"(?:[Cc]hapters?\s+)?\d\b")
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:\s\d{3})+(?!\d)")
_PERCENT = re.compile(r"(?<=\d)\s(?=%)")
_UNIT = re.compile(
    r"(?<=\d)\s(?=(?:bits?|nats?|epochs?|updates|seeds|networks|decades?|inputs|bins|pixels|MB|kB)\b)"
)
_FIGURE = re.compile(r"\b(Fig\.|figure|Figure)\s(?=\d)")


def chapters_are_links(soup, page):
    """Link every chapter that is cited by its number, but not from a heading or from itself."""
    for text in prose(soup, without={"a", "h1", "h2", "h3", "h4", "h5", "h6", "summary"}):
        if not _CITED.search(text):
            continue
        parts, end = [], 0
        for cited in _CITED.finditer(text):
            for one in _ONE.finditer(text, cited.start(), cited.end()):
                target = page.chapters.get(int(one[0].split()[-1]))
                if target is None or target == page.name:
                    continue
                link = soup.new_tag(
                    "a", href=page.to(target), attrs={"class": "reference internal"}
                )
                link.string = one[0]
                parts += [NavigableString(text[end : one.start()]), link]
                end = one.end()
        text.replace_with(*parts, NavigableString(text[end:]))


def numbers_stay_whole(soup, page):
    """Spaces within numbers, and before their units, are such that no line breaks at them."""
    for text in prose(soup):
        if (whole := unbroken(text)) != text:
            text.replace_with(NavigableString(whole))


def names_of_claims_stay_whole(soup, page):
    """A link that is the name of a claim, SZT-F3, does not break at its hyphen."""
    for link in soup.select('article a[href*="#verdict-"]'):
        if not re.search(r"\s", link.get_text(strip=True)):
            link["class"] = [*link.get("class", []), "whole"]


def unbroken(text: str) -> str:
    """A text whose numbers do not break.

    >>> unbroken("10 000 epochs, 87.5 % of 4 096, Fig. 3; in 2017 100 networks")
    '10\\u202f000\\xa0epochs, 87.5\\u202f% of 4\\u202f096, Fig.\\xa03; in 2017 100\\xa0networks'
    """
    text = _THOUSANDS.sub(lambda number: re.sub(r"\s", THIN, number[0]), text)
    text = _UNIT.sub(HARD, _PERCENT.sub(THIN, text))
    return _FIGURE.sub(lambda word: word[1] + HARD, text)


def plain(text: str) -> str:
    """A text as a reader types it into a search: 10000 in one piece, ordinary spaces and hyphens.

    >>> plain(unbroken("−3 of 10 000  epochs"))
    '-3 of 10000 epochs'
    """
    text = re.sub(rf"(?<=\d){THIN}(?=\d)", "", text)
    return " ".join(text.replace(THIN, " ").replace(HARD, " ").replace("−", "-").split())


def prose(soup, without=frozenset()):
    """The pieces of text of the article and of its menu that a reader sees as prose."""
    for place in soup.select("article, nav.page-toc"):
        for text in place.find_all(string=True):
            around = {parent.name for parent in text.parents}
            if type(text) is not NavigableString or around & (NOT_PROSE | set(without)):
                continue
            if not any(
                "math" in (parent.get("class") or ())
                for parent in text.parents
                if parent.name != "[document]"
            ):
                yield text
