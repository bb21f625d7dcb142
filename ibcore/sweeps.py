"""Many experiments on many machines: blocks of seeds are the tasks of any executor.

Parts of results are only ever added, so that no two tasks meet, and what a store has is never asked
for again: the same call, repeated after anything went wrong, computes what is left.

The executor is any object whose ``submit(function, argument)`` gives something with ``done()`` and
``result()``: those of ``concurrent.futures``, of Dask, Ray and submitit. What a task itself has to
complain of is part of its answer; whatever else goes wrong is a lost worker, and the task is given
out again.
"""

import asyncio
import errno
import time
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import xarray as xr

from ibcore.estimators import Ruler, checked_rulers
from ibcore.experiments import cache_folder
from ibcore.kinds import shown, whole
from ibcore.observables import Observable
from ibcore.own import Experiment
from ibcore.papers import published_results
from ibcore.parameters import read_settings
from ibcore.results.measuring import with_performance
from ibcore.results.parts import lacking, put_together
from ibcore.results.places import Cost, note_costs
from ibcore.results.run import DEFAULT_OBSERVABLES
from ibcore.results.store import Store, blocks
from ibcore.runs import Runs
from ibcore.work import bar
from ibcore.workers import Answer, Engine, Task, engine_of, put, work

COUNT = whole(1, 10**6)
PAUSE = 0.02  # seconds between two looks at what is done
RETRIES = 3
HOPELESS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EFBIG)


@dataclass(frozen=True)
class Request:
    """A plane that is wanted."""

    experiment: Experiment
    rulers: Sequence[Ruler]
    observables: Sequence[Observable] = DEFAULT_OBSERVABLES


# What is asked for --------------------------------------------------------------------------------


class Planes(Mapping[Any, xr.Dataset]):
    """Planes by name, each put together from the store when it is asked for."""

    def __init__(self, requests: Mapping[Any, Request], store: Store):
        self.requests, self.store = requests, store

    def __getitem__(self, name: Any) -> xr.Dataset:
        """One plane."""
        one = self.requests[name]
        parts = self.store.parts(one.experiment)
        return put_together(parts, one.experiment, one.rulers, one.observables)

    def __iter__(self) -> Iterator[Any]:
        """Names, as they were given."""
        return iter(self.requests)

    def __len__(self) -> int:
        """How many."""
        return len(self.requests)


def sweep(
    experiments: Mapping[Any, Experiment] | Iterable[Experiment],
    rulers: Sequence[Ruler],
    observables: Sequence[Observable] = DEFAULT_OBSERVABLES,
    *,
    executor: Any = None,
    results: Path | str | Store | None = None,
    threads: int = 1,
    blocks_per_task: int = 1,
    progress: bool = True,
) -> Planes:
    """The planes of many experiments, computed by many workers.

    Only what the store lacks is computed, be it seeds, epochs, rulers or observables, and every
    finished task is stored at once. Numbers and files are those of ``ib.load_or_run``.

    Parameters
    ----------
    experiments : list of Experiment, or {name: Experiment}
    rulers, observables
        As in ``ib.run``.
    executor : optional
        None: this process. A whole number: so many processes of this machine. The address of a
        Dask scheduler, a Dask cluster or client. Or any object whose ``submit(function,
        argument)`` gives something with ``done()`` and ``result()``.
    results : folder or Store, optional
        The user's cache folder by default. What the book has published is read, too.
    threads : int
        Of each worker.
    blocks_per_task : int
        A task is one block of seeds, ten networks or two wide ones; take more of them where
        a block takes seconds.
    progress : bool
        Show a bar with the time left.

    Returns
    -------
    mapping
        Name, or place in the list, -> plane, read when it is asked for.

    Raises
    ------
    ValueError
        If tasks failed, with what they said; the others are stored.
    OSError
        If results cannot be written, as on a full disk, or the executor has stopped
        (ConnectionError). What is finished is stored in either case.

    Examples
    --------
    >>> import tempfile
    >>> import ibcore as ib
    >>> e = Experiment(hidden_widths=(4, 3), n_epochs=2, n_measured_epochs=2, n_seeds=2)
    >>> found = sweep({"a": e, "b": e.replace(activation="relu")}, [ib.Exact()], progress=False,
    ...               results=tempfile.mkdtemp())
    >>> found["b"].sizes["seed"]
    2
    """
    if isinstance(experiments, Experiment):
        raise ValueError("experiments must be a list or {name: Experiment}; write [experiment].")
    named = experiments if isinstance(experiments, Mapping) else dict(enumerate(experiments))
    for one in named.values():
        if not isinstance(one, Experiment):
            raise ValueError(f"experiments must be ib.Experiment, got {shown(one)}.")
    rulers, observables = checked_rulers(rulers), with_performance(observables)
    wanted = {name: Request(one, rulers, observables) for name, one in named.items()}
    store = results if isinstance(results, Store) else _store(results)
    compute(
        list(wanted.values()), store, executor=executor, threads=threads,
        blocks_per_task=blocks_per_task, progress=progress,
    )  # fmt: skip
    return Planes(wanted, store)


