"""How to cite: BibTeX for the book, for each chapter, and the papers that a chapter runs again."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from mdtext import table

KEY = "information_bottleneck_book"

TEXT = """\
(cite-chapters)=
# How to cite

Please cite the book, or the chapter whose verdicts you use, and the papers that it runs again: a
verdict is about their work. Say which version you used; numbers may change between versions, and
[what changed and why](changes.md) says which did.

## The book

{book}

## A chapter

{chapters}

## The papers behind each chapter

{papers}

The [references](references.md) have all of them in full.

## Licence

Text, figures, results and code are under the {licence} licence: use, change and share them, also
commercially, and keep the notice. Whoever shares a changed figure or verdict should say that it was
changed. Data of other people are not part of the book: MNIST and the Pokémon sightings are
downloaded or brought by the reader and keep their own terms."""


def entry(kind: str, key: str, fields: Mapping[str, str]) -> str:
    r"""One BibTeX entry.

    >>> print(entry("book", "x", {"title": "Dong & Hisham", "year": "2026"}))
    @book{x,
      title = {{Dong \& Hisham}},
      year = {2026}
    }
    """
    lines = [
        f"  {name} = {{{{{escaped(text)}}}}}"
        if name in ("title", "booktitle")
        else f"  {name} = {{{escaped(text)}}}"
        for name, text in fields.items()
    ]
    return f"@{kind}{{{key},\n" + ",\n".join(lines) + "\n}"


def escaped(text: str) -> str:
    return re.sub(r"(?<!\\)([&%#_$])", r"\\\1", text)


def fields_of_the_book(said: Mapping[str, Any]) -> dict[str, str]:
    """What CITATION.cff says, in BibTeX's words."""
    names = " and ".join(
        f"{{{one['name']}}}" if "name" in one else f"{one['family-names']}, {one['given-names']}"
        for one in said["authors"]
    )
    fields = {
        "author": names,
        "title": said["title"],
        "year": str(said["date-released"])[:4],
        "version": str(said["version"]),
        "license": said["license"],
    }
    address = said.get("url") or said.get("repository-code")
    return (
        fields
        | ({"url": address} if address else {})
        | ({"doi": said["doi"]} if "doi" in said else {})
    )


def of_a_chapter(chapter: Any, book: Mapping[str, str]) -> str:
    """The entry of one chapter: its title within that of the book."""
    fields = {
        "author": book["author"],
        "title": chapter.title,
        "booktitle": book["title"],
        "chapter": str(int(chapter.page[:2])),
        "year": book["year"],
        "note": f"Version {book['version']}",
    }
    more = {name: book[name] for name in ("url", "doi") if name in book}
    return entry("incollection", f"{KEY}_{chapter.key}", fields | more)


def papers_cited(chapter: Any) -> list[str]:
    """Keys of what the opening of a chapter cites, in order: all before its second section."""
    opening = re.split(r"^## ", chapter.text, maxsplit=2, flags=re.MULTILINE)
    cited = re.findall(r"\{cite:[pt]\}`([^`]+)`", "".join(opening[:2]))
    return list(dict.fromkeys(key.strip() for many in cited for key in many.split(",")))


def cite_page(chapters: Sequence[Any], root: Path, mark: str) -> str:
    """book/cite.md."""
    said = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    book = fields_of_the_book(said)
    entries = "\n\n".join(of_a_chapter(one, book) for one in chapters)
    rows = (
        (f"[{one.title}]({one.page}.ipynb)", ", ".join(f"{{cite:t}}`{key}`" for key in cited))
        for one in chapters
        if (cited := papers_cited(one))
    )
    text = TEXT.format(
        book=_block(entry("software", KEY, book)),
        chapters=_block(entries),
        papers=table(("Chapter", "Cites in its opening"), rows),
        licence=said["license"],
    )
    return f"{mark}\n\n{text}\n"


def _block(text: str) -> str:
    return f"```bibtex\n{text}\n```"
