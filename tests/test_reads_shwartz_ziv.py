"""What the functions of Shwartz-Ziv & Tishby read: no two numbers of the planes are alike."""

import numpy as np
import pytest
from claim_planes import make_plane
from known_planes import Row, check, rank_correlation
from scipy import stats
from scipy.optimize import brentq

import ibcore as ib
from ibcore import claims, theory
from ibcore.claims.effects import curve
from ibcore.papers import paper_module
from ibcore.theory import ib_curve, relevance_at

shwartz_ziv = paper_module("shwartz_ziv", "evidence")

GRADIENTS = ("gradient_mean", "gradient_std", "minibatch_gradient_mean", "minibatch_gradient_std")
RATES = {"paper_slow": "SGD rate 0.01", "paper": "SGD rate 0.03", "paper_fast": "SGD rate 0.1"}
FULL = {"released": "Adam, full batch"}
NAMES = {k: f"layer {k}" for k in range(1, 6)} | {6: "output"}


def risen(plane, values, level):
    """Epoch at which every (seed, epoch) curve comes up to a level, before its peak."""
    top = values.argmax(axis=1)
    levels = np.broadcast_to(level, len(values))
    return np.array(
        [
            np.interp(goal, y[: k + 1], plane.epochs[: k + 1]) if goal <= y[k] else np.nan
            for y, k, goal in zip(values, top, levels, strict=True)
        ]
    )


def fallen(plane, layer, amount):
    """Epoch at which I(X;T) of every network has come down by so much, after its peak."""
    amounts = np.broadcast_to(amount, plane.n_seeds)
    found = []
    for y, k, lost in zip(plane.curve(layer), plane.place(layer), amounts, strict=True):
        down = y[k] - y[k + 1 :]
        there = lost <= down[-1]
        found.append(np.interp(lost, down, plane.epochs[k + 1 :]) if there else np.nan)
    return np.array(found)


def reads_f1(k, t):
    grows = np.diff(k("released").curve(), axis=2) > t["slack"]
    yield Row("violations: all neighbouring layers", grows.mean((1, 2)))


def reads_f2(k, t):
    plane = k("released", named=(400, 9000))
    ix = plane.at(400, 5) - plane.at(9000, 5)
    iy = plane.at(400, 5, "i_ty") - plane.at(0, 5, "i_ty")
    yield Row("drop: layer 5", ix, hollow=plane.is_full(5))
    yield Row("rise: layer 5", iy)
    yield Row("level: layer 5", plane.at(9000, 5, "i_ty"))


def reads_f3b(k, t):
    for name, label in (("released_05", "random"), ("unshuffled_05", "unshuffled")):
        plane = k(name)
        for layer in (5, 6):
            iy = plane.curve(layer, "i_ty")
            others = [np.median(iy[np.arange(len(iy)) != i], axis=0) for i in range(len(iy))]
            there = np.array([iy[i, one.argmax()] for i, one in enumerate(others)])
            yield Row(
                f"falls with 5 %: {label} 5 %, {NAMES[layer]}",
                plane.fall(layer, "i_ty"),
                signed=there - iy[:, -1],
                hollow=plane.is_full(layer),
            )


def drops(test, plane, label, prefix):
    for layer in range(1, 7):
        yield Row(f"{test}: {label}, {NAMES[layer]}", plane.snr(layer, prefix)[1])


def aligned(test, plane, label, prefix):
    for layer in (4, 5, 6):
        apart = np.abs(np.log10(plane.snr(layer, prefix)[0] / plane.peak(layer)))
        full = plane.is_full(layer)
        yield Row(f"{test}: {label}, {NAMES[layer]}", apart, hollow=full)


def reads_f4(k, t):
    for name, label in RATES.items():
        plane = k(name, variables=GRADIENTS)
        yield from drops("falls", plane, label, "minibatch_")
        yield from aligned("at the bend", plane, label, "minibatch_")
        mean, std = (plane.curve(None, f"minibatch_gradient_{of}") for of in ("mean", "std"))
        levels = np.median(np.log10(mean / std), axis=2)
        yield Row(f"early: {label}", levels[:, 1])  # the first checkpoint after epoch 0
        yield Row(f"late: {label}", levels[:, -1])
    plane = k("released", variables=GRADIENTS)
    yield from drops("single samples", plane, FULL["released"], "")
    yield from aligned("at the bend, single samples", plane, FULL["released"], "")


