"""Findings: a sentence for a word, with the numbers of the run put in.

    {effect} {low} {high} {interval}   of the primary test: 5.1, 4.8, 5.5, "5.1 [4.8, 5.5] bits"
    {bare}                             the same without its unit
    {n} {k} {m} {not_learnt}           networks; cells that agree, that can answer; not learnt
    {percent} {percent_low} {percent_high}   effect and interval of a share, in per cent
    {c[layer 5]} {p[layer 5]}          effect of a cell of any test, plain and in per cent
    {i[layer 5]}                       the same with its interval
    {down[layer 5]} {p_down[layer 5]} {less[layer 5]} {turned}
                                       c, p, i and bare turned round, of what is below 0 and of
                                       nothing else: for "knows 1.92 [1.57, 2.29] bits more"
    {t[rise]}                          effect of a test that has this name

A sentence is written for one word. Where the word is another one, or something is not below 0 that
the sentence turns round, there is no sentence, and what is published must have one.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NoReturn

from ibcore.claims.decide import CheckVerdict


def sentence(
    findings: Mapping[str, str], word: str, tests: Sequence[CheckVerdict], not_learnt: int = 0
) -> str:
    """The finding of a word; "" where none was written that fits the numbers.

    Raises
    ------
    ValueError
        If the sentence asks for a number that the tests do not have.
    """
    if word not in findings:
        return ""
    first = tests[0]
    cells = [(test, cell) for test in tests for cell in test.cells]
    effects: dict[str, str] = {}
    percents, intervals = {}, {}
    down, p_down, less = _Below(effects), _Below(effects), _Below(effects)
    for test, cell in reversed(cells):  # of two cells of one label the earlier test's counts
        for label in (f"{test.name}: {cell.label}", cell.label):
            effects[label] = number(cell.effect)
            percents[label] = percent(cell.effect)
            intervals[label] = with_interval(cell.effect, cell.low, cell.high, test.unit)
            if cell.effect < 0:
                down[label], p_down[label] = number(-cell.effect), percent(-cell.effect)
                less[label] = with_interval(-cell.effect, -cell.high, -cell.low, test.unit)
    given = {
        "effect": number(first.effect),
        "low": number(first.low),
        "high": number(first.high),
        "interval": with_interval(first.effect, first.low, first.high, first.unit),
        "bare": with_interval(first.effect, first.low, first.high, ""),
        "percent": percent(first.effect),
        "percent_low": percent(first.low),
        "percent_high": percent(first.high),
        "n": str(first.n),
        "k": str(sum(test.k for test in tests if test.counts)),
        "m": str(sum(test.m for test in tests if test.counts)),
        "not_learnt": str(not_learnt),
        "c": effects,
        "p": percents,
        "i": intervals,
        "down": down,
        "p_down": p_down,
        "less": less,
        "t": {test.name: number(test.effect) for test in tests},
    }
    if first.effect < 0:
        given["turned"] = with_interval(-first.effect, -first.high, -first.low, "")
    try:
        return findings[word].format_map(_Below(("turned",), given))
    except _NotBelowError:
        return ""
    except (KeyError, IndexError, AttributeError, ValueError) as error:
        raise ValueError(
            f"the finding for {word!r} asks for {error}; there are {', '.join(given)}, the cells "
            f"{', '.join(effects)} and the tests {', '.join(given['t'])}."
        ) from error


class _NotBelowError(Exception):
    """A sentence says how far something is below 0 that is not."""


class _Below(dict[str, Any]):
    """Numbers of what is below 0; of what else is known, a sentence must not ask."""

    def __init__(self, known: Collection[str], given: Mapping[str, Any] | None = None):
        super().__init__(given or {})
        self.known = known

    def __missing__(self, key: str) -> NoReturn:
        raise _NotBelowError(key) if key in self.known else KeyError(key)


def with_interval(effect: float, low: float, high: float, unit: str) -> str:
    """Effect, interval and unit.

    >>> with_interval(5.123, 4.81, 5.5, "bits")
    '5.12 [4.81, 5.5] bits'
    """
    return f"{number(effect)} [{number(low)}, {number(high)}] {unit}".rstrip()


def percent(value: float) -> str:
    """A share in per cent.

    >>> percent(0.5), percent(0.968), percent(float("nan"))
    ('50 %', '97 %', 'nan %')
    """
    return f"{100 * value:.3g} %" if abs(value) < 0.1 else f"{100 * value:.0f} %"


def number(value: float) -> str:
    """Three significant digits, with a space between thousands.

    Examples
    --------
    >>> number(10_000), number(0.51709), number(-2), number(0.00012)
    ('10 000', '0.517', '-2', '0.00012')
    """
    if abs(value) >= 1000:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"
