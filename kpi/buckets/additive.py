"""Additive measures counted on the buckets: the total, the period before, groups, series, and what is left out.

A cohort that is compared at the same age lacks what was won since: that is counted on the tallies, and taken away.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any

from kpi import measures as m
from kpi import period as periods
from kpi.ask import Ask, Counted
from kpi.buckets import cells, firsts
from kpi.buckets.cells import Form, Tail
from kpi.buckets.lookup import Found
from kpi.buckets.ranges import FIRST_YEAR, covering
from kpi.buckets.routes import Route, Why, filters_kept, route, values_of
from kpi.buckets.shapes import UNDATED
from kpi.buckets.tables import FAMILIES
from kpi.buckets.tally import column_of, left_out_of, undated_of
from kpi.measures import Measure
from kpi.narrowing import wholly_seen
from kpi.period import Grain, Period
from kpi.populations import Population
from kpi.reasons import Reason
from kpi.standing import objects_of
from storage.database import Part, Tongue

_NOW, _BEFORE = "0", "1"
_AGING = {m.CREATED_AND_WON: ("created_on", "closed_on"), m.LEADS_CONVERTED: ("day", "won_on")}
"""Measures that grow with the age of their cohort: the day of the cohort, and the day that adds to it."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Where the sums of a lookup stand: each by its place among the columns that are read."""

    names: tuple[str, ...]
    measures: tuple[tuple[str, int], ...]
    left_out: tuple[tuple[Reason, int], ...]
    """Dated rows of the populations that are told."""
    undated: tuple[tuple[Reason, int], ...]
    twice: tuple[int, ...]
    """What is left out of a population after the first: these rows may have been told already."""
    twice_undated: tuple[int, ...]


@lru_cache(maxsize=64)
def columns_of(counted: tuple[Measure, ...], told: tuple[Population, ...]) -> Columns:
    names: dict[str, int] = {}

    def place(name: str) -> int:
        return names.setdefault(name, len(names))

    measured = tuple((measure.key, place(column_of(measure))) for measure in counted)
    left_out = [(reason, place(name)) for each in told for reason, name in left_out_of(each).items()]
    undated = [(each.undated, place(undated_of(each))) for each in told]
    twice = tuple(place(name) for each in told[1:] for name in left_out_of(each).values())
    twice_undated = tuple(place(undated_of(each)) for each in told[1:])
    return Columns(tuple(names), measured, tuple(left_out), tuple(undated), twice, twice_undated)


def points_of(ask: Ask) -> tuple[Period, ...]:
    """The stretches that make up the series: months for quarters, whose year may be a fiscal one."""
    grain = ask.query.grain
    if grain is None:
        return ()
    return periods.buckets(ask.query.period, Grain.MONTH if grain is Grain.QUARTER else grain)


