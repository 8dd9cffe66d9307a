"""The open pipeline: what is open at the end of a day.

A deal was open at the end of a day when it had been created by then and was not closed yet. One that is still open and
has no creation date counts today, and is left out of the past.
"""

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from kpi import spans
from kpi.ask import Ask, Counted
from kpi.formulas import Stock
from kpi.period import Period
from kpi.populations import is_unconverted
from kpi.reasons import Reason
from kpi.rows import Condition, Rows
from kpi.spans import how_many

_TOLD = {
    "amount": (Reason.DELETED, Reason.NO_CREATION_DATE, Reason.NO_AMOUNT, Reason.UNCONVERTED),
    "count": (Reason.DELETED, Reason.NO_CREATION_DATE),
}


def is_open_at(ask: Ask, rows: Rows, window: Period) -> Condition:
    """Open at the end of the window's last day (of today, if that is later than today)."""
    end = min(window.end, ask.query.today + timedelta(days=1))
    waiting, closed_later = rows.c.status == "open", sa.and_(rows.c.status != "open", rows.c.closed_on >= end)
    undated = rows.c.created_on.is_(None)
    created = sa.func.coalesce(rows.c.created_on < end, sa.false())
    return sa.or_(sa.and_(waiting, sa.or_(created, undated)), sa.and_(closed_later, created))


def reason(ask: Ask, rows: Rows, window: Period, formula: Stock) -> sa.ColumnElement[str | None]:
    """The reason for which an open deal is left out, or null."""
    in_the_past = window.end <= ask.query.today
    tests = {
        Reason.DELETED: rows.c.deleted_at.is_not(None),
        Reason.NO_CREATION_DATE: sa.and_(rows.c.created_on.is_(None), sa.true() if in_the_past else sa.false()),
        Reason.NO_AMOUNT: rows.c.amount_minor.is_(None),
        Reason.UNCONVERTED: is_unconverted(rows),
    }
    return sa.case(*((tests[each], sa.literal(str(each))) for each in _TOLD[formula.key]), else_=sa.null())


def count(connection: Connection, ask: Ask, formula: Stock) -> Counted:
    """Cells of `amount` (minor units) and `count` of the deals open at the end of each window, and of those that the
    formula counts `first_seen`: created, for all that is known, on the day they were first seen."""

    def columns(rows: Rows, window: Period) -> spans.Columns:
        is_open = is_open_at(ask, rows, window)
        why = reason(ask, rows, window, formula)
        valued = sa.and_(is_open, reason(ask, rows, window, Stock("amount")).is_(None))
        counted = sa.and_(is_open, reason(ask, rows, window, Stock("count")).is_(None))
        told = {str(each): how_many(sa.and_(is_open, why == str(each))) for each in _TOLD[formula.key]}
        return {
            "amount": sa.func.sum(sa.case((valued, rows.c.value_minor), else_=0)),
            "count": how_many(counted),
            "first_seen": how_many(sa.and_(is_open, why.is_(None), rows.c.created_seen)),
            **told,
        }

    counted = spans.count(connection, ask, lambda _: ask.rows("deal"), columns)
    counted.left_out = {each: counted.now[each] for each in _TOLD[formula.key]}
    return counted
