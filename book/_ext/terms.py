"""What a term means, shown where it is used: a link to the glossary, with a note beside it.

A chapter writes {term}`entropy`, which Sphinx makes a link into the glossary. Here each such link
gets the first paragraph of the term's explanation as a note, which plain CSS shows while the
pointer is on the link or the keyboard's focus in it (terms.css), and to which the link points with
``aria-describedby``, so that it is read aloud. No script is needed; one of a few lines hides a
note again with Escape (terms.js).
"""

from __future__ import annotations

from html import escape

from docutils import nodes
from sphinx import addnodes


class term_note(nodes.General, nodes.Inline, nodes.Element):
    """An explanation; no text of the page, so that a search finds terms in the glossary only."""


class term_use(nodes.Inline, nodes.TextElement):
    """A link to a term together with its note."""


def collect(app, doctree):
    """Remember what each term of a glossary means: page -> term -> text."""
    page, found = app.env.docname, {}
    for entry in doctree.findall(nodes.definition_list_item):
        if not isinstance(entry.parent.parent, addnodes.glossary):
            continue
        meaning = next(iter(entry.findall(nodes.definition)))[0].astext()
        for term in entry.findall(nodes.term):
            found |= dict.fromkeys(term["ids"], " ".join(meaning.split()))
    meanings = getattr(app.env, "term_meanings", {})
    app.env.term_meanings = meanings | {page: found}


def forget(app, env, page):
    """Drop what a page explained, before it is read again."""
    getattr(env, "term_meanings", {}).pop(page, None)


def merge(app, env, pages, other):
    """Take over what another process has read."""
    read = getattr(other, "term_meanings", {})
    env.term_meanings = getattr(env, "term_meanings", {}) | {page: read[page] for page in pages}


def explain(app, doctree, page):
    """Give each link to a term its note; the glossary itself needs none."""
    meanings = getattr(app.env, "term_meanings", {})
    if meanings.get(page):
        return
    by_id = {key: text for one in meanings.values() for key, text in one.items()}
    links = [link for link in doctree.findall(nodes.reference) if _is_term(link)]
    for number, link in enumerate(links, 1):
        target = (link.get("refuri", "") or link.get("refid", "")).rpartition("#")[2]
        if text := by_id.get(target):
            name = f"term-note-{number}"
            link["note"] = name
            link.replace_self(term_use("", "", link.deepcopy(), term_note(text=text, name=name)))


def _is_term(link):
    return any("std-term" in part.get("classes", []) for part in link.findall(nodes.inline))


def begin(self, node):
    self.body.append('<span class="term-use">')
    link = node[0]
    link["classes"] = [*link.get("classes", []), "term-link"]


def end(self, node):
    self.body.append("</span>")


def write(self, node):
    """The note, and on the link before it the reference to the note."""
    for place in range(len(self.body) - 1, -1, -1):  # the link is the last one that was opened
        if self.body[place].startswith("<a "):
            there = f'<a aria-describedby="{node["name"]}" '
            self.body[place] = there + self.body[place][3:]
            break
    text = escape(node["text"])
    self.body.append(f'<span class="term-note" role="tooltip" id="{node["name"]}">{text}</span>')
    raise nodes.SkipNode


def only_the_link(self, node):
    """In other formats: the link as it is."""


def no_note(self, node):
    """In other formats: nothing."""
    raise nodes.SkipNode


def setup(app):
    others = ("latex", "text", "man", "texinfo")
    plain = dict.fromkeys(others, (only_the_link, only_the_link))
    app.add_node(term_use, html=(begin, end), **plain)
    app.add_node(term_note, html=(write, None), **dict.fromkeys(others, (no_note, None)))
    app.connect("doctree-read", collect)
    app.connect("env-purge-doc", forget)
    app.connect("env-merge-info", merge)
    app.connect("doctree-resolved", explain)
    app.add_css_file("terms.css")
    app.add_js_file("terms.js", loading_method="defer")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
