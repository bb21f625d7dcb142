"""The multiverse of a claim, its drawings and pages; power before a run; words before and after."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, SimpleNamespace

import fresh_words
import multiverse
import multiverse_figures as figures
import multiverse_page
import multiverse_planes as parts
import numpy as np
import pages
import power
import pytest
from claim_planes import EPOCHS, RULER, make_plane

from ibcore import claims
from ibcore.claims import effects, intervals
from ibcore.claims.criteria import CheckSpec

BOOK = Path(__file__).parents[1] / "book"
STORED = multiverse.load()["claims"]
OTHER, EXACT = "RangeBinning(n_bins=30)", "Exact()"
TOML = {"rulers": {"bins": RULER, "range": [OTHER, "RangeBinning(n_bins=9)"], "rows": EXACT}}
rng = np.random.default_rng


def plane(fall, n_layers=3, *, not_learnt=0, rulers=(RULER, OTHER, EXACT), epochs=EPOCHS):
    """Networks that rise to 6 bits by epoch 400 and fall by ``fall`` (layer) until the end.

    The last ruler sees every layer at its ceiling.
    """
    n_seeds = 20
    times = np.log1p(epochs)
    up = np.interp(times, np.log1p([0, 400]), [1.0, 6.0])
    down = np.interp(times, np.log1p([400, 10_000]), [0.0, 1.0])
    own = np.asarray(fall, float) + rng(0).normal(0, 0.05, (n_seeds, 1))
    seen = up[None, :, None] - down[None, :, None] * own[:, None, :]
    every = [seen, 0.5 * seen, np.full_like(seen, 12.0)][: len(rulers)]
    learning = np.interp(epochs, [0, 10], [0.5, 1.0])
    accuracy = np.where(np.arange(n_seeds)[:, None] < not_learnt, 0.5, learning)
    return make_plane(
        np.array(every), rulers=rulers, epochs=epochs, train_accuracy=accuracy,
        loss=np.broadcast_to(np.exp(-times), (n_seeds, len(epochs))),
    )  # fmt: skip


def claim(entry, expects="effect"):
    """A headline claim with one test in the vocabulary."""
    base = claims.find_claim("SAXE-F1A")
    spec = CheckSpec(MappingProxyType({"name": "test", **entry}), "test", expects)
    return replace(base, id="MADE-UP", tests=(spec,), expects=expects)


class Shelf(parts.Stored):
    """Planes by name, without a study."""

    def __init__(self, **held):
        super().__init__("made_up")
        self.planes = dict(held)

    def plane(self, name):
        return self.planes.get(name)


def decided(entry, shelf, own=None, expects="effect"):
    made = multiverse.Multiverse(
        claim(entry, expects), shelf, {**TOML, "claims": {"MADE-UP": own or {}}}
    )
    return made, made.decided()


ENTRY = {"effect": "compression", "planes": {"one": "one"}, "layers": [1, 2]}


def test_every_combination_is_there_once():
    """Settings x rulers x layers x rules, those that cannot answer counted and left out."""
    shelf = Shelf(one=plane([2.0, 1.0, 0.5]), two=plane([-1.0, 0.0, 0.5]))
    made, found = decided(ENTRY, shelf, {"siblings": {"other": "two", "gone": "three"}})
    layers = ["layer 1", "layer 2", "mean of the claim's layers"]  # the hidden ones, too
    assert found["choices"]["setting"] == ["one", "other"]
    assert found["choices"]["layers"] == layers
    assert found["choices"]["ruler"] == ["bins", "range"]
    assert found["choices"]["networks"] == ["all"]
    assert len(found["specs"]) == 2 * 2 * 3 * 3
    assert found["hollow"] == 2 * 3 * 3, "equal rows are at their ceiling"
    places = {tuple(row[:-4]) for row in found["specs"]}
    assert len(places) == len(found["specs"])
    assert found["seeds"] == [3, 22]
    assert made.is_own("one")
    assert not made.is_own("other")


def test_effects_are_those_of_other_code():
    """By hand: the largest minus the last, and what is left since the task was learnt."""
    shelf = Shelf(one=plane([2.0, 1.0, 0.5]))
    _, found = decided(ENTRY, shelf)
    names = list(found["choices"])
    seen = {}
    for row in found["specs"]:
        said = {name: found["choices"][name][row[k]] for k, name in enumerate(names)}
        seen[said["ruler"], said["layers"], said["checkpoints"]] = row
    for layer in (1, 2):
        values = _by_hand(shelf.planes["one"], RULER, [layer])
        assert seen["bins", f"layer {layer}", parts.PLAIN][-4] == pytest.approx(
            np.median(values), rel=1e-3
        )
    # Learnt at epoch 10, long before the peak: the layer has gained since.
    learnt = seen["bins", "layer 1", parts.LEARNT]
    assert learnt[-4] < 0
    assert multiverse.MARKS[learnt[-1]] == "opposite"
    assert multiverse.MARKS[seen["bins", "layer 1", parts.PLAIN][-1]] == "agrees"
    assert sum(multiverse.shares(found).values()) == len(found["specs"])


def test_networks_that_did_not_learn_are_a_choice_of_their_own():
    _, found = decided(ENTRY, Shelf(one=plane([2.0, 1.0, 0.5], not_learnt=5)))
    assert found["choices"]["networks"] == ["all", "learnt only"]
    _, none = decided(ENTRY, Shelf(one=plane([2.0, 1.0, 0.5], not_learnt=15)))
    assert none["specs"] == []
    assert none["hollow"] > 0, "a plane of which fewer than half learnt answers nothing"


def test_pairs_are_asked_on_three_clocks():
    entry = {"effect": "compression", "pairs": {"a over b": ["one", "two"]}, "layers": [1]}
    slow = plane([0.5, 0.5, 0.5]).assign_coords(update=("epoch", EPOCHS * 7))
    _, found = decided(entry, Shelf(one=plane([2.0, 1.0, 0.5]), two=slow))
    assert found["choices"]["clock"] == ["epoch", "update", "loss"]
    _, same = decided(entry, Shelf(one=plane([2.0, 1.0, 0.5]), two=plane([0.5, 0.5, 0.5])))
    assert same["choices"]["clock"] == ["epoch", "loss"], "equal updates are equal epochs there"
    plain = same["choices"]["checkpoints"].index(parts.PLAIN)
    bins, layer = same["choices"]["ruler"].index("bins"), same["choices"]["layers"].index("layer 1")
    place = list(same["choices"])
    effect = [
        row[-4]
        for row in same["specs"]
        if row[place.index("checkpoints")] == plain
        and row[place.index("ruler")] == bins
        and row[place.index("layers")] == layer
        and row[place.index("clock")] == 0
    ]
    assert effect == [pytest.approx(1.5, abs=0.1)]


def test_where_nothing_may_be_lost_a_gain_is_no_refutation():
    """A signed rule shows what is gained: the absence of a loss is about one side."""
    grows = plane([-2.0, -2.0, -2.0])
    _, found = decided(ENTRY, Shelf(one=grows), expects="absence")
    assert set(multiverse.shares(found)) == {"agrees"}
    _, lost = decided(ENTRY, Shelf(one=plane([2.0, 2.0, 2.0])), expects="absence")
    assert "opposite" in multiverse.shares(lost)


def test_the_combination_of_the_criterion_is_marked():
    """The criterion's own ruler, layers, rule and planes, and nothing else."""
    _, found = decided(
        ENTRY, Shelf(one=plane([2.0, 1.0, 0.5]), two=plane([1.0, 1.0, 1.0])),
        {"siblings": {"other": "two"}},
    )  # fmt: skip
    names = list(found["choices"])
    said = [
        {name: found["choices"][name][found["specs"][i][k]] for k, name in enumerate(names)}
        for i in found["registered"]
    ]
    assert [(one["setting"], one["ruler"], one["checkpoints"], one["layers"]) for one in said] == [
        ("one", "bins", parts.LEARNT, "layer 1"),  # the sign of C is that of -D
        ("one", "bins", parts.LEARNT, "layer 2"),
    ]


