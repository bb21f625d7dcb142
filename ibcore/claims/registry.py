"""What is claimed, and what decides it: the papers' claims files, read and checked.

A criterion is written down before its result exists. Everything that decides a claim, its entry in
``claims.toml``, the functions of the paper it names and the rules of this package, has one hash,
and every verdict carries it.
"""

import datetime
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeGuard

from ibcore.claims.checks import EXPECTS
from ibcore.claims.criteria import CheckSpec, refuse
from ibcore.claims.hashes import deciding_hash
from ibcore.claims.words import RANKS, SETTINGS, WORDS
from ibcore.papers import paper_file, papers, papers_folder, read_toml, shown


@dataclass(frozen=True, kw_only=True)
class Change:
    """A criterion that was changed: when, why, and the word of the one before."""

    date: str
    was: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One claim of one source and the tests that decide it.

    Parameters
    ----------
    id, chapter, title : str
        As in the file, such as "SZT-F3"; the paper's folder; a few words.
    source, link : str
        Paper and place in it; where it can be read.
    statement : str
        The claim, in our own words.
    criterion : str
        The test, in the symbols of the book.
    question : int
        1 to 8, of ``papers/questions.toml``.
    rank : str
        "headline", "supporting", "control" (asked by the book, of itself and of the sources) or
        "check" (of our code, or a note of ours).
    setting : str
        "A", "B" or "C".
    expects : str
        "effect", "absence" or "identity".
    date : str
        Of the present criterion.
    tests : tuple of CheckSpec
        The primary one first; none for a claim that is not tested.
    findings : {word: sentence}
        In plain words, for the words it was written for.
    says : str
        "yes" or "no" to the question, as the source has it; "" where it says neither.
    changes : tuple of Change
        Of the criterion, since it was first written.
    unseen_until : str
        Day on which the networks that decide it were looked at first; "" where nobody knows.
    same_evidence_as, not_testable, waits : str
        Claim whose verdict it shares; why it is not tested here; the run it waits for.
    note : str
        Limits of the test.
    """

    id: str
    chapter: str
    title: str
    source: str
    statement: str
    criterion: str
    question: int
    rank: str
    setting: str
    expects: str
    date: str
    tests: tuple[CheckSpec, ...]
    findings: Mapping[str, str]
    link: str = ""
    says: str = ""
    changes: tuple[Change, ...] = ()
    unseen_until: str = ""
    same_evidence_as: str = ""
    not_testable: str = ""
    waits: str = ""
    note: str = ""

    @property
    def experiments(self) -> tuple[str, ...]:
        """Planes that it needs, by name."""
        return tuple(dict.fromkeys(chain.from_iterable(one.experiments for one in self.tests)))

    @property
    def is_exploratory(self) -> bool:
        """Whether its criterion was changed after results of these networks were known."""
        late = any(one.date > self.unseen_until for one in self.changes)
        return late and bool(self.tests) and bool(self.experiments)

    @property
    def all_rulers(self) -> bool:
        """Whether its tests name their rulers themselves, so that a reader's cannot stand in."""
        return bool(self.tests) and all(one.names_rulers for one in self.tests)

    @property
    def criterion_hash(self) -> str:
        """Of everything that decides it, 16 hex digits."""
        return deciding_hash(self.chapter, _deciding(self))


_REQUIRED = (
    "id", "title", "source", "statement", "question", "rank", "setting", "date",
)  # fmt: skip
_UNTESTED = ("same_evidence_as", "not_testable", "waits")
_OPTIONAL = (
    "criterion", "expects", "tests", "finding", "link", "says", "changes", "note",
    *_UNTESTED,
)  # fmt: skip


def load_registry(chapter: str = "shwartz_ziv") -> tuple[Claim, ...]:
    """Return the claims of a paper, in the order of its file.

    Raises
    ------
    ValueError
        If there is no such paper, or its file has an unknown or missing key, an unknown word, a
        test that the vocabulary does not have, or two claims of one id.

    Examples
    --------
    >>> load_registry("shwartz_ziv")[0].id
    'SZT-S3.1'
    """
    return _load(chapter, papers_folder())


@cache  # claims and their hash come from one reading, whatever happens to the file meanwhile
def _load(chapter: str, folder: Path) -> tuple[Claim, ...]:
    file = paper_file(chapter, "claims.toml")
    if not file.exists():
        return ()
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{shown(chapter, 'claims.toml')}: {error}") from error
    return parse_claims(content, chapter)


