"""Labels of a user's data: classes, probabilities, or numbers of a regression cut into classes."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from ibcore.information import entropy
from ibcore.kinds import shown, whole
from ibcore.labels import as_array, label_distribution, numbered_labels

KINDS = ("classes", "probabilities", "values")
N_BINS = whole(2, 10**6)


class Targets(NamedTuple):
    """Labels as rulers take them, what they were read as, and H(Y) in bits."""

    y: NDArray[Any]
    kind: str
    n_classes: int
    entropy: float


def read_targets(y: ArrayLike | torch.Tensor, kind: str | None = None, n_bins: int = 10) -> Targets:
    """Labels of any kind as rulers take them.

    Parameters
    ----------
    y : (sample,) or (sample, class) array or tensor
        Integers, bools and strings are classes; rows of floats with sum 1 are P(y|x). Floats of
        shape (sample,) may be either P(y=1|x) or numbers of a regression: ``kind`` must say which,
        unless all of them are 0 or 1, where both say the same.
    kind : "classes", "probabilities" or "values", optional
        Values are cut into ``n_bins`` classes of about equal count; equal values share a class.
    n_bins : int
        Classes that values are cut into.

    Raises
    ------
    ValueError
        For labels that can be read in two ways, or in none.

    Examples
    --------
    >>> read_targets([0.1, 0.7, 0.2, 0.9], kind="values", n_bins=2)
    Targets(y=array([0, 1, 0, 1]), kind='values', n_classes=2, entropy=1.0)
    """
    if kind is not None and kind not in KINDS:
        raise ValueError(f"y_kind must be one of {', '.join(KINDS)}, or None; got {shown(kind)}.")
    found = _plain(y)
    kind = kind or _kind_of(found)
    if kind == "probabilities":
        if found.dtype.kind in "iu" and found.ndim == 1:
            found = found.astype(np.float64)
        rows = label_distribution(found)
        # The labels as given: rulers read them in the same way.
        return Targets(found, kind, rows.shape[1], entropy(_normalised(rows.mean(axis=0))))
    if kind == "values":
        found = equal_counts(found, N_BINS.checked("y_bins", n_bins))
    elif found.ndim != 1:
        raise ValueError(
            f"classes must be one label for each sample, got shape {found.shape}; rows of "
            "probabilities, one-hot ones too, are y_kind='probabilities'."
        )
    elif found.dtype.kind == "f":
        if not (np.isfinite(found).all() and (found == np.round(found)).all()):
            raise ValueError(
                "float labels that are classes must be whole numbers; numbers that were measured "
                "are y_kind='values'."
            )
        found = found.astype(np.int64)
    labels, n_classes = numbered_labels(found)
    return Targets(labels, kind, n_classes, entropy(np.bincount(labels) / len(labels)))


def equal_counts(values: NDArray[Any], n_bins: int) -> NDArray[np.int64]:
    """Numbers (sample,) cut at their quantiles into at most ``n_bins`` classes from 0 on.

    The edges are v[floor(j N / n_bins)], j = 1 … n_bins - 1, of the ordered values v; an edge
    belongs to the class above it.

    Examples
    --------
    >>> equal_counts(np.array([5.0, 1.0, 1.0, 9.0]), 2)
    array([1, 0, 0, 1])
    """
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        raise ValueError(
            f"values must be one number for each sample, got {values.dtype} of shape "
            f"{values.shape}; measure several targets one by one: y[:, 0], y[:, 1], …"
        )
    if values.size == 0 or not np.isfinite(values).all():
        raise ValueError("values must be finite numbers, at least one; leave out the others.")
    ordered = np.sort(values)
    edges = np.unique(ordered[np.arange(1, n_bins) * len(values) // n_bins])
    edges = edges[edges > ordered[0]]
    return np.searchsorted(edges, values, side="right").astype(np.int64)


def _normalised(p: NDArray[np.float64]) -> NDArray[np.float64]:
    return p / p.sum()


def _plain(y: Any) -> NDArray[Any]:
    """Labels as an array; a single column is one label for each sample."""
    found = as_array(labels_array(y), "y")
    return found[:, 0] if found.ndim == 2 and found.shape[1] == 1 else found


def labels_array(y: Any) -> Any:
    """A tensor as an array on the CPU, without gradient; anything else as it is."""
    y = dense(y, "y")
    if not isinstance(y, torch.Tensor):
        return y
    return (y.float() if y.dtype == torch.bfloat16 else y).cpu().numpy()


def dense(values: Any, name: str) -> Any:
    """A tensor by itself, refused where it holds no plain values; anything else as it is."""
    if not isinstance(values, torch.Tensor):
        return values
    if values.layout != torch.strided or values.is_quantized or values.is_meta or values.is_nested:
        raise ValueError(
            f"{name} must be a dense tensor with values, got {values.layout} on {values.device}."
        )
    return values.detach()


def _kind_of(y: NDArray[Any]) -> str:
    """What labels are, where that is not in doubt."""
    if y.ndim == 2 and y.dtype.kind in "biuf":
        return _kind_of_rows(y)
    if y.dtype.kind != "f" or y.ndim != 1:
        numbered_labels(y)  # refuses what is no label
        return "classes"
    if np.isin(y, (0, 1)).all() and y.size:
        return "classes"  # probabilities 0 and 1 say the same
    if y.size and not np.isfinite(y).all():
        raise ValueError("y must be finite, got NaN or infinite values; leave out those samples.")
    ends = f"floats from {y.min():.4g} to {y.max():.4g}" if y.size else "no values"
    if y.size and y.min() >= 0 and y.max() <= 1:
        raise ValueError(
            f"y holds {ends}, which may be probabilities P(y=1|x) or targets of a regression, and "
            "the two give other numbers; write y_kind='probabilities' or y_kind='values'."
        )
    raise ValueError(
        f"y holds {ends}: for targets of a regression write y_kind='values', and they are cut "
        "into y_bins classes of equal count; for class numbers write y_kind='classes'."
    )


def _kind_of_rows(y: NDArray[Any]) -> str:
    sums = y.sum(axis=1, dtype=np.float64)
    if y.size and np.isfinite(sums).all() and (y >= 0).all() and np.abs(sums - 1).max() <= 1e-5:
        return "probabilities"
    raise ValueError(
        f"y of shape {y.shape} must be rows of probabilities with sum 1, one for each sample; "
        "measure several targets or labels one by one: y[:, 0], y[:, 1], …"
    )
