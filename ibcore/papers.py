"""Where the papers are: one folder each, in ``book/papers`` or in a folder of a reader's own.

    papers/<paper>/experiments.toml    what is run
    papers/<paper>/claims.toml         what is claimed, and by which criterion it is judged
    papers/<paper>/evidence.py         quantities that the vocabulary of claims does not have
    papers/<paper>/figures.py          drawings of this paper alone

A folder with an ``experiments.toml`` is a paper; the number in it gives the order. Nothing else
lists them.
"""

import hashlib
import importlib
import os
import sys
import tomllib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any


def book_folder() -> Path:
    """The folder ``book``: from ``IBCORE_BOOK``, above the working folder, or beside the package.

    Raises
    ------
    ValueError
        If it is in none of these places.
    """
    if named := os.environ.get("IBCORE_BOOK"):
        return Path(named)
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).parent.parent):
        if (folder / "_toc.yml").exists() and (folder / "book").is_dir():
            return folder / "book"
    raise ValueError(
        "no folder 'book' with a _toc.yml beside it, above the working folder or beside ibcore; "
        "run inside a clone of the book, or name the folder in IBCORE_BOOK."
    )


def published_results() -> Path | None:
    """The folder of the book's results; None where there is no book."""
    try:
        return book_folder() / "results"
    except ValueError:
        return None


def papers_folder() -> Path:
    """The folder of all papers: ``IBCORE_PAPERS``, else ``papers`` in the book's folder.

    Raises
    ------
    ValueError
        If there is none.
    """
    if named := os.environ.get("IBCORE_PAPERS"):
        folder = Path(named).resolve()
        if not folder.is_dir():
            raise ValueError(f"IBCORE_PAPERS must name a folder of papers, got {named!r}.")
        return folder
    return book_folder() / "papers"


def papers() -> tuple[str, ...]:
    """Names of the papers, in the order of their numbers."""
    found = [file.parent for file in papers_folder().glob("*/experiments.toml")]
    return tuple(folder.name for folder in sorted(found, key=lambda one: (_number(one), one.name)))


def paper_file(paper: str, name: str) -> Path:
    """A file of a paper, which need not be there.

    Raises
    ------
    ValueError
        If there is no such paper, with those that there are.
    """
    if paper not in papers():
        raise ValueError(f"no paper is called {paper!r}; there are {', '.join(papers())}.")
    return papers_folder() / paper / name


def shown(paper: str, name: str) -> str:
    """A file of a paper as messages name it; a claims file by itself has a path instead."""
    return paper if paper.endswith(".toml") else f"papers/{paper}/{name}"


def paper_module(paper: str, name: str) -> ModuleType | None:
    """A paper's own Python, such as ``evidence``; None if it has none.

    It may consist of several files: a folder ``evidence`` with an ``__init__.py``, whose modules
    import each other by ``from .other import ...``.
    """
    if paper.endswith(".toml"):  # claims beside a notebook
        return None
    paper_file(paper, name)  # the paper is there
    root = _package(papers_folder())
    module = f"{root}.{paper}.{name}"
    return importlib.import_module(module) if find_spec(module) else None


def _package(folder: Path) -> str:
    """Name of the package that a folder of papers is imported as: each folder has its own."""
    name = f"papers_{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"
    if name not in sys.modules:
        package = ModuleType(name, "Papers.")
        package.__path__ = [str(folder)]
        sys.modules[name] = package
    return name


def _number(folder: Path) -> int:
    number = read_toml(folder / "experiments.toml").get("chapter", {}).get("number", 0)
    return number if isinstance(number, int) else 0


@cache
def _parsed(path: Path, written: int) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


def read_toml(path: Path) -> dict[str, Any]:
    """A parsed file; an unchanged one is read once."""
    return _parsed(path, path.stat().st_mtime_ns)
