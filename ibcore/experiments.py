"""What the chapters run: their study files, read and spelt out. Nothing is computed here.

The file ``experiments.toml`` in a paper's folder names the experiments of its chapter; each has the
fields of the chapter's base, its own, and those of the profile.
"""

import copy
import os
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from platformdirs import user_cache_dir

from ibcore.config import PROFILES, Experiment
from ibcore.papers import paper_file, papers, read_toml

# A chapter's parameters of these names change every experiment, the others only what an
# experiment leaves to the chapter's base.
SCALE = ("first_seed", "n_seeds", "n_epochs", "n_measured_epochs")
STAND_IN = "stand-in"  # the data that a chapter states; it may offer others
_NOT_FIELDS = ("ruler", "rulers", "observables", *PROFILES)  # of an entry, and of an Experiment


def cache_folder() -> Path:
    """Where runs of a reader are kept: ``IBCORE_CACHE`` or the user's cache folder."""
    return Path(os.environ.get("IBCORE_CACHE") or user_cache_dir("ibcore"))


def read_chapter(chapter: str, profile: str) -> dict[str, Any]:
    """The study file of a chapter, or a file of experiments by its path, with the profile.

    Raises
    ------
    ValueError
        For an unknown chapter, file or profile, with what there is.
    """
    if chapter.endswith(".toml"):
        return _read_file(Path(chapter))
    if chapter not in papers():
        raise ValueError(f"no chapter {chapter!r}; there are {', '.join(papers())}.")
    if profile not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}; got {profile!r}.")
    return copy.deepcopy(read_toml(paper_file(chapter, "experiments.toml")))


def _read_file(path: Path) -> dict[str, Any]:
    """A file of experiments beside a reader's notebook; ``[grid]`` crosses lists of values."""
    if not path.is_file():
        raise ValueError(f"there is no file of experiments at {path}.")
    try:
        content = copy.deepcopy(read_toml(path))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    known = ("chapter", "base", "profiles", "experiments", "families", "settings", "grid", "data")
    if unknown := sorted(set(content) - set(known)):
        raise ValueError(
            f"{path}: unknown tables {', '.join(unknown)}; known are {', '.join(known)}."
        )
    content["chapter"] = {"n_bins": 30, "observables": ["shape"]} | content.get("chapter", {})
    content["profiles"] = {one: {} for one in PROFILES} | content.get("profiles", {})
    content = {"experiments": {}} | content
    content["base"] = {"task": Experiment.task} | content.get("base", {})
    content["experiments"] |= _crossed(content.pop("grid", {}))
    if not content["experiments"] and not content.get("families"):
        raise ValueError(f"{path} names no experiment: write [experiments.NAME], or a [grid].")
    return content


def _crossed(grid: Mapping[str, list[Any]]) -> dict[str, dict[str, Any]]:
    """Every combination of the values of a grid, named after them.

    >>> list(_crossed({"activation": ["tanh", "relu"], "hidden_widths": [[4, 3]]}))
    ['tanh-4_3', 'relu-4_3']
    """
    found = {}
    for values in product(*grid.values()) if grid else ():
        told = ("_".join(map(str, one)) if isinstance(one, list) else str(one) for one in values)
        found["-".join(told)] = dict(zip(grid, values, strict=True))
    return found


def entries(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Every experiment of a study file, families spelt out."""
    found = dict(content["experiments"])
    for family, fields in content.get("families", {}).items():
        common = {key: value for key, value in fields.items() if key != "vary"}
        ((field, values),) = fields["vary"].items()
        if field == "settings":
            values = content["settings"][values]
        digits = len(str(len(values)))
        for position, value in enumerate(values, start=1):
            settings = value if field == "settings" else {field: value}
            found[f"{family}_{position:0{digits}}"] = common | settings
    return found


def experiments(
    content: Mapping[str, Any],
    profile: str = "paper",
    data: str = STAND_IN,
    changes: Mapping[str, Any] | None = None,
) -> dict[str, Experiment]:
    """Name -> experiment of a study file, at a profile and with the chapter's parameters.

    Parameters
    ----------
    content : dict
        As ``read_chapter`` gives it.
    profile : str
    data : str
        Other data that the chapter offers in place of its own.
    changes : dict, optional
        Fields of ``Experiment``: those of ``SCALE`` change every experiment, the others what an
        experiment leaves to the base.
    """
    changes = changes or {}
    scale = {name: value for name, value in changes.items() if name in SCALE}
    other = {name: value for name, value in changes.items() if name not in SCALE}
    tasks = other_data(content, data).get("tasks", {})
    found = {}
    for name, entry in entries(content).items():
        own, special = (
            {key: value for key, value in one.items() if key not in _NOT_FIELDS}
            for one in (entry, entry.get(profile, {}))
        )
        fields = content["base"] | other | own | content["profiles"][profile] | special | scale
        fields["task"] = tasks.get(fields["task"], fields["task"])
        if fields.get("batch_size") == "full":
            fields["batch_size"] = None
        found[name] = Experiment(**fields)
    return found


def other_data(content: Mapping[str, Any], data: str) -> dict[str, Any]:
    """What a chapter puts in the place of its own data: tasks, and words of its criteria.

    Raises
    ------
    ValueError
        If the chapter does not offer it.
    """
    offered = {STAND_IN: {}} | content.get("data", {})
    if data not in offered:
        raise ValueError(f"data must be one of {', '.join(offered)}; got {data!r}.")
    return offered[data]
