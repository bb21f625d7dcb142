"""The tasks on all 4096 inputs of 12 bits, each from its rule."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ibcore.tasks.base import Task
from ibcore.tasks.icosahedron import all_inputs, height

THRESHOLD = 7.6
GAMMA = 57.05
RANDOM_KEY = 20170302  # the day the first version of Shwartz-Ziv & Tishby appeared

# Three rows of coefficients that the two companion rules share.
_COMMITTEE = np.array(
    [
        [0.1, 0.4, 0.3, 0.5, 0.3, 0.7, 0.1, 0.2, 0.4, 0.3, 0.5, 0.25],
        [0.4, 0.7, 0.7, 0.4, 0.6, 0.6, 0.3, 0.1, 0.15, 0.25, 0.45, 0.05],
        [0.4, 0.2, 0.3, 0.6, 0.1, 0.65, 0.55, 0.25, 0.1, 0.25, 0.7, 0.15],
    ]
)


def load_szt() -> Task:
    """Labels y = 1[f > 7.6], f = k + |Σ xᵢ vᵢ|, with k ones at icosahedron vertices vᵢ."""
    return _boolean("szt", height() > THRESHOLD, "the 12-bit task of Shwartz-Ziv & Tishby")


def load_szt_soft() -> Task:
    """Labels P(y=1|x) = sigmoid(γ (f - 7.6)); γ = 57.05 leaves I(X;Y) = 0.99 bit."""
    return _boolean(
        "szt_soft",
        _sigmoid(GAMMA * (height() - THRESHOLD)),
        "the 12-bit task with the stochastic labels that the paper describes",
    )


def load_szt_flip_1() -> Task:
    """Labels P(y=1|x) = 0.99 where "szt" says 1, 0.01 elsewhere."""
    return _flipped("szt_flip_1", 0.01)


def load_szt_flip_10() -> Task:
    """Labels P(y=1|x) = 0.9 where "szt" says 1, 0.1 elsewhere."""
    return _flipped("szt_flip_10", 0.1)


def load_g1() -> Task:
    """Labels y = 1[Σⱼ max(Aⱼ·x - θⱼ, 0) > 5.89]."""
    activity = np.maximum(all_inputs() @ _COMMITTEE.T - [0.1, 0.3, 0.2], 0)
    return _boolean("g1", activity.sum(axis=1) > 5.89, "a committee of three rectified units")


def load_g2() -> Task:
    """Labels y = 1[Σⱼ sigmoid(7 (aⱼ·x - 0.41)) > 1.945], aⱼ = Aⱼ / ΣAⱼ."""
    weight = _COMMITTEE / _COMMITTEE.sum(axis=1, keepdims=True)
    activity = _sigmoid(7 * (all_inputs() @ weight.T - 0.41))
    return _boolean("g2", activity.sum(axis=1) > 1.945, "a soft committee machine of three units")


def load_random() -> Task:
    """Labels of "szt" in a fixed random order: nothing to learn, only to remember.

    The order sorts 4096 raw 64-bit words of Philox with key 20170302, so it is the same in
    every version of numpy.
    """
    order = np.argsort(np.random.Philox(key=RANDOM_KEY).random_raw(4096), kind="stable")
    labels = (height() > THRESHOLD)[order]
    return _boolean("random", labels, "the labels of the 12-bit task, randomly reassigned")


def load_parity() -> Task:
    """Labels y = k mod 2, with k ones."""
    return _boolean("parity", all_inputs().sum(axis=1) % 2, "the parity of 12 bits")


def load_var_u(path: str | Path) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read a label file of the original code, such as ``var_u.mat``.

    Parameters
    ----------
    path : path
        A Matlab file with the keys ``F`` (4096, 12) and ``y`` (1, 4096).

    Returns
    -------
    x : (sample, feature) uint8 array, shape (4096, 12)
    y : (sample,) uint8 array, shape (4096,)

    Raises
    ------
    ValueError
        If the file does not have the two arrays in these shapes.
    """
    from scipy.io import loadmat

    content = loadmat(path)
    shapes = {key: content[key].shape for key in ("F", "y") if key in content}
    if shapes.get("F") != (4096, 12) or shapes.get("y") not in ((1, 4096), (4096, 1)):
        raise ValueError(
            f"expected F (4096, 12) and y (1, 4096) in {Path(path).name}, got {shapes}; "
            "pass a label file of the original code, such as var_u.mat."
        )
    return content["F"].astype(np.uint8), content["y"].ravel().astype(np.uint8)


def _flipped(name: str, rate: float) -> Task:
    labels = np.where(height() > THRESHOLD, 1 - rate, rate)
    return _boolean(name, labels, f"the 12-bit task, {rate:.0%} of the labels flipped")


def _boolean(name: str, y: NDArray[Any], description: str) -> Task:
    y = y if y.dtype.kind == "f" else y.astype(np.int64)
    x = all_inputs().astype(np.float32)
    return Task(name=name, x=x, y=y, n_classes=2, description=description)


def _sigmoid(a: NDArray[Any]) -> NDArray[np.float64]:
    # exp of a non-positive number only: no overflow at either end.
    e = np.exp(-np.abs(a))
    return np.where(a >= 0, 1 / (1 + e), e / (1 + e))
