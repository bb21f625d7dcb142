"""What an estimator owes: the one protocol, and the names that results give to rulers.

A ruler is a frozen dataclass that inherits ``Ruler``. Its fields are its settings and its ``repr``
is its name in every result. To add one, write it in a file of its own and export it from
``ibcore.estimators``; what the loop over a training run asks of it stands here, and nothing else.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import is_dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ibcore.kinds import grouped, shown

if TYPE_CHECKING:
    from ibcore.config import Experiment
    from ibcore.networks import Ensemble
    from ibcore.tasks import Task

LONGEST_NAME = 2000  # characters; no ruler of the book needs 200
REGISTRY: dict[str, type[Ruler]] = {}
"""Class name -> class of every ruler that has been defined."""


class LayerInformation(NamedTuple):
    """Both coordinates of a layer in the information plane, in bits."""

    i_xt: float
    i_ty: float


class View(Protocol):
    """One network at one measured epoch, as a ruler sees it."""

    @property
    def experiment(self) -> Experiment:
        """Of the training run."""

    @property
    def task(self) -> Task:
        """X and Y."""

    @property
    def network(self) -> Ensemble:
        """The one network."""

    @property
    def x(self) -> NDArray[np.float32]:
        """(sample, feature) inputs on which information is measured."""

    @property
    def layers(self) -> list[NDArray[np.float32]]:
        """Activations of every layer on them, (sample, unit)."""

    @property
    def rows(self) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Training and test rows."""


class Run(Protocol):
    """A training run of one network, as a ruler may ask about it beforehand."""

    @property
    def experiment(self) -> Experiment:
        """What was trained."""

    @property
    def task(self) -> Task:
        """X and Y."""

    @property
    def seeds(self) -> tuple[int, ...]:
        """Of the networks: one."""

    def diverged(self) -> NDArray[np.bool_]:
        """(epoch, seed): where weights are lost."""

    def activations(self, k: int, x: np.ndarray | None = None) -> list[NDArray[np.float32]]:
        """Layers at the k-th measured epoch, each (seed, sample, unit)."""


class Ruler:
    """The protocol of an estimator, with the answers that most of them give.

    Attributes
    ----------
    measures : str
        What ``i_xt`` is, the label of an axis: "I(X; bin(T))".
    numbers : tuple of str
        Variables of a result that ``entries`` fills: the standard errors too, of a ruler that has
        them.
    needs_run : bool
        Whether it can only be laid in a training run, as it looks into the network or ahead.
    row_per_sample : bool
        Whether its arrays have one row for each measured input, of which some may be chosen.
    """

    needs_run: ClassVar[bool] = False
    row_per_sample: ClassVar[bool] = True

    @property
    def measures(self) -> str:
        """Label of an axis."""
        return "I(X; T)"

    @property
    def numbers(self) -> tuple[str, ...]:
        """Variables that ``entries`` fills."""
        return ("i_xt", "i_ty")

    def __init_subclass__(cls, *, named: bool = True, **options: Any) -> None:
        """Give the class its place among the names; a name of the book's rulers is taken.

        ``named=False`` and a leading underscore are for what no result names.
        """
        super().__init_subclass__(**options)
        # The repr of a dataclass begins with it, and a name knows no function around a class.
        cls.__qualname__ = cls.__name__
        known = REGISTRY.get(cls.__name__)
        if known and known.__module__.startswith("ibcore.") and known.__module__ != cls.__module__:
            raise ValueError(
                f"{cls.__name__} is a ruler of ibcore; give the one in {cls.__module__} another "
                "name, as results know rulers by name."
            )
        if named and not cls.__name__.startswith("_"):
            REGISTRY[cls.__name__] = cls

    def __call__(self, t: ArrayLike, y: ArrayLike) -> LayerInformation:
        """I(X;T) and I(T;Y) in bits, of t (sample, unit) and y (sample,)."""
        raise ValueError(
            f"{type(self).__name__} does not say how to measure: write __call__(t, y)."
        )

    def parts(self) -> tuple[Ruler, ...]:
        """The ruler and the rulers among its settings: whose code makes its numbers."""
        return (self,)

    def levels(self) -> tuple[Ruler, ...]:
        """Its entries in a result: itself, or one ruler for each noise level."""
        return (self,)

    def prepare(self, run: Run) -> Ruler:
        """The ruler for one network, with what depends on its whole training fixed."""
        return self

    @classmethod
    def together(cls, rulers: Sequence[Self]) -> list[Self]:
        """Rulers of this class put together where one pass serves several."""
        return list(rulers)

    def layers(self, view: View) -> Sequence[np.ndarray]:
        """What it looks at, one array for each layer: by default the activations."""
        return view.layers

    def rows(self, view: View) -> slice | NDArray[np.int32]:
        """Which of the measured rows it looks at: by default all."""
        return slice(None)

    def entries(self, t: np.ndarray, y: np.ndarray) -> NDArray[np.float64]:
        """(level, number): for each of ``levels()`` what ``numbers`` names."""
        return np.array([self(t, y)], dtype=np.float64)


