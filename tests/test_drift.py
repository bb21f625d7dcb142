"""Drift: what counts as moved, what is kept of it, and what the status page says."""

import json
from types import SimpleNamespace

import drift
import drift_page
import numpy as np
import pytest
import status_page

import ibcore as ib

E = ib.Experiment(
    hidden_widths=(4, 3), n_epochs=3, n_measured_epochs=3, n_seeds=12, learning_rate=0.01
)


@pytest.fixture(scope="module")
def plane():
    return ib.run(E, [ib.Binning(30)], progress=False)


def test_the_same_bits_need_no_test(plane):
    assert drift.compared(plane, plane.isel(seed=slice(10))) == {"bits": 0.0}


def test_rounding_that_parted_networks_is_no_drift_and_another_distribution_is(plane):
    """The networks in another order: each is another one, and all are draws from the same."""
    moved = plane.isel(seed=slice(0, 10)).assign_coords(seed=plane.seed.values[2:])
    apart = drift.compared(plane, moved)
    assert apart["bits"] > 0
    assert apart["p"] > drift.LEAST_P
    moved["i_xt"] = moved.i_xt - 3
    assert drift.compared(plane, moved)["p"] <= drift.LEAST_P


def test_an_entry_has_the_effect_beside_the_stored_one(plane, monkeypatch):
    """Of one claim on one plane, trained again here: nothing has moved."""
    study = SimpleNamespace(
        chapter="tiny", experiments={"small": E}, stored=lambda name: plane,
        estimators=lambda name: [ib.Binning(30)], observables=lambda name: [],
    )  # fmt: skip
    asked = []

    def judge(claim, planes):
        (one,) = planes.values()
        asked.append(one.seed.values.tolist())
        return SimpleNamespace(effect=float(one.i_xt.mean()), n_seeds=one.sizes["seed"])

    def ledger_entry(one):
        return {"effect": one.effect, "unit": "bit", "verdict": "open"}

    monkeypatch.setattr(drift.claims, "judge", judge)
    monkeypatch.setattr(drift.claims, "ledger_entry", ledger_entry)
    monkeypatch.setattr(drift.ib, "run", lambda e, *_: ib_run(e))
    ib_run = lambda e: plane.sel(seed=list(e.seeds))  # noqa: E731
    claim = SimpleNamespace(id="TINY-1", experiments=("small",))
    found = drift.entry([(study, claim), (study, claim)])
    assert asked == [list(range(10))] * 4
    assert found["planes"] == {"tiny small": {"bits": 0.0}}
    one = found["claims"]["TINY-1"]
    assert one["effect"] == one["published"]
    assert one["networks"] == 10
    assert "torch" in found["versions"]


def test_headline_claims_are_followed_the_cheapest_first():
    found = [(claim, study.chapter) for study, claim in drift.followed(60.0)]
    assert all(claim.rank == "headline" and claim.tests for claim, _ in found)
    assert 1 <= len(found) < len(list(drift.followed(600.0)))
    (only,) = drift.followed(0.0, ["SAXE-F1A"])
    assert only[1].id == "SAXE-F1A"


def entries():
    first = {"date": "2026-11-30", "versions": {"numpy": "2.4.6"}}
    first |= {"planes": {"saxe tanh": {"bits": 0.0}}}
    first |= {"claims": {"A": {"published": 1.5, "effect": 1.5, "unit": "bit"}}}
    second = json.loads(json.dumps(first)) | {"date": "2026-12-07"}
    second["planes"] |= {"saxe relu": {"bits": 0.3, "p": 1e-4}}
    second["claims"]["A"]["effect"] = 0.25
    return [first, second]


def test_the_status_page_shows_what_moved():
    text = "\n\n".join(drift_page.drift_part(entries()))
    assert "On 2026-12-07, with numpy 2.4.6: 1 of 2 planes came out with the same bits" in text
    assert "**Drifted: saxe relu.**" in text
    assert "| A | 1.5 bit | 1.5 | 0.25 |" in text
    calm = "\n\n".join(drift_page.drift_part(entries()[:1]))
    assert "None has drifted." in calm
    assert drift_page.drift_part([]) == []
    assert "## Drift" not in status_page.written([], {}, {}, 0.0, "mark", entries())


def test_the_script_says_when_nothing_fits(capsys):
    assert drift.main(["--seconds", "0"]) == 2
    assert "no claim fits into this time" in capsys.readouterr().err


def test_what_is_stored_has_its_form():
    for one in drift.read():
        assert {"date", "versions", "planes", "claims"} == set(one)
        assert all(np.isfinite(gap["bits"]) for gap in one["planes"].values())
