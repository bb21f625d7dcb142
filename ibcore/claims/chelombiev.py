"""Evidence for the claims of Chelombiev, Houghton & O'Donnell: planes in, parts of criteria out.

One function per claim, named in ``chapters/chelombiev_claims.toml``, where the criterion is written
in words and every number stands. Layers of the 12-10-7-5-4-3-2 networks are 1 to 6.
"""

from functools import partial
from math import isclose

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from ibcore import theory
from ibcore.claims import effects as fx
from ibcore.claims.common import Planes, Thresholds, last_epoch, medians, table
from ibcore.claims.decide import Part, fact, median, reported, share, statistic

HIDDEN = [1, 2, 3, 4, 5]
OUTPUT = 6


def mean_compression(plane: xr.Dataset, t: Thresholds, *, estimator: str | None = None):
    """C in bits, mean over the layers of the criterion, (seed,)."""
    return fx.compression(plane, estimator=estimator).sel(layer=list(t["layers"])).mean("layer")


def noise_entropy(planes: Planes, t: Thresholds) -> list[Part]:
    """S1: I = h(T) - h(Z), of a Gaussian channel whose information is known."""
    parts = []
    for ratio in t["ratios"]:
        noise = 0.5 * np.log2(2 * np.pi * np.e)
        total = 0.5 * np.log2(2 * np.pi * np.e * (1 + ratio))
        known = theory.linear_gaussian_information([[1.0]], [[ratio]], noise_variance=1.0)
        right = isclose(known, total - noise, abs_tol=t["tolerance"])
        wrong = isclose(known, total + noise, abs_tol=t["tolerance"])
        parts.append(
            fact("minus", f"h(T) - h(Z) at a signal-to-noise ratio of {ratio}", right and not wrong)
        )
    return parts


def ranges(planes: Planes, t: Thresholds) -> list[Part]:
    """F1: the largest activations of layers and epochs lie far apart, the last layer leads."""
    top = planes["relu"].largest_activation.sel(layer=HIDDEN)
    later = top.sel(epoch=top.epoch >= 1)
    least = np.maximum(later.min(["layer", "epoch"]), 1e-6)
    ratio = later.max(["layer", "epoch"]) / least
    leads = top.isel(epoch=-1).argmax("layer") == len(HIDDEN) - 1
    return [
        share("apart", f"networks whose largest activations differ by more than {t['ratio']}",
              ratio > t["ratio"], t["share"]),
        share("leads", "networks in which layer 5 has the largest activation", leads, t["leads"]),
        reported(share("far", "networks with a ratio above 100", ratio > 100, 0.0)),
    ]  # fmt: skip


def first_bins(planes: Planes, t: Thresholds) -> list[Part]:
    """F2: fixed bins put most activations into the first one, adaptive bins share the levels."""
    end = planes["relu"].isel(epoch=-1)
    fullest = end.first_bin.sel(layer=HIDDEN).max("layer")
    return [
        median("first", "share of the first bin, fullest layer", fullest, ">", t["first"]),
        *(
            median("even", "largest share of levels in an adaptive bin",
                   end.fullest_bin.sel(layer=layer), "<=", t["even"], layer=layer)
            for layer in HIDDEN
        ),
        *(
            reported(median("first bin", "share of the first bin", end.first_bin.sel(layer=layer),
                            ">", 0.0, layer=layer))
            for layer in HIDDEN
        ),
    ]  # fmt: skip


def underestimated(planes: Planes, t: Thresholds) -> list[Part]:
    """F3: adaptive bins show more compression than fixed ones, network by network."""
    plane = planes["relu"]
    more = _under(plane, t, 0) - _under(plane, t, 1)
    return [
        median("more", "C under EBAB minus C under fixed bins", more.sel(layer=layer), ">",
               t["more"], unit="bits", layer=int(layer),
               signed=more.sel(layer=layer), signed_side=">")
        for layer in t["layers"]
    ]  # fmt: skip


