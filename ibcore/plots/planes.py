"""Figures in and along the information plane."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import Normalize

from ibcore.plots import reading, style

MARK_DISTANCE = 0.17  # inches between the markers along a trajectory


def information_plane(
    plane: xr.Dataset,
    *,
    estimator: object = None,
    seeds: str | int = "median",
    layers: Iterable[int] | None = None,
    norm: Normalize | None = None,
    colorbar: bool = True,
    legend: bool = True,
    name_ceilings: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Trajectory of every layer in the information plane, coloured by epoch on a log scale.

    Parameters
    ----------
    plane : Dataset
        With ``i_xt`` and ``i_ty`` in bits, dims (estimator, seed, epoch, layer).
    estimator : str or estimator, optional
        Which one to draw; needed only where the plane holds several.
    seeds : "median" or int
        The median over seeds; a number adds that many single networks as thin lines.
    layers : iterable of int, optional
        Layer numbers to draw, from 1; default all.
    norm : Normalize, optional
        Colour scale over epochs, to share it between panels.
    colorbar, legend, name_ceilings : bool
        Leave them out where a neighbouring panel has them already.

    Notes
    -----
    The line passes through every measured epoch; markers stand only where they do not touch.
    """
    if seeds != "median" and (isinstance(seeds, str) or int(seeds) < 0):
        raise ValueError(f"seeds must be 'median' or a number of networks, got {seeds!r}.")
    plane = reading.select(plane, estimator)
    x, y = (reading.array(plane, name, reading.SEED_EPOCH_LAYER) for name in ("i_xt", "i_ty"))
    epochs = plane.epoch.values
    norm = norm or style.epoch_norm(epochs)
    ax = style.one_axes(ax)
    drawn = reading.chosen_layers(plane, layers)
    order = [int(layer) for layer in plane.layer.values]
    columns = [order.index(layer) for layer in drawn]
    room = ax.get_window_extent().transformed(ax.figure.dpi_scale_trans.inverted())
    scale = [
        max(float(np.abs(v).max()), 1e-9) / inches
        for v, inches in ((x, room.width), (y, room.height))
    ]
    singles = 0 if seeds == "median" else min(int(seeds), x.shape[0])
    for layer, k in zip(drawn, columns, strict=True):
        look = style.layer_look(layer)
        for s in range(singles):
            ax.plot(x[s, :, k], y[s, :, k], color=look.colour, alpha=0.35, linewidth=0.6)
        path = np.column_stack([np.median(x[:, :, k], axis=0), np.median(y[:, :, k], axis=0)])
        steps = LineCollection(
            list(np.stack([path[:-1], path[1:]], axis=1)),
            cmap=style.shades(),
            norm=norm,
            linewidths=1.6,
        )
        steps.set_array(epochs[1:].astype(float))
        ax.add_collection(steps)
        at = style.apart(path / scale, MARK_DISTANCE)
        ax.scatter(
            path[at, 0],
            path[at, 1],
            c=epochs[at],
            cmap=style.shades(),
            norm=norm,
            marker=look.marker,
            s=26,
            edgecolors=style.GREY,
            linewidths=0.4,
            zorder=3,
            label=f"layer {layer}",
        )
    style.plane_axes(ax, plane, x[..., columns], y[..., columns], named=name_ceilings)
    if legend:
        names = reading.layer_names(plane)
        style.side_legend(
            ax,
            handles=[
                style.handle(names[k], style.layer_look(k), line=False, colour=style.GREY)
                for k in drawn
            ],
            title=reading.legend_title(plane),
            handletextpad=0.1,
        )
    if colorbar:
        style.colour_bar(ax, norm, "epoch")
    return ax


def snapshots(
    plane: xr.Dataset,
    *,
    epochs: Sequence[int] = (0, 400, 9000),
    estimator: object = None,
    axes: Iterable[Axes] | None = None,
) -> np.ndarray:
    """Every layer of every network as a point in the plane, one panel per epoch.

    Returns
    -------
    (epoch,) array of Axes
    """
    plane = reading.select(plane, estimator)
    x, y = (reading.array(plane, name, reading.SEED_EPOCH_LAYER) for name in ("i_xt", "i_ty"))
    measured = [int(epoch) for epoch in plane.epoch.values]
    missing = [epoch for epoch in epochs if epoch not in measured]
    if missing:
        near = [measured[np.abs(np.subtract(measured, epoch)).argmin()] for epoch in missing]
        raise ValueError(f"epochs {missing} were not measured; the nearest measured are {near}.")
    axes = style.many_axes(axes, len(epochs), height=2.4, sharex=True, sharey=True)
    names = reading.layer_names(plane)
    for ax, epoch in zip(axes, epochs, strict=True):
        at = measured.index(epoch)
        for k, layer in enumerate(names):
            look = style.layer_look(layer)
            ax.scatter(
                x[:, at, k],
                y[:, at, k],
                s=22,
                color=look.colour,
                marker=look.marker,
                alpha=0.7,
                linewidths=0,
                rasterized=x.shape[0] > 20,
                label=f"layer {layer}",
            )
        ax.set_title(f"epoch {epoch:,}".replace(",", "\u2009"))
        style.plane_axes(ax, plane, x, y, named=ax is axes[0])
    style.label_outer(axes, axes[0].get_xlabel(), axes[0].get_ylabel())
    style.below_legend(
        axes,
        [style.handle(name, style.layer_look(layer), line=False) for layer, name in names.items()],
        reading.legend_title(plane),
    )
    return axes


