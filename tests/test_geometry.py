"""Geometry of a layer, and the exact parts of what it knows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ibcore import geometry
from ibcore.config import Experiment
from ibcore.decomposition import _classes, decompose
from ibcore.estimators import Binning
from ibcore.information import entropy_from_counts
from ibcore.observables import OBSERVABLES
from ibcore.results.run import run
from ibcore.tasks import load_task


def points(seed, n=60, d=4, n_classes=3):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, n)
    return rng.normal(size=(n, d)) + 2 * y[:, None], y


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), d=st.integers(1, 6))
def test_scatter_adds_up_to_the_whole_covariance(seed, d):
    """S_W + S_B = S, so do the traces; and the sums are those of a loop."""
    t, y = points(seed, d=d)
    found = geometry.scatter(t, y)
    assert found.within + found.between == pytest.approx(
        np.trace(np.cov(t.T, bias=True).reshape(d, d))
    )
    loop = sum(((row - t[y == c].mean(axis=0)) ** 2).sum() for row, c in zip(t, y, strict=True))
    assert found.within == pytest.approx(loop / len(t))


def test_tight_clusters_collapse():
    """No scatter within: the ratio is 0 and binned entropy is that of the classes (E7)."""
    y = np.arange(40) % 4
    t = np.eye(4)[y] * 0.7
    assert geometry.scatter(t, y)[:3] == pytest.approx((0, 0.49 * 0.75, 0))
    assert Binning()(t, y) == pytest.approx((2, 2))
    assert geometry.cosines(t, y) == pytest.approx((1, 0))


def test_cosines_are_means_over_pairs():
    t, y = points(1, n=25)
    unit = t / np.linalg.norm(t, axis=1, keepdims=True)
    pairs = [(i, j) for i in range(25) for j in range(25) if i != j]
    same = [unit[i] @ unit[j] for i, j in pairs if y[i] == y[j]]
    other = [unit[i] @ unit[j] for i, j in pairs if y[i] != y[j]]
    assert geometry.cosines(t, y) == pytest.approx((np.mean(same), np.mean(other)))
    assert np.isnan(geometry.cosines(t, np.zeros(25, int))[1])


def test_participation_ratio_counts_directions():
    """k equal orthogonal directions give k; a dead layer 0; rotations change nothing."""
    corners = np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, -1).T
    padded = np.concatenate([corners, np.zeros((8, 2))], axis=1)
    assert geometry.participation_ratio(padded) == pytest.approx(3)
    assert geometry.participation_ratio(np.ones((5, 2))) == 0
    q, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))
    t, y = points(3)
    assert geometry.participation_ratio(t @ q) == pytest.approx(geometry.participation_ratio(t))
    np.testing.assert_allclose(geometry.scatter(t @ q, y), geometry.scatter(t, y), rtol=1e-9)


def test_distance_histograms_count_every_pair_once(monkeypatch):
    """In blocks of seven rows as in one block, against a loop over pairs."""
    t, y = points(4, n=30)
    edges = np.linspace(0, 12, 13)
    whole = geometry.distance_histograms(t, y, edges)
    monkeypatch.setattr(geometry, "ROWS_AT_ONCE", 7)
    np.testing.assert_array_equal(geometry.distance_histograms(t, y, edges), whole)
    pairs = [(i, j) for i in range(30) for j in range(i)]
    distance = np.array([np.linalg.norm(t[i] - t[j]) for i, j in pairs])
    same = np.array([y[i] == y[j] for i, j in pairs])
    np.testing.assert_array_equal(whole[0], np.histogram(distance[same], edges)[0])
    np.testing.assert_array_equal(whole[1], np.histogram(distance[~same], edges)[0])


def test_labels_must_be_integers():
    with pytest.raises(ValueError, match="one integer label for each of the 2 rows"):
        geometry.scatter([[0.0], [1.0]], [0.5, 0.5])


class TestDecomposition:
    """Exact entropies of the 12-bit task, the chain rule, and a table by hand."""

    def test_golden_entropies(self):
        """T = x knows everything; the classes have the entropies of the data sheet."""
        parts = decompose(np.arange(4096))
        assert parts.total == pytest.approx(12, abs=1e-12)
        assert parts.label == pytest.approx(0.999157120850, abs=1e-12)
        assert parts.label + parts.signature == pytest.approx(5.569522432166, abs=1e-11)
        assert parts.total - parts.within == pytest.approx(6.073761379797, abs=1e-11)

    def test_what_counts_ones_knows_0_63_bit_of_the_label(self):
        popcount = load_task("szt").x.sum(axis=1).astype(int)
        parts = decompose(popcount)
        assert parts.label == pytest.approx(0.627641239216, abs=1e-11)
        assert parts.popcount == pytest.approx(entropy_from_counts(np.bincount(popcount)))
        assert parts.orbit == pytest.approx(0, abs=1e-12)
        assert parts.within == pytest.approx(0, abs=1e-12)

    def test_classes_are_nested(self):
        """The label is a function of the signature, the signature of the orbit."""
        classes = _classes()
        for fine, coarse in (
            ("orbit", "signature"),
            ("signature", "label"),
            ("signature", "popcount"),
        ):
            pairs = set(zip(classes[fine].tolist(), classes[coarse].tolist(), strict=True))
            assert len(pairs) == len(set(classes[fine].tolist()))

    @settings(max_examples=15, deadline=None)
    @given(seed=st.integers(0, 10_000), n_symbols=st.integers(1, 3000))
    def test_parts_are_not_negative_and_add_up(self, seed, n_symbols):
        codes = np.random.default_rng(seed).integers(0, n_symbols, size=(4096, 2))
        parts = decompose(codes)
        assert min(parts) >= -1e-10
        _, counts = np.unique(codes, axis=0, return_counts=True)
        assert parts.total == pytest.approx(entropy_from_counts(counts), abs=1e-10)

    def test_label_part_by_table(self):
        """I(Y;T) from the joint table."""
        t = np.random.default_rng(0).integers(0, 6, 4096)
        y = load_task("szt").y
        joint = np.array([[np.mean((t == a) & (y == b)) for b in (0, 1)] for a in range(6)])
        independent = joint.sum(1, keepdims=True) * joint.sum(0)
        assert decompose(t).label == pytest.approx((joint * np.log2(joint / independent)).sum())

    def test_wrong_input(self):
        with pytest.raises(ValueError, match="all 4096 inputs"):
            decompose(np.arange(10))
        with pytest.raises(ValueError, match="bin the layer first"):
            decompose(np.random.default_rng(0).random((4096, 3)))


def test_a_plane_holds_parts_and_geometry():
    """The four parts add up to I(X;T) of the same ruler, up to the rounding of stored values."""
    settings = Experiment(n_seeds=1, n_epochs=3, n_measured_epochs=2, batch_size=None)
    chosen = [OBSERVABLES["decomposition"], OBSERVABLES["clustering"]]
    plane = run(settings, [Binning()], chosen, progress=False)
    parts = [plane[f"known_{name}"] for name in ("label", "signature", "orbit", "within")]
    np.testing.assert_allclose(sum(parts), plane.i_xt.isel(estimator=0), atol=1e-3)
    np.testing.assert_allclose(plane.known_label, plane.i_ty.isel(estimator=0), atol=1e-3)
    assert (plane.scatter_within > 0).all()
    assert float(plane.participation_ratio.max()) <= 10


def test_nothing_collapses_where_class_means_are_equal():
    assert np.isnan(geometry.scatter([[-1.0], [1.0], [-1.0], [1.0]], [0, 0, 1, 1]).collapse)
    assert np.isnan(geometry.scatter(np.full((5, 3), 0.1), [0, 0, 1, 1, 1]).collapse)
