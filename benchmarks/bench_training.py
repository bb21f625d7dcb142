"""Training: the fused loop against what users have today, as ratios in one run.

Per network step of a 12-10-7-5-4-3-2 tanh network, Adam, batch 512, one thread each:
a torch loop over single networks, the batched torch twin on 16 networks, the fused loop with
batch orders drawn, and the arithmetic limit of this machine: 0.81 Mflop at the rate of a float32
product of 1024-cubes, plus 14 848 tanh at the rate of the fastest one found.

    python benchmarks/bench_training.py            the table
    python benchmarks/bench_training.py --scaling  cost against seeds, epochs and parameters
"""

import argparse
import resource
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

from ibcore.config import ACTIVATIONS, Experiment
from ibcore.tasks import load_task
from ibcore.training import kernel, layer_widths, train
from ibcore.training.functions import CODES

FLOP, TANH = 0.81e6, 14_848
UPDATES = 7  # per epoch


def seconds(work, repeats=3):
    """Best of a few runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def experiment(n_seeds, n_epochs, **changes):
    """The reference network; 7 updates per epoch."""
    settings = {"n_measured_epochs": 2, "train_fraction": 0.875} | changes
    return Experiment(n_seeds=n_seeds, n_epochs=n_epochs, **settings)


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


def ensemble(settings, engine="fused", threads=1, repeats=3):
    """Seconds per network step of one of our engines."""

    def work():
        train(settings, engine=engine, device="cpu", threads=threads, progress=False)

    work()
    return seconds(work, repeats) / (settings.n_seeds * settings.n_epochs * UPDATES)


def fastest_tanh():
    """Seconds per tanh: torch's, or that of the fused loop."""
    z = torch.randn(TANH * 64)
    out = torch.empty_like(z)
    torchs = seconds(lambda: torch.tanh(z, out=out), 10) / len(z)
    a, b = (np.random.default_rng(0).normal(size=8 * kernel.BLOCK).astype(np.float32) for _ in "ab")

    def rounds():
        for _ in range(1000):
            kernel._activate(a, b, 0, b, 0, 8, kernel.BLOCK, CODES["tanh"])

    rounds()
    return min(torchs, seconds(rounds) / (1000 * len(a)))


def limit():
    """Seconds of one step if only arithmetic counted."""
    a = torch.rand(1024, 1024)
    per_flop = seconds(lambda: a @ a, 10) / (2 * 1024**3)
    return FLOP * per_flop + TANH * fastest_tanh()


def table():
    """Print the ratios; False where one misses its floor."""
    torch.set_num_threads(1)
    fused = ensemble(experiment(2, 400))
    rows = {
        "torch, one network after the other": single_torch(),
        "torch, 16 networks batched (the twin)": ensemble(experiment(16, 4), "torch"),
        "fused loop, one thread": fused,
        "fused loop, two threads": ensemble(experiment(8, 400), threads=2),
        "arithmetic limit, one thread": limit(),
        "fused loop with noise, one thread": ensemble(experiment(2, 400, noise_std=0.05)),
    }
    single, batched, _, two, least, noisy = rows.values()
    print(f"{'per network step':40s} {'us':>8s}")
    for name, value in rows.items():
        print(f"{name:40s} {1e6 * value:8.1f}")
    floors = [
        ("single networks in torch / fused", single / fused, 20),
        ("batched torch / fused", batched / fused, 6),
        ("one thread / two threads", fused / two, 1.7),
        ("2 x arithmetic limit / fused", 2 * least / fused, 1),
        ("2 x fused / fused with noise in the layers", 2 * fused / noisy, 1),
    ]
    print()
    for name, ratio, floor in floors:
        print(f"{name:42s} {ratio:8.2f}   floor {floor}{'' if ratio >= floor else '   MISSED'}")
    costs = {a: ensemble(experiment(1, 200, activation=a)) for a in ACTIVATIONS}
    costs["noise 0.05"] = ensemble(experiment(1, 200, noise_std=0.05))
    costs["L2"] = ensemble(experiment(1, 200, l2=1e-3))
    costs["Parseval"] = ensemble(experiment(1, 200, parseval=1e-3))
    print("\nfused loop, one thread, x tanh")
    print(", ".join(f"{name} {cost / costs['tanh']:.2f}" for name, cost in costs.items()))
    return all(ratio >= floor for _, ratio, floor in floors)


def scaling():
    """Seconds against seeds, epochs and parameters, on two threads, with peak memory."""
    from matplotlib.figure import Figure

    import ibcore as ib

    ib.plots.use_style()
    widths = [(10, 7, 5, 4, 3), (16, 16, 16), (32, 16, 16), (32, 32, 32), (64, 32, 32), (64,) * 3]
    sweeps = {
        "networks": [(n, experiment(n, 200)) for n in (2, 6, 12, 25, 50)],
        "epochs": [(n, experiment(4, n)) for n in (250, 500, 1000, 2000, 4000)],
        "parameters": [
            (
                sum((a + 1) * b for a, b in pairwise((12, *hidden, 2))),
                experiment(4, 200, hidden_widths=hidden),
            )
            for hidden in widths
        ],
    }
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    for axes, (name, sweep) in zip(figure.subplots(1, 3), sweeps.items(), strict=True):
        n = np.array([size for size, _ in sweep])
        cost = [
            ensemble(settings, threads=2, repeats=1)
            * settings.n_seeds * settings.n_epochs * UPDATES
            for _, settings in sweep
        ]  # fmt: skip
        slope, _ = np.polyfit(np.log(n), np.log(cost), 1)
        axes.loglog(n, cost, "o-", label="measured")
        axes.loglog(n, cost[-1] * n / n[-1], "--", label="linear")
        axes.set(xlabel=name, ylabel="seconds", title=f"exponent {slope:.2f}")
        axes.legend()
        print(name, [f"{size}: {value:.2f} s" for size, value in zip(n, cost, strict=True)])
        print(f"  exponent {slope:.2f}")
    figure.savefig(Path(__file__).with_name("scaling.svg"), metadata={"Date": None})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GiB; widest {layer_widths(sweep[-1][1], load_task('szt'))}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--scaling", action="store_true")
    if parser.parse_args().scaling:
        scaling()
    elif not table():
        sys.exit(1)
