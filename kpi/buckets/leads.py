"""Tallies of leads, worked out from the facts, what they add to the buckets, and the leads that a change touches."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Select

from kpi.buckets import tally
from kpi.buckets.adding import IDENTITY, Cell, Part, moved
from kpi.buckets.adding import Row as Tallied
from kpi.buckets.shapes import ALWAYS, CONVERSION, NONE
from kpi.buckets.tables import HISTOGRAM, LEAD_KEYS, lead_tally
from kpi.populations import is_deleted
from kpi.rows import Given, LeadRows, Which
from storage.database import days_between
from storage.history import Change
from storage.rows import Row
from storage.schema import deal, lead

_KEYS = IDENTITY + len(LEAD_KEYS)
SAID = _KEYS + 3 + len(HISTOGRAM)
"""Columns before the numbers: identity, keys, two days, customer, how long conversions took."""


def computed(workspace_id: Given, which: Which | None = None) -> Select[Any]:
    """The rows of `lead_tally` as the facts have them, in the order of its columns."""
    rows = LeadRows(workspace_id, which)
    keys = [sa.func.coalesce(rows.key(key), NONE).label(key) for key in LEAD_KEYS]
    won_on = sa.case((rows.c.by_flag, sa.null()), else_=rows.c.won_on)
    told_on = sa.case((rows.c.converted.is_(sa.true()), rows.c.converted_on), else_=sa.null())
    days = _days(rows, won_on).label("days_to_win"), _days(rows, told_on).label("days_to_flag")
    columns = [each.each(rows).label(each.name) for each in tally.added("lead")]
    select = sa.select(
        rows.c.workspace_id, rows.c.id, *keys, rows.c.day, rows.c.won_on, rows.c.customer_id, *days, *columns
    )
    return select.select_from(rows.source).where(rows.mine())


def _days(rows: LeadRows, converted_on: ColumnElement[Any]) -> ColumnElement[int | None]:
    """How long the conversion took, as `kpi.judged` counts it; null where it does not."""
    counted = sa.and_(converted_on >= rows.c.day, sa.not_(is_deleted(rows)))
    return sa.case((counted, days_between(rows.c.day, converted_on)), else_=sa.null())


def parts(gone: Sequence[Tallied], come: Sequence[Tallied]) -> list[Part]:
    """What tallies that no longer hold, and those that hold now, add: by their day, and by conversion."""
    import numpy as np

    rows, numbers = moved(gone, come, SAID)
    keys = [row[IDENTITY:_KEYS] for row in rows]
    days, won_on = [row[_KEYS] for row in rows], [row[_KEYS + 1] for row in rows]
    by_day = np.array([each.axis == "day" for each in tally.added("lead")], dtype=bool)
    beside = np.zeros((len(rows), len(HISTOGRAM)), dtype=np.int64)
    return [
        Part(on, keys, np.hstack((np.where(mine, numbers, 0), beside)))
        for on, mine in ((days, by_day), (won_on, ~by_day))
    ]


def histogram(workspace_id: str, gone: Sequence[Tallied], come: Sequence[Tallied]) -> list[Cell]:
    """What these tallies add to the cells of the shape `shapes.CONVERSION`."""
    counts: defaultdict[int, list[int]] = defaultdict(lambda: [0] * len(HISTOGRAM))
    for sign, rows in ((-1, gone), (1, come)):
        for row in rows:
            for place, days in enumerate(row[SAID - len(HISTOGRAM) : SAID]):
                if days is not None:
                    counts[days][place] += sign
    nothing = [0] * len(tally.added("lead"))
    return [
        (workspace_id, CONVERSION, ALWAYS, NONE, NONE, str(days), *nothing, *added)
        for days, added in sorted(counts.items())
        if any(added)
    ]


def named(changes: Iterable[Change]) -> set[str]:
    """The leads that changes name: leads, and those that a deal links, or did, when its win changes."""
    found = set()
    for change in changes:
        if change.object == "lead":
            found.add(change.after["id"])
        elif change.object == "deal":
            before, after = _win(change.before), _win(change.after)
            if before != after:
                found |= {win[0] for win in (before, after) if win is not None}
    return found


def _win(row: Row | None) -> tuple[Any, ...] | None:
    """What a deal says of its lead; None where it says nothing."""
    if row is None or row["lead_id"] is None or row["status"] != "won" or row["deleted_at"] is not None:
        return None
    return row["lead_id"], row["closed_on"]


def of_customers(workspace_id: str, customers: Sequence[str]) -> Select[Any]:
    """The leads whose segment or source may be that of one of these customers."""
    mine = (lead_tally.c.workspace_id == workspace_id, lead_tally.c.customer_id.in_(customers))
    return sa.select(lead_tally.c.id).where(*mine)


def of_people(workspace_id: str, people: Sequence[str]) -> Select[Any]:
    """The leads in whose tally one of these people is the owner: of a membership that changed."""
    return sa.select(lead_tally.c.id).where(lead_tally.c.workspace_id == workspace_id, lead_tally.c.rep.in_(people))


def of_sources(workspace_id: str, sources: Sequence[str]) -> Select[Any]:
    """The leads of these sources."""
    return sa.select(lead.c.id).where(lead.c.workspace_id == workspace_id, lead.c.source.in_(sources))


def turned(connection: Connection, workspace_id: str, changes: Sequence[Change]) -> set[str]:
    """The sources that, by these changes, now link deals to leads or tell qualification days, or no longer do.

    Either says how all leads of the source are counted. The changes are written already.
    """
    links = _turned(connection, workspace_id, changes, deal, "lead_id")
    return links | _turned(connection, workspace_id, changes, lead, "qualified_on")


def _turned(
    connection: Connection, workspace_id: str, changes: Sequence[Change], table: sa.Table, column: str
) -> set[str]:
    """The sources of which the first row says something in the column, or the last one no longer does."""
    before: dict[str, Row | None] = {}
    after: dict[str, Row] = {}
    for change in changes:
        if change.object == table.name:
            before.setdefault(change.after["id"], change.before)
            after[change.after["id"]] = change.after
    found = set()
    for source in sorted({row["source"] for row in after.values()}):
        ids = [key for key, row in after.items() if row["source"] == source]
        said = any(row is not None and row[column] is not None for row in (before[key] for key in ids))
        says = any(after[key][column] is not None for key in ids)
        if said != says and not _another_says(connection, workspace_id, table.c[column], source, ids):
            found.add(source)
    return found


def _another_says(
    connection: Connection, workspace_id: str, column: ColumnElement[Any], source: str, ids: Sequence[str]
) -> bool:
    table = column.table
    others = sa.select(table.c.id).where(
        table.c.workspace_id == workspace_id,
        table.c.source == source,
        column.is_not(None),
        table.c.id.not_in(ids),
    )
    return connection.execute(others.limit(1)).first() is not None
