"""From an experiment to its information plane, in blocks of seeds, resumable at every block.

Networks run in blocks of ten seeds, of two where layers are wide. The weights and then the numbers
of each finished block are kept at once, so that a run ended at any moment loses at most one block,
another ruler needs no training, and a run that is ended again and again still ends.
"""

import os
import platform
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from json import dumps

import xarray as xr

from ibcore import plane
from ibcore.config import Experiment
from ibcore.estimators import Ruler, checked_rulers
from ibcore.observables import OBSERVABLES, VARIABLES, Observable, accept, described
from ibcore.results import provenance
from ibcore.results.measuring import measure_trajectory, with_performance
from ibcore.results.memory import check_memory
from ibcore.results.parts import Part, lacking, put_together
from ibcore.results.places import note_cost, peak_gib
from ibcore.results.store import Store, blocks
from ibcore.training import Trajectory, measured, train
from ibcore.work import default_threads, progress_wanted

SEED_RULE = (
    "Philox(key=(seed, purpose << 32 | epoch)); purposes data 0, split 1, init 2, batches 3, "
    "noise 4, measured noise 5, dropout 6; noise of the fused and the batched engine: "
    "Philox 4x32-10(key=seed, counter=(place in the epoch, unit // 4, epoch, purpose))"
)
DEFAULT_OBSERVABLES = (OBSERVABLES["performance"], OBSERVABLES["shape"])


def run(
    experiment: Experiment,
    estimators: Sequence[Ruler],
    observables: Sequence[Observable] = DEFAULT_OBSERVABLES,
    *,
    device: str = "auto",
    threads: int | None = None,
    profile: str = "paper",
    progress: bool = True,
) -> xr.Dataset:
    """Train and measure: the information plane of an experiment. Nothing is read or stored.

    Parameters
    ----------
    experiment : Experiment
    estimators : sequence of rulers
        Each gives one entry of the dimension ``estimator``, or one for each noise level.
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

    Returns
    -------
    xarray.Dataset
        See ``ibcore.plane``; values as a stored file has them.
    """
    rulers, observables = _checked(experiment, estimators, observables)
    work = _Work(device, checked_threads(threads), profile, progress)
    parts = [
        Part(work.block(work.trained(experiment, seeds), rulers, observables))
        for seeds in blocks(experiment)
    ]
    return put_together(parts, experiment, rulers, observables)


