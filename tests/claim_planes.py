"""Planes made by hand, for the tests of the claims.

A curve starts somewhere, peaks and ends somewhere, straight in log(1 + epoch) between.
"""

import json

import numpy as np
import xarray as xr

FIRST_SEED = 3
EPOCHS = np.unique([0, 350, 400, 9000, *np.geomspace(1, 10_000, 40).round().astype(int)])


RULER = "Binning(n_bins=30, low=-1.0, high=1.0)"


def make_plane(
    i_xt, i_ty=0.9, *, epochs=EPOCHS, per_epoch=3, n_seeds=None, rulers=(RULER,), **variables
):
    """Plane from (estimator, seed, epoch, layer) arrays, whose first axes may be missing.

    Seeds are no positions, and updates no epochs. ``variables``: arrays of observables and (seed,
    epoch) accuracies, losses and errors; n_samples, label_entropy and train_fraction go to the
    attributes; ``classes`` is the width of the last layer.
    """
    i_xt = np.asarray(i_xt, dtype=float)
    n_seeds = n_seeds or (i_xt.shape[-3] if i_xt.ndim > 2 else 12)
    shape = (n_seeds, len(epochs), i_xt.shape[-1])
    attrs = {
        "n_samples": variables.pop("n_samples", 4096),
        "label_entropy": variables.pop("label_entropy", 0.999157),
        "experiment": json.dumps({"train_fraction": variables.pop("train_fraction", 0.85)}),
        "profile": variables.pop("profile", "paper"),
    }
    learning = np.interp(epochs, [0, 10], [0.5, 1.0])
    classes = variables.pop("classes", 2)
    variables = {"train_accuracy": learning, "test_accuracy": learning} | variables
    data = {}
    for name, values in variables.items():
        values = np.asarray(values, dtype=float)
        flat = name.endswith(("accuracy", "loss", "error"))
        data[name] = (
            ("seed", "epoch", "layer")[: 2 if flat else 3],
            np.broadcast_to(values, shape[:2] if flat else shape).copy(),
        )
    for name, values in {"i_xt": i_xt, "i_ty": i_ty}.items():
        whole = np.broadcast_to(np.asarray(values, dtype=float), (len(rulers), *shape))
        data[name] = (("estimator", "seed", "epoch", "layer"), whole.copy())
    coords = {
        "estimator": list(rulers),
        "seed": FIRST_SEED + np.arange(n_seeds),
        "epoch": epochs,
        "layer": np.arange(1, shape[2] + 1),
        "update": ("epoch", np.asarray(epochs) * per_epoch),
        "width": ("layer", [10] * (shape[2] - 1) + [classes]),
    }
    return xr.Dataset(data, coords, attrs)


def with_rulers(curves, **more):
    """A plane with several rulers from {repr: (seed, epoch, layer) array}."""
    return make_plane(np.stack(np.broadcast_arrays(*curves.values())), rulers=curves, **more)


def one_curve(*values, **more):
    """Plane of one network, one layer and the epochs 0, 1, 2, …."""
    return make_plane(np.reshape(values, (1, -1, 1)), epochs=np.arange(len(values)), **more)


# 35 of 35 are the fewest that Wilson's interval lets stand for "at least 90 %".
N = 36
T = 10_000
LAYERS = 6


def curve(start, peak, end, at=10, n_layers=LAYERS):
    """(seed, epoch, layer) from numbers or arrays that fit (seed, layer)."""
    start, peak, end, at = (np.broadcast_to(a, (N, n_layers)) for a in (start, peak, end, at))
    found = np.empty((N, len(EPOCHS), n_layers))
    for i in np.ndindex(N, n_layers):
        knots = np.log1p([0, at[i], T])
        found[i[0], :, i[1]] = np.interp(np.log1p(EPOCHS), knots, [start[i], peak[i], end[i]])
    return found
