"""What HubSpot's rows are in Vigie's words."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from storage.connectors.hubspot_rows import (
    CompanyRow,
    ContactRow,
    DealProperties,
    DealRow,
    Entry,
    LeadRow,
    Link,
    OwnerRow,
    Properties,
    RateRow,
    StageRow,
)
from storage.connectors.reading import LARGEST, Row, UnreadableError, currency_of, instant, minor, oddity, problem
from storage.problems import Reason
from storage.records import Customer, Deal, Gone, Lead, Passage, Person, Problem, Rate, Record, Stage, Team

KINDS = {"newbusiness": "new", "existingbusiness": "additional"}
LEAD_STAGES = ("lead", "marketingqualifiedlead", "salesqualifiedlead", "opportunity", "customer")
"""Of a contact's life, in order: before them nobody has shown interest, beyond them it is not about selling."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one row comes to."""

    record: Record | None
    gone: Sequence[Gone] = ()
    passages: Sequence[Passage] = ()
    kept: Sequence[Problem] = ()


@dataclass(slots=True)
class Book:
    """What must be known to read a deal or a lead."""

    currency: str
    """Of amounts that name none."""
    statuses: Mapping[str, str]
    """Stage id of a deal to `open`, `won`, `lost` or `dormant`."""
    leads: str
    """The object that leads are read from: `leads` or `contacts`."""
    lead_states: Mapping[str, str]
    """Stage id of a lead to HubSpot's `NEW`, `IN_PROGRESS`, `QUALIFIED`, `UNQUALIFIED`."""
    zone: ZoneInfo
    """The workspace's."""
    lines: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    """Line item to its product, and its amount in minor units."""


def contact_id(ext_id: str) -> str:
    """Leads and contacts are both numbered; an account may go from one to the other."""
    return f"contact-{ext_id}"


def deal(row: DealRow, book: Book) -> Told:
    told = row.properties
    if not told.dealstage:
        raise UnreadableError(Reason.STATUS_MISSING, "dealstage")
    currency = currency_of(told.deal_currency_code, book.currency, "deal_currency_code")
    status = book.statuses.get(told.dealstage) or _status(told)
    entered = moves_of(row.history.get("dealstage", ()), "dealstage")
    lead = linked(row.links.get(book.leads, ()))
    amount = minor(told.amount, currency)
    closed = None if status == "open" else _closed(entered, told, book)
    kept = nameless(row, "deal", "dealname", told.dealname)
    if odd := oddity(told.amount, currency):
        kept.append(problem(row, "deal", odd, "amount", told.amount, kept=True))
    if closed is None and status in {"won", "lost"}:
        missing = problem(row, "deal", Reason.CLOSED_MISSING, "closedate", kept=True)
        kept.append(replace(missing, details={"status": status}))
    record = Deal(
        ext_id=row.id,
        name=told.dealname or row.id,
        modified=instant(told.hs_lastmodifieddate, "hs_lastmodifieddate"),
        status=status,
        raw_status=told.dealstage,
        kind=KINDS.get(told.dealtype or ""),
        customer=linked(row.links.get("companies", ())),
        owner=told.hubspot_owner_id or None,
        product=_product_of(row.links.get("line_items", ()), book.lines),
        pipeline=told.pipeline or None,
        stage=told.dealstage,
        lead=contact_id(lead) if lead and book.leads == "contacts" else lead,
        origin=told.hs_analytics_source or None,
        amount_minor=amount,
        currency=currency,
        created=instant(told.createdate, "createdate"),
        closed=closed,
    )
    return Told(
        record=record,
        gone=_merged("deal", row.id, told),
        passages=[Passage(deal=row.id, stage=stage, at=at) for at, stage in entered],
        kept=kept,
    )


def company(row: CompanyRow, _book: Book) -> Told:
    told = row.properties
    record = Customer(
        ext_id=row.id,
        name=told.name or told.domain or row.id,
        modified=instant(told.hs_lastmodifieddate, "hs_lastmodifieddate"),
        origin=told.hs_analytics_source or None,
    )
    kept = nameless(row, "customer", "name", told.name or told.domain)
    return Told(record=record, gone=_merged("customer", row.id, told), kept=kept)


