"""Estimators where the answer is known: book/_static/known_answers.csv.

python book/_tools/known_answers.py

Each estimator on each task of ``ibcore.theory.known``, for several sample sizes and draws, with
what ``ib.worth`` says of it. Some minutes on one core; rows that the file has already are not
computed again, so that it can be stopped at any time. ``--again NAME`` drops an estimator's rows
first. The page (``known_answers_page.py``) is made from the file alone.
"""

from __future__ import annotations

import argparse
import csv
import sys
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from execute import BOOK

import ibcore as ib
from ibcore.estimators.counting import CountingRuler, information_of_symbols, packed
from ibcore.estimators.neighbours import label_information, mutual_information
from ibcore.reliability import corrected_information, worth, worth_of_pairs
from ibcore.theory.known import Known, beyond_normal, channel_tasks, label_tasks

FILE = BOOK / "_static" / "known_answers.csv"
HEAD = ("group", "task", "estimator", "n", "draw", "truth", "value", "corrected", "low", "high",
        "verdict")  # fmt: skip
DRAWS = {160: 3, 640: 2, 2560: 1}  # samples: how often; of the forty tasks once less
MOST_EXAMINED = 640  # samples; larger ones are measured only
MOST_OF_WIDE = 160  # for tasks of WIDE features and more
N_PERMUTATIONS, N_GROUPS = 19, 10
WIDE = 25  # features
UNEXAMINED = ("EDGE",)  # slow: its number alone
LEAST_TRAINED = 2560  # samples for an estimator that learns
N_BINS = 8  # on each axis of a pair


class Row(NamedTuple):
    group: str
    task: str
    estimator: str
    n: int
    draw: int


def standardised(values: np.ndarray) -> np.ndarray:
    return (values - values.mean(axis=0)) / values.std(axis=0)


def neighbours(x: np.ndarray, t: np.ndarray) -> float:
    return mutual_information(standardised(x), standardised(t))


def scikit_learn(x: np.ndarray, t: np.ndarray) -> float:
    from sklearn.feature_selection import mutual_info_regression

    return float(mutual_info_regression(x, t[:, 0], random_state=0)[0] / np.log(2))


def symbols(ruler: CountingRuler, values: np.ndarray) -> tuple[np.ndarray, int]:
    return packed(ruler.codes(values).astype(np.int64))


def binned(ruler: CountingRuler, correction: str = "") -> Callable[..., float]:
    def estimate(x: np.ndarray, t: np.ndarray) -> float:
        (a, n_a), (b, _) = symbols(ruler, x), symbols(ruler, t)
        if correction:
            return corrected_information(a, np.unique(b, return_inverse=True)[1], correction)[1]
        return information_of_symbols(a, n_a, np.unique(b, return_inverse=True)[1]).i_ty

    return estimate


def edge(x: np.ndarray, t: np.ndarray) -> float:
    return ib.EDGE("4.4.1").information(x, t, np.zeros(len(x), int)).i_xt


def contrast(x: np.ndarray, t: np.ndarray) -> float:
    return ib.InfoNCE(n_steps=300).of_pair(x, t)


PAIRS: dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "nearest neighbours": neighbours,
    "scikit-learn": scikit_learn,
    f"{N_BINS} equal bins": binned(ib.UnitRangeBinning(N_BINS)),
    f"{N_BINS} equal bins, Chao-Shen": binned(ib.UnitRangeBinning(N_BINS), "chao_shen"),
    f"{N_BINS} equal-sample bins": binned(ib.QuantileBinning(N_BINS)),
    "EDGE": edge,
    "InfoNCE": contrast,
}
LABELS: dict[str, ib.Ruler] = {
    repr(one): one
    for one in (
        ib.Binning(30, -1.0, 1.0), ib.AdaptiveBinning(30), ib.QuantileBinning(4),
        ib.UnitRangeBinning(8), ib.Exact(), ib.KernelBound(0.01), ib.KernelBound(0.01, "lower"),
        ib.LabelBound(0.01, "lower"), ib.UsableInformation(), ib.MatrixRenyi(),
    )
}  # fmt: skip
CHANNEL: dict[str, ib.Ruler] = {
    repr(one): one
    for one in (
        ib.KernelBound(1.0),
        ib.KernelBound(1.0, "lower"),
        ib.InfoNCE(noise_variance=1.0, n_steps=300),
    )
}


def tasks() -> dict[str, list[Known]]:
    return {"pairs": beyond_normal(), "labels": label_tasks(), "channel": channel_tasks()}


