"""The schema, the store and the summaries of information planes."""

import errno
import io
import json
import os

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import io as scipy_io
from scipy import stats

from ibcore import plane as planes
from ibcore.files import seal, unsealed
from ibcore.plane import INFORMATION_STEP, DamagedPlaneError

ATTRS = {
    "experiment": '{"first_seed": 3, "n_seeds": 4, "task": "szt"}',
    "digest": "0123456789abcdef",
    "code_digest": "fedcba9876543210",
    "code": "{}",
    "versions": '{"numpy": "2"}',
    "seed_rule": "philox(seed, purpose, epoch)",
    "engine": "numba",
    "threads": 2,
    "machine": "x86_64",
    "started": "2026-01-02T03:04:05",
    "duration_s": 1.5,
    "n_samples": 4096,
    "label_entropy": 0.999,
    "profile": "smoke",
    "canary": "{}",
}
RULERS = {"Binning(width=0.07)": "I(X; bin(T))", "Exact()": "I(X; T) of float32 rows"}


def small_plane(seeds=(3, 4, 5, 6), rulers=RULERS, **attrs):
    """Plane of 2 estimators, 4 seeds, 5 epochs and 3 layers; a seed always has the same values."""
    shape = (len(rulers), len(seeds), 5, 3)
    i_xt = np.empty(shape)
    for e, name in enumerate(rulers):
        for s, seed in enumerate(seeds):
            i_xt[e, s] = np.random.default_rng([seed, len(name)]).uniform(0, 12, shape[2:])
    network = np.random.default_rng(0).random((10, 5, 3))[list(seeds)]
    return planes.new_plane(
        estimators=rulers,
        seeds=seeds,
        epochs=[0, 1, 3, 10, 30],
        updates=[0, 7, 21, 70, 210],
        widths=[4, 3, 2],
        variables={
            "i_xt": i_xt,
            "i_ty": i_xt / 12,
            "loss": network[..., 0],
            "train_accuracy": network[..., 1],
            "test_accuracy": network[..., 2],
            "weight_norm": network,
        },
        attrs={**ATTRS, **attrs},
    )


# --------------------------------------------------------------------------------------- the schema


def test_a_plane_says_what_it_measures_and_in_which_unit():
    """dims, coords, units and schema version, as the module states them."""
    plane = small_plane()
    assert plane["i_xt"].dims == planes.DIMS == ("estimator", "seed", "epoch", "layer")
    assert plane["weight_norm"].dims == ("seed", "epoch", "layer")
    assert plane["i_ty"].attrs["units"] == "bits"
    assert plane["loss"].attrs["units"] == "nats"
    assert plane["measures"].values.tolist() == list(RULERS.values())
    assert plane["layer"].values.tolist() == [1, 2, 3]
    assert plane.attrs["schema_version"] == planes.SCHEMA_VERSION


def changed(plane, name, change):
    """Copy of the plane whose variable or coord ``name`` has gone through ``change``."""
    plane = plane.copy()
    values = plane[name].values.copy()
    change(values)
    plane[name] = (plane[name].dims, values, plane[name].attrs)
    return plane


