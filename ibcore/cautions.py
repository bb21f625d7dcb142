"""What a plane cannot tell: sentences that stand beside its numbers.

``warnings(plane)`` runs the tests in ``TESTS``, each a function of a plane that yields cautions.
Another test is another function in that list.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import xarray as xr

SLACK = 0.05
"""Bits below a ceiling at which a value still counts as at it: as in the verdicts."""


class Caution(NamedTuple):
    """One sentence about one ruler and some layers of a plane.

    Attributes
    ----------
    kind : str
        One word: which test speaks.
    estimator : str
        Name of the ruler.
    layers : tuple of int
        Numbers of the layers, from 1.
    text : str
        A whole sentence.
    """

    kind: str
    estimator: str
    layers: tuple[int, ...]
    text: str


def at_ceiling(plane: xr.Dataset) -> Iterator[Caution]:
    """I(X;T) at log2 N or I(T;Y) at H(Y) at every epoch, in at least half of the networks.

    At log2 N the ruler tells all N inputs apart. Such a value is a property of N, not of the layer,
    and nothing that the layer does is seen.
    """
    n, h_y = int(plane.attrs["n_samples"]), float(plane.attrs["label_entropy"])
    ceilings = {"i_xt": float(np.log2(n)), "i_ty": h_y}
    told = {
        "i_xt": f"I(X;T) is log₂ {n} = {ceilings['i_xt']:.4g} bits: the ruler tells all inputs "
        "apart, and the value says how many there are, not what the layer keeps",
        "i_ty": f"I(T;Y) is H(Y) = {h_y:.4g} bits: where inputs are told apart any labels are "
        "known, random ones too; ib.worth shuffles the labels and says whether that is so",
    }
    for name, ceiling in ceilings.items():
        full = (plane[name] >= ceiling - SLACK).all("epoch").mean("seed") >= 0.5
        for k, estimator in enumerate(plane.estimator.values):
            layers = plane.layer.values[full.isel(estimator=k).values]
            if len(layers) and ceiling > SLACK:
                which = tuple(int(one) for one in layers)
                yield Caution("ceiling", str(estimator), which, f"{told[name]}.")


def at_floor(plane: xr.Dataset) -> Iterator[Caution]:
    """I(X;T) below the slack at every epoch, in at least half of the networks: all inputs alike."""
    empty = (plane["i_xt"] <= SLACK).all("epoch").mean("seed") >= 0.5
    for k, estimator in enumerate(plane.estimator.values):
        layers = plane.layer.values[empty.isel(estimator=k).values]
        if len(layers):
            which = tuple(int(one) for one in layers)
            text = "I(X;T) is 0: the ruler tells no inputs apart; take a finer one."
            yield Caution("floor", str(estimator), which, text)


TESTS: list[Callable[[xr.Dataset], Iterator[Caution]]] = [at_ceiling, at_floor]


def warnings(plane: xr.Dataset) -> list[Caution]:
    """What all tests say of a plane (estimator, seed, epoch, layer), in the order of its rulers."""
    found = [one for test in TESTS for one in test(plane)]
    order = [str(name) for name in plane.estimator.values]
    return sorted(found, key=lambda one: (order.index(one.estimator), one.kind, one.layers))
