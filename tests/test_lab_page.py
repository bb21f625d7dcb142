"""The laboratory on a page, in a small site of its own that is opened from disk, as readers may.

It is driven by mouse, keyboard and touch; what it says is compared with ibcore.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import lab
import lab_data
import numpy as np
import pytest
from claim_planes import EPOCHS, LAYERS, make_plane
from site_browser import BROWSER, PATIENCE, see
from test_access import RUN

import ibcore as ib
from ibcore.claims import effects
from ibcore.papers import paper_module
from ibcore.plots import style

ROOT = Path(__file__).parents[1]
LAB, PAGE = ROOT / "book/_static/lab", ROOT / "ibcore/plots/page"
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no browser on the PATH")

CONF = f"""
import sys
sys.path.insert(0, {str(ROOT / "book/_ext")!r})
project, extensions, html_theme = "Small", ["myst_parser", "lab"], "sphinx_book_theme"
html_static_path, html_css_files = [{str(ROOT / "book/_static")!r}], ["custom.css"]
html_context, lab_page = {{"default_mode": "auto"}}, "laboratory"
"""
TERMS = ("ruler", "orbit", "claim", "criterion")
GLOSSARY = "\n".join(
    ["# Glossary\n\n```{glossary}", *(f"{one}\n  What it is.\n" for one in TERMS), "```\n"]
)
CHAPTER = """# A chapter

Prose, and {lab}`a state <net=relu&ruler=range:100>`.

```{lab} here
:activation: relu
:ruler: range:100
:figure: picture.svg
:alt: A picture.

A caption with *words*.
```

```{toctree}
laboratory
glossary
get_it
ledger
```
"""
READY = """() => {
  const bench = document.querySelector(".lab")?.bench, plane = bench?.plane(); // null: on its way
  if (!plane || plane.net !== bench.state.net || plane.ruler !== bench.state.ruler) return false;
  const {sentence} = IBLab.require("ui_words");
  return document.querySelector(".lab-sentence").textContent === sentence(plane, plane.ruler);
}"""
CHANGES = """() => {
  const {bench} = document.querySelector(".lab");
  return {state: bench.state, changes: IBLab.require("ui_words").changes(bench.plane())};
}"""
ENDS = "[...document.querySelector('.lab').bench.plane().ixt].slice(-6)"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The pages, built in silence."""
    source, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("site")
    (source / "conf.py").write_text(CONF)
    (source / "index.md").write_text(CHAPTER)
    (source / "glossary.md").write_text(GLOSSARY)
    for name in ("get_it", "ledger"):  # where the laboratory sends its readers
        (source / f"{name}.md").write_text(f"# {name}\n")
    (source / "laboratory.md").write_text((ROOT / "book/laboratory.md").read_text())
    (source / "picture.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9"/>')
    command = [sys.executable, "-m", "sphinx", "-q", "-n", "-b", "html", source, out]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not ran.stderr
    return out


@pytest.fixture
def page(browser, site, request):
    """A page before it is opened; what goes wrong on it, requests that leave the disk too."""
    options = getattr(request, "param", {})
    context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}} | options)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.set_default_timeout(PATIENCE)
    view, problems = context.new_page(), []
    view.on("pageerror", lambda error: problems.append(f"error: {error}"))
    view.on("console", lambda m: m.type in ("error", "warning") and problems.append(m.text))
    view.on("request", lambda one: one.url.startswith(HERE) or problems.append(one.url))
    yield view
    context.close()
    assert not problems


HERE = ("file:", "data:", "blob:")


def opened(view, site, query="", name="laboratory", place="#lab-bench"):
    """Open a state and wait for its numbers."""
    view.goto(f"{(site / name).as_uri()}.html?{query}{place}")
    view.wait_for_function(READY)
    return view


def told(view):
    return view.locator(".lab-sentence").inner_text()


