"""Messages that Slack refuses for good, or that were too late: their owner is told once, in the same transaction.

Once a channel and reason: again only where something was delivered there meanwhile. Whoever cannot be told is told of
to the administrators.
"""

import logging

from sqlalchemy import Connection

from bot.conversation import Context
from bot.i18n import language
from bot.jobs.notices import put
from bot.views.delivery import late_message, refused_message
from storage import outbox, people
from storage.outbox import Letter, Outcome
from storage.workspaces import read_workspace

log = logging.getLogger(__name__)


def tell(connection: Connection, context: Context, letter: Letter, outcome: Outcome) -> None:
    """Put the letter about a letter that is dead, or skipped because it was late; nothing for any other outcome."""
    reason = outcome.error or outcome.state
    if outcome.state != "dead" and (outcome.state, reason) != ("skipped", outbox.LATE):
        return
    readers = _readers(connection, letter)
    if not readers:
        log.warning("undelivered_told_to_nobody letter=%s", letter.id)
        return
    workspace = read_workspace(connection, letter.workspace_id)
    since = outbox.last_sent(connection, letter.workspace_id, letter.channel_id) or ""
    for user_id, code in readers:
        words = language(code or workspace.language)
        if reason == outbox.LATE:
            text, blocks = late_message(letter.channel_id, letter.kind, letter.due_at, workspace.zone, words)
        else:
            text, blocks = refused_message(letter.channel_id, reason, words)
        dedupe = f"undelivered:{letter.channel_id}:{reason}:{since}:{user_id}"
        put(connection, letter.workspace_id, dedupe, user_id, text, blocks, context.clock.now(), owner=user_id)


def _readers(connection: Connection, letter: Letter) -> list[tuple[str, str | None]]:
    """Who is told, and in which language: the letter's owner; the administrators where there is none, or where it is
    the owner who cannot be reached."""
    if letter.owner is not None and letter.owner != letter.channel_id:
        link = people.read_link(connection, letter.workspace_id, letter.owner)
        return [(letter.owner, None if link is None else link.language)]
    admins = people.admins(connection, letter.workspace_id)
    return [(each.slack_user_id, each.language) for each in admins if each.slack_user_id != letter.channel_id]