def lead(row: LeadRow, book: Book) -> Told:
    """HubSpot's `Qualified` is the stage in which a lead becomes a deal: its own word for converted."""
    told = row.properties
    states = book.lead_states
    state = states.get(told.hs_pipeline_stage or "", "")
    entered = moves_of(row.history.get("hs_pipeline_stage", ()), "hs_pipeline_stage")
    converted = state == "QUALIFIED"
    record = Lead(
        ext_id=row.id,
        name=told.hs_lead_name or row.id,
        modified=instant(told.hs_lastmodifieddate, "hs_lastmodifieddate"),
        created=instant(told.hs_createdate, "hs_createdate"),
        qualified=False if state == "UNQUALIFIED" else None,
        converted=converted,
        converted_on=since_when(entered, lambda stage: states.get(stage) == "QUALIFIED") if converted else None,
        customer=linked(row.links.get("companies", ())),
        owner=told.hubspot_owner_id or None,
        origin=told.hs_lead_source or told.hs_contact_analytics_source or None,
    )
    kept = nameless(row, "lead", "hs_lead_name", told.hs_lead_name)
    return Told(record=record, gone=_merged("lead", row.id, told), kept=kept)


def contact(row: ContactRow, _book: Book) -> Told:
    """A contact whose life cycle is somewhere between lead and customer is a lead; any other is none (any more)."""
    told, ext_id = row.properties, contact_id(row.id)
    gone = [
        Gone(object="lead", ext_id=contact_id(each.ext_id), merged_into=ext_id)
        for each in _merged("lead", row.id, told)
    ]
    if told.lifecyclestage not in LEAD_STAGES:
        return Told(record=None, gone=[*gone, Gone(object="lead", ext_id=ext_id)])
    entered = {
        stage: instant(getattr(told, f"hs_v2_date_entered_{stage}"), f"hs_v2_date_entered_{stage}")
        for stage in LEAD_STAGES
    }
    first = [moment for moment in entered.values() if moment is not None]
    qualified = [moment for stage, moment in entered.items() if stage != "lead" and moment is not None]
    source = told.hs_analytics_source or None
    record = Lead(
        ext_id=ext_id,
        name=" ".join(filter(None, (told.firstname, told.lastname))) or told.email or row.id,
        modified=instant(told.lastmodifieddate, "lastmodifieddate"),
        created=min(first, default=None) or instant(told.createdate, "createdate"),
        qualified=told.lifecyclestage != "lead",
        qualified_on=min(qualified, default=None) if told.lifecyclestage != "lead" else None,
        # HubSpot's word for what was imported, or typed in by a colleague.
        inbound=None if source is None else source != "OFFLINE",
        converted=told.lifecyclestage == "customer",
        converted_on=entered["customer"] if told.lifecyclestage == "customer" else None,
        customer=told.associatedcompanyid or None,
        owner=told.hubspot_owner_id or None,
        origin=source,
    )
    return Told(record=record, gone=gone)


def person(row: OwnerRow) -> tuple[Person, Team | None]:
    """An owner, and the team that is first among theirs."""
    name = " ".join(filter(None, (row.first_name, row.last_name)))
    first = min(row.teams, key=lambda team: not team.primary, default=None)
    person = Person(
        ext_id=row.id,
        name=name or row.email or row.id,
        email=row.email or None,
        active=not row.archived,
        team=first.id if first else None,
    )
    return person, Team(ext_id=first.id, name=first.name) if first else None


