"""The information plane of any torch module: hooks, modes, names and refusals."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn

from ibcore.estimators import (
    Binning,
    Exact,
    KernelBound,
    LinearGaussian,
    OnTrainingRows,
    Quantised,
    RangeBinning,
    Ruler,
    SamplePropagation,
)
from ibcore.modules import layer_outputs, measure

RULERS = [Binning(width=0.07), Exact()]


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Dropout(0.5), nn.Linear(4, 2))


def inputs(n=50):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 3)).astype(np.float32), rng.integers(0, 2, n)


X, Y = inputs()


def test_measure_is_the_estimator_on_the_output_of_each_layer():
    """The same numbers as by hand, layer by layer, for every estimator and any chunk size."""
    module, (x, y) = network().eval(), inputs()
    found = measure(module, x, y, estimators=RULERS, chunk_size=7)
    assert found["i_xt"].dims == ("estimator", "layer")
    assert found["layer"].values.tolist() == ["0", "1", "2", "3"]
    assert found["width"].values.tolist() == [4, 4, 4, 2]
    assert found["estimator"].values.tolist() == ["Binning(width=0.07)", "Exact()"]
    assert found["measures"].values.tolist() == ["I(X; bin(T))", "I(X; T) of float32 rows"]
    assert found["i_ty"].attrs["units"] == "bits"
    chunks = [torch.from_numpy(x[start : start + 7]) for start in range(0, len(x), 7)]
    for name, layer in module.named_children():
        with torch.no_grad():
            chunks = [layer(chunk) for chunk in chunks]
        for ruler in RULERS:
            here = found.sel(estimator=repr(ruler), layer=name)
            assert (here["i_xt"], here["i_ty"]) == ruler(torch.cat(chunks).numpy(), y)


def test_the_module_comes_back_as_it_was():
    """Modes, gradients and hooks: nothing is left behind, even after an error."""
    module, (x, y) = network(), inputs()
    module.train()
    module[1].eval()
    modes = [one.training for one in module.modules()]
    measure(module, torch.from_numpy(x).requires_grad_(), torch.from_numpy(y))
    with pytest.raises(ValueError, match=r"cannot be called with x of shape \(50, 2\) and torch"):
        measure(module, x[:, :2], y)
    assert [one.training for one in module.modules()] == modes
    assert not any(one._forward_hooks for one in module.modules())
    assert all(parameter.grad is None for parameter in module.parameters())


def test_dropout_does_not_drop():
    """In evaluation mode layer 2 (dropout) is layer 1."""
    found = measure(network().train(), *inputs(), estimators=RULERS)
    assert (
        found["i_xt"].sel(layer="1").values.tolist() == found["i_xt"].sel(layer="2").values.tolist()
    )


def test_a_layer_is_seen_before_the_next_one_overwrites_it():
    """relu in place changes the tensor of the layer before it."""
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True))
    seen = layer_outputs(module, inputs()[0])
    assert (seen["0"] < 0).any()
    np.testing.assert_array_equal(seen["1"], np.maximum(seen["0"], 0))


def test_images_become_rows_and_types_follow_the_module():
    """(sample, channel, height, width) is flattened; float64 inputs meet float32 parameters."""
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 2))
    x = np.random.default_rng(0).normal(size=(5, 1, 4, 4))
    seen = layer_outputs(module, x)
    assert [t.shape for t in seen.values()] == [(5, 8), (5, 8), (5, 2)]
    assert {t.dtype for t in seen.values()} == {np.dtype(np.float32)}
    assert layer_outputs(module.double(), x)["2"].dtype == np.float32


class Shared(nn.Module):
    """One activation module used twice, one layer that never runs, one that gives a tuple."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(3, 3), nn.Linear(3, 2)
        self.act, self.idle = nn.Tanh(), nn.Linear(1, 1)
        self.memory = nn.LSTM(3, 2)

    def forward(self, x):
        return self.act(self.second(self.act(self.first(x))))


class Silent(nn.Module):
    """A module that does its work without its child."""

    def __init__(self):
        super().__init__()
        self.child = nn.Tanh()

    def forward(self, x):
        return x


