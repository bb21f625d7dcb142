"""What every test shares: how hard hypothesis tries, and a backend of matplotlib without windows.

`make test` draws the same examples each time, so that a red run is red again; `make test-long`
draws many more, new ones each time. `make check` draws few and leaves out the modules that `SLOW`
names: those that train, start processes, judge whole chapters or draw figures.
"""

import os
import sys
from pathlib import Path

import pytest
import site_browser
from hypothesis import settings

from ibcore import config, tasks

os.environ.setdefault("MPLBACKEND", "agg")

# The book's tools and its Sphinx extensions are scripts, not packages.
BOOK = Path(__file__).parents[1] / "book"
sys.path[:0] = [str(BOOK / "_tools"), str(BOOK / "_ext")]

settings.register_profile("quick", deadline=None, derandomize=True, max_examples=20)
settings.register_profile("test", deadline=None, derandomize=True)
settings.register_profile("long", deadline=None, max_examples=2000)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "test")
settings.load_profile(PROFILE)

SLOW = [
    "access", "acceptance", "alone", "bar", "bar_page", "bottleneck", "browser", "canary",
    "cli", "convolution", "criteria_can_fail", "decide", "documents", "drift", "edge",
    "engines", "extension", "extras", "faults", "fuzz", "fuzz_estimators", "howto",
    "howto_pages", "killed", "lab", "lab_page", "lab_results", "lab_training", "lab_walks",
    "ledger", "linear_students", "multiverse", "own_pieces", "parameters", "planner",
    "planted_faults", "plots", "pokemon", "provenance", "reads_controls", "reads_dong",
    "reference", "report", "results", "settings", "site", "smoke", "study", "sweep", "tools",
    "training", "verdicts",
]  # fmt: skip
collect_ignore = [f"test_{name}.py" for name in SLOW if PROFILE == "quick"]


@pytest.fixture(scope="module")
def address():
    """The site, served while a module asks for it."""
    with site_browser.served() as found:
        yield found


@pytest.fixture(scope="module")
def browser():
    """A browser, open while a module asks for it."""
    with site_browser.launched() as found:
        yield found


@pytest.fixture(autouse=True, scope="module")
def forgotten():
    """Tasks that a module registers are forgotten after it: others may use their names."""
    before = [(registry, dict(registry)) for registry in (tasks._own, config.OWN_TASKS)]
    yield
    for registry, was in before:
        registry.clear()
        registry.update(was)
