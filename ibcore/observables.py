"""What is measured on a network besides information: losses, gradients, norms, saturation.

An observable sees one network at one measured epoch, as a ``View``, and gives named numbers, one
per layer or one per network.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ibcore import geometry
from ibcore.config import Experiment
from ibcore.decomposition import decompose
from ibcore.estimators import AdaptiveBinning, Binning
from ibcore.estimators.neighbours import differential_entropy
from ibcore.networks import Ensemble
from ibcore.tasks import Task, load_task
from ibcore.theory import generalisation_error, ib_encoder
from ibcore.training import batch_orders, measured, measured_noise, split_rows, target_table

CHUNK = 8192  # images that pass through a network at once

# name -> (unit, long name); what a plane may hold besides i_xt and i_ty
VARIABLES = {
    "loss": ("nats", "cross-entropy on the training rows"),
    "test_loss": ("nats", "cross-entropy on the test rows"),
    "train_accuracy": ("1", "accuracy on the training rows"),
    "test_accuracy": ("1", "accuracy on the test rows"),
    "weight_norm": ("1", "Frobenius norm of the weights"),
    "largest_activation": ("1", "largest |t| of the layer"),
    "saturation": ("1", "share of |t| > 0.93"),
    "gradient_mean": ("nats", "norm of the mean gradient over training rows"),
    "gradient_std": ("nats", "norm of the gradient's standard deviation over training rows"),
    "minibatch_gradient_mean": ("nats", "norm of the mean gradient over mini-batches"),
    "minibatch_gradient_std": ("nats", "norm of the gradient's std over mini-batches"),
    "ib_beta": ("1", "beta of the closest self-consistent encoder"),
    "ib_divergence": ("bits", "divergence from the closest self-consistent encoder"),
    "known_label": ("bits", "I(Y; bin(T))"),
    "known_signature": ("bits", "I(signature; bin(T) | Y)"),
    "known_orbit": ("bits", "I(orbit; bin(T) | signature)"),
    "known_within": ("bits", "I(X; bin(T) | orbit)"),
    "known_popcount": ("bits", "I(number of ones; bin(T))"),
    "scatter_within": ("1", "trace of the covariance within classes"),
    "scatter_between": ("1", "trace of the covariance of the class means"),
    "log_det_within": ("bits", "log2 of the determinant of the covariance within classes"),
    "cosine_within": ("1", "mean cosine of two samples of a class"),
    "cosine_between": ("1", "mean cosine of two samples of different classes"),
    "participation_ratio": ("1", "effective number of directions"),
    "first_bin": ("1", "share of activations in the first of 30 bins up to the network's maximum"),
    "fullest_bin": ("1", "largest share of distinct levels in one of 30 adaptive bins"),
    "corner_share": ("1", "smallest share of a class near one corner of [-1, 1]^d"),
    "corners_apart": ("1", "whether the corners of all classes differ"),
    "generalisation_error": ("1", "expected squared error on fresh data, exact"),
    "neighbour_entropy": ("bits", "h(T) from nearest neighbours"),
    "neighbour_entropy_scaled": ("bits", "h(T / rms of T) from nearest neighbours"),
}


def described(name: str, experiment: Experiment) -> tuple[str, str]:
    """Unit and long name of a variable in the results of an experiment."""
    unit, words = VARIABLES[name]
    if experiment.loss == "squared_error":
        unit = "1" if unit == "nats" else unit
        words = words.replace("cross-entropy", "squared error")
    if load_task(experiment.task).target is not None:
        words = words.replace("accuracy", "share of right signs")
    return unit, words


@dataclass(frozen=True)
class View:
    """One network at one measured epoch, with what an observable may ask of it."""

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


@dataclass(frozen=True)
class Performance:
    """Loss (cross-entropy in nats, or squared error) and accuracy on training and test rows.

    The loss is that of the data: without penalties on the weights. With soft labels the accuracy
    counts agreement with the more probable class, with real targets agreement in sign.
    """

    per_network = True
    names = ("loss", "test_loss", "train_accuracy", "test_accuracy")

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
class Shape:
    """Weight norm, largest activation and saturated share of every layer."""

    level: float = 0.93
    per_network = False
    names = ("weight_norm", "largest_activation", "saturation")

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Numbers per layer, by name."""
        return {
            "weight_norm": [np.linalg.norm(weight[0]) for weight in view.network.weights],
            "largest_activation": [np.abs(t).max() for t in view.layers],
            "saturation": [(np.abs(t) > self.level).mean() for t in view.layers],
        }


