/* What claims say of one network. A claim is judged over fifty; here one stands beside them. */
"use strict";

IBLab.define("ui_judge", ["train", "effects", "rulers", "ui_words"], (train, effects, rulers, words) => {
  const SAME = [
    "activation",
    "initializer",
    "gain",
    "optimizer",
    "rate",
    "batch",
    "epochs",
    "l2",
    "noise",
    "share",
    "split",
  ];

  /** The stored experiment that these settings belong to, or undefined. */
  function experimentOf(data, settings) {
    const whole = train.complete(settings);
    return data.experiments.find((one) => {
      const its = train.complete(one.settings);
      return SAME.every((key) => its[key] === whole[key]);
    });
  }

  /** Whether one value is as a test asks; a claim is judged over fifty, this is one of them. */
  function meets(claim, value) {
    if (claim.expects === "absence") return value <= claim.margin;
    if (claim.side === "<") return value < claim.null;
    return value > (claim.size ?? claim.null ?? 0);
  }

  /** What tests of claims say of a network: {claim, layer, value, rank, meets}. plane(ruler, its name): a promise. */
  async function judge(data, experiment, plane, epochs, trainAccuracy) {
    const found = [];
    for (const claim of data.claims.filter((one) => one.experiment === experiment.id)) {
      const ruler = rulers.parse(claim.ruler),
        its = ruler && (await plane(ruler, claim.ruler));
      if (!its) continue;
      for (const layer of claim.layers) {
        const values = data.effect(experiment.id, claim.ruler, claim.effect, layer);
        const value = effects.measure(claim.effect, its, layer, epochs, trainAccuracy);
        found.push({
          claim,
          layer,
          value,
          rank: values && effects.rank(value, values),
          meets: meets(claim, value),
        });
      }
    }
    return found;
  }

  const SAYS = {
    compression: (v) => `loses ${words.bits(v)} bits`,
    fitting: (v) => `gains ${words.bits(v)} bits`,
    change: (v) =>
      `has ${words.bits(Math.abs(v))} bits ${v < 0 ? "less" : "more"} at the end than when it had learnt`,
    "label loss": (v) => `loses ${words.bits(v)} bits about the label`,
    peak: (v) => `peaks after ${Math.max(1, Math.round(100 * v))} % of the training`,
  };
  const LESS = { peak: ["earlier", "later"] };

  /** What the layers do, those that do the same together: "layer 5 loses 4.2 bits (3 of the 50 stored ones less, 47 more)". */
  function partsOf(each) {
    const groups = new Map();
    for (const { claim, layer, value, rank } of each) {
      const [less, more] = LESS[claim.effect] || ["less", "more"];
      const said =
        SAYS[claim.effect](value) +
        (rank && rank.equal < rank.n / 2 ? ` (${words.against(rank, less, more)})` : "");
      groups.set(said, [...(groups.get(said) || []), layer - 1]);
    }
    return [...groups].map(
      ([said, layers]) =>
        `${layers.length > 1 ? `each of ${words.layersSaid(layers)}` : words.layersSaid(layers)} ${said}`,
    );
  }

  /** One sentence for each claim. */
  function verdicts(found) {
    const by = new Map();
    for (const one of found) by.set(one.claim.id, [...(by.get(one.claim.id) || []), one]);
    return [...by].map(([id, each]) => {
      const fine = each.filter((one) => one.meets).length;
      const word = fine === each.length ? "does as it says" : fine ? "does so in part" : "does not";
      return `${id}, “${each[0].claim.title}”: your network ${word}. ${words.capital(partsOf(each).join("; "))}.`;
    });
  }

  return { experimentOf, judge, meets, verdicts };
});
