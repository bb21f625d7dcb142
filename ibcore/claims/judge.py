"""From stored planes to the verdict of a claim."""

from collections.abc import Mapping

import xarray as xr

from ibcore.claims import effects
from ibcore.claims.decide import Part, PartVerdict, decide_part
from ibcore.claims.registry import Claim, find_claim, registry_hash
from ibcore.claims.verdict import _SEAL, NoVerdict, Verdict, number
from ibcore.claims.words import adjust_holm, combine, headline
from ibcore.papers import paper_module

Planes = Mapping[str, xr.Dataset]


def judge(
    claim: Claim | str, planes: Planes | None = None, *, estimator: str | None = None
) -> Verdict | NoVerdict:
    """Decide a claim from stored planes.

    No network is excluded. Those that had not learnt (final train accuracy below 0.9 x the
    median network's) are counted, and the claim is decided once more without them.

    Parameters
    ----------
    claim : Claim or str
        A claim or its id.
    planes : mapping of str to Dataset
        The planes the claim names in ``experiments``; others are ignored.
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
    missing = [name for name in claim.experiments if name not in given]
    if missing:
        raise ValueError(f"{claim.id} needs the planes {', '.join(missing)}; run them first.")
    if claim.all_rulers and estimator is not None:
        raise ValueError(
            f"{claim.id} compares rulers that its criterion names; it cannot be judged by "
            f"{estimator} alone."
        )
    planes = {name: given[name] for name in claim.experiments}
    if not claim.all_rulers:
        planes = {name: _one_ruler(plane, estimator) for name, plane in planes.items()}
    if any(plane.attrs.get("profile") == "smoke" for plane in planes.values()):
        return NoVerdict(claim.id)
    parts = _decide_parts(claim, planes)
    word, cells, majority = combine(parts)
    learnt = {name: effects.learnt(plane) for name, plane in planes.items()}
    n_not_learnt = sum(int((~mask).sum()) for mask in learnt.values())
    without = word
    if n_not_learnt:
        kept = {name: plane.isel(seed=learnt[name]) for name, plane in planes.items()}
        without = combine(_decide_parts(claim, kept))[0]
    for found in (word, without):
        if found not in claim.words:
            raise ValueError(
                f"{claim.id} declares the words {claim.words}, but its evidence gave {found!r}; "
                "declare it in the chapter's claims file."
            )
    first = headline(parts, claim.headline, word)
    share_held = sum(part.word == "holds" for part in parts) / len(parts)
    effect, low, high = (
        (share_held,) * 3 if claim.is_identity else (first.effect, first.low, first.high)
    )
    n_seeds = min((part.n_seeds for part in parts if part.counts), default=0)
    if claim.is_identity:
        n_seeds = min((plane.sizes["seed"] for plane in planes.values()), default=0)
    return Verdict(
        id=claim.id,
        verdict=word,
        effect=effect,
        low=low,
        high=high,
        unit=claim.unit,
        n_seeds=n_seeds if planes else 0,
        n_not_learnt=n_not_learnt,
        scale=_scale(planes),
        experiment=_names(claim.experiments),
        chapter=claim.chapter,
        parts=parts,
        cells=tuple(cells.items()),
        majority=majority,
        verdict_without_unlearnt=without,
        registry_hash=registry_hash(claim.chapter),
        title=claim.title,
        source=claim.source,
        criterion=claim.criterion,
        seal=_SEAL,
    )


def evidence(claim: Claim, planes: Planes) -> tuple[Part, ...]:
    """Return the parts of a claim's criterion, not yet decided."""
    module = paper_module(claim.chapter, "evidence")
    return tuple(getattr(module, claim.evidence)(planes, claim.thresholds))


def _decide_parts(claim: Claim, planes: Planes) -> tuple[PartVerdict, ...]:
    return adjust_holm([decide_part(part, claim.id) for part in evidence(claim, planes)])


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
