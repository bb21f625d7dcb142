"""Ensembles of small dense networks: activations, initial weights, the forward pass.

An ensemble is one object with a leading axis ``seed``; 50 networks are 50 slices of the same
arrays. Hidden layers share one activation, the output layer is a softmax.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.special import ndtr, ndtri

from ibcore.config import Experiment
from ibcore.randomness import generator

# Each activation f with its slope f' as a function of the pre-activation z and of t = f(z).
ACTIVATIONS: dict[str, tuple[Callable, Callable]] = {
    "linear": (lambda z: z, lambda z, t: np.ones_like(z)),
    "tanh": (np.tanh, lambda z, t: 1 - t * t),
    "sigmoid": (lambda z: 0.5 + 0.5 * np.tanh(0.5 * z), lambda z, t: t * (1 - t)),
    "relu": (lambda z: np.maximum(z, 0), lambda z, t: (z > 0).astype(z.dtype)),
    "softsign": (lambda z: z / (1 + np.abs(z)), lambda z, t: (1 - np.abs(t)) ** 2),
    "softplus": (lambda z: np.logaddexp(0, z), lambda z, t: -np.expm1(-t)),
}


def softmax(logits: np.ndarray) -> np.ndarray:
    """Softmax over the last axis, shifted by the largest logit so that it cannot overflow."""
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def truncated_normal(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Standard normal redrawn beyond two standard deviations, by inversion.

    Its own standard deviation is 0.8796, not 1. The released codes set the nominal one, so their
    initial weights are 12 % smaller than the formula in the papers says.
    """
    low, high = ndtr(-2.0), ndtr(2.0)
    return ndtri(low + (high - low) * rng.random(shape))


TRUNCATED_STD = 0.8796256610342398  # of a standard normal cut at two standard deviations


def initial_layer(
    rng: np.random.Generator, fan_in: int, unit: int, initializer: str, *, is_output: bool = False
) -> np.ndarray:
    """Initial weights of one layer, (fan_in, unit) float64.

    ========================  ==========================================================
    ``fan_in``                truncated normal, nominal std 1/√fan_in (released IDNNs code)
    ``fan_out``               truncated normal, nominal std 1/√unit
    ``saxe``                  as ``fan_out``, the output layer as ``glorot_uniform``
                              (released code of Saxe et al.)
    ``glorot_normal``         truncated normal, realised std √(2/(fan_in + unit)) (Keras)
    ``glorot_uniform``        uniform on ±√(6/(fan_in + unit))
    ``he_normal``             truncated normal, realised std √(2/fan_in) (Keras)
    ========================  ==========================================================
    """
    if initializer == "saxe":
        initializer = "glorot_uniform" if is_output else "fan_out"
    shape = (fan_in, unit)
    match initializer:
        case "fan_in":
            return truncated_normal(rng, shape) / np.sqrt(fan_in)
        case "fan_out":
            return truncated_normal(rng, shape) / np.sqrt(unit)
        case "glorot_normal":
            return truncated_normal(rng, shape) * np.sqrt(2 / (fan_in + unit)) / TRUNCATED_STD
        case "glorot_uniform":
            return rng.uniform(-1, 1, shape) * np.sqrt(6 / (fan_in + unit))
        case "he_normal":
            return truncated_normal(rng, shape) * np.sqrt(2 / fan_in) / TRUNCATED_STD
    raise ValueError(f"unknown initializer {initializer!r}.")


@dataclass(frozen=True)
class Ensemble:
    """Networks of one architecture, side by side.

    Parameters
    ----------
    weights : tuple of (seed, fan_in, unit) arrays
        One array per layer.
    biases : tuple of (seed, unit) arrays
    activation : str
        Of the hidden layers.
    """

    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    activation: str = "tanh"

    @classmethod
    def initial(
        cls, experiment: Experiment, seeds: tuple[int, ...], n_inputs: int, n_classes: int
    ) -> "Ensemble":
        """The ensemble before the first update; network s depends on seed s alone."""
        widths = (n_inputs, *experiment.hidden_widths, n_classes)
        layers = range(len(widths) - 1)
        generators = [generator(seed, "init") for seed in seeds]
        weights = tuple(
            np.stack(
                [
                    initial_layer(
                        rng,
                        widths[layer],
                        widths[layer + 1],
                        experiment.initializer,
                        is_output=layer == layers[-1],
                    )
                    for rng in generators
                ]
            ).astype(np.float32)
            * np.float32(experiment.init_gain)
            for layer in layers
        )
        biases = tuple(np.zeros((len(seeds), width), np.float32) for width in widths[1:])
        return cls(weights, biases, experiment.activation)

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Units per layer, the inputs not counted."""
        return tuple(weight.shape[-1] for weight in self.weights)

    def __getitem__(self, index) -> "Ensemble":
        """Some of the networks: an integer gives an ensemble of one."""
        index = slice(index, index + 1) if isinstance(index, int) else index
        return Ensemble(
            tuple(weight[index] for weight in self.weights),
            tuple(bias[index] for bias in self.biases),
            self.activation,
        )

    def pre_activations(self, x: np.ndarray) -> list[np.ndarray]:
        """z = t W + b of every layer, (seed, sample, unit) float64; the last one are the logits."""
        function, _ = ACTIVATIONS[self.activation]
        found, t = [], np.asarray(x, np.float64)
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            t = t if layer == 0 else function(found[-1])
            found.append(t @ weight.astype(np.float64) + bias[:, None].astype(np.float64))
        return found

    def layers(self, x: np.ndarray) -> list[np.ndarray]:
        """Activations of every layer, the softmax output included.

        Computed in float64 from the stored float32 weights and rounded once, so that what an
        estimator sees does not depend on the engine that trained the network.

        Parameters
        ----------
        x : (sample, feature) array

        Returns
        -------
        list of (seed, sample, unit) float32 arrays
        """
        function, _ = ACTIVATIONS[self.activation]
        *hidden, logits = self.pre_activations(x)
        return [function(z).astype(np.float32) for z in hidden] + [
            softmax(logits).astype(np.float32)
        ]
