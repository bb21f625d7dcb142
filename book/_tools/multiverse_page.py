"""The page on choices: what each headline claim would say under others, and what a run can show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mdtext import number, plain, table
from multiverse_figures import file_of, shares_of

TEXT = """\
(multiverse)=
# Choices, and what can be seen

A verdict rests on choices: a ruler, a set of layers, a rule for finding the peak, an optimiser, a
split, initial weights. Others would have been as reasonable, and who reads a paper cannot know
which of them were tried. So every headline claim whose test the vocabulary of this book can say is
asked again under every combination of such choices that the stored runs allow, with the same
intervals and the same margins as in its criterion: a multiverse {cite:p}`steegen2016increasing`,
drawn as specification curves {cite:p}`simonsohn2020specification`.

- **Setting**: the planes that the criterion names, and siblings that differ in split, amount of
  data, optimiser, batch or initial weights.
- **Ruler**: those in use in the sources that are stored on the plane. A ruler says what is
  measured; float32 rows are among them.
- **Layers**: each that the criterion names, their mean, the mean of all hidden layers.
- **Checkpoints**: how a loss is read. *Plain maximum* is the largest value minus the last, which is
  never negative; *fresh maximum* looks for the peak in one half of the checkpoints and reads it in
  the other; *last against first after learning* has a sign and leaves out what comes before.
- **Networks**: all, or only those that learnt, where some did not. **Clock**, for pairs: whole
  runs, up to equally many updates, or up to the same training loss.

A combination *agrees* when its interval lies on the claimed side, and finds *nothing there* when it
lies inside the margin. For a claim that nothing is lost, a loss below the margin agrees, whether or
not something is gained, and one beyond it is *opposite*.
Layers at their ceiling and planes on which fewer than half of the networks learnt cannot answer and
are left out. Nobody chose these combinations one by one, and they are not independent: the same
networks stand under many of them. The share that agrees says how much a word hangs on choices, and
is no probability that the claim is true."""

OLD = """\
These are the networks on which criteria were developed (seeds from {first}); after the run on fresh
seeds the tool is run again and this page with it."""

FIGURE = """\
```{figure} _static/multiverse/overview.svg
:name: fig-multiverse
:alt: For each headline claim, the share of combinations of choices that agree.
:width: 100%
:class: dark-light

What the combinations of choices say, claim by claim; on the right how many there are. Each bar
reads from left to right: agrees, nothing there, open, opposite.
```"""

TABLE = """\
## Claim by claim

The last column names the choice that divides the combinations most: the share that agrees at the
value where it is largest, and at the one where it is smallest. For a claim that something *can*
happen, the share counts choices under which at least one of the claim's own settings agrees."""

CURVE = """\
:::{{dropdown}} {name}: {title}
{statement} Claimed: {claimed}. {n} combinations; {hollow} more cannot answer.

```{{figure}} _static/multiverse/{file}
:alt: Specification curve of {name}.
:width: 100%
:class: dark-light

{name}. Above, the effect of every combination with its 95 % interval, sorted; the dashed line is
the null value, the band the margin. Below, which choices each one makes and what it says.
```
:::"""

POWER = """\
(power)=
## Power, stated before the run

What could the next run show? The table was written on {date}, from the spread of the networks that
were stored then, before a network of the fresh seeds was trained. *Detectable* is the smallest
effect, as a distance from the null value, that the planned number of networks shows in four runs of
five (power 80 %) with a 95 % interval: 2.8 standard errors of the primary test. Where it is larger
than the size that the criterion asks for, or than the margin inside which an absence must lie, the
row may well end *open*, and that would be no finding about networks."""

NO_POWER = "Rows without a number: {reasons}."


def levels(found: Mapping[str, Any]) -> tuple[str, str, float, str, float] | None:
    """(choice, label and share where it agrees most, and least) of the most decisive choice."""
    best = None
    for place, (name, labels) in enumerate(found["choices"].items()):
        share = {}
        for k, label in enumerate(labels):
            said = [row[-1] == 0 for row in found["specs"] if row[place] == k]
            if len(said) >= 3:
                share[label] = sum(said) / len(said)
        if len(share) < 2:
            continue
        high, low = max(share, key=share.__getitem__), min(share, key=share.__getitem__)
        if best is None or share[high] - share[low] > best[2] - best[4]:
            best = (name, high, share[high], low, share[low])
    return best


