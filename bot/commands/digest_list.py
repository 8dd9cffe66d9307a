"""`/kpi digest list|move|pause|resume|stop`: the digests one has set up, when each comes next, and an end to them."""

import re
from dataclasses import replace

from sqlalchemy import Connection

from bot.blocks import Bold, Ping, Run, actions, button, context, paragraph
from bot.commands.digest_show import PREVIEW, TEST
from bot.conversation import Action, Asker, Block, Click, Context, NotThere, Refusal, Reply
from bot.digest_words import read_words
from bot.i18n import Language
from bot.people import Viewer, known
from bot.phrases import cut_channel
from bot.setting_up import must_own, note, numbered, visible
from bot.views.schedule import next_words, schedule_words
from kpi.watch import filter_of
from storage import schedules
from storage.database import reading, writing
from storage.schedules import CHANNEL, Schedule

STOP, PAUSE, RESUME = "digest.stop", "digest.pause", "digest.resume"
MOST = 20


def run(verb: str, asker: Asker, rest: str, viewer: Viewer, context_: Context) -> Reply:
    """`list`; or `stop`, `pause`, `resume`, `move` with the number of the list or the channel (none where there is only
    one)."""
    if verb == "list":
        return listed(asker, viewer, context_)
    _ = asker.language._
    found, words = _meant(asker, rest, viewer, context_, bare=verb == "move")
    if not found:
        raise NotThere(_("There is no such digest: see “/kpi digest list”."))
    if len(found) > 1:
        return listed(asker, viewer, context_)
    if verb == "move":
        return _move(asker, found[0], words, viewer, context_)
    return _change(asker, verb, found[0].id, viewer, context_)


def named(asker: Asker, rest: str, viewer: Viewer, context_: Context) -> Schedule | None:
    """The digest of a number of the list, where the words are one. Raises `NotThere` for a number that is not there."""
    if not rest.isdecimal():
        return None
    found, _words = _meant(asker, rest, viewer, context_)
    if not found:
        raise NotThere(asker.language._("There is no such digest: see “/kpi digest list”."))
    return found[0]


def _meant(
    asker: Asker, rest: str, viewer: Viewer, context_: Context, *, bare: bool = False
) -> tuple[list[Schedule], str]:
    """The digests that the words may mean, by number or channel, and the words after that; `bare`: other words may
    follow."""
    _ = asker.language._
    first, _space, words = rest.partition(" ")
    with reading(context_.engine) as connection:
        rows = visible(schedules.running(connection, asker.workspace_id), viewer)
    if bare and first.isdecimal():
        return numbered(rows, first, ""), words
    channel_id, left = cut_channel(rest)
    if channel_id is not None:
        rows = [row for row in rows if row.channel_id == channel_id]
    if bare:
        return rows, left
    return numbered(rows, left, _("Say which one: its number in “/kpi digest list”, or its channel.")), ""


def listed(asker: Asker, viewer: Viewer, context_: Context) -> Reply:
    """One's own digests; an admin's list holds everybody's."""
    _ = asker.language._
    with reading(context_.engine) as connection:
        rows = visible(schedules.running(connection, asker.workspace_id), viewer)
        lines = [(row, _line(connection, row, viewer, asker.language)) for row in rows]
    if not lines:
        none = _("There is no digest yet.") if viewer.admin else _("You have set up no digest yet.")
        here = _("For one here, every Monday at nine: /kpi digest add")
        sentence = f"{none} {here}"
        return Reply(sentence, [paragraph(sentence)])
    blocks: list[Block] = []
    for number, (row, line) in enumerate(lines[:MOST], start=1):
        runs: list[Run] = [Bold(f"{number}. ")]
        if row.audience == CHANNEL:
            runs += [Ping(row.channel_id), " "]
        elif row.owner != asker.user_id:
            runs += [Ping(row.owner), " "]
        blocks += [paragraph(*runs, line), buttons(row, asker.language)]
    if len(lines) > MOST:
        blocks.append(context(_("{count} more are not shown.", count=len(lines) - MOST)))
    return Reply("\n".join(f"{number}. {line}" for number, (_row, line) in enumerate(lines, start=1)), blocks)


