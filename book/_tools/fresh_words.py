"""Our own replication: the word of every row on the old networks and on the fresh ones.

python book/_tools/fresh_words.py COMMIT

writes papers/old_words.json, what the ledger of a commit says of the networks of that time. The
page "What changed and why" holds it against the ledger of today. Rows of a paper are fresh when
the numbers of the paper are no longer those of the commit.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from execute import BOOK
from mdtext import anchor, link, number, plain, table

from ibcore.claims import shown
from ibcore.files import write_whole
from ibcore.papers import papers

FILE = BOOK / "papers" / "old_words.json"

TEXT = """\
## The same rows on fresh networks

All experiments were run once more, paper by paper, on networks from seeds that nobody had looked
at; the criteria stood before. Where the code changed between two papers, a repeated part of each
result gave the same numbers (see [Status](status.md)). A row replicates if the word is the same.
Where nothing differs but the seeds, the effect found first lies inside the 95 % interval of the
second run in about 83 % of rows, as both are drawn at random."""
NOT_YET = """\
## The same rows on fresh networks

All experiments will be run once more on networks from seeds that nobody has looked at, with the
criteria as they stand. That run is not stored yet; then the words before and after stand here."""
SOME = """\
So far this is done for {done}; the other rows still stand on the networks on which their criteria
were developed."""


def old_words(ledger: Sequence[Mapping[str, Any]], n_changes: Mapping[str, int]) -> dict[str, Any]:
    """What is kept of a ledger: id -> word, numbers, and how often the criterion had changed."""
    found = {}
    for row in ledger:
        k, _, m = row["scope"].partition(" of ")
        found[row["id"]] = {
            "word": shown(row["verdict"], int(k or 0), int(m or 0)),
            **{name: row[name] for name in ("effect", "low", "high", "n_seeds")},
            "changes": n_changes.get(row["id"], 0),
        }
    return found


def load(path: Path = FILE) -> dict[str, Any]:
    """What is kept; nothing where there is no file."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def _numbers(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row[name] for name in ("effect", "low", "high"))


def is_fresh(claims: Sequence[Any], old: Mapping[str, Any], ledger: Mapping[str, Any]) -> bool:
    """Whether a paper's rows stand on other networks: an effect of networks is another one."""
    both = [(old[one.id], ledger[one.id]) for one in claims if one.id in old and one.id in ledger]
    return any(
        was["n_seeds"] and was["effect"] is not None and _numbers(was) != _numbers(now)
        for was, now in both
    )


def said(row: Mapping[str, Any]) -> str:
    """Word and effect: "open: 0.5 [0.4, 0.6]"."""
    if row["effect"] is None:
        return plain(row["word"])
    numbers = f"{number(row['effect'])} [{number(row['low'])}, {number(row['high'])}]"
    return f"{plain(row['word'])}: {numbers}"


def rows_of(
    chapters: Sequence[Any], old: Mapping[str, Any], ledger: Mapping[str, Any]
) -> list[Any]:
    """(chapter, claim, before, after) of every row of a paper that is fresh."""
    rows = []
    for chapter in chapters:
        if not is_fresh(chapter.claims, old, ledger):
            continue
        for claim in chapter.claims:
            if claim.id in ledger:
                row = ledger[claim.id]
                k, _, m = row["scope"].partition(" of ")
                now = {**row, "word": shown(row["verdict"], int(k or 0), int(m or 0))}
                rows.append((chapter, claim, old.get(claim.id), now))
    return rows


def bare(word: str) -> str:
    """A word without its cells.

    >>> bare("mixed (4 of 6)")
    'mixed'
    """
    return word.partition(" (")[0]


def counted(rows: Sequence[Any]) -> str:
    """How many words changed, and how often the first effect lies inside the second interval."""
    same = [
        (was, now)
        for _, claim, was, now in rows
        if was and was["n_seeds"] and was["effect"] is not None and now["effect"] is not None
        if len(claim.changes) == was["changes"]
    ]
    if not same:
        return "No row has been judged by the same criterion on both."
    moved = sum(bare(was["word"]) != bare(now["word"]) for was, now in same)
    inside = sum(now["low"] <= was["effect"] <= now["high"] for was, now in same)
    return (
        f"Of {len(same)} rows that networks decide, by the same criterion both times, {moved} "
        f"changed their word ({100 * moved / len(same):.0f} %). The first effect lies inside the "
        f"second interval in {inside} ({100 * inside / len(same):.0f} %)."
    )


def section(
    chapters: Sequence[Any], ledger: Mapping[str, Any], old: Mapping[str, Any] | None = None
) -> list[str]:
    """The section of the page."""
    old = load() if old is None else old
    if not old:
        return []
    rows = rows_of(chapters, old, ledger)
    if not rows:
        return [NOT_YET]
    done = list(dict.fromkeys(chapter.title for chapter, *_ in rows))
    again = [one for one in chapters if any(claim.id in old for claim in one.claims)]
    parts = [TEXT] if len(done) == len(again) else [TEXT, SOME.format(done=", ".join(done))]
    lines = []
    for chapter, claim, was, now in rows:
        changed = was is not None and len(claim.changes) > was["changes"]
        before = said(was) if was else "–"
        moved = was is None or bare(was["word"]) != bare(now["word"])
        mark = (
            "new criterion" if changed else "new row" if was is None else "changed" if moved else ""
        )
        target = anchor(claim.id)
        name = f"({target})=" in chapter.text
        lines.append(
            (link(claim.id, f"#{target}") if name else plain(claim.id), before, said(now), mark)
        )
    head = ("Claim", "Old networks", "Fresh networks", "")
    return [*parts, counted(rows), table(head, lines)]


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__)
        return 2

    def at_commit(path: str) -> str:
        command = ["git", "show", f"{arguments[0]}:{path}"]
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=BOOK.parent)
        return done.stdout

    n_changes = {}
    for paper in papers():
        for one in tomllib.loads(at_commit(f"book/papers/{paper}/claims.toml"))["claims"]:
            n_changes[one["id"]] = len(one.get("changes", []))
    found = old_words(json.loads(at_commit("book/results/ledger.json")), n_changes)
    lines = ",\n".join(
        f"{json.dumps(name)}: {json.dumps(row, ensure_ascii=False)}" for name, row in found.items()
    )
    write_whole(FILE, f"{{\n{lines}\n}}\n".encode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
