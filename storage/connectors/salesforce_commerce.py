"""Salesforce's products, contracts, orders and campaigns, and what they are in Vigie's words.

A contract counts from its activation on, and still does when it has ended; a draft is none. An order that is activated
is a purchase. What a campaign has cost is marketing spend over its days. What does not count (any more) is `Gone`.
"""

from decimal import Decimal
from zoneinfo import ZoneInfo

from storage.connectors.reading import UnreadableError, currency_of, day, minor
from storage.connectors.salesforce_rows import Changing, moment
from storage.problems import Reason
from storage.records import Contract, Gone, Product, Purchase, Record, Spend

_ACTIVATED = "Activated"


class ProductRow(Changing):
    Name: str
    IsDeleted: bool


class ContractRow(Changing):
    AccountId: str | None
    StartDate: str | None
    EndDate: str | None
    ActivatedDate: str | None
    IsDeleted: bool


class OrderRow(Changing):
    AccountId: str | None
    EffectiveDate: str | None
    StatusCode: str | None
    TotalAmount: Decimal | None
    IsDeleted: bool
    CurrencyIsoCode: str | None = None
    """Only where the organisation has several currencies."""


class CampaignRow(Changing):
    Type: str | None
    StartDate: str | None
    EndDate: str | None
    ActualCost: Decimal | None
    CreatedDate: str
    IsDeleted: bool
    CurrencyIsoCode: str | None = None
    """Only where the organisation has several currencies."""


def product(row: ProductRow) -> Product:
    modified = moment(row.SystemModstamp, "SystemModstamp")
    return Product(ext_id=row.Id, modified=modified, deleted=row.IsDeleted, name=row.Name)


def contract(row: ContractRow) -> Record | Gone:
    modified = moment(row.SystemModstamp, "SystemModstamp")
    if row.IsDeleted or not row.ActivatedDate:
        return Gone(object="contract", ext_id=row.Id, at=modified)
    starts, ends = day(row.StartDate, "StartDate"), day(row.EndDate, "EndDate")
    if row.AccountId is None or starts is None:
        raise UnreadableError(Reason.VALUE_MISSING, "StartDate" if row.AccountId else "AccountId")
    if ends is not None and ends < starts:
        raise UnreadableError(Reason.ENDS_BEFORE_START, "EndDate", row.EndDate)
    return Contract(ext_id=row.Id, modified=modified, customer=row.AccountId, starts_on=starts, ends_on=ends)


def order(row: OrderRow, default_currency: str) -> Record | Gone:
    """An order that takes something back (below zero) is no purchase."""
    modified = moment(row.SystemModstamp, "SystemModstamp")
    if row.IsDeleted or row.StatusCode != _ACTIVATED or (row.TotalAmount or 0) < 0:
        return Gone(object="purchase", ext_id=row.Id, at=modified)
    bought = day(row.EffectiveDate, "EffectiveDate")
    if row.AccountId is None or bought is None:
        raise UnreadableError(Reason.VALUE_MISSING, "EffectiveDate" if row.AccountId else "AccountId")
    currency = currency_of(row.CurrencyIsoCode, default_currency, "CurrencyIsoCode")
    return Purchase(
        ext_id=row.Id,
        modified=modified,
        customer=row.AccountId,
        purchased=bought,
        amount_minor=minor(row.TotalAmount, currency, "TotalAmount"),
        currency=currency,
    )


def campaign(row: CampaignRow, default_currency: str, zone: ZoneInfo) -> Record | Gone:
    """Without a first day, that of its creation counts; without a last one, it has but one day."""
    modified = moment(row.SystemModstamp, "SystemModstamp")
    currency = currency_of(row.CurrencyIsoCode, default_currency, "CurrencyIsoCode")
    cost = minor(row.ActualCost, currency, "ActualCost")
    if row.IsDeleted or not cost:
        return Gone(object="spend", ext_id=row.Id, at=modified)
    if cost < 0:
        raise UnreadableError(Reason.AMOUNT_NEGATIVE, "ActualCost", row.ActualCost)
    created = moment(row.CreatedDate, "CreatedDate").astimezone(zone).date()
    ends = day(row.EndDate, "EndDate")
    starts = day(row.StartDate, "StartDate") or min(created, ends or created)
    if ends is not None and ends < starts:
        raise UnreadableError(Reason.ENDS_BEFORE_START, "EndDate", row.EndDate)
    return Spend(
        ext_id=row.Id,
        modified=modified,
        kind="marketing",
        starts_on=starts,
        ends_on=ends or starts,
        amount_minor=cost,
        origin=row.Type,
        currency=currency,
    )
