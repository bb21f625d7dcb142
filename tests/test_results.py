"""Results: resumable, only ever added to, damage named, known by the code that made them."""

import json
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import ClassVar

import numpy as np
import pytest
import xarray as xr

from ibcore import plane
from ibcore.config import Experiment
from ibcore.estimators import (
    Binning,
    Exact,
    KernelBound,
    LayerInformation,
    OnTrainingRows,
    RangeBinning,
    Ruler,
    SamplePropagation,
    base,
    from_name,
)
from ibcore.observables import OBSERVABLES
from ibcore.results import certify as renewal
from ibcore.results import provenance
from ibcore.results import run as module
from ibcore.results import store as shelves
from ibcore.results.certify import certify, rank_permutation_p
from ibcore.results.measuring import measure_trajectory
from ibcore.results.parts import Part, lacking, whatever_there_is
from ibcore.results.places import holders
from ibcore.results.run import load_or_run, run
from ibcore.results.store import Store, blocks
from ibcore.tasks import Task, register_task
from ibcore.training import Trajectory, split_rows, train

SMALL = Experiment(
    hidden_widths=(4, 3), n_seeds=3, n_epochs=6, n_measured_epochs=4, batch_size=None,
    learning_rate=0.01,
)  # fmt: skip
RULER = Binning(n_bins=30, low=-1.0, high=1.0)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(shelves, "BLOCK", 2)


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
    code = provenance.code_of_result(SMALL, "fused", [RULER], module.DEFAULT_OBSERVABLES)
    assert json.loads(attrs["code"]) == code
    assert attrs["code_digest"] == provenance.digest_of(code)
    assert attrs["profile"] == "smoke"
    assert attrs["n_samples"] == 4096
    assert "Philox" in attrs["seed_rule"]
    assert json.loads(attrs["versions"])["numpy"] == np.__version__
    assert provenance.canaries_agree(json.loads(attrs["canary"]), provenance.canary(SMALL))


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
    both = load_or_run(SMALL, [Exact(), RULER], store=store, progress=False)
    assert both["estimator"].values.tolist() == ["Exact()", repr(RULER)]
    assert count_training == [0, 1, 2]


def test_other_epochs_and_observables_leave_what_is_stored(tmp_path):
    """Two chapters may share an experiment: neither takes from the other what it measured."""
    store, clustering = Store(tmp_path), OBSERVABLES["clustering"]
    first = load_or_run(SMALL, [RULER], [clustering], store=store, progress=False)
    others = SMALL.replace(n_measured_epochs=2, measured_epochs=(2,))
    second = load_or_run(others, [Exact()], [OBSERVABLES["shape"]], store=store, progress=False)
    assert second.epoch.values.tolist() == [0, 2, 6]
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
    assert [part.data.seed.values.tolist() for part in store.parts(SMALL)] == [[0, 1]]
    monkeypatch.setattr(module, "train", counting)
    resumed = load_or_run(SMALL, [RULER], store=store, progress=False)
    assert count_training == [0, 1, 2]
    xr.testing.assert_identical(values(resumed), values(run(SMALL, [RULER], progress=False)))
    assert not [path for path in tmp_path.rglob("*") if "part" in path.suffix]


def test_measurements_of_finished_blocks_are_kept(tmp_path, monkeypatch):
    """A slow ruler, ended after each block, still comes to its end."""
    store, measured = Store(tmp_path), []
    original = module.measure_trajectory

    def ends_after_a_block(trajectory, *more):
        if measured and measured[-1] == "now":
            measured.pop()
            raise KeyboardInterrupt
        measured.extend([trajectory.seeds, "now"])
        return original(trajectory, *more)

    monkeypatch.setattr(module, "measure_trajectory", ends_after_a_block)
    with pytest.raises(KeyboardInterrupt):
        load_or_run(SMALL, [RULER], store=store, progress=False)
    load_or_run(SMALL, [RULER], store=store, progress=False)
    assert measured == [(0, 1), (2,), "now"]


def test_processes_that_add_to_one_result_lose_nothing(tmp_path):
    """Each writes parts of its own; a request is answered from all of them."""
    store = Store(tmp_path)
    for first in (4, 0, 2):
        part = SMALL.replace(first_seed=first, n_seeds=2)
        load_or_run(part, [RULER], store=store, progress=False)
    load_or_run(SMALL.replace(n_seeds=2), [Exact()], store=store, progress=False)
    whole = load_or_run(SMALL.replace(n_seeds=6), [RULER], store=store, progress=False)
    assert whole.seed.values.tolist() == [0, 1, 2, 3, 4, 5]
    alone = run(SMALL.replace(n_seeds=6), [RULER], progress=False)
    xr.testing.assert_identical(values(whole), values(alone))


