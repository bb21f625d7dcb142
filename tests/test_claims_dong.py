"""Claims of Dong & Hisham: every declared word is reached, and a wrong mirror is seen."""

import numpy as np
import pytest
from claim_planes import make_plane

from ibcore import claims

EPOCHS = np.unique([0, 100, 22_500, *np.geomspace(1, 25_000, 20).round().astype(int)])
LOG = np.log1p(EPOCHS) / np.log1p(25_000)
H_Y, LAYERS = 1.5847, 4
MAIN = "OnTrainingRows(estimator=KernelBound(noise_variance=0.1, bound='upper'))"


def rising(top=8.0, drop=0.0, late=0.9):
    """(epoch, layer): from a quarter of the top up to it, down by ``drop`` from ``late`` on."""
    curve = (
        top / 4
        + 0.75 * top * np.clip(LOG / late, 0, 1)
        - drop * np.clip((LOG - late) / (1 - late), 0, 1)
    )
    return np.repeat(curve[:, None], LAYERS, axis=1)


def arm(drop=0.0, label_drop=0.0, seeds=12, accuracy=None, loss=None, late=0.9, spread=0.0):
    iy = np.minimum(rising(1.4, label_drop, late), H_Y)
    accuracy = np.interp(EPOCHS, [0, 50], [0.4, 0.9]) if accuracy is None else accuracy
    loss = np.interp(EPOCHS, [0, 100, 25_000], [1.1, 0.5, 0.9]) if loss is None else loss
    ix = rising(8.0, drop, late)[None] + spread * np.linspace(-1, 1, seeds)[:, None, None]
    plane = make_plane(
        ix if spread else ix[0], iy, epochs=EPOCHS, n_seeds=seeds, label_entropy=H_Y,
        n_samples=2083, train_accuracy=accuracy, test_accuracy=accuracy,
    )  # fmt: skip
    plane["test_loss"] = (("seed", "epoch"), np.broadcast_to(loss, (seeds, len(EPOCHS))).copy())
    return plane.assign_coords(estimator=[MAIN])


def rulers(plane, moved):
    """The same plane under several rulers; ``moved`` adds to IX of each, by name."""
    parts = []
    for name, extra in moved.items():
        one = plane.copy(deep=True).assign_coords(estimator=[name])
        one["i_xt"] = one.i_xt + extra
        parts.append(one)
    joined = parts[0].drop_vars(["i_xt", "i_ty"])
    joined = joined.drop_dims("estimator", errors="ignore").assign_coords(estimator=list(moved))
    dims = ("estimator", "seed", "epoch", "layer")
    return joined.assign(
        {v: (dims, np.concatenate([one[v].values for one in parts])) for v in ("i_xt", "i_ty")}
    )


def few(word):
    return 5 if word == "undecided" else 12


def f2(word, name="relu", early=False):
    shape = {"reproduced": {}, "partly": {"drop": 0.5}, "not reproduced": {"drop": 5.0}}
    late = 0.5 if word in ("partly", "not reproduced") else 0.9
    return {name: arm(seeds=few(word), late=late, **shape.get(word, {}))}


def f3(word):
    return f2(word, "tanh")


def f4(word, name="relu_l2"):
    drop, label = {
        "reproduced": (0.2, 0.3), "partly": (0.2, 0.0), "not reproduced": (2.0, 0.0),
        "undecided": (0.2, 0.3),
    }[word]  # fmt: skip
    return {name: arm(drop, label, seeds=few(word), late=0.6)}


def f5(word):
    return f4(word, "tanh_l2")


def f4r(word):
    drop, label = {
        "reproduced": (0.1, 0.5), "not reproduced": (0.0, 0.0), "inverted": (5.0, 0.0),
        "undecided": (0.1, 0.5),
    }.get(word, (0.1, 0.5))  # fmt: skip
    found = {name: arm(drop, label, seeds=few(word), late=0.6) for name in ("relu_l2", "tanh_l2")}
    if word == "partly":
        found["tanh_l2"] = arm(0.0, 0.0, late=0.6)
    return found


def f23(word):
    other = {"reproduced": arm(), "not reproduced": None, "undecided": arm(seeds=5)}.get(word)
    plane = arm(seeds=few(word), spread=0.01)
    if word == "not reproduced":
        other = arm()
        other["i_xt"] = 10 - other.i_xt
    if word == "partly":
        other = arm(spread=0.0)
        rng = np.random.default_rng(0)
        other["i_xt"] = other.i_xt + rng.normal(scale=4.2, size=other.i_xt.shape)
    return {"relu": plane, "tanh": other}


