"""Every word of every claim about rulers, reached on planes made by hand."""

import numpy as np
import pytest
from claim_planes import EPOCHS, LAYERS, N, curve, falls, layers, make_plane, seeds, with_rulers

from ibcore import claims
from ibcore.claims import effects
from ibcore.papers import paper_module

estimators = paper_module("estimators", "evidence")

QUANTISED = [f"Quantised(n_bits={bits})" for bits in (8, 4, 1)]
RANGES = [f"RangeBinning(n_bins={n})" for n in (30, 100, 256)]


def same(values, rulers, **more):
    return with_rulers(dict.fromkeys(rulers, values), **more)


def lor_1(word):
    end = {
        "reproduced": 1.0,
        "partly": seeds(1.0, 0.0, 34),  # 34 of 36 compress: the interval crosses 90 %
        "not reproduced": 0.0,
        "undecided": 1.0,
    }[word]
    curves = falls(end, start=8.0 if word == "not reproduced" else 5.0)
    n = 5 if word == "undecided" else N
    return dict.fromkeys(("tanh", "relu"), same(curves[:n], QUANTISED))


def lor_2(word):
    tanh, relu = {
        "reproduced": (1.0, 0.1),
        "partly": (1.0, 1.0),
        "not reproduced": (0.0, 1.0),
        "inverted": ("up", 1.0),
        "undecided": (1.0, 0.1),
    }[word]
    n = 5 if word == "undecided" else N
    up = curve(5.0, 6.0, 8.0)
    return {
        "tanh": same(
            (up if tanh == "up" else falls(tanh, start=5.0 if tanh else 8.0))[:n], QUANTISED
        ),
        "relu": same(falls(relu)[:n], QUANTISED),
    }


def lor_3(word):
    n = 5 if word == "undecided" else N
    one = {
        "reproduced": 1.0,
        "partly": seeds(1.0, 0.0),  # 20 of 36: the median flips, the interval holds 0
        "not reproduced": 0.0,
        "undecided": 1.0,
    }[word]
    curves = {RANGES[0]: falls(one)[:n]} | dict.fromkeys(RANGES[1:], falls(0.0)[:n])
    plane = with_rulers(curves)
    return {"tanh": plane, "relu": plane}


def gei_1(word):
    """Information falls with the spread, or against it."""
    ix = falls(4.0)
    share = {"reproduced": N, "partly": 31, "not reproduced": 5, "undecided": N}[word]
    follows = (np.arange(N) < share)[:, None, None]
    spread = np.where(follows, ix, -ix)
    n = 5 if word == "undecided" else N
    plane = make_plane(ix[:n], log_det_within=spread[:n], scatter_within=spread[:n])
    return dict.fromkeys(("tanh", "relu"), plane)


def lor_4(word):
    if word == "reproduced":
        relu = curve(5.0, 8.0, layers(rest=7.9, l6=6.0))
        return lor_2(word) | {"relu": same(relu, QUANTISED)}
    if word == "not reproduced":  # nothing fits, ReLU compresses where it should not
        nothing = curve(8.0, 8.0, layers(rest=7.0, l4=8.0, l5=8.0, l6=8.0))
        return dict.fromkeys(("tanh", "relu"), same(nothing, QUANTISED))
    return lor_2(word)


def edge_f5(word):
    rulers = claims.find_claim("EDGE-F5").thresholds["rulers"]
    amount = {
        "reproduced": 1.0,
        "partly": layers(rest=1.0, l2=0.0),
        "not reproduced": 0.0,
        "undecided": 1.0,
    }[word]
    n = 5 if word == "undecided" else N
    return dict.fromkeys(("edge_tanh", "edge_relu"), same(falls(amount)[:n], rulers))


BUILDERS = {
    "EDGE-F5": edge_f5,
    "LOR-1": lor_1,
    "LOR-2": lor_2,
    "LOR-3": lor_3,
    "LOR-4": lor_4,
    "GEI-1": gei_1,
}
WORDS = [
    (claim.id, word)
    for claim in claims.load_registry("estimators")
    if not claim.is_identity
    for word in claim.words
]


