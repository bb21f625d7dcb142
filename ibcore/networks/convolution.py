"""Convolutional networks: the same ensemble with other first layers.

A convolution's weights are a matrix like those of a dense layer, (fan_in, channel), whose inputs
are the 5 x 5 patches of all channels below, so that storing, initialising and counting them is the
same. Its layer is what the next one sees: after the activation, a 2 x 2 max pooling and the noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ibcore.networks.dense import KERNEL, Ensemble

SAMPLES_AT_ONCE = 50  # whose patches stay in the cache: 2.5 times as fast as 250


def patches(t: np.ndarray, channels: int) -> np.ndarray:
    """(sample, channel * 25, place): what each place of a convolution sees, zeros outside.

    t is (sample, unit) with units in the order channel, row, column; places are row, column.
    """
    side, edge = round((t.shape[1] // channels) ** 0.5), KERNEL // 2
    images = t.reshape(len(t), channels, side, side)
    framed = np.pad(images, ((0, 0), (0, 0), (edge, edge), (edge, edge)))
    shifted = np.lib.stride_tricks.sliding_window_view(framed, (side, side), axis=(2, 3))
    return np.ascontiguousarray(shifted).reshape(len(t), -1, side**2)


def pooled(t: np.ndarray) -> np.ndarray:
    """Largest of 2 x 2 neighbours of (sample, channel, place), as (sample, unit)."""
    side = round(t.shape[2] ** 0.5)
    images = t.reshape(*t.shape[:2], side, side)
    rows = np.maximum(images[:, :, 0::2], images[:, :, 1::2])
    return np.maximum(rows[..., 0::2], rows[..., 1::2]).reshape(len(t), -1)


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
        n_seeds = len(self.weights[0])
        z: list[np.ndarray] = []
        t: list[np.ndarray] = []
        for s in range(n_seeds):
            for rows in _chunks(len(x)):
                found = self._forward_rows(s, x[rows], [one[s, rows] for one in noise])
                for whole, parts in zip((z, t), found, strict=True):
                    if not whole:
                        whole += [np.empty((n_seeds, len(x), one.shape[1])) for one in parts]
                    for one, part in zip(whole, parts, strict=True):
                        one[s, rows] = part
        return z, t

    def layers(self, x: np.ndarray, noise: Sequence[np.ndarray] = ()) -> list[np.ndarray]:
        """As for a dense ensemble, without keeping z, which is large."""
        parts = []
        for rows in _chunks(len(x)):
            parts.append(super().layers(x[rows], [one[:, rows] for one in noise]))
        return [np.concatenate(one, axis=1) for one in zip(*parts, strict=True)]

    def _forward_rows(
        self, s: int, x: np.ndarray, noise: Sequence[np.ndarray]
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """z and t of every layer of network s, each (sample, unit)."""
        z: list[np.ndarray] = []
        t: list[np.ndarray] = [np.asarray(x, np.float64)]
        for layer, (weights, biases) in enumerate(zip(self.weights, self.biases, strict=True)):
            weight, bias = weights[s].astype(np.float64), biases[s].astype(np.float64)
            if layer < self.n_convolutions:
                one = weight.T @ patches(t[-1], len(weight) // KERNEL**2) + bias[:, None]
                z.append(one.reshape(len(x), -1))
                t.append(pooled(self.activate(layer, one)))
            else:
                z.append(t[-1] @ weight + bias)
                last = layer == len(self.weights) - 1
                t.append(self.finish(z[-1]) if last else self.activate(layer, z[-1]))
            if len(noise) > layer:
                t[-1] = t[-1] + noise[layer]
        return z, t[1:]


def _chunks(n_samples: int) -> list[slice]:
    """Slices of rows that are looked at together."""
    return [slice(k, k + SAMPLES_AT_ONCE) for k in range(0, n_samples, SAMPLES_AT_ONCE)]
