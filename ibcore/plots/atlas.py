"""Figures about the rulers themselves: verdict maps, parts of what is known, bounds, a slider."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from numpy.typing import ArrayLike

from ibcore.plots import labels as labels_
from ibcore.plots import reading, style
from ibcore.plots.script import PAGE, widget

PARTS = {
    "known_label": "label",
    "known_signature": "signature, given the label",
    "known_orbit": "orbit, given the signature",
    "known_within": "input, given the orbit",
}


def verdict_map(
    compression: Mapping[str, xr.DataArray],
    labels: Sequence[str],
    *,
    threshold: float = 0.5,
    largest: float = 6.0,
    axes: Iterable[Axes] | None = None,
) -> np.ndarray:
    """Median compression of every layer under every ruler, one panel per kind of network.

    Parameters
    ----------
    compression : mapping of name to (estimator, seed, layer) array
        C in bits; all with the same rulers in the same order.
    labels : sequence of str
        What each ruler is called, top to bottom.
    threshold : float
        Cells above it, in the median network, are filled and carry their number: there the verdict
        is "compresses".
    largest : float
        Bits at the bright end of the colours.

    Returns
    -------
    (panel,) array of Axes
    """
    axes = style.many_axes(
        axes, len(compression), columns=2, height=0.24 * len(labels) + 0.9, sharey=True
    )
    norm = Normalize(0, largest)
    for ax, (name, values) in zip(axes, compression.items(), strict=True):
        if values.sizes["estimator"] != len(labels):
            raise ValueError(
                f"labels must name the {values.sizes['estimator']} rulers of {name}, got "
                f"{len(labels)}."
            )
        median = values.transpose("estimator", "seed", "layer").median("seed").values
        shown = np.ma.masked_less_equal(median, threshold)
        ax.imshow(shown, aspect="auto", cmap=style.shades(), norm=norm)
        for i, j in np.ndindex(median.shape):
            if median[i, j] > threshold:
                dark = norm(median[i, j]) < 0.5
                ax.text(j, i, f"{median[i, j]:.1f}", ha="center", va="center", fontsize=8,
                        color="white" if dark else "black")  # fmt: skip
        ax.set_xticks(range(values.sizes["layer"]), values.layer.values)
        ax.set_yticks(range(len(labels)), labels, fontsize=8)
        ax.grid(False)
        for i in range(len(labels) + 1):
            ax.axhline(i - 0.5, color=style.GREY, alpha=0.15, linewidth=0.5)
        ax.set(title=name, xlabel="layer")
    style.colour_bar(axes, norm, "C, bits, median over networks", extend="max")
    return axes


def known_parts(plane: xr.Dataset, *, axes: Iterable[Axes] | None = None) -> np.ndarray:
    """What each layer knows of the 12-bit input over training, stacked part by part.

    Means over networks, so that the parts add up to the mean I(X; bin(T)).

    Returns
    -------
    (layer,) array of Axes
    """
    layers = reading.chosen_layers(plane, None)
    axes = style.many_axes(axes, len(layers), columns=3, height=2.2, sharex=True, sharey=True)
    epochs, label = reading.times_of(plane, "epoch")
    for ax, layer in zip(axes, layers, strict=True):
        parts = [plane[name].sel(layer=layer).mean("seed").values for name in PARTS]
        colours = [style.look(i).colour for i in range(len(PARTS))]
        bands = ax.stackplot(epochs, parts, colors=colours, alpha=0.75, labels=PARTS.values())
        for i, patch in enumerate(bands):
            patch.set_hatch(("", "//", "..", "\\\\")[i])
            patch.set_edgecolor(style.GREY)
            patch.set_linewidth(0.3)
        style.time_axis(ax, epochs, label)
        ax.set_title(f"layer {reading.layer_names(plane)[layer]}")
    style.label_outer(axes, label, "bits")
    style.below_legend(axes, axes[0].get_legend_handles_labels()[0], "known of the")
    return axes


def lines(
    x: ArrayLike,
    values: Mapping[str, ArrayLike],
    *,
    xlabel: str,
    ylabel: str,
    log: str = "x",
    levels: Mapping[str, float] | None = None,
    names: bool = True,
    legend: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Named curves over a common axis; (network, point) arrays as median and 25-75 % band.

    Parameters
    ----------
    x : (point,) array
    values : mapping of name to (point,) or (network, point) array
    xlabel, ylabel : str
        With units.
    log : "x", "y", "xy" or ""
        Which axes are logarithmic.
    levels : mapping of name to float, optional
        Heights to mark with a dotted line, such as one that no curve may pass.
    names : bool
        Write each curve's name at its end.
    legend : bool
        Write the names below instead, where curves end in one place.
    """
    ax, ends = style.one_axes(ax, (style.NARROW, 3.6 + 0.7 * legend)), []
    for i, (name, one) in enumerate(values.items()):
        one, look = np.asarray(one, float), style.look(i)
        if one.ndim == 2:
            style.band(ax, x, one, look, label=name, markers=False)
            one = np.quantile(one, 0.5, axis=0)
        else:
            ax.plot(x, one, color=look.colour, linestyle=look.dashes, label=name)
        if (held := np.flatnonzero(np.isfinite(one))).size:
            last = held[np.argmax(np.asarray(x, float)[held])]
            ends.append(labels_.End(name, float(np.asarray(x)[last]), float(one[last]), look))
    for axis, scale in (("x", ax.set_xscale), ("y", ax.set_yscale)):
        if axis in log:
            scale("log")
            style.log_ticks(getattr(ax, f"{axis}axis"))
    for name, level in (levels or {}).items():
        style.ceiling(ax, level, name)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if legend:
        style.below_legend(np.array([ax]), ax.get_legend_handles_labels()[0])
    elif ends and names and (len(values) > 1 or next(iter(values))):
        ax.set_xlim(right=float(ax.dataLim.x1))  # names stand beside the panel, not in its lines
        labels_.at_the_ends(ax, ends, mark=False)
    return ax