def estimators(group: str, task: Known) -> Iterator[str]:
    """What is laid on a task of a group."""
    if group == "labels":
        yield from (*LABELS, "nearest neighbours")
    elif group == "channel":
        yield from (*CHANNEL, "nearest neighbours")
    else:
        one_by_one = task.name.endswith("1 × 1") or task.name.startswith("uniform noise")
        yield from (name for name in PAIRS if one_by_one or name != "scikit-learn")


def wanted() -> Iterator[tuple[Row, Known]]:
    for group, those in tasks().items():
        for task in those:
            for name in estimators(group, task):
                for n, draws in DRAWS.items():
                    trained = name.startswith("InfoNCE")
                    if not (trained and n < LEAST_TRAINED):
                        once = trained or name in UNEXAMINED
                        fewer = 1 if once else max(1, draws - (group == "pairs"))
                        for draw in range(fewer):
                            yield Row(group, task.name, name, n, draw), task


def measured(row: Row, task: Known) -> dict[str, Any]:
    """One row of the file."""
    key = f"{row.task} {row.n} {row.draw}"  # the same sample for every estimator
    x, y = task.draw(row.n, np.random.default_rng(zlib.crc32(key.encode())))
    value, examined = _number(row, x, y)
    found = row._asdict() | {"truth": task.bits, "value": value, "verdict": ""}
    most = MOST_OF_WIDE if x.shape[1] >= WIDE else MOST_EXAMINED
    if row.n <= most and row.estimator not in UNEXAMINED:
        one = examined()
        found |= dict(zip(("corrected", "low", "high"), one.jackknife, strict=True))
        found |= {"verdict": one.verdict}
    return found


def _number(row: Row, x: np.ndarray, y: np.ndarray) -> tuple[float, Callable[[], Any]]:
    """The number, and how it is examined."""
    settings = {"n_permutations": N_PERMUTATIONS, "n_groups": N_GROUPS}
    if row.group == "labels" and row.estimator in LABELS:
        ruler = LABELS[row.estimator]
        return ruler(x, y).i_ty, lambda: worth(ruler, x, y, **settings)["I(T;Y)"]
    if row.group == "channel" and row.estimator in CHANNEL:
        ruler, nothing = CHANNEL[row.estimator], np.arange(len(x)) % 2
        return ruler(x, nothing).i_xt, lambda: worth(ruler, x, nothing, **settings)["I(X;T)"]
    estimate = _labelled if row.group == "labels" else PAIRS[row.estimator]
    t = y[:, None].astype(float) if y.ndim == 1 else y
    return estimate(x, t), lambda: worth_of_pairs(estimate, x, t, **settings)["I(X;T)"]


def _labelled(t: np.ndarray, y: np.ndarray) -> float:
    """Nearest neighbours of one class; k as large as the smallest class allows."""
    names, label, counts = np.unique(y[:, 0], return_inverse=True, return_counts=True)
    del names
    k = int(min(3, counts.min() - 1))
    return mutual_information(t, label[:, None]) if k < 1 else label_information(t, label, k)


def read(path: Path = FILE) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def key_of(row: dict[str, str]) -> Row:
    return Row(row["group"], row["task"], row["estimator"], int(row["n"]), int(row["draw"]))


def write(rows: list[dict[str, Any]], path: Path = FILE) -> None:
    """All rows in the order of ``wanted``; numbers with four digits after the point."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.DictWriter(file, HEAD, restval="", lineterminator="\n")
        out.writeheader()
        for row in rows:
            out.writerow(
                {key: f"{one:.4f}" if isinstance(one, float) else one for key, one in row.items()}
            )


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--again", help="an estimator whose rows are computed anew")
    parser.add_argument("--only", help="a group: pairs, labels or channel")
    parser.add_argument("--file", type=Path, default=FILE)
    asked = parser.parse_args()
    have = {key_of(row): row for row in read(asked.file) if row["estimator"] != asked.again}
    every = list(wanted())
    missing = [(row, task) for row, task in every if row not in have]
    missing = [(row, task) for row, task in missing if asked.only in (None, row.group)]
    missing.sort(key=lambda one: (one[0].draw, one[0].n))  # a first draw of everything, soon
    try:
        for done, (row, task) in enumerate(missing, start=1):
            have[row] = measured(row, task)
            if done % 50 == 0:
                write([have[one] for one, _ in every if one in have], asked.file)
                print(f"{done} of {len(missing)}", flush=True)
    finally:
        write([have[one] for one, _ in every if one in have], asked.file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
