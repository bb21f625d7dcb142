"""The experiment: checked on construction, named by what decides one network."""

import json
import subprocess
import sys
from dataclasses import fields
from fractions import Fraction

import numpy as np
import pytest

from ibcore import config, networks, observables
from ibcore.config import Experiment


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"task": "sztt"}, r"task must be one of szt, .*; got 'sztt'"),
        ({"activation": "tahn"}, "activation must be one of"),
        ({"activation": ["tanh"]}, "activation must be one of"),
        ({"optimizer": "rmsprop"}, "optimizer must be one of sgd, momentum, adam; got 'rmsprop'"),
        ({"initializer": "xavier"}, "initializer must be one of"),
        ({"split": "shuffled"}, "split must be one of random, unshuffled, grouped"),
        ({"loss": "mse"}, "loss must be one of cross_entropy, squared_error; got 'mse'"),
        ({"l2_convention": "mean"}, "l2_convention must be one of sum, half_sum"),
        ({"parseval_form": "hard"}, "parseval_form must be one of update, penalty"),
        ({"hidden_widths": ()}, "hidden_widths must be a list of 1 to 100 numbers, each a whole"),
        ({"hidden_widths": (3, 0)}, "each a whole number from 1 to 65 536; got .3, 0."),
        ({"hidden_widths": (3.7,)}, "each a whole number .* got .3.7,."),
        ({"hidden_widths": (8.0,)}, "each a whole number"),
        ({"hidden_widths": 10}, "hidden_widths must be a list .* got 10"),
        ({"hidden_widths": "123"}, "hidden_widths must be a list .* got '123'"),
        ({"hidden_widths": b"tanh"}, "hidden_widths must be a list .* got b'tanh'"),
        ({"hidden_widths": [True]}, "hidden_widths must be a list .* got .True."),
        ({"hidden_widths": {3, 4}}, "hidden_widths must be a list"),
        ({"hidden_widths": np.array([[3]])}, "hidden_widths must be a list"),
        ({"hidden_widths": np.array([3.0])}, "hidden_widths must be a list"),
        ({"hidden_widths": np.ma.array([3], mask=[1])}, "hidden_widths must be a list"),
        ({"hidden_widths": range(1, 10**30)}, "hidden_widths must be a list of 1 to 100"),
        ({"hidden_widths": [100_000]}, "from 1 to 65 536; got .100000."),
        ({"hidden_widths": [65_536] * 3}, r"make 8 589 934 592 weights; .* narrower layers"),
        ({"convolutions": [0]}, "convolutions must be a list of 0 to 10 numbers"),
        ({"convolutions": [4096] * 3}, "convolutions make 838 860 937 weights"),
        ({"n_seeds": 0}, "n_seeds must be a whole number from 1 to 1 000 000; got 0"),
        ({"n_seeds": 10**9}, "n_seeds must be a whole number from 1 to 1 000 000; got 1000000000"),
        ({"first_seed": -1}, "first_seed must be a whole number from 0"),
        ({"n_epochs": 1.5}, "n_epochs must be a whole number"),
        ({"n_epochs": 8000.0}, "n_epochs must be a whole number .* got 8000.0"),
        ({"n_epochs": True}, "n_epochs must be a whole number"),
        ({"n_epochs": None}, "n_epochs must be a whole number .* got None"),
        ({"n_epochs": float("inf")}, "n_epochs must be a whole number .* got inf"),
        ({"n_epochs": 10**30}, "n_epochs must be a whole number from 1 to 100 000 000; got 1000"),
        ({"n_epochs": 10**5000}, "n_epochs must be a whole number .*type int that cannot be print"),
        ({"n_epochs": np.timedelta64(3)}, "n_epochs must be a whole number"),
        ({"batch_size": 0}, "batch_size must be a whole number from 1 to .*, or None; got 0"),
        ({"n_measured_epochs": 1}, "n_measured_epochs must be a whole number from 2 to"),
        ({"learning_rate": 0}, r"learning_rate must be a number in \(0, 1e30\]; got 0"),
        ({"learning_rate": float("nan")}, "learning_rate must be a number .* got nan"),
        ({"learning_rate": float("inf")}, "learning_rate must be a number .* got inf"),
        ({"learning_rate": True}, "learning_rate must be a number .* got True"),
        ({"learning_rate": "0.5"}, "learning_rate must be a number .* got '0.5'"),
        ({"learning_rate": None}, "learning_rate must be a number .* got None"),
        ({"learning_rate": 1 + 0j}, "learning_rate must be a number"),
        ({"learning_rate": 10**400}, "learning_rate must be a number"),
        ({"init_gain": 0.0}, "init_gain must be a number in .0, 1e30.; got 0.0"),
        ({"momentum": 1.0}, r"momentum must be a number in \[0, 1\); got 1.0"),
        ({"momentum": 1 - Fraction(1, 10**30)}, "momentum must be a number in"),
        ({"dropout": 1}, r"dropout must be a number in \[0, 1\); got 1"),
        ({"train_fraction": 0}, r"train_fraction must be a number in \(0, 1\]"),
        ({"measured_epochs": (-1,)}, "measured_epochs must be a list .* from 0 to 100 000 000"),
        ({"l2": -1}, r"l2 must be a number in \[0, 1e30\]; got -1"),
        ({"parseval": float("nan")}, "parseval must be a number .* got nan"),
        ({"noise_std": float("inf")}, "noise_std must be a number .* got inf"),
        ({"regularized_layers": (0,)}, "regularized_layers must be a list .* from 1 .*, or None"),
        ({"regularized_layers": (7,)}, "regularized_layers names layers from 1 to 6"),
        ({"regularized_layers": ()}, "regularized_layers must be a list of 1 to"),
        ({"convolutions": [4], "l2": 0.1}, "neither trained slopes nor penalties, limits"),
    ],
)
def test_refuses_what_cannot_be(changes, message):
    with pytest.raises(ValueError, match=message):
        Experiment(**changes)


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ("hidden_widths", [4, np.int16(3)], (4, 3)),
        ("hidden_widths", np.array([4, 3], dtype=np.uint8), (4, 3)),
        ("hidden_widths", range(3, 5), (3, 4)),
        ("regularized_layers", [3, 1, 3], (1, 3)),
        ("n_epochs", np.int64(7), 7),
        ("batch_size", None, None),
        ("learning_rate", np.float32(0.5), 0.5),
        ("learning_rate", 1, 1.0),
        ("activation", np.str_("relu"), "relu"),
    ],
)
def test_what_is_kept_is_plain_python(field, value, kept):
    """NumPy's numbers, lists, ranges and arrays are fine, and leave no trace in a result."""
    found = getattr(Experiment(**{field: value}), field)
    assert found == kept
    assert type(found) is type(kept)
    assert not isinstance(found, tuple) or {type(one) for one in found} == {int}


