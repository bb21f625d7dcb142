"""Draw the site's icon: two curves in the information plane, one that turns back.

python book/_tools/favicon.py
"""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("agg")

import numpy as np
from matplotlib.figure import Figure

TARGET = Path(__file__).resolve().parents[1] / "_static" / "favicon.png"


def draw() -> Figure:
    t = np.linspace(0, 1, 50)
    figure = Figure(figsize=(0.64, 0.64), dpi=100, facecolor="none")
    ax = figure.add_axes((0.06, 0.06, 0.88, 0.88))
    ax.plot(t, t**0.6, color="#e07b00", lw=6, solid_capstyle="round")
    ax.plot(0.8 * np.sin(2.4 * t), 0.75 * t, color="#2b6cb0", lw=6, solid_capstyle="round")
    ax.set_axis_off()
    return figure


if __name__ == "__main__":
    draw().savefig(TARGET, metadata={"Software": None})
