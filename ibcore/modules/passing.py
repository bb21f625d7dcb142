"""A module run on samples and watched: hooks that keep what layers give, and leave no trace."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from ibcore.kinds import shown
from ibcore.modules.data import Inputs
from ibcore.modules.layers import Layer, Taken, first_tensor, taken
from ibcore.randomness import generator

MODES = ("evaluation", "training")


def watched_module(module: Any) -> torch.nn.Module:
    """The module whose hooks run: the original of a compiled one; others are refused.

    Raises
    ------
    ValueError
        For networks of ibcore, TorchScript, and what is no module.
    """
    kind = type(module)
    if kind.__module__.startswith("ibcore.") and not isinstance(module, torch.nn.Module):
        raise ValueError(
            f"{kind.__name__} is ibcore's own; its plane comes from "
            "ib.run(experiment, estimators), which trains and measures in one call."
        )
    module = getattr(module, "_orig_mod", module)
    if not isinstance(module, torch.nn.Module):
        raise ValueError(f"module must be a torch.nn.Module, got {shown(module)}.")
    if any(isinstance(one, torch.jit.ScriptModule) for one in module.modules()):
        raise ValueError(
            "the module is TorchScript (torch.jit), which does not call the hooks of its layers; "
            "measure the Python module that it was made of."
        )
    return module


def like(module: torch.nn.Module) -> torch.Tensor:
    """A parameter that shows the device and the type of floats of a module."""
    floats = (one for one in module.parameters() if one.is_floating_point())
    found = next(floats, torch.empty(0))
    if found.is_meta:
        raise ValueError("the module's parameters have no values; it is on the device 'meta'.")
    return found


class Watch:
    """The hooks of one module, for as long as a ``with`` lasts.

    Parameters
    ----------
    module : torch.nn.Module
    wanted : list of Layer, optional
        By default every module that runs and of whose children none does.
    """

    def __init__(self, module: torch.nn.Module, wanted: list[Layer] | None) -> None:
        self.module, self.default = module, wanted is None
        self.like = like(module)
        every = dict(module.named_modules())
        asked = [Layer(name) for name in every] if wanted is None else wanted
        self.layers = {name: [one for one in asked if one.name == name] for name in every}
        self.layers = {name: layers for name, layers in self.layers.items() if layers}
        self.calls: dict[str, int] = {}  # of the present pass
        self.ran: set[str] = set()
        self.n = 0
        self.seen: list[Taken] = []

    def __enter__(self) -> "Watch":
        """Attach the hooks."""
        there = dict(self.module.named_modules())
        self.handles = [there[name].register_forward_hook(self._hook(name)) for name in self.layers]
        return self

    def __exit__(self, *_: object) -> None:
        """Take them away."""
        for handle in self.handles:
            handle.remove()

    def _hook(self, name: str) -> Any:
        def keep(module: torch.nn.Module, _inputs: object, output: object) -> None:
            inside = f"{name}." if name else ""
            ran_inside = any(one.startswith(inside) for one in self.calls)
            self.calls[name] = self.calls.get(name, 0) + 1
            self.ran.add(name)
            if self.default and (ran_inside or first_tensor(output) is None):
                return
            for layer in self.layers[name]:
                self.seen += taken(layer, module, output, self.n, self.calls[name])

        return keep

    def outputs(self, inputs: Inputs) -> list[Taken]:
        """Run the module once; what its layers gave, in the order in which they ran."""
        self.calls, self.seen, self.n = {}, [], inputs.n
        ready = inputs.cast(self.like)
        try:
            self.module(*ready.args, **ready.kwargs)
        except ValueError:
            raise
        except Exception as error:  # whatever a foreign module raises for inputs it cannot take
            raise ValueError(_uncallable(ready, error)) from error
        return self.seen


def _uncallable(inputs: Inputs, error: Exception) -> str:
    tensors = inputs.tensors()
    given = " and ".join(f"{tuple(one.shape)} and {one.dtype}" for one in tensors)
    whole = not any(one.is_floating_point() for one in tensors)
    return (
        f"the module cannot be called with x of shape {given}: {error}. The sample is axis "
        f"{inputs.axis}" + (", and most modules want floats: x.float()." if whole else ".")
    )


@contextmanager
def undisturbed(module: torch.nn.Module, mode: str, source: Any, seed: int) -> Iterator[None]:
    """Measure in one mode without gradients; all states are afterwards what they were before.

    Restored are the mode of each submodule, its buffers (running means) in training mode, and the
    random numbers of Python, NumPy, torch and of the loader.
    """
    modes = {one: one.training for one in module.modules()}
    module.train(mode == "training")
    buffers = {name: one.clone() for name, one in module.named_buffers() if mode == "training"}
    try:
        with _random_states(source), torch.no_grad():
            torch.manual_seed(int(generator(seed, "dropout").integers(2**62)))
            yield
    finally:
        for one, was in modes.items():
            one.training = was
        with torch.no_grad():
            for name, buffer in module.named_buffers():
                if name in buffers:
                    buffer.copy_(buffers[name])


@contextmanager
def _random_states(source: Any) -> Iterator[None]:
    """Random numbers go on afterwards as if none had been drawn."""
    parts = (source, *(getattr(source, one, None) for one in ("sampler", "batch_sampler")))
    held = [getattr(one, "generator", None) for one in parts]
    own = [one for one in held if isinstance(one, torch.Generator)]
    states = [one.get_state() for one in own]
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002
    apple = torch.mps.get_rng_state() if torch.backends.mps.is_available() else None
    try:
        with torch.random.fork_rng():  # of the CPU and of every GPU of CUDA
            yield
    finally:
        if apple is not None:
            torch.mps.set_rng_state(apple)
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
        for one, state in zip(own, states, strict=True):
            one.set_state(state)