@pytest.mark.parametrize(("claim_id", "word"), WORDS)
def test_every_declared_word_is_reached(claim_id, word):
    verdict = claims.judge(claim_id, BUILDERS[claim_id](word))
    assert verdict.verdict == word, verdict
    assert verdict.low <= verdict.effect <= verdict.high
    assert verdict.n_seeds == (5 if word == "undecided" else N)


@pytest.mark.parametrize("claim_id", ["KT-1", "KT-2", "KTV-1"])
def test_theorems_hold(claim_id):
    assert claims.judge(claim_id).verdict == "holds"


def test_theorems_fail_where_they_are_broken(monkeypatch):
    """A bound that is too low, a worse alpha, a curve that does not jump."""
    true = estimators.theory.pairwise_bound
    estimators._violations.cache_clear()
    monkeypatch.setattr(
        estimators.theory,
        "pairwise_bound",
        lambda c, a=None: true(c, a) * (0.5 if a is None else 1),
    )
    assert claims.judge("KT-1").verdict == "fails"
    estimators._violations.cache_clear()
    monkeypatch.setattr(estimators.theory, "pairwise_bound", lambda c, a=None: true(c) * (a or 1))
    assert claims.judge("KT-2").verdict == "fails"
    curves = estimators.theory.ib_curve
    monkeypatch.setattr(estimators.theory, "ib_curve", lambda p, b: curves(p, np.add(b, 0.2)))
    assert claims.judge("KTV-1").verdict == "fails"


def test_inequality_of_quantised_layers():
    """LOR-5 holds for falling layers and fails for one rise in one network."""
    down = np.broadcast_to(np.linspace(12, 2, LAYERS), (N, len(EPOCHS), LAYERS)).copy()
    planes = dict.fromkeys(("tanh", "relu"), same(down, QUANTISED, i_ty=0.5))
    assert claims.judge("LOR-5", planes).verdict == "holds"
    for variable in ("i_xt", "i_ty"):
        for ruler in range(len(QUANTISED)):
            relu = planes["relu"].copy(deep=True)
            relu[variable][ruler, 3, 7, 4] = relu[variable][ruler, 3, 7, 3] + 0.001
            assert claims.judge("LOR-5", planes | {"relu": relu}).verdict == "fails"


def test_exhibits():
    """GEI-2 needs both: a rise from layer to layer, and an accurate network that never fits, each
    under one ruler at least.
    """
    down, up = np.linspace(11, 6, LAYERS), np.linspace(6, 11, LAYERS)
    still = [np.broadcast_to(v, (N, len(EPOCHS), LAYERS)) for v in (down, up)]
    fitting = curve(5.0, 8.0, 8.0)
    holds = with_rulers({"a": still[0], "b": still[1]})
    assert claims.judge("GEI-2", {"tanh": holds, "relu": holds}).verdict == "holds"
    second = with_rulers({"a": fitting, "b": still[1]})
    assert claims.judge("GEI-2", {"tanh": second, "relu": second}).verdict == "holds"
    for broken in (same(still[0], ["a", "b"]), with_rulers({"a": fitting, "b": fitting})):
        assert claims.judge("GEI-2", {"tanh": broken, "relu": broken}).verdict == "fails"
    lost = with_rulers({"a": still[0], "b": still[1]}, test_accuracy=np.full(len(EPOCHS), 0.5))
    assert claims.judge("GEI-2", {"tanh": lost, "relu": lost}).verdict == "fails"


def test_rulers_named_by_the_criterion_cannot_be_replaced():
    with pytest.raises(ValueError, match="compares rulers that its criterion names"):
        claims.judge("LOR-1", lor_1("reproduced"), estimator=QUANTISED[0])


def test_compression_by_ruler_is_compression_under_each():
    plane = with_rulers({"a": falls(1.0), "b": falls(3.0)})
    found = effects.by_ruler(plane)
    assert found.dims == ("estimator", "seed", "layer")
    assert found.estimator.values.tolist() == ["a", "b"]
    for ruler in ("a", "b"):
        alone = effects.compression(plane, estimator=ruler)
        np.testing.assert_array_equal(found.sel(estimator=ruler), alone)
    assert float(found[1].median()) > float(found[0].median())
