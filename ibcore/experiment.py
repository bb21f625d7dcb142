"""From an experiment to its information plane: the one loop, and the one writer of results.

Networks run in blocks of ten seeds, of two where layers are wide. With a store, the weights of each
finished block are kept at once, so that a run ended at any moment loses at most one block, and
another ruler needs no training. Every file is written beside its place and renamed; what cannot be
read is named.
"""

import os
import platform
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from json import dumps, loads

import numpy as np
import xarray as xr

from ibcore import identity, plane
from ibcore.config import Experiment
from ibcore.estimators import RangeBinning, Ruler, checked_rulers, from_name
from ibcore.estimators.base import passes
from ibcore.observables import OBSERVABLES, VARIABLES, View, described
from ibcore.store import Store, block_name, blocks, read_certificates, write_text
from ibcore.tasks import load_task
from ibcore.training import Trajectory, engine_for, measured, train
from ibcore.work import bar, default_threads, progress_wanted

CERTIFIED_DIFFERENCE = 1e-3  # bits; a file rounds to 2e-4
CERTIFIED_UPDATES = 500  # of wide networks
SEED_RULE = (
    "Philox(key=(seed, purpose << 32 | epoch)); purposes data 0, split 1, init 2, batches 3, "
    "noise 4, measured noise 5, dropout 6"
)
DEFAULT_OBSERVABLES = (OBSERVABLES["performance"], OBSERVABLES["shape"])


def run(
    experiment: Experiment,
    estimators: Sequence[Ruler],
    observables: Sequence = DEFAULT_OBSERVABLES,
    *,
    device: str = "auto",
    threads: int | None = None,
    profile: str = "paper",
    progress: bool = True,
    store: Store | None = None,
    recompute: bool = False,
) -> xr.Dataset:
    """Train and measure: the information plane of an experiment.

    Parameters
    ----------
    experiment : Experiment
    estimators : sequence of estimators
        Each gives one entry of the dimension ``estimator``.
    observables : sequence of observables
        Performance (loss, accuracy) is always measured.
    device : str
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    threads : int, optional
        All cores by default.
    profile : str
        Name of the scale, for the record.
    progress : bool
        Show bars with the time left.
    store : Store, optional
        Keeps the weights of each finished block and takes up those that are there.
    recompute : bool
        Take up only what an interrupted run of one's own left, no published weights.

    Returns
    -------
    xarray.Dataset
        See ``ibcore.plane``; values as a stored file has them.
    """
    threads = threads or default_threads()
    parts = []
    for seeds in blocks(experiment):
        started, clock = datetime.now(UTC), time.perf_counter()
        trajectory = store.weights(experiment, seeds, own_only=recompute) if store else None
        if trajectory is None:
            trajectory = train(
                experiment, device=device, seeds=seeds, threads=threads, progress=progress
            )
            trajectory = replace(
                trajectory,
                code_digest=identity.code_digest("training"),
                duration_s=time.perf_counter() - clock,
            )
            if store:
                store.keep(trajectory)
        clock = time.perf_counter()
        attrs = {
            "started": started.isoformat(timespec="seconds"),
            "threads": threads,
            "profile": profile,
        }
        values = measure_trajectory(trajectory, estimators, observables, threads, progress)
        attrs["duration_s"] = trajectory.duration_s + time.perf_counter() - clock
        parts.append(_as_plane(trajectory, estimators, values, attrs))
    merged = plane.merge_seeds(parts) if len(parts) > 1 else parts[0]
    merged.attrs["experiment"] = experiment.to_json()
    merged.attrs["canary"] = dumps(identity.canary(experiment))
    return plane.as_stored(merged)


