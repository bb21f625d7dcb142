"""Figures of training and of single numbers, and what every figure refuses."""

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from plots_support import (
    PATTERNS,
    PLANE,
    TIMES,
    VERTICES,
    artist,
    end_names,
    legend_texts,
    own_figures,
)

from ibcore import plots
from ibcore.papers import paper_module

SZT = paper_module("shwartz_ziv", "figures")

__all__ = ["own_figures"]  # a fixture for every test here

# --- during training ----------------------------------------------------------------------------


def test_learning_curves_show_train_and_test():
    ax = plots.learning_curves(PLANE)
    for label, name in (("training", "train_accuracy"), ("test", "test_accuracy")):
        expected = np.median(PLANE[name].values, axis=0)
        np.testing.assert_allclose(artist(ax, label).get_ydata(), expected)
    ax = plots.learning_curves(PLANE, quantity="loss")
    assert ax.get_ylabel() == "cross-entropy [nats]"
    assert end_names(ax) == ["training"]


@pytest.mark.parametrize(("statistics", "prefix"), [("minibatch", "minibatch_"), ("sample", "")])
def test_gradients_are_divided_by_the_weights(statistics, prefix):
    axes = plots.gradient_phases(PLANE, statistics=statistics, layers=(2, 5))
    assert [ax.get_title() for ax in axes] == ["layer 2 (7)", "layer 5 (3)"]
    ratio = PLANE[f"{prefix}gradient_std"] / PLANE.weight_norm
    shown = artist(axes[1], "standard deviation").get_ydata()
    np.testing.assert_allclose(shown, np.median(ratio.sel(layer=5), axis=0))
    assert axes[0].get_yscale() == "log"
    assert axes[0].get_ylabel() == "‖gradient‖ / ‖W‖"
    raw = plots.gradient_phases(PLANE.drop_vars("weight_norm"), normalised=False)
    assert raw[0].get_ylabel() == "‖gradient‖"


def test_snr_is_the_ratio_and_marks_the_times_it_is_given():
    plane = PLANE.assign(minibatch_gradient_std=2 * PLANE.minibatch_gradient_mean)
    axes = plots.snr(plane, layers=[4, 5], marks={"change": {5: 400}})
    np.testing.assert_allclose(artist(axes[1], "layer 5").get_ydata(), 0.5)
    assert artist(axes[1], "_change").get_xdata() == [400, 400]
    assert not [a for a in axes[0].get_children() if a.get_label() == "_change"]
    assert [one.get_text() for one in axes[0].figure.legends[0].get_texts()] == ["change"]
    with pytest.raises(ValueError, match=r"layers must be some of \[4\], got \[5\]"):
        plots.snr(plane, layers=[4], marks={"change": {5: 400}})


def test_networks_without_gradient_noise_leave_gaps_in_the_snr():
    plane = PLANE.copy(deep=True)
    plane.minibatch_gradient_std[:, 0] = 0.0
    shown = artist(plots.snr(plane)[0], "layer 1").get_ydata()
    assert np.isnan(shown[0])
    assert np.isfinite(shown[1:]).all()


# --- one number per network ---------------------------------------------------------------------


def test_censored_times_stand_on_the_limit_and_are_counted():
    ax = plots.depth_times(TIMES, limit=10_000, level="I(T; Y) ≥ 0.9 bits")
    assert len(artist(ax, "_depth 1").get_offsets()) == 0
    late = artist(ax, "_depth 2, not reached").get_offsets()
    assert late[:, 1].tolist() == [10_000]
    assert {text.get_text() for text in ax.texts} == {
        "4 of 4\nnot reached",
        "1 of 4\nnot reached",
    }
    assert ax.get_ylabel() == "epochs until I(T; Y) ≥ 0.9 bits"
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "2", "3"]


def test_censored_times_count_as_later_than_all_others():
    """Median of 3000, 4000, 5000 and one not reached: 4000. Of none reached: no median."""
    ax = plots.depth_times(TIMES, limit=10_000)
    medians = [
        segment[0]
        for c in ax.collections
        if isinstance(c, LineCollection)
        for segment in c.get_segments()
        if segment[0][1] == segment[1][1]
    ]
    assert [height for _, height in medians] == [4000, 300]


