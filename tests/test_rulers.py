"""The protocol of rulers: what each owes, its defaults, and rulers of one's own."""

import operator
import re
import tracemalloc
from dataclasses import dataclass
from functools import reduce
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from known_rulers import every_ruler, layer, rulers, small_layer

import ibcore
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
    checked_rulers,
    from_name,
)
from ibcore.estimators.base import REGISTRY, choice, passes, truth_value
from ibcore.kinds import shown

# ------------------------------------------------------------------------------------- one's own


@pytest.fixture
def registry():
    """The names there are, put back after the test."""
    before = dict(REGISTRY)
    yield REGISTRY
    REGISTRY.clear()
    REGISTRY.update(before)


def test_a_ruler_of_ones_own_is_named_and_read_like_the_others(registry):
    @dataclass(frozen=True)
    class RowNorm(Ruler):
        """One bit: is a row longer than ``length``?"""

        length: float = 1.0
        measures = "I(X; |T| > length)"

        def __call__(self, t, y):
            long = np.linalg.norm(t, axis=1) > self.length
            return Exact()(long[:, None], y)

    mine = RowNorm(length=2.0)
    assert registry["RowNorm"] is RowNorm
    assert from_name(repr(mine)) == mine
    assert from_name("OnTrainingRows(RowNorm(2.0))") == OnTrainingRows(mine)
    assert checked_rulers([mine, Exact(), mine]) == [mine, Exact()]
    assert passes([mine, Exact()]) == [(mine, [0]), (Exact(), [1])]
    t, y = np.array([[3.0, 0], [0, 3], [1, 0], [0, 1]]), [0, 0, 1, 1]
    assert mine.entries(t, y).tolist() == [[1.0, 1.0]]


def test_a_class_of_ones_own_may_be_written_again(registry):
    for start in (1.0, 2.0):

        @dataclass(frozen=True)
        class Again(Ruler):
            length: float = start

    assert from_name("Again()").length == 2.0


def test_a_name_of_ibcore_is_taken(registry):
    with pytest.raises(ValueError, match=r"Exact is a ruler of ibcore; give the one in .* another"):
        type("Exact", (Ruler,), {"__module__": __name__})
    with pytest.raises(ValueError, match="Binning is a ruler of ibcore"):

        @dataclass(frozen=True, repr=False)
        class Binning(ibcore.Binning):
            pass

    assert registry["Exact"] is Exact


def test_a_ruler_that_extends_one_of_ibcore_has_a_name_of_its_own(registry):
    """Else its numbers would stand in a file as those of the other."""

    @dataclass(frozen=True, repr=False)
    class FinerBinning(Binning):
        pass

    @dataclass(frozen=True, repr=False)
    class Louder(KernelBound):
        gain: float = 2.0

        def __repr__(self):
            return f"Louder(noise_variance={self.noise_variance}, gain={self.gain})"

    assert repr(FinerBinning(width=0.1)) == "FinerBinning(width=0.1)"
    assert from_name("FinerBinning(width=0.1)") == FinerBinning(width=0.1)
    several = [Louder(0.1, gain=1.0), Louder(0.1, gain=2.0), Louder(0.2, gain=2.0)]
    assert sorted(places for _, places in passes(several)) == [[0], [1, 2]]


def test_a_name_that_does_not_lead_back_is_refused(registry):
    class NoDataclass(Ruler):
        pass

    @dataclass(frozen=True, repr=False)
    class Disguised(Binning):
        def __repr__(self):
            return "Binning(width=0.1)"

    for ruler in (NoDataclass(), Disguised()):
        with pytest.raises(ValueError, match=r"name of a ruler is its repr.*write @dataclass"):
            checked_rulers([ruler])


def test_what_has_no_place_among_the_names_stays_outside(registry):
    class _Hidden(Ruler):
        pass

    class Base(Ruler, named=False):
        pass

    assert not {"_Hidden", "Base"} & set(registry)


