"""The loop: every ruler and observable on every network at every measured epoch."""

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

import numpy as np

from ibcore.estimators.base import Ruler, checked_rulers, passes
from ibcore.observables.base import Observable, View
from ibcore.observables.performance import Performance
from ibcore.training.inputs import measured
from ibcore.training.trajectory import Trajectory
from ibcore.work import bar, default_threads

NUMBERS = ("i_xt", "i_ty", "i_xt_error", "i_ty_error")


def measure_trajectory(
    trajectory: Trajectory,
    rulers: Sequence[Ruler],
    observables: Sequence[Observable],
    threads: int | None = None,
    progress: bool = True,
) -> dict[str, np.ndarray]:
    """Every ruler and observable on every network and measured epoch.

    Returns
    -------
    dict
        ``i_xt`` and ``i_ty`` (estimator, seed, epoch, layer) in bits, and each observable as
        (seed, epoch) or (seed, epoch, layer). A network that diverged gives NaN. Beside a ruler
        that integrates at random stand the standard errors ``i_xt_error`` and ``i_ty_error``; a
        layer that it does not see, as the output of a noisy network, gives NaN.
    """
    rulers, observables = checked_rulers(rulers), with_performance(observables)
    task = trajectory.task
    labels = task.y[measured(task)]
    found = _empty(trajectory, rulers, observables)
    broken, stop = trajectory.diverged(), threading.Event()

    def measure_one(s: int) -> None:
        own = trajectory.only((trajectory.seeds[s],))
        prepared = passes([ruler.prepare(own) for ruler in rulers])
        for k, epoch in enumerate(trajectory.epochs):
            if stop.is_set():
                return
            if not broken[k, s]:
                network = trajectory.ensemble(k)[s]
                view = View(trajectory.experiment, task, network, trajectory.seeds[s], int(epoch))
                for ruler, places in prepared:
                    rows = ruler.rows(view)
                    for layer, t in enumerate(ruler.layers(view)):
                        values = ruler.entries(t[rows], labels[rows])
                        for name, value in zip(ruler.numbers, values.T, strict=True):
                            found[name][places, s, k, layer] = value
                for observable in observables:
                    for name, value in observable(view).items():
                        found[name][s, k] = value
            shown.update()

    about = f"measure {task.name} x {len(trajectory.seeds)}"
    with (
        bar(broken.size, about, "network", progress) as shown,
        ThreadPoolExecutor(threads or default_threads()) as pool,
    ):
        jobs = [pool.submit(measure_one, s) for s in range(len(trajectory.seeds))]
        try:
            for job in as_completed(jobs):
                job.result()
        except BaseException:  # Ctrl-C too: the threads end at their next epoch
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return found


def with_performance(observables: Sequence[Observable]) -> list[Observable]:
    """Loss and accuracy, which are always measured, and the others, each once."""
    return list(dict.fromkeys([Performance(), *observables]))


def _empty(
    trajectory: Trajectory, rulers: Sequence[Ruler], observables: Sequence[Observable]
) -> dict[str, np.ndarray]:
    """Arrays of NaN for all that will be measured."""
    n_seeds, n_epochs = len(trajectory.seeds), len(trajectory.epochs)
    n_layers = len(trajectory.widths) - 1
    shape = (len(rulers), n_seeds, n_epochs, n_layers)
    asked = {name for ruler in rulers for name in ruler.numbers}
    found = {name: np.full(shape, np.nan) for name in NUMBERS if name in asked}
    for observable in observables:
        per_layer = () if observable.per_network else (n_layers,)
        for name in observable.names:
            found[name] = np.full((n_seeds, n_epochs, *per_layer), np.nan)
    return found
