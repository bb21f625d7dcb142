"""Cells of a verdict, interventions, what is lost, paths of students, and the closing table."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from ibcore.claims import NoVerdict, Verdict
from ibcore.claims import effects as fx
from ibcore.claims.findings import number
from ibcore.plots import labels, style

Verdicts = Verdict | NoVerdict
PARTS = {
    "known_label": "label",
    "known_signature": "signature",
    "known_orbit": "orbit",
    "known_within": "within the orbit",
}
MARKS = {"agrees": (0, "as claimed"), "opposite": (3, "the opposite"), "none": (2, "nothing")}
OPEN = 5, "open"


def cells(
    verdict: Verdicts, names: Sequence[str] = (), *, xlabel: str, ax: Axes | None = None
) -> Axes:
    """Every cell of the named tests, or of the first, with its 95 % interval, one below the other.

    Dotted: the null value; shaded: what counts as nothing. A cell that cannot answer has its label
    and no point. Without a verdict there is nothing to draw, and the axes say so.

    Parameters
    ----------
    verdict : Verdict or NoVerdict
    names : sequence of str
        Of tests.
    xlabel : str
        With the unit.
    """
    if not (tests := _tests(verdict, names)):
        return _nothing(verdict, xlabel, ax)
    shown = [(test, cell) for test in tests for cell in test.cells]
    ax = style.one_axes(ax, (style.WIDTH, 1.2 + 0.24 * len(shown)))
    drawn: dict[str, Any] = {}
    for place, (_, cell) in enumerate(shown):
        k, said = MARKS.get(cell.mark, OPEN)
        look = style.look(k)
        if cell.mark != "hollow":
            ax.hlines(place, cell.low, cell.high, color=look.colour, linewidth=2)
            ax.plot(cell.effect, place, color=look.colour, marker=look.marker, linestyle="none")
            drawn[said] = style.handle(said, look, line=False)
    first = tests[0]
    if first.margin:
        ax.axvspan(
            first.null - first.margin, first.null + first.margin, color=style.GREY, alpha=0.15,
            linewidth=0,
        )  # fmt: skip
    ax.axvline(first.null, color=style.GREY, linestyle=":", linewidth=1.2)
    rows = [
        (f"{test.name}: " if len(tests) > 1 else "")
        + cell.label
        + (" (cannot answer)" if cell.mark == "hollow" else "")
        for test, cell in shown
    ]
    ax.set_yticks(range(len(shown)), rows, fontsize=9)
    ax.set(ylim=(len(shown) - 0.5, -0.5), xlabel=xlabel)
    ax.grid(visible=False, axis="y")
    if drawn:
        ax.legend(handles=list(drawn.values()), loc="lower right", bbox_to_anchor=(1, 1), ncols=4)
    return ax


def interventions(verdicts: Sequence[Verdicts], *, ax: Axes | None = None) -> Axes:
    """What less information gains in accuracy, against how many bits less it is.

    Parameters
    ----------
    verdicts : sequence of Verdict
        With the tests "less against more" and "information apart".
    """
    label = "test accuracy gained by knowing less [%]"
    found = [one for one in verdicts if isinstance(one, Verdict) and one.tests]
    if not found:
        return _nothing(verdicts[0], label, ax)
    ax, place, named, bars = style.one_axes(ax), 0, {}, []
    for verdict in found:
        gain, apart = _tests(verdict, ("less against more", "information apart"))
        bits = {cell.label: cell for cell in apart.cells}
        for cell in gain.cells:
            look, x = style.look(place), bits[cell.label]
            place += 1
            if cell.mark == "hollow":
                continue
            named[cell.label] = x.effect, 100 * cell.effect
            ax.hlines(100 * cell.effect, x.low, x.high, color=look.colour)
            ax.vlines(x.effect, 100 * cell.low, 100 * cell.high, color=look.colour)
            bars.append(((x.low, 100 * cell.effect), (x.high, 100 * cell.effect)))
            bars.append(((x.effect, 100 * cell.low), (x.effect, 100 * cell.high)))
            ax.plot(
                x.effect, 100 * cell.effect, color=look.colour, marker=look.marker, markersize=8,
                linestyle="none", label=cell.label,
            )  # fmt: skip
    margin = 100 * (_tests(found[0], ())[0].margin or 0)
    ax.axhspan(-margin, margin, color=style.GREY, alpha=0.15, linewidth=0)
    ax.axhline(0, color=style.GREY, linestyle=":", linewidth=1.2)
    ax.set(xlabel="information apart, mean of layers 3 to 5 [bits]", ylabel=label)
    low, high = ax.get_xlim()  # room for the names
    ax.set_xlim(low - 0.45 * (high - low), high + 0.2 * (high - low))
    places = np.array(list(named.values())).reshape(-1, 2)
    labels.beside_points(ax, places[:, 0], places[:, 1], list(named), bars=bars)
    return ax


def lost_parts(planes: Mapping[str, xr.Dataset], layer: int, *, ax: Axes | None = None) -> Axes:
    """Bits of each part that a layer loses from the peak of I(X;T) to the end, mean over networks.

    Parameters
    ----------
    planes : mapping of name to plane
        With the parts of the 12-bit input.
    layer : int
    """
    ax = style.one_axes(ax, (style.WIDTH, 1.4 + 0.4 * len(planes)))
    lost = np.array([_lost(plane, layer) for plane in planes.values()])
    left = np.zeros((2, len(planes)))  # gains go to the left, losses to the right
    for k, (part, name) in enumerate(zip(lost.T, PARTS.values(), strict=True)):
        side = (part > 0).astype(int)
        start = left[side, np.arange(len(planes))]
        ax.barh(
            list(planes), part, left=start, color=style.look(k).colour, label=name, alpha=0.85,
            hatch=("", "//", "..", "\\\\")[k], edgecolor=style.GREY, linewidth=0.3,
        )  # fmt: skip
        left[side, np.arange(len(planes))] += part
    ax.axvline(0, color=style.GREY, linewidth=1)
    ax.invert_yaxis()
    ax.set(xlabel=f"lost by layer {layer} since its peak [bits]")
    ax.grid(visible=False, axis="y")
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4)
    return ax


def _lost(plane: xr.Dataset, layer: int) -> list[float]:
    parts = [fx.curve(plane, name).sel(layer=layer) for name in PARTS]
    whole = sum(parts[1:], start=parts[0])
    return [float((fx.at_peak(one, whole) - fx.final(one)).mean()) for one in parts]


def students(
    planes: Mapping[str, xr.Dataset], curve: xr.Dataset, layer: int, *, ax: Axes | None = None
) -> Axes:
    """Paths of a layer in the information plane, median networks, below the bottleneck curve.

    Parameters
    ----------
    planes : mapping of name to plane
    curve : Dataset
        ``complexity`` and ``relevance`` in bits.
    layer : int
    """
    ax = style.one_axes(ax)
    ends = []
    for k, (name, plane) in enumerate(planes.items()):
        look = style.look(k)
        x, y = (
            plane[one].isel(estimator=0).sel(layer=layer).median("seed").values
            for one in ("i_xt", "i_ty")
        )
        ax.plot(x, y, color=look.colour, linestyle=look.dashes, label=name)
        ax.plot(x[-1:], y[-1:], color=look.colour, marker=look.marker, markersize=7, label="_end")
        ends.append((max(x), max(y)))
    ax.plot(
        curve.complexity, curve.relevance, color=style.GREY, linewidth=2, label="bottleneck curve"
    )
    ax.set(
        xlabel="I(X; T+Z) [bits]", ylabel="I(T+Z; Y) [bits]",
        xlim=(0, 1.1 * max(x for x, _ in ends)), ylim=(0, 1.3 * max(y for _, y in ends)),
    )  # fmt: skip
    style.below_legend(np.array([ax]), ax.get_legend_handles_labels()[0])
    return ax


def against_each_other(
    paths: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    labels_of_axes: Sequence[str],
    ax: Axes | None = None,
) -> Axes:
    """One number against another over time: from the ring to the disc.

    Parameters
    ----------
    paths : mapping of name to two (time,) arrays
    labels_of_axes : sequence of str
        With units.
    """
    ax, drawn = style.one_axes(ax), {}
    for k, (name, path) in enumerate(paths.items()):
        look = style.look(k)
        points = drawn[name] = np.column_stack([np.asarray(one, float) for one in path])
        ax.plot(*points.T, color=look.colour, linestyle=look.dashes, label=name)
        style.mark_path(ax, points, [], look.colour, label="_end")
    ax.set(xlabel=labels_of_axes[0], ylabel=labels_of_axes[1])
    labels.number_paths(ax, drawn)
    return ax


def summary(verdicts: Sequence[Verdicts]) -> dict[str, dict[str, str]]:
    """All controls by id: what is asked, the word, the effect with its interval, one sentence."""
    return {
        one.id: {
            "asked": getattr(one, "title", ""),
            "word": getattr(one, "shown", ""),
            "effect": _effect(one),
            "found": one.finding if isinstance(one, Verdict) else one.reason,
        }
        for one in verdicts
    }


def _effect(verdict: Verdicts) -> str:
    if not isinstance(verdict, Verdict) or not np.isfinite(verdict.effect):
        return ""
    ends = f"[{number(verdict.low)}, {number(verdict.high)}]"
    return f"{number(verdict.effect)} {ends} {verdict.unit}"


def _tests(verdict: Verdicts, names: Sequence[str]) -> list[Any]:
    """The tests of these names in their order, or the first; none where there is no verdict."""
    if not isinstance(verdict, Verdict) or not verdict.tests:
        return []
    known = {test.name: test for test in verdict.tests}
    return [known[name] for name in names] or [verdict.tests[0]]


def _nothing(verdict: Verdicts, label: str, ax: Axes | None) -> Axes:
    said = verdict.reason if isinstance(verdict, NoVerdict) else verdict.finding
    ax = style.one_axes(ax, (style.WIDTH, 1.4))
    ax.text(0.5, 0.5, said, ha="center", va="center", transform=ax.transAxes)
    ax.set(yticks=[], xlabel=label)
    return ax
