"""The look all figures share: colours, markers, axes, bands, legends."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.backend_bases import register_backend
from matplotlib.colors import Colormap, ListedColormap, LogNorm, Normalize
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter
from numpy.typing import ArrayLike

from ibcore.plots import reading

GREY = "#777777"  # as far from white (4.5:1) as from the dark page (4.2:1)
WIDTH = 7.2  # inches: the column of a page at full size
NARROW = 4.7  # one panel with names right of it: a phone shows all of it, text 9 pixels high

# Okabe & Ito's colours, safe for the colour-blind, their lightness moved to the middle to show on
# white and on dark; yellow and black cannot show on both and give way to olive and grey.
COLOURS = ("#1A80BF", "#D98C00", "#009E73", "#D55E00", "#CC79A7", "#45A9E6", "#8A8A3C", GREY)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
DASHES: tuple[Any, ...] = (
    "-",
    (0, (6, 2)),
    (0, (3, 1.5)),
    (0, (1, 1.2)),
    (0, (6, 1.5, 1, 1.5)),
    (0, (3, 1.2, 1, 1.2, 1, 1.2)),
    (0, (8, 3)),
    (0, (2, 3)),
)


class Look(NamedTuple):
    """Colour, marker and dashes of one layer or category: any one of the three tells it apart."""

    colour: str
    marker: str
    dashes: Any


def use_style() -> None:
    """Set matplotlib up for figures that read on white, on dark, and on a phone.

    Backgrounds are transparent and everything written is mid-grey, which a page may replace by
    its own ink. Text in SVG stays text, in the reader's font; ids are salted with a constant, so
    that the same figure is the same file, and the file holds what is drawn as a table: see
    ``ibcore.plots.page``.
    """
    register_backend("svg", "ibcore.plots.page")
    mpl.rcParams.update(
        {
            "figure.facecolor": "none",
            "figure.edgecolor": "none",
            "figure.figsize": (WIDTH, 4.2),
            "figure.dpi": 100,
            "figure.constrained_layout.use": True,
            "savefig.facecolor": "none",
            "savefig.edgecolor": "none",
            "savefig.dpi": 150,
            "svg.fonttype": "none",
            "font.family": "sans-serif",
            "font.sans-serif": ["DejaVu Sans", "Verdana"],  # wide ones: others fit where these do
            "path.simplify_threshold": 0.25,  # of a pixel: also drops steps of no length
            "svg.hashsalt": "ibcore",
            "axes.facecolor": "none",
            "axes.edgecolor": GREY,
            "axes.labelcolor": GREY,
            "axes.titlecolor": GREY,
            "axes.titlesize": 11,
            "axes.labelsize": 11,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "axes.axisbelow": True,
            "axes.prop_cycle": mpl.rcsetup.cycler(color=COLOURS),
            "grid.color": GREY,
            "grid.alpha": 0.2,
            "grid.linewidth": 0.6,
            "text.color": GREY,
            "xtick.color": GREY,
            "ytick.color": GREY,
            "xtick.labelsize": 10,
            "ytick.labelsize": 10,
            "font.size": 11,
            "legend.frameon": False,
            "legend.fontsize": 10,
            "legend.title_fontsize": 10,
            "legend.handlelength": 2.4,
            "lines.linewidth": 1.6,
            "image.cmap": "viridis",
        }
    )


def look(index: int) -> Look:
    """Look of category ``index`` (from 0), the same in every figure."""
    i = index % len(COLOURS)
    return Look(COLOURS[i], MARKERS[i], DASHES[i])


def layer_look(layer: int) -> Look:
    """Look of layer number ``layer`` (from 1), the same in every figure."""
    return look(int(layer) - 1)


def shades() -> Colormap:
    """Viridis without its two ends, which vanish on a dark and on a white page."""
    return ListedColormap(mpl.colormaps["viridis"](np.linspace(0.2, 0.87, 256)), name="shades")


def one_axes(ax: Axes | None, size: tuple[float, float] = (WIDTH, 4.2)) -> Axes:
    """``ax``, or the axes of a new figure."""
    return plt.subplots(figsize=size, layout="constrained")[1] if ax is None else ax


def many_axes(
    axes: Any,
    count: int,
    *,
    columns: int = 3,
    width: float = 7.2,
    height: float = 2.3,
    legend: float = 0.8,
    sharex: bool = False,
    sharey: bool = False,
) -> np.ndarray:
    """``count`` axes as a flat array: those given, or new ones, ``columns`` to a row.

    ``width`` is the figure's, ``height`` a row's, ``legend`` the height kept for a legend below,
    all in inches.
    """
    if axes is not None:
        given = np.atleast_1d(np.asarray(axes, dtype=object)).ravel()
        if given.size != count:
            raise ValueError(f"axes must hold {count} panels, got {given.size}.")
        return given
    columns = min(columns, count)
    rows = -(-count // columns)
    _, made = plt.subplots(
        rows,
        columns,
        figsize=(width, rows * height + legend),
        layout="constrained",
        squeeze=False,
        sharex=sharex,
        sharey=sharey,
    )
    for extra in made.ravel()[count:]:
        extra.set_visible(False)
    for above in made.ravel()[count - columns : (rows - 1) * columns]:
        above.xaxis.set_tick_params(labelbottom=True)  # the panel below it stays empty
    return made.ravel()[:count]


def label_outer(axes: np.ndarray, xlabel: str, ylabel: str) -> None:
    """Write the axis labels on the left panels and those with none below, or on all if no grid."""
    specs = [ax.get_subplotspec() for ax in axes]
    if None in specs:
        outer = [(True, True)] * len(specs)
    else:
        taken = {(spec.rowspan.start, spec.colspan.start) for spec in specs}
        outer = [
            ((spec.rowspan.stop, spec.colspan.start) not in taken, spec.is_first_col())
            for spec in specs
        ]
    xlabel, ylabel = (_two_lines(one) for one in (xlabel, ylabel))
    for ax, (bottom, left) in zip(axes, outer, strict=True):
        ax.set(xlabel=xlabel if bottom else "", ylabel=ylabel if left else "")


def _two_lines(text: str) -> str:
    """A label too long for a small panel, broken before what is measured."""
    start, found, rest = text.partition(" I(")
    return f"{start}\nI({rest}" if found and len(text) > 22 else text


def time_axis(ax: Axes, times: ArrayLike, label: str) -> None:
    """Make a logarithmic axis on which 0, the network before its first update, has a place too."""
    times = np.asarray(times, dtype=np.float64)
    positive = times[times > 0]
    first = 10 ** np.floor(np.log10(positive.min())) if positive.size else 1.0
    ax.set_xscale("symlog", linthresh=first, linscale=0.35)
    last = max(times.max(), first)
    ax.set_xlim(0 if times.min() <= 0 else times.min(), last * 1.05)
    decades = 10.0 ** np.arange(np.log10(first), np.log10(last) + 1e-9)
    decades = decades[:: -(-len(decades) // 5)]
    if times.min() <= 0 and first >= 100 and len(decades) > 2:
        decades = decades[1:]  # its number would run into the 0
    ax.set_xticks([0, *decades] if times.min() <= 0 else decades)
    ax.xaxis.set_major_formatter(lambda value, _: short_number(value))
    ax.set_xlabel(label)


def log_ticks(axis: Any) -> None:
    """Powers of ten on a logarithmic axis, written as a reader would.

    An axis that spans less than two decades gets steps between them.
    """
    low, high = sorted(axis.get_view_interval())
    near = low > 0 and np.log10(high / low) < 2
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if near else (1,), numticks=8))
    axis.set_major_formatter(lambda value, _: power(value))
    axis.set_minor_formatter(NullFormatter())


def power(value: float) -> str:
    """Number for a logarithmic axis.

    Examples
    --------
    >>> power(0.01), power(20), power(1e-5), power(1e6)
    ('0.01', '20', '10⁻⁵', '1M')
    """
    if 0 < value < 1e-3 * 0.999:
        exponent = round(np.log10(value))
        return f"10{str(exponent).translate(str.maketrans('-0123456789', '⁻⁰¹²³⁴⁵⁶⁷⁸⁹'))}"
    return short_number(value)


def short_number(value: float) -> str:
    """Count for a tick: thousands as k, millions as M.

    Examples
    --------
    >>> short_number(10000), short_number(400), short_number(2500)
    ('10k', '400', '2.5k')
    """
    for size, suffix in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{suffix}"
    return f"{value:g}"


def band(
    ax: Axes,
    x: ArrayLike,
    values: np.ndarray,
    style: Look,
    *,
    label: str,
    markers: bool = True,
    tails: bool = False,
) -> Line2D:
    """Median over seeds, the half of them around it as a band; values (seed, time).

    ``tails`` adds the quantiles 5 and 95 % as thin lines, where a panel has room for them.
    """
    low, lower, middle, upper, high = reading.quantiles(values)
    ax.fill_between(
        x, lower, upper, facecolor=(style.colour, 0.14), edgecolor=(style.colour, 0.5),
        linewidth=0.5, label=f"_{label}",
    )  # fmt: skip
    for edge in (low, high) if tails else ():
        ax.plot(x, edge, color=style.colour, alpha=0.7, linewidth=0.6, linestyle=(0, (1, 2)),
                label=f"_{label}, tail")  # fmt: skip
    every = max(1, len(middle) // 8)
    (line,) = ax.plot(x, middle, color=style.colour, linestyle=style.dashes, label=label)
    if markers:  # staggered by category, so that coinciding curves still show both
        line.set(marker=style.marker, markersize=5)
        line.set_markevery((COLOURS.index(style.colour) * every // len(COLOURS), every))
    return line


def ceiling(
    ax: Axes, value: float, label: str = "", *, vertical: bool = False, end: float | None = None
) -> Line2D:
    """Dotted line at a bound, its label on the far side, where no data should be.

    A level line may ``end`` at an x where names of curves begin.
    """
    if end is not None:
        (line,) = ax.plot([ax.get_xlim()[0], end], [value, value])
    else:
        line = (ax.axvline if vertical else ax.axhline)(value)
    line.set(color=GREY, linestyle=":", linewidth=1.2, marker="", label="_ceiling")
    if vertical:
        at, coordinates, step, turned = (value, 0.03), ("data", "axes fraction"), (-2, 0), 90
    else:
        at, coordinates, step, turned = (0, value), ("axes fraction", "data"), (4, 2), 0
    ax.annotate(
        label, at, step, xycoords=coordinates, textcoords="offset points", rotation=turned,
        ha="right" if vertical else "left", va="bottom", fontsize=9,
    )  # fmt: skip
    return line


def colour_bar(ax: Any, norm: Normalize, label: str, *, extend: str = "neither") -> Any:
    """Colour bar for ``shades`` beside ``ax`` (one, or several), with plain numbers as ticks.

    ``extend="max"`` points on where a number may lie beyond the last colour.
    """
    panels = list(np.atleast_1d(np.asarray(ax, dtype=object)))
    bar = panels[0].figure.colorbar(
        mpl.cm.ScalarMappable(norm, shades()), ax=panels, label=label, pad=0.02, extend=extend
    )
    bar.outline.set_visible(False)
    low, high = norm.vmin, norm.vmax
    if isinstance(norm, LogNorm) and low is not None and high is not None:
        bar.set_ticks(10.0 ** np.arange(np.ceil(np.log10(low)), np.log10(high) + 1e-9))
        bar.ax.yaxis.set_major_formatter(lambda value, _: short_number(value))
        bar.ax.minorticks_off()
    return bar


def handle(label: str, style: Look, *, line: bool = True, marker: bool = True) -> Line2D:
    """Legend entry in the style's colour: its marker and its dashes, unless one is off."""
    return Line2D(
        [],
        [],
        color=style.colour,
        marker=style.marker if marker else "",
        markersize=6,
        linestyle=style.dashes if line else "none",
        label=label,
    )


