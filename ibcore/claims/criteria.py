"""The vocabulary of claims: what a test in ``claims.toml`` may say, and the cells it becomes.

A test names an effect and where to look for it:

    effect      compression, fitting, change, ... (``EFFECTS``), or ``function``: a name in the
                paper's own ``evidence``, which gives the cells itself
    planes      {label = experiment}, or a list of experiments; each is a cell of its own
    pairs       {label = [one, other]}: the effect in one against the other, same seed by same seed,
                with ``against = "minus"`` or "over", at equal ``clock``: "epoch", "update", "loss"
    layers      numbers, "hidden" or "all": a cell each; ``layer_mean``: one number for several
    ruler       one for all; ``rulers = {label = name}``: a cell each; none: the plane's main one
    minus_ruler the effect under another ruler is subtracted, network by network
    all_rulers  true for a function that names its rulers itself
    statistic   "median" over networks (default), "mean", or "share": with ``least`` or ``most``,
                the share of networks whose effect is at least or at most so large
    with        settings of the effect

and how it is decided (``decide.Check``): expects, side, null, margin, size, quantifier, primary.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np
import xarray as xr

from ibcore.claims import cells as made
from ibcore.claims import clocks, intervals
from ibcore.claims import effects as fx
from ibcore.claims.cells import Cell
from ibcore.claims.checks import MARGINS, Check, Size

Planes = Mapping[str, xr.Dataset]


@dataclass(frozen=True)
class Effect:
    """A quantity of planes.

    Attributes
    ----------
    symbol, what, unit : str
        As the box shows it.
    measure : callable
        (plane, ruler, **settings) -> (seed,) or (seed, layer).
    signed : callable or None
        The signed companion of an effect that cannot be negative, on the same side.
    information : bool
        Whether a layer at its ceiling cannot answer.
    """

    symbol: str
    what: str
    unit: str
    measure: Callable[..., xr.DataArray]
    signed: Callable[..., xr.DataArray] | None = None
    information: bool = True


def _of(name: str) -> Callable[..., xr.DataArray]:
    """The last value of a curve."""

    def measure(plane: xr.Dataset, ruler: str | None, variable: str = name) -> xr.DataArray:
        return fx.final(fx.curve(plane, variable, estimator=ruler))

    return measure


EFFECTS: Mapping[str, Effect] = MappingProxyType(
    {
        "compression": Effect(
            "C = max I(X;T) - I(X;T) at the end", "what a layer has lost of its input", "bits",
            fx.compression, fx.loss_since_learnt,
        ),
        "fresh compression": Effect(
            "I(X;T) at the peak, found and read in different checkpoints, - I(X;T) at the end",
            "what a layer has lost of its input since its peak, with a sign", "bits",
            fx.fall_from_peak,
        ),
        "relative compression": Effect(
            "C / max I(X;T)", "the share that a layer has lost of its input", "share",
            fx.relative_compression, fx.relative_loss_since_learnt,
        ),
        "score": Effect(
            "1 - I(X;T) at the end / max I(X;T)", "the compression score", "share",
            fx.compression_score, fx.relative_loss_since_learnt,
        ),
        "change": Effect(
            "D = I(X;T) at the end - I(X;T) when learnt", "what a layer has gained since the task "
            "was learnt", "bits", fx.signed_change,
        ),
        "fitting": Effect(
            "F = max I(X;T) - I(X;T) at the start", "what a layer takes up of its input", "bits",
            fx.fitting, fx.gain_until_peak,
        ),
        "peak": Effect(
            "peak / T", "when the input is known best, as a share of the training",
            "share of epochs", fx.peak_share,
        ),
        "peak epoch": Effect(
            "peak", "when the input is known best", "epochs", fx.peak_epoch,
        ),
        "rising steps": Effect(
            "share of checkpoints at which I(X;T) does not fall", "how steadily a layer gains",
            "share of steps", fx.monotonicity,
        ),
        "input information": Effect(
            "I(X;T) at the end", "what a layer knows of its input", "bits", _of("i_xt"),
        ),
        "label information": Effect(
            "I(T;Y) at the end", "what a layer knows of the label", "bits", _of("i_ty"),
        ),
        "label loss": Effect(
            "max I(T;Y) - I(T;Y) at the end", "what a layer has lost of the label", "bits",
            fx.label_loss, fx.label_loss_since_learnt,
        ),
        "label change": Effect(
            "I(T;Y) at the end - I(T;Y) at the peak", "what a layer gains of the label while it "
            "compresses", "bits", fx.label_change,
        ),
        "test accuracy": Effect(
            "test accuracy at the end", "test accuracy", "accuracy", _of("test_accuracy"),
            information=False,
        ),
        "overfitting": Effect(
            "train minus test accuracy at the end", "overfitting", "accuracy", fx.accuracy_gap,
            information=False,
        ),
        "observable": Effect(
            "", "", "", _of(""), information=False,
        ),
    }
)  # fmt: skip

SELECTS = (
    "effect", "function", "experiments", "planes", "pairs", "against", "clock", "layers",
    "layer_mean", "ruler", "rulers", "minus_ruler", "all_rulers", "statistic", "least", "most",
    "with",
)  # fmt: skip
DECIDES = (
    "name", "what", "unit", "expects", "side", "null", "margin", "size", "quantifier", "primary",
    "counts", "units",
)  # fmt: skip
AGAINST = ("minus", "over")
CLOCKS = ("epoch", "update", "loss")
STATISTICS = ("median", "mean", "share")


@dataclass(frozen=True)
class CheckSpec:
    """A test as ``claims.toml`` has it, checked."""

    entry: Mapping[str, Any]
    where: str
    expects: str = "effect"
    experiments: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Refuse what the vocabulary does not have."""
        refuse(_faults(self.entry), self.where)
        object.__setattr__(self, "experiments", tuple(dict.fromkeys(_experiments(self.entry))))

    @property
    def names_rulers(self) -> bool:
        """Whether it says itself which rulers it looks at; else it sees one, the plane's main."""
        named = ("ruler", "rulers", "minus_ruler")
        return bool(self.entry.get("all_rulers")) or any(key in self.entry for key in named)

    def test(self, planes: Planes, evidence: ModuleType | None) -> Check:
        """The test with its cells.

        Parameters
        ----------
        planes : {experiment: plane}
        evidence : module or None
            The paper's own functions.
        """
        entry = self.entry
        given = {name: planes[name] for name in self.experiments}
        effect = EFFECTS.get(entry.get("effect", ""))
        if "function" in entry:
            function = getattr(evidence, entry["function"], None)
            if function is None:
                raise ValueError(f"{self.where}: the paper has no function {entry['function']!r}.")
            found = tuple(function(given, MappingProxyType(entry.get("with", {}))))
        else:
            found = tuple(_cells(entry, given))
        unit = entry.get("unit", effect.unit if effect else "")
        if entry.get("statistic") == "share":
            unit = entry.get("unit", "share of networks")
        expects = entry.get("expects", self.expects)
        return Check(
            name=entry.get("name", "test"),
            what=entry.get("what", effect.what if effect else ""),
            unit=unit,
            cells=found,
            expects=expects,
            side=entry.get("side", ">"),
            null=entry.get("null", 0.0),
            margin=None if expects == "identity" else entry.get("margin", MARGINS.get(unit)),
            size=size_of(entry.get("size")),
            quantifier=entry.get("quantifier", "typical"),
            primary=entry.get("primary", ""),
            counts=entry.get("counts", True),
            units=entry.get("units", "networks"),
        )


