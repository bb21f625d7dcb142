"""Every chapter runs under plain papermill, trained afresh at the smoke profile."""

import os
import subprocess
import sys
from pathlib import Path

import execute
import nbformat
import pytest

CHAPTERS = execute.chapters()


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_papermill_runs_the_chapter(chapter, tmp_path):
    """Exit code 0, every cell executed, and nothing written into the book."""
    before = state(chapter.parent)
    out = tmp_path / "out.ipynb"
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "papermill", chapter.with_suffix(".ipynb"), out),
            *("--cwd", chapter.parent, "--no-progress-bar", "--execution-timeout", "600"),
            *("-p", "profile", "smoke", "-p", "recompute", "True"),
        ],
        capture_output=True,
        text=True,
        env=os.environ | {"IPYTHONDIR": str(tmp_path / "ipython")},
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    cells = nbformat.read(out, as_version=4).cells
    assert all(c.execution_count for c in cells if c.cell_type == "code" and c.source.strip())
    assert state(chapter.parent) == before


def state(folder: Path) -> dict[str, int]:
    """Every file of the book and when it was last written."""
    return {
        str(path): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