def _store(results: Path | str | None) -> Store:
    if results is not None:
        return Store(Path(results).resolve(), published=published_results())
    own = cache_folder()
    return Store(own / "results", published=published_results(), work=own / "work")


def tasks_of(requests: Iterable[Request], store: Store, n_blocks: int = 1) -> list[Task]:
    """What a store lacks of some planes, each network once."""
    found: dict[tuple[object, ...], Task] = {}
    for one in requests:
        whole, parts = one.experiment, store.parts(one.experiment)
        many = blocks(whole)
        for first in range(0, len(many), n_blocks):
            seeds = [seed for block in many[first : first + n_blocks] for seed in block]
            bare, rulers, unseen = lacking(parts, whole, seeds, one.rulers, one.observables)
            if bare:
                cut = whole.replace(first_seed=bare[0], n_seeds=len(bare))
                # a part without rulers cannot be
                rulers = rulers or list(one.rulers[:1])
                key = (cut.digest(), cut.seeds, *cut.epochs, *map(repr, (*rulers, *unseen)))
                found.setdefault(key, Task(cut, rulers, unseen, store))
    return list(found.values())


def compute(
    requests: Sequence[Request],
    store: Store,
    *,
    executor: Any = None,
    threads: int = 1,
    blocks_per_task: int = 1,
    progress: bool = True,
) -> int:
    """Compute what a store lacks of some planes; returns how many tasks that were."""
    COUNT.checked("threads", threads)
    COUNT.checked("blocks_per_task", blocks_per_task)
    store.check_writable()
    tasks = tasks_of(requests, store, blocks_per_task)
    with _marked(store.root) as mark, engine_of(executor) as engine:
        sent = [replace(one, mark=mark, threads=threads) for one in tasks]
        _Loop(engine, sent, store, progress and bool(tasks)).run()
    for one in tasks:
        store.sweep(one.experiment)
    return len(tasks)


def of_file(
    what: str,
    *,
    profile: str,
    only: Sequence[str],
    settings: Sequence[str],
    results: Path | None,
    **options: Any,
) -> tuple[int, Path, list[tuple[str, ...]]]:
    """``compute`` for the experiments of a file or of a chapter, as the command line asks for it.

    Returns
    -------
    how many tasks were computed, the folder of results, (name, digest, seeds) of each experiment
    """
    changes = read_settings(settings)
    named = {name: changes.pop(name) for name in ("ruler", "data") if name in changes}
    runs = Runs(
        what, profile=profile, results=results and results.resolve(), changes=changes, **named
    )
    names = list(only or runs.experiments)
    wanted = [
        Request(
            runs.asked(name), checked_rulers(runs.estimators(name)),
            with_performance(runs.observables(name)),
        )
        for name in names
    ]  # fmt: skip
    n_tasks = compute(wanted, runs.store, **options)
    rows: list[tuple[str, ...]] = [
        (name, one.experiment.digest(), str(one.experiment.n_seeds))
        for name, one in zip(names, wanted, strict=True)
    ]
    return n_tasks, runs.store.root, rows


