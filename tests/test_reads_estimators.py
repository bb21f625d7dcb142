"""What the functions about rulers read, and that theorems fail where they are broken."""

from dataclasses import replace

import numpy as np
import pytest
from claim_planes import EPOCHS, LAYERS, N, curve, make_plane, with_rulers
from known_planes import Row, check, rank_correlation

from ibcore import claims
from ibcore.claims import effects, intervals
from ibcore.papers import paper_module

estimators = paper_module("estimators", "evidence")
NAMES = {"tanh": "tanh", "ReLU": "relu"}
LENGTHS = ("neighbour_log_distance", "close_pairs", "log_det_within", "scatter_within")
QUANTISED = [f"Quantised(n_bits={bits})" for bits in (8, 4, 1)]


def where(shown, layer):
    return f"{shown}, output" if layer == LAYERS else f"{shown}, layer {layer}"


def reads_fits(k, t):
    """Hidden layers under the one ruler, the output under its own; a layer of each is full."""
    for place, (shown, name) in enumerate(t["names"].items(), start=2):
        plane = k(name, ["Decoy()", t["ruler"], t["output"]], ceiling=place)
        for layer in range(1, LAYERS + 1):
            ruler = t["output"] if layer == LAYERS else t["ruler"]
            values = plane.curve(layer, ruler=ruler)
            beside = 2 * values[:, ::2].argmax(axis=1) + 1  # the peak of every other checkpoint
            beside = np.minimum(beside, values.shape[1] - 1)
            gain = values[np.arange(len(values)), beside] - values[:, 0]
            rise, full = plane.rise(layer, ruler=ruler), plane.is_full(layer, ruler)
            yield Row(f"fits: {where(shown, layer)}", rise, signed=gain, hollow=full)


def reads_follows(k, t):
    """Four lengths, two activations; a layer at its ceiling is left out of the median."""
    names = {
        "neighbours": ("neighbour_log_distance", 1),
        "close pairs": ("close_pairs", -1),
        "log det": ("log_det_within", 1),
        "trace": ("scatter_within", 1),
    }
    for test, (variable, sign) in names.items():
        for place, (shown, name) in enumerate(NAMES.items(), start=2):
            plane = k(name, ["Decoy()", t["ruler"]], LENGTHS, ceiling=place)
            free = [one for one in range(1, LAYERS) if not plane.is_full(one, t["ruler"])]
            assert len(free) == LAYERS - 2
            each = [
                [
                    rank_correlation(x, y)
                    for x, y in zip(
                        plane.curve(layer, ruler=t["ruler"]),
                        plane.curve(layer, variable),
                        strict=True,
                    )
                ]
                for layer in free
            ]
            yield Row(f"{test}: {shown}", sign * np.median(each, axis=0))


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


READS = {
    "LOR-1": (reads_fits, {}),
    "LOR-3": (reads_flips, {}),
    "LOR-4": (reads_fits, {}),
    "GEI-1": (reads_follows, {}),
}


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
    t = {"ruler": ruler, "output": ruler, "names": {"tanh": "tanh"}}
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


@pytest.mark.parametrize("layer", [1, 5, 6])
def test_the_output_has_a_ruler_of_its_own(layer):
    """A hidden layer that rises under the ruler of the output has not fitted by that."""
    rulers = {"hidden": curve(5.0, 6.0, 6.0), "output": curve(5.0, 8.0, 8.0)}
    t = {"ruler": "hidden", "output": "output", "names": {"tanh": "tanh"}}
    cell = estimators.fits({"tanh": with_rulers(rulers)}, t)[layer - 1]
    rise = 3 if layer == LAYERS else 1
    assert cell.estimate("x").effect == pytest.approx(rise, abs=0.05)


def test_a_length_that_goes_with_information_correlates():
    """With it 1, against it -1, none without order; with a sign turned the other way round."""
    plane = with_rulers({"a": curve(5.0, 8.0, 7.0)})
    ix = plane.i_xt.isel(estimator=0, drop=True)
    t = {"ruler": "a", "layers": [1, 2, 3, 4, 5], "names": {"tanh": "tanh"}, "variable": "length"}
    for length, sign, wanted in (
        (2 * ix + 1, 1, 1), (2 * ix + 1, -1, -1), (-(ix**3), 1, -1), (0 * ix, 1, 0),
    ):  # fmt: skip
        (cell,) = estimators.follows({"tanh": plane.assign(length=length)}, t | {"sign": sign})
        assert cell.estimate("x").effect == pytest.approx(wanted)
    full = np.full((N, len(EPOCHS), LAYERS), 12.0)
    silent = with_rulers({"a": full}).assign(length=ix)
    (cell,) = estimators.follows({"tanh": silent}, t | {"sign": 1})
    assert cell.hollow == "at its ceiling"


