"""Normal numbers by place: published vectors, the twin, moments, tails, independence, dtype."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ibcore.config import Experiment
from ibcore.normals import STRETCH, draw, normals, normals_by_hand, philox, philox_by_hand
from ibcore.randomness import PURPOSES
from ibcore.training import training_noise

SINGLE = 2e-6  # what float32 is off by, in standard deviations, of a number of usual size

# kat_vectors of Random123 (Salmon et al. 2011), philox4x32-10: counter, key, words
PUBLISHED = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
]  # fmt: skip


def numbers(text):
    return tuple(int(word, 16) for word in text.split())


def compiled_words(counter, key, n=1):
    words = np.zeros(4 * STRETCH, np.uint32)
    first, second, third, fourth = counter
    philox(np.uint64(key[0] | key[1] << 32), third, fourth, first, second, n, words)
    return words.reshape(4, STRETCH)[:, :n]


@pytest.mark.parametrize(("counter", "key", "words"), PUBLISHED)
def test_published_vectors(counter, key, words):
    counter, key, words = numbers(counter), numbers(key), numbers(words)
    assert philox_by_hand(counter, key) == words
    assert tuple(compiled_words(counter, key)[:, 0].tolist()) == words


def test_seven_rounds_are_also_those_published():
    assert philox_by_hand((0, 0, 0, 0), (0, 0), rounds=7) == numbers(
        "5f6fb709 0d893f64 4f121f81 4f730a48"
    )


word = st.integers(0, 2**32 - 1)


@given(st.tuples(st.integers(0, 2**32 - 300), word, word, word), st.tuples(word, word))
def test_compiled_words_are_those_of_the_twin_and_of_numpy(counter, key):
    n = 40
    found = compiled_words(counter, key, n)
    first, *rest = counter
    for s in (0, 1, n - 1):
        assert tuple(found[:, s].tolist()) == philox_by_hand((first + s, *rest), key)


@given(
    seed=st.integers(0, 10**15), purpose=st.sampled_from(list(PURPOSES)),
    epoch=st.integers(0, 10**6), n_units=st.integers(1, 9), n_places=st.integers(1, 300),
)  # fmt: skip
def test_fast_path_is_its_readable_twin(seed, purpose, epoch, n_units, n_places):
    found = normals(seed, purpose, epoch, n_units, n_places)
    assert found.shape == (n_units, n_places)
    assert found.dtype == np.float32
    expected = normals_by_hand(seed, purpose, epoch, n_units + n_units % 2, n_places)
    # a radius next to 0 comes from a number next to 1, which float32 knows to 2**-24
    radius = np.repeat(np.hypot(expected[::2], expected[1::2]), 2, axis=0)[:n_units]
    assert (np.abs(found - expected[:n_units]) < SINGLE + 2.0**-23 / radius).all()


def test_words_at_the_ends_give_finite_numbers():
    """All zeros are the farthest tail, all ones a radius of nearly nothing."""
    farthest = np.sqrt(-2 * np.log(2.0**-32))
    assert 6.6 < farthest < 6.7
    big = np.abs(normals(3, "noise", 0, 4, 2_000_000))
    assert np.isfinite(big).all()
    assert 4.8 < big.max() < farthest


SAMPLE = normals(11, "noise", 5, 8, 250_000)


def test_moments():
    """Mean, variance, skewness and kurtosis of each unit, within five standard errors."""
    n = SAMPLE.shape[1]
    for unit in SAMPLE.astype(float):
        assert abs(unit.mean()) < 5 / np.sqrt(n)
        assert abs(unit.var() - 1) < 5 * np.sqrt(2 / n)
        assert abs(stats.skew(unit)) < 5 * np.sqrt(6 / n)
        assert abs(stats.kurtosis(unit)) < 5 * np.sqrt(24 / n)


def test_distribution():
    for unit in SAMPLE:
        assert stats.kstest(unit, "norm").pvalue > 1e-4


@pytest.mark.parametrize("limit", [2.0, 3.0, 4.0, 4.5, 5.0])
def test_tails(limit):
    """How many lie beyond, on either side: Poisson numbers of the right mean."""
    found = normals(2, "noise", 1, 8, 4_000_000 if limit > 3 else 250_000)
    expected = found.size * stats.norm.sf(limit)
    for beyond in ((found > limit).sum(), (found < -limit).sum()):
        assert stats.poisson.cdf(beyond, expected) > 1e-5
        assert stats.poisson.sf(beyond - 1, expected) > 1e-5


def uncorrelated(a, b):
    """Values, sizes and squares: independent normals have none of these correlations."""
    a, b = a.astype(float).ravel(), b.astype(float).ravel()
    for f in (lambda z: z, np.abs, np.square):
        assert abs(np.corrcoef(f(a), f(b))[0, 1]) < 5 / np.sqrt(len(a))


def test_units_are_independent():
    """The two of a transform above all: they share a radius."""
    for one, other in combinations(SAMPLE, 2):
        uncorrelated(one, other)
    angle = np.arctan2(SAMPLE[0], SAMPLE[1])
    assert stats.kstest(angle, stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 1e-4
    assert stats.kstest(SAMPLE[0] ** 2 + SAMPLE[1] ** 2, stats.chi2(2).cdf).pvalue > 1e-4


@pytest.mark.parametrize("lag", [1, 2, 31, 32, 255, 256])
def test_places_are_independent(lag):
    for unit in SAMPLE:
        uncorrelated(unit[:-lag], unit[lag:])


def test_seeds_purposes_and_epochs_are_independent():
    """Neighbours in each, and seeds that differ in the upper word only."""
    here = normals(7, "noise", 4, 4, 100_000)
    for there in (
        (8, "noise", 4), (7 + 2**32, "noise", 4), (7, "noise", 5), (7, "noise", 4 + 2**16),
        (7, "batches", 4), (7, "measured_noise", 4),
    ):  # fmt: skip
        other = normals(*there, 4, 100_000)
        for shift in range(3):
            uncorrelated(here[:, : 100_000 - shift], other[:, shift:])


def test_layers_are_independent_in_training():
    settings = Experiment(hidden_widths=(3, 3, 2), noise_std=0.5)
    noise = training_noise(settings, 1, 100_000, 2)
    assert noise.shape == (8, 100_000)
    for one, other in combinations(noise, 2):
        uncorrelated(one, other)
    assert noise.std() == pytest.approx(0.5, rel=0.01)


@pytest.mark.parametrize("n_units", [1, 4, 5, 29])
@pytest.mark.parametrize("n", [1, 31, 32, 200, STRETCH])
def test_both_types_any_stretch_same_numbers(n_units, n):
    """What the loop draws, block by block in its own type, is what ``normals`` gives."""
    whole = normals(9, "noise", 6, n_units, 777 + n, 0.3)
    for kind in (np.float32, np.float64):
        room = np.zeros(-(-n_units // 4) * 4 * STRETCH, kind)
        draw(9, PURPOSES["noise"], 6, 777, n_units, n, 0.3, np.zeros(4 * STRETCH, np.uint32), room)
        found = room.reshape(-1, STRETCH)[:n_units, :n]
        np.testing.assert_array_equal(found, whole[:, 777:].astype(kind))


GOLDEN = [
    [1.650754, 0.893419, 0.808948],
    [-1.525617, -0.011811, -0.932641],
    [0.435036, 1.429295, 0.473165],
    [-0.286535, 1.133644, 0.454170],
]


def test_golden_numbers():
    """Seed to noise is part of the result: these change only with a new major version."""
    found = normals(1, "noise", 2, 4, 3)
    np.testing.assert_allclose(found, GOLDEN, atol=1e-5)
