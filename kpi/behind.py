"""The rows behind a number: deals, leads or customers that were counted, and those left out with the reason."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, Connection, Select

from kpi import lifetime, stock
from kpi.ask import Ask
from kpi.customers import CustomerRows, Wanted, last_days, lives
from kpi.facts import not_told, told_before
from kpi.formulas import Acquisition, Formula, Lifetime, Mean, Median, Rate, Retention, Stock, Total
from kpi.narrowing import declared, prepare
from kpi.populations import SALES_OF_CUSTOMERS, Population
from kpi.query import KpiQuery
from kpi.rows import Rows
from storage.as_known import as_known
from storage.schema import customer, person


@dataclass(frozen=True, slots=True)
class Row:
    """One row behind a number. Names are foreign text; None where the source has none."""

    kind: str
    """`deal`, `lead` or `customer`."""
    id: str
    name: str
    owner: str | None
    customer: str | None
    amount_minor: int | None
    currency: str
    """Of the amount as the source tells it."""
    value_minor: int | None
    """The amount in the workspace's currency; None without one, and where no rate is known."""
    created_on: date | None
    """A lead's own day; the first purchase of a customer."""
    closed_on: date | None
    """The conversion of a lead; null for a customer."""
    status: str
    """A deal's own (`open`, `won`, `lost`, `dormant`); `converted` or `open` for a lead; `kept`, `lost`, `new`,
    `won_back` or `gone` (new and already lost) for a customer."""
    counted: bool
    reason: str | None
    """Why it was left out, a code of `kpi.reasons`; None when counted."""


@dataclass(frozen=True, slots=True)
class Behind:
    rows: tuple[Row, ...]
    total: int
    """How many there are in all, those left out included."""


def behind(
    connection: Connection, query: KpiQuery, *, limit: int = 20, offset: int = 0, only: Collection[str] | None = None
) -> Behind:
    """The rows behind the value of a question's period: counted ones first, the latest first; `only` those with one of
    these ids, where they are given.

    Raises what `kpi.engine.answer` raises.
    """
    with as_known(connection, query.scope.workspace_id, query.as_known):
        return _behind(connection, query, limit, offset, only)


def _behind(connection: Connection, query: KpiQuery, limit: int, offset: int, only: Collection[str] | None) -> Behind:
    found, reading = declared(query)
    ask = prepare(connection, query, found)
    union = sa.union_all(*_selects(ask, reading.formula)).subquery("u")
    meant = sa.true() if only is None else union.c.id.in_(sorted(only))
    statement = (
        sa.select(union, sa.func.count().over().label("total"))
        .where(meant)
        .order_by(
            union.c.reason.is_not(None),
            sa.func.coalesce(union.c.closed_on, union.c.created_on).desc().nulls_last(),
            union.c.id,
        )
        .limit(limit)
        .offset(offset)
    )
    rows = connection.execute(statement).mappings().all()
    fields = [name for name in Row.__dataclass_fields__ if name != "counted"]
    made = tuple(Row(**{name: row[name] for name in fields}, counted=row["reason"] is None) for row in rows)
    total = (
        rows[0]["total"]
        if rows
        else connection.execute(sa.select(sa.func.count()).select_from(union).where(meant)).scalar_one()
    )
    return Behind(made, total)


def _selects(ask: Ask, formula: Formula) -> Iterator[Select[tuple[Any, ...]]]:
    match formula:
        case Rate() | Mean() | Total():
            told = tuple(dict.fromkeys(measure.population for measure in formula.measures))
            yield from _of_populations(ask, told)
        case Median(population):
            yield from _of_populations(ask, (population,))
        case Stock():
            rows = ask.rows("deal")
            why = stock.reason(ask, rows, ask.query.period, formula)
            yield _select(ask, rows, "deal", why, stock.is_open_at(ask, rows, ask.query.period))
        case Retention() | Acquisition() | Lifetime():
            yield _customers(ask, formula)
            yield from _of_populations(ask, (SALES_OF_CUSTOMERS,), only_left_out=True)


