"""Noisy networks: passing inputs through many times, each time with new noise."""

import numpy as np

from ibcore.networks.dense import Ensemble
from ibcore.normals import normals

AT_ONCE = 2**16  # rows that pass through a layer together


def noisy_layers(
    network: Ensemble, x: np.ndarray, noise_std: float, n_replicas: int, seed: int = 0
) -> list[np.ndarray]:
    """Layers of one noisy network before their own noise, for every input and replica.

    T_l = S_l + Z_l with S_l = f(T_{l-1} W + b). The first layer has no noise below it, so that one
    replica says all.

    Parameters
    ----------
    network : Ensemble
        Of one network.
    x : (sample, feature) array
    noise_std : float
        Standard deviation of Z in every hidden layer.
    n_replicas : int
    seed : int

    Returns
    -------
    list of (replica, sample, unit) float32 arrays
        S of every hidden layer, then the output; the first one has one replica.
    """
    if not np.isfinite(noise_std) or noise_std < 0:
        raise ValueError(f"noise_std must be finite and at least 0, got {noise_std!r}.")
    if (
        isinstance(n_replicas, bool)
        or not isinstance(n_replicas, int | np.integer)
        or n_replicas < 1
    ):
        raise ValueError(f"n_replicas must be a whole number of at least 1, got {n_replicas!r}.")
    if len(network.weights[0]) != 1:
        raise ValueError(f"need one network, got {len(network.weights[0])}; take ensemble[k].")
    t = np.asarray(x, np.float64)[None]
    found = [_passed(network, 0, t)]
    for layer in range(1, len(network.weights)):
        below = found[-1]
        n_samples, n_units = below.shape[1:]
        shape = (n_units, n_replicas, n_samples)
        noise = normals(seed, "measured_noise", layer, n_units, n_replicas * n_samples, noise_std)
        drawn = noise.reshape(shape).transpose(1, 2, 0)
        s = np.empty((n_replicas, n_samples, len(network.biases[layer][0])), np.float32)
        step = max(1, AT_ONCE // n_samples)
        for first in range(0, n_replicas, step):
            some = slice(first, first + step)
            t = (below if len(below) == 1 else below[some]) + drawn[some].astype(np.float64)
            s[some] = _passed(network, layer, t)
        found.append(s)
    return found


def _passed(network: Ensemble, layer: int, t: np.ndarray) -> np.ndarray:
    """One layer, counted from 0, of t (replica, sample, unit)."""
    z = t @ network.weights[layer][0].astype(np.float64)
    z += network.biases[layer][0].astype(np.float64)
    last = layer == len(network.weights) - 1
    return (network.finish(z) if last else network.activate(layer, z)).astype(np.float32)
