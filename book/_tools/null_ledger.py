"""How often a row would say "agrees" if nothing were there: book/results/null.json.

python book/_tools/null_ledger.py

The stored planes of a claim are made exchangeable: every value of information and of each
observable is drawn anew from all values of its kind, over planes, networks, checkpoints, layers and
rulers. Losses and accuracies stay. Then the claim is judged, again and again. A row that asks for
an effect beyond 0 must agree in no more than one draw of forty, the level of a 95 % interval on one
side; a row that asks for a level (how large, how often) is not asked by this and is left out.
"""

from __future__ import annotations

import json
import sys
from collections import Counter

import numpy as np
import xarray as xr
from execute import BOOK

from ibcore import claims
from ibcore.claims import intervals
from ibcore.claims.decide import decide
from ibcore.claims.judge import checks_of
from ibcore.files import write_whole
from ibcore.papers import papers
from ibcore.study import Study

DRAWS = 40
RESAMPLES = 400
STAY = ("loss", "test_loss", "train_accuracy", "test_accuracy", "generalisation_error")
FILE = BOOK / "results" / "null.json"


def asked(claim: claims.Claim) -> bool:
    """Whether it asks for an effect beyond 0 in runs that are stored."""
    if not claim.tests or claim.waits or claim.expects != "effect":
        return False
    first = claim.tests[0]
    about = first.entry.get("effect", "") not in ("test accuracy", "overfitting")
    unit = first.entry.get("unit", "")
    level = first.entry.get("null", 0.0) != 0.0 or unit.startswith("share")
    level |= first.entry.get("statistic") == "share"
    return bool(first.experiments) and about and not level


def exchanged(planes: dict[str, xr.Dataset], rng: np.random.Generator) -> dict[str, xr.Dataset]:
    """The planes with information and observables drawn from all values of their kind."""
    pool: dict[str, list[np.ndarray]] = {}
    for plane in planes.values():
        for name, values in plane.data_vars.items():
            if name not in STAY:
                flat = values.values.ravel()
                pool.setdefault(str(name), []).append(flat[np.isfinite(flat)])
    every = {name: np.concatenate(many) for name, many in pool.items()}
    found = {}
    for key, plane in planes.items():
        new = {}
        for name, values in plane.data_vars.items():
            if name in STAY:
                continue
            drawn = rng.choice(every[str(name)], size=values.shape)
            there = np.isfinite(values.values)
            new[name] = (values.dims, np.where(there, drawn, np.nan))
        found[key] = plane.assign(new)
    return found


def directions(claim: claims.Claim, planes: dict[str, xr.Dataset]) -> Counter[str]:
    """Of the primary test, over all draws."""
    rng = np.random.default_rng(0)
    found: Counter[str] = Counter()
    for draw in range(DRAWS):
        first = checks_of(claim, exchanged(planes, rng), None)[0]
        found[decide(first, f"{claim.id}/{draw}").direction] += 1
    return found


def main() -> int:
    intervals.RESAMPLES = RESAMPLES
    rows: dict[str, dict[str, int]] = {}
    for paper in papers():
        study = Study(paper, results=BOOK / "results")
        for claim in study.claims:
            if not asked(claim):
                continue
            planes = {name: study.stored(name) for name in claim.experiments}
            rows[claim.id] = dict(directions(claim, planes))
            print(claim.id, rows[claim.id], flush=True)
            content = {"draws": DRAWS, "rows": rows}
            write_whole(FILE, (json.dumps(content, indent=1) + "\n").encode())
    agrees = sum(row.get("agrees", 0) for row in rows.values())
    print(f"{agrees} of {DRAWS * len(rows)} say agrees")
    return 0


if __name__ == "__main__":
    sys.exit(main())
