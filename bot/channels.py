"""A channel that something is to be posted in: is the bot there, and who would read it?"""

from bot.blocks import actions, button, clean, paragraph
from bot.conversation import Asker, Context, NotThere, Refusal
from bot.i18n import Language
from bot.slack import Channel, SlackError

JOIN = "channel.join"


class NotJoined(Refusal):
    """The bot is not in the channel; its blocks hold the way in."""


def ready(asker: Asker, channel_id: str, context: Context) -> Channel:
    """The channel, once it is sure that the bot can post there.

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
    return channel


def audience(channel: Channel, language: Language) -> str:
    """Who will see a message there, in one sentence."""
    _ = language._
    called = clean(channel.name, 80)
    # The bot itself reads nothing.
    readers = None if channel.members is None else max(0, channel.members - 1)
    if readers is None:
        sentence = _("Everybody in #{channel} will see it.", channel=called)
    else:
        sentence = language.n(
            "{count} person in #{channel} will see it.", "{count} people in #{channel} will see it.", readers,
            channel=called,
        )  # fmt: skip
    if channel.shared:
        sentence = f"{sentence} {_('People of other organisations are among them.')}"
    elif not channel.private:
        sentence = f"{sentence} {_('Any member of the workspace can join and read it.')}"
    return sentence


def _invite(channel: Channel | None, language: Language) -> NotJoined:
    _ = language._
    if channel is not None and not channel.private:
        sentence = _("I am not in #{channel} yet, so I cannot post there.", channel=clean(channel.name, 80))
        join = button(_("Add Vigie to the channel"), JOIN, channel.id, style="primary")
        return NotJoined(sentence, [paragraph(sentence), actions([join])])
    sentence = _("I am not in this channel, so I cannot post there: type “/invite @Vigie” in it, then try again.")
    return NotJoined(sentence, [paragraph(sentence)])
