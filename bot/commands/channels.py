"""The button that lets Vigie into a public channel."""

import re

from bot.blocks import clean, paragraph
from bot.channels import JOIN
from bot.conversation import Action, Click, Context, Refusal, Reply
from bot.outcome import Sent
from bot.people import known


def on_join(click: Click, context: Context) -> Reply:
    _ = click.language._
    known(click, context)
    outcome = context.slack.call("conversations.join", channel=click.value)
    if not isinstance(outcome, Sent):
        raise Refusal(_("Slack did not let me in: type “/invite @Vigie” in the channel."))
    channel = clean((outcome.data.get("channel") or {}).get("name", ""), 80)
    sentence = _("I am in #{channel} now. Please try again.", channel=channel)
    return Reply(sentence, [paragraph(sentence)], replace=True)


ACTIONS = (Action(re.compile(re.escape(JOIN)), on_join),)
