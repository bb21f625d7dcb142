"""From planes to numbers: the quantities that criteria are written in.

Every function takes a plane and returns one number per network, with the dims (seed,) or
(seed, layer). Information is in bits and times are in epochs. Curves are smoothed with a
running median over three checkpoints before anything is read from them; the first and the
last checkpoint stay as they are.

    C = max IX - IX[T]            compression
    D = IX[T] - IX[t₀]            signed change, t₀: train accuracy reaches 0.9 of its final
    F = max IX - IX[0]            fitting
    tpk = argmax IX               peak
"""

import json

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.ndimage import median_filter
from scipy.optimize import brentq

CEILING_SLACK = 0.05
"""Bits below log2(N) at which a layer still counts as saturated, in every chapter."""


def smooth(values: xr.DataArray) -> xr.DataArray:
    """Take the running median over three checkpoints; the two ends keep their values."""
    window = [3 if dim == "epoch" else 1 for dim in values.dims]
    found = median_filter(values.values.astype(float), size=window, mode="nearest")
    return values.copy(data=found)


def variable(plane: xr.Dataset, name: str) -> xr.DataArray:
    """Return a variable of a plane, or say which ones it has.

    Raises
    ------
    ValueError
        If the plane does not hold it.
    """
    if name not in plane:
        held = ", ".join(sorted(map(str, plane.data_vars)))
        raise ValueError(f"the plane has no {name!r}, only {held}; measure it and save again.")
    return plane[name]


def curve(plane: xr.Dataset, name: str = "i_xt", *, estimator: str | None = None) -> xr.DataArray:
    """One smoothed curve per network: (seed, epoch, layer), or (seed, epoch).

    Parameters
    ----------
    plane : xarray.Dataset
        An information plane.
    name : str
        "i_xt", "i_ty" or an observable.
    estimator : str, optional
        The ``repr`` of the ruler. Default: the plane's first.

    Raises
    ------
    ValueError
        If the plane does not hold this variable or this ruler.
    """
    found = variable(plane, name)
    if "estimator" in found.dims:
        rulers = list(found.estimator.values)
        if estimator is not None and estimator not in rulers:
            raise ValueError(f"the plane has no ruler {estimator!r}, only {', '.join(rulers)}.")
        found = found.isel(estimator=rulers.index(estimator) if estimator else 0, drop=True)
    return smooth(_measured(found))


def final(values: xr.DataArray) -> xr.DataArray:
    """Value at the last checkpoint."""
    return values.isel(epoch=-1, drop=True)


def at_epoch(values: xr.DataArray, epoch: int) -> xr.DataArray:
    """Value at a named epoch, which must have been measured.

    Raises
    ------
    ValueError
        If it was not; an epoch beside it will not do.
    """
    measured = values.epoch.values
    nearest = int(measured[np.abs(measured - epoch).argmin()])
    if nearest != epoch:
        raise ValueError(
            f"epoch {epoch} was not measured, the nearest is {nearest}; "
            f"run again with measured_epochs=({epoch},)."
        )
    return values.sel(epoch=epoch, drop=True)


def compression(plane: xr.Dataset, estimator: str | None = None) -> xr.DataArray:
    """C = max IX - IX[T], in bits: never negative, and biased upward by noise."""
    ix = curve(plane, estimator=estimator)
    return ix.max("epoch") - final(ix)


def by_ruler(plane: xr.Dataset) -> xr.DataArray:
    """C in bits under every ruler of a plane: (estimator, seed, layer)."""
    rulers = plane.estimator.values
    each = [compression(plane, estimator=str(ruler)) for ruler in rulers]
    return xr.concat(each, xr.DataArray(rulers, dims="estimator", name="estimator"))


def fitting(plane: xr.Dataset, estimator: str | None = None) -> xr.DataArray:
    """F = max IX - IX[0], in bits."""
    ix = curve(plane, estimator=estimator)
    return ix.max("epoch") - ix.isel(epoch=0, drop=True)


