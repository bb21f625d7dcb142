"""What each test of a criterion of Dong & Hisham reads: no two numbers are alike."""

import numpy as np
import pytest
from known_planes import Row, check, rank_correlation

from ibcore import claims

HIDDEN = (1, 2, 3)
ARM = {"n_layers": 4, "label_entropy": 1.5847}


def reads_grow(name):
    """Up to an epoch before the end of the run."""

    def rows(k, t):
        plane = k(name, last=30_000, **ARM)
        keep = plane.epochs <= t["until"]
        for layer in HIDDEN:
            ix = plane.curve(layer)[:, keep]
            lost = (ix.max(axis=1) - ix[:, -1]) / ix.max(axis=1)
            rising = (np.diff(ix, axis=1) >= -0.02).mean(axis=1)
            yield Row(f"loses, loses, layer {layer}", lost, "<", t["lost"])
            yield Row(f"rises, rises, layer {layer}", rising, ">", t["rises"])

    return rows


def reads_penalty(name):
    def rows(k, t):
        plane = k(name, **ARM)
        fall = np.max([plane.fall(layer, "i_ty") for layer in HIDDEN], axis=0)
        c = np.max([plane.fall(layer) for layer in HIDDEN], axis=0)
        yield Row("label, label", fall, ">", t["label"])
        yield Row("input, some", c, ">", t["some"])
        yield Row("input, little", c, "<", t["little"])

    return rows


def reads_f4r(k, t):
    for name in ("relu_l2", "tanh_l2"):
        plane = k(name, **ARM)
        ix, iy = (
            np.median([plane.fall(layer, variable) for layer in HIDDEN], axis=0)
            for variable in ("i_xt", "i_ty")
        )
        yield Row(f"{name}, more", iy / 1.5847 - ix / np.log2(t["samples"]), ">", 0.0)


def reads_f23(k, t):
    curves = [k(name, last=25_000, **ARM).curve()[:, :, :3] for name in ("relu", "tanh")]
    values = np.stack([one.reshape(len(one), -1) for one in curves], axis=1)
    effect = rank_correlation(*values.mean(axis=0))
    yield Row("alike", values, ">", t["correlation"], effect=effect)


def reads_c1(k, t):
    for name in ("relu", "tanh"):
        plane = k(name, named=(100,), variables=["test_loss"], **ARM)
        loss = plane.arrays["test_loss"]
        rise = loss[:, -1] / loss.min(axis=1)
        less = plane.at(100, variable="test_accuracy") - plane.top(variable="test_accuracy")
        yield Row(f"{name}, loss, rises", rise, ">", t["rise"])
        yield Row(f"{name}, accuracy, short", less, ">=", t["less"])


def reads_c2(k, t):
    for ruler in t["rulers"]:
        for name in ("relu", "tanh"):
            with_l2, without = (
                k(one, ["Decoy()", *t["rulers"]], **ARM).mean_fall(HIDDEN, ruler)
                for one in (f"{name}_l2", name)
            )
            yield Row(f"{ruler}, {name}, more", with_l2 - without, ">", 0.0)


def reads_same(k, t):
    for name in ("relu", "tanh", "relu_l2", "tanh_l2"):
        plane = k(name, ["Decoy()", *t["rulers"]], **ARM)
        for layer in HIDDEN:
            one, other = (plane.fall(layer, ruler=ruler) for ruler in t["rulers"])
            yield Row(f"{name}, same, layer {layer}", abs(other - one), "<", t["bits"])


def reads_leak(k, t):
    for name in ("relu", "relu_l2"):
        random, grouped = (
            k(one, **ARM).top(variable="test_accuracy") for one in (name, f"{name}_grouped")
        )
        yield Row(f"{name}, higher", random - grouped, ">", 0.0)


def reads_open(k, t):
    """Forty settings an arm; the numbers of five networks each."""
    plain, l2 = (
        {
            name: [k(f"{arm}_{name}_{n:02}", n_seeds=5, **ARM) for n in range(1, 41)]
            for name in NAMES
        }
        for arm in ("open", "penalty")
    )

    def share_lost(plane):
        return max(np.median(plane.fall(layer) / plane.top(layer)) for layer in HIDDEN)

    def label_fall(plane):
        return np.median(np.max([plane.fall(layer, "i_ty") for layer in HIDDEN], axis=0))

    more = [
        np.median(with_l2.mean_fall(HIDDEN) - without.mean_fall(HIDDEN)) > 0
        for name in NAMES
        for without, with_l2 in zip(plain[name], l2[name], strict=True)
    ]
    for name, shown in NAMES.items():
        flags = [share_lost(plane) < t["lost"] for plane in plain[name]]
        yield Row(f"{shown} only grows, holds", flags, ">=", t["share"])
        flags = [label_fall(plane) > t["label"] for plane in l2[name]]
        yield Row(f"{shown} with L2: I(T;Y) falls, holds", flags, ">=", t["share"])
    yield Row("L2 adds compression, holds", more, ">=", t["share"])
    everyone = [plane for arm in (plain, l2) for name in NAMES for plane in arm[name]]
    top = [np.median(plane.top(variable="test_accuracy")) for plane in everyone]
    yield Row("learnt", np.array(top) > t["accuracy"], ">=", 0.0, reported=True)


NAMES = {"relu": "ReLU", "tanh": "tanh"}
READS = {
    "DONG-F2": (reads_grow("relu"), {}),
    "DONG-F3": (reads_grow("tanh"), {}),
    "DONG-F4": (reads_penalty("relu_l2"), {}),
    "DONG-F5": (reads_penalty("tanh_l2"), {}),
    "DONG-F4r": (reads_f4r, {}),
    "DONG-F23": (reads_f23, {}),
    "DONG-C1": (reads_c1, {}),
    "DONG-C2": (reads_c2, {}),
    "DONG-N": (reads_same, {}),
    "DONG-Z": (reads_same, {}),
    "DONG-LEAK": (reads_leak, {}),
    "DONG-OPEN": (reads_open, {"lost": 0.07, "label": 0.21, "accuracy": 0.87}),
}


@pytest.mark.parametrize("claim_id", READS)
def test_each_part_reads_its_own_numbers(claim_id):
    rows, thresholds = READS[claim_id]
    check(claim_id, rows, **thresholds)


def test_every_claim_of_effects_is_read():
    """Claims that hold or fail have tests of their own."""
    listed = claims.load_registry("dong")
    assert {one.id for one in listed if not one.is_identity} == set(READS)
