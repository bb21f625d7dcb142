"""Written sentences that rest on claims: chosen by their words, filled with their numbers.

A sentence of book/papers/answers.toml names the claims that it rests on and has one text for each
combination of words that it was written for. Where a claim has another word there is no text: the
sentence is void and the pages are not written until somebody has written one.

    {SZT-C1 effect}                the effect of the primary test, two digits
    {SAXE-F1A layer 5}             of a cell, by its label; "test: label" where labels repeat
    {CTL-11a effect abs points}    without its sign, in hundredths
    {CHE-F5 line of 0.5 bit: compresses %}    in per cent
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ibcore.papers import papers, papers_folder

PLACE = re.compile(r"\{([A-Z]+-[^\s{}]+) ([^{}]+?)( abs)?( %| points)?\}")

OF_A_CLAIM = ("effect", "low", "high", "n_seeds", "detectable")


@dataclass(frozen=True)
class Evidence:
    """What sentences may rest on."""

    rows: Mapping[str, Mapping[str, Any]]  # claim -> its entry of the ledger
    cells: Mapping[str, Mapping[str, float | None]]  # claim -> label of a cell -> its effect

    def word(self, claim: str) -> str:
        return self.rows[claim]["verdict"] if claim in self.rows else "not judged"


def read_evidence(results: Path, rows: Mapping[str, Mapping[str, Any]]) -> Evidence:
    """The ledger's entries with the cells of their tests."""
    cells: dict[str, dict[str, float | None]] = {}
    for paper in papers():
        if not (file := results / "verdicts" / f"{paper}.json").exists():
            continue
        for one in json.loads(file.read_text(encoding="utf-8"))["verdicts"]:
            mine = cells.setdefault(one["id"], {key: one[key] for key in OF_A_CLAIM})
            for test in one["tests"]:
                for cell in test["cells"]:
                    mine.setdefault(cell["label"], cell["effect"])
                    mine[f"{test['name']}: {cell['label']}"] = cell["effect"]
    return Evidence(rows, cells)


def read_answers() -> dict[str, Any]:
    """What was written: book/papers/answers.toml; nothing where the papers have no such file."""
    file = papers_folder() / "answers.toml"
    return tomllib.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def chosen(sentence: Mapping[str, Any], evidence: Evidence) -> str:
    """The text of a sentence for the present words, with the present numbers.

    Raises
    ------
    ValueError
        If no text was written for these words, or a text asks for a number that its claims do not
        have.
    """
    claims = sentence["claims"]
    today = [evidence.word(claim) for claim in claims]
    for one in sentence["texts"]:
        if len(one["words"]) != len(claims):
            raise ValueError(f"{_name(sentence)}: give one of words for each of claims.")
        written = [[word.strip() for word in words.split("|")] for words in one["words"]]
        if all(word in words for word, words in zip(today, written, strict=True)):
            return filled(one["text"], sentence, evidence)
    if "otherwise" in sentence:
        return filled(sentence["otherwise"], sentence, evidence)
    for_words = "; or ".join(", ".join(one["words"]) for one in sentence["texts"])
    raise ValueError(
        f"{_name(sentence)}: it rests on {', '.join(claims)}, whose words are now "
        f"{', '.join(today)}. It was written for {for_words}. Write a text for the words of today, "
        "or let it rest on other claims."
    )


def filled(text: str, sentence: Mapping[str, Any], evidence: Evidence) -> str:
    """A text with its numbers; each has to be one of a claim that the sentence rests on."""

    def number_of(place: re.Match[str]) -> str:
        claim, what, absolute, unit = place.groups()
        have = evidence.cells.get(claim, {})
        if claim not in sentence["claims"] or have.get(what) is None:
            raise ValueError(
                f"{_name(sentence)}: no number for {place[0]}; its claims are "
                f"{', '.join(sentence['claims'])}, and {claim} has {', '.join(have) or 'none'}."
            )
        value = abs(have[what]) if absolute else have[what]
        return short(value, (unit or "").strip())

    text = PLACE.sub(number_of, " ".join(text.split()))
    if "{" in re.sub(r"\{cite:[pt]\}|\{ref\}", "", text):
        raise ValueError(f"{_name(sentence)}: what stands for {text[text.index('{') :]!r}?")
    return text


def short(value: float, unit: str = "") -> str:
    """Two digits, as prose has room for.

    >>> short(5.166), short(0.54, "%"), short(0.00538, "points"), short(-2.04), short(0.97, "%")
    ('5.2', '54 %', '0.54', '−2', '97 %')
    """
    if unit in ("%", "points"):
        value *= 100
    text = f"{float(f'{value:.2g}'):g}".replace("-", "−")
    return f"{text} %" if unit == "%" else text


def _name(sentence: Mapping[str, Any]) -> str:
    return f"answers.toml, sentence {sentence['name']!r}"
