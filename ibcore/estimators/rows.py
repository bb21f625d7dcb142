"""Rulers for some of the rows: those that a network was trained on, or a fixed number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from ibcore.estimators.base import LayerInformation, Ruler, Run, View, whole_number
from ibcore.randomness import shuffled

_KEY = 20190912  # of the order in which rows are taken, for all tasks, networks and checkpoints


def some_rows(n_samples: int, n_rows: int) -> np.ndarray:
    """Which ``n_rows`` of ``n_samples`` rows are taken, in increasing order.

    Always the same, and fewer rows are a part of more. Where there are no more, all are taken.

    Examples
    --------
    >>> set(some_rows(1000, 10)) < set(some_rows(1000, 20))
    True
    """
    if n_rows >= n_samples:
        return np.arange(n_samples)
    order = np.random.Generator(np.random.Philox(key=_KEY))
    return np.sort(shuffled(np.arange(n_samples), order)[:n_rows])


@dataclass(frozen=True)
class _OnRows(Ruler):
    """A ruler that lays another one on rows of its choice; which ones, its children say."""

    estimator: Ruler

    needs_run = True
    row_per_sample = False

    def __post_init__(self) -> None:
        """Refuse rulers that look into the network themselves."""
        if not isinstance(self.estimator, Ruler) or not self.estimator.row_per_sample:
            raise ValueError(
                f"{type(self.estimator).__name__} has no rows to choose from; name a ruler of "
                "layers (sample, unit), such as KernelBound."
            )

    @property
    def numbers(self) -> tuple[str, ...]:
        """Those of the ruler it lays."""
        return self.estimator.numbers

    def parts(self) -> tuple[Ruler, ...]:
        """Itself and the ruler it lays."""
        return (self, *self.estimator.parts())

    def levels(self) -> tuple[Ruler, ...]:
        """One for each level of the ruler it lays."""
        return tuple(replace(self, estimator=one) for one in self.estimator.levels())

    def prepare(self, run: Run) -> Self:
        """The same with its ruler prepared."""
        return replace(self, estimator=self.estimator.prepare(run))

    def layers(self, view: View) -> Sequence[np.ndarray]:
        """The arrays of its ruler."""
        return self.estimator.layers(view)

    def entries(self, t: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(level, number) of its ruler, for the rows that are given."""
        return self.estimator.entries(t, y)

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """Bits, of the rows that are given: choosing them is the run's work."""
        return self.estimator(t, y)


@dataclass(frozen=True)
class OnTrainingRows(_OnRows):
    """Another ruler, laid in a training run on each network's own training rows.

    Information then is about an X that is uniform on those rows, and its ceiling is the logarithm
    of their number. Tasks that measure on rows of their own, such as MNIST, are refused.

    Parameters
    ----------
    estimator : Ruler
        One whose arrays have a row for each sample, such as ``KernelBound``.
    """

    @property
    def measures(self) -> str:
        """Label of an axis."""
        return f"{self.estimator.measures}, training rows"

    def prepare(self, run: Run) -> Self:
        """The same with its ruler prepared."""
        if run.task.measured_rows is not None:
            raise ValueError(
                f"{run.task.name!r} is measured on rows of its own, not on those that a "
                "network was trained on; take the ruler itself."
            )
        return super().prepare(run)

    def rows(self, view: View) -> np.ndarray:
        """The rows that the network was trained on."""
        return view.rows[0]


@dataclass(frozen=True)
class OnSomeRows(_OnRows):
    """Another ruler on a fixed number of the measured rows, drawn once without replacement.

    The rows are the same for every network, checkpoint and layer, and fewer rows are a part of
    more. Information then is about an X that is uniform on them, and its ceiling is the logarithm
    of their number. A task with no more rows is measured on all.

    Parameters
    ----------
    estimator : Ruler
        One whose arrays have a row for each sample, such as ``KernelBound``.
    n_rows : int
        At least 2.
    """

    n_rows: int

    def __post_init__(self) -> None:
        """Make the type plain; refuse rulers that look into the network themselves."""
        super().__post_init__()
        object.__setattr__(self, "n_rows", whole_number("n_rows", self.n_rows, least=2))

    @property
    def measures(self) -> str:
        """Label of an axis."""
        return f"{self.estimator.measures}, {self.n_rows} rows"

    def rows(self, view: View) -> np.ndarray:
        """The same rows each time."""
        return some_rows(len(view.x), self.n_rows)
