"""What the documents at the top say is true: examples run, lists are complete, versions agree."""

import re
import tomllib
from pathlib import Path

import pytest

import ibcore

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README, flags=re.DOTALL | re.MULTILINE)


SAYS = {"ruler": "Binning(n_bins=30", "noisy": "layer 4: ", "own network": "Binning(n_bins=30"}


@pytest.mark.parametrize(
    ("example", "says"), [*zip(EXAMPLES, SAYS.values(), strict=True)], ids=SAYS
)
def test_every_python_example_of_the_readme_runs(example, says, capsys):
    exec(compile(example, "README.md", "exec"), {})
    assert says in capsys.readouterr().out


def test_the_printed_output_of_the_readme_is_what_comes_out(capsys):
    """To the last digit shown, which another machine's rounding may move by one."""
    stated = README.split("```text\n")[1].split("```")[0]
    exec(compile(EXAMPLES[0], "README.md", "exec"), {})
    numbers = [re.findall(r" (\d+\.\d)\b", text) for text in (stated, capsys.readouterr().out)]
    assert len(numbers[0]) == 18
    assert [*map(float, numbers[1])] == pytest.approx([*map(float, numbers[0])], abs=0.11)


def test_the_own_network_example_has_ten_lines():
    lines = [line for line in EXAMPLES[-1].splitlines() if line.strip()]
    assert len(lines) <= 10


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
    placeholders = ("CHAPTER", "NAME")
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
