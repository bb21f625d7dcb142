"""A reader's doubt: what another ruler does to a claim, what is computed, shown and skipped."""

import numpy as np
import pytest
import tiny_paper
from IPython.core.interactiveshell import InteractiveShell
from typer.testing import CliRunner

from ibcore import claims, cli, doubt, notebook
from ibcore.claims import NoVerdict, Verdict
from ibcore.doubt import Doubt
from ibcore.estimators import AdaptiveBinning, Binning, Exact, KernelBound, RangeBinning, from_name
from ibcore.notebook import NotAskedFor
from ibcore.papers import book_folder
from ibcore.study import Study

HUNDRED = Binning(100)


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """The tiny paper with its networks in a folder of the reader's."""
    monkeypatch.setenv("IBCORE_PAPERS", str(tiny_paper.write(tmp_path / "papers")))
    monkeypatch.setenv("IBCORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("IBCORE_PROGRESS", "0")
    return tmp_path


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """A reader of the book with an empty cache, whose machine may not train."""

    def refuse(*given, **more):
        raise AssertionError("a network was to be trained")

    monkeypatch.setenv("IBCORE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("ibcore.results.run.train", refuse)
    return tmp_path


# What a ruler does to a claim -----------------------------------------------------------------


def asked(claim_id, ruler=HUNDRED):
    claim = claims.find_claim(claim_id)
    chapter = Study(claim.chapter)
    return doubt.ask(claim, {n: chapter.own_rulers(n) for n in claim.experiments}, ruler)


def test_the_ruler_takes_the_place_of_the_main_one():
    question = asked("SAXE-F1B")
    assert question.ruler == repr(HUNDRED)
    assert question.rulers == {"relu": (HUNDRED,)}
    assert question.claim.tests == claims.find_claim("SAXE-F1B").tests


def test_only_what_the_claim_looks_through_is_measured():
    assert asked("SAXE-F1B", None).rulers == {"relu": (RangeBinning(100),)}
    assert asked("SAXE-F1B", None).ruler is None


def test_the_ruler_takes_the_place_of_the_one_that_is_named():
    """SAXE-F8 looks through a kernel bound; every test through the same one follows."""
    question, before = asked("SAXE-F8"), claims.find_claim("SAXE-F8")
    named = before.tests[0].entry["ruler"]
    for new, old in zip(question.claim.tests, before.tests, strict=True):
        same = old.entry.get("ruler") == named and "minus_ruler" not in old.entry
        assert new.entry.get("ruler") == (repr(HUNDRED) if same else old.entry.get("ruler"))
    assert all(HUNDRED in rulers for rulers in question.rulers.values())
    assert question.claim.criterion_hash != before.criterion_hash


def test_a_cell_for_each_ruler_becomes_one_cell():
    question, before = asked("CHE-F8a-c"), claims.find_claim("CHE-F8a-c")
    assert len(before.tests[0].entry["rulers"]) > 2
    assert "rulers" not in question.claim.tests[0].entry
    assert question.claim.tests[0].entry["ruler"] == repr(HUNDRED)
    assert not question.claim.findings  # they may name a cell of a ruler that is gone


@pytest.mark.parametrize(
    ("claim_id", "why"),
    [
        ("CHE-F3", "it compares two, AdaptiveBinning"),
        ("SAXE-F14", "about the rulers that its criterion names"),
        ("SAXE-F15", "about the rulers that its criterion names"),
        ("CTL-17a", "about the rulers that its criterion names"),
        ("SAXE-F2", "decided without networks"),
    ],
)
def test_a_claim_that_cannot_take_another_ruler_says_why(reader, claim_id, why):
    chapter = claims.find_claim(claim_id).chapter
    with pytest.raises(ValueError, match=f"{claim_id} takes no other ruler: .*{why}"):
        Study(chapter, claim=claim_id, ruler="Binning(100)")


def test_of_a_function_it_is_found_out_whether_it_reads_information(reader):
    """SAXE-A1 asks about norms, SZT-F5 about I(X;T): both are functions of their papers."""
    with pytest.raises(ValueError, match="SAXE-A1 takes no other ruler: no ruler takes part"):
        Study("saxe", claim="SAXE-A1", ruler="Binning(100)")
    assert Study("shwartz_ziv", claim="SZT-F2", ruler="Binning(100)").claim.id == "SZT-F2"


def test_without_a_claim_such_a_claim_has_no_verdict_and_the_reason(reader):
    found = Study("saxe", ruler="Binning(100)").verdict("SAXE-F14")
    assert isinstance(found.yours, NoVerdict)
    assert "no other ruler: what it asks is about the rulers" in str(found)
    assert found.published["id"] == "SAXE-F14"


# Refused before any work ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"claim": "SZT-F99"}, r"shwartz_ziv has no claim 'SZT-F99'; it has SZT-S3\.1"),
        ({"ruler": "Binnin(100)"}, "names no estimator .*there are AdaptiveBinning"),
        ({"ruler": "__import__('os').getcwd()"}, "names no estimator"),
        ({"ruler": 100}, "ruler must be a ruler or its name.*got 100"),
        ({"ruler": "KernelBound((0.1, 0.2))"}, "judged under one ruler.*take one of them"),
        ({"claim": "SZT-F3", "noise_std": 0.1}, "noise_std=0.1 changes nothing in SZT-F3"),
        ({"claim": "SZT-S3.1", "n_seeds": 5}, "n_seeds=5 changes nothing .*it needs no network"),
        ({"n_sedes": 5}, "no field n_sedes; its fields are"),
    ],
)
def test_a_mistake_is_refused_before_any_work(reader, settings, message):
    with pytest.raises(ValueError, match=message):
        Study("shwartz_ziv", **settings)


