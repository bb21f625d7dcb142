"""The part of the status page on drift: headline claims under the newest packages, over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from drift import drifted
from mdtext import plain, table

SHOWN = 6  # columns: the latest entries
TEXT = """\
## Drift

The published numbers were made by the versions above. Every week the first networks of some
headline claims are trained and measured again with the newest versions of the packages
(`make drift`), and compared with the stored ones of the same seeds. Below stands the effect of each
claim on those few networks: as stored, and as it came out on the day. With so few networks an
effect is not the published one; what counts is that a row does not move."""


def drift_part(entries: Sequence[dict[str, Any]]) -> list[str]:
    """Sentences and one table; nothing where nothing was followed yet."""
    if not entries:
        return []
    last = entries[-SHOWN:]
    names = sorted({name for one in last for name in one["claims"]})
    head = ("Claim", "Stored", *(one["date"].replace("-", "\u2011") for one in last))
    rows = [
        (plain(name), _stored(last, name), *(_effect(one, name) for one in last)) for name in names
    ]
    return [TEXT, _said(last[-1]), table(head, rows)]


def _said(one: dict[str, Any]) -> str:
    gaps, moved = one["planes"].values(), drifted(one)
    same = sum("p" not in gap for gap in gaps)
    numbers = {name: number.partition("+")[0] for name, number in one["versions"].items()}
    versions = ", ".join(f"{name} {number}" for name, number in numbers.items())
    others = "" if same == len(gaps) else ", the others were compared over seeds"
    verdict = f"**Drifted: {', '.join(map(plain, moved))}.**" if moved else "None has drifted."
    return (
        f"On {one['date']}, with {versions}: {same} of {len(gaps)} planes came out with the same "
        f"bits{others}. {verdict}"
    )


def _stored(entries: Sequence[dict[str, Any]], name: str) -> str:
    (*_, found) = [one["claims"][name] for one in entries if name in one["claims"]]
    return f"{_number(found['published'])} {found['unit']}".strip()


def _effect(one: dict[str, Any], name: str) -> str:
    return _number(one["claims"][name]["effect"]) if name in one["claims"] else "–"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"
