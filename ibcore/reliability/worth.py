"""What a number is worth: for the inputs that were measured, and for where they came from.

These are two questions. For N inputs as they are, a ruler that counts is exact, whatever it says.
For the population that the inputs were drawn from the same number may be log2 N in disguise, or
what shuffled labels give. ``worth`` asks both, and says where nothing can be told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibcore.estimators import Ruler
from ibcore.estimators.base import whole_number
from ibcore.estimators.by_element import by_element
from ibcore.estimators.counting import CountingRuler, information_of_symbols, packed
from ibcore.estimators.inputs import checked_labels, checked_layer
from ibcore.kinds import shown
from ibcore.randomness import generator
from ibcore.reliability import verdicts
from ibcore.reliability.ceilings import Ceiling, label_entropy, lowest, ruler_bits
from ibcore.reliability.corrections import CORRECTIONS, corrected_information
from ibcore.reliability.resampling import (
    LEAST_PART,
    Curve,
    Interval,
    Measure,
    Rows,
    jackknife,
    over_seeds,
    shuffled_null,
    subsampled,
)

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Quantity:
    """One number with everything that tells what it is worth. All in bits.

    Attributes
    ----------
    name : str
        "I(X;T)" or "I(T;Y)".
    value : float
    ceiling, ceiling_is : float, str
        What it cannot pass, and what that is.
    at_ceiling : bool
        Whether it sits there: within half a bit of log2 N, or 2 % of another ceiling.
    curve : {N: bits}
        Means over parts of N/8, N/4, N/2 and N inputs.
    slope : float
        Bits per doubling of N over the curve; log2 N itself has 1.
    step : float
        What the last doubling added.
    extrapolated : float
        2 v(N) - v(N/2), the limit if the bias falls as 1/N.
    null : (mean, 95th percentile, p) or None
        Of the same number with shuffled labels; None where there is nothing to shuffle.
    corrected : {name: bits}
        With bias-corrected entropies, for rulers that count.
    jackknife : (value, low, high)
        Corrected value and 95 % interval over inputs that might have been drawn.
    seeds : (mean, low, high) or None
        Over networks, if several were given.
    verdict : str
        For the population, one of ``ibcore.reliability.verdicts.WORDS``.
    """

    name: str
    value: float
    ceiling: float
    ceiling_is: str
    at_ceiling: bool
    curve: Mapping[int, float]
    slope: float
    step: float
    extrapolated: float
    null: tuple[float, float, float] | None
    jackknife: tuple[float, float, float]
    verdict: str
    corrected: Mapping[str, float] = field(default_factory=dict)
    seeds: tuple[float, float, float] | None = None

    @property
    def warned(self) -> bool:
        """Whether it should not be read as the population's."""
        return self.verdict != verdicts.GOOD


@dataclass(frozen=True, repr=False)
class Worth:
    """What ``worth`` found; printing it gives a table."""

    measured: str
    for_inputs: str
    n: int
    quantities: tuple[Quantity, ...]

    def __getitem__(self, name: str) -> Quantity:
        """The quantity of a name: "I(X;T)"."""
        found = {one.name: one for one in self.quantities}
        if name not in found:
            raise ValueError(f"there is no {shown(name)}; there is {', '.join(found)}.")
        return found[name]

    def to_dataframe(self) -> pd.DataFrame:
        """One row for each quantity."""
        import pandas as pd

        rows = [asdict(one) | {"measured": self.measured, "n": self.n} for one in self.quantities]
        return pd.DataFrame(rows).set_index("name")

    def __repr__(self) -> str:
        """The table."""
        columns = [_cells(one) for one in self.quantities]
        labels = list(dict.fromkeys(key for one in columns for key in one))
        lines = [[label, *(one.get(label, "–") for one in columns)] for label in labels]
        head = ["bits", *(one.name for one in self.quantities)]
        widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
        rows = (
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in [head, *lines]
        )
        words = (f"{one.name} for the population: {one.verdict}." for one in self.quantities)
        first = f"{self.measured}, {self.n} inputs"
        return "\n".join([first, *rows, f"For these inputs: {self.for_inputs}.", *words])


def _cells(one: Quantity) -> dict[str, str]:
    """Lines of the table for one quantity."""
    found = {
        "value": f"{one.value:.3f}",
        "ceiling": f"{one.ceiling:.3f} ({one.ceiling_is}){', reached' * one.at_ceiling}",
    }
    found |= {f"from {n} inputs": f"{bits:.3f}" for n, bits in one.curve.items()}
    found["per doubling"] = f"{one.slope:+.3f}"
    if one.null:
        mean, high, p = one.null
        found["shuffled"] = f"{mean:.3f}, 95 % below {high:.3f}, p = {p:.2g}"
    found |= {name.replace("_", "-"): f"{bits:.3f}" for name, bits in one.corrected.items()}
    middle, low, high = one.jackknife
    found["jackknife"] = "none" if one.warned else f"{middle:.3f} [{low:.3f}, {high:.3f}]"
    if one.seeds:
        middle, low, high = one.seeds
        found["over networks"] = f"{middle:.3f} [{low:.3f}, {high:.3f}]"
    return found


