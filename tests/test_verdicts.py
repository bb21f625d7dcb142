"""Verdicts: who makes one, what it is bound to, how it is shown; on a paper of one page."""

import html
from dataclasses import fields, replace

import numpy as np
import pytest
import tiny_paper
import xarray as xr
from claim_planes import EPOCHS, make_plane

from ibcore import claims
from ibcore.claims import findings
from ibcore.claims.words import WORDS
from ibcore.differences import what_differs


@pytest.fixture(autouse=True, scope="module")
def tiny(tmp_path_factory):
    """A folder of one paper in the place of the book's."""
    folder = tiny_paper.write(tmp_path_factory.mktemp("papers"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IBCORE_PAPERS", str(folder))
        yield folder


def plane(*ends, n_seeds=12, **more):
    """Layers that rise from 5 to 8 bits while the task is learnt and end at their own value."""
    curves = [curve(end) for end in ends]
    ix = np.tile(np.stack(curves, axis=-1), (n_seeds, 1, 1))
    ix = ix + 0.01 * np.arange(n_seeds)[:, None, None]
    return make_plane(ix, n_seeds=n_seeds, **more)


def curve(end):
    return np.interp(np.log1p(EPOCHS), np.log1p([0, 5, 30, 10_000]), [5, 8, 8, end])


def verdict_of(*ends, **more):
    return claims.judge("TINY-2", {"small": plane(*ends, **more)})


# Who makes one


def test_a_word_cannot_be_typed():
    verdict = verdict_of(6, 6, 6)
    with pytest.raises(TypeError, match="decided, not written"):
        replace(verdict, verdict="opposite")
    with pytest.raises(AttributeError):
        verdict.verdict = "opposite"
    with pytest.raises(TypeError, match="decided, not written"):
        claims.Verdict(**{field.name: None for field in fields(verdict)})


def test_missing_planes_are_named():
    for claim_id in ("TINY-2", "TINY-3"):
        with pytest.raises(ValueError, match=f"{claim_id} needs the planes small; run"):
            claims.judge(claim_id, {})


def test_smoke_runs_get_no_verdict():
    for claim_id in ("TINY-2", "TINY-3"):
        found = claims.judge(claim_id, {"small": plane(6, 6, 6, profile="smoke")})
        assert isinstance(found, claims.NoVerdict)
        assert (found.id, str(found)) == (claim_id, "smoke profile: no verdict")


# Words of planes: rule 3 for the claim of the tiny paper


@pytest.mark.parametrize(
    ("word", "ends", "scope"),
    [
        ("reproduced", (6, 6.5, 7), "3 of 3"),
        ("direction only", (7.8, 7.8, 7.8), "3 of 3"),
        ("mixed", (6, 6.5, 8.5), "2 of 3"),
        ("none found", (8, 8, 8), "0 of 3"),
        ("opposite", (8.5, 8.5, 8.6), "0 of 3"),
    ],
)
def test_words_of_a_plane(word, ends, scope):
    found = verdict_of(*ends)
    assert (found.verdict, found.scope) == (word, scope)


def test_the_shared_evidence_is_said_to_be_shared():
    found = claims.judge("TINY-3", {"small": plane(6, 6, 6)})
    own = verdict_of(6, 6, 6)
    assert (found.verdict, found.effect, found.finding) == (own.verdict, own.effect, own.finding)
    assert (found.id, found.rank, found.same_evidence_as) == ("TINY-3", "supporting", "TINY-2")
    assert "Same evidence as TINY-2." in str(found)


def test_another_ruler_gives_another_verdict():
    falls, rests = plane(6, 6, 6), plane(8, 8, 8)
    names = ["i_xt", "i_ty"]
    both = xr.concat([falls[names], rests[names]], dim="estimator", data_vars="all")
    two = falls.drop_dims("estimator").assign(both).assign_coords(estimator=["first", "Exact()"])
    assert claims.judge("TINY-2", {"small": two}).verdict == "reproduced"
    assert claims.judge("TINY-2", {"small": two}, estimator="Exact()").verdict == "none found"
    with pytest.raises(ValueError, match="no ruler 'other'"):
        claims.judge("TINY-2", {"small": two}, estimator="other")


def test_networks_that_did_not_learn_are_counted_and_both_words_stand():
    """Seven of fourteen gain and have not learnt: with them it is open, without them not."""
    ends = np.where(np.arange(24) < 11, 9.0, 6.0)
    ix = np.stack([curve(end) for end in ends])
    accuracy = np.tile(np.interp(EPOCHS, [0, 10], [0.5, 1.0]), (24, 1))
    accuracy[:11] = 0.5
    found = claims.judge(
        "TINY-2", {"small": make_plane(np.tile(ix[..., None], 3), train_accuracy=accuracy)}
    )
    assert (found.n_not_learnt, found.verdict) == (11, "open")
    assert found.verdict_without_unlearnt == "reproduced"
    assert "11 networks had not learnt the task; without: reproduced." in str(found)


def test_a_plane_that_is_void_answers_nothing():
    accuracy = np.ones((12, len(EPOCHS)))
    accuracy[:7] = 0.5
    found = verdict_of(6, 6, 6, train_accuracy=accuracy)
    assert found.verdict == "not testable here"
    assert "void: 5 of 12 learnt" in str(found)


# Findings


def test_a_finding_has_the_numbers_of_the_run():
    found = verdict_of(6, 6.5, 7)
    assert found.finding == "Layers lose 1.5 [1.5, 1.5] bits, 3 of 3 of them (12 networks)."


def test_a_finding_is_void_where_the_word_is_another():
    decided = verdict_of(6, 6, 6).tests
    assert findings.sentence({"open": "x"}, "reproduced", decided) == ""


def test_where_no_sentence_was_written_the_meaning_and_the_numbers_stand():
    found = verdict_of(9, 9, 9)
    assert (found.verdict, found.finding) == ("opposite", "")
    assert WORDS[found.verdict][1:] in str(found)
    assert f"{found.effect:.3g} [" in found.said
    assert f"{found.scope} agree" in found.said
    assert html.escape(found.said) in found._repr_html_()


def test_every_number_that_a_finding_may_ask_for():
    asked = {
        "x": "{effect} {low} {high} {n} {k} {m} {not_learnt} {c[layer 1]} {i[output]} {p[layer 2]} "
        "{t[test 1]} {percent} {c[test 1: layer 2]}"
    }
    said = findings.sentence(asked, "x", verdict_of(6, 6.5, 7).tests, 3)
    assert said == "1.5 1.5 1.5 12 3 3 3 2 1 [1, 1] bits 150 % 1.5 150 % 1.5"


@pytest.mark.parametrize(
    "asked", ["{nothing}", "{c[layer 9]}", "{down[layer 9]}", "{0}", "{effect.x}"]
)
def test_a_number_that_is_not_there_is_named(asked):
    with pytest.raises(ValueError, match=r"the finding for 'open' asks .* there are effect"):
        findings.sentence({"open": asked}, "open", verdict_of(6, 6, 6).tests)


# How it is shown


def test_the_order_is_claim_criterion_word():
    text = str(verdict_of(6, 6.5, 8.5))
    assert text.startswith("TINY-2: All layers compress.\nWhat counts: C > 0 in every layer")
    assert "\nmixed (2 of 3): 2 of 3 layers lose information.\n" in text
    assert "setting A: the source's own setting; 12 seeds x 10 000 epochs; criterion of" in text


def test_the_box_has_a_mark_for_every_cell():
    html = verdict_of(6, 6.5, 8.5)._repr_html_()
    for said in (
        'class="cell cell-agrees"',
        'class="cell cell-opposite"',
        "● layer 1",
        "✕ output",
        "<details><summary>The tests in numbers</summary>",
        "◐ mixed (2 of 3)",
        "the claimed direction, but not in as many cells as claimed",
    ):
        assert said in html
    order = [html.index(one) for one in ("All layers compress.", "What counts", "mixed (2 of 3)")]
    assert order == sorted(order)


def test_colour_never_stands_alone():
    symbols = [symbol for symbol, _ in claims.BADGES.values()]
    assert set(claims.BADGES) == set(claims.WORDS)
    assert all(symbols)
    assert len({symbol for symbol, _ in claims.MARKS.values()}) == len(claims.MARKS)


def test_strength_stands_beside_open_and_none_found():
    assert verdict_of(6, 6, 6).detectable is None
    none = verdict_of(8, 8, 8)
    assert none.detectable >= 0
    assert "so many show an effect of" in str(none)


# Comparison


def test_what_differs_between_two_runs():
    one = claims.ledger_entry(verdict_of(6, 6.5, 7))
    other = claims.ledger_entry(verdict_of(8, 8, 8))
    assert what_differs(one, other) == "direction, size, scope; more than the seeds explain"
    assert what_differs(one, one | {"size": "open"}) == "size; within what the seeds explain"
    untested = claims.ledger_entry(claims.judge("TINY-4"))
    assert what_differs(one, untested) == "direction, size, scope"
