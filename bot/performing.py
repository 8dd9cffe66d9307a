"""What was heard, done: one command, click, event or echo, from what the inbox keeps of it.

It may be done a second time, where the process died before it was written down as done: answers are then given again,
and what changes anything finds it changed.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bot import commands
from bot.answering import run
from bot.blocks import paragraph
from bot.conversation import Action, Asked, Asker, Click, Command, Context, Reply
from bot.home import greet, publish
from bot.inbox import Heard, LaterError, Unsaid
from bot.outcome import Later, Refused, Unclear
from bot.people import language_of
from kpi.words.folding import fold
from storage import outbox
from storage.database import writing

log = logging.getLogger(__name__)

QUESTION = "ask"
"""The command that answers whatever names no other command."""
ECHO_SECONDS = 10.0
"""After so long, a doubled message that could not be deleted is deleted."""
_QUOTED = 200

Performed = Callable[[Heard], Unsaid | None]


def performer(context: Context) -> Performed:
    """What runs everything that is heard."""
    asked = {word: command for command in commands.commands() for word in command.words}
    actions = commands.actions()

    def perform(heard: Heard) -> Unsaid | None:
        if heard.kind == "form":
            # Its process died before it was done; the person saw that it did not go through.
            return None
        if heard.kind == "echo":
            _echo(heard, context)
            return None
        if heard.given_up:
            return _give_up(heard, context)
        if heard.kind == "command":
            return _command(heard, asked, context)
        if heard.kind == "click":
            return _click(heard, actions, context)
        return _event(heard, context)

    return perform


def knows(action_id: str) -> bool:
    """Whether any room has a button or select of this name."""
    return _room(action_id, commands.actions()) is not None


def _room(action_id: str, actions: tuple[Action, ...]) -> Action | None:
    return next((each for each in actions if each.pattern.fullmatch(action_id)), None)


def _common(heard: Heard, context: Context) -> dict[str, Any]:
    user_id = heard.body["user_id"]
    return {
        "workspace_id": heard.workspace_id,
        "user_id": user_id,
        "channel_id": heard.body.get("channel_id", ""),
        "trigger_id": heard.trigger_id,
        "response_url": heard.body.get("response_url"),
        "language": language_of(user_id, heard.workspace_id, context),
    }


def _command(heard: Heard, asked: Mapping[str, Command], context: Context) -> Unsaid | None:
    text = heard.body["text"]
    first, _, rest = text.partition(" ")
    named = asked.get(fold(first))
    command, words = (named, rest) if named else (asked[QUESTION], text)
    asker = Asked(**_common(heard, context), text=words)

    def work() -> Reply:
        reply = command.run(asker, context)
        return _belated(reply, asker, text) if heard.late else reply

    return run(asker, work, context, directly=heard.late)


def _belated(reply: Reply, asker: Asker, text: str) -> Reply:
    """An answer that comes by direct message long after the question says to what."""
    _ = asker.language._
    said = _("You asked earlier: /kpi {words}", words=text[:_QUOTED])
    first = [paragraph(said)]
    return replace(
        reply,
        text=f"{said}\n{reply.text}",
        blocks=[*first, *reply.blocks] if reply.blocks else (),
        ladder=[[*first, *form] for form in reply.ladder],
        replace=False,
    )


def _click(heard: Heard, actions: tuple[Action, ...], context: Context) -> Unsaid | None:
    body = heard.body
    room = _room(body["action_id"], actions)
    if room is None:
        return None
    click = Click(
        **_common(heard, context),
        **{name: body[name] for name in ("action_id", "value", "message_ts", "ephemeral", "values")},
        **{name: body[name] for name in ("view_id", "view_hash", "private_metadata")},
    )
    return run(click, lambda: room.run(click, context), context, directly=heard.late)


def _event(heard: Heard, context: Context) -> Unsaid | None:
    asker = Asker(**_common(heard, context))
    if heard.body["type"] == "app_home_opened":
        publish(asker, context)
        return None
    return run(asker, lambda: greet(asker, context), context)


def _echo(heard: Heard, context: Context) -> None:
    """Slack says which letter stands where; a second message of the same letter is deleted."""
    body = heard.body
    with writing(context.engine) as connection:
        doubled = outbox.heard(connection, heard.workspace_id, body["letter_id"], body["channel_id"], body["ts"])
    if doubled is None:
        return
    log.warning("letter_doubled letter=%s ts=%s", body["letter_id"], doubled)
    match context.slack.delete(body["channel_id"], doubled):
        case Later() as outcome:
            raise LaterError(outcome.seconds)
        case Unclear():
            raise LaterError(ECHO_SECONDS)
        case Refused(code) if code != "message_not_found":
            log.error("letter_still_doubled letter=%s code=%s", body["letter_id"], code)


def _give_up(heard: Heard, context: Context) -> Unsaid | None:
    asker = Asker(**_common(heard, context))
    _ = asker.language._
    sentence = _("Something went wrong, and it is not your fault. Reference: {reference}", reference=heard.id)
    return run(asker, lambda: Reply(sentence, [paragraph(sentence)]), context, directly=heard.late)
