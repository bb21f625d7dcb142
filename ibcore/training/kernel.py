"""The fused training loop: one network, many updates, compiled once.

Axes inside this file are (unit, sample), samples contiguous, so that every inner loop runs along
samples in vector registers. A block of 128 samples passes forward and backward through all layers
while it stays in the first-level cache. The readable twin is ``ibcore.training.twin``; a test
holds them together.
"""

import numpy as np
from numba import njit

BLOCK = 128
CODES = {"linear": 0, "tanh": 1, "sigmoid": 2, "relu": 3, "softsign": 4}
OPTIMIZERS = {"sgd": 0, "momentum": 1, "adam": 2}

_FAST = {"nogil": True, "cache": True, "fastmath": {"contract", "reassoc", "nsz", "arcp"}}
f32 = np.float32


@njit(inline="always", **_FAST)
def _tanh(x):
    """Rational approximation of degree 13/6 on [-7.9, 7.9] (Eigen's), about 3 ulp of float32."""
    x = min(max(x, f32(-7.90531110763549805)), f32(7.90531110763549805))
    s = x * x
    p = f32(-2.76076847742355e-16)
    p = p * s + f32(2.00018790482477e-13)
    p = p * s + f32(-8.60467152213735e-11)
    p = p * s + f32(5.12229709037114e-08)
    p = p * s + f32(1.48572235717979e-05)
    p = p * s + f32(6.37261928875436e-04)
    p = p * s + f32(4.89352455891786e-03)
    q = f32(1.19825839466702e-06)
    q = q * s + f32(1.18534705686654e-04)
    q = q * s + f32(2.26843463243900e-03)
    q = q * s + f32(4.89352518554385e-03)
    return x * p / q


@njit(**_FAST)
def _affine(t, weight, bias, z, n_in, n_out, n):
    """z[u] = bias[u] + sum_i weight[i, u] t[i]; four inputs per pass over the samples."""
    for u in range(n_out):
        b = bias[u]
        out = z[u]
        for s in range(n):
            out[s] = b
        i = 0
        while i + 4 <= n_in:
            w0, w1, w2, w3 = weight[i, u], weight[i + 1, u], weight[i + 2, u], weight[i + 3, u]
            t0, t1, t2, t3 = t[i], t[i + 1], t[i + 2], t[i + 3]
            for s in range(n):
                out[s] += w0 * t0[s] + w1 * t1[s] + w2 * t2[s] + w3 * t3[s]
            i += 4
        while i < n_in:
            w0, t0 = weight[i, u], t[i]
            for s in range(n):
                out[s] += w0 * t0[s]
            i += 1


@njit(**_FAST)
def _activate(z, n_out, n, code):
    """t = f(z), in place."""
    for u in range(n_out):
        row = z[u]
        if code == 1:
            for s in range(n):
                row[s] = _tanh(row[s])
        elif code == 2:
            for s in range(n):
                row[s] = f32(0.5) + f32(0.5) * _tanh(f32(0.5) * row[s])
        elif code == 3:
            for s in range(n):
                row[s] = max(row[s], f32(0.0))
        elif code == 4:
            for s in range(n):
                row[s] = row[s] / (f32(1.0) + abs(row[s]))


@njit(**_FAST)
def _times_slope(delta, t, n_out, n, code):
    """delta *= f'(z), written in terms of t = f(z)."""
    for u in range(n_out):
        d, row = delta[u], t[u]
        if code == 1:
            for s in range(n):
                d[s] *= f32(1.0) - row[s] * row[s]
        elif code == 2:
            for s in range(n):
                d[s] *= row[s] * (f32(1.0) - row[s])
        elif code == 3:
            for s in range(n):
                d[s] = d[s] if row[s] > f32(0.0) else f32(0.0)
        elif code == 4:
            for s in range(n):
                d[s] *= (f32(1.0) - abs(row[s])) * (f32(1.0) - abs(row[s]))


@njit(**_FAST)
def _softmax_error(z, target, n_out, n, scale):
    """z becomes (softmax(z) - target) * scale, the gradient of the mean cross-entropy."""
    if n_out == 2:
        # softmax of two logits is a logistic function of their difference
        a, b = z[0], z[1]
        for s in range(n):
            p = f32(0.5) + f32(0.5) * _tanh(f32(0.5) * (b[s] - a[s]))
            a[s] = (f32(1.0) - p - target[0, s]) * scale
            b[s] = (p - target[1, s]) * scale
    else:
        for s in range(n):
            top = z[0, s]
            for u in range(1, n_out):
                top = max(top, z[u, s])
            total = f32(0.0)
            for u in range(n_out):
                z[u, s] = np.exp(z[u, s] - top)
                total += z[u, s]
            for u in range(n_out):
                z[u, s] = (z[u, s] / total - target[u, s]) * scale


@njit(**_FAST)
def _accumulate(t, delta, grad_weight, grad_bias, n_in, n_out, n):
    """grad_weight[i, u] += sum_s t[i, s] delta[u, s]; grad_bias[u] += sum_s delta[u, s]."""
    for u in range(n_out):
        d = delta[u]
        total = f32(0.0)
        for s in range(n):
            total += d[s]
        grad_bias[u] += total
        i = 0
        while i + 4 <= n_in:
            t0, t1, t2, t3 = t[i], t[i + 1], t[i + 2], t[i + 3]
            a0 = a1 = a2 = a3 = f32(0.0)
            for s in range(n):
                e = d[s]
                a0 += t0[s] * e
                a1 += t1[s] * e
                a2 += t2[s] * e
                a3 += t3[s] * e
            grad_weight[i, u] += a0
            grad_weight[i + 1, u] += a1
            grad_weight[i + 2, u] += a2
            grad_weight[i + 3, u] += a3
            i += 4
        while i < n_in:
            t0 = t[i]
            a0 = f32(0.0)
            for s in range(n):
                a0 += t0[s] * d[s]
            grad_weight[i, u] += a0
            i += 1


