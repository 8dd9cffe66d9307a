"""Messages that Slack refuses for good, or that were too late: their owner is told once, in the same transaction.

Once a channel and reason: again only where something was delivered there meanwhile. Whoever cannot be told is told of
to the administrators.
"""

import logging
from collections.abc import Sequence

from sqlalchemy import Connection

from bot.conversation import Context
from bot.i18n import Language
from bot.jobs.notices import put
from bot.people import language_of
from bot.views.delivery import late_message, refused_message
from storage import outbox, people
from storage.database import reading
from storage.outbox import Letter, Outcome
from storage.workspaces import read_workspace

log = logging.getLogger(__name__)


Reader = tuple[str, Language]
"""A Slack user, and the language they are told in."""


def readers(context: Context, letter: Letter, outcome: Outcome) -> list[Reader]:
    """Who is to be told of a letter that is dead, or skipped because it was late: its owner; the administrators where
    there is none, or where it is the owner who cannot be reached. Asks Slack what they speak; nobody for any other
    outcome."""
    if outcome.state != "dead" and (outcome.state, outcome.error) != ("skipped", outbox.LATE):
        return []
    found = [letter.owner]
    if letter.owner is None or letter.owner == letter.channel_id:
        with reading(context.engine) as connection:
            admins = people.admins(connection, letter.workspace_id)
        found = [each.slack_user_id for each in admins if each.slack_user_id != letter.channel_id]
    if not found:
        log.warning("undelivered_told_to_nobody letter=%s", letter.id)
    return [(user_id, language_of(user_id, letter.workspace_id, context)) for user_id in found if user_id is not None]


def tell(connection: Connection, context: Context, letter: Letter, outcome: Outcome, told: Sequence[Reader]) -> None:
    """Put the letters about it, in the transaction that settles it."""
    if not told:
        return
    reason = outcome.error or outcome.state
    zone = read_workspace(connection, letter.workspace_id).zone
    since = outbox.last_sent(connection, letter.workspace_id, letter.channel_id) or ""
    for user_id, words in told:
        if reason == outbox.LATE:
            text, blocks = late_message(letter.channel_id, letter.kind, letter.due_at, zone, words)
        else:
            text, blocks = refused_message(letter.channel_id, reason, words)
        dedupe = f"undelivered:{letter.channel_id}:{reason}:{since}:{user_id}"
        put(connection, letter.workspace_id, dedupe, user_id, text, blocks, context.clock.now(), owner=user_id)
