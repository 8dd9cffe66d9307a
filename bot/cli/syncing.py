"""Rounds over the connected sources: each is read in turn, one that fails does not stop the others."""

import logging
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Event
from types import FrameType

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from bot.cli.connected import connected, no_such_source, nothing_connected
from bot.cli.preparing import prepare
from bot.cli.report import show_run
from bot.cli.starting import Started, refuse, say
from bot.keeping import keeper
from bot.logs import configure_logs
from bot.views.files import object_name
from bot.views.sources import cause_sentence, failure_sentence, resume_sentence, source_name, state_sentence
from kpi.labels import moment
from storage import sources
from storage.connectors.http import BudgetError, CrmError, RefusedError
from storage.database import reading, writing
from storage.leases import BusyError, LostError
from storage.sources import OptionsError, Source
from storage.status import READY
from storage.sync import Report, load
from storage.vault import Vault, VaultError
from storage.workspaces import SINGLE, read_workspace

log = logging.getLogger(__name__)


class Syncing:
    """Every connected source, or those that are named. What cannot be used is one sentence and the end."""

    def __init__(self, started: Started, only: tuple[str, ...], *, full: bool, accepts_deletes: bool) -> None:
        self._started, self._console, self._words = started, started.console, started.words
        self._only = {name.lower() for name in only}
        self._full, self._accepts_deletes, self._stop = full or accepts_deletes, accepts_deletes, Event()
        self._reading = False
        self._waiting: dict[str, datetime] = {}
        """Sources whose budget is spent, until when."""
        with reading(started.engine) as connection:
            self._workspace = read_workspace(connection, SINGLE)
        self._vault = Vault(started.settings.vault_keys)
        self._look()

    def run(self, *, once: bool) -> bool:
        """One round, or rounds until told to stop; whether every source of the last one was read to its end."""
        _, minutes = self._words._, self._started.settings.sync_minutes
        with _told_to_stop(self._stop, self._hear_stop):
            fine = self._round()
            self._full = self._accepts_deletes = False
            while not once and not self._stop.is_set():
                next_at = self._now() + timedelta(minutes=minutes)
                say(self._console, _("Next sync: {when}. Ctrl-C stops.", when=self._moment(next_at)), "dim")
                self._stop.wait(minutes * 60)
                if not self._stop.is_set():
                    fine = self._round()
        if self._stop.is_set():
            say(self._console, _("Stopped. What was read is kept; the next sync goes on from there."))
            return True
        return fine

    def _look(self) -> None:
        """Refuse what can only be a mistake before anything is read."""
        there = {each.source: each for each in connected(self._started)}
        if not there:
            refuse(self._console, nothing_connected(self._words))
        for name in sorted(self._only - set(there)):
            refuse(self._console, no_such_source(name, there, self._words))
        wanted = [each for name, each in there.items() if name in self._only or not self._only]
        if all(each.state != READY for each in wanted):
            for each in wanted:
                say(self._console, self._state(each), "red")
            refuse(self._console, self._words._("No source is ready to be synced."))

    def _round(self) -> bool:
        fine = self._reading = True
        for source in connected(self._started):
            if self._stop.is_set() or (self._only and source.source not in self._only):
                continue
            if source.state != READY:
                say(self._console, self._state(source), "yellow")
                fine = False
            elif (until := self._waiting.get(source.source, self._now())) > self._now():
                name, zone = source_name(source.source, self._words), self._workspace.zone
                say(self._console, resume_sentence(until, name, zone, self._words), "yellow")
                fine = False
            else:
                fine = self._one(source) and fine
        self._reading = False
        prepare(self._started.engine, self._started.clock, self._console, self._words, stop=self._stop.is_set)
        return fine

    def _one(self, source: Source) -> bool:
        """Read one source; True where it was read to its end."""
        now = self._now()
        try:
            if self._full:
                source = self._listed_again(source, now)
            connector = sources.open_connector(self._started.engine, source, self._vault, now)
            with self._bars(source) as progress:
                report = load(
                    self._started.engine,
                    SINGLE,
                    connector,
                    now=now,
                    clock=self._now,
                    full=self._full,
                    accepts_deletes=self._accepts_deletes,
                    on_page=keeper(self._started.engine, SINGLE, self._started.clock),
                    progress=progress,
                    stop=self._stop.is_set,
                )
        except BusyError as error:
            name, when = source_name(source.source, self._words), self._moment(error.until)
            told = self._words._(
                "{source} is being synced by another run; if that was killed, its place is free after {when}.",
                source=name,
                when=when,
            )
            say(self._console, told, "yellow")
            return False
        except LostError as error:
            return self._failed(source, error)
        except BudgetError as error:
            self._mark(source, error.until, source.failures)
            return self._failed(source, error)
        except RefusedError as error:
            with writing(self._started.engine) as connection:
                sources.refuse(connection, source, self._now())
            return self._failed(source, error)
        except (CrmError, VaultError, OptionsError) as error:
            self._mark(source, self._next(), source.failures + 1)
            return self._failed(source, error)
        except Exception as error:
            # Not foreseen: the trace goes to the log, and the other sources are read all the same.
            configure_logs()
            log.exception("sync_failed source=%s", source.source)
            self._mark(source, self._next(), source.failures + 1)
            return self._failed(source, error)
        self._mark(source, self._resume(source, report), 0)
        show_run(self._console, connector, report, self._workspace.zone, self._words)
        return report.outcome == "ok" and not report.troubles

    def _listed_again(self, source: Source, now: datetime) -> Source:
        """Each object goes back to its beginning, so that a comparison that is interrupted goes on at the next sync."""
        with writing(self._started.engine) as connection:
            sources.list_again(connection, SINGLE, source.source, now)
            return sources.read(connection, SINGLE, source.source) or source

    def _failed(self, source: Source, error: Exception) -> bool:
        """One sentence, with what is known of the cause: a method, a path, a status; no secret. Always False."""
        say(self._console, failure_sentence(type(error).__name__, source.source, self._words), "red")
        if isinstance(error, CrmError | OptionsError):
            say(self._console, f"  {cause_sentence(error, self._words)}", "dim")
        return False

    def _resume(self, source: Source, report: Report) -> datetime:
        if report.resume_at is None:
            self._waiting.pop(source.source, None)
            return self._now() if self._stop.is_set() else self._next()
        self._waiting[source.source] = report.resume_at
        return report.resume_at

    def _mark(self, source: Source, due_at: datetime, failures: int) -> None:
        with writing(self._started.engine) as connection:
            sources.mark(connection, source, due_at=due_at, failures=failures)

    def _state(self, source: Source) -> str:
        return state_sentence(source.state, source.source, source.state_since, self._workspace.zone, self._words)

    def _moment(self, at: datetime) -> str:
        return moment(at, self._workspace.zone, self._words.locale)

    def _next(self) -> datetime:
        return self._now() + timedelta(minutes=self._started.settings.sync_minutes)

    def _now(self) -> datetime:
        return self._started.clock.now()

    @contextmanager
    def _bars(self, source: Source) -> Iterator[Callable[[str, int], None]]:
        """A bar for each object, from its first page on; how many rows a CRM has, nobody knows before the end."""
        words = self._words
        say(self._console, source_name(source.source, words), "bold")
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[rows]}"))
        with Progress(*columns, TimeElapsedColumn(), console=self._console, transient=True) as bars:
            tasks: dict[str, TaskID] = {}
            seen: Counter[str] = Counter()

            def progress(object_: str, rows: int) -> None:
                if object_ not in tasks:
                    for task in tasks.values():
                        bars.update(task, total=1, completed=1)
                    tasks[object_] = bars.add_task(object_name(object_, words), total=None, rows="")
                seen[object_] += rows
                said = words.n("{count} row", "{count} rows", seen[object_])
                bars.update(tasks[object_], rows=said)

            yield progress

    def _hear_stop(self) -> None:
        if not self._reading:
            return
        self._console.print()
        say(self._console, self._words._("Stopping after this page; Ctrl-C again stops at once, and loses nothing."))


@contextmanager
def _told_to_stop(stop: Event, hear: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C (or SIGTERM) asks to stop, the second one stops."""

    def heard(_signal: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        hear()

    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
