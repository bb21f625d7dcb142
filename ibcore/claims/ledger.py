"""The ledger: all verdicts together, generated and never edited by hand.

``ledger.json`` is a list with one entry per claim. The tests behind every entry stand beside it
in ``verdicts/<chapter>.json``, with a hash of what they say and, in each, the hash of what it was
decided by. A ledger is believed as a whole or not at all: an entry that differs
from its tests, a file that was edited and a criterion that changed after its verdict are refused.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from ibcore.claims.decide import CellVerdict, CheckVerdict
from ibcore.claims.findings import sentence
from ibcore.claims.hashes import content_hash
from ibcore.claims.registry import Claim, find_claim, load_registry
from ibcore.claims.verdict import LEDGER_KEYS, Verdict
from ibcore.claims.words import WORDS
from ibcore.files import write_whole
from ibcore.papers import papers

Details = dict[str, Any]

_DETAIL_KEYS = {*LEDGER_KEYS, "tests"}


def write_ledger(path: str | Path, verdicts: Iterable[Verdict]) -> None:
    """Put verdicts into the ledger, each in the place of an older one of its id.

    The files of the chapters are written first and the ledger is made from them, so that a run
    that ended between the two is mended by the next. Every file is written beside its place and
    then renamed: none is ever half there.

    Raises
    ------
    ValueError
        If something else than verdicts is given, or a file that is there and is to be kept is
        damaged or was edited.
    """
    path, verdicts = Path(path), list(verdicts)
    strange = [one for one in verdicts if not isinstance(one, Verdict)]
    if strange or not verdicts:
        got = repr(strange[0]) if strange else "none"
        raise ValueError(f"the ledger takes verdicts from judge(), got {got}.")
    if path.exists():
        _refuse_untested(_read_entries(path), path)
    for chapter in sorted({verdict.chapter for verdict in verdicts}):
        given = {v.id: verdict_details(v) for v in verdicts if v.chapter == chapter}
        kept = {claim.id for claim in load_registry(chapter)} - set(given)
        older = _read_details(chapter, path) if kept else []
        content = _ordered({one["id"]: one for one in older} | given)
        _write(
            _details_file(chapter, path),
            {"content_hash": content_hash(content), "verdicts": content},
        )
    # Another process may have written its chapter meanwhile: whoever writes last has seen all.
    written = None
    while written != (entries := _entries_of_all(path)):
        _write(path, entries)
        written = entries


def load_ledger(path: str | Path) -> list[dict[str, Any]]:
    """Read the ledger and check it against the tests behind it and against the registry.

    Raises
    ------
    ValueError
        If a file is damaged or was edited, the ledger has no entry, lacks one or has one twice,
        an entry has other keys, an unknown id, a word its claim cannot give, another chapter than
        its claim or other numbers than its tests, or a criterion changed after its verdict.
    """
    path = Path(path)
    entries = _read_entries(path)
    for entry in entries:
        _check(entry, path)
    tested: dict[str, Details] = {}
    for chapter in papers():
        details = _read_details(chapter, path)
        _refuse_changed_criteria(chapter, details, path)
        tested |= {one["id"]: one for one in details}
    _compare(entries, tested, path)
    return entries


def refresh_findings(path: str | Path) -> list[str]:
    """Fill the sentences of the claims files again with the numbers of the stored tests.

    A sentence can be worded better without judging again: words and numbers stay as they were
    decided. Returns the ids of the claims whose finding changed.

    Raises
    ------
    ValueError
        If the ledger cannot be believed, or a claim has no sentence for its word.
    """
    path, changed = Path(path), []
    load_ledger(path)
    for chapter in papers():
        details = _read_details(chapter, path)
        for one in details:
            finding = _finding(find_claim(one["id"]), one)
            changed += [one["id"]] * (finding != one["finding"])
            one["finding"] = finding
        if {one["id"] for one in details} & set(changed):
            _write(
                _details_file(chapter, path),
                {"content_hash": content_hash(details), "verdicts": details},
            )
    if changed:
        _write(path, _entries_of_all(path))
    return changed


def _finding(claim: Claim, details: Details) -> str:
    """What a claims file says today of a verdict that was stored."""
    if not details["tests"]:
        return claim.not_testable or claim.waits
    source = find_claim(claim.same_evidence_as) if claim.same_evidence_as else claim
    tests = [_test(one) for one in details["tests"]]
    for one in (claim, source):
        if found := sentence(one.findings, details["verdict"], tests, details["n_not_learnt"]):
            return found
    raise ValueError(
        f"the findings of {claim.id} were written for other words than {details['verdict']!r} or "
        "turn round what is not below 0; write a sentence for this word into claims.toml."
    )


def _test(stored: Details) -> CheckVerdict:
    cells = tuple(CellVerdict(**_with_nan(cell)) for cell in stored["cells"])
    return CheckVerdict(**{**_with_nan(stored), "cells": cells})


def _with_nan(stored: Details) -> Details:
    """Effects that are no number, which JSON does not have, are NaN again."""
    return {
        key: math.nan if value is None and key in ("effect", "low", "high") else value
        for key, value in stored.items()
    }


def ledger_entry(verdict: Verdict) -> dict[str, Any]:
    """Return the line of a verdict in the ledger; a number that is not finite becomes null."""
    return {key: _finite(getattr(verdict, key)) for key in LEDGER_KEYS}


def verdict_details(verdict: Verdict) -> Details:
    """Return everything a verdict rests on, ready for JSON."""
    return {
        **ledger_entry(verdict),
        "verdict_without_unlearnt": verdict.verdict_without_unlearnt,
        "tests": _finite([asdict(test) for test in verdict.tests]),
    }


# Reading


def _read_entries(path: Path) -> list[dict[str, Any]]:
    """Entries of the ledger: whether they are ones, not yet whether they are true."""
    entries = _read(path)
    if not isinstance(entries, list):
        raise ValueError(
            f"{path} must hold a list, got {type(entries).__name__}; remove it and {_again(path)}"
        )
    for entry in entries:
        if not isinstance(entry, dict) or set(entry) != set(LEDGER_KEYS):
            raise ValueError(
                f"{path}: an entry must have the keys {', '.join(LEDGER_KEYS)}, got {entry!r}; "
                f"remove the file and {_again(path)}"
            )
        for key, value in entry.items():
            kind, fits = _KINDS.get(key, ("text", lambda value: isinstance(value, str)))
            if not fits(value):
                _refuse(path, entry, f"{key} must be {kind}, got {value!r}")
    return entries


def _read_details(chapter: str, ledger: Path) -> list[Details]:
    """Verdicts of a chapter with their tests, as they were written; none if there is no file."""
    path = _details_file(chapter, ledger)
    if not path.exists():
        return []
    content = _read(path)
    if not isinstance(content, dict) or set(content) != {"content_hash", "verdicts"}:
        raise ValueError(
            f"{path} must hold content_hash and verdicts; remove it and {_again(ledger, chapter)}"
        )
    details = content["verdicts"]
    if content["content_hash"] != content_hash(details):
        raise ValueError(
            f"{path} was edited: its content is {content_hash(details)} and not, as written, "
            f"{content['content_hash']}; remove it and {_again(ledger, chapter)}"
        )
    if not isinstance(details, list) or not all(
        isinstance(one, dict) and set(one) >= _DETAIL_KEYS for one in details
    ):
        raise ValueError(
            f"{path}: a verdict must have the keys {', '.join(sorted(_DETAIL_KEYS))}; "
            f"remove it and {_again(ledger, chapter)}"
        )
    return details


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not JSON ({error}); remove it and judge again") from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")


def _details_file(chapter: str, ledger: Path) -> Path:
    return ledger.parent / "verdicts" / f"{chapter}.json"


# Checking


def _check(entry: Mapping[str, Any], path: Path) -> None:
    """Refuse an entry that the registry does not know as it stands."""
    try:
        claim = find_claim(entry["id"])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    if entry["verdict"] not in WORDS:
        _refuse(path, entry, f"the words are {', '.join(WORDS)}, got {entry['verdict']!r}")
    if entry["chapter"] != claim.chapter:
        _refuse(path, entry, f"it belongs to {claim.chapter}, got {entry['chapter']!r}")


def _compare(entries: list[dict[str, Any]], tested: Mapping[str, Details], path: Path) -> None:
    """Refuse entries that are twice there, absent, or other than what was decided."""
    names = [entry["id"] for entry in entries]
    if twice := [name for name, times in Counter(names).items() if times > 1]:
        raise ValueError(f"{path} has {', '.join(twice)} more than once; {_again(path)}")
    if lacking := [name for name in tested if name not in names]:
        raise ValueError(f"{path}: the ledger lacks {', '.join(lacking)}; {_again(path)}")
    if not entries:
        raise ValueError(f"{path}: the ledger lacks every verdict; remove it or {_again(path)}")
    _refuse_untested(entries, path)
    for entry in entries:
        if entry["id"] not in tested:
            _refuse(path, entry, f"verdicts/{entry['chapter']}.json does not have it")
        decided = _entry_of(tested[entry["id"]])
        for key in LEDGER_KEYS:
            if entry[key] != decided[key]:
                _refuse(
                    path,
                    entry,
                    f"{key} is {entry[key]!r}, and the tests in verdicts/{entry['chapter']}.json "
                    f"say {decided[key]!r}; one of the two was edited",
                )


def _refuse_untested(entries: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Refuse entries of a chapter whose tests are gone: nothing could be held against them."""
    for entry in entries:
        if not (file := _details_file(entry["chapter"], path)).exists():
            _refuse(path, entry, f"the tests behind it are gone, there is no {file}")


