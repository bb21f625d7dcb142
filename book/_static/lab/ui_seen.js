/* What a ruler sees of a network: the sentence, the two pictures, the numbers. */
"use strict";

IBLab.define("ui_seen", ["ui_controls", "ui_draw", "ui_plane", "ui_words"], (controls, draw, pictures, words) => {
  const { el } = controls;
  const HEADS = ["start", "highest", "end", "gained", "lost since"];

  /** Rows of a plane of the engine: a Run, as pictures want it. */
  function asRun(plane, epochs) {
    const rows = (values) =>
      Array.from({ length: plane.n }, (_, k) => Array.from(values.subarray(6 * k, 6 * k + 6)));
    return {
      epochs: Array.from(epochs).slice(0, plane.n),
      x: rows(plane.ixt),
      y: rows(plane.ity),
      marks: words.MARKS,
    };
  }

  /** The band of one layer over the stored networks, as a list by layer for the curves. */
  function bandsOf(band, layer) {
    if (!band) return null;
    const of = (key) => Array.from(band.epochs, (_, k) => band.ixt[key][6 * k + layer]);
    const bands = new Array(6).fill(null);
    bands[layer] = {
      epochs: Array.from(band.epochs),
      low: of("low"),
      lower: of("q1"),
      upper: of("q3"),
      high: of("high"),
    };
    return bands;
  }

  function captionOf(layer, banded) {
    const who = words.NAMES[layer];
    return (
      "In the information plane each layer has one path, from the ring before training to the mark; its dots have the " +
      "colours of the epochs, which stand below the curves. Behind the name of a curve is what the layer has lost since its " +
      "peak (−) or, where it loses nothing, gained (+)." +
      (banded
        ? ` The band holds ${who} of all 50 stored networks of this setting, the darker part the middle half.`
        : "")
    );
  }

  /** All numbers of a plane as a table. */
  function table(run, changes, at) {
    const heads = ["bits", ...HEADS, `at epoch ${draw.thousands(run.epochs[at])}`, "of the label there"];
    const row = (one, l) => [one.first, one.top, one.end, one.gained, one.lost, run.x[at][l], run.y[at][l]];
    return [
      el("thead", {}, el("tr", {}, ...heads.map((text) => el("th", { scope: "col" }, text)))),
      el(
        "tbody",
        {},
        ...changes.map((one, l) =>
          el(
            "tr",
            {},
            el("th", { scope: "row" }, words.capital(words.NAMES[l])),
            ...row(one, l).map((v) => el("td", {}, draw.bits(v, 3))),
          ),
        ),
      ),
    ];
  }

  /** Pictures and sentence; show(view) draws them.
   *
   * view: {plane, epochs, at, title, ruler, band, layer (0 to 5), reach (last epoch of the axis), numbers}
   */
  function make() {
    const sentence = el("p", { class: "lab-sentence", "aria-live": "polite" });
    const left = draw.svg(),
      right = draw.svg(),
      caption = el("figcaption", { class: "lab-caption" });
    const numbers = el("table", { class: "lab-table" });
    const figures = el(
      "div",
      { class: "lab-figures" },
      el("figure", {}, el("div", {}, left)),
      el("figure", {}, el("div", {}, right)),
    );
    function show({ plane, epochs, at, title, ruler, band, layer, reach, withNumbers }) {
      const run = asRun(plane, epochs),
        now = Math.min(at, plane.n - 1),
        bands = bandsOf(band, layer);
      const said = plane.n > 1 ? words.sentence(plane, ruler) : "";
      if (sentence.textContent !== said) sentence.textContent = said;
      pictures.plane(left, run, now, {
        right: 0.9992,
        alt: `Information plane of ${title} at epoch ${run.epochs[now]}. ${said}`,
      });
      pictures.curves(right, run, run.x, now, {
        ends: plane.n > 1 ? words.ends(plane) : words.MARKS,
        bands,
        reach: reach || run.epochs[plane.n - 1],
        alt: `I(X;T) of ${title} over the epochs. ${said}`,
      });
      caption.textContent = captionOf(layer, bands);
      if (withNumbers) numbers.replaceChildren(...table(run, words.changes(plane), now));
    }
    return {
      sentence,
      figures,
      caption,
      numbers,
      show,
      svgs: [left, right],
      fail: (text) => {
        sentence.textContent = text;
      },
    };
  }

  return { make };
});
