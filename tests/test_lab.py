"""The laboratory's numbers are ibcore's: random words, initial weights, layers, rulers, parts.

From disk, on a page that has the modules and nothing else.
"""

import numpy as np
import pytest
from lab_page import experiment, needs_browser, scripted, trained

import ibcore as ib
from ibcore.decomposition import _classes, decompose
from ibcore.estimators import from_name
from ibcore.normals import normals, philox_by_hand
from ibcore.randomness import generator, shuffled
from ibcore.tasks import load_task
from ibcore.training.inputs import measured_noise
from ibcore.training.trajectory import unpack

pytestmark = needs_browser
RULERS = (
    "Binning(n_bins=2, low=-1.0, high=1.0)", "Binning(n_bins=7, low=-0.5, high=0.3)",
    "Binning(n_bins=30, low=-1.0, high=1.0)", "Binning(n_bins=256, low=-1.0, high=1.0)",
    "Binning(n_bins=100000, low=-1.0, high=1.0)", "Binning(width=0.07)", "Binning(width=2.0)",
    "EdgeBinning(n_edges=30)", "RangeBinning(n_bins=1)", "RangeBinning(n_bins=100)",
    "AdaptiveBinning(n_bins=1)", "AdaptiveBinning(n_bins=30)", "AdaptiveBinning(n_bins=5000)",
    "Quantised(n_bits=1)", "Quantised(n_bits=8)", "Quantised(n_bits=24)", "Exact()",
)  # fmt: skip


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with scripted(tmp_path_factory.mktemp("lab")) as run:
        yield run


# Random numbers


def test_words_and_uniform_numbers(page):
    """Philox 4x64-10 of NumPy, over seeds beyond 32 bits, purposes and epochs."""
    keys = [
        [0, "init", 0],
        [1017, "batches", 7999],
        [2**40 + 5, "split", 0],
        [2**32 - 1, "noise", 9],
    ]
    found = page(
        """const { generator } = need("random");
        return given.map((key) => [generator(...key).words(9), generator(...key).uniforms(9)]);""",
        keys,
    )
    for key, (halves, uniform) in zip(keys, found, strict=True):
        raw = generator(*key).bit_generator.random_raw(9)
        low, high = np.array(halves, np.uint64).reshape(-1, 2).T
        assert (low | (high << np.uint64(32)) == raw).all()
        assert uniform == generator(*key).random(9).tolist()


def test_philox_of_both_widths(page):
    """Single counters, as the source states them and as NumPy has them."""
    counters = [[0, 0, 0, 0, 0, 0], [2**32 - 1] * 6, [1, 2, 3, 4, 5, 6]]
    found = page(
        """const { philox4x32, philox4x64 } = need("random");
        return given.map((c) => [philox4x32(c.slice(0, 4), c.slice(4)),
            philox4x64([c[0], c[1], c[2], c[3], 0, 0, 0, 0], [c[4], c[5], 0, 0])]);""",
        counters,
    )
    for counter, (small, wide) in zip(counters, found, strict=True):
        assert tuple(small) == philox_by_hand(tuple(counter[:4]), tuple(counter[4:]))
        a, b, c, d, x, y = counter
        # NumPy counts on before it draws, so that it begins one earlier.
        first = (a | b << 32 | (c | d << 32) << 64) - 1
        bits = np.random.Philox(counter=first % 2**256, key=x | y << 32)
        words = np.array(wide, np.uint64).reshape(-1, 2)
        assert (words[:, 0] | (words[:, 1] << np.uint64(32)) == bits.random_raw(4)).all()


def test_shuffles_and_normal_numbers(page):
    """The order of rows, NumPy's ziggurat with its tail, and the noise in the layers."""
    order, drawn, noise = page(
        """const { generator, shuffled, layerNoise } = need("random");
        const rng = generator(5, "measured_noise", 300);
        return [shuffled([...Array(500).keys()], generator(3, "split")),
            Array.from({ length: 100000 }, rng.normal),
            layerNoise(2 ** 33 + 7, "noise", 3, 6, 2, 5, 0.5, new Float32Array(30), 5)];"""
    )
    assert order == shuffled(np.arange(500), generator(3, "split")).tolist()
    expected = generator(5, "measured_noise", 300).standard_normal(100_000)
    assert np.abs(expected).max() > 3.66  # the tail is drawn too
    assert np.array_equal(np.float32(drawn), np.float32(expected))
    assert np.array(drawn) == pytest.approx(expected, rel=1e-13)
    there = normals(2**33 + 7, "noise", 3, 6, 7, 0.5)[:, 2:]
    assert np.array(noise).reshape(6, 5) == pytest.approx(there, abs=1e-6)


# Task and network


def test_task(page):
    """Labels and the classes of the exact parts."""
    found = page("return need('task');")
    task, classes = load_task("szt"), _classes()
    assert found["y"] == task.y.tolist()
    assert np.array(found["x"]).reshape(4096, 12).tolist() == task.x.astype(int).tolist()
    for name in ("signature", "orbit", "popcount"):
        assert found[name] == classes[name].tolist()
    assert (found["nSignatures"], found["nOrbits"], len(found["edges"])) == (64, 82, 30)
    assert found["labelEntropy"] == pytest.approx(task.label_entropy, abs=1e-15)


