"""INSERT that knows ON CONFLICT, and many rows at once."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from storage.database.dialects import dialect_of

Insert = sqlite.Insert | postgresql.Insert
"""An INSERT that knows ON CONFLICT; both dialects spell it alike."""


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
        kinds = [table.c[name].type for name in columns]
        connection.exec_driver_sql(text, tuple(map(_array, kinds, zip(*rows, strict=True))))
    else:
        days = [place for place, name in enumerate(columns) if isinstance(table.c[name].type, sa.Date)]
        connection.exec_driver_sql(text, [_dated(row, days) for row in rows] if days else [tuple(row) for row in rows])


def _array(kind: sa.types.TypeEngine[Any], values: tuple[Any, ...]) -> Any:
    """As PostgreSQL reads an array: psycopg would look at each number anew."""
    if isinstance(kind, sa.Integer) and None not in values:
        return f"{{{repr(values)[1:-1].rstrip(',')}}}"
    return list(values)


def _dated(row: Sequence[Any], days: Sequence[int]) -> tuple[Any, ...]:
    """The row with its days as SQLite keeps them."""
    plain = list(row)
    for place in days:
        plain[place] = None if row[place] is None else row[place].isoformat()
    return tuple(plain)


@lru_cache(maxsize=256)
def _putting(database: str, table: Table, told: tuple[str, ...], adding: bool) -> str:
    """One statement: on PostgreSQL its parameters are the columns, each an array; on SQLite those of one row."""
    dialect = dialect_of(database)
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