def test_one_noise_for_networks_that_differ_in_it_is_refused(reader):
    with pytest.raises(ValueError, match="would make one of the noises that GOLD-NOISE compares"):
        Study("goldfeld", claim="GOLD-NOISE", noise_std=0.02)


def test_noise_changes_noisy_networks_and_their_ruler(reader):
    with pytest.raises(ValueError, match="would make one of the noises that goldfeld compares"):
        Study("goldfeld", noise_std=0.02)
    chapter = Study("controls", noise_std=0.02)
    assert (
        chapter.experiments["noisy"].noise_std == chapter.own_rulers("noisy")[0].noise_std == 0.02
    )
    assert chapter.experiments["tanh"].noise_std == 0


def test_a_ruler_that_cannot_measure_says_so_before_networks_are_trained(tiny):
    asking = Study("tiny", claim="TINY-2", ruler="LinearGaussian(1.0)")
    with pytest.raises(ValueError, match=r"LinearGaussian\(.*\) cannot measure small: "):
        asking.verdict("TINY-2")
    assert not list((tiny / "cache").rglob("*.np?"))


# One claim, computed ---------------------------------------------------------------------------


def test_a_doubt_is_computed_once_and_kept_in_the_readers_cache(tiny, monkeypatch):
    settings = {"claim": "TINY-2", "ruler": "Binning(100)", "first_seed": 7, "n_seeds": 11}
    first = Study("tiny", **settings).verdict("TINY-2")
    assert isinstance(first, Doubt)
    assert isinstance(first.yours, Verdict)
    assert first.n_seeds == 11  # what a doubt does not have is the reader's verdict's
    assert list((tiny / "cache" / "results" / "planes").rglob("0007-*.nc"))
    monkeypatch.setattr("ibcore.results.run.train", None)
    again = Study("tiny", **settings).verdict("TINY-2")
    assert str(again) == str(first)
    other = Study("tiny", **settings | {"ruler": Exact()}).verdict("TINY-2")  # weights are kept
    assert ("ruler", "Binning(n_bins=30, low=-1.0, high=1.0)", "Exact()") in other.changed


def test_it_says_what_was_changed_and_what_few_networks_mean(tiny):
    found = Study("tiny", claim="TINY-2", first_seed=7, n_seeds=2).verdict("TINY-2")
    assert found.changed == (("seeds", "0 to 11", "7 to 8"),)
    assert found.published is None
    for said in (str(found), found._repr_html_()):
        assert "Changed: seeds. The second verdict is your own" in said
        assert "2 networks: with fewer than 10 the word is open whatever they show" in said
        assert "not published" in said
        assert "the ruler" not in said


