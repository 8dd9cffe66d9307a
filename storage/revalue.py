"""Stored amounts valued anew: after rates arrived or were corrected, or the workspace's currency changed."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, Table

from storage import schema
from storage.database import reading
from storage.history import Change, History
from storage.parts import Stride
from storage.rates import VALUED, Rates

OnPage = Callable[[Connection, Sequence[Change]], None]
"""Called inside each transaction with every row that it changed, before and after."""

_AT_ONCE = 1000
"""Rows that are looked at together."""


def revalue(engine: Engine, workspace_id: str, *, now: datetime, on_page: OnPage | None = None) -> int:
    """Bring the value of every amount to the rates that are known now; gives how many rows changed.

    A chunk of rows is one transaction, with its history at the moment `now`. Stopped half-way, the next call does what
    is left.
    """
    with reading(engine) as connection:
        mine = schema.workspace.c.workspace_id == workspace_id
        currency = connection.execute(sa.select(schema.workspace.c.currency).where(mine)).scalar_one()
        rates = Rates.read(connection, workspace_id, currency)
    changed, stride = 0, Stride()
    for name in VALUED:
        table = schema.metadata.tables[name]
        after: str | None = ""
        while after is not None:
            with reading(engine) as connection:
                after, ids = _differing(connection, table, workspace_id, rates, after)
            while ids:
                some, ids = ids[: stride.rows], ids[stride.rows :]
                with stride.writing(engine, len(some)) as connection:
                    changed += _settle(connection, table, workspace_id, some, rates, now, on_page)
    return changed


def revalue_at_once(connection: Connection, workspace_id: str, currency: str, *, now: datetime) -> None:
    """Value every amount in another currency, in the transaction that makes it the workspace's.

    However many rows there are: no moment may show values in the old currency under the name of the new one.
    """
    rates = Rates.read(connection, workspace_id, currency)
    for name in VALUED:
        table = schema.metadata.tables[name]
        after: str | None = ""
        while after is not None:
            after, ids = _differing(connection, table, workspace_id, rates, after)
            _settle(connection, table, workspace_id, ids, rates, now, None)


def _differing(
    connection: Connection, table: Table, workspace_id: str, rates: Rates, after: str
) -> tuple[str | None, list[str]]:
    """The next rows by id: the last id looked at (None = no more), and the ids whose value is another now."""
    days = [table.c[name] for name in ("status", "closed_on", "starts_on", "purchased_on") if name in table.c]
    query = (
        sa.select(table.c.id, table.c.amount_minor, table.c.currency, table.c.value_minor, *days)
        .where(table.c.workspace_id == workspace_id, table.c.id > after)
        .order_by(table.c.id)
        .limit(_AT_ONCE)
    )
    rows = connection.execute(query).mappings().all()
    ids = [row["id"] for row in rows if rates.value_of(table.name, dict(row)) != row["value_minor"]]
    return (rows[-1]["id"] if len(rows) == _AT_ONCE else None), ids


def _settle(
    connection: Connection,
    table: Table,
    workspace_id: str,
    ids: Sequence[str],
    rates: Rates,
    now: datetime,
    on_page: OnPage | None,
) -> int:
    changes = list(_changes(connection, table, workspace_id, ids, rates))
    if not changes:
        return 0
    this = (table.c.workspace_id == workspace_id, table.c.id == sa.bindparam("row_id"))
    values = [{"row_id": change.after["id"], "worth": change.after["value_minor"]} for change in changes]
    connection.execute(sa.update(table).where(*this).values(value_minor=sa.bindparam("worth")), values)
    changes.sort(key=_source)
    for source, own in groupby(changes, _source):
        History(workspace_id, source, uuid.uuid4().hex).write(connection, own, now)
    if on_page is not None:
        on_page(connection, changes)
    return len(changes)


def _source(change: Change) -> str:
    return str(change.after["source"])


def _changes(
    connection: Connection, table: Table, workspace_id: str, ids: Sequence[str], rates: Rates
) -> Iterator[Change]:
    """Read again where they are written: another run may have changed them since."""
    mine = (table.c.workspace_id == workspace_id, table.c.id.in_(ids))
    rows = connection.execute(sa.select(table).where(*mine).order_by(table.c.id).with_for_update()).mappings()
    for row in rows.all():
        before: dict[str, Any] = dict(row)
        value = rates.value_of(table.name, before)
        if value != before["value_minor"]:
            yield Change(table.name, before, before | {"value_minor": value})
