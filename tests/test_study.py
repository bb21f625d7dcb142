"""A chapter's study: what it runs at which profile, what a parameter changes, what is published."""

import json

import numpy as np
import pytest

from ibcore import claims, plane
from ibcore.config import Experiment
from ibcore.estimators import Binning, EdgeBinning, Exact
from ibcore.papers import book_folder, papers
from ibcore.results import provenance
from ibcore.results.measuring import with_performance
from ibcore.results.places import costs
from ibcore.study import Study
from ibcore.training import train

PUBLISHED = book_folder() / "results"


@pytest.fixture
def study(tmp_path, monkeypatch):
    monkeypatch.setenv("IBCORE_CACHE", str(tmp_path))
    return Study("shwartz_ziv")


def test_every_experiment_is_one_that_can_be_made(study):
    """The whole study file becomes experiments, at both profiles."""
    for profile in ("paper", "smoke"):
        experiments = Study("shwartz_ziv", profile=profile).experiments
        assert all(isinstance(one, Experiment) for one in experiments.values())
        assert {"released", "depth_1", "depth_6", "size_01", "size_20"} <= set(experiments)


def test_the_three_variants_are_what_the_chapter_says(study):
    paper, released, head = (study.experiments[name] for name in ("paper", "released", "head"))
    assert (paper.optimizer, paper.batch_size, paper.split) == ("sgd", 256, "random")
    assert (released.optimizer, released.batch_size, released.split) == ("adam", None, "random")
    assert (head.batch_size, head.split, head.n_epochs) == (512, "unshuffled", 8000)
    assert released.learning_rate == head.learning_rate == 4e-4
    assert released.n_seeds == 50


def test_claims_ask_only_for_experiments_there_are(study):
    for claim in study.claims:
        assert set(claims.planes_of(claim)) <= set(study.experiments), claim.id


def test_a_parameter_changes_what_an_experiment_does_not_fix(tmp_path):
    changed = Study("shwartz_ziv", n_epochs=7, split="unshuffled", optimizer="momentum")
    assert {one.n_epochs for one in changed.experiments.values()} == {7}
    assert changed.experiments["released"].optimizer == "momentum"
    assert changed.experiments["released_45"].split == "unshuffled"
    assert changed.experiments["paper"].optimizer == "sgd"


def test_rulers_of_the_main_run(study):
    main = Binning(n_bins=30, low=-1, high=1)
    edges = [EdgeBinning(n_edges=30), EdgeBinning(n_edges=50)]
    assert study.estimators("released") == [main, *edges, Exact()]
    few = Study("shwartz_ziv", ruler="Binning(64)").estimators("released_05")
    assert few == [Binning(n_bins=64), main]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"chapter": "sax"}, "no chapter 'sax'; there are shwartz_ziv"),
        ({"chapter": "shwartz_ziv", "profile": "full"}, "profile must be one of smoke, paper"),
        ({"chapter": "shwartz_ziv", "n_epoch": 3}, "no field n_epoch; its fields are task"),
        ({"chapter": "shwartz_ziv", "split": "odd"}, "split must be one of"),
        (
            {"chapter": "shwartz_ziv", "ruler": "Binning(0)"},
            "n_bins must be an integer of at least",
        ),
    ],
)
def test_refuses_unknown_names(settings, message):
    with pytest.raises(ValueError, match=message):
        Study(**settings)


def test_refuses_unknown_experiments_and_claims(study):
    with pytest.raises(ValueError, match="no experiment 'main'; it has released"):
        study.plane("main")
    with pytest.raises(ValueError, match=r"no claim 'SZT-F99'; it has SZT-S3\.1"):
        study.verdict("SZT-F99")


def test_a_smoke_run_gives_no_verdict_and_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setenv("IBCORE_CACHE", str(tmp_path))
    smoke = Study("shwartz_ziv", profile="smoke", n_epochs=4)
    assert "smoke profile: no verdict" in str(smoke.verdict("SZT-F1"))
    assert not list(tmp_path.rglob("*.*"))
    with pytest.raises(ValueError, match="only a paper-scale run without changes"):
        smoke.publish()


def test_parameters_that_leave_a_claim_unanswered_say_so(study, tmp_path):
    """A shorter run has no epoch 400: the chapter goes on and the row says why it has no word."""
    short = Study("shwartz_ziv", n_epochs=20, n_seeds=2)
    found = str(short.verdict("SZT-F2"))
    assert "no verdict with these parameters: epoch 400 was not measured" in found


def test_a_changed_run_cannot_be_published(study):
    with pytest.raises(ValueError, match="only a paper-scale run without changes"):
        Study("shwartz_ziv", ruler="Binning(50)").publish()


def test_a_ledger_needs_a_verdict_on_every_claim(study, tmp_path):
    lost = claims.NoVerdict("SZT-F1", "nobody looked")
    with pytest.raises(ValueError, match=r"a verdict on every claim; none on SZT-F1 \(nobody loo"):
        study.publish([lost])
    assert not list(tmp_path.rglob("*.json"))


def test_a_run_of_a_reader_does_not_touch_what_is_published(study, tmp_path):
    assert study.store.root.is_relative_to(tmp_path)
    assert study.store.published == PUBLISHED


def test_book_folder_is_found_or_named(tmp_path, monkeypatch):
    monkeypatch.setenv("IBCORE_BOOK", str(tmp_path))
    assert book_folder() == tmp_path


# What is published ---------------------------------------------------------------------------


