/* The rules by which a word follows from numbers: ibcore/claims/decide.py and words.py, line by line.
 *
 * Nothing here is decided by itself: the published words come from Python. A page asks these functions
 * what the word would be if a bar stood elsewhere; tests hold them against Python for every published
 * claim and for thousands of made-up ones. What the numbers are stands in book/_tools/bar.py.
 *
 * @typedef {{n: number, e: number, l: number[], h: number[], cl?: number[], ch?: number[],
 *   p?: number, ps?: number[], s?: Seen, label?: string, fact?: boolean, hollow?: string}} Seen
 *   A case, or the middle of several: effect, ends of its intervals at each level, and the signed
 *   quantity beside it.
 * @typedef {{name: string, what: string, unit: string, expects: string, side: string, null: number,
 *   margin: ?number, size: ?[number, number, boolean], quantifier: string, primary: string,
 *   bars: string[], shown: string, axis?: [number, number], steps?: number, cells: Seen[],
 *   middle?: Seen, k?: number, m?: number}} Test
 * @typedef {{level: number, null: number, margin: ?number, size: ?number[], place: ?number}} Bars
 *   Where the bars of a test stand: the number of the level, the line, the margin, the size; and the
 *   place on its slider, where the line was moved.
 * @typedef {{low: number, high: number, effect: number, n: number, p: number,
 *   signed: ?{low: number, high: number}}} Numbers
 * @typedef {{marks: string[], direction: string, size: string, met: boolean, refuted: boolean,
 *   k: number, m: number, quantifier: string, expects: string}} Decided
 */
