"""What runs before a commit: its commands exist, and each finds what it is there for."""

import shutil
import subprocess
import sys
from pathlib import Path

import execute
import guard
import nbformat
import pytest
import yaml

ROOT = Path(__file__).parents[1]
CONFIG = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
HOOKS = {hook["id"]: hook for repo in CONFIG["repos"] for hook in repo["hooks"]}
ENVIRONMENT = Path(sys.executable).parent
TEXT = (
    "---\nkernelspec:\n  name: python3\n  display_name: Python 3\n---\n\n# A\n\n"
    "```{code-cell} ipython3\n1 + 1\n```\n"
)


def test_nothing_is_downloaded():
    """All hooks are commands of the environment: no network, and the versions of the lock."""
    assert {repo["repo"] for repo in CONFIG["repos"]} == {"local"}
    assert {hook["language"] for hook in HOOKS.values()} == {"system"}


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_the_command_of_each_hook_exists(hook):
    command, *arguments = hook["entry"].split()
    assert shutil.which(command, path=str(ENVIRONMENT))
    assert all((ROOT / one).is_file() for one in arguments if one.endswith(".py"))


def ask(hook, file):
    command, *arguments = HOOKS[hook]["entry"].split()
    return subprocess.run(
        [ENVIRONMENT / command, *arguments, file], cwd=ROOT, capture_output=True, text=True
    )


def test_the_hooks_of_ruff_check_and_format(tmp_path):
    file = tmp_path / "a.py"
    file.write_text('"""A."""\n\nimport os\n')
    assert "F401" in ask("ruff-check", file).stdout
    file.write_text("a  =  1\n")
    assert ask("ruff-format", file).returncode == 0
    assert file.read_text() == "a = 1\n"


def test_the_hook_of_mypy_is_strict(tmp_path):
    file = tmp_path / "a.py"
    file.write_text("def f(x):\n    return x\n")
    assert "no-untyped-def" in ask("mypy", file).stdout


@pytest.fixture
def chapter(tmp_path):
    """A text and its notebook, as it would be before execution."""
    text = tmp_path / "01_a.md"
    text.write_text(TEXT)
    nbformat.write(execute.read_chapter(TEXT), text.with_suffix(".ipynb"))
    return text


def test_large_files_are_found(tmp_path):
    data, notebook = tmp_path / "a.bin", tmp_path / "a.ipynb"
    for path in (data, notebook):
        path.write_bytes(b"0" * guard.LARGEST)
    assert guard.problems([data, notebook]) == []
    for path in (data, notebook):
        path.write_bytes(b"0" * (guard.LARGEST + 1))
    assert guard.problems([data, notebook]) == [
        f"{data}: 2.0 MB, at most 2; leave it out of git",
    ]
    notebook.write_bytes(b"0" * (guard.LARGEST_NOTEBOOK + 1))
    assert "at most 4" in guard.problems([notebook])[0]


@pytest.mark.parametrize("change", ["source", "metadata", "cell", "text", "gone"])
def test_a_notebook_that_its_text_did_not_make_is_found(chapter, change, capsys):
    """Whichever of the two files is committed."""
    file = chapter.with_suffix(".ipynb")
    assert guard.main([str(chapter), str(file)]) == 0
    notebook = nbformat.read(file, as_version=4)
    if change == "text":
        chapter.write_text(TEXT.replace("1 + 1", "1 + 2"))
    elif change == "gone":
        file.unlink()
    else:
        if change == "source":
            notebook.cells[1].source = "1 + 2"
        elif change == "metadata":
            notebook.cells[1].metadata["tags"] = ["hide-input"]
        else:
            notebook.cells.pop()
        nbformat.write(notebook, file)
    assert guard.main([str(chapter)]) == 1
    assert f"{file} is not made from 01_a.md; edit the text" in capsys.readouterr().err
    assert change == "gone" or guard.main([str(file)]) == 1


def test_other_texts_are_no_chapters(tmp_path):
    (tmp_path / "notes.md").write_text("# A\n")
    assert guard.problems([tmp_path / "notes.md"]) == []


def test_the_book_passes():
    """Every chapter as it is committed."""
    texts = execute.chapters()
    assert guard.problems([*texts, *(text.with_suffix(".ipynb") for text in texts)]) == []
