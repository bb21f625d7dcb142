"""The command line prints what Study, claims and plane say, and decides nothing itself."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from ibcore import cli, commands, differences, plane
from ibcore.claims import Claim, NoVerdict
from ibcore.claims.criteria import CheckSpec
from ibcore.config import Experiment
from ibcore.estimators import Binning, Exact
from ibcore.results import certify as renewal
from ibcore.results.places import costs, note_cost

TINY = Experiment(n_seeds=3, n_epochs=10, n_measured_epochs=3)


def made_plane(experiment, *, seeds=(0, 1, 2), shift=0.0):
    """Build a plane of invented numbers: i_xt = 5 + shift bits, i_ty half of it."""
    shape = (1, len(seeds), len(experiment.epochs), 6)
    curve = np.full(shape[1:3], 0.5)
    return plane.new_plane(
        estimators={"Exact()": "I(X; T)"},
        seeds=seeds,
        epochs=experiment.epochs,
        updates=experiment.epochs,
        widths=(10, 7, 5, 4, 3, 2),
        variables={
            "i_xt": np.full(shape, 5.0 + shift),
            "i_ty": np.full(shape, 2.5 + shift / 2),
            "loss": curve,
            "train_accuracy": curve,
            "test_accuracy": curve,
        },
        attrs={
            "experiment": experiment.to_json(),
            "digest": experiment.digest(),
            "code_digest": "0123456789abcdef",
            "code": "{}",
            "versions": "{}",
            "seed_rule": "Philox",
            "engine": "twin",
            "threads": 1,
            "machine": "a desk calculator",
            "started": "2026-11-21T00:00:00+00:00",
            "duration_s": 1.5,
            "n_samples": 4096,
            "label_entropy": 0.999,
            "profile": "paper",
            "canary": "{}",
        },
    )


def made_verdict(claim_id="SZT-F3", word="reproduced", effect=1.25):
    """Build a verdict of the published form."""
    return SimpleNamespace(
        id=claim_id, verdict=word, effect=effect, low=1.0, high=1.5, unit="bit", n_seeds=50,
        n_not_learnt=2, scale="paper", experiment="released", chapter="shwartz_ziv",
        direction="agrees", size="open", scope="2 of 3", quantifier="all", setting="A",
        rank="headline", question=2, finding="it does", criterion_date="2026-11-30",
        criterion_hash="0" * 16, source_value=None, detectable=None, same_evidence_as=None,
        exploratory=False,
    )  # fmt: skip


def made_claim(claim_id, *experiments, **more):
    """Build a claim of the registry's form."""
    test = {"effect": "compression", "planes": list(experiments), "layers": [1], **more}
    return Claim(
        id=claim_id, chapter="shwartz_ziv", title="two phases", source="a paper, Fig. 3",
        statement="it compresses", criterion="C > 0.5 bit", question=2, rank="headline",
        setting="A", expects="effect", date="2026-11-30", findings={},
        tests=(CheckSpec(test, "here"),),
    )  # fmt: skip


CLAIMS = (
    made_claim("SZT-F3", "released"),
    made_claim("SZT-F4", "released"),
    made_claim("SZT-F5", "released", "depth_1"),
)


def found_claim(claim_id):
    """Stand in for ``claims.find_claim``."""
    for claim in CLAIMS:
        if claim.id == claim_id:
            return claim
    raise ValueError(f"no claim is called {claim_id!r}; the claims are ...")


