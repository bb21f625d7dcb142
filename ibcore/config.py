"""What decides a result: the experiment, its parts and their names.

This is the bottom floor. It imports nothing of ibcore and knows no device, path or thread.
"""

import hashlib
import json
import tomllib
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

import numpy as np

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
INITIALIZERS = ("fan_in", "fan_out", "saxe", "glorot_normal", "glorot_uniform", "he_normal")
OPTIMIZERS = ("sgd", "momentum", "adam")
LOSSES = ("cross_entropy", "squared_error")
L2_CONVENTIONS = ("sum", "half_sum")
PARSEVAL_FORMS = ("update", "penalty")
SPLITS = ("random", "unshuffled", "grouped")
PROFILES = ("smoke", "paper")

# These say how much is measured, not what is trained, and stay out of the digest: seeds and
# epochs can be added to a result without redoing it.
_NOT_IDENTITY = ("n_seeds", "first_seed", "n_measured_epochs", "measured_epochs")
# These count only where they are used, so that a setting may be added without renaming results.
_IDENTITY_IF_USED = {
    "loss": "cross_entropy", "l2": 0.0, "parseval": 0.0, "noise_std": 0.0, "convolutions": (),
    "dropout": 0.0,
}  # fmt: skip


def shown(value: object, most: int = 80) -> str:
    """A value as an error message shows it: its ``repr``, cut, whatever that does."""
    try:
        text = repr(value)
    except Exception:  # an integer of 5000 digits, a list in itself a thousand deep, foreign code
        return f"a value of type {type(value).__name__} that cannot be printed"
    return text if len(text) <= most else f"{text[: most - 3]}..."


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


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Everything that decides the result of training an ensemble, and nothing else.

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
        One of ``config.INITIALIZERS``; biases start at zero.
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
        Layers, counted from 1, whose weights ``l2`` and ``parseval`` act on; None means all.
    noise_std : float
        Gaussian noise of this standard deviation is added to every hidden layer, T = f(z) + Z,
        in training and in measurement (Goldfeld et al. 2019).
    convolutions : tuple of int
        For images: channels of layers before the hidden ones, each a 5 x 5 convolution that keeps
        the size, the activation, and a 2 x 2 max pooling.
    dropout : float
        Share of the units of dense hidden layers that are set to 0 in training; the others are
        divided by 1 - dropout.
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
    batch_size: int | None = 512
    n_epochs: int = 8000
    train_fraction: float = 0.85
    split: str = "random"
    n_seeds: int = 50
    first_seed: int = 0
    n_measured_epochs: int = 100
    measured_epochs: tuple[int, ...] = ()

    def __post_init__(self):
        """Check every field and bring lists and numbers into one form."""
        self._one_of("task", (*TASKS, *OWN_TASKS))
        self._one_of("activation", ACTIVATIONS)
        self._one_of("initializer", INITIALIZERS)
        self._one_of("optimizer", OPTIMIZERS)
        self._one_of("split", SPLITS)
        self._one_of("loss", LOSSES)
        self._one_of("l2_convention", L2_CONVENTIONS)
        self._one_of("parseval_form", PARSEVAL_FORMS)
        for name in ("l2", "parseval", "noise_std"):
            self._set(name, float(getattr(self, name)))
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) >= 0):
                raise ValueError(f"{name} must not be negative, got {getattr(self, name)}.")
        self._set("dropout", float(self.dropout))
        if not 0 <= self.dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1), got {self.dropout}.")
        for name in ("hidden_widths", "convolutions", "measured_epochs"):
            self._set(name, tuple(int(value) for value in getattr(self, name)))
        if not self.hidden_widths or min(self.hidden_widths) < 1:
            raise ValueError(
                f"hidden_widths needs at least one layer of at least one unit, "
                f"got {self.hidden_widths}."
            )
        if self.convolutions:
            self._check_convolutions()
        if self.regularized_layers is not None:
            self._set(
                "regularized_layers", tuple(sorted({int(k) for k in self.regularized_layers}))
            )
            n_layers = self.n_layers
            if not set(self.regularized_layers) <= set(range(1, n_layers + 1)) or not len(
                self.regularized_layers
            ):
                raise ValueError(
                    f"regularized_layers names layers from 1 to {n_layers}, the output layer, or "
                    f"is None for all; got {self.regularized_layers}."
                )
        for name in ("n_epochs", "n_seeds"):
            self._whole(name, 1)
        self._whole("first_seed", 0)
        self._whole("n_measured_epochs", 2)
        if self.batch_size is not None:
            self._whole("batch_size", 1)
        for name in ("learning_rate", "init_gain"):
            self._set(name, float(getattr(self, name)))
            if not (np.isfinite(getattr(self, name)) and getattr(self, name) > 0):
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}.")
        self._set("momentum", float(self.momentum))
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum must lie in [0, 1), got {self.momentum}.")
        self._set("train_fraction", float(self.train_fraction))
        if not 0 < self.train_fraction <= 1:
            raise ValueError(f"train_fraction must lie in (0, 1], got {self.train_fraction}.")
        if any(epoch < 0 for epoch in self.measured_epochs):
            raise ValueError(f"measured_epochs must not be negative, got {self.measured_epochs}.")

    def _check_convolutions(self):
        if min(self.convolutions) < 1:
            raise ValueError(f"convolutions names numbers of channels, got {self.convolutions}.")
        if self.activation == "prelu" or self.l2 or self.parseval:
            raise ValueError(
                "a convolutional network has neither trained slopes nor penalties here; use "
                "another activation than 'prelu', l2=0 and parseval=0."
            )

    def _set(self, name, value):
        object.__setattr__(self, name, value)

    def _one_of(self, name, allowed):
        if getattr(self, name) not in allowed:
            raise ValueError(
                f"{name} must be one of {', '.join(allowed)}; got {getattr(self, name)!r}."
            )

    def _whole(self, name, least):
        value = getattr(self, name)
        if isinstance(value, bool) or int(value) != value or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}.")
        self._set(name, int(value))

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
        """Layers, counted from 1, that ``l2`` and ``parseval`` act on."""
        every = tuple(range(1, self.n_layers + 1))
        return every if self.regularized_layers is None else self.regularized_layers

    @property
    def epochs(self) -> np.ndarray:
        """Measured epochs, increasing: 0, log-spaced ones, the named ones, the last."""
        spaced = np.geomspace(1, self.n_epochs, self.n_measured_epochs - 1).round()
        named = [epoch for epoch in self.measured_epochs if epoch <= self.n_epochs]
        ends = [0, self.n_epochs]
        middle = spaced if self.n_measured_epochs > 2 else []
        return np.unique(np.concatenate([ends, middle, named]).astype(int))

    def replace(self, **changes) -> "Experiment":
        """A copy with other values; an unknown name is an error that lists the known ones."""
        known = [field.name for field in fields(self)]
        unknown = sorted(set(changes) - set(known))
        if unknown:
            raise ValueError(
                f"Experiment has no field {', '.join(unknown)}; its fields are {', '.join(known)}."
            )
        return replace(self, **changes)

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, no spaces."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Experiment":
        """The experiment that ``to_json`` wrote."""
        return cls(**json.loads(text))

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
        if self.penalized == tuple(range(1, self.n_layers + 1)) or not (self.l2 or self.parseval):
            del deciding["regularized_layers"]
        for name, unused in _IDENTITY_IF_USED.items():
            if deciding[name] == unused:
                del deciding[name]
        text = json.dumps(deciding, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]
