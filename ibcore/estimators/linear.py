"""Linear networks with Gaussian inputs: exact information from the weights, without samples."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ibcore.estimators.base import LayerInformation, Ruler, Run, View, choice, positive_number
from ibcore.theory import input_information, student_information

INPUTS = ("all", "relevant", "irrelevant")


@dataclass(frozen=True)
class LinearGaussian(Ruler):
    """Exact I(X;T) and I(T;Y) of a linear student, T = W̄ X + Z (Saxe et al. 2018, section 3).

    W̄ is the product of the weights up to a layer. The teacher comes from the task, so the ruler is
    for the tasks that have one; ``ibcore.run`` calls ``prepare``.

    Parameters
    ----------
    noise_variance : float
        σ² of Z, which is imagined.
    inputs : str
        ``"all"``; or ``"relevant"``, those that the teacher uses; or ``"irrelevant"``: X is then
        this part of the input, the rest acting as noise.
    """

    noise_variance: float = 1.0
    inputs: str = "all"

    needs_run = True
    row_per_sample = False

    def __post_init__(self) -> None:
        """Make the type plain and refuse nonsense."""
        variance = positive_number("noise_variance", self.noise_variance)
        object.__setattr__(self, "noise_variance", variance)
        object.__setattr__(self, "inputs", choice("inputs", self.inputs, INPUTS))

    @property
    def measures(self) -> str:
        """Label of an axis."""
        return f"I({'X' if self.inputs == 'all' else self.inputs + ' X'}; T+Z)"

    def prepare(self, run: Run) -> "_KnownTeacher":
        """The ruler of one task."""
        task = run.task
        if task.teacher is None or run.experiment.activation != "linear":
            raise ValueError(
                f"LinearGaussian needs a linear network and a task with a linear teacher, got "
                f"{run.experiment.activation} on {task.name!r}; use another ruler."
            )
        return _KnownTeacher(
            self.noise_variance,
            self.inputs,
            task.whitened(task.teacher),
            task.teacher_noise_variance,
            1.0 if task.input_scale is None else task.input_scale,
        )

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """An error: the teacher is not known yet."""
        raise ValueError(
            "LinearGaussian needs the teacher of a task: call prepare(trajectory) first, or use "
            "ibcore.theory.student_information."
        )


@dataclass(frozen=True)
class _KnownTeacher(Ruler):
    noise_variance: float
    inputs: str
    teacher: np.ndarray
    teacher_noise_variance: float
    input_scale: np.ndarray | float = 1.0

    def layers(self, view: View) -> list[np.ndarray]:
        """W̄ (unit, input) of every layer of one network, on inputs of one variance."""
        return [weight * self.input_scale for weight in view.network.products()]

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """Bits; t (unit, input) is W̄."""
        with np.errstate(all="ignore"):  # what overflows is refused below
            i_xt, i_ty = student_information(
                t, self.teacher, self.noise_variance, self.teacher_noise_variance
            )
            if self.inputs != "all":
                chosen = (self.teacher != 0).any(axis=0) == (self.inputs == "relevant")
                i_xt, _ = input_information(t, chosen, self.noise_variance)
        if not np.isfinite([i_xt, i_ty]).all():
            raise ValueError(
                f"noise_variance={self.noise_variance:.3g} lies too far from weights of up to "
                f"{np.abs(t).max():.3g}: float64 holds no finite information."
            )
        return LayerInformation(i_xt, i_ty)
