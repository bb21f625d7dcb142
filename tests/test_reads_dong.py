"""What the functions of Dong & Hisham read: no two numbers are alike."""

import numpy as np
import pytest
from claim_planes import make_plane
from known_planes import Row, check, rank_correlation

from ibcore import claims
from ibcore.papers import paper_module

HIDDEN = (1, 2, 3)
NAMES = {"ReLU": "relu", "tanh": "tanh"}
ARM = {"n_layers": 4, "label_entropy": 1.5847, "last": 30_000}
H_Y, SAMPLES = 1.5847, 4096 * 0.85


def settings(k, *arms, **more):
    """Forty settings of one arm, or forty times one of each of several."""
    return [
        [k(f"{arm}_{n:02}", n_seeds=5, **{**ARM, **more}) for arm in arms] for n in range(1, 41)
    ]


def of_settings(many, number, t):
    """Median of the networks of each setting; none where a run of it did not learn."""
    found = []
    for several in many:
        best = min(np.median(one.top(variable="test_accuracy")) for one in several)
        found.append(np.median(number(*several)) if best > t["accuracy"] else np.nan)
    assert 0 < np.isnan(found).sum() < 40
    return np.array(found)


def open_layers(*planes):
    """Hidden layers that are not at their ceiling in all of them."""
    return [layer for layer in HIDDEN if not all(one.is_full(layer) for one in planes)]


def lost(variable, *, relative=False, until=30_000, since_learnt=False):
    """Largest fall of a hidden layer, as a function of a known plane."""

    def number(plane):
        keep, falls = plane.epochs <= until, []
        accuracy = plane.arrays["train_accuracy"][:, keep]
        learnt = (accuracy >= 0.9 * accuracy[:, -1:]).argmax(axis=1)
        for layer in open_layers(plane):
            values = plane.curve(layer, variable)[:, keep]
            start = values[np.arange(len(values)), learnt] if since_learnt else values.max(axis=1)
            falls.append((start - values[:, -1]) / (values.max(axis=1) if relative else 1))
        return (np.median if since_learnt else np.max)(falls, axis=0)

    return number


def falls(k, t, arm, variable, label, **how):
    values = of_settings(settings(k, arm), lost(variable, **how), t)
    signed = of_settings(settings(k, arm), lost(variable, since_learnt=True, **how), t)
    return Row(label, values, signed=signed)


def how_often(k, t, arm, variable, label, **how):
    values = of_settings(settings(k, arm), lost(variable, **how), t)
    flags = np.where(np.isnan(values), np.nan, values > t["line"])
    assert len(set(flags[~np.isnan(flags)])) == 2
    return Row(f"how often: {label}", flags)


def reads_grow(arm, until):
    def rows(k, t):
        yield falls(k, t, arm, "i_xt", "input: settings", relative=True, until=until)
        yield falls(k, t, arm, "i_ty", "label: settings", until=until)
        yield how_often(k, t, arm, "i_xt", "settings that lose", relative=True, until=until)

    return rows


def reads_penalty(name):
    def rows(k, t):
        arm = f"penalty_{name}"
        yield falls(k, t, arm, "i_ty", "label: settings")
        for test in ("some", "little"):
            yield falls(k, t, arm, "i_xt", f"{test}: C, settings")
        yield how_often(k, t, arm, "i_ty", "with L2")
        yield how_often(k, t, f"open_{name}", "i_ty", "without")

    return rows


def reads_f4r(k, t):
    def number(plane):
        x, y = (
            np.median([plane.fall(layer, name) for layer in open_layers(plane)], axis=0)
            for name in ("i_xt", "i_ty")
        )
        return y / H_Y - x / np.log2(SAMPLES)

    for shown, name in NAMES.items():
        yield Row(f"more: {shown}", of_settings(settings(k, f"penalty_{name}"), number, t))
        yield Row(f"one setting: {shown}, one setting", number(k(f"{name}_l2", **ARM)))


def reads_f23(k, t):
    def points(plane):
        return plane.curve()[:, :, :3].reshape(plane.n_seeds, -1)

    def alike(one, other):
        return rank_correlation(points(one).mean(axis=0), points(other).mean(axis=0))

    found = of_settings(settings(k, "open_relu", "open_tanh"), alike, t)
    yield Row("settings: settings", found)
    relu, tanh = k("relu", **ARM), k("tanh", **ARM)
    both = np.stack([points(relu), points(tanh)], axis=1)
    yield Row("one setting: one setting", both, effect=alike(relu, tanh))


def reads_c1(k, t):
    more = {"named": (100,), "variables": ["test_loss"]}

    def rise(plane):
        loss = plane.arrays["test_loss"]
        return loss[:, -1] / loss.min(axis=1)

    def later(plane):
        loss = plane.arrays["test_loss"]
        return loss[:, -1] / loss[:, list(plane.epochs).index(100)] - 1

    def short(plane):
        accuracy = plane.arrays["test_accuracy"]
        best = accuracy.mean(axis=0).argmax()
        return accuracy[:, list(plane.epochs).index(100)] - accuracy[:, best]

    for shown, name in NAMES.items():
        many, one = settings(k, f"open_{name}", **more), k(name, **ARM, **more)
        signed = of_settings(many, later, t)
        label = f"{shown}, one setting"
        yield Row(f"overfits: {shown}", of_settings(many, rise, t), signed=signed)
        yield Row(f"enough: {shown}", of_settings(many, short, t))
        yield Row(f"overfits, one setting: {label}", rise(one), signed=later(one))
        yield Row(f"enough, one setting: {label}", short(one))


