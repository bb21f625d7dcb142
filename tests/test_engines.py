"""The fused loop, its torch twin, torch.nn, finite differences and numpy: five ways, one result."""

import hashlib

import numpy as np
import pytest
import torch

from ibcore.config import ACTIVATIONS, OPTIMIZERS, Experiment
from ibcore.networks import ACTIVATIONS as DEFINED
from ibcore.networks import Ensemble
from ibcore.observables import GradientStatistics, View
from ibcore.simd import LANES, load, store
from ibcore.tasks import load_task
from ibcore.training import fused, kernel, pack, split_rows, target_table, train, unpack
from ibcore.training.functions import CODES, activated
from ibcore.training.torch_batched import train_with_torch

# 2048 rows in batches of 500: five updates per epoch, the last one of 48 rows
SHORT = Experiment(n_seeds=2, n_epochs=2, n_measured_epochs=2, batch_size=500, train_fraction=0.5)
SETTINGS = (
    [{"activation": name} for name in ACTIVATIONS]
    + [{"optimizer": name, "learning_rate": 0.05} for name in OPTIMIZERS if name != "adam"]
    + [
        {"batch_size": None},
        {"loss": "squared_error"},
        {"l2": 0.02},
        {"l2": 0.02, "l2_convention": "half_sum"},
        {"l2": 0.02, "regularized_layers": (2, 3)},
        {"parseval": 0.05, "optimizer": "sgd", "learning_rate": 0.1},
        {"parseval": 0.05, "parseval_form": "penalty", "regularized_layers": (1, 2, 3, 4, 5)},
        {"noise_std": 0.1},
        {"noise_std": 0.1, "activation": "prelu", "l2": 0.01, "parseval": 0.01, "batch_size": 411},
        {"dropout": 0.25},
        {"dropout": 0.25, "noise_std": 0.1, "activation": "relu"},
        {"bits": 1},
        {"bits": 3, "activation": "relu"},
        {"bits": 8, "activation": "elu", "optimizer": "sgd", "learning_rate": 0.1},
        {"norm_limit": 1.0},
        {"norm_limit": 0.9, "regularized_layers": (2, 3), "parseval": 0.01},
        {"output_range": 2.0},
        {"output_range": 0.5, "activation": "prelu"},
        {"initializer": "torch", "init_gain": 0.6},
        {"hidden_widths": (1,)},
        {"hidden_widths": (64, 33, 6)},
        {"hidden_widths": (7,) * 10},
        {"task": "digits", "hidden_widths": (6, 5), "activation": "relu"},
        {"task": "szt_soft"},
    ]
)


def name_of(settings):
    return "-".join(f"{value}" for value in settings.values()).replace(" ", "")


def apart(one, other):
    """Largest difference, in units of the largest parameter of the layer it is in."""
    a, b = one.ensemble(-1), other.ensemble(-1)
    layers = zip(
        (*a.weights, *a.biases, *a.slopes, *a.ranges),
        (*b.weights, *b.biases, *b.slopes, *b.ranges),
        strict=True,
    )
    return max(float(np.abs(p - q).max() / max(np.abs(p).max(), 1e-2)) for p, q in layers)


@pytest.mark.parametrize("settings", SETTINGS, ids=name_of)
def test_fused_loop_equals_its_twin_in_float32_after_10_updates(settings):
    experiment = SHORT.replace(**settings)
    fused = train(experiment, engine="fused", progress=False)
    twin = train(experiment, engine="torch", device="cpu", progress=False)
    moved = np.abs(fused.parameters[-1] - fused.parameters[0]).max()
    assert moved > 1e-4
    assert fused.parameters.dtype == twin.parameters.dtype == np.float32
    # In units of the way gone: rounding took 2.4e-3 of it without FMA (Numba's "generic").
    assert apart(fused, twin) < 5e-3 * min(1, moved)


