"""`/kpi digest add|list|move|stop|pause|resume|preview|test`: sales figures that come by themselves."""

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import time
from zoneinfo import available_timezones

from bot import setting_up
from bot.blocks import BUTTON_VALUE, Bold, Ping, Run, context, paragraph
from bot.commands import digest_list, digest_show
from bot.conversation import Action, Asked, Asker, Click, Command, Context, NotAllowed, Refusal, Reply
from bot.digest_words import MONDAY, About, Wanted, read_about, read_words
from bot.i18n import Language
from bot.people import Viewer, known
from bot.setting_up import asked_first, note, place
from bot.slack import SlackError
from bot.verbs import verb_of
from bot.views.schedule import schedule_words
from storage import schedules
from storage.database import reading, writing
from storage.dates import WEEKLY, Rhythm
from storage.schedules import CHANNEL, MANAGERS, PERSON, Schedule

NINE = time(9)
VERBS = {
    "add": setting_up.ADD,
    "list": setting_up.LIST,
    "stop": setting_up.STOP,
    "preview": ("preview", "aperçu"),
    "test": ("test", "tester", "essai", "essayer"),
    "pause": setting_up.PAUSE,
    "resume": setting_up.RESUME,
    "move": ("move", "déplacer", "déplace"),
}
CONFIRM = "digest.confirm"


def run(asked: Asked, context_: Context) -> Reply:
    viewer = known(asked, context_)
    verb, rest = verb_of(asked, VERBS, empty="list")
    if verb == "add":
        return _add(asked, rest, viewer, context_)
    if verb in {"preview", "test"}:
        row = digest_list.named(asked, rest, viewer, context_) or _drafted(asked, rest, viewer, context_)[0]
        show = digest_show.preview if verb == "preview" else digest_show.test
        return show(asked, row, viewer, context_)
    return digest_list.run(verb, asked, rest, viewer, context_)


def _drafted(asker: Asker, text: str, viewer: Viewer, context_: Context) -> tuple[Schedule, About, Wanted]:
    """The digest that the words mean: Monday at nine, here, of everything the asker may see, where they do not say.

    Raises `Refusal`, a `QuestionError` or a `RefusedError` for what is not understood or may not be.
    """
    _ = asker.language._
    wanted = read_words(text, asker)
    with reading(context_.engine) as connection:
        about = read_about(connection, asker, viewer, wanted.rest)
    if wanted.audience == MANAGERS:
        if not viewer.admin:
            raise NotAllowed(_("Only an administrator of Vigie can send a digest to each manager."))
        if any(each.dimension in {"team", "rep"} for each in about.filters):
            raise Refusal(_("Each manager gets their own team's figures: leave the team out."))
    rhythm = wanted.rhythm or Rhythm(WEEKLY, MONDAY)
    elsewhere = wanted.audience != CHANNEL
    row = schedules.made(
        workspace_id=asker.workspace_id,
        channel_id=asker.user_id if elsewhere else wanted.channel_id or asker.channel_id,
        audience=wanted.audience,
        owner=asker.user_id,
        cadence=rhythm.cadence,
        weekday=rhythm.weekday,
        month_day=rhythm.month_day,
        at=wanted.at or NINE,
        time_zone=wanted.time_zone or _zone(asker, viewer, context_, alone=wanted.audience == PERSON),
        # Everybody in a channel reads the same; a person, their own language.
        language=wanted.language or (None if elsewhere else asker.language.code),
        dimension=about.filters[0].dimension if about.filters else None,
        key=about.filters[0].key if about.filters else None,
        kpis=json.dumps(about.choices) if about.choices else None,
        skip_unchanged=wanted.skip_unchanged,
        now=context_.clock.now(),
    )
    return row, about, wanted


def _zone(asker: Asker, viewer: Viewer, context_: Context, *, alone: bool) -> str:
    """The clocks of who reads it: one's own as Slack knows them, else the workspace's."""
    if alone:
        with suppress(SlackError):
            mine = context_.slack.user(asker.user_id).time_zone
            if mine in available_timezones():
                return mine
    return viewer.workspace.time_zone


def _add(asker: Asker, text: str, viewer: Viewer, context_: Context, *, confirmed: bool = False) -> Reply:
    _ = asker.language._
    if len(text) > BUTTON_VALUE:
        raise Refusal(_("That is too long for me. Please say it in fewer words."))
    row, about, wanted = _drafted(asker, text, viewer, context_)
    seen_by = ""
    if row.audience == CHANNEL:
        where = place(asker, wanted.channel_id, context_)
        if where.strangers and not confirmed:
            return asked_first(where, CONFIRM, text or "-", asker)
        row, seen_by = replace(row, channel_id=where.channel.id), where.seen_by
    line = schedule_words(row, about.filters, asker.language)
    now = context_.clock.now()
    with writing(context_.engine) as connection:
        for other in schedules.running(connection, asker.workspace_id):
            if schedules.same(other, row):
                there = schedule_words(other, about.filters, asker.language)
                raise Refusal(_("This very digest is set up already: {line}.", line=there))
        schedules.remember(connection, row, now)
        note(
            connection,
            asker,
            "digest.add",
            now,
            schedule=row.id,
            channel=row.channel_id,
            audience=row.audience,
            dimension=row.dimension,
            key=row.key,
        )
    rights = _rights(row, asker.language)
    runs: list[Run] = [Bold(_("A digest is set up.")), "\n"]
    if row.audience == CHANNEL:
        runs += [Ping(row.channel_id), " "]
    blocks = [
        paragraph(*runs, line),
        context(*(said for said in (seen_by, rights) if said)),
        digest_list.buttons(row, asker.language),
    ]
    said = [_("A digest is set up."), f"{line[:1].upper()}{line[1:]}.", seen_by, rights]
    return Reply(" ".join(part for part in said if part), blocks)


def _rights(row: Schedule, language: Language) -> str:
    if row.audience == MANAGERS:
        return language._("Each manager's is computed with their own rights at the time it is posted.")
    return language._("It is computed with your rights at the time it is posted.")


def on_confirm(click: Click, context_: Context) -> Reply:
    text = "" if click.value == "-" else click.value
    return _add(click, text, known(click, context_), context_, confirmed=True)


def _lines(language: Language) -> Sequence[tuple[str, str]]:
    _ = language._
    return (
        (_("digest add #sales Monday 09:00 team Paris"), _("a weekly digest in a channel")),
        (_("digest add daily 08:30 win rate, pipeline by direct message"), _("the KPIs of your choice, to you alone")),
        (_("digest add monthly on the 1st to each manager"), _("to each manager, their own team's (administrators)")),
        (_("digest list"), _("your digests, when they come next; pause one, stop it, test it")),
        (_("digest move 2 Friday 10:00 Europe/London"), _("another day, hour or time zone")),
        (_("digest preview"), _("what a digest would say now, only for you")),
    )


COMMAND = Command(words=("digest", "digests", "synthese", "syntheses"), help=_lines, run=run)
ACTIONS = (Action(re.compile(re.escape(CONFIRM)), on_confirm),)
