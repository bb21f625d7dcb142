"""Made-up planes and small helpers for the tests of the figures."""

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot as plt

from ibcore import plots
from ibcore.plots import labels

WIDTHS = (10, 7, 5, 4, 3, 2)
N, H_Y = 4096, 0.999157
BINNING = "Binning(n_bins=30, low=-1.0, high=1.0)"


def synthetic_plane(n_seeds=4, n_epochs=12, estimators=(BINNING,)):
    """A plane with the schema of ibcore.plane and made-up curves: a rise, then a fall."""
    rng = np.random.default_rng(0)
    epochs = np.unique(np.r_[0, np.geomspace(1, 10_000, n_epochs).astype(int), 400, 9000])
    layer = np.arange(1, len(WIDTHS) + 1)
    shape = (n_seeds, epochs.size, layer.size)
    e, s = epochs[None, :, None], rng.normal(1, 0.04, (n_seeds, 1, layer.size))
    learnt = 1 / (1 + (150 / np.maximum(e, 1e-9)) ** 1.5)
    narrow = np.maximum(layer - 2, 0)
    top = np.minimum((12 - 0.9 * narrow**1.1) * (0.8 + 0.2 * learnt) * s, 12)
    i_xt = top - narrow * s * np.log10(1 + e / 400) / np.log10(26)
    i_ty = np.minimum(H_Y, (0.95 - 0.13 * layer) * (1 - learnt) * s + learnt * (1 - 0.01 * layer))
    mean = 0.1 * rng.lognormal(0, 0.2, shape) / (1 + (e / 350) ** 1.5) / layer
    std = 0.02 * rng.lognormal(0, 0.2, shape)
    accuracy = 0.5 + 0.49 * learnt[..., 0] * rng.uniform(0.97, 1.0, (n_seeds, 1))
    loss = 0.69 * (1.01 - learnt[..., 0]) * rng.lognormal(0, 0.2, (n_seeds, 1))
    per_seed, full = ("seed", "epoch"), ("seed", "epoch", "layer")
    bits = {"units": "bits"}
    divisors = np.arange(1, len(estimators) + 1)[:, None, None, None]
    return xr.Dataset(
        {
            "i_xt": (("estimator", *full), i_xt / divisors, bits),
            "i_ty": (("estimator", *full), i_ty / divisors, bits),
            "loss": (per_seed, loss),
            "train_accuracy": (per_seed, accuracy),
            "test_accuracy": (per_seed, 0.96 * accuracy),
            "weight_norm": (full, np.broadcast_to(1 + learnt, shape)),
            "gradient_mean": (full, mean),
            "gradient_std": (full, 3 * std),
            "minibatch_gradient_mean": (full, mean),
            "minibatch_gradient_std": (full, std),
        },
        coords={
            "estimator": list(estimators),
            "seed": np.arange(n_seeds),
            "epoch": epochs,
            "layer": layer,
            "update": ("epoch", 14 * epochs),
            "width": ("layer", list(WIDTHS)),
            "measures": ("estimator", ["I(X; bin(T))"] * len(estimators)),
        },
        attrs={"n_samples": N, "label_entropy": H_Y, "schema_version": 1},
    )


PLANE = synthetic_plane()
FRACTIONS = (0.03, 0.2, 0.85)
BETAS = np.linspace(0, 6, 13)
CURVE = xr.Dataset(
    {"complexity": ("beta", BETAS), "relevance": ("beta", np.minimum(BETAS, 1.0))},
    coords={"beta": BETAS},
)
TIMES = {1: [np.nan, np.inf, 12_000, 20_000], 2: [5000, 3000, np.nan, 4000], 3: [300, 200, 400]}
PHI = (1 + 5**0.5) / 2
CYCLIC = [np.roll([0, a, b * PHI], k) for a in (-1, 1) for b in (-1, 1) for k in range(3)]
VERTICES = np.array(CYCLIC)
PATTERNS = np.array([[1] * 5 + [0] * 7, [0] * 12])


@pytest.fixture(autouse=True)
def own_figures():
    """Figures in memory, in the book's style, closed again."""
    before = plt.get_backend()
    plt.switch_backend("Agg")
    with mpl.rc_context():
        plots.use_style()
        yield
        plt.close("all")
    plt.switch_backend(before)


def artist(ax, label):
    """The one artist of this label."""
    (found,) = [a for a in ax.get_children() if a.get_label() == label]
    return found


def end_names(ax):
    """Names written at the ends of the curves."""
    return [one.get_text() for one in ax.get_children() if isinstance(one, labels._Name)]


def legend_texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def final(name):
    """Median over seeds at the last epoch, (layer,)."""
    return np.median(PLANE[name].values[0, :, -1], axis=0)
