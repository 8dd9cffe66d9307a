"""The outbox: letters are written in the transaction of their cause, then claimed, posted and settled one by one.

Letters are claimed by whoever gets their channel's lease, and the claim is committed before the first byte leaves; so a
row in `sending` says "perhaps posted". Whatever ends without a clear answer becomes `unknown` and is looked up in the
channel's history before it is ever posted again. Edits in place may be repeated: they are idempotent.

Two clocks: an occurrence is due by the caller's; who holds a letter, and when one that was put off may be taken again,
goes by the database's clock alone, which all replicas share.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from storage import pace
from storage.database import insert, moment
from storage.schema import letter

LEASE_SECONDS = 60
"""For how long a claimed letter belongs to who claimed it; several times the deadline of one HTTP attempt."""

LOOK_AFTER_SECONDS = 45
"""How long after a doubtful attempt the channel's history is trusted to show the message."""

_WAITING = ("pending", "sending", "unknown")

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
    """How an attempt ended: the state to store, the receipt, the reason.

    `rest` is after how many seconds the letter may be taken again, `channel_rest` when its channel takes the next one,
    `cost` what it costs of its workspace's budget (`storage.pace`).
    """

    state: str
    ts: str | None = None
    error: str | None = None
    rest: float = 0
    channel_rest: float = pace.GAP
    cost: float = 0


def sent(ts: str) -> Outcome:
    return Outcome("sent", ts=ts)


def later(seconds: float, error: str, channel_rest: float = pace.GAP) -> Outcome:
    """Certainly not posted: again after so many seconds."""
    return Outcome("pending", error=error, rest=seconds, channel_rest=channel_rest)


def put_off(seconds: float, error: str) -> Outcome:
    """Slack wants less: nothing of the channel for so many seconds."""
    return Outcome("pending", error=error, rest=seconds, channel_rest=max(seconds, pace.GAP), cost=pace.REFUSED)


def doubtful(seconds: float, error: str) -> Outcome:
    """Perhaps posted: look into the channel after so many seconds."""
    return Outcome("unknown", error=error, rest=seconds)


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
    thread: str | None = None,
    owner: str | None = None,
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
            thread=thread,
            owner=owner,
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


def claim(connection: Connection, now: datetime, most: int) -> list[Letter]:
    """Takes at most so many of the letters that are due at `now`, each in another channel. Commit before anything
    leaves for Slack.

    Alerts go before digests, then the oldest. A channel with a letter in flight waits, and so does a workspace whose
    budget is spent (`storage.pace`). An edit waits for the message it edits, and for earlier edits of it.
    """
    found = [dict(row) for row in connection.execute(_due(now).limit(most)).mappings()]
    if not found:
        return []
    token = uuid.uuid4().hex
    entered = pace.enter(connection, _within_budget(found), token, LEASE_SECONDS)
    taken: list[Letter] = []
    costs: dict[str, float] = defaultdict(float)
    for row in found:
        channel = (row["workspace_id"], row["channel_id"])
        if channel in entered:
            entered.remove(channel)
            costs[row["workspace_id"]] += _cost(row)
            taken.append(_letter(row, token))
    pace.spend(connection, costs, token)
    looks = [(each.workspace_id, each.id) for each in taken if each.doubtful]
    sends = [(each.workspace_id, each.id) for each in taken if not each.doubtful]
    tried = {"attempts": letter.c.attempts + 1, "last_try_at": moment(0)}
    for keys, values in ((looks, {"state": "unknown"}), (sends, {"state": "sending", **tried})):
        if keys:
            connection.execute(
                sa.update(letter)
                .where(sa.tuple_(letter.c.workspace_id, letter.c.id).in_(keys))
                .values(token=token, lease_until=moment(LEASE_SECONDS), **values)
            )
    return taken


def _due(now: datetime) -> sa.Select[*tuple[Any, ...]]:
    """Which letters may be taken, in their order; where rows are locked, another replica's are passed over."""
    edited, earlier = letter.alias("edited"), letter.alias("earlier")
    return (
        sa.select(letter, edited.c.ts.label("edits_ts"))
        .outerjoin(edited, sa.and_(edited.c.workspace_id == letter.c.workspace_id, edited.c.id == letter.c.edits))
        .where(
            letter.c.state.in_(_WAITING),
            letter.c.due_at <= now,
            sa.or_(letter.c.lease_until.is_(None), letter.c.lease_until <= moment(0)),
            pace.may_leave(letter.c.workspace_id, letter.c.channel_id),
            sa.or_(letter.c.edits.is_(None), edited.c.state.in_(["sent", "dead", "skipped"])),
            ~sa.exists().where(
                earlier.c.workspace_id == letter.c.workspace_id,
                earlier.c.edits == letter.c.edits,
                earlier.c.created_at < letter.c.created_at,
                earlier.c.state.in_(_WAITING),
            ),
        )
        .order_by(_ALERTS_FIRST, letter.c.due_at, letter.c.id)
        .with_for_update(of=letter, skip_locked=True)
    )


def _within_budget(found: Sequence[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """The channels of those letters for which their workspace's budget suffices."""
    spent: dict[str, float] = defaultdict(float)
    channels: set[tuple[str, str]] = set()
    for row in found:
        channel = (row["workspace_id"], row["channel_id"])
        if channel not in channels and spent[row["workspace_id"]] < pace.AHEAD:
            spent[row["workspace_id"]] += _cost(row)
            channels.add(channel)
    return channels


def _looks(row: Mapping[str, Any]) -> bool:
    return row["state"] != "pending" and row["edits"] is None


def _cost(row: Mapping[str, Any]) -> float:
    return pace.LOOK if _looks(row) else pace.POST


def _letter(row: Mapping[str, Any], token: str) -> Letter:
    look = _looks(row)
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


def settle(connection: Connection, claimed: Letter, outcome: Outcome) -> bool:
    """Writes down how it ended; false when the claim had been lost to somebody else, and nothing was written."""
    values: dict[str, Any] = {
        "state": outcome.state,
        "error": outcome.error,
        "token": None,
        "lease_until": moment(outcome.rest) if outcome.rest else None,
    }
    if outcome.ts is not None:
        values["ts"] = outcome.ts
    result = connection.execute(
        sa.update(letter)
        .where(
            letter.c.workspace_id == claimed.workspace_id,
            letter.c.id == claimed.id,
            letter.c.token == claimed.token,
        )
        .values(values)
    )
    pace.leave(connection, claimed.workspace_id, claimed.channel_id, claimed.token, outcome.channel_rest)
    if outcome.cost:
        pace.spend(connection, {claimed.workspace_id: outcome.cost}, claimed.token)
    return result.rowcount == 1


def release(connection: Connection, claimed: Letter) -> bool:
    """Gives back a claimed letter of which no byte has left: due again at once. For a shutdown."""
    return settle(connection, claimed, Outcome("unknown" if claimed.doubtful else "pending", channel_rest=0))


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
