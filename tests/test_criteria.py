"""The vocabulary: each key of a test reads the numbers it names; no two in a plane are alike."""

import numpy as np
import pytest
import xarray as xr
from claim_planes import make_plane
from known_planes import Known

from ibcore.claims import clocks
from ibcore.claims import effects as fx
from ibcore.claims.checks import MARGINS
from ibcore.claims.criteria import EFFECTS, CheckSpec

RULERS = ("First()", "Second()")


@pytest.fixture(scope="module")
def known():
    """Two runs of the same networks: other curves, other clocks, other layers at the ceiling."""
    return {name: Known(name, RULERS, variables=("weight_norm",)) for name in ("one", "other")}


def cells(known, **entry):
    """Label -> cell of a test."""
    test = CheckSpec({"name": "test", **entry}, "here").test(
        {name: plane.plane for name, plane in known.items()}, None
    )
    return {cell.label: cell for cell in test.cells}


def close(found, values):
    np.testing.assert_allclose(found, values, atol=1e-9)


# Where


def test_planes_layers_and_rulers_are_cells(known):
    found = cells(
        known,
        effect="compression",
        planes={"A": "one", "B": "other"},
        layers=[2, 6],
        rulers={"first": "First()", "second": "Second()"},
    )
    names = {"A": "one", "B": "other"}
    rulers = {"first": "First()", "second": "Second()"}
    assert len(found) == 8
    for label, cell in found.items():
        place, ruler, where = label.split(", ")
        layer = 6 if where == "output" else 2
        plane = known[names[place]]
        close(cell.values, plane.fall(layer, ruler=rulers[ruler]))
        close(cell.signed, -plane.since_learnt(layer, ruler=rulers[ruler]))
        assert cell.answers != plane.is_full(layer, rulers[ruler])
        assert cell.seeds == tuple(plane.plane.seed.values)


def test_the_first_ruler_is_the_main_one(known):
    found = cells(known, effect="compression", planes=["one"], ruler="Second()", layers="hidden")
    assert list(found) == [f"layer {k}" for k in range(1, 6)]
    close(found["layer 3"].values, known["one"].fall(3, ruler="Second()"))
    found = cells(known, effect="compression", planes=["one"], layers="all")
    assert list(found)[-1] == "output"
    close(found["layer 3"].values, known["one"].fall(3))


def test_the_mean_over_layers_leaves_out_those_at_their_ceiling(known):
    plane = known["one"]
    full = plane.full_layer["First()"]
    found = cells(known, effect="compression", planes=["one"], layer_mean=[1, 2, 3, 4, 5, 6])
    able = [k for k in range(1, 7) if k != full]
    close(found["one"].values, plane.mean_fall(able))


def test_another_ruler_is_subtracted_network_by_network(known):
    found = cells(
        known, effect="compression", planes=["one"], layers=[2], ruler="First()",
        minus_ruler="Second()",
    )["layer 2"]  # fmt: skip
    plane = known["one"]
    close(found.values, plane.fall(2, ruler="First()") - plane.fall(2, ruler="Second()"))
    assert found.signed is None


# Against


def test_pairs_are_compared_seed_by_seed(known):
    minus = cells(known, effect="fitting", pairs={"A": ["one", "other"]}, layers=[2])
    close(minus["layer 2"].values, known["one"].rise(2) - known["other"].rise(2))
    over = cells(known, effect="fitting", pairs={"A": ["one", "other"]}, layers=[2], against="over")
    close(over["layer 2"].values, known["one"].rise(2) / known["other"].rise(2))


def test_a_pair_is_hollow_only_where_neither_run_can_answer():
    """At its ceiling in one run, the other shows what could have been lost."""
    full = {name: Known(name, ceiling=3) for name in ("one", "other")}
    found = cells(full, effect="compression", pairs={"A": ["one", "other"]}, layers=[3, 4])
    assert [cell.hollow for cell in found.values()] == ["at its ceiling", ""]
    half = {"one": Known("one", ceiling=3), "other": Known("other", ceiling=0)}
    found = cells(half, effect="compression", pairs={"A": ["one", "other"]}, layers=[3])
    assert found["layer 3"].answers


