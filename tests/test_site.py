"""What the extension makes of a page, on small pages; and what the sources of the book owe it."""

import dataclasses
import doctest
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import check_site
import ib_site
import pytest
import site_access
import site_cells
import site_claims
import site_figures
import site_finish
import site_head
import site_labels
import site_menu
import site_search
import site_text
import yaml
from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"


BADGE = '<span class="verdict verdict-part">◐ mixed</span>'
PAGE = site_finish.Page(
    site=Path("nowhere"),
    name="book/03_saxe.html",
    book="The Book",
    chapters={1: "book/01_szt.html", 2: "book/02_rulers.html", 3: "book/03_saxe.html"},
    words={"verdict-szt-f1": BADGE},
)
WHOLE = """<html><head><meta name="viewport" content="a"/><meta name="viewport" content="b"/>
<title>T</title><script src="_static/mathjax/x.js"></script><script src="scripts/fontawesome.js">
</script></head><body><main><article>{}</article></main></body></html>"""


def changed(html, *passes, page=PAGE):
    """A page whose article is ``html``, after some passes."""
    soup = BeautifulSoup(WHOLE.format(html), "html.parser")
    for one in passes:
        one(soup, page)
    return soup


def cell(source="x = 1", output=None, tags=""):
    given = f'<div class="cell_output">{output}</div>' if output else ""
    return (
        f'<div class="cell {tags}"><div class="cell_input"><pre>{source}</pre></div>{given}</div>'
    )


@pytest.mark.parametrize("module", [site_finish, site_menu, site_text], ids=lambda m: m.__name__)
def test_examples_of_the_passes(module):
    found = doctest.testmod(module)
    assert found.attempted
    assert not found.failed


# Code -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "name"),
    [
        ('<figure><img src="a.svg"/></figure>', site_cells.OF_A_FIGURE),
        ('<div class="judged">reproduced</div>', site_cells.OF_A_VERDICT),
        ("<pre>3</pre>", site_cells.OF_A_RESULT),
    ],
)
def test_code_is_folded_below_what_it_gives(output, name):
    soup = changed(cell(output=output), site_cells.fold_the_code)
    fold = soup.select_one(".cell > details.code")
    assert fold.summary.text == name
    assert not fold.has_attr("open")
    assert fold.select_one(".cell_input pre").text == "x = 1"
    assert fold.find_previous_sibling(class_="cell_output") is not None
    assert not fold.select(".cell_output")


def test_setup_and_parameters_are_one_line():
    cells = (
        cell("p = 1", tags="tag_parameters") + "\n" + cell("import ibcore") + "\n" + cell("y = 2")
    )
    soup = changed(cells + "<p>Prose.</p>" + cell("z = 3"), site_cells.fold_the_code)
    first, last = soup.select("details.code")
    assert first.summary.text == site_cells.SETUP
    assert [pre.text for pre in first.select("pre")] == ["p = 1", "import ibcore", "y = 2"]
    assert last.summary.text == site_cells.PREPARATION


def test_a_cell_that_gives_something_is_not_merged():
    soup = changed(cell("a = 1", "<pre>1</pre>") + cell("b = 2"), site_cells.fold_the_code)
    assert [fold.find("pre").text for fold in soup.select("details.code")] == ["a = 1", "b = 2"]


def test_folding_twice_changes_nothing():
    once = changed(cell(output="<pre>1</pre>"), site_cells.fold_the_code)
    again = changed(cell(output="<pre>1</pre>"), *[site_cells.fold_the_code] * 2)
    assert str(once) == str(again)


# Verdicts in the menu -------------------------------------------------------------------------

VERDICT = """<section id="verdict-the-chain"><span id="verdict-szt-f1"></span>
<h3>Verdict: the chain<a class="headerlink" href="#verdict-the-chain">#</a></h3></section>
<section id="other"><h3>Other</h3></section>
<nav class="page-toc"><a class="nav-link" href="#verdict-the-chain">Verdict: the chain</a>
<a class="nav-link" href="#other">Other</a></nav>"""