def test_a_class_that_cannot_be_built_is_a_name_that_is_refused(registry):
    @dataclass(frozen=True)
    class Moody(Ruler):
        def __post_init__(self):
            raise KeyError("moody")

    with pytest.raises(ValueError, match=r"'Moody\(\)' names no estimator \('moody'\)"):
        from_name("Moody()")


# ------------------------------------------------------------------------------- the protocol


@every_ruler
def test_what_a_ruler_owes(ruler):
    """Entries of levels, each of the numbers it names; labels of axes; parts that are rulers."""
    t, y = small_layer(3)
    t = np.clip(t, -1, 1)
    found = ruler.entries(t, y)
    assert found.shape == (len(ruler.levels()), len(ruler.numbers))
    assert found.dtype == np.float64
    assert ruler.numbers[:2] == ("i_xt", "i_ty")
    assert tuple(found[0, :2]) == ruler(t, y)
    result = ruler(t, y)
    assert isinstance(result, LayerInformation)
    assert [type(value) for value in result] == [float, float]
    assert isinstance(ruler.measures, str)
    assert "(" in ruler.measures, "a quantity, as it stands at an axis: I(X; T), H(T)"
    assert ruler.parts()[0] == ruler
    assert all(isinstance(part, Ruler) for part in ruler.parts())
    assert hash(ruler) == hash(from_name(repr(ruler)))


def test_the_defaults_are_those_of_a_ruler_of_layers():
    ruler, view = Exact(), SimpleNamespace(layers=["first", "second"])
    assert ruler.levels() == ruler.parts() == (ruler,)
    assert ruler.prepare(None) is ruler
    assert ruler.layers(view) == ["first", "second"]
    assert ruler.rows(view) == slice(None)
    assert Exact.together([ruler, ruler]) == [ruler, ruler]
    assert ruler.numbers == ("i_xt", "i_ty")
    assert Ruler().measures == "I(X; T)"
    assert ruler.row_per_sample
    assert not ruler.needs_run
    with pytest.raises(ValueError, match=r"Ruler does not say how to measure: write __call__"):
        Ruler()([[0.0], [1.0]], [0, 1])


def test_training_rows_are_those_of_the_ruler_they_lay():
    many = OnTrainingRows(KernelBound((0.1, 0.2)))
    view = SimpleNamespace(layers=["t"], rows=("train", "test"))
    assert many.levels() == (OnTrainingRows(KernelBound(0.1)), OnTrainingRows(KernelBound(0.2)))
    assert many.parts() == (many, KernelBound((0.1, 0.2)))
    assert many.rows(view) == "train"
    assert many.layers(view) == ["t"]
    assert many.numbers == KernelBound().numbers
    for wrong in (LinearGaussian(), SamplePropagation(), OnTrainingRows(Exact()), Exact, None):
        with pytest.raises(ValueError, match="has no rows to choose"):
            OnTrainingRows(wrong)


@settings(max_examples=200)
@given(mixture=st.lists(rulers, min_size=1, max_size=12), again=st.lists(st.integers(0, 99)))
def test_passes_cover_each_place_exactly_once(mixture, again):
    """Whatever is put together, and whatever prepared rulers agree: each entry has its place."""
    single = checked_rulers(mixture)
    single += [single[k % len(single)] for k in again]
    found = passes(single)
    places = reduce(operator.add, [places for _, places in found])
    assert sorted(places) == list(range(len(single)))
    for ruler, places in found:
        assert [repr(level) for level in ruler.levels()] == [repr(single[k]) for k in places]


def test_levels_of_one_kind_share_a_pass():
    """One sweep over the pairs serves them all, and no other kind of bound."""
    mixture = [KernelBound(0.1), Exact(), KernelBound(0.2), KernelBound(0.1, "lower"),
               LabelBound(0.1), KernelBound(0.4)]  # fmt: skip
    found = dict((repr(ruler), places) for ruler, places in passes(mixture))
    assert found["KernelBound(noise_variance=(0.1, 0.2, 0.4), bound='upper')"] == [0, 2, 5]
    assert sorted(found.values()) == [[0, 2, 5], [1], [3], [4]]


