"""What the functions of Chelombiev et al. read: no two numbers are alike."""

import numpy as np
import pytest
from claim_planes import N, curve, make_plane
from known_planes import Row, check, distinct, rank_correlation

from ibcore import claims
from ibcore.claims.judge import checks_of
from ibcore.papers import paper_module

chelombiev = paper_module("chelombiev", "evidence")
HIDDEN = (1, 2, 3, 4, 5)
DEEP = (2, 3, 4, 5)


def settings_of(claim_id, **changes):
    """{name of the test: its numbers}, as ``check`` changes them."""
    for spec in claims.find_claim(claim_id).tests:
        if "function" in spec.entry:
            own = spec.entry.get("with", {})
            yield (
                spec.entry["name"],
                distinct(own | {key: changes[key] for key in changes if key in own}),
            )


def fresh_half(plane, layer):
    """Loss since a peak among every other checkpoint, read at the one beside it."""
    found = []
    for values in plane.curve(layer):
        at = 2 * int(values[::2].argmax())
        found.append(values[at + 1 if at + 1 < len(values) else at - 1] - values[-1])
    return np.array(found)


def mean_fresh_half(plane):
    return np.mean([fresh_half(plane, layer) for layer in DEEP], axis=0)


def reads_f1(k, t):
    plane = k("relu", variables=["largest_activation"])
    top = plane.curve(variable="largest_activation")[:, :, :5]
    top[2, 5, 1] = 1000 * top[2].min()  # two networks far beyond the others
    top[3, 5, 1] = 50 * top[3].min()
    later = top[:, 1:].reshape(len(top), -1)
    ratio = later.max(axis=1) / later.min(axis=1)
    for name, own in settings_of("CHE-F1"):
        if name == "leads":
            leads = top[:, -1].argmax(axis=1) == 4
            yield Row("leads: the last hidden layer leads", leads)
        else:
            yield Row(f"{name}: a factor of {own['factor']:g}", ratio > own["factor"])


def reads_f2(k, t):
    plane = k("relu", variables=["first_bin", "fullest_bin"])
    first = plane.end(variable="first_bin")[:, :5]
    yield Row("first: fullest layer", first.max(axis=1))


def reads_f4(k, t):
    named = [
        ruler for _, own in settings_of("CHE-F4") for p in own["pairs"].values() for ruler in p
    ]
    plane = k("relu", ["Decoy()", *dict.fromkeys(one for pair in named for one in pair)])

    def r(one, other):
        a, b = (plane.curve(ruler=ruler)[:, :, :5] for ruler in (one, other))
        flat = (x.reshape(len(x), -1) for x in (a, b))
        return np.array([rank_correlation(*two) for two in zip(*flat, strict=True)])

    for name, own in settings_of("CHE-F4"):
        for label, (pair, *other) in own["pairs"].items():
            yield Row(f"{name}: {label}", r(*pair) - (r(*other[0]) if other else 0))


def reads_f5(k, t):
    plane = k("relu", ceiling=2)
    ix = plane.curve()
    for network, height in enumerate((0.02, 0.1, 0.15)):  # three networks that hardly move
        ix[network] = 7 + height * (ix[network] - 7)
    c = plane.mean_fall((3, 4, 5))
    f = np.mean([plane.rise(layer) for layer in (3, 4, 5)], axis=0)
    for name, own in settings_of("CHE-F5", bits=1.1):
        line = own["bits"]
        yield Row(f"{name}: compresses", c > line)
        yield Row(f"{name}: only fits", (c <= line) & (f > line))
        yield Row(f"{name}: stays", (c <= line) & (f <= line))


def starts_by_losing(plane, t):
    found = False
    for layer in HIDDEN:
        early = plane.peak(layer) < t["early"] * plane.last
        found |= (plane.since_learnt(layer) < -t["bits"]) & early
    return found


def reads_f5t(k, t):
    relu, tanh = (starts_by_losing(k(name), t) for name in ("relu", "tanh"))
    yield Row("first: ReLU", relu)
    apart = relu.astype(float) - tanh
    yield Row("unlike tanh: ReLU minus tanh", apart, effect=relu.mean() - tanh.mean())


def reads_f5o(k, t):
    plane = k("relu", ceiling=4)
    for name, own in settings_of("CHE-F5o"):
        for label, layers in own["against"].items():
            values = np.stack([plane.end(layer) for layer in (*layers, 6)], axis=1)
            *others, output = values.std(axis=0)
            full = any(plane.is_full(layer) for layer in (*layers, 6))
            effect = output - min(others)
            yield Row(f"{name}: {label}", values, effect=effect, hollow=full)


