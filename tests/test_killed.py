"""A run that is killed, at any moment, is taken up again and ends as if it had not been."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import xarray as xr

from ibcore.config import Experiment
from ibcore.estimators import Binning
from ibcore.experiment import load_or_run, run
from ibcore.store import Store

EXPERIMENT = Experiment(n_seeds=30, n_epochs=150, n_measured_epochs=10, batch_size=None)
PROGRAM = """
import sys
from pathlib import Path
from ibcore.config import Experiment
from ibcore.estimators import Binning
from ibcore.experiment import load_or_run
from ibcore.store import Store
experiment = Experiment.from_json(sys.argv[2])
load_or_run(experiment, [Binning()], store=Store(Path(sys.argv[1])), progress=False)
"""


def start(folder: Path) -> subprocess.Popen:
    return subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder), EXPERIMENT.to_json()])


@pytest.mark.long
@pytest.mark.parametrize("blocks_done", [0, 1, 2, 3])
def test_a_killed_run_is_taken_up(tmp_path, blocks_done):
    """SIGKILL once so many blocks of weights are there; then nothing partial is read."""
    process = start(tmp_path)
    while len(list(tmp_path.rglob("*.npz"))) < blocks_done and process.poll() is None:
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.npz")}
    assert len(kept) >= blocks_done
    found = load_or_run(EXPERIMENT, [Binning()], store=Store(tmp_path), progress=False)
    assert all(path.stat().st_mtime_ns == when for path, when in kept.items())
    whole = run(EXPERIMENT, [Binning()], progress=False)
    names = ["i_xt", "i_ty", "loss"]
    xr.testing.assert_identical(
        found[names].drop_attrs(deep=False), whole[names].drop_attrs(deep=False)
    )
