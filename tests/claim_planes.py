"""Planes made by hand, for the tests of the claims: one builder per claim and word.

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
    attributes.
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
    }
    return xr.Dataset(data, coords, attrs)


def with_rulers(curves, **more):
    """A plane with several rulers from {repr: (seed, epoch, layer) array}."""
    return make_plane(np.stack(np.broadcast_arrays(*curves.values())), rulers=curves, **more)


def one_curve(*values, **more):
    """Plane of one network, one layer and the epochs 0, 1, 2, …."""
    return make_plane(np.reshape(values, (1, -1, 1)), epochs=np.arange(len(values)), **more)


def beside(plane):
    """The plane with a second ruler that sees layers and time turned round: nobody asks for it."""
    turned = plane.isel(layer=slice(None, None, -1), epoch=slice(None, None, -1))
    both = {
        name: (plane[name].dims, np.concatenate([plane[name].values, turned[name].values]))
        for name in ("i_xt", "i_ty")
    }
    rest = plane.drop_dims("estimator").assign_coords(
        estimator=[*plane.estimator.values, "Beside()"]
    )
    return rest.assign(both)


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


def falls(amount, start=5.0, top=8.0):
    """Every layer rises from ``start`` to ``top`` and falls by ``amount``."""
    return curve(start, top, top - np.asarray(amount, float))


def seeds(first, others, k=20):
    """(seed, 1): one value for the first k of 36 networks, another for the rest.

    With 20 against 16 the median is the first, and the interval takes in both.
    """
    return np.where(np.arange(N) < k, first, others)[:, None]


def layers(**values):
    """(layer,) from layer numbers: layers(rest=5, l6=8)."""
    rest = values.pop("rest")
    return np.array([values.get(f"l{i}", rest) for i in range(1, LAYERS + 1)], dtype=float)


def compressing(end=4.0, at=10, **more):
    """Plane whose layers start at 5, peak at 8 bits at epoch ``at`` and come down to ``end``."""
    return make_plane(curve(5.0, 8.0, end, at), **more)


def flat(**more):
    """Plane that rises to 8 bits by epoch 5, before anything is learnt, and stays."""
    return make_plane(curve(5.0, 8.0, 8.0, at=5), **more)


def rising(**more):
    """Plane whose layers take in more and more."""
    return make_plane(curve(5.0, 6.0, 8.0), **more)


# One builder per claim: the planes that give a word.


def f1(word):
    down = np.linspace(11, 6, LAYERS)
    share = {"reproduced": 0.0, "partly": seeds(0, 0.5), "not reproduced": 1.0}[word]
    late = EPOCHS[:, None] > T * (1 - np.broadcast_to(share, (N, 1))[:, :, None])
    return {"released": make_plane(np.where(late, down[::-1], down))}


def f2(word):
    end = {"reproduced": 3.0, "partly": seeds(6.7, 7.3), "not reproduced": 7.8, "inverted": 9.5}
    iy = curve(0.1, 0.9, 0.95, at=400)
    return {"released": make_plane(curve(5.0, 8.0, end[word], at=400), iy)}


def f3(word):
    planes = {
        "reproduced": [compressing()] * 3,
        "partly": [compressing(layers(rest=4.0, l6=7.9))] * 3,
        "not reproduced": [flat()] * 3,
        "inverted": [rising()] * 3,
    }[word]
    return dict(zip(("released_05", "released_45", "released"), planes, strict=True))


def f3b(word):
    gain, loss = {
        "reproduced": (0.1, -0.1),
        "partly": (0.1, 0.1),
        "not reproduced": (0.0, 0.0),
        "inverted": (-0.1, 0.1),
    }[word]
    much, little = (compressing(i_ty=curve(0.1, 0.8, 0.8 + d)) for d in (gain, loss))
    return {
        "released": much,
        "released_05": little,
        "unshuffled_85": much,
        "unshuffled_05": little,
    }


def falling_snr(decades, at=10, prefix=""):
    """Observables whose ratio falls by so many decades (per layer) after epoch ``at``."""
    decades = np.broadcast_to(decades, (LAYERS,))
    log_snr = np.where(EPOCHS[:, None] <= at, decades, 0.0)
    return {f"{prefix}gradient_mean": 10.0**log_snr, f"{prefix}gradient_std": np.ones(LAYERS)}


DECADES = {
    "reproduced": 2.0,
    "partly": layers(rest=2.0, l2=0.5),
    "not reproduced": 0.5,
    "inverted": -2.0,
}


def f4(word):
    decades = DECADES[word]
    return {
        "released": compressing(**falling_snr(decades)),
        **dict.fromkeys(
            ("paper_slow", "paper", "paper_fast"),
            compressing(**falling_snr(decades, prefix="minibatch_")),
        ),
    }


def deep(k, n_hidden_at, **more):
    """Plane of k hidden layers whose output knows 0.9 bit from epoch ``n_hidden_at`` on."""
    at = np.broadcast_to(n_hidden_at, (N, 1))[:, None]
    iy = np.where(EPOCHS[:, None] >= at, 0.95, 0.1)
    ix = curve(12.0, 12.0, 12.0, n_layers=k + 1)
    return make_plane(ix, iy, **more)


def f5(word):
    never = 2 * T
    times = {
        "reproduced": [never, 5000, 2500, 1200, 600, 300],
        "partly": [never, 5000, 2500, 1200, 600, seeds(300, 900)],
        "not reproduced": [8000, 5000, 2500, 1200, 600, 300],
        "inverted": [300, 600, 1200, 2500, 5000, never],
    }[word]
    return {f"depth_{k}": deep(k, time) for k, time in enumerate(times, 1)}


def f6(word):
    hard, soft = {
        "reproduced": (0.01, 0.01),
        "partly": (0.01, 0.5),
        "not reproduced": (0.5, 0.5),
    }[word]
    beta = np.linspace(30, 5, LAYERS)
    return {
        "released": compressing(i_ty=0.999157 - hard),
        "soft": compressing(i_ty=0.99 - soft, ib_beta=beta),
    }


def sizes(make):
    """Twenty planes from 3 to 85 % of the data; ``make(k, train_fraction)`` gives one."""
    fractions = np.linspace(0.03, 0.85, 20)
    return {f"size_{k:02d}": make(k, fraction) for k, fraction in enumerate(fractions, 1)}


def f7(word):
    slope = {"reproduced": 1, "partly": layers(rest=1, l4=0), "not reproduced": 0, "inverted": -1}
    return sizes(
        lambda k, fraction: compressing(
            i_ty=np.broadcast_to(0.5 + 0.02 * k * np.asarray(slope[word]), (LAYERS,)),
            train_fraction=fraction,
        )
    )


def f8(word):
    mnist = {"partly": -2.0} | {w: d for w, d in DECADES.items() if w != "partly"}
    committee = {
        "reproduced": compressing,
        "partly": compressing,
        "not reproduced": flat,
        "inverted": rising,
    }
    snr = falling_snr(DECADES["reproduced" if word == "partly" else word])
    both = falling_snr(mnist[word]) | falling_snr(mnist[word], prefix="minibatch_")
    return {"committee": committee[word](**snr), "mnist": flat(**both)}


def falling_to_4_by(k, time):
    """Plane of k hidden layers, the last of which has fallen from 8 by 0.5 bit at ``time``."""
    at = np.broadcast_to(time, (N, 1))[:, None]
    fallen = np.where(EPOCHS[:, None] >= at, 4.0, 8.0)
    return make_plane(np.broadcast_to(fallen, (N, len(EPOCHS), k + 1)))


def eq11(word):
    times = {
        "reproduced": [5000, 2500, 1200, 600, 300],
        "partly": [seeds(a, b) for a, b in zip([6, 5, 4, 3, 2], [2, 3, 4, 5, 6], strict=True)],
        "not reproduced": [1000] * 5,
        "inverted": [300, 600, 1200, 2500, 5000],
    }[word]
    depths = {f"depth_{k}": falling_to_4_by(k, t) for k, t in enumerate(times, 2)}
    return {"released": compressing()} | depths


def c1(word):
    follows = {"reproduced": 1.0, "partly": seeds(1.0, -1.0), "not reproduced": 0.0}
    sign = follows.get(word, -1.0)

    def make(k, fraction):
        rng = np.random.default_rng(k)
        c, train = rng.uniform(1, 4, (N, 1)), rng.uniform(0.95, 1, (N, 1))
        test = 0.8 + 0.02 * sign * c * np.ones(len(EPOCHS))
        accuracies = {"test_accuracy": test, "train_accuracy": train * np.ones(len(EPOCHS))}
        return compressing(8 - c, train_fraction=fraction, **accuracies)

    return sizes(make)


def noise_pairs(noisy, full):
    """Planes of SZT-C2: three learning rates of SGD with the same two planes, and Adam."""
    rates = ("", "_slow", "_fast")
    sgd = {f"paper{rate}": noisy for rate in rates} | {f"sgd_full{rate}": full for rate in rates}
    return sgd | {"adam_256": noisy, "released": full}


def c2(word):
    noisy, full = {
        "reproduced": (4.0, 7.9),
        "partly": (layers(rest=4.0, l6=8.0), 8.0),
        "not reproduced": (8.0, 8.0),
        "inverted": (7.9, 4.0),
    }[word]
    return noise_pairs(compressing(noisy, per_epoch=14), compressing(full))


def c3(word):
    at = {"reproduced": 10, "partly": layers(rest=10, l6=6000), "not reproduced": 6000}
    return {"released": compressing(at=at[word])}


BUILDERS = {
    "SZT-F1": f1,
    "SZT-F2": f2,
    "SZT-F3": f3,
    "SZT-F3b": f3b,
    "SZT-F4": f4,
    "SZT-F5": f5,
    "SZT-F6": f6,
    "SZT-F7": f7,
    "SZT-F8": f8,
    "SZT-EQ11": eq11,
    "SZT-C1": c1,
    "SZT-C2": c2,
    "SZT-C3": c3,
}


def planes_for(claim_id, word):
    """Return planes that give a word; undecided is the best word from 5 networks."""
    if word != "undecided":
        return BUILDERS[claim_id](word)
    best = BUILDERS[claim_id]("reproduced")
    return {name: plane.isel(seed=slice(5)) for name, plane in best.items()}
