"""What each test of a criterion of Shwartz-Ziv & Tishby reads: no two numbers are alike."""

import numpy as np
import pytest
from known_planes import Row, check, first, rank_correlation

from ibcore import claims, theory
from ibcore.papers import paper_module

shwartz_ziv = paper_module("shwartz_ziv", "evidence")

GRADIENTS = ("gradient_mean", "gradient_std", "minibatch_gradient_mean", "minibatch_gradient_std")


def phases(plane, t, numbers, group, **more):
    for layer in numbers:
        where, more["saturated"] = f"layer {layer}", plane.is_full(layer)
        flags, at = plane.fall(layer) > t["compression"], plane.peak(layer) / plane.last
        down = {"signed": plane.since_learnt(layer)}
        yield Row(f"{group}, compresses, {where}", flags, ">=", t["share"], **down, **more)
        yield Row(f"{group}, peak, {where}", at, "<", t["peak"], **more)
        yield Row(f"{group}, rest, {where}", 1 - at, ">", t["rest"], **more)


def breaks(plane, t, prefix, label, **more):
    for layer in range(1, 7):
        _, drop = plane.snr(layer, prefix)
        flags = drop >= t["decades"]
        where = f"{label}, falls, layer {layer}"
        yield Row(where, flags, ">=", t["share"], signed=drop, **more)


def aligned(plane, t, prefix, label):
    for layer in (4, 5, 6):
        apart = np.abs(np.log10(plane.snr(layer, prefix)[0] / plane.peak(layer)))
        full = plane.is_full(layer)
        yield Row(
            f"{label}, aligned, layer {layer}", apart, "<", t["decades_apart"], saturated=full
        )


def reads_f1(k, t):
    grows = np.diff(k("released").curve(), axis=2) > t["slack"]
    yield Row("violations", grows.mean((1, 2)), "<", t["violations"])


def reads_f2(k, t):
    plane = k("released", named=(400, 9000))
    iy = [plane.at(epoch, 5, "i_ty") for epoch in (0, 400, 9000)]
    ix = [plane.at(epoch, 5) for epoch in (400, 9000)]
    yield Row("rise, layer 5", iy[1] - iy[0], ">", t["rise"])
    yield Row("level, layer 5", iy[2], ">", t["level"])
    yield Row("drop, layer 5", ix[0] - ix[1], ">", t["drop"], saturated=plane.is_full(5))


def reads_f3(k, t):
    for name, group in (("released_05", "5"), ("released_45", "45"), ("released", "85")):
        yield from phases(k(name), t, (5, 6), f"{group} % data")
        yield from phases(k(name), t, (3, 4), f"{group} % data", reported=True)


def reads_f3b(k, t):
    for name, label, side in (
        ("released", "random split, 85 % data", ">"),
        ("released_05", "random split, 5 % data", "<"),
        ("unshuffled_85", "unshuffled split, 85 % data", ">"),
        ("unshuffled_05", "unshuffled split, 5 % data", "<"),
    ):
        plane = k(name)
        for layer in (5, 6):
            iy = plane.curve(layer, "i_ty")
            change = iy[:, -1] - iy[np.arange(len(iy)), plane.place(layer)]
            full = plane.is_full(layer)
            yield Row(f"{label}, delta, layer {layer}", change, side, t["change"], saturated=full)


def reads_f4(k, t):
    for name, cell, prefix in (
        ("paper_slow", "SGD rate 0.01, minibatch gradients", "minibatch_"),
        ("paper", "SGD rate 0.03, minibatch gradients", "minibatch_"),
        ("paper_fast", "SGD rate 0.1, minibatch gradients", "minibatch_"),
        ("released", "Adam, sample gradients", ""),
    ):
        plane = k(name, variables=GRADIENTS)
        yield from breaks(plane, t, prefix, cell)
        yield from aligned(plane, t, prefix, cell)


