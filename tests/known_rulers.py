"""The rulers that every theorem runs over, layers to lay them on, and the table that knows better.

A new ruler is one line here: in EXACT if it counts symbols, in SMOOTH if it sums kernels or
integrates. What the tests need of it they ask the ruler: ``codes`` and ``limits`` of one that
counts, ``levels``, ``numbers`` and ``entries`` of any.
"""

from collections import Counter
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import strategies as st

from ibcore.estimators import (
    EDGE,
    AdaptiveBinning,
    BernoulliDropout,
    Binning,
    EdgeBinning,
    Exact,
    GaussianDropout,
    InfoNCE,
    KernelBound,
    LabelBound,
    LinearGaussian,
    MatrixRenyi,
    MirroredKernelBound,
    NetInputBinning,
    OnSomeRows,
    OnTrainingRows,
    QuantileBinning,
    Quantised,
    RangeBinning,
    Ruler,
    SamplePropagation,
    SlicedInformation,
    TwiceNoisedKernelBound,
    UnitRangeBinning,
    UsableInformation,
)
from ibcore.estimators.counting import CountingRuler

EXACT: list[CountingRuler] = [
    Binning(n_bins=30, low=-1.0, high=1.0),
    Binning(n_bins=7, low=-0.5, high=0.8),
    Binning(width=0.07),
    EdgeBinning(n_edges=30),
    AdaptiveBinning(n_bins=30),
    AdaptiveBinning(n_bins=5),
    AdaptiveBinning(n_bins=30, released=True),
    NetInputBinning(n_edges=30),
    NetInputBinning(n_edges=30, collapsed=True),
    Exact(),
    QuantileBinning(n_bins=4),
    QuantileBinning(n_bins=30),
    UnitRangeBinning(n_bins=30),
]


class Smooth(NamedTuple):
    """A ruler whose number is rounded or drawn, and the laws that it breaks by its definition."""

    ruler: Ruler
    within: float  # bits: of float32 kernels, or four standard errors of the integration
    breaks: tuple[str, ...] = ()


OF_ANOTHER_NOISE = ("another_unit",)  # a unit more may change the noise
MIRRORED = ("ceiling", "labels", "constant", "contraction", "another_unit", "repetition")
DRAWN_BY_ROW = ("constant", "order", "units", "contraction", "another_unit", "repetition")
SMOOTH: list[Smooth] = [
    Smooth(KernelBound(0.01), within=2e-5),
    Smooth(KernelBound(0.1, bound="lower"), within=2e-5),
    Smooth(KernelBound(0.01, scale="max_squared"), 2e-5, OF_ANOTHER_NOISE),
    Smooth(KernelBound(0.01, scale="rms_squared"), 2e-5, OF_ANOTHER_NOISE),
    Smooth(LabelBound(0.01, bound="upper"), 2e-5, ("labels",)),
    Smooth(LabelBound(0.1, bound="lower"), 2e-5, ("labels",)),
    Smooth(MirroredKernelBound(0.01), 2e-5, MIRRORED),
    Smooth(TwiceNoisedKernelBound(0.01), 2e-5, DRAWN_BY_ROW),
    Smooth(OnTrainingRows(KernelBound(0.01)), within=2e-5),
    Smooth(OnSomeRows(KernelBound(0.01), 10**6), within=2e-5),
    Smooth(SamplePropagation(0.3, n_pairs=200), within=0.1),
    Smooth(BernoulliDropout(0.5), within=1e-9),
    Smooth(BernoulliDropout(0.2, Binning(n_bins=30, low=-1.0, high=1.0)), within=1e-9),
    Smooth(GaussianDropout(0.1), within=1e-9),
    Smooth(GaussianDropout(0.1, bound="lower"), within=1e-9),
    Smooth(MatrixRenyi(), 1e-9, ("labels", *OF_ANOTHER_NOISE)),
    Smooth(MatrixRenyi(alpha=1.01), 1e-6, OF_ANOTHER_NOISE),
]
# These have tests of their own: they need a run, or a half of the samples to learn from.
NEED_A_RUN = ("EDGE", "LinearGaussian", "Quantised", "RangeBinning", "SlicedInformation")
LEARN = ("InfoNCE", "UsableInformation")

every_exact = pytest.mark.parametrize("ruler", EXACT, ids=repr)
every_smooth = pytest.mark.parametrize("smooth", SMOOTH, ids=lambda one: repr(one.ruler))
every_ruler = pytest.mark.parametrize("ruler", [*EXACT, *(one.ruler for one in SMOOTH)], ids=repr)
seeds = st.integers(0, 10**6)


# ------------------------------------------------------------------------- rulers of any settings

