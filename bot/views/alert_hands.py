"""What is said back, in private, to whoever takes an alert in hand: done, or who was first; and until when it may
sleep."""

import json
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bot.blocks import Run, actions, button, context, date_picker, paragraph
from bot.conversation import Reply
from bot.i18n import Language
from bot.views.alert import NOBODY
from bot.views.chart import N_
from bot.views.pinged import naming, unnamed
from kpi import format as written

UNTIL, DAY = "alert.until", "alert.day"
DAYS = (1, 3, 7)
MOST_DAYS = 92
MORNING = time(9)
"""When a snooze ends whose end is a day."""


def said(runs: Sequence[Run], language: Language, *, replace: bool = False) -> Reply:
    """A sentence in private."""
    return Reply(unnamed(runs, language), [paragraph(*runs)], replace=replace)


def acknowledged(language: Language) -> Reply:
    return said([language._("You have acknowledged it: no reminder follows.")], language)


def acknowledged_before(by: str | None, language: Language) -> Reply:
    if by is None:
        return said([language._("There is nothing left to acknowledge: it is over.")], language)
    return said(naming(N_("{person} has acknowledged it already."), language, {"person": by}), language)


def assigned(to: str, language: Language) -> Reply:
    return said(naming(N_("It is assigned to {person}."), language, {"person": to}), language)


def assigned_before(to: str | None, language: Language) -> Reply:
    if to is None:
        return said([language._("There is nothing left to assign: it is over.")], language)
    return said(
        naming(N_("It was assigned to {person} already. Choose again to change that."), language, {"person": to}),
        language,
    )


def snoozed(until: datetime, zone: ZoneInfo, language: Language) -> Reply:
    when = written.moment(until, zone, language.locale)
    return said(
        [language._("It sleeps until {when}; if it is still bad then, you are told once.", when=when)],
        language,
        replace=True,
    )


def snoozed_before(until: datetime | None, zone: ZoneInfo, language: Language) -> Reply:
    if until is None:
        return said([language._("There is nothing left to snooze: it is over.")], language, replace=True)
    when = written.moment(until, zone, language.locale)
    return said([language._("Somebody was faster: it sleeps until {when} already.", when=when)], language, replace=True)


def until_when(letter_id: str, seen: datetime | None, now: datetime, zone: ZoneInfo, language: Language) -> Reply:
    """The ends to choose from, each said in full; a snooze without an end there is not."""
    _, n = language._, language.n
    sentence = _("Until when shall it sleep?")
    if seen is not None:
        asleep = _("It sleeps until {when} already.", when=written.moment(seen, zone, language.locale))
        sentence = f"{asleep} {sentence}"
    ends = [(days, in_days(days, now, zone)) for days in DAYS]
    labels = [
        _(
            "{length}: until {when}",
            length=n("{count} day", "{count} days", days)
            if days < 7
            else n("{count} week", "{count} weeks", days // 7),
            when=written.moment(end, zone, language.locale),
        )
        for days, end in ends
    ]
    buttons = [
        button(label, f"{UNTIL}.{days}", carried(letter_id, end, seen))
        for label, (days, end) in zip(labels, ends, strict=True)
    ]
    picker = date_picker(_("Another day"), f"{DAY}.{letter_id}.{NOBODY if seen is None else int(seen.timestamp())}")
    note = _("A day that you pick ends at {time}. Nothing is said meanwhile, but the message itself stays up to date.",
             time=MORNING.strftime("%H:%M"))  # fmt: skip
    return Reply(f"{sentence} {' · '.join(labels)}", [paragraph(sentence), actions([*buttons, picker]), context(note)])


def in_days(days: int, now: datetime, zone: ZoneInfo) -> datetime:
    """The same wall time so many days later, to the minute."""
    local = now.astimezone(zone).replace(second=0, microsecond=0)
    return datetime.combine(local.date() + timedelta(days=days), local.time(), zone)


def on_day(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, MORNING, zone)


def carried(letter_id: str, until: datetime, seen: datetime | None) -> str:
    """What a button of `until_when` brings back."""
    return json.dumps({"l": letter_id, "u": until.isoformat(), "s": None if seen is None else seen.isoformat()})
