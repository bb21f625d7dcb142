"""Kernel bounds: information of a layer to which Gaussian noise is added in thought.

With T + Z, Z ~ N(0, σ² I), T + Z is a mixture of as many Gaussians as there are samples. Its
entropy has no closed form, but bounds by pairwise distances (Kolchinsky & Tracey 2017): with

    S(i) = 1/N Σ_j exp(-‖t_i - t_j‖² / 2σ²),        S_y(i) the same over the samples of class y,

    I(X; T+Z) <= -1/N Σ_i log2 S(i)                     (upper, Kullback-Leibler),

and the lower bound (Bhattacharyya) is the same expression at 4σ². The entropy of the noise cancels
and is never computed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibcore.estimators.base import LayerInformation, Ruler, choice, positive_number
from ibcore.estimators.inputs import checked_layer
from ibcore.estimators.pairwise import Similarities, similarities
from ibcore.estimators.scaling import ordinary
from ibcore.information import entropy
from ibcore.kinds import shown
from ibcore.labels import label_distribution
from ibcore.randomness import generator

BOUNDS = ("upper", "lower")
SCALES = ("max", "max_squared", "rms_squared")


def kernel_information(
    t: ArrayLike, y: ArrayLike, variances: ArrayLike, **options: Any
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Upper bound on I(X; T+Z) and the difference of upper bounds for I(T+Z; Y), in bits.

    Parameters
    ----------
    t : (sample, unit) array
    y : labels, as in ``ibcore.information.label_distribution``
    variances : (variance,) array
    **options
        ``dtype`` and ``device`` of ``ibcore.estimators.pairwise.similarities``.

    Returns
    -------
    i_xt, i_ty : (variance,) arrays
        The lower bound at σ² is the upper one at 4σ².
    """
    found = similarities(t, y, variances, **options)
    mixture, per_class, prior = _mean_logs(found)
    return -mixture, per_class - prior - mixture


