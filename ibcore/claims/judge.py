"""From stored planes to the verdict of a claim."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from ibcore.claims import effects
from ibcore.claims.checks import Check
from ibcore.claims.decide import CheckVerdict, decide
from ibcore.claims.findings import number, sentence
from ibcore.claims.registry import Claim, find_claim, planes_of
from ibcore.claims.verdict import _SEAL, NoVerdict, Verdict
from ibcore.claims.words import scope, word_of
from ibcore.papers import paper_module

Planes = Mapping[str, xr.Dataset]


def judge(
    claim: Claim | str, planes: Planes | None = None, *, estimator: str | None = None
) -> Verdict | NoVerdict:
    """Decide a claim from stored planes.

    No network is excluded. Those that had not learnt are counted, and the claim is decided once
    more without them.

    Parameters
    ----------
    claim : Claim or str
        A claim or its id.
    planes : mapping of str to Dataset
        The planes the claim names; others are ignored.
    estimator : str, optional
        The ``repr`` of the ruler. Default: the first of each plane.

    Returns
    -------
    Verdict or NoVerdict
        No verdict if a plane comes from the smoke profile.

    Raises
    ------
    ValueError
        If a plane is missing, or lacks something the criterion reads.

    Examples
    --------
    >>> print(judge("SZT-S3.1", {}).verdict)
    holds
    """
    claim = find_claim(claim) if isinstance(claim, str) else claim
    given = planes or {}
    if claim.not_testable or claim.waits:
        return _untested(claim)
    missing = [name for name in planes_of(claim) if name not in given]
    if missing:
        raise ValueError(f"{claim.id} needs the planes {', '.join(missing)}; run them first.")
    if claim.all_rulers and estimator is not None:
        raise ValueError(
            f"{claim.id} compares rulers that its criterion names; it cannot be judged by "
            f"{estimator} alone."
        )
    if claim.same_evidence_as:
        return _shared(claim, given, estimator)
    planes = {name: given[name] for name in claim.experiments}
    if any(plane.attrs.get("profile") == "smoke" for plane in planes.values()):
        return NoVerdict(claim.id)
    decided = _decided(claim, planes, estimator)
    word = word_of(decided, claim.setting)
    learnt = {name: effects.learnt(plane) for name, plane in planes.items()}
    n_not_learnt = sum(int((~mask).sum()) for mask in learnt.values())
    without = word
    if n_not_learnt:
        kept = {name: plane.isel(seed=learnt[name]) for name, plane in planes.items()}
        without = word_of(_decided(claim, kept, estimator), claim.setting)
    first, (k, m) = decided[0], scope(decided)
    n_seeds = first.n
    if first.expects == "identity":
        n_seeds = min((plane.sizes["seed"] for plane in planes.values()), default=0)
    return Verdict(
        **_of_claim(claim),
        verdict=word,
        finding=sentence(claim.findings, word, decided, n_not_learnt),
        direction=first.direction,
        size=first.size,
        scope=f"{k} of {m}",
        quantifier=first.quantifier,
        effect=first.effect,
        low=first.low,
        high=first.high,
        unit=first.unit,
        n_seeds=n_seeds if planes else 0,
        n_not_learnt=n_not_learnt,
        scale=_scale(planes),
        experiment=_names(claim.experiments),
        source_value=_source_value(first),
        detectable=first.detectable if first.direction in ("open", "none found") else None,
        tests=decided,
        verdict_without_unlearnt=without,
        seal=_SEAL,
    )


def checks_of(claim: Claim, planes: Planes, estimator: str | None = None) -> tuple[Check, ...]:
    """The tests of a claim with their cells, not yet decided."""
    evidence = paper_module(claim.chapter, "evidence")
    return tuple(
        spec.test(
            planes
            if spec.names_rulers
            else {name: _one_ruler(planes[name], estimator) for name in spec.experiments},
            evidence,
        )
        for spec in claim.tests
    )


def _decided(claim: Claim, planes: Planes, estimator: str | None) -> tuple[CheckVerdict, ...]:
    return tuple(
        decide(test, f"{claim.id}/{test.name}") for test in checks_of(claim, planes, estimator)
    )


def _shared(claim: Claim, planes: Planes, estimator: str | None) -> Verdict | NoVerdict:
    """The verdict of another claim, under this one's name and in this one's words."""
    other = find_claim(claim.same_evidence_as)
    found = judge(other, planes, estimator=estimator)
    if isinstance(found, NoVerdict):
        return replace(found, id=claim.id)
    own = sentence(claim.findings, found.verdict, found.tests, found.n_not_learnt)
    named = {
        **_of_claim(claim),
        "criterion": other.criterion,
        "criterion_date": other.date,
        "exploratory": other.is_exploratory,
    }
    return replace(found, **named, finding=own or found.finding, seal=_SEAL)


def _untested(claim: Claim) -> Verdict:
    nothing = float("nan")
    word = "not testable here" if claim.not_testable else "waiting for its run"
    return Verdict(
        **_of_claim(claim), verdict=word, finding=claim.not_testable or claim.waits, direction="",
        size="", scope="", quantifier="", effect=nothing, low=nothing, high=nothing, unit="",
        n_seeds=0, n_not_learnt=0, scale="", experiment="", source_value=None, detectable=None,
        tests=(), verdict_without_unlearnt=word, seal=_SEAL,
    )  # fmt: skip


def _of_claim(claim: Claim) -> dict[str, Any]:
    return {
        "id": claim.id,
        "chapter": claim.chapter,
        "title": claim.title,
        "statement": claim.statement,
        "source": claim.source,
        "link": claim.link,
        "criterion": claim.criterion,
        "note": claim.note,
        "question": claim.question,
        "rank": claim.rank,
        "setting": claim.setting,
        "criterion_date": claim.date,
        "criterion_hash": claim.criterion_hash,
        "same_evidence_as": claim.same_evidence_as or None,
        "exploratory": claim.is_exploratory,
    }


def _source_value(test: CheckVerdict) -> float | None:
    """The source's own number, where it gives one."""
    if test.size_line is None or not test.size_line.source:
        return None
    return float(np.mean([test.size_line.low, test.size_line.high]))


def _one_ruler(plane: xr.Dataset, estimator: str | None) -> xr.Dataset:
    rulers = list(plane.estimator.values)
    if estimator is not None and estimator not in rulers:
        raise ValueError(f"the plane has no ruler {estimator!r}, only {', '.join(rulers)}.")
    return plane.isel(estimator=[rulers.index(estimator) if estimator else 0])


def _scale(planes: Planes) -> str:
    """Seeds and epochs of the planes, "a to b" where they differ.

    >>> _scale({})
    'exact, no training'
    """
    if not planes:
        return "exact, no training"
    seeds = _range([plane.sizes["seed"] for plane in planes.values()])
    epochs = _range([int(plane.epoch[-1]) for plane in planes.values()])
    return f"{seeds} seeds x {epochs} epochs"


def _range(values: list[int]) -> str:
    low, high = number(min(values)), number(max(values))
    return low if low == high else f"{low} to {high}"


def _names(experiments: tuple[str, ...]) -> str:
    """All names, or first and last of a long row of them.

    >>> _names(("a", "b")), _names(tuple("abcdefghi"))
    ('a, b', 'a ... i')
    """
    if len(experiments) > 8:
        return f"{experiments[0]} ... {experiments[-1]}"
    return ", ".join(experiments)
