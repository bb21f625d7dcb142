"""Tasks with known information, against other sources; and the page that is made of them."""

import csv

import known_answers
import known_answers_page as page
import numpy as np
import pytest
from scipy.special import ndtr

import ibcore as ib
from ibcore.estimators.neighbours import label_information, mutual_information
from ibcore.reliability import verdicts
from ibcore.theory import known
from ibcore.theory.known import beyond_normal, channel_tasks, label_tasks

# Czyż et al. 2023, the row "True MI" of their figure of results, in nats.
PAPER = {
    "normal 1 × 1": 0.41, "uniform margins 1 × 1": 0.41, "uniform noise 0.1": 1.71,
    "uniform noise 0.75": 0.33, "bimodal 1 × 1": 0.41, "wiggly 1 × 1": 0.41,
    "half-cube 1 × 1": 0.41,
    "Student, 1 dof, 1 × 1": 0.22, "asinh of Student, 1 dof, 1 × 1": 0.22, "Swiss roll 2 × 1": 0.41,
    "normal, dense 2 × 2": 0.29, "normal, dense 3 × 3": 0.41, "normal, dense 5 × 5": 0.59,
    "normal, dense 25 × 25": 1.29, "normal, dense 50 × 50": 1.62, "normal, two pairs 3 × 3": 1.02,
    "normal, two pairs 25 × 25": 1.02, "spiral of normal, two pairs 5 × 5": 1.02,
}  # fmt: skip


def drawn(name, n, seed=0):
    task = {one.name: one for one in (*beyond_normal(), *label_tasks(), *channel_tasks())}[name]
    return *task.draw(n, np.random.default_rng(seed)), task.bits


# ------------------------------------------------------------------------------------------ tasks


def test_there_are_forty_and_their_truths_are_those_of_the_paper():
    tasks = {one.name: one.bits * np.log(2) for one in beyond_normal()}
    assert len(tasks) == 40
    assert {name: round(tasks[name], 2) for name in PAPER} == PAPER


def test_a_cauchy_pair_has_its_closed_form():
    """ln 8π - 3 nats, and nothing beyond a Gaussian pair for many degrees of freedom."""
    assert known.student_excess(1, 1, 1) * np.log(2) == pytest.approx(np.log(8 * np.pi) - 3)
    assert known.student_excess(1e6, 2, 3) == pytest.approx(0, abs=1e-4)


def test_maps_can_be_undone():
    x = np.random.default_rng(0).normal(size=(500, 3))
    for wiggly in (known.wiggly_x, known.wiggly_y):
        assert (np.diff(wiggly(np.linspace(-6, 6, 4001))) > 0).all()
    assert np.sign(known.half_cube(x)) * np.abs(known.half_cube(x)) ** (2 / 3) == pytest.approx(x)
    turned = known.spiral(x, 0, 1)
    assert (turned**2).sum(axis=1) == pytest.approx((x**2).sum(axis=1))
    assert known.spiral(turned, 0, 1, speed=-known.SPEED) == pytest.approx(x)
    u = ndtr(x[:, :1])
    humps = known.two_humps(u, 0.3, 0, 5)
    assert 0.3 * ndtr(humps) + 0.7 * ndtr(humps - 5) == pytest.approx(u, abs=1e-12)
    radius = np.linalg.norm(known.swiss_roll(u), axis=1, keepdims=True)
    assert (radius * 21 / (1.5 * np.pi) - 1) / 2 == pytest.approx(u)


@pytest.mark.parametrize(
    "name",
    ["normal 1 × 1", "bimodal 1 × 1", "uniform noise 0.75", "asinh of Student, 1 dof, 1 × 1",
     "Swiss roll 2 × 1", "normal, dense 2 × 2", "normal, two pairs 2 × 2"],
)  # fmt: skip
def test_neighbours_find_the_truth_where_they_can(name):
    """In few dimensions, from 3000 samples: within 0.1 bit."""
    x, y, bits = drawn(name, 3000)
    assert mutual_information(x, y) == pytest.approx(bits, abs=0.1)


@pytest.mark.parametrize("name", ["2 clouds, 1 unit", "4 clouds, 2 units", "2 clouds, rectified"])
def test_neighbours_find_the_truth_of_labels(name):
    t, y, bits = drawn(name, 4000)
    assert label_information(t, y) == pytest.approx(bits, abs=0.05)


@pytest.mark.parametrize("name", ["a bit, flipped 10 %", "number of ones, 4 units"])
def test_counts_find_the_truth_of_symbols(name):
    t, y, bits = drawn(name, 20_000)
    assert ib.Exact()(t, y).i_ty == pytest.approx(bits, abs=0.02)


@pytest.mark.parametrize("task", [*beyond_normal(), *label_tasks(), *channel_tasks()],
                         ids=lambda one: one.name)  # fmt: skip
def test_samples_have_their_shape_and_repeat(task):
    x, y = task.draw(50, np.random.default_rng(3))
    again = task.draw(50, np.random.default_rng(3))
    assert x.shape[0] == y.shape[0] == 50
    assert y.ndim == (1 if task.labels else 2)
    assert np.isfinite(x).all()
    assert (x == again[0]).all()
    assert (y == again[1]).all()


