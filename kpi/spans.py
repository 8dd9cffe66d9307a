"""Plans that look at whole windows of days at once: one set of columns per window, one row per group.

For what does not add up over days: customers kept, the pipeline open on a day, a lifetime.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection

from kpi.ask import Ask, Counted
from kpi.names import with_names
from kpi.period import Period
from kpi.rows import Rows

Cell = Mapping[str, int]
Columns = Mapping[str, ColumnElement[int]]
"""Cell key to an aggregate."""

AT_ONCE = 40
"""Windows per statement: databases limit the columns of a result."""


def count(
    connection: Connection,
    ask: Ask,
    select_from: Callable[[Sequence[Period]], Rows],
    columns: Callable[[Rows, Period], Columns],
) -> Counted:
    """Cells for the period, the one before and every bucket of the series.

    `select_from(windows)` gives the rows on which `columns(rows, window)` aggregates; both are called with the same
    windows, at most `AT_ONCE` of them. Every row is in one group, so a total is the sum of the groups.
    """
    before = () if ask.before is None else (ask.before,)
    windows = list(dict.fromkeys((ask.query.period, *before, *ask.buckets)))
    groups: dict[Period, dict[str | None, dict[str, int]]] = {window: {} for window in windows}
    names: dict[str, str] = {}
    for at in range(0, len(windows), AT_ONCE):
        _count(connection, ask, windows[at : at + AT_ONCE], select_from, columns, groups, names)
    totals = {window: _sum(cells.values()) for window, cells in groups.items()}
    grouped = ask.query.group_by is not None
    return Counted(
        now=totals[ask.query.period],
        before=None if ask.before is None else totals[ask.before],
        groups=groups[ask.query.period] if grouped else {},
        groups_before=groups[ask.before] if grouped and ask.before else {},
        names=names,
        series={bucket.start: totals[bucket] for bucket in ask.buckets},
    )


def _count(
    connection: Connection,
    ask: Ask,
    windows: Sequence[Period],
    select_from: Callable[[Sequence[Period]], Rows],
    columns: Callable[[Rows, Period], Columns],
    groups: Mapping[Period, dict[str | None, dict[str, int]]],
    names: dict[str, str],
) -> None:
    rows = select_from(windows)
    key: ColumnElement[Any] = sa.cast(sa.null(), sa.Text)
    if ask.query.group_by is not None:
        key = rows.key(ask.query.group_by)
    made = [columns(rows, window) for window in windows]
    labelled = [
        sa.func.coalesce(column, 0).label(f"{name}_{at}")
        for at, cell in enumerate(made)
        for name, column in cell.items()
    ]
    conditions = ask.narrowed(rows)
    inner = sa.select(key.label("key"), *labelled).select_from(rows.source).where(*conditions)
    if ask.query.group_by is not None:
        inner = inner.group_by(key)
    for row in connection.execute(with_names(ask, inner.subquery("u"))).mappings():
        for at, window in enumerate(windows):
            groups[window][row["key"]] = {name: int(row[f"{name}_{at}"]) for name in made[at]}
        if row["name"] is not None:
            names[row["key"]] = row["name"]
    if not groups[windows[0]]:
        for at, window in enumerate(windows):
            groups[window][None] = dict.fromkeys(made[at], 0)


def _sum(cells: Any) -> dict[str, int]:
    total: dict[str, int] = {}
    for cell in cells:
        for key, value in cell.items():
            total[key] = total.get(key, 0) + value
    return total


def how_many(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """The number of rows for which a condition holds."""
    return sa.func.sum(sa.case((condition, 1), else_=0))
