"""Training: the fused loop against what users have today, as ratios in one run.

Per network step of a 12-10-7-5-4-3-2 tanh network, Adam, batch 512, one thread each:
a torch loop over single networks, the batched torch twin on 16 networks, the fused loop with
batch orders drawn, and the arithmetic limit of this machine: 0.81 Mflop at the rate of a float32
product of 1024-cubes, plus 14 848 tanh at the rate of the fastest one found.

    python benchmarks/bench_training.py            the table
    python benchmarks/bench_training.py --scaling  cost against sizes
"""

import argparse
import resource
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch

import ibcore as ib
from ibcore.config import ACTIVATIONS, Experiment
from ibcore.tasks import Task, load_task, register_task
from ibcore.training import layers, train
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
    a, b = (np.random.default_rng(0).normal(size=8 * layers.ROW).astype(np.float32) for _ in "ab")

    def rounds():
        for _ in range(1000):
            layers.activate(a, b, 0, b, 0, 8, layers.BLOCK, CODES["tanh"], 1.0)

    rounds()
    return min(torchs, seconds(rounds) / (1000 * len(a)))


def seconds_per_flop():
    """At the rate of a float32 product of 1024-cubes."""
    a = torch.rand(1024, 1024)
    return seconds(lambda: a @ a, 10) / (2 * 1024**3)


def limit():
    """Seconds of one step if only arithmetic counted."""
    return FLOP * seconds_per_flop() + TANH * fastest_tanh()


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
    step, product = wide()
    print(f"\n784-1024-20-20-20-10 in torch: {1e3 * step:.1f} ms per network step, "
          f"{step / product:.2f} times its matrix products")  # fmt: skip
    costs = {a: ensemble(experiment(1, 200, activation=a)) for a in ACTIVATIONS}
    costs["noise 0.05"] = ensemble(experiment(1, 200, noise_std=0.05))
    costs["L2"] = ensemble(experiment(1, 200, l2=1e-3))
    costs["Parseval"] = ensemble(experiment(1, 200, parseval=1e-3))
    costs["dropout 0.1"] = ensemble(experiment(1, 200, dropout=0.1))
    costs["4 bits"] = ensemble(experiment(1, 200, bits=4))
    costs["norm limit"] = ensemble(experiment(1, 200, norm_limit=2.0))
    costs["bounds twice as far"] = ensemble(experiment(1, 200, output_range=2.0))
    print("\nfused loop, one thread, x tanh")
    print(", ".join(f"{name} {cost / costs['tanh']:.2f}" for name, cost in costs.items()))
    return all(ratio >= floor for _, ratio, floor in floors)


def wide():
    """Seconds per step of 784-1024-20-20-20-10 networks, and of their matrix products alone."""
    widths, batch = (784, 1024, 20, 20, 20, 10), 512
    rng = np.random.default_rng(0)
    x, y = rng.random((7 * batch, 784), dtype=np.float32), rng.integers(0, 10, 7 * batch)
    register_task(Task(name="wide", x=x, y=y, n_classes=10, description="random images"))
    settings = experiment(
        2, 2, task="wide", hidden_widths=widths[1:-1], batch_size=batch, train_fraction=1.0
    )
    cost = ensemble(settings, "torch")
    flop = sum(2 * batch * a * b * (2 if a == 784 else 3) for a, b in pairwise(widths))
    return cost, flop * seconds_per_flop()


def scaling_of_training():
    """What: [(size, seconds)] on two threads."""
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
    for name, sweep in sweeps.items():
        yield name, [
            (
                size,
                ensemble(settings, threads=2, repeats=1)
                * settings.n_seeds * settings.n_epochs * UPDATES,
            )
            for size, settings in sweep
        ]  # fmt: skip


def scaling_of_rulers():
    """What: [(size, seconds)] on one thread, of a layer of ten units."""
    rng = np.random.default_rng(0)
    t, y = np.tanh(2 * rng.normal(size=(16_384, 10))), rng.integers(0, 2, 16_384)
    one = ib.KernelBound(1e-3)
    yield (
        "inputs, kernel bound",
        [(n, seconds(lambda n=n: one(t[:n], y[:n]))) for n in (2048, 4096, 8192, 16_384)],
    )
    yield (
        "noise levels, kernel bound",
        [
            (
                n,
                seconds(
                    lambda n=n: ib.KernelBound(tuple(1e-4 * 2.0 ** np.arange(n)))(
                        t[:4096], y[:4096]
                    )
                ),
            )
            for n in (1, 2, 4, 8)
        ],
    )
    s = t[None, :1024] + 0.3 * rng.normal(size=(1024, 1024, 10))
    ruler = ib.SamplePropagation(0.1)
    yield (
        "replicas, sample propagation",
        [(n, seconds(lambda n=n: ruler(s[:n], y[:1024]), 1)) for n in (64, 128, 256, 512, 1024)],
    )


def scaling():
    """Seconds against sizes, with the fitted exponent and the peak memory."""
    from matplotlib.figure import Figure

    ib.plots.use_style()
    figure = Figure(figsize=(9, 5.6), layout="constrained")
    sweeps = [*scaling_of_training(), *scaling_of_rulers()]
    for axes, (name, sweep) in zip(figure.subplots(2, 3).flat, sweeps, strict=True):
        n, cost = np.array(sweep).T
        slope, _ = np.polyfit(np.log(n), np.log(cost), 1)
        axes.loglog(n, cost, "o-", label="measured")
        axes.loglog(n, cost[-1] * n / n[-1], "--", label="linear")
        axes.set(xlabel=name, ylabel="seconds", title=f"exponent {slope:.2f}")
        axes.set_xticks(n[:: -(-len(n) // 4)], [f"{size:g}" for size in n[:: -(-len(n) // 4)]])
        axes.minorticks_off()
        axes.legend()
        print(name, [f"{size:g}: {value:.3g} s" for size, value in sweep])
        print(f"  exponent {slope:.2f}")
    figure.savefig(Path(__file__).with_name("scaling.svg"), metadata={"Date": None})
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"peak memory {peak:.2f} GiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--scaling", action="store_true")
    if parser.parse_args().scaling:
        scaling()
    elif not table():
        sys.exit(1)
