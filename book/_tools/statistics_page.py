"""The page on intervals: what they promise, and how often a row would agree by chance."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mdtext import plain, table

TEXT = """\
(statistics)=
# Intervals, and what they promise

Every effect of this book stands with a 95 % interval over networks that were trained from
different seeds. The interval decides: wholly beyond the line, wholly inside the margin, or open.
This page says how each kind is made, and how often it holds the true value in simulations.

**Medians and means over networks** have the percentile bootstrap: 10 000 times as many networks as
there are, are drawn with replacement from those that answered, and the interval holds the middle
95 % of what they give. Networks that are absent are never drawn; planes with different networks are
drawn each on its own, planes of the same seeds together. **Shares** have Wilson's interval
{cite:p}`wilson1927probable`, **correlations over points that are no networks** (activations)
Fisher's. The one-sided p of a line comes from the same distribution, so that it is below 0.025
where and only where the interval lies beyond the line.

Where a claim says *can*, the best of many cells is looked for, and Holm's rule
{cite:p}`holm1979simple` corrects for looking: with *m* cells the smallest p is multiplied by *m*,
the next by *m* - 1, and so on."""

COVERAGE = """\
## How often an interval holds the true value

By simulation, in per cent; 95 is promised. Values are drawn from a normal and a log-normal
distribution, from whole numbers with many ties, and from values of which a third sit at a
ceiling, as information near log2 N does. Criteria use medians; means are shown because single
tests use them. With ten networks an interval is a little too short, most so for means of skewed
values."""

NULL = """\
## How often a row would agree by chance

The stored planes of a claim are made exchangeable: every value of information and of each
observable is drawn anew from all values of its kind, over planes, networks, checkpoints, layers
and rulers. What is left has no effect in it. Then the claim is judged, {draws} times. A row that
asks for an effect beyond 0 should agree in one draw of forty or fewer. Over {rows} rows it did in
{agrees} of {total} ({share:.1f} %), and the opposite was said in {opposite} ({other:.1f} %). Rows
that ask for a level, how large or how often, are not asked by this and are left out."""


def per_cent(values: dict[str, float]) -> list[str]:
    return [f"{100 * value:.1f}" for value in values.values()]


def coverage_tables(found: dict[str, Any]) -> list[str]:
    head = ("", "10 networks", "20", "50")
    parts = []
    for statistic, kinds in found["bootstrap"].items():
        rows = [(name, *per_cent(values)) for name, values in kinds.items()]
        parts.append(f"**Bootstrap of the {statistic}**\n\n{table(head, rows)}")
    shares = [(f"true share {name}", *per_cent(values)) for name, values in found["wilson"].items()]
    parts.append(f"**Wilson, shares**\n\n{table(head, shares)}")
    points = ("", "10 points", "20", "50")
    rows = [(f"true correlation {name}", *per_cent(v)) for name, v in found["fisher"].items()]
    parts.append(f"**Fisher, correlations**\n\n{table(points, rows)}")
    return parts


def null_part(found: dict[str, Any]) -> list[str]:
    rows, draws = found["rows"], found["draws"]
    total = draws * len(rows)
    agrees = sum(row.get("agrees", 0) for row in rows.values())
    opposite = sum(row.get("opposite", 0) for row in rows.values())
    text = NULL.format(
        draws=draws, rows=len(rows), agrees=agrees, total=total, share=100 * agrees / total,
        opposite=opposite, other=100 * opposite / total,
    )  # fmt: skip
    names = ("agrees", "opposite", "none found", "open")
    lines = [(plain(key), *(str(row.get(name, 0)) for name in names)) for key, row in rows.items()]
    listed = table(("Claim", *names), lines)
    return [text, f":::{{dropdown}} Row by row, of {draws} draws\n{listed}\n:::"]


def statistics_page(results: Path, mark: str) -> str:
    """book/statistics.md."""
    parts = [mark, TEXT]
    if (file := results / "coverage.json").exists():
        parts += [COVERAGE, *coverage_tables(json.loads(file.read_text(encoding="utf-8")))]
    if (file := results / "null.json").exists():
        parts += null_part(json.loads(file.read_text(encoding="utf-8")))
    return "\n\n".join(parts) + "\n"