def _refuse_changed_criteria(chapter: str, details: Iterable[Details], path: Path) -> None:
    today = {claim.id: claim.criterion_hash for claim in load_registry(chapter)}
    for one in details:
        if one["criterion_hash"] != (now := today.get(one["id"])):
            raise ValueError(
                f"{_details_file(chapter, path)}: what decides {one['id']} has changed since it "
                f"was judged ({one['criterion_hash']} then, {now} now); {_again(path, chapter)}"
            )


def _refuse(path: Path, entry: Mapping[str, Any], problem: str) -> NoReturn:
    raise ValueError(f"{path}: {entry['id']}: {problem}; {_again(path, entry['chapter'])}")


def _again(path: Path, chapter: Any = None) -> str:
    known = chapter if chapter in papers() else "CHAPTER"
    return f"judge again: python -m ibcore run {known} --results {path.parent}"


def _is_number(value: Any) -> bool:
    return value is None or type(value) is int or (type(value) is float and math.isfinite(value))


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


_NUMBER = ("a number or null", _is_number)
# Key of an entry -> what it must be, and the test of it; every other key is text.
_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(("effect", "low", "high", "source_value", "detectable"), _NUMBER),
    **dict.fromkeys(("n_seeds", "n_not_learnt", "question"), ("a whole number", _is_count)),
    "exploratory": ("true or false", lambda value: isinstance(value, bool)),
    "same_evidence_as": (
        "text or null", lambda value: value is None or isinstance(value, str)
    ),
}  # fmt: skip


# Writing


def _ordered(entries: Mapping[str, dict[str, Any]]) -> list[dict[str, Any]]:
    order = [claim.id for chapter in papers() for claim in load_registry(chapter)]
    return [entries[name] for name in order if name in entries]


def _entries_of_all(path: Path) -> list[dict[str, Any]]:
    details = (one for chapter in papers() for one in _read_details(chapter, path))
    return _ordered({one["id"]: _entry_of(one) for one in details})


def _entry_of(details: Mapping[str, Any]) -> dict[str, Any]:
    return {key: details[key] for key in LEDGER_KEYS}


def _write(path: Path, content: Any) -> None:
    """JSON with each cell of a test on one line."""
    text = json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    text = re.sub(r"(?<=\n {6})\{[^{}]*\}", lambda inner: re.sub(r"\n *", " ", inner[0]), text)
    write_whole(path, text.encode())


def _finite(value: Any) -> Any:
    """The same for JSON: tuples become lists, and numbers that are not finite null."""
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, tuple | list):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
