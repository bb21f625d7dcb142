"""Which layer, and what of it: the output of a module as a (sample, unit) array."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from ibcore.kinds import shown

UNITS = ("flat", "channels", "pooled", "mean", "last")
Path = tuple[int | str, ...]


@dataclass(frozen=True)
class Layer:
    """A layer of a module, by name, and which of its numbers are its units.

    Parameters
    ----------
    name : str
        As in ``module.named_modules()``; "" is the module itself.
    units : str or tuple
        ``"flat"``: every number after the sample is a unit. Of images (sample, channel, height,
        width): ``"channels"``, each channel a layer of its own, or ``"pooled"``, the mean of each
        channel. Of sequences (sample, token, feature): ``("token", k)``, the k-th token (-1 the
        last), ``"last"``, or ``"mean"`` over the tokens.
    take : int, str or tuple of them, optional
        Which part of an output that is a tuple or a dict: an index or a key, or several from the
        outside in, as ``(1, 0)`` for the last hidden state of an LSTM. By default the first tensor.
    batch_axis : int, optional
        Axis of the samples; by default the first, or the second where only that has their number,
        or where the module says that it is not ``batch_first``.

    Raises
    ------
    ValueError
        For a selection that is none of these.

    Examples
    --------
    >>> Layer("conv1", units="pooled").label, Layer("rnn", units="last", take=0).label
    ('conv1[pooled]', 'rnn[0, last]')
    """

    name: str
    units: str | tuple[str, int] = "flat"
    take: int | str | Path | None = None
    batch_axis: int | None = None

    def __post_init__(self) -> None:
        """Refuse nonsense."""
        if not isinstance(self.name, str):
            raise ValueError(
                f"a layer is named as in module.named_modules(), got {shown(self.name)}."
            )
        if self.units not in UNITS and not _is_token(self.units):
            raise ValueError(
                f"units must be one of {', '.join(UNITS)} or ('token', k); got {shown(self.units)}."
            )
        if not all(isinstance(one, str) or _is_whole(one) for one in self.path):
            raise ValueError(
                f"take must be an index, a key or a tuple of them; got {shown(self.take)}."
            )
        if self.batch_axis is not None and not _is_whole(self.batch_axis):
            raise ValueError(f"batch_axis must be a whole number; got {shown(self.batch_axis)}.")

    @property
    def path(self) -> Path:
        """``take`` as a tuple."""
        if self.take is None:
            return ()
        return self.take if isinstance(self.take, tuple) else (self.take,)

    @property
    def selected(self) -> tuple[str, ...]:
        """What is asked for besides the name."""
        units = "" if self.units == "flat" else _words(self.units)
        return tuple(str(one) for one in (*self.path, units) if one != "")

    @property
    def label(self) -> str:
        """Its name in a result."""
        return self.name + (f"[{', '.join(self.selected)}]" if self.selected else "")


class Taken(NamedTuple):
    """Rows of one layer, and in words what was taken of the module's output."""

    label: str
    rows: NDArray[np.float32]
    words: str


def taken(layer: Layer, module: torch.nn.Module, output: Any, n: int, call: int) -> Iterator[Taken]:
    """What ``layer`` asks of the output of its module for n samples, at its ``call``-th call."""
    name = layer.name if call == 1 else f"{layer.name}:{call}"
    path, tensor = _tensor(layer, name, output)
    axis = layer.batch_axis if layer.batch_axis is not None else _sample_axis(module, tensor, n)
    if not -tensor.ndim <= axis < tensor.ndim or tensor.shape[axis] != n or tensor.numel() == 0:
        raise ValueError(
            f"the first axis of layer {name!r} must be the {n} samples, got an output of shape "
            f"{tuple(tensor.shape)}; name its axis, ib.Layer({layer.name!r}, batch_axis=1), or "
            "choose other layers."
        )
    if tensor.is_complex():
        raise ValueError(
            f"layer {name!r} gives complex numbers; measure real and imaginary parts as units: "
            "torch.view_as_real."
        )
    said = "".join(f"[{one!r}]" for one in path)
    said = f"{said} " if said else ""
    where = f", axis {axis} is the sample" if axis % tensor.ndim else ""
    for extra, part, words in _units(layer, name, tensor.movedim(axis, 0)):
        inside = [*map(str, layer.path), *([extra] if extra else [])]
        label = name + (f"[{', '.join(inside)}]" if inside else "")
        yield Taken(label, _rows(part, n), f"{said}{words}{where}")


def first_tensor(output: Any) -> tuple[Path, torch.Tensor] | None:
    """The first tensor of nested tuples, lists and dicts, and the way to it."""
    if isinstance(output, torch.Tensor):
        return (), output
    if isinstance(output, Mapping):
        inside: Iterator[tuple[int | str, Any]] = iter(output.items())
    elif isinstance(output, tuple | list):
        inside = iter(enumerate(output))
    else:
        return None
    for key, one in inside:
        found = first_tensor(one)
        if found:
            return (key, *found[0]), found[1]
    return None


