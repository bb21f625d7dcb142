"""The readable twin of the fused loop: torch, autograd, all networks in one batched product.

It trains what the fused loop does not: wide layers, and everything on a GPU.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from typing import Any

import numpy as np
import torch
from torch.nn import functional

from ibcore.config import Experiment
from ibcore.networks import LEAK, Ensemble
from ibcore.tasks import load_task
from ibcore.training.inputs import batch_orders, split_rows, target_table, training_noise
from ibcore.training.trajectory import Trajectory, pack
from ibcore.work import bar

# alpha holds the slopes of PReLU, (seed, 1, unit); the others are given None
ACTIVATIONS: dict[str, Callable[[torch.Tensor, Any], torch.Tensor]] = {
    "linear": lambda z, alpha: z,
    "tanh": lambda z, alpha: torch.tanh(z),
    "sigmoid": lambda z, alpha: torch.sigmoid(z),
    "relu": lambda z, alpha: torch.relu(z),
    "softsign": lambda z, alpha: functional.softsign(z),
    "softplus": lambda z, alpha: functional.softplus(z, threshold=1e9),
    "leaky_relu": lambda z, alpha: functional.leaky_relu(z, LEAK),
    "elu": lambda z, alpha: functional.elu(z),
    "centred_softplus": lambda z, alpha: functional.softplus(z, threshold=1e9) - np.log(2),
    "swish": lambda z, alpha: functional.silu(z),
    "gelu": lambda z, alpha: functional.gelu(z),
    "abs": lambda z, alpha: torch.abs(z),
    "prelu": lambda z, alpha: torch.where(z > 0, z, alpha * z),
    "hard_tanh": lambda z, alpha: functional.hardtanh(z),
}


def pick_device(device: str) -> str:
    """``"cpu"`` or ``"cuda"``; ``"auto"`` takes a GPU where there is one.

    Raises
    ------
    ValueError
        If a GPU is asked for that is not there.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device='cuda' was asked for, but torch finds no GPU; use 'cpu'.")
    return device


def output(
    x: torch.Tensor,
    weights: Sequence[torch.Tensor],
    biases: Sequence[torch.Tensor],
    slopes: Sequence[torch.Tensor],
    activation: str,
    noise: Sequence[torch.Tensor],
) -> torch.Tensor:
    """(seed, sample, output): the forward pass up to the softmax.

    Parameters
    ----------
    x : (seed, sample, feature) tensor
    weights : (seed, fan_in, unit) tensors
        One per layer.
    biases : (seed, unit) tensors
    slopes : (seed, unit) tensors
        Of PReLU, one per hidden layer; empty for other activations.
    activation : str
    noise : (seed, sample, unit) tensors
        One per hidden layer, or none at all.
    """
    *hidden, (weight, bias) = zip(weights, biases, strict=True)
    for layer, (w, b) in enumerate(hidden):
        alpha = slopes[layer][:, None] if slopes else None
        x = ACTIVATIONS[activation](torch.baddbmm(b[:, None], x, w), alpha)
        x = x + noise[layer] if len(noise) else x
    return torch.baddbmm(bias[:, None], x, weight)


def loss_per_network(out: torch.Tensor, target: torch.Tensor, loss: str) -> torch.Tensor:
    """(seed,): mean over samples of cross-entropy, in nats, or squared error.

    ``out`` and ``target`` are (seed, sample, output).
    """
    if loss == "squared_error":
        return ((out - target) ** 2).sum(-1).mean(-1)
    return -(target * torch.log_softmax(out, -1)).sum(-1).mean(-1)


def penalty(weights: Sequence[torch.Tensor], experiment: Experiment) -> torch.Tensor:
    """(seed,): what L2 and the Parseval penalty add to the loss."""
    total = weights[0].new_zeros(len(weights[0]))
    for layer in experiment.penalized:
        w = weights[layer - 1]
        factor = 0.5 if experiment.l2_convention == "half_sum" else 1.0
        total = total + experiment.l2 * factor * (w**2).sum((1, 2))
        if experiment.parseval and experiment.parseval_form == "penalty":
            eye = torch.eye(w.shape[2], dtype=w.dtype, device=w.device)
            total = total + experiment.parseval * ((w.mT @ w - eye) ** 2).sum((1, 2))
    return total


@torch.no_grad()
def parseval_update(weights: Sequence[torch.Tensor], experiment: Experiment) -> None:
    """W ← (1 + β) W - β W WᵀW (Cisse et al. 2017, eq. 11)."""
    if experiment.parseval and experiment.parseval_form == "update":
        for layer in experiment.penalized:
            w = weights[layer - 1]
            w += experiment.parseval * (w - w @ (w.mT @ w))


