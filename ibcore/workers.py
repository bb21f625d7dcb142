"""A task of a sweep on its worker, and the executors that bring it there.

A task trains and measures a few networks in a scratch folder. Where the worker sees the folder of
results it puts its files there, each whole; where it does not, they travel home with its answer.
"""

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from ibcore.estimators import Ruler
from ibcore.files import write_whole
from ibcore.kinds import shown
from ibcore.observables import Observable
from ibcore.own import GROUPS, Experiment, register, registered
from ibcore.results.parts import lacking
from ibcore.results.places import peak_gib
from ibcore.results.run import load_or_run
from ibcore.results.store import Store, blocks

try:  # functions of a notebook travel only with it
    import cloudpickle as pickle
except ImportError:
    import pickle

AHEAD = 4000  # tasks that an executor holds: more than there are workers, less than fill its memory


@dataclass(frozen=True)
class Task:
    """Networks that one worker trains and measures."""

    experiment: Experiment
    rulers: Sequence[Ruler]
    observables: Sequence[Observable]
    store: Store
    mark: str = ""
    threads: int = 1

    def sealed(self) -> bytes:
        """The task with the pieces of one's own that it names, as bytes."""
        named = {kind: getattr(self.experiment, kind) for kind in GROUPS}
        pieces = {kind: registered(kind, name) for kind, name in named.items()}
        own = {kind: one for kind, one in pieces.items() if one is not None}
        try:
            return bytes(pickle.dumps((own, self)))
        except Exception as error:  # whatever a reader's object says
            raise ValueError(
                f"{self.experiment.digest()} cannot be sent to another process ({error}); "
                "`pip install cloudpickle` lets functions of a notebook travel."
            ) from error


@dataclass
class Answer:
    """What became of a task: its files where they could not be left, or why there are none."""

    seconds: float = 0.0
    gib: float = 0.0
    files: dict[str, bytes] = field(default_factory=dict)
    fault: str = ""
    error: int = 0  # of the system, where that stops everything


def work(sealed: bytes) -> Answer:
    """On a worker: one task from its bytes to its answer; nothing is raised."""
    clock = time.perf_counter()
    try:
        pieces, task = pickle.loads(sealed)
        for kind, piece in pieces.items():
            register(kind, piece)
        files = _computed(task)
    except OSError as error:
        return Answer(fault=str(error), error=error.errno or 0)
    except Exception as error:
        return Answer(fault=f"{type(error).__name__}: {error}")
    return Answer(time.perf_counter() - clock, peak_gib(), files)


def _computed(task: Task) -> dict[str, bytes]:
    """Compute a task; its files, unless they could be put where they belong."""
    e, home = task.experiment, task.store.root
    near = (home / task.mark).is_file()
    if near and _is_there(task):
        return {}
    with tempfile.TemporaryDirectory() as folder:
        scratch = Store(Path(folder))
        for seeds in blocks(e) if near else ():
            if (weights := task.store.weights(e, seeds)) is not None:
                scratch.keep(weights)
        load_or_run(
            e, task.rulers, task.observables, store=scratch, threads=task.threads, progress=False
        )
        paths = [path for kind in ("*.npz", "*.nc") for path in Path(folder).glob(f"*/*/{kind}")]
        files = {str(path.relative_to(folder)): path.read_bytes() for path in paths}
    return files if not near else put(files, task.store)


def _is_there(task: Task) -> bool:
    """Whether a worker that was lost had left everything before its answer came home."""
    e, store = task.experiment, task.store
    if not store.older_parts(e):
        return False
    return not lacking(store.parts(e), e, e.seeds, task.rulers, task.observables)[0]


def put(files: Mapping[str, bytes], store: Store) -> dict[str, bytes]:
    """Write files to a store; nothing is left of them."""
    for name, content in files.items():
        root = (store.work or store.root) if name.startswith("weights") else store.root
        if not (root / name).exists():
            write_whole(root / name, content)
    return {}


# Executors ----------------------------------------------------------------------------------------


class Engine:
    """An executor, how many tasks it may hold, and how to make a new one where that is ours."""

    def __init__(self, executor: Any, make: Callable[[], Any] | None = None, ahead: int = AHEAD):
        self.executor, self.make, self.ahead = executor, make, ahead

    def submit(self, function: Callable[[bytes], Answer], sealed: bytes) -> Any:
        """What will hold the answer."""
        return self.executor.submit(function, sealed)

    def renew(self) -> bool:
        """A new executor in the place of a broken one; False where it is not ours."""
        if self.make is None:
            return False
        self.executor.shutdown(wait=False, cancel_futures=True)
        self.executor = self.make()
        return True


class _Here:
    """The process that asks: a task is done when it is given out."""

    def submit(self, function: Callable[[bytes], Answer], sealed: bytes) -> "Future[Answer]":
        done: Future[Answer] = Future()
        done.set_result(function(sealed))
        return done


@contextmanager
def engine_of(executor: Any) -> Iterator[Engine]:
    """The executor that is meant; what is made for it here is closed again."""
    if executor is None:
        yield Engine(_Here(), ahead=1)
    elif isinstance(executor, int) and not isinstance(executor, bool) and executor >= 1:
        # spawn: a fork would share the locks of compiled loops
        def make() -> ProcessPoolExecutor:
            return ProcessPoolExecutor(executor, mp_context=get_context("spawn"))

        ours = Engine(make(), make)
        try:
            yield ours
        finally:
            ours.executor.shutdown(cancel_futures=True)
    elif isinstance(executor, str) or hasattr(executor, "scheduler_address"):
        with _dask(executor) as client:
            yield Engine(client.get_executor(pure=False))
    elif hasattr(executor, "get_executor"):  # a client of Dask
        yield Engine(executor.get_executor(pure=False))
    elif hasattr(executor, "submit"):
        yield Engine(executor)
    else:
        raise ValueError(
            "executor must be None, a number of processes, the address of a Dask scheduler, a "
            f"cluster, or an object with submit(function, argument); got {shown(executor)}."
        )


def _dask(where: Any) -> Any:
    try:
        from distributed import Client
    except ImportError as error:
        raise ValueError(
            "a Dask scheduler needs the package distributed: pip install 'ibcore[dask]'."
        ) from error
    try:
        return Client(where, timeout=os.environ.get("IBCORE_DASK_TIMEOUT", "30s"))
    except OSError as error:
        raise ConnectionError(f"no Dask scheduler answers at {where}: {error}") from error
