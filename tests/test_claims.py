"""The rules of judging: words and verdicts."""

from dataclasses import fields, replace

import numpy as np
import pytest
import xarray as xr
from claim_planes import EPOCHS, make_plane
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from ibcore import claims
from ibcore.claims import words as rules
from ibcore.claims.decide import bootstrap, decide_part, fact, median, reported, share, statistic

# Words


def spread(centre, width, n=50):
    """Values whose median is ``centre``, evenly over ``width``."""
    return np.linspace(centre - width / 2, centre + width / 2, n)


@pytest.mark.parametrize(
    ("word", "centre", "width"),
    [
        ("reproduced", 1.0, 0.5),
        ("partly", 0.5, 0.5),  # right sign, the interval crosses the threshold
        ("partly", 0.48, 0.5),  # so it does from below: the sign is against the null
        ("not reproduced", 0.2, 0.5),
        ("inverted", -1.0, 0.5),
        ("undecided", 1.0, 9.0),  # the interval is wider than threshold - null
    ],
)
def test_words_of_a_median_with_a_null_value(word, centre, width):
    part = median("c", "C", spread(centre, width), ">", 0.5, null=0.0, invertible=True)
    assert decide_part(part).word == word


@pytest.mark.parametrize(
    ("word", "centre"), [("reproduced", -0.4), ("not reproduced", 0.01), ("inverted", 0.4)]
)
def test_words_of_a_sign(word, centre):
    """Without a null value the right sign is the right side of the threshold."""
    part = median("d", "delta", spread(centre, 0.6), "<", 0.0, invertible=True)
    assert decide_part(part).word == word


def test_partly_of_a_sign_needs_the_median_on_the_right_side():
    below, above = (median("d", "delta", spread(c, 1.0), "<", 0.0) for c in (-0.02, 0.02))
    assert (decide_part(below).word, decide_part(above).word) == ("partly", "not reproduced")


def test_only_the_declared_signed_quantity_inverts():
    """C = max - final is never negative: D says which way the layer went."""
    c, d = spread(0.9, 0.1), spread(0.3, 0.1)
    assert decide_part(median("c", "C", c, ">", 0.5)).word == "reproduced"
    part = decide_part(median("c", "C", c, ">", 0.5, signed=d))
    assert part.word == "inverted"
    assert part.signed[0] == pytest.approx(0.3)
    assert decide_part(median("c", "C", c, ">", 0.5, signed=-d)).word == "reproduced"


@pytest.mark.parametrize(
    ("word", "k"), [("reproduced", 50), ("partly", 48), ("not reproduced", 44)]
)
def test_words_of_a_share_rest_on_the_wilson_interval(word, k):
    """(p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n), z = 1.96, n = 50."""
    found = decide_part(share("s", "nets", np.arange(50) < k, 0.9))
    p, n, z = k / 50, 50, stats.norm.ppf(0.975)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    known = np.array([p + z**2 / (2 * n) - half, p + z**2 / (2 * n) + half]) / (1 + z**2 / n)
    np.testing.assert_allclose([found.low, found.high], known)
    assert found.word == word


def test_fewer_than_ten_networks_decide_nothing():
    assert decide_part(share("s", "nets", [True] * 9, 0.1)).word == "undecided"
    assert decide_part(share("s", "nets", [True] * 10, 0.1)).word == "reproduced"
    silent = np.where(np.arange(50) < 9, 1.0, np.nan)
    part = decide_part(median("m", "slope", silent, ">", 0.0))
    assert (part.word, part.n_seeds) == ("undecided", 9)
    part = decide_part(median("m", "slope", [np.nan] * 50, ">", 0.0))
    assert (part.word, part.note) == ("undecided", "no network answered")


def test_bootstrap_of_a_mean_meets_its_standard_error():
    """Percentiles 2.5 and 97.5 of the mean lie 1.96 σ/√n from it."""
    values = np.random.default_rng(0).normal(size=400)
    low, high, _ = bootstrap(values, lambda s: s.mean(axis=1), np.random.default_rng(1))
    np.testing.assert_allclose(
        [low, high], values.mean() + np.array([-1, 1]) * 1.96 * values.std() / 20, atol=0.004
    )


def test_a_word_can_be_had_again():
    """The resamples depend on the claim and the part, on nothing else."""
    values = np.random.default_rng(0).normal(size=30)
    part = statistic("m", "mean", lambda sample: sample.mean(axis=1), values, ">", 0.0)
    assert decide_part(part, "SZT-F1") == decide_part(part, "SZT-F1")
    assert decide_part(part, "SZT-F1").low != decide_part(part, "SZT-F2").low


