// The information plane of one network: checkpoints are added, rulers are laid on them. What does not
// hang on the ruler is kept: activations, the ranks among the levels of a layer, the range of the run.
IBLab.define("plane", ["task", "network", "rulers", "parts"], function (task, network, rulers, parts) {
  const { N, WIDTHS } = task, LAYERS = WIDTHS.length - 1, HIDDEN = LAYERS - 1;

  /**
   * @param {string} activation
   * @param {{std: number, seed: number}} [noise]  of a network with noise in its hidden layers
   */
  function desk(activation, noise) {
    const checkpoints = []; // {row, epoch, layers, ranks}
    let range = { low: Infinity, high: -Infinity };
    const symbols = new Int32Array(N);

    const noiseAt = (epoch) => (noise && noise.std ? { ...noise, epoch } : undefined);

    function add(row, epoch) {
      if (!row.every((w) => Math.abs(w) < 1e9)) {
        throw new RangeError(`the network diverged: at epoch ${epoch} weights are lost; take a smaller rate.`);
      }
      const layers = network.layers(row, activation, noiseAt(epoch)), seen = { ...range };
      for (const t of layers.slice(0, HIDDEN)) {
        for (let k = 0; k < t.length; k++) {
          if (t[k] < seen.low) seen.low = t[k];
          if (t[k] > seen.high) seen.high = t[k];
        }
      }
      range = seen;
      checkpoints.push({ row: Float32Array.from(row), epoch, layers, ranks: [] });
    }

    /** Levels of every layer of the network whose layers are rounded. */
    function quantised({ row }, bits) {
      const found = [];
      network.forward(row, activation, undefined, (t) => found.push(rulers.quantise(t, bits)));
      return found;
    }

    /** Calls use(layer, number of symbols) for layers of one checkpoint; `symbols` holds them. */
    function each(checkpoint, ruler, wanted, use) {
      const levels = ruler.kind === "quantised" ? quantised(checkpoint, ruler.bits) : null;
      for (const layer of wanted) {
        let t = levels ? levels[layer] : checkpoint.layers[layer], seen = range;
        if (ruler.kind === "adaptive") {
          checkpoint.ranks[layer] = checkpoint.ranks[layer] || rulers.ranks(t);
          t = checkpoint.ranks[layer].rank;
          seen = { levels: checkpoint.ranks[layer].levels };
        }
        use(layer, rulers.symbols(t, WIDTHS[layer + 1], ruler, seen, symbols).n);
      }
    }

    const EVERY = [...Array(LAYERS).keys()];

    /** The range is that of the whole run, so a run that never varies has none. */
    function ready(ruler) {
      rulers.check(ruler);
      if (ruler.kind === "range" && !(range.low < range.high)) {
        throw new RangeError("the hidden layers of this network never vary: no range to divide.");
      }
      return ruler;
    }

    /** Both informations of every layer at the checkpoints from one on: [k * 6 + layer]. */
    function measure(ruler, from = 0, until = checkpoints.length) {
      ready(ruler);
      const n = until - from, ixt = new Float64Array(n * LAYERS), ity = new Float64Array(n * LAYERS);
      for (let k = from; k < until; k++) {
        each(checkpoints[k], ruler, EVERY, (layer, count) => {
          const found = rulers.information(symbols, count), at = (k - from) * LAYERS + layer;
          ixt[at] = found.ixt;
          ity[at] = found.ity;
        });
      }
      return { n, ixt, ity };
    }

    /** One layer at one checkpoint: which inputs share a symbol, and the parts of what it knows. */
    function layer(k, which, ruler) {
      ready(ruler);
      let found;
      each(checkpoints[k], ruler, [which], (_, n) => {
        found = { symbols: symbols.slice(), n, ...rulers.information(symbols, n), parts: parts.decompose(symbols) };
      });
      return found;
    }

    /** The parts of one layer at every checkpoint. */
    function partsOf(ruler, which) {
      ready(ruler);
      return checkpoints.map((checkpoint) => {
        let found;
        each(checkpoint, ruler, [which], () => {
          found = parts.decompose(symbols);
        });
        return found;
      });
    }

    return {
      add, measure, layer, parts: partsOf,
      get length() { return checkpoints.length; },
      get range() { return { ...range }; },
    };
  }

  return { desk };
});