def _under(plane, t, k):
    return fx.compression(plane, estimator=t["rulers"][k])


def rulers_agree(planes: Planes, t: Thresholds) -> list[Part]:
    """F4: adaptive noise goes with adaptive bins, fixed noise with fixed bins."""
    plane = planes["relu"]
    parts = []
    for cell, adaptive in t["scales"]:
        names = {"aKDE": adaptive, "EBAB": t["ebab"], "KDE": t["kde"], "fixed": t["fixed"]}
        curves = {
            key: fx.curve(plane, estimator=ruler).sel(layer=HIDDEN).values
            for key, ruler in names.items()
        }
        r = {
            (a, b): _rank_correlations(curves[a], curves[b])
            for a, b in (("aKDE", "EBAB"), ("KDE", "fixed"), ("aKDE", "fixed"), ("KDE", "EBAB"))
        }
        same = np.minimum(r["aKDE", "EBAB"], r["KDE", "fixed"])
        crossed = np.maximum(r["aKDE", "fixed"], r["KDE", "EBAB"])
        parts += [
            median("adaptive", "rank correlation of aKDE and EBAB", r["aKDE", "EBAB"], ">",
                   t["correlation"], cell=cell, group="adaptive"),
            median("fixed", "rank correlation of KDE and fixed bins", r["KDE", "fixed"], ">",
                   t["correlation"], cell=cell, group="fixed"),
            median("pairs", "smaller of the two minus the larger of the crossed ones",
                   same - crossed, ">", 0.0, cell=cell, group="pairs"),
        ]  # fmt: skip
    return parts


def _rank_correlations(a: NDArray, b: NDArray) -> NDArray:
    """Per network, over layers and checkpoints."""
    return np.array([fx.spearman(x.ravel(), y.ravel()[None])[0] for x, y in zip(a, b, strict=True)])


def _fitting_and_compression(plane: xr.Dataset, t: Thresholds) -> tuple[NDArray, NDArray]:
    deep = list(t["layers"])
    f, c = fx.fitting(plane), fx.compression(plane)
    return tuple(one.sel(layer=deep).mean("layer").values for one in (f, c))


def behaviours(planes: Planes, t: Thresholds) -> list[Part]:
    """F5: networks that compress, networks that only fit, networks that stay."""
    f, c = _fitting_and_compression(planes["relu"], t)
    bits = t["bits"]
    kinds = {
        "compresses": c > bits,
        "only fits": (c <= bits) & (f > bits),
        "stays": (c <= bits) & (f <= bits),
    }
    return [
        share(name, f"networks of this kind ({name})", flags, t["share"])
        for name, flags in kinds.items()
    ]


def compression_first(planes: Planes, t: Thresholds) -> list[Part]:
    """F5t: some networks compress from the beginning."""
    plane = planes["relu"]
    d = fx.signed_change(plane)
    early = fx.peak_epoch(plane) < t["early"] * last_epoch(plane)
    flags = ((d < -t["bits"]) & early).sel(layer=HIDDEN).any("layer")
    return [share("first", "networks with D < -0.5 bit after an early peak", flags, t["share"])]


def output_varies_less(planes: Planes, t: Thresholds) -> list[Part]:
    """F5o: the output of different networks is more alike than their hidden layers."""
    end = fx.final(fx.curve(planes["relu"])).sel(layer=[*t["layers"], OUTPUT]).values
    return [
        statistic("spread", "sd of the output minus the smallest of the hidden layers", _spread,
                  end, "<", 0.0, unit="bits", invertible=True)
    ]  # fmt: skip


def _spread(sample: NDArray) -> NDArray:
    sd = sample.std(axis=1)
    return sd[:, -1] - sd[:, :-1].min(axis=1)


