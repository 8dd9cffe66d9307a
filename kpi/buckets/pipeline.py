"""The open pipeline looked up: what was open at the end of days, as `kpi.stock` counts it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from kpi.ask import Ask, Counted
from kpi.buckets import firsts
from kpi.buckets.additive import points_of
from kpi.buckets.cells import Form
from kpi.buckets.levels import Levels, Line, added_up
from kpi.buckets.lookup import Found
from kpi.buckets.routes import Why, route
from kpi.buckets.tables import DEAL
from kpi.formulas import Stock
from kpi.period import Period
from kpi.reasons import Reason
from storage.database import Part, Tongue

_COLUMNS = ("open_amount", "open_count", "open_first_seen", "open_deleted")
_OF_AMOUNTS = (
    "open_amount",
    "open_count",
    "open_amount_first_seen",
    "open_deleted",
    "open_no_amount",
    "open_unconverted",
)
_LEFT_OUT = (Reason.DELETED, Reason.NO_CREATION_DATE, Reason.NO_AMOUNT, Reason.UNCONVERTED)


@dataclass(slots=True)
class Pipeline:
    levels: Levels

    def parts(self, spoken: Tongue) -> Mapping[str, Part | Form]:
        return {**self.levels.parts(spoken), **firsts.CUSTOMERS.parts(spoken)}

    def values(self) -> Mapping[str, Mapping[str, Any]]:
        return {**self.levels.values(), **firsts.CUSTOMERS.values(self.levels.ask.workspace_id)}

    def counted(self, ask: Ask, found: Found) -> Counted | Why:
        if found.get("elsewhere"):
            return Why.ELSEWHERE
        read = self.levels.read(found)
        today, before = ask.query.today, ask.before
        groups = {key: _cell(line, ask.query.period, today) for key, line in read.groups.items()}
        groups_before = {} if before is None else {key: _cell(line, before, today) for key, line in read.groups.items()}
        grouped, names = ask.query.group_by is not None, self._names()
        now = added_up(groups.values(), names)
        first_day, _ = firsts.CUSTOMERS.found(found)
        return Counted(
            now=now,
            before=None if before is None else added_up(groups_before.values(), names),
            groups=groups if grouped else {},
            groups_before=groups_before if grouped else {},
            names=read.names,
            series={bucket.start: _cell(read.whole, bucket, today) for bucket in ask.buckets},
            left_out={reason: now[reason] for reason in _LEFT_OUT if reason in now},
            first_day=first_day,
            cells=read.cells,
        )

    def _names(self) -> tuple[str, ...]:
        """Of a cell."""
        told = _LEFT_OUT if self.levels.columns == _OF_AMOUNTS else _LEFT_OUT[:2]
        return ("amount", "count", "first_seen", *told)


def _cell(line: Line, window: Period, today: date) -> dict[str, int]:
    """Of what is open at the end of the window's last day (of today, if that is later than today)."""
    there, undated, in_the_past = line.before[_end(window, today)], line.undated, window.end <= today
    # Without a day of creation, what is open is so today, and left out of the past for that reason.
    now = (0,) * len(undated) if in_the_past else undated
    amount, count, first_seen, _, *others = (each + more for each, more in zip(there, now, strict=True))
    return {
        "amount": amount,
        "count": count,
        "first_seen": first_seen,
        Reason.DELETED: there[3] + undated[3],
        Reason.NO_CREATION_DATE: undated[1] if in_the_past else 0,
        **dict(zip(_LEFT_OUT[2:], others, strict=False)),
    }


def _end(window: Period, today: date) -> date:
    return min(window.end, today + timedelta(days=1))


def lookup(ask: Ask, formula: Stock) -> Pipeline | Why:
    """How a stock is looked up, or why it cannot be."""
    query = ask.query
    way = route(DEAL, ask, query.group_by)
    if isinstance(way, Why):
        return way
    windows = [query.period, *([] if ask.before is None else [ask.before])]
    totals = sorted({_end(window, query.today) for window in windows})
    points = {_end(point, query.today) for point in points_of(ask)}
    columns = _OF_AMOUNTS if formula.key == "amount" else _COLUMNS
    return Pipeline(Levels("deal", columns, way, ask, tuple(sorted(points)), tuple(totals), undated=True))
