"""Specification curves, one for each claim, and their overview: book/_static/multiverse/*.svg.

python book/_tools/multiverse_figures.py

Drawn from book/results/multiverse.json alone. Above, the effect of every combination of choices
with its 95 % interval, sorted; below, which choices each of them makes, and what it says.
"""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from execute import BOOK
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Line
from mdtext import anchor

from ibcore.files import write_whole
from ibcore.plots import style

FOLDER = BOOK / "_static" / "multiverse"
SAID = {
    "agrees": "agrees", "none found": "nothing there", "open": "open", "opposite": "opposite",
}  # fmt: skip
COLOURS = {
    "agrees": style.COLOURS[0], "none found": style.GREY, "open": style.COLOURS[1],
    "opposite": style.COLOURS[3],
}  # fmt: skip
HATCHES = {"agrees": "", "none found": "....", "open": "////", "opposite": "xxxx"}
MARKS = tuple(SAID)
WIDTH = 7.2


def file_of(claim_id: str) -> str:
    """The name of a claim's drawing.

    >>> file_of("SZT-F3")
    'szt-f3.svg'
    """
    return anchor(claim_id).removeprefix("verdict-") + ".svg"


def strokes(ax: Axes, x: np.ndarray, low: np.ndarray, high: np.ndarray, **look: Any) -> None:
    """Upright strokes as one path: a thousand of them are still one element of the drawing."""
    ends = np.stack([np.column_stack([x, low]), np.column_stack([x, high])], axis=1)
    codes = np.tile([Line.MOVETO, Line.LINETO], len(x))
    ax.add_patch(PathPatch(Line(ends.reshape(-1, 2).round(4), codes), fill=False, **look))


def runs(ax: Axes, x: np.ndarray, y: float, half: float, **look: Any) -> None:
    """Thick dashes at places of one row, neighbours in one, as one path."""
    if half < 0.5:
        first, last = x, x
    else:
        gaps = np.flatnonzero(np.diff(x) > 1)
        first, last = x[np.r_[0, gaps + 1]], x[np.r_[gaps, len(x) - 1]]
    ends = np.stack(
        [np.column_stack([first - half, np.full(len(first), y)]),
         np.column_stack([last + half, np.full(len(first), y)])],
        axis=1,
    )  # fmt: skip
    codes = np.tile([Line.MOVETO, Line.LINETO], len(first))
    line = Line(ends.reshape(-1, 2), codes)
    ax.add_patch(PathPatch(line, fill=False, capstyle="butt", **look))


def order_of(found: Mapping[str, Any]) -> np.ndarray:
    """Places of the combinations, by effect; against the claim first."""
    effects = np.array([row[-4] for row in found["specs"]])
    sign = -1.0 if found["side"] == "<" else 1.0
    return np.argsort(sign * effects, kind="stable")


def rows_of(found: Mapping[str, Any], order: np.ndarray) -> list[tuple[str, np.ndarray | None]]:
    """Rows of the lower panel: (name, None) above each group, and (choice, which make it)."""
    specs = [found["specs"][i] for i in order]
    said = np.array([row[-1] for row in specs])
    rows: list[tuple[str, np.ndarray | None]] = [("what it says", None)]
    rows += [(text, said == k) for k, text in enumerate(SAID.values()) if (said == k).any()]
    for place, (name, labels) in enumerate(found["choices"].items()):
        if len(labels) < 2:
            continue
        taken = np.array([row[place] for row in specs])
        rows += [(name, None), *((label, taken == k) for k, label in enumerate(labels))]
    own = np.isin(order, found["registered"])
    return [*rows, ("criterion", None), ("as the criterion has it", own)]


