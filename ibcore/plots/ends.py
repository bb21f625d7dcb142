"""Figures of where the layers end: against the size of the training set and the exact bound."""

from collections.abc import Iterable, Mapping

import numpy as np
import xarray as xr
from matplotlib.axes import Axes

from ibcore.plots import labels, reading, style


def sizes(
    curve: xr.Dataset | Mapping[float, xr.Dataset],
    *,
    estimator: object = None,
    layers: Iterable[int] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Where the layers end for each size of the training set, joined per layer.

    Parameters
    ----------
    curve : Dataset, or mapping of train fraction to plane
        Dims (estimator, train_fraction, seed, layer); of planes the last epoch is taken. Drawn are
        medians over seeds: a ring for the smallest fraction, a disc for the largest.
    """
    if isinstance(curve, Mapping) and not isinstance(curve, xr.Dataset):
        if not curve:
            raise ValueError("sizes need at least one plane, got none.")
        ends = [
            reading.select(plane, estimator).isel(epoch=-1, drop=True) for plane in curve.values()
        ]
        fractions = xr.DataArray(list(curve), dims="train_fraction", name="train_fraction")
        curve = xr.concat(
            [end[["i_xt", "i_ty"]] for end in ends],
            dim=fractions,
            data_vars="all",
            join="exact",
            coords="minimal",
            compat="override",
            combine_attrs="override",
        )
    curve = reading.select(curve, estimator).sortby("train_fraction")
    x, y = (
        np.median(reading.array(curve, name, ("seed", "train_fraction", "layer")), axis=0)
        for name in ("i_xt", "i_ty")
    )
    ax = style.one_axes(ax, (style.WIDTH, 4.6))
    order, paths = list(reading.layer_names(curve)), {}
    for layer in reading.chosen_layers(curve, layers):
        k, look = order.index(layer), style.layer_look(layer)
        path = paths[layer] = np.column_stack([x[:, k], y[:, k]])
        ax.plot(*path.T, color=look.colour, linewidth=1.2, label=f"layer {layer}")
        between = range(1, len(path) - 1)
        style.mark_path(ax, path, between, look.colour, label=f"_marks of layer {layer}")
    style.plane_axes(ax, curve, x, y)
    labels.number_paths(ax, paths)
    said = [f"{100 * float(one):.3g} % of the inputs" for one in curve.train_fraction[[0, -1]]]
    style.below_legend(np.array([ax]), style.path_marks(said[0], "amounts between", said[1]))
    return ax


def ib_curve(
    curve: xr.Dataset,
    plane: xr.Dataset | None = None,
    *,
    estimator: object = None,
    layers: Iterable[int] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Exact information-bottleneck curve, and how far below it the layers end.

    Parameters
    ----------
    curve : Dataset
        ``complexity`` I(X;T) and ``relevance`` I(T;Y) in bits, dim beta.
    plane : Dataset, optional
        Its last epoch is drawn: every network as a point, the median larger, with a line up to the
        curve. The length of that line is the gap, written in the legend.
    """
    complexity, relevance = (
        reading.array(curve, name, ("beta",)) for name in ("complexity", "relevance")
    )
    order = np.lexsort((relevance, complexity))
    complexity, relevance = complexity[order], relevance[order]
    ax = style.one_axes(ax)
    end = complexity[-1]
    if plane is not None:
        plane = reading.select(plane, estimator)
        x, y = (
            reading.array(plane, name, reading.SEED_EPOCH_LAYER)[:, -1] for name in ("i_xt", "i_ty")
        )
        end = max(end, x.max())
    # The curve starts in the origin and stays at its height once all of I(X;Y) is kept.
    bound_x = np.concatenate([[0.0], complexity, [end]])
    bound_y = np.concatenate([[0.0], relevance, [relevance[-1]]])
    ax.plot(bound_x, bound_y, color=style.GREY, linewidth=2, label="exact curve")
    ax.set(xlabel="I(X; T) [bits]", ylabel="I(T; Y) [bits]")
    if plane is not None:
        names = reading.layer_names(plane)
        drawn = reading.chosen_layers(plane, layers)
        for layer in drawn:
            k, look = list(names).index(layer), style.layer_look(layer)
            ax.scatter(
                x[:, k],
                y[:, k],
                s=12,
                color=look.colour,
                marker=look.marker,
                alpha=0.4,
                linewidths=0,
                rasterized=True,
                label=f"_seeds of layer {layer}",
            )
            at_x, at_y = np.median(x[:, k]), np.median(y[:, k])
            bound = float(np.interp(at_x, bound_x, bound_y))
            ax.vlines(at_x, at_y, bound, color=look.colour, lw=1.2, label=f"_gap of layer {layer}")
            ax.plot(
                at_x,
                at_y,
                color=look.colour,
                marker=look.marker,
                markersize=9,
                linestyle="none",
                markeredgecolor=style.GREY,
                markeredgewidth=0.6,
                label=f"{names[layer]}: {bound - at_y:.3f}",
            )
        ax.set(
            xlabel=reading.information_label(plane, "i_xt"),
            ylabel=reading.information_label(plane, "i_ty"),
        )
        title = f"{reading.legend_title(plane)}:\ngap [bits]"
    ax.set_ylim(bottom=0 if plane is None else min(0.0, float(y.min())))
    style.side_legend(ax, title=None if plane is None else title)
    return ax
