"""Renewing the certificate of a stored result after a change of code that should move no number.

Another processor rounds differently, and over thousands of updates rounding grows until single
networks part. What is asked of a result is the same everywhere, and everywhere it can be met:

1. the canary, the first updates of one network, agrees within its tolerance;
2. two networks trained again give the stored bits, to 1e-3, at every measured epoch; or, where
   rounding has parted them,
3. of five networks the final values fall among the stored ones: a permutation test, over networks,
   of the largest standardised difference of mean ranks over all rulers and layers, at p > 0.001.

Networks that take long are followed for their first updates instead of to the end.
"""

from json import loads
from typing import NamedTuple

import numpy as np
import xarray as xr

from ibcore.config import Experiment
from ibcore.estimators import RangeBinning, Ruler
from ibcore.files import check_writable
from ibcore.results import provenance
from ibcore.results.parts import observables_of, rulers_of
from ibcore.results.run import run
from ibcore.results.store import Store, block_name, blocks
from ibcore.training import Trajectory

SAME_BITS = 1e-3  # a file rounds to 2e-4
NETWORKS, MORE_NETWORKS = 2, 5
LONG = 3.0  # seconds for a network, from the stored run: then the first updates only
FIRST_UPDATES = 7
LEAST_P = 1e-3  # with 300 results one in three renewals meets a false alarm
N_PERMUTATIONS = 20_000


class Answer(NamedTuple):
    """What was found: ``"current"``, ``"certified"`` or ``"stale"``, and how."""

    word: str
    how: str

    def __str__(self) -> str:
        """Both in one line."""
        return f"{self.word}: {self.how}"


def certify(stored: xr.Dataset, store: Store, *, progress: bool = True) -> Answer:
    """Run a part of a stored result again and, if it comes out the same, certify today's code.

    Parameters
    ----------
    stored : xarray.Dataset
        The plane.
    store : Store
        Where it is stored; its certificates are written.
    progress : bool

    Returns
    -------
    Answer
    """
    if not store.distrusted(stored) and not _distrusted_weights(stored, store):
        return Answer("current", "made or certified by today's code")
    check_writable(store.root)  # before any work
    answer = compared(stored, progress=progress)
    if answer.word == "certified":
        _note(stored, store)
    return answer


def compared(stored: xr.Dataset, *, progress: bool = True) -> Answer:
    """Whether today's code gives the numbers of a stored plane."""
    experiment = Experiment.from_json(stored.attrs["experiment"])
    start, moved = provenance.canary_distance(
        provenance.canary(experiment), loads(stored.attrs["canary"])
    )
    if start > provenance.START_TOLERANCE or moved > provenance.CANARY_TOLERANCE:
        return Answer(
            "stale",
            f"the canary differs: initial weights by {start:.1g}, the first "
            f"{provenance.CANARY_UPDATES} updates by {moved:.1g} of their length",
        )
    rulers = rulers_of(stored)
    if len(rulers) < stored.sizes["estimator"]:
        return Answer("stale", "it has rulers that are not known here")
    short, rulers, span = _shortened(stored, experiment, rulers)
    again = run(short.replace(n_seeds=min(NETWORKS, short.n_seeds)), rulers, progress=progress)
    off = difference(stored, again)
    if off <= SAME_BITS:
        n = again.sizes["seed"]
        return Answer("certified", f"{n} networks, {span}, agree to {max(off, 2e-4):.1g} bit")
    more = short.replace(n_seeds=min(MORE_NETWORKS, short.n_seeds))
    p = permutation_p(stored, run(more, rulers, progress=progress))
    what = f"{more.n_seeds} networks, {span}, compared over seeds: p = {p:.2g}"
    return Answer("certified" if p > LEAST_P else "stale", what)


