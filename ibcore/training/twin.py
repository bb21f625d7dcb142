"""The readable twin of the fused loop: torch, autograd, all networks in one batched product.

It trains what the fused loop does not: wide layers, and everything on a GPU.
"""

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from ibcore.config import Experiment
from ibcore.networks import LEAK, Ensemble
from ibcore.tasks import load_task
from ibcore.training.trajectory import Trajectory, pack, split_rows

# alpha holds the slopes of PReLU, (seed, 1, unit)
ACTIVATIONS = {
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
    """``"auto"`` takes a GPU where there is one; asking for one that is not there is an error."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device='cuda' was asked for, but torch finds no GPU; use 'cpu'.")
    return device


def output(x, weights, biases, slopes, activation, noise):
    """(seed, sample, output): the forward pass up to the softmax.

    ``noise`` has one (seed, sample, unit) tensor per hidden layer, or none at all.
    """
    *hidden, (weight, bias) = zip(weights, biases, strict=True)
    for layer, (w, b) in enumerate(hidden):
        alpha = slopes[layer][:, None] if slopes else None
        x = ACTIVATIONS[activation](torch.baddbmm(b[:, None], x, w), alpha)
        x = x + noise[layer] if len(noise) else x
    return torch.baddbmm(bias[:, None], x, weight)


def loss_per_network(out, target, loss):
    """(seed,): mean over samples of cross-entropy or squared error."""
    if loss == "squared_error":
        return ((out - target) ** 2).sum(-1).mean(-1)
    return -(target * torch.log_softmax(out, -1)).sum(-1).mean(-1)


def penalty(weights, experiment: Experiment):
    """(seed,): what L2 and the Parseval penalty add to the loss."""
    total = 0
    for layer in experiment.penalized:
        w = weights[layer - 1]
        factor = 0.5 if experiment.l2_convention == "half_sum" else 1.0
        total = total + experiment.l2 * factor * (w**2).sum((1, 2))
        if experiment.parseval and experiment.parseval_form == "penalty":
            eye = torch.eye(w.shape[2], dtype=w.dtype, device=w.device)
            total = total + experiment.parseval * ((w.mT @ w - eye) ** 2).sum((1, 2))
    return total


@torch.no_grad()
def parseval_update(weights, experiment: Experiment):
    """W ← (1 + β) W - β W WᵀW (Cisse et al. 2017, eq. 11)."""
    if experiment.parseval and experiment.parseval_form == "update":
        for layer in experiment.penalized:
            w = weights[layer - 1]
            w += experiment.parseval * (w - w @ (w.mT @ w))


def optimizer_for(experiment: Experiment, parameters):
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
    """Train all networks at once; see ``ibcore.train``.

    The loss is summed over networks, so each one sees exactly its own gradient.
    """
    from ibcore.training import batch_orders, progress_wanted, target_table, training_noise

    task = load_task(experiment.task)
    device = pick_device(device)

    def tensor(array):
        return torch.tensor(np.asarray(array, dtype), device=device)

    x, target = tensor(task.x), tensor(target_table(task))
    ensemble = Ensemble.initial(experiment, seeds, task.x.shape[1], target.shape[1])
    weights, biases, slopes = (
        [tensor(one).requires_grad_() for one in part]
        for part in (ensemble.weights, ensemble.biases, ensemble.slopes)
    )
    optimizer = optimizer_for(experiment, [*weights, *biases, *slopes])
    rows = [split_rows(task, experiment, seed)[0] for seed in seeds]
    n_train = len(rows[0])
    batch = min(experiment.batch_size or n_train, n_train)
    measured = set(experiment.epochs.tolist())
    ends = np.cumsum(experiment.hidden_widths)[:-1].tolist()
    found = []

    def record():
        parts = [
            tuple(one.detach().cpu().numpy() for one in part) for part in (weights, biases, slopes)
        ]
        found.append(pack(Ensemble(parts[0], parts[1], slopes=parts[2])))

    record()
    bar = tqdm(
        range(1, experiment.n_epochs + 1),
        desc=f"train {experiment.task} x {len(seeds)} (torch)",
        unit="epoch",
        disable=not (progress and progress_wanted()),
    )
    for epoch in bar:
        order = np.stack(
            [
                batch_orders(experiment, seed, train_rows, epoch - 1, 1)[0]
                for seed, train_rows in zip(seeds, rows, strict=True)
            ]
        )
        order = torch.tensor(order, dtype=torch.long, device=device)
        noise = [training_noise(experiment, seed, n_train, epoch - 1, 1) for seed in seeds]
        noise = tensor(np.concatenate(noise)).mT if experiment.noise_std else None
        for start in range(0, n_train, batch):
            index = order[:, start : start + batch]
            shaken = (
                noise[:, start : start + batch].tensor_split(ends, -1) if noise is not None else ()
            )
            out = output(x[index], weights, biases, slopes, experiment.activation, shaken)
            loss = loss_per_network(out, target[index], experiment.loss)
            optimizer.zero_grad(set_to_none=True)
            (loss + penalty(weights, experiment)).sum().backward()
            optimizer.step()
            parseval_update(weights, experiment)
        if epoch in measured:
            record()
    return Trajectory(experiment, seeds, experiment.epochs, np.stack(found), "torch")
