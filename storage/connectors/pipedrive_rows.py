"""What Pipedrive's rows become. Deals are won and lost beside their stages, with a moment for each.

A converted lead is deleted in Pipedrive; the deal that it became names it (`source_lead_id`), and that keeps it here.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from storage.connectors.reading import Row, UnreadableError, currency_of, instant, minor, oddity, problem
from storage.problems import Reason
from storage.records import Customer, Deal, Gone, Lead, Person, Pipeline, Problem, Product, Record, Stage

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
CONTACT = "person-"
"""Before the id of a contact that stands for a customer: organizations have the same numbers."""
Made = Sequence[Record | Gone | Problem]


class _Named(Row):
    id: str
    name: str
    is_deleted: bool = False


class _User(Row):
    id: str
    name: str
    email: str | None
    active_flag: bool
    modified: str | None = None


class _Stage(_Named):
    pipeline_id: str
    order_nr: int


class _Organization(_Named):
    update_time: str | None


class _Lead(Row):
    id: str
    title: str
    owner_id: str | None
    organization_id: str | None
    person_id: str | None = None
    source_name: str | None
    add_time: str
    update_time: str | None


class SourceLead(Row):
    """Of a deal, what tells of the lead that it was."""

    source_lead_id: str | None = None
    title: str | None = None
    owner_id: str | None = None
    org_id: str | None = None
    person_id: str | None = None
    add_time: str | None = None


class _Deal(SourceLead):
    id: str
    title: str | None
    status: str
    owner_id: str | None
    org_id: str | None
    pipeline_id: str | None
    stage_id: str | None
    value: str | None
    currency: str | None
    add_time: str | None
    update_time: str | None
    won_time: str | None
    lost_time: str | None
    close_time: str | None = None
    is_deleted: bool = False


class Line(Row):
    """A product on a deal."""

    deal_id: str
    product_id: str | None
    sum: Decimal | None
    is_enabled: bool = True


def customer_of(organization: str | None, contact: str | None) -> str | None:
    """The organization; where there is none, the contact."""
    return organization or (f"{CONTACT}{contact}" if contact else None)


class Rows:
    """Makes records of rows; `stages` is what a person decided of stages that the CRM calls open."""

    def __init__(self, currency: str, stages: Mapping[str, str]) -> None:
        self._currency, self._stages = currency, stages
        self.products: dict[str, str] = {}
        """Deal to its product, of the deals that have one."""
        self.forms: Mapping[str, tuple[type[Any], Callable[[Any], Made]]] = {
            "person": (_User, self._person),
            "pipeline": (_Named, self._pipeline),
            "stage": (_Stage, self._stage),
            "product": (_Named, self._product),
            "customer": (_Organization, self._customer),
            "lead": (_Lead, self._lead),
            "deal": (_Deal, self._deal),
        }
        """By object: the fields that Vigie rests on, and what is made of them."""

    def _person(self, row: _User) -> Sequence[Record]:
        modified = instant(row.modified, "modified")
        return [Person(ext_id=row.id, modified=modified, name=row.name, email=row.email, active=row.active_flag)]

    def _pipeline(self, row: _Named) -> Sequence[Record]:
        return [Pipeline(ext_id=row.id, name=row.name, deleted=row.is_deleted)]

    def _stage(self, row: _Stage) -> Sequence[Record]:
        return [
            Stage(
                ext_id=row.id,
                name=row.name,
                pipeline=row.pipeline_id,
                position=row.order_nr,
                status=self._stages.get(row.id, "open"),
                deleted=row.is_deleted,
            )
        ]

    def _product(self, row: _Named) -> Sequence[Record]:
        return [Product(ext_id=row.id, name=row.name, deleted=row.is_deleted)]

    def _customer(self, row: _Organization) -> Sequence[Record | Gone]:
        modified = instant(row.update_time, "update_time")
        if row.is_deleted:
            return [Gone(object="customer", ext_id=row.id, at=modified)]
        return [Customer(ext_id=row.id, modified=modified, name=row.name)]

    def _lead(self, row: _Lead) -> Sequence[Record]:
        return [
            Lead(
                ext_id=row.id,
                modified=instant(row.update_time, "update_time"),
                name=row.title,
                created=instant(row.add_time, "add_time"),
                customer=customer_of(row.organization_id, row.person_id),
                owner=row.owner_id,
                origin=row.source_name,
            )
        ]

    def source_lead(self, row: SourceLead) -> Sequence[Record]:
        """What a deal tells of its lead: less than anything known of it before, and created when the deal was at the
        latest."""
        if row.source_lead_id is None:
            return []
        created = instant(row.add_time, "add_time")
        return [
            Lead(
                ext_id=row.source_lead_id,
                modified=_LONG_AGO,
                name=row.title or row.source_lead_id,
                created=created,
                customer=customer_of(row.org_id, row.person_id),
                owner=row.owner_id,
            )
        ]

    def _deal(self, row: _Deal) -> Made:
        modified = instant(row.update_time, "update_time")
        if row.is_deleted or row.status == "deleted":
            return [Gone(object="deal", ext_id=row.id, at=modified)]
        if row.status not in {"open", "won", "lost"}:
            raise UnreadableError(Reason.STATUS_UNKNOWN, "status", row.status)
        # Deals are won and lost beside their stages; a person may say that resting in one means something, too.
        status = self._stages.get(row.stage_id or "", "open") if row.status == "open" else row.status
        told = {"won": row.won_time, "lost": row.lost_time}.get(row.status) or row.close_time
        currency = currency_of(row.currency, self._currency)
        deal = Deal(
            ext_id=row.id,
            modified=modified,
            name=row.title or row.id,
            status=status,
            raw_status=row.status,
            customer=customer_of(row.org_id, row.person_id),
            owner=row.owner_id,
            product=self.products.get(row.id),
            pipeline=row.pipeline_id,
            stage=row.stage_id,
            lead=row.source_lead_id,
            amount_minor=minor(row.value, currency, "value"),
            currency=currency,
            created=instant(row.add_time, "add_time"),
            closed=None if status == "open" else instant(told, "close_time"),
        )
        odd = oddity(row.value, currency)
        flags = [problem(row, "deal", odd, "value", row.value, kept=True)] if odd else []
        return [*self.source_lead(row), deal, *flags]


def product_of(lines: Sequence[Line]) -> str | None:
    """That of a deal's largest line; of several that are as large, the first."""
    told = [line for line in lines if line.product_id and line.is_enabled]
    return max(told, key=lambda line: line.sum or Decimal(0)).product_id if told else None
