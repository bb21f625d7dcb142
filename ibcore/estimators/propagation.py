"""Sample propagation: information in a network whose layers are noisy (Goldfeld et al. 2019).

In a noisy network T = S + Z, where S is the layer before its own noise and Z ~ N(0, σ² I). Passing
every input through the network R times gives R values of S per input, its replicas, and T is a
mixture of Gaussians around them: around all for p(t), around those of one input for p(t|x). With
the points t = s + σz drawn around the replicas,

    I(X;T) = E log2 [p(t|x) / p(t)],        I(T;Y) = E log2 [p(t|y) / p(t)].

Taking the ratio at each point, instead of one entropy after the other, lets the noise cancel where
clusters are far apart. In the first layer S is a function of x, and only the integration is random.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import ndtri

from ibcore.estimators.base import (
    LayerInformation,
    Ruler,
    Run,
    View,
    positive_number,
    real_number,
    whole_number,
)
from ibcore.estimators.inputs import checked_labels, real_floats
from ibcore.estimators.mixtures import gaussian_gain, propagate
from ibcore.estimators.scaling import in_units_of_noise
from ibcore.labels import label_distribution
from ibcore.networks.noisy import noisy_layers
from ibcore.randomness import generator, shuffled

MOST_NUMBERS = 2**28  # drawn for one layer: 2 GiB
MOST_SEED = 2**63
WIDEST_CONTROLLED = 32  # units of a layer whose covariances are worth their cost
FEWEST_CONTROLLED = 50  # degrees of freedom within rows
FARTHEST_SQUARES = 1e12  # in units of σ²; their rounding in float64 is then below 1e-3


class Propagated(NamedTuple):
    """Bits, with the standard errors of the Monte-Carlo integration."""

    i_xt: float
    i_ty: float
    i_xt_error: float
    i_ty_error: float


@dataclass(frozen=True)
class SamplePropagation(Ruler):
    """I(X;T) and I(T;Y) of a layer T = S + Z of a noisy network.

    Parameters
    ----------
    noise_std : float
        σ, the standard deviation of the layer's own noise.
    n_pairs : int
        Points per input, in antithetic pairs s ± σz; at least 2.
    seed : int
        Of z. The same z serve all layers of one width and all epochs, so that curves over epochs
        are smooth.
    n_replicas : int, optional
        How often a training run passes each input through the network; needed there, and only
        there.
    n_inputs : int, optional
        Inputs around whose replicas points are drawn, chosen at random; all by default. The
        mixtures are those of all inputs in either case, and the standard error grows by the
        scatter between inputs.

    Notes
    -----
    The standard error is that of the integration over z. With few replicas the plug-in mixtures
    are biased besides: every entropy comes out too small on average, that given x more so, which
    makes I(X;T) too large; more replicas show how much.

    References
    ----------
    Goldfeld et al. (2019), *Estimating information flow in deep neural networks*, section 3.

    Examples
    --------
    Two inputs 2σ apart carry 0.4859 bit:

    >>> t, y = np.array([[[0.0], [2.0]]]), [0, 1]
    >>> round(SamplePropagation(noise_std=1.0, n_pairs=20_000)(t, y).i_xt, 2)
    0.49
    """

    noise_std: float = 0.005
    n_pairs: int = 2
    seed: int = 0
    n_replicas: int | None = None
    n_inputs: int | None = None

    measures = "I(X; T) of the noisy network"
    numbers = ("i_xt", "i_ty", "i_xt_error", "i_ty_error")
    needs_run = True
    row_per_sample = False

    def __post_init__(self) -> None:
        """Make the types plain and refuse nonsense."""
        object.__setattr__(self, "noise_std", positive_number("noise_std", self.noise_std))
        for name, least, most in (
            ("n_pairs", 2, MOST_NUMBERS),
            ("seed", 0, MOST_SEED),
            ("n_replicas", 1, MOST_NUMBERS),
            ("n_inputs", 2, None),
        ):
            value = getattr(self, name)
            if value is not None or name in ("n_pairs", "seed"):
                object.__setattr__(self, name, whole_number(name, value, least, most))

    def prepare(self, run: Run) -> SamplePropagation:
        """Refuse a run whose networks have other noise, or a ruler without replicas."""
        noise_std = run.experiment.noise_std
        if noise_std != self.noise_std:
            raise ValueError(
                f"the networks have noise_std={noise_std:g}, the ruler {self.noise_std:g}; sample "
                "propagation measures the noise that a network has. KernelBound adds its own."
            )
        self._passes()
        return self

    def _passes(self) -> int:
        """How many times every input passes through a network."""
        if self.n_replicas is None:
            raise ValueError(
                "in a training run SamplePropagation passes every input through the network many "
                "times; give n_replicas, 1000 for the reference sizes."
            )
        return self.n_replicas

    def layers(self, view: View) -> list[np.ndarray]:
        """S (replica, sample, unit) of the hidden layers; the output has no noise of its own."""
        widest = max(weight.shape[-1] for weight in view.network.weights)
        n_replicas = self._passes()
        self._check_size("n_replicas", len(view.x) * widest)
        passed = noisy_layers(view.network, view.x, self.noise_std, n_replicas, self.seed)
        return passed[:-1]

    def _check_size(self, name: str, n_each: int) -> None:
        """Refuse what does not fit into memory."""
        most = 8 * MOST_NUMBERS if name == "n_replicas" else MOST_NUMBERS
        if getattr(self, name) * n_each > most:
            raise ValueError(
                f"{name}={getattr(self, name)} of this layer are {getattr(self, name) * n_each} "
                f"numbers, more than {most} at once; take fewer."
            )

    def entries(self, t: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(1, number): bits and their standard errors."""
        return np.array([self.with_errors(t, y)])

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """Bits, of t (replica, sample, unit), S before the layer's own noise, and y (sample,)."""
        return LayerInformation(*self.with_errors(t, y)[:2])

    def with_errors(self, t: ArrayLike, y: ArrayLike) -> Propagated:
        """The same with the standard errors of the integration."""
        s, p = _checked(t, y)
        rows = self._rows(len(p))
        replicas, noise = self._draws(s, len(rows))
        modes, dtype = in_units_of_noise(s, self.noise_std)
        gains = propagate(modes, p, replicas, noise, dtype, rows)
        # antithetic points are one draw
        draws = gains.reshape(len(rows), self.n_pairs, 2, 2).mean(axis=2) / np.log(2)
        if modes.shape[2] <= WIDEST_CONTROLLED:
            control = gaussian_gain(modes, replicas, noise, rows)
            draws = _less_scatter(draws, control.reshape(len(rows), self.n_pairs, 2).mean(axis=2))
        mean = draws.mean(axis=(0, 1))
        variance = (draws.var(axis=1, ddof=1) / self.n_pairs).sum(axis=0) / len(rows) ** 2
        # drawn without replacement: where all inputs are taken they do not scatter
        left_out = 1 - len(rows) / len(p)
        variance += left_out * draws.mean(axis=1).var(axis=0, ddof=1) / len(rows)
        return Propagated(*map(float, mean), *map(float, np.sqrt(variance)))

    def _rows(self, n_samples: int) -> np.ndarray:
        """The inputs around which points are drawn."""
        if self.n_inputs is None or self.n_inputs >= n_samples:
            return np.arange(n_samples)
        drawn = shuffled(np.arange(n_samples), generator(self.seed, "data"))
        return np.sort(drawn[: self.n_inputs])

    def _draws(self, t: np.ndarray, n_rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Replica (point,) and z (row, point, unit) of every point; points go in pairs ±z."""
        n_replicas, _, n_units = t.shape
        self._check_size("n_pairs", 2 * n_rows * n_units)
        replicas = np.repeat(np.arange(self.n_pairs) * n_replicas // self.n_pairs % n_replicas, 2)
        rng = generator(self.seed, "measured_noise")
        z = rng.standard_normal((n_rows, self.n_pairs, n_units))
        return replicas, np.stack([z, -z], axis=2).reshape(n_rows, -1, n_units)


def _less_scatter(draws: np.ndarray, control: np.ndarray) -> np.ndarray:
    """Draws (row, pair, number) less what a control (row, pair) of mean 0 says of their scatter.

    The coefficient is that of the regression within rows; few draws do not know it, and stay.
    """
    inner = control - control.mean(axis=1, keepdims=True)
    square = (inner**2).sum()
    if inner.size - len(inner) < FEWEST_CONTROLLED or not 0 < square < np.inf:
        return draws
    slopes = np.einsum("rp,rpk->k", inner, draws) / square
    return draws - slopes * control[..., None]


def _checked(t: ArrayLike, y: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """S (replica, sample, unit) and P(y|x) (sample, class)."""
    given: Any = t
    single = type(given) is np.ndarray and given.dtype == np.float32  # no copy of a gigabyte
    s: np.ndarray = given if single else real_floats("t", t)
    if s.ndim == 2:
        s = s[None]
    if s.ndim != 3 or 0 in s.shape or s.shape[1] < 2:
        raise ValueError(
            "t must be (replica, sample, unit) with at least two samples, or (sample, unit) for a "
            f"layer that is a function of x; got shape {s.shape}."
        )
    if not np.isfinite(s).all():
        raise ValueError("t must be finite; it holds NaN or infinity. Did the network diverge?")
    labels = checked_labels(y, s.shape[1])
    return s, label_distribution(labels)


def smoothed_entropy(
    samples: ArrayLike, noise_std: float, n_pairs: int = 1, seed: int = 0
) -> float:
    """h(S + Z), in bits, from samples of S: the entropy of Gaussians around the samples.

    The estimator of Goldfeld et al. (2020), section IV. With t = s_i ± σz,

        h = d/2 log2(2πeσ²) - E log2 [g(t) / φ(t - s_i)],   g = 1/n Σ_j φ(· - s_j),

    where the ratio lets the noise of the integration cancel. On average it is too small, entropy
    being concave.

    Parameters
    ----------
    samples : (sample, unit) array
    noise_std : float
        σ.
    n_pairs : int
        Antithetic pairs of points for each sample.
    seed : int
        Of z.

    Examples
    --------
    Of one point only the noise is left, ½ log2(2πe) = 2.05 bits for each unit:

    >>> round(smoothed_entropy(np.ones((5, 2)), noise_std=1.0), 4)
    4.0942
    """
    noise_std = _moderate_std(noise_std)
    n_pairs, seed = whole_number("n_pairs", n_pairs, 1), whole_number("seed", seed, 0, MOST_SEED)
    with np.errstate(over="ignore"):
        s = real_floats("samples", samples) / noise_std
        if s.ndim != 2 or not s.size or not (s**2).sum() < FARTHEST_SQUARES:
            raise ValueError(
                "samples must be (sample, unit) and finite, within about 1e6 standard deviations "
                f"of the noise from 0; got shape {s.shape}. Centre them, or take more noise."
            )
    n, d = s.shape
    square, rng, total = (s**2).sum(axis=1), generator(seed, "measured_noise"), 0.0
    for _ in range(n_pairs):
        z = rng.standard_normal((n, d))
        for t, own in ((s + z, (z**2).sum(axis=1)), (s - z, (z**2).sum(axis=1))):
            for rows in np.array_split(np.arange(n), -(-n // 1024)):
                gap = (t[rows] ** 2).sum(axis=1)[:, None] + square - 2 * t[rows] @ s.T
                ratio = np.exp((own[rows, None] - gap) / 2).mean(axis=1)
                total -= np.log2(ratio).sum()
    return float(d / 2 * np.log2(2 * np.pi * np.e * noise_std**2) + total / (2 * n_pairs * n))


def integration_bound(n_units: int, noise_std: float, n_points: float) -> float:
    """Bound on the standard error, in bits, of the plain Monte-Carlo entropy of a tanh layer.

    √(2 d (2 + σ²) / (σ² n)), n points in all (Goldfeld et al. 2019, theorem 5), far above what is
    seen; quote ``with_errors`` instead.
    """
    d, std = _layer(n_units, noise_std)
    variance = std**2
    n_points = _at_least_two("n_points", n_points)
    return float(np.sqrt(2 * d * (2 + variance) / variance / n_points) / np.log(2))


def risk_bound(n_units: int, noise_std: float, n_samples: float, epsilon: float = 0.0) -> float:
    """Bound on E|h - ĥ|, in nats, of the plug-in entropy of S + Z with S in [-1, 1]^d.

    Goldfeld, Greenewald & Polyanskiy (2018), *Estimating differential entropy under Gaussian
    convolutions*, equation 52. It holds for every distribution and is far too wide to be an error
    bar: 485 nats for d = 3, σ = 0.1, n = 4096.

    Examples
    --------
    >>> [round(risk_bound(d, 1.0, 1e9), 5) for d in (1, 2, 3)]
    [0.00074, 0.00166, 0.00368]
    """
    d, std = _layer(n_units, noise_std)
    v, n = std**2, _at_least_two("n_samples", n_samples)
    if not real_number("epsilon", epsilon) >= 0:
        raise ValueError(f"epsilon must be at least 0, got {epsilon}.")
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        reach = 2 + 2 * std * np.sqrt((2 + epsilon) * np.log(n))
        first = np.log(n * reach**d / (np.pi * v) ** (d / 2)) * reach ** (d / 2)
        first /= 2 * (4 * np.pi * v) ** (d / 4) * np.sqrt(n)
        c = 0.5 * d * np.log(2 * np.pi * v) + d / v
        second = c**2 + 2 * c * d * (1 + v) / v + 8 * d * (d + 2 * v**2 + d * v**2) / v**2
        bound = first + second * 2 / n
    if not np.isfinite(bound):
        raise ValueError(f"the bound overflows for n_units={n_units}, noise_std={noise_std}.")
    return float(bound)


def levels_apart(n_units: int, noise_std: float, epsilon: float = 0.01) -> int:
    """k*: how many levels per unit of [-1, 1] the noise keeps apart in all units at once.

    k* = ⌊1 / (σ Q⁻¹((1 - (1 - ε)^(1/d)) / 2))⌋ with Q the upper tail of N(0, 1). With fewer than
    k*^(d (1 - ε)) samples no good estimator has a negligible bias (Goldfeld et al. 2020).

    Examples
    --------
    >>> levels_apart(11, 0.1), levels_apart(12, 0.1)
    (3, 2)
    """
    d, std = _layer(n_units, noise_std)
    if not 0 < real_number("epsilon", epsilon) < 1:
        raise ValueError(f"epsilon must lie between 0 and 1, got {epsilon}.")
    # expm1 and log1p: 1 - (1 - ε)^(1/d) is small for many units
    tail = -0.5 * np.expm1(np.log1p(-epsilon) / d)
    return int(np.floor(1 / (std * -ndtri(tail))))


def _at_least_two(name: str, value: float) -> float:
    """A number of samples, which may be written as 1e9."""
    number = positive_number(name, value)
    if number < 2:
        raise ValueError(f"{name} must be at least 2, got {value}.")
    return number


def _layer(n_units: int, noise_std: float) -> tuple[int, np.float64]:
    """Settings of the bounds: d, and σ."""
    std = np.float64(_moderate_std(noise_std))
    return whole_number("n_units", n_units, least=1, most=10**6), std


def _moderate_std(noise_std: float) -> float:
    """A σ whose fourth power float64 holds."""
    std = positive_number("noise_std", noise_std)
    if not 1e-70 < std < 1e70:
        raise ValueError(f"noise_std must lie between 1e-70 and 1e70 here, got {noise_std}.")
    return std
