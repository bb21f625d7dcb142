"""What decides a result: the experiment, its parts and their names.

This is the bottom floor. It knows no device, path or thread.
"""

import hashlib
import json
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from ibcore.kinds import Kind, grouped, number, one_of, or_none, several, shown, whole

# Name -> "module:function". A file, not a list in a module: a task more must not change the code
# that the results of the other tasks were made by.
TASK_LOADERS: dict[str, str] = tomllib.loads(
    (Path(__file__).parent / "tasks" / "tasks.toml").read_text(encoding="utf-8")
)
TASKS = tuple(TASK_LOADERS)
# Name -> hash of the data, of tasks that a user registered: see ``accept_task``.
OWN_TASKS: dict[str, str] = {}
ACTIVATIONS = (
    "linear", "tanh", "sigmoid", "relu", "softsign", "softplus", "leaky_relu", "elu",
    "centred_softplus", "swish", "gelu", "abs", "prelu", "hard_tanh",
)  # fmt: skip
INITIALIZERS = (
    "fan_in", "fan_out", "saxe", "glorot_normal", "glorot_uniform", "he_normal", "torch",
)  # fmt: skip
OPTIMIZERS = ("sgd", "momentum", "adam")
LOSSES = ("cross_entropy", "squared_error")
L2_CONVENTIONS = ("sum", "half_sum")
PARSEVAL_FORMS = ("update", "penalty")
NORMALIZATIONS = ("none", "batch")
SPLITS = ("random", "unshuffled", "grouped")
CONTROLS = ("none", "growth")
PROFILES = ("smoke", "paper")

# These say how much is measured, not what is trained, and stay out of the digest: seeds and
# epochs can be added to a result without redoing it.
_NOT_IDENTITY = ("n_seeds", "first_seed", "n_measured_epochs", "measured_epochs")
# These count only where they are used, so that a setting may be added without renaming results.
_IDENTITY_IF_USED = {
    "loss": "cross_entropy", "l2": 0.0, "parseval": 0.0, "noise_std": 0.0, "convolutions": (),
    "dropout": 0.0, "bits": 0, "norm_limit": 0.0, "output_range": 1.0, "normalization": "none",
    "control": "none",
}  # fmt: skip


# Every field of an experiment. The limits are far above what one machine can train; they are there
# so that a slip of the pen is a sentence, not an hour of swapping.
MOST_EPOCHS, MOST_LAYERS = 10**8, 100
MOST_WEIGHTS = 2**28  # of one network, between layers whose widths the experiment names: 1 GiB
FIELDS: dict[str, Kind] = {
    "task": one_of(*TASKS, own=OWN_TASKS, besides=", or a task given to ib.register_task"),
    "hidden_widths": several(whole(1, 65_536), 1, MOST_LAYERS),
    "activation": one_of(*ACTIVATIONS),
    "initializer": one_of(*INITIALIZERS),
    "init_gain": number("(0, 1e30]"),
    "optimizer": one_of(*OPTIMIZERS),
    "learning_rate": number("(0, 1e30]"),
    "momentum": number("[0, 1)"),
    "loss": one_of(*LOSSES),
    "l2": number("[0, 1e30]"),
    "l2_convention": one_of(*L2_CONVENTIONS),
    "parseval": number("[0, 1e30]"),
    "parseval_form": one_of(*PARSEVAL_FORMS),
    "regularized_layers": or_none(several(whole(1, 2 * MOST_LAYERS), 1, 2 * MOST_LAYERS)),
    "noise_std": number("[0, 1e30]"),
    "convolutions": several(whole(1, 4096), 0, 10),
    "dropout": number("[0, 1)"),
    "bits": whole(0, 16),
    "norm_limit": number("[0, 1e30]"),
    "output_range": number("(0, 1e30]"),
    "normalization": one_of(*NORMALIZATIONS),
    "control": one_of(*CONTROLS),
    "batch_size": or_none(whole(1, MOST_EPOCHS)),
    "n_epochs": whole(1, MOST_EPOCHS),
    "train_fraction": number("(0, 1]"),
    "split": one_of(*SPLITS),
    "n_seeds": whole(1, 10**6),
    "first_seed": whole(0, 10**15),
    "n_measured_epochs": whole(2, 10**5),
    "measured_epochs": several(whole(0, MOST_EPOCHS), 0, 10**5),
}