def test_a_claim_that_shares_evidence_is_asked_with_it(tiny):
    few = {"n_seeds": 10, "n_epochs": 3}
    one = Study("tiny", claim="TINY-3", ruler="Binning(100)", **few)
    other = Study("tiny", claim="TINY-2", ruler="Binning(100)", **few)
    assert one.only == other.only == ("small",)
    found = one.verdict("TINY-3")
    assert (found.verdict, found.effect) == (
        other.verdict("TINY-2").verdict, other.verdict("TINY-2").effect,
    )  # fmt: skip


def test_an_unchanged_study_gives_the_plain_verdict(tiny):
    found = Study("tiny", claim="TINY-1").verdict("TINY-1")
    assert isinstance(found, Verdict)
    assert "Nothing was changed." in str(Study("tiny").beside("TINY-1"))


def test_other_planes_and_verdicts_are_not_asked_for(tiny):
    asking = Study("tiny", claim="TINY-1")
    with pytest.raises(NotAskedFor, match="TINY-1 does not need small, only no plane"):
        asking.plane("small")
    with pytest.raises(NotAskedFor, match="TINY-2 is not asked about, only TINY-1"):
        asking.verdict("TINY-2")
    with pytest.raises(ValueError, match="no experiment 'large'"):
        asking.plane("large")


def test_a_doubt_is_never_published(tiny):
    for changed in ({"ruler": "Binning(100)"}, {"first_seed": 7}, {"n_seeds": 11}):
        with pytest.raises(ValueError, match="only a paper-scale run without changes"):
            Study("tiny", **changed).publish([])
    with pytest.raises(ValueError, match="is not written to the published results"):
        Study("tiny", results=book_folder() / "results", n_seeds=11)


# From stored planes -----------------------------------------------------------------------------


def test_a_stored_ruler_trains_nothing_and_stands_beside_the_published_verdict(reader):
    """SAXE-F1B under 30 bins on [-1, 1], which its plane holds: the published results answer."""
    found = Study("saxe", claim="SAXE-F1B", ruler="Binning(30, -1.0, 1.0)").verdict("SAXE-F1B")
    ledger = claims.load_ledger(book_folder() / "results" / "ledger.json")
    entry = next(one for one in ledger if one["id"] == "SAXE-F1B")
    assert found.published == entry
    plane = Study("saxe").stored("relu")
    name = repr(Binning(30, -1.0, 1.0))
    alone = claims.judge("SAXE-F1B", {"relu": plane}, estimator=name)
    assert (found.effect, found.low, found.high) == (alone.effect, alone.low, alone.high)
    said = found._repr_html_()
    assert said.index("published") < said.index("yours")
    assert "RangeBinning(n_bins=100)" in said
    assert "nan" not in found.finding
    assert not list((reader / "cache").rglob("*.nc"))


def test_some_seeds_of_what_is_published(reader):
    chapter = Study("shwartz_ziv")
    one = chapter.plane("released", seeds=[1007])
    assert one.seed.values.tolist() == [1007]
    np.testing.assert_array_equal(one.i_xt, chapter.stored("released").i_xt.sel(seed=[1007]))
    few = chapter.plane("released", seeds=[1009, 1007, 1008, 1003])
    assert few.seed.values.tolist() == [1003, 1007, 1008, 1009]
    assert few.attrs["digest"] == one.attrs["digest"]
    with pytest.raises(ValueError, match=r"at least one network, as seeds=\[7\]"):
        chapter.plane("released", seeds=[])


def test_first_seed_is_changed_everywhere_and_named_rulers_stay(reader):
    chapter = Study("chelombiev", first_seed=3, ruler=KernelBound(0.01))
    assert {one.first_seed for one in chapter.experiments.values()} == {3}
    assert {one.first_seed for one in chapter.stated.values()} == {1000}
    assert chapter.estimators("tanh")[:2] == [KernelBound(0.01), AdaptiveBinning(30)]
    assert chapter.own_rulers("tanh")[0] == from_name("AdaptiveBinning(30)")


# On the command line ----------------------------------------------------------------------------


def command(*arguments, code=0):
    done = CliRunner().invoke(cli.app, [str(one) for one in arguments])
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


