"""Whatever comes in, a result or a sentence comes out: never another error, never NaN.

Warnings count as errors here, as in the whole suite. `make test` draws a hundred inputs for each
test, `make test-long` two thousand.
"""

import json
import math
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Literal, Optional

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ibcore import config, information, tasks
from ibcore.config import FIELDS, Experiment
from ibcore.estimators import Binning, Exact, KernelBound, OnTrainingRows
from ibcore.labels import label_distribution, numbered_labels
from ibcore.modules import measure
from ibcore.parameters import POSSIBLE, check_parameters, declared_types, type_name
from ibcore.tasks import Task, load_task, module_of, register_task


class Broken:
    """An object that fails whenever it is asked for anything."""

    def _fail(self, *_arguments, **_settings):
        raise RuntimeError("broken")

    __repr__ = __str__ = __eq__ = __len__ = __iter__ = __bool__ = __array__ = _fail
    __index__ = __float__ = __int__ = __getitem__ = _fail
    __hash__ = object.__hash__


def nested(depth):
    """A list in a list in a list ..."""
    found = []
    for _ in range(depth):
        found = [found]
    return found


ITSELF = [1]
ITSELF.append(ITSELF)
OBJECTS = [Broken(), nested(30), nested(5000), ITSELF, object(), int, len, ..., Path("x")]
OBJECTS += [Exact(), Exact, frozenset({1}), memoryview(b"ab"), range(10**30), np.float64]
EXOTIC = [Decimal("0.1"), Fraction(1, 3), np.timedelta64(3, "s"), np.datetime64("2017-03-02")]
EXOTIC += [np.longdouble("1e4000"), np.ma.masked, np.ma.array([1, 2], mask=[0, 1]), np.array(3)]
EXOTIC += [np.array(None), np.array([{}, 1]), np.array(["a", "b"]), np.array([2**63], np.uint64)]
TENSORS = [torch.ones(3, requires_grad=True), [torch.ones(1, requires_grad=True)]]
TENSORS += [torch.ones(2, 3).to_sparse(), torch.zeros(2, device="meta")]
ODD = [*OBJECTS, *EXOTIC, *TENSORS]


def odd_one(k):
    """By its place: hypothesis prints what it samples from, and some of them cannot be printed."""
    return ODD[k]


HUGE = st.sampled_from([9, 30, 400, 5000]).map(lambda digits: 10**digits)
NUMBERS = st.integers() | st.integers(-3, 40) | st.floats() | st.booleans() | st.complex_numbers()
NUMBERS |= HUGE | st.sampled_from([0.5, 1.0, 3.7, 1e-310, 1e300, 2**63])
SCALARS = st.none() | NUMBERS | st.text(max_size=8) | st.binary(max_size=4)
NUMPY = st.sampled_from(["i1", "u8", "f2", "f4", "f8", ">f8", "c8", "?", "g"]).flatmap(
    lambda kind: arrays(kind, st.sampled_from([(), (0,), (3,), (4, 2), (4, 0), (2, 1, 2)]))
)
ANYTHING = (
    SCALARS
    | st.integers(0, len(ODD) - 1).map(odd_one)
    | NUMPY
    | NUMPY.filter(lambda one: one.size).map(lambda one: one.flat[0])
    | st.lists(SCALARS, max_size=4)
    | st.lists(NUMBERS, max_size=3).map(tuple)
    | st.dictionaries(st.text(max_size=3), SCALARS, max_size=2)
    | st.lists(st.lists(NUMBERS, max_size=3), max_size=3)
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=3), one, max_size=2),
    max_leaves=5,
)
names = st.sampled_from
share = st.floats(0, 0.9)
USUAL = {
    "task": names(config.TASKS),
    "hidden_widths": st.lists(st.integers(1, 40), min_size=1, max_size=4),
    "activation": names(config.ACTIVATIONS),
    "initializer": names(config.INITIALIZERS),
    "init_gain": st.floats(1e-3, 10),
    "optimizer": names(config.OPTIMIZERS),
    "learning_rate": st.floats(1e-5, 1),
    "momentum": share,
    "loss": names(config.LOSSES),
    "l2": share,
    "l2_convention": names(config.L2_CONVENTIONS),
    "parseval": share,
    "parseval_form": names(config.PARSEVAL_FORMS),
    "regularized_layers": st.none() | st.lists(st.integers(1, 5), min_size=1, max_size=3),
    "noise_std": share,
    "convolutions": st.lists(st.integers(1, 9), max_size=2),
    "dropout": share,
    "bits": st.integers(0, 16),
    "norm_limit": share,
    "output_range": st.floats(1e-3, 10),
    "normalization": names(config.NORMALIZATIONS),
    "control": names(config.CONTROLS),
    "batch_size": st.none() | st.integers(1, 512),
    "n_epochs": st.integers(1, 10_000),
    "train_fraction": st.floats(0.01, 1),
    "split": names(config.SPLITS),
    "n_seeds": st.integers(1, 50),
    "first_seed": st.integers(0, 99),
    "n_measured_epochs": st.integers(2, 100),
    "measured_epochs": st.lists(st.integers(0, 9999)),
}


