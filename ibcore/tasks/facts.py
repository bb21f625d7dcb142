"""What is stated about the 12-bit task, computed again from its rule and compared.

Claim SZT-S3.1 (the task is spherically symmetric, balanced, and holds about 0.99 bit) is
judged by these facts: it holds when every one of them does.
"""

from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ibcore.information import binary_entropy, entropy_from_counts, mutual_information_from_counts
from ibcore.tasks import boolean, icosahedron

Y_SHA256 = "77732f16f85e91b49d3997196b56163b3bd362d8cf631468a8de3f986e88359f"


class Fact(NamedTuple):
    """A number found, beside the number stated.

    Parameters
    ----------
    name : str
        What is counted or measured, with its unit.
    found, expected : float
        The number computed here, and the number stated.
    tolerance : float
        Largest difference that counts as agreement; 0 for counts.
    """

    name: str
    found: float
    expected: float
    tolerance: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether the two agree within the tolerance."""
        return bool(abs(self.found - self.expected) <= self.tolerance)


@cache
def szt_facts() -> tuple[Fact, ...]:
    """Return every fact stated about the 12-bit task, found and expected.

    Tolerances are at most one unit of the last digit stated.

    Examples
    --------
    >>> all(fact.holds for fact in szt_facts())
    True
    """
    y = boolean.load_szt().y
    facts = (*_label_facts(y), *_counting_facts(y), *_symmetry_facts(y), *_rule_facts(y))
    return tuple(fact._replace(found=float(fact.found)) for fact in facts)


def _label_facts(y: NDArray[Any]) -> tuple[Fact, ...]:
    h_y = entropy_from_counts(np.bincount(y))
    flip = _flip_probability(y.mean(), 0.99)
    digest = sha256(y.astype(np.uint8).tobytes()).hexdigest()
    codes = icosahedron.all_inputs() @ 2 ** np.arange(12)[::-1]
    return (
        Fact("rows", len(y), 4096),
        Fact("rows that stand at their own binary number", np.sum(codes == np.arange(4096)), 4096),
        Fact("labels with the stated SHA-256", float(digest == Y_SHA256), 1),
        Fact("positive inputs", y.sum(), 2118),
        Fact("P(Y=1)", y.mean(), 0.517090, 5e-7),
        Fact("H(Y) = I(X;Y) in bits", h_y, 0.999157120850, 1e-12),
        Fact("label flip that would leave I(X;Y) = 0.99 bit", flip, 7.78e-4, 5e-7),
        Fact("P(Y=1) in the first 205 rows (5 %)", y[:205].mean(), 0.117, 5e-4),
        Fact("P(Y=1) in the other 3891 rows", y[205:].mean(), 0.538, 5e-4),
        Fact("P(Y=1) in the first 3277 rows (80 %)", y[:3277].mean(), 0.437, 5e-4),
        Fact("P(Y=1) in the last 819 rows", y[3277:].mean(), 0.836, 5e-4),
        Fact("P(Y=1) of g1", boolean.load_g1().y.mean(), 0.50366, 5e-6),
        Fact("P(Y=1) of g2", boolean.load_g2().y.mean(), 0.49927, 5e-6),
    )


def _counting_facts(y: NDArray[Any]) -> tuple[Fact, ...]:
    k = icosahedron.signatures()[:, 0]
    counts = _table_of_counts(k, y)
    rules = [np.mean((k >= least) == y) for least in range(14)]
    return (
        Fact("positive inputs with at most 4 ones", counts[:5, 1].sum(), 0),
        Fact("positive inputs of the 792 with 5 ones", counts[5, 1], 60),
        Fact("positive inputs of the 924 with 6 ones", counts[6, 1], 532),
        Fact("positive inputs of the 792 with 7 ones", counts[7, 1], 732),
        Fact("negative inputs with at least 8 ones", counts[8:, 0].sum(), 0),
        Fact("accuracy of the best rule that counts ones", max(rules), 0.875),
        Fact("ones that this rule asks for", int(np.argmax(rules)), 6),
        Fact(
            "I(number of ones; Y) in bits",
            mutual_information_from_counts(counts),
            0.627641239216,
            1e-12,
        ),
    )


def _symmetry_facts(y: NDArray[Any]) -> tuple[Fact, ...]:
    full, turned = icosahedron.orbits(), icosahedron.orbits(icosahedron.rotations())
    signature = _signature_numbers()
    group = icosahedron.label_symmetries(y)
    influences = _influences(y)
    return (
        Fact("column permutations that keep every label", len(group), 120),
        Fact(
            "of these, symmetries of the icosahedron",
            len({*map(tuple, group)} & {*map(tuple, icosahedron.symmetries())}),
            120,
        ),
        Fact("rotations of the icosahedron", len(icosahedron.rotations()), 60),
        Fact("orbits of inputs under all symmetries", full.max() + 1, 82),
        Fact("entropy of these orbits in bits", _entropy_of(full), 6.073761379797, 1e-12),
        Fact("orbits of inputs under rotations", turned.max() + 1, 96),
        Fact("signatures (ones, pairs of ones by distance)", signature.max() + 1, 64),
        Fact("entropy of the signatures in bits", _entropy_of(signature), 5.569522432166, 1e-12),
        Fact(
            "H(Y | signature) in bits",
            _entropy_of(signature * 2 + y) - _entropy_of(signature),
            0,
            1e-12,
        ),
        Fact("smallest influence of a bit", influences.min(), 0.215820, 5e-7),
        Fact("largest influence of a bit", influences.max(), 0.215820, 5e-7),
    )


def _rule_facts(y: NDArray[Any]) -> tuple[Fact, ...]:
    f, soft = icosahedron.height(), boolean.load_szt_soft()
    return (
        Fact("values of f", len(np.unique(f)), 53),
        Fact("distance from 7.6 to the nearest value of f", np.abs(f - 7.6).min(), 0.037, 5e-4),
        Fact("labels that differ from the integer rule", np.sum(_integer_rule() != y), 0),
        Fact("I(X;Y) of the soft labels in bits", soft.information, 0.99, 5e-6),
    )


def _integer_rule() -> NDArray[np.int64]:
    """Return y = 1[2 n₁ - n₃ ≥ T(k)] for k = 5, 6, 7; 0 below and 1 above."""
    k, n1, _, n3 = icosahedron.signatures().T
    threshold = np.array([99] * 5 + [12, 12, 15] + [-99] * 5)
    return (2 * n1 - n3 >= threshold[k]).astype(np.int64)


def _flip_probability(positive: float, information: float) -> float:
    """ε with H(Y ⊕ flip) - h₂(ε) = information, flips of probability ε; by bisection."""
    low, high = 0.0, 0.5
    for _ in range(60):
        flip = (low + high) / 2
        flipped = positive * (1 - flip) + (1 - positive) * flip
        left = binary_entropy(flipped) - binary_entropy(flip)
        low, high = (flip, high) if left > information else (low, flip)
    return low


def _influences(y: NDArray[Any]) -> NDArray[np.float64]:
    """Share of inputs whose label changes with one bit, for each of the 12 bits."""
    rows = np.arange(4096)
    return np.array([np.mean(y != y[rows ^ (1 << bit)]) for bit in range(12)])


def _signature_numbers() -> NDArray[np.int64]:
    return np.unique(icosahedron.signatures(), axis=0, return_inverse=True)[1]


def _entropy_of(symbols: NDArray[np.int64]) -> float:
    return entropy_from_counts(np.bincount(symbols))


def _table_of_counts(a: NDArray[np.int64], b: NDArray[np.int64]) -> NDArray[np.int64]:
    counts = np.zeros((a.max() + 1, b.max() + 1), dtype=np.int64)
    np.add.at(counts, (a, b), 1)
    return counts
