"""The one room that knows which database it is: engine, transactions, upsert, date arithmetic.

SQLite (WAL, FULL synchronous) for one host, PostgreSQL through psycopg 3 for teams and replicas. No dialect branch
stands anywhere else.
"""

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import count
from select import POLLIN, poll
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine import Dialect, make_url
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from storage import turns

Insert = sqlite.Insert | postgresql.Insert
"""An INSERT that knows ON CONFLICT; both dialects spell it alike."""

BUSY_SECONDS = 5
IDLE_SECONDS = 30.0
"""A PostgreSQL connection that nobody used for so long is asked whether it still is one."""

_USED = "vigie_used"
"""When a connection went back to its pool."""

_PLANNED_ONCE = "vigie_planned_once"
"""Said of a statement whose plan is made once for all values, and of a connection while it plans so."""


def open_engine(url: str) -> Engine:
    """An engine for `sqlite:///path` or `postgresql+psycopg://…` (`postgresql://` and `postgres://` are understood).

    Raises `ValueError` with a sentence for any other kind of database.
    """
    parsed = make_url(url)
    if parsed.drivername in {"postgres", "postgresql"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(parsed)
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
        raw.create_function("vigie_local_day", 2, _local_day, deterministic=True)

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("vigie_writing")
        if not immediate:
            connection.exec_driver_sql("BEGIN")
            return
        raw: Any = connection.connection.driver_connection
        raw.execute("PRAGMA busy_timeout = 0")
        try:
            turns.begin(raw, BUSY_SECONDS)
        except sqlite3.OperationalError:
            # Said once more in SQLAlchemy's words.
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        finally:
            raw.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")

    return engine


def _postgresql(url: sa.URL) -> Engine:
    """Without the compilation of statements, which takes longer than what it would save."""
    # Whoever asks gets the connection that was used last: the statements it knows are planned already.
    engine = sa.create_engine(url, pool_use_lifo=True, connect_args={"options": "-c timezone=UTC -c jit=off"})

    @sa.event.listens_for(engine, "checkin")
    def _rest(_raw: object, record: Any) -> None:
        record.info[_USED] = time.monotonic()

    @sa.event.listens_for(engine, "checkout")
    def _wake(raw: Any, record: Any, _proxy: object) -> None:
        # A server that closes a connection says so on it: only where something was said, or after a while, is it asked.
        if raw is None or _USED not in record.info:
            return
        if time.monotonic() - record.info[_USED] < IDLE_SECONDS and not _has_said(raw):
            return
        try:
            engine.dialect.do_ping(raw)
        except engine.dialect.loaded_dbapi.Error as error:
            raise sa.exc.InvalidatePoolError from error

    @sa.event.listens_for(engine, "before_cursor_execute")
    def _plan(connection: Connection, _cursor: object, _text: str, _given: Any, context: Any, _many: bool) -> None:
        # A statement of many parts takes far longer to plan than to run, and its plan is the same for any values. Any
        # other statement is planned for its values.
        once, now = context.execution_options.get(_PLANNED_ONCE, False), connection.info.get(_PLANNED_ONCE, False)
        if once != now and connection.in_transaction():
            raw: Any = connection.connection.driver_connection
            raw.execute(f"SET LOCAL plan_cache_mode = {'force_generic_plan' if once else 'auto'}")
            connection.info[_PLANNED_ONCE] = once

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.info.pop(_PLANNED_ONCE, None)

    return engine


def _has_said(raw: Any) -> bool:
    """Whether a connection that nobody uses was closed, or has anything else to be read."""
    if raw.closed:
        return True
    line = poll()
    line.register(raw.fileno(), POLLIN)
    return bool(line.poll(0))


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for queries: one consistent snapshot for all of its statements, nothing written."""
    # On PostgreSQL, each statement would see what is there when it begins.
    level = {"isolation_level": "REPEATABLE READ"} if engine.dialect.name == "postgresql" else {}
    with engine.connect().execution_options(**level) as connection, connection.begin():
        yield connection


@contextmanager
def counting(connection: Connection) -> Iterator[list[str]]:
    """The statements that this connection executes until the end of the block, as they come."""
    executed: list[str] = []

    def remember(*event: Any) -> None:
        executed.append(event[2])

    sa.event.listen(connection, "before_cursor_execute", remember)
    try:
        yield executed
    finally:
        sa.event.remove(connection, "before_cursor_execute", remember)


@contextmanager
def writing(engine: Engine, *, again: bool = False) -> Iterator[Connection]:
    """One write transaction: committed at the end of the block, rolled back if it raises.

    On SQLite the write lock is taken at the start (no deadlock by upgrade), so nothing slow belongs inside: never a
    network call. `again`: one of many that follow upon each other, as a sync's do; others are let in between.
    """
    with _turn(engine, again), engine.connect().execution_options(vigie_writing=True) as connection, connection.begin():
        yield connection


def _turn(engine: Engine, again: bool) -> AbstractContextManager[None]:
    return turns.turn(engine, BUSY_SECONDS, again=again) if engine.dialect.name == "sqlite" else nullcontext()


def alone(connection: Connection, what: int) -> None:
    """Within a write transaction: whoever does the same (a number that the callers agree on) in this database waits
    until this one is over. SQLite has one writer at a time anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(what)))


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


