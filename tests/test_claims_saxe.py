"""Every word of every claim of Saxe et al. and the students, reached on planes made by hand."""

import numpy as np
import pytest
import xarray as xr
from claim_planes import (
    EPOCHS,
    LAYERS,
    N,
    T,
    curve,
    falling_snr,
    falls,
    layers,
    make_plane,
    seeds,
    with_rulers,
)

from ibcore import claims
from ibcore.papers import paper_module

linear = paper_module("saxe", "evidence").linear

GAINS = (1, 2, 3)
LATE = np.interp(np.log1p(EPOCHS), np.log1p([0, T]), [0.0, 1.0])


def compressing(amount, **more):
    """C = amount per layer; D = -amount, for the peak comes with the learning."""
    return make_plane(falls(amount), **more)


def still(**more):
    return make_plane(curve(8.0, 8.0, 8.0), **more)


def rising(**more):
    return make_plane(curve(5.0, 6.0, 8.0), **more)


def of(word, **values):
    """The value for a word; "undecided" takes that of "reproduced"."""
    return values[word.replace(" ", "_")] if word != "undecided" else values["reproduced"]


def accuracy(train, test):
    """Accuracies that have their value from epoch 10 on."""
    learning = np.interp(EPOCHS, [0, 10], [0.5, 1.0])
    return {"train_accuracy": train * learning, "test_accuracy": test * learning}


def f1a(word):
    plane = of(
        word,
        reproduced=compressing(2.0),
        partly=compressing(layers(rest=2.0, l6=0.5)),
        not_reproduced=still(),
        inverted=rising(),
    )
    return {"tanh": plane}


def relu(word):
    plane = of(
        word,
        reproduced=compressing(layers(rest=0.0, l6=1.0)),
        partly=compressing(layers(rest=0.0, l3=1.0, l6=1.0)),
        not_reproduced=make_plane(curve(layers(rest=5, l6=8), 8.0, layers(rest=7, l6=8))),
        inverted=make_plane(
            np.where(np.arange(LAYERS) == 5, curve(5.0, 6.0, 8.0), falls(1.0)),
        ),
    )
    return {"relu": plane}


def mnist(amount, start=5.0):
    """Five layers; all fall by the same unless told otherwise, layer by layer."""
    amount = np.broadcast_to(amount, (5,))
    return make_plane(curve(start, 8.0, 8.0 - amount, n_layers=5), n_samples=10_000)


def mnist_rising():
    return make_plane(curve(5.0, 6.0, 8.0, n_layers=5), n_samples=10_000)


def f1c(word):
    plane = of(
        word,
        reproduced=mnist(1.0),
        partly=mnist([1.0, 1.0, 0.0, 1.0, 1.0]),
        not_reproduced=make_plane(curve(8.0, 8.0, 8.0, n_layers=5)),
        inverted=mnist_rising(),
    )
    return {"mnist_tanh": plane}


def f1d(word):
    up = mnist_rising()
    up["i_xt"][..., :4] = mnist(1.0).i_xt[..., :4]
    plane = of(
        word,
        reproduced=mnist([0.0, 0.0, 0.0, 0.0, 1.0]),
        partly=mnist([0.0, 1.0, 0.0, 0.0, 1.0]),
        not_reproduced=mnist([1.0, 1.0, 1.0, 1.0, 0.0], start=[5, 5, 5, 5, 8]),
        inverted=up,
    )
    return {"mnist_relu": plane}


def linear_plane(amount, *, error=(1.0, 2.0), loss=(1.0, 1.0), iy=(0.4, 0.3), n_layers=2, **more):
    """A linear student: C, first and last errors, train and test loss, highest and last IY."""
    end = np.broadcast_to(amount, (n_layers,))
    per_layer = curve(5.0, 8.0, 8.0 - end, n_layers=n_layers)
    iy = curve(0.1, iy[0], iy[1], n_layers=n_layers)
    plane = make_plane(per_layer, iy, **more)
    flat = np.broadcast_to(np.linspace(*error, len(EPOCHS)), (N, len(EPOCHS)))
    return plane.assign(
        generalisation_error=(("seed", "epoch"), flat.copy()),
        loss=(("seed", "epoch"), np.full((N, len(EPOCHS)), loss[0])),
        test_loss=(("seed", "epoch"), np.full((N, len(EPOCHS)), loss[1])),
    )


