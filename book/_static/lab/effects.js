// What claims are written in, of one network: the quantities of ibcore/claims/effects.py on its curves.
//
//     C = max IX - IX[T]     compression          F = max IX - IX[0]     fitting
//     D = IX[T] - IX[t0]     change, t0: train accuracy reaches 0.9 of its final value
//
// A curve is a list over checkpoints, in bits; it is smoothed by a running median over three.
IBLab.define("effects", ["task"], function (task) {
  const LAYERS = task.WIDTHS.length - 1;

  /** Running median over three checkpoints; the two ends keep their values. */
  function smooth(curve) {
    return Float64Array.from(curve, (value, k) => {
      if (k === 0 || k === curve.length - 1) return value;
      return [curve[k - 1], value, curve[k + 1]].sort((a, b) => a - b)[1];
    });
  }

  const last = (curve) => curve[curve.length - 1];
  const top = (curve) => curve.indexOf(Math.max(...curve));

  function compression(curve) {
    const ix = smooth(curve);
    return Math.max(...ix) - last(ix);
  }

  function fitting(curve) {
    const ix = smooth(curve);
    return Math.max(...ix) - ix[0];
  }

  /** D, negative where the layer has compressed since the task was learnt. */
  function change(curve, trainAccuracy, share = 0.9) {
    const ix = smooth(curve), accuracy = smooth(trainAccuracy);
    return last(ix) - ix[accuracy.findIndex((value) => value >= share * last(accuracy))];
  }

  /** When IX is largest, as a share of the training. */
  function peakShare(curve, epochs) {
    return epochs[top(smooth(curve))] / last(epochs);
  }

  /** max IY - IY[T]: the same as C, of the label. */
  const labelLoss = compression;

  const pick = (values, layer) => values.filter((_, k) => k % LAYERS === layer - 1);

  /** I(X;T) of a layer, 1 ... 6, over the checkpoints of a plane; and I(T;Y). */
  const of = (plane, layer) => pick(plane.ixt, layer), ofLabel = (plane, layer) => pick(plane.ity, layer);

  const EFFECTS = {
    compression: ({ plane, layer }) => compression(of(plane, layer)),
    fitting: ({ plane, layer }) => fitting(of(plane, layer)),
    change: ({ plane, layer, trainAccuracy }) => change(of(plane, layer), trainAccuracy),
    peak: ({ plane, layer, epochs }) => peakShare(of(plane, layer), epochs),
    "label loss": ({ plane, layer }) => labelLoss(ofLabel(plane, layer)),
  };

  /** One effect of one layer, 1 ... 6, of a plane. */
  function measure(effect, plane, layer, epochs, trainAccuracy) {
    if (!(effect in EFFECTS)) throw new RangeError(`effects are ${Object.keys(EFFECTS).join(", ")}; got ${effect}.`);
    return EFFECTS[effect]({ plane, layer, epochs, trainAccuracy });
  }

  /** Where a number stands among others, which are kept in steps of 0.001: how many are below, above, equal. */
  function rank(value, values, slack = 0.000501) {
    const count = (test) => Array.from(values).filter(test).length;
    const below = count((one) => one < value - slack), above = count((one) => one > value + slack);
    return { n: values.length, below, above, equal: values.length - below - above };
  }

  return { smooth, compression, fitting, change, peakShare, labelLoss, of, ofLabel, measure, rank };
});
