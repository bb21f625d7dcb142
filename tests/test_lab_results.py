"""What the laboratory has of published results, what it reads from curves, and its workers."""

import base64
import json
from urllib.parse import parse_qs, urlsplit

import lab
import lab_data
import numpy as np
import pytest
from lab_page import LAB, experiment, needs_browser, scripted

import ibcore as ib
from ibcore.claims import effects as fx
from ibcore.study import Study
from ibcore.training import Trajectory

pytestmark = needs_browser


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    with scripted(tmp_path_factory.mktemp("lab")) as run:
        yield run


def test_effects(page):
    """C, F, D, the place of the peak and the loss of label information, on a stored plane."""
    plane = Study("saxe").stored("tanh")
    ruler, seeds = "Binning(n_bins=30, low=-1.0, high=1.0)", plane.seed.values[:8]
    own = plane.sel(estimator=ruler, seed=seeds)
    expected = {
        name: measure(plane.sel(seed=seeds), ruler).transpose("seed", "layer").values.tolist()
        for name, measure in {**lab_data.EFFECTS, "label loss": fx.label_loss}.items()
    }
    found = page(
        """const { measure } = need("effects");
        return Object.fromEntries(given.names.map((name) => [name, given.planes.map((plane) =>
            [1, 2, 3, 4, 5, 6].map((layer) =>
                measure(name, plane, layer, given.epochs, plane.accuracy)))]));""",
        {
            "names": list(expected),
            "epochs": plane.epoch.values.tolist(),
            "planes": [
                {
                    "ixt": own["i_xt"]
                    .sel(seed=s)
                    .transpose("epoch", "layer")
                    .values.ravel()
                    .tolist(),
                    "ity": own["i_ty"]
                    .sel(seed=s)
                    .transpose("epoch", "layer")
                    .values.ravel()
                    .tolist(),
                    "accuracy": own["train_accuracy"].sel(seed=s).values.tolist(),
                }
                for s in seeds
            ],
        },
    )
    for name, values in expected.items():
        assert np.array(found[name]) == pytest.approx(np.array(values), abs=1e-12), name


@pytest.fixture(scope="module")
def stored(page):
    """What the page reads from data.js."""
    return page(
        """const found = await need("stored").open(given);
        const ids = found.networks.map((one) => one.id), layers = [1, 2, 3, 4, 5, 6];
        const text = (numbers) => btoa(
            Array.from(new Uint8Array(numbers.buffer), (b) => String.fromCharCode(b)).join(""));
        const each = (use) => found.experiments.map(({ id, rulers }) =>
            rulers.map((ruler) => use(id, ruler)));
        return { ...found, weights: ids.map((id) => text(found.weights(id))),
                 accuracies: ids.map(found.accuracies), noise: ids.map(found.noise),
                 bands: each(found.band),
                 effects: each((id, ruler) => Object.fromEntries(
                     ["compression", "fitting", "change", "peak"].map((effect) => [
                         effect, layers.map((layer) => found.effect(id, ruler, effect, layer))
                     ]))) };""",
        lab_data.OUT.as_uri(),
    )