def family(name, plane, n=3):
    return {f"{name}_{k}": plane for k in range(1, n + 1)}


def f3(word):
    good, compressed = linear_plane(0.0), linear_plane(1.0, loss=(1.0, 2.0))
    plane = of(
        word, reproduced=good, partly=linear_plane([0.0, 1.0]), not_reproduced=compressed
    )  # fmt: skip
    return family("linear", plane) | family("linear_few", compressed)


def f4ab(word):
    plane = of(
        word,
        reproduced=linear_plane(0.0),
        partly=linear_plane([0.0, 1.0]),
        not_reproduced=linear_plane(1.0, error=(1.0, 1.0), iy=(0.4, 0.4)),
    )
    return family("linear_sgd", plane)


def f4cd(word):
    many_rows = compressing(2.0, **accuracy(1.0, 0.99))
    few = of(
        word,
        reproduced=compressing(2.0, **accuracy(1.0, 0.9)),
        partly=compressing(0.5, **accuracy(1.0, 0.9)),
        not_reproduced=still(**accuracy(1.0, 0.99)),
        inverted=rising(**accuracy(0.9, 0.99)),
    )
    return {"tanh_30": few, "tanh": many_rows}


def f5(word):
    tanh, relu_ = of(
        word,
        reproduced=(compressing(2.0), still()),
        partly=(compressing(2.0), compressing(1.0)),
        not_reproduced=(still(), compressing(1.0)),
    )
    prefixes = ("", "full_", "sgd_1_", "sgd_256_", "gd_")
    return {f"{p}tanh": tanh for p in prefixes} | {f"{p}relu": relu_ for p in prefixes}


RULERS = claims.find_claim("SAXE-F6").thresholds["rulers"]


def f6(word):
    irrelevant, total = of(
        word, reproduced=(1.0, 0.0), partly=(seeds(1.0, 0.0), 0.0), not_reproduced=(0.0, 1.0)
    )
    plane = with_rulers(
        {
            RULERS[0]: curve(5.0, 8.0, 8.0 - total, n_layers=2),
            RULERS[1]: curve(5.0, 8.0, 8.0, n_layers=2),
            RULERS[2]: curve(5.0, 8.0, 8.0 - irrelevant, n_layers=2, at=2),
        }
    )
    loss = np.broadcast_to(np.interp(EPOCHS, [0, 20], [1.0, 0.0]), (N, len(EPOCHS)))
    if word == "not reproduced":
        loss = np.broadcast_to(np.interp(EPOCHS, [0, 1], [1.0, 0.0]), (N, len(EPOCHS)))
    plane = plane.assign(loss=(("seed", "epoch"), loss.copy()))
    return {f"relevant_{rows}_{k}": plane for rows in (100, 300, 1000) for k in GAINS}


def f8(word):
    ruler = claims.find_claim("SAXE-F8").thresholds["ruler"]
    c = of(
        word,
        reproduced=(2.0, 0.5, 0.0, 0.0),
        partly=(2.0, 0.5, 1.0, 0.0),
        not_reproduced=(0.05, 0.05, 1.0, 1.0),
        inverted=(0.01, 0.09, 1.0, 1.0),
    )
    names = ("tanh", "softsign", "relu", "softplus")
    return {n: with_rulers({ruler: falls(x)}) for n, x in zip(names, c, strict=True)}


def f9(word):
    one, other = of(
        word,
        reproduced=(1.0, 1.0),
        partly=(1.0, seeds(1.0, 0.0)),
        not_reproduced=(1.0, 0.0),
    )
    rulers = claims.find_claim("SAXE-F9/F10").thresholds["rulers"]
    plane = with_rulers({rulers[0]: falls(one), rulers[1]: falls(one), rulers[2]: falls(other)})
    return {"mnist_tanh": plane, "mnist_relu": plane}


