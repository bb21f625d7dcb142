"""The landing page and the opening of the README: answer, figure, findings, ways to read.

The sentences are those of book/papers/answers.toml, each with links to the verdicts that it rests
on; a sentence whose claims have other words than it was written for stops the writing of pages.
"""

from __future__ import annotations

import csv
import html
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import landing_figure
import yaml
from landing_figure import INK, Curve
from mdtext import plain, table
from sentences import Evidence, chosen, read_answers, read_evidence

QUESTION = "Does deep learning compress, and why do papers disagree?"

BENCH = """\
The same can be done by hand. With 8 bits a unit layer 5 of a tanh network
{lab}`gives up more than half of what it knew <net=tanh&ruler=quantised:8>`; without a ruler
{lab}`no layer loses half a bit <net=tanh&ruler=exact>`. Between the two not a weight is changed.

```{lab} bench
:activation: tanh
:ruler: bins:30

What each layer of a tanh network knows of its input and of the label through thirty bins: its path
in the plane, and its bits of the input over the epochs, medians over the networks. Layer 5
{lab}`rises and then turns back <net=tanh&ruler=bins:30>`.
```"""

HISTORY = """\
In 2017 Shwartz-Ziv and Tishby {cite:p}`shwartz2017opening` reported that a network first takes up
information about its input and then, for most of its training, forgets what it does not need. They
called the second phase compression and held it to be the reason why deep networks generalise.
Others repeated the experiment and saw no such thing {cite:p}`saxe2018information`, saw it with
rulers that adapt to the layer {cite:p}`chelombiev2019adaptive`, or saw in it a matter of geometry
{cite:p}`goldfeld2019estimating`. This book states what each of them claims, trains the networks
again, and lets a program say whether the claim holds."""

LEAD = """\
The answer in five sentences, for the small networks over which the argument is fought. A layer
*compresses* where it tells less about the input at the end of the training than it did before. How
much it tells is counted in bits, and a *ruler* is whatever turns a layer of real numbers into a
number of bits: bins, noise, rounding."""

LIMITS = """\
All of this is said of networks with a few hundred to some hundred thousand weights, most of them on
a task of 4&nbsp;096 inputs that can be measured to the last bit. Nobody in this argument has
measured a network of today's size, and neither have we."""

WAYS = """\
**Three minutes.** You have read most of it: the five sentences and the figure.
[What we know now, by question](questions.md) has the same for each of the eight questions behind
the argument, with who says what and what would settle the rest.

**An hour.** {primer}
[Chapters 1](01_shwartz_ziv.ipynb) to [3](03_saxe.ipynb) have the claim, the rulers and the
counterexamples; [the controls](07_controls.ipynb) take the look-alikes of compression away. Every
verdict is a word with a sentence: the word follows from a criterion by one rule, the sentence has
the numbers of the run. [The ledger](ledger.md) has all {judged} of them, and
[another page](changes.md) says which criteria were changed when results were known.

**Run it.** [Get it](get_it.md) has the text, the code and the stored runs, and says what needs how
long. Figures and numbers come from these runs; each verdict names, under its criterion, the
settings, seeds, versions and time that made it, and the command that asks again.
[Which ruler when](rulers.md) helps to choose another ruler. The parameters at the top of a chapter
are meant to be changed, and a misspelt one is an error before anything runs.

```bash
# Set up, execute the chapters from the stored runs and build these pages: minutes.
make book
source .venv/bin/activate

# One claim and its figures, under a ruler of your own: seconds to minutes.
papermill --cwd book book/{first}.ipynb out.ipynb \\
    -p claim SZT-F3 -p ruler "Binning(100)"

# Train small networks afresh in one chapter: seconds.
papermill --cwd book book/{first}.ipynb out.ipynb \\
    -p profile smoke -p recompute True

# Train everything again at full scale, into a folder of your own: hours.
make results RESULTS=mine
```"""