def _mean_logs(found: Similarities) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Means over samples of log2 S, of log2 p_y S_y, and of log2 p_y."""
    n = found.weight.sum()
    prior = np.bincount(found.label, found.weight)[found.label] / n
    mixture = np.log2(found.every / n) @ found.weight / n
    per_class = _log2(found.own / n) @ found.weight / n
    return mixture, per_class, _log2(prior) @ found.weight / n


def _log2(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """log2 p; 0 where p is, as a soft label so small weighs nothing."""
    return np.log2(np.where(p > 0, p, 1.0))


@dataclass(frozen=True, repr=False)
class KernelBound(Ruler):
    """Bound on I(X; T+Z), and the usual difference of two such bounds for I(T+Z; Y).

    The difference for I(T+Z; Y) = h(T+Z) - h(T+Z|Y) takes both entropies from bounds of the same
    kind. That is the quantity in the literature (Saxe et al. 2018), and no bound itself;
    ``LabelBound`` is one.

    Parameters
    ----------
    noise_variance : float or tuple of float
        σ². Several values cost little more than one where they are powers of two apart; the
        result then has one entry for each.
    bound : str
        ``"upper"`` or ``"lower"``.
    scale : str, optional
        Noise that follows the layer: σ² = noise_variance times ``"max"``, the largest activation
        (Chelombiev et al. 2019; not a scale-free choice, as σ² goes with the square of activity),
        ``"max_squared"``, its square, or ``"rms_squared"``, the mean square.

    Raises
    ------
    ValueError
        For a variance that is not positive, on construction or, with ``scale``, for a layer.

    References
    ----------
    Kolchinsky & Tracey (2017), *Estimating mixture entropy with pairwise distances*, eqs. 10, 13.

    Examples
    --------
    Two points that are 2σ apart:

    >>> t, y = [[0.0], [2.0]], [0, 1]
    >>> round(KernelBound(noise_variance=1.0, bound="upper")(t, y).i_xt, 6)
    0.816882
    >>> round(KernelBound(noise_variance=1.0, bound="lower")(t, y).i_xt, 6)
    0.316051
    >>> [round(one.i_xt, 4) for one in KernelBound(noise_variance=(4.0, 1.0))(t, y)]
    [0.3161, 0.8169]
    """

    noise_variance: float | tuple[float, ...] = 1e-3
    bound: str = "upper"
    scale: str | None = None

    def __post_init__(self) -> None:
        """Make the types plain and refuse nonsense."""
        given: Any = self.noise_variance
        if isinstance(given, np.ndarray) and given.ndim == 1:
            given = tuple(given)
        several = isinstance(given, tuple | list)
        hint = ", the square of a standard deviation"
        levels = tuple(
            positive_number("noise_variance", level, hint)
            for level in (given if several else (given,))
        )
        if not levels:
            raise ValueError("noise_variance must be positive; got no level at all.")
        object.__setattr__(self, "noise_variance", levels if several else levels[0])
        object.__setattr__(self, "bound", choice("bound", self.bound, BOUNDS))
        if self.scale is not None:
            object.__setattr__(self, "scale", choice("scale", self.scale, SCALES, "None or "))

    def __repr__(self) -> str:
        """Name in every result."""
        scale = f", scale={self.scale!r}" if self.scale else ""
        name = type(self).__name__
        return f"{name}(noise_variance={self.noise_variance}, bound={self.bound!r}{scale})"

    @property
    def measures(self) -> str:
        """Label of an axis."""
        return f"{self.bound} bound on I(X; T+Z)"

    @property
    def _variances(self) -> tuple[float, ...]:
        given = self.noise_variance
        return given if isinstance(given, tuple) else (given,)

    def levels(self) -> tuple[KernelBound, ...]:
        """One ruler for every noise level: the entries of a result."""
        if not isinstance(self.noise_variance, tuple):
            return (self,)
        return tuple(replace(self, noise_variance=level) for level in self.noise_variance)

    @classmethod
    def together(cls, rulers: Sequence[Self]) -> list[Self]:
        """Noise levels of one kind of bound, which share their distances."""
        kinds: dict[Self, list[Self]] = {}
        for one in rulers:
            kinds.setdefault(replace(one, noise_variance=1.0), []).append(one)
        return [
            replace(
                alike[0], noise_variance=tuple(level for one in alike for level in one._variances)
            )
            if len(alike) > 1
            else alike[0]
            for alike in kinds.values()
        ]

    def variances(self, t: np.ndarray) -> np.ndarray:
        """σ² of every level for a layer (sample, unit)."""
        levels = np.atleast_1d(self.noise_variance)
        if self.scale is None:
            return levels
        t = np.asarray(t, np.float64)
        with np.errstate(over="ignore"):
            size = {
                "max": lambda: t.max(),
                "max_squared": lambda: t.max() ** 2,
                "rms_squared": lambda: (t**2).mean(),
            }[self.scale]()
            found = levels * size
            mean_square = (t**2).mean()
        if not size > 0 or (self.scale == "max_squared" and t.max() <= 0):
            raise ValueError(
                f"the noise of scale={self.scale!r} follows the activations, but this layer has "
                f"the largest value {t.max():.3g} and the mean square {mean_square:.3g}: a dead "
                "layer, or one that is never positive. Use scale='rms_squared' or no scale."
            )
        if not ((found > 0) & np.isfinite(found)).all():
            raise ValueError(
                f"noise_variance={shown(self.noise_variance)} times {self.scale} of this layer, "
                f"{size:.3g}, is beyond float64; rescale the layer."
            )
        return found

    def __call__(self, t: ArrayLike, y: ArrayLike, **options: Any) -> Any:
        """Bits, of t (sample, unit) and y (sample,); a list for several noise levels."""
        layer = checked_layer(t)
        variances = self.variances(layer)
        groups = [variances]
        if not ordinary(layer, np.append(variances, _four_times(variances))):
            groups = np.split(variances, len(variances))
        parts = [self._information(layer, y, group, **options) for group in groups]
        i_xt, i_ty = np.concatenate(parts, axis=1)
        found = [LayerInformation(*map(float, pair)) for pair in zip(i_xt, i_ty, strict=True)]
        return found if isinstance(self.noise_variance, tuple) else found[0]

    def entries(self, t: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(level, number) bits. A dead layer has no scale for the noise to follow: it says 0."""
        if self.scale and t.min() == t.max():
            return np.zeros((len(self.levels()), 2))
        return np.reshape(self(t, y), (-1, 2))

    def _information(
        self, t: np.ndarray, y: ArrayLike, variances: NDArray[np.float64], **options: Any
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        variances = _four_times(variances) if self.bound == "lower" else variances
        return kernel_information(t, y, variances, **options)


def _four_times(variances: np.ndarray) -> np.ndarray:
    """4σ², or the largest number there is: beside either a layer is nothing."""
    with np.errstate(over="ignore"):
        return np.minimum(4 * variances, np.finfo(np.float64).max)


@dataclass(frozen=True, repr=False)
class LabelBound(KernelBound):
    """Valid bound on I(T+Z; Y); I(X; T+Z) as in ``KernelBound``.

    The upper bound takes h(T+Z) from above and h(T+Z|Y) from below, the lower bound the other way
    round; it may be negative.

    Examples
    --------
    >>> t, y = [[0.0], [2.0]], [0, 1]
    >>> [round(LabelBound(1.0, bound)(t, y).i_ty, 6) for bound in ("lower", "upper")]
    [0.316051, 0.816882]
    """

    @property
    def measures(self) -> str:
        """Label of an axis."""
        return f"{self.bound} bound on I(X; T+Z) and on I(T+Z; Y)"

    def _information(
        self, t: np.ndarray, y: ArrayLike, variances: NDArray[np.float64], **options: Any
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        n = len(variances)
        near = similarities(t, y, np.concatenate([variances, _four_times(variances)]), **options)
        mixture, per_class, prior = _mean_logs(near)
        loose, tight = slice(None, n), slice(n, None)
        if self.bound == "lower":
            loose, tight = tight, loose
        return -mixture[loose], per_class[tight] - prior - mixture[loose]


@dataclass(frozen=True, repr=False)
class MirroredKernelBound(KernelBound):
    """What one gets who codes equations 2 and 3 of Dong & Hisham as our text of them reads.

    In our text, a machine conversion of the paper (the PDF was not seen), the sums stand without
    the fraction that would make them a mean inside the logarithm. Read so they give the mirror
    images 2 log2 N - I(X; T+Z) and 2 H(Y) - I(T+Z; Y) of the bound with the fraction. A curve that
    rises and then falls in one reading falls and then rises in the other.
    """

    @property
    def measures(self) -> str:
        """Label of an axis."""
        return "2 log2(N) - bound on I(X; T+Z)"

    def _information(
        self, t: np.ndarray, y: ArrayLike, variances: NDArray[np.float64], **options: Any
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        i_xt, i_ty = super()._information(t, y, variances, **options)
        h_y = entropy(label_distribution(y).mean(axis=0))
        return 2 * np.log2(len(t)) - i_xt, 2 * h_y - i_ty


@dataclass(frozen=True, repr=False)
class TwiceNoisedKernelBound(KernelBound):
    """The bound on layers to which the noise has been added already, and is then added again.

    Dong & Hisham write that the h of their equations are outputs "after adding noise", with the
    same σ² in the kernel. One draw of Z, the same for all layers of one width and all epochs, is
    added to t, and the kernels then smooth once more. The draw moves rows apart that were close or
    equal, so that the number comes out larger: a layer that is constant gets
    d/2 [ln 2 + 1/2] nats instead of 0.

    """

    @property
    def measures(self) -> str:
        """Label of an axis."""
        return f"{self.bound} bound on I(X; T+Z), noise added twice"

    def _information(
        self, t: np.ndarray, y: ArrayLike, variances: NDArray[np.float64], **options: Any
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        z = generator(0, "measured_noise").standard_normal(np.shape(t))
        found = []
        for variance in variances:
            with np.errstate(over="ignore"):  # beyond float64 is infinite, and refused below
                noised = t + np.sqrt(variance) * z
            one, other = super()._information(noised, y, np.atleast_1d(variance), **options)
            found.append((one[0], other[0]))
        i_xt, i_ty = np.array(found).T
        return i_xt, i_ty
