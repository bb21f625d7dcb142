"""How pieces of one's own reach the engines: what they have to be, and the tables they go into."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ibcore import config
from ibcore.kinds import shown
from ibcore.networks import ACTIVATIONS
from ibcore.results.provenance import code_of
from ibcore.tasks import Task, load_task, register_task

CONTENT = 12  # characters of a content's hash that a name carries
PROBE = (-3.0, -1.0, -0.1, 0.2, 1.0, 4.0)


def fits(kind: str, piece: Any) -> bool:
    """Whether something may be a piece of this kind at all."""
    return isinstance(piece, Task) if kind == "task" else callable(piece)


def accept(kind: str, piece: Any) -> str:
    """Check a piece, put it where its engine looks, and return ``name@content``."""
    if not fits(kind, piece):
        wanted = "an ib.Task, as ib.task_from_arrays makes one" if kind == "task" else "a function"
        raise ValueError(f"{kind} must be {wanted}; got {shown(piece)}.")
    accepted: dict[str, Callable[[Any], str]] = {
        "task": _task,
        "activation": _activation,
        "optimizer": _optimizer,
    }
    return accepted[kind](piece)


def _task(task: Task) -> str:
    if task.name in config.TASKS and load_task(task.name) is task:
        return task.name
    if config.OWN_TASKS.get(task.name) == task.content():
        return task.name  # it came from load_task
    name = f"{task.name}@{task.content()[:CONTENT]}"
    if name not in config.OWN_TASKS:
        register_task(replace(task, name=name))
    return name


def _named(piece: Callable[..., Any]) -> str:
    """``name@content`` of a function, a class or an object that can be called."""
    inner = piece.func if isinstance(piece, partial) else piece
    name = getattr(inner, "__name__", type(inner).__name__)
    name = "".join(c for c in name if c.isalnum() or c in "_-") or "function"
    return f"{name}@{code_of(piece)[:CONTENT]}"


def _activation(function: Callable[..., Any]) -> str:
    from ibcore.training import torch_batched

    name = _named(function)
    if name in ACTIVATIONS:
        return name
    value, slope = _on_arrays(function)
    _check_elementwise(name, function, value, slope)
    ACTIVATIONS[name] = (value, lambda z, t: slope(z))
    torch_batched.ACTIVATIONS[name] = lambda z, alpha: function(z)
    return name


def _on_arrays(function: Callable[..., Any]) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """A function of a tensor, and its slope, as functions of an array."""
    import torch

    def value(z: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            return function(torch.from_numpy(np.ascontiguousarray(z))).numpy()

    def slope(z: np.ndarray) -> np.ndarray:
        given = torch.from_numpy(np.array(z)).requires_grad_()
        with torch.enable_grad():
            (found,) = torch.autograd.grad(function(given).sum(), given)
        return found.numpy()

    return value, slope


def _check_elementwise(
    name: str, function: Callable[..., Any], value: Callable[..., Any], slope: Callable[..., Any]
) -> None:
    """Refuse what is no function of single numbers with a gradient."""
    z = np.array(PROBE)
    try:
        whole, each, gradient = value(z), [value(z[[k]])[0] for k in range(len(z))], slope(z)
    except Exception as error:  # whatever foreign code says
        raise ValueError(
            f"the activation {name} must take a torch tensor and return one, with a gradient, as "
            f"torch.nn.functional.mish does; it says: {error}"
        ) from error
    if whole.shape != z.shape or not np.allclose(whole, each) or not np.isfinite(gradient).all():
        raise ValueError(
            f"the activation {name} must be a function of each number by itself, with a finite "
            f"slope; on {z.tolist()} it gives {shown(whole.tolist())}."
        )


def _optimizer(make: Callable[..., Any]) -> str:
    import torch

    from ibcore.training import torch_own

    name = _named(make)
    try:
        found = make([torch.zeros(1, requires_grad=True)], lr=1e-3)
    except Exception as error:  # whatever foreign code says
        raise ValueError(
            f"the optimizer {name} is called with a list of parameters and lr=, as "
            f"torch.optim.AdamW is; it says: {error}"
        ) from error
    if not (hasattr(found, "step") and hasattr(found, "zero_grad")):
        raise ValueError(
            f"the optimizer {name} must return a torch optimizer, with step and zero_grad; it "
            f"returns {shown(found)}."
        )
    torch_own.OPTIMIZERS[name] = make
    return name
