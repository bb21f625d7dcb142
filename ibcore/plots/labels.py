"""Names written at the lines themselves, where a reader looks, instead of in a legend."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple, cast

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation
from matplotlib.transforms import IdentityTransform
from numpy.typing import ArrayLike

from ibcore.plots import style

LINE = 12.0  # points from one name to the next
AWAY = 9.0  # points from the end of a line to its name


class End(NamedTuple):
    """Where a line ends, in units of the data, what it is called, and its look."""

    name: str
    x: float
    y: float
    look: style.Look


class _Name(Annotation):
    """A name right of its line's end, moved up or down as it is drawn, clear of the others."""

    def __init__(self, ax: Axes, ends: Sequence[End], place: int):
        end = ends[place]
        super().__init__(
            end.name, (end.x, end.y), xytext=(AWAY, 0), textcoords="offset points", va="center",
            ha="left", fontsize=10, annotation_clip=False, arrowprops={
                "arrowstyle": "-", "color": end.look.colour, "relpos": (0, 0.5), "linewidth": 1,
                "shrinkA": 1, "shrinkB": 4,
            },
        )  # fmt: skip
        self._heights, self._place, self._panel = [end.y for end in ends], place, ax
        self.set_transform(IdentityTransform())  # the place is in points, not in data
        ax.add_artist(self)
        self.set_clip_on(False)

    def update_positions(self, renderer: Any) -> None:
        points = 72 / self.figure.dpi
        down = [
            points * float(self._panel.transData.transform((self.xy[0], y))[1])
            for y in self._heights
        ]
        order = np.argsort(down, kind="stable")
        floor = points * self._panel.bbox.y0 + LINE / 3  # below it stand the ticks
        moved = spread([down[i] for i in order], LINE, floor)
        shift = moved[list(order).index(self._place)] - down[self._place]
        self.xyann = (AWAY, shift)
        if self.arrow_patch is not None:
            self.arrow_patch.set_visible(abs(shift) > LINE / 3)
        super().update_positions(renderer)


def at_the_ends(ax: Axes, ends: Iterable[End], *, mark: bool = True) -> None:
    """Name every line at its end, right of the axes; lines that end in one place share a name."""
    ends = list(ends)
    if mark:
        for end in ends:
            ax.plot(
                end.x, end.y, marker=end.look.marker, color=end.look.colour, markersize=5,
                linestyle="none", clip_on=False, zorder=4, label="_end",
            )  # fmt: skip
    shared = together(ends, 0.015 * float(np.ptp(ax.get_ylim())), log=ax.get_yscale() == "log")
    for place in range(len(shared)):
        _Name(ax, shared, place)


def beside_points(
    ax: Axes,
    x: ArrayLike,
    y: ArrayLike,
    names: Sequence[str],
    *,
    bars: Iterable[tuple[ArrayLike, ArrayLike]] = (),
) -> None:
    """A name beside each point, on the first side of it that is free.

    ``bars`` are the two ends, each (x, y), of lines that no name may hide.
    """
    points: Any = [np.ravel(np.asarray(one, dtype=np.float64)) for one in (x, y)]
    settle(ax)
    places = _on_paper(ax, np.column_stack(points))
    taken = [(at - 4, at + 4) for at in places]
    for ends in bars:
        start, end = _on_paper(ax, np.array(ends, dtype=np.float64))
        taken.append((np.minimum(start, end) - 2, np.maximum(start, end) + 2))
    corners = np.asarray(ax.bbox.get_points()) * 72 / ax.figure.dpi
    for name, at, px, py in zip(names, places, *points, strict=True):
        size = np.array([6.2 * len(name), 12.0])
        boxes = [at + size * (np.array(side) - 1) / 2 + 7 * np.array(side) for side in _SIDES]
        k = min(range(len(boxes)), key=lambda i: _in_the_way(boxes[i], size, taken, corners))
        taken.append((boxes[k], boxes[k] + size))
        dx, dy = _SIDES[k]
        ax.annotate(
            name, (px, py), (7 * dx, 7 * dy), textcoords="offset points", fontsize=10,
            ha={-1: "right", 0: "center", 1: "left"}[dx], annotation_clip=False,
            va={-1: "top", 0: "center", 1: "bottom"}[dy],
        )  # fmt: skip


