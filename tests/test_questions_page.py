"""The closing chapter by question, and the argument map: one set of relations, drawn and tabled."""

import re
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import argument_map
import pages
import pytest
import questions_page
import sentences

from ibcore import claims
from ibcore.claims import BADGES
from ibcore.papers import papers

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "book" / "results"
PAGE = (ROOT / "book" / "questions.md").read_text(encoding="utf-8")
ANSWERS = sentences.read_answers()
LEDGER = pages.read_ledger(RESULTS / "ledger.json")
EVIDENCE = sentences.read_evidence(RESULTS, LEDGER)
CHAPTERS = pages.read_chapters()
CLAIMS = [claim for chapter in CHAPTERS for claim in chapter.claims]
LINKS = pages.links_of(CHAPTERS)
RELATIONS = argument_map.read_relations(CLAIMS)
NODES = {name for one in RELATIONS for name in (one.one, one.other)}
PARTS = dict(
    zip(range(1, 9), re.split(r"\n\(question-\d\)=\n", PAGE.split("(argument-map)=")[0])[1:],
        strict=True)
)  # fmt: skip
every_question = pytest.mark.parametrize("number", PARTS)


def heads(number):
    return [
        one for one in CLAIMS
        if one.question == number and one.rank == "headline" and not one.same_evidence_as
    ]  # fmt: skip


@every_question
def test_a_question_has_all_its_parts(number):
    part = PARTS[number]
    assert part.startswith(f"## {number}. {claims.questions()[number]}")
    for lead in ("In short.", "Who claims what.", "What is found.", "Under which ruler it turns."):
        assert f"**{lead}**" in part, lead
    who = part.split("**Who claims what.**")[1].split("**What is found.**")[0]
    assert "{cite:" in who


@every_question
def test_every_headline_claim_and_control_is_there_with_its_finding(number):
    part = PARTS[number]
    controls = [one for one in CLAIMS if one.question == number and one.rank == "control"]
    for claim in [*heads(number), *controls]:
        assert f"- {LINKS[claim.id]} " in part
        assert pages.plain(LEDGER[claim.id]["finding"]) in part
    assert ("**Controls that bear on it.**" in part) == bool(
        controls or ANSWERS["questions"][number - 1]["bears"]
    )


@every_question
def test_what_is_open_has_a_line_that_says_what_would_decide_it(number):
    part = PARTS[number].partition("**What would decide what is open.**")[2]
    part = part.partition("**Findings that oppose each other")[0]
    for claim in heads(number):
        without = LEDGER[claim.id]["verdict"] in questions_page.NO_ANSWER
        assert (f"- {LINKS[claim.id]}, " in part) == without, claim.id


def test_every_headline_claim_that_waits_has_a_written_line():
    """What its networks can show is no answer for a run that is not made."""
    written = {one["claim"] for one in ANSWERS["decides"]}
    assert written <= {claim.id for claim in CLAIMS}
    waits = {k for k, row in LEDGER.items() if row["verdict"] == "waiting for its run"}
    assert {k for k in waits if LEDGER[k]["rank"] == "headline"} <= written


def test_findings_that_oppose_each_other_stand_under_their_question():
    for one in claims.tensions():
        part = PARTS[one["question"]]
        assert pages.plain(" ".join(one["because"].split())) in part


def test_written_parts_name_claims_that_there_are_and_type_no_result():
    known = {claim.id for claim in CLAIMS}
    for one in ANSWERS["questions"]:
        assert set(one["bears"]) <= known
        prose = re.sub("12-bit|L2", "", f"{one['who']} {one['turns']}")
        assert re.findall(r"\d+", re.sub(r"`[^`]*`", "", prose)) == []
    for one in ANSWERS["decides"]:
        bare = sentences.PLACE.sub("", one["text"])
        assert re.findall(r"\d+", bare) == []


def test_an_open_claim_without_a_written_line_says_what_its_networks_can_show():
    claim = SimpleNamespace(id="CTL-10c", title="a title")
    row = {**LEDGER["CTL-10c"], "verdict": "open", "n_seeds": 50, "detectable": 0.123, "unit": "b"}
    evidence = sentences.Evidence({"CTL-10c": row}, {})
    said = questions_page.what_would_decide([claim], {"decides": []}, evidence, {"CTL-10c": "L"})
    assert "the 50 that are here show an effect of 0.12 b in four runs of five" in said


