"""The figure of the landing page: one layer of the same networks, under several rulers.

Computed from the stored planes of the chapter on rulers when the pages are written. Text stays
text and takes the colour of the page around it; a second drawing, for phones, has the two panels
one above the other.
"""

from __future__ import annotations

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from multiverse_planes import Stored
from sentences import short

from ibcore.plots import style
from ibcore.plots.labels import spread

LAYER = 5
# A few words -> the ruler; a panel shows those that its plane holds.
RULERS = {
    "no ruler (float32)": "Exact()",
    "rounded to 8 bits": "Quantised(n_bits=8)",
    "adaptive bins": "AdaptiveBinning(n_bins=30)",
    "bins of one width": "",  # of the activation, below
    "noise of variance 0.001": "KernelBound(noise_variance=0.0009765625, bound='upper')",
    "bins even in the net input": "NetInputBinning(n_edges=30, limit=50.0, collapsed=False)",
}
OF_ONE_WIDTH = {
    "tanh": "Binning(n_bins=30, low=-1.0, high=1.0)",
    "ReLU": "RangeBinning(n_bins=100)",
}
INK = "#767676"  # replaced by the colour of the text around the drawing


@dataclass(frozen=True)
class Curve:
    """The median over networks of what the layer knows of the input, in bits."""

    activation: str
    ruler: str
    epochs: np.ndarray
    bits: np.ndarray

    @property
    def lost(self) -> float:
        """From the highest point to the end."""
        return float(self.bits.max() - self.bits[-1])


def read_curves(results: Path) -> list[Curve]:
    """The curves of the figure; none where the planes are not stored."""
    if not (results / "planes").is_dir():
        return []
    stored, curves = Stored("estimators"), []
    for activation in ("tanh", "ReLU"):
        plane = stored.plane(activation.lower())
        if plane is None:
            return []
        known = plane.i_xt.sel(layer=LAYER).median("seed")
        for label, name in RULERS.items():
            if (name := name or OF_ONE_WIDTH[activation]) in plane.estimator.values:
                bits = known.sel(estimator=name).values
                curves.append(Curve(activation, label, plane.epoch.values, bits))
    return curves


def description(curves: Sequence[Curve]) -> str:
    """What the figure shows, for those who do not see it."""
    parts = []
    for activation in ("tanh", "ReLU"):
        lost = [f"{short(one.lost)} with {one.ruler}" for one in _of(activation, curves)]
        parts.append(f"{activation} loses {', '.join(lost)}")
    return (
        f"How many bits the layer before the output knows of its input while the same networks "
        f"learn, one line for each ruler. From its highest point to the end, {'; '.join(parts)}."
    )


def caption(curves: Sequence[Curve]) -> str:
    """One sentence that holds whatever the numbers are."""
    ranges = []
    for activation in ("tanh", "ReLU"):
        lost = [one.lost for one in _of(activation, curves)]
        ranges.append(f"between {short(min(lost))} and {short(max(lost))} bits with {activation}")
    return (
        "One layer, one training, several rulers: what the layer before the output tells of its "
        f"input. From its highest point to the end it loses {' and '.join(ranges)}, and nothing "
        "differs between the lines of a panel but the ruler. Hollow: before the first update. "
        "Filled: at the end. Medians of fifty networks with the same task and the same initial "
        "weights."
    )


def rows(curves: Sequence[Curve]) -> list[tuple[str, ...]]:
    """Activation and ruler; bits at the start, highest, at the end, and lost."""
    return [
        (one.activation, one.ruler, *(short(float(x)) for x in bits))
        for one in curves
        for bits in [(one.bits[0], one.bits.max(), one.bits[-1], one.lost)]
    ]