INITIALIZERS = (
    "fan_in",
    "fan_out",
    "saxe",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "torch",
)


def test_initial_weights(page):
    """Bit for bit, for every initialiser."""
    each = [
        {"initializer": i, "gain": g, "seed": s}
        for i in INITIALIZERS
        for g, s in ((1, 0), (1.7, 1017))
    ]
    found = page("return given.map(need('network').initial);", each)
    for settings, row in zip(each, found, strict=True):
        run = ib.train(experiment({**settings, "epochs": 1, "nMeasured": 2}), progress=False)
        assert np.array_equal(np.float32(row), run.parameters[0, 0]), settings


def test_layers(page):
    """Every activation, float32 for float32; and the noise of a noisy network when measured."""
    run = trained("tanh", 2)
    row, task = run.parameters[20, 0], run.task
    names = page("return need('network').ACTIVATIONS;")
    assert set(names) < set(ib.config.ACTIVATIONS)
    script = """return given.names.map((name) =>
        need("network").layers(Float32Array.from(given.row), name, given.noise));"""
    for std in (0.0, 0.1):
        asked = {"names": names if not std else ["tanh"], "row": row.tolist()}
        found = page(script, {**asked, "noise": {"std": std, "seed": 1003, "epoch": 7}})
        for name, layers in zip(asked["names"], found, strict=True):
            e = run.experiment.replace(activation=name, noise_std=std)
            shaken = measured_noise(e, task, (1003,), 7, 4096)
            expected = unpack(row[None], e, task).layers(task.x, shaken)
            for t, there in zip(layers, expected, strict=True):
                assert np.array_equal(np.float32(t).reshape(-1, 4096).T, there[0]), name


# Rulers and parts


def states(activation, n, seed):
    """Random (network, ruler, checkpoint, layer)."""
    rng = np.random.default_rng(seed)
    return [
        {
            "ruler": RULERS[k % len(RULERS)],
            "k": int(rng.integers(37)),
            "layer": int(rng.integers(6)),
        }
        for k in range(n)
    ]


def measured(run, ruler, k, layer):
    """Bits and parts of a layer as ibcore has them."""
    if isinstance(ruler, ib.Quantised):

        class View:
            network, x = run.ensemble(k), run.task.x

        t = ruler.layers(View)[layer]
        return ruler(t, run.task.y), decompose(t)
    t = run.activations(k)[layer][0]
    ruler = ruler.prepare(run) if ruler.needs_run else ruler
    return ruler(t, run.task.y), decompose(ruler.codes(t))


@pytest.mark.parametrize(
    ("activation", "factor"), [("tanh", 1), ("relu", 1), ("tanh", 8), ("relu", -1)]
)
def test_rulers(page, activation, factor):
    """Two hundred random states in all: both informations and the four parts, to 1e-9."""
    run = trained(activation, factor)
    asked = states(activation, 51, abs(factor))
    found = page(
        """const { desk } = need("plane"), { parse } = need("rulers"), own = desk(given.activation);
        given.rows.forEach((row, k) => own.add(Float32Array.from(row), k));
        return given.states.map(({ ruler, k, layer }) => {
            const { ixt, ity } = own.measure(parse(ruler), k, k + 1);
            return [ixt[layer], ity[layer], own.layer(k, layer, parse(ruler)).parts];
        });""",
        {"activation": activation, "rows": run.parameters[:, 0].tolist(), "states": asked},
    )
    for state, (ixt, ity, parts) in zip(asked, found, strict=True):
        expected, own = measured(run, from_name(state["ruler"]), state["k"], state["layer"])
        assert (ixt, ity) == pytest.approx(expected, abs=1e-9), state
        assert parts == pytest.approx({**own._asdict(), "total": own.total}, abs=1e-9), state


def test_names_of_rulers(page):
    """A ruler's name is ibcore's, and leads back to it."""
    found = page(
        "return given.map((name) => need('rulers').name(need('rulers').parse(name)));", RULERS
    )
    assert found == [repr(from_name(name)) for name in RULERS] == list(RULERS)


@pytest.mark.parametrize(
    ("ruler", "why"),
    [
        ({"kind": "bins", "n": 0, "low": -1, "high": 1}, "bins must be a whole number"),
        ({"kind": "bins", "n": 5, "low": 1, "high": 1}, "with low < high"),
        ({"kind": "width", "width": 0}, "width must be positive"),
        ({"kind": "quantised", "bits": 25}, "from 1 to 24"),
        ({"kind": "noise", "variance": 1}, "its curves are stored"),
        ({"kind": "fine"}, "one of the kinds"),
    ],
)
def test_refused_rulers(page, ruler, why):
    """A sentence says what is wrong."""
    said = page(
        """const own = need("plane").desk("tanh");
        own.add(need("network").initial({ seed: 1 }), 0);
        try { own.measure(given); return "taken"; } catch (error) { return error.message; }""",
        ruler,
    )
    assert why in said
