"""One run of one source: its lease, its row in the journal, and each page with the position that follows it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from time import perf_counter

from sqlalchemy import Connection, Engine

from storage import cursors, leases, listing, runs, schema
from storage.books import Books, Entry
from storage.connectors.base import Connector, Walk
from storage.cursors import Cursor
from storage.database import reading, refresh_statistics, writing
from storage.history import Change
from storage.parts import Stride, parts, weight
from storage.rates import VALUED, Rates
from storage.records import Page, Position
from storage.reports import Counts, Report
from storage.revalue import revalue
from storage.rows import Frame, Row
from storage.troubles import Code, Trouble
from storage.workspaces import read_workspace

OnPage = Callable[[Connection, Sequence[Change]], None]
"""Called inside each transaction with every row that it created or changed, before and after."""

_GROWN_ROWS, _GROWN_TIMES = 500, 4
_BAD_ROWS, _BAD_SHARE = 50, 100
"""More rows set aside than so many, and than one in so many, and the object waits."""
_FEW = 20
"""So many rows that a listing lacks are asked for one by one, before they are held to be too many."""
_UNCOUNTED = frozenset({"team", "person", "product", "pipeline", "stage"})
"""Rows of which no number is made: where too many would be gone they are kept, and told, but no answer is held up. One
stage of five is a fifth."""


class Run:
    def __init__(
        self,
        engine: Engine,
        workspace_id: str,
        connector: Connector,
        *,
        now: datetime,
        clock: Callable[[], datetime],
        full: bool,
        accepts_deletes: bool,
        on_page: OnPage | None,
    ) -> None:
        """Take the source's lease. Raises `BusyError`."""
        self.workspace_id, self.source, self.now = workspace_id, connector.source, now
        self._clock, self._moment, self._accepts_deletes = clock, now, accepts_deletes
        self.report, self._full = Report(runs.new_id(), full=full), full
        self._engine, self._connector, self._on_page = engine, connector, on_page
        self._began, self._spent = perf_counter(), connector.spent
        self._name = f"sync:{self.source}"
        self._written: Counter[str] = Counter()
        self._planned: Counter[str] = Counter()
        self._strides: defaultdict[str, Stride] = defaultdict(Stride)
        """By object: a row of one costs more than a row of another."""
        with reading(engine) as connection:
            workspace = read_workspace(connection, workspace_id)
            rates = Rates.read(connection, workspace_id, workspace.currency)
        self._frame = Frame(workspace_id, self.source, workspace.zone, rates)
        leases.take(engine, workspace_id, self._name, self.report.run_id)

    def lease(self) -> AbstractContextManager[None]:
        """While this lasts, the lease is renewed beside the pages too."""
        return leases.kept(self._engine, self.workspace_id, self._name, self.report.run_id)

    def begin(self) -> None:
        """Read where the source stands, and open the run's row."""
        workspace_id, connector, rates = self.workspace_id, self._connector, self._frame.rates
        with reading(self._engine) as connection:
            self._cursors = cursors.read_cursors(connection, workspace_id, self.source)
            first_seen = frozenset(
                walk.object for walk in connector.walks if walk.first_seen and self._cursor(walk.object).complete_at
            )
            # By night, objects are sent back to their beginning one by one; what is compared is told all the same.
            self.report.full |= any(known.complete_at and known.position == Position() for known in self._keyed())
            # A killed run may have written rates and not the values that follow from them, or merges and not all names.
            left_off = runs.left_off(connection, workspace_id, self.source)
            self._revalues = rates.known and left_off
            self._books = Books(connection, self._frame, self.report.run_id, self.now, first_seen=first_seen)
            named = self._books.still_named(connection) if left_off else {}
        with writing(self._engine) as connection:
            self._hold_on(connection)
            runs.begin(connection, workspace_id, self.source, self.report, self._complete(), self.now)
        for object_, losers in named.items():
            self._move(object_, losers)

    def start(self, walk: Walk) -> Position:
        """Where the walk goes on; what an ended or abandoned listing told is forgotten."""
        known = self._cursor(walk.object)
        position = cursors.start(walk, known, self.now, full=self._full)
        if not position.listing or position != known.position:
            listing.clean(self._engine, self.workspace_id, self.source, walk.object)
        self._cursors[walk.object] = replace(known, position=position)
        return position

    def settle(self, page: Page, walk: Walk | None, *, also: Callable[[Connection], None] | None = None) -> Counts:
        """One page, one transaction (a large one, several); after the last page of a listing, what it did not tell.

        Without a `walk`, rows are read again out of turn and no position moves. Raises `LostError`.
        """
        counts = Counts()
        lists = page.listing and page.last and self._cursor(page.object).lists
        for part, ends in parts(page, self._strides[page.object]):
            # The end of a listing counts once what it did not tell is gone: killed before, its last page is read again.
            counts.add(self._write(part, walk, walk if ends and not lists else None, also if ends else None))
        if walk is not None and lists:
            self._end_listing(page, walk)
        return counts

    def _write(
        self, page: Page, walk: Walk | None, moves: Walk | None, also: Callable[[Connection], None] | None
    ) -> Counts:
        """One transaction; `moves` is the walk whose position follows the page."""
        entry = self._books.prepare(page)
        # Where changes are read, a listing is for comparing; what is listed at each sync is compared when asked.
        mend = page.listing and (self.report.full or (walk is not None and bool(walk.key)))
        stride = self._strides[page.object]
        self._forget(self._books.ledger.finished(page)[stride.rows :])
        living = self._living(page.object, len(entry.problems)) if moves is not None and page.last else 0
        with self._holding(stride, weight(page)) as connection:
            at_once = walk is None or bool(walk.key) or page.listing
            self._books.write(connection, entry, self._seen_at(), at_once=at_once, mend=mend, most=stride.rows)
            self._note_listed(connection, entry)
            if moves is not None:
                living += sum(
                    _lives(change.after) - _lives(change.before)
                    for change in entry.changes
                    if change.object == page.object
                )
                self._advance(connection, page, moves, None, living)
            if also is not None:
                also(connection)
            self._close(connection, page.object, entry.counts, entry.changes)
        self._books.committed(entry)
        for object_, losers in entry.losers.items():
            self._move(object_, losers)
        self._refresh(entry.changes)
        self._revalues |= (mend and page.object in VALUED) or any(change.object == "rate" for change in entry.changes)
        return entry.counts

    def hold(self, object_: str, trouble: Trouble) -> None:
        """The object waits; its position stays."""
        with writing(self._engine) as connection:
            self._hold_on(connection)
            self._write_cursor(connection, object_, replace(self._cursor(object_), trouble=trouble), moved=False)

    def miss(self, object_: str, name: str) -> None:
        """The account has none of this object, or shows none: what was read of it before waits, else there is nothing
        to wait for."""
        with reading(self._engine) as connection:
            known = listing.count(connection, self.workspace_id, self.source, object_)
        if known:
            self.hold(object_, Trouble(object_, Code.DRIFT, {"field": name}))
            return
        self.report.absent += (object_,)
        self._let_go(object_)

    def leave_out(self, object_: str) -> None:
        """A person does not want it: what was read of it before goes."""
        if object_ in self._cursors:
            listing.clean(self._engine, self.workspace_id, self.source, object_)
            self._bury_unlisted(object_)
            self._let_go(object_)

    def _let_go(self, object_: str) -> None:
        self._cursors.pop(object_, None)
        with writing(self._engine) as connection:
            self._hold_on(connection)
            cursors.forget(connection, self.workspace_id, self.source, object_)

    def end(self) -> None:
        """Value amounts by new rates, close the run's row and give the lease back. Raises `LostError`."""
        if self._revalues:
            # Later than the pages, whose changes they follow in the history.
            later = max(self._seen_at(), self.now + timedelta(seconds=perf_counter() - self._began))
            revalue(self._engine, self.workspace_id, now=later, on_page=self._on_page)
        self.report.troubles = tuple(
            known.trouble for _, known in sorted(self._cursors.items()) if known.trouble is not None
        )
        if self.report.troubles:
            self.report.outcome = "partial"
        self._forget(self._books.ledger.left())
        with writing(self._engine) as connection:
            self._finish(connection, None)
        self.report.cleared = self._books.ledger.cleared

    def fail(self, error: str) -> None:
        """Mark the run as failed and give the lease back, if it is still ours."""
        try:
            with writing(self._engine) as connection:
                self._finish(connection, error)
        except leases.LostError:
            return

    def _finish(self, connection: Connection, error: str | None) -> None:
        leases.release(connection, self.workspace_id, self._name, self.report.run_id)
        self.report.took = perf_counter() - self._began
        self.report.requests = self._connector.spent - self._spent
        runs.end(connection, self.workspace_id, self.report, self.now + timedelta(seconds=self.report.took), error)

    def _seen_at(self) -> datetime:
        """The moment of a transaction, asked within it: what it changes was not known before. Never earlier than the
        last one, whatever is done to the clock: the history is read in this order."""
        self._moment = max(self._moment, self._clock())
        return self._moment

    @contextmanager
    def _holding(self, stride: Stride, rows: int) -> Iterator[Connection]:
        """One transaction on so many rows, written while the lease is ours. Raises `LostError`."""
        with stride.writing(self._engine, rows) as connection:
            self._hold_on(connection)
            yield connection

    def _hold_on(self, connection: Connection) -> None:
        leases.renew(connection, self.workspace_id, self._name, self.report.run_id)

    def _complete(self) -> dict[str, datetime | None]:
        """Up to when each object of the source is complete by now."""
        return {name: known.complete_at for name, known in self._cursors.items()}

    def _keyed(self) -> list[Cursor]:
        """Of the objects that are read by their changes."""
        return [self._cursor(walk.object) for walk in self._connector.walks if walk.key]

    def _cursor(self, object_: str) -> Cursor:
        return self._cursors.get(object_, Cursor())

    def _note_listed(self, connection: Connection, entry: Entry) -> None:
        """Whatever is told of an object while it is listed is there, wherever it is told."""
        unread = [told for told in entry.page.problems if told.ext_id is not None]
        for name in dict.fromkeys([*entry.batches, *(told.object for told in unread)]):
            if self._cursor(name).lists:
                rows = entry.batches.get(name, ())
                there = [entry.standing.get(row["id"], row) for row in rows if not row["deleted"]]
                others = [told.ext_id for told in unread if told.object == name and told.ext_id is not None]
                listing.note(connection, self.workspace_id, self.source, name, there, others)

    def _advance(self, connection: Connection, page: Page, walk: Walk, trouble: Trouble | None, living: int) -> None:
        """The position after the page; at the end of a walk, how complete its object now is. `living`: `_living`."""
        known = self._cursor(page.object)
        began = self._cursor(walk.object).position.began or self.now
        moved, listed = page.object == walk.object, page.listing and known.position.listing
        after = replace(known, position=page.position) if moved else known
        if moved and not page.last:
            # A walk ends as what it began: half a listing proves nothing.
            after = replace(after, position=replace(page.position, began=began, listing=known.position.listing))
        if page.last:
            if trouble is None and not listed and known.trouble and known.trouble.code == Code.VANISHED:
                trouble = known.trouble
            if trouble is None and (walk.key or page.listing):
                trouble = self._poison(page.object, living)
            after = replace(after, trouble=trouble)
            if listed:
                after = replace(after, listed_at=self.now)
            if trouble is None or (trouble.code == Code.VANISHED and page.object in _UNCOUNTED):
                after = replace(after, complete_at=began)
        self._write_cursor(connection, page.object, after, moved=moved)

    def _write_cursor(self, connection: Connection, object_: str, after: Cursor, *, moved: bool) -> None:
        values = {
            "complete_at": after.complete_at,
            "listed_at": after.listed_at,
            "trouble": None if after.trouble is None else after.trouble.to_json(),
        }
        if moved:
            values["position"] = after.position.to_json()
        cursors.write(connection, self.workspace_id, self.source, object_, values)
        self._cursors[object_] = after

    def _living(self, object_: str, more: int) -> int:
        """Living rows of an object, where those set aside, with so many more, might be too many; else nobody asks.

        Counted while no lock is held: there may be a million."""
        if self._books.ledger.aside(object_) + more <= _BAD_ROWS:
            return 0
        with reading(self._engine) as connection:
            return listing.count(connection, self.workspace_id, self.source, object_)

    def _poison(self, object_: str, living: int) -> Trouble | None:
        aside = self._books.ledger.aside(object_)
        if aside <= _BAD_ROWS or aside * _BAD_SHARE <= aside + living:
            return None
        return Trouble(object_, Code.POISON, {"count": aside, "of": aside + living})

    def _end_listing(self, page: Page, walk: Walk) -> None:
        """Delete what the listing did not tell, if that is believable, and only then call it complete."""
        mine = (self._engine, self.workspace_id, self.source, page.object)
        trouble = None if self._accepts_deletes else listing.vanishing(*mine)
        if trouble is not None and walk.key and self._ask_after(page.object):
            trouble = listing.vanishing(*mine)
        if trouble is None:
            self._bury_unlisted(page.object)
        if page.object == "deal":
            self.report.months = listing.compare_months(*mine[:3])
        # A listing that is not believed proves nothing of rows that were set aside either.
        known = self._books.ledger.ext_ids(page.object) if trouble is None else set[str]()
        self._forget(self._books.ledger.of(page.object, listing.lacking(*mine, known)))
        living = self._living(page.object, 0)
        with writing(self._engine) as connection:
            self._hold_on(connection)
            self._advance(connection, page, walk, trouble, living)
            runs.note(connection, self.workspace_id, self.report, self._complete())
        listing.clean(*mine)

    def _bury_unlisted(self, object_: str) -> None:
        """Rows that the listing does not tell are deleted."""
        mine = (self._engine, self.workspace_id, self.source, object_)
        after, stride = "", self._strides[f"{object_} gone"]
        while ids := listing.next_unlisted(*mine, after, stride.rows):
            after = ids[-1]
            with self._holding(stride, len(ids)) as connection:
                now = self._seen_at()
                changes = listing.delete(connection, *mine[1:], ids, now)
                self._books.bury(connection, changes, now)
                self._close(connection, object_, Counts(deleted=len(changes)), changes)

    def _ask_after(self, object_: str) -> bool:
        """Where a few rows are many of them all, the source is asked for each: what it then says was deleted, or taken
        over, need not be guessed. That it does not find a row is no such word. Whether anything was told."""
        missing = listing.next_unlisted(self._engine, self.workspace_id, self.source, object_, "", _FEW + 1)
        if len(missing) > _FEW:
            return False
        page = self._connector.reread(object_, [each.removeprefix(self._frame.own("")) for each in missing])
        told = [gone for gone in page.gone if gone.at is not None or gone.merged_into is not None]
        if told:
            self._write(Page(object=object_, records=(), gone=told), None, None, None)
        return bool(told)

    def _move(self, object_: str, losers: set[str]) -> None:
        """What still names rows that were taken over names the survivors. Killed meanwhile, the next run goes on."""
        stride, more = self._strides[f"names of {object_}"], True
        while more:
            most = stride.rows
            with self._holding(stride, most) as connection:
                changes = self._books.move(connection, object_, losers, self._seen_at(), most)
                self._close(connection, object_, Counts(), changes)
            more = len(changes) == most

    def _forget(self, lines: Sequence[str]) -> None:
        """Lines of the quarantine that are no more, in chunks."""
        stride = self._strides["quarantine"]
        while lines:
            some, lines = lines[: stride.rows], lines[stride.rows :]
            with self._holding(stride, len(some)) as connection:
                self._books.ledger.forget(connection, some)

    def _close(self, connection: Connection, object_: str, counts: Counts, changes: Sequence[Change]) -> None:
        """The last words of a transaction that changed rows."""
        self.report.count(object_, counts)
        self.report.requests = self._connector.spent - self._spent
        runs.note(connection, self.workspace_id, self.report, self._complete())
        if self._on_page is not None and changes:
            self._on_page(connection, changes)

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


def _lives(row: Row | None) -> bool:
    """Whether it is a row that the source told itself and that is not gone."""
    return row is not None and row["deleted_at"] is None and row["payload_hash"] != ""
