"""The tallies of leads, worked out from the facts, and the leads that a change touches."""

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Select

from kpi.buckets import tally
from kpi.buckets.shapes import NONE
from kpi.buckets.tables import LEAD_KEYS, lead_tally
from kpi.populations import is_deleted
from kpi.rows import LeadRows, Which
from storage.database import days_between
from storage.history import Change
from storage.rows import Row
from storage.schema import deal, lead


def computed(workspace_id: str, which: Which | None = None) -> Select[Any]:
    """The rows of `lead_tally` as the facts have them, in the order of its columns."""
    rows = LeadRows(workspace_id, which)
    keys = [sa.func.coalesce(rows.key(key), NONE).label(key) for key in LEAD_KEYS]
    won_on = sa.case((rows.c.by_flag, sa.null()), else_=rows.c.won_on)
    told_on = sa.case((rows.c.converted.is_(sa.true()), rows.c.converted_on), else_=sa.null())
    days = _days(rows, won_on).label("days_to_win"), _days(rows, told_on).label("days_to_flag")
    columns = [each.each(rows).label(each.name) for each in tally.added("lead")]
    select = sa.select(rows.c.workspace_id, rows.c.id, *keys, rows.c.day, rows.c.won_on, *days, *columns)
    return select.select_from(rows.source).where(rows.mine())


def _days(rows: LeadRows, converted_on: ColumnElement[Any]) -> ColumnElement[int | None]:
    """How long the conversion took, as `kpi.judged` counts it; null where it does not."""
    counted = sa.and_(converted_on >= rows.c.day, sa.not_(is_deleted(rows)))
    return sa.case((counted, days_between(rows.c.day, converted_on)), else_=sa.null())


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
    return sa.select(lead.c.id).where(lead.c.workspace_id == workspace_id, lead.c.customer_id.in_(customers))


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
