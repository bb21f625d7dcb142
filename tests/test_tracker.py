"""Following a training: the plane of ib.measure epoch by epoch, resumed, and without a trace."""

import json
import random

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import ibcore as ib
from ibcore import reports
from ibcore.tracker import hash_of_weights

RNG = np.random.default_rng(0)
X = torch.from_numpy(RNG.normal(size=(60, 4)).astype(np.float32))
Y = torch.from_numpy(RNG.integers(0, 3, 60))
RULERS = [ib.Binning(n_bins=8), ib.KernelBound((0.1, 0.4))]


def network(seed=0):
    torch.manual_seed(seed)
    layers = [nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Dropout(0.2), nn.Linear(6, 3)]
    return nn.Sequential(*layers)


def step(model, optimizer):
    loss = nn.functional.cross_entropy(model(X), Y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def trained(n_epochs=5, seed=0, follow=True, **settings):
    """A training with a tracker, or without; the model and the tracker."""
    model = network(seed)
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    settings = {"layers": ["2", "4"], "rulers": RULERS, "at": "every"} | settings
    tracker = ib.Tracker(model, X, Y, seed=seed, **settings) if follow else None
    for epoch in range(n_epochs + 1):
        if tracker:
            tracker(epoch)
        if epoch < n_epochs:
            step(model, optimizer)
    return model, tracker


def test_each_epoch_is_what_measure_gives():
    """At epoch 0 and at the end, up to the steps of a stored plane."""
    model, tracker = trained()
    plane = tracker.plane
    ib.plane.check(plane)
    assert plane.i_xt.dims == ("estimator", "seed", "epoch", "layer")
    assert plane.epoch.values.tolist() == [0, 1, 2, 3, 4, 5]
    assert plane.width.values.tolist() == [6, 3]
    assert json.loads(plane.layer_names) == ["2", "4"]
    for epoch, net in ((0, network()), (5, model)):
        found = ib.measure(net, X, Y, layers=["2", "4"], estimators=RULERS)
        here = plane.sel(epoch=epoch, seed=0)
        for name in ("i_xt", "i_ty"):
            np.testing.assert_allclose(here[name], found[name], atol=1.01e-4)
        assert here.estimator.values.tolist() == found.estimator.values.tolist()
    assert plane.n_samples == 60
    assert plane.label_entropy == pytest.approx(found.label_entropy)


def test_a_training_is_the_same_with_a_tracker():
    """Weights, running means, dropout's draws and a shuffled loader's order: bit for bit."""

    def run(follow):
        model, data = network(), TensorDataset(X, Y)
        optimizer = torch.optim.SGD(model.parameters(), 0.5, momentum=0.9)
        loader = DataLoader(data, batch_size=20, shuffle=True)
        settings = {"at": "every", "mode": "training", "replicas": 2}
        tracker = ib.Tracker(model, loader, rulers=[ib.Exact()], **settings) if follow else None
        for epoch in range(4):
            for x, y in loader:
                nn.functional.cross_entropy(model(x), y).backward()
                if tracker:
                    tracker(epoch)  # between backward and step, in training mode
                optimizer.step()
                optimizer.zero_grad()
                break
        return hash_of_weights(model), random.random(), np.random.random()  # noqa: NPY002

    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    alone = run(follow=False)
    random.seed(1)
    np.random.seed(1)  # noqa: NPY002
    assert run(follow=True) == alone


def test_other_epochs_cost_nothing():
    """The model is not called, its weights are not read."""
    model = network()
    tracker = ib.Tracker(model, X, Y, at=[0])
    tracker(0)
    model.forward = model.state_dict = None
    assert not any(tracker(epoch) for epoch in range(1, 100))


def test_log_spaced_epochs_are_ten_to_a_decade():
    tracker = ib.Tracker(network(), X, Y)
    due = [epoch for epoch in range(10_001) if tracker.is_due(epoch)]
    powers = {round(10 ** (k / 10)) for k in range(41)}
    assert due == sorted({0, *powers})


@pytest.mark.parametrize("at", ["often", [], [-1], [0.5], 7])
def test_times_that_are_none_are_refused(at):
    with pytest.raises(
        ValueError, match=r"at must be 'log', 'every' or a list of epochs from 0 on"
    ):
        ib.Tracker(network(), X, Y, at=at)


def test_a_run_goes_on_where_it_stopped(tmp_path):
    """The plane of an interrupted run is that of one without interruption."""
    path = tmp_path / "plane.nc"
    whole = trained(at="every")[1].plane
    trained(n_epochs=2, path=path)
    tracker = trained(n_epochs=0, path=path, follow=True)[1]
    assert tracker.plane.equals(whole.isel(epoch=slice(3)))
    calls = []
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), 0.5)
    tracker = ib.Tracker(model, X, Y, layers=["2", "4"], rulers=RULERS, at="every", path=path)
    for epoch in range(6):
        calls.append(tracker(epoch))
        step(model, optimizer)
    assert calls == [False] * 3 + [True] * 3
    assert tracker.plane.equals(whole)
    assert ib.plane.load(path).equals(whole)
    assert [one.name for one in tmp_path.iterdir()] == ["plane.nc"]


class Counting(nn.Module):
    """Counts how often it runs."""

    def __init__(self):
        super().__init__()
        self.layer, self.calls = nn.Linear(4, 2), 0

    def forward(self, x):
        self.calls += 1
        return self.layer(x)


