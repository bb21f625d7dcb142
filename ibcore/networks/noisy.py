"""Noisy networks: passing inputs through many times, each time with new noise."""

import numpy as np

from ibcore.networks.dense import Ensemble
from ibcore.randomness import generator


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
    found, n_layers = [], len(network.weights)
    t = np.asarray(x, np.float64)[None]
    for layer in range(n_layers):
        weight = network.weights[layer][0].astype(np.float64)
        z = t @ weight + network.biases[layer][0].astype(np.float64)
        last = layer == n_layers - 1
        s = network.finish(z) if last else network.activate(layer, z)
        found.append(s.astype(np.float32))
        if not last:
            rng = generator(seed, "measured_noise", layer + 1)
            drawn = rng.standard_normal((n_replicas, *s.shape[1:]), np.float32)
            t = s + noise_std * drawn
    return found
