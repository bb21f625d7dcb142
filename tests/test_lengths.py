"""Lengths at the scale of a ruler, and synergy: closed forms, brute force, edges."""

import time
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_rulers import layer, plain_information, rows

import ibcore as ib
from ibcore import geometry
from ibcore.estimators.rows import some_rows
from ibcore.information import conditional_mutual_information
from ibcore.observables import OBSERVABLES, LocalLengths, Synergy
from ibcore.observables.synergy import binary_words, input_synergy, unit_synergy
from ibcore.results.run import run

# ------------------------------------------------------------------------------------- lengths


def slow_lengths(t, y, k, width, floor):
    """Every pair by itself."""
    logs, close, pairs = [], 0, 0
    for i in range(len(t)):
        others = [j for j in range(len(t)) if j != i and y[j] == y[i]]
        far = sorted(np.sqrt(sum((t[i] - t[j]) ** 2)) for j in others)
        if len(far) >= k:
            logs.append(np.log2(max(far[k - 1], floor)))
    for i, j in combinations(range(len(t)), 2):
        if y[i] == y[j]:
            pairs += 1
            close += max(abs(t[i] - t[j])) < width
    return np.mean(logs) if logs else np.nan, close / pairs if pairs else np.nan


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 25), width=st.sampled_from([2 / 30, 0.5, 3.0]))
def test_lengths_are_those_of_all_pairs(seed, k, width):
    """Duplicates, dead units, classes without a k-th neighbour, any number of classes."""
    t, y = layer(seed, most=60)
    t = t.astype(np.float64)
    wanted = slow_lengths(t, y, k, width, 2.0**-24)
    assert geometry.lengths(t, y, k, width) == pytest.approx(wanted, nan_ok=True)


def test_a_line_of_points_has_known_lengths():
    """The 20th neighbour is 10 steps away inside, 20 at the ends; a scale adds its logarithm."""
    t, h = np.arange(2001.0)[:, None], 2.0**-6
    inside = np.log2(10 * h)
    found = geometry.lengths(h * t, np.zeros(2001, int))
    steps = [max(10, 20 - min(i, 2000 - i)) for i in range(2001)]
    assert found.log_distance == pytest.approx(np.log2(h) + np.log2(steps).mean())
    assert found.log_distance == pytest.approx(inside, abs=0.01)
    near = sum(2001 - step for step in range(1, 5))  # 4 h < 2/30 < 5 h
    assert found.close_pairs == near / (2001 * 2000 / 2)
    assert geometry.lengths(8 * h * t, np.zeros(2001, int)).log_distance == pytest.approx(
        found.log_distance + 3
    )


def test_equal_rows_lie_at_the_floor_and_are_close():
    found = geometry.lengths(np.zeros((50, 3)), np.zeros(50, int))
    assert found == (-24, 1)
    assert geometry.lengths(np.zeros((50, 3)), np.arange(50) % 2, floor=0.25) == (-2, 1)


def test_a_width_itself_is_not_below_it():
    assert geometry.lengths([[0.0], [0.5]], [0, 0], k=1, width=0.5).close_pairs == 0
    assert geometry.lengths([[0.0], [0.5]], [0, 0], k=1, width=np.nextafter(0.5, 1)) == (-1, 1)


def test_classes_too_small_do_not_count():
    """One class of 3 and singles: the 2nd neighbour exists in the one, a pair only there."""
    t, y = np.array([[0.0], [1.0], [2.0], [5.0], [9.0]]), [0, 0, 0, 1, 2]
    assert geometry.lengths(t, y, k=2) == (pytest.approx(np.log2([2, 1, 2]).mean()), 0)
    assert np.isnan(geometry.lengths(t, y, k=3).log_distance)
    assert np.isnan(geometry.lengths(t, np.arange(5))).all()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"k": 0}, "k must be"), ({"k": 1.5}, "k must be"), ({"width": 0}, "width must be"),
     ({"floor": np.inf}, "floor must be")],
)  # fmt: skip
def test_lengths_refuse_nonsense(wrong, words):
    with pytest.raises(ValueError, match=words):
        geometry.lengths(np.eye(3), [0, 0, 0], **wrong)


def test_a_layer_of_4096_rows_takes_little_time():
    rng = np.random.default_rng(0)
    t, y = np.tanh(rng.normal(size=(4096, 10))), rng.integers(0, 2, 4096)
    geometry.lengths(t[:50], y[:50])
    start = time.process_time()
    geometry.lengths(t, y)
    assert time.process_time() - start < 1  # 0.1 s when nothing else runs


def test_the_observable_takes_fixed_rows_of_many():
    """All rows of 4 096, the same 2 000 of more, class by class."""
    rng = np.random.default_rng(1)
    for n in (300, 5000):
        t, y = rng.normal(size=(n, 3)), rng.integers(0, 4, n)
        task = SimpleNamespace(measured_rows=np.arange(n), x=t)
        view = SimpleNamespace(task=task, target=np.eye(4)[y], layers=[t, 2 * t])
        chosen = np.arange(n) if n <= 4096 else some_rows(n, 2000)
        found = LocalLengths()(view)
        wanted = [geometry.lengths(scale * t[chosen], y[chosen]) for scale in (1, 2)]
        assert found["neighbour_log_distance"] == [one.log_distance for one in wanted]
        assert found["close_pairs"] == [one.close_pairs for one in wanted]


# ------------------------------------------------------------------------------------- synergy


def all_words(d, levels=(0.0, 1.0), seed=0):
    """Every word once, in any order."""
    x = np.array(np.meshgrid(*[levels] * d)).reshape(d, -1).T
    return np.random.default_rng(seed).permutation(x)


