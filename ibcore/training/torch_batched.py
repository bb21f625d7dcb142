"""The readable twin of the fused loop: torch, autograd, all networks in one batched product.

It trains what the fused loop does not: wide layers, and everything on a GPU.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import count, islice
from typing import Any, NamedTuple

import numpy as np
import torch
from torch.nn import functional

from ibcore.config import Experiment
from ibcore.networks import LEAK, RANGE_RATE, SMALLEST_RANGE, Ensemble, lowest_level
from ibcore.tasks import load_task
from ibcore.training.inputs import (
    batch_orders,
    dropout_factors,
    split_rows,
    target_table,
    training_noise,
)
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


class Reading(NamedTuple):
    """What passes between the layers of an update besides activations.

    Attributes
    ----------
    noise : (seed, sample, unit) tensors
        Added to the hidden layers; one each, or none at all.
    kept : (seed, sample, unit) tensors
        Factors of the hidden layers, 0 for a unit that drops out; one each, or none at all.
    ranges : (seed, 1, 1) tensors
        Highest level of each rounded hidden layer; none at all where nothing is rounded.
    normalizers : Normalizer
        Of each hidden layer, or none at all.
    """

    noise: Sequence[torch.Tensor] = ()
    kept: Sequence[torch.Tensor] = ()
    ranges: Sequence[torch.Tensor] = ()
    normalizers: Sequence["Normalizer"] = ()


PLAIN = Reading()


def output(
    x: torch.Tensor,
    weights: Sequence[torch.Tensor],
    biases: Sequence[torch.Tensor],
    slopes: Sequence[torch.Tensor],
    experiment: Experiment,
    reading: Reading = PLAIN,
) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """(seed, sample, output): the forward pass up to the softmax; and each hidden layer's max |t|.

    Parameters
    ----------
    x : (seed, sample, feature) tensor
    weights : (seed, fan_in, unit) tensors
        One per layer.
    biases : (seed, unit) tensors
    slopes : (seed, unit) tensors
        Of PReLU, one per hidden layer; empty for other activations.
    experiment : Experiment
    reading : Reading

    Returns
    -------
    out : (seed, sample, output) tensor
    peaks : (seed, 1, 1) tensors
        Largest |t| of each hidden layer before it was rounded; empty where nothing is.
    """
    *hidden, (weight, bias) = zip(weights, biases, strict=True)
    peaks, s = [], experiment.output_range
    for layer, (w, b) in enumerate(hidden):
        alpha = slopes[layer][:, None] if slopes else None
        z = torch.baddbmm(b[:, None], x, w)
        if reading.normalizers:
            z = reading.normalizers[layer](z)
        x = s * ACTIVATIONS[experiment.activation](z / s, alpha)
        if reading.ranges:
            peaks.append(x.detach().abs().amax((1, 2), keepdim=True))
            low = lowest_level(experiment.activation)
            x = rounded(x, low * reading.ranges[layer], reading.ranges[layer], experiment.bits)
        x = x + reading.noise[layer] if len(reading.noise) else x
        x = x * reading.kept[layer] if len(reading.kept) else x
    return torch.baddbmm(bias[:, None], x, weight), peaks


def rounded(t: torch.Tensor, low: torch.Tensor, high: torch.Tensor, bits: int) -> torch.Tensor:
    """The nearest of 2^bits levels from ``low`` to ``high``.

    The gradient passes straight through, and is 0 outside of them.
    """
    step = (high - low) / (2**bits - 1)
    inside = torch.clamp(t, low, high)
    return inside + (low + torch.round((inside - low) / step) * step - inside).detach()


class Normalizer:
    """Batch normalisation of one hidden layer of all networks (Ioffe & Szegedy 2015)."""

    epsilon, momentum = 1e-5, 0.1

    def __init__(self, bias: torch.Tensor):
        """Scale 1, shift 0, for units as ``bias`` (seed, unit) has them."""
        self.scale = torch.ones_like(bias).requires_grad_()
        self.shift = torch.zeros_like(bias).requires_grad_()
        self.mean, self.variance = torch.zeros_like(bias), torch.ones_like(bias)

    def __call__(self, z: torch.Tensor) -> torch.Tensor:
        """Z (seed, sample, unit) with mean and variance of the batch taken out."""
        mean, variance = z.mean(1), z.var(1, unbiased=False)
        n = z.shape[1]
        with torch.no_grad():
            self.mean.lerp_(mean, self.momentum)
            self.variance.lerp_(variance * (n / max(n - 1, 1)), self.momentum)
        unit = (z - mean[:, None]) / torch.sqrt(variance[:, None] + self.epsilon)
        return unit * self.scale[:, None] + self.shift[:, None]

    @torch.no_grad()
    def folded(self, weight: torch.Tensor, bias: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Weights and biases of a layer that does the same, with the running statistics."""
        factor = self.scale / torch.sqrt(self.variance + self.epsilon)
        return weight * factor[:, None], (bias - self.mean) * factor + self.shift


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


