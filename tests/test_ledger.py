"""The ledger is believed as a whole or not at all: nobody is shown a verdict that was edited."""

import errno
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pages
import pytest
import tiny_paper
from claim_planes import EPOCHS, make_plane
from typer.testing import CliRunner

from ibcore import claims, cli, papers
from ibcore.claims import hashes, ledger
from ibcore.claims.findings import sentence
from ibcore.study import Study

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "book" / "results"
AGAIN = r"judge again: python -m ibcore run tiny --results \S*"


@pytest.fixture(autouse=True, scope="module")
def tiny(tmp_path_factory):
    """A paper of three verdicts in the place of the book's, for all but those who read the book."""
    folder = tiny_paper.write(tmp_path_factory.mktemp("papers"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IBCORE_PAPERS", str(folder))
        yield folder


def verdict_of(n_seeds=12):
    """TINY-2 on layers that lose two bits."""
    falls = np.interp(np.log1p(EPOCHS), np.log1p([0, 10, 10_000]), [5, 8, 6])
    return claims.judge(
        "TINY-2", {"small": make_plane(np.tile(falls[:, None], (1, 3)), n_seeds=n_seeds)}
    )


@pytest.fixture(scope="module")
def verdicts(tiny):
    return [claims.judge("TINY-1"), verdict_of()]


@pytest.fixture
def path(tmp_path, verdicts):
    """The ledger of a reader's own run: two claims of one chapter."""
    path = tmp_path / "results" / "ledger.json"
    claims.write_ledger(path, verdicts)
    return path


def behind(path):
    return path.parent / "verdicts" / "tiny.json"


def edit(file, change):
    content = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps(change(content)), encoding="utf-8")


def files_below(folder):
    return sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())


# What is written comes back


def test_the_ledger_merges_by_id_and_comes_back(path):
    claims.write_ledger(path, [verdict_of(n_seeds=20)])
    entries = claims.load_ledger(path)
    assert [entry["id"] for entry in entries] == ["TINY-1", "TINY-2"]
    assert set(entries[0]) == set(claims.LEDGER_KEYS)
    assert entries[1]["n_seeds"] == 20
    details = json.loads(behind(path).read_text())["verdicts"]
    assert details[1]["criterion_hash"] == claims.find_claim("TINY-2").criterion_hash
    assert details[1]["tests"][0]["cells"][0]["mark"] == "agrees"
    assert files_below(path.parent) == ["ledger.json", "verdicts/tiny.json"]


def test_the_published_ledger_is_believed(monkeypatch):
    """Every claim has its verdict, by the criteria of today."""
    monkeypatch.delenv("IBCORE_PAPERS")
    entries = claims.load_ledger(PUBLISHED / "ledger.json")
    registered = [one.id for name in papers.papers() for one in claims.load_registry(name)]
    assert [entry["id"] for entry in entries] == registered


@pytest.mark.parametrize("paper", papers.papers())
def test_networks_were_unseen_where_a_paper_says_so(paper, monkeypatch):
    """Seeds from 1 000 on, trained on that day or later, for all that a changed claim reads."""
    monkeypatch.delenv("IBCORE_PAPERS")
    study = Study(paper, results=PUBLISHED)
    read = [one for one in study.claims if one.changes and one.unseen_until]
    for name in sorted({name for claim in read for name in claims.planes_of(claim)}):
        plane = study.stored(name)
        assert int(plane.seed.min()) >= 1000
        assert all(plane.attrs["started"] >= one.unseen_until for one in read)


@pytest.mark.parametrize("given", [[claims.NoVerdict("TINY-2")], []])
def test_the_ledger_takes_verdicts_only(tmp_path, given):
    with pytest.raises(ValueError, match="takes verdicts from judge"):
        claims.write_ledger(tmp_path / "ledger.json", given)
    assert files_below(tmp_path) == []


# What was edited is refused

