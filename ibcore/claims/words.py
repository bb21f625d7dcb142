"""From the words of many tests to the word of a row."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from ibcore.claims.decide import PartVerdict
from ibcore.claims.registry import EFFECT_WORDS, IDENTITY_WORDS


def combine(parts: Iterable[PartVerdict]) -> tuple[str, dict[str, str], float]:
    """Put the words of all tests together.

    Within one layer of one group the worst test decides. Over layers and groups: reproduced
    where all are, partly where some are, else the worst. Over cells: the most common word; of
    equally common ones partly where one of them is reproduced, else the worst. Parts that are
    only reported, and saturated layers, do not count; with nothing left a row is undecided.

    Returns
    -------
    word : str
        Of the row.
    cells : dict
        Word of every cell, "" the name of the only one.
    majority : float
        Share of the cells that have the row's word.
    """
    decisive = [part for part in parts if part.decisive]
    if decisive and all(part.word in IDENTITY_WORDS for part in decisive):
        word = "holds" if all(part.word == "holds" for part in decisive) else "fails"
        return word, {"": word}, 1.0
    cells = {}
    for cell in dict.fromkeys(part.cell for part in decisive):
        units: dict[tuple[str, int | None], list[str]] = {}
        for part in decisive:
            if part.cell == cell and part.counts:
                units.setdefault((part.group, part.layer), []).append(part.word)
        cells[cell] = _subset_rule([_worst(words) for words in units.values()])
    words = list(cells.values())
    most = max(map(words.count, words), default=0)
    common = {word for word in words if words.count(word) == most} or {"undecided"}
    word = common.pop() if len(common) == 1 else _subset_rule(sorted(common))
    return word, cells, words.count(word) / len(words) if words else 0.0


def adjust_holm(parts: Sequence[PartVerdict]) -> tuple[PartVerdict, ...]:
    """Put Holm's adjusted p beside the raw one where several counted tests stand together.

    With p₍₁₎ ≤ … ≤ p₍ₘ₎ the adjusted ones are max over i ≤ k of min(1, (m - i + 1) p₍ᵢ₎).
    """
    raw = {i: part.p for i, part in enumerate(parts) if part.counts and part.p is not None}
    adjusted, found, m = 0.0, list(parts), len(raw)
    for rank, i in enumerate(sorted(raw, key=raw.__getitem__) if m > 1 else ()):
        adjusted = max(adjusted, min(1.0, (m - rank) * raw[i]))
        found[i] = replace(parts[i], p_holm=adjusted)
    return tuple(found)


def headline(parts: Sequence[PartVerdict], name: str, row: str = "") -> PartVerdict:
    """Return the part of this name whose numbers stand for the row.

    Among those that count: one with the word of the row if there is one, else with the worst word;
    of several the one that holds with the smallest margin or fails by the largest.

    Raises
    ------
    ValueError
        If no part has this name.
    """
    named = [part for part in parts if part.name == name and part.decisive]
    if not named:
        raise ValueError(f"no decisive part is called {name!r}, only {[p.name for p in parts]}.")
    counting = [part for part in named if part.counts] or named
    like_row = [part for part in counting if part.word == row] or counting
    return max(like_row, key=lambda part: (_rank(part.word), -_margin(part)))


def _margin(part: PartVerdict) -> float:
    """How far the effect lies on the right side of its threshold."""
    if part.threshold is None:
        return 0.0
    off = part.effect - part.threshold
    return off if part.side.startswith(">") else -off


def _subset_rule(words: Sequence[str]) -> str:
    """All, some, or none: reproduced, partly, or the worst."""
    if "reproduced" in words:
        return "reproduced" if set(words) == {"reproduced"} else "partly"
    return _worst(words)


def _worst(words: Sequence[str]) -> str:
    return max(words, key=_rank, default="undecided")


def _rank(word: str) -> int:
    return EFFECT_WORDS.index(word) if word in EFFECT_WORDS else IDENTITY_WORDS.index(word)