def numbers(view):
    """What each layer gains and loses, as the page has it."""
    view.wait_for_function(READY)
    return view.evaluate(CHANGES)["changes"]


# Before it is opened -------------------------------------------------------------------------


def test_a_page_loads_nothing_before_its_reader_asks(page, site):
    page.goto((site / "index.html").as_uri(), wait_until="load")
    loaded = page.evaluate("[...document.scripts].map(one => one.src)")
    scripts = [Path(one).name for one in loaded if "/lab/" in one and ".js" in one]
    assert [name.partition("?")[0] for name in scripts] == ["ui_open.js"]
    assert page.locator(".lab-still img").get_attribute("alt") == "A picture."
    assert page.locator(".lab-still figcaption em").inner_text() == "words"


@pytest.mark.parametrize("page", [{"java_script_enabled": False}], indirect=True)
def test_without_scripts_a_figure_and_a_sentence(page, site):
    page.goto((site / "laboratory.html").as_uri())
    figure = page.locator(".lab-still")
    assert figure.locator("img").bounding_box()["height"] > 200
    assert "With scripts switched on" in figure.inner_text()
    assert not figure.locator("button").is_visible()


def test_pages_without_a_laboratory_have_none_of_its_files(site):
    assert "/lab/" not in (site / "glossary.html").read_text()
    assert "_static/lab/ui_open.js" in (site / "laboratory.html").read_text()


def test_its_first_picture_is_of_the_published_results(site):
    text = (site / "_static/lab/lab-tanh-bins-30.svg").read_text()
    assert "<svg" in text
    for kind in ("range:100", "width:0.07", "edges:30", "adaptive:30", "quantised:8", "exact"):
        assert repr(lab.ruler_of(kind)).endswith(")")
    with pytest.raises(ValueError, match="no ruler is called"):
        lab.ruler_of("nothing:3")


# Driven --------------------------------------------------------------------------------------

WAYS = {
    "mouse, wide, light": {"viewport": {"width": 1400, "height": 900}, "color_scheme": "light"},
    "keys, middle, dark": {"viewport": {"width": 768, "height": 1000}, "color_scheme": "dark"},
    "touch, phone, light": {
        "viewport": {"width": 390, "height": 844},
        "color_scheme": "light",
        "has_touch": True,
        "is_mobile": True,
    },
}
by_way = pytest.mark.parametrize("page", WAYS.values(), ids=WAYS, indirect=True)


def drag(view, slider, share):
    """Move a slider by the means that the view has."""
    box = slider.bounding_box()
    x, y = box["x"] + (0.05 + 0.9 * share) * box["width"], box["y"] + box["height"] / 2
    if view.evaluate("matchMedia('(pointer: coarse)').matches"):
        view.touchscreen.tap(x, y)
    elif view.viewport_size["width"] == 768:
        slider.press("End" if share > 0.5 else "Home")
    else:
        slider.hover()
        view.mouse.down()
        view.mouse.move(x, y, steps=6)
        view.mouse.up()


@by_way
def test_the_ruler_moves_the_plane_and_the_sentence(page, site):
    """From the picture, by its button, to another ruler, another network, another paper."""
    page.goto((site / "index.html").as_uri())
    button = page.get_by_role("button", name="Open the laboratory")
    button.focus()
    page.keyboard.press("Enter")
    page.wait_for_function(READY)
    before, path = told(page), page.locator(".lab-figures svg").first.inner_html()
    slider = page.get_by_role("slider", name="Number of bins")
    slider.scroll_into_view_if_needed()
    drag(page, slider, 0.9)
    page.wait_for_function(
        "was => document.querySelector('.lab-sentence').textContent !== was", arg=before
    )
    assert slider.get_attribute("aria-valuetext") in told(page)
    assert page.locator(".lab-figures svg").first.inner_html() != path
    page.get_by_role("radio", name="tanh", exact=True).check(force=True)
    page.wait_for_function(READY)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.get_by_role("button", name="Saxe et al.: ReLU").click()
    page.wait_for_function(READY)
    assert "over the range of the whole run" in told(page)
    assert page.get_by_role("radio", name="ReLU").is_checked()
    assert "ruler=range:100" in page.evaluate(
        "new Promise(r => setTimeout(() => r(location.search), 400))"
    )


