"""Long work: how many threads it may use, and the bar that shows how far it is."""

import os

from tqdm import tqdm


def default_threads() -> int:
    """The cores there are, or fewer where the usual environment variables say so."""
    named = [os.environ.get(name, "") for name in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS")]
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min([cores or 1, *(int(value) for value in named if value.isdigit())]))


def progress_wanted() -> bool:
    """False where ``IBCORE_PROGRESS=0`` asks for quiet, as when a chapter's output is stored."""
    return os.environ.get("IBCORE_PROGRESS", "1") != "0"


def bar(total: int, desc: str, unit: str, progress: bool) -> tqdm:
    """A bar with the time left; invisible where nobody wants it."""
    return tqdm(
        total=total,
        desc=desc,
        unit=unit,
        disable=not (progress and progress_wanted()),
        mininterval=0.5,
    )
