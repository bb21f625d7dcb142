// Random numbers that are ibcore's: NumPy's Philox 4x64-10, keyed by (seed, purpose, epoch), and the
// noise of hidden layers by place, Philox 4x32-10 (Salmon et al. 2011, Parallel random numbers: as
// easy as 1, 2, 3). Words of 64 bits are two halves of 32, the low one first.
IBLab.define("random", [], function () {
  const PURPOSES = {
    data: 0, split: 1, init: 2, batches: 3, noise: 4, measured_noise: 5, dropout: 6,
  };

  /** Upper 32 bits of a * b; a below 2^32, b = high * 2^16 + low. Every step is exact in float64. */
  function upper(a, high, low) {
    return Math.floor((a * high + Math.floor(a * low / 65536)) / 65536);
  }

  // Multipliers and Weyl constants of 4x64: 0xD2E7470EE14C6C93, 0xCA5A826395121157;
  // 0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B
  const P0 = 0xE14C6C93, P1 = 0xD2E7470E, Q0 = 0x95121157, Q1 = 0xCA5A8263;

  /**
   * Product of two 64-bit words as four halves, lowest first, into out.
   * a0, a1: halves of the word; m0, m1: of the multiplier, and m0h ... their halves of 16 bits.
   */
  function multiply(a0, a1, m0, m1, out) {
    const m0h = m0 >>> 16, m0l = m0 & 65535, m1h = m1 >>> 16, m1l = m1 & 65535;
    const low = Math.imul(a0, m0) >>> 0;
    let middle = upper(a0, m0h, m0l) + (Math.imul(a1, m0) >>> 0) + (Math.imul(a0, m1) >>> 0);
    const carry = middle > 8589934591 ? 2 : middle > 4294967295 ? 1 : 0;
    middle >>>= 0;
    const high = upper(a1, m0h, m0l) + upper(a0, m1h, m1l) + (Math.imul(a1, m1) >>> 0) + carry;
    out[0] = low;
    out[1] = middle;
    out[2] = high; // stored modulo 2^32 by the typed array
    out[3] = upper(a1, m1h, m1l) + Math.floor(high / 4294967296);
  }

  const p = new Uint32Array(4), q = new Uint32Array(4);

  /**
   * Four 64-bit words of one counter: c and key as halves, (8) and (4); into out from `at` on.
   * @param {ArrayLike<number>} c  @param {ArrayLike<number>} key
   */
  function block(c, key, out, at) {
    let a0 = c[0], a1 = c[1], b0 = c[2], b1 = c[3], c0 = c[4], c1 = c[5], d0 = c[6], d1 = c[7];
    let x0 = key[0], x1 = key[1], y0 = key[2], y1 = key[3];
    for (let round = 0; round < 10; round++) {
      multiply(a0, a1, P0, P1, p);
      multiply(c0, c1, Q0, Q1, q);
      a0 = (q[2] ^ b0 ^ x0) >>> 0;
      a1 = (q[3] ^ b1 ^ x1) >>> 0;
      c0 = (p[2] ^ d0 ^ y0) >>> 0;
      c1 = (p[3] ^ d1 ^ y1) >>> 0;
      b0 = q[0];
      b1 = q[1];
      d0 = p[0];
      d1 = p[1];
      x0 += 0x7F4A7C15;
      x1 = (x1 + 0x9E3779B9 + (x0 > 4294967295 ? 1 : 0)) >>> 0;
      x0 >>>= 0;
      y0 += 0x84CAA73B;
      y1 = (y1 + 0xBB67AE85 + (y0 > 4294967295 ? 1 : 0)) >>> 0;
      y0 >>>= 0;
    }
    out[at] = a0;
    out[at + 1] = a1;
    out[at + 2] = b0;
    out[at + 3] = b1;
    out[at + 4] = c0;
    out[at + 5] = c1;
    out[at + 6] = d0;
    out[at + 7] = d1;
  }

  /** Philox 4x64-10 of one counter, for tests: halves in, halves out. */
  function philox4x64(counter, key) {
    const out = new Uint32Array(8);
    block(counter, key, out, 0);
    return out;
  }

  // The ziggurat of 256 strips of one area under exp(-x^2 / 2) (Marsaglia & Tsang 2000), as NumPy has it.
  const R = 3.6541528853610088, AREA = 0.00492867323397465;
  const strip = new Float64Array(256), bell = new Float64Array(256), inside = new Float64Array(256);
  (function build() {
    const scale = 2 ** 52;
    let x1 = R;
    strip[255] = x1 / scale;
    bell[255] = Math.exp(-0.5 * x1 * x1);
    inside[0] = Math.floor(x1 * bell[255] / AREA * scale);
    strip[0] = AREA / bell[255] / scale;
    bell[0] = 1;
    for (let i = 254; i > 0; i--) {
      const x = Math.sqrt(-2 * Math.log(AREA / x1 + bell[i + 1]));
      inside[i + 1] = Math.floor(x / x1 * scale);
      strip[i] = x / scale;
      bell[i] = Math.exp(-0.5 * x * x);
      x1 = x;
    }
  })();

  /** The generator that `ibcore.randomness.generator` makes. */
  function generator(seed, purpose, epoch = 0) {
    if (!(purpose in PURPOSES)) throw new RangeError(`no purpose is called ${purpose}.`);
    const key = new Uint32Array([seed, Math.floor(seed / 4294967296), epoch, PURPOSES[purpose]]);
    const counter = new Uint32Array(8), buffer = new Uint32Array(8);
    let place = 8;

    /** The next word: its place in the buffer. */
    function next() {
      if (place === 8) {
        counter[0] += 1;
        if (counter[0] === 0) counter[1] += 1;
        block(counter, key, buffer, 0);
        place = 0;
      }
      place += 2;
      return place - 2;
    }

    /** n words as halves, low and high in turn. */
    function words(n) {
      const found = new Uint32Array(2 * n);
      for (let k = 0; k < 2 * n; k += 2) {
        const at = next();
        found[k] = buffer[at];
        found[k + 1] = buffer[at + 1];
      }
      return found;
    }

    /** A number of [0, 1): the upper 53 bits of a word. */
    function uniform() {
      const at = next();
      return (buffer[at + 1] * 2097152 + (buffer[at] >>> 11)) * 2 ** -53;
    }

    function uniforms(n) {
      return new Float64Array(n).map(uniform);
    }

    /** A standard normal number, float64. */
    function normal() {
      for (;;) {
        const at = next(), low = buffer[at], high = buffer[at + 1];
        const i = low & 255, size = (high & 0x1FFFFFFF) * 8388608 + (low >>> 9);
        const x = size * strip[i] * (low & 256 ? -1 : 1);
        if (size < inside[i]) return x;
        if (i > 0) {
          if ((bell[i - 1] - bell[i]) * uniform() + bell[i] < Math.exp(-0.5 * x * x)) return x;
          continue;
        }
        for (;;) { // the tail (Marsaglia 1964)
          const beyond = -Math.log1p(-uniform()) / R, height = -Math.log1p(-uniform());
          if (2 * height > beyond * beyond) return (low >>> 17) & 1 ? -(R + beyond) : R + beyond;
        }
      }
    }

    return { words, uniform, uniforms, normal };
  }

  /** The rows in random order (Fisher-Yates, from the last place down); a new array. */
  function shuffled(rows, rng) {
    const found = Int32Array.from(rows), uniform = rng.uniforms(found.length);
    for (let i = found.length - 1; i > 0; i--) {
      const j = Math.floor(uniform[i] * (i + 1)), kept = found[i];
      found[i] = found[j];
      found[j] = kept;
    }
    return found;
  }

  /** Philox 4x32-10 of one counter, into out. */
  function small(a, b, c, d, x, y, out) {
    for (let round = 0; round < 10; round++) {
      const ah = upper(a, 0xD251, 0x1F53), al = Math.imul(a, 0xD2511F53) >>> 0;
      const ch = upper(c, 0xCD9E, 0x8D57), cl = Math.imul(c, 0xCD9E8D57) >>> 0;
      a = (ch ^ b ^ x) >>> 0;
      b = cl;
      c = (ah ^ d ^ y) >>> 0;
      d = al;
      x = (x + 0x9E3779B9) >>> 0;
      y = (y + 0xBB67AE85) >>> 0;
    }
    out[0] = a;
    out[1] = b;
    out[2] = c;
    out[3] = d;
  }

  function philox4x32(counter, key) {
    const out = new Uint32Array(4);
    small(...counter, ...key, out);
    return out;
  }

  /**
   * Noise of hidden units at places first ... first + n - 1 of an epoch's order: the transform of Box
   * and Muller (1958) of words that the place and the unit count, as ibcore/normals.py.
   * @param {Float32Array} out  out[unit * stride + k], units counted over all hidden layers
   */
  function layerNoise(seed, purpose, epoch, nUnits, first, n, std, out, stride) {
    const words = new Uint32Array(4), low = seed >>> 0, high = Math.floor(seed / 4294967296);
    for (let four = 0; 4 * four < nUnits; four++) {
      for (let k = 0; k < n; k++) {
        small(first + k, four, epoch, PURPOSES[purpose], low, high, words);
        for (let pair = 0; pair < 4; pair += 2) {
          const u = ((words[pair] >>> 1) + 0.5) / 2147483648, v = (words[pair + 1] >>> 1) / 1073741824 - 1;
          const radius = std * Math.sqrt(-2 * Math.log(u)), unit = 4 * four + pair;
          if (unit < nUnits) out[unit * stride + k] = radius * Math.cos(Math.PI * v);
          if (unit + 1 < nUnits) out[(unit + 1) * stride + k] = radius * Math.sin(Math.PI * v);
        }
      }
    }
    return out;
  }

  return { generator, shuffled, layerNoise, philox4x64, philox4x32 };
});