def test_the_command_line_prints_both(tiny):
    said = command(
        "run", "tiny", "--claim", "TINY-2", "--set", "ruler=Binning(100)", "--set", "n_seeds=2",
        "--set", "n_epochs=2",
    )  # fmt: skip
    assert "TINY-2: published and yours" in said
    assert "Changed: ruler, seeds, n_epochs." in said
    assert not list(tiny.rglob("ledger.json"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--set", "n_sedes=5"), "--set knows no 'n_sedes'; did you mean n_seeds? It knows ruler"),
        (("--set", "n_seeds"), "--set takes name=value"),
        (("--set", "n_seeds=many"), "--set n_seeds must be a whole number from 1"),
        (("--set", "n_seeds=2", "--set", "n_seeds=3"), "--set gives n_seeds twice"),
        (("--set", "n_seeds=2", "--publish"), "what --set changes is not published"),
        (("--claim", "TINY-9"), "tiny has no claim 'TINY-9'; it has TINY-1"),
        (("--claim", "TINY-1", "--only", "small"), "--claim asks about one claim of one chapter"),
        (("--claim", "TINY-1", "--publish"), "--claim asks about one claim of one chapter"),
        (("--claim", "TINY-2", "--set", "ruler=Bins(3)"), "names no estimator"),
    ],
)
def test_a_mistake_on_the_command_line_is_one_line(tiny, arguments, said):
    assert said in " ".join(command("run", "tiny", *arguments, code=2).split())


# In a notebook ----------------------------------------------------------------------------------

CHAPTER = (
    'profile: str = "paper"\nclaim: "Optional[str]" = "TINY-1"',
    "import ibcore as ib\nparameters = ib.check_parameters(globals())",
    'study, kept = ib.Study("tiny", **parameters), {}\nplane = study.plane("small")\nshape = 3',
    'study.verdict("TINY-2")',
    'kept["TINY-2"] = study.verdict("TINY-2")',
    'kept["TINY-1"] = study.verdict("TINY-1")\nkept["TINY-1"]',
    'kept["TINY-2"].effect',
    "plane.sizes",
    "shape + 1",
    "for name in ('a', 'b'):\n    shape = name\nshape",
    "1 + 1",
)


@pytest.fixture
def cells(tiny, capsys):
    """What cells print and give, in an IPython of their own."""
    shell = InteractiveShell()
    shell.builtin_trap.activate()
    try:

        def run(source):
            done = shell.run_cell(source, store_history=True)
            return capsys.readouterr().out, done

        yield run
    finally:
        shell.builtin_trap.deactivate()


def test_cells_that_a_claim_does_not_need_are_skipped_with_one_line(cells):
    outputs = [cells(source) for source in CHAPTER]
    assert all(done.success for _, done in outputs), [done for _, done in outputs]
    said = [text.strip() for text, _ in outputs]
    assert said[2] == "Skipped: TINY-1 does not need small, only no plane."
    assert said[3] == said[4] == "Skipped: TINY-2 is not asked about, only TINY-1."
    assert isinstance(outputs[5][1].result, Verdict)
    assert said[6] == "Skipped: it uses what a cell that was skipped would have filled."
    assert said[7] == "Skipped: it uses plane, of a cell that was skipped."
    assert said[8] == "Skipped: it uses shape, of a cell that was skipped."
    assert outputs[9][1].result == "b"  # it makes the name itself
    assert outputs[10][1].result == 2


@pytest.mark.parametrize("source", ["1 / 0", "unknown", "{}['a']", "raise ValueError('mine')"])
def test_an_error_of_its_own_stays_one(cells, source):
    for cell in CHAPTER[:5]:
        cells(cell)
    _, done = cells(source)
    assert not done.success


def test_an_error_of_the_claim_in_question_stays_one(cells):
    for cell in CHAPTER[:5]:
        cells(cell)
    _, done = cells('kept["TINY-1"] = study.verdict("TINY-1").missing["TINY-1"]')
    assert not done.success


def test_without_a_claim_nothing_is_skipped(cells):
    cells('claim: "Optional[str]" = None')
    cells(CHAPTER[1])
    _, done = cells("raise __import__('ibcore.notebook').notebook.NotAskedFor('x')")
    assert isinstance(done.error_in_exec, NotAskedFor)
    assert notebook._NAME not in globals()
