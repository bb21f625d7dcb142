"""What comes in: a layer and its labels as plain arrays, or a sentence that says what is wrong."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibcore.labels import label_distribution, numbered_labels

LARGEST_FLOAT32 = float(np.finfo(np.float32).max)
MOST_EXACT = 2**53  # beyond, neighbouring integers are one float64


def real_array(name: str, values: ArrayLike) -> np.ndarray:
    """An array of real numbers that float64 can tell apart.

    A mask, an imaginary part or a text would be lost in silence: they are refused.
    """
    found = as_array(name, values)
    if found.dtype.kind not in "biuf":
        raise ValueError(
            f"{name} must be an array of real numbers, got dtype {found.dtype} and shape "
            f"{found.shape}."
        )
    if found.dtype.kind in "iu" and found.size and max(found.max(), -int(found.min())) > MOST_EXACT:
        raise ValueError(f"integers in {name} beyond 2**53 would be rounded together; shift them.")
    return found


def real_floats(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """The same as float64; what lies beyond is infinite."""
    with np.errstate(over="ignore"):
        return real_array(name, values).astype(np.float64)


def as_array(name: str, values: ArrayLike) -> np.ndarray:
    """An array of any type, or the reason why it is none."""
    if np.ma.is_masked(values):
        raise ValueError(f"{name} is masked, and a mask would be lost; leave out those samples.")
    try:
        return np.asarray(values)
    except Exception as error:  # ragged lists, tensors that want gradients, foreign objects
        raise ValueError(f"{name} cannot be read as an array: {error}") from error


def checked_layer(t: ArrayLike, dtype: type | None = None) -> np.ndarray:
    """Activations as a (sample, unit) float array, or an error that says what is wrong.

    Parameters
    ----------
    t : (sample, unit) array
        float32 stays float32, anything else becomes float64.
    dtype : type, optional
        Round to this type instead.
    """
    given = real_array("t", t)
    if given.ndim != 2 or given.shape[1] == 0:
        raise ValueError(
            f"t must be (sample, unit) with at least one unit, got shape {given.shape}."
        )
    if len(given) < 2:
        raise ValueError(f"need at least 2 samples to speak of information, got {len(given)}.")
    if dtype is None:
        dtype = np.float32 if given.dtype == np.float32 else np.float64
    with np.errstate(over="ignore"):
        found: np.ndarray = np.ascontiguousarray(given, dtype=dtype)
    if not np.isfinite(found).all():
        raise ValueError(_not_finite(given, found))
    return found


def _not_finite(given: np.ndarray, found: np.ndarray) -> str:
    """Which values are not finite, and why."""
    if np.isfinite(given).all():
        largest = given.flat[np.abs(given).argmax()]
        return f"t holds {largest:.3g}, which is beyond {found.dtype}; rescale the layer."
    bad = np.count_nonzero(~np.isfinite(given), axis=0)
    units = np.flatnonzero(bad)
    return (
        f"t must be finite; unit {units[0]} has {bad[units[0]]} NaN or infinite values of "
        f"{len(given)}, and {len(units)} of {given.shape[1]} units have some. Did the network "
        "diverge?"
    )


def checked_labels(y: ArrayLike, n_samples: int) -> np.ndarray:
    """One label for each sample: classes as (sample,) integers 0, 1, …, or soft ones as P(y|x).

    Parameters
    ----------
    y : (sample,) integers or strings, (sample,) floats P(y=1|x), or (sample, class) floats P(y|x)
        Classes may have any names: which are equal is all that counts.
    n_samples : int

    Returns
    -------
    (sample,) int64 or (sample, class) float64 array
    """
    given = as_array("y", y)
    if given.ndim > 0 and len(given) != n_samples:
        raise ValueError(
            f"need one label for each of the {n_samples} samples of t, got y of shape "
            f"{given.shape}."
        )
    soft = given.ndim == 2 or given.dtype.kind == "f"
    return label_distribution(y) if soft else numbered_labels(y)[0]