# ----------------------------------------------------------------------------------- stored rows


@pytest.fixture(scope="module")
def rows():
    return page.read()


def test_every_row_is_there_and_no_other():
    """One row for each task, estimator, size and draw; the truth is that of the task."""
    stored = {known_answers.key_of(row): row for row in known_answers.read()}
    wanted = dict(known_answers.wanted())
    assert set(stored) == set(wanted)
    assert all(
        float(stored[row]["truth"]) == pytest.approx(task.bits, abs=1e-4)
        for row, task in wanted.items()
    )


@pytest.mark.parametrize(
    ("task", "estimator"),
    [
        ("wiggly 1 × 1", "nearest neighbours"),
        ("normal, dense 2 × 2", "8 equal bins, Chao-Shen"),
        ("nothing, 2 units", "Binning(n_bins=30, low=-1.0, high=1.0)"),
        ("2 clouds, 1 unit", "KernelBound(noise_variance=0.01, bound='upper')"),
    ],
)
def test_a_row_comes_out_again(task, estimator):
    key = (task, estimator, 160, 0)
    every = known_answers.wanted()
    wanted = ((row, one) for row, one in every if (*row[1:4], row.draw) == key)
    row, one = next(wanted)
    (stored,) = (r for r in known_answers.read() if known_answers.key_of(r) == row)
    found = known_answers.measured(row, one)
    for name in ("value", "low", "high"):
        assert found[name] == pytest.approx(float(stored[name]), abs=2e-3)
    assert found["verdict"] == stored["verdict"]


def test_rows_are_not_computed_twice(tmp_path, monkeypatch, capsys):
    file = tmp_path / "rows.csv"
    some = [one for one in known_answers.wanted() if one[0].group == "labels"][:3]
    monkeypatch.setattr(known_answers, "wanted", lambda: iter(some))
    monkeypatch.setattr(known_answers, "measured", lambda row, task: row._asdict() | {"value": 1.5})
    monkeypatch.setattr("sys.argv", ["known_answers.py", "--file", str(file)])
    assert known_answers.main() == 0
    first = file.read_text()
    monkeypatch.setattr(known_answers, "measured", lambda row, task: pytest.fail("again"))
    assert known_answers.main() == 0
    assert file.read_text() == first
    assert len(list(csv.DictReader(first.splitlines()))) == 3


# ------------------------------------------------------------------------------------------- page


def test_what_is_nothing_is_never_read_as_something(rows):
    """Independent labels: every large error, of any ruler, carries a warning."""
    found = [row for row in page.asked(rows) if row.truth == 0 and row.large]
    assert found
    assert all(row.warned for row in found)


def test_ceilings_are_always_warned_of(rows):
    """What is within half a bit of log2 N is never called worth reading."""
    for row in page.asked(rows):
        if row.group != "labels" and row.value > np.log2(row.n) - 0.5:
            assert row.verdict == verdicts.AT_LOG_N


def test_warnings_go_with_large_errors(rows):
    """Of large errors far more carry a warning than of small ones; and silence covers more."""
    examined = page.asked(rows)
    large = [row for row in examined if row.large]
    small = [row for row in examined if not row.large]
    warned = page.share(large, lambda row: row.warned)
    assert warned > 0.7 > 0.5 > page.share(small, lambda row: row.warned)
    quiet = [row for row in examined if not row.warned]
    loud = [row for row in examined if row.warned]
    assert page.share(quiet, lambda row: row.covers) > page.share(loud, lambda row: row.covers)


def test_errors_of_bounds_are_on_their_wrong_side():
    def row(name, value, group="channel"):
        return page.Answer(group, "x", name, 100, 0, 2.0, value, value, value, verdicts.GOOD)

    upper, lower = "KernelBound(1.0, bound='upper')", "KernelBound(1.0, bound='lower')"
    assert (row(upper, 3.0).miss, row(upper, 1.0).miss) == (0.0, 1.0)
    assert (row(lower, 3.0).miss, row(lower, 1.0).miss) == (1.0, 0.0)
    assert row(upper, 3.0, "labels").miss == 1.0
    assert row("InfoNCE(1.0)", 1.0, "pairs").miss == 0.0
    assert row("EDGE", 2.15).large is False
    assert row("EDGE", 2.25).large is True
    assert row(upper, 3.0).covers
    assert not row(lower, 3.0).covers


def test_the_page_says_what_the_file_says(tmp_path, rows):
    """Another number in the file is another number on the page, and the same file the same page."""
    text = page.known_answers_page("", page.FILE)
    assert page.known_answers_page("", page.FILE) == text
    assert f"Of {len(page.asked(rows))} estimates that were examined" in text.replace("\n", " ")
    other = tmp_path / "known_answers.csv"
    whole = page.FILE.read_text(encoding="utf-8")
    other.write_text(whole.replace(f",{verdicts.GOOD}\n", f",{verdicts.RISES}\n"))
    assert "100 % of these come with a warning" in page.known_answers_page("", other).replace(
        "\n", " "
    )


def test_the_drawing_is_that_of_the_file(rows):
    assert page.figure(rows) == page.FIGURE.read_text(encoding="utf-8")