SMALL = """() => {
  const all = document.querySelectorAll(".lab :is(button, select, input, summary)");
  const small = ({width, height}) => width < 24 || height < 24;
  return [...all].filter(e => e.checkVisibility() && small(e.getBoundingClientRect()))
    .map(e => e.textContent || e.type);
}"""


@by_way
def test_nothing_to_press_is_too_small_for_a_finger(page, site):
    opened(page, site, "open=train,forgotten,numbers")
    small = page.evaluate(SMALL)
    assert not small
    if page.evaluate("matchMedia('(pointer: coarse)').matches"):
        assert page.locator(".lab-step").first.bounding_box()["width"] >= 44


FOCUSED = "(e => e.ariaLabel || e.textContent || e.name)(document.activeElement)"


def test_every_control_is_reached_by_keyboard(page, site):
    opened(page, site, "open=forgotten")
    page.locator(".lab-chip").first.focus()
    seen = set()
    for _ in range(60):
        seen.add(page.evaluate(FOCUSED))
        page.keyboard.press("Tab")
    for wanted in ("Number of bins", "Epoch", "▶ Play", "Copy the link", "Train it here"):
        assert wanted in seen
    assert any("inputs by symbol" in text for text in seen)


def test_a_slider_steps_by_one(page, site):
    opened(page, site, "ruler=bins:30")
    page.get_by_role("button", name="Number of bins: one step on").click()
    page.wait_for_function(READY)
    assert page.evaluate(CHANGES)["state"]["ruler"]["n"] == 32
    said = page.locator(".lab-slider input").evaluate_all(
        "all => all.map(i => i.ariaValueText ?? i.getAttribute('aria-valuetext'))"
    )
    assert said == page.locator(".lab-slider output").all_inner_texts()


def test_it_plays_and_where_motion_is_not_wanted_it_steps(page, site):
    opened(page, site, "epoch=0")
    slider = page.get_by_role("slider", name="Epoch")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("document.querySelector('.lab-time input[type=range]').value > 3")
    page.get_by_role("button", name="Pause").click()
    page.emulate_media(reduced_motion="reduce")
    opened(page, site, "epoch=0&layer=4")
    page.get_by_role("button", name="Next epoch").click()
    page.wait_for_timeout(500)
    assert slider.input_value() == "1"


SHOWN = (
    "open=train",
    "open=forgotten",
    "open=numbers",
    "ruler=noise:0.001",
    "ruler=exact&net=relu",
)


@pytest.mark.parametrize("shown", SHOWN)
def test_no_serious_fault_of_access(page, site, axe, shown):
    opened(page, site, shown)
    page.wait_for_timeout(600)
    page.evaluate(axe)
    ours = RUN.replace('[["html"]]', '[[".lab"]]')
    found = {"light": [one for one in page.evaluate(ours, []) if one[1] in ("serious", "critical")]}
    see(page, "dark")
    page.set_viewport_size({"width": 390, "height": 844})
    found["dark phone"] = [
        one for one in page.evaluate(ours, []) if one[1] in ("serious", "critical")
    ]
    assert not any(found.values()), found


# States and addresses ------------------------------------------------------------------------