@dataclass(slots=True)
class Additive:
    """The lookup of additive measures of one table."""

    family: str
    columns: Columns
    way: Route
    tail: Tail | None
    ages: str
    """The measure that the tail takes from; empty where there is none."""
    ask: Ask
    points: tuple[Period, ...]
    lists: dict[str, Sequence[str]] = field(default_factory=dict)
    first: firsts.Firsts | None = None

    def __post_init__(self) -> None:
        query = self.ask.query
        now, before = self._codes(query.period), self._codes(self.ask.before)
        series = [code for point in self.points for code in self._codes(point)]
        if query.group_by is None and series:
            self.lists["each"] = tuple(dict.fromkeys((*series, *before, UNDATED)))
        else:
            self.lists["each"] = tuple(dict.fromkeys((*series, UNDATED)))
            self.lists["slice_0"] = now
            if self.ask.before is not None:
                self.lists["slice_1"] = before

    def _codes(self, period: Period | None) -> tuple[str, ...]:
        return () if period is None else covering(period.start, period.end, weeks=self.way.weeks)

    def parts(self, spoken: Tongue) -> Mapping[str, Part | Form]:
        group_by = self.ask.query.group_by
        form = Form(
            self.family, self.columns.names, self.way.legs, each=True, slices=len(self.lists) - 1, group_by=group_by
        )
        found: dict[str, Part | Form] = {"cells": form}
        if self.tail is not None:
            found["tail"] = cells.tail(spoken, self.tail)
        if self.way.elsewhere is not None:
            found["elsewhere"] = cells.anything(spoken, self.family, self.way.elsewhere)
        if self.first is not None:
            found |= self.first.parts(spoken)
        return found

    def values(self) -> Mapping[str, Mapping[str, Any]]:
        query = self.ask.query
        common = {"workspace": self.ask.workspace_id} | values_of(self.ask)
        found: dict[str, Mapping[str, Any]] = {"cells": common | self.lists}
        if self.tail is not None and self.ask.before is not None:
            before = self.ask.before
            found["tail"] = common | {
                "days": [before.start + timedelta(days=at) for at in range(before.days)],
                "objects": objects_of(query.metric),
                "today": query.today,
                "last_day": query.period.last_day,
                "end": before.end,
            }
        if self.way.elsewhere is not None:
            every = dict.fromkeys(code for codes in self.lists.values() for code in codes)
            found["elsewhere"] = common | {"each": list(every), "year": FIRST_YEAR}
        if self.first is not None:
            found |= self.first.values(self.ask.workspace_id)
        return found

    def counted(self, ask: Ask, found: Found) -> Counted | Why:
        if found.get("elsewhere"):
            return Why.ELSEWHERE
        rows = found["cells"]
        width = len(self.columns.names)
        nothing = (0,) * width
        each: dict[str, Sequence[int]] = {}
        groups: dict[str | None, Sequence[int]] = {}
        groups_before: dict[str | None, Sequence[int]] = {}
        names: dict[str, str] = {}
        read = 0
        for tag, key, name, count, *sums in rows:
            read += count
            into: dict[Any, Sequence[int]] = groups if tag == _NOW else groups_before if tag == _BEFORE else each
            at = key if tag in {_NOW, _BEFORE} else tag
            into[at] = _plus(into[at], sums) if at in into else sums
            if name is not None:
                names[key] = name
        undated = each.get(UNDATED, nothing)
        grouped = ask.query.group_by is not None
        if grouped or not self.points:
            now, before = _sum(groups.values(), width), _sum(groups_before.values(), width)
        else:
            series = [code for point in self.points for code in self._codes(point)]
            now = _sum((each[code] for code in series if code in each), width)
            before = _sum((each[code] for code in self._codes(ask.before) if code in each), width)
        left_out = self._left_out(now, undated)
        if left_out is None:
            return Why.BOTH_SIDES
        aged, groups_aged = self._cell(before), {key: self._cell(sums) for key, sums in groups_before.items()}
        # What the cohort before had not won at this age.
        for key, late in found.get("tail", ()):
            if not late:
                continue
            aged[self.ages] -= late
            if grouped:
                groups_aged[key][self.ages] -= late
        counted = Counted(
            now=self._cell(now),
            before=None if ask.before is None else aged,
            groups={key: self._cell(sums) for key, sums in groups.items()} if grouped else {},
            groups_before=groups_aged if grouped else {},
            names=names,
            series={start: self._cell(sums) for start, sums in self._series(ask, each, width)},
            left_out=left_out,
            cells=read,
        )
        if self.first is not None:
            counted.first_day, counted.tells_qualified = self.first.found(found)
        return counted

    def _cell(self, sums: Sequence[int]) -> dict[str, int]:
        return {key: sums[at] for key, at in self.columns.measures}

    def _series(self, ask: Ask, each: Mapping[str, Sequence[int]], width: int) -> Iterator[tuple[Any, Sequence[int]]]:
        at = 0
        for bucket in ask.buckets:
            found: Sequence[int] | None = None
            while at < len(self.points) and self.points[at].start < bucket.end:
                for code in self._codes(self.points[at]):
                    if code in each:
                        found = each[code] if found is None else _plus(found, each[code])
                at += 1
            yield bucket.start, (0,) * width if found is None else found

    def _left_out(self, now: Sequence[int], undated: Sequence[int]) -> dict[str, int] | None:
        """None where rows may have been told twice."""
        columns = self.columns
        if any(now[at] for at in columns.twice) or any(undated[at] for at in columns.twice_undated):
            return None
        found: dict[str, int] = {}
        for reason, at in columns.left_out:
            found[reason] = found.get(reason, 0) + now[at]
        for reason, at in columns.undated:
            found[reason] = found.get(reason, 0) + undated[at]
        return found


def _plus(one: Sequence[int], other: Sequence[int]) -> Sequence[int]:
    return [mine + yours for mine, yours in zip(one, other, strict=True)]


def _sum(all_sums: Any, width: int) -> Sequence[int]:
    summed = [sum(column) for column in zip(*all_sums, strict=True)]
    return summed or (0,) * width


def lookup(
    ask: Ask, counted: tuple[Measure, ...], told: tuple[Population, ...], *, first: bool = True
) -> Additive | Why:
    """How measures are looked up, or why they cannot be; `told` are the populations whose left-out rows are counted."""
    populations = [*told, *(measure.population for measure in counted)]
    family = populations[0].table
    query = ask.query
    way = route(FAMILIES[family], ask, query.group_by)
    if isinstance(way, Why):
        return way
    aging = next((measure for measure in counted if measure in _AGING), None) if ask.before is not None else None
    tail = None
    if aging is not None:
        axis, ended = _AGING[aging]
        seen = query.scope.everything or wholly_seen(query.scope, ask.narrowings)
        tail = Tail(
            family,
            axis,
            ended,
            column_of(aging),
            filters_kept(query.filters),
            people=not seen and bool(query.scope.people),
            teams=not seen and bool(query.scope.teams),
            group_by=query.group_by,
        )
    return Additive(
        family=family,
        columns=columns_of(counted, told),
        way=way,
        tail=tail,
        ages="" if aging is None else aging.key,
        ask=ask,
        points=points_of(ask),
        first=firsts.of(told) if first else None,
    )
