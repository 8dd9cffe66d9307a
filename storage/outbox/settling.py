"""How a letter's attempt ended is written down: by who made it, or by Slack's echo of the message."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection

from storage import pace
from storage.database import moment
from storage.outbox.letters import WAITING, Letter, Outcome
from storage.schema import letter


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
    if outcome.stop:
        # Slack did not even look at it.
        values["attempts"] = claimed.attempts - 1
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
    if outcome.stop:
        pace.stop(connection, claimed.workspace_id, claimed.token, outcome.stop)
    return result.rowcount == 1


def release(connection: Connection, claimed: Letter) -> bool:
    """Gives back a claimed letter of which no byte has left: due again at once. For a shutdown."""
    return settle(connection, claimed, Outcome("unknown" if claimed.doubtful else "pending", channel_rest=0))


def edit_again(connection: Connection, claimed: Letter) -> None:
    """An edit that was another's by the time it was made may have taken the place of a later one: the last edit of the
    message is made once more, also where it is just being made (whoever does that has lost it then)."""
    edits = (
        letter.c.workspace_id == claimed.workspace_id,
        letter.c.edits == claimed.edits,
        letter.c.state.in_(("sent", *WAITING)),
    )
    last = sa.select(letter.c.id).where(*edits).order_by(letter.c.created_at.desc()).limit(1)
    connection.execute(
        sa.update(letter)
        .where(*edits, letter.c.id == last.scalar_subquery())
        .values(state="pending", token=None, lease_until=None)
    )


def heard(connection: Connection, workspace_id: str, letter_id: str, channel_id: str, ts: str) -> str | None:
    """Slack says that this letter's message stands in a channel (`ts`, its receipt): the letter is sent, whatever it
    was. Gives back that receipt where the letter has another one: it is its second message, which is to be deleted.

    Saying it again gives the same again, until it is deleted: the letter keeps the receipt it has, by which its message
    is edited and answered. A message elsewhere than in the letter's channel is not the letter.
    """
    mine = (letter.c.workspace_id == workspace_id, letter.c.id == letter_id)
    columns = (letter.c.state, letter.c.ts, letter.c.channel_id)
    row = connection.execute(sa.select(*columns).where(*mine).with_for_update()).one_or_none()
    # What is sent to a person stands in the direct message with them, which has an id of its own.
    if row is None or (row.channel_id != channel_id and not channel_id.startswith("D")):
        return None
    if row.state == "sent":
        return None if row.ts == ts else ts
    values = {"state": "sent", "ts": ts, "error": None, "token": None, "lease_until": None}
    connection.execute(sa.update(letter).where(*mine).values(values))
    return None
