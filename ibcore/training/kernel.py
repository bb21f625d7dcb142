"""The fused training loop: one network, many updates, compiled once.

A block of samples passes forward and backward through all layers while it stays in the first-level
cache. Rows of the buffers are units, samples stand side by side, and every inner loop runs along
samples with the vectors of ``ibcore.simd``. The noise of hidden layers is drawn where it is added.
The readable twin is ``ibcore.training.torch_batched``; tests hold them together.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ibcore.networks.dense import RANGE_RATE, SMALLEST_RANGE
from ibcore.normals import STRETCH, draw
from ibcore.randomness import PURPOSES
from ibcore.simd import (
    COMPILED,
    DUST,
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
NOISE, DROPOUT = PURPOSES["noise"], PURPOSES["dropout"]
FAINT = DUST**0.5  # squared, it is dust
OPTIMIZERS = {"sgd": 0, "momentum": 1, "adam": 2}
LOSSES = {"cross_entropy": 0, "squared_error": 1}

Floats = np.ndarray
"""Numbers of one type within a run, float32 or float64."""
Integers = NDArray[np.int64]


@njit(**COMPILED)
def _affine(
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
def _activate(
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
def _shake(t: Floats, above: int, noise: Floats, hidden: int, n_out: int, n: int) -> None:
    """t += noise, of which the layer's first unit is the ``hidden``-th."""
    for u in range(n_out):
        for s in range(0, n, LANES):
            at = above + u * ROW + s
            store(t, at, load(t, at) + load(noise, (hidden + u) * BLOCK + s))


