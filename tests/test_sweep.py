"""Sweeps: the bits of a local run on any engine, nothing lost, nothing computed twice."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from typer.testing import CliRunner

import ibcore as ib
from ibcore import cli, sweeps, workers
from ibcore.estimators import checked_rulers
from ibcore.papers import book_folder
from ibcore.results import run as running
from ibcore.results.store import Store, blocks
from ibcore.sweeps import Request, compute, tasks_of
from ibcore.training import Trajectory
from ibcore.workers import Answer, work

BASE = ib.Experiment(
    hidden_widths=(4, 3), n_epochs=4, n_measured_epochs=3, n_seeds=12, learning_rate=0.01
)
MANY = {name: BASE.replace(activation=name) for name in ("tanh", "relu")}
RULERS = [ib.Binning(n_bins=30), ib.Exact()]


class Here:
    """An executor of the protocol, in this process; it may lose tasks."""

    def __init__(self, lost=0, stops_at=None, answer=work):
        self.lost, self.stops_at, self.answer, self.given = lost, stops_at, answer, 0

    def submit(self, function, sealed):
        assert function is work
        self.given += 1
        if self.given == self.stops_at:
            raise RuntimeError("cannot schedule new futures after shutdown")
        future = Future()
        if self.lost:
            self.lost -= 1
            future.set_exception(CancelledError("the worker is gone"))
        else:
            future.set_result(self.answer(sealed))
        return future


@pytest.fixture
def count_training(monkeypatch):
    """Seeds that are trained, in order."""
    trained, train = [], running.train

    def counted(experiment, *, seeds, **options):
        trained.extend(seeds)
        return train(experiment, seeds=seeds, **options)

    monkeypatch.setattr(running, "train", counted)
    return trained


@pytest.fixture(scope="module")
def serial(tmp_path_factory):
    """What ib.load_or_run gives, and its files."""
    store = Store(tmp_path_factory.mktemp("serial"))
    return store, {
        name: ib.load_or_run(e, RULERS, store=store, threads=1, progress=False)
        for name, e in MANY.items()
    }


def swept(folder, executor=None, experiments=MANY, rulers=RULERS, **options):
    return ib.sweep(
        experiments, rulers, executor=executor, results=Store(folder), progress=False, **options
    )


def assert_same(found, serial):
    """Bit for bit, in planes and weights, and no file that is not there in the serial run."""
    store, planes = serial
    assert set(found) == set(planes)
    for name, expected in planes.items():
        xr.testing.assert_identical(found[name].drop_attrs(), expected.drop_attrs())
        for seeds in blocks(MANY[name]):
            mine, theirs = (one.weights(MANY[name], seeds) for one in (found.store, store))
            np.testing.assert_array_equal(mine.parameters, theirs.parameters)
    assert len(files(found.store.root)) == len(files(store.root))
    assert list(found.store.root.glob(".sweep*")) == []


def files(folder):
    return sorted(p for kind in ("*.nc", "*.npz") for p in Path(folder).glob(f"*/*/{kind}"))


# The same


def test_a_sweep_is_the_serial_run(tmp_path, serial, count_training):
    assert_same(swept(tmp_path), serial)
    assert sorted(count_training) == sorted([*range(12)] * 2)
    assert set(json.loads((tmp_path / "costs.json").read_text())) == {
        e.digest() for e in MANY.values()
    }


def test_results_travel_home_where_the_worker_does_not_see_the_folder(tmp_path, serial):
    def elsewhere(sealed):
        marks = list(tmp_path.glob(".sweep-*"))
        (hidden,) = marks
        moved = hidden.rename(tmp_path / ".away")
        answer = work(sealed)
        moved.rename(hidden)
        assert len(answer.files) == 2
        assert list(tmp_path.glob("planes/*/*"))[:1] == before
        before[:] = []
        return answer

    before = []
    found = ib.sweep(
        {"tanh": BASE.replace(n_seeds=3)}, RULERS, executor=Here(answer=elsewhere),
        results=Store(tmp_path), progress=False,
    )  # fmt: skip
    expected = serial[1]["tanh"].sel(seed=[0, 1, 2])
    xr.testing.assert_identical(found["tanh"].drop_attrs(), expected.drop_attrs())


def test_threads_are_an_executor(tmp_path, serial):
    """Any executor of concurrent.futures; two tasks on one result at the same time."""
    with ThreadPoolExecutor(2) as pool:
        assert_same(swept(tmp_path, pool), serial)


def test_a_list_gives_its_places(tmp_path):
    found = swept(tmp_path, experiments=[BASE.replace(n_seeds=1)])
    assert list(found) == [0]
    assert len(found) == 1
    assert found[0].sizes["seed"] == 1


# Only what is new


def test_what_is_there_is_not_computed_again(tmp_path, count_training):
    """More seeds train the new ones, more rulers none, the same call nothing at all."""
    store, e = Store(tmp_path), BASE.replace(n_seeds=10)

    def seen(experiment, rulers=RULERS):
        count_training.clear()
        n = compute([Request(experiment, rulers)], store, progress=False)
        return n, list(count_training)

    assert seen(e) == (1, [*range(10)])
    assert seen(e) == (0, [])
    assert seen(e.replace(n_seeds=14)) == (1, [10, 11, 12, 13])
    assert seen(e, [*RULERS, ib.Binning(width=0.5)]) == (1, [])
    assert seen(e.replace(measured_epochs=(1,))) == (0, [])
    assert seen(e.replace(measured_epochs=(3,))) == (1, [*range(10)])
    assert seen(e, [*RULERS, ib.Binning(width=0.7)]) == (1, [])


def test_one_network_is_asked_for_once(tmp_path):
    """Two names of one experiment, and seeds that two requests share."""
    wanted = [Request(BASE, RULERS), Request(BASE, RULERS), Request(MANY["tanh"], RULERS)]
    found = tasks_of(wanted, Store(tmp_path))
    assert [task.experiment.seeds for task in found] == [tuple(range(10)), (10, 11)]
    assert len(tasks_of(wanted, Store(tmp_path), 2)) == 1


def test_weights_of_an_earlier_run_spare_the_training(tmp_path, count_training):
    swept(tmp_path, blocks_per_task=2)
    count_training.clear()
    found = swept(tmp_path, rulers=[ib.Binning(width=0.3)], blocks_per_task=2)
    assert count_training == []
    assert found["relu"].estimator.values.tolist() == [repr(ib.Binning(width=0.3))]


# Lost


@pytest.mark.parametrize("lost", [1, 3])
def test_a_lost_task_is_given_out_again(tmp_path, serial, lost):
    assert_same(swept(tmp_path, Here(lost=lost)), serial)


def test_a_task_that_is_lost_again_and_again_is_named_and_the_others_are_stored(tmp_path):
    one = {"tanh": BASE.replace(n_seeds=2)}
    with pytest.raises(
        ValueError, match=r"1 of 1 tasks failed.*seeds 0 to 1: its worker was lost 4"
    ):
        swept(tmp_path, Here(lost=100), one)


def test_a_task_that_fails_is_named_and_the_others_are_stored(tmp_path):
    def answer(sealed):
        answers.append(1)
        return Answer(fault="ValueError: no such data") if len(answers) == 2 else work(sealed)

    answers = []
    with pytest.raises(ValueError, match=r"1 of 4 tasks failed.*seeds 10 to 11: ValueError: no su"):
        swept(tmp_path, Here(answer=answer))
    assert len(tasks_of([Request(e, RULERS) for e in MANY.values()], Store(tmp_path))) == 1


def test_an_executor_that_stops_is_named_and_the_same_call_goes_on(tmp_path, serial):
    with pytest.raises(ConnectionError, match=r"has stopped \(RuntimeError.*; 2 of 4 tasks are st"):
        swept(tmp_path, Here(stops_at=3))
    again = Here()
    assert_same(swept(tmp_path, again), serial)
    assert again.given == 2


def test_a_full_disk_ends_it_and_nothing_is_lost(tmp_path, serial, monkeypatch):
    """On the worker, before the third task could be written; then there is room again."""
    put, written = workers.put, []

    def full(files, store):
        written.append(1)
        if len(written) >= 3:
            raise OSError(errno.ENOSPC, "cannot write planes/x.nc: the disk is full; make room")
        return put(files, store)

    monkeypatch.setattr(workers, "put", full)
    before = Here()
    with pytest.raises(OSError, match="the disk is full; make room"):
        swept(tmp_path, before)
    monkeypatch.undo()
    left = Here()
    assert_same(swept(tmp_path, left), serial)
    assert left.given == 2
    assert list(tmp_path.rglob("*.part")) == []


@pytest.mark.parametrize(
    ("executor", "message"),
    [
        (0, "executor must be None, a number of processes, the address of a Dask"),
        (True, "executor must be None"),
        (object(), "executor must be None"),
    ],
)
def test_what_is_no_executor_is_refused(tmp_path, executor, message):
    with pytest.raises(ValueError, match=message):
        swept(tmp_path, executor)


def test_a_single_experiment_and_counts_of_nothing_are_refused(tmp_path):
    e = ib.Experiment(hidden_widths=(3,), n_epochs=1, n_measured_epochs=2, n_seeds=1)
    with pytest.raises(ValueError, match=r"experiments must be a list .* write \[experiment\]"):
        ib.sweep(e, [ib.Exact()], results=tmp_path)
    for name in ("threads", "blocks_per_task"):
        with pytest.raises(ValueError, match=f"{name} must be a whole number from 1 to .* got 0"):
            ib.sweep([e], [ib.Exact()], results=tmp_path, progress=False, **{name: 0})


def test_what_is_no_experiment_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"experiments must be ib\.Experiment, got 'tanh'"):
        swept(tmp_path, experiments=["tanh"])


# From a file


FILE = """
[chapter]
ruler = "Binning(30)"
rulers = ["Exact()"]
[base]
hidden_widths = [4, 3]
n_epochs = 4
n_measured_epochs = 3
n_seeds = 12
learning_rate = 0.01
[grid]
activation = ["tanh", "relu"]
"""


def ask(*arguments, code=0):
    found = CliRunner().invoke(cli.app, list(map(str, arguments)))
    assert found.exit_code == code, found.output
    return " ".join(found.output.split())


def test_a_file_is_swept_by_one_command(tmp_path, serial, count_training, monkeypatch):
    """And more seeds or another ruler by one each, which compute only what is new."""
    monkeypatch.setenv("IBCORE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "study.toml").write_text(FILE)
    command = ("sweep", tmp_path / "study.toml", "--results", tmp_path / "results")
    said = ask(*command)
    assert "4 tasks computed" in said
    assert f"tanh {MANY['tanh'].digest()} 12" in said
    for name, expected in serial[1].items():
        parts = Store(tmp_path / "results").parts(MANY[name])
        found = sweeps.Planes({name: Request(MANY[name], RULERS)}, Store(tmp_path / "results"))[
            name
        ]
        assert len(parts) == 2
        xr.testing.assert_identical(found.i_xt.drop_attrs(), expected.i_xt.drop_attrs())
    assert "all was there" in ask(*command)
    count_training.clear()
    assert "1 tasks computed" in ask(*command, "--set", "n_seeds=14", "--only", "relu")
    assert count_training == [12, 13]
    count_training.clear()
    assert "2 tasks computed" in ask(*command, "--set", "ruler=Binning(7)", "--only", "tanh")
    assert count_training == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[grids]\n", "unknown tables grids; known are chapter, base"),
        ("[base]\n", r"names no experiment: write \[experiments.NAME\]"),
        ("[grid", "study.toml: "),
        ("[grid]\nactivation = ['tanhh']\n", "activation must be one of linear"),
    ],
)
def test_what_is_no_file_of_experiments_is_refused(tmp_path, text, message):
    (tmp_path / "study.toml").write_text(text)
    said = ask("sweep", tmp_path / "study.toml", "--results", tmp_path / "results", code=2)
    assert re.search(message, said)


def test_a_sweep_has_one_executor(tmp_path):
    said = ask("sweep", "saxe", "--workers", "2", "--dask", "tcp://x:1", code=2)
    assert "--workers and --dask name two executors" in said
    assert "there is no file of experiments at" in ask("sweep", tmp_path / "no.toml", code=2)


def test_more_of_what_is_published_is_only_what_is_new(tmp_path):
    """One more seed of a published experiment: one network; one more ruler where weights are."""
    e = ib.Study("saxe").experiments["relu"]
    store = Store(tmp_path, published=book_folder() / "results")
    study = ib.Study("saxe")
    rulers, seen = checked_rulers(study.estimators("relu")), study.observables("relu")
    more = tasks_of([Request(e.replace(n_seeds=e.n_seeds + 1), rulers, seen)], store)
    assert [task.experiment.seeds for task in more] == [(e.first_seed + e.n_seeds,)]
    other = tasks_of([Request(e, [*rulers, ib.Binning(7)], seen)], store)
    assert {repr(one) for task in other for one in task.rulers} == {repr(ib.Binning(7))}


# Processes


def own_ramp(z):
    return z.clamp(-0.5, 2.0)


def test_processes_with_pieces_of_ones_own(tmp_path):
    """An activation and a task that a worker has never heard of; a worker that is killed."""
    x = np.random.default_rng(0).normal(size=(64, 3))
    task = ib.task_from_arrays(x, x[:, 0] > 0, name="sides")
    e = BASE.replace(task=task, activation=own_ramp, n_seeds=12, batch_size=None)
    expected = ib.run(e, RULERS, progress=False)
    stop = threading.Event()
    killer = threading.Thread(target=kill_a_child, args=(tmp_path, stop))
    killer.start()
    found = swept(tmp_path, 1, {"own": e})
    stop.set()
    killer.join()
    xr.testing.assert_identical(found["own"].drop_attrs(), expected.drop_attrs())


def kill_a_child(folder, stop):
    """Kill the one worker process once the first task is stored."""
    while not stop.is_set():
        if files(folder):
            found = subprocess.run(
                ["pgrep", "-P", str(os.getpid())], capture_output=True, text=True
            )
            for pid in map(int, found.stdout.split()):
                command = Path(f"/proc/{pid}/cmdline")
                if command.exists() and b"spawn_main" in command.read_bytes():
                    os.kill(pid, signal.SIGKILL)
            return
        time.sleep(0.005)


# Dask


@pytest.fixture
def cluster():
    """Two workers of one thread on this machine."""
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None,
        silence_logs=50,
    ) as found:  # fmt: skip
        yield found


def kill_workers(cluster, folder, moments, stop):
    """Kill a worker once so many files are stored, for each moment."""
    for moment in moments:
        while len(files(folder)) < moment and not stop.is_set():
            time.sleep(0.01)
        alive = [n.pid for n in cluster.workers.values() if n.status.name == "running"]
        if alive and not stop.is_set():
            os.kill(alive[0], signal.SIGKILL)


def on_dask(cluster, folder, experiments, moments):
    """A sweep on a cluster of which workers are killed; how often."""
    stop = threading.Event()
    killer = threading.Thread(target=kill_workers, args=(cluster, folder, moments, stop))
    killer.start()
    try:
        return swept(folder, cluster, experiments)
    finally:
        stop.set()
        killer.join()


def test_what_a_lost_worker_had_stored_is_not_computed_again(tmp_path, serial, count_training):
    """The worker dies between its last file and its answer: no second file, no training."""

    class Late(Here):
        def submit(self, function, sealed):
            if self.lost:
                assert self.answer(sealed).fault == ""
            return super().submit(function, sealed)

    assert_same(swept(tmp_path, Late(lost=2)), serial)
    assert len(count_training) == sum(e.n_seeds for e in MANY.values())


@pytest.mark.filterwarnings("default")
def test_dask_with_a_worker_killed(tmp_path, serial, cluster):
    assert_same(on_dask(cluster, tmp_path, MANY, [1]), serial)
    assert tasks_of([Request(e, RULERS) for e in MANY.values()], Store(tmp_path)) == []
    # and by the address of its scheduler: all is there
    assert_same(swept(tmp_path, cluster.scheduler_address), serial)


@pytest.mark.long
@pytest.mark.filterwarnings("default")
def test_two_hundred_tasks_on_dask_with_a_worker_killed_three_times(tmp_path, cluster):
    """Bits equal to the serial run, nothing lost, no task computed without need."""
    experiments = {k: BASE.replace(learning_rate=0.01 * (k + 1), n_seeds=100) for k in range(20)}
    expected = {k: ib.run(e, RULERS, threads=1, progress=False) for k, e in experiments.items()}
    found = on_dask(cluster, tmp_path, experiments, [40, 160, 280])
    for k, one in expected.items():
        xr.testing.assert_identical(found[k].drop_attrs(), one.drop_attrs())
    assert len(files(tmp_path)) == 400
    for path in tmp_path.glob("weights/*/*.npz"):
        assert len(Trajectory.load(path).seeds) == 10


@pytest.mark.filterwarnings("default")
def test_no_scheduler_answers(tmp_path, monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setenv("IBCORE_DASK_TIMEOUT", "1s")
    with pytest.raises(ConnectionError, match="no Dask scheduler answers at tcp:"):
        swept(tmp_path, "tcp://127.0.0.1:9")


def test_without_dask_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"pip install 'ibcore\[dask\]'"):
        swept(tmp_path, "tcp://127.0.0.1:8786")
