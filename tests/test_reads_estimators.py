"""What the functions about rulers read, and that theorems fail where they are broken."""

from dataclasses import replace

import numpy as np
import pytest
from claim_planes import EPOCHS, LAYERS, N, curve, make_plane, with_rulers
from known_planes import Row, check

from ibcore import claims
from ibcore.claims import effects
from ibcore.papers import paper_module

estimators = paper_module("estimators", "evidence")
CEILINGS = {"tanh": 2, "relu": 3}  # of the decoy; one layer further of the ruler
NAMES = {"tanh": "tanh", "ReLU": "relu"}
QUANTISED = [f"Quantised(n_bits={bits})" for bits in (8, 4, 1)]


def where(shown, layer):
    return f"{shown}, output" if layer == LAYERS else f"{shown}, layer {layer}"


def reads_fits(k, t):
    for shown, name in NAMES.items():
        plane, ruler = k(name, ["Decoy()", t["ruler"]], ceiling=CEILINGS[name]), t["ruler"]
        for layer in range(1, LAYERS + 1):
            values = plane.curve(layer, ruler=ruler)
            beside = 2 * values[:, ::2].argmax(axis=1) + 1  # the peak of every other checkpoint
            beside = np.minimum(beside, values.shape[1] - 1)
            gain = values[np.arange(len(values)), beside] - values[:, 0]
            rise, full = plane.rise(layer, ruler=ruler), plane.is_full(layer, ruler)
            yield Row(f"fits: {where(shown, layer)}", rise, signed=gain, hollow=full)


def reads_flips(k, t):
    turned = 0
    for shown, name in NAMES.items():
        plane = k(name, ["Decoy()", *t["rulers"]])
        for layer in range(1, LAYERS + 1):
            values = np.stack([plane.fall(layer, ruler=ruler) for ruler in t["rulers"]], axis=1)
            c = np.median(values, axis=0)
            gap = min(c.max() - t["line"], t["line"] - c.min())
            turned += gap > 0
            yield Row(f"flips: {where(shown, layer)}", values, effect=gap)
    assert 1 < turned < 12


READS = {"LOR-1": (reads_fits, {}), "LOR-3": (reads_flips, {}), "LOR-4": (reads_fits, {})}


@pytest.mark.parametrize("claim_id", READS)
def test_each_cell_reads_its_own_numbers(claim_id):
    rows, changes = READS[claim_id]
    check(claim_id, rows, **changes)


def test_every_claim_with_functions_is_read():
    """Claims that hold or fail have tests of their own."""
    listed = {
        one.id
        for one in claims.load_registry("estimators")
        if one.expects != "identity" and any("function" in test.entry for test in one.tests)
    }
    assert listed == set(READS)


def test_a_layer_that_begins_at_its_ceiling_has_nothing_to_fit():
    """Also if it falls later; one that only gets there has fitted."""
    ruler = QUANTISED[0]
    start = np.array([12.0, 5.0, 5.0, 5.0, 5.0, 5.0])
    plane = make_plane(curve(start, 12.0, 8.0), rulers=[ruler])
    t = {"ruler": ruler, "names": {"tanh": "tanh"}}
    cells = estimators.fits({"tanh": plane}, t)
    assert [cell.hollow for cell in cells] == ["begins at its ceiling", *[""] * 5]


def test_a_verdict_that_turns_needs_a_ruler_on_each_side():
    """1 and 0.2 bit lie on both sides of 0.5, by 0.3; 1 and 2 do not; full layers are silent."""
    down = {ruler: curve(5.0, 8.0, 8.0 - loss) for ruler, loss in (("a", 1.0), ("b", 0.2))}
    full = np.full((N, len(EPOCHS), LAYERS), 12.0)
    t = {"rulers": ["a", "b"], "line": 0.5, "names": {"tanh": "tanh"}}
    for rulers, gap in ((down, 0.3), (down | {"b": curve(5.0, 8.0, 6.0)}, -0.5)):
        found = estimators.flips({"tanh": with_rulers(rulers)}, t)
        # Smoothing cuts the peak a little.
        assert found[0].estimate("x").effect == pytest.approx(gap, abs=0.05)
    silent = estimators.flips({"tanh": with_rulers({"a": full, "b": full})}, t)
    assert {cell.hollow for cell in silent} == {"at its ceiling"}


