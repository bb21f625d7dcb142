/* Controls: a slider that says what it is set to, a choice of a few, a button that plays.
 *
 * Each gives {node, value, set(value), enable(yes)}; `changed(value)` is called when a reader moves it, not
 * when a script does. All are native inputs, so that keyboard, touch and screen readers know them.
 */
"use strict";

IBLab.define("ui_controls", [], () => {
  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  let count = 0;

  /** An element with attributes and children; texts go in as text. */
  function el(name, attributes = {}, ...children) {
    const node = document.createElement(name);
    for (const key in attributes)
      if (key.startsWith("on")) node.addEventListener(key.slice(2), attributes[key]);
      else if (attributes[key] === true) node.setAttribute(key, "");
      else if (attributes[key] !== false && attributes[key] != null) node.setAttribute(key, attributes[key]);
    node.append(...children.filter((child) => child != null));
    return node;
  }

  /** A slider over the stops 0 to n - 1. `text(i)` is what stop i is called, read aloud as well.
   *
   * Two buttons step by one: on a phone many stops are narrower than a finger. `pin([{at, title}])` marks
   * places on the track.
   */
  function slider(label, { n, value = 0, text, changed }) {
    const id = `lab-slider-${++count}`,
      output = el("output", { for: id });
    const input = el("input", {
      type: "range",
      id,
      min: 0,
      max: n - 1,
      step: 1,
      value,
      "aria-label": label,
      oninput: () => moved(+input.value),
    });
    const less = el(
      "button",
      {
        type: "button",
        class: "lab-step",
        "aria-label": `${label}: one step back`,
        onclick: () => moved(+input.value - 1),
      },
      "−",
    );
    const more = el(
      "button",
      {
        type: "button",
        class: "lab-step",
        "aria-label": `${label}: one step on`,
        onclick: () => moved(+input.value + 1),
      },
      "+",
    );
    const track = el("div", { class: "lab-track" }, input);
    const node = el(
      "div",
      { class: "lab-slider" },
      el("div", { class: "lab-said" }, el("label", { for: id }, label), " ", output),
      el("div", { class: "lab-line" }, less, track, more),
    );
    function show(i) {
      const k = Math.min(Math.max(0, i), +input.max),
        said = text(k);
      input.value = k;
      input.setAttribute("aria-valuetext", said);
      input.style.setProperty("--share", +input.max ? k / +input.max : 0);
      output.textContent = said;
      less.disabled = k === 0 || input.disabled;
      more.disabled = k === +input.max || input.disabled;
      return k;
    }
    function moved(i) {
      const before = api.value;
      api.value = show(i);
      if (api.value !== before) changed(api.value);
    }
    const api = {
      node,
      input,
      value: 0,
      set(i) {
        api.value = show(i);
      },
      rename(name) {
        node.querySelector("label").textContent = name;
        input.setAttribute("aria-label", name);
        less.setAttribute("aria-label", `${name}: one step back`);
        more.setAttribute("aria-label", `${name}: one step on`);
      },
      resize(stops, said) {
        input.max = stops - 1;
        if (said) text = said;
        api.set(Math.min(api.value, stops - 1));
      },
      pin(list) {
        track.querySelector(".lab-pins")?.remove();
        const share = (one) => `--share:${+input.max ? one.at / +input.max : 0}`;
        const marks = list.map((one) => el("span", { class: "lab-pin", style: share(one), title: one.title }));
        if (marks.length) track.append(el("div", { class: "lab-pins", "aria-hidden": "true" }, ...marks));
      },
    };
    api.set(value);
    return api;
  }

  /** One of a few: radio buttons in a row. options: [value, text, title][]. */
  function choice(label, { options, value = "", changed }) {
    const name = `lab-choice-${++count}`,
      inputs = new Map();
    const node = el(
      "fieldset",
      { class: "lab-choice" },
      el("legend", {}, label),
      el(
        "div",
        { class: "lab-options" },
        ...options.map(([key, text, title]) => {
          const input = el("input", {
            type: "radio",
            name,
            value: key,
            onchange: () => {
              api.value = key;
              changed(key);
            },
          });
          inputs.set(String(key), input);
          return el("label", { title }, input, el("span", {}, text));
        }),
      ),
    );
    const api = {
      node,
      value,
      set(key) {
        api.value = key;
        const input = inputs.get(String(key));
        if (input) input.checked = true;
      },
      enable(key, yes, why) {
        const input = inputs.get(String(key));
        input.disabled = !yes;
        input.parentNode.title = yes ? "" : why || "";
      },
    };
    api.set(value);
    return api;
  }

  /** One of many: a drop-down list. options: [value, text][]. */
  function select(label, { options, value = "", changed }) {
    const id = `lab-select-${++count}`;
    const input = el(
      "select",
      {
        id,
        onchange: () => {
          api.value = input.value;
          changed(input.value);
        },
      },
      ...options.map(([key, text]) => el("option", { value: key }, text)),
    );
    const api = {
      node: el("div", { class: "lab-select" }, el("label", { for: id }, label), input),
      input,
      value,
      options(pairs) {
        input.replaceChildren(...pairs.map(([key, text]) => el("option", { value: key }, text)));
      },
      set(key) {
        api.value = String(key);
        const there = [...input.options].some((one) => one.value === api.value);
        if (!there && api.value) input.append(el("option", { value: api.value }, api.value));
        input.value = api.value;
      },
    };
    api.set(value);
    return api;
  }

  /** A number within bounds; what is no number or outside is refused with a sentence. */
  function number(label, { value, low, high, step = "any", changed }) {
    const id = `lab-number-${++count}`,
      said = el("span", { class: "lab-refused", id: `${id}-said` });
    const input = el("input", {
      type: "number",
      id,
      min: low,
      max: high,
      step,
      value,
      inputmode: "decimal",
      "aria-describedby": `${id}-said`,
      onchange: () => {
        const found = input.valueAsNumber;
        const fine =
          Number.isFinite(found) && found >= low && found <= high && (step !== 1 || Number.isInteger(found));
        input.setAttribute("aria-invalid", String(!fine));
        said.textContent = fine ? "" : `${step === 1 ? "a whole number" : "a number"} from ${low} to ${high}`;
        if (fine) {
          api.value = found;
          changed(found);
        }
      },
    });
    const api = {
      node: el("div", { class: "lab-number" }, el("label", { for: id }, label), input, said),
      input,
      value,
      set(found) {
        api.value = found;
        input.value = found;
      },
    };
    return api;
  }

  /** A button that moves a slider on to its end; where motion is not wanted, one stop a press. `rest` is called when it stops. */
  function player(over, changed, rest = () => {}, pace = 110) {
    let timer = 0;
    const button = el("button", {
      type: "button",
      class: "lab-play",
      onclick: () => (timer ? stop() : start()),
    });
    function label() {
      button.textContent = timer ? "❚❚ Pause" : still() ? "Next epoch" : "▶ Play";
    }
    function step() {
      const last = +over.input.max,
        next = over.value >= last ? 0 : over.value + 1;
      over.set(next);
      changed(next);
      return next < last;
    }
    function start() {
      if (still()) return void (step(), rest());
      if (over.value >= +over.input.max) {
        over.set(0);
        changed(0);
      }
      timer = setInterval(() => {
        if (!step()) stop();
      }, pace);
      label();
    }
    function stop() {
      if (!timer) return;
      clearInterval(timer);
      timer = 0;
      label();
      rest();
    }
    over.input.addEventListener("input", stop);
    label();
    return { node: button, stop, playing: () => timer !== 0 };
  }

  /** `draw` at most once a frame, with what was said last. */
  function framed(draw) {
    let asked = 0;
    return () => {
      asked =
        asked ||
        requestAnimationFrame(() => {
          asked = 0;
          draw();
        });
    };
  }

  /** Call `draw` when the width of a box changes. */
  function fitted(box, draw) {
    let width = 0;
    new ResizeObserver(() => {
      if (Math.abs(box.clientWidth - width) > 2) {
        width = box.clientWidth;
        draw();
      }
    }).observe(box);
  }

  return { choice, el, fitted, framed, number, player, select, slider, still };
});