def nets(k):
    """Known planes of one to six hidden layers; none is at its ceiling."""
    return [k(f"depth_{n}", n_layers=n + 1, ceiling=0) for n in range(1, 7)]


def reads_f5(k, t):
    planes = nets(k)
    planes[0].curve(2, "i_ty")[::2] *= 0.7  # every other network with one layer knows less
    outputs = [plane.curve(n, "i_ty") for n, plane in enumerate(planes, 2)]
    times = [risen(p, y, t["level"]) for p, y in zip(planes, outputs, strict=True)]
    times = np.stack(
        [np.where(np.isnan(x), p.last, x) for x, p in zip(times, planes, strict=True)], 1
    )
    order = rank_correlation(range(1, 7), np.median(times, axis=0))
    yield Row("order: 1 to 6 hidden layers", times, effect=order)
    for n, step in enumerate(np.diff(times, axis=1).T, 1):
        yield Row(f"each further layer: {n} to {n + 1} hidden layers", step)
    for n, column in enumerate(times.T, 1):
        yield Row(f"epochs: {n} hidden", column)
    most = outputs[0].max(axis=1)
    yield Row(f"one layer never: {t['level']:g} bit", most < t["level"])
    yield Row("one layer never: what six layers end with", most < outputs[-1][:, -1])


TASKS = {
    "labels of the file": ("released", "szt"),
    "soft labels": ("soft", "szt_soft"),
    "1 % flipped": ("flip_1", "szt_flip_1"),
    "10 % flipped": ("flip_10", "szt_flip_10"),
}


def least_complexity(curve, relevance):
    """The I(X;T) at which the bound reaches I(T;Y), by bisection; H(S) where it never does."""
    most = curve.attrs["sufficient_complexity"]
    top = float(relevance_at(curve, most))
    return [
        brentq(lambda x, y=y: relevance_at(curve, x) - y, 0, most, xtol=1e-14) if y < top else most
        for y in relevance
    ]


def reads_f6(k, t):
    for label, (name, task) in TASKS.items():
        plane = k(name, variables=["ib_beta"])
        y = ib.load_task(task).y
        p_xy = np.stack([1 - y, y], axis=1) / 4096
        curve = ib_curve(p_xy, np.geomspace(1, 1e4, 120))
        for layer in range(1, 7):
            ix, iy = plane.end(layer), plane.end(layer, "i_ty")
            where = f"{label}, {NAMES[layer]}"
            yield Row(f"excess: {where}", ix - least_complexity(curve, iy))
            yield Row(f"shortfall: {where}", relevance_at(curve, ix) - iy)
        # All of X: twelve bits, where the classes of p(y|x) are enough.
        _, counts = np.unique(np.round(y, 12), return_counts=True)
        known = stats.entropy(p_xy.sum(axis=0), base=2) - np.mean(
            stats.entropy(4096 * p_xy.T, base=2)
        )
        assert curve.attrs["information"] == pytest.approx(known, abs=1e-9)
        yield Row(f"excess of the raw input: {label}", [12 - stats.entropy(counts, base=2)])
        yield Row(f"shortfall of the raw input: {label}", [0.0])
        if name != "released":
            beta = plane.end(variable="ib_beta")
            beta[::2] = -np.sort(-beta[::2])  # in every other network
            yield Row(f"beta falls: {label}", (np.diff(beta, axis=1) <= 0).all(axis=1))


def by_size(k):
    """Twenty planes whose names are not in the order of their sizes."""
    sizes = np.roll(np.linspace(0.03, 0.85, 20), 7)
    planes = [k(f"size_{n:02d}", train_fraction=f) for n, f in enumerate(sizes, 1)]
    return np.sort(sizes), [planes[n] for n in np.argsort(sizes)]


def reads_f7(k, t):
    sizes, planes = by_size(k)
    for layer in (4, 5, 6):
        values = np.stack([plane.end(layer, "i_ty") for plane in planes], axis=1)
        order = rank_correlation(sizes, np.median(values, axis=0))
        yield Row(f"order: {NAMES[layer]}", values, effect=order)


