"""Entropy and mutual information of finite tables, held against theorems and closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ibcore.information import (
    binary_entropy,
    conditional_entropy,
    conditional_mutual_information,
    divergence,
    entropy,
    entropy_from_counts,
    mutual_information,
    mutual_information_from_counts,
)
from ibcore.labels import label_distribution, numbered_labels

# Sums of at most a few hundred terms of order 1: rounding stays below this.
EXACT = 1e-11


def table(seed, *shape):
    """Draw a random joint distribution with some impossible entries."""
    rng = np.random.default_rng(seed)
    p = rng.random(shape) * (rng.random(shape) < 0.8)
    p.flat[0] += 0.1
    return p / p.sum()


seeds = st.integers(0, 9999)
counts = arrays(np.int64, (4, 3), elements=st.integers(0, 50)).filter(lambda n: n.sum() > 0)


@pytest.mark.parametrize("n", [1, 2, 3, 4096])
def test_entropy_of_a_uniform_distribution_is_the_log_of_its_size(n):
    """H = log2 n."""
    assert entropy(np.full(n, 1 / n)) == pytest.approx(np.log2(n), abs=EXACT)


def test_entropy_of_certainty_is_a_positive_zero():
    """H = 0, and not the -0.0 that the formula gives in floats."""
    assert str(entropy([0.0, 1.0, 0.0])) == "0.0"


@given(seeds)
def test_entropy_is_at_most_the_log_of_the_number_of_outcomes(seed):
    """0 <= H(X) <= log2 |X|."""
    p = table(seed, 7)
    assert 0 <= entropy(p) <= np.log2(7) + EXACT


@given(seeds)
def test_grouping_property(seed):
    """H(p1, p2, ...) = H(p1 + p2, p3, ...) + (p1 + p2) h2(p1 / (p1 + p2)): Shannon's axiom."""
    p = table(seed, 6)
    pair = p[0] + p[1]
    grouped = entropy([pair, *p[2:]]) + pair * binary_entropy(p[0] / pair)
    assert entropy(p) == pytest.approx(grouped, abs=EXACT)


def test_binary_symmetric_channel():
    """I(X;Y) = 1 - h2(eps) for a uniform bit that is flipped with probability eps."""
    eps = 0.1
    p_xy = np.array([[1 - eps, eps], [eps, 1 - eps]]) / 2
    assert mutual_information(p_xy) == pytest.approx(1 - binary_entropy(eps), abs=EXACT)


@given(seeds)
def test_mutual_information_is_the_divergence_from_independence(seed):
    """I(X;Y) = D(p(x,y) || p(x) p(y)): the definition, in place of three entropies."""
    p = table(seed, 5, 4)
    product = np.outer(p.sum(axis=1), p.sum(axis=0))
    assert mutual_information(p) == pytest.approx(divergence(p, product), abs=EXACT)


@given(seeds)
def test_mutual_information_is_symmetric_and_below_both_entropies(seed):
    """0 <= I(X;Y) = I(Y;X) <= min(H(X), H(Y))."""
    p = table(seed, 5, 4)
    found = mutual_information(p)
    assert found == pytest.approx(mutual_information(p.T), abs=EXACT)
    assert -EXACT <= found <= min(entropy(p.sum(axis=0)), entropy(p.sum(axis=1))) + EXACT


@given(seeds)
def test_independent_variables_share_nothing(seed):
    """I(X;Y) = 0 where p(x,y) = p(x) p(y)."""
    p_xy = np.outer(table(seed, 5), table(seed + 1, 3))
    assert mutual_information(p_xy) == pytest.approx(0, abs=EXACT)


@given(seeds)
def test_conditional_entropy_is_the_mean_entropy_of_the_rows(seed):
    """H(Y|X) = sum of p(x) H(Y|X=x), and I(X;Y) = H(Y) - H(Y|X)."""
    p = table(seed, 5, 4)
    p_x = p.sum(axis=1)
    rows = sum(w * entropy(row / w) for w, row in zip(p_x, p, strict=True) if w > 0)
    assert conditional_entropy(p) == pytest.approx(rows, abs=EXACT)
    assert mutual_information(p) == pytest.approx(entropy(p.sum(axis=0)) - rows, abs=EXACT)


@given(seeds)
def test_chain_rule(seed):
    """I(X;Y,Z) = I(X;Z) + I(X;Y|Z), and I(X;Y|Z) >= 0."""
    p = table(seed, 3, 4, 2)
    conditional = conditional_mutual_information(p)
    whole = mutual_information(p.reshape(3, 8))
    assert whole == pytest.approx(mutual_information(p.sum(axis=1)) + conditional, abs=EXACT)
    assert conditional >= -EXACT