@dataclass(frozen=True, slots=True)
class Tongue:
    """How statements are spelled on a connection: for which database, and in which schema the tables are read."""

    database: str
    schema: str | None = None


def tongue(connection: Connection) -> Tongue:
    schemas = connection.get_execution_options().get("schema_translate_map")
    return Tongue(connection.dialect.name, None if schemas is None else schemas[None])


@dataclass(frozen=True, slots=True)
class Part:
    """One select as a part of a statement of several: spelled once, run with other values each time."""

    text: str
    names: tuple[str, ...]
    """The parameters in the order of their places; a name may come twice."""
    given: Mapping[str, Any]
    """The values that the select was written with."""
    read: Callable[[list[Any]], tuple[Any, ...]] = field(default=tuple)
    """Turns a row of JSON back into what the columns hold."""


def spell(spoken: Tongue, select: sa.SelectBase) -> Part:
    """A select as a part. What `parameter` and `among` name in it is to be given when it is run."""
    rows = select.subquery()
    if spoken.database == "postgresql":
        array = sa.func.json_agg(sa.func.json_build_array(*rows.c))
    else:
        array = sa.func.json_group_array(sa.func.json_array(*rows.c))
    compiled = sa.select(array).compile(
        dialect=_dialect(spoken.database),
        schema_translate_map=None if spoken.schema is None else {None: spoken.schema},
        render_schema_translate=spoken.schema is not None,
        compile_kwargs={"render_postcompile": True},
    )
    names = tuple(getattr(compiled, "positiontup", None) or ())
    given = {name: _plain(spoken.database, value) for name, value in compiled.params.items() if value is not None}
    readers = [_reader(column.type) for column in rows.c]
    if not any(readers):
        return Part(f"({compiled})", names, given)

    def read(row: list[Any]) -> tuple[Any, ...]:
        return tuple(
            value if value is None or reader is None else reader(value)
            for value, reader in zip(row, readers, strict=True)
        )

    return Part(f"({compiled})", names, given, read)


def run(
    connection: Connection, parts: Mapping[str, Part], values: Mapping[str, Mapping[str, Any]]
) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each part, read in one statement; `values` are the parameters of each part by its name.

    Rows come in no order. A list is one parameter, whatever its length.
    """
    database = connection.dialect.name
    given: list[Any] = []
    for key, part in parts.items():
        mine = values.get(key, {})
        given.extend(_plain(database, mine[name]) if name in mine else part.given.get(name) for name in part.names)
    text = _statement(database, tuple([part.text for part in parts.values()]))
    with _numbered(connection):
        row = connection.exec_driver_sql(text, tuple(given), {_PLANNED_ONCE: True}).one()
    found = {}
    for (key, part), told in zip(parts.items(), row, strict=True):
        arrays = json.loads(told) if isinstance(told, str) else told
        found[key] = [part.read(each) for each in arrays or ()]
    return found


@lru_cache(maxsize=512)
def _statement(database: str, texts: tuple[str, ...]) -> str:
    """One statement of several parts; its parameters are in their order. Made once: drivers know it again."""
    text = "SELECT " + ", ".join(texts)
    if database != "postgresql":
        return text
    numbers = count(1)
    return re.sub("%%|%s", lambda found: "%" if found[0] == "%%" else f"${next(numbers)}", text)


@contextmanager
def _numbered(connection: Connection) -> Iterator[None]:
    """Meanwhile, parameters are `$1`, `$2`, … on PostgreSQL, as itself reads them: psycopg would look for its own in
    all of a long statement, each time anew."""
    if connection.dialect.name != "postgresql":
        yield
        return
    from psycopg import RawCursor

    raw: Any = connection.connection.driver_connection
    usual, raw.cursor_factory = raw.cursor_factory, RawCursor
    try:
        yield
    finally:
        raw.cursor_factory = usual


def together(connection: Connection, selects: Mapping[str, sa.SelectBase]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of several unrelated small selects, in one statement: one round trip, one view of the data.

    Values come back as the columns' types say: dates, moments, decimals, truth values, integers to the last digit.
    Rows come in no order. Where the same selects are asked again and again, `spell` them once and `run` them.
    """
    spoken = tongue(connection)
    return run(connection, {name: spell(spoken, select) for name, select in selects.items()}, {})


