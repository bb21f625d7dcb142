"""What the multiverse of a claim is made of: rules for the checkpoints, and the stored planes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import xarray as xr
from execute import BOOK

from ibcore.claims import effects as fx
from ibcore.study import Study

FRESH, PLAIN, LEARNT = "fresh maximum", "plain maximum", "last against first after learning"


def _first_to_last(plane: xr.Dataset, ruler: str | None) -> xr.DataArray:
    ix = fx.curve(plane, estimator=ruler)
    return fx.final(ix) - ix.isel(epoch=0, drop=True)


def _relative(measure: Any) -> Any:
    def found(plane: xr.Dataset, ruler: str | None) -> xr.DataArray:
        return fx._over_largest(measure(plane, ruler), fx.curve(plane, estimator=ruler))

    return found


LOSSES = {FRESH: fx.fall_from_peak, PLAIN: fx.compression, LEARNT: fx.loss_since_learnt}
RULES: dict[str, dict[str, Any]] = {
    "compression": LOSSES,
    "fresh compression": LOSSES,
    "relative compression": {
        FRESH: _relative(fx.fall_from_peak), PLAIN: fx.relative_compression,
        LEARNT: fx.relative_loss_since_learnt,
    },
    "score": {
        FRESH: _relative(fx.fall_from_peak), PLAIN: fx.compression_score,
        LEARNT: fx.relative_loss_since_learnt,
    },
    "fitting": {FRESH: fx.gain_until_peak, PLAIN: fx.fitting, "last against first": _first_to_last},
    "label loss": {PLAIN: fx.label_loss, LEARNT: fx.label_loss_since_learnt},
}  # fmt: skip
"""Rules for the checkpoints, where an effect has several."""


@dataclass(frozen=True)
class Spec:
    """One combination of choices: dimension -> label, and the numbers that it decides on."""

    choice: Mapping[str, str]
    values: xr.DataArray
    hollow: str = ""


@dataclass
class Stored:
    """Stored planes, "experiment" of a chapter or "chapter:experiment", each loaded once."""

    chapter: str
    studies: dict[str, Study] = field(default_factory=dict)
    planes: dict[str, xr.Dataset | None] = field(default_factory=dict)
    measured: dict[Any, xr.DataArray] = field(default_factory=dict)

    def _place(self, name: str) -> tuple[Study, str]:
        chapter, _, own = name.rpartition(":")
        chapter = chapter or self.chapter
        if chapter not in self.studies:
            self.studies[chapter] = Study(chapter, results=BOOK / "results")
        return self.studies[chapter], own

    def experiment(self, name: str) -> Any:
        study, own = self._place(name)
        return study.experiments[own]

    def plane(self, name: str) -> xr.Dataset | None:
        if name not in self.planes:
            study, own = self._place(name)
            self.planes[name] = study.stored(own)
        return self.planes[name]

    def measure(self, key: Any, plane: xr.Dataset, rule: Any, ruler: str | None) -> xr.DataArray:
        """A measure of a plane, once; ``key`` names plane, clock, rule and ruler."""
        if key not in self.measured:
            self.measured[key] = rule(plane, ruler)
        return self.measured[key]


def first_held(named: Mapping[str, Any], held: set[str]) -> dict[str, str]:
    """Label -> the first of its rulers that is held."""
    found = {}
    for label, many in named.items():
        for one in [many] if isinstance(many, str) else many:
            if one in held:
                found[label] = one
                break
    return found
