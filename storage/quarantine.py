"""Rows set aside, or kept with a flag: one line for each, until the row comes back well."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import insert
from storage.records import Problem
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


class Ledger:
    """The quarantine of one source during one sync."""

    def __init__(self, connection: Connection, workspace_id: str, source: str, now: datetime) -> None:
        self._workspace_id, self._source, self._now = workspace_id, source, now
        table = quarantine
        self._lines = {
            row.id: row
            for row in connection.execute(
                sa.select(
                    table.c.id, table.c.object, table.c.ext_id, table.c.place, table.c.details, table.c.payload
                ).where(table.c.workspace_id == workspace_id, table.c.source == source)
            )
        }
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

    def clear(self, connection: Connection, object_: str, loaded: set[str], finished: str | None) -> None:
        """Forget the lines of a `finished` place that were not seen again, and note those of rows that now load.

        `loaded` are ext ids. Another file of this sync may still say why one of them is in the quarantine, so those
        lines go only when the sync ends (`close`).
        """
        self._well.update(line.id for line in self._lines.values() if line.object == object_ and line.ext_id in loaded)
        if finished is not None:
            self._forget(connection, {line.id for line in self._lines.values() if _stands_in(line.place, finished)})

    def close(self, connection: Connection) -> None:
        """Forget the lines of rows that loaded in this sync and that none of its places spoke of."""
        self._forget(connection, self._well)

    def _forget(self, connection: Connection, ids: set[str]) -> None:
        gone = [line_id for line_id in ids if line_id in self._lines and line_id not in self._seen]
        if not gone:
            return
        mine = (quarantine.c.workspace_id == self._workspace_id, quarantine.c.id.in_(gone))
        connection.execute(sa.delete(quarantine).where(*mine))
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
