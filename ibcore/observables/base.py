"""What an observable owes, and what it sees: one network at one measured epoch."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from ibcore.config import Experiment
from ibcore.networks import Ensemble
from ibcore.tasks import Task
from ibcore.training.inputs import measured, measured_noise, split_rows, target_table

CHUNK = 8192  # images that pass through a network at once


class Observable:
    """The protocol: a frozen dataclass that gives named numbers of a network.

    Attributes
    ----------
    variables : {name: (unit, long name)}
        What it measures.
    per_network : bool
        One number for a network, or one for each layer.
    """

    variables: ClassVar[Mapping[str, tuple[str, str]]] = {}
    names: ClassVar[tuple[str, ...]] = ()
    per_network: ClassVar[bool] = False

    def __init_subclass__(cls, **options: Any) -> None:
        """Name its variables."""
        super().__init_subclass__(**options)
        cls.names = tuple(cls.variables)

    def __call__(self, view: "View") -> Mapping[str, Any]:
        """Numbers by name: one each, or one per layer."""
        raise ValueError(
            f"{type(self).__name__} does not say how to measure: write __call__(view)."
        )


@dataclass(frozen=True)
class View:
    """One network at one measured epoch, with what an observable or a ruler may ask of it."""

    experiment: Experiment
    task: Task
    network: Ensemble
    seed: int
    epoch: int

    @cached_property
    def rows(self) -> tuple[np.ndarray, np.ndarray]:
        """Training and test rows."""
        return split_rows(self.task, self.experiment, self.seed)

    @cached_property
    def target(self) -> np.ndarray:
        """(sample, class) probabilities of all rows."""
        return target_table(self.task)

    @cached_property
    def _noise(self) -> list[np.ndarray]:
        return measured_noise(
            self.experiment, self.task, (self.seed,), self.epoch, len(self.task.x)
        )

    @cached_property
    def _passed(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        z, t = self.network.forward(self.task.x, self._noise)
        return [one[0] for one in z], [one[0] for one in t]

    @property
    def x(self) -> np.ndarray:
        """(sample, feature) inputs on which information is measured."""
        return self.task.x[measured(self.task)]

    @property
    def pre_activations(self) -> list[np.ndarray]:
        """z of every layer for all rows of the task, (sample, unit) float64."""
        return self._passed[0]

    @property
    def outputs(self) -> list[np.ndarray]:
        """t of every layer for all rows of the task, (sample, unit) float64."""
        return self._passed[1]

    def logits(self, rows: np.ndarray) -> np.ndarray:
        """(row, class) float64: the last z. Images pass in chunks, to spare the memory."""
        if self.task.measured_rows is None:
            return self.pre_activations[-1][rows]
        noise = self._noise
        chunks = [rows[first : first + CHUNK] for first in range(0, len(rows), CHUNK)]
        return np.concatenate(
            [
                self.network.forward(self.task.x[part], [z[:, part] for z in noise])[0][-1][0]
                for part in chunks
            ]
        )

    @cached_property
    def layers(self) -> list[np.ndarray]:
        """What estimators see: measured rows, (sample, unit), rounded once to float32."""
        if self.task.measured_rows is None:
            return [t.astype(np.float32) for t in self.outputs]
        rows = self.task.measured_rows
        return [
            t[0] for t in self.network.layers(self.task.x[rows], [z[:, rows] for z in self._noise])
        ]
