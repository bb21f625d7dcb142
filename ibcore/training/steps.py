"""What happens to the parameters after a gradient: penalties, the optimiser, limits, ranges."""

import numpy as np
from numba import njit

from ibcore.networks.dense import RANGE_RATE, SMALLEST_RANGE
from ibcore.simd import COMPILED, DUST
from ibcore.training.layers import Floats, Integers

FAINT = DUST**0.5  # squared, it is dust
OPTIMIZERS = {"sgd": 0, "momentum": 1, "adam": 2}


@njit(**COMPILED)
def _away_from_orthonormal(
    weights: Floats, out: Floats, at: int, n_in: int, n_out: int, scale: float
) -> None:
    """out += scale (W W^T W - W), the gradient of scale/4 |W^T W - I|^2."""
    for k in range(at, at + n_in * n_out):
        out[k] -= scale * weights[k]
    for u in range(n_out):
        for v in range(n_out):
            product = weights.dtype.type(0)
            for i in range(at, at + n_in * n_out, n_out):
                product += weights[i + u] * weights[i + v]
            for i in range(at, at + n_in * n_out, n_out):
                out[i + v] += scale * product * weights[i + u]


@njit(**COMPILED)
def penalize(
    widths: Integers, parameters: Floats, gradient: Floats, decays: Floats, pulls: Floats
) -> None:
    """Add the gradient of the penalties on the weights of every layer."""
    at = 0
    for layer in range(len(widths) - 1):
        n_in, n_out = widths[layer], widths[layer + 1]
        if decays[layer] != 0:
            for k in range(at, at + n_in * n_out):
                gradient[k] += decays[layer] * parameters[k]
        if pulls[layer] != 0:
            _away_from_orthonormal(parameters, gradient, at, n_in, n_out, pulls[layer])
        at += (n_in + 1) * n_out


@njit(**COMPILED)
def retract(widths: Integers, before: Floats, parameters: Floats, retractions: Floats) -> None:
    """The Parseval update of every layer, from a copy of the parameters."""
    at = 0
    for layer in range(len(widths) - 1):
        n_in, n_out = widths[layer], widths[layer + 1]
        _away_from_orthonormal(before, parameters, at, n_in, n_out, -retractions[layer])
        at += (n_in + 1) * n_out


@njit(**COMPILED)
def limit(widths: Integers, parameters: Floats, limits: Floats) -> None:
    """Scale the weights of every layer back to a largest Frobenius norm; 0 is none."""
    at = 0
    for layer in range(len(widths) - 1):
        n_in, n_out = widths[layer], widths[layer + 1]
        if limits[layer] > 0:
            square = parameters.dtype.type(0)
            for k in range(at, at + n_in * n_out):
                square += parameters[k] * parameters[k]
            factor = limits[layer] / max(np.sqrt(square), parameters.dtype.type(1e-30))
            if factor < 1:
                for k in range(at, at + n_in * n_out):
                    parameters[k] *= factor
        at += (n_in + 1) * n_out


@njit(**COMPILED)
def follow(parameters: Floats, peaks: Floats) -> None:
    """Let the ranges at the end of the parameters follow the largest |t| of a batch."""
    first = len(parameters) - len(peaks)
    rate, least = parameters.dtype.type(RANGE_RATE), parameters.dtype.type(SMALLEST_RANGE)
    for layer in range(len(peaks)):
        high = parameters[first + layer]
        parameters[first + layer] = max(high + rate * (peaks[layer] - high), least)


@njit(**COMPILED)
def update(
    parameters: Floats,
    gradient: Floats,
    first: Floats,
    second: Floats,
    step: int,
    optimizer: int,
    learning_rate: float,
    momentum: float,
) -> None:
    """One step of the optimiser, in place; ``step`` counts from 1."""
    number = parameters.dtype.type
    dust, faint = number(DUST), number(FAINT)
    rate, mu, epsilon = number(learning_rate), number(momentum), number(1e-8)
    if optimizer == 0:
        for k in range(len(parameters)):
            parameters[k] -= rate * gradient[k]
    elif optimizer == 1:
        for k in range(len(parameters)):
            v = mu * first[k] + gradient[k]
            first[k] = number(0) if abs(v) < dust else v
            parameters[k] -= rate * first[k]
    else:
        # Kingma & Ba 2015, algorithm 1, with beta = (0.9, 0.999), epsilon = 1e-8
        b1, b2 = number(1 - 0.9), number(1 - 0.999)
        c1 = number(learning_rate / (1.0 - 0.9**step))
        c2 = number(1.0 / (1.0 - 0.999**step))
        for k in range(len(parameters)):
            g = gradient[k]
            g = number(0) if abs(g) < faint else g  # its square would be subnormal
            m = first[k] + b1 * (g - first[k])
            v = second[k] + b2 * (g * g - second[k])
            first[k] = number(0) if abs(m) < dust else m
            second[k] = number(0) if v < dust else v
            parameters[k] -= c1 * first[k] / (np.sqrt(second[k] * c2) + epsilon)
