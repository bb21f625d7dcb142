"""A chapter refuses parameters it does not know, under plain papermill too."""

import linecache
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal, Optional

import nbformat
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibcore.config import FIELDS
from ibcore.parameters import POSSIBLE, check_parameters, declared_types, has_type, type_name

OLD_SPELLING = Optional  # the only one that papermill reads
TYPES = {
    "profile": str,
    "recompute": bool,
    "n_seeds": int | None,
    "n_bins": int,
    "learning_rate": float,
    "hidden_widths": tuple[int, ...],
}
VALUES = {
    "profile": "smoke",
    "recompute": False,
    "n_seeds": None,
    "n_bins": 30,
    "learning_rate": 4e-4,
    "hidden_widths": (10, 7, 5, 4, 3),
}


def notebook(**injected):
    """Return what ``globals()`` holds after a parameters cell and an injected one."""
    ipython = {
        "In": ["", "..."],
        "Out": {},
        "exit": object(),
        "open": open,
        "_i1": "...",
        "pt": pytest,
    }
    return {"__annotations__": TYPES, **ipython, **VALUES, **injected}


def test_the_defaults_and_values_of_the_declared_types_pass():
    check_parameters(notebook())
    check_parameters(notebook(n_seeds=3, learning_rate=1, hidden_widths=[12, 10]))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("n_sedes", 3, r"n_sedes: unknown; did you mean n_seeds\?"),
        ("zzz", None, r"zzz: unknown\n"),
        ("open", 3, r"open: unknown"),
        ("n_bins", "thirty", r"n_bins: expected int, got 'thirty' \(str\).*-p n_bins 3"),
        ("n_bins", True, r"n_bins: expected int, got True \(bool\)"),
        ("n_bins", 30.0, r"n_bins: expected int, got 30.0 \(float\)"),
        ("n_bins", None, r"n_bins: expected int, got None"),
        ("recompute", "false", r"recompute: expected bool, got 'false'.*-p recompute True"),
        ("profile", 3, r"profile: expected str, got 3 \(int\).*-r profile 3"),
        (
            "hidden_widths",
            "[3,4]",
            r"hidden_widths: expected tuple\[int, ...\].*-y '\{hidden_widths: \[3, 4\]\}'",
        ),
        ("hidden_widths", [3, 0], r"hidden_widths: must be a list .* 65 536, got \[3, 0\]"),
        ("n_seeds", 0, "n_seeds: must be a whole number from 1 to 1 000 000, got 0"),
        ("n_bins", 1, "n_bins: must be a whole number from 2 to 1 000 000, got 1"),
        (
            "n_bins",
            10**21 - 1,
            "n_bins: must be a whole number .*, got 999999999999999999999",
        ),
        ("learning_rate", float("nan"), r"learning_rate: must be a number in \(0, 1e30\], got nan"),
        ("profile", "fast", "profile: must be one of smoke, paper, got 'fast'"),
        ("_hidden", 5, "_hidden: unknown"),
        ("__class__", 1, "__class__: unknown"),
        ("__parameters_checked__", True, "__parameters_checked__: unknown"),
        ("In", 5, "In: unknown"),
    ],
)
def test_a_wrong_parameter_is_named_with_its_remedy(name, value, message):
    with pytest.raises(ValueError, match=message) as error:
        check_parameters(notebook(**{name: value}))
    assert "1 problem with" in str(error.value)
    assert "  n_seeds: int | None, a whole number from 1 to 1 000 000" in str(error.value)


def test_the_check_cannot_be_switched_off_by_a_parameter():
    """The mark of a notebook that was checked is no value that papermill could pass."""
    with pytest.raises(ValueError, match="2 problems with") as error:
        check_parameters(notebook(__parameters_checked__=True, n_sedes=3))
    assert "n_sedes: unknown" in str(error.value)


def test_a_name_that_an_injected_cell_set_is_found_whatever_it_holds_now():
    """``-p ib 5`` is overwritten by the import before anybody looks."""
    cells = [
        "",
        "n_bins: int = 30\n%magic",
        "# Parameters\nib = 5\nrate = float('nan')\nn_bins = 9",
    ]
    with pytest.raises(ValueError, match="2 problems with") as error:
        check_parameters(notebook(In=cells, ib=pytest, rate=pytest))
    assert "ib: unknown" in str(error.value)
    assert "rate: unknown" in str(error.value)
    check_parameters(notebook(In=["", "n_bins: int = 30", "result = compute(3)"], result=pytest))


