"""Claims on one question whose findings oppose each other: each such pair has its sentence."""

import json
from itertools import product

import pytest

from ibcore import claims
from ibcore.papers import book_folder, papers

OTHER = {"yes": "no", "no": "yes"}
SAYS_SO = ("reproduced", "direction only", "seen", "holds")
SAYS_THE_OPPOSITE = ("none found", "opposite", "fails")


def stance(claim, word):
    """What is found on the question, where anything is."""
    if word in SAYS_SO:
        return claim.says
    return OTHER.get(claim.says, "") if word in SAYS_THE_OPPOSITE else ""


@pytest.fixture(scope="module")
def found():
    """Stance of every claim that has one, by question."""
    ledger = {one["id"]: one for one in claims.load_ledger(book_folder() / "results/ledger.json")}
    listed = [claim for paper in papers() for claim in claims.load_registry(paper)]
    return [
        (claim, side) for claim in listed if (side := stance(claim, ledger[claim.id]["verdict"]))
    ]


def test_there_are_eight_questions_and_every_one_is_asked():
    asked = {claim.question for paper in papers() for claim in claims.load_registry(paper)}
    assert asked == set(claims.questions()) == set(range(1, 9))


def test_headline_findings_that_oppose_each_other_have_their_sentence(found):
    explained = {
        frozenset(pair) for one in claims.tensions() for pair in product(one["yes"], one["no"])
    }
    heads = [(c, side) for c, side in found if c.rank == "headline" and not c.same_evidence_as]
    opposed = [
        (a.id, b.id)
        for (a, one), (b, other) in product(heads, heads)
        if a.question == b.question and (one, other) == ("yes", "no")
    ]
    assert opposed, "the book is about an argument"
    assert [pair for pair in opposed if frozenset(pair) not in explained] == []


def test_what_is_explained_does_oppose(found):
    """A sentence about claims that agree by now is out of date."""
    sides = {claim.id: (claim.question, side) for claim, side in found}
    for one in claims.tensions():
        for side in ("yes", "no"):
            for name in one[side]:
                assert sides.get(name) == (one["question"], side), name


def test_every_verdict_has_a_finding_and_every_headline_a_question():
    for entry in claims.load_ledger(book_folder() / "results" / "ledger.json"):
        assert entry["finding"].strip(), entry["id"]
        assert "{" not in entry["finding"], entry["id"]
        assert entry["criterion_date"] >= "2026-11-21"
        if entry["verdict"] in ("open", "none found"):
            assert entry["detectable"] > 0, entry["id"]


def test_repeats_share_word_and_numbers_with_their_row():
    ledger = {one["id"]: one for one in claims.load_ledger(book_folder() / "results/ledger.json")}
    repeats = [one for one in ledger.values() if one["same_evidence_as"]]
    assert repeats
    for one in repeats:
        first = ledger[one["same_evidence_as"]]
        assert first["same_evidence_as"] is None
        for key in ("verdict", "effect", "low", "high", "scope", "direction", "size"):
            assert one[key] == first[key], one["id"]


def test_on_a_stand_in_nothing_is_red():
    for entry in claims.load_ledger(book_folder() / "results" / "ledger.json"):
        if entry["setting"] == "C":
            assert entry["verdict"] not in ("opposite", "none found", "reproduced"), entry["id"]


def test_rows_agree_by_chance_no_more_often_than_the_level_promises():
    """On planes without any effect: one draw in forty on the claimed side, in all of them."""
    found = json.loads((book_folder() / "results" / "null.json").read_text())
    rows, draws = found["rows"], found["draws"]
    agrees = [row.get("agrees", 0) for row in rows.values()]
    assert len(rows) > 30
    assert sum(agrees) <= 0.025 * draws * len(rows)
    assert max(agrees) <= 5  # six of forty have a chance of one in 2 000
