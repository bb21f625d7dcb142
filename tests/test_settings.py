"""What an experiment may set besides its network: levels, limits, ranges, normalisation, nulls."""

import numpy as np
import pytest
import torch
from scipy.special import ndtri

from ibcore import Exact, Experiment, load_task
from ibcore.networks import activation_facts, lowest_level
from ibcore.networks.dense import rounded
from ibcore.training import dropout_factors, split_rows, train
from ibcore.training.torch_batched import Normalizer
from ibcore.training.torch_batched import rounded as rounded_by_torch

SHORT = Experiment(
    n_seeds=2,
    n_epochs=6,
    n_measured_epochs=4,
    batch_size=300,
    learning_rate=5e-3,
    train_fraction=0.5,
)


def trained(**settings):
    return train(SHORT.replace(**settings), progress=False)


def norms(trajectory):
    """(epoch, seed, layer) Frobenius norms of the weights."""
    each = [trajectory.ensemble(k).weights for k in range(len(trajectory.epochs))]
    return np.array([[np.linalg.norm(w, axis=(1, 2)) for w in one] for one in each]).swapaxes(1, 2)


# Levels


@pytest.mark.parametrize("bits", [1, 2, 5])
@pytest.mark.parametrize("activation", ["tanh", "relu", "elu", "sigmoid"])
def test_rounded_layers_have_as_many_levels_as_bits_allow(activation, bits):
    trajectory = trained(activation=activation, bits=bits)
    for k in range(len(trajectory.epochs)):
        network = trajectory.ensemble(k)
        for layer, t in enumerate(trajectory.activations(k)[:-1]):
            for s in range(2):
                high = float(network.ranges[layer][s, 0])
                levels = np.linspace(lowest_level(activation) * high, high, 2**bits)
                found = np.unique(t[s])
                assert len(found) <= 2**bits
                assert np.abs(found[:, None] - levels).min(axis=1).max() < 1e-6 * max(high, 1)


def test_levels_are_the_nearest_ones():
    t = np.linspace(-3, 3, 1001)
    found = rounded(t, -1.5, 1.5, 2)
    levels = np.array([-1.5, -0.5, 0.5, 1.5])
    distance = np.abs(t[:, None] - levels)
    assert np.allclose(np.abs(t - found), distance.min(axis=1))
    high = torch.tensor(1.5, dtype=torch.float64)
    assert np.array_equal(rounded_by_torch(torch.tensor(t), -high, high, 2).numpy(), found)


def test_the_gradient_passes_straight_through_between_the_levels_and_nowhere_else():
    t = torch.tensor([-2.0, -0.9, 0.0, 0.4, 1.1], requires_grad=True)
    high = torch.tensor(1.0)
    rounded_by_torch(t, -high, high, 3).sum().backward()
    assert t.grad.tolist() == [0, 1, 1, 1, 0]


def test_ranges_begin_at_1_and_follow_the_largest_activation_of_a_batch():
    """One update of a full batch: 0.99 + 0.01 max |t|, of the initial network."""
    settings = SHORT.replace(activation="relu", bits=4, batch_size=None, n_epochs=1, n_seeds=1)
    trajectory = train(settings.replace(n_measured_epochs=2), progress=False)
    start, end = trajectory.ensemble(0), trajectory.ensemble(1)
    assert [float(reach[0, 0]) for reach in start.ranges] == [1.0] * 5
    rows, _ = split_rows(trajectory.task, settings, 0)
    t = trajectory.task.x[rows].astype(np.float64)
    for layer in range(5):
        free = np.maximum(t @ start.weights[layer][0] + start.biases[layer][0], 0)
        assert float(end.ranges[layer][0, 0]) == pytest.approx(0.99 + 0.01 * free.max(), rel=1e-5)
        t = rounded(free, 0.0, 1.0, 4)


def test_a_dead_layer_keeps_a_range():
    task = load_task("szt")
    settings = SHORT.replace(activation="relu", bits=2, n_epochs=300, n_seeds=1)
    trajectory = train(settings.replace(learning_rate=2.0, optimizer="sgd"), progress=False)
    assert np.isfinite(trajectory.parameters).all()
    for reach in trajectory.ensemble(-1).ranges:
        assert reach.min() >= np.float32(1e-6)
    assert np.isfinite(trajectory.activations(-1, task.x[:9])[-1]).all()


def test_slopes_of_rounded_layers_are_those_of_the_training():
    network = trained(bits=2).ensemble(-1)
    z = np.linspace(-4, 4, 41)[None, :, None]
    reach = float(network.ranges[0][0, 0])
    t = np.tanh(z)
    expected = np.where(np.abs(t) <= reach, 1 - t * t, 0.0)
    assert np.allclose(network[0].slope(0, z), expected)


