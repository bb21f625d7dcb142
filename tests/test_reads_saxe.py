"""What each test of a criterion of Saxe et al. and the students reads: no two numbers are alike."""

from itertools import product

import numpy as np
import pytest
from known_planes import Row, check, first, rank_correlation

from ibcore import claims

HIDDEN = (1, 2, 3, 4, 5)
GAINS = {1: "gain 0.1", 2: "gain 1", 3: "gain 3"}


def compresses(plane, least, where=""):
    for layer, threshold in least.items():
        more = {"signed": plane.since_learnt(layer), "saturated": plane.is_full(layer)}
        yield Row(f"{where}compresses, layer {layer}", plane.fall(layer), ">", threshold, **more)


def rests(plane, layers, most, where="", ruler=None, keep=slice(None)):
    for layer in layers:
        c, full = plane.fall(layer, ruler=ruler, keep=keep), plane.is_full(layer, ruler)
        yield Row(f"{where}, layer {layer}".lstrip(", "), c, "<", most, saturated=full)


# The planes.


def reads_f1a(k, t, where=""):
    yield from compresses(k("tanh"), {5: t["last"], 6: t["last"], 4: t["fourth"]}, where)


def reads_f1b(k, t, where=""):
    plane = k("relu")
    yield from rests(plane, HIDDEN, t["rest"], f"{where}rests")
    for layer in HIDDEN:
        rising, full = (np.diff(plane.curve(layer)) >= -0.02).mean(axis=1), plane.is_full(layer)
        yield Row(f"{where}rises, layer {layer}", rising, ">", t["rising"], saturated=full)
    yield from compresses(plane, {6: t["output"]}, where)
    single = np.any([plane.fall(layer) > t["output"] for layer in HIDDEN], axis=0)
    yield Row(f"{where}single", single, ">=", 0.0, reported=True)


def reads_f1c(k, t, where=""):
    yield from compresses(k("mnist_tanh", n_layers=5), dict.fromkeys((2, 3, 4), t["hidden"]), where)


def reads_f1d(k, t, where="", prefix=""):
    plane = k("mnist_relu", n_layers=5)
    yield from rests(plane, (1, 2, 3, 4), t[f"{prefix}rest"], f"{where}rests")
    yield from compresses(plane, {5: t[f"{prefix}output"]}, where)


def reads_f8(k, t):
    names, ruler = ("tanh", "softsign", "relu", "softplus"), t["ruler"]
    c = {name: k(name, ["Decoy()", ruler]).fall(5, ruler=ruler) for name in names}
    tanh, softsign = np.median(c["tanh"]), np.median(c["softsign"])
    both = np.stack([c["tanh"], c["softsign"]], axis=1)
    yield Row("tanh, order", both, ">", 0.0, effect=tanh - softsign)
    yield Row("softsign, modest", c["softsign"], ">", t["modest"])
    for name in ("relu", "softplus"):
        yield Row(f"{name}, none", c[name], "<", t["modest"])


def reads_f9(k, t):
    rulers, layers = t["rulers"], range(1, 6)
    planes = [k(name, ["Decoy()", *rulers], n_layers=5) for name in ("mnist_tanh", "mnist_relu")]
    values = np.stack(
        [[p.fall(layer, ruler=ruler) for layer in layers] for p in planes for ruler in rulers]
    )
    agreeing = [
        len({np.median(plane.fall(layer, ruler=ruler)) > t["compression"] for ruler in rulers}) == 1
        for plane, layer in product(planes, layers)
    ]
    assert 0 < sum(agreeing) < 10
    yield Row("agree", values.transpose(2, 0, 1), ">=", 1.0, effect=np.mean(agreeing))


def reads_f12(k, t):
    names = ("neighbour_entropy", "neighbour_entropy_scaled")
    for (name, side), layer in product((("tanh", "<"), ("relu", ">=")), (4, 5)):
        plane = k(name, variables=names)
        change, scaled = (plane.since_learnt(layer, one) for one in names)
        yield Row(f"{name}, changes, layer {layer}", change, side, 0.0)
        yield Row(f"{name}, scaled, layer {layer}", scaled, side, 0.0, reported=True)


def reads_f14(k, t):
    plane = k("tanh", ["Decoy()", t["rulers"][1], t["even"], t["rulers"][0]])
    for ruler, layer in product(t["rulers"], HIDDEN):
        other, even = (plane.fall(layer, ruler=one) for one in (ruler, t["even"]))
        excess = np.median(other) - t["share"] * np.median(even)
        asked = np.median(even) > t["compression"]
        values = np.stack([other, even], axis=1)
        label = f"{ruler}, little, layer {layer}"
        yield Row(label, values, "<", 0.0, effect=excess, reported=not asked)


