"""The fused engine: one compiled loop a network, for small dense networks on the CPU."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
from scipy.special import ndtri

from ibcore.config import Experiment
from ibcore.networks import Ensemble, lowest_level
from ibcore.tasks import Task, load_task
from ibcore.training import kernel
from ibcore.training.functions import CODES
from ibcore.training.inputs import (
    batch_orders,
    layer_widths,
    split_rows,
    target_table,
)
from ibcore.training.steps import OPTIMIZERS
from ibcore.training.trajectory import Trajectory, pack
from ibcore.work import bar, default_threads

# Places of batch orders drawn at once: enough to make the loop's start-up invisible, few enough
# that they stay below 8 MB.
DRAWN_AT_ONCE = 1_000_000


def train_fused(
    experiment: Experiment,
    seeds: tuple[int, ...],
    *,
    threads: int | None = None,
    dtype: type = np.float32,
    progress: bool = True,
) -> Trajectory:
    """Train one network after the other on each thread; see ``ibcore.train``."""
    task = load_task(experiment.task)
    start = _start(experiment, task, seeds, dtype)
    found = np.empty((len(experiment.epochs), *start.shape), dtype)
    stop = threading.Event()
    shown = bar(
        len(seeds) * experiment.n_epochs,
        f"train {experiment.task} x {len(seeds)}",
        "epoch",
        progress,
    )

    def train_one(n: int) -> None:
        network, epoch = _Network(experiment, task, seeds[n], start[n]), 0
        for k, next_epoch in enumerate(experiment.epochs):
            while epoch < next_epoch and not stop.is_set():
                n_epochs = int(min(next_epoch - epoch, network.at_once))
                network.epochs(epoch, n_epochs)
                epoch += n_epochs
                shown.update(n_epochs)
            found[k, n] = network.parameters

    with shown, ThreadPoolExecutor(threads or default_threads()) as pool:
        jobs = [pool.submit(train_one, n) for n in range(len(seeds))]
        try:
            for job in jobs:
                job.result()
        except BaseException:  # Ctrl-C too: the threads end at their next measured epoch
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return Trajectory(experiment, seeds, experiment.epochs, found, "fused")


def first_updates(experiment: Experiment, seed: int, n_updates: int) -> np.ndarray:
    """(update + 1, parameter) of one network: initial, and after each of its first updates."""
    task = load_task(experiment.task)
    network = _Network(experiment, task, seed, _start(experiment, task, (seed,), np.float32)[0])
    found, epoch = [network.parameters.copy()], 0
    while len(found) <= n_updates:
        orders = network.orders(epoch, 1)
        for start in range(0, orders.shape[1], network.batch)[: n_updates + 1 - len(found)]:
            part = np.ascontiguousarray(orders[:, start : start + network.batch])
            network.advance(part, epoch, 1, start)
            found.append(network.parameters.copy())
        epoch += 1
    return np.stack(found)


def _start(experiment: Experiment, task: Task, seeds: tuple[int, ...], dtype: type) -> np.ndarray:
    """(seed, parameter): initial weights."""
    ensemble = Ensemble.initial(experiment, seeds, task.x.shape[1], task.n_outputs)
    return pack(ensemble).astype(dtype)


class _Network:
    """One network in training: its parameters, the state of its optimiser, its inputs."""

    def __init__(self, experiment: Experiment, task: Task, seed: int, start: np.ndarray):
        self.experiment, self.seed, dtype = experiment, seed, start.dtype
        self.rows, _ = split_rows(task, experiment, seed)
        self.x, self.target = task.x.astype(dtype), target_table(task).astype(dtype)
        self.widths = np.array(layer_widths(experiment, task))
        self.batch = min(experiment.batch_size or len(self.rows), len(self.rows))
        self.parameters, self.step = start.copy(), 0
        self.first, self.second = np.zeros_like(start), np.zeros_like(start)
        self.forces = (*_forces(experiment, dtype), _limits(experiment, self.widths, start))
        self.at_once = max(1, DRAWN_AT_ONCE // len(self.rows))

    def orders(self, epoch: int, n_epochs: int) -> np.ndarray:
        """Batch orders of some epochs."""
        return batch_orders(self.experiment, self.seed, self.rows, epoch, n_epochs)

    def epochs(self, epoch: int, n_epochs: int) -> None:
        """Train from one epoch on."""
        self.advance(self.orders(epoch, n_epochs), epoch, n_epochs)

    def advance(self, orders: np.ndarray, epoch: int, n_epochs: int, place: int = 0) -> None:
        """Train on the rows of ``orders``, which begin at a place of the epoch's order."""
        e = self.experiment
        self.step = kernel.train_epochs(
            self.x, self.target, orders, self.seed, epoch, place, e.noise_std, e.dropout,
            float(ndtri(e.dropout)), e.output_range, 2**e.bits if e.bits else 0,
            lowest_level(e.activation), self.batch, self.widths, self.parameters, self.first,
            self.second, self.step, CODES[e.activation], kernel.LOSSES[e.loss],
            OPTIMIZERS[e.optimizer], e.learning_rate, e.momentum, *self.forces, n_epochs,
        )  # fmt: skip


def _forces(experiment: Experiment, dtype: np.dtype) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per layer: the decay, the pull of the Parseval penalty, the Parseval update of the loop."""
    decays, pulls, retractions = np.zeros((3, len(experiment.hidden_widths) + 1), dtype)
    at = np.array(experiment.penalized) - 1
    decays[at] = experiment.l2 * (2 if experiment.l2_convention == "sum" else 1)
    if experiment.parseval_form == "penalty":
        pulls[at] = 4 * experiment.parseval
    else:
        retractions[at] = experiment.parseval
    return decays, pulls, retractions


def _limits(experiment: Experiment, widths: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Per layer: the largest norm of its weights; 0 for none."""
    found, at = np.zeros(len(widths) - 1, start.dtype), 0
    for layer, (n_in, n_out) in enumerate(pairwise(widths), start=1):
        if layer in experiment.penalized:
            norm = np.linalg.norm(start[at : at + n_in * n_out])
            found[layer - 1] = experiment.norm_limit * norm
        at += (n_in + 1) * n_out
    return found
