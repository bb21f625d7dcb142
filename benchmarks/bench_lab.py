"""The laboratory in a browser against ibcore on the same machine, one thread each.

A ruler is moved: seconds until both informations of 6 layers at 37 checkpoints are there, which a
reader who drags it waits for. A network is trained: 8 000 epochs, from a part of them.
"""

import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1] / part) for part in ("tests", "book/_tools")]

from bench_training import seconds  # noqa: E402
from lab_page import experiment, scripted, trained  # noqa: E402

import ibcore as ib  # noqa: E402
from ibcore.estimators import from_name  # noqa: E402

RULERS = (
    "Binning(n_bins=30, low=-1.0, high=1.0)", "Binning(n_bins=1000, low=-1.0, high=1.0)",
    "AdaptiveBinning(n_bins=30)", "Quantised(n_bits=8)", "Exact()",
)  # fmt: skip
TRAININGS = ({"batch": None}, {"batch": 512}, {"batch": 512, "activation": "relu"})
EPOCHS, PART = 8000, 200
MOST_PLANE, MOST_LEVELS, MOST_TRAINING = 2.0, 6.0, 8.0  # times ibcore

PLANES = """
const { desk } = need("plane"), { parse } = need("rulers"), found = {}, own = desk("tanh");
const begun = performance.now();
given.rows.forEach((row, k) => own.add(Float32Array.from(row), k));
found.layers = (performance.now() - begun) / 1000;
for (const name of given.rulers) {
    const times = [];
    for (let k = 0; k < 6; k++) {
        const start = performance.now();
        own.measure(parse(name));
        times.push((performance.now() - start) / 1000);
    }
    found[name] = [times[0], Math.min(...times)];
}
return found;"""

TRAINING = """
return given.each.map((settings) => {
    const own = need("train").trainer(settings, given.how);
    own.run(given.part);
    const start = performance.now();
    own.run(given.part);
    return (performance.now() - start) / 1000 / given.part * given.epochs;
});"""


def plane_of(run, ruler):
    """Both informations of every layer and checkpoint, from activations that are there."""
    if isinstance(ruler, ib.Quantised):

        class View:
            x = run.task.x

        def work():
            for k in range(len(run.epochs)):
                View.network = run.ensemble(k)
                for t in ruler.layers(View):
                    ruler(t, run.task.y)

        return work
    layers = [t[0] for k in range(len(run.epochs)) for t in run.activations(k)]
    return lambda: [ruler(t, run.task.y) for t in layers]


def planes(page):
    """Print seconds of a plane; False where a floor is missed."""
    run = trained("tanh")
    found = page(PLANES, {"rows": run.parameters[:, 0].tolist(), "rulers": RULERS})
    print(f"layers of 37 checkpoints, once for a network: {found['layers']:.2f} s")
    print(f"{'a plane':45s} {'first':>8s} {'again':>8s} {'ibcore':>8s}  times ibcore")
    good = True
    for name in RULERS:
        first, again = found[name]
        there = seconds(plane_of(run, from_name(name)))
        most = MOST_LEVELS if name.startswith("Quantised") else MOST_PLANE
        missed = again > most * there
        good &= not missed
        print(
            f"{name:45s} {first:8.3f} {again:8.3f} {there:8.3f}  {again / there:5.2f}"
            f"{'   MISSED' if missed else ''}"
        )
    return good


def trainings(page):
    """Print seconds of a training; False where a floor is missed."""
    asked = {"each": TRAININGS, "part": PART, "epochs": EPOCHS}
    fast = page(TRAINING, {**asked, "how": "fast"})
    plain = page(TRAINING, {**asked, "how": "plain", "part": PART // 20})
    good = True
    print(f"{'8 000 epochs':45s} {'plain':>8s} {'fast':>8s} {'ibcore':>8s}  times ibcore")
    for settings, one, other in zip(TRAININGS, fast, plain, strict=True):
        e = experiment({**settings, "epochs": PART, "nMeasured": 2})
        ib.train(e, threads=1, progress=False)
        there = seconds(lambda e=e: ib.train(e, threads=1, progress=False)) / PART * EPOCHS
        missed = one > MOST_TRAINING * there
        good &= not missed
        print(
            f"{settings!s:45s} {other:8.1f} {one:8.1f} {there:8.1f}  {one / there:5.1f}"
            f"{'   MISSED' if missed else ''}"
        )
    return good


def table():
    """Print both tables; False where a floor is missed."""
    with tempfile.TemporaryDirectory() as folder, scripted(Path(folder)) as page:
        return planes(page) & trainings(page)


if __name__ == "__main__":
    sys.exit(0 if table() else 1)
