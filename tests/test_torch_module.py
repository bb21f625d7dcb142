"""The information plane of any torch module: hooks, modes, names and refusals."""

import random
import warnings
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import ibcore as ib
from ibcore.estimators import (
    AdaptiveBinning,
    Binning,
    EdgeBinning,
    Exact,
    KernelBound,
    LinearGaussian,
    NetInputBinning,
    OnTrainingRows,
    Quantised,
    RangeBinning,
    Ruler,
    SamplePropagation,
)
from ibcore.information import binary_entropy
from ibcore.modules import Layer, layer_outputs, measure
from ibcore.modules.counted import hash_rows, hashed_information
from ibcore.modules.targets import equal_counts

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
    ("wish", "message"),
    [
        ({"layers": ["3", "last"]}, "no layer last in this module; it has 0, 1, 2, 3"),
        (
            {"layers": "3"},
            "layers must be a list of names or ib.Layer, got '3'; leave it out for all",
        ),
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
def test_impossible_requests_are_refused(wish, message):
    asked = {"module": network(), "x": X, "y": Y} | wish
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


# What people have ---------------------------------------------------------------------------------


def images(n=12):
    torch.manual_seed(1)
    return torch.randn(n, 1, 6, 6), [0, 1, 2] * (n // 3)


class Convolution(nn.Module):
    """Images to classes."""

    def __init__(self):
        super().__init__()
        self.conv, self.out = nn.Conv2d(1, 3, 3), nn.Linear(48, 3)

    def forward(self, x):
        return self.out(torch.relu(self.conv(x)).flatten(1))


class Recurrent(nn.Module):
    """Sequences (sample, token, feature) to classes; with ``first`` false (token, sample, …)."""

    def __init__(self, first=True, kind=nn.LSTM):
        super().__init__()
        self.first = first
        self.rnn, self.out = kind(4, 5, batch_first=first), nn.Linear(5, 2)

    def forward(self, x):
        found = self.rnn(x)[0]
        return self.out(found[:, -1] if self.first else found[-1])


def by_hand(t, y, ruler):
    t = t.detach().reshape(len(t), -1).numpy()
    return tuple(ruler(t, y))


def pair(found, **where):
    one = found.sel(**where)
    return float(one.i_xt), float(one.i_ty)


def test_a_convolution_is_flat_pooled_or_channel_by_channel():
    """The same numbers as by hand, and the result says which."""
    x, y = images()
    module, ruler = Convolution(), Binning(n_bins=4)
    chosen = [Layer("conv"), Layer("conv", units="pooled"), Layer("conv", units="channels"), "out"]
    found = measure(module, x, y, layers=chosen, estimators=[ruler])
    t = module.conv(x)
    expected = {
        "conv": t, "conv[pooled]": t.mean((2, 3)), "out": module(x),
        **{f"conv[channel {k}]": t[:, k] for k in range(3)},
    }  # fmt: skip
    assert set(found.layer.values) == set(expected)
    for name, one in expected.items():
        assert pair(found, estimator=repr(ruler), layer=name) == by_hand(one, y, ruler)
    words = dict(zip(found.layer.values, found.taken.values, strict=True))
    assert words["conv"] == "all units"
    assert words["conv[pooled]"] == "mean over 4 × 4 positions of each channel"
    assert words["conv[channel 1]"] == "channel 1 of 3"


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_a_recurrent_network_is_measured_without_a_word(kind):
    """The first tensor of its tuple is taken, and the result says so."""
    torch.manual_seed(0)
    x, y, module = torch.randn(9, 4, 4), [0, 1, 2] * 3, Recurrent(kind=kind)
    found = measure(module, x, y, estimators=[Exact()])
    assert found.layer.values.tolist() == ["rnn", "out"]
    assert found.taken.values[0] == "[0] all units"
    assert found.width.values.tolist() == [20, 2]


def test_tokens_and_states_of_a_sequence_are_chosen():
    torch.manual_seed(0)
    x, y, module = torch.randn(9, 4, 4), [0, 1, 2] * 3, Recurrent()
    ruler = Binning(n_bins=3)
    output, (hidden, cell) = module.rnn(x)
    wanted = {
        Layer("rnn", units="last"): output[:, -1],
        Layer("rnn", units=("token", 1)): output[:, 1],
        Layer("rnn", units="mean"): output.mean(1),
        Layer("rnn", take=(1, 0)): hidden[0],
        Layer("rnn", take=(1, 1), batch_axis=1): cell[0],
    }
    found = measure(module, x, y, layers=list(wanted), estimators=[ruler])
    labels = ["rnn[last]", "rnn[token 1]", "rnn[mean]", "rnn[1, 0]", "rnn[1, 1]"]
    assert found.layer.values.tolist() == labels
    for label, t in zip(labels, wanted.values(), strict=True):
        assert pair(found, estimator=repr(ruler), layer=label) == by_hand(t, y, ruler)
    assert found.taken.values[3] == "[1][0] all units, axis 1 is the sample"


def test_the_sample_may_be_the_second_axis():
    """(token, sample, feature): what the module says of itself, or the one axis that fits."""
    torch.manual_seed(0)
    first, second = Recurrent(), Recurrent(first=False)
    second.load_state_dict(first.state_dict())
    x, y = torch.randn(9, 4, 4), [0, 1, 2] * 3
    usual = measure(first, x, y)
    found = measure(second, x.movedim(0, 1), y, batch_axis=1, chunk_size=5)
    assert found.i_xt.values.tolist() == usual.i_xt.values.tolist()
    assert found.taken.values[0] == "[0] all units, axis 1 is the sample"
    square = measure(second, x[:4].movedim(0, 1), y[:4], batch_axis=1)  # as many tokens as samples
    assert square.i_xt.values.tolist() == measure(first, x[:4], y[:4]).i_xt.values.tolist()


def test_attention_gives_its_own_output():
    """``out_proj`` is called as a function and never runs as a module: attention itself is it."""
    torch.manual_seed(0)
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    module = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
    x, y = torch.randn(9, 3, 8), [0, 1, 2] * 3
    found = measure(module, x, y, estimators=[Binning(n_bins=3)])
    names = found.layer.values.tolist()
    assert "layers.0.self_attn" in names
    assert not any("out_proj" in name for name in names)
    with torch.no_grad():
        t = module.layers[0].self_attn(x, x, x)[0]
    assert pair(found, layer="layers.0.self_attn", estimator=found.estimator.values[0]) == by_hand(
        t, y, Binning(n_bins=3)
    )


class Dictionary(nn.Module):
    """A dict in, a dict out, as Hugging Face has it."""

    def __init__(self):
        super().__init__()
        self.embed, self.head = nn.Embedding(7, 4), nn.Linear(4, 2)

    def forward(self, input_ids, attention_mask=None, scale=None):
        t = self.embed(input_ids) * attention_mask[..., None]
        return {"states": t, "logits": self.head(t.mean(1))}


def tokens(n=10):
    rng = np.random.default_rng(0)
    ids = torch.from_numpy(rng.integers(0, 7, (n, 3)))
    return {"input_ids": ids, "attention_mask": torch.ones(n, 3)}, np.arange(n) % 2


def test_dicts_go_in_and_come_out():
    module, (x, y) = Dictionary(), tokens()
    outputs = [Layer("", take="logits"), Layer("", take="states", units="mean"), "head"]
    found = measure(module, x, y, layers=outputs, chunk_size=4)
    assert found.layer.values.tolist() == ["head", "[logits]", "[states, mean]"]
    assert found.taken.values.tolist() == [
        "all units", "['logits'] all units", "['states'] mean over 3 tokens"
    ]  # fmt: skip
    assert found.i_xt[0, 0] == found.i_xt[0, 1]
    # Not every entry has samples: None and switches are handed on.
    assert measure(module, x | {"scale": None}, y, layers=["head"]).i_xt[0, 0] == found.i_xt[0, 0]
    assert measure(module, x, y).taken.values.tolist() == ["all units", "all units"]


class Two(nn.Module):
    """Two inputs."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Bilinear(3, 2, 4)

    def forward(self, left, right):
        return self.mix(left, right)


def test_a_list_of_samples_is_an_array():
    """A tuple holds several inputs; a list of rows is what it is to NumPy."""
    assert measure(network(), list(X), Y).equals(measure(network(), X, Y))
    assert measure(network(), list(torch.from_numpy(X)), Y).equals(measure(network(), X, Y))


def test_several_inputs_are_a_tuple():
    torch.manual_seed(0)
    left, right, module = torch.randn(8, 3), torch.randn(8, 2).numpy(), Two()
    found = measure(module, (left, right), [0, 1] * 4, estimators=[Exact()], chunk_size=3)
    t = module(left, torch.from_numpy(right))
    assert pair(found, layer="mix", estimator="Exact()") == by_hand(t, [0, 1] * 4, Exact())
    data = [((a, b), k % 2) for k, (a, b) in enumerate(zip(left, right, strict=True))]
    assert measure(module, DataLoader(data, batch_size=3), estimators=[Exact()]).equals(found)


@pytest.mark.parametrize("kind", ["loader", "list", "generator", "dicts", "arrays"])
def test_batches_of_any_kind_say_what_the_arrays_say(kind):
    """Counting rulers, kernel bounds, bins that need the whole layer: the same to the last bit."""
    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    parts = [(x[at : at + 7], y[at : at + 7]) for at in range(0, len(x), 7)]
    loader = {
        "loader": DataLoader(TensorDataset(x, y), batch_size=7),
        "list": parts,
        "generator": (one for one in parts),
        "dicts": [{"input": a, "labels": b} for a, b in parts],
        "arrays": [[a.numpy(), b.tolist()] for a, b in parts],
    }[kind]
    rulers = [*RULERS, KernelBound((0.1, 0.2)), AdaptiveBinning(4), Binning(n_bins=30)]
    found = measure(network(), loader, estimators=rulers)
    assert found.equals(measure(network(), X, Y, estimators=rulers, chunk_size=7))


@pytest.mark.parametrize(
    ("loader", "message"),
    [
        (
            TensorDataset(torch.from_numpy(X)),
            "x is a Dataset, which gives single samples; write to",
        ),
        ([(X, Y, Y)], r"a batch must be x, \(x, y\) or a dict, got a tuple of 3; several inputs"),
        (iter([]), "x gives no batch; an iterator that was used up before must be made again"),
        ([(X, Y), (X,)], "some batches have labels and some have none"),
        ([(X, Y[1:])], "one label for each input, got batches of 50 inputs and 49 labels"),
        ([(X, Y / 2.0)], r"from 0 to 0.5, which may be probabilities P\(y=1\|x\) or targets"),
        (
            {"input": X, "mask": X[1:]},
            "equally many samples, got input 50, mask 49; what is the sam",
        ),
        ({}, "inputs must have equally many samples, got none"),
        ((X, X[1:]), r"equally many samples, got x\[0\] 50, x\[1\] 49"),
    ],
    ids=lambda one: one if isinstance(one, str) else type(one).__name__,
)
def test_batches_that_cannot_be_are_refused(loader, message):
    with pytest.raises(ValueError, match=message):
        measure(network(), loader)


def test_a_loader_brings_its_labels():
    with pytest.raises(ValueError, match=r"x is a loader, whose batches .* leave y out"):
        measure(network(), [(X, Y)], Y)


def test_rulers_of_whole_layers_have_their_limit():
    """Counting needs no memory for layers; the others say how much they would need."""
    with pytest.raises(
        ValueError, match=r"KernelBound\(.*needs layers as a whole, and after 14 sa"
    ):
        measure(
            network(), X, Y, estimators=[Exact(), KernelBound(0.1)], chunk_size=7, most_gib=6e-7
        )
    measure(network(), X, Y, estimators=[Exact()], most_gib=1e-9)


@settings(max_examples=30)
@given(
    seed=st.integers(0, 9999),
    n=st.integers(2, 60),
    width=st.integers(1, 70),
    soft=st.booleans(),
    ruler=st.sampled_from(
        [Binning(n_bins=2), Binning(width=0.7), Exact(), EdgeBinning(5), NetInputBinning(9),
         AdaptiveBinning(3)]
    ),
)  # fmt: skip
def test_hashing_counts_to_the_last_bit(seed, n, width, soft, ruler):
    """Hashed rows of codes against the ruler's own packing of them."""
    rng = np.random.default_rng(seed)
    t = np.tanh(rng.normal(size=(n, width))).astype(np.float32)
    t = t[rng.integers(0, n, n)].round(int(rng.integers(0, 3)))
    y = rng.random(n).round(1) if soft else rng.integers(0, 3, n)
    assert hashed_information(ruler, t, y) == tuple(ruler(t, y))


def test_a_hash_tells_single_changes_apart():
    """Rows that differ in one unit, by anything, never meet, in either word."""
    rows = np.zeros((1 + 64 * 40, 40), np.int64)
    rows[1:] = np.kron(np.eye(40, dtype=np.int64), (1 << np.arange(64)).astype(np.int64)[:, None])
    found = np.empty((len(rows), 2), np.uint64)
    hash_rows(rows, found)
    assert [len(np.unique(word)) for word in found.T] == [len(rows)] * 2


def test_functions_are_rulers():
    def halves(t, y):
        return len(t) / 2, len(np.unique(y))

    found = measure(network(), X, Y, estimators=[Exact(), halves])
    assert found.estimator.values.tolist() == ["Exact()", "halves"]
    assert found.i_xt.values[1].tolist() == [25.0] * 4
    assert found.i_ty.values[1].tolist() == [2.0] * 4
    for wrong in (lambda t, y: 1.0, lambda t, y: (1.0, "a"), lambda t, y: (1, 2, 3)):
        with pytest.raises(ValueError, match=r"layer '0': <lambda>\(t, y\) must give two numbers"):
            measure(network(), X, Y, estimators=[wrong])
    with pytest.raises(ValueError, match="two functions have the same name"):
        measure(network(), X, Y, estimators=[lambda t, y: (0, 0), lambda t, y: (1, 1)])


def test_without_labels_there_is_one_number():
    found = measure(network(), X, estimators=RULERS)
    assert list(found.data_vars) == ["i_xt"]
    assert "label_entropy" not in found.attrs
    assert found.i_xt.equals(measure(network(), X, Y, estimators=RULERS).i_xt)


# Labels -------------------------------------------------------------------------------------------


def test_regression_targets_are_never_read_as_probabilities_in_silence():
    """y = x within [0, 1]: as ten classes log2 10 bits, as probabilities a fraction of one."""
    x = np.linspace(0, 1, 2000, dtype=np.float32)[:, None]
    module, ruler = nn.Sequential(nn.Identity()), Exact()
    with pytest.raises(
        ValueError, match=r"from 0 to 1, which may be probabilities .* write y_kind"
    ):
        measure(module, x, x[:, 0], estimators=[ruler])
    values = measure(module, x, x[:, 0], estimators=[ruler], y_kind="values")
    assert values.i_ty.item() == pytest.approx(np.log2(10), abs=1e-9)
    assert (values.y_kind, values.y_classes) == ("values", 10)
    assert values.label_entropy == pytest.approx(np.log2(10), abs=1e-9)
    assert measure(module, x, x, y_kind="values", y_bins=4).y_classes == 4  # one column
    soft = measure(module, x, x[:, 0], estimators=[ruler], y_kind="probabilities")
    assert soft.i_ty.item() == pytest.approx(1 - 1 / (2 * np.log(2)), abs=1e-3)
    with pytest.raises(
        ValueError, match=r"from -1 to 1: for targets of a regression write y_kind="
    ):
        measure(module, x, 2 * x[:, 0] - 1)


@pytest.mark.parametrize(
    ("y", "kind", "message"),
    [
        (Y, "numbers", "y_kind must be one of classes, probabilities, values, or None; got 'num"),
        (X, None, r"y of shape \(50, 3\) must be rows of probabilities .* one by one: y\[:, 0\]"),
        (X, "values", r"one number for each sample, got float32 of shape \(50, 3\); measure sev"),
        (X[:, 0], "classes", "float labels that are classes must be whole numbers"),
        (np.eye(50), "classes", "rows of probabilities, one-hot ones too, are y_kind='probabilit"),
        (np.full(50, np.inf), "values", "values must be finite numbers"),
        (np.zeros((50, 3, 3), int), None, r"y must be \(sample,\) integers or strings.*\(50, 3, 3"),
    ],
)  # fmt: skip
def test_labels_that_fit_no_kind_are_refused(y, kind, message):
    with pytest.raises(ValueError, match=message):
        measure(network(), X, y, y_kind=kind)


@given(st.lists(st.integers(-3, 3) | st.floats(-9, 9), min_size=1, max_size=40), st.integers(1, 9))
def test_equal_counts_keep_the_order_and_the_ties(values, n_bins):
    """Larger values have no smaller class, equal ones the same; without ties counts differ by 1."""
    values = np.array(values, float)
    found = equal_counts(values, n_bins)
    order = np.argsort(values)
    assert (np.diff(found[order]) >= 0).all()
    assert len(np.unique(found)) <= n_bins
    assert all(len(set(found[values == one])) == 1 for one in values)
    if len(np.unique(values)) == len(values) >= n_bins:
        counts = np.bincount(found, minlength=n_bins)
        assert counts.max() - counts.min() <= 1


# Modes --------------------------------------------------------------------------------------------


def droppy():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 6), nn.BatchNorm1d(6), nn.Dropout(0.5), nn.Linear(6, 2))


