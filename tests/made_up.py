"""Made-up planes for any claim, in which the effect goes the way that is asked for.

Layers, rulers, clocks, planes and seeds all differ.

A curve starts low, is at its level when the task is learnt, and then changes by an amount: of the
plane (its place in the claim), of the ruler, of the layer and of the network. What a criterion says
of such planes shows whether it can say yes, no, and that it cannot tell.
"""

from dataclasses import dataclass

import numpy as np
import xarray as xr

from ibcore.study import Study

N_SEEDS, N_CHECKPOINTS = 40, 24
WHOLE = ("loss", "test_loss", "train_accuracy", "test_accuracy", "generalisation_error")
SIGNED = (
    "neighbour_entropy",
    "neighbour_entropy_scaled",
    "log_det_within",
    "neighbour_log_distance",
    "synergy_units",
)
SHARES = (
    "saturation",
    "corner_share",
    "corners_apart",
    "first_bin",
    "fullest_bin",
    "close_pairs",
    "synergy_inputs",
)


@dataclass(frozen=True)
class Way:
    """How the amounts go.

    Attributes
    ----------
    planes, rulers, layers : str
        "same", "up", "down", "first" (only it), "alternate".
    sign : float
        Of the change of information.
    others : float
        Of the change of everything else, in units of that of information.
    split : bool
        Half of the networks go the other way.
    size : float
        Of all changes.
    level : float
        Of observables, when the task is learnt.
    order : str
        Of layers in what they know: "falls", "rises", or "half" (of the networks the one).
    turned : str
        Whose time runs backward: "none", "alternate" (planes) or "half" (of the networks).
    bend : float
        1: the change goes with log time; else with this power of time.
    top : float
        Information of a layer when the task is learnt, in bits.
    dark : str
        Rulers under which (half of the) networks know nothing: "none", "even" or "odd" ones, or
        the one of this number.
    spread : float
        Of the amounts over networks, in units of the amount.
    apart : bool
        Whether every other observable goes the other way.
    alone : bool
        Only one network changes.
    networks : int
        How many there are.
    flat : bool
        Whether all layers have their information from the start.
    worse : bool
        Whether losses are large.
    noise : bool
        Whether everything else changes by amounts of its own, network by network.
    """

    planes: str = "same"
    rulers: str = "same"
    layers: str = "same"
    sign: float = 1.0
    others: float = 1.0
    split: bool = False
    size: float = 1.0
    level: float = 1.0
    order: str = "falls"
    turned: str = "none"
    bend: float = 1.0
    top: float = 8.0
    dark: str = "none"
    spread: float = 0.1
    apart: bool = False
    alone: bool = False
    networks: int = N_SEEDS
    flat: bool = False
    worse: bool = False
    noise: bool = False


def of_experiment(study, name):
    """Observables of an experiment that have one number for each layer."""
    variables = (one for observable in study.observables(name) for one in observable.names)
    return [one for one in variables if one not in WHOLE]


def factor(pattern, k, n):
    """Of the k-th of n: between -1 and 1."""
    place = k / max(n - 1, 1)
    return {
        "same": 1.0,
        "up": 0.1 + 0.9 * place,
        "down": 1.0 - 0.9 * place,
        "first": 1.0 if k == 0 else -0.5,
        "last": 1.0 if k == n - 1 else -0.5,
        "alternate": 1.0 if k % 2 == 0 else -1.0,
        "opposite": -1.0 if k % 2 == 0 else 1.0,
    }[pattern]