@pytest.mark.parametrize("settings", SETTINGS, ids=name_of)
def test_fused_loop_equals_its_twin_in_float64_after_100_updates(settings):
    experiment = SHORT.replace(**settings)
    per_epoch = train(experiment.replace(n_epochs=1), progress=False).updates[-1]
    experiment = experiment.replace(n_epochs=int(-(-100 // per_epoch)))
    fused = train(experiment, engine="fused", dtype=np.float64, progress=False)
    twin = train_with_torch(experiment, (0, 1), dtype=np.float64, progress=False)
    assert fused.updates[-1] >= 100
    assert fused.parameters.dtype == twin.parameters.dtype == np.float64
    assert apart(fused, twin) < 1e-8


def one_step(experiment):
    """The gradient of seed 0, read off a full-batch SGD step of the fused loop in float64.

    It is the second step: at the first one all biases are 0, so that an input of zeros sits on the
    kink of ReLU.
    """
    settings = experiment.replace(
        n_seeds=1,
        n_epochs=2,
        optimizer="sgd",
        learning_rate=1.0,
        batch_size=None,
        init_gain=1.5,
        n_measured_epochs=3,
    )
    trajectory = train(settings, engine="fused", dtype=np.float64, progress=False)
    _, before, after = trajectory.parameters[:, 0]
    rows, _ = split_rows(trajectory.task, settings, 0)
    return before, before - after, rows, trajectory


LAYERS = {
    "tanh": torch.nn.Tanh, "sigmoid": torch.nn.Sigmoid, "relu": torch.nn.ReLU,
    "softsign": torch.nn.Softsign, "softplus": torch.nn.Softplus, "linear": torch.nn.Identity,
    "leaky_relu": torch.nn.LeakyReLU, "elu": torch.nn.ELU, "swish": torch.nn.SiLU,
    "gelu": torch.nn.GELU, "hard_tanh": torch.nn.Hardtanh,
}  # fmt: skip


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error"])
@pytest.mark.parametrize("activation", LAYERS)
def test_gradient_is_that_of_torch_nn(activation, loss):
    """Modules as a user would write them, in float64."""
    _, gradient, rows, trajectory = one_step(SHORT.replace(activation=activation, loss=loss))
    task, ensemble = trajectory.task, trajectory.ensemble(1)
    modules = []
    for weight, bias in zip(ensemble.weights, ensemble.biases, strict=True):
        layer = torch.nn.Linear(*weight[0].shape, dtype=torch.float64)
        layer.weight.data = torch.tensor(weight[0].T.copy())
        layer.bias.data = torch.tensor(bias[0])
        modules += [layer, LAYERS[activation]()]
    out = torch.nn.Sequential(*modules[:-1])(torch.tensor(task.x[rows], dtype=torch.float64))
    if loss == "cross_entropy":
        torch.nn.functional.cross_entropy(out, torch.tensor(task.y[rows].astype(int))).backward()
    else:
        target = torch.tensor(target_table(task)[rows], dtype=torch.float64)
        (2 * torch.nn.functional.mse_loss(out, target)).backward()  # mse_loss halves: two outputs
    expected = np.concatenate(
        [
            part
            for layer in modules[::2]
            for part in (layer.weight.grad.numpy().T.ravel(), layer.bias.grad.numpy())
        ]
    )
    np.testing.assert_allclose(gradient, expected, atol=1e-12)
    assert np.abs(expected).max() > 1e-3


def loss_in_numpy(parameters, trajectory, rows):
    """Mean loss of one network and its penalties, from the definitions in ibcore.networks."""
    experiment, task = trajectory.experiment, trajectory.task
    network = unpack(parameters[None], experiment, task)
    _, t = network.forward(task.x[rows])
    target = target_table(task)[rows]
    if experiment.loss == "squared_error":
        loss = ((t[-1][0] - target) ** 2).sum(axis=1).mean()
    else:
        loss = -(target * np.log(t[-1][0])).sum(axis=1).mean()
    for layer in experiment.penalized:
        w = network.weights[layer - 1][0]
        half = 0.5 if experiment.l2_convention == "half_sum" else 1
        loss += half * experiment.l2 * (w**2).sum()
        loss += experiment.parseval * ((w.T @ w - np.eye(w.shape[1])) ** 2).sum()
    return loss


@pytest.mark.parametrize(
    "settings",
    [{"activation": name} for name in ACTIVATIONS]
    + [
        {"loss": "squared_error"},
        {"l2": 0.1},
        {"l2": 0.1, "l2_convention": "half_sum", "regularized_layers": (1, 3)},
        {"parseval": 0.1, "parseval_form": "penalty"},
    ],
    ids=name_of,
)
def test_gradient_check_by_finite_differences(settings):
    """Central differences of the loss written in numpy, float64."""
    before, gradient, rows, trajectory = one_step(SHORT.replace(**settings))
    rng, h = np.random.default_rng(1), 1e-8  # kinks so near are rare
    for k in rng.choice(len(before), 40, replace=False):
        step = np.zeros_like(before)
        step[k] = h
        ahead = loss_in_numpy(before + step, trajectory, rows)
        behind = loss_in_numpy(before - step, trajectory, rows)
        assert gradient[k] == pytest.approx((ahead - behind) / (2 * h), abs=2e-6)


@pytest.mark.parametrize(
    "settings", [{"activation": a} for a in ACTIVATIONS] + [{"loss": "squared_error"}], ids=name_of
)
def test_gradient_statistics_see_the_gradient_that_trains(settings):
    """The norm of each layer's mean gradient: observable in numpy against one step of the loop."""
    _, gradient, _, trajectory = one_step(SHORT.replace(**settings))
    network = trajectory.ensemble(1)
    view = View(trajectory.experiment, trajectory.task, network, 0, 1)
    steps = unpack(gradient[None], trajectory.experiment, trajectory.task)
    found = GradientStatistics(batch_size=4096)(view)["gradient_mean"]
    expected = [np.linalg.norm(weight) for weight in steps.weights]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_parseval_update_makes_units_orthonormal():
    """Without a loss to follow (learning rate ~ 0), W^T W tends to I where units <= inputs."""
    settings = SHORT.replace(
        parseval=0.1, optimizer="sgd", learning_rate=1e-12, n_epochs=40, hidden_widths=(6, 3)
    )
    network = train(settings, dtype=np.float64, progress=False).ensemble(-1)
    for weight in network.weights:
        products = weight[0].T @ weight[0]
        np.testing.assert_allclose(products, np.eye(len(products)), atol=1e-6)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("settings", SETTINGS, ids=name_of)
def test_gpu_gives_the_same_networks(settings):
    """All networks at once on the device; float32 after 10 updates, as on the CPU."""
    experiment = SHORT.replace(**settings)
    fused = train(experiment, engine="fused", progress=False)
    on_gpu = train(experiment, device="cuda", progress=False)
    assert on_gpu.engine == "torch"
    assert apart(fused, on_gpu) < 1e-3


def test_both_l2_conventions_differ_by_a_factor_of_two():
    whole = train(SHORT.replace(l2=0.01), dtype=np.float64, progress=False)
    half = train(SHORT.replace(l2=0.02, l2_convention="half_sum"), dtype=np.float64, progress=False)
    np.testing.assert_allclose(whole.parameters, half.parameters, rtol=1e-12)


def test_prelu_learns_its_slopes():
    trajectory = train(SHORT.replace(activation="prelu"), progress=False)
    start, end = trajectory.ensemble(0).slopes, trajectory.ensemble(-1).slopes
    assert [s.shape for s in start] == [(2, width) for width in SHORT.hidden_widths]
    assert all((s == 0.25).all() for s in start)
    assert all((s != 0.25).all() for s in end)


def test_noise_is_new_in_every_epoch_and_the_same_in_every_run():
    noisy = SHORT.replace(noise_std=0.2, batch_size=None)
    one = train(noisy, progress=False).parameters
    again = train(noisy, progress=False).parameters
    quiet = train(SHORT.replace(batch_size=None), progress=False).parameters
    np.testing.assert_array_equal(one, again)
    assert np.abs(one[-1] - quiet[-1]).max() > 1e-4
    layers = train(noisy, progress=False)
    t0, t1 = layers.activations(0), layers.activations(0)
    np.testing.assert_array_equal(t0[0], t1[0])
    silent = layers.ensemble(0).layers(layers.task.x)
    spread = (t0[0] - silent[0]).std()
    assert spread == pytest.approx(0.2, rel=0.01)  # 2 x 4096 x 10 draws
    assert (
        abs(np.corrcoef((t0[0] - silent[0])[0].ravel(), (t0[0] - silent[0])[1].ravel())[0, 1])
        < 0.02
    )


@kernel.njit(error_model="numpy")
def run_activation(z, t, slope, code, alpha):
    for s in range(0, len(z), LANES):
        value, derivative = activated(load(z, s), code, alpha)
        store(t, s, value)
        store(slope, s, derivative)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-6), (np.float64, 2e-14)])