def histogram(
    values: Mapping[str, ArrayLike],
    *,
    edges: ArrayLike,
    xlabel: str,
    legend: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Share of the values in each bin, one outline per name, on a log axis.

    Parameters
    ----------
    values : mapping of name to array
        Arrays of any shape; what lies outside the edges is refused.
    edges : (bin + 1,) array
        Increasing.
    xlabel : str
    legend : bool
        Leave it out where a neighbouring panel has it already.
    """
    ax = style.one_axes(ax, (style.WIDTH, 3.2))
    edges = np.asarray(edges, float)
    for i, (name, one) in enumerate(values.items()):
        counts, _ = np.histogram(np.asarray(one), edges)
        if counts.sum() != np.size(one):
            raise ValueError(
                f"{np.size(one) - counts.sum()} values of {name!r} lie outside the edges "
                f"[{edges[0]:g}, {edges[-1]:g}]; widen them."
            )
        look = style.look(i)
        share = counts / counts.sum()
        ax.stairs(share, edges, color=look.colour, linestyle=look.dashes, linewidth=1.6, label=name)
    ax.set_yscale("log")
    style.log_ticks(ax.yaxis)
    ax.set(xlabel=xlabel, ylabel="share of the values in a bin")
    if legend:
        ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(values))
    return ax


class RulerSlider:
    """An information plane with a slider for the ruler: a cell's output that works offline.

    Every position of the slider is one ruler; the paths are medians over networks, computed
    beforehand, and a second slider plays them over the epochs. Rulers of one kind stand in the
    order of their size. Without JavaScript a sentence says what would be there.

    Parameters
    ----------
    planes : mapping of name to Dataset
        All with the same epochs and layers.
    rulers : mapping of label to repr of a ruler
        Positions of the slider; every plane must hold them.
    threshold : float
        Layers whose median compression exceeds it are named below the plane.
    """

    def __init__(
        self,
        planes: Mapping[str, xr.Dataset],
        rulers: Mapping[str, str],
        *,
        threshold: float = 0.5,
    ):
        labels = in_order(rulers)
        first = next(iter(planes.values()))
        drawn = []
        for name, plane in planes.items():
            if not np.array_equal(plane.epoch, first.epoch):
                raise ValueError(f"planes must be measured at the same epochs; {name} is not.")
            chosen = plane.sel(estimator=[rulers[label] for label in labels])
            ends = chosen.i_xt.isel(epoch=-1).transpose("estimator", "layer", "seed")
            drawn.append(
                {
                    "name": name,
                    "top": float(np.log2(plane.attrs["n_samples"])),
                    "right": float(plane.attrs["label_entropy"]),
                    "x": chosen.i_xt.median("seed").round(3).values.tolist(),
                    "y": chosen.i_ty.median("seed").round(3).values.tolist(),
                    "spread": np.moveaxis(np.quantile(ends, [0.25, 0.75], axis=-1), 0, -1)
                    .round(3)
                    .tolist(),
                }
            )
        self.data: dict[str, Any] = {
            "rulers": labels,
            "threshold": threshold,
            "epochs": first.epoch.values.tolist(),
            "layers": list(reading.layer_names(first).values()),
            "planes": drawn,
        }

    def _repr_html_(self) -> str:
        return widget("ruler-slider", self.data, PAGE / "ui_ruler_slider.js", _WITHOUT)

    def __repr__(self) -> str:
        """For outputs without HTML."""
        return f"RulerSlider of {len(self.data['rulers'])} rulers"


_WITHOUT = (
    "With JavaScript this is an information plane with a slider for the ruler; the map above holds "
    "the same verdicts."
)


def in_order(rulers: Mapping[str, str]) -> list[str]:
    """Labels of rulers, those of one kind together and in the order of their size.

    Examples
    --------
    >>> in_order({"30": "Binning(n_bins=30)", "EBAB": "AdaptiveBinning(n_bins=30)",
    ...           "2": "Binning(n_bins=2)"})
    ['2', '30', 'EBAB']
    """
    kinds = [re.sub(_NUMBER, "", name) for name in rulers.values()]
    sizes = [[float(one) for one in re.findall(_NUMBER, name)] for name in rulers.values()]
    place = {
        label: (kinds.index(k), size) for label, k, size in zip(rulers, kinds, sizes, strict=True)
    }
    return sorted(rulers, key=place.__getitem__)


_NUMBER = r"-?\d+(?:\.\d+)?(?:e-?\d+)?"
