"""Synergy of inputs and of units: what only several of them together say (Westphal et al. 2025)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibcore.estimators import Binning, information_of_codes
from ibcore.observables.base import Observable, View


@dataclass(frozen=True)
class Synergy(Observable):
    """Average interaction information of a binned layer, exact on tasks of all binary words.

    Westphal, Hailes & Musolesi (2025) measure synergy, "the average interaction information of each
    feature with those remaining", and put it in the place of both informations of the bottleneck.
    From their abstract, which is all that we could read of the definition, we take for features
    V_1 … V_d and another variable W

        1/d Σ_i [I(V; W) − I(V_i; W) − I(V_−i; W)],

    with V_−i all features but the i-th; it is positive where features say more together than
    apart. Their reweighting of samples by pointwise information is left out.

    ``synergy_inputs``, the term of complexity: V are the input bits and W is T. On all words of d
    bits, with T a function of them, each summand is

        (share of pairs of words that differ in bit i alone, and whose T differ) − I(X_i; T),

    between 0 and 1 bit. **It is 0 for a constant layer and 0 for an injective one**, which tells a
    bit from the rest and from itself alike (1 − 1). So where I(X;T) rises to its ceiling of d bits
    this number falls: a fall says "compression" of a layer that forgets and of one that has come
    to know everything. Only beside I(X;T) does it say which.

    ``synergy_units``, the term of prediction: V are the binned units and W is the label. It is
    negative where units repeat each other.

    Parameters
    ----------
    n_bins : int
        Equal bins on [-1, 1]; the grid goes on outside.
    """

    n_bins: int = 30
    variables: ClassVar = {
        "synergy_inputs": ("bits", "mean interaction information of an input bit and the rest"),
        "synergy_units": ("bits", "mean interaction information of a unit and the rest, on Y"),
    }

    def __call__(self, view: View) -> dict[str, list[float]]:
        """Numbers per layer, by name."""
        words = binary_words(view.x)
        if words is None:
            raise ValueError(
                f"the task {view.task.name!r} is not made of all words of a number of bits, each "
                "once, and synergy is exact on such tasks only; take another observable."
            )
        ruler = Binning(n_bins=self.n_bins, low=-1.0, high=1.0)
        codes = [ruler.codes(t) for t in view.layers]
        return {
            "synergy_inputs": [input_synergy(words, one) for one in codes],
            "synergy_units": [unit_synergy(one, view.task.y) for one in codes],
        }


def binary_words(x: ArrayLike) -> NDArray[np.int64] | None:
    """The number that each row of x (sample, bit) spells, or None if x is not every word once."""
    x = np.asarray(x)
    n, d = x.shape
    if n != 2**d or any(len(np.unique(column)) != 2 for column in x.T):
        return None
    words = (x > x.min(axis=0)) @ (1 << np.arange(d))
    return words if len(np.unique(words)) == n else None


def input_synergy(words: NDArray[np.int64], codes: NDArray[np.int64]) -> float:
    """Mean over bits of I(X;T) − I(X_i;T) − I(X_−i;T), in bits.

    Parameters
    ----------
    words : (sample,) integers
        Every number from 0 to 2^d − 1 once: the inputs.
    codes : (sample, unit) integers
        A row is a symbol of T.
    """
    symbols = np.empty(len(words), np.int64)
    symbols[words] = np.unique(codes, axis=0, return_inverse=True)[1].reshape(-1)
    terms = []
    for bit in range(len(words).bit_length() - 1):
        off, on = np.moveaxis(symbols.reshape(-1, 2, 1 << bit), 1, 0).reshape(2, -1)
        own = information_of_codes(symbols[:, None], np.arange(len(words)) >> bit & 1).i_ty
        terms.append((off != on).mean() - own)
    return float(np.mean(terms))


def unit_synergy(codes: NDArray[np.int64], y: ArrayLike) -> float:
    """Mean over units of I(T;Y) − I(T_u;Y) − I(T_−u;Y), in bits; 0 for a single unit.

    Parameters
    ----------
    codes : (sample, unit) integers
    y : (sample,) labels, or probabilities of them
    """
    whole = information_of_codes(codes, y).i_ty
    if codes.shape[1] == 1:
        return 0.0
    terms = [
        whole
        - information_of_codes(codes[:, [unit]], y).i_ty
        - information_of_codes(np.delete(codes, unit, axis=1), y).i_ty
        for unit in range(codes.shape[1])
    ]
    return float(np.mean(terms))