def test_what_is_computed_once_is_not_computed_again():
    shelf = Shelf(one=plane([2.0, 1.0, 0.5]))
    made, _ = decided(ENTRY, shelf)
    before = made.inputs()
    again, _ = decided(ENTRY, shelf)
    assert again.inputs() == before
    shelf.planes["one"]["i_xt"] += 0.5
    moved, _ = decided(ENTRY, shelf)
    assert moved.inputs() != before


# What is stored ------------------------------------------------------------------------------


def multiverse_of(claim_id):
    """Of a stored claim, or nothing where its runs are not there."""
    found = claims.find_claim(claim_id)
    made = multiverse.Multiverse(found, parts.Stored(found.chapter), multiverse.choices_file())
    return made if any(map(made.is_own, made.settings)) else None


@pytest.mark.parametrize("claim_id", ["SAXE-F4CD", "CHE-S3.1"])
def test_stored_entries_are_those_of_the_stored_runs(claim_id):
    """Computed again by other code: effect and both ends, under the plain maximum or none."""
    made = multiverse_of(claim_id)
    assert made is not None, "its runs are not stored"
    found = STORED[claim_id]
    assert made.inputs() == found["inputs"], "the runs changed: python book/_tools/multiverse.py"
    chosen = [i for i in rng(0).permutation(len(found["specs"])) if _plain(found, i)][:6]
    specs = {tuple(spec.choice.values()): spec for spec in made.specs()}
    for i in chosen:
        row = found["specs"][i]
        said = {name: many[row[k]] for k, (name, many) in enumerate(found["choices"].items())}
        names = made.settings[said["setting"]]
        assert tuple(said.values()) in specs
        if len(names) == 1:
            held = made.stored.plane(names[0])
            ruler = made.rulers(names)[said["ruler"]][0]
            values = _by_hand(held, ruler, made.layers(held)[said["layers"]])
            drawn = np.median(rng(1).choice(values, (4000, len(values))), axis=1)
            assert row[-4] == pytest.approx(np.median(values), rel=1e-3)
            assert row[-3:-1] == pytest.approx(np.percentile(drawn, [2.5, 97.5]), abs=0.15)
        else:
            values = specs[tuple(said.values())].values.values
            assert row[-4] == pytest.approx(np.median(values), rel=1e-3, abs=1e-6)