def states():
    return (
        torch.get_rng_state().numpy().tobytes(), np.random.get_state()[1].tobytes(),  # noqa: NPY002
        random.getstate(),
    )  # fmt: skip


@pytest.mark.parametrize("mode", ["evaluation", "training"])
def test_nothing_is_left_behind_in_either_mode(mode):
    """Weights, running means, gradients, modes and all random numbers, a loader's too."""
    module = droppy().train()
    module[2].eval()
    module(torch.randn(8, 3)).sum().backward()
    generator = torch.Generator().manual_seed(3)
    data = TensorDataset(torch.from_numpy(X), torch.from_numpy(Y))
    loader = DataLoader(data, batch_size=10, shuffle=True, generator=generator)
    weights = {name: one.clone() for name, one in module.state_dict().items()}
    gradients = [one.grad.clone() for one in module.parameters()]
    before, own = states(), generator.get_state().numpy().tobytes()
    measure(module, loader, mode=mode)
    assert states() == before
    assert generator.get_state().numpy().tobytes() == own
    assert all(torch.equal(one, weights[name]) for name, one in module.state_dict().items())
    assert all(map(torch.equal, [one.grad for one in module.parameters()], gradients))
    assert [one.training for one in module] == [True, True, False, True]


def test_training_mode_drops_and_says_so():
    rulers = [Binning(n_bins=2)]
    found = measure(droppy().eval(), X, Y, estimators=rulers, mode="training")
    quiet = measure(droppy(), X, Y, estimators=rulers)
    assert (found.mode, quiet.mode) == ("training", "evaluation")
    assert not found.i_xt.sel(layer="2").equals(found.i_xt.sel(layer="1"))  # dropout
    assert quiet.i_xt.sel(layer="2").values.tolist() == quiet.i_xt.sel(layer="1").values.tolist()
    again = measure(droppy(), X, Y, estimators=rulers, mode="training")
    assert again.equals(found)
    assert not measure(droppy(), X, Y, estimators=rulers, mode="training", seed=1).equals(found)