def size_of(given: Any) -> Size | None:
    """A number of ours, or ``{value, within, source}`` of the source."""
    if given is None:
        return None
    if not isinstance(given, Mapping):
        return Size(low=float(given), high=float(given))
    value, within = float(given["value"]), float(given.get("within", 0.0))
    return Size(low=value - within, high=value + within, source=given["source"])


def refuse(faults: list[str], where: str) -> None:
    """Raise if something is wrong, with all of it."""
    if faults:
        raise ValueError(f"{where}: {'; '.join(faults)}.")


def _faults(entry: Mapping[str, Any]) -> list[str]:
    faults = [
        f"unknown key {key!r}; known are {', '.join((*SELECTS, *DECIDES))}"
        for key in entry
        if key not in (*SELECTS, *DECIDES)
    ]
    if ("effect" in entry) == ("function" in entry):
        faults.append("a test needs an effect or a function, and not both")
    if (name := entry.get("effect")) is not None and name not in EFFECTS:
        faults.append(f"no effect is called {name!r}, only {', '.join(EFFECTS)}")
    if "effect" in entry and ("planes" in entry) == ("pairs" in entry):
        faults.append("an effect needs planes or pairs, and not both")
    for key, known in (("against", AGAINST), ("clock", CLOCKS), ("statistic", STATISTICS)):
        if key in entry and entry[key] not in known:
            faults.append(f"{key} must be one of {', '.join(known)}, got {entry[key]!r}")
    if entry.get("statistic") == "share" and ("least" in entry) == ("most" in entry):
        faults.append("a share needs least or most, and not both")
    numbers = [entry.get(key, 0.0) for key in ("null", "margin", "least", "most")]
    size = entry.get("size", 0.0)
    if isinstance(size, Mapping):
        if not {"value", "source"} <= set(size) <= {"value", "within", "source"}:
            faults.append("a size of the source has value, source and within")
        numbers += [size.get("value", 0.0), size.get("within", 0.0)]
    else:
        numbers.append(size)
    if not all(type(n) in (int, float) and np.isfinite(n) for n in numbers):
        faults.append("null, margin, size, least and most must be finite numbers")
    return faults


