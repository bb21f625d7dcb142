"""The runs of one chapter: experiments, rulers, and their planes, loaded or computed.

In a paper's folder ``experiments.toml`` says what is run. A reader may change the main ruler, the
seeds, and what else an experiment leaves open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ibcore.estimators import Binning, Ruler, SamplePropagation, checked_rulers, from_name
from ibcore.experiments import (
    STAND_IN,
    cache_folder,
    entries,
    experiments,
    other_data,
    read_chapter,
)
from ibcore.kinds import shown
from ibcore.networks import Ensemble
from ibcore.notebook import NotAskedFor
from ibcore.observables import OBSERVABLES, Observable
from ibcore.own import Experiment
from ibcore.papers import published_results
from ibcore.plane import merged_attrs
from ibcore.results.measuring import with_performance
from ibcore.results.parts import lacking, put_together, whatever_there_is
from ibcore.results.places import holders
from ibcore.results.run import load_or_run
from ibcore.results.store import Store, blocks
from ibcore.training import Trajectory, train


class Runs:
    """The experiments of one chapter, with a reader's changes; ``Study`` judges them.

    The parameters are those of ``Study``.
    """

    only: tuple[str, ...] | None = None  # the experiments that are asked for; all by default
    why_only = ""

    def __init__(
        self,
        chapter: str,
        *,
        profile: str = "paper",
        recompute: bool = False,
        from_nothing: bool = False,
        device: str = "auto",
        threads: int | None = None,
        results: Path | None = None,
        ruler: Ruler | str | None = None,
        data: str = STAND_IN,
        changes: Mapping[str, Any],
    ):
        self._content = read_chapter(chapter, profile)
        self.chapter, self.profile, self.recompute = chapter, profile, recompute
        self.device, self.threads = device, threads
        self.ruler = one_ruler(ruler)
        self.data, self._other = data, other_data(self._content, data)
        self.changes = {name: value for name, value in changes.items() if value is not None}
        Experiment().replace(**self.changes)  # an unknown field or value is refused here
        self.store = Store(
            root=Path(results) if results else cache_folder() / "results",
            published=None if from_nothing else published_results(),
            work=cache_folder() / "work",
        )
        self._planes: dict[tuple[object, ...], xr.Dataset] = {}

    @cached_property
    def _entries(self) -> dict[str, dict[str, Any]]:
        """Every experiment of the file, families spelt out."""
        return entries(self._content)

    @cached_property
    def experiments(self) -> dict[str, Experiment]:
        """Name -> experiment, at this profile and with the reader's changes."""
        changes = dict(self.changes)
        noise = changes.pop("noise_std", None)
        found = experiments(self._content, self.profile, self.data, changes)
        noisy = {name: one for name, one in found.items() if one.noise_std and noise is not None}
        return found | {name: one.replace(noise_std=noise) for name, one in noisy.items()}

    @cached_property
    def stated(self) -> dict[str, Experiment]:
        """Name -> experiment, as the chapter states it."""
        return experiments(self._content, self.profile)

    @property
    def changed(self) -> bool:
        """Whether anything is not as the chapter states it."""
        return bool(self.changes or self.ruler or self.data != STAND_IN)

    def estimators(self, name: str) -> list[Ruler]:
        """The rulers of one experiment, the main one first: a reader's, or the chapter's."""
        rulers = [*([self.ruler] if self.ruler else []), *self.own_rulers(name)]
        return list({repr(ruler): ruler for ruler in rulers}.values())

    def own_rulers(self, name: str) -> list[Ruler]:
        """The chapter's rulers of one experiment: bins on [-1, 1] if none is named."""
        entry = self._entry(name)
        entry = entry | entry.get(self.profile, {})
        main: Ruler = Binning(n_bins=self._content["chapter"]["n_bins"], low=-1, high=1)
        if named := entry.get("ruler", self._content["chapter"].get("ruler")):
            main = from_name(named)
        others = entry.get("rulers", self._content["chapter"].get("rulers", []))
        rulers = [main, *map(from_name, others)]
        if "noise_std" in self.changes:
            rulers = [_with_noise(one, self.changes["noise_std"]) for one in rulers]
        return list({repr(ruler): ruler for ruler in rulers}.values())

    def observables(self, name: str) -> list[Observable]:
        """What else is measured on one experiment."""
        names = self._entry(name).get("observables", self._content["chapter"]["observables"])
        return [OBSERVABLES[one] for one in names]

    def _entry(self, name: str) -> dict[str, Any]:
        if name not in self._entries:
            raise ValueError(
                f"{self.chapter} has no experiment {name!r}; it has {', '.join(self._entries)}."
            )
        return self._entries[name]

    def _asked_for(self, name: str) -> None:
        """Refuse an experiment that there is none of, or that is not asked for."""
        self._entry(name)
        if self.only is not None and name not in self.only:
            said = ", ".join(self.only[:4]) + (", …" if len(self.only) > 4 else "")
            raise NotAskedFor(f"{self.why_only} does not need {name}, only {said or 'no plane'}.")

    def asked(self, name: str) -> Experiment:
        """One experiment, with the reader's changes; a name that is none is refused."""
        self._entry(name)
        return self.experiments[name]

    # Stored

    def files(self, name: str) -> list[Path]:
        """The files that hold parts of the plane of an experiment."""
        self._entry(name)
        return [part.path for part in self.store.parts(self.experiments[name]) if part.path]

    def stored(self, name: str, *, own_only: bool = False) -> xr.Dataset | None:
        """The plane of an experiment, whole, from the store; None if something is missing.

        ``own_only`` leaves the published results out.
        """
        self._entry(name)
        store = replace(self.store, published=None) if own_only else self.store
        experiment, parts = self.experiments[name], store.parts(self.experiments[name])
        rulers = checked_rulers(self.estimators(name))
        observables = with_performance(self.observables(name))
        bare, *_ = lacking(parts, experiment, experiment.seeds, rulers, observables)
        return None if bare else put_together(parts, experiment, rulers, observables)

    def own(self, name: str) -> xr.Dataset | None:
        """What the study's own folder has of an experiment, whatever its rulers and seeds are.

        The chapter's main ruler decides which seeds count, where it is there.
        """
        self._entry(name)
        parts = replace(self.store, published=None).parts(self.experiments[name])
        return whatever_there_is(parts, self.experiments[name], self.estimators(name))

    def where(self, name: str) -> str:
        """Whose result of an experiment there is: "yours", "published" or "no"."""
        self._entry(name)
        roots = holders(self.experiments[name].digest(), self.store.roots)
        published = published_results()
        if any(root != published for root in roots):
            return "yours"
        return "published" if roots else "no"

    # Loaded, or computed

    def plane(self, name: str, *, seeds: Sequence[int] | None = None) -> xr.Dataset:
        """The information plane of one experiment: loaded, or computed.

        Parameters
        ----------
        name : str
        seeds : list of int, optional
            These networks only; they need not be among those of the chapter.

        Raises
        ------
        NotAskedFor
            If the study is asked about a claim that does not need it.
        """
        self._asked_for(name)
        return self.measured(name, self.estimators(name), seeds)

    def planes(self, *names: str) -> dict[str, xr.Dataset]:
        """Several planes by name; a name that ends in ``_*`` stands for its family."""
        wanted = []
        for name in names:
            family = name.endswith("*")
            wanted += [n for n in self._entries if family and n.startswith(name[:-1])] or [name]
        return {name: self.plane(name) for name in wanted}

    def measured(
        self, name: str, rulers: Sequence[Ruler], seeds: Sequence[int] | None = None
    ) -> xr.Dataset:
        """The plane of one experiment under some rulers."""
        key = (name, *map(repr, rulers), *(seeds or ()))
        if key not in self._planes:
            whole, smoke = self.experiments[name], self.profile == "smoke"
            found = [
                load_or_run(
                    whole.replace(first_seed=some[0], n_seeds=len(some)),
                    rulers,
                    self.observables(name),
                    store=self.store,
                    recompute=self.recompute or smoke,
                    keep=not smoke,
                    device=self.device,
                    threads=self.threads,
                    profile=self.profile,
                )
                for some in ([whole.seeds] if seeds is None else _in_rows(seeds))
            ]
            for one in found:
                self._note_stale(name, one)
            self._planes[key] = found[0] if len(found) == 1 else _joined(found)
        return self._planes[key]

    def networks(self, name: str, epoch: int = -1) -> Ensemble:
        """The networks of an experiment at one of its measured epochs: stored ones, or trained.

        Parameters
        ----------
        name : str
        epoch : int
            Place among the measured epochs; -1 is the last.
        """
        self._asked_for(name)
        experiment = self.experiments[name]
        parts = [] if self.profile == "smoke" or self.recompute else self._weights(experiment)
        if not parts:
            parts = [train(experiment, device=self.device, threads=self.threads)]
        joined = np.concatenate([part.parameters for part in parts], axis=1)
        return replace(parts[0], seeds=experiment.seeds, parameters=joined).ensemble(epoch)

    def _weights(self, experiment: Experiment) -> list[Trajectory]:
        """Stored weights of all seeds, in one piece or in blocks; empty if some are missing."""
        whole = self.store.weights(experiment, experiment.seeds)
        if whole is not None:
            return [whole]
        parts = [self.store.weights(experiment, seeds) for seeds in blocks(experiment)]
        return (
            [part for part in parts if part is not None]
            if all(part is not None for part in parts)
            else []
        )

    def _note_stale(self, name: str, found: xr.Dataset) -> None:
        if stale := self.store.distrusted(found):
            print(
                f"STALE? The stored result of {name} was made by other code ({', '.join(stale)}); "
                "`make certify` checks it."
            )

    def packs(self) -> dict[str, list[str]]:
        """The experiments that are published in one file: a family, or one by itself.

        A result that grows rewrites its own family and nothing else.
        """
        found = {f"{self.chapter}-{name}": [name] for name in self._content["experiments"]}
        for family in self._content.get("families", {}):
            names = [name for name in self._entries if name.rpartition("_")[0] == family]
            found[f"{self.chapter}-{family}"] = names
        return found


