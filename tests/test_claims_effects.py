"""Effects on planes whose answer is known by hand, from scipy or from the full table."""

import numpy as np
import pytest
import xarray as xr
from claim_planes import EPOCHS, make_plane, one_curve
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ibcore.claims import effects as fx
from ibcore.claims import relations


def test_running_median_removes_a_single_spike_and_keeps_the_ends():
    found = fx.curve(one_curve(1, 2, 9, 2, 1)).values.ravel()
    np.testing.assert_array_equal(found, [1, 2, 2, 2, 1])


@pytest.mark.parametrize(
    ("effect", "known"),
    [
        (fx.compression, 6 - 2),
        (fx.fitting, 6 - 1),
        (fx.peak_epoch, 2),
        (fx.compression_score, 1 - 2 / 6),
        (fx.monotonicity, 3 / 6),  # up, up, level, then down three times
    ],
)
def test_effects_of_a_curve_that_rises_and_falls(effect, known):
    """By hand: 1, 3, 6, 6, 4, 3, 2 is its own running median."""
    assert effect(one_curve(1, 3, 6, 6, 4, 3, 2)).item() == pytest.approx(known)


def test_signed_change_counts_from_the_epoch_at_which_the_network_had_learnt():
    """Accuracy reaches 0.9 of its final 1.0 at epoch 3, where IX is 6; the end is 2."""
    accuracy = [[0.5, 0.6, 0.8, 0.95, 1.0, 1.0, 1.0]]
    plane = one_curve(1, 3, 6, 6, 4, 3, 2, train_accuracy=accuracy)
    assert fx.signed_change(plane).item() == 2 - 6


def test_saturated_means_at_the_ceiling_at_every_checkpoint():
    """log2 4096 = 12; 11.96 is within 0.05 bit of it, 11.9 is not."""
    at, dips = np.full(5, 11.96), np.array([12, 12, 11.9, 11.9, 12])
    plane = make_plane(np.stack([at, dips], axis=-1), epochs=np.arange(5), n_seeds=3)
    assert fx.saturated(plane).values.tolist() == [[True, False]] * 3
    assert fx.saturated_layers(plane).values.tolist() == [True, False]


def test_data_processing_violations_are_a_share_of_checkpoints_and_pairs():
    """5 checkpoints x 2 pairs; layer 3 above layer 2 by more than 0.05 at the last 2: 0.2."""
    third = np.array([4, 4, 5.04, 6, 6])
    layers = np.stack([np.full(5, 6.0), np.full(5, 5.0), third], axis=-1)
    plane = make_plane(layers, epochs=np.arange(5), n_seeds=2)
    np.testing.assert_allclose(fx.dpi_violation_share(plane), 0.2)


def test_time_to_reach_is_the_first_epoch_there_or_nan():
    curve = fx.curve(one_curve(0, 1, 2, 3, 4))
    assert fx.time_to_reach(curve, 2).item() == 2
    assert np.isnan(fx.time_to_reach(curve, 9).item())


def test_time_to_compress_counts_updates_from_the_peak():
    ix = fx.curve(one_curve(1, 3, 6, 6, 4, 3, 2, per_epoch=10))
    epoch, updates = fx.time_to_compress(ix, 2.0)
    assert (epoch.item(), updates.item()) == (4, 20)
    assert np.isnan(fx.time_to_compress(ix, 5.0)[1].item())


@given(place=st.integers(2, 35), drop=st.floats(0.1, 3), noise_seed=st.integers(0, 99))
def test_change_point_of_a_step_is_the_step(place, drop, noise_seed):
    """A step far above the noise is found where it was put, by its own size."""
    epochs = EPOCHS[EPOCHS > 0]
    y = np.where(np.arange(len(EPOCHS)) <= place, drop, 0.0)
    y += np.random.default_rng(noise_seed).normal(scale=1e-4, size=y.shape)
    when, found = fx.change_point(xr.DataArray(y[:, None], {"epoch": EPOCHS}, ("epoch", "layer")))
    assert when.item() == epochs[place]
    assert found.item() == pytest.approx(drop, abs=1e-3)


def test_change_point_agrees_with_the_full_table_of_breaks():
    """The least sum of squares over all breaks, by brute force."""
    y = np.random.default_rng(0).normal(size=20)
    squares = [np.var(y[:k]) * k + np.var(y[k:]) * (20 - k) for k in range(1, 20)]
    epochs = np.arange(1, 21)
    when, drop = fx.change_point(xr.DataArray(y, {"epoch": epochs}, ("epoch",)))
    k = 1 + int(np.argmin(squares))
    assert when.item() == epochs[k]
    assert drop.item() == pytest.approx(y[:k].mean() - y[k:].mean())