@dataclass(frozen=True)
class GradientStatistics:
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
    per_network = False
    names = (
        "gradient_mean",
        "gradient_std",
        "minibatch_gradient_mean",
        "minibatch_gradient_std",
    )

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Norms per layer, by name."""
        train, _ = view.rows
        if self.batch_size < len(train):
            settings = view.experiment.replace(batch_size=self.batch_size)
            train = batch_orders(settings, view.seed, train, view.epoch, 1)[0]
        below, deltas = self._backward(view, train)
        found = {name: [] for name in self.names}
        starts = np.arange(0, len(train), self.batch_size)
        sizes = np.diff([*starts, len(train)])
        for h, delta in zip(below, deltas, strict=True):
            mean = h.T @ delta / len(train)
            square = ((h * h).sum(axis=1) * (delta * delta).sum(axis=1)).mean()
            found["gradient_mean"].append(np.linalg.norm(mean))
            found["gradient_std"].append(np.sqrt(max(square - (mean * mean).sum(), 0.0)))
            batches = np.stack(
                [
                    h[start : start + size].T @ delta[start : start + size] / size
                    for start, size in zip(starts, sizes, strict=True)
                ]
            )
            found["minibatch_gradient_mean"].append(np.linalg.norm(batches.mean(axis=0)))
            found["minibatch_gradient_std"].append(np.linalg.norm(batches.std(axis=0)))
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


@dataclass(frozen=True)
class SelfConsistency:
    """How close the binned layer comes to the self-consistent encoder of the IB, and at which β.

    For the layer's own p(t) and p(y|t) the encoder of Tishby, Pereira & Bialek (1999) is

        p_β(t|x) ∝ p(t) exp(-β D[p(y|x) ‖ p(y|t)]),

    and, as T is a function of x, E_x D[p(t|x) ‖ p_β(t|x)] = -E_x log2 p_β(t(x)|x). ``ib_beta``
    minimises it over a grid of 61 values in [0.1, 1000] (Shwartz-Ziv & Tishby 2017, Fig. 6).
    Measured at the last epoch only, NaN elsewhere.
    """

    n_bins: int = 30
    per_network = False
    names = ("ib_beta", "ib_divergence")

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Numbers per layer, by name."""
        if view.epoch != view.experiment.n_epochs:
            nothing = [np.nan] * len(view.layers)
            return {"ib_beta": nothing, "ib_divergence": nothing}
        betas = np.geomspace(0.1, 1000, 61)
        ruler = Binning(n_bins=self.n_bins, low=-1.0, high=1.0)
        target = view.target[measured(view.task)].astype(np.float64)
        classes, s = np.unique(target, axis=0, return_inverse=True)
        found = {"ib_beta": [], "ib_divergence": []}
        for layer in view.layers:
            _, t = np.unique(ruler.codes(layer), axis=0, return_inverse=True)
            joint = np.zeros((len(classes), t.max() + 1))
            np.add.at(joint, (s, t), 1 / len(t))
            p_t = joint.sum(axis=0)
            p_y_given_t = (joint / p_t).T @ classes
            cost = [
                -(
                    joint * np.log2(np.maximum(ib_encoder(classes, p_t, p_y_given_t, b), 1e-300))
                ).sum()
                for b in betas
            ]
            found["ib_beta"].append(betas[np.argmin(cost)])
            found["ib_divergence"].append(np.min(cost))
        return found


@dataclass(frozen=True)
class Decomposition:
    """What the binned layer knows of a 12-bit input, part by part; see ``ibcore.decomposition``."""

    n_bins: int = 30
    per_network = False
    names = ("known_label", "known_signature", "known_orbit", "known_within", "known_popcount")

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Numbers per layer, by name."""
        ruler = Binning(n_bins=self.n_bins, low=-1.0, high=1.0)
        parts = [decompose(ruler.codes(t)) for t in view.layers]
        return dict(zip(self.names, map(list, zip(*parts, strict=True)), strict=True))


@dataclass(frozen=True)
class Clustering:
    """How the points of each layer lie; see ``ibcore.geometry``."""

    per_network = False
    names = (
        "scatter_within",
        "scatter_between",
        "log_det_within",
        "cosine_within",
        "cosine_between",
        "participation_ratio",
    )

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Numbers per layer, by name."""
        labels = view.target[measured(view.task)].argmax(axis=1)
        found = {name: [] for name in self.names}
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
class Corners:
    """Whether each class sits in one corner of the cube [-1, 1]^d (Goldfeld et al. 2019, Fig. 5).

    ``corner_share``: of each class the share that lies within ``reach`` of its commonest corner in
    every unit, the smallest over classes. ``corners_apart``: 1 if no two classes share a corner.
    """

    reach: float = 0.1
    per_network = False
    names = ("corner_share", "corners_apart")

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Numbers per layer, by name."""
        labels = view.target[measured(view.task)].argmax(axis=1)
        found = {name: [] for name in self.names}
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
class BinShares:
    """How activations fill bins (Chelombiev et al. 2019, Fig. 2).

    ``first_bin``: share of a layer's activations in the first of equal bins from the smallest to
    the largest activation of any hidden layer. ``fullest_bin``: of its distinct values, the largest
    share in one adaptive bin.
    """

    n_bins: int = 30
    per_network = False
    names = ("first_bin", "fullest_bin")

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Numbers per layer, by name."""
        hidden = view.layers[:-1]
        low, high = min(t.min() for t in hidden), max(t.max() for t in hidden)
        first_edge = low + (high - low) / self.n_bins
        found = {name: [] for name in self.names}
        for t in view.layers:
            levels = np.unique(t)
            edges = AdaptiveBinning(self.n_bins).edges(t)
            codes = np.searchsorted(edges, levels, side="right")
            found["first_bin"].append((t < first_edge).mean())
            found["fullest_bin"].append(np.bincount(codes).max() / len(levels))
        return found


@dataclass(frozen=True)
class Generalisation:
    """Expected squared error of a linear student on fresh data, from its weights."""

    per_network = True
    names = ("generalisation_error",)

    def __call__(self, view: View) -> dict[str, float]:
        """Number of one network, by name."""
        if view.task.teacher is None:
            raise ValueError(
                f"the task {view.task.name!r} has no linear teacher to compare a student with."
            )
        whole = view.network.products()[-1]
        error = generalisation_error(whole, view.task.teacher, view.task.teacher_noise_variance)
        return {"generalisation_error": error}


@dataclass(frozen=True)
class NeighbourEntropy:
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
    per_network = False
    names = ("neighbour_entropy", "neighbour_entropy_scaled")

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


OBSERVABLES = {
    "performance": Performance(),
    "shape": Shape(),
    "gradients": GradientStatistics(),
    "self_consistency": SelfConsistency(),
    "decomposition": Decomposition(),
    "clustering": Clustering(),
    "bins": BinShares(),
    "corners": Corners(),
    "generalisation": Generalisation(),
    "neighbours": NeighbourEntropy(),
}