def test_a_module_that_runs_twice_is_two_layers():
    found = measure(Shared(), *inputs(), layers=["act", "first"])
    assert found["layer"].values.tolist() == ["first", "act", "act:2"]
    assert found["width"].values.tolist() == [3, 3, 2]


def test_integer_inputs_stay_integers():
    module = nn.Sequential(nn.Embedding(5, 3))
    assert layer_outputs(module, np.arange(5))["0"].shape == (5, 3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"layers": ["3", "last"]}, "no layer last in this module; it has 0, 1, 2, 3"),
        ({"layers": "3"}, "layers must be a list of names or ib.Layer, got '3'; leave it out for all"),
        ({"layers": 3}, "layers must be a list of names or ib.Layer, got 3"),
        ({"layers": []}, r"layers must be a list of names or ib.Layer, got \[\]"),
        ({"layers": [3]}, r"layers must be a list of names or ib.Layer, got \[3\]"),
        ({"estimators": []}, "at least one estimator"),
        ({"estimators": Exact()}, r"estimators must be a list of rulers, got Exact\(\); write"),
        ({"estimators": [Exact]}, "an estimator must be a ruler of ibcore"),
        ({"estimators": None}, "estimators must be a list of rulers, got None"),
        ({"chunk_size": 0}, "chunk_size must be a whole number from 1 to"),
        ({"chunk_size": 0.5}, "chunk_size must be a whole number from 1 to .* got 0.5"),
        ({"module": None}, r"module must be a torch\.nn\.Module, got None"),
        ({"y": np.arange(50) + 1j}, "y must be .* dtype complex128"),
        ({"y": np.ma.array(Y, mask=Y)}, "y is a masked array, and a mask would be lost"),
        (
            {"y": np.full(50, np.nan)},
            "y must be finite, got NaN or infinite values; leave out those samples",
        ),
        ({"y": torch.eye(50).to_sparse()}, "y must be a dense tensor with values, got torch.spars"),
        ({"y": Y[1:]}, "50 inputs and 49 labels"),
        ({"x": X.T}, "need one label for each input, got 3 inputs and 50 labels"),
        (
            {"x": X.astype(int)},
            r"x of shape \(50, 3\) and torch.int64: .*want floats: x\.float\(\)",
        ),
        ({"x": X + 1j}, "x must hold real numbers, got dtype complex"),
        (
            {"x": torch.zeros(50, 3, dtype=torch.complex64)},
            "x must hold real numbers, got torch.com",
        ),
        ({"x": X.astype(str)}, "x must hold real numbers, got dtype <U"),
        ({"x": [[0.5], [0.5, 1.0]]}, "x cannot be read as an array: .*inhomogeneous"),
        ({"x": np.ma.array(X, mask=X > 0)}, "x is a masked array"),
        ({"x": X.astype(float) * 1e300}, "x must be finite, got 150 values .* as torch.float32"),
        (
            {"x": np.where(X > 0, np.nan, X)},
            "x must be finite, got [0-9]+ values that are NaN or inf",
        ),
        ({"x": np.zeros((0, 3))}, r"x must be .* at least one sample, got shape \(0, 3\)"),
        ({"x": torch.zeros(50, 3, device="meta")}, "x must be a dense tensor with values, .* meta"),
        ({"x": 3.0, "y": [0]}, r"x must be \(sample, \.\.\.\) with .* got shape \(\)"),
    ],
)
def test_impossible_requests_are_refused(settings, message):
    asked = {"module": network(), "x": X, "y": Y} | settings
    with pytest.raises(ValueError, match=message):
        measure(**asked)


@pytest.mark.parametrize(
    "ruler",
    [
        OnTrainingRows(Exact()),
        RangeBinning(30),
        Quantised(),
        LinearGaussian(1.0),
        SamplePropagation(noise_std=0.1),
    ],
    ids=repr,
)
def test_rulers_of_a_training_run_are_refused(ruler):
    """OnTrainingRows would say "training rows" and measure all of them."""
    with pytest.raises(ValueError, match=r"looks at a training run, and a module is none; take a"):
        measure(network(), X, Y, estimators=[Binning(), ruler])


