"""What the functions of the controls read: no two numbers are alike."""

import json
from dataclasses import replace

import numpy as np
import pytest
from claim_planes import make_plane
from known_planes import Row, check
from plots_support import own_figures

from ibcore import claims
from ibcore.claims.criteria import CheckSpec
from ibcore.claims.judge import checks_of
from ibcore.papers import paper_module
from ibcore.study import Study

__all__ = ["own_figures"]  # a fixture for every test here

controls = paper_module("controls", "evidence")
figures = paper_module("controls", "figures")
CLAIMS = {one.id: one for one in claims.load_registry("controls")}
STUDY = Study("controls")
WIDTHS = (2, 3, 4, 6, 8, 12, 16, 32)
BINS = "Binning(n_bins=30, low=-1.0, high=1.0)"


def rulers_of(name):
    return tuple(map(repr, STUDY.estimators(name)))


def named(claim_id, test):
    """What a test says ``with``."""
    (spec,) = (one for one in CLAIMS[claim_id].tests if one.entry["name"] == test)
    return spec.entry["with"]


# Functions of planes, read from planes in which no two numbers are alike.


def reads_growth(act, trained, grown):
    def reads(k, t):
        one, other = k(trained, rulers=rulers_of(grown)), k(grown, rulers=rulers_of(grown))
        for said, ruler in t["rulers"].items():
            for layer in (4, 5):
                full = one.is_full(layer, ruler) and other.is_full(layer, ruler)
                falls = [plane.fall(layer, ruler=ruler) for plane in (one, other)]
                where = f"{act}, {said}, layer {layer}"
                yield Row(f"trained minus grown: {where}", falls[0] - falls[1], hollow=full)
                yield Row(f"grown: {where}", falls[1], hollow=full)

    return reads


def reads_order(k, t):
    for act, name in (("tanh", "tanh"), ("ReLU", "relu")):
        plane, test = k(name), "beyond its order" if act == "tanh" else "ReLU"
        for layer in (4, 5):
            curve, full = plane.curve(layer), plane.is_full(layer)
            drop = curve.mean(axis=1) - curve[:, -1]
            yield Row(f"{test}: {act}, layer {layer}", drop, hollow=full)
            picked = plane.fall(layer) - fresh(curve, curve)
            yield Row(f"picking the largest: {act}, layer {layer}", picked, hollow=full)


def fresh(found_in, read_in):
    """Value beside the largest of every other checkpoint minus the last one."""
    last = found_in.shape[1] - 1
    places = [2 * int(np.argmax(one[::2])) for one in found_in]
    beside = [place + 1 if place < last else place - 1 for place in places]
    return np.array([row[p] for row, p in zip(read_in, beside, strict=True)]) - read_in[:, -1]


def held(plane, other, *where, **which):
    """Value where the loss first comes down to what both runs reach, between checkpoints."""
    losses, found = plane.curve(variable="loss"), []
    level = np.maximum(losses.min(axis=1), other.curve(variable="loss").min(axis=1))
    for loss, line, values in zip(losses, level, plane.curve(*where, **which), strict=True):
        after = next(i for i, one in enumerate(loss) if one <= line)
        part = (loss[after - 1] - line) / (loss[after - 1] - loss[after])
        found.append(values[after - 1] + part * (values[after] - values[after - 1]))
    return np.array(found)


def reads_intervention(claim_id):
    def reads(k, t):
        for test in ("less against more", "information apart"):
            for label, names in named(claim_id, test)["pairs"].items():
                less, more = (
                    k(names[side], rulers=rulers_of(names[side]), variables=("loss",), ceiling=0)
                    for side in ("less", "more")
                )
                apart = np.mean(
                    [
                        held(more, less, layer, ruler=names.get("ruler_more"))
                        - held(less, more, layer, ruler=names.get("ruler_less"))
                        for layer in (3, 4, 5)
                    ],
                    axis=0,
                )
                if test == "information apart":
                    yield Row(f"{test}: {label}", apart)
                    continue
                right = [
                    held(one, other, variable="test_accuracy")
                    for one, other in ((less, more), (more, less))
                ]
                few = np.median(apart) < t["least"]
                yield Row(f"{test}: {label}", right[0] - right[1], hollow=few)

    return reads