STATES = """() => {
  const {KINDS, ruler, format, parse} = IBLab.require("ui_state"), lost = [];
  const of = (list) => list[Math.floor(Math.random() * list.length)];
  const said = (state) => JSON.stringify(Object.entries(state).sort());
  const own = {gain: 2, batch: null, seed: 7, activation: "relu", rate: 0.01};
  for (let i = 0; i < 100; i++) {
    const {kind, stops} = of(KINDS);
    const state = {
      net: of(["tanh-1028", "yours", "relu"]),
      ruler: ruler(kind, kind === "noise" ? 0.001 : of(stops)),
      epoch: of([null, 0, 400]), layer: of([1, 5, 6]),
      open: of([[], ["train"], ["train", "numbers"]]), train: of([{}, own]),
    };
    const found = {epoch: null, train: {}, open: [], ...parse("?" + format(state))};
    if (said(found) !== said(state)) lost.push([state, found]);
  }
  return lost;
}"""


def test_states_and_addresses_are_the_same(page, site):
    """A hundred random states are written and read again."""
    opened(page, site)
    lost = page.evaluate(STATES)
    assert not lost


def test_what_is_no_state_is_left_out(page, site):
    opened(page, site, "net=<b>&ruler=bins:-4&epoch=x&layer=9&open=all&train=gain:much,nothing:1")
    state = page.evaluate(CHANGES)["state"]
    assert state["ruler"] == {"kind": "bins", "n": 30, "low": -1, "high": 1}
    assert (state["epoch"], state["layer"], state["open"], state["train"]) == (None, 5, [], {})


def test_a_copied_link_opens_the_same_state(page, site):
    opened(page, site, "net=relu&ruler=adaptive:30&layer=4&epoch=0&open=numbers")
    page.get_by_role("button", name="Copy the link").click()
    link = page.evaluate("navigator.clipboard.readText()")
    before, state = told(page), page.evaluate(CHANGES)["state"]
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_function(READY)
    assert told(page) == before
    assert page.evaluate(CHANGES)["state"] == state


def test_prose_leads_to_a_state_without_a_new_page(page, site):
    opened(page, site)
    page.evaluate("window.same = true")
    page.get_by_role("link", name="thirty adaptive bins").click()
    page.wait_for_function(
        "document.querySelector('.lab-sentence').textContent.includes('adaptive')"
    )
    assert page.evaluate("window.same")
    page.go_back()
    page.wait_for_function(
        "!document.querySelector('.lab-sentence').textContent.includes('adaptive')"
    )
    page.goto((site / "index.html").as_uri())
    page.get_by_role("link", name="a state").click()
    page.wait_for_function(READY)
    assert "whole run" in told(page)


# What it gives away --------------------------------------------------------------------------


def copied(view, what):
    view.get_by_role("button", name=f"Copy the {what}").click()
    return view.evaluate("navigator.clipboard.readText()")


def test_the_python_computes_the_numbers_of_the_page(page, site):
    """A network trained in the page for few epochs, as rounding has not parted the two yet."""
    opened(page, site, "net=yours&open=train&train=epochs:12,seed:5,nMeasured:6&ruler=bins:30")
    page.get_by_role("button", name="Train", exact=True).click()
    page.wait_for_function(
        "document.querySelector('.lab-train .lab-told').textContent.includes('has learnt')"
    )
    page.wait_for_function(READY)
    command = [sys.executable, "-c", copied(page, "Python")]
    ran = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    head, _, *rows = [line.split() for line in ran.stdout.splitlines()]
    plane = page.evaluate(ENDS)
    assert head == ["i_xt", "i_ty"]  # as a reader sees it: nothing is left out for the width
    np.testing.assert_allclose([float(i_xt) for _, i_xt, _ in rows], plane, atol=0.02)
    assert [one["end"] for one in numbers(page)] == plane


EVERY_PROGRAM = """async (url) => {
    const data = await IBLab.require("stored").open(url), { python } = IBLab.require("ui_share");
    const ruler = { kind: "exact" };
    return data.networks.map(({ settings, epochs }) =>
        [Array.from(epochs),
         Array.from(epochs, (_, at) => python({ ruler }, settings, epochs, at))]);
}"""