def test_recomputed_results_take_the_place_of_the_old(tmp_path, count_training):
    store = Store(tmp_path)
    load_or_run(SMALL, [RULER], store=store, progress=False)
    again = load_or_run(SMALL, [Exact()], store=store, progress=False, recompute=True)
    assert count_training == [0, 1, 2, 0, 1, 2]
    assert [p.data.estimator.values.tolist() for p in store.parts(SMALL)] == [["Exact()"]] * 2
    assert again["estimator"].values.tolist() == ["Exact()"]
    assert not list((tmp_path / "anew").rglob("*.n*"))


def test_a_recomputation_that_was_ended_is_taken_up(tmp_path, monkeypatch, count_training):
    """And until it is whole, what was there stays."""
    store, counting = Store(tmp_path), module.train
    first = load_or_run(SMALL, [RULER], store=store, progress=False)
    count_training.clear()

    def ends_in_second_block(experiment, **settings):
        if settings["seeds"] == (2,):
            raise KeyboardInterrupt
        return counting(experiment, **settings)

    monkeypatch.setattr(module, "train", ends_in_second_block)
    with pytest.raises(KeyboardInterrupt):
        load_or_run(SMALL, [RULER], store=store, progress=False, recompute=True)
    xr.testing.assert_identical(load_or_run(SMALL, [RULER], store=store, progress=False), first)
    monkeypatch.setattr(module, "train", counting)
    load_or_run(SMALL, [RULER], store=store, progress=False, recompute=True)
    assert count_training == [0, 1, 2]


def stored_file(store, pattern="planes/*/*.nc"):
    return sorted(store.root.glob(pattern))[0]


def test_damaged_results_are_refused_by_name(tmp_path):
    store = Store(tmp_path)
    load_or_run(SMALL, [RULER], store=store, progress=False)
    path = stored_file(store)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(ValueError, match=rf"{path.name} is damaged"):
        load_or_run(SMALL, [RULER], store=store, progress=False)


OTHER = SMALL.replace(learning_rate=0.02)


def test_a_plane_under_another_digest_is_refused(tmp_path):
    """Faults F2: nothing but the file's place says what it is asked for."""
    store = Store(tmp_path)
    load_or_run(SMALL, [RULER], store=store, progress=False)
    folder = tmp_path / "planes" / SMALL.digest()
    folder.rename(folder.with_name(OTHER.digest()))
    with pytest.raises(ValueError, match=f"is not the plane of {OTHER.digest()}.*that of"):
        load_or_run(OTHER, [RULER], store=store, progress=False)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: p.assign_attrs(digest="0" * 16), "its digest says 0000"),
        (lambda p: p.assign_coords(seed=[7, 8]), "its seeds are"),
        (lambda p: p.assign_coords(epoch=[0, 1, 2, 99]), "epoch 99 of 6"),
        (lambda p: p.assign_coords(width=("layer", [9, 3, 2])), "its layers have"),
        (lambda p: p.assign(i_xt=p.i_xt * np.nan), "i_xt is no number in some networks"),
    ],
)
def test_a_plane_that_is_not_what_it_says_is_refused(tmp_path, spoil, message):
    """Each with checksums of its own: a forgery that only the experiment gives away."""
    store = Store(tmp_path)
    load_or_run(SMALL, [RULER], store=store, progress=False)
    path = stored_file(store)
    plane.save(spoil(plane.load(path)), path)
    with pytest.raises(ValueError, match=message):
        load_or_run(SMALL, [RULER], store=store, progress=False)


def test_damaged_weights_are_refused_by_name(tmp_path):
    store = Store(tmp_path)
    load_or_run(SMALL, [RULER], store=store, progress=False)
    path = stored_file(store, "weights/*/*.npz")
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=rf"{path.name} is damaged"):
        load_or_run(SMALL, [Exact()], store=store, progress=False)


