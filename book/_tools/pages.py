"""Write what is generated: index, ledger, changes, statistics, choices, and places of the README.

python book/_tools/pages.py

They come from the claims that the chapters register and from book/results/ledger.json, the
verdicts of the stored runs. The README shows the verdicts in short, and the figure of the first
cell that is tagged ``overview``. Nobody edits any of it by hand; a test compares it with a fresh
copy. A ledger that was edited, or that older criteria decided, is refused. What a claim or the
ledger says is text: no sign in it becomes markup of a page.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import execute
import fresh_words
from mdtext import anchor, link, number, plain, table, title, without_tags
from multiverse_page import multiverse_page
from page_texts import BLIND_TEXT, CHANGES_TEXT, TABLE_OF_WORDS
from statistics_page import statistics_page

from ibcore.claims import BADGES, SETTINGS, WORDS, badge, load_ledger, load_registry, tensions
from ibcore.claims import questions as asked
from ibcore.claims import shown as word_with_scope
from ibcore.files import write_whole

MARK = "<!-- Written by book/_tools/pages.py (make pages); edits here are lost. -->"


@dataclass(frozen=True)
class Chapter:
    """A chapter as the generated pages see it."""

    key: str  # "shwartz_ziv", the name of its registry
    page: str  # "01_shwartz_ziv"
    title: str  # Markdown without HTML
    text: str
    claims: Sequence[Any]  # with the attributes of ibcore.claims.Claim


def read_chapters(book: Path = execute.BOOK) -> list[Chapter]:
    """The chapters of a book folder, with their registered claims."""
    found = []
    for path in execute.chapters(book):
        text = path.read_text(encoding="utf-8")
        key = path.stem.split("_", 1)[1]
        found.append(Chapter(key, path.stem, without_tags(title(text)), text, load_registry(key)))
    return found


def read_ledger(path: Path) -> dict[str, dict[str, Any]]:
    """The stored verdicts by claim; none where there is no ledger yet."""
    rows = load_ledger(path) if path.exists() else []
    return {row["id"]: row for row in rows}


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


def word_of(claim: Any, ledger: dict[str, dict[str, Any]]) -> str:
    return ledger[claim.id]["verdict"] if claim.id in ledger else "not judged"


def shown(claim: Any, ledger: dict[str, dict[str, Any]]) -> str:
    """The word with its cells: "mixed (4 of 6)"."""
    word = word_of(claim, ledger)
    k, _, m = ledger.get(claim.id, {}).get("scope", "").partition(" of ")
    return word_with_scope(word, int(k or 0), int(m or 0))


def ledger_table(chapter: Chapter, ledger: dict[str, dict[str, Any]]) -> str:
    rows = []
    for claim in chapter.claims:
        row = ledger.get(claim.id)
        verdict = badge(word_of(claim, ledger), shown(claim, ledger))
        said = plain(claim.statement)
        if row and row["finding"]:
            said += f"<br>*Found:* {plain(row['finding'])}"
        about = claim.rank + (", exploratory" if row and row["exploratory"] else "")
        verdict += f"<br>{about}, {claim.setting}"
        rest = (effect(row), seeds(row)) if row else ("", "")
        rows.append((linked(claim, chapter), verdict, said, *rest))
    head = ("Claim", "Verdict", "What it says, and what is found", "Effect", "Networks")
    return table(head, rows)


def linked(claim: Any, chapter: Chapter) -> str:
    """The id of a claim, with a link to its verdict where the chapter has the target."""
    target = anchor(claim.id)
    if f"({target})=" in chapter.text:
        return link(claim.id, f"#{target}")
    return plain(claim.id)


def count_of(claims: Iterable[Any], ledger: dict[str, dict[str, Any]], mark: Any = None) -> str:
    """How often each verdict was given: "12 reproduced, 3 open"."""
    found = Counter(word_of(claim, ledger) for claim in claims)
    if mark is None:
        return ", ".join(f"{found[word]} {word}" for word in WORDS if found[word])
    return "<br>".join(f"{found[word]} × {mark(word)}" for word in WORDS if found[word])


def headlines(chapters: Iterable[Chapter]) -> list[Any]:
    """Headline claims that do not repeat another one."""
    every = (claim for chapter in chapters for claim in chapter.claims)
    return [one for one in every if one.rank == "headline" and not one.same_evidence_as]


def ledger_page(chapters: Sequence[Chapter], ledger: dict[str, dict[str, Any]]) -> str:
    """book/ledger.md."""
    meanings = table(("Verdict", "Meaning"), ((badge(word), what) for word, what in WORDS.items()))
    settings = "; ".join(f"{name}: {what}" for name, what in SETTINGS.items())
    parts = [
        MARK,
        "(ledger)=\n# The ledger: every claim and its verdict",
        f"Of the headline claims: {count_of(headlines(chapters), ledger)}.",
        "A row is a statement of a source, or a check of ours where it says so. Its criterion is "
        "one primary test, asked in one or more cells; a program compares it with the stored "
        "results. Direction, size and scope are told apart, and the word follows from them by one "
        "table. The number of a claim leads to the place where the chapter judges it.",
        meanings,
        "**Below the word.** Headline: what the source is known for. Supporting: what it rests on. "
        "Check: a definition, a theorem or a note of ours, which is not counted. Setting "
        f"{settings}. "
        "*Exploratory*: the criterion was changed when results of these networks were known, see "
        "[What changed and why](changes.md); fresh networks decide it.",
        "**Effects** stand with their 95 % interval over networks trained from different seeds. An "
        "interval that covers the line is open, on both sides of it. Networks that had not learnt "
        "their task are counted, not left out; a plane on which fewer than half learnt answers "
        "nothing.",
        TABLE_OF_WORDS,
    ]
    if not ledger:
        parts.append("Nothing has been judged yet: no run at full scale has been stored.")
    for chapter in chapters:
        parts.append(f"## {chapter.title}")
        parts.append(f":::{{div}} ledger\n{ledger_table(chapter, ledger)}\n:::")
    if pairs := tensions():
        parts.append(tension_section(pairs))
    return "\n\n".join(parts) + "\n"


def tension_section(pairs: Sequence[Any]) -> str:
    """Claims whose findings oppose each other, and why both stand."""
    lines = ["## Findings that oppose each other, and why both stand"]
    texts = asked()
    for one in pairs:
        sides = "; ".join(", ".join(plain(name) for name in one[side]) for side in ("yes", "no"))
        question = texts.get(one["question"], "")
        lines.append(f"**{plain(question)}** ({sides}). {plain(one['because'])}")
    return "\n\n".join(lines)


def changes_page(chapters: Sequence[Chapter], ledger: dict[str, dict[str, Any]]) -> str:
    """book/changes.md: the words of the first scheme, those of today, and why they differ."""
    parts = [
        MARK,
        "(changes)=\n# What changed and why",
        CHANGES_TEXT,
        *fresh_words.section(chapters, ledger),
    ]
    for chapter in chapters:
        rows = [
            (
                linked(claim, chapter),
                OLD_WORDS.get(claim.id, "–"),
                badge(word_of(claim, ledger), shown(claim, ledger)),
                "; ".join(f"{one.date}: {one.reason}" for one in claim.changes) or "–",
            )
            for claim in chapter.claims
        ]
        head = ("Claim", "First scheme", "Today", "What changed in the criterion")
        parts += [
            f"## {chapter.title}",
            table(head, ((a, plain(b), c, plain(d)) for a, b, c, d in rows)),
        ]
    return "\n\n".join(parts) + "\n"


def blind_reading(chapters: Sequence[Chapter], ledger: dict[str, dict[str, Any]]) -> list[str]:
    """What the sentences and figures of headline claims say to the eye, beside the word."""
    if not (path := execute.BOOK / "papers" / "blind_reading.json").exists():
        return []
    read = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        (linked(claim, chapter), *map(plain, read[claim.id]), shown(claim, ledger))
        for chapter in chapters
        for claim in chapter.claims
        if claim.id in read
    ]
    head = ("Claim", "Eyes that expect compression", "Eyes that expect none", "The machine's word")
    return ["## Read blind", BLIND_TEXT, table(head, rows)]


def choices_page(chapters: Sequence[Chapter], ledger: dict[str, Any], results: Path) -> str:
    """book/multiverse.md: what other choices would say, and what a run can show."""
    every = [(chapter, claim) for chapter in chapters for claim in chapter.claims]
    words = {claim.id: badge(word_of(claim, ledger), shown(claim, ledger)) for _, claim in every}
    links = {claim.id: linked(claim, chapter) for chapter, claim in every}
    return multiverse_page(chapters, words, links, results, MARK)


def old_words(path: Path = execute.BOOK / "papers" / "first_words.json") -> dict[str, str]:
    """Verdicts of the first scheme, by claim."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


