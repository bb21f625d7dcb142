"""The page on rulers: which one when, what each can see, what it costs, what was found with it.

Names, labels, summaries and needs are those of the code, costs those of ``ruler_costs.py``,
findings those of the ledger. What cannot be generated stands in rulers.toml, a table for each
ruler, or below.
"""

from __future__ import annotations

import inspect
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import ruler_costs
from mdtext import plain, table

import ibcore as ib
from ibcore import estimators
from ibcore.claims import badge
from ibcore.claims import shown as word_with_scope
from ibcore.estimators import from_name

TEXT = """\
(rulers)=
# Which ruler when

A layer is a list of real numbers, and real numbers hold infinitely many bits. Before anybody can
say how much a layer knows of its input, somebody has to say which values count as different. That
choice is the ruler. It is not a detail of the measurement: for a deterministic network it *is* the
measurement, and much of what papers disagree about comes down to which one was taken.

A ruler can fail in two ways, and neither looks like a failure. At its **ceiling** every input is
told from every other, the number is log2 of the number of inputs, and it stays there whatever the
network learns. At its **floor** the layer moves by less than the ruler can see, and the number is
zero. Between the two it follows the scale of the layer as much as what the layer knows: a layer
that grows under a ruler of fixed size gains, and one that is pressed against its bounds loses.

## How to choose

1. **The network has noise of its own, while it is trained and when it is used.** Take
   {SamplePropagation} with that noise. Only here is information a property of the network and not
   of the ruler. Ask twice, with more replicas the second time.
2. **The network is linear and the task has a linear teacher.** {LinearGaussian} is a formula.
3. **You repeat a paper.** Take its ruler, from the table below, and a second one beside it.
4. **You want to know what the numbers themselves hold.** {Exact} says what float32 can tell
   apart, and mostly that is everything. {Quantised} rounds the whole network, so that what
   follows is a chain of discrete variables and each layer knows at most what the one before it
   knew.
5. **The layer is bounded, as with tanh.** Equal bins, {Binning}, of two widths that differ by a
   factor of ten or more.
6. **The layer is unbounded, as with ReLU.** Not bins of fixed range. {AdaptiveBinning} follows
   the layer; {RangeBinning} is what was used first. They answer different questions: whether
   anything is lost beyond scale, and whether anything is lost on the scale of the whole run.
7. **The layer is wide, or there are few inputs.** Bins then are at their ceiling at once. Imagine
   noise instead, {KernelBound}, with an upper and a lower bound, and read the gap as what is not
   known. For I(T;Y) take {LabelBound} if it must be a bound.
8. **The network is trained with dropout.** {GaussianDropout} multiplies by noise, so that units do
   not matter; {BernoulliDropout} counts what is left when units are dropped.
9. **You do not know.** {{py:func}}`ibcore.advise` looks at the layer and says which ruler can tell
   anything of it, and {{py:func}}`ibcore.worth` what a number that you have is worth.
   [Known answers](known_answers.md) shows how far to trust both.
10. **In every case: two rulers of different kinds.** A finding that both give is about the
   network. One that turns with the ruler is about the ruler, and should be told with its name.

## All rulers

{overview}

*Exact* means exact for the quantity that stands before it, which may not be the information that
one wanted. *Cost* is processor time for all layers of one network with {inputs} inputs, as a
multiple of equal bins; it grows linearly with the inputs for bins, nearly with their square for
kernel bounds, and linearly with replicas for sample propagation. *Alone* says whether the ruler
can be laid on any array; the others need the network or the whole run, and work in `ib.run` and in
`ib.load_or_run` only.

## One by one

{each}"""

INPUTS = 4096


def rulers() -> dict[str, type[ib.Ruler]]:
    """Every public ruler of the library, by name."""
    found = ((name, getattr(estimators, name)) for name in estimators.__all__)
    return {
        name: kind
        for name, kind in found
        if inspect.isclass(kind) and issubclass(kind, ib.Ruler) and kind is not ib.Ruler
    }


