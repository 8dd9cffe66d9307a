"""A canonical record as the row of its table: references become ids, moments get their local day.

Only here do records and columns meet.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from storage import records
from storage.rates import VALUED, Rates
from storage.records import Mention, Record, When, make_id

Row = dict[str, Any]
"""Column name to value, as SQLAlchemy binds it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What every row of a sync shares."""

    workspace_id: str
    source: str
    zone: ZoneInfo
    rates: Rates
    """Into the workspace's currency."""

    @property
    def currency(self) -> str:
        """The workspace's currency: what an amount without one is in."""
        return self.rates.currency

    def own(self, ext_id: str) -> str:
        """Vigie's id of a row of this source."""
        return make_id(self.source, ext_id)

    def id(self, ext_id: str | None) -> str | None:
        return None if ext_id is None else self.own(ext_id)

    def day(self, when: When | None) -> date | None:
        """The local day of a moment; a day is already local."""
        return when.astimezone(self.zone).date() if isinstance(when, datetime) else when


def row_of(record: Record, frame: Frame) -> Row:
    """The record's row, without `first_seen_at` and `deleted_at`, which belong to the table; `deleted` is no column.

    The hash is of what the source says: neither a rate nor the day of first sight makes another record of it.
    """
    own = _COLUMNS[record.object](record, frame)
    # A person's team is no column, yet a change of it is a change of the record.
    modified = _moment(record.modified)
    survivor = frame.id(record.merged_into)
    gone = ("deleted", *((survivor,) if survivor else ())) if record.deleted else ()
    hashed = repr((modified, getattr(record, "team", None), *own.values(), *gone))
    if "created_on" in own:
        own["created_seen"] = False
    if record.object in VALUED:
        # Not in the hash: another rate is no change of the record (`storage.revalue`).
        own["value_minor"] = frame.rates.value_of(record.object, own)
    return {
        "workspace_id": frame.workspace_id,
        "id": make_id(frame.source, record.ext_id),
        "source": frame.source,
        "ext_id": record.ext_id,
        "modified_at": modified,
        "deleted": record.deleted,
        "merged_into": survivor,
        "payload_hash": hashlib.blake2b(hashed.encode(), digest_size=16).hexdigest(),
        **own,
    }


def mentioned_row(mention: Mention, frame: Frame) -> Row:
    """A row that only a name is known of; its empty hash makes any real record replace it."""
    return {
        "workspace_id": frame.workspace_id,
        "id": make_id(frame.source, mention.ext_id),
        "source": frame.source,
        "ext_id": mention.ext_id,
        "modified_at": None,
        "payload_hash": "",
        "name": mention.name,
        **MENTIONED[mention.object],
    }


MENTIONED: Mapping[str, Row] = {
    "team": {},
    "person": {"active": True},
    "customer": {},
    "product": {},
    "pipeline": {},
    "stage": {"position": 0, "status": "open"},
    "lead": {"created_seen": False},
}
"""The objects of which a row may be known by its name alone, with what such a row says besides."""


def _moment(when: When | None) -> datetime | None:
    return when.astimezone(UTC) if isinstance(when, datetime) else None


def _team(record: records.Team, frame: Frame) -> Row:
    return {"name": record.name, "parent_id": frame.id(record.parent), "manager_id": frame.id(record.manager)}


def _person(record: records.Person, _frame: Frame) -> Row:
    return {"name": record.name, "email": record.email, "region": record.region, "active": record.active}


def _customer(record: records.Customer, _frame: Frame) -> Row:
    return {"name": record.name, "segment": record.segment, "origin": record.origin, "region": record.region}


def _named(record: records.Product | records.Pipeline, _frame: Frame) -> Row:
    return {"name": record.name}


def _stage(record: records.Stage, frame: Frame) -> Row:
    return {
        "name": record.name,
        "pipeline_id": frame.id(record.pipeline),
        "position": record.position,
        "status": record.status,
    }


def _deal(record: records.Deal, frame: Frame) -> Row:
    return {
        "name": record.name,
        "status": record.status,
        "raw_status": record.raw_status,
        "kind": record.kind,
        "customer_id": frame.id(record.customer),
        "owner_id": frame.id(record.owner),
        "product_id": frame.id(record.product),
        "pipeline_id": frame.id(record.pipeline),
        "stage_id": frame.id(record.stage),
        "lead_id": frame.id(record.lead),
        "segment": record.segment,
        "origin": record.origin,
        "amount_minor": record.amount_minor,
        "currency": record.currency or frame.currency,
        "created_on": frame.day(record.created),
        "created_at": _moment(record.created),
        "closed_on": frame.day(record.closed),
        "closed_at": _moment(record.closed),
    }


def _lead(record: records.Lead, frame: Frame) -> Row:
    return {
        "name": record.name,
        "created_on": frame.day(record.created),
        "created_at": _moment(record.created),
        "qualified_on": frame.day(record.qualified_on),
        "qualified": record.qualified,
        "inbound": record.inbound,
        "converted": record.converted,
        "converted_on": frame.day(record.converted_on),
        "customer_id": frame.id(record.customer),
        "owner_id": frame.id(record.owner),
        "segment": record.segment,
        "origin": record.origin,
    }


def _contract(record: records.Contract, frame: Frame) -> Row:
    return {
        "customer_id": frame.id(record.customer),
        "starts_on": record.starts_on,
        "ends_on": record.ends_on,
        "amount_minor": record.amount_minor,
        "currency": record.currency or frame.currency,
    }


def _purchase(record: records.Purchase, frame: Frame) -> Row:
    return {
        "customer_id": frame.id(record.customer),
        "purchased_on": frame.day(record.purchased),
        "product_id": frame.id(record.product),
        "amount_minor": record.amount_minor,
        "currency": record.currency or frame.currency,
    }


def _spend(record: records.Spend, frame: Frame) -> Row:
    return {
        "kind": record.kind,
        "starts_on": record.starts_on,
        "ends_on": record.ends_on,
        "origin": record.origin,
        "amount_minor": record.amount_minor,
        "currency": record.currency or frame.currency,
    }


def _rate(record: records.Rate, _frame: Frame) -> Row:
    return {
        "base": record.base,
        "currency": record.currency,
        "starts_on": record.starts_on,
        "rate": record.rate,
    }


_COLUMNS = cast(
    "Mapping[str, Callable[[Record, Frame], Row]]",
    {
        "team": _team,
        "person": _person,
        "customer": _customer,
        "product": _named,
        "pipeline": _named,
        "stage": _stage,
        "deal": _deal,
        "lead": _lead,
        "contract": _contract,
        "purchase": _purchase,
        "spend": _spend,
        "rate": _rate,
    },
)
