"""What the commands do: they ask ``Study``, ``claims`` and ``plane`` and print what these say."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import typer
import xarray as xr

from ibcore import claims as registry
from ibcore import plane as planes
from ibcore import planner
from ibcore.differences import DIFFERENCE_HEAD, difference_row, what_differs
from ibcore.experiments import cache_folder
from ibcore.files import check_writable
from ibcore.papers import book_folder, papers, published_results
from ibcore.parameters import read_settings
from ibcore.results import certify as renewal
from ibcore.results.places import costs
from ibcore.study import Study
from ibcore.tables import echo_table
from ibcore.work import default_threads

# How the files begin that may hold planes: NetCDF, a zip archive, and the HDF5 of older versions.
BEGINNINGS = (b"CDF", b"PK", b"\x89HDF")


def run(
    chapter: str,
    *,
    profile: str,
    only: Sequence[str],
    claim: str | None,
    settings: Sequence[str],
    threads: int | None,
    device: str,
    recompute: bool,
    results: Path | None,
    from_nothing: bool,
    publish: bool,
    workers: int,
) -> None:
    """Compute what is missing, then judge."""
    names = papers() if chapter == "all" else (chapter,)
    changes = read_settings(settings)
    if claim and (only or publish or chapter == "all" or profile == "smoke"):
        raise ValueError(
            "--claim asks about one claim of one chapter at full scale, and publishes nothing: "
            "leave out all, --only, --publish and --profile smoke."
        )
    if publish and changes:
        raise ValueError("what --set changes is not published; leave out one of them.")
    where = published_folder() if publish else results
    if workers > 1 and profile != "smoke" and not claim:
        given = {
            "--profile": profile, "--device": device, "--results": None if publish else results,
        }  # fmt: skip
        options = [text for name, value in given.items() if value for text in (name, str(value))]
        options += [text for one in settings for text in ("--set", one)]
        flags = {"--recompute": recompute, "--from-nothing": from_nothing, "--publish": publish}
        options += [name for name, wanted in flags.items() if wanted]
        each = max(1, (threads or default_threads()) // workers)
        studies = [
            Study(name, profile=profile, from_nothing=from_nothing, results=where, **changes)
            for name in names
        ]
        store = studies[0].store
        check_writable(store.root)
        many = planner.jobs(
            studies,
            (*options, "--threads", str(each)),
            costs(list(filter(None, [*store.roots, published_results()]))),
            only,
            recompute,
        )
        planner.run_jobs(many, workers, cache_folder() / "logs", threads=each)
        recompute = False  # that has been done
    for name in names:
        study = Study(
            name,
            profile=profile,
            recompute=recompute,
            from_nothing=from_nothing,
            device=device,
            threads=threads,
            results=where,
            claim=claim,
            **changes,
        )
        if claim:
            typer.echo(str(study.beside(claim)))
            return
        judged = not only and profile != "smoke"
        if judged and not changes:
            check_writable(study.store.root)  # for the ledger, before any work
        wanted = only or list(study.experiments)
        for position, one in enumerate(wanted, start=1):
            there = "computing" if recompute or not study.files(one) else study.where(one)
            typer.echo(f"[{position}/{len(wanted)}] {name} {one}: {there}")
            study.plane(one)
        if only:
            typer.echo("not judged: --only computes; run without it to judge.")
        elif not judged:
            typer.echo("smoke profile: no verdict.")
        else:
            _judge(study, ledger=not changes)


def _judge(study: Study, *, ledger: bool) -> None:
    found = study.judge()
    rows = [
        (one["id"], *_word_and_effect(one), f"{one['n_seeds'] or '-'}", f"{one['n_not_learnt']}")
        for one in map(_entry, found)
    ]
    echo_table(("claim", "verdict", "effect", "networks", "not learnt"), rows)
    if ledger:
        study.publish(found)
        typer.echo(f"ledger: {study.store.root / 'ledger.json'}")
    else:
        typer.echo("ledger not written: --set changes what the chapter states.")


def info(result: str, results: Path | None) -> None:
    """Where a stored result comes from."""
    for where, found in find_results(result, results):
        typer.echo(where)
        echo_table(None, provenance(found))


def compare(chapter: str, file: Path | None, results: Path | None) -> None:
    """How a reader's results differ from the published ones, claim by claim."""
    published = Study(chapter, results=published_folder())
    if file is not None:
        echo_table(DIFFERENCE_HEAD, [_file_row(planes.load(_checked_file(file)), published)])
        return
    verdicts = published_verdicts(chapter)  # an edited ledger is refused before anything is judged
    study = Study(chapter, results=results)
    yours = {one: own for one in study.experiments if (own := study.own(one)) is not None}
    if not yours:
        where = f" --results {results}" if results else ""
        raise ValueError(
            f"no result of {chapter} in {study.store.root}; "
            f"run: python -m ibcore run {chapter} --recompute{where}"
        )
    rows = [
        difference_row(one, theirs, own)
        for one, own in yours.items()
        if (theirs := published.stored(one)) is not None
    ]
    echo_table(DIFFERENCE_HEAD, rows)
    _compare_verdicts(verdicts, list(_judge_stored(study, yours)))


