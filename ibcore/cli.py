"""The command line: list, run, info, compare, claims, certify.

It decides nothing: it asks ``Study``, ``claims`` and ``plane`` and prints what they say. A
mistake of the user is one line and exit code 2; ``--traceback``, or ``IBCORE_TRACEBACK=1``,
shows all of it.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
import xarray as xr
from typer.core import TyperGroup

from ibcore import claims as registry
from ibcore import experiment as runs
from ibcore import plane as planes
from ibcore.study import Study, book_folder, chapters

MISTAKES = (ValueError, OSError)


class _OneLineErrors(TyperGroup):
    """Turns a user's mistake into one line on stderr and exit code 2."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except MISTAKES as error:
            if ctx.params.get("traceback"):
                raise
            typer.echo(f"error: {error}", err=True)
            raise typer.Exit(2) from error


app = typer.Typer(
    cls=_OneLineErrors,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Chapter = Annotated[str, typer.Argument(help="Name of a chapter, as `list` shows it.")]
Profile = Annotated[str, typer.Option(help="smoke or paper.")]
Results = Annotated[
    Path | None, typer.Option(help="Your folder of results; default: in your cache folder.")
]


def main() -> None:
    """Run the command line."""
    app(prog_name="python -m ibcore")


@app.callback()
def options(
    traceback: Annotated[
        bool, typer.Option(envvar="IBCORE_TRACEBACK", help="Show the whole of an error.")
    ] = False,
) -> None:
    """Information planes of neural networks, and the verdicts of the book."""


@app.command("list")
def list_(
    chapter: Annotated[str | None, typer.Argument(help="Only this chapter.")] = None,
    profile: Profile = "paper",
    results: Results = None,
) -> None:
    """Show experiments, their scale and results."""
    for name in [chapter] if chapter else chapters():
        study = Study(name, profile=profile, results=results)
        rows = [
            (one, e.digest(), e.task, str(e.n_seeds), str(e.n_epochs), _whose(study.stored(one)))
            for one, e in study.experiments.items()
        ]
        typer.echo(f"{name} ({profile})")
        echo_table(("experiment", "digest", "task", "seeds", "epochs", "stored"), rows)


def _whose(path: Path | None) -> str:
    if path is None:
        return "no"
    return "published" if path.is_relative_to(published_folder()) else "yours"


@app.command()
def run(
    chapter: Annotated[str, typer.Argument(help="Name of a chapter, or all.")],
    profile: Profile = "paper",
    only: Annotated[
        list[str] | None, typer.Option(help="Only this experiment, without judging; repeatable.")
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Default: all that are free.")] = None,
    n_seeds: Annotated[
        int | None, typer.Option(min=1, help="Another number of networks; no ledger then.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    recompute: Annotated[bool, typer.Option(help="Compute what is stored, too.")] = False,
    results: Results = None,
    publish: Annotated[bool, typer.Option(help="Write to the results of the book.")] = False,
) -> None:
    """Compute what is missing, then judge.

    Writes planes as they are finished, so that it can be resumed, and at the end the ledger.
    """
    if publish and results:
        raise ValueError("--publish and --results name two folders; give one of them.")
    for name in chapters() if chapter == "all" else [chapter]:
        study = Study(
            name,
            profile=profile,
            recompute=recompute,
            device=device,
            threads=threads,
            results=published_folder() if publish else results,
            n_seeds=n_seeds,
        )
        wanted = only or list(study.experiments)
        for position, one in enumerate(wanted, start=1):
            there = None if recompute else study.stored(one)
            typer.echo(f"[{position}/{len(wanted)}] {name} {one}: {there or 'computing'}")
            study.plane(one)
        if only:
            typer.echo("not judged: --only computes; run without it to judge.")
        elif profile == "smoke":
            typer.echo("smoke profile: no verdict.")
        else:
            _judge(study, ledger=n_seeds is None)


def _judge(study: Study, *, ledger: bool) -> None:
    rows = [
        (one["id"], *_word_and_effect(one), f"{one['n_seeds'] or '-'}", f"{one['n_not_learnt']}")
        for one in map(_entry, study.judge())
    ]
    echo_table(("claim", "verdict", "effect", "networks", "not learnt"), rows)
    if ledger:
        study.publish()
        typer.echo(f"ledger: {study.store.root / 'ledger.json'}")
    else:
        typer.echo("ledger not written: --n-seeds is not the chapter's scale.")


@app.command()
def info(
    result: Annotated[str, typer.Argument(help="An experiment, a digest or a file.")],
    results: Results = None,
) -> None:
    """Show where a stored result comes from."""
    for path in find_results(result, results):
        typer.echo(str(path))
        echo_table(None, provenance(planes.load(path)))


@app.command()
def compare(
    chapter: Chapter,
    file: Annotated[
        Path | None, typer.Argument(help="One result file; only its numbers are compared.")
    ] = None,
    results: Results = None,
) -> None:
    """Show how your run differs, claim by claim.

    It is held against what is published, and nothing is computed: a claim whose planes are
    not all yours is shown as not run. Exit code 1: a verdict differs.
    """
    published = Study(chapter, results=published_folder())
    if file is not None:
        echo_table(DIFFERENCE_HEAD, [_file_row(planes.load(file), published)])
        return
    study = Study(chapter, results=results)
    yours = {one: path for one in study.experiments if (path := stored_in_root(study, one))}
    if not yours:
        where = f" --results {results}" if results else ""
        raise ValueError(
            f"no result of {chapter} in {study.store.root}; "
            f"run: python -m ibcore run {chapter} --recompute{where}"
        )
    rows = [
        difference_row(one, planes.load(theirs), planes.load(path))
        for one, path in yours.items()
        if (theirs := stored_in_root(published, one))
    ]
    echo_table(DIFFERENCE_HEAD, rows)
    _compare_verdicts(published_verdicts(chapter), dict(_judge_stored(study, yours)))


def _judge_stored(study: Study, yours: dict[str, Path]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Ledger entries of the claims whose planes are all there; nothing is computed."""
    for claim in registry.load_registry(study.chapter):
        if set(claim.experiments) <= set(yours):
            given = {name: _as_judged(study, name, yours[name]) for name in claim.experiments}
            yield claim.id, _entry(registry.judge(claim, given))


def _as_judged(study: Study, name: str, path: Path) -> xr.Dataset:
    """Plane with the chapter's rulers in the chapter's order: claims read the first."""
    found = planes.load(path)
    rulers = [repr(ruler) for ruler in study.estimators(name)]
    lacking = sorted(set(rulers) - set(found.estimator.values.tolist()))
    if lacking:
        raise ValueError(f"{path} lacks {', '.join(lacking)}; measure it with `run` first.")
    return found.sel(estimator=rulers)


def _compare_verdicts(published: dict[str, dict], yours: dict[str, dict]) -> None:
    rows = [
        (one, *_word_and_effect(published.get(one)), *_word_and_effect(yours.get(one), "not run"))
        for one in {**published, **yours}
    ]
    both = [one for one in yours if one in published]
    differ = [one for one in both if yours[one]["verdict"] != published[one]["verdict"]]
    echo_table(("claim", "published", "effect", "yours", "effect"), rows)
    typer.echo(f"{len(both) - len(differ)} of {len(both)} verdicts agree.")
    if differ:
        typer.echo(f"different: {', '.join(differ)}")
        raise typer.Exit(1)


@app.command()
def claims(
    claim_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="One claim.")] = None,
) -> None:
    """List the claims, or show one of them."""
    if claim_id is None:
        for chapter in registry.CHAPTERS:
            verdicts = published_verdicts(chapter)
            rows = [
                (one.id, _word_and_effect(verdicts.get(one.id))[0], one.title)
                for one in registry.load_registry(chapter)
            ]
            typer.echo(chapter)
            echo_table(("claim", "verdict", "title"), rows)
        return
    claim = registry.find_claim(claim_id)
    verdict = published_verdicts(claim.chapter).get(claim.id)
    rows = [
        ("claim", f"{claim.id}: {claim.title}"),
        ("source", claim.source),
        ("statement", claim.statement),
        ("criterion", claim.criterion),
        ("thresholds", ", ".join(f"{name} = {v}" for name, v in claim.thresholds.items())),
        ("experiments", ", ".join(claim.experiments)),
        ("can say", ", ".join(claim.words)),
        ("note", claim.note),
        ("published", " ".join(_word_and_effect(verdict))),
    ]
    echo_table(None, rows)


@app.command()
def certify(
    chapter: Annotated[str | None, typer.Argument(help="Only this chapter.")] = None,
    results: Annotated[
        Path | None, typer.Option(help="Folder of results; default: the published ones.")
    ] = None,
) -> None:
    """Check results made by older code.

    Two networks of each are run again. Exit code 1: one is stale.
    """
    stale = False
    for name in [chapter] if chapter else chapters():
        study = Study(name, results=results or published_folder())
        for one in study.experiments:
            if path := stored_in_root(study, one):
                said = runs.certify(planes.load(path), study.store)
                typer.echo(f"{name} {one}: {said}")
                stale |= said.startswith("stale")
    raise typer.Exit(int(stale))


def published_folder() -> Path:
    """Folder of the book's own results."""
    return book_folder() / "results"


def published_verdicts(chapter: str) -> dict[str, dict[str, Any]]:
    """Entries of the published ledger of one chapter, by claim id; none if there is no ledger."""
    ledger = published_folder() / "ledger.json"
    entries = registry.load_ledger(ledger) if ledger.exists() else []
    return {entry["id"]: entry for entry in entries if entry["chapter"] == chapter}


def stored_in_root(study: Study, name: str) -> Path | None:
    """File of a result in the study's own folder; a study also finds the published ones."""
    path = study.stored(name)
    return path if path and path.is_relative_to(study.store.root) else None


def find_results(result: str, results: Path | None = None) -> list[Path]:
    """Files of a result named by its file, its digest or its experiment."""
    if Path(result).is_file():
        return [Path(result)]
    found = {
        (study.chapter, one): study.stored(one)
        for study in (Study(name, results=results) for name in chapters())
        for one, experiment in study.experiments.items()
        if result in (one, experiment.digest())
    }
    if not found:
        raise ValueError(
            f"{result!r} is no file, and no experiment has this name or digest; "
            "`python -m ibcore list` shows them."
        )
    if not any(found.values()):
        chapter, one = next(iter(found))
        raise ValueError(
            f"{one} is not stored; compute it with: python -m ibcore run {chapter} --only {one}"
        )
    return [path for path in dict.fromkeys(found.values()) if path]


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


DIFFERENCE_HEAD = ("experiment", "digest", "common entries", "max |d i_xt|", "max |d i_ty|")


def difference_row(name: str, one: xr.Dataset, other: xr.Dataset) -> tuple[str, ...]:
    """Row under ``DIFFERENCE_HEAD`` for two planes of one experiment."""
    gap = difference(one, other)
    bits = (f"{gap[which]:.2g} bit" for which in ("i_xt", "i_ty"))
    return (name, one.attrs["digest"], str(gap["n"]), *bits)


def difference(one: xr.Dataset, other: xr.Dataset) -> dict[str, float]:
    """Largest |difference| of i_xt and i_ty, in bits, over the n entries both planes have.

    NaN if they have no estimator, seed, epoch and layer in common.
    """
    one, other = xr.align(one[["i_xt", "i_ty"]], other[["i_xt", "i_ty"]], join="inner")
    gaps = abs(one - other)
    if not gaps.i_xt.size:
        return {"i_xt": float("nan"), "i_ty": float("nan"), "n": 0}
    return {"i_xt": float(gaps.i_xt.max()), "i_ty": float(gaps.i_ty.max()), "n": gaps.i_xt.size}


def _file_row(mine: xr.Dataset, published: Study) -> tuple[str, ...]:
    digest = mine.attrs["digest"]
    for one, experiment in published.experiments.items():
        path = published.stored(one)
        if experiment.digest() == digest and path:
            return difference_row(one, planes.load(path), mine)
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
    if entry["effect"] is None:
        return entry["verdict"], "-"
    low, high = ("?" if entry[end] is None else f"{entry[end]:.3g}" for end in ("low", "high"))
    return entry["verdict"], f"{entry['effect']:.3g} [{low}, {high}] {entry['unit']}".rstrip()


def echo_table(head: Sequence[str] | None, rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns, two blanks apart, under a head if there is one."""
    lines = [tuple(head), *rows] if head else list(rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        typer.echo("  " + "  ".join(cells).rstrip())
