/* Three units of a layer as a cloud to turn and to play (CloudPlayer). */
"use strict";

IBLab.define("clouds", ["ui_draw", "ui_controls"], (draw, { el, fitted, framed, player, slider }) => {
  const bytes = (text) => Int8Array.from(atob(text), (c) => (c.charCodeAt(0) << 24) >> 24);

  /** Fill `root` from data: {titles, notes, points, classes, names}; points and classes are bytes. */
  return (root, data) => {
    const classes = bytes(data.classes),
      clouds = data.points.map(bytes),
      order = Array.from(classes.keys()),
      depth = new Float64Array(classes.length);
    const degrees = (i) => `${5 * i}°`.replace("-", "−"),
      radians = (i) => (5 * i * Math.PI) / 180;
    const time = slider("Time", { n: clouds.length, text: (k) => data.titles[k], changed: () => show() });
    const turn = slider("Turn", { n: 73, value: 43, text: (i) => degrees(i - 36), changed: () => show() });
    const tilt = slider("Tilt", { n: 37, value: 23, text: (i) => degrees(i - 18), changed: () => show() });
    const play = player(time, () => show(), undefined, 160);
    const canvas = el("canvas", { role: "img", tabindex: 0 }),
      note = el("figcaption", { role: "status", class: "lab-result" }),
      key = el("ul", { class: "lab-key" });
    draw.key(key, data.names);
    const figure = el("figure", {}, canvas, note, key);
    root.append(
      el("div", { class: "lab-row" }, play.node, time.node),
      figure,
      el("div", { class: "lab-row" }, turn.node, tilt.node),
    );

    function show() {
      const k = time.value,
        cloud = clouds[k],
        width = Math.min(figure.clientWidth || 640, 640),
        height = Math.round(0.62 * width),
        ratio = Math.max(1, devicePixelRatio || 1);
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      canvas.style.cssText = `max-width:${width}px;height:${height}px;margin-inline:auto`;
      if (note.textContent !== data.notes[k]) note.textContent = data.notes[k];
      canvas.setAttribute(
        "aria-label",
        `three units at ${data.titles[k]}, turned by ${degrees(turn.value - 36)}, tilted by ${degrees(tilt.value - 18)}. Arrow keys turn and tilt.`,
      );
      const pen = canvas.getContext("2d"),
        [cosA, sinA] = [Math.cos(radians(turn.value - 36)), Math.sin(radians(turn.value - 36))];
      const [cosB, sinB] = [Math.cos(radians(tilt.value - 18)), Math.sin(radians(tilt.value - 18))],
        scale = height / 3.5;
      const place = (x, y, z) => {
        const a = x * cosA - y * sinA,
          b = x * sinA + y * cosA;
        return [width / 2 + scale * a, height / 2 - scale * (z * cosB - b * sinB), b * cosB + z * sinB];
      };
      pen.scale(ratio, ratio);
      pen.strokeStyle = "#777777";
      for (let i = 0; i < 8; i++)
        for (const bit of [1, 2, 4]) {
          if (i & bit) continue;
          pen.beginPath();
          for (const j of [i, i | bit])
            pen.lineTo(...place(j & 1 ? 1 : -1, j & 2 ? 1 : -1, j & 4 ? 1 : -1).slice(0, 2));
          pen.stroke();
        }
      const seen = order.map((i) => place(cloud[3 * i] / 127, cloud[3 * i + 1] / 127, cloud[3 * i + 2] / 127));
      seen.forEach((one, i) => {
        depth[i] = one[2];
      });
      for (const i of order.slice().sort((a, b) => depth[b] - depth[a])) {
        // what is behind is drawn first
        pen.fillStyle = draw.look(classes[i]).colour;
        pen.fillRect(seen[i][0] - 1.1, seen[i][1] - 1.1, 2.2, 2.2);
      }
    }

    const move = (control, by) => {
      control.set(control.value + by);
      show();
    };
    canvas.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: [turn, -1], ArrowRight: [turn, 1], ArrowUp: [tilt, 1], ArrowDown: [tilt, -1] };
      if (!(event.key in moves)) return;
      event.preventDefault();
      move(...moves[event.key]);
    });
    let held = null;
    canvas.addEventListener("pointerdown", (event) => {
      held = [event.clientX, event.clientY, turn.value, tilt.value];
      canvas.setPointerCapture(event.pointerId);
    });
    for (const name of ["pointerup", "pointercancel"])
      canvas.addEventListener(name, () => {
        held = null;
      });
    canvas.addEventListener("pointermove", (event) => {
      if (!held) return;
      turn.set(held[2] + Math.round((event.clientX - held[0]) / 9));
      tilt.set(held[3] + Math.round((event.clientY - held[1]) / 9));
      show();
    });
    show();
    fitted(figure, framed(show));
  };
});
