"""Sightings: the stand-in, a file of the real layout, and every file that is not the one."""

import json
import os
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import ibcore as ib
from ibcore import tasks
from ibcore.claims import WORDS
from ibcore.tasks import pokemon
from ibcore.training import split_rows

DATA = os.environ.get("IBCORE_DATA")
with_data = pytest.mark.skipif(not DATA, reason="IBCORE_DATA names no folder")


def real_layout(n=60, **changes):
    """A small table with columns as in 300k.csv, among them the ones that trip a reader."""
    rng = np.random.default_rng(0)
    table = pd.DataFrame({
        "pokemonId": np.arange(n),
        "latitude": rng.uniform(-40, 60, n), "longitude": rng.uniform(-120, 150, n),
        "appearedLocalTime": "2016-09-08T03:57:45",
        "cellId_90m": "9645139101125738496",
        "temperature": rng.uniform(5, 35, n), "pressure": rng.uniform(1000, 1030, n),
        "closeToWater": np.where(np.arange(n) % 2, "true", "false"),
        "pokestopDistanceKm": np.where(np.arange(n) % 9, "0.04", "?"),
        "class": np.resize([16, 50, 50, 86, 128, 133], n),
    })  # fmt: skip
    return table.assign(**changes)


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A folder for small files; 60 rows are expected instead of 296 021."""
    monkeypatch.setattr(pokemon, "N_SIGHTINGS", 60)
    monkeypatch.setattr(pokemon, "COUNTS", {50: 20, 86: 10, 128: 10})
    monkeypatch.setenv("IBCORE_DATA", str(tmp_path))
    monkeypatch.setenv("IBCORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pokemon, "find_spec", lambda name: None)
    (tmp_path / "pokemon").mkdir()
    return tmp_path / "pokemon" / "300k.csv"


class TestStandIn:
    def test_task(self):
        task = ib.load_task("pokemon")
        assert task.x.shape == (2083, 4)
        assert np.bincount(task.y).tolist() == [721, 692, 670]
        np.testing.assert_allclose(task.x.mean(axis=0), 0, atol=1e-6)
        np.testing.assert_allclose(task.x.std(axis=0), 1, atol=1e-6)
        assert "stand-in" in task.description
        other = ib.load_task("pokemon_minmax")
        assert other.x.min() == 0
        assert other.x.max() == 1

    def test_47_percent_of_the_rows_share_their_place(self):
        table = pokemon.sightings()
        shared = table.duplicated(["latitude", "longitude"], keep=False).mean()
        assert shared == pytest.approx(0.47, abs=0.001)
        groups = ib.load_task("pokemon").groups
        assert (np.bincount(groups)[groups] > 1).mean() == pytest.approx(shared)

    def test_a_changed_file_is_refused(self, monkeypatch):
        monkeypatch.setattr(pokemon, "STAND_IN_SHA256", "0" * 64)
        with pytest.raises(ValueError, match="not the stand-in of this version"):
            pokemon._stand_in()

    @with_data
    def test_histograms_are_those_of_the_real_data(self):
        """Counts in every bin, by species: integer-exact."""
        facts = json.loads((Path(DATA) / "pokemon" / "marginals.json").read_text("utf-8"))
        table = pokemon.sightings()
        for name, histograms in facts["histograms"].items():
            for feature, one in histograms.items():
                edges = np.linspace(one["min"], one["max"], one["bins"] + 1)
                found, _ = np.histogram(table[table.name == name][feature], edges)
                assert found.tolist() == one["counts"]

    @with_data
    def test_the_script_makes_it_again(self, tmp_path, monkeypatch):
        import make_pokemon

        monkeypatch.setattr(make_pokemon, "TARGET", tmp_path / "made.csv")
        assert make_pokemon.main() == 0
        made = sha256((tmp_path / "made.csv").read_bytes()).hexdigest()
        assert made == pokemon.STAND_IN_SHA256


class TestRealFile:
    def test_from_the_file_to_the_task(self, small):
        """Only the rows of the three classes, labels in the order 50, 86, 128."""
        table = real_layout()
        table.to_csv(small, index=False)
        task = pokemon.load_pokemon_real()
        kept = table[table["class"].isin(pokemon.COUNTS)]
        assert np.bincount(task.y).tolist() == [20, 10, 10]
        x = kept[list(pokemon.FEATURES)].to_numpy()
        np.testing.assert_allclose(task.x, (x - x.mean(axis=0)) / x.std(axis=0), atol=1e-5)
        assert "stand-in" not in task.description

    def test_the_extract_is_kept_and_checked(self, small):
        real_layout().to_csv(small, index=False)
        first = pokemon.real_sightings()
        small.unlink()
        pd.testing.assert_frame_equal(pokemon.real_sightings(), first)
        extract = next(small.parent.parent.rglob("sightings_2083.csv"))
        extract.write_text(extract.read_text("utf-8").replace("50", "86", 1), encoding="utf-8")
        with pytest.raises(OSError, match=r"300k\.csv of the Kaggle data set semioniy"):
            pokemon.real_sightings()

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            (lambda t: t.rename(columns={"class": "pokedex_number"}), "table of 801 species"),
            (lambda t: t.drop(columns=["pressure", "latitude"]), "no column latitude, pressure"),
            (lambda t: t[:40], "has 40 rows, not 60: it is cut off"),
            (lambda t: t.assign(**{"class": 7}), "expected {50: 20"),
            (lambda t: t.assign(pressure=t.pressure.where(t.index > 5)), "lacks values of press"),
        ],
    )  # fmt: skip
    def test_other_files_are_told_from_it(self, small, change, message):
        change(real_layout()).to_csv(small, index=False)
        with pytest.raises(ValueError, match=message) as refusal:
            pokemon.load_pokemon_real()
        assert "semioniy/predictemall" in str(refusal.value)
        assert not list(small.parent.parent.rglob("sightings_2083.csv"))

    def test_without_the_file_there_is_one_sentence(self, small):
        with pytest.raises(OSError, match="put it into the folder pokemon of IBCORE_DATA"):
            pokemon.load_pokemon_real()

    @with_data
    def test_real_rows_pass_through(self):
        """37 real rows with all four features: columns, classes and ranges are as expected."""
        table = pd.read_csv(Path(DATA) / "pokemon" / "real_3classes_4features_37rows.csv")
        assert set(table["class"]) == set(pokemon.COUNTS)
        assert not table[list(pokemon.FEATURES)].isna().any().any()
        stand_in = pokemon.sightings()
        for feature in ("temperature", "pressure"):
            assert table[feature].between(stand_in[feature].min(), stand_in[feature].max()).all()


def test_the_grouped_split_keeps_places_on_one_side():
    task = ib.load_task("pokemon")
    experiment = ib.Experiment(task="pokemon", split="grouped", train_fraction=0.8)
    splits = [split_rows(task, experiment, seed) for seed in range(5)]
    for train, test in splits:
        assert len(train) == round(0.8 * 2083)
        assert not set(task.groups[train]) & set(task.groups[test])
        assert not set(train) & set(test)
        assert len(train) + len(test) > 2083 - np.bincount(task.groups).max()
    assert len({tuple(train) for train, _ in splits}) == 5
    with pytest.raises(ValueError, match="have no groups"):
        split_rows(ib.load_task("szt"), experiment, 0)


def test_the_chapter_runs_on_the_real_file(small):
    """From a file of the real layout to a verdict; the stand-in stays where it is not asked for."""
    real_layout().to_csv(small, index=False)
    tasks._loaded.cache_clear()
    try:
        study = ib.Study("dong", data="real", profile="smoke")
        assert {one.task for one in study.experiments.values()} == {
            "pokemon_real", "pokemon_real_minmax",
        }  # fmt: skip
        assert study.plane("relu_l2").attrs["n_samples"] == 40
        with pytest.raises(ValueError, match="only a paper-scale run without changes"):
            ib.Study("dong", data="real").publish()
        few = ib.Study("dong", data="real", n_seeds=10, n_epochs=200)
        found = few.verdict("DONG-LEAK")
        assert found.verdict in WORDS
        assert found.n_seeds == 10
        assert found.criterion.startswith("On the real sightings")
    finally:
        tasks._loaded.cache_clear()
    named = {one.task for one in ib.Study("dong").experiments.values()}
    assert named == {"pokemon", "pokemon_minmax"}
    with pytest.raises(ValueError, match="data must be one of stand-in, real"):
        ib.Study("dong", data="kaggle")
