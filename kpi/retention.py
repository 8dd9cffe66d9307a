"""Retention: customers active at the start and at the end of the period, and those who are new in it."""

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from kpi import facts, spans
from kpi.ask import Ask, Counted
from kpi.customers import CustomerRows, Wanted, last_days, lives
from kpi.period import Period
from kpi.populations import SALES_OF_CUSTOMERS
from kpi.rows import Rows
from kpi.spans import how_many


def count(connection: Connection, ask: Ask) -> Counted:
    """Cells of `at_start` (active at the end of the day before), `at_end` (active at the end of the last day), `kept`
    (both), `new` (first bought or signed in the period), `won_back` (active at the end, neither at the start nor new),
    `by_contract` and `by_purchase` (how those active at either end were judged)."""
    wanted = Wanted()

    def select_from(asked: Sequence[Period]) -> Rows:
        nonlocal wanted
        wanted = Wanted(last_days(asked))
        return CustomerRows(ask.workspace_id, lives(ask, wanted))

    def columns(rows: Rows, window: Period) -> spans.Columns:
        at_start = wanted.active(rows.table, window.start - timedelta(days=1))
        at_end = wanted.active(rows.table, window.last_day)
        new = sa.and_(rows.c.first_day >= window.start, rows.c.first_day < window.end)
        by_contract = rows.c.by_contract == 1
        return {
            "at_start": how_many(at_start),
            "at_end": how_many(at_end),
            "kept": how_many(sa.and_(at_start, at_end)),
            "new": how_many(new),
            "won_back": how_many(sa.and_(at_end, sa.not_(at_start), sa.not_(new))),
            "by_contract": how_many(sa.and_(sa.or_(at_start, at_end), by_contract)),
            "by_purchase": how_many(sa.and_(sa.or_(at_start, at_end), sa.not_(by_contract))),
        }

    counted = spans.count(connection, ask, select_from, columns)
    counted.left_out = facts.left_out(connection, ask, SALES_OF_CUSTOMERS)
    return counted
