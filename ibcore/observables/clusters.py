"""Where the points of a layer lie: scatter, angles, corners, distances."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ibcore import geometry
from ibcore.estimators.neighbours import differential_entropy
from ibcore.observables.base import Observable, View
from ibcore.training.inputs import measured


@dataclass(frozen=True)
class Clustering(Observable):
    """How the points of each layer lie; see ``ibcore.geometry``."""

    variables: ClassVar = {
        "scatter_within": ("1", "trace of the covariance within classes"),
        "scatter_between": ("1", "trace of the covariance of the class means"),
        "log_det_within": ("bits", "log2 of the determinant of the covariance within classes"),
        "cosine_within": ("1", "mean cosine of two samples of a class"),
        "cosine_between": ("1", "mean cosine of two samples of different classes"),
        "participation_ratio": ("1", "effective number of directions"),
    }

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Numbers per layer, by name."""
        labels = view.target[measured(view.task)].argmax(axis=1)
        found: dict[str, list[float]] = {name: [] for name in self.names}
        for t in view.layers:
            spread = geometry.scatter(t, labels)
            found["scatter_within"].append(spread.within)
            found["scatter_between"].append(spread.between)
            found["log_det_within"].append(spread.log_det_within)
            within, between = geometry.cosines(t, labels)
            found["cosine_within"].append(within)
            found["cosine_between"].append(between)
            found["participation_ratio"].append(geometry.participation_ratio(t))
        return found


@dataclass(frozen=True)
class Corners(Observable):
    """Whether each class sits in one corner of the cube [-1, 1]^d (Goldfeld et al. 2019, Fig. 5).

    ``corner_share``: of each class the share that lies within ``reach`` of its commonest corner in
    every unit, the smallest over classes. ``corners_apart``: 1 if no two classes share a corner.
    """

    reach: float = 0.1
    variables: ClassVar = {
        "corner_share": ("1", "smallest share of a class near one corner of [-1, 1]^d"),
        "corners_apart": ("1", "whether the corners of all classes differ"),
    }

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Numbers per layer, by name."""
        labels = view.target[measured(view.task)].argmax(axis=1)
        found: dict[str, list[float]] = {name: [] for name in self.names}
        for t in view.layers:
            homes, shares = [], []
            for c in np.unique(labels):
                own = t[labels == c]
                near = (np.abs(np.abs(own) - 1) <= self.reach).all(axis=1)
                corners, counts = np.unique(own[near] > 0, axis=0, return_counts=True)
                shares.append(counts.max(initial=0) / len(own))
                homes.append(tuple(corners[counts.argmax()]) if len(corners) else None)
            found["corner_share"].append(min(shares))
            apart = None not in homes and len(set(homes)) == len(homes)
            found["corners_apart"].append(float(apart))
        return found


@dataclass(frozen=True)
class NeighbourEntropy(Observable):
    """Differential entropy of narrow layers from nearest neighbours (Saxe et al. 2018, Fig. 12).

    I(X;T) up to a constant, if one imagines noise of one size. It grows with the logarithm of the
    layer's scale; divided by its root mean square the layer has none. Layers wider than ``widest``
    and layers without spread give NaN.

    Parameters
    ----------
    k : int
        Neighbour whose distance counts.
    jitter : float
        Standard deviation of the noise that keeps equal rows apart.
    widest : int
        Units; nearest neighbours say little in more dimensions.
    """

    k: int = 2
    jitter: float = 1e-10
    widest: int = 4
    variables: ClassVar = {
        "neighbour_entropy": ("bits", "h(T) from nearest neighbours"),
        "neighbour_entropy_scaled": ("bits", "h(T / rms of T) from nearest neighbours"),
    }

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Numbers per layer, by name."""
        plain, scaled = [], []
        for layer, t in enumerate(view.layers, start=1):
            hidden = layer < len(view.layers)
            rms = np.sqrt((t.astype(np.float64) ** 2).mean())
            if not hidden or t.shape[1] > self.widest or not np.ptp(t):
                plain.append(np.nan)
                scaled.append(np.nan)
                continue
            plain.append(differential_entropy(t, self.k, self.jitter))
            scaled.append(plain[-1] - t.shape[1] * np.log2(rms))
        return {"neighbour_entropy": plain, "neighbour_entropy_scaled": scaled}
