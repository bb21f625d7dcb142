"""Every word of every claim of Chelombiev et al., reached on planes made by hand."""

import numpy as np
import pytest
from claim_planes import EPOCHS, LAYERS, N, T, curve, falls, layers, make_plane, seeds, with_rulers

from ibcore import claims
from ibcore.papers import paper_module

chelombiev = paper_module("chelombiev", "evidence")

EBAB, FIXED = "AdaptiveBinning(n_bins=30)", "RangeBinning(n_bins=30)"


def of(word, **values):
    return values[word.replace(" ", "_")]


def rulers_of(claim_id):
    return claims.find_claim(claim_id).thresholds["rulers"]


def compressing(amount, start=5.0, **more):
    return make_plane(falls(amount, start=start), **more)


def still(**more):
    return make_plane(curve(8.0, 8.0, 8.0), **more)


def rising(**more):
    return make_plane(curve(5.0, 6.0, 8.0), **more)


def per_layer(values):
    """(seed, epoch, layer) from something that fits (seed, layer)."""
    values = np.broadcast_to(values, (N, LAYERS))
    return np.repeat(values[:, None], len(EPOCHS), axis=1)


def f1(word):
    k = of(word, reproduced=N, partly=19, not_reproduced=3)
    far = (np.arange(N) < k)[:, None]
    top = np.where(np.arange(LAYERS) == 4, np.where(far, 100.0, 1.1), 1.0)
    if word == "not reproduced":
        top = top[:, ::-1]
    return {"relu": still(largest_activation=per_layer(top))}


def f2(word):
    first = of(word, reproduced=0.9, partly=seeds(0.9, 0.5), not_reproduced=0.5)
    even = of(word, reproduced=0.034, partly=0.034, not_reproduced=0.2)
    return {"relu": still(first_bin=per_layer(first), fullest_bin=per_layer(even))}


def f3(word):
    ebab, fixed = of(
        word,
        reproduced=(2.0, 0.0),
        partly=(layers(rest=2.0, l4=0.0), 0.0),
        not_reproduced=(seeds(0.1, 0.0), seeds(0.0, 0.1)),
        inverted=(0.0, 2.0),
    )
    return {"relu": with_rulers({EBAB: falls(ebab), FIXED: falls(fixed)})}


def f4(word):
    t = claims.find_claim("CHE-F4").thresholds
    one, other = curve(5.0, 8.0, 4.0), curve(8.0, 5.0, 9.0)
    rng = np.random.default_rng(0)
    noise = [8 * rng.random(one.shape) for _ in range(5)]
    scales = [ruler for _, ruler in t["scales"]]
    first, second = of(
        word,
        reproduced=((one, one), (other, other)),
        partly=((one, one), (other, noise[0])),
        not_reproduced=((noise[1], noise[2]), (noise[3], noise[4])),
    )
    curves = dict.fromkeys(scales, first[0]) | {t["ebab"]: first[1]}
    return {"relu": with_rulers(curves | {t["kde"]: second[0], t["fixed"]: second[1]})}


def f5(word):
    """A third of each kind; three networks of the third kind; none."""
    kind = np.arange(N)[:, None] % 3
    staying = of(word, reproduced=kind == 2, partly=np.arange(N)[:, None] < 3, not_reproduced=False)
    c = np.where((kind == 0) & ~np.asarray(staying), 1.0, 0.0)
    return {"relu": make_plane(curve(np.where(staying, 8.0, 5.0), 8.0, 8.0 - c))}


def f5t(word):
    k = of(word, reproduced=N, partly=1, not_reproduced=0)
    early = (np.arange(N) < k)[:, None]
    plane = curve(8.0, 8.0, np.where(early, 4.0, 8.0), at=1)
    return {"relu": make_plane(plane)}


def f5o(word):
    rng = np.random.default_rng(0)
    spread = rng.permutation(np.linspace(-1, 1, N))[:, None]
    width = of(
        word,
        reproduced=layers(rest=1.0, l6=0.1),
        partly=layers(rest=1.0, l6=0.97),
        not_reproduced=layers(rest=1.0, l6=1.03),
        inverted=layers(rest=0.1, l6=1.0),
    )
    other = rng.permutation(np.linspace(-1, 1, N))[:, None]
    mixed = np.where(np.arange(LAYERS) == 5, other, spread)
    return {"relu": make_plane(curve(5.0, 5.0, 8.0 + mixed * width))}


