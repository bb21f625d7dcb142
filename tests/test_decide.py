"""The rules of VERDICTS: marks, direction, size, scope, quantifier and the word, each by a case."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ibcore.claims import cell, correlation, decide, fact, share, word_of
from ibcore.claims.checks import Check, Size
from ibcore.claims.decide import MARKS
from ibcore.claims.words import WORDS, scope, shown


def spread(centre, width=0.4, n=50):
    """Values whose median is ``centre``, evenly over ``width``."""
    return np.linspace(centre - width / 2, centre + width / 2, n)


def asked(*cells, **more):
    """A test of named cells, or of numbers."""
    made = [
        cell(f"cell {k}", spread(one)) if isinstance(one, int | float) else one
        for k, one in enumerate(cells, start=1)
    ]
    return Check(name="test", what="C", unit="bits", cells=tuple(made), **more)


def decided(*cells, **more):
    return decide(asked(*cells, **more), "x")


def marks(found):
    return [one.mark for one in found.cells]


# Marks


@pytest.mark.parametrize(
    ("mark", "centre", "width"),
    [
        ("agrees", 1.0, 0.4),
        ("opposite", -1.0, 0.4),
        ("open", 0.05, 1.0),
        ("open", -0.05, 1.0),  # an interval that covers the line is open from either side
        ("none", 0.02, 0.1),  # clearly above 0, and clearly too little to matter
    ],
)
def test_marks_of_an_effect(mark, centre, width):
    found = decided(cell("c", spread(centre, width)), margin=0.1)
    assert marks(found) == [mark]


@pytest.mark.parametrize(
    ("mark", "centre", "width"),
    [("agrees", 0.0, 0.2), ("opposite", 1.0, 0.2), ("opposite", -1.0, 0.2), ("open", 0.2, 0.4)],
)
def test_marks_of_an_absence(mark, centre, width):
    """Inside the margin on both sides, beyond it, or covering its end."""
    found = decided(cell("c", spread(centre, width)), expects="absence", margin=0.25)
    assert marks(found) == [mark]


def test_the_other_side():
    assert marks(decided(-1.0, side="<")) == ["agrees"]
    assert marks(decided(1.0, side="<")) == ["opposite"]


def test_a_signed_quantity_decides_the_direction():
    """C = max - final is never negative: D says which way the layer went."""
    c, d = spread(0.9, 0.1), spread(0.3, 0.1)
    assert marks(decided(cell("c", c))) == ["agrees"]
    against = decided(cell("c", c, signed=-d))
    assert marks(against) == ["opposite"]
    assert against.effect == pytest.approx(0.9)
    assert against.signed[0] == pytest.approx(-0.3)
    assert marks(decided(cell("c", c, signed=d))) == ["agrees"]


def test_fewer_than_ten_networks_are_open():
    few = cell("c", spread(1.0, n=9))
    assert marks(decided(few)) == ["open"]
    assert "only 9 answered" in decided(few).cells[0].note
    assert marks(decided(cell("c", spread(1.0, n=10)))) == ["agrees"]
    silent = np.where(np.arange(50) < 9, 1.0, np.nan)
    assert marks(decided(cell("c", silent))) == ["open"]


def test_hollow_cells_leave_k_of_m():
    found = decided(1.0, cell("full", spread(0.0), hollow="at its ceiling"), 1.0)
    assert (found.k, found.m) == (2, 2)
    assert marks(found) == ["agrees", "hollow", "agrees"]
    nothing = decided(cell("full", spread(1.0), hollow="at its ceiling"))
    assert word_of([nothing], "A") == "not testable here"
    assert decided(cell("silent", [np.nan] * 20)).cells[0].note == "no network answered"


# Size


@pytest.mark.parametrize(("size", "centre"), [("as claimed", 1.0), ("smaller", 0.3), ("open", 0.5)])
def test_size_against_a_smallest_effect_of_interest(size, centre):
    assert decided(centre, size=Size(low=0.5, high=0.5)).size == size


@pytest.mark.parametrize(
    ("size", "centre"),
    [("as claimed", 2.0), ("smaller", 1.0), ("larger", 3.0), ("open", 2.3)],
)
def test_size_against_a_number_of_the_source(size, centre):
    line = Size(low=1.7, high=2.3, source="Fig. 5")
    assert decided(cell("c", spread(centre, 0.4)), size=line).size == size


def test_size_of_a_fall():
    """On the other side "smaller" is nearer to the null value."""
    found = decided(-0.3, side="<", size=Size(low=-0.5, high=-0.5))
    assert (found.direction, found.size) == ("agrees", "smaller")
    assert decided(-1.0, side="<", size=Size(low=-0.5, high=-0.5)).size == "as claimed"


# Quantifiers


@pytest.mark.parametrize(
    ("quantifier", "centres", "met"),
    [
        ("some", (1.0, -1.0, -1.0), True),
        ("some", (-1.0, -1.0), False),
        ("typical", (1.0, 1.0, -1.0), True),
        ("typical", (1.0, -1.0, -1.0), False),
        ("all", (1.0, 1.0, 1.0), True),
        ("all", (1.0, 1.0, -1.0), False),
    ],
)
def test_quantifiers(quantifier, centres, met):
    assert decided(*centres, quantifier=quantifier).met is met


def test_one_clear_cell_refutes_all_and_an_open_one_does_not():
    open_cell = cell("wide", spread(0.02, 3.0))
    assert decided(1.0, 1.0, open_cell, quantifier="all").met
    nothing = cell("nothing", spread(0.0, 0.02))
    assert not decided(1.0, 1.0, nothing, quantifier="all", margin=0.1).met


def test_looking_for_the_best_of_many_is_corrected():
    """Twelve cells without an effect: the best of them often looks like one."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(12):
        noise = [cell(f"cell {k}", rng.normal(size=30)) for k in range(12)]
        one = decide(asked(*noise, quantifier="typical"), "x")
        best = decide(asked(*noise, quantifier="some"), "x")
        found.append(("agrees" in marks(one), best.met, best.direction == "agrees"))
    looked, met, said = np.sum(found, axis=0)
    assert looked >= 3
    assert met <= 1
    assert said <= 1
    real = cell("real", rng.normal(1.0, size=30))
    assert decide(asked(*noise, real, quantifier="some"), "x").primary == "real"


