"""Spend, and what of it falls on the days of a period.

Day k of an n-day spend of A gets floor(kA/n) - floor((k-1)A/n) minor units, so the days of a spend add up to it. A
company has few such rows: they are read as they are, and shared out here.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from kpi.ask import Ask
from kpi.period import Period
from kpi.reasons import Reason
from storage.database import Part, Tongue, parameter, spell
from storage.schema import spend

_WORKSPACE = parameter("workspace", sa.Text)

Spent = Mapping[str | None, Mapping[str, int]]
"""By source: `spend` (minor units), and how many rows were left out, by reason."""


@dataclass(frozen=True, slots=True)
class Spend:
    """`value`: minor units of the workspace's currency; None where no rate is known."""

    origin: str | None
    starts_on: date
    ends_on: date
    """The last day."""
    value: int | None
    deleted: bool


@lru_cache(maxsize=4)
def part(spoken: Tongue) -> Part:
    """The rows that fall on any day of a stretch of days."""
    columns = (spend.c.origin, spend.c.starts_on, spend.c.ends_on, spend.c.value_minor)
    rows = sa.select(*columns, spend.c.deleted_at.is_not(None).label("deleted")).where(
        spend.c.workspace_id == _WORKSPACE,
        spend.c.starts_on < parameter("end", sa.Date),
        spend.c.ends_on >= parameter("start", sa.Date),
    )
    return spell(spoken, rows)


def values(ask: Ask) -> dict[str, Any]:
    """The parameters of the part: a stretch of days that all windows lie in."""
    windows = windows_of(ask)
    start, end = min(window.start for window in windows), max(window.end for window in windows)
    return {"workspace": ask.workspace_id, "start": start, "end": end}


def windows_of(ask: Ask) -> list[Period]:
    return [ask.query.period, *([] if ask.before is None else [ask.before])]


def rows_of(ask: Ask, found: Iterable[Sequence[Any]]) -> list[Spend]:
    """Of the rows that were read, those that the question is narrowed to."""
    rows = [Spend(*row) for row in found]
    return [row for row in rows if all(row.origin in each.keys for each in ask.narrowings)]


def spent(rows: Iterable[Spend], window: Period) -> dict[str | None, dict[str, int]]:
    """What falls on the days of a window, by source."""
    found: dict[str | None, dict[str, int]] = {}
    for row in rows:
        if row.starts_on >= window.end or row.ends_on < window.start:
            continue
        cell = found.setdefault(row.origin, {"spend": 0, Reason.DELETED: 0, Reason.UNCONVERTED: 0})
        if row.deleted:
            cell[Reason.DELETED] += 1
        elif row.value is None:
            cell[Reason.UNCONVERTED] += 1
        else:
            cell["spend"] += share(row, row.value, window)
    return found


def share(row: Spend, value: int, window: Period) -> int:
    """What of a spend falls on the days of the window."""
    days = (row.ends_on - row.starts_on).days + 1
    until = min((window.end - row.starts_on).days, days)
    since = max((window.start - row.starts_on).days, 0)
    return until * value // days - since * value // days


def whole(by_source: Spent, name: str = "spend") -> int:
    """Of all sources together."""
    return sum(cell[name] for cell in by_source.values())