@settings(max_examples=100)
@given(mixture=st.lists(rulers, min_size=1, max_size=6))
def test_levels_are_spelt_out_and_named_once(mixture):
    single = checked_rulers([*mixture, *mixture])
    assert all(one.levels() == (one,) for one in single)
    assert len({repr(one) for one in single}) == len(single)
    assert {repr(one) for one in single} == {
        repr(level) for one in mixture for level in one.levels()
    }


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (Exact(), r"must be a list of rulers, got Exact\(\); write \[ib.Exact\(\)\]"),
        (None, "must be a list of rulers, got None"),
        (3, "must be a list of rulers, got 3"),
        ([], "give at least one estimator"),
        (["Exact()"], r"an estimator must be a ruler .*, got 'Exact\(\)'"),
        ([Exact], "an estimator must be a ruler .*, got <class"),
        ([lambda t, y: (0, 0)], "an estimator must be a ruler"),
        ([10**9000], "an estimator must be a ruler .* that cannot be printed"),
    ],
    ids=lambda one: re.sub(" at 0x.*", "", shown(one, 30)),
)
def test_what_is_no_list_of_rulers_is_refused(asked, message):
    with pytest.raises(ValueError, match=message):
        checked_rulers(asked)


def test_settings_that_are_words_or_switches():
    assert choice("bound", np.str_("upper"), ("upper", "lower")) == "upper"
    assert type(choice("bound", np.str_("upper"), ("upper",))) is str
    with pytest.raises(ValueError, match="bound must be one of upper, lower; got None"):
        choice("bound", None, ("upper", "lower"))
    for wrong in (1, 0, None, "True", np.True_):
        with pytest.raises(ValueError, match="released must be True or False, got"):
            truth_value("released", wrong)
    with pytest.raises(ValueError, match="inputs must be one of all, relevant, irrelevant; got"):
        LinearGaussian(inputs=np.array(["all"]))


# ------------------------------------------------------------------------------- labels are names

NAMES = {
    "negative": [-(10**12), -7, -1],
    "large": [0, 1_000_000, 2**62],
    "beyond 64 bits": [0, 2**64, 2**70],
    "unsigned": np.array([0, 3, 2**64 - 1], np.uint64),
    "text": ["ant", "bee", "cat"],
    "objects": np.array(["ant", "bee", "cat"], object),
    "bytes": np.array([b"ant", b"bee", b"cat"]),
    "small": np.array([0, 1, 2], np.int8),
}


@every_ruler
@pytest.mark.parametrize("kind", NAMES)
def test_names_of_classes_leave_no_trace(ruler, kind):
    """The same floats, bit for bit, as with 0, 1, 2; names that sort otherwise: see the laws."""
    t, _ = small_layer(5)
    t, y = np.clip(t, -1, 1), np.arange(len(t)) % 3
    names = NAMES[kind]
    named = [names[k] for k in y] if isinstance(names, list) else names[y]
    assert ruler(t, named) == ruler(t, y)


@every_ruler
def test_two_classes_may_be_yes_and_no(ruler):
    t, _ = small_layer(5)
    t, y = np.clip(t, -1, 1), np.arange(len(t)) % 2
    assert ruler(t, y == 1) == ruler(t, y) == ruler(t, ["no", "yes"] * (len(t) // 2)
                                                    + ["no"] * (len(t) % 2))  # fmt: skip


@every_ruler
def test_large_labels_take_no_memory(ruler):
    """0, 500 000 and 1 000 000 for 200 samples took 7 TiB in the kernel bounds."""
    t, _ = layer(3)
    t = np.clip(np.resize(t, (60, t.shape[1])), -1, 1)
    t[0] = 1.0
    y = np.array([0, 500_000, 1_000_000])[np.arange(60) % 3]
    ruler(t, y)  # compiled
    tracemalloc.start()
    ruler(t, y)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6