def test_the_python_measures_every_epoch_that_is_shown(page, site):
    """Of each stored network: what is not measured cannot be looked up; full batches, too."""
    opened(page, site)
    batches = set()
    for epochs, programs in page.evaluate(EVERY_PROGRAM, lab_data.OUT.as_uri()):
        for epoch, program in zip(epochs, programs, strict=True):
            written = re.search(r"^experiment = (.*)$", program, re.MULTILINE)[1]
            experiment = eval(written, {"ib": ib})
            assert set(epochs) <= set(experiment.epochs.tolist())
            assert f".sel(epoch={epoch})" in program
        batches.add(experiment.batch_size)
    assert batches == {None, 512}


def test_the_command_has_parameters_of_the_chapter(page, site):
    opened(page, site, "net=relu&ruler=adaptive:64")
    words = shlex.split(copied(page, "papermill command"))
    text = (ROOT / "book" / words[4].replace(".ipynb", ".md")).read_text()
    cell = text.partition(":tags: [parameters]")[2].partition("```")[0]
    given = dict(zip(words[7::3], words[8::3], strict=True))
    assert all(re.search(rf"^{name}: ", cell, re.MULTILINE) for name in given)
    assert given["ruler"] == repr(ib.AdaptiveBinning(64))


def test_the_figure_stands_for_itself(page, site, tmp_path):
    opened(page, site)
    with page.expect_download() as file:
        page.get_by_role("button", name="Save as a figure").click()
    file.value.save_as(tmp_path / "figure.svg")
    text = (tmp_path / "figure.svg").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    assert "30 bins" in root[0].text
    assert told(page) in root[1].text
    assert "var(" not in re.sub(r"--of:[^\"]*", "", text)
    assert "currentColor" not in re.sub(r'color="[^"]*"', "", text) or 'color="#222222"' in text


# What it says --------------------------------------------------------------------------------


def test_the_numbers_are_those_of_the_published_plane(page, site):
    """Bins of the map of chapter 2 on the middle tanh network: gains and losses to 1e-6 bit."""
    opened(page, site, "net=tanh&ruler=bins:30")
    found = numbers(page)
    seed = int(page.evaluate(CHANGES)["state"]["net"].rpartition("-")[2])
    plane = ib.Study("estimators").plane("tanh").sel(seed=[seed])
    name = repr(ib.Binning(30, -1.0, 1.0))
    lost, gained = (
        f(plane, estimator=name).isel(seed=0).values for f in (effects.compression, effects.fitting)
    )
    np.testing.assert_allclose([one["lost"] for one in found], lost, atol=3e-4)  # as published
    np.testing.assert_allclose([one["gained"] for one in found], gained, atol=3e-4)


def test_the_sentence_says_every_layer_once(page, site):
    opened(page, site, "net=tanh&ruler=bins:30")
    said = told(page)
    for layer, one in enumerate(numbers(page), 1):
        name = "the output" if layer == 6 else rf"(layer|layers|,|and)[^;]*\b{layer}\b"
        assert re.search(name, said)
        if one["lost"] >= 0.05:
            assert f"loses {one['lost']:.1f}" in said


def lost(view, layer):
    return numbers(view)[layer - 1]["lost"]


ARRIVED = """query => {
  const {parse} = IBLab.require("ui_state"), {state} = document.querySelector(".lab").bench;
  return Object.entries(parse(query)).every(([key, value]) =>
    key === "net" || JSON.stringify(state[key]) === JSON.stringify(value));
}"""


def walk(view, site, text):
    """Follow a link of the walks."""
    if "laboratory" not in view.url:
        opened(view, site)
    link = view.get_by_role("link", name=text, exact=True).first
    link.click()
    view.wait_for_function(ARRIVED, arg=link.evaluate("e => e.search"))
    return numbers(view)