def reads_ceilings(act):
    def reads(k, t):
        for i, width in enumerate(WIDTHS, 1):
            plane = k(f"width_{act}_{i}", rulers=rulers_of(f"width_{act}_1"))
            for said, ruler in t["rulers"].items():
                falls = np.stack([plane.fall(layer, ruler=ruler) for layer in range(1, 6)])
                full = np.array([plane.is_full(layer, ruler) for layer in range(1, 6)])
                with np.errstate(invalid="ignore"):
                    still = (falls < t["still"]).astype(float)
                    share = (full[:, None] * still).sum(axis=0) / still.sum(axis=0)
                where = f"{width} units, {said}"
                room = (falls[~full] >= t["least"]).mean(axis=0)
                yield Row(f"with room: {where}", room, effect=room.mean())
                yield Row(f"still layers: {where}", share)

    return reads


def reads_curve(k, t):
    for label, name in t["planes"].items():
        for said, layer in (("hidden", 1), ("output", 2)):
            plane = k(name, n_layers=2, ceiling=0)
            iy = plane.end(layer, variable="i_ty")
            rho2 = 1 - 1 / (1 + t["snr"])
            least = -0.5 * np.log2((rho2 - 1 + 4.0**-iy) / rho2)
            yield Row(f"above the curve: {label}, {said}", plane.end(layer) - least)


def reads_synergy(of):
    def reads(k, t):
        tests = (("ReLU", "relu", "falls" if of == "synergy" else "forgets"), ("tanh",) * 3)
        for act, name, test in tests:
            plane = k(name, rulers=(BINS,), variables=("synergy_inputs",))
            for layer in range(1, 6):
                synergy = plane.curve(layer, "synergy_inputs")
                found = fresh(synergy, synergy)
                if of == "information":
                    lost = fresh(synergy, plane.curve(layer))
                    found = np.where(found >= t["least"], lost, np.nan)
                yield Row(f"{test}: {act}, layer {layer}", found)

    return reads


READS = {
    "CTL-10b": (reads_growth("tanh", "tanh", "growth_tanh"), {}),
    "CTL-10c": (reads_growth("ReLU", "relu", "growth_relu"), {}),
    "CTL-10d": (reads_order, {}),
    "CTL-11a": (reads_intervention("CTL-11a"), {"least": -20.0}),
    "CTL-11b": (reads_intervention("CTL-11b"), {"least": 0.0}),
    "CTL-13a": (reads_ceilings("tanh"), {"least": 1.0, "still": 4.5}),
    "CTL-13b": (reads_ceilings("relu"), {"least": 1.0, "still": 4.5}),
    "CTL-16b": (reads_curve, {}),
    "CTL-17a": (reads_synergy("synergy"), {}),
    "CTL-17b": (reads_synergy("information"), {"least": 0.4}),
}
BY_HAND = {"CTL-9b", "CTL-10a", "CTL-12", "CTL-14b"}


@pytest.mark.parametrize("claim_id", READS)
def test_each_cell_reads_its_own_numbers(claim_id):
    rows, changes = READS[claim_id]
    check(claim_id, rows, **changes)


def test_every_function_is_read():
    read = {one.id for one in CLAIMS.values() for test in one.tests if "function" in test.entry}
    assert read == set(READS) | BY_HAND


def test_what_differs_by_little_was_not_held_up():
    """The same information in both: the cell is hollow and says why."""
    plane = descending(np.full((12, 9, 6), 8.0))
    pairs = {"same": {"less": "a", "more": "b"}}
    settings = {"pairs": pairs, "layers": [3], "least": 1.0, "of": "accuracy"}
    (found,) = controls.less_against_more({"a": plane, "b": plane}, settings)
    assert found.hollow == "information differs by less than 1 bit"


# Planes made by hand

EPOCHS = np.array([0, 1, 3, 10, 30, 100, 300, 1000, 3000])
STEPS = np.arange(len(EPOCHS))


def descending(ix, last=0.1, **variables):
    """A plane whose loss comes down, straight in the checkpoints, to ``last`` nats."""
    loss = np.broadcast_to(1 - (1 - last) * STEPS / STEPS[-1], ix.shape[:2])
    return make_plane(ix, epochs=EPOCHS, loss=loss, test_loss=loss, **variables)


