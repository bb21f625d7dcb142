"""The word of a claim: one table, from what is expected, direction, size, scope and setting."""

from collections.abc import Sequence

from ibcore.claims.decide import CheckVerdict

WORDS = {
    "reproduced": "seen as claimed: direction, size and scope",
    "direction only": "the claimed direction, but smaller than claimed, or its size is open",
    "mixed": "the claimed direction, but not in as many cells as claimed",
    "open": "the interval covers the line: so many networks do not tell",
    "none found": "whatever there is lies inside the margin of what counts as nothing",
    "opposite": "the opposite of the claim is seen",
    "seen": "seen on a stand-in for the source's data, estimator or scale",
    "not seen on a stand-in": "not seen on a stand-in, which does not speak against the source",
    "holds": "an identity or a theorem: every case tried",
    "fails": "an identity or a theorem: a counterexample",
    "not testable here": "true by construction, or undecidable in this setting",
    "waiting for its run": "the criterion is fixed, the run is not made yet",
    "not judged": "no run at full scale has been stored yet",
}
"""Word -> its meaning. "mixed" and "seen" are shown with the cells that agree: mixed (4 of 6)."""

SETTINGS = {
    "A": "the source's own setting",
    "B": "what the source leaves open is scanned",
    "C": "a stand-in for the source's data, estimator or scale",
}
RANKS = ("headline", "supporting", "control", "check")

_ON_A_STAND_IN = {
    "reproduced": "seen",
    "direction only": "seen",
    "none found": "not seen on a stand-in",
    "opposite": "not seen on a stand-in",
}


def word_of(tests: Sequence[CheckVerdict], setting: str) -> str:
    """The word of a claim whose tests are decided, the primary one first.

    Secondary tests that count can make it "mixed"; they never give it. Cells that have to hold all
    count together, however they are grouped into tests.
    """
    primary = tests[0]
    if primary.m == 0:
        return "not testable here"
    counting = [test for test in tests if test.counts and test.m]
    every = [test for test in counting if test.quantifier == "all"]
    met = all(test.met for test in counting if test.quantifier != "all")
    if every:
        enough = 2 * sum(test.k for test in every) > sum(test.m for test in every)
        met = met and enough and not any(test.refuted for test in every)
    if primary.expects == "identity":
        return "holds" if met else "fails"
    if primary.direction == "agrees":
        if not met:
            word = "mixed"
        elif primary.size in ("smaller", "open"):
            word = "direction only"
        else:
            word = "reproduced"
    else:
        word = primary.direction
    return _ON_A_STAND_IN.get(word, word) if setting == "C" else word


def scope(tests: Sequence[CheckVerdict]) -> tuple[int, int]:
    """Cells that agree, and cells that can answer, of all tests that count."""
    counting = [test for test in tests if test.counts]
    return sum(test.k for test in counting), sum(test.m for test in counting)


def shown(word: str, k: int, m: int) -> str:
    """A word as it is shown.

    >>> shown("mixed", 4, 6), shown("open", 0, 3)
    ('mixed (4 of 6)', 'open')
    """
    return f"{word} ({k} of {m})" if word == "mixed" else word
