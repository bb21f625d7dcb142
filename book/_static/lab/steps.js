// One gradient, one update: the readable twin of `kernel`, in plain arrays, sample by sample.
//
// Sums are float64, parameters and the state of the optimiser float32, as they are in ibcore.
IBLab.define("steps", ["task", "random", "network"], function (task, random, network) {
  const { WIDTHS, COUNT, x, y } = task, { PLACES, FUNCTIONS } = network;
  const STARTS = WIDTHS.map((_, layer) => WIDTHS.slice(0, layer).reduce((a, b) => a + b, 0));
  const HIDDEN = 29, UNITS = 43, LAST = PLACES.length - 1, OUT = STARTS[LAST + 1];
  const t = new Float64Array(UNITS), slopes = new Float64Array(UNITS), delta = new Float64Array(UNITS);

  /** Layers of one input, with the slopes; `noise` is added to hidden unit h from noise[h * stride + place]. */
  function forward(row, [f, slope], s, noise, stride, place) {
    for (let i = 0; i < 12; i++) t[i] = x[12 * s + i];
    for (let layer = 0; layer <= LAST; layer++) {
      const { nIn, nOut, weights, biases } = PLACES[layer], below = STARTS[layer], above = STARTS[layer + 1];
      for (let u = 0; u < nOut; u++) {
        let z = row[biases + u];
        for (let i = 0, w = weights + u; i < nIn; i++, w += nOut) z += row[w] * t[below + i];
        t[above + u] = layer < LAST ? f(z) : z;
        if (layer === LAST) continue;
        slopes[above + u] = slope(z, t[above + u]);
        if (noise) t[above + u] += noise[(above + u - 12) * stride + place];
      }
    }
  }

  /** Backward pass of one input, added to the gradient. */
  function backward(row, s, scale, gradient) {
    const top = Math.max(t[OUT], t[OUT + 1]), a = Math.exp(t[OUT] - top), b = Math.exp(t[OUT + 1] - top);
    delta[OUT] = (a / (a + b) - (1 - y[s])) * scale;
    delta[OUT + 1] = (b / (a + b) - y[s]) * scale;
    for (let layer = LAST; layer >= 0; layer--) {
      const { nIn, nOut, weights, biases } = PLACES[layer], below = STARTS[layer], above = STARTS[layer + 1];
      for (let u = 0; u < nOut; u++) gradient[biases + u] += delta[above + u];
      for (let i = 0, w = weights; i < nIn; i++) {
        let sum = 0;
        for (let u = 0; u < nOut; u++, w++) {
          gradient[w] += t[below + i] * delta[above + u];
          sum += row[w] * delta[above + u];
        }
        delta[below + i] = sum * slopes[below + i];
      }
    }
  }

  /** Noise of all hidden units at the places of a batch: out[unit * stride + place in the batch]. */
  function fillNoise({ seed, noise }, epoch, first, size, out, stride) {
    random.layerNoise(seed, "noise", epoch, HIDDEN, first, size, noise, out, stride);
  }

  const DUST = 1e-30, FAINT = 1e-15; // what is smaller counts as 0, so that no product is subnormal

  /** The optimiser of a plan: step(gradient) adds the penalty and moves the parameters. */
  function optimiser({ optimizer, rate, momentum, decay }, row) {
    const first = new Float32Array(COUNT), second = new Float32Array(COUNT), small = Math.fround(rate);
    let count = 0;

    const STEPS = {
      sgd(k, g) {
        row[k] -= small * g;
      },
      momentum(k, g) {
        const v = momentum * first[k] + g;
        first[k] = Math.abs(v) < DUST ? 0 : v;
        row[k] -= small * first[k];
      },
      adam(k, g, c1, c2) { // Kingma & Ba 2015, algorithm 1
        const use = Math.abs(g) < FAINT ? 0 : g;
        const m = first[k] + 0.1 * (use - first[k]), v = second[k] + 0.001 * (use * use - second[k]);
        first[k] = Math.abs(m) < DUST ? 0 : m;
        second[k] = v < DUST ? 0 : v;
        row[k] -= c1 * first[k] / (Math.sqrt(second[k] * c2) + 1e-8);
      },
    };

    function step(gradient) {
      count++;
      if (decay) {
        for (const { weights, biases } of PLACES) {
          for (let k = weights; k < biases; k++) gradient[k] += decay * row[k];
        }
      }
      const c1 = rate / (1 - 0.9 ** count), c2 = 1 / (1 - 0.999 ** count), one = STEPS[optimizer];
      for (let k = 0; k < COUNT; k++) one(k, gradient[k], c1, c2);
    }

    return { step };
  }

  /**
   * What trains a network: a plan, the parameter row it moves, the training rows, and `order(epoch)`.
   * @returns {{epochs: (from: number, n: number) => void, update: (epoch: number, first: number) => void,
   *            gradient: () => Float32Array, order: (epoch: number) => Int32Array}}
   */
  function updater(plan, row, rows, order) {
    const sums = new Float64Array(COUNT), total = new Float32Array(COUNT), own = optimiser(plan, row);
    const stride = plan.batch, noise = plan.noise > 0 ? new Float32Array(HIDDEN * stride) : null;

    function step(epoch, arranged, first) {
      const size = Math.min(plan.batch, rows.length - first);
      if (noise) fillNoise(plan, epoch, first, size, noise, stride);
      sums.fill(0);
      for (let place = 0; place < size; place++) {
        const s = arranged[first + place];
        forward(row, FUNCTIONS[plan.activation], s, noise, stride, place);
        backward(row, s, 1 / size, sums);
      }
      total.set(sums);
      own.step(total);
    }

    return {
      epochs(from, n) {
        for (let epoch = from; epoch < from + n; epoch++) {
          const arranged = order(epoch);
          for (let first = 0; first < rows.length; first += plan.batch) step(epoch, arranged, first);
        }
      },
      update: (epoch, first) => step(epoch, order(epoch), first),
      gradient: () => total,
      order,
    };
  }

  return { updater, optimiser, fillNoise };
});