def parts_of(lost, peak=4):
    """Four parts of 2 bits each at two checkpoints, and then a fall by ``lost`` (part,) in each."""
    fall = np.clip((STEPS - peak - 1) / (STEPS[-1] - peak - 1), 0, 1)
    rise = np.clip(STEPS / peak, 0, 1)
    curves = [np.repeat((2 * rise - one * fall)[:, None], 6, axis=1) for one in lost]
    names = ("known_label", "known_signature", "known_orbit", "known_within")
    variables = {name: np.stack([one] * 12) for name, one in zip(names, curves, strict=True)}
    return np.stack([sum(curves)] * 12), variables


def share_of_the_loss(one, other):
    settings = {"pairs": {"tanh": ["a", "b"]}, "layers": [5], "least": 0.5}
    (found,) = controls.share_of_the_loss({"a": one, "b": other}, settings)
    return found


def test_shares_of_the_loss_are_those_of_what_is_lost():
    """1.2 of 1.6 bits within orbits, against 0.5 of 2: 0.75 - 0.25."""
    ix, parts = parts_of([0.0, 0.2, 0.2, 1.2])
    even, others = parts_of([0.5, 0.5, 0.5, 0.5])
    found = share_of_the_loss(descending(ix, **parts), descending(even, **others))
    np.testing.assert_allclose(found.values, 0.5)


def test_shares_are_taken_at_equal_loss():
    """The run that goes further is cut where its loss is that of the other; the share after it
    does not count.
    """
    ix, parts = parts_of([0.0, 0.0, 0.0, 2.0])
    even, others = parts_of([0.5, 0.5, 0.5, 0.5])
    late = parts["known_signature"].copy()
    late[:, -1] -= 5.0  # at the last checkpoint alone
    further = descending(ix, last=0.0, **parts | {"known_signature": late})
    found = share_of_the_loss(further, descending(even, last=0.2, **others))
    np.testing.assert_allclose(found.values, 0.75)


def test_who_loses_little_has_no_share():
    ix, parts = parts_of([0.0, 0.1, 0.1, 0.2])
    assert share_of_the_loss(descending(ix, **parts), descending(ix, **parts)).hollow


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([0.5, 0.5, 0.5, 0.5], "reproduced"),
        ([0.0, 0.2, 0.2, 1.2], "none found"),
        ([0.0, 0.0, 0.0, 2.0], "opposite"),
    ],
)
def test_what_is_forgotten_can_go_either_way(others, expected):
    """The true labels' layers lose three quarters within orbits, those of the others as given."""
    planes = {}
    for name in CLAIMS["CTL-9b"].experiments:
        ix, parts = parts_of([0.0, 0.2, 0.2, 1.2] if name.endswith("_1") else others)
        planes[name] = descending(ix, **parts)
    verdict = claims.judge(replace(CLAIMS["CTL-9b"], waits=""), planes)
    assert verdict.verdict == expected
    assert verdict.finding


def test_a_change_under_one_ruler_is_no_standstill():
    names = rulers_of("frozen_tanh")

    def word(move):
        planes = {}
        for name in ("frozen_tanh", "frozen_relu"):
            ix = np.full((len(names), 10, len(EPOCHS), 6), 7.0)
            ix[3, 4, 5, 2] += move
            planes[name] = make_plane(ix, epochs=EPOCHS, rulers=names)
        return claims.judge(replace(CLAIMS["CTL-10a"], waits=""), planes).verdict

    assert word(0.0) == "holds"
    assert word(1e-3) == "fails"


# Predictors


def setting(rng, of_information, of_norm, n=40):
    """Networks whose gap follows what they know, their norms and chance, besides a level."""
    known, norm = rng.normal(size=(n, 6)), rng.normal(size=(n, 6))
    gap = 0.3 + of_information * known[:, 4] + of_norm * norm[:, 3] + rng.normal(size=n)

    def last(values, first=0.0):
        """(seed, epoch, ...) that comes to its value at the end."""
        times = np.linspace(0, 1, len(EPOCHS)).reshape(-1, *[1] * (values.ndim - 1))
        return first + (values[:, None] - first) * times[None]

    numbers = {
        "weight_norm": 2.0**norm, "saturation": rng.random((n, 6)),
        "scatter_within": 1 + rng.random((n, 6)), "scatter_between": 1 + rng.random((n, 6)),
        "participation_ratio": rng.random((n, 6)), "neighbour_log_distance": rng.random((n, 6)),
    }  # fmt: skip
    flat = {"train_accuracy": 0.95 + 0 * gap, "test_accuracy": 0.95 - gap, "loss": 0.1 + 0 * gap}
    flat["test_loss"] = 0.2 * 2.0**gap
    variables = {name: last(one, 0.5) for name, one in (numbers | flat).items()}
    return make_plane(last(10 + known), epochs=EPOCHS, **variables)