OTHER = {
    "id": "TINY-9",
    "verdict": "open",
    "effect": 99.0,
    "low": None,
    "high": 1e-9,
    "unit": "nats",
    "n_seeds": 50,
    "n_not_learnt": 1,
    "scale": "50 seeds x 10 000 epochs",
    "experiment": "paper",
    "chapter": "saxe",
    "direction": "opposite",
    "size": "larger",
    "scope": "1 of 9",
    "quantifier": "some",
    "setting": "C",
    "rank": "check",
    "question": 8,
    "finding": "Nothing.",
    "criterion_date": "2026-12-24",
    "criterion_hash": "0" * 16,
    "source_value": 3.0,
    "detectable": 0.5,
    "same_evidence_as": "TINY-1",
    "exploratory": True,
}


@pytest.mark.parametrize("key", claims.LEDGER_KEYS)
def test_an_edited_entry_is_refused(path, key):
    """Each field by itself: the tests of the chapter say otherwise."""
    edit(path, lambda entries: [entries[0], entries[1] | {key: OTHER[key]}])
    with pytest.raises(ValueError, match=rf"^{path}: .*TINY-") as refused:
        claims.load_ledger(path)
    if key not in ("id", "chapter"):
        assert f"TINY-2: {key} is {OTHER[key]!r}, and the tests in" in str(refused.value)
        assert refused.match(rf"one of the two was edited; {AGAIN}$")


@pytest.mark.parametrize("key", ["verdict", "effect", "p", "criterion_hash"])
def test_tests_that_were_edited_are_refused_also_together_with_the_ledger(path, key):
    """The same change in both files leaves them equal; the hash of the content tells."""

    def changed(entry):
        if entry["id"] != "TINY-2":
            return entry
        if key == "p":
            return entry | {"tests": [entry["tests"][0] | {"p": 1e-5}]}
        return entry | {key: OTHER.get(key, "0" * 16)}

    edit(behind(path), lambda c: c | {"verdicts": [*map(changed, c["verdicts"])]})
    if key in claims.LEDGER_KEYS:
        edit(path, lambda entries: [*map(changed, entries)])
    with pytest.raises(ValueError, match=rf"^{behind(path)} was edited: .* {AGAIN}$"):
        claims.load_ledger(path)


def test_a_criterion_that_changed_after_its_verdict_is_refused(path, monkeypatch):
    monkeypatch.setattr(hashes, "rules_hash", lambda: "other")
    message = rf"^{behind(path)}: what decides TINY-1 has changed since it"
    with pytest.raises(ValueError, match=message + rf" was judged \(.* then, .* now\); {AGAIN}$"):
        claims.load_ledger(path)


def test_a_verdict_on_a_claim_that_is_gone_is_dropped(path, monkeypatch):
    """When its chapter is judged again."""
    claims_of = ledger.load_registry
    monkeypatch.setattr(
        ledger, "load_registry", lambda name: [c for c in claims_of(name) if c.id != "TINY-2"]
    )
    claims.write_ledger(path, [claims.judge("TINY-1")])
    assert [entry["id"] for entry in claims.load_ledger(path)] == ["TINY-1"]


