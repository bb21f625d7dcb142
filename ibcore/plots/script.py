"""Data for the scripts of a page."""

import json
from typing import Any


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
