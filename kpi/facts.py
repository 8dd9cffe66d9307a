"""Additive measures counted on the facts, in one statement: the total, the period before, the groups and the series.

Each branch of the UNION ALL is one population in one period, whole, by key or by day; days are put into buckets here
(hundreds of rows), and a total that its groups or days add up to is not asked for twice.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Select

from kpi.ask import Ask, Counted
from kpi.measures import Measure
from kpi.names import with_names
from kpi.period import Period
from kpi.populations import Population
from kpi.reasons import Reason
from kpi.rows import Condition, Rows

NOW, BEFORE = "now", "before"
WHOLE, BY_KEY, BY_DAY, UNDATED = "whole", "key", "day", "undated"

_ZERO: ColumnElement[int] = sa.literal_column("0", sa.BigInteger)


def count(connection: Connection, ask: Ask, measures: Sequence[Measure], told: Sequence[Population]) -> Counted:
    """Add up the measures; `told` are the populations whose left-out rows are counted, in order."""
    zero = dict.fromkeys((measure.key for measure in measures), 0)
    now, before = dict(zero), dict(zero)
    groups: dict[str | None, dict[str, int]] = {}
    groups_before: dict[str | None, dict[str, int]] = {}
    counted = Counted(now, before if ask.before else None, groups, groups_before)
    series: dict[int, dict[str, int]] = {}
    starts = [bucket.start for bucket in ask.buckets]
    for row in connection.execute(_statement(ask, measures, told)).mappings():
        cell = {key: int(row[key]) for key in zero}
        if row["slice"] == BEFORE:
            _add(before, cell)
            if row["part"] == BY_KEY:
                _add(groups_before.setdefault(row["key"], dict(zero)), cell)
            continue
        if row["part"] == BY_DAY:
            _add(series.setdefault(bisect_right(starts, row["day"]) - 1, dict(zero)), cell)
        elif row["part"] == BY_KEY:
            _add(groups.setdefault(row["key"], dict(zero)), cell)
        if row["part"] != BY_DAY or ask.query.group_by is None:
            _add(now, cell)
            for reason in _reasons(told):
                if left := int(row[_column(reason)]):
                    counted.left_out[reason] = counted.left_out.get(reason, 0) + left
        if row["name"] is not None:
            counted.names[row["key"]] = row["name"]
    counted.series = {start: series.get(at, zero) for at, start in enumerate(starts)}
    return counted


def left_out(connection: Connection, ask: Ask, population: Population) -> dict[str, int]:
    """How many rows of a population are left out in the period, by reason."""
    whole = replace(ask, query=replace(ask.query, comparison=None, group_by=None, grain=None))
    return count(connection, whole, (), (population,)).left_out


def _add(total: dict[str, int], cell: dict[str, int]) -> None:
    for key, value in cell.items():
        total[key] += value


@dataclass(frozen=True, slots=True)
class _Branch:
    slice: str
    part: str
    period: Period
    population: Population
    earlier: tuple[Population, ...] = ()
    """Populations of the same table that were told already: a row is left out once."""
    tells: bool = False


def _branches(ask: Ask, measures: Sequence[Measure], told: Sequence[Population]) -> Iterator[_Branch]:
    populations = list(dict.fromkeys([*told, *(measure.population for measure in measures)]))
    measured = {measure.population for measure in measures}
    grouped, grained = ask.query.group_by is not None, ask.query.grain is not None
    for population in populations:
        tells = population in told
        earlier = told_before(told, population) if tells else ()
        first = BY_KEY if grouped else BY_DAY if grained else WHOLE
        yield _Branch(NOW, first, ask.query.period, population, earlier, tells)
        if tells:
            yield _Branch(NOW, UNDATED, ask.query.period, population, earlier, tells)
        if grouped and grained and population in measured:
            yield _Branch(NOW, BY_DAY, ask.query.period, population)
        if ask.before is not None and population in measured:
            yield _Branch(BEFORE, BY_KEY if grouped else WHOLE, ask.before, population)


def told_before(told: Sequence[Population], population: Population) -> tuple[Population, ...]:
    """The populations of the same table that are told before this one."""
    return tuple(other for other in told[: list(told).index(population)] if other.table == population.table)


def not_told(rows: Rows, earlier: Sequence[Population], period: Period) -> list[Condition]:
    """Of no earlier population: a row is told once."""
    told = [
        condition
        for other in earlier
        for condition in (sa.and_(other.holds(rows), other.dated(rows, period)), other.without_day(rows))
    ]
    return [sa.not_(sa.func.coalesce(condition, sa.false())) for condition in told]


def _statement(ask: Ask, measures: Sequence[Measure], told: Sequence[Population]) -> Select[tuple[object, ...]]:
    selects = [_select(ask, branch, measures, told) for branch in _branches(ask, measures, told)]
    return with_names(ask, sa.union_all(*selects).subquery("u"))


def _select(
    ask: Ask, branch: _Branch, measures: Sequence[Measure], told: Sequence[Population]
) -> Select[tuple[object, ...]]:
    rows = ask.rows(branch.population.table)
    if branch.slice == BEFORE:
        rows.won_before = ask.won_before
    key: ColumnElement[str | None] = sa.cast(sa.null(), sa.Text)
    if branch.part == BY_KEY and ask.query.group_by is not None:
        key = rows.key(ask.query.group_by)
    axis = rows.c[branch.population.axis]
    day = axis if branch.part == BY_DAY else sa.cast(sa.null(), sa.Date)
    conditions = [*ask.narrowed(rows), *_within(rows, branch)]
    columns: list[ColumnElement[int]] = []
    for measure in measures:
        mine = measure.population == branch.population and branch.part != UNDATED
        columns.append((measure.added(rows) if mine else _ZERO).label(measure.key))
    columns.extend(_told(rows, branch, told))
    select = sa.select(
        sa.literal_column(f"'{branch.slice}'", sa.Text).label("slice"),
        sa.literal_column(f"'{branch.part}'", sa.Text).label("part"),
        key.label("key"),
        day.label("day"),
        *columns,
    )
    select = select.select_from(rows.source).where(*conditions)
    if branch.part == BY_KEY:
        return select.group_by(key)
    return select.group_by(day) if branch.part == BY_DAY else select


def _within(rows: Rows, branch: _Branch) -> list[Condition]:
    if branch.part == UNDATED:
        return [branch.population.without_day(rows)]
    return [branch.population.holds(rows), branch.population.dated(rows, branch.period)]


def _told(rows: Rows, branch: _Branch, told: Sequence[Population]) -> Iterator[ColumnElement[int]]:
    """One column per reason: how many rows of the branch are left out for it, and were not told already."""
    fresh = not_told(rows, branch.earlier, branch.period)
    for reason in _reasons(told):
        if not branch.tells:
            yield _ZERO.label(_column(reason))
            continue
        left: Condition
        if branch.part == UNDATED:
            left = sa.true() if reason == branch.population.undated else sa.false()
        else:
            left = sa.func.coalesce(branch.population.reason(rows), "") == str(reason)
        yield sa.func.coalesce(sa.func.sum(sa.case((sa.and_(left, *fresh), 1), else_=0)), 0).label(_column(reason))


def _reasons(told: Sequence[Population]) -> list[Reason]:
    found = [reason for population in told for reason, _ in population.left_out]
    return list(dict.fromkeys([*found, *(population.undated for population in told)]))


def _column(reason: Reason) -> str:
    return f"out_{reason}"