class Noise(nn.Module):
    """The input, or something else with probability p: a channel known in closed form."""

    def __init__(self, p):
        super().__init__()
        self.p, self.out = p, nn.Identity()

    def forward(self, x):
        flip = torch.rand(len(x), 1) < self.p
        return self.out(torch.where(flip & torch.tensor(self.training), 1 - x, x))


def test_replicas_tell_what_a_noisy_layer_knows():
    """A binary symmetric channel: I(X;T) = 1 - h(p), for I(X;T) and for I(T;Y) with Y = X."""
    x, y = np.array([[0.0], [1.0]], np.float32), [0, 1]
    found = measure(Noise(0.1), x, y, estimators=[Exact()], mode="training", replicas=4000)
    truth = 1 - binary_entropy(0.1)
    assert found.i_xt.item() == pytest.approx(truth, abs=0.02)
    assert found.i_ty.item() == pytest.approx(truth, abs=0.02)
    assert found.replicas == 4000
    one = measure(Noise(0.1), x, y, estimators=[Exact()], mode="evaluation")
    assert one.i_xt.item() == 1.0
    with pytest.raises(ValueError, match="replicas=2 passes are all alike in evaluation mode"):
        measure(Noise(0.1), x, y, replicas=2)


def test_mixed_precision_is_read_as_float32():
    module = network()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = measure(module, X, Y, layers=["0"], estimators=[Exact()])
        t = module[0](torch.from_numpy(X))
    assert t.dtype == torch.bfloat16
    assert pair(found, layer="0", estimator="Exact()") == by_hand(t.float(), Y, Exact())
    half = measure(network().bfloat16(), X, torch.from_numpy(Y).bfloat16(), estimators=[Exact()])
    assert (half.i_xt <= np.log2(50)).all()


