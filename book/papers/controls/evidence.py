"""Evidence for the controls that the vocabulary cannot say."""

import json
from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ibcore.claims import clocks, intervals
from ibcore.claims import effects as fx
from ibcore.claims.cells import Cell, cell, fact
from ibcore.claims.common import Planes, Settings, is_saturated, table

Array = NDArray[np.float64]
PARTS = ("known_label", "known_signature", "known_orbit", "known_within")


# Labels


def share_of_the_loss(planes: Planes, t: Settings) -> Iterator[Cell]:
    """9: of the bits lost since the peak, the share within orbits, in one run minus the other.

    Both runs at equal loss on the training rows. A network that loses less than ``least`` bits has
    no such share.
    """
    for label, names in t["pairs"].items():
        pair = clocks.at_equal(*(planes[name] for name in names), clock="loss")
        for layer in t["layers"]:
            one, other = (_share_within(plane.sel(layer=layer), t["least"]) for plane in pair)
            found = one - other
            yield cell(f"{label}, layer {layer}", found, hollow=_why(*pair, layer=layer))


def _share_within(plane: xr.Dataset, least: float) -> xr.DataArray:
    """Share of what a layer loses from its peak on that tells inputs of one orbit apart."""
    parts = [fx.curve(plane, name) for name in PARTS]
    whole = sum(parts[1:], start=parts[0])
    within, lost = (fx.at_peak(one, whole) - fx.final(one) for one in (parts[-1], whole))
    return (within / lost.where(lost >= least)).drop_vars("layer", errors="ignore")


# Nulls


def stands_still(planes: Planes, t: Settings) -> Iterator[Cell]:
    """10: under no ruler does a network move that does not learn."""
    for label, name in t["planes"].items():
        for ruler in t["rulers"]:
            ix = planes[name].i_xt.sel(estimator=ruler)
            most = float((ix.max("epoch") - ix.min("epoch")).max())
            yield fact(f"{label}, {ruler.split('(')[0]}", most <= t["slack"], f"{most:.2g} bits")


def beyond_growth(planes: Planes, t: Settings) -> Iterator[Cell]:
    """10: C of trained networks minus C of their twins that only grow; or C of the twins."""
    for label, (trained, grown) in t["pairs"].items():
        pair = [planes[trained], planes[grown]]
        for said, ruler in t["rulers"].items():
            for layer in t["layers"]:
                one, other = (fx.compression(p, ruler).sel(layer=layer, drop=True) for p in pair)
                found = other if t["of"] == "growth" else one - other
                why = fx.void(pair[0]) or _full(pair, layer, ruler)
                yield cell(f"{label}, {said}, layer {layer}", found, hollow=why)


def _full(pair: list[xr.Dataset], layer: int, ruler: str | None) -> str:
    """A layer at its ceiling in both runs has nothing to lose in either."""
    return "at its ceiling" if all(is_saturated(p, layer, ruler) for p in pair) else ""


def beyond_order(planes: Planes, t: Settings) -> Iterator[Cell]:
    """10: C minus its mean over all orders of the checkpoints, which is max I(X;T) - mean I(X;T).

    Without smoothing the difference is mean I(X;T) - I(X;T) at the end. ``of = "picking"``: what
    looking for the largest value adds, C - C with the peak found and read in other checkpoints.
    """
    for label, name in t["planes"].items():
        plane = planes[name]
        for layer in t["layers"]:
            if t["of"] == "picking":
                found = fx.compression(plane) - fx.fall_from_peak(plane)
            else:
                ix = plane.i_xt.isel(estimator=0, drop=True)
                found = ix.mean("epoch") - fx.final(ix)
            why = fx.void(plane) or _full([plane], layer, None)
            yield cell(f"{label}, layer {layer}", found.sel(layer=layer, drop=True), hollow=why)


# Interventions


def less_against_more(planes: Planes, t: Settings) -> Iterator[Cell]:
    """11: at equal training loss, test accuracy of the run that knows less minus the other's.

    Where the two do not differ by ``least`` bits in the mean of the named layers, in the median
    network, nothing was held up or pushed down and the cell is hollow. ``of = "information"``: what
    the one knows more than the other, in bits.
    """
    for label, names in t["pairs"].items():
        pair = clocks.at_equal(planes[names["less"]], planes[names["more"]], clock="loss")
        rulers = (names.get("ruler_less"), names.get("ruler_more"))
        known = [
            fx.final(fx.curve(plane, estimator=ruler)).sel(layer=list(t["layers"])).mean("layer")
            for plane, ruler in zip(pair, rulers, strict=True)
        ]
        apart = known[1] - known[0]
        right = [fx.final(fx.curve(plane, "test_accuracy")) for plane in pair]
        if t["of"] == "information":
            yield cell(label, apart, hollow=_why(*pair))
            continue
        few = float(apart.median()) < t["least"]
        why = _why(*pair) or (f"information differs by less than {t['least']:g} bit" if few else "")
        yield cell(label, right[0] - right[1], hollow=why)


