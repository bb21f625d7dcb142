"""InfoNCE: a critic learns which x belongs to which t; how well it does bounds the information.

    I(X;T) >= ⟨log2 [e^{f(x_i, t_i)} / (1/K Σ_j e^{f(x_j, t_i)})]⟩ <= log2 K

for any critic f and batches of K pairs. The critic here is the product of two small networks. Half
the samples train it, a quarter says when it was best, and it is read on the last quarter: what it
has learnt by heart does not count, and the number is below the truth but for scatter. A critic that
was never better than none is none, and says 0. It cannot pass log2 K.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibcore.estimators.base import LayerInformation, Ruler, positive_number, whole_number
from ibcore.estimators.inputs import checked_layer
from ibcore.labels import label_distribution
from ibcore.randomness import generator, shuffled

if TYPE_CHECKING:
    import torch

LEARNING_RATE = 2e-3
EVERY = 20  # steps between two looks at the quarter that chooses
FEATURES = 32  # of the two networks whose product is the critic


@dataclass(frozen=True)
class InfoNCE(Ruler):
    """Lower bound on I(X; T+Z) and I(T+Z; Y) from a trained critic, in bits.

    A deterministic layer without noise has infinite or log2 N bits; so noise is added as in
    ``KernelBound``, and what the layer without it tells of itself with it is I(X; T+Z).
    ``of_pair`` takes any two variables, without noise.

    Parameters
    ----------
    noise_variance : float
        σ² of Z, in the squared units of T.
    n_steps : int
        Of Adam, with fresh noise in each.
    batch_size : int
        K: log2 K is the ceiling. It is less where a quarter of the samples are fewer.
    width : int
        Hidden units of each of the two networks.
    seed : int
        Of the parts, the weights, the batches and the noise.

    References
    ----------
    van den Oord, Li & Vinyals (2018), *Representation learning with contrastive predictive coding*;
    Poole et al. (2019), *On variational bounds of mutual information*, eq. 10.
    """

    noise_variance: float = 1.0
    n_steps: int = 500
    batch_size: int = 256
    width: int = 64
    seed: int = 0

    measures = "InfoNCE lower bound on I(X; T+Z)"

    def __post_init__(self) -> None:
        """Make the types plain and refuse nonsense."""
        variance = positive_number("noise_variance", self.noise_variance)
        object.__setattr__(self, "noise_variance", variance)
        for name, least, most in (
            ("n_steps", 1, 10**7),
            ("batch_size", 2, 2**14),
            ("width", 1, 2**14),
            ("seed", 0, 2**63 - 1),
        ):
            object.__setattr__(self, name, whole_number(name, getattr(self, name), least, most))

    def most_bits(self, n_samples: int) -> float:
        """log2 K: what the bound cannot pass."""
        return float(np.log2(min(self.batch_size, n_samples - n_samples // 2 - n_samples // 4)))

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """Bits, of t (sample, unit) and y (sample,)."""
        layer = checked_layer(t).astype(np.float64)
        p_y = label_distribution(y)
        if len(p_y) != len(layer):
            raise ValueError(f"need one label for each of {len(layer)} samples, got {len(p_y)}.")
        noise_std = np.sqrt(self.noise_variance)
        return LayerInformation(
            self._bound(layer, layer, noise_std), self._bound(p_y, layer, noise_std)
        )

    def of_pair(self, x: ArrayLike, t: ArrayLike) -> float:
        """Lower bound on I(X;T) in bits, of x (sample, feature) and t (sample, unit) as they are.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> x, z = rng.normal(size=(2, 2000, 1))
        >>> 0.7 < InfoNCE(n_steps=200).of_pair(x, x + z / np.sqrt(3)) < 1.3  # the truth is 1 bit
        True
        """
        first, second = (checked_layer(one).astype(np.float64) for one in (x, t))
        if len(first) != len(second):
            raise ValueError(f"need as many rows of x as of t, got {len(first)} and {len(second)}.")
        return self._bound(first, second, 0.0)

    def _bound(self, x: NDArray[np.float64], t: NDArray[np.float64], noise_std: float) -> float:
        """The bound on the held-out half, in bits."""
        import torch

        if len(x) < 4:
            raise ValueError(f"half the samples train the critic: need at least 4, got {len(x)}.")
        order = shuffled(np.arange(len(x)), generator(self.seed, "split"))
        learnt, chosen, held_out = np.split(order, [len(x) // 2, len(x) // 2 + len(x) // 4])
        noised = noise_std * generator(self.seed, "noise").standard_normal(t.shape) + t
        x, _ = _standardised(x, x[learnt])
        t, scale = _standardised(t, noised[learnt])
        noise = np.where(scale > 0, noise_std / np.where(scale > 0, scale, 1.0), 0.0)
        batches, z = generator(self.seed, "batches"), generator(self.seed, "measured_noise")

        def pairs(rows: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
            noisy = t[rows] + noise * z.standard_normal((len(rows), t.shape[1]))
            return torch.as_tensor(x[rows]).float(), torch.as_tensor(noisy).float()

        def read(rows: NDArray[np.int64]) -> float:
            return _read(critic, pairs, rows, min(self.batch_size, len(rows)))

        size = min(self.batch_size, len(learnt))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            critic = _critic(x.shape[1], t.shape[1], self.width)
        best = _train(
            critic,
            lambda: pairs(batches.choice(learnt, size, replace=False)),
            lambda: read(chosen),
            self.n_steps,
        )
        return read(held_out) if best > 0 else 0.0


def _standardised(
    values: NDArray[np.float64], of: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values less the mean of some, over their standard deviation; and the deviation."""
    centre, spread = of.mean(axis=0), of.std(axis=0)
    return (values - centre) / np.where(spread > 0, spread, 1.0), spread


def _critic(n_x: int, n_t: int, width: int) -> Any:
    """Two networks side by side: features of x, features of t."""
    from torch import nn

    def network(n_inputs: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Linear(n_inputs, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(),
            nn.Linear(width, FEATURES),
        )  # fmt: skip

    return nn.ModuleList([network(n_x), network(n_t)])


def _gain(critic: Any, x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
    """(pair,): f(x_i, t_i) - ln [1/K Σ_j e^{f(x_j, t_i)}], nats."""
    scores = critic[1](t) @ critic[0](x).T
    return scores.diagonal() - scores.logsumexp(dim=1) + np.log(len(x))


def _train(
    critic: Any,
    draw: Callable[[], tuple[Any, Any]],
    judged: Callable[[], float],
    n_steps: int,
) -> float:
    """Train the critic and leave it as it was at its best; how good that was, in bits."""
    import torch

    optimiser = torch.optim.Adam(critic.parameters(), lr=LEARNING_RATE, weight_decay=1e-4)
    best, kept = 0.0, copy.deepcopy(critic.state_dict())
    for step in range(1, n_steps + 1):
        optimiser.zero_grad()
        (-_gain(critic, *draw()).mean()).backward()
        optimiser.step()
        if step % EVERY == 0 or step == n_steps:
            found = judged()
            if found > best:
                best, kept = found, copy.deepcopy(critic.state_dict())
    critic.load_state_dict(kept)
    return best


def _read(
    critic: Any, pairs: Callable[..., tuple[Any, Any]], rows: NDArray[np.int64], size: int
) -> float:
    """The bound in bits, over whole batches of rows that were not trained on."""
    import torch

    with torch.no_grad():
        parts = [rows[i : i + size] for i in range(0, len(rows) - size + 1, size)]
        return float(np.mean([_gain(critic, *pairs(part)).mean() for part in parts]) / np.log(2))
