"""What each test of a criterion of Goldfeld et al. reads: no two numbers are alike."""

from itertools import product

import numpy as np
import pytest
from known_planes import Row, check, rank_correlation

from ibcore import claims

SCATTER = ("scatter_within", "scatter_between")


def correlations(x, y):
    """Over the checkpoints of every network."""
    return [rank_correlation(*one) for one in zip(x, y, strict=True)]


def ratio_of_scatter(plane, layer):
    within, between = (plane.curve(layer, name) for name in SCATTER)
    return within / between


def reads_f3(k, t):
    """In every other network finer bins show more; in the others one ruler breaks the order."""
    names = [f"Binning(n_bins={n}, low=-1.0, high=1.0)" for n in t["bins"]]
    plane = k("quiet", ["Decoy()", t["exact"], *names[::-1]])
    finer = [plane.curve(ruler=name) for name in names]
    for name, values in zip(names, np.sort(finer, axis=0), strict=True):
        plane.curve(ruler=name)[::2] = values[::2]
    steps = np.diff([plane.curve(ruler=name) for name in names], axis=0)
    grows = (steps > -t["rounding"]).all(axis=(0, 2, 3))
    yield Row("monotone", grows, ">=", t["share"])
    for layer in range(1, 7):
        gap = plane.end(layer, ruler=t["exact"]) - plane.end(layer, ruler=names[-1])
        yield Row(f"reaches, layer {layer}", gap, "<", t["gap"])
    coarse, fine = (
        plane.end(5, ruler=f"Binning(n_bins={n}, low=-1.0, high=1.0)") for n in t["spread_bins"]
    )
    yield Row("spread, layer 5", fine - coarse, ">", t["spread"])


def reads_f5(k, t):
    for cell in ("noisy", "faster", "small_batches", "sgd"):
        plane = k(cell, variables=SCATTER)
        ratio, peak = ratio_of_scatter(plane, 5), plane.peak(5)
        together = [
            rank_correlation(ix[place:], other[place:])
            for ix, other, place in zip(plane.curve(5), ratio, plane.place(5), strict=True)
        ]
        right = plane.end(variable="test_accuracy")
        yield Row(f"{cell}, compression, compresses, layer 5", plane.fall(5), ">", t["compression"])
        yield Row(f"{cell}, peak, not before, layer 5", peak, ">=", 10)
        yield Row(f"{cell}, peak, not after, layer 5", peak, "<=", 200)
        yield Row(f"{cell}, accuracy, learns, layer 5", right, ">=", t["accuracy"])
        yield Row(f"{cell}, scatter, together, layer 5", together, ">", t["correlation"])


def reads_f5b(k, t):
    plane = k("noisy", variables=[*SCATTER, "corner_share", "corners_apart"])
    plane.arrays["corners_apart"][::2] = 0
    ix, scatter = (np.diff(plane.curve(5, name)[:, 1:]) for name in ("i_xt", SCATTER[0]))
    agree = (np.sign(ix) == np.sign(scatter)).mean(axis=1)
    yield Row("signs, signs, layer 5", agree, ">", t["agree"])
    yield Row("corners, corners, layer 5", plane.end(5, "corner_share"), ">", t["near"])
    apart = plane.end(5, "corners_apart") > 0
    yield Row("corners, apart, layer 5", apart, ">=", t["apart"])


ORTHONORMAL = ("parseval_1e4", "parseval_1e3", "parseval_1e2", "parseval_1e1",
               "cisse_1e4", "cisse_1e3")  # fmt: skip


def reads_f6(k, t):
    plain = k("noisy", ["Decoy()", t["ruler"]])
    own = plain.end(variable="test_accuracy")
    for cell in ORTHONORMAL:
        plane = k(cell)
        for layer in (4, 5):
            c, without = plane.fall(layer), plain.fall(layer, ruler=t["ruler"])
            values, ratio = np.stack([c, without], axis=1), np.median(c) / np.median(without)
            where = f"{cell}, compression, less, layer {layer}"
            yield Row(where, values, "<", t["ratio"], effect=ratio)
        gain = plane.end(variable="test_accuracy") - own
        yield Row(f"{cell}, accuracy, accuracy", gain, ">=", t["accuracy"])


def reads_c1(k, t):
    for group, layer in product(("noisy", "quiet"), (4, 5)):
        plane = k(group, variables=SCATTER)
        ix, full = plane.curve(layer), plane.is_full(layer)
        cells = {
            "within": plane.curve(layer, SCATTER[0]),
            "within over between": ratio_of_scatter(plane, layer),
        }
        for cell, scatter in cells.items():
            label, r = f"{cell}, {group}, together, layer {layer}", correlations(ix, scatter)
            yield Row(label, r, ">", t["correlation"], saturated=full)


def reads_noise(k, t):
    names = ("noise_0001", "noisy", "noise_001", "noise_003", "noise_01", "noise_03", "noise_1")
    for layer in (3, 4, 5):
        top = [k(name).top(layer) for name in names]
        effect = max(np.diff([np.median(one) for one in top]))
        yield Row(f"falls, layer {layer}", np.stack(top, 1), "<=", t["slack"], effect=effect)
    for name in names:
        yield Row(f"{name}, compresses", k(name).fall(5), ">", 0.0, reported=True)


def reads_spiral(k, t):
    yield Row("learns", k("spiral").end(variable="test_accuracy"), ">=", t["accuracy"])


def reads_mn(k, t):
    """Noise 0.05 and 0.1 is small, 0.5 large; 0.2 and dropout are shown."""
    plain = k("cnn", variables=["cosine_within", "cosine_between"], n_layers=5)
    for layer in (3, 4):
        gap = plain.curve(layer, "cosine_within") - plain.curve(layer, "cosine_between")
        r = [rank_correlation(plain.epochs, one) for one in gap]
        yield Row(f"cosines, cosines, layer {layer}", r, ">", t["correlation"])
    names = ("cnn", *(f"cnn_{one}" for one in ("noise_005", "noise_01", "noise_02", "noise_05")))
    error = {
        name: 1 - k(name, n_layers=5).end(variable="test_accuracy")
        for name in (*names, "cnn_dropout")
    }
    own = np.median(error["cnn"])
    for name in ("cnn_noise_005", "cnn_noise_01"):
        values = np.stack([error["cnn"], error[name]], axis=1)
        effect = abs(np.median(error[name]) - own) / error["cnn"].std()
        yield Row(f"small noise, {name}, small", values, "<", 1.0, effect=effect)
    large = np.stack([error["cnn_noise_05"], error["cnn"]], axis=1)
    effect = np.median(error["cnn_noise_05"]) / own
    yield Row("large noise, large", large, ">", t["times"], effect=effect)
    for name, each in error.items():
        yield Row(f"{name}, error", each, "<", 0.0, reported=True)


READS = {
    "GOLD-F3": (reads_f3, {}),
    "GOLD-F5": (reads_f5, {}),
    "GOLD-F5b": (reads_f5b, {}),
    "GOLD-F6": (reads_f6, {}),
    "GOLD-C1": (reads_c1, {}),
    "GOLD-NOISE": (reads_noise, {}),
    "GEST-F6": (reads_spiral, {}),
    "GOLD-MN": (reads_mn, {}),
}


@pytest.mark.parametrize("claim_id", READS)
def test_each_part_reads_its_own_numbers(claim_id):
    rows, thresholds = READS[claim_id]
    check(claim_id, rows, **thresholds)


def test_every_claim_of_effects_is_read():
    """Claims that hold or fail have tests of their own."""
    listed = claims.load_registry("goldfeld")
    assert {one.id for one in listed if not one.is_identity} == set(READS)
