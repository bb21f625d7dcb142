"""The prose of the book: British spelling, and no result that is typed.

Prose are the sentences of pages and documents, of what is written about claims, and the docstrings
of the library. The words are those of codespell: common misspellings, and its table of British and
American forms read from right to left.
"""

import ast
import re
import tomllib
from functools import cache
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
ALLOWED = tomllib.loads((Path(__file__).parent / "prose.toml").read_text(encoding="utf-8"))
DOCUMENTS = [
    *BOOK.glob("*.md"),
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
]
CHAPTERS = sorted(BOOK.glob("0[0-7]_*.md"))
TABLES = sorted(BOOK.glob("papers/**/*.toml"))
MODULES = sorted((ROOT / "ibcore").rglob("*.py"))


def told(text):
    """A page without code, formulas, addresses and roles; alternative texts and captions stay."""
    heard = re.findall(r"^\s*(?:caption|alt): (.*)$", text, re.M)
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.S)
    text = re.sub(r"^(`{3,})(?!\{[a-z]*(?:note|tip|warning|dropdown)).*?^\1\s*$", "", text,
                  flags=re.S | re.M)  # fmt: skip
    text = re.sub(r"\{term\}`([^<`]*)(?:<[^`]*)?`", r"\1", text)
    text = re.sub(r"\$[^$]*\$|\{[\w:]+\}`[^`]*`|`[^`]*`|\]\([^)]*\)|<[^>]*>", " ", text)
    return "\n".join([text, *heard])


def strings(value):
    """Every string of a table that is a text."""
    if isinstance(value, str):
        return [value] if " " in value else []
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else []
    return [one for part in inside for one in strings(part)]


def docstrings(path):
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    said = "\n".join(ast.get_docstring(node) or "" for node in nodes if isinstance(node, kinds))
    return re.sub(r"``[^`]*``|`[^`]*`|>>>.*", "", said)


@cache
def misspelt():
    """Wrong word -> right one; the names of code and the field's words are left out."""
    data = files("codespell_lib") / "data"

    def pairs(name):
        lines = (data / name).read_text(encoding="utf-8").lower().splitlines()
        return [tuple(line.split("->")) for line in lines if "->" in line]

    american = {
        one.strip(): british
        for british, forms in pairs("dictionary_en-GB_to_en-US.txt")
        for one in forms.split(",")
        if one.strip()
    }
    wrong = american | dict(pairs("dictionary.txt"))
    return {
        word: right for word, right in wrong.items() if word not in ALLOWED["spelling"]["words"]
    }


def faults(text):
    """Words that are misspelt, with what they should be."""
    words = {word.lower() for word in re.findall(r"[^\W\d_][\w'’]+", text)}
    return {word: misspelt()[word] for word in sorted(words) if word in misspelt()}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_pages_are_spelt_as_the_british_do(path):
    assert faults(told(path.read_text(encoding="utf-8"))) == {}


@pytest.mark.parametrize("path", TABLES, ids=lambda path: "/".join(path.parts[-2:]))
def test_claims_are_spelt_as_the_british_do(path):
    assert faults("\n".join(strings(tomllib.loads(path.read_text(encoding="utf-8"))))) == {}


def test_docstrings_are_spelt_as_the_british_do():
    found = {path.name: faults(docstrings(path)) for path in MODULES}
    assert {name: words for name, words in found.items() if words} == {}


def test_misspelt_and_american_words_are_found():
    said = told(
        "We analyze teh *color* of `behavior` in {term}`a neuron's center <x>` and $color$."
    )
    assert list(faults(said)) == ["analyze", "center", "color", "teh"]
    assert faults("We analyse the colour of a program's behaviour.") == {}


def test_no_word_is_allowed_for_nothing():
    texts = [told(path.read_text(encoding="utf-8")) for path in DOCUMENTS]
    texts += ["\n".join(strings(tomllib.loads(path.read_text("utf-8")))) for path in TABLES]
    texts += [docstrings(path) for path in MODULES]
    used = set(re.findall(r"[a-z]+", "\n".join(texts).lower()))
    assert set(ALLOWED["spelling"]["words"]) <= used


# Results are filled, not typed ----------------------------------------------------------------

COUNT = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|twenty|thirty|fifty"
NUMBER = rf"(?:\d[\d \u202f]*(?:\.\d+)?|{COUNT})"
# An amount with a unit, "8 of 10", "nine draws of ten", "one in six".
RESULT = re.compile(
    rf"(?<![\w.^{{-])(?P<amount>\d[\d ]*(?:\.\d+)?)(?:-|\s)?(?P<unit>bits?\b|%|decades?\b|nats?\b)"
    rf"|\b(?P<share>{NUMBER}(?:\s[a-z]+)? (?:in|of|out of) (?!one\b){NUMBER})\b(?!\.?\d)",
)