def by_definition(x, t):
    """Mean interaction information of a column of x and the rest, from textbook sums."""
    d = x.shape[1]
    symbols = np.unique(t, axis=0, return_inverse=True)[1].reshape(-1)
    of_t = np.eye(symbols.max() + 1)[symbols]

    def about(columns):
        return plain_information(rows(x[:, columns]), of_t)[1]

    every = list(range(d))
    return np.mean([about(every) - about([i]) - about([j for j in every if j != i]) for i in every])


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(2, 5))
def test_input_synergy_is_its_definition(seed, d):
    """The short form of the docstring, against I(X;T) - I(X_i;T) - I(X_-i;T) from full tables."""
    rng = np.random.default_rng(seed)
    x = all_words(d, levels=rng.choice([(0.0, 1.0), (-1.0, 1.0)]), seed=seed)
    t = rng.integers(0, rng.integers(1, 5), (2**d, rng.integers(1, 4)))
    found = input_synergy(binary_words(x), t)
    assert found == pytest.approx(by_definition(x, t), abs=1e-12)
    assert -1e-12 <= found <= 1


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), d=st.integers(2, 4))
def test_of_independent_bits_it_is_a_conditional_information(seed, d):
    """I(X_i; X_-i | T), which is why it is never negative."""
    x, rng = all_words(d, seed=seed), np.random.default_rng(seed)
    t = rng.integers(0, 4, 2**d)
    words, found = binary_words(x), []
    for bit in range(d):
        p = np.zeros((2, 2 ** (d - 1), 4))
        rest = (words >> (bit + 1) << bit) | (words & ((1 << bit) - 1))
        np.add.at(p, (words >> bit & 1, rest, t), 1 / 2**d)
        found.append(conditional_mutual_information(p))
    assert input_synergy(words, t[:, None]) == pytest.approx(np.mean(found), abs=1e-12)


def test_both_ends_have_no_synergy_and_parity_has_all():
    """Constant 0, injective 0, a copied bit 0, parity 1 bit."""
    x = all_words(12)
    words = binary_words(x)
    assert input_synergy(words, np.zeros((4096, 2), int)) == 0
    assert input_synergy(words, words[:, None]) == 0
    assert input_synergy(words, x[:, :1].astype(int)) == 0
    assert input_synergy(words, x.sum(axis=1, keepdims=True).astype(int) % 2) == 1


def test_saturation_looks_like_compression():
    """A layer that comes to know every word: I(X;T) rises to 12 bits and synergy falls to 0."""
    x = all_words(12)
    weights = np.random.default_rng(0).normal(size=(12, 3))
    known, synergy = [], []
    for bins in (4, 30, 300, 10_000):
        codes = np.floor(x @ weights * bins).astype(int)
        known.append(ib.estimators.information_of_codes(codes, x[:, 0]).i_xt)
        synergy.append(input_synergy(binary_words(x), codes))
    assert (np.diff(known) >= 0).all()
    assert known[-1] == 12
    assert (np.diff(synergy) <= 0).all()
    assert synergy[0] > 0.1
    assert synergy[-1] == 0


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_unit_synergy_is_its_definition(seed):
    rng = np.random.default_rng(seed)
    n, d, classes = int(rng.integers(2, 60)), int(rng.integers(2, 5)), int(rng.integers(1, 4))
    codes, y = rng.integers(0, 3, (n, d)), rng.integers(0, classes, n)
    p_y = np.eye(classes)[y]

    def about(columns):
        return plain_information(rows(codes[:, columns]), p_y)[1]

    every = list(range(d))
    wanted = np.mean(
        [about(every) - about([u]) - about([v for v in every if v != u]) for u in every]
    )
    assert unit_synergy(codes, y) == pytest.approx(wanted, abs=1e-12)


def test_units_that_repeat_are_redundant_and_exclusive_or_is_synergy():
    a, b = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert unit_synergy(np.stack([a, a], axis=1), a) == -1
    assert unit_synergy(np.stack([a, b], axis=1), a ^ b) == 1
    assert unit_synergy(a[:, None], a) == 0


def test_only_all_words_have_a_number():
    assert binary_words(all_words(3)) is not None
    assert binary_words(all_words(3)[:-1]) is None
    assert binary_words(np.repeat(all_words(2), 2, axis=0)) is None
    doubled = all_words(2)
    doubled[0] = doubled[1]
    assert binary_words(doubled) is None
    view = SimpleNamespace(x=np.eye(3), task=SimpleNamespace(name="eye"), layers=[np.eye(3)])
    with pytest.raises(ValueError, match=r"'eye' is not made of all words"):
        Synergy()(view)


# ---------------------------------------------------------------------------------------- a run


def test_a_run_holds_both_observables():
    experiment = ib.Experiment(
        task="szt", hidden_widths=(4, 3), n_epochs=2, n_seeds=2, n_measured_epochs=2
    )
    both = [OBSERVABLES["lengths"], OBSERVABLES["synergy"]]
    plane = run(experiment, [ib.Exact()], both, progress=False)
    task = ib.load_task("szt")
    t = ib.train(experiment, threads=1).activations(-1)[0][1]
    here = plane.isel(seed=1, epoch=-1, layer=0)
    wanted = geometry.lengths(t, task.y)
    assert float(here.neighbour_log_distance) == pytest.approx(wanted.log_distance, abs=1e-3)
    assert float(here.close_pairs) == pytest.approx(wanted.close_pairs, rel=1e-3)
    codes = ib.Binning().codes(t)
    assert float(here.synergy_inputs) == pytest.approx(
        input_synergy(binary_words(task.x), codes), abs=1e-3
    )
    assert float(here.synergy_units) == pytest.approx(unit_synergy(codes, task.y), abs=1e-3)
    for name in (*LocalLengths.variables, *Synergy.variables):
        assert plane[name].dims == ("seed", "epoch", "layer")
