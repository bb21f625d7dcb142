"""The look all figures share: colours, markers, axes, bands, legends."""

from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import Colormap, ListedColormap, LogNorm, Normalize, SymLogNorm
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from ibcore.plots import reading

GREY = "#777777"  # as far from white (4.5:1) as from the dark page (4.2:1)
WIDTH = 6.4  # inches, one panel; with 11 pt type it still reads at 360 px

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

    Backgrounds are transparent and everything written is mid-grey. SVG text becomes outlines, so
    that it looks the same without our fonts, and ids are salted with a constant, so that the same
    figure is the same file.
    """
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
            "svg.fonttype": "path",
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
    for ax, (bottom, left) in zip(axes, outer, strict=True):
        ax.set(xlabel=xlabel if bottom else "", ylabel=ylabel if left else "")


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
    ax.set_xticks([0, *decades] if times.min() <= 0 else decades)
    ax.xaxis.set_major_formatter(lambda value, _: short_number(value))
    ax.set_xlabel(label)


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
    ax: Axes, x: ArrayLike, values: np.ndarray, style: Look, *, label: str, markers: bool = True
) -> Line2D:
    """Median over seeds with 25-75 % and 5-95 % bands; values (seed, time)."""
    low, lower, middle, upper, high = reading.quantiles(values)
    ax.fill_between(x, low, high, color=style.colour, alpha=0.12, linewidth=0)
    ax.fill_between(x, lower, upper, color=style.colour, alpha=0.25, linewidth=0)
    every = max(1, len(middle) // 8)
    (line,) = ax.plot(x, middle, color=style.colour, linestyle=style.dashes, label=label)
    if markers:  # staggered by category, so that coinciding curves still show both
        line.set(marker=style.marker, markersize=5)
        line.set_markevery((COLOURS.index(style.colour) * every // len(COLOURS), every))
    return line


def ceiling(ax: Axes, value: float, label: str = "", *, vertical: bool = False) -> Line2D:
    """Dotted line at a bound, its label on the far side, where no data should be."""
    line = (ax.axvline if vertical else ax.axhline)(value, color=GREY, linestyle=":", linewidth=1.2)
    line.set_label("_ceiling")
    if vertical:
        ax.annotate(
            label,
            (value, 0.88),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            xytext=(2, 0),
            rotation=90,
            ha="left",
            va="top",
            fontsize=9,
        )
    else:
        ax.annotate(
            label,
            (0, value),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            xytext=(4, 2),
            ha="left",
            va="bottom",
            fontsize=9,
        )
    return line


def epoch_norm(epochs: ArrayLike) -> Normalize:
    """Logarithmic colour scale over epochs on which epoch 0 has a colour too."""
    return SymLogNorm(
        linthresh=1, linscale=0.35, vmin=0, vmax=max(2.0, float(np.max(epochs))), base=10
    )


def colour_bar(ax: Any, norm: Normalize, label: str) -> Any:
    """Colour bar for ``shades`` beside ``ax`` (one, or several), with plain numbers as ticks."""
    panels = list(np.atleast_1d(np.asarray(ax, dtype=object)))
    bar = panels[0].figure.colorbar(
        mpl.cm.ScalarMappable(norm, shades()), ax=panels, label=label, pad=0.02
    )
    bar.outline.set_visible(False)
    low, high = norm.vmin, norm.vmax
    if isinstance(norm, SymLogNorm | LogNorm) and low is not None and high is not None:
        decades = 10.0 ** np.arange(np.ceil(np.log10(max(low, 1))), np.log10(high) + 1e-9)
        bar.set_ticks([0, *decades] if low == 0 else list(decades))
        bar.ax.yaxis.set_major_formatter(lambda value, _: short_number(value))
        bar.ax.minorticks_off()
    return bar


def handle(label: str, style: Look, *, line: bool = True, colour: str | None = None) -> Line2D:
    """Legend entry: marker in the style's colour, with its dashes unless ``line`` is off."""
    return Line2D(
        [],
        [],
        color=colour or style.colour,
        marker=style.marker,
        markersize=5,
        linestyle=style.dashes if line else "none",
        label=label,
    )


def side_legend(ax: Axes, **options: Any) -> Any:
    """Legend to the right of the axes, where it hides nothing; the layout makes room for it."""
    return ax.legend(
        **{"loc": "upper left", "bbox_to_anchor": (1.01, 1.0), "borderaxespad": 0} | options
    )


def below_legend(axes: np.ndarray, handles: list[Line2D], title: str) -> Any:
    """One legend for all panels, below them."""
    return axes[0].figure.legend(
        handles=handles, title=title, loc="outside lower center", ncols=min(len(handles), 6)
    )


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


def apart(points: np.ndarray, distance: float) -> np.ndarray:
    """Rows of ``points`` (point, 2) to mark: the ends, and between them none closer than that.

    Examples
    --------
    >>> apart(np.array([[0, 0], [1, 0], [2, 0], [5, 0], [5, 1]]), 2)
    array([0, 2, 3, 4])
    """
    kept = [0]
    for i, point in enumerate(points):
        if np.hypot(*(point - points[kept[-1]])) >= distance:
            kept.append(i)
    return np.unique([*kept, len(points) - 1])
