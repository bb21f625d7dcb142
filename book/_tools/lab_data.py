"""What the laboratory shows of published results, in one script: ``book/_static/lab/data.js``.

Weights of a few networks at 37 checkpoints, bit for bit; ends and quartiles of 50 networks under
some rulers; the effects that claims ask of every network, for a rank among them; noise levels,
which the page cannot count; and the tests of claims that such a network speaks to. Weights that
are not stored are trained, and must agree with the stored plane of their seed. ``stored.js`` reads
it.
"""

import base64
import gzip
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

import ibcore as ib
from ibcore.claims import effects as fx
from ibcore.config import Experiment
from ibcore.estimators import from_name
from ibcore.papers import paper_file, read_toml
from ibcore.study import Study
from ibcore.training import Trajectory

OUT = Path(__file__).parents[1] / "_static" / "lab" / "data.js"
N_CHECKPOINTS = 37
STEP, FINE = 1e-2, 1e-3  # bits: how finely bands and noise levels are kept, and effects
FIXED, ADAPTIVE, EXACT = ib.Binning(30, -1, 1), ib.AdaptiveBinning(30), ib.Exact()
EFFECTS = {
    "compression": fx.compression, "fitting": fx.fitting, "change": fx.signed_change,
    "peak": fx.peak_share,
}  # fmt: skip
NOISE = [4.0**-k for k in range(9)]  # variances, of those that the chapter on rulers has
QUANTILES = (0.0, 0.25, 0.75, 1.0)


@dataclass(frozen=True)
class Shown:
    """An experiment of a chapter: its rulers, and whether its middle network is stored."""

    name: str
    title: str
    chapter: str
    experiment: str
    rulers: tuple[ib.Ruler, ...]
    network: bool = False
    noise: bool = False


SHOWN = (
    Shown("tanh", "tanh, batches of 512", "estimators", "tanh",
          (FIXED, ADAPTIVE, ib.Quantised(8), EXACT), True, True),
    Shown("relu", "ReLU, batches of 512", "estimators", "relu",
          (FIXED, ADAPTIVE, ib.RangeBinning(100), ib.Quantised(8), EXACT), True, True),
    Shown("tanh_gain_2", "tanh, initial weights doubled", "chelombiev", "tanh_gain_2", (ADAPTIVE,)),
    Shown("relu_gain_2", "ReLU, initial weights doubled", "chelombiev", "relu",
          (ADAPTIVE, ib.RangeBinning(30), EXACT), True),
    Shown("released", "tanh, full batch", "shwartz_ziv", "released",
          (FIXED, ib.EdgeBinning(30), EXACT), True),
    Shown("saxe_tanh", "tanh, initial weights of Saxe et al.", "saxe", "tanh",
          (FIXED, ADAPTIVE, EXACT)),
    Shown("saxe_relu", "ReLU, initial weights of Saxe et al.", "saxe", "relu",
          (ib.RangeBinning(100), ADAPTIVE, EXACT)),
)  # fmt: skip

# Where each paper stood: (title, experiment, ruler)
PINS = (
    ("Shwartz-Ziv & Tishby: tanh, 30 edges", "released", ib.EdgeBinning(30)),
    ("Saxe et al.: tanh, 30 bins", "tanh", FIXED),
    ("Saxe et al.: ReLU, 100 bins over the run", "relu", ib.RangeBinning(100)),
    ("Chelombiev et al.: ReLU, 30 adaptive bins", "relu_gain_2", ADAPTIVE),
    ("Lorenzen et al.: tanh, 8 bits", "tanh", ib.Quantised(8)),
    ("Goldfeld et al.: float32 itself", "tanh", EXACT),
)


