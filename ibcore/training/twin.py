"""The readable twin of the fused loop: torch, autograd, all networks in one batched product.

It trains what the fused loop does not: wide layers, other activations, a GPU.
"""

import numpy as np
import torch
from tqdm import tqdm

from ibcore.config import Experiment
from ibcore.networks import Ensemble
from ibcore.tasks import load_task
from ibcore.training.trajectory import Trajectory, layer_widths, pack, split_rows

ACTIVATIONS = {
    "linear": lambda z: z,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "softsign": torch.nn.functional.softsign,
    "softplus": torch.nn.functional.softplus,
}


def pick_device(device: str) -> str:
    """``"auto"`` takes a GPU where there is one; asking for one that is not there is an error."""
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise ValueError("device='cuda' was asked for, but torch finds no GPU; use 'cpu'.")
    return device


def logits(x, weights, biases, activation):
    """(seed, sample, class): the forward pass up to the softmax."""
    *hidden, last = list(zip(weights, biases, strict=True))
    for weight, bias in hidden:
        x = ACTIVATIONS[activation](torch.baddbmm(bias[:, None], x, weight))
    return torch.baddbmm(last[1][:, None], x, last[0])


def optimizer_for(experiment: Experiment, parameters):
    """The torch optimizer of an experiment."""
    rate = experiment.learning_rate
    if experiment.optimizer == "adam":
        return torch.optim.Adam(parameters, lr=rate)
    momentum = experiment.momentum if experiment.optimizer == "momentum" else 0.0
    return torch.optim.SGD(parameters, lr=rate, momentum=momentum)


def train_with_torch(
    experiment: Experiment,
    seeds: tuple[int, ...],
    *,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
    progress: bool = True,
) -> Trajectory:
    """Train all networks at once; see ``ibcore.train``.

    The loss is summed over networks, so each one sees exactly its own gradient.
    """
    from ibcore.training import batch_orders, progress_wanted, target_table

    task = load_task(experiment.task)
    device = pick_device(device)
    x = torch.tensor(task.x, dtype=dtype, device=device)
    target = torch.tensor(target_table(task), dtype=dtype, device=device)
    ensemble = Ensemble.initial(experiment, seeds, task.x.shape[1], task.n_classes)
    weights = [torch.tensor(w, dtype=dtype, device=device) for w in ensemble.weights]
    biases = [torch.tensor(b, dtype=dtype, device=device) for b in ensemble.biases]
    parameters = [p.requires_grad_() for pair in zip(weights, biases, strict=True) for p in pair]
    optimizer = optimizer_for(experiment, parameters)
    rows = [split_rows(task, experiment, seed)[0] for seed in seeds]
    n_train = len(rows[0])
    batch = min(experiment.batch_size or n_train, n_train)
    measured = set(experiment.epochs.tolist())
    found = []

    def record():
        state = Ensemble(
            tuple(w.detach().float().cpu().numpy() for w in weights),
            tuple(b.detach().float().cpu().numpy() for b in biases),
        )
        found.append(pack(state).copy())

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
        for start in range(0, n_train, batch):
            index = order[:, start : start + batch]
            log_p = torch.log_softmax(logits(x[index], weights, biases, experiment.activation), -1)
            loss = -(target[index] * log_p).sum(-1).mean(-1).sum()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        if epoch in measured:
            record()
    assert layer_widths(experiment, task)[1:] == ensemble.widths
    return Trajectory(experiment, seeds, experiment.epochs, np.stack(found), "torch")
