"""Do today's versions of the packages still give the book's numbers? book/results/drift.json.

python book/_tools/drift.py                    a sample of half an hour of computing
python book/_tools/drift.py --seconds 60       a smaller one
python book/_tools/drift.py --claim SAXE-F1A   these claims

Headline claims whose networks train quickly are followed. The first networks of each of their
planes are trained and measured again and compared with the stored ones as `make certify` compares:
the same bits, or, where rounding has parted them, final values that fall among the stored ones.
Then the claim's effect on these networks stands beside its effect on the stored networks of the
same seeds. One entry is added for each run. Exit code 1: a plane has drifted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import xarray as xr
from execute import BOOK

import ibcore as ib
from ibcore import claims
from ibcore.files import write_whole
from ibcore.papers import papers
from ibcore.results import provenance
from ibcore.results.certify import LEAST_P, SAME_BITS, difference, permutation_p
from ibcore.results.places import costs

FILE = BOOK / "results" / "drift.json"
NETWORKS = 10  # of each plane: as few as a verdict needs
SECONDS = 1800.0
KEPT = 60  # entries


def followed(seconds: float, only: Iterable[str] = ()) -> Iterator[tuple[ib.Study, claims.Claim]]:
    """Headline claims, the cheapest first, until their networks fill the time."""
    known, found = costs([BOOK / "results"]), []
    for paper in papers():
        study = ib.Study(paper, results=BOOK / "results")
        for claim in study.claims:
            if claim.rank == "headline" and claim.tests and claim.experiments and not claim.waits:
                found.append((_seconds(study, claim, known), study, claim))
    spent = 0.0
    for cost, study, claim in sorted(found, key=lambda one: (one[0], one[2].id)):
        spent += cost
        if claim.id in only if only else spent <= seconds:
            yield study, claim


def _seconds(study: ib.Study, claim: claims.Claim, known: dict[str, Any]) -> float:
    every = [study.experiments[name] for name in claim.experiments]
    return sum(
        NETWORKS * known[e.digest()].seconds / e.n_seeds if e.digest() in known else 1e9
        for e in every
    )


def again(study: ib.Study, name: str) -> tuple[xr.Dataset, xr.Dataset]:
    """The first networks of a stored plane, and the same trained and measured today."""
    stored = study.stored(name)
    if stored is None:
        raise ValueError(f"{study.chapter} {name} is not stored.")
    e = study.experiments[name]
    few = e.replace(n_seeds=min(NETWORKS, e.n_seeds))
    today = ib.run(few, study.estimators(name), study.observables(name))
    return stored, today


def compared(stored: xr.Dataset, today: xr.Dataset) -> dict[str, float]:
    """Largest difference in bits; where it is more than rounding, p of the final values, too."""
    bits = difference(stored, today)
    return {"bits": bits} | ({} if bits <= SAME_BITS else {"p": permutation_p(stored, today)})


def effects(claim: claims.Claim, planes: dict[str, Any]) -> dict[str, Any]:
    """The claim's effect on today's networks and on the stored ones of the same seeds."""
    now = claims.judge(claim, {name: today for name, (_, today) in planes.items()})
    then = claims.judge(
        claim,
        {name: stored.sel(seed=today.seed.values) for name, (stored, today) in planes.items()},
    )
    entries = [claims.ledger_entry(one) for one in (then, now)]
    return {
        "published": entries[0]["effect"], "effect": entries[1]["effect"],
        "unit": entries[1]["unit"], "word": entries[1]["verdict"], "networks": now.n_seeds,
    }  # fmt: skip


def entry(chosen: Iterable[tuple[ib.Study, claims.Claim]]) -> dict[str, Any]:
    """What one run of this script adds to the file."""
    planes: dict[tuple[str, str], Any] = {}
    gaps, found = {}, {}
    for study, claim in chosen:
        for name in claim.experiments:
            if (key := (study.chapter, name)) not in planes:
                planes[key] = again(study, name)
                gaps[" ".join(key)] = compared(*planes[key])
        given = {name: planes[study.chapter, name] for name in claim.experiments}
        found[claim.id] = effects(claim, given)
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "versions": provenance.versions(),
        "planes": gaps,
        "claims": found,
    }


def drifted(one: dict[str, Any]) -> list[str]:
    """Planes of an entry whose final values do not fall among the stored ones."""
    return [name for name, gap in one["planes"].items() if gap.get("p", 1.0) <= LEAST_P]


def read(path: Path = FILE) -> list[dict[str, Any]]:
    """The entries of a file, oldest first; none where there is no file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else []


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of computing, one thread")
    parser.add_argument("--claim", action="append", default=[], help="only this one; repeatable")
    options = parser.parse_args(arguments)
    new = entry(followed(options.seconds, options.claim))
    if not new["claims"]:
        print("no claim fits into this time; give more --seconds.", file=sys.stderr)
        return 2
    kept = [*read(), new][-KEPT:]
    write_whole(FILE, (json.dumps(kept, indent=1) + "\n").encode())
    for name, gap in new["planes"].items():
        print(f"{name}: " + ", ".join(f"{key} {value:.2g}" for key, value in gap.items()))
    for name in drifted(new):
        print(f"drifted: {name}", file=sys.stderr)
    return int(bool(drifted(new)))


if __name__ == "__main__":
    sys.exit(main())
