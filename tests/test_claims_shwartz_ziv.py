"""Every word of every claim of Shwartz-Ziv & Tishby, reached on planes made by hand.

The last part plants faults and asks the verdict to notice them.
"""

from collections.abc import Mapping

import numpy as np
import pytest
from claim_planes import (
    EPOCHS,
    LAYERS,
    N,
    beside,
    c3,
    compressing,
    curve,
    eq11,
    f1,
    f3,
    f3b,
    f4,
    f5,
    f6,
    f7,
    falling_snr,
    flat,
    layers,
    make_plane,
    noise_pairs,
    one_curve,
    planes_for,
    sizes,
)

from ibcore import claims
from ibcore.claims.common import matched
from ibcore.claims.judge import _one_ruler
from ibcore.papers import paper_module

shwartz_ziv = paper_module("shwartz_ziv", "evidence")

ALL = [
    (claim.id, word)
    for claim in claims.load_registry("shwartz_ziv")
    if not claim.is_identity
    for word in claim.words
]


@pytest.mark.parametrize(("claim_id", "word"), ALL)
def test_every_declared_word_is_reached(claim_id, word):
    planes = {name: beside(plane) for name, plane in planes_for(claim_id, word).items()}
    verdict = claims.judge(claim_id, planes)
    assert verdict.verdict == word, verdict
    assert verdict.low <= verdict.effect <= verdict.high
    assert verdict.n_seeds == (5 if word == "undecided" else N)


def test_facts_hold_and_a_changed_fact_fails(monkeypatch):
    verdict = claims.judge("SZT-S3.1")
    assert (verdict.verdict, verdict.effect, verdict.n_seeds) == ("holds", 1.0, 0)
    first, *others = shwartz_ziv.tasks.szt_facts()
    wrong = first._replace(expected=first.expected + 1)
    monkeypatch.setattr(shwartz_ziv.tasks, "szt_facts", lambda: (wrong, *others))
    verdict = claims.judge("SZT-S3.1")
    assert verdict.verdict == "fails"
    assert verdict.effect == pytest.approx(1 - 1 / (1 + len(others)))


class Recorder(Mapping):
    """Thresholds that remember which were asked for."""

    def __init__(self, values):
        self.values_, self.used = values, set()

    def __getitem__(self, key):
        self.used.add(key)
        return self.values_[key]

    def __iter__(self):
        return iter(self.values_)

    def __len__(self):
        return len(self.values_)


@pytest.mark.parametrize("claim", claims.load_registry("shwartz_ziv"), ids=lambda c: c.id)
def test_every_threshold_is_used_and_every_part_has_its_own_label(claim):
    planes = planes_for(claim.id, "reproduced") if claim.experiments else {}
    recorder = Recorder(claim.thresholds)
    ruled = {name: _one_ruler(plane, None) for name, plane in planes.items()}
    parts = getattr(shwartz_ziv, claim.evidence)(ruled, recorder)
    assert recorder.used == set(claim.thresholds)
    labels = [part.label for part in parts]
    assert len(set(labels)) == len(labels) or claim.is_identity


# What an evidence function must do beside its words.


def test_saturated_layers_are_left_out_and_named():
    """Layer 6 stays at log2 4096 = 12 bits: only layer 5 answers, and compresses."""
    plane = make_plane(curve(layers(rest=5, l6=12), layers(rest=8, l6=12), layers(rest=4, l6=12)))
    verdict = claims.judge(
        "SZT-F3", dict.fromkeys(("released_05", "released_45", "released"), plane)
    )
    assert verdict.verdict == "reproduced"
    assert verdict.saturated_layers == (6,)
    assert "saturated, left out: layer 6" in str(verdict)


def test_a_row_that_only_saturated_layers_could_answer_is_undecided():
    plane = make_plane(np.full((len(EPOCHS), LAYERS), 12.0))
    assert claims.judge("SZT-C3", {"released": plane}).verdict == "undecided"
    compresses_nowhere = claims.judge("SZT-C1", sizes(lambda k, f: plane.copy()))
    assert compresses_nowhere.verdict == "undecided"


def test_width_12_is_named_as_saturated():
    verdict = claims.judge("SZT-F5", f5("reproduced"))
    part = next(part for part in verdict.parts if part.name == "width 12")
    assert (part.effect, part.decisive) == (1.0, False)
    assert "no answer about compression possible" in part.note


