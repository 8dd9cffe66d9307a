"""Shapes: which keys the cells of a bucket table keep; and the codes of the stretches of days that are added up.

A bucket is written as the letter of its grain and its first day: `d2026-11-23`, `w2026-11-23` (a Monday),
`m2026-11-01`, `y2026-01-01`; `u` stands for rows without a day on the axis.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from kpi.period import Grain, containing

UNDATED = "u"
"""The bucket of rows without a day on the axis."""
ALWAYS = "a"
"""The bucket of what is not counted by day."""
NONE = ""
"""The key of "(none)", and of a key column that a shape does not use."""

LETTERS: Mapping[Grain, str] = {Grain.DAY: "d", Grain.WEEK: "w", Grain.MONTH: "m", Grain.YEAR: "y"}
"""The grains that are stored; a quarter is three months."""


@dataclass(frozen=True, slots=True)
class Shape:
    """The dimensions that cells keep. `other` is the one that is neither team nor rep."""

    name: str
    team: bool = False
    rep: bool = False
    other: str | None = None
    stock_only: bool = False
    """Only what is open is added up by this shape."""

    @property
    def dimensions(self) -> frozenset[str]:
        kept = {"team": self.team, "rep": self.rep, self.other: self.other is not None}
        return frozenset(name for name, keeps in kept.items() if keeps and name is not None)


def _of(*others: str) -> tuple[Shape, ...]:
    alone = tuple(Shape(other, other=other, stock_only=other == "stage") for other in others)
    by_team = tuple(Shape(f"team_{each.name}", True, other=each.other, stock_only=each.stock_only) for each in alone)
    # By rep means by rep within each of their teams: a rep who moved is two cells.
    return (Shape("all"), Shape("team", True), Shape("rep", True, True), *alone, *by_team)


DEALS = _of("segment", "source", "product", "pipeline", "stage")
LEADS = CUSTOMERS = _of("segment", "source")
CONVERSION = "conversion"
"""The shape of the leads' histogram: how many converted in so many days (`other`), in the bucket `ALWAYS`."""


def shape_for(shapes: tuple[Shape, ...], dimensions: frozenset[str]) -> Shape | None:
    """The smallest shape that keeps all of these dimensions, or None: `{"rep"}` is answered by team and rep."""
    fitting = [shape for shape in shapes if dimensions <= shape.dimensions]
    return min(fitting, key=lambda shape: len(shape.dimensions), default=None)


def code(grain: Grain, day: date) -> str:
    """The code of the bucket of a grain in which a day lies. Raises `KeyError` for a grain that is not stored."""
    return LETTERS[grain] + containing(grain, day).start.isoformat()


def codes(day: date | None) -> tuple[str, ...]:
    """The codes of every bucket that a day is added to."""
    return (UNDATED,) if day is None else tuple(code(grain, day) for grain in LETTERS)
