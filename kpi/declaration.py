"""What one KPI declares of itself: its words, readings, unit, direction, dimensions and target.

Texts are English message ids: bot translates them with gettext (`_` marks them for extraction).
"""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from kpi.formulas import Formula
from kpi.query import Unit

DEAL = ("rep", "team", "customer", "segment", "source", "product", "pipeline", "region")
"""The dimensions of a deal."""


def _(message: str) -> str:
    """Marks an English text for the gettext catalogs; bot translates it."""
    return message


class Window(StrEnum):
    """The days that digests, targets and rules look at, and that a question without a period means."""

    MONTH_TO_DATE = "month_to_date"
    LAST_28_DAYS = "last_28_days"
    """The 28 days that ended yesterday."""
    MATURED_28_DAYS = "matured_28_days"
    """The 28 days that ended one 90th-percentile conversion time ago."""
    TWELVE_MONTHS = "twelve_months"
    """The 12 months that ended yesterday."""
    TODAY = "today"


@dataclass(frozen=True, slots=True)
class Words:
    """What people call it, lower case; accents and case are folded by `kpi.words`."""

    en: tuple[str, ...] = ()
    fr: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """One named way of counting a KPI."""

    key: str
    name: str
    description: str
    unit: Unit
    formula: Formula
    numerator: str
    """What the numerator counts ("deals won"), or what is summed."""
    denominator: str | None = None
    """None when the value is a plain count or sum."""
    words: Words = field(default_factory=Words)
    beside: tuple[str, ...] = ()
    """Readings always shown next to this one."""


@dataclass(frozen=True, slots=True)
class Target:
    """The recommended value, in the reading's unit: at least `low`; between the two where `high` is given."""

    reading: str
    low: Decimal
    high: Decimal | None = None
    segment: str | None = None
    """The segment it holds for; None = everyone."""


@dataclass(frozen=True, slots=True)
class Kpi:
    metric: str
    name: str
    description: str
    readings: tuple[Reading, ...]
    asked: str
    """The reading that answers a person's question."""
    judged: str
    """The reading that digests, targets, rules and leaderboards use."""
    dimensions: tuple[str, ...]
    words: Words
    higher_is_better: bool | None = True
    """None = neither is better."""
    recommended: tuple[Target, ...] = ()
    asked_window: Window = Window.MONTH_TO_DATE
    judged_window: Window = Window.LAST_28_DAYS

    def reading(self, key: str) -> Reading:
        """The reading of that name; raises `KeyError` when this KPI has none."""
        for reading in self.readings:
            if reading.key == key:
                return reading
        raise KeyError(key)

    def advised(self, reading: str, segment: str | None) -> Target | None:
        """The recommended target of a reading, for one segment or (None) for everyone."""
        fitting = (each for each in self.recommended if each.reading == reading and each.segment in {None, segment})
        return next(fitting, None)
