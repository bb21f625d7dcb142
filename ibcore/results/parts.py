"""Parts of a result, and how a plane is put together from them.

A part is a plane with some of the seeds, epochs, rulers and observables of one experiment. Parts
are only ever added, each in a file of its own: processes that add to one result at the same time
do not meet, and nothing that was computed is lost. A request is answered from whatever parts hold
its numbers.
"""

import ast
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from ibcore import plane
from ibcore.config import Experiment
from ibcore.estimators import Ruler, checked_rulers, from_name
from ibcore.estimators.base import REGISTRY
from ibcore.kinds import shown
from ibcore.observables import OBSERVABLES, Observable
from ibcore.results import provenance
from ibcore.results.provenance import is_of_the_book

ERRORS = ("i_xt_error", "i_ty_error")


@dataclass(frozen=True, eq=False)
class Part:
    """One stored plane of an experiment, with the parts of its code that are not trusted.

    Parameters
    ----------
    data : xarray.Dataset
    path : Path, optional
        Its file.
    distrusted : tuple of str
        Names as in the plane's attribute ``code``.
    """

    data: xr.Dataset
    path: Path | None = None
    distrusted: tuple[str, ...] = ()

    @property
    def order(self) -> tuple[int, str]:
        """What sorts parts: those of trusted code first, then the later ones."""
        return len(self.distrusted), _reversed(str(self.data.attrs["started"]))

    def holds(self, ruler: Ruler) -> bool:
        """Whether it has a ruler's numbers: of a reader's own ruler, as it is today."""
        own = {type(one).__name__ for one in ruler.parts() if not is_of_the_book(one)}
        return repr(ruler) in self.data["estimator"].values and not own & set(self.distrusted)

    def has(self, observable: Observable) -> bool:
        """Whether it has an observable's numbers: of a reader's own one, as it is today."""
        name = type(observable).__name__
        there = set(observable.names) <= set(self.data.data_vars)
        own = not is_of_the_book(observable)
        return there and not (own and (name in self.distrusted or name not in self.makers))

    @property
    def makers(self) -> dict[str, str]:
        """Part of its code -> hash."""
        return json.loads(self.data.attrs["code"])


def _reversed(text: str) -> str:
    """A key that sorts text downwards."""
    return "".join(chr(0x10FFFF - ord(c)) for c in text)


def rulers_of(found: xr.Dataset) -> list[Ruler]:
    """The rulers of a plane; one that this process does not know is left out."""
    known = []
    for name in found["estimator"].values:
        try:
            known.append(from_name(str(name)))
        except ValueError:
            continue
    return known


def observables_of(found: xr.Dataset) -> list[Observable]:
    """The observables of a plane."""
    return [one for one in OBSERVABLES.values() if set(one.names) <= set(found.data_vars)]


def check_answer(found: xr.Dataset, experiment: Experiment, where: str) -> None:
    """Refuse a plane that is not of the experiment that was asked for.

    Raises
    ------
    plane.DamagedPlaneError
        A ValueError that names the file and what does not fit.
    """
    fault = _fault(found, experiment)
    if fault:
        raise plane.DamagedPlaneError(
            f"{where} is not the plane of {experiment.digest()}, which was asked for: {fault}. "
            "Restore the file, or delete it and compute it again."
        )


def _fault(found: xr.Dataset, experiment: Experiment) -> str | None:
    own = Experiment.from_json(found.attrs["experiment"])
    if own.digest() != found.attrs["digest"]:
        return f"its experiment is {own.digest()}, its digest says {found.attrs['digest']}"
    if own.digest() != experiment.digest():
        return f"it is that of {own.digest()}"
    if set(found["seed"].values.tolist()) != set(own.seeds):
        return f"its seeds are {found['seed'].values.tolist()}, its experiment says {own.seeds}"
    if found["epoch"].values[-1] > own.n_epochs:
        return f"epoch {found['epoch'].values[-1]} of {own.n_epochs}"
    hidden = found["width"].values.tolist()[len(own.convolutions) : -1]
    if found.sizes["layer"] != own.n_layers or hidden != list(own.hidden_widths):
        return f"its layers have {found['width'].values.tolist()} units"
    for name in found["estimator"].values:
        if not _can_be_a_ruler(str(name)):
            return f"a ruler is called {shown(str(name))}, as none calls itself"
    alive = np.isfinite(found["loss"])
    for name in ("i_xt", "i_ty"):
        if not (np.isfinite(found[name].isel(layer=slice(-1))) | ~alive).all():
            return f"{name} is no number in some networks that did not diverge"
    return None