def test_the_word_stands_in_the_heading_and_in_the_menu():
    soup = changed(VERDICT, site_menu.words_in_headings)
    assert soup.h3.text == "Verdict: the chain ◐ mixed#"
    assert [link.text for link in soup.select("nav a")] == ["Verdict: the chain ◐ mixed", "Other"]


def test_every_verdict_of_the_chapters_has_its_word():
    """An anchor that no claim of the ledger has would leave its heading without a word."""
    words = site_finish.badges(BOOK / "results" / "ledger.json")
    anchors = {
        anchor
        for path in BOOK.glob("[0-9][0-9]_*.md")
        for anchor in re.findall(r"^\((verdict-[\w-]+)\)=$", path.read_text(), re.M)
    }
    assert anchors
    assert anchors <= set(words)


def test_a_fold_of_the_menu_has_a_name():
    menu = """<ul><li class="has-children"><a href="x">The  library</a>
    <details><summary><i class="fa-x"></i></summary></details></li></ul>"""
    assert changed(menu, site_access.repair).summary["aria-label"] == "Pages of: The library"


def test_lines_of_a_signature_are_no_definitions():
    soup = changed("<dl><dt>f(<dl><dd>x,</dd></dl>)</dt><dd>It.</dd></dl>", site_access.repair)
    assert len(soup.find_all("dl")) == 1
    assert soup.select_one("dt .sig-line").text == "x,"


# The claims of a chapter ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rank", "name"), [("headline", "headline claims"), ("control", "controls")]
)
def test_a_chapter_opens_with_its_claims(rank, name):
    """Headline claims and controls in sight, others folded, before the setup; text stays text."""
    chapter = f"""<section id="top"><h1>T</h1><p>Story.</p><div class="cell tag_parameters"></div>
    <section id="a">{VERDICT}<section id="rest"><span id="verdict-b"></span>
    <h3>Verdict: it rises</h3></section></section></section>"""
    rows = {
        "verdict-szt-f1": {"rank": rank, "finding": "It is <b>so</b>."},
        "verdict-b": {"rank": "check", "finding": "Yes."},
    }
    words = {"verdict-szt-f1": BADGE, "verdict-b": BADGE}
    page = dataclasses.replace(PAGE, rows=rows, words=words)
    soup = changed(chapter, site_claims.claims_first, page=page)
    shown, folded = soup.select(".claims-first table")
    assert [one.text for one in shown.select("td")] == ["The chain", "◐ mixed", "It is <b>so</b>."]
    assert shown.a["href"] == "#verdict-szt-f1"
    assert shown.caption.text == f"The {name} of this chapter"
    assert folded.find_parent("details").summary.text == "1 other claim that the chapter judges"
    assert soup.select_one(".claims-first").find_next_sibling("div")["class"][0] == "cell"


def test_a_page_without_claims_has_no_table_of_them():
    soup = changed(VERDICT, site_claims.claims_first)
    assert not soup.select(".claims-first")


# Prose ----------------------------------------------------------------------------------------


def links(html):
    soup = changed(html, site_text.chapters_are_links)
    return {link.text: link["href"] for link in soup.select("a[href]")}


def test_chapters_that_are_cited_are_links():
    said = "<p>As chapter 1's first act, Chapter 2 and chapters 1 and 2.</p>"
    assert links(said) == {
        "chapter 1": "01_szt.html",
        "Chapter 2": "02_rulers.html",
        "chapters 1": "01_szt.html",
        "2": "02_rulers.html",
    }


@pytest.mark.parametrize(
    "said",
    [
        "<p>The previous chapter, this chapter.</p>",
        "<p>What chapter 3 is.</p>",  # this page
        "<p>Chapter 9 is not there.</p>",
        "<p>Chapter 2 of their book.</p>",
        "<h2>After chapter 1</h2>",
        "<pre>chapter 1</pre>",
        "<p><code>chapter 1</code></p>",
    ],
)
def test_other_chapters_stay_words(said):
    assert links(said) == {}


