"""Look at what is to be committed: no large file, no notebook that its text did not make.

python book/_tools/guard.py FILES

Part of .pre-commit-config.yaml; fast, as nothing is executed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import execute
import nbformat

LARGEST = 2_000_000  # bytes
LARGEST_NOTEBOOK = 4_000_000  # a chapter carries its figures


def large(path: Path) -> list[str]:
    """A file that git would carry for ever."""
    size = path.stat().st_size
    limit = LARGEST_NOTEBOOK if path.suffix == ".ipynb" else LARGEST
    if size <= limit:
        return []
    return [f"{path}: {size / 1e6:.1f} MB, at most {limit / 1e6:g}; leave it out of git"]


def edited(path: Path) -> list[str]:
    """A chapter whose notebook is not the one of its text: either of the two was changed alone."""
    text = path.with_suffix(".md")
    if path.suffix not in (".md", ".ipynb") or text not in execute.chapters(path.parent):
        return []
    notebook = path.with_suffix(".ipynb")
    if notebook.exists() and execute.is_made_from(
        text.read_text(encoding="utf-8"), nbformat.read(notebook, as_version=4)
    ):
        return []
    return [
        f"{notebook} is not made from {text.name}; edit the text, then: "
        f"python book/_tools/execute.py {text}"
    ]


def problems(paths: Iterable[Path]) -> list[str]:
    found = [problem for path in paths for problem in (*large(path), *edited(path))]
    return list(dict.fromkeys(found))  # text and notebook of one chapter are one problem


def main(arguments: list[str] | None = None) -> int:
    found = problems(map(Path, sys.argv[1:] if arguments is None else arguments))
    for problem in found:
        print(problem, file=sys.stderr)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
