"""Planes in which no two numbers are alike, and a check of what a criterion reads from them.

Every plane, ruler, variable, network and layer has a curve of its own, every plane its own clock,
and every ruler a layer of its own at the ceiling. A curve goes from its first value to its peak,
straight in the number of checkpoints, stays there for two of them and goes on to its last value:
the running median of ``effects`` leaves it as it is, so that what is read off it is known without
``effects``, by position in plain arrays.

A chapter's tests say once more, claim by claim, which numbers each test of a criterion stands on;
a wrong layer, ruler, plane, network, clock, side, threshold or mean over layers then shows.
"""

from dataclasses import replace
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np
from claim_planes import make_plane
from scipy import stats

from ibcore import claims
from ibcore.claims.criteria import CheckSpec
from ibcore.claims.judge import checks_of

N_SEEDS, N_CHECKPOINTS = 11, 18
CEILING = 12.0
INFORMATION = ("i_xt", "i_ty")

# variable -> ranges of the first value, of the peak, and of the fall from it to the last value
RANGES = {
    "i_xt": ((1, 4), (6, 9), (0.02, 4)),
    "i_ty": ((0, 0.2), (0.85, 0.95), (0, 0.3)),
    "train_accuracy": ((0.3, 0.5), (0.8, 1), (0, 0)),
    "test_accuracy": ((0.3, 0.5), (0.8, 1), (0, 0.1)),
    "loss": ((1.0, 1.2), (0.3, 0.5), (-0.5, 0)),
    "other": ((0, 1), (2, 3), (0, 2)),
}


class Known:
    """A plane, and its numbers as arrays: (seed, epoch, layer), or (seed, epoch) of a network.

    Parameters
    ----------
    name : str
        Of the experiment; all numbers hang on it.
    rulers : sequence of str
        In the order of the plane.
    variables : sequence of str
        Observables besides information and accuracies; gradients are steps of log10.
    named : sequence of int
        Epochs that must be measured.
    last : int, optional
        The last epoch; by default every plane has its own.
    ceiling : int, optional
        Layer that is saturated under the first ruler, and the next ones under the others; 0 for
        none. By default every plane has its own.
    attrs
        Of the plane.
    """

    def __init__(
        self, name, rulers=("First()", "Second()"), variables=(), *, n_layers=6, n_seeds=N_SEEDS,
        named=(), last=None, ceiling=None, **attrs,
    ):  # fmt: skip
        self.name, self.rulers, self.n_layers, self.n_seeds = name, rulers, n_layers, n_seeds
        self.last = last or 10_000 + crc32(name.encode()) % 1000
        spaced = np.geomspace(1, self.last, N_CHECKPOINTS).round().astype(int)
        self.epochs = np.unique([0, *named, *spaced])
        self.per_epoch = 2 + crc32(name.encode()) % 37
        self.updates = self.epochs * self.per_epoch
        full = 1 + crc32(name.encode()) % n_layers if ceiling is None else ceiling
        self.full_layer = {
            ruler: full and 1 + (full - 1 + k) % n_layers for k, ruler in enumerate(rulers)
        }
        names = {"train_accuracy", "test_accuracy", *variables}
        self.arrays = {one: self._drawn(one) for one in sorted(names)}
        for ruler in rulers:
            for one in INFORMATION:
                self.arrays[one, ruler] = self._drawn(one, ruler)
        self.attrs = attrs

    @property
    def plane(self):
        """The plane itself."""
        observed = {name: values for name, values in self.arrays.items() if isinstance(name, str)}
        i_xt, i_ty = (
            np.stack([self.arrays[name, ruler] for ruler in self.rulers]) for name in INFORMATION
        )
        clock = {"epochs": self.epochs, "per_epoch": self.per_epoch}
        return make_plane(i_xt, i_ty, rulers=self.rulers, **clock, **observed, **self.attrs)

    def curve(self, layer=None, variable="i_xt", ruler=None):
        """(seed, epoch) of a layer, or of a variable of the whole network."""
        if variable in INFORMATION:
            variable = variable, ruler or self.rulers[0]
        values = self.arrays[variable]
        return values if layer is None else values[:, :, layer - 1]

    def at(self, epoch, *where, **which):
        """Value at a measured epoch."""
        return self.curve(*where, **which)[:, list(self.epochs).index(epoch)]

    def end(self, *where, **which):
        """Value at the last checkpoint."""
        return self.curve(*where, **which)[:, -1]

    def top(self, *where, **which):
        """Largest value."""
        return self.curve(*where, **which).max(axis=1)

    def fall(self, *where, keep=slice(None), **which):
        """C of information: the largest value minus the last one, of the checkpoints kept."""
        values = self.curve(*where, **which)[:, keep]
        return values.max(axis=1) - values[:, -1]

    def rise(self, *where, **which):
        """F of information: the largest value minus the first one."""
        return self.top(*where, **which) - self.curve(*where, **which)[:, 0]

    def mean_fall(self, layers, ruler=None):
        """C, mean over layers."""
        return np.mean([self.fall(layer, ruler=ruler) for layer in layers], axis=0)

    def since_learnt(self, *where, **which):
        """D of information: the last value minus that when accuracy reached 0.9 of its last."""
        values, accuracy = self.curve(*where, **which), self.arrays["train_accuracy"]
        learnt = (accuracy >= 0.9 * accuracy[:, -1:]).argmax(axis=1)
        return values[:, -1] - values[np.arange(len(values)), learnt]

    def place(self, layer, ruler=None):
        """Checkpoint of the (first) largest IX."""
        return self.curve(layer, ruler=ruler).argmax(axis=1)

    def peak(self, layer, ruler=None):
        """Epoch of the (first) largest IX."""
        return self.epochs[self.place(layer, ruler)]

    def is_full(self, layer, ruler=None):
        """Whether the layer is the one at the ceiling."""
        return self.full_layer[ruler or self.rulers[0]] == layer

    def snr(self, layer, prefix=""):
        """(epoch of the step, decades by which the ratio falls), each (seed,)."""
        ratio = np.log10(self.curve(layer, f"{prefix}gradient_mean"))
        ratio = ratio - np.log10(self.curve(layer, f"{prefix}gradient_std"))
        step = np.abs(np.diff(ratio, axis=1)).argmax(axis=1)
        return self.epochs[step + 1], ratio[:, 0] - ratio[:, -1]

    def _drawn(self, variable, ruler=""):
        rng = np.random.default_rng(crc32(f"{self.name}/{variable}/{ruler}".encode()))
        flat = variable.endswith(("accuracy", "loss", "error"))
        shape = (self.n_seeds, 1 if flat else self.n_layers)
        kind = "loss" if variable.endswith(("loss", "error")) else variable
        first, peak, fall = (
            rng.uniform(*ends, shape) for ends in RANGES.get(kind, RANGES["other"])
        )
        if variable == "i_xt":
            fall = np.exp(rng.uniform(*np.log(RANGES["i_xt"][2]), shape))
        last = peak - fall
        place = rng.integers(4, len(self.epochs) - 5, shape)
        if "gradient" in variable:
            return 10.0 ** np.where(
                np.arange(len(self.epochs))[None, :, None] < place[:, None],
                first[:, None] * variable.endswith("mean"),
                -fall[:, None] * variable.endswith("mean"),
            ) * (1 + first[:, None])
        if variable == "i_xt" and self.full_layer[ruler]:
            column = self.full_layer[ruler] - 1
            for values in (first, peak, last):
                values[:, column] = CEILING - 0.03 * rng.random(self.n_seeds)
            peak[:, column] = CEILING
        values = np.empty((self.n_seeds, len(self.epochs), shape[1]))
        steps = np.arange(len(self.epochs))
        for s, k in np.ndindex(*shape):
            knots = [0, place[s, k], place[s, k] + 1, steps[-1]]
            ends = [first[s, k], peak[s, k], peak[s, k], last[s, k]]
            values[s, :, k] = np.interp(steps, knots, ends)
        return values[:, :, 0] if flat else values


