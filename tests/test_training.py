"""Training: the fused loop against its torch twin, autograd and the arithmetic of an update."""

import hashlib

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ibcore.config import Experiment
from ibcore.networks import Ensemble
from ibcore.tasks import load_task
from ibcore.training import (
    Trajectory,
    batch_orders,
    engine_for,
    kernel,
    pack,
    split_rows,
    target_table,
    train,
    unpack,
    updates_per_epoch,
)

SHORT = Experiment(n_seeds=2, n_epochs=2, n_measured_epochs=2, batch_size=500, train_fraction=0.5)


def largest_difference(one: Trajectory, other: Trajectory) -> float:
    return float(np.abs(one.parameters - other.parameters).max())


@pytest.mark.parametrize("activation", list(kernel.CODES))
@pytest.mark.parametrize(
    ("optimizer", "learning_rate"), [("sgd", 0.1), ("momentum", 0.05), ("adam", 4e-4)]
)
@pytest.mark.parametrize("batch_size", [500, None])
def test_fused_loop_equals_its_twin(activation, optimizer, learning_rate, batch_size):
    """Ten updates apart, float32 rounding is all that differs."""
    experiment = SHORT.replace(
        activation=activation,
        optimizer=optimizer,
        learning_rate=learning_rate,
        batch_size=batch_size,
    )
    fused = train(experiment, engine="fused", progress=False)
    twin = train(experiment, engine="torch", device="cpu", progress=False)
    moved = np.abs(fused.parameters[-1] - fused.parameters[0]).max()
    assert moved > 1e-4
    assert largest_difference(fused, twin) < 1e-3 * moved


@pytest.mark.parametrize("task", ["digits", "szt_soft"])
def test_twin_agrees_with_many_classes_and_soft_labels(task):
    experiment = SHORT.replace(task=task, hidden_widths=(6, 5), optimizer="sgd", learning_rate=0.1)
    fused = train(experiment, engine="fused", progress=False)
    twin = train(experiment, engine="torch", device="cpu", progress=False)
    assert largest_difference(fused, twin) < 1e-6


def test_one_sgd_step_is_minus_rate_times_the_autograd_gradient():
    """All parameters of all layers move, each by its own gradient: torch.nn, float64."""
    experiment = SHORT.replace(
        n_seeds=1, n_epochs=1, optimizer="sgd", learning_rate=0.5, batch_size=None, init_gain=2.0
    )
    task = load_task("szt")
    trajectory = train(experiment, engine="fused", progress=False)
    before, after = trajectory.ensemble(0), trajectory.ensemble(1)
    linears = []
    for weight, bias in zip(before.weights, before.biases, strict=True):
        layer = torch.nn.Linear(*weight[0].shape, dtype=torch.float64)
        layer.weight.data = torch.tensor(weight[0].T, dtype=torch.float64)
        layer.bias.data = torch.tensor(bias[0], dtype=torch.float64)
        linears += [layer, torch.nn.Tanh()]
    rows, _ = split_rows(task, experiment, 0)
    logits = torch.nn.Sequential(*linears[:-1])(torch.tensor(task.x[rows], dtype=torch.float64))
    torch.nn.functional.cross_entropy(logits, torch.tensor(task.y[rows].astype(int))).backward()
    for layer, new_weight, new_bias, weight, bias in zip(
        linears[::2], after.weights, after.biases, before.weights, before.biases, strict=True
    ):
        np.testing.assert_allclose(
            new_weight[0] - weight[0], -0.5 * layer.weight.grad.numpy().T, atol=3e-7
        )
        np.testing.assert_allclose(new_bias[0] - bias[0], -0.5 * layer.bias.grad.numpy(), atol=3e-7)
        assert np.abs(layer.weight.grad.numpy()).max() > 1e-4


def test_fused_tanh_is_tanh():
    """Within 4 units in the last place over the whole range of float32."""
    z = np.linspace(-12, 12, 100_001, dtype=np.float32)
    found = np.array([kernel._tanh.py_func(np.float32(v)) for v in z[::50]])
    np.testing.assert_allclose(found, np.tanh(z[::50].astype(np.float64)), rtol=5e-7, atol=1e-12)


def test_a_network_does_not_depend_on_its_neighbours_or_on_threads():
    """Bit for bit: 1 or 2 threads, alone or among others, in any order."""
    experiment = SHORT.replace(n_seeds=3, n_epochs=5)
    all_three = train(experiment, threads=2, progress=False)
    one_thread = train(experiment, threads=1, progress=False)
    turned = train(experiment, seeds=(2, 0), threads=2, progress=False)
    np.testing.assert_array_equal(all_three.parameters, one_thread.parameters)
    np.testing.assert_array_equal(turned.parameters[:, 0], all_three.parameters[:, 2])
    np.testing.assert_array_equal(turned.parameters[:, 1], all_three.parameters[:, 0])


def test_measuring_more_epochs_does_not_change_the_network():
    few = train(SHORT.replace(n_epochs=12), progress=False)
    many = train(SHORT.replace(n_epochs=12, n_measured_epochs=13), progress=False)
    np.testing.assert_array_equal(few.parameters[-1], many.parameters[-1])


