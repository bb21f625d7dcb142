"""Claims files: what they may hold, their hash, and what becomes of a mistake in one."""

import re

import pytest

from ibcore import claims, papers
from ibcore.claims.registry import content_hash, parse_claims, read_text

GOOD = """
[[claims]]
id = "A-1"
title = "t"
source = "s"
statement = "s"
criterion = "c"
evidence = "e"
experiments = ["size_1..3"]
words = ["holds", "fails"]
headline = "h"
unit = "bits"
thresholds = {slack = 0.1, layers = [1, 2]}
"""


def parse(text):
    return parse_claims(read_text(text), "saxe")


def one_paper(folder, monkeypatch, claims_file):
    """A folder of papers with one in it."""
    (folder / "saxe").mkdir()
    (folder / "saxe" / "experiments.toml").write_text("[chapter]\nnumber = 1\n")
    (folder / "saxe" / "claims.toml").write_bytes(claims_file)
    monkeypatch.setenv("IBCORE_PAPERS", str(folder))


def content():
    """Return the parsed claims file."""
    file = papers.paper_file("shwartz_ziv", "claims.toml")
    return read_text(file.read_text(encoding="utf-8"))


def test_the_hash_sees_content_and_not_formatting():
    text = papers.paper_file("shwartz_ziv", "claims.toml").read_text("utf-8")
    spaced = re.sub(r"(?m)^(\w+) = ", r"\1   =   ", text) + "\n# a comment\n"
    assert content_hash(read_text(spaced)) == claims.registry_hash()
    changed = content()
    changed["claims"][1]["thresholds"]["slack"] += 1e-9
    assert content_hash(changed) != claims.registry_hash()
    assert len(claims.registry_hash()) == 16


def test_registry_refuses_what_it_does_not_know():
    broken = content()
    broken["claims"][1]["treshold"] = 1
    with pytest.raises(ValueError, match=r"claim SZT-F1 .* unknown keys treshold; known are"):
        parse_claims(broken, "shwartz_ziv")
    broken = content()
    del broken["claims"][1]["criterion"]
    with pytest.raises(
        ValueError, match=r"papers/shwartz_ziv/claims\.toml: claim SZT-F1 lacks criterion"
    ):
        parse_claims(broken, "shwartz_ziv")
    broken = content()
    broken["claims"][1]["words"] = ["confirmed"]
    with pytest.raises(ValueError, match="words must come from"):
        parse_claims(broken, "shwartz_ziv")
    broken = content()
    broken["claims"].append(broken["claims"][0])
    with pytest.raises(ValueError, match=r"SZT-S3\.1 stand twice"):
        parse_claims(broken, "shwartz_ziv")
    with pytest.raises(ValueError, match="unknown keys chapters"):
        parse_claims({"claims": [], "chapters": 1}, "shwartz_ziv")


def test_ranges_of_experiments_are_spelt_out():
    assert parse(GOOD)[0].experiments == ("size_1", "size_2", "size_3")
    names = claims.find_claim("DONG-OPEN").experiments
    assert names[38:41] == ("open_relu_39", "open_relu_40", "open_tanh_01")
    assert len(names) == 160


def test_unknown_claims_and_chapters_are_named():
    with pytest.raises(ValueError, match="no paper is called 'einstein'"):
        claims.load_registry("einstein")
    with pytest.raises(ValueError, match="no claim is called 'SZT-F99'"):
        claims.find_claim("SZT-F99")


def test_thresholds_cannot_be_changed_after_loading():
    with pytest.raises(TypeError):
        claims.find_claim("SZT-F1").thresholds["violations"] = 0.5


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[[claims]]", "[claims]", r"must consist of \[\[claims\]\] tables"),
        ("[[claims]]", "[[claim]]", r"must consist of \[\[claims\]\] tables"),
        ('id = "A-1"', "id = 1", "claim 1: id must be text, got 1"),
        ('unit = "bits"', "unit = []", "A-1: unit must be text"),
        ('"size_1..3"', "1", "A-1: experiments must be a list of names"),
        ('["size_1..3"]', '"size_1..3"', "A-1: experiments must be a list of names"),
        ("size_1..3", "size_3..1", r"range 'size_3\.\.1' must go up"),
        ("size_1..3", "size_1..9999999", "over at most 1000"),
        ('["holds", "fails"]', '"holds"', "A-1: words must be a list of words"),
        ("{slack = 0.1, layers = [1, 2]}", "0.1", "A-1: thresholds must be a table of numbers"),
        ("slack = 0.1", "slack = nan", "A-1: thresholds must be a table of numbers"),
        ("slack = 0.1", "slack = 1979-05-27", "A-1: thresholds must be a table of numbers"),
        ("slack = 0.1", "slack = {a = 1}", "A-1: thresholds must be a table of numbers"),
        ('unit = "bits"', 'unit = "bits"\nall_rulers = 1', "all_rulers must be true or false"),
    ],
)
def test_a_claims_file_with_a_mistake_is_refused(old, new, message):
    assert old in GOOD
    with pytest.raises(ValueError, match=message):
        parse(GOOD.replace(old, new))


@pytest.mark.parametrize("content", [b"[[claims]\n", b"\xff", b"claims = 3", b""])
def test_a_claims_file_that_cannot_be_read_is_named(tmp_path, monkeypatch, content):
    one_paper(tmp_path, monkeypatch, content)
    with pytest.raises(ValueError, match=r"^papers/saxe/claims\.toml"):
        claims.load_registry("saxe")


def test_claims_and_their_hash_come_from_one_reading(tmp_path, monkeypatch):
    """A file that is edited while a run is judged cannot lend its hash to the criteria before."""
    one_paper(tmp_path, monkeypatch, GOOD.encode())
    before = claims.registry_hash("saxe")
    (tmp_path / "saxe" / "claims.toml").write_text(GOOD.replace("0.1", "0.2"))
    assert claims.registry_hash("saxe") == before
    assert claims.load_registry("saxe")[0].thresholds["slack"] == 0.1
