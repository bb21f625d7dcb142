"""What a sweep costs besides its work: ratios of processor time in one run, and the store's share.

    python benchmarks/bench_sweep.py

Processor time, not the clock: a machine that does something else as well moves it little.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("IBCORE_PROGRESS", "0")
for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ.setdefault(name, "1")

import ibcore as ib  # noqa: E402
from ibcore.results.store import Store  # noqa: E402
from ibcore.sweeps import Request, compute, tasks_of  # noqa: E402

# Dask lets workers give memory back after every 64 kB, which costs a sixth of a measurement.
TRIM = "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_"
MOST_OVERHEAD = 0.10  # of a task of some seconds; real ones take minutes
N_TASKS = 4
WORK = ib.Experiment(n_epochs=1500, n_measured_epochs=20, n_seeds=10 * N_TASKS)
RULERS = [ib.Binning(n_bins=30), ib.KernelBound(1e-3)]
MANY = 150  # parts of one result, as 1 500 networks have


def cpu(processes: list) -> float:
    """Seconds of processor time of some processes so far."""
    return sum(sum(one.cpu_times()[:2]) for one in processes)


def overhead() -> float:
    """Processor time of a sweep on Dask over that of the serial run, minus 1.

    With scheduler, client and one worker: two would share caches and cores, which costs what any
    two processes cost each other.
    """
    import dask
    import psutil
    from distributed import LocalCluster

    dask.config.set({TRIM: 2**27})
    here = psutil.Process()
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        ib.load_or_run(
            WORK.replace(n_seeds=1), RULERS, store=Store(Path(folder) / "warm"), threads=1
        )
        before = cpu([here])
        ib.load_or_run(WORK, RULERS, store=store, threads=1)
        serial = cpu([here]) - before
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCluster(1, threads_per_worker=1, dashboard_address=None) as cluster,
    ):
        warm = [Request(WORK.replace(n_epochs=2, n_measured_epochs=2, n_seeds=40), RULERS)]
        compute(warm, Store(Path(folder) / "warm"), executor=cluster)
        every = [here, *(psutil.Process(one.pid) for one in cluster.workers.values())]
        before = cpu(every)
        compute([Request(WORK, RULERS)], Store(Path(folder)), executor=cluster)
        swept = cpu(every) - before
    more = swept / serial - 1
    print(f"{N_TASKS} tasks of {serial / N_TASKS:.1f} s: {more:+.1%} on Dask")
    return more


def store_costs() -> None:
    """Seconds per task that the store takes, with few parts in a result and with many."""
    e = WORK.replace(n_epochs=20, n_measured_epochs=20, n_seeds=10)
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder))
        first = ib.load_or_run(e, RULERS, store=store, threads=1)
        clock, times = time.process_time, {}
        for k in range(1, MANY):
            cut = e.replace(first_seed=10 * k)
            attrs = {"experiment": cut.to_json()}
            moved = first.assign_coords(seed=first.seed + 10 * k).assign_attrs(attrs)
            begun = clock()
            store.add(moved)
            times[k] = clock() - begun
        begun = clock()
        left = tasks_of([Request(e.replace(n_seeds=10 * MANY), RULERS)], store)
        asked = clock() - begun
        size = sum(path.stat().st_size for path in Path(folder).glob("planes/*/*"))
        sealed = len(tasks_of([Request(e.replace(n_epochs=21), RULERS)], store)[0].sealed())
    early, late = (sum(list(times.values())[part]) / 20 for part in (slice(20), slice(-20, None)))
    print(f"a part is {size / MANY / 1000:.0f} kB, a task on its way {sealed / 1000:.1f} kB")
    print(f"to add one: {early * 1e3:.1f} ms at first, {late * 1e3:.1f} ms as number {MANY}")
    each = asked / MANY * 1e3
    print(f"to ask what {MANY} blocks lack ({len(left)}): {asked:.2f} s, {each:.1f} ms each")


def main() -> int:
    store_costs()
    return int(overhead() > MOST_OVERHEAD)


if __name__ == "__main__":
    sys.exit(main())
