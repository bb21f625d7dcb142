"""The fused training loop: one network, many updates, compiled once.

A block of samples passes forward and backward through all layers while it stays in the first-level
cache. The noise of hidden layers is drawn where it is added. The readable twin is
``ibcore.training.torch_batched``; tests hold them together.
"""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from ibcore.normals import draw
from ibcore.randomness import PURPOSES
from ibcore.simd import COMPILED, LANES
from ibcore.training.functions import PRELU
from ibcore.training.layers import (
    BLOCK,
    ROW,
    Floats,
    Integers,
    accumulate,
    activate,
    affine,
    back,
    drop,
    output_error,
    shake,
    through_activation,
    to_levels,
)
from ibcore.training.steps import follow, limit, penalize, retract, update

NOISE, DROPOUT = PURPOSES["noise"], PURPOSES["dropout"]
LOSSES = {"cross_entropy": 0, "squared_error": 1}


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
            affine(t, parameters, at, z, below, above, n_in, n_out, n)
            if layer < n_layers - 1:
                activate(z, t, above, parameters, alpha + hidden, n_out, n, code, reach)
                if levels > 0:
                    high = parameters[len(parameters) - n_layers + 1 + layer]
                    top = to_levels(t, z, above, n_out, n, lowest * high, high, levels)
                    peaks[layer] = max(peaks[layer], top)
                if noise_std > 0:
                    shake(t, above, noise, hidden, n_out, n)
                if dropout > 0:
                    drop(t, z, above, chance, hidden, n_out, n, cut, 1.0 / (1.0 - dropout))
                hidden += n_out
            else:
                output_error(z, above, labels, delta, n_outputs, n, scale, loss)
                for u in range(n_outputs):
                    for s in range(real, n):
                        delta[u * ROW + s] = 0
            below, at = above, at + (n_in + 1) * n_out
        for layer in range(n_layers - 1, -1, -1):
            n_in, n_out = widths[layer], widths[layer + 1]
            at -= (n_in + 1) * n_out
            below -= n_in * ROW
            accumulate(t, below, delta, gradient, at, n_in, n_out, n)
            if layer > 0:
                hidden -= n_in
                back(delta, parameters, at, other, n_in, n_out, n)
                through_activation(
                    other, z, below, parameters, gradient, alpha + hidden, n_in, n, code
                )
                delta, other = other, delta


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
            penalize(widths, parameters, gradient, decays, pulls)
            step += 1
            update(parameters, gradient, first, second, step, optimizer, learning_rate, momentum)
            if retractions.any():
                before[:] = parameters
                retract(widths, before, parameters, retractions)
            limit(widths, parameters, limits)
            if levels > 0:
                follow(parameters, peaks)
    return step
