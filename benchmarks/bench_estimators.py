"""Estimators against what users have today, as ratios in one run on one thread.

Kernel bounds: both informations of a 4096 x 10 tanh layer against the N x N matrix in torch,
float32 and float64; of a 10 000 x 1 024 layer against all its pairs. Binning: both informations of
the six layers of a 12-10-7-5-4-3-2 network against a loop over inputs, as the first published code
has it, and against np.unique on rows. Sample propagation: seconds and standard error at the sizes
of the reference code, 4096 inputs x 1000 replicas, and five noise levels. Nearest neighbours:
against scikit-learn's trees. Convolutions: in cache-sized chunks of images against torch's, both
float64. EDGE: against the dictionaries in which the authors count nodes and edges row by row.
"""

import sys
import time
from collections import Counter

import numpy as np
import torch
from scipy.special import digamma
from sklearn.neighbors import KDTree

import ibcore as ib
from ibcore.estimators import pairwise
from ibcore.estimators.neighbours import mutual_information
from ibcore.estimators.propagation import SamplePropagation
from ibcore.networks.convolution import SAMPLES_AT_ONCE, patches, pooled
from ibcore.networks.noisy import noisy_layers
from ibcore.training import train

VARIANCE = 1e-3
NOISES = (0.001, 0.01, 0.1, 0.3, 1.0)


def seconds(work, repeats=5):
    """Best of a few runs."""
    work()
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def matrix_bound(t, y, dtype):
    """Both informations from the whole matrix, as published codes compute them."""
    t = torch.tensor(t, dtype=dtype)
    labels = torch.tensor(y)

    def entropy(rows):
        norm = (rows**2).sum(1)
        square = (norm[:, None] + norm - 2 * rows @ rows.T).clamp_(min=0)
        log_k = torch.logsumexp(-square / (2 * VARIANCE), dim=1) - np.log(len(rows))
        return -log_k.mean()

    whole = entropy(t)
    per_class = sum((labels == c).double().mean() * entropy(t[labels == c]) for c in (0, 1))
    return float(whole) / np.log(2), float(whole - per_class) / np.log(2)


def original_loop(layers, y):
    """Bins as text of the rows, then one pass over all inputs and one over the classes."""
    edges = np.linspace(-1, 1, 30)
    found = []
    for t in layers:
        codes = np.ascontiguousarray(edges[np.digitize(t, edges).clip(1, 30) - 1])
        rows = codes.view(np.dtype((np.void, codes.dtype.itemsize * codes.shape[1])))[:, 0]

        def entropy(rows):
            _, counts = np.unique(rows, return_counts=True)
            p = counts / counts.sum()
            return -(p * np.log2(p)).sum()

        identity = np.arange(len(t))
        given_x = np.mean([entropy(rows[identity == i]) for i in range(len(t))])
        given_y = sum((y == c).mean() * entropy(rows[y == c]) for c in (0, 1))
        found.append((entropy(rows) - given_x, entropy(rows) - given_y))
    return found


def unique_rows(layers, y):
    """The same with np.unique over rows."""
    found = []
    for t in layers:
        codes = np.floor((t.astype(np.float64) + 1) * 15).astype(np.int64)
        _, rows = np.unique(codes, axis=0, return_inverse=True)
        _, joint = np.unique(np.stack([rows.reshape(-1), y], 1), axis=0, return_counts=True)
        found.append((np.bincount(rows.reshape(-1)), joint))
    return found


def row(name, ratio, floor):
    """One line of the table."""
    missed = "" if ratio >= floor else "   MISSED"
    print(f"{name:58s} {ratio:8.1f}   floor {floor}{missed}")
    return ratio >= floor


