"""`/kpi digest add|list|stop|preview`: the weekly digest of a channel."""

import re
from collections.abc import Sequence
from datetime import time
from typing import Any

from sqlalchemy import Connection

from bot.blocks import Bold, Ping, Run, actions, button, context, paragraph
from bot.channels import audience, ready
from bot.conversation import Action, Asked, Asker, Block, Click, Command, Context, NotAllowed, NotThere, Refusal, Reply
from bot.i18n import Language
from bot.people import Viewer, known
from bot.phrases import (
    ask_in_words,
    cut_channel,
    cut_language,
    cut_time,
    cut_weekday,
    cut_zone,
    nearest,
    weekday_names,
)
from bot.verbs import verb_of
from bot.views.digest import write_digest
from bot.views.question import filter_words
from kpi import format as written
from kpi.digest import read_digest
from kpi.engine import answer
from kpi.query import Filter
from kpi.watch import filter_of
from storage import audit, schedules
from storage.database import reading, writing
from storage.schedules import Schedule

MONDAY, NINE = 1, time(9)
VERBS = {
    "add": ("add", "ajouter", "ajoute", "new", "nouveau", "nouvelle"),
    "list": ("list", "lister", "liste"),
    "stop": ("stop", "arrêter", "arrête", "stopper", "supprimer", "remove", "delete"),
    "preview": ("preview", "aperçu", "essai"),
}
CONFIRM, STOP, PREVIEW = "digest.confirm", "digest.stop", "digest.preview"


def run(asked: Asked, context_: Context) -> Reply:
    viewer = known(asked, context_)
    verb, rest = verb_of(asked, VERBS, empty="list")
    if verb == "add":
        return _add(asked, rest, viewer, context_)
    if verb == "preview":
        return _preview(asked, _narrowed(asked, rest, viewer, context_), viewer, context_)
    if verb == "stop":
        return _stop_in_words(asked, rest, viewer, context_)
    return _list(asked, viewer, context_)


def _add(asker: Asker, text: str, viewer: Viewer, context_: Context, *, confirmed: bool = False) -> Reply:
    """Monday at nine, here, for everything the asker may see, unless the words say otherwise."""
    _ = asker.language._
    channel_id, rest = cut_channel(text)
    zone, rest = cut_zone(rest)
    spoken, rest = cut_language(rest)
    at, rest = cut_time(rest)
    weekday, rest = cut_weekday(rest)
    narrowed = _narrowed(asker, rest, viewer, context_)
    channel = ready(asker, channel_id or asker.channel_id, context_)
    seen_by = audience(channel, asker.language)
    if (channel.shared or channel.guests) and not confirmed:
        # Guests or people of other organisations would read the figures: that is asked first.
        sure = button(_("Post it there all the same"), CONFIRM, text or "-", style="danger")
        return Reply(seen_by, [paragraph(seen_by), actions([sure])])
    now = context_.clock.now()
    wanted: dict[str, Any] = {
        "channel_id": channel.id,
        "owner": asker.user_id,
        "weekday": weekday or MONDAY,
        "at": at or NINE,
        "time_zone": zone or viewer.workspace.time_zone,
        "language": spoken or asker.language.code,
        "dimension": narrowed[0].dimension if narrowed else None,
        "key": narrowed[0].key if narrowed else None,
    }
    with writing(context_.engine) as connection:
        for other in schedules.running(connection, asker.workspace_id):
            if all(getattr(other, name) == value for name, value in wanted.items()):
                line = _line(other, narrowed, asker.language)
                raise Refusal(_("This very digest is set up already: {line}.", line=line))
        row = schedules.add(connection, workspace_id=asker.workspace_id, now=now, **wanted)
        details = {"schedule": row.id, "channel": channel.id, "dimension": row.dimension, "key": row.key}
        audit.note(
            connection,
            workspace_id=asker.workspace_id,
            actor=asker.user_id,
            action="digest.add",
            details=details,
            now=now,
        )
    line = _line(row, narrowed, asker.language)
    rights = _("It is computed with your rights at the time it is posted.")
    blocks = [
        paragraph(Bold(_("A digest is set up.")), "\n", Ping(channel.id), " ", line),
        context(seen_by, rights),
        actions([button(_("Preview"), PREVIEW, row.id), button(_("Stop"), STOP, row.id)]),
    ]
    said = [_("A digest is set up."), f"{line[:1].upper()}{line[1:]}.", seen_by, rights]
    return Reply(" ".join(said), blocks)


def _narrowed(asker: Asker, rest: str, viewer: Viewer, context_: Context) -> tuple[Filter, ...]:
    """The one team (segment, region…) that the left-over words name; a misspelt day is recognised as one."""
    _ = asker.language._
    words = rest.split()
    if not words:
        return ()
    if len(words) == 1 and (day := nearest(words[0], weekday_names())) is not None:
        raise Refusal(_("I do not know “{word}”. Did you mean “{day}”?", word=words[0], day=day))
    with reading(context_.engine) as connection:
        # The names are those of any question: a KPI that has every dimension stands in for all.
        query = ask_in_words(connection, asker, viewer, f"win rate {rest}")
        answer(connection, query)  # refuses now what the asker may not see
    if query.group_by is not None or len(query.filters) > 1:
        raise Refusal(_("A digest is about everything, or about one team, segment, source or region."))
    return query.filters


def _preview(asker: Asker, narrowed: tuple[Filter, ...], viewer: Viewer, context_: Context) -> Reply:
    digest = context_.ask(lambda connection: read_digest(connection, viewer.scope, viewer.today, narrowed))
    shown = write_digest(digest, viewer.workspace, asker.language)
    note = asker.language._("Only you see this. In the channel, a picture of the last weeks comes with it.")
    return Reply(shown.payload["text"], [*shown.payload["blocks"], context(note)])


