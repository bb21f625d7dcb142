"""Figures of this paper alone: its task, its ruler, the bound, the size of a batch."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from ibcore.claims import clocks, effects
from ibcore.plots import by_layer, labels, reading, style


def icosahedron(
    vertices: ArrayLike,
    patterns: ArrayLike,
    *,
    labels: ArrayLike | None = None,
    axes: Iterable[Axes] | None = None,
) -> np.ndarray:
    """Input patterns as points on the icosahedron: ones filled, zeros hollow, a panel each.

    Parameters
    ----------
    vertices : (12, 3) array
        Vertex of each input feature, in the order of the features.
    patterns : (pattern, 12) array
        Entries 0 or 1.
    labels : (pattern,) array, optional
        Integers are written as the label y, other numbers as P(y=1|x).

    Returns
    -------
    (pattern,) array of Axes
    """
    vertices = np.asarray(vertices, dtype=np.float64)
    patterns = np.atleast_2d(np.asarray(patterns))
    if vertices.shape != (12, 3):
        raise ValueError(f"vertices must be a (12, 3) array, got shape {vertices.shape}.")
    if patterns.shape[1] != 12 or not np.isin(patterns, (0, 1)).all():
        raise ValueError(
            f"patterns must be a (pattern, 12) array of 0 and 1, got shape {patterns.shape}."
        )
    if labels is not None and np.shape(labels) != (len(patterns),):
        raise ValueError(
            f"labels must have one entry per pattern, {len(patterns)}, got {np.shape(labels)}."
        )
    distance = np.linalg.norm(vertices[:, None] - vertices[None], axis=-1)
    side = distance[distance > 0].min()
    edges = np.argwhere(np.triu(np.isclose(distance, side, rtol=1e-3)))
    # Turned off every symmetry axis, so that no two vertices coincide on paper.
    seen = vertices / np.linalg.norm(vertices[0]) @ _turn(0.30, 1).T @ _turn(0.22, 0).T
    place, depth = seen[:, :2], seen[:, 2]
    axes = style.many_axes(
        axes,
        len(patterns),
        columns=3,
        width=2.2 * min(3, len(patterns)),
        height=2.2,
        legend=0.0,
    )
    radius = 0.12
    ones_look = style.look(0)
    for i, (ax, pattern) in enumerate(zip(axes, patterns, strict=True)):
        for a, b in edges:
            along = place[b] - place[a]
            along *= radius / np.linalg.norm(along)
            ends = np.stack([place[a] + along, place[b] - along])  # stop at the hollow discs
            front = depth[a] + depth[b] > 0
            ax.plot(
                *ends.T,
                color=style.GREY,
                linewidth=1.3 if front else 0.7,
                linestyle="-" if front else ":",
                zorder=1,
            )
        one = pattern.astype(bool)
        for at, face, name in ((one, ones_look.colour, "1"), (~one, "none", "0")):
            ax.scatter(
                *place[at].T,
                s=110,
                facecolors=face,
                edgecolors=ones_look.colour,
                linewidths=1.4,
                zorder=2,
                label=f"x = {name}",
            )
        ax.set_aspect("equal")
        ax.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2))
        ax.set_axis_off()
        title = f"{int(one.sum())} ones"
        if labels is not None:
            label = np.asarray(labels)[i]
            hard = np.asarray(labels).dtype.kind in "iub"
            title += f", y = {int(label)}" if hard else f"\nP(y=1|x) = {label:.3g}"
        ax.set_title(title)
    return axes


def _turn(angle: float, axis: int) -> np.ndarray:
    """Rotation matrix by ``angle`` [rad] about coordinate ``axis``."""
    i, j = [k for k in range(3) if k != axis]
    turn = np.eye(3)
    turn[[i, i, j, j], [i, j, i, j]] = np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)
    return turn


def popcount_bars(x: ArrayLike, y: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Share of label 1 among the inputs with k ones, with the counts written above.

    Parameters
    ----------
    x : (sample, feature) array
        Entries 0 or 1.
    y : (sample,) array
        Labels 0 and 1, or P(y=1|x).
    """
    x, y = np.asarray(x), np.asarray(y, dtype=np.float64)
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise ValueError(
            f"x must be (sample, feature) and y (sample,), got shapes {x.shape} and {y.shape}."
        )
    if not np.isin(x, (0, 1)).all():
        raise ValueError("x must hold only 0 and 1; popcounts of other values mean nothing.")
    popcount = x.sum(axis=1).astype(int)
    counts = np.bincount(popcount, minlength=x.shape[1] + 1)
    ones = np.bincount(popcount, weights=y, minlength=x.shape[1] + 1)
    k = np.flatnonzero(counts)
    ax = style.one_axes(ax, (style.WIDTH, 3.6))
    look = style.look(0)
    ax.bar(k, np.ones(k.size), color="none", edgecolor=style.GREY, linewidth=0.8, width=0.8)
    ax.bar(k, ones[k] / counts[k], color=look.colour, width=0.8, label="share of y = 1")
    for at in k:
        ax.annotate(
            f"{ones[at]:.0f}\n/{counts[at]}",
            (at, 1.0),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=9,
        )
    ax.set(xlabel="number of ones in x", ylabel="share of y = 1", ylim=(0, 1.2))
    ax.set_xticks(k)
    ax.set_yticks([0, 0.25, 0.5, 0.75, 1.0])
    ax.grid(visible=False, axis="x")
    return ax


