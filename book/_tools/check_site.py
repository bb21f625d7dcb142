"""Check the built site: links, other hosts, and what is promised of every page.

Every internal link and anchor exists, no page needs another host, no id stands twice, a figure of
another chapter is cited with its chapter, code is folded, images have sizes and words, and only
mathematics loads its script.

python book/_tools/check_site.py _build/html

Ordinary links to other sites are fine. What a page would load is not: scripts, style sheets,
images, fonts, frames, media.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bs4 import BeautifulSoup

# Attribute that makes a browser load something, for each element.
LOADS = {
    "script": ("src",),
    "link": ("href",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "iframe": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "track": ("src",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
}
# <link rel=...> that names a page and loads nothing.
NAMES_A_PAGE = {"next", "prev", "index", "search", "author", "license", "canonical", "alternate"}
CSS_ADDRESS = re.compile(r"""(?:url\(|@import)\s*["']?([^"')\s;]+)""")


class Page(HTMLParser):
    """What one page holds: its anchors, its links, what it loads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self._style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors |= {values[name] for name in ("id", "name") if values.get(name)}
        self._style = tag == "style"
        self.loads += CSS_ADDRESS.findall(values.get("style", ""))
        if tag in ("a", "area") and "href" in values:
            self.links.append(values["href"])
        if tag == "link" and set(values.get("rel", "").split()) & NAMES_A_PAGE:
            self.links.append(values.get("href", ""))
            return
        for name in LOADS.get(tag, ()):
            self.loads += _addresses(name, values.get(name, ""))

    def handle_data(self, data: str) -> None:
        if self._style:
            self.loads += CSS_ADDRESS.findall(data)


def _addresses(attribute: str, value: str) -> list[str]:
    if attribute == "srcset":
        return [part.split()[0] for part in value.split(",") if part.split()]
    return [value] if value else []


def is_external(address: str) -> bool:
    """Whether an address leads to another host.

    >>> [is_external(a) for a in ("https://a.b/c", "//a.b/c", "../c.js?v=1", "data:image/png;x")]
    [True, True, False, False]
    """
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in ("", "data")


def check(site: Path) -> list[str]:
    """Everything that is wrong with a site, one line each."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in documents(site)}
    if not pages:
        return [f"{site}: no page; build the site first (make site)"]
    problems = []
    for path, page in pages.items():
        where = path.relative_to(site).as_posix()
        problems += [f"{where}: loads {a} from another host" for a in page.loads if is_external(a)]
        problems += [f"{where}: {what}" for what in broken(path, page, pages, site)]
        text = path.read_text(encoding="utf-8")
        problems += [f"{where}: {what}" for what in unkept(text, path.name)]
    for path in site.rglob("*.css"):
        addresses = CSS_ADDRESS.findall(path.read_text(encoding="utf-8"))
        where = path.relative_to(site).as_posix()
        problems += [f"{where}: loads {a} from another host" for a in addresses if is_external(a)]
    return sorted(set(problems))


def documents(site: Path) -> list[Path]:
    """The pages of a site, without the fragments that themes keep in _static."""
    return sorted(p for p in site.rglob("*.html") if "_static" not in p.relative_to(site).parts)


def broken(path: Path, page: Page, pages: dict[Path, Page], site: Path) -> list[str]:
    """Internal addresses of a page that lead nowhere."""
    problems = []
    for address in [*page.links, *page.loads]:
        parts = urlsplit(address)
        if is_external(address) or parts.scheme == "data":
            continue
        target = path
        if parts.path:
            below = site if parts.path.startswith("/") else path.parent
            target = (below / unquote(parts.path).lstrip("/")).resolve()
            target = target / "index.html" if target.is_dir() else target
        anchor = unquote(parts.fragment)
        if not target.exists():
            problems.append(f"{address} does not exist")
        elif anchor and target in pages and anchor not in pages[target].anchors:
            problems.append(f"{address}: no such anchor")
    return problems


def unkept(text: str, name: str) -> list[str]:
    """What a page of the book promises and does not keep; other pages promise nothing.

    >>> page = '<main id="main-content"><article><p id="a">x</p><p id="a">y</p></article></main>'
    >>> unkept(page, "x.html")
    ['the id a stands twice', '0 viewports', 'no description']
    """
    soup = BeautifulSoup(text, "html.parser")
    article = soup.select_one("main article")
    if article is None:
        return []
    seen = Counter(tag["id"] for tag in soup.find_all(id=True))
    problems = [f"the id {what} stands twice" for what, count in seen.items() if count > 1]
    if (viewports := len(soup.find_all("meta", attrs={"name": "viewport"}))) != 1:
        problems.append(f"{viewports} viewports")
    if not soup.find("meta", attrs={"name": "description"}) and article.find("p"):
        problems.append("no description")
    for cell in article.select(".cell_input"):
        fold = cell.find_parent("details")
        if fold is None or fold.has_attr("open"):
            problems.append(f"code in sight: {cell.get_text()[:40]!r}")
    if not article.select(".math") and soup.find("script", src=re.compile("mathjax")):
        problems.append("loads MathJax without mathematics")
    for image in article.select("img"):
        shown = image.get("src", "")[-24:]
        if not (image.get("width") and image.get("height")) and not image.get("style"):
            problems.append(f"image without a size: {shown}")
        if not image.get("alt"):
            problems.append(f"image without words: {shown}")
    for drawing in article.select("svg.drawing"):
        if not drawing.get("aria-label"):
            problems.append(f"drawing without words: {drawing.get('data-file', '')[-24:]}")
    if unfilled := re.findall(r"\{finding [^}]*\}", str(article)):
        problems.append(f"not filled: {unfilled[0]}")
    return problems + [f"{said} without its chapter" for said in _bare_figures(article, name)]


def _bare_figures(article, name: str) -> list[str]:
    """Figures of other chapters that a paragraph cites without naming the chapter."""
    found = []
    for mark in article.select("a .std-numref"):
        link = mark.find_parent("a")
        other = re.match(r"(\d\d)_", Path(urlsplit(link["href"]).path).name)
        around = link.find_parent(["p", "li", "td", "figcaption"])
        if not other or other[0] == name[:3] or around is None:
            continue
        if not re.search(rf"[Cc]hapters?\s.*?\b{int(other[1])}\b", around.get_text(), re.S):
            found.append(mark.get_text())
    return found


def main(arguments: list[str]) -> int:
    site = Path(arguments[0] if arguments else "_build/html").resolve()
    problems = check(site)
    print("\n".join(problems) or f"{len(documents(site))} pages: links and resources in order")
    return int(bool(problems))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
