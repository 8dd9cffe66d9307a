"""Populations: which rows belong to a question, on which date axis, and which of them are left out and why."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from sqlalchemy import ColumnElement

from kpi.period import Period
from kpi.reasons import Reason
from kpi.rows import Condition, Rows
from storage.database import days_between

Test = Callable[[Rows], Condition]


# Each is declared once: it is looked up by itself, not by all that it consists of.
@dataclass(frozen=True, slots=True, eq=False)
class Population:
    """The rows of `table` whose day on `axis` is in the period and that `holds`.

    `left_out`: those not counted, by the first reason that applies. `undated`: the reason of rows that are `due` a day
    on the axis (by default those that `holds`) and have none.
    """

    key: str
    table: Literal["deal", "lead"]
    axis: str
    holds: Test
    left_out: tuple[tuple[Reason, Test], ...]
    undated: Reason
    due: Test | None = None

    def reason(self, rows: Rows) -> ColumnElement[str | None]:
        """The reason for which a dated row is left out, or null."""
        whens = [(test(rows), sa.literal(str(reason))) for reason, test in self.left_out]
        return sa.case(*whens, else_=sa.null())

    def counted(self, rows: Rows) -> Condition:
        """Whether a dated row is in the number."""
        aside = [test(rows) for _, test in self.left_out]
        return sa.and_(self.holds(rows), *(sa.not_(condition) for condition in aside))

    def dated(self, rows: Rows, period: Period) -> Condition:
        """Whether the row's day on the axis is in the period."""
        axis = rows.c[self.axis]
        return sa.and_(axis >= period.start, axis < period.end)

    def without_day(self, rows: Rows) -> Condition:
        """Rows that should have a day on the axis and have none."""
        due = (self.due or self.holds)(rows)
        return sa.and_(due, rows.c[self.axis].is_(None), sa.not_(is_deleted(rows)))


def is_any(rows: Rows) -> Condition:
    return rows.mine()


def is_deleted(rows: Rows) -> Condition:
    return rows.c.deleted_at.is_not(None)


def is_won(rows: Rows) -> Condition:
    return rows.c.status == "won"


def is_decided(rows: Rows) -> Condition:
    return rows.c.status.in_(("won", "lost"))


def is_closed(rows: Rows) -> Condition:
    return rows.c.status.in_(("won", "lost", "dormant"))


def is_dormant(rows: Rows) -> Condition:
    return rows.c.status == "dormant"


def is_converted(rows: Rows) -> Condition:
    return rows.c.is_converted


def cycle_days(rows: Rows) -> ColumnElement[int]:
    """Local calendar days from creation to closing; the same day is 0."""
    return days_between(rows.c.created_on, rows.c.closed_on)


def _no_creation_date(rows: Rows) -> Condition:
    return rows.c.created_on.is_(None)


def _closed_before_created(rows: Rows) -> Condition:
    return rows.c.closed_on < rows.c.created_on


def _no_amount(rows: Rows) -> Condition:
    return rows.c.amount_minor.is_(None)


def is_unconverted(rows: Rows) -> Condition:
    """An amount without a value in the workspace's currency: no rate is known for its day."""
    return sa.and_(rows.c.amount_minor.is_not(None), rows.c.value_minor.is_(None))


def _no_customer(rows: Rows) -> Condition:
    """Without a customer, only the source's own word tells a first sale from an additional one."""
    return sa.and_(rows.c.customer_id.is_(None), rows.c.kind.is_(None))


def _anonymous(rows: Rows) -> Condition:
    return rows.c.customer_id.is_(None)


def _not_qualified(rows: Rows) -> Condition:
    return sa.not_(rows.c.qualifies)


def _not_inbound(rows: Rows) -> Condition:
    return sa.not_(rows.c.comes_in)


_DELETED = (Reason.DELETED, is_deleted)
_AMOUNT = ((Reason.NO_AMOUNT, _no_amount), (Reason.UNCONVERTED, is_unconverted))
_CYCLE = ((Reason.NO_CREATION_DATE, _no_creation_date), (Reason.CLOSED_BEFORE_CREATED, _closed_before_created))
_SALE = (Reason.NO_CUSTOMER, _no_customer)
_LEAD = ((Reason.NOT_QUALIFIED, _not_qualified), (Reason.NOT_INBOUND, _not_inbound))

CREATED = Population("created", "deal", "created_on", is_any, (_DELETED,), Reason.NO_CREATION_DATE)
WON = Population("won", "deal", "closed_on", is_won, (_DELETED,), Reason.NO_CLOSING_DATE)
DECIDED = Population(
    "decided",
    "deal",
    "closed_on",
    is_closed,
    (_DELETED, (Reason.DORMANT, is_dormant)),
    Reason.NO_CLOSING_DATE,
    due=is_decided,
)
WON_AMOUNTS = Population("won_amounts", "deal", "closed_on", is_won, (_DELETED, *_AMOUNT), Reason.NO_CLOSING_DATE)
WON_CYCLES = Population("won_cycles", "deal", "closed_on", is_won, (_DELETED, *_CYCLE), Reason.NO_CLOSING_DATE)
ALL_CYCLES = Population("all_cycles", "deal", "closed_on", is_decided, (_DELETED, *_CYCLE), Reason.NO_CLOSING_DATE)
SALES = Population("sales", "deal", "closed_on", is_won, (_DELETED, _SALE), Reason.NO_CLOSING_DATE)
SALES_AMOUNTS = Population(
    "sales_amounts", "deal", "closed_on", is_won, (_DELETED, _SALE, *_AMOUNT), Reason.NO_CLOSING_DATE
)
SALES_OF_CUSTOMERS = Population(
    "sales_of_customers",
    "deal",
    "closed_on",
    is_won,
    (_DELETED, (Reason.NO_CUSTOMER, _anonymous)),
    Reason.NO_CLOSING_DATE,
)
LEADS = Population("leads", "lead", "day", is_any, (_DELETED, *_LEAD), Reason.NO_DATE)
CONVERTED = Population("converted", "lead", "won_on", is_converted, (_DELETED, *_LEAD), Reason.NO_CLOSING_DATE)