class Judged(NamedTuple):
    """The ledger entry of a claim on a reader's planes, and the ruler if it is not the chapter's.

    An entry that is text says why there is none.
    """

    id: str
    entry: dict[str, Any] | str
    ruler: str = ""


def _judge_stored(study: Study, yours: dict[str, xr.Dataset]) -> Iterator[Judged]:
    """The claims of which some plane is there; nothing is computed."""
    for claim in registry.load_registry(study.chapter):
        wanted = registry.planes_of(claim)
        lacking = [name for name in wanted if name not in yours]
        if len(lacking) == len(wanted):
            continue
        if lacking:
            more = ", …" if len(lacking) > 2 else ""
            yield Judged(claim.id, f"not run: {', '.join(lacking[:2])}{more}")
            continue
        given = {name: yours[name] for name in wanted}
        try:
            yield _judged(study, claim, given)
        except ValueError as error:
            yield Judged(claim.id, f"cannot be judged: {error}")


def _judged(study: Study, claim: registry.Claim, given: dict[str, xr.Dataset]) -> Judged:
    """By the chapter's rulers where the planes have them, else by one that all of them have."""
    asked = {name: [repr(one) for one in study.estimators(name)] for name in given}
    held = {name: found.estimator.values.tolist() for name, found in given.items()}
    if all(set(asked[name]) <= set(held[name]) for name in given):
        ordered = {name: found.sel(estimator=asked[name]) for name, found in given.items()}
        return Judged(claim.id, _entry(registry.judge(claim, ordered)))
    if claim.all_rulers:
        lost = sorted({one for name in given for one in asked[name] if one not in held[name]})
        return Judged(claim.id, f"compares rulers that are not there: {', '.join(lost[:3])}")
    if all(asked[name][0] in held[name] for name in given):
        ordered = {name: found.sel(estimator=[asked[name][0]]) for name, found in given.items()}
        return Judged(claim.id, _entry(registry.judge(claim, ordered)))
    first = next(iter(held.values()))
    common = [one for one in first if all(one in many for many in held.values())]
    if not common:
        return Judged(claim.id, "its planes have no ruler in common")
    judged = registry.judge(claim, given, estimator=common[0])
    return Judged(claim.id, _entry(judged), common[0])


def _compare_verdicts(published: dict[str, dict[str, Any]], yours: list[Judged]) -> None:
    mine = {one.id: one for one in yours}
    rows: list[tuple[str, ...]] = []
    same: list[str] = []
    differ: list[str] = []
    for claim_id in {**published, **mine}:
        theirs, own = published.get(claim_id), mine.get(claim_id)
        if own is None or isinstance(own.entry, str):
            shown: tuple[str, str] = ("not run" if own is None else str(own.entry), "-")
            how = own.ruler if own else ""
        else:
            shown = _word_and_effect(own.entry)
            how = own.ruler
            if theirs:
                alike = own.entry["verdict"] == theirs["verdict"]
                if not own.ruler:
                    (same if alike else differ).append(claim_id)
                said = "" if alike else what_differs(theirs, own.entry)
                how = "; ".join(filter(None, [own.ruler, said]))
        rows.append((claim_id, *_word_and_effect(theirs), *shown, how))
    head = ("claim", "published", "effect", "yours", "effect", "your ruler, or what differs")
    echo_table(head, rows)
    typer.echo(f"{len(same)} of {len(same) + len(differ)} verdicts under the same ruler agree.")
    if differ:
        typer.echo(f"different: {', '.join(differ)}")
        raise typer.Exit(1)


def claims(claim_id: str | None) -> None:
    """The claims, or one of them."""
    if claim_id is None:
        for chapter in papers():
            verdicts = published_verdicts(chapter)
            listed = [
                (one.id, _word_and_effect(verdicts.get(one.id))[0], one.rank, one.title)
                for one in registry.load_registry(chapter)
            ]
            typer.echo(chapter)
            echo_table(("claim", "verdict", "rank", "title"), listed)
        return
    claim = registry.find_claim(claim_id)
    verdict = published_verdicts(claim.chapter).get(claim.id)
    rows = [
        ("claim", f"{claim.id}: {claim.title}"),
        ("source", claim.source),
        ("statement", claim.statement),
        ("criterion", claim.criterion),
        ("question", f"{claim.question}: {registry.questions().get(claim.question, '')}"),
        ("rank", claim.rank),
        ("setting", f"{claim.setting}: {registry.SETTINGS[claim.setting]}"),
        ("decided by", f"{claim.criterion_hash}, of {claim.date}"),
        ("experiments", ", ".join(registry.planes_of(claim))),
        ("changed", "; ".join(f"{c.date}: {c.reason} (was {c.was})" for c in claim.changes)),
        ("note", claim.note),
        ("published", " ".join(_word_and_effect(verdict))),
        ("finding", verdict["finding"] if verdict else ""),
    ]
    echo_table(None, [row for row in rows if row[1]])