class Shelf:
    """A study that finds planes in a folder, computes nothing and has its verdicts given."""

    calls: list
    published: object
    verdicts: list

    def __init__(self, chapter, results=None, **options):
        if chapter != "shwartz_ziv":
            raise ValueError(f"no chapter {chapter!r}; there are shwartz_ziv.")
        self.chapter = chapter
        self.store = SimpleNamespace(root=results or Shelf.published.parent / "cache")
        self.experiments = {"released": TINY, "depth_1": TINY.replace(hidden_widths=(12,))}
        Shelf.calls.append(("Study", options))

    def estimators(self, name):
        return [Exact()]

    def files(self, name):
        if name not in self.experiments:
            raise ValueError(f"no experiment {name!r}; it has released, depth_1.")
        paths = [folder / f"{name}.nc" for folder in (self.store.root, Shelf.published)]
        return [path for path in paths if path.exists()]

    def where(self, name):
        found = self.files(name)
        if not found:
            return "no"
        return "published" if found[0].parent == Shelf.published else "yours"

    def stored(self, name):
        return plane.load(self.files(name)[0]) if self.files(name) else None

    def own(self, name):
        path = self.store.root / f"{name}.nc"
        return plane.load(path) if path.exists() else None

    def plane(self, name):
        Shelf.calls.append(("plane", name))
        return made_plane(self.experiments[name])

    def judge(self):
        return Shelf.verdicts

    @staticmethod
    def judged(claim, given, estimator=None):
        assert set(given) == set(claim.experiments)
        Shelf.calls.append(("judge", claim.id, estimator))
        return next(verdict for verdict in Shelf.verdicts if verdict.id == claim.id)

    def publish(self, verdicts=None):
        Shelf.calls.append(("publish", self.store.root))


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """Published results: ``released`` and a ledger of one verdict, but no ``depth_1``."""
    Shelf.calls, Shelf.published = [], tmp_path / "book" / "results"
    Shelf.verdicts = [made_verdict()]
    monkeypatch.setattr(commands.registry, "load_registry", lambda chapter: CLAIMS)
    monkeypatch.setattr(commands.registry, "find_claim", found_claim)
    monkeypatch.setattr(commands.registry, "load_ledger", lambda path: json.loads(path.read_text()))
    monkeypatch.setattr(
        commands.registry, "judge", lambda *given, **more: Shelf.judged(*given, **more)
    )
    plane.save(made_plane(TINY), Shelf.published / "released.nc")
    ledger = Shelf.published / "ledger.json"
    entries = [vars(made_verdict()), vars(made_verdict("SZT-F4", "open", 0.1))]
    ledger.write_text(json.dumps(entries), encoding="utf-8")
    monkeypatch.setattr(commands, "Study", Shelf)
    for module in (cli, commands):
        monkeypatch.setattr(module, "papers", lambda: ("shwartz_ziv",))
        monkeypatch.setattr(module, "published_results", lambda: Shelf.published)
    monkeypatch.setattr(commands, "book_folder", lambda: tmp_path / "book")
    listed = Shelf("shwartz_ziv").experiments
    Shelf.calls = []
    monkeypatch.setattr(cli, "experiments", lambda content, profile: listed)
    return Shelf


def ask(*arguments, code=0):
    """Run the command line and return what it printed, with a run of blanks as one."""
    done = CliRunner().invoke(cli.app, [str(one) for one in arguments])
    assert done.exit_code == code, (done.output, done.exception)
    return "\n".join(" ".join(line.split()) for line in done.output.splitlines())


def test_list_shows_digest_scale_cost_and_where_it_is_stored(shelf, tmp_path):
    place = Path("planes") / TINY.digest() / "0000-0002-x.nc"
    plane.save(made_plane(TINY), shelf.published / place)
    note_cost(shelf.published, TINY.digest(), 7.2, 0.5)
    said = ask("list")
    assert f"released {TINY.digest()} szt 3 10 7 s published" in said
    assert "szt 3 10 - no" in said
    plane.save(made_plane(TINY), tmp_path / "mine" / place)
    note_cost(tmp_path / "mine", TINY.digest(), 300, 0.5)
    said = ask("list", "--results", tmp_path / "mine")
    assert f"released {TINY.digest()} szt 3 10 5 min yours" in said


def test_a_damaged_file_of_costs_knows_nothing(shelf):
    for text in ("{", "[]", '{"a": 1}', '{"a": {"seconds": "x", "gib": 0}}'):
        (shelf.published / "costs.json").write_text(text, encoding="utf-8")
        assert "szt 3 10 - no" in ask("list")
    note_cost(shelf.published, TINY.digest(), 7.2, 0.5)
    assert costs([shelf.published]) == {TINY.digest(): (7.2, 0.5)}


def test_run_computes_judges_and_writes_the_ledger(shelf, tmp_path):
    said = ask("run", "all", "--threads", 1)
    assert "[2/2] shwartz_ziv depth_1: computing" in said
    assert "SZT-F3 reproduced 1.25 [1, 1.5] bit 50 2" in said
    assert [call[0] for call in shelf.calls] == ["Study", "plane", "plane", "publish"]
    assert shelf.calls[0][1]["threads"] == 1
    assert shelf.calls[-1] == ("publish", tmp_path / "book" / "cache")


def test_only_publish_writes_to_the_book(shelf, tmp_path):
    ask("run", "shwartz_ziv", "--publish")
    assert shelf.calls[-1] == ("publish", shelf.published)
    assert "give one of them" in ask("run", "all", "--publish", "--results", tmp_path, code=2)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--only", "depth_1"), "not judged"),
        (("--profile", "smoke"), "no verdict"),
        (("--set", "n_seeds=3"), "ledger not written"),
    ],
)
def test_a_partial_run_leaves_the_ledger_alone(shelf, arguments, said):
    assert said in ask("run", "shwartz_ziv", *arguments)
    assert "publish" not in [call[0] for call in shelf.calls]


