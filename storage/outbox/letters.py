"""What a letter is, and how an attempt to deliver it may end."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from storage import pace

LEASE_SECONDS = 60
"""For how long a claimed letter belongs to who claimed it; several times the deadline of one HTTP attempt."""

LOOK_AFTER_SECONDS = 45
"""How long after a doubtful attempt Slack's record is trusted to show the message."""

CATCH_UP = {"alert": timedelta(hours=2), "digest": timedelta(hours=24)}
"""By kind: a message that is later than this is not posted any more. The others are never too late."""

LATE = "late"
"""Why such a letter was skipped."""

UNPOSTED = "unposted"
"""Why a letter was skipped whose message to edit, or to answer in the thread of, is not there; its reason follows."""

WAITING = ("pending", "sending", "unknown")

_NAMESPACE = uuid.UUID("6f0c1d1e-3a0d-4d5e-9a0f-2f6f3d0b7c11")


@dataclass(frozen=True, slots=True)
class Letter:
    """A claimed letter. `doubtful`: it may be in the channel already; look there, do not post.

    `edits` is the id of the letter whose message is to be replaced, `thread` of the one in whose thread this one goes,
    `edits_ts` and `thread_ts` their receipts: None when that letter was never posted; `unposted` then says why.
    """

    workspace_id: str
    id: str
    kind: str
    channel_id: str
    payload: Mapping[str, Any]
    chart: Mapping[str, Any] | None
    edits: str | None
    edits_ts: str | None
    thread: str | None
    thread_ts: str | None
    unposted: str | None
    owner: str | None
    attempts: int
    token: str
    due_at: datetime
    created_at: datetime
    doubtful: bool
    late: bool
    """It is past its catch-up time, and not in the channel."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended: the state to store, the receipt, the reason.

    `rest` is after how many seconds the letter may be taken again, `channel_rest` when its channel takes the next one,
    `cost` what it costs of its workspace's budget (`storage.pace`), `stop` for how many seconds nothing of its
    workspace leaves.
    """

    state: str
    ts: str | None = None
    error: str | None = None
    rest: float = 0
    channel_rest: float = pace.GAP
    cost: float = 0
    stop: float = 0


def sent(ts: str) -> Outcome:
    return Outcome("sent", ts=ts)


def later(seconds: float, error: str, channel_rest: float = pace.GAP) -> Outcome:
    """Certainly not posted: again after so many seconds."""
    return Outcome("pending", error=error, rest=seconds, channel_rest=channel_rest)


def put_off(seconds: float, error: str) -> Outcome:
    """Slack wants less: nothing of the channel for so many seconds."""
    return Outcome("pending", error=error, rest=seconds, channel_rest=max(seconds, pace.GAP), cost=pace.REFUSED)


def doubtful(seconds: float, error: str, cost: float = 0) -> Outcome:
    """Perhaps posted: look into the channel after so many seconds."""
    return Outcome("unknown", error=error, rest=seconds, cost=cost)


def stopped(seconds: float, error: str) -> Outcome:
    """Slack takes nothing at all of this workspace: the letter is as it was, and all of them wait so many seconds."""
    return Outcome("pending", error=error, channel_rest=0, stop=seconds)


def dead(error: str) -> Outcome:
    """Slack refused for good."""
    return Outcome("dead", error=error)


def skipped(reason: str) -> Outcome:
    return Outcome("skipped", error=reason)


def letter_id(workspace_id: str, dedupe: str) -> str:
    """The id of a letter follows from its identity, so that even a restored backup recognises what it had posted."""
    return uuid.uuid5(_NAMESPACE, f"{workspace_id}\n{dedupe}").hex
