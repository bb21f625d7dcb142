"""The information plane of any torch module: hooks, modes, names and refusals."""

import numpy as np
import pytest
import torch
from torch import nn

from ibcore.estimators import Binning, Exact, KernelBound
from ibcore.measure import layer_outputs, measure

RULERS = [Binning(width=0.07), Exact()]


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Dropout(0.5), nn.Linear(4, 2))


def inputs(n=50):
    rng = np.random.default_rng(0)
    return rng.normal(size=(n, 3)).astype(np.float32), rng.integers(0, 2, n)


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
    with pytest.raises(RuntimeError):
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
        ({"layers": "3"}, "layers must be a list of names"),
        ({"estimators": []}, "at least one estimator"),
        ({"chunk_size": 0}, "chunk_size must be positive"),
    ],
)
def test_impossible_requests_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        measure(network(), *inputs(), **settings)


def test_a_layer_that_does_not_run_is_named():
    with pytest.raises(ValueError, match=r"layer idle did not run .* these did: first"):
        measure(Shared(), *inputs(), layers=["idle", "first"])
    with pytest.raises(ValueError, match="no layer ran"):
        measure(network(), np.zeros((0, 3)), [])


def test_outputs_that_are_not_a_layer_are_refused():
    class Wrong(nn.Module):
        def __init__(self):
            super().__init__()
            self.memory, self.flat = nn.LSTM(3, 2), nn.Flatten(0)

        def forward(self, x):
            return self.memory(x), self.flat(x)

    with pytest.raises(ValueError, match="layer 'memory' gives a tuple, not a tensor"):
        measure(Wrong(), *inputs())
    with pytest.raises(ValueError, match="first axis of layer 'flat' must be the 50 samples"):
        measure(Wrong(), *inputs(), layers=["flat"])


def test_labels_must_match_the_inputs():
    x, y = inputs()
    with pytest.raises(ValueError, match="50 inputs and 49 labels"):
        measure(network(), x, y[1:])


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
