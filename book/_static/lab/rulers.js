// Rulers: a row of a layer becomes one symbol, and symbols are counted (ibcore/estimators).
//
//     I(X;T) = [phi(N) - sum_c phi(n_c)] / N,                               phi(n) = n log2 n
//     I(T;Y) = [phi(N) - sum_y phi(N_y) + sum_cy phi(n_cy) - sum_c phi(n_c)] / N
//
// A symbol is a number in mixed radix, below 2^53 and so exact; where the next unit would not fit,
// the numbers met so far are numbered anew. Given the same float32 activations the bits are ibcore's.
IBLab.define("rulers", ["task"], function (task) {
  const { N, y } = task, ROOM = 2 ** 53;

  // ---- Names

  const number = (value) => (Number.isInteger(value) ? `${value}.0` : `${value}`);
  const NAMES = {
    bins: (r) => `Binning(n_bins=${r.n}, low=${number(r.low)}, high=${number(r.high)})`,
    width: (r) => `Binning(width=${number(r.width)})`,
    edges: (r) => `EdgeBinning(n_edges=${r.n})`,
    range: (r) => `RangeBinning(n_bins=${r.n})`,
    adaptive: (r) => `AdaptiveBinning(n_bins=${r.n})`,
    quantised: (r) => `Quantised(n_bits=${r.bits})`,
    exact: () => "Exact()",
    noise: (r) => `KernelBound(noise_variance=${number(r.variance)}, bound='upper')`,
  };
  const PATTERNS = [
    [/^Binning\(n_bins=(\d+), low=(\S+), high=(\S+)\)$/, (n, low, high) => ({ kind: "bins", n, low, high })],
    [/^Binning\(width=(\S+)\)$/, (width) => ({ kind: "width", width })],
    [/^EdgeBinning\(n_edges=(\d+)\)$/, (n) => ({ kind: "edges", n })],
    [/^RangeBinning\(n_bins=(\d+)\)$/, (n) => ({ kind: "range", n })],
    [/^AdaptiveBinning\(n_bins=(\d+)\)$/, (n) => ({ kind: "adaptive", n })],
    [/^Quantised\(n_bits=(\d+)\)$/, (bits) => ({ kind: "quantised", bits })],
    [/^Exact\(\)$/, () => ({ kind: "exact" })],
    [/^KernelBound\(noise_variance=(\S+), bound='upper'\)$/, (variance) => ({ kind: "noise", variance })],
  ];

  /** The name that ibcore's results give to a ruler. */
  function name(ruler) {
    return NAMES[ruler.kind](ruler);
  }

  /** The ruler of a name, null if it is none of these. */
  function parse(text) {
    for (const [pattern, made] of PATTERNS) {
      const found = pattern.exec(text);
      if (found) return made(...found.slice(1).map(Number));
    }
    return null;
  }

  function need(right, sentence) {
    if (!right) throw new RangeError(sentence);
  }

  const whole = (value, least, most) => Number.isInteger(value) && value >= least && value <= most;

  /** The ruler, if it is one; a RangeError that says what is wrong. */
  function check(ruler) {
    need(ruler && ruler.kind in NAMES, `a ruler has one of the kinds ${Object.keys(NAMES).join(", ")}.`);
    const { kind, n, low, high, width, bits, variance } = ruler;
    if (kind === "edges") need(whole(n, 2, 1e6), `edges must be a whole number from 2 to a million, got ${n}.`);
    if (kind === "bins" || kind === "range" || kind === "adaptive") {
      need(whole(n, 1, 1e6), `bins must be a whole number from 1 to a million, got ${n}.`);
    }
    if (kind === "bins") {
      need(Number.isFinite(low) && Number.isFinite(high) && low < high && high - low <= 1e30 &&
        (high - low) / n > 1e-12 * Math.max(Math.abs(low), Math.abs(high)),
      `the range must be finite, with low < high, got ${low} to ${high}.`);
    }
    if (kind === "width") need(width > 1e-30 && width < 1e30, `the width must be positive, got ${width}.`);
    if (kind === "quantised") need(whole(bits, 1, 24), `bits must be a whole number from 1 to 24, got ${bits}.`);
    if (kind === "noise") need(variance > 0 && variance < 1e30, `the variance must be positive, got ${variance}.`);
    return ruler;
  }

  // ---- Codes of one unit: whole numbers in `out`, the least and the largest in `ends`

  const codes = new Float64Array(N), ends = new Float64Array(2);

  function between(low, high) {
    ends[0] = low;
    ends[1] = high;
  }

  /** Equal intervals on [low, high] and outside, as ibcore's _interval_codes: edges decide exactly. */
  function intervals(t, at, low, high, n) {
    const span = high - low, scale = n / span, shift = Math.abs(low) * scale + 1;
    let least = Infinity, most = -Infinity;
    for (let s = 0; s < N; s++) {
      const value = t[at + s], place = (value - low) * scale;
      let code = Math.floor(place);
      const margin = 1e-15 * (Math.abs(place) + shift);
      if (place - code <= margin || code + 1 - place <= margin) {
        while (value < low + code * span / n) code--;
        while (value >= low + (code + 1) * span / n) code++;
        code = value <= high ? Math.min(code, n - 1) : Math.max(code, n);
      }
      codes[s] = code;
      if (code < least) least = code;
      if (code > most) most = code;
    }
    between(least, most);
  }

  function widths(t, at, width) {
    let least = Infinity, most = -Infinity;
    for (let s = 0; s < N; s++) {
      const code = Math.floor(Math.fround(t[at + s] / width));
      codes[s] = code;
      if (code < least) least = code;
      if (code > most) most = code;
    }
    between(least, most);
  }

  /** n float32 edges on [-1, 1]; what lies below the first shares the symbol of the last. */
  function released(t, at, n) {
    const edge = Float32Array.from({ length: n }, (_, k) => (k === n - 1 ? 1 : k * (2 / (n - 1)) - 1));
    const scale = (n - 1) / 2;
    for (let s = 0; s < N; s++) {
      const value = t[at + s];
      if (value >= 1 || value < -1) {
        codes[s] = n - 1;
        continue;
      }
      let code = Math.min(Math.floor((value + 1) * scale), n - 2);
      while (value < edge[code]) code--;
      while (value >= edge[code + 1]) code++;
      codes[s] = code;
    }
    between(0, n - 1);
  }

  /** Bins of equally many levels: of the edges u[floor(j n / n_bins)] those up to the level r. */
  function shares(rank, at, levels, n) {
    for (let s = 0; s < N; s++) {
      const r = rank[at + s];
      codes[s] = levels < n ? r : Math.min(Math.ceil((r + 1) * n / levels), n) - 1;
    }
    between(0, levels < n ? levels - 1 : n - 1);
  }

  /** The bits of float32 numbers; -0 is 0. */
  function bitsOf(t, at) {
    const bits = new Uint32Array(t.buffer, t.byteOffset + 4 * at, N);
    for (let s = 0; s < N; s++) codes[s] = bits[s] === 0x80000000 ? 0 : bits[s];
    between(0, 2 ** 32 - 1);
  }

  function given(t, at) {
    for (let s = 0; s < N; s++) codes[s] = t[at + s];
    between(0, 2 ** 24);
  }

  // ---- Numbering

  const SLOTS = 16384, slots = new Int16Array(SLOTS);
  const first = new Float64Array(N); // key of each number
  const keys = new Float64Array(N);

  /** Number the keys 0, 1, ... in the order of their first appearance; how many there are. */
  function numbered(from, into) {
    slots.fill(0);
    let n = 0;
    for (let s = 0; s < N; s++) {
      const key = from[s], high = (key / 4294967296) | 0, low = (key - high * 4294967296) | 0;
      let slot = Math.imul(low ^ Math.imul(high, 0x85EBCA6B), 0x9E3779B1);
      slot = (slot ^ (slot >>> 15)) & (SLOTS - 1);
      while (slots[slot] !== 0 && first[slots[slot] - 1] !== key) slot = (slot + 1) & (SLOTS - 1);
      if (slots[slot] === 0) {
        first[n++] = key;
        slots[slot] = n;
      }
      into[s] = slots[slot] - 1;
    }
    return n;
  }

  /**
   * Symbols of a layer: fill(unit) writes the codes of a unit.
   * @returns {number}  how many symbols there are; they stand in `symbols`
   */
  function combined(width, fill, symbols) {
    keys.fill(0);
    let radix = 1;
    for (let unit = 0; unit < width; unit++) {
      fill(unit);
      if (radix * (ends[1] - ends[0] + 1) > ROOM) {
        radix = numbered(keys, keys);
        if (radix === N) break;
        if (radix * (ends[1] - ends[0] + 1) > ROOM) between(0, numbered(codes, codes) - 1);
      }
      const low = ends[0], base = ends[1] - low + 1;
      for (let s = 0; s < N; s++) keys[s] = keys[s] * base + (codes[s] - low);
      radix *= base;
    }
    return numbered(keys, symbols);
  }

  const scratch = new Int32Array(N);

  /**
   * Symbols of one layer under one ruler.
   * @param {Float32Array} t  activations, unit by unit; levels from `quantised`, ranks for "adaptive"
   * @param {{low?: number, high?: number, levels?: number}} [seen]  the range of a run, the number of levels
   */
  function symbols(t, width, ruler, seen = {}, into = new Int32Array(N)) {
    const fill = {
      bins: (u) => intervals(t, u * N, ruler.low, ruler.high, ruler.n),
      range: (u) => intervals(t, u * N, seen.low, seen.high, ruler.n),
      width: (u) => widths(t, u * N, Math.fround(ruler.width)),
      edges: (u) => released(t, u * N, ruler.n),
      adaptive: (u) => shares(t, u * N, seen.levels, ruler.n),
      quantised: (u) => given(t, u * N),
      exact: (u) => bitsOf(t, u * N),
    }[ruler.kind];
    need(fill, `a ruler of the kind ${ruler.kind} is not counted; its curves are stored.`);
    return { symbols: into, n: combined(width, fill, into) };
  }

  // ---- Levels of a whole layer

  /** Rank of every activation of a layer among its distinct float32 levels, by radix sort. */
  function ranks(t) {
    const size = t.length, bits = new Uint32Array(t.buffer, t.byteOffset, size);
    let key = new Uint32Array(size), place = new Int32Array(size);
    let otherKey = new Uint32Array(size), otherPlace = new Int32Array(size);
    for (let k = 0; k < size; k++) { // order as integers: the order of the numbers
      const b = bits[k] === 0x80000000 ? 0 : bits[k];
      key[k] = b & 0x80000000 ? ~b : b | 0x80000000;
      place[k] = k;
    }
    const start = new Int32Array(2049);
    for (const shift of [0, 11, 22]) {
      start.fill(0);
      for (let k = 0; k < size; k++) start[((key[k] >>> shift) & 2047) + 1]++;
      for (let d = 0; d < 2048; d++) start[d + 1] += start[d];
      for (let k = 0; k < size; k++) {
        const to = start[(key[k] >>> shift) & 2047]++;
        otherKey[to] = key[k];
        otherPlace[to] = place[k];
      }
      [key, otherKey, place, otherPlace] = [otherKey, key, otherPlace, place];
    }
    const rank = new Uint16Array(size);
    let levels = 0;
    for (let k = 0; k < size; k++) {
      if (k > 0 && key[k] !== key[k - 1]) levels++;
      rank[place[k]] = levels;
    }
    return { rank, levels: levels + 1 };
  }

  /** Round a layer (float64, in place) to 2^bits steps between its ends; the levels as numbers. */
  function quantise(t, bits) {
    let low = Infinity, high = -Infinity;
    for (let k = 0; k < t.length; k++) {
      if (t[k] < low) low = t[k];
      if (t[k] > high) high = t[k];
    }
    const found = new Float32Array(t.length), step = (high - low) / (2 ** bits - 1), half = 2 ** 52;
    if (low === high) return found;
    for (let k = 0; k < t.length; k++) {
      const level = (t[k] - low) / step + half - half; // the nearest whole number, ties to even
      found[k] = level;
      t[k] = low + level * step;
    }
    return found;
  }

  // ---- Counting

  const phi = Float64Array.from({ length: N + 1 }, (_, n) => (n > 1 ? n * Math.log2(n) : 0));
  const ofLabels = (function () {
    const ones = y.reduce((sum, one) => sum + one, 0);
    return ones < N - ones ? phi[ones] + phi[N - ones] : phi[N - ones] + phi[ones];
  })();
  const counts = new Int32Array(2 * N), times = new Int32Array(N + 1), timesBoth = new Int32Array(N + 1);

  /** Both formulas above, for n symbols; phi is added up in the order of counts, as ibcore does. */
  function information(found, n) {
    counts.fill(0, 0, 2 * n);
    for (let s = 0; s < N; s++) counts[2 * found[s] + y[s]]++;
    times.fill(0);
    timesBoth.fill(0);
    let most = 0;
    for (let c = 0; c < 2 * n; c += 2) {
      const a = counts[c], b = counts[c + 1];
      timesBoth[a]++;
      timesBoth[b]++;
      times[a + b]++;
      if (a + b > most) most = a + b;
    }
    let of = 0, both = 0;
    for (let k = 2; k <= most; k++) {
      of += times[k] * phi[k];
      both += timesBoth[k] * phi[k];
    }
    return { ixt: (phi[N] - of) / N, ity: ((phi[N] - ofLabels) + (both - of)) / N };
  }

  return { name, parse, check, symbols, ranks, quantise, information, phi, scratch };
});