def read_claims(path: Path | str) -> tuple[Claim, ...]:
    """The claims of a file of your own, wherever it lies.

    It is written as a paper's ``claims.toml`` and uses the vocabulary of claims; functions of its
    own need a paper's folder. ``judge(claim, planes)`` decides each.

    Raises
    ------
    ValueError
        If there is no such file, or it leaves the vocabulary.
    """
    path = Path(path)
    if not path.is_file():
        raise ValueError(f"there is no claims file at {path}.")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    claims = parse_claims(content, str(path))
    tests = [one.entry for claim in claims for one in claim.tests]
    if named := sorted({one["function"] for one in tests if "function" in one}):
        raise ValueError(
            f"{path} asks for the functions {', '.join(named)}; these stand in the evidence.py of "
            "a paper's folder: make one, and name the folder around it in IBCORE_PAPERS."
        )
    return claims


def parse_claims(content: Mapping[str, Any], chapter: str) -> tuple[Claim, ...]:
    """Check the parsed content of a claims file and return its claims."""
    where = shown(chapter, "claims.toml")
    entries = content.get("claims")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError(f"{where} must consist of [[claims]] tables, got claims = {entries!r}.")
    unknown = sorted(set(content) - {"claims", "unseen_until"})
    faults = [f"unknown keys {', '.join(unknown)}; known are claims, unseen_until"]
    refuse(faults if unknown else [], where)
    unseen = content.get("unseen_until", "")
    if unseen and not isinstance(unseen, datetime.date):
        raise ValueError(f"{where}: unseen_until must be a date, got {unseen!r}.")
    claims = tuple(_claim(entry, chapter, str(unseen)) for entry in entries)
    ids = [claim.id for claim in claims]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise ValueError(f"{where}: claim ids must be unique; {', '.join(twice)} stand twice.")
    lost = [
        f"{one.id} shares the evidence of {one.same_evidence_as!r}, which is no other claim of "
        "this paper that is tested or waits"
        for one in claims
        if one.same_evidence_as
        and not any(
            other.id == one.same_evidence_as and (other.tests or other.waits) for other in claims
        )
    ]
    refuse(lost, where)
    return claims


def find_claim(claim_id: str) -> Claim:
    """Return the claim of this id, whichever paper it stands in.

    Raises
    ------
    ValueError
        If no paper has it.
    """
    claims = {claim.id: claim for paper in papers() for claim in load_registry(paper)}
    if claim_id not in claims:
        raise ValueError(f"no claim is called {claim_id!r}; the claims are {', '.join(claims)}.")
    return claims[claim_id]


def asked(claim_id: str, key: str) -> float:
    """Return a number that the criterion of a claim names, from the first test that states it.

    Raises
    ------
    ValueError
        No test of the claim states it.

    Examples
    --------
    >>> asked("SZT-F3", "size")
    0.5
    """
    claim = find_claim(claim_id)
    for test in claim.tests:
        for place in (test.entry, test.entry.get("with", {})):
            if isinstance(place.get(key), int | float):
                return float(place[key])
    raise ValueError(
        f"{claim_id} asks for no number {key!r}; its tests state "
        f"{sorted({name for test in claim.tests for name in test.entry})}."
    )


def planes_of(claim: Claim) -> tuple[str, ...]:
    """Planes that its verdict needs, by name: those of the row whose evidence it shares, too."""
    if claim.same_evidence_as:
        return planes_of(find_claim(claim.same_evidence_as))
    return () if claim.waits or claim.not_testable else claim.experiments


def questions() -> dict[int, str]:
    """The questions that claims answer, by number; none where the papers have no such file."""
    file = papers_folder() / "questions.toml"
    if not file.exists():
        return {}
    return {int(one["number"]): one["text"] for one in read_toml(file)["questions"]}


def tensions() -> list[dict[str, Any]]:
    """Claims whose findings oppose each other, and the sentence that says why: yes, no, because."""
    file = papers_folder() / "questions.toml"
    return list(read_toml(file).get("tensions", [])) if file.exists() else []


