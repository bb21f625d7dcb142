"""How-to pages: what they show runs, and what they tell the reader to type exists."""

import re
from pathlib import Path

import execute
import nbformat
import pytest
import rules
from typer.main import get_command

from ibcore import cli
from ibcore.experiments import experiments, read_chapter

ROOT = Path(__file__).parents[1]
BOOK = ROOT / "book"
CLUSTER = (BOOK / "howto_cluster.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", CLUSTER, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", execute.howtos(BOOK), ids=lambda path: path.stem)
def test_a_notebook_runs_and_is_clean(page):
    """Each time anew: what it makes is in folders of its own."""
    found = nbformat.reads(execute.execute(page), as_version=4)
    every = [c for c in found.cells if c.cell_type == "code" and c.source.strip()]
    assert [c.execution_count for c in every] == list(range(1, len(every) + 1))
    outputs = "".join(str(c.outputs) for c in every)
    assert not rules.MACHINE_PATH.search(outputs)


@pytest.mark.filterwarnings("default")
def test_the_local_examples_of_the_cluster_page_run(tmp_path, monkeypatch):
    """In processes, then on Dask, at small size: the second finds all that the first computed."""
    pytest.importorskip("distributed")
    monkeypatch.chdir(tmp_path)
    local, dask = (one for one in blocks("python") if 'results="results"' in one)
    small = local.replace("n_epochs=2000, n_seeds=50", "n_epochs=2, n_seeds=3, hidden_widths=(3,)")
    small = small.replace("n_epochs=2,", "n_epochs=2, n_measured_epochs=2,")
    assert small.count("n_seeds=3") == 1
    names = {}
    exec(small, names)
    assert names["planes"]["relu"].sizes["seed"] == 3
    before = sorted(tmp_path.rglob("*.n[cp]*"))
    exec(dask, names)
    assert list(names["planes"]) == ["tanh", "relu", "softsign"]
    assert names["planes"]["softsign"].estimator.values.tolist() == [
        "Binning(n_bins=30, low=-1.0, high=1.0)"
    ]
    assert sorted(tmp_path.rglob("*.n[cp]*")) == before


def test_the_file_of_the_cluster_page_is_one(tmp_path):
    (file,) = blocks("toml")
    (tmp_path / "study.toml").write_text(file)
    found = experiments(read_chapter(str(tmp_path / "study.toml"), "paper"))
    assert len(found) == 6
    assert found["relu-20_20"].hidden_widths == (20, 20)


def test_commands_exist_with_their_options():
    known = get_command(cli.app).commands
    lines = [line for block in blocks("sh") for line in block.splitlines()]
    lines += re.findall(r"`(python -m ibcore [^`]+)`", CLUSTER)
    asked = [re.match(r"python -m ibcore (\w+)(.*)", line) for line in lines]
    asked = [one for one in asked if one]
    assert {one[1] for one in asked} == {"sweep", "run", "compare"}
    for one in asked:
        options = {name for param in known[one[1]].params for name in param.opts}
        assert set(re.findall(r"--[\w-]+", one[2])) <= options
