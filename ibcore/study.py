"""A study is a chapter's work: its experiments, its rulers, its claims, at one profile.

In a paper's folder ``experiments.toml`` says what is run, ``claims.toml`` what is claimed and by
which criterion it is judged. A chapter of the book asks its study for planes and verdicts and
writes the prose.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import xarray as xr

from ibcore import claims
from ibcore.claims import Claim, NoVerdict, Verdict
from ibcore.config import Experiment
from ibcore.estimators import Binning, Ruler, checked_rulers, from_name
from ibcore.estimators.base import whole_number
from ibcore.experiments import (
    STAND_IN,
    cache_folder,
    entries,
    experiments,
    other_data,
    read_chapter,
)
from ibcore.networks import Ensemble
from ibcore.observables import OBSERVABLES, Observable
from ibcore.papers import paper_module, published_results
from ibcore.results.measuring import with_performance
from ibcore.results.parts import lacking, put_together, whatever_there_is
from ibcore.results.places import holders
from ibcore.results.run import load_or_run
from ibcore.results.store import Store, blocks
from ibcore.training import Trajectory, train
from ibcore.work import progress_wanted


class Study:
    """The experiments and claims of one chapter.

    Parameters
    ----------
    chapter : str
        One of ``papers()``.
    profile : str
        ``"paper"``: full scale, from the store where it is there. ``"smoke"``: a few networks for
        a few epochs, to see that everything runs; never stored and never judged.
    recompute : bool
        Compute even what is stored.
    from_nothing : bool
        Do not read the published results: what ``results`` does not hold is computed.
    device : str
        ``"auto"``, ``"cpu"`` or ``"cuda"``.
    threads : int, optional
        All cores by default.
    results : Path, optional
        Where planes are written; the user's cache folder by default. The published results are
        read in either case and written only if this is their folder.
    n_bins : int, optional
        Intervals of the main ruler on [-1, 1].
    data : str
        Other data where a chapter offers some, as ``"real"`` ones for its stand-in.
    **changes
        Fields of ``Experiment``; None leaves the chapter's own value.

    Raises
    ------
    ValueError
        For an unknown chapter, profile or field, with what there is.
    """

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
        n_bins: int | None = None,
        data: str = STAND_IN,
        **changes: Any,
    ):
        self._content = read_chapter(chapter, profile)
        self.chapter, self.profile, self.recompute = chapter, profile, recompute
        self.device, self.threads = device, threads
        if n_bins is not None:
            n_bins = whole_number("n_bins", n_bins, least=1)
        self.n_bins = n_bins
        self.data = data
        self._wording = other_data(self._content, data).get("wording", {})
        self.changes = {name: value for name, value in changes.items() if value is not None}
        Experiment().replace(**self.changes)  # an unknown field or value is refused here
        self.store = Store(
            root=Path(results) if results else cache_folder() / "results",
            published=None if from_nothing else published_results(),
            work=cache_folder() / "work",
        )
        self._planes: dict[str, xr.Dataset] = {}

    @cached_property
    def _entries(self) -> dict[str, dict[str, Any]]:
        """Every experiment of the file, families spelt out."""
        return entries(self._content)

    @cached_property
    def experiments(self) -> dict[str, Experiment]:
        """Name -> experiment, at this profile and with the chapter's parameters."""
        return experiments(self._content, self.profile, self.data, self.changes)

    def estimators(self, name: str) -> list[Ruler]:
        """The rulers of one experiment, the main one first: bins on [-1, 1] if none is named."""
        entry = self._entry(name)
        entry = entry | entry.get(self.profile, {})
        n_bins = self.n_bins or self._content["chapter"]["n_bins"]
        main: Ruler = Binning(n_bins=n_bins, low=-1, high=1)
        if named := entry.get("ruler", self._content["chapter"].get("ruler")):
            main = from_name(named)
        more = [from_name(ruler) for ruler in entry.get("rulers", [])]
        return list({repr(ruler): ruler for ruler in [main, *more]}.values())

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

    def plane(self, name: str) -> xr.Dataset:
        """The information plane of one experiment: loaded, or computed."""
        self._entry(name)
        if name not in self._planes:
            smoke = self.profile == "smoke"
            found = load_or_run(
                self.experiments[name],
                self.estimators(name),
                self.observables(name),
                store=self.store,
                recompute=self.recompute or smoke,
                keep=not smoke,
                device=self.device,
                threads=self.threads,
                profile=self.profile,
            )
            self._note_stale(name, found)
            self._planes[name] = found
        return self._planes[name]

    def networks(self, name: str, epoch: int = -1) -> Ensemble:
        """The networks of an experiment at one of its measured epochs: stored ones, or trained.

        Parameters
        ----------
        name : str
        epoch : int
            Place among the measured epochs; -1 is the last.
        """
        self._entry(name)
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

    def planes(self, *names: str) -> dict[str, xr.Dataset]:
        """Several planes by name; a name that ends in ``_*`` stands for its family."""
        wanted = []
        for name in names:
            family = name.endswith("*")
            wanted += [n for n in self._entries if family and n.startswith(name[:-1])] or [name]
        return {name: self.plane(name) for name in wanted}

    def verdict(
        self, claim_id: str, *, estimator: Ruler | str | None = None
    ) -> Verdict | NoVerdict:
        """The verdict on one claim, or the sentence that a smoke run gives none.

        Parameters
        ----------
        claim_id : str
        estimator : estimator or its repr, optional
            A ruler that all planes of the claim hold; their main one by default.

        Raises
        ------
        ValueError
            For a claim that the chapter does not have, and for one that cannot be judged although
            no parameter was changed.
        """
        claim = next((one for one in self.claims if one.id == claim_id), None)
        if claim is None:
            known = ", ".join(one.id for one in self.claims)
            raise ValueError(f"{self.chapter} has no claim {claim_id!r}; it has {known}.")
        ruler = estimator if estimator is None or isinstance(estimator, str) else repr(estimator)
        if self.profile == "smoke":
            return NoVerdict(claim.id)
        planes = self.planes(*claims.planes_of(claim))
        try:
            return claims.judge(claim, planes, estimator=ruler)
        except ValueError as error:
            if not self.changes:  # as registered, every claim can be judged
                raise
            return NoVerdict(claim.id, f"no verdict with these parameters: {error}")

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims of the chapter, as registered; on other data their criteria say so."""
        registered = claims.load_registry(self.chapter)
        for said, instead in self._wording.items():
            registered = tuple(
                replace(one, criterion=one.criterion.replace(said, instead)) for one in registered
            )
        return registered

    @property
    def figures(self) -> ModuleType | None:
        """Drawings of this paper alone; None if it has none."""
        return paper_module(self.chapter, "figures")

    def judge(self) -> list[Verdict | NoVerdict]:
        """The verdicts on all claims, in the order of the registry."""
        return [self.verdict(claim.id) for claim in self.claims]

    def publish(self, verdicts: Sequence[Verdict | NoVerdict] | None = None) -> None:
        """Write the weights that readers need, the ledger and the verdicts in detail.

        Parameters
        ----------
        verdicts : list of Verdict, optional
            What ``judge()`` gave, where it has been asked already.

        Raises
        ------
        ValueError
            For a smoke run or one with changed parameters: only what the chapter states is
            published. If a claim has no verdict, or a verdict no sentence.
        """
        if self.profile != "paper" or self.changes or self.n_bins or self.data != STAND_IN:
            raise ValueError("only a paper-scale run without changes can be published.")
        decided, ledger = _decided(verdicts or self.judge()), self.store.root / "ledger.json"
        for name in self._content["chapter"].get("weights", []):
            self.store.publish_weights(self.experiments[name])
        claims.write_ledger(ledger, decided)
        for pack, names in self.packs().items():
            planes = {name: self.stored(name) for name in names}
            if lost := [name for name, one in planes.items() if one is None]:
                raise ValueError(f"no stored plane of {', '.join(lost)}; run it first.")
            self.store.pack(
                pack, {one.attrs["digest"]: one for one in planes.values() if one is not None}
            )
        if progress_wanted():
            print(f"ledger written: {ledger}")

    def packs(self) -> dict[str, list[str]]:
        """The experiments that are published in one file: a family, or one by itself.

        A result that grows rewrites its own family and nothing else.
        """
        found = {f"{self.chapter}-{name}": [name] for name in self._content["experiments"]}
        for family in self._content.get("families", {}):
            names = [name for name in self._entries if name.rpartition("_")[0] == family]
            found[f"{self.chapter}-{family}"] = names
        return found


def _decided(found: Sequence[Verdict | NoVerdict]) -> list[Verdict]:
    """The verdicts, if there is one on every claim."""
    lost = [f"{one.id} ({one.reason})" for one in found if isinstance(one, NoVerdict)]
    if lost:
        raise ValueError(f"the ledger needs a verdict on every claim; none on {', '.join(lost)}.")
    decided = [one for one in found if isinstance(one, Verdict)]
    if void := [f"{one.id} ({one.verdict})" for one in decided if not one.finding]:
        raise ValueError(
            f"the findings of {', '.join(void)} were written for other words; write a sentence "
            "for this one into claims.toml."
        )
    return decided
