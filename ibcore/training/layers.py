"""What one layer does with a block of samples, forward and backward, in compiled loops.

Rows of the buffers are units, samples stand side by side, and every inner loop runs along samples
with the vectors of ``ibcore.simd``. Layers and their parameters are places in flat arrays: slices
would cost more than the sums.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ibcore.normals import STRETCH
from ibcore.simd import (
    COMPILED,
    LANES,
    decay,
    dusted,
    fill,
    fma,
    larger,
    load,
    nearest,
    smaller,
    store,
    total,
    where_positive,
)
from ibcore.training.functions import PRELU, activated

BLOCK = STRETCH  # samples
# Places from one unit to the next: rows a power of two apart would share sets of the cache, and a
# load would seem to wait for a store that is 4 KB away.
ROW = BLOCK + 16

Floats = np.ndarray
"""Numbers of one type within a run, float32 or float64."""
Integers = NDArray[np.int64]


@njit(**COMPILED)
def affine(
    t: Floats,
    parameters: Floats,
    at: int,
    z: Floats,
    below: int,
    above: int,
    n_in: int,
    n_out: int,
    n: int,
) -> None:
    """z[u] = bias[u] + sum_i weight[i, u] t[i], four units at a time."""
    bias = at + n_in * n_out
    for s in range(0, n, LANES):
        x_at, out = below + s, above + s
        u = 0
        while u + 4 <= n_out:
            b = bias + u
            z0, z1 = fill(parameters[b], t), fill(parameters[b + 1], t)
            z2, z3 = fill(parameters[b + 2], t), fill(parameters[b + 3], t)
            for i in range(n_in):
                x, w = load(t, x_at + i * ROW), at + i * n_out + u
                z0 = fma(x, parameters[w], z0)
                z1 = fma(x, parameters[w + 1], z1)
                z2 = fma(x, parameters[w + 2], z2)
                z3 = fma(x, parameters[w + 3], z3)
            store(z, out + u * ROW, z0)
            store(z, out + (u + 1) * ROW, z1)
            store(z, out + (u + 2) * ROW, z2)
            store(z, out + (u + 3) * ROW, z3)
            u += 4
        while u + 2 <= n_out:
            z0, z1 = fill(parameters[bias + u], t), fill(parameters[bias + u + 1], t)
            for i in range(n_in):
                x, w = load(t, x_at + i * ROW), at + i * n_out + u
                z0 = fma(x, parameters[w], z0)
                z1 = fma(x, parameters[w + 1], z1)
            store(z, out + u * ROW, z0)
            store(z, out + (u + 1) * ROW, z1)
            u += 2
        if u < n_out:
            z0 = fill(parameters[bias + u], t)
            for i in range(n_in):
                z0 = fma(load(t, x_at + i * ROW), parameters[at + i * n_out + u], z0)
            store(z, out + u * ROW, z0)


@njit(**COMPILED)
def activate(
    z: Floats,
    t: Floats,
    above: int,
    alphas: Floats,
    alpha_at: int,
    n_out: int,
    n: int,
    code: int,
    reach: float,
) -> None:
    """t = r f(z / r), its slope in the place of z; PReLU keeps z, which its slope's gradient needs.

    r is ``reach``.
    """
    wide = t.dtype.type(reach)
    inverse = t.dtype.type(1.0 / reach)
    for u in range(n_out):
        alpha = alphas[alpha_at + u] if code == PRELU else t.dtype.type(0)
        first = above + u * ROW
        for s in range(first, first + n, LANES):
            value, slope = activated(load(z, s) * inverse, code, alpha)
            store(t, s, value * wide)
            if code != PRELU:
                store(z, s, slope)


@njit(**COMPILED)
def shake(t: Floats, above: int, noise: Floats, hidden: int, n_out: int, n: int) -> None:
    """t += noise, of which the layer's first unit is the ``hidden``-th."""
    for u in range(n_out):
        for s in range(0, n, LANES):
            at = above + u * ROW + s
            store(t, at, load(t, at) + load(noise, (hidden + u) * BLOCK + s))


@njit(**COMPILED)
def drop(
    t: Floats,
    slope: Floats,
    above: int,
    chance: Floats,
    hidden: int,
    n_out: int,
    n: int,
    cut: float,
    kept: float,
) -> None:
    """t and its slope times 0 where a unit drops out, where its number is up to ``cut``."""
    zero = fill(0.0, t)
    for u in range(n_out):
        for s in range(0, n, LANES):
            at = above + u * ROW + s
            stays = load(chance, (hidden + u) * BLOCK + s) - cut
            factor = where_positive(stays, fill(kept, t), zero)
            store(t, at, load(t, at) * factor)
            store(slope, at, load(slope, at) * factor)


