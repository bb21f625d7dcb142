"""What the functions of the paper of Goldfeld et al. read: no two numbers are alike."""

from dataclasses import replace

import numpy as np
import pytest
from claim_planes import LAYERS, make_plane
from known_planes import Row, check, rank_correlation

from ibcore import claims
from ibcore.claims.criteria import CheckSpec
from ibcore.estimators.propagation import smoothed_entropy
from ibcore.papers import paper_module

goldfeld = paper_module("goldfeld", "evidence")
CLAIMS = {one.id: one for one in claims.load_registry("goldfeld")}
SCATTER = ("scatter_within", "scatter_between")


def reads_f5(k, t):
    for label, name in t["planes"].items():
        plane = k(name, variables=SCATTER)
        within, between = (plane.curve(5, one) for one in SCATTER)
        together = [
            rank_correlation(ix[place:], other[place:])
            for ix, other, place in zip(
                plane.curve(5), within / between, plane.place(5), strict=True
            )
        ]
        yield Row(f"contracts: {label}", together, hollow=plane.is_full(5))


def reads_f5b(k, t):
    plane = k("noisy", variables=SCATTER)
    ix, scatter = (np.diff(plane.curve(5, name)[:, 1:]) for name in ("i_xt", SCATTER[0]))
    agree = (np.sign(ix) == np.sign(scatter)).mean(axis=1)
    yield Row("signs: layer 5", agree, hollow=plane.is_full(5))


def reads_c2(k, t):
    """Under the changed numbers some networks of most settings qualify."""
    own, found = k("noisy").end(variable="test_accuracy"), []
    for label, name in t["planes"].items():
        plane = k(name)
        still = np.all([plane.fall(layer) < t["compression"] for layer in range(1, 6)], axis=0)
        right = plane.end(variable="test_accuracy")
        for test, line in (("as good as the twin", own), ("good in itself", t["accuracy"])):
            found.append(still & (right >= line))
            yield Row(f"{test}: {label}", found[-1].astype(float))
    assert 20 < np.sum(found) < np.size(found) - 20


def reads_noise(k, t):
    names = ("noise_0001", "noisy", "noise_001", "noise_003", "noise_01", "noise_03", "noise_1")
    for layer in (3, 4, 5):
        top = [k(name).top(layer) for name in names]
        effect = max(np.diff([np.median(one) for one in top]))
        yield Row(f"falls: layer {layer}", np.stack(top, axis=1), effect=effect)


def reads_mn(k, t):
    plane = k("cnn", variables=["cosine_within", "cosine_between"])
    for label, layer in (("dense layer", 3), ("output", 4)):
        gap = plane.curve(layer, "cosine_within") - plane.curve(layer, "cosine_between")
        yield Row(f"cosines: {label}", [rank_correlation(plane.epochs, one) for one in gap])


READS = {
    "GOLD-F5": (reads_f5, {}),
    "GOLD-F5b": (reads_f5b, {}),
    "GOLD-C2": (reads_c2, {"compression": 3.0, "accuracy": 0.85}),
    "GOLD-NOISE": (reads_noise, {}),
    "GOLD-MN": (reads_mn, {}),
}
FACTS = {"GOLD-S1", "GOLD-F4"}


@pytest.mark.parametrize("claim_id", READS)
def test_each_cell_reads_its_own_numbers(claim_id):
    rows, changes = READS[claim_id]
    check(claim_id, rows, **changes)


def test_every_function_of_planes_is_read():
    read = {
        one.id
        for one in CLAIMS.values()
        for test in one.tests
        if "function" in test.entry and test.experiments
    }
    assert read == set(READS) | FACTS


# Planes made by hand

EPOCHS = np.unique([0, 1, *np.geomspace(2, 8000, 18).round().astype(int)])
STEPS = np.arange(len(EPOCHS))
N, PEAK = 12, 9


def noisy(drop=5.0, accuracy=0.97, noise=0.005, **variables):
    """I(X;T) of every hidden layer rises to 10 bits and falls; the output has no noise."""
    ix = 9 + np.clip(STEPS / PEAK, 0, 1) - drop * np.clip((STEPS - PEAK) / (STEPS[-1] - PEAK), 0, 1)
    ix = np.repeat(ix[:, None], LAYERS, axis=1)
    learning = np.interp(EPOCHS, [0, 10], [0.5, 1.0]) * accuracy
    given = {
        "scatter_within": ix, "scatter_between": np.ones_like(ix), "train_accuracy": learning,
        "test_accuracy": learning,
    } | variables  # fmt: skip
    ruler = f"SamplePropagation(noise_std={noise}, n_pairs=2)"
    plane = make_plane(ix, epochs=EPOCHS, n_seeds=N, rulers=(ruler,), **given)
    plane["i_xt"] = plane.i_xt.where(plane.layer < LAYERS)
    plane.attrs["experiment"] = f'{{"train_fraction": 0.8, "noise_std": {noise}}}'
    return plane


def word(claim_id, planes=None, **changes):
    """Word of a claim, with other numbers where they are given."""
    claim = CLAIMS[claim_id]
    tests = []
    for spec in claim.tests:
        own = spec.entry.get("with", {})
        own = own | {key: changes[key] for key in changes if key in own}
        tests.append(CheckSpec({**spec.entry, "with": own}, spec.where, spec.expects))
    return claims.judge(replace(claim, tests=tuple(tests)), planes or {}).verdict


