"""Gaussian inputs: one binned neuron, linear layers, and the Gaussian information bottleneck."""

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_triangular
from scipy.special import ndtr

from ibcore.information import entropy

_FAR = 9.5  # standard deviations; a Gaussian has 2e-21 of its mass beyond
_MOST_BINS = 10**7


def single_neuron_information(
    weight: float,
    n_bins: int | None = None,
    activation: str = "tanh",
    width: float | None = None,
) -> float:
    """I(X; bin(T)), in bits, of one neuron T = f(w X) with X ~ N(0, 1).

    T is a function of X, so I = H(p) with the bin probabilities of a monotone f

        pₖ = Φ(f⁻¹(eₖ₊₁) / w) - Φ(f⁻¹(eₖ) / w).

    Parameters
    ----------
    weight : float
        w. Its sign does not matter, X being symmetric.
    n_bins : int, optional
        Number of equal bins on [-1, 1]; for tanh only, whose range that is.
    activation : str
        ``"tanh"``, ``"relu"`` or ``"linear"``.
    width : float, optional
        Width of bins with an edge at 0, in the units of T. Give this or ``n_bins``.

    Raises
    ------
    ValueError
        If not exactly one of ``n_bins`` and ``width`` is given, if ``n_bins`` comes with an
        activation that leaves [-1, 1], or for a value that is out of range.

    References
    ----------
    Saxe et al. (2018), *On the information bottleneck theory of deep learning*, figure 2.

    Examples
    --------
    A saturated neuron is a switch, so that one bit is left:

    >>> round(single_neuron_information(1e9, n_bins=30), 6)
    1.0
    >>> round(single_neuron_information(1.0, activation="linear", width=1 / 15), 6)
    5.954253
    """
    if activation not in ("tanh", "relu", "linear"):
        raise ValueError(f"activation must be tanh, relu or linear, got {activation!r}.")
    if not np.isfinite(weight):
        raise ValueError(f"weight must be finite, got {weight}.")
    w = abs(float(weight))
    if n_bins is not None and width is None:
        edges = _edges_of_bins(w, activation, n_bins)
    elif width is not None and n_bins is None:
        edges = _edges_of_width(w, activation, width)
    else:
        raise ValueError(f"give either n_bins or width, got n_bins={n_bins} and width={width}.")
    return entropy(_gaussian_bins(edges))


def _edges_of_bins(weight: float, activation: str, n_bins: int) -> NDArray[np.float64]:
    """Edges -1 + 2k/K between bins, as values of X: artanh(-1 + 2k/K) / w; none where w = 0."""
    if activation != "tanh":
        raise ValueError(f"n_bins divides [-1, 1], which {activation} leaves; give width= instead.")
    if n_bins < 1 or n_bins != int(n_bins):
        raise ValueError(f"n_bins must be a whole number of at least 1, got {n_bins}.")
    if weight == 0:
        return np.empty(0)
    # artanh(-1 + 2k/K) = ½ ln(k / (K - k)): no cancellation near the ends.
    k = np.arange(1, n_bins)
    return 0.5 * np.log(k / (n_bins - k)) / weight


def _edges_of_width(weight: float, activation: str, width: float) -> NDArray[np.float64]:
    """Edges jδ between bins, as values of X: f⁻¹(jδ) / w; none where w = 0."""
    if not (np.isfinite(width) and width > 0):
        raise ValueError(f"width must be positive and finite, got {width}.")
    if weight == 0:
        return np.empty(0)
    reach = _FAR * weight if activation != "tanh" else min(_FAR * weight, 1.0)
    n_edges = np.ceil(reach / width)
    if n_edges > _MOST_BINS:
        raise ValueError(
            f"weight / width = {weight / width:.3g} needs {n_edges:.3g} bins, more than "
            f"{_MOST_BINS:.0e}; take wider bins."
        )
    j = np.arange(1 if activation == "relu" else -n_edges, n_edges + 1)
    if activation == "tanh":
        inside = j[np.abs(j * width) < 1]
        return np.arctanh(inside * width) / weight
    # All of ReLU's x <= 0 stands at 0, the lower end of the first bin: no edge is needed there.
    return j * width / weight