def test_weights_of_another_experiment_are_refused(tmp_path):
    """Faults F3: those of another learning rate, in the folder of this one."""
    store = Store(tmp_path)
    load_or_run(OTHER, [RULER], store=store, progress=False)
    folder = tmp_path / "weights" / OTHER.digest()
    folder.rename(folder.with_name(SMALL.digest()))
    with pytest.raises(ValueError, match=f"holds weights of {OTHER.digest()}, not of"):
        load_or_run(SMALL, [RULER], store=store, progress=False)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: replace(t, parameters=t.parameters + 0.1), "not the initial ones"),
        (lambda t: replace(t, parameters=t.parameters * np.nan), "not the initial ones"),
        (lambda t: replace(t, parameters=t.parameters[..., :-1]), "parameters must be floats of"),
        (lambda t: replace(t, parameters=t.parameters[:, :1]), "parameters must be floats of"),
        (lambda t: replace(t, seeds=(0, 1, 2)), "parameters must be floats of"),
        (lambda t: replace(t, seeds=(1, 0)), "not the initial ones"),
        (lambda t: replace(t, seeds=(0, 0)), "a seed stands twice"),
        (lambda t: replace(t, epochs=t.epochs[::-1]), "epochs must increase"),
        (lambda t: replace(t, epochs=t.epochs * 2), "epochs must increase up to 6"),
    ],
)
def test_weights_that_cannot_be_those_of_their_seeds_are_refused(tmp_path, spoil, message):
    trajectory = train(SMALL.replace(n_seeds=2), progress=False)
    spoil(trajectory).save(tmp_path / "weights.npz")
    with pytest.raises(ValueError, match=message):
        Trajectory.load(tmp_path / "weights.npz")


def test_weights_of_other_code_are_not_taken(tmp_path, count_training, monkeypatch):
    store = Store(tmp_path)
    load_or_run(SMALL, [RULER], store=store, progress=False)
    monkeypatch.setattr(provenance, "network_code", lambda *_: "0" * 16)
    load_or_run(SMALL, [Exact()], store=store, progress=False)
    assert count_training == [0, 1, 2, 0, 1, 2]


def test_a_folder_that_cannot_be_written_is_noticed_before_any_work(tmp_path, count_training):
    """A file stands where the folder should be."""
    (tmp_path / "results").write_text("a file")
    for store in (Store(tmp_path / "results"), Store(tmp_path / "a", work=tmp_path / "results")):
        with pytest.raises(OSError, match=r"cannot write .*results"):
            load_or_run(SMALL, [RULER], store=store, progress=False)
    assert count_training == []


@dataclass(frozen=True)
class Halved(Ruler):
    """A ruler of a reader's own: settings it has none, so that only its code tells versions."""

    measures = "half of H(bin(T))"

    def __call__(self, t, y):
        i_xt, i_ty = RULER(t, y)
        return LayerInformation(i_xt / SHARE, i_ty / SHARE)


SHARE = 2


def test_a_ruler_of_ones_own_is_known_by_its_code(tmp_path, monkeypatch, count_training):
    """Same name, other code: measured again. A name nobody knows is in nobody's way."""
    store = Store(tmp_path)
    half = load_or_run(SMALL, [Halved()], store=store, progress=False)
    whole = load_or_run(SMALL, [RULER], store=store, progress=False)
    np.testing.assert_allclose(half.i_xt.values, whole.i_xt.values / 2, atol=2e-4)
    monkeypatch.setitem(globals(), "SHARE", 4)
    quarter = load_or_run(SMALL, [Halved()], store=store, progress=False)
    np.testing.assert_allclose(quarter.i_xt.values, whole.i_xt.values / 4, atol=2e-4)
    assert not store.distrusted(quarter)
    monkeypatch.delitem(base.REGISTRY, "Halved")
    load_or_run(SMALL, [RULER], store=store, progress=False)
    load_or_run(SMALL.replace(n_seeds=4), [RULER], store=store, progress=False)
    assert count_training == [0, 1, 2, 3]


def test_a_task_of_ones_own_is_known_by_its_data(tmp_path):
    """Other data under one name are another result."""
    x = np.unpackbits(np.arange(64, dtype=np.uint8)[:, None], axis=1)[:, 2:].astype(np.float32)
    store, found = Store(tmp_path), []
    for column in (0, 5):
        y = x[:, column].astype(int)
        register_task(Task(name="mine", x=x, y=y, n_classes=2, description="one of six bits"))
        mine = SMALL.replace(task="mine", n_seeds=1)
        found.append(load_or_run(mine, [RULER], store=store, progress=False))
    assert found[0].attrs["digest"] != found[1].attrs["digest"]
    assert (found[0].i_ty != found[1].i_ty).any()


def test_whatever_there_is_of_a_result(tmp_path):
    """A reader's seeds and rulers, which are not those of the chapter."""
    store, asked = Store(tmp_path), SMALL.replace(n_seeds=4)
    assert whatever_there_is(store.parts(asked), asked, [RULER]) is None
    load_or_run(SMALL.replace(n_seeds=2), [Exact()], store=store, progress=False)
    load_or_run(SMALL.replace(n_seeds=1), [RULER], store=store, progress=False)
    found = whatever_there_is(store.parts(asked), asked, [RULER])
    assert found.estimator.values.tolist() == [repr(RULER), "Exact()"]
    assert found.seed.values.tolist() == [0]
    found = whatever_there_is(store.parts(asked), asked, [Binning(width=0.1)])
    assert found.estimator.values.tolist() == ["Exact()"]
    assert found.seed.values.tolist() == [0, 1]


