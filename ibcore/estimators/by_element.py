"""Which counting rulers read a layer number by number, whatever the other rows are."""

from typing import TypeGuard

from ibcore.estimators.adaptive import NetInputBinning
from ibcore.estimators.base import Ruler
from ibcore.estimators.binning import Binning, EdgeBinning, Exact
from ibcore.estimators.counting import CountingRuler

BY_ELEMENT = (Binning, EdgeBinning, Exact, NetInputBinning)
"""Rulers whose codes of an activation do not hang on other activations."""


def by_element(ruler: Ruler) -> TypeGuard[CountingRuler]:
    """Whether the symbol of a row does not hang on other rows: of a part of them it is the same.

    A class of one's own says so with ``by_element = True``, a subclass of these as well.
    """
    said = getattr(ruler, "by_element", type(ruler) in BY_ELEMENT)
    return isinstance(ruler, CountingRuler) and bool(said)