def test_vector_activations_are_those_of_networks(name, dtype, tolerance):
    """Value and slope on [-30, 30] against the definitions, in units of max(1, |z|)."""
    z = np.linspace(-30, 30, 32 * 257).astype(dtype)
    t, slope = np.empty_like(z), np.empty_like(z)
    run_activation(z, t, slope, CODES[name], 0.25)
    wide = z.astype(np.float64)
    if name == "prelu":
        expected, derivative = np.where(z > 0, wide, 0.25 * wide), np.where(z > 0, 1, 0.25)
    else:
        function, slope_of = DEFINED[name]
        expected = function(wide)
        derivative = slope_of(wide, expected)
    scale = np.maximum(1, np.abs(wide))
    assert (np.abs(t - expected) / scale).max() < tolerance
    assert (np.abs(slope - derivative) / scale).max() < tolerance


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_nan_and_infinity_are_not_hidden(dtype):
    """A network that broke must show it, whatever its activation."""
    z = np.zeros(LANES, dtype)
    z[0], z[1] = np.nan, np.inf
    for name, code in CODES.items():
        t, slope = np.empty_like(z), np.empty_like(z)
        run_activation(z, t, slope, code, 0.25)
        if name not in ("relu", "hard_tanh"):
            assert np.isnan(t[0]), name
        assert np.isfinite(t[2:]).all(), name


