"""Tasks: X and Y. ``load_task(name)`` gives one; ``LOADERS`` lists the names."""

from collections.abc import Callable
from functools import cache

from ibcore.tasks import icosahedron
from ibcore.tasks.base import Task
from ibcore.tasks.boolean import (
    load_g1,
    load_g2,
    load_parity,
    load_random,
    load_szt,
    load_szt_soft,
    load_var_u,
)
from ibcore.tasks.facts import Fact, szt_facts
from ibcore.tasks.images import load_digits, load_mnist
from ibcore.tasks.pokemon import (
    load_pokemon,
    load_pokemon_minmax,
    load_pokemon_real,
    load_pokemon_real_minmax,
)
from ibcore.tasks.spiral import load_spiral
from ibcore.tasks.teacher import load_scalar_teacher, load_teacher, load_teacher_30

LOADERS: dict[str, Callable[[], Task]] = {
    "szt": load_szt,
    "szt_soft": load_szt_soft,
    "g1": load_g1,
    "g2": load_g2,
    "random": load_random,
    "parity": load_parity,
    "digits": load_digits,
    "mnist": load_mnist,
    "pokemon": load_pokemon,
    "pokemon_minmax": load_pokemon_minmax,
    "pokemon_real": load_pokemon_real,
    "pokemon_real_minmax": load_pokemon_real_minmax,
    "teacher": load_teacher,
    "teacher_30": load_teacher_30,
    "scalar_teacher": load_scalar_teacher,
    "spiral": load_spiral,
}

__all__ = ["LOADERS", "Fact", "Task", "icosahedron", "load_task", "load_var_u", "szt_facts"]


@cache
def load_task(name: str) -> Task:
    """Load the task of this name; a second call gives the same object.

    Parameters
    ----------
    name : str
        A key of ``LOADERS``. "mnist" is read from the folder named by ``IBCORE_DATA`` or
        downloaded into the user's cache; the others need no file.

    Raises
    ------
    ValueError
        If there is no such task.

    Examples
    --------
    >>> load_task("szt")
    Task('szt', 4096 x 12 inputs, 2 classes, I(X;Y) = 0.999157 bits)
    """
    if name not in LOADERS:
        raise ValueError(f"no task is called {name!r}; the tasks are {', '.join(LOADERS)}.")
    return LOADERS[name]()
