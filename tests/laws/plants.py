"""Bugs to plant: each is what somebody might really write, and lasts as long as its context."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Table

from kpi.buckets import batches, state
from kpi.buckets.moves import Moves, Put
from storage import books, cursors, history, leases, listing, upsert
from storage.connectors.base import Walk
from storage.database import insert, writing
from storage.records import Page, Record
from storage.rows import Frame, Row
from storage.running import Run

folding = import_module("kpi.buckets.fold")
"""The room; the package's own `fold` is the function in it."""


@contextmanager
def patched(owner: Any, name: str, value: Any) -> Iterator[None]:
    there = owner.__dict__[name]
    setattr(owner, name, value)
    try:
        yield
    finally:
        setattr(owner, name, there)


@contextmanager
def look_back_removed() -> Iterator[None]:
    """Changes are read from where the last run began: what showed late is never read."""
    nothing = property(lambda _walk: timedelta(0), lambda _walk, _value: None)
    with patched(Walk, "look_back", nothing):
        yield


@contextmanager
def guard_removed() -> Iterator[None]:
    """Whatever comes last wins, also what is older."""

    def write(connection: Connection, table: Table, rows: list[Row]) -> None:
        statement = insert(connection, table)
        told = {name: statement.excluded[name] for name in table.c.keys() if name not in {"workspace_id", "id"}}  # noqa: SIM118
        connection.execute(statement.on_conflict_do_update(index_elements=["workspace_id", "id"], set_=told), rows)

    with patched(upsert, "_is_older", lambda _row, _before: False), patched(upsert, "_write", write):
        yield


@contextmanager
def position_ahead_of_its_page() -> Iterator[None]:
    """The position is written first and the page after it: a kill in between loses the page."""
    there = Run.settle

    def settle(run: Run, page: Page, walk: Walk | None, **more: Any) -> Any:
        if walk is not None and not page.last and page.object == walk.object:
            with writing(run._engine) as connection:  # noqa: SLF001
                cursors.write(
                    connection, run.workspace_id, run.source, page.object, {"position": page.position.to_json()}
                )
        return there(run, page, walk, **more)

    with patched(Run, "settle", settle):
        yield


@contextmanager
def twenty_percent_rule_removed() -> Iterator[None]:
    """A listing is believed whatever it lacks."""
    with patched(listing, "vanishing", lambda *_: None):
        yield


@contextmanager
def listing_forgets_what_it_told_before_a_kill() -> Iterator[None]:
    """What is listed after a kill is taken for all there is."""
    there = Run.start

    def start(run: Run, walk: Walk) -> Any:
        position = there(run, walk)
        listing.clean(run._engine, run.workspace_id, run.source, walk.object)  # noqa: SLF001
        return position

    with patched(Run, "start", start), patched(listing, "vanishing", lambda *_: None):
        yield


@contextmanager
def merges_forgotten() -> Iterator[None]:
    """Who took a row over is not written down."""

    def row_of(record: Record, frame: Frame) -> Row:
        return there(replace(record, merged_into=None), frame)

    there = books.row_of
    with patched(books, "row_of", row_of):
        yield


@contextmanager
def lease_not_renewed() -> Iterator[None]:
    """A run that slept past its lease goes on writing."""
    with patched(leases, "renew", lambda *_: None), patched(leases, "release", lambda *_: None):
        yield


@contextmanager
def content_looks_new_each_time() -> Iterator[None]:
    """The hash of a row takes in what is not its content."""

    def row_of(record: Record, frame: Frame) -> Row:
        return there(record, frame) | {"payload_hash": uuid.uuid4().hex}

    there = books.row_of
    with patched(books, "row_of", row_of):
        yield


@contextmanager
def history_forgets_amounts() -> Iterator[None]:
    """A field is left out of the history."""
    there = history.changed_fields

    def changed_fields(change: Any) -> Any:
        return {name: pair for name, pair in there(change).items() if name not in {"amount_minor", "value_minor"}}

    with patched(history, "changed_fields", changed_fields):
        yield


@contextmanager
def what_is_due_is_forgotten() -> Iterator[None]:
    """Rows that change while the buckets are being built are not noted."""
    with patched(state, "note_due", lambda *_: None):
        yield


@contextmanager
def old_tallies_stay_added() -> Iterator[None]:
    """What a row no longer adds is not taken away."""
    there: Callable[[str, Moves], list[Put]] = folding.puts

    def puts(workspace_id: str, moves: Moves) -> list[Put]:
        return there(workspace_id, replace(moves, gone=[]))

    with patched(folding, "puts", puts), patched(batches, "puts", puts):
        yield