def kernel_rows():
    """Kernel bounds."""
    rng = np.random.default_rng(0)
    t = np.tanh(2 * rng.normal(size=(4096, 10))).astype(np.float32)
    y = rng.integers(0, 2, 4096)
    one, octaves = ib.KernelBound(VARIANCE), ib.KernelBound(tuple(VARIANCE * 2.0 ** np.arange(8)))
    assert abs(one(t, y).i_xt - matrix_bound(t, y, torch.float64)[0]) < 1e-5
    ours, eight = seconds(lambda: one(t, y), 20), seconds(lambda: octaves(t, y), 20)
    single = seconds(lambda: matrix_bound(t, y, torch.float32), 3)
    double = seconds(lambda: matrix_bound(t, y, torch.float64), 3)
    print(f"kernel bound {1e3 * ours:.1f} ms, eight levels {1e3 * eight:.1f} ms, "
          f"matrix {1e3 * single:.0f} ms in float32, {1e3 * double:.0f} ms in float64")  # fmt: skip
    return [
        row("float32 matrix / kernel bound", single / ours, 10),
        row("float64 matrix / kernel bound", double / ours, 50),
        row("1.6 x one level / eight levels", 1.6 * ours / eight, 1),
    ]


def wide_rows():
    """A kernel bound of a wide layer, where few pairs are close, against every pair in float64."""
    rng = np.random.default_rng(0)
    t = np.tanh(rng.normal(size=(10_000, 1024))).astype(np.float32)
    y, ruler, few = rng.integers(0, 10, len(t)), ib.KernelBound((0.1, 0.4)), pairwise.FEW
    found, ours = ruler(t, y), seconds(lambda: ruler(t, y), 1)
    pairwise.FEW = 0.0  # no pair is left out
    every, whole = ruler(t, y), seconds(lambda: ruler(t, y), 1)
    pairwise.FEW = few
    assert np.abs(np.subtract(found, every)).max() < 1e-9
    print(f"kernel bound of 10 000 x 1 024: {ours:.1f} s, with every pair {whole:.1f} s")
    return [row("every pair / close pairs, wide layer", whole / ours, 1.5)]


def binning_rows():
    """Binning of all six layers of a trained network."""
    settings = ib.Experiment(n_seeds=1, n_epochs=300, n_measured_epochs=2)
    trajectory = train(settings, progress=False)
    layers, y = [t[0] for t in trajectory.activations(1)], trajectory.task.y
    ruler = ib.Binning(n_bins=30, low=-1.0, high=1.0)
    ours = seconds(lambda: [ruler(t, y) for t in layers], 20)
    loop = seconds(lambda: original_loop(layers, y), 1)
    unique = seconds(lambda: unique_rows(layers, y))
    others = {
        one: seconds(lambda one=one: [one(t, y) for t in layers])
        for one in (
            ib.Exact(),
            ib.AdaptiveBinning(n_bins=30),
            ib.Binning(n_bins=4096, low=-1, high=1),
        )
    }
    print(f"\nbinning of six layers {1e3 * ours:.2f} ms, loop {loop:.2f} s, "
          f"np.unique {1e3 * unique:.0f} ms; "
          + ", ".join(f"{one!r} {1e3 * cost:.1f} ms" for one, cost in others.items()))  # fmt: skip
    return [
        row("loop over inputs / binning", loop / ours, 300),
        row("np.unique(axis=0) / binning", unique / ours, 10),
    ]


def propagation_rows():
    """Sample propagation at the reference sizes, layer by layer of trained noisy networks."""
    print("\nsample propagation, layers 1 to 5: seconds, I(X;T) ± standard error, bits")
    slowest = largest = 0.0
    for noise in NOISES:
        settings = ib.Experiment(n_seeds=1, n_epochs=1500, n_measured_epochs=2, noise_std=noise)
        trajectory = train(settings, progress=False)
        ruler, y = SamplePropagation(noise_std=noise), trajectory.task.y
        start, told = time.perf_counter(), []
        replicas = noisy_layers(trajectory.ensemble(1)[0], trajectory.task.x, noise, 1000)
        passing = time.perf_counter() - start
        for s in replicas[:-1]:
            start = time.perf_counter()
            found = ruler.with_errors(s, y)
            cost = time.perf_counter() - start
            slowest = max(slowest, cost)
            largest = max(largest, found.i_xt_error, found.i_ty_error)
            told.append(f"{cost:.2f} s {found.i_xt:.3f} ± {found.i_xt_error:.4f}")
        print(f"noise {noise:5g}, replicas {passing:.1f} s: " + "; ".join(told))
    return [
        row("5 s / slowest layer", 5 / slowest, 1),
        row("0.01 bit / largest standard error", 0.01 / largest, 1),
    ]


