"""Whether what is asked for fits into the memory of this machine, before any of it is computed."""

import math
import os
from collections.abc import Sequence
from pathlib import Path

from ibcore.config import Experiment
from ibcore.networks import layer_shapes
from ibcore.tasks import load_task
from ibcore.training import layer_widths, measured

LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
GIB = 2**30


def check_memory(experiment: Experiment, seeds: Sequence[int]) -> None:
    """Refuse networks that cannot fit: what is kept of one block of them, and one network at work.

    Raises
    ------
    ValueError
        With what is too large, the memory there is, and what to change.
    """
    task, there = load_task(experiment.task), memory()
    shapes = layer_shapes(experiment, task.x.shape[1], task.n_outputs)
    n_weights = sum((fan_in + 1) * unit for fan_in, unit in shapes)
    n_epochs, n_rows = len(experiment.epochs), len(task.x[measured(task)])
    needs = {
        f"the weights of {len(seeds)} networks at {n_epochs} measured epochs": (
            4 * len(seeds) * n_epochs * n_weights,
            "measure fewer epochs or take narrower layers",
        ),
        f"the activations of one network on {n_rows} inputs": (
            4 * n_rows * sum(layer_widths(experiment, task)),
            "take narrower layers or a smaller task",
        ),
    }
    for what, (n_bytes, remedy) in needs.items():
        if n_bytes > there:
            raise ValueError(
                f"{what} take {n_bytes / GIB:.3g} GiB, and there are {there / GIB:.3g}; {remedy}."
            )


def memory() -> float:
    """Bytes of memory that this process may use; infinite where the system does not say."""
    found = [math.inf]
    if hasattr(os, "sysconf"):
        found.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in map(Path, LIMITS):  # of a container
        text = path.read_text().strip() if path.is_file() else ""
        if text.isdigit():
            found.append(int(text))
    return min(found)
