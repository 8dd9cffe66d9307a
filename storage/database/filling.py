"""INSERT … SELECT, spelled once and run with other values each time: rows that are made where they are written."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Table

from storage.database.dialects import dialect_of
from storage.database.selects import Part, Tongue


def spell_filling(spoken: Tongue, table: Table, select: sa.Select[Any]) -> Part:
    """An INSERT of what a select finds, with a value for every column of the table in order; for `fill`."""
    insert = sa.insert(table).from_select(table.c.keys(), select)
    compiled = insert.compile(dialect=dialect_of(spoken.database), compile_kwargs={"render_postcompile": True})
    names = tuple(getattr(compiled, "positiontup", None) or ())
    return Part(str(compiled), names, {name: value for name, value in compiled.params.items() if value is not None})


def fill(connection: Connection, part: Part, values: Mapping[str, str | date]) -> None:
    """Write what the select of `spell_filling` finds with these parameters."""
    given = [values[name] if name in values else part.given.get(name) for name in part.names]
    plain = (each.isoformat() if isinstance(each, date) else each for each in given)
    connection.exec_driver_sql(part.text, tuple(plain))
