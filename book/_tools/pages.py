"""Write what is generated: book/index.md, book/ledger.md and two places of the README.

python book/_tools/pages.py

They come from the claims that the chapters register and from book/results/ledger.json, the
verdicts of the stored runs. The README shows the verdicts in short, and the figure of the first
cell that is tagged ``overview``. Nobody edits any of it by hand; a test compares it with a fresh
copy. A ledger that was edited, or that older criteria decided, is refused. What a claim or the
ledger says is text: no sign in it becomes markup of a page.
"""

from __future__ import annotations

import html
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import execute

from ibcore.claims import BADGES, badge, load_ledger, load_registry
from ibcore.files import write_whole

# What the words mean, in the order of the tables.
WORDS = {
    "reproduced": "the criterion holds for the median network and for its interval",
    "holds": "an identity or a theorem that holds in every case tried",
    "partly": "the right direction, but not certain, or not in every case named",
    "not reproduced": "the criterion is not met",
    "fails": "an identity or a theorem with a case against it",
    "inverted": "the opposite of the claim is what is seen",
    "undecided": "too few networks, or too wide an interval, to tell",
    "not judged": "no run at full scale has been stored yet",
}

MARK = "<!-- Written by book/_tools/pages.py (make pages); edits here are lost. -->"


@dataclass(frozen=True)
class Chapter:
    """A chapter as the generated pages see it."""

    key: str  # "shwartz_ziv", the name of its registry
    page: str  # "01_shwartz_ziv"
    title: str  # Markdown without HTML
    text: str
    claims: Sequence[Any]  # with the attributes id, source, statement


def read_chapters(book: Path = execute.BOOK) -> list[Chapter]:
    """The chapters of a book folder, with their registered claims."""
    found = []
    for path in execute.chapters(book):
        text = path.read_text(encoding="utf-8")
        key = path.stem.split("_", 1)[1]
        found.append(Chapter(key, path.stem, without_tags(title(text)), text, load_registry(key)))
    return found


def title(text: str) -> str:
    """The first heading of a MyST text.

    >>> title("---\\nkernelspec: x\\n---\\n(top)=\\n# Two phases?\\n\\nText")
    'Two phases?'
    """
    heading = re.search(r"^# (.+)$", text, flags=re.MULTILINE)
    if heading is None:
        raise ValueError("a chapter needs a first line of the form '# Title'")
    return heading[1].strip()


def read_ledger(path: Path) -> dict[str, dict[str, Any]]:
    """The stored verdicts by claim; none where there is no ledger yet."""
    rows = load_ledger(path) if path.exists() else []
    return {row["id"]: row for row in rows}


# Emphasis (not the _ within a word), code, formulas, roles, links, footnotes.
MARKUP = re.compile(r"[\\`*{}$~]|(?<![^\W_])_|_(?![^\W_])|\](?=[(\[:{])|\[(?=\^)")


def plain(text: str, markup: re.Pattern = MARKUP) -> str:
    r"""Text as Markdown and HTML that show just this text.

    Only what would be read as markup is changed.

    >>> plain("I(X;T) & 2 <b>")
    'I(X;T) & 2 &lt;b&gt;'
    >>> print(plain("IX[T] of n_MC, [a](b), $x$, _so_"))
    IX[T] of n_MC, [a\](b), \$x\$, \_so\_
    """
    return without_tags(markup.sub(lambda sign: "\\" + sign[0], text))


def link(text: str, target: str) -> str:
    """A link that shows just this text: within one, each bracket counts."""
    return f"[{plain(text, re.compile(MARKUP.pattern + r'|[][]'))}]({target})"


def without_tags(text: str) -> str:
    """Markdown whose signs of HTML are shown and not obeyed.

    >>> without_tags("Dong & Hisham <i>, &lt;")
    'Dong & Hisham &lt;i&gt;, &amp;lt;'
    """
    return re.sub(r"[<>]|&(?=[#\w])", lambda sign: html.escape(sign[0]), text)


def anchor(claim_id: str) -> str:
    """The target that a chapter sets above the verdict of a claim.

    >>> anchor("SZT-F3a")
    'verdict-szt-f3a'
    """
    return "verdict-" + re.sub(r"[^a-z0-9]+", "-", claim_id.lower()).strip("-")