OLD_WORDS = old_words()


def index_page(chapters: Sequence[Chapter], ledger: dict[str, dict[str, Any]]) -> str:
    """book/index.md."""
    overview = table(
        ("Chapter", "Claims", "Verdicts"),
        (
            (f"[{c.title}]({c.page}.ipynb)", str(len(c.claims)), count_of(c.claims, ledger, badge))
            for c in chapters
        ),
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

A chapter begins with a claim and with what counts as its confirmation: which estimator, which
layer, which line. Then come the figures, the verdict, and what we do differently from the source.
Bands in the figures are over networks trained from different seeds. All information is in bits.

A verdict is a word with a finding: a sentence with the numbers of the run. It tells apart whether
the direction is as claimed, whether the size is, and in how many of the layers or settings asked.
It says what this experiment shows, not what is true of all networks; where another bin width or
another seed would have changed it, the chapter says so. Criteria that were changed when results
were known are listed, with their old words, on [a page of their own](changes.md).

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
        rows = []
        for claim in chapter.claims:
            word, found = shown(claim, ledger), ledger.get(claim.id, {}).get("finding", "")
            symbol = BADGES[word_of(claim, ledger)][0]
            name = link(claim.id, f"book/{chapter.page}.md")
            rows.append((name, plain(claim.title), f"{symbol} {word}", plain(found)))
        folds.append(
            f"<details><summary>{chapter.title} ({count_of(chapter.claims, ledger)})</summary>\n\n"
            f"{table(('Claim', 'In short', 'Verdict', 'What is found'), rows)}\n\n</details>"
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
        book / "changes.md": changes_page(chapters, ledger),
        book / "statistics.md": statistics_page(book / "results", MARK),
        book / "multiverse.md": choices_page(chapters, ledger, book / "results"),
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
