"""How two results differ, and two verdicts on one claim."""

from typing import Any

import xarray as xr

DIFFERENCE_HEAD = ("experiment", "digest", "common entries", "max |d i_xt|", "max |d i_ty|")


def difference_row(name: str, one: xr.Dataset, other: xr.Dataset) -> tuple[str, ...]:
    """Row under ``DIFFERENCE_HEAD`` for two planes of one experiment."""
    gap = difference(one, other)
    bits = (f"{gap[which]:.2g} bit" if gap["n"] else "-" for which in ("i_xt", "i_ty"))
    common = str(gap["n"]) if gap["n"] else f"none: yours has {', '.join(other.estimator.values)}"
    return (name, one.attrs["digest"], common, *bits)


def difference(one: xr.Dataset, other: xr.Dataset) -> dict[str, float]:
    """Largest |difference| of i_xt and i_ty, in bits, over the n entries both planes have.

    NaN if they have no estimator, seed, epoch and layer in common.
    """
    one, other = xr.align(one[["i_xt", "i_ty"]], other[["i_xt", "i_ty"]], join="inner")
    gaps = abs(one - other)
    if not gaps.i_xt.size:
        return {"i_xt": float("nan"), "i_ty": float("nan"), "n": 0}
    return {"i_xt": float(gaps.i_xt.max()), "i_ty": float(gaps.i_ty.max()), "n": gaps.i_xt.size}


def what_differs(theirs: dict[str, Any], own: dict[str, Any]) -> str:
    """Direction, size or scope, and whether the effects differ by more than the seeds explain.

    Two effects with 95 % intervals differ beyond their seeds where they lie further apart than the
    root of the squares of the half-widths that face each other.

    >>> one = {"direction": "agrees", "size": "open", "scope": "3 of 3", "effect": 1.0,
    ...        "low": 0.5, "high": 1.5}
    >>> what_differs(one, one | {"direction": "open", "effect": 1.5, "low": 1.0, "high": 2.0})
    'direction; within what the seeds explain'
    """
    parts = [key for key in ("direction", "size", "scope") if theirs[key] != own[key]]
    ends = [one[key] for one in (theirs, own) for key in ("effect", "low", "high")]
    if any(end is None for end in ends):
        return ", ".join(parts)
    lower, upper = sorted((theirs, own), key=lambda one: float(one["effect"]))
    reach = (lower["high"] - lower["effect"]) ** 2 + (upper["effect"] - upper["low"]) ** 2
    beyond = upper["effect"] - lower["effect"] > reach**0.5
    said = "more than the seeds explain" if beyond else "within what the seeds explain"
    return f"{', '.join(parts) or 'the word'}; {said}"
