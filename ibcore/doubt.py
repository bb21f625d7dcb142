"""A reader's doubt: a claim judged once more, under another ruler or other seeds.

The published verdict and the reader's own stand side by side, with what differs. What is computed
goes into the reader's cache, and nothing of it into the published ledger.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import xarray as xr

from ibcore import claims
from ibcore.claims import Claim, NoVerdict, Verdict
from ibcore.claims.criteria import EFFECTS, CheckSpec
from ibcore.claims.decide import MIN_SEEDS
from ibcore.claims.findings import with_interval
from ibcore.config import FIELDS, Experiment
from ibcore.estimators import Ruler, from_name
from ibcore.kinds import shown
from ibcore.papers import published_results
from ibcore.results.run import run

Rulers = Mapping[str, Sequence[Ruler]]


# What a ruler does to a claim -------------------------------------------------------------------


@dataclass(frozen=True)
class Question:
    """A claim as a reader asks it, and what has to be measured for it.

    Attributes
    ----------
    claim : Claim
        With the reader's ruler in the place of the one that its primary test looks through.
    rulers : {experiment: rulers}
        All that its tests look through, and no more.
    ruler : str or None
        The reader's, for the tests that name none.
    """

    claim: Claim
    rulers: Mapping[str, tuple[Ruler, ...]]
    ruler: str | None = None


def ask(claim: Claim, rulers: Rulers, ruler: Ruler | None) -> Question:
    """The question that a claim is, under another ruler or its own.

    The ruler replaces the primary one of the claim's test:

    - A primary test that names no ruler looks through the main one of each plane. Then all tests
      that name none look through the reader's.
    - A primary test with one ``ruler`` gets the reader's in its place, and one with several
      (``rulers``, a cell each) is asked under the reader's alone, a cell for each plane. So is
      every other test through the same ruler or rulers; one that names none, if that ruler is the
      main one of its planes.
    - A test through another ruler, or that compares rulers, stays as it is and counts as before.

    A claim whose primary test compares rulers, or through which none looks, is refused: see
    ``refusal``. Lines, margins and sizes stay those of the criterion.

    Parameters
    ----------
    claim : Claim
    rulers : {experiment: rulers}
        The chapter's own for the planes of the claim, the main one first.
    ruler : Ruler, optional
        The reader's.

    Raises
    ------
    ValueError
        If the claim cannot take another ruler, with the reason.
    """
    if ruler is None:
        return Question(claim, _needed(claim, rulers))
    if why := refusal(claim):
        raise ValueError(f"{claim.id} takes no other ruler: {why}.")
    named = _named(claim.tests[0])
    mains = {repr(rulers[name][0]) for name in claim.experiments}
    free = not named or {repr(from_name(one)) for one in named} == mains
    tests = tuple(_replaced(one, named, repr(ruler)) if named else one for one in claim.tests)
    # a sentence may name a cell of each ruler
    findings: Mapping[str, str] = {} if "rulers" in claim.tests[0].entry else claim.findings
    asked = replace(claim, tests=tests, findings=findings)
    needed = _needed(asked, rulers, instead=ruler if free else None)
    return Question(asked, needed, repr(ruler) if free else None)


def judge(claim: Claim, planes: Mapping[str, xr.Dataset], ruler: str | None) -> Verdict | NoVerdict:
    """The verdict, without its sentence where that names a layer which cannot answer."""
    found = claims.judge(claim, planes, estimator=ruler)
    if isinstance(found, Verdict) and re.search(r"\bnan\b", found.finding):
        return claims.judge(replace(claim, findings={}), planes, estimator=ruler)
    return found


def refusal(claim: Claim, planes: Mapping[str, xr.Dataset] | None = None) -> str:
    """Why a claim cannot be judged under another ruler; "" if it can.

    Parameters
    ----------
    claim : Claim
    planes : {experiment: plane}, optional
        Stored ones: with them it is found out whether a function of the paper reads information.
    """
    if not claim.tests:
        return "it is not tested here"
    if not claim.experiments:
        return "it is decided without networks"
    first = claim.tests[0]
    entry = first.entry
    if "minus_ruler" in entry:
        return f"it compares two, {entry.get('ruler', 'the main one')} and {entry['minus_ruler']}"
    if "function" in entry and (first.names_rulers or "ruler" in entry.get("with", {})):
        return "what it asks is about the rulers that its criterion names"
    if "effect" in entry and not _is_information(entry):
        return "no ruler takes part: it asks about what is not information"
    if "function" in entry and planes and not _reads_information(claim, planes):
        return "no ruler takes part: it asks about what is not information"
    return ""


def _is_information(entry: Mapping[str, Any]) -> bool:
    return EFFECTS[entry["effect"]].information


def _reads_information(claim: Claim, planes: Mapping[str, xr.Dataset]) -> bool:
    """Whether its primary test fails on planes without information."""
    first = replace(claim, tests=claim.tests[:1])
    blind = {
        name: plane.drop_vars([one for one in plane.data_vars if str(one)[:4] in ("i_xt", "i_ty")])
        for name, plane in planes.items()
    }
    try:
        claims.checks_of(first, blind)
    except Exception:  # whatever a function of the paper says where it finds no numbers
        return True
    return False


def _named(test: CheckSpec) -> tuple[str, ...]:
    """The rulers that a test of the vocabulary names to look through."""
    if "rulers" in test.entry and "effect" in test.entry:
        return tuple(test.entry["rulers"].values())
    return (test.entry["ruler"],) if "ruler" in test.entry and "effect" in test.entry else ()


def _replaced(test: CheckSpec, named: Sequence[str], ruler: str) -> CheckSpec:
    """The test through the reader's ruler, if it looks through those of the primary test."""
    if set(_named(test)) != set(named) or "minus_ruler" in test.entry:
        return test
    kept = {key: value for key, value in test.entry.items() if key not in ("ruler", "rulers")}
    if kept.get("primary") in test.entry.get("rulers", {}):
        del kept["primary"]
    return replace(test, entry=kept | {"ruler": ruler})