def reads_f15(k, t):
    plane, ruler = k("tanh", ["Decoy()", t["ruler"]]), t["ruler"]
    early = plane.epochs <= plane.last * t["early"]
    for layer in (1, 2, 3, 4):
        least = plane.curve(layer, ruler=ruler).min(axis=1)
        yield Row(f"distinct, layer {layer}", least, ">", t["distinct"])
    for layer in (5, 6):
        c = plane.fall(layer, ruler=ruler, keep=early)
        yield Row(f"late, layer {layer}", c, "<", t["little"])
        yield Row(f"drops, layer {layer}", plane.fall(layer, ruler=ruler), ">", t["little"])


def reads_f16(k, t):
    for name, layer in product(("tanh", "full_tanh"), (4, 5)):
        plane, more = k(name, variables=["saturation"]), {"reported": layer == 4}
        share = plane.curve(layer, "saturation")
        growth = share[:, -1] / share[np.arange(len(share)), plane.place(layer)]
        yield Row(f"{name}, edges, layer {layer}", share[:, -1], ">", t["end"], **more)
        yield Row(f"{name}, growth, layer {layer}", growth, ">", t["growth"], **more)


def reads_a1(k, t):
    plane = k("tanh", variables=["weight_norm"])
    for layer in range(1, 7):
        norm = plane.curve(layer, "weight_norm")
        r = [rank_correlation(plane.epochs, one) for one in norm]
        yield Row(f"grows, layer {layer}", r, ">", t["correlation"])


# Linear students.


def linear(k, name):
    return k(name, n_layers=2, variables=["loss", "test_loss", "generalisation_error"], last=9000)


def share_lost(plane, most, where, **more):
    for layer in (1, 2):
        c = plane.fall(layer) / plane.top(layer)
        yield Row(f"{where}, rests, layer {layer}", c, "<", most, **more)


def reads_f3(k, t):
    for (n, gain), few in product(GAINS.items(), (False, True)):
        plane = linear(k, f"linear_few_{n}" if few else f"linear_{n}")
        where, more = f"{gain}, {'100' if few else '1 000'} rows", {"reported": few}
        yield from share_lost(plane, t["rest"], where, **more)
        test, train = (plane.end(variable=name) for name in ("test_loss", "loss"))
        yield Row(f"{where}, gap", abs(test - train) / test, "<", t["gap"], **more)


def reads_f4ab(k, t):
    for n, gain in GAINS.items():
        plane = linear(k, f"linear_sgd_{n}")
        yield from share_lost(plane, t["rest"], gain)
        error = plane.arrays["generalisation_error"]
        yield Row(f"{gain}, overtrains", error[:, -1] / error.min(axis=1), ">", t["error"])
        for layer in (1, 2):
            lost = plane.fall(layer, "i_ty") / plane.top(layer, "i_ty")
            yield Row(f"{gain}, forgets, layer {layer}", lost, ">", t["lost"])


def reads_f6(k, t, where="", rest="rest"):
    total, relevant, irrelevant = t["rulers"]
    for rows, (n, gain) in product((100, 300, 1000), GAINS.items()):
        settings = {"variables": ["loss"], "n_layers": 2, "ceiling": 2}
        plane = k(f"relevant_{rows}_{n}", ["Decoy()", irrelevant, relevant, total], **settings)
        lost = {one: plane.fall(1, ruler=one) / plane.top(1, ruler=one) for one in t["rulers"]}
        loss = plane.arrays["loss"]
        fallen = loss[:, :1] - loss >= t["learnt"] * (loss[:, :1] - loss[:, -1:])
        since = plane.peak(1, irrelevant) - first(fallen, plane.epochs)
        cell = f"{where}{rows} rows, {gain}"
        yield Row(f"{cell}, forgets, layer 1", lost[irrelevant], ">", t["forgets"])
        yield Row(f"{cell}, total, layer 1", lost[total], "<", t[rest])
        yield Row(f"{cell}, relevant, layer 1", lost[relevant], "<", t[rest])
        yield Row(f"{cell}, during, layer 1", since, "<", 0.0)


def reads_f18(k, t):
    yield from rests(k("linear_deep"), range(1, 7), t["rest"], "rests")


def reads_f19(k, t):
    for (n, gain), layer in product(GAINS.items(), (1, 2)):
        sgd, full = (linear(k, f"{name}_{n}").curve(layer) for name in ("linear_sgd", "linear_few"))
        apart = abs(sgd - full).max(axis=1)
        yield Row(f"{gain}, apart, layer {layer}", apart, "<", t["apart"])


# Noise, data and gradients.