def test_first_walk(page, site):
    tanh = walk(page, site, "tanh and thirty bins")
    assert tanh[4]["lost"] > 0.5 * tanh[4]["top"]
    relu = walk(page, site, "ReLU and a hundred bins over the run")
    assert max(one["lost"] for one in relu[:5]) < 0.5
    assert walk(page, site, "thirty adaptive bins")[4]["lost"] > 0.5


def test_second_walk(page, site):
    names = ("thirty", "a hundred and twenty-eight", "four thousand and ninety-six")
    found = [[one["lost"] for one in walk(page, site, name)] for name in names]
    fourth, output = ([each[layer] for each in found] for layer in (3, 5))
    assert fourth == sorted(fourth, reverse=True)
    assert fourth[0] > 0.3 > 0.05 > fourth[-1]
    assert output == sorted(output)
    assert output[-1] > found[-1][4]
    assert max(one["lost"] for one in walk(page, site, "take the ruler away")) < 0.5


GRID_SAYS = "n => document.querySelector('.lab-forgotten .lab-told').textContent.includes(n)"
PARTS = r"Of ([\d.]+) bits ([\d.]+) .*?, ([\d.]+) .*?, ([\d.]+) .*? ([\d.]+) tell"


def parts(view, when):
    """Bits of layer 5 and their four parts at an epoch, and the number of its symbols."""
    view.wait_for_function(GRID_SAYS, arg=when)
    text = view.locator(".lab-forgotten .lab-told").inner_text()
    many = re.search(r"share ([\d\s]+) symbol", text)[1]
    return [float(one) for one in re.search(PARTS, text).groups()], int(re.sub(r"\s", "", many))


LARGEST = """async () => {
  const data = await IBLab.require("stored").open("");
  const {state} = document.querySelector(".lab").bench;
  const rows = data.weights(state.net), desk = IBLab.require("plane").desk("tanh");
  [rows.slice(0, 294), rows.slice(-294)].forEach((row, k) => desk.add(row, k));
  return [0, 1].map(k => {
    const {symbols, n} = desk.layer(k, 4, state.ruler), counts = new Array(n).fill(0);
    symbols.forEach(s => { counts[s] += 1; });
    const order = [...counts.keys()].sort((a, b) => counts[b] - counts[a]).slice(0, 2);
    const {y} = IBLab.require("task");
    const of = (s) => [...symbols.keys()].filter(i => symbols[i] === s);
    const ones = order.map(s => of(s).reduce((sum, i) => sum + y[i], 0) / counts[s]);
    return {held: (counts[order[0]] + counts[order[1]]) / 4096, ones};
  });
}"""


def test_third_walk(page, site):
    walk(page, site, "the fifth layer before training")
    before, many = parts(page, "epoch 0")
    walk(page, site, "the end")
    after, as_many = parts(page, "epoch 8")
    assert before[1] < 0.3 < 0.9 < after[1]
    assert 0.5 < as_many / many < 2
    fall = np.subtract(before, after)
    assert fall[4] == max(fall[1:])
    first, last = page.evaluate(LARGEST)
    assert first["held"] < 0.3 < 0.5 < last["held"]
    assert min(last["ones"]) < 0.02 < 0.98 < max(last["ones"])


def test_what_is_forgotten_by_keyboard(page, site):
    """An input is chosen with the arrows; what is said of it is what the symbols say."""
    opened(page, site, "open=forgotten&layer=5")
    page.wait_for_function("document.querySelector('.lab-board').ariaLabel")
    board = page.locator(".lab-board")
    board.press("ArrowRight")
    said = page.locator(".lab-one")
    assert "0 ones and label 0" in said.inner_text()
    for _ in range(20):  # a block is a few lines high
        if "3 ones" not in said.inner_text():
            board.press("ArrowDown")
    assert re.match(r"This input has 3 ones and label [01]\.", said.inner_text())
    assert page.locator(".lab-solid circle").count() == 12
    assert page.locator(".lab-solid circle[fill^='#']").count() == 3
    board.press("Escape")
    assert not page.locator(".lab-one").inner_text()


