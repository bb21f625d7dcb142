"""Sample propagation: exact values of two points and of cubes, the twin, the sandwich, limits."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibcore.config import Experiment
from ibcore.estimators import KernelBound
from ibcore.estimators.kernel import kernel_information
from ibcore.estimators.mixtures import (
    FLOOR,
    NEGLIGIBLE,
    gaussian_gain,
    propagate,
    propagate_by_hand,
)
from ibcore.estimators.propagation import (
    SamplePropagation,
    integration_bound,
    levels_apart,
    risk_bound,
    smoothed_entropy,
)
from ibcore.information import entropy_from_counts
from ibcore.networks import Ensemble
from ibcore.networks.noisy import noisy_layers
from ibcore.results.run import run
from ibcore.tasks import load_task
from ibcore.theory import mixture_information
from ibcore.training import train


@pytest.mark.parametrize(
    ("distance", "exact"),
    [(0.5, 0.0437299629), (1, 0.1607472198), (2, 0.4859441541), (4, 0.9128222858)],
)
def test_two_points(distance, exact):
    """The binary-input Gaussian channel, within three standard errors."""
    found = SamplePropagation(1.0, n_pairs=20_000).with_errors([[[0.0], [distance]]], [0, 1])
    assert abs(found.i_xt - exact) < 3 * found.i_xt_error + 1e-9
    assert found.i_xt_error < 0.005
    assert found.i_ty == pytest.approx(found.i_xt)


def test_standard_error_is_the_spread_over_noise_seeds():
    t, y = np.random.default_rng(0).normal(size=(1, 30, 2)), np.arange(30) % 2
    found = [SamplePropagation(0.5, n_pairs=4, seed=s).with_errors(t, y) for s in range(200)]
    spread = np.std([one.i_xt for one in found])
    assert np.mean([one.i_xt_error for one in found]) == pytest.approx(spread, rel=0.15)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000), r=st.integers(1, 40), n=st.integers(2, 12), d=st.integers(1, 4),
    scale=st.sampled_from([0.1, 1.0, 10.0, 100.0]),
)  # fmt: skip
def test_fast_path_is_its_readable_twin(seed, r, n, d, scale):
    """The same points, every mode: the pruning leaves out less than e^-NEGLIGIBLE."""
    rng = np.random.default_rng(seed)
    s = scale * rng.normal(size=(1, n, d)) + rng.normal(size=(r, n, d))
    p = np.eye(3)[rng.integers(0, 3, n)] if seed % 2 else rng.dirichlet([1, 1, 1], n)
    p = p[:, p.sum(axis=0) > 0]
    points, noise = rng.integers(0, r, 4), rng.normal(size=(n, 4, d))
    expected = propagate_by_hand(s, p, points, noise)
    np.testing.assert_allclose(propagate(s, p, points, noise, np.float64), expected, atol=2e-7)
    np.testing.assert_allclose(propagate(s, p, points, noise), expected, atol=2e-3)
    assert np.abs(propagate(s, p, points, noise) - expected).mean() < 1e-4


def test_first_layer_lies_between_the_kernel_bounds():
    """P4, E6: lower <= I(X;T) <= upper for a layer that is a function of x."""
    task = load_task("szt")
    network = Ensemble.initial(Experiment(hidden_widths=(3, 2)), (0,), 12, 2)
    s = noisy_layers(network, task.x, 0.05, 1)[0]
    found = SamplePropagation(0.05, n_pairs=2).with_errors(s, task.y)
    low, high = kernel_information(s[0], task.y, [4 * 0.05**2, 0.05**2])[0]
    assert low < found.i_xt < high
    assert found.i_xt_error < 0.02


def test_limits():
    """Little noise gives the entropy of the rows, much noise and a single place nothing."""
    rng = np.random.default_rng(1)
    t, y = rng.integers(0, 3, size=(1, 40, 2)) * 1.0, np.arange(40) % 2
    _, counts = np.unique(t[0], axis=0, return_counts=True)
    assert SamplePropagation(1e-3)(t, y).i_xt == pytest.approx(
        entropy_from_counts(counts), abs=1e-9
    )
    assert SamplePropagation(1e3, n_pairs=50)(t, y).i_xt == pytest.approx(0, abs=1e-3)
    assert SamplePropagation(0.1)(np.ones((1, 5, 2)), np.arange(5) % 2).i_xt == pytest.approx(
        0, abs=1e-12
    )


def test_replicas_of_one_place_are_one_mode():
    t = np.random.default_rng(2).normal(size=(1, 20, 3))
    y = np.arange(20) % 2
    once, often = SamplePropagation(0.5)(t, y), SamplePropagation(0.5)(np.repeat(t, 7, axis=0), y)
    assert tuple(often) == pytest.approx(tuple(once), abs=1e-5)


def test_scaling():
    """P11: layer and noise together."""
    t, y = np.random.default_rng(3).normal(size=(2, 20, 3)), np.arange(20) % 2
    assert SamplePropagation(1.0)(4 * t, y) == pytest.approx(
        SamplePropagation(0.25)(t, y), abs=1e-12
    )


def test_cube_is_as_many_channels():
    """P18: {±1}^4 at σ = 1 is four times two points at distance 2."""
    corners = np.array(np.meshgrid(*[[-1.0, 1.0]] * 4)).reshape(4, -1).T
    found = SamplePropagation(1.0, n_pairs=1000).with_errors(corners, np.arange(16) % 2)
    assert abs(found.i_xt - 4 * 0.4859441541) < 3 * found.i_xt_error


def test_replicas_come_from_a_noisy_network():
    """A linear layer over a noisy one: S given x is Gaussian with covariance σ² WᵀW."""
    task = load_task("szt")
    settings = Experiment(hidden_widths=(4, 3), activation="linear", init_gain=2.0)
    network = Ensemble.initial(settings, (0,), 12, 2)
    x = task.x[:3]
    layers = noisy_layers(network, x, 0.3, 40_000)
    assert [t.shape for t in layers] == [(1, 3, 4), (40_000, 3, 3), (40_000, 3, 2)]
    w = network.weights[1][0].astype(float)
    found = np.cov(layers[1][:, 0].T)
    np.testing.assert_allclose(found, 0.09 * w.T @ w, atol=0.02 * found.max())
    again = noisy_layers(network, x, 0.3, 40_000)
    np.testing.assert_array_equal(layers[1], again[1])
    with pytest.raises(ValueError, match="need one network, got 2"):
        noisy_layers(Ensemble.initial(settings, (0, 1), 12, 2), x, 0.3, 2)
    for noise_std in (-1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="noise_std must be finite and at least 0"):
            noisy_layers(network, x, noise_std, 2)
    for n_replicas in (0, 2.0, True):
        with pytest.raises(ValueError, match="n_replicas must be a whole number of at least 1"):
            noisy_layers(network, x, 0.3, n_replicas)


@pytest.mark.parametrize(
    ("d", "expected"), [(1, 7.4e-4), (2, 1.66e-3), (3, 3.68e-3)]
)  # fmt: skip
def test_bound_is_that_of_the_papers_table(d, expected):
    """Table I, σ = 1, n = 1e9; and how useless it is at 4096 samples."""
    assert risk_bound(d, 1.0, 1e9) == pytest.approx(expected, rel=0.01)
    assert risk_bound(3, 0.1, 4096) == pytest.approx(485, rel=0.01)
    assert integration_bound(5, 0.005, 16_384) > 1


def test_impossible_input():
    ruler = SamplePropagation()
    with pytest.raises(ValueError, match="noise_std must be positive"):
        SamplePropagation(0)
    with pytest.raises(ValueError, match="n_pairs must be an integer of at least 2"):
        SamplePropagation(n_pairs=1)
    with pytest.raises(ValueError, match=r"\(replica, sample, unit\)"):
        ruler([1.0, 2.0], [0, 1])
    with pytest.raises(ValueError, match="NaN or infinity"):
        ruler([[[np.nan], [0.0]]], [0, 1])
    with pytest.raises(ValueError, match="one label for each of the 2 samples"):
        ruler([[[1.0], [0.0]]], [0, 1, 1])


def test_points_around_some_inputs_stand_for_all():
    """The mean over many random subsets is the value of all inputs, and its scatter the error."""
    rng = np.random.default_rng(3)
    t, y = rng.normal(size=(1, 60, 2)), np.arange(60) % 2
    whole = SamplePropagation(0.5, n_pairs=200).with_errors(t, y)
    parts = np.array(
        [
            SamplePropagation(0.5, n_pairs=8, seed=s, n_inputs=15).with_errors(t, y)
            for s in range(300)
        ]
    )
    error = parts[:, :2].std(axis=0)
    np.testing.assert_allclose(parts[:, :2].mean(axis=0), whole[:2], atol=4 * error.max() / 17)
    np.testing.assert_allclose(np.sqrt((parts[:, 2:] ** 2).mean(axis=0)), error, rtol=0.15)
    assert SamplePropagation(0.5, n_inputs=60)(t, y) == SamplePropagation(0.5)(t, y)


def test_a_noisy_run_measures_its_own_noise():
    """I(X;T) of a run, layer by layer: what the replicas say; the output has no noise."""
    ruler = SamplePropagation(0.1, n_replicas=8, n_inputs=64)
    settings = Experiment(
        hidden_widths=(4, 3), noise_std=0.1, n_seeds=2, n_epochs=1, n_measured_epochs=2
    )
    found = run(settings, [ruler, KernelBound(0.01)], progress=False)
    assert found.i_xt_error.dims == found.i_xt.dims
    mine = found.sel(estimator=repr(ruler))
    assert np.isnan(mine.i_xt.sel(layer=3)).all()
    assert np.isnan(found.i_xt_error.sel(estimator=repr(KernelBound(0.01)))).all()
    networks = train(settings, progress=False).ensemble(1)
    task = load_task("szt")
    s = noisy_layers(networks[1], task.x, 0.1, 8)[1]
    expected = ruler.with_errors(s, task.y)
    got = mine.sel(seed=1, layer=2).isel(epoch=1)
    assert float(got.i_xt) == pytest.approx(expected.i_xt, abs=2e-4)
    assert float(got.i_xt_error) == pytest.approx(expected.i_xt_error, abs=2e-4)


@pytest.mark.parametrize(
    ("noise_std", "ruler", "message"),
    [
        (0.0, SamplePropagation(0.1, n_replicas=8), "networks have noise_std=0, the ruler 0.1"),
        (0.1, SamplePropagation(0.1), "give n_replicas, 1000 for the reference sizes"),
    ],
)
def test_rulers_that_do_not_fit_the_networks(noise_std, ruler, message):
    settings = Experiment(
        hidden_widths=(3,), noise_std=noise_std, n_seeds=1, n_epochs=1, n_measured_epochs=2
    )
    with pytest.raises(ValueError, match=message):
        run(settings, [ruler], progress=False)


@pytest.mark.parametrize("d", [10, 150, 200, 1024])
def test_wide_layers_carry_what_their_distances_say(d):
    """Two points 5 sigma apart are one binary input, however many units do not move."""
    t = np.zeros((1, 2, d))
    t[0, 1, 0] = 5.0
    found = SamplePropagation(1.0, n_pairs=400).with_errors(t, [0, 1])
    assert found.i_xt == pytest.approx(mixture_information([0.0, 5.0]), abs=4 * found.i_xt_error)


@pytest.mark.parametrize("d", [100, 150, 300])
def test_wide_layers_agree_with_the_twin(d):
    rng = np.random.default_rng(d)
    s, noise = 0.45 * rng.normal(size=(1, 50, d)), rng.standard_normal((50, 2, d))
    p, replicas = np.eye(2)[np.arange(50) % 2], np.zeros(2, int)
    expected = propagate_by_hand(s, p, replicas, noise)
    assert propagate(s, p, replicas, noise) == pytest.approx(expected, abs=1e-3)
    found = propagate(s, p, replicas, noise, np.float64)
    assert found == pytest.approx(expected, abs=np.exp(-NEGLIGIBLE))


def test_smoothed_entropy_of_all_corners_of_a_cube():
    """Where every mode is there, h is exact: d times the entropy of one noisy bit."""
    corners = np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, -1).T
    bit = mixture_information([-2.0, 2.0]) + 0.5 * np.log2(2 * np.pi * np.e * 0.25)
    assert smoothed_entropy(corners, 0.5, n_pairs=4000) == pytest.approx(3 * bit, abs=0.01)


def test_smoothed_entropy_is_sample_propagation_of_equal_inputs():
    """Another program for the same integral."""
    s = np.random.default_rng(5).normal(size=(40, 3))
    own = 1.5 * np.log2(2 * np.pi * np.e * 0.16)
    found = SamplePropagation(0.4, n_pairs=2000).with_errors(s, np.arange(40) % 2)
    both = smoothed_entropy(s, 0.4, n_pairs=2000, seed=1)
    assert both == pytest.approx(own + found.i_xt, abs=6 * found.i_xt_error)
    with pytest.raises(ValueError, match="samples must be"):
        smoothed_entropy(s[0], 0.4)
    with pytest.raises(ValueError, match="noise_std must be positive"):
        smoothed_entropy(s, 0.0)


def test_smoothed_entropy_is_too_small_on_average():
    """Entropy is concave: fewer samples than modes say less."""
    rng = np.random.default_rng(0)
    few = [smoothed_entropy(rng.choice([-1.0, 1.0], (20, 4)), 0.3) for _ in range(30)]
    bit = mixture_information([-1 / 0.3, 1 / 0.3]) + 0.5 * np.log2(2 * np.pi * np.e * 0.09)
    assert np.mean(few) < 4 * bit - 0.2


# ------------------------------------------------------------------- numbers at the ends of floats


@pytest.mark.parametrize("size", [1e-300, 1e-42, 1.0, 1e20, 3e38, 1e300])
@pytest.mark.parametrize("noise_std", [5e-324, 1e-160, 1e-3, 1.0, 1e160, 1e300])
def test_any_size_of_layer_and_noise(size, noise_std):
    """Where noise is far from the layer: the entropy of its rows, or nothing; no warning."""
    t = size * np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 2.0], [0.0, 0.0]])
    found = SamplePropagation(noise_std, n_pairs=100).with_errors(t, [0, 0, 1, 1])
    assert np.isfinite(found).all()
    if size > 1e3 * noise_std:
        assert found == pytest.approx((1.5, 0.5, 0, 0), abs=1e-6)
    if size < 1e-3 * noise_std:
        assert found[:2] == pytest.approx((0, 0), abs=1e-3)


@pytest.mark.parametrize("power", [-1000, -60, 60, 900])
def test_a_power_of_two_leaves_no_trace(power):
    """P11 to the last bit: t and σ times 2^k."""
    t, y = np.random.default_rng(3).normal(size=(2, 20, 3)), np.arange(20) % 2
    moved = SamplePropagation(float(np.ldexp(0.5, power))).with_errors(np.ldexp(t, power), y)
    assert moved == SamplePropagation(0.5).with_errors(t, y)


@pytest.mark.parametrize("place", [1e5, 1e7, 2.0**30, 1e11, 1e15])
def test_a_cloud_far_from_zero_is_the_same_cloud(place):
    """Beside 1e7 σ float32 has no noise left, and at 1e9 σ stood the places that fill a vector."""
    t, y = np.random.default_rng(3).normal(size=(2, 20, 3)), np.arange(20) % 2
    moved, ruler = t + place, SamplePropagation(1.0, n_pairs=50)
    here, there = ruler.with_errors(moved - place, y), ruler.with_errors(moved, y)
    assert there == pytest.approx(here, abs=2e-3)


def test_clouds_far_apart_do_not_meet_the_places_that_fill_a_vector():
    """These stand at 1e9 σ, unless a mode does."""
    ruler, y = SamplePropagation(1.0, n_pairs=50), [0, 1, 0]
    found = [ruler.with_errors([[-far], [far], [far + 2]], y) for far in (1e2, 1e9)]
    assert found[1] == pytest.approx(found[0], abs=1e-3)


def test_noise_that_is_lost_in_float64_is_refused():
    """Two clusters 1e20 σ apart, of two points each 1 σ apart."""
    t = np.array([[0.0], [1e-20], [1.0], [2.0]])
    with pytest.raises(ValueError, match=r"noise_std=1e-20 is too small .*values only 1e-20 apart"):
        SamplePropagation(1e-20)(t, [0, 1, 0, 1])
    assert SamplePropagation(1e-25)(t[[0, 2, 3]], [0, 1, 0]).i_xt == pytest.approx(np.log2(3))


def test_soft_labels_that_are_all_but_certain():
    """P(y|x) = 5e-324 times a mixture is 0, and 0 / 0 no number."""
    t, hard = np.random.default_rng(3).normal(size=(20, 3)), np.arange(20) % 2
    ruler = SamplePropagation(0.5, n_pairs=10)
    for share in (1e-60, 5e-324):
        soft = np.where(hard == 1, 1.0, share)
        assert ruler(t, soft) == pytest.approx(ruler(t, hard), abs=1e-6)
        assert ruler(t, np.full(20, share)).i_ty == pytest.approx(0, abs=1e-6)


def test_labels_are_names():
    t, y = np.random.default_rng(3).normal(size=(20, 3)), np.arange(20) % 3
    for names in ([-5, 0, 10**12], ["ant", "bee", "cat"], [0, 500_000, 1_000_000]):
        named = np.array(names)[y]
        assert SamplePropagation(0.5)(t, named) == SamplePropagation(0.5)(t, y)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise_std": None}, "noise_std must be a finite number, got None"),
        ({"n_pairs": 2.0}, "n_pairs must be an integer of at least 2, got 2.0"),
        ({"n_pairs": 10**10}, "n_pairs must be at most 268 435 456, got 10000000000"),
        ({"n_pairs": None}, "n_pairs must be an integer of at least 2, got None"),
        ({"seed": -1}, "seed must be an integer of at least 0, got -1"),
        ({"seed": 2**64}, "seed must be at most 9 223 372 036 854 775 808, got"),
        ({"n_replicas": 0}, "n_replicas must be an integer of at least 1, got 0"),
        ({"n_inputs": True}, "n_inputs must be an integer of at least 2, got True"),
    ],
)
def test_impossible_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        SamplePropagation(**settings)


def test_what_does_not_fit_into_memory_is_refused():
    """Before it is tried: 2 GiB of points, 8 GiB of replicas."""
    with pytest.raises(ValueError, match=r"n_pairs=100000000 of this layer are 400000000 numbers"):
        SamplePropagation(1.0, n_pairs=10**8)([[0.0], [1.0]], [0, 1])
    network = Ensemble.initial(Experiment(hidden_widths=(4, 3)), (0,), 12, 2)
    view = SimpleNamespace(network=network, x=load_task("szt").x)
    with pytest.raises(ValueError, match=r"n_replicas=200000000 of this layer are"):
        SamplePropagation(1.0, n_replicas=2 * 10**8).layers(view)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: smoothed_entropy([["a"]], 1.0), "samples must be an array of real numbers"),
        (lambda: smoothed_entropy([[1e300]], 1e-3), "within about 1e6 standard deviations"),
        (lambda: smoothed_entropy([[0.0]], 1e160), "noise_std must lie between 1e-70 and 1e70"),
        (lambda: smoothed_entropy([[np.nan]], 1.0), "samples must be .* finite"),
        (lambda: smoothed_entropy([[1.0]], "1"), "noise_std must be a finite number"),
        (lambda: smoothed_entropy([[1.0]], 1.0, n_pairs=0), "n_pairs must be an integer"),
        (lambda: risk_bound(0, 1.0, 100), "n_units must be an integer of at least 1"),
        (lambda: risk_bound(1, 1e-200, 100), "noise_std must lie between 1e-70 and 1e70"),
        (lambda: risk_bound(1, 1.0, 1), "n_samples must be at least 2"),
        (lambda: risk_bound(10_000, 1e-3, 100), "the bound overflows for n_units=10000"),
        (lambda: integration_bound(1, 1.0, 0), "n_points must be positive, got 0"),
        (lambda: risk_bound(1, 1.0, 100, -1.0), "epsilon must be at least 0, got -1.0"),
        (lambda: levels_apart(3, 0.0), "noise_std must be positive"),
        (lambda: levels_apart(3, 0.1, 1.0), "epsilon must lie between 0 and 1"),
    ],
)
def test_bounds_of_nothing_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


# ------------------------------------------------------------------------- thinning, and a control


def overlapping(n_inputs, n_replicas, n_units, reach, seed=0):
    """Modes of inputs whose clouds meet, hard labels and antithetic points around two replicas."""
    rng = np.random.default_rng(seed)
    s = reach * rng.normal(size=(1, n_inputs, n_units))
    s = s + rng.normal(size=(n_replicas, n_inputs, n_units))
    z = rng.normal(size=(n_inputs, 2, n_units))
    noise = np.stack([z, -z], axis=2).reshape(n_inputs, 4, n_units)
    p = np.eye(2)[np.arange(n_inputs) % 2]
    return s, p, np.repeat([0, n_replicas // 2], 2), noise


@pytest.mark.parametrize(("n_units", "reach"), [(2, 1.0), (3, 2.0), (5, 2.0)])
def test_thinned_replicas_say_what_all_of_them_say(n_units, reach):
    """Where 2**16 modes are near; the error of the mean is that of independent points or less."""
    s, p, replicas, noise = overlapping(400, 640, n_units, reach)
    thinned = propagate(s, p, replicas, noise)
    whole = propagate(s, p, replicas, noise, tolerated=0.0)
    off = thinned - whole
    assert 1e-4 < np.abs(off).mean() < 0.1
    assert (np.abs(off.mean(axis=(0, 1))) < 0.005).all()


def test_few_modes_are_never_thinned():
    s, p, replicas, noise = overlapping(100, 640, 2, 1.0)
    expected = propagate_by_hand(s, p, replicas, noise[:, :4])
    np.testing.assert_allclose(propagate(s, p, replicas, noise, np.float64), expected, atol=2e-7)


def test_half_the_variance_is_what_thinning_takes_off():
    """The logarithm of a sum of some is too small on average: I(X;T) by 0.016 nat here."""
    s, p, replicas, noise = overlapping(2100, 128, 9, 1.5)
    whole = propagate(s, p, replicas, noise, tolerated=0.0)
    off = propagate(s, p, replicas, noise, tolerated=10.0) - whole
    assert np.abs(off).mean() > 0.1
    assert (np.abs(off.mean(axis=(0, 1))) < 0.009).all()


def test_kernels_are_squared_above_the_subnormal_numbers():
    assert np.float32(FLOOR) ** 2 > np.finfo(np.float32).tiny


@pytest.mark.parametrize("n_replicas", [1, 50])
def test_the_control_has_mean_zero(n_replicas):
    """Over replicas and noise, of every input: closed-form moments, points drawn at will."""
    rng = np.random.default_rng(4)
    s = rng.normal(size=(n_replicas, 6, 3)) * [1.0, 2.0, 0.1] + rng.normal(size=(6, 3))
    replicas = np.arange(40_000) % n_replicas
    noise = rng.normal(size=(6, len(replicas), 3))
    gain = gaussian_gain(s, replicas, noise, np.arange(6))
    assert (np.abs(gain.mean(axis=1)) < 5 * gain.std(axis=1) / 200).all()
    assert (gain.std(axis=1) > 0.1).all()


def test_the_control_of_gaussians_says_it_all():
    """A replica cloud that is Gaussian, few of many inputs: hardly any scatter is left."""
    s, p, replicas, noise = overlapping(400, 200, 2, 0.5)
    gains = propagate(s, p, replicas, noise)[..., 0]
    control = gaussian_gain(s, replicas, noise, np.arange(400))
    within = [one - one.mean(axis=1, keepdims=True) for one in (gains, control)]
    assert np.corrcoef(within[0].ravel(), within[1].ravel())[0, 1] > 0.97


def test_the_control_makes_the_error_smaller_and_honest():
    """Against the same points without it, and against the spread over seeds."""
    s, *_ = overlapping(60, 30, 3, 1.0)
    y = np.arange(60) % 2
    found = [SamplePropagation(1.0, n_pairs=2, seed=k).with_errors(s, y) for k in range(150)]
    spread = np.std([one.i_xt for one in found], ddof=1)
    assert np.mean([one.i_xt_error for one in found]) == pytest.approx(spread, rel=0.2)
    few = SamplePropagation(1.0, n_pairs=2, n_inputs=40).with_errors(s, y)
    assert np.isfinite(few).all()