def test_a_chapter_that_is_a_link_already_is_left():
    assert links('<p><a href="x.html">chapter 1</a></p>') == {"chapter 1": "x.html"}


def test_numbers_do_not_break_in_prose_but_code_is_left():
    soup = changed(
        "<p>All 4 096 inputs, 87.5 %</p><pre>a = 10 000</pre><span class='math'>10 000</span>",
        site_text.numbers_stay_whole,
    )
    assert soup.p.text == "All 4\u202f096\u00a0inputs, 87.5\u202f%"
    assert soup.pre.text == "a = 10 000"
    assert soup.select_one(".math").text == "10 000"


def test_a_number_at_the_end_of_a_line_of_the_source():
    assert site_text.unbroken("of 10\n000 test") == "of 10\u202f000 test"


def test_the_name_of_a_claim_does_not_break_and_a_title_may():
    soup = changed(
        '<article><a href="a.html#verdict-a-1">A-1</a><a href="#verdict-a-1">a short fit</a>'
        '<a href="b.html">B-2</a></article>',
        site_text.names_of_claims_stay_whole,
    )
    assert [a.text for a in soup.select("a.whole")] == ["A-1"]


# The head -------------------------------------------------------------------------------------

LONG = "<h1>A chapter</h1><p>" + "In 2017 they trained networks on a small task. " * 8 + "</p>"


def test_one_viewport_title_and_description():
    soup = changed(LONG, site_head.one_description)
    assert len(soup.select('meta[name="viewport"]')) == 1
    assert soup.title.text == "A chapter – The Book"
    about = soup.find("meta", attrs={"name": "description"})["content"]
    assert about.startswith("In 2017 they trained")
    assert len(about) <= site_head.LONGEST + 2
    assert soup.find("meta", property="og:description")["content"] == about
    assert soup.find("meta", property="og:title")["content"] == "A chapter"


def test_the_first_page_is_named_once():
    soup = changed("<h1>The book</h1>", site_head.one_description)
    assert soup.title.text == "The book"


@pytest.mark.parametrize(("html", "kept"), [("<p>no</p>", 0), ('<p class="math">x</p>', 1)])
def test_mathematics_alone_loads_its_script(html, kept):
    soup = changed(html, site_head.only_needed_scripts)
    assert len(soup.find_all("script", src=re.compile("mathjax"))) == kept
    assert not soup.find_all("script", src=re.compile("fontawesome"))


# Keyboards and screen readers -----------------------------------------------------------------


def test_tables_are_reached_and_corners_are_no_headings():
    soup = changed(
        "<table><thead><tr><th></th><th>a</th></tr></thead><tr><th>r</th><td>1</td></tr></table>",
        site_access.repair,
    )
    assert soup.table.parent["tabindex"] == "0"
    assert soup.table.parent["aria-label"]
    assert [head["scope"] for head in soup.find_all("th")] == ["col", "row"]


def test_buttons_are_called_what_they_say():
    soup = changed(
        '<button class="search-button-field" aria-label="Search" title="Search">Search</button>'
        '<button title="Menu"><i class="fas fa-bars"></i></button>',
        site_access.repair,
    )
    field, menu = soup.find_all("button")
    assert not field.has_attr("aria-label")
    assert menu["aria-label"] == "Menu"
    assert soup.i["aria-hidden"] == "true"


def test_no_role_that_is_no_longer_allowed():
    soup = changed(
        '<div class="citation-list" role="list"><div role="doc-biblioentry">x</div></div>',
        site_access.repair,
    )
    assert not soup.select("[role]")


# Figures --------------------------------------------------------------------------------------


@pytest.fixture
def drawn(tmp_path):
    """A page with two figures, one drawing and one photograph."""
    (tmp_path / "_images").mkdir()
    (tmp_path / "_images" / "a.svg").write_text(
        '<svg height="72pt" version="1.1" viewBox="0 0 144 72" width="144pt"></svg>'
    )
    png = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (30).to_bytes(4, "big") + (20).to_bytes(4, "big")
    (tmp_path / "_images" / "b.png").write_bytes(png)
    html = "".join(
        f'<figure id="fig-{name[0]}"><img src="../_images/{name}"/>'
        "<figcaption>C</figcaption></figure>"
        for name in ("a.svg", "b.png")
    )
    page = site_finish.Page(site=tmp_path, name="book/x.html")
    passes = (site_figures.enlarge_and_download, site_figures.sizes_and_lazy_loading)
    return changed(html, *passes, page=page)


