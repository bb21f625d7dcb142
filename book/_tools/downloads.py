"""What a reader takes home: every claim as a record, in CSV and JSON, and what is checked.

A record has the claim, its verdict, its criterion and the runs behind it. The ledger page is drawn
from the same records. ``codecheck.yml`` has the form of the CODECHECK project's configuration file,
version 1.0; it says that we checked ourselves and that no certificate was given.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import xarray as xr
import yaml
from lab_data import addresses
from mdtext import anchor

import ibcore as ib
from ibcore.claims import origin, planes_of, questions
from ibcore.claims import shown as word_with_scope
from ibcore.files import unsealed
from ibcore.papers import papers
from ibcore.plane.files import read_pack

Runs = Mapping[tuple[str, str], origin.Run]
"""(chapter, experiment) -> its stored run."""
Record = dict[str, Any]

SPEC = "https://codecheck.org.uk/spec/config/1.0/"
COMMANDS = ("make setup", "make results RESULTS=mine", "make book", "make test")
SAYS = {
    "agrees": "as claimed",
    "open": "open",
    "none found": "nothing to speak of",
    "opposite": "the opposite",
    "": "not decided",
}
"""Direction of a verdict -> how the pages say it."""


# What is stored ---------------------------------------------------------------------------------


@cache
def stored_runs(book: Path) -> dict[tuple[str, str], origin.Run]:
    """The published runs of all chapters, as the attributes of their planes have them."""
    packs = read_packs(book / "results" / "planes")
    found = {}
    for chapter in papers():
        study = ib.Study(chapter)
        pack_of = {name: pack for pack, names in study.packs().items() for name in names}
        for name, experiment in study.experiments.items():
            if not (held := packs.get(experiment.digest())):
                continue
            # Experiments are shared; each pack has the rulers that its own name asks for.
            own = [one for one in held if Path(one.file).stem == pack_of[name]]
            run = (own or held)[0]
            main = [one for one in map(repr, study.estimators(name)) if one in run.rulers]
            found[chapter, name] = replace(
                run, name=name, rulers=tuple(dict.fromkeys([*main, *run.rulers]))
            )
    return found


def read_packs(folder: Path) -> dict[str, list[origin.Run]]:
    """Digest -> runs of the planes that are published under it. Numbers are not looked at."""
    found: dict[str, list[origin.Run]] = {}
    for path in sorted(folder.glob("*.zip")):
        for digest, content in read_pack(path).items():
            inside = io.BytesIO(unsealed(content))
            with xr.open_dataset(inside, engine="scipy", decode_times=False) as file:
                run = origin.run_of(
                    digest, file.attrs, file["seed"].values, file["estimator"].values.astype(str)
                )
            run = replace(run, file=f"book/results/planes/{path.name}")
            found.setdefault(digest, []).append(run)
    return found


# Records ----------------------------------------------------------------------------------------


def records(
    chapters: Sequence[Any], ledger: Mapping[str, Mapping[str, Any]], runs: Runs | None = None
) -> list[Record]:
    """One record for each claim, in the order of the book."""
    asked, seen = questions(), addresses()
    return [
        _record(claim, chapter, ledger.get(claim.id), runs or {}, asked)
        | {"laboratory": seen.get(claim.id, "")}
        for chapter in chapters
        for claim in chapter.claims
    ]


def _record(
    claim: Any,
    chapter: Any,
    row: Mapping[str, Any] | None,
    runs: Runs,
    asked: Mapping[int, str],
) -> Record:
    row = row or {}
    word = row.get("verdict", "not judged")
    k, _, m = row.get("scope", "").partition(" of ")
    names = planes_of(claim)
    held = [runs[chapter.key, name] for name in names if (chapter.key, name) in runs]
    found = origin.origin_of_runs(claim, held)
    return {
        "id": claim.id,
        "chapter": chapter.key,
        "chapter_title": chapter.title,
        "page": f"book/{chapter.page}.html#{anchor(claim.id)}"
        if f"({anchor(claim.id)})=" in chapter.text
        else "",
        "figure": f"book/{chapter.page}.html#{name}"
        if (name := figure_near(chapter.text, anchor(claim.id)))
        else "",
        "question": claim.question,
        "asks": asked.get(claim.question, ""),
        "source_says": claim.says,
        "rank": claim.rank,
        "setting": claim.setting,
        "title": claim.title,
        "statement": claim.statement,
        "source": claim.source,
        "link": claim.link,
        "verdict": word,
        "shown": word_with_scope(word, int(k or 0), int(m or 0)),
        **{key: row.get(key) for key in _OF_THE_LEDGER},
        "criterion": claim.criterion,
        "criterion_date": row.get("criterion_date", claim.date),
        "criterion_hash": row.get("criterion_hash", ""),
        "exploratory": row.get("exploratory", False),
        "same_evidence_as": claim.same_evidence_as or "",
        "note": claim.note,
        "experiments": list(names),
        "activations": sorted({run.settings["activation"] for run in held}),
        "rulers": list(found.rulers),
        "runs": [f"{name}: {said}" for name, said in origin.described(held)],
        "seconds": round(sum(run.seconds for run in held), 1),
        "files": sorted({run.file for run in held}),
        "command": found.command,
    }


_OF_THE_LEDGER = (
    "finding", "direction", "size", "scope", "quantifier", "effect", "low", "high", "unit",
    "n_seeds", "n_not_learnt", "scale", "source_value", "detectable",
)  # fmt: skip


def figure_near(text: str, target: str) -> str:
    """The figure of a chapter that belongs to a verdict: the last before it, or the first after.

    >>> page = "## A\\nname: fig-a\\n(one)=\\n### V\\n## B\\n(two)=\\n### W\\nname: fig-b\\n## C\\n"
    >>> figure_near(page, "one"), figure_near(page, "two"), figure_near(page, "three")
    ('fig-a', 'fig-b', '')
    """
    place = text.find(f"({target})=")
    if place < 0:
        return ""
    start = max(text.rfind("\n## ", 0, place), 0)
    end = text.find("\n## ", place)
    before = FIGURE.findall(text, start, place)
    after = FIGURE.findall(text, place, end if end >= 0 else len(text))
    return before[-1] if before else after[0] if after else ""


FIGURE = re.compile(r"^ *name: (fig-[\w-]+)", flags=re.MULTILINE)


def ruler_kinds(rulers: Sequence[str]) -> list[str]:
    """Classes of rulers; one that only chooses inputs counts as the ruler inside it.

    >>> ruler_kinds(["OnTrainingRows(estimator=KernelBound(noise_variance=0.1))", "Exact()"])
    ['Exact', 'KernelBound']
    """
    return sorted({re.findall(r"([A-Z]\w*)\(", one)[-1] for one in rulers})


# Files ------------------------------------------------------------------------------------------


def as_csv(found: Sequence[Record]) -> str:
    """One line for each claim; lists are joined by a semicolon and a space."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(found[0]) if found else [], lineterminator="\n")
    writer.writeheader()
    for record in found:
        writer.writerow({key: _flat(value) for key, value in record.items()})
    return text.getvalue()


