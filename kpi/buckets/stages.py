"""The stages of a full build, in order: what each does in one transaction after another.

The reading is done before a transaction opens; it only writes. A stage that is begun again after some of its steps
gives the same steps from there on: nothing that it reads changes while it lasts, or what does is noted as due.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, Table

from kpi.buckets import customers
from kpi.buckets.adding import Cell, Row, add, cells
from kpi.buckets.fold import KINDS, Kind, tallies
from kpi.buckets.tables import CUSTOMER, FAMILIES, Family
from storage.database import analyze, put, reading
from storage.parts import Stride
from storage.schema import deal, lead

ADDED_UP = 20_000
"""Tallies that are added up together: the more, the fewer cells are written twice."""

_FACTS = {"deal": deal, "lead": lead}


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction: what it writes, how many rows that is, and where the stage stands after it."""

    write: Callable[[Connection], object]
    rows: int
    after: list[Any]


@dataclass(frozen=True, slots=True)
class Build:
    engine: Engine
    workspace_id: str
    today: date
    stride: Stride = field(default_factory=Stride)
    """How many rows one transaction of the stage writes."""


Stage = Callable[[Build, Sequence[Any]], Iterator[Step]]
"""The steps that follow the position `after` (empty: from the beginning)."""


def stages() -> tuple[tuple[str, Stage], ...]:
    """Name and steps of each."""
    tables = [table for family in FAMILIES.values() for table in (family.bucket, family.tally)]
    clearing = [(f"clear {table.name}", partial(_clear, table)) for table in tables]
    tallying = [(f"tally {name}", partial(_tally, kind)) for name, kind in KINDS.items()]
    adding_up = [
        (f"add up {name} by {axis}", partial(_add_up, kind.family, (axis,), partial(_cells, kind, place)))
        for name, kind in KINDS.items()
        for place, axis in enumerate(kind.axes)
    ]
    return (
        *clearing,
        *tallying,
        ("tally customer", _tally_customers),
        *adding_up,
        # What a customer adds is spread over years, but it is all of one team and rep.
        ("add up customer", partial(_add_up, CUSTOMER, ("team", "rep"), _cells_of_customers)),
    )


def _clear(table: Table, build: Build, _after: Sequence[Any]) -> Iterator[Step]:
    mine = table.c.workspace_id == build.workspace_id
    keys = [column for column in table.primary_key if column.name != "workspace_id"]
    bound = sa.select(*keys).where(mine).order_by(*keys)
    while True:
        with reading(build.engine) as connection:
            most = build.stride.rows
            last = connection.execute(bound.offset(most).limit(1)).first()
            some = last is not None or connection.execute(sa.select(keys[0]).where(mine).limit(1)).first() is not None
        if not some:
            return
        these = [mine] if last is None else [mine, sa.tuple_(*keys) <= sa.tuple_(*last)]
        yield Step(partial(_delete, table, these), most, [])


def _delete(table: Table, these: Sequence[sa.ColumnElement[bool]], connection: Connection) -> None:
    connection.execute(sa.delete(table).where(*these))


def _tally(kind: Kind, build: Build, after: Sequence[Any]) -> Iterator[Step]:
    facts = _FACTS[kind.family.name]
    last = after[0] if after else ""
    while True:
        ids = sa.select(facts.c.id).where(facts.c.workspace_id == build.workspace_id, facts.c.id > last)
        with reading(build.engine) as connection:
            some = connection.scalars(ids.order_by(facts.c.id).limit(build.stride.rows)).all()
            rows = sorted(tallies(connection, kind, build.workspace_id, some, build.today)) if some else []
        if not some:
            return
        last = some[-1]
        yield Step(partial(_put, kind.family, rows), len(rows), [last])


def _tally_customers(build: Build, after: Sequence[Any]) -> Iterator[Step]:
    last = after[0] if after else ""
    while True:
        with reading(build.engine) as connection:
            some = connection.scalars(customers.next_ids(build.workspace_id, last, build.stride.rows)).all()
            rows = sorted(customers.told(connection, build.workspace_id, some)) if some else []
        if not some:
            return
        last = some[-1]
        yield Step(partial(_put, CUSTOMER, rows), len(rows), [last])


def _put(family: Family, rows: Sequence[Row], connection: Connection) -> None:
    put(connection, family.tally, rows)


def _add_up(
    family: Family,
    by: Sequence[str],
    cells_of: Callable[[str, Sequence[Row]], Sequence[Cell]],
    build: Build,
    after: Sequence[Any],
) -> Iterator[Step]:
    """By chunks of tallies in the order of some of their columns, so that most cells are of one chunk."""
    chunk, written = after or (0, 0)
    table = family.tally
    with _in_order(build, table, by) as connection:
        while True:
            these = sa.and_(_ORDER.c.place > chunk * ADDED_UP, _ORDER.c.place <= (chunk + 1) * ADDED_UP)
            mine = sa.and_(table.c.workspace_id == build.workspace_id, table.c.id == _ORDER.c.id)
            with connection.begin():
                rows = connection.execute(sa.select(table).join_from(_ORDER, table, mine).where(these)).all()
            if not rows:
                return
            found = cells_of(build.workspace_id, [tuple(row) for row in rows])
            yield from _write(build, family, found, chunk, written)
            chunk, written = chunk + 1, 0


def _cells(kind: Kind, place: int, workspace_id: str, come: Sequence[Row]) -> list[Cell]:
    """What tallies add by one of their days; with the first, also what they add to no day."""
    found = cells(kind.family, workspace_id, [kind.parts((), come)[place]])
    return [*found, *kind.beside(workspace_id, (), come)] if place == 0 else found


def _cells_of_customers(workspace_id: str, come: Sequence[Row]) -> list[Cell]:
    return cells(CUSTOMER, workspace_id, customers.added_by(map(customers.tally_of, come), 1))


_ORDER = Table(
    "vigie_order",
    sa.MetaData(),
    sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("id", sa.Text, nullable=False),
    prefixes=["TEMPORARY"],
)
"""The ids of a workspace's tallies, numbered; only the connection that made it sees it."""


@contextmanager
def _in_order(build: Build, table: Table, by: Sequence[str]) -> Iterator[Connection]:
    """A connection on which `_ORDER` numbers a workspace's tallies in the order of some columns."""
    place = sa.func.row_number().over(order_by=(*(table.c[name] for name in by), table.c.id))
    numbered = sa.select(place, table.c.id).where(table.c.workspace_id == build.workspace_id)
    with build.engine.connect() as connection:
        with connection.begin():
            connection.execute(sa.schema.CreateTable(_ORDER))
            connection.execute(sa.insert(_ORDER).from_select(["place", "id"], numbered))
            analyze(connection, [_ORDER])
        try:
            yield connection
        finally:
            with connection.begin():
                connection.execute(sa.schema.DropTable(_ORDER))


def _write(build: Build, family: Family, found: Sequence[Cell], chunk: object, written: int) -> Iterator[Step]:
    while written < len(found):
        some = found[written : written + build.stride.rows]
        written += len(some)
        yield Step(partial(_add, family, some), len(some), [chunk, written])


def _add(family: Family, found: Sequence[Cell], connection: Connection) -> None:
    add(connection, family, found)


def position(stage: int, after: Sequence[Any]) -> str:
    """Where a build stands, as `bucket_state.position` says it."""
    return json.dumps([stage, *after])


def stands(position: str) -> tuple[int, list[Any]]:
    """The number of the stage, and how far it is."""
    stage, *after = json.loads(position)
    return stage, after
