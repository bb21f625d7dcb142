"""The result of training: the weights of every network at the measured epochs."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ibcore.config import Experiment
from ibcore.files import sealed_archive, unsealed, write_whole
from ibcore.networks import ConvolutionalEnsemble, Ensemble, layer_shapes
from ibcore.tasks import Task, load_task
from ibcore.training.inputs import layer_widths, measured, measured_noise, updates_per_epoch

DIVERGED = 1e9  # no network of this book has weights beyond 1e3


class Divergence(NamedTuple):
    """A network whose weights became NaN, infinite or larger than ``DIVERGED``."""

    seed: int
    epoch: int
    layer: int

    def __str__(self) -> str:
        """One line for people."""
        return f"seed {self.seed} diverged: layer {self.layer}, seen at epoch {self.epoch}"


@dataclass(frozen=True)
class Trajectory:
    """Weights of all networks at the measured epochs; activations are recomputed on demand.

    Parameters
    ----------
    experiment : Experiment
    seeds : tuple of int
    epochs : (epoch,) array
        Measured epochs; 0 is before the first update.
    parameters : (epoch, seed, parameter) float32 array
        Per layer the weights (fan_in, unit) in row order, then the biases; after the layers the
        slopes of PReLU, or the ranges of rounded layers.
    engine : str
        ``"fused"`` or ``"torch"``.
    code_digest : str
        Identity of the code that trained, where it was stored.
    duration_s : float
        Seconds the training took.
    """

    experiment: Experiment
    seeds: tuple[int, ...]
    epochs: np.ndarray
    parameters: np.ndarray = field(repr=False)
    engine: str = "fused"
    code_digest: str = ""
    duration_s: float = 0.0

    @cached_property
    def task(self) -> Task:
        """The task the networks were trained on."""
        return load_task(self.experiment.task)

    @property
    def widths(self) -> tuple[int, ...]:
        """Units per layer, inputs first."""
        return layer_widths(self.experiment, self.task)

    @property
    def updates(self) -> np.ndarray:
        """Optimiser steps done at each measured epoch."""
        return self.epochs * updates_per_epoch(self.experiment, self.task)

    def ensemble(self, k: int) -> Ensemble:
        """The networks at the k-th measured epoch."""
        return unpack(self.parameters[k], self.experiment, self.task)

    def activations(self, k: int, x: np.ndarray | None = None) -> list[np.ndarray]:
        """Layers at the k-th measured epoch, each (seed, sample, unit) float32.

        Parameters
        ----------
        k : int
            Index into ``epochs``.
        x : (sample, feature) array, optional
            The task's measured rows by default: all 4096 inputs of the 12-bit tasks. In a noisy
            network each row gets one draw of the noise, the same one at every call.
        """
        index = measured(self.task) if x is None else slice(None)
        x = self.task.x if x is None else x
        epoch = int(self.epochs[k])
        noise = measured_noise(self.experiment, self.task, self.seeds, epoch, len(x))
        return self.ensemble(k).layers(x[index], [z[:, index] for z in noise])

    def diverged(self) -> np.ndarray:
        """(epoch, seed) bool: a parameter is NaN, infinite or beyond ``DIVERGED``."""
        # NaN compares as False, so that it counts as diverged too
        return ~(np.abs(self.parameters) < DIVERGED).all(axis=-1)

    def divergences(self) -> list[Divergence]:
        """The networks that diverged, each with the first measured epoch and layer that show it."""
        bad = ~(np.abs(self.parameters) < DIVERGED)
        shapes = layer_shapes(self.experiment, self.task.x.shape[1], self.task.n_outputs)
        sizes = [(fan_in + 1) * unit for fan_in, unit in shapes]
        ends = np.cumsum(sizes)
        found = []
        for n in np.flatnonzero(bad.any(axis=(0, 2))):
            k = int(bad[:, n].any(axis=1).argmax())
            place = int(bad[k, n].argmax())
            layer = min(int(np.searchsorted(ends, place, side="right")) + 1, len(sizes))
            found.append(Divergence(self.seeds[n], int(self.epochs[k]), layer))
        return found

    def only(self, seeds: tuple[int, ...]) -> "Trajectory":
        """The networks of some of the seeds."""
        where = [self.seeds.index(seed) for seed in seeds]
        return replace(self, seeds=tuple(seeds), parameters=self.parameters[:, where])

    def at(self, epochs: np.ndarray) -> "Trajectory":
        """The weights at some of the measured epochs."""
        where = np.searchsorted(self.epochs, epochs)
        return replace(self, epochs=self.epochs[where], parameters=self.parameters[where])

    def grown(self) -> "Trajectory":
        """The same growth without learning: initial parameters, every layer's weights scaled.

        The Frobenius norm of each layer's weights is that of the trained network of the same seed
        and checkpoint; directions, biases and slopes are the initial ones.
        """
        found = np.repeat(self.parameters[:1], len(self.epochs), axis=0)
        for then, now in zip(self._weights(found), self._weights(self.parameters), strict=True):
            norms = np.linalg.norm(now, axis=(-2, -1)) / np.linalg.norm(then[0], axis=(-2, -1))
            then *= norms[..., None, None].astype(found.dtype)
        return replace(self, parameters=found)

    def _weights(self, parameters: np.ndarray) -> list[np.ndarray]:
        """Views of the weights of every layer, (epoch, seed, fan_in, unit)."""
        found, at = [], 0
        for fan_in, unit in layer_shapes(
            self.experiment, self.task.x.shape[1], self.task.n_outputs
        ):
            part = parameters[..., at : at + fan_in * unit]
            found.append(part.reshape(*part.shape[:-1], fan_in, unit))
            at += (fan_in + 1) * unit
        return found

    def save(self, path: Path) -> None:
        """Write to a file that is whole or not there, with a checksum at its end."""
        content = BytesIO()
        np.savez_compressed(
            content,
            experiment=self.experiment.to_json(),
            seeds=np.array(self.seeds),
            epochs=self.epochs,
            parameters=self.parameters,
            engine=self.engine,
            code_digest=self.code_digest,
            duration_s=self.duration_s,
        )
        write_whole(path, sealed_archive(content.getvalue()))

    @classmethod
    def load(cls, path: Path) -> "Trajectory":
        """Read what ``save`` wrote; a file that is damaged or not what it says is named."""
        try:
            content = path.read_bytes()
            unsealed(content)
            with np.load(BytesIO(content), allow_pickle=False) as file:
                found = cls(
                    Experiment.from_json(str(file["experiment"])),
                    tuple(file["seeds"].tolist()),
                    file["epochs"],
                    file["parameters"],
                    str(file["engine"]),
                    str(file["code_digest"]),
                    float(file["duration_s"]),
                )
            found.check()
        except Exception as error:
            raise ValueError(
                f"{path} is damaged or no stored trajectory ({error}); delete it and run again."
            ) from error
        return found

    def check(self) -> None:
        """Refuse weights that cannot be those of the experiment.

        Raises
        ------
        ValueError
            For other shapes, epochs in disorder, a seed twice, or first weights that are not the
            initial ones of these seeds.
        """
        start = pack(
            Ensemble.initial(self.experiment, self.seeds, self.task.x.shape[1], self.task.n_outputs)
        )
        shape = (len(self.epochs), *start.shape)
        if self.parameters.shape != shape or self.parameters.dtype.kind != "f":
            raise ValueError(
                f"parameters must be floats of shape {shape}, got {self.parameters.dtype} of "
                f"shape {self.parameters.shape}"
            )
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("a seed stands twice")
        if (np.diff(self.epochs) <= 0).any() or self.epochs[-1] > self.experiment.n_epochs:
            raise ValueError(f"epochs must increase up to {self.experiment.n_epochs}")
        first = self.parameters[0]
        if self.epochs[0] == 0 and not np.allclose(first, start, rtol=1e-5, atol=1e-6):
            raise ValueError("the weights at epoch 0 are not the initial ones of these seeds")


def pack(ensemble: Ensemble) -> np.ndarray:
    """All parameters of each network in one row, (seed, parameter)."""
    pieces = []
    for weight, bias in zip(ensemble.weights, ensemble.biases, strict=True):
        pieces += [weight.reshape(len(weight), -1), bias]
    return np.concatenate([*pieces, *ensemble.slopes, *ensemble.ranges], axis=1)


def unpack(parameters: np.ndarray, experiment: Experiment, task: Task) -> Ensemble:
    """The inverse of ``pack``: views, no copies."""
    weights, biases, at = [], [], 0
    for fan_in, unit in layer_shapes(experiment, task.x.shape[1], task.n_outputs):
        n = fan_in * unit
        weights.append(parameters[:, at : at + n].reshape(-1, fan_in, unit))
        biases.append(parameters[:, at + n : at + n + unit])
        at += n + unit
    slopes: tuple[np.ndarray, ...] = ()
    ranges: tuple[np.ndarray, ...] = ()
    if experiment.activation == "prelu":
        ends = np.cumsum(experiment.hidden_widths)[:-1]
        slopes = tuple(np.split(parameters[:, at:], ends, axis=1))
    elif experiment.bits:
        ranges = tuple(np.split(parameters[:, at:], len(experiment.hidden_widths), axis=1))
    output = "softmax" if experiment.loss == "cross_entropy" else "linear"
    parts = (
        tuple(weights), tuple(biases), experiment.activation, output, slopes,
        experiment.output_range, experiment.bits, ranges,
    )  # fmt: skip
    if experiment.convolutions:
        return ConvolutionalEnsemble(*parts, len(experiment.convolutions), task.x.shape[1])
    return Ensemble(*parts)
