"""The page "Get it": archives, installation, what needs what, how long things take."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

import yaml
from mdtext import table
from status_page import Stored, stored

from ibcore.claims.origin import duration

NAME = "information-bottleneck-book"

TEXT = """\
(get-it)=
# Get it

Everything on this site can be taken home, opened without a network, and run again: the text, the
code, the stored results and the tests that hold them together.

## The files

```{{archives}}
```

The first is all one needs to read, to build the pages and to use the library. The second has what
the chapters are drawn from; unpacked over the first it saves {hours} hours of computing. Both
unpack into one folder. Whoever wants to check a download compares its SHA-256.

Every verdict with its numbers is also a table and a file of records: [the ledger](ledger.md) has
the links, and {{download}}`codecheck.yml <../codecheck.yml>` lists what a run of the book has to
give.

## Build the book

Python {python} or later and `make` are needed, nothing else. `make` sets up an environment in the
folder, with the exact versions behind the published numbers.

```sh
tar xzf {folder}.tar.gz
tar xzf {folder}-results.tar.gz
cd {folder}
make book
```

The site is then in `_build/html` and works from disk. Without the second archive take `make site`:
it builds the pages from the executed chapters as they are.

On Linux the locked PyTorch is the CUDA build, gigabytes large. With pip's option that names a
further package index, in `make book PIP_FLAGS=...`, it can be the build for processors.

## Run a chapter with other settings

```sh
source .venv/bin/activate
papermill --help-notebook book/{chapter}.ipynb
papermill book/{chapter}.ipynb out.ipynb --cwd book -p profile smoke
papermill book/{chapter}.ipynb out.ipynb --cwd book -p claim SZT-F3 -p ruler "Binning(100)"
python -m ibcore claims SZT-F3
python -m ibcore run shwartz_ziv --claim SZT-F3 --set ruler="Binning(100)"
```

`--help-notebook` lists what can be changed. `profile smoke` shows in seconds that all of it runs,
and gives no verdicts. With `claim` only that claim and its figures are made, and with `ruler` they
are made under another ruler, any of [those that there are](rulers.md); open `out.ipynb` to see
them. The last line judges the claim without a notebook and shows the published verdict beside it.

One figure needs the lines that stand below it, in "Code of this figure", after those of "Setup and
parameters" at the head of its chapter: copy both into a notebook in the folder `book` and change
the ruler in `ib.Study`.

```python
import ibcore as ib

study = ib.Study("shwartz_ziv", ruler="Binning(100)")
axes = ib.plots.overview(study.plane("released"))
```

What is stored under this ruler is read; otherwise the networks are trained again, half a minute for
fifty small ones, and kept.

## Use the library alone

```sh
tar xzf {folder}.tar.gz
python -m pip install './{folder}[all]'
```

installs `ibcore` and the packages that it needs. With it any PyTorch network can be measured,
experiments of one's own run, on [one machine or many](howto_cluster.md), and with
[pieces of one's own](howto_own.md); [the reference](api.md) has all of it. Without `[all]` come
only the packages that training and measuring need; each extra of the table below brings what its
name says, and where one is missing the error names it. What asks for a chapter, as
`ib.Study("saxe")` does, needs the folder `book` of the archive as well: `IBCORE_BOOK` names it.

## How long things take

{times}

Results were computed on the machines that [the status page](status.md) lists, where every run has
its own time. A run that is stopped goes on where it was.

## What needs what

Lower bounds are those of the package, the tested version is the one in `requirements.lock`.

{needs}

## Where things are

| Folder | What is in it |
| --- | --- |
| `book/` | chapters as text and as executed notebooks, pages, figures |
| `book/results/` | the ledger and the tests behind it; with the second archive planes and weights |
| `book/papers/` | one folder for each paper: what is run, what is claimed, how it is judged |
| `ibcore/` | the library |
| `tests/`, `benchmarks/` | what is checked, and how fast it is |

The licence is {licence}, in the file `LICENSE`. [How to cite](cite.md) has BibTeX for the book and
for each chapter."""

ROWS = (
    ("Build the pages from the executed chapters", "`make site`", "some minutes"),
    ("Execute all chapters from stored results, then build", "`make book`", "some minutes more"),
    ("See that a chapter runs", "`-p profile smoke`", "seconds to a minute"),
    ("Ask one claim under other settings", "`--claim`", "seconds to minutes; hours for wide scans"),
)


def get_it_page(root: Path, chapter: str, mark: str) -> str:
    """book/get_it.md.

    Parameters
    ----------
    root : Path
    chapter : str
        Page of the chapter that stands in commands, "01_shwartz_ziv".
    mark : str
    """
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    said = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    held = stored(root / "book" / "results")
    text = TEXT.format(
        hours=hours(held.values()),
        python=project["requires-python"].removeprefix(">="),
        folder=f"{NAME}-{said['version']}",
        chapter=chapter,
        times=table(("To", "Command", "Takes"), [*ROWS, *_times(held)]),
        needs=needs(root, project),
        licence=said["license"],
    )
    return f"{mark}\n\n{text}\n"


def hours(held: Iterable[Stored]) -> str:
    return f"{sum(one.run.seconds for one in held) / 3600:.0f}"


def _times(held: Mapping[str, Stored]) -> list[tuple[str, str, str]]:
    """What training takes, from what it took."""
    spent = sorted(one.run.seconds for one in held.values())
    if not spent:
        return []
    middle, longest = spent[len(spent) // 2], spent[-1]
    total = f"{hours(held.values())} hours of computing"
    return [
        ("Train one experiment again", "`--only NAME --recompute`", (
            f"{duration(middle)} the median one, {duration(longest)} the longest"
        )),
        ("Train everything again", "`make results RESULTS=mine`", total),
    ]  # fmt: skip


def needs(root: Path, project: Mapping[str, object]) -> str:
    """Every direct dependency: for what, from which version, tested with which, and why."""
    reasons = dict(
        re.findall(
            r"^\| ([\w.-]+) \| (.+?) \|$",
            (root / "CONTRIBUTING.md").read_text(encoding="utf-8"),
            flags=re.MULTILINE,
        )
    )
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w.-]+)==(\S+)", lock, flags=re.MULTILINE)
    pins = {name.lower(): version for name, version in pinned}
    said = {"book": "the book", "test": "the tests"}
    uses: dict[str, list[str]] = {one: ["the library"] for one in project["dependencies"]}
    for group, listed in project["optional-dependencies"].items():
        for one in listed if group != "all" else ():
            uses.setdefault(one, []).append(said.get(group, f"`[{group}]`"))
    rows = []
    for one, groups in uses.items():
        name, bound = re.match(r"([\w.-]+)(?:\[.*\])?(.*)", one).groups()
        version = pins.get(name, "–")
        rows.append((name, ", ".join(groups), bound, version, reasons.get(name, "")))
    return table(("Package", "For", "Versions", "Tested", "Why"), rows)