@njit(**_FAST)
def _back(delta, weight, out, n_in, n_out, n):
    """out[i] = sum_u weight[i, u] delta[u]."""
    for i in range(n_in):
        row = out[i]
        w0, d0 = weight[i, 0], delta[0]
        for s in range(n):
            row[s] = w0 * d0[s]
        u = 1
        while u + 3 <= n_out:
            w0, w1, w2 = weight[i, u], weight[i, u + 1], weight[i, u + 2]
            d0, d1, d2 = delta[u], delta[u + 1], delta[u + 2]
            for s in range(n):
                row[s] += w0 * d0[s] + w1 * d1[s] + w2 * d2[s]
            u += 3
        while u < n_out:
            w0, d0 = weight[i, u], delta[u]
            for s in range(n):
                row[s] += w0 * d0[s]
            u += 1


@njit(**_FAST)
def _gradient(x, target, rows, widths, parameters, gradient, t, delta, other, code):
    """Gradient of the mean cross-entropy over ``rows``, into ``gradient``."""
    n_layers = len(widths) - 1
    gradient[:] = f32(0.0)
    scale = f32(1.0) / f32(len(rows))
    n_outputs = widths[n_layers]
    labels = np.empty((n_outputs, BLOCK), np.float32)
    for start in range(0, len(rows), BLOCK):
        n = min(BLOCK, len(rows) - start)
        for s in range(n):
            row = rows[start + s]
            for f in range(widths[0]):
                t[f, s] = x[row, f]
            for c in range(n_outputs):
                labels[c, s] = target[row, c]
        below, at = 0, 0
        for layer in range(n_layers):
            n_in, n_out = widths[layer], widths[layer + 1]
            weight = parameters[at : at + n_in * n_out].reshape((n_in, n_out))
            bias = parameters[at + n_in * n_out : at + n_in * n_out + n_out]
            above = below + n_in
            _affine(t[below:], weight, bias, t[above:], n_in, n_out, n)
            if layer < n_layers - 1:
                _activate(t[above:], n_out, n, code)
            else:
                _softmax_error(t[above:], labels, n_out, n, scale)
                for u in range(n_out):
                    delta[u, :n] = t[above + u, :n]
            below, at = above, at + (n_in + 1) * n_out
        for back in range(n_layers):
            layer = n_layers - 1 - back
            n_in, n_out = widths[layer], widths[layer + 1]
            at -= (n_in + 1) * n_out
            below -= n_in
            weight = parameters[at : at + n_in * n_out].reshape((n_in, n_out))
            _accumulate(
                t[below:],
                delta,
                gradient[at : at + n_in * n_out].reshape((n_in, n_out)),
                gradient[at + n_in * n_out : at + n_in * n_out + n_out],
                n_in,
                n_out,
                n,
            )
            if layer > 0:
                _back(delta, weight, other, n_in, n_out, n)
                _times_slope(other, t[below:], n_in, n, code)
                delta, other = other, delta


@njit(**_FAST)
def train_epochs(
    x, target, orders, batch_size, widths, parameters, first, second, step,
    code, optimizer, learning_rate, momentum, n_epochs,
):  # fmt: skip
    """Run ``n_epochs`` epochs in place and return the number of updates done so far.

    Parameters
    ----------
    x : (sample, feature) float32, target : (sample, class) float32
    orders : (n_epochs or 1, n_train) int32
        Training rows in the order of each epoch; a single row is used for all epochs.
    widths : (layer + 1,) int64, parameters : (parameter,) float32
        Per layer the weights (fan_in, unit), then the biases.
    first, second : (parameter,) float32
        Optimiser state: velocity, or Adam's two moments.
    step : int
        Updates done before.
    """
    units = 0
    widest = 0
    for width in widths:
        units += width
        widest = max(widest, width)
    t = np.empty((units, BLOCK), np.float32)
    delta = np.empty((widest, BLOCK), np.float32)
    other = np.empty((widest, BLOCK), np.float32)
    gradient = np.empty_like(parameters)
    n_train = orders.shape[1]
    rate, mu = f32(learning_rate), f32(momentum)
    for epoch in range(n_epochs):
        order = orders[min(epoch, orders.shape[0] - 1)]
        for start in range(0, n_train, batch_size):
            rows = order[start : min(start + batch_size, n_train)]
            _gradient(x, target, rows, widths, parameters, gradient, t, delta, other, code)
            step += 1
            if optimizer == 0:
                for k in range(len(parameters)):
                    parameters[k] -= rate * gradient[k]
            elif optimizer == 1:
                for k in range(len(parameters)):
                    first[k] = mu * first[k] + gradient[k]
                    parameters[k] -= rate * first[k]
            else:
                # Kingma & Ba 2015, algorithm 1, with beta = (0.9, 0.999), epsilon = 1e-8
                c1 = f32(learning_rate / (1.0 - 0.9**step))
                c2 = f32(1.0 / (1.0 - 0.999**step))
                for k in range(len(parameters)):
                    g = gradient[k]
                    first[k] += f32(0.1) * (g - first[k])
                    second[k] += f32(0.001) * (g * g - second[k])
                    parameters[k] -= c1 * first[k] / (np.sqrt(second[k] * c2) + f32(1e-8))
    return step
