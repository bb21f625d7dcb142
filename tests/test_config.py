"""The experiment: checked on construction, named by what decides one network."""

import subprocess
import sys

import numpy as np
import pytest

from ibcore import config, networks, observables
from ibcore.config import Experiment


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "sztt"}, "task must be one of szt, .*got 'sztt'"),
        ({"activation": "tahn"}, "activation must be one of"),
        ({"optimizer": "rmsprop"}, "optimizer must be one of sgd, momentum, adam"),
        ({"initializer": "xavier"}, "initializer must be one of"),
        ({"split": "shuffled"}, "split must be one of random, unshuffled"),
        ({"hidden_widths": ()}, "hidden_widths needs at least one layer"),
        ({"hidden_widths": (3, 0)}, "hidden_widths needs at least one layer"),
        ({"n_seeds": 0}, "n_seeds must be a whole number of at least 1"),
        ({"n_epochs": 1.5}, "n_epochs must be a whole number"),
        ({"n_epochs": True}, "n_epochs must be a whole number"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1"),
        ({"n_measured_epochs": 1}, "n_measured_epochs must be a whole number of at least 2"),
        ({"learning_rate": 0}, "learning_rate must be positive"),
        ({"learning_rate": float("nan")}, "learning_rate must be positive"),
        ({"momentum": 1.0}, r"momentum must lie in \[0, 1\)"),
        ({"train_fraction": 0}, r"train_fraction must lie in \(0, 1\]"),
        ({"measured_epochs": (-1,)}, "measured_epochs must not be negative"),
    ],
)
def test_refuses_what_cannot_be(changes, message):
    with pytest.raises(ValueError, match=message):
        Experiment(**changes)


def test_unknown_field_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"no field n_epoch; its fields are task, hidden_widths"):
        Experiment().replace(n_epoch=3)


def test_json_round_trip_keeps_the_experiment():
    experiment = Experiment(hidden_widths=[4, 3], measured_epochs=[7], batch_size=None)
    assert Experiment.from_json(experiment.to_json()) == experiment


def test_digest_names_one_network_not_how_much_is_measured():
    """Seeds, measured epochs and an idle momentum leave the digest; all else changes it."""
    base = Experiment()
    for idle in (
        {"n_seeds": 3},
        {"first_seed": 7},
        {"n_measured_epochs": 5},
        {"measured_epochs": (3,)},
        {"momentum": 0.5},
    ):
        assert base.replace(**idle).digest() == base.digest()
    for active in (
        {"task": "g1"},
        {"hidden_widths": (10, 7)},
        {"activation": "relu"},
        {"init_gain": 2.0},
        {"batch_size": None},
        {"n_epochs": 10},
        {"split": "unshuffled"},
        {"train_fraction": 0.5},
        {"optimizer": "momentum"},
    ):
        assert base.replace(**active).digest() != base.digest()


def test_settings_without_effect_leave_the_digest_as_it_was():
    """Results keep their names when settings are added; the digest is the one of version 0.1."""
    base = Experiment(n_epochs=100)
    assert base.digest() == "62a34cfd1aec5a6a"
    for idle in (
        {"l2_convention": "half_sum"},
        {"parseval_form": "penalty"},
        {"regularized_layers": (1, 2)},
        {"n_seeds": 3},
    ):
        assert base.replace(**idle).digest() == base.digest()
    assert (
        base.replace(l2=0.1, regularized_layers=range(1, 7)).digest()
        == base.replace(l2=0.1).digest()
    )


def test_every_setting_with_an_effect_changes_the_digest():
    seen = {Experiment().digest()}
    for active in (
        {"loss": "squared_error"},
        {"noise_std": 0.1},
        {"l2": 0.1},
        {"l2": 0.1, "l2_convention": "half_sum"},
        {"l2": 0.1, "regularized_layers": (1,)},
        {"parseval": 0.1},
        {"parseval": 0.1, "parseval_form": "penalty"},
        {"parseval": 0.1, "regularized_layers": (1,)},
    ):
        experiment = Experiment(**active)
        assert Experiment.from_json(experiment.to_json()) == experiment
        assert experiment.digest() not in seen
        seen.add(experiment.digest())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"l2": -1}, "l2 must not be negative, got -1"),
        ({"parseval": float("nan")}, "parseval must not be negative, got nan"),
        ({"noise_std": float("inf")}, "noise_std must not be negative, got inf"),
        ({"loss": "mse"}, "loss must be one of cross_entropy, squared_error; got 'mse'"),
        ({"l2_convention": "mean"}, "l2_convention must be one of sum, half_sum"),
        ({"parseval_form": "hard"}, "parseval_form must be one of update, penalty"),
        ({"regularized_layers": (0,)}, "names layers from 1 to 6"),
        ({"regularized_layers": (7,)}, "names layers from 1 to 6"),
        ({"regularized_layers": ()}, "names layers from 1 to 6"),
    ],
)
def test_impossible_settings_of_loss_penalties_and_noise(wrong, message):
    with pytest.raises(ValueError, match=message):
        Experiment(**wrong)


@pytest.mark.parametrize("n_measured", [2, 3, 10, 100])
def test_measured_epochs_hold_both_ends_and_the_named_ones(n_measured):
    experiment = Experiment(n_epochs=500, n_measured_epochs=n_measured, measured_epochs=(350, 9000))
    epochs = experiment.epochs
    assert epochs[0] == 0
    assert epochs[-1] == 500
    assert 350 in epochs
    assert 9000 not in epochs
    assert (np.diff(epochs) > 0).all()


def test_two_measured_epochs_are_the_first_and_the_last():
    assert Experiment(n_epochs=500, n_measured_epochs=2).epochs.tolist() == [0, 500]


def test_every_name_in_config_is_known_to_the_code():
    """A name that config allows and no module knows would fail only after work was done."""
    assert set(config.ACTIVATIONS) == {*networks.ACTIVATIONS, "prelu"}
    rng = np.random.default_rng(0)
    for initializer in config.INITIALIZERS:
        assert networks.initial_layer(rng, 3, 2, initializer).shape == (3, 2)
    names = {name for one in observables.OBSERVABLES.values() for name in one.names}
    assert names == set(observables.VARIABLES)


def test_the_bottom_floor_is_light():
    """config by itself brings numpy and nothing else that is large."""
    script = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('config', {config.__file__!r})\n"
        "module = importlib.util.module_from_spec(spec)\n"
        "sys.modules['config'] = module\n"
        "spec.loader.exec_module(module)\n"
        "print(*{name.partition('.')[0] for name in sys.modules})\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    large = {"ibcore", "numba", "pandas", "scipy", "sklearn", "torch", "xarray"}
    assert not large & set(done.stdout.split())
