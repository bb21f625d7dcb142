"""Pieces of one's own: known by their content, refused by name where they are not at hand."""

import json
import os
import pickle
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import cloudpickle
import numpy as np
import pytest
import tiny_paper
import torch
import xarray as xr

import ibcore as ib
from ibcore import claims, config, observables, own, plugins
from ibcore.estimators import base
from ibcore.networks import ACTIVATIONS
from ibcore.papers import book_folder, papers
from ibcore.results import live_code, provenance
from ibcore.results.places import holders
from ibcore.training import first_updates, torch_own, train

X = np.random.default_rng(0).normal(size=(120, 3))
Y = np.where(X[:, 0] > 0, "right", "left")
SMALL = {"hidden_widths": (4, 3), "n_epochs": 4, "n_measured_epochs": 3, "n_seeds": 2}
SMALL |= {"batch_size": 32, "learning_rate": 0.01}


def sides(shift=0.0):
    return ib.task_from_arrays(X + shift, Y, name="sides")


def ramp(z):
    return torch.clamp(z, -0.5, 2.0)


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """What a test registers is gone after it."""
    for home, name in ((own, "_known"), (own, "_latest")):
        monkeypatch.setattr(
            home, name, {key: dict(one) for key, one in getattr(home, name).items()}
        )
    before = dict(observables.OBSERVABLES), dict(observables.VARIABLES)
    yield
    for now, then in zip((observables.OBSERVABLES, observables.VARIABLES), before, strict=True):
        now.clear()
        now.update(then)


# Experiments


def test_an_experiment_keeps_the_name_and_the_content_of_a_task():
    one, same, other = (ib.Experiment(task=sides(shift), **SMALL) for shift in (0.0, 0.0, 1e-3))
    name, content = one.task.split("@")
    assert (name, content) == ("sides", sides().content()[:12])
    assert json.loads(one.to_json())["task"] == f"sides@{content}"
    assert one == same
    assert one.digest() == same.digest() != other.digest()
    assert ib.Experiment.from_json(one.to_json()) == one
    np.testing.assert_array_equal(ib.load_task(one.task).x, sides().x)
    assert ib.Experiment(task=ib.load_task(one.task), **SMALL) == one
    assert ib.Experiment(task=ib.load_task("szt")).task == "szt"


def test_the_digests_of_published_experiments_stay():
    """With own pieces registered, too: each still names its stored result."""
    ib.Experiment(task=sides(), activation=ramp, optimizer=torch.optim.AdamW)
    results = book_folder() / "results"
    digests = [one.digest() for p in papers() for one in ib.Study(p).experiments.values()]
    stored = [bool(holders(one, [results])) for one in digests]
    assert len(digests) > 100
    assert np.mean(stored) > 0.9


@pytest.mark.parametrize(
    ("field", "given", "message"),
    [
        ("task", "sides@0123456789ab", "the task 'sides' with content 0123456789ab is not at hand"),
        ("activation", "ramp@0123456789ab", r"give it to ib.register\('activation', ...\)"),
        ("optimizer", "AdamW@0123456789ab", "the optimizer 'AdamW' with content 0123"),
    ],
)
def test_what_is_not_at_hand_is_refused_by_name(field, given, message):
    stored = json.loads(ib.Experiment().to_json()) | {field: given}
    with pytest.raises(ValueError, match=message):
        ib.Experiment.from_json(json.dumps(stored))


def test_another_piece_of_the_same_name_is_said_to_be_another():
    now = ib.Experiment(task=sides()).task
    with pytest.raises(ValueError, match=f"under this name is {now}, which is something else"):
        ib.Experiment(task="sides@0123456789ab")


@pytest.mark.parametrize(
    ("field", "given", "message"),
    [
        ("task", 3, "task must be one of szt"),
        ("task", "nowhere", "task must be one of szt"),
        ("activation", 3, "activation must be one of linear.*; got 3"),
        ("activation", lambda z: z.cumsum(0), "must be a function of each number by itself"),
        ("activation", lambda z: z.detach().numpy(), "must take a torch tensor and return one"),
        ("activation", lambda z: torch.sqrt(z.abs()) * torch.inf, "with a finite slope"),
        ("optimizer", 3, "optimizer must be one of sgd"),
        ("optimizer", lambda parameters: None, "is called with a list of parameters and lr="),
        ("optimizer", lambda parameters, lr: None, "must return a torch optimizer"),
    ],
)
def test_what_is_no_piece_is_refused_at_once(field, given, message):
    with pytest.raises(ValueError, match=message):
        ib.Experiment(**{field: given})


