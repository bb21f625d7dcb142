"""Advice on rulers: what it looks at, what it says, and that it explains."""

import numpy as np
import pytest

import ibcore as ib
from ibcore.reliability.advice import COSTS, looked_at


def of(found, start, layer="layer"):
    (one,) = (row for row in found.of(layer) if row.ruler.startswith(start))
    return one


def relu(n=500, d=3, scale=1.0):
    return scale * np.maximum(np.random.default_rng(0).normal(size=(n, d)), 0)


def test_the_facts_of_a_layer():
    t = np.array([[0.0, 1.0], [0.0, 0.5], [0.0, 1.0], [0.0, -1.0]])
    found = looked_at(t, [0, 0, 1, 1])
    assert (found.n, found.d, found.dead, found.h_y) == (4, 2, 1, 1.0)
    assert found.zeros == 0.5
    assert found.saturated == 3 / 8
    assert found.ties == 0.25
    assert found.kind == "within [-1, 1]"
    assert looked_at(t * 5 + 5, [0, 1, 0, 1]).kind == "never negative, up to 10"


@pytest.mark.parametrize(("scale", "tells"), [(1e-3, "no"), (1.0, "partly"), (100.0, "no")])
def test_units_matter_to_fixed_bins_and_it_says_so(scale, tells):
    """A ReLU layer in three units: the default ruler sees nothing, some, every input."""
    y = np.arange(500) % 2
    found = of(ib.advise(relu(d=1, scale=scale), y), "Binning")
    assert found.tells in (tells, "partly")
    if scale != 100:
        assert "Units decide: the same layer has" in found.why
    adaptive = [of(ib.advise(relu(d=1, scale=s), y), "AdaptiveBinning").i_xt for s in (scale, 1.0)]
    assert adaptive[0] == adaptive[1]


def test_wide_layers_leave_little():
    t, y = np.random.default_rng(0).normal(size=(400, 300)), np.arange(400) % 3
    found = ib.advise(t, y)
    for name in ("Binning", "AdaptiveBinning", "QuantileBinning", "UnitRangeBinning", "Exact"):
        assert of(found, name).tells == "no"
        assert "a symbol of its own" in of(found, name).why
    assert of(found, "KernelBound").tells == "partly"
    assert of(found, "LabelBound").tells == "partly"
    assert "learns by heart" in of(found, "UsableInformation").why


def test_few_inputs_tell_nothing():
    assert {row.tells for row in ib.advise(relu(30), np.arange(30) % 2).rows} <= {"no", "other"}


def test_a_constant_layer_is_told_from_one_that_is_not_seen():
    y = np.arange(200) % 2
    assert of(ib.advise(np.ones((200, 2)), y), "KernelBound").tells == "no"
    assert "hardly sees" not in of(ib.advise(np.ones((200, 2)), y), "Binning").why


def test_saturated_layers_are_for_exact_rows():
    t = np.sign(np.random.default_rng(0).normal(size=(500, 4)))
    found = ib.advise(t, (t[:, 0] > 0).astype(int))
    assert of(found, "Exact").tells == "yes"
    assert of(found, "BernoulliDropout").tells == "yes"
    assert looked_at(t, np.arange(500) % 2).saturated == 1


def test_modules_are_advised_layer_by_layer():
    import torch

    net = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    found = ib.advise(net, np.arange(100) % 2, x=np.random.default_rng(0).normal(size=(100, 3)))
    assert list(found.layers) == ["0", "1", "2"]
    assert "1: 100 inputs, 4 units" in repr(found)
    assert set(found.to_dataframe().layer) == {"0", "1", "2"}
    with pytest.raises(ValueError, match="a module needs inputs"):
        ib.advise(net, np.arange(100) % 2)
    with pytest.raises(ValueError, match="there is no layer '9'; there are 0, 1, 2"):
        found.of("9")


def test_named_layers_and_words():
    found = ib.advise({"first": relu(), "second": relu(d=1)}, np.arange(500) % 2)
    assert set(found.layers) == {"first", "second"}
    assert {row.tells for row in found.rows} <= {"yes", "no", "partly", "other"}
    assert all(row.why.endswith((".", "().", "()).")) for row in found.rows)
    assert all(row.seconds >= 0 for row in found.rows)
    assert "H(Y) = 1.00 bits" in repr(found)


def test_costs_grow_as_they_should():
    """Four times the inputs: four times the counting, sixteen times the pairs."""
    assert COSTS["count"](4000, 10) == pytest.approx(4 * COSTS["count"](1000, 10))
    assert COSTS["pairs"](4000, 10) == pytest.approx(16 * COSTS["pairs"](1000, 10))


@pytest.mark.parametrize("n", [200, 1000])
def test_rulers_that_are_said_to_see_nothing_are_at_their_ends(n):
    """What advice calls "no" for the ceiling, worth calls at its ceiling, too."""
    t, y = np.random.default_rng(1).normal(size=(n, 6)), np.arange(n) % 2
    for ruler in (ib.Binning(), ib.Exact(), ib.QuantileBinning(2)):
        said = of(ib.advise(t, y), repr(ruler)[:8]).tells
        found = ib.worth(ruler, t, y, n_permutations=1)["I(X;T)"]
        if said == "no":
            assert found.verdict.startswith("at its ceiling")