def reads_f8(k, t):
    committee, mnist = (k(name, variables=GRADIENTS) for name in ("committee", "mnist"))
    yield from drops("gradients, committee", committee, "committee", "")
    yield from aligned("at the bend", committee, "committee", "")
    yield from drops("gradients, MNIST", mnist, "MNIST", "minibatch_")


def reads_eq11(k, t):
    ends = t["start"] + t["bits"] * np.arange(t["n_steps"] + 1)
    middle = (ends[1:] + ends[:-1]) / 2
    for name, label in (RATES | FULL).items():
        plane = k(name, ceiling=0)
        steps = np.log10(np.diff([fallen(plane, 5, end) for end in ends], axis=0)).T
        slopes = np.full(len(steps), np.nan)
        for i, y in enumerate(steps):
            there = np.isfinite(y)
            if there.sum() >= 3:
                slopes[i] = np.polyfit(middle[there], y[there], 1)[0]
        yield Row(f"later bits: {label}", slopes)
        errors = np.stack([left_out(x, steps) for x in (middle, np.log(middle), 0 * middle)])
        apart = (errors[0] - errors[1:]).T
        yield Row(f"law: {label}", apart, effect=np.nanmedian(apart, axis=0).max())
        there = np.isfinite(errors).all(axis=0)
        best = np.where(there, np.nan_to_num(errors).argmin(axis=0), -1)
        for n, law in enumerate(("exponential", "power law", "steady pace")):
            values = np.where(there, best == n, np.nan)
            yield Row(f"best law: {label}, {law}", values)
    times = []
    for n, plane in enumerate(nets(k), 2):
        down = fallen(plane, n, t["amount"])
        times.append(np.where(np.isnan(down), plane.last, down) - plane.peak(n))
    times = np.stack(times, axis=1)
    order = rank_correlation(range(1, 7), np.median(times, axis=0))
    yield Row("depth: 1 to 6 hidden layers", times, effect=order)


def left_out(x, steps, least=4):
    """Error of each network from the others' common slope, by a regression with a level each."""
    able = [i for i, y in enumerate(steps) if np.isfinite(y).sum() >= least]
    found = np.full(len(steps), np.nan)
    for i in able:
        design, target = [], []
        for n, j in enumerate(j for j in able if j != i):
            there = np.isfinite(steps[j])
            levels = np.zeros((there.sum(), len(able) - 1))
            levels[:, n] = 1
            design.append(np.column_stack([levels, x[there]]))
            target.append(steps[j][there])
        slope = np.linalg.lstsq(np.concatenate(design), np.concatenate(target))[0][-1]
        there = np.isfinite(steps[i])
        found[i] = np.std(steps[i][there] - slope * x[there])
    return found


def reads_c1(k, t):
    _, planes = by_size(k)
    able = [[n for n in (4, 5, 6) if not plane.is_full(n)] for plane in planes]
    x = np.stack([plane.mean_fall(n) for plane, n in zip(planes, able, strict=True)], axis=1)
    y, z = (
        np.stack([plane.end(variable=f"{rows}_accuracy") for plane in planes], axis=1)
        for rows in ("test", "train")
    )
    values = np.stack([x, y, z], axis=-1)
    held = values - values.mean(axis=0)
    yield Row("within amounts of data: 20 amounts of data", values, effect=partial(held))
    yield Row("over all amounts: 20 amounts of data", values, effect=partial(values))


def partial(values):
    """Correlation of what the third column leaves of the first and of the second."""
    x, y, z = values.reshape(-1, 3).T
    return np.corrcoef(*(a - np.polyval(np.polyfit(z, a, 1), z) for a in (x, y)))[0, 1]


def reads_c3(k, t):
    plane = k("released")
    for layer in (4, 5, 6):
        peak, full = plane.peak(layer), plane.is_full(layer)
        down = fallen(plane, layer, t["part"] * plane.fall(layer))
        yield Row(f"nine tenths: {NAMES[layer]}", (down - peak) / plane.last, hollow=full)
        rest = 1 - np.log(peak) / np.log(plane.last)
        yield Row(f"log epochs: {NAMES[layer]}", rest, hollow=full)