def reads_f5(k, t):
    nets = [k(f"depth_{n}", n_layers=n + 1) for n in range(1, 7)]
    outputs = [plane.curve(n + 1, "i_ty") for n, plane in enumerate(nets, 1)]
    times = [first(y >= t["level"], p.epochs, p.last) for p, y in zip(nets, outputs, strict=True)]
    times = np.stack(times, axis=1)
    middle = np.median(times, axis=0)
    order, step = rank_correlation(range(1, 7), middle), np.diff(middle).max()
    full = nets[0].is_full(1)
    yield Row("order", times, "<=", t["spearman"], effect=order)
    yield Row("steps", times, "<", t["step"], effect=step)
    yield Row("censored", outputs[0].max(axis=1) < t["level"], ">=", t["censored"])
    yield Row("width 12, layer 1", np.full(len(times), float(full)), ">=", None, saturated=full)
    for n, column in enumerate(times.T, 1):
        yield Row(f"time {n}", column, ">", None)


def reads_f6(k, t):
    hard, soft = k("released", label_entropy=0.9), k("soft", variables=["ib_beta"])
    beta = soft.end(variable="ib_beta")[::2]  # every other network: β* falls with depth at the end
    beta[:] = -np.sort(-beta)
    curve = shwartz_ziv._soft_curve(t["beta_low"], t["beta_high"], t["n_betas"])
    for layer in range(1, 7):
        gap = np.minimum(hard.end(layer), 0.9) - hard.end(layer, "i_ty")
        yield Row(f"hard labels, gap, layer {layer}", gap, "<", t["gap"])
        gap = theory.relevance_at(curve, soft.end(layer)) - soft.end(layer, "i_ty")
        yield Row(f"soft labels, gap, layer {layer}", gap, "<", t["gap"])
    falls = (np.diff(soft.end(variable="ib_beta"), axis=1) <= 0).all(axis=1)
    yield Row("soft labels, beta", falls, ">=", t["share"])


def by_size(k, **more):
    """Twenty planes whose names are not in the order of their sizes."""
    sizes = np.roll(np.linspace(0.03, 0.85, 20), 7)
    planes = [k(f"size_{n:02d}", train_fraction=f, **more) for n, f in enumerate(sizes, 1)]
    return np.sort(sizes), [planes[n] for n in np.argsort(sizes)]


def reads_f7(k, t):
    sizes, planes = by_size(k)
    for layer in (4, 5, 6):
        values = np.stack([plane.end(layer, "i_ty") for plane in planes], axis=1)
        order = rank_correlation(sizes, np.median(values, axis=0))
        yield Row(f"order, layer {layer}", values, ">", t["spearman"], effect=order)


def reads_f8(k, t):
    committee, mnist = (k(name, variables=GRADIENTS) for name in ("committee", "mnist"))
    yield from phases(committee, t, (5, 6), "committee")
    yield from breaks(committee, t, "", "committee")
    yield from aligned(committee, t, "", "committee")
    yield from breaks(mnist, t, "minibatch_", "MNIST")
    yield from breaks(mnist, t, "", "MNIST, sample gradients", reported=True)


def reads_eq11(k, t):
    """The shallowest of the depths is saturated in its last hidden layer, and left out."""
    released = k("released", ceiling=0)
    amounts = t["step"] * np.arange(1, round(t["largest"] / t["step"]) + 1)
    hits = [fallen(released, 5, amount) for amount in amounts]
    since = [released.updates[released.place(5)]] * len(hits)
    steps = np.stack([first(hit, released.updates) for hit in hits], 1) - np.stack(since, 1)
    slopes = [
        np.polyfit(amounts[there], np.log10(row[there]), 1)[0] if there.sum() >= 3 else np.nan
        for row, there in zip(steps, np.isfinite(steps), strict=True)
    ]
    yield Row("slope", slopes, ">", t["slope"])
    k("depth_2", n_layers=3, ceiling=2)
    deep = {n: k(f"depth_{n}", n_layers=n + 1, ceiling=0) for n in range(3, 7)}
    times = np.stack(
        [first(fallen(p, n, t["amount"]), p.epochs, p.last) for n, p in deep.items()], axis=1
    )
    order = rank_correlation(list(deep), np.median(times, axis=0))
    yield Row("order", times, "<", t["spearman"], effect=order)


