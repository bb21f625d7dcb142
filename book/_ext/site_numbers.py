"""Numbers of the pages are written in one way: minus signs, powers of ten, thousands.

What is computed comes as Python writes it, -0.0012, 1e-06, 4096; what is written by hand comes as
authors write it, 4096 or 4 096. A reader sees −0.0012, 10⁻⁶ and 4 096 everywhere but in code.
"""

from __future__ import annotations

import re

from bs4 import NavigableString
from site_text import THIN, prose

SAID = ("title", "alt", "aria-label", "aria-valuetext")  # attributes that are read or heard
NOT_OURS = (
    "citation",
    "citation-list",
    "sig",
    "bibtex",
)  # pages of a volume, defaults of arguments

_MINUS = re.compile(r"(?<![\w.)}=\-−])-(?=\.?\d)")
_TIMES = re.compile(r"(?<=\w) x (?=\d)")
_E = re.compile(r"(?<![\w.=])(\d(?:\.\d+)?)e([+-]\d+)(?!\w)")
_POWER = re.compile(r"(?<=\d)\^([-−]?\d+)")
_HIGH = str.maketrans("-−0123456789", "⁻⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
# Four digits and more; no version (2026.9.0), no address (arXiv:1703.00810), no hash.
_LONG = re.compile(r"(?<![\w.,=/:+^#-])\d{4,7}(?!\w|-\d|\.\d{4}|\.\d+\.)")
_COUNTED = re.compile(
    r"\s(?:bits?|epochs?|updates|samples|networks|rows|inputs|images|pairs|bins)\b"
)


def numbers_alike(soup, page):
    """Every number of the page's prose, of its tables and of what is heard instead of a picture."""
    for text in prose(soup):
        if any(one in NOT_OURS for parent in text.parents for one in parent.get("class") or ()):
            continue
        if (alike := written(text)) != text:
            text.replace_with(NavigableString(alike))
    for element in soup.select("article [title], article [alt], article [aria-label]"):
        for name in SAID:
            if isinstance(element.get(name), str):
                element[name] = written(element[name])


def written(text: str) -> str:
    """A text whose numbers are written in our way.

    >>> written("changes by -0.12 [-0.3, 0.1], 1e-06 or 9.85e-05, not 0.0e+00, in bins of 2^-16")
    'changes by −0.12 [−0.3, 0.1], 10⁻⁶ or 9.85 × 10⁻⁵, not 0, in bins of 2⁻¹⁶'
    >>> written("12-10-7, 2026-11-30, SZT-3, xarray 2026.9.0, arXiv 1703.00810, rate=1e-06")
    '12-10-7, 2026-11-30, SZT-3, xarray 2026.9.0, arXiv 1703.00810, rate=1e-06'
    >>> written("In 2017: 4096 inputs, 2000 epochs, 5005.34").replace(THIN, "_")
    'In 2017: 4_096 inputs, 2_000 epochs, 5_005.34'
    """
    text = _E.sub(_as_power, text.replace("+-", "±"))
    text = _POWER.sub(lambda power: power[1].translate(_HIGH), text)
    text = _TIMES.sub(" × ", _MINUS.sub("−", text))
    return _LONG.sub(_spaced, text)


def _as_power(number: re.Match[str]) -> str:
    if not float(number[1]):
        return "0"
    power = f"10{str(int(number[2])).translate(_HIGH)}"
    return power if float(number[1]) == 1 else f"{number[1]} × {power}"


def _spaced(number: re.Match[str]) -> str:
    """Thousands apart, unless the number is a year."""
    year = len(number[0]) == 4 and 1900 <= int(number[0]) < 2100
    if year and not _COUNTED.match(number.string, number.end()):
        return number[0]
    return f"{int(number[0]):,}".replace(",", THIN) if number[0][0] != "0" else number[0]