def some_setting(found: Mapping[str, Any]) -> tuple[int, int]:
    """Of the choices other than the setting: under how many at least one setting agrees."""
    hit: dict[tuple[Any, ...], bool] = {}
    place = list(found["choices"]).index("setting")
    for row in found["specs"]:
        rest = tuple(x for k, x in enumerate(row[:-4]) if k != place)
        hit[rest] = hit.get(rest, False) or row[-1] == 0
    return sum(hit.values()), len(hit)


def per_cent(value: float) -> str:
    """Whole per cent.

    >>> per_cent(0.996), per_cent(1.0)
    ('99.6 %', '100 %')
    """
    return (
        f"{100 * value:.1f} %" if 0.99 < value < 1 or 0 < value < 0.01 else f"{100 * value:.0f} %"
    )


def claimed(found: Mapping[str, Any]) -> str:
    """The line that a combination is held against."""
    unit, null = plain(found["unit"]), number(found["null"])
    if found["expects"] == "absence":
        return f"not beyond {number(found['null'] + found['margin'])} {unit}"
    return f"{'above' if found['side'] == '>' else 'below'} {null} {unit}"


def table_row(claim: Any, word: str, name: str, found: Mapping[str, Any]) -> tuple[str, ...]:
    share = shares_of(found)
    if claim.tests and claim.tests[0].entry.get("quantifier") == "some":
        hit, n = some_setting(found)
        agrees = f"{per_cent(hit / n)} of {n} choices"
    else:
        agrees = per_cent(share["agrees"])
    most = levels(found)
    turns = "–"
    if most is not None and most[2] > most[4]:
        dim, high, most_share, low, least_share = most
        turns = (
            f"{dim}: {per_cent(most_share)} ({plain(high)}), {per_cent(least_share)} ({plain(low)})"
        )
    opposite = per_cent(share["opposite"])
    return name, plain(claim.title), word, str(len(found["specs"])), agrees, opposite, turns


def power_table(power: Mapping[str, Any], links: Mapping[str, str]) -> str:
    rows, without = [], {}
    for name, row in power["claims"].items():
        if "detectable" not in row:
            without.setdefault(row["why"], []).append(name)
            continue
        absent = row["expects"] == "absence"
        asked = [f"margin {number(row['margin'])}"] if absent else ["a direction"]
        if row["size"] is not None and not absent:
            asked = [f"size {number(row['size'])}"]
        beside = " (from kindred runs)" if row["from"] else ""
        rows.append((
            links.get(name, name), f"{row['planned']} {row['units']}",
            f"{number(row['detectable'])} {plain(row['unit'])}{beside}", ", ".join(asked),
        ))  # fmt: skip
    parts = [table(("Claim", "Planned", "Detectable", "Asked by the criterion"), rows)]
    if without:
        reasons = "; ".join(f"{plain(why)} ({', '.join(many)})" for why, many in without.items())
        parts.append(NO_POWER.format(reasons=reasons))
    return "\n\n".join(parts)


def multiverse_page(
    chapters: Sequence[Any], words: Mapping[str, str], links: Mapping[str, str], results: Path,
    mark: str,
) -> str:  # fmt: skip
    """book/multiverse.md.

    Parameters
    ----------
    chapters : list of Chapter
    words, links : {claim: Markdown}
        The word of a claim as a badge; its name, with a link to its verdict.
    results : Path
        The folder with multiverse.json and power.json.
    mark : str
        The first line of a generated page.
    """
    parts = [mark, TEXT]
    claims = {claim.id: claim for chapter in chapters for claim in chapter.claims}
    if (file := results / "multiverse.json").exists():
        stored = json.loads(file.read_text(encoding="utf-8"))["claims"]
        known = {k: one for k, one in stored.items() if k in claims and one["specs"]}
        first = min((one["seeds"][0] for one in known.values()), default=0)
        if known and first < 1000:
            parts.append(OLD.format(first=first))
        head = (
            "Claim",
            "In short",
            "Word",
            "Combinations",
            "agrees",
            "opposite",
            "divided most by",
        )
        rows = [table_row(claims[k], words[k], links[k], one) for k, one in known.items()]
        parts += [FIGURE, TABLE, table(head, rows)]
        parts += [
            CURVE.format(
                name=plain(k), title=plain(claims[k].title), statement=plain(claims[k].statement),
                claimed=claimed(one), n=len(one["specs"]), hollow=one["hollow"], file=file_of(k),
            )
            for k, one in known.items()
        ]  # fmt: skip
    if (file := results / "power.json").exists():
        power = json.loads(file.read_text(encoding="utf-8"))
        parts += [POWER.format(date=power["date"]), power_table(power, links)]
    return "\n\n".join(parts) + "\n"
