"""Networks trained one after the other in torch: convolutions, and dropout."""

import numpy as np
import torch
from torch.nn import functional
from tqdm import tqdm

from ibcore.config import Experiment
from ibcore.networks import KERNEL, Ensemble
from ibcore.randomness import generator
from ibcore.tasks import load_task
from ibcore.training.trajectory import Trajectory, layer_widths, pack, split_rows
from ibcore.training.twin import ACTIVATIONS, loss_per_network, optimizer_for, pick_device


def train_singly(
    experiment: Experiment,
    seeds: tuple[int, ...],
    *,
    device: str = "cpu",
    dtype: type = np.float32,
    progress: bool = True,
) -> Trajectory:
    """Train each network by itself; see ``ibcore.train``.

    Raises
    ------
    ValueError
        For dropout with what only the batched twin has: trained slopes and penalties.
    """
    from ibcore.training import progress_wanted

    if experiment.activation == "prelu" or experiment.l2 or experiment.parseval:
        raise ValueError("dropout goes with neither 'prelu' nor l2 nor parseval here; drop one.")
    bar = tqdm(
        total=len(seeds) * experiment.n_epochs,
        desc=f"train {experiment.task} x {len(seeds)} (torch)",
        unit="epoch",
        disable=not (progress and progress_wanted()),
    )
    with bar:
        found = [_train_one(experiment, seed, pick_device(device), dtype, bar) for seed in seeds]
    return Trajectory(experiment, seeds, experiment.epochs, np.concatenate(found, axis=1), "torch")


def _train_one(experiment, seed, device, dtype, bar):
    """(epoch, 1, parameter) of one network."""
    from ibcore.training import batch_orders, target_table

    task = load_task(experiment.task)

    def tensor(array):
        return torch.tensor(np.asarray(array, dtype), device=device)

    x, target = tensor(task.x), tensor(target_table(task))
    ensemble = Ensemble.initial(experiment, (seed,), task.x.shape[1], task.n_outputs)
    weights, biases = (
        [tensor(one[0]).requires_grad_() for one in part]
        for part in (ensemble.weights, ensemble.biases)
    )
    optimizer = optimizer_for(experiment, [*weights, *biases])
    rows = split_rows(task, experiment, seed)[0]
    batch = min(experiment.batch_size or len(rows), len(rows))
    measured, found = set(experiment.epochs.tolist()), []

    def record():
        parts = ([one.detach().cpu().numpy()[None] for one in part] for part in (weights, biases))
        found.append(pack(Ensemble(*map(tuple, parts))))

    record()
    for epoch in range(1, experiment.n_epochs + 1):
        order = torch.tensor(
            batch_orders(experiment, seed, rows, epoch - 1, 1)[0].astype(np.int64), device=device
        )
        shaken = _shaken(experiment, task, seed, len(rows), epoch - 1)
        for start in range(0, len(rows), batch):
            part = slice(start, start + batch)
            noise, kept = ([tensor(one[part]) for one in many] for many in shaken)
            out = _output(x[order[part]], weights, biases, experiment, noise, kept)
            loss = loss_per_network(out, target[order[part]], experiment.loss)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        if epoch in measured:
            record()
        bar.update()
    return np.stack(found)


def _shaken(experiment, task, seed, n_rows, epoch):
    """Noise of each hidden layer and factors of each dense one, in the order of the batches."""
    widths, noise, kept = layer_widths(experiment, task)[1:-1], [], []
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


def _output(t, weights, biases, experiment, noise, kept):
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


def _convolved(t, weight, bias):
    """(sample, channel, side, side), from (sample, unit) and (fan_in, channel)."""
    channels = weight.shape[0] // KERNEL**2
    side = round((t.shape[1] // channels) ** 0.5)
    kernels = weight.T.reshape(-1, channels, KERNEL, KERNEL)
    images = t.reshape(len(t), channels, side, side)
    return functional.conv2d(images, kernels, bias, padding=KERNEL // 2)
