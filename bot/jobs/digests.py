"""Digests: due schedules are computed with their owner's rights, and put in the outbox as the schedule moves on.

Replicas share the schedules that are due. Should two compute the same digest all the same, only the one that moves the
schedule puts the letter.
"""

import logging
import uuid
from collections.abc import Hashable
from dataclasses import replace
from datetime import date, datetime, timedelta
from threading import Event
from time import monotonic

from sqlalchemy import Connection

from bot.conversation import Context
from bot.i18n import language
from bot.jobs import Job
from bot.views.digest import Written, write_digest
from kpi.digest import read_digest
from kpi.refusals import RefusedError
from kpi.scope import Scope, scope_of
from kpi.watch import filter_of
from storage import audit, outbox, schedules
from storage.database import reading, writing
from storage.people import read_link
from storage.schedules import Schedule
from storage.workspaces import Workspace, read_workspace

log = logging.getLogger(__name__)

CATCH_UP = timedelta(hours=24)
"""A digest later than this is recorded as skipped: its news is old."""

LATE = timedelta(minutes=30)
"""A digest later than this says when it was due."""

AT_ONCE = 20
"""Schedules that a replica takes at a time: the others take the next ones."""

RECENT_SECONDS = 10
"""For so long, what a digest says is said again to other channels that are to read the very same."""

Said = dict[Hashable, Written | str]
"""What digests said, or why they said nothing, by all that decides it."""


def run(context: Context, stopping: Event) -> None:
    """Every schedule that is due, a few at a time; one that fails does not keep the others waiting."""
    holder = uuid.uuid4().hex
    said: Said = {}
    since = monotonic()
    while not stopping.is_set():
        now = context.clock.now()
        if monotonic() - since > RECENT_SECONDS:
            said, since = {}, monotonic()
        with writing(context.engine) as connection:
            due = schedules.claim(connection, now, holder, AT_ONCE)
        if not due:
            return
        for schedule in due:
            if stopping.is_set():
                return
            try:
                plan(context, schedule, now, said)
            except Exception:
                log.exception("digest_failed schedule=%s", schedule.id)


def plan(context: Context, schedule: Schedule, now: datetime, said: Said) -> None:
    """Compute the latest occurrence, then in one transaction advance the schedule and put the letter. What is computed
    is added to `said`."""
    *missed, day = schedules.occurrences(schedule, now)
    due_at = schedule.due_at(day)
    written: Written | str = "late" if now - due_at > CATCH_UP else _written(context, schedule, day, due_at, now, said)
    with writing(context.engine) as connection:
        if not schedules.advance(connection, schedule, day):
            return
        for skipped in missed:
            _skip(connection, schedule, skipped, "late", now)
        if isinstance(written, str):
            _skip(connection, schedule, day, written, now)
            log.error("digest_skipped schedule=%s reason=%s", schedule.id, written)
            return
        outbox.put(
            connection,
            workspace_id=schedule.workspace_id,
            dedupe=_dedupe(schedule, day),
            kind="digest",
            channel_id=schedule.channel_id,
            payload=written.payload,
            chart=written.chart,
            now=now,
        )
        audit.note(
            connection,
            workspace_id=schedule.workspace_id,
            actor=schedule.owner,
            action="digest.post",
            details={"schedule": schedule.id, "channel": schedule.channel_id, "day": day.isoformat()},
            now=now,
        )
        log.info("digest_put schedule=%s day=%s", schedule.id, day)


def _written(
    context: Context, schedule: Schedule, day: date, due_at: datetime, now: datetime, said: Said
) -> Written | str:
    """The digest of a local day, by the rights its owner has now; or the reason why there is none."""
    late = due_at if now - due_at > LATE else None
    with reading(context.engine) as connection:
        workspace = read_workspace(connection, schedule.workspace_id)
        link = read_link(connection, schedule.workspace_id, schedule.owner)
        if link is None:
            return "owner_unknown"
        # Its readers' clocks are those of the schedule.
        there = replace(workspace, time_zone=schedule.time_zone)
        scope = scope_of(connection, link, visibility=workspace.visibility, today=day)
        same = (scope, there, day, schedule.dimension, schedule.key, schedule.language, late)
        if same not in said:
            seen = replace(scope, late_before=now - context.settings.late_after)
            said[same] = _computed(connection, schedule, seen, there, day, late)
    return said[same]


def _computed(
    connection: Connection, schedule: Schedule, scope: Scope, there: Workspace, day: date, late: datetime | None
) -> Written | str:
    try:
        filters = filter_of(connection, scope, day, schedule.dimension, schedule.key)
        digest = read_digest(connection, scope, day, filters)
    except RefusedError as refused:
        return refused.code
    return write_digest(digest, there, language(schedule.language), late)


def _skip(connection: Connection, schedule: Schedule, day: date, reason: str, now: datetime) -> None:
    outbox.put(
        connection,
        workspace_id=schedule.workspace_id,
        dedupe=_dedupe(schedule, day),
        kind="digest",
        channel_id=schedule.channel_id,
        payload={"text": "", "blocks": []},
        now=now,
        state="skipped",
        error=reason,
    )


def _dedupe(schedule: Schedule, day: date) -> str:
    return f"digest:{schedule.id}:{day.isoformat()}"


JOB = Job("digests", 5, run)