# What is no ledger is refused


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'[{"id": "SZT', "is not JSON"),
        (b"", "is not JSON"),
        (b"\xff\xfe[]", "is not JSON .*'utf-8' codec"),
        (b"[NaN]", "is not JSON .*NaN is no number"),
        (b"[" * 100_000, "is not JSON"),
        (b"{}", "must hold a list, got dict"),
        (b"3", "must hold a list, got int"),
        (b'["TINY-2"]', "must have the keys id, verdict, .* got 'TINY-2'"),
        (b"[[]]", "must have the keys id, verdict"),
        (b"[]", "the ledger lacks TINY-1, TINY-2"),
    ],
)
def test_a_damaged_ledger_is_refused_by_name(path, content, message):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"(?s)^{path}:? .*{message}.*judge again"):
        claims.load_ledger(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"effect": "big"}, "effect must be a number or null, got 'big'"),
        ({"effect": True}, "effect must be a number or null, got True"),
        ({"low": [1]}, "low must be a number or null"),
        ({"n_seeds": -1}, "n_seeds must be a whole number, got -1"),
        ({"n_not_learnt": 0.5}, "n_not_learnt must be a whole number"),
        ({"id": ["TINY-2"]}, r"id must be text, got \['TINY-2'\]"),
        ({"chapter": {}}, "chapter must be text"),
        ({"unit": None}, "unit must be text, got None"),
        ({"id": "TINY-9"}, "no claim is called 'TINY-9'"),
        ({"verdict": "confirmed"}, "the words are reproduced, direction only.* got 'confirmed'"),
        ({"chapter": "saxe"}, "it belongs to tiny, got 'saxe'"),
        ({"p": 0.05}, "must have the keys id, verdict"),
    ],
)
def test_an_entry_that_cannot_be_is_refused(path, change, message):
    edit(path, lambda entries: [entries[0], entries[1] | change])
    with pytest.raises(ValueError, match=rf"^{path}: .*{message}"):
        claims.load_ledger(path)


def test_an_endless_number_is_refused(path):
    """JSON knows no infinity, but 1e999 is read as one."""
    path.write_text(path.read_text().replace('"effect": 1.0', '"effect": 1e999'))
    with pytest.raises(ValueError, match="effect must be a number or null, got inf"):
        claims.load_ledger(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda entries: [*entries, entries[0]], r"has TINY-1 more than once"),
        (lambda entries: entries[:1], "the ledger lacks TINY-2"),
    ],
)
def test_every_verdict_stands_once(path, change, message):
    edit(path, change)
    with pytest.raises(ValueError, match=message):
        claims.load_ledger(path)


def test_a_ledger_without_tests_is_refused(path):
    """By those who read it, and by those who would write over it and lose its verdicts."""
    behind(path).unlink()
    for use in (claims.load_ledger, lambda one: claims.write_ledger(one, [verdict_of()])):
        with pytest.raises(ValueError, match=r"TINY-1: the tests behind it are gone, there is no"):
            use(path)
    path.write_text("[]")
    with pytest.raises(ValueError, match="the ledger lacks every verdict; remove it or judge"):
        claims.load_ledger(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([], "must hold content_hash and verdicts"),
        ({"verdicts": []}, "must hold content_hash and verdicts"),
        ({"content_hash": 1, "verdicts": []}, "was edited"),
        ({"content_hash": hashes.content_hash("x"), "verdicts": "x"}, "must have the keys"),
        ({"content_hash": hashes.content_hash([{}]), "verdicts": [{}]}, "must have the keys"),
    ],
)
def test_tests_in_another_form_are_refused_by_name(path, content, message):
    behind(path).write_text(json.dumps(content))
    with pytest.raises(ValueError, match=rf"^{behind(path)}:? .*{message}"):
        claims.load_ledger(path)


# Writing


def test_a_damaged_ledger_is_not_written_over(path):
    path.write_text('[{"id": "SZT')
    with pytest.raises(ValueError, match=r"is not JSON .*; remove it and judge again"):
        claims.write_ledger(path, [verdict_of()])
    assert path.read_text() == '[{"id": "SZT'


def test_judging_again_mends_what_was_edited(path, verdicts):
    """As the messages promise; the numbers are those of the judge."""
    before = path.read_bytes()
    edit(path, lambda entries: [entries[0] | {"effect": 99.0}])
    claims.write_ledger(path, verdicts)
    assert path.read_bytes() == before


def test_a_chapter_judged_as_a_whole_needs_nothing_of_its_old_file(path, verdicts, monkeypatch):
    claims_of = ledger.load_registry
    both = [v.id for v in verdicts]
    monkeypatch.setattr(
        ledger, "load_registry", lambda name: [c for c in claims_of(name) if c.id in both]
    )
    before = behind(path).read_bytes()
    behind(path).write_text("[]")
    with pytest.raises(ValueError, match="must hold content_hash and verdicts; remove it and"):
        claims.write_ledger(path, verdicts[:1])
    claims.write_ledger(path, verdicts)
    assert behind(path).read_bytes() == before