def read_texts(path: Path = ruler_costs.RULERS) -> dict[str, dict[str, Any]]:
    """What was written of each ruler.

    Raises
    ------
    ValueError
        If a public ruler has no text, or a text no ruler.
    """
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["rulers"]
    texts = {entry["name"]: entry for entry in entries}
    if missing := set(rulers()) ^ set(texts):
        raise ValueError(
            f"{path.name} must have one table for each public ruler; look at "
            f"{', '.join(sorted(missing))}."
        )
    return texts


def reference(name: str) -> str:
    """A link to the ruler's entry in the reference."""
    home = "ibcore" if name in ib.__all__ else "ibcore.estimators"
    return f"{{py:class}}`~{home}.{name}`"


def rulers_page(
    ledger: Mapping[str, Mapping[str, Any]], links: Mapping[str, str], mark: str,
    costs_file: Path = ruler_costs.COSTS,
) -> str:  # fmt: skip
    """book/rulers.md.

    Raises
    ------
    ValueError
        If a ruler has no text or no cost, or a text names a claim that there is not.
    """
    texts = read_texts()
    costs = json.loads(costs_file.read_text(encoding="utf-8"))["relative"]
    if missing := set(texts) - set(costs):
        raise ValueError(
            f"no cost of {', '.join(sorted(missing))}; run: python book/_tools/ruler_costs.py"
        )
    head = ("Ruler", "What the number is", "Layers", "Cost", "Alone")
    overview = table(head, (_line(texts[name], costs[name]) for name in texts))
    each = "\n\n".join(_about(text, ledger, links) for text in texts.values())
    named = {name: reference(name) for name in texts}
    inputs = f"{INPUTS:,}".replace(",", "\u00a0")
    text = TEXT.format(overview=overview, each=each, inputs=inputs, **named)
    return f"{mark}\n\n{text}\n"


def _line(text: Mapping[str, Any], cost: float) -> tuple[str, ...]:
    ruler = from_name(text["example"])
    return (
        reference(text["name"]),
        f"{plain(ruler.measures)}: {text['kind']}",
        text["layers"],
        times(cost),
        "no" if ruler.needs_run else "yes",
    )


def _about(
    text: Mapping[str, Any], ledger: Mapping[str, Mapping[str, Any]], links: Mapping[str, str]
) -> str:
    """The section of one ruler."""
    name = text["name"]
    summary = plain(inspect.getdoc(rulers()[name]).split("\n\n")[0].replace("``", ""))
    parts = [f"### {name}", f"{' '.join(summary.split())} ({reference(name)})"]
    parts.append(f"**What it cannot see.** {text['blind'].strip()}")
    if text["papers"]:
        cited = ", ".join(f"{{cite:t}}`{key}`" for key in text["papers"])
        parts.append(f"**Who uses it.** {cited}.")
    if unknown := [claim for claim in text["claims"] if claim not in links]:
        raise ValueError(f"rulers.toml, {name}: there is no claim {', '.join(unknown)}.")
    found = [_found(claim, ledger[claim], links) for claim in text["claims"] if claim in ledger]
    if found:
        parts.append("**What this book found with it.**\n\n" + "\n".join(found))
    return "\n\n".join(parts)


def _found(claim: str, row: Mapping[str, Any], links: Mapping[str, str]) -> str:
    k, _, m = (row.get("scope") or "").partition(" of ")
    said = word_with_scope(row["verdict"], int(k or 0), int(m or 0))
    return f"- {links[claim]} {badge(row['verdict'], said)} {plain(row['finding'])}"


def times(cost: float) -> str:
    r"""A cost, as coarse as a measurement on one machine is.

    >>> times(0.34), times(1.0), times(17.0), times(183.0), times(2345.0)
    ('0.3', '1', '20', '200', '2\xa0000')
    """
    rounded = float(f"{cost:.1g}")
    return f"{rounded:g}" if rounded < 1 else f"{int(rounded):,}".replace(",", "\u00a0")