@contextmanager
def _marked(root: Path) -> Iterator[str]:
    """A file by which a worker sees that a folder is the one of this sweep."""
    path = root / f".sweep-{uuid.uuid4().hex}"
    path.touch()
    try:
        yield path.name
    finally:
        path.unlink(missing_ok=True)


# The loop -----------------------------------------------------------------------------------------


class _Loop:
    """Gives tasks out, takes answers in, and gives lost tasks out again."""

    def __init__(self, engine: Engine, tasks: Sequence[Task], store: Store, progress: bool):
        self.engine, self.store, self.progress = engine, store, progress
        self.waiting, self.total = deque((task, 0) for task in tasks), len(tasks)
        self.running: dict[Any, tuple[Task, int]] = {}
        self.faults: dict[str, str] = {}
        self.took: dict[str, list[float]] = {}

    def run(self) -> None:
        """Until nothing is left."""
        networks = sum(task.experiment.n_seeds for task, _ in self.waiting)
        with bar(networks, f"sweep of {self.total} tasks", "network", self.progress) as self.bar:
            try:
                while self.waiting or self.running:
                    while self.waiting and len(self.running) < self.engine.ahead:
                        self._give_out(*self.waiting.popleft())
                    for one in self._ended():
                        self._take_in(one, *self.running.pop(one))
            finally:
                for one in self.running:
                    with suppress(Exception):  # an engine that is gone cancels nothing
                        one.cancel()
                with suppress(OSError):  # costs only order work
                    note_costs(self.store.root, {one: Cost(*t) for one, t in self.took.items()})
        if self.faults:
            raise ValueError(
                f"{len(self.faults)} of {self.total} tasks failed, the others are stored: "
                f"{'; '.join(f'{name}: {said}' for name, said in self.faults.items())}."
            )

    def _ended(self) -> list[Any]:
        while not (ended := [one for one in self.running if one.done()]) and self.running:
            time.sleep(PAUSE)
        return ended

    def _give_out(self, task: Task, tries: int) -> None:
        sealed = task.sealed()
        try:
            self.running[self.engine.submit(work, sealed)] = (task, tries)
        except Exception as error:  # whatever an engine that has stopped says
            self.waiting.appendleft((task, tries))
            if not self.engine.renew():
                for one in [one for one in self.running if one.done()]:
                    self._take_in(one, *self.running.pop(one))
                raise ConnectionError(self._stopped(error)) from error

    def _stopped(self, error: BaseException) -> str:
        left = len(self.waiting) + len(self.running)
        return (
            f"the executor has stopped ({type(error).__name__}: {error}); {self.total - left} of "
            f"{self.total} tasks are stored. Start it again and repeat the call, which computes "
            "what is left."
        )

    def _take_in(self, future: Any, task: Task, tries: int) -> None:
        try:
            answer: Answer = future.result()
        except (Exception, asyncio.CancelledError) as error:  # a lost worker, in any engine's words
            if tries < RETRIES:
                self.waiting.append((task, tries + 1))
            else:
                self.faults[_name(task)] = f"its worker was lost {tries + 1} times ({error!r})"
            return
        if answer.error in HOPELESS:
            raise OSError(answer.error, answer.fault)
        if answer.fault:
            self.faults[_name(task)] = answer.fault
        else:
            put(answer.files, self.store)
            took = self.took.setdefault(task.experiment.digest(), [0.0, 0.0])
            took[:] = took[0] + answer.seconds, max(took[1], answer.gib)
        self.bar.update(task.experiment.n_seeds)


def _name(task: Task) -> str:
    seeds = task.experiment.seeds
    return f"{task.experiment.digest()}, seeds {seeds[0]} to {seeds[-1]}"
