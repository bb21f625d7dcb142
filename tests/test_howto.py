"""The how-to pages: eight networks in at most ten lines each, and a loader beyond the memory."""

import math
import os
import resource
import subprocess
import sys
from pathlib import Path

import execute
import nbformat
import pytest
import rules

BOOK = Path(__file__).parents[1] / "book"
PAGE = BOOK / "howto_networks.md"
MOST_LINES, LONGEST_LINE = 10, 100
EIGHT = ["mlp", "lenet", "resnet", "transformer", "lstm", "pretrained", "regression", "loader"]
# Networks are a reader's own here, and no claim is judged.
OTHERS = (rules.nothing_is_defined, rules.verdicts_are_compared)
MARGIN = 300 * 2**20  # bytes above what Python, torch and the compiled code have


def page():
    return execute.read_chapter(PAGE.read_text(encoding="utf-8"))


def networks():
    return [cell.source for cell in rules.code_cells(page()) if "network" in rules.tags(cell)]


def test_there_are_eight_networks_under_their_names():
    text = PAGE.read_text(encoding="utf-8")
    places = [text.find(f"(howto-{name})=\n") for name in EIGHT]
    assert -1 not in places
    assert places == sorted(places)
    parts = [text[a:b] for a, b in zip(places, [*places[1:], len(text)], strict=True)]
    assert [part.count(":tags: [network]") for part in parts] == [1] * 8


@pytest.mark.parametrize("k", range(8), ids=EIGHT)
def test_each_network_takes_at_most_ten_lines(k):
    lines = networks()[k].splitlines()
    assert len(lines) <= MOST_LINES
    assert max(map(len, lines)) <= LONGEST_LINE
    assert not any(";" in line for line in lines), "two statements are two lines"
    assert "ib.measure(" in networks()[k] or "ib.Tracker(" in networks()[k]


@pytest.mark.parametrize("path", execute.howtos(), ids=lambda path: path.stem)
def test_a_howto_was_made_from_its_text(path):
    notebook = nbformat.read(path.with_suffix(".ipynb"), as_version=4)
    assert execute.is_made_from(path.read_text(encoding="utf-8"), notebook)


@pytest.mark.parametrize(
    "rule", [one for one in rules.RULES if one not in OTHERS], ids=lambda rule: rule.__name__
)
def test_the_page_keeps(rule):
    assert rule(nbformat.read(PAGE.with_suffix(".ipynb"), as_version=4)) == []


def test_papermill_runs_the_page(tmp_path):
    """From nothing at the smoke profile; without MNIST the digits stand in."""
    out = tmp_path / "out.ipynb"
    environment = os.environ | {"IPYTHONDIR": str(tmp_path / "ipython"), "IBCORE_DATA": ""}
    environment["OMP_NUM_THREADS"] = "1"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "papermill", PAGE.with_suffix(".ipynb"), out),
            *("--cwd", BOOK, "--no-progress-bar", "-p", "profile", "smoke"),
        ],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    cells = nbformat.read(out, as_version=4).cells
    assert all(c.execution_count for c in cells if c.cell_type == "code" and c.source.strip())
    shown = [o["text"] for c in cells for o in c.get("outputs", []) if "text" in o]
    assert any("10000 inputs of 12544 units, 0.47 GiB as a whole" in text for text in shown)


LIMITED = """
import resource, sys, torch
from torch import nn
import ibcore as ib
rulers = [ib.Binning(width=0.5), ib.Exact()]
torch.set_num_threads(1)
warm = nn.Sequential(nn.Linear(4, 3), nn.ReLU())  # compiles what counts
ib.measure(warm, [(torch.randn(4, 4), [0, 1, 0, 1])], layers=["1"], estimators=rulers)
with open("/proc/self/statm") as file:
    size = int(file.read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + {margin}, resource.RLIM_INFINITY))
{code}
print(found.n_samples, found.width.item(), found.i_xt.values.ravel().tolist())
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc to read a size from")
def test_a_loader_is_measured_in_less_memory_than_the_layer_fills():
    """The page's own cell, and the same cell with all batches put together, which cannot be."""
    (cell,) = (one for one in networks() if "loader = " in one)
    done = limited(cell)
    assert done.returncode == 0, done.stderr
    n, width, bits = done.stdout.split(" ", 2)
    assert 4 * int(n) * int(width) > MARGIN
    assert bits.strip() == str([math.log2(10_000)] * 2)  # all told apart
    whole = cell.replace(", loader,", ", *map(torch.cat, zip(*loader)), chunk_size=10**6,")
    assert whole != cell
    failed = limited(whole)
    assert failed.returncode != 0
    assert "memory" in failed.stderr.lower()


def limited(code):
    return subprocess.run(
        [sys.executable, "-c", LIMITED.format(margin=MARGIN, code=code)],
        capture_output=True, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"},
    )  # fmt: skip


def test_limits_of_memory_are_kept_here():
    """Otherwise the test above would prove nothing."""
    code = f"import resource; resource.setrlimit(resource.RLIMIT_AS, ({2**28}, {2**28}));"
    done = subprocess.run(
        [sys.executable, "-c", f"{code} b = bytes({2**29})"], capture_output=True, text=True
    )
    assert "MemoryError" in done.stderr
    assert resource.getrlimit(resource.RLIMIT_AS)[0] != 2**28
