"""Shapes: which keys the cells of a bucket table keep; and the codes of the stretches of days that are added up.

A bucket is written as the letter of its grain and its first day: `d2026-11-23`, `w2026-11-23` (a Monday),
`m2026-11-01`, `y2026-01-01`; `u` stands for rows without a day on the axis.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from kpi.period import Grain, first_of

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
    weeks: bool = True
    """Whether there are cells of weeks; else a week is seven days."""

    @property
    def grains(self) -> tuple[Grain, ...]:
        """Of which there are cells."""
        return tuple(grain for grain in LETTERS if self.weeks or grain is not Grain.WEEK)

    @property
    def dimensions(self) -> frozenset[str]:
        kept = {"team": self.team, "rep": self.rep, self.other: self.other is not None}
        return frozenset(name for name, keeps in kept.items() if keeps and name is not None)


def _of(*others: str, weeks: bool = True) -> tuple[Shape, ...]:
    alone = tuple(Shape(other, other=other, stock_only=other == "stage", weeks=weeks) for other in others)
    # Two dimensions have the most cells: a week of them is added up from its days.
    by_team = tuple(replace(each, name=f"team_{each.name}", team=True, weeks=False) for each in alone)
    # By rep means by rep within each of their teams: a rep who moved is two cells.
    whole = (Shape("all", weeks=weeks), Shape("team", team=True, weeks=weeks))
    return (*whole, Shape("rep", team=True, rep=True, weeks=weeks), *alone, *by_team)


DEALS = _of("segment", "source", "product", "pipeline", "stage")
LEADS = _of("segment", "source")
CUSTOMERS = _of("segment", "source", weeks=False)
CONVERSION = "conversion"
"""The shape of the leads' histogram: how many converted in so many days (`other`), in the bucket `ALWAYS`."""


def shape_for(shapes: tuple[Shape, ...], dimensions: frozenset[str]) -> Shape | None:
    """The smallest shape that keeps all of these dimensions, or None: `{"rep"}` is answered by team and rep."""
    fitting = [shape for shape in shapes if dimensions <= shape.dimensions]
    return min(fitting, key=lambda shape: len(shape.dimensions), default=None)


def code(grain: Grain, day: date) -> str:
    """The code of the bucket of a grain in which a day lies. Raises `KeyError` for a grain that is not stored."""
    return LETTERS[grain] + first_of(grain, day).isoformat()
