"""The page about a plane: whole, alone, in words, with the warnings that fit its numbers."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
import site_browser
import torch
from torch import nn

import ibcore as ib
from ibcore.cautions import TESTS, Caution, warnings

N = 64


def plane(bits, seed=0, y=True):
    """A tracked plane whose information is ``bits`` (epoch, layer, [I(X;T), I(T;Y)])."""
    bits = np.asarray(bits, float)
    now = iter(bits.reshape(-1, 2))

    def made(t, y):
        return next(now)

    x = np.arange(2 * N, dtype=np.float32).reshape(N, 2)
    labels = np.arange(N) % 4 if y else None
    model = nn.Sequential(*[nn.Linear(2, 2) for _ in range(bits.shape[1])])
    tracker = ib.Tracker(model, x, labels, rulers=[made], at="every", seed=seed)
    for epoch in range(len(bits)):
        tracker(epoch)
    return tracker.plane


MIXED = [[[6, 2], [3, 1], [0, 0]], [[6, 2], [4, 1.5], [0, 0]], [[6, 2], [2.5, 1.9], [0, 0]]]


class Reader(HTMLParser):
    """What a page holds: tags with their attributes, and its text."""

    def __init__(self):
        super().__init__()
        self.tags, self.text = [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text.append(data)


def read(path):
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    return reader


def test_the_warnings_are_about_values_at_their_ends():
    """Layer 1 at log2 64 and H(Y), layer 3 at 0, layer 2 free."""
    found = warnings(plane(MIXED))
    assert [(one.kind, one.layers) for one in found] == [
        ("ceiling", (1,)), ("ceiling", (1,)), ("floor", (3,))
    ]  # fmt: skip
    assert {one.estimator for one in found} == {"made"}
    assert "I(X;T) is log₂ 64 = 6 bits: the ruler tells all inputs apart" in found[0].text
    assert "I(T;Y) is H(Y) = 2 bits" in found[1].text


def test_no_warning_without_cause():
    """One epoch below the ceiling is enough to see something."""
    free = np.array(MIXED)[:, 1:2]
    assert warnings(plane(free)) == []
    once = np.full((3, 1, 2), [6.0, 2.0])
    once[1] = [5.0, 1.0]
    assert warnings(plane(once)) == []


def test_another_test_is_another_function(monkeypatch):
    def every(found):
        yield Caution("small", "made", (2,), "Too few inputs.")

    monkeypatch.setattr("ibcore.cautions.TESTS", [*TESTS, every])
    assert warnings(plane(MIXED))[-1].text == "Too few inputs."


def test_a_page_is_whole_and_alone(tmp_path):
    """No script, no address but its own places, a text for each figure, one main heading."""
    path = ib.report(plane(MIXED), tmp_path / "new" / "plane.html", title="A <small> plane")
    page = read(path)
    names = [tag for tag, _ in page.tags]
    assert {"script", "link", "img", "iframe", "object", "base"} & set(names) == {"link"}
    assert [a["href"] for tag, a in page.tags if tag == "link"] == ["data:,"]
    links = [
        value for _, attributes in page.tags for name, value in attributes.items()
        if name in ("href", "src", "xlink:href") and not value.startswith("#")
    ]  # fmt: skip
    assert all(one.startswith("data:") for one in links)
    assert not re.search(r"url\((?!#)|@import", path.read_text(encoding="utf-8"))
    drawn = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(drawn) == 3
    assert all(one["role"] == "img" and "In layer 0 " in one["aria-label"] for one in drawn)
    assert names.count("h1") == 1
    assert "A <small> plane" in "".join(page.text)
    assert dict(page.tags[0][1]) == {"lang": "en"}


def test_the_numbers_are_those_of_the_plane(tmp_path):
    text = " ".join("".join(read(ib.report(plane(MIXED), tmp_path / "a.html")).text).split())
    assert "1 network, 3 epochs measured from 0 to 2, 64 inputs" in text
    assert "log 2 64 = 6 bits; I(T;Y) cannot exceed H(Y) = 2 bits" in text.replace("log2", "log 2")
    assert "In layer 1 I(X;T) goes from 3.00 to 2.50 bits, I(T;Y) goes from 1.00 to 1.90" in text
    assert re.search(r"1 ?3\.000 ?2\.500 ?1\.000 ?1\.900", text)


def test_seeds_are_put_together(tmp_path):
    planes = [plane(MIXED, seed=0), plane(np.array(MIXED) * 0.5, seed=1)]
    text = "".join(read(ib.report(planes, tmp_path / "a.html")).text)
    assert "2 networks" in text
    assert "1.875 (1.250 to 2.500)" in text


def test_without_labels_there_are_curves_alone(tmp_path):
    page = read(ib.report(plane(MIXED, y=False), tmp_path / "a.html"))
    assert sum(tag == "svg" for tag, _ in page.tags) == 1
    assert "there are no labels" in "".join(page.text)


def test_the_same_plane_gives_the_same_figures(tmp_path):
    one = plane(MIXED)
    pages = [ib.report(one, tmp_path / f"{k}.html").read_bytes() for k in range(2)]
    assert pages[0] == pages[1]


@pytest.mark.parametrize(
    ("given", "name", "message"),
    [
        ("measured", "a.html", r"takes a plane over epochs .* what ib\.measure gives is a table"),
        (None, "a.html", "takes a plane over epochs"),
        ("plane", "a.txt", r"path must end in \.html, got 'a\.txt'"),
    ],
)
def test_what_is_no_plane_is_refused(tmp_path, given, name, message):
    found = {
        "measured": ib.measure(nn.Linear(2, 2), torch.randn(8, 2), [0, 1] * 4),
        "plane": plane(MIXED),
        None: None,
    }[given]
    with pytest.raises(ValueError, match=message):
        ib.report(found, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(site_browser.BROWSER is None, reason="no browser on the PATH")
@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_a_browser_shows_it(tmp_path, look):
    """From disk, nothing asked of the network, nothing wider than the screen, ink that reads."""
    path = ib.report(plane(MIXED), tmp_path / "a.html")
    with site_browser.launched() as browser, site_browser.view_of(browser, look) as (view, wrong):
        asked = []
        view.on("request", lambda request: asked.append(request.url))
        view.goto(path.as_uri())
        assert [one for one in asked if not one.startswith(("file:", "data:"))] == []
        assert view.evaluate("document.documentElement.scrollWidth <= innerWidth")
        ground = view.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (ground == "rgb(255, 255, 255)") == (look != "dark")
        assert wrong == []
