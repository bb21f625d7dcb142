"""Processes that compute a small result, to be killed or set against each other.

A server imports everything once and forks: a process is there in milliseconds, so that a kill hits
its work and not its imports.

    python result_processes.py    reads jobs, one JSON a line, and answers with process ids
"""

import faulthandler
import itertools
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from ibcore.config import Experiment
from ibcore.estimators import Binning, Exact
from ibcore.files import write_whole
from ibcore.results import store as shelves
from ibcore.results.run import DEFAULT_OBSERVABLES, load_or_run
from ibcore.results.store import Store

EXPERIMENT = Experiment(
    hidden_widths=(4, 3),
    n_seeds=6,
    n_epochs=6,
    n_measured_epochs=4,
    batch_size=None,
    learning_rate=0.01,
)
RULERS = [Binning(n_bins=30, low=-1.0, high=1.0), Exact()]
OBSERVABLES = list(DEFAULT_OBSERVABLES)
BLOCK = 2  # seeds: three blocks, each with a file of weights and one of numbers
PATIENCE = 100.0  # seconds, after which a process shows where it hangs and ends
STEPS = 18  # in writing six files: each is made, brought to the disk, renamed


# In a process -------------------------------------------------------------------------------------


def compute(folder, first=0, n=6, recompute=False, die_before=0):
    """Add seeds to a result; be killed before a step of writing, if one is named."""
    if die_before:
        _die_before(die_before)
    asked = EXPERIMENT.replace(first_seed=first, n_seeds=n)
    store = Store(Path(folder))
    load_or_run(
        asked, RULERS, OBSERVABLES, store=store, recompute=recompute, threads=1, progress=False
    )


def save_again(folder, seconds):
    """Write the weights and the numbers of the first block over and over."""
    paths = [min(Path(folder).glob(f"*/*/{pattern}")) for pattern in ("*.npz", "*.nc")]
    contents, end = [path.read_bytes() for path in paths], time.monotonic() + seconds
    while time.monotonic() < end:
        for path, content in zip(paths, contents, strict=True):
            write_whole(path, content)


def _die_before(step):
    """SIGKILL before so many steps of writing or of removing a result."""
    steps = itertools.count(1)

    def counted(module, name, counts=lambda *_: True, last_act=lambda *_: None):
        function = getattr(module, name)

        def call(*given, **named):
            if counts(*given) and next(steps) == step:
                last_act(*given)
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*given, **named)

        setattr(module, name, call)

    counted(tempfile, "mkstemp")
    counted(os, "fsync", last_act=lambda file: os.ftruncate(file, os.fstat(file).st_size // 2))
    counted(os, "replace")
    counted(os, "unlink", lambda path, *_: Path(path).suffix in (".nc", ".npz"))


# The server ---------------------------------------------------------------------------------------


def serve():
    tqdm.monitor_interval = 0  # no thread of it when we fork
    # Its own lock is shared by all forks: one that is killed while it holds it stops the others.
    tqdm.set_lock(threading.RLock())
    shelves.BLOCK = BLOCK
    with tempfile.TemporaryDirectory() as folder:
        compute(folder)  # loads what is compiled
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # who has ended is gone, not a zombie
    print("ready", flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        process = os.fork()
        if process == 0:
            _child(**job)
        print(process, flush=True)


def _child(kind, answer, given):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    said = "done"
    try:
        {"compute": compute, "save": save_again}[kind](**given)
    except BaseException:
        said = traceback.format_exc()
    Path(answer).write_text(said)
    os._exit(0)


# In a test ----------------------------------------------------------------------------------------


@dataclass
class Process:
    """One that the server forked."""

    pid: int
    answer: Path
    doomed: bool

    def alive(self):
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self):
        if self.alive():
            os.kill(self.pid, signal.SIGKILL)
            self.doomed = True
        return self.wait()

    def wait(self):
        """How it ended: done, killed, or what went wrong."""
        while self.alive():
            time.sleep(0.002)
        answer = self.answer.read_text() if self.answer.exists() else ""
        return answer or ("killed" if self.doomed else "crashed")


class Server:
    """Starts processes."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory()
        self.numbers = itertools.count()
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([sys.executable, __file__], **pipes)
        assert self.process.stdout.readline() == "ready\n"

    def start(self, folder, kind="compute", **given):
        answer = Path(self.folder.name) / str(next(self.numbers))
        job = {"kind": kind, "answer": str(answer), "given": {"folder": str(folder), **given}}
        print(json.dumps(job), file=self.process.stdin, flush=True)
        return Process(int(self.process.stdout.readline()), answer, "die_before" in given)

    def close(self):
        self.process.communicate()
        self.folder.cleanup()


if __name__ == "__main__":
    serve()
