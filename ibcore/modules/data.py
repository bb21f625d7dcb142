"""What a module is called with: arrays cut into batches, or batches as a loader gives them."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

from ibcore.kinds import shown
from ibcore.labels import as_array
from ibcore.modules.targets import dense

LABEL_KEYS = ("labels", "label")  # of a batch that is a dict


class Inputs(NamedTuple):
    """Arguments of a call, tensors along ``axis`` of which the samples lie; n of them."""

    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    n: int
    axis: int

    def tensors(self) -> list[torch.Tensor]:
        """Those of the arguments that have samples."""
        every = (*self.args, *self.kwargs.values())
        return [one for one in every if isinstance(one, torch.Tensor)]

    def part(self, start: int, stop: int) -> "Inputs":
        """Some of the samples."""

        def cut(one: Any) -> Any:
            if not isinstance(one, torch.Tensor):
                return one
            return one.narrow(self.axis, start, min(stop, self.n) - start)

        return self._mapped(cut, min(stop, self.n) - start)

    def cast(self, like: torch.Tensor) -> "Inputs":
        """On the device of a module; floats in the type of its parameters."""

        def moved(one: Any) -> Any:
            if not isinstance(one, torch.Tensor):
                return one
            found = one.to(like.device, like.dtype if one.is_floating_point() else one.dtype)
            if found.is_floating_point() and not torch.isfinite(found).all():
                n_bad = int((~torch.isfinite(found)).sum())
                raise ValueError(
                    f"x must be finite, got {n_bad} values that are NaN or infinite as "
                    f"{found.dtype}."
                )
            return found

        return self._mapped(moved, self.n)

    def _mapped(self, function: Any, n: int) -> "Inputs":
        kwargs = {name: function(one) for name, one in self.kwargs.items()}
        return Inputs(tuple(map(function, self.args)), kwargs, n, self.axis)


class Batch(NamedTuple):
    """Inputs of one call, and their labels if the batch brings them."""

    inputs: Inputs
    y: Any = None


def is_loader(x: Any) -> bool:
    """Whether x gives batches, rather than being all samples at once."""
    if isinstance(x, torch.utils.data.Dataset) and not hasattr(x, "__iter__"):
        raise ValueError(
            "x is a Dataset, which gives single samples; write "
            "torch.utils.data.DataLoader(x, batch_size=256)."
        )
    if isinstance(x, list):
        first = x[0] if x else None
        return isinstance(first, Mapping) or (
            isinstance(first, tuple | list) and any(map(_is_array, first))
        )
    if isinstance(x, torch.Tensor | Mapping | tuple | str | bytes | range):
        return False
    return hasattr(x, "__iter__") and not hasattr(x, "__array__")


def read_inputs(x: Any, axis: int = 0, several: type | tuple[type, ...] = tuple) -> Inputs:
    """All samples at once, or those of a batch: an array, several in a tuple, or a dict of them.

    ``several`` is what holds several inputs: a batch of a DataLoader has lists for tuples.
    """
    if isinstance(x, Mapping):
        given = {str(name): _argument(one, f"x[{name!r}]", axis) for name, one in x.items()}
        return _alike((), given, axis)
    parts: Any = x if isinstance(x, several) else ()
    if len(parts) and all(map(_is_array, parts)):
        return _alike(tuple(_tensor(one, f"x[{k}]", axis) for k, one in enumerate(parts)), {}, axis)
    return _alike((_tensor(x, "x", axis),), {}, axis)


def batches(x: Any, chunk_size: int, axis: int = 0) -> Iterator[Batch]:
    """What a module is called with, one call after the other; ``x`` as in ``ib.measure``."""
    if isinstance(x, Inputs):
        for start in range(0, x.n, chunk_size):
            yield Batch(x.part(start, start + chunk_size))
        return
    count = 0
    for one in x:
        yield _batch(one, axis)
        count += 1
    if not count:
        raise ValueError(
            "x gives no batch; an iterator that was used up before must be made again, and a "
            "DataLoader can be read as often as one likes."
        )


def samples(x: Any, axis: int) -> Inputs | Iterable[Any]:
    """All samples, read and checked; or the loader itself."""
    if isinstance(x, Inputs):
        return x
    return x if is_loader(x) else read_inputs(x, axis)


def _batch(one: Any, axis: int) -> Batch:
    """A batch of a loader: inputs, (inputs, labels), or a dict with or without labels."""
    if isinstance(one, Mapping):
        inputs = {name: value for name, value in one.items() if name not in LABEL_KEYS}
        labels = [one[name] for name in LABEL_KEYS if name in one]
        return Batch(read_inputs(inputs, axis), labels[0] if labels else None)
    if not isinstance(one, tuple | list):
        return Batch(read_inputs(one, axis))
    if len(one) == 1:
        return Batch(read_inputs(one[0], axis, (tuple, list)))
    if len(one) != 2:
        raise ValueError(
            f"a batch must be x, (x, y) or a dict, got a {type(one).__name__} of {len(one)}; "
            "several inputs are ((x1, x2), y)."
        )
    return Batch(read_inputs(one[0], axis, (tuple, list)), one[1])


def _is_array(value: Any) -> bool:
    return isinstance(value, torch.Tensor | np.ndarray) and value.ndim > 0


def _argument(value: Any, name: str, axis: int) -> Any:
    """A tensor with samples, or a switch, a text, None: as it is."""
    if value is None or isinstance(value, bool | str | int | float):
        return value
    return _tensor(value, name, axis)


def _alike(args: tuple[Any, ...], kwargs: dict[str, Any], axis: int) -> Inputs:
    """Inputs that have equally many samples."""
    found = Inputs(args, kwargs, 0, axis)
    names = [f"x[{k}]" for k in range(len(args))] + list(kwargs)
    every = zip(names, (*args, *kwargs.values()), strict=True)
    sizes = {name: one.shape[axis] for name, one in every if isinstance(one, torch.Tensor)}
    if len(set(sizes.values())) != 1:
        raise ValueError(
            "inputs must have equally many samples, got "
            f"{', '.join(f'{name} {size}' for name, size in sizes.items()) or 'none'}; what is the "
            "same for all samples, such as a mask, belongs into the module."
        )
    return found._replace(n=next(iter(sizes.values())))


def _tensor(values: Any, name: str, axis: int) -> torch.Tensor:
    """Inputs as a tensor of real numbers with at least one sample."""
    found = dense(values, name)
    if not isinstance(found, torch.Tensor):
        array = as_array(found, name)
        if array.dtype.kind not in "biuf":
            raise ValueError(
                f"{name} must hold real numbers, got dtype {array.dtype}"
                + (
                    f": {shown(values)}; several inputs are a tuple or a dict of arrays."
                    if array.dtype.kind == "O"
                    else "."
                )
            )
        # The kinds that torch knows: not "long long", long doubles or a foreign order of bytes.
        known = np.dtype(f"{array.dtype.kind}{min(array.dtype.itemsize, 8)}")
        with np.errstate(over="ignore"):  # infinite, and refused below
            found = torch.tensor(array.astype(known))
    if found.is_complex():
        raise ValueError(f"{name} must hold real numbers, got {found.dtype}.")
    if not -found.ndim <= axis < found.ndim or found.numel() == 0:
        raise ValueError(
            f"{name} must be (sample, ...) with at least one sample, got shape "
            f"{tuple(found.shape)}" + (f" and batch_axis={axis}." if axis else ".")
        )
    return found