def _can_be_a_ruler(name: str) -> bool:
    """Whether a ruler may have given itself a name: what a reader's own ones do is not known."""
    kind = REGISTRY.get(name.partition("(")[0])
    if kind is None or not kind.__module__.startswith("ibcore."):
        return name.partition("(")[0].isidentifier()
    try:
        return _is_plain_call(ast.parse(name, mode="eval").body)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False


def _is_plain_call(node: ast.expr) -> bool:
    """Class(setting=value, …), the values literals or such calls."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return False
    values = [*node.args, *(one.value for one in node.keywords)]
    return all(_is_plain_call(one) or _is_literal(one) for one in values)


def _is_literal(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True


def lacking(
    parts: Sequence[Part],
    experiment: Experiment,
    seeds: Sequence[int],
    rulers: Sequence[Ruler],
    observables: Sequence[Observable],
) -> tuple[list[int], list[Ruler], list[Observable]]:
    """Seeds of which something is missing, and the rulers and observables that are."""
    own = [part for part in parts if set(experiment.epochs) <= set(part.data["epoch"].values)]
    bare: set[int] = set()
    absent_rulers, absent_observables = [], []
    for ruler in rulers:
        missing = set(seeds) - _seeds(part for part in own if part.holds(ruler))
        if missing:
            absent_rulers.append(ruler)
            bare |= missing
    for one in observables:
        missing = set(seeds) - _seeds(part for part in own if part.has(one))
        if missing:
            absent_observables.append(one)
            bare |= missing
    # an experiment names a range of seeds
    whole = list(range(min(bare), max(bare) + 1)) if bare else []
    return whole, absent_rulers, absent_observables


def _seeds(parts: Iterable[Part]) -> set[int]:
    return {seed for part in parts for seed in part.data["seed"].values.tolist()}


def put_together(
    parts: Sequence[Part],
    experiment: Experiment,
    rulers: Sequence[Ruler],
    observables: Sequence[Observable],
) -> xr.Dataset:
    """The plane of a request of which the parts lack nothing."""
    parts = sorted(parts, key=lambda part: part.order)
    asked = set(experiment.epochs)
    parts = [part for part in parts if asked <= set(part.data["epoch"].values)]
    used = _Used()
    names = {"i_xt", "i_ty", *(name for ruler in rulers for name in ruler.numbers)}
    rows = [_row(parts, experiment, ruler, sorted(names), used) for ruler in rulers]
    arrays = {name: np.stack([row[name] for row in rows]) for name in sorted(names)}
    about: dict[str, dict[str, Any]] = {}
    for observable in observables:
        for name in observable.names:
            having = [part for part in parts if part.has(observable)]
            arrays[name] = _values(having, experiment, name, used.by(observable))
            about[name] = having[0].data[name].attrs
    first = used.parts[0].data
    measures = {
        str(name): str(what)
        for part in reversed(used.parts)
        for name, what in zip(part.data.estimator.values, part.data.measures.values, strict=True)
    }
    found = plane.new_plane(
        estimators={repr(ruler): measures[repr(ruler)] for ruler in rulers},
        seeds=experiment.seeds,
        epochs=experiment.epochs,
        updates=first["update"].sel(epoch=experiment.epochs).values,
        widths=first["width"].values,
        variables=arrays,
        attrs=used.attrs(experiment),
    )
    for name, attrs in about.items():
        found[name].attrs |= attrs
    return plane.as_stored(found)


def whatever_there_is(
    parts: Sequence[Part], experiment: Experiment, rulers: Sequence[Ruler]
) -> xr.Dataset | None:
    """A plane of what some parts hold at the epochs of an experiment; None if that is nothing.

    Its seeds are those of the first ruler that is there, in the order asked for; its other rulers
    and its observables are those that all of these seeds have.
    """
    asked = set(experiment.epochs)
    parts = [part for part in parts if asked <= set(part.data["epoch"].values)]
    there = {repr(one): one for part in parts for one in rulers_of(part.data)}
    having = {name: _seeds(p for p in parts if p.holds(one)) for name, one in there.items()}
    wanted = [repr(one) for one in checked_rulers(rulers) if having.get(repr(one))]
    # else the one of which there is most
    others = sorted((name for name in there if having[name]), key=lambda one: -len(having[one]))
    every = [there[name] for name in dict.fromkeys([*wanted, *others])]
    if not every:
        return None
    seeds = sorted(having[repr(every[0])])
    run = [seed for k, seed in enumerate(seeds) if seed == seeds[0] + k]  # without a gap
    cut = experiment.replace(first_seed=run[0], n_seeds=len(run))
    whole = [one for one in every if not lacking(parts, cut, run, [one], [])[0]]
    seen = [one for one in OBSERVABLES.values() if not lacking(parts, cut, run, [], [one])[0]]
    return put_together(parts, cut, whole, seen)


def _row(
    parts: Sequence[Part], experiment: Experiment, ruler: Ruler, names: Sequence[str], used: "_Used"
) -> dict[str, np.ndarray]:
    """(seed, epoch, layer) of one ruler, for i_xt, i_ty and errors where it has them."""
    having = [part for part in parts if part.holds(ruler)]
    found: dict[str, np.ndarray] = {}
    for name in names:
        if name in ruler.numbers:
            found[name] = _values(having, experiment, name, used.by(*ruler.parts()), repr(ruler))
        else:
            found[name] = np.full_like(found["i_xt" if "i_xt" in found else "i_ty"], np.nan)
    return found


def _values(
    parts: Sequence[Part],
    experiment: Experiment,
    name: str,
    note: Callable[[Part], None],
    ruler: str | None = None,
) -> np.ndarray:
    """(seed, epoch, …) of a variable, each seed from the first part that has it."""
    pieces: dict[int, np.ndarray] = {}
    left = set(experiment.seeds)
    for part in parts:
        here = [seed for seed in part.data["seed"].values.tolist() if seed in left]
        if here:
            array = part.data[name].sel(seed=here, epoch=experiment.epochs)
            if ruler is not None:
                array = array.sel(estimator=ruler)
            pieces |= dict(zip(here, array.values, strict=True))
            left -= set(here)
            note(part)
    return np.stack([pieces[seed] for seed in experiment.seeds])


class _Used:
    """The parts that a plane was put together from, and whose code counts in each."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.makers: list[set[str]] = []

    def by(self, *makers: Ruler | Observable) -> Callable[[Part], None]:
        """What notes that a part gave numbers of these."""
        names = {type(one).__name__ for one in makers}

        def note(part: Part) -> None:
            if not any(part is one for one in self.parts):
                self.parts.append(part)
                self.makers.append({provenance.NETWORK, provenance.PLANE})
            place = next(k for k, one in enumerate(self.parts) if one is part)
            self.makers[place] |= names

        return note

    def attrs(self, experiment: Experiment) -> dict[str, Any]:
        """Provenance of the whole; ``parts`` says in what they differ."""
        code: dict[str, set[str]] = {}
        for part, makers in zip(self.parts, self.makers, strict=True):
            for name, digest in json.loads(part.data.attrs["code"]).items():
                if name in makers:
                    code.setdefault(name, set()).update(digest.split("+"))
        joined = {name: "+".join(sorted(digests)) for name, digests in sorted(code.items())}
        return plane.merged_attrs([part.data for part in self.parts]) | {
            "experiment": experiment.to_json(),
            "code": json.dumps(joined),
            "code_digest": provenance.digest_of(joined),
        }
