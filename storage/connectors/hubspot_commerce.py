"""HubSpot's products, line items, subscriptions, invoices and campaigns, and what they are in Vigie's words.

A subscription is a contract from its first billing day until it was cancelled or expired, which the history of its
status tells. An invoice that was sent (open or paid) is a purchase. What the spend items of a campaign add up to is
marketing spend over its days. What does not count (any more) is `Gone`.
"""

from collections.abc import Mapping, Sequence

from pydantic import Field

from storage.connectors.hubspot_records import Book, Told, linked, moves_of, nameless, since_when
from storage.connectors.hubspot_rows import Entry, Link, Properties
from storage.connectors.reading import Row, UnreadableError, currency_of, instant, local_day, minor, oddity, problem
from storage.problems import Reason
from storage.records import Contract, Gone, Product, Purchase, Record, Spend

_RUNNING = frozenset({"active", "past_due", "unpaid", "paused", "scheduled"})
_ENDED = frozenset({"canceled", "cancelled", "expired"})
_SENT, _UNSENT = frozenset({"open", "paid"}), frozenset({"draft", "voided"})


class ProductProperties(Properties):
    name: str | None
    hs_lastmodifieddate: str | None


class LineProperties(Properties):
    hs_product_id: str | None
    amount: str | None


class SubscriptionProperties(Properties):
    hs_status: str | None
    hs_lastmodifieddate: str | None
    hs_createdate: str | None
    hs_recurring_billing_start_date: str | None = None
    hs_recurring_billing_end_date: str | None = None


class InvoiceProperties(Properties):
    hs_invoice_status: str | None
    hs_invoice_date: str | None
    hs_amount_billed: str | None
    hs_lastmodifieddate: str | None
    hs_currency: str | None = None


class CampaignProperties(Properties):
    hs_start_date: str | None = None
    hs_end_date: str | None = None
    hs_spend_items_sum_amount: str | None = None
    hs_currency_code: str | None = None


class ProductRow(Row):
    id: str
    properties: ProductProperties


class LineRow(Row):
    id: str
    properties: LineProperties


class SubscriptionRow(Row):
    id: str
    properties: SubscriptionProperties
    history: Mapping[str, Sequence[Entry]] = Field(default={}, alias="propertiesWithHistory")
    links: Mapping[str, Sequence[Link]] = {}


class InvoiceRow(Row):
    id: str
    properties: InvoiceProperties
    links: Mapping[str, Sequence[Link]] = {}


class CampaignRow(Row):
    id: str
    created: str = Field(alias="createdAt")
    properties: CampaignProperties


def product(row: ProductRow, _book: Book) -> Told:
    told = row.properties
    modified = instant(told.hs_lastmodifieddate, "hs_lastmodifieddate")
    record = Product(ext_id=row.id, modified=modified, name=told.name or row.id)
    return Told(record=record, kept=nameless(row, "product", "name", told.name))


def line(row: LineRow, currency: str) -> tuple[str, str, int] | None:
    """Its id, its product and its amount; None where it sells nothing of the product library."""
    told = row.properties
    return (row.id, told.hs_product_id, minor(told.amount, currency) or 0) if told.hs_product_id else None


def subscription(row: SubscriptionRow, book: Book) -> Told:
    told = row.properties
    modified = instant(told.hs_lastmodifieddate, "hs_lastmodifieddate")
    if told.hs_status not in _RUNNING | _ENDED:
        raise UnreadableError(Reason.STATUS_UNKNOWN, "hs_status", told.hs_status)
    starts = local_day(told.hs_recurring_billing_start_date, book.zone, "hs_recurring_billing_start_date")
    starts = starts or local_day(told.hs_createdate, book.zone, "hs_createdate")
    ends = local_day(told.hs_recurring_billing_end_date, book.zone, "hs_recurring_billing_end_date")
    if told.hs_status in _ENDED:
        moves = moves_of(row.history.get("hs_status", ()), "hs_status")
        over = since_when(moves, lambda status: status in _ENDED) or modified
        ends = over.astimezone(book.zone).date() if over else ends
    customer = linked(row.links.get("companies", ()))
    if starts is None or customer is None:
        raise UnreadableError(Reason.VALUE_MISSING, "hs_createdate" if starts is None else "companies")
    if ends is not None and ends < starts:
        # Called off before it began.
        return Told(record=None, gone=[Gone(object="contract", ext_id=row.id, at=modified)])
    return Told(record=Contract(ext_id=row.id, modified=modified, customer=customer, starts_on=starts, ends_on=ends))


def invoice(row: InvoiceRow, book: Book) -> Told:
    told = row.properties
    modified = instant(told.hs_lastmodifieddate, "hs_lastmodifieddate")
    if told.hs_invoice_status in _UNSENT:
        return Told(record=None, gone=[Gone(object="purchase", ext_id=row.id, at=modified)])
    if told.hs_invoice_status not in _SENT:
        raise UnreadableError(Reason.STATUS_UNKNOWN, "hs_invoice_status", told.hs_invoice_status)
    bought = local_day(told.hs_invoice_date, book.zone, "hs_invoice_date")
    customer = linked(row.links.get("companies", ()))
    if bought is None or customer is None:
        raise UnreadableError(Reason.VALUE_MISSING, "hs_invoice_date" if bought is None else "companies")
    currency = currency_of(told.hs_currency, book.currency, "hs_currency")
    odd = oddity(told.hs_amount_billed, currency)
    amount = minor(told.hs_amount_billed, currency, "hs_amount_billed")
    record = Purchase(
        ext_id=row.id, modified=modified, customer=customer, purchased=bought, amount_minor=amount, currency=currency
    )
    kept = [problem(row, "purchase", odd, "hs_amount_billed", told.hs_amount_billed, kept=True)] if odd else []
    return Told(record=record, kept=kept)


def campaign(row: CampaignRow, book: Book) -> Record | Gone:
    """Without a first day, that of its creation counts; without a last one, it has but one day."""
    told = row.properties
    currency = currency_of(told.hs_currency_code, book.currency, "hs_currency_code")
    spent = minor(told.hs_spend_items_sum_amount, currency, "hs_spend_items_sum_amount")
    if not spent:
        return Gone(object="spend", ext_id=row.id)
    if spent < 0:
        raise UnreadableError(Reason.AMOUNT_NEGATIVE, "hs_spend_items_sum_amount", told.hs_spend_items_sum_amount)
    created = local_day(row.created, book.zone, "createdAt")
    ends = local_day(told.hs_end_date, book.zone, "hs_end_date")
    first = min((day for day in (created, ends) if day is not None), default=None)
    starts = local_day(told.hs_start_date, book.zone, "hs_start_date") or first
    if starts is None:
        raise UnreadableError(Reason.VALUE_MISSING, "createdAt")
    if ends is not None and ends < starts:
        raise UnreadableError(Reason.ENDS_BEFORE_START, "hs_end_date", told.hs_end_date)
    return Spend(
        ext_id=row.id,
        kind="marketing",
        starts_on=starts,
        ends_on=ends or starts,
        amount_minor=spent,
        currency=currency,
    )