def test_holm_by_hand():
    """p = 0.01, 0.04, 0.03 of three cells become 0.03, 0.06, 0.06."""
    from ibcore.claims.decide import _best_of_many

    cells = decided(1.0, 1.0, 1.0).cells
    given = [replace(one, p=p) for one, p in zip(cells, [0.01, 0.04, 0.03], strict=True)]
    assert [one.p for one in _best_of_many(tuple(given))] == pytest.approx([0.03, 0.06, 0.06])


# The primary test


def test_a_named_cell_stands_for_the_test():
    found = decided(1.0, 2.0, 3.0, primary="cell 2")
    assert (found.primary, found.effect) == ("cell 2", pytest.approx(2.0))
    with pytest.raises(ValueError, match="no cell is called 'cell 9'"):
        asked(1.0, primary="cell 9")


def test_else_the_middle_cell_does_and_networks_stay_together():
    """Cells that are copies with other means: their median has the width of one of them."""
    rng = np.random.default_rng(0)
    values = rng.normal(size=40)
    three = decide(asked(*[cell(f"c{k}", values + k) for k in (1, 2, 3)]), "x")
    assert three.effect == pytest.approx(np.median(values) + 2)
    one = decide(asked(cell("c2", values + 2)), "x")
    assert three.high - three.low == pytest.approx(one.high - one.low, rel=0.05)


def test_what_could_have_been_seen():
    found = decided(0.0)
    assert found.detectable == pytest.approx(2.8 / 3.92 * (found.high - found.low))


# Shares, correlations, facts


def test_a_share_and_a_correlation():
    held = share("s", np.arange(50) < 45)
    assert marks(decided(held, null=0.5)) == ["agrees"]
    assert marks(decided(correlation("r", 0.0025, 13), expects="absence", margin=0.5)) == ["open"]


