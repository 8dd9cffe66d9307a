"""The books of one source during one run: what a page says, written inside one transaction.

The rows that a page mentions, its records (an older version never overwrites a newer one, the same content changes
nothing), what is gone or was taken over, the stages that deals entered, the history of every changed field, the
quarantine. Rows are made before the transaction opens: the write lock is held only to write.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy import Connection

from storage import gone, merges, schema
from storage.database import insert
from storage.history import Change, History
from storage.memberships import follow_teams
from storage.quarantine import Ledger
from storage.records import Page, Person
from storage.reports import Counts
from storage.rows import Frame, Row, mentioned_row, row_of
from storage.upsert import Outcome, upsert

_REMEMBERED = 20_000
"""Rows that pages mentioned and that need not be looked for again."""


@dataclass(slots=True)
class Entry:
    """A page made ready, and what became of it once it is written."""

    page: Page
    mentions: Mapping[str, list[Row]]
    batches: Mapping[str, list[Row]]
    passages: Sequence[Row]
    problems: Sequence[Row]
    teams: Mapping[str, str]
    counts: Counts
    changes: list[Change] = field(default_factory=list)
    standing: dict[str, Row] = field(default_factory=dict)
    """Rows that were told and that a newer version outlives, by id."""
    losers: dict[str, set[str]] = field(default_factory=dict)
    """By object, rows that were taken over and that more rows name than one transaction moves."""


class Books:
    def __init__(
        self, connection: Connection, frame: Frame, run_id: str, now: datetime, *, first_seen: frozenset[str]
    ) -> None:
        """`first_seen`: objects whose creation the source does not tell and of which every new row is new there too."""
        self._frame, self._first_seen = frame, first_seen
        self._history = History(frame.workspace_id, frame.source, run_id)
        self._known: set[tuple[str, str]] = set()
        self._merged = merges.merged_objects(connection, frame.workspace_id, frame.source)
        self.ledger = Ledger(connection, frame.workspace_id, frame.source, now)

    def prepare(self, page: Page) -> Entry:
        batches: dict[str, list[Row]] = {}
        teams: dict[str, str] = {}
        for record in page.records:
            batches.setdefault(record.object, []).append(row_of(record, self._frame))
            if isinstance(record, Person) and record.team is not None:
                teams[self._frame.own(record.ext_id)] = self._frame.own(record.team)
        counts = Counts(seen=len(page.records), quarantined=_places(page, kept=False), kept=_places(page, kept=True))
        problems = self.ledger.rows(page.problems)
        return Entry(page, self._mentions(page), batches, self._passages(page), problems, teams, counts)

    def write(
        self, connection: Connection, entry: Entry, now: datetime, *, at_once: bool, mend: bool, most: int
    ) -> None:
        """`now`: the moment of this transaction, at which its changes are seen. `at_once`: a row that loads leaves the
        quarantine with its page, not only at the end of the run. `mend`: rows that something else than a sync has
        written are brought back to what is told. `most`: of the rows that name one that was taken over, so many are
        moved; the others are left to `move`."""
        page, frame = entry.page, self._frame
        today = now.astimezone(frame.zone).date()
        for name, rows in entry.mentions.items():
            entry.changes += self._mention(connection, name, rows, now)
        for name, rows in entry.batches.items():
            merges.resolve(connection, frame.workspace_id, self._merged, name, rows)
            created = today if name in self._first_seen else None
            outcome = upsert(connection, schema.metadata.tables[name], rows, now, created=created, mend=mend)
            entry.changes += outcome.changes
            entry.standing |= outcome.standing
            _count(entry.counts, outcome)
            if name == "person":
                told = {change.after["id"] for change in outcome.changes}
                mine = {person: team for person, team in entry.teams.items() if person in told}
                entry.changes += follow_teams(connection, frame.workspace_id, mine, today, now)
        buried = gone.apply(connection, frame, page.gone, now)
        entry.counts.deleted += sum(change.before is not None and not change.before["deleted_at"] for change in buried)
        entry.changes += buried
        self._merge(connection, entry, most)
        if entry.passages:
            seen = [row | {"first_seen_at": now} for row in entry.passages]
            connection.execute(insert(connection, schema.passage).on_conflict_do_nothing(), seen)
        self._history.write(connection, entry.changes, now)
        self.ledger.write(connection, entry.problems)
        self.ledger.clear(connection, page, at_once=at_once)

    def bury(self, connection: Connection, changes: Sequence[Change], now: datetime) -> None:
        """Write the history of rows that a listing found gone."""
        self._history.write(connection, changes, now)

    def committed(self, entry: Entry) -> None:
        """Only what is committed is known."""
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        self._known.update((name, row["id"]) for name, rows in entry.mentions.items() for row in rows)

    def move(self, connection: Connection, object_: str, losers: set[str], now: datetime, most: int) -> list[Change]:
        """Let at most so many more rows that name one of these name its survivor; gives what changed."""
        changes = merges.repoint(connection, self._frame.workspace_id, object_, losers, most)
        self._history.write(connection, changes, now)
        return changes

    def still_named(self, connection: Connection) -> dict[str, set[str]]:
        """By object, rows that were taken over and that others still name, because a run was killed."""
        found = {
            name: merges.still_named(connection, self._frame.workspace_id, self._frame.source, name)
            for name in sorted(self._merged)
        }
        return {name: losers for name, losers in found.items() if losers}

    def _merge(self, connection: Connection, entry: Entry, most: int) -> None:
        """What names a row that this page says was taken over names the survivor."""
        losers: dict[str, set[str]] = {}
        for change in entry.changes:
            if change.object in merges.NAMED_BY and change.after.get("merged_into") is not None:
                losers.setdefault(change.object, set()).add(change.after["id"])
        for name, ids in losers.items():
            self._merged.add(name)
            moved = merges.repoint(connection, self._frame.workspace_id, name, ids, most)
            entry.changes += moved
            if len(moved) == most:
                entry.losers[name] = ids

    def _mentions(self, page: Page) -> dict[str, list[Row]]:
        """The rows that the page names and this run has not yet made sure of, by table."""
        rows: dict[str, dict[str, Row]] = {}
        for mention in page.mentions:
            row = mentioned_row(mention, self._frame)
            if (mention.object, row["id"]) not in self._known:
                rows.setdefault(mention.object, {}).setdefault(row["id"], row)
        return {name: list(found.values()) for name, found in rows.items()}

    def _mention(self, connection: Connection, name: str, rows: list[Row], now: datetime) -> list[Change]:
        table = schema.metadata.tables[name]
        mine = (table.c.workspace_id == self._frame.workspace_id, table.c.id.in_([row["id"] for row in rows]))
        there = set(connection.scalars(sa.select(table.c.id).where(*mine)))
        more: Row = {"first_seen_at": now}
        if name in self._first_seen:
            today = now.astimezone(self._frame.zone).date()
            more |= {"created_on": today, "created_at": now, "created_seen": True}
        missing = [row | more for row in rows if row["id"] not in there]
        if missing:
            connection.execute(insert(connection, table).on_conflict_do_nothing(), missing)
        whole = dict.fromkeys(table.c.keys())
        return [Change(name, None, whole | row) for row in missing]

    def _passages(self, page: Page) -> list[Row]:
        return [
            {
                "workspace_id": self._frame.workspace_id,
                "deal_id": self._frame.own(passage.deal),
                "entered_at": passage.at,
                "stage_id": self._frame.own(passage.stage),
                "source": self._frame.source,
            }
            for passage in page.passages
        ]


def _places(page: Page, *, kept: bool) -> int:
    """Rows, not remarks: a row with two problems is one row; set aside weighs more than flagged."""
    aside = {problem.place for problem in page.problems if not problem.kept}
    return len({problem.place for problem in page.problems if problem.kept} - aside) if kept else len(aside)


def _count(counts: Counts, outcome: Outcome) -> None:
    counts.new += outcome.new
    counts.changed += outcome.changed
    counts.unchanged += outcome.unchanged
    counts.older += len(outcome.standing)
    counts.deleted += outcome.deleted
