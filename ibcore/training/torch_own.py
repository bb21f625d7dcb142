"""Networks with an activation or an optimiser of a reader's own, in torch, one after the other.

One by one, because an optimiser may look at whole tensors, as clipping by norm does, and would mix
networks that share them; on one thread, so that sums are rounded alike wherever a network runs.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count, islice
from typing import Any

import numpy as np
import torch

from ibcore.config import Experiment
from ibcore.training import torch_batched
from ibcore.training.torch_batched import pick_device
from ibcore.training.trajectory import Trajectory
from ibcore.work import bar

OPTIMIZERS: dict[str, Callable[..., Any]] = {}
"""Name -> what makes the optimiser of a list of parameters and ``lr``."""


def train_own(
    experiment: Experiment,
    seeds: tuple[int, ...],
    *,
    device: str = "cpu",
    dtype: type = np.float32,
    progress: bool = True,
) -> Trajectory:
    """Train one network after the other; see ``ibcore.train``."""
    found, last = [], experiment.n_epochs
    measured = set(experiment.epochs.tolist())
    about = f"train {experiment.task} x {len(seeds)} (torch)"
    with bar(len(seeds) * last, about, "epoch", progress) as shown, _one_thread():
        for seed in seeds:
            network = _network(experiment, seed, pick_device(device), dtype)
            one = [network.packed()]
            for epoch in range(1, last + 1):
                for _ in network.updates(epoch - 1):
                    pass
                if epoch in measured:
                    one.append(network.packed())
                shown.update()
            found.append(np.stack(one))
    return Trajectory(experiment, seeds, experiment.epochs, np.concatenate(found, axis=1), "torch")


def first_updates(experiment: Experiment, seed: int, n_updates: int) -> np.ndarray:
    """(update + 1, parameter) of one network: initial, and after each of its first updates."""
    with _one_thread():
        network = _network(experiment, seed, "cpu", np.float32)
        start = network.packed()[0]
        every = (network.packed()[0] for epoch in count() for _ in network.updates(epoch))
        return np.stack([start, *islice(every, n_updates)])


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _network(
    experiment: Experiment, seed: int, device: str, dtype: type
) -> torch_batched._Networks:
    """One network with its optimiser."""
    network = torch_batched._Networks(experiment, (seed,), device, dtype)
    if experiment.optimizer in OPTIMIZERS:
        make = OPTIMIZERS[experiment.optimizer]
        network.optimizer = make(_trained(network), lr=experiment.learning_rate)
    return network


def _trained(network: torch_batched._Networks) -> Sequence[torch.Tensor]:
    """All that an update may change."""
    found = [*network.weights, *network.biases, *network.slopes]
    for one in network.normalizers:
        found += [one.scale, one.shift]
    return found