def test_only_computes_only_that(shelf):
    ask("run", "shwartz_ziv", "--only", "depth_1")
    assert shelf.calls[1:] == [("plane", "depth_1")]


@pytest.mark.parametrize("how", ["released", TINY.digest(), "file"])
def test_info_says_where_a_result_comes_from(shelf, how):
    said = ask("info", shelf.published / "released.nc" if how == "file" else how)
    for row in (
        "optimizer adam",
        "seeds 0-2 (3)",
        "epochs 0 ... 10 (3)",
        "estimators Exact()",
        "machine a desk calculator",
        "duration_s 1.5",
        "code_digest 0123456789abcdef",
    ):
        assert row in said


def test_a_rerun_with_equal_numbers_and_words_agrees(shelf, tmp_path):
    plane.save(made_plane(TINY), tmp_path / "again" / "released.nc")
    shelf.verdicts = [made_verdict(), made_verdict("SZT-F4", "open", 0.2)]
    said = ask("compare", "shwartz_ziv", "--results", tmp_path / "again")
    assert f"released {TINY.digest()} 54 0 bit 0 bit" in said
    assert "2 of 2 verdicts under the same ruler agree" in said


def test_compare_names_the_claims_that_differ_and_by_how_much(shelf, tmp_path):
    """Over the two common seeds i_xt differs by 0.5 bit and i_ty by 0.25."""
    rerun = made_plane(TINY, seeds=(1, 2, 7), shift=0.5)
    plane.save(rerun, tmp_path / "again" / "released.nc")
    shelf.verdicts = [
        made_verdict("SZT-F3", "open", 0.4),
        made_verdict("SZT-F4", "open", 0.2),
    ]
    said = ask("compare", "shwartz_ziv", "--results", tmp_path / "again", code=1)
    assert f"released {TINY.digest()} 36 0.5 bit 0.25 bit" in said
    assert "SZT-F3 reproduced 1.25 [1, 1.5] bit open 0.4 [1, 1.5] bit" in said
    assert "1 of 2 verdicts under the same ruler agree" in said
    assert "different: SZT-F3" in said


def test_planes_without_a_common_seed_have_no_difference(shelf):
    gap = differences.difference(made_plane(TINY, seeds=(0, 1)), made_plane(TINY, seeds=(2, 3)))
    assert gap["n"] == 0
    assert np.isnan(gap["i_xt"])


def test_compare_one_file(shelf, tmp_path):
    mine = plane.save(made_plane(TINY, shift=-0.5), tmp_path / "mine.nc")
    assert "54 0.5 bit 0.25 bit" in ask("compare", "shwartz_ziv", mine)
    plane.save(made_plane(TINY.replace(learning_rate=0.1)), mine)
    assert "no published result" in ask("compare", "shwartz_ziv", mine, code=2)


def test_compare_starts_no_run(shelf, tmp_path):
    """SZT-F5 needs depth_1, which is not there: it is named, not computed."""
    said = ask("compare", "shwartz_ziv", "--results", tmp_path / "again", code=2)
    assert "run: python -m ibcore run shwartz_ziv --recompute --results" in said
    plane.save(made_plane(TINY), tmp_path / "again" / "released.nc")
    shelf.verdicts = [made_verdict(), made_verdict("SZT-F4", "open")]
    said = ask("compare", "shwartz_ziv", "--results", tmp_path / "again")
    assert "SZT-F5 - - not run: depth_1" in said
    assert "plane" not in [call[0] for call in shelf.calls]


def test_compare_judges_under_the_readers_ruler_where_the_chapters_is_not_there(
    shelf, tmp_path, monkeypatch
):
    """Verdicts under two rulers stand side by side, are no disagreement, and the ruler is named."""
    plane.save(made_plane(TINY), tmp_path / "again" / "released.nc")
    monkeypatch.setattr(Shelf, "estimators", lambda *_: [Binning(width=0.07)])
    shelf.verdicts = [made_verdict("SZT-F3", "open"), made_verdict("SZT-F4")]
    said = ask("compare", "shwartz_ziv", "--results", tmp_path / "again")
    assert ("judge", "SZT-F3", "Exact()") in shelf.calls
    row = "SZT-F3 reproduced 1.25 [1, 1.5] bit open 1.25 [1, 1.5] bit Exact(); "
    assert f"{row}the word; within what the seeds explain" in said
    assert "0 of 0 verdicts under the same ruler agree" in said


