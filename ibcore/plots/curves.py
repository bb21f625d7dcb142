"""Figures of what happens during training: loss, accuracy, gradients."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from ibcore.plots import labels, reading, style

STATISTICS = {"minibatch": "minibatch_", "sample": ""}


def learning_curves(
    plane: xr.Dataset, *, quantity: str = "accuracy", time: str = "epoch", ax: Axes | None = None
) -> Axes:
    """Accuracy or loss on training and test data: median, band of the half around it, tails.

    Parameters
    ----------
    plane : Dataset
        With ``train_accuracy`` and ``test_accuracy``, or ``loss`` and perhaps ``test_loss`` in
        nats; dims (seed, epoch).
    quantity : "accuracy" or "loss"
    time : "epoch" or "update"
    """
    reading.one_of("quantity", quantity, ("accuracy", "loss"))
    names = {"accuracy": ("train_accuracy", "test_accuracy"), "loss": ("loss", "test_loss")}
    train, test = names[quantity]
    times, time_label = reading.times_of(plane, time)
    drawn = {"training": train, "test": test}
    if quantity == "loss" and test not in plane.data_vars:
        del drawn["test"]
    ax = style.one_axes(ax, (style.NARROW, 3.6))
    ends = []
    for (label, name), look in zip(drawn.items(), (style.look(0), style.look(3)), strict=False):
        values = reading.array(plane, name, reading.SEED_EPOCH)
        style.band(ax, times, values, look, label=label, markers=False, tails=True)
        ends.append(labels.End(label, times[-1], float(np.median(values[:, -1])), look))
    style.time_axis(ax, times, time_label)
    ax.set_ylabel("accuracy" if quantity == "accuracy" else "cross-entropy [nats]")
    labels.at_the_ends(ax, ends)
    return ax


def _gradients(plane: xr.Dataset, statistics: str) -> tuple[np.ndarray, np.ndarray]:
    """Norms of mean and standard deviation of the gradients, each (seed, epoch, layer)."""
    reading.one_of("statistics", statistics, tuple(STATISTICS))
    prefix = STATISTICS[statistics]
    mean, std = (
        reading.array(plane, f"{prefix}gradient_{name}", reading.SEED_EPOCH_LAYER)
        for name in ("mean", "std")
    )
    if not (std > 0).any():
        raise ValueError(
            f"the {statistics} gradients must have a positive standard deviation somewhere, got "
            "only NaN or 0, as with one batch per epoch; use statistics='sample'."
        )
    return mean, std


def gradient_phases(
    plane: xr.Dataset,
    *,
    statistics: str = "minibatch",
    normalised: bool = True,
    layers: Iterable[int] | None = None,
    time: str = "epoch",
    marks: Mapping[str, Mapping[int, float]] | None = None,
    axes: Iterable[Axes] | None = None,
) -> np.ndarray:
    """Norms of the mean and the standard deviation of the gradient over time, a panel per layer.

    Parameters
    ----------
    plane : Dataset
        With ``minibatch_gradient_mean`` and ``minibatch_gradient_std``, or without the prefix for
        ``statistics="sample"``, and ``weight_norm``; dims (seed, epoch, layer).
    statistics : "minibatch" or "sample"
        Over what the mean and the standard deviation were taken.
    normalised : bool
        Divide both by the norm of the layer's weights.
    marks : mapping of name to mapping of layer to time, optional
        Times to mark in every panel, such as the peak of I(X;T).

    Returns
    -------
    (layer,) array of Axes
    """
    mean, std = _gradients(plane, statistics)
    if normalised:
        weight = reading.array(plane, "weight_norm", reading.SEED_EPOCH_LAYER)
        mean, std = mean / weight, std / weight
    times, time_label = reading.times_of(plane, time)
    names = reading.layer_names(plane)
    drawn = reading.chosen_layers(plane, layers)
    axes = style.many_axes(axes, len(drawn), height=2.1, sharex=True, sharey=True)
    curves = {"mean": (mean, style.look(0)), "standard deviation": (std, style.look(3))}
    for ax, layer in zip(axes, drawn, strict=True):
        k = list(names).index(layer)
        for label, (values, look) in curves.items():
            style.band(ax, times, values[:, :, k], look, label=label, markers=False)
        ax.set_yscale("log")
        style.time_axis(ax, times, time_label)
        ax.set_title(f"layer {names[layer]}")
    style.log_ticks(axes[0].yaxis)
    style.label_outer(axes, time_label, "‖gradient‖ / ‖W‖" if normalised else "‖gradient‖")
    handles = [style.handle(name, look, marker=False) for name, (_, look) in curves.items()]
    style.below_legend(axes, handles + _mark(axes, drawn, marks or {}), "")
    return axes


def _mark(
    axes: np.ndarray, layers: list[int], marks: Mapping[str, Mapping[int, float]]
) -> list[Line2D]:
    """A vertical line per mark in the panel of its layer; the legend entries."""
    handles = []
    looks: tuple[Any, ...] = ("--", ":", "-.")
    for (name, times), dashes in zip(marks.items(), looks, strict=False):
        unknown = sorted(set(times) - set(layers))
        if unknown:
            raise ValueError(f"marks of {name!r}: layers must be some of {layers}, got {unknown}.")
        for ax, layer in zip(axes, layers, strict=True):
            if layer in times:
                ax.axvline(times[layer], color=style.GREY, linestyle=dashes, linewidth=1.2,
                           label=f"_{name}")  # fmt: skip
        handles.append(Line2D([], [], color=style.GREY, linestyle=dashes, label=name))
    return handles


def snr(
    plane: xr.Dataset,
    *,
    statistics: str = "minibatch",
    layers: Iterable[int] | None = None,
    time: str = "epoch",
    marks: Mapping[str, Mapping[int, float]] | None = None,
    axes: Iterable[Axes] | None = None,
) -> np.ndarray:
    """Signal-to-noise ratio of the gradients, ‖mean‖ / ‖std‖, over time, a panel per layer.

    Parameters
    ----------
    plane : Dataset
        As for :func:`gradient_phases`; ``weight_norm`` is not needed, it cancels.
    marks : mapping of name to mapping of layer to time, optional
        Times to mark, such as the median change point of each layer.

    Returns
    -------
    (layer,) array of Axes
    """
    mean, std = _gradients(plane, statistics)
    times, time_label = reading.times_of(plane, time)
    ratio = np.divide(mean, std, out=np.full_like(mean, np.nan), where=std > 0)
    names, drawn = reading.layer_names(plane), reading.chosen_layers(plane, layers)
    axes = style.many_axes(axes, len(drawn), height=2.1, legend=0.5 * bool(marks), sharex=True,
                           sharey=True)  # fmt: skip
    for ax, layer in zip(axes, drawn, strict=True):
        own, look = ratio[:, :, list(names).index(layer)], style.layer_look(layer)
        style.band(ax, times, own, look._replace(dashes="-"), label=f"layer {layer}",
                   markers=False, tails=True)  # fmt: skip
        ax.axhline(1.0, color=style.GREY, linewidth=0.8)
        ax.set_yscale("log")
        style.time_axis(ax, times, time_label)
        ax.set_title(f"layer {names[layer]}")
    style.log_ticks(axes[0].yaxis)
    style.label_outer(axes, time_label, "signal / noise")
    if handles := _mark(axes, drawn, marks or {}):
        style.below_legend(axes, handles, "")
    return axes
