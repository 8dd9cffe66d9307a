"""Koban's products, contracts and invoices, and what they are in Vigie's words.

Koban publishes their structures (github.com/Koban-CRM/coding-templates, api/structures), and that its methods of
selection return them; that `GetUpdated` and `GetOne` are among these is assumed. An invoice that is no draft is a
purchase, at its amount without taxes; one below zero gives money back and is none. A contract has no status.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from storage.connectors.koban_values import Base, Value, when
from storage.connectors.reading import Row, UnreadableError, currency_of, minor, oddity, problem
from storage.problems import Reason
from storage.records import Contract, Gone, Mention, Problem, Product, Purchase, Record

Made = Sequence[Record | Gone | Mention | Problem]

_SENT = frozenset({"PENDING", "INPROBLEM", "INPAYMENT", "CLOSED"})


class ProductRow(Base):
    Label: str | None
    Reference: str | None = None


class Line(Row):
    """What a deal or an invoice is about: a product by itself, or a line that names one."""

    Guid: str | None = None
    Product: Value | None = None
    Ht: str | None = None


class ContractRow(Base):
    Label: str | None
    Third: Value | None
    From: str | None
    To: str | None


class InvoiceRow(Base):
    Status: str | None
    Third: Value | None
    InvoiceDate: str | None
    Amount: str | None
    CurrencyCode: str | None = None
    Lines: Sequence[Line] | None = None


def product(row: ProductRow) -> Made:
    """An obsolete one was sold all the same."""
    return [Product(ext_id=row.Guid, modified=row.modified, name=row.Label or row.Reference or row.Guid)]


def product_of(lines: Sequence[Line] | None) -> str | None:
    """That of the largest line; of several that are as large, the first."""
    told = [(line, line.Product.Guid if line.Product else line.Guid) for line in lines or ()]
    named = [(_size(line), guid) for line, guid in told if guid]
    return max(named, key=lambda each: each[0])[1] if named else None


def contract(row: ContractRow, zone: ZoneInfo) -> Made:
    if row.Obsolete:
        return [Gone(object="contract", ext_id=row.Guid, at=row.modified)]
    starts, ends = _day(row.From, zone, "From"), _day(row.To, zone, "To")
    customer = row.Third.Guid if row.Third else None
    if starts is None or customer is None:
        raise UnreadableError(Reason.VALUE_MISSING, "From" if customer else "Third")
    if ends is not None and ends < starts:
        raise UnreadableError(Reason.ENDS_BEFORE_START, "To", row.To)
    made = Contract(ext_id=row.Guid, modified=row.modified, customer=customer, starts_on=starts, ends_on=ends)
    return [*_customer(row.Third), made]


def invoice(row: InvoiceRow, default_currency: str, zone: ZoneInfo) -> Made:
    if row.Status not in _SENT and row.Status != "DRAFT":
        raise UnreadableError(Reason.STATUS_UNKNOWN, "Status", row.Status)
    currency = currency_of(row.CurrencyCode, default_currency, "CurrencyCode")
    amount = minor(row.Amount, currency, "Amount")
    if row.Obsolete or row.Status == "DRAFT" or (amount or 0) < 0:
        return [Gone(object="purchase", ext_id=row.Guid, at=row.modified)]
    bought, customer = _day(row.InvoiceDate, zone, "InvoiceDate"), row.Third.Guid if row.Third else None
    if bought is None or customer is None:
        raise UnreadableError(Reason.VALUE_MISSING, "InvoiceDate" if customer else "Third")
    made = Purchase(
        ext_id=row.Guid,
        modified=row.modified,
        customer=customer,
        purchased=bought,
        product=product_of(row.Lines),
        amount_minor=amount,
        currency=currency,
    )
    odd = oddity(row.Amount, currency)
    flags = [problem(row, "purchase", odd, "Amount", row.Amount, "Guid", kept=True)] if odd else []
    return [*_customer(row.Third), made, *flags]


def _customer(third: Value | None) -> list[Mention]:
    return [Mention(object="customer", ext_id=third.Guid, name=third.name)] if third and third.Guid else []


def _day(said: str | None, zone: ZoneInfo, field: str) -> date | None:
    told = when(said, field)
    return told.astimezone(zone).date() if isinstance(told, datetime) else told


def _size(line: Line) -> Decimal:
    """Without an amount that can be read, a line is as good as nothing; its product may be the only one."""
    try:
        size = Decimal(line.Ht or 0)
    except InvalidOperation:
        return Decimal(0)
    return size if size.is_finite() else Decimal(0)
