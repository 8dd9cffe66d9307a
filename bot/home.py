"""Where a person meets Vigie without a command: the Home tab, and the greeting in messages and mentions."""

from bot import commands
from bot.blocks import Bold, divider, header, paragraph
from bot.conversation import Asker, Context, Refusal, Reply
from bot.month import month_blocks
from bot.people import known
from bot.views.help import EXAMPLES, help_reply


def greet(asker: Asker, _context: Context) -> Reply:
    """What is said back to a direct message or a mention: where to ask."""
    _ = asker.language._
    command, example = _("/kpi help"), f"/kpi {EXAMPLES[asker.language.code][0]}"
    text = _("Hello! Ask me with {example}; {command} says all that I know.", example=example, command=command)
    return Reply(
        text,
        [paragraph(_("Hello! Ask me for a sales figure:"), " ", Bold(example), "\n", _("All that I know:"), " ",
                   Bold(command))],
    )  # fmt: skip


def publish(asker: Asker, context: Context) -> None:
    """Fill the Home tab: my month, then what can be asked."""
    _ = asker.language._
    try:
        mine = month_blocks(known(asker, context), context)
    except Refusal as refusal:
        mine = [*(refusal.blocks or [paragraph(refusal.sentence)])]
    blocks = [header(_("My month")), *mine, divider(), *help_reply(asker.language, commands.commands()).blocks]
    context.slack.publish_home(asker.user_id, {"type": "home", "blocks": blocks[:100]})
