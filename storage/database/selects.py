"""Several unrelated selects as one statement: one round trip, one view of the data."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from itertools import count
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from storage.database.dialects import dialect_of
from storage.database.engine import PLANNED_ONCE


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
        dialect=dialect_of(spoken.database),
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
        given += [_plain(database, mine[name]) if name in mine else part.given.get(name) for name in part.names]
    text = _statement(database, tuple([part.text for part in parts.values()]))
    with _numbered(connection):
        told = json.loads(connection.exec_driver_sql(text, tuple(given), {PLANNED_ONCE: True}).scalar_one())
    return {
        key: [part.read(each) for each in rows or ()] for (key, part), rows in zip(parts.items(), told, strict=True)
    }


@lru_cache(maxsize=512)
def _statement(database: str, texts: tuple[str, ...]) -> str:
    """One statement of several parts; its parameters are in their order. Made once: drivers know it again."""
    # One text for all: each column of a result costs as much as a small part, and is called by the part's whole text.
    if database != "postgresql":
        return "SELECT '[' || " + " || ',' || ".join(texts) + " || ']'"
    text = f"SELECT to_json(ARRAY[{', '.join(texts)}])::text"
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


def _plain(database: str, value: Any) -> Any:
    """A value as both drivers take it."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, tuple):
        return _plain_list(database, value)
    if isinstance(value, list | set | frozenset):
        return _plain_list(database, tuple(value))
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        # To the digit as SQLAlchemy writes a moment: the text is what is compared.
        return moment if database == "postgresql" else moment.strftime("%Y-%m-%d %H:%M:%S.%f")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    return value


@lru_cache(maxsize=1024)
def _plain_list(database: str, values: tuple[Any, ...]) -> str:
    """Texts or days, as the database itself reads an array: the days that a window is made of are asked for again and
    again, and psycopg would spell each of them anew."""
    each = [one if isinstance(one, str) else _plain(database, one) for one in values]
    if database != "postgresql":
        return json.dumps(each)
    quoted = ('"{}"'.format(one.replace("\\", "\\\\").replace('"', '\\"')) for one in each)
    return f"{{{','.join(quoted)}}}"


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
    decorated, first, dialect = kind, read, dialect_of("sqlite")
    return lambda value: decorated.process_result_value(first(value) if first else value, dialect)


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
