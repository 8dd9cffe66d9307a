"""What the sync remembers of its own work: cursors, runs, change history, quarantine."""

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Column, Index, Named, Table, TypedColumns

from storage.schema.base import Instant, metadata


class cursor_columns(TypedColumns):
    """How far each (source, object) has been read, and since when it is known to be complete."""

    workspace_id = Column(sa.Text, primary_key=True)
    source = Column(sa.Text, primary_key=True)
    object = Column(sa.Text, primary_key=True)
    position: Named[str]
    """Opaque to everyone but the connector (JSON)."""
    complete_at = Column(Instant, nullable=True)
    """The source was read to its end at this moment: the `as_of` of every answer."""


class run_columns(TypedColumns):
    """One sync of one source."""

    workspace_id = Column(sa.Text, primary_key=True)
    id = Column(sa.Text, primary_key=True)
    source: Named[str]
    started_at = Column(Instant, nullable=False)
    ended_at = Column(Instant, nullable=True)
    outcome: Named[str | None]
    """`ok`, `failed`, or null while running."""
    seen: Named[int]
    new: Named[int]
    changed: Named[int]
    quarantined: Named[int]
    error: Named[str | None]


class change_columns(TypedColumns):
    """One field of one row that changed: append-only."""

    workspace_id = Column(sa.Text, primary_key=True)
    id = Column(sa.Text, primary_key=True)
    source: Named[str]
    object: Named[str]
    object_id: Named[str]
    field: Named[str]
    old: Named[str | None]
    new: Named[str | None]
    seen_at: Named[datetime] = Column(Instant)


class quarantine_columns(TypedColumns):
    """A row that was set aside, or kept with a flag, and why."""

    workspace_id = Column(sa.Text, primary_key=True)
    id = Column(sa.Text, primary_key=True)
    """Deterministic (source, place, field, reason): the same bad row read twice is one line."""
    source: Named[str]
    object: Named[str]
    ext_id: Named[str | None]
    place: Named[str]
    """Where a person finds it: `deals.csv, row 12`."""
    field: Named[str | None]
    reason: Named[str]
    """A stable code of `storage.problems`; the sentence is made in the reader's language."""
    details: Named[str]
    """JSON object with the values that the sentence needs."""
    payload: Named[str]
    """JSON object: the row as read."""
    kept: Named[bool]
    """True: the row was loaded and flagged; false: it was set aside."""
    first_seen_at = Column(Instant, nullable=False)


cursor = Table("cursor", metadata, cursor_columns)
run = Table("run", metadata, run_columns)
change = Table("change", metadata, change_columns)
quarantine = Table("quarantine", metadata, quarantine_columns)

Index(None, change.c.workspace_id, change.c.field, change.c.object_id)