class Packed:
    """Whole numbers, one list after the other, as differences in bytes of equal weight."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.at = 0

    def add(self, values: NDArray[np.int64], width: int, skip: int = 0) -> list[int]:
        """Keep an array (series, place); where it stands, its shape, the bytes of a number.

        With ``skip`` the first places, which the reader knows, are left out.
        """
        steps = np.diff(values, axis=1, prepend=0)[:, skip:]
        folded = np.where(steps >= 0, 2 * steps, -2 * steps - 1)
        if folded.max() >= 256**width:
            raise ValueError(f"{folded.max()} does not fit into {width} bytes; take more.")
        planes = (
            np.ascontiguousarray(folded, "<u8").view(np.uint8).reshape(-1, 8)[:, :width].T.tobytes()
        )
        found = [self.at, *steps.shape, width]
        self.pieces.append(planes)
        self.at += len(planes)
        return found


def ordered(values: NDArray[np.float32]) -> NDArray[np.int64]:
    """The bits of float32 numbers as whole numbers in the order of the numbers."""
    bits = np.ascontiguousarray(values).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF), bits)


def in_steps(values: Any, step: float = STEP) -> NDArray[np.int64]:
    """Numbers in whole steps."""
    return np.rint(np.asarray(values, np.float64) / step).astype(np.int64)


def thinned(epochs: NDArray[np.int64]) -> NDArray[np.int64]:
    """At most 37 of the measured epochs, evenly spaced in their logarithm, both ends among them."""
    if len(epochs) <= N_CHECKPOINTS:
        return epochs
    for n in range(N_CHECKPOINTS, 3 * N_CHECKPOINTS):  # early ones fall together
        wanted = np.append(0, np.geomspace(1, epochs[-1], n - 1))
        found = np.unique([epochs[np.abs(epochs - one).argmin()] for one in wanted])
        if len(found) >= N_CHECKPOINTS:
            break
    return (
        found
        if len(found) == N_CHECKPOINTS
        else np.delete(found, np.argmin(np.diff(found)[:-1]) + 1)
    )


def chosen(plane: xr.Dataset, ruler: ib.Ruler) -> int:
    """Seed of the network nearest to the median of all."""
    ix = plane["i_xt"].sel(estimator=repr(ruler))
    away = np.abs(ix - ix.median("seed")).sum(["epoch", "layer"])
    return int(away.seed[int(away.values.argmin())])


def weights(study: Study, name: str, plane: xr.Dataset, seed: int) -> Trajectory:
    """Of one network at all measured epochs: stored, or trained and held against its plane."""
    experiment = study.experiments[name].replace(first_seed=seed, n_seeds=1)
    found = study.store.weights(experiment, (seed,)) or ib.train(experiment, progress=False)
    found = found.only((seed,))
    for ruler in map(from_name, map(str, plane.estimator.values)):
        if not isinstance(ruler, ib.Binning | ib.AdaptiveBinning | ib.Exact):
            continue
        mine = ruler(found.activations(-1)[4][0], found.task.y)[0]
        there = float(plane["i_xt"].sel(estimator=repr(ruler), seed=seed, layer=5)[-1])
        if abs(mine - there) > 1e-4:
            raise ValueError(
                f"{name}, seed {seed}: trained here it ends with {mine:.4f} bits in layer 5 under "
                f"{ruler!r}, stored are {there:.4f}; this processor rounds otherwise."
            )
    return found


def settings(experiment: Experiment, seed: int) -> dict[str, Any]:
    """As the modules of the laboratory name them."""
    e = experiment
    return {
        "activation": e.activation, "initializer": e.initializer, "gain": e.init_gain,
        "optimizer": e.optimizer, "rate": e.learning_rate, "momentum": e.momentum,
        "batch": e.batch_size, "epochs": e.n_epochs, "l2": e.l2, "l2Convention": e.l2_convention,
        "noise": e.noise_std, "share": e.train_fraction, "split": e.split, "seed": seed,
        "nMeasured": N_CHECKPOINTS + 3,
    }  # fmt: skip


def band(plane: xr.Dataset, ruler: ib.Ruler, packed: Packed) -> list[int]:
    """Ends and quartiles of I(X;T) over the networks, (quantile, layer, checkpoint)."""
    values = plane["i_xt"].sel(estimator=repr(ruler)).transpose("seed", "layer", "epoch").values
    several = np.quantile(values, QUANTILES, axis=0)
    return packed.add(in_steps(several).reshape(-1, several.shape[-1]), 2)


def effects(plane: xr.Dataset, ruler: ib.Ruler, named: set[str], packed: Packed) -> dict[str, Any]:
    """Of every network, (layer, seed) in the order of seeds, by effect: those that claims name."""
    found = {}
    for name, measure in EFFECTS.items():
        if name in named:
            values = measure(plane, repr(ruler)).transpose("layer", "seed").values
            found[name] = packed.add(in_steps(values, FINE), 2)
    return found


def accuracies(one: xr.Dataset) -> NDArray[np.int64]:
    """Of one network on training and test rows, (2, checkpoint), in steps of 2^-24."""
    both = np.stack([one["train_accuracy"].values, one["test_accuracy"].values])
    return np.rint(both * 2.0**24).astype(np.int64)


def noise(plane: xr.Dataset, seed: int, packed: Packed) -> dict[str, Any]:
    """Curves of one network under kernel bounds, (level, layer, checkpoint)."""
    names = [repr(ib.KernelBound(variance)) for variance in NOISE]
    found: dict[str, Any] = {"variances": NOISE}
    for key, name in (("ixt", "i_xt"), ("ity", "i_ty")):
        values = plane[name].sel(estimator=names, seed=seed)
        values = values.transpose("estimator", "layer", "epoch").values
        found[key] = packed.add(in_steps(values).reshape(-1, values.shape[-1]), 2)
    return found


def claims() -> list[dict[str, Any]]:
    """The tests of claims that one network of these experiments speaks to."""
    found = []
    for shown in SHOWN:
        study = Study(shown.chapter)
        main = repr(study.own_rulers(shown.experiment)[0])
        names = {repr(ruler) for ruler in shown.rulers}
        for claim in read_toml(paper_file(shown.chapter, "claims.toml"))["claims"]:
            for test in claim.get("tests", []):
                ruler = repr(from_name(test.get("ruler", main)))
                if ruler in names and _asks(test, shown.experiment):
                    found.append({**_as_shown(claim, test), "experiment": shown.name})
                    found[-1]["ruler"] = ruler
    return found


def addresses() -> dict[str, str]:
    """Claim -> where the laboratory shows one network as the claim's first such test asks."""
    found: dict[str, str] = {}
    for test in claims():
        ruler = in_an_address(from_name(test["ruler"]))
        state = f"net={test['experiment']}&ruler={ruler}&layer={test['layers'][-1]}"
        found.setdefault(test["id"], f"book/laboratory.html?{state}#lab-bench")
    return found


