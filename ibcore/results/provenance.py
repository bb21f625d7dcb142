"""Which code made a number, and whether it still runs as it did.

The code of a result is what its parts reach by import: the loop that trained its networks, its
task, its rulers, its observables, and the loop and the file format that every result shares. Each
part has a hash of the modules it reaches, taken over syntax trees without docstrings and type
annotations, so that prose, formatting and types change nothing, and a module that a result does not
use moves nothing.

The canary is where the first updates take a network: cheap to run again, the same on every
processor up to rounding, and different as soon as the task, the split, the initial weights, the
batch order or the optimiser differ.
"""

import ast
import hashlib
import json
import platform
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from ibcore.config import Experiment
from ibcore.estimators import Ruler
from ibcore.networks import layer_shapes
from ibcore.observables import Observable
from ibcore.results.live_code import live_code
from ibcore.tasks import load_task, module_of
from ibcore.training import first_updates
from ibcore.training import module_of as engine_module

PACKAGE = Path(__file__).parent.parent
TYPE_MODULES = ("typing", "numpy.typing", "collections.abc")
NETWORK, PLANE = "network", "plane"
SHARED = ("ibcore.results.measuring", "ibcore.plane.files")
"""What every plane is made by: the loop over networks, and the rounding of its file."""

CANARY_UPDATES = 5
# Relative. What instruction sets differ by, and what faults change, is measured by
# tests/test_canary.py.
CANARY_TOLERANCE = 2e-3
START_TOLERANCE = 1e-6


# Code by reachability ----------------------------------------------------------------------------


def code_of_result(
    experiment: Experiment,
    engine: str,
    rulers: Iterable[Ruler] = (),
    observables: Iterable[Observable] = (),
) -> dict[str, str]:
    """Part -> hash of its code: "network", "plane", the class of each ruler and observable."""
    found = {NETWORK: network_code(experiment, engine), PLANE: code_of_modules(*SHARED)}
    parts = [part for ruler in rulers for part in ruler.parts()]
    for one in (*parts, *observables):
        found[type(one).__name__] = code_of_class(type(one))
    # a plane has no place for the settings of an observable: those of a reader's are in its code
    for one in observables:
        if not is_of_the_book(one):
            found[type(one).__name__] = _hash([code_of(type(one)), repr(one)])
    return found


def is_of_the_book(thing: object) -> bool:
    """Whether ibcore has the class of an object."""
    return type(thing).__module__.split(".")[0] == "ibcore"


def network_code(experiment: Experiment, engine: str) -> str:
    """The hash of what trains the networks of an experiment, its task included."""
    task = module_of(experiment.task)
    if not task.startswith("ibcore."):  # a reader's own: known by its data
        return _hash([code_of_modules(engine_module(experiment, engine)), task])
    return code_of_modules(engine_module(experiment, engine), task)


def code_of_class(kind: type) -> str:
    """The hash of a class: of the modules it reaches, or of its own code where it is a reader's."""
    if kind.__module__.split(".")[0] == "ibcore":
        return code_of_modules(kind.__module__)
    return code_of(kind)


def code_of(thing: object) -> str:
    """The hash of a reader's class, function or other object that can be called."""
    return _hash(live_code(thing, code_of_modules))


def digest_of(code: Mapping[str, str]) -> str:
    """Sixteen characters for all parts of a result's code."""
    return _hash([json.dumps(dict(code), sort_keys=True)])


@cache
def code_of_modules(*modules: str) -> str:
    """The hash of these modules of ibcore and of all that they reach by import."""
    return _hash(part for name in sorted(reached(*modules)) for part in (name, _content(name)))


@cache
def reached(*modules: str) -> frozenset[str]:
    """Modules of ibcore that these reach by import, themselves included."""
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _imports(name)
    return frozenset(found)


def _hash(parts: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:16]


def _path(module: str) -> Path | None:
    """The file of a module of ibcore; None for what is no module."""
    place = PACKAGE.joinpath(*module.split(".")[1:])
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if path.is_file():
            return path
    return None


def _tree(module: str) -> ast.Module:
    path = _path(module)
    if path is None:
        raise ValueError(f"ibcore has no module {module}.")
    return _parsed(path.read_text(encoding="utf-8"))


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def _content(module: str) -> str:
    """The code of a module without docstrings, and the hashes of data files that it names."""
    path = _path(module)
    if path is None:
        raise ValueError(f"ibcore has no module {module}.")
    code, names = _bare(path.read_text(encoding="utf-8"))
    data = [one.read_bytes() for name in names for one in _data_files(name)]
    return code + "".join(hashlib.sha256(one).hexdigest() for one in data)