def added(variable):
    """Mean fall of a run minus that of the other."""

    def number(one, other):
        layers = open_layers(one, other)
        a, b = (
            np.mean([plane.fall(layer, variable) for layer in layers], axis=0)
            for plane in (one, other)
        )
        return a - b

    return number


def reads_c2(k, t):
    for shown, name in NAMES.items():
        many = settings(k, f"penalty_{name}", f"open_{name}")
        yield Row(f"input: {shown}", of_settings(many, added("i_xt"), t))
        yield Row(f"label: {shown}", of_settings(many, added("i_ty"), t))


def reads_open(k, t):
    """0.1 and 0.05 stand in tables of their own, whose numbers stay as they are."""

    def share(label, values, line, *, below=False):
        hit = values < line if below else values > line
        return Row(f"holds: {label}", np.where(np.isnan(values), np.nan, hit))

    for shown, name in NAMES.items():
        plain, l2 = settings(k, f"open_{name}"), settings(k, f"penalty_{name}")
        values = of_settings(plain, lost("i_xt", relative=True), t)
        yield share(f"{shown}: nothing is lost", values, 0.1, below=True)
        values = of_settings(l2, lost("i_ty"), t)
        yield share(f"{shown} with L2: the label is lost", values, 0.05)
        both = settings(k, f"penalty_{name}", f"open_{name}")
        values = of_settings(both, added("i_xt"), t)
        yield share(f"{shown}: L2 adds compression", values, t["more"])


ACCURACY = {"accuracy": 0.87}
READS = {
    "DONG-F2": (reads_grow("open_relu", 30_000), {"line": 0.3}),
    "DONG-F3": (reads_grow("open_tanh", 22_500), {"line": 0.2}),
    "DONG-F23": (reads_f23, {}),
    "DONG-F4": (reads_penalty("relu"), {"line": 0.21}),
    "DONG-F5": (reads_penalty("tanh"), {"line": 0.21}),
    "DONG-F4r": (reads_f4r, {}),
    "DONG-C1": (reads_c1, {}),
    "DONG-C2": (reads_c2, {}),
    "DONG-OPEN": (reads_open, {}),
}


@pytest.mark.parametrize("claim_id", READS)
def test_each_cell_reads_its_own_numbers(claim_id):
    rows, changes = READS[claim_id]
    check(claim_id, rows, **(ACCURACY | changes))


def test_every_claim_with_functions_is_read():
    """Claims that hold or fail have tests of their own."""
    listed = {
        one.id
        for one in claims.load_registry("dong")
        if one.expects != "identity" and any("function" in test.entry for test in one.tests)
    }
    assert listed == set(READS)


EPOCHS = np.array([0, 1, 10, 100, 1000, 10_000, 22_500, 25_000])


@pytest.mark.parametrize("claim_id", ["DONG-EQ2", "DONG-EQ3"])
def test_mirrors(claim_id):
    """Both readings are mirror images; a fraction of a bit beside it is seen."""
    claim = claims.find_claim(claim_id)
    rulers = claim.tests[0].entry["with"]["rulers"]
    x = np.linspace(2, 8, len(EPOCHS))[:, None] + np.arange(4)
    y = np.linspace(0, 1.4, len(EPOCHS))[:, None] + 0.01 * np.arange(4)
    planes = {
        name: make_plane(
            np.stack([x, 2 * np.log2(1666) - x])[:, None].repeat(12, axis=1),
            np.stack([y, 2 * H_Y - y])[:, None],
            epochs=EPOCHS, rulers=rulers, label_entropy=H_Y,
        )
        for name in claim.experiments
    }  # fmt: skip
    assert claims.judge(claim, planes).verdict == "holds"
    variable = "i_xt" if claim_id == "DONG-EQ2" else "i_ty"
    one_value, one_layer, all_alike = (1, 0, 3, 1), (1, 0, slice(None), 1), (1,)
    for place, off in ((one_value, 0.01), (one_layer, 0.01), (all_alike, 0.05)):
        tanh = planes["tanh"].copy(deep=True)
        tanh[variable][place] += off
        assert claims.judge(claim, planes | {"tanh": tanh}).verdict == "fails"


def test_a_setting_whose_layers_are_all_at_the_ceiling_gives_no_number():
    """log2 N of the rows that the networks were trained on, not of all."""
    evidence = paper_module("dong", "evidence")
    t = {
        "accuracy": 0.6, "groups": {"settings": "open_relu"}, "layers": [1, 2, 3],
        "quantity": "i_xt", "relative": True, "line": 0.1,
        "pairs": {"settings": ["penalty_relu", "open_relu"]},
    }  # fmt: skip
    full = np.full((5, len(EPOCHS), 4), np.log2(4096 * 0.85))
    half = full.copy()
    half[:, :, 0] = np.linspace(8, 4, len(EPOCHS))  # one layer is free, and loses half
    planes = {
        f"{arm}_{n:02}": make_plane(values, 0.5, epochs=EPOCHS)
        for arm in ("open_relu", "penalty_relu")
        for n, values in enumerate((full, half), 1)
    }
    (cell,) = evidence.falls(planes, t)
    np.testing.assert_array_equal(cell.values, [np.nan, 0.5])
    (cell,) = evidence.how_often(planes, t)
    np.testing.assert_array_equal(cell.values, [np.nan, 1.0])
    (cell,) = evidence.adds(planes, t)
    np.testing.assert_array_equal(cell.values, [np.nan, 0.0])
    (cell,) = evidence.label_falls_more(planes, t)
    np.testing.assert_allclose(cell.values, [np.nan, -4 / np.log2(4096 * 0.85)])
