"""Medians of the cycle, by window functions in the database: the total, the period before, groups and series."""

from datetime import date

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Select

from kpi.ask import Ask, Counted
from kpi.facts import left_out
from kpi.formulas import Cell
from kpi.names import with_names
from kpi.period import Period
from kpi.populations import Population, cycle_days

_NOTHING = {"twice": 0, "rows": 0, "first_seen": 0}


def count(connection: Connection, ask: Ask, population: Population) -> Counted:
    """Cells of `twice` (the sum of the two middle values), `rows`, and of these `first_seen` (created, for all that is
    known, on the day they were first seen); the rows left out are counted with them."""
    counted = Counted(_NOTHING, _NOTHING if ask.before else None)
    counted.left_out = left_out(connection, ask, population)
    groups: dict[str | None, Cell] = {}
    groups_before: dict[str | None, Cell] = {}
    series: dict[date, Cell] = {bucket.start: _NOTHING for bucket in ask.buckets}
    counted.groups, counted.groups_before, counted.series = groups, groups_before, series
    for row in connection.execute(_statement(ask, population)).mappings():
        cell = {name: int(row[name]) for name in _NOTHING}
        match row["part"]:
            case "now":
                counted.now = cell
            case "before":
                counted.before = cell
            case "group":
                groups[row["key"]] = cell
            case "group_before":
                groups_before[row["key"]] = cell
            case _:
                series[ask.buckets[row["bucket"]].start] = cell
        if row["name"] is not None:
            counted.names[row["key"]] = row["name"]
    return counted


def _statement(ask: Ask, population: Population) -> Select[tuple[object, ...]]:
    period, before, group_by = ask.query.period, ask.before, ask.query.group_by
    parts = [_median(ask, population, "now", period)]
    if before is not None:
        parts.append(_median(ask, population, "before", before))
    if group_by is not None:
        parts.append(_median(ask, population, "group", period, group_by=group_by))
    if group_by is not None and before is not None:
        parts.append(_median(ask, population, "group_before", before, group_by=group_by))
    if ask.buckets:
        parts.append(_median(ask, population, "series", period, buckets=ask.buckets))
    return with_names(ask, sa.union_all(*parts).subquery("u"))


def _median(
    ask: Ask,
    population: Population,
    part: str,
    period: Period,
    *,
    group_by: str | None = None,
    buckets: tuple[Period, ...] = (),
) -> Select[tuple[object, ...]]:
    rows = ask.rows(population.table)
    axis = rows.c[population.axis]
    key: ColumnElement[str | None] = rows.key(group_by) if group_by else sa.cast(sa.null(), sa.Text)
    bucket: ColumnElement[int] = sa.literal_column("0", sa.Integer)
    if len(buckets) > 1:
        bucket = sa.case(*((axis < each.end, at) for at, each in enumerate(buckets[:-1])), else_=len(buckets) - 1)
    conditions = [*ask.narrowed(rows), population.counted(rows), axis >= period.start, axis < period.end]
    inner = (
        sa.select(key.label("key"), bucket.label("bucket"), cycle_days(rows).label("days"), rows.c.created_seen)
        .select_from(rows.source)
        .where(*conditions)
        .subquery()
    )
    within = (inner.c.key, inner.c.bucket)
    ranked = sa.select(
        inner,
        sa.func.row_number().over(partition_by=within, order_by=inner.c.days).label("nth"),
        sa.func.count().over(partition_by=within).label("rows"),
    ).subquery()
    lower = sa.case((ranked.c.nth == (ranked.c.rows + 1) // 2, ranked.c.days), else_=0)
    upper = sa.case((ranked.c.nth == (ranked.c.rows + 2) // 2, ranked.c.days), else_=0)
    return sa.select(
        sa.literal_column(f"'{part}'", sa.Text).label("part"),
        ranked.c.key,
        ranked.c.bucket,
        sa.func.sum(lower + upper).label("twice"),
        sa.func.max(ranked.c.rows).label("rows"),
        sa.func.sum(sa.case((ranked.c.created_seen, 1), else_=0)).label("first_seen"),
    ).group_by(ranked.c.key, ranked.c.bucket)
