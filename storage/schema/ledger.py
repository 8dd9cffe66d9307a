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
    """A `storage.records.Position`, as JSON."""
    complete_at = Column(Instant, nullable=True)
    """Confirmed complete up to this moment: the `as_of` of every answer."""
    listed_at = Column(Instant, nullable=True)
    """When a complete listing was last compared with what is stored."""
    trouble: Named[str | None]
    """JSON: why this object waits (`code` of `storage.troubles` and the values of its sentence); null = it does not."""


class run_columns(TypedColumns):
    """One sync of one source."""

    workspace_id = Column(sa.Text, primary_key=True)
    id = Column(sa.Text, primary_key=True)
    source: Named[str]
    started_at = Column(Instant, nullable=False)
    ended_at = Column(Instant, nullable=True)
    outcome: Named[str | None]
    """`ok`, `partial` (to go on later, or one object waits), `failed`, or null while running."""
    full: Named[bool]
    """Everything was listed and compared, not only changes read."""
    seen: Named[int]
    new: Named[int]
    changed: Named[int]
    deleted: Named[int]
    quarantined: Named[int]
    requests: Named[int]
    """Requests spent on the CRM, retries included."""
    completed: Named[str]
    """JSON: each object of the source to the moment up to which it was complete after this run (`cursor.complete_at`),
    null where it never was."""
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


class source_columns(TypedColumns):
    """A connected source: how to reach it and how it is."""

    workspace_id = Column(sa.Text, primary_key=True)
    source = Column(sa.Text, primary_key=True)
    options: Named[str]
    """JSON: the connector's options that are no secrets."""
    secrets: Named[str]
    """The others, as JSON encrypted with the keys of the settings (Fernet)."""
    account: Named[str]
    """Whom the credentials belong to, as the CRM said when connecting."""
    state: Named[str]
    """`ready`, `refused` (credentials), `stopped` (by a person)."""
    state_since = Column(Instant, nullable=False)
    due_at = Column(Instant, nullable=False)
    """When it is synced next."""
    failures: Named[int]
    """Runs in a row that failed: the pause before the next one grows with them."""
    listed_at = Column(Instant, nullable=True)
    """When the last listing of everything was ordered: by the night, or because rows mean something else now."""
    created_by: Named[str | None]
    """Slack user id; null = from the command line."""
    created_at = Column(Instant, nullable=False)


class stage_decision_columns(TypedColumns):
    """What a person decided that a stage means; it beats the CRM's own word."""

    workspace_id = Column(sa.Text, primary_key=True)
    source = Column(sa.Text, primary_key=True)
    stage = Column(sa.Text, primary_key=True)
    """Ext id of the stage."""
    status: Named[str]
    """`open`, `won`, `lost` or `dormant`."""
    decided_at = Column(Instant, nullable=False)


class lease_columns(TypedColumns):
    """Who is doing something that only one may do at a time, and until when at the latest (the database's clock)."""

    workspace_id = Column(sa.Text, primary_key=True)
    name = Column(sa.Text, primary_key=True)
    """`sync:<source>`."""
    holder: Named[str]
    until = Column(Instant, nullable=False)


class hint_columns(TypedColumns):
    """A webhook's word that a row may have changed, until the row has been read again."""

    workspace_id = Column(sa.Text, primary_key=True)
    source = Column(sa.Text, primary_key=True)
    event_id = Column(sa.Text, primary_key=True)
    object: Named[str]
    ext_id: Named[str]
    received_at = Column(Instant, nullable=False)
    settled_at = Column(Instant, nullable=True)
    """When the row was read again; kept a while, so that a late duplicate is known."""


class listed_columns(TypedColumns):
    """What the listing under way has told so far: a row that it does not tell is gone, and its sums are compared."""

    workspace_id = Column(sa.Text, primary_key=True)
    source = Column(sa.Text, primary_key=True)
    object = Column(sa.Text, primary_key=True)
    ext_id = Column(sa.Text, primary_key=True)
    month: Named[str | None]
    """Of a deal: `YYYY-MM` of its creation, as told; null = not told, or no deal."""
    currency: Named[str | None]
    amount_minor: Named[int | None] = Column(sa.BigInteger, nullable=True)


cursor = Table("cursor", metadata, cursor_columns)
run = Table("run", metadata, run_columns)
change = Table("change", metadata, change_columns)
quarantine = Table("quarantine", metadata, quarantine_columns)
source = Table("source", metadata, source_columns)
stage_decision = Table("stage_decision", metadata, stage_decision_columns)
lease = Table("lease", metadata, lease_columns)
hint = Table("hint", metadata, hint_columns)
listed = Table("listed", metadata, listed_columns)

Index(None, run.c.workspace_id, run.c.source, run.c.started_at)
Index(None, hint.c.workspace_id, hint.c.source, hint.c.settled_at)
Index(None, change.c.workspace_id, change.c.field, change.c.object_id)
