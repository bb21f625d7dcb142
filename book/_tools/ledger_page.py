"""The page of the ledger: every claim in one table, which works without a script.

The table is plain HTML: a caption, scopes, an anchor for each claim, the details folded. The
script ``_static/ledger.js`` adds filters, search and order; what it filters by stands in the
``data`` attributes of each line.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from downloads import SAYS, Record, Runs, records, ruler_kinds
from mdtext import number, plain, table

from ibcore.claims import RANKS, SETTINGS, WORDS, badge, tensions
from ibcore.claims import questions as asked
from ibcore.claims.origin import duration

COLUMNS = ("Claim", "Verdict", "In short", "Effect", "Networks", "Question")
RANK_TEXTS = {
    "headline": "what the source is known for",
    "supporting": "what that rests on",
    "control": "asked by this book, of itself and of the sources",
    "check": "a definition, a theorem or a note of ours, which is not counted",
}

INTRODUCTION = """\
Every claim that this book judges, with its verdict. A program compares the stored results with a
criterion that was written down before; direction, size and extent are told apart, and the word
follows from them by one table. Open a line for the claim in full, what is found, what counts, the
runs behind it and the command that judges it again. The number of a claim leads to its verdict in
the chapter.

**Effects** stand with their 95 % interval over networks trained from different seeds. An interval
that covers the line is open, on both sides of it. Networks that had not learnt their task are
counted, not left out; where fewer than half have learnt, nothing is answered. *Exploratory* means
that the criterion was changed when results of these networks were known, see
[What changed and why](changes.md); fresh networks decide it.

