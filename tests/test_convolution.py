"""Convolutional networks and dropout: torch's own layers, definitions, refusals."""

import numpy as np
import pytest
import torch

from ibcore.config import Experiment
from ibcore.estimators import Binning, Exact
from ibcore.networks import Ensemble, layer_shapes
from ibcore.results.run import run
from ibcore.tasks import load_task
from ibcore.training import batch_orders, engine_for, layer_widths, split_rows, train
from ibcore.training.torch_single import _shaken, train_singly
from ibcore.training.trajectory import pack, unpack

DIGITS = Experiment(
    task="digits", convolutions=(3, 4), hidden_widths=(6,), activation="tanh", n_epochs=1,
    n_seeds=1, n_measured_epochs=2, batch_size=500, learning_rate=0.01,
)  # fmt: skip


def sequential(network, experiment):
    """The same network of torch's own modules, in float64."""
    modules, channels = [], 1
    for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        if layer < len(experiment.convolutions):
            one = torch.nn.Conv2d(channels, weight.shape[-1], 5, padding=2)
            channels = weight.shape[-1]
            kernels = weight[0].T.reshape(one.weight.shape)
            parts = [one, torch.nn.Tanh(), torch.nn.MaxPool2d(2)]
            if layer + 1 == len(experiment.convolutions):
                parts.append(torch.nn.Flatten())
        else:
            one, kernels = torch.nn.Linear(*weight.shape[1:]), weight[0].T
            parts = [one, torch.nn.Tanh()][: 1 + (layer + 1 < len(network.weights))]
        one.weight.data, one.bias.data = torch.tensor(kernels), torch.tensor(bias[0])
        modules += parts
    return torch.nn.Sequential(*modules).double()


def test_every_layer_agrees_with_torch():
    trajectory = train(DIGITS.replace(learning_rate=0.05), progress=False)
    network, x = trajectory.ensemble(-1), trajectory.task.x[:50]
    modules = sequential(network, DIGITS)
    t, seen = torch.tensor(x.astype(float)).reshape(-1, 1, 8, 8), []
    for k, module in enumerate(modules):
        t = module(t)
        if isinstance(module, torch.nn.MaxPool2d) or (k > 6 and isinstance(module, torch.nn.Tanh)):
            seen.append(t.flatten(1).detach().numpy())
    seen.append(torch.softmax(t, -1).detach().numpy())
    found = network.layers(x)
    assert [one.shape for one in found] == [(1, 50, 48), (1, 50, 16), (1, 50, 6), (1, 50, 10)]
    for one, other in zip(found, seen, strict=True):
        np.testing.assert_allclose(one[0], other, atol=1e-6)
    assert network.widths == (48, 16, 6, 10)
    assert layer_widths(DIGITS, trajectory.task) == (64, 48, 16, 6, 10)


def test_one_step_of_sgd_is_that_of_torch():
    """All parameters, those of the convolutions included."""
    settings = DIGITS.replace(optimizer="sgd", batch_size=None, learning_rate=0.3)
    trajectory = train(settings, progress=False, dtype=np.float64)
    before, task = trajectory.ensemble(0), trajectory.task
    rows = split_rows(task, settings, 0)[0]
    modules = sequential(before, settings)
    x = torch.tensor(task.x[rows].astype(float)).reshape(-1, 1, 8, 8)
    torch.nn.functional.cross_entropy(modules(x), torch.tensor(task.y[rows])).backward()
    layers = [one for one in modules if hasattr(one, "weight")]
    after = trajectory.ensemble(1)
    for k, layer in enumerate(layers):
        slope = layer.weight.grad.flatten(1).T.numpy()
        np.testing.assert_allclose(
            after.weights[k][0], before.weights[k][0] - 0.3 * slope, atol=1e-7
        )
        np.testing.assert_allclose(
            after.biases[k][0], before.biases[k][0] - 0.3 * layer.bias.grad.numpy(), atol=1e-7
        )
        assert np.abs(slope).max() > 1e-4


