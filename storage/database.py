"""The one room that knows which database it is: engine, transactions, upsert, date arithmetic.

SQLite (WAL, FULL synchronous) for one host, PostgreSQL through psycopg 3 for teams and replicas. No dialect branch
stands anywhere else.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

Insert = sqlite.Insert | postgresql.Insert
"""An INSERT that knows ON CONFLICT; both dialects spell it alike."""

BUSY_SECONDS = 5


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql+psycopg://…` (`postgresql://` and `postgres://` are understood).

    Raises `ValueError` with a sentence for any other kind of database.
    """
    parsed = make_url(url)
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "postgresql":
        return sa.create_engine(parsed, pool_pre_ping=True, connect_args={"options": "-c timezone=UTC"})
    if parsed.get_backend_name() != "sqlite":
        raise ValueError(f"Vigie speaks SQLite and PostgreSQL, not {parsed.get_backend_name()}")
    engine = sa.create_engine(parsed, connect_args={"timeout": BUSY_SECONDS})

    @sa.event.listens_for(engine, "connect")
    def _configure(raw: Any, _record: object) -> None:
        # Transactions begin where we say (BEGIN IMMEDIATE in `writing`), not where the driver guesses.
        raw.isolation_level = None
        raw.execute("PRAGMA journal_mode = WAL")
        raw.execute("PRAGMA synchronous = FULL")
        raw.execute("PRAGMA foreign_keys = ON")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("vigie_writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for queries: one consistent snapshot, nothing written."""
    with engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed at the end of the block, rolled back if it raises.

    On SQLite the write lock is taken at the start (no deadlock by upgrade), so nothing slow belongs inside: never a
    network call.
    """
    with engine.connect().execution_options(vigie_writing=True) as connection, connection.begin():
        yield connection


def refresh_statistics(engine: Engine, tables: Iterable[Table]) -> None:
    """Tell the query planner how large these tables have become, after many rows were written.

    PostgreSQL plans a fresh table as if it were empty, and reads all of it for every page of a sync until it is told.
    SQLite takes the whole key without being told.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection, connection.begin():
            analyze(connection, tables)


def analyze(connection: Connection, tables: Iterable[Table]) -> None:
    """`refresh_statistics` within a transaction: of tables that only this connection sees."""
    if connection.dialect.name == "postgresql":
        for table in tables:
            connection.execute(sa.text(f"ANALYZE {connection.dialect.identifier_preparer.format_table(table)}"))


def home_schema(connection: Connection) -> str:
    """The schema that Vigie's tables are in."""
    if connection.dialect.name == "postgresql":
        return str(connection.execute(sa.select(sa.func.current_schema())).scalar_one())
    return "main"


def private_schema(connection: Connection) -> str:
    """The schema of tables that only this connection sees, and that are gone with it."""
    return "pg_temp" if connection.dialect.name == "postgresql" else "temp"


def insert(connection: Connection, table: Table) -> Insert:
    """An INSERT into `table` that offers `on_conflict_do_update` and `on_conflict_do_nothing`."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


class moment(sa.sql.functions.FunctionElement[Any]):
    """`moment(seconds)`: so many seconds from now by the database's own clock, which all who share it go by."""

    type = sa.DateTime(timezone=True)
    inherit_cache = True
    name = "moment"


@compiles(moment, "sqlite")
def _moment_sqlite(element: moment, compiler: SQLCompiler, **kw: Any) -> str:
    (seconds,) = (compiler.process(clause, **kw) for clause in element.clauses)
    # To the digit as SQLAlchemy writes a moment: the text is what is compared.
    return f"(strftime('%Y-%m-%d %H:%M:%f', 'now', ({seconds}) || ' seconds') || '000')"


@compiles(moment, "postgresql")
def _moment_postgresql(element: moment, compiler: SQLCompiler, **kw: Any) -> str:
    (seconds,) = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(clock_timestamp() + make_interval(secs => CAST({seconds} AS INTEGER)))"


class days_between(sa.sql.functions.FunctionElement[int]):
    """`days_between(earlier, later)`: whole calendar days from one local date to another, negative if reversed."""

    type = sa.Integer()
    inherit_cache = True
    name = "days_between"


@compiles(days_between, "sqlite")
def _days_sqlite(element: days_between, compiler: SQLCompiler, **kw: Any) -> str:
    earlier, later = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CAST(julianday({later}) - julianday({earlier}) AS INTEGER)"


@compiles(days_between, "postgresql")
def _days_postgresql(element: days_between, compiler: SQLCompiler, **kw: Any) -> str:
    earlier, later = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(CAST({later} AS DATE) - CAST({earlier} AS DATE))"


class day_plus(sa.sql.functions.FunctionElement[Any]):
    """`day_plus(date, days)`: the local date so many calendar days later."""

    type = sa.Date()
    inherit_cache = True
    name = "day_plus"


@compiles(day_plus, "sqlite")
def _plus_sqlite(element: day_plus, compiler: SQLCompiler, **kw: Any) -> str:
    day, days = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"date({day}, ({days}) || ' days')"


@compiles(day_plus, "postgresql")
def _plus_postgresql(element: day_plus, compiler: SQLCompiler, **kw: Any) -> str:
    day, days = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(CAST({day} AS DATE) + CAST({days} AS INTEGER))"
