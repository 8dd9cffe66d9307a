"""The buttons of an alert's message that take it in hand: acknowledge, assign, snooze.

Whoever is known to Vigie may; what they see in return holds no figures. Each click is one transaction: the change of
the episodes, its audit row, the edit of the message and the note in its thread. Of two clicks at once one has an
effect, and the other one is told; one's own click again finds done what it did.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from bot.alerting import Told, of_letter, put_note, read_told, tell
from bot.conversation import Action, Click, Context, NotThere, Refusal, Reply
from bot.i18n import Language, language
from bot.people import Viewer, known
from bot.setting_up import note
from bot.slack import SlackError
from bot.views import alert_hands as view
from bot.views.alert import ACKNOWLEDGE, ASSIGN, NOBODY, SNOOZE
from bot.views.alert_notes import acknowledged_note, assigned_note, snoozed_note
from storage import rules
from storage.database import reading, writing
from storage.rules import Episode, Rule


@dataclass(frozen=True, slots=True)
class Held:
    """The alert of a clicked message, as it is before the click."""

    rule: Rule
    episodes: list[Episode]
    told: Told | None
    viewer: Viewer
    letter_id: str
    now: datetime

    @property
    def zone(self) -> ZoneInfo:
        """Of the channel's readers."""
        return ZoneInfo(self.rule.time_zone)

    @property
    def language(self) -> Language:
        """Of the channel: what the thread is written in."""
        return language(self.rule.language)


def held(click: Click, context: Context, letter_id: str) -> Held:
    """Who clicks, re-authorised, and what on. Raises `NotThere` for a message that is no longer known."""
    viewer = known(click, context)
    now = context.clock.now()
    with reading(context.engine) as connection:
        for rule, episodes in of_letter(connection, click.workspace_id, letter_id):
            return Held(rule, episodes, read_told(connection, rule, episodes, now), viewer, letter_id, now)
    raise NotThere(click.language._("This alert is no longer known: see “/kpi alert list”."))


def on_acknowledge(click: Click, context: Context) -> Reply:
    alert = held(click, context, click.value)

    def change(connection: Connection) -> list[Episode]:
        return rules.acknowledge(connection, click.workspace_id, alert.letter_id, click.user_id, alert.now)

    thread = acknowledged_note(click.user_id, alert.language)
    if _step(click, context, alert, "acknowledged", change, thread):
        return view.acknowledged(click.language)
    first = next((each.acked_by for each in _now(context, alert) if each.open and each.acked_by), None)
    if first == click.user_id:
        return view.acknowledged(click.language)
    return view.acknowledged_before(first, click.language)


def on_assign(click: Click, context: Context) -> Reply:
    """The menu's own id says which alert, and to whom it was assigned when the menu was shown."""
    __, __, letter_id, before = click.action_id.split(".", 3)
    alert, to = held(click, context, letter_id), click.value
    _must_be_member(click, context, to)

    def change(connection: Connection) -> list[Episode]:
        seen = None if before == NOBODY else before
        return rules.assign(connection, click.workspace_id, alert.letter_id, to, seen=seen)

    thread = assigned_note(to, click.user_id, alert.language)
    if _step(click, context, alert, "assigned", change, thread, to=to):
        return view.assigned(to, click.language)
    first = next((each.assigned_to for each in _now(context, alert) if each.open and each.assigned_to), None)
    return view.assigned(to, click.language) if first == to else view.assigned_before(first, click.language)


def on_snooze(click: Click, context: Context) -> Reply:
    """Until when? Each end is shown before it is chosen."""
    alert = held(click, context, click.value)
    asleep = next((each.snoozed_until for each in alert.episodes if each.open), None)
    if not any(each.open for each in alert.episodes):
        return view.snoozed_before(None, alert.zone, click.language)
    return view.until_when(alert.letter_id, asleep, alert.now, alert.zone, click.language)


