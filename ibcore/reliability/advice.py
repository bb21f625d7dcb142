"""Which ruler can tell anything of a layer here, why, and what it costs.

Rulers that count are laid on the layer (on at most 2000 inputs), as it is and written in other
units; what the others see follows from the number of inputs, of units and of equal rows. None is
refused: each is explained.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from ibcore.estimators import (
    AdaptiveBinning,
    BernoulliDropout,
    Binning,
    Exact,
    GaussianDropout,
    InfoNCE,
    KernelBound,
    LabelBound,
    MatrixRenyi,
    QuantileBinning,
    Quantised,
    Ruler,
    SamplePropagation,
    SlicedInformation,
    UnitRangeBinning,
    UsableInformation,
)
from ibcore.estimators.counting import CountingRuler
from ibcore.estimators.inputs import checked_labels, checked_layer
from ibcore.estimators.rows import some_rows
from ibcore.reliability.ceilings import label_entropy
from ibcore.reliability.verdicts import FEWEST, NEAR_LOG_N, tolerance

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 2000
FACTORS = (0.01, 100.0)  # other units in which the same layer might have been written
SATURATED = 0.999  # of the bound of a layer that has one
HIGH = 10  # units; nearest neighbours and few bins are far apart beyond
# Seconds on one core for N inputs of d units: rough figures, for an order of what costs more.
COSTS: dict[str, Callable[[int, int], float]] = {
    "count": lambda n, d: 3e-8 * n * d + 2e-7 * n,
    "pairs": lambda n, d: n**2 * (5e-10 * d + 1e-9),
    "pairs, no kernel": lambda n, d: n**2 * (1e-9 * d + 4e-8),
    "eigen": lambda n, d: n**2 * (2e-9 * d + 2e-8),
    "train": lambda n, d: 2.0 + 1e-4 * d,
    "probe": lambda n, d: 2e-7 * n * d + 0.05,
    "slices": lambda n, d: 100 * (6e-6 * n + 2e-9 * n * d),
    "masks": lambda n, d: 2e-7 * n * 2.0**d if d <= 12 else 100 * (3e-8 * n * d + 2e-7 * n),
}


@dataclass(frozen=True)
class Layer:
    """What decides which ruler can tell anything.

    ``saturated`` is the share of values at the bound, ``ties`` that of inputs that share their row
    with another, ``zeros`` that of values that are exactly 0, ``dead`` the units that never move.
    """

    n: int
    d: int
    low: float
    high: float
    rms: float
    zeros: float
    saturated: float
    ties: float
    dead: int
    h_y: float

    @property
    def kind(self) -> str:
        """In words: its range."""
        if self.high <= 1 and self.low >= -1:
            return "within [-1, 1]" if self.low < 0 else "within [0, 1]"
        return f"{'never negative' if self.low >= 0 else 'of both signs'}, up to {self.high:.3g}"


@dataclass(frozen=True)
class Advice:
    """One ruler for one layer: whether it can tell anything, why, what it costs."""

    layer: str
    ruler: str
    tells: str
    why: str
    i_xt: float | None
    i_ty: float | None
    seconds: float


@dataclass(frozen=True, repr=False)
class AdviceTable:
    """What ``advise`` found; printing it gives a table."""

    layers: Mapping[str, Layer]
    rows: tuple[Advice, ...]

    def of(self, layer: str) -> tuple[Advice, ...]:
        """The advice on one layer."""
        if layer not in self.layers:
            raise ValueError(f"there is no layer {layer!r}; there are {', '.join(self.layers)}.")
        return tuple(one for one in self.rows if one.layer == layer)

    def to_dataframe(self) -> pd.DataFrame:
        """One row for each layer and ruler."""
        import pandas as pd

        return pd.DataFrame([asdict(one) for one in self.rows])

    def __repr__(self) -> str:
        """A block for each layer: what it is, then each ruler."""
        lines = []
        for name, one in self.layers.items():
            head = f"{name}: {one.n} inputs, {one.d} units, {one.kind}; H(Y) = {one.h_y:.2f} bits"
            if one.dead:
                head += f"; {one.dead} units never move"
            lines.append(head)
            for row in self.of(name):
                bits = "" if row.i_xt is None else f" ({row.i_xt:.2f}, {row.i_ty:.2f} bits)"
                lines.append(f"  {row.tells:<8} {row.ruler}{bits}, {_time(row.seconds)}")
                lines.append(f"           {row.why}")
        return "\n".join(lines)


def advise(what: Any, y: ArrayLike, *, x: Any = None) -> AdviceTable:
    """Name the rulers that can tell anything of a layer, and why; of all layers of a module.

    Parameters
    ----------
    what : (sample, unit) array, {name: array}, or torch.nn.Module
        A layer, several of them, or a module that is run on ``x``.
    y : labels of any kind
    x : (sample, ...) array, optional
        Inputs of a module.

    Returns
    -------
    AdviceTable
        Printed, a table of rulers for each layer: "yes", "no", "partly" (for one of both
        quantities, or with care) or "other" (it answers another question); ``.to_dataframe()``.

    Examples
    --------
    Thirty bins on [-1, 1] cannot see a ReLU layer that is written in small units:

    >>> t = 1e-3 * np.maximum(np.random.default_rng(0).normal(size=(500, 3)), 0)
    >>> found = advise(t, np.arange(500) % 2)
    >>> print(found.rows[0].ruler, found.rows[0].tells)
    Binning(n_bins=30, low=-1.0, high=1.0) no
    """
    layers = _layers(what, x)
    seen = {name: looked_at(t, y) for name, t in layers.items()}
    rows = [row for name, t in layers.items() for row in _rows(name, t, y, seen[name])]
    return AdviceTable(seen, tuple(rows))


def looked_at(t: ArrayLike, y: ArrayLike) -> Layer:
    """The facts of a layer t (sample, unit) and its labels."""
    layer = checked_layer(t)
    checked_labels(y, len(layer))
    bound = float(np.abs(layer).max())
    near = np.abs(layer) >= SATURATED * bound if 0 < bound <= 1 else np.zeros(1, bool)
    unique = len(np.unique(layer, axis=0)) if layer.shape[1] <= 64 else len(_hashed(layer))
    return Layer(
        n=len(layer), d=layer.shape[1], low=float(layer.min()), high=float(layer.max()),
        rms=float(np.sqrt(np.mean(layer.astype(np.float64) ** 2))),
        zeros=float(np.mean(layer == 0)), saturated=float(near.mean()),
        ties=1 - unique / len(layer), dead=int((np.ptp(layer, axis=0) == 0).sum()),
        h_y=label_entropy(y),
    )  # fmt: skip


def _hashed(layer: np.ndarray) -> set[bytes]:
    return {row.tobytes() for row in layer + layer.dtype.type(0)}


def _layers(what: Any, x: Any) -> dict[str, np.ndarray]:
    """Layers by name."""
    if isinstance(what, Mapping):
        return {str(name): checked_layer(t) for name, t in what.items()}
    if hasattr(what, "named_modules"):
        if x is None:
            raise ValueError("a module needs inputs to have layers: advise(module, y, x=x).")
        from ibcore.modules import layer_outputs

        return dict(layer_outputs(what, x))
    return {"layer": checked_layer(what)}


def _rows(name: str, t: np.ndarray, y: ArrayLike, layer: Layer) -> list[Advice]:
    rows = some_rows(len(t), MOST_ROWS)
    part, labels = t[rows], np.asarray(y)[rows]
    counted: list[CountingRuler] = [
        Binning(30, -1.0, 1.0), AdaptiveBinning(30), QuantileBinning(2), UnitRangeBinning(30),
        Exact(),
    ]  # fmt: skip
    found = []
    for ruler in counted:
        i_xt, i_ty = ruler(part, labels)
        tells, why = _of_counted(ruler, part, layer, i_xt)
        cost = COSTS["count"](layer.n, layer.d)
        found.append(Advice(name, repr(ruler), tells, why, i_xt, i_ty, cost))
    for other, kind in _OTHERS:
        tells, why = _of_other(other, layer)
        cost = float(COSTS[kind](layer.n, layer.d))
        found.append(Advice(name, repr(other), tells, why, None, None, cost))
    return found


_OTHERS: tuple[tuple[Ruler, str], ...] = (
    (KernelBound(0.1, scale="rms_squared"), "pairs"),
    (LabelBound(0.1, bound="lower", scale="rms_squared"), "pairs"),
    (GaussianDropout(0.1), "pairs, no kernel"),
    (BernoulliDropout(0.5), "masks"),
    (InfoNCE(), "train"),
    (UsableInformation(), "probe"),
    (SlicedInformation(), "slices"),
    (MatrixRenyi(), "eigen"),
    (SamplePropagation(), "slices"),
    (Quantised(), "count"),
)


def _of_counted(ruler: CountingRuler, t: np.ndarray, layer: Layer, i_xt: float) -> tuple[str, str]:
    """Whether a ruler that counts can tell anything, from what it says of the layer."""
    n, ceiling = len(t), float(np.log2(len(t)))
    if n < FEWEST:
        return "no", f"{n} inputs are too few for any sample to stand for a population."
    if i_xt > ceiling - NEAR_LOG_N:
        return "no", (
            f"every input has a symbol of its own: {i_xt:.2f} of log2 N = {ceiling:.2f} bits, and "
            "with it all of H(Y), whatever the labels are."
        )
    if i_xt <= tolerance(0.0) and not _constant(layer):
        return "no", f"it hardly sees the layer move ({i_xt:.2f} bits).{_units(ruler, t)}"
    units = _units(ruler, t)
    occupied = f"inputs share symbols: {i_xt:.2f} of log2 N = {ceiling:.2f} bits"
    if units:
        return "partly", f"{occupied}.{units}"
    if isinstance(ruler, QuantileBinning) and layer.d == 1:
        return "partly", f"I(T;Y) only: a single unit has log2 {ruler.n_bins} bits by definition."
    if isinstance(ruler, Exact):
        return "yes", f"{occupied}; {layer.ties:.0%} of the inputs share their row with another."
    return "yes", f"{occupied}, in any units of the layer."


def _constant(layer: Layer) -> bool:
    return layer.dead == layer.d


def _units(ruler: CountingRuler, t: np.ndarray) -> str:
    """What the same layer would have in other units, where that is something else."""
    if not isinstance(ruler, Binning):
        return ""
    other = [ruler(t * np.float32(one), np.zeros(len(t), int)).i_xt for one in FACTORS]
    here = ruler(t, np.zeros(len(t), int)).i_xt
    if max(abs(one - here) for one in other) <= tolerance(here):
        return ""
    written = ", ".join(
        f"{bits:.2f} bits times {factor:g}" for factor, bits in zip(FACTORS, other, strict=True)
    )
    reach = float(np.abs(t).max())
    beyond = f" It reaches {reach:.3g}, beyond [-1, 1]." if reach > 1 else ""
    return f" Units decide: the same layer has {written}.{beyond}"


def _of_other(ruler: Ruler, layer: Layer) -> tuple[str, str]:
    """Whether another ruler can tell anything, from the facts."""
    if layer.n < FEWEST:
        return "no", f"{layer.n} inputs are too few for any sample to stand for a population."
    answers: dict[type[Ruler], Callable[[Layer], tuple[str, str]]] = {
        KernelBound: _kernel,
        LabelBound: _label_bound,
        GaussianDropout: _gaussian,
        BernoulliDropout: _bernoulli,
        InfoNCE: _infonce,
        UsableInformation: _usable,
        SlicedInformation: lambda _: (
            "other", "in a run, or information(x, t, y): shadows of X and T, any dimension."
        ),
        MatrixRenyi: lambda one: (
            "other", "no information: the width of its kernel decides. "
            + ("Too many inputs at once." if one.n > 5000 else "Compare it with itself only."),
        ),
        SamplePropagation: lambda _: (
            "other", "yes, if the network has noise of its own in training and in use; else no."
        ),
        Quantised: lambda _: (
            "other", "exact, of a network whose layers are rounded; it needs the weights."
        ),
    }  # fmt: skip
    return answers[type(ruler)](layer)


def _kernel(layer: Layer) -> tuple[str, str]:
    if _constant(layer):
        return "no", "the layer is constant: 0 bits, whatever the noise."
    size = f"noise of {np.sqrt(0.1) * layer.rms:.3g} in units of the layer, which you must defend"
    if layer.d > 3 * np.log2(layer.n):
        return "partly", (
            f"{layer.d} units put {layer.n} inputs far apart: expect log2 N unless the noise is "
            f"large; {size}. Give a lower bound beside it."
        )
    return "yes", f"{size}; give a lower bound beside it, and more than one noise."


def _label_bound(layer: Layer) -> tuple[str, str]:
    if layer.d >= HIGH:
        return "partly", (
            f"a bound for these {layer.n} inputs; of a population only if shuffled labels give "
            f"nothing: ask ib.worth, as {layer.d} units can tell any labels apart."
        )
    return "yes", "a bound on I(T;Y) for these inputs; ask ib.worth what shuffled labels give."


def _gaussian(layer: Layer) -> tuple[str, str]:
    zeros = f"; {layer.zeros:.0%} of the values are 0 and have no noise" if layer.zeros else ""
    if layer.zeros > 0.05 and layer.d >= HIGH:
        return "no", f"which units are 0 tells the inputs apart for certain{zeros}."
    return "yes", f"noise in proportion to the activity, so that units do not matter{zeros}."


def _bernoulli(layer: Layer) -> tuple[str, str]:
    if layer.ties < 0.5:
        return "partly", (
            "one unit that survives names the input, as few rows are alike; let Binning count: "
            "BernoulliDropout(0.5, ib.Binning())."
        )
    masks = "exact" if layer.d <= 12 else "an upper bound with n_masks=100"
    return "yes", f"{masks}: half the inputs or more share their row."


def _infonce(layer: Layer) -> tuple[str, str]:
    ceiling = np.log2(min(256, max(layer.n // 2, 2)))
    if layer.n < 1000:
        return "partly", f"half of {layer.n} inputs train the critic: expect far too little."
    return "partly", f"a lower bound, at most log2 K = {ceiling:.1f} bits; set the noise."


def _usable(layer: Layer) -> tuple[str, str]:
    few = layer.n < 10 * layer.d
    care = (
        f" {layer.n} inputs for {layer.d} units: it learns by heart, raise penalty." if few else ""
    )
    return "other", f"what a linear probe reads of Y on inputs it has not seen; at most H(Y).{care}"


def _time(seconds: float) -> str:
    if seconds < 1:
        return "under a second"
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} min"
