"""Backups of the embedded database (SQLite): made while Vigie runs, checked before they count, put back in one piece.

Both ways go through SQLite's online backup: a backup is one moment of the database, whatever is written meanwhile, and
putting one back is one transaction, which a kill undoes. Nothing is ever written in place of something else but by one
rename, or in that transaction.
"""

import contextlib
import os
import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import make_url

from storage import inbox, outbox, schema
from storage.database import open_engine, reading, writing
from storage.migrate import revisions, upgrade

Progress = Callable[[int, int], None]
"""Called as pages are copied, with how many there are in all, and how many are done."""

PAGES = 1000
"""Copied between two looks at the progress."""
_CODES = {sqlite3.SQLITE_NOTADB: "not_database", sqlite3.SQLITE_CORRUPT: "damaged"}
PATIENCE = 2.0
"""Seconds that another program's transaction may last before the database counts as in use."""


class BackupProblemError(Exception):
    """Why a database was not backed up or put back; nothing has changed then.

    `code` is one of: `not_embedded` (PostgreSQL), `absent`, `exists`, `same` (the backup is the database),
    `not_database`, `not_vigie`, `damaged`, `newer` (of a version that this one does not know), `in_use`, `unreadable`,
    `unwritable`.
    `details` may hold `path` and `cause`.
    """

    def __init__(self, code: str, **details: str) -> None:
        super().__init__(code)
        self.code = code
        self.details: Mapping[str, str] = details


@dataclass(frozen=True, slots=True)
class Restored:
    kept: Path | None
    """What was there before, beside the database; None where nothing was."""
    revision: str
    """The schema of the backup; the database is at this version's now."""


def backup(url: str, target: Path, *, replace: bool = False, progress: Progress | None = None) -> int:
    """Write the database at `url` to the file `target` as it is now, check that, and give its size in bytes.

    A kill leaves no file of that name that was not there before. Readable by its owner only: it holds everything that
    the database does. Raises `BackupProblemError`.
    """
    live = database_file(url)
    if not live.exists():
        raise BackupProblemError("absent", path=str(live))
    if target.exists() and target.samefile(live):
        raise BackupProblemError("same", path=str(target))
    if target.exists() and not replace:
        raise BackupProblemError("exists", path=str(target))
    with _part(target) as part, _told(target):
        with closing(_open(live)) as origin, closing(_open(part)) as copy:
            _copy(origin, copy, progress)
            copy.execute("PRAGMA journal_mode = DELETE")
        check(part)
        size = part.stat().st_size
        _place(part, target, replace=replace)
    return size


def check(path: Path) -> str:
    """The schema's revision of a backup that is whole, sound, Vigie's, and known to this version.

    Raises `BackupProblemError`.
    """
    if not path.is_file():
        raise BackupProblemError("absent", path=str(path))
    try:
        with closing(_open(path, "ro")) as connection:
            # The file's kind first: what is no database is not a damaged one.
            connection.execute("PRAGMA schema_version").fetchone()
            sound = connection.execute("PRAGMA integrity_check(1)").fetchone() == ("ok",)
            if not sound or connection.execute("PRAGMA foreign_key_check").fetchone() is not None:
                raise BackupProblemError("damaged", path=str(path))
            names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not {"alembic_version", "workspace", "deal"} <= names:
                raise BackupProblemError("not_vigie", path=str(path))
            found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    except sqlite3.DatabaseError as error:
        code = _CODES.get(error.sqlite_errorcode & 0xFF, "unreadable")
        raise BackupProblemError(code, path=str(path), cause=str(error)) from None
    if len(found) != 1 or found[0][0] not in revisions():
        raise BackupProblemError("newer", path=str(path))
    return str(found[0][0])


def restore(url: str, source: Path, *, now: datetime, progress: Progress | None = None) -> Restored:
    """Put the backup `source` in the place of the database at `url`, brought to this version's schema.

    What was there is kept beside it first. No other program may have the database open: what it wrote meanwhile would
    be lost. A kill leaves what was there. The outbox and the inbox are carried over, so that nothing is posted or done
    twice; where what was there cannot be read, the messages that wait are looked up in Slack first, and what people
    had asked is left. Raises `BackupProblemError`.
    """
    live = database_file(url)
    if live.exists() and source.exists() and source.samefile(live):
        raise BackupProblemError("same", path=str(source))
    revision = check(source)
    with _part(live) as part, _told(live):
        with closing(_open(source, "ro")) as origin, closing(_open(part)) as copy:
            _copy(origin, copy, progress)
        _prepare(part, now)
        check(part)
        if not live.exists():
            _place(part, live, replace=False)
            return Restored(None, revision)
        kept = _free(live.with_name(f"{live.name}.before-{now:%Y%m%dT%H%M%SZ}"))
        _put_back(part, live, kept, progress)
    return Restored(kept, revision)