def averages(planes: Planes, t: Thresholds) -> list[Part]:
    """F6: the mean ReLU plane stands still, the mean tanh plane compresses."""
    ix = fx.curve(planes["relu"])
    middle = ix.sizes["epoch"] // 2
    parts = []
    for layer in HIDDEN:
        both = np.stack(
            [fx.final(ix).sel(layer=layer), ix.isel(epoch=middle).sel(layer=layer)], axis=1
        )
        parts.append(
            statistic("still", "|mean IX at the end - mean IX half-way|", _mean_change, both, "<",
                      t["still"], unit="bits", group="relu", layer=layer)
        )  # fmt: skip
    curve = fx.curve(planes["tanh"]).sel(layer=5).values
    parts.append(
        statistic("falls", "fall of the mean curve", _fall_of_mean, curve, ">", t["falls"],
                  unit="bits", group="tanh", layer=5)
    )  # fmt: skip
    return parts


def _mean_change(sample: NDArray) -> NDArray:
    mean = sample.mean(axis=1)
    return np.abs(mean[:, 0] - mean[:, 1])


def _fall_of_mean(sample: NDArray) -> NDArray:
    mean = sample.mean(axis=1)
    return mean.max(axis=1) - mean[:, -1]


RELEASED = {"tanh": 1, "abs": 1}  # initial gain; 2 for all others


def _at_gain(planes: Planes, activation: str, cell: str) -> xr.Dataset:
    own = RELEASED.get(activation, 2)
    if cell == "released" or own == 1:
        return planes[activation]
    return planes[f"{activation}_gain_1"]


def many_activations(planes: Planes, t: Thresholds) -> list[Part]:
    """F7: tanh compresses most; ELU, Swish and centred softplus do; the others less."""
    parts = []
    for cell in ("released", "gain 1 for all"):
        c = {
            name: mean_compression(_at_gain(planes, name, cell), t)
            for name in ("tanh", *t["compress"], *t["less"])
        }
        everyone = table(list(c.values()))
        parts.append(
            statistic("largest", "C(tanh) minus the largest of the others", _first_leads, everyone,
                      ">", 0.0, unit="bits", cell=cell, group="tanh", invertible=True)
        )  # fmt: skip
        parts += [
            median("compresses", "mean C", c[name], ">", t["bits"], unit="bits", cell=cell,
                   group=name)
            for name in t["compress"]
        ]  # fmt: skip
        both = table([c[name] for name in (*t["compress"], *t["less"])])
        parts.append(
            statistic("order", "smallest of these minus the largest of the others",
                      partial(_groups_apart, first=len(t["compress"])), both, ">", 0.0,
                      unit="bits", cell=cell, group="order", invertible=True)
        )  # fmt: skip
    return parts


def _first_leads(sample: NDArray) -> NDArray:
    middle = medians(sample)
    return middle[:, 0] - middle[:, 1:].max(axis=1)


def _groups_apart(sample: NDArray, first: int) -> NDArray:
    middle = medians(sample)
    return middle[:, :first].min(axis=1) - middle[:, first:].max(axis=1)


def without_saturation(planes: Planes, t: Thresholds) -> list[Part]:
    """C1: some activation that does not saturate compresses."""
    c = table([mean_compression(plane, t) for plane in planes.values()])
    return [
        statistic("largest", "largest median C of the unsaturated activations", _largest, c, ">",
                  t["bits"], unit="bits"),
        *(
            reported(median("each", "mean C", c[:, k], ">", t["bits"], unit="bits", group=name))
            for k, name in enumerate(planes)
        ),
    ]  # fmt: skip


def _largest(sample: NDArray) -> NDArray:
    return medians(sample).max(axis=1)


PENALTIES = ("relu", "l2_001", "l2_005", "l2_015")


