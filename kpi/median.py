"""Medians of the cycle, by window functions in the database: the total, the period before, groups and series."""

from datetime import date

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Select

from kpi.ask import Ask, Counted
from kpi.facts import count as count_facts
from kpi.formulas import Cell
from kpi.period import Period
from kpi.populations import Population, cycle_days
from kpi.rows import NAMED

_NOTHING = {"twice": 0, "rows": 0}


def count(connection: Connection, ask: Ask, population: Population) -> Counted:
    """Cells of `twice` (the sum of the two middle values) and `rows`; the rows left out are counted with them."""
    counted = count_facts(connection, ask, (), (population,))
    counted.now = _NOTHING
    counted.before = _NOTHING if ask.before else None
    groups: dict[str | None, Cell] = {}
    groups_before: dict[str | None, Cell] = {}
    series: dict[date, Cell] = {bucket.start: _NOTHING for bucket in ask.buckets}
    counted.groups, counted.groups_before, counted.series = groups, groups_before, series
    for row in connection.execute(_statement(ask, population)).mappings():
        cell = {"twice": int(row["twice"]), "rows": int(row["rows"])}
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
    union = sa.union_all(*parts).subquery("u")
    if group_by is None or group_by not in NAMED:
        return sa.select(union, union.c.key.label("name"))
    named = NAMED[group_by]
    same = sa.and_(named.c.workspace_id == ask.workspace_id, named.c.id == union.c.key)
    return sa.select(union, sa.func.coalesce(named.c.name, union.c.key).label("name")).select_from(
        union.outerjoin(named, same)
    )


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
        sa.select(key.label("key"), bucket.label("bucket"), cycle_days(rows).label("days"))
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
    ).group_by(ranked.c.key, ranked.c.bucket)