def neighbour_rows():
    """Kraskov's estimator by scikit-learn's trees alone, which the field uses, and ours."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(4000, 10))
    t = np.tanh(x @ rng.normal(size=(10, 10)) + 0.5 * rng.normal(size=(4000, 10)))

    def by_trees():
        both = KDTree(np.concatenate([x, t], axis=1), metric="chebyshev")
        reach = np.nextafter(both.query(np.concatenate([x, t], axis=1), 4)[0][:, -1], 0)
        n_x, n_t = (
            KDTree(one, metric="chebyshev").query_radius(one, reach, count_only=True)
            for one in (x, t)
        )
        found = digamma(len(x)) + digamma(3) - (digamma(n_x) + digamma(n_t)).mean()
        return found / np.log(2)

    assert abs(by_trees() - mutual_information(x, t)) < 1e-9
    ours, theirs = seconds(lambda: mutual_information(x, t)), seconds(by_trees)
    print(f"\nnearest neighbours of 4 000 x (10 + 10): {ours:.2f} s, trees alone {theirs:.2f} s")
    return [row("scikit-learn's trees / nearest neighbours", theirs / ours, 0.7)]


def convolution_rows():
    """Two convolutional layers of 2 000 images of 28 x 28, against torch's, both in float64."""
    rng = np.random.default_rng(0)
    x, weights = rng.random((2000, 784)), [rng.normal(size=(25, 4)), rng.normal(size=(100, 8))]

    def ours():
        chunks = []
        for first in range(0, len(x), SAMPLES_AT_ONCE):
            t = x[first : first + SAMPLES_AT_ONCE]
            for weight in weights:
                t = pooled(np.tanh(weight.T @ patches(t, len(weight) // 25)))
            chunks.append(t)
        return np.concatenate(chunks)

    def in_torch():
        t = torch.tensor(x).reshape(-1, 1, 28, 28)
        for weight in weights:
            kernels = torch.tensor(weight.T.copy()).reshape(-1, t.shape[1], 5, 5)
            z = torch.nn.functional.conv2d(t, kernels, padding=2)
            t = torch.nn.functional.max_pool2d(torch.tanh(z), 2)
        return t.flatten(1).numpy()

    assert np.abs(ours() - in_torch()).max() < 1e-12
    return [row("torch's float64 convolutions / ours", seconds(in_torch) / seconds(ours), 2)]


def edge_rows():
    """EDGE of 10 000 x 784 inputs and 1 024 units, against its counting alone in dictionaries."""
    rng = np.random.default_rng(0)
    x = rng.random((10_000, 784)).astype(np.float32)
    t = np.tanh(x @ rng.normal(size=(784, 1024)).astype(np.float32) / 30)
    y, columns = rng.integers(0, 10, len(x)), rng.normal(size=(2, len(x), 9))

    def dictionaries():
        """Two estimates, two passes each, ten shifts a pass, of nine projected columns a side."""
        for shift in np.tile(np.arange(10) / 10, 4):
            edges = Counter()
            for a, b in zip(*(np.floor(columns + shift).tolist()), strict=True):
                edges[tuple(a), tuple(b)] += 1

    ours, theirs = seconds(lambda: ib.EDGE().information(x, t, y), 2), seconds(dictionaries, 1)
    print(f"\nEDGE of 10 000 x (784 + 1 024): {ours:.2f} s, dictionaries alone {theirs:.2f} s")
    return [row("counting in dictionaries / all of EDGE", theirs / ours, 3)]


if __name__ == "__main__":
    torch.set_num_threads(1)
    met = [
        *kernel_rows(), *wide_rows(), *binning_rows(), *propagation_rows(), *neighbour_rows(),
        *convolution_rows(), *edge_rows(),
    ]  # fmt: skip
    sys.exit(0 if all(met) else 1)