def test_change_point_refuses_what_is_not_finite():
    with pytest.raises(ValueError, match="finite values; 1 are not"):
        fx.change_point(xr.DataArray([1, -np.inf, 2.0], {"epoch": [1, 2, 3]}, ("epoch",)))
    with pytest.raises(ValueError, match="needs 2 checkpoints"):
        fx.change_point(xr.DataArray([1.0], {"epoch": [1]}, ("epoch",)))


def test_value_at_an_epoch_that_was_not_measured_is_refused():
    curve = fx.curve(one_curve(0, 1, 2))
    assert fx.at_epoch(curve, 1).item() == 1
    with pytest.raises(ValueError, match=r"epoch 7 was not measured, the nearest is 2; .*\(7,\)"):
        fx.at_epoch(curve, 7)


def test_epochs_that_a_ruler_did_not_measure_are_left_out():
    """NaN at every network is "not measured", as for a slow ruler on few checkpoints."""
    found = fx.curve(one_curve(1, np.nan, 3, np.nan, 5))
    assert found.epoch.values.tolist() == [0, 2, 4]


def test_a_missing_variable_or_ruler_is_named():
    with pytest.raises(ValueError, match="no 'gradient_mean', only i_ty, i_xt"):
        fx.log_snr(one_curve(0, 1, 2))
    with pytest.raises(ValueError, match=r"no ruler 'Exact\(\)', only Binning"):
        fx.compression(one_curve(0, 1, 2), estimator="Exact()")


def test_spearman_agrees_with_scipy_and_is_0_without_order():
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=9), rng.integers(4, size=(5, 9))
    known = [stats.spearmanr(x, row).statistic for row in y]
    np.testing.assert_allclose(relations.spearman(x, y.astype(float)), known)
    assert relations.spearman([1, 2, 3], np.ones((1, 3))).item() == 0


def _residuals(a, z):
    design = np.stack([np.ones_like(z), z], axis=1)
    return a - design @ np.linalg.lstsq(design, a, rcond=None)[0]


def test_partial_correlation_is_that_of_the_residuals():
    """Corr(x, y | z) is the correlation of what z leaves of x and of y."""
    sample = np.random.default_rng(2).normal(size=(1, 8, 5, 3))
    sample[..., 0] += sample[..., 2]
    x, y, z = sample.reshape(-1, 3).T
    known = np.corrcoef(_residuals(x, z), _residuals(y, z))[0, 1]
    assert relations.partial_correlation(sample).item() == pytest.approx(known)
    sample[0, 3, 2] = np.nan  # a network that is absent
    x, y, z = sample.reshape(-1, 3)[np.isfinite(sample.reshape(-1, 3)).all(axis=1)].T
    known = np.corrcoef(_residuals(x, z), _residuals(y, z))[0, 1]
    assert relations.partial_correlation(sample).item() == pytest.approx(known)


def test_partial_correlation_within_strata_ignores_what_strata_differ_by():
    """Any shift of a whole stratum leaves it as it is; a constant z is no condition at all."""
    rng = np.random.default_rng(3)
    sample = rng.normal(size=(1, 30, 4, 3))
    shifted = sample + rng.normal(size=(1, 1, 4, 3)) * 100
    found = relations.partial_correlation(shifted, within=True)
    np.testing.assert_allclose(found, relations.partial_correlation(sample, within=True))
    sample[..., 2] = 1.0
    x, y, _ = sample.reshape(-1, 3).T
    np.testing.assert_allclose(relations.partial_correlation(sample), np.corrcoef(x, y)[0, 1])


def test_slope_agrees_with_polyfit_and_needs_three_points():
    x = np.arange(5.0)
    y = np.array([[0, 1, 4, 9, 16], [1, 3, np.nan, 7, np.nan], [1, 3, *[np.nan] * 3]])
    found = relations.slope(x, y)
    np.testing.assert_allclose(found[:2], [np.polyfit(x, y[0], 1)[0], 2.0])
    assert np.isnan(found[2])


def test_prediction_of_groups_left_out():
    """A law that one group breaks: the fit to the others cannot know, and the score says so."""
    x = np.arange(12.0)[:, None]
    groups = np.repeat(list("abcd"), 3)
    assert relations.left_out_r2(x, 2 * x[:, 0] - 1, groups) == 1.0
    broken = np.where(groups == "d", -5.0, x[:, 0])
    assert relations.left_out_r2(x, broken, groups) < 0
    noise = np.random.default_rng(0).normal(size=12)
    assert relations.left_out_r2(x, noise, groups) < 0.2
