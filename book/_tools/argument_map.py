"""The argument map: which claims speak for or against each other, as a drawing and as a table.

Relations are of statements, whatever became of them (book/papers/argument.toml); claims that rest
on the same evidence say so in their own files. Every claim is one line of a list, ordered by
question; on its left are arcs to claims that it speaks for or shares evidence with, on its right
arcs to those that it speaks against. A claim is a link; pointing at it, or coming to it with the
keyboard, leaves only its own arcs.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from mdtext import anchor, plain, table

from ibcore.claims import BADGES
from ibcore.papers import papers_folder

KINDS = {
    "for": "speaks for",
    "against": "speaks against",
    "same": "rests on the same evidence as",
}
WIDTH, LEFT, RIGHT, ROW, HEAD = 760, 130, 630, 25, 44
ROOM = 66  # letters of a title that fit between name and frame

STYLE = """\
<style>
.argument { margin: 1.5rem 0; }
.argument svg { display: block; width: 100%; height: auto; }
.argument svg { font: 13px Arial, Helvetica, sans-serif; }
.argument text { fill: currentColor; }
.argument .question { font-weight: bold; font-size: 14px; }
.argument .name { font-weight: bold; }
.argument a { color: inherit; text-decoration: none; }
.argument a rect { fill: none; stroke: currentColor; stroke-opacity: 0.3; }
.argument a:hover rect, .argument a:focus-visible rect { stroke-opacity: 1; stroke-width: 2; }
.argument a:hover .title, .argument a:focus-visible .title { text-decoration: underline; }
.argument a:focus-visible { outline: none; }
.argument path { fill: none; stroke-width: 1.5; }
.argument .for { stroke: #1a80bf; }
.argument .against { stroke: #d55e00; stroke-dasharray: 6 3; }
.argument .same { stroke: #7f7f7f; stroke-dasharray: 1.5 3; }
.argument .for-head { fill: #1a80bf; stroke: none; }
.argument .against-head { stroke: #d55e00; stroke-width: 2; }
@media (max-width: 600px) { .argument { display: none; } }
"""


@dataclass(frozen=True)
class Relation:
    """A statement that speaks for or against another, or shares its evidence."""

    one: str
    other: str
    kind: str
    because: str


def read_relations(claims: Iterable[Any]) -> list[Relation]:
    """What was written, and the repeats that the claims name themselves.

    Raises
    ------
    ValueError
        If a relation names a claim that there is not, an unknown kind, or has no reason.
    """
    known = {claim.id: claim for claim in claims}
    file = papers_folder() / "argument.toml"
    written = tomllib.loads(file.read_text(encoding="utf-8"))["relations"] if file.exists() else []
    found = [Relation(one["from"], one["to"], one["kind"], one["because"]) for one in written]
    for one in found:
        unknown = [name for name in (one.one, one.other) if name not in known]
        if unknown or one.kind not in ("for", "against") or not one.because:
            raise ValueError(
                f"argument.toml: {one.one} {one.kind} {one.other}: kind is for or against, each "
                f"needs a reason, and there must be such claims; unknown: {', '.join(unknown)}."
            )
    return found + [
        Relation(claim.id, claim.same_evidence_as, "same", "")
        for claim in known.values()
        if claim.same_evidence_as
    ]


def map_table(relations: Sequence[Relation], links: Mapping[str, str]) -> str:
    """The relations as a table."""
    rows = (
        (links[one.one], KINDS[one.kind], links[one.other], plain(one.because) or "–")
        for one in relations
    )
    return table(("Claim", "speaks", "Claim", "because"), rows)


def drawing(
    relations: Sequence[Relation], claims: Sequence[Any], words: Mapping[str, str],
    pages: Mapping[str, str], questions: Mapping[int, str],
) -> str:  # fmt: skip
    """The map as HTML.

    Parameters
    ----------
    relations : list of Relation
    claims : list of Claim
        In the order of the book.
    words : {claim: word}
    pages : {claim: page}
        "03_saxe" for a claim of that chapter.
    questions : {number: text}
    """
    named = {name for one in relations for name in (one.one, one.other)}
    places, parts, y = {}, [], 0.0
    for number, text in questions.items():
        asked = [one for one in claims if one.question == number and one.id in named]
        if not asked:
            continue
        y += HEAD
        parts.append(
            f'<text class="question" x="{LEFT}" y="{y - 12:g}">{number}. {escape(text)}</text>'
        )
        for claim in asked:
            places[claim.id] = y + ROW / 2 - 2
            parts.append(_node(claim, words[claim.id], pages[claim.id], y))
            y += ROW
    arcs = _arcs(relations, places)
    counts = ", ".join(
        f"{sum(one.kind == kind for one in relations)} {text}" for kind, text in KINDS.items()
    )
    label = f"{len(places)} claims and how they speak to each other: {counts}. The table has them."
    return (
        f'<figure class="argument">\n{STYLE}{_alone(named)}</style>\n'
        f'<svg viewBox="0 0 {WIDTH} {y + 8:g}" role="group" aria-label="{label}">\n{HEADS}\n'
        + "\n".join([*arcs, *parts])
        + "\n</svg>\n</figure>"
    )


HEADS = """\
<defs>
<marker id="argument-for" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" \
markerUnits="userSpaceOnUse" orient="auto"><path class="for-head" d="M0 0 L8 4 L0 8 z"/></marker>
<marker id="argument-against" viewBox="0 0 8 8" refX="5" refY="4" markerWidth="8" markerHeight="8" \
markerUnits="userSpaceOnUse" orient="auto">\
<path class="against-head" d="M1 1 L7 7 M1 7 L7 1"/></marker>
</defs>"""


def _node(claim: Any, word: str, page: str, y: float) -> str:
    symbol, colour = BADGES[word]
    title = claim.title
    room = ROOM - len(claim.id)
    if len(title) > room:
        title = title[:room].rsplit(" ", 1)[0] + " …"
    said = escape(f"{claim.id}, {word}: {claim.statement}", quote=True)
    return (
        f'<a class="{_class(claim.id)}" href="{page}.html#{anchor(claim.id)}" aria-label="{said}">'
        f"<title>{said}</title>"
        f'<rect x="{LEFT}" y="{y:g}" width="{RIGHT - LEFT}" height="{ROW - 4}" rx="4"/>'
        f'<text class="verdict-{colour}" x="{LEFT + 8}" y="{y + 15:g}" '
        f'style="fill: currentColor">{symbol}</text>'
        f'<text x="{LEFT + 26}" y="{y + 15:g}"><tspan class="name">{escape(claim.id)}</tspan> '
        f'<tspan class="title" dx="4">{escape(title)}</tspan></text></a>'
    )


def _arcs(relations: Sequence[Relation], places: Mapping[str, float]) -> list[str]:
    """Arcs, the short ones last; where several end at a claim they are spread over its height."""
    ports: dict[tuple[str, bool], list[tuple[float, int]]] = defaultdict(list)
    for k, one in enumerate(relations):
        right = one.kind == "against"
        ports[one.one, right].append((places[one.other], k))
        ports[one.other, right].append((places[one.one], k))
    at: dict[tuple[str, int], float] = {}
    for (name, _), ends in ports.items():
        step = min(4.0, 16 / max(1, len(ends) - 1))
        for i, (_, k) in enumerate(sorted(ends)):
            at[name, k] = places[name] + step * (i - (len(ends) - 1) / 2)
    longest = max((abs(places[r.one] - places[r.other]) for r in relations), default=1.0) or 1.0
    drawn = []
    for k, one in enumerate(relations):
        start, end = at[one.one, k], at[one.other, k]
        far = 14 + (LEFT - 24) * (abs(places[one.one] - places[one.other]) / longest) ** 0.5
        edge, turn = (RIGHT, far / 0.75) if one.kind == "against" else (LEFT, -far / 0.75)
        head = "" if one.kind == "same" else f' marker-end="url(#argument-{one.kind})"'
        said = escape(f"{one.one} {KINDS[one.kind]} {one.other}. {one.because}".strip())
        drawn.append((
            -far,
            f'<path class="{one.kind} to-{_class(one.one)} to-{_class(one.other)}"{head} '
            f'd="M{edge} {start:g} C{edge + turn:.1f} {start:g} {edge + turn:.1f} {end:g} '
            f'{edge} {end:g}"><title>{said}</title></path>',
        ))  # fmt: skip
    return [text for _, text in sorted(drawn)]


def _alone(names: Iterable[str]) -> str:
    """Rules that leave only the arcs of the claim that is pointed at."""
    return "".join(
        f".argument:has(a.{one}:hover, a.{one}:focus-visible) svg > path:not(.to-{one}) "
        "{ opacity: 0.06; }\n"
        for one in sorted(map(_class, names))
    )


def _class(claim: str) -> str:
    return anchor(claim).replace("verdict-", "claim-")
