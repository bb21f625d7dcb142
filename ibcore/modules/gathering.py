"""What the passes of a module leave behind, and the rulers laid on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeGuard

import numpy as np
import torch
from numpy.typing import NDArray

from ibcore.estimators import Ruler
from ibcore.estimators.base import passes
from ibcore.estimators.by_element import by_element
from ibcore.estimators.counting import CountingRuler
from ibcore.kinds import shown
from ibcore.modules.counted import (
    hash_rows,
    hashed_information,
    hashed_rows,
    information_of_hashes,
)
from ibcore.modules.data import Inputs
from ibcore.modules.layers import Taken
from ibcore.modules.passing import Watch
from ibcore.modules.targets import Targets, labels_array


class LayerFacts(NamedTuple):
    """What a result says of a layer besides its bits."""

    label: str
    width: int
    words: str


class Found(NamedTuple):
    """Bits (estimator, layer, [I(X;T), I(T;Y)]), the layers, the labels, N and the data's hash."""

    bits: NDArray[np.float64]
    layers: list[LayerFacts]
    targets: Targets | None
    n: int
    data: str


@dataclass
class _Kept:
    """What is kept of one layer: hashes for each ruler that counts, rows for the others."""

    facts: LayerFacts
    hashes: dict[int, list[NDArray[np.uint64]]]
    rows: list[NDArray[np.float32]]
    n_rows: int = 0


class Gathered:
    """What the passes of a module leave behind."""

    def __init__(self, rulers: list[Ruler], replicas: int, most_gib: float) -> None:
        self.rulers, self.replicas, self.most_gib = rulers, replicas, most_gib
        self.counting = {k: one for k, one in enumerate(rulers) if by_element(one)}
        self.whole = [k for k in range(len(rulers)) if k not in self.counting]
        self.layers: dict[str, _Kept] = {}
        self.labels: list[Any] = []
        self.index: list[NDArray[np.int64]] = []
        self.n = self.bytes = 0
        self.inputs: list[NDArray[np.uint64]] = []

    def add_inputs(self, inputs: Inputs, y: Any) -> None:
        """Note the samples of one batch and their labels."""
        if self.n and (y is None) == bool(self.labels):
            raise ValueError("some batches have labels and some have none; give all or none.")
        self.labels += [] if y is None else [y]
        self.inputs.append(input_hashes(inputs))
        self.batch = np.arange(self.n, self.n + inputs.n)
        self.n += inputs.n

    def add(self, outputs: list[Taken]) -> None:
        """Keep what one pass gave."""
        self.index.append(self.batch)
        for one in outputs:
            facts = LayerFacts(one.label, one.rows.shape[1], one.words)
            fresh = _Kept(facts, {k: [] for k in self.counting}, [])
            kept = self.layers.setdefault(one.label, fresh)
            if kept.facts.width != facts.width:
                widths = sorted({kept.facts.width, facts.width})
                raise ValueError(_unlike(one.label, kept.n_rows + len(one.rows), widths, self.n))
            kept.n_rows += len(one.rows)
            for k, ruler in self.counting.items():
                with _named(one.label):
                    kept.hashes[k].append(hashed_rows(ruler, one.rows))
            if self.whole:
                self._keep_rows(kept, one.rows)

    def _keep_rows(self, kept: _Kept, rows: NDArray[np.float32]) -> None:
        self.bytes += rows.nbytes
        if self.bytes > self.most_gib * 2**30:
            ruler = shown(self.rulers[self.whole[0]])
            raise ValueError(
                f"{ruler} needs layers as a whole, and after {self.n} samples they fill more than "
                f"most_gib={self.most_gib:g}; take rulers that count batch by batch "
                "(ib.Binning, ib.Exact), fewer units (ib.Layer(name, units='pooled')), fewer "
                "layers or samples, or allow more."
            )
        kept.rows.append(rows)

    def refuse_silent(self, watch: Watch) -> None:
        """Refuse layers that did not run, or not in each pass."""
        if not self.layers and watch.default:
            raise ValueError("no layer ran and gave a tensor; name layers that do.")
        silent = [] if watch.default else [name for name in watch.layers if name not in watch.ran]
        if silent:
            raise ValueError(
                f"layer {', '.join(silent)} did not run when the module was called on x; these "
                f"did: {', '.join(self.layers) or 'none'}."
            )
        for label, kept in self.layers.items():
            if kept.n_rows != self.n * self.replicas:
                raise ValueError(_unlike(label, kept.n_rows, [kept.facts.width], self.n))

    def batch_labels(self) -> Any:
        """Labels that came with the batches, one for each sample; None where there were none."""
        if not self.labels:
            return None
        try:
            y = np.concatenate([np.asarray(labels_array(part)) for part in self.labels])
        except ValueError as error:
            raise ValueError(f"the labels of the batches do not fit together: {error}") from error
        if len(y) != self.n:
            raise ValueError(
                f"need one label for each input, got batches of {self.n} inputs and {len(y)} "
                "labels."
            )
        return y

    def found(self, targets: Targets | None) -> Found:
        """Lay the rulers on what was kept."""
        if self.n < 2:
            raise ValueError(f"need at least 2 samples to speak of information, got {self.n}.")
        index = np.concatenate(self.index)
        y = targets.y[index] if targets else np.zeros(len(index), np.int64)
        bits = np.empty((len(self.rulers), len(self.layers), 2))
        for column, kept in enumerate(self.layers.values()):
            with _named(kept.facts.label):
                for k, pair in self._layer(kept, index, y):
                    bits[k, column] = _two_numbers(self.rulers[k], pair)
        data = hash_of_data(self.inputs, targets)
        return Found(bits, [one.facts for one in self.layers.values()], targets, self.n, data)

    def _layer(
        self, kept: _Kept, index: NDArray[np.int64], y: NDArray[Any]
    ) -> Iterator[tuple[int, Any]]:
        """(place of the ruler, its two numbers) for one layer; its rows are let go."""
        both = [y, index] if self.replicas > 1 else [y]
        for k, parts in kept.hashes.items():
            hashes = np.concatenate(parts)
            yield k, _with_replicas([information_of_hashes(hashes, one) for one in both])
        t = np.concatenate(kept.rows) if self.whole else np.empty((0, 0), np.float32)
        kept.rows = []
        others = [k for k in self.whole if not _counts(self.rulers[k])]
        for k in self.whole:
            ruler = self.rulers[k]
            if _counts(ruler):
                yield k, _with_replicas([hashed_information(ruler, t, one) for one in both])
        for ruler, places in passes([self.rulers[k] for k in others]):
            entries = [np.asarray(ruler.entries(t, one), np.float64) for one in both]
            for level, place in enumerate(places):
                yield others[place], _with_replicas([one[level] for one in entries])


