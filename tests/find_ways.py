"""Find, for every claim, made-up planes on which it agrees, does not, and stays open: ways.json.

python tests/find_ways.py [PAPER ...]       # what is lacking; remove an entry to look again

After a change of a claim: tests/test_criteria_can_fail.py says which are lacking.
"""

import json
import sys
import warnings
from dataclasses import asdict
from pathlib import Path

import made_up

from ibcore import claims
from ibcore.claims import intervals
from ibcore.claims.decide import decide
from ibcore.claims.judge import checks_of
from ibcore.papers import papers

FILE = Path(__file__).with_name("ways.json")
WANTED = {"agrees": ("agrees",), "against": ("opposite", "none found"), "open": ("open",)}
RESAMPLES = 200


def can_fail(paper):
    """Claims that a plane could speak against: tested, and of runs."""
    return [
        claim
        for claim in claims.load_registry(paper)
        if claim.experiments and claim.expects != "identity"
    ]


def direction_of(claim, way):
    """Of the primary test on planes made that way."""
    planes = made_up.planes_for(claim, way)
    first = claim.tests[0].experiments
    test = checks_of(claim, planes, None)[0] if first else None
    return decide(test, claim.id).direction


def search(claim, n):
    """Outcome -> way, as far as found."""
    found = {}
    for way in made_up.ways(n):
        try:
            direction = direction_of(claim, way)
        except (ValueError, ZeroDivisionError):
            continue  # a curve that this quantity does not have
        for outcome, directions in WANTED.items():
            if direction in directions:
                found.setdefault(outcome, asdict(way))
        if len(found) == len(WANTED):
            break
    return found


def main():
    warnings.simplefilter("ignore")
    intervals.RESAMPLES = RESAMPLES
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    for paper in sys.argv[1:] or papers():
        for claim in can_fail(paper):
            if set(known.get(claim.id, {})) != set(WANTED):
                known[claim.id] = search(claim, 120)
            lacking = sorted(set(WANTED) - set(known[claim.id]))
            print(claim.id, f"lacks {', '.join(lacking)}" if lacking else "found", flush=True)
            FILE.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
