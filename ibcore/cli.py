"""The command line: list, run, sweep, info, compare, claims, certify.

It decides nothing: ``ibcore.commands`` has what the commands do and is imported when one of them is
called. A mistake of the user is one line and exit code 2, and so is what did not fit into memory or
on a disk; ``--traceback``, or ``IBCORE_TRACEBACK=1``, shows all of it.
"""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from ibcore import __version__
from ibcore.experiments import cache_folder, experiments, read_chapter
from ibcore.papers import papers, published_results
from ibcore.results.places import Cost, costs, holders
from ibcore.tables import echo_table

MISTAKES = (ValueError, OSError, MemoryError)


class _OneLineErrors(TyperGroup):
    """Turns a user's mistake into one line on stderr and exit code 2."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            raise  # nobody reads on, as after `| head`: typer ends without a word
        except MISTAKES as error:
            if ctx.params.get("traceback"):
                raise
            typer.echo(f"error: {_sentence(error)}", err=True)
            raise typer.Exit(2) from error


def _sentence(error: Exception) -> str:
    said = " ".join(str(error).split())
    if isinstance(error, MemoryError):
        return (
            f"this does not fit into memory{f' ({said})' if said else ''}; take fewer networks, "
            "measured epochs or threads, or narrower layers."
        )
    return said


def _folder(path: Path | None) -> Path | None:
    """A folder of results, which need not be there yet."""
    if path is not None and path.exists() and not path.is_dir():
        raise ValueError(f"--results names a folder, and {path} is none.")
    return path


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
    Path | None,
    typer.Option(callback=_folder, help="Your folder of results; default: in your cache folder."),
]


def main() -> None:
    """Run the command line."""
    app(prog_name="python -m ibcore")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ibcore {__version__}")
        raise typer.Exit


@app.callback()
def options(
    traceback: Annotated[
        bool, typer.Option(envvar="IBCORE_TRACEBACK", help="Show the whole of an error.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Information planes of neural networks, and the verdicts of the book."""


@app.command("list")
def list_(
    chapter: Annotated[str | None, typer.Argument(help="Only this chapter.")] = None,
    profile: Profile = "paper",
    results: Results = None,
) -> None:
    """Show experiments, their scale, what they took and whose result there is."""
    own = results or cache_folder() / "results"
    published = published_results() or own
    known = costs([own, published])
    for name in [chapter] if chapter else papers():
        rows = [
            (
                one,
                e.digest(),
                e.task,
                str(e.n_seeds),
                str(e.n_epochs),
                took(known.get(e.digest())),
                whose(e.digest(), own, published),
            )
            for one, e in experiments(read_chapter(name, profile), profile).items()
        ]
        typer.echo(f"{name} ({profile})")
        head = ("experiment", "digest", "task", "seeds", "epochs", "took", "stored")
        echo_table(head, rows)


def took(cost: Cost | None) -> str:
    """What the last run of an experiment took.

    >>> took(Cost(7.2, 0.5)), took(Cost(6000, 2)), took(None)
    ('7 s', '100 min', '-')
    """
    if cost is None:
        return "-"
    return f"{cost.seconds:.0f} s" if cost.seconds < 120 else f"{cost.seconds / 60:.0f} min"


def whose(digest: str, own: Path, published: Path) -> str:
    """Whose result of an experiment there is: "yours", "published" or "no"."""
    roots = holders(digest, dict.fromkeys((own, published)))
    if any(root != published or root == own for root in roots):
        return "yours"
    return "published" if roots else "no"


def _commands() -> Any:
    """What the commands do: imported when one is called, for lists and help need none of it."""
    return import_module("ibcore.commands")


@app.command()
def run(
    chapter: Annotated[str, typer.Argument(help="Name of a chapter, or all.")],
    profile: Profile = "paper",
    only: Annotated[
        list[str] | None, typer.Option(help="Only this experiment, without judging; repeatable.")
    ] = None,
    claim: Annotated[
        str | None,
        typer.Option(help="Only what this claim needs; its published verdict beside yours."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="Change a parameter, as ruler='Binning(100)' or n_seeds=5; repeatable.",
        ),
    ] = None,
    threads: Annotated[int | None, typer.Option(min=1, help="Default: all that are free.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    recompute: Annotated[bool, typer.Option(help="Compute what is stored, too.")] = False,
    results: Results = None,
    from_nothing: Annotated[
        bool, typer.Option(help="Do not read what is published: compute what --results lacks.")
    ] = False,
    publish: Annotated[bool, typer.Option(help="Write to the results of the book.")] = False,
    workers: Annotated[
        int, typer.Option(min=1, help="Experiments at once, each in a process; longest first.")
    ] = 1,
) -> None:
    """Compute what is missing, then judge.

    Writes planes as they are finished, so that it can be resumed, and at the end the ledger. With
    --claim only what one claim needs is computed, and no ledger is written.
    """
    if publish and results:
        raise ValueError("--publish and --results name two folders; give one of them.")
    _commands().run(
        chapter, profile=profile, only=only or (), claim=claim, settings=settings or (),
        threads=threads, device=device, recompute=recompute, results=results,
        from_nothing=from_nothing, publish=publish, workers=workers,
    )  # fmt: skip


@app.command()
def sweep(
    what: Annotated[
        str, typer.Argument(metavar="FILE", help="A file of experiments, or a chapter's name.")
    ],
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes of this machine; default: this one.")
    ] = None,
    dask: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Scheduler of a Dask cluster.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(help="Only this experiment; repeatable.")
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="As of `run`: n_seeds=500; repeatable."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Of each worker.")] = 1,
    blocks: Annotated[int, typer.Option(min=1, help="Blocks of seeds in a task.")] = 1,
    profile: Profile = "paper",
    results: Results = None,
) -> None:
    """Compute what is missing with many workers; see the page on clusters.

    Every finished task is stored at once; the same command again computes what is left. Nothing is
    judged.
    """
    if workers and dask:
        raise ValueError("--workers and --dask name two executors; give one of them.")
    n_tasks, root, rows = import_module("ibcore.sweeps").of_file(
        what, profile=profile, only=only or (), settings=settings or (),
        executor=dask or workers, threads=threads, blocks_per_task=blocks, results=results,
    )  # fmt: skip
    echo_table(("experiment", "digest", "seeds"), rows)
    done = f"{n_tasks} tasks computed" if n_tasks else "all was there"
    typer.echo(f"{done}; results: {root}")


@app.command()
def info(
    result: Annotated[str, typer.Argument(help="An experiment, a digest or a file.")],
    results: Results = None,
) -> None:
    """Show where a stored result comes from."""
    _commands().info(result, results)


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
    _commands().compare(chapter, file, results)


@app.command()
def claims(
    claim_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="One claim.")] = None,
) -> None:
    """List the claims, or show one of them."""
    _commands().claims(claim_id)


@app.command()
def certify(
    chapter: Annotated[str | None, typer.Argument(help="Only this chapter.")] = None,
    results: Annotated[
        Path | None,
        typer.Option(callback=_folder, help="Folder of results; default: the published ones."),
    ] = None,
) -> None:
    """Check results made by older code, and certify those that come out the same.

    The first updates of a network, then whole networks, are computed again; what was compared, and
    how, is said of each. Exit code 1: one is stale.
    """
    _commands().certify(chapter, results)