def rate(row: RateRow) -> Rate:
    """1 unit of the foreign currency in the company's, from the (UTC) day on which it took effect."""
    effective = instant(row.effective, "effectiveAt")
    try:
        value = Decimal(row.rate)
    except InvalidOperation:
        value = Decimal(0)
    if effective is None or not value.is_finite() or not 0 < value < LARGEST:
        raise UnreadableError(Reason.VALUE_UNREADABLE, "conversionRate", row.rate)
    return Rate(
        ext_id=row.id,
        base=currency_of(row.base, "", "fromCurrencyCode"),
        currency=currency_of(row.currency, "", "toCurrencyCode"),
        starts_on=effective.astimezone(UTC).date(),
        rate=value,
    )


def stage_of(pipeline: str, decided: Mapping[str, str]) -> Callable[[StageRow], Stage]:
    return lambda row: _stage(row, pipeline, decided)


def _stage(row: StageRow, pipeline: str, decided: Mapping[str, str]) -> Stage:
    """A deal is closed in a stage of probability 1 (won) or 0 (lost); a person's decision beats HubSpot's word."""
    try:
        probability = Decimal(row.metadata.probability or "0.5")
    except InvalidOperation:
        raise UnreadableError(Reason.STATUS_UNKNOWN, "probability", row.metadata.probability) from None
    closed = probability in {0, 1} if row.metadata.closed is None else str(row.metadata.closed).lower() == "true"
    said = "open" if not closed else "won" if probability == 1 else "lost"
    return Stage(
        ext_id=row.id,
        name=row.label,
        pipeline=pipeline,
        position=row.position,
        status=decided.get(row.id, said),
    )


def _product_of(links: Sequence[Link], lines: Mapping[str, tuple[str, int]]) -> str | None:
    """That of a deal's largest line; of several that are as large, the oldest."""
    told = sorted((link.id for link in links if link.id in lines), key=lambda each: (len(each), each))
    return lines[max(told, key=lambda each: lines[each][1])][0] if told else None


def nameless(row: Row, object_: str, field: str, name: str | None) -> list[Problem]:
    return [] if name else [problem(row, object_, Reason.NAME_MISSING, field, kept=True)]


def _status(told: DealProperties) -> str:
    """Of a deal in a stage that was deleted."""
    if told.hs_is_closed is None and told.hs_is_closed_won is None:
        raise UnreadableError(Reason.STATUS_UNKNOWN, "dealstage", told.dealstage)
    if told.hs_is_closed_won == "true":
        return "won"
    return "lost" if told.hs_is_closed == "true" else "open"


def _closed(entered: Sequence[tuple[datetime, str]], told: DealProperties, book: Book) -> datetime | None:
    """When the deal was won or lost: its history knows; people edit the closing date."""
    status = book.statuses.get(told.dealstage or "")
    if status is not None and (since := since_when(entered, lambda stage: book.statuses.get(stage) == status)):
        return since
    return instant(told.closedate, "closedate")


def since_when(entered: Sequence[tuple[datetime, str]], alike: Callable[[str], bool]) -> datetime | None:
    """When the last unbroken run of stages that are alike began; None where the history does not end in one."""
    since = None
    for at, stage in reversed(entered):
        if not alike(stage):
            break
        since = at
    return since


def moves_of(history: Sequence[Entry], field: str) -> list[tuple[datetime, str]]:
    """(when, stage), oldest first; writing the stage it already has is no move."""
    moves: list[tuple[datetime, str]] = []
    for entry in reversed(history):
        at = instant(entry.timestamp, field)
        if at is not None and entry.value and (not moves or moves[-1][1] != entry.value):
            moves.append((at, entry.value))
    return moves


def linked(links: Sequence[Link]) -> str | None:
    """The primary one, else the oldest."""
    chosen = min(links, key=lambda link: (not link.primary, len(link.id), link.id), default=None)
    return chosen.id if chosen else None


def _merged(object_: str, ext_id: str, told: Properties) -> list[Gone]:
    """Merging makes a new row that names those it took over."""
    ids = (told.hs_merged_object_ids or "").split(";")
    return [
        Gone(object=object_, ext_id=one.strip(), merged_into=ext_id) for one in ids if one.strip() not in {"", ext_id}
    ]