def side_legend(ax: Axes, **options: Any) -> Any:
    """Legend to the right of the axes, where it hides nothing; the layout makes room for it."""
    return ax.legend(
        **{"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0} | options
    )


def below_legend(axes: np.ndarray, handles: Sequence[Any], title: str = "") -> Any:
    """One legend for all panels, below them, in as many rows as the width asks for."""
    figure = axes[0].figure
    widest = max(len(str(one.get_label())) for one in handles)
    fit = int(72 * figure.get_figwidth() / (6.2 * widest + 42))
    return figure.legend(
        handles=handles, title=title, loc="outside lower center",
        ncols=max(1, min(len(handles), fit)),
    )  # fmt: skip


def plane_axes(
    ax: Axes, plane: xr.Dataset, x: np.ndarray, y: np.ndarray, *, named: bool = True
) -> None:
    """Label a plane and draw its ceilings log2 N and H(Y), by name where ``named``.

    The axes hold zero, the ceilings and all of ``x`` and ``y``: an estimate beyond its bound is
    shown there.
    """
    ax.set(
        xlabel=reading.information_label(plane, "i_xt"),
        ylabel=reading.information_label(plane, "i_ty"),
    )
    bounds = reading.ceilings_of(plane)
    for name, values in {"i_xt": x, "i_ty": y}.items():
        horizontal = name == "i_xt"
        top, label = bounds.get(name, (float(values.max()), ""))
        if name in bounds:
            ceiling(ax, top, label if named else "", vertical=horizontal)
        get, put = (ax.get_xlim, ax.set_xlim) if horizontal else (ax.get_ylim, ax.set_ylim)
        low, high = get()
        put(
            min(low, -0.02 * top, 1.02 * float(values.min())),
            max(high, (1.06 if horizontal else 1.1) * top, 1.02 * float(values.max())),
        )


def mark_path(
    ax: Axes, path: np.ndarray, between: Sequence[int], colour: str, *, label: str
) -> None:
    """Along a path (point, 2): a ring at the first point, a disc at the last, dots between."""
    for at, (size, face) in zip(([0], list(between), [-1]), _MARKS, strict=True):
        ax.plot(
            *path[at].T, "o", color=colour, markersize=size, markerfacecolor=face, zorder=3,
            markeredgewidth=1.5 if face == "none" else 0, label=label,
        )  # fmt: skip


_MARKS = ((7, "none"), (3.4, None), (8, None))  # size and filling; None: the colour of the path


def path_marks(first: str, between: str, last: str) -> list[Line2D]:
    """Legend entries for :func:`mark_path`; an empty name is left out."""
    return [
        Line2D([], [], color=GREY, marker="o", linestyle="none", markersize=size, label=name,
               markerfacecolor=face, markeredgewidth=1.5 if face == "none" else 0)
        for name, (size, face) in zip((first, between, last), _MARKS, strict=True) if name
    ]  # fmt: skip