PATTERNS = ("same", "up", "down", "first", "last", "alternate", "opposite")
FIRST = (
    Way(), Way(split=True), Way(size=0.0), Way(size=0.0, level=0.0), Way(noise=True),
    Way(order="rises"), Way(order="half"), Way(order="half", size=0.0),
    Way(split=True, level=0.0), Way(sign=-1.0), Way(planes="alternate"), Way(planes="up"),
    Way(planes="down"), Way(planes="first"), Way(rulers="alternate"), Way(rulers="up"),
    Way(turned="alternate"), Way(turned="half"), Way(bend=4.0), Way(networks=12),
    Way(dark="even"), Way(dark="odd"),
    *(Way(dark=str(k), split=split) for k in range(6) for split in (False, True)),
    Way(dark="even", split=True), Way(dark="odd", split=True),
    Way(apart=True), Way(apart=True, sign=-1.0),
    Way(apart=True, split=True), Way(alone=True),
    Way(alone=True, bend=0.2),
    Way(top=12.0, flat=True, size=0.0), Way(top=12.0, flat=True, split=True),
    Way(top=12.0, flat=True),
    *(Way(planes=one, spread=x) for one in ("alternate", "up") for x in (2.4, 2.8, 3.4, 3.8)),
    Way(worse=True), Way(worse=True, others=-1.0), Way(worse=True, split=True),
    Way(dark="0", sign=-1.0), Way(top=0.7, size=0.0, flat=True),
)  # fmt: skip


def ways(n):
    """The plain ways, and then others by chance, the same ones each time."""
    yield from FIRST
    rng = np.random.default_rng(0)
    for _ in range(n):
        yield Way(
            planes=str(rng.choice(PATTERNS)),
            rulers=str(rng.choice(PATTERNS)),
            layers=str(rng.choice(["same", "up", "down", "alternate"])),
            sign=float(rng.choice([1.0, -1.0])),
            others=float(rng.choice([1.0, -1.0, 0.0])),
            split=bool(rng.random() < 0.25),
            size=float(rng.choice([0.1, 0.3, 1.0])),
            level=float(rng.choice([1.0, 1.0, 0.0])),
            order=str(rng.choice(["falls", "falls", "rises", "half"])),
            turned=str(rng.choice(["none", "none", "none", "alternate", "half"])),
            bend=float(rng.choice([1.0, 1.0, 1.0, 4.0])),
            noise=bool(rng.random() < 0.25),
        )


def planes_for(claim, way):
    """One plane for each experiment of a claim."""
    study = Study(claim.chapter)
    names = claim.experiments
    return {name: plane_of(study, name, k, len(names), way) for k, name in enumerate(names)}


def _named(test):
    planes = test.get("planes", [])
    return planes.values() if isinstance(planes, dict) else planes