def test_a_run_that_ended_between_two_files_is_mended_by_the_next(path, monkeypatch):
    """The chapter is written, the ledger is not: refused until somebody writes again."""
    old = path.read_bytes()
    claims.write_ledger(path, [verdict_of(n_seeds=20)])
    path.write_bytes(old)
    with pytest.raises(ValueError, match=r"TINY-2: n_seeds is 12, and the tests in .* say 20"):
        claims.load_ledger(path)
    claims.write_ledger(path, [claims.judge("TINY-1")])
    assert claims.load_ledger(path)[1]["n_seeds"] == 20


def test_other_chapters_do_not_hinder(path, verdicts, monkeypatch):
    """Criteria of two chapters have changed: each can be judged again, one after the other."""
    monkeypatch.setattr(hashes, "rules_hash", lambda: "other")
    claims.write_ledger(path, verdicts)
    with pytest.raises(ValueError, match="what decides TINY-1 has changed"):
        claims.load_ledger(path)


def test_a_full_disk_leaves_the_old_file_and_no_other(path, monkeypatch):
    before = {name: (path.parent / name).read_bytes() for name in files_below(path.parent)}

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=rf"cannot write {behind(path)}: the disk is full"):
        claims.write_ledger(path, [verdict_of(n_seeds=20)])
    assert {n: (path.parent / n).read_bytes() for n in files_below(path.parent)} == before


def test_many_writers_leave_one_whole_ledger(path, verdicts):
    """Names of unfinished files are unique: no writer takes another's away."""

    def write(k):
        claims.write_ledger(path, [verdicts[k % 2]])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(40)))
    assert [entry["id"] for entry in claims.load_ledger(path)] == ["TINY-1", "TINY-2"]
    assert files_below(path.parent) == ["ledger.json", "verdicts/tiny.json"]


def test_who_writes_last_has_seen_what_others_wrote(path, verdicts, monkeypatch):
    """Another run writes everything after this one has collected its entries."""
    write = ledger._write

    def late(file, content):
        if file == path:
            monkeypatch.setattr(ledger, "_write", write)
            claims.write_ledger(path, [verdict_of(n_seeds=20)])
        write(file, content)

    monkeypatch.setattr(ledger, "_write", late)
    claims.write_ledger(path, verdicts[:1])
    assert claims.load_ledger(path)[1]["n_seeds"] == 20


def test_everybody_may_read_what_is_written(path):
    """As far as the user's umask lets them, as for any other file."""
    plain = path.parent / "plain"
    plain.touch()
    assert {path.stat().st_mode, behind(path).stat().st_mode} == {plain.stat().st_mode}


# Those who read it


@pytest.fixture
def book(tmp_path, monkeypatch):
    """A copy of the book's ledger, its tests and its texts."""
    book = tmp_path / "book"
    shutil.copytree(PUBLISHED / "verdicts", book / "results" / "verdicts")
    shutil.copy(PUBLISHED / "ledger.json", book / "results")
    for chapter in (ROOT / "book").glob("0*.md"):
        shutil.copy(chapter, book)
    return book


def set_effect(entries):
    return [e | {"effect": 99.0} if e["id"] == "SZT-F5" else e for e in entries]


def test_every_published_finding_is_what_the_claims_files_say(tmp_path, monkeypatch):
    """Of the stored numbers, to the letter: filling the sentences again changes none."""
    monkeypatch.delenv("IBCORE_PAPERS")
    shutil.copytree(PUBLISHED / "verdicts", tmp_path / "verdicts")
    shutil.copy(PUBLISHED / "ledger.json", tmp_path)
    assert claims.refresh_findings(tmp_path / "ledger.json") == []