READS = {
    "SZT-F1": (reads_f1, {}),
    "SZT-F2": (reads_f2, {}),
    "SZT-F3b": (reads_f3b, {}),
    "SZT-F4": (reads_f4, {}),
    "SZT-F5": (reads_f5, {}),
    "SZT-F6": (reads_f6, {}),
    "SZT-F7": (reads_f7, {}),
    "SZT-F8": (reads_f8, {}),
    "SZT-EQ11": (reads_eq11, {"start": 0.05, "bits": 0.2}),
    "SZT-C1": (reads_c1, {}),
    "SZT-C3": (reads_c3, {}),
}


@pytest.mark.parametrize("claim_id", READS)
def test_each_cell_reads_its_own_numbers(claim_id):
    rows, changes = READS[claim_id]
    check(claim_id, rows, **changes)


def test_every_claim_with_functions_is_read():
    """The facts of SZT-S3.1 have a test of their own, below."""
    with_functions = {
        claim.id
        for claim in claims.load_registry("shwartz_ziv")
        if any("function" in one.entry for one in claim.tests)
    }
    assert with_functions == {*READS, "SZT-S3.1"}


# What a function must do beside reading the right numbers.


def test_facts_hold_and_a_changed_fact_fails(monkeypatch):
    verdict = claims.judge("SZT-S3.1")
    assert (verdict.verdict, verdict.effect) == ("holds", 1.0)
    first, *others = shwartz_ziv.tasks.szt_facts()
    wrong = first._replace(expected=first.expected + 1)
    monkeypatch.setattr(shwartz_ziv.tasks, "szt_facts", lambda: (wrong, *others))
    verdict = claims.judge("SZT-S3.1")
    assert verdict.verdict == "fails"
    assert verdict.effect == pytest.approx(1 - 1 / (1 + len(others)))


def plane_of(ix, epochs, **more):
    """A plane of 12 networks, all layers of which have the same I(X;T)."""
    shape = (12, len(epochs), 6)
    return make_plane(np.broadcast_to(ix[None, :, None], shape), epochs=epochs, **more)


def law(ix, epochs, function):
    """Cells of SZT-EQ11 on a fall that is known."""
    t = {
        "layer": 5, "start": 0.5, "bits": 0.5, "n_steps": 5, "least_points": 3,
        "labels": {"paper": "known"},
    }  # fmt: skip
    (found,) = function({"paper": plane_of(ix, epochs)}, t)
    return found.values


EPOCHS = np.arange(4001)


@pytest.mark.parametrize(
    ("lost", "slope"),
    [
        (EPOCHS / 1000, 0.0),  # a straight line: every bit takes as long
        (np.log2(1 + EPOCHS / 100), np.log10(2)),  # exponential time: each bit twice the last
        (5 * (1 - np.sqrt(1 - EPOCHS / 4001)), None),  # ever faster
    ],
    ids=["straight", "exponential", "faster"],
)
def test_time_per_bit_of_known_laws(lost, slope):
    found = law(8 - lost, EPOCHS, shwartz_ziv.time_per_bit)
    assert np.all(found < 0) if slope is None else found == pytest.approx(slope, abs=2e-3)


def fall_of(law, noise=0.02, n=40):
    """Durations of five steps, (network, step), after a law; a level and noise of each network."""
    rng = np.random.default_rng(8)
    bits = np.arange(0.75, 3, 0.5)
    level = rng.normal(2, 0.5, (n, 1))
    return bits, level + law(bits) + noise * rng.standard_normal((n, 5))


@pytest.mark.parametrize(
    ("law", "best"),
    [(lambda d: 0.3 * d, 0), (lambda d: 2 * np.log10(d), 1), (lambda d: 0 * d, 2)],
    ids=["exponential", "power", "steady"],
)
def test_the_law_that_made_a_fall_predicts_networks_it_was_not_fitted_to(law, best):
    bits, y = fall_of(law)
    errors = [np.median(theory.held_out_error(x, y, 4)) for x in (bits, np.log10(bits), 0 * bits)]
    assert np.argmin(errors) == best
    assert errors[best] == pytest.approx(0.02, abs=0.005)