def put(index, value):
    return lambda values: values.__setitem__(index, value)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda p: p.drop_vars("i_ty"), "variable 'i_ty' is missing"),
        (lambda p: p.drop_vars("update"), "coord 'update' is missing"),
        (lambda p: p.isel(layer=0, drop=True), "dim 'layer' is missing"),
        (lambda p: p.rename(layer="depth"), "dim 'depth' is unknown"),
        (lambda p: p.transpose("layer", ...), "i_xt must have dims"),
        (
            lambda p: p.assign(weight_norm=p.weight_norm.transpose("layer", ...)),
            "weight_norm must have its dims in the order",
        ),
        (lambda p: p.assign(i_xt=p.i_xt.assign_attrs(units="nats")), "i_xt must be in bits"),
        (
            lambda p: p.assign(loss=p.loss.drop_attrs()),
            "loss must be in nats or 1, its units are None",
        ),
        (lambda p: p.assign(loss=p.loss.astype(str)), "loss must be real numbers"),
        (lambda p: p.isel(seed=[0, 1, 1, 2]), "seed 4 occurs more than once"),
        (lambda p: p.isel(estimator=[1, 1]), r"estimator Exact\(\) occurs more than once"),
        (lambda p: p.isel(epoch=[0, 2, 1]), "epochs must increase from 0 on"),
        (lambda p: p.isel(seed=[]), "dim 'seed' is empty"),
        (lambda p: p.isel(layer=[0, 2]), "layers must count 1, 2"),
        (lambda p: changed(p, "update", put(-1, 0)), "updates must not decrease"),
        (lambda p: p.assign_coords(seed=p.seed / 2), "coord 'seed' must be integers"),
        (lambda p: changed(p, "i_xt", put((0, 0, 0, 0), np.inf)), "i_xt has 1 infinite values"),
        (lambda p: changed(p, "test_accuracy", put((0, 0), 98.0)), "between 0 and 1"),
        (lambda p: p.drop_attrs(), "attr 'digest' is missing"),
        (lambda p: p.assign_attrs(threads="two"), "attr 'threads' must be int, got 'two'"),
        (lambda p: p.assign_attrs(experiment="{"), "attr 'experiment' must be JSON"),
        (lambda p: p.assign_attrs(note=[1, 2]), "attr 'note' must be text or a number"),
        (lambda p: p.assign_attrs(schema_version=99), "schema version 99, this ibcore reads"),
    ],
)
def test_what_leaves_the_schema_is_named(spoil, message):
    with pytest.raises(ValueError, match=message):
        planes.check(spoil(small_plane()))


def test_all_faults_are_named_at_once():
    with pytest.raises(ValueError, match=r"variable 'i_xt' is missing; .*'digest' is missing"):
        planes.check(small_plane().drop_vars("i_xt").drop_attrs())


# ---------------------------------------------------------------------------------------- the store


def test_saved_and_loaded_is_the_plane_as_stored(tmp_path):
    """load(save(p)) = as_stored(p), to the last bit, also for a second round and for NaN."""
    plane = changed(small_plane(), "i_xt", put((0, 1, 2, 0), np.nan))
    path = planes.save(plane, tmp_path / "deep" / "plane.nc")
    loaded = planes.load(path)
    xr.testing.assert_identical(loaded, planes.as_stored(plane))
    xr.testing.assert_identical(planes.load(planes.save(loaded, path)), loaded)
    assert {type(value) for value in loaded.attrs.values()} == {int, float, str}
    assert loaded["i_xt"].dtype == np.float64
    assert loaded["loss"].dtype == np.float32


def test_information_is_rounded_to_its_stated_step(tmp_path):
    """|stored − exact| <= 1e-4 bit; the other variables keep float32."""
    plane = small_plane()
    loaded = planes.load(planes.save(plane, tmp_path / "plane.nc"))
    for name in ("i_xt", "i_ty"):
        assert np.abs(loaded[name] - plane[name]).max() <= INFORMATION_STEP / 2 + 1e-12
    np.testing.assert_array_equal(loaded["weight_norm"], plane["weight_norm"].astype(np.float32))


def test_a_small_negative_number_is_stored_as_zero_without_sign(tmp_path):
    """Rounding makes −1e-9 a zero; its sign would make two equal planes differ."""
    plane = changed(small_plane(), "i_xt", put((0, 0, 0, 0), -1e-9))
    loaded = planes.load(planes.save(plane, tmp_path / "plane.nc"))
    assert not np.signbit(loaded["i_xt"].values[0, 0, 0, 0])
    assert loaded.attrs["content_sha256"] == planes.as_stored(plane).attrs["content_sha256"]


def test_the_same_plane_gives_the_same_bytes(tmp_path):
    first = planes.save(small_plane(), tmp_path / "a.nc").read_bytes()
    assert planes.save(small_plane(), tmp_path / "b.nc").read_bytes() == first