def hash_of_data(inputs: list[NDArray[np.uint64]], targets: Targets | None) -> str:
    """Hash of all samples, given by theirs, with their labels, in whatever order they came."""
    hashes = np.concatenate(inputs).view(np.int64)
    if targets:
        labels = targets.y.reshape(len(hashes), -1).astype(np.float64)
        hashes = np.hstack([hashes, labels.view(np.int64)])
    rows = np.empty((len(hashes), 2), np.uint64)
    hash_rows(np.ascontiguousarray(hashes), rows)
    return "".join(f"{int(word):016x}" for word in rows.sum(axis=0))


def input_hashes(inputs: Inputs) -> NDArray[np.uint64]:
    """(sample, 2) hashes of the samples that a module is called with."""
    found = np.zeros((inputs.n, 2), np.uint64)
    for tensor in inputs.tensors():
        rows = tensor.detach().movedim(inputs.axis, 0).reshape(inputs.n, -1).cpu().contiguous()
        plain = rows.view(torch.int16) if rows.element_size() == 2 else rows
        codes = plain.numpy()
        codes = codes.view(f"i{codes.itemsize}").astype(np.int64)
        one = np.empty((inputs.n, 2), np.uint64)
        hash_rows(np.hstack([found.view(np.int64), codes]), one)
        found = one
    return found


def _counts(ruler: Ruler) -> TypeGuard[CountingRuler]:
    """Whether a ruler is nothing but its codes."""
    return isinstance(ruler, CountingRuler) and type(ruler).__call__ is CountingRuler.__call__


def _with_replicas(pairs: list[Any]) -> NDArray[np.float64]:
    """I(X;T), I(T;Y): with replicas the first is what t says about the number of the input."""
    of_y = np.asarray(pairs[0], np.float64)
    return of_y if len(pairs) == 1 else np.array([np.asarray(pairs[1], float)[1], of_y[1]])


def _two_numbers(ruler: Ruler, pair: NDArray[np.float64]) -> NDArray[np.float64]:
    if pair.shape != (2,) or not np.isfinite(pair).all():
        raise ValueError(f"{shown(ruler)} gives {pair.tolist()}, not two finite numbers.")
    return pair


@contextmanager
def _named(layer: str) -> Iterator[None]:
    """Errors of a ruler name the layer."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"layer {layer!r}: {error}") from error


def _unlike(label: str, n_rows: int, widths: list[int], n: int) -> str:
    return (
        f"layer {label!r} gives {n_rows} rows of {widths} units for {n} samples: it does not run "
        "in the same way for every chunk; pass all samples as one chunk_size."
    )
