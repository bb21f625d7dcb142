"""Matrix-based Rényi entropy: a number of the eigenvalues of a kernel matrix, not an information.

It has some algebra of an entropy (it is at most log2 N, a pair has no less than either of its
parts) and needs neither bins nor densities, which is why papers on deep networks use it. But it is
a functional of the kernel and its width, not an estimate of Shannon's quantity; it converges to no
mutual information as samples are added, and what stands in its place may be negative, as a pair may
have more than both of its parts. Its axis says so.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.distance import cdist

from ibcore.estimators.base import LayerInformation, Ruler, positive_number
from ibcore.estimators.inputs import checked_labels, checked_layer

MOST_SAMPLES = 5000  # a matrix of 200 MB; its eigenvalues take a minute


@dataclass(frozen=True)
class MatrixRenyi(Ruler):
    """Matrix-based Rényi entropy S_α(T), and S_α(T) + S_α(Y) - S_α(T,Y); no mutual information.

    With A the matrix of a Gaussian kernel over its N samples, divided by N,

        S_α(T) = log2 Σ λ_i(A)^α / (1 - α),

    λ_i its eigenvalues; for labels the kernel is 1 for equal ones and 0 for others, and the pair
    has the product of both kernels. For α = 2 no eigenvalue is needed: S_2 = -log2 Σ_ij A_ij². X is
    taken as N inputs of which no two are alike, whose own S_α is log2 N and which determine T:
    S_α(X) + S_α(T) - S_α(X,T) is then S_α(T).

    Parameters
    ----------
    alpha : float
        α, positive and not 1; the literature has 1.01.
    width : float
        Of the kernel, as a multiple of the root mean square distance of two samples, so that the
        units of a layer do not matter. It decides the result as the width of bins does.

    References
    ----------
    Sánchez Giraldo, Rao & Príncipe (2015), *Measures of entropy from data using infinitely
    divisible kernels*; Yu et al. (2021), on convolutional networks.

    Examples
    --------
    >>> t, y = [[0.0], [0.0], [1.0], [1.0]], [0, 0, 1, 1]
    >>> [round(value, 6) for value in MatrixRenyi(alpha=2.0, width=0.01)(t, y)]
    [1.0, 1.0]
    """

    alpha: float = 2.0
    width: float = 0.5

    def __post_init__(self) -> None:
        """Make the types plain and refuse nonsense."""
        alpha = positive_number("alpha", self.alpha)
        if alpha == 1:
            raise ValueError("alpha must not be 1, where the formula is 0/0; take 1.01.")
        object.__setattr__(self, "alpha", alpha)
        object.__setattr__(self, "width", positive_number("width", self.width))

    @property
    def measures(self) -> str:
        """Label of an axis."""
        return f"S(T), matrix-based Rényi entropy of order {self.alpha:g}"

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """Bits, of t (sample, unit) and y (sample,)."""
        layer = checked_layer(t).astype(np.float64)
        if len(layer) > MOST_SAMPLES:
            raise ValueError(
                f"a kernel matrix of {len(layer)} samples is too large; take at most "
                f"{MOST_SAMPLES}, in a run OnSomeRows({self!r}, n_rows=1000)."
            )
        labels = checked_labels(y, len(layer))
        if labels.ndim != 1:
            raise ValueError(
                "MatrixRenyi compares classes, got probabilities; give one label each."
            )
        near = self.kernel(layer)
        alike = (labels[:, None] == labels).astype(np.float64)
        s_t, s_y, s_ty = (matrix_entropy(one, self.alpha) for one in (near, alike, near * alike))
        return LayerInformation(s_t, s_t + s_y - s_ty)

    def kernel(self, t: NDArray[np.float64]) -> NDArray[np.float64]:
        """(sample, sample): exp(-‖t_i - t_j‖² / 2w²), w the width times the rms distance."""
        t = t / max(float(np.abs(t).max()), np.finfo(float).tiny)
        mean_square = 2 * t.var(axis=0).sum()
        if mean_square == 0 or (t == t[0]).all():
            return np.ones((len(t), len(t)))
        with np.errstate(over="ignore", under="ignore"):
            return np.exp(-cdist(t, t, "sqeuclidean") / mean_square / (2 * self.width) / self.width)


def matrix_entropy(kernel: NDArray[np.float64], alpha: float) -> float:
    """S_α in bits of a kernel matrix (sample, sample) with ones on its diagonal.

    Examples
    --------
    >>> matrix_entropy(np.eye(8), 2.0)
    3.0
    """
    n = len(kernel)
    if alpha == 2:
        # The sum of squared eigenvalues is that of the squared entries.
        return float(2 * np.log2(n) - np.log2(np.sum(kernel * kernel))) + 0.0
    values = np.maximum(np.linalg.eigvalsh(kernel / n), 0)
    # Rounding leaves eigenvalues of 1e-17 where there are none: powers below 1 would count them.
    values = values[values > n * np.finfo(float).eps * values.max()]
    return float(np.log2(np.sum(values**alpha)) / (1 - alpha)) + 0.0
