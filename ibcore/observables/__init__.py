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
from ibcore.plugins import load_all
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
    "accept",
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


RESERVED = ("i_xt", "i_ty", "i_xt_error", "i_ty_error", "update", "width", "measures")


def accept(observable: Observable) -> str:
    """Let results know an observable of a reader's own; it is known by the name of its class.

    Raises
    ------
    ValueError
        If it is none, or takes the name of a variable or of a class that is another's.
    """
    name = type(observable).__name__
    if not isinstance(observable, Observable) or not observable.variables:
        raise ValueError(
            "an observable is an object of a class that inherits ibcore.observables.Observable "
            f"and names its variables, {{name: (unit, words)}}; got {observable!r}."
        )
    others = {key: one for key, one in OBSERVABLES.items() if type(one).__name__ != name}
    taken = {name for one in others.values() for name in one.names}.union(RESERVED)
    if clash := sorted(taken & set(observable.names)):
        raise ValueError(f"{name} measures {', '.join(clash)}, which is another's; rename it.")
    mine = [key for key, one in OBSERVABLES.items() if type(one).__name__ == name]
    if mine and type(OBSERVABLES[mine[0]]).__module__.startswith("ibcore."):
        if type(observable) is type(OBSERVABLES[mine[0]]):
            return mine[0]
        raise ValueError(f"ibcore has an observable {name}; give yours another name.")
    OBSERVABLES[name] = observable
    VARIABLES.update(observable.variables)
    return name


def described(name: str, experiment: Experiment) -> tuple[str, str]:
    """Unit and long name of a variable in the results of an experiment."""
    unit, words = VARIABLES[name]
    if experiment.loss == "squared_error":
        unit = "1" if unit == "nats" else unit
        words = words.replace("cross-entropy", "squared error")
    if load_task(experiment.task).target is not None:
        words = words.replace("accuracy", "share of right signs")
    return unit, words


for _name, _offered in load_all("observables").items():
    accept(_offered() if isinstance(_offered, type) else _offered)