def _experiments(entry: Mapping[str, Any]) -> Iterator[str]:
    yield from entry.get("experiments", ())
    planes = entry.get("planes", ())
    yield from planes.values() if isinstance(planes, Mapping) else planes
    for pair in entry.get("pairs", {}).values():
        yield from pair


# Cells of the vocabulary


def _cells(entry: Mapping[str, Any], planes: Planes) -> Iterator[Cell]:
    effect = EFFECTS[entry["effect"]]
    rulers = entry.get("rulers", {"": entry.get("ruler")})
    many = len(_places(entry)) > 1
    for place, names in _places(entry).items():
        group = [planes[name] for name in names]
        if len(group) == 2 and (clock := entry.get("clock")):
            group = list(clocks.at_equal(*group, clock=clock))
        for said, one in rulers.items():
            for label, layer in _layers(entry, group[0]):
                where = ", ".join(filter(None, (place if many else "", said, label))) or place
                yield _one_cell(entry, effect, where, group, one, layer)


def _places(entry: Mapping[str, Any]) -> dict[str, list[str]]:
    """Label -> the one plane, or the two."""
    if "pairs" in entry:
        return {label: list(pair) for label, pair in entry["pairs"].items()}
    planes = entry["planes"]
    labelled = planes if isinstance(planes, Mapping) else {name: name for name in planes}
    return {label: [name] for label, name in labelled.items()}


Layers = int | tuple[int, ...] | None


def _layers(entry: Mapping[str, Any], plane: xr.Dataset) -> list[tuple[str, Layers]]:
    if mean := entry.get("layer_mean"):
        return [("", tuple(mean))]
    wanted = entry.get("layers")
    if wanted is None:
        return [("", None)]
    every = [int(k) for k in plane.layer.values]
    if isinstance(wanted, str):
        wanted = every if wanted == "all" else every[:-1]
    return [(f"layer {k}" if k != every[-1] else "output", int(k)) for k in wanted]


def _one_cell(
    entry: Mapping[str, Any],
    effect: Effect,
    label: str,
    group: list[xr.Dataset],
    ruler: str | None,
    layer: Layers,
) -> Cell:
    settings = entry.get("with", {})

    rulers = [ruler, *filter(None, [entry.get("minus_ruler")])]
    able = _able(group, rulers, layer)

    def number(measure: Callable[..., xr.DataArray], plane: xr.Dataset) -> xr.DataArray:
        first, *others = (_at(measure(plane, one, **settings), layer, able) for one in rulers)
        return first - others[0] if others else first

    values = [number(effect.measure, plane) for plane in group]
    hollow = [_hollow(entry, effect, plane, ruler, layer) for plane in group]
    why = next(filter(None, hollow), "")
    if len(group) == 2:
        one, other = xr.align(*values, join="inner")
        values = [one / other if entry.get("against") == "over" else one - other]
        # A layer at its ceiling in one run only: the other run shows what it could have lost.
        why = why if all(hollow) or why.startswith("void") else ""
    found = values[0]
    if entry.get("statistic") == "share":
        hit = found >= entry["least"] if "least" in entry else found <= entry["most"]
        return made.share(label, hit.where(found.notnull()), hollow=why)
    signed = None
    if effect.signed is not None and len(group) == 1 and "minus_ruler" not in entry:
        signed = number(effect.signed, group[0])
    statistic = intervals.mean if entry.get("statistic") == "mean" else intervals.median
    return made.cell(label, found, statistic=statistic, signed=signed, hollow=why)


def _at(found: xr.DataArray, layer: Layers, able: xr.DataArray | None) -> xr.DataArray:
    """The effect at a layer, or its mean over several that can answer."""
    if layer is None or "layer" not in found.dims:
        return found
    if able is None:
        return found.sel(layer=layer, drop=True)
    return found.sel(layer=able.layer).where(able).mean("layer")


def _able(
    group: list[xr.Dataset], rulers: Sequence[str | None], layer: Layers
) -> xr.DataArray | None:
    """Of several layers those that are at their ceiling nowhere: what is compared is the same."""
    if layer is None or isinstance(layer, int):
        return None
    full = [
        fx.saturated_layers(plane, estimator=ruler).sel(layer=list(layer))
        for plane in group
        for ruler in rulers
    ]
    return ~xr.concat(full, "asked", join="exact").any("asked")


def _hollow(
    entry: Mapping[str, Any], effect: Effect, plane: xr.Dataset, ruler: str | None, layer: Layers
) -> str:
    if why := fx.void(plane):
        return why
    if not effect.information or layer is None:
        return ""
    several = [layer] if isinstance(layer, int) else list(layer)
    full = fx.saturated_layers(plane, estimator=ruler).sel(layer=several)
    return "at its ceiling" if bool(full.all()) else ""
