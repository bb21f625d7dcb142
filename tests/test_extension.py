"""A ruler and a task are added to a copy as CONTRIBUTING says, and nothing that is stored moves."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ibcore.papers import book_folder

ROOT = Path(__file__).parents[1]

RULER = '''"""Collision information: Rényi entropy of order 2 of binned layers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ibcore.estimators.base import LayerInformation, Ruler
from ibcore.estimators.binning import Binning


@dataclass(frozen=True)
class Collision(Ruler):
    """H2(bin(T)) = -log2 Σ p², and what the labels take away from it.

    Parameters
    ----------
    width : float
    """

    width: float = 0.1

    measures = "H2(bin(T))"

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """Bits, of t (sample, unit) and y (sample,)."""
        codes = np.unique(Binning(width=self.width).codes(np.asarray(t)), axis=0, return_inverse=1)
        h = float(-np.log2(((np.bincount(codes[1]) / len(codes[1])) ** 2).sum()))
        return LayerInformation(h, min(h, Binning(width=self.width)(t, y).i_ty))
'''
TASK = '''"""The majority of three bits."""

import numpy as np

from ibcore.tasks.base import Task


def load_majority() -> Task:
    """Whether at least two of three bits are set."""
    x = np.array([[i >> k & 1 for k in range(3)] for i in range(8)], dtype=np.float32)
    y = (x.sum(axis=1) >= 2).astype(int)
    return Task(name="majority", x=x, y=y, n_classes=2, description="majority of three bits")
'''
CHECK = """
import ibcore as ib
from ibcore.config import Experiment
from ibcore.papers import book_folder, papers
from ibcore.study import Study

stale = []
for chapter in papers():
    study = Study(chapter, results=book_folder() / "results")
    for name in study.experiments:
        stored = study.stored(name)
        stale += [name] if stored is None or study.store.distrusted(stored) else []
assert not stale, stale
print("trusted")
majority = Experiment(task="majority", hidden_widths=(3,), n_seeds=1, n_epochs=2, batch_size=None)
found = ib.run(majority, [ib.Collision(0.2)], progress=False)
assert found.estimator.values.tolist() == ["Collision(width=0.2)"]
assert ib.estimators.from_name("Collision(width=0.2)") == ib.Collision(0.2)
print("measured")
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """The package and its tests elsewhere, with one more ruler and one more task."""
    folder = tmp_path_factory.mktemp("copy")
    for name in ("ibcore", "tests"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    package = folder / "ibcore"
    (package / "estimators" / "collision.py").write_text(RULER)
    exports = package / "estimators" / "__init__.py"
    exports.write_text(
        exports.read_text()
        .replace(
            "from ibcore.estimators.counting",
            "from ibcore.estimators.collision import Collision\nfrom ibcore.estimators.counting",
            1,
        )
        .replace("__all__ = [\n", '__all__ = [\n    "Collision",\n', 1)
    )
    (package / "tasks" / "majority.py").write_text(TASK)
    with (package / "tasks" / "tasks.toml").open("a") as file:
        file.write('majority = "ibcore.tasks.majority:load_majority"\n')
    known = folder / "tests" / "known_rulers.py"
    known.write_text(
        known.read_text()
        .replace("    EdgeBinning,\n", "    Collision,\n    EdgeBinning,\n", 1)
        .replace(
            "SMOOTH: list[Smooth] = [\n",
            'SMOOTH: list[Smooth] = [\n    Smooth(Collision(0.07), 1e-6, ("labels", "units")),\n',
            1,
        )
    )
    return folder


def run(copy, *arguments):
    environment = {
        **os.environ,
        "PYTHONPATH": str(copy),
        "IBCORE_BOOK": str(book_folder()),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True
    )


def test_stored_results_are_trusted_and_the_new_ones_work(copy):
    done = run(copy, "-c", CHECK)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["trusted", "measured"]


def test_the_tests_of_rulers_and_tasks_are_green(copy):
    """Those that run over every ruler and every task, with the new ones among them."""
    done = run(
        copy, "-m", "pytest", "-q", "-n0", "-p", "no:cacheprovider", "tests/test_rulers.py",
        "tests/test_smooth_invariants.py", "tests/test_tasks.py", "-k",
        "name or Collision or majority or loader or every",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
    assert " passed" in done.stdout
