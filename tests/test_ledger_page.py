"""The ledger: a table that stands by itself, what it says of each claim, and what is taken home."""

import csv
import hashlib
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import downloads
import ledger_page
import pages
import pytest
import yaml

from ibcore import claims, plane
from ibcore.claims import hashes, origin
from ibcore.claims.verdict import with_origin
from ibcore.papers import book_folder
from ibcore.study import Study

BOOK = book_folder()
ROOT = BOOK.parent
HOSTILE = "</details></td></script><script>alert(1)</script> | ``` & <i> \"x\" 'y'"


@pytest.fixture(scope="module")
def chapters():
    return pages.read_chapters(BOOK)


@pytest.fixture(scope="module")
def ledger():
    return pages.read_ledger(BOOK / "results" / "ledger.json")


@pytest.fixture(scope="module")
def runs():
    return downloads.stored_runs(BOOK)


@pytest.fixture(scope="module")
def page(chapters, ledger, runs):
    return Table(ledger_page.ledger_page(chapters, ledger, runs))


class Table(HTMLParser):
    """The lines of the page: their attributes, their text; and every element."""

    def __init__(self, text):
        super().__init__()
        self.source = text
        self.elements, self.lines, self.links, self.anchors = [], [], [], set()
        self.feed(re.search(r"```\{raw\} html\n(.*?)\n```", text, re.DOTALL)[1])

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.elements.append((tag, values))
        self.anchors |= {values["id"]} if "id" in values else set()
        if tag == "tr" and "id" in values:
            self.lines.append({**values, "text": ""})
        if tag == "a":
            self.links.append(values["href"])

    def handle_data(self, data):
        if self.lines:
            self.lines[-1]["text"] += data

    def line(self, claim_id):
        return next(one for one in self.lines if one["id"] == ledger_page.line_id(claim_id))


def made_up(**changes):
    """A claim of the book with other words, its chapter, and a verdict on it."""
    claim = replace(claims.find_claim("SAXE-F1A"), **changes)
    text = "## A\nname: fig-saxe-planes\n(verdict-saxe-f1a)=\n"
    chapter = pages.Chapter("saxe", "03_saxe", "Saxe & others", text, [claim])
    row = {
        "verdict": "mixed", "scope": "4 of 6", "finding": "It falls.", "exploratory": True,
        "effect": -0.5123, "low": -0.62, "high": None, "unit": "bits", "n_seeds": 50,
        "n_not_learnt": 3, "direction": "agrees", "criterion_date": "2026-11-30",
        "criterion_hash": "0123456789abcdef",
    }  # fmt: skip
    return chapter, {"SAXE-F1A": row}


# The table ------------------------------------------------------------------------------------


def test_every_claim_has_a_line_that_is_shown_without_a_script(page, chapters):
    ids = [ledger_page.line_id(claim.id) for one in chapters for claim in one.claims]
    assert [one["id"] for one in page.lines] == ids
    assert len(set(ids)) == len(ids)
    assert not any("hidden" in one for one in page.lines)
    assert [tag for tag, values in page.elements if "hidden" in values] == ["form"]


def test_the_table_says_what_its_columns_and_lines_are(page):
    heads = [values.get("scope") for tag, values in page.elements if tag == "th"]
    assert heads == ["col"] * len(ledger_page.COLUMNS) + ["row"] * len(page.lines)
    tags = [tag for tag, _ in page.elements]
    assert tags.count("caption") == tags.count("table") == 1


def test_a_line_says_word_effect_networks_criterion_and_where_to_go():
    chapter, ledger = made_up()
    text = ledger_page.ledger_page([chapter], ledger)
    page = Table(text)
    (line,) = page.lines
    for said in (
        "◐ mixed (4 of 6)", "It falls.", "−0.512 bits", "50 (3 had not learnt)", "exploratory",
        "written 2026-11-30, 0123456789abcdef", "tanh fits, then compresses",
        "python -m ibcore run saxe --claim SAXE-F1A",
    ):  # fmt: skip
        assert said in line["text"]
    assert "03_saxe.html#verdict-saxe-f1a" in page.links
    assert "03_saxe.html#fig-saxe-planes" in page.links
    assert claims.find_claim("SAXE-F1A").link in page.links


def test_what_a_claim_says_is_shown_as_text():
    chapter, ledger = made_up(title=HOSTILE, statement=HOSTILE, source=HOSTILE, note=HOSTILE)
    plain = Table(ledger_page.ledger_page(*made_up_page()))
    ledger["SAXE-F1A"] |= {"finding": HOSTILE, "unit": HOSTILE}
    page = Table(ledger_page.ledger_page([chapter], ledger))
    assert {tag for tag, _ in page.elements} == {tag for tag, _ in plain.elements}
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert page.line("SAXE-F1A")["text"].count("alert(1)") == 6


def made_up_page():
    chapter, ledger = made_up(note="A note.")
    return [chapter], ledger


