"""A digest whose owner has left: handed to an administrator, who is told, and narrowed to what the owner's held.

An administrator sees everything; the channel is to read what it has read so far. So the digest keeps to the team, or
the person, whose numbers it told; where that cannot be said of it, it waits until the administrator looks at it.
"""

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection

from bot.conversation import Context
from bot.editions import is_here
from bot.jobs.notices import put
from bot.people import language_of
from bot.views.schedule import inherited_message
from kpi.scope import scope_of
from storage import audit, people, schedules
from storage.database import reading, writing
from storage.people import Link
from storage.schedules import Schedule
from storage.workspaces import read_workspace

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """What a digest is narrowed to from now on; None for both: nothing."""

    dimension: str | None
    key: str | None


def owned(context: Context, schedule: Schedule, now: datetime) -> Schedule | None:
    """The schedule, whose owner is here; handed over before where they are not. None where nothing is to be posted now:
    there is nobody to own it, or its new owner is to look at it first, or somebody else was quicker."""
    with reading(context.engine) as connection:
        link = people.read_link(connection, schedule.workspace_id, schedule.owner)
        admins = people.admins(connection, schedule.workspace_id)
    if link is not None and is_here(context, schedule.owner):
        return schedule
    if schedule.audience == schedules.PERSON:
        _ended(context, schedule, now)
        return None
    others = (each for each in admins if each.slack_user_id != schedule.owner)
    heir = next((each for each in others if is_here(context, each.slack_user_id)), None)
    if heir is None:
        _paused(context, schedule, now)
        return None
    with reading(context.engine) as connection:
        kept = _kept(connection, schedule, link, now)
    return _handed(context, schedule, heir, kept, now)


def _kept(connection: Connection, schedule: Schedule, link: Link | None, now: datetime) -> Kept | None:
    """What narrows an administrator's digest to what this one told; None where nothing does."""
    as_it_is = Kept(schedule.dimension, schedule.key)
    if schedule.audience == schedules.MANAGERS or schedule.dimension in {"team", "rep"}:
        return as_it_is
    if link is None:
        return None
    workspace = read_workspace(connection, schedule.workspace_id)
    today = now.astimezone(workspace.zone).date()
    scope = scope_of(connection, link, visibility=workspace.visibility, today=today)
    if scope.everything:
        return as_it_is
    if schedule.dimension is not None:
        return None
    if not scope.teams:
        return next((Kept("rep", person) for person in scope.people), None)
    roots = (team for team in sorted(scope.teams))
    whole = (team for team in roots if people.teams_below(connection, workspace.id, frozenset({team})) == scope.teams)
    return next((Kept("team", team) for team in whole), None)


def _handed(context: Context, schedule: Schedule, heir: Link, kept: Kept | None, now: datetime) -> Schedule | None:
    words = language_of(heir.slack_user_id, schedule.workspace_id, context)
    narrowed = kept or Kept(schedule.dimension, schedule.key)
    paused_at = None if kept is not None else now
    text, blocks = inherited_message(schedule, words, paused=kept is None)
    with writing(context.engine) as connection:
        handed = schedules.hand_over(
            connection,
            schedule,
            heir.slack_user_id,
            dimension=narrowed.dimension,
            key=narrowed.key,
            paused_at=paused_at,
        )
        if not handed:
            return None
        dedupe = f"digest:{schedule.id}:inherited:{heir.slack_user_id}:{schedule.version}"
        put(connection, schedule.workspace_id, dedupe, heir.slack_user_id, text, blocks, now)
        _note(connection, schedule, "digest.inherit", now, heir=heir.slack_user_id)
    log.warning("digest_inherited schedule=%s paused=%s", schedule.id, kept is None)
    if kept is None:
        return None
    return replace(
        schedule,
        owner=heir.slack_user_id,
        dimension=narrowed.dimension,
        key=narrowed.key,
        version=schedule.version + 1,
    )


def _paused(context: Context, schedule: Schedule, now: datetime) -> None:
    """Nobody is there to own it."""
    with writing(context.engine) as connection:
        if schedules.pause(connection, schedule, now):
            _note(connection, schedule, "digest.pause", now)
    log.error("digest_paused schedule=%s reason=no_owner", schedule.id)


def _ended(context: Context, schedule: Schedule, now: datetime) -> None:
    """Its one reader has left."""
    with writing(context.engine) as connection:
        if schedules.stop(connection, schedule.workspace_id, schedule.id, now):
            _note(connection, schedule, "digest.stop", now)
    log.warning("digest_stopped schedule=%s reason=reader_left", schedule.id)


def _note(connection: Connection, schedule: Schedule, action: str, now: datetime, **more: str) -> None:
    audit.note(
        connection,
        workspace_id=schedule.workspace_id,
        actor=schedule.owner,
        action=action,
        details={"schedule": schedule.id, "channel": schedule.channel_id, **more},
        now=now,
    )
