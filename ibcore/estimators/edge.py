"""Information from a dependence graph of hashed samples (Noshad, Zeng & Hero 2019).

Every sample is hashed, x and t apart: it is projected, shifted, divided by a width ε and rounded
down. Samples with one hash are one node, and the estimate is plug-in over nodes, with every edge
held between 0.001 bit and a cap,

    I = 1/N Σ_i max(min(log2(N n_xt(i) / (n_x(i) n_t(i))), cap), 0.001),

n the number of samples that share the hashes of sample i. It is the median over an ensemble of
ten widths ε (1 + 0.1 j/9) with shifts ε j/10. The widths come from the data: per projected
coordinate the mean distance from 500 samples to their k-th neighbour, a number of neighbours that
grows almost as N, times a smoothness γ; and after a first estimate I all widths are multiplied by
2^(0.5/I - √(2I)) and the estimate is made once more.

What comes out is therefore no property of a layer but of a layer and of these choices, of which the
authors' releases have different ones. Both here are theirs, written anew from the rule that their
code follows.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibcore.estimators.base import (
    LayerInformation,
    Ruler,
    Run,
    View,
    choice,
    positive_number,
    whole_number,
)
from ibcore.estimators.counting import LARGEST_CODE, dense, packed
from ibcore.estimators.inputs import checked_labels, checked_layer

LEAST_EDGE = 0.001  # bits
LEAST_WIDTH = 1e-4  # added to the distance of a neighbour, which may be 0
MEMBERS, WIDEST = 10, 1.1  # of the ensemble
QUERIES = 500  # samples whose neighbours give a width
FEWEST = 20  # samples: the hash has floor(log2(N / 10)) coordinates
LEAST_SPREAD = 1e-4  # a coordinate that varies less is not divided by its standard deviation
SEED = 3334
MOST_SEED = 2**32 - 1


class Choices(NamedTuple):
    """Widths of one release, for one pair of variables.

    ``factors`` are γ of the first and the second variable, ``fixed`` a width that replaces the
    distances of neighbours (0: none).
    """

    factors: tuple[float, float]
    fixed: float = 0.0


class Release(NamedTuple):
    """What a release of the authors' code does by default, or its script asks of it."""

    inputs: tuple[Choices, ...]  # x and t, layer by layer; the last one goes on
    labels: tuple[Choices, ...]  # y and t
    scale: float  # of all widths
    shrinking: float  # of γ, each time it is read
    by_logarithm: bool  # widths fall with 1 + ln of the number of coordinates
    narrow: int  # up to so many coordinates on both sides nothing is projected


# 4.2.0 as called by the script of figure 5, with a γ for each of its four layers; 4.4.1 by default.
RELEASES = {
    "4.2.0": Release(
        inputs=tuple(Choices((0.2, one)) for one in (0.8, 1.0, 1.2, 1.8)),
        labels=tuple(Choices((1e-4, one), fixed=0.2) for one in (0.4, 0.5, 0.6, 0.8)),
        scale=3.0,
        shrinking=1.0,
        by_logarithm=False,
        narrow=0,
    ),
    "4.4.1": Release(
        inputs=(Choices((1.0, 1.0)),),
        labels=(Choices((1.0, 1.0)),),
        scale=18.0,
        shrinking=0.4,
        by_logarithm=True,
        narrow=6,
    ),
}


