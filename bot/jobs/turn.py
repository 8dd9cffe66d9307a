"""One turn of one source: hints first, then its pages; how it ended decides when the next one is due and who is told.

What people are told is told once per episode: a source whose credentials are refused, an object that waits, data that
is late. The letters are put in the transaction that sets the next turn.
"""

import logging
import random
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from threading import Event
from time import monotonic

import httpx
from sqlalchemy import Connection

from bot.conversation import Context
from bot.jobs import late
from bot.jobs.notices import tell_admins
from bot.keeping import keeper, settle
from bot.views.sources import failure_sentence, source_name, trouble_sentence
from storage import hints, sources
from storage.connectors.base import Connector
from storage.connectors.http import BudgetError, CrmError, RefusedError, UnavailableError, UnexpectedError
from storage.database import reading, writing
from storage.leases import BusyError, LostError
from storage.sources import Due, Source
from storage.status import READY, read_sources
from storage.sync import Report, load, reread
from storage.troubles import Trouble
from storage.vault import Vault, VaultError
from storage.workspaces import Workspace, read_workspace

log = logging.getLogger(__name__)

SECONDS = 60.0
"""After so long, what is not read yet waits for the others' turns."""
LONGEST_WAIT = 15.0
"""Seconds that a turn may wait for a CRM; longer waits are waited for outside of it."""
LONGEST_PAUSE = timedelta(hours=1)
"""Between two runs of a source that fails."""
SOON = timedelta(seconds=30)
NIGHT = timedelta(hours=4)
"""From 1 o'clock, local time: each source lists everything at its own moment of the night."""
MOST_HINTS = 500
KEPT_HINTS = timedelta(days=7)
"""For so long, the same event delivered once more is known."""


