"""Entropies of counts, less biased than the plug-in one. Bits.

Symbols that were not seen are missing from the plug-in entropy, which is therefore too small. All
of these add something for them; none can help where most symbols occur once, as nothing then is
known of what was not seen. They are for a sample of a population: where all inputs of a task were
measured, the plug-in entropy is exact and needs no correction.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma, gammaln, polygamma

from ibcore.information import entropy_from_counts

_LN2 = np.log(2)


def miller_madow(counts: ArrayLike) -> float:
    """H + (K - 1) / 2N, K the number of symbols that occur (Miller 1955).

    Examples
    --------
    >>> round(miller_madow([4, 2, 3, 2, 4, 2, 1, 1]), 6)
    3.105535
    """
    n = _positive(counts)
    return float(entropy_from_counts(n) + (len(n) - 1) / (2 * int(n.sum()) * _LN2))


def chao_shen(counts: ArrayLike) -> float:
    """-Σ Cp log2 Cp / [1 - (1 - Cp)^N], C = 1 - f₁/N the coverage (Chao & Shen 2003, eq. 6).

    f₁ is the number of symbols that occur once. Where all do, C would be 0; f₁ is then taken as
    N - 1, as others do.

    Examples
    --------
    >>> round(chao_shen([4, 2, 3, 2, 4, 2, 1, 1]), 6)
    3.17557
    """
    n = _positive(counts)
    total = int(n.sum())
    singles = min(int((n == 1).sum()), total - 1) if total > 1 else 0
    p = (1 - singles / total) * n / total
    # log1p and expm1: 1 - (1 - p)^N for p near 0 without cancellation.
    seen = -np.expm1(total * np.log1p(-np.minimum(p, 1 - 1e-16)))
    return float(-np.sum(p * np.log2(p) / seen)) + 0.0


def grassberger(counts: ArrayLike) -> float:
    """log2 N - 1/N Σ n G(n) / ln 2, G(n) = ψ(n) + (-1)^n/2 [ψ((n+1)/2) - ψ(n/2)] (2003, eq. 27).

    Examples
    --------
    >>> round(grassberger([4, 2, 3, 2, 4, 2, 1, 1]), 6)
    3.094042
    """
    n = _positive(counts)
    total = int(n.sum())
    g = digamma(n) + np.where(n % 2, -0.5, 0.5) * (digamma((n + 1) / 2) - digamma(n / 2))
    return float((np.log(total) - np.sum(n * g) / total) / _LN2)


def nsb(counts: ArrayLike, n_symbols: int) -> float:
    """Mean entropy of a posterior whose prior is flat in the entropy (Nemenman et al. 2002).

    Dirichlet priors of concentration β are mixed so that the expected entropy
    ξ(β) = ψ(Kβ + 1) - ψ(β + 1) is uniform,

        H = ∫ dξ ρ(n|β) H̄(β) / ∫ dξ ρ(n|β).

    Parameters
    ----------
    counts : array of whole numbers
    n_symbols : int
        K, how many symbols there could be; at least as many as occur.

    Examples
    --------
    >>> round(nsb([4, 2, 3, 0, 2, 4, 0, 0, 2, 1, 1], n_symbols=11), 4)
    3.1563
    """
    n = _positive(counts)
    if not len(n) <= n_symbols:
        raise ValueError(f"{len(n)} symbols occur, so n_symbols={n_symbols} is too few.")
    if n_symbols == 1:
        return 0.0
    log_beta = np.linspace(np.log(1e-8), np.log(1e8), 4001)
    weight = _log_weight(n, n_symbols, np.exp(log_beta)) + log_beta
    weight = np.exp(weight - weight.max())
    mean = _posterior_mean(n, n_symbols, np.exp(log_beta))
    return float(np.sum(weight * mean) / np.sum(weight) / _LN2)


def _log_weight(n: NDArray[np.int64], k: int, beta: NDArray[np.float64]) -> NDArray[np.float64]:
    """ln [ρ(n|β) dξ/dβ] but for a constant."""
    total = n.sum()
    values, times = np.unique(n, return_counts=True)
    evidence = gammaln(k * beta) - gammaln(total + k * beta)
    for one, many in zip(values, times, strict=True):
        evidence += many * (gammaln(one + beta) - gammaln(beta))
    slope = k * polygamma(1, k * beta + 1) - polygamma(1, beta + 1)
    return evidence + np.log(np.maximum(slope, np.finfo(float).tiny))


def _posterior_mean(n: NDArray[np.int64], k: int, beta: NDArray[np.float64]) -> NDArray[np.float64]:
    """⟨H⟩ in nats under the Dirichlet posterior of concentration β (Wolpert & Wolf 1995)."""
    total = n.sum() + k * beta
    values, times = np.unique(n, return_counts=True)
    found = (k - len(n)) * beta * digamma(beta + 1)
    for one, many in zip(values, times, strict=True):
        found += many * (one + beta) * digamma(one + beta + 1)
    return digamma(total + 1) - found / total


CORRECTIONS: dict[str, Callable[[ArrayLike], float]] = {
    "miller_madow": miller_madow,
    "chao_shen": chao_shen,
    "grassberger": grassberger,
}
"""Those that need nothing but the counts."""


def corrected_information(
    symbols: NDArray[np.int64], labels: NDArray[np.int64], correction: str
) -> tuple[float, float]:
    """H(T) and H(T) + H(Y) - H(T,Y) with each entropy corrected, in bits.

    Parameters
    ----------
    symbols, labels : (sample,) whole numbers from 0
    correction : str
        A name in ``CORRECTIONS``.
    """
    if correction not in CORRECTIONS:
        raise ValueError(f"correction must be one of {', '.join(CORRECTIONS)}, got {correction!r}.")
    entropy = CORRECTIONS[correction]
    pairs = np.unique(symbols * (int(labels.max()) + 1) + labels, return_counts=True)[1]
    h_t = entropy(np.unique(symbols, return_counts=True)[1])
    return h_t, h_t + entropy(np.bincount(labels)) - entropy(pairs)


def _positive(counts: ArrayLike) -> NDArray[np.int64]:
    """The counts that are not 0; entropy_from_counts says what is wrong with others."""
    entropy_from_counts(counts)
    found = np.asarray(counts).astype(np.int64).ravel()
    return found[found > 0]
