/* The information plane, curves over epochs, and parts as a stack.
 *
 * A Run is what they are drawn from:
 *   epochs  number[]      measured epochs, increasing
 *   x, y    number[][]    [epoch][layer], I(X;T) and I(T;Y) in bits
 *   marks   string[]      what each layer is called in a picture, "5"
 */
"use strict";

IBLab.define("ui_plane", ["ui_draw"], (draw) => {
  const { add, axes, canvas, dotted, frame, line, look, mark, r1, shade, short, when, words } = draw;

  /** Texts beside marks where they hide least: tried around each, nearest first. */
  function place(svg, labels, taken, box) {
    for (const one of labels) {
      const w = 7 * one.text.length,
        h = 12;
      let best = null;
      for (const far of [9, 16, 26])
        for (const [dx, dy] of [
          [1, 0],
          [0, 1],
          [-1, 0],
          [0, -1],
          [0.7, 0.8],
          [-0.7, 0.8],
          [0.7, -0.8],
          [-0.7, -0.8],
        ]) {
          const x = one.x + dx * (far + w / 2),
            y = one.y + dy * (far + h / 4);
          if (x - w / 2 < box.left || x + w / 2 > box.right + 14 || y < box.top - 4 || y > box.bottom) continue;
          const over = taken
            .filter((t) => Math.abs(t.x - x) < (t.w + w) / 2 && Math.abs(t.y - y) < (t.h + h) / 2)
            .reduce((sum, t) => sum + t.cost, 0);
          const cost = over + far / 10;
          if (!best || cost < best.cost) best = { x, y, cost };
        }
      best = best || { x: one.x, y: one.y - 10 };
      taken.push({ x: best.x, y: best.y, w, h, cost: 40 });
      add(
        svg,
        "text",
        {
          ...words,
          x: r1(best.x),
          y: r1(best.y + 4),
          "font-weight": 700,
          class: "lab-tag",
          style: `--of:${look(one.k).colour}`,
        },
        one.text,
      );
    }
  }

  /** Layers that lie on one spot share a tag: "1, 2". */
  function tags(ends, marks) {
    const groups = [];
    ends.forEach(([x, y], k) => {
      const near = groups.find((g) => Math.hypot(g.x - x, g.y - y) < 7);
      if (near) near.text += `, ${marks[k]}`;
      else groups.push({ x, y, k, text: marks[k] });
    });
    return groups;
  }

  /** The information plane of a Run at its epoch number `at`; what comes later is faint.
   *
   * options: top, right (log2 N and H(Y), the ceilings), title, label (axis), chosen (layer or -1),
   * cloud [layer][network] of [x, y] (where other networks ended), spread [layer] of [low, high] of I(X;T)
   * at the end, height.
   */
  function plane(svg, run, at, options = {}) {
    const { top = 12, right = 1, chosen = -1, cloud = null } = options;
    const size = canvas(
      svg,
      options.height || ((w) => Math.min(0.78 * w, 420)),
      options.alt || "information plane",
    );
    const box = { left: 34, right: size.width - 16, top: 30, bottom: size.height - 42 };
    const highest = Math.max(top * 1.03, ...run.x.flat()),
      widest = Math.max(right * 1.05, ...run.y.flat());
    const { px, py } = axes(
      svg,
      box,
      {
        top: highest,
        ticks: [0, 2, 4, 6, 8, 10, 12]
          .filter((v) => v <= highest && (size.width > 300 || v % 4 === 0))
          .map((v) => [v, v]),
        label: options.xlabel || "I(X;T) in bits",
      },
      {
        top: widest,
        ticks: [0, 0.25, 0.5, 0.75, 1].filter((v) => v <= widest),
        label: options.ylabel || "I(T;Y) in bits",
      },
    );
    dotted(svg, px(top), box.top, px(top), box.bottom);
    dotted(svg, box.left, py(right), box.right, py(right));
    if (options.title)
      add(
        svg,
        "text",
        { ...words, x: box.right, y: box.top - 10, "text-anchor": "end", "font-weight": 600 },
        options.title,
      );
    const last = run.epochs.length - 1,
      end = run.epochs[last],
      taken = [],
      ends = [];
    if (cloud)
      cloud.forEach((points, k) =>
        points.forEach(([x, y]) =>
          add(svg, "circle", {
            cx: r1(px(x)),
            cy: r1(py(y)),
            r: 2,
            fill: look(k).colour,
            "fill-opacity": 0.3,
          }),
        ),
      );
    run.marks.forEach((_, k) => {
      const path = run.epochs.map((_e, i) => [px(run.x[i][k]), py(run.y[i][k])]);
      const quiet = chosen >= 0 && chosen !== k,
        group = add(svg, "g", { opacity: quiet ? 0.28 : 1 });
      const { colour } = look(k);
      if (at < last)
        add(group, "polyline", {
          points: line(path.slice(at)),
          fill: "none",
          stroke: colour,
          "stroke-width": 1.2,
          "stroke-opacity": 0.3,
        });
      add(group, "polyline", {
        points: line(path.slice(0, at + 1)),
        fill: "none",
        stroke: colour,
        "stroke-width": 1.6,
        "stroke-opacity": 0.75,
        "stroke-linejoin": "round",
      });
      for (let i = 1; i < at; i++)
        add(group, "circle", {
          cx: r1(path[i][0]),
          cy: r1(path[i][1]),
          r: 2.6,
          fill: shade(when(run.epochs[i], end)),
        });
      add(group, "circle", {
        cx: r1(path[0][0]),
        cy: r1(path[0][1]),
        r: 3.8,
        class: "lab-start",
        stroke: colour,
        "stroke-width": 1.8,
      });
      mark(group, k, ...path[at], 5.2, { class: "lab-now", "stroke-width": 1.2 });
      if (options.spread) {
        const [low, high] = options.spread[k].map(px),
          y = r1(path[last][1]);
        add(group, "line", {
          x1: r1(low),
          x2: r1(high),
          y1: y,
          y2: y,
          stroke: colour,
          "stroke-width": 4,
          "stroke-opacity": 0.45,
          "stroke-linecap": "round",
        });
      }
      for (const [x, y] of path.slice(0, at + 1)) taken.push({ x, y, w: 7, h: 7, cost: 6 });
      taken.push({ x: path[at][0], y: path[at][1], w: 13, h: 13, cost: 60 });
      ends.push(path[at]);
    });
    place(svg, tags(ends, run.marks), taken, box);
    return { px, py, box };
  }

  /** The axis of time: its ticks, and a strip with the colours that epochs have in the plane. */
  function timeScale(box, end) {
    const place = (e) => box.left + (box.right - box.left) * when(e, end),
      ticks = [[0, "0"]];
    for (let e = 1; e <= end; e *= 10) ticks.push([e, short(e)]);
    return { place, ticks: box.right - box.left < 260 ? ticks.filter((_, i) => i !== 1) : ticks };
  }

  function strip(svg, box, epochs) {
    const end = epochs[epochs.length - 1],
      n = 60,
      step = (box.right - box.left) / n;
    for (let i = 0; i < n; i++)
      add(svg, "rect", {
        x: r1(box.left + i * step),
        y: box.bottom,
        width: r1(step + 0.6),
        height: 4,
        fill: shade(i / (n - 1)),
      });
    return end;
  }

  /** Values over epochs, one curve for each layer, named at its end.
   *
   * values [epoch][layer]; options: top, label, ends (a text for each layer), chosen,
   * bands [layer]{epochs, low, lower, upper, high} or null, alt, reach (last epoch of the axis).
   */
  function curves(svg, run, values, at, options = {}) {
    const size = canvas(
      svg,
      options.height || ((w) => Math.min(0.78 * w, 420)),
      options.alt || "curves over epochs",
    );
    const texts = options.ends || run.marks,
      room = 10 + 6.6 * Math.max(...texts.map((t) => t.length));
    const box = { left: 34, right: size.width - room, top: 30, bottom: size.height - 42 };
    const end = options.reach || run.epochs[run.epochs.length - 1],
      scale = timeScale(box, end);
    const top = options.top || 12,
      most = Math.max(1.04 * top, ...values.flat());
    const { px, py } = axes(
      svg,
      box,
      { place: scale.place, ticks: scale.ticks, label: "epoch" },
      {
        top: most,
        ticks: (top > 4 ? [0, 2, 4, 6, 8, 10, 12] : [0, 0.25, 0.5, 0.75, 1]).filter((v) => v <= most),
        label: options.label || "I(X;T) in bits",
      },
    );
    strip(svg, box, [0, end]);
    dotted(svg, box.left, py(top), box.right, py(top));
    (options.bands || []).forEach((band, k) => band && drawBand(svg, band, k, px, py));
    if (at >= 0)
      add(svg, "line", {
        x1: r1(px(run.epochs[at])),
        x2: r1(px(run.epochs[at])),
        y1: box.top,
        y2: box.bottom + 4,
        stroke: "currentColor",
        "stroke-width": 1,
        "stroke-opacity": 0.6,
      });
    const labels = run.marks.map((_, k) => {
      const { colour, dashes } = look(k),
        quiet = options.chosen >= 0 && options.chosen !== k;
      const path = run.epochs.map((e, i) => [px(e), py(values[i][k])]),
        group = add(svg, "g", { opacity: quiet ? 0.28 : 1 });
      add(group, "polyline", {
        points: line(path),
        fill: "none",
        stroke: colour,
        "stroke-width": 2,
        "stroke-dasharray": dashes,
        "stroke-linejoin": "round",
      });
      if (at >= 0) mark(group, k, ...path[at], 4.4, { class: "lab-now", "stroke-width": 1.2 });
      return { k, y: path[path.length - 1][1], text: texts[k] };
    });
    stackLabels(svg, labels, box);
    return { px, py, box };
  }

  function drawBand(svg, band, k, px, py) {
    const area = (low, high, opacity) =>
      add(svg, "polygon", {
        fill: look(k).colour,
        "fill-opacity": opacity,
        points: line([
          ...band.epochs.map((e, i) => [px(e), py(low[i])]),
          ...band.epochs.map((e, i) => [px(e), py(high[i])]).reverse(),
        ]),
      });
    area(band.low, band.high, 0.12);
    area(band.lower, band.upper, 0.2);
  }

  /** Texts to the right of the curves, moved apart where they would cover each other. */
  function stackLabels(svg, labels, box) {
    const sorted = labels.slice().sort((a, b) => a.y - b.y),
      gap = 14;
    sorted.forEach((one, i) => {
      one.at = Math.max(one.y, i ? sorted[i - 1].at + gap : box.top);
    });
    for (let i = sorted.length - 1; i >= 0; i--)
      sorted[i].at = Math.min(sorted[i].at, i < sorted.length - 1 ? sorted[i + 1].at - gap : box.bottom);
    for (const { k, at, text } of sorted)
      add(
        svg,
        "text",
        {
          x: box.right + 8,
          y: r1(at + 4),
          fill: "currentColor",
          "text-anchor": "start",
          class: "lab-tag",
          style: `--of:${look(k).colour}`,
        },
        text,
      );
  }

  /** Parts over epochs as a stack: parts [epoch][part], names of the parts, from below. */
  function stack(svg, epochs, parts, names, at, options = {}) {
    const size = canvas(svg, options.height || 260, options.alt || "parts over epochs");
    const box = { left: 34, right: size.width - 12, top: 30, bottom: size.height - 42 };
    const end = epochs[epochs.length - 1],
      scale = timeScale(box, end),
      top = options.top || 12;
    const { px, py } = axes(
      svg,
      box,
      { place: scale.place, ticks: scale.ticks, label: "epoch" },
      {
        top: 1.04 * top,
        ticks: [0, 2, 4, 6, 8, 10, 12].filter((v) => v <= top),
        label: options.label || "bits",
      },
    );
    const hatch = add(svg, "defs"),
      id = `hatch${Math.random().toString(36).slice(2)}`;
    ["", "M-1 7L7-1", "M3 3h1v1h-1z", "M-1-1L7 7"].forEach((d, p) => {
      const tile = add(hatch, "pattern", {
        id: `${id}-${p}`,
        width: 6,
        height: 6,
        patternUnits: "userSpaceOnUse",
      });
      add(tile, "rect", { width: 6, height: 6, fill: look(p).colour, "fill-opacity": 0.75 });
      if (d) add(tile, "path", { d, stroke: "#555555", "stroke-width": 0.8 });
    });
    let below = epochs.map(() => 0);
    names.forEach((_, p) => {
      const above = below.map((v, i) => v + Math.max(0, parts[i][p]));
      add(svg, "polygon", {
        fill: `url(#${id}-${p})`,
        stroke: "#777777",
        "stroke-width": 0.4,
        points: line([
          ...epochs.map((e, i) => [px(e), py(below[i])]),
          ...epochs.map((e, i) => [px(e), py(above[i])]).reverse(),
        ]),
      });
      below = above;
    });
    strip(svg, box, epochs);
    add(svg, "line", {
      x1: r1(px(epochs[at])),
      x2: r1(px(epochs[at])),
      y1: box.top,
      y2: box.bottom + 4,
      stroke: "currentColor",
      "stroke-width": 1.4,
    });
    return { px, py, box };
  }

  return { curves, plane, stack };
});
