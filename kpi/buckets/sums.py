"""The cells of one bucket three ways: as they are stored, as tallies add up to them, as smaller buckets do."""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from kpi.buckets.adding import Part, cells
from kpi.buckets.customers import Tally, added_by, tally_of
from kpi.buckets.fold import KINDS, Kind
from kpi.buckets.shapes import ALWAYS, CONVERSION, NONE, UNDATED, code
from kpi.buckets.tables import CUSTOMER, DEAL, HISTOGRAM, LEAD, Family
from kpi.buckets.tally import STOCK, added
from kpi.period import Grain

Place = tuple[str, ...]
"""Shape, team, rep, other."""

Sums = dict[Place, tuple[int, ...]]
"""The cells that have anything in them, in the order of the table's columns."""


def added_up(connection: Connection, family: Family, workspace_id: str, buckets: Sequence[str]) -> Sums:
    """What the cells of some buckets add up to; of one bucket, the cells themselves."""
    asked = {"workspace": workspace_id, "buckets": list(buckets)}
    rows = connection.execute(_added_up(family), asked)
    return _some((tuple(row[:4]), tuple(map(int, row[4:]))) for row in rows)


@lru_cache(maxsize=4)
def _added_up(family: Family) -> sa.Select[Any]:
    table = family.bucket
    place = (table.c.shape, table.c.team, table.c.rep, table.c.other)
    sums = (sa.func.sum(column) for column in list(table.c)[6:])
    mine = (table.c.workspace_id == sa.bindparam("workspace"), table.c.shape.in_([each.name for each in family.shapes]))
    these = table.c.bucket.in_(sa.bindparam("buckets", expanding=True))
    return sa.select(*place, *sums).where(*mine, these).group_by(*place)


def of_tallies(connection: Connection, family: Family, workspace_id: str, day: date | None) -> Sums:
    """What the tallies add to the cells of a day (None: of no day)."""
    if family is CUSTOMER:
        parts = [] if day is None else _of_customers(connection, workspace_id, day)
    else:
        parts = list(_of_rows(connection, KINDS[family.name], workspace_id, day))
    bucket = UNDATED if day is None else code(Grain.DAY, day)
    found = cells(family, workspace_id, parts) if parts else []
    return _some(((cell[1], *cell[3:6]), cell[6:]) for cell in found if cell[2] == bucket)


def _of_rows(connection: Connection, kind: Kind, workspace_id: str, day: date | None) -> Iterator[Part]:
    table = kind.family.tally
    for place, axis in enumerate(kind.axes):
        axes = {axis, STOCK} if place == 0 else {axis}
        counted = [each.name for each in added("deal" if kind.family is DEAL else "lead") if each.axis in axes]
        on_day = table.c[axis] == day
        if day is None:
            on_day = sa.and_(table.c[axis].is_(None), sa.or_(*(table.c[name] != 0 for name in counted)))
        rows = connection.execute(sa.select(table).where(table.c.workspace_id == workspace_id, on_day)).all()
        if rows:
            yield kind.parts((), [tuple(row) for row in rows])[place]


def _of_customers(connection: Connection, workspace_id: str, day: date) -> list[Part]:
    table, ordinal = CUSTOMER.tally, day.toordinal()
    # Only days stand in quotes.
    mine = (table.c.workspace_id == workspace_id, table.c.events.contains(f'"{ordinal}":'))
    tallies = [tally_of(tuple(row)) for row in connection.execute(sa.select(table).where(*mine))]
    return added_by((Tally(each.keys, {ordinal: each.events[ordinal]}) for each in tallies), 1)


def histogram(connection: Connection, workspace_id: str) -> tuple[Sums, Sums]:
    """The cells of `shapes.CONVERSION` as they are, and as the tallies of leads add up to them."""
    bucket, tally = LEAD.bucket, LEAD.tally
    mine = (bucket.c.workspace_id == workspace_id, bucket.c.shape == CONVERSION, bucket.c.bucket == ALWAYS)
    columns = (bucket.c[name] for name in HISTOGRAM)
    rows = connection.execute(sa.select(bucket.c.other, *columns).where(*mine))
    there = _some(((CONVERSION, NONE, NONE, row[0]), tuple(row[1:])) for row in rows)
    counts: dict[Place, list[int]] = {}
    for at, days in enumerate((tally.c.days_to_win, tally.c.days_to_flag)):
        taken = sa.select(days, sa.func.count()).where(tally.c.workspace_id == workspace_id, days.is_not(None))
        for took, leads in connection.execute(taken.group_by(days)):
            counts.setdefault((CONVERSION, NONE, NONE, str(took)), [0] * len(HISTOGRAM))[at] += leads
    return there, _some((place, tuple(count)) for place, count in counts.items())


def _some(cells: Any) -> Sums:
    return {place: sums for place, sums in cells if any(sums)}
