"""What a network is trained and measured on: rows, targets, batch orders and noise.

All of it is a function of the experiment and a seed, the same for every engine.
"""

import numpy as np
from scipy.special import ndtri

from ibcore.config import Experiment
from ibcore.normals import normals
from ibcore.randomness import generator, shuffled, shuffled_by_epoch
from ibcore.tasks import Task


def split_rows(task: Task, experiment: Experiment, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Training and test rows of one network.

    ``"random"``: the first ``round(train_fraction * N)`` rows of a permutation of its own train,
    the others test. ``"unshuffled"``: as the released IDNNs code does it since May 2017 at the
    latest, the first rows in file order train and the rows from 80 % on test; above 80 % the two
    overlap. A task with a canonical split keeps its test rows and takes its training rows from the
    others. ``"grouped"``: groups in random order, rows of a group together; of the group at the
    border what does not fit into the training rows is left out. With ``train_fraction=1`` and no
    rows left, the training rows serve as test rows.

    Returns
    -------
    train, test : (row,) int32 arrays
        Indices into ``task.x``.

    Raises
    ------
    ValueError
        If no row is left to train on, or if groups are asked for where there are none.
    """
    pool = np.arange(len(task.x)) if task.train_rows is None else task.train_rows
    n_train = round(experiment.train_fraction * len(pool))
    if n_train < 1:
        raise ValueError(
            f"train_fraction={experiment.train_fraction} of {len(pool)} rows leaves none to train "
            "on; raise it."
        )
    if experiment.split == "grouped":
        pool, rest = _grouped(task, pool, n_train, seed)
    elif experiment.split == "random":
        pool = shuffled(pool, generator(seed, "split"))
        rest = pool[n_train:]
    else:
        rest = pool[round(0.8 * len(pool)) :]
    train = pool[:n_train]
    test = rest if task.test_rows is None else task.test_rows
    return train.astype(np.int32), (test if len(test) else train).astype(np.int32)


def _grouped(
    task: Task, pool: np.ndarray, n_train: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """The pool by groups in random order, and its rows of groups that train nowhere."""
    if task.groups is None:
        raise ValueError(f"the rows of {task.name!r} have no groups; use split='random'.")
    place = np.argsort(shuffled(np.arange(task.groups.max() + 1), generator(seed, "split")))
    pool = pool[np.argsort(place[task.groups[pool]], kind="stable")]
    rest = pool[task.groups[pool] != task.groups[pool[n_train - 1]]]
    return pool, np.setdiff1d(rest, pool[:n_train])


def measured(task: Task) -> np.ndarray | slice:
    """Index of the rows on which information is measured."""
    return slice(None) if task.measured_rows is None else task.measured_rows


def measured_noise(
    experiment: Experiment, task: Task, seeds: tuple[int, ...], epoch: int, n_rows: int
) -> list[np.ndarray]:
    """Noise of the hidden layers in measurement, each (seed, sample, unit); empty without noise.

    Independent of the noise in training and, as all randomness, a function of seed and epoch; in
    the units of the activations.
    """
    if not experiment.noise_std:
        return []
    widths = layer_widths(experiment, task)[1:-1]
    shape = (n_rows, sum(widths))
    drawn = np.stack(
        [generator(seed, "measured_noise", epoch).standard_normal(shape) for seed in seeds]
    )
    ends = np.cumsum(widths)[:-1]
    return np.split(experiment.noise_std * drawn, ends, axis=-1)


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
    return shuffled_by_epoch(train_rows, seed, "batches", first, n_epochs)


def training_noise(experiment: Experiment, seed: int, n_train: int, epoch: int) -> np.ndarray:
    """(hidden unit, n_train) float32: the noise of one epoch, in the batch order."""
    n_units = sum(experiment.hidden_widths)
    return normals(seed, "noise", epoch, n_units, n_train, experiment.noise_std)


def dropout_factors(experiment: Experiment, seed: int, n_train: int, epoch: int) -> np.ndarray:
    """(hidden unit, n_train) float64: 0 for units that drop out, 1 / (1 - dropout) for the others.

    A unit drops out where its normal number, drawn as the noise is, lies below the quantile.
    """
    p = experiment.dropout
    drawn = normals(seed, "dropout", epoch, sum(experiment.hidden_widths), n_train)
    return (drawn > ndtri(p)) / (1 - p)


def layer_widths(experiment: Experiment, task: Task) -> tuple[int, ...]:
    """Units per layer, inputs first, outputs last; a convolution's after the pooling."""
    side, found = round(task.x.shape[1] ** 0.5), []
    for channels in experiment.convolutions:
        side //= 2
        found.append(channels * side**2)
    return (task.x.shape[1], *found, *experiment.hidden_widths, task.n_outputs)


def updates_per_epoch(experiment: Experiment, task: Task) -> int:
    """Optimiser steps per epoch; a last short batch counts."""
    train, _ = split_rows(task, experiment, experiment.first_seed)
    return -(-len(train) // min(experiment.batch_size or len(train), len(train)))