def ruler(
    edges: ArrayLike,
    *,
    activation: Callable[[np.ndarray], np.ndarray] = np.tanh,
    name: str = "tanh",
    interval: tuple[float, float] = (-3.0, 3.0),
    ax: Axes | None = None,
) -> Axes:
    """Show what a binning sees of a unit: bins of equal height are stripes of unequal width.

    Parameters
    ----------
    edges : (bin + 1,) array
        Increasing, in the unit's activity. What lies beyond counts to the outermost bins.
    activation : function
        From net input to activity, arrays to arrays.
    name : str
        Of the activation, for the axis label.
    interval : (float, float)
        Net inputs to draw.
    """
    edges = np.asarray(edges, dtype=np.float64).ravel()
    if edges.size < 2 or not (np.diff(edges) > 0).all():
        raise ValueError(f"edges must be at least 2 increasing numbers, got {edges}.")
    u = np.linspace(*interval, 2001)
    t = np.asarray(activation(u))
    ax = style.one_axes(ax)
    ax.hlines(edges, *interval, color=style.GREY, linewidth=0.5, alpha=0.6, label="bin edges")
    code = np.searchsorted(edges[1:-1], t, side="right")
    change = np.flatnonzero(np.diff(code))
    starts, ends = np.r_[u[0], u[change]], np.r_[u[change], u[-1]]
    for start, end, symbol in zip(starts, ends, code[np.r_[change, u.size - 1]], strict=True):
        shade = style.look(symbol % 2)
        ax.axvspan(start, end, color=shade.colour, alpha=0.15, linewidth=0)
    ax.plot(u, t, color=style.look(3).colour, linewidth=2.2, label=name)
    if change.size:
        ax.annotate(
            f"one symbol\nfor all\nu > {u[change[-1]]:.2f}",
            ((u[change[-1]] + u[-1]) / 2, 0.3),
            xycoords=("data", "axes fraction"),
            ha="center",
            va="center",
            fontsize=10,
        )
    ax.set(xlabel="net input u", ylabel=f"{name}(u), {edges.size - 1} bins", xlim=interval)
    ax.grid(visible=False)
    return ax


def distances(
    curves: Mapping[str, xr.Dataset],
    planes: Mapping[str, xr.Dataset],
    *,
    n_inputs: int = 4096,
    axes: Iterable[Axes] | None = None,
) -> np.ndarray:
    """Where the layers end beside the exact bound, and how far to its right they lie.

    Parameters
    ----------
    curves : mapping of name to Dataset
        ``complexity`` and ``relevance`` in bits, dim beta; I(X;Y) in the attributes.
    planes : mapping of the same names to planes
        Of one ruler; the last epoch counts.
    n_inputs : int
        N. The raw input holds log2 N bits of X.

    Returns
    -------
    (2,) array of Axes
        The plane of the first task, and the excess of every network under all tasks.
    """
    if axes is None:
        axes = plt.subplots(2, 1, figsize=(style.WIDTH, 7.4), height_ratios=(3, 4))[1]
    axes = style.many_axes(axes, 2)
    first = next(iter(curves))
    shown = _beside_bound(axes[0], curves[first], planes[first], n_inputs)
    axes[0].set_title(first)
    excess = {name: right_of(curves[name], plane) for name, plane in planes.items()}
    by_layer(excess, label="bits right of the bound", ax=axes[1])
    raw = np.log2(n_inputs) - curves[first].attrs["sufficient_complexity"]
    style.ceiling(axes[1], raw)
    axes[1].annotate(f"raw input, {first}", (1, raw), (0, 3), textcoords="offset points",
                     xycoords=("axes fraction", "data"), ha="right", fontsize=9)  # fmt: skip
    labels.settle(axes[0])
    middle, *others = shown
    labels.number_paths(axes[0], middle, clear_of=others)
    return axes


def right_of(curve: xr.Dataset, plane: xr.Dataset) -> np.ndarray:
    """I(X;T) minus what the bound needs for the same I(T;Y), in bits; (seed, layer)."""
    plane = reading.select(plane)
    x, y = (reading.array(plane, one, reading.SEED_EPOCH_LAYER)[:, -1] for one in ("i_xt", "i_ty"))
    bound_x, bound_y = _bound(curve)
    return x - np.interp(y, bound_y, bound_x)


