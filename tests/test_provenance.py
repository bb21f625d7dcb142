"""Which code made a number: what is reached by import counts, and nothing else does."""

import shutil
from pathlib import Path

import pytest

from ibcore.config import Experiment
from ibcore.estimators import Binning, Exact, KernelBound, OnTrainingRows, SamplePropagation
from ibcore.observables import OBSERVABLES
from ibcore.results import provenance

DENSE = Experiment()
NOISY = Experiment(noise_std=0.1)
IMAGES = Experiment(task="digits", convolutions=(2,))
PARTS = {
    "fused": lambda: provenance.network_code(DENSE, "fused"),
    "convolutional": lambda: provenance.network_code(IMAGES, "torch"),
    "pokemon": lambda: provenance.network_code(DENSE.replace(task="pokemon"), "fused"),
    "plane": lambda: provenance.code_of_modules(*provenance.SHARED),
    "Binning": lambda: provenance.code_of_class(Binning),
    "KernelBound": lambda: provenance.code_of_class(KernelBound),
    "SamplePropagation": lambda: provenance.code_of_class(SamplePropagation),
    "Clustering": lambda: provenance.code_of_class(type(OBSERVABLES["clustering"])),
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of the package that may be edited."""
    copy = tmp_path / "ibcore"
    shutil.copytree(provenance.PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(provenance, "PACKAGE", copy)
    forget()
    yield copy
    forget()


def forget():
    for one in ("code_of_modules", "reached", "_content", "_imports", "_home"):
        getattr(provenance, one).cache_clear()


def moved(path: Path, edit) -> set[str]:
    """Parts whose code differs once a file has been edited."""
    before = {name: code() for name, code in PARTS.items()}
    path.parent.mkdir(exist_ok=True)
    path.write_text(edit(path.read_text() if path.exists() else ""))
    forget()
    return {name for name, code in PARTS.items() if code() != before[name]}


def added(line):
    return lambda text: f"{text}\n{line}\n"


@pytest.mark.parametrize(
    ("file", "parts"),
    [
        ("networks/noisy.py", {"SamplePropagation"}),
        ("plane/files.py", {"plane"}),
        ("plane/schema.py", {"plane"}),
        ("results/measuring.py", {"plane"}),
        ("training/kernel.py", {"fused", "pokemon"}),
        ("training/torch_single.py", {"convolutional"}),
        ("tasks/pokemon.py", {"pokemon"}),
        ("tasks/images.py", {"convolutional"}),
        ("estimators/pairwise.py", {"KernelBound"}),
        ("estimators/binning.py", {"Binning"}),
        ("geometry.py", {"Clustering"}),
        ("kinds.py", set(PARTS)),
        # none of these makes a number that is stored
        ("estimators/__init__.py", set()),
        ("tasks/icosahedron.py", {"fused"}),
        ("tasks/spiral.py", set()),
        ("study.py", set()),
        ("results/store.py", set()),
        ("claims/judge.py", set()),
        ("estimators/of_my_own.py", set()),
        ("tasks/of_my_own.py", set()),
    ],
)
def test_a_file_moves_what_reaches_it(package, file, parts):
    assert moved(package / file, added("SOMETHING = 1")) == parts


def test_one_constant_that_makes_numbers_is_seen(package):
    """The faults of the review: noise doubled, rounding changed; today nobody may miss them."""
    noisy, step = package / "networks" / "noisy.py", package / "plane" / "schema.py"
    twice = moved(
        noisy, lambda text: text.replace("n_samples, noise_std)", "n_samples, 2 * noise_std)")
    )
    assert twice == {"SamplePropagation"}
    assert moved(step, lambda text: text.replace("STEP = 2e-4", "STEP = 2e-3")) == {"plane"}


def test_prose_moves_nothing(package):
    file = package / "estimators" / "binning.py"
    prose = moved(file, lambda text: text.replace("Joint symbol of fixed bins", "Other words"))
    assert prose == set()
    assert moved(file, added("# a comment")) == set()


def test_types_move_nothing(package):
    """An annotation, an import that only annotations need; but not the default beside it."""
    file = package / "estimators" / "binning.py"
    assert moved(file, lambda text: text.replace("t: ArrayLike", "t: object")) == set()
    assert moved(file, added("from typing import Any")) == set()
    field, wider = "n_edges: int = 30", "n_edges: float = 30"
    assert moved(file, lambda text: text.replace(field, wider)) == set()
    assert moved(file, lambda text: text.replace(wider, "n_edges: int = 31")) == {"Binning"}


def test_data_of_a_task_count(package):
    (file,) = (package / "tasks" / "data").glob("*.csv")
    assert moved(file, lambda text: text.replace("1", "2", 1)) == {"pokemon"}


def test_code_for_type_checkers_only_is_not_reached():
    assert "ibcore.networks.dense" not in provenance.reached("ibcore.estimators.base")


def test_names_that_a_package_hands_on_are_followed_to_their_home():
    """``from ibcore.estimators import Binning`` reaches one file of that folder, and its own."""
    reached = provenance.reached("ibcore.observables.symbols")
    assert "ibcore.estimators.binning" in reached
    assert "ibcore.estimators.kernel" not in reached


def test_a_ruler_laid_on_training_rows_counts_with_the_one_it_lays():
    code = provenance.code_of_result(DENSE, "fused", [OnTrainingRows(Exact())])
    assert set(code) == {"network", "plane", "OnTrainingRows", "Exact"}
    assert provenance.digest_of(code) != provenance.digest_of({**code, "Exact": "0" * 16})


def test_a_module_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"ibcore has no module ibcore\.nothing"):
        provenance.code_of_modules("ibcore.nothing")