def straight(per_epoch, last, slope, loss):
    """A plane whose one curve is slope x epoch, with a given loss at every checkpoint."""
    epochs = np.array([0, last // 4, last // 2, last])
    ix = np.tile((slope * epochs)[:, None], (1, 1))
    return make_plane(ix, epochs=epochs, per_epoch=per_epoch, n_seeds=11, loss=loss)


def test_equal_updates_are_interpolated_between_checkpoints():
    """Cut at a checkpoint, 9 170 updates once passed for 10 000."""
    short = straight(10, 800, 1.0, [1.0, 0.8, 0.6, 0.4])  # ends at 8 000 updates
    long = straight(20, 1000, 2.0, [1.0, 0.8, 0.6, 0.4])  # is there at epoch 400
    one, other = clocks.at_equal(short, long, clock="update")
    assert one.i_xt.values[0, 0, -1, 0] == 800
    close(other.i_xt.values[0, 0, :, 0], [0, 500, 800, 800])  # epochs 0, 250, 400, held
    one, other = clocks.at_equal(short, long, clock="epoch")
    close(other.i_xt.values[0, 0, -1, 0], 1600)


def test_equal_loss_is_found_network_by_network():
    fast = straight(1, 100, 1.0, np.array([[1.0, 0.5, 0.2, 0.1], [1.0, 0.9, 0.6, 0.4]] * 6)[:11])
    slow = straight(1, 100, 1.0, [1.0, 0.9, 0.7, 0.3])
    one, other = clocks.at_equal(fast, slow, clock="loss")
    # 0.3 lies two thirds of the way from 0.5 (epoch 25) to 0.2 (epoch 50).
    close(one.i_xt.values[0, 0, -1, 0], 25 + 25 * 2 / 3)
    close(other.i_xt.values[0, 0, -1, 0], 100)
    # The second network ends at 0.4: the slow run is there three quarters of the way to its end.
    close(one.i_xt.values[0, 1, -1, 0], 100)
    close(other.i_xt.values[0, 1, -1, 0], 50 + 50 * 0.75)


# What


def lost_label(plane, layer):
    return plane.fall(layer, "i_ty")


def fresh(curve):
    """Network by network: the peak among checkpoints 0, 2, 4, ..., the value one further on."""
    found = []
    for one in curve:
        place = 2 * int(np.argmax(one[::2]))
        found.append(one[place + 1 if place < len(one) - 1 else place - 1] - one[-1])
    return np.array(found)


INDEPENDENT = {
    "compression": lambda p, k: p.fall(k),
    "fresh compression": lambda p, k: fresh(p.curve(k)),
    "relative compression": lambda p, k: p.fall(k) / p.top(k),
    "score": lambda p, k: 1 - p.end(k) / p.top(k),
    "change": lambda p, k: p.since_learnt(k),
    "fitting": lambda p, k: p.rise(k),
    "peak": lambda p, k: p.peak(k) / p.last,
    "peak epoch": lambda p, k: p.peak(k),
    "rising steps": lambda p, k: (np.diff(p.curve(k), axis=1) >= -0.02).mean(axis=1),
    "input information": lambda p, k: p.end(k),
    "label information": lambda p, k: p.end(k, "i_ty"),
    "label loss": lost_label,
    "label change": lambda p, k: p.end(k, "i_ty") - p.curve(k, "i_ty")[
        np.arange(p.n_seeds), p.place(k)
    ],
    "test accuracy": lambda p, k: p.end(variable="test_accuracy"),
    "overfitting": lambda p, k: p.end(variable="train_accuracy") - p.end(variable="test_accuracy"),
    "observable": lambda p, k: p.end(k, "weight_norm"),
}  # fmt: skip


@pytest.mark.parametrize("name", EFFECTS)
def test_every_effect_against_plain_arrays(known, name):
    more = {"with": {"variable": "weight_norm"}} if name == "observable" else {}
    whole = name in ("test accuracy", "overfitting")
    layer = next(k for k in range(2, 6) if not known["one"].is_full(k))
    where = {} if whole else {"layers": [layer]}
    (found,) = cells(known, effect=name, planes=["one"], **where, **more).values()
    close(found.values, INDEPENDENT[name](known["one"], layer))


def test_signed_companions_lie_on_the_same_side():
    """A layer that falls: C, its share and F have companions of their own sign."""
    rises_and_falls = Known("one", ceiling=0)
    for name in ("compression", "relative compression", "score", "fitting", "label loss"):
        effect = EFFECTS[name]
        assert effect.signed is not None
        value, signed = (f(rises_and_falls.plane, None) for f in (effect.measure, effect.signed))
        assert bool((signed <= value + 1e-9).all()), name


def test_shares_of_networks(known):
    line = float(np.median(known["one"].fall(2)))
    least = cells(
        known, effect="compression", planes=["one"], layers=[2], statistic="share", least=line
    )["layer 2"]
    close(least.values, known["one"].fall(2) >= line)
    most = cells(
        known, effect="compression", planes=["one"], layers=[2], statistic="share", most=line
    )["layer 2"]
    close(most.values, known["one"].fall(2) <= line)
    assert (least.kind, most.kind) == ("share", "share")


def test_the_mean_over_networks(known):
    found = cells(known, effect="fitting", planes=["one"], layers=[2], statistic="mean")["layer 2"]
    assert found.estimate("x").effect == pytest.approx(known["one"].rise(2).mean())


# Networks that have not learnt


def accuracies(*final):
    return np.array(final)[:, None] * np.ones((len(final), 5))


def flat(accuracy, **more):
    return make_plane(
        np.ones((len(accuracy), 5, 2)), epochs=np.arange(5), train_accuracy=accuracy, **more
    )


def test_half_way_from_the_majority_class_to_the_best_network():
    """Two balanced classes, best network 1.0: the line is 0.75."""
    plane = flat(accuracies(1.0, 0.76, 0.74, 0.5), label_entropy=1.0)
    assert fx.learnt(plane).tolist() == [True, True, False, False]


def test_six_of_ten_at_chance_are_counted_where_the_median_is_at_chance():
    """Nine tenths of the median network once counted one of them; ten classes."""
    plane = flat(accuracies(*[0.11] * 6, *[0.98] * 4), label_entropy=np.log2(10), classes=10)
    assert (~fx.learnt(plane)).sum() == 6
    assert fx.void(plane) == "void: 4 of 10 learnt"
    found = cells({"one": type("P", (), {"plane": plane})}, effect="compression", planes=["one"],
                  layers=[1])  # fmt: skip
    assert found["layer 1"].hollow == "void: 4 of 10 learnt"


@pytest.mark.parametrize(("share", "bits"), [(0.5, 1.0), (0.8, 0.721928094887), (1.0, 0.0)])
def test_the_majority_of_two_classes_from_their_entropy(share, bits):
    assert fx.majority(flat(accuracies(1.0), label_entropy=bits)) == pytest.approx(share)


def test_margins_are_below_what_is_of_interest():
    assert all(0 < margin < 1 for margin in MARGINS.values())


def test_a_ruler_that_is_not_there_is_named(known):
    with pytest.raises(ValueError, match="no ruler 'Third"):
        cells(known, effect="compression", planes=["one"], layers=[2], ruler="Third()")
    assert isinstance(known["one"].plane, xr.Dataset)