def test_nothing_but_the_whole_file_is_ever_left(tmp_path, monkeypatch):
    """A disk that is full half-way leaves the old file, and no other, and says so."""
    path = planes.save(small_plane(), tmp_path / "plane.nc")
    before = path.read_bytes()

    def fails(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", fails)
    with pytest.raises(OSError, match=r"cannot write .*plane\.nc: the disk is full"):
        planes.save(small_plane(profile="paper"), path)
    assert [entry.name for entry in tmp_path.iterdir()] == ["plane.nc"]
    assert path.read_bytes() == before


def test_what_is_no_plane_or_does_not_fit_is_not_saved(tmp_path):
    large = changed(small_plane(), "i_xt", put((0, 0, 0, 0), 1e7))
    for plane, message in [(large, "beyond 4e5 bits"), (large.drop_vars("i_ty"), "'i_ty'")]:
        with pytest.raises(ValueError, match=message):
            planes.save(plane, tmp_path / "plane.nc")
    assert not list(tmp_path.iterdir())


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no information plane at .*nowhere\.nc"):
        planes.load(tmp_path / "nowhere.nc")


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(tmp_path, share):
    path = planes.save(small_plane(), tmp_path / "plane.nc")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ValueError, match=r"plane\.nc is damaged .*compute it again"):
        planes.load(path)


@pytest.fixture(scope="module")
def one_file(tmp_path_factory):
    path = planes.save(small_plane(), tmp_path_factory.mktemp("flip") / "plane.nc")
    return path, path.read_bytes()


