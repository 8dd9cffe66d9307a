"""Digests: due schedules are computed with their readers' rights, and put in the outbox as the schedule moves on.

Replicas share the schedules that are due. Should two compute the same digest all the same, only the one that moves the
schedule puts the letters. A date that is more than a day late is recorded as skipped, and its owner is told; an earlier
one still goes out, and says so.
"""

import logging
import uuid
from collections.abc import Hashable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from threading import Event
from time import monotonic

from sqlalchemy import Connection

from bot.conversation import Context
from bot.editions import Edition, Reader, composed, readers, scope_in
from bot.i18n import Language
from bot.jobs import Job, heirs
from bot.jobs.notices import put
from bot.people import language_of
from bot.views.schedule import refused_message, skipped_message
from storage import audit, outbox, published, schedules
from storage.database import reading, writing
from storage.schedules import Schedule
from storage.workspaces import read_workspace

log = logging.getLogger(__name__)

CATCH_UP = outbox.CATCH_UP["digest"]
"""A digest later than this is recorded as skipped: its news is old."""

LATE = timedelta(minutes=30)
"""A digest later than this says when it was due."""

AT_ONCE = 20
"""Schedules that a replica takes at a time: the others take the next ones."""

RECENT_SECONDS = 10
"""For so long, what a digest says is said again to other channels that are to read the very same."""

UNCHANGED = "unchanged"
FAILED = "failed"

Said = dict[Hashable, Edition | str]
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
    """Compute the first date that is not too late, then in one transaction move the schedule past it and put its
    letters. What is computed is added to `said`. A date after it that has come too is due at once."""
    owned = heirs.owned(context, schedule, now)
    if owned is None:
        return
    come = schedules.occurrences(owned, now)
    old = [day for day in come if now - owned.due_at(day) > CATCH_UP]
    day = next((day for day in come if day not in old), None)
    editions = [] if day is None else _editions(context, owned, day, now, said)
    # Slack may be asked for it: not in the transaction.
    words = language_of(owned.owner, owned.workspace_id, context)
    with writing(context.engine) as connection:
        if not schedules.advance(connection, owned, old[-1] if day is None else day):
            return
        for skipped in old:
            _skip(connection, owned, skipped, _dedupe(owned, skipped), owned.channel_id, outbox.LATE, now)
        if old:
            _tell_late(connection, owned, old, words, now)
        for reader, edition in editions:
            if day is not None:
                _put(connection, owned, day, reader, edition, words, now)
    log.info("digest_done schedule=%s day=%s late=%d readers=%d", owned.id, day, len(old), len(editions))


def _editions(
    context: Context, schedule: Schedule, day: date, now: datetime, said: Said
) -> Sequence[tuple[Reader, Edition | str]]:
    """What each reader is told, or why nothing; of several, one that fails does not keep the others from theirs."""
    found = readers(context, schedule)
    made: list[tuple[Reader, Edition | str]] = []
    for reader in found:
        try:
            made.append((reader, _written(context, schedule, reader, day, now, said)))
        except Exception:
            if schedule.audience != schedules.MANAGERS:
                raise
            log.exception("digest_failed schedule=%s reader=%s", schedule.id, reader.channel_id)
            made.append((reader, FAILED))
    return made


def _written(
    context: Context, schedule: Schedule, reader: Reader, day: date, now: datetime, said: Said
) -> Edition | str:
    """The digest of a local day, by the rights its reader or owner has now; or the reason why there is none."""
    due_at = schedule.due_at(day)
    late = due_at if now - due_at > LATE else None
    with reading(context.engine) as connection:
        workspace = read_workspace(connection, schedule.workspace_id)
        scope = scope_in(connection, schedule, reader.link, workspace, day)
        kind = (schedule.dimension, schedule.key, schedule.kpis, schedule.cadence, schedule.time_zone)
        same = (scope, day, kind, reader.language.code, late)
        if same not in said:
            seen = replace(scope, late_before=now - context.settings.late_after)
            said[same] = composed(connection, schedule, seen, reader.language, day, late)
        edition = said[same]
        if schedule.skip_unchanged and isinstance(edition, Edition) and edition.figures:
            before = published.last_told(connection, schedule.workspace_id, schedule.id, reader.channel_id)
            if before == {each.figure: each.told for each in edition.figures}:
                return UNCHANGED
    return edition


def _put(
    connection: Connection,
    schedule: Schedule,
    day: date,
    reader: Reader,
    edition: Edition | str,
    words: Language,
    now: datetime,
) -> None:
    dedupe = _dedupe(schedule, day)
    if schedule.audience == schedules.MANAGERS:
        dedupe = f"{dedupe}:{reader.channel_id}"
    if isinstance(edition, str):
        _skip(connection, schedule, day, dedupe, reader.channel_id, edition, now)
        if edition not in {UNCHANGED, FAILED}:
            _tell_refused(connection, schedule, edition, words, now)
        return
    letter_id = outbox.put(
        connection,
        workspace_id=schedule.workspace_id,
        dedupe=dedupe,
        kind="digest",
        channel_id=reader.channel_id,
        payload=edition.written.payload,
        chart=edition.written.chart,
        now=now,
        due_at=schedule.due_at(day),
        owner=schedule.owner,
    )
    published.keep(
        connection,
        workspace_id=schedule.workspace_id,
        letter_id=letter_id,
        schedule_id=schedule.id,
        day=day,
        as_of=edition.as_of,
        figures=edition.figures,
    )
    audit.note(
        connection,
        workspace_id=schedule.workspace_id,
        actor=schedule.owner,
        action="digest.post",
        details={"schedule": schedule.id, "channel": reader.channel_id, "day": day.isoformat()},
        now=now,
    )


def _skip(
    connection: Connection, schedule: Schedule, day: date, dedupe: str, channel_id: str, reason: str, now: datetime
) -> None:
    outbox.put(
        connection,
        workspace_id=schedule.workspace_id,
        dedupe=dedupe,
        kind="digest",
        channel_id=channel_id,
        payload={"text": "", "blocks": []},
        now=now,
        due_at=schedule.due_at(day),
        owner=schedule.owner,
        state="skipped",
        error=reason,
    )
    log.log(logging.INFO if reason == UNCHANGED else logging.ERROR, "digest_skipped schedule=%s day=%s reason=%s",
            schedule.id, day, reason)  # fmt: skip


def _tell_late(
    connection: Connection, schedule: Schedule, days: Sequence[date], words: Language, now: datetime
) -> None:
    """Once for all the dates that were skipped together."""
    text, blocks = skipped_message(schedule, days, words)
    dedupe = f"digest:{schedule.id}:late:{days[-1].isoformat()}"
    put(connection, schedule.workspace_id, dedupe, schedule.owner, text, blocks, now, owner=schedule.owner)


def _tell_refused(connection: Connection, schedule: Schedule, reason: str, words: Language, now: datetime) -> None:
    """Once a schedule, owner and reason: the next dates are refused alike until something is changed."""
    text, blocks = refused_message(schedule, words)
    dedupe = f"digest:{schedule.id}:refused:{reason}:{schedule.owner}"
    put(connection, schedule.workspace_id, dedupe, schedule.owner, text, blocks, now, owner=schedule.owner)


def _dedupe(schedule: Schedule, day: date) -> str:
    return f"digest:{schedule.id}:{day.isoformat()}"


JOB = Job("digests", 5, run)