def test_eq11_leaves_out_depths_whose_last_hidden_layer_is_saturated():
    planes = eq11("reproduced")
    planes["depth_2"] = make_plane(np.full((len(EPOCHS), 3), 12.0))
    verdict = claims.judge("SZT-EQ11", planes)
    assert verdict.verdict == "reproduced"
    assert any("depth 2" in part.note for part in verdict.parts)
    planes |= {f"depth_{k}": make_plane(np.full((len(EPOCHS), k + 1), 12.0)) for k in (3, 4)}
    assert claims.judge("SZT-EQ11", planes).verdict == "undecided"


def test_eq11_slope_of_a_fall_straight_in_log_time():
    """IX = 8 - 4 log10(e / e₀) / log10(T / e₀): one bit takes log10(T / e₀) / 4 decades."""
    verdict = claims.judge("SZT-EQ11", eq11("reproduced"))
    assert verdict.effect == pytest.approx(3 / 4, rel=0.35)


def test_c2_compares_at_the_same_epochs_and_at_the_same_updates():
    """14 updates per epoch: at matched updates the noisy run ends at epoch 714, at most.

    One that compresses only after epoch 1 000 has then compressed nothing.
    """
    late = make_plane(
        np.where(EPOCHS[:, None] < 1000, curve(5.0, 8.0, 8.0, at=5), 4.0), per_epoch=14
    )
    verdict = claims.judge("SZT-C2", noise_pairs(late, flat(per_epoch=1)))
    for cell, word in verdict.cells:
        assert word == ("reproduced" if "epochs" in cell else "not reproduced")
    assert (verdict.verdict, len(verdict.cells)) == ("partly", 8)


def test_c1_asks_for_more_than_train_accuracy_explains():
    """C and test accuracy that both follow train accuracy alone: nothing is left."""

    def make(k, fraction):
        rng = np.random.default_rng(k)
        train, noise = rng.uniform(0.95, 1, (N, 1)), rng.normal(scale=1e-4, size=(2, N, 1))
        whole = np.ones(len(EPOCHS))
        accuracies = {
            "test_accuracy": (train - 0.1 + noise[0]) * whole,
            "train_accuracy": train * whole,
        }
        return compressing(8 - 40 * (train - 0.9) + noise[1], train_fraction=fraction, **accuracies)

    verdict = claims.judge("SZT-C1", sizes(make))
    assert verdict.verdict in ("partly", "not reproduced")
    assert abs(verdict.effect) < 0.3


def test_f3b_judges_each_split_on_its_own():
    planes = f3b("reproduced")
    planes["unshuffled_05"] = planes["unshuffled_85"]
    verdict = claims.judge("SZT-F3b", planes)
    assert dict(verdict.cells) == {"random split": "reproduced", "unshuffled split": "partly"}


def test_a_break_far_from_the_peak_does_not_coincide_with_it():
    observed = falling_snr(2.0, at=1000) | falling_snr(2.0, at=1000, prefix="minibatch_")
    names = ("paper_slow", "paper", "paper_fast", "released")
    verdict = claims.judge("SZT-F4", dict.fromkeys(names, compressing(**observed)))
    assert verdict.verdict == "partly"  # layers 1 to 3 have no bend to compare with
    aligned = [part.word for part in verdict.parts if part.name == "aligned"]
    assert aligned == ["not reproduced"] * 12


def test_full_batches_have_no_minibatch_gradients():
    planes = f4("reproduced")
    with pytest.raises(ValueError, match="no 'minibatch_gradient_mean'"):
        claims.judge("SZT-F4", planes | {"paper": planes["released"]})


def test_a_ratio_that_is_not_finite_is_refused():
    planes = f4("reproduced")
    planes["released"]["gradient_std"][0, 3, 1:3] = 0.0
    planes["released"]["gradient_std"][0, 4, 1:3] = 0.0
    with pytest.raises(ValueError, match="change point needs finite values"):
        claims.judge("SZT-F4", planes)


def test_beta_that_rises_with_depth_does_not_count_as_falling():
    planes = f6("reproduced")
    planes["soft"]["ib_beta"] = planes["soft"]["ib_beta"][..., ::-1].assign_coords(
        layer=planes["soft"].layer
    )
    assert dict(claims.judge("SZT-F6", planes).cells) == {
        "hard labels": "reproduced",
        "soft labels": "partly",
    }