def _of_populations(
    ask: Ask, told: Sequence[Population], *, only_left_out: bool = False
) -> Iterator[Select[tuple[Any, ...]]]:
    period = ask.query.period
    for population in told:
        rows = ask.rows(population.table)
        fresh = not_told(rows, told_before(told, population), period)
        why = sa.cast(population.reason(rows), sa.Text)
        held = [population.holds(rows), population.dated(rows, period), *fresh]
        if only_left_out:
            held.append(why.is_not(None))
        yield _select(ask, rows, population.table, why, *held)
        rows = ask.rows(population.table)
        fresh = not_told(rows, told_before(told, population), period)
        undated = sa.literal(str(population.undated), sa.Text)
        yield _select(ask, rows, population.table, undated, population.without_day(rows), *fresh)


def _select(
    ask: Ask, rows: Rows, kind: str, reason: ColumnElement[Any], *conditions: ColumnElement[bool]
) -> Select[tuple[Any, ...]]:
    owner = rows.owner()
    narrowed = ask.narrowed(rows)
    if kind == "lead":
        status: ColumnElement[Any] = sa.case((rows.c.is_converted, "converted"), else_="open")
        amount: ColumnElement[Any] = sa.cast(sa.null(), sa.BigInteger)
        value: ColumnElement[Any] = sa.cast(sa.null(), sa.BigInteger)
        currency: ColumnElement[Any] = sa.literal(ask.currency, sa.Text)
        days = rows.c.day, rows.c.won_on
    else:
        status, amount, currency = rows.c.status, rows.c.amount_minor, rows.c.currency
        value = rows.c.value_minor
        days = rows.c.created_on, rows.c.closed_on
    columns = (rows.c.id, rows.c.name, owner, rows.c.customer_id, amount, currency, value, *days, status, reason)
    return _named(ask, rows, kind, columns).where(*narrowed, *conditions)


def _named(ask: Ask, rows: Rows, kind: str, columns: Sequence[ColumnElement[Any]]) -> Select[tuple[Any, ...]]:
    """A select in the order of `Row`, with the names of owner and customer."""
    row_id, name, owner, buyer, amount, currency, value, created_on, closed_on, status, reason = columns
    owners, buyers = person.alias(), customer.alias()
    source = rows.source.outerjoin(
        owners, sa.and_(owners.c.workspace_id == ask.workspace_id, owners.c.id == owner)
    ).outerjoin(buyers, sa.and_(buyers.c.workspace_id == ask.workspace_id, buyers.c.id == buyer))
    return sa.select(
        sa.literal_column(f"'{kind}'", sa.Text).label("kind"),
        row_id.label("id"),
        sa.func.coalesce(name, buyers.c.name, row_id).label("name"),
        sa.func.coalesce(owners.c.name, owner).label("owner"),
        sa.func.coalesce(buyers.c.name, buyer).label("customer"),
        amount.label("amount_minor"),
        currency.label("currency"),
        value.label("value_minor"),
        created_on.label("created_on"),
        closed_on.label("closed_on"),
        status.label("status"),
        reason.label("reason"),
    ).select_from(source)


def _customers(ask: Ask, formula: Retention | Acquisition | Lifetime) -> Select[tuple[Any, ...]]:
    window = lifetime.year_to(ask.query.period) if isinstance(formula, Lifetime) else ask.query.period
    wanted = Wanted(last_days((window,)), (window,))
    rows = CustomerRows(ask.workspace_id, lives(ask, wanted))
    at_start = wanted.active(rows.table, window.start - timedelta(days=1))
    at_end = wanted.active(rows.table, window.last_day)
    new = sa.and_(rows.c.first_day >= window.start, rows.c.first_day < window.end)
    looked_at = new
    if not isinstance(formula, Acquisition):
        looked_at = sa.or_(at_start, at_end, new, rows.c.sales_0 > 0)
    status = sa.case(
        (sa.and_(at_start, at_end), "kept"),
        (at_start, "lost"),
        (sa.and_(new, at_end), "new"),
        (at_end, "won_back"),
        else_="gone",
    )
    amount = sa.cast(sa.case((rows.c.with_amount_0 > 0, rows.c.amount_0), else_=sa.null()), sa.BigInteger)
    nothing = sa.cast(sa.null(), sa.Text)
    narrowed = ask.narrowed(rows)
    columns = (
        rows.c.customer_id,
        nothing,
        rows.owner(),
        rows.c.customer_id,
        amount,
        sa.literal(ask.currency, sa.Text),
        amount,
        rows.c.first_day,
        sa.cast(sa.null(), sa.Date),
        status,
        nothing,
    )
    return _named(ask, rows, "customer", columns).where(*narrowed, looked_at)
