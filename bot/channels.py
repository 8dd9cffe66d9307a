"""A channel that something is to be posted in: is the bot there, and who would read it?"""

from dataclasses import replace

from bot.blocks import actions, button, clean, paragraph
from bot.conversation import Asker, Context, NotThere, Refusal
from bot.i18n import Language
from bot.slack import Channel, SlackError

JOIN = "channel.join"
_MOST_LISTED = 1000
_MOST_LOOKED_UP = 25


class NotJoined(Refusal):
    """The bot is not in the channel; its blocks hold the way in."""


def ready(asker: Asker, channel_id: str, context: Context) -> Channel:
    """The channel with its readers counted, once it is sure that the bot can post there.

    Raises `NotJoined` with an invite button or instruction, `NotThere` for archived channels and direct messages
    between other people.
    """
    _ = asker.language._
    try:
        channel = context.slack.channel(channel_id)
    except SlackError as error:
        if error.code in {"channel_not_found", "missing_scope"}:
            raise _invite(None, asker.language) from None
        raise Refusal(_("Slack does not answer about this channel just now. Please try again in a minute.")) from None
    if channel.archived:
        raise NotThere(_("#{channel} is archived.", channel=clean(channel.name, 80)))
    if channel.direct:
        raise NotThere(_("This is a direct message: choose a channel."))
    if not channel.joined:
        raise _invite(channel, asker.language)
    return _with_readers(channel, context)


def audience(channel: Channel, language: Language) -> str:
    """Who will see a message in a channel that is `ready`, in sentences: how many, guests and strangers among them."""
    _, n = language._, language.n
    called = clean(channel.name, 80)
    if channel.members is None:
        said = [_("Everybody in #{channel} will see it.", channel=called)]
    else:
        said = [
            n(
                "{count} person in #{channel} will see it.",
                "{count} people in #{channel} will see it.",
                channel.members,
                channel=called,
            )
        ]
    if channel.guests:
        said.append(n("{count} of them is a guest.", "{count} of them are guests.", channel.guests))
    if channel.shared:
        said.append(_("People of other organisations are among them."))
    elif not channel.private:
        said.append(_("Any member of the workspace can join and read it."))
    return " ".join(said)


def _with_readers(channel: Channel, context: Context) -> Channel:
    """The channel with its readers counted: without the bot, and how many are guests where it is small enough."""
    if channel.members is None or channel.members > _MOST_LISTED:
        return channel
    try:
        bot = context.slack.identity().get("user_id")
        readers = [user for user in context.slack.members(channel.id) if user != bot]
        few = readers if len(readers) <= _MOST_LOOKED_UP else []
        guests = sum(not context.slack.user(user).member for user in few)
    except SlackError:
        return channel
    return replace(channel, members=len(readers), guests=guests)


def _invite(channel: Channel | None, language: Language) -> NotJoined:
    _ = language._
    if channel is not None and not channel.private:
        sentence = _("I am not in #{channel} yet, so I cannot post there.", channel=clean(channel.name, 80))
        join = button(_("Add Vigie to the channel"), JOIN, channel.id, style="primary")
        return NotJoined(sentence, [paragraph(sentence), actions([join])])
    sentence = _("I am not in this channel, so I cannot post there: type “/invite @Vigie” in it, then try again.")
    return NotJoined(sentence, [paragraph(sentence)])
