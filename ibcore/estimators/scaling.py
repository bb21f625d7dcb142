"""Layers beyond the reach of the fast kernels, brought within it without changing what they say.

Information under noise depends on t / σ alone, and a product with a power of two rounds nothing.
Where the noise is far smaller than the least gap between two different values of a unit, different
rows do not overlap, and noise a little larger says the same. What neither of the two can help is
refused by name.
"""

from math import frexp

import numpy as np

# Of |t| and σ², so that float32 holds differences, 1/σ² and squares of 2**-24 σ². A larger square
# may overflow: its kernel is 0 all the same.
LARGEST, LEAST_VARIANCE, LARGEST_VARIANCE = 2.0**126, 2.0**-100, 2.0**120
APART = 20.0  # in σ: the kernel of two rows is then below e^-200
# Of σ, that float32 holds it; of |t| / σ, that noise is not lost in float32, in float64.
LEAST_SINGLE = 1e-30
LARGEST_SINGLE, LARGEST_DOUBLE = 2.0**17, 2.0**40


def ordinary(t: np.ndarray, variances: np.ndarray) -> bool:
    """Whether float32 holds all kernels of a layer as it is."""
    within = variances.min() >= LEAST_VARIANCE and variances.max() <= LARGEST_VARIANCE
    return bool(within) and _largest(t) <= LARGEST


def within_reach(t: np.ndarray, variances: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A layer and noise variances, times 2^k and 4^k, whose kernels float32 can hold.

    Ordinary ones come back as they are. A variance so small that no rows overlap is replaced by the
    least one.

    Parameters
    ----------
    t : (sample, unit) array
    variances : (variance,) array
        σ², positive and finite.

    Raises
    ------
    ValueError
        If values of a unit differ by so little, beside others that are so large, that float32
        cannot say how far they overlap; or if several variances are too far apart for one pass.
    """
    if ordinary(t, variances):
        return t, variances
    least, largest = variances.min(), _largest(t)
    power = -(frexp(least)[1] // 2)  # σ is about 1 if t allows it
    if largest:
        power = min(power, frexp(LARGEST)[1] - 1 - frexp(largest)[1])
    moved = np.ldexp(t.astype(np.float64), power)
    with np.errstate(over="ignore"):
        scaled = np.ldexp(variances, 2 * power)
    if scaled.max() > LARGEST_VARIANCE:
        raise ValueError(
            f"noise variances from {least:.3g} to {variances.max():.3g} are too far apart for one "
            "pass over this layer; take them one by one."
        )
    gap = _smallest_gap(moved)
    if scaled.min() < LEAST_VARIANCE and gap < APART * np.sqrt(LEAST_VARIANCE):
        raise ValueError(
            f"a noise variance of {least:.3g} is too small to be measured in a layer that reaches "
            f"{largest:.3g} and has values only {np.ldexp(gap, -power):.3g} apart: float32 cannot "
            "hold both. Take more noise, or Exact()."
        )
    return moved, np.maximum(scaled, LEAST_VARIANCE)


def in_units_of_noise(s: np.ndarray, noise_std: float) -> tuple[np.ndarray, type]:
    """Modes s / σ, and the type of float in which a point near one still shows its noise.

    Parameters
    ----------
    s : (replica, sample, unit) array
        Float64, or float32, which then stays it where that is enough.
    noise_std : float
        σ.

    Raises
    ------
    ValueError
        If the noise is lost beside the modes even in float64, and some modes may overlap.
    """
    if not LEAST_SINGLE < noise_std < 1 / LEAST_SINGLE:  # in float32 it would be 0 or infinite
        s = s.astype(np.float64)
    with np.errstate(over="ignore"):
        modes = s / noise_std
    if _largest(modes) <= LARGEST_SINGLE:
        return modes, np.float32
    s = s.astype(np.float64)
    # From here on nothing can overflow: |s| is at most 1.
    reach = _largest(s)
    power = -frexp(reach)[1]
    s = np.ldexp(s, power)
    std = max(np.ldexp(noise_std, power), np.finfo(np.float64).tiny)
    gap = _smallest_gap(s.reshape(-1, s.shape[-1]))
    s = s - (s.min(axis=(0, 1)) + s.max(axis=(0, 1))) / 2
    # float64 rounds the centre by far less than a gap that matters here
    if _largest(s) > LARGEST_DOUBLE * std:
        std = max(std, gap / (3 * APART))
    if _largest(s) > LARGEST_DOUBLE * std:
        raise ValueError(
            f"noise_std={noise_std:.3g} is too small to be measured in a layer that reaches "
            f"{reach:.3g} and has values only {np.ldexp(gap, -power):.3g} apart: float64 cannot "
            "hold both. Take more noise, or Exact()."
        )
    return s / std, np.float64


def _largest(t: np.ndarray) -> float:
    return float(max(t.max(), -t.min()))


def _smallest_gap(t: np.ndarray) -> float:
    """Least distance between two different values of one unit; t (sample, unit)."""
    gaps = np.diff(np.sort(t, axis=0), axis=0)
    return float(gaps.min(where=gaps > 0, initial=np.inf))
