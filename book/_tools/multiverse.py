"""The reasonable choices of each headline claim, and what each says: book/results/multiverse.json.

python book/_tools/multiverse.py [CLAIM ...]

A headline claim is decided by one primary test: one ruler, one set of layers, one rule for the
peak, one setting. Others would have been as reasonable. Here every combination of them that the
stored runs allow is decided in the same way, network by network and with the same intervals:

    setting      the claim's own planes and the siblings that papers/multiverse.toml names
    ruler        those of papers/multiverse.toml that are stored on the plane
    layers       each layer of the claim, their mean, the mean of all hidden layers
    checkpoints  fresh maximum, plain maximum, last against first after learning
    networks     all, or those that learnt (where some did not)
    clock        of pairs: whole runs, up to equal updates, up to equal training loss

What a layer at its ceiling or a void plane would say is counted and left out. A claim whose inputs
have not changed since the file was written is not computed again.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

import multiverse_figures as figures
import numpy as np
import xarray as xr
from execute import BOOK
from multiverse_planes import RULES, Spec, Stored, first_held

from ibcore import claims
from ibcore.claims import cells, clocks, intervals
from ibcore.claims import effects as fx
from ibcore.claims.checks import MARGINS, Check
from ibcore.claims.criteria import EFFECTS, CheckSpec
from ibcore.claims.decide import decide
from ibcore.files import write_whole
from ibcore.papers import papers, read_toml

FILE = BOOK / "results" / "multiverse.json"
CHOICES = BOOK / "papers" / "multiverse.toml"
MARKS = ("agrees", "none found", "open", "opposite")
VERSION = 3  # of what this tool computes


def choices_file(path: Path = CHOICES) -> dict[str, Any]:
    """papers/multiverse.toml."""
    return read_toml(path)


@dataclass
class Multiverse:
    """All reasonable choices of one claim."""

    claim: claims.Claim
    stored: Stored
    toml: Mapping[str, Any]

    @cached_property
    def own(self) -> Mapping[str, Any]:
        """What papers/multiverse.toml says of this claim."""
        return self.toml.get("claims", {}).get(self.claim.id, {})

    @cached_property
    def test(self) -> Mapping[str, Any]:
        """The primary test, or the one that says the same in the vocabulary."""
        entry = self.own.get("test") or (self.claim.tests[0].entry if self.claim.tests else {})
        if "effect" not in entry:
            raise ValueError(f"{self.claim.id} has no primary test in the vocabulary.")
        return CheckSpec({"name": "multiverse", **entry}, self.claim.id, self.claim.expects).entry

    @property
    def effect(self) -> Any:
        return EFFECTS[self.test["effect"]]

    @cached_property
    def settings(self) -> dict[str, list[str]]:
        """Label -> the plane, or the two, that are stored; the claim's own first."""
        said = self.test.get("pairs") or self.test["planes"]
        alone = len(said) == 1
        named = (
            said
            if isinstance(said, Mapping)
            else {"the claim's own" if alone else name: name for name in said}
        )
        found = {}
        for label, names in [*named.items(), *self.own.get("siblings", {}).items()]:
            many = [names] if isinstance(names, str) else list(names)
            if all(self.stored.plane(name) is not None for name in many):
                found[label] = many
        return found

    def is_own(self, label: str) -> bool:
        return label not in self.own.get("siblings", {})

    def rulers(self, names: list[str]) -> dict[str, tuple[str | None, str | None]]:
        """Label -> ruler, and the one that is subtracted; those that all planes hold."""
        if not self.effect.information:
            return {"": (None, None)}
        planes = [self.stored.plane(name) for name in names]
        held = set.intersection(*(set(map(str, plane.estimator.values)) for plane in planes))
        named = self.own.get("rulers", self.toml["rulers"])
        found = first_held(named, held)
        main = str(planes[0].estimator.values[0])
        for one in (self.test.get("ruler"), main):
            if "rulers" not in self.own and one in held and one not in found.values():
                found["the plane's own ruler" if one == main else "the claim's ruler"] = one
        if "minus_ruler" not in self.test:
            return {label: (one, None) for label, one in found.items()}
        minus = first_held(self.own["minus_rulers"], held)
        return {
            f"{a} minus {b}": (one, other) for a, one in found.items() for b, other in minus.items()
        }

    def layers(self, plane: xr.Dataset) -> dict[str, list[int]]:
        """Label -> layers, of which the mean is taken."""
        every = [int(k) for k in plane.layer.values]
        mean, wanted = self.test.get("layer_mean"), self.test.get("layers")
        if mean is None and wanted is None:
            return {"": []}
        if isinstance(wanted, str):
            wanted = every if wanted == "all" else every[:-1]
        named = [int(k) for k in (mean or wanted) if int(k) in every]
        found = {f"layer {k}" if k != every[-1] else "output": [k] for k in named}
        if len(named) > 1:
            found["mean of the claim's layers"] = named
        if named != every[:-1]:
            found["mean of hidden layers"] = every[:-1]
        return found

    def rules(self) -> dict[str, Any]:
        """Label -> measure (plane, ruler); one without a label where there is no choice."""
        with_settings = dict(self.test.get("with", {}))
        if self.test["effect"] in RULES and not with_settings:
            return RULES[self.test["effect"]]
        measure = self.effect.measure
        return {"": lambda plane, ruler: measure(plane, ruler, **with_settings)}

    def clocks(self, names: list[str]) -> list[str]:
        """Of a pair: whole runs, equal updates where that is something else, equal loss."""
        if len(names) != 2:
            return [""]
        first, second = (self.stored.plane(name) for name in names)
        same = np.array_equal(first.epoch, second.epoch) and np.allclose(
            first["update"], second["update"]
        )
        return ["epoch", "loss"] if same else ["epoch", "update", "loss"]

    def specs(self) -> Iterator[Spec]:
        """Every combination, with one number for each network."""
        for label, names in self.settings.items():
            planes = [self.stored.plane(name) for name in names]
            why = next(filter(None, map(fx.void, planes)), "")
            for clock in self.clocks(names):
                held = clocks.at_equal(*planes, clock=clock) if clock else planes
                yield from self._specs_of(label, names, list(held), clock, why)

    def _specs_of(
        self, label: str, names: list[str], planes: list[xr.Dataset], clock: str, why: str
    ) -> Iterator[Spec]:
        stored = [self.stored.plane(name) for name in names]
        able = [one.seed.values[fx.learnt(one)] for one in stored]
        some_did_not = any(
            len(who) < one.sizes["seed"] for who, one in zip(able, stored, strict=True)
        )
        networks = {"all": None} | ({"learnt only": able} if some_did_not else {})
        rulers, rules = self.rulers(names), self.rules()
        for ruler, rule in product(rulers, rules):
            found = [
                self._measured(name, plane, clock, rule, rules[rule], rulers[ruler])
                for name, plane in zip(names, planes, strict=True)
            ]
            for layers, who in product(self.layers(stored[0]), networks):
                choice = {
                    "setting": label, "clock": clock, "ruler": ruler, "checkpoints": rule,
                    "layers": layers, "networks": who,
                }  # fmt: skip
                kept, at = networks[who], self.layers(stored[0])[layers]
                values, full = self._values(found, kept, at, names, rulers[ruler])
                yield Spec(choice, values, why or full)

    def _measured(
        self, name: str, plane: xr.Dataset, clock: str, label: str, rule: Any,
        rulers: tuple[str | None, str | None],
    ) -> xr.DataArray:  # fmt: skip
        def one(ruler: str | None) -> xr.DataArray:
            if clock:  # two runs held at an equal clock: no other pair has them
                return rule(plane, ruler)
            key = (name, self.test["effect"] if label == "" else label, ruler)
            return self.stored.measure(key, plane, rule, ruler)

        ruler, minus = rulers
        return one(ruler) - one(minus) if minus else one(ruler)

    def _values(
        self, found: list[xr.DataArray], kept: Any, layers: list[int], names: list[str],
        rulers: tuple[str | None, str | None],
    ) -> tuple[xr.DataArray, str]:  # fmt: skip
        """One number for each network, and why there is none; layers as criteria take them."""
        if kept is not None:
            found = [
                one.sel(seed=np.intersect1d(one.seed, who))
                for one, who in zip(found, kept, strict=True)
            ]
        full = ""
        if layers and "layer" in found[0].dims:
            asked = [rulers[0], *filter(None, rulers[1:])]
            hit = [[self._full(name, ruler).sel(layer=layers) for ruler in asked] for name in names]
            if len(layers) == 1:  # of two runs, both must be at the ceiling
                full = "at its ceiling" if all(bool(one[0].all()) for one in hit) else ""
                found = [one.sel(layer=layers[0], drop=True) for one in found]
            else:
                able = ~xr.concat([one for many in hit for one in many], "asked").any("asked")
                full = "" if bool(able.any()) else "at its ceiling"
                found = [one.sel(layer=layers).where(able).mean("layer") for one in found]
        if len(found) == 1:
            return found[0], full
        one, other = xr.align(*found, join="inner")
        return (one / other if self.test.get("against") == "over" else one - other), full

    def _full(self, name: str, ruler: str | None) -> xr.DataArray:
        """Which layers are at their ceiling."""
        plane = self.stored.plane(name)
        if not self.effect.information:
            return xr.zeros_like(plane.layer, dtype=bool)
        key = (name, "full", ruler)
        return self.stored.measure(
            key, plane, lambda one, by: fx.saturated_layers(one, estimator=by), ruler
        )

    def decided(self) -> dict[str, Any]:
        """As book/results/multiverse.json has it."""
        unit = self.test.get("unit", self.effect.unit)
        rows, hollow, registered = [], 0, []
        labels: dict[str, list[str]] = {}
        for spec in self.specs():
            answered = int(np.isfinite(spec.values).sum())
            if spec.hollow or answered == 0:
                hollow += 1
                continue
            place = []
            for dim, label in spec.choice.items():
                known = labels.setdefault(dim, [])
                if label not in known:
                    known.append(label)
                place.append(known.index(label))
            found = self.decide(spec, unit)
            if self.is_registered(spec):
                registered.append(len(rows))
            rows.append([*place, *(float(f"{x:.4g}") for x in found[:3]), MARKS.index(found[3])])
        return {
            "effect": self.test.get("what", self.effect.what),
            "unit": unit,
            "expects": self.claim.expects,
            "side": self.test.get("side", ">"),
            "null": self.test.get("null", 0.0),
            "margin": self.test.get("margin", MARGINS.get(unit)),
            "choices": labels,
            "seeds": self.seeds(),
            "hollow": hollow,
            "registered": registered,
            "specs": rows,
        }

    def decide(self, spec: Spec, unit: str) -> tuple[float, float, float, str]:
        """Effect, interval and direction of one combination, by the rules of claims."""
        mean = self.test.get("statistic") == "mean"
        statistic = intervals.mean if mean else intervals.median
        check = Check(
            name=self.claim.id,
            what="",
            unit=unit,
            cells=(cells.cell("it", spec.values, statistic=statistic),),
            expects=self.claim.expects,
            side=self.test.get("side", ">"),
            null=self.test.get("null", 0.0),
            margin=self.test.get("margin", MARGINS.get(unit)),
        )
        found = decide(check, f"{self.claim.id}/multiverse")
        said = found.direction
        # A claim that nothing is lost is not refuted by a gain, which a rule with a sign can show.
        if check.expects == "absence" and self.test["effect"] in RULES and check.margin is not None:
            line = check.null + check.margin
            said = "agrees" if found.high < line else "opposite" if found.low > line else "open"
        return found.effect, found.low, found.high, said

    def is_registered(self, spec: Spec) -> bool:
        """Whether a combination is one of those that the claim's criterion names."""
        choice, test = spec.choice, self.test
        names = self.settings[choice["setting"]]
        wanted = [test.get("ruler"), *test.get("rulers", {}).values()]
        used, minus = self.rulers(names)[choice["ruler"]]
        main = str(self.stored.plane(names[0]).estimator.values[0])
        ruler = used in wanted or (wanted == [None] and used in (None, main))
        mean = "layer_mean" in test
        return (
            self.is_own(choice["setting"])
            and ruler
            and minus == test.get("minus_ruler")
            and choice["clock"] in ("", test.get("clock", "epoch"))
            and choice["checkpoints"] == self._own_rule(names)
            and choice["networks"] == "all"
            and ("mean of the" in choice["layers"]) == (mean and len(test["layer_mean"]) > 1)
            and "mean of hidden" not in choice["layers"]
        )

    def _own_rule(self, names: list[str]) -> str:
        """The rule that gives the claim its direction: of the signed quantity, if it has one."""
        rules = self.rules()
        signed = self.effect.signed if len(names) == 1 and "minus_ruler" not in self.test else None
        if self.claim.expects == "absence":
            signed = None
        wanted = signed or self.effect.measure
        return next((label for label, one in rules.items() if one is wanted), "")

    def seeds(self) -> list[int]:
        """First and last seed of the claim's own networks."""
        own = [names for label, names in self.settings.items() if self.is_own(label)]
        seeds = [self.stored.plane(name).seed.values for names in own for name in names]
        return [int(min(map(min, seeds))), int(max(map(max, seeds)))]

    def inputs(self) -> str:
        """A hash of all that is read: settings, values, the test and the choices."""
        digest = hashlib.sha256(
            repr((VERSION, dict(self.test), self.own, self.toml["rulers"])).encode()
        )
        for name in sorted({name for names in self.settings.values() for name in names}):
            plane = self.stored.plane(name)
            digest.update(name.encode())
            for variable in ("i_xt", "train_accuracy", "loss", "test_accuracy"):
                if variable in plane:
                    digest.update(np.ascontiguousarray(plane[variable].values).tobytes())
        return digest.hexdigest()[:16]