def test_a_network_depends_on_its_own_seed_alone():
    shaken = DIGITS.replace(noise_std=0.1, dropout=0.3, n_seeds=3)
    many = train(shaken, progress=False)
    alone = train(shaken, progress=False, seeds=(2,))
    np.testing.assert_array_equal(many.parameters[:, 2], alone.parameters[:, 0])
    assert not np.array_equal(many.parameters[-1, 0], many.parameters[-1, 1])


def test_dropout_keeps_the_mean_and_drops_its_share():
    task = load_task("digits")
    settings = DIGITS.replace(hidden_widths=(100,), dropout=0.25)
    noise, kept = _shaken(settings, task, 0, 1000, 0)
    assert noise == []
    assert kept[0].shape == (1000, 100)
    assert np.unique(kept[0]).tolist() == [0.0, 1 / 0.75]
    assert (kept[0] == 0).mean() == pytest.approx(0.25, abs=0.01)
    again = _shaken(settings, task, 0, 1000, 1)[1]
    assert not np.array_equal(kept[0], again[0])


def test_a_dense_network_is_that_of_the_twin():
    """The loop for single networks against the batched one, no convolutions."""
    dense = DIGITS.replace(convolutions=(), n_epochs=2)
    twin = train(dense, engine="torch", progress=False, dtype=np.float64)
    single = train_singly(dense, dense.seeds, progress=False, dtype=np.float64)
    np.testing.assert_allclose(single.parameters, twin.parameters, atol=1e-9)


def test_noise_is_added_to_every_hidden_layer_where_it_is_measured():
    noisy = DIGITS.replace(noise_std=0.5)
    trajectory = train(noisy, progress=False)
    bare = trajectory.ensemble(0).layers(trajectory.task.x)
    found = trajectory.activations(0)
    first = found[0] - bare[0]
    assert first.std() == pytest.approx(0.5, rel=0.02)
    assert abs(np.corrcoef(first[0, :, 0], first[0, :, 1])[0, 1]) < 0.1


def test_a_run_of_a_convolutional_network():
    found = run(DIGITS.replace(n_seeds=3), [Binning(width=0.5), Exact()], progress=False)
    assert found.width.values.tolist() == [48, 16, 6, 10]
    assert found.attrs["engine"] == "torch"
    assert (found.i_xt.sel(estimator="Exact()") >= found.i_xt.isel(estimator=0) - 1e-3).all()


def test_shapes_and_digests():
    task = load_task("digits")
    assert layer_shapes(DIGITS, 64, 10) == [(25, 3), (75, 4), (16, 6), (6, 10)]
    ensemble = Ensemble.initial(DIGITS, (0, 1), 64, 10)
    again = unpack(pack(ensemble), DIGITS, task)
    for one, other in zip(ensemble.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    assert engine_for(DIGITS, task, "cpu") == "torch"
    plain = Experiment()
    assert plain.digest() == Experiment(convolutions=[], dropout=0).digest()
    assert plain.digest() not in (DIGITS.digest(), Experiment(dropout=0.1).digest())
    orders = batch_orders(DIGITS, 0, np.arange(1437), 0, 1)
    assert sorted(orders[0]) == list(range(1437))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"convolutions": (0,)}, "convolutions must be a list of"),
        ({"convolutions": (2,), "l2": 0.1}, "neither trained slopes nor penalties"),
        ({"convolutions": (2,), "activation": "prelu"}, "neither trained slopes nor penalties"),
        ({"dropout": 1.0}, r"dropout must be a number in \[0, 1\)"),
    ],
)
def test_impossible_settings(changes, message):
    with pytest.raises(ValueError, match=message):
        Experiment(task="digits", **changes)


def test_images_that_cannot_be_halved():
    with pytest.raises(ValueError, match="side is a multiple of 16"):
        train(DIGITS.replace(convolutions=(2, 2, 2, 2)), progress=False)
    with pytest.raises(ValueError, match="need square images"):
        train(DIGITS.replace(task="szt"), progress=False)
    with pytest.raises(ValueError, match="without batch normalisation or pieces"):
        train(DIGITS, engine="fused", progress=False)
