"""What Python's rules say of the numbers of a page, and made-up claims to ask them.

The intervals are told instead of bootstrapped; everything else is ``decide`` and ``word_of``.
"""

import sys
from dataclasses import dataclass, field
from types import SimpleNamespace

import bar
import numpy as np

from ibcore.claims import shown
from ibcore.claims.cells import Cell
from ibcore.claims.checks import Check, Size
from ibcore.claims.decide import decide
from ibcore.claims.intervals import Estimate
from ibcore.claims.words import scope, word_of

deciding = sys.modules["ibcore.claims.decide"]  # the module: the function has its name
DATA = bar.load()


@dataclass(frozen=True, kw_only=True)
class Told(Estimate):
    """An estimate whose intervals are told."""

    told: dict = field(default_factory=dict)

    def interval(self, level=None):
        k = DATA["levels"].index(deciding.LEVEL)
        own = level is None or level == deciding.LEVEL
        ends = (self.told[name] for name in (("l", "h") if own else ("cl", "ch")))
        return tuple(many[min(k, len(many) - 1)] for many in ends)

    def p(self, side, line):
        return self.told.get("p", 1.0)


def told(numbers, p=None):
    return Told(effect=numbers["e"], n=numbers["n"], told={**numbers, **({} if p is None else p)})


@dataclass(frozen=True, kw_only=True)
class ToldCell(Cell):
    """A cell that is told what is estimated."""

    told: dict

    def estimate(self, seed):
        return told(self.told)

    def direction(self, seed):
        return told(self.told["s"], {"p": self.told.get("p", 1.0)})


def check_of(test, at):
    """The test of a page as Python has it, its bars as given."""
    nothing = np.zeros(1)
    cells = tuple(
        ToldCell(
            label=one["label"], kind="fact" if one.get("fact") else "networks", values=nothing,
            seeds=(), signed=nothing if "s" in one else None, hollow=one.get("hollow", ""),
            told=one,
        )
        for one in test["cells"]
    )  # fmt: skip
    size = None
    if at["size"] is not None:
        size = Size(low=at["size"][0], high=at["size"][1], source="" if test["size"][2] else "it")
    return Check(
        name=test["name"], what="", unit="", cells=cells, expects=test["expects"],
        side=test["side"], null=at["null"], margin=at["margin"], size=size,
        quantifier=test["quantifier"], primary=test["primary"],
    )  # fmt: skip


def python_says(monkeypatch, claim, bars):
    """Word and decided tests of a claim by ``decide`` and ``word_of``."""
    decided = []
    for test, at in zip(claim["tests"], bars, strict=True):
        if test["expects"] == "identity":
            k, m = test["k"], test["m"]
            decided.append(
                SimpleNamespace(
                    k=k, m=m, met=k == m, refuted=k < m, counts=True, quantifier="all",
                    expects="identity", direction="agrees" if k == m else "opposite",
                    size="no number given", cells=(),
                )
            )  # fmt: skip
            continue
        level = DATA["levels"][at["level"]]
        monkeypatch.setattr(deciding, "LEVEL", level)
        monkeypatch.setattr(deciding._numbers, "__defaults__", (level,))
        middle = test.get("middle", {})
        monkeypatch.setattr(
            deciding,
            "_middle",
            lambda test, cells, seed, signed, own=middle: told(own["s"] if signed else own),
        )
        decided.append(decide(check_of(test, at), ""))
    word = word_of(decided, claim["setting"])
    tests = [
        [[cell.mark for cell in one.cells], one.direction, one.size, one.met, one.refuted]
        for one in decided
    ]
    return [shown(word, *scope(decided)), tests]


def committed(test):
    size = test.get("size")
    return {
        "level": DATA["levels"].index(DATA["level"]), "null": test.get("null", 0.0),
        "margin": test.get("margin"), "size": size and size[:2], "place": None,
    }  # fmt: skip


# Made-up claims ---------------------------------------------------------------------------------


def made_up(rng):
    """A claim with numbers on a coarse grid, so that ends and lines often meet, and its bars."""
    tests = [made_up_test(rng, k) for k in range(rng.integers(1, 4))]
    claim = {"setting": str(rng.choice(["A", "B", "C"])), "tests": tests}
    level = int(rng.integers(len(DATA["levels"])))
    bars = [{**committed(test), "level": level} for test in tests]
    return claim, bars


def made_up_test(rng, k):
    if rng.random() < 0.1:
        m = int(rng.integers(1, 4))
        return {"name": f"{k}", "expects": "identity", "k": m - int(rng.random() < 0.5), "m": m}
    expects = str(rng.choice(["effect", "effect", "absence"]))
    signed = rng.random() < 0.4
    margin = float(rng.choice([0.1, 0.2, 0.5]))
    size = sorted(float(one) for one in rng.integers(-8, 9, 2) / 10)
    ours = bool(rng.random() < 0.5)
    size = [[size[0], size[0], True] if ours else [*size, False], None][rng.integers(2)]
    about = float(rng.integers(-6, 7) / 10)
    cells = [made_up_cell(rng, f"c{i}", signed, about) for i in range(rng.integers(1, 6))]
    return {
        "name": f"{k}", "expects": expects, "side": str(rng.choice([">", "<"])),
        "null": float(rng.choice([0.0, 0.0, 0.2])), "size": size,
        "margin": None if expects == "effect" and rng.random() < 0.4 else margin,
        "quantifier": str(rng.choice(["some", "typical", "all"])),
        "primary": str(rng.choice(["", "", "c0"])), "cells": cells,
        "middle": made_up_numbers(rng, signed, about),
    }  # fmt: skip


def made_up_cell(rng, label, signed, about):
    if rng.random() < 0.15:
        return {"label": label, "hollow": "at its ceiling"}
    p = {"p": float(rng.choice([1e-4, 1e-3, 0.006, 0.01, 0.02, 0.2, 0.9]))}
    fact = {"fact": True} if rng.random() < 0.1 else {}
    return {"label": label, **made_up_numbers(rng, signed, about), **p, **fact}


def made_up_numbers(rng, signed, about=0.0):
    """Nested intervals at every level, those of the best of many a little wider."""
    effect = round(about + int(rng.integers(-4, 5)) / 10, 1)
    steps = np.cumsum(rng.integers(0, 2, (2, len(DATA["levels"]))), axis=1) / 10
    low, high = (np.round(effect - steps[0], 1), np.round(effect + steps[1], 1))
    found = {
        "e": effect, "n": int(rng.choice([9, 10, 50])), "l": low.tolist(), "h": high.tolist(),
        "cl": np.round(low - 0.1, 1).tolist(), "ch": np.round(high + 0.1, 1).tolist(),
    }  # fmt: skip
    return {**found, "s": made_up_numbers(rng, False, about)} if signed else found