# Refusals -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"layers": [Layer("0", "pooled")]}, r"layer '0' has the shape \(50, 4\) and 'pooled'"),
        ({"layers": [Layer("0", take="logits")]}, r"layer '0' has nothing at \('logits',\): there"),
        ({"layers": [Layer("0", batch_axis=1)]}, "first axis of layer '0' must be the 50 samples"),
        ({"layers": ["0", Layer("0")]}, "each layer once, got 0, 0"),
        ({"mode": "eval"}, "mode must be one of evaluation, training; got 'eval'"),
        ({"most_gib": 0}, r"most_gib must be a number in \(0, 1e6\]"),
        ({"batch_axis": 3}, r"x must be \(sample, ...\) .* shape \(50, 3\) and batch_axis=3"),
        ({"y_kind": "values", "y_bins": 0}, "y_bins must be a whole number from 2 to"),
        ({"x": X[:1], "y": [0]}, "need at least 2 samples to speak of information, got 1"),
    ],
)  # fmt: skip
def test_wishes_that_cannot_be_are_refused(wish, message):
    with pytest.raises(ValueError, match=message):
        measure(**{"module": network(), "x": X, "y": Y} | wish)


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"name": 0}, r"a layer is named as in module.named_modules\(\), got 0"),
        ({"take": 3.0}, "take must be an index, a key or a tuple of them; got 3.0"),
        ({"units": "max"}, r"units must be one of flat, .* or \('token', k\); got 'max'"),
        ({"units": ("token", "1")}, r"units must be one of .*; got \('token', '1'\)"),
        ({"batch_axis": "1"}, "batch_axis must be a whole number; got '1'"),
    ],
)
def test_layers_that_cannot_be_are_refused(wish, message):
    with pytest.raises(ValueError, match=message):
        Layer(**{"name": "0"} | wish)


