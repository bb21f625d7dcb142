"""The figures show the numbers they were given: tested on the data in the artists."""

import io
from itertools import combinations, pairwise

import numpy as np
import pytest
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.colors import same_color, to_rgb
from plots_support import (
    BINNING,
    CURVE,
    FRACTIONS,
    H_Y,
    PATTERNS,
    PLANE,
    TIMES,
    VERTICES,
    artist,
    final,
    legend_texts,
    own_figures,
    synthetic_plane,
)

from ibcore import plots
from ibcore.papers import paper_module
from ibcore.plots import labels, planes, style

GOLDFELD = paper_module("goldfeld", "figures")
SZT = paper_module("shwartz_ziv", "figures")

__all__ = ["own_figures"]  # a fixture for every test here

# Every function as called in a chapter; the number of panels it draws on.
ONE_PANEL = {
    "falls": lambda ax: plots.falls([0.5, 1.0], [[10, 20], [40, np.nan]], ax=ax),
    "information_plane": lambda ax: plots.information_plane(PLANE, ax=ax),
    "information_over_time": lambda ax: plots.information_over_time(PLANE, ax=ax),
    "sizes": lambda ax: plots.sizes(dict.fromkeys(FRACTIONS, PLANE), ax=ax),
    "ib_curve": lambda ax: plots.ib_curve(CURVE, PLANE, ax=ax),
    "learning_curves": lambda ax: plots.learning_curves(PLANE, ax=ax),
    "dots": lambda ax: plots.dots({"a": np.ones(3)}, label="C [bits]", ax=ax),
    "depth_times": lambda ax: plots.depth_times(TIMES, limit=10_000, ax=ax),
    "by_layer": lambda ax: plots.by_layer({"a": np.ones((3, 2))}, label="share", ax=ax),
    "compression_by_layer": lambda ax: plots.compression_by_layer({"a": np.eye(2)}, ax=ax),
    "phase_share": lambda ax: plots.phase_share({"a": np.eye(2)}, ax=ax),
    "scatter_relation": lambda ax: plots.scatter_relation([1], [2], labels=("C", "share"), ax=ax),
    "popcount_bars": lambda ax: SZT.popcount_bars(PATTERNS, [1, 0], ax=ax),
    "ruler": lambda ax: SZT.ruler(np.linspace(-1, 1, 31), ax=ax),
    "histogram": lambda ax: plots.histogram({"a": [0, 1]}, edges=[0, 1], xlabel="t", ax=ax),
    "lines": lambda ax: plots.lines([1, 2], {"a": np.eye(2)}, xlabel="c", ylabel="bits", ax=ax),
}
FALLS = xr.DataArray(
    np.eye(3)[:, None] * np.ones((1, 4, 1)),
    dims=("estimator", "seed", "layer"),
    coords={"layer": [1, 2, 3]},
)
KNOWING = PLANE.assign({name: PLANE.i_xt[0] for name in plots.PARTS})
CLOUD = np.array([[-1.0, 0.5, 1.0], [0.25, 0.0, -0.5], [0.0, 0.0, 0.0]])
MANY_PANELS = {
    "verdict_map": (
        2,
        lambda axes: plots.verdict_map({"a": FALLS, "b": FALLS}, ["x", "y", "z"], axes=axes),
    ),
    "known_parts": (6, lambda axes: plots.known_parts(KNOWING, axes=axes)),
    "clouds": (2, lambda axes: GOLDFELD.clouds({"a": CLOUD, "b": -CLOUD}, [0, 1, 1], axes=axes)),
    "snapshots": (3, lambda axes: plots.snapshots(PLANE, axes=axes)),
    "compare_planes": (2, lambda axes: plots.compare_planes({"a": PLANE, "b": PLANE}, axes=axes)),
    "overview": (2, lambda axes: plots.overview(PLANE, axes=axes)),
    "layers_over_time": (6, lambda axes: plots.layers_over_time({"a": PLANE}, axes=axes)),
    "snr": (6, lambda axes: plots.snr(PLANE, axes=axes)),
    "gradient_phases": (6, lambda axes: plots.gradient_phases(PLANE, axes=axes)),
    "icosahedron": (2, lambda axes: SZT.icosahedron(VERTICES, PATTERNS, axes=axes)),
}


# --- what holds for every function --------------------------------------------------------------


def test_every_public_function_is_drawn_below():
    others = {
        "use_style",
        "look",
        "layer_look",
        "activation_label",
        "ruler_label",
        "PARTS",
        "RulerSlider",
    }
    of_papers = {"icosahedron", "popcount_bars", "ruler", "clouds"}
    drawing = set(plots.__all__) - others
    assert drawing == (set(ONE_PANEL) | set(MANY_PANELS)) - of_papers


