"""Many experiments at once: their order, memory, faults, and what is left after Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from ibcore import planner
from ibcore.config import Experiment
from ibcore.planner import Job, in_order, jobs, run_jobs
from ibcore.results.places import Cost, costs

NOTE = (
    "import pathlib, sys, time; p = pathlib.Path(sys.argv[1]); b = time.time(); "
    "time.sleep(float(sys.argv[2])); p.write_text(f'{b} {time.time()}')"
)


def noting(path, seconds=0.05):
    """A command that writes when it began and ended."""
    return (sys.executable, "-c", NOTE, str(path), str(seconds))


def job(folder, name, seconds=1.0, gib=0.0, takes=0.05):
    return Job(name, (noting(folder / name, takes),), Cost(seconds, gib))


def times(folder, *names):
    return [tuple(map(float, (folder / name).read_text().split())) for name in names]


def test_the_longest_are_first_and_before_them_those_that_never_ran():
    a, b, c = (Job(name, ()) for name in "abc")
    short, long = Job("short", (), Cost(1, 0)), Job("long", (), Cost(9, 0))
    assert in_order([short, a, long, b, c]) == [a, b, c, long, short]


def test_all_are_run_in_order_with_one_worker(tmp_path):
    many = [job(tmp_path, name, seconds) for name, seconds in (("x", 1), ("y", 3), ("z", 2))]
    run_jobs(many, 1, tmp_path / "logs", progress=False)
    x, y, z = times(tmp_path, "x", "y", "z")
    assert y[1] <= z[0] <= z[1] <= x[0]


def test_two_run_at_once(tmp_path):
    many = [job(tmp_path, name, takes=1.5) for name in "xy"]
    run_jobs(many, 2, tmp_path / "logs", progress=False)
    x, y = times(tmp_path, "x", "y")
    assert max(x[0], y[0]) < min(x[1], y[1])


def test_two_that_do_not_fit_into_memory_follow_each_other(tmp_path, monkeypatch):
    """A small one fits beside the first; one that fits nowhere is tried alone."""
    monkeypatch.setattr(planner, "memory", lambda: 10 * planner.GIB)
    many = [
        job(tmp_path, "big", 9, gib=5, takes=1),
        job(tmp_path, "large", 8, gib=5, takes=1),
        job(tmp_path, "small", 1, gib=1, takes=0.1),
        job(tmp_path, "huge", 0.1, gib=99),
    ]
    run_jobs(many, 2, tmp_path / "logs", progress=False)
    big, large, small, huge = times(tmp_path, "big", "large", "small", "huge")
    assert big[1] <= large[0]
    assert small[0] < big[1]
    assert max(big[1], large[1], small[1]) <= huge[0]


def test_one_that_fails_is_named_and_the_others_are_run(tmp_path):
    fails = Job("bad one", ((sys.executable, "-c", "raise SystemExit('error: no such thing')"),))
    with pytest.raises(ValueError, match=r"1 of 2 experiments failed.*bad one: error: no such th"):
        run_jobs([fails, job(tmp_path, "x")], 2, tmp_path / "logs", progress=False)
    assert (tmp_path / "x").exists()


def test_commands_of_a_job_follow_each_other_and_stop_at_a_fault(tmp_path):
    fails = (sys.executable, "-c", "raise SystemExit(3)")
    paths = [tmp_path / name for name in "xyz"]
    one = Job("one", (noting(paths[0], 0.3), noting(paths[1]), fails, noting(paths[2])))
    with pytest.raises(ValueError, match="one: exit code 3"):
        run_jobs([one], 2, tmp_path / "logs", progress=False)
    x, y = times(tmp_path, "x", "y")
    assert x[1] <= y[0]
    assert not paths[2].exists()


def test_a_job_for_each_digest_that_lacks_something():
    tiny, other = Experiment(n_epochs=3), Experiment(n_epochs=4)
    first = SimpleNamespace(
        chapter="one", experiments={"a": tiny, "b": other}, stored=lambda name: None
    )
    second = SimpleNamespace(
        chapter="two", experiments={"c": tiny, "d": other}, stored=lambda name: {"d": 1}.get(name)
    )
    known = {other.digest(): Cost(5, 1)}
    found = jobs([first, second], ("--publish",), known)
    run = (sys.executable, "-m", "ibcore", "run")
    assert found == [
        Job("one a", ((*run, "one", "--only", "a", "--publish"),
                      (*run, "two", "--only", "c", "--publish"))),
        Job("one b", ((*run, "one", "--only", "b", "--publish"),), Cost(5, 1)),
    ]  # fmt: skip
    assert len(jobs([second], (), known, only=["d"])) == 0
    assert len(jobs([second], (), known, only=["d"], recompute=True)) == 1


def started(results, cache, *more):
    environment = os.environ | {"IBCORE_CACHE": str(cache), "IBCORE_PROGRESS": "1"}
    command = [
        sys.executable, "-m", "ibcore", "run", "goldfeld", "--only", "spiral", "--only", "noisy",
        "--set", "n_seeds=1", "--from-nothing", "--results", str(results), "--workers", "2", *more,
    ]  # fmt: skip
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        cwd=Path(__file__).parents[1],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


def test_ctrl_c_ends_all_processes_and_what_is_finished_is_stored(tmp_path):
    """From the command line: ``spiral`` is done in seconds, ``noisy`` would take a minute."""
    results, cache = tmp_path / "results", tmp_path / "cache"
    process = started(results, cache)
    deadline = time.monotonic() + 120
    while not costs([results]) and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "of 2 experiments" in said
    assert len(costs([results])) == 1
    ps = subprocess.run(["ps", "-A", "-o", "args"], capture_output=True, text=True, check=True)
    assert str(results) not in ps.stdout