@pytest.mark.parametrize(
    "y", [Y - 7, Y * 1_000_000, np.array(["cat", "dog"])[Y], torch.from_numpy(Y), Y.tolist()]
)
def test_labels_of_any_name_say_the_same(y):
    """Only which labels are equal matters."""
    rulers = [Binning(), Exact(), KernelBound(0.1)]
    found = measure(network(), X, y, estimators=rulers)
    assert found.equals(measure(network(), X, Y, estimators=rulers))


@pytest.mark.parametrize("kind", ["f2", "f8", ">f4", ">f8", "g"])
def test_inputs_of_any_float_type_are_taken(kind):
    """Long doubles and a foreign order of bytes too, which torch does not know."""
    x = np.round(X * 16) / 16  # exact in half precision
    found = measure(network(), x.astype(kind), Y, estimators=RULERS)
    assert found.equals(measure(network(), x, Y, estimators=RULERS))


def test_soft_labels_are_taken_as_probabilities():
    rows = np.column_stack([1 - Y, Y]).astype(float)
    hard = measure(network(), X, Y, estimators=RULERS)
    for soft in (Y.astype(float), rows, rows.astype(int)):
        found = measure(network(), X, soft, estimators=RULERS, y_kind="probabilities")
        np.testing.assert_allclose(found.i_ty, hard.i_ty, atol=1e-12)


class Odd(nn.Module):
    """A module whose one layer is what the test makes of it."""

    def __init__(self, function):
        super().__init__()
        self.weight, self.layer, self.function = (
            nn.Parameter(torch.ones(1)),
            nn.Identity(),
            function,
        )

    def forward(self, x):
        return self.layer(self.function(x))


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x / 0, "layer 'layer': t must be finite"),
        (lambda x: torch.log(x), "layer 'layer': t must be finite"),
        (lambda x: x + 1j, "layer 'layer' gives complex numbers; measure real and imaginary"),
        (lambda x: x[:, :0], "the first axis of layer 'layer' must be the 50 samples"),
        (
            lambda x: x[:, : len(x) // 10],
            r"gives 50 rows of \[2, 3\] units for 50 samples: it does",
        ),
        (lambda x: {}["weights"], "the module cannot be called with x .*'weights'"),
    ],
)
def test_outputs_that_say_nothing_name_their_layer(function, message):
    size = 30 if "rows of" in message else 1024
    with pytest.raises(ValueError, match=message):
        measure(Odd(function), X, Y, estimators=[Exact()], chunk_size=size)


@dataclass(frozen=True)
class _Numberless(Ruler):
    """A ruler of one's own that gives what is no information."""

    def __call__(self, t, y):
        return (float("nan"), 1.0)


def test_a_ruler_without_numbers_is_named_with_the_layer():
    with pytest.raises(ValueError, match=r"layer '0': .* gives \[nan, 1.0\], not two finite numb"):
        measure(network(), X, Y, estimators=[_Numberless()])


def test_a_module_without_values_is_refused():
    with pytest.raises(ValueError, match="the module's parameters have no values"):
        measure(network().to("meta"), X, Y)


def test_a_layer_that_does_not_run_is_named():
    with pytest.raises(ValueError, match=r"layer idle did not run .* these did: first"):
        measure(Shared(), *inputs(), layers=["idle", "first"])
    # A module that calls none of its children is a layer itself.
    assert measure(Silent(), *inputs()).layer.values.tolist() == [""]


def test_outputs_that_are_not_a_layer_are_refused():
    class Wrong(nn.Module):
        def __init__(self):
            super().__init__()
            self.flat = nn.Flatten(0)

        def forward(self, x):
            return self.flat(x)

    with pytest.raises(ValueError, match="first axis of layer 'flat' must be the 50 samples"):
        measure(Wrong(), *inputs(), layers=["flat"])


def test_several_noise_levels_give_an_entry_each():
    x = np.random.default_rng(0).normal(size=(30, 3)).astype(np.float32)
    layer = torch.nn.Linear(3, 2)
    found = measure(layer, x, np.arange(30) % 2, estimators=[KernelBound((0.1, 0.2)), Binning()])
    assert found.estimator.values.tolist() == [
        "KernelBound(noise_variance=0.1, bound='upper')",
        "KernelBound(noise_variance=0.2, bound='upper')",
        "Binning(n_bins=30, low=-1.0, high=1.0)",
    ]
    assert found.i_xt[0] > found.i_xt[1]
