"""A source whose pages a test writes down, and a workspace to load it into."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine, Table

from storage.connectors.base import Suggestion
from storage.database import reading
from storage.records import Page, Record
from storage.sync import Report, load
from storage.workspaces import SINGLE, ensure_workspace

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass
class Told:
    """A connector that tells these pages, and then fails if it is given a failure."""

    told: Sequence[Page]
    source: str = "test"
    objects: Sequence[str] = ()
    failure: Exception | None = None
    between: Callable[[], None] = field(default=lambda: None)
    """Called before each page, as a network call would be."""

    def pages(self) -> Iterator[Page]:
        for page in self.told:
            self.between()
            yield page
        if self.failure is not None:
            raise self.failure

    def suggestions(self) -> Sequence[Suggestion]:
        return ()


def one_page(*records: Record, **more: Any) -> Told:
    return Told([Page(object=records[0].object, records=records, last=True, **more)])


def load_all(engine: Engine, connector: Told, *, now: datetime = NOW, **more: Any) -> Report:
    ensure_workspace(engine, now=NOW, time_zone="Europe/Paris", currency="EUR", language="fr")
    return load(engine, SINGLE, connector, now=now, **more)


def rows(engine: Engine, table: Table) -> list[dict[str, Any]]:
    """Every row of a table, in the order of its key."""
    with reading(engine) as connection:
        found = connection.execute(sa.select(table).order_by(*table.primary_key.columns)).mappings()
        return [dict(row) for row in found]
