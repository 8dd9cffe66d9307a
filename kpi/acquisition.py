"""Acquisition: the spend that falls on the days of a period, and the customers who are new in it.

Day k of an n-day spend of A gets floor(kA/n) - floor((k-1)A/n) minor units, so the days of a spend add up to it.
"""

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from kpi import facts, populations, spans
from kpi.ask import Ask, Counted
from kpi.customers import CustomerRows, Wanted, lives
from kpi.period import Period
from kpi.reasons import Reason
from kpi.rows import Key, Rows
from kpi.spans import how_many
from storage.database import days_between
from storage.schema import spend


class SpendRows(Rows):
    """Spend; its only dimension is the source that it was spent on."""

    def __init__(self, ask: Ask) -> None:
        table = spend.alias("s")
        super().__init__(table, ask.workspace_id, table.c.starts_on)

    def key(self, dimension: str) -> Key:
        if dimension != "source":
            raise KeyError(dimension)
        return self.c.origin


def count(connection: Connection, ask: Ask) -> Counted:
    """Cells of `spend` (minor units) and `new` (customers whose first sale or contract is in the period)."""
    spent = spans.count(connection, ask, lambda _: SpendRows(ask), _spent)
    found = spans.count(connection, ask, lambda _: CustomerRows(ask.workspace_id, lives(ask, Wanted())), _new)
    left_out = facts.left_out(connection, ask, populations.SALES_OF_CUSTOMERS)
    for reason in (Reason.DELETED, Reason.UNCONVERTED):
        left_out[reason] = left_out.get(reason, 0) + spent.now[reason]
    return Counted(
        now=_both(spent.now, found.now),
        before=None if ask.before is None else _both(spent.before, found.before),
        groups={key: _both(spent.groups.get(key), found.groups.get(key)) for key in {**spent.groups, **found.groups}},
        groups_before={
            key: _both(spent.groups_before.get(key), found.groups_before.get(key))
            for key in {**spent.groups_before, **found.groups_before}
        },
        names=spent.names | found.names,
        series={start: _both(cell, found.series[start]) for start, cell in spent.series.items()},
        left_out=left_out,
    )


def _both(spent: spans.Cell | None, found: spans.Cell | None) -> dict[str, int]:
    return {"spend": (spent or {}).get("spend", 0), "new": (found or {}).get("new", 0)}


def _new(rows: Rows, window: Period) -> spans.Columns:
    return {"new": how_many(sa.and_(rows.c.first_day >= window.start, rows.c.first_day < window.end))}


def _spent(rows: Rows, window: Period) -> spans.Columns:
    falls_in = sa.and_(rows.c.starts_on < window.end, rows.c.ends_on >= window.start)
    gone, unconverted = rows.c.deleted_at.is_not(None), populations.is_unconverted(rows)
    counted = sa.and_(falls_in, sa.not_(gone), sa.not_(unconverted))
    return {
        "spend": sa.func.sum(sa.case((counted, _share(rows, window)), else_=0)),
        Reason.DELETED: how_many(sa.and_(falls_in, gone)),
        Reason.UNCONVERTED: how_many(sa.and_(falls_in, unconverted, sa.not_(gone))),
    }


def _share(rows: Rows, window: Period) -> ColumnElement[int]:
    """What of a spend falls on the days of the window."""
    days = days_between(rows.c.starts_on, rows.c.ends_on) + 1
    by_end = days_between(rows.c.starts_on, sa.literal(window.end, sa.Date))
    by_start = days_between(rows.c.starts_on, sa.literal(window.start, sa.Date))
    until = sa.case((by_end > days, days), else_=by_end)
    since = sa.case((by_start < 0, 0), else_=by_start)
    return _floor(until * rows.c.value_minor, days) - _floor(since * rows.c.value_minor, days)


def _floor(number: ColumnElement[int], by: ColumnElement[int]) -> ColumnElement[int]:
    """The floor of a division by a positive number; databases cut towards zero, which differs for a refund."""
    return sa.case((number >= 0, number // by), else_=-((by - 1 - number) // by))