def load_or_run(
    experiment: Experiment,
    estimators: Sequence[Ruler],
    observables: Sequence[Observable] = DEFAULT_OBSERVABLES,
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

    What the store lacks of the request, be it seeds, epochs, rulers or observables, is computed and
    added to what is there; weights in the store spare the training.

    Parameters
    ----------
    experiment, estimators, observables, device, threads, profile, progress
        As in ``run``.
    store : Store
    recompute : bool
        Take nothing that is stored, and put what is computed in the place of all that is stored
        of the same networks. A run that was ended before it had done so is taken up.
    keep : bool
        Write what was computed to the store.

    Raises
    ------
    ValueError
        If a stored file is damaged or of another experiment; it is named, and nothing is computed
        in its place. If the networks cannot fit into memory.
    OSError
        If the store cannot be written to; noticed before anything is computed.
    """
    if not isinstance(store, Store):
        raise ValueError(f"store must be an ib.Store, got {store!r}.")
    rulers, observables = _checked(experiment, estimators, observables)
    work = _Work(device, checked_threads(threads), profile, progress)
    older = store.older_parts(experiment)  # what others add from now on is not older
    source = store.afresh(experiment) if recompute and keep else store
    parts = [] if recompute and not keep else source.parts(experiment)
    computed = False
    for seeds in blocks(experiment):
        bare, absent, unseen = lacking(parts, experiment, seeds, rulers, observables)
        if not bare:
            continue
        computed = True
        if keep:
            source.check_writable()
            store.check_writable()
        work.say_what_is_missing(experiment, parts, bare, absent, unseen)
        trajectory = None if recompute and not keep else source.weights(experiment, bare)
        if trajectory is None:
            trajectory = work.trained(experiment, bare)
            if keep:
                source.keep(trajectory)
        # a part without rulers cannot be: the first one is measured again with new observables
        found = work.block(trajectory, absent or rulers[:1], unseen)
        parts.append(Part(found, source.add(found) if keep else None))
    found = put_together(parts, experiment, rulers, observables)
    if computed and keep:
        note_cost(store.root, experiment.digest(), found.attrs["duration_s"], peak_gib())
    if recompute and keep:
        used = {part.path.name for part in parts if part.path}
        store.take_over(source, experiment, {one for one in older if one.name not in used})
    if keep:
        source.sweep(experiment)
        store.sweep(experiment)
    return found


def checked_threads(threads: int | None) -> int:
    """A number of threads, or all cores."""
    if threads is None:
        return default_threads()
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ValueError(f"threads must be a whole number of at least 1, got {threads!r}.")
    return threads


def _checked(
    experiment: Experiment, rulers: Sequence[Ruler], observables: Sequence[Observable]
) -> tuple[list[Ruler], list[Observable]]:
    if not isinstance(experiment, Experiment):
        raise ValueError(f"experiment must be an ib.Experiment, got {experiment!r}.")
    for one in observables:
        if not isinstance(one, Observable):
            raise ValueError(
                "an observable must be one of ibcore.observables.OBSERVABLES, or of a class of "
                f"yours that inherits Observable, got {one!r}."
            )
        accept(one)
    return checked_rulers(rulers), with_performance(observables)


class _Work:
    """How the blocks of a run are computed."""

    def __init__(self, device: str, threads: int, profile: str, progress: bool):
        self.device, self.threads = device, threads
        self.profile, self.progress = profile, progress
        self.canary: str | None = None

    def trained(self, experiment: Experiment, seeds: Sequence[int]) -> Trajectory:
        """Weights of some of the seeds, with their provenance."""
        check_memory(experiment, seeds)
        clock = time.perf_counter()
        trajectory = train(
            experiment,
            device=self.device,
            seeds=tuple(seeds),
            threads=self.threads,
            progress=self.progress,
        )
        return replace(
            trajectory,
            code_digest=provenance.network_code(experiment, trajectory.engine),
            duration_s=time.perf_counter() - clock,
        )

    def block(
        self, trajectory: Trajectory, rulers: Sequence[Ruler], observables: Sequence[Observable]
    ) -> xr.Dataset:
        """The plane of one block of networks."""
        started, clock = datetime.now(UTC), time.perf_counter()
        values = measure_trajectory(trajectory, rulers, observables, self.threads, self.progress)
        seeds = trajectory.seeds
        experiment = trajectory.experiment.replace(first_seed=seeds[0], n_seeds=len(seeds))
        code = provenance.code_of_result(
            experiment, trajectory.engine, rulers, with_performance(observables)
        )
        code[provenance.NETWORK] = trajectory.code_digest
        self.canary = self.canary or dumps(provenance.canary(experiment))
        task = trajectory.task
        found = plane.new_plane(
            estimators={repr(one): one.measures for one in rulers},
            seeds=seeds,
            epochs=trajectory.epochs,
            updates=trajectory.updates,
            widths=trajectory.widths[1:],
            variables=values,
            attrs={
                "experiment": experiment.to_json(),
                "digest": experiment.digest(),
                "code": dumps(code),
                "code_digest": provenance.digest_of(code),
                "versions": dumps(provenance.versions()),
                "seed_rule": SEED_RULE,
                "engine": trajectory.engine,
                "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
                "n_samples": len(task.x[measured(task)]),
                "label_entropy": task.label_entropy,
                "canary": self.canary,
                "started": started.isoformat(timespec="seconds"),
                "threads": self.threads,
                "profile": self.profile,
                "duration_s": trajectory.duration_s + time.perf_counter() - clock,
            },
        )
        for name in set(VARIABLES) & set(found.data_vars):
            unit, words = described(name, experiment)
            found[name].attrs |= {"units": unit, "long_name": words}
        return plane.as_stored(found)

    def say_what_is_missing(
        self,
        experiment: Experiment,
        parts: Sequence[Part],
        seeds: Sequence[int],
        rulers: Sequence[Ruler],
        observables: Sequence[Observable],
    ) -> None:
        """One line where a stored result is completed."""
        if parts and self.progress and progress_wanted():
            what = [repr(one) for one in rulers] + [type(one).__name__ for one in observables]
            more = ", …" if len(what) > 3 else ""
            print(
                f"{experiment.digest()}: computing what the store lacks: seeds {seeds[0]} to "
                f"{seeds[-1]}, {', '.join(what[:3])}{more}"
            )
