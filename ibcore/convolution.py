"""Convolutional networks: the same ensemble with other first layers.

A convolution's weights are a matrix like those of a dense layer, (fan_in, channel), whose inputs
are the 5 x 5 patches of all channels below, so that storing, initialising and counting them is the
same. Its layer is what the next one sees: after the activation, a 2 x 2 max pooling and the noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from ibcore.networks import KERNEL, Ensemble

SAMPLES_AT_ONCE = 1000


def as_images(t: torch.Tensor, channels: int) -> torch.Tensor:
    """(sample, unit) as (sample, channel, side, side)."""
    side = round((t.shape[1] // channels) ** 0.5)
    return t.reshape(len(t), channels, side, side)


def convolved(t: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
    """z of a convolution, (sample, channel, side, side), from (sample, unit) and (fan_in, channel).

    Zeros beyond the border keep the size.
    """
    channels = weight.shape[0] // KERNEL**2
    kernels = weight.T.reshape(-1, channels, KERNEL, KERNEL)
    return functional.conv2d(as_images(t, channels), kernels, bias, padding=KERNEL // 2)


def pooled(t: torch.Tensor) -> torch.Tensor:
    """Largest of 2 x 2 neighbours, as (sample, unit)."""
    return functional.max_pool2d(t, 2).flatten(1)


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
                one = convolved(*map(torch.from_numpy, (t[-1], weight, bias))).numpy()
                z.append(one.reshape(len(x), -1))
                t.append(pooled(torch.from_numpy(self.activate(layer, one))).numpy())
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
