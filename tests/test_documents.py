"""What the documents at the top say is true: examples run, lists are complete, versions agree."""

import re
import tomllib
from pathlib import Path

import examples
import pytest
from matplotlib import pyplot as plt

import ibcore

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = [*examples.EXAMPLE.finditer(README)]
NAMES = ("ruler", "noisy", "own network", "tracker")


@pytest.mark.parametrize("example", EXAMPLES[:3], ids=NAMES[:3])
def test_every_example_of_the_readme_prints_what_is_stated(example):
    """Run with more digits: what is stated is rounded from them. Otherwise: examples.py."""
    if example["output"] is None:
        assert "Binning(n_bins=30" in examples.printed(example["code"])
        return
    assert re.search(r"\d\.\d", example["stated"])
    found = examples.printed(examples.unrounded(example["code"]), width=200)
    assert examples.differences(example["stated"], found) == []


def test_the_examples_with_numbers_are_those_with_a_seed():
    assert [bool(one["output"]) for one in EXAMPLES] == [True, True, False, False]


def test_the_example_of_a_tracker_draws_the_path_of_each_layer():
    assert examples.printed(EXAMPLES[3]["code"]) == ""
    written = "; ".join(one.get_text() for one in plt.gca().texts)
    assert all(name in written for name in ("1 (10)", "2 (2)")), written
    plt.close("all")


@pytest.mark.long
def test_what_more_replicas_would_say():
    """The README names the number that its noisy example comes to with 400 replicas."""
    stated = re.search(r"With 400 of them it is\s(\d\.\d\d) bits", README)[1]
    code = EXAMPLES[1]["code"].replace("(20, 100)", "(400,)")
    found, _ = examples.printed(examples.unrounded(code)).split(" bits")
    assert examples.differences(f"layer 4, 400 replicas: {stated}", found) == []


@pytest.mark.parametrize(
    ("stated", "found", "right"),
    [
        ("a 12.0  7.5   1.9", "a 12.000000  7.491016  1.863844", True),
        ("a 12.0  7.5   1.8", "a 12.000000  7.491016  1.863844", False),  # stale
        ("a 1.9", "a 1.949999", True),
        ("a 1.9", "a 1.950001", True),  # rounds up here, and down on another processor
        ("a 1.9", "a 1.961", False),
        ("-0.02", "-0.0155", True),
        ("n_bins=30, 1 2.0", "n_bins=30,  1\n2.000000", True),
        ("n_bins=30, 1 2.0", "n_bins=31,  1\n2.000000", False),
        ("layer 4: 1.0", "layer 5: 1.0", False),
        ("1.0 2.0", "1.0", False),
        ("1.0 bits", "1.0 bit", False),
    ],
)
def test_a_stale_number_is_found_and_rounding_is_not(stated, found, right):
    assert (examples.differences(stated, found) == []) is right


def test_outputs_are_written_where_there_is_a_block():
    document = (
        "A\n```python\nprint(1)\nprint('a ')\n```\n\n```text\nold\n```\nB\n```python\n2\n```\nC\n"
    )
    written = examples.with_outputs(document)
    assert written == document.replace("old", "1\na")
    assert examples.with_outputs(written) == written


def test_a_readme_is_written_once(tmp_path, capsys):
    path = tmp_path / "README.md"
    path.write_text("```python\nprint(1)\n```\n\n```text\n```\n")
    assert examples.main(path) == examples.main(path) == 0
    assert capsys.readouterr().out == "README.md: written\nREADME.md: unchanged\n"
    assert path.read_text() == "```python\nprint(1)\n```\n\n```text\n1\n```\n"


def test_the_own_network_example_has_ten_lines():
    for example in EXAMPLES[2:]:
        assert len([line for line in example["code"].splitlines() if line.strip()]) <= 10


def test_every_subcommand_of_the_readme_exists():
    from ibcore.cli import app

    known = {command.name or command.callback.__name__ for command in app.registered_commands}
    used = set(re.findall(r"python -m ibcore (\w+)", README))
    assert used
    assert used <= known


def test_every_local_path_of_the_documents_exists():
    """Links, code spans with a slash, and notebooks named in commands."""
    text = README + CONTRIBUTING
    named = re.findall(r"\]\(([^)#:]+)\)", text) + re.findall(
        r"`((?:book|ibcore|tests)/\S+)`", text
    )
    named += re.findall(r"papermill (\S+\.ipynb)", README)
    placeholders = ("CHAPTER", "NAME", "PAPER")
    missing = [
        one
        for one in named
        if not any(p in one for p in placeholders) and not (ROOT / one).exists()
    ]
    assert missing == []


def test_the_readme_has_the_place_of_the_generated_verdicts():
    assert README.index("<!-- verdicts -->") < README.index("<!-- /verdicts -->")


def test_every_dependency_has_its_reason():
    """The direct ones of pyproject.toml, each with one line in CONTRIBUTING.md, and no other."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = project["project"].get("optional-dependencies", {}).values()
    listed = [*project["project"]["dependencies"], *project["build-system"]["requires"]]
    listed += [one for group in groups for one in group]
    names = {re.match(r"[\w.-]+", one).group() for one in listed} - {"ibcore"}
    section = CONTRIBUTING.split("## Dependencies")[1].split("\n## ")[0]
    assert (
        set(re.findall(r"^\| ([\w.-]+) \| \w", section, flags=re.MULTILINE)) - {"package"} == names
    )


def test_one_version_everywhere():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    cited = re.search(r"^version: (.+)$", citation, flags=re.MULTILINE).group(1)
    newest = re.search(r"^## \[(.+?)\]", changes, flags=re.MULTILINE).group(1)
    assert cited == newest == ibcore.__version__
