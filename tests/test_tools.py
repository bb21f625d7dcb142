"""The book's own tools: each does what it promises, and each check can fail."""

import copy
from types import SimpleNamespace

import check_site
import execute
import nbformat
import pages
import pytest
import rules

HEADER = "---\nkernelspec:\n  name: python3\n  display_name: Python 3\n---\n\n"
SMALL = (
    HEADER
    + """# Small

Text.

```{code-cell} ipython3
import matplotlib.pyplot as plt
figure, ax = plt.subplots()
_ = ax.plot([1, 2])
plt.show()
```

```{code-cell} ipython3
print("a")
print("b")
{"answer": 42}
```
"""
)


def cell(source, *tags):
    return nbformat.v4.new_code_cell(source, metadata={"tags": list(tags)})


def notebook(*cells, outputs=()):
    """A notebook that is executed in order; ``outputs`` are those of its last cell."""
    made = nbformat.v4.new_notebook(cells=copy.deepcopy(list(cells)))
    for count, one in enumerate(rules.code_cells(made), start=1):
        one.execution_count = count
    if outputs:
        made.cells[-1].outputs = [nbformat.v4.new_output(**output) for output in outputs]
    return made


# Execution ----------------------------------------------------------------------------------


def test_two_executions_give_the_same_bytes(tmp_path):
    """Ids, figures and metadata depend on the text alone, so a diff shows what changed."""
    path = tmp_path / "01_small.md"
    path.write_text(SMALL)
    first, second = execute.execute(path), execute.execute(path)
    assert first == second
    assert "<dc:date>" not in first
    made = nbformat.reads(first, as_version=4)
    assert rules.executed_in_order(made) == rules.outputs_are_clean(made) == []
    assert rules.names_no_machine(made) == []
    assert "image/svg+xml" in made.cells[1].outputs[0].data
    assert made.cells[2].outputs[0].text == "a\nb\n"
    assert set(made.metadata) == {"ibcore", "kernelspec", "language_info"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("import sys; print('half done', file=sys.stderr)", "wrote to stderr"),
        ("import warnings; warnings.warn('look out')", "look out"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_a_chapter_that_complains_is_not_stored(tmp_path, capsys, line, message):
    path = tmp_path / "01_small.md"
    path.write_text(SMALL.replace('print("a")', line))
    assert execute.main([str(path)]) == 1
    assert message in capsys.readouterr().err
    assert not path.with_suffix(".ipynb").exists()


def test_check_compares_and_writes_nothing(tmp_path, capsys):
    path = tmp_path / "01_small.md"
    path.write_text(SMALL)
    assert execute.main([str(path)]) == execute.main(["--check", str(path)]) == 0
    stored = path.with_suffix(".ipynb").read_text()
    path.write_text(SMALL.replace('print("a")', 'print("c")'))
    assert execute.main(["--check", str(path)]) == 1
    assert "differs" in capsys.readouterr().out
    assert path.with_suffix(".ipynb").read_text() == stored


def test_equal_cells_have_different_ids():
    """Notebook ids are unique, also where a cell is repeated."""
    made = execute.read_chapter(HEADER + "```{code-cell}\n1\n```\n\n```{code-cell}\n1\n```\n")
    assert len({one.id for one in made.cells}) == 2


# The limits of a chapter ----------------------------------------------------------------------


PARAMETERS = cell(
    'n_bins: int = 30  # bins on [-1, 1]\nsplit: "Optional[str]" = None  # of the data',
    "parameters",
)
CHECK = cell("import ibcore as ib\nib.check_parameters(globals())")
STDERR = {"output_type": "stream", "name": "stderr", "text": "x"}
HOME = "/" + "home/ann/book"


@pytest.mark.parametrize(
    ("rule", "bad"),
    [
        (rules.cells_are_short, notebook(cell("x = 1\n" * 16))),
        (rules.nothing_is_defined, notebook(cell("def f():\n    return 1"))),
        (rules.nothing_is_defined, notebook(cell("for i in []:\n    class A: pass"))),
        (rules.nothing_is_defined, notebook(cell("import torch.nn as nn"))),
        (rules.nothing_is_defined, notebook(cell("from torch import nn"))),
        (rules.no_trailing_semicolon, notebook(cell("ax.plot();"))),
        (rules.parameters_are_declared, notebook(CHECK)),
        (
            rules.parameters_are_declared,
            notebook(PARAMETERS, cell("m: int = 1  # m", "parameters"), CHECK),
        ),
        (rules.parameters_are_declared, notebook(PARAMETERS, cell("x = 1"), CHECK)),
        (rules.parameters_are_declared, notebook(cell("n = 30  # bins", "parameters"), CHECK)),
        (rules.parameters_are_declared, notebook(cell("n: int = 30", "parameters"), CHECK)),
        (rules.parameters_are_declared, notebook(cell("n: int = m  # m", "parameters"), CHECK)),
        (
            rules.parameters_are_declared,
            notebook(cell("n: int | None = None  # bins", "parameters"), CHECK),
        ),
        (
            rules.parameters_are_declared,
            notebook(cell("n: int = 3  # a = b is not read", "parameters"), CHECK),
        ),
        (rules.prose_carries_it, notebook(cell("x = 1"))),
        (rules.executed_in_order, nbformat.v4.new_notebook(cells=[cell("x = 1")])),
        (rules.outputs_are_clean, notebook(cell("x = 1"), outputs=[STDERR])),
        (rules.outputs_are_clean, notebook(cell("1/0"), outputs=[{"output_type": "error"}])),
        (rules.names_no_machine, notebook(cell(f"open('{HOME}')"))),
        (rules.names_no_machine, notebook(cell("x"), outputs=[STDERR | {"text": HOME}])),
        (rules.verdicts_are_compared, notebook(cell('study.verdict("SZT-F3")'))),
        (rules.verdicts_are_compared, notebook(cell("x = 1"))),
        (
            rules.figures_are_described,
            notebook(
                cell("plt.show()"),
                outputs=[{"output_type": "display_data", "data": {"image/svg+xml": "<svg/>"}}],
            ),
        ),
    ],
)
def test_rule_finds(rule, bad):
    assert rule(bad)


def test_a_good_chapter_breaks_no_rule():
    good = notebook(
        nbformat.v4.new_markdown_cell("Text.\n\n" * 10 + "See https://example.org/home/ann."),
        PARAMETERS,
        CHECK,
        cell('study.verdict("SZT-F3")', "nbval-check-output"),
    )
    assert {rule.__name__: rule(good) for rule in rules.RULES if rule(good)} == {}


# The generated pages --------------------------------------------------------------------------

MORE = {"rank": "headline", "setting": "A", "same_evidence_as": "", "changes": ()}
CLAIM = SimpleNamespace(
    id="SZT-F3", title="two phases", source="fig. 3", statement="It rises | and falls.", **MORE
)
OTHER = SimpleNamespace(
    id="SZT-F4", title="a break", source="fig. 4", statement="Two phases.", **MORE
)
CHAPTER = pages.Chapter(
    "shwartz_ziv", "01_shwartz_ziv", "Two phases", "(verdict-szt-f3)=\n", [CLAIM, OTHER]
)
ROW = {
    "id": "SZT-F3",
    "verdict": "mixed",
    "scope": "4 of 6",
    "finding": "It falls.",
    "exploratory": True,
    "effect": -0.5123,
    "low": -0.62,
    "high": None,
    "unit": "bits",
    "n_seeds": 50,
    "n_not_learnt": 3,
    "scale": "paper",
}


def test_pages_without_a_verdict_say_so():
    assert "Nothing has been judged yet" in pages.index_page([CHAPTER], {})


def test_landing_page_counts_verdicts():
    counts = {CHAPTER.key: pages.count_of(CHAPTER.claims, {"SZT-F3": ROW})}
    table = pages.landing_page.chapter_table([CHAPTER], {}, counts)
    assert "| [Two phases](01_shwartz_ziv.ipynb) |  | 1 mixed, 1 not judged |" in table


def test_readme_shows_the_verdicts_between_its_marks():
    """What was there before is replaced, what stands around stays."""
    readme = "Top\n<!-- verdicts -->\nold\n<!-- /verdicts -->\nend\n"
    once = pages.readme_with_verdicts(readme, [CHAPTER], {"SZT-F3": ROW})
    assert (
        "| [SZT-F3](book/01_shwartz_ziv.md) | two phases | ◐ mixed (4 of 6) | It falls. |" in once
    )
    assert "| [SZT-F4](book/01_shwartz_ziv.md) | a break | – not judged |  |" in once
    assert f"<summary>{CHAPTER.title} (1 mixed, 1 not judged)</summary>" in once
    assert "old" not in once
    assert once.startswith("Top\n")
    assert once.endswith("<!-- /verdicts -->\nend\n")
    assert pages.readme_with_verdicts(once, [CHAPTER], {"SZT-F3": ROW}) == once


def test_every_verdict_has_its_badge():
    """A word that the registry can give and the pages do not know would stop the build."""
    assert set(pages.WORDS) == set(pages.BADGES)


# The check of the built site ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ('<a href="gone.html">x</a>', "gone.html does not exist"),
        ('<a href="#nowhere">x</a>', "no such anchor"),
        ('<a href="other.html#nowhere">x</a>', "no such anchor"),
        ('<img src="gone.svg">', "gone.svg does not exist"),
        ('<script src="https://example.org/a.js"></script>', "from another host"),
        ('<script src="//example.org/a.js"></script>', "from another host"),
        ('<link rel="stylesheet" href="https://example.org/a.css">', "from another host"),
        ('<link rel="preconnect" href="https://example.org">', "from another host"),
        ('<img srcset="a.png 1x, https://example.org/b.png 2x">', "from another host"),
        ('<p style="background: url(https://example.org/a.png)">', "from another host"),
        ("<style>@import 'https://example.org/a.css';</style>", "from another host"),
        ('<iframe src="https://example.org"></iframe>', "from another host"),
    ],
)
def test_site_check_finds(tmp_path, body, problem):
    (tmp_path / "index.html").write_text(body)
    (tmp_path / "other.html").write_text("<p id='there'>")
    assert any(problem in line for line in check_site.check(tmp_path))


