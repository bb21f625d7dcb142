"""Execute chapters: book/NN_name.md, the text, becomes book/NN_name.ipynb, which the site shows.

python book/_tools/execute.py                     every chapter and how-to
python book/_tools/execute.py book/01_name.md     some of them
python book/_tools/execute.py --check             execute again and compare, write nothing

The same text, code and results give the same bytes: cell ids come from the content, nothing is
timed, and figures carry no date. A cell that raises or that writes to stderr stops everything.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import re
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbformat import NotebookNode

from ibcore.files import write_whole

BOOK = Path(__file__).resolve().parents[1]

# Figures of a page: vector graphics whose ids do not change and which carry no date.
KERNEL_CONFIG = """\
c = get_config()
c.HistoryManager.enabled = False
c.IPKernelApp.log_level = "ERROR"  # no advice about transports at each start
c.InlineBackend.figure_formats = {"svg"}
c.InlineBackend.print_figure_kwargs = {"bbox_inches": "tight", "metadata": {"Date": None}}
c.InlineBackend.rc = {"svg.hashsalt": "ibcore", "figure.facecolor": "none"}
"""

HASHED_ID = re.compile(r'id="([a-z][0-9a-f]{10})"')  # of matplotlib
PATH_DATA = re.compile(r'(?<= )d="[^"]*"')


def chapters(book: Path = BOOK) -> list[Path]:
    """The chapters, in the order of the book: the texts whose names begin with a number."""
    return sorted(book.glob("[0-9][0-9]_*.md"))


def howtos(book: Path = BOOK) -> list[Path]:
    """The how-to pages with code: notebooks that judge no claim and may define what they need."""
    found = sorted(book.glob("howto_*.md"))
    return [path for path in found if path.read_text(encoding="utf-8").startswith("---\njupytext:")]


def source_hash(text: str) -> str:
    """What a notebook remembers of the text that it was made from."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_chapter(text: str) -> NotebookNode:
    """The notebook of a MyST text, not yet executed."""
    notebook = jupytext.reads(text, fmt="md:myst")
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = NotebookNode(
        kernelspec=NotebookNode(kernel),
        language_info=NotebookNode(name="python"),
        ibcore=NotebookNode(source_sha256=source_hash(text)),
    )
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        content = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
        cell.id = f"{content}-{seen[content]}"
        seen[content] += 1
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def is_made_from(text: str, notebook: NotebookNode) -> bool:
    """Whether a notebook, executed or not, is the one of a text: same hash, same cells."""

    def made(one: NotebookNode) -> tuple:
        cells = [(c.id, c.cell_type, c.source, c.metadata) for c in one.cells]
        return one.metadata, cells

    return made(notebook) == made(read_chapter(text))


def run(notebook: NotebookNode, folder: Path, timeout: int = 3600) -> NotebookNode:
    """Execute a notebook in ``folder``, in the Python that runs this."""
    kept = notebook.metadata.copy()
    with tempfile.TemporaryDirectory() as ipython:
        config = Path(ipython) / "profile_default" / "ipython_kernel_config.py"
        config.parent.mkdir()
        config.write_text(KERNEL_CONFIG)
        client = NotebookClient(
            notebook,
            timeout=timeout,
            kernel_name="python3",
            resources={"metadata": {"path": str(folder)}},
            record_timing=False,
            coalesce_streams=True,
        )
        environment = os.environ | {
            "IPYTHONDIR": ipython,
            "IBCORE_PROGRESS": "0",
            # Whatever the shell says: another backend would leave the pages without figures.
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        }
        asyncio.run(client.async_execute(env=environment))
    notebook.metadata = kept  # nbclient adds the kernel's version
    refuse_stderr(notebook)
    round_figures(notebook)
    return notebook


def round_figures(notebook: NotebookNode) -> None:
    """Paths of vector graphics to a tenth of a point: half the size, the same picture.

    The ids, which hash the numbers before rounding, are counted instead: two machines that differ
    in a last bit then draw the same bytes.
    """
    for cell in notebook.cells:
        for place, output in enumerate(cell.get("outputs", [])):
            data = output.get("data", {})
            if "image/svg+xml" in data:
                picture = PATH_DATA.sub(_rounded, data["image/svg+xml"])
                data["image/svg+xml"] = _counted(picture, f"{cell.id}-{place}")


def _counted(picture: str, prefix: str) -> str:
    """Every id that is a hash, and every reference to it, as prefix and number."""
    found = dict.fromkeys(HASHED_ID.findall(picture))
    names = {name: f"{prefix}-{k}" for k, name in enumerate(found)}
    return re.sub(r'(id="|#)([a-z][0-9a-f]{10})(?=["\)])',
                  lambda m: m[1] + names.get(m[2], m[2]), picture)  # fmt: skip


def _rounded(path: re.Match) -> str:
    short = re.sub(r"-?\d+\.\d+", lambda number: f"{float(number[0]):.1f}", path[0])
    return _without_standstill(re.sub(r"\s*\n\s*", " ", short))


def _without_standstill(path: str) -> str:
    """A path without the lines that lead from a place to itself.

    >>> _without_standstill('d="M 1.0 2.0 L 1.0 2.0 L 3.0 4.0 L 3.0 4.0 z"')
    'd="M 1.0 2.0 L 3.0 4.0 z"'
    """
    return re.sub(r"([ML]) ([-\d.]+ [-\d.]+)(?: L \2(?=[ \"]))+", r"\1 \2", path)


class StderrError(RuntimeError):
    """A cell wrote to stderr."""


def refuse_stderr(notebook: NotebookNode) -> None:
    """Warnings, logs and progress bars are no part of a page."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                raise StderrError(
                    f"a cell wrote to stderr; mend the cause, nothing was stored.\n"
                    f"--- cell\n{cell.source}\n--- stderr\n{output.text}"
                )


def to_text(notebook: NotebookNode) -> str:
    """The file of a notebook."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def execute(chapter: Path) -> str:
    """The executed notebook of one chapter, as text."""
    text = chapter.read_text(encoding="utf-8")
    return to_text(run(read_chapter(text), chapter.parent))


def store(chapter: Path, *, check: bool = False) -> str:
    """Execute a chapter and write its notebook where it changed; say what became of it."""
    text, stored = execute(chapter), chapter.with_suffix(".ipynb")
    if stored.exists() and stored.read_text(encoding="utf-8") == text:
        return "unchanged"
    if check:
        return "differs"
    write_whole(stored, text.encode())
    return "written"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("chapters", nargs="*", type=Path, help="texts (.md); default: all")
    parser.add_argument("--workers", type=int, default=1, help="chapters executed at once")
    parser.add_argument("--check", action="store_true", help="compare with the stored notebooks")
    options = parser.parse_args(arguments)
    selected = [path.resolve().with_suffix(".md") for path in options.chapters]
    selected = selected or chapters() + howtos()
    if not selected:
        print(f"no chapter in {BOOK.name}/ (names such as 01_name.md)", file=sys.stderr)
        return 1

    def one(chapter: Path) -> bool:
        started = time.perf_counter()
        try:
            word = store(chapter, check=options.check)
        except (CellExecutionError, StderrError) as error:
            print(f"{chapter.name}: {error}", file=sys.stderr, flush=True)
            return False
        print(f"{chapter.name}: {word}, {time.perf_counter() - started:.0f} s", flush=True)
        return word != "differs"

    with ThreadPoolExecutor(options.workers) as pool:
        return int(not all(list(pool.map(one, selected))))


if __name__ == "__main__":
    sys.exit(main())
