"""What a schedule says to one reader on one local day: for the job that posts it, a preview and a test alike."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import Connection

from bot.conversation import Context
from bot.i18n import Language, language
from bot.people import language_of
from bot.slack import SlackError
from bot.views.digest import Written, write_digest
from kpi.digest import Choice, Digest, read_digest
from kpi.period import Grain
from kpi.refusals import RefusedError
from kpi.scope import Scope, scope_of
from kpi.told import figure_of, question_of, told
from kpi.watch import filter_of
from storage.database import reading
from storage.dates import DAILY, MONTHLY, WEEKLY
from storage.people import Link, managers, read_link
from storage.published import Figure
from storage.schedules import CHANNEL, MANAGERS, Schedule
from storage.workspaces import Workspace, read_workspace

GRAINS = {DAILY: Grain.DAY, WEEKLY: Grain.WEEK, MONTHLY: Grain.MONTH}


@dataclass(frozen=True, slots=True)
class Reader:
    """Where an edition goes, by whose rights it is computed, and in which language it is written."""

    channel_id: str
    link: Link
    language: Language


@dataclass(frozen=True, slots=True)
class Edition:
    """The message, and the figures in it."""

    written: Written
    figures: tuple[Figure, ...]
    as_of: datetime | None


def is_here(context: Context, user_id: str) -> bool:
    """Whether this is (still) a full member; who Slack says nothing of just now is taken to be."""
    try:
        return context.slack.user(user_id).member
    except SlackError as error:
        return error.code != "user_not_found"


def readers(context: Context, schedule: Schedule) -> Sequence[Reader]:
    """The channel or person of a schedule, or each manager that is here; nobody where its owner is not known."""
    with reading(context.engine) as connection:
        workspace = read_workspace(connection, schedule.workspace_id)
        owner = read_link(connection, schedule.workspace_id, schedule.owner)
        led = managers(connection, schedule.workspace_id) if schedule.audience == MANAGERS else ()
    if schedule.audience == MANAGERS:
        here = [each for each in led if is_here(context, each.slack_user_id)]
        return [Reader(each.slack_user_id, each, _spoken(context, schedule, each.slack_user_id)) for each in here]
    if owner is None:
        return []
    if schedule.audience == CHANNEL:
        return [Reader(schedule.channel_id, owner, language(schedule.language or workspace.language))]
    return [Reader(schedule.channel_id, owner, _spoken(context, schedule, schedule.owner))]


def _spoken(context: Context, schedule: Schedule, user_id: str) -> Language:
    return language(schedule.language) if schedule.language else language_of(user_id, schedule.workspace_id, context)


def chosen(schedule: Schedule) -> Sequence[Choice]:
    """The KPIs and readings that a schedule tells, in their order; empty: those of every digest."""
    return [(metric, reading) for metric, reading in json.loads(schedule.kpis or "[]")]


def scope_in(connection: Connection, schedule: Schedule, link: Link, workspace: Workspace, day: date) -> Scope:
    """What a reader's link may see, in this digest: of what goes to each manager, the team that they manage, and no
    more."""
    if schedule.audience != MANAGERS:
        return scope_of(connection, link, visibility=workspace.visibility, today=day)
    return scope_of(connection, replace(link, role="manager"), visibility="own", today=day)


def compose(
    connection: Connection,
    schedule: Schedule,
    scope: Scope,
    words: Language,
    day: date,
    late: datetime | None = None,
) -> Edition:
    """Compute and write the edition of a local day; `late` is when it was due, where that is long ago.

    Raises `RefusedError` where the scope does not reach what the schedule is narrowed to.
    """
    # Its readers' clocks are those of the schedule.
    workspace = replace(read_workspace(connection, schedule.workspace_id), time_zone=schedule.time_zone)
    filters = filter_of(connection, scope, day, schedule.dimension, schedule.key)
    digest = read_digest(connection, scope, day, filters, chosen=chosen(schedule), grain=GRAINS[schedule.cadence])
    return Edition(write_digest(digest, workspace, words, late), figures(digest), digest.as_of)


def figures(digest: Digest) -> tuple[Figure, ...]:
    return tuple(Figure(figure_of(each.query), question_of(each.query), told(each)) for each in digest.results)


def composed(
    connection: Connection, schedule: Schedule, scope: Scope, words: Language, day: date, late: datetime | None
) -> Edition | str:
    """`compose`, or the code of why it was refused."""
    try:
        return compose(connection, schedule, scope, words, day, late)
    except RefusedError as refused:
        return refused.code
