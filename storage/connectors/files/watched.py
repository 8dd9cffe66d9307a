"""A place of files that is looked at with every sync, and read again when something of it has changed.

A folder or a pattern is known by the names, sizes and moments of change of its files; an address by what its server
says of it (ETag, Last-Modified), or by its content. What was seen is kept in the position of each walk: where it is the
same, nothing is read, and what is known is confirmed complete. A file that changes while it is looked at is still being
written: the run ends, to try again later.

Files rarely say that a row is no more. Only where a person has declared that they always hold everything (`whole`) is a
row that they no longer tell gone, by the rule of every complete listing: not if a fifth of them would be. A place that
is empty or away is never a listing; an object of which it told rows and now tells none waits for a person.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from storage.connectors.base import Account, DriftError, Opening, Suggestion, Walk
from storage.connectors.files import WALKS, Options
from storage.connectors.files.connector import SOURCE, FilesConnector
from storage.connectors.files.fields import OBJECTS
from storage.connectors.files.mapping import Mapping, MappingProblemError, read_mapping
from storage.connectors.files.names import Names
from storage.connectors.files.reading import CSV_ENDINGS, EXCEL_ENDINGS, FileProblemError, find_files
from storage.connectors.http import UnavailableError
from storage.records import Page, Position

MOST = 100 * 2**20
"""Bytes of a file behind an address."""
STILL = 1.0
"""Seconds that a changed file must stay as it is before it is read."""
NO_ROWS = "rows"
"""What is missing where files that told rows of an object suddenly tell none."""
_BEFORE = {"person": "team", "deal": "stage"}
"""What rows imply and is told before them."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of the place when a walk was over; nothing of the files themselves."""

    content: str = ""
    mapping: str = ""
    tag: str = ""
    changed: str = ""
    rows: int = 0
    """Of the walk's object."""

    @classmethod
    def of(cls, token: str) -> "Look":
        return cls(**json.loads(token)) if token else cls()

    def same(self, other: "Look") -> bool:
        return bool(self.content) and (self.content, self.mapping) == (other.content, other.mapping)