def half(usual):
    """A strategy for values that are meant, and as often anything."""
    return st.booleans().flatmap(lambda meant: usual if meant else ANYTHING)


def answer(call, *arguments, **settings):
    """What the call gives, or its refusal; any other error goes through and is a fault."""
    try:
        return call(*arguments, **settings)
    except (ValueError, OSError) as error:
        refusal = error
    assert str(refusal)
    return refusal


def check_experiment(found):
    """An experiment that was accepted can be written, read, named and laid out."""
    assert Experiment.from_json(found.to_json()) == found
    assert len(found.digest()) == 16
    assert {found.epochs[0], found.epochs[-1]} == {0, found.n_epochs}
    plain = {str, int, float, tuple, type(None)}
    assert {type(getattr(found, name)) for name in FIELDS} <= plain


def test_the_usual_values_cover_the_table():
    assert list(USUAL) == list(FIELDS)


@given(names(list(FIELDS)), ANYTHING)
def test_one_field_of_an_experiment(name, value):
    found = answer(Experiment, **{name: value})
    if isinstance(found, ValueError):
        assert name in str(found)
    else:
        check_experiment(found)


@given(st.fixed_dictionaries({}, optional=USUAL), st.dictionaries(names(list(FIELDS)), ANYTHING))
def test_many_fields_of_an_experiment(usual, odd):
    found = answer(Experiment, **usual)
    if isinstance(found, Experiment):
        check_experiment(found)
    changed = answer((found if isinstance(found, Experiment) else Experiment()).replace, **odd)
    if isinstance(changed, Experiment):
        check_experiment(changed)


@given(st.dictionaries(st.text(max_size=5) | names(list(FIELDS)), ANYTHING, max_size=2))
def test_replace_with_any_names(changes):
    found = answer(Experiment().replace, **changes)
    if set(changes) - set(FIELDS):
        assert "its fields are" in str(found)


@given(ANYTHING | st.text() | JSON.map(json.dumps))
def test_a_stored_experiment_from_any_text(text):
    assert not isinstance(answer(Experiment.from_json, text), Experiment)


@given(
    st.fixed_dictionaries({}, optional=USUAL),
    st.dictionaries(names(list(FIELDS)) | st.text(max_size=3), JSON, max_size=2),
    st.sets(names(list(FIELDS)), max_size=2),
)
def test_a_stored_experiment_that_was_edited(usual, edited, lost):
    experiment = answer(Experiment, **usual)
    whole = Experiment() if isinstance(experiment, ValueError) else experiment
    stored = json.loads(whole.to_json()) | edited
    found = answer(
        Experiment.from_json, json.dumps({k: v for k, v in stored.items() if k not in lost})
    )
    if isinstance(found, Experiment):
        check_experiment(found)


@given(st.text(max_size=8) | names(config.TASKS[:3]), st.text(max_size=8))
def test_any_name_of_a_task(name, content):
    known = dict(config.OWN_TASKS)
    try:
        refused = isinstance(answer(config.accept_task, name, content), ValueError)
        assert refused == (name in config.TASKS)
    finally:
        config.OWN_TASKS.clear()
        config.OWN_TASKS.update(known)


