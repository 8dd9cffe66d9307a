"""The page engine: every source goes through here, a page at a time, a transaction a page.

In one transaction: the rows a page mentions, its records (an older version never overwrites a newer one, the same
content changes nothing), the history of changed fields, the quarantine, the cursor, and whatever `on_page` adds. While
the connector reads, no transaction is open.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from storage import schema
from storage.connectors.base import Connector, Suggestion
from storage.database import insert, reading, refresh_statistics, writing
from storage.history import Change, History
from storage.memberships import follow_teams
from storage.quarantine import Ledger
from storage.rates import Rates
from storage.records import Page, Person
from storage.rows import Frame, Row, mentioned_row, row_of
from storage.upsert import Outcome, upsert
from storage.workspaces import read_workspace

OnPage = Callable[[Connection, Sequence[Change]], None]
"""Called inside each page's transaction with every row that it created or changed, before and after."""

Progress = Callable[[str, int], None]
"""Called after each page with its object and how many rows it settled."""


_GROWN_ROWS, _GROWN_TIMES = 500, 4


@dataclass(slots=True)
class Counts:
    """Rows of one object, or of all."""

    seen: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    older: int = 0
    """Rows left alone because a newer version is already there."""
    quarantined: int = 0
    kept: int = 0
    """Rows loaded and flagged."""

    def add(self, other: "Counts") -> None:
        for name in ("seen", "new", "changed", "unchanged", "older", "quarantined", "kept"):
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass(slots=True)
class Report:
    """What one sync did. `took` is in seconds."""

    run_id: str
    total: Counts = field(default_factory=Counts)
    objects: dict[str, Counts] = field(default_factory=dict)
    cleared: int = 0
    """Lines of the quarantine whose row is well now."""
    suggestions: tuple[Suggestion, ...] = ()
    took: float = 0.0


def load(
    engine: Engine,
    workspace_id: str,
    connector: Connector,
    *,
    now: datetime,
    on_page: OnPage | None = None,
    progress: Progress | None = None,
) -> Report:
    """Load everything the connector has to say; `now` is the aware moment written beside what it changes.

    Loading the same content again writes nothing but the run and the moment of completeness. Whatever the connector or
    the database raises passes through, after the run is marked as failed; pages already loaded stay.
    """
    began = perf_counter()
    run = _Run(engine, workspace_id, connector.source, now)
    report = Report(run.id)
    try:
        for page in connector.pages():
            counts = run.settle(page, on_page)
            report.total.add(counts)
            report.objects.setdefault(page.object, Counts()).add(counts)
            if progress is not None:
                progress(page.object, counts.seen + counts.quarantined)
    except BaseException as failure:
        run.end(report.total, now + timedelta(seconds=perf_counter() - began), error=type(failure).__name__)
        raise
    report.suggestions = tuple(connector.suggestions())
    report.took = perf_counter() - began
    run.end(report.total, now + timedelta(seconds=report.took))
    report.cleared = run.ledger.cleared
    return report