def worth(
    ruler: Ruler,
    t: ArrayLike,
    y: ArrayLike,
    *,
    n_permutations: int = 100,
    n_groups: int = 20,
    seed: int = 0,
) -> Worth:
    """What I(X;T) and I(T;Y) of a layer are worth, for its N inputs and for their population.

    The ruler is laid on parts of the inputs, on shuffled labels and with groups of inputs left out:
    about 45 + ``n_permutations`` times in all.

    Parameters
    ----------
    ruler : Ruler
        One that can be laid on any array.
    t : (sample, unit) or (seed, sample, unit) array
        A layer; or that of several networks, whose mean and interval then are given besides, all
        else being that of the first.
    y : labels of any kind
    n_permutations : int
        Shuffles of the labels; p cannot be below 1/(n_permutations + 1), and from 19 on a value may
        pass.
    n_groups : int
        Of the jackknife.
    seed : int
        Of the parts, the shuffles and the groups.

    Returns
    -------
    Worth
        Printed, a table; ``.to_dataframe()``; ``["I(T;Y)"].verdict``.

    Raises
    ------
    ValueError
        For a ruler that needs a training run.

    Examples
    --------
    A thousand rows of noise with labels that have nothing to do with them:

    >>> from ibcore.estimators import Binning
    >>> rng = np.random.default_rng(0)
    >>> found = worth(Binning(), np.tanh(rng.normal(size=(1000, 4))), rng.integers(0, 10, 1000))
    >>> found["I(X;T)"].verdict
    'at its ceiling: tells N, not the layer'
    >>> round(found["I(T;Y)"].value, 1), found["I(T;Y)"].verdict
    (3.3, 'below its null: shuffled samples give as much')
    """
    if not isinstance(ruler, Ruler) or ruler.needs_run or len(ruler.levels()) != 1:
        raise ValueError(
            f"ruler must be one ruler that can be laid on any array, such as ib.Binning(), with "
            f"one noise level; got {shown(ruler)}."
        )
    networks = _networks(t)
    first = networks[0]
    labels = checked_labels(y, len(first))
    measure, symbols = measure_of(ruler, first, labels)
    n, h_y = len(first), label_entropy(labels if labels.ndim == 2 else y)
    found = _examined(measure, n, n_permutations, n_groups, seed)
    log_n = lowest(log2_N=float(np.log2(n)), the_ruler=ruler_bits(ruler, first))
    of_y = lowest(H_Y=h_y, **{log_n.name.replace(" ", "_"): log_n.bits})
    of_y = Ceiling(of_y.bits, "H(Y)" if of_y.name == "H Y" else of_y.name)
    first_ = found.quantity(0, "I(X;T)", log_n, None)
    second = found.quantity(1, "I(T;Y)", of_y, h_y)
    if symbols is not None and labels.ndim == 1:
        both = {name: corrected_information(symbols, labels, name) for name in CORRECTIONS}
        first_ = replace(first_, corrected={name: bits[0] for name, bits in both.items()})
        second = replace(second, corrected={name: bits[1] for name, bits in both.items()})
    if len(networks) > 1:
        of_all = over_seeds(np.array([ruler(one, y) for one in networks], dtype=float))
        first_, second = (
            replace(one, seeds=_triple(of_all, k)) for k, one in enumerate((first_, second))
        )
    return Worth(repr(ruler), _for_inputs(ruler), n, (first_, second))


def worth_of_pairs(
    estimate: Callable[[NDArray[np.float64], NDArray[np.float64]], float],
    x: ArrayLike,
    t: ArrayLike,
    *,
    most_bits: float = np.inf,
    n_permutations: int = 100,
    n_groups: int = 20,
    seed: int = 0,
) -> Worth:
    """The same for an estimate of I(X;T) from pairs: ``estimate(x, t)`` in bits.

    Parameters
    ----------
    estimate : function of x (sample, feature) and t (sample, unit)
    x, t : (sample, feature), (sample, unit) arrays
    most_bits : float
        A ceiling of the estimator's own, such as log2 K of a contrastive bound.
    n_permutations, n_groups, seed : int
        As in ``worth``; t is shuffled.

    Examples
    --------
    >>> from ibcore.estimators.neighbours import mutual_information
    >>> x, z = np.random.default_rng(0).normal(size=(2, 500, 1))
    >>> found = worth_of_pairs(mutual_information, x, x + z, n_permutations=19)
    >>> found["I(X;T)"].verdict
    'worth reading'
    """
    first, second = (checked_layer(one).astype(np.float64) for one in (x, t))
    if len(first) != len(second):
        raise ValueError(f"need as many rows of x as of t, got {len(first)} and {len(second)}.")

    def measure(rows: Rows, others: Rows) -> NDArray[np.float64]:
        return np.array([estimate(first[rows], second[others])], dtype=np.float64)

    found = _examined(measure, len(first), n_permutations, n_groups, seed)
    ceiling = lowest(log2_N=float(np.log2(len(first))), the_estimator=float(most_bits))
    name = getattr(estimate, "__name__", repr(estimate))
    return Worth(name, "an estimate", len(first), (found.quantity(0, "I(X;T)", ceiling, None),))


