"""What decides a result: the experiment, its parts and their names.

This is the bottom floor. It imports nothing of ibcore and knows no device, path or thread.
"""

import hashlib
import json
from dataclasses import asdict, dataclass, fields, replace

import numpy as np

TASKS = ("szt", "szt_soft", "g1", "g2", "random", "parity", "digits", "mnist")
ACTIVATIONS = ("linear", "tanh", "sigmoid", "relu", "softsign", "softplus")
INITIALIZERS = ("fan_in", "fan_out", "saxe", "glorot_normal", "glorot_uniform", "he_normal")
OPTIMIZERS = ("sgd", "momentum", "adam")
SPLITS = ("random", "unshuffled")
PROFILES = ("smoke", "paper")

# These say how much is measured, not what is trained, and stay out of the digest: seeds and
# epochs can be added to a result without redoing it.
_NOT_IDENTITY = ("n_seeds", "first_seed", "n_measured_epochs", "measured_epochs")


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """Everything that decides the result of training an ensemble, and nothing else.

    Parameters
    ----------
    task : str
        One of ``config.TASKS``.
    hidden_widths : tuple of int
        Units per hidden layer; the output layer follows from the task.
    activation : str
        Of every hidden layer, one of ``config.ACTIVATIONS``. The output is a softmax.
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
    n_epochs : int
        Passes over the training rows.
    train_fraction : float
        Train rows are ``round(train_fraction * N)``.
    split : str
        ``"random"``: a new permutation per seed. ``"unshuffled"``: the split of the released
        IDNNs code, train on the first rows in file order, test on the rows from 80 % on; the
        two overlap above 80 %.
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
        self._one_of("task", TASKS)
        self._one_of("activation", ACTIVATIONS)
        self._one_of("initializer", INITIALIZERS)
        self._one_of("optimizer", OPTIMIZERS)
        self._one_of("split", SPLITS)
        for name in ("hidden_widths", "measured_epochs"):
            self._set(name, tuple(int(value) for value in getattr(self, name)))
        if not self.hidden_widths or min(self.hidden_widths) < 1:
            raise ValueError(
                f"hidden_widths needs at least one layer of at least one unit, "
                f"got {self.hidden_widths}."
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

    def digest(self) -> str:
        """Sixteen hexadecimal characters that name the result of one network."""
        deciding = {key: value for key, value in asdict(self).items() if key not in _NOT_IDENTITY}
        if self.optimizer != "momentum":
            del deciding["momentum"]
        text = json.dumps(deciding, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]