@njit(**COMPILED)
def _drop(
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
def _round(
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
def _through_activation(
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
def _output_error(
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
def _accumulate(
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
def _back(
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


@njit(**COMPILED)
def _gradient(
    x: Floats,
    target: Floats,
    order: NDArray[np.int32],
    first: int,
    size: int,
    seed: int,
    epoch: int,
    place: int,
    noise_std: float,
    dropout: float,
    cut: float,
    reach: float,
    levels: int,
    lowest: float,
    widths: Integers,
    parameters: Floats,
    gradient: Floats,
    peaks: Floats,
    code: int,
    loss: int,
    t: Floats,
    z: Floats,
    labels: Floats,
    delta: Floats,
    other: Floats,
    words: NDArray[np.uint32],
    noise: Floats,
    chance: Floats,
) -> None:
    """Gradient of the mean loss over the rows order[first : first + size], into ``gradient``.

    t and z hold BLOCK samples of every unit, inputs first, noise and chance those of the hidden
    ones; delta and other those of one layer. With levels, ``peaks`` takes the largest |t| of each
    hidden layer, and the highest levels stand at the end of the parameters.
    Layers and their parameters are places in flat arrays: slices would cost more than the sums.
    """
    n_layers = len(widths) - 1
    n_outputs = widths[n_layers]
    gradient[:] = 0
    scale = parameters.dtype.type(1.0 / size)
    for start in range(first, first + size, BLOCK):
        real = min(BLOCK, first + size - start)
        n = -(-real // LANES) * LANES  # the samples past `real` repeat the last one, without error
        for s in range(n):
            row = order[start + min(s, real - 1)]
            for f in range(widths[0]):
                t[f * ROW + s] = x[row, f]
            for c in range(n_outputs):
                labels[c * ROW + s] = target[row, c]
        if noise_std > 0:
            n_hidden = len(noise) // BLOCK
            draw(seed, NOISE, epoch, place + start, n_hidden, n, noise_std, words, noise)
        if dropout > 0:
            n_hidden = len(chance) // BLOCK
            draw(seed, DROPOUT, epoch, place + start, n_hidden, n, 1.0, words, chance)
        below = at = hidden = 0
        alpha = len(parameters)
        if code == PRELU:
            for width in widths[1:-1]:
                alpha -= width
        for layer in range(n_layers):
            n_in, n_out = widths[layer], widths[layer + 1]
            above = below + n_in * ROW
            _affine(t, parameters, at, z, below, above, n_in, n_out, n)
            if layer < n_layers - 1:
                _activate(z, t, above, parameters, alpha + hidden, n_out, n, code, reach)
                if levels > 0:
                    high = parameters[len(parameters) - n_layers + 1 + layer]
                    top = _round(t, z, above, n_out, n, lowest * high, high, levels)
                    peaks[layer] = max(peaks[layer], top)
                if noise_std > 0:
                    _shake(t, above, noise, hidden, n_out, n)
                if dropout > 0:
                    _drop(t, z, above, chance, hidden, n_out, n, cut, 1.0 / (1.0 - dropout))
                hidden += n_out
            else:
                _output_error(z, above, labels, delta, n_outputs, n, scale, loss)
                for u in range(n_outputs):
                    for s in range(real, n):
                        delta[u * ROW + s] = 0
            below, at = above, at + (n_in + 1) * n_out
        for layer in range(n_layers - 1, -1, -1):
            n_in, n_out = widths[layer], widths[layer + 1]
            at -= (n_in + 1) * n_out
            below -= n_in * ROW
            _accumulate(t, below, delta, gradient, at, n_in, n_out, n)
            if layer > 0:
                hidden -= n_in
                _back(delta, parameters, at, other, n_in, n_out, n)
                _through_activation(
                    other, z, below, parameters, gradient, alpha + hidden, n_in, n, code
                )
                delta, other = other, delta


@njit(**COMPILED)
def _away_from_orthonormal(
    weights: Floats, out: Floats, at: int, n_in: int, n_out: int, scale: float
) -> None:
    """out += scale (W W^T W - W), the gradient of scale/4 |W^T W - I|^2."""
    for k in range(at, at + n_in * n_out):
        out[k] -= scale * weights[k]
    for u in range(n_out):
        for v in range(n_out):
            product = weights.dtype.type(0)
            for i in range(at, at + n_in * n_out, n_out):
                product += weights[i + u] * weights[i + v]
            for i in range(at, at + n_in * n_out, n_out):
                out[i + v] += scale * product * weights[i + u]


@njit(**COMPILED)
def _penalize(
    widths: Integers, parameters: Floats, gradient: Floats, decays: Floats, pulls: Floats
) -> None:
    """Add the gradient of the penalties on the weights of every layer."""
    at = 0
    for layer in range(len(widths) - 1):
        n_in, n_out = widths[layer], widths[layer + 1]
        if decays[layer] != 0:
            for k in range(at, at + n_in * n_out):
                gradient[k] += decays[layer] * parameters[k]
        if pulls[layer] != 0:
            _away_from_orthonormal(parameters, gradient, at, n_in, n_out, pulls[layer])
        at += (n_in + 1) * n_out


@njit(**COMPILED)
def _retract(widths: Integers, before: Floats, parameters: Floats, retractions: Floats) -> None:
    """The Parseval update of every layer, from a copy of the parameters."""
    at = 0
    for layer in range(len(widths) - 1):
        n_in, n_out = widths[layer], widths[layer + 1]
        _away_from_orthonormal(before, parameters, at, n_in, n_out, -retractions[layer])
        at += (n_in + 1) * n_out


@njit(**COMPILED)
def _limit(widths: Integers, parameters: Floats, limits: Floats) -> None:
    """Scale the weights of every layer back to a largest Frobenius norm; 0 is none."""
    at = 0
    for layer in range(len(widths) - 1):
        n_in, n_out = widths[layer], widths[layer + 1]
        if limits[layer] > 0:
            square = parameters.dtype.type(0)
            for k in range(at, at + n_in * n_out):
                square += parameters[k] * parameters[k]
            factor = limits[layer] / max(np.sqrt(square), parameters.dtype.type(1e-30))
            if factor < 1:
                for k in range(at, at + n_in * n_out):
                    parameters[k] *= factor
        at += (n_in + 1) * n_out


@njit(**COMPILED)
def _follow(parameters: Floats, peaks: Floats) -> None:
    """Let the ranges at the end of the parameters follow the largest |t| of a batch."""
    first = len(parameters) - len(peaks)
    rate, least = parameters.dtype.type(RANGE_RATE), parameters.dtype.type(SMALLEST_RANGE)
    for layer in range(len(peaks)):
        high = parameters[first + layer]
        parameters[first + layer] = max(high + rate * (peaks[layer] - high), least)


@njit(**COMPILED)
def _update(
    parameters: Floats,
    gradient: Floats,
    first: Floats,
    second: Floats,
    step: int,
    optimizer: int,
    learning_rate: float,
    momentum: float,
) -> None:
    """One step of the optimiser, in place; ``step`` counts from 1."""
    number = parameters.dtype.type
    dust, faint = number(DUST), number(FAINT)
    rate, mu, epsilon = number(learning_rate), number(momentum), number(1e-8)
    if optimizer == 0:
        for k in range(len(parameters)):
            parameters[k] -= rate * gradient[k]
    elif optimizer == 1:
        for k in range(len(parameters)):
            v = mu * first[k] + gradient[k]
            first[k] = number(0) if abs(v) < dust else v
            parameters[k] -= rate * first[k]
    else:
        # Kingma & Ba 2015, algorithm 1, with beta = (0.9, 0.999), epsilon = 1e-8
        b1, b2 = number(1 - 0.9), number(1 - 0.999)
        c1 = number(learning_rate / (1.0 - 0.9**step))
        c2 = number(1.0 / (1.0 - 0.999**step))
        for k in range(len(parameters)):
            g = gradient[k]
            g = number(0) if abs(g) < faint else g  # its square would be subnormal
            m = first[k] + b1 * (g - first[k])
            v = second[k] + b2 * (g * g - second[k])
            first[k] = number(0) if abs(m) < dust else m
            second[k] = number(0) if v < dust else v
            parameters[k] -= c1 * first[k] / (np.sqrt(second[k] * c2) + epsilon)


@njit(**COMPILED)
def train_epochs(
    x: Floats,
    target: Floats,
    orders: NDArray[np.int32],
    seed: int,
    epoch: int,
    place: int,
    noise_std: float,
    dropout: float,
    cut: float,
    reach: float,
    levels: int,
    lowest: float,
    batch_size: int,
    widths: Integers,
    parameters: Floats,
    first: Floats,
    second: Floats,
    step: int,
    code: int,
    loss: int,
    optimizer: int,
    learning_rate: float,
    momentum: float,
    decays: Floats,
    pulls: Floats,
    retractions: Floats,
    limits: Floats,
    n_epochs: int,
) -> int:
    """Run ``n_epochs`` epochs in place and return the number of updates done so far.

    All numbers are of one type, float32 or float64.

    Parameters
    ----------
    x : (sample, feature), target : (sample, output)
    orders : (n_epochs or 1, n_train) int32
        Training rows in the order of each epoch; a single row is used for all epochs.
    seed, epoch, place : int
        Of the network, the first epoch, and where in the epoch's order ``orders`` begins: by
        these the noise of the hidden layers is drawn, as ``training_noise`` does.
    noise_std : float
        Its standard deviation; 0 for a network without.
    dropout, cut : float
        Share of the hidden units that drop out, and the normal quantile of it; 0 for none.
    reach : float
        r of hidden layers r f(z / r).
    levels, lowest : int, float
        Levels of rounded hidden layers, 0 for none, and the lowest in units of the highest.
    widths : (layer + 1,) int64, parameters : (parameter,)
        Per layer the weights (fan_in, unit), then the biases; then the slopes of PReLU, or the
        highest levels of rounded layers.
    first, second : (parameter,)
        Optimiser state: velocity, or Adam's two moments.
    step : int
        Updates done before.
    decays : (layer,)
        d W is added to the gradient of W.
    pulls, retractions : (layer,)
        p (W W^T W - W) is added to the gradient of W, or subtracted from W after the update.
    limits : (layer,)
        Largest Frobenius norms of the weights; 0 for none.
    """
    n_units, widest = 0, 0
    for width in widths:
        n_units += width
        widest = max(widest, width)
    kind = parameters.dtype
    t, z = np.zeros(n_units * ROW, kind), np.zeros(n_units * ROW, kind)
    delta, other = np.zeros(widest * ROW, kind), np.zeros(widest * ROW, kind)
    labels = np.zeros(widths[len(widths) - 1] * ROW, kind)
    gradient, before = np.empty_like(parameters), np.empty_like(parameters)
    words = np.zeros(4 * BLOCK, np.uint32)
    n_hidden = n_units - widths[0] - widths[len(widths) - 1]
    noise = np.zeros((n_hidden + 3) // 4 * 4 * BLOCK if noise_std > 0 else 0, kind)
    chance = np.zeros((n_hidden + 3) // 4 * 4 * BLOCK if dropout > 0 else 0, kind)
    peaks = np.zeros(len(widths) - 2 if levels > 0 else 0, kind)
    n_train = orders.shape[1]
    for k in range(n_epochs):
        order = orders[min(k, orders.shape[0] - 1)]
        for start in range(0, n_train, batch_size):
            size = min(batch_size, n_train - start)
            peaks[:] = 0
            _gradient(
                x, target, order, start, size, seed, epoch + k, place, noise_std, dropout, cut,
                reach, levels, lowest, widths, parameters, gradient, peaks, code, loss,
                t, z, labels, delta, other, words, noise, chance,
            )  # fmt: skip
            _penalize(widths, parameters, gradient, decays, pulls)
            step += 1
            _update(parameters, gradient, first, second, step, optimizer, learning_rate, momentum)
            if retractions.any():
                before[:] = parameters
                _retract(widths, before, parameters, retractions)
            _limit(widths, parameters, limits)
            if levels > 0:
                _follow(parameters, peaks)
    return step
