"""What the steps of a rule put in its channel, in one transaction with them: a message for those that fire together,
its edits as each of them ends, and the notes in its thread."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.alerting import Told, alert_of, cases_of, message, put_edit, put_note, read_told
from bot.i18n import language
from bot.jobs.judging import Closed, Step
from bot.views.alert_gathered import gathered
from bot.views.alert_notes import closed_note, recovered_note
from kpi.quiet import leaves_at
from kpi.threshold import Transition
from storage import alerts, audit, outbox, rules
from storage.rules import Episode, Rule

MOST_AN_HOUR = 6
"""New messages about alerts in one channel; those after them share one."""

HOUR = timedelta(hours=1)


class OvertakenError(Exception):
    """Somebody else has moved an episode meanwhile: nothing of this is written."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The steps of one rule, and what their messages need to know."""

    rule: Rule
    steps: Sequence[Step]
    told: Mapping[str, Told]
    """By letter: of those that end; "" for those that fire."""


def plan(connection: Connection, rule: Rule, steps: Sequence[Step], now: datetime) -> Plan:
    """Everything that takes time to ask. A message that cannot be written now leaves its steps for later."""
    told: dict[str, Told] = {}
    lacking: set[str] = set()
    fired = [step.new for step in steps if step.told is Transition.FIRED]
    groups = {"": fired} if fired else {}
    for step in steps:
        if step.told is not None and step.told is not Transition.FIRED and step.old.letter_id is not None:
            groups.setdefault(step.old.letter_id, []).append(step.new)
    for letter_id, ended in groups.items():
        there = {row.group_key: row for row in _mine(connection, rule, letter_id)} if letter_id else {}
        there |= {row.group_key: row for row in ended}
        found = read_told(connection, rule, list(there.values()), now)
        if found is not None:
            told[letter_id] = found
        elif not letter_id:
            lacking |= {row.group_key for row in ended}
    return Plan(rule, [step for step in steps if step.old.group_key not in lacking], told)


def write(connection: Connection, planned: Plan, now: datetime) -> None:
    """Move every episode, and put what is to be told of it. Raises `OvertakenError`."""
    rule = planned.rule
    fired = [step for step in planned.steps if step.told is Transition.FIRED]
    leaves = max(leaves_at(rule, now), now)
    letter_id, room = _place(connection, rule, fired[0].new, leaves) if fired else ("", True)
    for step in planned.steps:
        new = step.new
        if step.told is Transition.FIRED:
            after = None if rule.remind_hours is None or not room else leaves + timedelta(hours=rule.remind_hours)
            new = replace(new, letter_id=letter_id, remind_at=after)
        if not rules.move(connection, step.old, new):
            raise OvertakenError(step.old.group_key)
        if step.told is not None:
            _note_down(connection, rule, step, now)
    for ended_id, steps in _ended(planned.steps).items():
        _tell_the_end(connection, planned, ended_id, steps, leaves, now)
    if not fired:
        return
    if room:
        written = message(planned.told[""], _mine(connection, rule, letter_id), letter_id)
        _post(connection, rule, _identity(fired[0].new), written.payload, written.chart, leaves, now)
    else:
        _gather(connection, rule, letter_id, fired[0].new, leaves, now)


def _place(connection: Connection, rule: Rule, first: Episode, leaves: datetime) -> tuple[str, bool]:
    """The letter for what fires, and whether it is one of its own: a channel that was told too much within the hour
    gets one message for all the rest."""
    recent = alerts.messages(connection, rule.workspace_id, rule.channel_id, leaves - HOUR, leaves)
    gathering = next((each.letter_id for each in recent if each.gathers), None)
    if gathering is not None:
        return gathering, False
    if len(recent) >= MOST_AN_HOUR:
        return outbox.letter_id(rule.workspace_id, alerts.GATHERED + _identity(first)), False
    return outbox.letter_id(rule.workspace_id, _identity(first)), True


def _identity(first: Episode) -> str:
    """Of the message of those that fire together: the first of them."""
    return f"alert:{first.rule_id}:{first.group_key}:{first.number}:fired"


