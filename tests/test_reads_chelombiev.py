"""What each test of a criterion of Chelombiev et al. reads: no two numbers are alike."""

import numpy as np
import pytest
from known_planes import Row, check, rank_correlation

from ibcore import claims

HIDDEN = (1, 2, 3, 4, 5)


def medians(columns):
    return [np.median(column) for column in columns]


def reads_f1(k, t):
    plane = k("relu", variables=["largest_activation"])
    top = plane.curve(variable="largest_activation")[:, :, :5]
    top[2, 5, 1] = 1000.0  # one network far beyond the others
    later = top[:, 1:].reshape(len(top), -1)
    ratio = later.max(axis=1) / later.min(axis=1)
    yield Row("apart", ratio > t["ratio"], ">=", t["share"])
    yield Row("leads", top[:, -1].argmax(axis=1) == 4, ">=", t["leads"])
    yield Row("far", ratio > 100, ">=", 0.0, reported=True)


def reads_f2(k, t):
    plane = k("relu", variables=["first_bin", "fullest_bin"])
    first, fullest = (plane.end(variable=name) for name in ("first_bin", "fullest_bin"))
    yield Row("first", first[:, :5].max(axis=1), ">", t["first"])
    for layer in HIDDEN:
        yield Row(f"even, layer {layer}", fullest[:, layer - 1], "<=", t["even"])
        share = first[:, layer - 1]
        yield Row(f"first bin, layer {layer}", share, ">", 0.0, reported=True)


def reads_f3(k, t):
    ebab, fixed = t["rulers"]
    plane = k("relu", ["Decoy()", fixed, ebab])
    for layer in (4, 5):
        more = plane.fall(layer, ruler=ebab) - plane.fall(layer, ruler=fixed)
        yield Row(f"more, layer {layer}", more, ">", t["more"], signed=more)


def reads_f4(k, t):
    scales = dict(t["scales"])
    plane = k("relu", ["Decoy()", *scales.values(), t["kde"], t["fixed"], t["ebab"]])

    def r(one, other):
        a, b = (plane.curve(ruler=ruler)[:, :, :5] for ruler in (one, other))
        return np.array([rank_correlation(*two) for two in zip(*map(flat, (a, b)), strict=True)])

    for cell, scaled in scales.items():
        like = r(scaled, t["ebab"]), r(t["kde"], t["fixed"])
        crossed = r(scaled, t["fixed"]), r(t["kde"], t["ebab"])
        apart = np.minimum(*like) - np.maximum(*crossed)
        yield Row(f"{cell}, adaptive, adaptive", like[0], ">", t["correlation"])
        yield Row(f"{cell}, fixed, fixed", like[1], ">", t["correlation"])
        yield Row(f"{cell}, pairs, pairs", apart, ">", 0.0)


def flat(values):
    return values.reshape(len(values), -1)


def reads_f5(k, t):
    plane = k("relu", ceiling=2)
    ix = plane.curve()
    ix[:3] = 7 + 0.04 * (ix[:3] - 7)  # three networks that stay
    c = plane.mean_fall((3, 4, 5))
    f = np.mean([plane.rise(layer) for layer in (3, 4, 5)], axis=0)
    kinds = (c > t["bits"]), (c <= t["bits"]) & (f > t["bits"]), (c <= t["bits"]) & (f <= t["bits"])
    for name, flags in zip(("compresses", "only fits", "stays"), kinds, strict=True):
        yield Row(name, flags, ">=", t["share"])


def reads_f5t(k, t):
    plane, found = k("relu"), False
    for layer in HIDDEN:
        early = plane.peak(layer) < t["early"] * plane.last
        found |= (plane.since_learnt(layer) < -t["bits"]) & early
    yield Row("first", found, ">=", t["share"])


def reads_f5o(k, t):
    plane = k("relu")
    values = np.stack([plane.end(layer) for layer in (3, 4, 5, 6)], axis=1)
    *others, output = values.std(axis=0)
    yield Row("spread", values, "<", 0.0, effect=output - min(others))


