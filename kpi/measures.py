"""Additive measures: a count or a sum over the counted rows of one population."""

from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from kpi import populations
from kpi.populations import Population, Test
from kpi.rows import Condition, Rows
from storage.schema import deal


# Each is declared once: it is looked up by itself, not by all that it consists of.
@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """`amount` summed (None: 1 each) over the counted rows of a population that pass `test`.

    `key` is unique among all measures.
    """

    key: str
    population: Population
    test: Test | None = None
    amount: Callable[[Rows], ColumnElement[int]] | None = None

    def each(self, rows: Rows) -> ColumnElement[int]:
        """What one row adds: 0 for a row that is not counted."""
        amount: ColumnElement[int] = sa.literal_column("1") if self.amount is None else self.amount(rows)
        counted = self.population.counted(rows)
        condition = counted if self.test is None else sa.and_(counted, self.test(rows))
        return sa.case((condition, amount), else_=sa.literal_column("0"))

    def added(self, rows: Rows) -> ColumnElement[int]:
        """What all rows add up to."""
        return sa.func.coalesce(sa.func.sum(self.each(rows)), 0)


def won_by_now(rows: Rows) -> Condition:
    """Won as of the age at which the cohort is seen."""
    if rows.won_before is None:
        return populations.is_won(rows)
    known = sa.or_(rows.c.closed_on.is_(None), rows.c.closed_on < rows.won_before)
    return sa.and_(populations.is_won(rows), known)


def converted_by_now(rows: Rows) -> Condition:
    """Converted as of the age at which the cohort is seen."""
    if rows.won_before is None:
        return rows.c.is_converted
    return sa.and_(rows.c.is_converted, sa.or_(rows.c.won_on.is_(None), rows.c.won_on < rows.won_before))


def is_open(rows: Rows) -> Condition:
    return rows.c.status == "open"


def not_converted(rows: Rows) -> Condition:
    return sa.not_(rows.c.is_converted)


def by_flag(rows: Rows) -> Condition:
    return rows.c.by_flag


def first_seen(rows: Rows) -> Condition:
    """Created, for all that is known, on the day on which Vigie first saw it."""
    return rows.c.created_seen


def amount(rows: Rows) -> ColumnElement[int]:
    """Minor units of the workspace's currency."""
    return rows.c.value_minor


def additional(rows: Rows) -> Condition:
    """Sold to someone who had bought before: the source's word, else a win on a day after the customer's first."""
    bought_before = sa.exists().where(_earlier_win(rows))
    return sa.or_(
        sa.and_(rows.c.kind.is_not(None), rows.c.kind != "new"), sa.and_(rows.c.kind.is_(None), bought_before)
    )


def of_kind(kind: str) -> Test:
    """Additional sales that are `upsell` (a product owned already), `cross_sell` (another), `additional` (unknown)."""

    def test(rows: Rows) -> Condition:
        owned = sa.exists().where(_earlier_win(rows), _earlier.c.product_id == rows.c.product_id)
        found = sa.case(
            (rows.c.kind.is_not(None), rows.c.kind),
            (rows.c.product_id.is_(None), "additional"),
            (owned, "upsell"),
            else_="cross_sell",
        )
        return sa.and_(additional(rows), found == kind)

    return test


_earlier = deal.alias("earlier")


def _earlier_win(rows: Rows) -> Condition:
    return sa.and_(
        _earlier.c.workspace_id == rows.workspace_id,
        _earlier.c.customer_id == rows.c.customer_id,
        _earlier.c.status == "won",
        _earlier.c.deleted_at.is_(None),
        _earlier.c.closed_on < rows.c.closed_on,
    )


DEALS_CREATED = Measure("deals_created", populations.CREATED)
CREATED_AND_WON = Measure("created_and_won", populations.CREATED, won_by_now)
CREATED_STILL_OPEN = Measure("created_still_open", populations.CREATED, is_open)
DEALS_WON = Measure("deals_won", populations.WON)
DEALS_DECIDED = Measure("deals_decided", populations.DECIDED)
DECIDED_WON = Measure("decided_won", populations.DECIDED, populations.is_won)
WON_DAYS = Measure("won_days", populations.WON_CYCLES, amount=populations.cycle_days)
WON_WITH_CYCLE = Measure("won_with_cycle", populations.WON_CYCLES)
ALL_DAYS = Measure("all_days", populations.ALL_CYCLES, amount=populations.cycle_days)
ALL_WITH_CYCLE = Measure("all_with_cycle", populations.ALL_CYCLES)
WON_AMOUNT = Measure("won_amount", populations.WON_AMOUNTS, amount=amount)
WON_WITH_AMOUNT = Measure("won_with_amount", populations.WON_AMOUNTS)
SALES = Measure("sales", populations.SALES)
SALES_ADDITIONAL = Measure("sales_additional", populations.SALES, additional)
SALES_UPSELL = Measure("sales_upsell", populations.SALES, of_kind("upsell"))
SALES_CROSS_SELL = Measure("sales_cross_sell", populations.SALES, of_kind("cross_sell"))
SALES_OF_UNKNOWN_KIND = Measure("sales_of_unknown_kind", populations.SALES, of_kind("additional"))
SALES_UNCONVERTED = Measure("sales_unconverted", populations.SALES, populations.is_unconverted)
SALES_AMOUNT = Measure("sales_amount", populations.SALES_AMOUNTS, amount=amount)
SALES_WITH_AMOUNT = Measure("sales_with_amount", populations.SALES_AMOUNTS)
ADDITIONAL_AMOUNT = Measure("additional_amount", populations.SALES_AMOUNTS, additional, amount)
LEADS = Measure("leads", populations.LEADS)
LEADS_CONVERTED = Measure("leads_converted", populations.LEADS, converted_by_now)
LEADS_NOT_CONVERTED = Measure("leads_not_converted", populations.LEADS, not_converted)
LEADS_BY_FLAG = Measure("leads_by_flag", populations.LEADS, by_flag)
CONVERSIONS = Measure("conversions", populations.CONVERTED)
CONVERSIONS_BY_FLAG = Measure("conversions_by_flag", populations.CONVERTED, by_flag)

BY_FIRST_SEEN = {
    population: Measure(f"{population.key}_first_seen", population, first_seen)
    for population in (populations.CREATED, populations.WON_CYCLES, populations.ALL_CYCLES)
}
"""For each population that looks at the creation day: those of it that have none but the day they were first seen."""
