"""What installed packages offer by entry points: ``ibcore.tasks``, ``ibcore.rulers``, and so on."""

import warnings
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any


@cache
def points(group: str) -> dict[str, EntryPoint]:
    """Name -> entry point of a group; of two packages with one name the first counts."""
    found: dict[str, EntryPoint] = {}
    for one in entry_points(group=f"ibcore.{group}"):
        found.setdefault(one.name, one)
    return found


def offered(group: str, name: str) -> Any:
    """What a package offers under a name, loaded; None where none does.

    Raises
    ------
    ValueError
        If it cannot be loaded, with the package's own words.
    """
    if name not in points(group):
        return None
    point = points(group)[name]
    try:
        return point.load()
    except Exception as error:  # whatever a foreign module says while it is imported
        raise ValueError(
            f"{point.value}, offered as {name!r}, cannot be loaded: {error}"
        ) from error


def load_all(group: str) -> dict[str, Any]:
    """All that packages offer in a group; one that is broken is left out with a warning."""
    found = {}
    for name in points(group):
        try:
            found[name] = offered(group, name)
        except ValueError as error:
            warnings.warn(f"left out: {error}", RuntimeWarning, stacklevel=2)
    return found
