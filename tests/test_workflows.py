"""Workflows run fixed code with as few rights as they need."""

import re
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[1] / ".github" / "workflows"
WORKFLOWS = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.iterdir()}
PINNED = re.compile(r"([\w.-]+/[\w./-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)")

# What a job may do beyond reading the code, by the action that needs it.
NEEDED = {"actions/deploy-pages": {"pages": "write", "id-token": "write"}}


def problems(text):
    """What a workflow may not do, in words; every token has the rights it is given, and no more."""
    found = [
        f"not pinned with its version: {used}"
        for used in re.findall(r"^[ -]*uses: *(.*)$", text, flags=re.MULTILINE)
        if not PINNED.fullmatch(used)
    ]
    content = yaml.safe_load(text)
    if content.get("permissions") != {}:
        found.append("the workflow gives rights to all its jobs")
    if "pull_request_target" in content[True]:  # YAML reads the key `on` as true
        found.append("runs foreign code with the rights of this repository")
    for name, job in content["jobs"].items():
        steps = job["steps"]
        actions = [step["uses"].split("@")[0] for step in steps if "uses" in step]
        allowed = {"contents": "read"} if "actions/checkout" in actions else {}
        for action in actions:
            allowed |= NEEDED.get(action, {})
        if job.get("permissions") != allowed:
            found.append(f"{name}: permissions {job.get('permissions')}, it needs {allowed}")
        for step in steps:
            if "${{" in step.get("run", ""):
                found.append(f"{name}: a foreign text may become a command; pass it in env")
            kept = step.get("with", {}).get("persist-credentials", True)
            if step.get("uses", "").startswith("actions/checkout@") and kept:
                found.append(f"{name}: checkout keeps its credentials")
    return found


@pytest.mark.parametrize("name", WORKFLOWS)
def test_workflow_is_careful(name):
    assert problems(WORKFLOWS[name]) == []


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (r"@[0-9a-f]{40} # v", "@v", "not pinned"),
        (r"@[0-9a-f]{40}", "@main", "not pinned"),
        (r" # v4\.2\.2", "", "not pinned"),
        (r"permissions: \{\}", "permissions: write-all", "rights to all its jobs"),
        (r"permissions: \{\}\n", "", "rights to all its jobs"),
        (r"contents: read", "contents: write", "it needs {'contents': 'read'}"),
        (r"contents: read", "contents: read\n      pages: write", "it needs {'contents': 'read'}"),
        (r"persist-credentials: false", "fetch-depth: 0", "keeps its credentials"),
        (r"persist-credentials: false", "persist-credentials: true", "keeps its credentials"),
        (r"run: make site", "run: echo ${{ github.head_ref }}", "may become a command"),
        (r"workflow_dispatch:", "pull_request_target:", "foreign code"),
    ],
)
def test_the_check_finds(old, new, problem):
    """Each on the workflow that publishes, with one thing changed."""
    changed = re.sub(old, new, WORKFLOWS["publish.yml"])
    assert changed != WORKFLOWS["publish.yml"]
    assert any(problem in one for one in problems(changed))


def test_an_action_has_one_version():
    """The same commit wherever it is used: an update that forgets one place is seen."""
    used = {pin for text in WORKFLOWS.values() for pin in PINNED.findall(text)}
    assert len({action for action, *_ in used}) == len(used)