def signed_change(
    plane: xr.Dataset, estimator: str | None = None, share: float = 0.9
) -> xr.DataArray:
    """D = IX[T] - IX[t₀], in bits: negative where the layer compressed after learning.

    t₀ is the first checkpoint at which the train accuracy reaches ``share`` of its final value.
    """
    ix = curve(plane, estimator=estimator)
    return final(ix) - when_learnt(plane, ix, share)


def when_learnt(plane: xr.Dataset, values: xr.DataArray, share: float = 0.9) -> xr.DataArray:
    """Value at t₀, the first checkpoint whose train accuracy is ``share`` of its final value."""
    accuracy = curve(plane, "train_accuracy").sel(epoch=values.epoch)
    reached = (accuracy >= share * final(accuracy)).argmax("epoch")
    return values.isel(epoch=reached, drop=True)


def loss_since_learnt(plane: xr.Dataset, estimator: str | None = None) -> xr.DataArray:
    """-D, in bits: what a layer has lost since the task was learnt; the signed side of C."""
    return -signed_change(plane, estimator)


def gain_until_peak(plane: xr.Dataset, estimator: str | None = None) -> xr.DataArray:
    """IX beside the peak - IX[0], in bits: the signed side of F.

    The peak is looked for at every other checkpoint, and IX is read at the one after it, so that
    the noise that makes a peak is not counted as a gain.
    """
    ix = curve(plane, estimator=estimator)
    place = 2 * _top(ix.isel(epoch=slice(0, None, 2)))
    after = np.minimum(place + 1, ix.sizes["epoch"] - 1)
    return ix.isel(epoch=after, drop=True) - ix.isel(epoch=0, drop=True)


def fall_from_peak(plane: xr.Dataset, estimator: str | None = None) -> xr.DataArray:
    """C of a fresh half, in bits: IX beside the peak - IX[T], negative where a layer gains.

    The peak is looked for at every other checkpoint and IX is read at the one beside it, without
    smoothing: noise does not push it upward, however many checkpoints there are.
    """
    ix = variable(plane, "i_xt")
    place = list(ix.estimator.values).index(estimator) if estimator else 0
    ix = _measured(ix.isel(estimator=place, drop=True))
    top, last = 2 * _top(ix.isel(epoch=slice(0, None, 2))), ix.sizes["epoch"] - 1
    beside = xr.where(top < last, top + 1, top - 1)
    return ix.isel(epoch=beside, drop=True) - final(ix)


def relative_compression(plane: xr.Dataset, estimator: str | None = None) -> xr.DataArray:
    """C / max IX; 0 where nothing is known at any time."""
    return _over_largest(compression(plane, estimator), curve(plane, estimator=estimator))


def relative_loss_since_learnt(plane: xr.Dataset, estimator: str | None = None) -> xr.DataArray:
    """-D / max IX; 0 where nothing is known at any time."""
    return _over_largest(loss_since_learnt(plane, estimator), curve(plane, estimator=estimator))


def _over_largest(values: xr.DataArray, ix: xr.DataArray) -> xr.DataArray:
    largest = ix.max("epoch")
    return xr.where(largest > 0, values / largest.where(largest > 0, 1.0), 0.0)


def peak_share(plane: xr.Dataset, estimator: str | None = None) -> xr.DataArray:
    """tpk / T: when IX is largest, as a share of the training."""
    return peak_epoch(plane, estimator) / int(plane.epoch[-1])


def label_loss(plane: xr.Dataset, estimator: str | None = None) -> xr.DataArray:
    """max IY - IY[T], in bits: never negative."""
    iy = curve(plane, "i_ty", estimator=estimator)
    return iy.max("epoch") - final(iy)


def label_loss_since_learnt(plane: xr.Dataset, estimator: str | None = None) -> xr.DataArray:
    """IY[t₀] - IY[T], in bits: the signed side of the loss of label information."""
    iy = curve(plane, "i_ty", estimator=estimator)
    return when_learnt(plane, iy) - final(iy)


def label_change(plane: xr.Dataset, estimator: str | None = None) -> xr.DataArray:
    """IY[T] - IY[tpk], in bits: what is gained of the label while IX falls from its peak."""
    iy = curve(plane, "i_ty", estimator=estimator)
    return final(iy) - at_peak(iy, curve(plane, estimator=estimator))


