"""Lifetime value at the end of a period, from the sales and the strict retention of the 12 months before it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy import Connection

from kpi import facts, spans
from kpi.ask import Ask, Counted
from kpi.customers import CustomerRows, Wanted, last_days, lives
from kpi.period import Grain, Period, rolling
from kpi.populations import SALES_OF_CUSTOMERS
from kpi.rows import Rows
from kpi.spans import how_many
from storage.database import days_between


def year_to(window: Period) -> Period:
    """The 12 months that end with the window."""
    return rolling(Grain.YEAR, 1, window.end)


def count(connection: Connection, ask: Ask) -> Counted:
    """Cells of `amount`, `with_amount`, `sales`, `unconverted` (sales whose amount has no value) and `buyers` of the 12
    months; `at_start`, `kept`, `at_end` (see `kpi.retention`) and `tenure_days` (days since the first sale of those
    active at the end)."""
    wanted = Wanted()

    def select_from(asked: Sequence[Period]) -> Rows:
        nonlocal wanted
        years = tuple(dict.fromkeys(year_to(window) for window in asked))
        wanted = Wanted(last_days(years), years)
        return CustomerRows(ask.workspace_id, lives(ask, wanted))

    def columns(rows: Rows, window: Period) -> spans.Columns:
        year = year_to(window)
        at = wanted.windows.index(year)
        at_start = wanted.active(rows.table, year.start - timedelta(days=1))
        at_end = wanted.active(rows.table, year.last_day)
        tenure = days_between(rows.c.first_day, sa.literal(window.end, sa.Date))
        return {
            "amount": sa.func.sum(rows.c[f"amount_{at}"]),
            "with_amount": sa.func.sum(rows.c[f"with_amount_{at}"]),
            "sales": sa.func.sum(rows.c[f"sales_{at}"]),
            "unconverted": sa.func.sum(rows.c[f"unconverted_{at}"]),
            "buyers": how_many(rows.c[f"sales_{at}"] > 0),
            "at_start": how_many(at_start),
            "kept": how_many(sa.and_(at_start, at_end)),
            "at_end": how_many(at_end),
            "tenure_days": sa.func.sum(sa.case((at_end, tenure), else_=0)),
        }

    counted = spans.count(connection, ask, select_from, columns)
    year = replace(ask, query=replace(ask.query, period=year_to(ask.query.period)))
    counted.left_out = facts.left_out(connection, year, SALES_OF_CUSTOMERS)
    return counted
