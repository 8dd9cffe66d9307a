"""The tables as they were known at a past moment, for the same statements to run on.

Each table is copied into a temporary one on the same connection: the rows first seen by then, with every field that
changed since set back to what it said before its first change. While that lasts, statements on a table read its copy;
a table that has no copy is not there, so that nothing of today slips in. The cost is that of reading the tables once.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Table

from storage import schema
from storage.database import analyze, home_schema, private_schema
from storage.runs import KILLED
from storage.status import READY

_SEEN = (
    schema.deal,
    schema.lead,
    schema.customer,
    schema.person,
    schema.team,
    schema.membership,
    schema.product,
    schema.pipeline,
    schema.stage,
    schema.contract,
    schema.purchase,
    schema.spend,
    schema.rate,
    schema.passage,
)
"""Tables whose rows say when they were first seen."""

_COPIED = (*_SEEN, schema.workspace, schema.change, schema.cursor, schema.target, schema.source)

_OPTION = "vigie_as_known"

Row = dict[str, Any]


@contextmanager
def as_known(connection: Connection, workspace_id: str, moment: datetime | None) -> Iterator[None]:
    """Until the end of the block, statements on this connection read one workspace as it was known at `moment`.

    `moment` is aware; None = now, and nothing is copied. A block inside another of the same moment costs nothing.
    Nothing can be written meanwhile. Before the first sync there is nothing but the workspace. Raises `ValueError`
    inside a block of another moment.
    """
    if moment is None:
        yield
        return
    inside, asked = connection.get_execution_options().get(_OPTION), (workspace_id, moment)
    if inside is not None:
        if inside != asked:
            raise ValueError("a question cannot be asked as known at two moments")
        yield
        return
    # What the block leaves behind goes with the savepoint, whatever state the block leaves it in.
    savepoint = connection.begin_nested()
    try:
        private = private_schema(connection)
        copies = _copies(private)
        # By their full names: of two tables of one name, the private one is found first.
        connection.execution_options(schema_translate_map={None: home_schema(connection)})
        _fill(connection, copies, workspace_id, moment)
        connection.execution_options(schema_translate_map={None: private}, **{_OPTION: asked})
        yield
    finally:
        connection.execution_options(schema_translate_map=None, **{_OPTION: None})
        if savepoint.is_active:
            savepoint.rollback()


@lru_cache(maxsize=4)
def _copies(private: str) -> Mapping[str, Table]:
    metadata = sa.MetaData()
    return {table.name: table.to_metadata(metadata, schema=private) for table in _COPIED}


def _fill(connection: Connection, copies: Mapping[str, Table], workspace_id: str, moment: datetime) -> None:
    for copy in copies.values():
        connection.execute(sa.schema.CreateTable(copy))
    for table in _SEEN:
        _copy(connection, table, copies, workspace_id, table.c.first_seen_at <= moment)
    _copy(connection, schema.workspace, copies, workspace_id, sa.true())
    _copy(connection, schema.change, copies, workspace_id, schema.change.c.seen_at <= moment)
    stopped = sa.case((schema.target.c.stopped_at <= moment, schema.target.c.stopped_at))
    made = schema.target.c.created_at <= moment
    _copy(connection, schema.target, copies, workspace_id, made, stopped_at=stopped)
    # Of a source's state only the last change is known; its secrets are nobody's business here.
    state = sa.case((schema.source.c.state_since <= moment, schema.source.c.state), else_=READY)
    nothing = sa.literal("")
    private = {"options": nothing, "secrets": nothing, "account": nothing}
    _copy(connection, schema.source, copies, workspace_id, schema.source.c.created_at <= moment, state=state, **private)
    if cursors := list(_cursors(connection, workspace_id, moment)):
        connection.execute(sa.insert(copies["cursor"]), cursors)
    # The changes are read after the rows: of a change that is written in between, the row says the same as its `old`.
    for name, by_row in _changed_since(connection, workspace_id, moment).items():
        if name in copies:
            _set_back(connection, copies[name], workspace_id, by_row)
    for copy in copies.values():
        for index in copy.indexes:
            index.create(connection)
    analyze(connection, copies.values())


def _copy(
    connection: Connection,
    table: Table,
    copies: Mapping[str, Table],
    workspace_id: str,
    condition: ColumnElement[bool],
    **instead: ColumnElement[Any],
) -> None:
    columns = [instead.get(column.name, column) for column in table.c]
    rows = sa.select(*columns).where(table.c.workspace_id == workspace_id, condition)
    connection.execute(sa.insert(copies[table.name]).from_select([column.name for column in table.c], rows))


def _cursors(connection: Connection, workspace_id: str, moment: datetime) -> Iterator[Row]:
    """How complete each object was: what the newest run of its source said that had ended by then.

    The end of a killed run is noticed only by the next one: it counts from its beginning.
    """
    run = schema.run
    ended = sa.or_(run.c.ended_at <= moment, sa.and_(run.c.error == KILLED, run.c.started_at <= moment))
    runs = (
        sa.select(run.c.source, run.c.completed)
        .where(run.c.workspace_id == workspace_id, ended)
        .order_by(run.c.started_at.desc(), run.c.ended_at.desc(), run.c.id)
    )
    sources = sa.select(schema.cursor.c.source).where(schema.cursor.c.workspace_id == workspace_id).distinct()
    for source in connection.scalars(sources).all():
        newest = connection.execute(runs.where(run.c.source == source).limit(1)).first()
        for object_, told in json.loads(newest.completed if newest else "{}").items():
            key = {"workspace_id": workspace_id, "source": source, "object": object_, "position": "{}"}
            yield key | {"complete_at": None if told is None else datetime.fromisoformat(told)}


def _changed_since(connection: Connection, workspace_id: str, moment: datetime) -> Mapping[str, dict[str, Row]]:
    """By table and row: what each field that changed since the moment said before, as text."""
    change = schema.change
    query = (
        sa.select(change.c.object, change.c.object_id, change.c.field, change.c.old)
        .where(change.c.workspace_id == workspace_id, change.c.seen_at > moment)
        .order_by(change.c.seen_at.desc(), change.c.id.desc())
    )
    found: dict[str, dict[str, Row]] = defaultdict(lambda: defaultdict(dict))
    for object_, row_id, field, old in connection.execute(query):
        # The earliest comes last, and is the one that stays.
        found[object_][row_id][field] = old
    return found


def _set_back(connection: Connection, copy: Table, workspace_id: str, by_row: Mapping[str, Row]) -> None:
    alike: dict[tuple[str, ...], list[Row]] = defaultdict(list)
    for row_id, olds in by_row.items():
        key = _key(copy, row_id)
        if key is not None:
            values = {f"old_{field}": _value(copy.c[field], old) for field, old in olds.items()}
            alike[tuple(sorted(olds))].append(values | {f"key_{name}": value for name, value in key.items()})
    for fields, rows in alike.items():
        this = [copy.c[name[4:]] == sa.bindparam(name) for name in rows[0] if name.startswith("key_")]
        values = {field: sa.bindparam(f"old_{field}") for field in fields}
        connection.execute(sa.update(copy).where(copy.c.workspace_id == workspace_id, *this).values(values), rows)


def _key(copy: Table, object_id: str) -> Row | None:
    """The columns that name a row, from what the history calls it; None for a name of an older form."""
    if copy.name == "workspace":
        return {}
    if copy.name != "membership":
        return {"id": object_id}
    person_id, bar, starts_on = object_id.rpartition("|")
    return {"person_id": person_id, "starts_on": date.fromisoformat(starts_on)} if bar else None


def _value(column: ColumnElement[Any], old: str | None) -> Any:
    if old is None:
        return None
    return next((read(old) for kind, read in _READ.items() if isinstance(column.type, kind)), old)


_READ: Mapping[type, Callable[[str], Any]] = {
    sa.Boolean: lambda text: text == "true",
    sa.Integer: int,
    sa.Date: date.fromisoformat,
    schema.Instant: datetime.fromisoformat,
    schema.ExactDecimal: Decimal,
}
