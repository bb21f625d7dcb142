// The gradient of `steps`, eight samples at a time in WebAssembly, written out for this one network:
// no loop but the one over samples. `random` is joined by its shuffle, as batches are drawn every epoch.
IBLab.define("kernel", ["task", "network", "steps", "vector", "wasm"], function (task, network, steps, vector, wasm) {
  const { WIDTHS, COUNT, y } = task, { PLACES } = network, LAST = PLACES.length - 1;
  const STARTS = WIDTHS.map((_, layer) => WIDTHS.slice(0, layer).reduce((a, b) => a + b, 0));

  // Bytes in memory: parameters; four partial sums of each gradient; rows of a batch, of all training
  // inputs, in the order of an epoch; uniform numbers; noise of the hidden units
  const SUMS = 2048, BATCH = 8192, ROWS = 24832, ORDER = 41472, UNIFORM = 58112, NOISE = 91136;
  const STRIDE = 4 * 4104, PAGES = 10, LABEL = 4096, PADDING = 8192; // bits of an entry besides the input

  const { mul, add, sub, constant } = vector;

  /** Forward and backward pass of eight samples; the four of a, the four of b. */
  function body(activation, noisy) {
    const locals = {}, found = [];
    const set = (name, value) => {
      locals[name] = "v128";
      found.push(["local.set", name, value]);
    };
    const both = (make) => ["a", "b"].forEach((four, k) => make(four, 16 * k));
    const weight = (w) => set("w", ["v128.load32_splat", 4 * w, "zero"]);

    both((four, offset) => {
      set(`row${four}`, ["v128.load", offset, "at"]);
      for (let i = 0; i < 12; i++) {
        const bit = ["v128.and", ["i32x4.shr_u", `row${four}`, ["i32.const", 11 - i]], ["i32x4.splat", ["i32.const", 1]]];
        set(`t${i}${four}`, ["f32x4.convert_i32x4_s", bit]);
      }
    });
    for (let layer = 0; layer <= LAST; layer++) {
      const { nIn, nOut, weights, biases } = PLACES[layer], below = STARTS[layer], above = STARTS[layer + 1];
      for (let u = 0; u < nOut; u++) {
        weight(biases + u);
        both((four) => set(`z${four}`, "w"));
        for (let i = 0; i < nIn; i++) {
          weight(weights + i * nOut + u);
          both((four) => set(`z${four}`, add(`z${four}`, mul("w", `t${below + i}${four}`))));
        }
        both((four, offset) => {
          const t = `t${above + u}${four}`;
          if (layer === LAST) return set(t, `z${four}`);
          vector.activate(activation, `z${four}`, t, `s${above + u}${four}`, set);
          if (noisy) set(t, add(t, ["v128.load", offset + (above + u - 12) * STRIDE, "noise"]));
        });
      }
    }
    both((four) => { // the softmax of two outputs is a sigmoid of their difference
      const out = STARTS[LAST + 1], entry = `row${four}`;
      vector.sigmoid(sub(`t${out + 1}${four}`, `t${out}${four}`), "p", set);
      const bit = (shift) => ["v128.and", ["i32x4.shr_u", entry, ["i32.const", shift]], ["i32x4.splat", ["i32.const", 1]]];
      const real = sub(constant(1), ["f32x4.convert_i32x4_s", bit(13)]);
      set(`d${out + 1}${four}`, mul(mul(sub("p", ["f32x4.convert_i32x4_s", bit(12)]), "scale"), real));
      set(`d${out}${four}`, sub(constant(0), `d${out + 1}${four}`));
    });
    const gather = (place, value) => found.push(
      ["v128.store", SUMS + 16 * place, "zero", add(["v128.load", SUMS + 16 * place, "zero"], value)]);
    for (let layer = LAST; layer >= 0; layer--) {
      const { nIn, nOut, weights, biases } = PLACES[layer], below = STARTS[layer], above = STARTS[layer + 1];
      const d = (u, four) => `d${above + u}${four}`;
      for (let u = 0; u < nOut; u++) gather(biases + u, add(d(u, "a"), d(u, "b")));
      for (let i = 0; i < nIn; i++) {
        const t = (four) => `t${below + i}${four}`;
        for (let u = 0; u < nOut; u++) {
          gather(weights + i * nOut + u, add(mul(t("a"), d(u, "a")), mul(t("b"), d(u, "b"))));
          if (layer === 0) continue;
          weight(weights + i * nOut + u);
          both((four) => set(`e${four}`, u === 0 ? mul("w", d(u, four)) : add(`e${four}`, mul("w", d(u, four)))));
        }
        if (layer > 0) both((four) => set(`d${below + i}${four}`, mul(`e${four}`, `s${below + i}${four}`)));
      }
    }
    return { locals, found };
  }

  /** gradient(at, end, noise, scale): adds up over the entries from at to end, 32 bytes a round. */
  function gradient(activation, noisy) {
    const { locals, found } = body(activation, noisy), step = (name) => ["local.set", name, ["i32.add", name, ["i32.const", 32]]];
    return {
      params: { at: "i32", end: "i32", noise: "i32", rate: "f32" },
      locals: { zero: "i32", scale: "v128", ...locals },
      body: [
        ["local.set", "scale", ["f32x4.splat", "rate"]],
        ["loop", ...found, step("at"), step("noise"), ["i32.lt_s", "at", "end"]],
      ],
    };
  }

  const instances = {};

  /** The compiled loops for one activation, with a memory of their own. */
  function compiled(activation, noisy) {
    const key = `${activation} ${noisy}`;
    instances[key] = instances[key] || new WebAssembly.Module(
      wasm.assemble({ gradient: gradient(activation, noisy), ...vector.shuffle(UNIFORM, ORDER) }));
    const memory = new WebAssembly.Memory({ initial: PAGES });
    return { memory, ...new WebAssembly.Instance(instances[key], { js: { memory } }).exports };
  }

  /** An updater as that of `steps`. */
  function updater(plan, row, rows) {
    const { memory, gradient: run, uniforms, fisher } = compiled(plan.activation, plan.noise > 0);
    const view = (Kind, at, n) => new Kind(memory.buffer, at, n);
    const weights = view(Float32Array, 0, COUNT), sums = view(Float32Array, SUMS, 4 * COUNT);
    const batch = view(Int32Array, BATCH, 4104), entries = view(Int32Array, ROWS, rows.length);
    const order = view(Int32Array, ORDER, rows.length), noise = view(Float32Array, NOISE, 29 * STRIDE / 4);
    entries.set(rows.map((s) => s | (y[s] ? LABEL : 0)));
    const total = new Float32Array(COUNT), optimiser = steps.optimiser(plan, row);
    const whole = plan.batch >= rows.length, key = (epoch) => [plan.seed >>> 0, Math.floor(plan.seed / 4294967296), epoch, 3];

    /** One update on the entries of `order` from first to end. */
    function update(epoch, first, end) {
      const size = end - first, padded = Math.ceil(size / 8) * 8;
      batch.set(order.subarray(first, end));
      batch.fill(PADDING, size, padded);
      if (plan.noise > 0) steps.fillNoise(plan, epoch, first, size, noise, STRIDE / 4);
      weights.set(row);
      sums.fill(0);
      run(BATCH, BATCH + 4 * padded, NOISE, 1 / size);
      for (let k = 0; k < COUNT; k++) total[k] = sums[4 * k] + sums[4 * k + 1] + (sums[4 * k + 2] + sums[4 * k + 3]);
      optimiser.step(total);
    }

    /** Entries in the order of an epoch. */
    function arrange(epoch) {
      order.set(entries);
      if (whole) return;
      uniforms(...key(epoch), rows.length);
      fisher(rows.length);
    }

    function epochs(from, n) {
      for (let epoch = from; epoch < from + n; epoch++) {
        if (!whole || epoch === from) arrange(epoch);
        for (let first = 0; first < rows.length; first += plan.batch) {
          update(epoch, first, Math.min(first + plan.batch, rows.length));
        }
      }
    }

    return {
      epochs,
      gradient: () => total,
      order: (epoch) => {
        arrange(epoch);
        return order.map((entry) => entry & 4095);
      },
      update(epoch, first) {
        arrange(epoch);
        update(epoch, first, Math.min(first + plan.batch, rows.length));
      },
    };
  }

  return { updater };
});