def asked(base, more, **changes):
    given = {name: {"curves": name, "end": name} for name in "abc"}
    fixed = {"layers": [4, 5], "folds": 5, "floor": 0.0, "gaps": {"accuracy_gap": "accuracy"}}
    return fixed | {"settings": given, "base": base, "more": more} | changes


GEOMETRY = ["weights", "saturation", "scatter", "directions", "lengths"]


@pytest.mark.parametrize(("of_information", "added"), [(0.0, 0.0), (2.0, 0.8)])
def test_what_information_adds_is_what_it_was_given(of_information, added):
    """Of unit variance from chance and four from information four fifths are added; on networks
    that were not fitted, what says nothing adds nothing.
    """
    rng = np.random.default_rng(1)
    planes = {name: setting(rng, of_information, 0.0) for name in "abc"}
    (found,) = controls.added_to_a_prediction(planes, asked(GEOMETRY, ["information"]))
    assert found.estimate("x").effect == pytest.approx(added, abs=0.1)
    (found,) = controls.added_to_a_prediction(planes, asked([], ["information"]))
    assert found.estimate("x").effect == pytest.approx(added, abs=0.1)


def test_a_prediction_is_that_of_plain_least_squares():
    """Seed by seed, with loops: fitted to the other folds of all settings, means taken out."""
    rng = np.random.default_rng(2)
    planes = {name: setting(rng, 1.0, 1.0) for name in "abc"}
    gaps = {"accuracy_gap": "accuracy", "loss_gap": "loss"}
    found = controls.added_to_a_prediction(planes, asked(["weights"], ["information"], gaps=gaps))
    for cell, gap in zip(found, ("accuracy", "loss"), strict=True):
        x, y = {"base": [], "more": []}, []
        for plane in planes.values():
            end = plane.isel(epoch=-1)
            value = end.train_accuracy - end.test_accuracy
            y.append(np.log2(end.test_loss / end.loss).values if gap == "loss" else value.values)
            norm = np.log2(end.weight_norm.values[:, 3:5])
            ix = plane.i_xt.values[0][:, :, 3:5]
            known = [ix[:, -1], ix.max(axis=1) - ix[:, -1]]
            x["base"].append(norm)
            x["more"].append(np.concatenate([norm, *known], axis=1))
        y = np.array([one - one.mean() for one in y])
        errors = {}
        for key, many in x.items():
            many = np.array([one - one.mean(axis=0) for one in many])
            errors[key] = np.empty_like(y)
            for seed in range(y.shape[1]):
                fit = np.arange(y.shape[1]) % 5 != seed % 5
                a, b = many[:, fit].reshape(-1, many.shape[-1]), y[:, fit].ravel()
                weights = np.linalg.lstsq(a, b)[0]
                errors[key][:, seed] = (y[:, seed] - many[:, seed] @ weights) ** 2
        variance = (y**2).mean(axis=1, keepdims=True)
        added = ((errors["base"] - errors["more"]) / variance).mean(axis=0)
        np.testing.assert_allclose(cell.values, added, atol=1e-9)


# Activations


def factorial(gain, two, span, slope, level=3.0):
    """Planes of all settings of CTL-14b in which C of layer 5 follows the properties exactly."""
    kinds = dict(tanh=(2, 0), softsign=(2, 0), hard_tanh=(2, 0), sigmoid=(2, -2), elu=(1, 0))
    planes = {}
    for name in CLAIMS["CTL-14b"].experiments:
        told = STUDY.experiments[name]
        bounds, steep = (kinds | {"relu": (1, -1)})[told.activation]
        c = level + gain * np.log2(told.init_gain) + slope * steep
        if bounds == 2:
            c += two + span * np.log2(told.output_range)
        ix = np.full((11, len(EPOCHS), 6), 11.0)
        ix[:, -3:, 4] -= c
        plane = make_plane(ix, epochs=EPOCHS, rulers=rulers_of(name))
        plane.attrs["experiment"] = told.to_json()
        planes[name] = plane
    return planes


