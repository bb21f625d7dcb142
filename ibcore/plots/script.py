"""Scripts of a page: their data, and small widgets that carry all they need."""

import json
import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).with_name("page")
PARTS = ("ui_draw", "ui_plane", "ui_controls")


def as_json(data: Any) -> str:
    r"""JSON that can stand in a script element, whatever its texts say.

    Examples
    --------
    >>> print(as_json({"name": "</script> & <b>"}))
    {"name":"\u003c/script\u003e \u0026 \u003cb\u003e"}
    """
    text = json.dumps(data, separators=(",", ":"))
    # Within JSON these three stand in strings only, where a number means the same sign.
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def widget(kind: str, data: Any, script: Path, without: str) -> str:
    """HTML of a widget: its style, its data and its scripts, in one piece that works offline.

    The laboratory of the site is made of the same parts, which lie in ``page`` beside this file; in
    a notebook there is no site, so that each widget brings them along.

    Parameters
    ----------
    kind : str
        Class of the element.
    data : any
        What the script is given; it is written as JSON.
    script : Path
        Defines a module of its own name, a function of the element and the data.
    without : str
        What is said where scripts do not run.
    """
    sources = [*(PAGE / f"{name}.js" for name in PARTS), script]
    defined = "\n".join(_short(path.read_text(encoding="utf-8")) for path in sources)
    style = _short((PAGE / "ui_parts.css").read_text(encoding="utf-8"))
    return f"""\
<div class="lab-widget {kind}">
<style>
{style}</style>
<noscript>{without}</noscript>
<script>
(() => {{
  const data = {as_json(data)};
  const root = document.currentScript.closest(".{kind}"), made = {{}};
  const IBLab = {{
    define: (name, deps, factory) => {{ made[name] = factory(...deps.map((one) => made[one])); }},
  }};
{defined}
  made.{script.stem}(root, data);
}})();
</script>
</div>
"""


def _short(source: str) -> str:
    """A script or a style without its notes and the spaces before its lines."""
    without = re.sub(r"^\s*/\*.*?\*/\s*$", "", source, flags=re.DOTALL | re.MULTILINE)
    lines = (line.strip() for line in without.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//")) + "\n"
