"""The glossary, and the notes that show its explanations where a term is used."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from sphinx.application import Sphinx

BOOK = Path(__file__).parents[1] / "book"
TEXT = (BOOK / "glossary.md").read_text(encoding="utf-8")
PAGES = {path.name: path.read_text(encoding="utf-8") for path in sorted(BOOK.glob("*.md"))}
BROWSER = shutil.which("chromium") or shutil.which("google-chrome")

ROLE = re.compile(r"\{term\}`(?:[^`<]*<([^`>]+)>|([^`<]+))`")
LINK = re.compile(r"\[[^\]]+\]\(([^)]+)\)")


def entries():
    """(terms, meaning, where there is more) of each entry, in the order of the file."""
    body = re.search(r"```\{glossary\}\n(.*?)\n```", TEXT, re.DOTALL)[1]
    found = []
    for block in re.split(r"\n\n(?=\S)", body):
        terms, meaning, more = re.fullmatch(
            r"((?:\S[^\n]*\n)+)  (\S[^\n]*)\n\n  More: ([^\n]+)", block
        ).groups()
        found.append((terms.splitlines(), meaning, more))
    return found


ENTRIES = entries()
TERMS = [term for terms, *_ in ENTRIES for term in terms]


def test_it_is_a_glossary_and_no_dictionary():
    assert 40 <= len(ENTRIES) <= 70


def test_terms_are_in_order_and_stand_once():
    first = [terms[0].lower() for terms, *_ in ENTRIES]
    plain = [re.sub(r"[^a-z0-9]+", "", one) for one in first]
    assert plain == sorted(plain)
    assert len({term.lower() for term in TERMS}) == len(TERMS)


@pytest.mark.parametrize(("terms", "meaning", "more"), ENTRIES, ids=lambda one: str(one)[:30])
def test_an_explanation_is_short_and_says_where_there_is_more(terms, meaning, more):
    """One to three sentences, without formulas, which a note could not draw."""
    sentences = re.findall(r"[^.]+\.(?= [A-Z]|$)", re.sub(r"0\.\d+|\d\.\d", "0", meaning))
    assert 1 <= len(sentences) <= 3
    assert meaning.endswith(".")
    assert "$" not in meaning
    assert "`" not in meaning
    assert LINK.findall(more)


def test_every_place_with_more_is_there():
    """A page of the book, or a label in one."""
    labels = {one for page in PAGES.values() for one in re.findall(r"^\(([\w-]+)\)=", page, re.M)}
    labels |= {one for page in PAGES.values() for one in re.findall(r"name: ([\w-]+)", page)}
    for target in (one for *_, more in ENTRIES for one in LINK.findall(more)):
        if target.startswith("#"):
            assert target[1:] in labels, target
        else:
            assert (BOOK / target).exists(), target


@pytest.mark.parametrize("page", PAGES)
def test_every_term_that_a_page_uses_is_explained(page):
    known = {term.lower() for term in TERMS}
    used = {(target or text).strip().lower() for target, text in ROLE.findall(PAGES[page])}
    assert used - known == set()


# The notes --------------------------------------------------------------------------------------

PAGE = """# A page

{term}`Entropy` and the plural, {term}`rulers <ruler>`; once more {term}`entropy`.
{{ filler }}

A last {term}`ruler`.
"""
CONF = """
extensions = ["myst_parser", "terms"]
myst_enable_extensions = ["substitution"]
myst_substitutions = {"filler": "word " * 400}
html_static_path = ["STATIC"]
html_css_files = ["colours.css"]
suppress_warnings = ["myst.xref_missing"]
"""
GLOSSARY = """# Glossary