def _needed(
    claim: Claim, rulers: Rulers, instead: Ruler | None = None
) -> dict[str, tuple[Ruler, ...]]:
    """What the tests look through, by experiment: the main ruler, or the one instead, first."""
    found: dict[str, dict[str, Ruler]] = {name: {} for name in claim.experiments}
    for name, needed in found.items():
        asking = [one for one in claim.tests if name in one.experiments]
        if not all(one.names_rulers for one in asking):
            main = instead or rulers[name][0]
            needed[repr(main)] = main
        if any("function" in one.entry and one.names_rulers for one in asking):
            needed |= {repr(one): one for one in rulers[name]}  # which ones, the function knows
        for one in asking:
            names = [*_named(one), *filter(None, [one.entry.get("minus_ruler")])]
            given = [ruler for text in names for ruler in from_name(text).levels()]
            needed |= {repr(ruler): ruler for ruler in given}
    return {name: tuple(needed.values()) for name, needed in found.items()}


def looked_through(claim: Claim, rulers: Rulers) -> str:
    """The ruler, or the rulers, that the primary test of a claim looks through."""
    first = claim.tests[0]
    names = [repr(from_name(one)) for one in _named(first)]
    return _all(names or [repr(rulers[name][0]) for name in first.experiments])


# Refused before any work ------------------------------------------------------------------------


def refuse_idle(changes: Mapping[str, Any], asked: Sequence[Experiment], whose: str) -> None:
    """Refuse a change that no experiment takes."""
    for name, value in changes.items():
        wanted = getattr(Experiment().replace(**{name: value}), name)
        if not any(getattr(one, name) == wanted for one in asked):
            fixed = _all(shown(getattr(one, name)) for one in asked)
            said = f"its experiments fix it, at {fixed}" if asked else "it needs no network"
            raise ValueError(f"{name}={value!r} changes nothing in {whose}: {said}. Leave it out.")


def refuse_one_noise(asked: Sequence[Experiment], whose: str) -> None:
    """Refuse one noise for networks that are compared because theirs differ."""
    levels = sorted({one.noise_std for one in asked if one.noise_std})
    if len(levels) > 1:
        raise ValueError(
            f"noise_std would make one of the noises that {whose} compares, "
            f"{', '.join(f'{one:g}' for one in levels)}; name a claim about networks of one noise."
        )


def try_out(experiment: Experiment, ruler: Ruler, name: str) -> None:
    """Measure one network after one epoch.

    Raises
    ------
    ValueError
        If the ruler cannot measure such networks, with what it says.
    """
    short = experiment.replace(n_seeds=1, n_epochs=1, n_measured_epochs=2, measured_epochs=())
    try:
        run(short, [ruler], [], progress=False)
    except ValueError as error:
        raise ValueError(f"{ruler!r} cannot measure {name}: {error}") from error


