"""What the functions of Saxe et al. and the students read: no two numbers are alike."""

from itertools import product
from types import SimpleNamespace

import numpy as np
import pytest
from claim_planes import EPOCHS, LAYERS, N, T, curve, make_plane
from known_planes import Known, Row, check, distinct, rank_correlation
from plots_support import own_figures
from scipy.linalg import expm

from ibcore import claims, theory
from ibcore.papers import paper_module

__all__ = ["own_figures"]  # a fixture for every test here

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


def reads_stu_3(k, t):
    def own(name):
        return asked("STU-3", name, **C1)

    few, settings = k("tanh_30"), own("compresses and overfits")
    falls = all_layers(few, (5,), lambda c: c >= settings["least"])
    label = "compresses and overfits: tanh, 30 % of the data"
    yield Row(label, falls & (gap_of(few) >= settings["gap"]))
    settings = own("generalises without")
    quiet = all_layers(k("relu"), HIDDEN, lambda c: c <= settings["most"])
    accurate = k("relu").end(variable="test_accuracy") >= settings["accuracy"]
    yield Row("generalises without: ReLU, accurate", quiet & accurate)
    least = own("without noise")["least"]
    flags = all_layers(k("gd_tanh"), (4, 5, 6), lambda c: c >= least)
    yield Row("without noise: gradient descent", flags)
    yield from irrelevant(
        k, asked("STU-3", "irrelevant inputs", **F6), "irrelevant inputs", "order"
    )


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


F6 = {"whole": 0.4}
SCAN = {
    "1": ("relevant_{}_{}", "irrelevant_1_fast_{}"),
    "10": ("irrelevant_10_slow_{}", "irrelevant_10_fast_{}"),
    "100": ("irrelevant_100_slow_{}", "irrelevant_100_fast_{}"),
    "no noise": ("irrelevant_clean_slow_{}", "irrelevant_clean_fast_{}"),
}


def irrelevant(k, t, test, part):
    """What is read two checkpoints at a time from plain arrays, setting by setting."""
    rulers = t["rulers"]
    for ratio, (speed, rate) in product(SCAN, enumerate(("0.01", "0.03"))):
        for n, (rows, gain) in enumerate(product(("100", "300", "1000"), ("0.1", "1", "3")), 1):
            name = SCAN[ratio][speed]
            name = name.format(rows, 1 + (n - 1) % 3) if "{}_{}" in name else name.format(n)
            plane = k(name, ["Decoy()", *reversed(rulers.values())], n_layers=2, ceiling=0)
            for layer, place in ((1, "hidden"), (2, "output")):
                whole, relevant, other = (plane.curve(layer, ruler=r) for r in rulers.values())
                values = [
                    shares(*curves, t, part) for curves in zip(whole, relevant, other, strict=True)
                ]
                yield Row(f"{test}: {ratio} / {rate} / {rows} / {gain} {place}", values)


def shares(whole, relevant, other, t, part):
    """Of one layer of one network."""
    asked_of = whole - relevant if part == "weights" else other
    if part == "weights":  # the only curve that is not as smooth as it was made
        asked_of = smooth(whole) - smooth(relevant)
    top = min(2 * int(np.argmax(asked_of[::2])) + 1, len(asked_of) - 1)
    most = max(asked_of.max(), t["least"])
    fall = (asked_of[top] - asked_of[-1]) / most
    if part != "order":
        return fall
    rise = (asked_of[top] - asked_of[0]) / most
    order = min(rise, fall, (relevant[-1] - relevant[top]) / relevant.max())
    return min(order, 0) if whole.max() - whole[-1] > t["whole"] * whole.max() else order


def smooth(values):
    middle = [np.median(values[i - 1 : i + 2]) for i in range(1, len(values) - 1)]
    return np.array([values[0], *middle, values[-1]])


PARTS = {"order": "order", "falls at all": "fall", "falls, given the relevant inputs": "weights"}


