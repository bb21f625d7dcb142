"""The package without the book: a module is measured, networks trained, a reader's claim judged."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import tiny_paper

ROOT = Path(__file__).parents[1]
SCRIPT = """
import numpy as np
import torch
import ibcore as ib

assert ib.__file__.startswith({folder!r}), ib.__file__
x = np.random.default_rng(0).normal(size=(256, 4)).astype(np.float32)
module = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2))
plane = ib.measure(module, x, (x[:, 0] > 0).astype(int), estimators=[ib.Binning(width=0.5)])
print(plane.sizes["layer"], "layers measured")
study = ib.Study("tiny")
print(study.plane("small").sizes["seed"], "networks trained")
for claim in study.claims:
    print(claim.id, study.verdict(claim.id).verdict)
"""


def test_a_wheel_is_enough_for_networks_and_claims_of_ones_own(tmp_path):
    shutil.copytree(ROOT / "ibcore", tmp_path / "site" / "ibcore",
                    ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    papers = tiny_paper.write(tmp_path / "papers")
    environment = {key: value for key, value in os.environ.items() if key != "IBCORE_BOOK"}
    environment |= {
        "PYTHONPATH": str(tmp_path / "site"),
        "IBCORE_PAPERS": str(papers),
        "IBCORE_CACHE": str(tmp_path / "cache"),
        "IBCORE_PROGRESS": "0",
    }
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(folder=str(tmp_path / "site"))],
        cwd=tmp_path, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "12 networks trained" in lines
    assert [line.split(" ", 1)[0] for line in lines[-5:]] == [f"TINY-{k}" for k in range(1, 6)]
    assert lines[-5] == "TINY-1 holds"
    assert lines[-1] == "TINY-5 waiting for its run"
    listed = subprocess.run(
        [sys.executable, "-m", "ibcore", "list"], cwd=tmp_path, env=environment,
        capture_output=True, text=True,
    )  # fmt: skip
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.split()[-1] == "yours"
