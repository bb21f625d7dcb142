"""What the chapters run: their study files, read and spelt out. Nothing is computed here.

The file ``experiments.toml`` in a paper's folder names the experiments of its chapter; each has the
fields of the chapter's base, its own, and those of the profile.
"""

import copy
import os
from collections.abc import Mapping
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
    """The study file of a chapter, which is there and has the profile.

    Raises
    ------
    ValueError
        For an unknown chapter or profile, with what there is.
    """
    if chapter not in papers():
        raise ValueError(f"no chapter {chapter!r}; there are {', '.join(papers())}.")
    if profile not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}; got {profile!r}.")
    return copy.deepcopy(read_toml(paper_file(chapter, "experiments.toml")))


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
