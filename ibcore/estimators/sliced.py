"""Sliced mutual information: that of one-dimensional shadows, averaged over directions.

A shadow of X and a shadow of T do not determine each other even where X determines T, so that a
deterministic layer has a finite number here, and neighbours in one dimension are near. It is a
quantity of its own: at most I(X;T), 0 only for independent variables, and it may grow from layer to
layer, as a layer can make its content easier to read from a line.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibcore.estimators.base import LayerInformation, Ruler, Run, View, whole_number
from ibcore.estimators.inputs import checked_layer
from ibcore.estimators.neighbours import label_information, mutual_information
from ibcore.randomness import generator


@dataclass(frozen=True)
class SlicedInformation(Ruler):
    """SI(X;T) = ⟨I(θᵀX; φᵀT)⟩ and SI(T;Y) = ⟨I(φᵀT; Y)⟩ over random directions, in bits.

    Each slice is measured with nearest neighbours (``neighbours.mutual_information`` and
    ``label_information``), θ and φ uniform on their spheres and independent. For a Gaussian pair

        SI = ⟨-½ log2(1 - ρ²)⟩,    ρ = θᵀΣ_xt φ / √(θᵀΣ_x θ · φᵀΣ_t φ).

    Where X and T have one unit each there is one slice, and for a deterministic layer it is
    infinite: the estimate then grows with log2 N.

    Parameters
    ----------
    n_slices : int
        Pairs of directions; the standard error falls with their root.
    k : int
        Of the neighbours.
    seed : int
        Of the directions.

    References
    ----------
    Goldfeld & Greenewald (2021), *Sliced mutual information: a scalable measure of statistical
    dependence*.
    """

    n_slices: int = 100
    k: int = 3
    seed: int = 0

    measures = "SI(X; T), sliced information"
    needs_run = True

    def __post_init__(self) -> None:
        """Make the types plain and refuse nonsense."""
        object.__setattr__(self, "n_slices", whole_number("n_slices", self.n_slices, 1, 10**6))
        object.__setattr__(self, "k", whole_number("k", self.k, 1))
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0, 2**63))

    def prepare(self, run: Run) -> Ruler:
        """The ruler for a task with inputs of its width."""
        return _Laid(self, int(np.prod(run.task.x.shape[1:])))

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """An error: the inputs are not known yet."""
        raise ValueError(
            "SlicedInformation looks at the inputs too: measure a run with ib.run, or call "
            "information(x, t, y)."
        )

    def information(self, x: ArrayLike, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """Both numbers, in bits.

        Parameters
        ----------
        x : (sample, feature) array
        t : (sample, unit) array
        y : (sample,) integers or strings
            Classes, of more than ``k`` samples each.

        Examples
        --------
        >>> x = np.random.default_rng(0).normal(size=(400, 2))
        >>> found = SlicedInformation(n_slices=50).information(x, x, (x[:, 0] > 0).astype(int))
        >>> 0.2 < found.i_xt < 1.2, 0.1 < found.i_ty < 0.9
        (True, True)
        """
        labels = [label_information(line, y, self.k) for line in self.shadows(t, "init")]
        return LayerInformation(self.of_pair(x, t), float(np.mean(labels)))

    def of_pair(self, x: ArrayLike, t: ArrayLike) -> float:
        """SI(X;T) in bits, of x (sample, feature) and t (sample, unit)."""
        pairs = zip(self.shadows(x, "data"), self.shadows(t, "init"), strict=True)
        return float(np.mean([mutual_information(a, b, self.k) for a, b in pairs]))

    def shadows(self, values: ArrayLike, purpose: str) -> NDArray[np.float64]:
        """(slice, sample): the values along each direction, of one standard deviation."""
        points = checked_layer(values).astype(np.float64)
        lines = self.directions(points.shape[1], purpose) @ points.T
        # Neighbours measure both shadows with one rule: they should be of one size.
        spread = lines.std(axis=1, keepdims=True)
        return (lines - lines.mean(axis=1, keepdims=True)) / np.where(spread > 0, spread, 1.0)

    def directions(self, n_units: int, purpose: str) -> NDArray[np.float64]:
        """(slice, unit): uniform on the sphere; one of them alone where there is one unit."""
        if n_units == 1:
            return np.ones((self.n_slices, 1))
        z = generator(self.seed, purpose).standard_normal((self.n_slices, n_units))
        return z / np.linalg.norm(z, axis=1, keepdims=True)


@dataclass(frozen=True)
class _Laid(Ruler):
    """Slices on inputs of a known width."""

    sliced: SlicedInformation
    n_features: int

    def parts(self) -> tuple[Ruler, ...]:
        """The ruler that it lays."""
        return (self.sliced,)

    def layers(self, view: View) -> list[np.ndarray]:
        """(sample, feature + unit): the inputs, the activations."""
        x = view.x.astype(np.float32).reshape(len(view.x), -1)
        return [np.concatenate([x, t], axis=1) for t in view.layers]

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """Bits; t (sample, feature + unit) as ``layers`` gives it."""
        x, own = np.split(np.asarray(t), [self.n_features], axis=1)
        return self.sliced.information(x, own, y)