def test_by_layer_draws_every_network_the_median_and_its_interval():
    """The 95 % interval of a median of n values reaches 0.98 √n ranks to each side."""
    values = np.arange(401.0)[:, None] * [1, 2]
    ax = plots.by_layer({"tanh": values}, label="C [bits]", threshold=150)
    assert len(artist(ax, "_tanh, layer 2").get_offsets()) == 401
    assert artist(ax, "_median tanh 2").get_ydata() == pytest.approx([400])
    interval = next(c for c in ax.collections if isinstance(c, LineCollection))
    low, high = interval.get_segments()[0][:, 1]
    assert (low, high) == pytest.approx((200 - 0.98 * 20, 200 + 0.98 * 20), rel=0.01)
    assert legend_texts(ax) == ["threshold 150"]


def test_by_layer_draws_given_intervals_and_several_groups():
    groups = {"tanh": np.ones((5, 2)), "ReLU": np.full((5, 1), np.nan)}
    intervals = {"tanh": [[0.5, 1.5], [0.2, 3.0]], "ReLU": [[0, 1]]}
    ax = plots.compression_by_layer(groups, layers=(4, 5), intervals=intervals)
    lines = [c.get_segments()[0][:, 1] for c in ax.collections if isinstance(c, LineCollection)]
    np.testing.assert_allclose(lines, intervals["tanh"])
    assert legend_texts(ax) == ["tanh", "ReLU"]
    assert [text.get_text() for text in ax.get_xticklabels()] == ["4", "5"]
    assert ax.get_ylabel() == "compression C [bits]"


def test_a_relation_is_coloured_by_number_or_by_name():
    labels = ("C [bits]", "test accuracy", "train set [%]")
    ax = plots.scatter_relation([1, 2, 3], [0.9, 0.8, 0.7], colour=[3, 45, 85], labels=labels)
    np.testing.assert_array_equal(ax.collections[0].get_array(), [3, 45, 85])
    assert ax.figure.axes[-1].get_ylabel() == "train set [%]"
    ax = plots.scatter_relation([1, 2, 3], [4, 5, 6], colour=["b", "a", "b"], labels=labels)
    assert legend_texts(ax) == ["b", "a"]
    np.testing.assert_array_equal(artist(ax, "b").get_offsets(), [[1, 4], [3, 6]])


# --- the task and the ruler ---------------------------------------------------------------------


def test_icosahedron_has_30_edges_and_fills_the_ones():
    axes = SZT.icosahedron(VERTICES, PATTERNS, labels=[1, 0])
    assert len(axes[0].lines) == 30
    assert len(artist(axes[0], "x = 1").get_offsets()) == 5
    assert len(artist(axes[1], "x = 0").get_offsets()) == 12
    assert [ax.get_title() for ax in axes] == ["5 ones, y = 1", "0 ones, y = 0"]
    soft = SZT.icosahedron(VERTICES, PATTERNS, labels=[0.25, 0.5])
    assert soft[0].get_title() == "5 ones\nP(y=1|x) = 0.25"


def test_popcount_bars_of_a_rule_on_all_patterns():
    """y = 1 from two ones of three up: shares 0, 0, 1, 1 of the binomial counts 1, 3, 3, 1."""
    x = np.array([[a, b, c] for a in (0, 1) for b in (0, 1) for c in (0, 1)])
    ax = SZT.popcount_bars(x, x.sum(axis=1) >= 2)
    heights = [bar.get_height() for bar in ax.containers[1]]
    assert heights == [0, 0, 1, 1]
    assert [text.get_text() for text in ax.texts] == ["0\n/1", "0\n/3", "3\n/3", "1\n/1"]


def test_ruler_stripes_are_the_preimages_of_the_bins():
    """Under tanh the inner edges b lie at artanh(b)."""
    edges = np.linspace(-1, 1, 31)
    ax = SZT.ruler(edges)
    starts = np.array([patch.get_x() for patch in ax.patches])
    assert len(starts) == 30
    np.testing.assert_allclose(starts[1:], np.arctanh(edges[1:-1]), atol=0.004)
    assert ax.get_ylabel() == "tanh(u), 30 bins"
    assert "1.68" in ax.texts[0].get_text()


# --- refusals -----------------------------------------------------------------------------------


