"""How long each transaction holds SQLite's write lock, by what wrote it: the worst against the 50 ms that are promised.

What is measured runs from the moment the lock is had to the moment it is given back; a checkpoint that SQLite makes
after its commit, when the lock is free again, is part of the figure all the same.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

PROMISED = 0.050
"""Seconds."""


@dataclass
class Locks:
    """Seconds of every write transaction, and what each wrote: the verbs and tables of its statements, in order."""

    held: list[tuple[float, str]] = field(default_factory=list)

    @property
    def worst(self) -> tuple[float, str]:
        return max(self.held, default=(0.0, ""))

    def kinds(self) -> dict[str, list[float]]:
        """By what they wrote, the longest kind first."""
        found: dict[str, list[float]] = {}
        for seconds, wrote in self.held:
            found.setdefault(wrote, []).append(seconds)
        return dict(sorted(found.items(), key=lambda kind: -max(kind[1])))


@contextmanager
def watched(engine: Engine) -> Iterator[Locks]:
    """Every write transaction of this engine while the block lasts."""
    locks = Locks()
    open_: dict[int, tuple[float, list[str]]] = {}

    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get("vigie_writing"):
            open_[id(connection.connection.dbapi_connection)] = (time.perf_counter(), [])

    def execute(connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        if (seen := open_.get(id(connection.connection.dbapi_connection))) is not None:
            first = statement.split(None, 3)
            if first[0] in {"INSERT", "UPDATE", "DELETE"}:
                table = first[1] if first[0] == "UPDATE" else first[2]
                if not seen[1] or seen[1][-1] != table:
                    seen[1].append(table)

    def given_back(raw: Any, _record: Any) -> None:
        if (seen := open_.pop(id(raw), None)) is not None:
            locks.held.append((time.perf_counter() - seen[0], " ".join(dict.fromkeys(seen[1]))))

    # `begin` comes after the engine's own, which waits for the lock.
    heard = (("begin", begin), ("before_cursor_execute", execute))
    for name, hear in heard:
        sa.event.listen(engine, name, hear)
    sa.event.listen(engine.pool, "checkin", given_back)
    try:
        yield locks
    finally:
        for name, hear in heard:
            sa.event.remove(engine, name, hear)
        sa.event.remove(engine.pool, "checkin", given_back)
