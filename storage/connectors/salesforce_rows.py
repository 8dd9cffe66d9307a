"""Salesforce's rows, and what they are in Vigie's words.

The models name every field that is asked for. SOQL tells each of them in every row, null where it is empty, and refuses
a query that names one that is no more.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal

from storage.connectors.files.statuses import KINDS, kind_of
from storage.connectors.reading import Row, UnreadableError, currency_of, day, instant, minor
from storage.problems import Reason
from storage.records import Customer, Deal, Lead, Passage, Person, Pipeline, Rate, Team, When

LONG_AGO = date(1970, 1, 1)


class Sobject(Row):
    Id: str


class Currency(Sobject):
    IsoCode: str
    ConversionRate: Decimal
    IsCorporate: bool


class DatedRate(Sobject):
    IsoCode: str
    ConversionRate: Decimal
    StartDate: str


class Role(Sobject):
    Name: str
    ParentRoleId: str | None


class RecordType(Sobject):
    Name: str


class StageRow(Sobject):
    ApiName: str
    MasterLabel: str
    SortOrder: int
    IsClosed: bool
    IsWon: bool


class Changing(Sobject):
    SystemModstamp: str


class User(Changing):
    Name: str
    Email: str | None
    IsActive: bool
    UserRoleId: str | None


class AccountRow(Changing):
    Name: str
    Industry: str | None
    AccountSource: str | None
    IsDeleted: bool
    MasterRecordId: str | None


class LeadRow(Changing):
    Name: str
    Industry: str | None
    LeadSource: str | None
    OwnerId: str | None
    IsConverted: bool
    ConvertedDate: str | None
    ConvertedAccountId: str | None
    ConvertedOpportunityId: str | None
    CreatedDate: str
    IsDeleted: bool
    MasterRecordId: str | None


class Entry(Row):
    StageName: str
    CreatedDate: str


class Line(Row):
    """A product on an opportunity."""

    Product2Id: str | None
    TotalPrice: Decimal | None


class Opportunity(Changing):
    Name: str
    StageName: str
    IsClosed: bool
    IsWon: bool
    Amount: Decimal | None
    CloseDate: str | None
    CreatedDate: str
    AccountId: str | None
    OwnerId: str | None
    LeadSource: str | None
    Type: str | None
    IsDeleted: bool
    OpportunityHistories: list[Entry]
    OpportunityLineItems: Sequence[Line] = ()
    """Only where the organisation has products, and they may be read."""
    CurrencyIsoCode: str | None = None
    """Only where the organisation has several currencies."""
    RecordTypeId: str | None = None
    """Only where it has record types, which are its pipelines."""


def team(row: Role) -> Team:
    return Team(ext_id=row.Id, name=row.Name, parent=row.ParentRoleId)


def pipeline(row: RecordType) -> Pipeline:
    return Pipeline(ext_id=row.Id, name=row.Name)


def person(row: User) -> Person:
    return Person(
        ext_id=row.Id,
        modified=moment(row.SystemModstamp, "SystemModstamp"),
        name=row.Name,
        email=row.Email,
        team=row.UserRoleId,
        active=row.IsActive,
    )


def customer(row: AccountRow) -> Customer:
    return Customer(
        ext_id=row.Id,
        modified=moment(row.SystemModstamp, "SystemModstamp"),
        deleted=row.IsDeleted,
        merged_into=row.MasterRecordId,
        name=row.Name,
        segment=row.Industry,
        origin=row.AccountSource,
    )


def lead(row: LeadRow) -> Lead:
    return Lead(
        ext_id=row.Id,
        modified=moment(row.SystemModstamp, "SystemModstamp"),
        deleted=row.IsDeleted,
        merged_into=row.MasterRecordId,
        name=row.Name,
        created=moment(row.CreatedDate, "CreatedDate"),
        converted=row.IsConverted,
        converted_on=day(row.ConvertedDate, "ConvertedDate"),
        customer=row.ConvertedAccountId,
        owner=user_of(row.OwnerId),
        segment=row.Industry,
        origin=row.LeadSource,
    )


def deal(
    row: Opportunity,
    lead: str | None,
    default_currency: str,
    status: str,
    status_of: Callable[[str], str],
) -> tuple[Deal, list[Passage]]:
    """`status_of` says what a deal in a stage is; `lead` became this deal."""
    currency = currency_of(row.CurrencyIsoCode, default_currency, "CurrencyIsoCode")
    entered: list[tuple[datetime, str]] = []
    for entry in row.OpportunityHistories:
        at = moment(entry.CreatedDate, "OpportunityHistories.CreatedDate")
        # Changes of the amount and of the plan have entries too.
        if not entered or entered[-1][1] != entry.StageName:
            entered.append((at, entry.StageName))
    made = Deal(
        ext_id=row.Id,
        modified=moment(row.SystemModstamp, "SystemModstamp"),
        deleted=row.IsDeleted,
        name=row.Name,
        status=status,
        raw_status=row.StageName,
        kind=kind_of(row.Type, KINDS) if row.Type else None,
        customer=row.AccountId,
        owner=user_of(row.OwnerId),
        product=_product_of(row.OpportunityLineItems),
        pipeline=row.RecordTypeId,
        stage=row.StageName,
        lead=lead,
        origin=row.LeadSource,
        amount_minor=minor(row.Amount, currency, "Amount"),
        currency=currency,
        created=moment(row.CreatedDate, "CreatedDate"),
        closed=None if status == "open" else _closed(row, status, [(at, status_of(stage)) for at, stage in entered]),
    )
    return made, [Passage(deal=row.Id, stage=stage, at=at) for at, stage in entered]


def _product_of(lines: Sequence[Line]) -> str | None:
    """That of the largest line; of several that are as large, the first."""
    told = [line for line in lines if line.Product2Id]
    return max(told, key=lambda line: line.TotalPrice or Decimal(0)).Product2Id if told else None


def _closed(row: Opportunity, status: str, was: Sequence[tuple[datetime, str]]) -> When | None:
    """When the deal last came to be what it is; the plan where the history does not say."""
    planned = day(row.CloseDate, "CloseDate")
    if not was or was[-1][1] != status:
        return planned
    first = len(was) - 1
    while first and was[first - 1][1] == status:
        first -= 1
    since = was[first][0]
    # Closed from its first moment on, and meant to be before it: the history only tells of an import.
    return planned if first == 0 and planned is not None and planned < since.date() else since


def rate(row: Currency | DatedRate, corporate: str) -> Rate:
    """How much of a currency one unit of the corporate one is."""
    dated = isinstance(row, DatedRate)
    # The first of the dated rates begins before the calendar does.
    since = day(row.StartDate, "StartDate") if isinstance(row, DatedRate) and row.StartDate >= "1970" else None
    return Rate(
        ext_id=row.Id if dated else row.IsoCode,
        base=corporate,
        currency=row.IsoCode,
        starts_on=since or LONG_AGO,
        rate=row.ConversionRate,
    )


def user_of(owner: str | None) -> str | None:
    """A queue may own leads; it is no person."""
    return owner if owner and owner.startswith("005") else None


def moment(said: str, field: str) -> datetime:
    found = instant(said, field)
    if found is None:
        raise UnreadableError(Reason.VALUE_MISSING, field)
    return found
