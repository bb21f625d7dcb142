/* Drawing: the look that all figures share, and axes.
 *
 * Everything is SVG in the units of the screen, so that what is written keeps its size on a phone.
 * Colours, marks and dashes are those of ibcore.plots.style; a test holds them together.
 */
"use strict";

IBLab.define("ui_draw", [], () => {
  const COLOURS = ["#1A80BF", "#D98C00", "#009E73", "#D55E00", "#CC79A7", "#45A9E6", "#8A8A3C", "#777777"];
  const DASHES = ["", "6 2", "3 1.5", "1 1.2", "6 1.5 1 1.5", "3 1.2 1 1.2 1 1.2", "8 3", "2 3"];
  // Unit shapes: disc, square, triangle up, diamond, triangle down, plus, cross, star.
  const SHAPES = [
    "M1 0A1 1 0 1 1-1 0A1 1 0 1 1 1 0Z",
    "M-.9-.9H.9V.9H-.9Z",
    "M0-1.1L1 .8H-1Z",
    "M0-1.2L1.2 0 0 1.2-1.2 0Z",
    "M0 1.1L1-.8H-1Z",
    "M-.4-1.2H.4V-.4H1.2V.4H.4V1.2H-.4V.4H-1.2V-.4H-.4Z",
    "M-1.1-.6L-.6-1.1 0-.5 .6-1.1 1.1-.6 .5 0 1.1 .6 .6 1.1 0 .5-.6 1.1-1.1 .6-.5 0Z",
    "M0-1.3L.3-.4H1.25L.5 .15 .8 1.05 0 .5-.8 1.05-.5 .15-1.25-.4H-.3Z",
  ];
  // Viridis between 0.2 and 0.87, as in ibcore.plots.style.shades.
  const SHADES = [
    "#414487",
    "#3a538b",
    "#33628d",
    "#2d708e",
    "#287d8e",
    "#238a8d",
    "#1f978b",
    "#20a486",
    "#2cb17e",
    "#43be71",
    "#60ca60",
    "#84d44b",
    "#a8db34",
  ];
  const FONT = 12;
  const SPACE = "http://www.w3.org/2000/svg";

  /** Add an element to a parent; texts go in as text, never as markup. */
  function add(parent, name, attributes = {}, text) {
    const node = document.createElementNS(SPACE, name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (text !== undefined) node.textContent = text;
    parent.appendChild(node);
    return node;
  }

  /** A picture without a place yet. */
  const svg = () => document.createElementNS(SPACE, "svg");

  /** Colour and dashes of layer number `k` from 0, or of any k-th thing. */
  function look(k) {
    const i = k % COLOURS.length;
    return { colour: COLOURS[i], dashes: DASHES[i], shape: SHAPES[i] };
  }

  /** The mark of layer `k` at a place. */
  function mark(parent, k, x, y, size, attributes = {}) {
    const { colour, shape } = look(k);
    const transform = `translate(${r1(x)} ${r1(y)}) scale(${size})`;
    return add(parent, "path", {
      d: shape,
      transform,
      fill: colour,
      "vector-effect": "non-scaling-stroke",
      ...attributes,
    });
  }

  /** Colour of a share of the way from the first epoch to the last. */
  function shade(share) {
    const at = Math.min(1, Math.max(0, share)) * (SHADES.length - 1);
    const i = Math.min(Math.floor(at), SHADES.length - 2);
    const [from, to] = [SHADES[i], SHADES[i + 1]].map((c) =>
      [1, 3, 5].map((k) => parseInt(c.slice(k, k + 2), 16)),
    );
    return `rgb(${from.map((c, k) => Math.round(c + (to[k] - c) * (at - i))).join(" ")})`;
  }

  /** Place of an epoch on the axis of time, from 0 to 1: logarithmic from 1 on, and 0 has a place. */
  function when(epoch, last) {
    const of = (e) => (e <= 1 ? 0.389 * e : 0.389 + Math.log10(e));
    return of(epoch) / of(Math.max(2, last));
  }

  const r1 = (v) => Math.round(v * 10) / 10;
  const short = (v) => (v >= 1e6 ? `${v / 1e6}M` : v >= 1e3 ? `${v / 1e3}k` : `${v}`);
  const bits = (v, digits = 1) =>
    (Math.abs(v) < 0.5 * 10 ** -digits ? (0).toFixed(digits) : v.toFixed(digits)).replace("-", "−");
  const thousands = (n) => `${n}`.replace(/(\d)(?=(\d{3})+$)/g, "$1\u00a0");
  const line = (points) => points.map(([x, y]) => `${r1(x)},${r1(y)}`).join(" ");

  /** An empty picture as wide as its box; `height` may depend on the width. */
  function canvas(svg, height, label) {
    const width = Math.max(220, Math.round(svg.parentNode.clientWidth || 640));
    const high = Math.round(typeof height === "function" ? height(width) : height);
    const attributes = { viewBox: `0 0 ${width} ${high}`, height: high, width: "100%", role: "img" };
    for (const key in attributes) svg.setAttribute(key, attributes[key]);
    svg.setAttribute("font-size", FONT);
    svg.setAttribute("aria-label", label);
    svg.replaceChildren();
    return { width, height: high };
  }

  const words = { fill: "currentColor", "text-anchor": "middle" };
  const frame = { stroke: "#777777", "stroke-width": 1, fill: "none" };

  /** Both axes with ticks; gives the places of values. `xs` and `ys`: {top, ticks, label, place}. */
  function axes(svg, box, xs, ys) {
    const { left, right, top, bottom } = box;
    const px = xs.place || ((v) => left + ((right - left) * v) / xs.top);
    const py = (v) => bottom - ((bottom - top) * v) / ys.top;
    for (const v of ys.ticks) {
      const y = r1(py(v));
      add(svg, "line", { x1: left, x2: right, y1: y, y2: y, ...frame, "stroke-opacity": 0.18 });
      add(svg, "text", { ...words, x: left - 7, y: y + 4, "text-anchor": "end" }, v);
    }
    for (const [v, text] of xs.ticks) {
      const x = r1(px(v));
      add(svg, "line", { x1: x, x2: x, y1: top, y2: bottom, ...frame, "stroke-opacity": 0.12 });
      add(svg, "text", { ...words, x, y: bottom + 17 }, text);
    }
    add(svg, "polyline", { points: `${left},${top} ${left},${bottom} ${right},${bottom}`, ...frame });
    add(svg, "text", { ...words, x: (left + right) / 2, y: bottom + 35 }, xs.label);
    add(svg, "text", { ...words, x: 2, y: top - 10, "text-anchor": "start" }, ys.label);
    return { px, py };
  }

  /** A line at a bound that nothing may pass. */
  function dotted(svg, x1, y1, x2, y2) {
    const ends = { x1: r1(x1), y1: r1(y1), x2: r1(x2), y2: r1(y2) };
    add(svg, "line", { ...ends, ...frame, "stroke-width": 1.2, "stroke-dasharray": "1.5 3" });
  }

  /** A key: the mark or patch of each thing and its name, as a list of HTML. */
  function key(box, names, shapes = true) {
    box.replaceChildren(
      ...names.map((name, k) => {
        const item = document.createElement("li");
        const svg = add(item, "svg", { viewBox: "-2 -2 4 4", width: 13, height: 13, "aria-hidden": "true" });
        if (shapes) mark(svg, k, 0, 0, 1.2);
        else add(svg, "rect", { x: -1.6, y: -1.6, width: 3.2, height: 3.2, fill: look(k).colour });
        item.append(` ${name}`);
        return item;
      }),
    );
  }

  return {
    COLOURS,
    DASHES,
    SHADES,
    add,
    axes,
    bits,
    canvas,
    dotted,
    frame,
    key,
    line,
    look,
    mark,
    r1,
    shade,
    short,
    svg,
    thousands,
    when,
    words,
  };
});
