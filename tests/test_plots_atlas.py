"""Figures of rulers: what is drawn is what was given."""

import base64
import json

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from claim_planes import EPOCHS, LAYERS, N, curve, make_plane

from ibcore import plots, theory
from ibcore.papers import paper_module
from ibcore.plots import atlas

GOLDFELD = paper_module("goldfeld", "figures")
SAXE = paper_module("saxe", "figures")


@pytest.fixture(autouse=True)
def clean():
    yield
    plt.close("all")


def compression(values):
    """(estimator, seed, layer) with the given medians."""
    values = np.asarray(values, float)
    spread = np.array([-0.1, 0.0, 0.1])[None, :, None]
    return xr.DataArray(
        values[:, None] + spread,
        dims=("estimator", "seed", "layer"),
        coords={"estimator": list("ab"), "layer": [1, 2, 3]},
    )


def test_verdict_map_numbers_the_cells_beyond_the_threshold():
    c = compression([[0.2, 0.6, 3.0], [0.0, 0.4, 0.5]])
    axes = plots.verdict_map({"tanh": c, "ReLU": c + 1}, ["one", "two"])
    written = [[text.get_text() for text in ax.texts] for ax in axes]
    assert written[0] == ["0.6", "3.0"]
    assert len(written[1]) == 6
    assert [label.get_text() for label in axes[0].get_yticklabels()] == ["one", "two"]
    image = axes[0].images[0].get_array()
    np.testing.assert_allclose(image.compressed(), [0.6, 3.0])
    with pytest.raises(ValueError, match="labels must name the 2 rulers of tanh, got 1"):
        plots.verdict_map({"tanh": c}, ["one"])


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("Binning(n_bins=4, low=-1.0, high=1.0)", "4 bins on [−1, 1]"),
        ("RangeBinning(n_bins=100)", "100 bins on the run's range"),
        ("AdaptiveBinning(n_bins=30)", "EBAB, 30 bins"),
        ("AdaptiveBinning(n_bins=30, released=True)", "EBAB, 30 bins, as released"),
        ("NetInputBinning(n_edges=30, limit=50.0, collapsed=True)", "net-input bins, as released"),
        ("NetInputBinning(n_edges=30, limit=50.0, collapsed=False)", "net-input bins"),
        ("KernelBound(noise_variance=1.52587890625e-05, bound='upper')", "noise variance 0.000015"),
        ("Quantised(n_bits=1)", "1 bit per unit"),
        ("Quantised(n_bits=8)", "8 bits per unit"),
        ("Exact()", "float32 rows"),
        ("Binning(width=0.07)", "Binning(width=0.07)"),
    ],
)
def test_rulers_have_short_names(name, label):
    assert plots.ruler_label(name) == label


@pytest.mark.parametrize(
    ("name", "label"),
    [("relu", "ReLU"), ("leaky_relu", "leaky ReLU"), ("centred_softplus", "centred softplus")],
)
def test_activations_have_names_for_readers(name, label):
    assert plots.activation_label(name) == label


def test_known_parts_are_stacked_to_their_sum():
    values = {
        name: np.full((N, len(EPOCHS), LAYERS), i + 1.0) for i, name in enumerate(atlas.PARTS)
    }
    plane = make_plane(curve(5.0, 8.0, 4.0), **values)
    plane = plane.assign_coords(width=("layer", [10, 7, 5, 4, 3, 2]))
    plane.coords["measures"] = ("estimator", ["I(X; bin(T))"])
    axes = plots.known_parts(plane)
    assert len(axes) == LAYERS
    top = max(path.vertices[:, 1].max() for path in axes[0].collections[-1].get_paths())
    assert top == pytest.approx(1 + 2 + 3 + 4)
    assert [c.get_label() for c in axes[0].collections] == list(atlas.PARTS.values())


def test_curves_draw_medians_and_bands():
    x = np.array([1.0, 2.0, 4.0])
    many = np.array([[0, 1, 2], [1, 2, 3], [2, 3, 4]])
    ax = plots.lines(x, {"a": many, "b": [5, 5, 5]}, xlabel="c", ylabel="bits", levels={"top": 12})
    assert ax.lines[0].get_ydata().tolist() == [1, 2, 3]
    assert ax.lines[1].get_ydata().tolist() == [5, 5, 5]
    assert ax.get_xscale() == "log"
    assert len(ax.collections) == 1


