"""Figures of one number per network: times, compressions, relations between them."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from numpy.typing import ArrayLike

from ibcore.plots import style
from ibcore.plots.labels import End, at_the_ends, beside_points


def _spread_out(count: int, width: float) -> np.ndarray:
    """Sideways places for ``count`` points around 0: fixed, not random, so figures repeat."""
    golden = 0.6180339887498949  # multiples of it, modulo 1, never bunch
    return width * (np.arange(count) * golden % 1.0 - 0.5)


def depth_times(
    times: Mapping[int, ArrayLike],
    *,
    limit: float,
    level: str = "the level",
    unit: str = "epochs",
    ax: Axes | None = None,
) -> Axes:
    """Time to reach a level against the number of hidden layers, each network a point.

    Parameters
    ----------
    times : mapping of depth to (seed,) array
        NaN, infinite, or beyond ``limit``: not reached. These stand as open triangles on the limit
        and count as later than every other in the median (horizontal bar) and the quartiles
        (vertical bar), which are left out where not reached.
    limit : float
        Where training ended.
    level, unit : str
        For the axis label.
    """
    if not times:
        raise ValueError("times must hold at least one depth, got none.")
    ax = style.one_axes(ax)
    for i, depth in enumerate(sorted(times)):
        found = np.asarray(times[depth], dtype=np.float64).ravel()
        if found.size == 0:
            raise ValueError(f"times[{depth}] must hold one time per network, got none.")
        look = style.look(0)
        late = ~(found <= limit)
        found = np.where(late, np.inf, found)
        places = i + _spread_out(found.size, 0.5)
        ax.scatter(
            places[~late],
            found[~late],
            s=18,
            color=look.colour,
            alpha=0.6,
            linewidths=0,
            rasterized=found.size > 100,
            label=f"_depth {depth}",
        )
        ax.scatter(
            places[late],
            np.full(late.sum(), limit),
            s=26,
            marker="^",
            facecolors="none",
            edgecolors=look.colour,
            linewidths=1.0,
            label=f"_depth {depth}, not reached",
        )
        # Of order statistics, not between them: halfway to infinity is no time.
        lower, middle, upper = np.quantile(found, [0.25, 0.5, 0.75], method="inverted_cdf")
        if lower <= limit:
            ax.vlines(i, lower, min(upper, limit), color=style.GREY, linewidth=3, zorder=3)
        if middle <= limit:
            ax.hlines(middle, i - 0.3, i + 0.3, color=style.GREY, linewidth=2, zorder=3)
        if late.any():
            ax.annotate(
                f"{late.sum()} of {late.size}\nnot reached",
                (i, limit),
                xytext=(0, 8),
                textcoords="offset points",
                ha="center",
                va="bottom",
                fontsize=9,
            )
    ax.axhline(limit, color=style.GREY, linestyle=":", linewidth=1.2, zorder=0)
    ax.set_yscale("log")
    ax.set_ylim(top=limit * 2.2)
    ax.set_xticks(range(len(times)), [str(depth) for depth in sorted(times)])
    ax.set_xlim(-0.6, len(times) - 0.4)
    ax.yaxis.set_major_formatter(lambda value, _: style.short_number(value))
    ax.set(xlabel="hidden layers", ylabel=f"{unit} until {level}")
    ax.grid(visible=False, axis="x")
    return ax


def by_layer(
    values: Mapping[str, ArrayLike],
    *,
    label: str,
    layers: Sequence[int] | None = None,
    threshold: float | None = None,
    intervals: Mapping[str, ArrayLike] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One number per network and layer, as points with the median and its 95 % interval.

    Parameters
    ----------
    values : mapping of name to (seed, layer) array
        One group of points per name; NaN is left out.
    label : str
        Of the y axis, with the unit.
    layers : sequence of int, optional
        Layer numbers of the columns; default 1, 2, ...
    threshold : float, optional
        Drawn as a line, in the unit of the values.
    intervals : mapping of name to (layer, 2) array, optional
        Low and high ends to draw instead of the interval from order statistics, the quantiles
        ½ ± 0.98/√n, which assumes nothing about the distribution.
    """
    groups = {name: np.asarray(v, dtype=np.float64) for name, v in values.items()}
    if not groups:
        raise ValueError("values must hold at least one group, got none.")
    for name, v in groups.items():
        if v.ndim != 2:
            raise ValueError(f"values[{name!r}] must be (seed, layer), got shape {v.shape}.")
    n_layers = max(v.shape[1] for v in groups.values())
    layers = list(range(1, n_layers + 1)) if layers is None else [int(k) for k in layers]
    if len(layers) != n_layers:
        raise ValueError(f"layers must number {n_layers} columns, got {layers}.")
    ax = style.one_axes(ax)
    room = 0.8 / len(groups)
    for g, (name, group) in enumerate(groups.items()):
        for k in range(group.shape[1]):
            look = style.layer_look(layers[k]) if len(groups) == 1 else style.look(g)
            found = group[~np.isnan(group[:, k]), k]
            if found.size == 0:
                continue
            place = k + room * (g - (len(groups) - 1) / 2)
            ax.scatter(
                place + _spread_out(found.size, 0.6 * room),
                found,
                s=12,
                color=look.colour,
                marker=look.marker,
                alpha=0.4,
                linewidths=0,
                rasterized=True,
                label=f"_{name}, layer {layers[k]}",
            )
            half = min(0.5, 0.98 / np.sqrt(found.size))
            low, middle, high = np.quantile(found, [0.5 - half, 0.5, 0.5 + half])
            if intervals is not None:
                low, high = np.asarray(intervals[name], dtype=np.float64)[k]
            ax.vlines(place, low, high, color=style.GREY, linewidth=2.2, zorder=3)
            ax.plot(
                place,
                middle,
                marker=look.marker,
                markersize=8,
                color=look.colour,
                zorder=4,
                markeredgecolor=style.GREY,
                linestyle="none",
                label=f"_median {name} {layers[k]}",
            )
    if threshold is not None:
        ax.axhline(
            threshold,
            color=style.GREY,
            linestyle="--",
            linewidth=1.2,
            label=f"threshold {threshold:g}",
        )
    handles = [] if threshold is None else [ax.lines[-1]]
    if len(groups) > 1:
        named = [style.handle(n, style.look(g), line=False) for g, n in enumerate(groups)]
        handles = named + handles
    if handles:
        ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=len(handles),
                  columnspacing=1.2, handletextpad=0.3)  # fmt: skip
    ax.set_xticks(range(n_layers), [str(k) for k in layers])
    ax.set_xlim(-0.6, n_layers - 0.4)
    ax.set(xlabel="layer", ylabel=label)
    ax.grid(visible=False, axis="x")
    return ax


