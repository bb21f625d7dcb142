"""The smallest effect that the next run will show, stated before it: book/results/power.json.

python book/_tools/power.py DATE

For each headline claim the primary test is asked of the networks that are stored today. Its
interval is two times 1.96 standard errors wide; an effect that lies 2.8 of them from the null value
is seen in four runs of five (power 80 %), with a 95 % interval. With the number of networks that
the experiments plan from now on the standard error shrinks with its root. Where an experiment has
never been run, papers/multiverse.toml may name a stored one of a like kind; a claim without any
says so.

The run itself uses other seeds; once it is there this file is a record and is not written again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
import xarray as xr
from execute import BOOK

from ibcore import claims
from ibcore.claims.checks import Size
from ibcore.claims.criteria import CheckSpec
from ibcore.claims.decide import decide
from ibcore.claims.judge import _one_ruler
from ibcore.config import Experiment
from ibcore.experiments import experiments
from ibcore.files import write_whole
from ibcore.papers import paper_module, papers, read_toml
from ibcore.results.parts import whatever_there_is
from ibcore.study import Study

FILE = BOOK / "results" / "power.json"
TO_SEE = 2.8  # standard errors: 1.96 for the interval, 0.84 for power 80 %
OLD_SEEDS = 0  # first seed of the networks that are stored


def narrowed(entry: Mapping[str, Any], there: set[str]) -> dict[str, Any] | None:
    """A test asked only of the planes that are there; None if there are none.

    >>> narrowed({"effect": "peak", "planes": {"a": "x", "b": "y"}}, {"x"})["planes"]
    {'a': 'x'}
    """
    found = dict(entry)
    if "function" in entry:
        return found if set(entry.get("experiments", ())) <= there else None
    if "pairs" in entry:
        found["pairs"] = {k: two for k, two in entry["pairs"].items() if set(two) <= there}
        return found if found["pairs"] else None
    planes = entry["planes"]
    named = planes if isinstance(planes, Mapping) else {name: name for name in planes}
    found["planes"] = {label: name for label, name in named.items() if name in there}
    if entry.get("primary", "") and len(found["planes"]) < len(named):
        found.pop("primary")
    return found if found["planes"] else None


def stand_in(name: str, instead: Mapping[str, Any]) -> str | None:
    """The stored experiment that stands in for another.

    A name that ends in * stands for all that begin so; of a list the one of its number is taken.

    >>> stand_in("scan_2", {"scan_*": ["x", "y"]}), stand_in("b", {"a": "x"})
    ('y', None)
    """
    if name in instead:
        return str(instead[name])
    for key, found in instead.items():
        if key.endswith("*") and name.startswith(key[:-1]):
            if isinstance(found, str):
                return found
            return str(found[(int(name.rpartition("_")[2]) - 1) % len(found)])
    return None


@cache
def earlier(paper: str, commit: str) -> dict[str, Experiment]:
    """The experiments of a paper as a commit has them."""
    command = ["git", "show", f"{commit}:book/papers/{paper}/experiments.toml"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=BOOK.parent)
    return experiments(tomllib.loads(done.stdout)) if done.returncode == 0 else {}


def stored_planes(
    claim: claims.Claim, own: Mapping[str, Any], commit: str
) -> tuple[dict[str, xr.Dataset], list[str]]:
    """Planes of the networks of today, under the names the test has for them; the stand-ins."""
    study = Study(claim.chapter, results=BOOK / "results", first_seed=OLD_SEEDS)
    found, others = {}, []
    for name in claim.tests[0].experiments:
        plane = whatever(study, study.experiments[name], name)
        before = earlier(claim.chapter, commit)
        if plane is None and name in before:  # the same experiment, with a setting put right since
            plane = whatever(study, before[name], name)
            others += [f"{name} as it was"] if plane is not None else []
        if plane is None and (other := stand_in(name, own.get("instead", {}))):
            plane = whatever(study, study.experiments.get(other) or before[other], name)
            others += [f"{name}: {other}"] if plane is not None else []
        if plane is not None:
            found[name] = plane
    return found, others


def whatever(study: Study, experiment: Experiment, name: str) -> xr.Dataset | None:
    """What is stored of an experiment, whether or not it has all rulers that are wanted now."""
    parts = study.store.parts(experiment)
    return whatever_there_is(parts, experiment, study.estimators(name)) if parts else None


def overridden(entry: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """A test with the rulers that stand in for those that are not stored."""
    found = dict(entry)
    if "ruler" in own:
        found["ruler"] = own["ruler"]
    if "with" in own:
        found["with"] = {**entry.get("with", {}), **own["with"]}
    return found


def power_of(claim: claims.Claim, own: Mapping[str, Any], commit: str) -> dict[str, Any]:
    """What a claim's primary test will show."""
    entry = overridden(claim.tests[0].entry, own)
    planes, others = stored_planes(claim, own, commit)
    planned = Study(claim.chapter).experiments
    expects = claim.tests[0].entry.get("expects", claim.expects)
    asked = {"expects": expects, "unit": "", "size": None, "margin": None}
    small = narrowed(entry, set(planes))
    if small is None:
        return asked | {"why": "no network of this kind is stored"}
    spec = CheckSpec(small, f"{claim.id}, power", claim.expects)
    used = {name: planes[name] for name in spec.experiments}
    seen = used if spec.names_rulers else {k: _one_ruler(p, None) for k, p in used.items()}
    try:
        check = spec.test(seen, paper_module(claim.chapter, "evidence"))
        decided = decide(check, f"{claim.id}/power")
    except (ValueError, KeyError, AttributeError) as error:
        print(f"{claim.id}: {error}", file=sys.stderr)
        return asked | {"why": "what it reads has not been measured before"}
    size = decided.size_line
    asked = {
        "expects": expects,
        "unit": decided.unit,
        "size": None if size is None else distance(size, decided.null),
        "margin": decided.margin,
    }
    if decided.m == 0 or decided.detectable is None:
        return asked | {"why": "no cell of today's planes can answer"}
    new = min(planned[name].n_seeds for name in claim.tests[0].experiments)
    settings = check.units == "settings"
    old, then = decided.n, decided.n if settings else new
    return asked | {
        "units": check.units,
        "stored": old,
        "planned": then,
        "detectable": float(f"{decided.detectable * np.sqrt(old / then):.3g}"),
        "from": [
            *(one for one in others if one.partition(":")[0].split(" ")[0] in used),
            *(f"{key} of a like kind" for key in ("ruler", "with") if key in own),
        ],
    }


def distance(size: Size, null: float) -> float:
    """How far the size that is asked for lies from the null value; of a range, its nearer end.

    >>> distance(Size(low=0.2, high=0.2), 0.5)
    0.3
    """
    return float(f"{min(abs(size.low - null), abs(size.high - null)):.6g}")


def asked() -> list[claims.Claim]:
    """Headline claims with a primary test that networks decide."""
    every = (claim for paper in papers() for claim in claims.load_registry(paper))
    return [
        one
        for one in every
        if one.rank == "headline"
        and not one.same_evidence_as
        and one.tests
        and one.tests[0].experiments
        and one.tests[0].entry.get("expects", one.expects) != "identity"
    ]


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__)
        return 2
    toml = read_toml(BOOK / "papers" / "multiverse.toml")["power"]
    rows = {}
    for claim in asked():
        rows[claim.id] = power_of(claim, toml.get(claim.id, {}), toml["commit"])
        print(claim.id, rows[claim.id], flush=True)
    content = {"date": arguments[0], "claims": rows}
    write_whole(FILE, (json.dumps(content, indent=1, ensure_ascii=False) + "\n").encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
