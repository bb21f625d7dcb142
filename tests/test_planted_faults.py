"""Faults planted in rules, vocabulary and evidence: each turns a test red."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FAULTS = {
    "layers swapped": (
        "ibcore/claims/criteria.py", "return found.sel(layer=layer, drop=True)",
        "return found.isel(layer=-layer, drop=True)", "test_criteria",
    ),
    "clocks mixed": (
        "ibcore/claims/clocks.py", "end = min(float(plane[clock][-1]) for plane in pair)",
        'end = min(float(plane["epoch"][-1]) for plane in pair)', "test_criteria",
    ),
    "cut at a checkpoint": (
        "ibcore/claims/clocks.py", "there = a + (at - below) * (b - a)", "there = a",
        "test_criteria",
    ),
    "rulers swapped": (
        "ibcore/claims/criteria.py", "return first - others[0] if others else first",
        "return others[0] - first if others else first", "test_criteria",
    ),
    "seeds dropped": (
        "ibcore/claims/cells.py", "    found = np.asarray(values, dtype=float)\n",
        "    found = np.asarray(values, dtype=float)[:10]\n", "test_criteria",
    ),
    "sign turned": (
        "ibcore/claims/effects.py", "return -signed_change(plane, estimator)",
        "return signed_change(plane, estimator)", "test_criteria",
    ),
    "networks that are not there": (
        "ibcore/claims/intervals.py", "if len(groups) == 1:\n        return values[chosen[0]]",
        "if True:\n        return values[chosen[0]]", "test_intervals",
    ),
    "min for max over checkpoints": (
        "ibcore/claims/effects.py", 'return ix.max("epoch") - final(ix)',
        'return ix.min("epoch") - final(ix)', "test_criteria",
    ),
    "and for or": (
        "ibcore/claims/decide.py", "return any(one.mark in against for one in able)",
        "return all(one.mark in against for one in able)", "test_decide",
    ),
    "an open interval agrees": (
        "ibcore/claims/decide.py", "if all(intervals.beyond(side, end, line) for end in ends)",
        "if any(intervals.beyond(side, end, line) for end in ends)", "test_decide",
    ),
    "one more network has learnt": (
        "ibcore/claims/effects.py", "0.5 * (majority(plane) + accuracy.max())",
        "0.48 * (majority(plane) + accuracy.max())", "test_criteria",
    ),
    "the secondary test gives the word": (
        "ibcore/claims/words.py", "primary = tests[0]", "primary = tests[-1]", "test_decide",
    ),
    "red on a stand-in": (
        "ibcore/claims/words.py", '"opposite": "not seen on a stand-in",', "", "test_decide",
    ),
    "no correction for looking": (
        "ibcore/claims/decide.py", "(len(raw) - rank) * (raw[i] or 0.0)", "(raw[i] or 0.0)",
        "test_decide",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("copy")
    ignore = shutil.ignore_patterns("__pycache__", "results", "*.ipynb", "_static")
    for name in ("ibcore", "tests", "book"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    for name in ("pyproject.toml", "_toc.yml"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.mark.long
@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_turns_a_test_red(copy, name):
    file, old, new, tests = FAULTS[name]
    path = copy / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} must stand in {file} once"
    path.write_text(text.replace(old, new), encoding="utf-8")
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-n0", "-p", "no:cacheprovider",
             f"tests/{tests}.py"],
            cwd=copy, capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
    finally:
        path.write_text(text, encoding="utf-8")
    assert done.returncode == 1, done.stdout[-2000:]
    assert " failed" in done.stdout
