"""The code of what a reader has written, from the objects themselves: in a notebook it has no file.

What counts is compiled code with its constants, defaults and closures, and all that it uses of the
reader's own, in whatever module that is; comments, docstrings and layout do not. Another version
of Python compiles otherwise and counts as other code. Of the large libraries only names count.
"""

import dis
import functools
import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType, ModuleType

import numpy as np

LIBRARIES = {"numba", "numpy", "pandas", "scipy", "sklearn", "torch", "xarray"}
PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...), slice, range)
HEAP_TYPE = 1 << 9  # the flag of types that are made while a program runs
_NOT_WRITTEN = (
    "__doc__", "__module__", "__dict__", "__weakref__", "__qualname__", "__slots__",
    "__annotations__", "__firstlineno__", "__static_attributes__", "__annotate__",
)  # fmt: skip


def live_code(thing: object, of_ibcore: Callable[[str], str]) -> Iterator[str]:
    """Texts that are the same for the same code only.

    Parameters
    ----------
    thing : class, function or object
    of_ibcore : function
        The hash of a module of ibcore.
    """
    yield from _Reader(of_ibcore).of(thing)


class _Reader:
    """Follows objects, each once."""

    def __init__(self, of_ibcore: Callable[[str], str]):
        self.of_ibcore = of_ibcore
        self.seen: dict[int, object] = {}  # held, so that no address is given twice

    def of(self, thing: object) -> Iterator[str]:
        """The code of anything."""
        if isinstance(thing, PLAIN):
            yield repr(thing)
        elif id(thing) not in self.seen:
            self.seen[id(thing)] = thing
            values = isinstance(thing, tuple | list | dict | set | frozenset | np.ndarray)
            yield from self._of_values(thing) if values else self._of_code(thing)

    def _of_values(self, values: object) -> Iterator[str]:
        yield type(values).__name__
        if isinstance(values, np.ndarray):
            yield f"{values.dtype.str} {values.shape}"
            yield hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()
        elif isinstance(values, dict):
            for key, value in values.items():
                yield repr(key)
                yield from self.of(value)
        elif isinstance(values, set | frozenset):
            yield from sorted(repr(one) for one in values)  # their order differs in each process
        elif isinstance(values, Iterable):
            for one in values:
                yield from self.of(one)

    def _of_code(self, thing: object) -> Iterator[str]:
        if isinstance(thing, staticmethod | classmethod):
            thing = thing.__func__
        home = _home(thing)
        if home == "ibcore" and isinstance(thing, type | FunctionType):
            yield self.of_ibcore(thing.__module__)
        elif home in LIBRARIES or home in sys.stdlib_module_names - {"__main__"}:
            if isinstance(thing, functools.partial):
                yield from self.of((thing.func, thing.args, thing.keywords))
            else:
                yield f"{_module(thing)}.{getattr(thing, '__qualname__', type(thing).__name__)}"
        elif isinstance(thing, type):
            yield from self._of_class(thing)
        elif isinstance(thing, property):
            yield from self.of((thing.fget, thing.fset))
        elif isinstance(thing, FunctionType):
            yield from self._of_function(thing)
        elif not isinstance(thing, ModuleType):
            yield from self._of_object(thing)

    def _of_class(self, kind: type) -> Iterator[str]:
        for base in kind.__mro__[1:-1]:
            yield from self.of(base)
        for name, member in sorted(vars(kind).items()):
            if name not in _NOT_WRITTEN:
                yield name
                yield from self.of(member)

    def _of_function(self, function: FunctionType) -> Iterator[str]:
        yield from self._of_compiled(function.__code__, function)
        yield from self.of((function.__defaults__, function.__kwdefaults__))
        for cell in function.__closure__ or ():
            try:
                yield from self.of(cell.cell_contents)
            except ValueError:  # not filled yet
                yield "empty"

    def _of_compiled(self, code: CodeType, function: FunctionType) -> Iterator[str]:
        yield code.co_code.hex()
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                yield from self._of_compiled(constant, function)
            elif constant != function.__doc__:
                yield from self.of(constant)
        yield from code.co_names
        for name in sorted(_globals(code)):
            used = function.__globals__.get(name)
            if isinstance(used, ModuleType):
                own = _home(used) not in LIBRARIES | sys.stdlib_module_names | {"ibcore"}
                for one in code.co_names if own else ():  # module.helper: both are its names
                    yield from self.of(vars(used).get(one))
            else:
                yield from self.of(used)

    def _of_object(self, thing: object) -> Iterator[str]:
        for name in ("py_func", "__wrapped__", "__func__"):  # compiled, cached, bound
            if (inner := getattr(thing, name, None)) is not None:
                yield from self.of(inner)
                return
        yield from self.of(type(thing))
        yield from self.of(dict(sorted(getattr(thing, "__dict__", {}).items())))


def _module(thing: object) -> str:
    if isinstance(thing, ModuleType):
        return thing.__name__
    return getattr(thing, "__module__", None) or type(thing).__module__


def _home(thing: object) -> str:
    """The first part of the module that a thing comes from."""
    home = "" if isinstance(thing, property) else _module(thing).split(".")[0]
    return "" if home == "builtins" and _is_written(thing) else home


def _is_written(thing: object) -> bool:
    """Whether code in Python made it: such of no module is said to be of builtins."""
    return isinstance(thing, FunctionType) or (
        isinstance(thing, type) and bool(thing.__flags__ & HEAP_TYPE)
    )


def _globals(code: CodeType) -> set[str]:
    """Global names that compiled code reads; attributes stand among its names, too."""
    reading = ("LOAD_GLOBAL", "LOAD_NAME")
    return {one.argval for one in dis.get_instructions(code) if one.opname in reading}