def reads_f6(k, t):
    for test, part in PARTS.items():
        yield from irrelevant(k, asked("SAXE-F6", test, **F6), test, part)


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


BATCHES = ("1", "16", "64", "256")
OPTIMIZERS = {"plain SGD": "sgd", "momentum": "momentum", "Adam": "adam"}


def reads_f5(k, t):
    for test, optimizer in OPTIMIZERS.items():
        runs = [k(f"{optimizer}_tanh_{n}", variables=["loss"]) for n in range(1, 6)]
        for (clock, one), layer in product(product(("update", "loss"), range(4)), (4, 5, 6)):
            pair = [runs[one], runs[4]]
            c = [held(p, layer, at) for p, at in zip(pair, places_of(pair, clock), strict=True)]
            a, b = map(np.median, c)
            hollow = all(plane.is_full(layer) for plane in pair)
            effect = (a - b) / (max(a, b) or 1.0)
            said = {"update": "equal updates", "loss": "equal loss"}[clock]
            label = f"{test}: batches of {BATCHES[one]}, {said}, {place(layer, 6)}"
            yield Row(label, np.stack(c, axis=1), effect=effect, hollow=hollow)


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
    "SAXE-F4AB": (reads_f4ab, {}), "SAXE-F5": (reads_f5, {}), "SAXE-F6": (reads_f6, F6),
    "SAXE-F9/F10": (reads_f9, {}), "SAXE-F12": (reads_f12, {}), "SAXE-F14": (reads_f14, {}),
    "SAXE-F15": (reads_f15, {}), "SAXE-F20/21": (reads_f20, {}), "SAXE-A1": (reads_a1, {}),
    "SAXE-C1": (reads_c1, C1), "STU-1v": (reads_stu_1v, {}), "STU-2c": (reads_stu_2c, {}),
    "STU-3": (reads_stu_3, C1 | F6), "STU-9": (reads_stu_9, {}),
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


def test_a_network_without_gradients_has_no_ratio_and_is_left_out():
    """What the other networks show is what a plane without the dead one shows."""
    evidence = paper_module("saxe", "evidence")
    rng = np.random.default_rng(0)
    shape = (12, len(EPOCHS), 6)
    gradients = {
        name: rng.uniform(0.5, 2.0, shape) / (1 + EPOCHS)[:, None]
        for name in ("gradient_mean", "gradient_std")
    }
    alive = make_plane(np.full(shape, 3.0), n_seeds=12, **gradients)
    dead = alive.copy(deep=True)
    for name in gradients:
        dead[name][4] = 0.0
    rest = alive.isel(seed=[k for k in range(12) if k != 4])
    settings = {"named": ["ReLU"], "layers": [3, 4, 5]}
    for function in (evidence.snr_drop, evidence.drop_and_compression):
        found, wanted = function({"relu": dead}, settings), function({"relu": rest}, settings)
        assert [one.label for one in found] == [one.label for one in wanted]
        for one, other in zip(found, wanted, strict=True):
            np.testing.assert_equal((one.values, one.seeds), (other.values, other.seeds))
    with pytest.raises(ValueError, match="change point needs"):
        evidence.snr_drop({"relu": dead.isel(seed=[4])}, settings)


@pytest.fixture
def figures():
    return paper_module("saxe", "figures")


