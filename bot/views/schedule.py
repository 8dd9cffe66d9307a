"""A schedule in words: when it comes, to whom and about what; and what its owner is told of it."""

import json
from collections.abc import Sequence
from datetime import date

from bot.blocks import Block, Ping, Run, paragraph, spoken
from bot.i18n import Language
from bot.views.question import filter_words
from kpi import format as written
from kpi.catalog import kpi
from kpi.query import Filter
from storage.dates import DAILY, WEEKLY
from storage.schedules import MANAGERS, PERSON, Schedule


def rhythm_words(row: Schedule, language: Language) -> str:
    """`every Monday at 09:00 (Europe/Paris)`."""
    _ = language._
    values = {"time": row.at.strftime("%H:%M"), "zone": row.time_zone}
    if row.cadence == DAILY:
        return _("every day at {time} ({zone})", **values)
    if row.cadence == WEEKLY:
        day = str(language.locale.days["format"]["wide"][row.weekday - 1])
        return _("every {day} at {time} ({zone})", day=day, **values)
    if row.month_day == 1:
        return _("on the 1st of every month at {time} ({zone})", **values)
    return _("on day {day} of every month at {time} ({zone})", day=row.month_day, **values)


def audience_words(row: Schedule, language: Language) -> str:
    """To whom, where that is not a channel."""
    if row.audience == PERSON:
        return language._("to you, by direct message")
    if row.audience == MANAGERS:
        return language._("to each manager by direct message, their own team's")
    return ""


def schedule_words(row: Schedule, narrowed: Sequence[Filter], language: Language) -> str:
    """Everything about it but its channel, in one line."""
    _ = language._
    said = [rhythm_words(row, language), *(filter_words(each, language) for each in narrowed)]
    said.append(audience_words(row, language))
    if row.kpis is not None:
        said.append(", ".join(_choice(metric, reading, language) for metric, reading in json.loads(row.kpis)))
    if row.skip_unchanged:
        said.append(_("only when a figure has changed"))
    what = ", ".join(part for part in said if part)
    return _("{what}; {next}", what=what, next=next_words(row, language))


def _choice(metric: str, reading: str, language: Language) -> str:
    declared = kpi(metric)
    if reading == declared.judged:
        return language._(declared.name)
    return f"{language._(declared.name)} ({language._(declared.reading(reading).name)})"


def next_words(row: Schedule, language: Language) -> str:
    """`next on 30 November 2026`, or that it is paused."""
    if row.paused_at is not None:
        return language._("paused")
    return language._("next on {date}", date=written.day(row.next_on, language.locale))


def skipped_message(row: Schedule, days: Sequence[date], language: Language) -> tuple[str, list[Block]]:
    """Its dates that came too late."""
    first, last = written.day(days[0], language.locale), written.day(days[-1], language.locale)
    sentence = language.n(
        "Its date of {first} was not posted: Vigie was away, and it would have been more than a day late.",
        "{count} of its dates, from {first} to {last}, were not posted: Vigie was away, and they would have been more "
        "than a day late.",
        len(days),
        first=first,
        last=last,
    )
    return _about(row, language, sentence)


def refused_message(row: Schedule, language: Language) -> tuple[str, list[Block]]:
    sentence = language._(
        "It could not be written: you may no longer see what it is narrowed to, or that does not exist any more. See "
        "“/kpi digest list”."
    )
    return _about(row, language, sentence)


def inherited_message(row: Schedule, language: Language, *, paused: bool) -> tuple[str, list[Block]]:
    """To the administrator who owns it from now on."""
    _ = language._
    sentence = _("Who had set it up is no longer here: it is yours now.")
    if paused:
        more = _("With your rights it would tell more than before, so it is paused: see “/kpi digest list”.")
    else:
        more = _("It goes on as it was, with your rights. “/kpi digest list” shows it.")
    return _about(row, language, f"{sentence} {more}")


def _about(row: Schedule, language: Language, sentence: str) -> tuple[str, list[Block]]:
    which = language._("Digest, {rhythm}:", rhythm=rhythm_words(row, language))
    where: list[Run] = [Ping(row.channel_id), "\n"] if row.audience not in {MANAGERS, PERSON} else []
    return spoken(f"{which} {sentence}"), [paragraph(*where, f"{which} {sentence}")]