def c1(word):
    still = np.interp(EPOCHS, [0, 100], [1.1, 0.5])
    slow = np.interp(EPOCHS, [0, 100, 25_000], [0.4, 0.5, 0.9])
    more = {
        "reproduced": {}, "partly": {"loss": still}, "undecided": {},
        "not reproduced": {"loss": still, "accuracy": slow},
    }[word]  # fmt: skip
    return {name: arm(seeds=few(word), **more) for name in ("relu", "tanh")}


def c2(word):
    names = claims.find_claim("DONG-C2").thresholds["rulers"]
    without, penalty = {
        "reproduced": (0.0, 2.0), "not reproduced": (0.0, 0.0), "inverted": (2.0, 0.0),
        "undecided": (0.0, 2.0), "partly": (0.0, 2.0),
    }[word]  # fmt: skip
    found = {}
    for name in ("relu", "tanh"):
        for suffix, drop in (("", without), ("_l2", penalty)):
            drop = 0.0 if word == "partly" and name == "tanh" else drop
            plane = arm(drop, seeds=few(word), late=0.6)
            found[name + suffix] = rulers(plane, dict.fromkeys(names, 0.0))
    return found


def same(claim_id):
    def build(word):
        one, other = claims.find_claim(claim_id).thresholds["rulers"]
        found = {}
        for k, name in enumerate(claims.find_claim(claim_id).experiments):
            moved = word == "not reproduced" or (word == "partly" and k == 0)
            fall = -np.clip((LOG - 0.6) / 0.4, 0, 1)[:, None] * (3.0 if moved else 0.0)
            plane = arm(0.5, seeds=few(word), late=0.6)
            found[name] = rulers(plane, {one: 0.0, other: fall})
        return found

    return build


def leak(word):
    lower = {"reproduced": -0.1, "inverted": 0.05, "not reproduced": 0.0}.get(word, -0.1)
    base = np.interp(EPOCHS, [0, 50], [0.4, 0.9])
    found = {}
    for name in ("relu", "relu_l2"):
        change = 0.0 if word == "partly" and name == "relu" else lower
        found[name] = arm(seeds=few(word), accuracy=base)
        found[f"{name}_grouped"] = arm(seeds=few(word), accuracy=base + change)
    return found


def open_(word):
    found = {}
    for k in range(1, 41):
        good = word == "reproduced"
        grows = good or word == "partly"
        for name in ("relu", "tanh"):
            plane = arm(0.0 if grows else 5.0, seeds=5, late=0.6)
            plane["i_xt"][..., :2] = arm(0.0, seeds=5, late=0.6).i_xt.values[..., :2]
            found[f"open_{name}_{k:02}"] = plane  # one falling layer is enough
            found[f"penalty_{name}_{k:02}"] = arm(
                2.0 if good else 0.0, 0.4 if good else 0.0, seeds=5, late=0.6
            )
    return found


BUILDERS = {
    "DONG-F2": f2, "DONG-F3": f3, "DONG-F23": f23, "DONG-F4": f4, "DONG-F5": f5,
    "DONG-F4r": f4r, "DONG-C1": c1, "DONG-C2": c2, "DONG-N": same("DONG-N"),
    "DONG-Z": same("DONG-Z"), "DONG-LEAK": leak, "DONG-OPEN": open_,
}  # fmt: skip
CASES = [
    (claim.id, word)
    for claim in claims.load_registry("dong")
    if not claim.is_identity
    for word in claim.words
]


@pytest.mark.parametrize(("claim_id", "word"), CASES)
def test_every_word_is_reached(claim_id, word):
    assert claims.judge(claim_id, BUILDERS[claim_id](word)).verdict == word


@pytest.mark.parametrize("claim_id", ["DONG-EQ2", "DONG-EQ3"])
def test_mirrors(claim_id):
    """Both readings are mirror images; a fraction of a bit beside it is seen."""
    claim = claims.find_claim(claim_id)
    one, other = claim.thresholds["rulers"]
    planes = {}
    for name in claim.experiments:
        plane = rulers(arm(0.5), {one: 0.0, other: 0.0})
        plane["i_xt"][1] = 2 * np.log2(1666) - plane.i_xt.values[0]
        plane["i_ty"][1] = 2 * H_Y - plane.i_ty.values[0]
        planes[name] = plane
    assert claims.judge(claim, planes).verdict == "holds"
    variable = "i_xt" if claim_id == "DONG-EQ2" else "i_ty"
    one_value, one_layer, all_alike = (1, 0, 3, 1), (1, 0, slice(None), 1), (1,)
    for place, off in ((one_value, 0.01), (one_layer, 0.01), (all_alike, 0.05)):
        tanh = planes["tanh"].copy(deep=True)
        tanh[variable][place] += off
        assert claims.judge(claim, planes | {"tanh": tanh}).verdict == "fails"
