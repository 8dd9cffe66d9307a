"""Letters to the administrators about the data: put once per episode, in the transaction of their cause."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import Connection

from bot.blocks import Block, paragraph, spoken
from bot.i18n import Language, language
from storage import outbox, people
from storage.workspaces import read_workspace

log = logging.getLogger(__name__)

KIND = "notice"


def tell_admins(
    connection: Connection, workspace_id: str, episode: str, say: Callable[[Language], str], now: datetime
) -> None:
    """A direct message to each administrator, in their language; nothing where this episode was told before."""
    workspace = read_workspace(connection, workspace_id)
    admins = people.admins(connection, workspace_id)
    for admin in admins:
        post(
            connection,
            workspace_id,
            f"{episode}:{admin.slack_user_id}",
            admin.slack_user_id,
            say(language(admin.language or workspace.language)),
            now,
        )
    if not admins:
        log.warning("notice_to_nobody workspace=%s", workspace_id)


def post(connection: Connection, workspace_id: str, dedupe: str, channel_id: str, text: str, now: datetime) -> None:
    """One such letter; `channel_id` may be a person's id: Slack then opens the direct message."""
    put(connection, workspace_id, dedupe, channel_id, spoken(text), [paragraph(text)], now)


def put(
    connection: Connection,
    workspace_id: str,
    dedupe: str,
    channel_id: str,
    text: str,
    blocks: Sequence[Block],
    now: datetime,
    *,
    owner: str | None = None,
) -> None:
    """One such letter, as it is shown; `text` is safe already (`bot.blocks.spoken`)."""
    outbox.put(
        connection,
        workspace_id=workspace_id,
        dedupe=f"{KIND}:{dedupe}",
        kind=KIND,
        channel_id=channel_id,
        payload={"text": text, "blocks": list(blocks)},
        now=now,
        owner=owner,
    )
