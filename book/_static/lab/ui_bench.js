/* The bench: a network, a ruler, and what the one sees of the other, redrawn while the reader moves them. */
"use strict";

IBLab.define(
  "ui_bench",
  [
    "rulers",
    "train",
    "ui_controls",
    "ui_draw",
    "ui_state",
    "ui_words",
    "ui_share",
    "ui_train",
    "ui_judge",
    "ui_forgotten",
    "ui_seen",
    "ui_own",
    "ui_chooser",
  ],
  (rulers, train, controls, draw, states, words, share, training, judging, forgotten, seen, owning, chooser) => {
    const { el, framed, fitted } = controls;
    const TITLES = { train: "Train it here", forgotten: "What is forgotten", numbers: "The numbers" };
    const START = { ruler: { kind: "bins", n: 30, low: -1, high: 1 }, epoch: null, layer: 5, open: [], train: {} };

    /** Build a laboratory in `root`: {name, data (of stored.open), engine, begun (the state of
     * the page), initial (that of the address)}. */
    function build(root, { name, data, engine, begun, initial }) {
      const found = (net) =>
        data.networks.find((one) => one.id === net) ||
        data.networks.find((one) => one.experiment === net || one.settings.activation === net);
      const first = found("tanh") || data.networks[0];
      const state = { ...START, net: first.id };
      const held = new Set();
      const pins = data.pins.map((pin) => ({
        ...pin,
        ruler: pin.ruler.kind ? pin.ruler : rulers.parse(pin.ruler),
      }));
      const chips = new Map(); // a pin and its button
      let plane = null,
        at = 0,
        waiting = 0;

      const form = training.panel({
        data,
        begin,
        stop: () => own.stop(),
        changed: (settings) => {
          state.train = training.differences(settings);
          note();
        },
      });
      const own = owning.owner({
        data,
        engine,
        form,
        ruler: () => state.ruler,
        grown,
        ended,
      });
      const isOwn = () => state.net === "yours";
      const network = () => (isOwn() ? own.network : data.networks.find((one) => one.id === state.net));
      const experiment = () =>
        isOwn()
          ? judging.experimentOf(data, own.network.settings)
          : data.experiments.find((one) => one.id === network().experiment);

      // What stands on the page

      const running = (() => {
        // above the pictures while a network learns: on a phone the panel is far below
        const said = el("span"),
          bar = el("progress", { max: 1, value: 0, "aria-label": "progress of the training" });
        const stop = el("button", { type: "button", class: "lab-button", onclick: () => own.stop() }, "Stop");
        const node = el("div", { class: "lab-running", hidden: true }, stop, bar, said);
        return {
          node,
          say: (share, text) => {
            bar.value = share;
            said.textContent = text;
          },
          show: (yes) => {
            node.hidden = !yes;
          },
        };
      })();

      const picture = seen.make(),
        grid = forgotten.panel();
      const networks = chooser.networkControls(data, (net) => {
        time.stop();
        go({ net });
        note();
      });
      const ruling = chooser.rulerControls(pins, (ruler) => {
        state.ruler = ruler;
        own.look(ruler);
        setRuler();
        measure();
        note();
      });
      const time = chooser.timeControls({
        seen: moveTo,
        layer: (l) => {
          state.layer = +l;
          redraw();
          note();
        },
        rest: () => note(),
      });
      const panels = {
        train: fold("train", form.node),
        forgotten: fold("forgotten", grid.node),
        numbers: fold("numbers", scrolls(picture.numbers)),
      };
      const bar = share.bar({
        address: () => new URL(place(), location.href).href,
        python: () => share.python(state, network().settings, network().epochs, at),
        papermill: () => share.papermill(state, network().settings, experiment()?.chapter),
        figure: () =>
          share.figure(
            picture.svgs,
            `${words.capital(title())}: ${states.called(state.ruler)}`,
            picture.sentence.textContent,
          ),
      });
      root.replaceChildren(
        pinned(),
        networks.node,
        ruling.node,
        picture.sentence,
        running.node,
        picture.figures,
        time.node,
        picture.caption,
        ...Object.values(panels),
        bar,
      );

      function pinned() {
        for (const pin of pins) {
          const stand = () => {
            time.stop();
            go({ net: pin.network, ruler: pin.ruler, epoch: null });
            note();
          };
          chips.set(pin, el("button", { type: "button", class: "lab-chip", onclick: stand }, pin.title));
        }
        return el(
          "div",
          { class: "lab-pins-row" },
          el("span", { class: "lab-small" }, "Where the papers stood"),
          el("ul", { class: "lab-chips" }, ...[...chips.values()].map((chip) => el("li", {}, chip))),
        );
      }
      function scrolls(table) {
        return el(
          "div",
          { class: "lab-scrolls", tabindex: 0, role: "region", "aria-label": TITLES.numbers },
          table,
        );
      }
      function fold(key, inside) {
        const box = el("details", { class: "lab-fold" }, el("summary", {}, TITLES[key]), inside);
        box.addEventListener("toggle", () => {
          if (box.open === state.open.includes(key)) return;
          state.open = box.open ? [...state.open, key] : state.open.filter((one) => one !== key);
          redraw();
          note();
        });
        return box;
      }
      const title = () => (isOwn() ? "your network" : network().title);

      // What follows from a choice

      function go(given) {
        Object.assign(state, given);
        if (isOwn() && !own.network) {
          state.net = first.id;
          state.open = [...new Set([...state.open, "train"])];
          form.say(
            "This address names a network to be trained: press Train, and the same seed gives the same one.",
          );
        }
        if (!isOwn()) state.net = (found(state.net) || first).id;
        if (state.ruler.kind === "noise" && (isOwn() || !data.noise(state.net))) state.ruler = START.ruler;
        setNetwork();
        if (given.train || given.net) fillForm();
        for (const key in panels) panels[key].open = state.open.includes(key);
        time.layer(state.layer);
        measure();
      }
      function setNetwork() {
        const now = network(),
          { activation, noise, seed } = train.complete(now.settings);
        networks.set(
          isOwn() ? { ...now, experiment: experiment()?.id || first.experiment } : now,
          Boolean(own.network),
        );
        setRuler();
        if (isOwn() || held.has(now.id)) return;
        engine.hold(now.id, {
          activation,
          noise: noise ? { std: noise, seed } : null,
          rows: data.weights(now.id),
          epochs: now.epochs,
        });
        held.add(now.id);
      }
      function setRuler() {
        const here = ({ network: net, ruler }) =>
          net === state.net && states.rulerText(ruler) === states.rulerText(state.ruler);
        for (const [pin, chip] of chips) chip.setAttribute("aria-pressed", String(here(pin)));
        ruling.set(state.ruler, isOwn() ? null : data.noise(state.net)?.variances);
      }
      function fillForm() {
        const asked = Object.keys(state.train).length > 0;
        form.fill(asked ? state.train : { ...network().settings, seed: 1 });
      }
      function moveTo(k) {
        const { epochs } = network();
        at = k;
        state.epoch = k === epochs.length - 1 ? null : epochs[k];
        redraw();
      }

      // Measure and draw

      async function measure() {
        const { net, ruler } = state;
        if (isOwn() && own.run) return;
        waiting++;
        picture.figures.setAttribute("aria-busy", "true");
        try {
          const seen_ = ruler.kind === "noise" ? stored(net, ruler.variance) : await engine.plane(net, ruler);
          if (seen_ && net === state.net && ruler === state.ruler) show({ ...seen_, net, ruler });
        } catch (error) {
          picture.fail(words.capital(error.message));
        }
        if (!--waiting) picture.figures.removeAttribute("aria-busy");
      }
      function stored(net, variance) {
        const { variances, ixt, ity } = data.noise(net),
          n = network().epochs.length;
        const far = (v) => Math.abs(Math.log(v / variance));
        const v = variances.reduce((best, one, i) => (far(one) < far(variances[best]) ? i : best), 0);
        return { n, ixt: ixt.slice(6 * n * v, 6 * n * (v + 1)), ity: ity.slice(6 * n * v, 6 * n * (v + 1)) };
      }
      function show(found) {
        const { epochs, accuracies } = network(),
          far = (k) => Math.abs(epochs[k] - state.epoch);
        plane = found;
        at =
          state.epoch === null
            ? found.n - 1
            : Array.from(epochs.keys()).reduce((best, k) => (far(k) < far(best) ? k : best), 0);
        time.set(Array.from(epochs).slice(0, found.n), accuracies || data.accuracies(state.net), at);
        redraw();
      }
      const redraw = framed(() => {
        if (!plane || plane.net !== state.net) return;
        const now = network(),
          its = experiment();
        const band = its && data.band(its.id, rulers.name(plane.ruler));
        picture.show({
          plane,
          epochs: now.epochs,
          at,
          title: title(),
          ruler: plane.ruler,
          band,
          layer: state.layer - 1,
          reach: now.settings.epochs,
          withNumbers: state.open.includes("numbers"),
        });
        if (state.open.includes("forgotten") && !own.run) lookInside();
      });

      let inside = "",
        parts = null,
        partsOf = "";
      async function lookInside() {
        const { net, ruler } = state,
          layer = state.layer - 1,
          k = Math.min(at, plane.n - 1),
          { n } = plane;
        if (ruler.kind === "noise")
          return grid.sorry("Noise gives no symbols that inputs could share: choose a ruler that counts.");
        const whole = `${net} ${states.rulerText(ruler)} ${layer} ${n}`,
          one = `${whole} ${k}`;
        if (inside === one) return;
        inside = one;
        const epochs = Array.from(network().epochs).slice(0, n);
        try {
          const found_ = await engine.layer(net, k, layer, ruler);
          if (!found_ || inside !== one) return;
          const put = () => grid.show({ ...found_, k, epochs, layer }, partsOf === whole ? parts : null);
          put();
          if (partsOf === whole) return;
          const all = await engine.parts(net, ruler, layer);
          if (all) {
            parts = all;
            partsOf = whole;
          }
          if (inside === one) put();
        } catch (error) {
          grid.sorry(words.capital(error.message));
        }
      }

      // A network of the reader's own

      function begin(settings) {
        time.stop();
        if (state.ruler.kind === "noise") state.ruler = START.ruler;
        Object.assign(state, { net: "yours", epoch: null, train: training.differences(settings) });
        own.begin(settings);
        setNetwork();
        note();
        running.say(0, "");
        running.show(true);
        picture.figures.scrollIntoView({ block: "nearest", behavior: controls.still() ? "auto" : "smooth" });
      }
      function ended() {
        running.show(false);
        if (isOwn()) measure();
      }
      function grown() {
        const { epochs, settings } = own.network,
          last = epochs[epochs.length - 1];
        running.say(last / settings.epochs, `epoch ${draw.thousands(last)} of ${draw.thousands(settings.epochs)}`);
        if (isOwn()) show({ ...own.plane, net: "yours", ruler: state.ruler });
      }

      // The address follows the reader; a page that is only looked at keeps its own

      const place = () => `${location.pathname}?${states.format(state)}#lab-${name}`;
      let later = 0;
      function note() {
        clearTimeout(later);
        later = setTimeout(() => {
          try {
            history.replaceState(null, "", place());
          } catch {
            /* some browsers refuse it from a disk */
          }
        }, 200);
      }

      fitted(picture.figures, redraw);
      /** A state that an address names: what it leaves out is as the page begins. */
      const visit = (given) => go({ ...START, net: first.id, ...begun, ...given });
      visit(initial);
      return { state, visit, plane: () => plane };
    }

    return { build };
  },
);
