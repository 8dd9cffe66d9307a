"""Alerts: every rule is judged once for each local day, on data that is complete past it; what moves and its letters
are one transaction.

One message per episode (groups that fire together share it): posted when it fires, edited in place at each step, with
its history in the thread.
"""

import logging
import uuid
from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from threading import Event

from bot.conversation import Context
from bot.i18n import language
from bot.jobs import Job
from bot.jobs.alert_letters import OvertakenError, plan, write
from bot.jobs.judging import Step, closing, steps
from bot.jobs.notices import post
from kpi.refusals import RefusedError
from storage import alerts, audit, leases, people, rules
from storage.database import reading, writing
from storage.people import read_link
from storage.rules import Rule
from storage.workspaces import read_workspace

log = logging.getLogger(__name__)

LEASE = "alerts"
"""Of one workspace: so that replicas do not compute the same at the same time, and count its messages together."""


def run(context: Context, stopping: Event) -> None:
    """Every rule about which something may have to be done; one that fails does not stop the others."""
    now, holder = context.clock.now(), uuid.uuid4().hex
    with reading(context.engine) as connection:
        waiting = alerts.waiting(connection, now - context.settings.late_after)
        orphaned = alerts.orphaned(connection)
    for workspace_id, mine in groupby([*waiting, *orphaned], key=lambda rule: rule.workspace_id):
        if stopping.is_set():
            return
        with writing(context.engine) as connection:
            taken = leases.take_free(connection, [(workspace_id, LEASE)], holder, leases.SECONDS)
        if not taken:
            continue  # another replica is at it
        for rule in mine:
            if stopping.is_set():
                break
            try:
                judge_rule(context, rule, now)
            except Exception:
                log.exception("rule_failed rule=%s", rule.id)
        try:
            with writing(context.engine) as connection:
                leases.release(connection, workspace_id, LEASE, holder)
        except leases.LostError:
            log.warning("rules_took_long workspace=%s", workspace_id)


def judge_rule(context: Context, rule: Rule, now: datetime) -> None:
    """Ask the rule's question with its owner's rights, judge every number it watches, and write down what moved."""
    with reading(context.engine) as connection:
        running = rules.is_running(connection, rule)
        link = read_link(connection, rule.workspace_id, rule.owner)
        if running and link is not None:
            workspace = read_workspace(connection, rule.workspace_id)
            try:
                found = steps(connection, context, rule, link, workspace, now)
            except RefusedError as refused:
                log.warning("rule_not_judged rule=%s reason=%s", rule.id, refused.code)
                return
        else:
            found = [] if running else closing(connection, rule, now)
        planned = plan(connection, rule, found, now)
    if running and link is None:
        _hand_over(context, rule, now)
    if not planned.steps:
        return
    try:
        with writing(context.engine) as connection:
            write(connection, planned, now)
    except OvertakenError:
        log.info("rule_overtaken rule=%s", rule.id)
        return
    _log(rule, planned.steps)


def _log(rule: Rule, moved: Sequence[Step]) -> None:
    for step in moved:
        if step.told is not None:
            log.info("alert_%s rule=%s episode=%d", step.told, rule.id, step.new.number)


def _hand_over(context: Context, rule: Rule, now: datetime) -> None:
    """The rule's owner is nobody any more: an administrator gets it, and is told."""
    with writing(context.engine) as connection:
        admin = next(iter(people.admins(connection, rule.workspace_id)), None)
        if admin is None:
            log.warning("rule_not_judged rule=%s reason=owner_unknown", rule.id)
            return
        if not rules.hand_over(connection, rule, admin.slack_user_id):
            return
        workspace = read_workspace(connection, rule.workspace_id)
        words = language(admin.language or workspace.language)
        said = words._(
            "An alert rule was handed to you: its owner is no longer known to Vigie. It is judged with your rights "
            "now; “/kpi alert list” shows it."
        )
        post(connection, rule.workspace_id, f"owner:{rule.id}:{rule.owner}", admin.slack_user_id, said, now)
        audit.note(
            connection,
            workspace_id=rule.workspace_id,
            actor=admin.slack_user_id,
            action="alert.hand_over",
            details={"rule": rule.id, "from": rule.owner},
            now=now,
        )
    log.info("rule_handed_over rule=%s", rule.id)


JOB = Job("alerts", 5, run)
