"""Nearest-neighbour estimates against closed forms."""

import numpy as np
import pytest

from ibcore.estimators.neighbours import (
    differential_entropy,
    label_information,
    mutual_information,
)

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("d", [1, 3])
def test_entropy_of_a_gaussian(d):
    """h = d/2 log2(2πe)."""
    found = differential_entropy(RNG.normal(size=(20_000, d)))
    assert found == pytest.approx(d / 2 * np.log2(2 * np.pi * np.e), abs=0.03)


def test_entropy_moves_with_the_scale():
    """h(aT) = h(T) + d log2 a, exactly: why it is no ruler for layers."""
    t = RNG.normal(size=(500, 4))
    expected = differential_entropy(t) + 4 * np.log2(10)
    assert differential_entropy(10 * t) == pytest.approx(expected)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_bivariate_gaussian(k):
    """ρ = 0.75: 0.413339 nats."""
    x, z = RNG.normal(size=(2, 20_000))
    found = mutual_information(x, 0.75 * x + np.sqrt(1 - 0.75**2) * z, k=k)
    assert found * np.log(2) == pytest.approx(0.413339, abs=0.02)


@pytest.mark.parametrize(("width", "nats"), [(0.1, 1.709438), (0.75, 0.333333)])
def test_additive_uniform_noise(width, nats):
    """X uniform on [0, 1], noise on ±ε: ε - ln 2ε up to ε = 1/2, then 1/(4ε)."""
    x, noise = RNG.random(20_000), RNG.uniform(-width, width, 20_000)
    assert mutual_information(x, x + noise) * np.log(2) == pytest.approx(nats, abs=0.03)


def test_independent_variables_share_nothing():
    x, t, y = RNG.random((2000, 2)), RNG.random((2000, 2)), RNG.integers(0, 3, 2000)
    assert mutual_information(x, t) == pytest.approx(0, abs=0.1)
    assert label_information(t, y) == pytest.approx(0, abs=0.1)


def test_label_of_separate_and_of_overlapping_uniforms():
    """Far apart: H(Y) = 1 bit. Half over each other: 1/2 bit."""
    y = np.arange(20_000) % 2
    t = RNG.random(20_000)
    assert label_information(t + 5 * y, y) == pytest.approx(1, abs=0.01)
    assert label_information(t + 0.5 * y, y) == pytest.approx(0.5, abs=0.03)


def test_duplicates_need_a_word():
    t = np.repeat(RNG.random((50, 2)), 4, axis=0)
    with pytest.raises(ValueError, match="200 of 200 rows equal their neighbours"):
        differential_entropy(t)
    small, tiny = differential_entropy(t, jitter=1e-3), differential_entropy(t, jitter=1e-9)
    assert small - tiny == pytest.approx(2 * np.log2(1e6), rel=0.1)  # the jitter sets the value


def test_wrong_input():
    with pytest.raises(ValueError, match="more than k=3 samples"):
        differential_entropy([[1.0], [2.0]])
    with pytest.raises(ValueError, match="as many rows"):
        mutual_information(np.zeros(10), np.zeros(9))
    with pytest.raises(ValueError, match="class 1 has 2 samples; k=3 needs 4"):
        label_information(np.arange(10.0), [0] * 8 + [1] * 2)
    with pytest.raises(ValueError, match="finite"):
        differential_entropy([[np.nan]] * 9)
