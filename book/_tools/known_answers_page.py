"""The page of known answers, book/known_answers.md, and its figure: from the stored rows alone.

python book/_tools/known_answers_page.py draws the figure; ``pages.py`` writes the page.

Nothing is computed here but means and shares of book/_static/known_answers.csv, which
``known_answers.py`` makes. A large error is fixed beforehand: more than 0.1 bit and more than a
tenth of the truth.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from execute import BOOK
from matplotlib import pyplot as plt
from mdtext import plain, table

from ibcore.files import write_whole
from ibcore.plots import style
from ibcore.reliability import verdicts
from ibcore.theory.known import beyond_normal, channel_tasks, label_tasks

FILE = BOOK / "_static" / "known_answers.csv"
FIGURE = BOOK / "_static" / "known_answers.svg"
LARGE, SHARE = 0.1, 0.1  # bits, and share of the truth
NOT_INFORMATION = ("UsableInformation", "MatrixRenyi")
NEIGHBOURS = "nearest neighbours"
WIDE = 25  # dimensions
SHOWN = ("nearest neighbours", "8 equal-sample bins", "InfoNCE")
FOLD = ":::{dropdown} Mean error against the number of samples, of bounds on the wrong side only"
HEIGHT = 0.19  # inches for a task

TEXT = """\
(known-answers)=
# Known answers

Before a ruler is believed where the truth is not known, it should be tried where it is. Here are
{n_tasks} such places: the forty tasks of *Beyond normal* {{cite:p}}`czyz2023beyond`, Gaussian,
Student and uniform pairs of one to fifty dimensions and what invertible functions make of them;
layers with labels, discrete, Gaussian, mixed, and with nothing to find; and channels whose noise is
known. An invertible function of one side leaves information as it is, so that the truth is a closed
form however the samples look. All of them are in [`ibcore.theory.known`](api_worth.md); the
numbers behind this page are [one file](_static/known_answers.csv).

Two things are asked. How far is an estimate from the truth, and what becomes of the distance as
samples are added? And does {{py:func}}`ibcore.worth`, which does not know the truth, warn where the
distance is large, and only there? An error is *large*, by a rule that was fixed beforehand, if it
is more than {large} bit and more than {share} of the truth. A bound is held to its side: an
upper bound errs where it is below the truth, a lower one where it is above. (That bounds are held
to their side was decided when the first numbers were known: the slack of a bound is no error.)

## Warnings against errors

Of {examined} estimates that were examined, {large_n} have a large error. {caught} of these come
with a warning, and {silent} do not; of the {small_n} others, {false} carry a warning that they
did not need. Where no warning stands, the jackknife's interval of 95 % holds the truth in
{covers} of the cases; where one stands it would in {covers_warned}, which is why none is
shown there.

{warnings}

{worst}

A bias that does not move looks like no bias: bins that are too coarse for what there is are
wrong by as much with twice the samples, and nothing in the samples says so. In {wide} dimensions
and more nearest neighbours are {wide_error} bits from the truth on average, and {wide_silent} of
{wide_n} such estimates carry no warning: there the number of dimensions has to be the warning. And
what a ruler adds of its own, such as noise, is no error of sampling: the number is right, and of
another quantity.

## Forty tasks

```{{figure}} _static/known_answers.svg
:name: known-answers-figure
:alt: Estimate less truth for each of forty tasks, for {figure_names}.
:width: 100%

See on which side the marks leave the line, where an estimate is right: bins err upwards from two
dimensions a side on, soon beyond the axis, nearest neighbours and InfoNCE downwards where there are
many dimensions. Estimate less truth on the forty tasks of *Beyond normal*, {figure_n} samples,
first draw; hollow triangles lie beyond the axis.
```

Means over draws, in bits; a dash where an estimator does not apply. Nearest neighbours are those of
{{cite:t}}`kraskov2004estimating`, each variable standardised. Bins divide each variable into eight,
with plug-in entropies or with those of {{cite:t}}`chao2003nonparametric`.

{forty}

{by_size}

## Layers with labels

I(T;Y) of a layer, in bits, from {figure_n} samples. `Binning` has 30 bins on [-1, 1],
`AdaptiveBinning` 30, `UnitRangeBinning` 8, `QuantileBinning` 4. Kernel bounds see noise of variance
0.01 that the truth does not have, which costs little here. Probes (`UsableInformation`) and matrix
entropy (`MatrixRenyi`) measure no mutual information and are not wrong where they differ; they
stand here because they are read as if they did.

{labels}

## Channels of known noise

I(X;T) of T = X + Z, Z of variance 1. A bound from N samples cannot pass log2 N; a *lower* bound may
lie below the truth by any amount, and an *upper* bound from few samples is not above it.

