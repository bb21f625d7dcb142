"""The status page: every stored result, when and where it was made, and whether its code still is.

Read from the attributes of the stored planes; nothing is trained. No word depends on the day on
which the page is written.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import drift
import xarray as xr
from drift_page import drift_part
from mdtext import plain, table

import ibcore as ib
from ibcore.claims import origin
from ibcore.files import unsealed
from ibcore.papers import papers
from ibcore.plane.files import read_pack

TEXT = """\
(status)=
# Status of the results

{total} No verdict of this book rests on a run that is not listed here.

The name of a result is a hash of everything that decides its networks; equal names are equal
networks, whichever chapter asks for them. *Took* names the engine where it is not the fused one.
*Code* is a hash of the modules that the run reaches by import, and *as today* says whether they
still are what made the numbers: the same code, or a later one of which a repeated part gave the
same numbers (`make certify`). A part that is named there has changed since and was not repeated
yet; its numbers stand until it is. `python -m ibcore info NAME` prints all that a result says
about itself."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One stored plane."""

    run: origin.Run
    size: int
    distrusted: tuple[str, ...]


@cache
def stored(results: Path) -> dict[str, Stored]:
    """Digest -> what is stored of it, of every published plane; its numbers are not looked at."""
    store, found = ib.Store(results), {}
    for path in sorted((results / "planes").glob("*.zip")):
        for digest, content in read_pack(path).items():
            inside = io.BytesIO(unsealed(content))
            with xr.open_dataset(inside, engine="scipy", decode_times=False) as file:
                seeds, rulers = file["seed"].values, file["estimator"].values.astype(str)
                found[digest] = Stored(
                    run=origin.run_of(digest, file.attrs, seeds, rulers),
                    size=len(content),
                    distrusted=store.distrusted(file),
                )
    return found


def asked_for() -> dict[str, dict[str, str]]:
    """Chapter -> name of an experiment -> digest."""
    return {
        chapter: {name: one.digest() for name, one in ib.Study(chapter).experiments.items()}
        for chapter in papers()
    }


def status_page(chapters: Sequence[Any], results: Path, mark: str) -> str:
    """book/status.md."""
    entries = drift.read(results / "drift.json")
    return written(chapters, stored(results), asked_for(), megabytes(results), mark, entries)


def megabytes(folder: Path) -> float:
    """The size of a folder's files; those that a run has not finished do not count."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".part")
    return sum(path.stat().st_size for path in files) / 1e6


def written(
    chapters: Sequence[Any], held: Mapping[str, Stored], asked: Mapping[str, Mapping[str, str]],
    size: float, mark: str, drifting: Sequence[dict[str, Any]] = (),
) -> str:  # fmt: skip
    """The page from what is stored and what is asked for."""
    if not held:
        return f"{mark}\n\n(status)=\n# Status of the results\n\nNothing is stored yet.\n"
    parts = [mark, TEXT.format(total=total(held.values(), size)), summary(chapters, held, asked)]
    lines = origin.machines(one.run for one in held.values())
    parts += ["## Machines and versions", "\n".join(f"- {plain(line)}" for line in lines)]
    parts += drift_part(drifting)
    named = [one for one in chapters if asked.get(one.key)]
    for chapter in named:
        parts += [f"## {chapter.title}", chapter_table(asked[chapter.key], held)]
    known = {digest for names in asked.values() for digest in names.values()}
    if others := {digest: digest for digest in sorted(set(held) - known)}:
        parts += [
            "## Asked for by no chapter",
            "Runs that a chapter asked for earlier; no verdict rests on them today.",
            chapter_table(others, held),
        ]
    return "\n\n".join(parts) + "\n"


def total(held: Iterable[Stored], size: float) -> str:
    """How much there is, and from when."""
    held = list(held)
    days = sorted(one.run.started[:10] for one in held)
    networks = sum(len(one.run.seeds) for one in held)
    hours = sum(one.run.seconds for one in held) / 3600
    changed = sum(bool(one.distrusted) for one in held)
    code = (
        "All of them are by code that still is what made them."
        if not changed
        else f"In {changed} of them some part was measured by code that has changed since."
    )
    return (
        f"{len(held)} results with {_thousands(networks)} networks, computed from {days[0]} to "
        f"{days[-1]} in {hours:.0f} hours of computing; with the ledger they take {size:.0f} MB. "
        f"{code}"
    )


def summary(
    chapters: Sequence[Any], held: Mapping[str, Stored], asked: Mapping[str, Mapping[str, str]]
) -> str:
    """One line a chapter."""
    rows = []
    for chapter in chapters:
        names = asked.get(chapter.key, {})
        mine = [held[digest] for digest in dict.fromkeys(names.values()) if digest in held]
        if names:
            days = sorted(one.run.started[:10] for one in mine) or ["–"]
            spent = origin.duration(sum(one.run.seconds for one in mine))
            missing = len(set(names.values()) - set(held))
            ends = (_whole(days[0]), _whole(days[-1]), _whole(spent))
            rows.append((chapter.title, str(len(mine)), str(missing), *ends))
    return table(("Chapter", "Results", "Not yet", "First", "Last", "Computing"), rows)


def chapter_table(names: Mapping[str, str], held: Mapping[str, Stored]) -> str:
    """One line an experiment, folded."""
    head = ("Experiment", "Result", "Seeds", "Day", "Took", "Code", "As today", "kB, unpacked")
    lines = table(head, (row(name, digest, held.get(digest)) for name, digest in names.items()))
    many = f"{len(names)} experiment{'s' * (len(names) > 1)}"
    return f":::{{dropdown}} {many}\n{lines}\n:::"


def row(name: str, digest: str, one: Stored | None) -> tuple[str, ...]:
    if one is None:
        return (plain(name), f"`{digest}`", *["–"] * 4, "not computed yet", "–")
    run = one.run
    seeds = f"{min(run.seeds)}–{max(run.seeds)} ({len(run.seeds)})"
    code = "yes" if not one.distrusted else f"all but {', '.join(one.distrusted)}"
    took = origin.duration(run.seconds) + ("" if run.engine == "fused" else f", {run.engine}")
    return (
        plain(name), f"`{run.digest}`", _whole(seeds), _whole(run.started[:10]), _whole(took),
        f"`{run.code}`", code, f"{one.size / 1000:.0f}",
    )  # fmt: skip


def _whole(text: str) -> str:
    """Text that a narrow column does not break."""
    return text.replace("-", "\u2011").replace(" ", "\u00a0")


def _thousands(value: int) -> str:
    return f"{value:,}".replace(",", "\u00a0")
