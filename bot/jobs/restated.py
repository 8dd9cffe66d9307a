"""Figures that a digest has told and that have moved since: one note in that digest's thread, kept up to date.

After a sync, the newest two digests of each schedule and reader, of the last five weeks, are asked again: the same
questions, by the same rights, as of the same day, in one statement a digest. What ripens by itself is not asked
(`kpi.told`), so whatever differs by more than its tolerance is an edit of the past.
"""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from threading import Event
from typing import Any

from sqlalchemy import Connection

from bot.conversation import Context
from bot.editions import Reader, readers, scope_in
from bot.jobs import Job
from bot.views.restated import write_restated
from kpi.engine import answers
from kpi.refusals import RefusedError
from kpi.restated import moved
from kpi.scope import Scope
from kpi.told import is_another, query_of, settled, told
from storage import audit, outbox, published, schedules
from storage.database import reading, writing
from storage.published import Figure, Restatable
from storage.schedules import Schedule
from storage.workspaces import Workspace, all_workspaces, read_workspace

log = logging.getLogger(__name__)

LOOKED_BACK = timedelta(days=35)
KIND = "notice"

Json = Mapping[str, Any]


def run(context: Context, stopping: Event) -> None:
    """Every digest that stands, and that there is newer data for; one that fails does not keep the others waiting."""
    with reading(context.engine) as connection:
        workspaces = all_workspaces(connection)
    for workspace in workspaces:
        since = context.clock.now().astimezone(workspace.zone).date() - LOOKED_BACK
        with reading(context.engine) as connection:
            digests = published.restatable(connection, workspace.id, since)
            rows = {row.id: row for row in schedules.running(connection, workspace.id)} if digests else {}
        for digest in digests:
            if stopping.is_set():
                return
            try:
                look(context, digest, rows[digest.schedule_id])
            except Exception:
                log.exception("restating_failed letter=%s", digest.letter_id)


def look(context: Context, digest: Restatable, schedule: Schedule) -> None:
    """Ask a digest's questions again, and put or edit its note where what they say is another."""
    reader = next((each for each in readers(context, schedule) if each.channel_id == digest.channel_id), None)
    with reading(context.engine) as connection:
        workspace = read_workspace(connection, digest.workspace_id)
        now_told = {} if reader is None else _again(connection, digest, schedule, reader, workspace)
        figures = [each for each in digest.figures if each.figure in now_told]
        if not any(is_another(digest.restated.get(each.figure, each.told), now_told[each.figure]) for each in figures):
            payload, said = None, {}
        else:
            apart = [each for each in figures if is_another(each.told, now_told[each.figure])]
            queries = [query_of(digest.workspace_id, each.question) for each in apart]
            rows = moved(connection, queries, digest.put_at) if queries else []
            shown = [(each.question["metric"], each.told, now_told[each.figure]) for each in apart]
            said = {each.figure: now_told[each.figure] for each in apart}
            payload = None if reader is None else write_restated(shown, rows, reader.language)
    now = context.clock.now()
    with writing(context.engine) as connection:
        published.held(connection, digest)
        if payload is not None and published.restate(connection, digest, said):
            _put(connection, digest, schedule, payload, now)
            log.info("digest_restated letter=%s figures=%d", digest.letter_id, len(said))


def _again(
    connection: Connection, digest: Restatable, schedule: Schedule, reader: Reader, workspace: Workspace
) -> dict[str, Json]:
    """What its questions say now, by figure; nothing where who reads it, or owns it, may no longer see what it told."""
    asked: list[Figure] = [
        each for each in digest.figures if settled(each.question["metric"], each.question["reading"])
    ]
    queries = [query_of(digest.workspace_id, each.question) for each in asked]
    may_see = scope_in(connection, schedule, reader.link, workspace, digest.day)
    if not queries or not all(_covers(may_see, query.scope) for query in queries):
        return {}
    try:
        results = answers(connection, queries)
    except RefusedError as refused:
        log.warning("restating_refused letter=%s reason=%s", digest.letter_id, refused.code)
        return {}
    return {each.figure: told(result) for each, result in zip(asked, results, strict=True)}


def _covers(scope: Scope, other: Scope) -> bool:
    if scope.everything or other.everything:
        return scope.everything
    return other.people <= scope.people and other.teams <= scope.teams


def _put(
    connection: Connection, digest: Restatable, schedule: Schedule, payload: Mapping[str, Any], now: datetime
) -> None:
    """The first note is posted in the thread; later ones take its place."""
    first = f"restated:{digest.letter_id}:0"
    again = digest.restatements > 0
    outbox.put(
        connection,
        workspace_id=digest.workspace_id,
        dedupe=f"restated:{digest.letter_id}:{digest.restatements}",
        kind=KIND,
        channel_id=digest.channel_id,
        payload=payload,
        now=now,
        thread=None if again else digest.letter_id,
        edits=outbox.letter_id(digest.workspace_id, first) if again else None,
        owner=schedule.owner,
    )
    audit.note(
        connection,
        workspace_id=digest.workspace_id,
        actor=schedule.owner,
        action="digest.restate",
        details={"schedule": schedule.id, "channel": digest.channel_id, "day": digest.day.isoformat()},
        now=now,
    )


JOB = Job("restated", 30, run)