def _plain(found, i):
    names = list(found["choices"])
    row = found["specs"][i]
    rule = found["choices"]["checkpoints"][row[names.index("checkpoints")]]
    who = found["choices"]["networks"][row[names.index("networks")]]
    return rule in ("", parts.PLAIN) and who == "all"


def _by_hand(held, ruler, layers):
    """Largest minus last of curves under a running median of three, mean over open layers."""
    place = list(held.estimator.values).index(ruler)
    raw = held.i_xt.isel(estimator=place).transpose("seed", "epoch", "layer").values
    raw = raw[:, np.isfinite(raw).all(axis=(0, 2))]
    middle = np.median(np.stack([raw[:, :-2], raw[:, 1:-1], raw[:, 2:]]), axis=0)
    smooth = np.concatenate([raw[:, :1], middle, raw[:, -1:]], axis=1)
    lost = smooth.max(axis=1) - smooth[:, -1]
    full = effects.saturated_layers(held, estimator=ruler).values
    kept = [k - 1 for k in layers if len(layers) == 1 or not full[k - 1]]
    return lost[:, kept].mean(axis=1)


@pytest.mark.parametrize("claim_id", sorted(STORED))
def test_stored_rows_say_what_their_numbers_say(claim_id):
    found = STORED[claim_id]
    line, margin = found["null"], found["margin"] or 0.0
    for row in found["specs"]:
        effect, low, high, mark = row[-4:]
        assert low <= effect <= high or np.isclose(effect, [low, high], rtol=1e-3).any()
        said = multiverse.MARKS[mark]
        inside = line - margin < low and high < line + margin
        beyond = low > line if found["side"] == ">" else high < line
        if found["expects"] == "effect" and said != "open":
            assert said == ("none found" if inside else "agrees" if beyond else "opposite")
        for place, many in zip(row, found["choices"].values(), strict=False):
            assert 0 <= place < len(many)
    assert all(0 <= i < len(found["specs"]) for i in found["registered"])


