"""Customers as the database sees them: when each first bought, on which days each was active, whose each is.

A customer is active on a day that one of their spells covers: a contract, both its days included; or, only for a
customer with no contract at all, the days from a sale on. A sale is a purchase row, or a won deal of a customer without
any purchase row. A customer belongs to the owner, team, segment and source of their first won deal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, FromClause, Select, Subquery

from kpi.ask import Ask
from kpi.period import Period
from kpi.rows import Condition, DealRows, Given, Key, Rows, Which
from storage.database import day_plus, not_sought_by
from storage.schema import contract, deal, purchase

ACTIVE_DAYS = 365
"""How long a sale keeps a customer without contracts active, its own day included."""
_FOREVER = date(9999, 12, 31)


def everyone(customer_id: ColumnElement[Any]) -> Condition:
    return customer_id.is_not(None)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `lives` computes: activity at the end of these days, and sales within these windows."""

    days: tuple[date, ...] = ()
    windows: tuple[Period, ...] = ()

    def active(self, lives: FromClause, day: date) -> Condition:
        return lives.c[f"active_{self.days.index(day)}"] == 1


def last_days(windows: Sequence[Period]) -> tuple[date, ...]:
    """The days at whose end activity is looked at: the one before each window, and the last of each."""
    found = {window.start - timedelta(days=1): None for window in windows}
    return tuple(found | {window.last_day: None for window in windows})


def lives(ask: Ask, wanted: Wanted) -> Subquery:
    """One row per customer who ever bought: `customer_id`, `first_day`, `by_contract` (0 or 1), `active_<n>` (0 or 1)
    for each wanted day, and for each wanted window `sales_<n>`, `with_amount_<n>`, `amount_<n>` (minor units of the
    workspace's currency) and `unconverted_<n>` (sales with an amount that no rate is known for)."""
    spells = spells_of(ask.workspace_id).subquery("spells")
    has_contract = sa.func.max(spells.c.by_contract)
    columns: list[ColumnElement[Any]] = []
    for at, day in enumerate(wanted.days):
        covers = sa.and_(spells.c.starts_on <= day, spells.c.ends_on >= day)
        by_contract = sa.func.max(sa.case((sa.and_(covers, spells.c.by_contract == 1), 1), else_=0))
        by_sale = sa.func.max(sa.case((covers, 1), else_=0))
        columns.append(sa.case((has_contract == 1, by_contract), else_=by_sale).label(f"active_{at}"))
    for at, window in enumerate(wanted.windows):
        sold = sa.and_(spells.c.by_contract == 0, spells.c.starts_on >= window.start, spells.c.starts_on < window.end)
        valued = sa.and_(sold, spells.c.value_minor.is_not(None))
        unconverted = sa.and_(sold, spells.c.amount_minor.is_not(None), spells.c.value_minor.is_(None))
        columns.append(sa.func.sum(sa.case((sold, 1), else_=0)).label(f"sales_{at}"))
        columns.append(sa.func.sum(sa.case((valued, 1), else_=0)).label(f"with_amount_{at}"))
        columns.append(sa.func.sum(sa.case((valued, spells.c.value_minor), else_=0)).label(f"amount_{at}"))
        columns.append(sa.func.sum(sa.case((unconverted, 1), else_=0)).label(f"unconverted_{at}"))
    return (
        sa.select(
            sa.literal(ask.workspace_id, sa.Text).label("workspace_id"),
            spells.c.customer_id,
            sa.func.min(spells.c.starts_on).label("first_day"),
            has_contract.label("by_contract"),
            *columns,
        )
        .group_by(spells.c.customer_id)
        .subquery("lives")
    )