def f6(word):
    relu, tanh = of(
        word,
        reproduced=(still(), compressing(4.0)),
        partly=(still(), compressing(1.0)),
        not_reproduced=(compressing(6.0), compressing(1.0)),
    )
    return {"relu": relu, "tanh": tanh}


def f7(word):
    t = claims.find_claim("CHE-F7").thresholds
    tanh, some, rest = of(
        word,
        reproduced=(4.0, 1.0, 0.1),
        partly=(4.0, 1.0, 2.0),
        not_reproduced=(seeds(0.11, 0.09, 18), seeds(0.1, 0.12, 18), seeds(0.11, 0.1, 18)),
        inverted=(0.0, 0.1, 1.0),
    )
    planes = {"tanh": compressing(tanh)}
    for names, c in ((t["compress"], some), (t["less"], rest)):
        for name in names:
            planes |= {name: compressing(c), f"{name}_gain_1": compressing(c)}
    return {k: v for k, v in planes.items() if k != "abs_gain_1"}


def c1(word):
    c = of(word, reproduced=1.0, partly=seeds(1.0, 0.0), not_reproduced=0.0)
    names = ["relu", "abs", "prelu", "elu", "softplus", "centred_softplus", "swish"]
    return {name: compressing(c if name == "elu" else 0.0) for name in names}


def f8(word):
    amounts = of(
        word,
        reproduced=(0.0, 1.0, 2.0, 3.0),
        partly=(0.0, 1.0, 1.5, seeds(1.6, 1.4)),
        not_reproduced=(0.5, seeds(0.4, 0.6, 18), seeds(0.5, 0.6, 18), seeds(0.4, 0.6, 18)),
        inverted=(3.0, 2.0, 1.0, 0.0),
    )
    return {
        name: with_rulers(dict.fromkeys(rulers_of("CHE-F8a-c"), falls(c)))
        for name, c in zip(chelombiev.PENALTIES, amounts, strict=True)
    }


def f8d(word):
    apart = np.array([0, 0, 0, 1, 2, 3.0])
    ratio = of(word, reproduced=0.1, partly=seeds(0.4, 0.6), not_reproduced=1.0)
    far = make_plane(curve(9.0, 9.0, 8.0 - apart))
    return {"l2_015": make_plane(curve(9.0, 9.0, 8.0 - ratio * apart)), "relu": far}


def f8l(word):
    falling = np.array([0, 4, 3, 2, 1.0, 0])
    more, late = of(
        word,
        reproduced=(falling, True),
        partly=(falling, seeds(1, 0)),
        not_reproduced=(np.array([0, 1, 1, 1, 1.0, 0]), False),
        inverted=(falling[::-1], False),
    )
    start = curve(8.0, 8.0, 8.0)
    share = np.where(late, EPOCHS[-1] * 0.9, 1.0)
    step = EPOCHS[:, None] > np.broadcast_to(share, (N, 1))[:, :, None]
    return {"l2_015": make_plane(start - step * more), "relu": still()}


def s31(word):
    gain, rise = of(
        word,
        reproduced=(0.05, 0.0),
        partly=(0.05, 0.5),
        not_reproduced=(seeds(0.01, -0.01, 18), 0.5),
        inverted=(-0.05, 0.5),
    )
    ones = np.ones(len(EPOCHS))
    loss = np.broadcast_to(np.interp(EPOCHS, [0, 100, T], [1.0, 0.5, 0.5 + rise]), (N, len(ones)))
    without = still(test_accuracy=0.9 * ones)
    plane = still(test_accuracy=(0.9 + gain) * ones).assign(test_loss=(("seed", "epoch"), loss))
    found = {"relu": without} | dict.fromkeys(chelombiev.PENALTIES[1:], plane)
    return found | (s31("reproduced") | {"l2_015": plane} if word == "partly" else {})