def _list(asker: Asker, viewer: Viewer, context_: Context) -> Reply:
    _ = asker.language._
    with reading(context_.engine) as connection:
        rows = _visible(connection, asker, viewer)
        lines = [
            (row, _line(row, filter_of(connection, viewer.scope, viewer.today, row.dimension, row.key), asker.language))
            for row in rows
        ]
    if not lines:
        none = _("There is no digest yet.") if viewer.admin else _("You have set up no digest yet.")
        here = _("For one here, every Monday at nine: /kpi digest add")
        sentence = f"{none} {here}"
        return Reply(sentence, [paragraph(sentence)])
    blocks: list[Block] = []
    for number, (row, line) in enumerate(lines[:20], start=1):
        runs: list[Run] = [Bold(f"{number}. "), Ping(row.channel_id), " ", line]
        blocks.append(paragraph(*runs))
        blocks.append(actions([button(_("Preview"), PREVIEW, row.id), button(_("Stop"), STOP, row.id)]))
    if len(lines) > 20:
        blocks.append(context(_("{count} more are not shown.", count=len(lines) - 20)))
    return Reply("\n".join(f"{number}. {line}" for number, (_row, line) in enumerate(lines, start=1)), blocks)


def _visible(connection: Connection, asker: Asker, viewer: Viewer) -> list[Schedule]:
    """One's own schedules; an admin's list holds everybody's."""
    rows = schedules.running(connection, asker.workspace_id)
    return [row for row in rows if viewer.admin or row.owner == asker.user_id]


def _line(row: Schedule, narrowed: Sequence[Filter], language: Language) -> str:
    """`every Monday at 09:00 (Europe/Paris), team Lyon; next on 30 November 2026`."""
    values = {
        "day": _day_name(row.weekday, language),
        "time": row.at.strftime("%H:%M"),
        "zone": row.time_zone,
        "date": written.day(row.next_on, language.locale),
    }
    if not narrowed:
        return language._("every {day} at {time} ({zone}); next on {date}", **values)
    about = filter_words(narrowed[0], language)
    return language._("every {day} at {time} ({zone}), {about}; next on {date}", about=about, **values)


def _day_name(weekday: int, language: Language) -> str:
    return str(language.locale.days["format"]["wide"][weekday - 1])


def _stop_in_words(asker: Asker, rest: str, viewer: Viewer, context_: Context) -> Reply:
    """`stop 2` by the number of the list, `stop #channel`, or `stop` where there is only one."""
    _ = asker.language._
    channel_id, rest = cut_channel(rest)
    with reading(context_.engine) as connection:
        rows = _visible(connection, asker, viewer)
    if rest.isdecimal():
        rows = rows[int(rest) - 1 : int(rest)] if int(rest) else []
    elif rest:
        raise Refusal(_("Say which one: its number in “/kpi digest list”, or its channel."))
    elif channel_id is not None:
        rows = [row for row in rows if row.channel_id == channel_id]
    if not rows:
        raise NotThere(_("There is no such digest: see “/kpi digest list”."))
    if len(rows) > 1:
        return _list(asker, viewer, context_)
    return _stop(asker, rows[0].id, viewer, context_)


def _stop(asker: Asker, schedule_id: str, viewer: Viewer, context_: Context) -> Reply:
    _ = asker.language._
    now = context_.clock.now()
    with writing(context_.engine) as connection:
        rows = {row.id: row for row in schedules.running(connection, asker.workspace_id)}
        row = rows.get(schedule_id)
        if row is None:
            raise NotThere(_("There is no such digest: see “/kpi digest list”."))
        if row.owner != asker.user_id and not viewer.admin:
            raise NotAllowed(_("Only its owner or an administrator of Vigie can stop this digest."))
        schedules.stop(connection, asker.workspace_id, row.id, now)
        audit.note(
            connection,
            workspace_id=asker.workspace_id,
            actor=asker.user_id,
            action="digest.stop",
            details={"schedule": row.id, "channel": row.channel_id},
            now=now,
        )
    sentence = _("The digest is stopped.")
    return Reply(sentence, [paragraph(sentence, " ", Ping(row.channel_id))])


def on_stop(click: Click, context_: Context) -> Reply:
    return _stop(click, click.value, known(click, context_), context_)


def on_preview(click: Click, context_: Context) -> Reply:
    viewer = known(click, context_)
    with reading(context_.engine) as connection:
        rows = {row.id: row for row in _visible(connection, click, viewer)}
        row = rows.get(click.value)
        if row is None:
            raise NotThere(click.language._("There is no such digest: see “/kpi digest list”."))
        narrowed = filter_of(connection, viewer.scope, viewer.today, row.dimension, row.key)
    return _preview(click, narrowed, viewer, context_)


def on_confirm(click: Click, context_: Context) -> Reply:
    text = "" if click.value == "-" else click.value
    return _add(click, text, known(click, context_), context_, confirmed=True)


def _lines(language: Language) -> Sequence[tuple[str, str]]:
    _ = language._
    return (
        (_("digest add #sales Monday 09:00 team Paris"), _("a weekly digest in a channel")),
        (_("digest list"), _("your digests, when they come next; stop one, preview it")),
        (_("digest preview"), _("what a digest would say now, only for you")),
    )


COMMAND = Command(words=("digest", "digests", "synthese", "syntheses"), help=_lines, run=run)
ACTIONS = (
    Action(re.compile(re.escape(STOP)), on_stop),
    Action(re.compile(re.escape(PREVIEW)), on_preview),
    Action(re.compile(re.escape(CONFIRM)), on_confirm),
)