def test_full_batch_is_a_batch_of_all_rows():
    """batch_size=None and any size of at least the training rows give one update per epoch."""
    full = train(SHORT.replace(batch_size=None), progress=False)
    large = train(SHORT.replace(batch_size=5000), progress=False)
    np.testing.assert_array_equal(full.parameters, large.parameters)
    assert full.updates.tolist() == [0, 2]


def test_a_last_short_batch_counts():
    assert updates_per_epoch(SHORT, load_task("szt")) == 5  # 2048 rows in batches of 500


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), fraction=st.floats(0.01, 0.99))
def test_random_split_is_a_partition(seed, fraction):
    task = load_task("szt")
    train_rows, test_rows = split_rows(task, SHORT.replace(train_fraction=fraction), seed)
    assert len(train_rows) == round(fraction * 4096)
    assert sorted([*train_rows, *test_rows]) == list(range(4096))


def test_unshuffled_split_is_that_of_the_released_code():
    """First rows train, rows from 80 % on test; at 85 % they overlap, at 5 % few ones train."""
    task = load_task("szt")
    rows, test = split_rows(task, SHORT.replace(split="unshuffled", train_fraction=0.85), 3)
    assert rows.tolist() == list(range(3482))
    assert test.tolist() == list(range(3277, 4096))
    few, _ = split_rows(task, SHORT.replace(split="unshuffled", train_fraction=0.05), 3)
    assert task.y[few].mean() == pytest.approx(0.117, abs=5e-4)


def test_an_epoch_visits_every_training_row_once_in_its_own_order():
    rows, _ = split_rows(load_task("szt"), SHORT, 4)
    orders = batch_orders(SHORT, 4, rows, 0, 3)
    assert all(sorted(order) == sorted(rows) for order in orders)
    assert not np.array_equal(orders[0], orders[1])
    np.testing.assert_array_equal(batch_orders(SHORT, 4, rows, 2, 1)[0], orders[2])


def test_pack_and_unpack_are_inverse():
    ensemble = Ensemble.initial(Experiment(), (0, 1), 12, 2)
    again = unpack(pack(ensemble), (12, 10, 7, 5, 4, 3, 2), "tanh")
    for one, other in zip(ensemble.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_target_table_of_hard_and_soft_labels():
    hard, soft = load_task("szt"), load_task("szt_soft")
    np.testing.assert_array_equal(target_table(hard)[:, 1], hard.y)
    np.testing.assert_allclose(target_table(soft)[:, 1], soft.y, atol=1e-7)
    np.testing.assert_allclose(target_table(soft).sum(axis=1), 1, atol=1e-6)


def test_trajectory_survives_the_disk_and_a_damaged_one_is_named(tmp_path):
    trajectory = train(SHORT, progress=False)
    path = tmp_path / "weights.npz"
    trajectory.save(path)
    again = Trajectory.load(path)
    np.testing.assert_array_equal(again.parameters, trajectory.parameters)
    assert again.experiment == trajectory.experiment
    assert list(tmp_path.iterdir()) == [path]
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match=r"weights\.npz is damaged .* delete it and run again"):
        Trajectory.load(path)


def test_activations_are_those_of_the_stored_weights():
    trajectory = train(SHORT, progress=False)
    layers = trajectory.activations(1)
    assert [t.shape for t in layers] == [(2, 4096, width) for width in (10, 7, 5, 4, 3, 2)]
    np.testing.assert_allclose(layers[-1].sum(axis=-1), 1, atol=1e-6)


def test_divergence_is_seen_and_the_others_go_on():
    trajectory = train(
        SHORT.replace(activation="relu", optimizer="sgd", learning_rate=1e20), progress=False
    )
    assert trajectory.diverged()[1].all()
    assert not trajectory.diverged()[0].any()


def test_engines_are_chosen_by_what_they_can_do():
    task = load_task("szt")
    assert engine_for(SHORT, task, "auto") == "fused"
    assert engine_for(SHORT, task, "cuda") == "torch"
    assert engine_for(SHORT.replace(hidden_widths=(300,)), task, "auto") == "torch"
    assert engine_for(SHORT.replace(activation="softplus"), task, "auto") == "torch"
    with pytest.raises(ValueError, match="use engine='torch'"):
        train(SHORT.replace(hidden_widths=(300,)), engine="fused")
    with pytest.raises(ValueError, match="engine must be"):
        train(SHORT, engine="jax")
    with pytest.raises(ValueError, match="device must be one of auto, cpu, cuda; got 'gpu'"):
        train(SHORT, device="gpu")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_asking_for_a_gpu_that_is_not_there_is_an_error():
    with pytest.raises(ValueError, match="finds no GPU; use 'cpu'"):
        train(SHORT, device="cuda", progress=False)


def test_initial_weights_and_batch_order_are_the_golden_ones():
    """Randomness is part of the result: these change only with a new major version."""
    start = pack(Ensemble.initial(Experiment(), (0, 1), 12, 2))
    rows, _ = split_rows(load_task("szt"), SHORT, 0)
    order = batch_orders(SHORT, 0, rows, 5, 1)
    found = [hashlib.sha256(a.tobytes()).hexdigest()[:16] for a in (start, rows, order)]
    assert found == GOLDEN


GOLDEN = ["852c697082247c09", "33f73f38708732e4", "69dd618489d41841"]
