"""Reminders: an alert that nobody has acknowledged is said again in its thread, and so is one that is still bad when
its snooze ends. Nothing is said while it sleeps, while it is frozen, or in the channel's quiet hours."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from threading import Event

from sqlalchemy import Connection

from bot.alerting import Told, alert_of, cases_of, read_told, tell
from bot.conversation import Context
from bot.i18n import language
from bot.jobs import Job
from bot.jobs.alert_letters import OvertakenError
from bot.views.alert_notes import still_bad_note
from bot.views.evidence import Evidence
from kpi.query import Measured
from kpi.quiet import leaves_at
from kpi.refusals import RefusedError
from kpi.scope import scope_of
from kpi.watch import look, usual
from storage import alerts, rules
from storage.database import reading, writing
from storage.people import read_link
from storage.rules import Episode, Rule
from storage.workspaces import read_workspace

log = logging.getLogger(__name__)

AT_ONCE = 50
"""Reminders of one look; the others come with the next."""

AGAIN = timedelta(hours=1)
"""When one is tried again that nobody may see now."""


@dataclass(frozen=True, slots=True)
class Due:
    """The open episodes of one rule in one message, of which it is time to speak; all that the message tells of; and
    what each that is open shows now."""

    due: Sequence[Episode]
    told: Told
    seen: Sequence[Evidence]


def run(context: Context, stopping: Event) -> None:
    """Everything of which it is time to speak again; one that fails does not stop the others."""
    now = context.clock.now()
    with reading(context.engine) as connection:
        due = alerts.to_remind(connection, now, AT_ONCE)
    for rule, letter_id in due:
        if stopping.is_set():
            return
        try:
            remind(context, rule, letter_id, now)
        except OvertakenError:
            log.info("reminder_overtaken rule=%s", rule.id)
        except Exception:
            log.exception("reminder_failed rule=%s", rule.id)


def remind(context: Context, rule: Rule, letter_id: str, now: datetime) -> None:
    """Say once that it is still bad, or put it off until the channel may be written to."""
    leaves = leaves_at(rule, now)
    with reading(context.engine) as connection:
        mine = [each for each in _mine(connection, rule, letter_id) if _speaks(each, now)]
        found = _read(connection, rule, letter_id, mine, now) if mine and leaves <= now else None
    with writing(context.engine) as connection:
        if found is None:
            later = leaves if leaves > now else now + AGAIN
            for old in mine:
                _move(connection, old, replace(old, remind_at=later))
            return
        slept = [old for old in found.due if old.snoozed_until is not None]
        number = max(old.reminders for old in found.due) + 1
        for old in found.due:
            _move(connection, old, replace(_after(rule, old, now), reminders=number))
        rows = _mine(connection, rule, letter_id)
        still = [each for each in rows if each.open]
        note = still_bad_note(
            alert_of(found.told, still),
            cases_of(found.told, still),
            found.seen,
            found.told.workspace,
            language(rule.language),
            assigned_to=next((each.assigned_to for each in still if each.assigned_to), None),
            slept=bool(slept),
        )
        tell(connection, found.told, rows, letter_id, note, f"{rule.id}:remind:{number}", now)
    log.info("alert_reminded rule=%s number=%d", rule.id, number)


def _speaks(row: Episode, now: datetime) -> bool:
    return row.state in rules.OPEN and row.remind_at is not None and row.remind_at <= now


def _after(rule: Rule, old: Episode, now: datetime) -> Episode:
    """Awake, and told again after so many hours unless somebody has acknowledged it."""
    again = None if rule.remind_hours is None or old.acked_by else now + timedelta(hours=rule.remind_hours)
    return replace(old, snoozed_until=None, remind_at=again)


def _read(connection: Connection, rule: Rule, letter_id: str, due: Sequence[Episode], now: datetime) -> Due | None:
    """What the reminder says; None where the rule's owner may not see it any more."""
    rows = _mine(connection, rule, letter_id)
    told = read_told(connection, rule, rows, now)
    link = read_link(connection, rule.workspace_id, rule.owner)
    if told is None or link is None:
        return None
    workspace = read_workspace(connection, rule.workspace_id)
    today = now.astimezone(workspace.zone).date()
    scope = scope_of(connection, link, visibility=workspace.visibility, today=today)
    day = max((row.judged_on for row in due if row.judged_on is not None), default=today)
    try:
        (there,) = look(connection, rule, scope, today, [day])
    except RefusedError:
        return None
    numbers = {number.key: number for number in there.numbers}
    seen = []
    for row in rows:
        if row.open:
            number = numbers.get(row.group_key)
            measured = Measured(None, None, None) if number is None else number.measured
            held_against = None if number is None else usual(rule, there.result, number.before)
            seen.append(Evidence(measured, now, day - timedelta(days=1), held_against))
    return Due(due, told, seen)


def _mine(connection: Connection, rule: Rule, letter_id: str) -> list[Episode]:
    return [each for each in rules.of_letter(connection, rule.workspace_id, letter_id) if each.rule_id == rule.id]


def _move(connection: Connection, old: Episode, new: Episode) -> None:
    if not rules.move(connection, old, new):
        raise OvertakenError(old.group_key)


JOB = Job("reminders", 30, run)