def number(value: float) -> str:
    """Three significant digits.

    >>> number(0.51234), number(-2.0), number(12345.6)
    ('0.512', '−2', '12300')
    """
    rounded = float(f"{value:.3g}")
    text = f"{rounded:g}" if abs(rounded) < 1e6 else f"{rounded:.3g}"
    if abs(rounded) >= 1000 and rounded == int(rounded):
        text = str(int(rounded))
    return text.replace("-", "−")


def effect(row: dict[str, Any]) -> str:
    """The effect with its interval and its unit.

    >>> effect({"effect": 0.5, "low": 0.41, "high": 0.62, "unit": "bits"})
    '0.5 [0.41, 0.62] bits'
    """
    if row["effect"] is None:
        return ""
    parts = [number(row["effect"])]
    if row["low"] is not None and row["high"] is not None:
        parts.append(f"[{number(row['low'])}, {number(row['high'])}]")
    return " ".join([*parts, plain(row["unit"] or "")]).strip()


def seeds(row: dict[str, Any]) -> str:
    """How many networks answered, and how many of them had not learnt the task."""
    if not row["n_seeds"]:
        return ""
    not_learnt = row["n_not_learnt"] or 0
    return f"{row['n_seeds']}" + (f" ({not_learnt} had not learnt)" if not_learnt else "")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", str(text)).strip().replace("|", r"\|")


def word_of(claim: Any, ledger: dict[str, dict[str, Any]]) -> str:
    return ledger[claim.id]["verdict"] if claim.id in ledger else "not judged"


def ledger_table(chapter: Chapter, ledger: dict[str, dict[str, Any]]) -> str:
    rows = []
    for claim in chapter.claims:
        target = anchor(claim.id)
        linked = f"({target})=" in chapter.text
        name = link(claim.id, f"#{target}") if linked else plain(claim.id)
        verdict = badge(word_of(claim, ledger))
        row = ledger.get(claim.id)
        rest = (effect(row), seeds(row), plain(row["scale"] or "")) if row else ("", "", "")
        rows.append((name, verdict, plain(claim.statement), *rest))
    return table(("Claim", "Verdict", "What it says", "Effect", "Networks", "Scale"), rows)


def ledger_page(chapters: Sequence[Chapter], ledger: dict[str, dict[str, Any]]) -> str:
    """book/ledger.md."""
    meanings = table(("Verdict", "Meaning"), ((badge(word), what) for word, what in WORDS.items()))
    parts = [
        MARK,
        "(ledger)=\n# The ledger: every claim and its verdict",
        "Each row is one claim of a published source. The criterion was written down before the "
        "first run at full scale; a program compares it with the stored results and gives the "
        "verdict. The number of a claim leads to the place where the chapter judges it.",
        meanings,
        "An effect stands with its 95 % interval over networks trained from different seeds. "
        "Networks that had not learnt their task are counted, not left out. In a chapter every "
        "test of a row has its one-sided p against the threshold, adjusted by Holm's rule where "
        "several tests count.",
    ]
    if not ledger:
        parts.append("Nothing has been judged yet: no run at full scale has been stored.")
    for chapter in chapters:
        parts.append(f"## {chapter.title}")
        parts.append(f":::{{div}} ledger\n{ledger_table(chapter, ledger)}\n:::")
    return "\n\n".join(parts) + "\n"


def counts(chapter: Chapter, ledger: dict[str, dict[str, Any]]) -> str:
    """How often each verdict was given: "12 reproduced, 3 partly"."""
    found = Counter(word_of(claim, ledger) for claim in chapter.claims)
    return "<br>".join(f"{found[word]} × {badge(word)}" for word in WORDS if found[word])


