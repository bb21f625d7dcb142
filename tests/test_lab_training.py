"""The laboratory trains as ib.train does: rows, batches, gradients, updates, what is measured."""

import numpy as np
import pytest
from lab_page import experiment, needs_browser, scripted

import ibcore as ib
from ibcore.observables import Performance
from ibcore.observables.base import View
from ibcore.tasks import load_task
from ibcore.training import torch_batched
from ibcore.training.inputs import batch_orders, split_rows
from ibcore.training.trajectory import unpack

pytestmark = needs_browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with scripted(tmp_path_factory.mktemp("lab")) as run:
        yield run


SETTINGS = (
    {}, {"activation": "relu", "initializer": "saxe", "batch": 256, "seed": 7},
    {"optimizer": "sgd", "rate": 0.05, "batch": 100},
    {"optimizer": "momentum", "rate": 0.01, "batch": None},
    {"l2": 0.01, "batch": 37}, {"l2": 0.01, "l2Convention": "half_sum", "batch": 5000},
    {"noise": 0.1}, {"split": "unshuffled", "share": 0.3, "batch": 64, "gain": 2}, {"share": 1},
    *({"activation": name} for name in (
        "linear", "sigmoid", "softsign", "softplus", "leaky_relu", "elu", "centred_softplus",
        "swish",
        "abs", "hard_tanh")),
)  # fmt: skip


def test_rows_and_batches(page):
    """Splits, orders of epochs, measured epochs."""
    found = page(
        """const train = need("train");
        return given.map((settings) => {
            const own = train.complete(settings), { train: rows, test } = train.splitRows(own);
            const fast = train.trainer(own).order, plain = train.trainer(own, "plain").order;
            return { own, rows, test, orders: [fast(0), fast(3)].map((one) => Array.from(one)),
                     plain: [plain(0), plain(3)], epochs: train.measuredEpochs(own) };
        });""",
        SETTINGS,
    )
    for one in found:
        e = experiment(one["own"])
        rows, test = split_rows(load_task("szt"), e, e.first_seed)
        assert one["rows"] == rows.tolist()
        assert one["test"] == test.tolist()
        for epoch, order in zip((0, 3), one["orders"], strict=True):
            assert order == batch_orders(e, e.first_seed, rows, epoch, 1)[0].tolist()
        assert one["plain"] == one["orders"]
        assert one["epochs"] == e.epochs.tolist()


@pytest.mark.parametrize("how", ["fast", "plain"])
def test_updates(page, how):
    """Twenty updates and the first gradient as the torch twin has them, to float precision."""
    found = page(
        """return given.each.map((settings) => {
            const own = need("train").trainer(settings, given.how), found = [];
            const rows = own.train.length;
            const batch = Math.min(own.settings.batch || rows, rows);
            for (let epoch = 0; found.length < 20; epoch++) {
                for (let first = 0; first < rows && found.length < 20; first += batch) {
                    own.update(epoch, first);
                    found.push([Array.from(own.row), Array.from(own.gradient())]);
                }
            }
            return [own.settings, found];
        });""",
        {"each": SETTINGS, "how": how},
    )
    for settings, updates in found:
        e = experiment(settings)
        twin = torch_batched.first_updates(e, e.first_seed, 20)[1:]
        rows = np.array([row for row, _ in updates])
        assert np.abs(rows - twin).max() < 5e-7, settings
        gradient = updates[0][1]
        assert np.abs(np.array(gradient) - first_gradient(e)).max() < 1e-7, settings


def first_gradient(e):
    """Of the first update, by an update of plain descent with rate 1 of the twin in float64."""
    plain = e.replace(optimizer="sgd", learning_rate=1.0)
    twin = torch_batched._Networks(plain, e.seeds, "cpu", np.float64)
    before = twin.packed()[0]
    next(twin.updates(0))
    return before - twin.packed()[0]


def test_refused_settings(page):
    """A sentence says what is wrong."""
    each = [{"rate": 0}, {"batch": 1.5}, {"activation": "cos"}, {"speed": 1}, {"share": 2}]
    said = page(
        """return given.map((settings) => {
            try {
                need("train").trainer(settings);
                return "";
            } catch (error) {
                return error.message;
            }
        });""",
        each,
    )
    for settings, sentence in zip(each, said, strict=True):
        assert next(iter(settings)) in sentence


def test_python_trains_the_same_network(page):
    """The lines of Python name the experiment, field by field."""
    for settings in SETTINGS:
        text, whole = page(
            "return [need('train').python(given), need('train').complete(given)];", settings
        )
        said = eval(text.partition("ib.train(")[2][:-1], {"ib": ib})
        assert said == experiment(whole)


def test_performance(page):
    """Losses and accuracies of a trained network are those that ibcore measures."""
    settings = {"epochs": 40, "nMeasured": 2, "noise": 0.05, "share": 0.6}
    row, own = page(
        """const own = need("train").trainer(given);
        own.run(40);
        return [own.row, own.performance()];""",
        settings,
    )
    e = experiment({**page("return need('train').complete(given);", settings)})
    task = load_task("szt")
    network = unpack(np.float32(row)[None], e, task)
    there = Performance()(View(e, task, network, e.first_seed, 40))
    names = {
        "loss": "loss",
        "test_loss": "testLoss",
        "train_accuracy": "trainAccuracy",
        "test_accuracy": "testAccuracy",
    }
    for name, value in there.items():
        assert own[names[name]] == pytest.approx(value, abs=1e-12), name


def test_a_network_of_the_page_is_that_of_ib_train(page):
    """Same seed, same network, for as long as rounding allows: 60 epochs, full batch."""
    settings = {"epochs": 60, "nMeasured": 2, "batch": None, "seed": 1028}
    row = page("const own = need('train').trainer(given); own.run(60); return own.row;", settings)
    run = ib.train(experiment(settings), progress=False)
    assert np.array(row) == pytest.approx(run.parameters[-1, 0], abs=2e-6)
