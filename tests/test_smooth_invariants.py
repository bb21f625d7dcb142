"""What every ruler that sums kernels or integrates must satisfy, within its own tolerance.

A law is a function of (measured, t, y, within) that raises where it does not hold. A ruler that
breaks one by its definition says so in ``known_rulers``, and a test holds it to that too.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from known_rulers import SMOOTH, every_smooth, seeds, small_layer

from ibcore.information import entropy


def ceiling(measured, t, y, within):
    """P1: 0 <= I(X;T) <= log2 N."""
    assert -within <= measured(t, y).i_xt <= np.log2(len(t)) + within


def labels(measured, t, y, within):
    """P2, P3: 0 <= I(T;Y) <= min(I(X;T), H(Y))."""
    i_xt, i_ty = measured(t, y)
    assert -within <= i_ty <= min(i_xt, entropy(np.bincount(y) / len(y))) + within


def constant(measured, t, y, within):
    """A layer that does not move says nothing."""
    assert measured(np.repeat(t[:1], len(t), axis=0), y) == pytest.approx((0, 0), abs=within)


def order(measured, t, y, within):
    """P6: samples may come in any order."""
    sample = np.random.default_rng(len(t)).permutation(len(t))
    assert measured(t[sample], y[sample]) == pytest.approx(measured(t, y), abs=within)


def units(measured, t, y, within):
    """P6: units may."""
    unit = np.random.default_rng(len(t)).permutation(t.shape[1])
    assert measured(t[:, unit], y) == pytest.approx(measured(t, y), abs=within)


def classes(measured, t, y, within):
    """P6: and the names of classes."""
    assert measured(t, 7 - y) == pytest.approx(measured(t, y), abs=within)


def contraction(measured, t, y, within):
    """P12: rows that come closer tell no more."""
    assert measured(t / 2, y).i_xt <= measured(t, y).i_xt + within


def another_unit(measured, t, y, within):
    """P13: a unit less tells no more."""
    if t.shape[1] > 1 and np.ptp(t[:, 1:]):
        assert measured(t[:, 1:], y).i_xt <= measured(t, y).i_xt + within


def repetition(measured, t, y, within):
    """Every sample twice is the same population."""
    twice = measured(np.repeat(t, 2, axis=0), np.repeat(y, 2))
    assert twice == pytest.approx(measured(t, y), abs=within)


LAWS = {
    law.__name__: law
    for law in (
        ceiling, labels, constant, order, units, classes, contraction, another_unit, repetition,
    )
}  # fmt: skip
BROKEN = [(one, law) for one in SMOOTH for law in one.breaks]


@every_smooth
@pytest.mark.parametrize("law", LAWS)
@settings(max_examples=10)
@given(seed=seeds)
def test_law(law, smooth, seed):
    """Each of the laws above, or nothing where the ruler is known to break it."""
    if law not in smooth.breaks:
        LAWS[law](smooth.ruler, *small_layer(seed), smooth.within)


@pytest.mark.parametrize(("smooth", "law"), BROKEN, ids=lambda one: getattr(one, "ruler", one))
def test_a_law_that_a_ruler_is_said_to_break_is_broken(smooth, law):
    """Some layer among a thousand shows it; else the exception should go from the list."""
    for seed in range(1000):
        try:
            LAWS[law](smooth.ruler, *small_layer(seed), smooth.within)
        except AssertionError:
            return
    pytest.fail(f"{smooth.ruler} obeys {law}: take the name out of known_rulers.SMOOTH")


@every_smooth
def test_the_layer_is_left_as_it_was(smooth):
    """Rulers neither write to their arguments nor depend on their memory layout."""
    t, y = small_layer(11)
    kept = t.copy()
    found = smooth.ruler(t, y)
    assert smooth.ruler(np.asfortranarray(t), y) == found
    assert smooth.ruler(np.repeat(t, 2, axis=1)[:, ::2], y) == found
    assert smooth.ruler(t.tolist(), y.tolist()) == pytest.approx(found, abs=smooth.within)
    np.testing.assert_array_equal(t, kept)
