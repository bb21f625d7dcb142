"""Processes that are killed at any moment, or that work on one result at the same time.

What is lost: nothing. A killed run is taken up at its last finished file, processes that add to one
result keep each other's networks, and nobody ever reads a file that is half there.
"""

import itertools
import os
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from result_processes import BLOCK, EXPERIMENT, OBSERVABLES, RULERS, STEPS, Server

from ibcore import files
from ibcore.files import write_whole
from ibcore.results.parts import lacking, put_together
from ibcore.results.run import run
from ibcore.results.store import Store
from ibcore.training import Trajectory

FIFTEEN = EXPERIMENT.replace(n_seeds=15)
FILES = ("*.nc", "*.npz")


def long(*values):
    """Values of a parameter for ``make test-long`` only."""
    return [pytest.param(value, marks=pytest.mark.long) for value in values]


@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.close()


@pytest.fixture(scope="module")
def undisturbed():
    """Fifteen networks computed in one piece, by a process that nobody touched."""
    return run(FIFTEEN, RULERS, OBSERVABLES, threads=2, progress=False)


@pytest.fixture(scope="module")
def whole(server, tmp_path_factory):
    """A finished result, and the seconds it takes a process to compute it."""
    folder, clock = tmp_path_factory.mktemp("whole"), time.monotonic()
    assert server.start(folder).wait() == "done"
    return folder, time.monotonic() - clock


def assert_whole(folder, experiment, undisturbed):
    """All that was asked for is there, bit for bit, and nothing else lies about."""
    parts = Store(folder).parts(experiment)
    assert lacking(parts, experiment, experiment.seeds, RULERS, OBSERVABLES) == ([], [], [])
    found = put_together(parts, experiment, RULERS, OBSERVABLES)
    expected = undisturbed.sel(seed=list(experiment.seeds))
    xr.testing.assert_identical(found.drop_attrs(), expected.drop_attrs())
    assert strays(folder) == []


def strays(folder):
    """Files that are no results, and results that wait to be put in another's place."""
    named = {path for pattern in FILES for path in folder.glob(f"[pw]*/*/{pattern}")}
    named |= {folder / "costs.json", folder / ".costs.lock"}
    return sorted(path for path in folder.rglob("*") if path.is_file() and path not in named)


def finished(folder):
    """Finished files, and when they were written."""
    return {p: p.stat().st_mtime_ns for pattern in FILES for p in folder.glob(f"*/*/{pattern}")}


# Killed


@pytest.mark.parametrize("n_kills", [4, *long(40)])
def test_killed_at_random_moments(server, undisturbed, whole, tmp_path, n_kills):
    """SIGKILL anywhere between the start of a run and the time that a whole one takes."""
    _, duration = whole
    moments, kills = np.random.default_rng(n_kills), 0
    for k in itertools.count():
        folder, ended = tmp_path / str(k), "killed"
        while ended == "killed":
            kept = finished(folder)
            process = server.start(folder)
            if kills < n_kills:
                time.sleep(moments.uniform(0, duration))
                ended = process.kill()
                kills += ended == "killed"
            else:
                ended = process.wait()
            assert kept.items() <= finished(folder).items()
        assert ended == "done"
        assert_whole(folder, EXPERIMENT, undisturbed)
        if kills == n_kills:
            break


@pytest.mark.parametrize("n_blocks", [3, *long(7)])
def test_killed_after_every_file_a_run_still_ends(server, undisturbed, tmp_path, n_blocks):
    """Faults F7: each process is killed once it has finished one file more, be it weights or
    numbers. None of them is made twice, so that as many processes come to the end as there are
    files, and one more.
    """
    experiment, ended, starts = FIFTEEN.replace(n_seeds=n_blocks * BLOCK), "killed", 0
    while ended == "killed":
        kept = finished(tmp_path)
        process = server.start(tmp_path, n=experiment.n_seeds)
        starts += 1
        assert starts <= 2 * n_blocks + 1
        while len(finished(tmp_path)) == len(kept) and process.alive():
            time.sleep(0.003)
        ended = process.kill()
        assert kept.items() <= finished(tmp_path).items()
    assert ended == "done"
    assert len(finished(tmp_path)) == 2 * n_blocks
    assert_whole(tmp_path, experiment, undisturbed)


@pytest.mark.parametrize("step", [8, *long(*sorted({*range(1, STEPS + 1)} - {8}))])
def test_killed_at_a_step_of_writing(server, undisturbed, tmp_path, step):
    """Before a file is made, while half of it is written, before it gets its name."""
    assert server.start(tmp_path, die_before=step).wait() == "killed"
    assert len(finished(tmp_path)) == (step - 1) // 3
    Store(tmp_path).parts(EXPERIMENT)
    assert server.start(tmp_path).wait() == "done"
    assert_whole(tmp_path, EXPERIMENT, undisturbed)


REPLACING = range(STEPS + 1, 2 * STEPS + 10)  # six files are copied; six and three older ones go