def test_what_is_published_together_is_one_file(tmp_path):
    store = Store(tmp_path)
    two = [load_or_run(one, [RULER], store=store, progress=False) for one in (SMALL, OTHER)]
    assert holders(SMALL.digest(), store.roots) == [tmp_path]
    store.pack("family", {one.attrs["digest"]: one for one in two})
    assert [path.name for path in (tmp_path / "planes").iterdir()] == ["family.zip"]
    for one in (SMALL, OTHER):
        assert holders(one.digest(), store.roots) == [tmp_path]
    again = load_or_run(SMALL, [RULER], store=store, progress=False)
    xr.testing.assert_identical(again, two[0])
    more = load_or_run(SMALL, [Exact()], store=store, progress=False)
    assert more.estimator.values.tolist() == ["Exact()"]


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
    found = measure_trajectory(dead, rulers, (), progress=False)["i_xt"]
    assert (found[:, 0, 1] == 0).all()
    assert (found[:, 1, 1, :2] > 1).all()
    with pytest.raises(ValueError, match="a dead layer"):
        rulers[0](np.zeros((5, 2)), [0, 1, 0, 1, 0])


def test_what_parts_lack_of_a_request():
    parts = [Part(run(SMALL, [RULER], progress=False))]
    shape, gradients = OBSERVABLES["shape"], OBSERVABLES["gradients"]

    def lacks(experiment, rulers, observables):
        return lacking(parts, experiment, experiment.seeds, rulers, observables)

    assert lacks(SMALL, [RULER], [shape]) == ([], [], [])
    assert lacks(SMALL.replace(n_seeds=5), [RULER], []) == ([3, 4], [RULER], [])
    assert lacks(SMALL, [RULER, Exact()], []) == ([0, 1, 2], [Exact()], [])
    assert lacks(SMALL, [RULER], [gradients]) == ([0, 1, 2], [], [gradients])
    other = SMALL.replace(measured_epochs=(5,))
    assert lacks(other, [RULER], [shape]) == ([0, 1, 2], [RULER], [shape])


def test_seeds_run_in_blocks():
    assert blocks(SMALL) == [(0, 1), (2,)]


def test_wide_networks_run_in_small_blocks():
    """Ten trajectories of 784-1024-… would fill the memory and lose an hour when ended."""
    wide = SMALL.replace(hidden_widths=(1024, 20), n_seeds=5)
    assert blocks(wide) == [(0, 1), (2, 3), (4,)]


OLD = "0123456789abcdef"


class TestCertify:
    """Only the hash differs: certified. The canary or the values differ: stale, and said so."""

    def stored(self, tmp_path, **attrs):
        store = Store(tmp_path)
        found = load_or_run(SMALL, [RULER], store=store, progress=False)
        code = json.dumps(dict.fromkeys(json.loads(found.attrs["code"]), OLD))
        for path in tmp_path.glob("planes/*/*.nc"):
            path.unlink()
        store.add(found.assign_attrs(code=code) if "code" not in attrs else found)
        (part,) = store.parts(SMALL)
        return store, part.data.assign_attrs(attrs)

    def test_todays_code_needs_no_certificate(self, tmp_path):
        store, _ = self.stored(tmp_path, code="today's")
        answer = certify(plane.load(stored_file(store)), store, progress=False)
        assert answer.word == "current"

    def test_same_numbers_are_certified_and_then_trusted(self, tmp_path):
        store, found = self.stored(tmp_path)
        assert store.distrusted(found) == ("Binning", "Performance", "Shape", "network", "plane")
        answer = certify(found, store, progress=False)
        assert str(answer) == "certified: 2 networks, whole runs, agree to 0.0002 bit"
        assert store.distrusted(found) == ()
        elsewhere = replace(store, root=tmp_path / "elsewhere")
        assert elsewhere.distrusted(found)
        assert certify(found, store, progress=False).word == "current"

    def test_another_canary_is_stale(self, tmp_path):
        canary = provenance.canary(SMALL.replace(learning_rate=0.0101))
        store, found = self.stored(tmp_path, canary=json.dumps(canary))
        answer = certify(found, store, progress=False)
        assert answer.word == "stale"
        assert answer.how.startswith("the canary differs: initial weights by 0, the first 5 upd")
        assert store.distrusted(found)

    def test_values_that_rounding_has_parted_are_compared_over_seeds(self, tmp_path, monkeypatch):
        """Moved by a hundredth within the scatter of the seeds; by more than it."""
        monkeypatch.setattr(renewal, "SAME_BITS", 1e-9)
        monkeypatch.setattr(shelves, "BLOCK", 10)
        many = SMALL.replace(n_seeds=30)
        found = run(many, [RULER], progress=False)
        near = found.assign(i_xt=found.i_xt + 0.01 * (-1.0) ** found.seed)
        answer = renewal.compared(near, progress=False)
        assert answer.word == "certified"
        assert answer.how.startswith("5 networks, whole runs, compared over seeds: p = ")
        far = found.assign(i_ty=found.i_ty - 0.5)
        assert renewal.compared(far, progress=False).word == "stale"

    def test_long_networks_are_followed_for_their_first_updates(self, tmp_path, monkeypatch):
        """Rulers that look ahead are left out, and later epochs are not looked at."""
        monkeypatch.setattr(renewal, "LONG", 0.0)
        monkeypatch.setattr(renewal, "FIRST_UPDATES", 3)
        found = run(SMALL, [RULER, RangeBinning(5)], progress=False)
        late = found.copy(deep=True)
        late["i_ty"][:, :, -1] += 1.0
        assert str(renewal.compared(late, progress=False)).startswith(
            "certified: 2 networks, up to epoch 2, agree"
        )
        monkeypatch.setattr(shelves, "BLOCK", 10)
        many = run(SMALL.replace(n_seeds=20), [RULER], progress=False)
        early = many.copy(deep=True)
        early["i_ty"][0, :, 2] += 5.0
        assert renewal.compared(early, progress=False).word == "stale"


