"""Where the pages send their readers: each link to a state of the laboratory shows what is said.

The links are read from the pages; each page has a check that must follow all of its links, by the
words that they bear, and that holds its sentences to the numbers of the laboratory.
"""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import pytest
import test_lab_page
from site_browser import BROWSER
from test_lab_page import ARRIVED, numbers, opened

import ibcore as ib

BOOK = Path(__file__).parents[1] / "book"
LINK = re.compile(r"\{lab\}`([^`<]+?)\s*<([^>`]+)>`")
page, site = test_lab_page.page, test_lab_page.site  # fixtures
needs_browser = pytest.mark.skipif(BROWSER is None, reason="no browser on the PATH")


def links(path):
    """{words of a link: its state} of a page."""
    found = [(" ".join(w.split()), state) for w, state in LINK.findall(path.read_text("utf-8"))]
    assert len(dict(found)) == len(found), f"{path.name}: two links bear the same words"
    return dict(found)


def all_links():
    """{page: its links}; those of the laboratory's own page are walked in test_lab_page."""
    pages = (path for path in sorted(BOOK.glob("*.md")) if path.name != "laboratory.md")
    return {path.stem: found for path in pages if (found := links(path))}


def each(layers, what, which):
    """A number of some layers, counted from 1; the output is 6."""
    return [layers[k - 1][what] for k in which]


HIDDEN, ALL = range(1, 6), range(1, 7)
CEILING = pytest.approx(12, abs=0.1)  # bits: of 4096 inputs


def half_is_lost(layers, layer=5):
    one = layers[layer - 1]
    return one["lost"] > 0.5 * one["top"]


def test_the_way_to_a_verdict_is_one_that_the_library_takes():
    """The command and the Python of the page ask the same, and the study accepts it."""
    text = (BOOK / "laboratory.md").read_text(encoding="utf-8")
    command = shlex.split(re.search(r"```bash\n(.*?)```", text, re.DOTALL)[1])
    asked = dict(word.split("=", 1) for before, word in pairwise(command) if before == "--set")
    source = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
    found = re.search(r"^(ib\.Study\(.*\))\.verdict\(\"(.*)\"\)$", source, re.MULTILINE)
    study = eval(found[1], {"ib": ib})
    assert command[:4] == ["python", "-m", "ibcore", "run"]
    assert found[1] == (
        f'ib.Study("{command[4]}", claim="{found[2]}", '
        f'ruler="{asked["ruler"]}", n_seeds={asked["n_seeds"]})'
    )
    assert command[command.index("--claim") + 1] == found[2] in {one.id for one in study.claims}


# What the pages say ---------------------------------------------------------------------------


def shwartz_ziv(at):
    edges = at("under the edges of the released code")
    assert min(each(edges, "lost", (3, 4, 5, 6))) > 0.5
    exact = at("Take the ruler away")
    assert max(each(exact, "lost", (3, 4))) < 0.25
    assert each(exact, "first", (3, 4)) == [CEILING] * 2
    assert min(each(exact, "lost", (5, 6))) > 0.25


def estimators(at):
    equal, adaptive = at("thirty equal bins"), at("thirty adaptive ones")
    assert equal[3]["lost"] < 0.5 < 1 < adaptive[3]["lost"]
    assert min(equal[4]["lost"], adaptive[4]["lost"]) > 0.5


def saxe(at):
    fixed = at("a hundred bins over the run")
    assert max(each(fixed, "lost", HIDDEN)) < 0.5
    relu, tanh = at("thirty adaptive bins"), at("a tanh network")
    assert min(each(relu, "lost", (4, 5))) > 0.5
    assert all(tanh[k]["lost"] >= 2 * relu[k]["lost"] for k in (3, 4))


def chelombiev(at):
    fixed = at("thirty bins over the run")
    assert max(each(fixed, "top", (1, 2, 3))) < 0.5
    assert max(each(fixed, "lost", ALL)) < 0.5
    adaptive = at("Thirty bins that follow each layer")
    assert min(each(adaptive, "end", (1, 2, 3))) > 0.75 * 12
    assert min(each(adaptive, "lost", (4, 5))) > 0.5


def goldfeld(at):
    coarse, fine = at("four bins"), at("a thousand and twenty-four")
    assert each(fine, "end", (1, 2, 3, 4)) == [CEILING] * 4
    assert max(each(coarse, "end", (1, 2, 3, 4))) < 11.5
    assert 3 * coarse[4]["end"] < fine[4]["end"] < 0.75 * 12


def dong(at):
    assert at("a tanh network")[4]["lost"] > 0.5
    relu = at("a ReLU network")
    assert all(one["gained"] > 0.5 and one["lost"] < 0.1 for one in relu[:5])


def controls(at):
    thirty, four, two = at("Thirty bins"), at("Four bins"), at("two bins")
    for layer in (0, 1):
        assert [thirty[layer][when] for when in ("first", "end")] == [CEILING] * 2
        assert thirty[layer]["lost"] < 0.05
        assert two[layer]["top"] < four[layer]["top"] < 11.5
        assert four[layer]["lost"] < 0.5 < two[layer]["lost"]


def questions(at):
    assert half_is_lost(at("eight bits a unit"))
    assert max(each(at("in float32 numbers"), "lost", ALL)) < 0.5
    kept = at("bins over the whole run")[4]
    assert kept["lost"] < 0.05 < kept["gained"]
    assert at("bins that follow it")[4]["lost"] > 2
    assert min(at(words)[4]["lost"] for words in ("in the former", "in the latter")) > 2


def landing(at):
    assert half_is_lost(at("gives up more than half of what it knew"))
    assert max(each(at("no layer loses half a bit"), "lost", ALL)) < 0.5
    turning = at("rises and then turns back")[4]
    assert min(turning["gained"], turning["lost"]) > 0.25


CHECKS = {
    "01_shwartz_ziv": shwartz_ziv,
    "02_estimators": estimators,
    "03_saxe": saxe,
    "04_chelombiev": chelombiev,
    "05_goldfeld": goldfeld,
    "06_dong": dong,
    "07_controls": controls,
    "index": landing,
    "questions": questions,
}


def test_every_page_with_a_link_is_checked():
    assert sorted(all_links()) == sorted(CHECKS)


@needs_browser
@pytest.mark.parametrize("name", CHECKS)
def test_states_show_what_is_said(page, site, name):
    given, followed = all_links()[name], set()

    def at(words):
        """The numbers of the state to which the link with these words leads."""
        followed.add(words)
        opened(page, site, given[words])
        assert page.evaluate(ARRIVED, given[words])
        net = re.search(r"net=([^&]+)", given[words])[1]
        assert page.evaluate("document.querySelector('.lab').bench.state.net").startswith(f"{net}-")
        return numbers(page)

    CHECKS[name](at)
    assert followed == set(given)
