"""The verdict of a claim: a word, a finding and what they rest on, and how it is shown.

Only ``judge`` makes one: a word cannot be typed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import InitVar, dataclass, replace
from html import escape

import xarray as xr

from ibcore.claims.decide import CellVerdict, CheckVerdict
from ibcore.claims.findings import number, with_interval
from ibcore.claims.origin import Origin, origin_of
from ibcore.claims.registry import find_claim
from ibcore.claims.words import SETTINGS, WORDS, shown

_SEAL = object()

# Word -> its symbol and its class in the style sheet: never colour alone.
BADGES = {
    "reproduced": ("✓", "good"),
    "holds": ("✓", "good"),
    "seen": ("✓", "good"),
    "direction only": ("↗", "part"),
    "mixed": ("◐", "part"),
    "open": ("?", "none"),
    "none found": ("○", "bad"),
    "opposite": ("⇄", "bad"),
    "fails": ("✗", "bad"),
    "not seen on a stand-in": ("–", "none"),
    "not testable here": ("–", "none"),
    "waiting for its run": ("…", "none"),
    "not judged": ("–", "none"),
}

MARKS = {
    "agrees": ("●", "agrees"),
    "opposite": ("✕", "the opposite"),
    "none": ("○", "nothing to speak of"),
    "open": ("?", "open"),
    "hollow": ("◌", "cannot answer"),
}
"""Mark of a cell -> its symbol and what it means."""

LEDGER_KEYS = (
    "id", "verdict", "effect", "low", "high", "unit", "n_seeds", "n_not_learnt", "scale",
    "experiment", "chapter", "direction", "size", "scope", "quantifier", "setting", "rank",
    "question", "finding", "criterion_date", "criterion_hash", "source_value", "detectable",
    "same_evidence_as", "exploratory",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the machine decided about one claim.

    Attributes
    ----------
    id, verdict : str
        The claim and its word.
    finding : str
        What is found, in plain words with the numbers of the run; "" where no sentence was written
        for this word.
    direction, size : str
        Of the primary test, as ``decide`` has them.
    scope, quantifier : str
        "4 of 6": cells that agree, of those that can answer; how many the claim needs.
    effect, low, high : float
        Of the primary test, with its 95 % interval over networks, in ``unit``.
    n_seeds : int
        Networks that answered.
    n_not_learnt : int
        Networks, over all planes, that had not learnt the task. None is excluded.
    scale, experiment, chapter : str
        Size of the runs, their names, and the paper.
    source_value, detectable : float or None
        The source's own number; the smallest effect that so many networks would show with 80 %
        power, where none was.
    tests : tuple of CheckVerdict
        Every test, the primary one first.
    verdict_without_unlearnt : str
        The word without the networks that had not learnt.
    criterion_date, criterion_hash : str
        When the criterion was written, and what it is.
    exploratory : bool
        The criterion was changed after results of these networks were known.
    origin : Origin or None
        The runs behind it, for the box; no part of the decision.
    """

    id: str
    verdict: str
    finding: str
    direction: str
    size: str
    scope: str
    quantifier: str
    effect: float
    low: float
    high: float
    unit: str
    n_seeds: int
    n_not_learnt: int
    scale: str
    experiment: str
    chapter: str
    source_value: float | None
    detectable: float | None
    tests: tuple[CheckVerdict, ...]
    verdict_without_unlearnt: str
    title: str
    statement: str
    source: str
    link: str
    criterion: str
    note: str
    question: int
    rank: str
    setting: str
    criterion_date: str
    criterion_hash: str
    same_evidence_as: str | None
    exploratory: bool
    origin: Origin | None = None
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        """Refuse a verdict that was not decided."""
        if seal is not _SEAL:
            raise TypeError("a verdict is decided, not written: use judge(claim, planes).")

    @property
    def shown(self) -> str:
        """The word as it is shown: "mixed (4 of 6)"."""
        k, _, m = self.scope.partition(" of ")
        return shown(self.verdict, int(k or 0), int(m or 0))

    @property
    def said(self) -> str:
        """The finding; the word's meaning and the numbers where no sentence was written for it."""
        if self.finding:
            return self.finding
        meaning = f"{WORDS[self.verdict][0].upper()}{WORDS[self.verdict][1:]}."
        if not self.tests:
            return meaning
        found = with_interval(self.effect, self.low, self.high, self.unit)
        return f"{meaning} Found: {found}; {self.scope} agree."

    @property
    def strip(self) -> tuple[CheckVerdict, ...]:
        """The tests that count, for their marks; none where there is one cell only."""
        counting = tuple(test for test in self.tests if test.counts)
        return counting if sum(len(test.cells) for test in counting) > 1 else ()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader has to know beside the word."""
        lines = []
        if self.tests and self.n_seeds:
            strength = f"{self.n_seeds} {self.tests[0].of} answer"
            if self.detectable is not None:
                strength += (
                    "; so many show an effect of "
                    f"{number(self.detectable)} {self.unit} in four of five cases"
                )
            lines.append(strength + ".")
        if self.n_not_learnt:
            networks = "network" if self.n_not_learnt == 1 else "networks"
            lines.append(
                f"{self.n_not_learnt} {networks} had not learnt the task; without: "
                f"{self.verdict_without_unlearnt}."
            )
        if self.same_evidence_as:
            lines.append(f"Same evidence as {self.same_evidence_as}.")
        if self.note:
            lines.append(self.note)
        if self.exploratory:
            lines.append("Exploratory: the criterion was changed when these results were known.")
        return tuple(lines)

    @property
    def provenance(self) -> str:
        """Setting, scale, date and hash."""
        parts = [
            f"setting {self.setting}: {SETTINGS[self.setting]}",
            self.scale,
            f"criterion of {self.criterion_date}, {self.criterion_hash}",
        ]
        return "; ".join(filter(None, parts))

    def __str__(self) -> str:
        """Everything as plain text."""
        lines = [f"{self.id}: {self.statement}"]
        if self.criterion:
            lines.append(f"What counts: {self.criterion}")
        lines.append(f"{self.shown}: {self.said}")
        lines += self.remarks
        if self.tests:
            found = (_row(test, cell) for test in self.tests for cell in test.cells)
            lines += _aligned((_COLUMNS, *found))
        return "\n".join([*lines, self.provenance])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        where = escape(self.source)
        if self.link:
            where = f'<a href="{escape(self.link)}">{where}</a>'
        lines = [
            f"<p><strong>{escape(self.id)}</strong> {escape(self.statement)} "
            f'<span class="source">({where})</span></p>',
            f"<p><em>What counts.</em> {escape(self.criterion)}</p>" if self.criterion else "",
            f"<p>{badge(self.verdict, self.shown)} {escape(self.said)}</p>",
            *(_strip(test, named=len(self.strip) > 1) for test in self.strip),
            *(f'<p class="remark">{escape(line)}</p>' for line in self.remarks),
            _numbers(self.tests) if self.tests else "",
            f'<p class="provenance">{escape(self.provenance)}</p>',
            self.origin.html() if self.origin else "",
        ]
        return f'<div class="judged">{"".join(lines)}</div>'

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": self._repr_html_()}


@dataclass(frozen=True)
class NoVerdict:
    """Stands in for a verdict that was not made, and says why."""

    id: str
    reason: str = "smoke profile: no verdict"

    def __str__(self) -> str:
        """Return the reason."""
        return self.reason

    __repr__ = __str__


def with_origin(
    found: Verdict | NoVerdict, planes: Mapping[str, xr.Dataset], ruler: str | None = None
) -> Verdict | NoVerdict:
    """The same verdict, whose box says where it comes from: the planes that it was judged on."""
    if isinstance(found, NoVerdict):
        return found
    return replace(found, origin=origin_of(find_claim(found.id), planes, ruler), seal=_SEAL)


def badge(word: str, said: str = "") -> str:
    """A verdict word with its symbol, and its meaning on hover, as HTML."""
    symbol, kind = BADGES[word]
    title = escape(WORDS[word], quote=True)
    return f'<span class="verdict verdict-{kind}" title="{title}">{symbol} {said or word}</span>'


_COLUMNS = ("where", "effect [95 % interval]", "asked", "mark")


def _strip(test: CheckVerdict, *, named: bool) -> str:
    """A mark for each cell of a test, with its label, and its numbers on hover."""
    marks = [f"<span>{escape(_name(test))}:</span>"] if named and _name(test) else []
    for cell in test.cells:
        symbol, meaning = MARKS[cell.mark]
        said = meaning if cell.mark == "hollow" else f"{_found(cell, test.unit)}: {meaning}"
        title = escape(f"{said}{f' ({cell.note})' if cell.note else ''}", quote=True)
        kind = f"cell cell-{cell.mark}"
        marks.append(f'<span class="{kind}" title="{title}">{symbol} {escape(cell.label)}</span>')
    return f'<p class="strip">{" ".join(marks)}</p>'


def _name(test: CheckVerdict) -> str:
    """The name of a test, unless it is only a number."""
    return "" if re.fullmatch(r"test \d+", test.name) else test.name


def _numbers(tests: Iterable[CheckVerdict]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in _COLUMNS)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(text)}</td>" for text in _row(test, cell)) + "</tr>"
        for test in tests
        for cell in test.cells
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f"<details><summary>The tests in numbers</summary>{table}</details>"


def _row(test: CheckVerdict, cell: CellVerdict) -> tuple[str, ...]:
    where = ": ".join(filter(None, (_name(test), test.what, cell.label)))
    symbol, meaning = MARKS[cell.mark]
    mark = f"{symbol} {meaning}" + (f" ({cell.note})" if cell.note else "")
    if test.expects == "identity":
        return where, cell.note, "", f"{symbol} {'holds' if cell.mark == 'agrees' else 'fails'}"
    if not test.counts:
        return where, _found(cell, test.unit), "", "reported"
    return where, _found(cell, test.unit), _asked(test), mark


def _asked(test: CheckVerdict) -> str:
    """The line, the margin and the size of a test."""
    if test.expects == "absence":
        return f"{number(test.null)} ± {number(test.margin or 0)}"
    said = f"{test.side} {number(test.null)}"
    if test.size_line is not None:
        ends = sorted({test.size_line.low, test.size_line.high})
        whose = test.size_line.source or "ours"
        said += f"; size {' to '.join(map(number, ends))} ({whose})"
    return said


def _found(cell: CellVerdict, unit: str) -> str:
    if cell.mark == "hollow":
        return ""
    said = with_interval(cell.effect, cell.low, cell.high, unit)
    if cell.signed is not None:
        said += f"; signed {with_interval(*cell.signed, '')}"
    return said


def _aligned(rows: Iterable[tuple[str, ...]]) -> list[str]:
    rows = tuple(rows)
    widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
    return [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]
