"""Convolutional networks, trained one after the other in torch."""

from collections.abc import Iterator, Sequence
from itertools import count, islice

import numpy as np
import torch
from torch.nn import functional

from ibcore.config import Experiment
from ibcore.networks import KERNEL, Ensemble
from ibcore.randomness import generator
from ibcore.tasks import Task, load_task
from ibcore.training.inputs import batch_orders, layer_widths, split_rows, target_table
from ibcore.training.torch_batched import (
    ACTIVATIONS,
    loss_per_network,
    optimizer_for,
    pick_device,
)
from ibcore.training.trajectory import Trajectory, pack
from ibcore.work import bar


def train_singly(
    experiment: Experiment,
    seeds: tuple[int, ...],
    *,
    device: str = "cpu",
    dtype: type = np.float32,
    progress: bool = True,
) -> Trajectory:
    """Train each network by itself; see ``ibcore.train``."""
    measured = set(experiment.epochs.tolist())
    found = []
    with bar(
        len(seeds) * experiment.n_epochs,
        f"train {experiment.task} x {len(seeds)} (torch)",
        "epoch",
        progress,
    ) as shown:
        for seed in seeds:
            network = _Network(experiment, seed, pick_device(device), dtype)
            own = [network.packed()]
            for epoch in range(1, experiment.n_epochs + 1):
                for _ in network.updates(epoch - 1):
                    pass
                if epoch in measured:
                    own.append(network.packed())
                shown.update()
            found.append(np.stack(own))
    return Trajectory(experiment, seeds, experiment.epochs, np.stack(found, axis=1), "torch")


def first_updates(experiment: Experiment, seed: int, n_updates: int) -> np.ndarray:
    """(update + 1, parameter) of one network: initial, and after each of its first updates."""
    network = _Network(experiment, seed, "cpu", np.float32)
    found = [network.packed()]
    every = (update for epoch in count() for update in network.updates(epoch))
    for _ in islice(every, n_updates):
        found.append(network.packed())
    return np.stack(found)


class _Network:
    """One network in training."""

    def __init__(self, experiment: Experiment, seed: int, device: str, dtype: type):
        self.experiment, self.seed, self.device, self.dtype = experiment, seed, device, dtype
        self.task = load_task(experiment.task)
        self.x, self.target = self._tensor(self.task.x), self._tensor(target_table(self.task))
        ensemble = Ensemble.initial(experiment, (seed,), self.task.x.shape[1], self.task.n_outputs)
        self.weights, self.biases = (
            [self._tensor(one[0]).requires_grad_() for one in part]
            for part in (ensemble.weights, ensemble.biases)
        )
        self.optimizer = optimizer_for(experiment, [*self.weights, *self.biases])
        self.rows = split_rows(self.task, experiment, seed)[0]
        self.batch = min(experiment.batch_size or len(self.rows), len(self.rows))

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.tensor(np.asarray(array, self.dtype), device=self.device)

    def packed(self) -> np.ndarray:
        """(parameter,) at this moment."""
        weights, biases = (
            tuple(one.detach().cpu().numpy()[None] for one in part)
            for part in (self.weights, self.biases)
        )
        return pack(Ensemble(weights, biases))[0]

    def updates(self, epoch: int) -> Iterator[int]:
        """Train for one epoch, stopping after each update."""
        order = torch.tensor(
            batch_orders(self.experiment, self.seed, self.rows, epoch, 1)[0].astype(np.int64),
            device=self.device,
        )
        shaken = _shaken(self.experiment, self.task, self.seed, len(self.rows), epoch)
        for start in range(0, len(self.rows), self.batch):
            part = slice(start, start + self.batch)
            noise, kept = ([self._tensor(one[part]) for one in many] for many in shaken)
            out = _output(
                self.x[order[part]], self.weights, self.biases, self.experiment, noise, kept
            )
            loss = loss_per_network(out, self.target[order[part]], self.experiment.loss)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            yield start


def _shaken(
    experiment: Experiment, task: Task, seed: int, n_rows: int, epoch: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Noise of each hidden layer and factors of each dense one, in the order of the batches."""
    widths = layer_widths(experiment, task)[1:-1]
    noise: list[np.ndarray] = []
    kept: list[np.ndarray] = []
    if experiment.noise_std:
        rng = generator(seed, "noise", epoch)
        drawn = rng.standard_normal((n_rows, sum(widths)), np.float32)
        noise = np.split(experiment.noise_std * drawn, np.cumsum(widths)[:-1], axis=1)
    if experiment.dropout:
        widths = experiment.hidden_widths
        drawn = generator(seed, "dropout", epoch).random((n_rows, sum(widths)), np.float32)
        stays = (drawn >= experiment.dropout) / (1 - experiment.dropout)
        kept = np.split(stays, np.cumsum(widths)[:-1], axis=1)
    return noise, kept


def _output(
    t: torch.Tensor,
    weights: Sequence[torch.Tensor],
    biases: Sequence[torch.Tensor],
    experiment: Experiment,
    noise: Sequence[torch.Tensor],
    kept: Sequence[torch.Tensor],
) -> torch.Tensor:
    """(sample, output): the forward pass up to the softmax."""
    n_convolutions, last = len(experiment.convolutions), len(weights) - 1
    for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if layer < n_convolutions:
            z = _convolved(t, weight, bias)
            t = functional.max_pool2d(ACTIVATIONS[experiment.activation](z, None), 2).flatten(1)
        elif layer < last:
            t = ACTIVATIONS[experiment.activation](t @ weight + bias, None)
        else:
            return t @ weight + bias
        t = t + noise[layer] if noise else t
        if kept and layer >= n_convolutions:
            t = t * kept[layer - n_convolutions]
    raise AssertionError("a network has an output layer")


def _convolved(t: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """(sample, channel, side, side), from (sample, unit) and (fan_in, channel)."""
    channels = weight.shape[0] // KERNEL**2
    side = round((t.shape[1] // channels) ** 0.5)
    kernels = weight.T.reshape(-1, channels, KERNEL, KERNEL)
    images = t.reshape(len(t), channels, side, side)
    return functional.conv2d(images, kernels, bias, padding=KERNEL // 2)