# Parameters of a notebook ---------------------------------------------------------------------

TOKENS = ["int", "float", "None", "Optional", "typing.", "tuple", "list", "dict", "Literal"]
TOKENS += ["print", "[", "]", "(", ")", "|"]
TOKENS += ["[int]", "[str, int]", ", ...", ",", "'a'", " ", "\0", "9" * 5000]
WORDS = st.lists(names(TOKENS), max_size=6).map("".join)
ANNOTATIONS = (
    names(["int", "float", "Optional[int]", "tuple[int, ...]", "dict[str, int]", "list", "Any"])
    | names([int, bool, Optional, list[int], dict[int], tuple[()], Literal["a"], int | None])
    | WORDS
    | ANYTHING
)
PARAMETERS = names([*POSSIBLE, "recompute", "my_own", "In", "Out", "_ih", "__class__", "_x", "ib"])
CELLS = st.lists(names(["x = 3", "ib = 5", "%magic", "\0", "n_bins: int = 3"]) | WORDS, max_size=3)


@given(
    st.dictionaries(PARAMETERS, ANNOTATIONS, max_size=3) | ANYTHING,
    st.dictionaries(PARAMETERS | st.text(max_size=3), ANYTHING, max_size=4),
    CELLS,
)
def test_any_namespace_of_a_notebook(annotations, values, cells):
    namespace = {"In": cells, **values, "__annotations__": annotations}
    found = answer(check_parameters, namespace)
    if isinstance(found, dict):
        for name, kind in declared_types(namespace).items():
            assert name in namespace
            assert type_name(kind)
    assert isinstance(answer(check_parameters, annotations), ValueError | dict)


@given(names(list(POSSIBLE)), ANYTHING)
def test_any_value_of_a_parameter(name, value):
    """What passes the check of a notebook passes as a field of an experiment too."""
    cell = {"__annotations__": {name: "Any"}, name: value}
    found = answer(check_parameters, cell)
    scan = isinstance(value, list | tuple)
    if found is None and name in FIELDS and value is not None and not scan:
        FIELDS[name].read(value)


@given(WORDS)
def test_any_text_as_annotation(text):
    found = answer(declared_types, {"__annotations__": {"n": text}})
    assert isinstance(found, ValueError) or type_name(found["n"])


# Tasks and labels -----------------------------------------------------------------------------


def usual_task(n):
    """Arrays of a task of n samples; the rows may be too many."""
    hard, soft = st.integers(0, 2), st.floats(0, 1)
    needed = {
        "x": arrays("f4", (n, 2), elements=st.floats(-2, 2, width=16)),
        "y": arrays("i8", n, elements=hard) | arrays("f8", n, elements=soft),
        "n_classes": st.integers(2, 3),
    }
    rows = arrays("i8", 2, elements=st.integers(0, 5))
    groups = arrays("i8", n, elements=st.integers(0, 5))
    return st.fixed_dictionaries(needed, optional={"measured_rows": rows, "groups": groups})


@pytest.fixture(scope="module")
def registry():
    """Give nothing; forget at the end which tasks were registered."""
    before = dict(tasks._own), dict(config.OWN_TASKS)
    yield
    for now, then in zip((tasks._own, config.OWN_TASKS), before, strict=True):
        now.clear()
        now.update(then)


FIELDS_OF_TASK = names([*tasks.base.ARRAYS, "name", "n_classes", "teacher_noise_variance"])


@given(st.integers(2, 6).flatmap(usual_task), st.dictionaries(FIELDS_OF_TASK, ANYTHING, max_size=2))
@pytest.mark.usefixtures("registry")
def test_any_task(usual, odd):
    task = answer(Task, **{"name": "any", "description": ""} | usual | odd)
    if isinstance(task, Task):
        assert -1e-9 <= task.information <= task.label_entropy + 1e-9 or task.teacher is not None
        assert math.isfinite(task.information)
        assert not isinstance(answer(register_task, task), OSError)
        if task.name not in config.TASKS:
            assert load_task(task.name).content() == task.content()
            assert len(Experiment(task=task.name).digest()) == 16


