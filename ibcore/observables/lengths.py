"""Distances between neighbours: lengths of a layer at the scale of a ruler."""

from dataclasses import dataclass
from typing import ClassVar

from ibcore import geometry
from ibcore.estimators.rows import some_rows
from ibcore.observables.base import Observable, View
from ibcore.training.inputs import measured


@dataclass(frozen=True)
class LocalLengths(Observable):
    """How near the points of a class are to each other; see ``ibcore.geometry.lengths``.

    A covariance, its trace and its determinant are ruled by the largest distances; a bin or a
    kernel sees only the smallest. Equal rows count as 2^-24 apart. All pairs are formed: of tasks
    with more than ``most_rows`` measured inputs, such as images, ``fewer_rows`` are taken, the same
    for all networks and checkpoints.

    Parameters
    ----------
    neighbour : int
        Which neighbour's distance counts.
    width : float
        Of a bin, in units of the activation.
    most_rows, fewer_rows : int
        Rows that are all taken, and how many are taken of more.
    """

    neighbour: int = 20
    width: float = 2 / 30
    most_rows: int = 4096
    fewer_rows: int = 2000
    variables: ClassVar = {
        "neighbour_log_distance": (
            "bits",
            "mean log2 of the distance to the 20th neighbour of the same class",
        ),
        "close_pairs": ("1", "share of pairs of a class closer than 2/30 in every unit"),
    }

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Numbers per layer, by name."""
        labels = view.target[measured(view.task)].argmax(axis=1)
        n = len(labels)
        rows = some_rows(n, n if n <= self.most_rows else self.fewer_rows)
        found = [
            geometry.lengths(t[rows], labels[rows], self.neighbour, self.width) for t in view.layers
        ]
        return dict(zip(self.names, map(list, zip(*found, strict=True)), strict=True))
