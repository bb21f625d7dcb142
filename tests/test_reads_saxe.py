"""What the functions of Saxe et al. and the students read: no two numbers are alike."""

from itertools import product

import numpy as np
import pytest
from claim_planes import EPOCHS, LAYERS, N, T, curve, make_plane
from known_planes import Row, check, distinct, rank_correlation

from ibcore import claims, theory
from ibcore.papers import paper_module

HIDDEN = (1, 2, 3, 4, 5)
GAINS = ("gain 0.1", "gain 1", "gain 3")


def asked(claim_id, test, **changes):
    """What one test of a claim says ``with``, as ``check`` changes it."""
    (spec,) = (one for one in claims.find_claim(claim_id).tests if one.entry["name"] == test)
    own = spec.entry["with"]
    return distinct(own | {key: changes[key] for key in changes if key in own})


def place(layer, n_layers):
    return "output" if layer == n_layers else f"layer {layer}"


# Single networks.


def all_layers(plane, layers, fits):
    """Whether C fits in every layer that is not at its ceiling."""
    able = [layer for layer in layers if not plane.is_full(layer)]
    return np.all([fits(plane.fall(layer)) for layer in able], axis=0)


def gap_of(plane):
    return plane.end(variable="train_accuracy") - plane.end(variable="test_accuracy")


def reads_f1b(k, t):
    flags = all_layers(k("relu"), HIDDEN, lambda c: c <= t["most"])
    yield Row("single networks: ReLU networks", flags)


C1 = {"most": 2.0, "least": 0.1, "accuracy": 0.8}


def reads_c1(k, t):
    def own(name):
        return asked("SAXE-C1", name, **C1)

    quiet = all_layers(k("relu"), HIDDEN, lambda c: c <= own("without compression")["most"])
    yield Row("without compression: ReLU", quiet)
    least = own("generalises without compression")["accuracy"]
    accurate = k("relu").end(variable="test_accuracy") >= least
    yield Row("generalises without compression: ReLU, accurate", quiet & accurate)
    few, settings = k("tanh_30"), own("compresses and overfits")
    falls = all_layers(few, (5,), lambda c: c >= settings["least"])
    label = "compresses and overfits: tanh, 30 % of the data"
    yield Row(label, falls & (gap_of(few) >= settings["gap"]))
    least = own("compresses without noise")["least"]
    for label, name in (("gradient descent", "gd_tanh"), ("Adam, full batch", "full_tanh")):
        flags = all_layers(k(name), (4, 5, 6), lambda c: c >= least)
        yield Row(f"compresses without noise: {label}", flags)


def reads_stu_9(k, t):
    planes = [k(name) for name in ("tanh", "relu", "tanh_30", "relu_30", "relu_10")]
    c = np.concatenate([plane.fall(5) for plane in planes])
    ends = np.concatenate([plane.end(variable="test_accuracy") for plane in planes])
    kinds = {"compress": c >= t["compresses"], "do not compress": c < t["rests"]}
    second = {"generalise": ends >= t["good"], "do not generalise": ends < t["bad"]}
    for (one, a), (other, b) in product(kinds.items(), second.items()):
        yield Row(f"occurs: {one} and {other}", [np.any(a & b)])


# Rulers.


def reads_f9(k, t):
    for name, experiment in (("tanh", "mnist_tanh"), ("ReLU", "mnist_relu")):
        plane = k(experiment, ["Decoy()", *t["rulers"]], n_layers=5)
        for layer in range(1, 6):
            says = [plane.fall(layer, ruler=ruler) > t["compression"] for ruler in t["rulers"]]
            alike = np.sum(says, axis=0) % 3 == 0
            full = plane.is_full(layer, t["rulers"][0])
            yield Row(f"agree: {name}, {place(layer, 5)}", alike, hollow=full)


def reads_f12(k, t):
    names = ("neighbour_entropy", "neighbour_entropy_scaled")
    for (label, name), layer in product((("tanh", "tanh"), ("ReLU", "relu")), (4, 5)):
        change, scaled = (k(name, variables=names).since_learnt(layer, one) for one in names)
        yield Row(f"{label}: layer {layer}", change)
        yield Row(f"without the scale: {label}, layer {layer}", scaled)


def reads_f14(k, t):
    net, rounded = t["rulers"].values()
    plane = k("tanh", ["Decoy()", rounded, t["even"], net])
    for (label, ruler), layer in product(t["rulers"].items(), HIDDEN):
        other, even = (plane.fall(layer, ruler=one) for one in (ruler, t["even"]))
        hollow = plane.is_full(layer, t["even"]) or np.median(even) <= t["compression"]
        ratio = np.median(other) / np.median(even)
        values = np.stack([other, even], axis=1)
        yield Row(f"little: {label}, layer {layer}", values, effect=ratio, hollow=hollow)


