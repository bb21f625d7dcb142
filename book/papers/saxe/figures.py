"""Irrelevant inputs, the noise of mini-batches, and one neuron with two sliders."""

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from ibcore.claims import NoVerdict, Verdict
from ibcore.information import entropy
from ibcore.papers import paper_file
from ibcore.plots import reading, style
from ibcore.plots.script import widget
from ibcore.theory import single_neuron_information

WEIGHTS = tuple(np.geomspace(0.1, 100, 37))
RATIOS, ROWS, GAINS = ("1", "10", "100", "no noise"), ("100", "300", "1000"), ("0.1", "1", "3")
BATCHES, CLOCKS = ("1", "16", "64", "256"), ("equal updates", "equal loss")
OPTIMIZERS = ("plain SGD", "momentum", "Adam")

Array = NDArray[np.float64]


def scan_map(
    verdict: Verdict | NoVerdict,
    test: str = "order",
    rate: str = "0.01",
    *,
    axes: Iterable[Axes] | None = None,
) -> np.ndarray:
    """A test of SAXE-F6 over the scan, in per cent: a panel for each layer and ratio.

    Medians over networks, rows of data against initial gain. Bold where the interval lies on the
    side of the claim; a dash where the networks cannot answer; nothing without a verdict.

    Returns
    -------
    (panel,) array of Axes
    """
    found = _cells_of(verdict, test)
    axes = style.many_axes(axes, 8, columns=4, height=1.9, legend=0.2, sharex=True, sharey=True)
    norm = Normalize(0, 50)
    for ax, (place, ratio) in zip(axes, product(("hidden", "output"), RATIOS), strict=True):
        table = [
            [found.get(f"{ratio} / {rate} / {rows} / {gain} {place}") for gain in GAINS]
            for rows in ROWS
        ]
        values = np.array([[100 * one.effect if one else np.nan for one in row] for row in table])
        ax.imshow(np.ma.masked_invalid(values), cmap=style.shades(), norm=norm, aspect="auto")
        for (y, row), (x, _) in product(enumerate(table), enumerate(GAINS)):
            if (one := row[x]) is None:
                continue
            there, met = np.isfinite(one.effect), one.mark == "agrees"
            said = str(round(values[y, x])).replace("-", "\u2212") if there else "–"
            ink = style.GREY if not there else "white" if norm(values[y, x]) < 0.5 else "black"
            ax.text(x, y, said, ha="center", va="center", color=ink,
                    fontsize=11 if met else 9, fontweight="bold" if met else "normal")  # fmt: skip
        ax.set_xticks(range(3), GAINS)
        ax.set_yticks(range(3), ROWS)
        ax.set_title(f"{place}, {ratio if ratio == 'no noise' else f'SNR {ratio}'}", fontsize=10)
        ax.grid(False)
    style.label_outer(axes, "initial gain", "rows")
    style.colour_bar(axes, norm, "% of the most known", extend="max")
    return axes


def irrelevant_curves(
    planes: Mapping[str, xr.Dataset], *, axes: Iterable[Axes] | None = None
) -> np.ndarray:
    """What the hidden layer and the output know of all, relevant and irrelevant inputs.

    Parameters
    ----------
    planes : mapping of name to plane
        With the rulers of all, relevant and irrelevant inputs, in this order.

    Returns
    -------
    (panel,) array of Axes
        Hidden layers above, outputs below; a column for each plane.
    """
    axes = style.many_axes(axes, 2 * len(planes), columns=len(planes), height=2.1, sharex=True)
    for ax, (layer, name) in zip(axes, product((1, 2), planes), strict=True):
        i_xt = reading.array(planes[name], "i_xt", ("estimator", "seed", "epoch", "layer"))
        every, relevant, irrelevant = i_xt[..., layer - 1]
        curves = {
            "all": every, "relevant": relevant, "irrelevant": irrelevant,
            "irrelevant, given the relevant": every - relevant,
        }  # fmt: skip
        updates, label = reading.times_of(planes[name], "update")
        handles = [
            style.band(ax, updates, values, style.look(i), label=said, markers=False)
            for i, (said, values) in enumerate(curves.items())
        ]
        style.time_axis(ax, updates, label)
        ax.set_title(f"{'hidden' if layer == 1 else 'output'}, {name}", fontsize=10)
    style.label_outer(axes, label, "bits")
    style.below_legend(axes, handles, "information about inputs")
    return axes