# Predictors of the test gap


def added_to_a_prediction(planes: Planes, t: Settings) -> Iterator[Cell]:
    """12: share of the variance of the test gap within settings that is explained besides.

    Ridgeless linear models of all networks, means of each setting taken out, on networks that they
    were not fitted to: seeds are dealt into ``folds``. Added = (squared error of ``base`` - that of
    ``base`` and ``more``) / variance, a mean over the settings for each seed.
    """
    rows = [_network(planes, names, t) for names in t["settings"].values()]
    seeds = np.unique(np.concatenate([one.seed.values for one in rows]))
    whole = xr.concat([one.reindex(seed=seeds) for one in rows], "setting").transpose(
        "setting", "seed", ...
    )
    folds = np.arange(len(seeds)) % t["folds"]
    chosen = {key: [f for name in t[key] for f in FEATURES[name]] for key in ("base", "more")}
    for gap in t["gaps"]:
        y = _within(whole[gap].values)
        base, more = (
            _errors(whole, chosen["base"] + extra, y, folds) for extra in ([], chosen["more"])
        )
        with np.errstate(invalid="ignore"):
            spread = np.nanmean(y**2, axis=1, keepdims=True)
            found = np.nanmean((base - more) / spread, axis=0)
        values = xr.DataArray(found, dims="seed", coords={"seed": seeds})
        yield cell(t["gaps"][gap], values, statistic=intervals.mean)


FEATURES: Mapping[str, tuple[str, ...]] = {
    "information": ("i_xt", "compression"),
    "weights": ("weight_norm",),
    "saturation": ("saturation",),
    "scatter": ("scatter",),
    "directions": ("participation_ratio",),
    "lengths": ("neighbour_log_distance",),
}


def _network(planes: Planes, names: Mapping[str, str], t: Settings) -> xr.Dataset:
    """Both gaps and all features of the networks of one setting, (seed,) or (seed, layer)."""
    curves, end = planes[names["curves"]], planes[names["end"]].isel(epoch=-1, drop=True)
    found = {
        "i_xt": fx.final(fx.curve(curves)),
        "compression": fx.compression(curves),
        "weight_norm": np.log2(end.weight_norm),
        "saturation": end.saturation,
        "scatter": np.log2((end.scatter_within + 1e-12) / (end.scatter_between + 1e-12)),
        "participation_ratio": end.participation_ratio,
        "neighbour_log_distance": end.neighbour_log_distance,
    }
    plain = {name: one.sel(layer=t["layers"]).drop_vars("width") for name, one in found.items()}
    plain["accuracy_gap"] = end.train_accuracy - end.test_accuracy
    plain["loss_gap"] = np.log2(end.test_loss + t["floor"]) - np.log2(end.loss + t["floor"])
    return xr.Dataset(plain)


def _within(values: Array) -> Array:
    """Minus the mean of the setting, its first axis."""
    return values - np.nanmean(values, axis=1, keepdims=True)


def _errors(whole: xr.Dataset, features: list[str], y: Array, folds: NDArray[np.int64]) -> Array:
    """Squared errors (setting, seed) of predictions for seeds that the model did not see."""
    if not features:
        return y**2
    columns = [_within(whole[name].values) for name in features]
    x = np.concatenate([one[..., None] if one.ndim == 2 else one for one in columns], axis=-1)
    there = np.isfinite(x).all(axis=-1) & np.isfinite(y)
    errors = np.full(y.shape, np.nan)
    for fold in np.unique(folds):
        out = there & (folds == fold)
        fit = there & (folds != fold)
        weights = np.linalg.lstsq(x[fit], y[fit], rcond=None)[0]
        errors[out] = (y[out] - x[out] @ weights) ** 2
    return errors


# Ceilings


