"""Losses, accuracies, and the size of weights and activations."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from ibcore.observables.base import Observable, View


@dataclass(frozen=True)
class Performance(Observable):
    """Loss (cross-entropy in nats, or squared error) and accuracy on training and test rows.

    The loss is that of the data: without penalties on the weights. With soft labels the accuracy
    counts agreement with the more probable class, with real targets agreement in sign.
    """

    per_network: ClassVar = True
    variables: ClassVar = {
        "loss": ("nats", "cross-entropy on the training rows"),
        "test_loss": ("nats", "cross-entropy on the test rows"),
        "train_accuracy": ("1", "accuracy on the training rows"),
        "test_accuracy": ("1", "accuracy on the test rows"),
    }

    def __call__(self, view: View) -> dict[str, float]:
        """Numbers of one network, by name."""
        found = {}
        for rows, loss, accuracy in zip(view.rows, *(self.names[:2], self.names[2:]), strict=True):
            logits, target = view.logits(rows), view.target[rows]
            if view.experiment.loss == "squared_error":
                each = ((logits - target) ** 2).sum(axis=1)
            else:
                top = logits.max(axis=1)
                log_p = logits - top[:, None]
                log_p -= np.log(np.exp(log_p).sum(axis=1, keepdims=True))
                each = -(target * log_p).sum(axis=1)
            found[loss] = each.mean()
            if view.task.target is None:
                right = logits.argmax(axis=1) == target.argmax(axis=1)
            else:
                right = (logits[:, 0] > 0) == view.task.y[rows]
            found[accuracy] = right.mean()
        return {name: found[name] for name in self.names}


@dataclass(frozen=True)
class Shape(Observable):
    """Weight norm, largest activation and saturated share of every layer."""

    level: float = 0.93
    variables: ClassVar = {
        "weight_norm": ("1", "Frobenius norm of the weights"),
        "largest_activation": ("1", "largest |t| of the layer"),
        "saturation": ("1", "share of |t| > 0.93"),
    }

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Numbers per layer, by name."""
        return {
            "weight_norm": [np.linalg.norm(weight[0]) for weight in view.network.weights],
            "largest_activation": [np.abs(t).max() for t in view.layers],
            "saturation": [(np.abs(t) > self.level).mean() for t in view.layers],
        }