def test_a_figure_is_a_link_to_itself_and_can_be_kept(drawn):
    assert [link["href"] for link in drawn.select("a.enlarge:has(img)")] == [
        "../_images/a.svg",
        "../_images/b.png",
    ]
    assert [link["download"] for link in drawn.select("figcaption a")] == ["fig-a.svg", "fig-b.png"]


def test_images_have_sizes_and_all_but_the_first_wait(drawn):
    found = [(i["width"], i["height"], i.get("loading")) for i in drawn.find_all("img")]
    assert found == [("192", "96", None), ("30", "20", "lazy")]


DRAWING = (
    '<?xml version="1.0"?><svg width="144pt" height="72pt" viewBox="0 0 144 72">'
    "<metadata>m</metadata>"
    '<metadata class="data" type="text/csv">panel,series\n1,a &amp; b\n</metadata>'
    '<defs><style type="text/css">*{stroke-linejoin: round}</style></defs>'
    '<g id="figure_1"><path id="p" d="M 1 2 L 2 3 z" style="fill: #777777"/>'
    '<use xlink:href="#p" x="1.23456" clip-path="url(#c)"/></g>'
    "<text style=\"font: 11px 'DejaVu Sans', sans-serif\">epoch</text></svg>"
)


@pytest.fixture
def finished(tmp_path):
    """A page with a drawing that holds its data, and a finding in alt text and caption."""
    (tmp_path / "_images").mkdir()
    (tmp_path / "_images" / "a.svg").write_text(DRAWING)
    html = (
        '<figure id="fig-a"><img alt="A line. {finding SZT-F1}" src="../_images/a.svg"/>'
        "<figcaption><p>{finding SZT-F1, 1} See it.</p></figcaption></figure>"
    )
    rows = {"verdict-szt-f1": {"finding": "It falls by 2.5 bits. It rises."}}
    page = site_finish.Page(site=tmp_path, name="book/x.html", rows=rows)
    passes = (
        site_figures.say_what_is_found,
        site_figures.drawings_in_the_page,
        site_figures.enlarge_and_download,
    )
    return changed(html, *passes, page=page)


def test_a_drawing_is_text_of_the_page_with_ids_of_its_own(finished):
    drawing = finished.select_one("a.enlarge > svg.drawing")
    assert drawing.find("text").string == "epoch"
    assert drawing["aria-label"] == "A line. It falls by 2.5 bits. It rises."
    assert (drawing["role"], drawing["width"], drawing["height"]) == ("img", "192", "96")
    text = str(drawing)
    assert 'id="fig-a-p"' in text
    assert "#fig-a-p" in text
    assert "url(#fig-a-c)" in text
    assert "currentColor" in text
    assert not any(word in text for word in ("#777777", "DejaVu", "<style", "metadata", "figure_1"))


def test_a_caption_says_what_is_found_and_offers_drawing_and_data(finished, tmp_path):
    caption = finished.find("figcaption")
    assert caption.p.string == "It falls by 2.5 bits. See it."
    kept = {link["download"]: link["href"] for link in caption.select("a[download]")}
    assert kept == {
        "fig-a.svg": "../_images/a.svg",
        "fig-a.csv": "../_downloads/figures/fig-a.csv",
    }
    table = (tmp_path / "_downloads" / "figures" / "fig-a.csv").read_text()
    assert table == "panel,series\n1,a & b\n"