def measure_trajectory(
    trajectory: Trajectory,
    estimators: Sequence[Ruler],
    observables: Sequence,
    threads: int | None = None,
    progress: bool = True,
) -> dict[str, np.ndarray]:
    """Every estimator and observable on every network and measured epoch.

    Returns
    -------
    dict
        ``i_xt`` and ``i_ty`` (estimator, seed, epoch, layer) in bits, and each observable as
        (seed, epoch) or (seed, epoch, layer). A network that diverged gives NaN. Beside an
        estimator that integrates at random stand the standard errors ``i_xt_error`` and
        ``i_ty_error``; the output of a noisy network has no noise of its own and gives NaN.
    """
    estimators = checked_rulers(estimators)
    performance = OBSERVABLES["performance"]
    observables = [performance, *(one for one in observables if one != performance)]
    task, n_layers = trajectory.task, len(trajectory.widths) - 1
    labels = task.y[measured(task)]
    n_seeds, n_epochs = len(trajectory.seeds), len(trajectory.epochs)
    numbers = {name for one in estimators for name in one.numbers}
    found = {
        name: np.full((len(estimators), n_seeds, n_epochs, n_layers), np.nan)
        for name in ("i_xt", "i_ty", "i_xt_error", "i_ty_error")
        if name in numbers
    }
    for observable in observables:
        for name in observable.names:
            per_layer = () if observable.per_network else (n_layers,)
            found[name] = np.full((n_seeds, n_epochs, *per_layer), np.nan)
    broken = trajectory.diverged()

    def measure_one(s: int) -> None:
        own = trajectory.only((trajectory.seeds[s],))
        prepared = passes([ruler.prepare(own) for ruler in estimators])
        for k, epoch in enumerate(trajectory.epochs):
            if not broken[k, s]:
                network = trajectory.ensemble(k)[s]
                view = View(trajectory.experiment, task, network, trajectory.seeds[s], int(epoch))
                for ruler, places in prepared:
                    rows = ruler.rows(view)
                    for layer, t in enumerate(ruler.layers(view)):
                        values = ruler.entries(t[rows], labels[rows])
                        for name, value in zip(ruler.numbers, values.T, strict=True):
                            found[name][places, s, k, layer] = value
                for observable in observables:
                    for name, value in observable(view).items():
                        found[name][s, k] = value
            shown.update()

    about = f"measure {task.name} x {n_seeds}"
    with (
        bar(n_seeds * n_epochs, about, "network", progress) as shown,
        ThreadPoolExecutor(threads or default_threads()) as pool,
    ):
        list(pool.map(measure_one, range(n_seeds)))
    return found


def _as_plane(trajectory, estimators, values, attrs) -> xr.Dataset:
    """A plane with its provenance."""
    task, experiment = trajectory.task, trajectory.experiment
    rows = task.x[measured(task)]
    found = plane.new_plane(
        estimators={repr(one): one.measures for one in checked_rulers(estimators)},
        seeds=trajectory.seeds,
        epochs=trajectory.epochs,
        updates=trajectory.updates,
        widths=trajectory.widths[1:],
        variables=values,
        attrs={
            "experiment": experiment.to_json(),
            "digest": experiment.digest(),
            "code_digest": identity.code_digest(),
            "versions": dumps(identity.versions()),
            "seed_rule": SEED_RULE,
            "engine": trajectory.engine,
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "n_samples": len(rows),
            "label_entropy": task.label_entropy,
            "canary": "{}",
            **attrs,
        },
    )
    for name in set(found.data_vars) & set(VARIABLES):
        found[name].attrs |= dict(
            zip(("units", "long_name"), described(name, experiment), strict=True)
        )
    return found


def missing(
    stored: xr.Dataset, experiment: Experiment, estimators: Sequence[Ruler], observables: Sequence
) -> list[str]:
    """What a stored plane lacks of what is asked for, in words."""
    lacks = []
    for what, wanted, there in (
        ("seed", experiment.seeds, stored["seed"].values),
        ("epoch", experiment.epochs, stored["epoch"].values),
        ("ruler", [repr(e) for e in checked_rulers(estimators)], stored["estimator"].values),
        ("observable", [n for o in observables for n in o.names], list(stored.data_vars)),
    ):
        absent = [str(one) for one in wanted if one not in there]
        if absent:
            lacks.append(f"{what} {', '.join(absent[:3])}{', …' if len(absent) > 3 else ''}")
    return lacks


