"""Rows set aside, or kept with a flag: one line for each, until the row comes back well."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import insert
from storage.records import Page, Problem
from storage.rows import Row
from storage.schema import quarantine


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the quarantine, as a reader needs it."""

    source: str
    object: str
    ext_id: str | None
    place: str
    field: str | None
    reason: str
    """A stable code of `storage.problems`."""
    details: Mapping[str, str]
    payload: Mapping[str, str]
    kept: bool
    first_seen_at: datetime


def read_quarantine(connection: Connection, workspace_id: str) -> list[Line]:
    """Every line, rows set aside first, then by place."""
    table = quarantine
    found = connection.execute(
        sa.select(table).where(table.c.workspace_id == workspace_id).order_by(table.c.kept, table.c.place, table.c.id)
    )
    lines = [
        Line(
            row.source,
            row.object,
            row.ext_id,
            row.place,
            row.field,
            row.reason,
            json.loads(row.details),
            json.loads(row.payload),
            row.kept,
            row.first_seen_at,
        )
        for row in found
    ]
    return sorted(lines, key=lambda line: (line.kept, line.object, _by_number(line.place)))


def _by_number(place: str) -> tuple[str, int]:
    """`deals.csv, row 9` before `deals.csv, row 12`."""
    head, _, number = place.rpartition(" ")
    return (head, int(number)) if number.isdigit() else (place, 0)


def _stands_in(place: str, table: str) -> bool:
    return place.startswith(f"{table}, row ")


class _Noted(NamedTuple):
    """What a sync needs to know of a line."""

    id: str
    object: str
    ext_id: str | None
    place: str
    details: str
    payload: str
    kept: bool


class Ledger:
    """The quarantine of one source during one sync."""

    def __init__(self, connection: Connection, workspace_id: str, source: str, now: datetime) -> None:
        self._workspace_id, self._source, self._now = workspace_id, source, now
        table = quarantine
        columns = (table.c[name] for name in _Noted._fields)
        mine = (table.c.workspace_id == workspace_id, table.c.source == source)
        self._lines = {row.id: _Noted(*row) for row in connection.execute(sa.select(*columns).where(*mine))}
        self._seen: set[str] = set()
        self._well: set[str] = set()
        self.cleared = 0

    def rows(self, problems: Iterable[Problem]) -> list[Row]:
        """The lines that these problems make and that are not there yet, or say something else."""
        rows: dict[str, Row] = {}
        for problem in problems:
            row = self._row(problem)
            self._seen.add(row["id"])
            known = self._lines.get(row["id"])
            if known is None or (known.details, known.payload) != (row["details"], row["payload"]):
                rows[row["id"]] = row
        return list(rows.values())

    def write(self, connection: Connection, rows: Sequence[Row]) -> None:
        if not rows:
            return
        statement = insert(connection, quarantine)
        told = ("ext_id", "details", "payload", "kept")
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["workspace_id", "id"], set_={name: statement.excluded[name] for name in told}
            ),
            rows,
        )
        self._lines |= {row["id"]: _Noted(*(row[name] for name in _Noted._fields)) for row in rows}

    def clear(self, connection: Connection, page: Page, *, at_once: bool) -> None:
        """Forget the lines of a finished place that were not seen again, and those of rows that are well or gone.

        Where another file of this sync may still say why one of them is in the quarantine, its lines go only when the
        sync ends (`left`), else `at_once`.
        """
        settled = {record.ext_id for record in page.records} | {told.ext_id for told in page.gone}
        well = {line.id for line in self._lines.values() if line.object == page.object and line.ext_id in settled}
        if at_once:
            self.forget(connection, well - {self._row(problem)["id"] for problem in page.problems})
        else:
            self._well |= well
        self.forget(connection, self.finished(page))

    def finished(self, page: Page) -> list[str]:
        """Lines of the place that this page is the last of, which this sync did not see again."""
        if page.finishes is None:
            return []
        return sorted({line.id for line in self._lines.values() if _stands_in(line.place, page.finishes)} - self._seen)

    def aside(self, object_: str) -> int:
        """Rows of this object that are set aside."""
        return len({line.place for line in self._lines.values() if line.object == object_ and not line.kept})

    def ext_ids(self, object_: str) -> set[str]:
        """Of the rows of this object that have a line."""
        return {line.ext_id for line in self._lines.values() if line.object == object_ and line.ext_id is not None}

    def of(self, object_: str, ext_ids: set[str]) -> list[str]:
        """The lines of these rows."""
        return sorted(line.id for line in self._lines.values() if line.object == object_ and line.ext_id in ext_ids)

    def left(self) -> list[str]:
        """When the sync ends: the lines of rows that loaded in it and that none of its places spoke of."""
        return sorted((self._well - self._seen) & self._lines.keys())

    def forget(self, connection: Connection, ids: Iterable[str]) -> None:
        """These lines are no more."""
        gone = sorted(set(ids) & self._lines.keys())
        for start in range(0, len(gone), 500):
            some = quarantine.c.id.in_(gone[start : start + 500])
            connection.execute(sa.delete(quarantine).where(quarantine.c.workspace_id == self._workspace_id, some))
        self.cleared += len(gone)
        for line_id in gone:
            del self._lines[line_id]

    def _row(self, problem: Problem) -> Row:
        identity = (self._source, problem.object, problem.place, problem.field or "", problem.reason)
        return {
            "workspace_id": self._workspace_id,
            "id": hashlib.blake2b("\x1f".join(identity).encode(), digest_size=16).hexdigest(),
            "source": self._source,
            "object": problem.object,
            "ext_id": problem.ext_id,
            "place": problem.place,
            "field": problem.field,
            "reason": problem.reason,
            "details": json.dumps(dict(problem.details), ensure_ascii=False, sort_keys=True),
            "payload": json.dumps(dict(problem.payload), ensure_ascii=False),
            "kept": problem.kept,
            "first_seen_at": self._now,
        }