def test_the_permutation_test_keeps_its_level_and_finds_a_shift():
    """Under the null p <= 0.05 in about one of twenty draws; a shift of two deviations is found."""
    rng = np.random.default_rng(0)
    draws = rng.normal(size=(100, 15, 6))
    p = np.array([rank_permutation_p(one, 5) for one in draws[:40]])
    assert (p <= 0.05).sum() <= 6
    assert np.median(p) > 0.2
    shifted = draws[0].copy()
    shifted[:5, 2] += 4.0
    assert rank_permutation_p(shifted, 5) < 5e-3
    assert rank_permutation_p(np.ones((15, 6)), 5) == 1.0


def test_a_damaged_file_of_certificates_is_named(tmp_path):
    """Faults F9, each form of it."""
    path = tmp_path / "certificates.json"
    for text in ("", "[1]", '{"0": null}', '[{"digests": []}]', '["text"]', "null"):
        path.write_text(text)
        shelves._certificates.cache_clear()
        with pytest.raises(ValueError, match=r"certificates\.json is damaged"):
            shelves.read_certificates(tmp_path)
    path.write_bytes(b"\xff\xfe")
    shelves._certificates.cache_clear()
    with pytest.raises(ValueError, match=r"certificates\.json is damaged"):
        shelves.read_certificates(tmp_path)


def test_a_ruler_on_the_rows_a_network_was_trained_on():
    """Each network has rows of its own; the ceiling is the logarithm of their number."""
    settings = Experiment(
        hidden_widths=(4, 3), n_seeds=2, n_epochs=1, n_measured_epochs=2, train_fraction=0.25
    )
    trajectory = train(settings, progress=False)
    ruler = OnTrainingRows(Binning(n_bins=30, low=-1.0, high=1.0))
    rulers = [ruler, OnTrainingRows(Exact()), OnTrainingRows(RangeBinning(30))]
    found = measure_trajectory(trajectory, rulers, (), progress=False)
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
    with pytest.raises(ValueError, match="has no rows to choose"):
        OnTrainingRows(SamplePropagation(0.1))


@dataclass(frozen=True)
class Interrupted(Ruler):
    """A ruler during whose second measurement the user presses Ctrl-C."""

    calls: ClassVar[list[int]] = []

    def entries(self, t, y):
        self.calls.append(len(t))
        if len(self.calls) == 2:
            raise KeyboardInterrupt
        return np.zeros((1, 2))


@pytest.mark.parametrize("threads", [1, 2])
def test_ctrl_c_ends_a_measurement_at_the_next_epoch(threads):
    """Not after all networks: of 8 x 4 x 3 measurements a few are made."""
    trajectory = train(SMALL.replace(n_seeds=8), progress=False)
    Interrupted.calls.clear()
    with pytest.raises(KeyboardInterrupt):
        measure_trajectory(trajectory, [Interrupted()], (), threads=threads, progress=False)
    assert 2 <= len(Interrupted.calls) < 8 * 4 * 3 / 2
