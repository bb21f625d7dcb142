"""A training followed: the information plane of a model, epoch by epoch, as it learns."""

import hashlib
import json
import math
import os
import platform
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
import xarray as xr
from numpy.typing import NDArray

from ibcore import plane
from ibcore.estimators import Ruler
from ibcore.kinds import shown, whole
from ibcore.modules.data import Inputs, batches, is_loader
from ibcore.modules.gathering import LayerFacts, hash_of_data, input_hashes
from ibcore.modules.layers import Layer, chosen
from ibcore.modules.measuring import DEFAULT_RULERS, Function, Wish
from ibcore.modules.own import OwnFunction, read_rulers
from ibcore.modules.passing import watched_module
from ibcore.modules.targets import read_targets
from ibcore.results import provenance

EPOCH = whole(0, 10**9)
PER_DECADE = 10
NUMBERS = ("loss", "train_accuracy", "test_accuracy")


class Checkpoint(NamedTuple):
    """What is known of one measured epoch: bits (ruler, layer, 2), and what the caller said."""

    bits: NDArray[np.float64]
    update: int
    numbers: tuple[float, ...]
    weights: str


class Tracker:
    """The information plane of a model while you train it.

    Call it in your loop with the number of the epoch, counted from 0, before the first update:
    where the epoch is due, the layers are measured as by ``ib.measure``, and nothing happens
    elsewhere. The model's mode, buffers and gradients, and all random numbers, are left as they
    were: the training is the same with it and without it.

    Parameters
    ----------
    model : torch.nn.Module
    x, y, layers, y_kind, y_bins, mode, replicas, batch_axis, chunk_size, most_gib
        As in ``ib.measure``; a loader is read anew at each measured epoch and must give the same
        samples, in any order.
    rulers : rulers, or functions f(t, y) → (I(X;T), I(T;Y))
    at : "log", "every", or a list of epochs
        When to measure. "log": ten epochs to a decade, 0, 1, 2, 3, 4, 5, 6, 8, 10, 13, …
    seed : int
        Of this network: its place on the plane's seed axis. Planes of several seeds are put
        together by ``ib.plane.merge_seeds``.
    path : path, optional
        A file that holds the plane after each measured epoch, whole at any moment. A run that is
        started again skips the epochs in it.

    Raises
    ------
    ValueError
        For what cannot be measured; for a file of another model, of other data, rulers or code;
        and at an epoch that was measured with other weights, so that two runs never mix.

    Examples
    --------
    >>> model = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh())
    >>> x, y = torch.randn(8, 2), [0, 1] * 4
    >>> tracker = Tracker(model, x, y, at=[0, 2])
    >>> [tracker(epoch) for epoch in range(3)]
    [True, False, True]
    >>> dict(tracker.plane.sizes)
    {'estimator': 1, 'seed': 1, 'epoch': 2, 'layer': 2}
    """

    def __init__(
        self,
        model: torch.nn.Module,
        x: Any,
        y: Any = None,
        *,
        layers: Sequence[str | Layer] | None = None,
        rulers: Sequence[Ruler | Function] = DEFAULT_RULERS,
        at: str | Sequence[int] = "log",
        seed: int = 0,
        path: str | os.PathLike[str] | None = None,
        y_kind: str | None = None,
        y_bins: int = 10,
        mode: str = "evaluation",
        replicas: int = 1,
        batch_axis: int = 0,
        chunk_size: int = 1024,
        most_gib: float = 4.0,
    ) -> None:
        """Check everything, and read the file if there is one."""
        self.wish = Wish(
            layers, read_rulers(rulers, "rulers"), y_kind, y_bins, mode, replicas, seed, batch_axis,
            chunk_size, most_gib,
        )  # fmt: skip
        self.model, self.at, self.seed = watched_module(model), _checked_at(at), seed
        chosen(self.model, layers)
        self.x, self.y = self.wish.source(x, y), y
        self.path = None if path is None else Path(path)
        self.checkpoints: dict[int, Checkpoint] = {}
        self.layers: list[LayerFacts] = []
        self.n_samples, self.label_entropy, self.duration_s = 0, 0.0, 0.0
        self.started = datetime.now(UTC).isoformat(timespec="seconds")
        self.data = self._hash_of_arrays()
        if self.path is not None and self.path.exists():
            self._resume(plane.load(self.path))

    def __call__(
        self,
        epoch: int,
        *,
        update: int | None = None,
        loss: float = math.nan,
        train_accuracy: float = math.nan,
        test_accuracy: float = math.nan,
    ) -> bool:
        """Measure if this epoch is due; whether it was measured now.

        Parameters
        ----------
        epoch : int
            Passes over the training data that are done.
        update : int, optional
            Optimiser steps that are done; by default the epoch.
        loss, train_accuracy, test_accuracy : float, optional
            Kept with the plane: the loss in nats, the accuracies as shares.
        """
        said = {"loss": loss, "train_accuracy": train_accuracy, "test_accuracy": test_accuracy}
        return self.is_due(epoch) and self.measure(epoch, update=update, **said)

    def is_due(self, epoch: int) -> bool:
        """Whether ``at`` asks for this epoch.

        Examples
        --------
        >>> tracker = Tracker(torch.nn.Linear(1, 1), [[0.0], [1.0]], [0, 1])
        >>> [epoch for epoch in range(30) if tracker.is_due(epoch)]
        [0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 16, 20, 25]
        """
        epoch = EPOCH.checked("epoch", epoch)
        if self.at == "every":
            return True
        if self.at != "log":
            return epoch in self.at
        if epoch < 1:
            return epoch == 0
        k = round(PER_DECADE * math.log10(epoch))
        return bool(epoch == round(10 ** (k / PER_DECADE)))

    def measure(
        self,
        epoch: int,
        *,
        update: int | None = None,
        loss: float = math.nan,
        train_accuracy: float = math.nan,
        test_accuracy: float = math.nan,
    ) -> bool:
        """Measure this epoch, due or not, unless it is measured already: the last one of a run."""
        epoch, weights = EPOCH.checked("epoch", epoch), hash_of_weights(self.model)
        if epoch in self.checkpoints:
            if self.checkpoints[epoch].weights != weights:
                raise ValueError(
                    f"epoch {epoch} is measured already, with other weights: this is another run. "
                    "Give each run a seed and a path of its own"
                    + (f", or delete {self.path}." if self.path else ".")
                )
            return False
        clock = time.perf_counter()
        found = self.wish.of(self.model, self.x, self.y)
        self._check_same(found.data, found.layers)
        self.data, self.layers, self.n_samples = found.data, found.layers, found.n
        self.label_entropy = found.targets.entropy if found.targets else 0.0
        bits = found.bits if found.targets else found.bits * [1, np.nan]
        numbers = (float(loss), float(train_accuracy), float(test_accuracy))
        step = epoch if update is None else EPOCH.checked("update", update)
        self.checkpoints[epoch] = Checkpoint(bits, step, numbers, weights)
        self.duration_s += time.perf_counter() - clock
        if self.path is not None:
            plane.save(self.plane, self.path)
        return True

    @property
    def plane(self) -> xr.Dataset:
        """The information plane so far, as ``ib.run`` gives it: estimator, seed, epoch, layer.

        Layers count from 1; the attribute ``layer_names`` has their names, ``experiment`` what was
        measured. Without labels ``i_ty`` is NaN.
        """
        if not self.checkpoints:
            raise ValueError("nothing is measured yet: call tracker(epoch) in your training loop.")
        epochs = sorted(self.checkpoints)
        every = [self.checkpoints[epoch] for epoch in epochs]
        bits = np.stack([one.bits for one in every], axis=1)[:, None]
        numbers = {name: [[one.numbers[k] for one in every]] for k, name in enumerate(NUMBERS)}
        found = plane.new_plane(
            estimators={repr(one): one.measures for one in self.wish.rulers},
            seeds=[self.seed],
            epochs=epochs,
            updates=[one.update for one in every],
            widths=[one.width for one in self.layers],
            variables={"i_xt": bits[..., 0], "i_ty": bits[..., 1], **numbers},
            attrs=self._attrs(),
        )
        return plane.as_stored(found)

    def _attrs(self) -> dict[str, Any]:
        """Where the plane comes from."""
        experiment, code = self._experiment(), self._code()
        text = json.dumps(experiment, sort_keys=True)
        return {
            "experiment": text,
            "digest": hashlib.sha256(text.encode()).hexdigest()[:16],
            "code": json.dumps(code),
            "code_digest": provenance.digest_of(code),
            "versions": json.dumps(provenance.versions()),
            "seed_rule": "of the caller",
            "engine": "torch module",
            "threads": torch.get_num_threads(),
            "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
            "started": self.started,
            "duration_s": self.duration_s,
            "n_samples": self.n_samples,
            "label_entropy": self.label_entropy,
            "profile": "own",
            "canary": "{}",
            "layer_names": json.dumps([one.label for one in self.layers]),
            "weights": json.dumps({epoch: one.weights for epoch, one in self.checkpoints.items()}),
        }

    def _experiment(self) -> dict[str, Any]:
        """What is measured: two planes of one experiment differ in their seeds alone."""
        state = self.model.state_dict()
        return {
            "model": re.sub(r"0x[0-9a-f]+", "", repr(self.model)),
            "weights": {name: list(one.shape) for name, one in _tensors(state).items()},
            "data": self.data,
            "asked": "all" if (asked := self.wish.layers) is None else [repr(x) for x in asked],
            "layers": [one.label for one in self.layers],
            "taken": [one.words for one in self.layers],
            "y": "none" if self.y is None and not is_loader(self.x) else self.wish.y_kind or "any",
            "y_bins": self.wish.y_bins,
            "mode": self.wish.mode,
            "replicas": self.wish.replicas,
        }

    def _code(self) -> dict[str, str]:
        """Part -> hash of its code."""
        found = {"modules": provenance.code_of_modules("ibcore.modules.measuring")}
        for ruler in self.wish.rulers:
            own: Any = ruler.function if isinstance(ruler, OwnFunction) else type(ruler)
            found[repr(ruler)] = provenance.code_of_class(own)
        return found

    def _hash_of_arrays(self) -> str:
        """The hash of data that is all here; of a loader's it is known when it has been read."""
        if not isinstance(self.x, Inputs):
            if hasattr(self.x, "__next__"):  # to ask iter() would draw a random number
                raise ValueError(
                    "x can be read only once, and a tracker reads it at each measured epoch; give "
                    "a DataLoader, or a list of batches."
                )
            return ""
        wish = self.wish
        targets = None if self.y is None else read_targets(self.y, wish.y_kind, wish.y_bins)
        if targets and len(targets.y) != self.x.n:
            raise ValueError(
                f"need one label for each input, got {self.x.n} inputs and {len(targets.y)} labels."
            )
        parts = batches(self.x, wish.chunk_size, wish.batch_axis)
        return hash_of_data([input_hashes(one.inputs) for one in parts], targets)

    def _check_same(self, data: str, layers: list[LayerFacts]) -> None:
        """Refuse data or layers that are not those of the epochs before."""
        if self.data and data != self.data:
            raise ValueError(
                "x gives other samples than before; measure on the same ones, without random "
                "augmentation, in whatever order."
            )
        if self.layers and layers != self.layers:
            before, now = ([one.label for one in some] for some in (self.layers, layers))
            raise ValueError(
                f"the layers are not those of the epochs before, or have other widths: {now} "
                f"after {before}; name layers that run each time."
            )

    def _resume(self, stored: xr.Dataset) -> None:
        """Take over the epochs of a file, if they are of this model, data, rulers and code."""
        if "weights" not in stored.attrs:
            raise ValueError(
                f"{self.path} holds a plane that no tracker wrote; give each run a path of its own."
            )
        there = json.loads(stored.attrs["experiment"])
        names, words = json.loads(stored.attrs["layer_names"]), there["taken"]
        widths = stored.width.values.tolist()
        self.layers = [LayerFacts(*one) for one in zip(names, widths, words, strict=True)]
        here, code = self._experiment(), json.dumps(self._code())
        other = [name for name in here if name != "data" and here[name] != there.get(name)]
        other += ["data"] if self.data not in ("", there.get("data")) else []
        other += ["seed"] if stored.seed.values.tolist() != [self.seed] else []
        rulers = [repr(one) for one in self.wish.rulers]
        other += ["rulers"] if stored.estimator.values.tolist() != rulers else []
        other += ["code"] if not other and stored.attrs["code"] != code else []
        if other:
            raise ValueError(
                f"{self.path} holds a plane of another {', another '.join(other)}; give each run "
                "a path of its own, or delete the file."
            )
        self._take(stored, there["data"])

    def _take(self, stored: xr.Dataset, data: str) -> None:
        weights = json.loads(stored.attrs["weights"])
        self.data, self.started = data, str(stored.attrs["started"])
        self.n_samples = int(stored.attrs["n_samples"])
        self.label_entropy = float(stored.attrs["label_entropy"])
        self.duration_s = float(stored.attrs["duration_s"])
        bits = np.stack([stored.i_xt.values[:, 0], stored.i_ty.values[:, 0]], axis=-1)
        for k, epoch in enumerate(stored.epoch.values.tolist()):
            numbers = tuple(float(stored[name].values[0, k]) for name in NUMBERS)
            update = int(stored["update"].values[k])
            self.checkpoints[epoch] = Checkpoint(bits[:, k], update, numbers, weights[str(epoch)])


def hash_of_weights(model: torch.nn.Module) -> str:
    """Of all parameters and buffers, by name."""
    digest = hashlib.sha256()
    for name, one in _tensors(model.state_dict()).items():
        digest.update(name.encode() + b"\0")
        flat = one.detach().cpu().contiguous().reshape(-1)
        digest.update(flat.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def _tensors(state: Any) -> dict[str, torch.Tensor]:
    return {name: one for name, one in state.items() if isinstance(one, torch.Tensor)}


def _checked_at(at: Any) -> Any:
    if isinstance(at, str) and at in ("log", "every"):
        return at
    listed = isinstance(at, list | tuple | range | set | np.ndarray)
    epochs = list(at) if listed else []
    if not epochs or not all(isinstance(one, Integral) and int(one) >= 0 for one in epochs):
        raise ValueError(
            f"at must be 'log', 'every' or a list of epochs from 0 on, got {shown(at)}."
        )
    return frozenset(int(one) for one in epochs)