def in_an_address(ruler: Any) -> str:
    """A ruler as an address of the laboratory names it; ``ruler_of`` in ``_ext/lab.py`` reads it.

    >>> in_an_address(ib.AdaptiveBinning(30)), in_an_address(ib.Exact())
    ('adaptive:30', 'exact')
    """
    match ruler:
        case ib.Binning(low=-1, high=1):
            return f"bins:{ruler.n_bins}"
        case ib.RangeBinning():
            return f"range:{ruler.n_bins}"
        case ib.EdgeBinning():
            return f"edges:{ruler.n_edges}"
        case ib.AdaptiveBinning():
            return f"adaptive:{ruler.n_bins}"
        case ib.Quantised():
            return f"quantised:{ruler.bits}"
        case ib.Exact():
            return "exact"
    raise ValueError(f"the laboratory has no address for {ruler!r}.")


def _asks(test: dict[str, Any], experiment: str) -> bool:
    """Whether a test asks for an effect of an experiment by itself, and counts."""
    planes = test.get("planes", [])
    among = planes.values() if isinstance(planes, dict) else planes
    plain = "rulers" not in test and test.get("counts") is not False
    return plain and test.get("effect") in EFFECTS and experiment in among


def _as_shown(claim: dict[str, Any], test: dict[str, Any]) -> dict[str, Any]:
    """What the page says of a test."""
    layers, size = test["layers"], test.get("size")
    named = {"hidden": [1, 2, 3, 4, 5], "all": [1, 2, 3, 4, 5, 6]}
    return {
        "id": claim["id"], "title": claim["title"], "effect": test["effect"],
        "layers": named[layers] if isinstance(layers, str) else layers,
        "expects": test.get("expects", claim.get("expects", "effect")),
        "size": size if isinstance(size, float) else None,
        **{key: test[key] for key in ("side", "null", "margin") if key in test},
    }  # fmt: skip


