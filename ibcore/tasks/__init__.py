"""Tasks: X and Y. ``load_task(name)`` gives one; the file ``tasks.toml`` lists those of the book.

A loader is found when it is called. No task's module is imported here, so that what a result
reaches by import is its own task and not all of them.
"""

from functools import cache
from importlib import import_module
from typing import Any

from ibcore.config import TASK_LOADERS
from ibcore.tasks.base import Task

__all__ = ["Task", "load_task", "module_of"]

# Names that are imported from their modules when somebody asks for them here.
_ELSEWHERE = {
    "Fact": "ibcore.tasks.facts:Fact",
    "icosahedron": "ibcore.tasks.icosahedron",
    "load_var_u": "ibcore.tasks.boolean:load_var_u",
    "szt_facts": "ibcore.tasks.facts:szt_facts",
}


def load_task(name: str) -> Task:
    """Load the task of this name; a second call gives the same object.

    Parameters
    ----------
    name : str
        One of ``config.TASKS``. "mnist" is read from the folder named by ``IBCORE_DATA`` or
        downloaded into the user's cache, the real sightings come from a file of the user's; the
        others need no file.

    Raises
    ------
    ValueError
        If there is no such task.
    OSError
        If its file is nowhere.

    Examples
    --------
    >>> load_task("szt")
    Task('szt', 4096 x 12 inputs, 2 classes, I(X;Y) = 0.999157 bits)
    """
    return _loaded(_known(name))


def module_of(name: str) -> str:
    """Dotted name of the module that makes a task.

    >>> module_of("szt")
    'ibcore.tasks.boolean'
    """
    return TASK_LOADERS[_known(name)].partition(":")[0]


@cache
def _loaded(name: str) -> Task:
    return _found(TASK_LOADERS[name])()


def _known(name: str) -> str:
    if not isinstance(name, str) or name not in TASK_LOADERS:
        raise ValueError(f"no task is called {name!r}; the tasks are {', '.join(TASK_LOADERS)}.")
    return name


def _found(reference: str) -> Any:
    """What "module:name" points to; without a name the module itself."""
    module, _, name = reference.partition(":")
    return getattr(import_module(module), name) if name else import_module(module)


def __getattr__(name: str) -> Any:
    """``LOADERS``, every name with its function, and the names that live in a task's module."""
    if name == "LOADERS":
        return {task: _found(loader) for task, loader in TASK_LOADERS.items()}
    if name in _ELSEWHERE:
        return _found(_ELSEWHERE[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
