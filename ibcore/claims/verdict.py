"""The verdict of a claim: a word with its numbers, and how it is shown.

Only ``judge`` makes one: a word cannot be typed.
"""

from dataclasses import InitVar, dataclass
from html import escape

from ibcore.claims.decide import PartVerdict

_SEAL = object()
_VISIBLE_ROWS = 10

# Word -> its symbol and its class in the style sheet: never colour alone.
BADGES = {
    "reproduced": ("✓", "good"),
    "holds": ("✓", "good"),
    "partly": ("◐", "part"),
    "not reproduced": ("✗", "bad"),
    "fails": ("✗", "bad"),
    "inverted": ("⇄", "bad"),
    "undecided": ("?", "none"),
    "not judged": ("–", "none"),
}

LEDGER_KEYS = (
    "id",
    "verdict",
    "effect",
    "low",
    "high",
    "unit",
    "n_seeds",
    "n_not_learnt",
    "scale",
    "experiment",
    "chapter",
)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the machine decided about one claim.

    Attributes
    ----------
    id, verdict : str
        The claim and its word.
    effect, low, high : float
        The headline quantity and its 95 % interval over seeds, in ``unit``.
    n_seeds : int
        Networks that answered, the fewest over the tests that count.
    n_not_learnt : int
        Networks, over all planes, that had not learnt the task. None is excluded.
    scale, experiment, chapter : str
        Size of the runs, their names, and the chapter.
    parts : tuple of PartVerdict
        Every test.
    cells : tuple of (str, str)
        Word of every choice that the source leaves open, where there are several.
    majority : float
        Share of the cells that have the row's word.
    verdict_without_unlearnt : str
        The word without the networks that had not learnt.
    registry_hash : str
        State of the criteria it was judged by.
    title, source, criterion : str
        Of the claim, as registered.
    """

    id: str
    verdict: str
    effect: float
    low: float
    high: float
    unit: str
    n_seeds: int
    n_not_learnt: int
    scale: str
    experiment: str
    chapter: str
    parts: tuple[PartVerdict, ...]
    cells: tuple[tuple[str, str], ...]
    majority: float
    verdict_without_unlearnt: str
    registry_hash: str
    title: str = ""
    source: str = ""
    criterion: str = ""
    seal: InitVar[object] = None

    def __post_init__(self, seal: object) -> None:
        """Refuse a verdict that was not decided."""
        if seal is not _SEAL:
            raise TypeError("a verdict is decided, not written: use judge(claim, planes).")

    @property
    def saturated_layers(self) -> tuple[int, ...]:
        """Layers left out because they cannot compress."""
        return tuple(sorted({part.layer for part in self.parts if part.saturated and part.layer}))

    @property
    def headings(self) -> tuple[str, ...]:
        """Lines above the table of parts, the verdict first."""
        lines = [
            f"{self.id}: {self.verdict} ({self.title})",
            "; ".join(filter(None, (self.scale, self.experiment))),
        ]
        if len(self.cells) > 1:
            words = "; ".join(f"{cell}: {word}" for cell, word in self.cells)
            lines.append(f"{words} ({self.majority:.0%} of the cells have the word of the row).")
        if self.n_not_learnt:
            networks = "network" if self.n_not_learnt == 1 else "networks"
            lines.append(
                f"{self.n_not_learnt} {networks} had not learnt; without: "
                f"{self.verdict_without_unlearnt}"
            )
        if self.saturated_layers:
            named = ", ".join(map(str, self.saturated_layers))
            lines.append(f"saturated, left out: layer {named}")
        return tuple(lines)

    @property
    def rows(self) -> tuple[tuple[str, ...], ...]:
        """One line per part: what, effect and interval, criterion, p, word."""
        return tuple(_row(part) for part in self.parts)

    def __str__(self) -> str:
        """Word and parts as plain text."""
        rows = (_COLUMNS, *self.rows)
        widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
        table = (
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )
        return "\n".join((*self.headings, *table))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        _, *others = self.headings
        lines = [
            f"{badge(self.verdict)} <strong>{escape(self.id)}</strong> {escape(self.title)}"
            + (f" ({escape(self.source)})" if self.source else ""),
            f"<em>What counts.</em> {escape(self.criterion)}" if self.criterion else "",
            *(escape(line) for line in others),
        ]
        table = _html_table(self.rows)
        if len(self.rows) > _VISIBLE_ROWS:
            table = f"<details><summary>All {len(self.rows)} tests</summary>{table}</details>"
        text = "".join(f"<p>{line}</p>" for line in lines if line)
        return f'<div class="judged">{text}{table}</div>'

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


def badge(word: str) -> str:
    """A verdict word with its symbol, as HTML."""
    symbol, kind = BADGES[word]
    return f'<span class="verdict verdict-{kind}">{symbol} {word}</span>'


def _html_table(rows: tuple[tuple[str, ...], ...]) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in _COLUMNS)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


_COLUMNS = ("part", "effect [95 % interval]", "criterion", "p", "word")


def number(value: float) -> str:
    """Three significant digits, with a space between thousands.

    Examples
    --------
    >>> number(10_000), number(0.51709), number(-2)
    ('10 000', '0.517', '-2')
    """
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def _row(part: PartVerdict) -> tuple[str, ...]:
    layer = "" if part.layer is None else f"layer {part.layer}"
    what = ", ".join(filter(None, (part.cell, part.group, layer, part.what)))
    unit = f" {part.unit}" if part.unit else ""
    if part.word in ("holds", "fails"):
        return what, part.note, "", "", part.word
    found = f"{number(part.effect)} [{number(part.low)}, {number(part.high)}]{unit}"
    if part.signed is not None:
        found += f"; D {number(part.signed[0])}"
    criterion = "" if part.threshold is None else f"{part.side} {number(part.threshold)}{unit}"
    word = part.word if part.decisive else "reported"
    return what, found, criterion, _p(part), f"{word} ({part.note})" if part.note else word


def _p(part: PartVerdict) -> str:
    """The one-sided p of a test that counts, adjusted by Holm's rule where there are several."""
    if not part.counts or part.p is None:
        return ""
    p = part.p if part.p_holm is None else part.p_holm
    if p <= 1e-4:
        return "<= 0.0001"
    return f"{p:.4f}" if p < 0.01 else f"{p:.2f}"
