"""Many experiments on all cores: the longest first, as many at once as memory holds.

Each experiment runs in a process of its own, so that one that fails or needs much memory leaves the
others alone, and what is finished is stored at once.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tqdm import tqdm

from ibcore.results.memory import GIB, memory
from ibcore.results.places import Cost
from ibcore.study import Study
from ibcore.work import progress_wanted

UNKNOWN = Cost(60.0, 1.0)  # of an experiment that never ran: it starts before all others
SHARE = 0.8  # of the memory there is
GRACE = 5.0  # seconds that a process has to end by itself
PAUSE = 0.1  # seconds between two looks at the processes


@dataclass(frozen=True)
class Job:
    """Commands that run one after the other: they share networks."""

    name: str
    commands: tuple[tuple[str, ...], ...]
    cost: Cost | None = None

    @property
    def expected(self) -> Cost:
        """What it cost the last time, or a guess."""
        return self.cost or UNKNOWN


def jobs(
    studies: Sequence[Study],
    options: Sequence[str],
    known: Mapping[str, Cost],
    only: Sequence[str] = (),
    recompute: bool = False,
) -> list[Job]:
    """What has to be computed: one job for each digest, whatever chapters ask for it.

    Parameters
    ----------
    studies : sequence of Study
    options : sequence of str
        Of ``python -m ibcore run``, for every command.
    known : {digest: Cost}
    only : sequence of str
        Names of experiments; all by default.
    recompute : bool
        What is stored, too.
    """
    wanted: dict[str, list[tuple[str, str]]] = {}
    for study in studies:
        for name in only or study.experiments:
            if recompute or study.stored(name) is None:
                wanted.setdefault(study.experiments[name].digest(), []).append(
                    (study.chapter, name)
                )
    run = (sys.executable, "-m", "ibcore", "run")
    return [
        Job(
            " ".join(many[0]),
            tuple((*run, chapter, "--only", name, *options) for chapter, name in many),
            known.get(digest),
        )
        for digest, many in wanted.items()
    ]


def in_order(many: Sequence[Job]) -> list[Job]:
    """Those that never ran, then the longest first: short ones fill the gaps at the end."""
    return sorted(many, key=lambda job: (job.cost is not None, -job.expected.seconds))


class _Running:
    """A job at work; its output goes to a file."""

    def __init__(self, job: Job, log: Path, environment: Mapping[str, str]):
        self.job, self.log, self.environment = job, log, environment
        self.waiting, self.started = list(job.commands), time.perf_counter()
        self.file: IO[bytes] = log.open("wb")
        self.process = self._next()

    def _next(self) -> subprocess.Popen[bytes]:
        command = self.waiting.pop(0)
        return subprocess.Popen(
            command, stdout=self.file, stderr=subprocess.STDOUT, env={**self.environment}
        )

    def ended(self) -> bool:
        """Whether the last of its commands has ended, or one has failed."""
        code = self.process.poll()
        if code is None:
            return False
        if code == 0 and self.waiting:
            self.process = self._next()
            return False
        self.file.close()
        return True

    def stop(self) -> None:
        """End it as Ctrl-C would, or, where a long measurement does not listen, at once.

        What is finished is stored in either case.
        """
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.file.close()

    def fault(self) -> str | None:
        """The last line of a command that failed."""
        if self.process.returncode == 0:
            return None
        lines = self.log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self.process.returncode}"


def run_jobs(
    many: Sequence[Job], workers: int, logs: Path, *, threads: int = 1, progress: bool = True
) -> None:
    """Run jobs in processes, ``workers`` at once.

    Parameters
    ----------
    many : sequence of Job
    workers : int
    logs : Path
        Folder for what the processes print.
    threads : int
        Of each process.
    progress : bool
        Show one bar for all, with the time left.

    Raises
    ------
    ValueError
        If some failed, with the last line of each; the others have been computed.
    """
    logs.mkdir(parents=True, exist_ok=True)
    names = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")
    environment = {**os.environ, "IBCORE_PROGRESS": "0", **dict.fromkeys(names, str(threads))}
    there = SHARE * memory() / GIB
    pending, running, faults = in_order(many), list[_Running](), list[str]()
    total = sum(job.expected.seconds for job in many)
    with tqdm(
        total=round(total),
        disable=not (progress and progress_wanted()),
        bar_format="{desc} {percentage:3.0f}%|{bar}| {elapsed} gone, {remaining} left",
        desc=f"0 of {len(many)} experiments",
    ) as shown:
        try:
            while pending or running:
                held = sum(one.job.expected.gib for one in running)
                fitting = [job for job in pending if held + job.expected.gib <= there]
                if len(running) < workers and pending and (fitting or not running):
                    job = (fitting or pending)[0]
                    pending.remove(job)
                    place = len(many) - len(pending)
                    log = logs / f"{place:03d}-{job.name.replace(' ', '-')}.log"
                    running.append(_Running(job, log, environment))
                    continue
                time.sleep(PAUSE)
                for one in [one for one in running if one.ended()]:
                    running.remove(one)
                    if said := one.fault():
                        faults.append(f"{one.job.name}: {said}")
                    done = len(many) - len(pending) - len(running)
                    shown.set_description_str(f"{done} of {len(many)} experiments")
                    shown.update(round(one.job.expected.seconds))
        finally:
            for one in running:
                one.stop()
    if faults:
        raise ValueError(
            f"{len(faults)} of {len(many)} experiments failed, the others are stored: "
            f"{'; '.join(faults)}. All they said is in {logs}."
        )