```{glossary}
entropy
  How *many* marmalades: a < b & c.

  More: elsewhere.

ruler
  A way of reading.
```
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site of two pages, built with the extension."""
    source, built = (tmp_path_factory.mktemp(name) for name in ("source", "built"))
    (source / "index.md").write_text("```{toctree}\npage\nglossary\n```\n" + PAGE)
    (source / "page.md").write_text(PAGE)
    (source / "glossary.md").write_text(GLOSSARY)
    static = source / "static"
    static.mkdir()
    for name in ("terms.css", "terms.js"):
        shutil.copy(BOOK / "_static" / name, static)
    colours = "--pst-color-surface: #eee; --pst-color-border: #999; --pst-color-text-base: #111"
    (static / "colours.css").write_text(f":root {{ {colours} }} body {{ min-width: 0 !important }}")
    (source / "conf.py").write_text(CONF.replace("STATIC", "static"))
    sys.path.insert(0, str(BOOK / "_ext"))
    try:
        Sphinx(source, source, built, built / ".trees", "html", status=None, warning=None).build()
    finally:
        sys.path.remove(str(BOOK / "_ext"))
    for page in built.glob("*.html"):  # the class that the book's theme has around its text
        text = page.read_text().replace('<div class="body"', '<div class="body bd-article"')
        page.write_text(text)
    return built


def test_a_term_is_a_link_with_a_note(site):
    """The link leads to the glossary and points to the note; the note is its first paragraph."""
    html = (site / "page.html").read_text()
    uses = re.findall(
        r'<span class="term-use"><a aria-describedby="([\w-]+)" class="[^"]*term-link[^"]*" '
        r'href="glossary.html#term-(\w+)"[^>]*>(?:<[^>]+>)*([^<]+)(?:</[^>]+>)+'
        r'<span class="term-note" role="tooltip" id="([\w-]+)">([^<]*)</span></span>',
        html,
    )
    assert [(target, text) for _, target, text, *_ in uses] == [
        ("entropy", "Entropy"), ("ruler", "rulers"), ("entropy", "entropy"), ("ruler", "ruler"),
    ]  # fmt: skip
    assert all(described == name for described, _, _, name, _ in uses)
    assert len({name for *_, name, _ in uses}) == len(uses)
    assert uses[0][-1] == "How many marmalades: a &lt; b &amp; c."
    assert uses[1][-1] == "A way of reading."


def test_the_glossary_has_no_notes_and_a_search_finds_a_term_in_it_alone(site):
    assert "term-note" not in (site / "glossary.html").read_text()
    index = (site / "searchindex.js").read_text()
    where = re.search(r'"?marmalad"?: ?(\[[^\]]*\]|\d+)', index)[1]
    assert where.isdigit()


def test_the_style_asks_nobody_else():
    css = (BOOK / "_static" / "terms.css").read_text()
    assert "url(" not in css
    assert "@import" not in css


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        launched = playwright.chromium.launch(executable_path=BROWSER, args=flags)
        yield launched
        launched.close()


@pytest.mark.skipif(BROWSER is None, reason="no browser on the PATH")
@pytest.mark.parametrize("script", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("width", [390, 1280])
def test_a_note_shows_on_focus_and_on_hover(browser, site, width, script):
    """Within the window, with and without a script; Escape hides it where there is one."""
    context = browser.new_context(
        viewport={"width": width, "height": 700}, java_script_enabled=script
    )
    page = context.new_page()
    page.goto((site / "page.html").as_uri())
    notes, links = page.locator(".term-note"), page.locator(".term-link")
    assert [notes.nth(k).is_visible() for k in range(4)] == [False] * 4
    for k in (0, 1, 3):
        links.nth(k).focus()
        page.keyboard.press("Shift+Tab")
        page.keyboard.press("Tab")  # as the keyboard moves it
        assert notes.nth(k).is_visible()
        for _ in range(50):  # a loaded browser scrolls to the focus a moment later
            box = notes.nth(k).bounding_box()
            if box["y"] + box["height"] <= 700:
                break
            page.wait_for_timeout(100)
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 700
        link = links.nth(k).bounding_box()  # which the note does not cover
        below = box["y"] + 0.5 >= link["y"] + link["height"]
        assert below or box["y"] + box["height"] <= link["y"] + 0.5
        page.keyboard.press("Escape")
        assert notes.nth(k).is_visible() is not script
    page.keyboard.press("Tab")
    links.nth(3).evaluate("one => one.blur()") if script else page.mouse.click(1, 1)
    links.nth(1).hover()
    assert notes.nth(1).is_visible()
    notes.nth(1).hover() if width > 600 else None  # the pointer may go to it
    assert notes.nth(1).is_visible()
    context.close()
