"""A ruler for the rows that a network was trained on."""

from dataclasses import dataclass, replace

from numpy.typing import ArrayLike

from ibcore.estimators.counting import LayerInformation
from ibcore.estimators.linear import LinearGaussian
from ibcore.estimators.propagation import SamplePropagation


@dataclass(frozen=True)
class OnTrainingRows:
    """Another ruler, laid in a training run on each network's own training rows.

    Information then is about an X that is uniform on those rows, and its ceiling is the logarithm
    of their number. Tasks that measure on rows of their own, such as MNIST, are refused.

    Parameters
    ----------
    estimator : estimator
    """

    estimator: object

    def __post_init__(self) -> None:
        """Refuse rulers that look into the network themselves."""
        if isinstance(self.estimator, SamplePropagation | LinearGaussian | OnTrainingRows):
            raise ValueError(
                f"{type(self.estimator).__name__} has no training rows to choose; name a ruler of "
                "layers (sample, unit), such as KernelBound."
            )

    @property
    def measures(self) -> str:
        """Label of an axis."""
        return f"{self.estimator.measures}, training rows"

    def prepare(self, trajectory) -> "OnTrainingRows":
        """The same with its ruler prepared."""
        if trajectory.task.measured_rows is not None:
            raise ValueError(
                f"{trajectory.task.name!r} is measured on rows of its own, not on those that a "
                "network was trained on; take the ruler itself."
            )
        return replace(self, estimator=self.estimator.prepare(trajectory))

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """Bits, of the rows that are given: choosing them is the run's work."""
        return self.estimator(t, y)