def asked(toml: Mapping[str, Any]) -> Iterator[claims.Claim]:
    """Headline claims whose primary test, or another that stands for it, is in the vocabulary."""
    for paper in papers():
        for claim in claims.load_registry(paper):
            entry = claim.tests[0].entry if claim.tests else {}
            said = "effect" in entry or "test" in toml.get("claims", {}).get(claim.id, {})
            if claim.rank == "headline" and not claim.same_evidence_as and said:
                yield claim


def load(path: Path = FILE) -> dict[str, Any]:
    """What is stored; nothing where there is no file."""
    if not path.exists():
        return {"claims": {}}
    return json.loads(path.read_text(encoding="utf-8"))


def text_of(content: Mapping[str, Any]) -> str:
    """The file: a line for each combination, as for every innermost list."""
    text = json.dumps(content, indent=1, ensure_ascii=False)
    return re.sub(r"\[[^\[\]{}]*\]", lambda m: re.sub(r"\s+", " ", m[0]), text) + "\n"


def shares(found: Mapping[str, Any]) -> Counter[str]:
    """How many combinations say what."""
    return Counter(MARKS[row[-1]] for row in found["specs"])


def main(wanted: list[str]) -> int:
    toml, content = choices_file(), load()
    kept, stores = dict(content["claims"]), {}
    order = []
    for claim in asked(toml):
        order.append(claim.id)
        if wanted and claim.id not in wanted:
            continue
        stored = stores.setdefault(claim.chapter, Stored(claim.chapter))
        one = Multiverse(claim, stored, toml)
        if not any(map(one.is_own, one.settings)):
            print(f"{claim.id}: its runs are not stored", flush=True)
            kept.pop(claim.id, None)
            continue
        inputs = one.inputs()
        if kept.get(claim.id, {}).get("inputs") == inputs and not wanted:
            continue
        kept[claim.id] = {"inputs": inputs, **one.decided()}
        print(claim.id, dict(shares(kept[claim.id])), kept[claim.id]["hollow"], flush=True)
        content = {"claims": {name: kept[name] for name in order if name in kept}}
        write_whole(FILE, text_of(content).encode())
    content = {"claims": {name: kept[name] for name in order if name in kept}}
    write_whole(FILE, text_of(content).encode())
    figures.write(content["claims"])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