@dataclass(frozen=True)
class EDGE(Ruler):
    """The estimator of Noshad, Zeng & Hero (2019): hashing with widths taken from the data.

    It sees the inputs and the layer, both hashed; what an input that is told from all others knows
    is then not log2 N, and the estimate of a constant layer is 0.001 bit, not 0. It is no bound
    and no exact quantity; like the authors' code it always draws the same projections, so that
    nothing scatters but the networks.

    Parameters
    ----------
    release : str
        ``"4.2.0"``, with the settings of the script that drew figure 5: a smoothness of 0.8, 1,
        1.2 and 1.8 for the four hidden layers (0.4 to 0.8 for labels), layers after the fourth
        having that of the fourth; or ``"4.4.1"``, the last one, by its defaults, where γ is
        multiplied by 0.4 both times that it is read, and nothing is projected if neither side
        has more than six coordinates.
    cap : float
        Largest logarithm of an edge, in bits; 20 in the script.
    seed : int
        Of the projections and of the samples whose neighbours give the widths.
    """

    release: str = "4.2.0"
    cap: float = 20.0
    seed: int = SEED

    measures = "I(X; T) by EDGE"
    needs_run = True

    def __post_init__(self) -> None:
        """Make the types plain and refuse nonsense."""
        object.__setattr__(self, "release", choice("release", self.release, tuple(RELEASES)))
        object.__setattr__(self, "cap", positive_number("cap", self.cap))
        object.__setattr__(self, "seed", whole_number("seed", self.seed, 0, MOST_SEED))

    def prepare(self, run: Run) -> Ruler:
        """The ruler for a task with inputs of its width."""
        return _Laid(self, int(np.prod(run.task.x.shape[1:])))

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """An error: the inputs are not known yet."""
        raise ValueError(
            "EDGE hashes the inputs too: measure a run with ib.run, or call information(x, t, y)."
        )

    def information(
        self, x: ArrayLike, t: ArrayLike, y: ArrayLike, layer: int = 1
    ) -> LayerInformation:
        """Estimates of I(X;T) and I(T;Y) in bits.

        Parameters
        ----------
        x : (sample, feature) array
        t : (sample, unit) array
        y : (sample,) integers or strings
            Classes.
        layer : int
            Number of the layer, from 1, by which a release may choose its smoothness.

        Examples
        --------
        Two bits, of which the label is one; an input has 16 samples:

        >>> x = np.repeat([[0.0, 0], [0, 1], [1, 0], [1, 1]], 16, axis=0)
        >>> found = EDGE("4.4.1").information(x, 3 * x, x[:, 0].astype(int))
        >>> round(found.i_xt, 3), round(found.i_ty, 3)
        (2.0, 1.0)
        """
        x, t = (checked_layer(values).astype(np.float64) for values in (x, t))
        layer = whole_number("layer", layer, least=1)
        if len(x) != len(t):
            raise ValueError(f"need as many rows of x as of t, got {len(x)} and {len(t)}.")
        if len(t) < FEWEST:
            raise ValueError(f"EDGE needs at least {FEWEST} samples, got {len(t)}.")
        labels = checked_labels(y, len(t))
        if labels.ndim != 1:
            raise ValueError("EDGE hashes one class for each sample, got probabilities.")
        release = RELEASES[self.release]
        return LayerInformation(
            *(
                self._estimate(a, t, release, given[min(layer, len(given)) - 1])
                for a, given in (
                    (x, release.inputs),
                    (labels[:, None].astype(np.float64), release.labels),
                )
            )
        )

    def _estimate(
        self, a: NDArray[np.float64], b: NDArray[np.float64], release: Release, given: Choices
    ) -> float:
        """One estimate, in bits, of a (sample, feature) and b (sample, unit)."""
        rng = np.random.RandomState(self.seed)
        widths = [values.shape[1] for values in (a, b)]
        if max(widths) > release.narrow:
            a, b = (_projected(values, rng) for values in (a, b))
        scales = []
        for values, width in zip((a, b), widths, strict=True):
            reach = (
                np.full(values.shape[1], given.fixed)
                if given.fixed
                else _reaches(values, self.seed) + LEAST_WIDTH
            )
            less = 1 + np.log(width) if release.by_logarithm else 1.0
            scales.append(reach * release.scale * values.shape[1] / less)
        gamma = np.array(given.factors) * release.shrinking
        found = _median(a, b, scales[0] * gamma[0], scales[1] * gamma[1], self.cap)
        gamma *= release.shrinking * 2.0 ** (0.5 / found - np.sqrt(2 * found))
        return _median(a, b, scales[0] * gamma[0], scales[1] * gamma[1], self.cap)


@dataclass(frozen=True)
class _Laid(Ruler):
    """EDGE on inputs of a known width."""

    edge: EDGE
    n_features: int

    def parts(self) -> tuple[Ruler, ...]:
        """The ruler that it lays."""
        return (self.edge,)

    def layers(self, view: View) -> list[np.ndarray]:
        """(sample, 1 + feature + unit): the number of the layer, the inputs, the activations."""
        x = view.x.astype(np.float32).reshape(len(view.x), -1)
        return [
            np.concatenate([np.full((len(x), 1), number, np.float32), x, t], axis=1)
            for number, t in enumerate(view.layers, start=1)
        ]

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """Bits; t (sample, 1 + feature + unit) as ``layers`` gives it."""
        given = np.asarray(t)
        x, own = np.split(given[:, 1:], [self.n_features], axis=1)
        return self.edge.information(x, own, y, int(given[0, 0]))


