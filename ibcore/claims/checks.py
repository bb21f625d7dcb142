"""What is asked of a claim: its tests, each with a line, a margin, a size and a quantifier."""

from dataclasses import dataclass

from ibcore.claims.cells import Cell

QUANTIFIERS = ("some", "typical", "all")
SIZES = ("as claimed", "smaller", "larger", "open", "no number given")
DIRECTIONS = ("agrees", "opposite", "none found", "open")
EXPECTS = ("effect", "absence", "identity")
OTHER = {">": "<", "<": ">"}

MARGINS = {
    "bits": 0.05,
    "accuracy": 0.005,
    "share of networks": 0.05,
    "rank correlation": 0.1,
    "correlation": 0.1,
    "decades": 0.1,
}
"""What counts as nothing, where a test does not say: unit -> half-width around the null value."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """The number that an effect is held against.

    ``source`` is the place it stands at in the source; "" for a smallest effect of interest, which
    is ours. A source's number is a range, from ``low`` to ``high``.
    """

    low: float
    high: float
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Check:
    """What is asked of every cell. The first test of a claim is its primary one.

    Attributes
    ----------
    name, what, unit : str
        Short name, the quantity in words, its unit.
    cells : tuple of Cell
    expects : str
        "effect", "absence" or "identity".
    side : str
        The claimed side of ``null``.
    null : float
        The value without an effect.
    margin : float or None
        Half-width of what counts as nothing.
    size : Size or None
    quantifier : str
        "some": one cell is enough; "typical": at least half of them; "all": none that contradicts,
        and more than half that agree.
    primary : str
        Label of the cell whose numbers stand for the test; "" for the best cell of "some" and for
        the middle one (the median over cells, network by network) of the others.
    counts : bool
        False: shown, and nothing more.
    units : str
        What answers: "networks", or "settings" where each stands for several.
    """

    name: str
    what: str
    unit: str
    cells: tuple[Cell, ...]
    expects: str = "effect"
    side: str = ">"
    null: float = 0.0
    margin: float | None = None
    size: Size | None = None
    quantifier: str = "typical"
    primary: str = ""
    counts: bool = True
    units: str = "networks"

    def __post_init__(self) -> None:
        """Refuse what no test can be."""
        for value, known in (
            (self.expects, EXPECTS), (self.side, tuple(OTHER)), (self.quantifier, QUANTIFIERS)
        ):  # fmt: skip
            if value not in known:
                raise ValueError(f"{self.name}: {value!r} must be one of {', '.join(known)}.")
        labels = [cell.label for cell in self.cells]
        if len(set(labels)) < len(labels) or not labels:
            raise ValueError(f"{self.name}: a test needs cells of different labels, got {labels}.")
        if self.primary and self.primary not in labels:
            raise ValueError(f"{self.name}: no cell is called {self.primary!r}, only {labels}.")
        if self.expects == "absence" and self.margin is None:
            raise ValueError(f"{self.name}: an absence needs a margin.")
