/* A network of the reader's own: it is trained in the background and measured as it learns. */
"use strict";

IBLab.define("ui_own", ["train", "ui_draw", "ui_judge", "ui_words"], (train, draw, judging, words) => {
  const percent = (share) => `${Math.round(100 * share)} %`;

  /** Owner of at most one network. `grown(first)` is called at each checkpoint, `ended()` when no more will come. */
  function owner({ data, engine, form, ruler, grown, ended }) {
    const own = { network: null, run: null, plane: null, begin, stop: () => own.run && own.run.stop(), look };

    function begin(settings) {
      const { activation, noise, seed } = settings;
      const accuracies = { train: [], test: [] };
      const network = { id: "yours", title: "your network", settings, epochs: [], accuracies, x: [], y: [] };
      own.network = network;
      own.plane = null;
      engine.hold("yours", {
        activation,
        noise: noise ? { std: noise, seed } : null,
        rows: new Float32Array(0),
        epochs: [],
      });
      own.run = engine.train(settings, ruler(), (step) => own.network === network && took(network, step));
      const began = performance.now();
      own.run.done.then(
        ({ stopped }) => finished(network, stopped, (performance.now() - began) / 1000),
        (error) => over(() => form.say(words.capital(error.message))),
      );
    }

    function took(network, step) {
      network.epochs.push(step.epoch);
      network.accuracies.train.push(step.trainAccuracy);
      network.accuracies.test.push(step.testAccuracy);
      network.x.push(...step.ixt);
      network.y.push(...step.ity);
      engine.extend("yours", step.row, step.epoch);
      own.plane = {
        n: network.epochs.length,
        ixt: Float64Array.from(network.x),
        ity: Float64Array.from(network.y),
      };
      form.progress(
        step.epoch / network.settings.epochs,
        `Epoch ${draw.thousands(step.epoch)}: ${right(network)}`,
      );
      grown(network.epochs.length === 1);
    }

    /** Another ruler while it learns: what is there is measured anew, the rest follows. */
    async function look(next) {
      if (!own.run) return;
      own.run.ruler(next);
      const network = own.network,
        found = await engine.plane("yours", next);
      if (!found || network !== own.network) return;
      network.x.splice(0, found.ixt.length, ...found.ixt);
      network.y.splice(0, found.ity.length, ...found.ity);
    }

    function right({ accuracies }) {
      const [mine, others] = [accuracies.train, accuracies.test].map((all) => percent(all[all.length - 1]));
      return `${mine} of the training inputs right, ${others} of the others.`;
    }

    function over(then) {
      own.run = null;
      form.busy(false);
      then();
      ended();
    }

    function finished(network, stopped, seconds) {
      if (network !== own.network) return;
      const last = network.epochs[network.epochs.length - 1],
        its = judging.experimentOf(data, network.settings);
      const how = `Your network ${stopped ? "was stopped" : "has learnt"}: ${draw.thousands(last)} epochs in ${seconds.toFixed(1)} s, ${right(network)}`;
      over(() => {
        form.progress(last / network.settings.epochs);
        if (stopped) form.say(`${how} The claims speak of whole trainings.`);
        else if (!its)
          form.say(
            `${how} No stored experiment has these settings, so there are no fifty networks to compare it with.`,
          );
        else form.say(how);
      });
      if (!stopped && its) judge(network, its);
    }

    async function judge(network, its) {
      const planes = new Map(),
        of = async (one, name) => planes.get(name) || planes.set(name, await engine.plane("yours", one)).get(name);
      try {
        const found = await judging.judge(data, its, of, network.epochs, network.accuracies.train);
        if (network === own.network) form.judged(judging.verdicts(found));
      } catch (error) {
        form.say(words.capital(error.message));
      }
      ended();
    }

    return own;
  }

  return { owner, percent };
});