def test_measured_epochs_are_not_measured_again(tmp_path):
    model = Counting()
    ib.Tracker(model, X, Y, path=tmp_path / "a.nc")(0)
    calls = model.calls
    tracker = ib.Tracker(model, X, Y, path=tmp_path / "a.nc")
    assert not tracker(0)
    assert model.calls == calls


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model": nn.Sequential(nn.Linear(4, 7))}, "holds a plane of another model"),
        ({"x": X + 1}, "holds a plane of another data"),
        ({"y": (Y + 1) % 3 * (X[:, 0] > 0)}, "holds a plane of another data"),
        ({"rulers": [ib.Exact()]}, "holds a plane of another rulers"),
        ({"layers": ["0"]}, "holds a plane of another asked"),
        ({"seed": 4}, "holds a plane of another seed"),
        ({"mode": "training"}, "holds a plane of another mode"),
    ],
    ids=lambda one: "" if isinstance(one, str) else next(iter(one)),
)
def test_a_file_of_something_else_is_refused(tmp_path, change, message):
    usual = {"model": nn.Sequential(nn.Linear(4, 6)), "x": X, "y": Y, "path": tmp_path / "a.nc"}
    ib.Tracker(**usual)(0)
    before = (tmp_path / "a.nc").read_bytes()
    with pytest.raises(ValueError, match=message):
        ib.Tracker(**usual | change)
    assert (tmp_path / "a.nc").read_bytes() == before


def test_two_runs_never_mix():
    """An epoch that is measured is only skipped where the weights are the same."""
    _, tracker = trained(n_epochs=1)
    with pytest.raises(
        ValueError, match="epoch 0 is measured already, with other weights: this is"
    ):
        tracker(0)


def test_an_own_function_is_known_by_its_code(tmp_path):
    def make(shift):
        def mine(t, y):
            return shift, 0.0

        return mine

    model = nn.Linear(4, 2)
    ib.Tracker(model, X, Y, rulers=[make(1.0)], path=tmp_path / "a.nc")(0)

    def mine(t, y):
        return 2.0, 0.0

    with pytest.raises(ValueError, match="holds a plane of another code"):
        ib.Tracker(model, X, Y, rulers=[mine], path=tmp_path / "a.nc")


def test_seeds_are_merged():
    planes = [trained(n_epochs=1, seed=seed)[1].plane for seed in (0, 1)]
    merged = ib.plane.merge_seeds(planes)
    assert merged.seed.values.tolist() == [0, 1]
    np.testing.assert_array_equal(merged.i_xt.sel(seed=1), planes[1].i_xt.sel(seed=1))
    assert planes[0].digest == planes[1].digest


def test_the_caller_says_what_training_says():
    model = network()
    tracker = ib.Tracker(model, X, Y)
    tracker(0, update=0, loss=1.5, train_accuracy=0.25, test_accuracy=0.5)
    tracker.measure(7, update=70)
    plane = tracker.plane
    assert plane["update"].values.tolist() == [0, 70]
    assert plane.loss.values[0, 0] == 1.5
    assert np.isnan(plane.loss.values[0, 1])
    assert plane.test_accuracy.values[0, 0] == 0.5


def test_the_book_draws_it():
    """One line, with the names of the layers."""
    _, tracker = trained(n_epochs=2)
    ax = ib.plots.information_plane(tracker.plane, estimator=RULERS[0])
    assert {"2 (6)", "4 (3)"} <= {one.get_text() for one in ax.texts}
    assert reports.layer_names(tracker.plane) == ["2", "4"]


def test_without_labels_the_plane_has_one_side():
    tracker = ib.Tracker(network(), X)
    tracker(0)
    assert np.isnan(tracker.plane.i_ty).all()
    assert not np.isnan(tracker.plane.i_xt).any()


def test_a_loader_must_give_the_same_samples():
    """In any order; augmentation that changes them is found."""
    shuffled = DataLoader(TensorDataset(X, Y), batch_size=16, shuffle=True)
    tracker = ib.Tracker(network(), shuffled, at="every", rulers=[ib.Exact()])
    assert tracker(0)
    assert tracker(1)
    shaken = DataLoader(TensorDataset(X, Y), batch_size=16, collate_fn=shake)
    tracker = ib.Tracker(network(), shaken, at="every", rulers=[ib.Exact()])
    tracker(0)
    with pytest.raises(ValueError, match="x gives other samples than before; measure on the same"):
        tracker(1)
    with pytest.raises(ValueError, match="x can be read only once, and a tracker reads it at each"):
        ib.Tracker(network(), iter([(X, Y)]))


SHIFT = iter(range(100))


def shake(batch):
    """Random augmentation."""
    x, y = zip(*batch, strict=True)
    return torch.stack(x) + next(SHIFT), torch.stack(y)


def test_nothing_measured_is_said():
    with pytest.raises(ValueError, match=r"nothing is measured yet: call tracker\(epoch\)"):
        _ = ib.Tracker(network(), X, Y).plane
    with pytest.raises(
        ValueError, match="need one label for each input, got 60 inputs and 59 labe"
    ):
        ib.Tracker(network(), X, Y[1:])
    with pytest.raises(ValueError, match="epoch must be a whole number from 0 to"):
        ib.Tracker(network(), X, Y, at="every")(0.5)
    with pytest.raises(ValueError, match=r"epoch must be a whole number from 0 to .* got -1"):
        ib.Tracker(network(), X, Y)(-1)
    with pytest.raises(ValueError, match=r"rulers must be a list of rulers, got Exact\(\)"):
        ib.Tracker(network(), X, Y, rulers=ib.Exact())


def test_a_file_that_no_tracker_wrote(tmp_path):
    """The plane of a run of ibcore is no run to go on with."""
    e = ib.Experiment(hidden_widths=(3,), n_epochs=2, n_measured_epochs=2, n_seeds=1)
    ib.plane.save(ib.run(e, [ib.Exact()], progress=False), tmp_path / "run.nc")
    with pytest.raises(ValueError, match="holds a plane that no tracker wrote; give each run"):
        ib.Tracker(network(), X, Y, path=tmp_path / "run.nc")
