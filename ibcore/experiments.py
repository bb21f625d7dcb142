"""What the chapters run: their study files, read and spelt out. Nothing is computed here.

The file ``ibcore/chapters/<chapter>.toml`` names the experiments of a chapter; each has the
fields of the chapter's base, its own, and those of the profile.
"""

import os
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

from platformdirs import user_cache_dir

from ibcore.config import PROFILES, Experiment

# A chapter's parameters of these names change every experiment, the others only what an
# experiment leaves to the chapter's base.
SCALE = ("n_seeds", "n_epochs", "n_measured_epochs")
_NOT_FIELDS = ("ruler", "rulers", "observables", *PROFILES)  # of an entry, and of an Experiment


def chapters() -> tuple[str, ...]:
    """Names of the chapters that have a study, in the order of the book."""
    found = [file for file in files("ibcore.chapters").iterdir() if file.name.endswith(".toml")]
    names = [file.name.removesuffix(".toml") for file in found]
    studies = [name for name in names if not name.endswith("_claims")]
    return tuple(sorted(studies, key=lambda name: _read(name)["chapter"]["number"]))


def book_folder() -> Path:
    """The folder ``book``: from ``IBCORE_BOOK``, above the working folder, or beside the package.

    Raises
    ------
    ValueError
        If it is in none of these places.
    """
    if named := os.environ.get("IBCORE_BOOK"):
        return Path(named)
    here = Path.cwd()
    for folder in (here, *here.parents, Path(__file__).parent.parent):
        if (folder / "_toc.yml").exists() and (folder / "book").is_dir():
            return folder / "book"
    raise ValueError(
        "no folder 'book' with a _toc.yml beside it, above the working folder or beside ibcore; "
        "run inside a clone of the book, or name the folder in IBCORE_BOOK."
    )


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
    if chapter not in chapters():
        raise ValueError(f"no chapter {chapter!r}; there are {', '.join(chapters())}.")
    if profile not in PROFILES:
        raise ValueError(f"profile must be one of {', '.join(PROFILES)}; got {profile!r}.")
    return _read(chapter)


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
    data: str = "stand-in",
    changes: Mapping[str, Any] | None = None,
) -> dict[str, Experiment]:
    """Name -> experiment of a study file, at a profile and with the chapter's parameters.

    Parameters
    ----------
    content : dict
        As ``read_chapter`` gives it.
    profile : str
    data : str
        ``"real"`` puts the real sightings where a chapter has the stand-in for them.
    changes : dict, optional
        Fields of ``Experiment``: those of ``SCALE`` change every experiment, the others what an
        experiment leaves to the base.
    """
    changes = changes or {}
    scale = {name: value for name, value in changes.items() if name in SCALE}
    other = {name: value for name, value in changes.items() if name not in SCALE}
    found = {}
    for name, entry in entries(content).items():
        own, special = (
            {key: value for key, value in one.items() if key not in _NOT_FIELDS}
            for one in (entry, entry.get(profile, {}))
        )
        fields = content["base"] | other | own | content["profiles"][profile] | special | scale
        if data == "real":
            fields["task"] = fields["task"].replace("pokemon", "pokemon_real")
        if fields.get("batch_size") == "full":
            fields["batch_size"] = None
        found[name] = Experiment(**fields)
    return found


def _read(chapter: str) -> dict[str, Any]:
    return tomllib.loads((files("ibcore.chapters") / f"{chapter}.toml").read_text("utf-8"))
