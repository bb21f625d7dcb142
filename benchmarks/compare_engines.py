"""Fused loop and torch twin after a full run: the same law of networks?

Rounding makes the two engines drift apart over thousands of updates, network by network. What must
agree is the distribution over seeds. For every layer, final I(X;T) and I(T;Y) (30 bins) of 50
networks of each engine are compared by the two-sample Kolmogorov-Smirnov test, each engine on its
own 50 seeds so that the samples are independent, with Holm's correction over layers.

    python benchmarks/compare_engines.py --n-epochs 8000
"""

import argparse
import time

import numpy as np
from scipy.stats import ks_2samp

import ibcore as ib
from ibcore.results.measuring import measure_trajectory
from ibcore.training import train


def final_information(experiment, engine):
    """(quantity, seed, layer) at the last epoch, and the seconds of training."""
    start = time.perf_counter()
    trajectory = train(experiment, engine=engine, device="cpu")
    took = time.perf_counter() - start
    found = measure_trajectory(trajectory, [ib.Binning()], [], progress=False)
    return np.stack([found["i_xt"], found["i_ty"]])[:, 0, :, -1], took


def holm(p):
    """Adjusted p-values, controlling the family-wise error."""
    order = np.argsort(p)
    adjusted = np.maximum.accumulate((len(p) - np.arange(len(p))) * p[order])
    return np.minimum(adjusted, 1)[np.argsort(order)]


def main():
    """Print one row per quantity and layer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--n-epochs", type=int, default=8000)
    parser.add_argument("--n-seeds", type=int, default=50)
    asked = parser.parse_args()
    base = ib.Experiment(n_epochs=asked.n_epochs, n_seeds=asked.n_seeds, n_measured_epochs=2)
    ours, fused_s = final_information(base, "fused")
    theirs, torch_s = final_information(base.replace(first_seed=asked.n_seeds), "torch")
    print(f"{asked.n_seeds} networks, {asked.n_epochs} epochs: fused {fused_s:.0f} s, "
          f"torch {torch_s:.0f} s")  # fmt: skip
    rows = [
        (name, layer + 1, ours[q, :, layer], theirs[q, :, layer])
        for q, name in enumerate(("I(X;T)", "I(T;Y)"))
        for layer in range(ours.shape[2])
    ]
    p = np.array([ks_2samp(a, b).pvalue for *_, a, b in rows])
    for (name, layer, a, b), raw, adjusted in zip(rows, p, holm(p), strict=True):
        print(f"{name} layer {layer}: median {np.median(a):.3f} and {np.median(b):.3f} bit, "
              f"p {raw:.3f}, adjusted {adjusted:.3f}")  # fmt: skip
    print("smallest adjusted p:", f"{holm(p).min():.3f}")


if __name__ == "__main__":
    main()