def test_a_drawing_for_which_there_is_no_room_stays_an_image(tmp_path, monkeypatch):
    monkeypatch.setattr(site_figures, "MOST", 10)
    (tmp_path / "_images").mkdir()
    (tmp_path / "_images" / "a.svg").write_text(DRAWING)
    page = site_finish.Page(site=tmp_path, name="book/x.html")
    soup = changed(
        '<img alt="A" src="../_images/a.svg"/>', site_figures.drawings_in_the_page, page=page
    )
    assert soup.img["data-table"] == "../_downloads/figures/drawing-0.csv"


def test_a_finding_that_is_not_there_is_named():
    rows = {"verdict-szt-f1": {"finding": ""}}
    with pytest.raises(ValueError, match="no finding of SZT-F1 in the ledger"):
        site_figures.found("{finding SZT-F1}", rows)


def test_captions_and_alt_texts_name_claims_that_have_a_finding():
    """Every {finding X} of a chapter can be filled, and every figure has words of its own."""
    rows = site_finish.rows_of(ROOT / "book" / "results" / "ledger.json")
    filled = 0
    for chapter in sorted((ROOT / "book").glob("[0-9][0-9]_*.md")):
        for line in chapter.read_text(encoding="utf-8").splitlines():
            if "{finding " in line:
                assert line.lstrip().startswith(("alt:", "caption:")), line
                assert "{finding" not in site_figures.found(line, rows)
                filled += 1
    assert filled > 60


# Search and references ------------------------------------------------------------------------


def test_sections_are_found_each_with_its_own_text():
    soup = changed(
        '<section id="a"><h1>Page<a class="headerlink">#</a></h1><p>One.</p>'
        '<section id="b"><h2>Part</h2><p>4\u202f096 two.'
        '<i class="term-note">n</i></p><pre>code</pre></section></section>'
    )
    assert site_search.sections(soup, PAGE) == [
        ["book/03_saxe.html", "", "Page", "Page", "One."],
        ["book/03_saxe.html", "b", "Page", "Part", "4096 two."],
    ]


def test_where_a_verdict_comes_from_is_not_searched():
    """Versions and seeds are the same in every box, and hide what was found."""
    soup = changed(
        '<section id="a"><h1>Page</h1><div class="judged"><p>Found.</p><p class="provenance">50'
        ' seeds</p><details class="origin"><summary>From</summary>numpy</details></div></section>'
    )
    ((*_, text),) = site_search.sections(soup, PAGE)
    assert text == "Found."


def test_the_page_of_the_search_loads_our_script_only():
    soup = BeautifulSoup(
        "<html><body>"
        + "".join(
            f'<script src="{name}.js?v=1"></script>'
            for name in ("_static/searchtools", "_static/language_data", "searchindex", "doctools")
        )
        + "</body></html>",
        "html.parser",
    )
    site_search.use_our_search(soup, site_finish.Page(Path("x"), "search.html"))
    found = [script["src"].partition("?")[0] for script in soup.find_all("script")]
    assert found == ["_static/sections.js", "_static/search.js", "doctools.js"]
    script = (BOOK / "_static" / "search.js").read_text()
    assert not re.search(r"\b(fetch|XMLHttpRequest|import)\s*\(", script)


def test_labels_are_authors_and_year():
    from pybtex.database import parse_string

    text = "".join(
        f"@misc{{{key}, author={{{who}}}, title={{{key}}}{year}}}"
        for key, who, year in [
            ("a", "Saxe, A and Bansal, B and Dapello, C", ", year=2018"),
            ("b", "Tishby, N and Zaslavsky, N", ", year=2015"),
            ("c", "van den Berg, Rianne", ", year=2019"),
            ("d", "Gabri{\\'e}, M", ", year=2018"),
            ("e", "Gabri{\\'e}, M", ", year=2018"),
            ("f", "Dong, S", ""),
        ]
    )
    entries = parse_string(text, "bibtex").entries.values()
    assert list(site_labels.AuthorYearLabels().format_labels(entries)) == [
        "Saxe et al., 2018",
        "Tishby and Zaslavsky, 2015",
        "van den Berg, 2019",
        "Gabrié, 2018a",
        "Gabrié, 2018b",
        "Dong, no year",
    ]


