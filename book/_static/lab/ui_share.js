/* Out of the page: a link, a figure, the same numbers in Python, the same state in the chapter's notebook. */
"use strict";

IBLab.define("ui_share", ["rulers", "train", "ui_controls", "ui_state"], (rulers, train, { el }, states) => {
  /** A program that computes the numbers of a state with ibcore: all layers at the epoch that is shown. */
  function python(state, settings, epochs, at) {
    const itself = new Set(train.measuredEpochs(train.complete(settings)));
    const known = epochs.every((epoch) => itself.has(epoch));
    const its = known ? settings : { ...settings, nMeasured: 2 }; // the first and the last
    const [, call] = /ib\.train\((.*)\)$/s.exec(train.python(its).trim());
    const named = known ? "" : `.replace(measured_epochs=(${Array.from(epochs).join(", ")}))`;
    return `import ibcore as ib

experiment = ${call}${named}
plane = ib.run(experiment, [ib.${rulers.name(state.ruler)}]).isel(estimator=0, seed=0)
print(plane.sel(epoch=${epochs[at]}).to_dataframe()[["i_xt", "i_ty"]])  # bits
`;
  }

  const NOTEBOOKS = {
    shwartz_ziv: "01_shwartz_ziv",
    estimators: "02_estimators",
    saxe: "03_saxe",
    chelombiev: "04_chelombiev",
    goldfeld: "05_goldfeld",
  };

  /** A command that runs the chapter of an experiment again with this ruler and this network. */
  function papermill(state, settings, chapter) {
    const notebook = NOTEBOOKS[chapter] || NOTEBOOKS.estimators,
      ruler = rulers.name(state.ruler);
    return `cd book && papermill ${notebook}.ipynb mine.ipynb -p ruler "${ruler}" -p first_seed ${settings.seed} -p n_seeds 1`;
  }

  /** The pictures of a laboratory as one SVG file that stands for itself. */
  function figure(svgs, title, about) {
    const gap = 24,
      sizes = svgs.map((svg) => svg.getAttribute("viewBox").split(" ").slice(2).map(Number));
    const width = sizes.reduce((sum, [w]) => sum + w, gap * (svgs.length - 1)),
      lines = wrapped(about, Math.floor(width / 6.4));
    const height = Math.max(...sizes.map(([, h]) => h)) + 40 + 17 * lines.length;
    const space = "http://www.w3.org/2000/svg",
      whole = document.createElementNS(space, "svg");
    for (const [key, value] of Object.entries({
      xmlns: space,
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      color: "#222222",
      "font-family": "sans-serif",
      "font-size": 12,
      role: "img",
    }))
      whole.setAttribute(key, value);
    const put = (name, text, attributes = {}, parent = whole) => {
      const node = document.createElementNS(space, name);
      for (const key in attributes) node.setAttribute(key, attributes[key]);
      node.textContent = text;
      return parent.appendChild(node);
    };
    put("title", title);
    put("desc", about);
    put("style", ".lab-start{fill:#fff}.lab-now{stroke:#fff}text{fill:#222222}");
    put("rect", "", { width, height, fill: "#ffffff" });
    put("text", title, { x: 4, y: 18, "font-size": 14, "font-weight": "bold" });
    let x = 0;
    svgs.forEach((svg, i) => {
      const group = put("g", "", { transform: `translate(${x} 28)` });
      for (const child of svg.children) group.appendChild(child.cloneNode(true));
      x += sizes[i][0] + gap;
    });
    lines.forEach((text, i) => put("text", text, { x: 4, y: height - 17 * (lines.length - i) + 8 }));
    return new XMLSerializer().serializeToString(whole);
  }

  function wrapped(text, most) {
    const lines = [""];
    for (const word of text.split(" "))
      if (lines[lines.length - 1].length + word.length < most) lines[lines.length - 1] += `${word} `;
      else lines.push(`${word} `);
    return lines;
  }

  function download(name, text, type) {
    const link = el("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  async function copied(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      return false;
    } // from a disk some browsers refuse: the text is shown and selected
  }

  /** The row of buttons. `ask` gives what each needs: {address, python, papermill, figure}. */
  function bar(ask) {
    const said = el("span", { role: "status", class: "lab-done" }),
      shown = el("pre", { class: "lab-shown", tabindex: 0, hidden: true });
    const copy = (what, get) =>
      el(
        "button",
        {
          type: "button",
          class: "lab-button",
          onclick: async () => {
            const text = get(),
              done = await copied(text);
            shown.hidden = what === "link" && done;
            shown.textContent = text;
            shown.setAttribute("aria-label", what);
            if (!done) getSelection().selectAllChildren(shown);
            said.textContent = done ? `The ${what} is copied.` : `Copy the ${what} below.`;
          },
        },
        `Copy the ${what}`,
      );
    return el(
      "div",
      { class: "lab-share" },
      el(
        "div",
        { class: "lab-buttons" },
        copy("link", () => ask.address()),
        copy("Python", () => ask.python()),
        copy("papermill command", () => ask.papermill()),
        el(
          "button",
          {
            type: "button",
            class: "lab-button",
            onclick: () => {
              download("information-plane.svg", ask.figure(), "image/svg+xml");
              said.textContent = "The figure is saved as information-plane.svg.";
            },
          },
          "Save as a figure",
        ),
        said,
      ),
      shown,
    );
  }

  return { bar, figure, papermill, python, wrapped };
});
