"""Tasks: X and Y. ``load_task(name)`` gives one.

The file ``tasks.toml`` lists those of the book, ``register_task`` adds one of your own. A loader is
found when it is called: no task's module is imported here, so that what a result reaches by import
is its own task and not all of them.
"""

from functools import cache
from importlib import import_module
from typing import Any

from ibcore.config import OWN_TASKS, TASK_LOADERS, accept_task
from ibcore.kinds import shown
from ibcore.tasks.base import Task

__all__ = ["Task", "load_task", "module_of", "register_task"]

# Names that are imported from their modules when somebody asks for them here.
_ELSEWHERE = {
    "Fact": "ibcore.tasks.facts:Fact",
    "icosahedron": "ibcore.tasks.icosahedron",
    "load_var_u": "ibcore.tasks.boolean:load_var_u",
    "szt_facts": "ibcore.tasks.facts:szt_facts",
}
_own: dict[str, Task] = {}


def load_task(name: str) -> Task:
    """Load the task of this name; a second call gives the same object.

    Parameters
    ----------
    name : str
        One of ``config.TASKS``, or of a task that was registered. "mnist" is read from the folder
        named by ``IBCORE_DATA`` or downloaded into the user's cache, the real sightings come from
        a file of the user's; the others need no file.

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
    name = _known(name)
    return _own[name] if name in _own else _loaded(name)


def register_task(task: Task) -> None:
    """Let experiments and ``load_task`` know a task of your own, in this process.

    A copy is kept. The hash of its data becomes part of the digest of its experiments, so that a
    result is never taken for one of other data under the same name.

    Parameters
    ----------
    task : Task
        Its name is none of the book's. One that was registered before under this name is replaced.

    Raises
    ------
    ValueError
        If it is no task, or the book has one of its name.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=np.float32)
    >>> y = np.array([0, 1, 1, 0])
    >>> register_task(Task(name="xor", x=x, y=y, n_classes=2, description="exclusive or"))
    >>> load_task("xor")
    Task('xor', 4 x 2 inputs, 2 classes, I(X;Y) = 1.000000 bits)
    """
    if not isinstance(task, Task):
        raise ValueError(f"register_task takes an ib.Task, got {shown(task)}.")
    task = task.copy()
    accept_task(task.name, task.content())
    _own[task.name] = task


def module_of(name: str) -> str:
    """What makes a task: the dotted name of its module, or "content:" and the hash of its data.

    >>> module_of("szt")
    'ibcore.tasks.boolean'
    """
    name = _known(name)
    return f"content:{OWN_TASKS[name]}" if name in _own else TASK_LOADERS[name].partition(":")[0]


@cache
def _loaded(name: str) -> Task:
    return _found(TASK_LOADERS[name])()


def _known(name: str) -> str:
    known = (*TASK_LOADERS, *_own)
    if not isinstance(name, str) or name not in known:
        raise ValueError(
            f"no task is called {shown(name)}; the tasks are {', '.join(known)}. One of your own "
            "goes to ib.register_task first."
        )
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