class Turn:
    """At most a minute of one source's pages, in a thread of the sync job."""

    def __init__(
        self, context: Context, vault: Vault, due: Due, stopping: Event, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._context, self._vault, self._due = context, vault, due
        self._stopping, self._transport = stopping, transport
        self._until = monotonic() + SECONDS
        self._cut = False
        """The turn was over before the source was."""

    def take(self) -> None:
        """Everything that may go wrong ends in when the source is due again."""
        source = self._source()
        if source is None:
            return
        polled = source.due_at <= self._now()
        try:
            report = self._run(source, polled=polled)
        except (BusyError, LostError):
            # Another run of this source, or a person who changed it: nothing failed.
            self._end(source, self._now() + SOON, source.failures)
        except BudgetError as error:
            self._end(source, max(error.until, source.due_at), source.failures)
        except RefusedError as error:
            log.warning("source_refused source=%s reason=%s", source.source, error)
            self._refused(source)
        except Exception as error:
            if isinstance(error, CrmError | VaultError | sources.OptionsError):
                log.warning("sync_failed source=%s reason=%s %s", source.source, type(error).__name__, error)
            else:
                log.exception("sync_failed source=%s", source.source)
            self._failed(source, error)
        else:
            if report is not None:
                self._ended(source, report, polled=polled)
                settle(self._context.engine, source.workspace_id, self._context.clock, stop=self._over)

    def _source(self) -> Source | None:
        """The source, if it still waits for its turn; once a night it is sent back to list everything."""
        now = self._now()
        with reading(self._context.engine) as connection:
            source = sources.read(connection, self._due.workspace_id, self._due.source)
            workspace = read_workspace(connection, self._due.workspace_id)
        if source is None or source.state != READY or (source.due_at > now and source.failures):
            return None
        if source.due_at > now or not self._lists_tonight(source, workspace, now):
            return source
        with writing(self._context.engine) as connection:
            sources.list_again(connection, source.workspace_id, source.source, now)
            log.info("listing_begun source=%s", source.source)
            return sources.read(connection, source.workspace_id, source.source)

    def _lists_tonight(self, source: Source, workspace: Workspace, now: datetime) -> bool:
        try:
            walks = sources.declared(source.source).walks
        except LookupError:
            return False
        if not any(walk.key for walk in walks):
            # Every run lists everything as it is.
            return False
        moment = night(source, workspace, now)
        return (source.listed_at or source.created_at) < moment

    def _run(self, source: Source, *, polled: bool) -> Report | None:
        """Rows that webhooks spoke of; then, where its time has come, everything that changed."""
        engine, now = self._context.engine, self._now()
        connector = sources.open_connector(
            engine, source, self._vault, now, transport=self._transport, pause=self._pause
        )
        try:
            report = self._settle_hints(source, connector, now)
        except (UnavailableError, UnexpectedError) as error:
            if not polled:
                raise
            # It may be one row that the CRM cannot tell: the poll shows whether the others can be read.
            log.warning("hints_failed source=%s reason=%s %s", source.source, type(error).__name__, error)
        if not polled:
            return report
        keep = keeper(engine, source.workspace_id, self._context.clock)
        return load(
            engine, source.workspace_id, connector, now=self._now(), clock=self._now, on_page=keep, stop=self._over
        )

    def _settle_hints(self, source: Source, connector: Connector, now: datetime) -> Report | None:
        engine = self._context.engine
        with reading(engine) as connection:
            waiting = hints.waiting(connection, source.workspace_id, source.source, MOST_HINTS)
        if not waiting:
            return None
        with writing(engine) as connection:
            hints.prune(connection, source.workspace_id, source.source, now - KEPT_HINTS)
        keep = keeper(engine, source.workspace_id, self._context.clock)
        return reread(engine, source.workspace_id, connector, waiting, now=now, clock=self._now, on_page=keep)

    def _over(self) -> bool:
        self._cut = self._cut or self._stopping.is_set() or monotonic() > self._until
        return self._cut

    def _pause(self, seconds: float) -> None:
        """Wait for a CRM, but neither for long nor while Vigie stops: the thread is wanted by others."""
        if seconds > LONGEST_WAIT:
            raise BudgetError("a long wait", self._now() + timedelta(seconds=seconds))
        if self._stopping.wait(seconds):
            self._cut = True
            raise BudgetError("Vigie stops", self._now())

    def _ended(self, source: Source, report: Report, *, polled: bool) -> None:
        now = self._now()
        due_at = source.due_at
        if report.resume_at is not None and not self._cut:
            due_at = report.resume_at
        elif polled:
            due_at = now if self._cut else now + timedelta(minutes=self._context.settings.sync_minutes)
        with writing(self._context.engine) as connection:
            sources.mark(connection, source, due_at=due_at, failures=0)
            for trouble in report.troubles:
                self._tell_trouble(connection, source, trouble, now)
            if report.outcome != "ok" and not self._cut:
                late.tell(connection, self._context, source, now)
        log.info(
            "synced source=%s outcome=%s new=%d changed=%d deleted=%d requests=%d cut=%s",
            source.source,
            report.outcome,
            report.total.new,
            report.total.changed,
            report.total.deleted,
            report.requests,
            self._cut,
        )

    def _failed(self, source: Source, error: Exception) -> None:
        now, failures = self._now(), source.failures + 1
        minutes = self._context.settings.sync_minutes * 2 ** min(failures - 1, 10)
        pause = min(
            timedelta(minutes=minutes), max(LONGEST_PAUSE, timedelta(minutes=self._context.settings.sync_minutes))
        )
        with writing(self._context.engine) as connection:
            # A crowd of sources that failed together must not come back together.
            sources.mark(connection, source, due_at=now + pause * random.uniform(0.5, 1), failures=failures)  # noqa: S311
            late.tell(connection, self._context, source, now)
            if isinstance(error, VaultError | sources.OptionsError) and failures == 1:
                self._tell_failure(connection, source, error, now)

    def _refused(self, source: Source) -> None:
        now = self._now()
        with writing(self._context.engine) as connection:
            if sources.refuse(connection, source, now):
                self._tell_failure(connection, source, RefusedError(""), now)

    def _end(self, source: Source, due_at: datetime, failures: int) -> None:
        with writing(self._context.engine) as connection:
            sources.mark(connection, source, due_at=due_at, failures=failures)

    def _tell_failure(self, connection: Connection, source: Source, error: Exception, now: datetime) -> None:
        name = type(error).__name__
        tell_admins(
            connection,
            source.workspace_id,
            f"{name}:{source.source}:{now.isoformat()}",
            lambda language: failure_sentence(name, source.source, language),
            now,
        )

    def _tell_trouble(self, connection: Connection, source: Source, trouble: Trouble, now: datetime) -> None:
        """The same trouble lasts as long as the object is not complete again."""
        told = {name: str(value) for name, value in trouble.values.items()}
        states = read_sources(connection, source.workspace_id)
        complete = next(
            (
                each.complete_at
                for state in states
                for each in state.told
                if (state.source, each.object) == (source.source, trouble.object)
            ),
            None,
        )
        tell_admins(
            connection,
            source.workspace_id,
            f"{trouble.code}:{source.source}:{trouble.object}:{complete}",
            lambda language: (
                f"{source_name(source.source, language)}{language._(': ')}"
                + trouble_sentence(trouble.object, trouble.code, told, language)
            ),
            now,
        )

    def _now(self) -> datetime:
        return self._context.clock.now()


def night(source: Source, workspace: Workspace, now: datetime) -> datetime:
    """The source's own moment of the last night: the same every night, another for each source."""
    number = int.from_bytes(sha256(f"{source.workspace_id}\n{source.source}".encode()).digest()[:4])
    today = now.astimezone(workspace.zone).date()

    def of(day: date) -> datetime:
        began = datetime.combine(day, time(1), workspace.zone)
        return began + NIGHT * (number / 2**32)

    moment = of(today)
    return moment if moment <= now else of(today - timedelta(days=1))
