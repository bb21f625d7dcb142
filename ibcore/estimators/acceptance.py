"""Estimators on a channel whose information is known: bias, spread and time side by side."""

import time
from collections.abc import Callable

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike

from ibcore.estimators.base import whole_number
from ibcore.estimators.binning import Binning
from ibcore.estimators.inputs import real_floats
from ibcore.estimators.kernel import KernelBound
from ibcore.estimators.neighbours import mutual_information
from ibcore.estimators.propagation import SamplePropagation

LARGEST_RATIO = 1e12  # beyond, no sample tells one ratio from another


def gaussian_channel(
    ratios: ArrayLike, *, n_samples: int = 500, n_units: int = 2, n_draws: int = 10
) -> xr.Dataset:
    """What estimators say of I(X;T), T = X + Z, from samples of Gaussian X and Z.

    The truth is d/2 log2(1 + r) bits, r the variance of X over that of Z. Kernel bounds and sample
    propagation see the x and know the noise; nearest neighbours see pairs (x, t); bins see t, a
    quarter of the noise's standard deviation wide, and subtract the entropy of binned noise.

    Parameters
    ----------
    ratios : (ratio,) array
        Signal to noise, in variance.
    n_samples, n_units, n_draws : int

    Returns
    -------
    xarray.Dataset
        ``estimate`` (estimator, draw, ratio) in bits, ``truth`` (ratio) in bits, ``seconds``
        (estimator), the mean time of one estimate.
    """
    ratios = real_floats("ratios", ratios)
    if ratios.ndim != 1 or not len(ratios) or not ((ratios > 0) & (ratios <= LARGEST_RATIO)).all():
        raise ValueError(
            f"ratios must be a list of positive numbers up to {LARGEST_RATIO:g}, got {ratios}."
        )
    n_samples = whole_number("n_samples", n_samples, least=4)  # nearest neighbours ask for three
    n_units = whole_number("n_units", n_units, least=1)
    n_draws = whole_number("n_draws", n_draws, least=1)
    y = np.zeros(n_samples, np.int64)
    bins = Binning(width=0.25)
    estimators: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], float]] = {
        "upper kernel bound": lambda x, t, z: KernelBound(1.0)(x, y).i_xt,
        "lower kernel bound": lambda x, t, z: KernelBound(1.0, bound="lower")(x, y).i_xt,
        "sample propagation": lambda x, t, z: SamplePropagation(1.0)(x, y).i_xt,
        "nearest neighbours": lambda x, t, z: mutual_information(x, t),
        "bins of a quarter σ": lambda x, t, z: bins(t, y).i_xt - bins(z, y).i_xt,
    }
    found = np.empty((len(estimators), n_draws, len(ratios)))
    seconds = np.zeros(len(estimators))
    for draw in range(n_draws):
        rng = np.random.default_rng(draw)
        z, signal = rng.normal(size=(2, n_samples, n_units))
        for k, ratio in enumerate(ratios):
            x = np.sqrt(ratio) * signal
            for e, estimate in enumerate(estimators.values()):
                start = time.perf_counter()
                found[e, draw, k] = estimate(x, x + z, z)
                seconds[e] += time.perf_counter() - start
    return xr.Dataset(
        {
            "estimate": (("estimator", "draw", "ratio"), found, {"units": "bits"}),
            "truth": ("ratio", n_units / 2 * np.log2(1 + ratios), {"units": "bits"}),
            "seconds": ("estimator", seconds / (n_draws * len(ratios)), {"units": "s"}),
        },
        {"estimator": list(estimators), "ratio": ratios},
    )