def test_pages_without_a_verdict_say_so():
    chapter, ledger = made_up()
    assert "Nothing has been judged yet" in ledger_page.ledger_page([chapter], {})
    assert "Nothing has been judged yet" not in ledger_page.ledger_page([chapter], ledger)


def test_links_within_the_page_lead_to_a_line(page):
    """Those of shared evidence and of the findings that oppose each other."""
    within = set(re.findall(r'href="#([^"]+)"', page.source))
    assert within
    assert within <= page.anchors


def test_no_internal_word_stands_on_the_page(page):
    """What surrounds the claims; their own texts are the sources' and the findings'."""
    around = re.sub(r"<tbody>.*</tbody>", "", page.source, flags=re.DOTALL)
    around = around[: around.index("## Findings that oppose")]
    assert not re.search(r"\b(cells?|rows?|registry|sheet)\b", re.sub(r"<[^>]*>", " ", around))


# Filters --------------------------------------------------------------------------------------


def test_every_line_is_found_by_every_filter(page):
    """A value that a line has and no filter offers could never be asked for, and the reverse."""
    names = [values["name"] for tag, values in page.elements if tag == "select"]
    assert names == [
        "question", "paper", "word", "direction", "setting", "ruler", "activation", "rank",
    ]  # fmt: skip
    for name in names:
        form = re.search(rf'<select name="{name}">(.*?)</select>', page.source)[1]
        offered = set(re.findall(r'value="([^"]*)"', form)) - {""}
        had = {v for one in page.lines for v in one[f"data-{name}"].split("|")} - {""}
        assert offered == had, name


def test_a_line_is_filtered_by_what_its_planes_are(page, runs):
    claim = claims.find_claim("SAXE-F1B")
    made = [runs["saxe", name] for name in claims.planes_of(claim)]
    line = page.line("SAXE-F1B")
    activations = {one.settings["activation"] for one in made}
    assert set(line["data-activation"].split("|")) == activations
    assert set(line["data-ruler"].split("|")) >= set(downloads.ruler_kinds([made[0].rulers[0]]))


# What is taken home ---------------------------------------------------------------------------


def test_csv_and_json_hold_the_ledger(chapters, ledger, runs):
    found = downloads.records(chapters, ledger, runs)
    from_json = json.loads(downloads.as_json(found))
    from_csv = list(csv.DictReader(io.StringIO(downloads.as_csv(found))))
    assert len(from_json) == len(from_csv) == sum(len(one.claims) for one in chapters)
    for one, line in zip(from_json, from_csv, strict=True):
        row = ledger[one["id"]]
        shared = set(one) & set(row)
        assert {"verdict", "effect", "low", "high", "criterion_hash", "finding"} <= shared
        for key in shared - {"same_evidence_as"}:
            assert one[key] == row[key], (one["id"], key)
        assert line["id"] == one["id"]
        assert line["verdict"] == row["verdict"]
        assert line["effect"] == ("" if row["effect"] is None else str(row["effect"]))


def test_codecheck_has_the_form_that_is_documented(chapters, ledger, runs):
    """Version 1.0: a document that starts with ---, a manifest, codecheckers and a report."""
    text = downloads.codecheck(downloads.records(chapters, ledger, runs), runs, ROOT)
    content = yaml.safe_load(text)
    assert "\n---\n" in text
    assert content["version"] == downloads.SPEC
    assert {"manifest", "codechecker", "report", "summary", "check_time"} <= set(content)
    assert all(one["name"] for one in content["codechecker"])
    assert "certificate" not in content
    assert "self-checked" in content["codechecker"][0]["name"]
    for one in content["manifest"]:
        assert (ROOT / one["file"]).is_file()
    for file, checksum in content["information_bottleneck_book"]["sha256"].items():
        assert hashlib.sha256((ROOT / file).read_bytes()).hexdigest() == checksum


# Where a verdict comes from -------------------------------------------------------------------


def test_the_panel_says_what_the_planes_record(runs):
    """Read from the stored file, past everything that made the panel."""
    claim = claims.find_claim("SAXE-F1A")
    (name,) = claims.planes_of(claim)
    study = Study("saxe")
    stored = plane.load_pack(BOOK / "results" / "planes" / "saxe-tanh.zip")
    kept = stored[study.experiments[name].digest()]
    panel = origin.origin_of(claim, {name: kept}).html()
    attrs, seeds = kept.attrs, kept["seed"].values
    settings = json.loads(attrs["experiment"])
    for said in (
        f"{len(seeds)} networks, seeds {seeds[0]} to {seeds[-1]}",
        f"code {attrs['code_digest']}",
        f"{attrs['machine']}, engine {attrs['engine']}",
        f"computed {attrs['started'][:10]} in {origin.duration(attrs['duration_s'])}",
        *(f"{key} {number}" for key, number in json.loads(attrs["versions"]).items()),
        f"activation={settings['activation']}",
        f"learning_rate={settings['learning_rate']:g}",
        f"batch_size={settings['batch_size']}",
        f"n_epochs={settings['n_epochs']}",
        str(kept["estimator"].values[0]),
    ):
        assert said in panel
    assert "python -m ibcore run saxe --claim SAXE-F1A --set" in panel