def test_compare_names_a_claim_that_compares_rulers_that_are_not_there(
    shelf, tmp_path, monkeypatch
):
    plane.save(made_plane(TINY), tmp_path / "again" / "released.nc")
    monkeypatch.setattr(Shelf, "estimators", lambda *_: [Exact(), Binning(width=0.07)])
    claims = (made_claim("SZT-F3", "released", ruler="Exact()"), CLAIMS[1])
    monkeypatch.setattr(commands.registry, "load_registry", lambda chapter: claims)
    shelf.verdicts = [made_verdict("SZT-F4", "open")]
    said = ask("compare", "shwartz_ziv", "--results", tmp_path / "again")
    assert "compares rulers that are not there: Binning(width=0.07)" in said
    assert "1 of 1 verdicts under the same ruler agree" in said


def test_compare_shows_why_a_claim_cannot_be_judged(shelf, tmp_path, monkeypatch):
    def refuses(claim, given, estimator=None):
        raise ValueError("epoch 400 was not measured")

    plane.save(made_plane(TINY), tmp_path / "again" / "released.nc")
    monkeypatch.setattr(commands.registry, "judge", refuses)
    said = ask("compare", "shwartz_ziv", "--results", tmp_path / "again")
    assert "cannot be judged: epoch 400 was not measured" in said


@pytest.mark.parametrize(
    ("word", "how", "code"),
    [("certified", "2 networks agree", 0), ("stale", "the canary differs", 1)],
)
def test_certify_says_so_of_every_stored_result(shelf, monkeypatch, word, how, code):
    monkeypatch.setattr(
        commands.renewal, "certify", lambda stored, store: renewal.Answer(word, how)
    )
    assert ask("certify", code=code) == f"shwartz_ziv released: {word}: {how}"


def test_certify_of_an_empty_folder_says_so(shelf, tmp_path):
    assert "no result in" in ask("certify", "--results", tmp_path / "empty", code=2)


def test_claims_show_the_criterion_and_the_published_verdict(shelf):
    assert "SZT-F3 reproduced headline two phases" in ask("claims")
    assert "SZT-F5 - headline two phases" in ask("claims")
    said = ask("claims", "SZT-F3")
    assert "criterion " in said
    assert "finding it does" in said
    assert "published reproduced 1.25 [1, 1.5] bit" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "nothing"), "error: no chapter 'nothing'; there are shwartz_ziv."),
        (("run", "shwartz_ziv", "--only", "x"), "no experiment 'x'; it has released, depth_1"),
        (("info", "nothing"), "'nothing' is no file, and no experiment"),
        (("info", "depth_1"), "is not stored; compute it with: python -m ibcore run"),
        (("claims", "SZT-X"), "no claim is called 'SZT-X'"),
        (("compare", "shwartz_ziv", "no.nc"), "no information plane at no.nc"),
    ],
)
def test_a_mistake_is_one_line(shelf, arguments, said):
    answer = ask(*arguments, code=2)
    assert said in answer
    assert answer.count("\n") == 0


@pytest.mark.parametrize(
    "how", [{"args": ["--traceback", "run", "x"]}, {"env": "1", "args": ["run", "x"]}]
)
def test_all_of_an_error_is_shown_on_request(shelf, how):
    env = {"IBCORE_TRACEBACK": how.get("env")}
    done = CliRunner().invoke(cli.app, how["args"], env=env)
    assert isinstance(done.exception, ValueError)


def test_a_result_without_effect_is_a_dash(shelf):
    shelf.verdicts = [
        made_verdict(effect=float("nan"), word="none found"),
        NoVerdict("SZT-F4", "no plane"),
    ]
    said = ask("run", "shwartz_ziv")
    assert "SZT-F3 none found - 50 2" in said
    assert "SZT-F4 no plane - - -" in said


def test_the_real_chapters_claims_and_a_smoke_run(tmp_path, monkeypatch):
    """The same with nothing stood in for: one experiment of the first chapter, at smoke scale."""
    monkeypatch.setenv("IBCORE_CACHE", str(tmp_path))
    assert "released " in ask("list", "shwartz_ziv")
    assert "SZT-F3 " in ask("claims")
    assert "criterion " in ask("claims", "SZT-F3")
    said = ask("run", "shwartz_ziv", "--profile", "smoke", "--only", "depth_1", "--threads", 1)
    assert "[1/1] shwartz_ziv depth_1: computing" in said
    assert "no result of shwartz_ziv" in ask("compare", "shwartz_ziv", code=2)