def sentences(text):
    """The sentences of a page, without headings, code and captions."""
    text = re.sub(r"\A---\n.*?\n---\n|^\([\w-]+\)=$", "", text, flags=re.S | re.M)
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*[-*|>])", text):
        if not paragraph.lstrip().startswith("#"):
            yield from re.split(r"(?<=[.!?;:])\s+(?=\W*[A-Z])", " ".join(paragraph.split()))


def without_code(text):
    return re.sub(r"^(`{3,}).*?^\1\s*$", "", text, flags=re.S | re.M)


def settings(value):
    """Every number of a paper's experiments and criteria; findings are no settings."""
    if isinstance(value, str):
        return [float(one.replace(" ", "")) for one in re.findall(r"\d[\d ]*\d|\d+\.\d+|\d", value)]
    if isinstance(value, int | float):
        return [float(value)]
    if isinstance(value, dict):
        inside = [part for key, part in value.items() if key != "finding"]
    else:
        inside = value if isinstance(value, list) else []
    return [one for part in inside for one in settings(part)]


@cache
def set_in(paper):
    """The numbers that a chapter's experiments and criteria set, also as per cent."""
    files_of_it = (BOOK / "papers" / paper).glob("*.toml")
    tables = [tomllib.loads(file.read_text(encoding="utf-8")) for file in files_of_it]
    found = {one for table in tables for one in settings(table)} | set(ALLOWED["everywhere"]["set"])
    return found | {round(100 * one, 9) for one in found}


def typed(text, known=frozenset()):
    """Sentences with an amount that is no setting, that cites nobody and that nothing fills."""
    for sentence in sentences(without_code(text)):
        if "{cite" in sentence:
            continue
        bare = re.sub(r"\$[^$]*\$|\{[\w:]+\}`[^`]*`|`[^`]*`", " ", sentence)
        for found in RESULT.finditer(bare):
            if found["amount"] is None or float(found["amount"].replace(" ", "")) not in known:
                yield found[0], sentence


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_no_result_is_typed(path):
    """A number of a result comes from the run; theorems and settings are listed, with why."""
    allowed = [one for one in ALLOWED["typed"] if one["page"] == path.name]
    found = [
        (number, sentence)
        for number, sentence in typed(path.read_text(encoding="utf-8"), set_in(path.stem[3:]))
        if not any(one["says"] in sentence for one in allowed)
    ]
    assert found == []


def test_a_typed_result_is_found_and_a_filled_one_is_not():
    text = """# 9.9 bits in a heading

Layer 5 loses 5.6 bits. The noise was set to 0.3 bits. They report 7.1 bits {cite:p}`x`. It loses
{glue:text}`lost` bits and 3.2 % of the rest; eight networks of ten do. Nine of them
do not, with 2.0 of $3$ bits.

```python
lost = "4.4 bits"
```"""
    found = [number for number, _ in typed(text, frozenset({0.3}))]
    assert found == ["5.6 bits", "3.2 %", "eight networks of ten"]


@pytest.mark.parametrize("one", ALLOWED["typed"], ids=lambda one: one["says"][:40])
def test_what_is_allowed_is_still_there_and_says_why(one):
    text = (BOOK / one["page"]).read_text(encoding="utf-8")
    assert one["reason"]
    assert any(one["says"] in sentence for _, sentence in typed(text))


# A verdict is followed by what it means ---------------------------------------------------------


def order_of(text):
    """V for a verdict, P for a paragraph, H for a heading of a section, in the order of a page."""
    marks = []
    for part in re.split(r"(^```.*?^```\s*$)", text, flags=re.S | re.M):
        if part.startswith("```"):
            marks += ["V"] * len(re.findall(r"study\.verdict\(", part))
            continue
        for paragraph in re.split(r"\n\s*\n", part):
            told_here = re.sub(r"^(\([\w-]+\)=|###.*)$", "", paragraph, flags=re.M).strip()
            if told_here:
                marks.append("H" if told_here.startswith("## ") else "P")
    return "".join(marks)


def unexplained(order):
    """Runs of verdicts that end a section without a sentence, or that are longer than three."""
    return re.findall(r"V+(?=H|$)|V{4,}", order)


@pytest.mark.parametrize("path", CHAPTERS[1:], ids=lambda path: path.name)
def test_every_verdict_is_explained_before_the_section_ends(path):
    assert unexplained(order_of(path.read_text(encoding="utf-8"))) == []


def test_a_verdict_without_a_sentence_is_found():
    cell = '```{code-cell} ipython3\nstudy.verdict("A")\n```\n'
    assert unexplained(order_of(f"## One\n\n{cell}\n## Two\n\nSo.\n\n{cell}\nWhy.")) == ["V"]
    assert unexplained(order_of(f"{cell}\n### Next\n\n" * 4 + "Why.")) == ["VVVV"]