def checked_rulers(rulers: Iterable[Ruler]) -> list[Ruler]:
    """Rulers with several noise levels spelt out, each once; anything else is refused."""
    try:
        given = iter(rulers)
    except Exception:  # one ruler, a number, an array without axes, foreign objects
        raise ValueError(
            f"estimators must be a list of rulers, got {shown(rulers)}; write [ib.Exact()]."
        ) from None
    single: dict[str, Ruler] = {}
    for ruler in given:
        if not isinstance(ruler, Ruler):
            raise ValueError(
                f"an estimator must be a ruler of ibcore or a dataclass that inherits ib.Ruler, "
                f"got {shown(ruler)}."
            )
        single |= {_name(one): one for one in ruler.levels()}
    if not single:
        raise ValueError("give at least one estimator, for example ib.Binning(width=0.07).")
    return list(single.values())


def _name(ruler: Ruler) -> str:
    """What a result calls a ruler: its class and settings, no address and no other class."""
    name, kind = repr(ruler), type(ruler).__name__
    if not is_dataclass(ruler) or not name.startswith(f"{kind}("):
        raise ValueError(
            f"the name of a ruler is its repr, {kind}(setting=value, …), got {shown(name)}; write "
            f"@dataclass(frozen=True) above the class {kind}."
        )
    return name


def passes(rulers: Sequence[Ruler]) -> list[tuple[Ruler, list[int]]]:
    """Rulers of single levels put together for measuring, each with the places of its entries."""
    kinds: dict[type[Ruler], list[int]] = {}
    for place, one in enumerate(rulers):
        kinds.setdefault(type(one), []).append(place)
    found = []
    for kind, places in kinds.items():
        left: dict[str, list[int]] = {}  # prepared rulers may agree: each has its own place
        for place in places:
            left.setdefault(repr(rulers[place]), []).append(place)
        for ruler in kind.together([rulers[place] for place in places]):
            found.append((ruler, [left[repr(level)].pop(0) for level in ruler.levels()]))
    return found


def from_name(name: str) -> Ruler:
    """The ruler that a result names, such as ``"Binning(width=0.07)"``.

    The name is read, never run: a known class, with literals or other rulers as settings.

    Raises
    ------
    ValueError
        For anything else, with the names there are.
    """
    if not isinstance(name, str) or len(name) > LONGEST_NAME:
        raise ValueError(f"no estimator has the name {shown(name)}.")
    try:
        return _built(ast.parse(name.strip(), mode="eval").body)
    except Exception as error:  # whatever the parser, or the class of a user, has against it
        reason = str(error) or type(error).__name__
        raise ValueError(
            f"{shown(name, 200)} names no estimator ({reason}); there are "
            f"{', '.join(sorted(REGISTRY))}."
        ) from error


def _built(node: ast.expr) -> Ruler:
    """Build the ruler of one call in the syntax tree of a name."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise ValueError("a name is Class(setting=value, …)")
    if node.func.id not in REGISTRY:
        raise ValueError(f"no class {node.func.id}")
    settings = {one.arg: _setting(one.value) for one in node.keywords if one.arg is not None}
    if len(settings) < len(node.keywords):
        raise ValueError("settings are written one by one")
    return REGISTRY[node.func.id](*map(_setting, node.args), **settings)


def _setting(node: ast.expr) -> Any:
    return _built(node) if isinstance(node, ast.Call) else ast.literal_eval(node)


def whole_number(name: str, value: object, least: int, most: int | None = None) -> int:
    """A setting that counts something, as an int of at least ``least``."""
    number = None
    if isinstance(value, Integral) and not isinstance(value, bool | np.timedelta64):
        number = int(value)
    if number is None or number < least:
        raise ValueError(f"{name} must be an integer of at least {least}, got {shown(value)}.")
    if most is not None and number > most:
        raise ValueError(f"{name} must be at most {grouped(most)}, got {shown(value)}.")
    return number


def positive_number(name: str, value: object, hint: str = "") -> float:
    """A setting that measures something, as a positive finite float."""
    number = real_number(name, value)
    if not number > 0:
        raise ValueError(f"{name} must be positive{hint}, got {shown(value)}.")
    return number


def real_number(name: str, value: object) -> float:
    """A setting as a finite float; neither text nor a truth value nor a duration is one."""
    if isinstance(value, int | float | np.integer | np.floating) and not isinstance(
        value, bool | np.timedelta64
    ):
        try:
            number = float(value)
        except OverflowError:
            number = np.inf
        if np.isfinite(number):
            return number
    raise ValueError(f"{name} must be a finite number, got {shown(value)}.")


def truth_value(name: str, value: object) -> None:
    """Refuse a switch that is neither on nor off."""
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be True or False, got {shown(value)}.")


def choice(name: str, value: object, options: Sequence[str], besides: str = "") -> str:
    """A setting that is one of a few words, as plain text."""
    if not isinstance(value, str) or value not in options:
        raise ValueError(
            f"{name} must be {besides}one of {', '.join(options)}; got {shown(value)}."
        )
    return str(value)