def reads_f4cd(k, t, where="", compression="compression", *, wider=True):
    yield from compresses(k("tanh_30"), {5: t[compression]}, where)
    few, many = (
        plane.end(variable="train_accuracy") - plane.end(variable="test_accuracy")
        for plane in (k("tanh_30"), k("tanh"))
    )
    yield Row(f"{where}gap", few, ">", t["gap"])
    if wider:
        yield Row(f"{where}wider", few - many, ">", 0.0)


PAIRS = (
    ("Adam, 256 against all, same epochs", "", "full_", "epochs"),
    ("Adam, 256 against all, same updates", "", "full_", "updates"),
    ("SGD, 1 against all, same rate x updates", "sgd_1_", "gd_", None),
    ("SGD, 256 against all, same updates", "sgd_256_", "gd_", "updates"),
)


def pairs(k, activation):
    """(cell, the two planes, what is kept of each)."""
    for cell, *names, clock in PAIRS:
        planes = [k(f"{name}{activation}") for name in names]
        times = [getattr(plane, clock or "epochs") for plane in planes]
        end = min(time[-1] for time in times) if clock else np.inf
        yield cell, planes, [time <= end for time in times]


def reads_f5(k, t):
    for cell, planes, kept in pairs(k, "relu"):
        for name, plane, keep in zip(("noisy", "full"), planes, kept, strict=True):
            where = f"{cell}, relu, rests, {name}"
            yield from rests(plane, HIDDEN, t["rest"], where, keep=keep)
    for cell, planes, kept in pairs(k, "tanh"):
        for layer in (4, 5, 6):
            c = [p.fall(layer, keep=keep) for p, keep in zip(planes, kept, strict=True)]
            a, b = map(np.median, c)
            full = any(plane.is_full(layer) for plane in planes)
            where, both = f"{cell}, tanh, ", np.stack(c, axis=1)
            least, apart = min(a, b), abs(a - b) - t["share"] * max(a, b)
            for name, side, threshold, effect in (
                ("both", ">", t["compression"], least), ("close", "<", 0.0, apart),
            ):  # fmt: skip
                label = f"{where}{name}, layer {layer}"
                yield Row(label, both, side, threshold, effect=effect, saturated=full)


def reads_f20(k, t):
    for name in ("tanh", "relu", "snr_mnist_tanh", "snr_mnist_relu", "scalar"):
        plane = k(name, variables=["gradient_mean", "gradient_std"])
        drops = [plane.snr(layer)[1] for layer in range(1, 7)]
        for layer, drop in enumerate(drops, 1):
            flags = drop >= t["decades"]
            yield Row(f"{name}, falls, layer {layer}", flags, ">=", t["share"], signed=drop)
        if name in ("tanh", "relu"):
            both = np.mean(drops[2:5], axis=0), plane.mean_fall((3, 4, 5))
            r = abs(rank_correlation(*both))
            where, values = f"{name}, unrelated", np.stack(both, axis=1)
            yield Row(where, values, "<", t["correlation"], effect=r)


# The students, and rows that stand on several others.


def reads_general(k, t):
    for row in reads_f1b(k, t, "phases: ReLU, "):
        if "rests" in row.label:
            yield row
    accurate = k("relu").end(variable="test_accuracy")
    yield Row("generalisation without compression, learns", accurate, ">", t["accuracy"])
    where = "compression without generalisation: tanh, 30 %, "
    yield from reads_f4cd(k, t, where, "overfitting", wider=False)
    for row in reads_f5(k, t):
        if "both" in row.label:
            cell, rest = row.label.split(", tanh, ")
            label = f"compression without noise: tanh, tanh, {cell}, {rest}"
            yield row._replace(label=label)


def reads_stu_3(k, t):
    yield from reads_general(k, t)
    yield from reads_f1a(k, t, "activation: tanh, ")
    yield from reads_f6(k, t, "irrelevant inputs, ", "linear_rest")


def reads_stu_5(k, t):
    yield from reads_f1b(k, t, "12-bit, ")
    yield from reads_f1d(k, t, "MNIST, ", "mnist_")


def reads_stu_6(k, t):
    yield from reads_f1c(k, t, "tanh, ")
    yield from reads_f1d(k, t, "relu, ")


def reads_stu_7(k, t):
    yield from reads_f3(k, t)
    yield from reads_f4ab(k, t)


def reads_stu_12(k, t):
    depths = {"narrow": (3, 4, 5), "wide": (3, 4)}
    for size, activation in product(depths, ("tanh", "relu")):
        for n, n_layers in enumerate(depths[size], 1):
            name = f"{size}_{activation}_{n}"
            layers = range(1, n_layers)
            yield from rests(k(name, n_layers=n_layers), layers, t["rest"], f"{name}, rests")