def f12(word):
    def plane(by):
        return still(neighbour_entropy=by * LATE[:, None], neighbour_entropy_scaled=0.0)

    tanh, relu_ = of(
        word,
        reproduced=(plane(-3.0), plane(3.0)),
        partly=(plane(-3.0), plane(-3.0)),
        not_reproduced=(plane(0.0), plane(-3.0 * np.where(np.arange(N) < 20, 0, 1)[:, None, None])),
        inverted=(plane(3.0), plane(-3.0)),
    )
    return {"tanh": tanh, "relu": relu_}


def f14(word):
    t = claims.find_claim("SAXE-F14").thresholds
    c = of(
        word,
        reproduced=0.0,
        partly=layers(rest=0.0, l4=2.0),
        not_reproduced=2.0,
    )
    return {
        "tanh": with_rulers({t["even"]: falls(2.0)} | dict.fromkeys(t["rulers"], falls(c)))
    }  # fmt: skip


def f15(word):
    full, late = curve(12.0, 12.0, 12.0), curve(12.0, 12.0, 11.0, at=5000)
    pick = np.arange(LAYERS) >= 4
    plane = of(
        word,
        reproduced=np.where(pick, late, full),
        partly=np.where(np.arange(LAYERS) >= 5, late, full),
        not_reproduced=np.where(pick, full, curve(8.0, 8.0, 8.0)),
    )
    return {"tanh": with_rulers({"Exact()": plane})}


def f16(word):
    end = of(word, reproduced=0.9, partly=seeds(0.9, 0.1)[..., None], not_reproduced=0.0)
    plane = compressing(2.0, saturation=end * (EPOCHS > 100)[:, None])
    return {"tanh": plane, "full_tanh": plane}


def f18(word):
    c = of(word, reproduced=0.0, partly=[0.0, 1, 0, 0, 0, 0], not_reproduced=1.0)
    return {"linear_deep": linear_plane(c, n_layers=6)}


def f19(word):
    shift = of(word, reproduced=0.0, partly=np.array([0.0, 1.0]), not_reproduced=1.0)
    one = linear_plane(0.0)
    return family("linear_sgd", one) | family("linear_few", one.assign(i_xt=one.i_xt + shift))


def f20(word):
    decades = of(
        word,
        reproduced=2.0,
        partly=layers(rest=2.0, l2=0.5),
        not_reproduced=0.5,
        inverted=-2.0,
    )
    snr = falling_snr(decades)
    rng = np.random.default_rng(0)
    amount = rng.permutation(N)[:, None] / N  # has no order in common with the drops
    plane = compressing(amount * np.ones(LAYERS), **snr)
    if word != "reproduced":  # drops that follow C
        follow = 1 + 0.01 * amount[:, None] * np.ones((N, len(EPOCHS), LAYERS))
        mean = snr["gradient_mean"] ** follow
        plane = compressing(amount * np.ones(LAYERS), gradient_mean=mean, gradient_std=1.0)
    names = ("tanh", "relu", "snr_mnist_tanh", "snr_mnist_relu", "scalar")
    return dict.fromkeys(names, plane)


def a1(word):
    up = np.arange(len(EPOCHS))[:, None] * np.ones(LAYERS)
    norm = of(
        word,
        reproduced=up,
        partly=up * layers(rest=1, l2=-1),
        not_reproduced=-up,
    )
    return {"tanh": still(weight_norm=norm)}


def c1(word):
    """Of the parts, one that fails makes it partly."""
    noise = f5("reproduced")
    if word == "reproduced":
        return noise | f4cd(word) | {"relu": still(**accuracy(1.0, 0.99))}
    if word == "partly":
        return noise | f4cd(word) | {"relu": compressing(1.0, **accuracy(1.0, 0.99))}
    if word == "inverted":
        return f5("not reproduced") | {
            "tanh_30": rising(**accuracy(0.9, 0.99)), "tanh": still(),
            "relu": compressing(1.0, **accuracy(0.9, 0.8)),
        }  # fmt: skip
    return f5("not reproduced") | {
        "tanh_30": still(**accuracy(1.0, 0.99)), "tanh": still(),
        "relu": compressing(1.0, **accuracy(0.9, 0.8)),
    }  # fmt: skip


