"""Rulers that follow the network, and quantised networks."""

from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibcore.config import Experiment
from ibcore.estimators import (
    AdaptiveBinning,
    Binning,
    Exact,
    NetInputBinning,
    Quantised,
    RangeBinning,
)
from ibcore.networks import Ensemble
from ibcore.results.run import run
from ibcore.tasks import load_task
from ibcore.training import train

SMALL = Experiment(n_seeds=2, n_epochs=4, n_measured_epochs=3, batch_size=500, activation="relu")


def by_hand(codes, y):
    """Both informations with dictionaries of symbols."""

    def entropy(symbols):
        p = np.array(list(Counter(symbols).values())) / len(symbols)
        return float(-(p * np.log2(p)).sum())

    t = [tuple(row) for row in np.asarray(codes).tolist()]
    return entropy(t), entropy(t) + entropy(list(y)) - entropy(list(zip(t, y, strict=True)))


def edges_by_hand(t, n_bins):
    """The definition, written out."""
    u = sorted({float(v) for v in np.asarray(t, np.float32).ravel()})
    if len(u) < n_bins:
        return u[1:]
    return [u[j * len(u) // n_bins] for j in range(1, n_bins)]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000), n=st.integers(2, 80), d=st.integers(1, 5),
    n_bins=st.integers(1, 40), n_classes=st.integers(1, 10),
)  # fmt: skip
def test_adaptive_binning_is_its_definition(seed, n, d, n_bins, n_classes):
    """Against sorted sets and dictionaries, with ties, duplicates and dead units."""
    rng = np.random.default_rng(seed)
    t = np.round(np.tanh(rng.normal(size=(n, d))), rng.integers(1, 5)).astype(np.float32)
    t[:, rng.integers(d)] *= rng.integers(2)
    y = rng.integers(0, n_classes, n)
    edges = edges_by_hand(t, n_bins)
    codes = [[sum(e <= float(v) for e in edges) for v in row] for row in t]
    ruler = AdaptiveBinning(n_bins=n_bins)
    assert ruler.codes(t).tolist() == codes
    assert ruler(t, y) == pytest.approx(by_hand(codes, y), abs=1e-10)


def test_bins_hold_equal_numbers_of_levels():
    """They differ by one at most."""
    t = np.random.default_rng(0).normal(size=(1000, 3)).astype(np.float32)
    codes = AdaptiveBinning(n_bins=30).codes(np.unique(t)[:, None])
    assert np.ptp(np.bincount(codes[:, 0])) <= 1
    assert len(np.bincount(codes[:, 0])) == 30


@pytest.mark.parametrize("change", [np.tanh, lambda t: 2 * t + 5, lambda t: 64 * t])
@pytest.mark.parametrize("released", [False, True])
def test_an_increasing_function_of_the_layer_changes_nothing(change, released):
    """P14; the released edges need the same low value, so only maps that keep signs."""
    t = np.abs(np.random.default_rng(1).normal(size=(300, 4))).astype(np.float32)
    y = np.arange(300) % 3
    ruler = AdaptiveBinning(n_bins=7, released=released)
    moved = change(t.astype(np.float64)).astype(np.float32)
    assert len(np.unique(moved)) == len(np.unique(t))
    assert ruler(moved, y) == ruler(t, y)


def test_more_bins_than_levels_is_exact():
    t = np.random.default_rng(2).integers(0, 5, size=(60, 2)).astype(np.float32)
    y = np.arange(60) % 2
    assert AdaptiveBinning(n_bins=1000)(t, y) == Exact()(t, y)


def test_released_edges_give_zeros_and_the_maximum_bins_of_their_own():
    """ReLU: edges [0, u0, u_{n/K}, …, u_max] over the levels above zero."""
    t = np.array([[0.0], [0.0], [1.0], [2.0], [3.0], [4.0]], np.float32)
    ruler = AdaptiveBinning(n_bins=2, released=True)
    assert ruler.edges(t).tolist() == [0, 1, 3, 4]
    assert ruler.codes(t)[:, 0].tolist() == [1, 1, 2, 2, 3, 4]
    tanh = np.array([[-1.0], [0.5], [1.0]], np.float32)
    assert ruler.edges(tanh)[0] == np.float32(-1.000001)
    assert ruler.codes(np.zeros((3, 1)))[:, 0].tolist() == [1, 1, 1]


def test_range_of_a_run():
    """The range is that of the hidden layers at all measured epochs of one network."""
    trajectory = train(SMALL, progress=False)
    one = trajectory.only((1,))
    ruler = RangeBinning(n_bins=100).prepare(one)
    hidden = [t for k in range(3) for t in one.activations(k)[:-1]]
    assert ruler == Binning(
        n_bins=100,
        low=min(float(t.min()) for t in hidden),
        high=max(float(t.max()) for t in hidden),
    )
    with pytest.raises(ValueError, match="the trajectory has 2"):
        RangeBinning().prepare(trajectory)
    with pytest.raises(ValueError, match="call prepare"):
        RangeBinning()([[0.0], [1.0]], [0, 1])


def test_a_run_prepares_each_network_by_itself():
    """The same values alone and in company; the name in the result is that of the ruler."""
    both = run(SMALL, [RangeBinning(n_bins=50), AdaptiveBinning()], progress=False)
    alone = run(SMALL.replace(first_seed=1, n_seeds=1), [RangeBinning(n_bins=50)], progress=False)
    assert both.estimator.values.tolist() == [
        "RangeBinning(n_bins=50)",
        "AdaptiveBinning(n_bins=30)",
    ]
    np.testing.assert_array_equal(
        both.i_xt.sel(seed=1).isel(estimator=0), alone.i_xt.isel(seed=0, estimator=0)
    )


@pytest.mark.parametrize(("n_edges", "distinct"), [(30, 8), (31, 7)])
def test_few_net_input_edges_survive_in_float32(n_edges, distinct):
    """Saxe's bins: tanh of evenly spaced net inputs, of which float32 tells few apart."""
    assert len(NetInputBinning(n_edges=n_edges, collapsed=True).edges()) == distinct
    in_float64 = {30: 14, 31: 13}[n_edges]
    assert len(np.unique(np.tanh(np.linspace(-50, 50, n_edges)))) == in_float64


def test_net_input_bins_are_even_in_z():
    z = np.linspace(-8, 8, 200)[:, None]
    ruler = NetInputBinning(n_edges=21, limit=10.0)
    codes = ruler.codes(np.tanh(z))
    assert (codes == np.searchsorted(np.linspace(-10, 10, 21), z, side="right")).mean() > 0.99
    ends = ruler.codes(np.array([[-1.0], [1.0]], np.float32))
    assert ends[:, 0].tolist() == [0, 21]
    with pytest.raises(ValueError, match="within"):
        ruler([[2.0], [0.0]], [0, 1])


@pytest.mark.parametrize("n_bits", [1, 2, 4, 8])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_quantised_networks_obey_the_data_processing_inequality(n_bits, activation):
    """LOR-5: exactly, for both informations, in every layer (P15)."""
    settings = SMALL.replace(activation=activation, n_epochs=20)
    network = train(settings, progress=False).ensemble(-1)[0]
    task, ruler = load_task("szt"), Quantised(n_bits=n_bits)
    layers = ruler.layers(SimpleNamespace(network=network, x=task.x))
    assert all(len(np.unique(t)) <= 2**n_bits for t in layers)
    found = np.array([ruler(t, task.y) for t in layers])
    assert (np.diff(found, axis=0) <= 1e-9).all()
    assert found[0, 0] > 0


def test_fine_quantisation_is_the_network_itself():
    network = Ensemble.initial(SMALL.replace(activation="tanh"), (0,), 12, 2)
    task = load_task("szt")
    ruler = Quantised(n_bits=24)
    codes = ruler.layers(SimpleNamespace(network=network, x=task.x))[2]
    assert ruler(codes, task.y).i_xt == 12.0


def test_rounding_keeps_levels_apart():
    """The recoding is one to one: as many codes as rounded values, and they come back."""
    t = np.random.default_rng(0).random((1, 500, 3))
    codes, values = Quantised(n_bits=4).rounded(t)
    assert len(np.unique(codes)) == len(np.unique(values)) == 16
    assert np.abs(values - t).max() <= (t.max() - t.min()) / 15 / 2 + 1e-12


def test_impossible_settings():
    for wrong in (0, 2.5, True):
        with pytest.raises(ValueError, match="n_bins must be an integer of at least 1"):
            AdaptiveBinning(n_bins=wrong)
    with pytest.raises(ValueError, match="use Exact"):
        Quantised(n_bits=30)
    with pytest.raises(ValueError, match=r"integers from Quantised\.layers"):
        Quantised()([[0.5], [1.0]], [0, 1])
    with pytest.raises(ValueError, match="limit must be positive"):
        NetInputBinning(limit=-1)
    with pytest.raises(ValueError, match=r"limit must be finite in float32, got 1e\+300"):
        NetInputBinning(limit=1e300)
    with pytest.raises(ValueError, match="n_bins must be at most 10 000 000, got 1000000000000"):
        AdaptiveBinning(n_bins=10**12)
    with pytest.raises(ValueError, match="n_edges must be at most 10 000 000"):
        NetInputBinning(n_edges=10**12)
    with pytest.raises(ValueError, match="n_bins must be at most 1 125 899 906 842 624"):
        RangeBinning(n_bins=10**400)
    with pytest.raises(ValueError, match=r"got n_bits=a value of type int .*; use Exact"):
        Quantised(n_bits=10**9000)