# What is shown ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Doubt:
    """The published verdict on a claim beside a reader's.

    What is asked of it and stands in neither, as ``verdict`` or ``tests``, is the reader's.

    Attributes
    ----------
    yours : Verdict or NoVerdict
    published : dict or None
        The entry of the ledger; None if there is none.
    changed : tuple of (what, published, yours)
        In words: ruler, seeds, fields of the experiments.
    """

    yours: Verdict | NoVerdict
    published: Mapping[str, Any] | None
    changed: tuple[tuple[str, str, str], ...] = ()

    def __getattr__(self, name: str) -> Any:
        """What the reader's verdict has."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.yours, name)

    @property
    def _few(self) -> int:
        """How many networks answered, where they are too few for a word; else 0."""
        if isinstance(self.yours, NoVerdict) or self.yours.n_seeds >= MIN_SEEDS:
            return 0
        return self.yours.n_seeds if [one.of for one in self.yours.tests[:1]] == ["networks"] else 0

    @property
    def sentence(self) -> str:
        """What differs, and whose it is."""
        what = [one for one, *_ in self.changed]
        differs = f"Changed: {', '.join(what)}." if what else "Nothing was changed."
        return f"{differs} The second verdict is your own; the published one stays as it is."

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader has to know beside the two words."""
        if isinstance(self.yours, NoVerdict):
            return ()
        lines = []
        if self._few:
            lines.append(
                f"{self._few} networks: with fewer than {MIN_SEEDS} the word is open whatever they "
                f"show. Take n_seeds={MIN_SEEDS} or more for another."
            )
        if self.yours.finding and any(one == "ruler" for one, *_ in self.changed):
            lines.append("The sentence was written for the published ruler; the numbers are yours.")
        return tuple(lines)

    @property
    def rows(self) -> tuple[tuple[str, str, str], ...]:
        """What, published, yours."""
        there, yours = self.published, self.yours
        mine = claims.ledger_entry(yours) if isinstance(yours, Verdict) else None
        return (
            ("verdict", _word(there), _word(mine) if mine else "no verdict"),
            ("effect", _effect(there), _effect(mine)),
            ("networks", _scale(there), _scale(mine)),
            *self.changed,
            ("finding", there["finding"] if there else "", self._said),
        )

    @property
    def _said(self) -> str:
        """The reader's finding; the meaning of the word where no sentence was written for it."""
        if isinstance(self.yours, NoVerdict):
            return self.yours.reason
        meaning = "Too few networks." if self._few else f"{claims.WORDS[self.yours.verdict]}."
        return self.yours.finding or meaning[0].upper() + meaning[1:]

    def __str__(self) -> str:
        """Both, as plain text."""
        lines = [f"{self.yours.id}: published and yours", self.sentence]
        for what, there, mine in self.rows:
            lines += [what, f"  published  {there or '-'}", f"  yours      {mine or '-'}"]
        lines += self.remarks
        if isinstance(self.yours, Verdict):
            lines += ["", "Yours in full:", str(self.yours)]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        body = "".join(
            f"<tr><td>{escape(what)}</td><td>{_cell(what, there, self.published)}</td>"
            f"<td>{_cell(what, mine, vars(self.yours))}</td></tr>"
            for what, there, mine in self.rows
        )
        lines = [
            f"<p><strong>{escape(self.yours.id)}</strong> {escape(self.sentence)}</p>",
            f"<table><thead><tr><th></th><th>published</th><th>yours</th></tr></thead>"
            f"<tbody>{body}</tbody></table>",
            *(f'<p class="remark">{escape(line)}</p>' for line in self.remarks),
        ]
        if isinstance(self.yours, Verdict):
            full = self.yours._repr_html_()
            lines.append(f"<details><summary>Your verdict in full</summary>{full}</details>")
        return f'<div class="judged doubt">{"".join(lines)}</div>'

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._repr_html_()}


def published_entry(claim: Claim) -> Mapping[str, Any] | None:
    """The ledger's entry of a claim; None where its chapter has not been published."""
    folder = published_results()
    if folder is None or not (folder / "verdicts" / f"{claim.chapter}.json").exists():
        return None
    entries = claims.load_ledger(folder / "ledger.json")
    return next((one for one in entries if one["id"] == claim.id), None)


def differences(
    theirs: Iterable[Experiment], yours: Iterable[Experiment]
) -> tuple[tuple[str, str, str], ...]:
    """In which fields experiments differ from the chapter's, in words; seeds come first."""
    theirs, yours = list(theirs), list(yours)
    rows = [("seeds", _all(map(_seeds, theirs)), _all(map(_seeds, yours)))]
    for name in FIELDS:
        if name not in ("first_seed", "n_seeds"):
            was, now = (_all(shown(getattr(e, name)) for e in one) for one in (theirs, yours))
            rows.append((name, was, now))
    return tuple(row for row in rows if row[1] != row[2])


def _seeds(experiment: Experiment) -> str:
    first, last = experiment.seeds[0], experiment.seeds[-1]
    return str(first) if first == last else f"{first} to {last}"


def _all(values: Iterable[str]) -> str:
    """Different values, the first few of many.

    >>> _all(["1", "1", "2"])
    '1; 2'
    """
    each = list(dict.fromkeys(values))
    return "; ".join(each if len(each) < 5 else [*each[:3], "…"])


def _word(entry: Mapping[str, Any] | None) -> str:
    if entry is None:
        return "not published"
    k, _, m = entry["scope"].partition(" of ")
    return claims.shown(entry["verdict"], int(k or 0), int(m or 0))


def _effect(entry: Mapping[str, Any] | None) -> str:
    if entry is None or entry["effect"] is None:
        return ""
    low, high = (float("nan") if entry[end] is None else entry[end] for end in ("low", "high"))
    return with_interval(entry["effect"], low, high, entry["unit"])


def _scale(entry: Mapping[str, Any] | None) -> str:
    return "" if entry is None else entry["scale"]


def _cell(what: str, said: str, entry: Mapping[str, Any] | None) -> str:
    word = (entry or {}).get("verdict")
    return claims.badge(word, escape(said)) if what == "verdict" and word else escape(said)