class Watched:
    """Raises `UnavailableError`, caused by a `FileProblemError`, where files are not there or cannot be read; and
    `DriftError` where an object of them waits for a person's word."""

    source = SOURCE
    walks = WALKS

    def __init__(self, opening: Opening) -> None:
        if not isinstance(opening.options, Options):
            raise TypeError(opening.options)
        self._opening, self._options, self._client = opening, opening.options, opening.client
        self._now: Look | None = None
        self._body: bytes | None = None
        self._files: FilesConnector | None = None
        self._told: set[str] = set()

    @property
    def spent(self) -> int:
        return self._client.spent

    def suggestions(self) -> Sequence[Suggestion]:
        return () if self._files is None else self._files.suggestions()

    @property
    def files(self) -> FilesConnector | None:
        """What was read; None where nothing has changed."""
        return self._files

    def account(self) -> Account:
        """The place by its name, once it has been seen."""
        self._look(Look())
        address = self._options.place
        return Account(name=httpx.URL(address).host if self._is_address else address)

    def pages(self, walk: Walk, position: Position) -> Iterator[Page]:
        seen, object_ = Look.of(position.token), walk.object
        now = self._look(seen)
        if seen.same(now):
            yield from self._nothing(object_, position, replace(now, rows=seen.rows), listing=False)
            return
        try:
            files = self._read()
        except MappingProblemError as problem:
            raise DriftError(object_, problem.reason) from problem
        for name in OBJECTS:
            # Whom the rows of this object name must be known, though it is told already.
            if name == object_:
                break
            if name not in self._told:
                list(files.told(name))
                self._told.add(name)
        listing, rows = self._options.whole and position.listing, 0
        held: Page | None = None
        for page in files.told(object_):
            own = page.object == object_
            if held is not None:
                yield held
            elif own and object_ in _BEFORE:
                yield Page(object=_BEFORE[object_], records=(), last=page.last)
            rows += len(page.records) + len(page.problems) if own else 0
            held = replace(page, position=replace(position, token=""), listing=listing and own)
        self._told.add(object_)
        waits = next((one for one in files.tables if one.object == object_ and one.held is not None), None)
        if not rows and seen.rows and not self._options.whole and waits is None:
            raise DriftError(object_, NO_ROWS)
        if held is None and waits is None:
            yield from self._nothing(object_, position, now, listing=listing)
        elif held is not None:
            yield replace(held, position=_over(position, replace(now, rows=rows))) if held.last else held
        if waits is not None:
            raise DriftError(object_, f"{waits.place}: {', '.join(waits.about) or waits.held}")

    def reread(self, object_: str, ext_ids: Sequence[str]) -> Page:
        """These rows as the files have them; nobody tells that one of them changed, so nothing is `gone`."""
        self._look(Look())
        return self._read().reread(object_, ext_ids)

    def _nothing(self, object_: str, position: Position, look: Look, *, listing: bool) -> Iterator[Page]:
        """Nothing new, and so everything that is known is complete."""
        if object_ in _BEFORE:
            yield Page(object=_BEFORE[object_], records=(), last=True)
        yield Page(object=object_, records=(), listing=listing, last=True, position=_over(position, look))

    # Looking.

    @property
    def _is_address(self) -> bool:
        return "://" in self._options.place

    def _look(self, seen: Look) -> Look:
        """What there is to see, once a run; an address is asked whether it differs from `seen`."""
        if self._now is None:
            by = self._mapping()
            self._now = self._ask(seen, by) if self._is_address else Look(self._stand(), by)
        return self._now

    def _stand(self) -> str:
        """Names, sizes and moments of change."""
        try:
            files = [(file, file.stat()) for file in find_files(self._paths())]
        except (FileProblemError, OSError) as problem:
            raise _away(problem) from problem
        return _digest(repr([(str(file), stat.st_size, stat.st_mtime_ns) for file, stat in files]).encode())

    def _paths(self) -> list[Path]:
        place = Path(self._options.place)
        if place.exists() or not any(sign in place.name for sign in "*?["):
            return [place]
        return sorted(place.parent.glob(place.name)) or [place]

    def _mapping(self) -> str:
        """What a person has said of the files; another word on a stage changes what is read in them."""
        try:
            declared = Path(self._options.mapping).read_bytes() if self._options.mapping else b""
        except OSError as problem:
            raise _away(FileProblemError("mapping_absent", path=self._options.mapping)) from problem
        return _digest(declared + repr(sorted(self._opening.stages.items())).encode())

    def _ask(self, seen: Look, by: str) -> Look:
        known = {"If-None-Match": seen.tag, "If-Modified-Since": seen.changed} if seen.mapping == by else {}
        answer = self._client.download(
            self._options.place, MOST, {name: value for name, value in known.items() if value and seen.content}
        )
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return seen
        self._body = answer.content
        tag, changed = answer.headers.get("etag", ""), answer.headers.get("last-modified", "")
        return Look(_digest(self._body), by, tag, changed)

    # Reading.

    def _read(self) -> FilesConnector:
        if self._files is None:
            mapping = read_mapping(Path(self._options.mapping)) if self._options.mapping else Mapping()
            try:
                self._files = self._fetched(mapping) if self._is_address else self._still(mapping)
            except FileProblemError as problem:
                raise _away(problem) from problem
            if self._files.unread:
                unread, self._files = self._files.unread[0], None
                raise _away(unread) from unread
        return self._files

    def _still(self, mapping: Mapping) -> FilesConnector:
        """The files, if they stay as they are while they are looked at."""
        before = self._stand()
        self._client.wait(STILL)
        after = self._stand()
        files = self._understood(self._paths(), mapping)
        if self._now is None or {before, after, self._stand()} != {self._now.content}:
            raise UnavailableError("files: still being written")
        return files

    def _fetched(self, mapping: Mapping) -> FilesConnector:
        if self._body is None:
            self._body = self._client.download(self._options.place, MOST, {}).content
        name = Path(httpx.URL(self._options.place).path).name
        known = name.lower().endswith((*CSV_ENDINGS, *EXCEL_ENDINGS)) and not name.startswith((".", "~$"))
        with TemporaryDirectory() as folder:
            file = Path(folder) / (name if known else "export.csv")
            file.write_bytes(self._body)
            return self._understood([file], mapping)

    def _understood(self, paths: Sequence[Path], mapping: Mapping) -> FilesConnector:
        opening, names = self._opening, Names(mapping.aliases.model_dump())
        # A word means the same in every pipeline of files.
        decided = {stage.rpartition(" / ")[2]: status for stage, status in opening.stages.items()}
        mapping = Mapping.model_validate(mapping.model_dump() | {"statuses": mapping.statuses | decided})
        names.learn(opening.known())
        today = opening.now.astimezone(opening.zone).date()
        return FilesConnector(paths, opening.zone, opening.currency, names, today=today, mapping=mapping)


def _over(position: Position, look: Look) -> Position:
    return replace(position.done(), token=json.dumps(asdict(look)))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _away(problem: Exception) -> UnavailableError:
    """Its `__cause__` is the problem, with the values of its sentence; the text names no path."""
    return UnavailableError(f"files: {problem.reason if isinstance(problem, FileProblemError) else 'file_unreadable'}")
