"""What a number is worth: corrections, curves, nulls, intervals, and the word that follows."""

import sys
from math import lgamma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ibcore as ib
from ibcore.estimators.neighbours import mutual_information
from ibcore.reliability import (
    CORRECTIONS,
    chao_shen,
    corrected_information,
    grassberger,
    miller_madow,
    nsb,
    ruler_bits,
    verdicts,
)
from ibcore.reliability.resampling import jackknife, over_seeds, shuffled_null, subsampled
from ibcore.reliability.verdicts import Step
from ibcore.reliability.worth import measure_of

EXAMPLE = [4, 2, 3, 0, 2, 4, 0, 0, 2, 1, 1]  # of the R package entropy
some_counts = st.lists(st.integers(0, 30), min_size=1, max_size=12).filter(any)
few = settings(max_examples=30, deadline=None)


class AboutTheMean(ib.Binning, named=False):
    """Bins that hang on all rows of a layer, as a subclass may have them."""

    def codes(self, t):
        return super().codes(t - t.mean(axis=0))


def test_a_part_is_measured_as_a_part():
    """Where symbols hang on other rows those of the whole are not taken for a part."""
    t = np.random.default_rng(0).normal(size=(60, 2))
    y, rows = np.arange(60) % 2, np.arange(40)
    t[40:] += 5
    ruler = AboutTheMean(n_bins=4, low=-1.0, high=1.0)
    measure, _ = measure_of(ruler, t, y)
    assert measure(rows, rows).tolist() == list(ruler(t[rows], y[rows]))


# ------------------------------------------------------------------------------------ corrections


@pytest.mark.parametrize(
    ("correction", "bits"),
    [(miller_madow, 3.1055351524408437), (chao_shen, 3.1755695803327653)],
)
def test_another_library_says_the_same(correction, bits):
    """infomeasure 0.6.3, ``entropy(data, approach=..., base=2)``, on the same counts."""
    assert correction(EXAMPLE) == pytest.approx(bits, abs=1e-12)


@few
@given(counts=some_counts)
def test_corrections_are_their_sums(counts):
    """The twins: sums over symbols in plain Python; Grassberger's G by its recursion."""
    n = [one for one in counts if one]
    total = sum(n)
    plug_in = -sum(one / total * np.log2(one / total) for one in n)
    expected = plug_in + (len(n) - 1) / (2 * total * np.log(2))
    assert miller_madow(counts) == pytest.approx(expected)
    singles = min(n.count(1), total - 1) if total > 1 else 0
    p = [(1 - singles / total) * one / total for one in n]
    cs = -sum(q * np.log2(q) / (1 - (1 - q) ** total) for q in p)
    assert chao_shen(counts) == pytest.approx(cs)
    g = [0.0, -np.euler_gamma - np.log(2), 2 - np.euler_gamma - np.log(2)]
    while len(g) <= max(n):  # G(2k + 1) = G(2k), G(2k + 2) = G(2k) + 2/(2k + 1)
        k = len(g) - 1
        g.append(g[k] if k % 2 == 0 else g[k - 1] + 2 / k)
    expected = (np.log(total) - sum(one * g[one] for one in n) / total) / np.log(2)
    assert grassberger(counts) == pytest.approx(expected, abs=1e-9)


def test_the_posterior_mean_is_that_of_drawn_distributions():
    """The twin: β drawn from its prior, p from Dirichlet posteriors, weighed by the evidence."""
    counts, rng = np.array(EXAMPLE), np.random.default_rng(0)
    k, n = len(counts), int(counts.sum())
    beta = np.exp(np.linspace(np.log(1e-4), np.log(1e5), 600))
    from scipy.special import digamma

    xi = digamma(k * beta + 1) - digamma(beta + 1)
    total = weights = 0.0
    for one, share in zip(beta, np.gradient(xi), strict=True):
        evidence = lgamma(k * one) - lgamma(n + k * one)
        evidence += sum(lgamma(c + one) - lgamma(one) for c in counts)
        p = rng.dirichlet(counts + one, size=200)
        h = -np.sum(p * np.log2(np.maximum(p, 1e-300)), axis=1).mean()
        weight = share * np.exp(evidence - lgamma(k) + lgamma(n + k) + 20)
        total, weights = total + weight * h, weights + weight
    assert nsb(counts, k) == pytest.approx(total / weights, abs=0.01)


