"""A study is a chapter's work: its experiments, its rulers, its claims, at one profile.

In a paper's folder ``experiments.toml`` says what is run, ``claims.toml`` what is claimed and by
which criterion it is judged. A chapter of the book asks its study for planes and verdicts and
writes the prose.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from ibcore import claims, doubt
from ibcore.claims import Claim, NoVerdict, Verdict
from ibcore.claims.verdict import with_origin
from ibcore.doubt import Doubt
from ibcore.estimators import Ruler
from ibcore.experiments import STAND_IN
from ibcore.notebook import NotAskedFor
from ibcore.papers import paper_module
from ibcore.results.parts import lacking
from ibcore.runs import Runs
from ibcore.work import progress_wanted


class Study(Runs):
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
    claim : str, optional
        Only this claim is asked about: other planes and verdicts are refused.
    ruler : ruler or str, optional
        A reader's ruler or its name, as ``"Binning(100)"``, in the place of the main one. What it
        does to a claim stands in ``ibcore.doubt.ask``.
    data : str
        Other data where a chapter offers some, as ``"real"`` ones for its stand-in.
    **changes
        Fields of ``Experiment``; None leaves the chapter's own value. ``first_seed``, ``n_seeds``,
        ``n_epochs`` and ``n_measured_epochs`` change every experiment, ``noise_std`` those whose
        networks have noise, with their ruler, the others what an experiment does not fix.

    Raises
    ------
    ValueError
        For an unknown chapter, profile, claim, ruler or field, with what there is; for a change
        that changes nothing, and a ruler that the claim cannot take.

    Examples
    --------
    >>> Study("saxe", claim="SAXE-F1B", ruler="Binning(100)", n_seeds=5).only
    ('relu',)
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
        claim: str | None = None,
        ruler: Ruler | str | None = None,
        data: str = STAND_IN,
        **changes: Any,
    ):
        super().__init__(
            chapter, profile=profile, recompute=recompute, from_nothing=from_nothing,
            device=device, threads=threads, results=results, ruler=ruler, data=data,
            changes=changes,
        )  # fmt: skip
        self.claim = None if claim is None else self._find(claim)
        if self.claim:
            self.only, self.why_only = claims.planes_of(self.claim), self.claim.id
        if self.changed:
            self._refuse_at_once()

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims of the chapter, as registered; on other data their criteria say so."""
        registered = claims.load_registry(self.chapter)
        for said, instead in self._other.get("wording", {}).items():
            registered = tuple(
                replace(one, criterion=one.criterion.replace(said, instead)) for one in registered
            )
        return registered

    @property
    def figures(self) -> ModuleType | None:
        """Drawings of this paper alone; None if it has none."""
        return paper_module(self.chapter, "figures")

    def verdict(self, claim_id: str) -> Verdict | NoVerdict | Doubt:
        """The verdict on one claim, or the sentence that a smoke run gives none.

        With anything changed it is a ``Doubt``: the published verdict beside the reader's.

        Raises
        ------
        ValueError
            For a claim that the chapter does not have, and for one that cannot be judged although
            nothing was changed.
        NotAskedFor
            If the study is asked about another claim.
        """
        claim = self._find(claim_id)
        if self.claim and claim.id != self.claim.id:
            raise NotAskedFor(f"{claim.id} is not asked about, only {self.claim.id}.")
        beside = self.changed and self.profile != "smoke"
        return self.beside(claim_id) if beside else self._judged(claim)

    def beside(self, claim_id: str) -> Doubt:
        """The published verdict on a claim and this study's."""
        claim = self._find(claim_id)
        published = doubt.published_entry(claim)  # an edited ledger is refused before any work
        source, yours = self._source(claim), self._judged(claim)
        names = source.experiments
        rows = doubt.differences(
            [self.stated[name] for name in names], [self.experiments[name] for name in names]
        )
        if self.ruler and isinstance(yours, Verdict):
            own = {name: self.own_rulers(name) for name in names}
            rows = (("ruler", doubt.looked_through(source, own), repr(self.ruler)), *rows)
        changed = tuple(row for row in rows if row[1] != row[2])
        return Doubt(yours, published, changed)

    def judge(self) -> list[Verdict | NoVerdict]:
        """The verdicts on all claims, in the order of the registry."""
        return [self._judged(claim) for claim in self.claims]

    def _find(self, claim_id: str) -> Claim:
        claim = next((one for one in self.claims if one.id == claim_id), None)
        if claim is None:
            known = ", ".join(one.id for one in self.claims)
            raise ValueError(f"{self.chapter} has no claim {claim_id!r}; it has {known}.")
        return claim

    def _source(self, claim: Claim) -> Claim:
        """The claim whose evidence it shares, or itself."""
        return self._find(claim.same_evidence_as) if claim.same_evidence_as else claim

    def _judged(self, claim: Claim) -> Verdict | NoVerdict:
        if self.profile == "smoke":
            return NoVerdict(claim.id)
        if not self.changed:
            planes = self.planes(*claims.planes_of(claim))
            return with_origin(claims.judge(claim, planes), planes)
        source = self._source(claim)
        if self.ruler and (why := self._refusal(source)):
            return NoVerdict(claim.id, f"it takes no other ruler: {why}.")
        question = doubt.ask(
            source, {name: self.own_rulers(name) for name in source.experiments}, self.ruler
        )
        self._try_out(question)
        planes = {name: self.measured(name, many) for name, many in question.rulers.items()}
        asked = question.claim if self.ruler else claim
        try:
            return doubt.judge(asked, planes, question.ruler)
        except (ValueError, KeyError) as error:  # as registered, every claim can be judged
            return NoVerdict(claim.id, f"no verdict with these parameters: {error}")

    # Refused before any work

    def _refuse_at_once(self) -> None:
        """Refuse what would otherwise be noticed after hours, or never."""
        published = self.store.published
        if published and self.store.root.resolve() == published.resolve():
            raise ValueError(
                "what a reader changes is not written to the published results; name another "
                "folder as results, or none."
            )
        names = self._entries if self.only is None else self.only
        whose = self.why_only or self.chapter
        doubt.refuse_idle(self.changes, [self.experiments[name] for name in names], whose)
        if "noise_std" in self.changes:
            doubt.refuse_one_noise([self.stated[name] for name in names], whose)
        if self.claim and self.ruler and (why := self._refusal(self._source(self.claim))):
            raise ValueError(f"{whose} takes no other ruler: {why}. Leave ruler out.")

    def _refusal(self, claim: Claim) -> str:
        """Why a claim takes no other ruler; its stored planes help to find out."""
        if why := doubt.refusal(claim):
            return why
        stated = Runs(self.chapter, results=self.store.root, changes={})
        stored = {name: stated.stored(name) for name in claim.experiments}
        whole = {name: one for name, one in stored.items() if one is not None}
        return doubt.refusal(claim, whole) if len(whole) == len(stored) else ""

    def _try_out(self, question: doubt.Question) -> None:
        """A ruler that cannot measure networks of a kind says so before they are trained."""
        if self.ruler is None:
            return
        kinds = {}
        for name, rulers in question.rulers.items():
            one, parts = self.experiments[name], self.store.parts(self.experiments[name])
            bare, *_ = lacking(parts, one, one.seeds, rulers, [])
            if self.ruler in rulers and bare and self.store.weights(one, bare[:1]) is None:
                kind = (one.task, one.hidden_widths, one.activation, one.noise_std > 0, one.bits)
                kinds[kind] = name
        for name in kinds.values():
            doubt.try_out(self.experiments[name], self.ruler, name)

    # Published

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
        if self.profile != "paper" or self.changed:
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
