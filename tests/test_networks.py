"""Activations, initial weights and the forward pass."""

import numpy as np
import pytest
import torch
from scipy import stats

from ibcore import networks
from ibcore.config import ACTIVATIONS, Experiment
from ibcore.networks import Ensemble, initial_layer, softmax, truncated_normal

TORCH = {
    "linear": torch.nn.Identity(),
    "tanh": torch.nn.Tanh(),
    "sigmoid": torch.nn.Sigmoid(),
    "relu": torch.nn.ReLU(),
    "softsign": torch.nn.Softsign(),
    "softplus": torch.nn.Softplus(),
    "leaky_relu": torch.nn.LeakyReLU(0.01),
    "elu": torch.nn.ELU(),
    "centred_softplus": lambda z: torch.nn.functional.softplus(z) - np.log(2),
    "swish": torch.nn.SiLU(),
    "gelu": torch.nn.GELU(),
    "abs": torch.abs,
    "prelu": torch.nn.LeakyReLU(0.25),  # every slope starts there
    "hard_tanh": torch.nn.Hardtanh(),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_layers_agree_with_torch_sequential(activation):
    """Layer by layer, hidden and output, for every network of the ensemble."""
    experiment = Experiment(hidden_widths=(5, 4), activation=activation, init_gain=3.0)
    ensemble = Ensemble.initial(experiment, (0, 1, 2), 6, 3)
    x = np.random.default_rng(0).normal(size=(20, 6)).astype(np.float32)
    found = ensemble.layers(x)
    assert [t.shape for t in found] == [(3, 20, 5), (3, 20, 4), (3, 20, 3)]
    for s in range(3):
        t = torch.tensor(x, dtype=torch.float64)
        for layer, (weight, bias) in enumerate(zip(ensemble.weights, ensemble.biases, strict=True)):
            z = t @ torch.tensor(weight[s], dtype=torch.float64) + torch.tensor(bias[s])
            t = TORCH[activation](z) if layer < 2 else torch.softmax(z, -1)
            np.testing.assert_allclose(found[layer][s], t.numpy(), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_slope_is_the_derivative(activation):
    """f' against a central difference; the kinks at 0 and ±1 are left out."""
    network = Ensemble.initial(Experiment(hidden_widths=(3,), activation=activation), (0,), 2, 2)
    z = (np.linspace(-4, 4, 81) + 0.013).reshape(1, 27, 3)
    difference = (network.activate(0, z + 1e-6) - network.activate(0, z - 1e-6)) / 2e-6
    np.testing.assert_allclose(network.slope(0, z), difference, atol=1e-8)


def test_noise_is_added_to_hidden_layers_and_seen_by_the_next():
    """Zero noise changes nothing; a shift of the first layer moves what follows it."""
    network = Ensemble.initial(Experiment(hidden_widths=(3, 2)), (0, 1), 4, 2)
    x = np.random.default_rng(0).normal(size=(5, 4))
    shift = [np.full((2, 5, 3), 0.5), np.zeros((2, 5, 2))]
    z, t = network.forward(x)
    z_moved, t_moved = network.forward(x, shift)
    np.testing.assert_array_equal(z[0], z_moved[0])
    np.testing.assert_allclose(t_moved[0], t[0] + 0.5, atol=1e-15)
    np.testing.assert_allclose(
        z_moved[1] - z[1], 0.5 * network.weights[1].sum(axis=1)[:, None] + 0 * z[1], atol=1e-12
    )
    np.testing.assert_array_equal(network.forward(x, [0 * one for one in shift])[1][-1], t[-1])


def test_softmax_survives_large_logits():
    found = softmax(np.array([[1000.0, 0.0], [-1000.0, 0.0]]))
    np.testing.assert_allclose(found, [[1, 0], [0, 1]], atol=1e-12)


def test_truncated_normal_has_the_law_of_redrawing():
    """Against scipy's truncated normal (Kolmogorov-Smirnov, seed fixed) and its known std."""
    sample = truncated_normal(np.random.default_rng(0), (20_000,))
    assert np.abs(sample).max() <= 2
    assert stats.kstest(sample, stats.truncnorm(-2, 2).cdf).pvalue > 0.01
    assert stats.truncnorm(-2, 2).std() == pytest.approx(networks.TRUNCATED_STD)


@pytest.mark.parametrize(
    ("initializer", "std"),
    [
        ("fan_in", networks.TRUNCATED_STD / np.sqrt(100)),
        ("fan_out", networks.TRUNCATED_STD / np.sqrt(300)),
        ("saxe", networks.TRUNCATED_STD / np.sqrt(300)),
        ("glorot_normal", np.sqrt(2 / 400)),
        ("glorot_uniform", np.sqrt(2 / 400)),
        ("he_normal", np.sqrt(2 / 100)),
    ],
)
def test_initial_weights_have_their_stated_spread(initializer, std):
    """30 000 weights estimate a standard deviation to about 0.5 %."""
    weight = initial_layer(np.random.default_rng(1), 100, 300, initializer)
    assert weight.std() == pytest.approx(std, rel=0.02)


def test_a_network_starts_from_its_own_seed_alone():
    experiment = Experiment()
    alone = Ensemble.initial(experiment, (7,), 12, 2)
    among = Ensemble.initial(experiment, (3, 7, 1), 12, 2)
    for one, many in zip(alone.weights, among.weights, strict=True):
        np.testing.assert_array_equal(one[0], many[1])


@pytest.mark.parametrize("activation", networks.HOMOGENEOUS)
@pytest.mark.parametrize("layer", [1, 2])
def test_rescaled_networks_compute_the_same(activation, layer):
    """The layer is multiplied, nothing after it changes: powers of two are exact in float32."""
    experiment = Experiment(hidden_widths=(5, 4), activation=activation)
    ensemble = Ensemble.initial(experiment, (0, 1), 6, 3)
    x = np.random.default_rng(0).normal(size=(20, 6))
    before, after = ensemble.layers(x), ensemble.rescaled(layer, 64.0).layers(x)
    np.testing.assert_allclose(after[layer - 1], 64 * before[layer - 1], rtol=1e-6)
    np.testing.assert_array_equal(after[-1], before[-1])


def test_rescaling_needs_a_homogeneous_activation_and_a_hidden_layer():
    ensemble = Ensemble.initial(Experiment(hidden_widths=(3,)), (0,), 2, 2)
    with pytest.raises(ValueError, match="tanh is not homogeneous"):
        ensemble.rescaled(1, 2.0)
    relu = Ensemble.initial(Experiment(hidden_widths=(3,), activation="relu"), (0,), 2, 2)
    for layer, factor in ((0, 2.0), (2, 2.0), (1, -1.0)):
        with pytest.raises(ValueError, match="need a hidden layer from 1 to 1"):
            relu.rescaled(layer, factor)


def test_facts_of_activations():
    """Slopes by hand; bounds of those that have them, Swish's least value from its own formula."""
    facts = {name: networks.activation_facts(name) for name in ACTIVATIONS}
    assert facts["tanh"] == (1.0, -1.0, 1.0)
    assert facts["sigmoid"] == (0.25, 0.0, 1.0)
    assert facts["abs"] == (0.0, 0.0, np.inf)
    assert facts["prelu"] == (0.625, -np.inf, np.inf)
    assert facts["elu"] == (1.0, -1.0, np.inf)
    assert facts["swish"].low == pytest.approx(-0.27846, abs=1e-4)
    assert [facts[name].n_bounds for name in ("linear", "relu", "tanh")] == [0, 1, 2]


def test_products_are_what_a_linear_network_does():
    settings = Experiment(hidden_widths=(5, 4), activation="linear", loss="squared_error")
    network = Ensemble.initial(settings, (3,), 6, 2)
    x = np.random.default_rng(1).normal(size=(7, 6))
    for product, t in zip(network.products(), network.layers(x), strict=True):
        np.testing.assert_allclose(x @ product.T, t[0], atol=1e-5)