@pytest.mark.parametrize("name", CORRECTIONS)
def test_corrections_are_nearer_the_truth_where_symbols_are_missed(name):
    """A thousand samples of 400 equal symbols: 8.64 bits."""
    truth, rng = np.log2(400), np.random.default_rng(0)
    counts = [np.bincount(rng.integers(0, 400, 1000)) for _ in range(20)]
    plug_in = np.mean([ib.information.entropy_from_counts(one) for one in counts])
    found = np.mean([CORRECTIONS[name](one) for one in counts])
    assert abs(found - truth) < abs(plug_in - truth) / 2


def test_bad_counts_are_refused():
    with pytest.raises(ValueError, match="positive sum"):
        miller_madow([0, 0])
    with pytest.raises(ValueError, match="whole numbers"):
        chao_shen([0.5])
    with pytest.raises(ValueError, match="n_symbols=2 is too few"):
        nsb([1, 1, 1], 2)
    with pytest.raises(ValueError, match="correction must be one of miller_madow"):
        corrected_information(np.array([0]), np.array([0]), "none")
    assert nsb([5], 1) == 0


# -------------------------------------------------------------------------------------- resampling


def mean_of(values):
    return lambda rows, others: np.array([values[rows].mean(), (values[rows] ** 2).mean()])


def test_halves_cancel_the_scatter_of_a_mean():
    """v(N) - ⟨v(N/2)⟩ is 0 for a mean, whatever the sample; and all parts are counted."""
    values = np.random.default_rng(0).normal(size=256)
    curve = subsampled(mean_of(values), 256, np.random.default_rng(1))
    assert curve.n.tolist() == [32, 64, 128, 256]
    assert curve.mean == pytest.approx(np.tile(curve.mean[-1], (4, 1)), abs=1e-12)
    assert curve.step == pytest.approx([0, 0], abs=1e-12)
    assert curve.noise == pytest.approx([0, 0], abs=1e-12)


def test_a_bias_of_one_over_n_is_extrapolated_away():
    def measure(rows, others):
        return np.array([3 - 5 / len(rows)])

    rng = np.random.default_rng(0)
    assert subsampled(measure, 400, rng).extrapolated[0] == pytest.approx(3)
    assert jackknife(measure, 400, np.array([3 - 5 / 400]), 20, rng).value == pytest.approx(3)


def test_log_n_has_a_slope_of_one():
    curve = subsampled(lambda r, o: np.array([np.log2(len(r))]), 1024, np.random.default_rng(0))
    assert curve.slope[0] == pytest.approx(1)


def test_the_jackknife_of_a_mean_is_students_interval():
    """With groups of one: mean ± t s/√n."""
    from scipy import stats

    values = np.random.default_rng(0).normal(size=50)
    found = jackknife(mean_of(values), 50, mean_of(values)(np.arange(50), None), 50,
                      np.random.default_rng(1))  # fmt: skip
    low, high = stats.t.interval(0.95, 49, values.mean(), stats.sem(values))
    assert (found.low[0], found.high[0]) == pytest.approx((low, high))
    of_seeds = over_seeds(values[:, None])
    assert (of_seeds.low[0], of_seeds.high[0]) == pytest.approx((low, high))


def test_p_of_shuffles_is_uniform_under_the_null():
    """With 19 shuffles p <= 0.05 once in 20, for independent labels."""
    below = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        t, y = rng.integers(0, 3, (60, 1)).astype(float), rng.integers(0, 2, 60)
        measure, _ = measure_of(ib.Exact(), t, y)
        rows = np.arange(60)
        null = shuffled_null(measure, 60, measure(rows, rows), 19, rng)
        below += null.p[1] <= 0.05
    assert below <= 22  # three standard deviations above 10