@settings(max_examples=40, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_refused(one_file, place, bit):
    """Wherever it is; the reader of the format never sees it."""
    path, content = one_file
    flipped = bytearray(content)
    flipped[int(place * len(content))] ^= 1 << bit
    path.write_bytes(flipped)
    with pytest.raises(DamagedPlaneError, match=r"plane\.nc is damaged"):
        planes.load(path)


def rewritten(path, edit, sealed):
    """Edit a stored plane by way of xarray; give it a valid seal, or none."""
    with xr.open_dataset(io.BytesIO(unsealed(path.read_bytes())), engine="scipy") as file:
        plane = edit(file.load())
    content = bytes(plane.to_netcdf(None, engine="scipy"))
    path.write_bytes(content + seal(content) * sealed)


@pytest.mark.parametrize(
    "edit",
    [
        lambda p: changed(p, "i_xt", put((0, 0, 0, 0), 1.0)),
        lambda p: changed(p, "update", put(0, 1)),
        lambda p: p.assign_attrs(profile="paper"),
        lambda p: p.drop_vars("weight_norm"),
    ],
)
def test_edited_content_is_refused(tmp_path, edit):
    """Both checksums find it: that of the bytes, and that of the values under a forged seal."""
    path = planes.save(small_plane(), tmp_path / "plane.nc")
    rewritten(path, edit, sealed=True)
    with pytest.raises(ValueError, match=r"plane\.nc .*values do not match their checksum"):
        planes.load(path)
    path = planes.save(small_plane(), tmp_path / "plane.nc")
    rewritten(path, lambda plane: plane, sealed=False)
    with pytest.raises(ValueError, match=r"plane\.nc .*its end, with the checksum, is lost"):
        planes.load(path)


def test_a_file_that_is_no_plane_is_refused(tmp_path):
    """A valid seal around something else: the reader's own words are passed on."""
    path = tmp_path / "plane.nc"
    path.write_bytes(b"text" + seal(b"text"))
    with pytest.raises(ValueError, match=r"plane\.nc .*NetCDF"):
        planes.load(path)


def test_a_file_of_another_schema_is_refused(tmp_path, monkeypatch):
    """Whole, but written by a later ibcore."""
    path = planes.save(small_plane(), tmp_path / "plane.nc")
    monkeypatch.setattr(planes.schema, "SCHEMA_VERSION", 0)
    with pytest.raises(ValueError, match=r"plane\.nc .*schema version 2, this ibcore reads"):
        planes.load(path)


def test_any_tool_for_netcdf_opens_a_stored_plane(tmp_path):
    """The classic format; the checksum at the end is in nobody's way."""
    path = planes.save(small_plane(), tmp_path / "plane.nc")
    with scipy_io.netcdf_file(path, mmap=False) as file:
        found = file.variables["i_xt"][:] * file.variables["i_xt"].scale_factor
    np.testing.assert_allclose(found, planes.load(path)["i_xt"].values, atol=1e-9)


# A pack --------------------------------------------------------------------------------------


def test_a_pack_gives_back_its_planes(tmp_path):
    """Equal planes make equal packs, whatever the order in which they are given."""
    two = {"b": small_plane(), "a": small_plane(profile="paper")}
    path = planes.save_pack(two, tmp_path / "pack.zip")
    assert list(planes.load_pack(path)) == ["a", "b"]
    for name, plane in planes.load_pack(path).items():
        xr.testing.assert_identical(plane, planes.as_stored(two[name]))
    again = planes.save_pack(dict(reversed(two.items())), tmp_path / "again.zip")
    assert again.read_bytes() == path.read_bytes()
    with pytest.raises(ValueError, match="holds 2 planes"):
        planes.load(path)
    one = planes.save_pack({"a": small_plane()}, tmp_path / "one.zip")
    xr.testing.assert_identical(planes.load(one), planes.as_stored(small_plane()))


@pytest.fixture(scope="module")
def one_pack(tmp_path_factory):
    folder = tmp_path_factory.mktemp("flip")
    path = planes.save_pack({"a": small_plane(), "b": small_plane()}, folder / "pack.zip")
    return path, path.read_bytes()


@settings(max_examples=40, deadline=None)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_of_a_pack_is_refused(one_pack, place, bit):
    path, content = one_pack
    flipped = bytearray(content)
    flipped[int(place * len(content))] ^= 1 << bit
    path.write_bytes(flipped)
    with pytest.raises(DamagedPlaneError, match=r"pack\.zip is damaged"):
        planes.load_pack(path)


# ------------------------------------------------------------------------------- put together, ask


def test_merging_seeds_undoes_splitting_them():
    """Parts of a plane, in any order, give the plane; n_seeds, first_seed and duration follow."""
    whole = small_plane()
    merged = planes.merge_seeds([small_plane(seeds=(5, 6)), small_plane(seeds=(3, 4))])
    xr.testing.assert_identical(merged.drop_attrs(), whole.drop_attrs())
    experiment = json.loads(merged.attrs["experiment"])
    assert (experiment["n_seeds"], experiment["first_seed"]) == (4, 3)
    assert merged.attrs["duration_s"] == 3.0


def test_merging_keeps_where_each_part_came_from():
    merged = planes.merge_seeds(
        [small_plane(seeds=(3,)), small_plane(seeds=(4,), machine="arm64", started="2025")]
    )
    assert json.loads(merged.attrs["parts"]) == [
        {"machine": "x86_64", "started": "2026-01-02T03:04:05"},
        {"machine": "arm64", "started": "2025"},
    ]
    assert merged.attrs["started"] == "2025"


def test_merging_estimators_undoes_splitting_them():
    one, two = ({name: RULERS[name]} for name in RULERS)
    merged = planes.merge_estimators([small_plane(rulers=one), small_plane(rulers=two)])
    xr.testing.assert_identical(merged.drop_attrs(), small_plane().drop_attrs())


@pytest.mark.parametrize(
    ("merge", "others", "message"),
    [
        (planes.merge_seeds, lambda p: [], "nothing to merge"),
        (planes.merge_seeds, lambda p: [p, p.isel(seed=[1])], "seed 4 occurs in more than one"),
        (planes.merge_estimators, lambda p: [p, p], "estimator .* occurs in more than one"),
        (planes.merge_seeds, lambda p: [p, p.isel(epoch=[0])], "differ in 'epoch'"),
        (planes.merge_estimators, lambda p: [p, p.isel(seed=[0])], "differ in 'seed'"),
        (planes.merge_seeds, lambda p: [p, p.assign_attrs(digest="x")], "different digest"),
        (planes.merge_seeds, lambda p: [p, p.assign_attrs(code_digest="x")], "different code_dig"),
        (
            planes.merge_seeds,
            lambda p: [p.isel(seed=[0]), p.isel(seed=[1]).drop_vars("weight_norm")],
            "only some planes have weight_norm",
        ),
        (
            planes.merge_estimators,
            lambda p: [p.isel(estimator=[0]), changed(p.isel(estimator=[1]), "loss", put(0, 9))],
            "loss differs between the planes",
        ),
    ],
)
def test_what_does_not_belong_together_is_not_merged(merge, others, message):
    with pytest.raises(ValueError, match=message):
        merge(others(small_plane()))


def test_select_takes_labels_and_estimators():
    class Ruler:
        def __repr__(self):
            return "Exact()"

    plane = small_plane()
    one = planes.select(plane, estimator=Ruler(), seed=5, epoch=[0, 30], layer=-1)
    assert dict(one["i_xt"].sizes) == {"epoch": 2}
    np.testing.assert_array_equal(one["i_xt"], plane["i_xt"][1, 2, [0, 4], 2])
    assert planes.select(plane, epoch=slice(1, 10)).sizes["epoch"] == 3


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"epoch": 2}, "no epoch 2 in this plane; it has 0, 1, 3, 10, 30"),
        ({"layer": 4}, "no layer 4 in this plane; it has 1, 2, 3"),
        ({"layer": -4}, "no layer 0 in this plane"),
        ({"seed": [3, 9]}, "no seed 9"),
        ({"estimator": "Binning()"}, r"no estimator Binning\(\) .*it has Binning\(width=0.07\)"),
    ],
)
def test_select_names_the_labels_there_are(asked, message):
    with pytest.raises(ValueError, match=message):
        planes.select(small_plane(), **asked)


