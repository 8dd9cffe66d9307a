"""What both databases know under different names: moments, days, and how a column is looked up."""

from datetime import date
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler


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
