"""Figures in and along the information plane."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike

from ibcore.plots import labels, reading, style


def information_plane(
    plane: xr.Dataset,
    *,
    estimator: object = None,
    seeds: str | int = "median",
    layers: Iterable[int] | None = None,
    key: bool = True,
    name_ceilings: bool = True,
    numbers: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Trajectory of every layer in the information plane, its number written beside it.

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
    key, name_ceilings : bool
        Leave them out where a neighbouring panel has them already.
    numbers : bool
        Write the layers' numbers; a figure of many panels does so when all is drawn.

    Notes
    -----
    The line passes through every measured epoch. An open ring is the first of them, a full disc the
    last; dots between them are powers of ten.
    """
    if seeds != "median" and (isinstance(seeds, str) or int(seeds) < 0):
        raise ValueError(f"seeds must be 'median' or a number of networks, got {seeds!r}.")
    plane = reading.select(plane, estimator)
    x, y = (reading.array(plane, name, reading.SEED_EPOCH_LAYER) for name in ("i_xt", "i_ty"))
    ax = style.one_axes(ax, (style.WIDTH, 4.6))
    drawn = reading.chosen_layers(plane, layers)
    order = [int(layer) for layer in plane.layer.values]
    columns = [order.index(layer) for layer in drawn]
    singles = 0 if seeds == "median" else min(int(seeds), x.shape[0])
    decades = decades_among(plane.epoch.values)
    for layer, k in zip(drawn, columns, strict=True):
        look = style.layer_look(layer)
        for s in range(singles):
            ax.plot(x[s, :, k], y[s, :, k], color=look.colour, alpha=0.35, linewidth=0.6)
        path = np.column_stack([np.median(x[:, :, k], axis=0), np.median(y[:, :, k], axis=0)])
        ax.plot(*path.T, color=look.colour, linewidth=1.6, label=f"layer {layer}")
        style.mark_path(ax, path, decades, look.colour, label=f"_marks of layer {layer}")
    style.plane_axes(ax, plane, x[..., columns], y[..., columns], named=name_ceilings)
    if key:
        style.below_legend(np.array([ax]), path_key(plane.epoch.values), "")
    if numbers:
        _write_numbers([ax], [plane])
    return ax


def _write_numbers(axes: Iterable[Axes], planes: Iterable[xr.Dataset]) -> None:
    """Number the layers' paths in every panel, when all else of the figure is drawn."""
    for ax, plane in zip(axes, planes, strict=True):
        labels.settle(ax)
        names = reading.layer_names(plane) if "layer_names" in plane.attrs else {}  # of a module
        paths: dict[int | str, np.ndarray] = {}
        for line in ax.lines:
            kind, _, layer = str(line.get_label()).partition(" ")
            if kind == "layer":
                paths[names.get(int(layer), int(layer))] = np.asarray(line.get_xydata())
        labels.number_paths(ax, paths)


def decades_among(epochs: ArrayLike) -> list[int]:
    """Places of the measured epochs next to 10, 100, ..., the first and the last left out.

    Examples
    --------
    >>> decades_among([0, 1, 9, 50, 105, 400])
    [2, 4]
    """
    epochs = np.asarray(epochs, dtype=np.float64)
    wanted = 10.0 ** np.arange(1, np.log10(max(epochs.max(), 10)) + 1e-9)
    near = [int(np.abs(np.log(np.maximum(epochs, 0.1) / one)).argmin()) for one in wanted]
    close = [
        k for k, one in zip(near, wanted, strict=True) if abs(np.log10(epochs[k] / one)) < 0.15
    ]
    return [k for k in dict.fromkeys(close) if 0 < k < len(epochs) - 1]


