"""Tasks with a linear teacher: Gaussian inputs, real targets, everything known in closed form.

X ~ N(0, I / N), Y = W_o X + noise (Saxe et al. 2018, section 3). The teacher is fixed: turning it
and the inputs together changes neither the law of X nor that of Gaussian initial weights, so that
only its length matters, which is exactly √N; the noise has variance 1, which makes the
signal-to-noise ratio 1 and I(X;Y) half a bit, unless a task says otherwise. In two tasks the inputs
differ in variance. Each network trains on its own random rows.
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
    return _task("teacher_30", 100, 30, f"a linear teacher of {_OF_100}")


def load_teacher_30_snr10() -> Task:
    """As "teacher_30", with a signal-to-noise ratio of 10."""
    return _task("teacher_30_snr10", 100, 30, f"a clear linear teacher of {_OF_100}", snr=10)


def load_teacher_30_snr100() -> Task:
    """As "teacher_30", with a signal-to-noise ratio of 100."""
    return _task("teacher_30_snr100", 100, 30, f"a very clear teacher of {_OF_100}", snr=100)


def load_teacher_30_clean() -> Task:
    """As "teacher_30", with a signal-to-noise ratio of 1e8: practically no noise."""
    return _task("teacher_30_clean", 100, 30, f"a teacher without noise, of {_OF_100}", snr=1e8)


def load_teacher_aligned() -> Task:
    """100 inputs whose variances fall as 1/k; the 30 strongest matter. Signal-to-noise ratio 10."""
    return _uneven("teacher_aligned", "strongest")


def load_teacher_opposed() -> Task:
    """100 inputs whose variances fall as 1/k; the 30 weakest matter. Signal-to-noise ratio 10."""
    return _uneven("teacher_opposed", "weakest")


def load_scalar_teacher() -> Task:
    """One input: the smallest network that can be trained."""
    return _task("scalar_teacher", 1, 1, "a linear teacher of one input")


_OF_100 = "100 inputs, 30 of which matter"


def _uneven(name: str, which: str) -> Task:
    variance = 1 / np.arange(1.0, 101)
    scale = np.sqrt(variance / variance.mean())
    about = f"a linear teacher of the {which} 30 of 100 uneven inputs"
    return _task(name, 100, 30, about, snr=10, scale=scale, last=which == "weakest")


def _task(
    name: str,
    n_inputs: int,
    n_relevant: int,
    description: str,
    snr: float = 1.0,
    scale: np.ndarray | None = None,
    last: bool = False,
) -> Task:
    """Inputs and targets; the variance of the signal is 1, that of the noise 1 / snr."""
    draws = gaussian(TEACHER_KEY, n_inputs + N_ROWS * (n_inputs + 1))
    place = np.arange(n_inputs)
    matters = place >= n_inputs - n_relevant if last else place < n_relevant
    width = np.ones(n_inputs) if scale is None else scale
    teacher = np.where(matters, draws[:n_inputs], 0.0)
    teacher *= np.sqrt(n_inputs) / np.linalg.norm(teacher * width)
    rows = draws[n_inputs:].reshape(N_ROWS, n_inputs + 1)
    x = (rows[:, :-1] / np.sqrt(n_inputs) * width).astype(np.float32)
    target = x.astype(np.float64) @ teacher + rows[:, -1] / np.sqrt(snr)
    return Task(
        name=name,
        x=x,
        y=(target > 0).astype(np.int64),
        n_classes=2,
        description=description,
        target=target[:, None],
        teacher=teacher[None],
        teacher_noise_variance=1.0 / snr,
        input_scale=scale,
    )


def gaussian(key: int, n: int) -> np.ndarray:
    """Standard normals from raw bits, so that they are the same in every version of numpy."""
    raw = np.random.Philox(key=key).random_raw(n)
    return ndtri(((raw >> np.uint64(11)) + 0.5) * 2.0**-53)
