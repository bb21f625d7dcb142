"""The parameters of a chapter, checked before any work is done.

papermill accepts every ``-p name value``, a misspelt name included, and does not look at the
annotations of the parameters cell. So the first cell after it says
``ib.check_parameters(globals())``.
"""

from __future__ import annotations

import ast
import difflib
import linecache
import re
import types
import typing
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, Optional, Union

from ibcore import notebook
from ibcore.config import FIELDS, PROFILES
from ibcore.kinds import Kind, number, one_of, shown, whole

_CHECKED = "__parameters_checked__"
_MARK = object()  # no value that can be injected

# What papermill can inject. Modules, functions and results are none of these.
_LITERALS = (bool, int, float, str, list, tuple, dict, types.NoneType)

# IPython's history: its cells, their results, the last exit code.
_HISTORY = re.compile(r"_+|_i+\d*|_\d+|_ih|_oh|_dh|_exit_code")


def _text(said: str) -> Kind:
    """A text that the study reads."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise ValueError
        return value

    return Kind(said, read)


# Name of a parameter -> what its value, or every member of a list, may be. Fields of an experiment
# are as there. That a GPU was asked for and is not there is found by the run, not here.
POSSIBLE: dict[str, Kind] = FIELDS | {
    "profile": one_of(*PROFILES),
    "device": one_of("auto", "cpu", "cuda"),
    "data": one_of("stand-in", "real"),
    "ruler": _text("the name of a ruler, as Binning(100) or KernelBound(0.01)"),
    "claim": _text("the id of a claim of this chapter, as its verdict shows it"),
    "n_bins": whole(2, 10**6),
    "bin_width": number("(0, 1e30]"),
    "noise_variance": number("(0, 1e30]"),
    "threads": whole(1, 4096),
}

_PLAIN = (int, float, str, bool, None, types.NoneType, Any, tuple, list, dict)
_WORDS: dict[str, Any] = {kind.__name__: kind for kind in (int, float, str, bool)}
_WORDS |= {"tuple": tuple, "list": list, "dict": dict, "Tuple": tuple, "List": list, "Dict": dict}
_WORDS |= {"Any": Any, "Literal": Literal, "Optional": Optional, "Union": Union}
_LONGEST_ANNOTATION = 500


def check_parameters(namespace: dict[str, Any]) -> dict[str, Any]:
    """Refuse unknown names, wrong types and impossible values, all in one message.

    The declared parameters are the annotated names, as in ``n_seeds: int | None = None``.
    A parameter that papermill injects is a plain assignment, so a public name that holds a
    literal and carries no annotation is one that the chapter does not know; so is a name that an
    earlier cell set to a literal, whatever it holds now. A notebook has names of its own once its
    later cells have run; when the check is repeated in such a namespace, only types and values
    are looked at.

    Where a ``claim`` is given, cells that need what it does not are skipped from here on, each
    with one line that says so: ``ibcore.notebook``.

    Parameters
    ----------
    namespace : dict
        ``globals()`` of the notebook, right after its parameters cell.

    Returns
    -------
    dict
        The parameters, for ``ib.Study(chapter, **parameters)``.

    Raises
    ------
    ValueError
        If anything is wrong. Nothing after this call runs then, under papermill too.

    Examples
    --------
    >>> check_parameters({"__annotations__": {"n_bins": int}, "n_bins": 30})
    {'n_bins': 30}
    >>> check_parameters({"__annotations__": {"n_bins": int}, "n_bins": 30, "n_bin": 50})
    Traceback (most recent call last):
        ...
    ValueError: 1 problem with the parameters of this chapter:
      n_bin: unknown; did you mean n_bins?
    This chapter takes:
      n_bins: int, a whole number from 2 to 1 000 000
    """
    if not isinstance(namespace, dict):
        raise ValueError(f"expected globals() of the notebook, got {shown(namespace)}.")
    declared = declared_types(namespace)
    problems = [] if namespace.get(_CHECKED) is _MARK else _unknown(namespace, declared)
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
    namespace[_CHECKED] = _MARK
    if (claim := namespace.get("claim")) and (interpreter := notebook.shell()):
        notebook.skip_cells(claim, interpreter)
    return {name: namespace[name] for name in declared}


def declared_types(namespace: Mapping[str, Any]) -> dict[str, Any]:
    """Public annotated names of a notebook and their types, in the order of the cell.

    Until Python 3.13 they stand in ``__annotations__``. Python 3.14 keeps a function
    ``__annotate__`` instead; IPython compiles a cell statement by statement, so that this
    function knows the last statement only, and all are read from the cell's source.

    Raises
    ------
    ValueError
        If an annotation is none that a value of papermill can be held against.
    """
    return {
        name: _readable(name, kind)
        for name, kind in _annotated(namespace).items()
        if not name.startswith("_")
    }


def _annotated(namespace: Mapping[str, Any]) -> dict[str, Any]:
    found = namespace.get("__annotations__")
    found = dict(found) if isinstance(found, dict) else {}
    annotate = namespace.get("__annotate__")
    if isinstance(annotate, types.FunctionType):
        found |= _annotations_in_source(annotate.__code__.co_filename)
    return {name: kind for name, kind in found.items() if isinstance(name, str)}


def _annotations_in_source(filename: str) -> dict[str, str]:
    return {
        node.target.id: ast.unparse(node.annotation)
        for node in _statements("".join(linecache.getlines(filename)))
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def _statements(source: str) -> list[ast.stmt]:
    """Of a cell; none if it is no Python."""
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _readable(name: str, kind: Any) -> Any:
    """An annotation as a type; a text is read, never evaluated."""
    try:
        read = _parsed(kind) if isinstance(kind, str) else kind
        if not _is_known(read):
            raise ValueError
    except (SyntaxError, TypeError, ValueError):
        raise ValueError(
            f"{name}: the annotation {shown(kind)} is none that can be checked; write int, float, "
            "str, bool, or a tuple, list, dict, Literal, Optional or Union of them."
        ) from None
    return read


def _parsed(text: str) -> Any:
    """A text such as "Optional[int]" or "tuple[int, ...] | None" as the type that it names."""
    if len(text) > _LONGEST_ANNOTATION:
        raise ValueError
    return _type_of(ast.parse(text.strip(), mode="eval").body)


def _type_of(node: ast.expr) -> Any:
    """One node of an annotation: a word that is known, a choice, or a word with members."""
    match node:
        case ast.Constant(value=str(text)):
            return _parsed(text)
        case ast.Constant(value=value) if value is None or value is Ellipsis:
            return value
        case ast.Name(id=word) | ast.Attribute(value=ast.Name(), attr=word) if word in _WORDS:
            return _WORDS[word]
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return _type_of(left) | _type_of(right)
        case ast.Subscript(value=outer, slice=inner):
            kind = _type_of(outer)
            read = ast.literal_eval if kind is Literal else _type_of
            members = tuple(map(read, inner.elts if isinstance(inner, ast.Tuple) else [inner]))
            return kind[members[0] if len(members) == 1 else members]
    raise ValueError


def _is_known(kind: Any) -> bool:
    """Whether ``has_type`` can hold a value against this type."""
    origin, members = typing.get_origin(kind), typing.get_args(kind)
    if origin is None:
        return any(kind is plain for plain in _PLAIN)
    if origin is Literal:
        return all(isinstance(one, str | int | None) for one in members)
    if origin is tuple and members[-1:] == (...,):
        members = members[:-1]
    lengths = {list: (0, 1), dict: (0, 2)}.get(origin, (len(members),))
    known = any(origin is one for one in (Union, types.UnionType, tuple, list, dict))
    return known and len(members) in lengths and all(map(_is_known, members))


def _unknown(namespace: Mapping[str, Any], declared: Mapping[str, Any]) -> list[str]:
    """One line for each name that was injected and is not declared."""
    names = [name for name, value in namespace.items() if _looks_injected(name, value)]
    names += [name for name in _set_by_cells(namespace) if name in namespace]
    annotated = _annotated(namespace)
    lines = []
    for name in dict.fromkeys(names):
        if name not in annotated:
            close = difflib.get_close_matches(name, declared, n=1, cutoff=0.5)
            lines.append(f"{name}: unknown" + (f"; did you mean {close[0]}?" if close else ""))
    return lines


def _looks_injected(name: Any, value: Any) -> bool:
    """A literal under a name that is none of Python's or IPython's own."""
    if not isinstance(name, str) or not isinstance(value, _LITERALS):
        return False
    if name.startswith("__") and name.endswith("__"):
        return not isinstance(value, str | dict | None)  # __name__, __doc__, __annotations__
    history = {"In": list, "Out": dict}.get(name)
    return not (isinstance(value, history) if history else _HISTORY.fullmatch(name))


def _set_by_cells(namespace: Mapping[str, Any]) -> Iterator[str]:
    """Names that a cell of this notebook set to a literal, as the cell of papermill does."""
    for cells in (namespace.get("_ih"), namespace.get("In")):
        for cell in cells if isinstance(cells, list) else ():
            for node in _statements(cell) if isinstance(cell, str) else ():
                match node:
                    case ast.Assign(targets=[ast.Name(id=name)], value=value):
                        if _is_literal(value):
                            yield name


def _is_literal(value: ast.expr) -> bool:
    """A constant, or collections of them; papermill writes nan as float("nan")."""
    parts = (ast.Constant, ast.List, ast.Tuple, ast.Dict, ast.UnaryOp, ast.unaryop, ast.Load)
    return all(
        isinstance(node, parts)
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name))
        or (isinstance(node, ast.Name) and node.id == "float")
        for node in ast.walk(value)
    )


def _problem(name: str, value: Any, expected: Any) -> list[str]:
    """Say what is wrong with one value: nothing, its type, or the value itself."""
    if not has_type(value, expected):
        return [
            f"{name}: expected {type_name(expected)}, got {shown(value)} "
            f"({type(value).__name__}); with papermill: {_how_to_pass(name, value, expected)}"
        ]
    if value is None or name not in POSSIBLE or _is_possible(POSSIBLE[name], value):
        return []
    return [f"{name}: must be {POSSIBLE[name].text}, got {shown(value)}"]


def _is_possible(kind: Kind, value: Any, *, listed: bool = True) -> bool:
    """Whether a value, or every member of a list of values, may be."""
    try:
        kind.read(value)
    except ValueError:
        members = value if listed and isinstance(value, list | tuple) else ()
        return len(members) > 0 and all(_is_possible(kind, one, listed=False) for one in members)
    return True


def has_type(value: Any, expected: Any) -> bool:
    """Whether a literal fits an annotation.

    A bool is not an int, an int is a float, and a list is a tuple, because the YAML of
    papermill has lists only.

    >>> has_type(3, float), has_type(True, int), has_type([10, 7], tuple[int, ...])
    (True, False, True)
    """
    origin, members = typing.get_origin(expected), typing.get_args(expected)
    if origin in (types.UnionType, Union):
        return any(has_type(value, option) for option in members)
    if origin is Literal:
        return any(type(value) is type(option) and value == option for option in members)
    if expected is None or expected is Any:
        return value is None or expected is Any
    if expected in (int, float):
        numbers = int if expected is int else int | float
        return isinstance(value, numbers) and not isinstance(value, bool)
    kind = origin or expected
    if not isinstance(value, list | tuple if kind is tuple else kind):
        return False
    return not members or _members_fit(value, kind, members)


def _members_fit(value: Any, kind: type, members: tuple[Any, ...]) -> bool:
    if kind is dict:
        return all(has_type(key, members[0]) and has_type(value[key], members[1]) for key in value)
    if kind is list or members[-1] is Ellipsis:
        return all(has_type(one, members[0]) for one in value)
    return len(value) == len(members) and all(map(has_type, value, members))


def type_name(expected: Any) -> str:
    """An annotation in the short form of today, however the cell spells it.

    >>> type_name(int), type_name(Optional[int]), type_name(tuple[int, ...])
    ('int', 'int | None', 'tuple[int, ...]')
    """
    origin, members = typing.get_origin(expected), typing.get_args(expected)
    if origin in (types.UnionType, Union):
        return " | ".join(map(type_name, members))
    if origin is Literal:
        return f"Literal[{', '.join(map(repr, members))}]"
    if origin is not None:
        return f"{origin.__name__}[{', '.join(map(type_name, members))}]"
    if expected is None or expected is types.NoneType:
        return "None"
    return "..." if expected is Ellipsis else expected.__name__


def _how_to_pass(name: str, value: Any, expected: Any) -> str:
    """Show an argument of papermill that gives a value of the right type."""
    union = typing.get_origin(expected) in (types.UnionType, Union)
    kinds = typing.get_args(expected) if union else (expected,)
    kind = next((kind for kind in kinds if kind is not types.NoneType), None)
    examples = {None: "None", bool: "True", int: "3", float: "0.1"}
    if kind in examples:
        return f"-p {name} {examples[kind]}"
    if kind is str:
        return f"-r {name} {shown(value, 40)} (-r passes text as it is)"
    if typing.get_origin(kind) is Literal:
        return f"-r {name} {typing.get_args(kind)[0]}"
    if (typing.get_origin(kind) or kind) is dict:
        return f"-y '{{{name}: {{key: value}}}}'"
    members = "[a, b]" if str in typing.get_args(kind) else "[3, 4]"
    return f"-y '{{{name}: {members}}}'"


def _allowed(declared: Mapping[str, Any]) -> str:
    lines = [
        f"{name}: {type_name(kind)}" + (f", {POSSIBLE[name].text}" if name in POSSIBLE else "")
        for name, kind in declared.items()
    ]
    return "\n  ".join(lines) or "no parameters: its parameters cell declares none"


def read_settings(settings: Iterable[str]) -> dict[str, Any]:
    """The changes that ``--set name=value`` makes: known names, possible values.

    >>> read_settings(["n_seeds=5", "ruler=Binning(100)"])
    {'n_seeds': 5, 'ruler': 'Binning(100)'}
    """
    known = ("ruler", *FIELDS, "data")
    found: dict[str, Any] = {}
    for one in settings:
        name, sign, text = (part.strip() for part in one.partition("="))
        if not sign or not text:
            raise ValueError(f"--set takes name=value, as --set n_seeds=5; got {one!r}.")
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]}? " if close else ""
            raise ValueError(f"--set knows no {name!r}; {hint}It knows {', '.join(known)}.")
        if name in found:
            raise ValueError(f"--set gives {name} twice.")
        found[name] = POSSIBLE[name].checked(f"--set {name}", _literal(text))
    return found


def _literal(text: str) -> Any:
    """A number, a list or a quoted text; any other text is itself."""
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return text
