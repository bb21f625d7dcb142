"""Training: the fused loop against what users have today, as ratios in one run.

Per network step of a 12-10-7-5-4-3-2 tanh network, Adam, batch 512, one thread each:
a torch loop over single networks, the batched torch twin on 16 networks, the fused loop, and the
arithmetic limit of this machine: 0.81 Mflop at the rate of a float32 product of 1024-cubes, plus
14 848 tanh at the rate of the fastest one found.
"""

import time
from itertools import pairwise

import numpy as np
import torch

from ibcore.config import Experiment
from ibcore.tasks import load_task
from ibcore.training import kernel, train

FLOP, TANH = 0.81e6, 14_848


def seconds(work, repeats=3):
    """Best of a few runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def experiment(n_seeds, n_epochs):
    """The reference network; 7 updates per epoch."""
    return Experiment(n_seeds=n_seeds, n_epochs=n_epochs, n_measured_epochs=2, train_fraction=0.875)


def single_torch(n_steps=200):
    """Seconds per step of a plain torch loop on one network."""
    task = load_task("szt")
    widths = (12, 10, 7, 5, 4, 3, 2)
    layers = []
    for fan_in, unit in pairwise(widths):
        layers += [torch.nn.Linear(fan_in, unit), torch.nn.Tanh()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters(), lr=4e-4)
    x, y = torch.tensor(task.x[:512]), torch.tensor(task.y[:512].astype(np.int64))

    def work():
        for _ in range(n_steps):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()

    work()
    return seconds(work) / n_steps


def ensemble(engine, n_seeds, n_epochs, threads):
    """Seconds per network step of one of our engines."""
    settings = experiment(n_seeds, n_epochs)

    def work():
        train(settings, engine=engine, device="cpu", threads=threads, progress=False)

    work()
    return seconds(work) / (n_seeds * n_epochs * 7)


def limit():
    """Seconds of one step if only arithmetic counted."""
    a = torch.rand(1024, 1024)
    per_flop = seconds(lambda: a @ a, 10) / (2 * 1024**3)
    z = torch.randn(TANH * 64)
    out = torch.empty_like(z)
    per_tanh = seconds(lambda: torch.tanh(z, out=out), 10) / len(z)
    t = np.random.default_rng(0).normal(size=(8, 128)).astype(np.float32)
    kernel._activate(t, 8, 128, 1)

    def rounds():
        for _ in range(1000):
            kernel._activate(t, 8, 128, 1)

    per_tanh = min(per_tanh, seconds(rounds) / (1000 * t.size))
    return FLOP * per_flop + TANH * per_tanh


def main():
    """Print the table."""
    torch.set_num_threads(1)
    fused = ensemble("fused", 2, 200, 1)
    rows = {
        "torch, one network after the other": single_torch(),
        "torch, 16 networks batched (the twin)": ensemble("torch", 16, 4, 1),
        "fused loop, one thread": fused,
        "fused loop, two threads": ensemble("fused", 8, 200, 2),
        "arithmetic limit": limit(),
    }
    print(f"{'per network step':40s} {'us':>8s} {'x fused':>8s}")
    for name, value in rows.items():
        print(f"{name:40s} {1e6 * value:8.1f} {value / fused:8.2f}")


if __name__ == "__main__":
    main()