@pytest.mark.parametrize("ruler", [ib.Binning(), ib.Exact(), ib.AdaptiveBinning(5)], ids=repr)
def test_symbols_made_once_are_those_of_the_ruler(ruler):
    """The fast path and the ruler itself, on parts and with shuffled labels."""
    rng = np.random.default_rng(0)
    t = np.tanh(rng.normal(size=(200, 3))).round(1)
    y = rng.integers(0, 4, 200)
    measure, _ = measure_of(ruler, t, y)
    for rows in (np.arange(200), np.sort(rng.permutation(200)[:80])):
        others = rng.permutation(rows)
        assert measure(rows, others) == pytest.approx(ruler(t[rows], y[others]), abs=1e-12)


# ------------------------------------------------------------------------------------------ words


def test_words_of_inputs():
    assert verdicts.of_input(9.6, 1000, np.inf, Step(0.9), 0.9) == verdicts.AT_LOG_N
    assert verdicts.of_input(5.0, 1000, np.inf, Step(0.8), 0.8) == verdicts.AT_LOG_N
    assert verdicts.of_input(4.99, 1000, 5.0, Step(0.0), 0.1) == verdicts.AT_RULER
    assert verdicts.of_input(4.0, 1000, 5.0, Step(0.3), 0.3) == verdicts.RISES
    assert verdicts.of_input(4.0, 1000, 5.0, Step(-0.3), 0.0) == verdicts.FALLS
    assert verdicts.of_input(4.0, 1000, 5.0, Step(0.3, 0.2), 0.1) == verdicts.GOOD
    assert verdicts.of_input(4.0, 1000, 5.0, Step(0.1), 0.1) == verdicts.GOOD
    assert verdicts.of_input(4.0, 70, 5.0, Step(0.1), 0.1) == verdicts.TOO_FEW


def test_words_of_labels():
    good = Step(0.0)
    assert verdicts.of_labels(0.3, 1000, 1.0, good, (0.29, 0.4)) == verdicts.BELOW_NULL
    assert verdicts.of_labels(0.6, 1000, 1.0, good, (0.3, 0.01)) == verdicts.PARTLY_CHANCE
    assert verdicts.of_labels(1.0, 1000, 1.0, good, (0.3, 0.01)) == verdicts.AT_LABELS
    assert verdicts.of_labels(1.0, 1000, 1.0, good, (0.01, 0.01)) == verdicts.GOOD
    assert verdicts.of_labels(0.5, 1000, 1.0, Step(-0.1), (0.01, 0.01)) == verdicts.FALLS
    assert verdicts.of_pair(0.5, 1000, 9.0, good, 0, (0.3, 0.01)) == verdicts.PARTLY_CHANCE


def clouds(n, seed=0, d=1):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    t = rng.normal(size=(n, d))
    t[:, 0] += 2 * y - 1
    return t, y


def test_a_sound_number_is_worth_reading_and_its_interval_covers():
    """Four equal-sample bins of two clouds; their own truth from a sample of a million."""
    t, y = clouds(2000)
    found = ib.worth(ib.Binning(width=1.0), t, y)
    assert found["I(T;Y)"].verdict == "worth reading"
    truth = ib.Binning(width=1.0)(*clouds(10**6, seed=9))
    for name, bits in zip(("I(X;T)", "I(T;Y)"), truth, strict=True):
        _, low, high = found[name].jackknife
        assert low < bits < high
        assert not found[name].warned


def test_what_a_reader_sees():
    t, y = clouds(400, d=8)
    found = ib.worth(ib.Binning(width=0.1), t, y, n_permutations=19)
    text = repr(found)
    assert "I(X;T) for the population: at its ceiling: tells N, not the layer." in text
    assert "log2 N" in text
    assert "reached" in text
    assert "For these inputs: exact" in text
    assert "chao-shen" in text
    assert found["I(X;T)"].at_ceiling
    table = found.to_dataframe()
    assert table.loc["I(T;Y)", "n"] == 400
    assert table.loc["I(X;T)", "value"] == found["I(X;T)"].value
    with pytest.raises(ValueError, match=r"there is no 'I'; there is I\(X;T\), I\(T;Y\)"):
        found["I"]


