"""`/kpi retry`: what Slack had refused is looked for in its channel, and posted where it is not there."""

import re
from collections.abc import Sequence
from datetime import datetime

from bot.blocks import Ping, Run, bullets, paragraph
from bot.conversation import Action, Asked, Asker, Click, Command, Context, NotThere, Reply
from bot.i18n import Language
from bot.people import known
from bot.slack import SlackError
from bot.views.delivery import RETRY, why
from storage import outbox
from storage.database import reading, writing

_PLACE = re.compile(r"<[#@]([CGUW][A-Z0-9]+)(?:\|[^>]*)?>|\b([CGUW][A-Z0-9]{6,})\b")
_MOST = 10
"""Channels at a time: each is asked about."""


def run(asked: Asked, context: Context) -> Reply:
    found = _PLACE.search(asked.text)
    return _retry(asked, (found.group(1) or found.group(2)) if found else None, context)


def on_retry(click: Click, context: Context) -> Reply:
    return _retry(click, click.value, context)


def _retry(asker: Asker, place: str | None, context: Context) -> Reply:
    """Bring back what the asker may: an administrator everybody's, others their own."""
    _, now = asker.language._, context.clock.now()
    owner = None if known(asker, context).admin else asker.user_id
    with reading(context.engine) as connection:
        lots = outbox.lots(connection, asker.workspace_id, now, skipped_since=now, owner=owner)
    places = list(dict.fromkeys(lot.channel_id for lot in lots if lot.state == "dead"))
    if place is not None:
        places = [each for each in places if each == place]
    if not places:
        raise NotThere(_("Slack has refused no message of yours that could be posted again."))
    lines = [_revived(asker, each, owner, now, context) for each in places[:_MOST]]
    context.postman.ring()
    sentence = _("Each message is looked for first, and posted only where it is not there.")
    if len(places) > _MOST:
        sentence += " " + _("There are more channels: type it again for the next ones.")
    said = " ".join("".join(run for run in line if isinstance(run, str)) for line in lines)
    return Reply(f"{said} {sentence}", [bullets(lines), paragraph(sentence)])


def _revived(asker: Asker, place: str, owner: str | None, now: datetime, context: Context) -> list[Run]:
    """What became of the messages for one channel or person."""
    _, n = asker.language._, asker.language.n
    obstacle = _obstacle(place, context)
    if obstacle is not None:
        return [Ping(place), _(": "), why(obstacle, asker.language)]
    with writing(context.engine) as connection:
        revived = outbox.revive(connection, asker.workspace_id, place, now, owner)
    parts = []
    if revived.letters:
        parts.append(
            n("{count} message is on its way again.", "{count} messages are on their way again.", revived.letters)
        )
    if revived.late:
        parts.append(n("{count} was too old and is left out.", "{count} were too old and are left out.", revived.late))
    return [Ping(place), _(": "), " ".join(parts)]


def _obstacle(place: str, context: Context) -> str | None:
    """Slack's word for why nothing can be posted there still; None where it can, or where Slack does not say."""
    if place[:1] not in {"C", "G"}:
        return None
    try:
        channel = context.slack.channel(place)
    except SlackError as error:
        return error.code if error.code == "channel_not_found" else None
    return "is_archived" if channel.archived else None if channel.joined else "not_in_channel"


def _lines(language: Language) -> Sequence[tuple[str, str]]:
    return ((language._("retry"), language._("post again what Slack had refused")),)


COMMAND = Command(words=("retry", "reessayer", "renvoyer"), help=_lines, run=run)
ACTIONS = (Action(re.compile(re.escape(RETRY)), on_retry),)