def reads_f6(k, t):
    relu, tanh = k("relu"), k("tanh")
    for layer in HIDDEN:
        ix = relu.curve(layer)
        both = np.stack([ix[:, -1], ix[:, ix.shape[1] // 2]], axis=1)
        change = abs(ix[:, -1].mean() - ix[:, ix.shape[1] // 2].mean())
        yield Row(f"relu, still, layer {layer}", both, "<", t["still"], effect=change)
    ix = tanh.curve(5)
    mean = ix.mean(axis=0)
    yield Row("tanh, falls, layer 5", ix, ">", t["falls"], effect=max(mean) - mean[-1])


SOME, LESS = ("elu", "swish", "centred_softplus"), ("abs", "prelu", "softplus")


def reads_f7(k, t):
    """At a gain of 1 tanh and abs are as released, the others are networks of their own."""
    for cell in ("released", "gain 1 for all"):
        own = "" if cell == "released" else "_gain_1"
        c = {
            name: k(name if name in ("tanh", "abs") else f"{name}{own}").mean_fall((2, 3, 4, 5))
            for name in ("tanh", *SOME, *LESS)
        }
        tanh, *others = medians(c.values())
        values = np.stack(list(c.values()), axis=1)
        yield Row(f"{cell}, tanh, largest", values, ">", 0.0, effect=tanh - max(others))
        for name in SOME:
            yield Row(f"{cell}, {name}, compresses", c[name], ">", t["bits"])
        some, less = (min(others[:3]), max(others[3:]))
        yield Row(f"{cell}, order, order", values[:, 1:], ">", 0.0, effect=some - less)


def reads_c1(k, t):
    names = ["relu", "abs", "prelu", "elu", "softplus", "centred_softplus", "swish"]
    c = {name: k(name).mean_fall((2, 3, 4, 5)) for name in names}
    values = np.stack(list(c.values()), axis=1)
    yield Row("largest", values, ">", t["bits"], effect=max(medians(c.values())))
    for name, each in c.items():
        yield Row(f"{name}, each", each, ">", t["bits"], reported=True)


def reads_f8(k, t):
    names = ("relu", "l2_001", "l2_005", "l2_015")
    for ruler in t["rulers"]:
        planes = [k(name, ["Decoy()", *t["rulers"]]) for name in names]
        c = [plane.mean_fall((2, 3, 4, 5), ruler) for plane in planes]
        middle, values = medians(c), np.stack(c, axis=1)
        yield Row(f"{ruler}, rising", values, ">", 0.0, effect=min(np.diff(middle)))
        yield Row(f"{ruler}, largest", values, ">", 0.0, effect=middle[3] - middle[0])


def reads_f8d(k, t):
    spread = [
        np.sqrt(plane.end()[:, 2:].var(axis=1) + plane.end(variable="i_ty")[:, 2:].var(axis=1))
        for plane in (k("l2_015"), k("relu"))
    ]
    ratio = np.median(spread[0]) / np.median(spread[1])
    yield Row("together", np.stack(spread, axis=1), "<", t["ratio"], effect=ratio)


def reads_f8l(k, t):
    l2, relu, layers = k("l2_015"), k("relu"), (2, 3, 4, 5)
    more = [l2.fall(layer) - relu.fall(layer) for layer in layers]
    order = rank_correlation(layers, medians(more))
    yield Row("nearer", np.stack(more, axis=1), "<", 0.0, effect=order)
    half = np.abs(l2.epochs - l2.last / 2).argmin()
    shares = []
    for layer in layers:
        lost = l2.fall(layer)
        late = (l2.curve(layer)[:, half] - l2.end(layer)) / lost
        shares.append(np.where(lost > t["least"], late, np.nan))
    yield Row("late", np.nanmean(shares, axis=0), ">", t["late"])


def reads_s31(k, t):
    plain = k("relu").end(variable="test_accuracy")
    for name in ("l2_001", "l2_005", "l2_015"):
        plane = k(name, variables=["test_loss"])
        gain, loss = plane.end(variable="test_accuracy") - plain, plane.arrays["test_loss"]
        rise = [max(one[one.argmin() :]) / min(one) - 1 for one in loss]
        yield Row(f"{name}, better", gain, ">", 0.0)
        yield Row(f"{name}, no overfitting", rise, "<", t["rise"])


def score(plane, layer):
    return plane.fall(layer) / plane.top(layer)


def reads_f9a(k, t):
    plane = k("relu")
    scores = np.stack([score(plane, layer) for layer in range(1, 7)])
    accuracy = plane.end(variable="test_accuracy")
    values = np.stack([scores[5], scores.mean(axis=0), accuracy], axis=1)
    output, everything = (np.corrcoef(one, accuracy)[0, 1] for one in values.T[:2])
    yield Row("output", values, ">", 0.0, effect=output)
    yield Row("difference", values, ">", 0.0, effect=output - everything)
    yield Row("all layers", values, ">", 0.0, effect=everything, reported=True)


def reads_f9b(k, t):
    planes = [k(name) for name in claims.find_claim("CHE-F9b").experiments]
    scores = [np.mean([score(plane, layer) for layer in HIDDEN]) for plane in planes]
    points = np.stack(
        [scores, [np.mean(plane.end(variable="test_accuracy")) for plane in planes]], axis=1
    )
    yield Row("weak", points, "<", t["correlation"], effect=abs(np.corrcoef(points.T)[0, 1]))


def reads_m2(k, t):
    fixed, ebab = t["rulers"]
    plane = k("relu", ["Decoy()", ebab, fixed])
    a, b = (plane.curve(ruler=ruler)[:, :, :5] for ruler in (fixed, ebab))
    blind = ((a < t["nothing"]) & (b > t["something"])).any(axis=(1, 2))
    yield Row("blind", blind, ">=", t["share"])


READS = {
    "CHE-F1": (reads_f1, {"ratio": 6.0}),
    "CHE-F2": (reads_f2, {}),
    "CHE-F3": (reads_f3, {}),
    "CHE-F4": (reads_f4, {}),
    "CHE-F5": (reads_f5, {}),
    "CHE-F5t": (reads_f5t, {"bits": 0.9}),
    "CHE-F5o": (reads_f5o, {}),
    "CHE-F6": (reads_f6, {}),
    "CHE-F7": (reads_f7, {}),
    "CHE-C1": (reads_c1, {}),
    "CHE-F8a-c": (reads_f8, {}),
    "CHE-F8d-g": (reads_f8d, {}),
    "CHE-F8l": (reads_f8l, {}),
    "CHE-S3.1": (reads_s31, {}),
    "CHE-F9a": (reads_f9a, {}),
    "CHE-F9b": (reads_f9b, {}),
    "CHE-M2": (reads_m2, {"nothing": 3.0, "something": 4.5}),
}


@pytest.mark.parametrize("claim_id", READS)
def test_each_part_reads_its_own_numbers(claim_id):
    rows, thresholds = READS[claim_id]
    check(claim_id, rows, **thresholds)


def test_every_claim_of_effects_is_read():
    """Claims that hold or fail have tests of their own."""
    listed = claims.load_registry("chelombiev")
    assert {one.id for one in listed if not one.is_identity} == set(READS)
