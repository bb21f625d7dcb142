/* Train it here: the form with the settings of a network, and how far its training is. */
"use strict";

IBLab.define(
  "ui_train",
  ["train", "network", "ui_controls", "ui_words", "ui_judge"],
  (train, network, controls, words, judging) => {
    const { el, select, number } = controls;
    const NAMES = {
      relu: "ReLU",
      elu: "ELU",
      leaky_relu: "leaky ReLU",
      abs: "absolute value",
      hard_tanh: "hard tanh",
      centred_softplus: "centred softplus",
    };
    const nameOf = (activation) => NAMES[activation] || activation;
    const SIZES = ["full", 32, 64, 128, 256, 512, 1024].map((size) => [String(size), String(size)]);
    const OPTIMISERS = [
      ["adam", "Adam"],
      ["sgd", "SGD"],
      ["momentum", "momentum"],
    ];
    const SPLITS = [
      ["random", "random"],
      ["unshuffled", "in order"],
    ];
    const ABOUT =
      "The same task, and for a seed the same first weights and the same batches as in the library, trained in your browser.";

    /** What differs from the defaults: all that an address needs. */
    function differences(settings) {
      return Object.fromEntries(Object.entries(settings).filter(([key, value]) => value !== train.defaults[key]));
    }

    /** One control for each setting; `put(key, value)` is called with what a reader chooses. */
    function fieldsOf(put) {
      const list = (label, key, options, read = (v) => v) =>
        select(label, { options, changed: (v) => put(key, read(v)) });
      const value = (label, key, low, high, step) =>
        number(label, { value: train.defaults[key], low, high, step, changed: (v) => put(key, v) });
      return {
        activation: list(
          "Activation",
          "activation",
          network.ACTIVATIONS.map((one) => [one, nameOf(one)]),
        ),
        gain: value("Initial gain", "gain", 0.05, 10),
        optimizer: list("Optimiser", "optimizer", OPTIMISERS),
        rate: value("Learning rate", "rate", 1e-6, 2),
        batch: list("Batch", "batch", SIZES, (v) => (v === "full" ? null : +v)),
        epochs: value("Epochs", "epochs", 1, 50000, 1),
        l2: value("L2 penalty", "l2", 0, 1),
        noise: value("Noise in the layers", "noise", 0, 2),
        share: value("Share for training", "share", 0.02, 1),
        split: list("Split", "split", SPLITS),
        seed: value("Seed", "seed", 0, 4294967295, 1),
      };
    }

    /** The form. `begin(settings)` starts a training, `stop()` ends it, `changed(settings)` follows the form. */
    function panel({ data, begin, stop, changed }) {
      let settings = train.complete({}),
        running = false;
      const fields = fieldsOf((key, value) => take({ ...settings, [key]: value }));
      const preset = select("As in", {
        options: [["", "own settings"], ...data.experiments.map((one) => [one.id, one.title])],
        changed: (id) =>
          id && take({ ...data.experiments.find((one) => one.id === id).settings, seed: settings.seed }),
      });
      const act = (text, does, main = "") =>
        el("button", { type: "button", class: `lab-button${main}`, onclick: does }, text);
      const button = act("Train", () => (running ? stop() : start()), " lab-main");
      const another = act("Another seed", () => {
        take({ ...settings, seed: Math.floor(Math.random() * 1e6) });
        start();
      });
      const bar = el("progress", { max: 1, value: 0, "aria-label": "progress of the training" });
      const said = el("p", { class: "lab-told", role: "status" }),
        list = el("ul", { class: "lab-claims" });
      const form = el("div", { class: "lab-form" }, preset.node, ...Object.values(fields).map((one) => one.node));
      const node = el(
        "div",
        { class: "lab-train" },
        el("p", {}, ABOUT),
        form,
        el("div", { class: "lab-buttons" }, button, another, bar),
        said,
        list,
      );
      const say = (text) => {
        said.textContent = text;
      };

      function take(given) {
        fill(given);
        changed(settings);
      }
      function fill(given) {
        settings = train.complete(given);
        for (const key in fields) fields[key].set(key === "batch" ? (settings.batch ?? "full") : settings[key]);
        preset.set(judging.experimentOf(data, settings)?.id ?? "");
      }
      function start() {
        list.replaceChildren();
        busy(true);
        begin(settings);
      }
      function busy(yes) {
        running = yes;
        button.textContent = yes ? "Stop" : "Train";
        another.disabled = yes;
      }
      function progress(share, text) {
        bar.value = share;
        if (text) say(text);
      }
      const judged = (items) => list.replaceChildren(...items.map((item) => el("li", {}, item)));
      return {
        node,
        busy,
        say,
        start,
        fill,
        progress,
        judged,
        get settings() {
          return settings;
        },
      };
    }

    return { differences, nameOf, panel };
  },
);
