"""One neuron with two sliders: its weight and the number of bins."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from ibcore.information import entropy
from ibcore.plots.script import widget
from ibcore.theory import single_neuron_information

WEIGHTS = tuple(np.geomspace(0.1, 100, 37))


class NeuronSlider:
    """T = f(w X), X standard normal: the probability of every bin, and what they add up to.

    f is tanh, ReLU or linear. A cell's output that works offline; the bits of every position of the
    two sliders are computed beforehand, the bars where they are drawn.

    Parameters
    ----------
    weights : (weight,) array
        Positive, increasing.
    n_bins : sequence of int
        Equal bins on [-1, 1]; ReLU and linear units have more bins of the same width.
    """

    def __init__(
        self,
        weights: ArrayLike = WEIGHTS,
        n_bins: Sequence[int] = (4, 8, 16, 30, 64),
    ):
        self.weights, self.n_bins = np.asarray(weights, float), tuple(n_bins)
        self.probabilities = []
        for n in self.n_bins:
            with np.errstate(divide="ignore"):
                edges = np.arctanh(np.linspace(-1, 1, n + 1))
            self.probabilities.append(np.diff(ndtr(edges / self.weights[:, None])))
        self.information = np.array([[entropy(p) for p in rows] for rows in self.probabilities])

    def _repr_html_(self) -> str:
        data = {
            "weights": self.weights.round(3).tolist(),
            "bins": self.n_bins,
            "information": self.information.round(3).tolist(),
            "others": {name: self._others(name) for name in ("relu", "linear")},
        }
        return widget("neuron-slider", data, Path(__file__).with_name("neuron.js"), _WITHOUT)

    def _others(self, activation: str) -> list[list[float]]:
        """The same for an activation without bounds, in bins of the same width."""
        return [
            [
                round(single_neuron_information(w, activation=activation, width=2 / n), 3)
                for w in self.weights
            ]
            for n in self.n_bins
        ]

    def __repr__(self) -> str:
        """For outputs without HTML."""
        return f"NeuronSlider of {len(self.weights)} weights and {len(self.n_bins)} rulers"


_WITHOUT = (
    "With JavaScript there are two sliders here, for the weight and for the number of bins; the "
    "figure above holds the same curves."
)