To take home: {download}`ledger.csv <downloads/ledger.csv>` and
{download}`ledger.json <downloads/ledger.json>`, a line for each claim, and
{download}`codecheck.yml </codecheck.yml>`, which lists in the form of the CODECHECK project what
running the book again has to give, with commands, versions and checksums. We checked it ourselves;
it is no certificate."""

HOW_THE_WORD_FOLLOWS = """\
A claim may be asked in several cases: layers, ways to train, amounts of data. Enough cases are one
where the claim says *can* (the best of many is corrected by Holm's rule), half of them where it
says *typically*, more than half and none against it where it says *all*.

| expected | main test | size | cases | word |
| --- | --- | --- | --- | --- |
| effect | agrees | as claimed, larger, no number given | enough | reproduced |
| effect | agrees | smaller, open | enough | direction only |
| effect | agrees | any | too few | mixed (k of m) |
| effect | open | – | – | open |
| effect | inside the margin | – | – | none found |
| effect | opposite | – | – | opposite |
| absence | inside the margin | – | enough, too few | reproduced, mixed (k of m) |
| absence | beyond the margin | – | – | opposite |
| absence | covers the margin | – | – | open |
| either, on a stand-in | as above | – | – | seen, open, not seen on a stand-in |
| identity, theorem | every case tried, a counterexample | – | – | holds, fails |"""


def ledger_page(
    chapters: Sequence[Any],
    ledger: Mapping[str, Mapping[str, Any]],
    runs: Runs | None = None,
    mark: str = "",
) -> str:
    """book/ledger.md."""
    found = records(chapters, ledger, runs)
    parts = [mark, "(ledger)=\n# The ledger: every claim and its verdict"]
    parts += [f"Of the headline claims: {counts(headlines(found))}.", INTRODUCTION]
    if not ledger:
        parts.append("Nothing has been judged yet: no run at full scale has been stored.")
    parts += [meanings(), html_table(found)]
    if pairs := tensions():
        parts.append(tension_section(pairs))
    return "\n\n".join(filter(None, parts)) + "\n"


def headlines(found: Iterable[Record]) -> list[Record]:
    """Headline claims that do not repeat another one."""
    return [one for one in found if one["rank"] == "headline" and not one["same_evidence_as"]]


def counts(found: Iterable[Record]) -> str:
    """How often each verdict was given: "12 reproduced, 3 open"."""
    times = Counter(one["verdict"] for one in found)
    return ", ".join(f"{times[word]} {word}" for word in WORDS if times[word])


def meanings() -> str:
    """What words, ranks and settings mean, folded."""
    words = table(("Verdict", "Meaning"), ((marked(w), in_cases(t)) for w, t in WORDS.items()))
    ranks = "; ".join(f"*{name}*: {RANK_TEXTS[name]}" for name in RANKS)
    settings = "; ".join(f"*{name}*: {what}" for name, what in SETTINGS.items())
    return (
        f"::::{{dropdown}} What the words mean, and how they follow\n{words}\n\n"
        f"{HOW_THE_WORD_FOLLOWS}\n\nRanks. {ranks}.\n\nSettings. {settings}.\n::::"
    )


def in_cases(text: str) -> str:
    """A text of the rules in the words of this page.

    >>> in_cases("not in as many cells as claimed")
    'not in as many cases as claimed'
    """
    return text.replace(" cells ", " cases ")


def marked(word: str, said: str = "") -> str:
    return in_cases(badge(word, said))


def tension_section(pairs: Sequence[Any]) -> str:
    """Claims whose findings oppose each other, and why both stand."""
    lines = ["## Findings that oppose each other, and why both stand"]
    texts = asked()
    for one in pairs:
        sides = "; ".join(", ".join(map(_to_line, one[side])) for side in ("yes", "no"))
        question = texts.get(one["question"], "")
        lines.append(f"**{plain(question)}** ({sides}). {plain(one['because'])}")
    return "\n\n".join(lines)


def _to_line(claim_id: str) -> str:
    """A link to the line of a claim on this page, as HTML: its anchor is none of MyST's."""
    return f'<a href="#{line_id(claim_id)}">{_text(claim_id)}</a>'


# The table --------------------------------------------------------------------------------------


def html_table(found: Sequence[Record]) -> str:
    """Controls, table and script, as one block of HTML without an empty line."""
    head = "".join(f'<th scope="col">{name}</th>' for name in COLUMNS)
    lines = [
        controls(found),
        f'<p id="ledger-count" role="status">{len(found)} claims: {counts(found)}.</p>',
        '<table id="ledger-table" class="ledger">',
        "<caption>Claims, their verdicts and what is found</caption>",
        f"<thead><tr>{head}</tr></thead>",
        "<tbody>",
        *map(line, found),
        "</tbody></table>",
        '<script src="../_static/ledger.js" defer></script>',
    ]
    return "```{raw} html\n" + "\n".join(lines) + "\n```"


def controls(found: Sequence[Record]) -> str:
    """The form, hidden until the script shows it: without one it could do nothing."""
    parts = [
        '<label class="ledger-search">Search <input type="search" name="q" '
        'placeholder="a word of a claim, a finding, a source"></label>'
    ]
    for name, label, options in filters(found):
        choices = "".join(
            f'<option value="{_text(value)}">{_text(said)}</option>' for value, said in options
        )
        parts.append(
            f'<label>{label} <select name="{name}"><option value="">all</option>{choices}'
            "</select></label>"
        )
    parts.append(
        '<span class="ledger-buttons"><button type="reset">Show all</button>'
        '<button type="button" id="ledger-open" aria-pressed="false">Open all lines</button></span>'
    )
    return f'<form id="ledger-form" hidden aria-label="Filter the claims">{"".join(parts)}</form>'


def filters(found: Sequence[Record]) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Name of each filter, its label, and the values that occur with what they are called."""
    keys = [filter_values(one) for one in found]
    texts: dict[str, Mapping[str, str]] = {
        "question": {str(one["question"]): f"{one['question']}. {one['asks']}" for one in found},
        "paper": {one["chapter"]: one["chapter_title"] for one in found},
        "word": {word: word for word in WORDS},
        "direction": SAYS,
        "setting": {name: f"{name}: {what}" for name, what in SETTINGS.items()},
        "rank": {name: name for name in RANKS},
    }
    labels = {
        "question": "Question", "paper": "Chapter", "word": "Verdict", "direction": "Direction",
        "setting": "Setting", "ruler": "Ruler", "activation": "Activation", "rank": "Rank",
    }  # fmt: skip
    made = []
    for name, label in labels.items():
        there = {value for one in keys for value in one[name]}
        known = texts.get(name, {})
        ordered = sorted(there) if name in ("question", *_OPEN) else list(known)
        made.append((name, label, [(v, known.get(v, v)) for v in ordered if v in there and v]))
    return made


_OPEN = ("ruler", "activation")  # filters whose values the runs bring


def filter_values(one: Record) -> dict[str, list[str]]:
    """What a claim is filtered by; of rulers and activations it may have several."""
    return {
        "question": [str(one["question"])],
        "paper": [one["chapter"]],
        "word": [one["verdict"]],
        "direction": [one["direction"] or ""],
        "setting": [one["setting"]],
        "ruler": ruler_kinds(one["rulers"]),
        "activation": one["activations"],
        "rank": [one["rank"]],
    }


def line_id(claim_id: str) -> str:
    """The anchor of a claim on this page.

    >>> line_id("SZT-F3a")
    'claim-szt-f3a'
    """
    safe = "".join(c if c.isascii() and c.isalnum() else "-" for c in claim_id.lower())
    return "claim-" + "-".join(filter(None, safe.split("-")))


def line(one: Record) -> str:
    """One claim: a line of the table, with its details folded."""
    data = " ".join(
        f'data-{name}="{_text("|".join(values))}"' for name, values in filter_values(one).items()
    )
    name = _link(one["page"], one["id"]) if one["page"] else _text(one["id"])
    shown = [
        _cell("Verdict", list(WORDS).index(one["verdict"]), marked(one["verdict"], one["shown"])),
        _cell("In short", "", _folded(one)),
        _cell("Effect", _number(one["effect"]), _text(effect(one))),
        _cell("Networks", one["n_seeds"] or "", _text(networks(one))),
        _cell("Question", one["question"], str(one["question"])),
    ]
    return f'<tr id="{line_id(one["id"])}" {data}><th scope="row">{name}</th>{"".join(shown)}</tr>'


def effect(one: Mapping[str, Any]) -> str:
    """The effect with its interval and its unit.

    >>> effect({"effect": 0.5, "low": 0.41, "high": 0.62, "unit": "bits"})
    '0.5 [0.41, 0.62] bits'
    """
    if one["effect"] is None:
        return ""
    parts = [number(one["effect"])]
    if one["low"] is not None and one["high"] is not None:
        parts.append(f"[{number(one['low'])}, {number(one['high'])}]")
    return " ".join([*parts, one["unit"] or ""]).strip()


def networks(one: Mapping[str, Any]) -> str:
    """How many networks answered, and how many of them had not learnt the task."""
    if not one["n_seeds"]:
        return ""
    not_learnt = one["n_not_learnt"] or 0
    return f"{one['n_seeds']}" + (f" ({not_learnt} had not learnt)" if not_learnt else "")


def _cell(label: str, key: Any, content: str) -> str:
    sort = f' data-key="{key}"' if key != "" else ""
    return f'<td data-label="{label}"{sort}>{content}</td>' if content else "<td></td>"


def _number(value: float | None) -> float | str:
    return "" if value is None else value


def _folded(one: Record) -> str:
    """The title, and below it everything else."""
    marks = f' <small class="ledger-rank">{_text(one["rank"])}</small>'
    if one["exploratory"]:
        marks += ' <small class="ledger-rank">exploratory</small>'
    inside = "".join(f"<dt>{what}</dt><dd>{said}</dd>" for what, said in details(one) if said)
    return f"<details><summary>{_text(one['title'])}{marks}</summary><dl>{inside}</dl></details>"


def details(one: Record) -> list[tuple[str, str]]:
    """What a folded line holds: names, and HTML."""
    source = f'<a href="{_text(one["link"])}">{_text(one["source"])}</a>' if one["link"] else ""
    counts_as = _text(one["criterion"])
    if one["criterion_hash"]:
        written = f"{one['criterion_date']}, {one['criterion_hash']}"
        counts_as += f" <small>(written {_text(written)})</small>"
    places = [
        _link(one["page"], "verdict in the chapter"),
        _link(one["figure"], "figure near it"),
        _link(one["laboratory"], "one network in the laboratory"),
    ]
    same = one["same_evidence_as"]
    time = f" ({duration(one['seconds'])} in all)" if one["seconds"] else ""
    return [
        ("Claim", _text(one["statement"])),
        ("Source", source or _text(one["source"])),
        ("Found", _text(one["finding"] or "")),
        ("What counts", counts_as),
        ("Note", _text(one["note"])),
        ("Same evidence", f'<a href="#{line_id(same)}">{_text(same)}</a>' if same else ""),
        ("Question", _text(f"{one['question']}. {one['asks']}")),
        ("See", ", ".join(filter(None, places))),
        ("Rulers", "; ".join(f"<code>{_text(ruler)}</code>" for ruler in one["rulers"][:6])),
        ("Runs", "<br>".join(map(_text, one["runs"])) + time if one["runs"] else ""),
        ("Data", ", ".join(f"<code>{_text(file)}</code>" for file in one["files"])),
        ("Again", f"<code>{_text(one['command'])}</code>" if one["criterion"] else ""),
    ]


def _link(address: str, said: str) -> str:
    """A link to a place of the book from this page, which lies in the same folder."""
    return f'<a href="{_text(address.removeprefix("book/"))}">{_text(said)}</a>' if address else ""


def _text(text: str) -> str:
    """Text that no sign of becomes markup, on one line."""
    return html.escape(" ".join(str(text).split()), quote=True)
