"""What a test of a claim is made of: one cell for each layer, activation, ruler or setting.

A cell holds one number per network and says how they become one effect. Cells come from the
vocabulary (``criteria``) or from a function in a paper's folder.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from ibcore.claims import intervals
from ibcore.claims.intervals import Array, Estimate, Statistic

Seeds = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One place in which a claim is asked.

    Made by ``cell``, ``share``, ``correlation`` or ``fact``.

    Attributes
    ----------
    label : str
        For the reader: "tanh, layer 5". No two cells of a test share it.
    kind : str
        "networks", "share", "correlation" or "fact".
    values : (network, ...) array
        NaN where a network gave no answer.
    seeds : tuple of int
        Of the networks: cells of the same networks are resampled together.
    statistic : callable
        From resampled networks to the effect.
    signed : (network,) array or None
        A signed quantity beside an effect that cannot be negative; it decides the direction.
    hollow : str
        Why the cell cannot answer; "" where it can.
    note : str
        For the reader.
    """

    label: str
    kind: str
    values: Array
    seeds: Seeds
    statistic: Statistic = intervals.median
    signed: Array | None = None
    hollow: str = ""
    note: str = ""

    @property
    def answers(self) -> bool:
        """Whether it can answer."""
        return not self.hollow

    def estimate(self, seed: str) -> Estimate:
        """Effect with its uncertainty over networks."""
        if self.kind == "fact":
            return intervals.exactly(self.values[0])
        if self.kind == "share":
            return intervals.share_of(self.values)
        if self.kind == "correlation":
            return intervals.correlation_of(self.values[0], int(self.values[1]))
        return intervals.bootstrapped(self.values, self.statistic, f"{seed}/{self.label}")

    def direction(self, seed: str) -> Estimate:
        """The same of the signed quantity, where there is one."""
        if self.signed is None:
            return self.estimate(seed)
        return intervals.bootstrapped(self.signed, intervals.median, f"{seed}/{self.label}/signed")


def cell(
    label: str,
    values: ArrayLike | xr.DataArray,
    *,
    statistic: Statistic = intervals.median,
    signed: ArrayLike | xr.DataArray | None = None,
    hollow: str = "",
    note: str = "",
) -> Cell:
    """Cell: a statistic of networks, their median by default.

    Parameters
    ----------
    label : str
    values : (network, ...) array
        With the coordinate ``seed`` where the networks are those of other cells.
    statistic, signed, hollow, note
        As ``Cell`` has them.
    """
    found = np.asarray(values, dtype=float)
    seeds = tuple(range(len(found)))
    if isinstance(values, xr.DataArray) and "seed" in values.coords and values.seed.ndim == 1:
        seeds = tuple(int(s) for s in values.seed.values)
    return Cell(
        label=label,
        kind="networks",
        values=found,
        seeds=seeds,
        statistic=statistic,
        signed=None if signed is None else np.asarray(signed, dtype=float),
        hollow=hollow or ("" if _any_answer(found) else "no network answered"),
        note=note,
    )


def share(label: str, flags: ArrayLike | xr.DataArray, **more: Any) -> Cell:
    """Cell: the share of networks with a property."""
    made = cell(label, flags, statistic=intervals.mean, **more)
    return Cell(**{**vars(made), "kind": "share"})


def correlation(label: str, r: float, n_points: int, **more: Any) -> Cell:
    """Cell: a correlation over points that are no networks, such as activations."""
    values = np.array([r, n_points], dtype=float)
    return Cell(label=label, kind="correlation", values=values, seeds=(), **more)


def fact(label: str, holds: bool | np.bool_, note: str = "") -> Cell:
    """Cell: a statement that holds or fails."""
    return Cell(label=label, kind="fact", values=np.array([float(holds)]), seeds=(), note=note)


def together(cells: Sequence[Cell], seed: str, *, signed: bool = False) -> Array:
    """Draws of every cell, (resample, cell): cells of the same networks share their resamples."""
    chosen: dict[Seeds, NDArray[np.int64]] = {}
    generator = intervals.generator_of(f"{seed}/together")
    draws = np.empty((intervals.RESAMPLES, len(cells)))
    for k, one in enumerate(cells):
        own = signed and one.signed is not None
        values = one.signed if own and one.signed is not None else one.values
        statistic = intervals.median if own else one.statistic
        finite = np.isfinite(values).reshape(len(values), -1)
        ragged = bool((finite.any(axis=1) != finite.all(axis=1)).any())
        if one.kind in ("correlation", "fact") or ragged:  # points, or columns of other networks
            draws[:, k] = one.estimate(seed).drawn(generator)
            continue
        rows = np.flatnonzero(finite.all(axis=1))
        who = tuple(one.seeds[i] for i in rows)
        if who not in chosen:
            chosen[who] = generator.integers(len(who), size=(intervals.RESAMPLES, len(who)))
        draws[:, k] = _in_batches(values[rows], chosen[who], statistic)
    return draws


def _in_batches(values: Array, chosen: NDArray[np.int64], statistic: Statistic) -> Array:
    batch = max(1, 2_000_000 // max(1, values.size))
    return np.concatenate(
        [statistic(values[chosen[k : k + batch]]) for k in range(0, len(chosen), batch)]
    )


def _any_answer(values: Array) -> bool:
    return bool(values.size) and bool((~np.isnan(values)).reshape(len(values), -1).any())
