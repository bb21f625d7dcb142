"""Three units of a layer as a cloud of points: a still picture, and one to turn and to play."""

import base64
import json
from collections.abc import Mapping
from itertools import combinations, product
from string import Template
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ibcore.plots import style
from ibcore.plots.script import as_json


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
    style.below_legend(axes, axes[0].get_legend_handles_labels()[0], "")
    return axes


TURN, TILT = 0.6, 0.4
CORNERS = np.array(list(product((-1.0, 1.0), repeat=3)))
_EDGES = [(a, b) for a, b in combinations(CORNERS, 2) if (a != b).sum() == 1]


def _seen(points: np.ndarray) -> np.ndarray:
    """(point, 2): the cube as seen from a little above, turned."""
    x, y, z = points.T
    a, b = x * np.cos(TURN) - y * np.sin(TURN), x * np.sin(TURN) + y * np.cos(TURN)
    return np.stack([a, z * np.cos(TILT) - b * np.sin(TILT)], axis=1)


class CloudPlayer:
    """The same clouds with a slider for time; drag the cloud to turn it. It works offline.

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
        self.data = {
            "titles": list(clouds_),
            "notes": [(notes or {}).get(name, "") for name in clouds_],
            "points": [_packed(127 * t) for t in clouds_.values()],
            "classes": _packed(np.unique(y, return_inverse=True)[1]),
        }

    def _repr_html_(self) -> str:
        colours = [style.look(i).colour for i in range(8)]
        return _PAGE.substitute(data=as_json(self.data), colours=json.dumps(colours))

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


_PAGE = Template("""\
<div class="cloud-player">
<noscript>With JavaScript this is a cloud of points to turn and to play over the epochs; the figure
above shows some of its moments.</noscript>
<label style="display:block">Time: <output></output><br>
<input type="range" min="0" value="0" step="1" style="width:100%" aria-label="time"></label>
<figure style="margin:0"><canvas width="640" height="400" role="img" tabindex="0"
style="width:100%;max-width:640px;touch-action:pan-y;cursor:grab"></canvas>
<figcaption></figcaption></figure>
<script>
(() => {
  const data = $data, colours = $colours;
  const root = document.currentScript.closest(".cloud-player");
  const slider = root.querySelector("input"), shown = root.querySelector("output");
  const canvas = root.querySelector("canvas"), caption = root.querySelector("figcaption");
  const bytes = text => Int8Array.from(atob(text), c => c.charCodeAt(0) << 24 >> 24);
  const classes = bytes(data.classes), clouds = data.points.map(bytes);
  let turn = 0.6, tilt = 0.4, held = null;
  slider.max = data.titles.length - 1;
  const place = (x, y, z) => {
    const a = x * Math.cos(turn) - y * Math.sin(turn), b = x * Math.sin(turn) + y * Math.cos(turn);
    return [320 + 115 * a, 200 - 115 * (z * Math.cos(tilt) - b * Math.sin(tilt))];
  };
  const draw = () => {
    const k = +slider.value, cloud = clouds[k], pen = canvas.getContext("2d");
    shown.textContent = data.titles[k];
    slider.setAttribute("aria-valuetext", data.titles[k]);
    caption.textContent = data.notes[k];
    canvas.setAttribute("aria-label", `three units at $${data.titles[k]}`);
    pen.clearRect(0, 0, 640, 400);
    pen.strokeStyle = "#777777";
    for (let i = 0; i < 8; i++) for (const bit of [1, 2, 4]) if (!(i & bit)) {
      pen.beginPath();
      for (const j of [i, i | bit])
        pen.lineTo(...place(j & 1 ? 1 : -1, j & 2 ? 1 : -1, j & 4 ? 1 : -1));
      pen.stroke();
    }
    for (let i = 0; i < classes.length; i++) {
      const [x, y] = place(...[0, 1, 2].map(u => cloud[3 * i + u] / 127));
      pen.fillStyle = colours[classes[i]];
      pen.fillRect(x - 1, y - 1, 2, 2);
    }
  };
  slider.addEventListener("input", draw);
  canvas.addEventListener("pointerdown", e => { held = e; canvas.setPointerCapture(e.pointerId); });
  canvas.addEventListener("pointerup", () => { held = null; });
  canvas.addEventListener("pointermove", e => {
    if (!held) return;
    turn += (e.clientX - held.clientX) / 120;
    tilt = Math.max(-1.5, Math.min(1.5, tilt + (e.clientY - held.clientY) / 120));
    held = e;
    draw();
  });
  canvas.addEventListener("keydown", e => {
    if (e.key === "ArrowLeft" || e.key === "ArrowRight") {
      turn += e.key === "ArrowLeft" ? -0.1 : 0.1;
      e.preventDefault();
      draw();
    }
  });
  draw();
})();
</script>
</div>
""")
