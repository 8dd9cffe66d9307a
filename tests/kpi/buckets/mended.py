"""Whether buckets are what they should be: every tally what the facts say, every cell what its tallies add up to.

Said a second time, slowly, so that the law does not lean on what it judges.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from kpi.buckets import customers, state
from kpi.buckets.fold import KINDS
from kpi.buckets.shapes import ALWAYS, CONVERSION, UNDATED, Shape
from kpi.buckets.state import State
from kpi.buckets.tables import CUSTOMER, CUSTOMER_COLUMNS, FAMILIES, HISTOGRAM, Family
from kpi.buckets.tally import STOCK, Added, added
from storage.database import reading

Tally = Mapping[str, Any]
Cell = tuple[str, str, str, str, str]
"""Shape, bucket, team, rep, other."""
Cells = dict[Cell, dict[str, int]]


def assert_mended(engine: Engine, workspace_id: str, today: date) -> None:
    """Everything is folded, and right."""
    with reading(engine) as connection:
        assert state.read(connection, workspace_id).state is State.READY
        for name, kind in KINDS.items():
            facts = kind.computed(workspace_id, today, lambda _: sa.true())
            told = sorted(tuple(row) for row in connection.execute(facts))
            assert tallies(connection, kind.family, workspace_id) == told, name
        known = connection.scalars(customers.next_ids(workspace_id, "", 1000)).all()
        assert tallies(connection, CUSTOMER, workspace_id) == sorted(customers.told(connection, workspace_id, known))
        for name, family in FAMILIES.items():
            assert stored(connection, family, workspace_id) == summed(connection, family, workspace_id), name


def tallies(connection: Connection, family: Family, workspace_id: str) -> list[tuple[Any, ...]]:
    query = sa.select(family.tally).where(family.tally.c.workspace_id == workspace_id).order_by(family.tally.c.id)
    return [tuple(row) for row in connection.execute(query)]


def stored(connection: Connection, family: Family, workspace_id: str) -> Cells:
    """The cells that have anything in them."""
    rows = connection.execute(sa.select(family.bucket).where(family.bucket.c.workspace_id == workspace_id)).mappings()
    found = {}
    for row in rows:
        numbers = {name: row[name] for name in list(family.bucket.c.keys())[6:] if row[name]}
        if numbers:
            found[row["shape"], row["bucket"], row["team"], row["rep"], row["other"]] = numbers
    return found


def summed(connection: Connection, family: Family, workspace_id: str) -> Cells:
    """The cells that the stored tallies add up to."""
    found: dict[Cell, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    rows = connection.execute(sa.select(family.tally).where(family.tally.c.workspace_id == workspace_id)).mappings()
    for row in rows:
        for cell, name, number in _adds(family, dict(row)):
            found[cell][name] += number
    return {
        cell: {name: number for name, number in numbers.items() if number}
        for cell, numbers in found.items()
        if any(numbers.values())
    }


def _adds(family: Family, row: Tally) -> Iterator[tuple[Cell, str, int]]:
    if family is CUSTOMER:
        for ordinal, numbers in customers.tally_of(tuple(row.values())).events.items():
            for name, number in zip(CUSTOMER_COLUMNS, numbers, strict=True):
                for shape in family.shapes:
                    yield from _in_cells(shape, row, date.fromordinal(ordinal), name, number)
        return
    for column in added("deal" if family.name == "deal" else "lead"):
        for day, number in _on_days(column, row):
            for shape in family.shapes:
                if not shape.stock_only or column.axis == STOCK:
                    yield from _in_cells(shape, row, day, column.name, number)
    if family.name == "lead":
        for name, days in zip(HISTOGRAM, ("days_to_win", "days_to_flag"), strict=True):
            if row[days] is not None:
                yield (CONVERSION, ALWAYS, "", "", str(row[days])), name, 1


def _on_days(column: Added, row: Tally) -> Iterator[tuple[date | None, int]]:
    if column.axis != STOCK:
        yield row[column.axis], row[column.name]
        return
    yield row["created_on"], row[column.name]
    if not row["waiting"]:
        yield row["closed_on"], -row[column.name]


def _in_cells(shape: Shape, row: Tally, day: date | None, name: str, number: int) -> Iterator[tuple[Cell, str, int]]:
    keys = (row["team"] if shape.team else "", row["rep"] if shape.rep else "", row[shape.other] if shape.other else "")
    for bucket in _buckets(shape, day):
        yield (shape.name, bucket, *keys), name, number


def _buckets(shape: Shape, day: date | None) -> Iterator[str]:
    if day is None:
        yield UNDATED
        return
    yield f"d{day}"
    yield f"m{day:%Y-%m}-01"
    yield f"y{day:%Y}-01-01"
    if shape.weeks:
        yield f"w{day - timedelta(days=day.weekday())}"