def test_coefficients_are_those_of_the_settings():
    planes = factorial(gain=0.4, two=1.5, span=-0.7, slope=0.2)
    claim = CLAIMS["CTL-14b"]
    for test in checks_of(claim, planes):
        found = {one.label: one.estimate("x").effect for one in test.cells}
        told = {"gain doubled": 0.4, "a second bound": 1.5, "range doubled": -0.7}
        told["slope at 0 doubled"] = 0.2
        for label, effect in found.items():
            assert effect == pytest.approx(told[label], abs=1e-9)


def test_void_settings_are_left_out():
    planes = factorial(gain=0.4, two=1.5, span=-0.7, slope=0.2)
    void = planes["factor_tanh_3"]
    void["i_xt"][..., -1, 4] = 0.0
    void["train_accuracy"][:] = 0.5
    void["train_accuracy"][0] = 1.0
    (test, *_) = checks_of(CLAIMS["CTL-14b"], planes)
    assert test.cells[0].estimate("x").effect == pytest.approx(-0.7, abs=1e-9)


def test_only_networks_with_two_bounds_have_a_range():
    relu = make_plane(np.zeros((3, 4, 6)), epochs=EPOCHS[:4])
    settings = named("CTL-14b", "range")
    for activation, expected in (("tanh", [1, 1, 1, 2, 0]), ("relu", [1, 1, 0, 0, -1])):
        told = {"activation": activation, "output_range": 4.0, "init_gain": 2.0}
        relu.attrs["experiment"] = json.dumps(told)
        np.testing.assert_allclose(controls._properties(relu, settings), expected)


# Figures


@pytest.fixture
def judged():
    """CTL-9b on planes whose layers lose other parts with other labels."""
    planes = {}
    for name in CLAIMS["CTL-9b"].experiments:
        ix, parts = parts_of([0.0, 0.2, 0.2, 1.2] if name.endswith("_1") else [0.5] * 4)
        planes[name] = descending(ix, **parts)
    return claims.judge(replace(CLAIMS["CTL-9b"], waits=""), planes)


def test_cells_are_drawn_where_they_are(judged):
    ax = figures.cells(judged, xlabel="share")
    points = [line.get_xdata()[0] for line in ax.lines if line.get_linestyle() == "None"]
    np.testing.assert_allclose(points, [0.5, 0.5], atol=1e-9)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["tanh, layer 4", "tanh, layer 5"]


def test_without_a_verdict_the_axes_say_so():
    nothing = claims.NoVerdict("CTL-11a")
    for ax in (figures.cells(nothing, xlabel="bits"), figures.interventions([nothing])):
        assert [text.get_text() for text in ax.texts] == ["smoke profile: no verdict"]


def test_lost_parts_add_up_to_what_is_lost():
    ix, parts = parts_of([0.1, 0.2, 0.3, 1.0])
    ax = figures.lost_parts({"a": descending(ix, **parts)}, 5)
    widths = [patch.get_width() for patch in ax.patches]
    np.testing.assert_allclose(widths, [0.1, 0.2, 0.3, 1.0], atol=1e-9)


def test_the_closing_table_has_word_effect_and_sentence(judged):
    rows = figures.summary([judged, claims.NoVerdict("CTL-12")])
    assert list(rows) == ["CTL-9b", "CTL-12"]
    assert rows["CTL-9b"]["word"] == judged.shown
    assert rows["CTL-9b"]["effect"] == "0.5 [0.5, 0.5] share of the loss"
    assert rows["CTL-9b"]["found"] == judged.finding
    assert rows["CTL-12"]["effect"] == ""


# Sentences


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_each_word_that_can_come_out_has_its_sentence(claim_id):
    claim = CLAIMS[claim_id]
    words = {
        "identity": {"holds", "fails"},
        "absence": {"reproduced", "mixed", "open", "opposite"},
        "effect": {"reproduced", "direction only", "mixed", "open", "none found", "opposite"},
    }[claim.expects]
    if claim.setting == "C":
        words = {"seen", "mixed", "open", "not seen on a stand-in"}
    if claim.expects != "identity":
        words = words | {"not testable here"}
    assert set(claim.findings) == words
    assert all(isinstance(test, CheckSpec) for test in claim.tests)