def certify(stored: xr.Dataset, store: Store, *, progress: bool = True) -> str:
    """Renew the certificate of a stored plane after a change of code that should move no number.

    The canary is run again, then the first two networks; their information must agree with the
    stored values to 1e-3 bit. Networks of wide layers, which train for minutes, are followed for
    their first 500 updates only.

    Returns
    -------
    str
        ``"current"`` (nothing to do), ``"certified"``, or ``"stale: …"`` with the reason.
    """
    attrs, experiment = stored.attrs, Experiment.from_json(stored.attrs["experiment"])
    if store.trusts(attrs["digest"], attrs["code_digest"]):
        return "current"
    if not identity.canaries_agree(identity.canary(experiment), loads(attrs["canary"])):
        return "stale: the canary differs"
    two = experiment.replace(n_seeds=min(2, experiment.n_seeds))
    rulers = _rebuilt(stored)
    if engine_for(two, load_task(two.task), "cpu") != "fused":
        last = int(stored.epoch[stored["update"] <= CERTIFIED_UPDATES][-1])
        kept = [int(epoch) for epoch in stored.epoch if 0 < epoch <= last]
        two = two.replace(n_epochs=max(last, 1), n_measured_epochs=2, measured_epochs=kept)
        rulers = [one for one in rulers if not isinstance(one, RangeBinning)]  # it looks ahead
    again = run(two, rulers, progress=progress)
    before = stored.sel(seed=list(two.seeds), epoch=again.epoch, estimator=again.estimator.values)
    for name in ("i_xt", "i_ty"):
        off = float(np.abs(again[name] - before[name]).max())
        if not off <= CERTIFIED_DIFFERENCE:
            return f"stale: {name} of two networks differs by {off:.3g} bit"
    certificates = read_certificates(store.root)
    older = {attrs["code_digest"]}
    for seeds in blocks(experiment):
        path = store.root / "weights" / attrs["digest"] / block_name(seeds)
        if path.exists():
            older.add(Trajectory.load(path).code_digest)
    certificates[attrs["digest"]] = [
        {"older": sorted(older), "today": identity.code_digest(part)}
        for part in ("all", "training")
    ]
    write_text(store.root / "certificates.json", dumps(certificates, indent=1, sort_keys=True))
    return "certified"


def load_or_run(
    experiment: Experiment,
    estimators: Sequence[Ruler],
    observables: Sequence = DEFAULT_OBSERVABLES,
    *,
    store: Store,
    recompute: bool = False,
    keep: bool = True,
    device: str = "auto",
    threads: int | None = None,
    profile: str = "paper",
    progress: bool = True,
) -> xr.Dataset:
    """The plane of an experiment from the store, or computed and stored.

    A stored plane that holds more seeds, epochs or rulers than asked for is cut down. What it lacks
    is computed, and what it holds beyond the request is kept; weights in the store spare the
    training.

    Parameters
    ----------
    recompute : bool
        Take neither a stored plane nor published weights. Weights that an earlier run of this
        machine left in ``store.work`` are taken up, which makes a long run resumable.
    keep : bool
        Write what was computed to the store.

    Raises
    ------
    ValueError
        If the stored file is damaged; it is named, and nothing is computed in its place.
    """
    estimators = checked_rulers(estimators)
    asked, names = experiment, {repr(estimator): estimator for estimator in estimators}
    for path in [] if recompute else store.find(experiment):
        stored = plane.load(path)
        lacks = missing(stored, experiment, estimators, observables)
        if not lacks:
            return _cut(stored, experiment, estimators)
        if progress and progress_wanted():
            print(f"{path.stem}: computing what the store lacks: {'; '.join(lacks)}")
        if path == store.plane_path(experiment):  # what it holds beyond the request stays
            names = {repr(e): e for e in _rebuilt(stored)} | names
            held = [one for one in OBSERVABLES.values() if set(one.names) <= set(stored.data_vars)]
            observables = [*observables, *(one for one in held if one not in observables)]
            experiment = _with_seeds(experiment, stored["seed"].values)
            experiment = experiment.replace(
                measured_epochs=sorted({*experiment.measured_epochs, *stored["epoch"].values})
            )
    wanted = list(names.values())
    found = run(
        experiment,
        wanted,
        observables,
        device=device,
        threads=threads,
        profile=profile,
        progress=progress,
        store=store if keep else None,
        recompute=recompute,
    )
    if keep:
        plane.save(found, store.plane_path(experiment))
    return _cut(found, asked, estimators)


def _rebuilt(stored: xr.Dataset) -> list:
    """The estimators of a stored plane, from their names."""
    return [from_name(name) for name in stored["estimator"].values]


def _with_seeds(experiment: Experiment, seeds: Sequence[int]) -> Experiment:
    """The experiment widened to hold these seeds too."""
    first = min(experiment.first_seed, *seeds)
    last = max(experiment.seeds[-1], *seeds)
    return experiment.replace(first_seed=int(first), n_seeds=int(last - first + 1))


def _cut(found: xr.Dataset, experiment: Experiment, estimators: Sequence) -> xr.Dataset:
    """The seeds, epochs and rulers asked for, in that order."""
    return found.sel(
        seed=list(experiment.seeds),
        epoch=experiment.epochs,
        estimator=[repr(estimator) for estimator in estimators],
    )