@pytest.mark.parametrize("attribute", ["code_digest", "machine", "started", "duration_s", "engine"])
def test_another_attribute_is_another_panel(attribute):
    claim = claims.find_claim("SAXE-F1A")
    (kept,) = Study("saxe").planes(*claims.planes_of(claim)).values()
    other = kept.copy()
    other.attrs[attribute] = 99_999.0 if attribute == "duration_s" else "2020-02-02 of another"
    panels = [origin.origin_of(claim, {"tanh": one}).html() for one in (kept, other)]
    assert panels[0] != panels[1]


def test_the_runs_of_the_pages_are_the_planes_of_their_chapters(runs):
    """Chapters share experiments: each gets the file that it published itself."""
    for chapter, name in (("estimators", "tanh"), ("controls", "tanh"), ("saxe", "tanh")):
        read = runs[chapter, name]
        file = BOOK / "results" / "planes" / f"{chapter}-{name}.zip"
        if not file.exists():
            continue
        kept = plane.load_pack(file)[read.digest]
        seeds, rulers = kept["seed"].values, kept["estimator"].values
        made = origin.run_of(name, kept.attrs, seeds, rulers)
        assert set(made.rulers) == set(read.rulers)
        assert read.rulers[0] == repr(Study(chapter).estimators(name)[0])
        assert replace(read, rulers=made.rulers, file="") == made
        assert read.file == f"book/results/planes/{file.name}"


def test_a_box_shows_its_origin_and_keeps_its_word():
    """The panel is drawn beside the decision: it changes neither word nor hash."""
    claim = claims.find_claim("SAXE-F1A")
    planes = Study("saxe").planes(*claims.planes_of(claim))
    bare = claims.judge(claim, planes)
    found = with_origin(bare, planes)
    assert replace(found, origin=None, seal=claims.verdict._SEAL) == bare
    assert claims.verdict_details(found) == claims.verdict_details(bare)
    assert str(found) == str(bare)
    assert found.origin.html() in found._repr_html_()
    assert "Where it comes from" not in bare._repr_html_()
    assert not {"origin", "verdict"} & set(hashes.RULES)
    nothing = claims.NoVerdict("SAXE-F1A")
    assert with_origin(nothing, planes) is nothing


def test_a_family_is_one_line_and_common_settings_stand_once(runs):
    claim = claims.find_claim("SZT-F7")
    made = [runs["shwartz_ziv", name] for name in claims.planes_of(claim)]
    lines = dict(origin.described(made))
    assert set(lines) == {"all runs", "size"}
    shares = sorted(one.settings["train_fraction"] for one in made)
    assert f"{len(made)} experiments of" in lines["size"]
    assert f"train_fraction={shares[0]:g} to {shares[-1]:g}" in lines["size"]
    assert "activation=tanh" in lines["all runs"]
    assert "activation" not in lines["size"]


def test_a_criterion_that_names_its_rulers_offers_no_other(runs):
    claim = claims.find_claim("LOR-3")
    made = [runs["estimators", name] for name in claims.planes_of(claim)]
    found = origin.origin_of_runs(claim, made)
    assert claim.all_rulers
    assert found.command == "python -m ibcore run estimators --claim LOR-3"


def test_a_claim_without_training_says_so():
    found = origin.origin_of_runs(claims.find_claim("SZT-S3.1"), [])
    assert "No training" in found.html()
    assert "--set" not in found.command


def test_published_files_are_read_without_their_numbers():
    """The reading of a head agrees with the reading of the whole file, for one pack."""
    path = Path(BOOK / "results" / "planes" / "saxe-tanh.zip")
    heads = downloads.read_packs(path.parent)
    for digest, whole in plane.load_pack(path).items():
        (head,) = (one for one in heads[digest] if one.file.endswith(path.name))
        assert head.digest == digest
        assert head.seeds == tuple(whole["seed"].values.tolist())
        assert head.rulers == tuple(map(str, whole["estimator"].values))


def test_what_changed_lists_only_claims_that_are_older_than_the_present_scheme(chapters, ledger):
    """A claim of today with no change of its criterion has nothing to say on that page."""
    page = pages.changes_page(chapters, ledger)
    tables = page.split("First scheme", 1)[1]
    for chapter in chapters:
        older = [one for one in chapter.claims if one.id in pages.OLD_WORDS or one.changes]
        assert (f"## {chapter.title}\n" in page) == bool(older)
        for claim in chapter.claims:
            assert (f"[{claim.id}](" in tables) == (claim in older), claim.id