def parameter(name: str, kind: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]]) -> sa.BindParameter[Any]:
    """A value that is given when the part is run."""
    return sa.bindparam(name, type_=kind, required=False)


@lru_cache(maxsize=2)
def _dialect(database: str) -> Dialect:
    if database == "postgresql":
        return PGDialect_psycopg(paramstyle="format")  # type: ignore[no-untyped-call]
    return sqlite.dialect(paramstyle="qmark")


def _plain(database: str, value: Any) -> Any:
    """A value as both drivers take it."""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        # To the digit as SQLAlchemy writes a moment: the text is what is compared.
        return moment if database == "postgresql" else moment.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, tuple):
        return _plain_list(database, value)
    if isinstance(value, list | set | frozenset):
        return _plain_list(database, tuple(value))
    return value


@lru_cache(maxsize=1024)
def _plain_list(database: str, values: tuple[Any, ...]) -> Any:
    """Texts or days. The days that a window is made of are asked for again and again."""
    each = [one if isinstance(one, str) else _plain(database, one) for one in values]
    return each if database == "postgresql" else json.dumps(each)


def _reader(kind: sa.types.TypeEngine[Any]) -> Callable[[Any], Any] | None:
    """What makes the value of a column of what JSON holds of it."""
    inner = kind.impl if isinstance(kind, sa.TypeDecorator) else kind
    read: Callable[[Any], Any] | None = None
    if isinstance(inner, sa.DateTime):
        read = datetime.fromisoformat
    elif isinstance(inner, sa.Date):
        read = date.fromisoformat
    elif isinstance(inner, sa.Boolean):
        read = bool
    if not isinstance(kind, sa.TypeDecorator):
        return read
    decorated, first, dialect = kind, read, _dialect("sqlite")
    return lambda value: decorated.process_result_value(first(value) if first else value, dialect)


def insert(connection: Connection, table: Table) -> Insert:
    """An INSERT into `table` that offers `on_conflict_do_update` and `on_conflict_do_nothing`."""
    return insert_of(connection.dialect.name, table)


def insert_of(dialect: str, table: Table) -> Insert:
    """`insert`, for a statement that is made once and kept."""
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)


def put(
    connection: Connection,
    table: Table,
    rows: Sequence[Sequence[Any]],
    *,
    columns: tuple[str, ...] | None = None,
    adding: bool = False,
) -> None:
    """Write many rows, each with a value for every column of the table in order (or for these `columns`, the key among
    them: others keep what they hold, or their default); no two of one key.

    Where a row of the key is there, the values take the place of what it holds, or, `adding`, are added to it.
    """
    if not rows:
        return
    columns = columns or tuple(table.c.keys())
    text = _putting(connection.dialect.name, table, columns, adding)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(text, tuple(list(values) for values in zip(*rows, strict=True)))
    else:
        days = [place for place, name in enumerate(columns) if isinstance(table.c[name].type, sa.Date)]
        connection.exec_driver_sql(text, [_dated(row, days) for row in rows] if days else [tuple(row) for row in rows])


def _dated(row: Sequence[Any], days: Sequence[int]) -> tuple[Any, ...]:
    """The row with its days as SQLite keeps them."""
    plain = list(row)
    for place in days:
        plain[place] = None if row[place] is None else row[place].isoformat()
    return tuple(plain)


@lru_cache(maxsize=256)
def _putting(database: str, table: Table, told: tuple[str, ...], adding: bool) -> str:
    """One statement: on PostgreSQL its parameters are the columns, each an array; on SQLite those of one row."""
    dialect = _dialect(database)
    quote = dialect.identifier_preparer.quote
    keys = [quote(column.name) for column in table.primary_key]
    these = [table.c[name] for name in told]
    others = [quote(column.name) for column in these if not column.primary_key]
    name = quote(table.name)
    if database == "postgresql":
        arrays = ", ".join(f"CAST(%s AS {column.type.compile(dialect)}[])" for column in these)
        values = f"SELECT * FROM unnest({arrays})"  # noqa: S608 (names of the schema)
    else:
        values = f"VALUES ({', '.join('?' for _ in these)})"
    sets = [f"{each} = {f'{name}.{each} + ' if adding else ''}excluded.{each}" for each in others]
    columns = ", ".join(quote(column.name) for column in these)
    return f"INSERT INTO {name} ({columns}) {values} ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {', '.join(sets)}"


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
    return f"(clock_timestamp() + make_interval(secs => CAST({seconds} AS DOUBLE PRECISION)))"


