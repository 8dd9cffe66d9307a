"""The files of one call as a connector: read, understood, and yielded in an order in which names resolve."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from storage.connectors.base import Suggestion, Walk
from storage.connectors.files.build import build
from storage.connectors.files.builder import Builder
from storage.connectors.files.cells import as_text
from storage.connectors.files.deals import stages_of
from storage.connectors.files.drafts import Draft, check_constants, drafts
from storage.connectors.files.duplicates import settle_duplicates
from storage.connectors.files.fields import OBJECTS
from storage.connectors.files.mapping import Mapping
from storage.connectors.files.names import Names, known_names
from storage.connectors.files.reading import find_files, read_files
from storage.connectors.files.statuses import stage_of
from storage.connectors.files.teams import teams_of
from storage.connectors.files.understand import Understanding, understand
from storage.database import reading
from storage.records import Mention, Page, Position, Record
from storage.workspaces import read_workspace

PAGE_ROWS = 500
"""Rows a transaction: SQLite's write lock is held for a few tens of milliseconds."""

SOURCE = "files"

FILES = Walk(object="files")
"""Files are read together: a deal of one names the owner of another."""


@dataclass(slots=True)
class Rows:
    """What became of the rows of one table; together they are every row of the sheet."""

    loaded: int = 0
    aside: int = 0
    repeated: int = 0
    """The same row again, word for word, under the same id."""
    held: int = 0
    """Rows that wait for a person's word on the whole table."""
    unread: int = 0
    """Rows of a sheet that holds nothing that Vigie loads."""
    others: int = 0
    """Headers, titles, totals, footers, blank rows."""
    planned: int = 0
    """Loaded rows whose closing date was not used: a plan of an open deal."""
    unknown_kinds: tuple[str, ...] = ()
    """Words of the kind column that say none of the known kinds, the commonest first."""

    @property
    def all(self) -> int:
        return self.loaded + self.aside + self.repeated + self.held + self.unread + self.others


