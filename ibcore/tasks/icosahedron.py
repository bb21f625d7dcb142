"""The icosahedron behind the 12-bit task: vertices, symmetries, orbits, signatures.

The twelve input bits stand at the vertices of a regular icosahedron; an input is a set of
marked vertices. Everything here is exact integer arithmetic on graph distances, save the
vertices themselves.
"""

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

N_VERTICES = 12
_MOST_PERMUTATIONS = 10_000
_GOLDEN = (1 + np.sqrt(5)) / 2
_CORNERS = "0+g +g0 0+h -g0 g0- 0-g +h0 -h0 h0- 0-h h0+ g0+"  # g = φ, h = -φ, in column order


def vertices() -> NDArray[np.float64]:
    """Vertices of the icosahedron on the unit sphere, in the order of the input columns.

    Returns
    -------
    (vertex, axis) array, shape (12, 3)
        The cyclic permutations of (0, ±1, ±φ) / √(1 + φ²), φ the golden ratio.
    """
    value = {"0": 0.0, "+": 1.0, "-": -1.0, "g": _GOLDEN, "h": -_GOLDEN}
    corners = [[value[symbol] for symbol in corner] for corner in _CORNERS.split()]
    return np.array(corners) / np.sqrt(1 + _GOLDEN**2)


@cache
def graph_distances() -> NDArray[np.int64]:
    """Return the number of edges between two vertices: 0, 1, 2 or 3 (the antipode).

    Returns
    -------
    (vertex, vertex) array, shape (12, 12)
        The inner products of the unit vertices are 1, 1/√5, -1/√5 and -1 in turn.
    """
    inner = vertices() @ vertices().T
    distances = np.digitize(-inner, [-0.9, 0.0, 0.9])
    distances.flags.writeable = False
    return distances


def all_inputs() -> NDArray[np.uint8]:
    """All 2¹² inputs, row r being r in binary with column 0 the most significant bit.

    Returns
    -------
    (sample, vertex) array, shape (4096, 12)
    """
    rows = np.arange(2**N_VERTICES)
    return ((rows[:, None] >> np.arange(N_VERTICES)[::-1]) & 1).astype(np.uint8)


@cache
def signatures() -> NDArray[np.int64]:
    """Count what is in each input: marked vertices and pairs of them by distance.

    Returns
    -------
    (sample, 4) array, shape (4096, 4)
        Columns k, n₁, n₂, n₃: the ones, and the pairs of ones at graph distance 1, 2, 3.
    """
    x = all_inputs().astype(np.int64)
    pairs = [np.sum((x @ (graph_distances() == d)) * x, axis=1) // 2 for d in (1, 2, 3)]
    found = np.column_stack([x.sum(axis=1), *pairs])
    found.flags.writeable = False
    return found


def height() -> NDArray[np.float64]:
    """f(x) = k + |Σ xᵢ vᵢ|, the number the rule of the task compares with 7.6.

    With the inner products of the vertices, |Σ xᵢ vᵢ|² = k + 2 (n₁ - n₂)/√5 - 2 n₃, so that
    inputs with equal counts get the very same float.

    Returns
    -------
    (sample,) array, shape (4096,)
        53 distinct values.
    """
    k, n1, n2, n3 = signatures().T
    squared = (k - 2 * n3) + (n1 - n2) * (2 / np.sqrt(5))
    return k + np.sqrt(np.maximum(squared, 0.0))  # 0 is met only within rounding


def matrix_automorphisms(matrix: ArrayLike) -> NDArray[np.int64]:
    """All permutations g with matrix[g[i], g[j]] = matrix[i, j] for every i and j.

    Found by extending partial permutations one element at a time and dropping those that
    already disagree.

    Parameters
    ----------
    matrix : (n, n) array

    Returns
    -------
    (permutation, n) array
        In lexicographic order.

    Raises
    ------
    ValueError
        If there are too many to list: more than 10 000 on the way.

    Examples
    --------
    A square has the 8 symmetries of the dihedral group:

    >>> len(matrix_automorphisms([[0, 1, 2, 1], [1, 0, 1, 2], [2, 1, 0, 1], [1, 2, 1, 0]]))
    8
    """
    matrix = np.asarray(matrix)
    partial: list[list[int]] = [[]]
    for i in range(len(matrix)):
        partial = [
            [*g, image]
            for g in partial
            for image in set(range(len(matrix))) - set(g)
            if matrix[image, image] == matrix[i, i]
            and (matrix[g, image] == matrix[:i, i]).all()
            and (matrix[image, g] == matrix[i, :i]).all()
        ]
        if len(partial) > _MOST_PERMUTATIONS:
            raise ValueError(
                f"the matrix has too many automorphisms to list, more than {_MOST_PERMUTATIONS} "
                f"for its first {i + 1} rows; is it constant?"
            )
    return np.array(sorted(partial))


@cache
def symmetries() -> NDArray[np.int64]:
    """Return the full icosahedral group I_h as permutations of the input columns.

    An isometry of the icosahedron is a permutation that keeps the graph distances.

    Returns
    -------
    (permutation, vertex) array, shape (120, 12)
    """
    found = matrix_automorphisms(graph_distances())
    found.flags.writeable = False
    return found


@cache
def rotations() -> NDArray[np.int64]:
    """Return the symmetries that keep the orientation of space: 60 of the 120.

    Returns
    -------
    (permutation, vertex) array, shape (60, 12)
    """
    v = vertices()
    # The isometry takes a basis of three vertices to another; its determinant is the ratio.
    kept = np.linalg.det(v[symmetries()[:, :3]]) * np.linalg.det(v[:3]) > 0
    found = symmetries()[kept]
    found.flags.writeable = False
    return found


def orbits(group: NDArray[np.int64] | None = None) -> NDArray[np.int64]:
    """Orbit of each input under a group of column permutations.

    Parameters
    ----------
    group : (permutation, vertex) array, optional
        Default: ``symmetries()``.

    Returns
    -------
    (sample,) array, shape (4096,)
        Orbit numbers 0, 1, ..., in the order of their smallest input.

    Examples
    --------
    >>> len(np.unique(orbits())), len(np.unique(orbits(rotations())))
    (82, 96)
    """
    group = symmetries() if group is None else group
    x, place = all_inputs().astype(np.int64), 2 ** np.arange(N_VERTICES)[::-1]
    smallest = np.min([x[:, g] @ place for g in group], axis=0)
    return np.unique(smallest, return_inverse=True)[1]


def label_symmetries(y: ArrayLike) -> NDArray[np.int64]:
    """All column permutations, of the 12! there are, that leave every label as it is.

    A permutation that keeps the labels keeps the number of positive inputs with bits i and j
    both set, for all i and j; so the automorphisms of that matrix hold all candidates, and
    each is then tried on all inputs.

    Parameters
    ----------
    y : (sample,) array of 4096 labels 0 and 1
        In the order of ``all_inputs``.

    Returns
    -------
    (permutation, vertex) array
    """
    x, y = all_inputs().astype(np.int64), np.asarray(y)
    place = 2 ** np.arange(N_VERTICES)[::-1]
    candidates = matrix_automorphisms(x[y == 1].T @ x[y == 1])
    return np.array([g for g in candidates if (y[x[:, g] @ place] == y).all()])