def more_penalty(planes: Planes, t: Thresholds) -> list[Part]:
    """F8a-c: the larger the penalty, the more ReLU compresses; once under each ruler."""
    parts = []
    for ruler in t["rulers"]:
        c = table([mean_compression(planes[name], t, estimator=ruler) for name in PENALTIES])
        parts += [
            statistic("rising", "smallest step of the median C from penalty to penalty", _step, c,
                      ">", 0.0, unit="bits", cell=ruler, invertible=True),
            statistic("largest", "median C at 0.015 minus median C at 0", _last_minus_first, c, ">",
                      0.0, unit="bits", cell=ruler, invertible=True),
        ]  # fmt: skip
    return parts


def _step(sample: NDArray) -> NDArray:
    return np.diff(medians(sample), axis=1).min(axis=1)


def _last_minus_first(sample: NDArray) -> NDArray:
    middle = medians(sample)
    return middle[:, -1] - middle[:, 0]


def one_point(planes: Planes, t: Thresholds) -> list[Part]:
    """F8d-g: with L2 the layers come to lie close together."""
    both = table([_layer_spread(planes[name], t) for name in ("l2_015", "relu")])
    return [
        statistic("together", "spread of the layers at 0.015 over that at 0", _ratio, both, "<",
                  t["ratio"])
    ]  # fmt: skip


def _layer_spread(plane: xr.Dataset, t: Thresholds) -> xr.DataArray:
    ends = [
        fx.final(fx.curve(plane, name)).sel(layer=list(t["layers"])) for name in ("i_xt", "i_ty")
    ]
    return np.sqrt(sum(one.var("layer") for one in ends))


def _ratio(sample: NDArray) -> NDArray:
    middle = medians(sample)
    return middle[:, 0] / np.maximum(middle[:, 1], 1e-9)


