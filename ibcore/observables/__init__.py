"""What is measured on a network besides information: losses, gradients, norms, clusters.

An observable sees one network at one measured epoch, as a ``View``, and gives named numbers, one
per layer or one per network.
"""

from ibcore.config import Experiment
from ibcore.observables.base import Observable, View
from ibcore.observables.clusters import Clustering, Corners, NeighbourEntropy
from ibcore.observables.gradients import GradientStatistics
from ibcore.observables.lengths import LocalLengths
from ibcore.observables.performance import Performance, Shape
from ibcore.observables.students import Generalisation
from ibcore.observables.symbols import BinShares, Decomposition, SelfConsistency
from ibcore.observables.synergy import Synergy
from ibcore.tasks import load_task

__all__ = [
    "OBSERVABLES",
    "VARIABLES",
    "BinShares",
    "Clustering",
    "Corners",
    "Decomposition",
    "Generalisation",
    "GradientStatistics",
    "LocalLengths",
    "NeighbourEntropy",
    "Observable",
    "Performance",
    "SelfConsistency",
    "Shape",
    "Synergy",
    "View",
    "described",
]

OBSERVABLES: dict[str, Observable] = {
    "performance": Performance(),
    "shape": Shape(),
    "gradients": GradientStatistics(),
    "self_consistency": SelfConsistency(),
    "decomposition": Decomposition(),
    "clustering": Clustering(),
    "bins": BinShares(),
    "corners": Corners(),
    "generalisation": Generalisation(),
    "neighbours": NeighbourEntropy(),
    "lengths": LocalLengths(),
    "synergy": Synergy(),
}

# name -> (unit, long name); what a plane may hold besides i_xt and i_ty
VARIABLES = {name: about for one in OBSERVABLES.values() for name, about in one.variables.items()}


def described(name: str, experiment: Experiment) -> tuple[str, str]:
    """Unit and long name of a variable in the results of an experiment."""
    unit, words = VARIABLES[name]
    if experiment.loss == "squared_error":
        unit = "1" if unit == "nats" else unit
        words = words.replace("cross-entropy", "squared error")
    if load_task(experiment.task).target is not None:
        words = words.replace("accuracy", "share of right signs")
    return unit, words
