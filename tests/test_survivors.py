"""Statements of the library that a planted fault once survived; each fault is named."""

from types import SimpleNamespace

import numpy as np
import pytest

import ibcore as ib
from ibcore import theory
from ibcore.config import Experiment
from ibcore.networks import Ensemble
from ibcore.observables import SelfConsistency
from ibcore.tasks import load_task
from ibcore.training import measured_noise

NOISE = 0.5


def linear_chain(*weights):
    """A linear network of one seed: (fan_in, unit) weights, no biases."""
    return Ensemble(
        tuple(np.asarray(w, np.float32)[None] for w in weights),
        tuple(np.zeros((1, np.shape(w)[1]), np.float32) for w in weights),
        "linear",
        "linear",
    )


# Fault: the same noise in every hidden layer of ``noisy_layers``.


def test_layers_draw_their_noise_independently():
    """Through identity weights an input of 0 gives S2 = Z1 and S3 = Z1 + Z2.

    Of 40 000 draws a correlation has a standard error of 0.005.
    """
    network = linear_chain(*[np.eye(2)] * 4)
    _, s2, s3, s4 = ib.noisy_layers(network, np.zeros((1, 2)), NOISE, 40_000)
    draws = np.concatenate([s2, s3 - s2, s4 - s3], axis=-1)[:, 0]
    np.testing.assert_allclose(np.corrcoef(draws.T), np.eye(6), atol=0.025)
    np.testing.assert_allclose(draws.std(axis=0), NOISE, rtol=0.02)


def test_information_of_a_linear_network_with_two_noisy_layers_below():
    """For x = ±1 and weights a, b, c: T3 = abc x + bc Z1 + c Z2 + Z3, two Gaussians.

    Their distance is 2 abc / σ √(b²c² + c² + 1) standard deviations; noise that is the same in
    both layers would give c²(1 + b)² in the place of b²c² + c², and 0.45 bit in the place of 0.61.
    Sampling leaves 0.02 bit.
    """
    a, b, c = 1.0, 1.2, 0.8
    network = linear_chain([[a]], [[b]], [[c]], [[1.0]])
    s3 = ib.noisy_layers(network, np.array([[-1.0], [1.0]]), NOISE, 10_000)[2]
    found = ib.SamplePropagation(noise_std=NOISE, n_pairs=1000)(s3, [0, 1]).i_xt
    half = a * b * c / (NOISE * np.sqrt((b * c) ** 2 + c**2 + 1))
    assert found == pytest.approx(theory.mixture_information([-half, half]), abs=0.06)


# Fault: the noise in measurement is the same at every epoch.


def test_noise_in_measurement_is_new_at_every_epoch_for_every_network_and_layer():
    """Uncorrelated, with the stated spread; 4 096 rows leave a correlation of 0.016."""
    settings = Experiment(hidden_widths=(2, 2), noise_std=NOISE)
    task = load_task("szt")
    draws = [measured_noise(settings, task, (3, 8), epoch, 4096) for epoch in (0, 1, 2, 300)]
    flat = np.concatenate([layer for one in draws for layer in one]).transpose(0, 2, 1)
    rows = flat.reshape(-1, 4096)
    assert len(rows) == 4 * 2 * 2 * 2  # epochs, networks, layers, units
    np.testing.assert_allclose(np.corrcoef(rows), np.eye(len(rows)), atol=0.08)
    np.testing.assert_allclose(rows.std(axis=1), NOISE, rtol=0.06)
    again = measured_noise(settings, task, (8,), 300, 4096)
    for one, other in zip(again, draws[-1], strict=True):
        np.testing.assert_array_equal(one[0], other[1])


def test_activations_of_unchanged_weights_move_with_the_epoch_by_their_noise_alone():
    """A learning rate of next to nothing: only the noise differs from epoch to epoch."""
    settings = Experiment(
        hidden_widths=(3,), noise_std=NOISE, learning_rate=1e-12, n_seeds=1, n_epochs=2,
        n_measured_epochs=3,
    )  # fmt: skip
    trajectory = ib.train(settings, progress=False)
    start, *later = (trajectory.activations(k)[0] for k in range(3))
    for one in later:
        assert (one - start).std() == pytest.approx(NOISE * np.sqrt(2), rel=0.05)


# Fault: another grid of β for the self-consistent encoder.

GRID = np.geomspace(0.1, 1000, 61)


def closest_beta(sure, right, n=2000):
    """β* of a binary layer that puts a share ``right`` of the inputs into the right one of its two
    values, where p(y|x) is ``sure`` of one label or of the other.
    """
    s = np.repeat([0, 1], n // 2)
    wrong = np.arange(n) % (n // 2) >= round(right * (n // 2))
    t = np.where(wrong, 1 - s, s)[:, None] - 0.5
    target = np.where(s[:, None] == [0, 1], sure, 1 - sure)
    view = SimpleNamespace(
        epoch=7, experiment=Experiment(n_epochs=7), layers=[t.astype(np.float32)], target=target,
        task=SimpleNamespace(measured_rows=None),
    )  # fmt: skip
    return SelfConsistency()(view)["ib_beta"][0]


@pytest.mark.parametrize(
    ("sure", "right"),
    [(0.99, 0.999), (0.9, 0.75), (0.8, 0.9), (0.6, 0.8), (0.55, 0.9), (0.53, 0.8)],
)
def test_beta_of_a_noisy_binary_layer_is_that_of_its_log_odds(sure, right):
    """p_β(t|x) is logistic: with q = right, a = sure and a' = qa + (1 - q)(1 - a) the cost is least
    where β (2a - 1) ln(a'/(1 - a')) = ln(q/(1 - q)); it is convex in β, so that the best of the 61
    values in [0.1, 1000] is one of the two beside it.
    """
    mixed = right * sure + (1 - right) * (1 - sure)
    known = np.log(right / (1 - right)) / ((2 * sure - 1) * np.log(mixed / (1 - mixed)))
    place = np.searchsorted(GRID, known)
    assert np.isclose(GRID[[place - 1, place]], closest_beta(sure, right), rtol=1e-9).any()


def test_the_grid_of_beta_ends_at_a_tenth_and_at_a_thousand():
    """Values that know nothing are encoded alike at every β; one that never errs wants β = ∞."""
    assert closest_beta(0.51, 0.5) == pytest.approx(0.1)
    assert closest_beta(0.51, 1.0) == pytest.approx(1000)