# A whole site ---------------------------------------------------------------------------------


def test_a_finished_page_is_left_alone(tmp_path):
    (tmp_path / "book").mkdir()
    page = tmp_path / "book" / "01_x.html"
    page.write_text(WHOLE.format("<h1>One</h1><p>In 10 000 epochs.</p>" + cell()))
    ledger = tmp_path / "ledger.json"
    ledger.write_text(json.dumps([]))
    site_finish.finish(tmp_path, ledger, "The Book")
    once = page.read_text()
    assert "10\u202f000\u00a0epochs" in once
    site_finish.finish(tmp_path, ledger, "The Book")
    assert page.read_text() == once


ONE = "<p>A paragraph.</p>"
CITED = '<p>{} <a href="{}.html#f"><span class="std-numref">Fig. 1.2</span></a></p>'
HEAD = '<meta name="viewport"/><meta name="description"/>'


@pytest.mark.parametrize(
    ("head", "html", "problem"),
    [
        (HEAD, ONE, None),
        (HEAD * 2, ONE, "2 viewports"),
        ('<meta name="viewport"/>', ONE, "no description"),
        (HEAD, ONE + '<i id="a"></i><i id="a"></i>', "the id a stands twice"),
        (HEAD, ONE + '<div class="cell_input">x = 1</div>', "code in sight"),
        (HEAD, ONE + '<details open><div class="cell_input">x</div></details>', "code in sight"),
        (HEAD, ONE + '<details><div class="cell_input">x</div></details>', None),
        (HEAD + '<script src="mathjax/a.js"></script>', ONE, "MathJax without mathematics"),
        (HEAD, ONE + '<img src="a.svg" alt="A"/>', "image without a size"),
        (HEAD, ONE + '<img src="a.svg" width="1" height="1"/>', "image without words"),
        (
            HEAD,
            CITED.format("The networks of", "01_szt"),
            "Fig. 1.2 without its chapter",
        ),
        (
            HEAD,
            CITED.format("In chapter 1,", "01_szt"),
            None,
        ),
        (
            HEAD,
            CITED.format("See", "03_saxe"),
            None,
        ),
    ],
)
def test_what_the_check_finds(head, html, problem):
    text = f"<html><head>{head}</head><body><main><article>{html}</article></main></body></html>"
    found = check_site.unkept(text, "03_saxe.html")
    assert (not found) if problem is None else (problem in found[0] and len(found) == 1)


# The sources ----------------------------------------------------------------------------------


def prose_lines(path):
    """The lines of a text outside code and directives, with their numbers."""
    fence = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        mark = re.match(r"\s*(`{3,}|~{3,})", line)
        if mark and fence is None:
            fence = mark[1] if "code" in line or line.strip(" `~") == "" or "bash" in line else None
        elif mark and fence and line.strip().startswith(fence):
            fence = None
        elif fence is None:
            yield number, line


@pytest.mark.parametrize("path", sorted(BOOK.glob("*.md")), ids=lambda path: path.name)
def test_no_line_of_prose_is_swallowed(path):
    """A line that begins with % is a comment to the parser: its sentence would not be printed."""
    assert [number for number, line in prose_lines(path) if re.match(r"\s*%", line)] == []


def test_a_swallowed_line_is_found(tmp_path):
    text = tmp_path / "x.md"
    text.write_text("falls to 90\n% of it\n```{code-cell}\n%matplotlib inline\n```\n% again\n")
    assert [n for n, line in prose_lines(text) if line.startswith("%")] == [2, 6]


CHAPTERS = sorted(BOOK.glob("0[1-7]_*.md"))
INTERNAL = re.compile(
    r"\b([Tt]he|[Tt]his) row (asks|measures|waits|therefore|is judged)|\b(sheet|registry)\b"
)


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_prose_speaks_no_internal_word(path):
    """Rows, sheets and the registry are how the book is made, not what it says."""
    assert [line for _, line in prose_lines(path) if INTERNAL.search(line)] == []


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.name)
def test_every_chapter_explains_its_words(path):
    """At least four terms of the glossary are explained on the spot."""
    used = {one for _, line in prose_lines(path) for one in re.findall(r"\{term\}`([^`]+)`", line)}
    assert len(used) >= 4


