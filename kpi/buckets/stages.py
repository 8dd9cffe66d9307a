"""The stages of a full build, in order: what each does in one transaction after another.

The reading is done before a transaction opens; it only writes. A stage that is begun again after some of its steps
gives the same steps from there on: nothing that it reads changes while it lasts, or what does is noted as due.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache, partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, Table

from kpi.buckets import customers
from kpi.buckets.adding import Cell, Part, Row, told
from kpi.buckets.fold import KINDS, Kind
from kpi.buckets.moves import Put, between
from kpi.buckets.tables import CUSTOMER, FAMILIES, Family
from storage.database import Part as Spelled
from storage.database import Tongue, analyze, fill, parameter, put, reading, spell_filling, tongue
from storage.parts import Stride
from storage.schema import deal, lead

ADDED_UP = 40_000
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
        (f"add up {name}", partial(_add_up, kind.family, _by_day(kind), partial(_of_days, kind)))
        for name, kind in KINDS.items()
    ]
    return (
        *clearing,
        *tallying,
        ("tally customer", _tally_customers),
        *adding_up,
        ("add up customer", partial(_add_up, CUSTOMER, _by_owner, _of_customers)),
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
        if not some:
            return
        given = {"workspace": build.workspace_id, "today": build.today, "after": last, "until": some[-1]}
        last = some[-1]
        yield Step(partial(_put_tallies, kind, given), len(some), [last])


def _put_tallies(kind: Kind, given: Mapping[str, str | date], connection: Connection) -> None:
    fill(connection, _tallied(tongue(connection), kind.family.name), given)


@lru_cache(maxsize=4)
def _tallied(spoken: Tongue, family: str) -> Spelled:
    """The tallies of the ids in (after, until], worked out where they are written."""
    kind = KINDS[family]

    def which(key: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
        return sa.and_(key > parameter("after", sa.Text), key <= parameter("until", sa.Text))

    computed = kind.computed(parameter("workspace", sa.Text), parameter("today", sa.Date), which)
    return spell_filling(spoken, kind.family.tally, computed)


def _tally_customers(build: Build, after: Sequence[Any]) -> Iterator[Step]:
    last = after[0] if after else ""
    while True:
        with reading(build.engine) as connection:
            some = connection.scalars(customers.next_ids(build.workspace_id, last, build.stride.rows)).all()
            rows = sorted(customers.told(connection, build.workspace_id, some)) if some else []
        if not some:
            return
        last = some[-1]
        yield Step(partial(_put, CUSTOMER, rows), len(some), [last])


def _put(family: Family, rows: Sequence[Row], connection: Connection) -> None:
    put(connection, family.tally, rows)


Ordered = Callable[[str], sa.Select[Any]]
"""In which order the tallies of a workspace are added up: columns `place` (1, 2, …), `id`, and `part`."""


def _add_up(
    family: Family,
    ordered: Ordered,
    parts_of: Callable[[str, Sequence[tuple[int, Row]]], tuple[Sequence[Part], Sequence[Cell]]],
    build: Build,
    after: Sequence[Any],
) -> Iterator[Step]:
    """By chunks of tallies in an order in which most cells are of one chunk."""
    chunk, written = after or (0, 0)
    table = family.tally
    with _in_order(build, ordered) as connection:
        while True:
            these = sa.and_(_ORDER.c.place > chunk * ADDED_UP, _ORDER.c.place <= (chunk + 1) * ADDED_UP)
            mine = sa.and_(table.c.workspace_id == build.workspace_id, table.c.id == _ORDER.c.id)
            with connection.begin():
                rows = connection.execute(sa.select(_ORDER.c.part, table).join_from(_ORDER, table, mine).where(these))
                found = [(row[0], tuple(row[1:])) for row in rows]
            if not found:
                return
            parts, cells = parts_of(build.workspace_id, found)
            writes = [
                Put(family.bucket, each.columns, each.rows, adding=True)
                for each in told(family, build.workspace_id, parts)
            ]
            writes.append(Put(family.bucket, None, cells, adding=True))
            yield from _write(build, writes, chunk, written)
            chunk, written = chunk + 1, 0


def _by_day(kind: Kind) -> Ordered:
    """Each tally twice: with the others of its first day, and with those of its second."""

    def ordered(workspace_id: str) -> sa.Select[Any]:
        table = kind.family.tally
        parts = [
            sa.select(
                table.c[axis].label("day"), table.c.id, sa.literal_column(str(at), sa.Integer).label("part")
            ).where(table.c.workspace_id == workspace_id)
            for at, axis in enumerate(kind.axes)
        ]
        both = sa.union_all(*parts).subquery()
        place = sa.func.row_number().over(order_by=(both.c.day, both.c.id, both.c.part))
        return sa.select(place, both.c.id, both.c.part)

    return ordered


def _by_owner(workspace_id: str) -> sa.Select[Any]:
    """What a customer adds is spread over years, but it is all of one team and rep."""
    table = CUSTOMER.tally
    place = sa.func.row_number().over(order_by=(table.c.team, table.c.rep, table.c.id))
    return sa.select(place, table.c.id, sa.literal_column("0", sa.Integer)).where(table.c.workspace_id == workspace_id)


def _of_days(kind: Kind, workspace_id: str, found: Sequence[tuple[int, Row]]) -> tuple[Sequence[Part], Sequence[Cell]]:
    """What tallies add by one of their days; with the first, also what they add to no day."""
    by_part = [[row for part, row in found if part == at] for at in range(len(kind.axes))]
    parts = [kind.parts((), rows)[at] for at, rows in enumerate(by_part) if rows]
    return parts, kind.beside(workspace_id, (), by_part[0])


def _of_customers(_workspace_id: str, found: Sequence[tuple[int, Row]]) -> tuple[Sequence[Part], Sequence[Cell]]:
    return customers.added_by((customers.tally_of(row) for _, row in found), 1), ()


_ORDER = Table(
    "vigie_order",
    sa.MetaData(),
    sa.Column("place", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("part", sa.Integer, nullable=False),
    prefixes=["TEMPORARY"],
)
"""The ids of a workspace's tallies, numbered; only the connection that made it sees it."""


@contextmanager
def _in_order(build: Build, ordered: Ordered) -> Iterator[Connection]:
    """A connection on which `_ORDER` numbers a workspace's tallies."""
    with build.engine.connect() as connection:
        with connection.begin():
            connection.execute(sa.schema.CreateTable(_ORDER))
            connection.execute(sa.insert(_ORDER).from_select(_ORDER.c.keys(), ordered(build.workspace_id)))
            analyze(connection, [_ORDER])
        try:
            yield connection
        finally:
            with connection.begin():
                connection.execute(sa.schema.DropTable(_ORDER))


def _write(build: Build, writes: Sequence[Put], chunk: object, written: int) -> Iterator[Step]:
    whole = sum(len(put.rows) for put in writes)
    while written < whole:
        some = list(between(writes, written, written + build.stride.rows))
        rows = sum(len(part) for _, part in some)
        written += rows
        yield Step(partial(_put_all, some), rows, [chunk, written])


def _put_all(some: Sequence[tuple[Put, Sequence[Row]]], connection: Connection) -> None:
    for each, rows in some:
        each.write(connection, rows)


def position(stage: int, after: Sequence[Any]) -> str:
    """Where a build stands, as `bucket_state.position` says it."""
    return json.dumps([stage, *after])


def stands(position: str) -> tuple[int, list[Any]]:
    """The number of the stage, and how far it is."""
    stage, *after = json.loads(position)
    return stage, after
