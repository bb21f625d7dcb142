"""Usable information: what a probe of some kind reads off a layer, on samples it has not seen.

Shannon's information counts what some reader could find, however clever; this counts what one
family of readers does find. It obeys no data processing inequality, and a layer can have more of it
than the layer before: that is what it is for. It is called by its own name on every axis.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibcore.estimators.base import LayerInformation, Ruler, choice, positive_number, whole_number
from ibcore.estimators.inputs import checked_labels, checked_layer
from ibcore.information import entropy_from_counts
from ibcore.randomness import generator, shuffled

PROBES = ("linear", "mlp")
LEAST_PROBABILITY = 1e-12


@dataclass(frozen=True)
class UsableInformation(Ruler):
    """I_V(T→Y), the drop of a probe's log loss by looking at T; no mutual information.

        I_V(T→Y) = H_V(Y) - H_V(Y|T),

    both cross entropies in bits on the held-out half: H_V(Y) of the frequencies of classes in the
    other half, H_V(Y|T) of a probe trained there. It is negative where the probe has learnt by
    heart. ``i_xt`` is H(Ŷ) of the classes that the probe names there, what its decisions tell about
    the input.

    Parameters
    ----------
    probe : str
        ``"linear"``, logistic regression on standardised units, or ``"mlp"``, one hidden layer of
        64 units.
    penalty : float
        Weight of the squared weights, over the number of training samples for the linear probe;
        of ``"mlp"``, scikit-learn's ``alpha``.
    seed : int
        Of the halves, equal shares of each class, and of the weights of ``"mlp"``.

    Raises
    ------
    ValueError
        If no class has two samples, or labels are probabilities.

    References
    ----------
    Xu et al. (2020), *A theory of usable information under computational constraints*, definition
    3; Kleinman et al. (2021) on layers.

    Examples
    --------
    Two classes far apart are one bit, of which a linear probe reads nearly all:

    >>> y = np.arange(400) % 2
    >>> found = UsableInformation()(np.where(y, 5.0, -5.0)[:, None], y)
    >>> round(found.i_ty, 1), found.i_xt
    (1.0, 1.0)
    """

    probe: str = "linear"
    penalty: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Make the types plain and refuse nonsense."""
        object.__setattr__(self, "probe", choice("probe", self.probe, PROBES))
        object.__setattr__(self, "penalty", positive_number("penalty", self.penalty))
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0, 2**32 - 1))

    @property
    def measures(self) -> str:
        """Label of an axis."""
        return f"H(Ŷ) of a {self.probe} probe; I_V(T→Y), usable information"

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """Bits, of t (sample, unit) and y (sample,)."""
        layer = checked_layer(t).astype(np.float64)
        labels = checked_labels(y, len(layer))
        if labels.ndim != 1:
            raise ValueError("a probe names classes, got probabilities; give one label each.")
        counts = np.bincount(labels)
        if counts.max() < 2:
            raise ValueError(
                f"no class has two samples, one to learn and one to test, among {len(counts)}."
            )
        if len(counts) == 1:
            return LayerInformation(0.0, 0.0)
        learnt, held_out = halves(labels, self.seed)
        frequency = np.bincount(labels[learnt], minlength=len(counts)) / len(learnt)
        p = self._predicted(layer, labels, learnt, held_out)
        truth = labels[held_out]
        blind = -np.log2(frequency[truth]).mean()
        seen = -np.log2(np.maximum(p[np.arange(len(truth)), truth], LEAST_PROBABILITY)).mean()
        h = entropy_from_counts(np.bincount(p.argmax(axis=1)))
        return LayerInformation(h, float(blind - seen))

    def _predicted(
        self,
        t: NDArray[np.float64],
        y: NDArray[Any],
        learnt: NDArray[np.int64],
        held_out: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """(held-out sample, class) probabilities of the probe."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression
        from sklearn.neural_network import MLPClassifier

        t = t / max(float(np.abs(t).max()), np.finfo(float).tiny)
        centre, spread = t[learnt].mean(axis=0), t[learnt].std(axis=0)
        z = (t - centre) / np.where(spread > 0, spread, 1.0)
        if self.probe == "linear":
            probe = LogisticRegression(C=1 / self.penalty, max_iter=500)
        else:
            probe = MLPClassifier((64,), alpha=self.penalty, max_iter=200, random_state=self.seed)
        with warnings.catch_warnings():
            # A probe that has not converged reads less than it could: its loss says so.
            warnings.simplefilter("ignore", ConvergenceWarning)
            probe.fit(z[learnt], y[learnt])
        return probe.predict_proba(z[held_out])


def halves(labels: NDArray[Any], seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows of two halves with equal shares of each class; one that is left over is in the first."""
    rng = generator(seed, "split")
    first, second = [], []
    for label in range(int(labels.max()) + 1):
        rows = shuffled(np.flatnonzero(labels == label), rng)
        middle = -(-len(rows) // 2)
        first.append(rows[:middle])
        second.append(rows[middle:])
    return np.sort(np.concatenate(first)), np.sort(np.concatenate(second))