def test_rows_that_stay_apart():
    """At the start, in each of the layers 1 to 3; nothing else is asked."""
    for layer, expected in (
        (None, "holds"), (1, "fails"), (2, "fails"), (3, "fails"), (4, "holds"),
    ):  # fmt: skip
        values = np.full((N, len(EPOCHS), LAYERS), 8.0)
        values[:, 0] = 12.0
        if layer:
            values[0, 0, layer - 1] = 11.5
        plane = make_plane(values, epochs=EPOCHS, rulers=("Exact()",))
        assert word("GOLD-S1", {"quiet": plane}) == expected


def test_noise_of_the_ruler():
    planes = {name: noisy() for name in CLAIMS["GOLD-F4"].experiments}
    assert word("GOLD-F4", planes) == "holds"
    planes["noise_1"].attrs["experiment"] = '{"train_fraction": 0.8, "noise_std": 1.0}'
    assert word("GOLD-F4", planes) == "fails"


def test_scatter_is_compared_from_the_peak_on():
    """Scatter that follows I(X;T) up to the peak and goes against it afterwards is against it."""
    plane = noisy()
    ix = plane.i_xt.isel(estimator=0).fillna(0.0)
    plane["scatter_within"] = ix.where(ix.epoch <= EPOCHS[PEAK], 2 * ix.max() - ix)
    settings = {"planes": {"one": "noisy"}, "layer": 5, "fewest": 4}
    (found,) = goldfeld.goes_with_the_scatter({"noisy": plane}, settings)
    assert (found.values < -0.99).all()  # the running median rounds the peak
    (found,) = goldfeld.goes_with_the_scatter({"noisy": plane}, settings | {"fewest": 100})
    assert found.hollow == "no network answered"


def test_one_network_shows_that_compression_is_not_needed():
    """Some network that loses little in every hidden layer and is no worse than its own twin."""
    planes = {name: noisy(5.0) for name in CLAIMS["GOLD-C2"].experiments}
    lines = np.full((N, len(EPOCHS)), 0.9)
    still = noisy(0.1, test_accuracy=lines)
    planes["parseval_1e2"] = still
    settings = dict(CLAIMS["GOLD-C2"].tests[0].entry["with"])

    def shares():
        cells = goldfeld.without_compression(planes, settings)
        return {cell.label: cell.values.sum() for cell in cells if cell.values.any()}

    assert shares() == {}
    still["test_accuracy"][3] = 0.98
    assert shares() == {"penalty 0.01": 1}
    for layer in range(1, LAYERS):
        one = still.copy(deep=True)
        one["i_xt"][..., layer - 1] = planes["noisy"].i_xt.values[..., layer - 1]
        planes["parseval_1e2"] = one
        assert shares() == {}


# Without networks


@pytest.mark.parametrize("claim_id", ["GOLD-C3", "GEST-T2", "GEST-T4", "GEST-T5", "GEST-F7"])
def test_theorems_hold(claim_id):
    assert word(claim_id, lengths=(8,)) == "holds"


@pytest.mark.parametrize(
    ("claim_id", "name", "wrong"),
    [
        ("GOLD-C3", "_enough", lambda n_modes, bias: 100),
        ("GEST-T2", "risk_bound", lambda *a: 1e-6),
        ("GEST-T4", "levels_apart", lambda *a: 4),
        ("GEST-T5", "_plain", lambda points, noise_std, n, rng: 50.0),
        ("GEST-T5", "_plain", lambda points, noise_std, n, rng: 1.0 / n**2),
        ("GEST-F7", "theory", type("T", (), {"mixture_information": staticmethod(lambda s: 0.5)})),
    ],
)
def test_wrong_theorems_are_seen(monkeypatch, claim_id, name, wrong):
    monkeypatch.setattr(goldfeld, name, wrong)
    goldfeld._mean_squares.cache_clear()
    assert word(claim_id, lengths=(8,)) == "fails"
    goldfeld._mean_squares.cache_clear()


@pytest.mark.parametrize(
    ("power", "expected"), [(-0.5, "reproduced"), (-0.4, "open"), (-0.25, "opposite")]
)
def test_a_rate_can_go_either_way(monkeypatch, power, expected):
    rng = np.random.default_rng(0)
    monkeypatch.setattr(
        goldfeld, "_errors", lambda d, noise_std, n, repeats: rng.normal(size=repeats) * n**power
    )
    assert word("GOLD-R1") == expected


def test_a_rate_is_the_slope_of_the_logs():
    sample = np.array([[[6.0, 1.0, 2.0], [10.0, 7.0, 2.0]]])  # means 8, 4, 2
    np.testing.assert_allclose(goldfeld._slopes(np.log([16, 64, 256]), sample), -0.5)


@pytest.mark.parametrize("d", [1, 3])
def test_gaussians_that_are_counted_are_gaussians_that_are_repeated(d):
    """The sum over samples is the sum over corners, each as often as it occurs."""
    samples = np.random.default_rng(d).choice([-1.0, 1.0], (200, d))
    found = goldfeld._entropy_of_corners(samples, 0.7, 5)
    assert found == pytest.approx(smoothed_entropy(samples, 0.7, seed=5), abs=1e-12)