@given(ANYTHING)
def test_anything_in_place_of_a_task(value):
    assert isinstance(answer(register_task, value), ValueError)
    if not isinstance(value, str):
        assert isinstance(answer(load_task, value), ValueError)
        assert isinstance(answer(module_of, value), ValueError)


LABELS = (
    arrays("i8", 3, elements=st.integers(-1, 3))
    | arrays("f4", 3, elements=st.floats(0, 1, width=32))
    | st.lists(st.sampled_from([[0.5, 0.5], [0, 1], [0.25, 0.75]]), min_size=1, max_size=3)
)


@given(half(LABELS), half(st.none() | st.integers(1, 4)))
def test_any_labels(y, n_classes):
    found = answer(label_distribution, y, n_classes)
    if isinstance(found, np.ndarray) and found.size < 10**6:
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
        assert (found >= 0).all()
    numbered = answer(numbered_labels, y)
    if isinstance(numbered, tuple):
        assert sorted(set(numbered[0].tolist())) == list(range(numbered[1]))


@given(st.lists(st.integers() | st.integers(-3, 3), min_size=1) | st.lists(st.text(), min_size=1))
def test_labels_that_are_equal_get_equal_numbers(y):
    labels, n_classes = numbered_labels(y)
    assert n_classes == len(set(y))
    assert [sorted(set(y))[k] for k in labels] == y


FUNCTIONS = [information.entropy, information.binary_entropy, information.conditional_entropy]
FUNCTIONS += [information.mutual_information, information.conditional_mutual_information]
FUNCTIONS += [information.entropy_from_counts, information.mutual_information_from_counts]
TABLES = st.sampled_from([(3,), (2, 2), (2, 2, 2)]).flatmap(
    lambda shape: (
        arrays("i8", shape, elements=st.integers(0, 9))
        | arrays("f8", shape, elements=st.floats(0, 1)).map(lambda p: p / max(p.sum(), 1e-9))
    )
)


@given(names(FUNCTIONS), half(TABLES))
def test_any_table(function, table):
    found = answer(function, table)
    assert isinstance(found, ValueError) or np.isfinite(found).all()


@given(half(TABLES), half(TABLES))
def test_any_pair_of_distributions(p, q):
    found = answer(information.divergence, p, q)
    assert isinstance(found, ValueError) or found >= -1e-9


# A module of one's own ------------------------------------------------------------------------

MODULES = [
    torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2)),
    torch.nn.Linear(2, 1).double(),
    torch.nn.Embedding(5, 2),
    torch.nn.LSTM(2, 2),
    torch.nn.ReLU(),
    torch.nn.Linear(2, 2, dtype=torch.complex64),
    torch.nn.Flatten(0),
]
USUAL_MEASURE = {
    "module": st.just(MODULES[0]) | names(MODULES),
    "x": arrays("f4", (6, 2), elements=st.floats(-2, 2, width=16))
    | arrays("f8", (6, 2), elements=st.floats(-1e300, 1e300))
    | arrays("i8", (6, 2), elements=st.integers(-1, 5)),
    "y": arrays("i8", 6, elements=st.integers(-2, 2)) | arrays("f8", 6, elements=st.floats(0, 1)),
}
OTHER_MEASURE = {
    "layers": names([None, ["0"], ["0", "2"], [""], ["nowhere"]]),
    "estimators": names(
        [[Exact()], [Binning()], [KernelBound((0.1, 1e-300))], [OnTrainingRows(Exact())]]
    ),
    "chunk_size": st.integers(1, 7),
}


@given(
    st.fixed_dictionaries(USUAL_MEASURE, optional=OTHER_MEASURE),
    st.dictionaries(names([*USUAL_MEASURE, *OTHER_MEASURE]), ANYTHING, max_size=1),
)
def test_any_module_inputs_and_labels(usual, odd):
    found = answer(measure, **usual | odd)
    if not isinstance(found, ValueError):
        assert all(np.isfinite(found[name]).all() for name in ("i_xt", "i_ty") if name in found)
        assert "i_xt" in found
        assert ("i_ty" in found) == ((usual | odd)["y"] is not None)
