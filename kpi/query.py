"""The question and the answer: everything that asks for a number builds a `KpiQuery` and gets a `KpiResult`.

Values are exact fractions: percent points for rates (40 means 40 %), minor units for money, days, or counts. `None` is
"no data", never 0. Periods are half-open ranges of local calendar days. Names in a result are foreign text: whoever
shows them escapes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from kpi.period import Grain, Period
from kpi.scope import Scope


class Unit(StrEnum):
    PERCENT = "percent"
    MONEY = "money"
    DAYS = "days"
    COUNT = "count"


class Comparison(StrEnum):
    """What the value is compared with."""

    PREVIOUS = "previous"
    LAST_YEAR = "last_year"


DIMENSIONS = ("rep", "team", "customer", "segment", "source", "product", "pipeline", "region", "stage")
"""Every dimension by which a number can be grouped or filtered; not every KPI has every one."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Only the rows whose `dimension` is `key`: a row id for rep, team, customer, product, pipeline and stage, the text
    itself for segment, source and region; `None` = "(none)". `name` is what the person calls it."""

    dimension: str
    key: str | None
    name: str


@dataclass(frozen=True, slots=True)
class KpiQuery:
    metric: str
    reading: str
    period: Period
    scope: Scope
    today: date
    """The local day on which the question is asked; moves the calendar, hides no rows."""
    comparison: Comparison | None = Comparison.PREVIOUS
    group_by: str | None = None
    grain: Grain | None = None
    """A series by this grain, or none."""
    filters: tuple[Filter, ...] = ()
    as_known: datetime | None = None
    """Answered as the data was known at this moment (aware, in the zone to show it in): what was learned later is
    hidden. None = all that is known."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A value with what it was made of."""

    value: Fraction | None
    numerator: Fraction | None
    denominator: Fraction | None
    interval: tuple[float, float] | None = None
    """Wilson 95 % interval in percent points; None where it does not apply."""
    few: bool = False
    """Fewer than 12 in the denominator of a rate."""


@dataclass(frozen=True, slots=True)
class Group:
    key: str | None
    name: str | None
    """None = "(none)"."""
    measured: Measured
    previous: Measured | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One bucket of a series; `complete` is false when the bucket is not over, or cut by the period."""

    start: date
    end: date
    complete: bool
    measured: Measured


@dataclass(frozen=True, slots=True)
class LeftOut:
    reason: str
    """A stable code, see `kpi.reasons`."""
    count: int


@dataclass(frozen=True, slots=True)
class Note:
    """Something the reader must know; a stable code of `kpi.reasons` and the values its sentence needs."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Beside:
    """Another reading of the same KPI for the same question, shown next to the value."""

    reading: str
    unit: Unit
    measured: Measured


@dataclass(frozen=True, slots=True)
class Previous:
    period: Period
    comparison: Comparison
    measured: Measured


@dataclass(frozen=True, slots=True)
class KpiResult:
    query: KpiQuery
    unit: Unit
    currency: str
    """ISO 4217 code; meaningful for money."""
    measured: Measured
    previous: Previous | None = None
    groups: tuple[Group, ...] = ()
    series: tuple[Point, ...] = ()
    window: int | None = None
    """Days that each point of the series looks back on, where they overlap; None = a point is its bucket."""
    beside: tuple[Beside, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[Note, ...] = ()
    target: Decimal | None = None
    as_of: datetime | None = None
    """When the data was last known to be complete; None = never synced."""