@cache
def _bare(text: str) -> tuple[str, tuple[str, ...]]:
    """Code without docstrings and types, and the texts in it that may name a file."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            documented = ast.get_docstring(node, clean=False) is not None
            kept = [one for one in node.body[documented:] if not _is_for_types(one)]
            node.body = kept or [ast.Pass()]
        if isinstance(node, ast.FunctionDef):
            node.returns = None
        elif isinstance(node, ast.arg):
            node.annotation = None
        elif isinstance(node, ast.AnnAssign):
            node.annotation = ast.Constant(None)
    names = tuple(
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value
    )
    # unparse, not dump: the nodes of a tree differ between versions of Python
    return ast.unparse(tree), names


def _is_for_types(node: ast.stmt) -> bool:
    """Whether a statement imports what only annotations use."""
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in ast.unparse(node.test)
    return isinstance(node, ast.ImportFrom) and node.module in TYPE_MODULES


def _data_files(name: str) -> list[Path]:
    folder = PACKAGE / "tasks" / "data"
    return [folder / name] if name and "/" not in name and (folder / name).is_file() else []


@cache
def _imports(module: str) -> tuple[str, ...]:
    """Modules of ibcore that a module imports, anywhere but for type checkers only."""
    return tuple(dict.fromkeys(_imported(_tree(module), module)))


def _imported(node: ast.AST, module: str) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        if isinstance(child, ast.Import):
            yield from (one.name for one in child.names if one.name.split(".")[0] == "ibcore")
        elif isinstance(child, ast.ImportFrom):
            source = _source(child, module)
            if source.split(".")[0] == "ibcore":
                yield from (_home(source, one.name) for one in child.names)
        else:
            yield from _imported(child, module)


def _source(node: ast.ImportFrom, module: str) -> str:
    """The absolute name of what is imported from."""
    if not node.level:
        return node.module or ""
    path = _path(module)
    parts = module.split(".") if path and path.name == "__init__.py" else module.split(".")[:-1]
    above = parts[: len(parts) + 1 - node.level]
    return ".".join([*above, node.module] if node.module else above)


@cache
def _home(package: str, name: str) -> str:
    """The module in which a name lives that is imported from a package.

    A package's ``__init__`` hands names on; only the module that a name comes from is reached.
    """
    if _path(f"{package}.{name}"):
        return f"{package}.{name}"
    path = _path(package)
    if path is None or path.name != "__init__.py":
        return package
    for node in _tree(package).body:
        if isinstance(node, ast.ImportFrom):
            source = _source(node, package)
            for one in node.names:
                if (one.asname or one.name) == name and source.split(".")[0] == "ibcore":
                    return _home(source, one.name)
    return package


def versions() -> dict[str, str]:
    """Versions of the packages that make numbers, and of Python."""
    names = ("numpy", "scipy", "torch", "numba", "xarray", "ibcore")
    return {"python": platform.python_version()} | {name: version(name) for name in names}


# Canary ------------------------------------------------------------------------------------------


def canary(experiment: Experiment) -> dict[str, Any]:
    """Where seed 0 starts and where its first updates take it, layer by layer.

    Returns
    -------
    dict
        ``updates``, and per layer ``start`` and ``start_along``, ``moved`` and ``moved_along``: the
        length of the initial weights and of the change W_k - W_0, and their projection on a fixed
        direction of random signs.
    """
    trained = first_updates(experiment, 0, CANARY_UPDATES).astype(np.float64)
    task = load_task(experiment.task)
    shapes = layer_shapes(experiment, task.x.shape[1], task.n_outputs)
    ends = np.cumsum([(fan_in + 1) * unit for fan_in, unit in shapes])
    signs = np.random.default_rng(0).choice([-1.0, 1.0], trained.shape[1])
    found: dict[str, Any] = {"updates": CANARY_UPDATES}
    for name, vector in (("start", trained[0]), ("moved", trained[-1] - trained[0])):
        # the slopes of PReLU stand after the layers
        layers = [part for part in np.split(vector, ends) if part.size]
        along = [part for part in np.split(signs, ends) if part.size]
        found[name] = [float(np.linalg.norm(one)) for one in layers]
        found[f"{name}_along"] = [float(s @ one) for s, one in zip(along, layers, strict=True)]
    return found


def canary_distance(found: Mapping[str, Any], expected: Mapping[str, Any]) -> tuple[float, float]:
    """Largest relative difference of two canaries over layers: at the start, and of the moves.

    Infinite if they are of other networks or another number of updates.
    """
    try:
        if found["updates"] != expected["updates"]:
            return np.inf, np.inf
        return _layers_apart(found, expected, "start"), _layers_apart(found, expected, "moved")
    except (KeyError, TypeError, ValueError):
        return np.inf, np.inf


def _layers_apart(found: Mapping[str, Any], expected: Mapping[str, Any], name: str) -> float:
    """Largest difference over layers, of lengths and projections, relative to the lengths."""
    scale = np.maximum(np.abs(expected[name]), 1e-30)
    return max(
        float((np.abs(np.subtract(found[key], expected[key])) / scale).max())
        for key in (name, f"{name}_along")
    )


def canaries_agree(found: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Whether two canaries are the same run up to rounding."""
    start, moved = canary_distance(found, expected)
    return start <= START_TOLERANCE and moved <= CANARY_TOLERANCE