def test_training_can_be_stopped_and_is_judged_with_its_fifty(page, site):
    opened(page, site, "net=yours&open=train&train=epochs:5000,seed:1")
    assert "press Train" in page.locator(".lab-train .lab-told").inner_text()
    page.get_by_role("button", name="Train", exact=True).click()
    page.locator(".lab-running").wait_for()
    page.wait_for_function("document.querySelector('.lab-running progress').value > 0")
    page.locator(".lab-running button").click()
    page.wait_for_function(
        "document.querySelector('.lab-train .lab-told').textContent.includes('was stopped')"
    )
    assert not page.locator(".lab-running").is_visible()
    rate = page.get_by_label("Learning rate")
    rate.fill("9000")
    rate.press("Tab")
    assert rate.get_attribute("aria-invalid") == "true"
    assert "a number from" in page.locator(".lab-refused:not(:empty)").inner_text()


JUDGED = """([claim, values]) => {
  const {meets, verdicts} = IBLab.require("ui_judge"), {rank} = IBLab.require("effects");
  const found = values.map((value, i) => (
    {claim, layer: 4 + i, value, rank: rank(value, [0, 1, 2]), meets: meets(claim, value)}
  ));
  return [found.map(one => one.meets), verdicts(found)[0]];
}"""


def test_claims_are_read_as_they_ask(page, site):
    opened(page, site)
    loses = {
        "id": "A-1",
        "title": "t",
        "effect": "compression",
        "expects": "effect",
        "size": 1,
        "layers": [4, 5],
    }
    assert page.evaluate(JUDGED, [loses, [0.5, 1.5]])[0] == [False, True]
    absent = loses | {"expects": "absence", "size": None, "margin": 0.25}
    assert page.evaluate(JUDGED, [absent, [0.2, 0.3]])[0] == [True, False]
    early = loses | {"effect": "peak", "size": None, "side": "<", "null": 0.2}
    assert page.evaluate(JUDGED, [early, [0.1, 0.3]])[0] == [True, False]
    said = page.evaluate(JUDGED, [loses, [0.5, 1.5]])[1]
    assert said == (
        "A-1, “t”: your network does so in part. Layer 4 loses 0.5 bits "
        "(1 of the 3 stored ones less, 2 more); layer 5 loses 1.5 bits "
        "(2 of the 3 stored ones less, 1 more)."
    )


# One look ------------------------------------------------------------------------------------


def test_colours_dashes_and_shades_are_those_of_the_figures(page, site):
    opened(page, site)
    drawn = page.evaluate(
        "(({COLOURS, DASHES, SHADES}) => ({COLOURS, DASHES, SHADES}))(IBLab.require('ui_draw'))"
    )
    assert tuple(drawn["COLOURS"]) == style.COLOURS
    dashes = ["" if one == "-" else " ".join(f"{v:g}" for v in one[1]) for one in style.DASHES]
    assert drawn["DASHES"] == dashes
    places = np.linspace(0, 1, len(drawn["SHADES"]))
    expected = (style.shades()(places)[:, :3] * 255).round()
    found = [[int(one[i : i + 2], 16) for i in (1, 3, 5)] for one in drawn["SHADES"]]
    assert np.abs(expected - found).max() <= 3