@pytest.mark.parametrize("name", ONE_PANEL)
def test_draws_on_the_given_axes_and_returns_them(name):
    _, ax = plt.subplots()
    assert ONE_PANEL[name](ax) is ax
    assert len(plt.get_fignums()) == 1
    assert ax.get_xlabel()
    assert ax.get_ylabel() or ax.get_yticklabels()[0].get_text()


@pytest.mark.parametrize("name", MANY_PANELS)
def test_draws_on_the_given_panels_and_refuses_another_number(name):
    count, draw = MANY_PANELS[name]
    _, axes = plt.subplots(1, count)
    assert list(draw(axes)) == list(axes)
    assert len(plt.get_fignums()) == 1
    with pytest.raises(ValueError, match=f"axes must hold {count} panels, got 1"):
        draw(axes[:1])


@pytest.mark.parametrize("name", [*ONE_PANEL, *MANY_PANELS])
def test_makes_its_own_figure_transparent_and_the_same_each_time(name):
    """Two drawings of one figure are one file, so that stored outputs change only with data."""
    files = []
    for _ in range(2):
        draw = ONE_PANEL[name] if name in ONE_PANEL else MANY_PANELS[name][1]
        figure = np.ravel(draw(None))[0].figure
        assert figure.get_facecolor()[3] == 0
        file = io.BytesIO()
        figure.savefig(file, format="svg", metadata={"Date": None})
        files.append(file.getvalue())
    assert files[0] == files[1]
    assert len(files[0]) < 1_000_000


