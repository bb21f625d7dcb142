"""Figures: drawings stand in the page as text and lines, a click enlarges them, links keep them."""

from __future__ import annotations

import re
from functools import cache
from html import unescape
from pathlib import Path

from bs4 import BeautifulSoup, NavigableString
from site_menu import anchor_of

from ibcore.plots.page import CLOSED, OPENED

GREY = "#777777"  # what every drawing writes in; here it takes the colour of the text around it
FILES = "_downloads/figures"
MOST = 550_000  # letters of a page with its drawings
_SIZE = re.compile(
    r'<svg[^>]*?\s(width|height)="([\d.]+)(pt|px|)"[^>]*?\s(?!\1)(width|height)="([\d.]+)'
)
_FOUND = re.compile(r"\{finding ([A-Z0-9][\w./-]*)(?:, (\d+))?\}")
_SENTENCE = re.compile(r"(?<=[a-z)\]%\d]\.)\s+(?=[A-Z])")


def say_what_is_found(soup, page):
    """Fill findings of the ledger into captions and into the words that stand for a picture."""
    for image in soup.select("article img[alt*='{finding']"):
        image["alt"] = found(image["alt"], page.rows)
    for text in soup.find_all(string=_FOUND):
        text.replace_with(NavigableString(found(str(text), page.rows)))


def found(text: str, rows: dict[str, dict]) -> str:
    """A text with its findings: all of one, or as many sentences of it as are asked for.

    >>> rows = {"verdict-szt-f1": {"finding": "It falls by 2.5 bits. It rises."}}
    >>> found("Layer 5. {finding SZT-F1, 1} So.", rows)
    'Layer 5. It falls by 2.5 bits. So.'
    """

    def filled(mark):
        row = rows.get(anchor_of(mark[1]))
        if row is None or not row["finding"]:
            raise ValueError(f"no finding of {mark[1]} in the ledger, needed by {text[:60]!r}.")
        sentences = _SENTENCE.split(row["finding"].strip())
        return " ".join(sentences[: int(mark[2]) if mark[2] else None])

    return _FOUND.sub(filled, text) if rows else text


def numbers_start_anew(soup, page):
    """A page without a number counts its own figures; Sphinx counts on from the page before.

    >>> said = '<figure id="a"><span class="caption-number">Fig. 26 </span></figure>'
    >>> said += '<a href="#a"><span class="std-numref">Fig. 26</span></a>'
    >>> soup = BeautifulSoup(said, "html.parser")
    >>> numbers_start_anew(soup, None)
    >>> soup.get_text()
    'Fig. 1 Fig. 1'
    """
    counted = 0
    for said in soup.select("figure[id] .caption-number"):
        if not (number := re.search(r"(?<= )\d+(?=\s*$)", said.get_text())):
            continue
        counted += 1
        there = said.find_parent("figure")["id"]
        for one in [said, *soup.select(f'a[href="#{there}"] .std-numref')]:
            one.string = one.get_text().replace(number[0], str(counted))


def drawings_in_the_page(soup, page):
    """Drawings of code cells become part of the page: text to search, in its font and colours.

    What a page has no room for stays an image. The data of each drawing become a file.
    """
    room = MOST - len(str(soup))
    for number, image in enumerate(soup.select("article img[src]")):
        path = page.file(image["src"])
        picture = _drawing(path)
        if picture is None:
            continue
        figure = image.find_parent("figure")
        name = (figure.get("id") if figure else None) or f"drawing-{number}"
        _write_table(page.site / FILES / f"{name}.csv", picture)
        image["data-table"] = page.to(f"{FILES}/{name}.csv")
        made = _part_of_a_page(picture, name)
        room -= len(str(made))
        if room < 0:
            continue
        width, height = size_of(path) or ("", "")
        made.attrs |= {
            "role": "img", "aria-label": image.get("alt", ""), "class": "drawing",
            "width": str(width), "height": str(height),
            "data-file": image["src"], "data-table": image["data-table"],
        }  # fmt: skip
        image.replace_with(made)


def _part_of_a_page(picture: str, name: str):
    made = BeautifulSoup(inlined(picture, name), "html.parser").svg
    for group in made.find_all("g"):
        del group["id"]  # nothing refers to a group
        if not group.attrs:
            group.unwrap()
    return made


def _drawing(path: Path) -> str | None:
    """The text of a drawing of ours."""
    if path.suffix != ".svg" or not path.exists():
        return None
    text = path.read_text(encoding="utf-8")
    return text if OPENED in text else None


