"""Figures of what happens during training: loss, accuracy, gradients."""

from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from ibcore.plots import reading, style

STATISTICS = {"minibatch": "minibatch_", "sample": ""}


def learning_curves(
    plane: xr.Dataset, *, quantity: str = "accuracy", time: str = "epoch", ax: Axes | None = None
) -> Axes:
    """Accuracy or loss on training and test data: median over seeds, 25-75 % and 5-95 % bands.

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
    ax = style.one_axes(ax, (style.WIDTH, 3.6))
    for (label, name), look in zip(drawn.items(), (style.look(0), style.look(3)), strict=False):
        style.band(ax, times, reading.array(plane, name, reading.SEED_EPOCH), look, label=label)
    style.time_axis(ax, times, time_label)
    ax.set_ylabel("accuracy" if quantity == "accuracy" else "cross-entropy [nats]")
    ax.legend()
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
    style.label_outer(axes, time_label, "‖gradient‖ / ‖W‖" if normalised else "‖gradient‖")
    handles, _ = axes[0].get_legend_handles_labels()
    style.below_legend(axes, handles, f"over {statistics}{'e' * (statistics[-1] == 'h')}s")
    return axes


def snr(
    plane: xr.Dataset,
    *,
    statistics: str = "minibatch",
    layers: Iterable[int] | None = None,
    time: str = "epoch",
    change_points: Mapping[int, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Signal-to-noise ratio of the gradients, ‖mean‖ / ‖standard deviation‖, over time.

    Parameters
    ----------
    plane : Dataset
        As for :func:`gradient_phases`; ``weight_norm`` is not needed, it cancels.
    change_points : mapping of layer to time, optional
        Marked on the layer's median with a vertical line.
    """
    mean, std = _gradients(plane, statistics)
    times, time_label = reading.times_of(plane, time)
    ratio = np.divide(mean, std, out=np.full_like(mean, np.nan), where=std > 0)
    names = reading.layer_names(plane)
    drawn = reading.chosen_layers(plane, layers)
    reading.chosen_layers(plane, change_points or None)
    ax = style.one_axes(ax)
    for layer in drawn:
        k, look = list(names).index(layer), style.layer_look(layer)
        style.band(ax, times, ratio[:, :, k], look, label=names[layer])
        if change_points and layer in change_points:
            at = float(change_points[layer])
            height = np.interp(at, times, np.median(ratio[:, :, k], axis=0))
            ax.axvline(at, color=look.colour, linestyle=":", linewidth=1.0)
            ax.plot(
                at,
                height,
                marker=look.marker,
                markersize=10,
                markerfacecolor="none",
                markeredgecolor=look.colour,
                markeredgewidth=1.8,
                linestyle="none",
                label=f"_change of layer {layer}",
            )
    ax.axhline(1.0, color=style.GREY, linestyle="--", linewidth=1.0)
    ax.set_yscale("log")
    style.time_axis(ax, times, time_label)
    ax.set_ylabel("‖mean‖ / ‖std‖ of the gradient")
    style.side_legend(ax, title=reading.legend_title(plane))
    return ax