def accept_task(name: str, content: str) -> None:
    """Let experiments name a task of the user's own.

    Parameters
    ----------
    name : str
        Of the task; one that is known already is replaced.
    content : str
        Hash of its data, which becomes part of the digest of its experiments: other data under
        the same name are another experiment.

    Raises
    ------
    ValueError
        If the book has a task of this name.
    """
    if name in TASKS:
        raise ValueError(f"{name!r} is a task of the book; give your own another name.")
    OWN_TASKS[name] = content


def _check_names(values: Iterable[str]) -> None:
    unknown = sorted(set(values) - set(FIELDS))
    if unknown:
        raise ValueError(
            f"Experiment has no field {', '.join(unknown[:5])}; its fields are {', '.join(FIELDS)}."
        )


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Everything that decides the result of training an ensemble, and nothing else.

    What each field may be, with its limits, stands in ``config.FIELDS``.

    Parameters
    ----------
    task : str
        One of ``config.TASKS``, or a task of your own that ``ibcore.tasks.register_task`` was
        given.
    hidden_widths : tuple of int
        Units per hidden layer; the output layer follows from the task.
    activation : str
        Of every hidden layer, one of ``config.ACTIVATIONS``. The slopes of ``"prelu"`` are
        trained, one per unit from 0.25; ``"leaky_relu"`` has the slope 0.01.
    initializer : str
        One of ``config.INITIALIZERS``; biases start at zero, with ``"torch"`` as the weights do.
    init_gain : float
        Factor on the initial weights.
    optimizer : str
        ``"sgd"``, ``"momentum"`` or ``"adam"`` (β = 0.9, 0.999; ε = 1e-8).
    learning_rate, momentum : float
        ``momentum`` counts for the optimizer of that name only.
    batch_size : int or None
        None is full batch: one update per epoch on all training rows.
    loss : str
        ``"cross_entropy"``: mean over samples, the output layer is a softmax.
        ``"squared_error"``: mean over samples of the sum over outputs of (output - target)²,
        the output layer is linear; targets of a class are 0 and 1.
    l2 : float
        Penalty λ on the weights, not on biases.
    l2_convention : str
        ``"sum"``: λ Σ W² is added to the loss; ``"half_sum"``: λ/2 Σ W².
    parseval : float
        Strength β that pulls the weights of a layer towards WᵀW = I, columns being units.
    parseval_form : str
        ``"update"``: after each step W ← (1 + β) W - β W WᵀW (Cisse et al. 2017, eq. 11);
        ``"penalty"``: β ‖WᵀW - I‖² is added to the loss.
    regularized_layers : tuple of int or None
        Layers, counted from 1, whose weights ``l2``, ``parseval`` and ``norm_limit`` act on; None
        means all.
    noise_std : float
        Gaussian noise of this standard deviation is added to every hidden layer, T = f(z) + Z,
        in training and in measurement (Goldfeld et al. 2019).
    convolutions : tuple of int
        For images: channels of layers before the hidden ones, each a 5 x 5 convolution that keeps
        the size, the activation, and a 2 x 2 max pooling.
    dropout : float
        Share of the units of dense hidden layers that are set to 0 in training; the others are
        divided by 1 - dropout.
    bits : int
        Hidden activations are rounded to 2^bits levels, in training and in measurement; 0 is off.
        The gradient passes straight through. The levels lie on [-r, r], or on [0, r] where the
        activation is never negative; r of a layer starts at 1 and follows the largest |t| of each
        batch, r ← 0.99 r + 0.01 max |t| (Jacob et al. 2018).
    norm_limit : float
        After each update the weights of a layer are scaled back to at most so many times their
        initial Frobenius norm, on ``regularized_layers``; 0 is off.
    output_range : float
        Hidden layers are s f(z / s) with this s: the bounds of f are moved, its slope at 0 is not.
    normalization : str
        ``"batch"``: batch normalisation of the hidden pre-activations (Ioffe & Szegedy 2015).
        Stored weights have it folded in, with the running mean and variance.
    control : str
        ``"growth"``: no learning. Of the networks that this experiment trains only the norms of
        the weights are kept: every layer has its initial weights, scaled to the trained norm.
    n_epochs : int
        Passes over the training rows.
    train_fraction : float
        Train rows are ``round(train_fraction * N)``.
    split : str
        ``"random"``: a new permutation per seed. ``"unshuffled"``: the split of the released
        IDNNs code, train on the first rows in file order, test on the rows from 80 % on; the
        two overlap above 80 %. ``"grouped"``: as random, with all rows of a group on one side.
    n_seeds, first_seed : int
        Networks ``first_seed, …, first_seed + n_seeds - 1``.
    n_measured_epochs : int
        Measured epochs: 0, the last, and log-spaced ones between.
    measured_epochs : tuple of int
        Named epochs measured besides; those past ``n_epochs`` are left out.

    Raises
    ------
    ValueError
        For an unknown name or an impossible number, with what is allowed.

    Examples
    --------
    >>> Experiment(n_epochs=100).replace(n_seeds=3).seeds
    (0, 1, 2)
    >>> Experiment(n_seeds=3).digest() == Experiment(n_seeds=50).digest()
    True
    """

    task: str = "szt"
    hidden_widths: tuple[int, ...] = (10, 7, 5, 4, 3)
    activation: str = "tanh"
    initializer: str = "fan_in"
    init_gain: float = 1.0
    optimizer: str = "adam"
    learning_rate: float = 4e-4
    momentum: float = 0.9
    loss: str = "cross_entropy"
    l2: float = 0.0
    l2_convention: str = "sum"
    parseval: float = 0.0
    parseval_form: str = "update"
    regularized_layers: tuple[int, ...] | None = None
    noise_std: float = 0.0
    convolutions: tuple[int, ...] = ()
    dropout: float = 0.0
    bits: int = 0
    norm_limit: float = 0.0
    output_range: float = 1.0
    normalization: str = "none"
    control: str = "none"
    batch_size: int | None = 512
    n_epochs: int = 8000
    train_fraction: float = 0.85
    split: str = "random"
    n_seeds: int = 50
    first_seed: int = 0
    n_measured_epochs: int = 100
    measured_epochs: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Read every field by its line in ``FIELDS``, then what several of them say together."""
        for name, kind in FIELDS.items():
            object.__setattr__(self, name, kind.checked(name, getattr(self, name)))
        self._check_together()
        self._check_layers()
        self._check_size()

    def _check_together(self) -> None:
        """No two settings that no engine has together."""
        penalties = self.l2 or self.parseval or self.norm_limit
        others = self.bits or self.output_range != 1 or self.normalization != "none"
        if self.convolutions and (self.activation == "prelu" or penalties or others):
            raise ValueError(
                "a convolutional network has neither trained slopes nor penalties, limits, levels, "
                "ranges or normalisation here; use another activation than 'prelu' and leave l2, "
                "parseval, norm_limit, bits, output_range and normalization as they are."
            )
        if self.bits and (self.activation == "prelu" or self.noise_std or self.dropout):
            raise ValueError(
                "rounded activations go with neither trained slopes nor noise nor dropout here; "
                "use bits=0, or another activation than 'prelu', noise_std=0 and dropout=0."
            )
        if self.normalization == "batch" and (self.bits or self.noise_std or self.dropout):
            raise ValueError(
                "batch normalisation goes with neither bits nor noise_std nor dropout here; use "
                "normalization='none' or leave those at 0."
            )

    def _check_layers(self) -> None:
        """Layers are named once, in order, and there."""
        if self.regularized_layers is None:
            return
        named = tuple(sorted(set(self.regularized_layers)))
        if named[-1] > self.n_layers:
            raise ValueError(
                f"regularized_layers names layers from 1 to {self.n_layers}, the output layer, or "
                f"is None for all; got {shown(self.regularized_layers)}."
            )
        object.__setattr__(self, "regularized_layers", named)

    def _check_size(self) -> None:
        """One network fits into memory, as far as the experiment alone can say."""
        below = [5 * 5 * channels for channels in self.convolutions[:-1]]
        pairs = [*zip(below, self.convolutions[1:], strict=True), *pairwise(self.hidden_widths)]
        n_weights = sum(fan_in * unit for fan_in, unit in pairs)
        if n_weights > MOST_WEIGHTS:
            raise ValueError(
                f"hidden_widths and convolutions make {grouped(n_weights)} weights; a network may "
                f"have {grouped(MOST_WEIGHTS)}. Take narrower layers."
            )

    @property
    def seeds(self) -> tuple[int, ...]:
        """The seeds of the networks, one each."""
        return tuple(range(self.first_seed, self.first_seed + self.n_seeds))

    @property
    def n_layers(self) -> int:
        """Convolutions, hidden layers and the output."""
        return len(self.convolutions) + len(self.hidden_widths) + 1

    @property
    def penalized(self) -> tuple[int, ...]:
        """Layers, counted from 1, that ``l2``, ``parseval`` and ``norm_limit`` act on."""
        every = tuple(range(1, self.n_layers + 1))
        return every if self.regularized_layers is None else self.regularized_layers

    @property
    def epochs(self) -> np.ndarray:
        """Measured epochs, increasing: 0, log-spaced ones, the named ones, the last."""
        spaced = np.geomspace(1, self.n_epochs, self.n_measured_epochs - 1).round()
        named = [epoch for epoch in self.measured_epochs if epoch <= self.n_epochs]
        ends = [0, self.n_epochs]
        middle = spaced if self.n_measured_epochs > 2 else spaced[:0]
        return np.unique(np.concatenate([ends, middle, named]).astype(int))

    def replace(self, **changes: Any) -> "Experiment":
        """A copy with other values; an unknown name is an error that lists the known ones."""
        _check_names(changes)
        return replace(self, **changes)

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Experiment":
        """The experiment that ``to_json`` wrote.

        Raises
        ------
        ValueError
            If the text is none of an experiment, or lacks a field. Only those that count where
            they are used may be missing, as files are older than some of them.
        """
        try:
            values = json.loads(text)
        except (TypeError, ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            raise ValueError(
                f"expected a JSON object with the fields of an experiment, got {shown(text)}."
            )
        _check_names(values)
        missing = [name for name in FIELDS if name not in values.keys() | _IDENTITY_IF_USED.keys()]
        if missing:
            raise ValueError(
                f"the stored experiment lacks {', '.join(missing)}: {shown(text)} is not what "
                "to_json wrote."
            )
        return cls(**values)

    def _task_content(self) -> str:
        if self.task not in OWN_TASKS:
            raise ValueError(
                f"the task {self.task!r} is not registered in this process; give it to "
                "ib.register_task first."
            )
        return OWN_TASKS[self.task]

    def digest(self) -> str:
        """Sixteen hexadecimal characters that name the result of one network.

        Raises
        ------
        ValueError
            If the task is a user's own and not registered in this process: its name alone does
            not say which data it has.
        """
        deciding = {key: value for key, value in asdict(self).items() if key not in _NOT_IDENTITY}
        if self.task not in TASKS:
            deciding["task_content"] = self._task_content()
        if self.optimizer != "momentum":
            del deciding["momentum"]
        if not self.l2:
            del deciding["l2_convention"]
        if not self.parseval:
            del deciding["parseval_form"]
        acting = self.l2 or self.parseval or self.norm_limit
        if self.penalized == tuple(range(1, self.n_layers + 1)) or not acting:
            del deciding["regularized_layers"]
        for name, unused in _IDENTITY_IF_USED.items():
            if deciding[name] == unused:
                del deciding[name]
        text = json.dumps(deciding, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]