def test_c2_leaves_out_what_both_runs_saturate_and_only_that():
    """At the ceiling in the full batch alone, layer 5 answers; in both runs layer 6 does not."""
    full = make_plane(
        curve(
            layers(rest=5, l5=12, l6=12), layers(rest=8, l5=12, l6=12), layers(rest=8, l5=12, l6=12)
        )
    )
    noisy = compressing(layers(rest=4, l6=12), per_epoch=14)
    noisy["i_xt"][..., 5] = 12.0
    for pair in ((noisy, full), (full, noisy)):
        assert claims.judge("SZT-C2", noise_pairs(*pair)).saturated_layers == (6,)
    assert claims.judge("SZT-C2", noise_pairs(noisy, full)).verdict == "reproduced"


@pytest.mark.parametrize(("clock", "last"), [("epoch", 4), ("update", 2)])
def test_matched_runs_keep_the_last_checkpoint_they_have_in_common(clock, last):
    """Two updates per epoch against one: 4 updates are 2 epochs of the first run."""
    noisy, full = (one_curve(0, 1, 2, 3, 4, per_epoch=n) for n in (2, 1))
    for pair, ends in (((noisy, full), (last, 4)), ((full, noisy), (4, last))):
        assert tuple(int(one.epoch[-1]) for one in matched(*pair, clock)) == ends


# Planted faults.


def swap_layers(plane, a, b):
    """Return the plane with the numbers of two layers exchanged."""
    order = list(range(1, plane.sizes["layer"] + 1))
    order[a - 1], order[b - 1] = b, a
    return plane.sel(layer=order).assign_coords(layer=plane.layer)


def reverse_layers(plane):
    """Return the plane with the first layer last."""
    return plane.isel(layer=slice(None, None, -1)).assign_coords(layer=plane.layer)


def test_layers_in_the_wrong_order_are_noticed():
    planes = {name: reverse_layers(plane) for name, plane in f1("reproduced").items()}
    assert claims.judge("SZT-F1", planes).verdict == "not reproduced"


@pytest.mark.parametrize(("claim_id", "builder"), [("SZT-F3", f3), ("SZT-C3", c3)])
def test_two_layers_exchanged_are_noticed(claim_id, builder):
    """Only layers 3 to 6 compress early; with 1 in the place of 6 the row is partly true."""
    late = {"l1": 8000.0, "l2": 8000.0}
    plane = compressing(at=layers(rest=10, **late))
    planes = dict.fromkeys(builder("reproduced"), plane)
    assert claims.judge(claim_id, planes).verdict == "reproduced"
    faulty = dict.fromkeys(planes, swap_layers(plane, 1, 6))
    assert claims.judge(claim_id, faulty).verdict == "partly"


@pytest.mark.parametrize(
    ("claim_id", "fault"),
    [
        ("SZT-F2", lambda plane: plane.assign(i_ty=plane.i_ty * np.log(2))),  # nats
        ("SZT-F2", lambda plane: plane.assign(i_ty=plane.i_xt, i_xt=plane.i_ty)),
        ("SZT-F3", lambda plane: plane.isel(epoch=slice(None, None, -1)).assign_coords(
            epoch=plane.epoch, update=plane.update)),
        ("SZT-F6", lambda plane: plane.assign(i_ty=plane.i_ty * np.log(2))),
        ("SZT-C3", lambda plane: plane.assign_coords(epoch=np.arange(plane.sizes["epoch"]))),
    ],
    ids=["nats", "IX and IY exchanged", "time reversed", "nats at the bound", "checkpoint numbers"],
)  # fmt: skip
def test_a_planted_fault_changes_the_word(claim_id, fault):
    planes = planes_for(claim_id, "reproduced")
    assert claims.judge(claim_id, planes).verdict == "reproduced"
    faulty = {name: fault(plane) for name, plane in planes.items()}
    assert claims.judge(claim_id, faulty).verdict != "reproduced"


def test_a_wrong_order_of_sizes_in_the_names_changes_nothing():
    """The size of the data comes from the experiment, not from the plane's name."""
    planes = f7("reproduced")
    renamed = dict(zip(planes, reversed(planes.values()), strict=True))
    assert claims.judge("SZT-F7", renamed).verdict == "reproduced"


def test_networks_lost_in_one_plane_of_a_sweep_leave_the_others_in():
    """Sweeps keep every network they have; one that is absent is NaN, not a lost seed."""
    planes = f7("reproduced")
    planes["size_03"] = planes["size_03"].isel(seed=slice(1, None))
    verdict = claims.judge("SZT-F7", planes)
    assert (verdict.verdict, verdict.n_seeds) == ("reproduced", N - 1)
