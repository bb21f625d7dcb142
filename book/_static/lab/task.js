// The 12-bit task of Shwartz-Ziv & Tishby: all inputs, their labels, and the classes that the exact
// parts of what a layer knows are counted with (ibcore/tasks/icosahedron.py, decomposition.py).
IBLab.define("task", [], function () {
  const N = 4096, WIDTHS = [12, 10, 7, 5, 4, 3, 2], COUNT = 294;

  /** Vertices of the icosahedron on the unit sphere, in the order of the input columns. */
  const vertices = (function () {
    const golden = (1 + Math.sqrt(5)) / 2, size = Math.sqrt(1 + golden * golden);
    const value = { 0: 0, "+": 1, "-": -1, g: golden, h: -golden };
    const corners = "0+g +g0 0+h -g0 g0- 0-g +h0 -h0 h0- 0-h h0+ g0+".split(" ");
    return corners.map((corner) => [...corner].map((symbol) => value[symbol] / size));
  })();

  /** distance[12 i + j]: edges between two vertices, 0 to 3. */
  const distance = new Uint8Array(144);
  const edges = [];
  for (let i = 0; i < 12; i++) {
    for (let j = 0; j < 12; j++) {
      const inner = vertices[i].reduce((sum, a, axis) => sum + a * vertices[j][axis], 0);
      distance[12 * i + j] = inner > 0.9 ? 0 : inner > 0 ? 1 : inner > -0.9 ? 2 : 3;
      if (i < j && distance[12 * i + j] === 1) edges.push([i, j]);
    }
  }

  const x = new Uint8Array(N * 12), popcount = new Uint8Array(N), y = new Uint8Array(N);
  const pairs = new Uint8Array(N * 4); // pairs of ones by distance
  for (let s = 0; s < N; s++) {
    for (let i = 0; i < 12; i++) {
      x[12 * s + i] = (s >> (11 - i)) & 1;
      popcount[s] += x[12 * s + i];
      for (let j = 0; j < i; j++) {
        if (x[12 * s + i] && x[12 * s + j]) pairs[4 * s + distance[12 * i + j]]++;
      }
    }
    // y = 1[k + |sum of the marked vertices| > 7.6]; the square holds k, twice the pairs' inner products
    const square = popcount[s] - 2 * pairs[4 * s + 3] +
      (pairs[4 * s + 1] - pairs[4 * s + 2]) * (2 / Math.sqrt(5));
    y[s] = popcount[s] + Math.sqrt(Math.max(square, 0)) > 7.6 ? 1 : 0;
  }

  const positive = y.reduce((sum, one) => sum + one, 0) / N;
  const labelEntropy = -positive * Math.log2(positive) - (1 - positive) * Math.log2(1 - positive);

  /** Class numbers of the inputs and the classes, in the order of (ones, pairs at distance 1, 2, 3). */
  const signatures = [], signature = new Uint8Array(N);
  (function () {
    const key = (s) => ((popcount[s] * 64 + pairs[4 * s + 1]) * 64 + pairs[4 * s + 2]) * 64 + pairs[4 * s + 3];
    const keys = Array.from(x.subarray(0, N), (_, s) => key(s));
    const place = new Map([...new Set(keys)].sort((a, b) => a - b).map((one, k) => [one, k]));
    for (let s = 0; s < N; s++) {
      signature[s] = place.get(keys[s]);
      signatures[signature[s]] = {
        ones: popcount[s], edges: pairs[4 * s + 1], diagonals: pairs[4 * s + 2], antipodes: pairs[4 * s + 3],
      };
    }
  })();

  /** The 120 permutations of the columns that keep the distances, found vertex by vertex. */
  function symmetries() {
    let partial = [[]];
    for (let i = 0; i < 12; i++) {
      partial = partial.flatMap((g) => [...Array(12).keys()]
        .filter((image) => !g.includes(image) && g.every((at, j) => distance[12 * at + image] === distance[12 * j + i]))
        .map((image) => [...g, image]));
    }
    return partial;
  }

  /** Orbits under the symmetries, numbered in the order of their smallest inputs. */
  function findOrbits() {
    const smallest = new Uint16Array(N).fill(N), group = symmetries();
    const found = new Uint8Array(N);
    let n = 0;
    for (let s = 0; s < N; s++) {
      if (smallest[s] < N) continue;
      for (const g of group) {
        let other = 0;
        for (let i = 0; i < 12; i++) other = 2 * other + x[12 * s + g[i]];
        smallest[other] = s;
        found[other] = n;
      }
      n++;
    }
    return { orbit: found, nOrbits: n };
  }

  const { orbit, nOrbits } = findOrbits();

  /** The inputs of an orbit, in increasing order. */
  function rowsOfOrbit(o) {
    return Int32Array.from([...orbit.keys()].filter((s) => orbit[s] === o));
  }

  return {
    N, WIDTHS, COUNT, x, y, labelEntropy, ceiling: 12, popcount, signature, orbit, signatures,
    nSignatures: signatures.length, nOrbits, vertices, edges, rowsOfOrbit,
  };
});