def plane_of(study, name, k, n_planes, way):
    """A plane with the rulers, layers and named epochs of its experiment."""
    experiment = study.experiments[name]
    rulers = [level for ruler in study.estimators(name) for level in map(repr, ruler.levels())]
    waiting = [test.entry for claim in study.claims if claim.waits for test in claim.tests]
    asked = {one["ruler"] for one in waiting if "ruler" in one and name in _named(one)}
    rulers += sorted(asked - set(rulers))  # comes with its run
    n_layers = len(experiment.hidden_widths) + 1 + len(experiment.convolutions)
    last = experiment.n_epochs
    spaced = np.geomspace(1, last, N_CHECKPOINTS).round().astype(int)
    epochs = np.unique([0, *experiment.measured_epochs, *spaced, last])
    rng = np.random.default_rng(k + 1)
    own = 1 + way.spread * rng.standard_normal(N_SEEDS)
    if way.split:
        own[::2] *= -1
    if way.alone:
        own[1:] = 0.0
    amount = way.sign * way.size * factor(way.planes, k, n_planes) * own

    def curves(low, level, change, seed):
        """(seed, epoch): up to the level, then by the change."""
        time, spent = np.log1p(epochs) / np.log1p(last), epochs / last
        jitter = 0.01 * np.random.default_rng(seed).standard_normal((N_SEEDS, 1))
        rise = np.interp(time, [0, 0.45, 1], [low, level, level])
        later = np.interp(time, [0, 0.55, 1], [0, 0, 1]) if way.bend == 1 else spent**way.bend
        return rise + jitter * (level - low) + np.asarray(change)[:, None] * later

    def of_layers(low, level, scale, seed, n, pattern="same", k_ruler=0):
        ruler = factor(pattern, k_ruler, len(rulers))
        made = [
            curves(
                low + 0.05 * (n - layer) * (level - low),
                level - 0.05 * layer * (level - low),
                scale * ruler * factor(way.layers, layer, n) * amount,
                seed + layer,
            )
            for layer in range(n)
        ]
        values = np.stack(made, axis=-1)
        turned = {"falls": slice(0, 0), "rises": slice(None), "half": slice(None, None, 2)}
        values[turned[way.order]] = values[turned[way.order], :, ::-1]
        backward = {
            "half": slice(None, None, 2),
            "alternate": slice(None) if k % 2 else slice(0, 0),
        }
        if way.turned in backward:
            values[backward[way.turned]] = values[backward[way.turned], ::-1]
        return values

    start = way.top if way.flat else way.top / 2
    data = {
        "i_xt": np.stack(
            [of_layers(start, way.top, -2.5, 10 * r, n_layers, way.rulers, r)
             for r in range(len(rulers))]
        ),
        "i_ty": np.stack(
            [of_layers(0.1, 0.6, 0.6, 7 + 10 * r, n_layers, way.rulers, r)
             for r in range(len(rulers))]
        ),
    }  # fmt: skip
    if way.dark != "none":
        which = {"even": slice(0, None, 2), "odd": slice(1, None, 2)}
        number = int(way.dark) if way.dark.isdigit() else 0
        unseen = data["i_xt"][which.get(way.dark, slice(number, number + 1))]
        unseen[:, :: 2 if way.split else 1] = 1e-3
    dims = ("estimator", "seed", "epoch", "layer")
    found = {name: (dims, values) for name, values in data.items()}
    amount = amount * (rng.standard_normal(N_SEEDS) if way.noise else 1.0)
    for number, variable in enumerate(of_experiment(study, name)):
        low, level, scale = (0.2, 0.5, 0.45) if variable in SHARES else (0.5, 1.0, 0.8)
        if way.level == 0.0:
            low, level = 2e-3, 1e-3
        side = -1.0 if way.apart and number % 2 else 1.0
        values = of_layers(low, level, side * way.others * scale, 100 + number, n_layers)
        if "gradient" in variable:
            values = 10.0 ** (2 * values * (1 if variable.endswith("mean") else -1))
        elif variable not in SIGNED:
            values = np.maximum(values, 1e-3)
        found[variable] = (("seed", "epoch", "layer"), values)
    whole = {
        "train_accuracy": curves(0.5, 0.99, 0 * amount, 1),
        "test_accuracy": curves(0.5, 0.9, 0.08 * way.others * amount, 2),
        "loss": np.exp(-3 * curves(0.1, 0.9, 0.3 * abs(amount), 3)),
        "test_loss": (3.0 if way.worse else 1.0)
        * np.exp(-2 * curves(0.1, 0.8, 0.3 * way.others * amount, 4)),
        "generalisation_error": np.exp(-2 * curves(0.1, 0.8, 0.3 * way.others * amount, 5)),
    }  # everything else of the whole network
    found |= {name: (("seed", "epoch"), values) for name, values in whole.items()}
    coords = {
        "estimator": rulers,
        "seed": np.arange(N_SEEDS),
        "epoch": epochs,
        "layer": np.arange(1, n_layers + 1),
        "update": ("epoch", epochs * (2 + k)),
        "width": ("layer", [*[10] * (n_layers - 1), 2]),
    }
    attrs = {
        "n_samples": 4096, "label_entropy": 0.999157, "profile": "paper",
        "experiment": experiment.to_json(),
    }  # fmt: skip
    return xr.Dataset(found, coords, attrs).isel(seed=slice(way.networks))