ROUNDED = {
    f"{name}_{bits}_bit{'s' if bits > 1 else ''}": f"{shown}, {bits}"
    for bits in (8, 4, 2, 1)
    for shown, name in NAMES.items()
}


def test_inequality_of_quantised_layers():
    """LOR-5 holds for falling layers and fails for one rise in one network of one plane."""
    down = np.broadcast_to(np.linspace(12, 2, LAYERS), (N, len(EPOCHS), LAYERS)).copy()
    afterwards = with_rulers(dict.fromkeys(QUANTISED, down), i_ty=0.5)
    trained = with_rulers({"Exact()": down}, i_ty=0.5)
    planes = {"tanh": afterwards, "relu": afterwards} | dict.fromkeys(ROUNDED, trained)
    claim = replace(claims.find_claim("LOR-5"), waits="")
    assert set(claim.experiments) == set(planes)
    assert claims.judge(claim, planes).verdict == "holds"
    for variable in ("i_xt", "i_ty"):
        for name in planes:
            for ruler in range(planes[name].sizes["estimator"]):
                wrong = planes[name].copy(deep=True)
                wrong[variable][ruler, 3, 7, 4] = wrong[variable][ruler, 3, 7, 3] + 0.001
                assert claims.judge(claim, planes | {name: wrong}).verdict == "fails"


def test_claims_that_wait_are_written_to_the_end(monkeypatch):
    """Planes on which each comes out: every word that their tests can give has a sentence."""
    monkeypatch.setattr(intervals, "RESAMPLES", 200)
    names = ("LOR-1", "LOR-2", "LOR-4", "GEI-1", "EDGE-F5")
    for name in names:
        claim = replace(claims.find_claim(name), waits="")
        n_layers = 5 if name == "EDGE-F5" else LAYERS
        rulers = {
            ruler for spec in claim.tests for ruler in (
                spec.entry.get("ruler"), *spec.entry.get("rulers", {}).values(),
                *(spec.entry.get("with", {}).get(one) for one in ("ruler", "output")),
            ) if ruler
        }  # fmt: skip
        words = set()
        rng = np.random.default_rng(0)
        for fall in (2.0, 0.3, 0.0, -1.0) if name != "GEI-1" else (2.0,):
            for scatter in (0.0, 3.0):
                end = 7.0 - fall + scatter * rng.normal(size=(N, n_layers))
                end = np.clip(end, 3.0, 11.0)
                curves = {
                    ruler: curve(5.0, np.maximum(7.0, end), end, n_layers=n_layers)
                    for ruler in rulers
                }
                plane = with_rulers(curves)
                ix = plane.i_xt.isel(estimator=0, drop=True)
                noise = ix.copy(data=rng.normal(size=ix.shape))
                for length in (ix, -ix, noise) if name == "GEI-1" else (ix,):
                    lengths = {one: length for one in LENGTHS} | {"close_pairs": -length}
                    whole = plane.assign(lengths)
                    verdict = claims.judge(claim, dict.fromkeys(claim.experiments, whole))
                    words.add(verdict.verdict)
                    assert verdict.finding, (name, verdict.verdict)
                    assert "nan" not in verdict.finding, (name, verdict.finding)
        assert len(words) > 2, (name, words)


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
        claims.judge("LOR-3", {"tanh": plane, "relu": plane}, estimator=QUANTISED[0])


def test_compression_by_ruler_is_compression_under_each():
    plane = with_rulers({"a": curve(5.0, 8.0, 7.0), "b": curve(5.0, 8.0, 5.0)})
    found = effects.by_ruler(plane)
    assert found.dims == ("estimator", "seed", "layer")
    assert found.estimator.values.tolist() == ["a", "b"]
    for ruler in ("a", "b"):
        alone = effects.compression(plane, estimator=ruler)
        np.testing.assert_array_equal(found.sel(estimator=ruler), alone)
    assert float(found[1].median()) > float(found[0].median())