def accuracy_gap(plane: xr.Dataset, estimator: str | None = None) -> xr.DataArray:
    """Train minus test accuracy at the end."""
    train, test = (curve(plane, f"{name}_accuracy") for name in ("train", "test"))
    return final(train) - final(test)


def peak_epoch(plane: xr.Dataset, estimator: str | None = None) -> xr.DataArray:
    """Epoch tpk of the (first) largest IX."""
    ix = curve(plane, estimator=estimator)
    found = ix.epoch[_top(ix)].drop_vars(["epoch", "update"], errors="ignore")
    return found.where(ix.notnull().any("epoch"))


def at_peak(values: xr.DataArray, ix: xr.DataArray) -> xr.DataArray:
    """Value at the checkpoint where IX is largest."""
    return values.isel(epoch=_top(ix), drop=True)


def _top(ix: xr.DataArray) -> xr.DataArray:
    """Place of the (first) largest value; the first one where a layer has none."""
    return ix.fillna(-np.inf).argmax("epoch")


def compression_score(plane: xr.Dataset, estimator: str | None = None) -> xr.DataArray:
    """1 - IX[T] / max IX (Chelombiev et al., eq. 6, for one layer); 0 where IX is 0."""
    ix = curve(plane, estimator=estimator)
    largest = ix.max("epoch")
    return 1 - xr.where(largest > 0, final(ix) / largest.where(largest > 0, 1.0), 1.0)


def monotonicity(
    plane: xr.Dataset, estimator: str | None = None, slack: float = 0.02
) -> xr.DataArray:
    """Share of consecutive checkpoints with ΔIX >= -slack bit."""
    return (curve(plane, estimator=estimator).diff("epoch") >= -slack).mean("epoch")


def saturated(plane: xr.Dataset, *, estimator: str | None = None) -> xr.DataArray:
    """Whether IX[l, t] >= log2(N) - 0.05 at every checkpoint: such a layer cannot compress."""
    ceiling = np.log2(plane.attrs["n_samples"]) - CEILING_SLACK
    return (curve(plane, estimator=estimator) >= ceiling).all("epoch")


def saturated_layers(plane: xr.Dataset, *, estimator: str | None = None) -> xr.DataArray:
    """Layers, (layer,), that are saturated in at least half of the networks."""
    return saturated(plane, estimator=estimator).mean("seed") >= 0.5


def dpi_violation_share(
    plane: xr.Dataset, *, estimator: str | None = None, slack: float = 0.05
) -> xr.DataArray:
    """Share of (checkpoint, neighbouring layers) with IX[l+1] > IX[l] + slack, per network."""
    return (curve(plane, estimator=estimator).diff("layer") > slack).mean(["epoch", "layer"])


def time_to_reach(values: xr.DataArray, level: float) -> xr.DataArray:
    """First epoch with a value >= level; NaN where a curve never gets there."""
    there = values >= level
    epochs = there.epoch[there.argmax("epoch")].drop_vars(["epoch", "update"], errors="ignore")
    return epochs.where(there.any("epoch"))


def time_to_compress(ix: xr.DataArray, amount: float) -> tuple[xr.DataArray, xr.DataArray]:
    """First checkpoint after the peak with IX <= max - amount.

    Returns
    -------
    epoch : DataArray
        Its epoch, NaN where it never comes.
    updates : DataArray
        Optimiser steps from the peak to it, NaN likewise.
    """
    top = ix.argmax("epoch")
    step = xr.DataArray(np.arange(ix.sizes["epoch"]), dims="epoch")
    fallen = (ix <= ix.max("epoch") - amount) & (step > top)
    hit, found = fallen.argmax("epoch"), fallen.any("epoch")
    epoch, update = (xr.DataArray(ix[name].values, dims="epoch") for name in ("epoch", "update"))
    return epoch[hit].where(found), (update[hit] - update[top]).where(found)