@pytest.mark.parametrize(
    ("name", "inside", "outside"),
    [
        ("train_fraction", [0.05, 1], [0, 1.01, -1]),
        ("momentum", [0, 0.9], [1, -0.1]),
        ("batch_size", [1, 512], [0]),
        ("n_epochs", [1, 10_000], [0, -5, 10**12]),
        ("device", ["auto", "cpu", "cuda"], ["gpu"]),
        ("split", ["random", "unshuffled"], ["shuffled"]),
        ("optimizer", ["sgd", "adam"], ["SGD"]),
        ("task", ["szt", "mnist"], ["SZT", ""]),
        ("activation", ["tanh", "relu"], ["tan"]),
        ("threads", [1, 64], [0, 10**6]),
        ("noise_variance", [1e-3, 1], [0.0, float("inf")]),
    ],
)
def test_the_limits_of_each_parameter(name, inside, outside):
    for value in inside:
        POSSIBLE[name].read(value)
    for value in outside:
        with pytest.raises(ValueError, match=f"{name} must be {re.escape(POSSIBLE[name].text)}"):
            POSSIBLE[name].checked(name, value)


def test_fields_of_an_experiment_have_one_table():
    assert {name: POSSIBLE[name] for name in FIELDS} == FIELDS


def test_a_list_of_values_is_checked_member_by_member():
    """A chapter may scan a setting."""
    scan = {"__annotations__": {"n_bins": list[int]}}
    check_parameters(scan | {"n_bins": [10, 30]})
    with pytest.raises(ValueError, match=r"n_bins: must be a whole number .* got \[10, 1\]"):
        check_parameters(scan | {"n_bins": [10, 1]})
    with pytest.raises(ValueError, match=r"n_bins: must be a whole number .* got \[\]"):
        check_parameters(scan | {"n_bins": []})


@pytest.mark.parametrize(
    ("annotation", "value", "wrong", "name"),
    [
        ("int", 3, 3.5, "int"),
        ("Optional[int]", None, "3", "int | None"),
        (OLD_SPELLING[int], 3, 3.5, "int | None"),
        ("int | None", 3, [], "int | None"),
        ("typing.Optional[float]", 0.5, True, "float | None"),
        ("Union[int, str]", "a", None, "int | str"),
        ("tuple[int, ...]", [3], ["a"], "tuple[int, ...]"),
        ("tuple[int, 'str']", [3, "a"], [3], "tuple[int, str]"),
        ("List[int]", [3], (3,), "list[int]"),
        ("dict[str, float]", {"a": 1}, {1: 1}, "dict[str, float]"),
        ("Literal['a', 1]", 1, True, "Literal['a', 1]"),
        ("list", ["a", 1], 3, "list"),
        ("None", None, 0, "None"),
    ],
)
def test_annotations_are_read_as_papermill_and_python_spell_them(annotation, value, wrong, name):
    """A text needs no import; Optional is the only spelling of a choice that papermill reads."""
    cell = {"__annotations__": {"any_name": annotation}}
    check_parameters(cell | {"any_name": value})
    with pytest.raises(ValueError, match=f"any_name: expected {re.escape(name)}, got"):
        check_parameters(cell | {"any_name": wrong})
    assert "Any" in type_name(declared_types({"__annotations__": {"a": "Any"}})["a"])


TEXTS = ["print", "int[3]", "list[int, str]", "dict[int]", "(int", "Literal[print]", "\0", "..."]
TEXTS += ["__import__('os').getcwd()", "Optional[int, str]", "np.ndarray", "", "a" * 1000]
OBJECTS = [b"int", Path, np.zeros(2), list[Path], {}]


@pytest.mark.parametrize("annotation", [*TEXTS, *OBJECTS])
def test_other_annotations_are_refused_and_never_run(annotation, capsys):
    with pytest.raises(ValueError, match=r"n_bins: the annotation .* is none that can be checked"):
        check_parameters({"__annotations__": {"n_bins": annotation}, "n_bins": 30})
    assert capsys.readouterr().out == ""


def test_only_a_namespace_is_checked():
    with pytest.raises(ValueError, match=r"expected globals\(\) of the notebook, got 3"):
        check_parameters(3)
    with pytest.raises(ValueError, match="__annotations__: unknown"):
        check_parameters({"__annotations__": 5})


def test_all_problems_stand_in_one_message():
    with pytest.raises(ValueError, match="3 problems") as error:
        check_parameters(notebook(n_sedes=3, n_bins=0, recompute="no"))
    assert all(name in str(error.value) for name in ("n_sedes", "n_bins", "recompute"))


def test_a_declared_parameter_without_a_value_is_an_error():
    with pytest.raises(ValueError, match="n_bins: declared without a value"):
        check_parameters({"__annotations__": {"n_bins": int}})


def test_a_chapter_without_parameters_takes_none():
    check_parameters({})
    with pytest.raises(ValueError, match="declares none"):
        check_parameters({"n_seeds": 3})


