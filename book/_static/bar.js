/* Bars that a reader moves: in the box of a verdict, and over all claims of the ledger.
 *
 * The plots stand in the page already (book/_ext/site_bar.py); this adds the sliders. Rules and numbers,
 * ``bar_rules.js`` and ``bar_data.js``, are loaded when the first bar is opened, as scripts, so that
 * everything works from a disk as well. The words that were published are never touched: what a moved
 * bar says stands beside them.
 */
(() => {
  "use strict";

  const HERE = document.currentScript.src.replace(/[^/]*$/, "");
  const SYMBOLS = { agrees: "●", opposite: "✕", none: "○", open: "?", hollow: "◌" };
  const WORDS = {
    reproduced: ["✓", "good"],
    holds: ["✓", "good"],
    seen: ["✓", "good"],
    "direction only": ["↗", "part"],
    mixed: ["◐", "part"],
    open: ["?", "none"],
    "none found": ["○", "bad"],
    opposite: ["⇄", "bad"],
    fails: ["✗", "bad"],
    "not seen on a stand-in": ["–", "none"],
    "not testable here": ["–", "none"],
  };
  const BARS = {
    size: "Smallest effect of interest",
    null: "Line that the effect has to pass",
    margin: "What counts as nothing, on both sides",
  };
  const PLAIN_UNITS = ["bits", "epochs", "times", "decades"]; // others stand above the plot

  // Small things ---------------------------------------------------------------------------------

  /** Load a script of this folder, once. */
  const loading = new Map();
  function load(name) {
    if (!loading.has(name)) {
      const done = new Promise((resolve, reject) => {
        const script = document.createElement("script");
        script.src = HERE + name;
        script.onload = resolve;
        script.onerror = () => reject(new Error(`${name} could not be loaded`));
        document.head.append(script);
      });
      loading.set(name, done);
    }
    return loading.get(name);
  }

  async function ready() {
    await Promise.all([load("bar_rules.js"), load("bar_data.js")]);
    return { data: window.ibBar, rules: window.ibRules };
  }

  /** @returns {HTMLElement} an element with properties and what it contains */
  function make(name, given = {}, ...inside) {
    const { style = {}, ...properties } = given;
    const element = Object.assign(document.createElement(name), properties);
    for (const [key, value] of Object.entries(style)) element.style.setProperty(key, value);
    element.append(...inside);
    return element;
  }

  /** Three digits, a space between thousands: as Python writes the numbers of the page. */
  function number(value) {
    if (Math.abs(value) < 1000) return String(Number(value.toPrecision(3)));
    return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, " ");
  }

  function withUnit(value, unit) {
    const said = number(value);
    if (unit === "bits" && said === "1") return "1 bit";
    return PLAIN_UNITS.includes(unit) ? `${said} ${unit}` : said;
  }

  function badge(word, shown = word) {
    const [symbol, kind] = WORDS[word];
    return make("span", { className: `verdict verdict-${kind}` }, `${symbol} ${shown}`);
  }

  /** Say something in a live region once: the same words again would be read again. */
  function say(region, ...parts) {
    const text = parts.map((one) => one.textContent ?? one).join("");
    if (region.textContent !== text) region.replaceChildren(...parts);
  }

  const percent = (axis, value) => (100 * (value - axis[0])) / (axis[1] - axis[0]);

  // The box of a verdict -------------------------------------------------------------------------

  /** Make the bars of a box movable. */
  function box(fold, { data, rules }) {
    const name = fold.dataset.claim;
    const claim = data.claims[data.same[name] ?? name];
    const home = claim.tests.map((test) => rules.committed(data, test));
    const published = rules.judge(data, claim, home);
    let bars = [...home];

    const live = make("p", { role: "status" });
    const reset = make("button", { type: "button", disabled: true }, "Back to the criterion");
    fold.querySelector(".bar-says").append(live, reset);
    const parts = [...fold.querySelectorAll(".bar-test")].flatMap((place) => {
      const i = Number(place.dataset.test);
      return claim.tests[i].bars.map((bar) => slider(place, i, bar));
    });

    /** A slider below a plot, its line in the plot, and where the word turns. */
    function slider(place, i, bar) {
      const test = claim.tests[i];
      const plot = place.querySelector(".bar-plot");
      const own = make("i", { className: `bar-now bar-now-${bar}`, style: { "--x": 0 } });
      const ghost = make("i", { className: `bar-now bar-now-${bar}`, style: { "--x": 0 } });
      const lines = bar === "margin" ? [own, ghost] : [own];
      plot.prepend(...lines);
      const input = make("input", { type: "range", min: 0, max: test.steps, step: 1 });
      const output = make("output");
      const label = make("label", { className: "bar-label" }, `${BARS[bar]}: `, output, input);
      const strip = make("div", { className: "bar-words", ariaHidden: "true" });
      const turns = make("p", { className: "remark" });
      const from = bar === "margin" ? percent(test.axis, rules.lineOf(test)) : 0;
      const row = make("div", { className: "bar-slider", style: { "--from": from } }, label, strip, turns);
      place.append(row);
      input.addEventListener("input", () => {
        const k = Number(input.value);
        bars[i] = rules.moved(bars[i], bar, rules.valueAt(test, bar, k), k);
        show(part);
      });
      const part = { i, bar, test, plot, input, output, strip, turns, own, ghost };
      lines.forEach((line) => grab(line, part));
      input.value = rules.homeOf(test, bar);
      return part;
    }

    const valueOf = ({ i, bar }) => (bar === "size" ? bars[i].size[0] : bars[i][bar]);

    /** Draw everything as the bars stand; ``last`` is the one that was moved. */
    function show(last) {
      const found = rules.judge(data, claim, bars);
      const turned = marks(found.tests);
      for (const part of parts) draw(part);
      const away = parts.some((part) => valueOf(part) !== rules.valueOf(part.test, part.bar));
      reset.disabled = !away;
      const was = badge(published.word, published.shown);
      if (!away) return say(live, "As published: ", was, ".");
      const at = withUnit(valueOf(last), last.test.unit);
      const cases = turned ? `; ${turned} ${turned === 1 ? "mark turns" : "marks turn"}` : "";
      const same = found.shown === published.shown;
      last.input.ariaValueText = `${at}: ${found.shown}`;
      const beside = same ? [", as published"] : [", published: ", was];
      return say(live, `At ${at}: `, badge(found.word, found.shown), ...beside, `${cases}.`);
    }

    /** The marks of all cases; how many are others than published. */
    function marks(tests) {
      let turned = 0;
      for (const place of fold.querySelectorAll(".bar-test")) {
        const i = Number(place.dataset.test);
        [...place.querySelectorAll("li.cell")].forEach((line, k) => {
          const mark = tests[i].marks[k];
          const other = mark !== published.tests[i].marks[k];
          turned += other;
          line.className = `cell cell-${mark}${other ? " turned" : ""}`;
          for (const one of line.querySelectorAll("i, b")) one.textContent = SYMBOLS[mark];
        });
      }
      return turned;
    }

    function draw(part) {
      const { i, bar, test, input, output, strip, turns, own, ghost } = part;
      const value = valueOf(part);
      const line = bars[i].null;
      const about = test.shown === "s" ? 0 : line;
      put(own, percent(test.axis, bar === "margin" ? about + value : value));
      if (bar === "margin") put(ghost, percent(test.axis, about - value));
      output.textContent = withUnit(value, test.unit);
      input.ariaValueText = output.textContent;
      const runs = rules.turns(data, claim, bars, i, bar);
      const range = rules.rangeOf(test, bar);
      strip.replaceChildren(
        ...runs.map(({ word, from, to }) => {
          const [symbol, kind] = WORDS[word];
          const width = percent(range, to) - percent(range, from);
          const text = width > 30 ? `${symbol} ${word}` : width > 4 ? symbol : "";
          return make("span", { className: `verdict-${kind}`, title: word, style: { "--w": width } }, text);
        }),
      );
      turns.textContent = sentence(runs, test.unit);
    }

    /** A line at its place; its name does not leave the plot. */
    function put(line, x) {
      line.style.setProperty("--x", x);
      line.classList.toggle("before", x > 88);
      line.classList.toggle("after", x < 12);
    }

    /** Drag a line itself, by mouse, pen or finger. */
    function grab(line, { test, bar, plot, input }) {
      line.addEventListener("pointerdown", (event) => {
        line.setPointerCapture(event.pointerId);
        event.preventDefault();
      });
      line.addEventListener("pointermove", (event) => {
        if (!line.hasPointerCapture(event.pointerId)) return;
        const { left, width } = plot.getBoundingClientRect();
        const [low, high] = test.axis;
        const at = low + ((high - low) * (event.clientX - left)) / width;
        const value = bar === "margin" ? Math.abs(at - rules.lineOf(test)) : at;
        const range = rules.rangeOf(test, bar);
        input.value = Math.round(((value - range[0]) / (range[1] - range[0])) * test.steps);
        input.dispatchEvent(new Event("input"));
      });
    }

    reset.addEventListener("click", () => {
      bars = [...home];
      for (const { input, test, bar } of parts) input.value = rules.homeOf(test, bar);
      show();
      parts[0].input.focus();
    });
    show();
  }

  /** "Up to 1.2 bits: reproduced; from 1.2 to 3.2 bits: direction only; above: open." */
  function sentence(runs, unit) {
    if (runs.length === 1) return `Wherever this bar stands on the axis, the word is: ${runs[0].word}.`;
    const said = runs.map(({ word, from, to }, k) => {
      if (!k) return `Up to ${withUnit(to, unit)}: ${word}`;
      if (k === runs.length - 1) return `above ${number(from)}: ${word}`;
      return `from ${number(from)} to ${number(to)}: ${word}`;
    });
    return `${said.join("; ")}.`;
  }

  // The ledger -----------------------------------------------------------------------------------

  const STEP = 8; // places of the size's slider on either side: 2^(k/4), from 1/4 to 4

  /** One control over all claims: level of the intervals, and smallest effects of interest. */
  function ledger(fold, { data, rules }) {
    const form = document.getElementById("ledger-form");
    const table = document.getElementById("ledger-table");
    const lines = [...table.tBodies[0].rows];
    const level = make("input", { type: "range", min: 0, max: data.levels.length - 1 });
    const size = make("input", { type: "range", min: -STEP, max: STEP });
    const outputs = [make("output"), make("output")];
    const live = make("p", { role: "status" });
    const reset = make("button", { type: "button" }, "Back to the criteria");
    fold.querySelector(".bar-says").append(
      make("label", { className: "bar-label" }, "Level of the intervals: ", outputs[0], level),
      make("label", { className: "bar-label" }, "Smallest effects of interest: ", outputs[1], size),
      live,
      reset,
    );

    const claimOf = (line) => {
      const id = line.cells[0].textContent;
      return data.claims[data.same[id] ?? id];
    };
    const judged = lines.filter(claimOf).map((line) => ({ line, claim: claimOf(line) }));
    const home = data.levels.indexOf(data.level);
    const wordAt = (claim, at, times) =>
      rules.judge(data, claim, claim.tests.map((test) => rules.scaled(data, test, at, times)));

    /** In how many of all positions of both sliders the word of a claim is another one. */
    function fragility(claim) {
      let other = 0;
      for (let at = 0; at < data.levels.length; at += 1) {
        for (let k = -STEP; k <= STEP; k += 1) {
          other += wordAt(claim, at, 2 ** (k / 4)).word !== claim.word;
        }
      }
      return other / (data.levels.length * (2 * STEP + 1));
    }

    async function addColumn() {
      table.tHead.rows[0].append(make("th", { scope: "col" }, "Fragile"));
      lines.forEach((line) => line.append(make("td")));
      for (const { line, claim } of judged) {
        await breath();
        const share = fragility(claim);
        const cell = line.cells[line.cells.length - 1];
        cell.dataset.key = share;
        cell.dataset.label = "Fragile";
        cell.textContent = claim.tests.some((one) => one.bars?.length) ? said(share) : "no bar";
        cell.title = "Share of all positions of the two sliders at which the word is another one";
        line.dataset.fragile = share ? "some" : "none";
      }
      const options = [
        ["", "all"], ["now", "changes now"], ["some", "changes somewhere"], ["none", "never changes"],
      ].map(([value, text]) => make("option", { value }, text));
      const select = make("select", { name: "fragile" }, ...options);
      form.querySelector(".ledger-buttons").before(make("label", {}, "Fragile ", select));
    }

    /** Lets the page answer between two claims. */
    const breath = () => new Promise((done) => setTimeout(done));

    function said(share) {
      if (!share) return "never";
      return share < 0.01 ? "under 1 %" : `${Math.round(100 * share)} %`;
    }

    /** The words at this bar, beside the committed ones. */
    function show() {
      const at = Number(level.value);
      const times = 2 ** (Number(size.value) / 4);
      const texts = [`${number(100 * data.levels[at])} %`, `× ${number(times)}`];
      [level, size].forEach((input, k) => {
        outputs[k].textContent = texts[k];
        input.ariaValueText = texts[k];
      });
      let changed = 0;
      for (const { line, claim } of judged) {
        const { word, shown } = wordAt(claim, at, times);
        const other = word !== claim.word;
        changed += other;
        flicker(line, other && badge(word, shown));
      }
      const away = [at !== home, times !== 1];
      ["level", "size"].forEach((name, k) => {
        form.elements[name].value = away[k] ? texts[k].replace(/[^\d.]/g, "") : "";
      });
      const verb = changed === 1 ? "changes its word" : "change their word";
      const where = `with intervals of ${texts[0]} and ${texts[1]} the smallest effects of interest`;
      say(live, `Of ${judged.length} judged claims ${changed} ${verb} ${where}.`);
      reset.disabled = !away.includes(true);
    }

    function flicker(line, other) {
      const place = line.cells[1];
      const before = place.querySelector(".bar-other");
      const kinds = (line.dataset.fragile ?? "").split("|").filter((one) => one && one !== "now");
      line.dataset.fragile = [...kinds, ...(other ? ["now"] : [])].join("|");
      if (before && other && before.textContent.endsWith(other.textContent)) return;
      before?.remove();
      line.classList.toggle("flickers", Boolean(other));
      if (other) place.append(make("span", { className: "bar-other" }, "→ ", other));
    }

    /** Filters and the address are the ledger's. */
    function tell() {
      form.dispatchEvent(new Event("input"));
    }

    function fromAddress() {
      const [asked, times] = ["level", "size"].map((name) => Number(form.elements[name].value));
      const known = data.levels.findIndex((one) => Math.abs(100 * one - asked) < 1e-6);
      level.value = known < 0 ? home : known;
      size.value = times > 0 ? Math.round(4 * Math.log2(times)) : 0;
    }

    [level, size].forEach((input) => input.addEventListener("input", show));
    [level, size].forEach((input) => input.addEventListener("change", tell));
    reset.addEventListener("click", () => {
      level.value = home;
      size.value = 0;
      show();
      tell();
      level.focus();
    });
    fromAddress();
    show();
    addColumn().then(() => {
      show();
      form.dispatchEvent(new Event("columns"));
    });
  }

  // Start ----------------------------------------------------------------------------------------

  function once(fold, start) {
    const open = async () => {
      if (!fold.open) return;
      fold.removeEventListener("toggle", open);
      try {
        start(fold, await ready());
      } catch (error) {
        fold.querySelector(".bar-says").append(`The numbers could not be loaded: ${error.message}.`);
      }
    };
    fold.addEventListener("toggle", open);
    open();
  }

  for (const fold of document.querySelectorAll("details.bar[data-claim]")) once(fold, box);
  const whole = document.getElementById("ledger-bar");
  if (whole) {
    whole.hidden = false;
    whole.open = /[?&#](level|size|fragile)=|sort=-?Fragile/.test(location.href);
    once(whole, ledger);
  }
})();
