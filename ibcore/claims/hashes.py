"""The hash of what decides a claim: its entry, the paper's functions it reaches, and the rules.

Code counts without comments, docstrings and layout. Of a paper's ``evidence`` the functions that a
test names count with everything of the paper that they reach; of this package the modules that make
cells, marks and words of planes.
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from ibcore.papers import paper_file

RULES = (
    "cells", "checks", "clocks", "criteria", "decide", "effects", "intervals", "judge", "relations",
    "words",
)  # fmt: skip


def content_hash(content: Any) -> str:
    """SHA-256, 16 hex digits, of parsed content written as canonical JSON."""
    canonical = json.dumps(content, sort_keys=True, default=_plain)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def deciding_hash(paper: str, entry: Mapping[str, Any]) -> str:
    """Hash of a claim's deciding fields, its paper's functions and the rules."""
    names = [test["function"] for test in entry["tests"] if "function" in test]
    code = [_of_paper(paper_file(paper, "evidence.py"), name) for name in names]
    return content_hash([entry, code, rules_hash()])


@cache
def rules_hash() -> str:
    """Of the modules of this package that decide."""
    folder = Path(__file__).parent
    return content_hash([_bare(_tree(folder / f"{name}.py")) for name in RULES])


def _of_paper(file: Path, name: str) -> Any:
    if not file.exists():
        return ""
    return _reached(file, file.stat().st_mtime_ns, name)


@cache
def _reached(file: Path, written: int, name: str) -> Any:
    """Source of a function and of all that it reaches in its file, in the order of the file."""
    tree = _tree(file)
    defined: dict[str, list[ast.stmt]] = {}
    for node in tree.body:
        for one in _names(node):
            defined.setdefault(one, []).append(node)
    seen: set[str] = set()
    ask = [name]
    while ask:
        if (one := ask.pop()) in seen or one not in defined:
            continue
        seen.add(one)
        for node in defined[one]:
            ask += [used.id for used in ast.walk(node) if isinstance(used, ast.Name)]
    wanted = {id(node) for one in seen for node in defined[one]}
    return _bare(ast.Module([node for node in tree.body if id(node) in wanted], []))


def _names(node: ast.stmt) -> Iterable[str]:
    """Names that a statement of a module defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.split(".")[0] for alias in node.names]
    stored = (one for one in ast.walk(node) if isinstance(one, ast.Name))
    return [one.id for one in stored if isinstance(one.ctx, ast.Store)]


def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _bare(tree: ast.AST) -> Any:
    """Syntax without docstrings, annotations and what differs between versions of Python."""
    if isinstance(tree, list):
        return [_bare(one) for one in tree]
    if not isinstance(tree, ast.AST):
        return tree if isinstance(tree, str | int | float | bool | None) else repr(tree)
    fields = dict(ast.iter_fields(tree))
    if isinstance(tree, ast.Module | ast.FunctionDef | ast.ClassDef):
        fields["body"] = [one for one in tree.body if not _is_text(one)]
    kept = {name: _bare(value) for name, value in fields.items() if name not in _SKIPPED and value}
    return [type(tree).__name__, kept]


_SKIPPED = ("ctx", "kind", "type_comment", "type_params", "type_ignores", "annotation", "returns")


def _is_text(node: ast.stmt) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _plain(value: Any) -> Any:
    """Mappings that are no dict, and dates."""
    return dict(value) if isinstance(value, Mapping) else str(value)