def test_a_law_is_no_better_where_nothing_speaks_for_it():
    """Steady falls with much noise: two laws with a slope predict as well, not better."""
    bits, y = fall_of(lambda d: 0 * d, noise=0.3, n=400)
    one, two, three = (
        np.median(theory.held_out_error(x, y, 4)) for x in (bits, np.log10(bits), 0 * bits)
    )
    assert max(one, two) - three == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("task", [task for _, task in TASKS.values()])
def test_points_of_the_bound_lie_on_it(task):
    """Neither excess nor shortfall; and what is above the origin of a flat part has excess only."""
    curve = shwartz_ziv.bound(task)
    x = np.linspace(0.05, 0.95, 7) * curve.attrs["sufficient_complexity"]
    y = relevance_at(curve, x)
    assert shwartz_ziv.from_bound(task, x, y, "relevance") == pytest.approx(0, abs=1e-9)
    rising = y < curve.attrs["information"] - 1e-6
    excess = shwartz_ziv.from_bound(task, x, y, "complexity")
    assert excess[rising] == pytest.approx(0, abs=1e-4)
    assert shwartz_ziv.from_bound(task, 12.0, y, "complexity") == pytest.approx(12 - x + excess)


def test_a_layer_that_copies_the_label_is_on_the_bound_and_the_input_is_not():
    bits = shwartz_ziv.bound("szt").attrs["information"]
    assert shwartz_ziv.from_bound("szt", bits, bits, "complexity") == pytest.approx(0, abs=1e-9)
    assert shwartz_ziv.from_bound("szt", 12.0, bits, "complexity") == pytest.approx(12 - bits)
    assert shwartz_ziv.from_bound("szt", 12.0, bits, "relevance") == pytest.approx(0, abs=1e-9)


def test_fewer_steps_than_asked_for_are_no_answer():
    """A fall of 1.2 bits holds one step of half a bit after the first half bit."""
    found = law(8 - 1.2 * EPOCHS / 4000, EPOCHS, shwartz_ziv.time_per_bit)
    assert np.isnan(found).all()


def test_label_information_that_only_rises_has_no_fall():
    """The largest value is the last one: nothing is lost, and nothing signed either."""
    epochs = np.arange(50)
    iy = np.broadcast_to((epochs / 60)[None, :, None], (12, 50, 6))
    plane = plane_of(8.0 - epochs / 50, epochs, i_ty=iy)
    t = {"layers": [5], "labels": {"released_05": "5 %"}}
    (found,) = shwartz_ziv.label_fall({"released_05": plane}, t)
    assert np.all(found.values == 0)
    assert np.all(found.signed == 0)


def test_noise_has_a_peak_but_no_signed_fall():
    """White noise around a level: its largest value lies above the end, but nothing falls."""
    noise = np.random.default_rng(5).normal(0.5, 0.05, (200, 80, 6))
    plane = make_plane(np.full((200, 80, 6), 8.0), noise, epochs=np.arange(80))
    t = {"layers": [5], "labels": {"released_05": "5 %"}}
    (found,) = shwartz_ziv.label_fall({"released_05": plane}, t)
    assert np.median(found.values) > 0.05
    assert abs(np.median(found.signed)) < 0.02


def test_times_lie_between_checkpoints():
    """0, 1, 3 bits at the epochs 0, 10, 20: two bits are reached at epoch 15, four never."""
    rising = make_plane(np.reshape([0.0, 1.0, 3.0, 3.0], (1, 4, 1)), epochs=[0, 10, 20, 30])
    ix = curve(rising).isel(layer=0, drop=True)
    assert shwartz_ziv.epochs_to_reach(ix, 2.0).values == pytest.approx([15.0])
    assert shwartz_ziv.epochs_to_reach(ix, 0.0).values == pytest.approx([0.0])
    assert np.isnan(shwartz_ziv.epochs_to_reach(ix, 4.0).values).all()
    falling = make_plane(np.reshape([5.0, 6.0, 6.0, 2.0, 1.0], (1, 5, 1)), epochs=[0, 2, 4, 8, 9])
    ix = curve(falling).isel(layer=0, drop=True)
    assert shwartz_ziv.epochs_to_fall(ix, 2.0).values == pytest.approx([6.0])
    assert np.isnan(shwartz_ziv.epochs_to_fall(ix, 5.5).values).all()