def test_statistics_keep_the_networks_of_one_seed_together():
    """Columns that are copies stay copies in every resample: their difference is 0."""
    column = np.random.default_rng(0).normal(size=20)
    part = statistic(
        "s",
        "difference",
        lambda sample: np.median(sample[..., 0] - sample[..., 1], axis=1),
        np.stack([column, column], axis=1),
        "<=",
        0.0,
    )
    found = decide_part(part)
    assert (found.low, found.high, found.word) == (0, 0, "reproduced")


def test_null_results_say_what_could_have_been_seen():
    part = decide_part(median("m", "x", spread(0.0, 1.0), ">", 0.5, null=0.0))
    assert part.detectable == pytest.approx(2.8 / 3.92 * (part.high - part.low))
    assert part.p > 0.5
    assert decide_part(median("m", "x", spread(2.0, 1.0), ">", 0.5)).detectable is None


def test_a_side_that_is_none_is_refused():
    with pytest.raises(ValueError, match="side must be one of"):
        median("m", "x", [1.0], "above", 0.0)


# Combining


def decided(word, **where):
    """Return a part that already has its word."""
    template = decide_part(median("m", "x", spread(1, 0.1), ">", 0.0))
    return replace(template, word=word, **where)


@pytest.mark.parametrize(
    ("words", "known"),
    [
        (["reproduced", "reproduced"], "reproduced"),
        (["reproduced", "not reproduced"], "partly"),
        (["reproduced", "inverted"], "partly"),
        (["reproduced", "undecided"], "partly"),
        (["partly", "not reproduced"], "not reproduced"),
        (["undecided", "partly"], "undecided"),
        (["not reproduced", "inverted"], "inverted"),
        (["undecided", "undecided"], "undecided"),
    ],
)
def test_over_layers_the_worst_decides_and_partly_where_some_hold(words, known):
    parts = [decided(word, layer=layer) for layer, word in enumerate(words, 1)]
    assert rules.combine(parts)[0] == known
    parts = [decided(word, group=str(i)) for i, word in enumerate(words)]
    assert rules.combine(parts)[0] == known


def test_within_a_layer_every_test_must_hold():
    parts = [decided("reproduced", layer=5), decided("not reproduced", layer=5)]
    assert rules.combine(parts)[0] == "not reproduced"


@pytest.mark.parametrize(
    ("words", "known", "majority"),
    [
        (["reproduced"] * 3 + ["inverted"], "reproduced", 0.75),
        (["not reproduced"] * 3 + ["reproduced"], "not reproduced", 0.75),
        (["reproduced", "not reproduced"], "partly", 0.0),
        (["undecided", "not reproduced"], "not reproduced", 0.5),
        (["not reproduced", "not reproduced", "inverted", "partly"], "not reproduced", 0.5),
    ],
)
def test_over_cells_the_majority_decides(words, known, majority):
    parts = [decided(word, cell=str(i)) for i, word in enumerate(words)]
    word, cells, found = rules.combine(parts)
    assert (word, found) == (known, majority)
    assert list(cells.values()) == words


def test_saturated_layers_and_reported_parts_do_not_count():
    bad = decided("not reproduced", layer=1)
    good = decided("reproduced", layer=5)
    assert rules.combine([replace(bad, saturated=True), good])[0] == "reproduced"
    assert rules.combine([replace(bad, decisive=False), good])[0] == "reproduced"
    assert rules.combine([replace(good, saturated=True)])[0] == "undecided"
    assert decide_part(reported(median("m", "x", spread(1, 1), ">", 0))).counts is False


@given(st.lists(st.sampled_from(claims.EFFECT_WORDS), min_size=1, max_size=6))
def test_a_row_is_never_better_than_its_best_nor_worse_than_its_worst_layer(words):
    parts = [decided(word, layer=layer) for layer, word in enumerate(words)]
    ranks = [claims.EFFECT_WORDS.index(word) for word in words]
    assert min(ranks) <= claims.EFFECT_WORDS.index(rules.combine(parts)[0]) <= max(ranks)


def test_facts_hold_or_fail():
    held = [decide_part(fact("f", "rows", True)), decide_part(fact("f", "ones", True))]
    assert rules.combine(held)[0] == "holds"
    assert rules.combine([*held, decide_part(fact("f", "sum", False))])[0] == "fails"