def _shortened(
    stored: xr.Dataset, experiment: Experiment, rulers: list[Ruler]
) -> tuple[Experiment, list[Ruler], str]:
    """The experiment to run again, its rulers, and in words how far it goes."""
    if stored.attrs["duration_s"] / stored.sizes["seed"] <= LONG:
        return experiment, rulers, "whole runs"
    last = int(stored["epoch"][stored["update"] <= FIRST_UPDATES][-1])
    kept = tuple(int(epoch) for epoch in stored["epoch"] if 0 < epoch <= last)
    short = experiment.replace(n_epochs=max(last, 1), n_measured_epochs=2, measured_epochs=kept)
    near = [one for one in rulers if not isinstance(one, RangeBinning)]  # that one looks ahead
    if not near:
        return experiment, rulers, "whole runs"
    return short, near, f"up to epoch {max(last, 1)}"


def difference(stored: xr.Dataset, again: xr.Dataset) -> float:
    """Largest difference of information in what both have, in bits; NaN beside a number counts."""
    gaps = []
    for name in ("i_xt", "i_ty"):
        new, old = xr.align(again[name], stored[name], join="inner")
        same = (new == old) | (np.isnan(new) & np.isnan(old))
        gaps.append(float(abs(new - old).where(~same, 0.0).fillna(np.inf).max()))
    return max(gaps)


def permutation_p(stored: xr.Dataset, again: xr.Dataset) -> float:
    """p that final values of networks trained again come from those of the stored ones.

    Ranks of all networks, old and new, per ruler, layer and coordinate; the statistic is the
    largest |difference of mean ranks| over these; permuted is which networks are the new ones.
    """
    epoch = again["epoch"].values[-1]
    columns = []
    for name in ("i_xt", "i_ty"):
        old = stored[name].sel(epoch=epoch, estimator=again["estimator"].values)
        both = [one.transpose("seed", ...).values for one in (again[name].sel(epoch=epoch), old)]
        columns.append(np.concatenate([one.reshape(len(one), -1) for one in both]))
    values = np.concatenate(columns, axis=1)
    return rank_permutation_p(values, again.sizes["seed"])


def rank_permutation_p(values: np.ndarray, n_new: int) -> float:
    """The test of ``permutation_p`` for (network, number), of which the first ``n_new`` are new."""
    values = np.where(np.isfinite(values), values, np.inf)  # a lost network ranks last
    ranks = np.stack([_ranks(column) for column in values.T], axis=1)
    spread = ranks.std(axis=0)
    ranks = ((ranks - ranks.mean(axis=0)) / np.where(spread > 0, spread, 1.0))[:, spread > 0]
    if not ranks.size:
        return 1.0
    rng = np.random.default_rng(0)
    found = np.abs(ranks[:n_new].sum(axis=0)).max()
    at_least = 1
    for _ in range(N_PERMUTATIONS):
        chosen = rng.permutation(len(ranks))[:n_new]
        at_least += np.abs(ranks[chosen].sum(axis=0)).max() >= found - 1e-9
    return at_least / (N_PERMUTATIONS + 1)


def _ranks(column: np.ndarray) -> np.ndarray:
    """Ranks, equal values sharing the mean of theirs; values as coarse as the comparison."""
    finite = np.isfinite(column)
    coarse = np.where(finite, np.round(np.where(finite, column, 0) / SAME_BITS), np.inf)
    _, place, counts = np.unique(coarse, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts + 1) / 2)[place]


def _distrusted_weights(stored: xr.Dataset, store: Store) -> list[Trajectory]:
    return [one for one in _weights(stored, store) if not store.trusts_weights(one)]


def _weights(stored: xr.Dataset, store: Store) -> list[Trajectory]:
    experiment = Experiment.from_json(stored.attrs["experiment"])
    folder = store.root / "weights" / experiment.digest()
    paths = [folder / block_name(seeds) for seeds in blocks(experiment)]
    return [Trajectory.load(path) for path in paths if path.exists()]


def _note(stored: xr.Dataset, store: Store) -> None:
    experiment = Experiment.from_json(stored.attrs["experiment"])
    made = {name: digests.split("+") for name, digests in loads(stored.attrs["code"]).items()}
    made.setdefault(provenance.NETWORK, []).extend(
        one.code_digest for one in _weights(stored, store)
    )
    today = provenance.code_of_result(
        experiment, str(stored.attrs["engine"]), rulers_of(stored), observables_of(stored)
    )
    store.add_certificate(experiment.digest(), made, today)
