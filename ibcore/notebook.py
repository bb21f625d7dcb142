"""Notebooks in which only a part is asked for: cells that need the rest are skipped, with a line.

A study that is asked for one claim refuses the planes and verdicts of others with ``NotAskedFor``.
Under ``skip_cells`` a cell that meets one says so in one line and ends; what it would have set is
gone, and the cells that need that are skipped as well. Every other error stays one.
"""

import ast
import builtins
import sys
from collections.abc import Iterator
from typing import Any

_NAME = "__skipping__"
_CONTAINERS = (list, dict, set)


class NotAskedFor(ValueError):
    """A plane or a verdict that the claim in question does not need."""


def shell() -> Any:
    """The notebook's or the terminal's IPython; None outside of one."""
    asked = getattr(builtins, "get_ipython", None)
    return asked() if asked else None


def skip_cells(claim: str, interpreter: Any) -> None:
    """From the next cell on, skip those that need what a claim does not; once is enough."""
    names = interpreter.user_ns
    if not isinstance(names.get(_NAME), _Skipping):
        names[_NAME] = _Skipping(names)
        interpreter.ast_transformers.append(_Wrapping(names[_NAME]))
    names[_NAME].claim = claim


class _Wrapping(ast.NodeTransformer):
    """A cell becomes ``with __skipping__: ...``; its last expression is shown as before."""

    def __init__(self, skipping: "_Skipping"):
        self.skipping = skipping

    def visit_Module(self, node: ast.Module) -> ast.Module:
        """Put the statements of a cell under the watch of ``_Skipping``."""
        if not node.body:
            return node
        self.skipping.cell = list(node.body)
        body, last = list(node.body), node.body[-1]
        watched = _made(f"with {_NAME}: {_NAME}.begin()", body[0])
        assert isinstance(watched, ast.With)
        node.body = [watched]
        if isinstance(last, ast.Expr):
            kept = _made(f"{_NAME}.shown = 0", last)
            assert isinstance(kept, ast.Assign)
            kept.value, body[-1] = last.value, kept
            node.body.append(_made(f"{_NAME}.shown", last))
        watched.body += body
        return node


def _made(source: str, place: ast.stmt) -> ast.stmt:
    """A statement of ours, at the lines of one of the cell."""
    (found,) = ast.parse(source).body
    for one in ast.walk(found):
        ast.copy_location(one, place)
    return found


class _Skipping:
    """Ends a cell that asks for too much, and knows which names are missing since."""

    def __init__(self, names: dict[str, Any]):
        self.names, self.claim = names, ""
        self.cell: list[ast.stmt] = []
        self.lost: set[str] = set()  # names that a skipped cell would have set
        self.torn: set[str] = set()  # collections that a skipped cell would have filled
        self.shown: object = None

    def __enter__(self) -> None:
        self.shown = None

    def begin(self) -> None:
        """Refuse a cell that uses what a skipped one would have made."""
        own = {name for one in self.cell for name in _stored(one)}
        used = {name for one in self.cell for name in _loaded(one)}
        if absent := sorted(name for name in (used - own) & self.lost if name not in self.names):
            raise NotAskedFor(f"it uses {', '.join(absent)}, of a cell that was skipped")

    def __exit__(self, kind: object, error: BaseException | None, trace: Any) -> bool:
        if error is not None and not self._is_skipped(error):
            return False
        ends = [one.end_lineno or 0 for one in self.cell]
        done = sum(end < trace.tb_lineno for end in ends) if error else len(ends)
        made = {name for one in self.cell[:done] for name in _stored(one)}
        self.lost, self.torn = self.lost - made, self.torn - made
        if error is None:
            return False
        gone = {name for one in self.cell[done:] for name in _stored(one)}
        for name in gone:
            self.names.pop(name, None)
        self.lost |= gone
        filled = [name for one in self.cell[done : done + 1] for name in _loaded(one)]
        self.torn |= {one for one in filled if isinstance(self.names.get(one), _CONTAINERS)}
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")  # half a figure is none
        self.shown = None
        sys.stdout.write(f"Skipped: {_reason(error)}\n")  # in one piece, unlike print
        return True

    def _is_skipped(self, error: BaseException) -> bool:
        if isinstance(error, NotAskedFor):
            return True
        if isinstance(error, NameError):
            return error.name in self.lost
        if not isinstance(error, LookupError | ValueError):
            return False
        asked = any(self.claim in _texts(one) for one in self.cell)
        return not asked and bool({name for one in self.cell for name in _loaded(one)} & self.torn)


def _reason(error: BaseException) -> str:
    if isinstance(error, NotAskedFor):
        return f"{str(error).rstrip('.')}."
    if isinstance(error, NameError):
        return f"it uses {error.name}, of a cell that was skipped."
    return "it uses what a cell that was skipped would have filled."


def _stored(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            yield one.id


def _loaded(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load):
            yield one.id


def _texts(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.value