{channels}
"""


class Answer(NamedTuple):
    """One row of the file, with numbers as numbers."""

    group: str
    task: str
    estimator: str
    n: int
    draw: int
    truth: float
    value: float
    low: float
    high: float
    verdict: str

    @property
    def error(self) -> float:
        return self.value - self.truth

    @property
    def side(self) -> int:
        """1 for an upper bound, -1 for a lower one, 0 for an estimate."""
        if "InfoNCE" in self.estimator or self.estimator.startswith("LabelBound"):
            return -1
        if self.group != "channel":  # of labels KernelBound is a difference of two bounds, no bound
            return 0
        return ("'upper'" in self.estimator) - ("'lower'" in self.estimator)

    @property
    def miss(self) -> float:
        """The error; of a bound only what lies on the wrong side of the truth."""
        return abs(self.error) if self.side == 0 else max(-self.side * self.error, 0.0)

    @property
    def large(self) -> bool:
        return self.miss > max(LARGE, SHARE * self.truth)

    @property
    def warned(self) -> bool:
        return self.verdict != verdicts.GOOD

    @property
    def covers(self) -> bool:
        above = self.side > 0 or self.low <= self.truth
        return above and (self.side < 0 or self.truth <= self.high)


def read(path: Path = FILE) -> list[Answer]:
    """All rows; what was not examined has no verdict and no interval."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        Answer(
            row["group"], row["task"], row["estimator"], int(row["n"]), int(row["draw"]),
            float(row["truth"]), float(row["value"]), float(row["low"] or "nan"),
            float(row["high"] or "nan"), row["verdict"],
        )
        for row in rows
    ]  # fmt: skip


def asked(rows: Iterable[Answer]) -> list[Answer]:
    """Rows of rulers that measure information and were examined."""
    return [row for row in rows if row.verdict and not row.estimator.startswith(NOT_INFORMATION)]


def called(name: str) -> str:
    """An estimator in few words, as a link to nothing.

    >>> called("KernelBound(noise_variance=0.01, bound='upper')"), called("EDGE")
    ('KernelBound, upper', 'EDGE')
    """
    bound = re.search(r"bound='(\w+)'", name)
    return plain(name.partition("(")[0] + (f", {bound[1]}" if bound else ""))


def wide_tasks() -> set[str]:
    """Names of the pairs of WIDE dimensions and more."""
    rng = np.random.default_rng(0)
    return {one.name for one in beyond_normal() if one.draw(2, rng)[0].shape[1] >= WIDE}


def share(rows: Sequence[Answer], what: Callable[[Answer], bool]) -> float:
    return float(np.mean([what(row) for row in rows])) if rows else float("nan")


def percent(share: float) -> str:
    """A share in per cent, as the book writes it: 88 %."""
    return f"{100 * share:.0f} %"


def counted(rows: Sequence[Answer]) -> tuple[str, ...]:
    """Cells of the table of warnings: how many are large and warned, large and silent, ..."""
    cells = [
        sum(row.large is large and row.warned is warned for row in rows)
        for large, warned in ((True, True), (True, False), (False, True), (False, False))
    ]
    quiet = [row for row in rows if not row.warned]
    covers = percent(share(quiet, lambda row: row.covers)) if quiet else "–"
    return (*map(str, cells), covers)


def warnings_table(rows: Sequence[Answer]) -> str:
    head = ("Estimator", "large, warned", "large, silent", "small, warned", "small, silent",
            "interval holds")  # fmt: skip
    names = dict.fromkeys((row.group, row.estimator) for row in rows)
    where = {"pairs": "forty tasks", "labels": "labels", "channel": "channels"}
    lines = [
        (f"{called(name)} ({where[group]})",
         *counted([row for row in rows if (row.group, row.estimator) == (group, name)]))
        for group, name in names
    ]  # fmt: skip
    sizes = [
        (f"**all, {n} samples**", *counted([row for row in rows if row.n == n]))
        for n in sorted({row.n for row in rows})
    ]
    return table(head, [*lines, *sizes])


def worst(rows: Sequence[Answer]) -> str:
    """The two estimators with most silent errors."""
    silent = [row.estimator for row in rows if row.large and not row.warned]
    names = sorted(set(silent), key=lambda name: (-silent.count(name), name))[:2]
    said = " and ".join(f"{called(name)} ({silent.count(name)})" for name in names)
    return f"Most of the silent ones come from {said}." if names else ""


def mean(rows: Iterable[Answer]) -> str:
    values = [row.value for row in rows]
    return f"{np.mean(values):.2f}" if values else "–"


def by_task(rows: Sequence[Answer], n: int, order: Sequence[str]) -> str:
    """Tasks against estimators, means over draws."""
    here = [row for row in rows if row.n == n]
    names = list(dict.fromkeys(row.estimator for row in here))
    truth = {row.task: row.truth for row in rows}
    lines = [
        (
            plain(task),
            f"{truth[task]:.2f}",
            *(mean(r for r in here if (r.task, r.estimator) == (task, name)) for name in names),
        )
        for task in order
        if task in truth
    ]
    return table(("Task", "Truth", *map(called, names)), lines)


