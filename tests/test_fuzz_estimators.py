"""Whatever a ruler is given, bits or a sentence come out: never another error, never NaN.

Warnings count as errors here, as in the whole suite. `make test` draws a hundred inputs for each
test, the profile "long" two thousand.
"""

from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from types import SimpleNamespace
from warnings import catch_warnings, simplefilter

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from known_rulers import EXACT, SETTINGS, SMOOTH, rulers

from ibcore.estimators import (
    Binning,
    Exact,
    KernelBound,
    LabelBound,
    LayerInformation,
    LinearGaussian,
    OnTrainingRows,
    Ruler,
    SamplePropagation,
    TwiceNoisedKernelBound,
    checked_rulers,
    from_name,
    information_of_codes,
)
from ibcore.estimators.acceptance import gaussian_channel
from ibcore.estimators.counting import CountingRuler
from ibcore.estimators.kernel import kernel_information
from ibcore.estimators.propagation import (
    integration_bound,
    levels_apart,
    risk_bound,
    smoothed_entropy,
)
from ibcore.tasks import Task


class Broken:
    """An object that fails whenever it is asked for anything."""

    def _fail(self, *_arguments, **_settings):
        raise RuntimeError("broken")

    __repr__ = __str__ = __eq__ = __len__ = __iter__ = __bool__ = __array__ = _fail
    __index__ = __float__ = __int__ = __getitem__ = _fail
    __hash__ = object.__hash__


ITSELF = [1]
ITSELF.append(ITSELF)
with catch_warnings():
    simplefilter("ignore", PendingDeprecationWarning)  # that it is old is why it is here
    MATRIX = np.matrix([[1.0], [2.0]])
ODD = [
    None, Broken(), object(), int, len, ..., ITSELF, Decimal("0.1"), Fraction(1, 3), 10**400,
    10**5000, 0.1j, "", "upper", "Exact()", b"ab", range(3), range(10**30), frozenset({1}), {}, [],
    (), [[]], [[1], [1, 2]], [1, "a"], [None, 1], [True, False], np.bool_(True), np.float64(0.5),
    np.int8(3), np.longdouble("1e4000"), np.timedelta64(3, "s"), np.datetime64("2017-03-02"),
    np.array(3), np.array(None), np.array([{}, 1]), np.array(["a", "b"]), np.ma.masked,
    np.array([2**63], np.uint64), np.ma.array([1.0, 2.0], mask=[0, 1]), np.ma.array([1.0, 2.0]),
    np.array([(1, 2.0)], dtype=[("a", int), ("b", float)]), memoryview(b"ab"), Exact, Exact(),
    MATRIX, torch.ones(3, 2), torch.ones(3, requires_grad=True),
    torch.ones(2, 3).to_sparse(), torch.zeros(2, device="meta"), lambda t, y: (0.0, 0.0),
]  # fmt: skip
EDGES = [0.0, -0.0, 5e-324, 1e-42, 1e-310, 0.5, 1.0, -1.0, 2.0**53, 3e38, 1e300, 1.7e308]
numbers = (
    st.integers() | st.floats() | st.booleans() | st.complex_numbers() | st.sampled_from(EDGES)
)
kinds = st.sampled_from(["i1", "u8", "i8", "f2", "f4", "f8", ">f4", "g", "c8", "?", "U2", "m8[s]"])
shapes = st.sampled_from([(), (0,), (3,), (4, 2), (4, 0), (0, 3), (1, 3), (2, 1, 2), (4, 1)])
any_array = kinds.flatmap(lambda kind: arrays(kind, shapes))
# By its place: hypothesis prints what it samples from, and some of these cannot be printed.
anything = (
    st.integers(0, len(ODD) - 1).map(lambda k: ODD[k])
    | numbers
    | st.text(max_size=6)
    | any_array
    | any_array.filter(lambda one: one.size).map(lambda one: one.flat[0])
    | st.lists(numbers, max_size=4)
    | st.lists(st.lists(numbers, max_size=3), max_size=4)
)

finite = st.sampled_from(EDGES) | st.floats(allow_nan=False, allow_infinity=False)
narrow = st.floats(allow_nan=False, allow_infinity=False, width=32)
layers = st.tuples(st.integers(2, 7), st.sampled_from([1, 2, 3, 70])).flatmap(
    lambda shape: (
        arrays("f8", shape, elements=finite, fill=finite)
        | arrays("f4", shape, elements=narrow, fill=narrow)
        | arrays("f8", shape, elements=st.floats(-1, 1), fill=st.floats(-1, 1))
        | arrays("i8", shape, elements=st.integers(-3, 3))
    )
)
positive = st.floats(5e-324, 1.7e308) | st.sampled_from([5e-324, 1e-300, 1e-3, 1.0, 1e300])
extreme = st.one_of(
    st.builds(KernelBound, positive, st.sampled_from(["upper", "lower"])),
    st.builds(KernelBound, st.lists(positive, min_size=1, max_size=3).map(tuple)),
    st.builds(KernelBound, positive,
              scale=st.sampled_from(["max", "max_squared", "rms_squared"])),
    st.builds(LabelBound, positive, st.sampled_from(["upper", "lower"])),
    st.builds(TwiceNoisedKernelBound, positive),
    st.builds(SamplePropagation, positive, n_inputs=st.none() | st.just(2)),
)  # fmt: skip
listed = st.sampled_from([*EXACT, *(one.ruler for one in SMOOTH)])
quick = rulers.map(
    lambda one: replace(one, n_pairs=2) if isinstance(one, SamplePropagation) else one
)