def test_names_of_later_cells_do_not_count_when_the_check_is_repeated():
    namespace = notebook()
    check_parameters(namespace)
    namespace |= {"best_layer": 5, "n_bins": 1}
    with pytest.raises(ValueError, match="1 problem with") as error:
        check_parameters(namespace)
    assert "best_layer" not in str(error.value)


def test_annotations_of_python_314_are_read_from_the_cell(monkeypatch):
    """There IPython leaves an ``__annotate__`` that knows the last statement only."""
    cell = (
        "n_seeds: int | None = None  # networks\nn_bins: 'int' = 30\nwidth = 3\nwide: bool = True\n"
    )
    monkeypatch.setitem(
        linecache.cache, "<cell>", (len(cell), None, cell.splitlines(True), "<cell>")
    )
    namespace = {"n_seeds": None, "n_bins": 30, "wide": True}
    exec(
        compile("def __annotate__(format):\n    return {'wide': bool}", "<cell>", "exec"), namespace
    )
    assert declared_types(namespace) == {"n_seeds": int | None, "n_bins": int, "wide": bool}
    check_parameters(namespace)


LITERALS = {
    bool: st.booleans(),
    int: st.integers(),
    float: st.floats(),
    str: st.text(),
    None: st.none(),
    list[int]: st.lists(st.integers()),
    tuple[float, float]: st.tuples(st.floats(), st.floats()),
    dict[str, int]: st.dictionaries(st.text(), st.integers()),
    int | None: st.none() | st.integers(),
    OLD_SPELLING[float]: st.none() | st.floats(),
    Literal["a", 1]: st.sampled_from(["a", 1]),
}


@given(
    st.sampled_from(list(LITERALS)).flatmap(
        lambda kind: LITERALS[kind].map(lambda one: (one, kind))
    )
)
def test_a_value_has_the_type_it_was_drawn_from(pair):
    assert has_type(*pair)


@given(
    st.text()
    | st.booleans()
    | st.dictionaries(st.text(), st.text())
    | st.lists(st.text(), min_size=1)
)
def test_no_text_bool_or_collection_is_a_number(value):
    assert not has_type(value, int)
    assert not has_type(value, float)
    assert not has_type(value, list[int] | None)
    assert not has_type(value, tuple[int, int])


@pytest.fixture(scope="module")
def chapter(tmp_path_factory):
    """Write a chapter of three cells; its last one leaves a file ``ran``."""
    cells = [
        "from typing import Optional\n\n"
        'profile: str = "smoke"  # or paper\n'
        "n_seeds: Optional[int] = None  # networks\n"
        "n_bins: int = 30\n",
        "import ibcore as ib\nib.check_parameters(globals())",
        'from pathlib import Path\nPath("ran").write_text(f"{profile} {n_seeds} {n_bins}")',
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.cells[0].metadata["tags"] = ["parameters"]
    book.metadata["kernelspec"] = {"name": "python3", "language": "python", "display_name": "3"}
    folder = tmp_path_factory.mktemp("chapter")
    nbformat.write(book, folder / "chapter.ipynb")
    return folder


def papermill(folder, *arguments):
    """Run the chapter as a reader does, in a process of its own."""
    command = [sys.executable, "-m", "papermill", "--no-progress-bar", "chapter.ipynb", "out.ipynb"]
    return subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True)


def test_papermill_stops_before_any_work(chapter):
    """Misspelt, wrong type, impossible, or a name of the notebook itself: one run, one message."""
    own = ("__parameters_checked__", "_hidden", "__class__", "ib", "__text__", "In")
    injected = [word for name in own for word in ("-p", name, "5")]
    injected += ["-p", "n_sedes", "3", "-p", "n_bins", "many", "-p", "profile", "full"]
    done = papermill(chapter, *injected)
    assert done.returncode != 0
    for line in (
        "9 problems with the parameters",
        *(f"  {name}: unknown" for name in own),
        "n_sedes: unknown; did you mean n_seeds?",
        "n_bins: expected int, got 'many'",
        "profile: must be one of smoke, paper, got 'full'",
        "  n_seeds: int | None, a whole number from 1 to 1 000 000",
    ):
        assert line in done.stderr
    assert not (chapter / "ran").exists()


def test_papermill_runs_with_right_parameters(chapter):
    done = papermill(chapter, "-p", "n_seeds", "3", "-p", "profile", "paper")
    assert done.returncode == 0, done.stderr
    assert (chapter / "ran").read_text() == "paper 3 30"


def test_papermill_shows_every_parameter(chapter):
    """Its pattern reads Optional[int], but not int | None."""
    done = papermill(chapter, "--help-notebook")
    assert "n_seeds: Optional[int] (default None)" in done.stdout
    assert "networks" in done.stdout
