/* Sentences: what a plane shows, said in bits and layers. Numbers are those of the plane, rounded to a tenth. */
"use strict";

IBLab.define("ui_words", ["effects", "ui_draw", "ui_state"], (effects, draw, states) => {
  const LEAST = 0.05; // bits: below it a tenth would be rounded to nothing
  const NAMES = ["layer 1", "layer 2", "layer 3", "layer 4", "layer 5", "the output"];
  const MARKS = ["1", "2", "3", "4", "5", "out"];
  const bits = (v) => draw.bits(v, 1);
  const listed = (items) =>
    items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items[items.length - 1]}`;
  const capital = (text) => text[0].toUpperCase() + text.slice(1);

  /** "layers 1, 2 and the output" of layer numbers from 0. */
  function layersSaid(layers) {
    const inner = layers.filter((l) => l < 5).map((l) => l + 1),
      found = [];
    if (inner.length) found.push(`${inner.length > 1 ? "layers" : "layer"} ${listed(inner)}`);
    if (layers.includes(5)) found.push("the output");
    return listed(found);
  }

  /** What each layer gains up to its peak and loses from it, in bits: the F and C of the claims. */
  function changes(plane) {
    return NAMES.map((_, l) => {
      const curve = effects.of(plane, l + 1),
        first = curve[0],
        end = curve[curve.length - 1];
      return {
        gained: effects.fitting(curve),
        lost: effects.compression(curve),
        first,
        end,
        top: Math.max(...effects.smooth(curve)),
      };
    });
  }

  /** The live sentence: who loses, who gains, who stays. */
  function sentence(plane, ruler) {
    const all = changes(plane),
      order = all.map((one, l) => ({ ...one, l }));
    const losing = order.filter((one) => one.lost >= LEAST).sort((a, b) => b.lost - a.lost);
    const gaining = order
      .filter((one) => one.lost < LEAST && one.gained >= LEAST)
      .sort((a, b) => b.gained - a.gained);
    const still = order.filter((one) => one.lost < LEAST && one.gained < LEAST).map((one) => one.l);
    const said = losing.map(({ l, gained, lost }, i) => {
      const many = i ? "" : " bits";
      return gained >= LEAST
        ? `${NAMES[l]} gains ${bits(gained)}${many} and then loses ${bits(lost)}`
        : `${NAMES[l]} loses ${bits(lost)}${many}`;
    });
    if (gaining.length)
      said.push(
        `${listed(gaining.map(({ l, gained }, i) => `${NAMES[l]} gains ${bits(gained)}${i || losing.length ? "" : " bits"}`))} and ${gaining.length > 1 ? "keep" : "keeps"} it`,
      );
    if (still.length)
      said.push(
        `${layersSaid(still)} ${still.length > 1 ? "stay" : "stays"} as ${still.length > 1 ? "they begin" : "it begins"}`,
      );
    const verdict = losing.length ? "" : "no layer loses anything; ";
    return `${capital(through(ruler))}, ${verdict}${said.join("; ")}.`;
  }

  const through = (ruler) =>
    ruler.kind === "exact"
      ? "without a ruler, as float32 numbers"
      : `through ${ruler.kind === "quantised" ? "a network " : ""}${states.called(ruler)}`;
  const ends = (plane) =>
    changes(plane).map(
      ({ lost, gained }, l) =>
        `${MARKS[l]} ${lost >= LEAST ? `−${bits(lost)}` : gained >= LEAST ? `+${bits(gained)}` : "±0"}`,
    );

  /** A network against the stored ones, in brackets: "3 of the 50 stored ones less, 47 more". */
  function against({ n, below, above, equal }, less = "less", more = "more") {
    if (below === n) return `all ${n} stored ones ${less}`;
    if (above === n) return `all ${n} stored ones ${more}`;
    return `${below} of the ${n} stored ones ${less}, ${above} ${more}${equal ? `, ${equal} the same` : ""}`;
  }

  return { MARKS, NAMES, against, bits, capital, changes, ends, layersSaid, listed, sentence, through };
});