def test_a_module_in_place_of_its_name_is_told_its_name():
    module = network()
    with pytest.raises(ValueError, match="must be a list of names, got a module; its name is '1'"):
        measure(module, X, Y, layers=[module[1]])


def test_tokens_that_are_not_there_are_refused():
    with pytest.raises(ValueError, match="layer 'rnn' has 4 tokens, none of number 4"):
        measure(Recurrent(), torch.zeros(2, 4, 4), [0, 1], layers=[Layer("rnn", ("token", 4))])


def test_torchscript_is_refused_with_the_reason():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit says that it is old
        scripted = torch.jit.trace(network().eval(), torch.from_numpy(X))
    with pytest.raises(ValueError, match=r"TorchScript .* does not call the hooks of its layers"):
        measure(scripted, X, Y)


def test_networks_of_ibcore_are_sent_to_run():
    ensemble = ib.train(ib.Experiment(task="szt", n_seeds=1, n_epochs=1)).ensemble(0)
    with pytest.raises(ValueError, match=r"Ensemble is ibcore's own; its plane comes from ib\.run"):
        measure(ensemble, X, Y)


def test_a_compiled_module_is_its_original():
    """Hooks do not run in compiled code: the module under it has the same parameters."""

    class Compiled(nn.Module):
        """What torch.compile makes: the original is a child, and its hooks may not run."""

        def __init__(self, module):
            super().__init__()
            self._orig_mod = module

        def forward(self, x):
            raise AssertionError("compiled code must not run")

    module = network()
    assert measure(Compiled(module), X, Y).equals(measure(module, X, Y))


def test_names_may_hold_the_signs_of_labels():
    """A colon or a bracket in the name of a module is no second call and no selection."""
    for name in ("act:2", "act[0]"):
        parts = OrderedDict([("a", nn.Linear(2, 2)), (name, nn.Tanh())])
        found = ib.measure(nn.Sequential(parts), torch.eye(2), [0, 1], layers=[name])
        assert found.layer.values.tolist() == [name]