def reads_f15(k, t):
    plane, ruler = k("tanh", ["Decoy()", t["ruler"]]), t["ruler"]
    for layer in (1, 2, 3, 4):
        missing = 12 - plane.curve(layer, ruler=ruler).min(axis=1)
        yield Row(f"stays at 12 bits: layer {layer}", missing)
    early = plane.epochs <= plane.last * t["until"]
    for layer in (5, 6):
        c = plane.fall(layer, ruler=ruler, keep=early)
        yield Row(f"nothing lost early: {place(layer, 6)}", c)


# Linear students.


def linear(k, name):
    return k(name, n_layers=2, variables=["loss", "test_loss", "generalisation_error"])


def reads_f3(k, t):
    for (rows, family), (n, gain) in product(
        (("100 rows", "linear_few"), ("1 000 rows", "linear")), enumerate(GAINS, 1)
    ):
        plane = linear(k, f"{family}_{n}")
        test, train = (plane.end(variable=name) for name in ("test_loss", "loss"))
        yield Row(f"generalises: {rows}, {gain}", abs(test - train) / test)


def reads_f4ab(k, t):
    for n, gain in enumerate(GAINS, 1):
        plane = linear(k, f"linear_sgd_{n}")
        error = plane.arrays["generalisation_error"]
        yield Row(f"overtrains: {gain}", error[:, -1] / error.min(axis=1))
        for layer in (1, 2):
            lost, top = plane.fall(layer, "i_ty"), plane.top(layer, "i_ty")
            signed = -plane.since_learnt(layer, "i_ty") / top
            yield Row(f"loses the label: {gain}, {place(layer, 2)}", lost / top, signed=signed)


# Noise and gradients.


def held(plane, layer, places):
    """C of each network held from its fractional checkpoint on."""
    steps = np.arange(len(plane.epochs))
    found = []
    for values, at in zip(plane.curve(layer), places, strict=True):
        last = np.interp(at, steps, values)
        found.append(max(last, values[steps <= at].max()) - last)
    return np.array(found)


def places_of(pair, clock):
    """Fractional checkpoints up to which two runs are alike."""
    if not clock:
        return [np.full(plane.n_seeds, len(plane.epochs) - 1.0) for plane in pair]
    steps = [np.arange(len(plane.epochs)) for plane in pair]
    if clock == "update":
        end = min(plane.updates[-1] for plane in pair)
        return [
            np.full(plane.n_seeds, np.interp(end, plane.updates, step))
            for plane, step in zip(pair, steps, strict=True)
        ]
    losses = [plane.arrays["loss"] for plane in pair]
    level = np.max([loss.min(axis=1) for loss in losses], axis=0)
    return [  # a loss comes down straight to its smallest value, and goes up from there
        loss.argmin(axis=1) * (loss[:, 0] - level) / (loss[:, 0] - loss.min(axis=1))
        for loss in losses
    ]


PAIRS = (
    ("plain SGD: SGD, single samples, equal rate x updates", "sgd_1_tanh", "gd_tanh", ""),
    ("plain SGD: SGD, single samples, equal loss", "sgd_1_tanh", "gd_tanh", "loss"),
    ("plain SGD: SGD, batches of 256, equal updates", "sgd_256_tanh", "gd_tanh", "update"),
    ("plain SGD: SGD, batches of 256, equal loss", "sgd_256_tanh", "gd_tanh", "loss"),
    ("Adam: Adam, batches of 256, equal updates", "tanh", "full_tanh", "update"),
    ("Adam: Adam, batches of 256, equal loss", "tanh", "full_tanh", "loss"),
)


def reads_f5(k, t):
    for (label, one, other, clock), layer in product(PAIRS, (4, 5, 6)):
        pair = [k(name, variables=["loss"]) for name in (one, other)]
        c = [held(p, layer, at) for p, at in zip(pair, places_of(pair, clock), strict=True)]
        a, b = map(np.median, c)
        hollow = all(plane.is_full(layer) for plane in pair)
        effect = (a - b) / (max(a, b) or 1.0)
        values = np.stack(c, axis=1)
        yield Row(f"{label}, {place(layer, 6)}", values, effect=effect, hollow=hollow)