def test_exact_information_of_one_bit_units_is_at_most_their_number():
    trajectory = trained(bits=1, hidden_widths=(3, 2))
    task = load_task("szt")
    for k in range(len(trajectory.epochs)):
        for t, most in zip(trajectory.activations(k)[:-1], (3, 2), strict=True):
            assert 0 <= Exact()(t[0], task.y).i_xt <= most


# Ranges of activation functions


@pytest.mark.parametrize("activation", ["tanh", "softsign", "hard_tanh", "sigmoid", "elu", "relu"])
def test_an_output_range_moves_the_bounds_and_not_the_slope(activation):
    facts = activation_facts(activation)
    network = trained(activation=activation, output_range=3.0).ensemble(0)[0]
    z = np.array([-1e9, -1e-6, 1e-6, 1e9])[None, :, None]
    low, below, above, high = network.activate(0, z)[0, :, 0]
    assert (above - below) / 2e-6 == pytest.approx(facts.slope, rel=1e-4)
    for end, bound in ((low, facts.low), (high, facts.high)):
        if np.isfinite(bound):
            assert end == pytest.approx(3 * bound, abs=1e-3)


def test_an_output_range_leaves_a_homogeneous_network_alone():
    plain, wide = trained(activation="relu"), trained(activation="relu", output_range=4.0)
    assert np.array_equal(plain.parameters, wide.parameters)


# Dropout


def test_dropout_drops_its_share_and_keeps_the_mean():
    kept = dropout_factors(Experiment(dropout=0.3, hidden_widths=(50,)), 5, 4000, 2)
    assert set(np.unique(kept)) == {0.0, 1 / 0.7}
    assert kept.mean() == pytest.approx(1, abs=0.01)
    assert np.abs(np.corrcoef(kept)[~np.eye(50, dtype=bool)]).max() < 0.09
    again = dropout_factors(Experiment(dropout=0.3, hidden_widths=(50,)), 5, 4000, 3)
    assert abs(np.corrcoef(kept.ravel(), again.ravel())[0, 1]) < 0.01
    assert ndtri(0.3) < 0


# Norms


def test_norms_stay_below_their_limit():
    free, held = norms(trained()), norms(trained(norm_limit=1.05))
    assert (free[-1] > 1.06 * free[0]).any()
    assert (held <= 1.05 * held[0] * (1 + 1e-5)).all()
    assert held[-1] == pytest.approx(np.minimum(held[-1], 1.05 * held[0]), rel=1e-5)
    some = norms(trained(norm_limit=0.8, regularized_layers=(2,)))
    assert np.allclose(some[-1, :, 1], 0.8 * some[0, :, 1], rtol=1e-5)
    assert (some[-1, :, 0] > 0.9 * some[0, :, 0]).all()


def test_a_limit_that_is_never_reached_changes_nothing():
    assert np.array_equal(trained().parameters, trained(norm_limit=100.0).parameters)


# Batch normalisation


def test_batch_normalisation_is_that_of_torch():
    torch.manual_seed(0)
    own = Normalizer(torch.zeros(2, 4, dtype=torch.float64))
    twin = [torch.nn.BatchNorm1d(4, dtype=torch.float64) for _ in range(2)]
    for _ in range(5):
        z = torch.randn(2, 30, 4, dtype=torch.float64) * 3 + 1
        with torch.no_grad():
            own.scale += 0.1
            for one in twin:
                one.weight += 0.1
        expected = torch.stack([one(part) for one, part in zip(twin, z, strict=True)])
        assert torch.allclose(own(z), expected)
    weight = torch.randn(2, 3, 4, dtype=torch.float64)
    bias = torch.randn(2, 4, dtype=torch.float64)
    x = torch.randn(2, 20, 3, dtype=torch.float64)
    for one in twin:
        one.eval()
    folded, shift = own.folded(weight, bias)
    found = x @ folded + shift[:, None]
    wanted = [one(part) for one, part in zip(twin, x @ weight + bias[:, None], strict=True)]
    assert torch.allclose(found, torch.stack(wanted))


def test_a_normalised_network_is_stored_as_a_plain_one_and_learns():
    trajectory = trained(normalization="batch", n_epochs=60)
    trajectory.check()
    assert trajectory.engine == "torch"
    task = load_task("szt")
    right = (trajectory.activations(-1)[-1].argmax(-1) == task.y).mean(axis=1)
    assert (right > 0.9).all()