@pytest.mark.parametrize("step", [24, *long(*sorted({*REPLACING} - {24}))])
def test_killed_while_old_results_are_replaced(server, undisturbed, whole, tmp_path, step):
    """At no moment is there a network less; the next recomputation ends what this one began."""
    shutil.copytree(whole[0], tmp_path, dirs_exist_ok=True)
    assert server.start(tmp_path, recompute=True, die_before=step).wait() == "killed"
    parts = Store(tmp_path).parts(EXPERIMENT)
    assert lacking(parts, EXPERIMENT, EXPERIMENT.seeds, RULERS, OBSERVABLES) == ([], [], [])
    assert server.start(tmp_path, recompute=True).wait() == "done"
    assert_whole(tmp_path, EXPERIMENT, undisturbed)


def test_what_a_dead_process_left_is_swept_away(tmp_path):
    """But not what a living one writes, nor what another machine's may be writing."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = {
        name: tmp_path / f".plane.nc.{host}.{pid}.abcd.part"
        for name, host, pid in [
            ("dead", files._HOST, dead.pid),
            ("alive", files._HOST, os.getppid()),
            ("elsewhere", "another-host", dead.pid),
        ]
    }
    for path in left.values():
        path.write_bytes(b"half a pla")
    write_whole(tmp_path / "other.nc", b"whole")
    assert sorted(tmp_path.iterdir()) == sorted(
        [left["alive"], left["elsewhere"], tmp_path / "other.nc"]
    )


# At the same time


def read_meanwhile(folder, processes, n_most):
    """Read everything again and again while others write; returns how often that was done.

    The networks of the result, once there, never get fewer.
    """
    store, seen, n_readings = Store(folder), set(), 0
    while any([process.alive() for process in processes]):
        parts = store.parts(FIFTEEN)
        seeds = {seed for part in parts for seed in part.data.seed.values.tolist()}
        assert seen <= seeds
        seen = seeds
        for seed in range(0, n_most, BLOCK):
            store.weights(EXPERIMENT, (seed,))
        n_readings += 1
    return n_readings


@pytest.mark.parametrize(("kind", "n_found"), [("nc", 3), ("npz", 0)])
def test_a_file_that_is_replaced_while_it_is_read(whole, tmp_path, monkeypatch, kind, n_found):
    """A newer one under another name has taken its place: that one is read. Weights that somebody
    has moved are made again, which costs time and nothing else.
    """
    shutil.copytree(whole[0], tmp_path, dirs_exist_ok=True)
    first, real = min(tmp_path.glob(f"*/*/*.{kind}")), Path.read_bytes

    def read_bytes(path):
        if path == first and path.exists():
            path.rename(path.with_name(f"0000-0001-newer.{kind}"))
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    store = Store(tmp_path)
    found = store.parts(EXPERIMENT) if kind == "nc" else store.weights(EXPERIMENT, (0, 1)) or []
    assert len(found) == n_found
    assert not first.exists()


@pytest.mark.parametrize("n_rounds", [1, *long(5)])
def test_three_processes_add_to_one_result(server, undisturbed, whole, tmp_path, n_rounds):
    """Seeds 0-4, 5-9 and 10-14 at once, two of them computed anew, to a result that has six
    networks: all fifteen are there.
    """
    shutil.copytree(whole[0], tmp_path, dirs_exist_ok=True)
    for _ in range(n_rounds):
        processes = [
            server.start(tmp_path, first=first, n=5, recompute=recompute)
            for first, recompute in [(0, True), (5, False), (10, True)]
        ]
        assert read_meanwhile(tmp_path, processes, 15) > 0
        assert [process.wait() for process in processes] == ["done"] * 3
        assert_whole(tmp_path, FIFTEEN, undisturbed)


@pytest.mark.long
@pytest.mark.parametrize("anew", [(False, False), (False, True), (True, True)])
def test_ten_times_two_processes_on_one_result(server, undisturbed, tmp_path, anew):
    """Seeds that overlap at random, on a result that grows from nothing."""
    draw = np.random.default_rng(anew.count(True))
    wanted = set()
    for _ in range(10):
        jobs = []
        for recompute in anew:
            first = int(draw.integers(0, 14))
            n = int(draw.integers(1, 16 - first))
            wanted |= set(range(first, first + n))
            jobs.append({"first": first, "n": n, "recompute": recompute})
        processes = [server.start(tmp_path, **job) for job in jobs]
        read_meanwhile(tmp_path, processes, 15)
        assert [process.wait() for process in processes] == ["done"] * 2
        there = {s for p in Store(tmp_path).parts(FIFTEEN) for s in p.data.seed.values.tolist()}
        assert there == wanted
    assert server.start(tmp_path, n=15).wait() == "done"
    assert_whole(tmp_path, FIFTEEN, undisturbed)


@pytest.mark.parametrize("seconds", [0.5, *long(10)])
def test_no_reader_sees_half_a_file(server, undisturbed, whole, tmp_path, seconds):
    """Faults F4: two processes write the same two files without pause, a third one reads them."""
    shutil.copytree(whole[0], tmp_path, dirs_exist_ok=True)
    processes = [server.start(tmp_path, kind="save", seconds=seconds) for _ in range(2)]
    weights = min(tmp_path.glob("weights/*/*.npz"))
    n_readings = 0
    while any([process.alive() for process in processes]):
        assert Trajectory.load(weights).seeds == (0, 1)
        assert len(Store(tmp_path).parts(EXPERIMENT)) == 3
        n_readings += 1
    assert n_readings > 0
    assert [process.wait() for process in processes] == ["done"] * 2
    assert_whole(tmp_path, EXPERIMENT, undisturbed)