SNR = {
    "falls": (("tanh", "tanh"), ("ReLU", "relu"), ("1-1-1", "scalar")),
    "falls, MNIST": (("tanh", "snr_mnist_tanh"), ("ReLU", "snr_mnist_relu")),
}


def reads_f20(k, t):
    for test, planes in SNR.items():
        for label, name in planes:
            plane = k(name, variables=["gradient_mean", "gradient_std"])
            drops = [plane.snr(layer)[1] for layer in range(1, 7)]
            for layer, drop in enumerate(drops, 1):
                yield Row(f"{test}: {label}, {place(layer, 6)}", drop)
            if name in ("tanh", "relu"):
                r = rank_correlation(np.mean(drops[2:5], axis=0), plane.mean_fall((3, 4, 5)))
                yield Row(f"fall and C: {label}", [r, plane.n_seeds])


def reads_a1(k, t):
    plane = k("tanh", variables=["weight_norm"])
    for layer in range(1, 7):
        norm = plane.curve(layer, "weight_norm")
        r = [rank_correlation(plane.epochs, one) for one in norm]
        yield Row(f"grows: {place(layer, 6)}", r)
        yield Row(f"never falls: {place(layer, 6)}", norm.min(axis=1) / norm[:, 0] - 1)


# The students.

FACTORS = {
    "activation": ("tanh", "relu"),
    "batch": ("", "full_"),
    "gain": ("", "gain2_"),
    "ruler": None,
    "network": None,
}


def reads_stu_1v(k, t):
    def measured(what):
        found = np.empty((11, 2, 2, 2, 3))
        for at in np.ndindex(found.shape[1:]):
            activation, batch, gain = (list(FACTORS.values())[n][at[n]] for n in range(3))
            plane = k(f"{gain}{batch}{activation}", ["Decoy()", *t["rulers"]])
            numbers, ruler = getattr(plane, what), t["rulers"][at[3]]
            found[(slice(None), *at)] = np.mean([numbers(n, ruler=ruler) for n in (3, 4, 5)], 0)
        return found

    for lead, shares_of, what in (
        ("C", "shares of C", "fall"),
        ("I(X;T) at the end", "shares at the end", "end"),
    ):
        values = measured(what)
        shares = {}
        for factor, axis in zip(FACTORS, (1, 2, 3, 4, 0), strict=True):
            groups = np.moveaxis(values, axis, 0).reshape(values.shape[axis], -1)
            shares[factor] = groups.mean(axis=1).var() / values.var()
            yield Row(f"{shares_of}: {factor}", values, effect=shares[factor])
        leading, *others = shares.values()
        effect = leading - max(others)
        yield Row(f"{lead}: activation minus the next", values, effect=effect)


def reads_stu_2c(k, t):
    for label, name in (("tanh", "tanh"), ("ReLU", "relu")):
        plane = k(name, variables=["test_loss"], label_entropy=0.9)
        yield Row(f"length: {label}", plane.end(variable="test_loss") / np.log(2) / 0.9)


READS = {
    "SAXE-F1B": (reads_f1b, {"most": 2.0}), "SAXE-F3": (reads_f3, {}),
    "SAXE-F4AB": (reads_f4ab, {}), "SAXE-F5": (reads_f5, {}),
    "SAXE-F9/F10": (reads_f9, {}), "SAXE-F12": (reads_f12, {}), "SAXE-F14": (reads_f14, {}),
    "SAXE-F15": (reads_f15, {}), "SAXE-F20/21": (reads_f20, {}), "SAXE-A1": (reads_a1, {}),
    "SAXE-C1": (reads_c1, C1), "STU-1v": (reads_stu_1v, {}), "STU-2c": (reads_stu_2c, {}),
    "STU-9": (reads_stu_9, {}),
}  # fmt: skip
FACTS = ("SAXE-F2", "SAXE-F13", "SAXE-EQ21", "STU-2")


@pytest.mark.parametrize("claim_id", READS)
def test_every_function_reads_what_its_criterion_names(claim_id):
    rows, changes = READS[claim_id]
    check(claim_id, rows, **changes)


def test_every_claim_with_functions_is_read():
    named = {
        claim.id
        for claim in claims.load_registry("saxe")
        if any("function" in test.entry for test in claim.tests)
    }
    assert named == {*READS, *FACTS}


# Functions on their own.


@pytest.fixture
def evidence():
    return paper_module("saxe", "evidence")


@pytest.mark.parametrize("claim_id", FACTS)
def test_facts_without_networks(claim_id):
    assert claims.judge(claim_id).verdict == "holds"


