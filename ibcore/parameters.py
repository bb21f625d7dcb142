"""The parameters of a chapter, checked before any work is done.

papermill accepts every ``-p name value``, a misspelt name included, and does not look at the
annotations of the parameters cell. So the first cell after it says
``ib.check_parameters(globals())``.
"""

from __future__ import annotations

import ast
import difflib
import linecache
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

from ibcore.config import ACTIVATIONS, INITIALIZERS, OPTIMIZERS, PROFILES, SPLITS, TASKS

_CHECKED = "__parameters_checked__"

# What papermill can inject. Modules, functions and results are none of these.
_LITERALS = (bool, int, float, str, list, tuple, dict, types.NoneType)

_HISTORY = {"In", "Out"}  # IPython's own public names that hold a list and a dict


def _at_least(least: int) -> tuple[str, Callable[[Any], bool]]:
    return f"at least {least}", lambda value: least <= value < math.inf


def _positive() -> tuple[str, Callable[[Any], bool]]:
    return "greater than 0", lambda value: 0 < value < math.inf


def _one_of(*allowed: str) -> tuple[str, Callable[[Any], bool]]:
    return "one of " + ", ".join(map(repr, allowed)), lambda value: value in allowed


# Name of a parameter -> what its values (every member of a list) must be, and the test of it.
# That a GPU was asked for and is not there is found by the run, not here.
POSSIBLE: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "profile": _one_of(*PROFILES),
    "device": _one_of("auto", "cpu", "cuda"),
    "task": _one_of(*TASKS),
    "activation": _one_of(*ACTIVATIONS),
    "initializer": _one_of(*INITIALIZERS),
    "optimizer": _one_of(*OPTIMIZERS),
    "split": _one_of(*SPLITS),
    "data": _one_of("stand-in", "real"),
    "hidden_widths": _at_least(1),
    "n_seeds": _at_least(1),
    "first_seed": _at_least(0),
    "n_epochs": _at_least(1),
    "n_measured_epochs": _at_least(2),
    "measured_epochs": _at_least(0),
    "n_bins": _at_least(2),
    "bin_width": _positive(),
    "noise_variance": _positive(),
    "batch_size": _at_least(1),
    "learning_rate": _positive(),
    "momentum": ("at least 0 and below 1", lambda value: 0 <= value < 1),
    "train_fraction": ("above 0 and at most 1", lambda value: 0 < value <= 1),
    "threads": _at_least(1),
}


def check_parameters(namespace: dict[str, Any]) -> None:
    """Refuse unknown names, wrong types and impossible values, all in one message.

    The declared parameters are the annotated names, as in ``n_seeds: int | None = None``.
    A parameter that papermill injects is a plain assignment, so a public name that holds a
    literal and carries no annotation is one that the chapter does not know. A notebook has
    names of its own once its later cells have run; when the check is repeated in such a
    namespace, only types and values are looked at.

    Parameters
    ----------
    namespace : dict
        ``globals()`` of the notebook, right after its parameters cell.

    Raises
    ------
    ValueError
        If anything is wrong. Nothing after this call runs then, under papermill too.

    Examples
    --------
    >>> check_parameters({"__annotations__": {"n_bins": int}, "n_bins": 30})
    >>> check_parameters({"__annotations__": {"n_bins": int}, "n_bins": 30, "n_bin": 50})
    Traceback (most recent call last):
        ...
    ValueError: 1 problem with the parameters of this chapter:
      n_bin: unknown; did you mean n_bins?
    This chapter takes:
      n_bins: int, at least 2
    """
    declared = declared_types(namespace)
    problems = [] if namespace.get(_CHECKED) else _unknown(namespace, declared)
    for name, expected in declared.items():
        if name not in namespace:
            problems.append(f"{name}: declared without a value; give it one in the parameters cell")
        else:
            problems += _problem(name, namespace[name], expected)
    if problems:
        raise ValueError(
            f"{len(problems)} problem{'s' * (len(problems) > 1)} with the parameters of this "
            "chapter:\n  "
            + "\n  ".join(problems)
            + "\nThis chapter takes:\n  "
            + _allowed(declared)
        )
    namespace[_CHECKED] = True


