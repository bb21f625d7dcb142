"""What a layer knows of a 12-bit input, part by part.

The label of the 12-bit task is a function of the signature of an input (how many ones, how many
pairs of them at each of the three distances on the icosahedron), the signature one of its orbit
under the symmetries of the icosahedron, and the orbit one of the input. For any T that is a
function of x the chain rule is therefore exact:

    I(X;T) = I(Y;T) + I(signature;T|Y) + I(orbit;T|signature) + I(X;T|orbit).

The first part is what the label needs, the last one tells apart inputs that no task with these
symmetries can tell apart.
"""

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibcore.information import entropy_from_counts
from ibcore.tasks.boolean import load_szt
from ibcore.tasks.icosahedron import orbits, signatures


class Parts(NamedTuple):
    """Bits of the four parts, which add up to I(X;T); besides, I(number of ones; T)."""

    label: float
    signature: float
    orbit: float
    within: float
    popcount: float

    @property
    def total(self) -> float:
        """I(X;T)."""
        return self.label + self.signature + self.orbit + self.within


@cache
def _classes() -> dict[str, NDArray[np.int64]]:
    """Label, signature, orbit and number of ones of every input, as integers."""
    pairs = signatures()
    return {
        "label": load_szt().y.astype(np.int64),
        "signature": np.unique(pairs, axis=0, return_inverse=True)[1].reshape(-1),
        "orbit": np.asarray(orbits(), np.int64),
        "popcount": np.asarray(pairs[:, 0], np.int64),
    }


def decompose(codes: ArrayLike) -> Parts:
    """Take I(X;T) of a discrete T on all 4096 inputs of the 12-bit task apart.

    Parameters
    ----------
    codes : (4096,) or (4096, unit) integer array
        T for every input, in the order of the task; a row is one symbol.

    Raises
    ------
    ValueError
        If there are not 4096 rows.

    Examples
    --------
    A layer that has kept the label and nothing else:

    >>> [round(part, 4) for part in decompose(load_szt().y)]
    [0.9992, 0.0, 0.0, 0.0, 0.6276]
    """
    rows = np.asarray(codes)
    if len(rows) != 4096 or rows.dtype.kind not in "iub":
        raise ValueError(
            "codes must be integers for all 4096 inputs of the 12-bit task in its order, got "
            f"{rows.dtype} of shape {rows.shape}; bin the layer first, with Binning().codes(t)."
        )
    symbols = np.unique(rows, axis=0, return_inverse=True)[1] if rows.ndim == 2 else rows
    t = symbols.reshape(-1).astype(np.int64)
    t -= t.min()
    given = {name: _entropy_given(t, c) for name, c in _classes().items()}
    h_t = entropy_from_counts(np.bincount(t))
    return Parts(
        label=h_t - given["label"],
        signature=given["label"] - given["signature"],
        orbit=given["signature"] - given["orbit"],
        within=given["orbit"],
        popcount=h_t - given["popcount"],
    )


def _entropy_given(t: NDArray[np.int64], c: NDArray[np.int64]) -> float:
    """H(T|C) in bits."""
    _, counts = np.unique(c * (t.max() + 1) + t, return_counts=True)
    return entropy_from_counts(counts) - entropy_from_counts(np.bincount(c))
