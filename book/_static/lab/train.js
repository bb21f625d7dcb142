// Training as ib.train does it: the same rows, batches, initial weights, noise and updates. Gradients
// and updates are in `steps`, in plain arrays, and in `kernel`, the same four samples at a time.
IBLab.define("train", ["task", "random", "network", "steps", "kernel"], function (task, random, network, steps, kernel) {
  const { N } = task;

  const defaults = {
    activation: "tanh", initializer: "fan_in", gain: 1, optimizer: "adam", rate: 4e-4, momentum: 0.9,
    batch: 512, epochs: 8000, l2: 0, l2Convention: "sum", noise: 0, share: 0.85, split: "random",
    seed: 1000, nMeasured: 40,
  };

  const CHOICES = {
    activation: network.ACTIVATIONS,
    initializer: ["fan_in", "fan_out", "saxe", "glorot_normal", "glorot_uniform", "he_normal", "torch"],
    optimizer: ["adam", "sgd", "momentum"],
    l2Convention: ["sum", "half_sum"],
    split: ["random", "unshuffled"],
  };
  // Least and largest; and true for whole numbers
  const LIMITS = {
    gain: [1e-3, 100], rate: [1e-60, 100], momentum: [0, 0.9999], batch: [1, 1e8, true], epochs: [1, 1e6, true],
    l2: [0, 10], noise: [0, 100], share: [1 / N, 1], seed: [0, 2 ** 48, true], nMeasured: [2, 1000, true],
  };

  function check(name, value) {
    if (name in CHOICES && !CHOICES[name].includes(value)) {
      throw new RangeError(`${name} must be one of ${CHOICES[name].join(", ")}; got ${value}.`);
    }
    if (name in LIMITS && !(name === "batch" && value === null)) {
      const [least, most, whole] = LIMITS[name];
      if (!(value >= least && value <= most) || (whole && !Number.isInteger(value))) {
        throw new RangeError(`${name} must be ${whole ? "a whole number " : ""}from ${least} to ${most}, got ${value}.`);
      }
    }
  }

  /** All settings, what is left out by default; a RangeError for what cannot be. */
  function complete(settings = {}) {
    for (const name of Object.keys(settings)) {
      if (!(name in defaults)) throw new RangeError(`no setting is called ${name}; there are ${Object.keys(defaults).join(", ")}.`);
    }
    const found = { ...defaults, ...settings };
    for (const name of Object.keys(found)) check(name, found[name]);
    return found;
  }

  const ARGUMENTS = {
    activation: "activation", initializer: "initializer", gain: "init_gain", optimizer: "optimizer",
    rate: "learning_rate", momentum: "momentum", batch: "batch_size", epochs: "n_epochs", l2: "l2",
    l2Convention: "l2_convention", noise: "noise_std", share: "train_fraction", split: "split",
    seed: "first_seed", nMeasured: "n_measured_epochs",
  };

  /** The lines of Python that train the same network; settings that ibcore has by itself are left out. */
  function python(settings) {
    const own = { ...defaults, seed: 0, nMeasured: 100 }, found = complete(settings);
    const said = Object.keys(ARGUMENTS)
      .filter((name) => found[name] !== own[name])
      .map((name) => `${ARGUMENTS[name]}=${found[name] === null ? "None" : JSON.stringify(found[name])}`);
    return `import ibcore as ib\n\ntrained = ib.train(ib.Experiment(${["n_seeds=1", ...said].join(", ")}))`;
  }

  /** The whole number nearest to a value, halves to the even one, as Python rounds. */
  function round(value) {
    const down = Math.floor(value), rest = value - down;
    return rest > 0.5 || (rest === 0.5 && down % 2) ? down + 1 : down;
  }

  /** Epochs at which a network is measured: 0, spaced evenly in their logarithm, the last. */
  function measuredEpochs({ epochs, nMeasured }) {
    const n = nMeasured - 1, found = new Set([0, epochs]);
    for (let k = 0; n > 1 && k < n; k++) found.add(k === n - 1 ? epochs : round(10 ** (Math.log10(epochs) * k / (n - 1))));
    return Int32Array.from([...found].sort((a, b) => a - b));
  }

  /** Rows that a network is trained and tested on. */
  function splitRows({ seed, share, split }) {
    const n = round(share * N), every = Int32Array.from({ length: N }, (_, s) => s);
    if (n < 1) throw new RangeError(`a share of ${share} leaves no input to train on.`);
    const pool = split === "random" ? random.shuffled(every, random.generator(seed, "split")) : every;
    const rest = pool.slice(split === "random" ? n : round(0.8 * N)), train = pool.slice(0, n);
    return { train, test: rest.length ? rest : train };
  }

  /** The training rows in the order of one epoch, counted from 0. */
  function order({ seed, batch }, rows, epoch) {
    const whole = batch === null || batch >= rows.length;
    return whole ? rows : random.shuffled(rows, random.generator(seed, "batches", epoch));
  }

  /** Settings in the form that the loops take: sizes, and numbers as the optimiser uses them. */
  function plan(settings, rows) {
    return {
      ...settings,
      batch: Math.min(settings.batch === null ? rows.length : settings.batch, rows.length),
      decay: settings.l2 * (settings.l2Convention === "sum" ? 2 : 1),
    };
  }

  /**
   * A network in training.
   * @param {"fast" | "plain"} [how]  the loops of `kernel`, or those of `steps`
   */
  function trainer(given, how = "fast") {
    const settings = complete(given), rows = splitRows(settings), row = network.initial(settings);
    const made = how === "fast" ? kernel.updater : steps.updater;
    const updater = made(plan(settings, rows.train), row, rows.train, (at) => order(settings, rows.train, at));
    let epoch = 0;
    return {
      settings, ...rows,
      get epoch() { return epoch; },
      get row() { return row; },
      run(n) {
        updater.epochs(epoch, n);
        epoch += n;
      },
      /** For tests: one update on the batch that begins at a place of an epoch's order, and what it used. */
      update: updater.update, order: updater.order, gradient: updater.gradient,
      performance() {
        const noise = { std: settings.noise, seed: settings.seed, epoch };
        const { z } = network.forward(row, settings.activation, noise);
        const [train, test] = [rows.train, rows.test].map((some) => network.score(z, some));
        return {
          loss: train.loss, trainAccuracy: train.accuracy, testLoss: test.loss, testAccuracy: test.accuracy,
        };
      },
    };
  }

  return { defaults, complete, python, measuredEpochs, splitRows, order, trainer };
});