def _claim(entry: Mapping[str, Any], chapter: str, unseen_until: str) -> Claim:
    where = f"{shown(chapter, 'claims.toml')}: claim {entry.get('id', '(without id)')}"
    refuse(_faults(entry), where)
    expects = entry.get("expects", "effect")
    tests = tuple(
        CheckSpec(
            MappingProxyType({"name": f"test {k}", **_spelt(one)}), f"{where}, test {k}", expects
        )
        for k, one in enumerate(entry.get("tests", []), start=1)
    )
    texts = {
        key: " ".join(str(entry[key]).split())
        for key in ("title", "source", "statement", "criterion", "link", "note", *_UNTESTED)
        if key in entry
    }
    return Claim(
        id=entry["id"],
        chapter=chapter,
        question=entry["question"],
        rank=entry["rank"],
        setting=entry["setting"],
        expects=expects,
        date=str(entry["date"]),
        tests=tests,
        findings=MappingProxyType(
            {word: " ".join(text.split()) for word, text in entry.get("finding", {}).items()}
        ),
        says=entry.get("says", ""),
        changes=tuple(
            Change(date=str(one["date"]), was=one["was"], reason=" ".join(one["reason"].split()))
            for one in entry.get("changes", [])
        ),
        unseen_until=unseen_until,
        **{"criterion": "", **texts},
    )


def _faults(entry: Mapping[str, Any]) -> list[str]:
    faults = [f"lacks {name}" for name in _REQUIRED if name not in entry]
    known = (*_REQUIRED, *_OPTIONAL)
    faults += [
        f"unknown key {key!r}; known are {', '.join(known)}" for key in entry if key not in known
    ]
    for key in entry:
        kind, fits = _KINDS.get(key, ("text", lambda value: isinstance(value, str)))
        if not fits(entry[key]):
            faults.append(f"{key} must be {kind}, got {entry[key]!r}")
    untested = [key for key in _UNTESTED if key in entry]
    if len(untested) > 1:
        faults.append(f"only one of {', '.join(untested)} can be true")
    if not untested and not entry.get("tests"):
        faults.append(f"needs tests, or one of {', '.join(_UNTESTED)}")
    if entry.get("tests") and ("same_evidence_as" in entry or "not_testable" in entry):
        faults.append("has tests although it is not tested")
    if entry.get("tests") and "criterion" not in entry:
        faults.append("lacks criterion")
    return faults


def _spelt(test: Mapping[str, Any]) -> dict[str, Any]:
    """A test with its ranges of experiments spelt out: size_01..20."""
    found = dict(test)
    for key in ("experiments", "planes"):
        if _are_names(names := found.get(key)):
            found[key] = list(chain.from_iterable(map(_range, names)))
    return found


def _range(name: str) -> list[str]:
    """``size_01..20`` is size_01, size_02 to size_20; any other name is itself."""
    if not (found := re.fullmatch(r"(.+_)(\d+)\.\.(\d+)", name)):
        return [name]
    stem, first, last = found.groups()
    if not int(first) <= int(last) < int(first) + 1000:
        raise ValueError(f"the range {name!r} must go up, over at most 1000 experiments.")
    return [f"{stem}{k:0{len(first)}}" for k in range(int(first), int(last) + 1)]


def _deciding(claim: Claim) -> dict[str, Any]:
    """What decides a claim, of its entry; that it waits decides nothing."""
    return {
        "expects": claim.expects,
        "setting": claim.setting,
        "criterion": claim.criterion,
        "tests": [dict(one.entry) for one in claim.tests],
        "untested": [claim.same_evidence_as, claim.not_testable],
    }


def _are_names(value: Any) -> TypeGuard[list[str]]:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _one_of(known: Iterable[Any]) -> tuple[str, Callable[[Any], bool]]:
    listed = tuple(known)
    return f"one of {', '.join(map(str, listed))}", lambda value: value in listed


def _is_finding(value: Any) -> bool:
    return isinstance(value, dict) and all(
        word in WORDS and isinstance(text, str) for word, text in value.items()
    )


def _is_change(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"date", "was", "reason"}


# Key of a claim -> what it must be, and the test of it; every other key is text.
_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "question": _one_of(range(1, 9)),
    "rank": _one_of(RANKS),
    "setting": _one_of(SETTINGS),
    "expects": _one_of(EXPECTS),
    "says": _one_of(("yes", "no")),
    "date": ("a date", lambda value: isinstance(value, datetime.date)),
    "tests": (
        "a list of tables",
        lambda value: isinstance(value, list) and all(isinstance(one, dict) for one in value),
    ),
    "finding": ("a table from words to sentences", _is_finding),
    "changes": (
        "a list of tables with date, was and reason",
        lambda value: isinstance(value, list) and all(map(_is_change, value)),
    ),
}