(() => {
  "use strict";

  const RANKED = { agrees: 0, open: 1, none: 2, opposite: 3 };
  const ON_A_STAND_IN = {
    reproduced: "seen",
    "direction only": "seen",
    "none found": "not seen on a stand-in",
    opposite: "not seen on a stand-in",
  };

  /** @returns {Bars} the bars where the criterion has them */
  function committed(data, test) {
    const { null: line, margin, size } = test;
    const level = data.levels.indexOf(data.level);
    return { level, null: line, margin, size: size && [size[0], size[1]], place: null };
  }

  /** The same with what is ours, margin and smallest effect of interest, some times as large. */
  function scaled(data, test, level, times) {
    const at = committed(data, test);
    at.level = level;
    if (at.margin !== null && at.margin !== undefined) at.margin *= times;
    if (at.size && test.size[2]) at.size = at.size.map((one) => one * times);
    return at;
  }

  // A test ---------------------------------------------------------------------------------------

  /** @returns {Decided} */
  function decide(data, test, at) {
    const { expects, quantifier } = test;
    if (expects === "identity") return identity(test);
    const decided = test.cells.map((one) => markOfCase(data, test, one, at));
    if (quantifier === "some" && expects === "effect") bestOfMany(data, decided, at);
    const able = decided.filter((one) => one.mark !== "hollow");
    const k = able.filter((one) => one.mark === "agrees").length;
    const shared = { marks: decided.map((one) => one.mark), quantifier, expects };
    if (!able.length) {
      return { ...shared, direction: "open", size: "open", met: false, refuted: false, k: 0, m: 0 };
    }
    const numbers = primary(test, able, at);
    const refuted = isRefuted(test, able);
    return {
      ...shared,
      direction: numbers.n < data.least ? "open" : directionOf(mark(test, numbers, at)),
      size: sizeOf(test, numbers, at),
      met: isMet(quantifier, k, able.length, refuted),
      refuted,
      k,
      m: able.length,
    };
  }

  function identity({ k, m }) {
    const holds = k === m;
    return {
      marks: [],
      direction: holds ? "agrees" : "opposite",
      size: "no number given",
      met: holds,
      refuted: !holds,
      k,
      m,
      quantifier: "all",
      expects: "identity",
    };
  }

  function markOfCase(data, test, one, at) {
    if (one.hollow) return { one, mark: "hollow", p: null };
    const numbers = numbersOf(test, one, at);
    const few = !one.fact && numbers.n < data.least;
    return { one, mark: few ? "open" : mark(test, numbers, at), p: numbers.p };
  }

  const seen = (ends, level) => ends[Math.min(level, ends.length - 1)];
  const placed = (runs, place) => runs.find(([, last]) => last >= place)[0]; // equal ones are one

  /** @returns {Numbers} of a case at a level; ``best``: of the best of many */
  function numbersOf(test, one, at, best = false) {
    const signed = test.expects === "effect" && one.s ? one.s : null;
    const p = at.place !== null && one.ps ? placed(one.ps, at.place) : (one.p ?? null);
    const { low, high } = endsOf(one, at.level, best);
    return {
      effect: one.e,
      low,
      high,
      n: signed ? Math.min(one.n, signed.n) : one.n,
      p,
      signed: signed && endsOf(signed, at.level, best),
    };
  }

  function endsOf(one, level, best) {
    const [lows, highs] = best ? [one.cl, one.ch] : [one.l, one.h];
    return { low: seen(lows, level), high: seen(highs, level) };
  }

  /** The interval that decides, the signed quantity's if there is one, lies within the margin. */
  function isInside({ low, high, signed }, { null: line, margin }) {
    if (margin === null) return false;
    if (signed) return -margin < signed.low && signed.high < margin;
    return line - margin < low && high < line + margin;
  }

  function mark(test, numbers, at) {
    if (test.expects === "absence") {
      if (isInside(numbers, at)) return "agrees";
      const margin = at.margin ?? 0;
      const outside = numbers.low > at.null + margin || numbers.high < at.null - margin;
      return outside ? "opposite" : "open";
    }
    if (isInside(numbers, at)) return "none";
    const { low, high } = numbers.signed ?? numbers;
    const line = numbers.signed ? 0 : at.null;
    const above = low > line && high > line;
    const below = low < line && high < line;
    if (!above && !below) return "open";
    return above === (test.side === ">") ? "agrees" : "opposite";
  }

  /** Looking for the best of m cases: Holm's adjusted p decides which of them agree. */
  function bestOfMany(data, decided, at) {
    const raw = decided.filter((one) => one.p !== null).sort((a, b) => a.p - b.p);
    let adjusted = 0;
    raw.forEach((one, rank) => {
      adjusted = Math.max(adjusted, Math.min(1, (raw.length - rank) * one.p));
      one.p = adjusted;
      const tail = (1 - data.levels[at.level]) / 2;
      if (one.mark === "agrees" && adjusted >= tail) one.mark = "open";
    });
  }

  /** The numbers that stand for the test. */
  function primary(test, able, at) {
    const named = able.find(({ one }) => one.label === test.primary);
    if (named) return numbersOf(test, named.one, at);
    if (able.length === 1) return numbersOf(test, able[0].one, at);
    if (test.quantifier === "some") return numbersOf(test, best(test, able, at), at, true);
    return numbersOf(test, test.middle, at);
  }

  /** The case that speaks most clearly for the claim. */
  function best(test, able, at) {
    const sign = test.side === ">" ? 1 : -1;
    const key = ({ one, mark: said, p }) =>
      test.expects === "absence"
        ? [Math.abs(one.e - at.null)]
        : [RANKED[said], p ?? 1, -sign * one.e];
    const before = (a, b) => {
      const place = a.findIndex((value, i) => value !== b[i]);
      return place >= 0 && a[place] < b[place];
    };
    return able.reduce((found, one) => (before(key(one), key(found)) ? one : found)).one;
  }

  const directionOf = (said) => (said === "none" ? "none found" : said);

  function sizeOf(test, numbers, at) {
    if (!at.size || test.expects === "absence") return "no number given";
    const sign = test.side === ">" ? 1 : -1;
    const sorted = (...two) => two.map((one) => sign * one).sort((a, b) => a - b);
    const [low, high] = sorted(numbers.low, numbers.high);
    const [least, most] = sorted(...at.size);
    if (test.size[2]) return low > least ? "as claimed" : high < least ? "smaller" : "open";
    if (high < least) return "smaller";
    if (low > most) return "larger";
    return least <= low && high <= most ? "as claimed" : "open";
  }

  function isMet(quantifier, k, m, refuted) {
    if (quantifier === "some") return k > 0;
    if (quantifier === "typical") return 2 * k >= m;
    return 2 * k > m && !refuted;
  }

  function isRefuted(test, able) {
    const against = test.expects === "absence" ? ["opposite"] : ["opposite", "none"];
    return able.some((one) => against.includes(one.mark));
  }

  // A claim --------------------------------------------------------------------------------------

  /** The word of a claim whose tests are decided, the primary one first. */
  function wordOf(tests, setting) {
    const first = tests[0];
    if (first.m === 0) return "not testable here";
    const sum = (many, name) => many.reduce((total, one) => total + one[name], 0);
    const counting = tests.filter((one) => one.m);
    const every = counting.filter((one) => one.quantifier === "all");
    let met = counting.every((one) => one.quantifier === "all" || one.met);
    if (every.length) {
      const enough = 2 * sum(every, "k") > sum(every, "m");
      met = met && enough && !every.some((one) => one.refuted);
    }
    if (first.expects === "identity") return met ? "holds" : "fails";
    let word = first.direction;
    if (word === "agrees") {
      const little = first.size === "smaller" || first.size === "open";
      word = !met ? "mixed" : little ? "direction only" : "reproduced";
    }
    return setting === "C" ? (ON_A_STAND_IN[word] ?? word) : word;
  }

  /** @returns {{word: string, shown: string, tests: Decided[]}} of a claim, its bars as given */
  function judge(data, claim, bars) {
    const tests = claim.tests.map((test, i) => decide(data, test, bars[i]));
    const word = wordOf(tests, claim.setting);
    const count = (name) => tests.reduce((total, one) => total + one[name], 0);
    return { word, tests, shown: word === "mixed" ? `mixed (${count("k")} of ${count("m")})` : word };
  }

  // A slider -------------------------------------------------------------------------------------

  /** The value of a bar at a place of its slider; the committed one keeps its own. */
  function valueAt(test, bar, k) {
    const [low, high] = rangeOf(test, bar);
    if (k === homeOf(test, bar)) return valueOf(test, bar);
    return low + ((high - low) * k) / test.steps;
  }

  function valueOf(test, bar) {
    return bar === "size" ? test.size[0] : test[bar];
  }

  /** The place of the committed value. */
  function homeOf(test, bar) {
    const [low, high] = rangeOf(test, bar);
    return Math.round(((valueOf(test, bar) - low) / (high - low)) * test.steps);
  }

  /** From where to where a bar moves: the axis, or for a margin the distances from the line. */
  function rangeOf(test, bar) {
    return bar === "margin" ? [0, test.axis[1] - lineOf(test)] : test.axis;
  }

  const lineOf = (test) => (test.shown === "s" ? 0 : test.null);

  /** @returns {Bars} the bars with one of them at a value; ``k`` is its place */
  function moved(at, bar, value, k) {
    if (bar === "size") return { ...at, size: [value, value] };
    return { ...at, [bar]: value, place: bar === "null" ? k : at.place };
  }

  /** Where the word turns: runs of one word along a bar, the others where they stand.
   *
   * @returns {{word: string, from: number, to: number}[]}
   */
  function turns(data, claim, bars, i, bar) {
    const test = claim.tests[i];
    const decided = claim.tests.map((one, j) => decide(data, one, bars[j]));
    const wordAt = (value, k) => {
      const own = decide(data, test, moved(bars[i], bar, value, k));
      return wordOf(decided.map((one, j) => (j === i ? own : one)), claim.setting);
    };
    const exact = !(bar === "null" && test.cells.some((one) => one.ps));
    const runs = [];
    for (let k = 0; k <= test.steps; k += 1) {
      const value = valueAt(test, bar, k);
      const word = wordAt(value, k);
      const last = runs.at(-1);
      if (last?.word === word) {
        last.to = value;
        continue;
      }
      let edge = value;
      if (last && exact) edge = between(last.to, value, (one) => wordAt(one, null) === last.word);
      if (last) last.to = edge;
      runs.push({ word, from: edge, to: value });
    }
    return runs;
  }

  /** The value at which something that is true at ``low`` stops being so. */
  function between(low, high, holds) {
    for (let i = 0; i < 30; i += 1) {
      const middle = (low + high) / 2;
      if (holds(middle)) low = middle;
      else high = middle;
    }
    return high;
  }

  window.ibRules = {
    committed, scaled, decide, wordOf, judge, moved, turns, valueAt, valueOf, homeOf, rangeOf, lineOf,
  };
})();