def labels_for(n):
    """Labels that fit, of any name or soft."""
    names = st.integers() | st.text(max_size=3)
    same = st.lists(names, min_size=3, max_size=3, unique_by=(type, repr)).filter(
        lambda found: len({type(one) for one in found}) == 1
    )
    return (
        st.tuples(same, st.lists(st.integers(0, 2), min_size=n, max_size=n)).map(
            lambda found: [found[0][k] for k in found[1]]
        )
        | arrays("f8", n, elements=st.floats(0, 1) | st.just(5e-324))
        | arrays("?", n)
    )


cases = layers.flatmap(lambda t: st.tuples(st.just(t), labels_for(len(t))))


def answer(call, *arguments, **settings_):
    """What the call gives, or its refusal; any other error goes through and is a fault."""
    try:
        return call(*arguments, **settings_)
    except ValueError as error:
        refusal = error
    assert len(str(refusal)) > 10
    return refusal


def check_ruler(found):
    """A ruler that was accepted has plain settings and a name that leads back to it."""
    assert isinstance(found, Ruler)
    assert from_name(repr(found)) == found
    assert checked_rulers([found])
    plain = (int, float, str, bool, tuple, type(None))
    values = [getattr(found, one.name) for one in fields(found)]
    assert all(type(one) in plain or isinstance(one, Ruler) for one in values)


def check_bits(found):
    """Bits are finite Python floats, and there are two of them for every level."""
    for one in found if isinstance(found, list) else [found]:
        assert isinstance(one, LayerInformation)
        assert [type(bits) for bits in one] == [float, float]
        assert np.isfinite(one).all()


# ---------------------------------------------------------------------------------------- settings

CLASSES = [*SETTINGS, Binning, OnTrainingRows]
FIELDS = [(kind, one.name) for kind in CLASSES for one in fields(kind)]


@given(st.sampled_from(FIELDS), anything)
def test_one_setting(field, value):
    """Accepted and plain, or refused by the name of the field."""
    kind, name = field
    found = answer(kind, **{name: value})
    if isinstance(found, ValueError):
        assert name in str(found) or kind is OnTrainingRows
    else:
        check_ruler(found)


@given(quick, st.lists(anything, min_size=4, max_size=4), st.sets(st.integers(0, 4)))
def test_many_settings(ruler, values, which):
    """Any of the settings of a ruler replaced."""
    names = [one.name for one in fields(ruler)]
    odd = {name: values[k % 4] for k, name in enumerate(names) if k in which}
    found = answer(replace, ruler, **odd)
    if isinstance(found, Ruler):
        check_ruler(found)
    elif not isinstance(ruler, OnTrainingRows):
        assert any(name in str(found) for name in names)


@given(anything | st.lists(anything, max_size=3) | st.lists(rulers, max_size=3))
def test_lists_of_rulers(asked):
    found = answer(checked_rulers, asked)
    assert isinstance(found, ValueError) or all(isinstance(one, Ruler) for one in found)


# ------------------------------------------------------------------------------------------ inputs


@given(listed | quick | extreme, anything, anything)
def test_any_layer_and_any_labels(ruler, t, y):
    found = answer(ruler, t, y)
    if not isinstance(found, ValueError):
        check_bits(found)


@given(listed | quick | extreme, layers, anything)
def test_any_labels(ruler, t, y):
    found = answer(ruler, t, y)
    if not isinstance(found, ValueError):
        check_bits(found)


@given(listed, st.integers(2, 4).flatmap(lambda n: arrays(kinds, (n, 2))), st.booleans())
def test_any_type_of_layer(ruler, t, as_list):
    y = np.arange(len(t)) % 2
    found = answer(ruler, t.tolist() if as_list else t, y)
    if not isinstance(found, ValueError):
        check_bits(found)


@given(st.sampled_from(EXACT), cases)
def test_counting_is_exact_for_any_numbers(ruler, case):
    """0 <= I(T;Y) <= I(X;T) <= log2 N wherever it does not refuse."""
    t, y = case
    found = answer(ruler, t, y)
    if not isinstance(found, ValueError):
        check_bits(found)
        assert isinstance(ruler, CountingRuler)
        assert -1e-10 <= found.i_ty <= found.i_xt + 1e-10 <= np.log2(len(t)) + 2e-10


