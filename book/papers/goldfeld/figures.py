"""Clouds of three units, still and to turn; curves beside published points; races of estimators."""

import base64
from collections.abc import Mapping
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ibcore.papers import paper_file
from ibcore.plots import lines, style
from ibcore.plots.script import widget


def clouds(layers: Mapping[str, ArrayLike], y: ArrayLike, *, axes: Any = None) -> np.ndarray:
    """Clouds of the first three units of a layer, side by side, coloured by class.

    Parameters
    ----------
    layers : mapping of title to (sample, unit) array
        With at least three units in [-1, 1].
    y : (sample,) array
        Class labels.
    """
    points, classes = {name: _checked(t) for name, t in layers.items()}, np.unique(y)
    axes = style.many_axes(axes, len(points), height=2.5)
    for ax, (name, t) in zip(axes, points.items(), strict=True):
        for start, end in _EDGES:
            ax.plot(*_seen(np.array([start, end])).T, color=style.GREY, linewidth=0.6, zorder=0)
        for k, label in enumerate(classes):
            look, own = style.look(k), _seen(t[np.asarray(y) == label])
            ax.scatter(*own.T, s=3, color=look.colour, marker=look.marker, linewidths=0,
                       label=f"class {label}", rasterized=True)  # fmt: skip
        ax.set(title=name, aspect="equal", xlim=(-1.8, 1.8), ylim=(-1.8, 1.8))
        ax.set_axis_off()
    named = [
        style.handle(f"class {one}", style.look(k), line=False) for k, one in enumerate(classes)
    ]
    style.below_legend(axes, named)
    return axes


TURN, TILT = 0.6, 0.4
CORNERS = np.array(list(product((-1.0, 1.0), repeat=3)))
_EDGES = [(a, b) for a, b in combinations(CORNERS, 2) if (a != b).sum() == 1]


def _seen(points: np.ndarray) -> np.ndarray:
    """(point, 2): the cube as seen from a little above, turned."""
    x, y, z = points.T
    a, b = x * np.cos(TURN) - y * np.sin(TURN), x * np.sin(TURN) + y * np.cos(TURN)
    return np.stack([a, z * np.cos(TILT) - b * np.sin(TILT)], axis=1)


def beside_published(
    epochs: ArrayLike,
    curves: Mapping[str, ArrayLike],
    published: Mapping[float, float],
    *,
    ax: Any = None,
) -> Any:
    """Curves of I(X;T) over epochs, and points of a published run as stars.

    Parameters
    ----------
    epochs : (point,) array
    curves : mapping of name to (network, point) array
        In bits.
    published : mapping of epoch to bits
    """
    ax = lines(np.maximum(epochs, 0.5), curves, xlabel="epoch", ylabel="I(X;T) [bits]", ax=ax)
    ax.plot(
        list(published), list(published.values()), color=style.GREY, marker="*", markersize=11,
        linestyle="none", label="published", zorder=3,
    )  # fmt: skip
    peak = max(sorted(published)[:2], key=published.__getitem__)  # there is room
    ax.annotate("published run", (peak, published[peak]), (-9, 1), textcoords="offset points",
                ha="right", va="center", fontsize=10)  # fmt: skip
    ax.set_xlabel("epoch (0 drawn at 0.5)")
    return ax


def race(
    samples: ArrayLike, panels: Mapping[str, Mapping[str, ArrayLike]], *, axes: Any = None
) -> np.ndarray:
    """Root mean square error over the number of samples, one curve per estimator, small panels.

    Parameters
    ----------
    samples : (point,) array
    panels : mapping of title to mapping of estimator to (point,) array
        In bits.
    """
    axes = style.many_axes(axes, len(panels), height=2.1)
    for ax, (title, curves) in zip(axes, panels.items(), strict=True):
        for k, (name, error) in enumerate(curves.items()):
            look = style.look(k)
            ax.plot(
                samples, error, color=look.colour, marker=look.marker, markersize=4,
                linestyle=look.dashes, label=name,
            )  # fmt: skip
        ax.set(xscale="log", yscale="log")
        style.log_ticks(ax.xaxis)
        style.log_ticks(ax.yaxis)
        ax.set_title(title)
    style.label_outer(axes, "samples", "error [bits]")
    style.below_legend(axes, axes[0].get_legend_handles_labels()[0], "")
    return axes


class CloudPlayer:
    """The same clouds with a slider for time, to play, to turn and to tilt. It works offline.

    Parameters
    ----------
    layers : mapping of title to (sample, unit) array
        In order of time.
    y : (sample,) array
        Class labels.
    notes : mapping of title to str, optional
        A line below the cloud.
    """

    def __init__(
        self,
        layers: Mapping[str, ArrayLike],
        y: ArrayLike,
        notes: Mapping[str, str] | None = None,
    ):
        clouds_ = {name: _checked(t) for name, t in layers.items()}
        names, codes = np.unique(y, return_inverse=True)
        self.data = {
            "titles": list(clouds_),
            "notes": [(notes or {}).get(name, "") for name in clouds_],
            "points": [_packed(127 * t) for t in clouds_.values()],
            "classes": _packed(codes),
            "names": [f"class {name}" for name in names],
        }

    def _repr_html_(self) -> str:
        return widget("cloud-player", self.data, paper_file("goldfeld", "clouds.js"), _WITHOUT)

    def __repr__(self) -> str:
        """For outputs without HTML."""
        return f"CloudPlayer of {len(self.data['titles'])} clouds"


def _checked(t: ArrayLike) -> np.ndarray:
    t = np.asarray(t, float)
    if t.ndim != 2 or t.shape[1] < 3 or not np.abs(t).max() <= 1.5:
        raise ValueError(
            f"a cloud needs (sample, unit) with three units near [-1, 1], got shape {t.shape}."
        )
    return np.clip(t[:, :3], -1, 1)


def _packed(values: np.ndarray) -> str:
    return base64.b64encode(values.round().astype(np.int8).tobytes()).decode()


_WITHOUT = (
    "With JavaScript this is a cloud of points to turn and to play over the epochs; the figure "
    "above shows some of its moments."
)
