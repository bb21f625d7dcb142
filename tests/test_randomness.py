"""Seeds decide: streams, their independence, and fair shuffles."""

from collections import Counter
from math import factorial

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ibcore.randomness import PURPOSES, generator, shuffled, shuffled_by_epoch


def test_streams_of_other_seeds_purposes_and_epochs_differ():
    keys = [(s, p, e) for s in (0, 1) for p in PURPOSES for e in (0, 1)]
    first = {generator(*key).integers(2**63) for key in keys}
    assert len(first) == len(keys)


@given(st.integers(1, 300), st.integers(0, 2**32))
def test_a_shuffle_is_a_permutation_of_a_copy(n, seed):
    rows = np.arange(n, dtype=np.int32)
    found = shuffled(rows, generator(seed, "batches"))
    assert sorted(found.tolist()) == list(range(n))
    assert rows.tolist() == list(range(n))
    assert found.dtype == rows.dtype


def test_the_shuffle_is_that_of_fisher_and_yates():
    """The textbook loop on the same uniform numbers."""
    rows, uniform = list(range(100)), generator(7, "batches", 3).random(100)
    for i in reversed(range(1, 100)):
        j = int(uniform[i] * (i + 1))
        rows[i], rows[j] = rows[j], rows[i]
    assert shuffled(np.arange(100), generator(7, "batches", 3)).tolist() == rows


@given(
    n=st.integers(1, 40), seed=st.integers(0, 10**15), first=st.integers(0, 2**32 - 3),
    purpose=st.sampled_from(list(PURPOSES)), kind=st.sampled_from(["i4", "i8"]),
)  # fmt: skip
def test_orders_of_many_epochs_are_those_of_numpys_generator(n, seed, first, purpose, kind):
    """Bit for bit, so that results of either way are one."""
    rows = np.arange(3, n + 3, dtype=kind)
    found = shuffled_by_epoch(rows, seed, purpose, first, 3)
    assert found.dtype == rows.dtype
    for k, order in enumerate(found):
        assert order.tolist() == shuffled(rows, generator(seed, purpose, first + k)).tolist()


def test_all_orders_are_equally_likely():
    """Chi-squared over the 120 orders of five rows; epochs as in training."""
    orders = Counter(
        tuple(shuffled(np.arange(5), generator(0, "batches", epoch)).tolist())
        for epoch in range(12_000)
    )
    assert len(orders) == factorial(5)
    assert stats.chisquare(list(orders.values())).pvalue > 1e-3