def f9a(word):
    rng = np.random.default_rng(0)
    x, y = rng.permutation(N)[:, None] / N, rng.permutation(N)[:, None] / N
    sign = of(word, reproduced=1.0, partly=1.0, not_reproduced=0.0, inverted=-1.0)
    rest = x + 0.03 * rng.normal(size=(N, 1)) if word == "partly" else 2 * y
    c = np.where(np.arange(LAYERS) == 5, x, rest)
    noise = rng.normal(size=(N, 1))
    accuracy = 0.8 + 0.1 * sign * x + (0.05 if word == "partly" else 0.001) * noise
    return {"relu": compressing(c, test_accuracy=accuracy * np.ones(len(EPOCHS)))}


def f9b(word):
    names = claims.find_claim("CHE-F9b").experiments
    n = len(names)
    c = np.linspace(0.5, 4, n)
    other = np.array([0, 9, 3, 11, 5, 1, 12, 7, 2, 10, 6, 4, 8]) / n
    share = of(word, reproduced=0.0, partly=0.1, not_reproduced=1.0)
    accuracy = 0.7 + 0.1 * ((1 - share) * other + share * np.arange(n) / n)
    if word == "reproduced":  # r = 0 at every resample: the accuracy does not vary
        accuracy = np.full(n, 0.9)
    return {
        name: compressing(c[k], test_accuracy=accuracy[k] * np.ones(len(EPOCHS)))
        for k, name in enumerate(names)
    }


def m2(word):
    k = of(word, reproduced=N, partly=19, not_reproduced=3)
    blind = (np.arange(N) < k)[:, None, None]
    fixed = np.where(blind, 0.0, curve(8.0, 8.0, 8.0))
    return {"relu": with_rulers({FIXED: fixed, EBAB: curve(8.0, 8.0, 8.0)})}


BUILDERS = {
    "CHE-F1": f1, "CHE-F2": f2, "CHE-F3": f3, "CHE-F4": f4, "CHE-F5": f5, "CHE-F5t": f5t,
    "CHE-F5o": f5o, "CHE-F6": f6, "CHE-F7": f7, "CHE-C1": c1, "CHE-F8a-c": f8, "CHE-F8d-g": f8d,
    "CHE-F8l": f8l, "CHE-S3.1": s31, "CHE-F9a": f9a, "CHE-F9b": f9b, "CHE-M2": m2,
}  # fmt: skip
WORDS = [
    (claim.id, word)
    for claim in claims.load_registry("chelombiev")
    if not claim.is_identity
    for word in claim.words
]


@pytest.mark.parametrize(("claim_id", "word"), WORDS)
def test_every_declared_word_is_reached(claim_id, word):
    planes = BUILDERS[claim_id]("reproduced" if word == "undecided" else word)
    if word == "undecided":
        planes = {name: plane.isel(seed=slice(5)) for name, plane in planes.items()}
    assert claims.judge(claim_id, planes).verdict == word


def test_facts():
    assert claims.judge("CHE-S1").verdict == "holds"
    planes = {"tanh": compressing(2.0), "relu": still()}
    assert claims.judge("CHE-EQ6", planes).verdict == "holds"
    below = make_plane(curve(5.0, 8.0, -1.0))
    assert claims.judge("CHE-EQ6", planes | {"relu": below}).verdict == "fails"


def test_wrong_signs_of_the_noise_entropy_are_seen(monkeypatch):
    monkeypatch.setattr(
        chelombiev.rulers.theory, "linear_gaussian_information", lambda *a, **k: 7.0
    )
    assert claims.judge("CHE-S1").verdict == "fails"


def test_ten_are_enough_where_all_networks_agree():
    """CHE-M1 holds for ensembles of one mind and fails where the median hangs on the draw."""
    rows = ("CHE-F3", "CHE-F4", "CHE-F6", "CHE-F7", "CHE-F8a-c")
    names = claims.find_claim("CHE-M1").experiments
    t4 = claims.find_claim("CHE-F4").thresholds
    rulers = {EBAB, FIXED, t4["kde"], *(r for _, r in t4["scales"]), *rulers_of("CHE-F8a-c")}
    assert rows

    def all_of(amounts):
        return {
            name: with_rulers(dict.fromkeys(sorted(rulers, key=lambda r: r != EBAB), falls(c)))
            for name, c in amounts.items()
        }

    same = all_of({name: 0.1 * k for k, name in enumerate(names)})
    assert claims.judge("CHE-M1", same).verdict == "holds"
    split = all_of({name: seeds(4.0, 0.0, 18) for name in names})
    assert claims.judge("CHE-M1", split).verdict == "fails"