def declared_types(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Public annotated names of a notebook and their types, in the order of the cell.

    Until Python 3.13 they stand in ``__annotations__``. Python 3.14 keeps a function
    ``__annotate__`` instead; IPython compiles a cell statement by statement, so that this
    function knows the last statement only, and the others are read from the cell's source.
    """
    found = dict(namespace.get("__annotations__", {}))
    annotate = namespace.get("__annotate__")
    if annotate is not None:
        found |= _annotations_in_source(annotate.__code__.co_filename) | annotate(1)  # 1: VALUE
    return {
        name: _evaluated(kind, namespace)
        for name, kind in found.items()
        if not name.startswith("_")
    }


def _evaluated(kind: Any, namespace: Mapping[str, Any]) -> Any:
    while isinstance(kind, str):
        # The notebook's own text, in a copy of its own namespace: nothing foreign is run.
        kind = eval(kind, dict(namespace))
    return kind


def _annotations_in_source(filename: str) -> dict[str, str]:
    cell = ast.parse("".join(linecache.getlines(filename)))
    return {
        node.target.id: ast.unparse(node.annotation)
        for node in cell.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def _unknown(namespace: Mapping[str, Any], declared: Mapping[str, Any]) -> list[str]:
    """One line for each name that was injected and is not declared."""
    injected = [
        name
        for name, value in namespace.items()
        if isinstance(value, _LITERALS)
        and not name.startswith("_")
        and name not in _HISTORY
        and name not in declared
    ]
    lines = []
    for name in injected:
        close = difflib.get_close_matches(name, declared, n=1, cutoff=0.5)
        lines.append(f"{name}: unknown" + (f"; did you mean {close[0]}?" if close else ""))
    return lines


def _problem(name: str, value: Any, expected: Any) -> list[str]:
    """Say what is wrong with one value: nothing, its type, or the value itself."""
    if not has_type(value, expected):
        return [
            f"{name}: expected {type_name(expected)}, got {value!r} ({type(value).__name__}); "
            f"with papermill: {_how_to_pass(name, value, expected)}"
        ]
    if value is None or name not in POSSIBLE:
        return []
    rule, possible = POSSIBLE[name]
    members = value if isinstance(value, list | tuple) else [value]
    wrong = [member for member in members if not possible(member)]
    return [f"{name}: must be {rule}, got {value!r}"] if wrong else []


def has_type(value: Any, expected: Any) -> bool:
    """Whether a literal fits an annotation.

    A bool is not an int, an int is a float, and a list is a tuple, because the YAML of
    papermill has lists only.

    >>> has_type(3, float), has_type(True, int), has_type([10, 7], tuple[int, ...])
    (True, False, True)
    """
    origin, arguments = typing.get_origin(expected), typing.get_args(expected)
    if origin in (types.UnionType, typing.Union):
        return any(has_type(value, option) for option in arguments)
    if origin is typing.Literal:
        return any(value == option and type(value) is type(option) for option in arguments)
    if expected is None:
        return value is None
    if expected is typing.Any:
        return True
    if (origin or expected) is tuple:
        return isinstance(value, list | tuple) and _members_fit(value, arguments)
    if origin is list:
        return isinstance(value, list) and all(has_type(one, arguments[0]) for one in value)
    if origin is dict:
        return isinstance(value, dict) and all(
            has_type(key, arguments[0]) and has_type(one, arguments[1])
            for key, one in value.items()
        )
    if expected is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if expected is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, expected)


def _members_fit(value: list[Any] | tuple[Any, ...], arguments: tuple[Any, ...]) -> bool:
    if not arguments:
        return True
    if arguments[-1] is Ellipsis:
        return all(has_type(one, arguments[0]) for one in value)
    return len(value) == len(arguments) and all(map(has_type, value, arguments))


def type_name(expected: Any) -> str:
    """Write an annotation as the cell does.

    >>> type_name(int), type_name(int | None), type_name(list[int])
    ('int', 'int | None', 'list[int]')
    """
    if isinstance(expected, type) and not typing.get_args(expected):
        return expected.__name__
    return str(expected).replace("typing.", "")


def _how_to_pass(name: str, value: Any, expected: Any) -> str:
    """Show an argument of papermill that gives a value of the right type."""
    union = typing.get_origin(expected) in (types.UnionType, typing.Union)
    kinds = typing.get_args(expected) if union else (expected,)
    kind = next((kind for kind in kinds if kind is not types.NoneType), None)
    examples = {None: "None", bool: "True", int: "3", float: "0.1"}
    if kind in examples:
        return f"-p {name} {examples[kind]}"
    if kind is str:
        return f"-r {name} {value} (-r passes text as it is)"
    if typing.get_origin(kind) is typing.Literal:
        return f"-r {name} {typing.get_args(kind)[0]}"
    if (typing.get_origin(kind) or kind) is dict:
        return f"-y '{{{name}: {{key: value}}}}'"
    members = "[a, b]" if str in typing.get_args(kind) else "[3, 4]"
    return f"-y '{{{name}: {members}}}'"


def _allowed(declared: Mapping[str, Any]) -> str:
    lines = [
        f"{name}: {type_name(kind)}" + (f", {POSSIBLE[name][0]}" if name in POSSIBLE else "")
        for name, kind in declared.items()
    ]
    return "\n  ".join(lines) or "no parameters: its parameters cell declares none"