def change_point(log_curve: xr.DataArray) -> tuple[xr.DataArray, xr.DataArray]:
    """One break of a piecewise-constant curve, by least squares.

    Over the checkpoints of epoch >= 1, which are log-spaced and weigh the same, minimise
    Σ (y - mean of its side)² over the place of the break.

    Returns
    -------
    epoch : DataArray
        First epoch after the break.
    drop : DataArray
        Mean before minus mean after: decades, for a curve in log10.

    Raises
    ------
    ValueError
        If the curve is not finite or has fewer than two such checkpoints.
    """
    y = log_curve.sel(epoch=log_curve.epoch >= 1).transpose("epoch", ...)
    n = y.sizes["epoch"]
    if n < 2:
        raise ValueError(f"a change point needs 2 checkpoints of epoch >= 1, got {n}.")
    if not np.isfinite(y.values).all():
        raise ValueError(
            f"a change point needs finite values; {np.sum(~np.isfinite(y.values))} are not, "
            "as of a signal-to-noise ratio whose mean or standard deviation is 0."
        )
    sums = np.cumsum(y.values, axis=0)
    before = np.arange(1, n).reshape(-1, *[1] * (y.ndim - 1))
    mean_before, mean_after = sums[:-1] / before, (sums[-1] - sums[:-1]) / (n - before)
    # The sum of squares within the sides is least where the one between them is largest.
    between = (before * (n - before)) * (mean_before - mean_after) ** 2
    place = between.argmax(axis=0)[None]
    drop = np.take_along_axis(mean_before - mean_after, place, axis=0)[0]
    template = y.isel(epoch=0, drop=True).drop_vars("update", errors="ignore")
    return template.copy(data=y.epoch.values[place[0] + 1]), template.copy(data=drop)


def log_snr(plane: xr.Dataset, prefix: str = "") -> xr.DataArray:
    """log10 of gradient mean over standard deviation; ``prefix`` "minibatch_" or "".

    Dividing both by the weight norm, as the paper does, leaves this ratio as it is.
    """
    mean = variable(plane, f"{prefix}gradient_mean")
    std = variable(plane, f"{prefix}gradient_std")
    # Zeros become -inf or NaN, which ``change_point`` refuses with a message.
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = mean.astype(float) / std.astype(float)
        return smooth(_measured(ratio.copy(data=np.log10(ratio.values))))


def learnt(plane: xr.Dataset) -> NDArray[np.bool_]:
    """Which networks learnt the task, (seed,): half-way from the majority class to the best.

    A network that does no better than half-way between answering with the commonest class and the
    best network of its plane, on the training rows at the end, has not learnt.
    """
    accuracy = variable(plane, "train_accuracy").isel(epoch=-1).values
    return accuracy >= 0.5 * (majority(plane) + accuracy.max())


def majority(plane: xr.Dataset) -> float:
    """Share of the commonest class, from H(Y): exact for two classes, else 2^-H(Y), a lower bound.

    >>> two = {"label_entropy": 1.0}
    >>> majority(xr.Dataset(coords={"width": ("layer", [3, 2])}, attrs=two))
    0.5
    """
    bits, classes = float(plane.attrs["label_entropy"]), int(plane["width"][-1])
    if classes == 1:  # the sign of one output
        return 0.5
    if classes > 2:
        return float(2.0**-bits)
    if bits >= 1:
        return 0.5

    def excess(p: float) -> float:
        return float(-(p * np.log2(p) + (1 - p) * np.log2(1 - p)) - bits)

    return float(brentq(excess, 0.5, 1 - 1e-12)) if bits > 1e-9 else 1.0


def void(plane: xr.Dataset) -> str:
    """Why a plane answers nothing: fewer than half of its networks learnt; "" if it does."""
    mask = learnt(plane)
    return "" if 2 * mask.sum() >= mask.size else f"void: {mask.sum()} of {mask.size} learnt"


def train_fraction(plane: xr.Dataset) -> float:
    """Share of the rows that the plane's networks were trained on."""
    return float(json.loads(plane.attrs["experiment"])["train_fraction"])


def _measured(values: xr.DataArray) -> xr.DataArray:
    """Leave out the epochs at which nothing was measured: all NaN."""
    return values.dropna("epoch", how="all")