def test_a_summary_holds_the_percentiles_over_seeds():
    """numpy's percentiles over the seed axis, with units and the number of seeds."""
    plane = small_plane()
    found = planes.summarise(plane, "i_xt")
    for name, q in {"p5": 5, "p25": 25, "median": 50, "p75": 75, "p95": 95}.items():
        np.testing.assert_allclose(found[name], np.percentile(plane["i_xt"], q, axis=1))
    assert found["median"].dims == ("estimator", "epoch", "layer")
    assert found["median"].attrs["units"] == found.attrs["units"] == "bits"
    assert (found.attrs["quantity"], found.attrs["n_seeds"]) == ("i_xt", 4)
    assert found["measures"].values.tolist() == list(RULERS.values())
    assert planes.summarise(plane, "loss")["median"].dims == ("epoch",)


@pytest.mark.parametrize("n_seeds", [20, 21])
def test_the_interval_is_the_bootstrap_of_scipy(n_seeds):
    """Percentile bootstrap of the median: the same ends as scipy's, within resampling error."""
    values = np.random.default_rng(1).normal(size=n_seeds)
    plane = xr.Dataset({"i_xt": (("seed", "layer"), values[:, None], {"units": "bits"})})
    found = planes.summarise(plane, "i_xt", n_resamples=20_000)
    interval = stats.bootstrap(
        (values,), np.median, n_resamples=20_000, method="percentile", rng=2
    ).confidence_interval
    # The ends are order statistics or their means: resampling moves them by a step at most.
    step = np.diff(np.sort(values)).max() / 2
    assert found["ci_low"].item() == pytest.approx(interval.low, abs=step)
    assert found["ci_high"].item() == pytest.approx(interval.high, abs=step)


def test_a_summary_hides_no_network():
    """One NaN makes its entry NaN; one seed has no interval."""
    plane = changed(small_plane(), "i_xt", put((0, 2, 1, 1), np.nan))
    missing = np.isnan(planes.summarise(plane, "i_xt")["median"].values)
    assert missing.sum() == 1
    assert missing[0, 1, 1]
    alone = planes.summarise(plane.isel(seed=[0]), "i_xt")
    assert np.isnan(alone["ci_low"]).all()
    np.testing.assert_array_equal(alone["median"], plane["i_xt"][:, 0])


def test_a_summary_asks_for_what_there_is():
    with pytest.raises(ValueError, match="no 'i_yx' in this plane; it has i_xt, i_ty, loss"):
        planes.summarise(small_plane(), "i_yx")
    with pytest.raises(ValueError, match="no seeds left"):
        planes.summarise(small_plane().isel(seed=0), "i_xt")


def test_the_builder_refuses_arrays_without_axes():
    empty = {"estimators": RULERS, "seeds": [0], "epochs": [0], "updates": [0], "widths": [2]}
    with pytest.raises(ValueError, match="loss must have 2, 3 or 4 axes"):
        planes.new_plane(**empty, variables={"loss": 0.5}, attrs=ATTRS)