def on_until(click: Click, context: Context) -> Reply:
    old = NotThere(click.language._("This button is from an older answer: please ask again."))
    try:
        kept = json.loads(click.value)
        letter_id, until = str(kept["l"]), datetime.fromisoformat(kept["u"])
        seen = None if kept["s"] is None else datetime.fromisoformat(kept["s"])
    except (ValueError, KeyError, TypeError):
        raise old from None
    if until.tzinfo is None or (seen is not None and seen.tzinfo is None):
        raise old
    return _snooze(click, context, held(click, context, letter_id), until, seen)


def on_day(click: Click, context: Context) -> Reply:
    __, __, letter_id, before = click.action_id.split(".", 3)
    alert = held(click, context, letter_id)
    try:
        until = view.on_day(date.fromisoformat(click.value), alert.zone)
    except ValueError:
        raise Refusal(click.language._("Choose a day.")) from None
    seen = None if before == NOBODY else datetime.fromtimestamp(int(before), UTC)
    return _snooze(click, context, alert, until, seen)


def _snooze(click: Click, context: Context, alert: Held, until: datetime, seen: datetime | None) -> Reply:
    if not alert.now < until <= alert.now + timedelta(days=view.MOST_DAYS):
        sentence = click.language._("It can sleep until a moment in the next {count} days.", count=view.MOST_DAYS)
        raise Refusal(sentence)

    def change(connection: Connection) -> list[Episode]:
        return rules.snooze(connection, click.workspace_id, alert.letter_id, until, seen=seen)

    thread = snoozed_note(click.user_id, until, alert.zone, alert.language)
    if _step(click, context, alert, "snoozed", change, thread, until=until.isoformat()):
        return view.snoozed(until, alert.zone, click.language)
    first = next((each.snoozed_until for each in _now(context, alert) if each.open and each.snoozed_until), None)
    if first == until:
        return view.snoozed(until, alert.zone, click.language)
    return view.snoozed_before(first, alert.zone, click.language)


def _step(
    click: Click,
    context: Context,
    alert: Held,
    what: str,
    change: Callable[[Connection], list[Episode]],
    thread: Mapping[str, Any],
    **details: str,
) -> bool:
    """The change with everything that comes of it; false where there was nothing to change any more."""
    with writing(context.engine) as connection:
        moved = change(connection)
        if not moved:
            return False
        first = moved[0]
        step = f"{what}:{first.group_key}:{first.number}:{first.version}"
        episodes = rules.of_letter(connection, click.workspace_id, alert.letter_id)
        if alert.told is None:
            # The owner may not see the figures any more: the message stays as it is, and its thread says the rest.
            put_note(connection, alert.rule, alert.letter_id, thread, step, alert.now)
        else:
            tell(connection, alert.told, episodes, alert.letter_id, thread, step, alert.now)
        shared = {"rule": alert.rule.id, "letter": alert.letter_id, "channel": alert.rule.channel_id}
        note(connection, click, f"alert.{what}", alert.now, **shared, **details)
    context.postman.ring()
    return True


def _now(context: Context, alert: Held) -> list[Episode]:
    with reading(context.engine) as connection:
        return rules.of_letter(connection, alert.rule.workspace_id, alert.letter_id)


def _must_be_member(click: Click, context: Context, user_id: str) -> None:
    """Figures come with an alert: only full members of this workspace can be given one."""
    _ = click.language._
    try:
        member = context.slack.user(user_id).member
    except SlackError:
        raise Refusal(_("Slack does not answer about this person just now. Please try again in a minute.")) from None
    if not member:
        raise Refusal(_("An alert can be assigned to full members of this workspace only, not to guests or bots."))


ACTIONS = (
    Action(re.compile(re.escape(ACKNOWLEDGE)), on_acknowledge),
    Action(re.compile(rf"{re.escape(ASSIGN)}\.[0-9a-f]+\.(-|[A-Z0-9]+)"), on_assign),
    Action(re.compile(re.escape(SNOOZE)), on_snooze),
    Action(re.compile(rf"{re.escape(view.UNTIL)}\.[0-9]"), on_until),
    Action(re.compile(rf"{re.escape(view.DAY)}\.[0-9a-f]+\.(-|[0-9]{{1,12}})"), on_day),
)