class moment_after(sa.sql.functions.FunctionElement[Any]):
    """`moment_after(column, seconds)`: so many seconds after a stored moment."""

    type = sa.DateTime(timezone=True)
    inherit_cache = True
    name = "moment_after"


@compiles(moment_after, "sqlite")
def _after_sqlite(element: moment_after, compiler: SQLCompiler, **kw: Any) -> str:
    stored, seconds = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(strftime('%Y-%m-%d %H:%M:%f', {stored}, ({seconds}) || ' seconds') || '000')"


@compiles(moment_after, "postgresql")
def _after_postgresql(element: moment_after, compiler: SQLCompiler, **kw: Any) -> str:
    stored, seconds = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({stored} + make_interval(secs => CAST({seconds} AS DOUBLE PRECISION)))"


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


class among(sa.sql.functions.FunctionElement[bool]):
    """`among(column, name)`: whether the column is one of a list given as one parameter when a part is run."""

    type = sa.Boolean()
    inherit_cache = True
    name = "among"
    # A condition, not a number that is compared with 1, for which no index serves.
    _is_implicitly_boolean = True

    def __init__(self, column: sa.ColumnElement[Any], name: str) -> None:
        super().__init__(column, parameter(name, sa.types.NullType))


@compiles(among, "sqlite")
def _among_sqlite(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"({column} IN (SELECT value FROM json_each({values})))"  # noqa: S608 (names of the schema)


@compiles(among, "postgresql")
def _among_postgresql(element: among, compiler: SQLCompiler, **kw: Any) -> str:
    column, values = (compiler.process(clause, **kw) for clause in element.clauses)
    kind = "DATE" if isinstance(next(iter(element.clauses)).type, sa.Date) else "TEXT"
    return f"({column} = ANY (CAST({values} AS {kind}[])))"


class not_sought_by(sa.sql.functions.FunctionElement[Any]):
    """`not_sought_by(column)`: the column, by which rows are tested but not looked up.

    Without statistics, SQLite takes "is not null" for a narrower choice than a list of keys, and reads nearly all.
    """

    inherit_cache = True
    name = "not_sought_by"

    def __init__(self, column: sa.ColumnElement[Any]) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(not_sought_by, "sqlite")
def _not_sought_by_sqlite(element: not_sought_by, compiler: SQLCompiler, **kw: Any) -> str:
    (column,) = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"+{column}"


@compiles(not_sought_by, "postgresql")
def _not_sought_by_postgresql(element: not_sought_by, compiler: SQLCompiler, **kw: Any) -> str:
    (column,) = (compiler.process(clause, **kw) for clause in element.clauses)
    return str(column)


class listed(sa.sql.functions.FunctionElement[Any]):
    """`listed(name)`: the days of a list given as one parameter, as rows of one column `day`."""

    type = sa.Date()
    inherit_cache = True
    name = "listed"

    def __init__(self, name: str) -> None:
        super().__init__(parameter(name, sa.types.NullType))


@compiles(listed, "sqlite")
def _listed_sqlite(element: listed, compiler: SQLCompiler, **kw: Any) -> str:
    (values,) = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(SELECT value AS day FROM json_each({values}))"  # noqa: S608 (a placeholder)


@compiles(listed, "postgresql")
def _listed_postgresql(element: listed, compiler: SQLCompiler, **kw: Any) -> str:
    (values,) = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"(SELECT unnest(CAST({values} AS DATE[])) AS day)"


class local_day(sa.sql.functions.FunctionElement[date]):
    """`local_day(moment, zone)`: the calendar day of a stored moment in a time zone, null for none."""

    type = sa.Date()
    inherit_cache = True
    name = "local_day"


@compiles(local_day, "sqlite")
def _local_day_sqlite(element: local_day, compiler: SQLCompiler, **kw: Any) -> str:
    instant, zone = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"vigie_local_day({instant}, {zone})"


@compiles(local_day, "postgresql")
def _local_day_postgresql(element: local_day, compiler: SQLCompiler, **kw: Any) -> str:
    instant, zone = (compiler.process(clause, **kw) for clause in element.clauses)
    return f"CAST(timezone({zone}, {instant}) AS DATE)"


def _local_day(instant: str | None, zone: str) -> str | None:
    """Of a moment as SQLite holds it: UTC, without saying so."""
    if instant is None:
        return None
    return datetime.fromisoformat(instant).replace(tzinfo=UTC).astimezone(ZoneInfo(zone)).date().isoformat()
