"""The reference: a page names what it wants, and Sphinx writes what the docstrings say.

    ```{api} ibcore.theory
    ib_curve
    ib_encoder
    ```

gives a table of summaries and then each name in full, with its signature as the source has it. A
line ``NAME: words`` is a constant, which has no docstring of its own. ``:about:`` puts the module's
docstring first, ``:bare:`` leaves out the members of classes.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import textwrap
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

EXTENSIONS = ("sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon")
SETTINGS = {
    "autosummary_generate": False,
    "autodoc_member_order": "bysource",
    "napoleon_google_docstring": False,
    "napoleon_use_param": False,  # types are words such as "(sample, unit) array": no targets
    "napoleon_use_rtype": False,
    "napoleon_use_ivar": True,
    "napoleon_preprocess_types": False,
    "add_module_names": False,
    "toc_object_entries_show_parents": "hide",
    "python_maximum_signature_line_length": 72,
}
# Types of signatures that have no page here: those of other libraries, and what is private.
NO_TARGET = [(r"py:(class|obj|data|exc)", r".*")]


class Api(SphinxDirective):
    """``{api} MODULE`` with a name a line."""

    required_arguments = 1
    has_content = True
    option_spec: ClassVar = {"bare": directives.flag, "about": directives.flag}

    def run(self) -> list[nodes.Node]:
        lines = rst(self.arguments[0], list(self.content), **dict.fromkeys(self.options, True))
        node = nodes.Element()
        source = ["`````{eval-rst}", *lines, "`````"]
        self.state.nested_parse(StringList(source, self.env.docname), self.content_offset, node)
        return node.children


def rst(module: str, names: list[str], *, bare: bool = False, about: bool = False) -> list[str]:
    """What Sphinx is asked for.

    >>> print(*rst("ibcore.claims", ["badge", "RANKS: in order"]), sep="\\n")
    .. currentmodule:: ibcore.claims
    <BLANKLINE>
    .. autosummary::
       :nosignatures:
    <BLANKLINE>
       badge
    <BLANKLINE>
    .. autofunction:: badge
    <BLANKLINE>
    .. py:data:: RANKS
    <BLANKLINE>
       in order
    <BLANKLINE>
    """
    home = importlib.import_module(module)
    pairs = [(name.strip(), text.strip()) for name, _, text in (n.partition(":") for n in names)]
    listed = [f"   {name}" for name, text in pairs if not text]
    lines = [f".. {'automodule' if about else 'currentmodule'}:: {module}", ""]
    if about:
        lines += [f".. currentmodule:: {module}", ""]
    if listed:
        lines += [".. autosummary::", "   :nosignatures:", "", *listed, ""]
    for name, text in pairs:
        if text:
            lines += [f".. py:data:: {name}", "", f"   {text}", ""]
        else:
            lines += [*_entry(home, name, bare), ""]
    return lines


def _entry(home: Any, name: str, bare: bool) -> list[str]:
    found = getattr(home, name)
    if inspect.ismodule(found):
        return [f".. automodule:: {found.__name__}"]
    if not inspect.isclass(found):
        return [f".. autofunction:: {name}"]
    entry = [f".. autoclass:: {name}"]
    if not bare:
        entry.append("   :members:")
        if settings := getattr(found, "__dataclass_fields__", getattr(found, "_fields", ())):
            entry.append(f"   :exclude-members: {', '.join(settings)}")  # parameters, said above
    return entry


def as_written(app, what, name, thing, options, signature, returns):
    """The signature in the words of the source; what Sphinx makes of long types fills a page."""
    if what not in ("function", "method", "class"):
        return None
    function = thing.__dict__.get("__init__") if inspect.isclass(thing) else thing
    try:
        if inspect.isclass(thing) and {"__dataclass_fields__", "_fields"} & set(thing.__dict__):
            return f"({fields(thing)})", None
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(function)))).body[0]
    except (OSError, TypeError, SyntaxError):
        return None
    first = tree.args.posonlyargs or tree.args.args
    if first and first[0].arg in ("self", "cls"):
        first.pop(0)
    result = ast.unparse(tree.returns).strip("'") if tree.returns and what != "class" else None
    return f"({ast.unparse(tree.args)})", result


def fields(kind: type) -> str:
    """The settings of a dataclass or named tuple, with types and defaults as written."""
    found = {}
    for one in reversed(kind.__mro__[:-1]):
        if not {"__dataclass_fields__", "_fields"} & set(one.__dict__):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(one))).body[0].body
        found |= {node.target.id: node for node in body if isinstance(node, ast.AnnAssign)}
    init = list(inspect.signature(kind).parameters.values())
    parts = []
    for one in init:
        node = found[one.name]
        value = f" = {ast.unparse(node.value)}" if node.value is not None else ""
        parts.append(f"{one.name}: {ast.unparse(node.annotation)}{value}")
    keyword = [k for k, one in enumerate(init) if one.kind is inspect.Parameter.KEYWORD_ONLY]
    if keyword:
        parts.insert(keyword[0], "*")
    return ", ".join(parts)


def formulas_as_written(app, what, name, thing, options, lines):
    """An indented block before the first section is a formula or a table: kept line by line."""
    rules = [k for k, line in enumerate(lines) if re.fullmatch(r"\s*-{3,}\s*", line)]
    found, inside = [], False
    for k, line in enumerate(lines[: rules[0] - 1 if rules else None]):
        starts = line.startswith("    ") and not inside and k and not lines[k - 1].strip()
        if starts and not _before(lines, k).endswith("::"):
            found += [".. code-block:: text", ""]
        inside = line.startswith("    ") or (inside and not line.strip())
        found.append(line)
    lines[: len(lines[: rules[0] - 1 if rules else None])] = found


def _before(lines, k):
    return next((one.rstrip() for one in reversed(lines[:k]) if one.strip()), "")


def plain_docstrings(app, what, name, thing, options, lines):
    """A bar or an underscore in plain text is no markup."""
    literal = False
    for k, line in enumerate(lines):
        literal = (literal and not re.match(r"\S", line)) or line.startswith(".. code-block::")
        if literal or line.lstrip().startswith((">>>", "...")):
            continue
        parts = re.split(r"(``.*?``|:\w+:`.*?`|`.*?`_)", line)
        for j in range(0, len(parts), 2):
            parts[j] = re.sub(r"(?<!\\)\|", r"\\|", parts[j])
            parts[j] = re.sub(r"(?<=\w)_(?=\W|$)", r"\\_", parts[j])
        lines[k] = "".join(parts)


def settle(app, config):
    for name, value in SETTINGS.items():
        setattr(config, name, value)
    config.nitpick_ignore_regex = [*config.nitpick_ignore_regex, *NO_TARGET]


def setup(app):
    for one in EXTENSIONS:
        app.setup_extension(one)
    app.add_directive("api", Api)
    app.connect("config-inited", settle, priority=1)
    app.connect("autodoc-process-signature", as_written)
    app.connect("autodoc-process-docstring", formulas_as_written, priority=100)
    app.connect("autodoc-process-docstring", plain_docstrings, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
