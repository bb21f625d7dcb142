// A 12-10-7-5-4-3-2 network: initial weights, activations, the forward pass on all inputs.
//
// As in ibcore/networks/dense.py everything is float64 from float32 weights, and a layer is rounded
// to float32 once, at its end. exp and tanh of a browser and of NumPy may differ in the last of 53
// bits: a float32 number comes out otherwise about once in 2^28.
IBLab.define("network", ["task", "random"], function (task, random) {
  const { N, WIDTHS, COUNT, x } = task, LAST = WIDTHS.length - 2;

  const sigmoid = (z) => 0.5 + 0.5 * Math.tanh(0.5 * z);
  const expit = (z) => (z >= 0 ? 1 / (1 + Math.exp(-z)) : Math.exp(z) / (1 + Math.exp(z)));
  const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));

  /** Each activation f, and its slope from z and t = f(z). */
  const FUNCTIONS = {
    linear: [(z) => z, () => 1],
    tanh: [Math.tanh, (z, t) => 1 - t * t],
    sigmoid: [sigmoid, (z, t) => t * (1 - t)],
    relu: [(z) => (z > 0 ? z : 0), (z) => (z > 0 ? 1 : 0)],
    softsign: [(z) => z / (1 + Math.abs(z)), (z, t) => (1 - Math.abs(t)) ** 2],
    softplus: [softplus, expit],
    leaky_relu: [(z) => (z > 0 ? z : 0.01 * z), (z) => (z > 0 ? 1 : 0.01)],
    elu: [(z) => (z > 0 ? z : Math.expm1(z)), (z) => (z > 0 ? 1 : Math.exp(z))],
    centred_softplus: [(z) => softplus(z) - Math.LN2, expit],
    swish: [(z) => z * expit(z), (z, t) => expit(z) + t * (1 - expit(z))],
    abs: [Math.abs, Math.sign],
    hard_tanh: [(z) => Math.min(Math.max(z, -1), 1), (z) => (Math.abs(z) < 1 ? 1 : 0)],
  };
  const ACTIVATIONS = Object.keys(FUNCTIONS);

  /** Places of each layer's weights and biases in a parameter row. */
  const PLACES = [];
  for (let layer = 0, at = 0; layer <= LAST; layer++) {
    const nIn = WIDTHS[layer], nOut = WIDTHS[layer + 1];
    PLACES.push({ nIn, nOut, weights: at, biases: at + nIn * nOut });
    at += (nIn + 1) * nOut;
  }

  /** Numbers of a polynomial from the highest power down. */
  const horner = (coefficients, u) => coefficients.reduce((sum, c) => sum * u + c, 0);
  // Coefficients of the Cephes library (S. L. Moshier), which SciPy's ndtri is
  const MIDDLE = [
    [-5.99633501014107895267e1, 9.80010754185999661536e1, -5.66762857469070293439e1,
      1.39312609387279679503e1, -1.23916583867381258016],
    [1, 1.95448858338141759834, 4.67627912898881538453, 8.63602421390890590575e1,
      -2.25462687854119370527e2, 2.00260212380060660359e2, -8.20372256168333339912e1,
      1.59056225126211695515e1, -1.18331621121330003142],
  ];
  const SIDE = [
    [4.05544892305962419923, 3.15251094599893866154e1, 5.71628192246421288162e1,
      4.40805073893200834700e1, 1.46849561928858024014e1, 2.18663306850790267539,
      -1.40256079171354495875e-1, -3.50424626827848203418e-2, -8.57456785154685413611e-4],
    [1, 1.57799883256466749731e1, 4.53907635128879210584e1, 4.13172038254672030440e1,
      1.50425385692907503408e1, 2.50464946208309415979, -1.42182922854787788574e-1,
      -3.80806407691578277194e-2, -9.33259480895457427372e-4],
  ];

  /** Quantile of the standard normal distribution, for 0.02 < p < 0.98. */
  function quantile(p) {
    const upper = p > 1 - 0.13533528323661269189, q = upper ? 1 - p : p;
    if (q > 0.13533528323661269189) { // exp(-2)
      const u = q - 0.5, square = u * u;
      return (u + u * (square * horner(MIDDLE[0], square) / horner(MIDDLE[1], square))) * 2.50662827463100050242;
    }
    const r = Math.sqrt(-2 * Math.log(q)), u = 1 / r;
    const found = r - Math.log(r) / r - u * horner(SIDE[0], u) / horner(SIDE[1], u);
    return upper ? found : -found;
  }

  const LOW = 0.022750131948179195, HIGH = 0.9772498680518208; // of a normal number at -2 and 2
  const TRUNCATED_STD = 0.8796256610342398;

  /** One initial weight of a layer, float64. */
  function draw(rng, initializer, nIn, nOut) {
    const truncated = () => quantile(LOW + (HIGH - LOW) * rng.uniform());
    const uniform = () => -1 + 2 * rng.uniform();
    switch (initializer) {
      case "fan_in": return truncated() / Math.sqrt(nIn);
      case "fan_out": return truncated() / Math.sqrt(nOut);
      case "glorot_normal": return truncated() * Math.sqrt(2 / (nIn + nOut)) / TRUNCATED_STD;
      case "glorot_uniform": return uniform() * Math.sqrt(6 / (nIn + nOut));
      case "he_normal": return truncated() * Math.sqrt(2 / nIn) / TRUNCATED_STD;
      case "torch": return uniform() / Math.sqrt(nIn);
      default: throw new RangeError(`no initial weights are called ${initializer}.`);
    }
  }

  /** Parameter row before the first update, that of `ib.train` with these settings. */
  function initial({ seed, initializer = "fan_in", gain = 1 }) {
    const row = new Float32Array(COUNT), rng = random.generator(seed, "init"), scale = Math.fround(gain);
    PLACES.forEach(({ nIn, nOut, weights, biases }, layer) => {
      const own = initializer !== "saxe" ? initializer : layer === LAST ? "glorot_uniform" : "fan_out";
      for (let k = weights; k < biases; k++) row[k] = Math.fround(draw(rng, own, nIn, nOut)) * scale;
    });
    if (initializer === "torch") {
      for (const { nIn, nOut, biases } of PLACES) {
        for (let u = 0; u < nOut; u++) row[biases + u] = draw(rng, "torch", nIn, nOut);
      }
    }
    return row;
  }

  /**
   * Pre-activations of a layer, unit by unit: z = b + sum over the units below of weight t.
   * @param {Float64Array} t  the layer below, unit by unit
   */
  function affine(t, row, { nIn, nOut, weights, biases }) {
    const z = new Float64Array(nOut * N);
    for (let u = 0; u < nOut; u++) {
      const out = z.subarray(u * N, (u + 1) * N);
      for (let i = 0; i < nIn; i++) {
        const w = row[weights + i * nOut + u], below = i * N;
        for (let s = 0; s < N; s++) out[s] += w * t[below + s];
      }
      const b = row[biases + u];
      for (let s = 0; s < N; s++) out[s] += b;
    }
    return z;
  }

  const inputs = new Float64Array(12 * N); // unit by unit
  for (let s = 0; s < N; s++) for (let i = 0; i < 12; i++) inputs[i * N + s] = x[12 * s + i];

  /** Softmax of the two outputs, in place. */
  function softmax(z) {
    for (let s = 0; s < N; s++) {
      const top = Math.max(z[s], z[N + s]), a = Math.exp(z[s] - top), b = Math.exp(z[N + s] - top);
      z[s] = a / (a + b);
      z[N + s] = b / (a + b);
    }
  }

  /** f in place; every function has its own loop, which a browser can compile well. */
  const apply = {};
  for (const name of ACTIVATIONS) {
    const f = FUNCTIONS[name][0];
    apply[name] = (z) => {
      for (let k = 0; k < z.length; k++) z[k] = f(z[k]);
    };
  }

  /** Noise of the hidden layers in measurement: list of Float64Array, unit by unit. */
  function measuredNoise({ std, seed, epoch }) {
    const hidden = WIDTHS.slice(1, -1), found = hidden.map((width) => new Float64Array(width * N));
    const rng = random.generator(seed, "measured_noise", epoch);
    for (let s = 0; s < N; s++) {
      hidden.forEach((width, layer) => {
        for (let u = 0; u < width; u++) found[layer][u * N + s] = std * rng.normal();
      });
    }
    return found;
  }

  /**
   * Logits and layers of a network on all inputs.
   * @param {(t: Float64Array, layer: number) => void} [touch]  changes a layer before the next sees it
   * @returns {{t: Float64Array[], z: Float64Array}}  unit by unit; z: the logits
   */
  function forward(row, activation, noise, touch) {
    if (!(activation in FUNCTIONS)) throw new RangeError(`no activation is called ${activation}.`);
    const shaken = noise && noise.std ? measuredNoise(noise) : null, found = [];
    let t = inputs, logits;
    for (let layer = 0; layer <= LAST; layer++) {
      t = affine(t, row, PLACES[layer]);
      if (layer < LAST) {
        apply[activation](t);
        if (shaken) for (let k = 0; k < t.length; k++) t[k] += shaken[layer][k];
      } else {
        logits = t.slice();
        softmax(t);
      }
      if (touch) touch(t, layer);
      found.push(t);
    }
    return { t: found, z: logits };
  }

  /** Six layers, each a Float32Array, unit by unit. */
  function layers(row, activation, noise) {
    return forward(row, activation, noise).t.map((t) => Float32Array.from(t));
  }

  /** Loss in nats and accuracy on some rows, from the logits of `forward`. */
  function score(z, rows) {
    let loss = 0, right = 0;
    for (const s of rows) {
      const label = task.y[s], own = z[label * N + s], other = z[(1 - label) * N + s];
      const top = Math.max(own, other);
      loss -= own - top - Math.log(Math.exp(own - top) + Math.exp(other - top));
      right += (z[N + s] > z[s] ? 1 : 0) === label ? 1 : 0;
    }
    return { loss: loss / rows.length, accuracy: right / rows.length };
  }

  const performance = (row, activation, rows, noise) => score(forward(row, activation, noise).z, rows);

  return { ACTIVATIONS, FUNCTIONS, PLACES, initial, forward, layers, score, performance, softmax };
});