def compression_by_layer(
    compression: Mapping[str, ArrayLike],
    *,
    layers: Sequence[int] | None = None,
    threshold: float | None = None,
    intervals: Mapping[str, ArrayLike] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Compression C = max I(X;T) - final I(X;T), in bits, as :func:`by_layer` draws it."""
    return by_layer(
        compression,
        label="compression C [bits]",
        layers=layers,
        threshold=threshold,
        intervals=intervals,
        ax=ax,
    )


def phase_share(
    share: Mapping[str, ArrayLike],
    *,
    layers: Sequence[int] | None = None,
    threshold: float | None = None,
    intervals: Mapping[str, ArrayLike] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Share of the training after the peak of I(X;T), between 0 and 1, drawn by layer."""
    ax = by_layer(
        share,
        label="share of training after the peak of I(X;T)",
        layers=layers,
        threshold=threshold,
        intervals=intervals,
        ax=ax,
    )
    ax.set_ylim(-0.03, 1.03)
    return ax


def dots(
    values: Mapping[str, ArrayLike],
    *,
    label: str,
    threshold: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """One number per network, a row per group: points, the median and its 95 % interval.

    Parameters
    ----------
    values : mapping of name to (network,) array
        One row per name, from above; NaN is left out. The intervals are those of :func:`by_layer`.
    label : str
        Of the x axis, with the unit.
    threshold : float, optional
        Drawn as a line, in the unit of the values.
    """
    if not values:
        raise ValueError("values must hold at least one group, got none.")
    ax = style.one_axes(ax, (style.WIDTH, 1.1 + 0.38 * len(values)))
    look = style.look(0)
    for place, (name, group) in enumerate(values.items()):
        found = np.asarray(group, dtype=np.float64).ravel()
        found = found[~np.isnan(found)]
        if found.size == 0:
            continue
        ax.scatter(
            found, place + _spread_out(found.size, 0.5), s=12, color=look.colour, alpha=0.4,
            linewidths=0, rasterized=True, label=f"_{name}",
        )  # fmt: skip
        half = min(0.5, 0.98 / np.sqrt(found.size))
        low, middle, high = np.quantile(found, [0.5 - half, 0.5, 0.5 + half])
        ax.hlines(place, low, high, color=style.GREY, linewidth=2.2, zorder=3,
                  label=f"_{name}, interval of the median")  # fmt: skip
        ax.plot(middle, place, "o", color=look.colour, markersize=8, markeredgecolor=style.GREY,
                zorder=4, label=f"_{name}, median")  # fmt: skip
    if threshold is not None:
        ax.axvline(threshold, color=style.GREY, linestyle="--", linewidth=1.2)
        ax.annotate(
            f"threshold {threshold:g}",
            (threshold, 1),
            (4, 3),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            fontsize=9,
        )
    ax.set_yticks(range(len(values)), list(values))
    ax.set(ylim=(len(values) - 0.5, -0.6), xlabel=label)
    ax.grid(visible=False, axis="y")
    return ax


def scatter_relation(
    x: ArrayLike,
    y: ArrayLike,
    *,
    labels: Sequence[str],
    colour: ArrayLike | None = None,
    names: Sequence[str] | None = None,
    within: bool = False,
    limits: tuple[float | None, float | None] = (None, None),
    ax: Axes | None = None,
) -> Axes:
    """One point per network: y against x, coloured by a number or by a name.

    Parameters
    ----------
    x, y : (network,) arrays
    labels : sequence of str
        Of x, of y, and of ``colour`` where it is given, with their units.
    colour : (network,) array, optional
        Numbers get a colour bar; strings a colour, a marker and a legend entry each.
    names : sequence of str, optional
        Written beside the points, where these are few.
    within : bool
        Draw the line of least squares through the points of each colour: how the two belong
        together when the colour's number is held.
    limits : (float, float)
        Values of x and of y to draw as dashed lines, such as those that a verdict counts by.
    """
    x, y = (np.asarray(v, dtype=np.float64).ravel() for v in (x, y))
    colour = None if colour is None else np.asarray(colour).ravel()
    lengths = [v.size for v in (x, y, colour) if v is not None]
    if len(set(lengths)) != 1:
        raise ValueError(f"x, y and colour must have one entry per network, got {lengths}.")
    needed = 2 if colour is None else 3
    if isinstance(labels, str) or len(labels) != needed:
        raise ValueError(f"labels must name {needed} quantities, got {labels!r}.")
    ax = style.one_axes(ax)
    options: dict[str, Any] = {
        "s": 24,
        "alpha": 0.3 if within else 0.85,
        "edgecolors": "none" if within else style.GREY,
        "linewidths": 0.4,
        "rasterized": x.size > 200,
    }
    if colour is None:
        ax.scatter(x, y, color=style.look(0).colour, **options)
    elif colour.dtype.kind in "fiub":
        norm = Normalize(float(colour.min()), float(colour.max()))
        ax.scatter(x, y, c=colour.astype(float), cmap=style.shades(), norm=norm, **options)
        style.colour_bar(ax, norm, labels[2])
        if within:
            _lines_within(ax, x, y, colour, norm)
    else:
        for i, name in enumerate(dict.fromkeys(str(c) for c in colour)):
            at, look = colour == name, style.look(i)
            ax.scatter(x[at], y[at], color=look.colour, marker=look.marker, label=name, **options)
        style.side_legend(ax, title=labels[2])
    for value, draw in zip(limits, (ax.axvline, ax.axhline), strict=True):
        if value is not None:
            draw(value, color=style.GREY, linestyle="--", linewidth=1.2)
    ax.set(xlabel=labels[0], ylabel=labels[1])
    if names is not None:
        beside_points(ax, x, y, names)
    return ax


def _lines_within(
    ax: Axes, x: np.ndarray, y: np.ndarray, colour: np.ndarray, norm: Normalize
) -> None:
    """The line of least squares of each colour, between its quantiles 5 and 95 % of x."""
    for value in np.unique(colour):
        own = colour == value
        if np.ptp(x[own]) == 0:
            continue
        slope, start = np.polyfit(x[own], y[own], 1)
        ends = np.quantile(x[own], [0.05, 0.95])
        ax.plot(ends, start + slope * ends, color=style.shades()(norm(value)), linewidth=3,
                solid_capstyle="round", zorder=3, label=f"_line at {value:g}")  # fmt: skip


def falls(amounts: ArrayLike, updates: ArrayLike, *, ax: Axes | None = None) -> Axes:
    """Updates from the peak until I(X;T) has fallen by an amount: networks and their median.

    Parameters
    ----------
    amounts : (amount,) array
        In bits.
    updates : (amount, seed) array
        NaN where a network never fell so far; such a network counts as the slowest in the median,
        which ends where half of them are missing.
    """
    amounts, updates = np.asarray(amounts, float), np.asarray(updates, float)
    if updates.ndim != 2 or len(updates) != len(amounts):
        raise ValueError(
            f"updates must be an (amount, seed) array for {len(amounts)} amounts, "
            f"got shape {updates.shape}."
        )
    ax = style.one_axes(ax, (style.NARROW, 3.8))
    look = style.look(0)
    ax.plot(amounts, updates, color=look.colour, alpha=0.2, linewidth=0.8)
    middle = np.quantile(np.nan_to_num(updates, nan=np.inf), 0.5, axis=1, method="inverted_cdf")
    middle = np.where(np.isfinite(middle), middle, np.nan)
    ax.plot(amounts, middle, color=style.GREY, linewidth=2.5, label="median network")
    ax.set_yscale("log")
    style.log_ticks(ax.yaxis)
    ax.set(xlabel="fall of I(X;T) from its peak [bits]", ylabel="updates since the peak")
    held = np.flatnonzero(np.isfinite(middle))
    if held.size:
        end = End(
            "median\nnetwork", amounts[held[-1]], middle[held[-1]], look._replace(colour=style.GREY)
        )
        at_the_ends(ax, [end], mark=False)
    return ax