def test_a_sentence_is_worded_anew_without_judging_again(path, monkeypatch):
    """Its numbers, its word and its hash stay, and the ledger is still believed."""
    before = {one["id"]: one for one in claims.load_ledger(path)}
    found, word = ledger.find_claim("TINY-2"), before["TINY-2"]["verdict"]
    other = replace(found, findings={word: "Of {n} networks: {interval}."})
    monkeypatch.setattr(
        ledger, "find_claim", lambda name: other if name == "TINY-2" else claims.find_claim(name)
    )
    assert claims.refresh_findings(path) == ["TINY-2"]
    after = {one["id"]: one for one in claims.load_ledger(path)}
    assert after["TINY-2"].pop("finding").startswith("Of 12 networks: 1.93 [")
    before["TINY-2"].pop("finding")
    assert after == before
    void = replace(found, findings={"holds": "Nothing."})
    monkeypatch.setattr(ledger, "find_claim", lambda name: void)
    with pytest.raises(ValueError, match="were written for other words"):
        claims.refresh_findings(path)


def test_a_number_turned_round_is_below_0_or_not_there(verdicts):
    """A sentence that says "more" of what became less is void, not false."""
    test = verdicts[1].tests[0]
    cells = tuple(replace(one, effect=-2.0, low=-3.0, high=-1.5) for one in test.cells[:1])
    label = cells[0].label
    found = sentence({"open": f"{{less[{label}]}}"}, "open", [replace(test, cells=cells)])
    assert found == f"2 [1.5, 3] {test.unit}"
    above = [replace(test, cells=tuple(replace(one, effect=2.0) for one in cells))]
    assert sentence({"open": f"{{less[{label}]}}"}, "open", above) == ""


def test_the_command_line_and_the_pages_refuse_an_edited_ledger(book, monkeypatch, capsys):
    monkeypatch.setenv("IBCORE_BOOK", str(book))
    monkeypatch.setenv("IBCORE_PAPERS", str(ROOT / "book" / "papers"))
    monkeypatch.setattr(pages.execute, "BOOK", book)
    monkeypatch.setattr(pages.generated, "__defaults__", (book.parent,))
    assert CliRunner().invoke(cli.app, ["claims", "SZT-F5"]).exit_code == 0
    assert pages.main() == 0
    capsys.readouterr()
    edit(book / "results" / "ledger.json", set_effect)
    before = (book / "ledger.md").read_bytes()
    for command in (["claims"], ["claims", "SZT-F5"]):
        said = CliRunner().invoke(cli.app, command)
        assert said.exit_code == 2
        assert "SZT-F5: effect is 99.0, and the tests in" in said.output
    assert pages.main() == 1
    assert "error: " + str(book / "results" / "ledger.json") in capsys.readouterr().err
    assert (book / "ledger.md").read_bytes() == before


def test_a_threshold_that_moves_is_noticed(book, tmp_path):
    """The whole way: the claims file of a copy of the papers is edited, and `claims` stops."""
    shutil.copytree(ROOT / "book" / "papers", tmp_path / "papers")
    file = tmp_path / "papers" / "shwartz_ziv" / "claims.toml"
    text = file.read_text(encoding="utf-8")
    assert "\nsize = 0.5\n" in text
    file.write_text(text.replace("\nsize = 0.5\n", "\nsize = 0.4\n", 1), encoding="utf-8")
    asked = subprocess.run(
        [sys.executable, "-m", "ibcore", "claims", "SZT-F1"],
        cwd=tmp_path,
        env=os.environ
        | {
            "PYTHONPATH": str(ROOT),
            "IBCORE_BOOK": str(book),
            "IBCORE_PAPERS": str(tmp_path / "papers"),
        },
        capture_output=True,
        text=True,
    )
    assert asked.returncode == 2, asked.stdout + asked.stderr
    assert "what decides SZT-F3 has changed since it was judged" in asked.stderr