def path_key(epochs: ArrayLike) -> list[Line2D]:
    """Legend entries for the marks along a path: first epoch, powers of ten, last epoch."""
    epochs = np.asarray(epochs)
    first = "before training" if epochs[0] == 0 else f"epoch {style.short_number(epochs[0])}"
    at = [style.short_number(10.0 ** round(np.log10(epochs[k]))) for k in decades_among(epochs)]
    return style.path_marks(first, f"epoch {', '.join(at)}" * bool(at),
                            f"epoch {style.short_number(epochs[-1])}")  # fmt: skip


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
    name_ceilings: bool = True,
    named: str = "layer ",
    ax: Axes | None = None,
) -> Axes:
    """I(X;T) or I(T;Y) of the layers over time: median over seeds, band of the half around it.

    Parameters
    ----------
    plane : Dataset
        With ``quantity`` in bits, dims (estimator, seed, epoch, layer).
    quantity : "i_xt" or "i_ty"
    time : "epoch" or "update"
        On a log axis that has a place for 0.
    layers : iterable of int, optional
        Layer numbers to draw, from 1; default all.
    name_ceilings : bool
        Leave them out where a neighbouring panel has them already.
    named : str
        What stands before the number of a layer at the end of its curve.
    """
    reading.one_of("quantity", quantity, ("i_xt", "i_ty"))
    plane = reading.select(plane, estimator)
    values = reading.array(plane, quantity, reading.SEED_EPOCH_LAYER)
    times, time_label = reading.times_of(plane, time)
    ax = style.one_axes(ax, (style.NARROW, 3.8))
    order, ends = list(reading.layer_names(plane)), []
    for layer in reading.chosen_layers(plane, layers):
        look, own = style.layer_look(layer), values[:, :, order.index(layer)]
        style.band(ax, times, own, look, label=f"layer {layer}", markers=False)
        ends.append(labels.End(f"{named}{layer}", times[-1], float(np.median(own[:, -1])), look))
    style.time_axis(ax, times, time_label)
    ax.set_ylabel(reading.information_label(plane, quantity))
    bound, label = reading.ceilings_of(plane).get(quantity, (0.0, ""))
    if bound:
        style.ceiling(ax, bound, label if name_ceilings else "", end=float(times[-1]))
    low, high = ax.get_ylim()
    ax.set_ylim(min(0.0, low, values.min()), max(high, 1.1 * bound, values.max()))
    labels.at_the_ends(ax, ends)
    return ax


def layers_over_time(
    planes: Mapping[str, xr.Dataset],
    *,
    quantity: str = "i_xt",
    time: str = "epoch",
    layers: Iterable[int] | None = None,
    estimator: object = None,
    axes: Iterable[Axes] | None = None,
) -> np.ndarray:
    """I(X;T) or I(T;Y) over time, a panel per layer, a curve per plane: no band hides another.

    Parameters
    ----------
    planes : mapping of name to Dataset
        With ``quantity`` in bits and the same layers.
    quantity, time, layers, estimator
        As for :func:`information_over_time`; the estimator where a plane holds several.

    Returns
    -------
    (layer,) array of Axes
    """
    reading.one_of("quantity", quantity, ("i_xt", "i_ty"))
    if not planes:
        raise ValueError("planes must name at least one plane, got none.")
    chosen = {name: reading.select(plane, estimator) for name, plane in planes.items()}
    first = next(iter(chosen.values()))
    drawn, names = reading.chosen_layers(first, layers), reading.layer_names(first)
    axes = style.many_axes(axes, len(drawn), height=2.2, legend=0.5, sharex=True, sharey=True)
    ends = []
    for k, (name, plane) in enumerate(chosen.items()):
        values = reading.array(plane, quantity, reading.SEED_EPOCH_LAYER)
        times, time_label = reading.times_of(plane, time)
        ends.append(times)
        for ax, layer in zip(axes, drawn, strict=True):
            own = values[:, :, list(names).index(layer)]
            style.band(ax, times, own, style.look(k), label=name, markers=False)
    bound, label = reading.ceilings_of(first).get(quantity, (0.0, ""))
    for ax, layer in zip(axes, drawn, strict=True):
        ax.set_title(f"layer {names[layer]}")
        style.time_axis(ax, np.concatenate(ends), time_label)
        if bound:
            style.ceiling(ax, bound, label if ax is axes[0] else "")
    axes[0].set_ylim(0, max(axes[0].get_ylim()[1], 1.12 * bound))
    kinds = {reading.information_label(plane, quantity) for plane in chosen.values()}
    own_label = "I(X; T) [bits]" if quantity == "i_xt" else "I(T; Y) [bits]"
    style.label_outer(axes, time_label, kinds.pop() if len(kinds) == 1 else own_label)
    style.below_legend(axes, [style.handle(n, style.look(k), marker=False)
                              for k, n in enumerate(chosen)], "")  # fmt: skip
    return axes