def fallen(plane, layer, amount):
    """Checkpoints after the peak at which IX lies by so much below it."""
    ix, steps = plane.curve(layer), np.arange(len(plane.epochs))
    return (ix <= ix.max(axis=1, keepdims=True) - amount) & (steps > plane.place(layer)[:, None])


def reads_c1(k, t):
    _, planes = by_size(k)
    able = [[n for n in (4, 5, 6) if not plane.is_full(n)] for plane in planes]
    x = np.stack([plane.mean_fall(n) for plane, n in zip(planes, able, strict=True)], axis=1)
    y, z = (
        np.stack([plane.end(variable=f"{rows}_accuracy") for plane in planes], axis=1)
        for rows in ("test", "train")
    )
    values = np.stack([x, y, z], axis=-1)
    within = values - values.mean(axis=0)
    yield Row("correlation", values, ">", t["correlation"], effect=partial(values))
    yield Row("within", values, ">", None, effect=partial(within))


def partial(values):
    """Correlation of what the third column leaves of the first and of the second."""
    x, y, z = values.reshape(-1, 3).T
    return np.corrcoef(*(a - np.polyval(np.polyfit(z, a, 1), z) for a in (x, y)))[0, 1]


def reads_c2(k, t):
    for rate, noisy, full in (
        ("SGD rate 0.01", k("paper_slow", ceiling=5), k("sgd_full_slow", ceiling=5)),
        ("SGD rate 0.03", k("paper"), k("sgd_full")),
        ("SGD rate 0.1", k("paper_fast"), k("sgd_full_fast")),
        ("Adam", k("adam_256"), k("released")),
    ):
        for clock in ("epochs", "updates"):
            ends = [getattr(plane, clock) for plane in (noisy, full)]
            kept = [one <= min(ends[0][-1], ends[1][-1]) for one in ends]
            for layer in (4, 5, 6):
                more = noisy.fall(layer, keep=kept[0]) - full.fall(layer, keep=kept[1])
                label = f"{rate}, matched {clock}, difference, layer {layer}"
                out = noisy.is_full(layer) and full.is_full(layer)
                yield Row(label, more, ">", t["difference"], saturated=out)


def reads_c3(k, t):
    plane = k("released")
    for layer in (4, 5, 6):
        peak, full = plane.peak(layer), plane.is_full(layer)
        rest = 1 - peak / plane.last
        yield Row(f"rest, layer {layer}", rest, ">", t["rest"], saturated=full)
        rest = 1 - np.log(peak) / np.log(plane.last)
        yield Row(f"log rest, layer {layer}", rest, ">", None, saturated=full)


READS = {
    "SZT-F1": (reads_f1, {}),
    "SZT-F2": (reads_f2, {}),
    "SZT-F3": (reads_f3, {}),
    "SZT-F3b": (reads_f3b, {}),
    "SZT-F4": (reads_f4, {"decades": 1.3}),
    "SZT-F5": (reads_f5, {}),
    "SZT-F6": (reads_f6, {"n_betas": 12}),
    "SZT-F7": (reads_f7, {}),
    "SZT-F8": (reads_f8, {"decades": 1.3}),
    "SZT-EQ11": (reads_eq11, {}),
    "SZT-C1": (reads_c1, {}),
    "SZT-C2": (reads_c2, {}),
    "SZT-C3": (reads_c3, {}),
}


@pytest.mark.parametrize("claim_id", READS)
def test_each_part_reads_its_own_numbers(claim_id):
    rows, thresholds = READS[claim_id]
    check(claim_id, rows, **thresholds)


def test_every_claim_of_effects_is_read():
    """Claims that hold or fail have tests of their own."""
    listed = claims.load_registry("shwartz_ziv")
    assert {one.id for one in listed if not one.is_identity} == set(READS)
