"""Training: an experiment becomes a trajectory.

``train`` picks the engine: the fused loop for small dense networks on the CPU, the batched torch
twin for everything else. Both see the same initial weights, splits and batch orders.
"""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from tqdm import tqdm

from ibcore.config import Experiment
from ibcore.networks import Ensemble
from ibcore.randomness import generator
from ibcore.tasks import Task, load_task
from ibcore.training import kernel
from ibcore.training.trajectory import (
    Trajectory,
    layer_widths,
    measured,
    pack,
    split_rows,
    unpack,
    updates_per_epoch,
)

__all__ = [
    "Trajectory", "batch_orders", "default_threads", "engine_for", "layer_widths", "measured",
    "pack", "split_rows", "target_table", "train", "unpack", "updates_per_epoch",
]  # fmt: skip

# Epochs whose batch orders are drawn at once: enough to make the loop's start-up invisible, few
# enough that 60 000 training rows stay below 4 MB.
ORDER_ENTRIES = 1_000_000
WIDEST_FUSED = 64
DEVICES = ("auto", "cpu", "cuda")


def default_threads() -> int:
    """The cores there are, or fewer where the usual environment variables say so."""
    named = [os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min([cores or 1, *(int(value) for value in named if value.isdigit())]))


def target_table(task: Task) -> np.ndarray:
    """(sample, class) float32: the probability of each class, one-hot for hard labels."""
    if task.y.dtype.kind == "f":
        return np.stack([1 - task.y, task.y], axis=1).astype(np.float32)
    return np.eye(task.n_classes, dtype=np.float32)[task.y]


def batch_orders(
    experiment: Experiment, seed: int, train_rows: np.ndarray, first: int, n_epochs: int
) -> np.ndarray:
    """(n_epochs or 1, n_train) int32: the training rows in the order of each epoch.

    Full batch has no order: one row serves all epochs.
    """
    if (experiment.batch_size or len(train_rows)) >= len(train_rows):
        return train_rows[None]
    return np.stack(
        [
            generator(seed, "batches", epoch).permutation(train_rows)
            for epoch in range(first, first + n_epochs)
        ]
    )


def engine_for(experiment: Experiment, task: Task, device: str) -> str:
    """``"fused"`` where its loop applies, else ``"torch"``."""
    small = max(layer_widths(experiment, task)) <= WIDEST_FUSED
    known = experiment.activation in kernel.CODES
    return "fused" if device != "cuda" and small and known else "torch"


def train(
    experiment: Experiment,
    *,
    device: str = "auto",
    engine: str = "auto",
    seeds: tuple[int, ...] | None = None,
    threads: int | None = None,
    progress: bool = True,
) -> Trajectory:
    """Train all networks of an experiment; nothing is read from or written to the store.

    Parameters
    ----------
    experiment : Experiment
    device : str
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    engine : str
        ``"auto"``, ``"fused"`` or ``"torch"``; auto takes the fused loop where it applies.
    seeds : tuple of int, optional
        Those of the experiment by default.
    threads : int, optional
        Networks trained at once by the fused loop; all cores by default.
    progress : bool
        Show a bar with the time left.

    Returns
    -------
    Trajectory
        Weights at ``experiment.epochs``. A network whose weights became NaN or infinite keeps
        them so; the others go on.

    Raises
    ------
    ValueError
        If the engine cannot train this experiment or the device is not there.
    """
    if device not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(DEVICES)}; got {device!r}.")
    task = load_task(experiment.task)
    seeds = experiment.seeds if seeds is None else tuple(seeds)
    fitting = engine_for(experiment, task, device)
    engine = fitting if engine == "auto" else engine
    if engine == "fused" and fitting != "fused":
        raise ValueError(
            f"the fused engine trains layers of up to {WIDEST_FUSED} units with "
            f"{', '.join(kernel.CODES)} on the CPU; use engine='torch' for this experiment."
        )
    if engine == "torch":
        from ibcore.training.twin import train_with_torch

        return train_with_torch(experiment, seeds, device=device, progress=progress)
    if engine != "fused":
        raise ValueError(f"engine must be 'auto', 'fused' or 'torch', got {engine!r}.")
    ensemble = Ensemble.initial(experiment, seeds, task.x.shape[1], task.n_classes)
    start = pack(ensemble)
    found = np.empty((len(experiment.epochs), *start.shape), np.float32)
    stop = threading.Event()
    with (
        tqdm(
            total=len(seeds) * experiment.n_epochs,
            desc=f"train {experiment.task} x {len(seeds)}",
            unit="epoch",
            disable=not (progress and progress_wanted()),
            mininterval=0.5,
        ) as bar,
        ThreadPoolExecutor(threads or default_threads()) as pool,
    ):
        jobs = [
            pool.submit(_train_one, experiment, task, seed, start[n], found[:, n], bar, stop)
            for n, seed in enumerate(seeds)
        ]
        try:
            for job in jobs:
                job.result()
        except BaseException:  # Ctrl-C too: the threads end at their next measured epoch
            stop.set()
            pool.shutdown(cancel_futures=True)
            raise
    return Trajectory(experiment, seeds, experiment.epochs, found, "fused")


def progress_wanted() -> bool:
    """False where ``IBCORE_PROGRESS=0`` asks for quiet, as when a chapter's output is stored."""
    return os.environ.get("IBCORE_PROGRESS", "1") != "0"


def _train_one(experiment, task, seed, start, found, bar, stop):
    """Train one network; row k of ``found`` gets its parameters at the k-th measured epoch."""
    train_rows, _ = split_rows(task, experiment, seed)
    target = target_table(task)
    widths = np.array(layer_widths(experiment, task))
    batch = min(experiment.batch_size or len(train_rows), len(train_rows))
    parameters = start.copy()
    first, second = np.zeros_like(parameters), np.zeros_like(parameters)
    at_once = max(1, ORDER_ENTRIES // len(train_rows))
    step = epoch = 0
    for k, next_epoch in enumerate(experiment.epochs):
        while epoch < next_epoch:
            if stop.is_set():
                return
            n = int(min(next_epoch - epoch, at_once))
            orders = batch_orders(experiment, seed, train_rows, epoch, n)
            step = kernel.train_epochs(
                task.x, target, orders, batch, widths, parameters, first, second, step,
                kernel.CODES[experiment.activation], kernel.OPTIMIZERS[experiment.optimizer],
                experiment.learning_rate, experiment.momentum, n,
            )  # fmt: skip
            epoch += n
            bar.update(n)
        found[k] = parameters