def _in_the_way(
    low: np.ndarray,
    size: np.ndarray,
    taken: Sequence[tuple[np.ndarray, np.ndarray]],
    corners: np.ndarray,
) -> int:
    """How many things a box hides; leaving the panel is as bad, where the ticks stand far worse."""
    hidden = sum((low < end).all() and (start < low + size).all() for start, end in taken)
    return int(hidden) + int((low + size > corners[1]).any()) + 9 * int((low < corners[0]).any())


_SIDES = ((1, 1), (1, -1), (-1, 1), (-1, -1), (1, 0), (0, 1), (0, -1), (-1, 0))


def together(ends: Sequence[End], near: float, *, log: bool = False) -> list[End]:
    """Ends less than ``near`` apart in height as one, their names joined.

    Examples
    --------
    >>> look = style.look(0)
    >>> ends = [End(f"layer {k}", 9, bits, look) for k, bits in ((1, 12), (2, 12), (3, 8))]
    >>> [end.name for end in together(ends, 0.1)]
    ['layers 1, 2', 'layer 3']
    """
    kept: list[list[End]] = []
    for end in ends:
        for group in kept:
            apart = abs(end.y - group[0].y) if not log else np.inf
            if apart <= near and _number(end.name) and _number(group[0].name):
                group.append(end)
                break
        else:
            kept.append([end])
    return [group[0]._replace(name=joined([one.name for one in group])) for group in kept]


def joined(names: Sequence[str]) -> str:
    """Names of layers as one.

    Examples
    --------
    >>> joined(["layer 1", "layer 2"]), joined(["3", "4"]), joined(["tanh"])
    ('layers 1, 2', '3, 4', 'tanh')
    >>> joined(["conv (8)", "dense (3)"])
    'conv (8), dense (3)'
    """
    if len(names) == 1:
        return names[0]
    if not all(_number(name) for name in names):
        return ", ".join(names)
    start = "layers " if names[0].startswith("layer ") else ""
    return start + ", ".join(_number(name) for name in names)


def _number(name: str) -> str:
    number = name.removeprefix("layer ")
    return number if number.isdigit() else ""


def spread(places: Sequence[float], gap: float, floor: float = -np.inf) -> list[float]:
    """Sorted places, moved as little as it takes to be ``gap`` apart, and not below ``floor``.

    Examples
    --------
    >>> spread([1.0, 1.2, 5.0], 1.0), spread([1.0, 1.2, 5.0], 1.0, floor=0.8)
    ([0.6, 1.6, 5.0], [0.8, 1.8, 5.0])
    """
    groups = [[place] for place in places]
    middle = [float(place) for place in places]
    k = 1
    while k < len(groups):
        reach = gap * (len(groups[k - 1]) + len(groups[k])) / 2
        if middle[k] - middle[k - 1] < reach - 1e-12:
            groups[k - 1] += groups.pop(k)
            middle.pop(k)
            middle[k - 1] = sum(groups[k - 1]) / len(groups[k - 1])
            k = max(1, k - 1)
        else:
            k += 1
    found = []
    for at, group in zip(middle, groups, strict=True):
        found += [round(at + gap * (i - (len(group) - 1) / 2), 9) for i in range(len(group))]
    for k, place in enumerate(found):
        found[k] = max(place, found[k - 1] + gap if k else floor)
    return found


def number_paths(
    ax: Axes, paths: Mapping[Any, np.ndarray], *, clear_of: Sequence[np.ndarray] = ()
) -> None:
    """Name each path at its start or its end, whichever lie further apart, clear of the paths.

    ``clear_of`` are other points, (point, 2) in data, on which no name should stand.
    """
    size = np.array([np.ptp(ax.get_xlim()), np.ptp(ax.get_ylim())])
    drawn = [_filled(_on_paper(ax, path)) for path in paths.values()]
    drawn += [_on_paper(ax, points) for points in clear_of]
    scaled = {layer: path / size for layer, path in paths.items()}
    at = max((0, -1), key=lambda end: _least_distance([one[end] for one in scaled.values()]))
    groups: list[list[Any]] = []
    for layer, path in scaled.items():
        near = [g for g in groups if np.hypot(*(scaled[g[0]][at] - path[at])) < 0.03]
        near[0].append(layer) if near else groups.append([layer])
    for group in groups:
        path, name = scaled[group[0]], joined([str(layer) for layer in group])
        far = np.flatnonzero(np.hypot(*(path - path[at]).T) > 0.05)
        away = path[at] - path[far[0 if at == 0 else -1]] if far.size else np.array([1.0, 0.7])
        ax.annotate(
            name, paths[group[0]][at], _free_place(ax, drawn, paths[group[0]][at], away, name),
            textcoords="offset points", ha="center", va="center", fontsize=10, zorder=5,
        )  # fmt: skip