def stu_3(word):
    rest = f6("not reproduced" if word in ("not reproduced", "inverted") else "reproduced")
    return c1(word) | rest


def stu_5(word):
    return relu(word) | f1d(word)


def stu_6(word):
    return f1c(word) | f1d(word)


def stu_7(word):
    return f3(word) | f4ab(word)


def stu_12(word):
    c = of(word, reproduced=0.0, partly=layers(rest=0.0, l2=1.0), not_reproduced=1.0)
    sizes = {"narrow_tanh": 3, "narrow_relu": 3, "wide_tanh": 2, "wide_relu": 2}
    return {k: v for name, n in sizes.items() for k, v in family(name, compressing(c), n).items()}


def stu_13(word):
    c = of(word, reproduced=0.0, partly=layers(rest=0.0, l2=1.0), not_reproduced=1.0)
    rulers = claims.find_claim("STU-13").thresholds["rulers"]
    plane = with_rulers(dict.fromkeys(rulers, falls(c)))
    names = ("sigmoid", "sigmoid_long", "narrow_sigmoid_1", "narrow_sigmoid_2")
    return dict.fromkeys(names, plane)


def stu_1v(word):
    """C by activation, by gain, or by activation in some networks only."""
    rulers = claims.find_claim("STU-1v").thresholds["rulers"]
    rng = np.random.default_rng(1)
    planes = {}
    for gain in ("", "gain2_"):
        for batch in ("", "full_"):
            for activation in ("tanh", "relu"):
                by_gain, by_activation = float(gain != ""), float(activation == "tanh")
                if word in ("reproduced", "undecided"):
                    c = by_activation
                elif word in ("partly", "not reproduced"):
                    k = 19 if word == "partly" else 17
                    c = np.where(np.arange(N) < k, by_activation, by_gain)[:, None]
                else:
                    c = by_gain
                c = c + 0.01 * rng.random((N, 1)) * np.ones(LAYERS)
                planes[f"{gain}{batch}{activation}"] = with_rulers(dict.fromkeys(rulers, falls(c)))
    return planes


def stu_2c(word):
    bits = of(word, reproduced=0.2, partly=seeds(0.5, 1.5), not_reproduced=1.5)
    found = {}
    for name in ("tanh", "relu"):
        loss = np.broadcast_to(bits * np.log(2), (N, len(EPOCHS))).copy()
        found[name] = still().assign(test_loss=(("seed", "epoch"), loss))
    return found


BUILDERS = {
    "SAXE-F1A": f1a, "SAXE-F1B": relu, "SAXE-F1C": f1c, "SAXE-F1D": f1d, "SAXE-F3": f3,
    "SAXE-F4AB": f4ab, "SAXE-F4CD": f4cd, "SAXE-F5": f5, "SAXE-F6": f6, "SAXE-F8": f8,
    "SAXE-F9/F10": f9, "SAXE-F12": f12, "SAXE-F14": f14, "SAXE-F15": f15, "SAXE-F16": f16,
    "SAXE-F17": relu, "SAXE-F18": f18, "SAXE-F19": f19, "SAXE-F20/21": f20, "SAXE-A1": a1,
    "SAXE-C1": c1, "STU-1": c1, "STU-1v": stu_1v, "STU-2c": stu_2c, "STU-3": stu_3,
    "STU-5": stu_5, "STU-6": stu_6, "STU-7": stu_7, "STU-8": f4cd, "STU-10": f5, "STU-11": f6,
    "STU-12": stu_12, "STU-13": stu_13,
}  # fmt: skip
WORDS = [
    (claim.id, word)
    for claim in claims.load_registry("saxe")
    if not claim.is_identity
    for word in claim.words
]


@pytest.mark.parametrize(("claim_id", "word"), WORDS)
def test_every_declared_word_is_reached(claim_id, word):
    planes = BUILDERS[claim_id]("reproduced" if word == "undecided" else word)
    if word == "undecided":
        planes = {name: plane.isel(seed=slice(5)) for name, plane in planes.items()}
    verdict = claims.judge(claim_id, planes)
    assert verdict.verdict == word, verdict
    assert verdict.n_seeds == (5 if word == "undecided" else N)


