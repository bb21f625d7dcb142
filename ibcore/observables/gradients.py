"""Gradients: their mean and their scatter over samples and mini-batches."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ibcore.observables.base import Observable, View
from ibcore.training.inputs import batch_orders


@dataclass(frozen=True)
class GradientStatistics(Observable):
    """Mean and standard deviation of the weight gradient, per sample and per mini-batch.

    Both are taken at the weights of the measured epoch, held still, over the training rows. Per
    sample the gradient of a dense layer is the outer product of h_i and δ_i, hence

        Σ_i ‖g_i‖² = Σ_i ‖h_i‖² ‖δ_i‖²,    std² = mean ‖g_i‖² - ‖mean g_i‖²

    (Saxe et al. 2018 with the norm of the elementwise standard deviation). Per mini-batch the
    batches are those of the epoch that starts here (Shwartz-Ziv & Tishby 2017, Fig. 4).

    Parameters
    ----------
    batch_size : int
        Of the mini-batches, also where the network itself trains on full batches.
    """

    batch_size: int = 256
    variables: ClassVar = {
        "gradient_mean": ("nats", "norm of the mean gradient over training rows"),
        "gradient_std": ("nats", "norm of the gradient's standard deviation over training rows"),
        "minibatch_gradient_mean": ("nats", "norm of the mean gradient over mini-batches"),
        "minibatch_gradient_std": ("nats", "norm of the gradient's std over mini-batches"),
    }

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Norms per layer, by name."""
        train, _ = view.rows
        if self.batch_size < len(train):
            settings = view.experiment.replace(batch_size=self.batch_size)
            train = batch_orders(settings, view.seed, train, view.epoch, 1)[0]
        below, deltas = self._backward(view, train)
        found: dict[str, list[float]] = {name: [] for name in self.names}
        starts = np.arange(0, len(train), self.batch_size)
        sizes = np.diff([*starts, len(train)])
        for h, delta in zip(below, deltas, strict=True):
            mean = h.T @ delta / len(train)
            square = ((h * h).sum(axis=1) * (delta * delta).sum(axis=1)).mean()
            found["gradient_mean"].append(float(np.linalg.norm(mean)))
            found["gradient_std"].append(np.sqrt(max(square - (mean * mean).sum(), 0.0)))
            batches = np.stack(
                [
                    h[start : start + size].T @ delta[start : start + size] / size
                    for start, size in zip(starts, sizes, strict=True)
                ]
            )
            found["minibatch_gradient_mean"].append(float(np.linalg.norm(batches.mean(axis=0))))
            found["minibatch_gradient_std"].append(float(np.linalg.norm(batches.std(axis=0))))
        return found

    @staticmethod
    def _backward(view: View, rows: np.ndarray) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Inputs h and errors δ of every layer: the gradient of row i is the outer product."""
        below = [view.task.x[rows].astype(np.float64)] + [t[rows] for t in view.outputs[:-1]]
        delta = view.outputs[-1][rows] - view.target[rows]
        if view.experiment.loss == "squared_error":
            delta = 2 * delta
        deltas = [delta]
        for layer in range(len(below) - 1, 0, -1):
            weight = view.network.weights[layer][0].astype(np.float64)
            z = view.pre_activations[layer - 1][None, rows]
            delta = (delta @ weight.T) * view.network.slope(layer - 1, z)[0]
            deltas.insert(0, delta)
        return below, deltas