def test_holm_adjusts_from_the_smallest_p():
    """Holm (1979) by hand: p = .01, .04, .03 -> .03, .06, .06."""
    parts = [decided("reproduced", layer=i, p=p) for i, p in enumerate([0.01, 0.04, 0.03])]
    found = [part.p_holm for part in rules.adjust_holm(parts)]
    assert found == pytest.approx([0.03, 0.06, 0.06])
    assert rules.adjust_holm(parts[:1])[0].p_holm is None


def test_the_headline_is_the_worst_layer_that_counts():
    parts = [
        decided("inverted", layer=1, saturated=True),
        decided("reproduced", layer=5),
        decided("partly", layer=6),
    ]
    assert rules.headline(parts, "m").layer == 6
    assert rules.headline(parts, "m", "reproduced").layer == 5
    with pytest.raises(ValueError, match="no decisive part is called 'x'"):
        rules.headline(parts, "x")


def test_of_parts_with_one_word_the_headline_has_the_smallest_margin():
    """Both gaps are below 0.05; the row is told by the one that comes nearer to it."""
    gaps = {1: 0.001, 6: 0.043, 5: 0.03}
    parts = [
        decide_part(median("gap", "gap", np.full(50, gap), "<", 0.05, layer=layer))
        for layer, gap in gaps.items()
    ]
    assert rules.headline(parts, "gap", "reproduced").layer == 6


# Verdicts


def falling_layers(**more):
    """Plane without a violation of the data-processing inequality."""
    return make_plane(np.tile(np.linspace(11, 6, 6), (len(EPOCHS), 1)), **more)


def verdict_of(plane):
    """Return the verdict of SZT-F1 on a plane."""
    return claims.judge("SZT-F1", {"released": plane})


def test_a_word_cannot_be_typed():
    verdict = verdict_of(falling_layers())
    with pytest.raises(TypeError, match="decided, not written"):
        replace(verdict, verdict="inverted")
    with pytest.raises(AttributeError):
        verdict.verdict = "inverted"
    with pytest.raises(TypeError, match="decided, not written"):
        claims.Verdict(**{field.name: None for field in fields(verdict)})


def test_missing_planes_are_named():
    with pytest.raises(ValueError, match="SZT-F3 needs the planes released_05, released_45; run"):
        claims.judge("SZT-F3", {"released": falling_layers()})


def test_smoke_runs_get_no_verdict():
    found = verdict_of(falling_layers(profile="smoke"))
    assert isinstance(found, claims.NoVerdict)
    assert str(found) == "smoke profile: no verdict"


def test_another_ruler_gives_another_verdict():
    plane, other = falling_layers(), make_plane(np.tile(np.arange(6.0), (len(EPOCHS), 1)))
    both = xr.concat([plane[["i_xt"]], other[["i_xt"]]], dim="estimator", data_vars="all")
    plane = plane.drop_dims("estimator").assign(both).assign_coords(estimator=["first", "Exact()"])
    assert verdict_of(plane).verdict == "reproduced"
    exact = claims.judge("SZT-F1", {"released": plane}, estimator="Exact()")
    assert exact.verdict == "not reproduced"
    with pytest.raises(ValueError, match="no ruler 'other'"):
        claims.judge("SZT-F1", {"released": plane}, estimator="other")


def test_networks_that_did_not_learn_are_counted_and_both_words_stand():
    """7 of 12 violate the inequality, and 5 of these have not learnt; without them 2 of 7."""
    ix = np.broadcast_to(np.linspace(11, 6, 6), (12, len(EPOCHS), 6)).copy()
    ix[:8] = ix[:8, :, ::-1]
    accuracy = np.ones((12, len(EPOCHS)))
    accuracy[:5] = 0.5
    verdict = verdict_of(make_plane(ix, train_accuracy=accuracy))
    assert verdict.n_not_learnt == 5
    assert verdict.verdict == "not reproduced"
    assert verdict.verdict_without_unlearnt == "undecided"  # 7 networks are too few
    assert "5 networks had not learnt; without: undecided" in str(verdict)


def test_a_verdict_shows_its_numbers():
    verdict = verdict_of(falling_layers())
    text = str(verdict)
    assert text.startswith("SZT-F1: reproduced")
    assert "12 seeds x 10 000 epochs; released" in text
    assert "0 [0, 0]" in text
    assert "< 0.01" in text
    bundle = verdict._repr_mimebundle_()
    assert bundle["text/plain"] == text
    assert bundle["text/html"].count("<tr>") == 2
    assert "&lt; 0.01" in bundle["text/html"]