class _Run:
    """One sync of one source, from its row in `run` to the end of it."""

    def __init__(self, engine: Engine, workspace_id: str, source: str, now: datetime) -> None:
        self.id = uuid.uuid4().hex
        self._engine, self._now = engine, now
        with reading(engine) as connection:
            workspace = read_workspace(connection, workspace_id)
            self.ledger = Ledger(connection, workspace_id, source, now)
            rates = Rates.read(connection, workspace_id, workspace.currency)
        self._frame = Frame(workspace_id, source, workspace.zone, rates)
        self._history = History(workspace_id, source, self.id, now)
        self._known: set[tuple[str, str]] = set()
        self._written: Counter[str] = Counter()
        self._planned: Counter[str] = Counter()
        with writing(engine) as connection:
            row = {"workspace_id": workspace_id, "id": self.id, "source": source, "started_at": now}
            nothing = {"seen": 0, "new": 0, "changed": 0, "quarantined": 0}
            connection.execute(insert(connection, schema.run).values(row | nothing))

    def settle(self, page: Page, on_page: OnPage | None) -> Counts:
        """One page, one transaction. Rows are made before it opens: the write lock is held only to write."""
        mentions = self._mentions(page)
        batches = [(name, rows) for name, rows in self._batches(page)]
        problems = self.ledger.rows(page.problems)
        teams = self._teams(page)
        counts = Counts(
            seen=len(page.records),
            quarantined=_places(page, kept=False),
            kept=_places(page, kept=True),
        )
        with writing(self._engine) as connection:
            changes = [change for name, rows in mentions.items() for change in self._mention(connection, name, rows)]
            for name, rows in batches:
                outcome = upsert(connection, schema.metadata.tables[name], rows, self._now)
                changes += outcome.changes
                _count(counts, outcome)
                if name == "person":
                    told = {change.after["id"] for change in outcome.changes}
                    mine = {person: team for person, team in teams.items() if person in told}
                    today = self._now.astimezone(self._frame.zone).date()
                    changes += follow_teams(connection, self._frame.workspace_id, mine, today)
            self._history.write(connection, changes)
            self.ledger.write(connection, problems)
            self.ledger.clear(connection, page.object, {record.ext_id for record in page.records}, page.finishes)
            self._advance(connection, page)
            if on_page is not None and changes:
                on_page(connection, changes)
        self._refresh(changes)
        # Only what is committed is known.
        self._known.update((name, row["id"]) for name, rows in mentions.items() for row in rows)
        return counts

    def _refresh(self, changes: Sequence[Change]) -> None:
        """Let the planner know, now and then, of tables that have grown several times over."""
        self._written.update(change.object for change in changes if change.before is None)
        grown = [
            name for name, rows in self._written.items() if rows >= max(_GROWN_ROWS, _GROWN_TIMES * self._planned[name])
        ]
        if grown:
            refresh_statistics(self._engine, [schema.metadata.tables[name] for name in grown])
            for name in grown:
                self._planned[name] = self._written[name]

    def end(self, counts: Counts, ended_at: datetime, error: str | None = None) -> None:
        values = {"seen": counts.seen, "new": counts.new, "changed": counts.changed, "quarantined": counts.quarantined}
        mine = (schema.run.c.workspace_id == self._frame.workspace_id, schema.run.c.id == self.id)
        with writing(self._engine) as connection:
            if error is None:
                self.ledger.close(connection)
            connection.execute(
                sa.update(schema.run)
                .where(*mine)
                .values(ended_at=ended_at, outcome="failed" if error else "ok", error=error, **values)
            )

    def _mentions(self, page: Page) -> dict[str, list[Row]]:
        """The rows that the page names and this run has not yet made sure of, by table."""
        rows: dict[str, dict[str, Row]] = {}
        for mention in page.mentions:
            row = mentioned_row(mention, self._frame)
            if (mention.object, row["id"]) not in self._known:
                rows.setdefault(mention.object, {}).setdefault(row["id"], row)
        return {name: list(found.values()) for name, found in rows.items()}

    def _mention(self, connection: Connection, name: str, rows: list[Row]) -> list[Change]:
        table = schema.metadata.tables[name]
        mine = (table.c.workspace_id == self._frame.workspace_id, table.c.id.in_([row["id"] for row in rows]))
        there = set(connection.scalars(sa.select(table.c.id).where(*mine)))
        missing = [row | {"first_seen_at": self._now} for row in rows if row["id"] not in there]
        if missing:
            connection.execute(insert(connection, table).on_conflict_do_nothing(), missing)
        whole = dict.fromkeys(table.c.keys())
        return [Change(name, None, whole | row) for row in missing]

    def _batches(self, page: Page) -> Iterable[tuple[str, list[Row]]]:
        """The page's records as rows, table by table, in the order of first appearance."""
        batches: dict[str, list[Row]] = {}
        for record in page.records:
            batches.setdefault(record.object, []).append(row_of(record, self._frame))
        return batches.items()

    def _teams(self, page: Page) -> dict[str, str]:
        teams = {}
        for record in page.records:
            if isinstance(record, Person) and record.team is not None:
                person_id, team_id = self._frame.id(record.ext_id), self._frame.id(record.team)
                if person_id is not None and team_id is not None:
                    teams[person_id] = team_id
        return teams

    def _advance(self, connection: Connection, page: Page) -> None:
        table = schema.cursor
        key = {"workspace_id": self._frame.workspace_id, "source": self._frame.source, "object": page.object}
        done = {"complete_at": self._now} if page.last else {}
        statement = insert(connection, table).values(key | {"position": page.cursor} | done)
        moved = table.c.position != statement.excluded.position
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=list(key),
                set_={"position": statement.excluded.position} | done,
                where=None if page.last else moved,
            )
        )


def _places(page: Page, *, kept: bool) -> int:
    """Rows, not remarks: a row with two problems is one row; set aside weighs more than flagged."""
    aside = {problem.place for problem in page.problems if not problem.kept}
    return len({problem.place for problem in page.problems if problem.kept} - aside) if kept else len(aside)


def _count(counts: Counts, outcome: Outcome) -> None:
    counts.new += outcome.new
    counts.changed += outcome.changed
    counts.unchanged += outcome.unchanged
    counts.older += outcome.older