@torch.no_grad()
def limit_norms(
    weights: Sequence[torch.Tensor], initial: Sequence[torch.Tensor], experiment: Experiment
) -> None:
    """Scale weights back to ``norm_limit`` times their initial norms, (seed, 1, 1) tensors."""
    if experiment.norm_limit:
        for layer in experiment.penalized:
            w = weights[layer - 1]
            limit = experiment.norm_limit * initial[layer - 1]
            w *= torch.clamp(limit / norm_of(w).clamp(min=1e-30), max=1)


def norm_of(weight: torch.Tensor) -> torch.Tensor:
    """Frobenius norms, (seed, 1, 1)."""
    return weight.detach().square().sum((1, 2), keepdim=True).sqrt()


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
        self.ranges = [self._tensor(one)[:, None] for one in ensemble.ranges]
        self.norms = [norm_of(weight) for weight in self.weights]
        normalized = experiment.normalization == "batch"
        self.normalizers = [Normalizer(one.detach()) for one in self.biases[:-1] if normalized]
        trained = [*self.weights, *self.biases, *self.slopes]
        for one in self.normalizers:
            trained += [one.scale, one.shift]
        self.optimizer = optimizer_for(experiment, trained)
        self.rows = [split_rows(task, experiment, seed)[0] for seed in seeds]
        self.n_train = len(self.rows[0])
        self.batch = min(experiment.batch_size or self.n_train, self.n_train)

    def _tensor(self, array: np.ndarray) -> torch.Tensor:
        return torch.tensor(np.asarray(array, self.dtype), device=self.device)

    def packed(self) -> np.ndarray:
        """(seed, parameter) at this moment; batch normalisation is folded in."""
        layers = [*zip(self.weights, self.biases, strict=True)]
        for k, one in enumerate(self.normalizers):
            layers[k] = one.folded(*layers[k])
        weights, biases, slopes, ranges = (
            tuple(one.detach().cpu().numpy() for one in part)
            for part in (*zip(*layers, strict=True), self.slopes, self.ranges)
        )
        flat = tuple(one[:, 0] for one in ranges)
        return pack(Ensemble(weights, biases, slopes=slopes, ranges=flat))

    def _order(self, epoch: int) -> torch.Tensor:
        """(seed, sample): the training rows in the order of the batches."""
        orders = [
            batch_orders(self.experiment, seed, rows, epoch, 1)[0]
            for seed, rows in zip(self.seeds, self.rows, strict=True)
        ]
        return torch.tensor(np.stack(orders), dtype=torch.long, device=self.device)

    def _shaken(self, epoch: int) -> list[torch.Tensor | None]:
        """Noise and factors of one epoch, (seed, sample, hidden unit), in the order of the batches.

        None without.
        """
        found = []
        for wanted, drawn in (
            (self.experiment.noise_std, training_noise),
            (self.experiment.dropout, dropout_factors),
        ):
            each = [drawn(self.experiment, s, self.n_train, epoch) for s in self.seeds if wanted]
            found.append(self._tensor(np.stack(each)).mT if wanted else None)
        return found

    def updates(self, epoch: int) -> Iterator[int]:
        """Train for one epoch, stopping after each update."""
        order, shaken = self._order(epoch), self._shaken(epoch)
        ends = np.cumsum(self.experiment.hidden_widths)[:-1].tolist()
        for start in range(0, self.n_train, self.batch):
            part = slice(start, start + self.batch)
            noise, kept = (
                one[:, part].tensor_split(ends, -1) if one is not None else () for one in shaken
            )
            self._update(order[:, part], Reading(noise, kept, self.ranges, self.normalizers))
            yield start

    def _update(self, index: torch.Tensor, reading: Reading) -> None:
        """One step of the optimiser on the rows ``index``, (seed, sample)."""
        e = self.experiment
        out, peaks = output(self.x[index], self.weights, self.biases, self.slopes, e, reading)
        loss = loss_per_network(out, self.target[index], e.loss)
        self.optimizer.zero_grad(set_to_none=True)
        (loss + penalty(self.weights, e)).sum().backward()
        self.optimizer.step()
        parseval_update(self.weights, e)
        limit_norms(self.weights, self.norms, e)
        for reach, peak in zip(self.ranges, peaks, strict=True):
            reach += RANGE_RATE * (peak - reach)
            reach.clamp_(min=SMALLEST_RANGE)
