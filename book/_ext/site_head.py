"""The head of a page: what it is called and about, and no script that it does not need."""

from __future__ import annotations

import re

from site_text import plain

LONGEST = 200  # characters of a description
# Part of a script or of its address -> what must be on the page for it.
NEEDED = {
    "mathjax/": ".math",
    "togglebutton": ".toggle, .admonition.dropdown",
    "toggleHint": ".toggle, .admonition.dropdown",
    "toggleOpenOnPrint": ".toggle, .admonition.dropdown",
    "window.MathJax": ".math",
    "design-tabs": ".sd-tab-set",
    "clipboard.min": "pre",
    "copybutton": "pre",
}
NEVER = ("fontawesome", "sphinx-thebe")


def one_description(soup, page):
    """One title, one viewport, and what a link to the page shows elsewhere."""
    for meta in soup.find_all("meta", attrs={"name": "viewport"})[1:]:
        meta.decompose()
    heading = soup.select_one("article h1, h1")
    name = _said(heading) if heading else page.book
    if soup.title is not None:
        soup.title.string = name if name.lower() == page.book.lower() else f"{name} – {page.book}"
    found = {"og:title": name, "og:site_name": page.book, "og:type": "article"}
    about = found["og:description"] = description(soup) or name
    _meta(soup, name="description", content=about)
    for key, value in found.items():
        _meta(soup, property=key, content=value)


def description(soup) -> str:
    """The beginning of the first paragraph, in whole words."""
    for paragraph in soup.select("article p"):
        if paragraph.find_parent(["figcaption", "aside", "details", "figure", "table"]):
            continue
        text = re.sub(r"\\[()]", "", re.sub(r"\s*\[[^]]*\d{4}[a-z]?\]", "", _said(paragraph)))
        if len(text) > 60:
            return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0] + " …"
    return ""


def only_needed_scripts(soup, page):
    """No script, and no style sheet, for what is not on the page."""
    for tag in soup.find_all(["script", "link"]):
        address = tag.get("src") or tag.get("href") or ""
        said = address or tag.string or ""
        needs = [what for key, what in NEEDED.items() if key in said]
        if any(name in said for name in NEVER) or any(not soup.select_one(what) for what in needs):
            tag.decompose()


def _meta(soup, **attributes):
    for old in soup.find_all("meta", attrs={k: v for k, v in attributes.items() if k != "content"}):
        old.decompose()
    soup.head.append(soup.new_tag("meta", attrs=attributes))


def _said(node) -> str:
    """What a node says, without its link to itself and the notes of its terms."""
    aside = ["headerlink", "term-note"]
    parts = (text for text in node.find_all(string=True) if not text.find_parent(class_=aside))
    return plain("".join(parts))
