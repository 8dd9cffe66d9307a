"""The outbox: letters are written in the transaction of their cause, then claimed, posted and settled one by one.

A letter is claimed by a conditional UPDATE whose row count says who won, and the claim is committed before the first
byte leaves; so a row in `sending` says "perhaps posted". Whatever ends without a clear answer becomes `unknown` and is
looked up in the channel's history before it is ever posted again. Edits in place may be repeated: they are idempotent.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from storage.database import insert
from storage.schema import letter

LEASE = timedelta(seconds=60)
"""For how long a claimed letter belongs to who claimed it; several times the deadline of one HTTP attempt."""

LOOK_AFTER = timedelta(seconds=45)
"""How long after a doubtful attempt the channel's history is trusted to show the message."""

_NAMESPACE = uuid.UUID("6f0c1d1e-3a0d-4d5e-9a0f-2f6f3d0b7c11")
_ALERTS_FIRST = sa.case((letter.c.kind == "alert", 0), else_=1)


@dataclass(frozen=True, slots=True)
class Letter:
    """A claimed letter. `doubtful`: it may be in the channel already; look there, do not post.

    `edits` is the id of the letter whose message is to be replaced, and `edits_ts` its receipt: None when that letter
    was never posted, and there is nothing to edit.
    """

    workspace_id: str
    id: str
    kind: str
    channel_id: str
    payload: Mapping[str, Any]
    chart: Mapping[str, Any] | None
    edits: str | None
    edits_ts: str | None
    attempts: int
    token: str
    created_at: datetime
    doubtful: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: the state to store, the receipt, the reason, and when the letter is due again."""

    state: str
    ts: str | None = None
    error: str | None = None
    due_at: datetime | None = None


def sent(ts: str) -> Outcome:
    return Outcome("sent", ts=ts)


def later(due_at: datetime, error: str) -> Outcome:
    """Certainly not posted: again at `due_at`."""
    return Outcome("pending", error=error, due_at=due_at)


def doubtful(look_at: datetime, error: str) -> Outcome:
    """Perhaps posted: look into the channel at `look_at`."""
    return Outcome("unknown", error=error, due_at=look_at)


def dead(error: str) -> Outcome:
    """Slack refused for good."""
    return Outcome("dead", error=error)


def skipped(reason: str) -> Outcome:
    return Outcome("skipped", error=reason)


def letter_id(workspace_id: str, dedupe: str) -> str:
    """The id of a letter follows from its identity, so that even a restored backup recognises what it had posted."""
    return uuid.uuid5(_NAMESPACE, f"{workspace_id}\n{dedupe}").hex


def put(
    connection: Connection,
    *,
    workspace_id: str,
    dedupe: str,
    kind: str,
    channel_id: str,
    payload: Mapping[str, Any],
    now: datetime,
    chart: Mapping[str, Any] | None = None,
    edits: str | None = None,
    state: str = "pending",
    error: str | None = None,
) -> str:
    """Writes a letter inside the caller's transaction and returns its id; one that exists already is left alone.

    `payload` holds `text` and `blocks`; `chart` what the postman draws, or None; `edits` the id of the letter whose
    message this one replaces. `state` is `pending`, or `skipped` to record an occurrence that will not be posted.
    """
    identifier = letter_id(workspace_id, dedupe)
    connection.execute(
        insert(connection, letter)
        .values(
            workspace_id=workspace_id,
            id=identifier,
            dedupe=dedupe,
            kind=kind,
            channel_id=channel_id,
            edits=edits,
            payload=json.dumps(payload, ensure_ascii=False),
            chart=None if chart is None else json.dumps(chart, ensure_ascii=False),
            due_at=now,
            state=state,
            attempts=0,
            error=error,
            created_at=now,
        )
        .on_conflict_do_nothing(index_elements=["workspace_id", "dedupe"])
    )
    return identifier


def claim(connection: Connection, now: datetime) -> Letter | None:
    """Takes the next letter that is due, or None. Commit before anything leaves for Slack.

    Alerts go before digests, then the oldest. An edit waits for the message it edits, and for earlier edits of it.
    """
    edited = letter.alias("edited")
    earlier = letter.alias("earlier")
    expired = sa.and_(letter.c.state == "sending", letter.c.lease_until < now)
    candidates = connection.execute(
        sa.select(letter, edited.c.ts.label("edits_ts"))
        .outerjoin(edited, sa.and_(edited.c.workspace_id == letter.c.workspace_id, edited.c.id == letter.c.edits))
        .where(
            sa.or_(sa.and_(letter.c.state.in_(["pending", "unknown"]), letter.c.due_at <= now), expired),
            sa.or_(letter.c.edits.is_(None), edited.c.state.in_(["sent", "dead", "skipped"])),
            ~sa.exists().where(
                earlier.c.workspace_id == letter.c.workspace_id,
                earlier.c.edits == letter.c.edits,
                earlier.c.created_at < letter.c.created_at,
                earlier.c.state.in_(["pending", "sending", "unknown"]),
            ),
        )
        .order_by(_ALERTS_FIRST, letter.c.due_at, letter.c.id)
        .limit(20)
    ).mappings()
    for row in candidates.all():
        token = uuid.uuid4().hex
        look = row["state"] != "pending" and row["edits"] is None
        taken = connection.execute(
            sa.update(letter)
            .where(
                letter.c.workspace_id == row["workspace_id"],
                letter.c.id == row["id"],
                letter.c.state == row["state"],
                letter.c.token.is_not_distinct_from(row["token"]),
            )
            .values(
                state="unknown" if look else "sending",
                token=token,
                lease_until=now + LEASE,
                due_at=now + LEASE,
                attempts=row["attempts"] + (not look),
                last_try_at=row["last_try_at"] if look else now,
            )
        )
        if taken.rowcount == 1:
            return Letter(
                workspace_id=row["workspace_id"],
                id=row["id"],
                kind=row["kind"],
                channel_id=row["channel_id"],
                payload=json.loads(row["payload"]),
                chart=None if row["chart"] is None else json.loads(row["chart"]),
                edits=row["edits"],
                edits_ts=row["edits_ts"],
                attempts=row["attempts"] + (not look),
                token=token,
                created_at=row["created_at"],
                doubtful=look,
            )
    return None


def settle(connection: Connection, claimed: Letter, outcome: Outcome) -> bool:
    """Writes down how it ended; false when the claim had been lost to somebody else, and nothing was written."""
    values: dict[str, Any] = {
        "state": outcome.state,
        "error": outcome.error,
        "token": None,
        "lease_until": None,
    }
    if outcome.ts is not None:
        values["ts"] = outcome.ts
    if outcome.due_at is not None:
        values["due_at"] = outcome.due_at
    result = connection.execute(
        sa.update(letter)
        .where(
            letter.c.workspace_id == claimed.workspace_id,
            letter.c.id == claimed.id,
            letter.c.token == claimed.token,
        )
        .values(values)
    )
    return result.rowcount == 1


def release(connection: Connection, claimed: Letter, now: datetime) -> bool:
    """Gives back a claimed letter of which no byte has left: due again at once. For a shutdown."""
    given_back = Outcome("unknown" if claimed.doubtful else "pending", due_at=now)
    return settle(connection, claimed, given_back)


def doubt(connection: Connection, workspace_id: str, now: datetime) -> None:
    """Every letter that waits may have been posted already, because this database is an older one put back: each is
    looked up first."""
    waiting = (letter.c.workspace_id == workspace_id, letter.c.state.in_(["pending", "sending"]))
    values = {"state": "unknown", "due_at": now, "token": None, "lease_until": None}
    connection.execute(sa.update(letter).where(*waiting).values(values))


def counts(connection: Connection, workspace_id: str) -> dict[str, int]:
    """How many letters are in each state."""
    rows = connection.execute(
        sa.select(letter.c.state, sa.func.count().label("count_"))
        .where(letter.c.workspace_id == workspace_id)
        .group_by(letter.c.state)
    )
    return {row.state: row.count_ for row in rows}