@given(seeds)
def test_data_processing_inequality(seed):
    """Y -> X -> T gives I(T;Y) <= I(X;Y), and T loses nothing where it is one to one."""
    p_xy = table(seed, 6, 3)
    encoder = np.random.default_rng(seed).dirichlet(np.ones(4), size=6)
    assert mutual_information(encoder.T @ p_xy) <= mutual_information(p_xy) + EXACT
    assert mutual_information(p_xy[::-1]) == pytest.approx(mutual_information(p_xy), abs=EXACT)


@given(seeds)
def test_divergence_is_never_negative(seed):
    """D(p || q) >= 0, Gibbs' inequality, with equality for q = p."""
    p, q = table(seed, 6), np.full(6, 1 / 6)
    assert divergence(p, q) >= -EXACT
    assert divergence(p, p) == 0.0


def test_divergence_from_all_but_nothing():
    """D((1, 0) || (q, 1 - q)) = -log2 q, where 1/q is beyond float64 too."""
    assert divergence([1.0, 0.0], [5e-324, 1.0]) == 1074


def test_divergence_is_infinite_outside_the_support():
    """D(p || q) = inf where q = 0 < p; but 0 log(0/0) = 0."""
    assert divergence([0.5, 0.5, 0.0], [1.0, 0.0, 0.0]) == np.inf
    assert divergence([1.0, 0.0], [1.0, 0.0]) == 0.0


@given(counts)
def test_counts_and_frequencies_agree(n_xy):
    """H and I from counts are those of the table of frequencies n / N."""
    p_xy = n_xy / n_xy.sum()
    assert entropy_from_counts(n_xy) == pytest.approx(entropy(p_xy), abs=EXACT)
    found = mutual_information_from_counts(n_xy)
    assert found == pytest.approx(mutual_information(p_xy), abs=EXACT)


@given(counts, st.randoms(use_true_random=False))
def test_the_order_of_symbols_does_not_change_a_single_bit(n_xy, random):
    """H and I are functions of the partition: equal floats, not nearly equal ones."""
    rows, columns = list(range(4)), list(range(3))
    random.shuffle(rows)
    random.shuffle(columns)
    moved = n_xy[rows][:, columns]
    assert entropy_from_counts(moved) == entropy_from_counts(n_xy)
    assert mutual_information_from_counts(moved) == mutual_information_from_counts(n_xy)


@settings(max_examples=30)
@given(counts)
def test_merging_symbols_never_adds_information(n_xy):
    """H and I(.;Y) do not grow when two symbols become one."""
    merged = np.vstack([n_xy[0] + n_xy[1], n_xy[2:]])
    assert entropy_from_counts(merged.sum(axis=1)) <= (
        entropy_from_counts(n_xy.sum(axis=1)) + EXACT
    )
    assert mutual_information_from_counts(merged) <= mutual_information_from_counts(n_xy) + EXACT


def test_hard_and_soft_certain_labels_are_one_distribution():
    """Integer labels, P(y=1|x) in {0, 1}, and one-hot rows say the same."""
    hard = np.array([0, 1, 1, 0])
    one_hot = label_distribution(hard)
    np.testing.assert_array_equal(one_hot, [[1, 0], [0, 1], [0, 1], [1, 0]])
    np.testing.assert_array_equal(label_distribution(hard.astype(float)), one_hot)
    np.testing.assert_array_equal(label_distribution(one_hot), one_hot)
    np.testing.assert_array_equal(label_distribution(hard == 1), one_hot)


def test_columns_are_the_classes_that_occur_or_those_asked_for():
    """Without a number of classes, one column each in sorted order; with it, 0..n-1."""
    assert label_distribution([0, 2]).tolist() == [[1, 0], [0, 1]]
    assert label_distribution([0, 2], n_classes=10).shape == (2, 10)
    assert label_distribution([0, 2], n_classes=3).tolist() == [[1, 0, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    "names",
    [
        [0, 1, 2],
        [-3, 5, 1_000_000],
        [2**63, 2**63 + 1, 2**64 - 1],
        [-(10**30), 0, 10**30],
        [-1, 0, 2**63],
        ["Diglett", "Seel", "Tauros"],
        [b"a", b"b", b"c"],
        ["a", "a\0", "b"],
    ],
)
def test_labels_of_any_name_are_numbered_in_order(names):
    """Only which are equal matters; large numbers cost no memory."""
    pattern = [2, 0, 1, 1, 0, 2]
    y = [names[k] for k in pattern]
    labels, n_classes = numbered_labels(y)
    assert labels.tolist() == pattern
    assert labels.dtype == np.int64
    assert n_classes == 3
    np.testing.assert_array_equal(label_distribution(y), np.eye(3)[pattern])
    np.testing.assert_array_equal(numbered_labels(np.array(y, dtype=object))[0], pattern)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=40))