def curve(found: Mapping[str, Any]) -> plt.Figure:
    """The specification curve of one claim."""
    order = order_of(found)
    rows, n = rows_of(found, order), len(order)
    effect, low, high = np.array([found["specs"][i][-4:-1] for i in order], dtype=float).T
    said = np.array([found["specs"][i][-1] for i in order])
    below = 0.155 * len(rows) + 0.1
    figure, (top, grid) = plt.subplots(
        2, 1, figsize=(WIDTH, 2.5 + below), height_ratios=(2.2, below), sharex=True,
        layout="constrained",
    )  # fmt: skip
    width = float(np.clip(300 / n, 0.35, 3.0))
    x = np.arange(n, dtype=float)
    for k, mark in enumerate(MARKS):
        at = said == k
        strokes(top, x[at], low[at], high[at], edgecolor=COLOURS[mark], alpha=0.55, linewidth=width)
    top.plot(x, effect, color=style.GREY, linewidth=1.2)
    top.axhline(found["null"], color=style.GREY, linewidth=0.8, linestyle=(0, (4, 2)))
    if found["margin"]:
        edges = (found["null"] - found["margin"], found["null"] + found["margin"])
        top.axhspan(*edges, color=style.GREY, alpha=0.15, linewidth=0)
    span = (min(low.min(), found["null"]), max(high.max(), found["null"]))
    pad = 0.04 * (span[1] - span[0] or 1.0)
    top.set(xlim=(-0.5, n - 0.5), ylim=(span[0] - pad, span[1] + pad))
    top.set_ylabel(f"effect [{found['unit']}]")
    top.grid(visible=False, axis="x")
    names, places = [], []
    for k, (name, at) in enumerate(rows):
        if at is None:
            grid.text(
                -0.01, -k, name, transform=grid.get_yaxis_transform(), ha="right", va="center",
                fontsize=8, fontweight="bold",
            )  # fmt: skip
            continue
        names.append(name)
        places.append(-k)
        here = x[at]
        colour = COLOURS[MARKS[list(SAID.values()).index(name)]] if name in SAID.values() else None
        if len(here):
            half = 0.5 if n > 120 else 0.3
            runs(grid, here, -k, half, edgecolor=colour or style.GREY, linewidth=7.5)
    grid.set(ylim=(-len(rows) + 0.4, 0.6), xlabel=f"{n} combinations of choices, by effect")
    grid.set_yticks(places, names, fontsize=7.5)
    grid.tick_params(axis="both", length=0)
    grid.set_xticks([])
    grid.grid(visible=False)
    for side in grid.spines.values():
        side.set_visible(False)
    return figure


def shares_of(found: Mapping[str, Any]) -> dict[str, float]:
    """Share of the combinations that say each thing."""
    said = np.array([row[-1] for row in found["specs"]])
    return {mark: float((said == k).mean()) for k, mark in enumerate(MARKS)}


def overview(claims: Mapping[str, Mapping[str, Any]]) -> plt.Figure:
    """What the combinations say, claim by claim."""
    named = {name: found for name, found in claims.items() if found["specs"]}
    figure, ax = plt.subplots(figsize=(WIDTH, 0.9 + 0.3 * len(named)), layout="constrained")
    left = np.zeros(len(named))
    y = -np.arange(len(named))
    for mark in MARKS:
        wide = np.array([shares_of(found)[mark] for found in named.values()])
        ax.barh(
            y, wide, left=left, height=0.72, color=COLOURS[mark], alpha=0.8, label=SAID[mark],
            hatch=HATCHES[mark], edgecolor="#FFFFFF80", linewidth=0.6,
        )  # fmt: skip
        left += wide
    for at, found in zip(y, named.values(), strict=True):
        ax.text(1.01, at, str(len(found["specs"])), va="center", fontsize=8.5)
    absent = [f"{name} (absence)" if found["expects"] == "absence" else name
              for name, found in named.items()]  # fmt: skip
    ax.set_yticks(y, absent, fontsize=9)
    ax.set(xlim=(0, 1), ylim=(y.min() - 0.6, 0.6), xlabel="share of the combinations of choices")
    ax.grid(visible=False, axis="y")
    figure.legend(loc="outside upper center", ncols=len(MARKS), handlelength=1.6)
    return figure


def svg(figure: plt.Figure) -> str:
    """The drawing as text, the same each time."""
    held = io.StringIO()
    figure.savefig(held, format="svg", backend="svg", metadata={"Date": None, "Creator": None})
    plt.close(figure)
    # Of paths a tenth of a point is finer than most screens; scales of letters keep their digits.
    return re.sub(r' d="[^"]*"', _rounded, held.getvalue())


def _rounded(path: re.Match[str]) -> str:
    return re.sub(r"-?\d+\.\d{2,}", lambda m: f"{float(m[0]):.1f}", path[0])


def drawings(claims: Mapping[str, Mapping[str, Any]], wanted: Sequence[str] = ()) -> dict[str, str]:
    """File name -> SVG of the overview and of every claim, or of those that are wanted."""
    mpl.use("agg")
    style.use_style()
    found = {} if wanted else {"overview.svg": svg(overview(claims))}
    for name, one in claims.items():
        if one["specs"] and (not wanted or name in wanted):
            found[file_of(name)] = svg(curve(one))
    return found


def write(claims: Mapping[str, Mapping[str, Any]], folder: Path = FOLDER) -> None:
    """Draw everything, and take away drawings of claims that are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    found = drawings(claims)
    for old in folder.glob("*.svg"):
        if old.name not in found:
            old.unlink()
    for name, text in found.items():
        write_whole(folder / name, text.encode())


if __name__ == "__main__":
    stored = json.loads((BOOK / "results" / "multiverse.json").read_text(encoding="utf-8"))
    write(stored["claims"])
    sys.exit(0)