def test_the_table_has_every_field():
    assert list(config.FIELDS) == [field.name for field in fields(Experiment)]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", "[" * 100_000, None, b"\xff", 7])
def test_a_text_that_is_no_experiment_is_refused(text):
    with pytest.raises(ValueError, match="expected a JSON object with the fields of an experiment"):
        Experiment.from_json(text)


def test_a_stored_experiment_names_all_fields():
    """Those that count only where they are used may be missing: files are older than some."""
    stored = json.loads(Experiment().to_json())
    del stored["convolutions"], stored["dropout"]
    assert Experiment.from_json(json.dumps(stored)) == Experiment()
    del stored["n_epochs"]
    with pytest.raises(ValueError, match=r"the stored experiment lacks n_epochs: .\{"):
        Experiment.from_json(json.dumps(stored))
    with pytest.raises(ValueError, match="lacks task, hidden_widths"):
        Experiment.from_json("{}")
    with pytest.raises(ValueError, match=r"no field n_epoch; its fields are"):
        Experiment.from_json(json.dumps(stored | {"n_epoch": 3}))
    with pytest.raises(ValueError, match=r"n_epochs must be a whole number .* got 'many'"):
        Experiment.from_json(json.dumps(stored | {"n_epochs": "many"}))


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
    """Experiments by themselves bring numpy and nothing else that is large."""
    script = "import sys, ibcore.config; print(*{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    large = {"numba", "pandas", "scipy", "sklearn", "torch", "xarray"}
    assert not large & set(done.stdout.split())