def one_ruler(given: Ruler | str | None) -> Ruler | None:
    """A reader's ruler, by itself or by its name, which is read and never run.

    Raises
    ------
    ValueError
        If it is none, or several noise levels at once: a claim is judged under one.

    Examples
    --------
    >>> one_ruler("Binning(100)")
    Binning(n_bins=100, low=-1.0, high=1.0)
    """
    if given is None:
        return None
    ruler = from_name(given) if isinstance(given, str) else given
    if not isinstance(ruler, Ruler):
        raise ValueError(
            f'ruler must be a ruler or its name, as "Binning(100)"; got {shown(given)}.'
        )
    if len(levels := ruler.levels()) > 1:
        raise ValueError(
            f"a claim is judged under one ruler, and {ruler!r} is {len(levels)}; "
            f"take one of them, as {levels[0]!r}."
        )
    return levels[0]


def _with_noise(ruler: Ruler, noise_std: float) -> Ruler:
    """The ruler of networks with noise, for other noise; any other ruler as it is."""
    if isinstance(ruler, SamplePropagation):
        return replace(ruler, noise_std=noise_std)
    return ruler


def _in_rows(seeds: Sequence[int]) -> list[list[int]]:
    """Seeds in ascending order, in rows without a gap.

    >>> _in_rows([7, 3, 8])
    [[3], [7, 8]]
    """
    if not len(seeds):
        raise ValueError("seeds must name at least one network, as seeds=[7].")
    rows: list[list[int]] = []
    for seed in sorted(set(seeds)):
        if rows and seed == rows[-1][-1] + 1:
            rows[-1].append(seed)
        else:
            rows.append([seed])
    return rows


def _joined(planes: Sequence[xr.Dataset]) -> xr.Dataset:
    """Planes of one experiment with other seeds, as one."""
    found = xr.concat(planes, "seed", data_vars="minimal", combine_attrs="override")
    return found.assign_attrs(merged_attrs(planes))
