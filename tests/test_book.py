"""The book as it is committed: its chapters keep their limits, its pages are up to date."""

import json
import re
from pathlib import Path

import execute
import nbformat
import pages
import papermill
import pytest
import rules
import yaml

from ibcore.papers import papers

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
CHAPTERS = execute.chapters(BOOK)
HOWTOS = execute.howtos(BOOK)

every_notebook = pytest.mark.parametrize("chapter", CHAPTERS + HOWTOS, ids=lambda path: path.stem)
every_chapter = pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)


def notebook_of(chapter):
    return nbformat.read(chapter.with_suffix(".ipynb"), as_version=4)


def test_there_are_chapters_and_the_contents_names_each():
    """A book without chapters would pass every other test here."""
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]
    named = [entry["file"] for part in parts for entry in part["chapters"]]
    assert CHAPTERS
    assert [name for name in named if re.match(r"book/\d.*\.ipynb", name)] == [
        f"book/{chapter.stem}.ipynb" for chapter in CHAPTERS
    ]


def test_every_notebook_has_its_text():
    """A notebook without a text could not be edited or generated again."""
    assert {path.stem for path in BOOK.glob("*.ipynb")} == {path.stem for path in CHAPTERS + HOWTOS}


@every_notebook
def test_the_notebook_was_made_from_the_text(chapter):
    """What the site shows is what the text says: same hash, same cells. Otherwise: make book."""
    assert execute.is_made_from(chapter.read_text(encoding="utf-8"), notebook_of(chapter))


@every_notebook
def test_no_page_begins_with_what_python_prints_of_its_parameters(chapter):
    """They stand in the parameters cell, with their comments."""
    checks = [c for c in notebook_of(chapter).cells if "check_parameters(" in c.source]
    assert all(c.outputs == [] for c in checks if c.cell_type == "code")


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
@every_chapter
def test_chapter_keeps(chapter, rule):
    assert rule(notebook_of(chapter)) == []


@every_chapter
def test_papermill_shows_every_parameter(chapter):
    """`papermill --help-notebook`: each with its type, its value and its comment as help."""
    (cell,) = (c for c in notebook_of(chapter).cells if "parameters" in rules.tags(c))
    line = re.compile(r'(\w+): "?([\w\[\]]+)"? = (.+?)  # (.+)')
    declared = {found[1]: found.groups() for found in map(line.fullmatch, cell.source.splitlines())}
    shown = papermill.inspect_notebook(chapter.with_suffix(".ipynb"))
    assert {"profile", "recompute", "n_seeds", "n_epochs", "device"} <= set(shown)
    assert list(shown) == list(declared)
    assert [tuple(one.values()) for one in shown.values()] == list(declared.values())


@pytest.mark.parametrize("known", pages.read_chapters(BOOK), ids=lambda one: one.page)
def test_every_claim_is_judged_in_its_chapter(known):
    """The ledger links each claim to a target above its verdict in the chapter."""
    text = (BOOK / f"{known.page}.md").read_text(encoding="utf-8")
    missing = [c.id for c in known.claims if f"({pages.anchor(c.id)})=" not in text]
    assert known.claims
    assert not missing, "write (verdict-...)= above the verdict of each"


def test_every_chapter_of_the_registry_has_its_page():
    assert {one.key for one in pages.read_chapters(BOOK)} == set(papers())


def test_generated_text_is_up_to_date():
    """It equals what the registry, the ledger and the figures give. Otherwise: make pages."""
    stale = [
        path.relative_to(ROOT).as_posix()
        for path, text in pages.generated(ROOT).items()
        if path.read_text(encoding="utf-8") != text
    ]
    assert stale == []


def test_result_files_stay_small():
    """No file of more than 2 MB and 30 MB in all."""
    sizes = {p: p.stat().st_size for p in (BOOK / "results").rglob("*") if p.is_file()}
    assert [str(path) for path, size in sizes.items() if size > 2_000_000] == []
    assert sum(sizes.values()) < 30_000_000


@pytest.mark.long
@every_chapter
def test_executed_again_a_chapter_shows_the_same(chapter):
    """Text and tables are equal; drawings too, up to the fonts of the machine, so they are not."""

    def shown(notebook):
        return [
            {kind: value for kind, value in output.items() if kind != "data"}
            | {k: v for k, v in output.get("data", {}).items() if not k.startswith("image/")}
            for cell in rules.code_cells(notebook)
            for output in cell.outputs
        ]

    again = nbformat.reads(execute.execute(chapter), as_version=4)
    assert json.dumps(shown(again)) == json.dumps(shown(notebook_of(chapter)))
