"""What each ruler costs: one network of the 12-bit task, all six layers, 4 096 inputs.

python book/_tools/ruler_costs.py

Processor time on one thread, the shortest of a few tries, written to book/results/ruler_costs.json
as multiples of what equal bins cost. The page on rulers shows them rounded.
"""

from __future__ import annotations

import json
import time
import tomllib
from pathlib import Path
from typing import Any

import ibcore as ib
from ibcore.estimators import from_name
from ibcore.files import write_whole
from ibcore.observables import View
from ibcore.training.inputs import measured

HERE = Path(__file__).parent
RULERS, COSTS = HERE / "rulers.toml", HERE.parent / "results" / "ruler_costs.json"
UNIT = "Binning"
TRIES = 3
NETWORK: dict[str, Any] = {"task": "szt", "n_seeds": 1, "n_epochs": 50, "n_measured_epochs": 2}


def seconds(ruler: ib.Ruler, trajectory: ib.Trajectory) -> float:
    """Processor time for the layers of the last network, what is found once in a run aside."""
    task, k = trajectory.task, len(trajectory.epochs) - 1
    labels = task.y[measured(task)]
    ready = ruler.prepare(trajectory)
    network = trajectory.ensemble(k)[0]
    view = View(trajectory.experiment, task, network, trajectory.seeds[0], trajectory.epochs[k])
    spent = []
    for _ in range(TRIES):
        start = time.process_time()
        rows = ready.rows(view)
        for t in ready.layers(view):
            ready.entries(t[rows], labels[rows])
        spent.append(time.process_time() - start)
    return min(spent)


def main() -> None:
    entries = tomllib.loads(RULERS.read_text(encoding="utf-8"))["rulers"]
    trained: dict[str, ib.Trajectory] = {}
    found = {}
    for entry in entries:
        settings = NETWORK | entry.get("network", {})
        key = json.dumps(settings)
        if key not in trained:
            trained[key] = ib.train(ib.Experiment(**settings), threads=1, progress=False)
        ruler = from_name(entry["example"])
        seconds(ruler, trained[key])  # compiles
        found[entry["name"]] = seconds(ruler, trained[key])
    relative = {name: float(f"{spent / found[UNIT]:.2g}") for name, spent in found.items()}
    content = {"unit": UNIT, "seconds": float(f"{found[UNIT]:.2g}"), "relative": relative}
    write_whole(COSTS, (json.dumps(content, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
