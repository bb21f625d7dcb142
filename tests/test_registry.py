"""Claims files: what they may hold, what decides a claim and its hash, and what of mistakes."""

import json
import tomllib
from dataclasses import replace

import pytest
import tiny_paper

from ibcore import claims, papers
from ibcore.claims import hashes
from ibcore.claims.registry import parse_claims


def parsed(text=tiny_paper.CLAIMS):
    return parse_claims(tomllib.loads(text), "tiny")


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """A folder of one paper in the place of the book's."""
    tiny_paper.write(tmp_path)
    monkeypatch.setenv("IBCORE_PAPERS", str(tmp_path))
    return tmp_path


# Papers are found by folder


def test_papers_are_folders_in_the_order_of_their_numbers(tmp_path, monkeypatch):
    tiny_paper.write(tmp_path, name="zebra")
    tiny_paper.write(tmp_path, name="ant")
    two = tiny_paper.EXPERIMENTS.replace("number = 1", "number = 2")
    (tmp_path / "ant" / "experiments.toml").write_text(two)
    (tmp_path / "notes").mkdir()
    monkeypatch.setenv("IBCORE_PAPERS", str(tmp_path))
    assert papers.papers() == ("zebra", "ant")


def test_a_folder_of_papers_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setenv("IBCORE_PAPERS", "/nonexistent")
    with pytest.raises(ValueError, match="IBCORE_PAPERS must name a folder of papers"):
        papers.papers()


def test_unknown_papers_and_claims_are_named(tiny):
    with pytest.raises(ValueError, match="no paper is called 'einstein'; there are tiny"):
        claims.load_registry("einstein")
    with pytest.raises(ValueError, match="no claim is called 'SZT-F99'; the claims are TINY-1"):
        claims.find_claim("SZT-F99")


def test_a_paper_of_a_readers_own_is_read_and_judged(tiny):
    """One folder, and nothing else: its claims, its functions, its words."""
    assert [one.id for one in claims.load_registry("tiny")] == [f"TINY-{k}" for k in range(1, 6)]
    found = claims.judge("TINY-1")
    assert (found.verdict, found.finding, found.scope) == (
        "holds",
        "Two and two is four.",
        "1 of 1",
    )
    waiting, untested = claims.judge("TINY-5"), claims.judge("TINY-4")
    assert (waiting.verdict, untested.verdict) == ("waiting for its run", "not testable here")
    assert untested.finding == "True by construction."


def test_a_paper_without_claims_has_none(tmp_path, monkeypatch):
    (tiny_paper.write(tmp_path) / "tiny" / "claims.toml").unlink()
    monkeypatch.setenv("IBCORE_PAPERS", str(tmp_path))
    assert claims.load_registry("tiny") == ()
    assert claims.questions() == {}
    assert claims.tensions() == []


# What a claim needs


def test_planes_of_claims(tiny):
    wanted = {one.id: claims.planes_of(one) for one in claims.load_registry("tiny")}
    none = dict.fromkeys(["TINY-1", "TINY-4", "TINY-5"], ())
    assert wanted == none | {"TINY-2": ("small",), "TINY-3": ("small",)}


def test_ranges_of_experiments_are_spelt_out():
    text = tiny_paper.CLAIMS.replace('["small"]', '["size_08..11"]')
    assert parsed(text)[1].experiments == ("size_08", "size_09", "size_10", "size_11")


def test_what_is_changed_after_results_were_known_is_exploratory():
    changes = 'changes = [{date = 2026-12-01, was = "partly", reason = "a  new\\n line"}]\n'
    text = tiny_paper.CLAIMS.replace('title = "layers compress"\n', f'title = "x"\n{changes}')
    claim = parsed(text)[1]
    assert claim.is_exploratory
    assert (claim.changes[0].date, claim.changes[0].reason) == ("2026-12-01", "a new line")
    assert not parsed()[1].is_exploratory
    assert not parsed("unseen_until = 2026-12-01\n" + text)[1].is_exploratory  # new networks
    assert parsed("unseen_until = 2026-11-30\n" + text)[1].is_exploratory  # changed once more
    with pytest.raises(ValueError, match="unseen_until must be a date"):
        parsed("unseen_until = 1\n" + text)


def test_claims_cannot_be_changed_after_loading(tiny):
    claim = claims.find_claim("TINY-2")
    with pytest.raises(AttributeError):
        claim.statement = "x"
    with pytest.raises(TypeError):
        claim.tests[0].entry["size"] = 0.1
    with pytest.raises(TypeError):
        claim.findings["open"] = "x"


