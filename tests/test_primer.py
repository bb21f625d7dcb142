"""The primer: what it states is computed, every symbol is in its table, every exercise solved."""

import ast
import re
from collections import Counter
from math import log2
from pathlib import Path

import nbformat
import numpy as np
import pytest

import ibcore as ib

BOOK = Path(__file__).parents[1] / "book"
TEXT = (BOOK / "00_primer.md").read_text(encoding="utf-8")
PROSE = re.sub(r"```\{code-cell\}.*?```", "", TEXT, flags=re.DOTALL)
CHAPTERS = sorted(BOOK.glob("0[1-9]_*.md"))
SYMBOLS = PROSE.split("(sec-symbols)=")[1].split("(sec-exercises)=")[0]
EXERCISES = re.split(r"\n(?=\(ex-[a-z]+\)=\n)", PROSE.split("(sec-exercises)=")[1])[1:]
PARAMETERS = re.search(r":tags: \[parameters\]\n(.*?)```", TEXT, re.DOTALL)[1]


def glued():
    """Numbers that the notebook gives to its prose: name -> value."""
    found = {}
    for cell in nbformat.read(BOOK / "00_primer.ipynb", as_version=4).cells:
        for output in cell.get("outputs", []):
            name = output.get("metadata", {}).get("scrapbook", {}).get("name")
            if name:
                found[name] = ast.literal_eval(
                    output["data"]["application/papermill.record/text/plain"]
                )
    return found


NUMBERS = glued()


def entropy(values):
    """From counts, in plain Python."""
    counts = Counter(values)
    return -sum(n / len(values) * log2(n / len(values)) for n in counts.values())


def test_every_number_in_the_prose_is_given_by_a_cell():
    used = set(re.findall(r"\{glue:text\}`(\w+)", PROSE))
    assert used
    assert used - set(NUMBERS) == set()


def test_the_questions_tell_what_they_are_said_to():
    """H(T), and H(T) + H(Y) - H(T,Y) of the label, counted here in another way."""
    task = ib.load_task("szt")
    y, ones = task.y.tolist(), task.x.sum(axis=1).astype(int).tolist()
    answers = {"first": task.x[:, 0].tolist(), "six": [n > 6 for n in ones], "count": ones,
               "label": y}  # fmt: skip
    for name, t in answers.items():
        pairs = list(zip(t, y, strict=True))
        assert NUMBERS[f"x_{name}"] == pytest.approx(entropy(t), abs=1e-9)
        told = entropy(t) + entropy(y) - entropy(pairs)
        assert NUMBERS[f"y_{name}"] == pytest.approx(told, abs=1e-9)
    assert NUMBERS["x_all"] == 12
    assert NUMBERS["y_all"] == NUMBERS["y_signature"] == pytest.approx(NUMBERS["h_y"], abs=1e-9)


def test_what_the_prose_says_of_them_holds():
    """Sentences that stand around the numbers."""
    assert NUMBERS["y_first"] < 0.05 < NUMBERS["y_six"] < NUMBERS["y_label"]
    assert 0.999 < NUMBERS["h_y"] < 1
    assert NUMBERS["two_y"] == pytest.approx(2 * NUMBERS["y_first"], rel=0.1)
    assert NUMBERS["liar"] == pytest.approx(1 - NUMBERS["lies"])
    assert NUMBERS["beta_least"] == pytest.approx(1 / (1 - 2 * 0.1) ** 2)
    assert NUMBERS["noisy_most"] == pytest.approx(1 - entropy([0] * 9 + [1]))
    assert NUMBERS["narrow"] < NUMBERS["wide"]
    assert 0.1 < NUMBERS["bias"] < 0.15
    grids = [NUMBERS[f"marks_{n}"] for n in (2, 30, 300, 30_000)]
    assert grids == sorted(grids)
    assert grids[0] == pytest.approx(1)
    assert grids[-1] < 12


