"""A task from arrays of a reader's own."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ibcore.kinds import shown
from ibcore.labels import as_array, numbered_labels
from ibcore.tasks.base import Task

KINDS = ("classes", "probabilities", "targets")


def task_from_arrays(
    x: ArrayLike,
    y: ArrayLike,
    *,
    name: str,
    kind: str = "classes",
    description: str = "",
    **rows: ArrayLike,
) -> Task:
    """A task of your own, for ``Experiment(task=...)``.

    Parameters
    ----------
    x : (sample, ...) array
        Inputs; all axes but the first are laid out in a row, and numbers become float32.
    y : (sample,) array
        What ``kind`` says.
    name : str
    kind : str
        ``"classes"``: labels, of any type, numbered in sorted order. ``"probabilities"``: P(y=1|x).
        ``"targets"``: real numbers, (sample,) or (sample, output), to be trained with
        ``loss="squared_error"``; information about Y is then about the sign of the first target.
    description : str
    **rows : integer arrays
        ``train_rows``, ``test_rows``, ``measured_rows``, ``groups``, as in ``Task``.

    Raises
    ------
    ValueError
        If the arrays make no task; real numbers are no labels unless ``kind`` says what they are.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(200, 3))
    >>> task_from_arrays(x, np.where(x[:, 0] > 0, "right", "left"), name="sides").n_classes
    2
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}; got {shown(kind)}.")
    inputs = np.asarray(as_array(x, "x"))
    if inputs.ndim < 2 or not len(inputs):
        raise ValueError(f"x must be (sample, ...), got shape {inputs.shape}.")
    labels = as_array(y, "y")
    given: dict[str, Any] = {key: np.asarray(one) for key, one in rows.items()}
    if kind == "classes":
        given["y"], given["n_classes"] = _classes(labels)
    elif kind == "probabilities":
        given |= {"y": labels.astype(np.float64), "n_classes": 2}
    else:
        target = np.asarray(labels, np.float64)
        given["target"] = target[:, None] if target.ndim == 1 else target
        given |= {"y": (given["target"][:, 0] > 0).astype(np.int64), "n_classes": 2}
    return Task(
        name=name,
        x=inputs.reshape(len(inputs), -1).astype(np.float32),
        description=description or f"{name}, a task of {len(inputs)} samples",
        **given,
    )


def _classes(labels: np.ndarray) -> tuple[np.ndarray, int]:
    if labels.dtype.kind == "f" and not np.array_equal(labels, np.round(labels)):
        raise ValueError(
            f"y holds real numbers, as {shown(labels[labels != np.round(labels)][0])}; say what "
            "they are: kind='targets' for a regression, kind='probabilities' for P(y=1|x)."
        )
    return numbered_labels(labels.astype(np.int64) if labels.dtype.kind == "f" else labels)
