"""A bare page from disk that has the modules of the laboratory, and what they are held against."""

import json
from contextlib import contextmanager
from dataclasses import replace

import lab_data
import numpy as np
import pytest
from site_browser import BROWSER, PATIENCE, launched

import ibcore as ib
from ibcore.study import Study

needs_browser = pytest.mark.skipif(BROWSER is None, reason="no browser on the PATH")

LAB = lab_data.OUT.parent
ENGINE = (
    "lab", "random", "task", "network", "rulers", "parts", "plane", "wasm", "vector", "steps",
    "kernel", "train", "effects", "stored", "worker",
)  # fmt: skip
NAMES = {
    "activation": "activation", "initializer": "initializer", "gain": "init_gain",
    "optimizer": "optimizer", "rate": "learning_rate", "momentum": "momentum",
    "batch": "batch_size", "epochs": "n_epochs", "l2": "l2", "l2Convention": "l2_convention",
    "noise": "noise_std", "share": "train_fraction", "split": "split", "seed": "first_seed",
    "nMeasured": "n_measured_epochs",
}  # fmt: skip


def bare_page(folder):
    """The address of the page, written into a folder."""
    tags = "".join(f'<script src="{(LAB / name).as_uri()}.js"></script>' for name in ENGINE)
    file = folder / "bare.html"
    file.write_text(f"<!DOCTYPE html><meta charset=utf-8><title>bare</title>{tags}")
    return file.as_uri()


@contextmanager
def scripted(folder):
    """Runs a function of JavaScript on the page, ``need`` and ``given`` at hand; its JSON."""
    asked, problems = [], []
    with launched() as browser:
        view = browser.new_page()
        view.set_default_timeout(PATIENCE)
        view.on("request", lambda request: asked.append(request.url))
        view.on("pageerror", lambda error: problems.append(str(error)))
        view.goto(bare_page(folder))

        def run(script, argument=None):
            found = view.evaluate(
                "async (argument) => { const need = IBLab.require, given = JSON.parse(argument);"
                f"const found = await (async () => {{ {script} }})();"
                "const plain = (_, value) => ArrayBuffer.isView(value) ? Array.from(value) : value;"
                "return JSON.stringify(found, plain); }",
                json.dumps(argument),
            )
            assert not problems
            return json.loads(found)

        yield run
    assert all(url.startswith(("file:", "blob:")) for url in asked)


def experiment(settings):
    """That the settings of a page name."""
    return ib.Experiment(n_seeds=1, **{NAMES[name]: value for name, value in settings.items()})


def trained(activation, factor=1.0):
    """A stored network of the chapter on rulers, its weights multiplied by a factor."""
    study = Study("estimators")
    e = study.experiments[activation]
    found = study.store.weights(e.replace(n_seeds=10), e.seeds[:10]).only((1003,))
    return replace(found, parameters=found.parameters * np.float32(factor))