@pytest.mark.parametrize("claim_id", ["SAXE-F2", "SAXE-EQ21", "STU-2"])
def test_facts_without_networks(claim_id):
    assert claims.judge(claim_id).verdict == "holds"


def test_facts_fail_where_the_theory_is_broken(monkeypatch):
    """Half the information, and an information that does not know the weight."""
    true = linear.theory.single_neuron_information
    monkeypatch.setattr(
        linear.theory, "single_neuron_information", lambda *a, **k: 0.5 * true(*a, **k)
    )
    assert claims.judge("SAXE-F2").verdict == "fails"
    monkeypatch.setattr(linear.theory, "linear_gaussian_information", lambda *a, **k: 1.0)
    assert claims.judge("SAXE-EQ21").verdict == "fails"
    monkeypatch.setattr(paper_module("saxe", "evidence").students, "entropy", lambda p: len(p))
    assert claims.judge("STU-2").verdict == "fails"
    monkeypatch.setattr(linear, "_gaussian_entropy", lambda edges: -edges.max())
    assert claims.judge("SAXE-F13").verdict == "holds"


def test_twins():
    """STU-7p: equal planes and errors of 1 and 2, then of 1 and 1."""
    one, two = linear_plane(0.0, error=(1.0, 1.0)), linear_plane(0.0, error=(1.0, 2.0))
    other = family("linear_few", one) | family("linear_sgd", one)
    assert claims.judge("STU-7p", family("linear", two) | other).verdict == "holds"
    assert claims.judge("STU-7p", family("linear", one) | other).verdict == "fails"
    knowing = linear_plane(0.0, error=(1.0, 2.0), iy=(0.9, 0.9))
    assert claims.judge("STU-7p", family("linear", knowing) | other).verdict == "fails"


def test_twins_are_compared_at_equal_learning_rate_times_updates_in_every_layer():
    """The same fall in as many epochs of another length: the clocks are scaled to one end."""
    one = linear_plane(3.0, error=(1.0, 1.0))
    other = family("linear_few", one) | family("linear_sgd", one)
    two = linear_plane(3.0, error=(1.0, 2.0), per_epoch=60)
    assert claims.judge("STU-7p", family("linear", two) | other).verdict == "holds"
    two = linear_plane([3.0, 2.0], error=(1.0, 2.0))
    assert claims.judge("STU-7p", family("linear", two) | other).verdict == "fails"


def test_dissociation():
    """STU-9: four kinds of networks, or three. Layer 5 decides, and the end of the training."""
    c = np.where(np.arange(LAYERS) == 4, np.tile([2.0, 2.0, 0.0, 0.0], N // 4)[:, None], 0.5)
    test = np.tile([0.99, 0.8], N // 2)[:, None] * (EPOCHS >= T) + 0.92 * (EPOCHS < T)
    all_four = make_plane(falls(c), test_accuracy=test)
    names = ("tanh", "relu", "tanh_30", "relu_30", "relu_10")
    assert claims.judge("STU-9", dict.fromkeys(names, all_four)).verdict == "holds"
    three = make_plane(falls(c), test_accuracy=np.where(c[:, 4:5] > 0, test, 0.99))
    assert claims.judge("STU-9", dict.fromkeys(names, three)).verdict == "fails"


def test_shares_of_variance_add_up_in_a_balanced_design():
    """Main effects of independent additive factors explain everything."""
    _explained = paper_module("saxe", "evidence").students._explained

    rng = np.random.default_rng(0)
    effects = [rng.normal(size=n) for n in (2, 2, 2, 3, 5)]
    a, b, g, r, s = np.meshgrid(*effects, indexing="ij")
    values = np.moveaxis(a + b + g + r + s, -1, 0)[None]
    shares = [_explained(values, axis)[0] for axis in range(5)]
    assert sum(shares) == pytest.approx(1.0)
    assert shares[0] == pytest.approx(effects[0].var() / values.var())


def test_planes_carry_what_a_claim_asks_for():
    """A missing observable is named."""
    with pytest.raises(ValueError, match="neighbour_entropy"):
        claims.judge("SAXE-F12", {"tanh": still(), "relu": still()})
    assert isinstance(still(), xr.Dataset)
