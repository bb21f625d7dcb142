"""Normal numbers by place: noise that is drawn where it is added, in any order, on any thread.

The number of a unit at a place is a function of (seed, purpose, epoch, place, unit) and nothing
else: Philox 4x32-10 (Salmon et al. 2011) turns a counter of these into four words of 32 bits, and
the transform of Box and Muller (1958) turns two words into two normal numbers. Both run along
places, where they vectorise; ``normals_by_hand`` is the readable twin.
"""

from typing import Any

import numpy as np
from numba import njit, uint32, uint64
from numpy.typing import NDArray

from ibcore.randomness import PURPOSES
from ibcore.simd import (
    COMPILED,
    INLINE,
    LANES,
    Lanes,
    as_type_of,
    exponent,
    fitted,
    fma,
    load_whole,
    polynomial,
    power_of_two,
    square_root,
    store,
)

STRETCH = 256  # places drawn at once
ROUNDS = 10
LOW = 2**32 - 1
MULTIPLIERS = 0xD2511F53, 0xCD9E8D57
WEYL = 0x9E3779B9, 0xBB67AE85


def _log_ratio(u: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log1p(u) / u


def _sine_ratio(square: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.pi * np.sinc(np.sqrt(square))


def _cosine(square: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.cos(np.pi * np.sqrt(square))


LOG = fitted(_log_ratio, 9, np.sqrt(0.5) - 1, np.sqrt(2) - 1)  # log(1 + u) / u
SINE = fitted(_sine_ratio, 5, 0, 1)  # sin(πv) / v, of v²
COSINE = fitted(_cosine, 6, 0, 1)  # cos(πv), of v²


@njit(**COMPILED)
def philox(
    key: int, third: int, fourth: int, first: int, second: int, n: int, words: NDArray[np.uint32]
) -> None:
    """Four words for each of n counters (first + s, second, third, fourth).

    Word w of counter s goes to words[w * STRETCH + s].
    """
    low, half = uint64(LOW), uint64(32)
    for s in range(n):
        a, b = uint64(first + s) & low, uint64(second) & low
        c, d = uint64(third) & low, uint64(fourth) & low
        x, y = uint64(key) & low, uint64(key) >> half
        for _ in range(ROUNDS):
            p, q = uint64(MULTIPLIERS[0]) * a, uint64(MULTIPLIERS[1]) * c
            a, b, c, d = (q >> half) ^ b ^ x, q & low, (p >> half) ^ d ^ y, p & low
            x, y = (x + uint64(WEYL[0])) & low, (y + uint64(WEYL[1])) & low
        words[s], words[s + STRETCH] = uint32(a), uint32(b)
        words[s + 2 * STRETCH], words[s + 3 * STRETCH] = uint32(c), uint32(d)


@njit(**INLINE)
def _minus_log(u: Lanes) -> Lanes:
    k = exponent(u)
    rest = u * power_of_two(0.0 - k) - 1.0
    return fma(k, -0.6931471805599453, 0.0 - rest * polynomial(rest, LOG))


@njit(**COMPILED)
def draw(
    seed: int,
    purpose: int,
    epoch: int,
    place: int,
    n_units: int,
    n: int,
    std: float,
    words: NDArray[np.uint32],
    out: NDArray[Any],
) -> None:
    """The numbers of all units at up to STRETCH places, into a flat array of unit by STRETCH.

    Parameters
    ----------
    seed, purpose, epoch : int
        Whose, what for (a value of ``PURPOSES``) and when.
    place : int
        The first place.
    n_units, n : int
        Both are rounded up, units to 4 and places to LANES: ``out`` must have the room.
    std : float
        Standard deviation.
    words : (4 * STRETCH,) array
        Room to work in.
    out : (4 * ceil(n_units / 4) * STRETCH,) array of float32 or float64
        The numbers are made in float32, so that both see the same.
    """
    for four in range((n_units + 3) // 4):
        philox(seed, epoch, purpose, place, four, -(-n // LANES) * LANES, words)
        for pair in range(0, 4 * STRETCH, 2 * STRETCH):
            at = 4 * four * STRETCH + pair
            for s in range(pair, pair + n, LANES):
                # u in (0, 1), finest towards 0, where the tails come from; v in [-1, 1]
                u = load_whole(words, s) * 2.0**-31 + 2.0**-32
                radius = square_root(_minus_log(u) * 2.0) * std
                v = load_whole(words, s + STRETCH) * 2.0**-30 - 1.0
                square = v * v
                store(out, at + s - pair, as_type_of(radius * polynomial(square, COSINE), out))
                sine = radius * v * polynomial(square, SINE)
                store(out, at + s - pair + STRETCH, as_type_of(sine, out))


def normals(
    seed: int, purpose: str, epoch: int, n_units: int, n_places: int, std: float = 1.0
) -> NDArray[np.float32]:
    """(unit, place) normal numbers of one seed, purpose and epoch.

    Examples
    --------
    >>> normals(7, "noise", 3, 5, 100).shape
    (5, 100)
    >>> bool((normals(7, "noise", 3, 2, 9) == normals(7, "noise", 3, 5, 100)[:2, :9]).all())
    True
    """
    found = np.empty((n_units, n_places), np.float32)
    _fill(seed, PURPOSES[purpose], epoch, std, found)
    return found


@njit(**COMPILED)
def _fill(seed: int, purpose: int, epoch: int, std: float, found: NDArray[np.float32]) -> None:
    n_units, n_places = found.shape
    words = np.empty(4 * STRETCH, np.uint32)
    room = np.empty((n_units + 3) // 4 * 4 * STRETCH, np.float32)
    for place in range(0, n_places, STRETCH):
        n = min(STRETCH, n_places - place)
        draw(seed, purpose, epoch, place, n_units, n, std, words, room)
        for u in range(n_units):
            found[u, place : place + n] = room[u * STRETCH : u * STRETCH + n]


def philox_by_hand(
    counter: tuple[int, int, int, int], key: tuple[int, int], rounds: int = ROUNDS
) -> tuple[int, int, int, int]:
    """Four words, as Salmon et al. (2011), *Parallel random numbers: as easy as 1, 2, 3* say.

    Examples
    --------
    >>> [hex(word) for word in philox_by_hand((0, 0, 0, 0), (0, 0))]
    ['0x6627e8d5', '0xe169c58d', '0xbc57ac4c', '0x9b00dbd8']
    """
    (a, b, c, d), (x, y) = counter, key
    for _ in range(rounds):
        p, q = MULTIPLIERS[0] * a, MULTIPLIERS[1] * c
        a, b, c, d = (q >> 32) ^ b ^ x, q & LOW, (p >> 32) ^ d ^ y, p & LOW
        x, y = (x + WEYL[0]) & LOW, (y + WEYL[1]) & LOW
    return a, b, c, d


def normals_by_hand(
    seed: int, purpose: str, epoch: int, n_units: int, n_places: int
) -> NDArray[np.float64]:
    """The readable twin of ``normals``, in float64."""
    found = np.empty((-(-n_units // 4) * 4, n_places))
    key = (seed & LOW, seed >> 32)
    for four in range(0, n_units, 4):
        for place in range(n_places):
            counter = (place, four // 4, epoch, PURPOSES[purpose])
            halves = np.array(philox_by_hand(counter, key)) // 2
            radius = np.sqrt(-2 * np.log((halves[::2] + 0.5) / 2**31))
            angle = np.pi * (halves[1::2] / 2**30 - 1)
            found[four : four + 4 : 2, place] = radius * np.cos(angle)
            found[four + 1 : four + 4 : 2, place] = radius * np.sin(angle)
    return found[:n_units]