def measure_of(
    ruler: Ruler, t: np.ndarray, y: np.ndarray
) -> tuple[Measure, NDArray[np.int64] | None]:
    """The ruler as a function of rows of t and rows of y; the symbols of one that counts.

    Where the symbol of a row does not depend on other rows, all are made once.
    """

    def plain(rows: Rows, others: Rows) -> NDArray[np.float64]:
        return np.array(ruler(t[rows], y[others]), dtype=np.float64)

    if not isinstance(ruler, CountingRuler):
        return plain, None
    ruler(t[:2], y[:2])  # its own refusals
    layer = checked_layer(t, dtype=ruler.precision)
    symbols, n_symbols = packed(np.array(ruler.codes(layer), dtype=np.int64))

    def counted(rows: Rows, others: Rows) -> NDArray[np.float64]:
        if len(rows) < len(t) and not by_element(ruler):
            return plain(rows, others)
        found = information_of_symbols(symbols[rows], n_symbols, y[others])
        return np.array(found, dtype=np.float64)

    return counted, symbols


@dataclass(frozen=True)
class _Examined:
    """What resampling gave, all quantities together."""

    n: int
    value: NDArray[np.float64]
    curve: Curve
    null: Any
    interval: Interval

    def quantity(self, k: int, name: str, ceiling: Ceiling, h_y: float | None) -> Quantity:
        """One of them with its verdict; ``h_y`` where it is I(T;Y)."""
        value = float(self.value[k])
        step = verdicts.Step(float(self.curve.step[k]), float(self.curve.noise[k]))
        slope = float(self.curve.slope[k])
        mean, upper, p = (float(part[k]) for part in self.null)
        null, chance = (mean, upper, p), (mean, p)
        own = ceiling.bits if ceiling.name.startswith("the") else np.inf
        if h_y is not None:
            word = verdicts.of_labels(value, self.n, h_y, step, chance)
        elif len(self.value) == 1:
            word = verdicts.of_pair(value, self.n, own, step, slope, chance)
        else:
            word = verdicts.of_input(value, self.n, own, step, slope)
        near = verdicts.NEAR_LOG_N if ceiling.name == "log2 N" else verdicts.NEAR * ceiling.bits
        return Quantity(
            name, value, ceiling.bits, ceiling.name, value > 0 and value >= ceiling.bits - near,
            dict(zip(self.curve.n.tolist(), self.curve.mean[:, k].tolist(), strict=True)),
            slope, step.bits, float(self.curve.extrapolated[k]),
            null if h_y is not None or len(self.value) == 1 else None,
            _triple(self.interval, k), word,
        )  # fmt: skip


def _examined(measure: Measure, n: int, n_permutations: int, n_groups: int, seed: int) -> _Examined:
    whole_number("n_permutations", n_permutations, least=1, most=10**6)
    whole_number("n_groups", n_groups, least=2, most=10**4)
    if n < 2 * LEAST_PART:
        raise ValueError(f"need at least {2 * LEAST_PART} inputs to take half of them, got {n}.")
    rng = generator(whole_number("seed", seed, 0, 2**63), "split")
    curve = subsampled(measure, n, rng)
    value = curve.mean[-1]
    null = shuffled_null(measure, n, value, n_permutations, rng)
    return _Examined(n, value, curve, null, jackknife(measure, n, value, n_groups, rng))


def _networks(t: ArrayLike) -> list[np.ndarray]:
    """Layers of one network or of several, each (sample, unit)."""
    given = np.asarray(t)
    if given.ndim == 3 and len(given) > 0:
        return [checked_layer(one) for one in given]
    return [checked_layer(t)]


def _triple(interval: Interval, k: int) -> tuple[float, float, float]:
    return (float(interval.value[k]), float(interval.low[k]), float(interval.high[k]))


def _for_inputs(ruler: Ruler) -> str:
    """What the number is if the inputs are all there are."""
    if isinstance(ruler, CountingRuler):
        return "exact, for X uniform on them and for what the ruler tells apart"
    if "bound" in ruler.measures:
        return "a bound, for X uniform on them and for the noise that the ruler adds"
    return f"what its axis says: {ruler.measures}"
