"""The closing chapter, "What we know now, by question": book/questions.md.

For each question: the answer in a sentence, who claims what, what is found, under which ruler it
turns, the controls, what would decide what is open, and findings that oppose each other. Sentences
are those of book/papers/answers.toml; words, findings and rulers come from the ledger and from
the combinations of choices in book/results/multiverse.json.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import argument_map
from mdtext import plain, table
from multiverse_page import some_setting
from sentences import Evidence, chosen, filled, read_answers, read_evidence

from ibcore.claims import badge, questions, tensions
from ibcore.claims import shown as word_with_scope

NO_ANSWER = ("open", "waiting for its run")

INTRODUCTION = """\
(questions)=
# What we know now, by question

The chapters follow the papers, one after the other. The argument does not: behind the question
whether networks compress stand eight others, and each of them is answered in several chapters. Here
they are in turn. For each: the answer in a sentence, who claims what, what is found, under which
ruler the finding turns, which controls of [chapter 7](07_controls.ipynb) bear on it, and what
would decide what is open. A word such as *mixed* is given by one rule, printed in
[the ledger](ledger.md); the name of a claim leads to the place where it is judged. At the end
stands [the whole argument as one map](argument-map)."""

MAP = """\
(argument-map)=
## The argument as a map

Which claim speaks for which, and which against? The map lists the headline claims, the controls
and whatever else they lean on, by question; the symbol is that of the verdict, and the frame leads
to it. Arcs on the left, blue and unbroken, end in an arrow at the claim that is spoken for; dotted
grey ones join claims that rest on the same runs. Arcs on the right, orange and dashed, end in a
cross at the claim that is spoken against. They join *statements*: what became of them is in the
symbols, so that a claim that failed may well point at one that stands. Pointing at a claim leaves
only its own arcs. On a small screen the table below has all of it."""

# Where a reader may turn the ruler, by question; a test holds the sentences to what the page shows.
STATES = {
    1: """\
**Turn it yourself.** Round the middle tanh network of the chapter on rulers to
{lab}`eight bits a unit <net=tanh&ruler=quantised:8>`, and the layer before the output gives up more
than half of what it knew; leave it {lab}`in float32 numbers <net=tanh&ruler=exact>`, and no layer
loses half a bit.""",
    2: """\