@njit(**COMPILED)
def to_levels(
    t: Floats, slope: Floats, above: int, n_out: int, n: int, low: float, high: float, levels: int
) -> float:
    """t becomes the nearest of equal levels from ``low`` to ``high``; returns the largest |t|.

    The slope stays where t lies between them, and is 0 outside.
    """
    step = (high - low) / (levels - 1)
    top = fill(0.0, t)
    for u in range(n_out):
        first = above + u * ROW
        for s in range(first, first + n, LANES):
            value = load(t, s)
            top = larger(top, larger(value, 0.0 - value))
            inside = smaller(larger(value, low), high)
            out = value - inside
            store(slope, s, where_positive(larger(out, 0.0 - out), 0.0, load(slope, s)))
            store(t, s, fma(nearest((inside - low) / step), step, fill(low, t)))
    lanes = np.empty(LANES, t.dtype)
    store(lanes, 0, top)
    return lanes.max()


@njit(**COMPILED)
def through_activation(
    delta: Floats,
    slope: Floats,
    below: int,
    parameters: Floats,
    gradient: Floats,
    alpha_at: int,
    n_out: int,
    n: int,
    code: int,
) -> None:
    """delta *= f'(z); for PReLU also the gradient of its slopes."""
    for u in range(n_out):
        first, row = below + u * ROW, u * ROW
        if code == PRELU:
            alpha, lost = parameters[alpha_at + u], fill(0.0, delta)
            for s in range(0, n, LANES):
                d, z = load(delta, row + s), load(slope, first + s)
                lost = fma(d, smaller(z, 0.0), lost)
                store(delta, row + s, dusted(d * activated(z, PRELU, alpha)[1]))
            gradient[alpha_at + u] += total(lost)
        else:
            for s in range(0, n, LANES):
                store(delta, row + s, dusted(load(delta, row + s) * load(slope, first + s)))


@njit(**COMPILED)
def output_error(
    z: Floats,
    above: int,
    target: Floats,
    delta: Floats,
    n_out: int,
    n: int,
    scale: float,
    loss: int,
) -> None:
    """delta = gradient of the mean loss with respect to the output layer's z."""
    for s in range(0, n, LANES):
        out = above + s
        if loss == 0:
            top, norm = load(z, out), fill(0.0, z)
            for u in range(1, n_out):
                top = larger(top, load(z, out + u * ROW))
            for u in range(n_out):
                e = decay(load(z, out + u * ROW) - top)
                norm = norm + e
                store(delta, u * ROW + s, e)
            scaled = scale / norm
            for u in range(n_out):
                k = u * ROW + s
                store(delta, k, dusted(load(delta, k) * scaled - load(target, k) * scale))
        else:
            for u in range(n_out):
                k = u * ROW + s
                store(delta, k, (load(z, out + u * ROW) - load(target, k)) * (scale + scale))


@njit(**COMPILED)
def accumulate(
    t: Floats, below: int, delta: Floats, gradient: Floats, at: int, n_in: int, n_out: int, n: int
) -> None:
    """Gradient of weight[i, u] += sum_s t[i, s] delta[u, s], of bias[u] += sum_s delta[u, s]."""
    for u in range(n_out):
        error = u * ROW
        a = fill(0.0, t)
        for s in range(0, n, LANES):
            a = a + load(delta, error + s)
        gradient[at + n_in * n_out + u] += total(a)
        i = 0
        while i + 4 <= n_in:
            a0 = a1 = a2 = a3 = fill(0.0, t)
            for s in range(0, n, LANES):
                d, x_at = load(delta, error + s), below + i * ROW + s
                a0 = fma(load(t, x_at), d, a0)
                a1 = fma(load(t, x_at + ROW), d, a1)
                a2 = fma(load(t, x_at + 2 * ROW), d, a2)
                a3 = fma(load(t, x_at + 3 * ROW), d, a3)
            w = at + i * n_out + u
            gradient[w] += total(a0)
            gradient[w + n_out] += total(a1)
            gradient[w + 2 * n_out] += total(a2)
            gradient[w + 3 * n_out] += total(a3)
            i += 4
        while i < n_in:
            a0 = fill(0.0, t)
            for s in range(0, n, LANES):
                a0 = fma(load(t, below + i * ROW + s), load(delta, error + s), a0)
            gradient[at + i * n_out + u] += total(a0)
            i += 1


@njit(**COMPILED)
def back(
    delta: Floats, parameters: Floats, at: int, out: Floats, n_in: int, n_out: int, n: int
) -> None:
    """out[i] = sum_u weight[i, u] delta[u], four inputs at a time."""
    for s in range(0, n, LANES):
        i = 0
        while i + 4 <= n_in:
            o0 = o1 = o2 = o3 = fill(0.0, delta)
            for u in range(n_out):
                d, w = load(delta, u * ROW + s), at + i * n_out + u
                o0 = fma(d, parameters[w], o0)
                o1 = fma(d, parameters[w + n_out], o1)
                o2 = fma(d, parameters[w + 2 * n_out], o2)
                o3 = fma(d, parameters[w + 3 * n_out], o3)
            store(out, i * ROW + s, o0)
            store(out, (i + 1) * ROW + s, o1)
            store(out, (i + 2) * ROW + s, o2)
            store(out, (i + 3) * ROW + s, o3)
            i += 4
        while i < n_in:
            o0 = fill(0.0, delta)
            for u in range(n_out):
                o0 = fma(load(delta, u * ROW + s), parameters[at + i * n_out + u], o0)
            store(out, i * ROW + s, o0)
            i += 1