def inlined(picture: str, name: str) -> str:
    r"""The drawing as a part of a page: ids of its own, the page's font and colour, no data.

    >>> inlined('<svg width="1pt"><metadata>m</metadata><g id="a" fill="#777777"/></svg>', "f")
    '<svg><g id="f-a" fill="currentColor"/></svg>'
    >>> inlined("<svg><text style=\"font: 9px 'DejaVu Sans', serif; x: y\">T</text></svg>", "f")
    '<svg><text style="font:9px inherit;x:y">T</text></svg>'
    """
    picture = picture[picture.index("<svg") :]
    picture = re.sub(r"<metadata.*?</metadata>\s*|<style.*?</style>\s*", "", picture, flags=re.S)
    picture = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", picture)
    picture = re.sub(r'(<svg[^>]*?) (?:width|height)="[^"]*"', r"\1", picture)
    picture = re.sub(r"(?<=px )'[^;\"]*|(?<=font-family: )'[^;\"]*", "inherit", picture)
    picture = _POLYLINE.sub(_shorter, picture).replace(GREY, "currentColor")
    picture = re.sub(r' transform="rotate\(-0 [^"]*"', "", picture)
    picture = re.sub(r"(?<=\d\.\d)\d+(?= *[\")])|(?<=[;:]) (?=[^\"<>]*\")", "", picture)
    return re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", picture)


_POLYLINE = re.compile(r'(?<= )d="([MLz\d.\s-]+)"')


def _shorter(path: re.Match) -> str:
    """Straight lines as steps of tenths of a point: the same picture in half the letters.

    >>> _POLYLINE.sub(_shorter, '<path d="M 1.04 2 L 1.5 1.9 L 1.5 1.9 L 3 4 z "/>')
    '<path d="M1 2l.5-.1 1.5 2.1z"/>'
    """
    written, here = [], (0, 0)
    for command, rest in re.findall(r"([MLz])([^MLz]*)", path[1]):
        if command == "z":
            written.append("z")
            continue
        there = tuple(round(10 * float(number)) for number in rest.split())
        step = there if command == "M" else (there[0] - here[0], there[1] - here[1])
        if command == "M" or step != (0, 0) or written[-1][0] == "M":
            follows = command == "L" and written[-1][0] not in "Mz"
            x, y = (f"{one / 10:g}".replace("0.", ".", abs(one) < 10) for one in step)
            pair = x + (y if y[0] == "-" else f" {y}")
            name = "" if follows else {"M": "M", "L": "l"}[command]
            written.append(f"{' ' if follows and pair[0] != '-' else ''}{name}{pair}")
        here = there
    return f'd="{"".join(written)}"'


def _write_table(path: Path, picture: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    start = picture.index(OPENED) + len(OPENED)
    table = unescape(picture[start : picture.index(CLOSED, start)])
    path.write_text(table.strip() + "\n", encoding="utf-8")


def enlarge_and_download(soup, page):
    """Every figure is a link to its file, and its caption has links to keep file and data."""
    for image in soup.select("article img[src], article svg.drawing"):
        source = image.get("data-file") or image.get("src")
        if "_images/" not in source or image.find_parent("a"):
            continue
        link = {"class": "enlarge", "href": source, "title": "Show at full size"}
        if size := size_of(page.file(source)):
            link["style"] = f"--own:{size[0]}px"  # of which a phone shows no less than it can read
        image.wrap(soup.new_tag("a", attrs=link))
        figure = image.find_parent("figure")
        caption = figure and figure.find("figcaption")
        if caption is None or caption.find("a", download=True):
            continue
        stem = figure.get("id") or Path(source).stem
        files = [source, *filter(None, [image.get("data-table")])]
        box = soup.new_tag("p", attrs={"class": "figure-files"})
        for address in files:
            kind = Path(address).suffix
            keep = soup.new_tag("a", href=address, download=stem + kind)
            keep.string = kind[1:].upper()
            keep["aria-label"] = f"{keep.string}: download {stem + kind}"
            box.append(keep)
        caption.append(box)


def sizes_and_lazy_loading(soup, page):
    """Each image says how large it is; all but the first wait until they are near."""
    for number, image in enumerate(soup.select("article img[src]")):
        size = size_of(page.file(image["src"]))
        if size and not (image.has_attr("width") or image.has_attr("style")):
            image["width"], image["height"] = map(str, size)
        if number:
            image["loading"] = "lazy"
        image["decoding"] = "async"


@cache
def size_of(path: Path) -> tuple[int, int] | None:
    """Width and height of a picture in pixels, from the first bytes of its file."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        head = file.read(2048)
    if head.startswith(b"\x89PNG"):
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    match = _SIZE.search(head.decode("utf-8", "replace"))
    if not match:
        return None
    scale = 4 / 3 if match[3] == "pt" else 1
    found = {match[1]: round(float(match[2]) * scale), match[4]: round(float(match[5]) * scale)}
    return (found["width"], found["height"]) if len(found) == 2 else None