def test_the_network_that_is_followed_does_what_the_prose_says():
    """Layer 5 climbs, gains, and loses more than it gained; it ends near the label."""
    assert NUMBERS["y_start"] < 0.5 < 0.9 < NUMBERS["y_end"]
    assert NUMBERS["one_F"] > 0.1
    assert NUMBERS["one_C"] > 1
    assert NUMBERS["one_D"] < -1
    assert NUMBERS["x_end"] < 2.5
    assert NUMBERS["one_C"] == pytest.approx(
        NUMBERS["x_start"] + NUMBERS["one_F"] - NUMBERS["x_end"], abs=1e-3
    )
    assert NUMBERS["fall_low"] < NUMBERS["fall_median"] < NUMBERS["fall_high"]
    assert NUMBERS["fall_least"] <= NUMBERS["one_C"] <= NUMBERS["fall_most"]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_symbol_of_the_chapters_is_in_the_table(chapter):
    """What stands alone between dollar signs: a letter, with or without marks and indices."""
    text = re.sub(r"```.*?```", "", chapter.read_text(encoding="utf-8"), flags=re.DOTALL)
    alone = re.findall(r"\$(?:\\(?:hat|bar|lVert) )?(\\?[A-Za-z]+)(?:_\w|_\\\w+|\^\d)?\$", text)
    listed = set(re.findall(r"\\?[A-Za-z]+", " ".join(re.findall(r"\$[^$]+\$", SYMBOLS))))
    assert set(alone) - listed - {r"\tanh", r"\log"} == set()


def test_one_letter_means_one_thing():
    """T is a layer and E the last epoch, nowhere IX[T]."""
    assert not re.search(r"I[XY]\[|\bt/T\b|tpk / T", TEXT)
    assert "$T$ is always a layer, and the last epoch is $E$" in SYMBOLS
    assert len(re.findall(r"^\| \$[^|]*\bE\b", SYMBOLS, re.M)) == 1


def test_there_are_exercises_and_each_has_its_solution():
    assert len(EXERCISES) >= 6
    assert all(one.count(":::{dropdown} Solution") == 1 for one in EXERCISES)
    numbers = [re.search(r"\*\*(\d+)\. ", one)[1] for one in EXERCISES]
    assert numbers == [str(k) for k in range(1, len(EXERCISES) + 1)]
    assert sum("```" in one for one in EXERCISES) >= 3


def test_the_code_of_the_exercises_gives_what_the_solutions_say():
    names = {}
    results = []
    for source in re.findall(r"```python\n(.*?)```", "".join(EXERCISES), re.DOTALL):
        *body, last = ast.parse(source).body
        exec(compile(ast.Module(body, []), "exercise", "exec"), names)
        results.append(eval(compile(ast.Expression(last.value), "exercise", "eval"), names))
    marks, chain, bias = results
    assert marks == pytest.approx([NUMBERS[f"marks_{n}"] for n in (2, 30, 300, 30_000)], abs=1e-3)
    assert chain == pytest.approx([NUMBERS["narrow"], NUMBERS["wide"]], abs=0.01)
    assert bias == pytest.approx(NUMBERS["bias"])


def test_the_exercises_change_parameters_that_there_are():
    asked = re.findall(r"-p (\w+) ", "".join(EXERCISES))
    assert {"ruler", "activation", "n_seeds"} <= set(asked)
    assert all(f"\n{name}: " in f"\n{PARAMETERS}" for name in asked)


def path_of(activation, ruler):
    """C and the first and last I(X;T) of five networks of the setting, medians by layer."""
    base = ib.Study("shwartz_ziv").experiments["released"]
    plane = ib.run(base.replace(n_seeds=5, activation=activation), [ruler], progress=False)
    ix = plane.i_xt.isel(estimator=0).median("seed")
    return (ix.max("epoch") - ix[-1]).values, ix


@pytest.mark.long
def test_exercises_with_other_parameters_come_out_as_said():
    """100 bins: layer 5 higher and C larger, layer 3 C smaller. ReLU: hidden layers only gain."""
    thirty, curve = path_of("tanh", ib.Binning(n_bins=30, low=-1, high=1))
    hundred, finer = path_of("tanh", ib.Binning(n_bins=100, low=-1, high=1))
    assert hundred[4] > thirty[4] + 1
    assert hundred[2] < thirty[2]
    assert (finer.sel(layer=5) >= curve.sel(layer=5) - 0.05).all()
    relu, _ = path_of("relu", ib.Binning(n_bins=30, low=-1, high=1))
    assert np.all(relu[:5] < 0.5)