def _projected(values: NDArray[np.float64], rng: np.random.RandomState) -> NDArray[np.float64]:
    """(sample, coordinate): sums of standardised columns with Gaussian weights of variance 1/d."""
    n, d = values.shape
    spread = values.std(axis=0)
    spread[spread < LEAST_SPREAD] = 1.0
    coordinates = min(d, int(log(n / 10, 2)))
    weights = rng.normal(0.0, (1 / (spread * np.sqrt(d)))[:, None], (d, coordinates))
    return values @ weights


def _reaches(values: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Mean distance to the k-th neighbour, the sample counted in, of every column by itself."""
    n, d = values.shape
    k = int(0.43 * n ** (2 / 3 + 0.17 * (d / (d + 1))) * exp(-1 / max(10_000, d**4)))
    rows = np.random.RandomState(seed).choice(n, QUERIES)
    return np.array([_kth_distances(column, column[rows], k).mean() for column in values.T])


def _kth_distances(
    column: NDArray[np.float64], queries: NDArray[np.float64], k: int
) -> NDArray[np.float64]:
    """Distance from each query to the k-th nearest entry of a column.

    The k nearest are a window of the sorted column. As it moves up, its lower end comes nearer
    and its upper end goes away: the best window lies where the two are equally far.
    """
    line = np.sort(column)
    low = np.zeros(len(queries), np.int64)
    high = np.full(len(queries), len(line) - k)
    while (low < high).any():
        middle = (low + high) // 2
        nearer_above = queries - line[middle] > line[middle + k - 1] - queries
        searching = low < high
        low = np.where(searching & nearer_above, middle + 1, low)
        high = np.where(searching & ~nearer_above, middle, high)
    farther = [
        np.maximum(queries - line[start], line[start + k - 1] - queries)
        for start in (low, np.maximum(low - 1, 0))
    ]
    return np.minimum(*farther)


def _median(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    width_a: NDArray[np.float64],
    width_b: NDArray[np.float64],
    cap: float,
) -> float:
    """Median over the ensemble, in bits."""
    stretch = np.linspace(1, WIDEST, MEMBERS)
    shifts = np.linspace(0, 1, MEMBERS, endpoint=False)
    return float(
        np.median(
            [
                _on_graph(_hashes(a, width_a * one, shift), _hashes(b, width_b * one, shift), cap)
                for one, shift in zip(stretch, shifts, strict=True)
            ]
        )
    )


def _hashes(
    values: NDArray[np.float64], width: NDArray[np.float64], shift: float
) -> tuple[NDArray[np.int64], int]:
    """Number of the node of every sample, and how many nodes there are."""
    places = np.floor((values + shift * width) / width)
    if not np.abs(places).max() <= LARGEST_CODE:
        if not np.isfinite(places).all():
            raise ValueError(
                f"a layer that reaches {np.abs(values).max():.3g} has no finite hash of width "
                f"{width.min():.3g}; rescale it."
            )
        places = np.stack([dense(column)[0] for column in places.T], axis=1)
    return dense(packed(places.astype(np.int64))[0])


def _on_graph(
    a: tuple[NDArray[np.int64], int], b: tuple[NDArray[np.int64], int], cap: float
) -> float:
    """The formula of the module, for nodes of both sides."""
    (of_a, n_a), (of_b, n_b) = a, b
    edges, n_edges = dense(of_a * n_b + of_b)
    count_a = np.bincount(of_a, minlength=n_a)[of_a]
    count_b = np.bincount(of_b, minlength=n_b)[of_b]
    count = np.bincount(edges, minlength=n_edges)[edges]
    ratio = count * float(len(of_a)) / (count_a * count_b.astype(np.float64))
    return float(np.clip(np.log2(ratio), LEAST_EDGE, max(cap, LEAST_EDGE)).mean())