def spells_of(workspace_id: str, which: Which = everyone) -> sa.CompoundSelect[tuple[Any, ...]]:
    """One row per contract, and per sale of these customers: `customer_id`, `starts_on`, `ends_on` (the last day),
    `by_contract` (0 or 1), `amount_minor`, `value_minor`."""
    buys = purchase.alias()
    has_purchases = sa.exists().where(
        buys.c.workspace_id == workspace_id, buys.c.customer_id == deal.c.customer_id, buys.c.deleted_at.is_(None)
    )
    contract_end = sa.func.coalesce(contract.c.ends_on, _FOREVER)
    spells = (
        _spell(contract, workspace_id, contract.c.starts_on, contract_end, by_contract=1),
        _spell(purchase, workspace_id, purchase.c.purchased_on, _kept(purchase.c.purchased_on), by_contract=0),
        _spell(deal, workspace_id, deal.c.closed_on, _kept(deal.c.closed_on), by_contract=0).where(
            *_won(workspace_id, deal), ~has_purchases
        ),
    )
    return sa.union_all(*(spell.where(which(spell.selected_columns.customer_id)) for spell in spells))


def _kept(day: ColumnElement[Any]) -> ColumnElement[Any]:
    return day_plus(day, ACTIVE_DAYS - 1)


def _spell(
    table: sa.Table,
    workspace_id: str,
    starts_on: ColumnElement[Any],
    ends_on: ColumnElement[Any],
    *,
    by_contract: int,
) -> Select[tuple[Any, ...]]:
    return sa.select(
        table.c.customer_id,
        starts_on.label("starts_on"),
        ends_on.label("ends_on"),
        sa.literal_column(str(by_contract), sa.Integer).label("by_contract"),
        table.c.amount_minor,
        table.c.value_minor,
    ).where(table.c.workspace_id == workspace_id, table.c.deleted_at.is_(None))


class CustomerRows(Rows):
    """Customers (`lives`), with the keys of their first won deal; a segment or source it lacks is the customer's.

    `which`: those that are in the table, where it holds few of them."""

    def __init__(self, workspace_id: str, table: Subquery, which: Which = everyone) -> None:
        super().__init__(table, workspace_id, table.c.first_day)
        self._which = which

    def owner(self) -> Key:
        return self._first_deal().c.rep

    def key(self, dimension: str) -> Key:
        match dimension:
            case "segment":
                return sa.func.coalesce(self._first_deal().c.segment, self._customer().c.segment)
            case "source":
                return sa.func.coalesce(self._first_deal().c.source, self._customer().c.origin)
            case _:
                return self._first_deal().c[dimension]

    def _team(self) -> Key:
        return self._first_deal().c.team

    def _first_deal(self) -> FromClause:
        if "first_deal" not in self._joined:
            first = _first_deals(self.workspace_id, self._which)
            self._join("first_deal", first, first.c.customer_id == self.c.customer_id)
        return self._joined["first_deal"]


def _first_deals(workspace_id: Given, which: Which) -> Subquery:
    mine, before = deal.alias("first_won"), deal.alias()
    earlier = sa.or_(
        before.c.closed_on < mine.c.closed_on, sa.and_(before.c.closed_on == mine.c.closed_on, before.c.id < mine.c.id)
    )
    # No window function: SQLite would read all of its rows again for every customer.
    is_first = ~sa.exists().where(*_won(workspace_id, before), before.c.customer_id == mine.c.customer_id, earlier)
    # They are closed: nothing of them is of today.
    rows = DealRows(workspace_id, date.max, mine)
    keys = [rows.key(dimension).label(dimension) for dimension in ("rep", "team", "segment", "source")]
    first = sa.select(rows.c.customer_id, *keys).select_from(rows.source)
    mine_only = which(mine.c.customer_id)
    return first.where(*_won(workspace_id, mine), is_first, mine_only).subquery("first_deal")


def _won(workspace_id: Given, table: FromClause) -> tuple[ColumnElement[bool], ...]:
    """Won deals on known days."""
    return (
        table.c.workspace_id == workspace_id,
        table.c.status == "won",
        table.c.deleted_at.is_(None),
        not_sought_by(table.c.closed_on).is_not(None),
    )