def test_site_check_finds_fonts_in_style_sheets(tmp_path):
    (tmp_path / "index.html").write_text("")
    (tmp_path / "a.css").write_text("@font-face {src: url('https://example.org/f.woff2')}")
    assert check_site.check(tmp_path) == [
        "a.css: loads https://example.org/f.woff2 from another host"
    ]


def test_site_check_accepts_what_is_there(tmp_path):
    (tmp_path / "other.html").write_text("<p id='a b'>")
    (tmp_path / "index.html").write_text(
        '<a href="other.html#a%20b">x</a><a href="https://example.org">y</a><a href="#">z</a>'
        '<img src="data:image/png;base64,AA=="><a href="mailto:a@example.org">m</a>'
    )
    assert check_site.check(tmp_path) == []


def test_site_check_wants_a_site(tmp_path):
    """An empty folder has no broken links, and is no site."""
    assert "no page" in check_site.check(tmp_path)[0]


# The extension --------------------------------------------------------------------------------


def test_edit_links_lead_to_the_text():
    """The notebook is generated; an edit of it would be lost."""
    import importlib.util

    path = execute.BOOK / "_ext" / "ib_site.py"
    spec = importlib.util.spec_from_file_location("ib_site", path)
    extension = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(extension)
    edit = {"url": "https://example.org/a/b/edit/main/book/01_x.ipynb"}
    download = {"url": "../_sources/book/01_x.ipynb"}
    context = {"header_buttons": [{"buttons": [edit]}, download]}
    extension.edit_the_text(None, "book/01_x", "page.html", context, None)
    assert edit["url"].endswith("/edit/main/book/01_x.md")
    assert download["url"].endswith(".ipynb")


def test_ids_of_drawings_are_counted_and_references_follow():
    """Two machines whose paths differ in a last bit hash them differently; the picture is one."""
    drawing = (
        '<path id="m{a}"/><use xlink:href="#m{a}"/><g clip-path="url(#p{b})"/>'
        '<clipPath id="p{b}"/><g id="axes_1"/><use href="#DejaVuSans-31"/>'
    )
    here, there = (
        execute._counted(drawing.format(a=10 * a, b=10 * b), "cell-0")
        for a, b in (("1", "2"), ("a", "b"))
    )
    assert here == there
    assert 'id="cell-0-0"/><use xlink:href="#cell-0-0"' in here
    assert 'url(#cell-0-1)"/><clipPath id="cell-0-1"' in here
    assert 'id="axes_1"/><use href="#DejaVuSans-31"' in here
