"""What the site needs beyond Jupyter Book: it works offline, and its edit links go to the text.

- MathJax is copied from its Python package into the site, so that no page asks another host.
- The scripts of sphinx-thebe are dropped: they load from another host and break on each page.
- The first visit follows the reader's system, light or dark; unset, the theme logs an error.
- Figures of the chapters are see-through and suit both themes: they get the class that says so.
- A chapter is edited as Markdown; the notebook that the page shows is generated from it.
- The buttons that lead to the repository appear with its address, the one setting.
- When all pages are written each is finished: see ``site_finish``.
"""

from __future__ import annotations

import shutil
from importlib.metadata import files
from pathlib import Path

MATHJAX_PACKAGE = "sphinx-mathjax-offline"
FORGES = ("github", "gitlab")  # whose addresses the theme knows
LAUNCH = {"binderhub_url": "https://mybinder.org", "notebook_interface": "jupyterlab"}


def mathjax_file(name: str) -> Path:
    """Where the MathJax build ``name`` lies in the installed package."""
    for path in files(MATHJAX_PACKAGE) or []:
        if path.name == name:
            return Path(path.locate())
    raise FileNotFoundError(f"{MATHJAX_PACKAGE} has no file {name}; set mathjax_path to one it has")


def follow_the_system(app, config):
    """Set the theme's mode for a first visit."""
    config.html_context.setdefault("default_mode", "auto")


def buttons_from_the_address(app, config):
    """Repository, edit, issue and launch buttons: all with ``repository.url``, none without."""
    options = config.html_theme_options
    address = options.get("repository_url") or ""
    known = any(forge in address for forge in FORGES)
    options["use_repository_button"] = bool(address)
    options["use_edit_page_button"] = options["use_issues_button"] = known
    options["launch_buttons"] = LAUNCH if address else {}


def copy_mathjax(app):
    """Put the one file of MathJax beside the other static files."""
    if app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static" / app.config.mathjax_path
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(mathjax_file(target.name), target)


def drop_thebe_settings(app, doctree, docname):
    """Remove the block that sphinx-thebe leaves in every page; it names a foreign host."""
    for node in list(doctree.findall(lambda node: node.tagname == "raw")):
        if "text/x-thebe-config" in node.astext():
            node.parent.remove(node)


def figures_suit_both_themes(app, doctree, docname):
    """Mark what a code cell drew, so that the dark theme puts no white box behind it."""
    for cell in doctree.findall(has_class("cell_output")):
        for image in cell.findall(lambda node: node.tagname == "image"):
            image["classes"].append("dark-light")


def has_class(name):
    """Condition on a node: it is an element of this class."""
    return lambda node: name in getattr(node, "attributes", {}).get("classes", [])


def drop_thebe_scripts(app, pagename, templatename, context, doctree):
    """Remove the two scripts of sphinx-thebe from the page."""
    context["script_files"] = [
        script
        for script in context.get("script_files", [])
        if "thebe" not in f"{script} {getattr(script, 'attributes', {}).get('body', '')}"
    ]


def edit_the_text(app, pagename, templatename, context, doctree):
    """Let the edit and source buttons of a chapter open its Markdown."""
    for button in buttons(context.get("header_buttons", [])):
        url = button.get("url") or ""
        if "/edit/" in url or "/blob/" in url:
            button["url"] = url.replace(".ipynb", ".md")


def buttons(entries):
    """All buttons of the header, those within groups included."""
    for entry in entries:
        yield entry
        yield from buttons(entry.get("buttons", []))


def finish_the_pages(app, exception):
    """Finish what was written, unless the build broke."""
    if exception is None and app.builder.format == "html":
        from site_finish import finish

        ledger = Path(app.srcdir) / "book/downloads/ledger.json"
        finish(Path(app.outdir), ledger, app.config.html_title)


def setup(app):
    app.connect("config-inited", follow_the_system)
    app.connect("config-inited", buttons_from_the_address, priority=100)
    app.connect("builder-inited", copy_mathjax)
    app.connect("doctree-resolved", drop_thebe_settings, priority=900)
    app.connect("doctree-resolved", figures_suit_both_themes)
    app.connect("html-page-context", drop_thebe_scripts, priority=900)
    app.connect("html-page-context", edit_the_text, priority=900)
    app.connect("build-finished", finish_the_pages)
    app.add_js_file("site.js", loading_method="defer")
    app.setup_extension("site_labels")
    app.setup_extension("terms")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