def drawing(curves: Sequence[Curve], *, narrow: bool = False) -> str:
    """The figure as SVG, in pixels of the page that shows it."""
    size = (4.9, 9.2) if narrow else (10.6, 4.8)
    look = {
        "svg.fonttype": "none", "svg.hashsalt": "rulers-narrow" if narrow else "rulers",
        "font.family": "sans-serif", "font.sans-serif": ["Arial", "Helvetica", "DejaVu Sans"],
        "font.size": 13, "text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK,
        "axes.titlecolor": INK, "xtick.color": INK, "ytick.color": INK, "axes.facecolor": "none",
        "figure.facecolor": "none", "savefig.facecolor": "none", "axes.spines.top": False,
        "axes.spines.right": False,
    }  # fmt: skip
    with mpl.rc_context(look):
        shape = (2, 1) if narrow else (1, 2)
        figure, axes = plt.subplots(*shape, figsize=size, sharey=True)
        if narrow:
            figure.subplots_adjust(left=0.13, right=0.56, top=0.95, bottom=0.07, hspace=0.32)
        else:
            figure.subplots_adjust(left=0.06, right=0.79, top=0.91, bottom=0.13, wspace=1.0)
        for ax, activation in zip(axes.flat, ("tanh", "ReLU"), strict=True):
            _panel(ax, activation, _of(activation, curves))
        file = io.StringIO()
        figure.savefig(file, format="svg", backend="svg", metadata={"Date": None, "Creator": None})
        plt.close(figure)
    return _for_pages(file.getvalue(), "narrow" if narrow else "wide")


def _of(activation: str, curves: Sequence[Curve]) -> list[Curve]:
    return [one for one in curves if one.activation == activation]


def _panel(ax: Axes, activation: str, curves: Sequence[Curve]) -> None:
    for one in curves:
        kind = style.look(list(RULERS).index(one.ruler))
        ax.plot(one.epochs, one.bits, color=kind.colour, linestyle=kind.dashes, linewidth=2)
        for place, filling in ((0, "none"), (-1, kind.colour)):
            ax.plot(
                one.epochs[place], one.bits[place], marker="o", markersize=7, color=kind.colour,
                markerfacecolor=filling, clip_on=False, zorder=3,
            )  # fmt: skip
    last = int(curves[0].epochs[-1])
    ax.set_xscale("symlog", linthresh=1)
    ax.set_xticks([0, 10, 1000], ["0", "10", "1000"])
    ax.minorticks_off()
    ax.set_xlim(-0.35, last * 1.6)
    ax.set_ylim(-0.3, 12.6)
    ax.set_yticks(range(0, 13, 4))
    ax.tick_params(labelleft=True)
    ax.set_xlabel("epoch")
    ax.set_title(f"{activation}: bits about the input", loc="left", fontsize=14, weight="bold")
    ends = sorted(curves, key=lambda one: one.bits[-1])
    for one, y in zip(ends, spread([float(one.bits[-1]) for one in ends], 1.7), strict=True):
        kind = style.look(list(RULERS).index(one.ruler))
        lost = "loses nothing" if one.lost < 0.05 else f"loses {short(one.lost)}"
        ax.annotate(
            f"{one.ruler}\n{lost}", (1, float(one.bits[-1])), (1.13, y),
            xycoords=("axes fraction", "data"), textcoords=("axes fraction", "data"),
            va="center", fontsize=12, linespacing=1.15, annotation_clip=False,
        )  # fmt: skip
        # From the end of the curve to its name.
        ax.add_line(
            Line2D(
                [0.97, 1.11], [(one.bits[-1] + 0.3) / 12.9, (y + 0.3) / 12.9], linewidth=1,
                color=kind.colour, transform=ax.transAxes, clip_on=False,
            )
        )  # fmt: skip


def _for_pages(svg: str, name: str) -> str:
    """Without its heading, in the colour of the text around it, with ids of its own."""
    svg = svg[svg.index("<svg") :].replace(INK, "currentColor")
    svg = re.sub(r"<metadata>.*?</metadata>\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    return re.sub(r'<svg ([^>]*?)width="[^"]*pt" height="[^"]*pt"', r"<svg \1", svg, count=1)
