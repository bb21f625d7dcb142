"""Where results lie and what they cost: asked before any plane is read.

costs.json    {digest: {"seconds", "gib"}} of the last run of each experiment: how long its networks
              took, on the threads they had, and the most memory of the process if that is known
"""

import json
import sys
import zipfile
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from ibcore.files import write_whole

COSTS = "costs.json"


class Cost(NamedTuple):
    """Of an experiment: seconds on the threads it had, and GiB of memory at its peak."""

    seconds: float
    gib: float = 1.0


def holders(digest: str, roots: Iterable[Path]) -> list[Path]:
    """The folders that hold something of an experiment."""
    return [
        root
        for root in roots
        if any((root / "planes" / digest).glob("*.nc"))
        or any(
            f"{digest}.nc" in _names(path, path.stat().st_mtime_ns)
            for path in (root / "planes").glob("*.zip")
        )
    ]


@lru_cache(maxsize=1024)
def _names(path: Path, changed: int) -> set[str]:
    """Members of a pack, from its directory; a damaged one is named when it is read."""
    try:
        with zipfile.ZipFile(path) as file:
            return set(file.namelist())
    except (zipfile.BadZipFile, OSError):
        return set()


def costs(roots: Iterable[Path]) -> dict[str, Cost]:
    """What each experiment cost in its last run, by digest; the first folder that knows counts."""
    found: dict[str, Cost] = {}
    for root in roots:
        found = _read(root / COSTS) | found
    return found


def note_cost(root: Path, digest: str, seconds: float, gib: float) -> None:
    """Keep what a run has cost."""
    note_costs(root, {digest: Cost(seconds, gib)})


def note_costs(root: Path, new: Mapping[str, Cost]) -> None:
    """Keep what several experiments have cost: the file is written once."""
    root.mkdir(parents=True, exist_ok=True)
    with FileLock(root / ".costs.lock"):
        known = _read(root / COSTS) | dict(new)
        lines = (
            f'"{one}": {{"seconds": {cost.seconds:.1f}, "gib": {cost.gib:.2f}}}'
            for one, cost in sorted(known.items())
        )
        write_whole(root / COSTS, ("{\n" + ",\n".join(lines) + "\n}\n").encode())


def _read(path: Path) -> dict[str, Cost]:
    """The costs of a file. They only order work: a damaged file knows nothing."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return {
            str(digest): Cost(**{name: float(value) for name, value in one.items()})
            for digest, one in content.items()
        }
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return {}


def peak_gib() -> float:
    """The most memory that this process has had; 0 where the system does not say."""
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**30 if sys.platform == "darwin" else 2**20)
