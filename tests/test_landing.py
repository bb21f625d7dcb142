"""The landing page and the opening of the README: five sentences that rest on claims, a figure."""

import re
from pathlib import Path
from types import SimpleNamespace

import landing_figure
import landing_page
import numpy as np
import pages
import pytest
import sentences

from ibcore import claims
from ibcore.papers import papers
from ibcore.study import Study

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "book" / "results"
INDEX = (ROOT / "book" / "index.md").read_text(encoding="utf-8")
README = (ROOT / "README.md").read_text(encoding="utf-8")
ANSWERS = sentences.read_answers()
SHORT = [one["short"] for one in ANSWERS["questions"]]
STRICT = [*ANSWERS["answer"], *ANSWERS["findings"]]
EVERY = [*STRICT, *SHORT]
RESTS_ON = [(one, claim) for one in STRICT for claim in one["claims"]]
LEDGER = pages.read_ledger(RESULTS / "ledger.json")
EVIDENCE = sentences.read_evidence(RESULTS, LEDGER)


def texts(one):
    return [*(text["text"] for text in one["texts"]), *filter(None, [one.get("otherwise")])]


def with_word(claim, word):
    return sentences.Evidence({**LEDGER, claim: {**LEDGER[claim], "verdict": word}}, EVIDENCE.cells)


# Sentences -------------------------------------------------------------------------------------


def test_the_answer_has_five_sentences_and_there_are_six_findings():
    assert len(ANSWERS["answer"]) == 5
    assert len(ANSWERS["findings"]) == 6
    for one in ANSWERS["answer"]:
        said = sentences.chosen(one, EVIDENCE)
        assert len(re.findall(r"[.!?](?=\s|$)", said)) == 1, said


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one["name"])
def test_a_sentence_names_claims_and_words_that_there_are(one):
    known = {claim.id for paper in papers() for claim in claims.load_registry(paper)}
    assert set(one["claims"]) <= known
    for text in one["texts"]:
        words = {word.strip() for words in text["words"] for word in words.split("|")}
        assert words <= set(claims.WORDS)


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one["name"])
def test_every_text_of_a_sentence_can_be_filled(one):
    """Those for other words as well: they may be needed after the next run."""
    for text in texts(one):
        assert "{" not in sentences.filled(text, one, EVIDENCE)


@pytest.mark.parametrize("one", EVERY, ids=lambda one: one["name"])
def test_no_result_is_typed(one):
    for text in texts(one):
        bare = sentences.PLACE.sub("", text)
        assert re.findall(r"\S*\d\S*", bare.replace("float32", "").replace("12-bit", "")) == []


@pytest.mark.parametrize(("one", "claim"), RESTS_ON)
def test_a_sentence_is_void_if_a_word_changes(one, claim):
    with pytest.raises(ValueError, match=re.escape(f"sentence {one['name']!r}")) as refusal:
        sentences.chosen(one, with_word(claim, "fails"))
    assert claim in str(refusal.value)
    assert "fails" in str(refusal.value)
    assert "Write a text" in str(refusal.value)


def test_the_pages_are_not_written_with_a_void_sentence():
    chapters = pages.read_chapters()
    with pytest.raises(ValueError, match="sentence 'generalisation'"):
        pages.index_page(chapters, {**LEDGER, "STU-9": {**LEDGER["STU-9"], "verdict": "fails"}})


def test_a_number_is_that_of_the_ledger():
    one = {"name": "x", "claims": ["SZT-C1"], "texts": []}
    found = sentences.filled("{SZT-C1 effect}", one, EVIDENCE)
    assert found == sentences.short(LEDGER["SZT-C1"]["effect"])
    moved = sentences.Evidence(LEDGER, {"SZT-C1": {"effect": -0.25}})
    text = "{SZT-C1 effect} {SZT-C1 effect abs} {SZT-C1 effect abs points} {SZT-C1 effect %}"
    assert sentences.filled(text, one, moved) == "−0.25 0.25 25 −25 %"


@pytest.mark.parametrize("text", ["{SAXE-C1 effect}", "{SZT-C1 layer 99}"])
def test_a_number_of_another_claim_or_of_no_cell_is_refused(text):
    with pytest.raises(ValueError, match="no number for"):
        sentences.filled(text, {"name": "x", "claims": ["SZT-C1"]}, EVIDENCE)


def test_what_is_no_place_for_a_number_is_refused():
    with pytest.raises(ValueError, match="what stands for"):
        sentences.filled("{effect} bits", {"name": "x", "claims": ["SZT-C1"]}, EVIDENCE)


def test_one_of_words_for_each_claim():
    one = {"name": "x", "claims": ["SZT-C1"], "texts": [{"words": ["open", "open"], "text": ""}]}
    with pytest.raises(ValueError, match="one of words for each"):
        sentences.chosen(one, EVIDENCE)


# The page --------------------------------------------------------------------------------------


def test_the_page_answers_before_anything_else_and_shows_no_wall_of_verdicts():
    assert '<span class="verdict' not in INDEX
    order = [f"# {landing_page.QUESTION}", "1. **", "5. **", '<figure class="rulers">', "In 2017",
             "## Six findings", "## What is still open", "## Three ways", "## The chapters",
             "## How to cite"]  # fmt: skip
    places = [INDEX.index(text) for text in order]
    assert places == sorted(places)