def test_independent_labels_are_found_out():
    """The fault of the first review: H(Y) bits where there is nothing."""
    rng = np.random.default_rng(0)
    t, y = rng.uniform(-1, 1, (1000, 4)), rng.integers(0, 10, 1000)
    for ruler in (ib.Binning(), ib.AdaptiveBinning(), ib.KernelBound(0.01)):
        found = ib.worth(ruler, t, y, n_permutations=19)["I(T;Y)"]
        assert found.value > 3
        assert found.verdict == verdicts.BELOW_NULL


def test_a_bound_of_too_few_samples_is_found_out():
    """The channel of the first review: five units, r = 10, 200 samples; the truth is 8.65 bits."""
    x = np.sqrt(10) * np.random.default_rng(0).normal(size=(200, 5))
    found = ib.worth(ib.KernelBound(1.0), x, np.arange(200) % 2, n_permutations=19)["I(X;T)"]
    assert found.value < 8
    assert found.verdict == verdicts.AT_LOG_N


def test_several_networks_have_an_interval_over_them():
    layers, y = np.stack([clouds(200, seed)[0] for seed in range(5)]), clouds(200)[1]
    found = ib.worth(ib.Binning(), layers, y, n_permutations=5)["I(X;T)"]
    values = [ib.Binning()(one, y).i_xt for one in layers]
    assert found.seeds[0] == pytest.approx(np.mean(values))
    assert found.seeds[1] < np.mean(values) < found.seeds[2]
    assert found.value == values[0]
    assert "over networks" in repr(ib.worth(ib.Binning(), layers, y, n_permutations=1))


def test_pairs_are_asked_too():
    x, z = np.random.default_rng(0).normal(size=(2, 300, 1))
    assert not ib.worth_of_pairs(mutual_information, x, x + z, n_permutations=19)["I(X;T)"].warned
    alone = ib.worth_of_pairs(mutual_information, x, z, n_permutations=19)["I(X;T)"]
    assert alone.verdict == verdicts.BELOW_NULL
    same = ib.worth_of_pairs(mutual_information, x, x, n_permutations=19)["I(X;T)"]
    assert same.verdict == verdicts.AT_LOG_N


def test_bits_of_rulers():
    t = np.zeros((64, 2))
    assert ruler_bits(ib.Binning(8, -1, 1), t) == 6
    assert ruler_bits(ib.Binning(8, -1, 1), t + 3) == np.inf
    assert ruler_bits(ib.Binning(width=0.1), t) == np.inf
    assert ruler_bits(ib.AdaptiveBinning(4), t) == 4
    assert ruler_bits(ib.QuantileBinning(4), t) == ruler_bits(ib.UnitRangeBinning(4), t) == 4
    assert ruler_bits(ib.EdgeBinning(32), t) == 10
    assert ruler_bits(ib.NetInputBinning(15), t) == 8
    assert ruler_bits(ib.Exact(), t) == 64
    assert ruler_bits(ib.InfoNCE(batch_size=8), t) == 3
    assert ruler_bits(ib.KernelBound(), t) == np.inf


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda t, y: ib.worth(ib.EDGE(), t, y), "ruler must be one ruler that can be laid"),
        (lambda t, y: ib.worth(ib.KernelBound((1, 2)), t, y), "with one noise level"),
        (lambda t, y: ib.worth(ib.Exact(), t[:30], y[:30]), "need at least 40 inputs"),
        (lambda t, y: ib.worth(ib.Exact(), t, y, n_permutations=0), "n_permutations must be"),
        (lambda t, y: ib.worth(ib.Exact(), t, y, n_groups=1), "n_groups must be"),
        (lambda t, y: ib.worth(ib.Exact(), t, y[:5]), "one label for each"),
        (lambda t, y: ib.worth_of_pairs(mutual_information, t, t[:5]), "as many rows of x"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call(*clouds(100))


def test_asking_does_not_load_torch():
    """``import ibcore`` stays quick, and so does worth where nothing is trained."""
    import subprocess

    code = ("import sys, numpy as np, ibcore as ib; t = np.zeros((50, 1)); "
            "ib.worth(ib.Binning(), t, np.arange(50) % 2, n_permutations=1); "
            "ib.advise(t, np.arange(50) % 2); print('torch' in sys.modules)")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
