/* A slider for the ruler over planes that were computed beforehand (RulerSlider in ibcore.plots.atlas). */
"use strict";

IBLab.define(
  "ui_ruler_slider",
  ["ui_draw", "ui_plane", "ui_controls"],
  (draw, pictures, { el, fitted, framed, player, slider }) => {
    /** Fill `root` from data: {rulers, threshold, epochs, layers, planes: [{name, top, right, x, y, spread}]}. */
    return (root, data) => {
      const last = data.epochs.length - 1;
      const ruler = slider("Ruler", { n: data.rulers.length, text: (i) => data.rulers[i], changed: () => show() });
      const time = slider("Epoch", {
        n: last + 1,
        value: last,
        text: (k) => `epoch ${draw.thousands(data.epochs[k])}`,
        changed: () => show(),
      });
      const play = player(time, () => show());
      const frames = data.planes.map((plane) => {
        const svg = draw.svg(),
          caption = el("figcaption", { role: "status" });
        return { plane, svg, caption, node: el("figure", {}, el("div", {}, svg), caption) };
      });
      const box = el("div", { class: "lab-widget-planes" }, ...frames.map((one) => one.node));
      root.append(
        ruler.node,
        box,
        el("div", { class: "lab-row" }, play.node, time.node),
        el(
          "p",
          { class: "lab-small" },
          "One path for each layer, from the ring before training to the mark; colours run with the epochs. " +
            "The bar at the last mark holds half of the networks.",
        ),
      );

      function show() {
        const r = ruler.value;
        for (const { plane, svg, caption } of frames) {
          const run = {
            epochs: data.epochs,
            x: plane.x[r],
            y: plane.y[r],
            names: data.layers,
            marks: data.layers.map((_, l) => `${l + 1}`),
          };
          const fallen = run.marks.filter(
            (_, l) => Math.max(...run.x.map((row) => row[l])) - run.x[last][l] > data.threshold,
          );
          const said = fallen.length
            ? `Layers that fall by more than ${data.threshold} bit: ${fallen.join(", ")}`
            : `No layer falls by more than ${data.threshold} bit`;
          pictures.plane(svg, run, time.value, {
            top: plane.top,
            right: plane.right,
            title: plane.name,
            spread: time.value === last ? plane.spread[r] : null,
            alt: `information plane of ${plane.name} under ${data.rulers[r]}. ${said}`,
          });
          if (caption.textContent !== said) caption.textContent = said;
        }
      }
      show();
      fitted(box, framed(show));
    };
  },
);
