"""Leads, people, customers, products, contracts, purchases, spend and exchange rates."""

from storage import records
from storage.connectors.files.builder import Builder, moment
from storage.connectors.files.dates import LAST_YEAR
from storage.connectors.files.drafts import Draft
from storage.connectors.files.headers import fold
from storage.connectors.files.statuses import SPEND_KINDS, kind_of
from storage.problems import Reason


def lead(builder: Builder, draft: Draft, ext_id: str) -> records.Lead:
    builder.names.add("lead", ext_id)
    builder.names.lead_created[ext_id] = draft.when("created")
    return records.Lead(
        ext_id=ext_id,
        modified=moment(draft, "modified"),
        deleted=draft.flag("deleted") or False,
        name=builder.name(draft, ext_id),
        created=draft.when("created"),
        qualified_on=draft.when("qualified_on"),
        qualified=draft.flag("qualified"),
        inbound=draft.flag("inbound"),
        converted=draft.flag("converted"),
        converted_on=draft.when("converted_on"),
        customer=builder.reference(draft, "customer", "customer"),
        owner=builder.reference(draft, "owner", "person"),
        segment=draft.text("segment"),
        origin=draft.text("origin"),
    )


def person(builder: Builder, draft: Draft, ext_id: str) -> records.Person:
    email = draft.text("email")
    active = draft.flag("active")
    name = builder.name(draft, ext_id)
    builder.names.add("person", ext_id, name, email, email and email.casefold())
    return records.Person(
        ext_id=ext_id,
        modified=moment(draft, "modified"),
        name=name,
        email=email and email.casefold(),
        region=draft.text("region"),
        team=draft.text("team") or draft.text("manager"),
        active=True if active is None else active,
    )


def customer(builder: Builder, draft: Draft, ext_id: str) -> records.Customer:
    builder.names.add("customer", ext_id, draft.text("name"))
    return records.Customer(
        ext_id=ext_id,
        modified=moment(draft, "modified"),
        deleted=draft.flag("deleted") or False,
        name=builder.name(draft, ext_id),
        segment=draft.text("segment"),
        origin=draft.text("origin"),
        region=draft.text("region"),
    )


def product(builder: Builder, draft: Draft, ext_id: str) -> records.Product:
    builder.names.add("product", ext_id, draft.text("name"))
    return records.Product(ext_id=ext_id, modified=moment(draft, "modified"), name=builder.name(draft, ext_id))


def contract(builder: Builder, draft: Draft, ext_id: str) -> records.Contract | None:
    _open_end(builder, draft)
    builder.needed(draft, "customer", "starts_on")
    starts, ends = draft.day("starts_on"), draft.day("ends_on")
    if starts is not None and ends is not None and ends < starts:
        draft.set_aside(Reason.ENDS_BEFORE_START, "ends_on", starts=starts.isoformat(), ends=ends.isoformat())
    minor, currency = builder.amount(draft)
    customer = builder.reference(draft, "customer", "customer")
    if customer is None or starts is None:
        draft.aside = True
        return None
    return records.Contract(
        ext_id=ext_id,
        modified=moment(draft, "modified"),
        customer=customer,
        starts_on=starts,
        ends_on=ends,
        amount_minor=minor,
        currency=currency,
    )


def _open_end(builder: Builder, draft: Draft) -> None:
    """A contract that ends in 9999 is one that does not end: loaded as such, and flagged."""
    for index, problem in enumerate(draft.problems):
        far = problem.details.get("said", "")
        if (
            problem.field == "ends_on"
            and problem.reason == Reason.DATE_OUT_OF_RANGE
            and str(LAST_YEAR)[:2] < _year(far)
        ):
            del draft.problems[index]
            draft.aside = any(not other.kept for other in draft.problems)
            draft.flag_kept(
                Reason.DATE_OUT_OF_RANGE, "ends_on", said=far, column=builder.header("ends_on"), open_end="yes"
            )
            return


def purchase(builder: Builder, draft: Draft, ext_id: str) -> records.Purchase | None:
    builder.needed(draft, "customer", "purchased")
    minor, currency = builder.amount(draft)
    customer, purchased = builder.reference(draft, "customer", "customer"), draft.when("purchased")
    if customer is None or purchased is None:
        draft.aside = True
        return None
    return records.Purchase(
        ext_id=ext_id,
        modified=moment(draft, "modified"),
        customer=customer,
        purchased=purchased,
        product=builder.reference(draft, "product", "product"),
        amount_minor=minor,
        currency=currency,
    )


def spend(builder: Builder, draft: Draft, ext_id: str) -> records.Spend | None:
    builder.needed(draft, "amount")
    starts, ends = draft.values.get("month") or (draft.day("starts_on"), draft.day("ends_on"))
    ends = ends or starts
    if starts is None or ends is None:
        builder.needed(draft, "month" if builder.one.column("month") else "starts_on")
    elif ends < starts:
        draft.set_aside(Reason.ENDS_BEFORE_START, "ends_on", starts=starts.isoformat(), ends=ends.isoformat())
    kind = _spend_kind(builder, draft)
    minor, currency = builder.amount(draft)
    if minor is None or starts is None or ends is None or kind is None:
        draft.aside = True
        return None
    return records.Spend(
        ext_id=ext_id,
        modified=moment(draft, "modified"),
        kind=kind,
        starts_on=starts,
        ends_on=ends,
        amount_minor=minor,
        origin=draft.text("origin"),
        currency=currency,
    )


def _spend_kind(builder: Builder, draft: Draft) -> str | None:
    said = draft.text("kind")
    if said is not None:
        kind = kind_of(said, SPEND_KINDS)
        if kind is None:
            draft.set_aside(Reason.KIND_UNKNOWN, "kind", said=said, known=", ".join(SPEND_KINDS))
        return kind
    if builder.one.column("kind") is not None:
        draft.set_aside(Reason.VALUE_MISSING, "kind", column=builder.header("kind"))
        return None
    words = fold(f"{builder.one.place} {builder.header('amount')}").split()
    return "sales" if {"sales", "ventes", "commercial", "commerciales"} & set(words) else "marketing"


def rate(builder: Builder, draft: Draft, ext_id: str) -> records.Rate | None:
    builder.needed(draft, "base", "currency", "starts_on", "rate")
    starts_on = draft.day("starts_on")
    base, currency = draft.text("base"), draft.text("currency")
    if draft.aside or starts_on is None or base is None or currency is None:
        draft.aside = True
        return None
    return records.Rate(
        ext_id=ext_id,
        modified=moment(draft, "modified"),
        base=base,
        currency=currency,
        starts_on=starts_on,
        rate=draft.values["rate"],
    )


def _year(said: str) -> str:
    return max((part for part in fold(said).split() if len(part) == 4 and part.isdigit()), default="")[:2]
