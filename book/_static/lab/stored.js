// What book/_tools/lab_data.py wrote into data.js: networks of published results, bit for bit, and
// how the other networks of their experiments spread. See README.md for what `open` gives.
IBLab.define("stored", ["task", "network"], function (task, network) {
  const { COUNT } = task, LAYERS = 6;
  const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";

  /** Bytes of base 85: five digits are four bytes (RFC 1924's digits, as Python's b85encode). */
  function decoded(text) {
    const value = new Uint8Array(128), missing = (5 - (text.length % 5)) % 5;
    [...DIGITS].forEach((digit, k) => {
      value[digit.charCodeAt(0)] = k;
    });
    const whole = text + "~".repeat(missing), bytes = new Uint8Array(whole.length / 5 * 4);
    const view = new DataView(bytes.buffer);
    for (let k = 0, at = 0; k < whole.length; k += 5, at += 4) {
      let word = 0;
      for (let j = 0; j < 5; j++) word = word * 85 + value[whole.charCodeAt(k + j)];
      view.setUint32(at, word);
    }
    return bytes.subarray(0, bytes.length - missing);
  }

  async function unzipped(bytes) {
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  /**
   * Whole numbers of one section, series by series, each added up over its places.
   * @param {number[]} section  where it begins, series, places, bytes of a number
   * @param {(series: number) => number} [begin]  what stands before the first place; it is put out too
   */
  function series(bytes, [at, many, places, width], begin) {
    const size = many * places, out = [];
    for (let s = 0; s < many; s++) {
      let sum = begin ? begin(s) : 0;
      const found = begin ? [sum] : [];
      for (let k = 0; k < places; k++) {
        let folded = 0;
        for (let b = width - 1; b >= 0; b--) folded = folded * 256 + bytes[at + b * size + s * places + k];
        sum += folded % 2 ? -(folded + 1) / 2 : folded / 2;
        found.push(sum);
      }
      out.push(found);
    }
    return out;
  }

  /** float32 numbers and whole numbers in the same order. */
  const bits = new Int32Array(1), floats = new Float32Array(bits.buffer);
  function toWhole(value) {
    floats[0] = value;
    return bits[0] < 0 ? -(bits[0] & 0x7fffffff) : bits[0];
  }
  function toFloat(whole) {
    bits[0] = whole < 0 ? -whole | 0x80000000 : whole;
    return floats[0];
  }

  function read(bytes) {
    const length = new DataView(bytes.buffer).getUint32(bytes.byteOffset, true);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
    const numbers = bytes.subarray(4 + length), { step, fine } = header;
    const experiments = Object.fromEntries(header.experiments.map((one) => [one.id, one]));
    const networks = Object.fromEntries(header.networks.map((one) => [one.id, one]));

    function need(where, id, what) {
      if (!(id in where)) throw new RangeError(`no ${what} is called ${id}; there are ${Object.keys(where).join(", ")}.`);
      return where[id];
    }

    /** Curves (group, layer) by checkpoint, as one Float64Array [k * 6 + layer] for each group. */
    function curves(section) {
      const rows = series(numbers, section), K = section[2];
      return Array.from({ length: rows.length / LAYERS }, (_, group) => {
        const found = new Float64Array(K * LAYERS);
        for (let layer = 0; layer < LAYERS; layer++) {
          for (let k = 0; k < K; k++) found[k * LAYERS + layer] = rows[group * LAYERS + layer][k] * step;
        }
        return found;
      });
    }

    function weights(id) {
      const { settings, weights: section } = need(networks, id, "network"), first = network.initial(settings);
      const rows = series(numbers, section, (k) => toWhole(first[k])), K = section[2] + 1;
      const found = new Float32Array(K * COUNT);
      for (let w = 0; w < COUNT; w++) for (let k = 0; k < K; k++) found[k * COUNT + w] = toFloat(rows[w][k]);
      return found;
    }

    function accuracies(id) {
      const [train, test] = series(numbers, need(networks, id, "network").accuracies)
        .map((values) => Float64Array.from(values, (value) => value / 2 ** 24));
      return { train, test };
    }

    function noise(id) {
      const found = need(networks, id, "network").noise;
      if (!found) return null;
      const together = (section) => Float64Array.from(curves(section).flatMap((one) => [...one]));
      return { variances: found.variances, ixt: together(found.ixt), ity: together(found.ity) };
    }

    function band(experiment, rulerName) {
      const { rulers, epochs } = need(experiments, experiment, "experiment");
      if (!(rulerName in rulers)) return null;
      const [low, q1, q3, high] = curves(rulers[rulerName].band);
      return { epochs: Int32Array.from(epochs), ixt: { low, q1, q3, high } };
    }

    function effect(experiment, rulerName, name, layer) {
      const found = need(experiments, experiment, "experiment").rulers[rulerName];
      if (!found || !(name in found.effects)) return null;
      return Float64Array.from(series(numbers, found.effects[name])[layer - 1], (value) => value * fine);
    }

    const middle = (experiment) => header.networks.find((one) => one.experiment === experiment);
    return {
      networks: header.networks.map(({ id, experiment, seed, settings, noise: levels }) => ({
        id, experiment, seed, settings, title: experiments[experiment].title,
        epochs: Int32Array.from(experiments[experiment].epochs), noise: levels !== null,
      })),
      experiments: header.experiments.map(({ id, title, chapter, settings, epochs, seeds, rulers }) => ({
        id, title, chapter, settings, seeds, epochs: Int32Array.from(epochs), rulers: Object.keys(rulers),
      })),
      claims: header.claims,
      pins: header.pins.map((pin, k) => ({ id: `pin-${k + 1}`, ...pin, network: middle(pin.experiment).id })),
      weights, accuracies, noise, band, effect,
    };
  }

  let opened = null;

  /** Fetch and read data.js; once. */
  function open(url) {
    opened = opened || IBLab.script(url)
      .then(() => unzipped(decoded(IBLab.require("data"))))
      .then(read);
    return opened;
  }

  return { open };
});