def test_falls_shows_every_network_and_a_median_that_counts_the_missing_as_slowest():
    updates = np.array([[10.0, 20.0, 30.0], [40.0, np.nan, np.nan]])
    ax = plots.falls([0.5, 1.0], updates)
    *networks, middle = ax.get_lines()
    np.testing.assert_array_equal([line.get_ydata() for line in networks], updates.T)
    np.testing.assert_array_equal(middle.get_ydata(), [20.0, np.nan])
    assert "bits" in ax.get_xlabel()


REFUSALS = {
    r"an \(amount, seed\) array for 2 amounts, got shape \(3, 2\)": lambda: plots.falls(
        [0.5, 1.0], np.ones((3, 2))
    ),
    r"expected a variable 'i_ty', got \['gradient_mean'": lambda: plots.information_plane(
        PLANE.drop_vars("i_ty")
    ),
    r"i_xt must have dims \('seed', 'epoch', 'layer'\), got": lambda: plots.information_over_time(
        PLANE.isel(seed=0)
    ),
    r"layers must be some of \[1, 2, 3, 4, 5, 6\], got \[7\]": lambda: plots.information_plane(
        PLANE, layers=[7]
    ),
    "seeds must be 'median' or a number of networks": lambda: plots.information_plane(
        PLANE, seeds="all"
    ),
    r"epochs \[399\] were not measured; the nearest measured are \[400\]": lambda: plots.snapshots(
        PLANE, epochs=[0, 399]
    ),
    "quantity must be one of .*'i_xt', 'i_ty'": lambda: plots.information_over_time(
        PLANE, quantity="i_tx"
    ),
    "time must be one of .*got 'step'": lambda: plots.information_over_time(PLANE, time="step"),
    "no coordinate 'update'": lambda: plots.learning_curves(
        PLANE.drop_vars("update"), time="update"
    ),
    "planes must name at least one": lambda: plots.compare_planes({}),
    "expected a variable 'weight_norm'.*measure it": lambda: plots.gradient_phases(
        PLANE.drop_vars("weight_norm")
    ),
    "only NaN or 0, as with one batch per epoch; use statistics='sample'": lambda: plots.snr(
        PLANE.assign(minibatch_gradient_std=PLANE.minibatch_gradient_std * np.nan)
    ),
    "statistics must be one of": lambda: plots.snr(PLANE, statistics="batch"),
    "expected a variable 'complexity'": lambda: plots.ib_curve(PLANE),
    "sizes need at least one": lambda: plots.sizes({}),
    "times must hold at least one depth": lambda: plots.depth_times({}, limit=1),
    r"times\[2\] must hold one time per network": lambda: plots.depth_times({2: []}, limit=1),
    "values must hold at least one group": lambda: plots.phase_share({}),
    r"values\['a'\] must be \(seed, layer\), got shape \(3,\)": lambda: plots.phase_share(
        {"a": np.ones(3)}
    ),
    r"layers must number 2 columns, got \[5\]": lambda: plots.phase_share(
        {"a": np.ones((3, 2))}, layers=[5]
    ),
    r"one entry per network, got \[2, 3\]": lambda: plots.scatter_relation(
        [1, 2], [1, 2, 3], labels=("x", "y")
    ),
    "labels must name 3 quantities": lambda: plots.scatter_relation(
        [1, 2], [1, 2], colour=[1, 2], labels=("x", "y")
    ),
    r"vertices must be a \(12, 3\) array": lambda: SZT.icosahedron(VERTICES.T, PATTERNS),
    r"patterns must be a \(pattern, 12\) array of 0 and 1": lambda: SZT.icosahedron(
        VERTICES, 2 * PATTERNS
    ),
    "labels must have one entry per pattern, 2": lambda: SZT.icosahedron(
        VERTICES, PATTERNS, labels=[1]
    ),
    r"x must be \(sample, feature\) and y \(sample,\)": lambda: SZT.popcount_bars(PATTERNS, [1]),
    "x must hold only 0 and 1": lambda: SZT.popcount_bars(3 * PATTERNS, [1, 0]),
    "edges must be at least 2 increasing numbers": lambda: SZT.ruler([1, 0]),
}


@pytest.mark.parametrize("message", REFUSALS)
def test_refuses_and_says_what_to_do(message):
    with pytest.raises(ValueError, match=message):
        REFUSALS[message]()