def index_page(chapters: Sequence[Chapter], ledger: dict[str, dict[str, Any]]) -> str:
    """book/index.md."""
    overview = table(
        ("Chapter", "Claims", "Verdicts"),
        ((f"[{c.title}]({c.page}.ipynb)", str(len(c.claims)), counts(c, ledger)) for c in chapters),
    )
    judged = sum(claim.id in ledger for chapter in chapters for claim in chapter.claims)
    state = (
        f"So far {judged} claims have been judged; [the ledger](ledger.md) lists them all."
        if judged
        else "Nothing has been judged yet; [the ledger](ledger.md) lists what will be."
    )
    first = chapters[0].page if chapters else "01_name"
    return f"""{MARK}

# The information bottleneck, run again

Does a neural network, while it learns, forget what it does not need? In 2017 Shwartz-Ziv and
Tishby {{cite:p}}`shwartz2017opening` answered yes: they saw each layer first take up information
about its input and then, for most of the training, give it up again. They called the second phase
compression and held it to be the reason why deep networks generalise. Others repeated the
experiment and saw no such thing {{cite:p}}`saxe2018information`, saw it with better instruments
{{cite:p}}`chelombiev2019adaptive`, or saw in it a matter of geometry
{{cite:p}}`goldfeld2019estimating`.

This book takes one source a chapter, states what it claims, trains the networks again, and lets a
program say whether the claim holds. {state}

{overview}

## How to read it

A chapter begins with a claim and with what would count as its confirmation: which estimator,
which layer, which threshold. These were fixed before the result was known. Then come the figures,
the verdict, and what we do differently from the source. Bands in the figures are over networks
trained from different seeds. All information is in bits.

A verdict is a word with a number behind it. It says what this experiment shows, not what is true
of all networks; where another bin width or another seed would have changed it, the chapter says so.

## How to run it again

Every figure and every number comes from stored runs. They lie beside the text, and each carries
the settings, the seeds, the versions and the time that made it.

```bash
# Execute the chapters from the stored runs and build these pages: a minute.
make book

# Train small networks afresh in one chapter: seconds.
papermill --cwd book book/{first}.ipynb out.ipynb \\
    -p profile smoke -p recompute True

# Train everything again at full scale, into a folder of your own: hours.
make results RESULTS=mine
```

The parameters at the top of a chapter are meant to be changed: the number of bins, the seeds, the
length of the training. A misspelt one is an error before anything runs.
"""


README_PLACE = re.compile(r"(<!-- verdicts -->\n).*?(<!-- /verdicts -->)", flags=re.DOTALL)


def readme_with_verdicts(readme: str, chapters: Sequence[Chapter], ledger: dict[str, Any]) -> str:
    """The README with the present verdicts between its two marks, a fold for each chapter."""
    folds = []
    for chapter in chapters:
        words = [word_of(claim, ledger) for claim in chapter.claims]
        rows = [
            (
                link(claim.id, f"book/{chapter.page}.md"),
                plain(claim.title),
                f"{BADGES[word][0]} {word}",
            )
            for claim, word in zip(chapter.claims, words, strict=True)
        ]
        found = Counter(words)
        summary = ", ".join(f"{found[word]} {word}" for word in WORDS if found[word])
        folds.append(
            f"<details><summary>{chapter.title} ({summary})</summary>\n\n"
            f"{table(('Claim', 'In short', 'Verdict'), rows)}\n\n</details>"
        )
    short = "\n\n".join(folds)
    return README_PLACE.sub(lambda place: f"{place[1]}\n{short}\n\n{place[2]}", readme)


def overview(notebooks: Iterable[Path]) -> str | None:
    """The drawing (SVG) of the first cell that is tagged ``overview``, if there is one."""
    for path in notebooks:
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            drawn = [o["data"]["image/svg+xml"] for o in cell.get("outputs", []) if _is_svg(o)]
            if drawn and "overview" in cell["metadata"].get("tags", []):
                return "".join(drawn[0])
    return None


def _is_svg(output: dict[str, Any]) -> bool:
    return "image/svg+xml" in output.get("data", {})


def generated(root: Path = execute.BOOK.parent) -> dict[Path, str]:
    """Path and text of everything that is generated from the claims, the ledger and the figures."""
    book, readme = root / "book", root / "README.md"
    chapters, ledger = read_chapters(book), read_ledger(book / "results" / "ledger.json")
    found = {
        book / "index.md": index_page(chapters, ledger),
        book / "ledger.md": ledger_page(chapters, ledger),
    }
    if readme.exists():
        text = readme.read_text(encoding="utf-8")
        found[readme] = readme_with_verdicts(text, chapters, ledger)
    if drawing := overview(sorted(book.glob("*.ipynb"))):
        found[book / "_static" / "overview.svg"] = drawing
    return found


def main() -> int:
    try:
        found = generated()
    except ValueError as error:  # a ledger or a claims file that cannot be believed
        print(f"error: {error}", file=sys.stderr)
        return 1
    for path, text in found.items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_whole(path, text.encode())
            print(f"{path.name}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
