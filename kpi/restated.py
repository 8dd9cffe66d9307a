"""Which rows moved a figure that was told: the deals (leads, customers) that changed since, and that are in it now or
were in it then."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from kpi.behind import Row, behind
from kpi.formulas import Mean, Median, Rate, Total
from kpi.narrowing import declared
from kpi.query import KpiQuery
from storage.as_known import as_known
from storage.history import touched

LOOKED_AT = 2000
"""Of the rows that changed since, the latest so many are looked at."""


@dataclass(frozen=True, slots=True)
class Moved:
    """A row before and after; None where it is not in the number. At least one of them is a row."""

    before: Row | None
    now: Row | None

    @property
    def row(self) -> Row:
        """As it is now, where it is still in the number."""
        row = self.now or self.before
        if row is None:
            raise ValueError("a row that moved a number is in it, or was")
        return row


def moved(connection: Connection, queries: Sequence[KpiQuery], since: datetime) -> list[Moved]:
    """What is behind the difference between these questions' values as they were known at `since` and as they are now,
    the rows that matter most first. The questions' own scope is kept: nothing is named that was not in their numbers.

    Empty where no single row explains it (an exchange rate, a team, a setting changed). Customers whose sales or
    contracts changed are not looked for one by one: of a retention, only those whose own row changed are named.
    The tables are copied as they were known (`storage.as_known`), once for all questions.
    """
    ids = {
        kind: touched(connection, queries[0].scope.workspace_id, kind, since, LOOKED_AT)
        for kind in {_kind(query) for query in queries}
    }
    asked = [(query, ids[_kind(query)]) for query in queries if ids[_kind(query)]]
    now = [_in_it(connection, query, only) for query, only in asked]
    with as_known(connection, queries[0].scope.workspace_id, since):
        then = [_in_it(connection, replace(query, as_known=since), only) for query, only in asked]
    found: dict[tuple[str, str], Moved] = {}
    for before, after in zip(then, now, strict=True):
        for key in before.keys() | after.keys():
            one, other = before.get(key), after.get(key)
            if one is None or other is None or _weight(one) != _weight(other):
                # What is gone from one number may still be in another one, and say there what became of it.
                known = found.get(key, Moved(None, None))
                found[key] = Moved(known.before or one, known.now or other)
    return sorted(found.values(), key=lambda each: (-abs(each.row.value_minor or 0), each.row.name, each.row.id))


def _kind(query: KpiQuery) -> str:
    _, reading = declared(query)
    match reading.formula:
        case Rate() | Mean() | Total() as formula:
            return formula.measures[0].population.table
        case Median(population):
            return population.table
        case _:
            return "customer"


def _in_it(connection: Connection, query: KpiQuery, only: frozenset[str]) -> dict[tuple[str, str], Row]:
    rows = behind(connection, query, limit=4 * LOOKED_AT, only=only).rows
    return {(row.kind, row.id): row for row in rows if row.counted}


def _weight(row: Row) -> tuple[object, ...]:
    """What of a row a number may depend on."""
    return row.status, row.value_minor, row.closed_on, row.created_on