def reads_stu_13(k, t):
    """On MNIST whatever ruler comes first."""
    noise, wide, fitting = t["rulers"]
    rulers = ["Decoy()", fitting, noise, wide]
    for cell, name, ruler in (
        ("noise 0.001", "sigmoid", noise),
        ("30 bins on [-1, 1]", "sigmoid", wide),
        ("30 bins on [0, 1]", "sigmoid", fitting),
        ("five times longer, noise 0.001", "sigmoid_long", noise),
        ("five times longer, 30 bins on [0, 1]", "sigmoid_long", fitting),
        ("MNIST, 20-10", "narrow_sigmoid_1", "Decoy()"),
        ("MNIST, 20-10-10", "narrow_sigmoid_2", "Decoy()"),
    ):
        yield from rests(k(name, rulers), HIDDEN, t["rest"], f"{cell}, rests", ruler)


FACTORS = {
    "activation": ("tanh", "relu"),
    "batch": ("", "full_"),
    "gain": ("", "gain2_"),
    "ruler": "rulers",
    "seed": None,
}


def reads_stu_1v(k, t):
    def measured(what):
        found = np.empty((11, 2, 2, 2, 3))
        for place in np.ndindex(found.shape[1:]):
            activation, batch, gain = (list(FACTORS.values())[n][place[n]] for n in range(3))
            plane = k(f"{gain}{batch}{activation}", ["Decoy()", *t["rulers"]])
            numbers = getattr(plane, what)
            ruler = t["rulers"][place[3]]
            found[(slice(None), *place)] = np.mean([numbers(n, ruler=ruler) for n in (3, 4, 5)], 0)
        return found

    for name, what in (("compression", "fall"), ("final", "end")):
        values = measured(what)
        shares = {}
        for factor, axis in zip(FACTORS, (1, 2, 3, 4, 0), strict=True):
            groups = np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
            shares[factor] = groups.mean(axis=1).var() / values.var()
            effect = {"effect": shares[factor], "reported": True}
            yield Row(f"{name}: {factor}", values, ">=", 0.0, **effect)
        leading, *others = shares.values()
        yield Row(f"{name}, {name}", values, ">", 0.0, effect=leading - max(others))


def reads_stu_2c(k, t):
    for name in ("tanh", "relu"):
        plane = k(name, variables=["test_loss"], label_entropy=0.9)
        bits = plane.end(variable="test_loss") / np.log(2)
        yield Row(f"{name}, length", bits / 0.9, "<", 1.0)


OUTPUT = {"output": 2.2}
READS = {
    "SAXE-F1A": (reads_f1a, {}), "SAXE-F1B": (reads_f1b, OUTPUT), "SAXE-F1C": (reads_f1c, {}),
    "SAXE-F1D": (reads_f1d, {}), "SAXE-F3": (reads_f3, {}), "SAXE-F4AB": (reads_f4ab, {}),
    "SAXE-F4CD": (reads_f4cd, {}), "SAXE-F5": (reads_f5, {}), "SAXE-F6": (reads_f6, {}),
    "SAXE-F8": (reads_f8, {}), "SAXE-F9/F10": (reads_f9, {}), "SAXE-F12": (reads_f12, {}),
    "SAXE-F14": (reads_f14, {}), "SAXE-F15": (reads_f15, {}), "SAXE-F16": (reads_f16, {}),
    "SAXE-F17": (reads_f1b, OUTPUT), "SAXE-F18": (reads_f18, {}), "SAXE-F19": (reads_f19, {}),
    "SAXE-F20/21": (reads_f20, {"decades": 1.3}), "SAXE-A1": (reads_a1, {}),
    "SAXE-C1": (reads_general, OUTPUT), "STU-1": (reads_general, OUTPUT),
    "STU-1v": (reads_stu_1v, {}), "STU-2c": (reads_stu_2c, {}), "STU-3": (reads_stu_3, OUTPUT),
    "STU-5": (reads_stu_5, OUTPUT), "STU-6": (reads_stu_6, {}), "STU-7": (reads_stu_7, {}),
    "STU-8": (reads_f4cd, {}), "STU-10": (reads_f5, {}), "STU-11": (reads_f6, {}),
    "STU-12": (reads_stu_12, {}), "STU-13": (reads_stu_13, {}),
}  # fmt: skip


@pytest.mark.parametrize("claim_id", READS)
def test_each_part_reads_its_own_numbers(claim_id):
    rows, thresholds = READS[claim_id]
    check(claim_id, rows, **thresholds)


def test_every_claim_of_effects_is_read():
    """Claims that hold or fail have tests of their own."""
    listed = claims.load_registry("saxe")
    assert {one.id for one in listed if not one.is_identity} == set(READS)
