/* Train it here: the settings of a network, its progress, and what it says about the claims. */
IBLab.define(
  "ui_train",
  ["train", "network", "effects", "rulers", "ui_controls", "ui_draw", "ui_words"],
  (train, network, effects, rulers, controls, draw, words) => {
    "use strict";
    const { el, choice, select, number } = controls;
    const NAMES = {
      tanh: "tanh",
      relu: "ReLU",
      sigmoid: "sigmoid",
      elu: "ELU",
      softplus: "softplus",
      softsign: "softsign",
      leaky_relu: "leaky ReLU",
      abs: "absolute value",
      linear: "linear",
      swish: "swish",
      hard_tanh: "hard tanh",
      centred_softplus: "centred softplus",
    };
    const SAME = [
      "activation",
      "initializer",
      "gain",
      "optimizer",
      "rate",
      "batch",
      "epochs",
      "l2",
      "noise",
      "share",
      "split",
    ];

    /** The stored experiment that these settings belong to, or undefined. */
    function experimentOf(data, settings) {
      const whole = train.complete(settings);
      return data.experiments.find((one) => {
        const its = train.complete(one.settings);
        return SAME.every((key) => its[key] === whole[key]);
      });
    }

    /** What differs from the defaults: all that an address needs. */
    const differences = (settings) =>
      Object.fromEntries(Object.entries(settings).filter(([key, value]) => value !== train.defaults[key]));

    /** The form and its progress. `begin(settings)` starts a run, `changed(settings)` follows the form. */
    function panel({ begin, stop, changed }) {
      let settings = train.complete({});
      const put =
        (key, read = (v) => v) =>
        (value) => {
          settings = { ...settings, [key]: read(value) };
          changed(settings);
        };
      const fields = {
        activation: select("Activation", {
          options: network.ACTIVATIONS.map((one) => [one, NAMES[one] || one]),
          value: "tanh",
          changed: put("activation"),
        }),
        gain: number("Initial gain", { value: 1, low: 0.05, high: 10, changed: put("gain") }),
        optimizer: select("Optimiser", {
          options: [
            ["adam", "Adam"],
            ["sgd", "SGD"],
            ["momentum", "momentum"],
          ],
          value: "adam",
          changed: put("optimizer"),
        }),
        rate: number("Learning rate", { value: 4e-4, low: 1e-6, high: 2, changed: put("rate") }),
        batch: select("Batch", {
          options: [["full", "full"], ...[32, 64, 128, 256, 512, 1024].map((b) => [String(b), String(b)])],
          value: "512",
          changed: put("batch", (v) => (v === "full" ? null : +v)),
        }),
        epochs: number("Epochs", { value: 8000, low: 1, high: 50000, step: 1, changed: put("epochs") }),
        l2: number("L2 penalty", { value: 0, low: 0, high: 1, changed: put("l2") }),
        noise: number("Noise in the layers", { value: 0, low: 0, high: 2, changed: put("noise") }),
        share: number("Share for training", { value: 0.8, low: 0.02, high: 1, changed: put("share") }),
        split: select("Split", {
          options: [
            ["random", "random"],
            ["unshuffled", "in order"],
          ],
          value: "random",
          changed: put("split"),
        }),
        seed: number("Seed", { value: 1, low: 0, high: 4294967295, step: 1, changed: put("seed") }),
      };
      const button = el(
        "button",
        { type: "button", class: "lab-button lab-main", onclick: () => (running ? stop() : start()) },
        "Train",
      );
      const another = el(
        "button",
        {
          type: "button",
          class: "lab-button",
          onclick: () => {
            fields.seed.set(Math.floor(Math.random() * 1e6));
            put("seed")(fields.seed.value);
            start();
          },
        },
        "Another seed",
      );
      const bar = el("progress", { max: 1, value: 0, "aria-label": "progress of the training" }),
        said = el("p", { class: "lab-told", role: "status" });
      const list = el("ul", { class: "lab-claims" });
      let running = false;
      const node = el(
        "div",
        { class: "lab-train" },
        el(
          "p",
          {},
          "The same task, the same initial weights and the same batches as the library with this seed, trained in your browser.",
        ),
        el("div", { class: "lab-form" }, ...Object.values(fields).map((one) => one.node)),
        el("div", { class: "lab-buttons" }, button, another, bar),
        said,
        list,
      );
      async function start() {
        try {
          settings = train.complete(settings);
        } catch (error) {
          say(words.capital(error.message));
          return;
        }
        list.replaceChildren();
        busy(true);
        begin(settings);
      }
      function busy(yes) {
        running = yes;
        button.textContent = yes ? "Stop" : "Train";
        another.disabled = yes;
      }
      function say(text) {
        said.textContent = text;
      }
      return {
        node,
        busy,
        say,
        start,
        fill(given) {
          settings = train.complete(given);
          for (const key in fields) fields[key].set(key === "batch" ? (settings.batch ?? "full") : settings[key]);
        },
        get settings() {
          return settings;
        },
        progress(share, text) {
          bar.value = share;
          if (text) say(text);
        },
        judged(items) {
          list.replaceChildren(...items.map((item) => el("li", {}, item)));
        },
      };
    }

    /** What claims say of a network: one sentence each. plane(ruler, its name) is a promise of its plane. */
    async function judge(data, experiment, plane, epochs, trainAccuracy) {
      const found = [];
      for (const claim of data.claims.filter((one) => one.experiment === experiment.id)) {
        const ruler = rulers.parse(claim.ruler);
        const its = ruler && (await plane(ruler, claim.ruler));
        if (!its) continue;
        for (const layer of claim.layers) {
          const values = data.effect(experiment.id, claim.ruler, claim.effect, layer);
          if (!values) continue;
          const value = effects.measure(claim.effect, its, layer, epochs, trainAccuracy);
          found.push({ claim, layer, value, rank: effects.rank(value, values), meets: value > claim.size });
        }
      }
      return found;
    }

    const SAYS = {
      compression: (v) => `loses ${words.bits(v)} bits`,
      fitting: (v) => `gains ${words.bits(v)} bits`,
      change: (v) =>
        `has ${words.bits(Math.abs(v))} bits ${v < 0 ? "less" : "more"} at the end than when it had learnt`,
      "label loss": (v) => `loses ${words.bits(v)} bits about the label`,
      peak: (v) => `peaks after ${Math.round(100 * v)} % of the training`,
    };

    /** One sentence for each claim: what your layers do, and how many of the stored networks do so less. */
    function verdicts(found) {
      const by = new Map();
      for (const one of found) by.set(one.claim.id, [...(by.get(one.claim.id) || []), one]);
      return [...by.values()].map((each) => {
        const { claim } = each[0],
          fine = each.filter((one) => one.meets).length;
        const word = fine === each.length ? "does as it says" : fine ? "does so in part" : "does not";
        const part = ({ layer, value, rank }) =>
          `${words.NAMES[layer - 1]} ${(SAYS[claim.effect] || ((v) => `has ${words.bits(v)}`))(value)} (${words.against(rank)})`;
        return `${claim.id}, “${claim.title}”: your network ${word}. ${words.capital(words.listed(each.map(part)))}.`;
      });
    }

    return { NAMES, differences, experimentOf, judge, panel, verdicts };
  },
);