def compare_planes(
    planes: Mapping[str, xr.Dataset],
    *,
    quantity: str = "plane",
    estimator: object = None,
    time: str = "epoch",
    axes: Iterable[Axes] | None = None,
) -> np.ndarray:
    """Several planes side by side on the same axes, one panel per name.

    Parameters
    ----------
    planes : mapping of title to Dataset
    quantity : "plane", "i_xt" or "i_ty"
        Information planes, or one of the two over ``time``.

    Returns
    -------
    (plane,) array of Axes
    """
    reading.one_of("quantity", quantity, ("plane", "i_xt", "i_ty"))
    if not planes:
        raise ValueError("planes must name at least one plane, got none.")
    columns = 2 if len(planes) in (2, 4) else 3
    height = {2: 3.2, 3: 2.9}[columns] if len(planes) > 1 else 4.2
    in_plane = quantity == "plane"
    axes = style.many_axes(axes, len(planes), columns=columns, height=height,
                           legend=0.5 * in_plane, sharex=True, sharey=True)  # fmt: skip
    ends, ceilings, written = [], [], []
    for ax, (name, plane) in zip(axes, planes.items(), strict=True):
        ceilings.append(reading.ceilings_of(plane))
        options = {"estimator": estimator, "ax": ax,
                   "name_ceilings": ceilings[-1] not in ceilings[:-1]}  # fmt: skip
        if in_plane:
            information_plane(plane, key=False, numbers=False, **options)
        else:
            information_over_time(plane, quantity=quantity, time=time, named="", **options)
            ends.append(reading.times_of(plane, time)[0])
        written.append((ax.get_xlabel(), ax.get_ylabel()))
        ax.set_title(name)
    if ends:  # the shared time axis must hold the longest run
        style.time_axis(axes[0], np.concatenate(ends), written[0][0])
    shared = [_shared(said) for said in zip(*written, strict=True)]
    style.label_outer(axes, *shared)
    if in_plane:
        longest = max(planes.values(), key=lambda plane: plane.epoch.values[-1])
        style.below_legend(axes, path_key(longest.epoch.values), "")
        _write_numbers(axes, planes.values())
    return axes


def _shared(labels_: Sequence[str]) -> str:
    """One axis label for all panels: theirs where they agree, else what all of them estimate."""
    if len(set(labels_)) == 1:
        return labels_[0]
    return "I(T; Y) [bits]" if any("; Y)" in one for one in labels_) else "I(X; T) [bits]"


def overview(
    plane: xr.Dataset, *, estimator: object = None, axes: Iterable[Axes] | None = None
) -> np.ndarray:
    """Information plane and, below it, I(X;T) over epochs: one above the other.

    Returns
    -------
    (2,) array of Axes
    """
    if axes is None:
        _, axes = plt.subplots(2, 1, figsize=(style.NARROW, 7.4), layout="constrained")
    axes = style.many_axes(axes, 2)
    information_plane(plane, estimator=estimator, ax=axes[0], key=False, numbers=False)
    information_over_time(plane, estimator=estimator, ax=axes[1])
    axes[0].legend(handles=path_key(plane.epoch.values), loc="upper center", ncols=3,
                   bbox_to_anchor=(0.5, -0.17), columnspacing=1, handlelength=1)  # fmt: skip
    _write_numbers(axes[:1], [plane])
    return axes
