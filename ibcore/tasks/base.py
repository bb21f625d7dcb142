"""What a task is: inputs, labels, and what is known exactly about them."""

from dataclasses import dataclass, fields, replace
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from ibcore.information import binary_entropy, entropy, label_distribution


@dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """Inputs X with labels Y, every row equally probable.

    The arrays of a task are read-only, for a loaded task is shared.

    Parameters
    ----------
    name : str
        Name under which ``load_task`` knows it.
    x : (sample, feature) float32 array
        Inputs.
    y : (sample,) array
        Integer class labels; or, for soft binary labels, float64 P(y=1|x).
    n_classes : int
        Number of classes.
    description : str
        A few words.
    train_rows, test_rows : (row,) integer arrays, optional
        The canonical split, where the task has one.
    measured_rows : (row,) integer array, optional
        Rows on which information is measured. Default: all of them.
    groups : (sample,) integer array, optional
        Rows of one group belong together, such as sightings at one place; the split "grouped"
        keeps them on one side.
    target : (sample, output) float64 array, optional
        Real targets, for the squared error; ``y`` then holds the sign of the first, 0 or 1.
    teacher : (output, feature) array, optional
        Weights of the linear rule behind the targets, for x ~ N(0, I / feature).
    teacher_noise_variance : float
        Of the targets around that rule.

    Raises
    ------
    ValueError
        If the arrays do not fit each other or the types and classes named here.
    """

    name: str
    x: NDArray[np.float32]
    y: NDArray
    n_classes: int
    description: str
    train_rows: NDArray[np.int64] | None = None
    test_rows: NDArray[np.int64] | None = None
    measured_rows: NDArray[np.int64] | None = None
    groups: NDArray[np.int64] | None = None
    target: NDArray[np.float64] | None = None
    teacher: NDArray[np.float64] | None = None
    teacher_noise_variance: float = 0.0

    def __post_init__(self) -> None:
        """Check the shapes and keep read-only views of the arrays."""
        if self.x.ndim != 2 or self.y.shape != self.x.shape[:1]:
            raise ValueError(
                f"task {self.name!r} needs x (sample, feature) and y (sample,), "
                f"got shapes {self.x.shape} and {self.y.shape}."
            )
        if self.x.dtype != np.float32 or self.y.dtype.kind not in "iuf":
            raise ValueError(
                f"task {self.name!r} needs float32 x and integer or float y, "
                f"got {self.x.dtype} and {self.y.dtype}."
            )
        label_distribution(self.y, self.n_classes)  # refuses labels that are none
        for name, array in self._arrays().items():
            view = array.view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    def _arrays(self) -> dict[str, NDArray]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: one for name, one in values.items() if isinstance(one, np.ndarray)}

    def copy(self) -> "Task":
        """The same task in memory of its own, which nobody else can write to."""
        return replace(self, **{name: array.copy() for name, array in self._arrays().items()})

    def content(self) -> str:
        """SHA-256 of everything but the description: the same for the same data only."""
        digest = sha256()
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, np.ndarray):
                digest.update(f"{field.name} {value.dtype.str} {value.shape}\n".encode())
                digest.update(np.ascontiguousarray(value).data)
            elif field.name != "description":
                digest.update(f"{field.name} {value!r}\n".encode())
        return digest.hexdigest()

    @property
    def is_soft(self) -> bool:
        """Whether ``y`` holds probabilities instead of classes."""
        return self.y.dtype.kind == "f"

    @property
    def n_outputs(self) -> int:
        """Units of a network's last layer: one per class, or per real target."""
        return self.n_classes if self.target is None else self.target.shape[1]

    @property
    def label_entropy(self) -> float:
        """H(Y) of the label marginal over the measured rows, in bits.

        Real targets have no bound of this kind; the most that a layer can tell is then I(X;Y).
        """
        if self.teacher is not None:
            return self.information
        return entropy(label_distribution(self._measured_y, self.n_classes).mean(axis=0))

    @property
    def information(self) -> float:
        """I(X;Y) = H(Y) - H(Y|X) over the measured rows, in bits.

        Hard labels leave no H(Y|X), as the rows of x that are equal also have equal labels.
        """
        if self.teacher is not None:
            signal = (self.teacher**2).sum() / self.x.shape[1]
            return float(0.5 * np.log2(1 + signal / self.teacher_noise_variance))
        if not self.is_soft:
            return self.label_entropy
        return self.label_entropy - float(binary_entropy(self._measured_y).mean())

    @property
    def _measured_y(self) -> NDArray:
        return self.y if self.measured_rows is None else self.y[self.measured_rows]

    def __repr__(self) -> str:
        """Name and sizes: the arrays themselves would fill the screen."""
        kind = f"{self.n_classes} classes" if self.target is None else "real targets"
        return (
            f"Task({self.name!r}, {len(self.x)} x {self.x.shape[1]} inputs, "
            f"{kind}, I(X;Y) = {self.information:.6f} bits)"
        )