def test_register_says_what_it_knows():
    with pytest.raises(ValueError, match="register knows task, activation, optimizer and observ"):
        ib.register("ruler", ib.Exact())
    with pytest.raises(ValueError, match=r"task must be an ib\.Task, as ib.task_from_arrays makes"):
        ib.register("task", X)
    with pytest.raises(ValueError, match="an observable is an object of a class that inherits"):
        ib.register("observable", ramp)
    assert own.registered("activation", "relu") is None
    assert own.registered("activation", ib.register("activation", ramp)) is ramp


# Tasks from arrays


def test_labels_of_any_kind_make_a_task():
    """H(Y) from counts; whole numbers may come as floats; images are laid out in a row."""
    task = sides()
    p = np.mean(Y == "right")
    assert task.label_entropy == pytest.approx(-p * np.log2(p) - (1 - p) * np.log2(1 - p))
    floats = ib.task_from_arrays(np.zeros((4, 2, 3)), np.array([7.0, 7, 9, 8]), name="floats")
    assert (floats.n_classes, floats.x.shape, floats.y.tolist()) == (3, (4, 6), [0, 0, 2, 1])
    soft = ib.task_from_arrays(X, np.full(120, 0.25), name="soft", kind="probabilities")
    assert soft.is_soft
    real = ib.task_from_arrays(X, X[:, :2] * 3, name="real", kind="targets")
    assert real.n_outputs == 2
    with pytest.raises(ValueError, match=r"y holds real numbers, as .* kind='targets'"):
        ib.task_from_arrays(X, X[:, 0], name="real")
    with pytest.raises(ValueError, match="kind must be one of classes"):
        ib.task_from_arrays(X, Y, name="real", kind="labels")
    with pytest.raises(ValueError, match=r"x must be \(sample, ...\), got shape \(120,\)"):
        ib.task_from_arrays(X[:, 0], Y, name="flat")


# Engines


def test_an_own_activation_is_the_one_of_the_book_of_the_same_formula():
    """Tanh as a function of a tensor trains the networks that "tanh" trains, up to rounding."""
    book = ib.Experiment(task=sides(), activation="tanh", **SMALL)
    mine = book.replace(activation=torch.tanh)
    expected, found = (train(one, progress=False).parameters for one in (book, mine))
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)
    z = np.linspace(-2, 2, 9)
    value, slope = ACTIVATIONS[mine.activation]
    np.testing.assert_allclose(value(z), np.tanh(z), atol=1e-12)
    np.testing.assert_allclose(slope(z, value(z)), 1 - np.tanh(z) ** 2, atol=1e-12)
    assert mine.digest() != book.digest()


def test_an_own_optimiser_is_the_one_of_the_book_of_the_same_formula():
    book = ib.Experiment(task=sides(), optimizer="sgd", **SMALL)
    mine = book.replace(optimizer=torch.optim.SGD)
    expected, found = (train(one, progress=False).parameters for one in (book, mine))
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)
    first = first_updates(mine, 0, 3)
    np.testing.assert_allclose(first, first_updates(book, 0, 3), rtol=0, atol=2e-6)
    assert len(first) == 4


def clipped(parameters, lr):
    """An optimiser that looks at all of a network: its gradient is cut to norm 1e-3."""

    class Clipped(torch.optim.SGD):
        def step(self, closure=None):
            torch.nn.utils.clip_grad_norm_(parameters, 1e-3)
            return super().step(closure)

    return Clipped(parameters, lr=lr)


def test_networks_with_an_own_optimiser_do_not_see_their_neighbours():
    mine = ib.Experiment(task=sides(), optimizer=clipped, **SMALL)
    both = train(mine, progress=False).parameters
    alone = train(mine, seeds=(1,), progress=False).parameters
    np.testing.assert_array_equal(both[:, 1:], alone)


def test_pieces_do_not_go_with_convolutions():
    mine = ib.Experiment(task="digits", convolutions=(2,), activation=ramp)
    with pytest.raises(ValueError, match="takes no activation or optimizer of your own here"):
        train(mine, progress=False)


# Code


def constant(k):
    def shifted(z):
        return z + k

    return shifted


def made(body):
    names = {"torch": torch}
    exec(f"def f(z):\n    {body}", names)
    return names["f"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (made("return z"), made("return z + 1")),
        (made("return z * 2.0"), made("return z * 3.0")),
        (made("return torch.sin(z)"), made("return torch.cos(z)")),
        (constant(1), constant(2)),
        (partial(torch.clamp, min=0), partial(torch.clamp, min=-1)),
        (torch.tanh, torch.sigmoid),
        (torch.nn.LeakyReLU(0.1), torch.nn.ReLU()),
    ],
)
def test_other_code_is_another_piece(one, other):
    assert provenance.code_of(one) != provenance.code_of(other)
    assert provenance.code_of(one) == provenance.code_of(one)


