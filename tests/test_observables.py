"""Losses, accuracies, norms and gradient statistics, against autograd and hand-made cases."""

import dataclasses

import numpy as np
import pytest
import torch

from ibcore import observables
from ibcore.config import Experiment
from ibcore.estimators import Binning
from ibcore.networks import Ensemble
from ibcore.observables import (
    VARIABLES,
    Corners,
    GradientStatistics,
    Performance,
    SelfConsistency,
    Shape,
    View,
)
from ibcore.tasks import load_task
from ibcore.training import batch_orders, split_rows


def view(task="szt", seed=0, epoch=3, **changes):
    changes = {"hidden_widths": (5, 4), "n_epochs": 10, "init_gain": 2.0} | changes
    experiment = Experiment(task=task, **changes)
    loaded = load_task(task)
    network = Ensemble.initial(experiment, (seed,), loaded.x.shape[1], loaded.n_classes)
    return View(experiment, loaded, network, seed, epoch)


def torch_gradients(one: View, rows) -> list[torch.Tensor]:
    """Gradient of the mean cross-entropy over ``rows``, by autograd in float64."""
    weights = [torch.tensor(w[0].astype(float), requires_grad=True) for w in one.network.weights]
    t = torch.tensor(one.task.x[rows].astype(float))
    for layer, weight in enumerate(weights):
        t = t @ weight
        t = torch.tanh(t) if layer < len(weights) - 1 else t
    log_p = torch.log_softmax(t, -1)
    loss = -(torch.tensor(one.target[rows].astype(float)) * log_p).sum(-1).mean()
    return torch.autograd.grad(loss, weights)


@pytest.mark.parametrize("task", ["szt", "szt_soft", "digits"])
def test_loss_and_accuracy_agree_with_torch(task):
    one = view(task)
    found = Performance()(one)
    logits = torch.tensor(one.pre_activations[-1])
    for name, rows in zip(("loss", "test_loss"), one.rows, strict=True):
        target = torch.tensor(one.target[rows].astype(float))
        expected = torch.nn.functional.cross_entropy(logits[rows], target)
        assert found[name] == pytest.approx(float(expected), rel=1e-6)
    right = logits.argmax(1).numpy() == one.target.argmax(1)
    assert found["test_accuracy"] == right[one.rows[1]].mean()
    assert found["train_accuracy"] == right[one.rows[0]].mean()


def test_sample_statistics_agree_with_one_gradient_per_sample():
    """The identity Σ‖g_i‖² = Σ‖h_i‖²‖δ_i‖² against 205 separate backward passes."""
    one = view(train_fraction=0.05)
    found = GradientStatistics()(one)
    rows, _ = one.rows
    each = [torch_gradients(one, rows[i : i + 1]) for i in range(len(rows))]
    for layer in range(3):
        gradients = torch.stack([gradient[layer] for gradient in each])
        mean, std = gradients.mean(0).norm(), gradients.std(0, correction=0).norm()
        assert found["gradient_mean"][layer] == pytest.approx(float(mean), rel=1e-5)
        assert found["gradient_std"][layer] == pytest.approx(float(std), rel=1e-5)


def test_minibatch_statistics_are_over_the_batches_of_the_epoch():
    one = view(train_fraction=0.5)
    found = GradientStatistics(batch_size=500)(one)
    settings = one.experiment.replace(batch_size=500)
    order = batch_orders(settings, 0, one.rows[0], one.epoch, 1)[0]
    batches = [torch_gradients(one, order[start : start + 500]) for start in range(0, 2048, 500)]
    for layer in range(3):
        gradients = torch.stack([gradient[layer] for gradient in batches])
        mean, std = gradients.mean(0).norm(), gradients.std(0, correction=0).norm()
        assert found["minibatch_gradient_mean"][layer] == pytest.approx(float(mean), rel=1e-5)
        assert found["minibatch_gradient_std"][layer] == pytest.approx(float(std), rel=1e-5)


def test_mean_of_minibatches_fluctuates_as_sampling_without_replacement_says():
    """s_B² ≈ s²/B (N - B)/(N - 1): the standard deviation shrinks with the batch."""
    one = view(train_fraction=0.5)
    found = GradientStatistics(batch_size=128)(one)
    expected = np.array(found["gradient_std"]) * np.sqrt((2048 - 128) / (2048 - 1) / 128)
    np.testing.assert_allclose(found["minibatch_gradient_std"], expected, rtol=0.35)