def _put_back(part: Path, live: Path, kept: Path, progress: Progress | None) -> None:
    try:
        with closing(_open(live)) as target:
            # Held until closed: nobody else can read or write, and nobody else was there.
            target.execute("PRAGMA locking_mode = EXCLUSIVE")
            target.execute("BEGIN EXCLUSIVE")
            target.execute("COMMIT")
            with _part(kept) as copy_path:
                with closing(_open(copy_path)) as copy:
                    target.backup(copy)
                    copy.execute("PRAGMA journal_mode = DELETE")
                _place(copy_path, kept, replace=False)
            _carry_over(kept, part)
            with closing(_open(part)) as origin:
                _copy(origin, target, progress)
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise BackupProblemError("in_use", path=str(live)) from None
        raise
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
            raise
        # Damaged, as is likely when a backup is wanted: kept as it is, its write-ahead log with it.
        kept.unlink(missing_ok=True)
        log = live.with_name(f"{live.name}-wal")
        if log.exists():
            log.rename(kept.with_name(f"{kept.name}-wal"))
        shutil.copyfile(live, kept)
        live.with_name(f"{live.name}-shm").unlink(missing_ok=True)
        _place(part, live, replace=True)


def _carry_over(kept: Path, part: Path) -> None:
    """What was posted stays posted, and what was said stays said: the letters and the inbox of the database that is
    replaced, as they are now."""
    with closing(_open(part)) as connection:
        connection.execute("ATTACH ? AS kept", (str(kept),))
        for table in (schema.letter, schema.inbox):
            columns = ", ".join(f'"{name}"' for name in table.c.keys())  # noqa: SIM118 - a collection, no dictionary
            there = {name for _, name, *_ in connection.execute(f"PRAGMA kept.table_info({table.name})")}
            if there.issuperset(table.c.keys()):
                carried = f"SELECT {columns} FROM kept.{table.name}"  # noqa: S608 - names of our own schema
                connection.execute(f"INSERT OR REPLACE INTO {table.name} ({columns}) {carried}")


def _prepare(part: Path, now: datetime) -> None:
    """Bring the copy to this version; let nothing that waited be posted unseen, and nobody be waited for."""
    engine = open_engine(f"sqlite:///{part}")
    try:
        upgrade(engine)
        with reading(engine) as connection:
            workspaces = connection.scalars(sa.select(schema.workspace.c.workspace_id)).all()
        with writing(engine) as connection:
            for workspace_id in workspaces:
                outbox.doubt(connection, workspace_id, now)
                inbox.give_up(connection, workspace_id, "restored")
                # Whoever held a lease then does not work on this database.
                connection.execute(sa.delete(schema.lease).where(schema.lease.c.workspace_id == workspace_id))
    finally:
        engine.dispose()
    with closing(_open(part)) as connection_:
        connection_.execute("PRAGMA journal_mode = DELETE")


def _copy(origin: sqlite3.Connection, copy: sqlite3.Connection, progress: Progress | None) -> None:
    """One moment of `origin`: the open transaction holds it still, however long the copy takes."""
    origin.execute("BEGIN")
    origin.execute("SELECT count(*) FROM sqlite_master").fetchone()

    def told(_status: int, remaining: int, total: int) -> None:
        if progress is not None:
            progress(total, total - remaining)

    origin.backup(copy, pages=PAGES, progress=told)
    origin.execute("ROLLBACK")


def database_file(url: str) -> Path:
    """Where the embedded database is. Raises `BackupProblemError` for any other."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or not parsed.database or parsed.database == ":memory:":
        raise BackupProblemError("not_embedded")
    return Path(parsed.database)


def _open(path: Path, mode: str = "rw") -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, timeout=PATIENCE, isolation_level=None)


@contextlib.contextmanager
def _part(target: Path) -> Iterator[Path]:
    """An empty file beside the target that passes for nothing; gone afterwards, unless it took the target's name."""
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise BackupProblemError("unwritable", path=str(target), cause=error.strerror or "") from None
    try:
        yield part
    finally:
        for ending in ("", "-wal", "-shm", "-journal"):
            part.with_name(part.name + ending).unlink(missing_ok=True)


@contextlib.contextmanager
def _told(target: Path) -> Iterator[None]:
    """A full disk, a locked database and the like, as a problem with a cause."""
    try:
        yield
    except sqlite3.Error as error:
        raise BackupProblemError("unwritable", path=str(target), cause=str(error)) from None
    except OSError as error:
        raise BackupProblemError("unwritable", path=str(target), cause=error.strerror or "") from None


def _place(part: Path, target: Path, *, replace: bool) -> None:
    """Give the finished file its name, for good also if the power fails."""
    with part.open("rb") as written:
        os.fsync(written.fileno())
    if replace:
        part.replace(target)
    else:
        try:
            target.hardlink_to(part)
        except FileExistsError:
            raise BackupProblemError("exists", path=str(target)) from None
        except OSError:
            # A file system without hard links.
            part.rename(target)
    if hasattr(os, "O_DIRECTORY"):
        folder = os.open(target.absolute().parent, os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _free(path: Path) -> Path:
    """This path, or the first like it that is not taken."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free