def test_prose_is_no_code():
    assert provenance.code_of(made("return z")) == provenance.code_of(made("'f'; return z"))
    assert len(list(live_code.live_code(made("return z"), str))) >= 2


HASHES = """
import cloudpickle, sys
from ibcore.results.provenance import code_of
for one in cloudpickle.load(open(sys.argv[1], "rb")):
    print(code_of(one))
"""


def test_a_piece_has_the_same_code_in_another_process(tmp_path):
    """Sent by value, as from a notebook, and with sets, whose order is another in each process."""
    names = {"torch": torch, "dataclass": dataclass, "ib": ib}
    exec(
        "def f(z):\n    return z if str(z) in {'a', 'b', 'c'} else torch.sin(z)\n"
        "@dataclass(frozen=True)\nclass Sent(ib.Ruler):\n"
        "    width: float = 0.1\n    measures = 'I'\n"
        "    def __call__(self, t, y):\n        return ib.LayerInformation(f(t), self.width)\n",
        names,
    )
    pieces = [names["f"], names["Sent"], constant(3), torch.nn.functional.mish]
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    (tmp_path / "pieces").write_bytes(cloudpickle.dumps(pieces))
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])
    done = subprocess.run(
        [sys.executable, "-c", HASHES, str(tmp_path / "pieces")],
        env={**os.environ, "PYTHONHASHSEED": "7"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [provenance.code_of(one) for one in pieces]
    base.REGISTRY.pop("Sent")


# In a store


@dataclass(frozen=True)
class Sparsity(ib.Observable):
    """Share of activations near 0."""

    level: float = 0.1
    variables: ClassVar = {"sparsity": ("1", "share of small activations")}

    def __call__(self, view):
        return {"sparsity": [float((np.abs(t) < self.level).mean()) for t in view.layers]}


def test_an_own_observable_is_known_by_its_code_and_its_settings(tmp_path):
    """Nothing is stored of its settings: with others it is measured again, without training."""
    e, store = ib.Experiment(task=sides(), **SMALL), ib.Store(tmp_path)

    def asked(*observables):
        return ib.load_or_run(e, [ib.Exact()], observables, store=store, progress=False)

    few, many = asked(Sparsity(0.01)), asked(Sparsity(0.5))
    assert (few.sparsity < many.sparsity).any()
    assert few.sparsity.attrs["long_name"] == "share of small activations"
    xr.testing.assert_identical(asked(Sparsity(0.01)), few)
    assert "sparsity" not in asked()
    again = asked(Sparsity(0.5))
    assert not store.distrusted(again)
    for one in tmp_path.glob("weights/*/*"):
        assert one.name == "seeds-0000-0001.npz"


def test_an_observable_nobody_knows_is_in_nobodys_way(tmp_path):
    e, store = ib.Experiment(task=sides(), **SMALL), ib.Store(tmp_path)
    ib.load_or_run(e, [ib.Exact()], [Sparsity()], store=store, progress=False)
    del observables.OBSERVABLES["Sparsity"], observables.VARIABLES["sparsity"]
    found = ib.load_or_run(e, [ib.Exact(), ib.Binning(width=0.5)], store=store, progress=False)
    assert store.distrusted(found) == ()


@dataclass(frozen=True)
class Loud(ib.Observable):
    variables: ClassVar = {"loss": ("nats", "loss")}


@pytest.mark.parametrize(
    ("observable", "message"),
    [
        (Loud(), "Loud measures loss, which is another's"),
        (ib.Observable(), "names its variables"),
        (type("Shape", (ib.Observable,), {"variables": {"own": ("1", "w")}})(), "ibcore has an"),
    ],
)
def test_an_observable_takes_no_others_name(observable, message):
    with pytest.raises(ValueError, match=message):
        ib.register("observable", observable)
    assert ib.register("observable", observables.Shape()) == "shape"


def test_a_stored_result_with_own_pieces_is_found_again_in_another_process(tmp_path):
    """And is refused by name in one that has not made them."""
    code = (
        "import sys; import numpy as np; import torch; import ibcore as ib\n"
        "x = np.arange(24.0).reshape(12, 2)\n"
        "task = ib.task_from_arrays(x, x[:, 0] > 11, name='ups')\n"
        "e = ib.Experiment(task=task, activation=torch.nn.functional.mish, n_seeds=1,\n"
        "                  hidden_widths=(2,), n_epochs=2, n_measured_epochs=2)\n"
        f"ib.load_or_run(e, [ib.Exact()], store=ib.Store({str(tmp_path)!r}), progress=False)\n"
        "print(e.to_json())\n"
    )
    said = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        for _ in range(2)
    ]
    assert said[0].stdout == said[1].stdout
    assert len(list(tmp_path.glob("planes/*/*.nc"))) == 1
    with pytest.raises(ValueError, match="the task 'ups' with content"):
        ib.Experiment.from_json(said[0].stdout)


# Packages


class Point:
    """An entry point of a package."""

    def __init__(self, name, found):
        self.name, self.found, self.value = name, found, f"package:{name}"

    def load(self):
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def test_packages_offer_pieces_by_name(monkeypatch):
    groups = {
        "tasks": {"sides": Point("sides", sides)},
        "activations": {"ramp": Point("ramp", ramp), "odd": Point("odd", ImportError("no odd"))},
        "optimizers": {"adamw": Point("adamw", torch.optim.AdamW)},
    }
    monkeypatch.setattr(plugins, "points", lambda group: groups.get(group, {}))
    given = ib.Experiment(task="sides", activation="ramp", optimizer="adamw", **SMALL)
    assert given == ib.Experiment(
        task=sides(), activation=ramp, optimizer=torch.optim.AdamW, **SMALL
    )
    with pytest.raises(ValueError, match="package:odd, offered as 'odd', cannot be loaded: no odd"):
        ib.Experiment(activation="odd")
    with pytest.warns(RuntimeWarning, match="left out: package:odd"):
        assert plugins.load_all("activations") == {"ramp": ramp}


def test_a_package_offers_a_task_a_ruler_and_an_observable(tmp_path):
    """A real package, as pip leaves it, in a process of its own."""
    (tmp_path / "pieces.py").write_text(
        "import numpy as np\nfrom dataclasses import dataclass\nfrom typing import ClassVar\n"
        "from ibcore.estimators import Exact, Ruler\n"
        "from ibcore.observables import Observable\nfrom ibcore.tasks.arrays import "
        "task_from_arrays\n"
        "def both():\n    return task_from_arrays(np.eye(4), [0, 1, 1, 1], name='both')\n"
        "@dataclass(frozen=True)\nclass Packed(Ruler):\n"
        "    def __call__(self, t, y):\n        return Exact()(t, y)\n"
        "@dataclass(frozen=True)\nclass Mean(Observable):\n"
        "    variables: ClassVar = {'mean': ('1', 'mean activation')}\n"
        "    def __call__(self, view):\n"
        "        return {'mean': [float(t.mean()) for t in view.layers]}\n"
    )
    info = tmp_path / "pieces-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pieces\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[ibcore.tasks]\nboth = pieces:both\n[ibcore.rulers]\npacked = pieces\n"
        "[ibcore.observables]\nmean = pieces:Mean\n"
    )
    code = (
        "import ibcore as ib\n"
        "from ibcore.observables import OBSERVABLES\n"
        "e = ib.Experiment(task='both', hidden_widths=(2,), n_seeds=1, n_epochs=1)\n"
        "ruler = ib.estimators.from_name('Packed()')\n"
        "p = ib.run(e, [ruler], [OBSERVABLES['Mean']], progress=False)\n"
        "print(e.task, p.estimator.values[0], p['mean'].sizes['layer'])\n"
    )
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    task, ruler, layers = done.stdout.split()
    assert (task.split("@")[0], ruler, layers) == ("both", "Packed()", "2")