counts = st.integers(1, 10**6)
sizes = st.floats(1e-30, 1e30)
rates = st.floats(0.01, 0.99)
levels = sizes | st.lists(sizes, min_size=1, max_size=4).map(tuple)
bounds = st.sampled_from(["upper", "lower"])
scales = st.sampled_from([None, "max", "max_squared", "rms_squared"])
of_kernels = {"noise_variance": levels, "bound": bounds, "scale": scales}
# Settings of each class; a class that is not here fails the test below.
SETTINGS = {
    AdaptiveBinning: {"n_bins": counts, "released": st.booleans()},
    EDGE: {
        "release": st.sampled_from(["4.2.0", "4.4.1"]),
        "cap": sizes,
        "seed": st.integers(0, 2**32 - 1),
    },
    BernoulliDropout: {
        "rate": rates,
        "ruler": st.sampled_from([Exact(), EdgeBinning(), Binning(), Binning(width=0.07)]),
        "n_masks": st.none() | counts,
        "seed": st.integers(0, 2**63),
    },
    EdgeBinning: {"n_edges": counts.map(lambda n: n + 1)},
    Exact: {},
    GaussianDropout: {"noise_variance": sizes, "bound": bounds},
    InfoNCE: {
        "noise_variance": sizes,
        "n_steps": counts,
        "batch_size": st.integers(2, 2**14),
        "width": st.integers(1, 2**14),
        "seed": st.integers(0, 2**63 - 1),
    },
    KernelBound: of_kernels,
    LabelBound: of_kernels,
    LinearGaussian: {
        "noise_variance": sizes,
        "inputs": st.sampled_from(["all", "relevant", "irrelevant"]),
    },
    MatrixRenyi: {"alpha": sizes.filter(lambda one: one != 1), "width": sizes},
    MirroredKernelBound: of_kernels,
    NetInputBinning: {
        "n_edges": counts.map(lambda n: n + 1),
        "limit": sizes,
        "collapsed": st.booleans(),
    },
    Quantised: {"n_bits": st.integers(1, 24)},
    QuantileBinning: {"n_bins": counts},
    RangeBinning: {"n_bins": counts},
    SamplePropagation: {
        "noise_std": sizes,
        "n_pairs": counts.map(lambda n: n + 1),
        "seed": st.integers(0, 2**63),
        "n_replicas": st.none() | counts,
        "n_inputs": st.none() | counts.map(lambda n: n + 1),
    },
    SlicedInformation: {"n_slices": counts, "k": counts, "seed": st.integers(0, 2**63)},
    TwiceNoisedKernelBound: of_kernels,
    UnitRangeBinning: {"n_bins": counts},
    UsableInformation: {
        "probe": st.sampled_from(["linear", "mlp"]),
        "penalty": sizes,
        "seed": st.integers(0, 2**32 - 1),
    },
}
built = [st.builds(kind, **settings_) for kind, settings_ in SETTINGS.items()]
built += [
    st.builds(lambda n, low, span: Binning(n, low, low + span), st.integers(1, 1000),
              st.floats(-100, 100), st.floats(0.1, 100)),
    st.builds(lambda width: Binning(width=width), st.floats(1e-30, 1e30)),
]  # fmt: skip
rulers = st.one_of(built)
of_rows = rulers.filter(lambda one: one.row_per_sample)
rulers |= of_rows.map(OnTrainingRows) | st.builds(OnSomeRows, of_rows, counts.map(lambda n: n + 1))

# ---------------------------------------------------------------------------------------- layers


def layer(seed, n_classes=None, limits=(-np.inf, np.inf), most=200):
    """A layer with duplicates, dead units, saturation, exact edges, -0.0 and values outside."""
    rng = np.random.default_rng(seed)
    n, d = rng.integers(2, most), rng.integers(1, 14)
    t = np.tanh(rng.normal(size=(n, d)) * rng.choice([0.01, 1, 30]))
    t = np.where(rng.random((n, d)) < 0.1, rng.choice([-1, -0.0, 0.0, 1, 0.5, 2.5, -3], (n, d)), t)
    t[:, rng.random(d) < 0.2] = 0.25
    t = t[rng.integers(0, n, n)] if rng.random() < 0.5 else t
    y = rng.integers(0, n_classes or rng.integers(1, 11), n)
    return np.clip(t, *limits).astype(np.float32), y


def small_layer(seed):
    """The same for rulers that look at all pairs; never dead, so that noise may follow it."""
    t, y = layer(seed, n_classes=3, most=30)
    t[0] = 1.0
    return t, y


def tanh_layer(seed, n=200, d=4, n_classes=3):
    """A tanh layer with duplicates, a dead unit and unequal classes."""
    rng = np.random.default_rng(seed)
    t = np.tanh(2 * rng.normal(size=(n, d))).astype(np.float32)
    t[: n // 5] = t[0]
    t[:, 0] = 0.25
    return t, rng.choice(
        n_classes, n, p=np.arange(1, n_classes + 1) / np.arange(1, n_classes + 1).sum()
    )


def rows(codes):
    """Symbols: rows of codes as tuples."""
    return [tuple(row) for row in np.asarray(codes).tolist()]


def plain_information(symbols, p_y):
    """The textbook sum over the full table of (symbol, class), from Python dictionaries."""
    n = len(symbols)
    p_t = {symbol: count / n for symbol, count in Counter(symbols).items()}
    joint = Counter()
    for symbol, row in zip(symbols, p_y, strict=True):
        for label, p in enumerate(row):
            joint[symbol, label] += p / n
    p_label = np.mean(p_y, axis=0)
    i_ty = sum(p * np.log2(p / (p_t[s] * p_label[c])) for (s, c), p in joint.items() if p > 0)
    return -sum(p * np.log2(p) for p in p_t.values()), i_ty
