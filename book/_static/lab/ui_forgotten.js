/* What is forgotten: every input of the task as a dot, inputs of one symbol in one colour.
 *
 * A row of the picture holds the inputs with equally many ones, from none above to twelve below; within it each block is an
 * orbit, the inputs that a turn or a mirror of the icosahedron carries into each other. Blocks of label 1 are underlined.
 * Inputs alone with their symbol, told apart from all others, are hollow.
 */
"use strict";

IBLab.define(
  "ui_forgotten",
  ["task", "ui_draw", "ui_plane", "ui_controls", "ui_words"],
  (task, draw, pictures, { el, fitted, framed }, words) => {
    const PARTS = [
      ["label", "the label"],
      ["signature", "the signature, given the label"],
      ["orbit", "the orbit, given the signature"],
      ["within", "the input, given the orbit"],
    ];

    /** Places of all inputs in cells: {column, row, blocks, columns, rows}; `high` cells to a block in the middle. */
    function layout(high) {
      const column = new Float64Array(task.N),
        row = new Float64Array(task.N),
        blocks = [];
      let top = 0,
        columns = 0;
      for (let ones = 0; ones <= 12; ones++) {
        const inside = [],
          tall = Math.max(1, Math.round(high * [0.12, 0.3, 0.5, 0.75, 1, 1, 1][Math.min(ones, 12 - ones)]));
        for (let o = 0; o < task.nOrbits; o++) {
          const rows = task.rowsOfOrbit(o);
          if (task.popcount[rows[0]] === ones) inside.push({ rows, label: task.y[rows[0]], orbit: o });
        }
        inside.sort((a, b) => a.label - b.label || b.rows.length - a.rows.length);
        let left = 0,
          label = inside[0].label;
        for (const one of inside) {
          if (one.label !== label) left += 2;
          label = one.label;
          const wide = Math.ceil(one.rows.length / tall);
          Array.from(one.rows).forEach((s, i) => {
            column[s] = left + Math.floor(i / tall);
            row[s] = top + (i % tall);
          });
          blocks.push({ ...one, left, wide, top, tall });
          left += wide + 0.6;
        }
        for (const one of inside) {
          for (const s of one.rows) column[s] -= left / 2;
          blocks.find((block) => block.orbit === one.orbit).left -= left / 2;
        }
        columns = Math.max(columns, left);
        top += tall + 0.9;
      }
      return { column, row, blocks, columns, rows: top };
    }

    /** A colour for each symbol; the most frequent ones get those of the figures. */
    function colours(symbols, n) {
      const counts = new Int32Array(n);
      for (const s of symbols) counts[s]++;
      const order = Array.from(counts.keys()).sort((a, b) => counts[b] - counts[a]),
        found = new Array(n);
      order.forEach((s, rank) => {
        found[s] =
          counts[s] === 1
            ? null
            : rank < 7
              ? draw.COLOURS[rank]
              : `hsl(${(rank * 137.5) % 360} ${38 + (rank % 3) * 12}% ${38 + (rank % 4) * 9}%)`;
      });
      return { counts, found, order };
    }

    /** What the picture shows, in words. */
    function told(layerName, epoch, seen, parts) {
      const { counts, order } = seen,
        alone = counts.reduce((sum, c) => sum + (c === 1), 0);
      const largest = counts[order[0]],
        use = counts.length;
      const first =
        use === task.N
          ? `In ${layerName} at epoch ${epoch} every input has a symbol of its own: nothing is forgotten yet.`
          : `In ${layerName} at epoch ${epoch} the 4 096 inputs share ${draw.thousands(use)} symbol${use === 1 ? "" : "s"}; ${draw.thousands(largest)} of them look the same in the largest, and ${alone ? draw.thousands(alone) : "none"} ${alone === 1 ? "is" : "are"} told apart from all others.`;
      return `${first} Of ${words.bits(parts.total)} bits ${words.bits(parts.label)} ${parts.label >= 1.95 || parts.label < 0.05 ? "are" : "is"} about the label, ${words.bits(parts.signature)} about the signature beyond it, ${words.bits(parts.orbit)} about the orbit beyond that, and ${words.bits(parts.within)} tell apart inputs that are the same to every symmetry.`;
    }

    /** The icosahedron of one input: marked vertices filled, those behind smaller. */
    function solid(svg, input) {
      svg.replaceChildren();
      const seen = task.vertices.map(([x, y, z]) => [
        0.94 * x + 0.34 * z,
        y * 0.95 - 0.3 * (0.94 * z - 0.34 * x),
        0.95 * (0.94 * z - 0.34 * x) + 0.3 * y,
      ]);
      for (const [a, b] of task.edges)
        draw.add(svg, "line", {
          x1: seen[a][0],
          y1: seen[a][1],
          x2: seen[b][0],
          y2: seen[b][1],
          stroke: "#777777",
          "stroke-width": 0.02,
          "stroke-opacity": seen[a][2] + seen[b][2] > 0 ? 0.9 : 0.3,
        });
      seen.forEach(([x, y, z], i) =>
        draw.add(svg, "circle", {
          cx: x,
          cy: y,
          r: z > 0 ? 0.13 : 0.09,
          fill: (input >> (11 - i)) & 1 ? draw.COLOURS[3] : "var(--lab-ground)",
          stroke: "#777777",
          "stroke-width": 0.03,
        }),
      );
    }

    /** The panel; show({k, epoch, epochs, layer, symbols, n, parts}, all parts) draws it. */
    function panel() {
      const board = el("canvas", { tabindex: 0, role: "img", class: "lab-board" }),
        stack = draw.svg(),
        small = draw.svg();
      const said = el("p", { class: "lab-told", role: "status" }),
        about = el("p", { class: "lab-one" }),
        key = el("ul", { class: "lab-key" });
      small.setAttribute("viewBox", "-1.2 -1.2 2.4 2.4");
      small.setAttribute("class", "lab-solid");
      small.setAttribute("aria-hidden", "true");
      draw.key(
        key,
        PARTS.map(([, name]) => name),
        false,
      );
      const left = el(
          "figure",
          { class: "lab-inputs" },
          board,
          el(
            "figcaption",
            {},
            "Each dot is an input, each colour a symbol of the layer; from no ones above to twelve below. Underlined: label 1. Choose a dot, or move with the arrow keys.",
          ),
        ),
        right = el(
          "div",
          { class: "lab-known" },
          el(
            "figure",
            {},
            el("div", {}, stack),
            el("figcaption", {}, "What the layer knows, part by part: the parts add up to I(X;T)."),
          ),
          key,
          el("div", { class: "lab-picked" }, small, about),
        );
      const node = el("div", { class: "lab-forgotten" }, said, el("div", { class: "lab-pair" }, left, right));
      let every = null,
        shown = null,
        plan = null,
        seen = null,
        picked = -1,
        size = 4;
      const order = Array.from({ length: task.N }, (_, s) => s);

      function paint() {
        if (!shown) return;
        const width = left.clientWidth || 600,
          high = width < 480 ? 12 : 8,
          ratio = Math.max(1, devicePixelRatio || 1);
        if (!plan || plan.high !== high) {
          plan = { ...layout(high), high };
          order.sort((a, b) => plan.row[a] - plan.row[b] || plan.column[a] - plan.column[b]);
        }
        size = width / plan.columns;
        const height = Math.ceil(plan.rows * size);
        board.width = width * ratio;
        board.height = height * ratio;
        board.style.height = `${height}px`;
        const pen = board.getContext("2d"),
          style = getComputedStyle(board),
          mate = picked >= 0 ? shown.symbols[picked] : -1;
        pen.scale(ratio, ratio);
        pen.translate(width / 2, 0);
        const dot = Math.max(1, size * 0.84),
          off = (size - dot) / 2;
        for (const block of plan.blocks)
          if (block.label) {
            pen.fillStyle = style.color;
            pen.fillRect(
              block.left * size,
              (block.top + block.tall) * size + 0.5,
              block.wide * size - 1,
              Math.max(1.2, size * 0.22),
            );
          }
        for (let s = 0; s < task.N; s++) {
          const x = plan.column[s] * size + off,
            y = plan.row[s] * size + off,
            colour = seen.found[shown.symbols[s]];
          pen.globalAlpha = mate >= 0 && shown.symbols[s] !== mate ? 0.16 : 1;
          if (colour) {
            pen.fillStyle = colour;
            pen.fillRect(x, y, dot, dot);
          } else {
            pen.strokeStyle = "#777777";
            pen.lineWidth = 0.7;
            pen.strokeRect(x + 0.5, y + 0.5, dot - 1, dot - 1);
          }
        }
        pen.globalAlpha = 1;
        if (picked >= 0) {
          pen.strokeStyle = style.color;
          pen.lineWidth = 2;
          pen.strokeRect(plan.column[picked] * size - 1.5, plan.row[picked] * size - 1.5, size + 3, size + 3);
        }
      }

      function tellOne() {
        if (!shown || picked < 0) {
          about.textContent = "";
          small.replaceChildren();
          return;
        }
        const same = order.filter((s) => shown.symbols[s] === shown.symbols[picked]),
          alike = same.filter((s) => task.y[s] === task.y[picked]).length;
        const orbits = new Set(same.map((s) => task.orbit[s])).size,
          ones = task.popcount[picked],
          others = same.length - 1;
        about.textContent =
          `This input has ${ones} one${ones === 1 ? "" : "s"} and label ${task.y[picked]}. ` +
          (others
            ? `To the layer it looks like ${draw.thousands(others)} other${others === 1 ? "" : "s"}, ${alike - 1 === others ? (others === 1 ? "of the same label" : "all of the same label") : `${draw.thousands(alike - 1)} of the same label`}, from ${orbits} of the 82 orbits.`
            : "The layer tells it apart from all others.");
        solid(small, picked);
      }

      function pick(s) {
        picked = s;
        paint();
        tellOne();
      }
      function at(event) {
        const box = board.getBoundingClientRect(),
          x = (event.clientX - box.left - box.width / 2) / size,
          y = (event.clientY - box.top) / size;
        let best = -1,
          near = 2.5;
        for (let s = 0; s < task.N; s++) {
          const far = Math.hypot(plan.column[s] + 0.5 - x, plan.row[s] + 0.5 - y);
          if (far < near) {
            near = far;
            best = s;
          }
        }
        pick(best);
      }
      board.addEventListener("pointerdown", at);
      board.addEventListener("pointermove", (event) => {
        if (event.pointerType === "mouse") at(event);
      });
      board.addEventListener("keydown", (event) => {
        const place = picked < 0 ? -1 : order.indexOf(picked),
          rowOf = (s) => plan.row[s];
        const beside = (d) => {
          // nearest input of the next line of dots
          const now = picked < 0 ? order[0] : picked,
            rest = order.filter((s) => d * (rowOf(s) - rowOf(now)) > 0.5);
          return (
            rest.sort(
              (a, b) =>
                d * (rowOf(a) - rowOf(b)) ||
                Math.abs(plan.column[a] - plan.column[now]) - Math.abs(plan.column[b] - plan.column[now]),
            )[0] ?? now
          );
        };
        const moves = {
          ArrowRight: () => order[Math.min(task.N - 1, place + 1)],
          ArrowLeft: () => order[Math.max(0, place - 1)],
          ArrowDown: () => beside(1),
          ArrowUp: () => beside(-1),
          Escape: () => -1,
        };
        if (event.key in moves) {
          event.preventDefault();
          pick(moves[event.key]());
        }
      });

      function show(found, all) {
        shown = found;
        every = all || every;
        seen = colours(found.symbols, found.n);
        const epoch = draw.thousands(found.epochs[found.k]);
        const text = told(words.NAMES[found.layer], epoch, seen, found.parts);
        node.classList.remove("lab-cannot");
        if (said.textContent !== text) said.textContent = text;
        board.setAttribute("aria-label", `4 096 inputs by symbol. ${text}`);
        if (all) {
          const rows = all.map((one) => PARTS.map(([name]) => one[name]));
          pictures.stack(stack, found.epochs, rows, PARTS, found.k, {
            alt: `parts of I(X;T) over the epochs. ${text}`,
          });
        }
        paint();
        tellOne();
      }
      function sorry(text) {
        shown = null;
        node.classList.add("lab-cannot");
        said.textContent = text;
      }
      fitted(
        left,
        framed(() => shown && show(shown, every)),
      );
      return { node, show, sorry };
    }

    return { PARTS, colours, layout, panel, told };
  },
);
