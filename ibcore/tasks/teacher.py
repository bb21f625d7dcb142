"""Tasks with a linear teacher: Gaussian inputs, real targets, everything known in closed form.

X ~ N(0, I / N), Y = W_o X + noise (Saxe et al. 2018, section 3). The teacher is fixed: turning it
and the inputs together changes neither the law of X nor that of Gaussian initial weights, so that
only its length matters, which is exactly √N; the noise has variance 1, which makes the
signal-to-noise ratio 1 and I(X;Y) half a bit. Each network trains on its own random rows.
"""

import numpy as np
from scipy.special import ndtri

from ibcore.tasks.base import Task

TEACHER_KEY = 20180215
N_ROWS = 4_000


def load_teacher() -> Task:
    """100 inputs, all of which matter."""
    return _task("teacher", 100, 100, "a linear teacher of 100 inputs")


def load_teacher_30() -> Task:
    """100 inputs, of which the first 30 matter."""
    return _task("teacher_30", 100, 30, "a linear teacher of 100 inputs, 30 of which matter")


def load_scalar_teacher() -> Task:
    """One input: the smallest network that can be trained."""
    return _task("scalar_teacher", 1, 1, "a linear teacher of one input")


def _task(name: str, n_inputs: int, n_relevant: int, description: str) -> Task:
    draws = gaussian(TEACHER_KEY, n_inputs + N_ROWS * (n_inputs + 1))
    teacher = np.where(np.arange(n_inputs) < n_relevant, draws[:n_inputs], 0.0)
    teacher *= np.sqrt(n_inputs) / np.linalg.norm(teacher)
    rows = draws[n_inputs:].reshape(N_ROWS, n_inputs + 1)
    x = (rows[:, :-1] / np.sqrt(n_inputs)).astype(np.float32)
    target = x.astype(np.float64) @ teacher + rows[:, -1]
    return Task(
        name=name,
        x=x,
        y=(target > 0).astype(np.int64),
        n_classes=2,
        description=description,
        target=target[:, None],
        teacher=teacher[None],
        teacher_noise_variance=1.0,
    )


def gaussian(key: int, n: int) -> np.ndarray:
    """Standard normals from raw bits, so that they are the same in every version of numpy."""
    raw = np.random.Philox(key=key).random_raw(n)
    return ndtri(((raw >> np.uint64(11)) + 0.5) * 2.0**-53)