def test_epochs_stand_where_figures_have_them(page, site):
    from matplotlib import pyplot as plt

    opened(page, site)
    epochs = [0, 1, 3, 40, 700, 8000]
    _, ax = plt.subplots()
    style.time_axis(ax, epochs, "epoch")
    ax.set_xlim(0, 8000)
    expected = ax.transAxes.inverted().transform(ax.transData.transform([(e, 0) for e in epochs]))[
        :, 0
    ]
    plt.close()
    found = page.evaluate("all => all.map(e => IBLab.require('ui_draw').when(e, 8000))", epochs)
    np.testing.assert_allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize(
    "path", sorted([*LAB.glob("ui_*.js"), *PAGE.glob("*.js")]), ids=lambda p: p.name
)
def test_a_script_defines_the_module_of_its_name(path):
    text = path.read_text(encoding="utf-8")
    assert path.name == "ui_open.js" or re.search(rf'IBLab\.define\(\s*"{path.stem}"', text)
    assert len(text.splitlines()) <= 400
    assert not re.search(r"innerHTML|insertAdjacent|eval\(|fetch\(|XMLHttp", text)
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)", text)


@pytest.fixture(scope="module")
def axe():
    from importlib.util import find_spec

    folder = Path(find_spec("axe_playwright_python").origin).parent
    return (folder / "axe.min.js").read_text(encoding="utf-8")


# The three small widgets, of the same parts ---------------------------------------------------


def shown(view, folder, widget):
    """A widget on a page by itself, as in a notebook."""
    text = f"<!doctype html><html lang='en'><title>t</title><main>{widget._repr_html_()}</main>"
    (folder / "widget.html").write_text(text, encoding="utf-8")
    view.goto((folder / "widget.html").as_uri())
    said, values = (view.locator(f".lab-widget {one}") for one in ("output", "input[type=range]"))
    spoken = "all => all.map(one => one.getAttribute('aria-valuetext'))"
    assert said.all_inner_texts() == values.evaluate_all(spoken)
    return view.locator(".lab-widget")


def test_the_ruler_slider_has_a_beginning_and_time(page, tmp_path):
    plane = make_plane(np.tile(np.linspace(11, 6, LAYERS), (len(EPOCHS), 1)))
    rulers = {"30 bins": plane.estimator.item()}
    box = shown(page, tmp_path, ib.plots.RulerSlider({"tanh": plane}, rulers))
    assert box.locator(".lab-start").count() == LAYERS
    assert box.locator(".lab-start").first.get_attribute("cx")
    assert box.get_by_role("button", name="Play").is_visible()
    box.get_by_role("slider", name="Epoch").press("Home")
    assert box.locator("output").last.inner_text() == f"epoch {EPOCHS[0]}"


def test_the_neuron_has_three_activations_and_its_point(page, tmp_path):
    neuron = paper_module("saxe", "figures").NeuronSlider((0.5, 2.0, 10.0), (10, 30))
    box = shown(page, tmp_path, neuron)
    for name, activation in (("ReLU", "relu"), ("linear", "linear")):
        box.get_by_role("radio", name=name).check(force=True)
        exact = ib.theory.single_neuron_information(2.0, activation=activation, width=2 / 30)
        assert f"= {exact:.2f} bits" in box.locator(".lab-result").inner_text()
    assert box.locator("svg path.lab-now").count() == 3


def test_the_clouds_turn_tilt_and_play_by_keyboard(page, tmp_path):
    t = np.random.default_rng(0).uniform(-1, 1, (30, 3))
    clouds = {f"epoch {k}": t * k / 4 for k in range(5)}
    player = paper_module("goldfeld", "figures").CloudPlayer(clouds, np.arange(30) % 2)
    box = shown(page, tmp_path, player)
    assert box.locator(".lab-key li").all_inner_texts() == [" class 0", " class 1"]
    canvas = box.locator("canvas")
    turn, tilt = (box.locator("output").nth(k) for k in (1, 2))
    before, seen = (turn.inner_text(), tilt.inner_text()), canvas.screenshot()
    canvas.press("ArrowUp")
    canvas.press("ArrowLeft")
    assert before != (turn.inner_text(), tilt.inner_text())
    assert tilt.inner_text() == "30°"
    assert canvas.screenshot() != seen
    box.get_by_role("button", name="Play").press("Enter")
    page.wait_for_function("document.querySelector('.lab-widget input').value === '4'")
