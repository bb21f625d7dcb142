"""Linear students: their error on fresh data."""

from dataclasses import dataclass
from typing import ClassVar

from ibcore.observables.base import Observable, View
from ibcore.theory import generalisation_error


@dataclass(frozen=True)
class Generalisation(Observable):
    """Expected squared error of a linear student on fresh data, from its weights."""

    per_network: ClassVar = True
    variables: ClassVar = {
        "generalisation_error": ("1", "expected squared error on fresh data, exact"),
    }

    def __call__(self, view: View) -> dict[str, float]:
        """Number of one network, by name."""
        if view.task.teacher is None:
            raise ValueError(
                f"the task {view.task.name!r} has no linear teacher to compare a student with."
            )
        whole = view.network.products()[-1]
        student, teacher = (view.task.whitened(one) for one in (whole, view.task.teacher))
        error = generalisation_error(student, teacher, view.task.teacher_noise_variance)
        return {"generalisation_error": error}
