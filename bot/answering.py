"""The one wrapper in which every command, click and mention runs, and the ladder by which its answer arrives.

Typed errors become sentences; anything else becomes a reference number that stands in the log too. The number and its
sentence always arrive: when Slack refuses the blocks, plainer ones are tried, and the bare text last.
"""

import logging
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from bot import blocks
from bot.conversation import Asker, Block, Context, Refusal, Reply
from bot.inbox import Unsaid
from bot.outcome import Later, Outcome, Refused, Sent, Unclear
from bot.views.errors import explain

log = logging.getLogger(__name__)

MOST_POSTS = 3
"""Of the five that a response_url allows: two stay for the buttons of the answer."""
_SHAPE = ("block", "payload", "attachment", "no_text", "format")
"""Words in Slack's refusals that mean "this form", not "this place"."""


AGAIN_SECONDS = 15.0
"""After so long, an answer of which nobody knows whether it arrived is given again."""
LONGEST_SECONDS = 120.0
"""An answer that Slack puts off is not left alone for longer."""


def run(asker: Asker, work: Callable[[], Reply | None], context: Context, *, directly: bool = False) -> Unsaid | None:
    """Do the work and deliver what it says; `directly` = by direct message, wherever it was asked.

    Never raises: what went wrong is said and logged. Gives back an answer that has not arrived and may yet.
    """
    reply = outcome_of(asker, work)
    if reply is None:
        return None
    return _say(replace(asker, response_url=None, channel_id="") if directly else asker, reply, context)


def _say(asker: Asker, reply: Reply, context: Context) -> Unsaid | None:
    try:
        outcome = deliver(asker, reply, context)
    except Exception:
        log.exception("delivery_failed user=%s", asker.user_id)
        return None
    match outcome:
        case Unclear():
            seconds = AGAIN_SECONDS
        case Later():
            seconds = min(outcome.seconds, LONGEST_SECONDS)
        case _:
            return None
    return Unsaid(lambda: _say(asker, reply, context), seconds)


def outcome_of(asker: Asker, work: Callable[[], Reply | None]) -> Reply | None:
    """What the work says, or the sentence of what it raised."""
    try:
        return work()
    except Refusal as refusal:
        log.info("refused kind=%s user=%s", type(refusal).__name__, asker.user_id)
        return Reply(refusal.sentence, refusal.blocks)
    except Exception as error:
        known = explain(error, asker.language)
        if known is not None:
            log.info("refused kind=%s user=%s", type(error).__name__, asker.user_id)
            return known
        reference = secrets.token_hex(4)
        log.exception("unexpected_error reference=%s user=%s", reference, asker.user_id)
        _ = asker.language._
        return Reply(_("Something went wrong, and it is not your fault. Reference: {reference}", reference=reference))


def deliver(asker: Asker, reply: Reply, context: Context) -> Outcome:
    """Show the reply to the asker, in the richest form that Slack takes."""
    outcome: Outcome = Refused("nothing_sent")
    for posts, form in enumerate(_forms(reply), start=1):
        outcome = _send(asker, reply, form, context)
        if isinstance(outcome, Sent):
            break
        if isinstance(outcome, Refused) and any(word in outcome.code for word in _SHAPE):
            log.warning("blocks_refused step=%d code=%s", posts, outcome.code)
            continue
        if isinstance(outcome, Refused) and asker.response_url and asker.channel_id:
            # The response_url has expired or was used up: the person is still there.
            text = blocks.spoken(reply.text)
            outcome = context.slack.ephemeral(asker.channel_id, asker.user_id, text, form)
            break
        # Lost or delayed: a private answer may be given again, it cannot be read back. The plainest form is surest.
        if isinstance(outcome, Later) and outcome.seconds > 1:
            break
    if not isinstance(outcome, Sent):
        log.error("answer_not_delivered user=%s outcome=%r", asker.user_id, outcome)
    return outcome


def _forms(reply: Reply) -> Iterator[Sequence[Block]]:
    forms = [reply.blocks, *reply.ladder]
    forms = [form for form in forms if form][: MOST_POSTS - 1]
    yield from forms
    yield ()


def _send(asker: Asker, reply: Reply, form: Sequence[Block], context: Context) -> Outcome:
    text = blocks.spoken(reply.text)
    if asker.response_url:
        return context.slack.respond(asker.response_url, text, form, ephemeral=reply.ephemeral, replace=reply.replace)
    if asker.channel_id.startswith("D"):
        return context.slack.post(asker.channel_id, text, form)
    if asker.channel_id:
        return context.slack.ephemeral(asker.channel_id, asker.user_id, text, form)
    return context.slack.post(asker.user_id, text, form)