def test_stored_weights(stored):
    """Those that results have are theirs bit for bit; all agree with the plane of their seed."""
    in_results = 0
    for one, packed in zip(stored["networks"], stored["weights"], strict=True):
        shown = next(s for s in lab_data.SHOWN if s.name == one["experiment"])
        study = Study(shown.chapter)
        plane = study.stored(shown.experiment).sel(seed=one["seed"])
        e = study.experiments[shown.experiment].replace(first_seed=one["seed"], n_seeds=1)
        assert experiment({**one["settings"], "nMeasured": e.n_measured_epochs}) == e.replace(
            measured_epochs=()
        )
        rows = np.frombuffer(base64.b64decode(packed), np.float32).reshape(
            len(one["epochs"]), 1, -1
        )
        run = Trajectory(e, (one["seed"],), np.array(one["epochs"]), rows)
        kept = study.store.weights(e, (one["seed"],))
        if kept is not None:
            in_results += 1
            assert np.array_equal(kept.at(run.epochs).parameters, rows)
        for k in (0, len(rows) // 2, len(rows) - 1):
            for ruler in shown.rulers:
                if ruler.needs_run:
                    continue
                there = plane.sel(estimator=repr(ruler), epoch=one["epochs"][k])
                for layer, t in enumerate(run.activations(k)):
                    bits = ruler(t[0], run.task.y)
                    assert bits[0] == pytest.approx(float(there["i_xt"][layer]), abs=1e-4)
    assert in_results == 2  # of the chapter on rulers; the others are trained by the tool


def test_bands_effects_and_noise(stored):
    """Ends and quartiles of the stored planes, and what claims ask, to half a step; all seeds."""
    for one, bands, each in zip(
        stored["experiments"], stored["bands"], stored["effects"], strict=True
    ):
        shown = next(s for s in lab_data.SHOWN if s.name == one["id"])
        plane = Study(shown.chapter).stored(shown.experiment).sel(epoch=one["epochs"])
        assert one["seeds"] == plane.seed.values.tolist()
        for name, band, each_effect in zip(one["rulers"], bands, each, strict=True):
            values = plane["i_xt"].sel(estimator=name).transpose("seed", "epoch", "layer").values
            for label, q in zip(("low", "q1", "q3", "high"), lab_data.QUANTILES, strict=True):
                expected = np.quantile(values, q, axis=0).ravel()
                found = np.array(band["ixt"][label])
                assert np.abs(found - expected).max() <= lab_data.STEP / 2 + 1e-9
            named = {
                claim["effect"]
                for claim in stored["claims"]
                if (claim["experiment"], claim["ruler"]) == (one["id"], name)
            }
            assert named == {effect for effect, values in each_effect.items() if values[0]}
            for effect in named:
                own = lab_data.EFFECTS[effect](plane, name).transpose("layer", "seed").values
                kept = np.array(each_effect[effect])
                assert np.abs(kept - own).max() <= lab_data.FINE / 2 + 1e-9
    for one, noise in zip(stored["networks"], stored["noise"], strict=True):
        if noise is None:
            assert not one["noise"]
            continue
        plane = Study("estimators").stored(one["experiment"]).sel(seed=one["seed"])
        for level, variance in enumerate(noise["variances"]):
            there = plane["i_xt"].sel(estimator=repr(ib.KernelBound(variance)))
            own = np.array(noise["ixt"]).reshape(-1, *there.transpose("epoch", "layer").shape)[
                level
            ]
            assert (
                np.abs(own - there.transpose("epoch", "layer").values).max()
                <= lab_data.STEP / 2 + 1e-9
            )


def test_claims_are_those_of_the_book(stored):
    """The tests of claims that the page judges a network on stand in the book."""
    assert {one["id"] for one in stored["claims"]} >= {"SZT-F3", "SAXE-F1A", "SAXE-F1B"}
    assert stored["claims"] == json.loads(json.dumps(lab_data.claims()))
    for claim in stored["claims"]:
        where = next(one for one in stored["experiments"] if one["id"] == claim["experiment"])
        assert claim["ruler"] in where["rulers"]


@pytest.mark.long
def test_the_tool_writes_the_same_bytes():
    """From the published results, networks that are not stored trained again."""
    assert lab_data.text() == lab_data.OUT.read_text("ascii")


def test_it_is_light():
    """Scripts and weights together: what a reader's first look costs."""
    assert sum(file.stat().st_size for file in LAB.glob("*.js")) < 400 * 1024


def test_workers_start_from_disk(page):
    """A plane, a layer, the parts; an older question is stale; a network trains and stops."""
    found = page(
        """const engine = need("worker").start(), { initial } = need("network"), rows = [];
        const { parse } = need("rulers"), bins = parse("Binning(n_bins=30, low=-1.0, high=1.0)");
        [1, 2, 3].forEach((seed) => rows.push(...initial({ seed })));
        engine.hold("a", { activation: "tanh", rows: new Float32Array(rows), epochs: [0, 1, 2] });
        const older = engine.plane("a", parse("Exact()")), newer = engine.plane("a", bins);
        const [stale, plane] = [await older, await newer];
        const layer = await engine.layer("a", 1, 4, bins), said = (error) => error.message;
        const parts = await engine.parts("a", bins, 4);
        const refused = await engine.plane("b", bins).catch(said);
        engine.extend("a", initial({ seed: 4 }), 3);
        const longer = await engine.plane("a", bins), seen = [];
        const settings = { epochs: 30, nMeasured: 8, batch: null };
        const run = engine.train(settings, bins, (one) => seen.push(one));
        const done = await run.done, own = need("train").trainer(settings);
        own.run(30);
        const long = engine.train({ epochs: 100000 }, bins, () => long.stop());
        const stopped = await long.done;
        const wrong = await engine.train({ rate: -1 }, bins, () => 0).done.catch(said);
        engine.close();
        return { stale, plane, layer, parts, refused, longer: longer.n, seen, done, stopped, wrong,
                 row: own.row, end: own.performance(),
                 epochs: need("train").measuredEpochs(settings) };"""
    )
    assert found["stale"] is None
    assert found["plane"]["n"] == 3
    assert found["longer"] == 4
    assert found["layer"]["ixt"] == found["plane"]["ixt"][6 + 4]
    assert found["parts"][1] == found["layer"]["parts"]
    assert "no network is held as b" in found["refused"]
    assert [one["epoch"] for one in found["seen"]] == found["epochs"]
    assert (found["done"]["epoch"], found["done"]["stopped"]) == (30, False)
    assert found["seen"][-1]["row"] == found["row"]
    assert found["seen"][-1]["loss"] == found["end"]["loss"]
    assert len(found["seen"][-1]["ixt"]) == 6
    assert found["stopped"]["stopped"]
    assert found["stopped"]["epoch"] < 100_000
    assert "rate must be" in found["wrong"]


def test_the_laboratory_reads_the_addresses_that_boxes_lead_to():
    found = lab_data.addresses()
    asked = {one["id"]: one for one in reversed(lab_data.claims())}  # the first test of each
    assert found.keys() == asked.keys()
    for claim, address in found.items():
        state = parse_qs(urlsplit(address).query)
        assert repr(lab.ruler_of(state["ruler"][0])) == asked[claim]["ruler"]
        assert state["net"] == [asked[claim]["experiment"]]