# Mistakes


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('id = "TINY-2"', "id = 2", "claim 2: id must be text, got 2"),
        ('id = "TINY-2"', 'id = "TINY-1"', "claim ids must be unique; TINY-1 stand twice"),
        ('title = "layers compress"\n', "", "TINY-2: lacks title"),
        (
            'title = "layers compress"\n',
            'tilte = "x"\n',
            "unknown key 'tilte'; known are id, title",
        ),
        ("question = 2", "question = 9", "question must be one of 1, 2, 3"),
        ('rank = "headline"', 'rank = "main"', "rank must be one of headline, supp"),
        ('setting = "B"', 'setting = "D"', "TINY-5: setting must be one of A, B, C"),
        ("date = 2026-11-30", 'date = "today"', "date must be a date"),
        ('expects = "identity"', 'expects = "wonders"', "expects must be one of effect, absence"),
        (
            'same_evidence_as = "TINY-2"',
            'same_evidence_as = "TINY-4"',
            "TINY-3 shares the evidence",
        ),
        ('not_testable = "True', 'waits = "x"\nnot_testable = "True', "only one of"),
        ('not_testable = "True by construction."', "", "TINY-4: needs tests, or one of"),
        ("holds = ", "confirmed = ", "finding must be a table from words to sentences"),
        ('effect = "compression"', 'effect = "magic"', "no effect is called 'magic', only compr"),
        ('effect = "compression"\n', "", "a test needs an effect or a function, and not both"),
        ('planes = ["small"]\n', "", "an effect needs planes or pairs, and not both"),
        ("size = 0.5", "size = nan", "null, margin, size, least and most must be finite"),
        ("size = 0.5", "size = {value = 1.0}", "a size of the source has value, source and within"),
        ("size = 0.5", 'statistic = "mode"', "statistic must be one of median, mean, share"),
        ("size = 0.5", 'statistic = "share"', "a share needs least or most"),
        ("size = 0.5", 'clock = "sun"', "clock must be one of epoch, update, loss"),
        ("size = 0.5", "threshold = 0.5", "unknown key 'threshold'; known are effect, function"),
        ('["small"]', '["size_3..1"]', r"range 'size_3\.\.1' must go up"),
    ],
)
def test_a_claims_file_with_a_mistake_is_refused(old, new, message):
    assert old in tiny_paper.CLAIMS
    with pytest.raises(ValueError, match=message):
        parsed(tiny_paper.CLAIMS.replace(old, new))


@pytest.mark.parametrize("content", [b"[[claims]\n", b"\xff", b"claims = 3", b"", b"[[claim]]\n"])
def test_a_claims_file_that_cannot_be_read_is_named(tiny, content):
    (tiny / "tiny" / "claims.toml").write_bytes(content)
    with pytest.raises(ValueError, match=r"^papers/tiny/claims\.toml"):
        claims.load_registry("tiny")


def test_a_function_that_is_not_there_is_named(tiny):
    (tiny / "tiny" / "evidence.py").write_text("")
    with pytest.raises(ValueError, match="TINY-1, test 1: the paper has no function 'addition'"):
        claims.judge("TINY-1")


# The hash of what decides


def hash_of(tiny, claim_id="TINY-1"):
    hashes._reached.cache_clear()
    return next(one for one in parsed((tiny / "tiny" / "claims.toml").read_text())
                if one.id == claim_id).criterion_hash  # fmt: skip


def edit(tiny, file, old, new):
    path = tiny / "tiny" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("claims.toml", "sum = 4", "sum = 5"),
        ("claims.toml", "2 + 2 = 4.", "2 + 2 = 4, twice."),
        ("evidence.py", "return 2 + 2", "return 2 + 3"),
        ("evidence.py", '== t["sum"]', '>= t["sum"]'),
        ("evidence.py", "import fact", "import cell as fact"),
    ],
)
def test_the_hash_sees_what_decides(tiny, file, old, new):
    before = hash_of(tiny)
    edit(tiny, file, old, new)
    assert hash_of(tiny) != before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("claims.toml", "Two and two is four.", "Twice two is four."),
        ("claims.toml", "sum = 4", "sum   =  4   # by hand"),
        ("evidence.py", "    return 2 + 2", "    # By hand.\n    return (2 + 2)"),
        ("evidence.py", '"""Two and two."""', '"""What else."""'),
        ("evidence.py", "return []", "return [1]"),
        ("evidence.py", "def _sum():", "def _sum() -> int:"),
    ],
)
def test_the_hash_does_not_see_prose_or_other_functions(tiny, file, old, new):
    before = hash_of(tiny)
    edit(tiny, file, old, new)
    assert hash_of(tiny) == before
    assert len(before) == 16


def test_the_hash_sees_the_rules(tiny, monkeypatch):
    before = hash_of(tiny)
    monkeypatch.setattr(hashes, "rules_hash", lambda: "other")
    assert hash_of(tiny) != before


def test_every_rule_is_among_the_rules():
    """Each module of ``claims`` decides, or only reads and shows."""
    shows = {"__init__", "common", "findings", "hashes", "ledger", "origin", "registry", "verdict"}
    folder = papers.Path(hashes.__file__).parent
    assert {file.stem for file in folder.glob("*.py")} == shows | set(hashes.RULES)


def test_claims_and_their_hash_come_from_one_reading(tiny):
    """A file that is edited while a run is judged cannot lend its hash to the criteria before."""
    before = claims.find_claim("TINY-2")
    edit(tiny, "claims.toml", "size = 0.5", "size = 0.1")
    assert claims.find_claim("TINY-2") == before
    assert replace(before).criterion_hash == before.criterion_hash


def test_content_hash_ignores_the_order_of_keys():
    content = {"b": 1, "a": [1, 2]}
    assert hashes.content_hash(content) == hashes.content_hash(json.loads('{"a":[1,2],"b":1}'))
    assert hashes.content_hash(content) != hashes.content_hash({"b": 1, "a": [2, 1]})


def test_the_claim_that_contributors_are_shown_is_one():
    """The ten lines of CONTRIBUTING.md are read as they stand."""
    guide = (papers.Path(__file__).parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    shown = guide.split("```toml\n")[1].split("```")[0]
    (claim,) = parsed(shown)
    assert claim.experiments == ("tanh",)
    assert set(claim.findings) == {"reproduced"}
