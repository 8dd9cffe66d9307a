"""Periods: half-open ranges of local calendar days, with the words a person used for them."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Grain(StrEnum):
    DAY = "day"
    WEEK = "week"
    """ISO weeks."""
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class Period:
    """Days from `start` (included) to `end` (excluded).

    `unit` is the calendar unit when the period is one (so that its label can say "T4 2017"), else None.
    """

    start: date
    end: date
    unit: Grain | None = None