STYLE = """\
<style>
.rulers { margin: 1.5rem 0; }
.rulers figcaption { text-align: left; }
.rulers svg { display: block; width: 100%; height: auto; }
.rulers .narrow { display: none; }
@media (max-width: 600px) { .rulers .wide { display: none; } .rulers .narrow { display: block; } }
</style>"""

README_PLACE = re.compile(r"(<!-- answer -->\n).*?(<!-- /answer -->)", flags=re.DOTALL)


def index_page(
    chapters: Sequence[Any], ledger: Mapping[str, Any], links: Mapping[str, str],
    counts: Mapping[str, str], root: Path, curves: Sequence[Curve], mark: str,
) -> str:  # fmt: skip
    """book/index.md.

    Parameters
    ----------
    chapters : list of Chapter
    ledger : {claim: row}
    links : {claim: Markdown}
        The name of a claim, with a link to its verdict.
    counts : {key of a chapter: text}
        How often each word was given.
    root : Path
        The folder of the book, its README and its citation.
    curves : list of Curve
        Of the figure; without them there is none.
    mark : str
        The first line of a generated page.
    """
    answers, evidence = read_answers(), read_evidence(root / "book" / "results", ledger)
    parts = [mark, f"# {QUESTION}"]
    if ledger and answers:
        parts += [LEAD, answer(answers, evidence, links)]
        if curves:
            parts += [figure(curves), BENCH]
        parts += [HISTORY, LIMITS, "## Six findings", findings(answers, evidence, links)]
        parts += ["## What is still open", still_open(chapters, ledger, links)]
    else:
        parts.append(HISTORY)
        parts.append("Nothing has been judged yet; [the ledger](ledger.md) lists what will be.")
    first = chapters[0].page if chapters else "01_name"
    ways = WAYS.format(primer=_primer(root), judged=len(ledger), first=first)
    parts += ["## Three ways to read", ways]
    parts += ["## The chapters", chapter_table(chapters, answers, counts)]
    if (file := root / "CITATION.cff").exists():
        parts += ["(cite)=\n## How to cite", citation(file)]
    return "\n\n".join(parts) + "\n"


def answer(answers: Mapping[str, Any], evidence: Evidence, links: Mapping[str, str]) -> str:
    """The sentences as a numbered list, each with the verdicts that it rests on."""
    return "\n".join(
        f"{k}. {_with_links(one, evidence, links)}" for k, one in enumerate(answers["answer"], 1)
    )


def findings(answers: Mapping[str, Any], evidence: Evidence, links: Mapping[str, str]) -> str:
    return "\n".join(f"- {_with_links(one, evidence, links)}" for one in answers["findings"])


def _with_links(sentence: Mapping[str, Any], evidence: Evidence, links: Mapping[str, str]) -> str:
    rests_on = ", ".join(links.get(claim, claim) for claim in sentence["claims"])
    return f"{chosen(sentence, evidence)} ({rests_on})"


def still_open(chapters: Sequence[Any], ledger: Mapping[str, Any], links: Mapping[str, str]) -> str:
    """The headline claims that are open, and those whose run is not made yet."""
    heads = [
        claim for chapter in chapters for claim in chapter.claims
        if claim.rank == "headline" and not claim.same_evidence_as and claim.id in ledger
    ]  # fmt: skip
    found = {
        word: [one for one in heads if ledger[one.id]["verdict"] == word]
        for word in ("open", "waiting for its run")
    }
    lists = {
        word: "\n".join(f"- {plain(claim.statement)} ({links[claim.id]})" for claim in claims)
        for word, claims in found.items()
    }
    parts = []
    if found["open"]:
        parts.append(f"Asked of too few networks to tell:\n\n{lists['open']}")
    if found["waiting for its run"]:
        parts.append(
            f"The criterion is fixed, the run is not made yet:\n\n{lists['waiting for its run']}"
        )
    if not parts:
        return f"None of the {len(heads)} headline claims."
    count = sum(map(len, found.values()))
    first = f"Of {len(heads)} headline claims {count} have no answer yet."
    last = "What would decide each of them stands in [the closing chapter](questions.md)."
    return "\n\n".join([first, *parts, last])


