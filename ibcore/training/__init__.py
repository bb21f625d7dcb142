"""Training: an experiment becomes a trajectory.

``train`` picks the engine: the fused loop for small dense networks on the CPU, the batched torch
twin for everything else. Both see the same initial weights, splits, batch orders and noise.
"""

import os
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from tqdm import tqdm

from ibcore.config import Experiment
from ibcore.networks import Ensemble
from ibcore.randomness import generator, shuffled
from ibcore.tasks import Task, load_task
from ibcore.training import kernel
from ibcore.training.functions import CODES
from ibcore.training.trajectory import (
    Divergence,
    Trajectory,
    layer_widths,
    measured,
    measured_noise,
    pack,
    split_rows,
    unpack,
    updates_per_epoch,
)

__all__ = [
    "Divergence", "Trajectory", "batch_orders", "default_threads", "engine_for", "layer_widths",
    "measured", "measured_noise", "pack", "split_rows", "target_table", "train", "training_noise",
    "unpack", "updates_per_epoch",
]  # fmt: skip

# Numbers drawn at once for batch orders and noise: enough to make the loop's start-up invisible,
# few enough that they stay below 8 MB.
DRAWN_AT_ONCE = 1_000_000
WIDEST_FUSED = 128  # hidden units of a layer; beyond, products of whole matrices win
DEVICES = ("auto", "cpu", "cuda")


def default_threads() -> int:
    """The cores there are, or fewer where the usual environment variables say so."""
    named = [os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min([cores or 1, *(int(value) for value in named if value.isdigit())]))


def target_table(task: Task) -> np.ndarray:
    """(sample, output) float64: probabilities of the classes, one-hot for hard labels; or reals."""
    if task.target is not None:
        return task.target
    if task.y.dtype.kind == "f":
        return np.stack([1 - task.y, task.y], axis=1)
    return np.eye(task.n_classes)[task.y]


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
            shuffled(train_rows, generator(seed, "batches", epoch))
            for epoch in range(first, first + n_epochs)
        ]
    )


def training_noise(
    experiment: Experiment, seed: int, n_train: int, first: int, n_epochs: int
) -> np.ndarray:
    """(n_epochs, hidden unit, n_train) float32: the noise of each epoch, in the batch order.

    Without noise (1, 0, 0).
    """
    if not experiment.noise_std:
        return np.zeros((1, 0, 0), np.float32)
    drawn = np.empty((n_epochs, sum(experiment.hidden_widths), n_train), np.float32)
    for k in range(n_epochs):
        rng = generator(seed, "noise", first + k)
        rng.standard_normal(dtype=np.float32, out=drawn[k])
    drawn *= np.float32(experiment.noise_std)
    return drawn


def engine_for(experiment: Experiment, task: Task, device: str) -> str:
    """``"fused"`` where its loop applies, else ``"torch"``."""
    small = max(layer_widths(experiment, task)[1:]) <= WIDEST_FUSED
    small = small and not (experiment.convolutions or experiment.dropout)
    return "fused" if device != "cuda" and small else "torch"