def _tensor(layer: Layer, name: str, output: Any) -> tuple[Path, torch.Tensor]:
    """The tensor that is asked for, and the way to it."""
    for place, key in enumerate(layer.path):
        try:
            output = output[key]
        except (KeyError, IndexError, TypeError) as error:
            there = list(output) if isinstance(output, Mapping) else _size(output)
            raise ValueError(
                f"layer {name!r} has nothing at {layer.path[: place + 1]}: there is {shown(there)}."
            ) from error
    found = first_tensor(output)
    if found is None:
        raise ValueError(
            f"layer {name!r} gives a {type(output).__name__} without a tensor; name layers whose "
            "output holds one."
        )
    if found[1].layout != torch.strided or found[1].is_nested or found[1].is_quantized:
        raise ValueError(f"layer {name!r} gives a tensor that is not dense; choose other layers.")
    return (*layer.path, *found[0]), found[1]


def _size(output: Any) -> str:
    kind = type(output).__name__
    return f"a {kind} of {len(output)}" if isinstance(output, tuple | list) else f"a {kind}"


def _sample_axis(module: torch.nn.Module, tensor: torch.Tensor, n: int) -> int:
    """The axis of the samples, where nobody says it."""
    second = tensor.ndim > 1 and tensor.shape[1] == n
    if second and getattr(module, "batch_first", True) is False:
        return 1
    return 1 if second and tensor.shape[0] != n else 0


def _units(
    layer: Layer, name: str, tensor: torch.Tensor
) -> Iterator[tuple[str, torch.Tensor, str]]:
    """(words for the label, tensor with the sample first, words for the result) of a selection."""
    units = layer.units
    if units == "flat":
        yield "", tensor, "all units"
        return
    if tensor.ndim < 3:
        raise ValueError(
            f"layer {name!r} has the shape {tuple(tensor.shape)} and {_words(units)!r} needs "
            "(sample, channel, …) or (sample, token, feature); write units='flat'."
        )
    if units == "channels":
        for k in range(tensor.shape[1]):
            yield f"channel {k}", tensor[:, k], f"channel {k} of {tensor.shape[1]}"
    elif units == "pooled":
        mean = tensor.float().flatten(2).mean(2)
        yield "pooled", mean, f"mean over {_sizes(tensor.shape[2:])} positions of each channel"
    elif units == "mean":
        yield "mean", tensor.float().mean(1), f"mean over {tensor.shape[1]} tokens"
    else:
        k = -1 if units == "last" else int(units[1])
        if not -tensor.shape[1] <= k < tensor.shape[1]:
            raise ValueError(f"layer {name!r} has {tensor.shape[1]} tokens, none of number {k}.")
        at = k % tensor.shape[1]
        yield _words(units), tensor[:, at], f"token {at} of {tensor.shape[1]}"


def _rows(tensor: torch.Tensor, n: int) -> NDArray[np.float32]:
    # A copy: the next module may work in place on this very tensor.
    return tensor.detach().reshape(n, -1).to("cpu", torch.float32).numpy().copy()


def _is_whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_token(units: object) -> bool:
    return (
        isinstance(units, tuple) and len(units) == 2 and units[0] == "token" and _is_whole(units[1])
    )


def _words(units: str | tuple[str, int]) -> str:
    return units if isinstance(units, str) else f"token {units[1]}"


def _sizes(shape: Sequence[int]) -> str:
    return " × ".join(map(str, shape))


def chosen(module: torch.nn.Module, layers: Any) -> list[Layer] | None:
    """The layers that are asked for, checked; None stands for all that run."""
    if layers is None:
        return None
    given = list(layers) if isinstance(layers, list | tuple) else []
    there = dict(module.named_modules())
    names = {id(one): name for name, one in there.items()}
    for one in given:
        if isinstance(one, torch.nn.Module):
            raise ValueError(
                "layers must be a list of names, got a module; its name is "
                f"{names.get(id(one), 'not in this module')!r}."
            )
    if not given or not all(isinstance(one, str | Layer) for one in given):
        raise ValueError(
            f"layers must be a list of names or ib.Layer, got {shown(layers)}; leave it out for "
            "all layers."
        )
    found = [Layer(one) if isinstance(one, str) else one for one in given]
    unknown = [one.name for one in found if one.name not in there]
    if unknown:
        known = ", ".join(name for name in there if name)
        raise ValueError(f"no layer {', '.join(unknown)} in this module; it has {known}.")
    labels = [one.label for one in found]
    if len(set(labels)) < len(labels):
        raise ValueError(f"each layer once, got {', '.join(labels)}.")
    return found
