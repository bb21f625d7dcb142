"""module, samples  ->  hooks  ->  t (sample, unit) of each layer  ->  rulers  ->  bits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from ibcore.estimators import Binning, Ruler
from ibcore.estimators.base import choice
from ibcore.kinds import number, whole
from ibcore.modules.data import batches, is_loader, samples
from ibcore.modules.gathering import Found, Gathered
from ibcore.modules.layers import Layer, chosen
from ibcore.modules.own import read_rulers
from ibcore.modules.passing import MODES, Watch, undisturbed, watched_module
from ibcore.modules.targets import read_targets

CHUNK = whole(1, 10**9)
AXIS = whole(0, 10)
SEED = whole(0, 2**63 - 1)
GIB = number("(0, 1e6]")
DEFAULT_RULERS = (Binning(n_bins=30, low=-1.0, high=1.0),)
Function = Callable[[NDArray[Any], NDArray[Any]], tuple[float, float]]


def measure(
    module: torch.nn.Module,
    x: Any,
    y: Any = None,
    *,
    layers: Sequence[str | Layer] | None = None,
    estimators: Sequence[Ruler | Function] = DEFAULT_RULERS,
    y_kind: str | None = None,
    y_bins: int = 10,
    mode: str = "evaluation",
    replicas: int = 1,
    seed: int = 0,
    batch_axis: int = 0,
    chunk_size: int = 1024,
    most_gib: float = 4.0,
) -> xr.Dataset:
    """I(X;T) and I(T;Y), in bits, of the layers of a module.

    The module runs without gradients, on the device where its parameters are. Its modes, buffers
    and gradients and all random numbers are afterwards as they were. Each row of ``x`` counts as an
    input of its own: for repeated rows I(X;T) of a discrete estimator is H(T) of the rows as given.

    Parameters
    ----------
    module : torch.nn.Module
        Any; called as ``module(x)``, ``module(x1, x2)`` or ``module(**x)``.
    x : (sample, ...) array or tensor; a tuple or a dict of them; or a loader
        Inputs; floats are cast to the type of the module's parameters. A loader is any iterable of
        batches x, (x, y), ((x1, x2), y) or of dicts, whose entry "labels" is y; it is read once,
        so that the samples need not fit into memory.
    y : (sample,) classes or floats, or (sample, class) floats P(y|x), optional
        Labels. Without any only I(X;T) is measured.
    layers : names as in ``module.named_modules()``, or ``ib.Layer``, optional
        Modules whose outputs are the layers; by default all that run and of whose children none
        runs. A module that runs twice in one pass gives two layers, "act" and "act:2". What is
        taken of images, sequences, tuples and dicts is said by ``ib.Layer``.
    estimators : rulers, or functions f(t, y) → (I(X;T), I(T;Y))
        For example ``[ib.Binning(width=0.07), ib.Exact()]``; several noise levels of a kernel
        bound give an entry each. A function gets t (sample, unit) float32 and y as a ruler does.
    y_kind : "classes", "probabilities" or "values", optional
        What ``y`` is. It must be said of floats (sample,), which may be P(y=1|x) or the targets of
        a regression; values are cut into ``y_bins`` classes of equal count.
    y_bins : int
        Classes that values are cut into.
    mode : "evaluation" or "training"
        In training mode dropout drops and batch norm takes the statistics of each batch.
    replicas : int
        Passes of each input in training mode. With one, the layer counts as a function of x. With
        several it is random given x: I(X;T) is then what t says about the input's number, over all
        passes, which a ruler tells as it tells I(T;Y).
    seed : int
        Of the random numbers drawn in training mode.
    batch_axis : int
        Axis of the samples in ``x``; 1 for sequences (token, sample, feature).
    chunk_size : int
        Samples per pass, where ``x`` is no loader.
    most_gib : float
        Memory for layers that a ruler needs as a whole, in GiB. Rulers of fixed bins and ``Exact``
        need none: they count batch by batch.

    Returns
    -------
    Dataset
        ``i_xt`` and ``i_ty`` (estimator, layer) in bits; coords ``width`` (layer), the number
        of units, ``taken`` (layer), what of the output they are, and ``measures`` (estimator).
        Layers stand in the order in which they ran. Attrs: ``n_samples`` (the ceiling of I(X;T) is
        its log2), ``label_entropy`` (that of I(T;Y)), ``mode``, ``replicas``, ``y_kind`` and
        ``y_classes``.

    Raises
    ------
    ValueError
        For whatever cannot be measured; it says what came and what to write instead.

    Examples
    --------
    >>> x = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    >>> first_input = torch.nn.Linear(2, 1, bias=False)
    >>> _ = first_input.weight.data.copy_(torch.tensor([[0.5, 0.0]]))
    >>> found = measure(torch.nn.Sequential(first_input), x, y=[0, 0, 1, 1])
    >>> found.i_xt.values.tolist(), found.i_ty.values.tolist()
    ([[1.0]], [[1.0]])
    """
    wish = Wish(
        layers, read_rulers(estimators), y_kind, y_bins, mode, replicas, seed, batch_axis,
        chunk_size, most_gib,
    )  # fmt: skip
    found = wish.of(module, x, y)
    numbers = {"i_xt": found.bits[..., 0]}
    attrs: dict[str, Any] = {"n_samples": found.n, "mode": wish.mode, "replicas": wish.replicas}
    if found.targets:
        numbers["i_ty"] = found.bits[..., 1]
        attrs |= {
            "label_entropy": found.targets.entropy,
            "y_kind": found.targets.kind,
            "y_classes": found.targets.n_classes,
        }
    return xr.Dataset(
        {name: (("estimator", "layer"), bits, {"units": "bits"}) for name, bits in numbers.items()},
        {
            "estimator": [repr(ruler) for ruler in wish.rulers],
            "layer": [one.label for one in found.layers],
            "width": ("layer", [one.width for one in found.layers]),
            "taken": ("layer", [one.words for one in found.layers]),
            "measures": ("estimator", [ruler.measures for ruler in wish.rulers]),
        },
        attrs,
    )


@dataclass(frozen=True)
class Wish:
    """What is asked of a module, checked: the settings of ``measure``."""

    layers: Any = None
    rulers: list[Ruler] = field(default_factory=lambda: list(DEFAULT_RULERS))
    y_kind: str | None = None
    y_bins: int = 10
    mode: str = "evaluation"
    replicas: int = 1
    seed: int = 0
    batch_axis: int = 0
    chunk_size: int = 1024
    most_gib: float = 4.0

    def __post_init__(self) -> None:
        """Refuse nonsense before any work."""
        CHUNK.checked("chunk_size", self.chunk_size)
        AXIS.checked("batch_axis", self.batch_axis)
        SEED.checked("seed", self.seed)
        GIB.checked("most_gib", self.most_gib)
        choice("mode", self.mode, MODES)
        CHUNK.checked("replicas", self.replicas)
        if self.replicas > 1 and self.mode != "training":
            raise ValueError(
                f"replicas={self.replicas} passes are all alike in evaluation mode; write "
                "mode='training', in which dropout draws anew each time."
            )

    def of(self, module: Any, x: Any, y: Any = None) -> Found:
        """Run the module on all samples and lay the rulers on its layers."""
        module = watched_module(module)
        wanted, source = chosen(module, self.layers), self.source(x, y)
        targets = None if y is None else read_targets(y, self.y_kind, self.y_bins)
        if targets and len(targets.y) != source.n:
            raise ValueError(
                f"need one label for each input, got {source.n} inputs and {len(targets.y)} labels."
            )
        gathered = Gathered(self.rulers, self.replicas, self.most_gib)
        with undisturbed(module, self.mode, source, self.seed), Watch(module, wanted) as watch:
            for batch in batches(source, self.chunk_size, self.batch_axis):
                if batch.y is not None and not gathered.n:  # in doubt about labels: at once
                    read_targets(batch.y, self.y_kind, self.y_bins)
                gathered.add_inputs(batch.inputs, batch.y)
                for _ in range(self.replicas):
                    gathered.add(watch.outputs(batch.inputs))
        gathered.refuse_silent(watch)
        labels = gathered.batch_labels()
        if labels is not None:
            targets = read_targets(labels, self.y_kind, self.y_bins)
        return gathered.found(targets)

    def source(self, x: Any, y: Any) -> Any:
        """All samples, or the loader; a loader has its labels with it."""
        if y is not None and is_loader(x):
            raise ValueError(
                "x is a loader, whose batches (x, y) bring their labels; leave y out, or give all "
                "inputs as one array."
            )
        return samples(x, self.batch_axis)


def layer_outputs(
    module: torch.nn.Module,
    x: ArrayLike | torch.Tensor,
    *,
    layers: Sequence[str | Layer] | None = None,
    mode: str = "evaluation",
    seed: int = 0,
    batch_axis: int = 0,
    chunk_size: int = 1024,
) -> dict[str, NDArray[np.float32]]:
    """Run a module; what its layers give, as {name: (sample, unit) float32 array}.

    The parameters are those of ``ib.measure``; a ruler takes each array as its ``t``.

    Examples
    --------
    >>> found = layer_outputs(torch.nn.Sequential(torch.nn.Flatten()), torch.zeros(5, 2, 2))
    >>> found["0"].shape
    (5, 4)
    """
    kept: dict[str, NDArray[np.float32]] = {}

    def keep(t: NDArray[Any], _y: NDArray[Any]) -> tuple[float, float]:
        kept[str(len(kept))] = t
        return 0.0, 0.0

    wish = Wish(layers, read_rulers([keep]), None, 10, mode, 1, seed, batch_axis, chunk_size, 1e6)
    found = wish.of(module, x)
    return dict(zip((one.label for one in found.layers), kept.values(), strict=True))
