"""A criterion must be able to fail: planes on which each claim agrees, does not, and stays open.

The planes are made up (``made_up``): they differ between layers, rulers, clocks and networks. Which
of them to take stands in ways.json; ``python tests/find_ways.py PAPER`` finds them for a new claim.
"""

import json
import warnings

import find_ways
import made_up
import pytest

from ibcore.claims import intervals
from ibcore.papers import papers

KNOWN = json.loads(find_ways.FILE.read_text())
CLAIMS = {claim.id: claim for paper in papers() for claim in find_ways.can_fail(paper)}

# What a claim cannot be, and why.
CANNOT = {
    "CTL-9b": {"agrees": "all parts of a layer change in one proportion; see test_reads_controls"},
}


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    """The same as those with which the ways were found."""
    monkeypatch.setattr(intervals, "RESAMPLES", find_ways.RESAMPLES)


@pytest.mark.parametrize("claim_id", CLAIMS)
def test_a_criterion_can_agree_fail_and_stay_open(claim_id):
    claim = CLAIMS[claim_id]
    lacking = set(find_ways.WANTED) - set(KNOWN.get(claim_id, {})) - set(CANNOT.get(claim_id, {}))
    assert not lacking, f"python tests/find_ways.py {claim.chapter}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # correlations of curves without variation
        for outcome, fields in KNOWN[claim_id].items():
            found = find_ways.direction_of(claim, made_up.Way(**fields))
            assert found in find_ways.WANTED[outcome], f"{outcome}: {fields}"


def test_no_claim_is_known_that_is_gone():
    assert set(KNOWN) <= set(CLAIMS)
