// What a layer knows of an input, part by part (ibcore/decomposition.py). The label is a function of
// the signature, the signature one of the orbit, the orbit one of the input; by the chain rule
//
//     I(X;T) = I(Y;T) + I(signature;T|Y) + I(orbit;T|signature) + I(X;T|orbit).
IBLab.define("parts", ["task", "rulers"], function (task, rulers) {
  const { N } = task, { phi } = rulers;

  /** The rows of each class of a partition, one after the other, and where each class begins. */
  function grouped(classes) {
    const sizes = [];
    for (const c of classes) sizes[c] = (sizes[c] || 0) + 1;
    const starts = [0];
    for (const size of sizes) starts.push(starts[starts.length - 1] + size);
    const rows = new Int32Array(N), next = starts.slice();
    classes.forEach((c, s) => {
      rows[next[c]++] = s;
    });
    return { rows, starts };
  }

  const CLASSES = {
    label: grouped(task.y),
    signature: grouped(task.signature),
    orbit: grouped(task.orbit),
    popcount: grouped(task.popcount),
    none: grouped(new Uint8Array(N)),
  };
  const counts = new Int32Array(N);

  /** H(T|C) in bits: the sum over classes of phi(n_c) - sum_t phi(n_ct), over N. */
  function entropyGiven(symbols, { rows, starts }) {
    let sum = 0;
    for (let c = 0; c + 1 < starts.length; c++) {
      sum += phi[starts[c + 1] - starts[c]];
      for (let k = starts[c]; k < starts[c + 1]; k++) counts[symbols[rows[k]]]++;
      for (let k = starts[c]; k < starts[c + 1]; k++) {
        const t = symbols[rows[k]];
        sum -= phi[counts[t]];
        counts[t] = 0;
      }
    }
    return sum / N;
  }

  /**
   * Bits of the parts of I(X;T) of one layer.
   * @param {Int32Array} symbols  T for every input, numbered from 0
   */
  function decompose(symbols) {
    const total = entropyGiven(symbols, CLASSES.none), label = entropyGiven(symbols, CLASSES.label);
    const signature = entropyGiven(symbols, CLASSES.signature), orbit = entropyGiven(symbols, CLASSES.orbit);
    return {
      label: total - label,
      signature: label - signature,
      orbit: signature - orbit,
      within: orbit,
      popcount: total - entropyGiven(symbols, CLASSES.popcount),
      total,
    };
  }

  return { decompose };
});