class FilesConnector:
    """Files read and understood; nothing is written until `pages` is given to `storage.sync.load`.

    Files that cannot be read among others that can are in `unread`. Raises `FileProblemError` at once if none can be
    read or a path leads nowhere, `MappingProblemError` if the mapping cannot be used.
    """

    source = SOURCE
    walks = (FILES,)
    spent = 0
    """No requests: files are at hand."""

    def __init__(
        self,
        paths: Sequence[Path],
        zone: ZoneInfo,
        currency: str,
        names: Names,
        *,
        today: date,
        mapping: Mapping | None = None,
    ) -> None:
        self.mapping = mapping or Mapping()
        self._zone, self._names, self._today = zone, names, today
        self._statuses = self.mapping.declared_statuses()
        default = self.mapping.currency or currency
        sheets, self.unread = read_files(find_files(paths))
        self.tables = [understand(sheet, self.mapping.table(sheet.place), default) for sheet in sheets]
        for one in self.tables:
            check_constants(one, zone)
        self.rows = {one.place: self._untouched(one) for one in self.tables}

    @property
    def objects(self) -> Sequence[str]:
        there = {one.object for one in self.tables if one.held is None}
        return [name for name in OBJECTS if name in there]

    def totals(self) -> dict[str, int]:
        """How many data rows of each object `pages` will settle."""
        totals: dict[str, int] = {}
        for one in self.tables:
            if one.object is not None and one.held is None:
                totals[one.object] = totals.get(one.object, 0) + len(one.table.rows)
        return {name: totals[name] for name in OBJECTS if name in totals}

    def suggestions(self) -> Sequence[Suggestion]:
        return self._names.suggestions()

    def unknown_statuses(self, one: Understanding) -> Counter[str]:
        """The words of the column that says how deals ended which say nothing that is known, with their rows."""
        column = one.column("status") or one.column("stage") if one.object == "deal" else None
        said = Counter(word for cell in column.cells if (word := as_text(cell))) if column else Counter()
        return Counter({word: rows for word, rows in said.items() if stage_of(word, self._statuses)[0] is None})

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:  # noqa: ARG002 - there is one walk
        """Everything the files say, from their beginning wherever an earlier walk stopped: they may have changed since.

        A page is `last` where its object is complete; only the last page of all carries the position that is over.
        """
        told = replace(position, token="")
        held: Page | None = None
        for page in self._everything():
            if held is not None:
                yield replace(held, position=told)
            held = page
        if held is not None:
            yield replace(held, position=told.done())

    def reread(self, object_: str, ext_ids: Sequence[str]) -> Page:
        """These rows as the files have them. Nothing is `gone`: that other files hold the row cannot be excluded."""
        wanted = set(ext_ids)
        records: list[Record] = []
        mentions: list[Mention] = []
        for page in self._everything():
            found = [record for record in page.records if record.object == object_ and record.ext_id in wanted]
            records += found
            mentions += page.mentions if found else ()
        return Page(object=object_, records=records, mentions=mentions)

    def told(self, object_: str) -> Iterator[Page]:
        """The pages of one object, and before them what its rows imply. Asked in the order of `OBJECTS`, once each."""
        tables = [one for one in self.tables if one.object == object_]
        ready = [one for one in tables if one.held is None]
        if not ready:
            return
        built = [(one, self._build(one)) for one in ready]
        settle_duplicates([rows for _, rows in built])
        self._tell(built)
        complete = len(ready) == len(tables)
        yield from self._before(object_, [draft for _, rows in built for draft in rows], complete)
        for number, (one, rows) in enumerate(built, start=1):
            yield from _pages(object_, one, rows, last=complete and number == len(built))

    def _everything(self) -> Iterator[Page]:
        for object_ in OBJECTS:
            yield from self.told(object_)

    def _build(self, one: Understanding) -> list[Draft]:
        builder = Builder(one, self._names, self._statuses, self._today)
        rows = []
        for draft in drafts(one, self._zone):
            build(builder, draft)
            rows.append(draft)
        self.rows[one.place].planned = builder.planned
        self.rows[one.place].unknown_kinds = tuple(word for word, _ in builder.unknown_kinds.most_common())
        return rows

    def _tell(self, built: Sequence[tuple[Understanding, Sequence[Draft]]]) -> None:
        for one, rows in built:
            count = self.rows[one.place]
            count.aside = sum(draft.aside for draft in rows)
            count.loaded = sum(draft.record is not None for draft in rows)
            count.repeated = len(rows) - count.aside - count.loaded

    def _before(self, object_: str, rows: list[Draft], complete: bool) -> Iterator[Page]:
        """What these rows imply and must stand before them: teams of people, stages of deals."""
        if object_ == "person":
            teams, mentions = teams_of(rows, self._names)
            if teams:
                yield Page(object="team", records=list(teams.values()), mentions=mentions, last=complete)
        elif object_ == "deal":
            stages = stages_of(rows, self._statuses)
            pipelines = {stage.pipeline: stage.pipeline for stage in stages.values() if stage.pipeline}
            mentions = [Mention(object="pipeline", ext_id=name, name=name) for name in pipelines]
            if stages:
                yield Page(object="stage", records=list(stages.values()), mentions=mentions, last=complete)

    def _untouched(self, one: Understanding) -> Rows:
        data = len(one.table.rows)
        if one.table.header_row is None:
            return Rows(unread=len(one.sheet.rows))
        return Rows(
            held=data if one.object is not None and one.held is not None else 0,
            unread=data if one.object is None else 0,
            others=len(one.table.others),
        )


def open_files(
    engine: Engine, workspace_id: str, paths: Sequence[Path], *, today: date, mapping: Mapping | None = None
) -> FilesConnector:
    """The files at `paths` for a workspace, with the names that earlier syncs have taught."""
    aliases = (mapping or Mapping()).aliases.model_dump()
    with reading(engine) as connection:
        workspace = read_workspace(connection, workspace_id)
        names = Names(aliases)
        names.learn(known_names(connection, workspace_id, SOURCE))
    return FilesConnector(paths, workspace.zone, workspace.currency, names, today=today, mapping=mapping)


def _pages(object_: str, one: Understanding, rows: Sequence[Draft], *, last: bool) -> Iterator[Page]:
    starts = range(0, len(rows), PAGE_ROWS) or range(1)
    for start in starts:
        some = rows[start : start + PAGE_ROWS]
        ends = start + PAGE_ROWS >= len(rows)
        records: list[Record] = [draft.record for draft in some if draft.record is not None]
        yield Page(
            object=object_,
            records=records,
            mentions=list({mention: None for draft in some for mention in draft.mentions}),
            problems=[problem for draft in some for problem in draft.problems],
            last=last and ends,
            finishes=one.place if ends else None,
        )
