/* A state of the laboratory and its address.
 *
 *   ?net=tanh-1000&ruler=bins:30&epoch=8000&layer=5&open=forgotten&train=gain:2,seed:7#lab-bench
 *
 * `net` is a stored network, an experiment or an activation (its middle network) or "yours", `ruler` a kind and its
 * size, `epoch` a measured epoch (the last one where it is left out), `layer` 1 to 6, `open` the panels that are
 * unfolded, `train` what a network to be trained has otherwise than the defaults. What is not there keeps the value the laboratory
 * begins with; what is nonsense is left out, so that an old link still opens. After "#" stands the laboratory of the
 * page: the theme takes what follows "#" in any link for a selector, so that a state cannot stand there.
 */
"use strict";

IBLab.define("ui_state", ["rulers"], (rulers) => {
  // The rulers a reader can drag: kind, its name, the field its slider moves, the stops, and what a stop is called.
  const near = (low, high, perDoubling, ...also) => {
    const found = new Set(also);
    for (let k = 0; ; k++) {
      const v = Math.round(low * 2 ** (k / perDoubling));
      if (v > high) break;
      found.add(v);
    }
    return [...found].sort((a, b) => a - b);
  };
  const counts = near(2, 4096, 4, 30, 50, 100);
  const some = near(2, 1024, 4, 30, 50, 100);
  const plain = (v) => `${v}`.replace("-", "−");
  const KINDS = [
    {
      kind: "bins",
      title: "equal bins",
      field: "n",
      stops: counts,
      fixed: { low: -1, high: 1 },
      label: "Number of bins",
      text: (n) => `${n} bins on [−1, 1]`,
      about: "The range of a tanh unit, cut into equal intervals; the same grid goes on outside.",
    },
    {
      kind: "range",
      title: "bins over the run",
      field: "n",
      stops: counts,
      label: "Number of bins",
      text: (n) => `${n} bins over the range of the whole run`,
      about: "From the smallest to the largest value that the layer takes in the whole training.",
    },
    {
      kind: "width",
      title: "bins of a width",
      field: "width",
      stops: [0.002, 0.005, 0.01, 0.02, 0.05, 0.07, 0.1, 0.2, 0.5, 1].reverse(),
      label: "Width of a bin",
      text: (w) => `bins of width ${w}`,
      about: "Every value divided by the width and rounded down, as in the code of Saxe et al.",
    },
    {
      kind: "edges",
      title: "bins of 2017",
      field: "n",
      stops: [10, 20, 30, 50, 100],
      label: "Number of edges",
      text: (n) => `${n} edges, as in the first release`,
      about: "As in the code released in 2017: edges from −1 to 1, the outermost bins reach to infinity.",
    },
    {
      kind: "adaptive",
      title: "adaptive bins",
      field: "n",
      stops: some,
      label: "Number of bins",
      text: (n) => `${n} adaptive bins`,
      about: "Drawn anew at each epoch, so that each bin holds equally many of the values that occur.",
    },
    {
      kind: "quantised",
      title: "rounded network",
      field: "bits",
      stops: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16],
      label: "Bits of a unit",
      text: (b) => `rounded to ${b} ${b === 1 ? "bit" : "bits"} a unit`,
      about:
        "Every layer is rounded and the next one sees what is left: these bits are true of the rounded network.",
    },
    {
      kind: "noise",
      title: "added noise",
      field: "variance",
      stops: [],
      label: "Variance of the noise",
      text: (v) => `noise of variance ${plain(+v.toPrecision(2))}`,
      about:
        "An upper bound on what is left when Gaussian noise is imagined added to the layer; computed beforehand.",
    },
    {
      kind: "exact",
      title: "no ruler",
      field: null,
      stops: [],
      label: "",
      text: () => "no ruler: float32 rows",
      about: "Two inputs count as one only where all their units are the same float32 number.",
    },
  ];
  const kindOf = (kind) => KINDS.find((one) => one.kind === kind);

  /** A ruler from its kind and size. */
  function ruler(kind, size) {
    const { field, fixed } = kindOf(kind);
    return field ? { kind, [field]: size, ...fixed } : { kind };
  }
  const sizeOf = (one) => one[kindOf(one.kind).field];
  /** What a ruler is called in a sentence. */
  const called = (one) =>
    one.kind === "bins" && (one.low !== -1 || one.high !== 1)
      ? `${one.n} bins on [${plain(one.low)}, ${plain(one.high)}]`
      : kindOf(one.kind).text(sizeOf(one));

  function rulerText(one) {
    const ends = one.kind === "bins" && (one.low !== -1 || one.high !== 1) ? `:${one.low}:${one.high}` : "";
    return sizeOf(one) === undefined ? one.kind : `${one.kind}:${sizeOf(one)}${ends}`;
  }

  function rulerFrom(text) {
    const [kind, size, low, high] = text.split(":");
    if (!kindOf(kind)) return null;
    const found = ruler(kind, +size);
    if (low !== undefined) Object.assign(found, { low: +low, high: +high });
    try {
      if (kind !== "noise") rulers.check(found);
      else if (!(found.variance > 0)) return null;
    } catch {
      return null;
    }
    return found;
  }

  const TRAINED = {
    activation: String,
    gain: Number,
    optimizer: String,
    rate: Number,
    batch: (v) => (v === "full" ? null : Number(v)),
    epochs: Number,
    l2: Number,
    noise: Number,
    split: String,
    share: Number,
    seed: Number,
    initializer: String,
    momentum: Number,
    nMeasured: Number,
  };

  const trainText = (settings) =>
    Object.keys(settings)
      .filter((key) => key in TRAINED)
      .map((key) => `${key}:${settings[key] === null ? "full" : settings[key]}`)
      .join(",");
  function trainFrom(text) {
    const found = {};
    for (const part of text.split(",")) {
      const [key, value] = part.split(":");
      if (key in TRAINED && value !== undefined && !Number.isNaN(TRAINED[key](value)))
        found[key] = TRAINED[key](value);
    }
    return found;
  }

  /** The query of an address that names a state. */
  function format(state) {
    const parts = [
      ["net", state.net],
      ["ruler", rulerText(state.ruler)],
      ["epoch", state.epoch],
      ["layer", state.layer],
      ["open", state.open.join(",")],
      ["train", trainText(state.train)],
    ];
    const plain = (value) => encodeURIComponent(value).replace(/%3A/g, ":").replace(/%2C/g, ",");
    const said = parts.filter(([, value]) => value !== null && value !== undefined && value !== "");
    return said.map(([key, value]) => `${key}=${plain(value)}`).join("&");
  }

  /** What an address, or the options of the page, say of a state; nothing is filled in. */
  function parse(text) {
    const given = new URLSearchParams(text.replace(/^[?]/, "")),
      state = {};
    if (given.get("net")) state.net = given.get("net");
    const found = given.get("ruler") && rulerFrom(given.get("ruler"));
    if (found) state.ruler = found;
    if (/^\d+$/.test(given.get("epoch") || "")) state.epoch = +given.get("epoch");
    if (/^[1-6]$/.test(given.get("layer") || "")) state.layer = +given.get("layer");
    if (given.has("open"))
      state.open = given
        .get("open")
        .split(",")
        .filter((one) => ["train", "forgotten", "numbers"].includes(one));
    if (given.has("train")) state.train = trainFrom(given.get("train"));
    return state;
  }

  return { KINDS, called, format, kindOf, parse, ruler, rulerFrom, rulerText, sizeOf };
});