def test_facts_hold_or_fail():
    held = asked(fact("one", True), fact("two", True), expects="identity")
    assert word_of([decide(held, "x")], "A") == "holds"
    broken = asked(fact("one", True), fact("two", False), expects="identity")
    found = decide(broken, "x")
    assert word_of([found], "A") == "fails"
    assert (found.effect, found.k, found.m) == (0.5, 1, 2)


# The table of words: every line of it


BIG, SMALL, NONE, WIDE, OPPOSITE = (
    cell("c", spread(*given)) for given in ((1, 0.2), (0.3, 0.1), (0, 0.02), (0.02, 3), (-1, 0.2))
)
AGAINST = cell("against", spread(-1.0, 0.2))


@pytest.mark.parametrize(
    ("word", "setting", "cells", "more"),
    [
        ("reproduced", "A", [BIG], {}),
        ("reproduced", "B", [BIG], {}),
        ("direction only", "A", [SMALL], {}),
        ("mixed", "A", [BIG, replace(BIG, label="again"), AGAINST], {"quantifier": "all"}),
        ("open", "A", [WIDE], {}),
        ("none found", "A", [NONE], {}),
        ("opposite", "A", [OPPOSITE], {}),
        ("reproduced", "A", [NONE], {"expects": "absence"}),
        ("opposite", "A", [BIG], {"expects": "absence"}),
        ("open", "A", [WIDE], {"expects": "absence"}),
        (
            "mixed", "A", [NONE, replace(NONE, label="again"), AGAINST],
            {"expects": "absence", "quantifier": "all"},
        ),
        ("seen", "C", [BIG], {}),
        ("seen", "C", [SMALL], {}),
        ("open", "C", [WIDE], {}),
        ("not seen on a stand-in", "C", [NONE], {}),
        ("not seen on a stand-in", "C", [OPPOSITE], {}),
        ("not seen on a stand-in", "C", [BIG], {"expects": "absence"}),
        ("mixed", "C", [BIG, replace(BIG, label="again"), AGAINST], {"quantifier": "all"}),
    ],
)  # fmt: skip
def test_the_word_follows_from_the_table(word, setting, cells, more):
    given = {"margin": 0.1, "size": Size(low=0.5, high=0.5)} | more
    assert word_of([decided(*cells, **given)], setting) == word


@given(
    st.lists(st.sampled_from([1.0, 0.3, 0.0, -1.0]), min_size=1, max_size=5),
    st.sampled_from(["some", "typical", "all"]),
    st.sampled_from(["effect", "absence"]),
)
def test_on_a_stand_in_nothing_is_red(centres, quantifier, expects):
    found = decided(*centres, quantifier=quantifier, expects=expects, margin=0.1)
    word = word_of([found], "C")
    assert word in WORDS
    assert word not in ("none found", "opposite", "fails")


def test_secondary_tests_make_mixed_and_never_give_the_word():
    good, bad = decided(1.0), decided(-1.0)
    assert word_of([good, good], "A") == "reproduced"
    assert word_of([good, bad], "A") == "mixed"
    assert word_of([bad, good, good, good], "A") == "opposite"
    assert word_of([good, replace(bad, counts=False)], "A") == "reproduced"
    assert scope([good, bad, replace(bad, counts=False)]) == (1, 2)
    assert shown("mixed", 1, 2) == "mixed (1 of 2)"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"side": ">="}, "'>=' must be one of >, <"),
        ({"quantifier": "most"}, "must be one of some, typical, all"),
        ({"expects": "absence"}, "an absence needs a margin"),
    ],
)
def test_a_test_that_is_none_is_refused(more, message):
    with pytest.raises(ValueError, match=message):
        asked(1.0, **more)


def test_cells_of_one_label_are_refused():
    with pytest.raises(ValueError, match="different labels"):
        asked(cell("a", spread(1.0)), cell("a", spread(2.0)))


def test_every_mark_occurs_in_these_tests():
    hollow = cell("full", spread(0.0), hollow="at its ceiling")
    found = decided(1.0, -1.0, cell("n", spread(0.0, 0.02)), WIDE, hollow, margin=0.1)
    assert sorted(marks(found)) == sorted(MARKS)
