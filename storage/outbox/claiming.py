"""Letters that may leave now are claimed, a channel and a budget at a time."""

import json
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from storage import pace
from storage.database import moment
from storage.outbox.letters import LEASE_SECONDS, UNPOSTED, WAITING, Letter
from storage.outbox.putting import is_late
from storage.schema import letter

_ALERTS_FIRST = sa.case((letter.c.kind == "alert", 0), else_=1)


def claim(connection: Connection, now: datetime, most: int) -> list[Letter]:
    """Takes at most so many of the letters that are due at `now`, each in another channel. Commit before anything
    leaves for Slack.

    Alerts go before digests, then the oldest. A channel with a letter in flight waits, and so does a workspace whose
    budget is spent (`storage.pace`). An edit waits for the message it edits, and for earlier edits of it; an answer in
    a thread for the message that the thread belongs to.
    """
    found = [dict(row) for row in connection.execute(_due(), {"now": now, "most": most}).mappings()]
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
            taken.append(_letter(row, token, now))
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


@cache
def _due() -> sa.Select[*tuple[Any, ...]]:
    """Which letters may be taken at `now`, at `most`, in their order; where rows are locked, another replica's are
    passed over. Made once: it is asked every second, and takes longer to make than to run."""
    first, earlier = letter.alias("first"), letter.alias("earlier")
    follows = sa.func.coalesce(letter.c.edits, letter.c.thread)
    return (
        sa.select(letter, first.c.ts.label("first_ts"), first.c.state.label("first_state"), first.c.error.label("why"))
        .outerjoin(first, sa.and_(first.c.workspace_id == letter.c.workspace_id, first.c.id == follows))
        .where(
            letter.c.state.in_(WAITING),
            letter.c.due_at <= sa.bindparam("now", type_=letter.c.due_at.type),
            sa.or_(letter.c.lease_until.is_(None), letter.c.lease_until <= moment(0)),
            pace.may_leave(letter.c.workspace_id, letter.c.channel_id),
            sa.or_(first.c.state.is_(None), first.c.state.not_in(WAITING)),
            ~sa.exists().where(
                earlier.c.workspace_id == letter.c.workspace_id,
                earlier.c.edits == letter.c.edits,
                earlier.c.created_at < letter.c.created_at,
                earlier.c.state.in_(WAITING),
            ),
        )
        .order_by(_ALERTS_FIRST, letter.c.due_at, letter.c.id)
        .limit(sa.bindparam("most", type_=sa.Integer()))
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


def _letter(row: Mapping[str, Any], token: str, now: datetime) -> Letter:
    look, posted = _looks(row), row["first_state"] == "sent"
    follows = row["edits"] is not None or row["thread"] is not None
    why = (row["why"] or row["first_state"] or "").removeprefix(f"{UNPOSTED}: ")
    return Letter(
        workspace_id=row["workspace_id"],
        id=row["id"],
        kind=row["kind"],
        channel_id=row["channel_id"],
        payload=json.loads(row["payload"]),
        chart=None if row["chart"] is None else json.loads(row["chart"]),
        edits=row["edits"],
        edits_ts=row["first_ts"] if posted and row["edits"] is not None else None,
        thread=row["thread"],
        thread_ts=row["first_ts"] if posted and row["edits"] is None else None,
        unposted=f"{UNPOSTED}: {why}" if follows and not posted else None,
        owner=row["owner"],
        attempts=row["attempts"] + (not look),
        token=token,
        due_at=row["due_at"],
        created_at=row["created_at"],
        doubtful=look,
        late=not look and row["edits"] is None and is_late(row["kind"], row["due_at"], now),
    )