def _gaussian_bins(edges: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities of the intervals between ascending edges, -∞ and ∞ added, X ~ N(0, 1)."""
    low = np.concatenate([[-np.inf], edges])
    high = np.concatenate([edges, [np.inf]])
    # In the upper tail Φ(-low) - Φ(-high): differences of small numbers, not of ones.
    return np.where(low > 0, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))


def linear_gaussian_information(
    weight: ArrayLike, covariance: ArrayLike, noise_variance: float
) -> float:
    """I(X;T), in bits, of a linear layer with Gaussian input and Gaussian noise.

    For T = WᵀX + ε with X ~ N(0, Σ) and ε ~ N(0, σ²I),

        I(X;T) = ½ log₂ det(I + WᵀΣW / σ²).

    Parameters
    ----------
    weight : (fan_in, unit) array
        W, in the orientation of ``Ensemble.weights``.
    covariance : (fan_in, fan_in) array
        Σ, symmetric and positive semi-definite.
    noise_variance : float
        σ², in the squared units of T. Zero is refused, not approximated: without noise
        a continuous input has infinite information.

    Raises
    ------
    ValueError
        If ``noise_variance`` is not positive, ``covariance`` is not symmetric and positive
        semi-definite, or the shapes do not fit.

    References
    ----------
    Cover & Thomas, *Elements of Information Theory*, ch. 9 (the Gaussian channel).

    Examples
    --------
    One unit at signal-to-noise ratio 3 carries one bit:

    >>> linear_gaussian_information([[1.0]], [[3.0]], noise_variance=1.0)
    1.0
    """
    w, sigma = np.atleast_2d(weight), _covariance(covariance)
    if not (np.isfinite(noise_variance) and noise_variance > 0):
        raise ValueError(f"noise_variance must be positive, got {noise_variance}.")
    if len(w) != len(sigma):
        raise ValueError(
            f"weight must be (fan_in, unit) with fan_in = {len(sigma)} as the covariance "
            f"has, got shape {w.shape}; transpose it?"
        )
    variances, axes = np.linalg.eigh(sigma)
    root = np.sqrt(np.maximum(variances, 0))[:, None] * (axes.T @ w)
    # Singular values of Σ^½W/σ, not det: with units that repeat each other the determinant
    # loses its 1 beside large signals, and it overflows past I = 512 bits.
    gains = np.linalg.svd(root, compute_uv=False) / np.sqrt(noise_variance)
    return float(0.5 * np.log1p(gains**2).sum() / np.log(2))


def gaussian_information(covariance: ArrayLike, n_first: int) -> float:
    """I(A;B), in bits, of the first entries A and the other entries B of a Gaussian vector.

        I(A;B) = ½ log₂ [det Σ_A det Σ_B / det Σ].

    Parameters
    ----------
    covariance : (entry, entry) array
        Σ of the whole vector, symmetric and positive definite.
    n_first : int
        Number of entries of A.

    Raises
    ------
    ValueError
        If Σ is singular (the information may be infinite) or leaves A or B empty.

    Examples
    --------
    Two variables of correlation ρ share -½ log₂(1 - ρ²):

    >>> round(gaussian_information([[1.0, 0.75], [0.75, 1.0]], 1), 6)
    0.596323
    """
    sigma = _covariance(covariance)
    if not 0 < n_first < len(sigma):
        raise ValueError(f"n_first must lie in 1..{len(sigma) - 1}, got {n_first}.")
    blocks = sigma[:n_first, :n_first], sigma[n_first:, n_first:], sigma
    signs, (log_a, log_b, log_all) = np.transpose([np.linalg.slogdet(block) for block in blocks])
    if (signs <= 0).any():
        raise ValueError("covariance is singular, which leaves I(A;B) infinite; add the noise.")
    return float(0.5 * (log_a + log_b - log_all) / np.log(2))


def canonical_correlations(covariance: ArrayLike, n_first: int) -> NDArray[np.float64]:
    """Correlations ρ of the paired directions of A and B, in descending order.

    The squares 1 - ρ² are the eigenvalues λ of Σ_{A|B} Σ_A⁻¹, and I(A;B) = -½ Σ log₂(1 - ρ²).

    Parameters
    ----------
    covariance : (entry, entry) array
        Σ of the whole vector, symmetric and positive definite.
    n_first : int
        Number of entries of A, the first ones.

    Returns
    -------
    (direction,) array
        As many as A or B has entries, whichever has fewer.

    Examples
    --------
    >>> canonical_correlations([[2.0, 0.6], [0.6, 0.5]], 1).round(12)
    array([0.6])
    """
    gaussian_information(covariance, n_first)  # refuses what is singular or leaves A or B empty
    sigma = _covariance(covariance)
    root_a = np.linalg.cholesky(sigma[:n_first, :n_first])
    root_b = np.linalg.cholesky(sigma[n_first:, n_first:])
    half = solve_triangular(root_a, sigma[:n_first, n_first:], lower=True)
    return np.linalg.svd(solve_triangular(root_b, half.T, lower=True), compute_uv=False)


def gaussian_ib_relevance(complexity: ArrayLike, correlation: ArrayLike) -> NDArray[np.float64]:
    """Most I(T;Y) at I(X;T) = R for Gaussian X and Y, in bits.

    For one pair of variables of correlation ρ

        I(T;Y) = -½ log₂(1 - ρ²(1 - 2⁻²ᴿ)).

    For vectors R is spent on the n directions with ρ² β > 1, all at the same β, which follows from

        R = ½ Σ log₂[(β - 1) ρ² / (1 - ρ²)],    I(T;Y) = -½ Σ log₂[(1 - ρ²) β / (β - 1)].

    Parameters
    ----------
    complexity : array of any shape
        R = I(X;T) in bits.
    correlation : float or (direction,) array
        ρ in [-1, 1], or the ``canonical_correlations`` of X and Y, below 1.

    References
    ----------
    Chechik, Globerson, Tishby & Weiss (2005), *Information bottleneck for Gaussian variables*.

    Examples
    --------
    >>> float(gaussian_ib_relevance(0.0, correlation=0.8))
    0.0

    Two equal pairs share the complexity:

    >>> two = gaussian_ib_relevance(2.0, correlation=[0.8, 0.8])
    >>> bool(np.isclose(two, 2 * gaussian_ib_relevance(1.0, correlation=0.8)))
    True
    """
    rate = np.asarray(complexity, dtype=np.float64)
    if np.ndim(correlation) == 0:
        rho = float(np.asarray(correlation))
        if not abs(rho) <= 1:
            raise ValueError(f"correlation must lie in [-1, 1], got {rho}.")
        lost = np.expm1(-2 * np.log(2) * rate)
        return -0.5 * np.log1p(rho**2 * lost) / np.log(2) + 0.0
    rho2 = _squared_correlations(correlation)
    # ln(β - 1) at which each direction joins in, and R when it does
    joins, gain = np.log((1 - rho2) / rho2), np.cumsum(np.log(rho2 / (1 - rho2)))
    spent = 0.5 * (np.arange(1, len(rho2) + 1) * joins + gain) / np.log(2)
    n = np.maximum(np.searchsorted(spent, rate, side="right"), 1)
    price = (2 * np.log(2) * rate - gain[n - 1]) / n  # ln(β - 1)
    most = np.cumsum(-np.log1p(-rho2))[n - 1]
    return 0.5 * (most - n * np.log1p(np.exp(-price))) / np.log(2) + 0.0


def gaussian_ib_curve(correlation: ArrayLike, betas: ArrayLike) -> xr.Dataset:
    """The bottleneck curve of Gaussian X and Y at given prices β of relevance.

        I(X;T) = ½ Σ log₂[(β - 1) ρ² / (1 - ρ²)],    I(T;Y) = I(X;T) - ½ Σ log₂(β ρ²),

    each over the directions with ρ² > 1 / β.

    Parameters
    ----------
    correlation : (direction,) array
        The ``canonical_correlations`` of X and Y, below 1.
    betas : (beta,) array
        Not negative. β = 1 / slope of the curve.

    Returns
    -------
    xarray.Dataset
        dim ``beta``; ``complexity`` I(X;T) and ``relevance`` I(T;Y) in bits, ``n_directions``; the
        attributes ``information`` I(X;Y) in bits, and ``critical_betas`` at which a direction
        joins in.

    References
    ----------
    Chechik, Globerson, Tishby & Weiss (2005), as above.

    Examples
    --------
    >>> curve = gaussian_ib_curve([0.8, 0.5], betas=[1.5, 2.0, 5.0])
    >>> curve.n_directions.values, curve.attrs["critical_betas"].round(4)
    (array([0, 1, 2]), array([1.5625, 4.    ]))
    """
    rho2 = _squared_correlations(correlation)
    grid = np.atleast_1d(np.asarray(betas, dtype=np.float64))
    if grid.ndim != 1 or not (np.isfinite(grid) & (grid >= 0)).all():
        raise ValueError(f"betas must be a list of finite numbers, none negative, got {grid}.")
    on = rho2 * grid[:, None] > 1
    beta = np.where(on, grid[:, None], 2.0)
    complexity = 0.5 * np.where(on, np.log2((beta - 1) * rho2 / (1 - rho2)), 0).sum(axis=1)
    lost = 0.5 * np.where(on, np.log2(beta * rho2), 0).sum(axis=1)
    bits = {"units": "bits"}
    return xr.Dataset(
        {
            "complexity": ("beta", complexity, {**bits, "long_name": "I(X;T)"}),
            "relevance": ("beta", complexity - lost, {**bits, "long_name": "I(T;Y)"}),
            "n_directions": ("beta", on.sum(axis=1), {"long_name": "directions in use"}),
        },
        coords={"beta": grid},
        attrs={
            "information": float(-0.5 * np.log1p(-rho2).sum() / np.log(2)),
            "critical_betas": 1 / rho2,
        },
    )


def _squared_correlations(correlation: ArrayLike) -> NDArray[np.float64]:
    """Squares above 0, the largest first."""
    rho = np.atleast_1d(np.asarray(correlation, dtype=np.float64))
    if rho.ndim != 1 or not (np.abs(rho) < 1).all():
        raise ValueError(
            f"correlations of several directions must lie between -1 and 1, got {rho}; at "
            "1 the information is infinite."
        )
    rho2 = np.sort(rho**2)[::-1]
    if not rho2.size or rho2[0] == 0:
        raise ValueError("all correlations are 0, and no T says anything about Y.")
    return rho2[rho2 > 0]


def _covariance(covariance: ArrayLike) -> NDArray[np.float64]:
    sigma = np.atleast_2d(np.asarray(covariance, dtype=np.float64))
    if sigma.ndim != 2 or sigma.shape[0] != sigma.shape[1]:
        raise ValueError(f"covariance must be a square matrix, got shape {sigma.shape}.")
    if not np.allclose(sigma, sigma.T):
        raise ValueError(
            "covariance must be symmetric; the largest asymmetry is "
            f"{np.abs(sigma - sigma.T).max():.3g}."
        )
    variances = np.linalg.eigvalsh(sigma)
    if variances[0] < -1e-10 * max(variances[-1], 0.0):
        raise ValueError(
            "covariance must be positive semi-definite; its smallest eigenvalue is "
            f"{variances[0]:.3g}."
        )
    return sigma