def test_every_ruler_and_sibling_is_one_that_exists():
    toml = multiverse.choices_file()
    for claim_id, own in toml["claims"].items():
        found = claims.find_claim(claim_id)
        stored = parts.Stored(found.chapter)
        for names in own.get("siblings", {}).values():
            for name in [names] if isinstance(names, str) else names:
                assert stored.experiment(name).n_seeds > 0
        for key in ("rulers", "minus_rulers"):
            for many in own.get(key, {}).values():
                assert many
    asked = {one.id for one in multiverse.asked(toml)}
    assert set(toml["claims"]) <= asked, "choices for claims that are not asked"
    assert set(STORED) <= asked


# Drawings and the page -------------------------------------------------------------------------


def test_drawings_are_those_of_the_stored_entries():
    """Every claim has its drawing; one is drawn again, and its strokes are the same."""
    files = {path.name for path in figures.FOLDER.glob("*.svg")}
    assert files == {figures.file_of(name) for name in STORED} | {"overview.svg"}
    name = min(STORED, key=lambda one: len(STORED[one]["specs"]))
    (drawn,) = figures.drawings(STORED, [name]).values()
    stored = (figures.FOLDER / figures.file_of(name)).read_text(encoding="utf-8")
    longest = [max(re.findall(r' d="([^"]+)"', text), key=len) for text in (drawn, stored)]
    assert longest[0] == longest[1], "python book/_tools/multiverse_figures.py"
    assert "scale(0.0)" not in stored, "letters of no size"
    assert "scale(0.0)" not in drawn


def test_a_curve_shows_each_choice_and_each_interval():
    _, found = decided(ENTRY, Shelf(one=plane([2.0, 1.0, 0.5])))
    order = figures.order_of(found)
    effects_ = [found["specs"][i][-4] for i in order]
    assert effects_ == sorted(effects_)
    rows = dict(figures.rows_of(found, order))
    assert rows["layer 1"].sum() + rows["layer 2"].sum() < len(order)
    assert rows["setting" if "setting" in rows else "ruler"] is None
    assert rows["as the criterion has it"].sum() == 2
    figure = figures.curve(found)
    top, grid = figure.axes
    assert len(top.lines[0].get_xdata()) == len(order)
    assert [text.get_text() for text in grid.get_yticklabels()] == [
        name for name, at in figures.rows_of(found, order) if at is not None
    ]


def test_the_page_lists_every_claim_and_every_power():
    text = (BOOK / "multiverse.md").read_text(encoding="utf-8")
    for name in STORED:
        assert f":::{{dropdown}} {name}: " in text
        assert f"_static/multiverse/{figures.file_of(name)}" in text
    stated = json.loads((BOOK / "results" / "power.json").read_text(encoding="utf-8"))
    for name in stated["claims"]:
        assert name in text
    assert f"written on {stated['date']}" in text


def test_the_choice_that_divides_most_is_found():
    found = {
        "choices": {"setting": ["a", "b"], "ruler": ["x", "y"]},
        "specs": [[s, r, 0.0, 0.0, 0.0, 0 if r == 0 else 2] for s in (0, 1) for r in (0, 1)] * 3,
    }
    assert multiverse_page.levels(found) == ("ruler", "x", 1.0, "y", 0.0)
    assert multiverse_page.some_setting(found) == (1, 2)


# Power -----------------------------------------------------------------------------------------


def test_an_effect_of_that_size_is_seen_in_four_runs_of_five():
    """By simulation: 2.8 standard errors, 50 networks, the interval of the book."""
    n, runs = 50, 300
    error = 1 / np.sqrt(n)
    seen = 0
    for k in range(runs):
        values = rng(k).normal(power.TO_SEE * error, 1, n)
        drawn = intervals.mean(values[rng(k).integers(n, size=(500, n))])
        seen += np.percentile(drawn, 2.5) > 0
    assert seen / runs == pytest.approx(0.8, abs=0.07)


