"""The files around the code agree with each other."""

import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import lock
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import ibcore

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINS = lock.pins((ROOT / "requirements.lock").read_text())
VERSIONS = {canonicalize_name(pin.split("==")[0]): pin.split("==")[1] for pin in PINS}


def requirements():
    groups = PROJECT["project"]["optional-dependencies"].values()
    listed = [*PROJECT["project"]["dependencies"], *(one for group in groups for one in group)]
    return [Requirement(one) for one in listed]


def test_every_pin_is_exact_and_plain():
    """name==version, without a local label, an address or a path."""
    assert [pin for pin in PINS if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", pin)] == []
    assert len(VERSIONS) == len(PINS)


def test_conda_users_get_the_same_set():
    """environment.yml holds the pins of requirements.lock. Otherwise: make lock."""
    text = (ROOT / "environment.yml").read_text()
    assert text == lock.conda_environment(PINS)
    assert yaml.safe_load(text)["dependencies"][-1] == {"pip": PINS}


@pytest.mark.parametrize("requirement", requirements(), ids=lambda one: one.name)
def test_the_lock_satisfies(requirement):
    """Each lower bound of pyproject.toml."""
    assert requirement.specifier.contains(VERSIONS[canonicalize_name(requirement.name)])


def test_the_lock_is_what_runs_here():
    """Tests on other versions than the published ones would prove little."""
    assert {name: version(name).split("+")[0] for name in VERSIONS} == VERSIONS


def test_version_has_one_source():
    """``ibcore.__version__``; hatchling reads it, and CITATION.cff and CHANGELOG.md repeat it."""
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "ibcore/__init__.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+", ibcore.__version__)


def test_a_public_name_is_no_file():
    """``ibcore.x`` is what ``ibcore/x.py`` is called once it is imported, whatever was meant."""
    files = {path.stem for path in (ROOT / "ibcore").iterdir()}
    assert set(ibcore.__all__) & files == set(ibcore._MODULES)


def lint_imports(folder):
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("config.py", "import ibcore.tasks\n", "floor"),
        ("information.py", "import torch\n", "cannot train"),
        ("new_module.py", "", "floor"),
    ],
)
def test_floors_can_be_violated(tmp_path, module, line, contract):
    """An import from above, torch among the readers, a module without a floor: each is found."""
    shutil.copytree(ROOT / "ibcore", tmp_path / "ibcore")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "ibcore" / module
    path.write_text((path.read_text() if path.exists() else "") + line)
    found = lint_imports(tmp_path)
    assert found.returncode == 1
    broken = [text for text in found.stdout.splitlines() if "BROKEN" in text]
    assert any(contract in text for text in broken), found.stdout
