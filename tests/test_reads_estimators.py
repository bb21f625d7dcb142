"""What each test about rulers reads: no two numbers are alike."""

from itertools import product

import numpy as np
import pytest
from known_planes import Row, check, rank_correlation

from ibcore import claims

CEILINGS = {"tanh": 2, "relu": 3}  # of the decoy; one layer further of the ruler


def phases(k, t, least):
    for name in ("tanh", "relu"):
        plane, ruler = k(name, ["Decoy()", t["ruler"]], ceiling=CEILINGS[name]), t["ruler"]
        for layer in range(1, 7):
            where, full = f"{name}, fits, layer {layer}", plane.is_full(layer, ruler)
            yield Row(where, plane.rise(layer, ruler=ruler), ">", t["fitting"], saturated=full)
        flags = plane.fall(6, ruler=ruler) > least
        yield Row(f"{name}, output, layer 6", flags, ">=", t["share"])


def hidden(k, t):
    for name, layers in (("tanh", (4, 5)), ("relu", (1, 2, 3, 4, 5))):
        plane, ruler = k(name, ["Decoy()", t["ruler"]]), t["ruler"]
        for layer in layers:
            more = {"saturated": plane.is_full(layer, ruler)}
            if name == "tanh":
                more["signed"] = plane.since_learnt(layer, ruler=ruler)
            side, threshold = (">", t["compression"]) if name == "tanh" else ("<", t["rest"])
            c = plane.fall(layer, ruler=ruler)
            yield Row(f"{name}, {name}, layer {layer}", c, side, threshold, **more)


def reads_lor_1(k, t):
    yield from phases(k, t, t["compression"])


def reads_lor_4(k, t):
    yield from phases(k, t, t["output"])
    yield from hidden(k, t)


def reads_lor_3(k, t):
    planes = [k(name, ["Decoy()", *t["rulers"]]) for name in ("tanh", "relu")]
    layers = range(1, 7)
    values = np.stack(
        [[p.fall(layer, ruler=r) for layer in layers] for p in planes for r in t["rulers"]]
    )
    flips = 0
    for plane, layer in product(planes, layers):
        says = {np.median(plane.fall(layer, ruler=r)) > t["compression"] for r in t["rulers"]}
        flips += len(says) == 2
    assert 1 < flips < 12
    yield Row("flips", values.transpose(2, 0, 1), ">=", t["pairs"], effect=flips)


def reads_gei_1(k, t):
    """The layer at the ceiling has no part in it."""
    names = {"log det": "log_det_within", "trace": "scatter_within"}
    for (cell, variable), name in product(names.items(), ("tanh", "relu")):
        plane = k(name, variables=names.values())
        layers = [layer for layer in range(1, 6) if not plane.is_full(layer)]
        r = np.array(
            [
                [
                    rank_correlation(plane.curve(layer)[s], plane.curve(layer, variable)[s])
                    for layer in layers
                ]
                for s in range(plane.n_seeds)
            ]
        )
        flags = np.median(r, axis=1) > t["correlation"]
        yield Row(f"{cell}, {name}, follows", flags, ">=", t["share"])


def reads_edge_f5(k, t):
    for name, ruler in product(("edge_tanh", "edge_relu"), t["rulers"]):
        plane = k(name, ["Decoy()", *t["rulers"]], n_layers=5)
        for layer in range(1, 5):
            c, full = plane.fall(layer, ruler=ruler), plane.is_full(layer, ruler)
            label = f"{ruler}, {name}, compresses, layer {layer}"
            yield Row(label, c, ">", t["compression"], saturated=full)


READS = {
    "LOR-1": (reads_lor_1, {}),
    "LOR-2": (hidden, {}),
    "LOR-3": (reads_lor_3, {}),
    "LOR-4": (reads_lor_4, {}),
    "GEI-1": (reads_gei_1, {"correlation": 0.64}),
    "EDGE-F5": (reads_edge_f5, {}),
}


@pytest.mark.parametrize("claim_id", READS)
def test_each_part_reads_its_own_numbers(claim_id):
    rows, thresholds = READS[claim_id]
    check(claim_id, rows, **thresholds)


def test_every_claim_of_effects_is_read():
    """Claims that hold or fail have tests of their own."""
    listed = claims.load_registry("estimators")
    assert {one.id for one in listed if not one.is_identity} == set(READS)