def certify(chapter: str | None, results: Path | None) -> None:
    """Check results made by older code, and certify those that come out the same."""
    stale, seen = False, set()
    for name in [chapter] if chapter else papers():
        study = Study(name, results=results or published_folder())
        for one, experiment in study.experiments.items():
            found = study.own(one)
            if found is None:
                continue
            key = (name, experiment.digest(), found.attrs["code"])
            if key not in seen:
                seen.add(key)
                answer = renewal.certify(found, study.store)
                typer.echo(f"{name} {one}: {answer}")
                stale |= answer.word == "stale"
    if not seen:
        raise ValueError(f"no result in {results or published_folder()}; name another folder.")
    raise typer.Exit(int(stale))


def published_folder() -> Path:
    """Folder of the book's own results."""
    return book_folder() / "results"


def published_verdicts(chapter: str) -> dict[str, dict[str, Any]]:
    """Entries of the published ledger of one chapter, by claim id; none if there is no ledger."""
    ledger = published_folder() / "ledger.json"
    entries = registry.load_ledger(ledger) if ledger.exists() else []
    return {entry["id"]: entry for entry in entries if entry["chapter"] == chapter}


def find_results(result: str, results: Path | None = None) -> list[tuple[str, xr.Dataset]]:
    """Where a result named by its file, its digest or its experiment is, and its plane."""
    path = Path(result)
    if path.is_dir():
        raise ValueError(
            f"{path} is a folder; name a file in it, or an experiment and the folder as --results."
        )
    if path.is_file():
        _checked_file(path)
        if path.suffix == ".zip":
            return [(f"{path}: {name}", one) for name, one in planes.load_pack(path).items()]
        return [(str(path), planes.load(path))]
    named = [
        (study, one)
        for study in (Study(name, results=results) for name in papers())
        for one, experiment in study.experiments.items()
        if result in (one, experiment.digest())
    ]
    if not named:
        raise ValueError(
            f"{result!r} is no file, and no experiment has this name or digest; "
            "`python -m ibcore list` shows them."
        )
    found = {
        ", ".join(map(str, study.files(one))): plane
        for study, one in named
        if (plane := study.stored(one)) is not None
    }
    if not found:
        study, one = named[0]
        raise ValueError(
            f"{one} is not stored; compute it with: "
            f"python -m ibcore run {study.chapter} --only {one}"
        )
    return list(found.items())


def _checked_file(path: Path) -> Path:
    """A file that a reader names; one that never was a plane is not called a damaged one."""
    if path.is_file():
        with path.open("rb") as file:
            beginning = file.read(4)
        if not beginning.startswith(BEGINNINGS):
            raise ValueError(f"{path} is no file of a plane: it does not begin as one does.")
    return path


def provenance(plane: xr.Dataset) -> list[tuple[str, str]]:
    """Rows (what, value) that say where a plane comes from."""
    attrs = dict(plane.attrs)
    parameters = json.loads(attrs.pop("experiment"))
    layers = zip(plane.layer.values.tolist(), plane.width.values.tolist(), strict=True)
    rows = [
        *parameters.items(),
        ("seeds", span(plane.seed.values)),
        ("epochs", span(plane.epoch.values)),
        ("layers", ", ".join(f"{number} (width {width})" for number, width in layers)),
        ("estimators", ", ".join(map(str, plane.estimator.values))),
        *attrs.items(),
    ]
    return [(name, str(value)) for name, value in rows]


def span(values: Sequence[int]) -> str:
    """Write a range in few words.

    >>> span([0, 1, 2]), span([0, 10, 8000])
    ('0-2 (3)', '0 ... 8000 (3)')
    """
    between = "-" if len(values) == values[-1] - values[0] + 1 else " ... "
    return f"{values[0]}{between}{values[-1]} ({len(values)})"


def _file_row(mine: xr.Dataset, published: Study) -> tuple[str, ...]:
    digest = mine.attrs["digest"]
    for one, experiment in published.experiments.items():
        if experiment.digest() == digest and (theirs := published.stored(one)) is not None:
            return difference_row(one, theirs, mine)
    raise ValueError(f"no published result of {published.chapter} has the digest {digest}.")


def _entry(verdict: registry.Verdict | registry.NoVerdict) -> dict[str, Any]:
    if isinstance(verdict, registry.NoVerdict):
        nothing = dict.fromkeys(registry.LEDGER_KEYS)
        return nothing | {"id": verdict.id, "verdict": verdict.reason, "n_not_learnt": "-"}
    return registry.ledger_entry(verdict)


def _word_and_effect(entry: dict[str, Any] | None, absent: str = "-") -> tuple[str, str]:
    """Word and "1.2 [1.1, 1.4] bit" of a ledger entry."""
    if entry is None:
        return absent, "-"
    word = entry["verdict"]
    if scope := entry.get("scope"):
        k, _, m = scope.partition(" of ")
        word = registry.shown(word, int(k), int(m))
    if entry["effect"] is None:
        return word, "-"
    low, high = ("?" if entry[end] is None else f"{entry[end]:.3g}" for end in ("low", "high"))
    return word, f"{entry['effect']:.3g} [{low}, {high}] {entry['unit']}".rstrip()