def away_from_the_ceiling(planes: Planes, t: Settings) -> Iterator[Cell]:
    """13: of a network's hidden layers off the ceiling the share that loses ``least`` bits or more.

    ``of = "still"``: of those that lose less than ``still`` bits the share that is at the ceiling.
    """
    for label, name in t["planes"].items():
        for said, ruler in t["rulers"].items():
            plane = planes[name].isel(layer=slice(-1))
            full, c = fx.saturated(plane, estimator=ruler), fx.compression(plane, ruler)
            if t["of"] == "still":
                flags = full.where(c < t["still"])
            else:
                flags = (c >= t["least"]).where(~full)
            where = ", ".join(filter(None, (label, said)))
            yield cell(
                where, flags.mean("layer"), statistic=intervals.mean, hollow=fx.void(planes[name])
            )


# Activations


def slopes_over_settings(planes: Planes, t: Settings) -> Iterator[Cell]:
    """14: least squares over settings: C in bits per property of the activation and its start.

    Properties: log2 of the initial gain; whether there are two bounds; log2 of the range, where
    there are; log2 of the slope at 0. C is the median over networks of a layer.
    """
    used = [plane for plane in planes.values() if not fx.void(plane)]
    columns = [fx.compression(one, t["ruler"]).sel(layer=t["layer"], drop=True) for one in used]
    design = np.stack([_properties(plane, t) for plane in used])
    fitted = np.linalg.pinv(design)
    for label, place in t["properties"].items():
        yield cell(label, table(columns), statistic=partial(_coefficient, fitted[place]))


def _properties(plane: xr.Dataset, t: Settings) -> Array:
    told = json.loads(plane.attrs["experiment"])
    bounds, slope = t["bounds"][told["activation"]], t["slopes"][told["activation"]]
    span, gain = np.log2(told["output_range"]), np.log2(told["init_gain"])
    two = float(bounds == 2)
    return np.array([1.0, gain, two, two * span, np.log2(slope)])


def _coefficient(row: Array, sample: Array) -> Array:
    return np.asarray(intervals.medians(sample) @ row)


# Linear students


def above_the_curve(planes: Planes, t: Settings) -> Iterator[Cell]:
    """16: I(X;T) at the end minus the least that the Gaussian bottleneck needs for that I(T;Y).

    Y is one number, so that with ρ² = snr / (1 + snr) the least is

        R = -½ log2[1 - (1 - 2^(-2 I(T;Y))) / ρ²].
    """
    rho2 = t["snr"] / (1 + t["snr"])
    for label, name in t["planes"].items():
        ix, iy = (fx.final(fx.curve(planes[name], one)) for one in ("i_xt", "i_ty"))
        least = -0.5 * np.log2(1 - (1 - 2 ** (-2 * iy)) / rho2)
        for said, layer in t["layers"].items():
            found = (ix - least).sel(layer=layer, drop=True)
            yield cell(f"{label}, {said}", found, hollow=fx.void(planes[name]))


# Synergy


def synergy_falls(planes: Planes, t: Settings) -> Iterator[Cell]:
    """17: how far the synergy of the inputs falls from its peak to the end; or what I(X;T) does.

    The peak is looked for at every other checkpoint and read at the one beside it. ``of =
    "information"``: I(X;T) at that peak - I(X;T) at the end, in bits, of networks whose synergy
    falls by at least ``least``.
    """
    for label, name in t["planes"].items():
        plane = planes[name]
        synergy, ix = plane["synergy_inputs"], plane.i_xt.sel(estimator=t["ruler"], drop=True)
        place = _beside_the_peak(synergy)
        fall, forgotten = (
            one.isel(epoch=place, drop=True) - fx.final(one) for one in (synergy, ix)
        )
        found = forgotten.where(fall >= t["least"]) if t["of"] == "information" else fall
        for layer in t["layers"]:
            yield cell(
                f"{label}, layer {layer}", found.sel(layer=layer, drop=True), hollow=fx.void(plane)
            )


def _beside_the_peak(values: xr.DataArray) -> xr.DataArray:
    """Place of the checkpoint beside the largest of every other value."""
    top = 2 * values.isel(epoch=slice(0, None, 2)).argmax("epoch")
    return xr.where(top < values.sizes["epoch"] - 1, top + 1, top - 1)


def _why(*pair: xr.Dataset, layer: int | None = None) -> str:
    """Why two runs cannot be compared: one is void, or the layer is full in both."""
    void = next(filter(None, (fx.void(plane) for plane in pair)), "")
    return void or (_full(list(pair), layer, None) if layer is not None else "")