@given(extreme, cases)
def test_noise_and_layers_of_any_size(ruler, case):
    """No more than log2 N, however large or small the noise and the layer."""
    t, y = case
    found = answer(ruler, t, y)
    if isinstance(found, ValueError):
        assert any(word in str(found) for word in ("noise", "beyond float", "must be finite"))
    else:
        check_bits(found)
        for one in found if isinstance(found, list) else [found]:
            assert one.i_xt <= np.log2(len(t)) + 2e-5


@given(extreme, cases)
def test_entries_are_what_a_result_keeps(ruler, case):
    """As the measuring loop asks: one row for each level, one column for each number."""
    found = answer(ruler.entries, *case)
    if not isinstance(found, ValueError):
        assert found.shape == (len(ruler.levels()), len(ruler.numbers))
        assert np.isfinite(found).all()


@given(
    arrays("f8", (2, 3), elements=finite, fill=finite),
    positive,
    st.sampled_from(["all", "relevant", "irrelevant"]),
)
def test_linear_networks_of_any_weights(weight, noise_variance, inputs):
    """The one ruler that asks its teacher first."""
    task = Task(
        name="linear",
        x=np.zeros((2, 3), np.float32),
        y=np.array([0, 1]),
        n_classes=2,
        description="two rows",
        target=np.array([[-1.0], [1.0]]),
        teacher=np.array([[1.0, 0.0, -2.0]]),
        teacher_noise_variance=0.5,
    )
    run = SimpleNamespace(task=task, experiment=SimpleNamespace(activation="linear"))
    found = answer(LinearGaussian(noise_variance, inputs).prepare(run), weight, [0, 1])
    if not isinstance(found, ValueError):
        check_bits(found)


@given(anything | arrays("i8", (3, 2)), anything | st.just([0, 1, 1]))
def test_any_codes(codes, y):
    found = answer(information_of_codes, codes, y)
    if not isinstance(found, ValueError):
        check_bits(found)


@given(layers, anything | st.lists(positive, max_size=3))
def test_any_variances(t, variances):
    found = answer(kernel_information, t, np.arange(len(t)) % 2, variances)
    assert isinstance(found, ValueError) or np.isfinite(found).all()


@given(anything | layers, anything | positive, anything | st.just(1))
def test_entropy_of_any_samples(samples, noise_std, n_pairs):
    few = n_pairs if not isinstance(n_pairs, int) or n_pairs < 5 else 5
    found = answer(smoothed_entropy, samples, noise_std, few)
    assert isinstance(found, ValueError) or np.isfinite(found)


@given(anything | st.integers(1, 99), anything | positive, anything | st.integers(2, 99), anything)
def test_bounds_of_any_layer(n_units, noise_std, n_samples, epsilon):
    for call, arguments in (
        (integration_bound, (n_units, noise_std, n_samples)),
        (risk_bound, (n_units, noise_std, n_samples, epsilon)),
        (levels_apart, (n_units, noise_std, epsilon)),
    ):
        found = answer(call, *arguments)
        assert isinstance(found, ValueError) or isfinite(found)


@given(anything | st.just([1.0]), anything, st.sampled_from(["n_samples", "n_units", "n_draws"]))
def test_any_channel(ratios, value, name):
    small = {"n_samples": 5, "n_units": 1, "n_draws": 1}
    odd = {name: value % 9 if type(value) is int else value}
    found = answer(gaussian_channel, ratios, **small | odd)
    if not isinstance(found, ValueError):
        assert np.isfinite(found.estimate).all()


# ------------------------------------------------------------------------------------------- names

literals = st.recursive(
    st.sampled_from(["0.1", "30", "'upper'", "None", "True", "-1", "1e400", "1j", "...", "b''"]),
    lambda one: st.lists(one, max_size=3).map(lambda some: f"({', '.join(some)})")
    | st.tuples(st.sampled_from(["Exact", "KernelBound", "open", "eval", "OnTrainingRows"]), one)
    .map(lambda call: f"{call[0]}({call[1]})"),
    max_leaves=4,
)  # fmt: skip
calls = st.tuples(
    st.sampled_from([kind.__name__ for kind in CLASSES] + ["exec", "type", "Ruler"]),
    st.lists(
        literals | st.tuples(st.sampled_from([name for _, name in FIELDS]), literals).map("=".join),
        max_size=3,
    ),
).map(lambda call: f"{call[0]}({', '.join(call[1])})")


def damaged(name, places, characters):
    """A name with some of its characters changed."""
    letters = list(name)
    for place, character in zip(places, characters, strict=False):
        letters[place % len(letters)] = character
    return "".join(letters)


names = (
    st.text()
    | st.text("()[]{}.,=_:'\"\\ \n0179eExact+-*lambdfor")
    | calls
    | st.builds(damaged, rulers.map(repr), st.lists(st.integers(0, 999), max_size=3),
                st.text(min_size=3))
)  # fmt: skip


@given(names | anything)
def test_any_name(name):
    """A ruler, whose own name leads back to it, or a refusal."""
    found = answer(from_name, name)
    if not isinstance(found, ValueError):
        check_ruler(found)