**Turn it yourself.** The layer before the output of a ReLU network keeps all that it gains in
{lab}`bins over the whole run <net=relu&ruler=range:100>` and loses more than two bits in
{lab}`bins that follow it <net=relu&ruler=adaptive:30>`; that of a tanh network falls
{lab}`in the former <net=tanh&ruler=range:100>` and
{lab}`in the latter <net=tanh&ruler=adaptive:30>`.""",
}

RULERS = """\
Of the combinations of layers, checkpoints and settings that were tried with a ruler
([how](multiverse.md)), the claim is seen as stated in at least nine of ten (*agrees*), in at most
one of ten (*does not*), or in between (*turns*)."""


def questions_page(
    chapters: Sequence[Any], ledger: Mapping[str, Any], links: Mapping[str, str], results: Path,
    mark: str,
) -> str:  # fmt: skip
    """book/questions.md.

    Parameters
    ----------
    chapters : list of Chapter
    ledger : {claim: row}
    links : {claim: Markdown}
        The name of a claim, with a link to its verdict.
    results : Path
        The folder with the verdicts and multiverse.json.
    mark : str
        The first line of a generated page.
    """
    parts, answers = [mark, INTRODUCTION], read_answers()
    if not (ledger and answers):
        return "\n\n".join([*parts[:1], "(questions)=\n# What we know now, by question",
                            "Nothing has been judged yet."]) + "\n"  # fmt: skip
    claims = [claim for chapter in chapters for claim in chapter.claims]
    evidence, texts = read_evidence(results, ledger), questions()
    stored = _multiverse(results)
    for written in answers["questions"]:
        number = written["number"]
        parts.append(f"(question-{number})=\n## {number}. {texts[number]}")
        parts += _question(written, answers, claims, evidence, links, stored)
    relations = argument_map.read_relations(claims)
    pages = {claim.id: chapter.page for chapter in chapters for claim in chapter.claims}
    words = {claim.id: evidence.word(claim.id) for claim in claims}
    svg = argument_map.drawing(relations, claims, words, pages, texts)
    parts += [MAP, f"```{{raw}} html\n{svg}\n```", argument_map.map_table(relations, links)]
    return "\n\n".join(parts) + "\n"


def _question(
    written: Mapping[str, Any], answers: Mapping[str, Any], claims: Sequence[Any],
    evidence: Evidence, links: Mapping[str, str], stored: Mapping[str, Any],
) -> list[str]:  # fmt: skip
    number, short = written["number"], written["short"]
    asked = [one for one in claims if one.question == number and not one.same_evidence_as]
    heads = [one for one in asked if one.rank == "headline"]
    bears = [one for one in claims if one.id in written["bears"]]
    controls = [one for one in asked if one.rank == "control"] + bears
    rests_on = ", ".join(links[name] for name in short["claims"])
    parts = [
        f"**In short.** {chosen(short, evidence)} ({rests_on})",
        f"**Who claims what.** {' '.join(written['who'].split())}",
        "**What is found.**",
        "\n".join(_found(one, evidence, links) for one in heads),
        f"**Under which ruler it turns.** {' '.join(written['turns'].split())}",
    ]
    if number in STATES:
        parts.append(STATES[number])
    if rows := ruler_rows(heads, stored, links):
        parts += [RULERS, table(("Claim", "agrees", "turns", "does not"), rows)]
    if controls:
        parts.append("**Controls that bear on it.**")
        parts.append("\n".join(_found(one, evidence, links) for one in controls))
    if unsettled := what_would_decide([*heads, *controls], answers, evidence, links):
        parts += ["**What would decide what is open.**", unsettled]
    if opposed := _tensions(number, links):
        parts += ["**Findings that oppose each other, and why both stand.**", opposed]
    return parts


def _found(claim: Any, evidence: Evidence, links: Mapping[str, str]) -> str:
    """A claim with its source, its word and its finding."""
    row = evidence.rows[claim.id]
    k, _, m = row["scope"].partition(" of ")
    word = badge(row["verdict"], word_with_scope(row["verdict"], int(k or 0), int(m or 0)))
    found = "Waits" if row["verdict"] == "waiting for its run" else "Found"
    return (
        f"- {links[claim.id]} {word} {_source(claim)}: {plain(claim.statement)}\\\n"
        f"  *{found}:* {plain(row['finding'])}"
    )


def _source(claim: Any) -> str:
    """Where a claim is made, as a sentence begins."""
    return plain(claim.source[:1].upper() + claim.source[1:])


def ruler_rows(
    claims: Sequence[Any], stored: Mapping[str, Any], links: Mapping[str, str]
) -> list[tuple[str, ...]]:
    """For each claim: the rulers under which it agrees, those under which it turns, the others."""
    rows = []
    for claim in claims:
        some = bool(claim.tests) and claim.tests[0].entry.get("quantifier") == "some"
        shares = ruler_shares(stored[claim.id], some=some) if claim.id in stored else {}
        if len(shares) < 2:
            continue
        found: dict[str, list[str]] = {"agrees": [], "turns": [], "does not": []}
        for ruler, share in shares.items():
            side = "agrees" if share >= 0.9 else "does not" if share <= 0.1 else "turns"
            found[side].append(plain(ruler))
        rows.append((links[claim.id], *("; ".join(many) or "–" for many in found.values())))
    return rows


def ruler_shares(found: Mapping[str, Any], *, some: bool = False) -> dict[str, float]:
    """Of the combinations with a ruler, the share in which the claim is seen as stated.

    With ``some``, for a claim that something can happen: of the choices other than the setting,
    the share under which at least one setting shows it.
    """
    if "ruler" not in found["choices"]:
        return {}
    place = list(found["choices"]).index("ruler")
    shares = {}
    for k, ruler in enumerate(found["choices"]["ruler"]):
        specs = [row for row in found["specs"] if row[place] == k]
        if not ruler or not specs:
            continue
        if some:
            hit, n = some_setting({**found, "specs": specs})
            shares[ruler] = hit / n
        else:
            shares[ruler] = sum(row[-1] == 0 for row in specs) / len(specs)
    return shares


def what_would_decide(
    claims: Sequence[Any], answers: Mapping[str, Any], evidence: Evidence, links: Mapping[str, str]
) -> str:
    """A line for each claim that has no answer: what was written, or what its networks can show."""
    written = {one["claim"]: one["text"] for one in answers["decides"]}
    lines = []
    for claim in {one.id: one for one in claims}.values():
        if evidence.word(claim.id) not in NO_ANSWER:
            continue
        row = evidence.rows[claim.id]
        if claim.id in written:
            sentence = {"name": f"what would decide {claim.id}", "claims": [claim.id]}
            text = filled(written[claim.id], sentence, evidence)
        elif row["detectable"]:
            text = (
                f"More networks: the {row['n_seeds']} that are here show an effect of "
                f"{row['detectable']:.2g} {plain(row['unit'])} in four runs of five, and miss "
                "most smaller ones."
            )
        else:
            text = plain(row["finding"])
        lines.append(f"- {links[claim.id]}, {plain(claim.title)}: {text}")
    return "\n".join(lines)


def _tensions(number: int, links: Mapping[str, str]) -> str:
    """Claims of a question whose findings oppose each other, each pair with its sentence."""
    return "\n".join(
        f"- {', '.join(links[name] for name in one['yes'])} against "
        f"{', '.join(links[name] for name in one['no'])}: {plain(' '.join(one['because'].split()))}"
        for one in tensions()
        if one["question"] == number
    )


def _multiverse(results: Path) -> dict[str, Any]:
    if not (file := results / "multiverse.json").exists():
        return {}
    return json.loads(file.read_text(encoding="utf-8"))["claims"]
