"""The directive of the laboratory: a picture and a sentence, and behind a button what computes.

```{lab} bench
:activation: relu
:ruler: range:100
:open: forgotten
:when: seen

What stands here is the caption: with the picture it is what a reader without scripts gets.
```

The name is that of the laboratory on its page, ``#lab-bench`` in addresses. ``activation``,
``ruler``, ``epoch``, ``layer`` and ``open`` (panels: train, forgotten, numbers) are the state that
it begins with, and ``state`` may hold any part of an address. With ``when: seen`` it opens when it
comes into sight, else by its button. The picture is ``figure``,
a file beside the page, or is drawn from the published results: the medians of the same networks
through the same ruler.

Prose leads to a state with {lab}`text <net=relu&ruler=range:100>`: the name of a network, of an
experiment or of an activation, and the rest of an address. Those links go to the laboratory's own
page.

The scripts lie in ``_static/lab``; those that the widgets of the chapters use as well are kept with
them in ``ibcore/plots/page`` and copied from there. No page loads them before its reader asks.
"""

from __future__ import annotations

import hashlib
import shutil
from html import escape
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective, SphinxRole
from sphinx.util.osutil import relative_uri

ROOT = Path(__file__).parents[2]
SCRIPTS, PARTS = ROOT / "book/_static/lab", ROOT / "ibcore/plots/page"
OPTIONS = {"activation": "net", "ruler": "ruler", "epoch": "epoch", "layer": "layer"}
WITHOUT = (
    "With scripts switched on this is a laboratory: it computes the figure anew for other "
    "networks, rulers and epochs."
)


class lab(nodes.General, nodes.Element):
    """A laboratory on a page, not opened yet."""


class Lab(SphinxDirective):
    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {
        **dict.fromkeys((*OPTIONS, "open", "state", "figure", "alt"), directives.unchanged),
        "when": lambda text: directives.choice(text, ("seen", "pressed")),
    }

    def run(self):
        state = [
            f"{key}={quote(self.options[name], safe=':,')}"
            for name, key in OPTIONS.items()
            if name in self.options
        ]
        if "open" in self.options:
            state.append(f"open={','.join(self.options['open'].split())}")
        if "state" in self.options:
            state.append(self.options["state"].lstrip("#?"))
        found = lab(
            name=self.arguments[0],
            state="&".join(state),
            when=self.options.get("when", "pressed"),
            alt=self.options.get("alt", ""),
            picture=self.picture(),
        )
        caption = nodes.caption()
        self.state.nested_parse(self.content, self.content_offset, caption)
        found += caption
        return [found]

    def picture(self) -> str:
        """The file that is shown before the laboratory is opened."""
        if given := self.options.get("figure"):
            relative, path = self.env.relfn2path(given)
            self.env.note_dependency(relative)
            if not Path(path).exists():
                raise self.error(f"lab: there is no figure {given}.")
            return str(path)
        activation = self.options.get("activation", "tanh")
        try:
            return str(drawn(activation, self.options.get("ruler", "bins:30"), self.env.doctreedir))
        except (ValueError, KeyError) as error:
            raise self.error(
                f"lab: no picture can be drawn: {error} Name one as :figure:."
            ) from error


class State(SphinxRole):
    """A link to a state of the laboratory that has a page of its own."""

    def run(self):
        text, _, state = self.text.rstrip(">").rpartition(" <")
        if not text:
            return [], [
                self.inliner.reporter.error(f"lab: no state in {self.text!r}.", line=self.lineno)
            ]
        page, here = self.config.lab_page, self.env.docname
        place = "" if page == here else self.env.app.builder.get_relative_uri(here, page)
        link = nodes.reference(
            "", text, refuri=f"{place}?{state}#lab-bench", classes=["lab-link"], internal=True
        )
        return [link], []


