"""The information plane of a network of your own: any ``torch.nn.Module``.

module, x  ->  hooks  ->  t (sample, unit) of each layer  ->  estimators  ->  bits
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
import xarray as xr
from numpy.typing import ArrayLike

from ibcore.estimators import Binning, LayerInformation, checked_rulers

Estimator = Callable[[np.ndarray, np.ndarray], LayerInformation]


def measure(
    module: torch.nn.Module,
    x: ArrayLike | torch.Tensor,
    y: ArrayLike | torch.Tensor,
    *,
    layers: Sequence[str] | None = None,
    estimators: Sequence[Estimator] = (Binning(n_bins=30, low=-1.0, high=1.0),),
    chunk_size: int = 1024,
) -> xr.Dataset:
    """I(X;T) and I(T;Y), in bits, of the layers of a module.

    The module runs on ``x`` in evaluation mode and without gradients, on the device where its
    parameters are; it comes back in the mode it was in. Each row of ``x`` counts as an input of
    its own: for repeated rows I(X;T) of a discrete estimator is H(T) of the rows as given.

    Parameters
    ----------
    module : torch.nn.Module
        Called with a chunk of ``x``; the first axis of every measured output must be the sample.
    x : (sample, ...) array or tensor
        Inputs; floats are cast to the type of the module's parameters.
    y : (sample,) integers, (sample,) floats P(y=1|x), or (sample, class) floats P(y|x)
        Labels.
    layers : names as in ``module.named_modules()``, optional
        Modules whose outputs are the layers; all without children if not given. A module that
        runs twice in one pass gives two layers, "act" and "act:2".
    estimators : estimators
        For example ``[ib.Binning(width=0.07), ib.Exact()]``; several noise levels of a kernel
        bound give an entry each.
    chunk_size : int
        Samples per pass.

    Returns
    -------
    Dataset
        ``i_xt`` and ``i_ty`` (estimator, layer) in bits; coords ``width`` (layer), the number
        of units, and ``measures`` (estimator). Layers stand in the order in which they ran.

    Examples
    --------
    >>> x = torch.tensor([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    >>> first_input = torch.nn.Linear(2, 1, bias=False)
    >>> _ = first_input.weight.data.copy_(torch.tensor([[0.5, 0.0]]))
    >>> found = measure(torch.nn.Sequential(first_input), x, y=[0, 0, 1, 1])
    >>> found.i_xt.values.tolist(), found.i_ty.values.tolist()
    ([[1.0]], [[1.0]])
    """
    estimators = checked_rulers(estimators)
    y = y.detach().cpu().numpy() if isinstance(y, torch.Tensor) else np.asarray(y)
    outputs = layer_outputs(module, x, layers=layers, chunk_size=chunk_size)
    if len(y) != len(next(iter(outputs.values()))):
        raise ValueError(f"need one label for each input, got {len(x)} inputs and {len(y)} labels.")
    found = np.array([[estimator(t, y) for t in outputs.values()] for estimator in estimators])
    units = {"units": "bits"}
    return xr.Dataset(
        {
            "i_xt": (("estimator", "layer"), found[..., 0], units),
            "i_ty": (("estimator", "layer"), found[..., 1], units),
        },
        {
            "estimator": [repr(estimator) for estimator in estimators],
            "layer": list(outputs),
            "width": ("layer", [t.shape[1] for t in outputs.values()]),
            "measures": ("estimator", [estimator.measures for estimator in estimators]),
        },
        {"n_samples": len(y)},
    )


def layer_outputs(
    module: torch.nn.Module,
    x: ArrayLike | torch.Tensor,
    *,
    layers: Sequence[str] | None = None,
    chunk_size: int = 1024,
) -> dict[str, np.ndarray]:
    """Run the module; outputs of the named layers as {name: (sample, unit) float32 array}."""
    if chunk_size < 1:
        raise ValueError(f"chunk_size must be positive, got {chunk_size}.")
    chosen = _chosen(module, layers)
    x = _input(module, x)
    chunks: dict[str, list[np.ndarray]] = {}
    with _evaluation(module), torch.no_grad():
        for start in range(0, len(x), chunk_size):
            part = x[start : start + chunk_size]
            for name, t in _one_pass(module, part, chosen).items():
                chunks.setdefault(name, []).append(t)
    silent = [name for name in chosen if name not in chunks]
    if layers is not None and silent:
        raise ValueError(
            f"layer {', '.join(silent)} did not run when the module was called on x; "
            f"these did: {', '.join(chunks) or 'none'}."
        )
    if not chunks:
        raise ValueError("no layer ran: x is empty or the module calls none of its children.")
    return {name: np.concatenate(parts) for name, parts in chunks.items()}


def _one_pass(
    module: torch.nn.Module, part: torch.Tensor, chosen: dict[str, torch.nn.Module]
) -> dict[str, np.ndarray]:
    seen: dict[str, np.ndarray] = {}
    calls = dict.fromkeys(chosen, 0)

    def hook(name: str) -> Callable:
        def keep(_module: torch.nn.Module, _inputs: object, output: object) -> None:
            calls[name] += 1
            label = name if calls[name] == 1 else f"{name}:{calls[name]}"
            seen[label] = _rows(label, output, len(part))

        return keep

    handles = [layer.register_forward_hook(hook(name)) for name, layer in chosen.items()]
    try:
        module(part)
    finally:
        for handle in handles:
            handle.remove()
    return seen


def _rows(name: str, output: object, n_samples: int) -> np.ndarray:
    """Output of one layer as a (sample, unit) float32 array of its own."""
    if not isinstance(output, torch.Tensor):
        raise ValueError(
            f"layer {name!r} gives a {type(output).__name__}, not a tensor; name layers whose "
            "output is a single tensor."
        )
    if output.ndim == 0 or len(output) != n_samples:
        raise ValueError(
            f"the first axis of layer {name!r} must be the {n_samples} samples, got an output of "
            f"shape {tuple(output.shape)}; choose other layers."
        )
    # A copy: the next module may work in place on this very tensor.
    return output.detach().reshape(n_samples, -1).to("cpu", torch.float32).numpy().copy()


def _chosen(module: torch.nn.Module, layers: Sequence[str] | None) -> dict[str, torch.nn.Module]:
    there = dict(module.named_modules())
    if layers is None:
        return {name: one for name, one in there.items() if not any(one.children())}
    if isinstance(layers, str):
        raise ValueError(f"layers must be a list of names, got the text {layers!r}.")
    unknown = [name for name in layers if name not in there]
    if unknown:
        names = ", ".join(name for name in there if name)
        raise ValueError(f"no layer {', '.join(unknown)} in this module; it has {names}.")
    return {name: there[name] for name in layers}


def _input(module: torch.nn.Module, x: ArrayLike | torch.Tensor) -> torch.Tensor:
    x = x.detach() if isinstance(x, torch.Tensor) else torch.tensor(np.asarray(x))
    like = next(module.parameters(), torch.empty(0))
    return x.to(like.device, like.dtype if x.is_floating_point() else x.dtype)


@contextmanager
def _evaluation(module: torch.nn.Module) -> Iterator[None]:
    """Put all submodules in evaluation mode, and back in the mode each of them was in."""
    modes = {one: one.training for one in module.modules()}
    module.eval()
    try:
        yield
    finally:
        for one, mode in modes.items():
            one.training = mode