def test_identical_samples_have_no_spread():
    one = view(train_fraction=0.05)
    same = np.repeat(one.rows[0][:1], 50)
    object.__setattr__(one, "__dict__", one.__dict__ | {"rows": (same, same)})
    found = GradientStatistics()(one)
    np.testing.assert_allclose(found["gradient_std"], 0, atol=1e-7)
    assert min(found["gradient_mean"]) > 0


def test_shape_of_a_layer():
    one = view()
    found = Shape()(one)
    t = one.layers[0]
    assert found["saturation"][0] == (np.abs(t) > 0.93).mean() > 0
    assert found["largest_activation"][0] == np.abs(t).max()
    assert found["weight_norm"][1] == pytest.approx(np.sqrt((one.network.weights[1] ** 2).sum()))


def test_self_consistency_of_a_perfect_and_of_a_useless_encoder():
    """If T is the label itself the divergence tends to 0 with β; it is I(X;T) for a T that knows
    nothing of Y, whatever β, as the encoder then is p(t).
    """
    one = view(epoch=10)
    y = one.task.y.astype(np.float32)
    parity = load_task("parity").y.astype(np.float32)
    perfect = np.stack([y, y], 1)
    object.__setattr__(one, "__dict__", one.__dict__ | {"layers": [perfect, parity[:, None]]})
    found = SelfConsistency()(one)
    assert found["ib_divergence"][0] == pytest.approx(0, abs=1e-6)
    information = Binning()(parity[:, None], one.task.y)
    assert found["ib_divergence"][1] == pytest.approx(information.i_xt, abs=0.02)


def test_self_consistency_is_measured_at_the_last_epoch_only():
    assert np.isnan(SelfConsistency()(view(epoch=3))["ib_beta"]).all()
    assert np.isfinite(SelfConsistency()(view(epoch=10))["ib_beta"]).all()


def test_observables_give_what_their_names_say():
    one = view()
    for observable in (Performance(), Shape(), GradientStatistics(), SelfConsistency()):
        assert tuple(observable(one)) == observable.names
        assert set(observable.names) <= set(VARIABLES)


def test_layers_of_a_view_are_those_of_the_network():
    one = view()
    for mine, theirs in zip(one.layers, one.network.layers(one.task.x), strict=True):
        np.testing.assert_allclose(mine, theirs[0], rtol=1e-6)
    assert len(split_rows(one.task, one.experiment, 0)[0]) == len(one.rows[0])


def test_images_pass_in_chunks_and_give_the_same(monkeypatch):
    """A task with measured rows of its own never holds all layers of all rows at once."""
    digits = load_task("digits")
    chunked = dataclasses.replace(digits, measured_rows=digits.test_rows)
    whole = view(task="digits")
    parts = dataclasses.replace(whole, task=chunked)
    monkeypatch.setattr(observables.base, "CHUNK", 100)
    for name, value in Performance()(whole).items():
        assert Performance()(parts)[name] == pytest.approx(value, abs=1e-12)
    for mine, theirs in zip(parts.layers, whole.layers, strict=True):
        np.testing.assert_allclose(mine, theirs[digits.test_rows], rtol=1e-6)


def test_corners():
    """Of each class the share near its commonest corner, and whether the corners differ."""
    one = view(hidden_widths=(2,))
    labels = one.target.argmax(axis=1)
    t = np.where(labels[:, None] == 1, [0.95, -0.95], [-0.95, -0.97]).astype(np.float32)
    inside = np.flatnonzero(labels == 0)[:100]
    t[inside] = 0.5
    together = np.full_like(t, 0.99)
    dead = np.zeros_like(t)
    corners = Corners()
    found = corners(dataclasses.replace(one, network=Layers([t, together, dead])))
    n_zero = int((labels == 0).sum())
    assert found["corner_share"] == [1 - 100 / n_zero, 1.0, 0.0]
    assert found["corners_apart"] == [1.0, 0.0, 0.0]


class Layers:
    """A network whose layers are given."""

    def __init__(self, layers):
        self.given = layers

    def forward(self, x, noise=()):
        return [one[None] for one in self.given], [one[None] for one in self.given]