def by_size(rows: Sequence[Answer], families: dict[str, str]) -> str:
    """Mean miss of each estimator against N, by family."""
    sizes = sorted({row.n for row in rows})
    names = list(dict.fromkeys(row.estimator for row in rows))
    lines = []
    for family in dict.fromkeys(families.values()):
        for name in names:
            those = [r for r in rows if families[r.task] == family and r.estimator == name]
            if those:
                errors = [[r.miss for r in those if r.n == n] for n in sizes]
                cells = [f"{np.mean(one):.2f}" if one else "–" for one in errors]
                lines.append((family, called(name), *cells))
    return table(("Family", "Estimator", *(f"N = {n}" for n in sizes)), lines)


def figure(rows: Sequence[Answer]) -> str:
    """The drawing: error of each shown estimator on each task."""
    from multiverse_figures import svg

    mpl.use("agg")
    style.use_style()
    largest = max(row.n for row in rows)
    tasks = [one.name for one in beyond_normal()]
    drawn, axes = plt.subplots(figsize=(7.2, 1.0 + HEIGHT * len(tasks)))
    limit = 1.6
    for k, name in enumerate(SHOWN):
        those = (r for r in rows if (r.group, r.estimator, r.draw) == ("pairs", name, 0))
        of = {row.task: row.error for row in those if row.n == largest}
        y = np.array([tasks.index(task) for task in of])
        x = np.array(list(of.values()))
        inside, colour = np.abs(x) <= limit, style.COLOURS[(0, 1, 4)[k]]
        axes.plot(x[inside], y[inside], style.MARKERS[k], color=colour, ls="", label=name)
        for marker, side in ((">", 1), ("<", -1)):
            beyond = side * x > limit
            axes.plot(
                np.full(beyond.sum(), side * limit), y[beyond], marker, color=colour,
                ls="", mfc="none",
            )  # fmt: skip
    axes.axvline(0, color=style.GREY, lw=1)
    axes.set(yticks=range(len(tasks)), yticklabels=tasks, xlim=(-limit * 1.05, limit * 1.05),
             xlabel="estimate less truth [bits]")  # fmt: skip
    axes.invert_yaxis()
    drawn.legend(loc="outside upper center", ncols=len(SHOWN))
    return svg(drawn)


def filled(rows: Sequence[Answer]) -> dict[str, Any]:
    """Every number of the text."""
    examined = asked(rows)
    large = [row for row in examined if row.large]
    small = [row for row in examined if not row.large]
    quiet = [row for row in examined if not row.warned]
    far = [row for row in examined if row.estimator == NEIGHBOURS and row.task in wide_tasks()]
    return {
        "wide": WIDE, "wide_n": len(far), "wide_silent": sum(not row.warned for row in far),
        "wide_error": f"{np.mean([abs(row.error) for row in far]):.2f}" if far else "–",
        "examined": len(examined), "large_n": len(large), "small_n": len(small),
        "caught": percent(share(large, lambda row: row.warned)),
        "silent": sum(not row.warned for row in large),
        "false": percent(share(small, lambda row: row.warned)),
        "covers": percent(share(quiet, lambda row: row.covers)),
        "covers_warned": percent(share([r for r in examined if r.warned], lambda row: row.covers)),
        "warnings": warnings_table(examined), "worst": worst(examined),
        "large": LARGE, "share": percent(SHARE),
    }  # fmt: skip


def known_answers_page(mark: str, path: Path = FILE) -> str:
    """book/known_answers.md."""
    rows = read(path)
    every = {"pairs": beyond_normal(), "labels": label_tasks(), "channel": channel_tasks()}
    families = {one.name: one.family for those in every.values() for one in those}
    parts = {
        group: (
            [row for row in rows if row.group == group],
            [one.name for one in those],
        )
        for group, those in every.items()
    }
    largest = max(row.n for row in rows)
    pairs, order = parts["pairs"]
    folded = by_size([row for row in rows if not row.estimator.startswith(NOT_INFORMATION)],
                     families)  # fmt: skip
    text = TEXT.format(
        n_tasks=sum(map(len, every.values())),
        figure_names=", ".join(SHOWN), figure_n=largest,
        forty=by_task(pairs, largest, order),
        by_size=f"{FOLD}\n{folded}\n:::",
        labels=by_task(*parts["labels"][:1], largest, parts["labels"][1]),
        channels=by_task(parts["channel"][0], largest, parts["channel"][1]),
        **filled(rows),
    )  # fmt: skip
    return f"{mark}\n\n{text}"


def main() -> None:
    write_whole(FIGURE, figure(read()).encode())


if __name__ == "__main__":
    main()