# Claims


def test_a_claim_lies_beside_a_notebook(tmp_path):
    file = tmp_path / "claims.toml"
    second = tiny_paper.CLAIMS.split("[[claims]]")[2]
    file.write_text(f"[[claims]]{second}")
    (claim,) = claims.read_claims(file)
    e = ib.Experiment(task=sides(), **SMALL | {"n_seeds": 12})
    found = claims.judge(claim, {"small": ib.run(e, [ib.Binning(30)], progress=False)})
    assert found.verdict in claims.WORDS
    assert found.n_seeds == 12
    file.write_text(f"[[claims]]{tiny_paper.CLAIMS.split('[[claims]]')[1]}")
    with pytest.raises(ValueError, match="asks for the functions addition; these stand in the ev"):
        claims.read_claims(file)
    file.write_text("[[claims")
    with pytest.raises(ValueError, match=r"claims\.toml: "):
        claims.read_claims(file)
    with pytest.raises(ValueError, match="there is no claims file at"):
        claims.read_claims(tmp_path / "none.toml")


def test_pieces_travel():
    """An experiment is plain values: it goes to another process as it is."""
    e = ib.Experiment(task=sides(), activation=ramp)
    assert pickle.loads(pickle.dumps(e)) == e
    assert torch_own.OPTIMIZERS.keys() <= {*own._known["optimizer"], *torch_own.OPTIMIZERS}
    assert e.task in config.OWN_TASKS