def expected_weights(
    times: ArrayLike, n_rows: int, noise_variance: float, start: float = 0.0
) -> dict[str, Array]:
    """Where the weights of a linear student on irrelevant inputs come from, exactly.

    A student without hidden layer, y = w x, on P rows of x ~ N(0, I / N) with N = 100, trained by
    gradient flow on the mean squared error of a teacher of 30 inputs and signal variance 1. With
    the eigenvalues λ of the covariance of its rows and d = 1 - exp(-2 λ τ) the expected squared
    weights on the other 70 inputs, over N, are

        start    what is left of random initial weights, 0.7 s ⟨(1 - d)²⟩
        signal   what leaks in while the rows are not yet fitted, 0.7 N/(N - 1)
                 [⟨d²⟩ - (2 ⟨d²⟩ + N ⟨d⟩²)/(N + 2)]
        noise    what is fitted of the noise of the rows, 0.7 σ²/P ⟨d²/λ⟩

    with means ⟨ ⟩ over the eigenvalues of samples of P rows, whose eigenvectors point anywhere.

    Parameters
    ----------
    times : (time,) array
        τ, learning rate x updates.
    n_rows : int
    noise_variance : float
        σ², one over the signal-to-noise ratio.
    start : float
        s, expected squared initial weight.
    """
    tau, inputs = np.asarray(times, float)[:, None, None], 100
    rng = np.random.Generator(np.random.Philox(key=n_rows))
    x = rng.standard_normal((20, n_rows, inputs))
    rate = np.linalg.eigvalsh(np.swapaxes(x, 1, 2) @ x) / (n_rows * inputs)
    rate = np.maximum(rate, 1e-12)[None]  # of fewer rows than inputs some are 0
    d = -np.expm1(-2 * rate * tau)
    square = (d**2).mean(-1)
    within = (2 * square + inputs * d.mean(-1) ** 2) / (inputs + 2)
    parts = {
        "start": start * ((1 - d) ** 2).mean(-1),
        "signal": inputs / (inputs - 1) * (square - within),
        "noise": noise_variance / n_rows * (d**2 / rate).mean(-1),
    }
    return {name: 0.7 * values.mean(-1) for name, values in parts.items()}


def expected_parts(
    times: ArrayLike,
    settings: Mapping[str, Mapping[str, Any]],
    *,
    axes: Iterable[Axes] | None = None,
) -> np.ndarray:
    """``expected_weights`` over time, stacked; a panel for each setting.

    Returns
    -------
    (panel,) array of Axes
    """
    axes = style.many_axes(axes, len(settings), height=2.0, sharex=True)
    for ax, (name, setting) in zip(axes, settings.items(), strict=True):
        parts = expected_weights(times, **setting)
        colours = [style.look(i).colour for i in range(len(parts))]
        bands = ax.stackplot(times, *parts.values(), colors=colours, alpha=0.75, labels=parts)
        for patch, hatch in zip(bands, ("", "//", ".."), strict=True):
            patch.set(hatch=hatch, edgecolor=style.GREY, linewidth=0.3)
        ax.set_xscale("log")
        ax.set_title(name, fontsize=10)
    style.label_outer(axes, "learning rate x updates", "squared weights / N")
    style.below_legend(axes, axes[0].get_legend_handles_labels()[0], "they come from")
    return axes


def noise_by_batch(
    verdict: Verdict | NoVerdict, margin: float = 0.5, *, axes: Iterable[Axes] | None = None
) -> np.ndarray:
    """Tests of SAXE-F5, C with noise minus C without by batch: a panel for each of six tests.

    Points are the share of the larger, with 95 % intervals; the band is what counts as the same.

    Returns
    -------
    (panel,) array of Axes
    """
    axes = style.many_axes(axes, 6, columns=3, height=2.1, sharex=True, sharey=True)
    for ax, (clock, test) in zip(axes, product(CLOCKS, OPTIMIZERS), strict=True):
        found, handles = _cells_of(verdict, test), []
        ax.axhspan(-margin, margin, color=style.GREY, alpha=0.15, linewidth=0)
        for i, place in enumerate(("layer 4", "layer 5", "output")):
            look = style.layer_look(4 + i)
            handles.append(style.handle(place, look, line=False))
            for x, batch in enumerate(BATCHES):
                one = found.get(f"batches of {batch}, {clock}, {place}")
                if one is not None and np.isfinite(one.effect):
                    ends = [[one.effect - one.low], [one.high - one.effect]]
                    ax.errorbar(x + 0.2 * (i - 1), one.effect, ends, color=look.colour,
                                marker=look.marker, markersize=5, linewidth=1.2)  # fmt: skip
        ax.set_xticks(range(len(BATCHES)), BATCHES)
        ax.set_xlim(-0.5, len(BATCHES) - 0.5)
        ax.set_ylim(-1.05, 1.05)
        ax.set_title(f"{test}, {clock}", fontsize=10)
    style.label_outer(axes, "batch", "share of the larger")
    style.below_legend(axes, handles, "")
    return axes


def _cells_of(verdict: Verdict | NoVerdict, test: str) -> dict[str, Any]:
    """Label -> decided cell; none of a smoke run, or of a claim that waits."""
    tests = getattr(verdict, "tests", ())
    return {one.label: one for found in tests if found.name == test for one in found.cells}


class NeuronSlider:
    """T = f(w X), X standard normal: the probability of every bin, and what they add up to.

    f is tanh, ReLU or linear. A cell's output that works offline; the bits of every position of the
    two sliders are computed beforehand, the bars where they are drawn.

    Parameters
    ----------
    weights : (weight,) array
        Positive, increasing.
    n_bins : sequence of int
        Equal bins on [-1, 1]; ReLU and linear units have more bins of the same width.
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
            "information": self.information.round(3).tolist(),
            "others": {name: self._others(name) for name in ("relu", "linear")},
        }
        return widget("neuron-slider", data, paper_file("saxe", "neuron.js"), _WITHOUT)

    def _others(self, activation: str) -> list[list[float]]:
        """The same for an activation without bounds, in bins of the same width."""
        return [
            [
                round(single_neuron_information(w, activation=activation, width=2 / n), 3)
                for w in self.weights
            ]
            for n in self.n_bins
        ]

    def __repr__(self) -> str:
        """For outputs without HTML."""
        return f"NeuronSlider of {len(self.weights)} weights and {len(self.n_bins)} rulers"


_WITHOUT = (
    "With JavaScript there are two sliders here, for the weight and for the number of bins; the "
    "figure above holds the same curves."
)
