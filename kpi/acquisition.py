"""Acquisition: the spend that falls on the days of a period, and the customers who are new in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from kpi import customers, facts, populations, spans, spend
from kpi.ask import Ask, Counted
from kpi.buckets import lives
from kpi.buckets.cells import Form
from kpi.buckets.lives import Lives
from kpi.buckets.lookup import Found
from kpi.buckets.routes import Why
from kpi.customers import CustomerRows, Wanted
from kpi.formulas import Cell
from kpi.period import Period
from kpi.reasons import Reason
from kpi.rows import Rows
from kpi.spans import how_many
from kpi.spend import Spend, Spent
from storage.database import Part, Tongue, run, tongue


def count(connection: Connection, ask: Ask) -> Counted:
    """Cells of `spend` (minor units) and `new` (customers whose first sale or contract is in the period)."""
    table = customers.lives(ask, Wanted())
    found = spans.count(connection, ask, lambda _: CustomerRows(ask.workspace_id, table), _new)
    found.left_out = facts.left_out(connection, ask, populations.SALES_OF_CUSTOMERS)
    parts = {"spend": spend.part(tongue(connection))}
    rows = run(connection, parts, {"spend": spend.values(ask)})["spend"]
    return both(ask, found, spend.rows_of(ask, rows))


@dataclass(slots=True)
class Acquired:
    """The lookup of new customers; the spend is read as it is."""

    customers: Lives

    def parts(self, spoken: Tongue) -> Mapping[str, Part | Form]:
        return {**self.customers.parts(spoken), "spend": spend.part(spoken)}

    def values(self) -> Mapping[str, Mapping[str, Any]]:
        return {**self.customers.values(), "spend": spend.values(self.customers.levels.ask)}

    def counted(self, ask: Ask, found: Found) -> Counted | Why:
        counted = self.customers.counted(ask, found)
        return counted if isinstance(counted, Why) else both(ask, counted, spend.rows_of(ask, found["spend"]))


def lookup(ask: Ask) -> Acquired | Why:
    """How new customers are looked up, or why they cannot be."""
    found = lives.new_customers(ask)
    return found if isinstance(found, Why) else Acquired(found)


def both(ask: Ask, found: Counted, rows: Sequence[Spend]) -> Counted:
    """The new customers that were counted, and what was spent meanwhile."""
    now = spend.spent(rows, ask.query.period)
    before = {} if ask.before is None else spend.spent(rows, ask.before)
    grouped = ask.query.group_by is not None
    left_out = dict(found.left_out)
    for reason in (Reason.DELETED, Reason.UNCONVERTED):
        left_out[reason] = left_out.get(reason, 0) + spend.whole(now, reason)
    return Counted(
        now=_cell(spend.whole(now), found.now),
        before=None if found.before is None else _cell(spend.whole(before), found.before),
        groups=_groups(now, found.groups) if grouped else {},
        groups_before=_groups(before, found.groups_before) if grouped else {},
        names={**found.names, **{key: key for key in now if key is not None}} if grouped else {},
        series={
            bucket.start: _cell(spend.whole(spend.spent(rows, bucket)), found.series[bucket.start])
            for bucket in ask.buckets
        },
        left_out=left_out,
        first_day=found.first_day,
        cells=found.cells,
    )


def _groups(spent: Spent, found: Mapping[str | None, Cell]) -> dict[str | None, Cell]:
    return {key: _cell(spent[key]["spend"] if key in spent else 0, found.get(key)) for key in {**spent, **found}}


def _cell(spent: int, found: Cell | None) -> Cell:
    return {"spend": spent, "new": 0 if found is None else found["new"]}


def _new(rows: Rows, window: Period) -> spans.Columns:
    return {"new": how_many(sa.and_(rows.c.first_day >= window.start, rows.c.first_day < window.end))}