def information_over_time(
    plane: xr.Dataset,
    *,
    quantity: str = "i_xt",
    time: str = "epoch",
    layers: Iterable[int] | None = None,
    estimator: object = None,
    legend: bool = True,
    name_ceilings: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """I(X;T) or I(T;Y) of the layers over time: median over seeds, 25-75 % and 5-95 % bands.

    Parameters
    ----------
    plane : Dataset
        With ``quantity`` in bits, dims (estimator, seed, epoch, layer).
    quantity : "i_xt" or "i_ty"
    time : "epoch" or "update"
        On a log axis that has a place for 0.
    layers : iterable of int, optional
        Layer numbers to draw, from 1; default all.
    legend, name_ceilings : bool
        Leave them out where a neighbouring panel has them already.
    """
    reading.one_of("quantity", quantity, ("i_xt", "i_ty"))
    plane = reading.select(plane, estimator)
    values = reading.array(plane, quantity, reading.SEED_EPOCH_LAYER)
    times, time_label = reading.times_of(plane, time)
    ax = style.one_axes(ax)
    names = reading.layer_names(plane)
    order = list(names)
    for layer in reading.chosen_layers(plane, layers):
        style.band(
            ax, times, values[:, :, order.index(layer)], style.layer_look(layer), label=names[layer]
        )
    style.time_axis(ax, times, time_label)
    ax.set_ylabel(reading.information_label(plane, quantity))
    bound, label = reading.ceilings_of(plane).get(quantity, (0.0, ""))
    if bound:
        style.ceiling(ax, bound, label if name_ceilings else "")
    low, high = ax.get_ylim()
    ax.set_ylim(min(0.0, low, values.min()), max(high, 1.1 * bound, values.max()))
    if legend:
        style.side_legend(ax, title=reading.legend_title(plane))
    return ax


def compare_planes(
    planes: Mapping[str, xr.Dataset],
    *,
    quantity: str = "plane",
    estimator: object = None,
    time: str = "epoch",
    axes: Iterable[Axes] | None = None,
) -> np.ndarray:
    """Several planes side by side on the same axes and colours, one panel per name.

    Parameters
    ----------
    planes : mapping of name to Dataset
    quantity : "plane", "i_xt" or "i_ty"
        The information plane itself, or one information over ``time``.

    Returns
    -------
    (plane,) array of Axes
    """
    reading.one_of("quantity", quantity, ("plane", "i_xt", "i_ty"))
    if not planes:
        raise ValueError("planes must name at least one plane, got none.")
    columns = 2 if len(planes) in (2, 4) else 3
    axes = style.many_axes(axes, len(planes), columns=columns, height=2.6, sharex=True, sharey=True)
    norm = style.epoch_norm([plane.epoch.values.max() for plane in planes.values()])
    deepest = max(planes.values(), key=lambda plane: plane.sizes["layer"])
    ends, ceilings = [], []
    for ax, (name, plane) in zip(axes, planes.items(), strict=True):
        ceilings.append(reading.ceilings_of(plane))
        options = {
            "estimator": estimator,
            "legend": False,
            "name_ceilings": ceilings[-1] not in ceilings[:-1],
            "ax": ax,
        }
        if quantity == "plane":
            information_plane(plane, norm=norm, colorbar=False, **options)
        else:
            information_over_time(plane, quantity=quantity, time=time, **options)
            ends.append(reading.times_of(plane, time)[0])
        ax.set_title(name)
    if ends:  # the shared time axis must hold the longest run
        style.time_axis(axes[0], np.concatenate(ends), axes[0].get_xlabel())
    style.label_outer(axes, axes[0].get_xlabel(), axes[0].get_ylabel())
    in_plane = quantity == "plane"
    if in_plane:
        style.colour_bar(axes, norm, "epoch")
    style.below_legend(
        axes,
        [
            style.handle(
                name,
                style.layer_look(layer),
                line=not in_plane,
                colour=style.GREY if in_plane else None,
            )
            for layer, name in reading.layer_names(deepest).items()
        ],
        reading.legend_title(deepest),
    )
    return axes


def overview(
    plane: xr.Dataset, *, estimator: object = None, axes: Iterable[Axes] | None = None
) -> np.ndarray:
    """Information plane and, beside it, I(X;T) over epochs: one wide figure.

    Returns
    -------
    (2,) array of Axes
    """
    if axes is None:
        _, axes = plt.subplots(1, 2, figsize=(10.5, 4.0), layout="constrained")
    axes = style.many_axes(axes, 2)
    information_plane(plane, estimator=estimator, legend=False, ax=axes[0])  # the other has it
    information_over_time(plane, estimator=estimator, ax=axes[1])
    return axes