@pytest.mark.parametrize("n_rows", [60, 300])
def test_irrelevant_weights_come_from_start_signal_and_noise(figures, n_rows):
    """Gradient flow on drawn rows, by the matrix exponential, against the expectation."""
    rng, n, relevant = np.random.default_rng(0), 100, np.arange(100) < 30
    times, start, noise = np.array([5.0, 60.0, 500.0]), 0.3, 0.5
    expected = figures.expected_weights(times, n_rows, noise, start)
    found = np.zeros((60, 3, 3))
    for one, (t, tau) in product(range(60), enumerate(times)):
        x = rng.normal(size=(n_rows, n)) / np.sqrt(n)
        teacher = np.where(relevant, rng.normal(size=n), 0.0)
        teacher *= np.sqrt(n) / np.linalg.norm(teacher)
        errors = rng.normal(size=n_rows) * np.sqrt(noise)
        left = expm(-2 * tau * x.T @ x / n_rows)
        parts = (
            left @ rng.normal(size=n) * np.sqrt(start),
            teacher - left @ teacher,
            (np.eye(n) - left) @ np.linalg.pinv(x) @ errors,
        )
        found[one, t] = [(part[~relevant] ** 2).sum() / n for part in parts]
    for k, values in enumerate(expected.values()):
        error = found[..., k].std(axis=0) / np.sqrt(len(found))
        assert abs(found[..., k].mean(axis=0) - values) == pytest.approx(
            0, abs=(4 * error + 1e-6).max()
        )


def test_the_maps_show_the_cells_of_their_tests(figures):
    """Every number stands in the panel, row and column of its label; without verdicts none does."""
    scan = product(SCAN, ("0.01", "0.03"), ("100", "300", "1000"), ("0.1", "1", "3"))
    labels = [f"{' / '.join(one)} {place}" for one in scan for place in ("hidden", "output")]
    cells = [
        SimpleNamespace(label=label, effect=k / 1000, mark="agrees")
        for k, label in enumerate(labels)
    ]
    verdict = SimpleNamespace(tests=[SimpleNamespace(name="order", cells=cells)])
    by_label = {one.label: one for one in cells}
    axes = figures.scan_map(verdict, rate="0.03")
    for ax, (place, ratio) in zip(axes, product(("hidden", "output"), SCAN), strict=True):
        shown = iter(ax.texts)
        for rows, gain in product(("100", "300", "1000"), ("0.1", "1", "3")):
            one = by_label[f"{ratio} / 0.03 / {rows} / {gain} {place}"]
            assert next(shown).get_text() == str(round(100 * one.effect))
    assert not any(ax.texts for ax in figures.scan_map(claims.NoVerdict("SAXE-F6")))
    cells = [
        SimpleNamespace(label=f"batches of {batch}, {clock}, {place}", effect=(k - 12) / 30,
                        low=-0.5, high=0.5)
        for k, (clock, batch, place) in enumerate(
            product(("equal updates", "equal loss"), BATCHES, ("layer 4", "layer 5", "output"))
        )
    ]  # fmt: skip
    verdict = SimpleNamespace(tests=[SimpleNamespace(name="Adam", cells=cells)])
    axes = figures.noise_by_batch(verdict)
    heights = [[bar[0].get_ydata()[0] for bar in ax.containers] for ax in axes]
    of = {one.label: one.effect for one in cells}
    for clock, found in (("equal updates", heights[2]), ("equal loss", heights[5])):
        places = product(("layer 4", "layer 5", "output"), BATCHES)
        assert found == [of[f"batches of {batch}, {clock}, {place}"] for place, batch in places]
    assert heights[0] == heights[1] == []


def test_curves_of_irrelevant_inputs(figures):
    """All minus relevant is what is known of the irrelevant given the relevant."""
    plane = Known("relevant_300_2", ["all", "relevant", "irrelevant"], n_layers=2, ceiling=0)
    axes = figures.irrelevant_curves({"SNR 1": plane.plane})
    every, relevant, other = (plane.curve(2, ruler=r) for r in ("all", "relevant", "irrelevant"))
    middles = [np.median(one, axis=0) for one in (every, relevant, other, every - relevant)]
    for line, middle in zip(axes[1].get_lines(), middles, strict=True):
        np.testing.assert_allclose(line.get_ydata(), middle)


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
        planes = dict.fromkeys(spec.experiments, noisy) | {"adam_tanh_5": full}
        cells = spec.test(planes, evidence).cells
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