def optimizer_for(
    experiment: Experiment, parameters: Sequence[torch.Tensor]
) -> torch.optim.Optimizer:
    """The torch optimizer of an experiment."""
    rate = experiment.learning_rate
    if experiment.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=rate, fused=True)  # half the time of a wide layer
    momentum = experiment.momentum if experiment.optimizer == "momentum" else 0.0
    return torch.optim.SGD(parameters, lr=rate, momentum=momentum)


def train_with_torch(
    experiment: Experiment,
    seeds: tuple[int, ...],
    *,
    device: str = "cpu",
    dtype: type = np.float32,
    progress: bool = True,
) -> Trajectory:
    """Train all networks at once; see ``ibcore.train``."""
    networks = _Networks(experiment, seeds, pick_device(device), dtype)
    measured, found = set(experiment.epochs.tolist()), [networks.packed()]
    with bar(
        experiment.n_epochs, f"train {experiment.task} x {len(seeds)} (torch)", "epoch", progress
    ) as shown:
        for epoch in range(1, experiment.n_epochs + 1):
            for _ in networks.updates(epoch - 1):
                pass
            if epoch in measured:
                found.append(networks.packed())
            shown.update()
    return Trajectory(experiment, seeds, experiment.epochs, np.stack(found), "torch")


def first_updates(experiment: Experiment, seed: int, n_updates: int) -> np.ndarray:
    """(update + 1, parameter) of one network: initial, and after each of its first updates."""
    networks = _Networks(experiment, (seed,), "cpu", np.float32)
    found = [networks.packed()[0]]
    every = (update for epoch in count() for update in networks.updates(epoch))
    for _ in islice(every, n_updates):
        found.append(networks.packed()[0])
    return np.stack(found)


class _Networks:
    """All networks in training at once, as tensors with a leading axis for the seeds.

    The loss is summed over networks, so each one sees exactly its own gradient.
    """

    def __init__(self, experiment: Experiment, seeds: tuple[int, ...], device: str, dtype: type):
        self.experiment, self.seeds, self.device, self.dtype = experiment, seeds, device, dtype
        task = load_task(experiment.task)
        self.x, self.target = self._tensor(task.x), self._tensor(target_table(task))
        ensemble = Ensemble.initial(experiment, seeds, task.x.shape[1], self.target.shape[1])
        self.weights, self.biases, self.slopes = (
            [self._tensor(one).requires_grad_() for one in part]
            for part in (ensemble.weights, ensemble.biases, ensemble.slopes)
        )
        self.optimizer = optimizer_for(experiment, [*self.weights, *self.biases, *self.slopes])
        self.rows = [split_rows(task, experiment, seed)[0] for seed in seeds]
        self.n_train = len(self.rows[0])
        self.batch = min(experiment.batch_size or self.n_train, self.n_train)

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.tensor(np.asarray(array, self.dtype), device=self.device)

    def packed(self) -> np.ndarray:
        """(seed, parameter) at this moment."""
        weights, biases, slopes = (
            tuple(one.detach().cpu().numpy() for one in part)
            for part in (self.weights, self.biases, self.slopes)
        )
        return pack(Ensemble(weights, biases, slopes=slopes))

    def _order(self, epoch: int) -> torch.Tensor:
        """(seed, sample): the training rows in the order of the batches."""
        orders = [
            batch_orders(self.experiment, seed, rows, epoch, 1)[0]
            for seed, rows in zip(self.seeds, self.rows, strict=True)
        ]
        return torch.tensor(np.stack(orders), dtype=torch.long, device=self.device)

    def _noise(self, epoch: int) -> torch.Tensor | None:
        """(seed, sample, hidden unit), in the order of the batches; None without noise."""
        if not self.experiment.noise_std:
            return None
        drawn = [training_noise(self.experiment, seed, self.n_train, epoch) for seed in self.seeds]
        return self._tensor(np.stack(drawn)).mT

    def updates(self, epoch: int) -> Iterator[int]:
        """Train for one epoch, stopping after each update."""
        order, noise = self._order(epoch), self._noise(epoch)
        ends = np.cumsum(self.experiment.hidden_widths)[:-1].tolist()
        for start in range(0, self.n_train, self.batch):
            part = slice(start, start + self.batch)
            shaken = noise[:, part].tensor_split(ends, -1) if noise is not None else ()
            self._update(order[:, part], shaken)
            yield start

    def _update(self, index: torch.Tensor, shaken: Sequence[torch.Tensor]) -> None:
        """One step of the optimiser on the rows ``index``, (seed, sample), with their noise."""
        e = self.experiment
        out = output(self.x[index], self.weights, self.biases, self.slopes, e.activation, shaken)
        loss = loss_per_network(out, self.target[index], e.loss)
        self.optimizer.zero_grad(set_to_none=True)
        (loss + penalty(self.weights, e)).sum().backward()
        self.optimizer.step()
        parseval_update(self.weights, e)