def _bound(curve: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """The bound from the origin to where all of I(X;Y) is kept."""
    order = np.lexsort((curve.relevance.values, curve.complexity.values))
    complexity, relevance = curve.complexity.values[order], curve.relevance.values[order]
    return (
        np.r_[0.0, complexity, curve.attrs["sufficient_complexity"]],
        np.r_[0.0, relevance, curve.attrs["information"]],
    )


def _beside_bound(
    ax: Axes, curve: xr.Dataset, plane: xr.Dataset, n_inputs: int
) -> tuple[dict[int, np.ndarray], np.ndarray, np.ndarray]:
    """The bound, every network's layers as points with their medians, the raw input as a cross.

    Back come the medians to name, and what no name should hide.
    """
    (bound_x, bound_y), held = _bound(curve), curve.attrs["information"]
    most = float(np.log2(n_inputs))
    ax.plot(np.r_[bound_x, most], np.r_[bound_y, held], color=style.GREY, lw=2, label="bound")
    plane, middle = reading.select(plane), {}
    x, y = (reading.array(plane, one, reading.SEED_EPOCH_LAYER)[:, -1] for one in ("i_xt", "i_ty"))
    for k, layer in enumerate(reading.layer_names(plane)):
        look = style.layer_look(layer)
        ax.scatter(
            x[:, k], y[:, k], s=12, color=look.colour, marker=look.marker, alpha=0.4,
            linewidths=0, rasterized=True, label=f"_networks, layer {layer}",
        )  # fmt: skip
        at = middle[layer] = np.array([[np.median(x[:, k]), np.median(y[:, k])]])
        ax.plot(
            *at.T,
            color=look.colour,
            marker=look.marker,
            markersize=9,
            linestyle="none",
            markeredgecolor=style.GREY,
            markeredgewidth=0.6,
            label=f"_layer {layer}",
        )
    ax.plot(most, held, marker="x", ms=11, mew=2, color=style.GREY, ls="none", zorder=5,
            label="raw input")  # fmt: skip
    low = float(np.quantile(y, 0.01))
    ax.set(xlim=(0, 1.08 * most), ylim=(low - 0.25 * (held - low), held + 0.3 * (held - low)),
           xlabel="I(X; T) [bits]", ylabel="I(T; Y) [bits]")  # fmt: skip
    heights = np.linspace(low, held, 40)
    steep = np.column_stack([np.interp(heights, bound_y, bound_x), heights])
    networks = np.column_stack([x.ravel(), y.ravel()])
    ax.legend(loc="lower right")
    return middle, steep, networks


def less_known(planes: Mapping[str, xr.Dataset], clock: str) -> np.ndarray:
    """I(X;T) of the last plane minus that of each plane, same network, at an equal clock.

    Parameters
    ----------
    planes : mapping of name to plane
        By size of the batch, the full batch last.
    clock : str
        "loss" or "update".

    Returns
    -------
    (plane, seed, layer) array
        In bits; 0 for the last plane.
    """
    *_, full = planes.values()
    found = []
    for plane in planes.values():
        pair = clocks.at_equal(full, plane, clock=clock)
        ends = [effects.final(effects.curve(one)) for one in pair]
        found.append((ends[0] - ends[1]).transpose("seed", "layer").values)
    return np.stack(found)


def batches(
    values: Mapping[str, Mapping[str, ArrayLike]],
    sizes: Sequence[int],
    *,
    layers: Sequence[int],
    line: float | None = None,
    axes: Iterable[Axes] | None = None,
) -> np.ndarray:
    """A quantity against the size of the batch: a row of panels per clock, a column per layer.

    Parameters
    ----------
    values : mapping of clock to mapping of optimiser to (size, seed, layer) array
        In bits; median over networks with 25-75 % and 5-95 % bands.
    sizes : sequence of int
        Of the batches; the last one is the full batch.
    layers : sequence of int
        Layer numbers to draw.
    line : float, optional
        The smallest effect of interest, dashed.

    Returns
    -------
    (clock x layer,) array of Axes
    """
    axes = style.many_axes(
        axes, len(values) * len(layers), columns=len(layers), height=2.5, sharex=True, sharey=True
    )
    places = [(clock, layer) for clock in values for layer in layers]
    for ax, (clock, layer) in zip(axes, places, strict=True):
        for g, (name, found) in enumerate(values[clock].items()):
            rows = np.asarray(found, dtype=np.float64)[:, :, layer - 1].T
            style.band(ax, sizes, rows, style.look(g), label=name, tails=True)
        ax.axhline(0.0, color=style.GREY, linewidth=1.2)
        if line is not None:
            ax.axhline(line, color=style.GREY, linestyle="--", linewidth=1.2)
        ax.set_xscale("log")
        ax.set_xticks(sizes, [*map(str, sizes[:-1]), "all"])
        ax.minorticks_off()
        ax.set_title(f"layer {layer}, equal {clock}")
    style.label_outer(axes, "batch size", "below the full batch [bits]")
    names = list(next(iter(values.values())))
    style.below_legend(axes, [style.handle(n, style.look(g)) for g, n in enumerate(names)], "")
    return axes
