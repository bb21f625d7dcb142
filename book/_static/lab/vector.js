// Expressions of four float32 numbers for `kernel`: activations with their slopes, exp, and the shuffle.
// Polynomials and ranges are those of ibcore/training/functions.py and ibcore/simd.py.
IBLab.define("vector", [], function () {
  const constant = (value) => ["f32x4.const", value];
  const mul = (a, b) => ["f32x4.mul", a, b], add = (a, b) => ["f32x4.add", a, b];
  const sub = (a, b) => ["f32x4.sub", a, b], div = (a, b) => ["f32x4.div", a, b];
  const larger = (a, b) => ["f32x4.pmax", a, b], smaller = (a, b) => ["f32x4.pmin", a, b];
  const size = (a) => ["f32x4.abs", a], zero = constant(0), one = constant(1);
  const positive = (z, a, b) => ["v128.bitselect", a, b, ["f32x4.gt", z, zero]];

  /** Horner's rule; coefficients from the highest power down, x a local variable. */
  const horner = (x, coefficients) =>
    coefficients.slice(1).reduce((sum, c) => add(mul(sum, x), constant(c)), constant(coefficients[0]));

  /** exp(x) for x <= 0, at least exp(-87), into a local variable. */
  function decay(x, into, set) {
    set("x", larger(x, constant(-87)));
    set("k", ["f32x4.nearest", mul("x", constant(1.4426950408889634))]);
    set("x", add(mul("k", constant(2.121944400546905827679e-4)), add(mul("k", constant(-0.693359375)), "x")));
    const power = ["i32x4.shl", ["i32x4.add", ["i32x4.trunc_sat_f32x4_s", "k"], ["i32x4.splat", ["i32.const", 127]]], ["i32.const", 23]];
    set(into, mul(horner("x", [1 / 5040, 1 / 720, 1 / 120, 1 / 24, 1 / 6, 0.5, 1, 1]), power));
  }

  /** Degree 13 over degree 6 on [-7.9, 7.9] (Eigen's), about 3 ulp. */
  function tanh(z, into, set) {
    set("x", smaller(larger(z, constant(-7.90531110763549805)), constant(7.90531110763549805)));
    set("k", mul("x", "x"));
    const above = horner("k", [-2.76076847742355e-16, 2.00018790482477e-13, -8.60467152213735e-11,
      5.12229709037114e-08, 1.48572235717979e-05, 6.37261928875436e-04, 4.89352455891786e-03]);
    const below = horner("k", [1.19825839466702e-06, 1.18534705686654e-04, 2.26843463243900e-03, 4.89352518554385e-03]);
    set(into, div(mul("x", above), below));
  }

  /** 1 / (1 + exp(-z)), small numbers as exact as large ones. */
  function sigmoid(z, into, set) {
    set("v", z);
    decay(sub(zero, size("v")), "e", set);
    set(into, div(positive("v", one, "e"), add(one, "e")));
  }

  /** log(1 + exp(z)); leaves the sigmoid of z in `slope`. log(1 + u) = 2 artanh(u / (2 + u)). */
  function softplus(z, into, slope, set) {
    sigmoid(z, slope, set);
    set("x", div("e", add("e", constant(2))));
    set("k", mul("x", "x"));
    const artanh = mul("x", horner("k", [2 / 15, 2 / 13, 2 / 11, 2 / 9, 2 / 7, 2 / 5, 2 / 3, 2]));
    set(into, add(larger(z, zero), artanh));
  }

  const FORMS = {
    linear(z, t, slope, set) {
      set(t, z);
      set(slope, one);
    },
    tanh(z, t, slope, set) {
      tanh(z, t, set);
      set(slope, sub(one, mul(t, t)));
    },
    sigmoid(z, t, slope, set) {
      sigmoid(z, t, set);
      set(slope, mul(t, sub(one, t)));
    },
    relu(z, t, slope, set) {
      set(t, larger(z, zero));
      set(slope, positive(z, one, zero));
    },
    leaky_relu(z, t, slope, set) {
      set(t, positive(z, z, mul(z, constant(0.01))));
      set(slope, positive(z, one, constant(0.01)));
    },
    elu(z, t, slope, set) {
      decay(smaller(z, zero), "e", set);
      set(t, positive(z, z, sub("e", one)));
      set(slope, positive(z, one, "e"));
    },
    softsign(z, t, slope, set) {
      set("x", div(one, add(one, size(z))));
      set(t, mul(z, "x"));
      set(slope, mul("x", "x"));
    },
    softplus,
    centred_softplus(z, t, slope, set) {
      softplus(z, t, slope, set);
      set(t, sub(t, constant(Math.LN2)));
    },
    swish(z, t, slope, set) {
      sigmoid(z, "p", set);
      set(t, mul(z, "p"));
      set(slope, add("p", mul(t, sub(one, "p"))));
    },
    abs(z, t, slope, set) {
      set(t, size(z));
      set(slope, positive(z, one, positive(sub(zero, z), constant(-1), zero)));
    },
    hard_tanh(z, t, slope, set) {
      set(t, smaller(larger(z, constant(-1)), one));
      set(slope, positive(sub(one, size(z)), one, zero));
    },
  };

  /** t = f(z) and its slope, all local variables. */
  function activate(activation, z, t, slope, set) {
    FORMS[activation](z, t, slope, set);
  }

  // ---- Batches: Philox 4x64-10 and Fisher-Yates, as ibcore/randomness.py

  const i64 = (value) => ["i64.const", value], low32 = (a) => ["i64.and", a, i64(0xffffffffn)];
  const up = (a) => ["i64.shr_u", a, i64(32)], times = (a, b) => ["i64.mul", a, b], plus = (a, b) => ["i64.add", a, b];
  const word = (value) => BigInt.asIntN(64, value);

  /** Upper 64 bits of a * m, a a local variable, m a constant: from four products of halves. */
  function upper(a, m) {
    const m0 = i64(m & 0xffffffffn), m1 = i64(m >> 32n), a0 = low32(a), a1 = up(a);
    const middle = plus(times(a1, m0), up(times(a0, m0)));
    return [["local.set", "m", middle],
      plus(plus(times(a1, m1), up("m")), up(plus(times(a0, m1), low32("m"))))];
  }

  /** One round: (a, b, c, d) = (upper(Q c) ^ b ^ x, Q c, upper(P a) ^ d ^ y, P a); then the keys move on. */
  function round() {
    const P = 0xD2E7470EE14C6C93n, Q = 0xCA5A826395121157n, xor = (a, b) => ["i64.xor", a, b];
    const [first, high] = upper("c", Q), [second, other] = upper("a", P);
    return [
      first, ["local.set", "r", xor(xor(high, "b"), "x")],
      second, ["local.set", "s", xor(xor(other, "d"), "y")],
      ["local.set", "b", times("c", i64(word(Q)))], ["local.set", "d", times("a", i64(word(P)))],
      ["local.set", "a", "r"], ["local.set", "c", "s"],
      ["local.set", "x", plus("x", i64(word(0x9E3779B97F4A7C15n)))],
      ["local.set", "y", plus("y", i64(word(0xBB67AE8584CAA73Bn)))],
    ];
  }

  /**
   * uniforms(seed, its upper half, epoch, purpose, n): numbers of [0, 1) from UNIFORM on, four by four;
   * fisher(n): shuffles the n entries from ORDER on by them.
   */
  function shuffle(UNIFORM, ORDER) {
    const wide = (a) => ["i64.extend_i32_u", a], key = (low, high) => ["i64.xor", wide(low), ["i64.shl", wide(high), i64(32)]];
    const kept = (name, k) => ["f64.store", UNIFORM + 8 * k, "at",
      ["f64.mul", ["f64.convert_i64_u", ["i64.shr_u", name, i64(11)]], ["f64.const", 2 ** -53]]];
    const set = (name, value) => ["local.set", name, value], int = (value) => ["i32.const", value];
    const four = (at) => ["i32.shl", at, int(2)], eight = (at) => ["i32.shl", at, int(3)];
    return {
      uniforms: {
        params: { seed: "i32", top: "i32", epoch: "i32", purpose: "i32", n: "i32" },
        locals: { at: "i32", count: "i64", a: "i64", b: "i64", c: "i64", d: "i64", x: "i64", y: "i64", m: "i64", r: "i64", s: "i64" },
        body: [["loop",
          set("count", plus("count", i64(1))), set("a", "count"), set("b", i64(0)), set("c", i64(0)), set("d", i64(0)),
          set("x", key("seed", "top")), set("y", key("epoch", "purpose")),
          ...Array.from({ length: 10 }, round).flat(),
          kept("a", 0), kept("b", 1), kept("c", 2), kept("d", 3),
          set("at", ["i32.add", "at", int(32)]), ["i32.lt_s", "at", eight("n")]]],
      },
      fisher: {
        params: { n: "i32" },
        locals: { i: "i32", j: "i32", held: "i32" },
        body: [set("i", ["i32.sub", "n", int(1)]), ["loop",
          set("j", four(["i32.trunc_f64_s", ["f64.mul", ["f64.load", UNIFORM, eight("i")],
            ["f64.convert_i32_s", ["i32.add", "i", int(1)]]]])),
          set("held", ["i32.load", ORDER, four("i")]),
          ["i32.store", ORDER, four("i"), ["i32.load", ORDER, "j"]],
          ["i32.store", ORDER, "j", "held"],
          set("i", ["i32.sub", "i", int(1)]), ["i32.gt_s", "i", int(0)]]],
      },
    };
  }

  return { constant, mul, add, sub, div, sigmoid, activate, shuffle };
});
