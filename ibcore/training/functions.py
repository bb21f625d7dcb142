"""Activation functions on vectors: the value and the slope of each, from z.

Only what a compiled loop needs; the definitions that a reader wants are in ``ibcore.networks``,
and a test holds the two together.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numba import njit, types
from numba.extending import overload
from numpy.typing import NDArray
from scipy.special import erfcx

from ibcore.config import ACTIVATIONS
from ibcore.simd import (
    INLINE,
    Lanes,
    decay,
    fill,
    fitted,
    fma,
    larger,
    polynomial,
    smaller,
    where_positive,
)

CODES = {name: code for code, name in enumerate(ACTIVATIONS)}
(
    LINEAR, TANH, SIGMOID, RELU, SOFTSIGN, SOFTPLUS, LEAKY_RELU, ELU, CENTRED_SOFTPLUS, SWISH,
    GELU, ABS, PRELU, HARD_TANH,
) = range(len(CODES))  # fmt: skip


def _log1p_ratio(x: NDArray[np.float64]) -> NDArray[np.float64]:
    u = (x + 1) / 2
    return np.log1p(u) / u


def _scaled_erfcx(x: NDArray[np.float64]) -> NDArray[np.float64]:
    # x = (a - k) / (a + k) maps a in [0, inf) onto [-1, 1) (Shepherd & Laframboise 1981)
    a = ERF_MIDDLE * (1 + x) / np.maximum(1 - x, 1e-300)
    return np.where(x < 1, (1 + 2 * a) * erfcx(a), 2 / np.sqrt(np.pi))


ERF_MIDDLE = 3.75
LOG1P = fitted(_log1p_ratio, 20)  # log(1 + u) / u, 0 < u <= 1
ERFCX = fitted(_scaled_erfcx, 24)

INLINED: Any = INLINE  # Numba's own table of options lacks ``cache``


def tanh(x: Lanes) -> Lanes:
    """Tanh on vectors; float32 by a rational function, float64 by exp."""
    raise NotImplementedError("for compiled code only")


@overload(tanh, inline="never", jit_options=INLINED)
def _tanh(x: Lanes) -> Callable[[Lanes], Lanes]:
    def single(x: Lanes) -> Lanes:
        # degree 13 over degree 6 on [-7.9, 7.9] (Eigen's), about 3 ulp
        x = smaller(larger(x, -7.90531110763549805), 7.90531110763549805)
        s = x * x
        p = fma(s, -2.76076847742355e-16, fill(2.00018790482477e-13, s))
        p = fma(p, s, -8.60467152213735e-11)
        p = fma(p, s, 5.12229709037114e-08)
        p = fma(p, s, 1.48572235717979e-05)
        p = fma(p, s, 6.37261928875436e-04)
        p = fma(p, s, 4.89352455891786e-03)
        q = fma(s, 1.19825839466702e-06, fill(1.18534705686654e-04, s))
        q = fma(q, s, 2.26843463243900e-03)
        q = fma(q, s, 4.89352518554385e-03)
        return x * p / q

    def double(x: Lanes) -> Lanes:
        e = decay(larger(x, 0.0 - x) * -2.0)
        t = (1.0 - e) / (1.0 + e)
        return where_positive(x, t, 0.0 - t)

    return single if x.dtype == types.float32 else double


@njit(**INLINE)
def _sigmoid(z: Lanes) -> Lanes:
    return fma(tanh(z * 0.5), 0.5, fill(0.5, z))


@njit(**INLINE)
def _softplus(z: Lanes) -> Lanes:
    u = decay(smaller(z, 0.0 - z))
    return fma(u, polynomial(fma(u, 2.0, fill(-1.0, u)), LOG1P), larger(z, 0.0))


@njit(**INLINE)
def _normal_cdf(z: Lanes) -> tuple[Lanes, Lanes]:
    """P(Z <= z) of a standard normal Z, and its density times sqrt(2 pi)."""
    a = larger(z, 0.0 - z) * 0.7071067811865476
    bell = decay(z * z * -0.5)
    tail = bell * polynomial((a - ERF_MIDDLE) / (a + ERF_MIDDLE), ERFCX) / fma(a, 4.0, fill(2.0, a))
    return where_positive(z, 1.0 - tail, tail), bell


@njit(**INLINE)
def activated(z: Lanes, code: int, alpha: float) -> tuple[Lanes, Lanes]:
    """Value and slope of an activation function.

    Parameters
    ----------
    z : Vector
    code : int
        One of ``CODES``.
    alpha : float
        Slope of PReLU for negative z.
    """
    zero, one = fill(0.0, z), fill(1.0, z)
    if code == TANH:
        t = tanh(z)
        return t, one - t * t
    if code == SIGMOID:
        t = _sigmoid(z)
        return t, t * (1.0 - t)
    if code == RELU:
        return larger(z, 0.0), where_positive(z, one, zero)
    if code == LEAKY_RELU:
        return where_positive(z, z, z * 0.01), where_positive(z, one, fill(0.01, z))
    if code == PRELU:
        return where_positive(z, z, z * alpha), where_positive(z, one, fill(alpha, z))
    if code == ELU:
        e = decay(smaller(z, 0.0))
        return where_positive(z, z, e - 1.0), where_positive(z, one, e)
    if code == SOFTPLUS:
        return _softplus(z), _sigmoid(z)
    if code == CENTRED_SOFTPLUS:
        return _softplus(z) - 0.6931471805599453, _sigmoid(z)
    if code == SOFTSIGN:
        s = 1.0 / (1.0 + larger(z, 0.0 - z))
        return z * s, s * s
    if code == SWISH:
        s = _sigmoid(z)
        t = z * s
        return t, s + t * (1.0 - s)
    if code == GELU:
        p, bell = _normal_cdf(z)
        return z * p, fma(z * bell, 0.3989422804014327, p)
    if code == ABS:
        sign = where_positive(z, one, where_positive(0.0 - z, zero - one, zero))
        return larger(z, 0.0 - z), sign
    if code == HARD_TANH:
        inside = where_positive(1.0 - larger(z, 0.0 - z), one, zero)
        return smaller(larger(z, -1.0), 1.0), inside
    return z, one