def _post(
    connection: Connection,
    rule: Rule,
    dedupe: str,
    payload: Mapping[str, Any],
    chart: Mapping[str, Any] | None,
    leaves: datetime,
    now: datetime,
) -> None:
    outbox.put(
        connection,
        workspace_id=rule.workspace_id,
        dedupe=dedupe,
        kind="alert",
        channel_id=rule.channel_id,
        payload=payload,
        chart=chart,
        now=now,
        due_at=leaves,
        owner=rule.owner,
    )


def _gather(
    connection: Connection, rule: Rule, letter_id: str, cause: Episode, leaves: datetime, now: datetime
) -> None:
    """The message that stands for those that were too many: new, or edited to say how many they are now."""
    there = rules.of_letter(connection, rule.workspace_id, letter_id)
    open_ = sum(each.open for each in there)
    payload = gathered(open_, len(there) - open_, language(rule.language))
    identity = alerts.GATHERED + _identity(cause)
    if letter_id == outbox.letter_id(rule.workspace_id, identity) and cause.open:
        _post(connection, rule, identity, payload, None, leaves, now)
        return
    outbox.put(
        connection,
        workspace_id=rule.workspace_id,
        dedupe=f"alert:{letter_id}:{cause.rule_id}:{cause.group_key}:{cause.number}:{cause.state}",
        kind="alert",
        channel_id=rule.channel_id,
        payload=payload,
        now=now,
        edits=letter_id,
        owner=rule.owner,
    )


def _ended(steps: Sequence[Step]) -> dict[str, list[Step]]:
    """The steps that end an episode, by its letter."""
    found: dict[str, list[Step]] = {}
    for step in steps:
        if step.told is not None and step.told is not Transition.FIRED and step.old.letter_id is not None:
            found.setdefault(step.old.letter_id, []).append(step)
    return found


def _tell_the_end(
    connection: Connection, planned: Plan, letter_id: str, steps: Sequence[Step], leaves: datetime, now: datetime
) -> None:
    rule = planned.rule
    if alerts.gathers(connection, rule.workspace_id, letter_id):
        _gather(connection, rule, letter_id, steps[-1].new, leaves, now)
        return
    there = {row.group_key: row for row in _mine(connection, rule, letter_id)}
    # A group that has fired anew since is elsewhere; its end is told where it began.
    there |= {step.new.group_key: replace(step.new, letter_id=letter_id) for step in steps}
    episodes = list(there.values())
    is_open = any(each.open for each in episodes)
    if not is_open and outbox.withdraw(connection, rule.workspace_id, letter_id, "it was over before it could leave"):
        return
    told = planned.told.get(letter_id)
    first = steps[0]
    identity = f"{first.new.group_key}:{first.new.number}:{first.told}"
    over = next((step.told for step in steps if isinstance(step.told, Closed)), None)
    if told is not None:
        written = message(told, episodes, letter_id, "closed" if over is None else over.value)
        put_edit(connection, rule, letter_id, written, identity, now)
    for step in steps:
        if step.old.snoozed_until is not None and step.old.snoozed_until > now:
            continue  # nothing is said while it sleeps: the message shows it
        if told is not None:
            told_of = f"{step.new.group_key}:{step.new.number}:{step.told}"
            put_note(connection, rule, letter_id, _the_end(told, step), told_of, now, leaves)


def _the_end(told: Told, step: Step) -> Mapping[str, Any]:
    words = language(told.rule.language)
    if isinstance(step.told, Closed):
        return closed_note(cases_of(told, [step.new], step.told.value)[0], words)
    return recovered_note(alert_of(told, [step.new]), cases_of(told, [step.new])[0], words)


def _mine(connection: Connection, rule: Rule, letter_id: str) -> list[Episode]:
    """The rule's episodes that a letter tells of."""
    return [each for each in rules.of_letter(connection, rule.workspace_id, letter_id) if each.rule_id == rule.id]


def _note_down(connection: Connection, rule: Rule, step: Step, now: datetime) -> None:
    audit.note(
        connection,
        workspace_id=rule.workspace_id,
        actor=rule.owner,
        action=f"alert.{step.told}",
        details={"rule": rule.id, "channel": rule.channel_id, "episode": step.new.number},
        now=now,
    )
