"""What a setting may be: kinds of values, each with the text that says so."""

from collections.abc import Callable, Mapping
from itertools import islice
from numbers import Integral, Real
from typing import Any, NamedTuple

import numpy as np


def shown(value: object, most: int = 80) -> str:
    """A value as an error message shows it: its ``repr``, cut, whatever that does."""
    try:
        text = repr(value)
    except Exception:  # an integer of 5000 digits, a list in itself a thousand deep, foreign code
        return f"a value of type {type(value).__name__} that cannot be printed"
    return text if len(text) <= most else f"{text[: most - 3]}..."


class Kind(NamedTuple):
    """What a setting may be: the text that says so, and what is kept of a value.

    Nothing is converted silently: a whole number comes as one, from Python or NumPy, not as a text,
    a bool or 3.7. ``read`` raises a bare ValueError for what cannot be; ``checked`` says more.
    """

    text: str
    read: Callable[[Any], Any]

    def checked(self, name: str, value: Any) -> Any:
        """What is kept, or a ValueError that names the setting, what is expected and what came."""
        try:
            return self.read(value)
        except ValueError:
            raise ValueError(f"{name} must be {self.text}; got {shown(value)}.") from None


def one_of(*names: str, own: Mapping[str, str] | None = None, besides: str = "") -> Kind:
    """One of these names, or of those that come into ``own`` later."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not (value in names or value in (own or {})):
            raise ValueError
        return str(value)

    return Kind(f"one of {', '.join(names)}{besides}", read)


def whole(least: int, most: int) -> Kind:
    """A whole number within two limits, both allowed; kept as an int."""

    def read(value: Any) -> int:
        if not isinstance(value, Integral) or isinstance(value, bool | np.timedelta64):
            raise ValueError
        found = int(value)
        if not least <= found <= most:
            raise ValueError
        return found

    return Kind(f"a whole number from {grouped(least)} to {grouped(most)}", read)


def number(interval: str) -> Kind:
    """A finite number in an interval, written as in "[0, 1)" or "(0, 1]"; kept as a float."""
    low, high = (float(end) for end in interval[1:-1].split(","))

    def read(value: Any) -> float:
        if not isinstance(value, Real) or isinstance(value, bool | np.timedelta64):
            raise ValueError
        try:
            found = float(value)
        except OverflowError:
            raise ValueError from None
        above = found >= low if interval.startswith("[") else found > low
        if not (above and (found <= high if interval.endswith("]") else found < high)):
            raise ValueError
        return found

    return Kind(f"a number in {interval}", read)


def several(member: Kind, fewest: int, most: int) -> Kind:
    """A list, tuple, range or array (one axis) of whole numbers; kept as a tuple."""

    def read(value: Any) -> tuple[Any, ...]:
        if isinstance(value, np.ndarray) and value.ndim == 1 and not np.ma.isMaskedArray(value):
            value = list(value)
        if not isinstance(value, list | tuple | range):
            raise ValueError
        # islice: a range may be longer than any memory
        found = tuple(member.read(one) for one in islice(value, most + 1))
        if not fewest <= len(found) <= most:
            raise ValueError
        return found

    return Kind(f"a list of {fewest} to {grouped(most)} numbers, each {member.text}", read)


def or_none(kind: Kind) -> Kind:
    """None, or what another kind allows."""
    return Kind(f"{kind.text}, or None", lambda value: None if value is None else kind.read(value))


def grouped(number: int) -> str:
    """Digits in threes: 65 536."""
    return f"{number:,}".replace(",", " ")
