"""The information plane of a network of your own: any ``torch.nn.Module``.

module, x  ->  hooks  ->  t (sample, unit) of each layer  ->  estimators  ->  bits
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from ibcore.estimators import Binning, Ruler, checked_rulers
from ibcore.kinds import shown, whole
from ibcore.labels import as_array, label_distribution, numbered_labels

CHUNK = whole(1, 10**9)


def measure(
    module: torch.nn.Module,
    x: ArrayLike | torch.Tensor,
    y: ArrayLike | torch.Tensor,
    *,
    layers: Sequence[str] | None = None,
    estimators: Sequence[Ruler] = (Binning(n_bins=30, low=-1.0, high=1.0),),
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
    y : (sample,) integers or strings, (sample,) floats P(y=1|x), or (sample, class) floats P(y|x)
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
    if not isinstance(estimators, list | tuple):
        raise ValueError(
            f"estimators must be a list of rulers, got {shown(estimators)}; write [ib.Exact()]."
        )
    rulers = checked_rulers(estimators)
    for ruler in rulers:
        if ruler.needs_run:
            raise ValueError(
                f"{shown(ruler)} looks at a training run, and a module is none; take a ruler of "
                "layers, such as ib.Binning, or measure a run with ib.run."
            )
    labels, inputs = _labels(y), _inputs(x)
    if len(labels) != len(inputs):
        raise ValueError(
            f"need one label for each input, got {len(inputs)} inputs and {len(labels)} labels."
        )
    outputs = layer_outputs(module, inputs, layers=layers, chunk_size=chunk_size)
    found = np.array(
        [[_bits(ruler, name, t, labels) for name, t in outputs.items()] for ruler in rulers]
    )
    units = {"units": "bits"}
    return xr.Dataset(
        {
            "i_xt": (("estimator", "layer"), found[..., 0], units),
            "i_ty": (("estimator", "layer"), found[..., 1], units),
        },
        {
            "estimator": [repr(ruler) for ruler in rulers],
            "layer": list(outputs),
            "width": ("layer", [t.shape[1] for t in outputs.values()]),
            "measures": ("estimator", [ruler.measures for ruler in rulers]),
        },
        {"n_samples": len(labels)},
    )


def _bits(ruler: Ruler, name: str, t: NDArray[np.float32], y: NDArray[Any]) -> NDArray[np.float64]:
    """I(X;T) and I(T;Y) of one layer; an error names the layer."""
    try:
        found = np.asarray(ruler(t, y), dtype=np.float64)
    except ValueError as error:
        raise ValueError(f"layer {name!r}: {error}") from error
    if found.shape != (2,) or not np.isfinite(found).all():
        raise ValueError(
            f"layer {name!r}: {shown(ruler)} gives {found.tolist()}, not two finite numbers."
        )
    return found


def layer_outputs(
    module: torch.nn.Module,
    x: ArrayLike | torch.Tensor,
    *,
    layers: Sequence[str] | None = None,
    chunk_size: int = 1024,
) -> dict[str, NDArray[np.float32]]:
    """Run the module; outputs of the named layers as {name: (sample, unit) float32 array}."""
    chunk_size = CHUNK.checked("chunk_size", chunk_size)
    chosen = _chosen(module, layers)
    inputs = _cast(module, _inputs(x))
    chunks: dict[str, list[NDArray[np.float32]]] = {}
    with _evaluation(module), torch.no_grad():
        for start in range(0, len(inputs), chunk_size):
            part = inputs[start : start + chunk_size]
            for name, t in _one_pass(module, part, chosen).items():
                chunks.setdefault(name, []).append(t)
    silent = [name for name in chosen if name not in chunks]
    if layers is not None and silent:
        raise ValueError(
            f"layer {', '.join(silent)} did not run when the module was called on x; "
            f"these did: {', '.join(chunks) or 'none'}."
        )
    if not chunks:
        raise ValueError(
            "no layer ran: the module calls none of its children; name layers that run."
        )
    return {name: _joined(name, parts, len(inputs)) for name, parts in chunks.items()}


def _joined(name: str, parts: list[NDArray[np.float32]], n: int) -> NDArray[np.float32]:
    """Chunks of one layer put together."""
    widths = {part.shape[1] for part in parts}
    n_rows = sum(map(len, parts))
    if len(widths) > 1 or n_rows != n:
        raise ValueError(
            f"layer {name!r} gives {n_rows} rows of {sorted(widths)} units for {n} samples: it "
            "does not run in the same way for every chunk; pass all samples as one chunk_size."
        )
    return np.concatenate(parts)


def _one_pass(
    module: torch.nn.Module, part: torch.Tensor, chosen: dict[str, torch.nn.Module]
) -> dict[str, NDArray[np.float32]]:
    seen: dict[str, NDArray[np.float32]] = {}
    calls = dict.fromkeys(chosen, 0)

    def hook(name: str) -> Any:
        def keep(_module: torch.nn.Module, _inputs: object, output: object) -> None:
            calls[name] += 1
            label = name if calls[name] == 1 else f"{name}:{calls[name]}"
            seen[label] = _rows(label, output, len(part))

        return keep

    handles = [layer.register_forward_hook(hook(name)) for name, layer in chosen.items()]
    try:
        module(part)
    except ValueError:
        raise
    except Exception as error:  # whatever a foreign module raises for inputs that it cannot take
        raise ValueError(
            f"the module cannot be called with x of shape {tuple(part.shape)} and {part.dtype}: "
            f"{error}. The first axis is the sample"
            + ("." if part.is_floating_point() else ", and most modules want floats: x.float().")
        ) from error
    finally:
        for handle in handles:
            handle.remove()
    return seen


def _rows(name: str, output: object, n_samples: int) -> NDArray[np.float32]:
    """Output of one layer as a (sample, unit) float32 array of its own."""
    if not isinstance(output, torch.Tensor):
        raise ValueError(
            f"layer {name!r} gives a {type(output).__name__}, not a tensor; name layers whose "
            "output is a single tensor."
        )
    if output.ndim == 0 or len(output) != n_samples or output.numel() == 0:
        raise ValueError(
            f"the first axis of layer {name!r} must be the {n_samples} samples, got an output of "
            f"shape {tuple(output.shape)}; choose other layers."
        )
    if output.is_complex():
        raise ValueError(
            f"layer {name!r} gives complex numbers; measure real and imaginary parts as units: "
            "torch.view_as_real."
        )
    # A copy: the next module may work in place on this very tensor.
    return output.detach().reshape(n_samples, -1).to("cpu", torch.float32).numpy().copy()


def _chosen(module: torch.nn.Module, layers: Sequence[str] | None) -> dict[str, torch.nn.Module]:
    if not isinstance(module, torch.nn.Module):
        raise ValueError(f"module must be a torch.nn.Module, got {shown(module)}.")
    there = dict(module.named_modules())
    if layers is None:
        return {name: one for name, one in there.items() if not any(one.children())}
    names = list(layers) if isinstance(layers, list | tuple) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError(
            f"layers must be a list of names, got {shown(layers)}; leave it out for all layers."
        )
    unknown = [name for name in names if name not in there]
    if unknown:
        known = ", ".join(name for name in there if name)
        raise ValueError(f"no layer {', '.join(unknown)} in this module; it has {known}.")
    return {name: there[name] for name in names}


def _labels(y: ArrayLike | torch.Tensor) -> NDArray[Any]:
    """Labels as rulers take them: numbers of classes, P(y=1|x), or rows P(y|x)."""
    given = _without_gradient(y, "y")
    given = given.cpu() if isinstance(given, torch.Tensor) else given
    found = as_array(given, "y")
    if found.ndim == 2:
        return label_distribution(found)
    if found.dtype.kind != "f":
        return numbered_labels(given)[0]
    label_distribution(found)  # refuses what is no probability
    return found


def _without_gradient(values: Any, name: str) -> Any:
    """A tensor by itself; anything else as it is."""
    if not isinstance(values, torch.Tensor):
        return values
    if values.layout != torch.strided or values.is_quantized or values.is_meta or values.is_nested:
        raise ValueError(
            f"{name} must be a dense tensor with values, got {values.layout} on {values.device}."
        )
    return values.detach()


def _inputs(x: ArrayLike | torch.Tensor) -> torch.Tensor:
    """Inputs as a tensor of real numbers with at least one sample."""
    found = _without_gradient(x, "x")
    if not isinstance(found, torch.Tensor):
        array = as_array(found, "x")
        if array.dtype.kind not in "biuf":
            raise ValueError(f"x must hold real numbers, got dtype {array.dtype}.")
        # The kinds that torch knows: not "long long", long doubles or a foreign order of bytes.
        known = np.dtype(f"{array.dtype.kind}{min(array.dtype.itemsize, 8)}")
        with np.errstate(over="ignore"):  # infinite, and refused below
            found = torch.tensor(array.astype(known))
    if found.is_complex():
        raise ValueError(f"x must hold real numbers, got {found.dtype}.")
    if found.ndim == 0 or found.numel() == 0:
        raise ValueError(
            f"x must be (sample, ...) with at least one sample, got shape {tuple(found.shape)}."
        )
    return found


def _cast(module: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
    """On the module's device; floats in the type of its parameters."""
    floats = (one for one in module.parameters() if one.is_floating_point())
    like = next(floats, torch.empty(0))
    if like.is_meta:
        raise ValueError("the module's parameters have no values; it is on the device 'meta'.")
    found = x.to(like.device, like.dtype if x.is_floating_point() else x.dtype)
    n_bad = int((~torch.isfinite(found)).sum())
    if n_bad:
        raise ValueError(
            f"x must be finite, got {n_bad} values that are NaN or infinite as {found.dtype}."
        )
    return found


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
