"""One neuron with two sliders: its weight and the number of bins."""

from collections.abc import Sequence
from string import Template

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtr

from ibcore.information import entropy
from ibcore.plots import style
from ibcore.plots.script import as_json

WEIGHTS = tuple(np.geomspace(0.1, 100, 37))


class NeuronSlider:
    """T = tanh(w X), X standard normal: the probability of every bin, and what they add up to.

    A cell's output that works offline; every position of the two sliders is computed beforehand.

    Parameters
    ----------
    weights : (weight,) array
        Positive, increasing.
    n_bins : sequence of int
        Equal bins on [-1, 1].
    """

    def __init__(
        self,
        weights: ArrayLike = WEIGHTS,
        n_bins: Sequence[int] = (4, 8, 16, 30, 64),
    ):
        self.weights, self.n_bins = np.asarray(weights, float), tuple(n_bins)
        self.probabilities = []
        for n in self.n_bins:
            with np.errstate(divide="ignore"):
                edges = np.arctanh(np.linspace(-1, 1, n + 1))
            self.probabilities.append(np.diff(ndtr(edges / self.weights[:, None])))
        self.information = np.array([[entropy(p) for p in rows] for rows in self.probabilities])

    def _repr_html_(self) -> str:
        data = {
            "weights": self.weights.round(3).tolist(),
            "bins": self.n_bins,
            "p": [p.round(4).tolist() for p in self.probabilities],
            "information": self.information.round(3).tolist(),
        }
        return _PAGE.substitute(data=as_json(data), colour=style.look(0).colour)

    def __repr__(self) -> str:
        """For outputs without HTML."""
        return f"NeuronSlider of {len(self.weights)} weights and {len(self.n_bins)} rulers"


_PAGE = Template("""\
<div class="neuron-slider">
<noscript>With JavaScript there are two sliders here, for the weight and for the number of bins; the
figure above holds the same curves.</noscript>
<label style="display:block">Weight: <output></output><br>
<input type="range" min="0" value="18" step="1" style="width:100%" aria-label="weight"></label>
<label style="display:block">Bins: <output></output><br>
<input type="range" min="0" value="3" step="1" style="width:100%" aria-label="bins"></label>
<figure style="margin:0"><svg viewBox="0 0 640 220" width="100%" role="img"></svg>
<figcaption></figcaption></figure>
<script>
(() => {
  const data = $data;
  const root = document.currentScript.closest(".neuron-slider");
  const [weight, bins] = root.querySelectorAll("input");
  const [shownWeight, shownBins] = root.querySelectorAll("output");
  const svg = root.querySelector("svg"), caption = root.querySelector("figcaption");
  const add = (name, attributes, text) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    svg.appendChild(node);
  };
  weight.max = data.weights.length - 1;
  bins.max = data.bins.length - 1;
  const draw = () => {
    const w = +weight.value, k = +bins.value, p = data.p[k][w], bits = data.information[k][w];
    shownWeight.textContent = data.weights[w];
    shownBins.textContent = data.bins[k];
    weight.setAttribute("aria-valuetext", data.weights[w]);
    bins.setAttribute("aria-valuetext", data.bins[k]);
    svg.replaceChildren();
    svg.setAttribute("aria-label", `probabilities of $${p.length} bins`);
    const top = Math.max(...p), step = 560 / p.length;
    p.forEach((one, i) => add("rect", {x: 50 + i * step, y: 190 - 165 * one / top,
      width: Math.max(step - 1, 0.5), height: 165 * one / top, fill: "$colour"}));
    const words = {fill: "currentColor", "font-size": 12, "text-anchor": "middle"};
    for (const v of [-1, 0, 1]) add("text", {x: 330 + 280 * v, y: 207, ...words}, v);
    add("text", {x: 330, y: 219, ...words}, "t");
    add("text", {x: 46, y: 30, ...words, "text-anchor": "end"}, top.toFixed(2));
    add("text", {x: 46, y: 193, ...words, "text-anchor": "end"}, "0");
    add("text", {x: 4, y: 14, ...words, "text-anchor": "start"}, "probability of the bin");
    caption.textContent = `I(X; bin(T)) = $${bits.toFixed(2)} bits of at most `
      + `$${Math.log2(p.length).toFixed(2)}`;
  };
  weight.addEventListener("input", draw);
  bins.addEventListener("input", draw);
  draw();
})();
</script>
</div>
""")
