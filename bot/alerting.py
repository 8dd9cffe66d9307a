"""From the episodes that one letter tells of to its message, and to what its thread says: for the job that judges and
for the buttons alike.

What takes time (asking again with the rights of the rule's owner) is read first; what is written, in the caller's
transaction, is made of that and of the episodes as they were just moved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from bot.i18n import language
from bot.views.alert import write_alert
from bot.views.alert_lines import Alert, Case
from bot.views.digest import Written
from bot.views.evidence import Evidence
from kpi.engine import answer
from kpi.query import Filter, KpiResult
from kpi.refusals import RefusedError
from kpi.scope import scope_of
from kpi.trend import trend
from kpi.watch import NONE, filter_of, question, where_to_look
from storage import outbox, rules
from storage.people import read_link
from storage.rules import WHOLE, Episode, Rule
from storage.workspaces import Workspace, read_workspace


@dataclass(frozen=True, slots=True)
class Told:
    """What a message needs besides its episodes."""

    rule: Rule
    workspace: Workspace
    """With the time zone that the readers of this rule keep."""
    result: KpiResult
    named: Mapping[str, Filter]
    """What each group is called, by its key; empty for a rule that watches one number."""
    look: Any
    trend: KpiResult | None


def read_told(connection: Connection, rule: Rule, episodes: Sequence[Episode], now: datetime) -> Told | None:
    """Asked with the rights of the rule's owner, over the window in which the last of the episodes fired or ended.

    None where the owner is gone or may not see it any more: nothing new is shown then.
    """
    workspace = read_workspace(connection, rule.workspace_id)
    workspace = replace(workspace, time_zone=rule.time_zone)
    link = read_link(connection, rule.workspace_id, rule.owner)
    if link is None:
        return None
    today = _asked_on(episodes, now.astimezone(workspace.zone).date())
    try:
        scope = scope_of(connection, link, visibility=workspace.visibility, today=today)
        result = answer(connection, question(connection, rule, scope, today))
        named = {
            each.group_key: _filter(connection, rule, result, each.group_key)
            for each in episodes
            if each.group_key != WHOLE and rule.each is not None
        }
        alone = replace(result.query, group_by=None)
        if len(episodes) == 1:
            alone = replace(alone, filters=(*alone.filters, *named.values()))
        is_open = any(each.recovered is None for each in episodes)
        level = rule.against is None and is_open and len(episodes) == 1
        look = where_to_look(connection, rule, alone) if level else None
        return Told(rule, workspace, result, named, look, trend(connection, alone))
    except RefusedError:
        return None


def message(told: Told, episodes: Sequence[Episode], letter_id: str, closed: str = "closed") -> Written:
    """The message as it stands with these episodes; `closed` as for `cases_of`."""
    alert, cases = alert_of(told, episodes), cases_of(told, episodes, closed)
    still = [each for each in episodes if each.open]
    acked = still and all(each.acked_by is not None for each in still)
    sleeps = [each.snoozed_until for each in still]
    return write_alert(
        alert,
        told.workspace,
        language(told.rule.language),
        letter_id=letter_id,
        groups=cases,
        acked_by=still[0].acked_by if acked else None,
        assigned_to=next((each.assigned_to for each in still if each.assigned_to), None),
        snoozed_until=min(sleep for sleep in sleeps if sleep) if sleeps and all(sleeps) else None,
        remind_at=None if any(sleeps) else min((each.remind_at for each in still if each.remind_at), default=None),
        reminders=max((each.reminders for each in still), default=0),
    )


def alert_of(told: Told, episodes: Sequence[Episode]) -> Alert:
    """What the episodes have in common; narrowed to the one number where there is one."""
    query = replace(told.result.query, group_by=None)
    if len(episodes) == 1:
        query = replace(query, filters=(*query.filters, *told.named.values()))
    first = cases_of(told, episodes)[0]
    return Alert(told.rule, query, told.result, first.fired, first.recovered, told.look, told.trend)


def cases_of(told: Told, episodes: Sequence[Episode], closed: str = "closed") -> list[Case]:
    """Each episode's number; `closed` says why one is over that has not recovered (`alert_lines.CLOSED`)."""
    return [
        Case(
            told.named.get(each.group_key),
            Evidence.from_json(each.fired or {}),
            None if each.open or each.recovered is None else Evidence.from_json(each.recovered),
            closed if not each.open and each.recovered is None else None,
        )
        for each in episodes
    ]


def tell(
    connection: Connection,
    told: Told,
    episodes: Sequence[Episode],
    letter_id: str,
    note: Mapping[str, Any] | None,
    step: str,
    now: datetime,
    note_at: datetime | None = None,
) -> None:
    """Puts the edit of a message that is there and the note in its thread. `step` names what has happened, once for
    all: it is part of the letters' identity. The note waits until `note_at`; an edit is silent, and does not wait."""
    written = message(told, episodes, letter_id)
    put_edit(connection, told.rule, letter_id, written, step, now)
    if note is not None:
        put_note(connection, told.rule, letter_id, note, step, now, note_at)


def put_edit(connection: Connection, rule: Rule, letter_id: str, written: Written, step: str, now: datetime) -> None:
    outbox.put(
        connection,
        workspace_id=rule.workspace_id,
        dedupe=f"alert:{letter_id}:{step}",
        kind="alert",
        channel_id=rule.channel_id,
        payload=written.payload,
        chart=written.chart,
        now=now,
        edits=letter_id,
        owner=rule.owner,
    )


def put_note(
    connection: Connection,
    rule: Rule,
    letter_id: str,
    note: Mapping[str, Any],
    step: str,
    now: datetime,
    due_at: datetime | None = None,
) -> None:
    outbox.put(
        connection,
        workspace_id=rule.workspace_id,
        dedupe=f"alert:{letter_id}:{step}:note",
        kind="alert",
        channel_id=rule.channel_id,
        payload=note,
        now=now,
        due_at=due_at,
        thread=letter_id,
        owner=rule.owner,
    )


def _asked_on(episodes: Sequence[Episode], today: date) -> date:
    """The day on which the window of the last evidence was the judged one."""
    seen = [Evidence.from_json(each.recovered or each.fired or {}) for each in episodes if each.fired]
    days = [each.on for each in seen if each.on is not None]
    return max(days) + timedelta(days=1) if days else today


def _filter(connection: Connection, rule: Rule, result: KpiResult, key: str) -> Filter:
    """What a group is called: as in the answer, else, where it has nothing there any more, as in the CRM."""
    dimension = rule.each or ""
    for group in result.groups:
        if (group.key or NONE) == key:
            return Filter(dimension, group.key, group.name or NONE)
    if key == NONE:
        return Filter(dimension, None, NONE)
    return filter_of(connection, result.query.scope, result.query.today, dimension, key)[0]


def of_letter(connection: Connection, workspace_id: str, letter_id: str) -> list[tuple[Rule, list[Episode]]]:
    """The rules whose episodes a letter tells of, each with those."""
    episodes = rules.of_letter(connection, workspace_id, letter_id)
    found: dict[str, list[Episode]] = {}
    for each in episodes:
        found.setdefault(each.rule_id, []).append(each)
    read = ((rules.read(connection, workspace_id, rule_id), mine) for rule_id, mine in found.items())
    return [(rule, mine) for rule, mine in read if rule is not None]
