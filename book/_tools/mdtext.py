"""Text as Markdown: what a claim says is shown as it stands, no sign in it becomes markup."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence


def title(text: str) -> str:
    """The first heading of a MyST text.

    >>> title("---\\nkernelspec: x\\n---\\n(top)=\\n# Two phases?\\n\\nText")
    'Two phases?'
    """
    heading = re.search(r"^# (.+)$", text, flags=re.MULTILINE)
    if heading is None:
        raise ValueError("a chapter needs a first line of the form '# Title'")
    return heading[1].strip()


# Emphasis (not the _ within a word), code, formulas, roles, links, footnotes.
MARKUP = re.compile(r"[\\`*{}$~]|(?<![^\W_])_|_(?![^\W_])|\](?=[(\[:{])|\[(?=\^)")


def plain(text: str, markup: re.Pattern = MARKUP) -> str:
    r"""Text as Markdown and HTML that show just this text.

    Only what would be read as markup is changed.

    >>> plain("I(X;T) & 2 <b>")
    'I(X;T) & 2 &lt;b&gt;'
    >>> print(plain("IX[T] of n_MC, [a](b), $x$, _so_"))
    IX[T] of n_MC, [a\](b), \$x\$, \_so\_
    """
    return without_tags(markup.sub(lambda sign: "\\" + sign[0], text))


def link(text: str, target: str) -> str:
    """A link that shows just this text: within one, each bracket counts."""
    return f"[{plain(text, re.compile(MARKUP.pattern + r'|[][]'))}]({target})"


def without_tags(text: str) -> str:
    """Markdown whose signs of HTML are shown and not obeyed.

    >>> without_tags("Dong & Hisham <i>, &lt;")
    'Dong & Hisham &lt;i&gt;, &amp;lt;'
    """
    return re.sub(r"[<>]|&(?=[#\w])", lambda sign: html.escape(sign[0]), text)


def anchor(claim_id: str) -> str:
    """The target that a chapter sets above the verdict of a claim.

    >>> anchor("SZT-F3a")
    'verdict-szt-f3a'
    """
    return "verdict-" + re.sub(r"[^a-z0-9]+", "-", claim_id.lower()).strip("-")


def number(value: float) -> str:
    """Three significant digits.

    >>> number(0.51234), number(-2.0), number(12345.6)
    ('0.512', '−2', '12300')
    """
    rounded = float(f"{value:.3g}")
    text = f"{rounded:g}" if abs(rounded) < 1e6 else f"{rounded:.3g}"
    if abs(rounded) >= 1000 and rounded == int(rounded):
        text = str(int(rounded))
    return text.replace("-", "−")


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", str(text)).strip().replace("|", r"\|")
