/* One neuron f(w X), X standard normal: the probability of every bin, and what they add up to (NeuronSlider). */
"use strict";

IBLab.define("neuron", ["ui_draw", "ui_controls"], (draw, { choice, el, fitted, framed, slider }) => {
  /** Φ(x) to seven digits (Abramowitz & Stegun 26.2.17): for the bars; the bits come from exact sums. */
  function below(x) {
    if (x < 0) return 1 - below(-x);
    if (x > 9) return 1;
    const k = 1 / (1 + 0.2316419 * x),
      tail = k * (0.31938153 + k * (-0.356563782 + k * (1.781477937 + k * (-1.821255978 + k * 1.330274429))));
    return 1 - (Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI)) * tail;
  }

  const KINDS = [
    ["tanh", "tanh"],
    ["relu", "ReLU"],
    ["linear", "linear"],
  ];
  const inverse = {
    tanh: (t) => (t <= -1 ? -Infinity : t >= 1 ? Infinity : Math.atanh(t)),
    relu: (t) => (t <= 0 ? -Infinity : t),
    linear: (t) => t,
  };

  /** Bins that hold something: [left end, probability][]; those of tanh end at ±1. */
  function bars(kind, weight, n) {
    const width = 2 / n,
      reach = kind === "tanh" ? 1 : Math.max(1, 4.2 * weight),
      found = [];
    const first = kind === "relu" ? 0 : -Math.ceil(reach / width);
    for (let i = first; i < Math.ceil(reach / width - 1e-9); i++) {
      const low = i * width,
        high = (i + 1) * width,
        from = kind === "relu" && i === 0 ? -Infinity : inverse[kind](low);
      found.push([low, below(inverse[kind](high) / weight) - below(from / weight)]);
    }
    return { found, width, reach };
  }

  /** Fill `root` from data: {weights, bins, information, others: {relu, linear}}. */
  return (root, data) => {
    const of = (kind) => (kind === "tanh" ? data.information : data.others[kind]);
    const kind = choice("Activation", { options: KINDS, value: "tanh", changed: () => show() });
    const weight = slider("Weight", {
      n: data.weights.length,
      value: data.weights.length >> 1,
      text: (i) => `${+data.weights[i].toPrecision(3)}`,
      changed: () => show(),
    });
    const bins = slider("Bins on [−1, 1]", {
      n: data.bins.length,
      value: Math.min(3, data.bins.length - 1),
      text: (i) => `${data.bins[i]}, each ${+(2 / data.bins[i]).toPrecision(2)} wide`,
      changed: () => show(),
    });
    const left = draw.svg(),
      right = draw.svg(),
      result = el("figcaption", { role: "status", class: "lab-result" }),
      key = el("ul", { class: "lab-key" });
    draw.key(
      key,
      KINDS.map(([, name]) => name),
    );
    const box = el(
      "div",
      { class: "lab-widget-planes" },
      el("figure", {}, el("div", {}, left), result),
      el("figure", {}, el("div", {}, right), key),
    );
    root.append(el("div", { class: "lab-row" }, kind.node, weight.node, bins.node), box);

    function histogram(w, n, said) {
      const { found, width, reach } = bars(kind.value, data.weights[w], n),
        top = Math.max(...found.map(([, p]) => p));
      const size = draw.canvas(left, 260, `probabilities of the bins. ${said}`),
        frame = { left: 44, right: size.width - 10, top: 30, bottom: size.height - 42 };
      const low = kind.value === "relu" ? -0.04 * reach : -reach,
        span = reach - low,
        round = (v) => +v.toPrecision(2);
      const at = (t) => frame.left + ((frame.right - frame.left) * (t - low)) / span;
      const ticks = kind.value === "relu" ? [0, reach / 2, reach] : [-reach, 0, reach];
      const { py } = draw.axes(
        left,
        frame,
        { place: at, ticks: ticks.map((t) => [t, `${round(t)}`.replace("-", "−")]), label: "t" },
        { top: 1.04 * top, ticks: [0, round(top / 2), round(top)], label: "probability of the bin" },
      );
      if (found.length > 400)
        // thinner than a line: their outline
        draw.add(left, "polygon", {
          fill: draw.COLOURS[0],
          points: draw.line([
            [at(found[0][0]), py(0)],
            ...found.map(([t, p]) => [at(t), py(p)]),
            [at(reach), py(0)],
          ]),
        });
      else
        for (const [t, p] of found)
          draw.add(left, "rect", {
            x: at(t).toFixed(2),
            y: py(p).toFixed(2),
            width: Math.max(0.4, at(t + width) - at(t) - 0.7).toFixed(2),
            height: (frame.bottom - py(p)).toFixed(2),
            fill: draw.COLOURS[0],
          });
    }

    function curves(w, k) {
      const size = draw.canvas(right, 260, `information against the weight for ${data.bins[k]} bins on [−1, 1]`),
        frame = { left: 34, right: size.width - 10, top: 30, bottom: size.height - 42 };
      const [low, high] = [data.weights[0], data.weights[data.weights.length - 1]].map(Math.log),
        top = Math.max(...KINDS.flatMap(([one]) => of(one)[k]));
      const at = (v) => frame.left + ((frame.right - frame.left) * (Math.log(v) - low)) / (high - low);
      const { py } = draw.axes(
        right,
        frame,
        {
          place: at,
          ticks: [0.1, 1, 10, 100]
            .filter((v) => v >= data.weights[0] && v <= Math.exp(high) * 1.001)
            .map((v) => [v, v]),
          label: "weight",
        },
        {
          top: 1.05 * top,
          ticks: Array.from({ length: Math.floor(top / 2) + 1 }, (_, i) => 2 * i),
          label: "I(X; bin(T)) in bits",
        },
      );
      KINDS.forEach(([one], i) => {
        const line = data.weights.map((v, j) => [at(v), py(of(one)[k][j])]);
        draw.add(right, "polyline", {
          points: draw.line(line),
          fill: "none",
          stroke: draw.look(i).colour,
          "stroke-width": 2,
          "stroke-dasharray": draw.look(i).dashes,
          "stroke-opacity": one === kind.value ? 1 : 0.5,
        });
        draw.mark(right, i, ...line[w], one === kind.value ? 6 : 3.5, { class: "lab-now", "stroke-width": 1.4 });
      });
    }

    function show() {
      const w = weight.value,
        k = bins.value,
        found = of(kind.value)[k][w];
      const said = `I(X; bin(T)) = ${found.toFixed(2)} bits${kind.value === "tanh" ? ` of at most ${Math.log2(data.bins[k]).toFixed(2)}` : ""}`;
      histogram(w, data.bins[k], said);
      curves(w, k);
      if (result.textContent !== said) result.textContent = said;
    }
    show();
    fitted(box, framed(show));
  };
});
