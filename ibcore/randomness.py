"""Randomness from seeds alone: one counter-based generator per (seed, purpose, epoch)."""

import numpy as np

PURPOSES = {"data": 0, "split": 1, "init": 2, "batches": 3, "noise": 4}


def generator(seed: int, purpose: str, epoch: int = 0) -> np.random.Generator:
    """A Philox generator keyed by what it is for.

    The key is the whole state, so the stream of one network depends on its own seed alone: not on
    how many others run, on their order, on threads or on where a run was resumed.

    Parameters
    ----------
    seed : int
        Of the network.
    purpose : str
        One of ``PURPOSES``; streams of different purposes are independent.
    epoch : int
        For streams that are renewed every epoch.

    Examples
    --------
    >>> int(generator(0, "init").integers(1000)) == int(generator(0, "init").integers(1000))
    True
    """
    key = np.array([seed, PURPOSES[purpose] << 32 | epoch], dtype=np.uint64)
    return np.random.Generator(np.random.Philox(key=key))