def test_facts_fail_where_the_theory_is_broken(monkeypatch, evidence):
    """Half the information, an information that does not know the weight, and one that falls."""
    true = theory.single_neuron_information
    monkeypatch.setattr(theory, "single_neuron_information", lambda *a, **k: 0.5 * true(*a, **k))
    assert claims.judge("SAXE-F2").verdict == "fails"
    monkeypatch.setattr(theory, "linear_gaussian_information", lambda *a, **k: 1.0)
    assert claims.judge("SAXE-EQ21").verdict == "fails"
    monkeypatch.setattr(evidence, "entropy", lambda p: len(p))
    assert claims.judge("STU-2").verdict == "fails"
    monkeypatch.setattr(evidence, "_gaussian_entropy", lambda edges: edges.max())
    assert claims.judge("SAXE-F13").verdict == "fails"


def test_rounded_edges_do_not_decide():
    """F13: they fall, which is shown, and the sentence is about the net input."""
    tests = claims.judge("SAXE-F13").tests
    assert [(test.met, test.counts) for test in tests] == [(True, True), (False, False)]


def falls(c):
    """Curves that end ``c`` bits below their peak."""
    return curve(6.0, 9.0, 9.0 - np.asarray(c))


def test_dissociation():
    """STU-9: four kinds of networks, or three. Layer 5 decides, and the end of the training."""
    c = np.where(np.arange(LAYERS) == 4, np.tile([2.0, 2.0, 0.0, 0.0], N // 4)[:, None], 0.5)
    test = np.tile([0.99, 0.8], N // 2)[:, None] * (EPOCHS >= T) + 0.92 * (EPOCHS < T)
    names = ("tanh", "relu", "tanh_30", "relu_30", "relu_10")
    all_four = make_plane(falls(c), test_accuracy=test)
    assert claims.judge("STU-9", dict.fromkeys(names, all_four)).verdict == "holds"
    three = make_plane(falls(c), test_accuracy=np.where(c[:, 4:5] > 0, test, 0.99))
    assert claims.judge("STU-9", dict.fromkeys(names, three)).verdict == "fails"


def test_one_network_is_a_counterexample_and_none_is_not():
    """C1: a share of single networks, whatever the others do."""
    names = ("relu", "tanh_30", "gd_tanh", "full_tanh")
    test = np.linspace(0.5, 0.96, len(EPOCHS))
    quiet = make_plane(falls(np.where(np.arange(N)[:, None] == 3, 0.0, 2.0)), test_accuracy=test)
    loud = make_plane(falls(2.0), test_accuracy=test)
    planes = dict.fromkeys(names, loud)
    assert claims.judge("SAXE-C1", planes | {"relu": quiet}).verdict == "reproduced"
    assert claims.judge("SAXE-C1", planes).verdict == "none found"
    few = {name: plane.isel(seed=slice(12)) for name, plane in planes.items()}
    assert claims.judge("SAXE-C1", few).verdict == "open"


def test_noise_may_matter_or_not(evidence):
    """F5: half of the compression gone, none gone, and more with noise than without."""
    more, less = make_plane(falls(4.0), loss=1.0), make_plane(falls(1.0), loss=1.0)
    (spec,) = (one for one in claims.find_claim("SAXE-F5").tests if one.entry["name"] == "Adam")

    def effect(noisy, full):
        cells = spec.test({"tanh": noisy, "full_tanh": full}, evidence).cells
        (found,) = {one.estimate("test").effect for one in cells if "updates" in one.label}
        return found

    nothing = make_plane(falls(0.0), loss=1.0)
    assert effect(nothing, nothing) == effect(more, more) == 0.0
    assert effect(less, more) == pytest.approx(-0.75)
    assert effect(more, less) == pytest.approx(0.75)


def test_shares_of_variance_add_up_in_a_balanced_design(evidence):
    """Main effects of independent additive factors explain everything."""
    rng = np.random.default_rng(0)
    effects = [rng.normal(size=n) for n in (2, 2, 2, 3, 5)]
    a, b, g, r, s = np.meshgrid(*effects, indexing="ij")
    values = np.moveaxis(a + b + g + r + s, -1, 0)[None]
    shares = [evidence._explained(values, axis)[0] for axis in range(5)]
    assert sum(shares) == pytest.approx(1.0)
    assert shares[0] == pytest.approx(effects[0].var() / values.var())


def test_planes_carry_what_a_claim_asks_for():
    """A missing observable is named."""
    still = make_plane(falls(0.0))
    with pytest.raises(ValueError, match="neighbour_entropy"):
        claims.judge("SAXE-F12", {"tanh": still, "relu": still})
