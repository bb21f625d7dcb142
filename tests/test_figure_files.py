"""What an SVG holds besides the drawing, and names that stand clear of each other."""

import csv
import io
import re
from html import unescape

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt
from plots_support import PLANE, own_figures

from ibcore import plots
from ibcore.plots import labels, page

__all__ = ["own_figures"]  # a fixture for every test here


@given(st.lists(st.floats(0, 12), min_size=1, max_size=8), st.floats(0.1, 2))
def test_labels_are_apart_and_in_order(places, gap):
    """Neighbours are at least a gap apart, and those that were far enough have not moved."""
    places = sorted(places)
    found = labels.spread(places, gap)
    assert all(np.diff(found) >= gap - 1e-6)
    if all(np.diff(places) >= gap):
        assert found == pytest.approx(places)


def saved(ax):
    """The file of a figure, and its table as rows."""
    file = io.StringIO()
    ax.figure.savefig(file, format="svg", metadata={"Date": None})
    found = re.search(f"{page.OPENED}(.*?){page.CLOSED}", file.getvalue(), re.DOTALL)
    return file.getvalue(), list(csv.DictReader(io.StringIO(unescape(found[1]))))


def test_text_stays_text():
    picture, _ = saved(plots.information_over_time(PLANE))
    assert ">layer 5</text>" in picture
    assert ">epoch</text>" in picture


def test_the_table_holds_the_medians_and_the_bands_to_four_digits():
    _, table = saved(plots.information_over_time(PLANE, layers=[5]))
    assert table[0]["series"] == "axes"
    assert (table[0]["x"], table[0]["y"]) == ("epoch", "I(X; bin(T)) [bits]")
    own = [row for row in table if row["series"] == "layer 5"]
    values = PLANE.i_xt.values[0, :, :, 4]
    for name, q in (("low", 0.25), ("y", 0.5), ("high", 0.75)):
        shown = [float(row[name]) for row in own]
        np.testing.assert_allclose(shown, np.quantile(values, q, axis=0), rtol=6e-4)
    assert [float(row["x"]) for row in own] == PLANE.epoch.values.tolist()


def test_points_bars_and_intervals_are_in_the_table():
    ax = plots.dots({"tanh": [1.0, 2.0, 3.0]}, label="C [bits]")
    _, table = saved(ax)
    points = [row for row in table if row["series"] == "tanh"]
    assert [float(row["x"]) for row in points] == [1, 2, 3]
    ends = [float(row["x"]) for row in table if row["series"] == "tanh, interval of the median"]
    assert ends == [1, 3]
    ax = plt.subplots()[1]
    ax.bar([1, 2], [3.0, 4.5], label="share")
    _, table = saved(ax)
    assert [(row["x"], row["high"]) for row in table[1:]] == [("1", "3"), ("2", "4.5")]


def test_what_other_formats_want_is_passed_over(tmp_path):
    ax = plots.learning_curves(PLANE)
    ax.figure.savefig(tmp_path / "a.svg", orientation="landscape", bbox_inches="tight")
    assert page.OPENED in (tmp_path / "a.svg").read_text()


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_names_beside_points_do_not_cover_each_other(share):
    """Five points in a heap: every name has a place of its own."""
    ax = plots.scatter_relation(
        0.1 * np.arange(5), share * 0.1 * np.arange(5), labels=("C", "share"), names=list("abcde")
    )
    ax.set(xlim=(-1, 2), ylim=(-1, 2))
    ax.figure.canvas.draw()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert len(boxes) == 5
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])


def test_names_beside_points_keep_off_bars_and_ticks():
    """A point at the left edge with a bar to its right: its name is neither on it nor outside."""
    ax = plt.subplots(layout="constrained")[1]
    ax.set(xlim=(0, 10), ylim=(0, 10))
    labels.beside_points(ax, [0.2], [5.0], ["a long name"], bars=[((0.4, 5.3), (9.0, 5.3))])
    ax.figure.canvas.draw()
    box = ax.texts[0].get_window_extent()
    bar = ax.transData.transform((0.4, 5.3))[1]
    assert box.x0 > ax.bbox.x0
    assert not box.y0 < bar < box.y1
    plt.close(ax.figure)