def test_every_activation_has_a_definition_and_a_code():
    assert list(CODES) == list(ACTIVATIONS)
    assert {*DEFINED, "prelu"} == set(ACTIVATIONS)


def subnormal(numbers):
    return (numbers != 0) & (np.abs(numbers) < np.finfo(numbers.dtype).tiny)


@pytest.mark.parametrize("optimizer", ["momentum", "adam"])
@pytest.mark.parametrize(
    ("activation", "bias", "gain"), [("relu", -50.0, 1.0), ("tanh", 0.0, 60.0), ("tanh", 9.0, 1.0)]
)
def test_no_subnormal_numbers(optimizer, activation, bias, gain):
    """Dead units, whose moments decay, and saturated ones, whose slopes multiply to nothing.

    A moment of a unit that died loses a tenth with every update: 760 updates bring it below 1e-38.
    """
    settings = SHORT.replace(
        activation=activation, optimizer=optimizer, init_gain=gain, n_epochs=200, n_seeds=1
    )
    task = load_task(settings.task)
    ensemble = Ensemble.initial(settings, (0,), 12, 2)
    network = fused._Network(settings, task, 0, pack(ensemble)[0].astype(np.float32))
    network.epochs(0, 10)
    first = slice(0, 12 * 10)
    network.parameters[120:130] = bias  # of the first layer
    for epoch in range(10, 200, 10):
        network.epochs(epoch, 10)
        for numbers in (network.first, network.second, network.parameters):
            assert not subnormal(numbers).any()
    if bias == -50:
        assert (network.first[first] == 0).all()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_number_that_is_none_reaches_every_parameter(optimizer):
    """Where small numbers are set to 0, NaN is not one of them."""
    settings = SHORT.replace(activation="tanh", optimizer=optimizer, n_seeds=1)
    ensemble = Ensemble.initial(settings, (0,), 12, 2)
    network = fused._Network(settings, load_task("szt"), 0, pack(ensemble)[0].astype(np.float32))
    network.parameters[0] = np.nan
    network.epochs(0, 1)
    assert np.isnan(network.parameters).all()


def golden_run(activation):
    """20 updates of seed 0 in float64, rounded far above its rounding errors."""
    settings = SHORT.replace(activation=activation, n_seeds=1, n_epochs=4, l2=1e-3)
    parameters = train(settings, dtype=np.float64, progress=False).parameters[-1]
    return hashlib.sha256((np.round(parameters, 8) + 0.0).tobytes()).hexdigest()[:12]


GOLDEN = {
    "linear": "61feee0b3367",
    "tanh": "e2ac7c633fd7",
    "sigmoid": "463498747e52",
    "relu": "114afb6f59c4",
    "softsign": "f8264dccdcfa",
    "softplus": "10170adcaa67",
    "leaky_relu": "8eb2241a2f49",
    "elu": "8ac9911fb85a",
    "centred_softplus": "0e96a11ac71b",
    "swish": "76a501f5943c",
    "gelu": "3c4fece73d5a",
    "abs": "d4c69b4100b6",
    "prelu": "964923da7d76",
    "hard_tanh": "3add88a2dda0",
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_golden_run(activation):
    """Seed to weights is part of the result: these change only with a new major version."""
    assert golden_run(activation) == GOLDEN[activation]


def test_same_bits_on_any_threads_in_any_company_resumed_or_not():
    settings = SHORT.replace(n_seeds=5, n_epochs=6, activation="gelu", noise_std=0.1)
    many = train(settings, threads=2, progress=False)
    alone = train(settings.replace(n_seeds=1, first_seed=3), threads=1, progress=False)
    more_epochs = train(settings.replace(n_measured_epochs=7), threads=1, progress=False)
    np.testing.assert_array_equal(many.parameters[:, 3], alone.parameters[:, 0])
    np.testing.assert_array_equal(many.parameters[-1], more_epochs.parameters[-1])


def test_initial_ensembles_of_both_losses():
    task = load_task("szt")
    for loss, output in (("cross_entropy", "softmax"), ("squared_error", "linear")):
        network = Ensemble.initial(SHORT.replace(loss=loss), (0,), 12, 2)
        assert network.output == output
        assert unpack(pack(network), SHORT.replace(loss=loss), task).output == output
        last = network.layers(task.x)[-1]
        assert np.allclose(last.sum(axis=-1), 1, atol=1e-6) == (output == "softmax")