def test_it_is_known_what_each_published_experiment_took():
    known = costs([PUBLISHED])
    for chapter in papers():
        for name, experiment in Study(chapter, results=PUBLISHED).experiments.items():
            assert known[experiment.digest()].seconds > 0, (chapter, name)


@pytest.mark.parametrize("chapter", papers())
def test_every_experiment_is_published_whole_and_by_trusted_code(chapter):
    """Each stored plane passes its checksums and its schema, is the one asked for, has the rulers
    and observables that the chapter names and no more, at full scale, by today's code or code that
    is certified to give the same.
    """
    study = Study(chapter, results=PUBLISHED)
    for name in study.experiments:
        stored = study.stored(name)
        assert stored is not None, f"{name} is not published whole; run `make results`"
        assert stored.attrs["profile"] == "paper", name
        stale = study.store.distrusted(stored)
        assert not stale, (
            f"{name} was made by other code ({', '.join(stale)}). If no number should have moved, "
            "`make certify` runs a part of it again and, where it comes out the same, says so in "
            "book/results/certificates.json; commit that file."
        )
        variables = {one for o in with_performance(study.observables(name)) for one in o.names}
        assert {"i_xt", "i_ty"} | variables <= set(stored.data_vars), name


@pytest.mark.parametrize("chapter", papers())
def test_canaries_of_published_results_live(chapter):
    """The first updates of published experiments come out as stored, the first and last of each
    family.
    """
    study = Study(chapter, results=PUBLISHED)
    for names in study.packs().values():
        for name in {names[0], names[-1]}:
            experiment = study.experiments[name]
            if experiment.task != "mnist":
                expected = json.loads(study.stored(name).attrs["canary"])
                found = provenance.canary(experiment)
                assert provenance.canaries_agree(found, expected), (name, found, expected)


@pytest.mark.parametrize("name", ["tanh", "relu"])
def test_published_weights_give_the_published_plane(name):
    """A reader's new ruler starts from weights that reproduce what the old one said."""
    study = Study("estimators", results=PUBLISHED)
    experiment = study.experiments[name]
    stored = study.stored(name)
    trajectory = study.store.weights(experiment, experiment.seeds[:10])
    ruler = study.estimators(name)[0]
    for k in (0, 20, -1):
        layers = trajectory.ensemble(k)[3].layers(trajectory.task.x)
        found = [ruler(t[0], trajectory.task.y).i_xt for t in layers]
        expected = stored.i_xt.sel(estimator=repr(ruler), seed=experiment.seeds[3]).isel(epoch=k)
        np.testing.assert_allclose(found, expected, atol=1.01e-4)


def test_results_are_few_and_small():
    """30 MB, the weights that readers need included; a pack holds what its chapter asks for."""
    files = [path for path in PUBLISHED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 30e6
    packs = {path.stem for path in (PUBLISHED / "planes").iterdir()}
    assert packs == {name for chapter in papers() for name in Study(chapter).packs()}


def test_packs_hold_no_observable_that_their_chapter_does_not_ask_for():
    for chapter in papers():
        study = Study(chapter, results=PUBLISHED)
        for pack, names in study.packs().items():
            stored = plane.load_pack(PUBLISHED / "planes" / f"{pack}.zip")
            for name in names:
                asked = {
                    variable
                    for one in with_performance(study.observables(name))
                    for variable in one.names
                }
                found = stored[study.experiments[name].digest()]
                information = {"i_xt", "i_ty", "i_xt_error", "i_ty_error"}
                assert set(found.data_vars) - information == asked, name


DECIDED = (
    "verdict", "effect", "low", "high", "unit", "n_seeds", "n_not_learnt", "scale", "experiment",
    "direction", "size", "scope", "quantifier", "detectable",
)  # fmt: skip


@pytest.mark.parametrize("chapter", papers())
def test_ledger_is_what_the_stored_planes_say(chapter):
    """Judging the stored, rounded values again gives the published words and numbers.

    A claim that shares another's evidence has what that one has, and its own sentence.
    """
    study = Study(chapter, results=PUBLISHED)
    ledger = {entry["id"]: entry for entry in claims.load_ledger(PUBLISHED / "ledger.json")}
    assert {claim.id for claim in study.claims} <= set(ledger)
    for claim in study.claims:
        if claim.same_evidence_as:
            source = ledger[claim.same_evidence_as]
            assert {key: ledger[claim.id][key] for key in DECIDED} == {
                key: source[key] for key in DECIDED
            }
        else:
            assert claims.ledger_entry(study.verdict(claim.id)) == ledger[claim.id]


def test_shuffled_labels_take_the_verdict_away():
    """A planted fault: with the labels of another task the layers of the networks, trained again,
    know nothing of Y, and the row of the snapshots must not survive.
    """
    study = Study("shwartz_ziv", results=PUBLISHED)
    stored = study.stored("released")
    experiment = study.experiments["released"]
    trajectory = train(experiment, seeds=experiment.seeds[:10], progress=False)
    y = np.random.default_rng(0).permutation(trajectory.task.y)
    broken = stored.isel(seed=slice(10), estimator=[0]).copy(deep=True)
    ruler = study.estimators("released")[0]
    for k, epoch in enumerate(stored.epoch.values):
        if epoch in (0, 386, 400, 409, 8286, 9000, 9103):
            for s in range(10):
                t = trajectory.ensemble(k)[s].layers(trajectory.task.x)[4][0]
                broken.i_ty[0, s, k, 4] = ruler(t, y).i_ty
    assert study.verdict("SZT-F2").verdict == "reproduced"
    assert claims.judge("SZT-F2", {"released": broken}).verdict in ("mixed", "open")
