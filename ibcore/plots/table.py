"""What a figure shows, read back from its lines, points, bands and bars."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import FillBetweenPolyCollection, LineCollection, PathCollection
from matplotlib.container import BarContainer
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D

HEAD = ("panel", "series", "x", "y", "low", "high")
NOT_DATA = ("_edge", "_end", "_ceiling", "<colorbar>")
MOST = 2000  # points of one cloud; of more, evenly many
Series = tuple[str, np.ndarray]  # its name, and (point, 4): x, y, low, high


def rows(figure: Figure) -> Iterator[tuple[str, ...]]:
    """One row per point of everything drawn, panel by panel, numbers to four digits.

    The first row of a panel holds the labels of its axes. ``low`` and ``high`` are the ends of a
    band, of an interval or of a bar at this x; what extends along x has a row for each end.
    """
    for k, ax in enumerate(figure.axes, 1):
        if not ax.get_visible() or ax.get_label() == "<colorbar>":
            continue
        panel = _plain(ax.get_title() or ax.get_title("left") or str(k))
        yield (panel, "axes", _axis(ax, "x"), _axis(ax, "y"), "", "")
        for name, points in _with_bands(list(_drawn(ax))):
            for point in points:
                yield (panel, _plain(name), *map(_number, point))


def _axis(ax: Axes, which: str) -> str:
    """The label of an axis, or that of the panels which share it."""
    shared = getattr(ax, f"get_shared_{which}_axes")().get_siblings(ax)
    said = (getattr(one, f"get_{which}label")() for one in [ax, *shared])
    return _plain(next(filter(None, said), ""))


def _drawn(ax: Axes) -> Iterator[Series]:
    """Every artist that shows data, as its series."""
    bars = [found for found in ax.containers if isinstance(found, BarContainer)]
    for found in bars:
        boxes = np.array([bar.get_bbox().extents for bar in found])
        yield (str(found.get_label()), _spans(boxes, standing=found.orientation == "vertical"))
    for artist in ax.get_children():
        label = str(artist.get_label())
        if label in NOT_DATA or any(artist in found for found in bars):
            continue
        name = "" if label.startswith("_child") else label.lstrip("_")
        if isinstance(artist, FillBetweenPolyCollection):
            yield (name, _band(artist))
        elif isinstance(artist, Line2D) and artist.get_transform() == ax.transData:
            yield (name, _points(*artist.get_data()))
        elif isinstance(artist, PathCollection):
            at = np.ma.filled(artist.get_offsets(), np.nan)
            yield (name, _points(*at[:: max(1, -(-len(at) // MOST))].T))
        elif isinstance(artist, LineCollection):
            ends = [[*one[0], *one[-1]] for one in artist.get_segments() if len(one)]
            for end in np.array(ends).reshape(-1, 4):
                yield (name, _spans(end[None], standing=bool(end[0] == end[2])))
        elif isinstance(artist, AxesImage):
            cells: Any = np.ma.asarray(artist.get_array(), dtype=np.float64).filled(np.nan)
            for i, row in enumerate(cells if cells.ndim == 2 else (), 1):
                yield (f"row {i}", _points(np.arange(1, len(row) + 1), row))


def _with_bands(found: list[Series]) -> list[Series]:
    """A band joined to the line of its name, where that has the same x."""
    bands = [one for one in found if np.isnan(one[1][:, 1]).all() and one[0]]
    joined: list[Series] = []
    for name, points in found:
        own = [
            band for label, band in bands
            if label == name and band is not points and np.array_equal(band[:, 0], points[:, 0])
        ]  # fmt: skip
        if own:
            points = np.column_stack([points[:, :2], own[0][:, 2:]])
            bands = [one for one in bands if one[1] is not own[0]]
            joined = [one for one in joined if one[1] is not own[0]]
        joined.append((name, points))
    return joined


def _points(x: Any, y: Any) -> np.ndarray:
    return np.column_stack(
        [np.asarray(one, float) for one in (x, y)] + 2 * [np.full(len(x), np.nan)]
    )


def _spans(boxes: np.ndarray, *, standing: bool) -> np.ndarray:
    """Boxes (from x, from y, to x, to y): low and high at their middle, or a row for each end."""
    x0, y0, x1, y1 = boxes.T
    if standing:
        return np.column_stack([(x0 + x1) / 2, np.full(len(boxes), np.nan), y0, y1])
    return _points(np.column_stack([x0, x1]).ravel(), np.repeat((y0 + y1) / 2, 2))


def _band(artist: FillBetweenPolyCollection) -> np.ndarray:
    outline = np.asarray(artist.get_paths()[0].vertices, dtype=np.float64)
    n = (len(outline) - 3) // 2
    low, high = outline[1 : n + 1], outline[n + 2 : 2 * n + 2][::-1]
    return np.column_stack([low[:, 0], np.full(n, np.nan), low[:, 1], high[:, 1]])


def _number(value: float) -> str:
    """Four digits, no more; whole numbers in full.

    Examples
    --------
    >>> _number(0.123456), _number(10_000.0), _number(float("nan"))
    ('0.1235', '10000', '')
    """
    if not np.isfinite(value):
        return ""
    return f"{value:.0f}" if value == round(value) and abs(value) < 1e9 else f"{value:.4g}"


def _plain(text: Any) -> str:
    return " ".join(str(text).split())
