"""Which code made a number: a hash of the modules that make numbers, and a canary.

The hash is taken over syntax trees without docstrings, so prose and formatting do not change it.
The canary is what a network weighs after its first updates: cheap to run again, and different as
soon as the task, the split, the initial weights, the batch order or the optimiser differ.
"""

import ast
import hashlib
import platform
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from ibcore.config import Experiment
from ibcore.tasks import load_task
from ibcore.training import train, updates_per_epoch

PACKAGE = Path(__file__).parent
TRAINING = ("config", "randomness", "simd", "tasks", "networks", "training", "work")
MEASURING = (
    "information", "theory", "estimators", "geometry", "decomposition", "observables", "experiment",
)  # fmt: skip
CANARY_UPDATES = 20
# Two machines round differently in the last bits of float32; a different run differs by far more.
CANARY_TOLERANCE = 1e-4


def _bare_tree(path: Path) -> str:
    """The syntax tree of a module without its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body = node.body[1:] or [ast.Pass()]
    # unparse, not dump: the nodes of a tree differ between versions of Python
    return ast.unparse(tree)


@cache
def code_digest(part: str = "all") -> str:
    """Sixteen characters for the code that trains (``"training"``) or makes any number (``"all"``).

    Raises
    ------
    ValueError
        For another part.
    """
    parts = {"training": TRAINING, "all": TRAINING + MEASURING}
    if part not in parts:
        raise ValueError(f"part must be one of {', '.join(parts)}; got {part!r}.")
    digest = hashlib.sha256()
    for name in parts[part]:
        folder = PACKAGE / name
        for file in sorted(folder.rglob("*.py")) if folder.is_dir() else [PACKAGE / f"{name}.py"]:
            digest.update(file.relative_to(PACKAGE).as_posix().encode())
            digest.update(_bare_tree(file).encode())
    return digest.hexdigest()[:16]


def versions() -> dict[str, str]:
    """Versions of the packages that make numbers, and of Python."""
    names = ("numpy", "scipy", "torch", "numba", "xarray", "ibcore")
    return {"python": platform.python_version()} | {name: version(name) for name in names}


def canary(experiment: Experiment) -> dict:
    """Norm and first weights of every layer of seed 0 after at least 20 updates."""
    per_epoch = updates_per_epoch(experiment, load_task(experiment.task))
    short = experiment.replace(
        n_seeds=1,
        first_seed=0,
        n_epochs=-(-CANARY_UPDATES // per_epoch),
        n_measured_epochs=2,
        measured_epochs=(),
    )
    network = train(short, progress=False).ensemble(-1)
    return {
        "updates": short.n_epochs * per_epoch,
        "norms": [float(np.linalg.norm(w.astype(float))) for w in network.weights],
        "first": [float(weight.flat[0]) for weight in network.weights],
    }


def canaries_agree(found: dict, expected: dict) -> bool:
    """Whether two canaries are the same run up to rounding."""
    return found["updates"] == expected["updates"] and all(
        np.allclose(found[key], expected[key], rtol=0, atol=CANARY_TOLERANCE)
        for key in ("norms", "first")
    )
