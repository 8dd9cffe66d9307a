"""How fast letters may leave for Slack: one in flight and one a second for each channel, a budget for each workspace.

Both are rows of `lease`, by the database's clock, so that all replicas together keep to them. A channel's row is held
by the letter in flight, then rests. A workspace's row says up to when its budget is spent: every letter moves it on by
what it costs, and while it is more than `AHEAD` seconds from now, nothing of that workspace leaves.
"""

from collections.abc import Iterable, Mapping

import sqlalchemy as sa
from sqlalchemy import Column, ColumnElement, Connection

from storage.database import insert, moment, moment_after
from storage.leases import take_free
from storage.schema import lease

GAP = 1
"""Seconds from the end of one letter to the beginning of the next in a channel: Slack's own limit."""

POST, LOOK, REFUSED = 0.005, 1.2, 1.0
"""Seconds of its workspace's budget: for a letter, for a look into a channel's history (Slack grants 50 a minute), for
a letter that Slack put off. How many messages a workspace may post, Slack says only by putting some off: one delays its
channel alone, several at once slow the workspace down."""

AHEAD = 3.0
"""Seconds of the budget that may be spent in one go: Slack tolerates short bursts."""

_BUDGET = "posts"


def may_leave(workspace_id: Column[str], channel_id: Column[str]) -> ColumnElement[bool]:
    """Whether nothing is in flight in a channel and it has rested, and its workspace's budget is not spent."""
    lane, budget = lease.alias("lane"), lease.alias("budget")
    return sa.and_(
        ~sa.exists().where(
            lane.c.workspace_id == workspace_id,
            lane.c.name == sa.literal("channel:") + channel_id,
            lane.c.until > moment(0),
        ),
        ~sa.exists().where(
            budget.c.workspace_id == workspace_id, budget.c.name == _BUDGET, budget.c.until > moment(AHEAD)
        ),
    )


def enter(
    connection: Connection, channels: Iterable[tuple[str, str]], holder: str, seconds: int
) -> set[tuple[str, str]]:
    """Hold, for so many seconds at most, those of the channels (workspace, id) that are free; gives them back."""
    names = {(workspace_id, f"channel:{channel_id}") for workspace_id, channel_id in channels}
    taken = take_free(connection, names, holder, seconds)
    return {(workspace_id, name.removeprefix("channel:")) for workspace_id, name in taken}


def leave(connection: Connection, workspace_id: str, channel_id: str, holder: str, rest: float) -> None:
    """The letter is no longer in flight: the channel rests for so many seconds. Nothing where it is another's now."""
    held = (lease.c.workspace_id == workspace_id, lease.c.name == f"channel:{channel_id}", lease.c.holder == holder)
    connection.execute(sa.update(lease).where(*held).values(until=moment(rest)))


def spend(connection: Connection, costs: Mapping[str, float], holder: str) -> None:
    """Spend so many seconds of each workspace's budget."""
    if not costs:
        return
    cost = sa.bindparam("cost", type_=sa.Float())
    statement = insert(connection, lease).values(
        workspace_id=sa.bindparam("workspace_id"), name=_BUDGET, holder=holder, until=moment(cost)
    )
    more = sa.case((lease.c.until > moment(0), moment_after(lease.c.until, cost)), else_=statement.excluded.until)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["workspace_id", "name"], set_={"until": more}),
        # In one order, as the channels before them: two replicas that spend never wait for each other.
        [{"workspace_id": workspace_id, "cost": costs[workspace_id]} for workspace_id in sorted(costs)],
    )


def stop(connection: Connection, workspace_id: str, holder: str, seconds: float) -> None:
    """Nothing of the workspace leaves for so many seconds; said by several at once, it is said once."""
    statement = insert(connection, lease).values(
        workspace_id=workspace_id, name=_BUDGET, holder=holder, until=moment(AHEAD + seconds)
    )
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["workspace_id", "name"],
            set_={"until": statement.excluded.until},
            where=lease.c.until < statement.excluded.until,
        )
    )