def figure(curves: Sequence[Curve]) -> str:
    """The figure, wide and narrow, with its caption, its numbers and its files."""
    alt = html.escape(landing_figure.description(curves), quote=True)
    drawings = "".join(
        f'<div class="{name}" role="img" aria-label="{alt}">\n'
        + landing_figure.drawing(curves, narrow=name == "narrow")
        + "</div>\n"
        for name in ("wide", "narrow")
    )
    head = ("Activation", "Ruler", "Before training", "Highest", "At the end", "Lost")
    return (
        f'```{{raw}} html\n{STYLE}\n<figure class="rulers">\n{drawings}<figcaption>'
        f"{landing_figure.caption(curves)} As files: "
        '<a href="../_static/rulers.svg" download>drawing</a>, '
        '<a href="../_static/rulers.csv" download>numbers</a>.'
        "</figcaption>\n</figure>\n```\n\n"
        f":::{{dropdown}} The numbers of this figure, in bits\n"
        f"{table(head, landing_figure.rows(curves))}\n:::"
    )


def files(curves: Sequence[Curve]) -> dict[str, str]:
    """The figure's drawing and numbers as files of book/_static."""
    if not curves:
        return {}
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["activation", "ruler", "epoch", "bits, median over networks"])
    for one in curves:
        for epoch, bits in zip(one.epochs, one.bits, strict=True):
            writer.writerow([one.activation, one.ruler, int(epoch), f"{bits:.4f}"])
    drawing = landing_figure.drawing(curves).replace("currentColor", INK)
    return {"rulers.svg": drawing, "rulers.csv": text.getvalue()}


def chapter_table(
    chapters: Sequence[Any], answers: Mapping[str, Any], counts: Mapping[str, str]
) -> str:
    what = answers.get("chapters", {})
    rows = (
        (f"[{one.title}]({one.page}.ipynb)", what.get(one.key, ""), counts.get(one.key, ""))
        for one in chapters
    )
    return table(("Chapter", "What it is for", "Words given to its claims"), rows)


def citation(file: Path) -> str:
    """What CITATION.cff says, as BibTeX."""
    said = yaml.safe_load(file.read_text(encoding="utf-8"))
    names = " and ".join(
        f"{{{one['name']}}}" if "name" in one else f"{one['family-names']}, {one['given-names']}"
        for one in said["authors"]
    )
    return f"""\
Please cite this book, and the papers that a chapter runs again
([all references](references.md)); [How to cite](cite.md) has an entry for every chapter.

```bibtex
@software{{information_bottleneck_book,
  title = {{{said["title"]}}},
  author = {{{names}}},
  year = {{{str(said["date-released"])[:4]}}},
  version = {{{said["version"]}}},
  license = {{{said["license"]}}}
}}
```"""


def readme_opening(
    readme: str, ledger: Mapping[str, Any], links: Mapping[str, str], root: Path,
    curves: Sequence[Curve],
) -> str:  # fmt: skip
    """The README with the answer and the figure between its two marks."""
    answers, evidence = read_answers(), read_evidence(root / "book" / "results", ledger)
    if not (ledger and answers):
        return readme
    parts = [f"**{QUESTION}** {LEAD}", answer(answers, evidence, links)]
    if curves:
        alt = plain(landing_figure.description(curves))
        parts += [f"![{alt}](book/_static/rulers.svg)", f"*{landing_figure.caption(curves)}*"]
    text = "\n\n".join(parts)
    return README_PLACE.sub(lambda place: f"{place[1]}\n{text}\n\n{place[2]}", readme)


def _primer(root: Path) -> str:
    """A pointer to the primer, where there is one."""
    for name in ("00_primer", "primer"):
        for kind in (".ipynb", ".md"):
            if (root / "book" / f"{name}{kind}").exists():
                return (
                    f"[The primer]({name}{kind}) explains entropy, information and rulers from a "
                    "game of twenty questions."
                )
    return ""