def ruler_of(text: str):
    """The ruler that an address names.

    >>> ruler_of("bins:30")
    Binning(n_bins=30, low=-1.0, high=1.0)
    """
    import ibcore as ib

    kind, *size = text.split(":")
    match kind:
        case "bins":
            low, high = map(float, size[1:] or (-1, 1))
            return ib.Binning(int(size[0]), low, high)
        case "range":
            return ib.RangeBinning(int(size[0]))
        case "width":
            return ib.Binning(width=float(size[0]))
        case "edges":
            return ib.EdgeBinning(int(size[0]))
        case "adaptive":
            return ib.AdaptiveBinning(int(size[0]))
        case "quantised":
            return ib.Quantised(int(size[0]))
        case "noise":
            return ib.KernelBound(float(size[0]))
        case "exact":
            return ib.Exact()
    raise ValueError(f"no ruler is called {kind!r}.")


def drawn(activation: str, ruler: str, folder: str) -> Path:
    """Draw the plane and the curves of the stored networks, once for each ruler."""
    path = Path(folder) / f"lab-{activation}-{ruler.replace(':', '-')}.svg"
    if not path.exists():
        import ibcore as ib

        plane = ib.Study("estimators").plane(activation)
        ib.plots.use_style()
        axes = ib.plots.overview(plane, estimator=repr(ruler_of(ruler)))
        path.parent.mkdir(parents=True, exist_ok=True)
        axes[0].figure.savefig(path, metadata={"Date": None})
        from matplotlib import pyplot as plt

        plt.close(axes[0].figure)
    return path


def modules() -> list[str]:
    """The scripts that a laboratory adds when it is opened; the data come last, by themselves."""
    apart = {"lab", "data", "ui_open", "ui_ruler_slider"}
    found = {path.stem for folder in (SCRIPTS, PARTS) for path in folder.glob("*.js")}
    return sorted(found - apart)


def version() -> str:
    """Changes with any file of the laboratory, so that no browser mixes old ones with new ones."""
    found = hashlib.sha256()
    for path in sorted([*SCRIPTS.glob("*.js"), *SCRIPTS.glob("*.css"), *PARTS.iterdir()]):
        found.update(path.read_bytes())
    return found.hexdigest()[:8]


def copy_parts(app):
    """Put the scripts beside the other static files, those of the widgets among them."""
    if app.builder.format != "html":
        return
    target = Path(app.outdir) / "_static/lab"
    target.mkdir(parents=True, exist_ok=True)
    for folder in filter(Path.is_dir, (SCRIPTS, PARTS)):  # a site of some pages has no laboratory
        for path in folder.iterdir():
            if path.suffix in (".js", ".css"):
                shutil.copyfile(path, target / path.name)


def begin(self, node):
    """The picture and the way in."""
    builder = self.builder
    target = Path(builder.outdir) / "_static/lab" / Path(node["picture"]).name
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(node["picture"], target)
    place = relative_uri(builder.get_target_uri(self.builder.current_docname), "_static/lab/")
    alt, name = node["alt"] or node[0].astext(), escape(node["name"])
    self.body.append(
        f'<div class="lab" id="lab-{name}" data-lab="{name}" '
        f'data-state="{escape(node["state"])}" data-open="{node["when"]}" '
        f'data-version="{version()}" data-modules="{" ".join(modules())}">'
        f'<figure class="lab-still"><img src="{place}{quote(target.name)}" alt="{escape(alt)}">'
        "<figcaption>"
    )


def end(self, node):
    self.body.append(
        f"</figcaption><noscript><p>{WITHOUT}</p></noscript>"
        '<p class="lab-invite" hidden><button type="button" class="lab-button lab-main">'
        'Open the laboratory</button> <span class="lab-wait" role="status"></span></p>'
        "</figure></div>"
    )


def only_the_caption(self, node):
    """In other formats: the caption."""


def styles_where_needed(app, pagename, templatename, context, doctree):
    """The style and the one small script, on pages with a laboratory alone."""
    if doctree is not None and any(doctree.findall(lab)):
        for name in ("lab/ui_parts.css", "lab/lab.css"):
            app.add_css_file(name)
        app.add_js_file("lab/ui_open.js", loading_method="defer")


def setup(app):
    others = dict.fromkeys(("latex", "text", "man", "texinfo"), (only_the_caption,) * 2)
    app.add_node(lab, html=(begin, end), **others)
    app.add_directive("lab", Lab)
    app.add_role("lab", State())
    app.add_config_value("lab_page", "book/laboratory", "env")
    app.connect("builder-inited", copy_parts)
    app.connect("html-page-context", styles_where_needed)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
