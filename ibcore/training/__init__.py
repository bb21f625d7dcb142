"""Training: an experiment becomes a trajectory.

``train`` picks the engine: the fused loop for small dense networks on the CPU, torch for
everything else. All see the same initial weights, splits, batch orders and noise.
"""

import warnings

import numpy as np

from ibcore.config import ACTIVATIONS, OPTIMIZERS, Experiment
from ibcore.tasks import Task, load_task
from ibcore.training.inputs import (
    batch_orders,
    dropout_factors,
    layer_widths,
    measured,
    measured_noise,
    split_rows,
    target_table,
    training_noise,
    updates_per_epoch,
)
from ibcore.training.trajectory import Divergence, Trajectory, pack, unpack
from ibcore.work import default_threads, progress_wanted

__all__ = [
    "Divergence",
    "Trajectory",
    "batch_orders",
    "default_threads",
    "dropout_factors",
    "engine_for",
    "first_updates",
    "layer_widths",
    "measured",
    "measured_noise",
    "module_of",
    "pack",
    "progress_wanted",
    "split_rows",
    "target_table",
    "train",
    "training_noise",
    "unpack",
    "updates_per_epoch",
]

WIDEST_FUSED = 128  # hidden units of a layer; beyond, products of whole matrices win
DEVICES = ("auto", "cpu", "cuda")
ENGINES = ("fused", "torch")


def engine_for(experiment: Experiment, task: Task, device: str) -> str:
    """``"fused"`` where its loop applies, else ``"torch"``."""
    small = max(layer_widths(experiment, task)[1:]) <= WIDEST_FUSED
    plain = not (
        experiment.convolutions or experiment.normalization != "none" or has_own_pieces(experiment)
    )
    return "fused" if device != "cuda" and small and plain else "torch"


def has_own_pieces(experiment: Experiment) -> bool:
    """Whether its activation or its optimiser is a reader's own."""
    return experiment.activation not in ACTIVATIONS or experiment.optimizer not in OPTIMIZERS


def module_of(experiment: Experiment, engine: str) -> str:
    """The module whose loop trains an experiment."""
    if engine == "fused":
        return "ibcore.training.fused"
    if has_own_pieces(experiment):
        return "ibcore.training.torch_own"
    return f"ibcore.training.torch_{'single' if experiment.convolutions else 'batched'}"


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
    task = load_task(experiment.task)
    engine = _checked_engine(experiment, task, device, engine, dtype)
    seeds = experiment.seeds if seeds is None else tuple(seeds)
    if engine == "fused":
        from ibcore.training.fused import train_fused

        trajectory = train_fused(experiment, seeds, threads=threads, dtype=dtype, progress=progress)
    elif has_own_pieces(experiment):
        from ibcore.training.torch_own import train_own

        trajectory = train_own(experiment, seeds, device=device, dtype=dtype, progress=progress)
    elif experiment.convolutions:
        from ibcore.training.torch_single import train_singly

        trajectory = train_singly(experiment, seeds, device=device, dtype=dtype, progress=progress)
    else:
        from ibcore.training.torch_batched import train_with_torch

        trajectory = train_with_torch(
            experiment, seeds, device=device, dtype=dtype, progress=progress
        )
    _warn_of_divergence(trajectory)
    return trajectory.grown() if experiment.control == "growth" else trajectory


def _warn_of_divergence(trajectory: Trajectory) -> None:
    """One warning, where ``train`` was called, for all networks that diverged."""
    lost = trajectory.divergences()
    if lost:
        more = ", …" if len(lost) > 1 else ""
        warnings.warn(
            f"{len(lost)} of {len(trajectory.seeds)} networks diverged ({lost[0]}{more}); "
            "the others went on.",
            RuntimeWarning,
            stacklevel=3,
        )


def first_updates(experiment: Experiment, seed: int, n_updates: int) -> np.ndarray:
    """(update + 1, parameter) float32 of one network on the CPU: initial, then after each update.

    Parameters
    ----------
    experiment : Experiment
    seed : int
    n_updates : int
        From the start of training on.
    """
    if engine_for(experiment, load_task(experiment.task), "cpu") == "fused":
        from ibcore.training.fused import first_updates as of_engine
    elif has_own_pieces(experiment):
        from ibcore.training.torch_own import first_updates as of_engine
    elif experiment.convolutions:
        from ibcore.training.torch_single import first_updates as of_engine
    else:
        from ibcore.training.torch_batched import first_updates as of_engine
    return of_engine(experiment, seed, n_updates)


def _checked_engine(
    experiment: Experiment, task: Task, device: str, engine: str, dtype: type
) -> str:
    """The engine to use, or an error that says what does not go together."""
    if device not in DEVICES:
        raise ValueError(f"device must be one of {', '.join(DEVICES)}; got {device!r}.")
    if task.target is not None and experiment.loss != "squared_error":
        raise ValueError(
            f"the targets of {task.name!r} are real numbers; train with loss='squared_error'."
        )
    fitting = engine_for(experiment, task, device)
    if has_own_pieces(experiment) and experiment.convolutions:
        raise ValueError(
            "a convolutional network takes no activation or optimizer of your own here; use "
            "hidden_widths alone, or one of the book's."
        )
    engine = fitting if engine == "auto" else engine
    if engine == "fused" and fitting != "fused":
        raise ValueError(
            f"the fused engine trains dense hidden layers of up to {WIDEST_FUSED} units, without "
            "batch normalisation or pieces of your own, on the CPU; use engine='torch' for this "
            "experiment."
        )
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise ValueError(f"dtype must be numpy.float32 or numpy.float64, got {dtype!r}.")
    if engine not in ENGINES:
        raise ValueError(f"engine must be 'auto', 'fused' or 'torch', got {engine!r}.")
    return engine