def reads_f6(k, t):
    relu = k("relu")
    for layer in HIDDEN:
        ix = relu.curve(layer)
        change = ix[:, -1] - ix[:, ix.shape[1] // 2]
        full = relu.is_full(layer)
        yield Row(f"still: layer {layer}", change, effect=change.mean(), hollow=full)
    for name, plane in (("falls", "tanh"), ("falls too", "relu")):
        ix = k(plane).curve(5)
        mean = ix.mean(axis=0)
        yield Row(
            f"{name}: {plane}, layer 5", ix, effect=max(mean) - mean[-1],
            signed=fresh_half(k(plane), 5), hollow=k(plane).is_full(5),
        )  # fmt: skip


def reads_losses(claim_id):
    """C of runs, and C of one run minus that of another."""

    def rows(k, t):
        for name, own in settings_of(claim_id):
            for label, run in own.get("runs", {}).items():
                signed = mean_fresh_half(k(run))
                yield Row(f"{name}: {label}", k(run).mean_fall(DEEP), signed=signed)
            for label, (one, other) in own.get("pairs", {}).items():
                more = k(one).mean_fall(DEEP) - k(other).mean_fall(DEEP)
                yield Row(f"{name}: {label}", more)

    return rows


def spread(plane):
    variances = plane.end()[:, 2:].var(axis=1) + plane.end(variable="i_ty")[:, 2:].var(axis=1)
    return np.sqrt(variances)


def reads_f8d(k, t):
    for name, own in settings_of("CHE-F8d-g"):
        for label, (one, other) in own["pairs"].items():
            both = np.stack([spread(k(one)), spread(k(other))], axis=1)
            first, second = np.median(both, axis=0)
            yield Row(f"{name}: {label}", both, effect=first / second)


def reads_f8l(k, t):
    l2, relu = k("l2_015"), k("relu", variables=["test_loss"])
    more = np.stack([l2.fall(layer) - relu.fall(layer) for layer in DEEP], axis=1)
    order = rank_correlation(DEEP, np.median(more, axis=0))
    yield Row("nearer: layer and added compression", more, effect=order)
    moments = {}
    for name, own in settings_of("CHE-F8l"):
        moments[own.get("after")] = name, own
    accuracy, loss = l2.arrays["train_accuracy"], relu.arrays["test_loss"]
    learnt = (accuracy >= moments["learnt"][1]["share"] * accuracy[:, -1:]).argmax(axis=1)
    times = {
        "learnt": l2.epochs[learnt],
        "overfits": relu.epochs[loss.argmin(axis=1)],
        "half": np.full(len(loss), l2.last // 2),
    }
    for after, when in times.items():
        name, own = moments[after]
        place = [np.abs(l2.epochs - one).argmin() for one in when]
        shares = []
        for layer in DEEP:
            lost = l2.fall(layer)
            late = (l2.curve(layer)[range(len(place)), place] - l2.end(layer)) / lost
            shares.append(np.where(lost > own["least"], late, np.nan))
        yield Row(f"{name}: after: {after}", np.nanmean(shares, axis=0))


def reads_s31(k, t):
    for name, own in settings_of("CHE-S3.1"):
        for label, run in own["runs"].items():
            loss = k(run, variables=["test_loss", "loss"]).arrays["test_loss"]
            rise = [max(one[one.argmin() :]) / min(one) - 1 for one in loss]
            yield Row(f"{name}: {label}", rise)


def score(plane, layers):
    return np.mean([plane.fall(layer) / plane.top(layer) for layer in layers], axis=0)


def reads_f9a(k, t):
    plane = k("relu")
    accuracy, train = (plane.end(variable=f"{name}_accuracy") for name in ("test", "train"))
    r = {}
    for name, layers in (
        ("output", (6,)), ("all layers", (*HIDDEN, 6)), ("hidden layers", HIDDEN)
    ):  # fmt: skip
        r[name] = np.corrcoef(score(plane, layers), accuracy)[0, 1]
        yield Row(f"{name}: {name}", [r[name], len(accuracy)])
    both = np.stack([score(plane, (6,)), score(plane, (*HIDDEN, 6)), accuracy], axis=1)
    yield Row("contrast: difference", both, effect=r["output"] - r["all layers"])
    held = np.stack([score(plane, (6,)), accuracy, train], axis=1)
    xy, xz, yz = np.corrcoef(held.T)[[0, 0, 1], [1, 2, 2]]
    partial = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    yield Row("training held: at equal train accuracy", held, effect=partial)


def reads_m2(k, t):
    fixed, ebab = t["rulers"]
    plane = k("relu", ["Decoy()", ebab, fixed])
    a, b = (plane.curve(ruler=ruler)[:, :, :5] for ruler in (fixed, ebab))
    for name, own in settings_of("CHE-M2", nothing=3.0, something=4.5):
        blind = ((a < own["nothing"]) & (b > own["something"])).any(axis=(1, 2))
        yield Row(f"{name}: a layer in the lowest bin", blind)


def reads_m1(k, t):
    for name, own in settings_of("CHE-M1", draws=40, size=4):
        for label, runs in own["averages"].items():
            one, other = (mean_fresh_half(k(run)) for run in runs)
            value = one - other
            drawn = np.random.default_rng(0)
            few = [value[drawn.permutation(len(value))[:4]].mean() for _ in range(40)]
            agree = np.mean(np.sign(few) == np.sign(value.mean()))
            yield Row(f"{name}: {label}", value, effect=agree)


READS = {
    "CHE-F1": (reads_f1, {}),
    "CHE-F2": (reads_f2, {}),
    "CHE-F4": (reads_f4, {}),
    "CHE-F5": (reads_f5, {"bits": 1.1}),
    "CHE-F5t": (reads_f5t, {"bits": 0.9}),
    "CHE-F5o": (reads_f5o, {}),
    "CHE-F6": (reads_f6, {}),
    "CHE-F7": (reads_losses("CHE-F7"), {}),
    "CHE-C1": (reads_losses("CHE-C1"), {}),
    "CHE-F8d-g": (reads_f8d, {}),
    "CHE-F8l": (reads_f8l, {}),
    "CHE-S3.1": (reads_s31, {}),
    "CHE-F9a": (reads_f9a, {}),
    "CHE-M2": (reads_m2, {"nothing": 3.0, "something": 4.5}),
    "CHE-M1": (reads_m1, {"draws": 40, "size": 4}),
}


@pytest.mark.parametrize("claim_id", READS)
def test_each_cell_reads_its_own_numbers(claim_id):
    rows, changes = READS[claim_id]
    check(claim_id, rows, **changes)


def test_every_claim_of_functions_is_read():
    """Claims that hold or fail have tests of their own."""
    listed = {
        claim.id
        for claim in claims.load_registry("chelombiev")
        if claim.expects != "identity" and any("function" in one.entry for one in claim.tests)
    }
    assert listed == set(READS)


# Facts, and how many networks suffice


def compressing(amount, **more):
    """Every layer rises to 8 bits and loses so much."""
    return make_plane(curve(5.0, 8.0, 8.0 - np.asarray(amount)), **more)


def first(k, one, other):
    """(network, 1): one value for the first k networks, another one for the rest."""
    return np.where(np.arange(N) < k, one, other)[:, None]


def test_facts():
    """The score of an estimate that is never negative has its bounds, another one's has not."""
    assert claims.judge("CHE-S1").verdict == "holds"
    planes = {"tanh": compressing(2.0), "relu": make_plane(curve(8.0, 8.0, 8.0))}
    assert claims.judge("CHE-EQ6", planes).verdict == "holds"
    below = make_plane(curve(5.0, 8.0, -1.0))
    assert claims.judge("CHE-EQ6", planes | {"relu": below}).verdict == "fails"


def test_wrong_signs_of_the_noise_entropy_are_seen(monkeypatch):
    monkeypatch.setattr(chelombiev.theory, "linear_gaussian_information", lambda *a, **k: 7.0)
    assert claims.judge("CHE-S1").verdict == "fails"


def test_ten_networks_agree_where_all_are_alike_and_not_where_they_are_split():
    """The cells of CHE-M1 can pass and fail."""
    claim = claims.find_claim("CHE-M1")
    alike = {name: compressing(0.1 * k) for k, name in enumerate(claim.experiments, 1)}
    (clear,) = checks_of(claim, alike)
    assert all(cell.answers and cell.estimate("x").effect == 1 for cell in clear.cells)
    two = ["tanh", "abs"]
    settings = {"layers": [2, 3], "size": 10, "draws": 500, "averages": {"two": two}}
    still = compressing(1.0)
    # 24 of 36 lose half a bit more than the others' plane, 12 half a bit less: z about 2.1
    split = {"tanh": compressing(first(24, 1.5, 0.5)), "abs": still}
    (cell,) = chelombiev.fewer_against_all(split, settings)
    assert cell.answers
    assert 0.6 < cell.estimate("x").effect < 0.98
    even = {"tanh": compressing(first(18, 1.5, 0.5)), "abs": still}
    (cell,) = chelombiev.fewer_against_all(even, settings)
    assert cell.estimate("x").effect < 0.7
