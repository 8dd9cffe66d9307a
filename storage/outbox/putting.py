"""Letters are put, taken back, doubted after a restore, and brought back from the dead."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import insert, moment
from storage.outbox.letters import CATCH_UP, LATE, LOOK_AFTER_SECONDS, UNPOSTED, letter_id
from storage.schema import letter

FRESH = timedelta(minutes=5)
"""What is put later than this after it was due may have been posted before: a commit was lost, or a backup put back."""


def put(
    connection: Connection,
    *,
    workspace_id: str,
    dedupe: str,
    kind: str,
    channel_id: str,
    payload: Mapping[str, Any],
    now: datetime,
    due_at: datetime | None = None,
    chart: Mapping[str, Any] | None = None,
    edits: str | None = None,
    thread: str | None = None,
    owner: str | None = None,
    state: str = "pending",
    error: str | None = None,
) -> str:
    """Writes a letter inside the caller's transaction and returns its id; one that exists already is left alone.

    `payload` holds `text` and `blocks`; `chart` what the postman draws, or None. `due_at` is the moment it is meant
    for (None: now): one to come is waited for; one more than five minutes ago makes the letter doubtful, and it is
    looked for before it is posted. `edits` is the id of the letter whose message this one replaces, `thread` of the one
    in whose thread it is posted: both wait until that one is. `owner` is the Slack user who is told where it cannot be
    delivered (None: the administrators). `state` is `pending`, or `skipped` to record an occurrence that will not be
    posted, with `error` as its reason.
    """
    identifier = letter_id(workspace_id, dedupe)
    due_at = now if due_at is None else due_at
    doubted = state == "pending" and now - due_at > FRESH
    connection.execute(
        insert(connection, letter)
        .values(
            workspace_id=workspace_id,
            id=identifier,
            dedupe=dedupe,
            kind=kind,
            channel_id=channel_id,
            edits=edits,
            thread=thread,
            owner=owner,
            payload=json.dumps(payload, ensure_ascii=False),
            chart=None if chart is None else json.dumps(chart, ensure_ascii=False),
            due_at=due_at,
            state="unknown" if doubted else state,
            # Who forgot it may have posted it a moment ago.
            lease_until=moment(LOOK_AFTER_SECONDS) if doubted else None,
            attempts=0,
            error=error,
            # By the clock that all replicas share: in this order a message is edited.
            created_at=moment(0),
        )
        .on_conflict_do_nothing(index_elements=["workspace_id", "dedupe"])
    )
    return identifier


def withdraw(connection: Connection, workspace_id: str, letter_id: str, reason: str) -> bool:
    """A letter that is not under way, and certainly not posted, becomes `skipped`; false where it may be too late."""
    result = connection.execute(
        sa.update(letter)
        .where(letter.c.workspace_id == workspace_id, letter.c.id == letter_id, letter.c.state == "pending")
        .values(state="skipped", error=reason, lease_until=None)
    )
    return result.rowcount == 1


def doubt(connection: Connection, workspace_id: str, now: datetime) -> None:
    """Every letter that is due may have been posted already, because this database is an older one put back: each is
    looked up first."""
    waiting = (letter.c.workspace_id == workspace_id, letter.c.state.in_(["pending", "sending"]))
    values = {"state": "unknown", "token": None, "lease_until": None}
    connection.execute(sa.update(letter).where(*waiting, letter.c.due_at <= now).values(values))


@dataclass(frozen=True, slots=True)
class Revived:
    """How many dead letters are on their way again, and how many were too old for it."""

    letters: int
    late: int


def revive(
    connection: Connection, workspace_id: str, channel_id: str, now: datetime, owner: str | None = None
) -> Revived:
    """Bring a channel's dead letters back, to be looked for first; with `owner`, only that person's.

    Those past their catch-up time become `skipped`, and so do edits that a later one has overtaken. What was skipped
    because a letter that is brought back was not there comes back with it.
    """
    mine = [letter.c.workspace_id == workspace_id, letter.c.channel_id == channel_id, letter.c.state == "dead"]
    if owner is not None:
        mine.append(letter.c.owner == owner)
    rows = connection.execute(sa.select(letter.c.id, letter.c.kind, letter.c.edits, letter.c.due_at).where(*mine)).all()
    late = [row.id for row in rows if row.edits is None and is_late(row.kind, row.due_at, now)]
    back = [row.id for row in rows if row.id not in set(late)]
    _become(connection, workspace_id, late, "skipped", LATE)
    _become(connection, workspace_id, back, "unknown", None)
    following = connection.scalars(
        sa.select(letter.c.id).where(
            letter.c.workspace_id == workspace_id,
            letter.c.state == "skipped",
            letter.c.error.startswith(UNPOSTED),
            sa.or_(letter.c.edits.in_(back), letter.c.thread.in_(back)),
        )
    ).all()
    _become(connection, workspace_id, following, "pending", None)
    overtaken = letter.alias("overtaken")
    connection.execute(
        sa.update(letter)
        .where(
            letter.c.workspace_id == workspace_id,
            letter.c.id.in_(back),
            sa.exists().where(
                overtaken.c.workspace_id == workspace_id,
                overtaken.c.edits == letter.c.edits,
                overtaken.c.created_at > letter.c.created_at,
                overtaken.c.state == "sent",
            ),
        )
        .values(state="skipped", error="overtaken")
    )
    return Revived(len(back), len(late))


def is_late(kind: str, due_at: datetime, now: datetime) -> bool:
    """Whether a message of this kind is too old to be posted."""
    return kind in CATCH_UP and now - due_at > CATCH_UP[kind]


def _become(connection: Connection, workspace_id: str, ids: Sequence[str], state: str, error: str | None) -> None:
    if ids:
        connection.execute(
            sa.update(letter)
            .where(letter.c.workspace_id == workspace_id, letter.c.id.in_(ids))
            .values(state=state, error=error, token=None, lease_until=None)
        )
