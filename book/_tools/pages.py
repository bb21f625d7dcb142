"""Write what is generated: index, ledger, changes, statistics, choices, and places of the README.

python book/_tools/pages.py

They come from the claims that the chapters register and from book/results/ledger.json, the
verdicts of the stored runs. The README shows the verdicts in short. Nobody edits any of it by
hand; a test compares it with a fresh copy. Findings are first worded as the claims files say, with
the numbers of the stored tests. A ledger that was edited, or that older criteria decided, is
refused. What a claim or the ledger says is text: no sign in it becomes markup.
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

import cite_page
import downloads
import execute
import fresh_words
import get_it_page
import known_answers_page
import landing_figure
import landing_page
import rulers_page
import status_page
from ledger_page import ledger_page
from mdtext import anchor, link, plain, table, title, without_tags
from multiverse_page import multiverse_page
from page_texts import CHANGES_TEXT
from questions_page import questions_page
from statistics_page import statistics_page

from ibcore.claims import BADGES, WORDS, badge, load_ledger, load_registry, refresh_findings
from ibcore.claims import shown as word_with_scope
from ibcore.files import write_whole
from ibcore.papers import papers

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
        key = path.stem.split("_", 1)[1]
        if key not in papers():  # a page that judges no claim
            continue
        text = path.read_text(encoding="utf-8")
        found.append(Chapter(key, path.stem, without_tags(title(text)), text, load_registry(key)))
    return found


def read_ledger(path: Path) -> dict[str, dict[str, Any]]:
    """The stored verdicts by claim; none where there is no ledger yet."""
    rows = load_ledger(path) if path.exists() else []
    return {row["id"]: row for row in rows}


def word_of(claim: Any, ledger: dict[str, dict[str, Any]]) -> str:
    return ledger[claim.id]["verdict"] if claim.id in ledger else "not judged"


def shown(claim: Any, ledger: dict[str, dict[str, Any]]) -> str:
    """The word with its cells: "mixed (4 of 6)"."""
    word = word_of(claim, ledger)
    k, _, m = ledger.get(claim.id, {}).get("scope", "").partition(" of ")
    return word_with_scope(word, int(k or 0), int(m or 0))


def linked(claim: Any, chapter: Chapter) -> str:
    """The id of a claim, with a link to its verdict where the chapter has the target."""
    target = anchor(claim.id)
    if f"({target})=" in chapter.text:
        return link(claim.id, f"#{target}")
    return plain(claim.id)


def links_of(chapters: Iterable[Chapter]) -> dict[str, str]:
    """The name of every claim, with a link to its verdict."""
    return {claim.id: linked(claim, one) for one in chapters for claim in one.claims}


def count_of(claims: Iterable[Any], ledger: dict[str, dict[str, Any]]) -> str:
    """How often each verdict was given: "12 reproduced, 3 open"."""
    found = Counter(word_of(claim, ledger) for claim in claims)
    return ", ".join(f"{found[word]} {word}" for word in WORDS if found[word])


def changes_page(chapters: Sequence[Chapter], ledger: dict[str, dict[str, Any]]) -> str:
    """book/changes.md: the words of the first scheme, those of today, and why they differ."""
    parts = [
        MARK,
        "(changes)=\n# What changed and why",
        f"{CHANGES_TEXT} {still_exploratory(ledger)}",
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
            if claim.id in OLD_WORDS or claim.changes  # what is younger has no first scheme
        ]
        head = ("Claim", "First scheme", "Today", "What changed in the criterion")
        if rows:
            parts += [
                f"## {chapter.title}",
                table(head, ((a, plain(b), c, plain(d)) for a, b, c, d in rows)),
            ]
    return "\n\n".join(parts) + "\n"


def still_exploratory(ledger: dict[str, Any]) -> str:
    """How many rows fresh networks have still to decide.

    >>> still_exploratory({"A": {"exploratory": False}})
    'None is left.'
    """
    left = sum(row["exploratory"] for row in ledger.values())
    return f"{left} {'is' if left == 1 else 'are'} left." if left else "None is left."


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


def index_page(
    chapters: Sequence[Chapter],
    ledger: dict[str, dict[str, Any]],
    root: Path = execute.BOOK.parent,
    curves: Sequence[landing_figure.Curve] = (),
) -> str:
    """book/index.md."""
    counts = {chapter.key: count_of(chapter.claims, ledger) for chapter in chapters}
    return landing_page.index_page(chapters, ledger, links_of(chapters), counts, root, curves, MARK)


def readme_with_answer(
    readme: str,
    chapters: Sequence[Chapter],
    ledger: dict[str, Any],
    root: Path,
    curves: Sequence[landing_figure.Curve],
) -> str:
    """The README with the answer and its figure between their marks."""
    pages = {claim.id: f"book/{one.page}.md" for one in chapters for claim in one.claims}
    links = {name: link(name, page) for name, page in pages.items()}
    return landing_page.readme_opening(readme, ledger, links, root, curves)


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


def generated(root: Path = execute.BOOK.parent) -> dict[Path, str]:
    """Path and text of everything that is generated from the claims, the ledger and the figures."""
    book, readme = root / "book", root / "README.md"
    chapters, ledger = read_chapters(book), read_ledger(book / "results" / "ledger.json")
    runs = downloads.stored_runs(book)
    curves = landing_figure.read_curves(book / "results")
    found = {
        book / "index.md": index_page(chapters, ledger, root, curves),
        book / "questions.md": questions_page(
            chapters, ledger, links_of(chapters), book / "results", MARK
        ),
        book / "ledger.md": ledger_page(chapters, ledger, runs, MARK),
        book / "changes.md": changes_page(chapters, ledger),
        book / "statistics.md": statistics_page(book / "results", MARK),
        book / "multiverse.md": choices_page(chapters, ledger, book / "results"),
    }
    found |= downloads.generated(chapters, ledger, runs, root)
    if readme.exists():
        text = readme.read_text(encoding="utf-8")
        text = readme_with_answer(text, chapters, ledger, root, curves)
        found[readme] = readme_with_verdicts(text, chapters, ledger)
        results = book / "results"
        found |= {
            book / "known_answers.md": known_answers_page.known_answers_page(MARK),
            book / "rulers.md": rulers_page.rulers_page(ledger, links_of(chapters), MARK),
            book / "status.md": status_page.status_page(chapters, results, MARK),
            book / "get_it.md": get_it_page.get_it_page(root, chapters[0].page, MARK),
            book / "cite.md": cite_page.cite_page(chapters, root, MARK),
        }
    for name, text in landing_page.files(curves).items():
        found[book / "_static" / name] = text
    return found


def main() -> int:
    ledger = execute.BOOK / "results" / "ledger.json"
    try:
        for name in refresh_findings(ledger) if ledger.exists() else []:
            print(f"{name}: its finding is worded anew")
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
