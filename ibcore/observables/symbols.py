"""What bins show besides information: the bottleneck, parts of the input, how bins fill."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ibcore.decomposition import decompose
from ibcore.estimators import AdaptiveBinning, Binning
from ibcore.observables.base import Observable, View
from ibcore.theory import ib_encoder
from ibcore.training.inputs import measured


@dataclass(frozen=True)
class SelfConsistency(Observable):
    """How close the binned layer comes to the self-consistent encoder of the IB, and at which β.

    For the layer's own p(t) and p(y|t) the encoder of Tishby, Pereira & Bialek (1999) is

        p_β(t|x) ∝ p(t) exp(-β D[p(y|x) ‖ p(y|t)]),

    and, as T is a function of x, E_x D[p(t|x) ‖ p_β(t|x)] = -E_x log2 p_β(t(x)|x). ``ib_beta``
    minimises it over a grid of 61 values in [0.1, 1000] (Shwartz-Ziv & Tishby 2017, Fig. 6).
    Measured at the last epoch only, NaN elsewhere.
    """

    n_bins: int = 30
    variables: ClassVar = {
        "ib_beta": ("1", "beta of the closest self-consistent encoder"),
        "ib_divergence": ("bits", "divergence from the closest self-consistent encoder"),
    }

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Numbers per layer, by name."""
        if view.epoch != view.experiment.n_epochs:
            nothing = [np.nan] * len(view.layers)
            return {"ib_beta": nothing, "ib_divergence": nothing}
        betas = np.geomspace(0.1, 1000, 61)
        ruler = Binning(n_bins=self.n_bins, low=-1.0, high=1.0)
        target = view.target[measured(view.task)].astype(np.float64)
        classes, s = np.unique(target, axis=0, return_inverse=True)
        found: dict[str, list[float]] = {name: [] for name in self.names}
        for layer in view.layers:
            _, t = np.unique(ruler.codes(layer), axis=0, return_inverse=True)
            joint = np.zeros((len(classes), t.max() + 1))
            np.add.at(joint, (s, t), 1 / len(t))
            cost = [_divergence(joint, classes, beta) for beta in betas]
            found["ib_beta"].append(betas[np.argmin(cost)])
            found["ib_divergence"].append(np.min(cost))
        return found


def _divergence(joint: np.ndarray, p_y_given_x: np.ndarray, beta: float) -> float:
    """-E log2 p_β(t(x)|x), in bits, of a joint distribution (x, t) in which t follows from x."""
    p_t = joint.sum(axis=0)
    encoder = ib_encoder(p_y_given_x, p_t, (joint / p_t).T @ p_y_given_x, beta)
    return -(joint * np.log2(np.maximum(encoder, 1e-300))).sum()


@dataclass(frozen=True)
class Decomposition(Observable):
    """What the binned layer knows of a 12-bit input, part by part; see ``ibcore.decomposition``."""

    n_bins: int = 30
    variables: ClassVar = {
        "known_label": ("bits", "I(Y; bin(T))"),
        "known_signature": ("bits", "I(signature; bin(T) | Y)"),
        "known_orbit": ("bits", "I(orbit; bin(T) | signature)"),
        "known_within": ("bits", "I(X; bin(T) | orbit)"),
        "known_popcount": ("bits", "I(number of ones; bin(T))"),
    }

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Numbers per layer, by name."""
        ruler = Binning(n_bins=self.n_bins, low=-1.0, high=1.0)
        parts = [decompose(ruler.codes(t)) for t in view.layers]
        return dict(zip(self.names, map(list, zip(*parts, strict=True)), strict=True))


@dataclass(frozen=True)
class BinShares(Observable):
    """How activations fill bins (Chelombiev et al. 2019, Fig. 2).

    ``first_bin``: share of a layer's activations in the first of equal bins from the smallest to
    the largest activation of any hidden layer. ``fullest_bin``: of its distinct values, the largest
    share in one adaptive bin.
    """

    n_bins: int = 30
    variables: ClassVar = {
        "first_bin": (
            "1",
            "share of activations in the first of 30 bins up to the network's maximum",
        ),
        "fullest_bin": ("1", "largest share of distinct levels in one of 30 adaptive bins"),
    }

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Numbers per layer, by name."""
        hidden = view.layers[:-1]
        low, high = min(t.min() for t in hidden), max(t.max() for t in hidden)
        first_edge = low + (high - low) / self.n_bins
        found: dict[str, list[float]] = {name: [] for name in self.names}
        for t in view.layers:
            levels = np.unique(t)
            edges = AdaptiveBinning(self.n_bins).edges(t)
            codes = np.searchsorted(edges, levels, side="right")
            found["first_bin"].append((t < first_edge).mean())
            found["fullest_bin"].append(np.bincount(codes).max() / len(levels))
        return found
