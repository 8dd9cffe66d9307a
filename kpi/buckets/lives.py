"""Customers looked up: who stayed over 12 months, a lifetime's worth, who is new (see `kpi.buckets.customers`)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from kpi.ask import Ask, Counted
from kpi.buckets import additive, firsts
from kpi.buckets.additive import Additive, points_of
from kpi.buckets.cells import Form
from kpi.buckets.levels import Levels, Line, added_up
from kpi.buckets.lookup import Found
from kpi.buckets.routes import Why, route
from kpi.buckets.tables import CUSTOMER
from kpi.period import Grain, Period, add_months, rolling
from kpi.populations import SALES_OF_CUSTOMERS
from storage.database import Part, Tongue

Cell = dict[str, int]
CellOf = Callable[[Line, Period], Cell]
"""The cell of a window, from what stands before its two ends."""

_RETENTION = ("active", "active_by_contract", "kept", "kept_by_contract", "won_back", "new")
_LIFETIME = ("amount", "with_amount", "sales", "unconverted", "buyers", "active", "kept", "first_day_sum")
_NEW = ("new",)


@dataclass(slots=True)
class Lives:
    """`left_out` are the deals of the same window that no customer has."""

    levels: Levels
    cell_of: CellOf
    names: tuple[str, ...]
    left_out: Additive

    def parts(self, spoken: Tongue) -> Mapping[str, Part | Form]:
        deals = {f"deals_{name}": part for name, part in self.left_out.parts(spoken).items()}
        return {**self.levels.parts(spoken), **deals, **firsts.CUSTOMERS.parts(spoken)}

    def values(self) -> Mapping[str, Mapping[str, Any]]:
        deals = {f"deals_{name}": values for name, values in self.left_out.values().items()}
        return {**self.levels.values(), **deals, **firsts.CUSTOMERS.values(self.levels.ask.workspace_id)}

    def counted(self, ask: Ask, found: Found) -> Counted | Why:
        if found.get("elsewhere"):
            return Why.ELSEWHERE
        deals = {name.removeprefix("deals_"): rows for name, rows in found.items() if name.startswith("deals_")}
        left_out = self.left_out.counted(self.left_out.ask, deals)
        if isinstance(left_out, Why):
            return left_out
        read, before, grouped = self.levels.read(found), ask.before, ask.query.group_by is not None
        groups = {key: self.cell_of(line, ask.query.period) for key, line in read.groups.items()}
        groups_before = {} if before is None else {key: self.cell_of(line, before) for key, line in read.groups.items()}
        first_day, _ = firsts.CUSTOMERS.found(found)
        return Counted(
            now=added_up(groups.values(), self.names),
            before=None if before is None else added_up(groups_before.values(), self.names),
            groups=groups if grouped else {},
            groups_before=groups_before if grouped else {},
            names=read.names,
            series={bucket.start: self.cell_of(read.whole, bucket) for bucket in ask.buckets},
            left_out=left_out.left_out,
            first_day=first_day,
            cells=read.cells + (left_out.cells or 0),
        )


def retention(ask: Ask) -> Lives | Why:
    """Of 12 months; any other window is asked of the facts."""
    windows = [ask.query.period, *([] if ask.before is None else [ask.before]), *points_of(ask)]
    if any(window.start != add_months(window.end, -12) for window in windows):
        return Why.WINDOW
    return _lookup(ask, _RETENTION, _kept, lambda window: window)


def lifetime(ask: Ask) -> Lives | Why:
    return _lookup(ask, _LIFETIME, _worth, year_to)


def new_customers(ask: Ask) -> Lives | Why:
    return _lookup(ask, _NEW, _new, lambda window: window)


def year_to(window: Period) -> Period:
    """The 12 months that end with the window."""
    return rolling(Grain.YEAR, 1, window.end)


def _lookup(ask: Ask, columns: tuple[str, ...], cell_of: CellOf, looked_at: Callable[[Period], Period]) -> Lives | Why:
    query = ask.query
    way = route(CUSTOMER, ask, query.group_by)
    if isinstance(way, Why):
        return way
    alone = replace(query, period=looked_at(query.period), comparison=None, group_by=None, grain=None)
    left_out = additive.lookup(replace(ask, query=alone), (), (SALES_OF_CUSTOMERS,), first=False)
    if isinstance(left_out, Why):
        return left_out
    windows = [looked_at(each) for each in (query.period, *([] if ask.before is None else [ask.before]))]
    totals, points = _ends(windows), _ends(looked_at(point) for point in points_of(ask))
    levels = Levels("customer", columns, way, ask, points, totals)
    nothing = Line(dict.fromkeys((*totals, *points), (0,) * len(columns)), ())
    return Lives(levels, cell_of, tuple(cell_of(nothing, query.period)), left_out)


def _ends(windows: Iterable[Period]) -> tuple[date, ...]:
    return tuple(sorted({day for window in windows for day in (window.start, window.end)}))


def _kept(line: Line, window: Period) -> Cell:
    active, by_contract, kept, kept_by_contract, won_back, new = line.before[window.end]
    at_start, by_contract_at_start, _, _, _, new_before = line.before[window.start]
    judged_by_contract = by_contract_at_start + by_contract - kept_by_contract
    return {
        "at_start": at_start,
        "at_end": active,
        "kept": kept,
        "new": new - new_before,
        "won_back": won_back,
        "by_contract": judged_by_contract,
        "by_purchase": at_start + active - kept - judged_by_contract,
    }


def _worth(line: Line, window: Period) -> Cell:
    year = year_to(window)
    end, start = line.before[year.end], line.before[year.start]
    amount, with_amount, sales, unconverted = (now - then for now, then in zip(end[:4], start[:4], strict=True))
    buyers, active, kept, first_day_sum = end[4:]
    return {
        "amount": amount,
        "with_amount": with_amount,
        "sales": sales,
        "unconverted": unconverted,
        "buyers": buyers,
        "at_start": start[5],
        "kept": kept,
        "at_end": active,
        "tenure_days": window.end.toordinal() * active - first_day_sum,
    }


def _new(line: Line, window: Period) -> Cell:
    return {"new": line.before[window.end][0] - line.before[window.start][0]}
