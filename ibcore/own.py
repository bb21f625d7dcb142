"""Pieces of your own: tasks, activations, optimisers, observables, known by their content.

    Experiment(task=my_task, activation=my_function, optimizer=torch.optim.AdamW)

An experiment keeps a piece as ``name@content``: the name it gave itself and a hash of its data, or
of its code. Other data under the same name are another experiment, with another digest. The piece
itself stays in this process; a result that names one which is not at hand is refused by that name.

Packages offer pieces by entry points, found when they are first asked for by name:

    [project.entry-points."ibcore.tasks"]         parity = "my_package:load_parity"
    [project.entry-points."ibcore.activations"]   mish = "my_package:mish"
    [project.entry-points."ibcore.optimizers"]    adamw = "my_package:adamw"
    [project.entry-points."ibcore.observables"]   sparsity = "my_package:Sparsity"
    [project.entry-points."ibcore.rulers"]        any = "my_package.rulers"

A task's is a function that makes it, an observable's a class without required settings. Rulers are
known by name as soon as their module is imported.
"""

from collections.abc import Mapping
from typing import Any

from ibcore import config
from ibcore.config import Experiment
from ibcore.kinds import Kind, shown
from ibcore.plugins import offered

__all__ = ["Experiment", "register", "registered"]

GROUPS = {"task": "tasks", "activation": "activations", "optimizer": "optimizers"}
_BOOK: Mapping[str, tuple[str, ...]] = {
    "task": config.TASKS,
    "activation": config.ACTIVATIONS,
    "optimizer": config.OPTIMIZERS,
}
_known: dict[str, dict[str, Any]] = {kind: {} for kind in GROUPS}  # by name@content
_latest: dict[str, dict[str, str]] = {kind: {} for kind in GROUPS}  # name -> the last name@content


def register(kind: str, piece: Any) -> str:
    """Let experiments of this process know a piece of your own.

    ``Experiment(task=piece)`` does the same. Call it yourself where a stored experiment names a
    piece that has not been made in this process yet, and for observables that are to be found in
    stored results.

    Parameters
    ----------
    kind : str
        ``"task"``, ``"activation"``, ``"optimizer"`` or ``"observable"``.
    piece : Task, function or Observable
        An activation is an elementwise function of a torch tensor, with a gradient; an optimiser
        is called with a list of parameters and ``lr=``, as the classes of ``torch.optim`` are.
        Networks with either are trained one by one in torch.

    Returns
    -------
    str
        ``name@content``, as an experiment keeps it; an observable's name is that of its class.

    Raises
    ------
    ValueError
        If the piece cannot be one of this kind.

    Examples
    --------
    >>> import torch
    >>> e = Experiment(activation=torch.nn.functional.mish, n_seeds=2)
    >>> e.activation.partition("@")[0]
    'mish'
    >>> register("activation", torch.nn.functional.mish) == e.activation
    True
    """
    if kind == "observable":
        from ibcore.observables import accept as accept_observable

        return accept_observable(piece)
    if kind not in GROUPS:
        raise ValueError(
            f"register knows {', '.join(GROUPS)} and observable, got {shown(kind)}. A ruler needs "
            "no registration: a dataclass that inherits ib.Ruler is known once it is defined."
        )
    from ibcore.pieces import accept  # torch and the engines, only where a piece comes

    name = accept(kind, piece)
    _known[kind][name] = piece
    _latest[kind][name.partition("@")[0]] = name
    return name


def registered(kind: str, name: str) -> Any:
    """The piece that an experiment names; None for one of the book's.

    Raises
    ------
    ValueError
        If it is not at hand in this process, with what to do.
    """
    if name in _BOOK[kind]:
        return None
    if name not in _known[kind]:
        raise ValueError(_absent(kind, name))
    return _known[kind][name]


def _absent(kind: str, name: str) -> str:
    plain, _, content = name.partition("@")
    there = _latest[kind].get(plain)
    other = (
        f" What is at hand under this name is {there}, which is something else." if there else ""
    )
    return (
        f"the {kind} {plain!r} with content {content} is not at hand in this process; make it as "
        f"it was made and give it to ib.register({kind!r}, ...), or as {kind}= to ib.Experiment."
        f"{other}"
    )


class _Piece(Kind):
    """A name of the book's or of a registered piece, or the piece itself."""

    def checked(self, name: str, value: Any) -> Any:
        """What an experiment keeps: a name."""
        if not isinstance(value, str):
            from ibcore.pieces import fits

            return register(name, value) if fits(name, value) else super().checked(name, value)
        if value in _BOOK[name] or value in _known[name] or value in config.OWN_TASKS:
            return super().checked(name, value)
        if "@" in value:
            raise ValueError(_absent(name, value))
        if value in _latest[name]:
            return _latest[name][value]
        if (found := offered(GROUPS[name], value)) is not None:
            return register(name, found() if name == "task" else found)
        return super().checked(name, value)


def _take_pieces(kind: str) -> None:
    """Let the field of an experiment take pieces of one's own."""
    book = config.FIELDS[kind]

    def read(value: Any) -> Any:
        return value if isinstance(value, str) and value in _known[kind] else book.read(value)

    config.FIELDS[kind] = _Piece(book.text, read)


for _kind in GROUPS:
    _take_pieces(_kind)
