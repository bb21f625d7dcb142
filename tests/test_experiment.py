"""The one loop and the store: resumable, never partial, damage named, code identity kept."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

import ibcore.experiment as module
from ibcore import identity, plane, store
from ibcore.config import Experiment
from ibcore.estimators import (
    Binning,
    Exact,
    KernelBound,
    OnTrainingRows,
    RangeBinning,
    SamplePropagation,
    from_name,
)
from ibcore.experiment import certify, load_or_run, missing, run
from ibcore.observables import OBSERVABLES
from ibcore.store import Store, blocks
from ibcore.training import split_rows, train

SMALL = Experiment(
    hidden_widths=(4, 3), n_seeds=3, n_epochs=6, n_measured_epochs=4, batch_size=None,
    learning_rate=0.01,
)  # fmt: skip
RULER = Binning(n_bins=30, low=-1.0, high=1.0)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(store, "BLOCK", 2)


@pytest.fixture
def count_training(monkeypatch):
    """Seeds trained, in order."""
    trained = []

    def counting(experiment, **settings):
        trained.extend(settings["seeds"])
        return train(experiment, **settings)

    monkeypatch.setattr(module, "train", counting)
    return trained


def values(found: xr.Dataset) -> xr.Dataset:
    return found[["i_xt", "i_ty", "loss"]].drop_attrs(deep=False)


def test_same_experiment_same_plane():
    one = run(SMALL, [RULER], progress=False, threads=2)
    other = run(SMALL, [RULER], progress=False, threads=1)
    xr.testing.assert_identical(values(one), values(other))


def test_plane_holds_what_the_estimator_says_of_the_activations():
    found = run(SMALL, [RULER, Exact()], progress=False)
    trajectory = train(SMALL, progress=False)
    for k in range(len(trajectory.epochs)):
        for layer, t in enumerate(trajectory.activations(k)):
            for s in range(3):
                expected = RULER(t[s], trajectory.task.y)
                got = found.isel(estimator=0, seed=s, epoch=k, layer=layer)
                assert float(got.i_xt) == pytest.approx(expected.i_xt, abs=1e-4)
                assert float(got.i_ty) == pytest.approx(expected.i_ty, abs=1e-4)


def test_provenance_says_what_made_the_result():
    attrs = run(SMALL, [RULER], progress=False, profile="smoke").attrs
    assert Experiment.from_json(attrs["experiment"]) == SMALL
    assert attrs["digest"] == SMALL.digest()
    assert attrs["code_digest"] == identity.code_digest()
    assert attrs["profile"] == "smoke"
    assert attrs["n_samples"] == 4096
    assert "Philox" in attrs["seed_rule"]
    assert json.loads(attrs["versions"])["numpy"] == np.__version__
    assert identity.canaries_agree(json.loads(attrs["canary"]), identity.canary(SMALL))


def test_load_or_run_computes_once(tmp_path, count_training):
    store = Store(tmp_path)
    first = load_or_run(SMALL, [RULER], store=store, progress=False)
    again = load_or_run(SMALL, [RULER], store=store, progress=False)
    assert count_training == [0, 1, 2]
    xr.testing.assert_identical(first, again)


def test_fewer_seeds_are_cut_from_what_is_stored(tmp_path, count_training):
    store = Store(tmp_path)
    whole = load_or_run(SMALL, [RULER], store=store, progress=False)
    part = load_or_run(SMALL.replace(n_seeds=1), [RULER], store=store, progress=False)
    assert count_training == [0, 1, 2]
    xr.testing.assert_identical(values(part), values(whole.isel(seed=[0])))


def test_another_ruler_needs_no_training_and_keeps_the_first(tmp_path, count_training):
    store = Store(tmp_path)
    load_or_run(SMALL, [RULER], store=store, progress=False)
    exact = load_or_run(SMALL, [Exact()], store=store, progress=False)
    assert count_training == [0, 1, 2]
    assert exact["estimator"].values.tolist() == ["Exact()"]
    assert set(plane.load(store.plane_path(SMALL))["estimator"].values) == {repr(RULER), "Exact()"}


def test_other_epochs_and_observables_leave_what_is_stored(tmp_path):
    """Two chapters may share an experiment: neither takes from the other what it measured."""
    store, clustering = Store(tmp_path), OBSERVABLES["clustering"]
    first = load_or_run(SMALL, [RULER], [clustering], store=store, progress=False)
    others = SMALL.replace(n_measured_epochs=2, measured_epochs=(2,))
    second = load_or_run(others, [Exact()], [OBSERVABLES["shape"]], store=store, progress=False)
    assert second.epoch.values.tolist() == [0, 2, 6]
    whole = plane.load(store.plane_path(SMALL))
    assert set(whole.epoch.values) == {*SMALL.epochs, *others.epochs}
    assert {*clustering.names, *OBSERVABLES["shape"].names} <= set(whole.data_vars)
    again = load_or_run(SMALL, [RULER], [clustering], store=store, progress=False)
    np.testing.assert_array_equal(again.i_xt, first.i_xt)
    np.testing.assert_array_equal(again.scatter_within, first.scatter_within)


def test_fewer_seeds_under_another_ruler_need_no_training(tmp_path, count_training):
    """Their weights are cut from the stored blocks."""
    load_or_run(SMALL, [RULER], store=Store(tmp_path), progress=False)
    one, elsewhere = SMALL.replace(n_seeds=1), Store(tmp_path / "mine", published=tmp_path)
    load_or_run(one, [Exact()], store=elsewhere, progress=False)
    assert count_training == [0, 1, 2]


def test_more_seeds_are_added_to_what_is_stored(tmp_path, count_training):
    store = Store(tmp_path)
    load_or_run(SMALL.replace(n_seeds=2), [RULER], store=store, progress=False)
    load_or_run(SMALL.replace(n_seeds=4), [RULER], store=store, progress=False)
    assert count_training == [0, 1, 2, 3]


def test_an_interrupted_run_loses_at_most_one_block(tmp_path, monkeypatch, count_training):
    """Ended in the second block, the first is taken up and the result is the same."""
    store = Store(tmp_path)
    counting = module.train

    def ends_in_second_block(experiment, **settings):
        if settings["seeds"] == (2,):
            raise KeyboardInterrupt
        return counting(experiment, **settings)

    monkeypatch.setattr(module, "train", ends_in_second_block)
    with pytest.raises(KeyboardInterrupt):
        load_or_run(SMALL, [RULER], store=store, progress=False)
    assert store.find(SMALL) == []
    monkeypatch.setattr(module, "train", counting)
    resumed = load_or_run(SMALL, [RULER], store=store, progress=False)
    assert count_training == [0, 1, 2]
    xr.testing.assert_identical(values(resumed), values(run(SMALL, [RULER], progress=False)))
    assert not [path for path in tmp_path.rglob("*") if "part" in path.suffix]


def test_damaged_results_are_refused_by_name(tmp_path):
    store = Store(tmp_path)
    load_or_run(SMALL, [RULER], store=store, progress=False)
    path = store.plane_path(SMALL)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=rf"{SMALL.digest()}\.nc is damaged"):
        load_or_run(SMALL, [RULER], store=store, progress=False)


def test_damaged_weights_are_refused_by_name(tmp_path):
    store = Store(tmp_path)
    load_or_run(SMALL, [RULER], store=store, progress=False)
    path = next((tmp_path / "weights").rglob("*.npz"))
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=rf"{path.name} is damaged"):
        load_or_run(SMALL, [RULER], store=store, progress=False, recompute=True)


def test_weights_of_other_code_are_not_taken(tmp_path, count_training, monkeypatch):
    store = Store(tmp_path)
    load_or_run(SMALL, [RULER], store=store, progress=False)
    monkeypatch.setattr(identity, "code_digest", lambda part="all": "0" * 16)
    load_or_run(SMALL, [RULER], store=store, progress=False, recompute=True)
    assert count_training == [0, 1, 2, 0, 1, 2]


def test_a_diverged_network_is_nan_and_the_others_are_not():
    wild = SMALL.replace(optimizer="sgd", learning_rate=1e20, activation="relu", init_gain=1.0)
    with pytest.warns(RuntimeWarning, match="networks diverged"):
        found = run(wild, [RULER], progress=False)
    assert np.isnan(found["i_xt"].isel(epoch=-1)).all()
    assert np.isfinite(found["i_xt"].isel(epoch=0)).all()


def test_a_dead_layer_says_nothing_to_a_ruler_that_follows_it():
    """By hand such a ruler refuses; in a run the layers and networks beside it go on."""
    settings = Experiment(
        hidden_widths=(4, 3), activation="relu", n_seeds=2, n_epochs=1, n_measured_epochs=2
    )
    trained = train(settings, progress=False)
    parameters = trained.parameters.copy()
    parameters[1, 0] = 0
    dead = replace(trained, parameters=parameters)
    rulers = [KernelBound((1e-3, 1e-2), scale="rms_squared"), Exact()]
    found = module.measure_trajectory(dead, rulers, (), progress=False)["i_xt"]
    assert (found[:, 0, 1] == 0).all()
    assert (found[:, 1, 1, :2] > 1).all()
    with pytest.raises(ValueError, match="a dead layer"):
        rulers[0](np.zeros((5, 2)), [0, 1, 0, 1, 0])


def test_missing_says_what_a_stored_plane_lacks():
    stored = run(SMALL, [RULER], progress=False)
    assert missing(stored, SMALL, [RULER], [OBSERVABLES["shape"]]) == []
    lacks = missing(
        stored,
        SMALL.replace(n_seeds=9, measured_epochs=(5,)),
        [Exact()],
        [OBSERVABLES["gradients"]],
    )
    assert lacks[0] == "seed 3, 4, 5, …"
    assert lacks[1:3] == ["epoch 5", "ruler Exact()"]
    assert lacks[3].startswith("observable gradient_mean")


def test_seeds_run_in_blocks():
    assert blocks(SMALL) == [(0, 1), (2,)]


def test_wide_networks_run_in_small_blocks():
    """Ten trajectories of 784-1024-… would fill the memory and lose an hour when ended."""
    wide = SMALL.replace(hidden_widths=(1024, 20), n_seeds=5)
    assert blocks(wide) == [(0, 1), (2, 3), (4,)]


class TestCertify:
    """Only the hash differs: certified. The canary or a value differs: stale, and said so."""

    def stored(self, tmp_path, **attrs):
        store = Store(tmp_path)
        found = load_or_run(SMALL, [RULER], store=store, progress=False)
        found.attrs |= attrs
        plane.save(found, store.plane_path(SMALL))
        return store, plane.load(store.plane_path(SMALL))

    def test_todays_code_needs_no_certificate(self, tmp_path):
        store, found = self.stored(tmp_path)
        assert certify(found, store, progress=False) == "current"

    def test_same_numbers_are_certified_and_then_trusted(self, tmp_path):
        store, found = self.stored(tmp_path, code_digest="0123456789abcdef")
        assert not store.trusts(found.attrs["digest"], found.attrs["code_digest"])
        assert certify(found, store, progress=False) == "certified"
        assert store.trusts(found.attrs["digest"], found.attrs["code_digest"])
        assert not replace(store, root=tmp_path / "elsewhere").trusts("", "0123456789abcdef")

    def test_another_canary_is_stale(self, tmp_path):
        canary = identity.canary(SMALL.replace(learning_rate=0.02))
        store, found = self.stored(tmp_path, code_digest="0" * 16, canary=json.dumps(canary))
        assert certify(found, store, progress=False) == "stale: the canary differs"

    def test_other_values_are_stale(self, tmp_path):
        store, found = self.stored(tmp_path, code_digest="0" * 16)
        found["i_ty"] = found["i_ty"] + 0.01
        message = certify(found, store, progress=False)
        assert message.startswith("stale: i_ty of two networks differs by 0.01")

    @pytest.mark.parametrize("wrong", [False, True])
    def test_wide_networks_are_followed_for_their_first_updates(self, tmp_path, monkeypatch, wrong):
        """Epochs up to the limit are trained and compared; rulers that look ahead are left out."""
        monkeypatch.setattr(module, "engine_for", lambda *a: "torch")  # as if it were wide
        monkeypatch.setattr(module, "CERTIFIED_UPDATES", 3)
        trained = []
        original = module.run
        monkeypatch.setattr(
            module, "run", lambda e, r, **more: trained.append((e, r)) or original(e, r, **more)
        )
        store = Store(tmp_path)
        found = original(SMALL, [RULER, RangeBinning(5)], progress=False)
        found.attrs["code_digest"] = "0" * 16
        if wrong:
            found["i_xt"][:, :, 1] += 0.01
        found["i_ty"][:, :, -1] += 1.0  # beyond the limit: not looked at
        message = certify(found, store, progress=False)
        assert message.startswith("stale: i_xt" if wrong else "certified")
        (experiment, rulers), last = trained[0], trained[0][0].n_epochs
        assert last <= 3 < SMALL.n_epochs
        assert experiment.epochs.tolist() == [k for k in SMALL.epochs if k <= last]
        assert [repr(one) for one in rulers] == [repr(RULER)]


def test_code_digest_ignores_docstrings_and_comments(tmp_path, monkeypatch):
    """Prose may change, code may not."""
    module_file = tmp_path / "config.py"
    monkeypatch.setattr(identity, "PACKAGE", tmp_path)
    monkeypatch.setattr(identity, "TRAINING", ("config",))
    digests = []
    for text in (
        '"""One."""\ndef f():\n    """Doc."""\n    return 1\n',
        '"""Two."""\n# why\ndef f():\n    return 1\n',
        "def f():\n    return 2\n",
    ):
        module_file.write_text(text)
        identity.code_digest.cache_clear()
        digests.append(identity.code_digest("training"))
    identity.code_digest.cache_clear()
    assert digests[0] == digests[1] != digests[2]


@pytest.mark.parametrize(
    "changes",
    [
        {"learning_rate": 0.02},
        {"activation": "sigmoid"},
        {"initializer": "fan_out"},
        {"task": "parity"},
        {"optimizer": "momentum"},
    ],
)
def test_the_canary_dies_of_any_change_that_matters(changes):
    assert not identity.canaries_agree(
        identity.canary(SMALL), identity.canary(SMALL.replace(**changes))
    )


def test_a_ruler_on_the_rows_a_network_was_trained_on():
    """Each network has rows of its own; the ceiling is the logarithm of their number."""
    settings = Experiment(
        hidden_widths=(4, 3), n_seeds=2, n_epochs=1, n_measured_epochs=2, train_fraction=0.25
    )
    trajectory = train(settings, progress=False)
    ruler = OnTrainingRows(Binning(n_bins=30, low=-1.0, high=1.0))
    rulers = [ruler, OnTrainingRows(Exact()), OnTrainingRows(RangeBinning(30))]
    found = module.measure_trajectory(trajectory, rulers, (), progress=False)
    for seed in (0, 1):
        rows = split_rows(trajectory.task, settings, seed)[0]
        t = trajectory.activations(1)[1][seed, rows]
        expected = ruler.estimator(t, trajectory.task.y[rows])
        assert found["i_xt"][0, seed, 1, 1] == expected.i_xt
        assert found["i_ty"][0, seed, 1, 1] == expected.i_ty
    assert found["i_xt"][1].max() <= np.log2(1024) + 1e-9
    assert from_name(repr(ruler)) == ruler
    assert ruler.measures == "I(X; bin(T)), training rows"
    with pytest.raises(ValueError, match="measured on rows of its own"):
        ruler.prepare(SimpleNamespace(task=SimpleNamespace(name="mnist", measured_rows=[0])))
    with pytest.raises(ValueError, match="has no training rows to choose"):
        OnTrainingRows(SamplePropagation(0.1))