def penalty_by_layer(planes: Planes, t: Thresholds) -> list[Part]:
    """F8l: L2 takes most from the layers nearer the data, and late."""
    with_l2, without = planes["l2_015"], planes["relu"]
    layers = list(t["layers"])
    more = (fx.compression(with_l2) - fx.compression(without)).sel(layer=layers).values
    ix = fx.curve(with_l2).sel(layer=layers)
    half = ix.sel(epoch=last_epoch(with_l2) // 2, method="nearest")
    lost = ix.max("epoch") - fx.final(ix)
    late = ((half - fx.final(ix)) / lost.where(lost > t["least"])).mean("layer")
    return [
        statistic("nearer", "rank correlation of layer and C(L2) - C(0)",
                  partial(_by_layer, layers=layers), more, "<", 0.0, invertible=True),
        median("late", "share of the loss after half of the training", late, ">", t["late"]),
    ]  # fmt: skip


def _by_layer(sample: NDArray, layers: list[int]) -> NDArray:
    return fx.spearman(np.array(layers, float), medians(sample))


def better_with_l2(planes: Planes, t: Thresholds) -> list[Part]:
    """S3.1: L2 raises test accuracy, and the test loss does not rise again."""
    without = planes["relu"].test_accuracy.isel(epoch=-1)
    parts = []
    for name in PENALTIES[1:]:
        plane = planes[name]
        gain = plane.test_accuracy.isel(epoch=-1) - without
        loss = plane.test_loss
        # the largest loss from the smallest one on
        after = loss.where(loss.epoch >= loss.epoch[loss.argmin("epoch")])
        rise = after.max("epoch") / loss.min("epoch") - 1
        parts += [
            median("better", "test accuracy with L2 minus without", gain, ">", 0.0, group=name,
                   invertible=True),
            median("no overfitting", "rise of the test loss after its minimum", rise, "<",
                   t["rise"], group=name),
        ]  # fmt: skip
    return parts


def scores(planes: Planes, t: Thresholds) -> list[Part]:
    """EQ6: the score lies in [0, 1], and is 0 where every layer ends at its maximum."""
    found = {name: fx.compression_score(plane) for name, plane in planes.items()}
    inside = all(((s >= 0) & (s <= 1)).all() for s in found.values())
    zero = all(
        bool(((s == 0) == (fx.compression(planes[name]) == 0)).all()) for name, s in found.items()
    )
    return [
        fact("inside", "0 <= score <= 1 in every network and layer", bool(inside)),
        fact("zero", "score = 0 exactly where IX[T] is the maximum", zero),
    ]


def score_and_accuracy(planes: Planes, t: Thresholds) -> list[Part]:
    """F9a: the compression of the output goes with accuracy, that of all layers does not."""
    plane = planes["relu"]
    score = fx.compression_score(plane)
    accuracy = plane.test_accuracy.isel(epoch=-1)
    values = np.stack([score.sel(layer=OUTPUT), score.mean("layer"), accuracy], axis=1)
    return [
        statistic("output", "r of the output's score and test accuracy", partial(_r, column=0),
                  values, ">", 0.0, invertible=True),
        statistic("difference", "r of the output minus r of all layers", _r_difference, values,
                  ">", 0.0, invertible=True),
        reported(
            statistic("all layers", "r of all layers' score and test accuracy",
                      partial(_r, column=1), values, ">", 0.0)
        ),
    ]  # fmt: skip


def _r(sample: NDArray, column: int) -> NDArray:
    """Correlation of a column with the last one."""
    centred = sample - sample.mean(axis=1, keepdims=True)
    x, y = centred[..., column], centred[..., -1]
    norm = np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    return np.divide((x * y).sum(axis=1), norm, out=np.zeros(len(x)), where=norm > 0)


def _r_difference(sample: NDArray) -> NDArray:
    return _r(sample, 0) - _r(sample, 1)


def activations_and_accuracy(planes: Planes, t: Thresholds) -> list[Part]:
    """F9b: over activations, compression without the output does not go with accuracy."""
    points = [
        (
            float(fx.compression_score(plane).sel(layer=HIDDEN).mean()),
            float(plane.test_accuracy.isel(epoch=-1).mean()),
        )
        for plane in planes.values()
    ]
    return [
        statistic("weak", "|r| over activations", _absolute_r, np.array(points), "<",
                  t["correlation"])
    ]  # fmt: skip


def _absolute_r(sample: NDArray) -> NDArray:
    return np.abs(_r(sample, 0))


def lowest_bin(planes: Planes, t: Thresholds) -> list[Part]:
    """M2: with one range for all, some layers lie in the lowest bin altogether."""
    plane = planes["relu"]
    fixed, ebab = (fx.curve(plane, estimator=ruler).sel(layer=HIDDEN) for ruler in t["rulers"])
    blind = (fixed < t["nothing"]) & (ebab > t["something"])
    return [
        share("blind", "networks with a layer that fixed bins take for one point",
              blind.any(["layer", "epoch"]), t["share"])
    ]  # fmt: skip


ROWS = (
    (underestimated, "CHE-F3"),
    (rulers_agree, "CHE-F4"),
    (averages, "CHE-F6"),
    (many_activations, "CHE-F7"),
    (more_penalty, "CHE-F8a-c"),
)


def ten_are_enough(planes: Planes, t: Thresholds) -> list[Part]:
    """M1: ten networks, drawn from the fifty, fall on the same side of each threshold."""
    from ibcore.claims.registry import find_claim

    rng = np.random.default_rng(0)
    n = min(plane.sizes["seed"] for plane in planes.values())
    draws = np.stack([rng.permutation(n)[:10] for _ in range(t["draws"])])
    parts = []
    for evidence, row in ROWS:
        for part in evidence(planes, find_claim(row).thresholds):
            if not part.decisive:
                continue
            whole = _side(part, part.values[None])[0]
            agree = float((_side(part, part.values[draws]) == whole).mean())
            parts.append(
                fact("agrees", f"{row}, {part.label}", agree > t["share"], note=f"{agree:.0%}")
            )
    return parts


def _side(part: Part, sample: NDArray) -> NDArray:
    found = part.statistic(sample)
    return found > part.threshold if part.side[0] == ">" else found < part.threshold
