"""A source whose pages a test writes down, and a workspace to load it into."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Engine, Table

from storage.connectors.base import Suggestion, Walk
from storage.database import reading
from storage.records import Gone, Page, Position, Record
from storage.sync import Report, load
from storage.workspaces import SINGLE, ensure_workspace

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass
class Told:
    """A connector that tells these pages, each object's in a walk of its own, and then fails if given a failure."""

    told: Sequence[Page]
    source: str = "test"
    failure: Exception | None = None
    between: Callable[[], None] = field(default=lambda: None)
    """Called before each page, as a network call would be."""
    again: dict[str, Record] = field(default_factory=dict)
    """What is there when an id is read again; what is not is gone."""
    first_seen: bool = False
    spent: int = 0
    began_at: dict[str, Position] = field(default_factory=dict)
    """Object to the position that its last walk was given."""

    @property
    def walks(self) -> Sequence[Walk]:
        objects = dict.fromkeys(page.object for page in self.told)
        look_back = timedelta(minutes=15)
        return [Walk(object=name, key="modified", look_back=look_back, first_seen=self.first_seen) for name in objects]

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:
        self.began_at[walk.object] = position
        for page in self.told:
            if page.object == walk.object:
                self.between()
                self.spent += 1
                after = position.done() if page.last else replace(page.position, began=position.began)
                yield replace(page, position=after)
        if self.failure is not None:
            raise self.failure

    def reread(self, object_: str, ext_ids: Sequence[str]) -> Page:
        self.between()
        self.spent += 1
        there = [self.again[ext_id] for ext_id in ext_ids if ext_id in self.again]
        gone = [Gone(object=object_, ext_id=ext_id) for ext_id in ext_ids if ext_id not in self.again]
        return Page(object=object_, records=there, gone=gone)

    def suggestions(self) -> Sequence[Suggestion]:
        return ()


def one_page(*records: Record, **more: Any) -> Told:
    return Told([Page(object=records[0].object, records=records, last=True, **more)])


def listing(*records: Record, object_: str = "deal", **more: Any) -> Told:
    """All that the source has of an object, in pages of two."""
    some = [records[start : start + 2] for start in range(0, len(records), 2)] or [()]
    whole = [
        Page(object=object_, records=page, listing=True, last=number == len(some), position=_after(number))
        for number, page in enumerate(some, start=1)
    ]
    return Told(whole, **more)


def _after(page: int) -> Position:
    return Position(token=str(page))


def load_all(engine: Engine, connector: Told, *, now: datetime = NOW, **more: Any) -> Report:
    ensure_workspace(engine, now=NOW, time_zone="Europe/Paris", currency="EUR", language="fr")
    return load(engine, SINGLE, connector, now=now, **more)


def rows(engine: Engine, table: Table) -> list[dict[str, Any]]:
    """Every row of a table, in the order of its key."""
    with reading(engine) as connection:
        found = connection.execute(sa.select(table).order_by(*table.primary_key.columns)).mappings()
        return [dict(row) for row in found]