class TestSlider:
    """An HTML output that carries its own numbers and needs no network."""

    @pytest.fixture
    def slider(self):
        plane = make_plane(curve(5.0, 8.0, 4.0), i_ty=0.7)
        return plots.RulerSlider(
            {"tanh": plane, "ReLU": plane}, {"30 bins": plane.estimator.item()}
        )

    def test_it_holds_the_medians_of_every_ruler(self, slider):
        assert slider.data["rulers"] == ["30 bins"]
        found = np.array(slider.data["planes"][1]["x"])
        assert found.shape == (1, len(EPOCHS), LAYERS)
        np.testing.assert_allclose(found[0, :, 2], curve(5.0, 8.0, 4.0)[0, :, 2], atol=5e-4)
        assert slider.data["planes"][0]["top"] == 12

    def test_rulers_of_one_kind_stand_in_the_order_of_their_size(self):
        names = {
            "30": "Binning(n_bins=30, low=-1.0, high=1.0)",
            "EBAB": "AdaptiveBinning(n_bins=30)",
            "fine": "KernelBound(noise_variance=6.1e-05, bound='upper')",
            "2": "Binning(n_bins=2, low=-1.0, high=1.0)",
            "coarse": "KernelBound(noise_variance=0.001, bound='upper')",
        }
        assert atlas.in_order(names) == ["2", "30", "EBAB", "fine", "coarse"]

    def test_planes_of_other_epochs_are_refused(self):
        plane = make_plane(curve(5.0, 8.0, 4.0), i_ty=0.7)
        other = plane.assign_coords(epoch=plane.epoch + 1)
        with pytest.raises(ValueError, match="the same epochs; ReLU is not"):
            plots.RulerSlider({"tanh": plane, "ReLU": other}, {"30 bins": plane.estimator.item()})

    def test_its_html_is_complete_and_offline(self, slider):
        html = slider._repr_html_()
        assert json.dumps(slider.data, separators=(",", ":")) in html
        assert "$$" not in html
        assert "<noscript>" in html
        assert html.count("http") == 1  # the name of the SVG namespace, which is not fetched
        assert repr(slider) == "RulerSlider of 1 rulers"


class TestNeuron:
    """The exact probabilities behind the two sliders."""

    @pytest.fixture
    def neuron(self):
        return SAXE.NeuronSlider(weights=(0.868968, 10.0), n_bins=(10, 30))

    def test_it_holds_the_exact_information(self, neuron):
        for k, n_bins in enumerate((10, 30)):
            expected = [theory.single_neuron_information(w, n_bins=n_bins) for w in neuron.weights]
            np.testing.assert_allclose(neuron.information[k], expected, atol=1e-9)
            assert neuron.probabilities[k].shape == (2, n_bins)
            np.testing.assert_allclose(neuron.probabilities[k].sum(axis=1), 1.0)

    def test_its_html_is_complete_and_offline(self, neuron):
        html = neuron._repr_html_()
        assert json.dumps(neuron.information.round(3).tolist(), separators=(",", ":")) in html
        assert "$$" not in html
        assert "<noscript>" in html
        assert html.count("http") == 1
        assert repr(neuron) == "NeuronSlider of 2 weights and 2 rulers"


class TestClouds:
    """Three units of a layer, still and moving."""

    T = np.array([[-1.0, 0.5, 1.0, 9.0 / 10], [0.25, 0.0, -0.5, 0.0]])

    def test_the_still_ones_hold_the_points(self):
        axes = GOLDFELD.clouds({"epoch 1": self.T, "epoch 2": -self.T}, [0, 1])
        assert [ax.get_title() for ax in axes] == ["epoch 1", "epoch 2"]
        drawn = axes[1].collections[0].get_offsets()
        x, y, z = -self.T[0, :3]
        expected_x = x * np.cos(0.6) - y * np.sin(0.6)
        expected_y = z * np.cos(0.4) - (x * np.sin(0.6) + y * np.cos(0.6)) * np.sin(0.4)
        np.testing.assert_allclose(drawn, [[expected_x, expected_y]])
        assert len(axes[0].lines) == 12

    def test_the_player_holds_them_to_one_part_in_127(self):
        player = GOLDFELD.CloudPlayer({"epoch 1": self.T}, [3, 5], {"epoch 1": "12 bits"})
        raw = np.frombuffer(base64.b64decode(player.data["points"][0]), np.int8)
        np.testing.assert_allclose(raw.reshape(2, 3) / 127, self.T[:, :3], atol=0.5 / 127)
        assert np.frombuffer(base64.b64decode(player.data["classes"]), np.int8).tolist() == [0, 1]
        html = player._repr_html_()
        assert "12 bits" in html
        assert "<noscript>" in html
        assert "$$" not in html
        assert html.count("http") == 1
        assert player.data["names"] == ["class 3", "class 5"]
        assert repr(player) == "CloudPlayer of 1 clouds"

    def test_layers_that_make_no_cloud(self):
        with pytest.raises(ValueError, match="three units near"):
            GOLDFELD.clouds({"a": np.zeros((3, 2))}, [0, 1, 1])
        with pytest.raises(ValueError, match="three units near"):
            GOLDFELD.CloudPlayer({"a": np.full((3, 3), np.nan)}, [0, 1, 1])


def test_histogram_shows_shares_and_leaves_nothing_out():
    values = np.array([[0.1, 0.2], [0.2, 0.9]])
    ax = plots.histogram({"a": values, "b": values[0]}, edges=[0, 0.5, 1], xlabel="t")
    np.testing.assert_allclose(ax.patches[0].get_data().values, [0.75, 0.25])
    np.testing.assert_allclose(ax.patches[1].get_data().values, [1.0, 0.0])
    with pytest.raises(ValueError, match="1 values of 'a' lie outside the edges"):
        plots.histogram({"a": values}, edges=[0, 0.5], xlabel="t")