def test_chapters_are_numbered_as_they_are_cited():
    """The number that the menu gives a chapter is the one in its file's name, which texts cite."""
    parts = yaml.safe_load((ROOT / "_toc.yml").read_text())["parts"]
    numbered = [
        entry["file"] for part in parts if part.get("numbered") for entry in part["chapters"]
    ]
    assert [int(Path(name).name[:2]) for name in numbered] == list(range(1, len(numbered) + 1))
    others = [
        entry["file"] for part in parts if not part.get("numbered") for entry in part["chapters"]
    ]
    assert not [name for name in others if re.match(r"0[1-9]_", Path(name).name)]


def test_every_sign_of_a_button_is_drawn():
    """The pages built last show no sign that signs.css does not draw."""
    drawn = set(re.findall(r"\.(fa-[\w-]+)", (BOOK / "_static" / "signs.css").read_text()))
    site = ROOT / "_build" / "html" / "book"
    used = {
        name
        for path in site.glob("*.html")
        for icon in BeautifulSoup(path.read_text(), "html.parser").select("i[class*=fa-]")
        for name in icon["class"]
        if name.startswith("fa-") and name not in {"fa-solid", "fa-lg", "fa-brands"}
    }
    assert used <= drawn


# One setting for the address ------------------------------------------------------------------


def built(folder, address):
    """A book of two pages with the book's own configuration, and this address."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    config["repository"]["url"] = address
    (folder / "_config.yml").write_text(yaml.safe_dump(config))
    (folder / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nchapters:\n- file: book/01_one.ipynb\n"
    )
    book = folder / "book"
    book.mkdir()
    shutil.copytree(BOOK / "_ext", book / "_ext", ignore=shutil.ignore_patterns("__pycache__"))
    (book / "_static").mkdir()
    for name in ("custom.css", "signs.css", "site.js", "search.js", "favicon.png"):
        shutil.copy(BOOK / "_static" / name, book / "_static")
    (book / "references.bib").write_text("")
    (book / "index.md").write_text("# Book\n\nWords about it.\n")
    notebook = {
        "cells": [
            {"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# One\n\nWords."}
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (book / "01_one.ipynb").write_text(json.dumps(notebook))
    done = subprocess.run(
        [Path(sys.executable).with_name("jupyter-book"), "build", ".", "-W", "-n", "--keep-going"],
        cwd=folder, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    page = (folder / "_build" / "html" / "book" / "01_one.html").read_text()
    return BeautifulSoup(page, "html.parser")


def test_no_address_no_buttons(tmp_path):
    page = built(tmp_path, "")
    assert not [a["href"] for a in page.select(".article-header-buttons a[href^=http]")]


def test_with_its_address_the_repository_has_all_buttons(tmp_path):
    page = built(tmp_path, "https://github.com/someone/book")
    found = [a["href"] for a in page.select(".article-header-buttons a[href^=http]")]
    beginnings = (
        "https://github.com/someone/book",
        "https://github.com/someone/book/edit/main/book/01_one.md",
        "https://github.com/someone/book/issues/new",
        "https://mybinder.org/v2/gh/someone/book/main",
    )
    for beginning in beginnings:
        assert [url for url in found if url.startswith(beginning)], (beginning, found)


@pytest.mark.parametrize(
    ("address", "kinds"),
    [
        ("", (False, False)),
        ("https://example.org/x", (True, False)),
        ("https://gitlab.com/a/b", (True, True)),
    ],
)
def test_buttons_that_a_forge_has(address, kinds):
    class Config:
        html_theme_options = {"repository_url": address}  # noqa: RUF012

    ib_site.buttons_from_the_address(None, Config)
    options = Config.html_theme_options
    assert (options["use_repository_button"], options["use_issues_button"]) == kinds
    assert bool(options["launch_buttons"]) == kinds[0]
