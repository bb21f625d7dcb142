"""What is claimed, and what decides it: the chapter files, read and checked.

A criterion is written down before its result exists. ``registry_hash`` names the state of a
chapter's criteria, and every verdict carries it.
"""

import hashlib
import json
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeGuard

from ibcore.papers import paper_file, papers, papers_folder, shown

EFFECT_WORDS = ("reproduced", "partly", "undecided", "not reproduced", "inverted")
"""Words for an effect, from the best to the worst."""

IDENTITY_WORDS = ("holds", "fails")
"""Words for identities and theorems."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim of one source and the test that decides it.

    Parameters
    ----------
    id : str
        As in the chapter file, such as "SZT-F3".
    chapter : str
        Name of the chapter file.
    title : str
        A few words.
    source : str
        Paper and figure.
    statement : str
        The claim, in our own words.
    criterion : str
        The test, in words; ``thresholds`` holds its numbers.
    evidence : str
        Function of the paper's ``evidence`` that turns planes into parts.
    experiments : tuple of str
        Planes it needs, by name.
    words : tuple of str
        Words it can give.
    headline : str
        Name of the part whose effect and interval stand for the whole row.
    unit : str
        Unit of the headline's effect.
    thresholds : mapping of str to number or tuple of numbers
        Every number the evidence uses.
    note : str
        Limits of the test.
    all_rulers : bool
        Whether the evidence names its rulers itself; else it sees one, the first of each plane or
        the one asked for.
    """

    id: str
    chapter: str
    title: str
    source: str
    statement: str
    criterion: str
    evidence: str
    experiments: tuple[str, ...]
    words: tuple[str, ...]
    headline: str
    unit: str
    thresholds: Mapping[str, Any]
    note: str = ""
    all_rulers: bool = False

    @property
    def is_identity(self) -> bool:
        """Whether the row holds or fails, with no uncertainty over seeds."""
        return set(self.words) <= set(IDENTITY_WORDS)


_KEYS = {field.name for field in fields(Claim)} - {"chapter"}
_OPTIONAL = {"note", "all_rulers"}


def load_registry(chapter: str = "shwartz_ziv") -> tuple[Claim, ...]:
    """Return the claims of a chapter, in the order of its file.

    Raises
    ------
    ValueError
        If there is no such chapter, or its file has an unknown or missing key, an unknown
        word, or two claims of one id.

    Examples
    --------
    >>> load_registry("shwartz_ziv")[0].id
    'SZT-S3.1'
    """
    return _load(chapter, papers_folder())


@cache
def _load(chapter: str, folder: Path) -> tuple[Claim, ...]:
    return parse_claims(_content(chapter, folder), chapter)


def parse_claims(content: Mapping[str, Any], chapter: str) -> tuple[Claim, ...]:
    """Check the parsed content of a chapter's claims file and return its claims."""
    where = claims_file(chapter)
    _refuse_unknown(content, {"claims"}, where)
    claims = tuple(_claim(entry, chapter) for entry in _tables(content, where))
    ids = [claim.id for claim in claims]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"{where}: claim ids must be unique; {', '.join(twice)} stand twice.")
    return claims


def registry_hash(chapter: str = "shwartz_ziv") -> str:
    """Name the state of a chapter's criteria: 16 hex digits that formatting does not change."""
    load_registry(chapter)  # a file with a mistake has no hash
    return content_hash(_content(chapter, papers_folder()))


def content_hash(content: Any) -> str:
    """SHA-256, 16 hex digits, of parsed content written as canonical JSON."""
    canonical = json.dumps(content, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def find_claim(claim_id: str) -> Claim:
    """Return the claim of this id, whichever chapter it stands in.

    Raises
    ------
    ValueError
        If no chapter has it.
    """
    claims = {claim.id: claim for chapter in papers() for claim in load_registry(chapter)}
    if claim_id not in claims:
        raise ValueError(f"no claim is called {claim_id!r}; the claims are {', '.join(claims)}.")
    return claims[claim_id]


def claims_file(chapter: str) -> str:
    """Where the claims of a chapter stand, as messages name it."""
    return shown(chapter, "claims.toml")


@cache  # claims and their hash come from one reading, whatever happens to the file meanwhile
def _content(chapter: str, folder: Path) -> dict[str, Any]:
    try:
        return read_text(paper_file(chapter, "claims.toml").read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ValueError(f"{claims_file(chapter)}: {error}") from error
    except ValueError as error:
        if chapter not in papers():
            raise
        raise ValueError(f"{claims_file(chapter)}: {error}") from error


def read_text(text: str) -> dict[str, Any]:
    """Parse a claims file and spell out its ranges of experiments."""
    content = tomllib.loads(text)
    for entry in _tables(content, "a claims file"):
        if _are_names(names := entry.get("experiments")):
            entry["experiments"] = list(chain.from_iterable(map(_spelt_out, names)))
    return content


def _tables(content: Mapping[str, Any], where: str) -> list[dict[str, Any]]:
    entries = content.get("claims")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError(f"{where} must consist of [[claims]] tables, got claims = {entries!r}.")
    return entries


def _claim(entry: Mapping[str, Any], chapter: str) -> Claim:
    where = f"{claims_file(chapter)}: claim {entry.get('id', '(without id)')}"
    _refuse_unknown(entry, _KEYS, where)
    missing = sorted(_KEYS - _OPTIONAL - set(entry))
    if missing:
        raise ValueError(f"{where} lacks {', '.join(missing)}.")
    for name, value in entry.items():
        kind, fits = _KINDS.get(name, ("text", lambda value: isinstance(value, str)))
        if not fits(value):
            raise ValueError(f"{where}: {name} must be {kind}, got {value!r}.")
    words = tuple(entry["words"])
    if not (set(words) <= set(EFFECT_WORDS) or set(words) <= set(IDENTITY_WORDS)) or not words:
        raise ValueError(
            f"{where}: words must come from {EFFECT_WORDS} or from {IDENTITY_WORDS}, got {words}."
        )
    thresholds = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in entry["thresholds"].items()
    }
    frozen = {
        "experiments": tuple(entry["experiments"]),
        "words": words,
        "thresholds": MappingProxyType(thresholds),
    }
    return Claim(chapter=chapter, **{**entry, **frozen})


def _are_names(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _is_threshold(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_threshold, value))
    return type(value) in (int, str) or (type(value) is float and math.isfinite(value))


# Field of a claim -> what it must be, and the test of it; every other field is text.
_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "experiments": ("a list of names", _are_names),
    "words": ("a list of words", _are_names),
    "all_rulers": ("true or false", lambda value: isinstance(value, bool)),
    "thresholds": (
        "a table of numbers, names, or lists of them",
        lambda value: isinstance(value, dict) and all(map(_is_threshold, value.values())),
    ),
}


def _spelt_out(name: str) -> list[str]:
    """``size_01..20`` is size_01, size_02 to size_20; any other name is itself."""
    if not (found := re.fullmatch(r"(.+_)(\d+)\.\.(\d+)", name)):
        return [name]
    stem, first, last = found.groups()
    if not int(first) <= int(last) < int(first) + 1000:
        raise ValueError(f"the range {name!r} must go up, over at most 1000 experiments.")
    return [f"{stem}{k:0{len(first)}}" for k in range(int(first), int(last) + 1)]


def _refuse_unknown(entry: Mapping[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(entry) - known)
    if unknown:
        raise ValueError(
            f"{where} has unknown keys {', '.join(unknown)}; known are {', '.join(sorted(known))}."
        )