def _line(connection: Connection, row: Schedule, viewer: Viewer, language: Language) -> str:
    narrowed = filter_of(connection, viewer.scope, viewer.today, row.dimension, row.key)
    return schedule_words(row, narrowed, language)


def buttons(row: Schedule, language: Language) -> Block:
    _ = language._
    paused = row.paused_at is not None
    return actions(
        [
            button(_("Preview"), PREVIEW, row.id),
            button(_("Send me a test"), TEST, row.id),
            button(_("Resume"), RESUME, row.id) if paused else button(_("Pause"), PAUSE, row.id),
            button(_("Stop"), STOP, row.id),
        ]
    )


def _move(asker: Asker, row: Schedule, words: str, viewer: Viewer, context_: Context) -> Reply:
    _ = asker.language._
    wanted = read_words(words, asker)
    if wanted.rest or (wanted.rhythm, wanted.at, wanted.time_zone) == (None, None, None):
        raise Refusal(_("Say the day, the hour or the time zone: /kpi digest move 2 Friday 10:00 Europe/London"))
    now = context_.clock.now()
    new = schedules.moved(row, now, at=wanted.at, time_zone=wanted.time_zone, rhythm=wanted.rhythm)
    with writing(context_.engine) as connection:
        must_own(row, viewer, _("Only its owner or an administrator of Vigie can change this digest."))
        if not schedules.move(connection, row, new):
            raise Refusal(_("It has just changed. Please try again."))
        note(connection, asker, "digest.move", now, schedule=row.id, channel=row.channel_id)
        line = _line(connection, new, viewer, asker.language)
    said = [_("The digest is moved:"), f"{line}."]
    if row.paused_at is None and new.next_at <= now:
        said.append(_("Its hour has passed there: it is posted now."))
    sentence = " ".join(said)
    return Reply(sentence, [paragraph(sentence)])


def _change(asker: Asker, verb: str, schedule_id: str, viewer: Viewer, context_: Context) -> Reply:
    _ = asker.language._
    now = context_.clock.now()
    with writing(context_.engine) as connection:
        row = _one(connection, asker, schedule_id)
        must_own(row, viewer, _("Only its owner or an administrator of Vigie can change this digest."))
        if verb == "stop":
            schedules.stop(connection, asker.workspace_id, row.id, now)
            sentence = _("The digest is stopped.")
        elif verb == "pause":
            if row.paused_at is None:
                schedules.pause(connection, row, now)
            row = replace(row, paused_at=now)
            sentence = _("The digest is paused: nothing is posted until “/kpi digest resume”.")
        else:
            if row.paused_at is not None:
                schedules.resume(connection, row, now)
                row = _one(connection, asker, row.id)
            sentence = _("The digest goes on: {next}.", next=next_words(row, asker.language))
        note(connection, asker, f"digest.{verb}", now, schedule=row.id, channel=row.channel_id)
    runs: list[Run] = [sentence, " ", Ping(row.channel_id)] if row.audience == CHANNEL else [sentence]
    return Reply(sentence, [paragraph(*runs)])


def _one(connection: Connection, asker: Asker, schedule_id: str) -> Schedule:
    rows = {row.id: row for row in schedules.running(connection, asker.workspace_id)}
    if schedule_id not in rows:
        raise NotThere(asker.language._("There is no such digest: see “/kpi digest list”."))
    return rows[schedule_id]


def on_change(click: Click, context_: Context) -> Reply:
    verb = click.action_id.removeprefix("digest.")
    return _change(click, verb, click.value, known(click, context_), context_)


ACTIONS = tuple(Action(re.compile(re.escape(each)), on_change) for each in (STOP, PAUSE, RESUME))