def test_power_is_stated_for_headline_claims():
    stated = json.loads(power.FILE.read_text(encoding="utf-8"))
    known = {one.id for one in power.asked()}
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", stated["date"])
    assert known & set(stated["claims"])
    for row in stated["claims"].values():
        assert ("why" in row) != ("detectable" in row)
        if "detectable" in row:
            assert row["detectable"] >= 0
            assert row["planned"] >= 5


# Words before and after ---------------------------------------------------------------------------


def row(name, verdict="reproduced", effect=1.0, scope="2 of 2", n_seeds=50):
    return {
        "id": name, "verdict": verdict, "scope": scope, "effect": effect, "low": effect - 0.5,
        "high": effect + 0.5, "n_seeds": n_seeds,
    }  # fmt: skip


def chapter(*names, title="Chapter"):
    made = [SimpleNamespace(id=name, changes=()) for name in names]
    return SimpleNamespace(claims=made, title=title, text="(verdict-a)=", page="01")


OLD = fresh_words.old_words([row("A"), row("B", "mixed", 2.0), row("C", "holds", n_seeds=0)], {})


def ledger_of(*rows):
    return {one["id"]: one for one in rows}


def test_before_the_fresh_run_the_page_says_so():
    same = ledger_of(row("A"), row("B", "mixed", 2.0), row("C", "holds", n_seeds=0))
    assert fresh_words.section([chapter("A", "B", "C")], same, OLD) == [fresh_words.NOT_YET]
    assert fresh_words.section([chapter("A")], same, {}) == []


def test_words_before_and_after_are_counted():
    """A changed word, an effect inside and one outside of the second interval."""
    new = ledger_of(
        row("A", effect=1.2), row("B", "open", 9.0), row("C", "holds", n_seeds=0), row("D"),
    )  # fmt: skip
    text = "\n\n".join(fresh_words.section([chapter("A", "B", "C", "D")], new, OLD))
    assert "Of 2 rows that networks decide" in text
    assert "1 changed their word (50 %)" in text
    assert "second interval in 1 (50 %)" in text
    lines = {line.split(" | ")[0].strip("| "): line for line in text.splitlines() if "|" in line}
    assert "| new row |" in lines["D"]
    assert "mixed (2 of 2): 2 [1.5, 2.5]" in lines["B"]
    assert "open: 9 [8.5, 9.5] | changed |" in lines["B"]
    assert "[A](#verdict-a)" in lines


def test_a_criterion_that_changed_since_is_no_replication():
    changed = chapter("A", "B")
    changed.claims[0].changes = ("once",)
    new = ledger_of(row("A", "open", 1.2), row("B", "mixed", 2.1))
    text = "\n\n".join(fresh_words.section([changed], new, OLD))
    assert "Of 1 rows" in text
    assert "new criterion" in text


def test_papers_become_fresh_one_by_one():
    old = fresh_words.old_words([row("A"), row("B")], {})
    new = ledger_of(row("A", effect=1.1), row("B"))
    text = "\n\n".join(
        fresh_words.section([chapter("A", title="One"), chapter("B", title="Two")], new, old)
    )
    assert "done for One;" in text
    assert "[B]" not in text
    both = ledger_of(row("A", effect=1.1), row("B", effect=1.2))
    every = [chapter("A", title="One"), chapter("B", title="Two"), chapter("X", title="New")]
    assert "So far" not in "\n\n".join(fresh_words.section(every, both, old))


def test_old_words_hold_every_row_of_their_commit():
    kept = fresh_words.load()
    assert len(kept) > 100
    assert kept["SZT-F3"]["word"] == "reproduced"
    assert all(set(one) == {"word", "effect", "low", "high", "n_seeds", "changes"}
               for one in kept.values())  # fmt: skip


def test_pages_have_the_page_of_choices():
    found = pages.choices_page([], {}, BOOK / "nowhere")
    assert found.startswith(pages.MARK)
    assert "(multiverse)=" in found