def first(there, times, never=np.nan):
    """Time of the first checkpoint that is there, network by network."""
    return np.where(there.any(axis=1), times[there.argmax(axis=1)], never)


def rank_correlation(x, y):
    """Spearman's, by scipy."""
    return stats.spearmanr(x, y).statistic


class Row(NamedTuple):
    """What one cell of a test stands on.

    ``effect`` is the number that the function of all networks gives, where it is not a median.
    ``label`` is "name of the test: label of the cell".
    """

    label: str
    values: Any
    effect: float | None = None
    signed: Any = None
    hollow: bool = False


def distinct(settings):
    """The numbers of a test with no two fractions alike; whole numbers are names here."""
    return {
        key: value + 0.008 * k * (value or 0.1) if isinstance(value, float) else value
        for k, (key, value) in enumerate(settings.items(), 1)
    }


def check(claim_id, rows, **changes):
    """Compare the cells that a paper's functions make with ``rows(k, t)``.

    ``k(name)`` is a known plane and ``t`` what the tests say ``with``, of all of them together.
    ``changes``: numbers that would sort all made-up networks alike, at another value.
    """
    claim = claims.find_claim(claim_id)
    specs, together = [], {}
    for spec in claim.tests:
        if "function" in spec.entry:
            own = spec.entry.get("with", {})
            own = distinct(own | {key: changes[key] for key in changes if key in own})
            together |= own
            specs.append(CheckSpec({**spec.entry, "with": own}, spec.where, spec.expects))
    claim = replace(claim, tests=tuple(specs))
    known = {}

    def plane(name, *settings, **more):
        return known.get(name) or known.setdefault(name, Known(name, *settings, **more))

    expected = {row.label: row for row in rows(plane, together)}
    planes = {name: plane(name).plane for name in claim.experiments}
    found = {
        f"{test.name}: {cell.label}": cell
        for test in checks_of(claim, planes, None)
        for cell in test.cells
    }
    assert sorted(found) == sorted(expected)
    for label, row in expected.items():
        agree(label, found[label], row)


def agree(label, cell, row):
    """Assert that a cell has the numbers of its row."""
    assert cell.answers != row.hollow, label
    values = np.asarray(row.values)
    if values.dtype == bool and not row.hollow and cell.kind != "fact":
        assert len(set(values)) == 2, f"{label} sorts nobody"
    np.testing.assert_allclose(cell.values, np.asarray(values, float), atol=1e-9, err_msg=label)
    if row.effect is not None:
        found = cell.estimate("known").effect
        np.testing.assert_allclose(found, row.effect, atol=1e-9, err_msg=label)
    if row.signed is not None:
        np.testing.assert_allclose(cell.signed, row.signed, atol=1e-9, err_msg=label)
    else:
        assert cell.signed is None, label