def named_effects(tests: list[dict[str, Any]], shown: Shown, ruler: ib.Ruler) -> set[str]:
    """Effects that claims ask of an experiment under a ruler."""
    return {
        test["effect"] for test in tests
        if test["experiment"] == shown.name and test["ruler"] == repr(ruler)
    }  # fmt: skip


def content() -> tuple[dict[str, Any], bytes]:
    """What there is, and the packed numbers."""
    packed, networks, shown_experiments, tests = Packed(), [], [], claims()
    for shown in SHOWN:
        study = Study(shown.chapter)
        whole = study.stored(shown.experiment)
        if whole is None:
            raise ValueError(
                f"no stored plane of {shown.chapter}/{shown.experiment}; run it first."
            )
        epochs = thinned(whole.epoch.values)
        plane = whole.sel(epoch=epochs)
        if shown.network:
            seed = chosen(plane, shown.rulers[0])
            trained = weights(study, shown.experiment, whole, seed).at(epochs)
            one = plane.sel(seed=seed)
            networks.append({
                "id": f"{shown.name}-{seed}", "experiment": shown.name, "seed": seed,
                "settings": settings(study.experiments[shown.experiment], seed),
                "weights": packed.add(ordered(trained.parameters[:, 0]).T, 4, skip=1),
                "accuracies": packed.add(accuracies(one), 4),
                "noise": noise(plane, seed, packed) if shown.noise else None,
            })  # fmt: skip
        shown_experiments.append({
            "id": shown.name, "title": shown.title, "chapter": shown.chapter,
            "settings": settings(study.experiments[shown.experiment], int(plane.seed[0])),
            "epochs": epochs.tolist(), "seeds": plane.seed.values.tolist(),
            "rulers": {
                repr(ruler): {
                    "band": band(plane, ruler, packed),
                    "effects": effects(plane, ruler, named_effects(tests, shown, ruler), packed),
                }
                for ruler in shown.rulers
            },
        })  # fmt: skip
    return {
        "step": STEP, "fine": FINE, "networks": networks, "experiments": shown_experiments,
        "claims": tests, "pins": [
            {"title": title, "experiment": name, "ruler": repr(one)} for title, name, one in PINS
        ],
    }, b"".join(packed.pieces)  # fmt: skip


def text() -> str:
    """The script: length of the header, the header, the numbers; compressed, in base 85."""
    header, numbers = content()
    said = json.dumps(header, separators=(",", ":")).encode()
    whole = gzip.compress(len(said).to_bytes(4, "little") + said + numbers, 9, mtime=0)
    return (
        "// Generated by book/_tools/lab_data.py; `stored` reads it.\n"
        f'IBLab.define("data", [], () => "{base64.b85encode(whole).decode()}");\n'
    )


if __name__ == "__main__":
    found = text()
    if "--check" in sys.argv:
        sys.exit(0 if OUT.read_text("ascii") == found else f"{OUT.name} is not what this writes.")
    OUT.write_text(found)
    print(f"{OUT.name}: {len(found) / 1024:.0f} kB")
