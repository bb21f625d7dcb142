"""Run the Python examples of the README and write below each what it prints.

python book/_tools/examples.py

The output of an example is the ```text block right below its ```python block; an example without
one states no number. Nobody types these blocks. A test runs the examples with more digits and
compares.
"""

from __future__ import annotations

import contextlib
import io
import re
import sys
from pathlib import Path

import execute
import pandas as pd

from ibcore.files import write_whole

EXAMPLE = re.compile(
    r"^```python\n(?P<code>.*?)^```\n(?P<output>\n```text\n(?P<stated>.*?)^```\n)?",
    flags=re.DOTALL | re.MULTILINE,
)
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?!\w)")

# Half of the last digit is what rounding takes away. A tenth of it more is for another processor,
# whose results differ by less than a thousandth of that.
WITHIN = 0.6


def printed(code: str, width: int = 80) -> str:
    """What an example prints, tables at most ``width`` characters wide."""
    said, options = io.StringIO(), ("display.width", width, "display.max_columns", None)
    with contextlib.redirect_stdout(said), pd.option_context(*options):
        exec(compile(code, "README.md", "exec"), {})
    return re.sub(r" +$", "", said.getvalue(), flags=re.MULTILINE)


def unrounded(code: str) -> str:
    """The same example with six digits behind each point.

    >>> unrounded("print(plane.round(1), f'{bits:.2f}')")
    "print(plane.round(6), f'{bits:.6f}')"
    """
    return re.sub(r":\.\df(?=})", ":.6f", re.sub(r"\.round\(\d\)", ".round(6)", code))


def differences(stated: str, found: str) -> list[str]:
    """Numbers that are not rounded from those found, and text that differs otherwise.

    >>> differences("layer 6: 1.8 bits", "layer 6: 1.845 bits")
    []
    >>> differences("layer 6: 1.8 bits", "layer 6: 1.864 bits")
    ['1.8 is stated, 1.864 is found']
    """
    around = [re.sub(r"\s+", " ", NUMBER.sub("#", text)).strip() for text in (stated, found)]
    if around[0] != around[1]:
        return [f"{stated!r} is stated, {found!r} is found"]
    pairs = zip(NUMBER.findall(stated), NUMBER.findall(found), strict=True)
    return [f"{a} is stated, {b} is found" for a, b in pairs if abs(float(a) - float(b)) > room(a)]


def room(stated: str) -> float:
    """How far a number may be from the one it is rounded from; a whole one is not rounded.

    >>> room("1.8"), room("12")
    (0.06, 0.0)
    """
    _, _, digits = stated.partition(".")
    return WITHIN * 10.0 ** -len(digits) if digits else 0.0


def with_outputs(text: str) -> str:
    """A document with every output block as its example prints it."""

    def renewed(example: re.Match) -> str:
        if example["output"] is None:
            return example[0]
        return f"```python\n{example['code']}```\n\n```text\n{printed(example['code'])}```\n"

    return EXAMPLE.sub(renewed, text)


def main(path: Path = execute.BOOK.parent / "README.md") -> int:
    text = path.read_text(encoding="utf-8")
    renewed = with_outputs(text)
    if renewed != text:
        write_whole(path, renewed.encode())
    print(f"{path.name}: {'unchanged' if renewed == text else 'written'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