# The null without learning


def test_growth_keeps_directions_and_takes_norms():
    learnt, grown = trained(n_epochs=40), trained(n_epochs=40, control="growth")
    assert np.allclose(norms(grown), norms(learnt), rtol=1e-5)
    for k in range(len(grown.epochs)):
        now, start = grown.ensemble(k), grown.ensemble(0)
        for weight, first in zip(now.weights, start.weights, strict=True):
            cosine = (weight * first).sum((1, 2)) / (
                np.linalg.norm(weight, axis=(1, 2)) * np.linalg.norm(first, axis=(1, 2))
            )
            assert np.allclose(cosine, 1, atol=1e-6)
        assert all((bias == 0).all() for bias in now.biases)
    assert np.array_equal(learnt.parameters[0], grown.parameters[0])
    assert not np.allclose(learnt.parameters[-1], grown.parameters[-1])


# What does not go together, and names


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bits": 2, "activation": "prelu"}, "rounded activations go with neither"),
        ({"bits": 2, "noise_std": 0.1}, "rounded activations go with neither"),
        ({"bits": 2, "dropout": 0.1}, "rounded activations go with neither"),
        ({"normalization": "batch", "bits": 2}, "batch normalisation goes with neither"),
        ({"normalization": "batch", "dropout": 0.2}, "batch normalisation goes with neither"),
        ({"convolutions": (2,), "task": "digits", "norm_limit": 1.0}, "a convolutional network"),
        ({"convolutions": (2,), "task": "digits", "output_range": 2.0}, "a convolutional network"),
        ({"bits": 17}, "bits must be a whole number from 0 to 16"),
        ({"control": "frozen"}, "control must be one of none, growth"),
        ({"output_range": 0}, "output_range must be a number"),
    ],
)
def test_what_no_engine_can_do_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Experiment(**settings)


def test_settings_that_are_off_do_not_change_the_name_of_a_result():
    off = {
        "bits": 0, "norm_limit": 0.0, "output_range": 1.0, "normalization": "none",
        "control": "none", "dropout": 0.0,
    }  # fmt: skip
    assert Experiment(**off).digest() == Experiment().digest() == "aa5da6f8b478aa0c"
    on = {
        "bits": 3, "norm_limit": 2.0, "output_range": 2.0, "normalization": "batch",
        "control": "growth", "dropout": 0.1,
    }  # fmt: skip
    names = [Experiment(**{key: value}).digest() for key, value in on.items()]
    assert len({*names, Experiment().digest()}) == len(on) + 1


# Tasks


@pytest.mark.parametrize(("name", "rate"), [("szt_flip_1", 0.01), ("szt_flip_10", 0.1)])
def test_flipped_labels_are_those_of_the_task_with_a_chance(name, rate):
    hard, soft = load_task("szt"), load_task(name)
    assert np.allclose(soft.y, np.where(hard.y == 1, 1 - rate, rate))
    p = np.mean(soft.y)
    lost = -(rate * np.log2(rate) + (1 - rate) * np.log2(1 - rate))
    gained = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    assert soft.information == pytest.approx(gained - lost)


@pytest.mark.parametrize("which", ["aligned", "opposed"])
def test_uneven_inputs_have_the_variances_that_they_say(which):
    task = load_task(f"teacher_{which}")
    variance = task.x.astype(np.float64).var(axis=0) * 100
    assert np.allclose(variance, task.input_scale**2, rtol=0.15)
    assert (task.input_scale**2).mean() == pytest.approx(1)
    matters = np.flatnonzero(task.teacher[0])
    assert matters.tolist() == list(range(30) if which == "aligned" else range(70, 100))
    signal = task.x.astype(np.float64) @ task.teacher[0]
    assert signal.var() == pytest.approx(1, rel=0.1)
    assert task.information == pytest.approx(0.5 * np.log2(11))


@pytest.mark.parametrize(("name", "snr"), [("_snr10", 10), ("_snr100", 100), ("_clean", 1e8)])
def test_clearer_teachers_are_the_same_teacher_with_less_noise(name, snr):
    plain, clear = load_task("teacher_30"), load_task(f"teacher_30{name}")
    assert np.array_equal(plain.x, clear.x)
    assert np.allclose(plain.teacher, clear.teacher)
    signal = plain.x.astype(np.float64) @ plain.teacher[0]
    noise, fainter = plain.target[:, 0] - signal, clear.target[:, 0] - signal
    assert np.allclose(fainter, noise / np.sqrt(snr))
    assert clear.information == pytest.approx(0.5 * np.log2(1 + snr))
