"""What some rows added to the buckets and what they add now, and the rows of the derived tables that follow from it."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Table

from kpi.buckets.adding import Row
from storage.database import put as write_rows


@dataclass(frozen=True, slots=True)
class Moves:
    """Tallies of one family that no longer hold, and those that hold now."""

    family: str
    gone: list[Row]
    come: list[Row]

    @property
    def left(self) -> list[str]:
        """The ids of rows that have no tally any more."""
        stay = {row[1] for row in self.come}
        return [row[1] for row in self.gone if row[1] not in stay]


def moves_of(family: str, stored: Iterable[Row], told: Iterable[Row]) -> Moves:
    """From the tallies as they are stored and as the facts tell them, of the same rows."""
    before, after = {row[1]: row for row in stored}, {row[1]: row for row in told}
    gone = [row for key, row in before.items() if after.get(key) != row]
    come = [row for key, row in sorted(after.items()) if before.get(key) != row]
    return Moves(family, gone, come)


@dataclass(frozen=True, slots=True)
class Put:
    """Rows that are written, or added to those that are there (see `storage.database.put`)."""

    table: Table
    columns: tuple[str, ...] | None
    rows: Sequence[Row]
    adding: bool = False

    def write(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Write some of the rows."""
        write_rows(connection, self.table, rows, columns=self.columns, adding=self.adding)


def between(writes: Iterable[Put], first: int, end: int) -> Iterator[tuple[Put, Sequence[Row]]]:
    """Of all rows of these writes, one after the other, those of [first, end)."""
    begins = 0
    for put in writes:
        part = put.rows[max(first - begins, 0) : max(end - begins, 0)]
        if part:
            yield put, part
        begins += len(put.rows)
