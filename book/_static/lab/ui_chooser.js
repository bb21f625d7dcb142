/* Controls of the bench: which network, which ruler, which epoch and layer. They know the state and change nothing else. */
"use strict";

IBLab.define(
  "ui_chooser",
  ["train", "ui_controls", "ui_draw", "ui_state", "ui_train", "ui_words", "ui_own"],
  (train, controls, draw, states, training, words, { percent }) => {
    const { el, choice, select, slider, player } = controls;
    const batchSaid = (batch) => (batch === null ? "full" : String(batch));
    const far = (a, b) => Math.abs(Math.log(a / b));
    const nearest = (values, goal) =>
      values.reduce((best, one, i) => (far(one, goal) < far(values[best], goal) ? i : best), 0);
    const USUAL = { bins: 30, range: 30, adaptive: 30, edges: 30, width: 0.07, quantised: 8, noise: 0.001 };

    /** The stored network that has what was asked, and as much as may be of the rest. */
    function closest(networks, now, asked) {
      const score = (one) => {
        const its = train.complete(one.settings);
        if (!Object.keys(asked).every((key) => its[key] === asked[key])) return -1;
        const same = ["activation", "gain", "batch"].map((key) => its[key] === now[key]);
        return 4 * same[0] + 2 * same[1] + same[2];
      };
      return networks.reduce((best, one) => (score(one) > score(best) ? one : best), networks[0]);
    }

    /** Activation, gain, batch, and which of the networks of that setting. `choose(id)` is called. */
    function networkControls(data, choose) {
      const settings = new Map(data.networks.map((one) => [one.id, train.complete(one.settings)]));
      const values = (key) => [...new Set([...settings.values()].map((its) => its[key]))];
      let now = null;
      const ask = (asked) => choose(closest(data.networks, { ...now, ...asked }, asked).id);
      const activation = choice("Activation", {
        options: values("activation").map((a) => [a, training.nameOf(a)]),
        changed: (a) => ask({ activation: a }),
      });
      const gain = choice("Initial gain", {
        options: values("gain")
          .sort((a, b) => a - b)
          .map((g) => [g, String(g)]),
        changed: (g) => ask({ gain: g }),
      });
      const batch = choice("Batch", {
        options: values("batch")
          .sort((a, b) => (a ?? 1e9) - (b ?? 1e9))
          .map((b) => [batchSaid(b), batchSaid(b)]),
        changed: (b) => ask({ batch: b === "full" ? null : +b }),
      });
      const which = select("Network", { options: [], changed: choose });
      const called = (one) => `the middle one of 50 (seed ${one.seed})`;
      function allow(control, key, said) {
        for (const value of values(key)) {
          const there = [...settings.values()].some(
            (its) => its.activation === now.activation && its[key] === value,
          );
          control.enable(
            said(value),
            there,
            `No ${training.nameOf(now.activation)} network is stored with it; train one below.`,
          );
        }
      }
      function set(network, hasOwn) {
        now = train.complete(network.settings);
        activation.set(now.activation);
        gain.set(now.gain);
        batch.set(batchSaid(now.batch));
        allow(gain, "gain", (g) => g);
        allow(batch, "batch", batchSaid);
        const like = data.networks.filter((one) => one.experiment === network.experiment);
        which.options([...(hasOwn ? [["yours", "yours"]] : []), ...like.map((one) => [one.id, called(one)])]);
        which.set(network.id);
      }
      return {
        node: el("div", { class: "lab-network" }, activation.node, gain.node, batch.node, which.node),
        set,
      };
    }

    /** The kind of the ruler and, on a slider, its size. `chosen(ruler)` is called. */
    function rulerControls(pins, chosen) {
      let now = null,
        noise = null;
      const stops = (kind) => (kind === "noise" ? noise || [] : states.kindOf(kind).stops);
      const kind = choice("Ruler", {
        options: states.KINDS.map((one) => [one.kind, one.title]),
        changed: (k) => chosen(of(k)),
      });
      const size = slider("Number of bins", {
        n: 2,
        text: () => "",
        changed: (i) => chosen(states.ruler(now.kind, stops(now.kind)[i])),
      });
      const about = el("p", { class: "lab-about" });
      function of(k) {
        // of another kind, as close to the present one as may be
        const { field } = states.kindOf(k);
        if (!field) return states.ruler(k);
        const goal = states.kindOf(now.kind).field === field ? states.sizeOf(now) : USUAL[k];
        return states.ruler(k, stops(k)[nearest(stops(k), goal)]);
      }
      function set(ruler, variances) {
        now = ruler;
        noise = variances;
        const its = states.kindOf(ruler.kind),
          all = stops(ruler.kind);
        kind.set(ruler.kind);
        kind.enable("noise", Boolean(noise), "Computed beforehand, for stored networks.");
        about.textContent = its.about;
        size.node.hidden = !its.field;
        if (!its.field) return;
        size.rename(its.label);
        const at = nearest(all, states.sizeOf(ruler));
        size.resize(all.length, (i) => (i === at ? states.called(ruler) : its.text(all[i])));
        size.set(at);
        const like = pins.filter((pin) => pin.ruler.kind === ruler.kind);
        size.pin(like.map((pin) => ({ at: nearest(all, states.sizeOf(pin.ruler)), title: pin.title })));
      }
      return { node: el("div", { class: "lab-ruler" }, kind.node, size.node, about), set };
    }

    /** The epoch on a slider, to play, and the layer that is looked at. */
    function timeControls({ seen, layer, rest }) {
      const time = slider("Epoch", { n: 2, text: () => "", changed: seen });
      const play = player(time, seen, rest);
      const which = choice("Layer looked at", {
        options: words.MARKS.map((mark, l) => [l + 1, mark, words.NAMES[l]]),
        changed: layer,
      });
      time.input.addEventListener("change", rest);
      function set(epochs, accuracies, at) {
        const right = (k) =>
          accuracies
            ? ` · training ${percent(accuracies.train[k])}, test ${percent(accuracies.test[k])} right`
            : "";
        time.resize(epochs.length, (k) => `${draw.thousands(epochs[k])}${right(k)}`);
        time.set(at);
      }
      return {
        node: el("div", { class: "lab-time" }, play.node, time.node, which.node),
        set,
        stop: play.stop,
        layer: which.set,
      };
    }

    return { networkControls, rulerControls, timeControls };
  },
);