def test_rulers_are_counted_by_the_combinations_that_agree():
    """Codes of a combination: 0 agrees, anything else does not."""
    found = {
        "choices": {"setting": ["s", "t"], "ruler": ["fine", "coarse", ""]},
        "specs": [
            [0, 0, 1.0, 0.5, 1.5, 0],
            [1, 0, 1.0, 0.5, 1.5, 0],
            [0, 1, 1.0, 0.5, 1.5, 2],
            [1, 1, 1.0, 0.5, 1.5, 0],
        ],
    }
    assert questions_page.ruler_shares(found) == {"fine": 1.0, "coarse": 0.5}
    assert questions_page.ruler_shares(found, some=True) == {"fine": 1.0, "coarse": 1.0}
    claim = SimpleNamespace(id="A", tests=[])
    assert questions_page.ruler_rows([claim], {"A": found}, {"A": "A"}) == [
        ("A", "fine", "coarse", "–")
    ]


# The map ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def svg():
    drawn = PAGE.split('<svg viewBox="0 0 760')[1].split("</svg>")[0]
    return ElementTree.fromstring('<svg viewBox="0 0 760' + drawn + "</svg>")


def test_every_headline_claim_and_control_is_on_the_map():
    main = {
        one.id for one in CLAIMS
        if one.rank in ("headline", "control") and not one.same_evidence_as
    }  # fmt: skip
    assert main - NODES == set()


def test_findings_that_oppose_each_other_are_joined():
    against = {(one.one, one.other) for one in RELATIONS if one.kind == "against"}
    for one in claims.tensions():
        pairs = {(a, b) for a in one["yes"] for b in one["no"]}
        assert pairs & against or {(b, a) for a, b in pairs} & against, one


def test_no_relation_stands_twice():
    assert len({(one.one, one.other) for one in RELATIONS}) == len(RELATIONS)


def test_drawing_and_table_have_the_same_relations(svg):
    drawn = [path.get("class").split() for path in svg.findall("path")]
    assert len(drawn) == len(RELATIONS)
    for one in RELATIONS:
        ends = {f"to-{argument_map._class(name)}" for name in (one.one, one.other)}
        assert any(kind == one.kind and ends == set(rest) for kind, *rest in drawn)
        row = f"| {LINKS[one.one]} | {argument_map.KINDS[one.kind]} | {LINKS[one.other]} |"
        assert row in PAGE


def test_a_claim_on_the_map_leads_to_its_verdict_and_shows_its_symbol(svg):
    links = {one.get("href"): one for one in svg.findall("a")}
    assert len(links) == len(NODES)
    for chapter in CHAPTERS:
        for claim in chapter.claims:
            if claim.id not in NODES:
                continue
            node = links[f"{chapter.page}.html#{pages.anchor(claim.id)}"]
            symbol, colour = BADGES[LEDGER[claim.id]["verdict"]]
            first = node.find("text")
            assert (first.text, first.get("class")) == (symbol, f"verdict-{colour}")
            assert claim.statement in node.get("aria-label")
            assert LEDGER[claim.id]["verdict"] in node.get("aria-label")


def test_an_arc_ends_at_its_claims(svg):
    """Each end lies within the height of the frame of its claim."""
    rows = {}
    for node in svg.findall("a"):
        frame = node.find("rect")
        top = float(frame.get("y"))
        rows[node.get("class")] = (top - 1, top + float(frame.get("height")) + 1)
    for path in svg.findall("path"):
        numbers = [float(x) for x in re.findall(r"-?\d+\.?\d*", path.get("d"))]
        one, other = (name.removeprefix("to-") for name in path.get("class").split()[1:])
        assert rows[one][0] <= numbers[1] <= rows[one][1]
        assert rows[other][0] <= numbers[-1] <= rows[other][1]


@pytest.mark.parametrize(
    "entry",
    [
        '{ from = "NO-1", to = "SZT-F3", kind = "for", because = "x" }',
        '{ from = "SZT-C3", to = "SZT-F3", kind = "perhaps", because = "x" }',
        '{ from = "SZT-C3", to = "SZT-F3", kind = "for", because = "" }',
    ],
)
def test_a_relation_that_says_nothing_is_refused(tmp_path, monkeypatch, entry):
    (tmp_path / "argument.toml").write_text(f"relations = [{entry}]")
    monkeypatch.setattr(argument_map, "papers_folder", lambda: tmp_path)
    with pytest.raises(ValueError, match=r"argument\.toml: .* needs a reason"):
        argument_map.read_relations(CLAIMS)


def test_the_page_without_verdicts_says_so():
    said = questions_page.questions_page(CHAPTERS, {}, LINKS, RESULTS, pages.MARK)
    assert "Nothing has been judged yet" in said
    assert papers()