def luminance(colour):
    """Relative luminance as the accessibility guidelines define it."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(a, b):
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("page", ["#ffffff", "#121212"])
def test_colours_show_on_light_and_dark_pages(page):
    assert contrast(style.GREY, page) > 4
    assert min(contrast(colour, page) for colour in style.COLOURS) > 2.4


def test_any_of_colour_marker_and_dashes_tells_layers_apart():
    for a, b in combinations([plots.layer_look(layer) for layer in range(1, 9)], 2):
        assert a.colour != b.colour
        assert a.marker != b.marker
        assert a.dashes != b.dashes
    assert plots.layer_look(1) == plots.look(0)


def test_shades_grow_steadily_lighter():
    """Monotone lightness: the order survives a greyscale print."""
    light = [luminance(style.shades()(v)) for v in np.linspace(0, 1, 30)]
    assert (np.diff(light) > 0).all()


# --- the plane ----------------------------------------------------------------------------------


def test_information_plane_runs_through_the_medians():
    ax = plots.information_plane(PLANE)
    x, y = (np.median(PLANE[name].values[0], axis=0) for name in ("i_xt", "i_ty"))
    for k in range(6):
        path = artist(ax, f"layer {k + 1}")
        np.testing.assert_allclose(path.get_xydata(), np.column_stack([x[:, k], y[:, k]]))
        assert same_color(path.get_color(), plots.layer_look(k + 1).colour)


def test_a_path_has_a_ring_where_it_starts_and_a_disc_where_it_ends():
    ax = plots.information_plane(PLANE, layers=[4])
    ring, dots, disc = (a for a in ax.lines if a.get_label() == "_marks of layer 4")
    path = artist(ax, "layer 4").get_xydata()
    np.testing.assert_allclose(ring.get_xydata(), path[:1])
    assert ring.get_markerfacecolor() == "none"
    np.testing.assert_allclose(disc.get_xydata(), path[-1:])
    assert same_color(disc.get_markerfacecolor(), plots.layer_look(4).colour)
    at = [int(np.flatnonzero((path == one).all(axis=1))[0]) for one in dots.get_xydata()]
    assert at == planes.decades_among(PLANE.epoch.values)
    said = [text.get_text() for text in ax.figure.legends[0].get_texts()]
    assert said[0] == "before training"
    assert said[-1] == "epoch 10k"


def test_information_plane_says_what_is_measured_in_which_unit():
    ax = plots.information_plane(PLANE)
    assert ax.get_xlabel() == "I(X; bin(T)) [bits]"
    assert ax.get_ylabel() == "I(bin(T); Y) [bits]"
    written = {text.get_text() for text in ax.texts}
    assert written >= {"log₂ 4096 = 12 bits", "H(Y) = 0.999 bits"}
    numbers = ", ".join(sorted(written - {"log₂ 4096 = 12 bits", "H(Y) = 0.999 bits"}))
    assert numbers == "1, 2, 3, 4, 5, 6"
    places = [np.ravel(line.get_data()) for line in ax.lines if line.get_label() == "_ceiling"]
    assert 12.0 in places[0]
    assert H_Y in places[1]


def test_single_networks_are_thin_lines_beside_the_median():
    ax = plots.information_plane(PLANE, seeds=2, layers=(4, 5))
    thin = [line for line in ax.lines if line.get_linewidth() < 1]
    assert len(thin) == 4
    np.testing.assert_array_equal(thin[1].get_xdata(), PLANE.i_xt.values[0, 1, :, 3])
    assert same_color(thin[-1].get_color(), plots.layer_look(5).colour)


def test_an_estimate_beyond_its_bound_is_in_view():
    """Differences of kernel bounds can be negative or pass H(Y); a figure must not hide it."""
    beyond = PLANE.copy(deep=True)
    beyond.i_ty[0, 0, 0, 0], beyond.i_ty[0, 0, -1, 0] = -0.3, 1.4
    beyond.i_xt[0, 0, -1, 0] = 14.0
    for ax in (
        plots.snapshots(beyond, epochs=(0, 10_000))[0],
        plots.information_over_time(beyond, quantity="i_ty"),
    ):
        low, high = ax.get_ylim()
        assert low <= -0.3
        assert high >= 1.4
    assert plots.snapshots(beyond)[0].get_xlim()[1] >= 14


def test_labels_call_the_difference_of_two_bounds_an_estimate():
    bound = PLANE.assign_coords(measures=("estimator", ["upper bound on I(X; T+Z)"]))
    ax = plots.information_plane(bound)
    assert ax.get_xlabel() == "upper bound on I(X; T+Z) [bits]"
    assert ax.get_ylabel() == "estimate of I(T+Z; Y) [bits]"


def test_the_estimator_is_chosen_by_name():
    two = synthetic_plane(estimators=(BINNING, "Exact()"))
    with pytest.raises(ValueError, match=r"holds 2 estimators, choose one of .*Exact\(\)"):
        plots.information_over_time(two)
    with pytest.raises(ValueError, match="no estimator 'exact' in the plane, choose one of"):
        plots.information_over_time(two, estimator="exact")
    ax = plots.information_over_time(two, estimator="Exact()")
    shown = artist(ax, "layer 1").get_ydata()
    np.testing.assert_allclose(shown, np.median(PLANE.i_xt.values[0, :, :, 0], axis=0) / 2)


def test_snapshots_show_every_network_at_its_epoch():
    axes = plots.snapshots(PLANE)
    assert [ax.get_title() for ax in axes] == ["epoch 0", "epoch 400", "epoch 9\u2009000"]
    at = PLANE.sel(epoch=400).isel(estimator=0)
    shown = artist(axes[1], "layer 5").get_offsets()
    expected = np.column_stack([at.i_xt.sel(layer=5), at.i_ty.sel(layer=5)])
    np.testing.assert_allclose(shown, expected)
    assert axes[0].get_xlim() == axes[2].get_xlim()
    assert len(axes[0].figure.legends[0].get_texts()) == 6


def test_bands_are_quantiles_over_the_seeds():
    """With seeds 0..100 at every time the quantiles are 5, 25, 50, 75, 95 themselves."""
    plane = synthetic_plane(n_seeds=101)
    plane["i_xt"] = xr.zeros_like(plane.i_xt) + np.arange(101)[None, :, None, None] / 10
    ax = plots.information_over_time(plane, layers=[3])
    (band,) = (c.get_paths()[0].get_extents() for c in ax.collections)
    assert (band.y0, band.y1) == pytest.approx((2.5, 7.5))
    np.testing.assert_allclose(artist(ax, "layer 3").get_ydata(), 5.0)
    _, ax = plt.subplots()
    style.band(
        ax, [1, 2], np.tile(np.arange(101.0), (2, 1)).T, style.look(0), label="a", tails=True
    )
    tails = [line.get_ydata()[0] for line in ax.lines if line.get_label() == "_a, tail"]
    assert tails == [5, 95]


def test_curves_are_named_at_their_ends_clear_of_each_other():
    ax = plots.information_over_time(PLANE)
    ax.figure.canvas.draw()
    names = [one for one in ax.get_children() if isinstance(one, labels._Name)]
    assert [one.get_text() for one in names] == [
        "layers 1, 2",
        *(f"layer {k}" for k in range(3, 7)),
    ]
    boxes = sorted(one.get_window_extent().extents.tolist() for one in names)
    heights = sorted((box[1], box[3]) for box in boxes)
    assert all(low[1] <= high[0] + 3 for low, high in pairwise(heights))
    assert min(box[0] for box in boxes) > ax.bbox.x1


def test_a_panel_per_layer_has_a_curve_per_plane():
    half = PLANE.assign(i_xt=PLANE.i_xt / 2)
    axes = plots.layers_over_time({"whole": PLANE, "half": half}, layers=[4, 5])
    assert [ax.get_title() for ax in axes] == ["layer 4 (4)", "layer 5 (3)"]
    middle = np.median(PLANE.i_xt.values[0, :, :, 4], axis=0)
    np.testing.assert_allclose(artist(axes[1], "whole").get_ydata(), middle)
    np.testing.assert_allclose(artist(axes[1], "half").get_ydata(), middle / 2)
    assert [one.get_text() for one in axes[0].figure.legends[0].get_texts()] == ["whole", "half"]


@pytest.mark.parametrize(
    ("time", "label", "last"), [("epoch", "epoch", 10_000), ("update", "optimiser update", 140_000)]
)
def test_time_is_logarithmic_and_holds_the_network_before_training(time, label, last):
    ax = plots.information_over_time(PLANE, time=time, quantity="i_ty")
    assert ax.get_xscale() == "symlog"
    assert ax.get_xlim()[0] == 0
    assert ax.get_xlabel() == label
    x = artist(ax, "layer 1").get_xdata()
    assert (x[0], x[-1]) == (0, last)
    ax.figure.canvas.draw()
    ticks = [text.get_text() for text in ax.get_xticklabels()]
    assert ticks[0] == "0"
    assert "1k" in ticks


def test_compared_planes_share_axes_and_one_legend():
    short = PLANE.sel(epoch=slice(0, 9000)).isel(layer=slice(3))
    axes = plots.compare_planes({"short": short, "long": PLANE})
    assert [ax.get_title() for ax in axes] == ["short", "long"]
    assert axes[0].get_ylim() == axes[1].get_ylim()
    assert len(axes[0].figure.legends) == 1
    over_time = plots.compare_planes({"long": PLANE, "short": short}, quantity="i_xt")
    assert over_time[0].get_xlim()[1] >= 10_000
    assert over_time[0].get_xlim() == over_time[1].get_xlim()


def test_a_grid_of_four_is_labelled_on_its_outer_panels():
    axes = plots.compare_planes(dict.fromkeys("abcd", PLANE), quantity="i_ty")
    assert [bool(ax.get_ylabel()) for ax in axes] == [True, False, True, False]
    assert [bool(ax.get_xlabel()) for ax in axes] == [False, False, True, True]


def test_overview_is_the_plane_and_its_time_course():
    left, right = plots.overview(PLANE)
    assert left.get_ylabel() == "I(bin(T); Y) [bits]"
    assert right.get_xlabel() == "epoch"


# --- where layers end ---------------------------------------------------------------------------


def test_sizes_joins_the_final_medians_in_order_of_size():
    """Planes scaled by a known factor end at known places, whatever order they come in."""
    planes = {0.85: PLANE, 0.03: PLANE.assign(i_xt=PLANE.i_xt * 0.5), 0.2: PLANE}
    ax = plots.sizes(planes)
    end = final("i_xt")[3]
    path = artist(ax, "layer 4").get_xydata()
    np.testing.assert_allclose(path[:, 0], [0.5 * end, end, end])
    ring, _, disc = (a for a in ax.lines if a.get_label() == "_marks of layer 4")
    np.testing.assert_allclose(ring.get_xydata(), path[:1])
    np.testing.assert_allclose(disc.get_xydata(), path[-1:])
    said = [text.get_text() for text in ax.figure.legends[0].get_texts()]
    assert said[::2] == ["3 % of the inputs", "85 % of the inputs"]


def test_sizes_reads_one_dataset_too():
    ends = PLANE[["i_xt", "i_ty"]].isel(epoch=-1, drop=True)
    curve = ends.expand_dims(train_fraction=list(FRACTIONS))
    offsets = [
        artist(plots.sizes(data), "layer 6").get_xydata()
        for data in (curve, dict.fromkeys(FRACTIONS, PLANE))
    ]
    np.testing.assert_allclose(*offsets)


def test_the_gap_reaches_from_the_layer_to_the_exact_curve():
    """Deterministic labels: the curve is min(I(X;T), H(Y)), so the gap is 1 - I(T;Y) beyond."""
    ax = plots.ib_curve(CURVE, PLANE)
    for k in range(6):
        (segment,) = artist(ax, f"_gap of layer {k + 1}").get_segments()
        x, y = final("i_xt")[k], final("i_ty")[k]
        np.testing.assert_allclose(segment, [[x, y], [x, 1.0]])
    assert legend_texts(ax)[-1] == f"6 (2): {1 - final('i_ty')[5]:.3f}"
    curve = artist(ax, "exact curve")
    assert curve.get_xdata().max() >= PLANE.i_xt.values[0, :, -1].max()
    assert tuple(curve.get_xydata()[0]) == (0, 0)


def test_the_ib_curve_stands_alone():
    ax = plots.ib_curve(CURVE)
    assert ax.get_xlabel() == "I(X; T) [bits]"
    assert legend_texts(ax) == ["exact curve"]


def test_numbers_of_paths_lie_clear_of_axes_bounds_and_what_is_written():
    ax = style.one_axes(None)
    ax.set(xlim=(0, 12.5), ylim=(0, 1.1))
    style.ceiling(ax, 1.0, "H(Y) = 1 bit")
    paths = {
        1: np.array([[6.0, 0.01], [7.0, 0.5], [0.8, 0.99]]),
        2: np.array([[11.0, 0.5], [9.0, 0.6], [2.5, 0.99]]),
    }
    labels.number_paths(ax, paths)
    ax.figure.canvas.draw()
    said, *numbers = [text.get_window_extent() for text in ax.texts]
    for number in numbers:
        assert not number.overlaps(said)
        assert number.y0 > ax.bbox.y0
        assert number.x0 > ax.bbox.x0
        line = float(ax.transData.transform((0, 1.0))[1])
        assert not number.y0 + 2 < line < number.y1 - 2
    plt.close(ax.figure)


def test_names_at_the_ends_of_lines_stand_beside_the_panel():
    ax = plots.lines([1, 10, 100], {"a": [3, 2, 1], "b": [1, 2, 3]}, xlabel="x", ylabel="y",
                     levels={"level": 1.0})  # fmt: skip
    assert ax.get_xlim()[1] == 100
    plt.close(ax.figure)


def test_names_at_the_ends_stay_above_the_ticks():
    """Six curves that end at the bottom: their names go up, not into the numbers of the axis."""
    ax = plots.lines([1, 10], {f"c{k}": [1.0, 0.02 * k] for k in range(6)}, xlabel="x", ylabel="y")
    ax.set_ylim(0, 10)
    ax.figure.canvas.draw()
    names = [one for one in ax.get_children() if isinstance(one, labels._Name)]
    boxes = sorted(one.get_window_extent().extents.tolist() for one in names)
    assert len(boxes) == 6
    assert min(box[1] for box in boxes) > ax.bbox.y0 - 5
    plt.close(ax.figure)


def test_a_ceiling_ends_where_the_names_begin():
    """A panel whose run is shorter than the axis: no line through what stands right of its end."""
    short = PLANE.isel(epoch=slice(0, -1))
    axes = plots.compare_planes({"short": short, "long": PLANE}, quantity="i_xt")
    ceiling = artist(axes[0], "_ceiling")
    assert max(ceiling.get_xdata()) == short.epoch.values[-1] < axes[0].get_xlim()[1]
    plt.close(axes[0].figure)


def test_a_figure_with_names_at_its_lines_fits_a_phone():
    """Shown as wide as a phone's column, 342 px, its text is at least 9 px high."""
    for ax in (plots.information_over_time(PLANE), plots.learning_curves(PLANE)):
        scale = 342 / (96 * ax.figure.get_figwidth())
        assert 10 * 96 / 72 * scale > 9
        plt.close(ax.figure)


def test_a_tick_does_not_run_into_that_of_zero():
    ax = style.one_axes(None)
    style.time_axis(ax, [0, 100, 1000, 30000], "update")
    assert list(ax.get_xticks()) == [0, 1000, 10000]
    style.time_axis(ax, [0, 1, 10, 1000], "epoch")
    assert list(ax.get_xticks()) == [0, 1, 10, 100, 1000]
    plt.close(ax.figure)


def test_lines_that_have_no_number_have_no_name_either():
    """A small run may reach no mark at all: the panel stays empty, and nothing breaks."""
    ax = plots.lines([1, 2, 3], {"a": [np.nan] * 3, "b": [np.nan] * 3}, xlabel="x", ylabel="y")
    assert not ax.texts
    plt.close(ax.figure)