def test_every_sentence_leads_to_its_verdicts():
    for one in STRICT:
        line = next(line for line in INDEX.splitlines() if sentences.chosen(one, EVIDENCE) in line)
        assert all(f"[{claim}](#{pages.anchor(claim)})" in line for claim in one["claims"])


def test_claims_without_an_answer_are_listed():
    open_part = INDEX.split("## What is still open")[1].split("\n## ")[0]
    for row in LEDGER.values():
        if row["rank"] == "headline" and not row["same_evidence_as"]:
            without = row["verdict"] in ("open", "waiting for its run")
            assert (f"[{row['id']}]" in open_part) == without, row["id"]


def test_every_chapter_has_its_line():
    assert set(ANSWERS["chapters"]) == set(papers())
    table = INDEX.split("## The chapters")[1]
    for chapter in pages.read_chapters():
        assert f"[{chapter.title}]({chapter.page}.ipynb)" in table


def test_how_to_cite_is_what_the_citation_file_says(tmp_path):
    (tmp_path / "CITATION.cff").write_text(
        "title: A book\nversion: 1.2.3\nlicense: MIT\ndate-released: 2030-01-02\n"
        "authors:\n- family-names: Noether\n  given-names: Emmy\n- name: Others\n"
    )
    said = landing_page.citation(tmp_path / "CITATION.cff")
    for part in ("{A book}", "{Noether, Emmy and {Others}}", "{2030}", "{1.2.3}"):
        assert part in said


def test_nothing_open_is_said_too():
    claim = SimpleNamespace(id="X", rank="headline", same_evidence_as="", statement="It is.")
    chapter = SimpleNamespace(claims=[claim])
    said = landing_page.still_open([chapter], {"X": {"verdict": "reproduced"}}, {"X": "X"})
    assert said == "None of the 1 headline claims."


def test_the_readme_opens_with_answer_figure_and_two_commands():
    order = ["# The information-bottleneck book", "<!-- answer -->", landing_page.QUESTION, "5. **",
             "book/_static/rulers.svg", "<!-- /answer -->", "make book", "make test",
             "<!-- verdicts -->"]  # fmt: skip
    places = [README.index(text) for text in order]
    assert places == sorted(places)
    assert README.index("make test") < 6000


# The figure ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def curves():
    return landing_figure.read_curves(RESULTS)


def test_the_curves_are_medians_of_the_stored_planes(curves):
    assert len({one.ruler for one in curves if one.activation == "tanh"}) >= 5
    plane = Study("estimators", results=RESULTS).stored("relu")
    ruler = landing_figure.RULERS["adaptive bins"]
    known = plane.i_xt.sel(layer=5, estimator=ruler).transpose("seed", "epoch").values
    mine = next(c for c in curves if (c.activation, c.ruler) == ("ReLU", "adaptive bins"))
    middle = np.median(known, axis=0)
    assert mine.bits == pytest.approx(middle)
    assert mine.lost == pytest.approx(middle.max() - middle[-1])


@pytest.mark.parametrize("narrow", [False, True])
def test_the_drawing_has_text_marks_and_the_colour_of_the_page(curves, narrow):
    svg = landing_figure.drawing(curves, narrow=narrow)
    written = re.findall(r"<text[^>]*>([^<]*)</text>|<tspan[^>]*>([^<]*)</tspan>", svg)
    said = " ".join(a or b for a, b in written)
    for one in curves:
        assert one.ruler in said
    assert landing_figure.INK not in svg
    assert "currentColor" in svg
    assert "Date" not in svg


def test_the_two_drawings_share_no_id(curves):
    wide, narrow = (
        set(re.findall(r'id="([^"]+)"', landing_figure.drawing(curves, narrow=one)))
        for one in (False, True)
    )
    assert wide
    assert not wide & narrow


def test_alternative_text_and_table_have_every_number(curves):
    said = landing_figure.description(curves)
    for one, row in zip(curves, landing_figure.rows(curves), strict=True):
        assert f"{sentences.short(one.lost)} with {one.ruler}" in said
        assert row[:2] == (one.activation, one.ruler)
        assert row[-1] == sentences.short(one.lost)


def test_the_caption_spans_what_is_lost():
    epochs = np.array([0, 1, 10])
    made = [
        landing_figure.Curve("tanh", "a", epochs, np.array([1.0, 5.0, 2.0])),
        landing_figure.Curve("tanh", "b", epochs, np.array([1.0, 2.0, 2.0])),
        landing_figure.Curve("ReLU", "a", epochs, np.array([0.0, 4.0, 3.5])),
    ]
    said = landing_figure.caption(made)
    assert "between 0 and 3 bits with tanh and between 0.5 and 0.5 bits with ReLU" in said


def test_without_stored_planes_there_is_no_figure(tmp_path):
    assert landing_figure.read_curves(tmp_path) == []
    assert landing_page.files([]) == {}


def test_generated_text_is_up_to_date():
    """Otherwise: make pages."""
    found = pages.generated(ROOT)
    for path in ("book/questions.md", "book/_static/rulers.svg", "book/_static/rulers.csv"):
        assert (ROOT / path).read_text(encoding="utf-8") == found[ROOT / path], path