def test_counting_numbers_as_sorting_does(y):
    """The fast way for small labels gives what np.unique gives."""
    labels, n_classes = numbered_labels(np.array(y))
    names, expected = np.unique(y, return_inverse=True)
    np.testing.assert_array_equal(labels, expected)
    assert n_classes == len(names)


def test_masked_labels_without_a_masked_entry_are_labels():
    assert numbered_labels(np.ma.array([3, 4]))[0].tolist() == [0, 1]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: entropy([0.5, 0.6]), "p must sum to 1, got 1.1"),
        (lambda: entropy([1.5, -0.5]), "non-negative and finite, got a smallest entry of -0.5"),
        (lambda: entropy([np.nan, 1.0]), "non-negative and finite"),
        (lambda: entropy([]), "at least one probability"),
        (lambda: binary_entropy([0.5, 1.5]), "lie in .0, 1., got values from 0.5 to 1.5"),
        (lambda: mutual_information([0.5, 0.5]), "two axes"),
        (lambda: mutual_information([[2.0, 3.0]]), "p_xy must sum to 1, got 5"),
        (lambda: conditional_mutual_information([[1.0]]), "three axes"),
        (lambda: divergence([1.0], [0.5, 0.5]), "one shape"),
        (lambda: entropy_from_counts([0.5, 0.5]), "whole numbers of an integer dtype"),
        (lambda: entropy_from_counts([3, -1]), "non-negative with a positive sum"),
        (lambda: entropy_from_counts([0, 0]), "non-negative with a positive sum"),
        (lambda: mutual_information_from_counts([1, 2]), "two axes"),
        (lambda: binary_entropy([0.5, 1j]), "p must hold real numbers, got dtype complex128"),
        (lambda: entropy([[0.5], [0.25, 0.25]]), "p cannot be read as an array: .*inhomogeneous"),
        (lambda: entropy(np.ma.array([1.0, 1.0], mask=[0, 1])), "p is a masked array"),
        (lambda: entropy([1e308] * 20), "p must sum to 1, got inf"),
        (lambda: entropy_from_counts(np.array([2**63], np.uint64)), "sum to less than 2..53"),
        (lambda: label_distribution([0, -1], n_classes=2), "must lie in 0..1, got -1..0; number"),
        (lambda: label_distribution([0, 5], n_classes=3), "must lie in 0..2, got 0..5"),
        (lambda: label_distribution(["b", "a"], n_classes=2), "must lie in 0..1, got a..b"),
        (
            lambda: label_distribution([0], n_classes=2.5),
            "n_classes must be a whole number from 1 .* got 2.5",
        ),
        (lambda: label_distribution([0], n_classes=0), "n_classes must be a whole number .* got 0"),
        (
            lambda: label_distribution([0], n_classes=np.timedelta64(2)),
            "got <class 'numpy.time",
        ),
        (lambda: label_distribution([0], n_classes=True), "n_classes must be .* got True"),
        (lambda: label_distribution([0], n_classes=[2]), "n_classes must be .* got <class 'list'>"),
        (
            lambda: label_distribution([0] * 9, n_classes=2**26),
            "would fill 4.5 GiB; are the labels",
        ),
        (lambda: label_distribution(range(20_000)), "20000 classes of 20000 samples would fill"),
        (lambda: label_distribution([0.0, 2.0]), "give class labels an integer dtype"),
        (lambda: label_distribution([[0.5, 0.6]]), "a row that misses 1 by 0.1"),
        (lambda: label_distribution([[0.5, 0.5]], n_classes=3), "y has 2 classes, expected"),
        (lambda: label_distribution([[np.inf, 0.5]]), "a row that misses 1 by inf"),
        (lambda: label_distribution(np.zeros((2, 0))), "got none and a row that misses 1 by 1"),
        (lambda: label_distribution([]), "must lie in .0, 1., got none"),
        (lambda: label_distribution(["a", 1]), "all integers or all strings; y mixes kinds"),
        (lambda: label_distribution([1, None]), "all integers or all strings; y mixes kinds"),
        (lambda: label_distribution([1j]), r"got shape \(1,\) and dtype complex128"),
        (lambda: label_distribution(None), r"y must be .*; got shape \(\) and dtype object"),
        (lambda: label_distribution(1), "y must be .sample,. integers or strings"),
        (lambda: numbered_labels(np.ma.array([1, 2], mask=[0, 1])), "leave out its masked entries"),
        (lambda: numbered_labels([0.5]), "y must be .* got shape .1,. and dtype float64"),
    ],
)
def test_refusals_say_what_was_expected_and_what_came(call, message):
    """Every refusal is a ValueError with its reason."""
    with pytest.raises(ValueError, match=message):
        call()
