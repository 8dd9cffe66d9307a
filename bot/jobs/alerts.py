"""Alerts: after a good sync every rule is judged; its state moves and its letter is put in one transaction.

One message per episode: posted when it fires, edited in place when it recovers.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Event

from sqlalchemy import Connection

from bot.conversation import Context
from bot.i18n import language
from bot.jobs import Job
from bot.views.alert import write_alert
from bot.views.alert_lines import Alert
from bot.views.digest import Written
from bot.views.evidence import Evidence
from kpi.engine import answer
from kpi.query import KpiResult
from kpi.refusals import RefusedError
from kpi.scope import scope_of
from kpi.standing import as_of, is_late
from kpi.threshold import Standing, State, Transition, judge
from kpi.trend import trend
from kpi.watch import Watched, question, threshold_of, watched, where_to_look
from storage import audit, outbox, rules, schedules
from storage.database import reading, writing
from storage.people import read_link
from storage.rules import Episode, Rule
from storage.workspaces import Workspace, read_workspace

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Move:
    """One group's step: from one episode row to the next, with the message to put, if any."""

    old: Episode
    new: Episode
    transition: Transition | None
    written: Written | None


def run(context: Context, stopping: Event) -> None:
    """Every rule whose data has become complete since it was last judged; one that fails does not stop the others."""
    now = context.clock.now()
    for rule in _waiting(context):
        if stopping.is_set():
            return
        try:
            judge_rule(context, rule, now)
        except Exception:
            log.exception("rule_failed rule=%s", rule.id)


def _waiting(context: Context) -> list[Rule]:
    """The rules whose KPI rests on data that is newer than when they were last judged, and not late: an alert neither
    fires nor recovers on numbers that nobody confirms."""
    late_before = context.clock.now() - context.settings.late_after
    with reading(context.engine) as connection:
        waiting = []
        for rule, judged in rules.waiting(connection):
            fresh = as_of(connection, rule.workspace_id, rule.metric)
            frozen = is_late(connection, rule.workspace_id, rule.metric, late_before)
            if fresh is not None and (judged is None or fresh > judged) and not frozen:
                waiting.append(rule)
        return waiting


def judge_rule(context: Context, rule: Rule, now: datetime) -> None:
    """Ask the rule's question with its owner's rights, judge every number it watches, and write down what moved."""
    with reading(context.engine) as connection:
        workspace = read_workspace(connection, rule.workspace_id)
        link = read_link(connection, rule.workspace_id, rule.owner)
        if link is None:
            log.warning("rule_not_judged rule=%s reason=owner_unknown", rule.id)
            return
        today = now.astimezone(workspace.zone).date()
        scope = scope_of(connection, link, visibility=workspace.visibility, today=today)
        try:
            result = answer(connection, question(connection, rule, scope, today))
        except RefusedError as refused:
            log.warning("rule_not_judged rule=%s reason=%s", rule.id, refused.code)
            return
        moves = [_move(connection, rule, result, number, workspace, now) for number in watched(rule, result)]
    for move in moves:
        _write(context, rule, move, now)


def _move(
    connection: Connection, rule: Rule, result: KpiResult, number: Watched, workspace: Workspace, now: datetime
) -> Move:
    old = rules.standing(connection, rule, number.key, now)
    before = Standing(State(old.state), old.since, old.streak, old.number, old.judged_as_of)
    after, transition = judge(threshold_of(rule, result), before, number.measured, result.as_of, now)
    new = replace(
        old,
        state=after.state.value,
        since=after.since,
        streak=after.streak,
        number=after.number,
        judged_as_of=after.judged_as_of,
    )
    if transition is None:
        return Move(old, new, None, None)
    seen = Evidence(number.measured, now)
    if transition is Transition.FIRED:
        fired, recovered = seen, None
        new = replace(new, fired=seen.to_json(), recovered=None, letter_id=_letter_id(new, transition))
    else:
        fired, recovered = Evidence.from_json(old.fired or {}), seen
        new = replace(new, recovered=seen.to_json())
    narrowed = replace(result.query, group_by=None, filters=number.filters)
    alert = Alert(
        rule=rule,
        query=narrowed,
        result=result,
        fired=fired,
        recovered=recovered,
        look=where_to_look(connection, rule, narrowed) if recovered is None else None,
        trend=trend(connection, narrowed),
    )
    there = replace(workspace, time_zone=_zone(connection, rule, workspace))
    return Move(old, new, transition, write_alert(alert, there, language(rule.language)))


def _zone(connection: Connection, rule: Rule, workspace: Workspace) -> str:
    """The time zone that the readers of a channel are known to keep, by its digests; else the workspace's."""
    running = schedules.running(connection, rule.workspace_id)
    zones = {each.time_zone for each in running if each.channel_id == rule.channel_id}
    return zones.pop() if len(zones) == 1 else workspace.time_zone


def _write(context: Context, rule: Rule, move: Move, now: datetime) -> None:
    if move.new == move.old:
        return
    with writing(context.engine) as connection:
        if not rules.move(connection, move.old, move.new) or move.written is None or move.transition is None:
            return
        outbox.put(
            connection,
            workspace_id=rule.workspace_id,
            dedupe=_dedupe(move.new, move.transition),
            kind="alert",
            channel_id=rule.channel_id,
            payload=move.written.payload,
            chart=move.written.chart,
            now=now,
            edits=move.old.letter_id if move.transition is Transition.RECOVERED else None,
        )
        audit.note(
            connection,
            workspace_id=rule.workspace_id,
            actor=rule.owner,
            action=f"alert.{move.transition}",
            details={"rule": rule.id, "channel": rule.channel_id, "episode": move.new.number},
            now=now,
        )
    log.info("alert_%s rule=%s episode=%d", move.transition, rule.id, move.new.number)


def _dedupe(episode: Episode, transition: Transition) -> str:
    return f"alert:{episode.rule_id}:{episode.group_key}:{episode.number}:{transition}"


def _letter_id(episode: Episode, transition: Transition) -> str:
    return outbox.letter_id(episode.workspace_id, _dedupe(episode, transition))


JOB = Job("alerts", 5, run)
