"""Ensembles of small dense networks: activations, initial weights, the forward pass.

An ensemble is one object with a leading axis ``seed``; 50 networks are 50 slices of the same
arrays. Hidden layers share one activation; the output layer is a softmax or linear.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import NamedTuple

import numpy as np
from scipy.special import expit, ndtr, ndtri

from ibcore.config import Experiment
from ibcore.randomness import generator

LEAK = 0.01  # slope of leaky ReLU for negative z
HOMOGENEOUS = ("linear", "relu", "leaky_relu", "abs", "prelu")  # f(cz) = c f(z) for c > 0
PRELU_START = 0.25  # He et al. 2015
# Of rounded layers: the share by which a range moves with every batch, and its least value.
RANGE_RATE, SMALLEST_RANGE = 0.01, 1e-6


def _bell(z: np.ndarray) -> np.ndarray:
    return np.exp(-0.5 * z * z) / np.sqrt(2 * np.pi)


Function = Callable[[np.ndarray], np.ndarray]
Slope = Callable[[np.ndarray, np.ndarray], np.ndarray]

# Each activation f with its slope f' as a function of the pre-activation z and of t = f(z). The
# one that is missing, "prelu", has slopes of its own in every network.
ACTIVATIONS: dict[str, tuple[Function, Slope]] = {
    "linear": (lambda z: z, lambda z, t: np.ones_like(z)),
    "tanh": (np.tanh, lambda z, t: 1 - t * t),
    "sigmoid": (lambda z: 0.5 + 0.5 * np.tanh(0.5 * z), lambda z, t: t * (1 - t)),
    "relu": (lambda z: np.maximum(z, 0), lambda z, t: (z > 0).astype(z.dtype)),
    "softsign": (lambda z: z / (1 + np.abs(z)), lambda z, t: (1 - np.abs(t)) ** 2),
    "softplus": (lambda z: np.logaddexp(0, z), lambda z, t: expit(z)),
    "leaky_relu": (lambda z: np.where(z > 0, z, LEAK * z), lambda z, t: np.where(z > 0, 1.0, LEAK)),
    "elu": (
        lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
        lambda z, t: np.exp(np.minimum(z, 0)),
    ),
    "centred_softplus": (lambda z: np.logaddexp(0, z) - np.log(2), lambda z, t: expit(z)),
    "swish": (lambda z: z * expit(z), lambda z, t: expit(z) + t * (1 - expit(z))),
    "gelu": (lambda z: z * ndtr(z), lambda z, t: ndtr(z) + z * _bell(z)),
    "abs": (np.abs, lambda z, t: np.sign(z)),
    "hard_tanh": (lambda z: np.clip(z, -1, 1), lambda z, t: (np.abs(z) < 1).astype(z.dtype)),
}


class ActivationFacts(NamedTuple):
    """Slope at 0, the mean of both sides, and the bounds of f."""

    slope: float
    low: float
    high: float

    @property
    def n_bounds(self) -> int:
        """How many sides are bounded: 0, 1 or 2."""
        return int(np.isfinite(self.low)) + int(np.isfinite(self.high))


def activation_facts(activation: str) -> ActivationFacts:
    """What an activation does at 0 and far out; "prelu" with its first slopes.

    >>> activation_facts("relu")
    ActivationFacts(slope=0.5, low=0.0, high=inf)
    """
    if activation == "prelu":
        return ActivationFacts((1 + PRELU_START) / 2, -np.inf, np.inf)
    f = ACTIVATIONS[activation][0]
    values = f(np.concatenate([[-1e6, 1e6], np.linspace(-20, 20, 40_001)]))
    below, above = f(np.array([-1e-6, 1e-6]))
    low, high = (
        float(np.round(end, 4)) if abs(end) < 1e3 else float(np.copysign(np.inf, end))
        for end in (values.min(), values.max())
    )
    return ActivationFacts(round(float(above - below) / 2e-6, 4), low, high)


@cache
def lowest_level(activation: str) -> float:
    """Where the levels of rounded activations begin, in units of where they end: -1 or 0."""
    return -1.0 if activation_facts(activation).low < 0 else 0.0


def rounded(t: np.ndarray, low: np.ndarray, high: np.ndarray, bits: int) -> np.ndarray:
    """The nearest of 2^bits equally spaced levels from ``low`` to ``high``.

    >>> rounded(np.array([-3.0, -0.2, 0.3, 0.9]), -1.0, 1.0, bits=1)
    array([-1., -1.,  1.,  1.])
    """
    step = (high - low) / (2**bits - 1)
    return low + np.rint((np.clip(t, low, high) - low) / step) * step


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
    ``torch``                 uniform on ±1/√fan_in, and the biases too (torch.nn.Linear)
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
        case "torch":
            return rng.uniform(-1, 1, shape) / np.sqrt(fan_in)
    raise ValueError(f"unknown initializer {initializer!r}.")


KERNEL = 5  # side of a convolution's window


def layer_shapes(experiment: Experiment, n_inputs: int, n_outputs: int) -> list[tuple[int, int]]:
    """(fan_in, unit) of the weights of every layer; a convolution's units are its channels.

    Raises
    ------
    ValueError
        If the inputs are no square images that can be halved once for each convolution.
    """
    shapes, below, side = [], n_inputs, round(n_inputs**0.5)
    if experiment.convolutions:
        if side**2 != n_inputs or side % 2 ** len(experiment.convolutions):
            raise ValueError(
                f"{len(experiment.convolutions)} convolutions need square images whose side is a "
                f"multiple of {2 ** len(experiment.convolutions)}; there are {n_inputs} inputs."
            )
        channels = 1
        for unit in experiment.convolutions:
            shapes.append((channels * KERNEL**2, unit))
            channels, side = unit, side // 2
        below = channels * side**2
    for unit in (*experiment.hidden_widths, n_outputs):
        shapes.append((below, unit))
        below = unit
    return shapes


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
    output : str
        ``"softmax"`` or ``"linear"``.
    slopes : tuple of (seed, unit) arrays
        For ``"prelu"``: the slopes of each hidden layer for negative z.
    output_range : float
        s in f(z) = s f(z / s) of the hidden layers.
    bits : int
        Hidden activations have 2^bits levels; 0: as many as there are.
    ranges : tuple of (seed, 1) arrays
        With ``bits``: the largest level of each hidden layer.
    """

    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    activation: str = "tanh"
    output: str = "softmax"
    slopes: tuple[np.ndarray, ...] = ()
    output_range: float = 1.0
    bits: int = 0
    ranges: tuple[np.ndarray, ...] = ()

    @classmethod
    def initial(
        cls, experiment: Experiment, seeds: tuple[int, ...], n_inputs: int, n_outputs: int
    ) -> "Ensemble":
        """The ensemble before the first update; network s depends on seed s alone."""
        shapes = layer_shapes(experiment, n_inputs, n_outputs)
        generators = [generator(seed, "init") for seed in seeds]
        weights: list[np.ndarray] = []
        for layer, (fan_in, unit) in enumerate(shapes, start=1):
            last = layer == len(shapes)
            drawn = [
                initial_layer(rng, fan_in, unit, experiment.initializer, is_output=last)
                for rng in generators
            ]
            weights.append(np.stack(drawn).astype(np.float32) * np.float32(experiment.init_gain))
        biases = [np.zeros((len(seeds), unit), np.float32) for _, unit in shapes]
        if experiment.initializer == "torch":
            for (fan_in, unit), bias in zip(shapes, biases, strict=True):
                bias[:] = [rng.uniform(-1, 1, unit) / np.sqrt(fan_in) for rng in generators]
        slopes: list[np.ndarray] = []
        if experiment.activation == "prelu":
            slopes = [np.full_like(bias, PRELU_START) for bias in biases[:-1]]
        ranges: list[np.ndarray] = []
        if experiment.bits:
            ranges = [np.ones((len(seeds), 1), np.float32) for _ in biases[:-1]]
        output = "softmax" if experiment.loss == "cross_entropy" else "linear"
        return cls(
            tuple(weights),
            tuple(biases),
            experiment.activation,
            output,
            tuple(slopes),
            experiment.output_range,
            experiment.bits,
            tuple(ranges),
        )

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """Units per layer, the inputs not counted."""
        return tuple(weight.shape[-1] for weight in self.weights)

    def __getitem__(self, index: int | slice | np.ndarray) -> "Ensemble":
        """Some of the networks: an integer gives an ensemble of one."""
        index = slice(index, index + 1) if isinstance(index, int) else index
        return replace(
            self,
            weights=tuple(weight[index] for weight in self.weights),
            biases=tuple(bias[index] for bias in self.biases),
            slopes=tuple(slope[index] for slope in self.slopes),
            ranges=tuple(reach[index] for reach in self.ranges),
        )

    def activate(self, layer: int, z: np.ndarray) -> np.ndarray:
        """f(z) of a hidden layer, counted from 0; z is (seed, sample, unit)."""
        if self.activation == "prelu":
            return np.where(z > 0, z, self.slopes[layer][:, None].astype(np.float64) * z)
        t = self.output_range * ACTIVATIONS[self.activation][0](z / self.output_range)
        return t if not self.bits else rounded(t, *self._levels(layer), self.bits)

    def _levels(self, layer: int) -> tuple[np.ndarray, np.ndarray]:
        """Lowest and highest level of a hidden layer, (seed, 1, 1)."""
        reach = self.ranges[layer][:, None].astype(np.float64)
        return lowest_level(self.activation) * reach, reach

    def products(self) -> list[np.ndarray]:
        """W_l … W_1 of every layer of one network, (unit, input): all that a linear one does."""
        found = [self.weights[0][0].astype(np.float64).T]
        for weight in self.weights[1:]:
            found.append(weight[0].astype(np.float64).T @ found[-1])
        return found

    def rescaled(self, layer: int, factor: float) -> "Ensemble":
        """Networks of the same function, with one hidden layer multiplied by ``factor``.

        For an activation with f(cz) = c f(z), c > 0: weights and biases into the layer are
        multiplied, weights out of it divided.

        Parameters
        ----------
        layer : int
            Hidden layer, counted from 1.
        factor : float
            Positive.
        """
        if self.activation not in HOMOGENEOUS:
            raise ValueError(
                f"{self.activation} is not homogeneous, so that scaling changes the function; "
                f"that works with {', '.join(HOMOGENEOUS)}."
            )
        if not (0 < layer < len(self.weights) and factor > 0):
            raise ValueError(
                f"need a hidden layer from 1 to {len(self.weights) - 1} and a positive factor, "
                f"got {layer} and {factor}."
            )
        weights, biases = list(self.weights), list(self.biases)
        weights[layer - 1] = weights[layer - 1] * factor
        biases[layer - 1] = biases[layer - 1] * factor
        weights[layer] = weights[layer] / factor
        return replace(self, weights=tuple(weights), biases=tuple(biases))

    def finish(self, z: np.ndarray) -> np.ndarray:
        """Output of the network from the last z."""
        return softmax(z) if self.output == "softmax" else z

    def slope(self, layer: int, z: np.ndarray) -> np.ndarray:
        """f'(z) of a hidden layer, counted from 0; z is (seed, sample, unit)."""
        if self.activation == "prelu":
            return np.where(z > 0, 1.0, self.slopes[layer][:, None].astype(np.float64))
        function, slope = ACTIVATIONS[self.activation]
        z = z / self.output_range
        t = function(z)
        if not self.bits:
            return slope(z, t)
        low, high = self._levels(layer)
        t = t * self.output_range
        return slope(z, t / self.output_range) * ((t >= low) & (t <= high))

    def forward(
        self, x: np.ndarray, noise: Sequence[np.ndarray] = ()
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Pre-activations z = t W + b and activations t of every layer.

        Parameters
        ----------
        x : (sample, feature) array
        noise : sequence of (seed, sample, unit) arrays, one per hidden layer, or empty
            Added to the activations of the hidden layers, on which the next layer builds.

        Returns
        -------
        z, t : lists of (seed, sample, unit) float64 arrays
            The last z are the logits, the last t the output.
        """
        z, t = [], [np.asarray(x, np.float64)]
        for layer, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            z.append(t[-1] @ weight.astype(np.float64) + bias[:, None].astype(np.float64))
            if layer == len(self.weights) - 1:
                t.append(self.finish(z[-1]))
            else:
                t.append(self.activate(layer, z[-1]) + (noise[layer] if len(noise) else 0))
        return z, t[1:]

    def layers(self, x: np.ndarray, noise: Sequence[np.ndarray] = ()) -> list[np.ndarray]:
        """Activations of every layer, the output included.

        Computed in float64 from the stored float32 weights and rounded once, so that what an
        estimator sees does not depend on the engine that trained the network.

        Parameters
        ----------
        x, noise
            As for ``forward``.

        Returns
        -------
        list of (seed, sample, unit) float32 arrays
        """
        return [t.astype(np.float32) for t in self.forward(x, noise)[1]]
