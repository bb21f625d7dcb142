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
    again = unpack(pack(ensemble), Experiment(), load_task("szt"))
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


@pytest.mark.parametrize("engine", ["fused", "torch"])
def test_divergence_is_reported_with_seed_epoch_and_layer_and_the_others_go_on(engine):
    """An infinite rate breaks every network at its first update, and that is said."""
    wild = SHORT.replace(activation="relu", optimizer="sgd", learning_rate=1e20)
    with pytest.warns(RuntimeWarning, match=r"2 of 2 networks diverged \(seed 0 .* epoch 2, …\)"):
        trajectory = train(wild, engine=engine, device="cpu", progress=False)
    assert trajectory.diverged()[1].all()
    assert not trajectory.diverged()[0].any()
    assert [one.seed for one in trajectory.divergences()] == [0, 1]


def test_divergence_names_the_layer_and_only_the_broken_network():
    trajectory = train(SHORT.replace(n_epochs=3, n_measured_epochs=4), progress=False)
    clean = trajectory.parameters.copy()
    assert trajectory.divergences() == []
    third_layer = 12 * 10 + 10 + 10 * 7 + 7
    for place, layer in ((0, 1), (third_layer - 1, 2), (third_layer, 3), (clean.shape[2] - 1, 6)):
        trajectory.parameters[:] = clean
        trajectory.parameters[2:, 1, place] = np.nan
        assert trajectory.divergences() == [(1, 2, layer)]
        assert str(trajectory.divergences()[0]) == (
            f"seed 1 diverged: layer {layer}, seen at epoch 2"
        )


def test_engines_are_chosen_by_what_they_can_do():
    task = load_task("szt")
    assert engine_for(SHORT, task, "auto") == "fused"
    assert engine_for(SHORT, task, "cuda") == "torch"
    assert engine_for(SHORT.replace(hidden_widths=(300,)), task, "auto") == "torch"
    with pytest.raises(ValueError, match=r"dtype must be numpy\.float32 or numpy\.float64"):
        train(SHORT, dtype=np.float16)
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


GOLDEN = ["852c697082247c09", "873f9485423291f4", "e9913a87ea9718ef"]