def train(
    experiment: Experiment,
    *,
    device: str = "auto",
    engine: str = "auto",
    seeds: tuple[int, ...] | None = None,
    threads: int | None = None,
    dtype: type = np.float32,
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
    dtype : type
        ``numpy.float32``, or ``numpy.float64`` to look at rounding.
    progress : bool
        Show a bar with the time left.

    Returns
    -------
    Trajectory
        Weights at ``experiment.epochs``. A network whose weights became NaN or infinite keeps
        them so, and the others go on; ``divergences()`` names seed, epoch and layer.

    Raises
    ------
    ValueError
        If the engine cannot train this experiment or the device is not there.
    """
    if device not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(DEVICES)}; got {device!r}.")
    task = load_task(experiment.task)
    if task.target is not None and experiment.loss != "squared_error":
        raise ValueError(
            f"the targets of {task.name!r} are real numbers; train with loss='squared_error'."
        )
    seeds = experiment.seeds if seeds is None else tuple(seeds)
    fitting = engine_for(experiment, task, device)
    engine = fitting if engine == "auto" else engine
    if engine == "fused" and fitting != "fused":
        raise ValueError(
            f"the fused engine trains dense hidden layers of up to {WIDEST_FUSED} units, without "
            "dropout, on the CPU; "
            "use engine='torch' for this experiment."
        )
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ValueError(f"dtype must be numpy.float32 or numpy.float64, got {dtype!r}.")
    if engine not in ("fused", "torch"):
        raise ValueError(f"engine must be 'auto', 'fused' or 'torch', got {engine!r}.")
    if engine == "torch":
        if experiment.convolutions or experiment.dropout:
            from ibcore.training.single import train_singly as train_with_torch
        else:
            from ibcore.training.twin import train_with_torch

        trajectory = train_with_torch(
            experiment, seeds, device=device, dtype=dtype, progress=progress
        )
    else:
        trajectory = _train_fused(experiment, task, seeds, threads, dtype, progress)
    lost = trajectory.divergences()
    if lost:
        warnings.warn(
            f"{len(lost)} of {len(seeds)} networks diverged ({lost[0]}{', …' * (len(lost) > 1)}); "
            "the others went on.",
            RuntimeWarning,
            stacklevel=2,
        )
    return trajectory


def _train_fused(experiment, task, seeds, threads, dtype, progress):
    """One network after the other on each thread."""
    ensemble = Ensemble.initial(experiment, seeds, task.x.shape[1], task.n_outputs)
    start = pack(ensemble).astype(dtype)
    found = np.empty((len(experiment.epochs), *start.shape), dtype)
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


def _forces(experiment, dtype):
    """Per layer: the decay, the pull of the Parseval penalty, the Parseval update of the loop."""
    decays, pulls, retractions = np.zeros((3, len(experiment.hidden_widths) + 1), dtype)
    at = np.array(experiment.penalized) - 1
    decays[at] = experiment.l2 * (2 if experiment.l2_convention == "sum" else 1)
    if experiment.parseval_form == "penalty":
        pulls[at] = 4 * experiment.parseval
    else:
        retractions[at] = experiment.parseval
    return decays, pulls, retractions


def _train_one(experiment, task, seed, start, found, bar, stop):
    """Train one network; row k of ``found`` gets its parameters at the k-th measured epoch."""
    dtype = start.dtype
    train_rows, _ = split_rows(task, experiment, seed)
    x, target = task.x.astype(dtype), target_table(task).astype(dtype)
    widths = np.array(layer_widths(experiment, task))
    batch = min(experiment.batch_size or len(train_rows), len(train_rows))
    parameters = start.copy()
    first, second = np.zeros_like(parameters), np.zeros_like(parameters)
    drawn_per_epoch = len(train_rows) * (
        1 + sum(experiment.hidden_widths) * bool(experiment.noise_std)
    )
    at_once = max(1, DRAWN_AT_ONCE // drawn_per_epoch)
    step = epoch = 0
    for k, next_epoch in enumerate(experiment.epochs):
        while epoch < next_epoch:
            if stop.is_set():
                return
            n = int(min(next_epoch - epoch, at_once))
            orders = batch_orders(experiment, seed, train_rows, epoch, n)
            noise = training_noise(experiment, seed, len(train_rows), epoch, n)
            noise = noise.astype(dtype, copy=False)
            step = kernel.train_epochs(
                x, target, orders, noise, batch, widths, parameters, first, second, step,
                CODES[experiment.activation], kernel.LOSSES[experiment.loss],
                kernel.OPTIMIZERS[experiment.optimizer], experiment.learning_rate,
                experiment.momentum, *_forces(experiment, dtype), n,
            )  # fmt: skip
            epoch += n
            bar.update(n)
        found[k] = parameters
