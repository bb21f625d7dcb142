"""Rulers that a user hands in: those of ibcore, classes that inherit ``Ruler``, plain functions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from numpy.typing import ArrayLike

from ibcore.estimators import LayerInformation, Ruler, checked_rulers
from ibcore.kinds import shown


@dataclass(frozen=True, repr=False)
class OwnFunction(Ruler, named=False):
    """A function f(t, y) → (I(X;T), I(T;Y)) in bits, as a ruler.

    Its name in a result is the function's, what it measures the function's ``measures``, if it has
    one.
    """

    function: Callable[[Any, Any], Any]

    def __repr__(self) -> str:
        """Name in a result."""
        inner = getattr(self.function, "func", self.function)  # of a partial
        return str(getattr(inner, "__name__", type(inner).__name__))

    @property
    def measures(self) -> str:
        """Label of an axis."""
        return str(getattr(self.function, "measures", "I(X; T)"))

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """Both numbers, of t (sample, unit) and y (sample,)."""
        try:
            i_xt, i_ty = self.function(t, y)
            return LayerInformation(float(i_xt), float(i_ty))
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"{self!r}(t, y) must give two numbers, I(X;T) and I(T;Y) in bits: {error}."
            ) from error


def read_rulers(estimators: Any, name: str = "estimators") -> list[Ruler]:
    """Rulers of single levels, in the order given, or a ValueError that says what is wrong."""
    if not isinstance(estimators, list | tuple):
        raise ValueError(
            f"{name} must be a list of rulers, got {shown(estimators)}; write [ib.Exact()]."
        )
    found: list[Ruler] = []
    for one in estimators or [None]:
        if callable(one) and not isinstance(one, type | Ruler):
            found.append(OwnFunction(one))
        else:
            found += checked_rulers([] if one is None and not estimators else [one])
    for ruler in found:
        if ruler.needs_run:
            raise ValueError(
                f"{shown(ruler)} looks at a training run, and a module is none; take a ruler of "
                "layers, such as ib.Binning, or measure a run with ib.run."
            )
    unique = {repr(ruler): ruler for ruler in found}
    if len(unique) < len({id(one) if isinstance(one, OwnFunction) else repr(one) for one in found}):
        raise ValueError("two functions have the same name; results know rulers by name.")
    return list(unique.values())