@pytest.mark.parametrize("claim_id", ["KT-1", "KT-2", "KTV-1"])
def test_theorems_hold(claim_id):
    assert claims.judge(few(claim_id)).verdict == "holds"


def few(claim_id):
    """A claim asked of a hundredth of its mixtures."""
    claim = claims.find_claim(claim_id)
    (spec,) = claim.tests
    own = spec.entry["with"]
    if "mixtures" not in own:
        return claim
    entry = {**spec.entry, "with": {**own, "mixtures": max(20, own["mixtures"] // 100)}}
    return replace(claim, tests=(replace(spec, entry=entry),))


def test_theorems_fail_where_they_are_broken(monkeypatch):
    """A bound that is too low, a worse alpha, a curve that does not jump."""
    true = estimators.theory.pairwise_bound
    estimators._violations.cache_clear()
    monkeypatch.setattr(
        estimators.theory,
        "pairwise_bound",
        lambda c, a=None: true(c, a) * (0.5 if a is None else 1),
    )
    assert claims.judge(few("KT-1")).verdict == "fails"
    estimators._violations.cache_clear()
    monkeypatch.setattr(estimators.theory, "pairwise_bound", lambda c, a=None: true(c) * (a or 1))
    assert claims.judge(few("KT-2")).verdict == "fails"
    curves = estimators.theory.ib_curve
    monkeypatch.setattr(estimators.theory, "ib_curve", lambda p, b: curves(p, np.add(b, 0.2)))
    assert claims.judge("KTV-1").verdict == "fails"


def test_inequality_of_quantised_layers():
    """LOR-5 holds for falling layers and fails for one rise in one network."""
    down = np.broadcast_to(np.linspace(12, 2, LAYERS), (N, len(EPOCHS), LAYERS)).copy()
    plane = with_rulers(dict.fromkeys(QUANTISED, down), i_ty=0.5)
    planes = {"tanh": plane, "relu": plane}
    assert claims.judge("LOR-5", planes).verdict == "holds"
    for variable in ("i_xt", "i_ty"):
        for ruler in range(len(QUANTISED)):
            relu = plane.copy(deep=True)
            relu[variable][ruler, 3, 7, 4] = relu[variable][ruler, 3, 7, 3] + 0.001
            assert claims.judge("LOR-5", planes | {"relu": relu}).verdict == "fails"


def test_exhibits():
    """GEI-2 needs both: a rise from layer to layer, and an accurate network that never fits, each
    under one ruler at least.
    """
    down, up = np.linspace(11, 6, LAYERS), np.linspace(6, 11, LAYERS)
    still = [np.broadcast_to(v, (N, len(EPOCHS), LAYERS)) for v in (down, up)]
    fitting = curve(5.0, 8.0, 8.0)

    def word(a, b, **more):
        plane = with_rulers({"a": a, "b": b}, **more)
        return claims.judge("GEI-2", {"tanh": plane, "relu": plane}).verdict

    assert word(*still) == "holds"
    assert word(fitting, still[1]) == "holds"
    assert word(still[0], still[0]) == "fails"
    assert word(fitting, fitting) == "fails"
    assert word(*still, test_accuracy=np.full(len(EPOCHS), 0.5)) == "fails"


def test_rulers_named_by_the_criterion_cannot_be_replaced():
    plane = with_rulers({QUANTISED[0]: curve(5.0, 8.0, 7.0)})
    with pytest.raises(ValueError, match="compares rulers that its criterion names"):
        claims.judge("LOR-1", {"tanh": plane, "relu": plane}, estimator=QUANTISED[0])


def test_compression_by_ruler_is_compression_under_each():
    plane = with_rulers({"a": curve(5.0, 8.0, 7.0), "b": curve(5.0, 8.0, 5.0)})
    found = effects.by_ruler(plane)
    assert found.dims == ("estimator", "seed", "layer")
    assert found.estimator.values.tolist() == ["a", "b"]
    for ruler in ("a", "b"):
        alone = effects.compression(plane, estimator=ruler)
        np.testing.assert_array_equal(found.sel(estimator=ruler), alone)
    assert float(found[1].median()) > float(found[0].median())
