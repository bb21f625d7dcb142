"""What works with the core alone, and what is said where an extra is missing."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import ibcore

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
IMPORTED_AS = {"scikit-learn": "sklearn"}
CORE = {Requirement(one).name for one in PROJECT["dependencies"]}
EXTRAS = {
    name: {Requirement(one).name for one in listed}
    for name, listed in PROJECT["optional-dependencies"].items()
}
# What is hidden is not found, as if it were not installed.
HIDDEN = """
import sys
from importlib.machinery import PathFinder
class Hidden(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        hidden = name.partition(".")[0] in {hidden!r}
        return None if hidden else PathFinder.find_spec(name, path, target)
sys.meta_path[:] = [Hidden if one is PathFinder else one for one in sys.meta_path]
"""
ALONE = """
import numpy as np, torch
import ibcore as ib
x = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2))
y = (x[:, 0] > 0).astype(int)
plane = ib.measure(net, x, y, estimators=[ib.Binning(30), ib.KernelBound(0.1)])
print(plane.sizes["layer"])
e = ib.Experiment(task=ib.task_from_arrays(x, y, name="sides"), n_epochs=2, n_seeds=1)
print(ib.train(e, progress=False).ensemble(-1).widths[-1])
for name in ("plots", "run", "sweep", "Study", "Store"):
    try:
        getattr(ib, name)
    except ImportError as error:
        print(name, error)
"""


def run(script, *hidden, arguments=("-c",)):
    code = HIDDEN.format(hidden=set(hidden)) + script
    return subprocess.run(
        [sys.executable, *arguments, code], env={**os.environ, "IBCORE_PROGRESS": "0"},
        capture_output=True, text=True,
    )  # fmt: skip


def test_the_core_measures_and_trains_alone_and_names_the_extras():
    done = run(ALONE, *ibcore.EXTRAS, "cloudpickle", "dask", "bs4", "yaml", "jupytext", "papermill")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == ["3", "2"]
    said = dict(line.split(" ", 1) for line in lines[2:])
    assert said["plots"] == (
        "this needs the package matplotlib, which is not installed: pip install 'ibcore[plots]'"
    )
    for name in ("run", "sweep", "Study", "Store"):
        assert "pip install 'ibcore[store]'" in said[name]


@pytest.mark.parametrize(("package", "extra"), [("typer", "cli"), ("filelock", "store")])
def test_the_command_line_names_the_extra(package, extra):
    done = run("import ibcore.__main__ as m; m.main()", package)
    assert done.returncode == 2
    assert f"pip install 'ibcore[{extra}]'" in done.stderr


def test_every_package_is_core_or_in_an_extra_that_names_it():
    assert {"numba", "numpy", "scipy", "torch", "tqdm", "xarray"} == CORE
    for name, extra in ibcore.EXTRAS.items():
        assert name in {IMPORTED_AS.get(one, one) for one in EXTRAS[extra]}
    named = set().union(*(EXTRAS[one] for one in ("plots", "store", "cli", "data", "dask")))
    assert EXTRAS["all"] == named
    assert not named & CORE
