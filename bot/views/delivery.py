"""What became of messages that could not be delivered: why, and what a person can do about it."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_timedelta

from bot.blocks import Block, Ping, Run, actions, button, paragraph, spoken
from bot.i18n import Language
from kpi.labels import moment
from storage.outbox import Lot

RETRY = "letters.retry"
"""Action of the button that brings a channel's messages back; its value is the channel."""

_PLACE = "\0"

_ABSENT = {"channel_not_found", "not_in_channel"}
_CLOSED = {"is_archived", "is_inactive"}
_NOBODY = {"user_disabled", "user_not_found", "user_not_visible", "messages_tab_disabled", "cannot_dm_bot"}
_THREAD = {"cannot_reply_to_message", "thread_not_found", "restricted_action_thread_locked"}
_EDIT = {"cant_update_message", "edit_window_closed", "message_not_found"}


def why(reason: str, language: Language) -> str:
    """Why Slack does not take a message, as a whole sentence."""
    _ = language._
    if reason in _ABSENT:
        return _("I am not in this channel, or it does not exist any more.")
    if reason in _CLOSED:
        return _("The channel is archived.")
    if reason in _NOBODY:
        return _("This person cannot be written to any more.")
    if reason in _THREAD:
        return _("The message that it answers is gone, or its thread is closed.")
    if reason in _EDIT:
        return _("The message that it changes can no longer be changed.")
    if reason.startswith("restricted_action") or reason == "posting_to_channel_denied":
        return _("I am not allowed to post in this channel.")
    if reason.startswith("slack_connect"):
        return _("The rules for channels shared with other organisations forbid it.")
    return _("Slack refused it ({code}).", code=reason)


def remedy(reason: str, language: Language) -> str:
    """What whoever is told can do."""
    _ = language._
    if reason in _ABSENT:
        return _("Type “/invite @Vigie” in it, then “/kpi retry” anywhere.")
    if reason in _CLOSED:
        return _("Unarchive it and type “/kpi retry”, or choose another channel for what is posted there.")
    if reason in _NOBODY or reason in _THREAD or reason in _EDIT:
        return _("Nothing can be done for it; what comes next may have another place.")
    if reason.startswith(("restricted_action", "slack_connect")) or reason == "posting_to_channel_denied":
        return _("An administrator of Slack can allow it; then type “/kpi retry”.")
    return _("Type “/kpi retry” to try again; “vigie doctor” says more.")


def duration(time: timedelta, language: Language) -> str:
    """About how long: `3 minutes`, `2 days`."""
    return format_timedelta(time, locale=language.locale)


def waiting_sentence(lots: Sequence[Lot], language: Language) -> str:
    """How many messages wait, are in doubt, and were refused."""

    def count(*states: str) -> int:
        return sum(lot.letters for lot in lots if lot.state in states)

    said = language._(
        "Messages waiting: {waiting}; in doubt: {unknown}; refused by Slack: {dead}.",
        waiting=count("pending", "sending"),
        unknown=count("unknown"),
        dead=count("dead"),
    )
    held = count("held")
    later = language.n("{count} is for later.", "{count} are for later.", held)
    return f"{said} {later}" if held else said


def troubled_lines(lots: Sequence[Lot], language: Language) -> list[list[Run]]:
    """A line for each channel in which messages are in doubt, or were refused, and why."""
    return [
        [Ping(lot.channel_id), language._(": "), trouble_sentence(lot, language)]
        for lot in lots
        if lot.state in {"unknown", "dead"}
    ]


def trouble_sentence(lot: Lot, language: Language) -> str:
    """What is the matter with the messages of a channel that are in doubt, or were refused."""
    n = language.n
    if lot.state == "dead":
        said = n("{count} message refused.", "{count} messages refused.", lot.letters)
        return f"{said} {why(lot.error or '', language)} {remedy(lot.error or '', language)}"
    said = n("{count} message in doubt.", "{count} messages in doubt.", lot.letters)
    reason = (lot.error or "").partition("history: ")[2]
    if not reason:
        return f"{said} " + language._("It is looked for in the channel before anything is posted.")
    return f"{said} " + language._(
        "I cannot read the channel ({code}), so I do not know whether it is there, and do not repeat it. It is looked "
        "for every ten minutes.",
        code=reason,
    )


def refused_message(place: str, reason: str, language: Language) -> tuple[str, list[Block]]:
    """The letter about a channel, or person, that Slack does not let messages through to: text and blocks."""
    _ = language._
    said = _("I could not post a message in {channel}.", channel=_PLACE)
    if place[:1] not in {"C", "G"}:
        said = _("I could not write to {person}.", person=_PLACE)
    text, blocks = _named(f"{said} {why(reason, language)} {remedy(reason, language)}", place)
    return text, [*blocks, actions([button(_("Try again"), RETRY, place)])]


def late_message(
    place: str, kind: str, due_at: datetime, zone: ZoneInfo, language: Language
) -> tuple[str, list[Block]]:
    """The letter about a message that could be posted too late only: text and blocks."""
    _ = language._
    when = moment(due_at, zone, language.locale)
    said = _(
        "A digest for {channel} was due on {when}. It could not be posted within a day, so it was left out.",
        channel=_PLACE,
        when=when,
    )
    if kind == "alert":
        said = _(
            "An alert for {channel} was due on {when}. It could not be posted within two hours, so it was left out: "
            "“/kpi alert list” says how things stand now.",
            channel=_PLACE,
            when=when,
        )
    return _named(said, place)


def _named(sentence: str, place: str) -> tuple[str, list[Block]]:
    """A sentence in which Slack itself says what the place is called."""
    before, _, after = sentence.partition(_PLACE)
    mark = "#" if place[:1] in {"C", "G"} else "@"
    return f"{spoken(before)} <{mark}{place}>{_joined(after)}", [paragraph(before, Ping(place), after)]


def _joined(after: str) -> str:
    said = spoken(after)
    return said if after[:1] not in {" ", "\n"} else f" {said}"
