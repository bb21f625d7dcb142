"""What a task is: inputs, labels, and what is known exactly about them."""

from dataclasses import dataclass, fields, replace
from hashlib import sha256
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from ibcore.information import binary_entropy, conditional_entropy, entropy
from ibcore.kinds import number, shown, whole
from ibcore.labels import label_distribution

MOST_CLASSES = 65_536  # as many as a layer may have units
ARRAYS = ("x", "y", "train_rows", "test_rows", "measured_rows", "groups", "target", "teacher")
OPTIONAL = ("input_scale",)  # arrays that the content of a task names only where they are


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
        Weights of the linear rule behind the targets, for x ~ N(0, diag(input_scale²) / feature).
    teacher_noise_variance : float
        Of the targets around that rule.
    input_scale : (feature,) array, optional
        With a teacher: how the standard deviations of the inputs differ; 1 by default.

    Raises
    ------
    ValueError
        If the arrays do not fit each other or the types and classes named here.
    """

    name: str
    x: NDArray[np.float32]
    y: NDArray[Any]
    n_classes: int
    description: str
    train_rows: NDArray[np.int64] | None = None
    test_rows: NDArray[np.int64] | None = None
    measured_rows: NDArray[np.int64] | None = None
    groups: NDArray[np.int64] | None = None
    target: NDArray[np.float64] | None = None
    teacher: NDArray[np.float64] | None = None
    teacher_noise_variance: float = 0.0
    input_scale: NDArray[np.float64] | None = None

    def __post_init__(self) -> None:
        """Check that everything fits together and keep read-only views of the arrays."""
        if not isinstance(self.name, str) or not (self.name and self.name.isprintable()):
            raise ValueError(f"a task needs a printable name, got {shown(self.name)}.")
        classes = whole(1, MOST_CLASSES).checked(f"n_classes of task {self.name!r}", self.n_classes)
        object.__setattr__(self, "n_classes", classes)
        for name in (*ARRAYS, *OPTIONAL):
            if (array := getattr(self, name)) is not None:
                self._check_array(name, array)
                view = array.view(np.ndarray)
                view.flags.writeable = False
                object.__setattr__(self, name, view)
        self._check_samples()
        for name in ("train_rows", "test_rows", "measured_rows"):
            if (rows := getattr(self, name)) is not None:
                self._check_rows(name, rows)
        self._check_teacher()

    def _refuse(self, needs: str, got: object) -> NoReturn:
        raise ValueError(f"task {self.name!r} needs {needs}, got {got}.")

    def _check_array(self, name: str, array: Any) -> None:
        """Real numbers in the order of bytes of this machine, finite and without a mask."""
        if not isinstance(array, np.ndarray) or np.ma.isMaskedArray(array):
            self._refuse(f"{name} as a NumPy array without a mask", type(array).__name__)
        if array.dtype.kind not in "iuf" or not array.dtype.isnative or array.size == 0:
            self._refuse(
                f"numbers in {name}, in native byte order", f"{array.dtype} of shape {array.shape}"
            )
        if not np.isfinite(array).all():
            bad = np.count_nonzero(~np.isfinite(array))
            self._refuse(f"finite {name}", f"{bad} NaN or infinite values; leave out their rows")

    def _check_samples(self) -> None:
        """X and labels, and what else has a row for each sample."""
        x, y = self.x, self.y
        if x is None or y is None or x.ndim != 2 or y.shape != x.shape[:1] or len(x) < 2:
            self._refuse(
                "x (sample, feature) and y (sample,) of at least 2 samples",
                f"shapes {np.shape(x)} and {np.shape(y)}",
            )
        if x.dtype != np.float32:
            self._refuse("float32 x: x.astype(np.float32)", f"{x.dtype}")
        label_distribution(y, self.n_classes)  # refuses labels that are none
        if self.groups is not None:
            g = self.groups
            if g.shape != y.shape or g.dtype.kind not in "iu" or g.min() < 0 or g.max() >= len(g):
                self._refuse(
                    "groups (sample,) numbered from 0, as ibcore.labels.numbered_labels does",
                    f"{g.dtype} of shape {g.shape}, from {g.min()} to {g.max()}",
                )

    def _check_rows(self, name: str, rows: NDArray[Any]) -> None:
        n = len(self.x)
        whole_rows = rows.ndim == 1 and rows.dtype.kind in "iu"
        if not whole_rows or rows.min() < 0 or rows.max() >= n or len(np.unique(rows)) < len(rows):
            self._refuse(
                f"{name} as different integers from 0 to {n - 1}",
                f"{rows.dtype} of shape {rows.shape}, from {rows.min()} to {rows.max()}",
            )

    def _check_teacher(self) -> None:
        """Real targets, and the rule that they follow."""
        target, teacher = self.target, self.teacher
        name = f"teacher_noise_variance of task {self.name!r}"
        variance = number("[0, 1e30]" if teacher is None else "(0, 1e30]").checked(
            name, self.teacher_noise_variance
        )
        object.__setattr__(self, "teacher_noise_variance", variance)
        if target is None and teacher is None:
            return
        if target is None or target.ndim != 2 or len(target) != len(self.x):
            got = "none" if target is None else target.shape
            self._refuse(f"target (sample, output) of {len(self.x)} samples", got)
        if self.n_classes != 2 or not np.array_equal(self.y, target[:, 0] > 0):
            self._refuse("labels y that say where the first target is positive", "other labels")
        scale = self.input_scale
        if scale is not None and (
            teacher is None or scale.shape != self.x.shape[1:] or not (scale > 0).all()
        ):
            self._refuse(f"a teacher and a positive input_scale ({self.x.shape[1]},)", scale.shape)
        if teacher is not None and teacher.shape != (target.shape[1], self.x.shape[1]):
            self._refuse(f"teacher {(target.shape[1], self.x.shape[1])}", teacher.shape)

    def copy(self) -> "Task":
        """The same task in memory of its own, which nobody else can write to."""
        arrays = {name: getattr(self, name) for name in (*ARRAYS, *OPTIONAL)}
        copies: dict[str, Any] = {name: a.copy() for name, a in arrays.items() if a is not None}
        return replace(self, **copies)

    def content(self) -> str:
        """SHA-256 of everything but the description: the same for the same data only."""
        digest = sha256()
        for field in fields(self):
            value = getattr(self, field.name)
            if value is None and field.name in OPTIONAL:
                continue
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
        return entropy(label_distribution(self.y[self._measured], self.n_classes).mean(axis=0))

    @property
    def information(self) -> float:
        """I(X;Y) = H(Y) - H(Y|X) over the measured rows, in bits.

        Equal rows of x are one value of X: where their labels differ, nobody can tell them apart,
        and H(Y|X) says how much is lost.
        """
        if self.teacher is not None:
            signal = (self.whitened(self.teacher) ** 2).sum() / self.x.shape[1]
            return float(0.5 * np.log2(1 + signal / self.teacher_noise_variance))
        x, y = self.x[self._measured], self.y[self._measured]
        rows = np.ascontiguousarray(x + np.float32(0))  # -0.0 becomes 0.0
        rows = rows.view(np.dtype((np.void, rows[0].nbytes))).ravel()
        _, value, count = np.unique(rows, return_inverse=True, return_counts=True)
        if len(count) < len(rows):
            p_xy = np.zeros((len(count), self.n_classes))
            np.add.at(p_xy, value, label_distribution(y, self.n_classes) / len(rows))
            return self.label_entropy - conditional_entropy(p_xy)
        return self.label_entropy - (float(binary_entropy(y).mean()) if self.is_soft else 0.0)

    def whitened(self, weight: NDArray[Any]) -> NDArray[np.float64]:
        """(unit, feature) weights on the task's inputs as weights on inputs of one variance."""
        return weight * (1.0 if self.input_scale is None else self.input_scale)

    @property
    def _measured(self) -> NDArray[Any] | slice:
        return slice(None) if self.measured_rows is None else self.measured_rows

    def __repr__(self) -> str:
        """Name and sizes: the arrays themselves would fill the screen."""
        kind = f"{self.n_classes} classes" if self.target is None else "real targets"
        return (
            f"Task({self.name!r}, {len(self.x)} x {self.x.shape[1]} inputs, "
            f"{kind}, I(X;Y) = {self.information:.6f} bits)"
        )