def _flat(value: Any) -> Any:
    return "; ".join(map(str, value)) if isinstance(value, list) else value


def as_json(found: Sequence[Record]) -> str:
    return json.dumps(list(found), indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def codecheck(found: Sequence[Record], runs: Runs, root: Path) -> str:
    """codecheck.yml: what running the book again has to give, and how."""
    results = root / "book" / "results"
    files = [results / "ledger.json", *sorted((results / "verdicts").glob("*.json"))]
    packs = sorted({run.file for run in runs.values()})
    manifest = [_entry(path, root) for path in files if path.exists()]
    manifest += [{"file": file, "comment": f"planes of {Path(file).stem}"} for file in packs]
    days = sorted({run.started[:10] for run in runs.values()})
    judged = sum(record["verdict"] not in ("not judged", "waiting for its run") for record in found)
    content = {
        "version": SPEC,
        "manifest": manifest,
        "paper": {
            "title": "The Information Bottleneck, Run Again",
            "authors": [{"name": "The information-bottleneck book contributors"}],
        },
        "codechecker": [{"name": "The authors' own test suite: self-checked, by nobody else"}],
        "report": "none: the book is its own report, and no certificate was asked for or given",
        "summary": (
            f"{judged} of {len(found)} claims are judged from {len(runs)} stored runs. The tests "
            "judge them again from the stored planes and compare words and numbers; the commands "
            "below train every network again."
        ),
        "check_time": days[-1] if days else "",
        "information_bottleneck_book": {
            "commands": list(COMMANDS),
            "runs_computed": f"{days[0]} to {days[-1]}" if days else "",
            "hours_of_computing": round(sum(run.seconds for run in runs.values()) / 3600, 1),
            "machines": origin.machines(runs.values()),
            "sha256": {path.relative_to(root).as_posix(): _sha256(path) for path in files},
        },
    }
    body = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)
    mark = "# Written by book/_tools/pages.py (make pages); edits here are lost."
    return f"%YAML 1.1\n---\n{mark}\n{body}"


def _entry(path: Path, root: Path) -> dict[str, str]:
    what = (
        "all verdicts"
        if path.name == "ledger.json"
        else f"tests behind the verdicts of {path.stem}"
    )
    return {"file": path.relative_to(root).as_posix(), "comment": what}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def generated(
    chapters: Sequence[Any], ledger: Mapping[str, Mapping[str, Any]], runs: Runs, root: Path
) -> dict[Path, str]:
    """The files that the ledger page offers, by path."""
    found = records(chapters, ledger, runs)
    return {
        root / "book" / "downloads" / "ledger.csv": as_csv(found),
        root / "book" / "downloads" / "ledger.json": as_json(found),
        root / "codecheck.yml": codecheck(found, runs, root),
    }
