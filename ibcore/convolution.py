"""Convolutional networks: the same ensemble with other first layers.

A convolution's weights are a matrix like those of a dense layer, (fan_in, channel), whose inputs
are the 5 x 5 patches of all channels below, so that storing, initialising and counting them is the
same. Its layer is what the next one sees: after the activation, a 2 x 2 max pooling and the noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ibcore.networks import KERNEL, Ensemble

SAMPLES_AT_ONCE = 250  # whose patches take 80 MB


def patches(t: np.ndarray, channels: int) -> np.ndarray:
    """(sample, side, side, channel * 25): what each place of a convolution sees, zeros outside.

    t is (sample, unit) with units in the order channel, row, column.
    """
    side, edge = round((t.shape[1] // channels) ** 0.5), KERNEL // 2
    images = t.reshape(len(t), channels, side, side)
    framed = np.pad(images, ((0, 0), (0, 0), (edge, edge), (edge, edge)))
    windows = np.lib.stride_tricks.sliding_window_view(framed, (KERNEL, KERNEL), axis=(2, 3))
    return windows.transpose(0, 2, 3, 1, 4, 5).reshape(len(t), side, side, -1)


def pooled(t: np.ndarray) -> np.ndarray:
    """Largest of 2 x 2 neighbours of (sample, side, side, channel), as (sample, unit)."""
    n, side, _, channels = t.shape
    largest = t.reshape(n, side // 2, 2, side // 2, 2, channels).max(axis=(2, 4))
    return largest.transpose(0, 3, 1, 2).reshape(n, -1)


@dataclass(frozen=True)
class ConvolutionalEnsemble(Ensemble):
    """Networks whose first layers are convolutions.

    Parameters
    ----------
    n_convolutions : int
    n_inputs : int
        Pixels of an image.
    """

    n_convolutions: int = 0
    n_inputs: int = 0

    @property
    def widths(self) -> tuple[int, ...]:
        """Units per layer, the inputs not counted; a convolution's after the pooling."""
        side, found = round(self.n_inputs**0.5), []
        for weight in self.weights[: self.n_convolutions]:
            side //= 2
            found.append(weight.shape[-1] * side**2)
        return (*found, *(weight.shape[-1] for weight in self.weights[self.n_convolutions :]))

    def forward(
        self, x: np.ndarray, noise: Sequence[np.ndarray] = ()
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """As for a dense ensemble; z of a convolution is flat and not yet pooled."""
        per_seed = [self._forward_one(s, x, noise) for s in range(len(self.weights[0]))]
        return _joined(np.stack, per_seed)

    def _forward_one(self, s: int, x: np.ndarray, noise: Sequence[np.ndarray]):
        chunks = []
        for first in range(0, len(x), SAMPLES_AT_ONCE):
            rows = slice(first, first + SAMPLES_AT_ONCE)
            chunks.append(self._forward_rows(s, x[rows], [one[s, rows] for one in noise]))
        return _joined(np.concatenate, chunks)

    def _forward_rows(self, s, x, noise):
        z, t = [], [np.asarray(x, np.float64)]
        for layer, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            weight, bias = weights[s].astype(np.float64), biases[s].astype(np.float64)
            if layer < self.n_convolutions:
                one = patches(t[-1], len(weight) // KERNEL**2) @ weight + bias
                z.append(one.reshape(len(x), -1))
                t.append(pooled(self.activate(layer, one)))
            else:
                z.append(t[-1] @ weight + bias)
                last = layer == len(self.weights) - 1
                t.append(self.finish(z[-1]) if last else self.activate(layer, z[-1]))
            if len(noise) > layer:
                t[-1] = t[-1] + noise[layer]
        return z, t[1:]


def _joined(how, parts):
    """z and t, each a list over layers, from those of the seeds or of the chunks."""
    return tuple(
        [how(each) for each in zip(*many, strict=True)] for many in zip(*parts, strict=True)
    )
