"""Figures: a click shows one at full size, a link downloads it, and nothing moves as they load."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_SIZE = re.compile(
    r'<svg[^>]*?\s(width|height)="([\d.]+)(pt|px|)"[^>]*?\s(?!\1)(width|height)="([\d.]+)'
)


def enlarge_and_download(soup, page):
    """Every figure is a link to itself, and its caption has one to keep it."""
    for image in soup.select("article img[src]"):
        if "_images/" not in image["src"] or image.find_parent("a"):
            continue
        link = {"class": "enlarge", "href": image["src"], "title": "Show at full size"}
        image.wrap(soup.new_tag("a", attrs=link))
        figure = image.find_parent("figure")
        caption = figure and figure.find("figcaption")
        if caption is None or caption.find("a", download=True):
            continue
        kind = Path(image["src"]).suffix
        name = (figure.get("id") or Path(image["src"]).stem) + kind
        keep = soup.new_tag("a", href=image["src"], download=name)
        keep.string = kind[1:].upper()
        keep["aria-label"] = f"{keep.string}: download {name}"
        box = soup.new_tag("p", attrs={"class": "figure-files"})
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