def _free_place(
    ax: Axes, others: Sequence[np.ndarray], point: np.ndarray, away: np.ndarray, name: str
) -> tuple[float, float]:
    """Points from a point of a path to its name: away from the path, where nothing else is."""
    scale = 72 / ax.figure.dpi
    at, drawn = _on_paper(ax, point), np.vstack(others)
    low, high = np.asarray(ax.bbox.min) * scale, np.asarray(ax.bbox.max) * scale
    written = [_written(ax, one) for one in ax.texts]
    bounds = _bounds(ax)
    half = np.array([3.0 * len(name), 6.0])

    def harm(step: np.ndarray) -> float:
        centre = at + step
        inside = (np.abs(drawn - centre) < half + 1).all(axis=1).sum()
        hidden = any((np.abs(mid - centre) < half + size + (4, 1)).all() for mid, size in written)
        beyond = (centre - half < low + 2).any() or centre[1] + half[1] > high[1] + 4
        crossed = sum(abs(place - centre[axis]) < half[axis] - 1 for axis, place in bounds)
        turned = 1 - float(step @ away) / float(np.hypot(*step) * np.hypot(*away))
        far = float(np.hypot(*(step / reach))) - 1
        return 100 * beyond + 100 * hidden + 5 * inside + 3 * crossed + turned + 4 * far

    angles = np.deg2rad(np.arange(0, 360, 30))
    reach = np.array([half[0] + 8, 12.0])
    ring = [reach * np.array([np.cos(one), np.sin(one)]) for one in angles]
    steps = [far * step for far in (1.0, 1.6, 2.4) for step in ring]
    x, y = min(steps, key=harm)
    return float(x), float(y)


def settle(ax: Axes) -> None:
    """Bring limits and the panel's place up to date, on which names hang: all else is drawn."""
    ax.get_xlim(), ax.get_ylim()
    figure = cast("Figure", ax.get_figure(root=True))
    if (layout := figure.get_layout_engine()) is not None:
        layout.execute(figure)


def _on_paper(ax: Axes, places: ArrayLike) -> np.ndarray:
    """Places in data, (place, 2), in points from the corner of the figure."""
    return np.asarray(ax.transData.transform(places), dtype=np.float64) * 72 / ax.figure.dpi


def _filled(path: np.ndarray) -> np.ndarray:
    """A path in points, with points between its corners: at most 4 apart."""
    parts = [path[:1]]
    for start, end in pairwise(path):
        count = int(np.hypot(*(end - start)) // 4) + 1
        parts.append(start + (end - start) * np.linspace(0, 1, count + 1)[1:, None])
    return np.vstack(parts)


def _bounds(ax: Axes) -> list[tuple[int, float]]:
    """Axis and place, in points, of the lines that mark a bound across a panel."""
    found = []
    for line in ax.lines:
        if line.get_label() == "_ceiling":
            x, y = (np.asarray(one, dtype=np.float64) for one in line.get_data())
            axis, at = (0, (x[0], 0.0)) if x[0] == x[-1] else (1, (0.0, y[0]))
            found.append((axis, float(ax.transData.transform(at)[axis]) * 72 / ax.figure.dpi))
    return found


def _written(ax: Axes, text: Any) -> tuple[np.ndarray, np.ndarray]:
    """Middle and half the size, in points, of what is written in a panel already."""
    scale = 72 / ax.figure.dpi
    box = text.get_window_extent()
    return (np.add(box.min, box.max) * scale / 2, np.subtract(box.max, box.min) * scale / 2)


def _least_distance(points: Sequence[np.ndarray]) -> float:
    """The smallest distance of two points that do not coincide."""
    apart = [np.hypot(*(a - b)) for k, a in enumerate(points) for b in points[:k]]
    return min((one for one in apart if one > 0.03), default=0.0) / (
        1 + sum(one <= 0.03 for one in apart)
    )
